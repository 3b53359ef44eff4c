/* SPDX-License-Identifier: BSD-2-Clause */
#include "arp.h"

#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>

#define ARP_LEN   (sizeof(struct rte_ether_hdr) + sizeof(struct rte_arp_hdr))
#define FRAME_MIN 60u

void load_arp_fill(struct rte_arp_hdr *arp, uint16_t op, const struct rte_ether_addr *mac,
                   uint32_t own, uint32_t target)
{
	arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = sizeof(arp->arp_data.arp_sha);
	arp->arp_plen = sizeof(arp->arp_data.arp_sip);
	arp->arp_opcode = rte_cpu_to_be_16(op);
	arp->arp_data.arp_sha = *mac;
	arp->arp_data.arp_sip = rte_cpu_to_be_32(own);
	arp->arp_data.arp_tip = rte_cpu_to_be_32(target);
}

static void send_arp(struct load *l, uint16_t op, const struct rte_ether_addr *to, uint32_t own,
                     uint32_t target)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	if (m == NULL)
		return;
	eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	memset(eth, 0, FRAME_MIN);
	if (to != NULL)
		eth->dst_addr = *to;
	else
		memset(&eth->dst_addr, 0xff, sizeof(eth->dst_addr));
	eth->src_addr = l->wire.mac;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	arp = (struct rte_arp_hdr *)(eth + 1);
	if (to != NULL)
		arp->arp_data.arp_tha = *to;
	load_arp_fill(arp, op, &l->wire.mac, own, target);
	out_push(&l->out, m, FRAME_MIN);
}

void load_arp_ask(struct load *l)
{
	send_arp(l, RTE_ARP_OP_REQUEST, NULL, l->wire.first,
	         rte_be_to_cpu_32(pc_addr_get_ip4(&l->next_hop)));
}

static void take_reply(struct load *l, const struct rte_arp_hdr *arp)
{
	if (l->wire.resolved || arp->arp_data.arp_sip != pc_addr_get_ip4(&l->next_hop))
		return;
	l->wire.peer_mac = arp->arp_data.arp_sha;
	l->wire.resolved = true;
	wire_init(&l->wire, (uint16_t)l->config->receive_window);
}

bool load_arp_input(struct load *l, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);
	struct rte_ether_addr from;
	uint32_t target, sender;

	if (m->data_len < sizeof(*eth) || eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_ARP))
		return false;
	if (m->data_len < ARP_LEN)
		return true;
	if (l->wire.ip6)
		return true;
	target = rte_be_to_cpu_32(arp->arp_data.arp_tip);
	sender = rte_be_to_cpu_32(arp->arp_data.arp_sip);
	if (arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY)) {
		take_reply(l, arp);
	} else if (arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST) && target != sender &&
	           target - l->wire.first < l->nb_sources) {
		from = arp->arp_data.arp_sha;
		send_arp(l, RTE_ARP_OP_REPLY, &from, target, sender);
	}
	return true;
}
