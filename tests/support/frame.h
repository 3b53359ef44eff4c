/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_FRAME_H
#define SUPPORT_FRAME_H

/*
 * Frames made and read by hand.
 *
 * Deliberately independent of lib/wire: a bug in a header writer there must not be mirrored by the
 * test that checks its output.  Only the struct of a segment and its printer are shared.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/tcp.h"

#define FRAME_MAX 2048

/** A frame as it is on the wire. */
struct frame {
	uint64_t at_ns; /* when it was sent */
	uint16_t len;
	uint8_t b[FRAME_MAX];
};

/** The two ends of a packet, in network byte order. */
struct frame_ends {
	uint8_t src_mac[6], dst_mac[6];
	uint32_t src_be, dst_be;
};

/** The contents of a frame, as found by frame_read. */
struct frame_info {
	struct frame_ends ends;
	uint16_t type; /* EtherType */
	uint8_t proto, ttl, tos;
	bool df, fragment, more;
	uint16_t frag_off, id; /* of an IPv4 packet; the former in bytes */
	uint16_t sport, dport; /* UDP */
	struct tcp_seg seg;    /* TCP */
	uint8_t icmp_type, icmp_code;
	const uint8_t *payload; /* of TCP, UDP or ICMP (after its 8 bytes), in the frame */
	uint32_t payload_len;
};

/** frame_sum is the ones' complement sum of bytes (RFC 1071), not folded; start with 0. */
uint32_t frame_sum(const void *data, size_t len, uint32_t sum);

/** frame_fold turns a sum into a checksum. */
uint16_t frame_fold(uint32_t sum);

/** frame_l4_sum is the sum of an IPv4 packet's pseudo-header. */
uint32_t frame_l4_sum(uint32_t src_be, uint32_t dst_be, uint8_t proto, uint16_t len);

/**
 * frame_tcp makes a TCP segment. raw, if not NULL, are raw_len bytes of options used as they are
 * (padded by zeros to a multiple of 4); else the options are those of s->has.
 */
void frame_tcp(struct frame *f, const struct frame_ends *e, const struct tcp_seg *s,
               const uint8_t *payload, const uint8_t *raw, uint8_t raw_len);

/** frame_udp makes a UDP datagram. */
void frame_udp(struct frame *f, const struct frame_ends *e, uint16_t sport, uint16_t dport,
               const void *payload, uint16_t len);

/** frame_icmp makes an ICMP message; rest are the 4 bytes after the checksum. */
void frame_icmp(struct frame *f, const struct frame_ends *e, uint8_t type, uint8_t code,
                const uint8_t rest[4], const void *payload, uint16_t len);

/** frame_arp makes an ARP request (op 1) or reply (op 2). */
void frame_arp(struct frame *f, const struct frame_ends *e, uint16_t op, const uint8_t *target_mac);

/** frame_fix_ip4 recomputes the IPv4 header checksum after a change by hand. */
void frame_fix_ip4(struct frame *f);

/**
 * frame_read parses a sent frame and verifies everything that a receiver may rely on: lengths,
 * versions, checksums, option padding. Returns NULL, or what is wrong with it.
 */
const char *frame_read(const struct frame *f, struct frame_info *info);

#endif
