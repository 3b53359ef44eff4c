/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

#include <string.h>

void wire_init(struct wire *w, uint16_t window)
{
	static const uint8_t timestamp[4] = {1, 1, 8, 10}; /* NOP NOP kind length */
	struct wire_head *h = &w->head;

	memset(h, 0, sizeof(*h));
	h->eth.dst_addr = w->peer_mac;
	h->eth.src_addr = w->mac;
	h->eth.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	h->ip.version_ihl = RTE_IPV4_VHL_DEF;
	h->ip.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	h->ip.time_to_live = 64;
	h->ip.next_proto_id = IPPROTO_TCP;
	h->ip.dst_addr = rte_cpu_to_be_32(w->server);
	h->tcp.dst_port = rte_cpu_to_be_16(w->port);
	h->tcp.rx_win = rte_cpu_to_be_16(window);
	w->len = WIRE_LEN;
	if (w->timestamps) {
		memcpy(h->options, timestamp, sizeof(timestamp));
		w->len += WIRE_OPTIONS;
	}
	h->tcp.data_off = (uint8_t)((w->len - WIRE_TCP) / 4 << 4);
	w->ip_sum = stream_fold(wire_sum(&h->ip, sizeof(h->ip)));
	w->tcp_sum = stream_fold(wire_sum(&h->tcp, w->len - (uint32_t)WIRE_TCP) +
	                         wire_sum_words(h->ip.dst_addr) + (uint32_t)RTE_BE16(IPPROTO_TCP));
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
