/* SPDX-License-Identifier: BSD-2-Clause */

/* ARP packets: RFC 826's fields, with the lengths and types of IPv4 over Ethernet fixed. */

#include "wire/arp.h"

#define HTYPE_ETHERNET 1

int arp_parse(const uint8_t *p, uint32_t len, struct arp_pkt *a)
{
	if (len < ARP_LEN)
		return WIRE_SHORT;
	if (wire_get16(p) != HTYPE_ETHERNET || wire_get16(p + 2) != ETH_TYPE_IP4 ||
	    p[4] != ETH_ADDR_LEN || p[5] != 4)
		return WIRE_FORM;
	a->op = wire_get16(p + 6);
	memcpy(a->sha, p + 8, ETH_ADDR_LEN);
	a->spa_be = wire_get32_be(p + 14);
	memcpy(a->tha, p + 18, ETH_ADDR_LEN);
	a->tpa_be = wire_get32_be(p + 24);
	return ARP_LEN;
}

uint16_t arp_write(uint8_t *p, const struct arp_pkt *a)
{
	wire_put16(p, HTYPE_ETHERNET);
	wire_put16(p + 2, ETH_TYPE_IP4);
	p[4] = ETH_ADDR_LEN;
	p[5] = 4;
	wire_put16(p + 6, a->op);
	memcpy(p + 8, a->sha, ETH_ADDR_LEN);
	wire_put32_be(p + 14, a->spa_be);
	memcpy(p + 18, a->tha, ETH_ADDR_LEN);
	wire_put32_be(p + 24, a->tpa_be);
	return ARP_LEN;
}
