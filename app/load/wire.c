/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

#include <string.h>

void wire_ip6_init(const struct wire *w, struct rte_ipv6_hdr *ip, uint8_t proto)
{
	ip->vtc_flow = RTE_BE32(6u << 28);
	ip->payload_len = 0;
	ip->proto = proto;
	ip->hop_limits = 64;
	memcpy(&ip->src_addr, w->first_addr.b, sizeof(ip->src_addr));
	memcpy(&ip->dst_addr, w->server_addr.b, sizeof(ip->dst_addr));
}

/* TCP's header and options. */
static void init_tcp(struct wire *w, struct rte_tcp_hdr *tcp, uint16_t window)
{
	static const uint8_t timestamp[4] = {1, 1, 8, 10}; /* NOP NOP kind length */
	uint32_t len = sizeof(*tcp) + (w->timestamps ? WIRE_OPTIONS : 0);

	tcp->dst_port = rte_cpu_to_be_16(w->port);
	tcp->rx_win = rte_cpu_to_be_16(window);
	tcp->data_off = (uint8_t)(len / 4 << 4);
	if (w->timestamps)
		memcpy(tcp + 1, timestamp, sizeof(timestamp));
	w->len = w->tcp_at + len;
}

static void init_ip4(struct wire *w, uint16_t window)
{
	struct wire_head *h = &w->head;

	memset(h, 0, sizeof(*h));
	h->ip.version_ihl = RTE_IPV4_VHL_DEF;
	h->ip.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	h->ip.time_to_live = 64;
	h->ip.next_proto_id = IPPROTO_TCP;
	h->ip.dst_addr = rte_cpu_to_be_32(w->server);
	w->tcp_at = WIRE_TCP;
	init_tcp(w, &h->tcp, window);
	w->ip_sum = stream_fold(wire_sum(&h->ip, sizeof(h->ip)));
	w->tcp_sum = stream_fold(wire_sum(&h->tcp, w->len - w->tcp_at) +
	                         wire_sum_words(h->ip.dst_addr) + (uint32_t)RTE_BE16(IPPROTO_TCP));
}

static void init_ip6(struct wire *w, uint16_t window)
{
	struct wire_head6 *h = &w->head6;

	memset(h, 0, sizeof(*h));
	wire_ip6_init(w, &h->ip, IPPROTO_TCP);
	w->tcp_at = WIRE6_TCP;
	init_tcp(w, &h->tcp, window);
	/* both addresses, except the last 32 bits of ours */
	w->tcp_sum =
	    stream_fold(wire_sum(&h->tcp, w->len - w->tcp_at) + wire_sum(&h->ip.src_addr, 12) +
	                wire_sum(&h->ip.dst_addr, 16) + (uint32_t)RTE_BE16(IPPROTO_TCP));
}

void wire_init(struct wire *w, uint16_t window)
{
	if (w->ip6)
		init_ip6(w, window);
	else
		init_ip4(w, window);
	w->head.eth.dst_addr = w->peer_mac;
	w->head.eth.src_addr = w->mac;
	w->head.eth.ether_type =
	    w->ip6 ? RTE_BE16(RTE_ETHER_TYPE_IPV6) : RTE_BE16(RTE_ETHER_TYPE_IPV4);
}

bool wire_ip_ok(const struct rte_ipv4_hdr *ip)
{
	return stream_fold(wire_sum(ip, sizeof(*ip))) == 0xffff;
}

/* The sum of the pseudo header and len bytes. */
static uint64_t l4_sum(const struct rte_ipv4_hdr *ip, const void *l4, uint32_t len)
{
	return wire_sum(l4, len) + wire_sum_words(ip->src_addr) + wire_sum_words(ip->dst_addr) +
	       ((uint32_t)ip->next_proto_id << 8) + rte_cpu_to_be_16((uint16_t)len);
}

bool wire_l4_ok(const struct rte_ipv4_hdr *ip, const void *l4, uint32_t len)
{
	return stream_fold(l4_sum(ip, l4, len)) == 0xffff;
}

uint16_t wire_l4_sum(const struct rte_ipv4_hdr *ip, const void *l4, uint32_t len)
{
	return (uint16_t)~stream_fold(l4_sum(ip, l4, len));
}

/* The sum of the pseudo header (RFC 8200 8.1) and len bytes. */
static uint64_t l4_sum6(const struct rte_ipv6_hdr *ip, const void *l4, uint32_t len)
{
	return wire_sum(l4, len) + wire_sum(&ip->src_addr, 2 * sizeof(ip->src_addr)) +
	       ((uint32_t)ip->proto << 8) + rte_cpu_to_be_16((uint16_t)len);
}

bool wire_l4_ok6(const struct rte_ipv6_hdr *ip, const void *l4, uint32_t len)
{
	return stream_fold(l4_sum6(ip, l4, len)) == 0xffff;
}

uint16_t wire_l4_sum6(const struct rte_ipv6_hdr *ip, const void *l4, uint32_t len)
{
	return (uint16_t)~stream_fold(l4_sum6(ip, l4, len));
}
