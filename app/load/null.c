/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a stateless server, which shows the limits of a test setup.  Every TCP segment with
 * data, a SYN or a FIN is sent back in place, with its contents acknowledged, as a perfect echo
 * server would answer.  Both directions use the same sequence numbers, from the SYN on, so no state
 * is needed to know where a byte belongs.  Datagrams and bare frames are returned unchanged; ARP
 * requests and solicitations for any address are answered with our MAC.
 */
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>

#include "load.h"
#include "nd.h"

#define NULL_FLAGS (RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG)

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

/*
 * Turns len bytes of TCP into the answer. Returns 1 if the caller must compute its checksum, 0 if
 * it has been adjusted, -1 if there is no answer. Swapping addresses and ports does not change the
 * sum.
 */
static int answer_tcp(struct rte_tcp_hdr *tcp, uint32_t len)
{
	uint32_t head = (uint32_t)(tcp->data_off >> 4) * 4, old_seq = tcp->sent_seq;
	uint32_t old_ack = tcp->recv_ack;
	uint8_t flags = tcp->tcp_flags;

	if (head > len || (len == head && (flags & NULL_FLAGS) == 0))
		return -1;
	tcp->recv_ack =
	    rte_cpu_to_be_32(rte_be_to_cpu_32(old_seq) + len - head + ((flags & NULL_FLAGS) != 0));
	if ((flags & NULL_FLAGS) != 0) {
		tcp->tcp_flags = flags | RTE_TCP_ACK_FLAG;
		tcp->cksum = 0;
		return 1;
	}
	tcp->cksum = adjust(tcp->cksum, wire_sum_words(old_ack), wire_sum_words(tcp->recv_ack));
	return 0;
}

static void swap_ports(void *l4)
{
	uint16_t *ports = l4, port = ports[0];

	ports[0] = ports[1];
	ports[1] = port;
}

static bool answer_ip4(struct rte_ipv4_hdr *ip, uint32_t room)
{
	uint32_t total = rte_be_to_cpu_16(ip->total_length), address = ip->src_addr;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	int fresh = 0;

	if (room < WIRE_LEN - WIRE_IP || ip->version_ihl != RTE_IPV4_VHL_DEF || total > room ||
	    total < sizeof(*ip))
		return false;
	if (ip->next_proto_id == IPPROTO_TCP)
		fresh = answer_tcp(tcp, total - (uint32_t)sizeof(*ip));
	else if (ip->next_proto_id != IPPROTO_UDP)
		return false;
	if (fresh < 0)
		return false;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = address;
	swap_ports(tcp);
	if (fresh > 0)
		tcp->cksum = wire_l4_sum(ip, tcp, total - (uint32_t)sizeof(*ip));
	return true;
}

static bool answer_ip6(struct rte_ipv6_hdr *ip, uint32_t room)
{
	uint32_t len = rte_be_to_cpu_16(ip->payload_len);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint8_t address[16];
	int fresh = 0;

	if (room < WIRE6_LEN - WIRE_IP || len + sizeof(*ip) > room)
		return false;
	if (ip->proto == IPPROTO_TCP)
		fresh = answer_tcp(tcp, len);
	else if (ip->proto != IPPROTO_UDP)
		return false;
	if (fresh < 0)
		return false;
	memcpy(address, ip->src_addr, sizeof(address));
	memcpy(ip->src_addr, ip->dst_addr, sizeof(address));
	memcpy(ip->dst_addr, address, sizeof(address));
	swap_ports(tcp);
	if (fresh > 0)
		tcp->cksum = wire_l4_sum6(ip, tcp, len);
	return true;
}

/* Turns a frame into its answer. Returns false if it has none. */
static bool answer_frame(const struct load *l, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	uint32_t room = m->data_len - (uint32_t)sizeof(*eth);

	if (m->data_len < sizeof(*eth))
		return false;
	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		if (!answer_ip4((struct rte_ipv4_hdr *)(eth + 1), room))
			return false;
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6)) {
		if (load_nd_answer(eth, m->data_len, &l->wire.mac))
			return true;
		if (!answer_ip6((struct rte_ipv6_hdr *)(eth + 1), room))
			return false;
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP)) {
		if (room < sizeof(struct rte_arp_hdr) || !answer_arp(l, eth))
			return false;
	}
	eth->dst_addr = eth->src_addr;
	eth->src_addr = l->wire.mac;
	return true;
}

static void null_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		if (answer_frame(l, pkts[k])) {
			l->n.answers++;
			out_push(&l->out, pkts[k], pkts[k]->pkt_len);
		} else {
			out_recycle(&l->out, pkts[k]);
		}
	}
}

static int null_init(struct load *l, char *why, size_t why_len)
{
	(void)l;
	(void)why;
	(void)why_len;
	return 0;
}

const struct engine engine_null = {.init = null_init, .input = null_input};
