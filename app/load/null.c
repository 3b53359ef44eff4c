/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a server without state: the limit of a bed.  Every TCP segment with data, a SYN or a FIN is
 * turned round in place, with what it carries acknowledged, as a perfect echo server's answer would look;
 * datagrams and bare frames go back as they are; whoever asks for any address gets ours.
 */
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>

#include "load.h"

#define NULL_FLAGS (RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG)

static void swap_addresses(struct rte_ipv4_hdr *ip, uint16_t *ports)
{
	uint32_t address = ip->src_addr;
	uint16_t port = ports[0];

	ip->src_addr = ip->dst_addr;
	ip->dst_addr = address;
	ports[0] = ports[1];
	ports[1] = port;
}

static bool answer_arp(const struct load *l, struct rte_ether_hdr *eth)
{
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	uint32_t target = arp->arp_data.arp_tip;

	if (arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST))
		return false;
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = l->wire.mac;
	arp->arp_data.arp_sip = target;
	return true;
}

/* The checksum after the words of two numbers have changed (RFC 1624). */
static uint16_t adjust(uint16_t checksum, uint32_t old_words, uint32_t new_words)
{
	/* ~m of a 16-bit word is 0xffff - m, and there are two of them */
	return (uint16_t)~stream_fold((uint64_t)(uint16_t)~checksum + 2 * UINT64_C(0xffff) -
	                              old_words + new_words);
}

static bool answer_tcp(struct rte_ipv4_hdr *ip, uint32_t room)
{
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint32_t total = rte_be_to_cpu_16(ip->total_length), head, len, old_seq, old_ack;
	uint8_t flags = tcp->tcp_flags;

	head = (uint32_t)sizeof(*ip) + (uint32_t)(tcp->data_off >> 4) * 4;
	if (total > room || head > total)
		return false;
	len = total - head;
	if (len == 0 && (flags & NULL_FLAGS) == 0)
		return false;
	swap_addresses(ip, &tcp->src_port);
	old_seq = tcp->sent_seq;
	old_ack = tcp->recv_ack;
	tcp->sent_seq = (flags & RTE_TCP_SYN_FLAG) != 0 ? 0 : old_ack;
	tcp->recv_ack =
	    rte_cpu_to_be_32(rte_be_to_cpu_32(old_seq) + len + ((flags & NULL_FLAGS) != 0));
	if ((flags & NULL_FLAGS) != 0) {
		tcp->tcp_flags = flags | RTE_TCP_ACK_FLAG;
		tcp->cksum = 0;
		tcp->cksum = wire_l4_sum(ip, tcp, total - (uint32_t)sizeof(*ip));
	} else {
		/* the number sent is the one acknowledged before: only the other one is new */
		tcp->cksum =
		    adjust(tcp->cksum, wire_sum_words(old_seq), wire_sum_words(tcp->recv_ack));
	}
	return true;
}

/* Turns a frame round. Returns false if it is not to be answered. */
static bool answer(const struct load *l, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		if (m->data_len < WIRE_LEN || ip->version_ihl != RTE_IPV4_VHL_DEF)
			return false;
		if (ip->next_proto_id == IPPROTO_UDP)
			swap_addresses(ip, (uint16_t *)(ip + 1));
		else if (ip->next_proto_id != IPPROTO_TCP ||
		         !answer_tcp(ip, m->data_len - (uint32_t)WIRE_IP))
			return false;
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP)) {
		if (m->data_len < sizeof(*eth) + sizeof(struct rte_arp_hdr) || !answer_arp(l, eth))
			return false;
	} else if (m->data_len < sizeof(*eth)) {
		return false;
	}
	eth->dst_addr = eth->src_addr;
	eth->src_addr = l->wire.mac;
	return true;
}

static void input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		if (answer(l, pkts[k])) {
			l->n.answers++;
			out_push(&l->out, pkts[k], pkts[k]->pkt_len);
		} else {
			out_recycle(&l->out, pkts[k]);
		}
	}
}

static int init(struct load *l, char *why, size_t why_len)
{
	(void)l;
	(void)why;
	(void)why_len;
	return 0;
}

const struct engine engine_null = {.init = init, .input = input};
