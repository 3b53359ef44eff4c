/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

/* UDP headers (RFC 768). */

#include <stdint.h>

#include "wire/wire.h"

#define UDP_HDR_LEN   8
#define UDP_CKSUM_OFF 6

/** A header in host byte order. */
struct udp_hdr {
	uint16_t sport, dport;
	uint16_t len;      /* bytes of header and payload */
	uint16_t cksum_be; /* as on the wire; 0: no checksum */
};

/**
 * udp_parse reads the header at p; len is the length of the IP payload, of which at least min(len,
 * 8) bytes are at p. Returns UDP_HDR_LEN; WIRE_SHORT; or WIRE_LENGTH if the length field is below 8
 * or beyond len (it may be less than len: what follows is not part of the datagram).
 */
static inline int udp_parse(const uint8_t *p, uint32_t len, struct udp_hdr *h)
{
	if (len < UDP_HDR_LEN)
		return WIRE_SHORT;
	h->sport = wire_get16(p);
	h->dport = wire_get16(p + 2);
	h->len = wire_get16(p + 4);
	h->cksum_be = wire_get16_be(p + UDP_CKSUM_OFF);
	return h->len < UDP_HDR_LEN || h->len > len ? WIRE_LENGTH : UDP_HDR_LEN;
}

/** udp_write writes a header with checksum 0; h->cksum_be is not used. Returns UDP_HDR_LEN. */
uint16_t udp_write(uint8_t *p, const struct udp_hdr *h);

#endif
