/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: what the clients receive, in three passes over a burst: prefetch the headers, find and
 * prefetch the connections, then process each segment.  Data is accepted in order only: unless
 * early.c keeps it, out-of-order data is answered with a duplicate acknowledgement, and the server
 * retransmits it.
 */
#include "tcp.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_prefetch.h>

#include "arp.h"
#include "early.h"
#include "mend.h"
#include "nd.h"
#include "slow.h"

#define AHEAD 4u

static inline bool is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* ---- pending acknowledgements ---------------------------------------------------------------- */

void client_acknowledge(struct load *l)
{
	uint32_t i;

	while (l->nb_owed > 0) {
		i = l->owed[--l->nb_owed];
		if (l->receivers != NULL) {
			l->receivers[i].owes = false;
			if (l->receivers[i].told == l->clients[i].rcv)
				continue;
		}
		if (l->clients[i].state == CLIENT_OPEN)
			client_send_bare(l, &l->clients[i], i, l->clients[i].nxt, RTE_TCP_ACK_FLAG);
	}
}

/*
 * In a stream, every other full segment is acknowledged at once (RFC 9293 3.8.6.3), the rest once
 * the port has no more frames.
 */
static void owe(struct load *l, struct client *c, uint32_t i, const struct segment *s,
                uint32_t before)
{
	uint32_t step = (uint32_t)l->config->ack_every * l->peer_mss;

	if (l->receivers != NULL)
		early_owe(l, c, i, s, before);
	else if (c->rcv / step != before / step || l->nb_owed == LOAD_OWED)
		client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
	else
		l->owed[l->nb_owed++] = i;
}

/* ---- opening ---------------------------------------------------------------------------------- */

struct offered {
	uint32_t mss, scale;
	bool scales, timestamps, sack;
};

static void read_option(const struct load *l, struct client *c, const uint8_t *p, uint32_t len,
                        struct offered *o)
{
	uint32_t time;

	if (p[0] == 2 && len == 4) {
		o->mss = (uint32_t)p[2] << 8 | p[3];
	} else if (p[0] == 3 && len == 3 && l->scale < 15) {
		o->scale = RTE_MIN((uint32_t)p[2], 14u);
		o->scales = true;
	} else if (p[0] == 8 && len == 10 && l->config->timestamps) {
		memcpy(&time, p + 2, sizeof(time));
		c->peer_time = rte_be_to_cpu_32(time);
		o->timestamps = true;
	} else if (p[0] == 4 && len == 2) {
		o->sack = true;
	}
}

/* All connections go to the same server, so its options are stored only once. */
static void read_options(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	struct offered o = {.mss = 536};

	for (const uint8_t *p = wire_option(s, NULL); p != NULL; p = wire_option(s, p))
		read_option(l, c, p, p[1], &o);
	if (!is_slow(l, i))
		l->sack = o.sack && client_offers_sack(l, i);
	l->peer_scale = o.scale;
	l->own_scale = o.scales ? l->scale : 0;
	l->peer_mss =
	    RTE_MIN(RTE_MAX(o.mss, LOAD_MSS_LEAST), l->own_mss) - (o.timestamps ? WIRE_OPTIONS : 0);
	if (o.timestamps != l->wire.timestamps) {
		l->wire.timestamps = o.timestamps;
		wire_init(&l->wire, (uint16_t)l->config->receive_window);
	}
}

static void establish(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	read_options(l, c, i, s);
	c->una = c->nxt = c->mark = s->ack;
	c->rcv = s->seq + 1;
	client_set_wnd(c, s->wnd);
	c->tick = l->tick % CLIENT_TICKS;
	c->tries = 0;
	client_leave(l, c, CLIENT_OPEN);
	l->n.opened++;
	if (++l->established > l->peak)
		l->peak = l->established;
	l->talk->opened(l, c);
	if (is_slow(l, i))
		slow_opened(l, c, i);
	client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
	if (l->plan == &plan_connrate || l->phase == PHASE_LEARN) {
		uint32_t since = c->stamp;

		l->talk->send(l, c, i, false);
		c->stamp =
		    since; /* a connection is timed from its SYN, or from when that was due */
		c->wait = 1;
	} else if (l->asking) {
		plan_resume(l, c, i);
	}
}

static void input_syn_sent(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	const uint8_t both = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG;

	if ((s->flags & both) == both && s->ack == c->nxt) {
		establish(l, c, i, s);
	} else if ((s->flags & RTE_TCP_RST_FLAG) != 0 && s->ack == c->nxt) {
		l->faults.refused++;
		client_leave(l, c, CLIENT_DEAD);
	} else if ((s->flags & (RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG)) == RTE_TCP_ACK_FLAG) {
		/* the server has a connection of an earlier run: RFC 9293 3.5.1, figure 9 */
		l->faults.half_open++;
		client_send_bare(l, c, i, s->ack, RTE_TCP_RST_FLAG);
		c->tick = (l->tick - 3) % CLIENT_TICKS; /* and retransmit the SYN soon */
	}
}

/* ---- an open connection ----------------------------------------------------------------------- */

/*
 * Handles a segment for a connection that is not established. Returns true if the segment is to be
 * processed all the same.
 */
static bool input_unusual(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	if (c->state == CLIENT_SYN_SENT) {
		input_syn_sent(l, c, i, s);
		return false;
	}
	if (client_is_gone(c)) {
		/* our last acknowledgement was lost */
		if ((s->flags & RTE_TCP_FIN_FLAG) != 0 && c->state == CLIENT_CLOSED)
			client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
		else
			l->faults.stray += (s->flags & RTE_TCP_RST_FLAG) == 0;
		return false;
	}
	return true;
}

static void input_reset(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	if ((s->flags & RTE_TCP_RST_FLAG) == 0) {
		client_send_bare(l, c, i, c->nxt,
		                 RTE_TCP_ACK_FLAG); /* our ACK of its SYN was lost */
		return;
	}
	if (s->seq != c->rcv)
		return;
	l->faults.reset++;
	client_leave(l, c, CLIENT_DEAD);
}

static inline void note_time(const struct load *l, struct client *c, uint32_t i,
                             const struct segment *s)
{
	const uint8_t *p = (const uint8_t *)(s->tcp + 1);
	uint32_t time, told = l->receivers != NULL ? l->receivers[i].told : c->rcv;

	/* expects it where every stack puts it; the timestamp of a segment that is out of order, or
	 * acknowledged later, is not echoed (RFC 7323 4.3) */
	if (s->options < WIRE_OPTIONS || p[2] != 8 || is_after(s->seq, told))
		return;
	memcpy(&time, p + 4, sizeof(time));
	c->peer_time = rte_be_to_cpu_32(time);
}

/* For streams: without SACK, three duplicates mean that a segment is lost (RFC 5681 3.2). */
static void input_repeated_ack(struct load *l, struct client *c, uint32_t i,
                               const struct segment *s)
{
	if (l->senders != NULL && l->sack) {
		mend_heard(l, c, i, s, false);
		return;
	}
	if (s->len > 0 || c->una == c->nxt || c->wait >= 3)
		return;
	c->wait = (c->wait + 1u) & CLIENT_WAIT_MAX;
	if (c->wait == 3)
		client_rewind(l, c, i);
}

static inline void input_ack(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	uint32_t acked = s->ack - c->una;

	if (acked >= 1u << 30)
		return;
	client_set_wnd(c, s->wnd << l->peer_scale);
	if (acked == 0) {
		if (is_slow(l, i))
			c->tries = 0; /* its window is closed, but it is alive */
		if (c->una == c->nxt && is_after(s->seq + s->len, c->rcv))
			client_hears(l, c);
		if (l->plan == &plan_bulk)
			input_repeated_ack(l, c, i, s);
		return;
	}
	l->n.payload_acked += acked;
	c->una = s->ack;
	c->tick = l->tick % CLIENT_TICKS;
	c->tries = 0;
	if (is_after(s->ack, c->nxt))
		c->nxt = s->ack; /* we had gone back too far */
	if (l->plan == &plan_bulk) {
		c->wait = 0;
		if (l->senders != NULL && l->sack)
			mend_heard(l, c, i, s, true);
	}
}

static inline void note_latency(struct load *l, struct client *c, uint32_t n)
{
	if (c->wait == 0)
		return;
	if (n < c->wait) {
		c->wait = (c->wait - n) & CLIENT_WAIT_MAX;
		return;
	}
	if (l->timing)
		hist_add(&l->latency, (uint64_t)(l->stamp - c->stamp) << 6);
	c->wait = 0;
}

/* Handles data for a slow reader that fits into its window. */
static bool input_slow(struct load *l, struct client *c, uint32_t i, const uint8_t *data,
                       uint32_t len)
{
	l->n.slow_in += len;
	if (c->state == CLIENT_OPEN)
		l->n.slow_answers += l->talk->receive(l, c, data, len);
	c->rcv += len;
	return l->asking && c->state == CLIENT_OPEN && l->talk->send(l, c, i, false);
}

/* Handles data in order. Returns whether something was sent that carries the acknowledgement. */
static inline bool input_data(struct load *l, struct client *c, uint32_t i, const uint8_t *data,
                              uint32_t len)
{
	uint32_t n;

	if (is_slow(l, i))
		return input_slow(l, c, i, data, len);
	l->n.payload_in += len;
	if (c->state != CLIENT_OPEN) {
		/* we have sent a FIN, when all was answered */
		l->faults.wrong += c->mark == c->nxt - 1 && l->plan == &plan_connrate;
		c->rcv += len;
		return false;
	}
	n = l->talk->receive(l, c, data, len);
	c->rcv += len;
	if (unlikely(l->receivers != NULL) && unlikely(l->receivers[i].ranges != 0))
		n += early_join(l, c, i);
	if (n > 0) {
		l->n.answers += n;
		l->answered_at = l->now;
		if (l->period_ns == 0)
			note_latency(l, c, n);
	}
	return l->plan->answered(l, c, i, n);
}

static void input_fin(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	if (s->seq + s->len != c->rcv)
		return;
	c->rcv++;
	if (c->state == CLIENT_OPEN) {
		if ((l->plan != &plan_connrate || client_waits(c)) && l->phase != PHASE_LEARN)
			l->faults.unsolicited_fin++;
		client_send_bare(l, c, i, c->nxt, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG);
		c->nxt++;
		c->tick = l->tick % CLIENT_TICKS;
		client_leave(l, c, CLIENT_LAST_ACK);
		return;
	}
	client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
	client_leave(l, c, CLIENT_CLOSED);
	l->n.closed++;
}

/*
 * Handles a segment that does not begin with the next byte: it is out of order, old, or a
 * keep-alive probe. Returns false if it is done, else s now begins with the new data.
 */
static bool input_out_of_order(struct load *l, struct client *c, uint32_t i, struct segment *s)
{
	uint32_t old = c->rcv - s->seq;
	bool fin = (s->flags & RTE_TCP_FIN_FLAG) != 0;

	if (is_after(s->seq, c->rcv)) {
		if (early_keeps(l, c, i)) {
			early_keep(l, c, i, s);
			return false;
		}
		l->faults.out_of_order++;
	} else if (old < s->len || (fin && old == s->len)) {
		goto trim;
	} else if (s->len > 0) {
		l->faults.duplicate++;
	} else if (old != 1) {
		return false; /* an old acknowledgement; one byte back is a keep-alive probe */
	}
	if (early_keeps(l, c, i))
		early_repeated(l, c, i, s);
	else
		client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
	return false;
trim:
	s->seq += old;
	s->data += old;
	s->len -= old;
	return true;
}

static inline void input_segment(struct load *l, struct client *c, uint32_t i, struct segment *s)
{
	uint32_t before;
	bool sent = false;

	if (unlikely(c->state != CLIENT_OPEN) && !input_unusual(l, c, i, s))
		return;
	if (unlikely((s->flags & (RTE_TCP_RST_FLAG | RTE_TCP_SYN_FLAG)) != 0)) {
		input_reset(l, c, i, s);
		return;
	}
	if (l->wire.timestamps)
		note_time(l, c, i, s);
	if (likely((s->flags & RTE_TCP_ACK_FLAG) != 0))
		input_ack(l, c, i, s);
	if (unlikely(c->state == CLIENT_LAST_ACK)) {
		if (c->una == c->nxt) {
			client_leave(l, c, CLIENT_CLOSED);
			l->n.closed++;
		}
		return;
	}
	if (unlikely(s->seq != c->rcv) && !input_out_of_order(l, c, i, s))
		return;
	before = c->rcv;
	if (is_slow(l, i) && s->len > 0) {
		uint32_t room = slow_room(l, c, i, s->len);

		if (room < s->len)
			s->flags &= (uint8_t)~RTE_TCP_FIN_FLAG;
		s->len = room;
		if (room == 0) {
			client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
			return;
		}
	}
	if (s->len > 0) {
		sent = input_data(l, c, i, s->data, s->len);
		if (unlikely(l->receivers != NULL) && unlikely(early_ended(l, c, i))) {
			s->flags |= RTE_TCP_FIN_FLAG;
			s->seq = c->rcv - s->len;
		}
	} else if (l->asking && c->state == CLIENT_OPEN && l->plan == &plan_bulk)
		sent = l->talk->send(l, c, i, false);
	if (unlikely((s->flags & RTE_TCP_FIN_FLAG) != 0))
		input_fin(l, c, i, s);
	else if (s->len > 0 && !sent && c->state == CLIENT_OPEN)
		owe(l, c, i, s, before);
	else if (s->len > 0 && !sent)
		client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
}

/* ---- frames ----------------------------------------------------------------------------------- */

/* The connection that a frame is for; UINT32_MAX: none. */
static uint32_t classify6(const struct load *l, const struct rte_mbuf *m)
{
	const struct wire_head6 *h = rte_pktmbuf_mtod(m, const struct wire_head6 *);

	if (unlikely(m->data_len < WIRE6_LEN ||
	             h->eth.ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV6) ||
	             h->ip.proto != IPPROTO_TCP ||
	             memcmp(&h->ip.src_addr, l->wire.server_addr.b, sizeof(h->ip.src_addr)) != 0 ||
	             !wire_is_own6(&l->wire, &h->ip.dst_addr) ||
	             h->tcp.src_port != l->wire.head6.tcp.dst_port))
		return UINT32_MAX;
	return client_find(l, wire_low(&h->ip.dst_addr), rte_be_to_cpu_16(h->tcp.dst_port));
}

static inline uint32_t classify(const struct load *l, const struct rte_mbuf *m)
{
	const struct wire_head *h = rte_pktmbuf_mtod(m, const struct wire_head *);

	if (unlikely(l->wire.ip6))
		return classify6(l, m);
	if (unlikely(m->data_len < WIRE_LEN || h->eth.ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	             h->ip.version_ihl != RTE_IPV4_VHL_DEF || h->ip.next_proto_id != IPPROTO_TCP ||
	             h->ip.src_addr != l->wire.head.ip.dst_addr ||
	             h->tcp.src_port != l->wire.head.tcp.dst_port))
		return UINT32_MAX;
	return client_find(l, rte_be_to_cpu_32(h->ip.dst_addr), rte_be_to_cpu_16(h->tcp.dst_port));
}

/*
 * Finds the TCP segment in a frame of one of our connections. Returns its length, or 0 if the frame
 * is truncated or a checksum is wrong.
 */
static inline uint32_t open_frame(const struct load *l, const struct rte_mbuf *m,
                                  const struct rte_tcp_hdr **tcp)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)(frame + WIRE_IP);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + WIRE_IP);
	uint32_t len;

	*tcp = (const struct rte_tcp_hdr *)(frame + l->wire.tcp_at);
	if (likely(!l->wire.ip6))
		len = rte_be_to_cpu_16(ip->total_length) - (uint32_t)sizeof(*ip);
	else
		len = rte_be_to_cpu_16(ip6->payload_len);
	if (unlikely(m->nb_segs > 1 || len > m->data_len - l->wire.tcp_at))
		return 0;
	if (unlikely(l->config->verify_checksums == 0))
		return len;
	if (likely(!l->wire.ip6))
		return likely(wire_ip_ok(ip) && wire_l4_ok(ip, *tcp, len)) ? len : 0;
	return likely(wire_l4_ok6(ip6, *tcp, len)) ? len : 0;
}

static inline void tcp_input_frame(struct load *l, struct rte_mbuf *m, uint32_t i)
{
	const struct wire_head *h = rte_pktmbuf_mtod(m, const struct wire_head *);
	const struct rte_tcp_hdr *tcp;
	struct segment s;
	uint32_t len;

	if (unlikely(i == UINT32_MAX)) {
		if (!load_arp_input(l, m) && !load_nd_input(l, m))
			l->faults.stray += h->eth.ether_type == l->wire.head.eth.ether_type;
		return;
	}
	len = open_frame(l, m, &tcp);
	if (likely(wire_parse(&s, tcp, len)))
		input_segment(l, &l->clients[i], i, &s);
	else
		l->faults.checksum++;
}

void client_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	uint32_t which[LOAD_BURST];

	for (unsigned k = 0; k < n && k < AHEAD; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		if (k + AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[k + AHEAD], void *));
		which[k] = classify(l, pkts[k]);
		if (likely(which[k] != UINT32_MAX))
			rte_prefetch0(&l->clients[which[k]]);
	}
	for (unsigned k = 0; k < n; k++) {
		tcp_input_frame(l, pkts[k], which[k]);
		out_recycle(&l->out, pkts[k]);
	}
}
