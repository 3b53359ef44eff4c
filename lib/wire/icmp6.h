/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ICMP6_H
#define WIRE_ICMP6_H

/* ICMPv6 messages (RFC 4443). Their checksum covers the pseudo-header. */

#include <stdbool.h>
#include <stdint.h>

#include "wire/ip6.h"
#include "wire/wire.h"

#define ICMP6_HDR_LEN   8
#define ICMP6_CKSUM_OFF 2

#define ICMP6_UNREACHABLE   1
#define ICMP6_TOO_BIG       2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER     4
#define ICMP6_ECHO          128
#define ICMP6_ECHO_REPLY    129
#define ICMP6_INFO          128 /* from this type on, messages are not errors */

/* codes of ICMP6_UNREACHABLE (section 3.1) */
#define ICMP6_UNREACH_ROUTE  0
#define ICMP6_UNREACH_PROHIB 1
#define ICMP6_UNREACH_SCOPE  2
#define ICMP6_UNREACH_ADDR   3
#define ICMP6_UNREACH_PORT   4
#define ICMP6_UNREACH_POLICY 5
#define ICMP6_UNREACH_REJECT 6

/* codes of ICMP6_TIME_EXCEEDED (section 3.3) */
#define ICMP6_TIME_HOPS       0
#define ICMP6_TIME_REASSEMBLY 1

/* codes of ICMP6_PARAMETER (section 3.4) */
#define ICMP6_PARAM_FIELD  0
#define ICMP6_PARAM_NEXT   1
#define ICMP6_PARAM_OPTION 2
#define ICMP6_PARAM_CHAIN  3 /* RFC 7112: a first fragment without the whole header chain */

/** The eight bytes that every message begins with, in host byte order. */
struct icmp6_hdr {
	uint8_t type, code;
	uint16_t cksum_be; /* as on the wire; not checked by icmp6_parse, not used by icmp6_write */
	uint32_t rest; /* MTU of ICMP6_TOO_BIG, pointer of ICMP6_PARAMETER, id and seq of echo */
};

/** The part of the offending packet that an error message quotes. */
struct icmp6_quote {
	struct ip6_hdr ip;
	uint8_t proto;         /* of the upper layer */
	uint16_t sport, dport; /* first four bytes of its header */
	uint32_t seq;          /* next four bytes: for TCP, the sequence number */
};

/** icmp6_is_error says whether messages of this type are errors, which quote another packet. */
static inline bool icmp6_is_error(uint8_t type)
{
	return type < ICMP6_INFO;
}

/**
 * icmp6_parse reads the header at p; len is the length of the message, of which at least min(len,
 * 8) bytes are at p. Returns ICMP6_HDR_LEN or WIRE_SHORT. The caller verifies the checksum.
 */
int icmp6_parse(const uint8_t *p, uint32_t len, struct icmp6_hdr *h);

/**
 * icmp6_parse_quote reads what follows the header of an error message: len bytes at p. Returns the
 * offset of the quoted upper-layer header; WIRE_SHORT if its first 8 bytes are not complete;
 * WIRE_VERSION if it is not IPv6; WIRE_FORM if its extension headers do not lead to an upper layer,
 * or lead to a fragment other than the first.
 */
int icmp6_parse_quote(const uint8_t *p, uint32_t len, struct icmp6_quote *q);

/** icmp6_write writes a header with checksum 0. Returns ICMP6_HDR_LEN. */
uint16_t icmp6_write(uint8_t *p, const struct icmp6_hdr *h);

/** icmp6_set_cksum computes and stores the checksum of a message of len contiguous bytes. */
void icmp6_set_cksum(uint8_t *p, uint32_t len, const struct pc_addr *src,
                     const struct pc_addr *dst);

#endif
