/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_FRAME6_H
#define SUPPORT_FRAME6_H

/* IPv6 frames made and read by hand, independently of lib/wire like those of frame.h. */

#include <percore/addr.h>

#include "frame.h"

/** The two ends of a packet. */
struct ends6 {
	uint8_t src_mac[6], dst_mac[6];
	struct pc_addr src, dst;
};

/** The contents of a frame, as found by frame6_read. */
struct info6 {
	struct ends6 ends;
	uint8_t tclass, hops;
	uint32_t label;
	bool alert; /* there was a hop-by-hop header with a router alert */
	bool fragment, more;
	uint16_t frag_off; /* bytes */
	uint32_t id;       /* as on the wire */
	uint8_t proto;     /* of the upper layer */
	const uint8_t *l4;
	uint32_t l4_len;
};

/** addr6 parses an address, which must be valid. */
struct pc_addr addr6(const char *text);

/** frame6_raw makes a packet with any payload, Next Header and hop limit. */
void frame6_raw(struct frame *f, const struct ends6 *e, uint8_t next, uint8_t hops,
                const void *payload, uint16_t len);

/** frame6_icmp makes an ICMPv6 message; body is what follows the checksum. */
void frame6_icmp(struct frame *f, const struct ends6 *e, uint8_t hops, uint8_t type, uint8_t code,
                 const void *body, uint16_t len);

/**
 * frame6_solicit makes a neighbour solicitation for e->dst from e->src_mac (RFC 4861 section 4.3).
 */
void frame6_solicit(struct frame *f, const struct ends6 *e);

/** frame6_udp makes a UDP datagram. */
void frame6_udp(struct frame *f, const struct ends6 *e, uint16_t sport, uint16_t dport,
                const void *payload, uint16_t len);

/**
 * frame6_insert inserts an extension header of n bytes after the fixed header; its first byte
 * becomes the old Next Header. Checksums need no change.
 */
void frame6_insert(struct frame *f, uint8_t kind, const void *header, uint16_t n);

/** frame6_sum is the sum of the pseudo-header (RFC 8200 section 8.1). */
uint32_t frame6_sum(const struct pc_addr *src, const struct pc_addr *dst, uint8_t proto,
                    uint32_t len);

/** frame6_read parses a sent frame and verifies lengths, version and transport checksum. Returns
 * NULL, or what is wrong with it. */
const char *frame6_read(const struct frame *f, struct info6 *info);

/* ---- between the families ---- */

/** addr6_of4 is the IPv6 address that stands for an IPv4 one: fd00::a.b.c.d. */
struct pc_addr addr6_of4(uint32_t ip4_be);

/**
 * frame_to6 turns an IPv4 packet without options into IPv6, with the same transport header and
 * payload; a correct checksum stays correct, a wrong one wrong. An ICMP error becomes its ICMPv6
 * counterpart, including the quote, with an MTU larger by 20. Other frames are left unchanged.
 */
void frame_to6(struct frame *f);

/** frame_to4 does the opposite for TCP and UDP. Returns NULL, or what is wrong with the frame. */
const char *frame_to4(struct frame *f);

#endif
