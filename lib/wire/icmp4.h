/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ICMP4_H
#define WIRE_ICMP4_H

/* ICMP messages (RFC 792). */

#include <stdbool.h>
#include <stdint.h>

#include "wire/ip4.h"
#include "wire/wire.h"

#define ICMP4_HDR_LEN   8
#define ICMP4_CKSUM_OFF 2

#define ICMP4_ECHO_REPLY    0
#define ICMP4_UNREACHABLE   3
#define ICMP4_SOURCE_QUENCH 4 /* RFC 6633: ignored */
#define ICMP4_REDIRECT      5
#define ICMP4_ECHO          8
#define ICMP4_TIME_EXCEEDED 11
#define ICMP4_PARAMETER     12

/* codes of ICMP4_UNREACHABLE (RFC 792, RFC 1122 section 3.2.2.1) */
#define ICMP4_UNREACH_NET          0
#define ICMP4_UNREACH_HOST         1
#define ICMP4_UNREACH_PROTO        2
#define ICMP4_UNREACH_PORT         3
#define ICMP4_UNREACH_FRAG         4 /* fragmentation needed; carries the MTU (RFC 1191) */
#define ICMP4_UNREACH_SRCFAIL      5
#define ICMP4_UNREACH_NET_UNKNOWN  6
#define ICMP4_UNREACH_HOST_UNKNOWN 7
#define ICMP4_UNREACH_ISOLATED     8
#define ICMP4_UNREACH_NET_PROHIB   9
#define ICMP4_UNREACH_HOST_PROHIB  10
#define ICMP4_UNREACH_NET_TOS      11
#define ICMP4_UNREACH_HOST_TOS     12
#define ICMP4_UNREACH_PROHIB       13 /* RFC 1812 section 5.2.7.1 */

/* codes of ICMP4_TIME_EXCEEDED */
#define ICMP4_TIME_HOPS       0
#define ICMP4_TIME_REASSEMBLY 1

/** The eight bytes that every message begins with, in host byte order. */
struct icmp4_hdr {
	uint8_t type, code;
	uint16_t cksum_be; /* as on the wire; not checked by icmp4_parse, not used by icmp4_write */
	union {
		uint32_t rest;
		struct {
			uint16_t seq, id; /* of echo messages; id comes first on the wire */
		};
		uint16_t mtu; /* of ICMP4_UNREACH_FRAG; 0: not given */
	};
};

/** The part of the offending packet that an error message quotes. */
struct icmp4_quote {
	struct ip4_hdr ip;     /* total_len may exceed the quoted length */
	uint16_t sport, dport; /* first four bytes of its payload */
	uint32_t seq;          /* next four bytes: for TCP, the sequence number */
};

/** icmp4_is_error says whether messages of this type are errors, which quote another packet. */
static inline bool icmp4_is_error(uint8_t type)
{
	return type == ICMP4_UNREACHABLE || type == ICMP4_SOURCE_QUENCH || type == ICMP4_REDIRECT ||
	       type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER;
}

/** icmp4_is_query says whether messages of this type are queries or answers to these (RFC 792,
 * RFC 950, RFC 1256). */
static inline bool icmp4_is_query(uint8_t type)
{
	return type == ICMP4_ECHO_REPLY || (type >= 8 && type <= 10) || (type >= 13 && type <= 18);
}

/**
 * icmp4_parse reads the header at p; len is the length of the message, of which at least min(len,
 * 8) bytes are at p. Returns ICMP4_HDR_LEN or WIRE_SHORT. The caller verifies the checksum.
 */
int icmp4_parse(const uint8_t *p, uint32_t len, struct icmp4_hdr *h);

/**
 * icmp4_parse_quote reads what follows the header of an error message: len bytes at p. Returns the
 * length of the quoted IP header; WIRE_SHORT if it and the first 8 bytes of its payload (RFC 792)
 * are not complete; WIRE_VERSION, WIRE_HEADER, WIRE_LENGTH as for ip4_parse, except that the total
 * length may exceed len. For a fragment other than the first, ports and sequence number are
 * meaningless.
 */
int icmp4_parse_quote(const uint8_t *p, uint32_t len, struct icmp4_quote *q);

/** icmp4_write writes a header with checksum 0. Returns ICMP4_HDR_LEN. */
uint16_t icmp4_write(uint8_t *p, const struct icmp4_hdr *h);

#endif
