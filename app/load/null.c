/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a stateless server, which shows the limits of a test setup.  Every TCP segment with
 * data, a SYN or a FIN is sent back in place, with its contents acknowledged, as a perfect echo
 * server would answer.  Both directions use the same sequence numbers, from the SYN on, so no state
 * is needed to know where a byte belongs.  Data for port 9 is only acknowledged, once for each run of
 * a connection's segments in a burst, as a perfect discard server would.  Ports 19 and 80 are a
 * source (null_source.h) and a server of one file (null_http.h).  Datagrams and bare frames are
 * returned unchanged; ARP requests and solicitations for any address are answered with our MAC.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>

#include "load.h"
#include "nd.h"
#include "null_http.h"
#include "null_source.h"

/* Frames received at once. A burst of all requests that 64 clients have in flight would leave these
 * without work until it is answered. */
#define NULL_BURST   32
#define NULL_FLAGS   (RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG)
#define PORT_DISCARD RTE_BE16(9)
#define PORT_SOURCE  RTE_BE16(19)
#define PORT_HTTP    RTE_BE16(80)

struct null {
	struct null_sources sources;
	struct null_http http;
};

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
 * Turns len bytes of TCP into the answer, whose checksum is 0 if the caller must compute it.
 * Swapping addresses and ports does not change the sum. Returns the answer's length, 0 if there is
 * none.
 */
static uint32_t answer_tcp(struct rte_tcp_hdr *tcp, uint32_t len)
{
	uint32_t head = (uint32_t)(tcp->data_off >> 4) * 4, old_seq = tcp->sent_seq;
	uint32_t old_ack = tcp->recv_ack;
	uint8_t flags = tcp->tcp_flags;

	if (head > len || (len == head && (flags & NULL_FLAGS) == 0))
		return 0;
	tcp->recv_ack =
	    rte_cpu_to_be_32(rte_be_to_cpu_32(old_seq) + len - head + ((flags & NULL_FLAGS) != 0));
	if ((flags & NULL_FLAGS) != 0) {
		tcp->tcp_flags = flags | RTE_TCP_ACK_FLAG;
		tcp->cksum = 0;
	} else if (tcp->dst_port == PORT_DISCARD) {
		tcp->sent_seq = old_ack; /* of a server that sends nothing */
		tcp->tcp_flags = RTE_TCP_ACK_FLAG;
		tcp->cksum = 0;
		return head;
	} else {
		tcp->cksum =
		    adjust(tcp->cksum, wire_sum_words(old_ack), wire_sum_words(tcp->recv_ack));
	}
	return len;
}

static void swap_ports(void *l4)
{
	uint16_t *ports = l4, port = ports[0];

	ports[0] = ports[1];
	ports[1] = port;
}

/*
 * Turns a packet in room bytes into its answer. Returns how many of them the answer takes, fewer if
 * its data has been cut off; 0 if there is none.
 */
static uint32_t answer_ip4(struct rte_ipv4_hdr *ip, uint32_t room)
{
	const uint32_t head = sizeof(*ip);
	uint32_t total = rte_be_to_cpu_16(ip->total_length), address = ip->src_addr, len;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	bool is_tcp = ip->next_proto_id == IPPROTO_TCP;

	if (room < WIRE_LEN - WIRE_IP || ip->version_ihl != RTE_IPV4_VHL_DEF || total > room ||
	    total < head || (!is_tcp && ip->next_proto_id != IPPROTO_UDP))
		return 0;
	len = is_tcp ? answer_tcp(tcp, total - head) : total - head;
	if (len == 0)
		return 0;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = address;
	swap_ports(tcp);
	if (is_tcp && tcp->cksum == 0)
		tcp->cksum = wire_l4_sum(ip, tcp, len);
	if (head + len != total) {
		ip->total_length = rte_cpu_to_be_16((uint16_t)(head + len));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	}
	return room - (total - head - len);
}

/* Likewise. */
static uint32_t answer_ip6(struct rte_ipv6_hdr *ip, uint32_t room)
{
	const uint32_t head = sizeof(*ip);
	uint32_t total = rte_be_to_cpu_16(ip->payload_len), len;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	bool is_tcp = ip->proto == IPPROTO_TCP;
	uint8_t address[16];

	if (room < WIRE6_LEN - WIRE_IP || total + head > room ||
	    (!is_tcp && ip->proto != IPPROTO_UDP))
		return 0;
	len = is_tcp ? answer_tcp(tcp, total) : total;
	if (len == 0)
		return 0;
	memcpy(address, &ip->src_addr, sizeof(address));
	memcpy(&ip->src_addr, &ip->dst_addr, sizeof(address));
	memcpy(&ip->dst_addr, address, sizeof(address));
	swap_ports(tcp);
	if (is_tcp && tcp->cksum == 0)
		tcp->cksum = wire_l4_sum6(ip, tcp, len);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)len);
	return room - (total - len);
}

/* Turns a frame into its answer. Returns its length, 0 if there is none. */
static uint32_t answer_frame(const struct load *l, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	uint32_t room = m->data_len - (uint32_t)sizeof(*eth), len = room;

	if (m->data_len < sizeof(*eth))
		return 0;
	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		len = answer_ip4((struct rte_ipv4_hdr *)(eth + 1), room);
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6)) {
		if (load_nd_answer(eth, m->data_len, &l->wire.mac))
			return m->data_len;
		len = answer_ip6((struct rte_ipv6_hdr *)(eth + 1), room);
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP)) {
		if (room < sizeof(struct rte_arp_hdr) || !answer_arp(l, eth))
			return 0;
	}
	if (len == 0)
		return 0;
	eth->dst_addr = eth->src_addr;
	eth->src_addr = l->wire.mac;
	return (uint32_t)sizeof(*eth) + len;
}

/* Whether two frames belong to the same direction of a connection. */
static bool same_connection(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	const struct wire_head *x = rte_pktmbuf_mtod(a, const struct wire_head *);
	const struct wire_head *y = rte_pktmbuf_mtod(b, const struct wire_head *);
	const struct wire_head6 *x6 = (const struct wire_head6 *)x;
	const struct wire_head6 *y6 = (const struct wire_head6 *)y;

	/* addresses and ports lie side by side */
	if (x->eth.ether_type != y->eth.ether_type)
		return false;
	if (x->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return memcmp(&x->ip.src_addr, &y->ip.src_addr, 2 * 4 + 2 * 2) == 0;
	return memcmp(&x6->ip.src_addr, &y6->ip.src_addr, 2 * 16 + 2 * 2) == 0;
}

static void null_push(struct load *l, struct rte_mbuf *m, uint32_t len)
{
	l->n.answers++;
	out_push(&l->out, m, len);
}

/* Handles a segment that gets more than itself as an answer. Returns whether that was all. */
static bool answer_by_port(struct load *l, const struct rte_mbuf *m)
{
	const struct wire_head *h = rte_pktmbuf_mtod(m, const struct wire_head *);
	const struct wire_head6 *h6 = (const struct wire_head6 *)h;
	const bool ip6 = h->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
	const uint16_t port = ip6 ? h6->tcp.dst_port : h->tcp.dst_port;
	struct null *null = l->engine_state;
	struct null_view v;

	/* a first look, which costs the others nothing */
	if (likely(port != PORT_SOURCE && port != PORT_HTTP))
		return false;
	if (!null_look(&v, m))
		return false;
	if (port == PORT_SOURCE)
		return null_source_input(l, &null->sources, &v);
	return null_http_input(l, &null->http, &v);
}

static void null_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	struct rte_mbuf *ack = NULL; /* an acknowledgement that a later one may replace */
	uint32_t ack_len = 0;

	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		struct rte_mbuf *m = pkts[k];
		uint32_t len = answer_by_port(l, m) ? 0 : answer_frame(l, m);
		bool bare = len < m->data_len;

		if (len == 0) {
			out_recycle(&l->out, m);
			continue;
		}
		if (ack != NULL && bare && same_connection(ack, m))
			out_recycle(&l->out, ack);
		else if (ack != NULL)
			null_push(l, ack, ack_len);
		ack = bare ? m : NULL;
		ack_len = len;
		if (!bare)
			null_push(l, m, len);
	}
	if (ack != NULL)
		null_push(l, ack, ack_len);
}

static void null_quiet(struct load *l)
{
	struct null *null = l->engine_state;

	null_source_resume(l, &null->sources);
}

static void null_timers(struct load *l, uint64_t elapsed_ns)
{
	struct null *null = l->engine_state;

	null_source_timers(l, &null->sources, elapsed_ns);
}

static int null_init(struct load *l, char *why, size_t why_len)
{
	struct null *null = calloc(1, sizeof(*null));

	if (null == NULL) {
		snprintf(why, why_len, "not enough memory for %u connections", NULL_HTTP_CONNS);
		return -1;
	}
	null_http_init(&null->http);
	stream_count(&l->stream);
	l->engine_state = null;
	return 0;
}

const struct engine engine_null = {
    .init = null_init,
    .input = null_input,
    .quiet = null_quiet,
    .timers = null_timers,
    .burst = NULL_BURST,
};
