/* SPDX-License-Identifier: BSD-2-Clause */
#include "null_reply.h"

#include <string.h>

#include <rte_byteorder.h>

bool null_look(struct null_view *v, const struct rte_mbuf *m)
{
	const struct wire_head *h = rte_pktmbuf_mtod(m, const struct wire_head *);
	const struct wire_head6 *h6 = (const struct wire_head6 *)h;
	uint32_t len;

	v->frame = (const uint8_t *)h;
	v->ip6 = h->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
	if (m->data_len < (v->ip6 ? WIRE6_LEN : WIRE_LEN))
		return false;
	if (v->ip6 && h6->ip.proto == IPPROTO_TCP) {
		len = rte_be_to_cpu_16(h6->ip.payload_len);
		v->addresses = (const uint8_t *)&h6->ip.src_addr;
	} else if (h->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	           h->ip.next_proto_id == IPPROTO_TCP && h->ip.version_ihl == RTE_IPV4_VHL_DEF) {
		len = rte_be_to_cpu_16(h->ip.total_length) - (uint32_t)sizeof(h->ip);
		v->addresses = (const uint8_t *)&h->ip.src_addr;
	} else {
		return false;
	}
	v->tcp_at = v->ip6 ? WIRE6_TCP : WIRE_TCP;
	v->address_len = v->ip6 ? 16 : 4;
	return len <= (uint32_t)m->data_len - v->tcp_at &&
	       wire_parse(&v->in, (const struct rte_tcp_hdr *)(v->frame + v->tcp_at), len);
}

bool null_comes_from(const struct null_view *v, const struct null_head *h)
{
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(h->bytes + h->tcp_at);
	const uint8_t *client = h->bytes + h->tcp_at - v->address_len;

	return h->ip6 == v->ip6 && tcp->dst_port == v->in.tcp->src_port &&
	       memcmp(client, v->addresses, v->address_len) == 0;
}

void null_head_make(const struct load *l, struct null_head *h, const struct null_view *v,
                    uint32_t ack, bool times)
{
	static const uint8_t timestamp[4] = {1, 1, 8, 10}; /* NOP NOP kind length */
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)h->bytes;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(h->bytes + v->tcp_at);
	uint8_t *addresses = h->bytes + (v->addresses - v->frame);

	h->ip6 = v->ip6;
	h->times = times;
	h->tcp_at = v->tcp_at;
	h->len = (uint8_t)(v->tcp_at + sizeof(*tcp) + (times ? WIRE_OPTIONS : 0));
	memcpy(h->bytes, v->frame, v->tcp_at);
	eth->dst_addr = eth->src_addr;
	eth->src_addr = l->wire.mac;
	memcpy(addresses, v->addresses + v->address_len, v->address_len);
	memcpy(addresses + v->address_len, v->addresses, v->address_len);
	if (!v->ip6) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

		ip->total_length = ip->hdr_checksum = 0;
		h->ip_sum = stream_fold(wire_sum(ip, sizeof(*ip)));
	}
	*tcp = (struct rte_tcp_hdr){
	    .src_port = v->in.tcp->dst_port,
	    .dst_port = v->in.tcp->src_port,
	    .recv_ack = rte_cpu_to_be_32(ack),
	    .data_off = (uint8_t)((h->len - v->tcp_at) / 4 << 4),
	    .rx_win = UINT16_MAX,
	};
	if (times) {
		memcpy(tcp + 1, timestamp, sizeof(timestamp));
		memset((uint8_t *)(tcp + 1) + 4, 0, 8);
	}
	h->tcp_sum =
	    stream_fold(wire_sum(tcp, h->len - v->tcp_at) +
	                wire_sum(addresses, 2 * v->address_len) + (uint32_t)RTE_BE16(IPPROTO_TCP));
	null_head_note_time(h, &v->in);
}

void null_head_note_time(struct null_head *h, const struct segment *in)
{
	uint8_t *to = h->bytes + h->len - 8;
	const uint8_t *p = (const uint8_t *)(in->tcp + 1);

	if (!h->times || in->options < WIRE_OPTIONS || p[2] != 8)
		return;
	h->tcp_sum =
	    stream_fold((uint64_t)h->tcp_sum + 2 * UINT64_C(0xffff) - stream_fold(wire_sum(to, 8)));
	memcpy(to, p + 4, 4);
	memcpy(to + 4, p + 4, 4);
	h->tcp_sum = stream_fold(h->tcp_sum + wire_sum(to, 8));
}

void null_send(struct load *l, const struct null_head *h, uint32_t seq, uint8_t flags,
               const uint8_t *data, uint32_t len, uint32_t data_sum)
{
	const uint32_t tcp_len = h->len - h->tcp_at + len;
	struct rte_mbuf *m = out_mbuf(&l->out);
	struct rte_tcp_hdr *tcp;
	uint8_t *frame;

	if (unlikely(m == NULL))
		return;
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(frame, h->bytes, sizeof(h->bytes));
	if (h->ip6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + WIRE_IP);

		ip->payload_len = rte_cpu_to_be_16((uint16_t)tcp_len);
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + WIRE_IP);

		ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + tcp_len));
		ip->hdr_checksum = (uint16_t)~stream_fold(h->ip_sum + ip->total_length);
	}
	tcp = (struct rte_tcp_hdr *)(frame + h->tcp_at);
	tcp->sent_seq = rte_cpu_to_be_32(seq);
	tcp->tcp_flags = flags;
	tcp->cksum = (uint16_t)~stream_fold((uint64_t)h->tcp_sum + wire_sum_words(tcp->sent_seq) +
	                                    ((uint32_t)flags << 8) +
	                                    rte_cpu_to_be_16((uint16_t)tcp_len) + data_sum);
	memcpy(frame + h->len, data, len);
	out_push(&l->out, m, h->len + len);
	l->n.answers++;
}
