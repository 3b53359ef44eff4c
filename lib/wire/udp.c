/* SPDX-License-Identifier: BSD-2-Clause */

/* UDP headers; see udp.h. */

#include "wire/udp.h"

uint16_t udp_write(uint8_t *p, const struct udp_hdr *h)
{
	wire_put16(p, h->sport);
	wire_put16(p + 2, h->dport);
	wire_put16(p + 4, h->len);
	wire_put16_be(p + UDP_CKSUM_OFF, 0);
	return UDP_HDR_LEN;
}
