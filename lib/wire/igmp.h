/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_IGMP_H
#define WIRE_IGMP_H

/* IGMP messages of all three versions (RFC 1112 appendix I, RFC 2236, RFC 3376). */

#include <stdint.h>

#include "wire/wire.h"

#define IGMP_QUERY     0x11
#define IGMP_REPORT_V1 0x12
#define IGMP_REPORT_V2 0x16
#define IGMP_LEAVE_V2  0x17
#define IGMP_REPORT_V3 0x22

#define IGMP_LEN    8  /* of a message of version 1 or 2 */
#define IGMP_V3_LEN 16 /* of a version 3 report with one record */

#define IGMP_CKSUM_OFF 2

/* kinds of records (RFC 3376 section 4.2.12); a host that listens to all sources needs these */
#define IGMP_IS_EXCLUDE 2 /* is a member, in response to a query */
#define IGMP_TO_INCLUDE 3 /* has left */
#define IGMP_TO_EXCLUDE 4 /* has joined */

/* groups that messages are sent to, in host byte order */
#define IGMP_ALL_HOSTS   UINT32_C(0xe0000001)
#define IGMP_ALL_ROUTERS UINT32_C(0xe0000002)
#define IGMP_V3_ROUTERS  UINT32_C(0xe0000016)

/** A message in host byte order, except the group. */
struct igmp_msg {
	uint8_t type;
	uint8_t version;   /* of a query: 1, 2 or 3 (RFC 3376 section 7.1) */
	uint32_t delay_ms; /* of a query: the maximum response time */
	uint32_t group_be; /* 0: a general query */
};

/**
 * igmp_parse reads a message of len bytes, of which at least min(len, 8) are at p. Returns
 * IGMP_LEN, WIRE_SHORT, or WIRE_LENGTH for a query whose length is valid in no version. The caller
 * verifies the checksum.
 */
int igmp_parse(const uint8_t *p, uint32_t len, struct igmp_msg *msg);

/** igmp_write writes a report or a leave message of version 1 or 2. Returns IGMP_LEN. */
uint16_t igmp_write(uint8_t *p, uint8_t type, uint32_t group_be);

/** igmp_write_v3 writes a report with one record. Returns IGMP_V3_LEN. */
uint16_t igmp_write_v3(uint8_t *p, uint8_t kind, uint32_t group_be);

#endif
