/* SPDX-License-Identifier: BSD-2-Clause */
#include "null_source.h"

#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#define PORT_SOURCE RTE_BE16(19)
#define SILENT_NS   (100 * UINT64_C(1000000)) /* without progress, then everything again */
#define HEAD_MAX    (WIRE6_LEN + WIRE_OPTIONS)

struct null_stream {
	bool used, ip6, times;
	uint8_t tcp_at, len; /* of the headers */
	uint8_t scale, dups;
	uint32_t ip_sum, tcp_sum; /* of the headers' constant words; TCP's with its timestamps */
	uint32_t mss;
	uint32_t base, una, next, limit; /* sequence numbers */
	uint64_t silent_ns;
	uint8_t head[HEAD_MAX]; /* of its segments, except lengths, sequence number, checksums */
};

struct null_streams {
	struct null_stream streams[NULL_STREAMS];
};

/* A frame to port 19, or one of its segments. */
struct view {
	const struct rte_tcp_hdr *tcp;
	const uint8_t *addresses; /* source, then destination */
	uint32_t address_len, len, tcp_at;
	bool ip6;
};

/* Finds the TCP header. Returns false if the frame is not for port 19. */
static bool look(struct view *v, const struct rte_mbuf *m)
{
	const struct wire_head *h = rte_pktmbuf_mtod(m, const struct wire_head *);
	const struct wire_head6 *h6 = (const struct wire_head6 *)h;

	v->ip6 = h->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
	if (m->data_len < (v->ip6 ? WIRE6_LEN : WIRE_LEN))
		return false;
	if (v->ip6 && h6->ip.proto == IPPROTO_TCP) {
		v->len = rte_be_to_cpu_16(h6->ip.payload_len);
		v->addresses = h6->ip.src_addr;
	} else if (h->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	           h->ip.next_proto_id == IPPROTO_TCP && h->ip.version_ihl == RTE_IPV4_VHL_DEF) {
		v->len = rte_be_to_cpu_16(h->ip.total_length) - (uint32_t)sizeof(h->ip);
		v->addresses = (const uint8_t *)&h->ip.src_addr;
	} else {
		return false;
	}
	v->tcp_at = v->ip6 ? WIRE6_TCP : WIRE_TCP;
	v->address_len = v->ip6 ? 16 : 4;
	v->tcp = (const struct rte_tcp_hdr *)((const uint8_t *)h + v->tcp_at);
	return v->tcp->dst_port == PORT_SOURCE && v->len <= m->data_len - v->tcp_at;
}

static struct null_stream *place_of(const struct load *l, const struct view *v)
{
	struct null_streams *all = l->engine_state;

	return &all->streams[rte_be_to_cpu_16(v->tcp->src_port) % NULL_STREAMS];
}

/* Whether a frame comes from the stream's client. */
static bool belongs(const struct null_stream *s, const struct view *v)
{
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(s->head + s->tcp_at);
	const uint8_t *client = s->head + s->tcp_at - v->address_len;

	return s->used && s->ip6 == v->ip6 && tcp->dst_port == v->tcp->src_port &&
	       memcmp(client, v->addresses, v->address_len) == 0;
}

/* Reads a SYN's options: the client's are the server's too, as its SYN is sent back. */
static void read_syn(struct null_stream *s, const struct segment *in)
{
	s->mss = 536; /* RFC 9293 3.7.1 */
	for (const uint8_t *p = wire_option(in, NULL); p != NULL; p = wire_option(in, p)) {
		if (p[0] == 2 && p[1] == 4)
			s->mss = (uint32_t)p[2] << 8 | p[3];
		else if (p[0] == 3 && p[1] == 3)
			s->scale = p[2] < 14 ? p[2] : 14;
		else if (p[0] == 8 && p[1] == 10)
			s->times = true;
	}
	if (s->times)
		s->mss -= WIRE_OPTIONS;
	s->mss = RTE_MAX(RTE_MIN(s->mss, STREAM_PIECE), 64u);
}

/* Makes the headers of the server's segments out of those of the client's SYN. */
static void head_from_syn(const struct load *l, struct null_stream *s, const struct view *v,
                          const uint8_t *frame)
{
	static const uint8_t timestamp[4] = {1, 1, 8, 10}; /* NOP NOP kind length */
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)s->head;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(s->head + v->tcp_at);
	uint8_t *addresses = s->head + (v->addresses - frame);

	s->ip6 = v->ip6;
	s->tcp_at = (uint8_t)v->tcp_at;
	s->len = (uint8_t)(v->tcp_at + sizeof(*tcp) + (s->times ? WIRE_OPTIONS : 0));
	memcpy(s->head, frame, v->tcp_at);
	eth->dst_addr = eth->src_addr;
	eth->src_addr = l->wire.mac;
	memcpy(addresses, v->addresses + v->address_len, v->address_len);
	memcpy(addresses + v->address_len, v->addresses, v->address_len);
	if (!v->ip6) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

		ip->total_length = ip->hdr_checksum = 0;
		s->ip_sum = stream_fold(wire_sum(ip, sizeof(*ip)));
	}
	*tcp = (struct rte_tcp_hdr){
	    .src_port = PORT_SOURCE,
	    .dst_port = v->tcp->src_port,
	    .recv_ack = rte_cpu_to_be_32(s->base),
	    .data_off = (uint8_t)((s->len - v->tcp_at) / 4 << 4),
	    .tcp_flags = RTE_TCP_ACK_FLAG,
	    .rx_win = UINT16_MAX,
	};
	if (s->times)
		memcpy(tcp + 1, timestamp, sizeof(timestamp));
	s->tcp_sum =
	    stream_fold(wire_sum(tcp, s->len - v->tcp_at) +
	                wire_sum(addresses, 2 * v->address_len) + (uint32_t)RTE_BE16(IPPROTO_TCP));
}

static void begin(const struct load *l, struct null_stream *s, const struct view *v,
                  const struct rte_mbuf *m, const struct segment *in)
{
	*s = (struct null_stream){.used = true, .base = in->seq + 1};
	s->una = s->next = s->limit = s->base; /* until the handshake's last acknowledgement */
	read_syn(s, in);
	head_from_syn(l, s, v, rte_pktmbuf_mtod(m, const uint8_t *));
}

/* The client's clock is both clocks. */
static void note_time(struct null_stream *s, const struct segment *in)
{
	uint8_t *to = s->head + s->len - 8;
	const uint8_t *p = (const uint8_t *)(in->tcp + 1);

	if (!s->times || in->options < WIRE_OPTIONS || p[2] != 8)
		return;
	s->tcp_sum =
	    stream_fold((uint64_t)s->tcp_sum + 2 * UINT64_C(0xffff) - stream_fold(wire_sum(to, 8)));
	memcpy(to, p + 4, 4);
	memcpy(to + 4, p + 4, 4);
	s->tcp_sum = stream_fold(s->tcp_sum + wire_sum(to, 8));
}

static void send_piece(struct load *l, const struct null_stream *s, uint32_t len)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint32_t tcp_len = s->len - s->tcp_at + len, at = s->next - s->base;
	struct rte_tcp_hdr *tcp;
	uint8_t *frame;

	if (unlikely(m == NULL))
		return; /* the timer repeats it */
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(frame, s->head, s->len);
	if (s->ip6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + WIRE_IP);

		ip->payload_len = rte_cpu_to_be_16((uint16_t)tcp_len);
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + WIRE_IP);

		ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + tcp_len));
		ip->hdr_checksum = (uint16_t)~stream_fold(s->ip_sum + ip->total_length);
	}
	tcp = (struct rte_tcp_hdr *)(frame + s->tcp_at);
	tcp->sent_seq = rte_cpu_to_be_32(s->next);
	tcp->cksum = (uint16_t)~stream_fold((uint64_t)s->tcp_sum + wire_sum_words(tcp->sent_seq) +
	                                    rte_cpu_to_be_16((uint16_t)tcp_len) +
	                                    stream_sum(&l->stream, at, len));
	memcpy(frame + s->len, stream_at(&l->stream, at), len);
	out_push(&l->out, m, s->len + len);
	l->n.answers++;
}

/* Sends what the window permits: full segments, shorter ones only if nothing is under way. */
static void send_more(struct load *l, struct null_stream *s)
{
	while ((int32_t)(s->limit - s->next) > 0 && out_backlog(&l->out) < OUT_HIGH) {
		uint32_t len = RTE_MIN(s->mss, s->limit - s->next);

		if (len < s->mss && s->next != s->una)
			return;
		send_piece(l, s, len);
		s->next += len;
	}
}

static void acknowledged(struct load *l, struct null_stream *s, const struct segment *in)
{
	if ((int32_t)(in->ack - s->una) < 0)
		return;
	if (in->ack != s->una) {
		s->una = in->ack;
		s->silent_ns = 0;
		s->dups = 0;
		if ((int32_t)(s->una - s->next) > 0)
			s->next = s->una; /* it had gone back too far */
	} else if (s->next != s->una && s->dups < 3 && ++s->dups == 3) {
		s->next = s->una; /* go-back-N */
	}
	s->limit = s->una + (in->wnd << s->scale);
	note_time(s, in);
	send_more(l, s);
}

bool null_source_input(struct load *l, const struct rte_mbuf *m)
{
	struct null_stream *s;
	struct segment in;
	struct view v;

	if (!look(&v, m) || !wire_parse(&in, v.tcp, v.len))
		return false;
	s = place_of(l, &v);
	if ((in.flags & RTE_TCP_SYN_FLAG) != 0) {
		begin(l, s, &v, m, &in);
		return false;
	}
	if (!belongs(s, &v))
		return false;
	if ((in.flags & (RTE_TCP_FIN_FLAG | RTE_TCP_RST_FLAG)) != 0) {
		s->used = false;
		return false;
	}
	acknowledged(l, s, &in);
	return true;
}

void null_source_resume(struct load *l)
{
	struct null_streams *all = l->engine_state;

	for (uint32_t i = 0; i < NULL_STREAMS; i++)
		if (all->streams[i].used)
			send_more(l, &all->streams[i]);
}

void null_source_timers(struct load *l, uint64_t elapsed_ns)
{
	struct null_streams *all = l->engine_state;

	for (uint32_t i = 0; i < NULL_STREAMS; i++) {
		struct null_stream *s = &all->streams[i];

		if (!s->used || s->next == s->una)
			continue;
		s->silent_ns += elapsed_ns;
		if (s->silent_ns < SILENT_NS)
			continue;
		s->silent_ns = 0;
		s->dups = 0;
		s->next = s->una;
		send_more(l, s);
	}
}

int null_source_init(struct load *l, char *why, size_t why_len)
{
	l->engine_state = calloc(1, sizeof(struct null_streams));
	if (l->engine_state == NULL) {
		snprintf(why, why_len, "not enough memory for %u streams", NULL_STREAMS);
		return -1;
	}
	stream_count(&l->stream);
	return 0;
}
