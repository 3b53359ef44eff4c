/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: datagrams that an echo service sends back.  A flow is an entry of the same table as a
 * TCP connection; its datagrams are numbered and carry the time from which they are timed.  nxt is
 * the number of the next one to send, rcv that of the next one to receive: a gap is a loss, and so
 * is what has not arrived for a while.  mark and una are a bitmap of the last 64 before rcv: bit k
 * of mark:una is set if number rcv - 1 - k is missing, so that a late datagram can be distinguished
 * from a duplicate.
 */
#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>

#include "arp.h"
#include "nd.h"
#include "tcp.h"

#define UDP_MAGIC    0x70634c44u
#define UDP_PATIENCE 4u /* ticks */
#define UDP_BURST    64u
#define UDP_SIZE_MAX 1472u
#define UDP_MAP      64u

struct payload {
	uint32_t magic, flow, seq;
	uint32_t run;
	uint64_t time;
} __attribute__((packed));

/* What follows the IP header. */
struct datagram {
	struct rte_udp_hdr udp;
	struct payload payload;
} __attribute__((packed, aligned(2)));

/* Returns how many bytes follow the payload header in datagram number seq. */
static uint32_t filler(const struct load *l, uint32_t seq)
{
	uint64_t size = l->sizes != NULL ? sizes_at(l->sizes, seq) : l->config->size;

	return (uint32_t)(size - sizeof(struct payload));
}

/* Writes the IP header for len bytes from connection i. Returns where they go. */
static struct datagram *put_udp_ip(const struct load *l, uint8_t *frame, uint32_t i, uint32_t len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + WIRE_IP);
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)(frame + WIRE_IP);
	uint32_t source = rte_cpu_to_be_32(client_address(l, i));

	memcpy(frame, &l->wire.head, l->wire.tcp_at);
	if (l->wire.ip6) {
		ip6->proto = IPPROTO_UDP;
		wire_set_low(&ip6->src_addr, source);
		ip6->payload_len = rte_cpu_to_be_16((uint16_t)len);
	} else {
		ip->next_proto_id = IPPROTO_UDP;
		ip->src_addr = source;
		ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + len));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = (uint16_t)~stream_fold(wire_sum(ip, sizeof(*ip)));
	}
	return (struct datagram *)(frame + l->wire.tcp_at);
}

static void send_datagram(struct load *l, struct client *c, uint32_t i, uint64_t time)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint32_t more = filler(l, c->nxt), len = (uint32_t)sizeof(struct datagram) + more;
	struct datagram *d;
	uint8_t *frame;

	if (m == NULL)
		return;
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	d = put_udp_ip(l, frame, i, len);
	d->udp.src_port = rte_cpu_to_be_16(client_port(l, i));
	d->udp.dst_port = rte_cpu_to_be_16(l->wire.port);
	d->udp.dgram_len = rte_cpu_to_be_16((uint16_t)len);
	d->udp.dgram_cksum = 0;
	d->payload = (struct payload){UDP_MAGIC, i, c->nxt, (uint32_t)l->config->seed, time};
	memcpy(d + 1, stream_at(&l->stream, c->nxt), more);
	d->udp.dgram_cksum = l->wire.ip6
	                         ? wire_l4_sum6((struct rte_ipv6_hdr *)(frame + WIRE_IP), d, len)
	                         : wire_l4_sum((struct rte_ipv4_hdr *)(frame + WIRE_IP), d, len);
	if (d->udp.dgram_cksum == 0)
		d->udp.dgram_cksum = 0xffff; /* RFC 768: 0 would say that there is none */
	if (c->nxt == c->rcv)
		c->tick = l->tick % CLIENT_TICKS;
	c->nxt++;
	out_push(&l->out, m, l->wire.tcp_at + len);
}

static void send_more(struct load *l, struct client *c, uint32_t i)
{
	while (c->nxt - c->rcv < l->config->depth && out_backlog(&l->out) < OUT_FULL)
		send_datagram(l, c, i, l->now);
}

/* Advances rcv by n datagrams; the first so many (missing) have not arrived. */
static void advance_client(struct load *l, struct client *c, uint32_t n, uint32_t missing)
{
	uint64_t map = (uint64_t)c->mark << 32 | c->una;

	map = n < UDP_MAP ? map << n : 0;
	for (uint32_t k = n - missing; k < RTE_MIN(n, UDP_MAP); k++)
		map |= UINT64_C(1) << k;
	c->mark = (uint32_t)(map >> 32);
	c->una = (uint32_t)map;
	c->rcv += n;
	l->faults.lost += missing;
}

/* Handles a datagram before rcv: it was given up, or is a duplicate. */
static void take_late(struct load *l, struct client *c, uint32_t seq)
{
	uint64_t map = (uint64_t)c->mark << 32 | c->una;
	uint32_t k = c->rcv - 1 - seq;

	if (k >= UDP_MAP || (map >> k & 1) == 0) {
		l->faults.duplicate++;
		return;
	}
	map &= ~(UINT64_C(1) << k);
	c->mark = (uint32_t)(map >> 32);
	c->una = (uint32_t)map;
	l->faults.out_of_order++;
	l->faults.lost--;
}

static void take_answer(struct load *l, struct client *c, uint32_t i, const struct payload *p)
{
	uint32_t gap = p->seq - c->rcv;

	if (gap >= c->nxt - c->rcv) {
		if ((int32_t)(p->seq - c->nxt) >= 0)
			l->faults.wrong++; /* it was never sent */
		else
			take_late(l, c, p->seq);
		return;
	}
	advance_client(l, c, gap + 1, gap);
	c->tick = l->tick % CLIENT_TICKS;
	l->n.answers++;
	if (l->timing)
		hist_add(&l->latency, l->now - p->time);
	if (l->asking && l->config->rate == 0)
		send_more(l, c, i);
}

static bool is_answer4(const struct load *l, const uint8_t *frame)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + WIRE_IP);

	return ip->version_ihl == RTE_IPV4_VHL_DEF && ip->next_proto_id == IPPROTO_UDP &&
	       ip->src_addr == l->wire.head.ip.dst_addr;
}

static bool is_answer6(const struct load *l, const uint8_t *frame)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(frame + WIRE_IP);

	return ip->proto == IPPROTO_UDP && wire_is_own6(&l->wire, &ip->dst_addr) &&
	       memcmp(&ip->src_addr, l->wire.server_addr.b, sizeof(ip->src_addr)) == 0;
}

static bool is_answer(const struct load *l, const struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct datagram *d = (const struct datagram *)(frame + l->wire.tcp_at);

	return m->data_len >= l->wire.tcp_at + sizeof(*d) &&
	       ((const struct rte_ether_hdr *)frame)->ether_type == l->wire.head.eth.ether_type &&
	       d->udp.src_port == rte_cpu_to_be_16(l->wire.port) &&
	       (l->wire.ip6 ? is_answer6(l, frame) : is_answer4(l, frame));
}

/* Returns the connection of an answer; UINT32_MAX: none. */
static uint32_t find_client(const struct load *l, const uint8_t *frame, const struct datagram *d)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + WIRE_IP);
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)(frame + WIRE_IP);
	uint32_t address = l->wire.ip6 ? wire_low(&ip6->dst_addr) : rte_be_to_cpu_32(ip->dst_addr);

	return client_find(l, address, rte_be_to_cpu_16(d->udp.dst_port));
}

/* Whether the checksums of len bytes of UDP are right; over IPv4, UDP's is optional. */
static bool sums_ok(const struct load *l, const uint8_t *frame, const struct datagram *d,
                    uint32_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + WIRE_IP);

	if (l->wire.ip6)
		return wire_l4_ok6((const struct rte_ipv6_hdr *)(frame + WIRE_IP), d, len);
	return wire_ip_ok(ip) && (d->udp.dgram_cksum == 0 || wire_l4_ok(ip, d, len));
}

static void udp_input_frame(struct load *l, const struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct datagram *d = (const struct datagram *)(frame + l->wire.tcp_at);
	uint32_t i, len, more;

	if (!is_answer(l, m)) {
		if (!load_arp_input(l, m) && !load_nd_input(l, m))
			l->faults.stray++;
		return;
	}
	i = find_client(l, frame, d);
	len = rte_be_to_cpu_16(d->udp.dgram_len);
	more = filler(l, d->payload.seq);
	if (i == UINT32_MAX || d->payload.run != (uint32_t)l->config->seed) {
		l->faults.stray++;
	} else if (m->nb_segs > 1 || len != sizeof(*d) + more ||
	           l->wire.tcp_at + len > m->data_len || !sums_ok(l, frame, d, len)) {
		l->faults.checksum++;
	} else if (d->payload.magic != UDP_MAGIC || d->payload.flow != i ||
	           memcmp(d + 1, stream_at(&l->stream, d->payload.seq), more) != 0) {
		l->faults.wrong++;
	} else {
		take_answer(l, &l->clients[i], i, &d->payload);
	}
}

static void udp_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		udp_input_frame(l, pkts[k]);
		out_recycle(&l->out, pkts[k]);
	}
}

/* An open loop: datagram k is due at the k-th multiple of an interval and is timed from then. */
static void pace_datagrams(struct load *l)
{
	uint64_t want = plan_due(l);

	for (uint32_t k = 0; k < UDP_BURST && l->paced < want; k++, l->paced++) {
		uint32_t i = (uint32_t)(l->paced % l->config->conns);

		send_datagram(l, &l->clients[i], i, plan_due_ns(l, l->paced));
	}
}

static void udp_step(struct load *l)
{
	if (l->config->rate > 0) {
		pace_datagrams(l);
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
		advance_client(l, c, c->nxt - c->rcv, c->nxt - c->rcv);
		if (l->asking && l->config->rate == 0)
			send_more(l, c, i);
	}
}

/* Goes on scanning the table; what does not arrive is given up in time. */
static bool udp_settled(struct load *l)
{
	while (l->next_ask < l->nb_clients &&
	       l->clients[l->next_ask].nxt == l->clients[l->next_ask].rcv)
		l->next_ask++;
	return l->next_ask == l->nb_clients;
}

static void udp_judge(struct load *l)
{
	for (uint32_t i = l->next_ask; i < l->nb_clients; i++)
		l->faults.lost += l->clients[i].nxt - l->clients[i].rcv;
}

static int udp_init(struct load *l, char *why, size_t why_len)
{
	uint64_t least, most;

	l->sizes = l->config->sizes;
	least = l->sizes != NULL ? l->sizes->min : l->config->size;
	most = l->sizes != NULL ? l->sizes->max : l->config->size;
	if (least < sizeof(struct payload) || most > UDP_SIZE_MAX - (l->wire.ip6 ? 20 : 0)) {
		snprintf(why, why_len, "mode udp requires a size of %zu to %u bytes",
		         sizeof(struct payload), UDP_SIZE_MAX);
		return -1;
	}
	if (l->config->conns * l->config->depth > LOAD_DIRECT) {
		snprintf(why, why_len,
		         "mode udp supports at most %u datagrams in flight (--conns times --depth)",
		         LOAD_DIRECT);
		return -1;
	}
	stream_random(&l->stream, l->config->seed);
	return client_make_table(l, why, why_len);
}

const struct engine engine_udp = {
    .init = udp_init,
    .input = udp_input,
    .timers = udp_timers,
    .settled = udp_settled,
    .judge = udp_judge,
    .resolves = true,
};
