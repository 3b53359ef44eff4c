/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: datagrams that an echo service sends back.  A flow is an entry of the same table as a TCP
 * connection; its datagrams are numbered and carry the time from which they are timed.  nxt is the
 * number of the next one to send, rcv that of the next one to come: a gap is a loss, and so is what has
 * not come for a while.
 */
#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>

#include "arp.h"
#include "tcp.h"

#define UDP_MAGIC    0x70634c44u
#define UDP_PATIENCE 4u /* ticks */
#define UDP_BURST    64u

struct payload {
	uint32_t magic, flow, seq;
	uint32_t run;
	uint64_t time;
} __attribute__((packed));

struct udp_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	struct payload payload;
} __attribute__((packed, aligned(2)));

#define UDP_HEAD sizeof(struct udp_frame)

static uint32_t filler(const struct load *l)
{
	return (uint32_t)(l->config->size - sizeof(struct payload));
}

static void send_datagram(struct load *l, struct client *c, uint32_t i, uint64_t time)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint32_t more = filler(l), len = (uint32_t)(sizeof(struct rte_udp_hdr) + l->config->size);
	struct udp_frame *f;

	if (m == NULL)
		return;
	f = rte_pktmbuf_mtod(m, struct udp_frame *);
	memcpy(f, &l->wire.head, sizeof(f->eth) + sizeof(f->ip));
	f->ip.next_proto_id = IPPROTO_UDP;
	f->ip.src_addr = rte_cpu_to_be_32(client_address(l, i));
	f->ip.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(f->ip) + len));
	f->ip.hdr_checksum = 0;
	f->ip.hdr_checksum = (uint16_t)~stream_fold(wire_sum(&f->ip, sizeof(f->ip)));
	f->udp.src_port = rte_cpu_to_be_16(client_port(l, i));
	f->udp.dst_port = rte_cpu_to_be_16(l->wire.port);
	f->udp.dgram_len = rte_cpu_to_be_16((uint16_t)len);
	f->udp.dgram_cksum = 0;
	f->payload = (struct payload){UDP_MAGIC, i, c->nxt, (uint32_t)l->config->seed, time};
	memcpy(f + 1, stream_at(&l->stream, c->nxt), more);
	f->udp.dgram_cksum = wire_l4_sum(&f->ip, &f->udp, len);
	if (f->udp.dgram_cksum == 0)
		f->udp.dgram_cksum = 0xffff; /* RFC 768: 0 would say that there is none */
	if (c->nxt == c->rcv)
		c->tick = l->tick % CLIENT_TICKS;
	c->nxt++;
	out_push(&l->out, m, (uint32_t)(UDP_HEAD + more));
}

static void send_more(struct load *l, struct client *c, uint32_t i)
{
	while (c->nxt - c->rcv < l->config->depth && out_backlog(&l->out) < OUT_FULL)
		send_datagram(l, c, i, l->now);
}

static void take_answer(struct load *l, struct client *c, uint32_t i, const struct payload *p)
{
	uint32_t gap = p->seq - c->rcv;

	if (gap >= c->nxt - c->rcv) {
		/* one that has been given up, or one that has come before */
		l->faults.out_of_order++;
		if (l->faults.lost > 0)
			l->faults.lost--;
		return;
	}
	l->faults.lost += gap;
	c->rcv = p->seq + 1;
	c->tick = l->tick % CLIENT_TICKS;
	l->n.answers++;
	if (l->measuring)
		hist_add(&l->latency, l->now - p->time);
	if (l->asking && l->config->rate == 0)
		send_more(l, c, i);
}

static bool is_answer(const struct load *l, const struct rte_mbuf *m)
{
	const struct udp_frame *f = rte_pktmbuf_mtod(m, const struct udp_frame *);

	return m->data_len >= UDP_HEAD && f->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	       f->ip.version_ihl == RTE_IPV4_VHL_DEF && f->ip.next_proto_id == IPPROTO_UDP &&
	       f->udp.src_port == rte_cpu_to_be_16(l->wire.port) &&
	       f->ip.src_addr == l->wire.head.ip.dst_addr;
}

static void input_frame(struct load *l, const struct rte_mbuf *m)
{
	const struct udp_frame *f = rte_pktmbuf_mtod(m, const struct udp_frame *);
	uint32_t i, len;

	if (!is_answer(l, m)) {
		if (!load_arp_input(l, m))
			l->faults.stray++;
		return;
	}
	i = client_find(l, rte_be_to_cpu_32(f->ip.dst_addr), rte_be_to_cpu_16(f->udp.dst_port));
	len = rte_be_to_cpu_16(f->udp.dgram_len);
	if (i == UINT32_MAX || f->payload.run != (uint32_t)l->config->seed) {
		l->faults.stray++;
	} else if (m->nb_segs > 1 || len != sizeof(f->udp) + l->config->size ||
	           UDP_HEAD + filler(l) > m->data_len || !wire_ip_ok(&f->ip) ||
	           (f->udp.dgram_cksum != 0 && !wire_l4_ok(&f->ip, &f->udp, len))) {
		l->faults.checksum++;
	} else if (f->payload.magic != UDP_MAGIC || f->payload.flow != i ||
	           memcmp(f + 1, stream_at(&l->stream, f->payload.seq), filler(l)) != 0) {
		l->faults.wrong++;
	} else {
		take_answer(l, &l->clients[i], i, &f->payload);
	}
}

static void input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		input_frame(l, pkts[k]);
		out_recycle(&l->out, pkts[k]);
	}
}

/* An open loop: datagram k is due at the k-th multiple of an interval and is timed from then. */
static void pace(struct load *l)
{
	uint64_t rate = l->config->rate, n = l->config->conns;
	uint64_t want =
	    (uint64_t)((unsigned __int128)(l->now - l->pace_from) * rate / LOAD_SECOND_NS);

	for (uint32_t k = 0; k < UDP_BURST && l->paced < want; k++, l->paced++) {
		uint64_t after = (uint64_t)((unsigned __int128)l->paced * LOAD_SECOND_NS / rate);
		uint32_t i = (uint32_t)(l->paced % n);

		send_datagram(l, &l->clients[i], i, l->pace_from + after);
	}
}

static void udp_step(struct load *l)
{
	if (l->config->rate > 0) {
		pace(l);
		return;
	}
	for (; l->next_ask < l->config->conns && out_backlog(&l->out) < LOAD_DIRECT; l->next_ask++)
		send_more(l, &l->clients[l->next_ask], l->next_ask);
}

static bool plan_nothing(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	(void)l;
	(void)c;
	(void)i;
	(void)n;
	return false;
}

const struct plan plan_udp = {.step = udp_step, .answered = plan_nothing};

static void udp_timers(struct load *l, uint64_t elapsed_ns)
{
	struct client *c;

	(void)elapsed_ns;
	if (l->tick == l->scan) /* once a tick */
		return;
	l->scan = l->tick;
	for (uint32_t i = 0; i < l->nb_clients; i++) {
		c = &l->clients[i];
		if (c->nxt == c->rcv || client_idle(c, l->tick) < UDP_PATIENCE)
			continue;
		l->faults.lost += c->nxt - c->rcv;
		c->rcv = c->nxt;
		if (l->asking && l->config->rate == 0)
			send_more(l, c, i);
	}
}

static int udp_init(struct load *l, char *why, size_t why_len)
{
	if (l->config->size < sizeof(struct payload) || l->config->size > 1472) {
		snprintf(why, why_len, "mode udp takes a size of %zu to 1472 bytes",
		         sizeof(struct payload));
		return -1;
	}
	if (l->config->conns * l->config->depth > LOAD_DIRECT) {
		snprintf(why, why_len, "mode udp takes up to %u datagrams under way: conns x depth",
		         LOAD_DIRECT);
		return -1;
	}
	stream_random(&l->stream, l->config->seed);
	return client_make_table(l, why, why_len);
}

const struct engine engine_udp = {
    .init = udp_init,
    .input = input,
    .timers = udp_timers,
    .resolves = true,
};
