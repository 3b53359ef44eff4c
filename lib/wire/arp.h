/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

/* ARP packets for IPv4 over Ethernet (RFC 826). */

#include <stdint.h>

#include "wire/eth.h"
#include "wire/wire.h"

#define ARP_LEN     28
#define ARP_REQUEST 1
#define ARP_REPLY   2

/** A packet; IPv4 addresses stay in network byte order. */
struct arp_pkt {
	uint16_t op; /* ARP_REQUEST, ARP_REPLY, or any other value received */
	uint8_t sha[ETH_ADDR_LEN];
	uint8_t tha[ETH_ADDR_LEN];
	uint32_t spa_be, tpa_be;
};

/**
 * arp_parse reads the packet at p, of which len bytes are present (the padding of an Ethernet frame
 * may follow). Returns ARP_LEN; WIRE_SHORT; or WIRE_FORM if it is not for IPv4 over Ethernet. The
 * caller validates the addresses and the operation.
 */
int arp_parse(const uint8_t *p, uint32_t len, struct arp_pkt *a);

/** arp_write writes the ARP_LEN bytes of a packet, and returns their number. */
uint16_t arp_write(uint8_t *p, const struct arp_pkt *a);

#endif
