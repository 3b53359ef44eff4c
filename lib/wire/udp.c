/* SPDX-License-Identifier: BSD-2-Clause */

/* UDP headers; see udp.h. */

#include "wire/udp.h"

int udp_parse(const uint8_t *p, uint32_t len, struct udp_hdr *h)
{
	if (len < UDP_HDR_LEN)
		return WIRE_SHORT;
	h->sport = wire_get16(p);
	h->dport = wire_get16(p + 2);
	h->len = wire_get16(p + 4);
	h->cksum_be = wire_get16_be(p + UDP_CKSUM_OFF);
	return h->len < UDP_HDR_LEN || h->len > len ? WIRE_LENGTH : UDP_HDR_LEN;
}

uint16_t udp_write(uint8_t *p, const struct udp_hdr *h)
{
	wire_put16(p, h->sport);
	wire_put16(p + 2, h->dport);
	wire_put16(p + 4, h->len);
	wire_put16_be(p + UDP_CKSUM_OFF, 0);
	return UDP_HDR_LEN;
}
