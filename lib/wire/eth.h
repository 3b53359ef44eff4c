/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ETH_H
#define WIRE_ETH_H

/* Ethernet II headers (IEEE 802.3 clause 3, RFC 894). */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "wire/wire.h"

#define ETH_ADDR_LEN 6
#define ETH_HDR_LEN  14

/* EtherTypes; a value below ETH_TYPE_MIN is the length of an 802.3 frame. */
#define ETH_TYPE_MIN  0x0600
#define ETH_TYPE_IP4  0x0800
#define ETH_TYPE_ARP  0x0806
#define ETH_TYPE_VLAN 0x8100
#define ETH_TYPE_IP6  0x86dd
#define ETH_TYPE_QINQ 0x88a8

/* IEEE 802.1Q: bytes of a tag, and the VLAN ID in its second word */
#define VLAN_TAG_LEN 4
#define VLAN_ID_MASK 0x0fff

/** A frame's header in host byte order. */
struct eth_hdr {
	uint8_t dst[ETH_ADDR_LEN];
	uint8_t src[ETH_ADDR_LEN];
	uint16_t type;
};

/** eth_is_group says whether a MAC address is multicast or broadcast. */
static inline bool eth_is_group(const uint8_t mac[ETH_ADDR_LEN])
{
	return (mac[0] & 1) != 0;
}

/** eth_equal says whether two MAC addresses are the same. */
static inline bool eth_equal(const uint8_t a[ETH_ADDR_LEN], const uint8_t b[ETH_ADDR_LEN])
{
	return wire_get32_be(a) == wire_get32_be(b) && wire_get16_be(a + 4) == wire_get16_be(b + 4);
}

/** eth_is_zero says whether a MAC address is 00:00:00:00:00:00, which no station has. */
static inline bool eth_is_zero(const uint8_t mac[ETH_ADDR_LEN])
{
	return wire_get32_be(mac) == 0 && wire_get16_be(mac + 4) == 0;
}

/** eth_set_broadcast sets a MAC address to ff:ff:ff:ff:ff:ff. */
static inline void eth_set_broadcast(uint8_t mac[ETH_ADDR_LEN])
{
	memset(mac, 0xff, ETH_ADDR_LEN);
}

/** eth_set_group sets a MAC address to that of an IPv4 multicast group (RFC 1112 section 6.4). */
static inline void eth_set_group(uint8_t mac[ETH_ADDR_LEN], uint32_t group_be)
{
	const uint32_t group = __builtin_bswap32(group_be);

	mac[0] = 0x01;
	mac[1] = 0x00;
	mac[2] = 0x5e;
	mac[3] = (uint8_t)((group >> 16) & 0x7f);
	wire_put16(mac + 4, (uint16_t)group);
}

/** eth_set_group6 sets a MAC address to that of an IPv6 multicast group (RFC 2464 section 7). */
static inline void eth_set_group6(uint8_t mac[ETH_ADDR_LEN], const uint8_t group[16])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

/** eth_parse reads a header from the len bytes at p. Returns ETH_HDR_LEN or WIRE_SHORT. */
static inline int eth_parse(const uint8_t *p, uint32_t len, struct eth_hdr *h)
{
	if (len < ETH_HDR_LEN)
		return WIRE_SHORT;
	memcpy(h->dst, p, ETH_ADDR_LEN);
	memcpy(h->src, p + 6, ETH_ADDR_LEN);
	h->type = wire_get16(p + 12);
	return ETH_HDR_LEN;
}

/** eth_write writes a header of ETH_HDR_LEN bytes, and returns that length. */
static inline uint16_t eth_write(uint8_t *p, const struct eth_hdr *h)
{
	memcpy(p, h->dst, ETH_ADDR_LEN);
	memcpy(p + 6, h->src, ETH_ADDR_LEN);
	wire_put16(p + 12, h->type);
	return ETH_HDR_LEN;
}

#endif
