/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The burst pipeline: the path of a received frame.
 *
 *   port -> Ethernet -> ARP ----------------------------------------> answered or learnt
 *                    -> IPv4 or IPv6 -> ICMP -> answered, or an error passed to UDP or TCP
 *                                       (a fragment first waits for the others)
 *                    -> IPv4         -> IGMP -> processed
 *                                    -> UDP  -> socket queue, or port unreachable
 *                                    -> TCP  -> (burst) look up -> (burst) state machine
 *
 * A layer returns the next step or a named drop, and only this file counts and frees dropped
 * frames, or hands them to the kernel if they are the kernel's (exception.h).
 *
 * TCP makes three passes over the burst, so that the cache misses of many flows overlap: parse;
 * look up and prefetch the TCB; run the state machine.
 */
#include <netinet/in.h>

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "base/mbuf.h"
#include "base/toeplitz.h"
#include "ip/ip4_plain.h"
#include "ip/ip6_plain.h"
#include "stack/firewall.h"
#include "stack/stack.h"
#include "tcp/guard.h"
#include "tcp/tcp_merge.h"
#include "tcp/tcp_rx.h"
#include "udp/raw.h"
#include "wire/nd.h"

#define BURST      64
#define LOOK_AHEAD 4

enum run {
	RUN_NONE,
	RUN_DATA, /* a plain segment of data */
	RUN_ACK,  /* a plain acknowledgement */
};

/** TCP segments of a burst, between the passes. */
struct batch {
	struct tcp_pending *next; /* the place of the next one in seg */
	bool undivided;           /* nothing but the transport wants to see its packets */
	bool unjudged; /* ... and there are no firewall rules for packets other than TCP */
	bool merges;   /* tcp.gro; not if a segment may turn out to be the kernel's */
	enum run run;  /* what the last segment was: the next frame may go on with it */
	struct tcp_pending seg[BURST];
};

/*
 * Invariant, between turns: rx_frames = rx_taken + the sum of all drop_ counters + fragments that
 * wait for others.  When fragments are reassembled, or segments merged, all but one are counted as
 * taken at once; the result is counted as the remaining one, by its own verdict.
 */

/** drop counts a frame under its drop counter, and frees it. */
static inline void drop(struct pc_stack *st, struct rte_mbuf *m, int verdict)
{
	assert(verdict_is_drop(verdict));
	if (unlikely(st->exception != NULL) && exception_put(st->exception, &st->ctx, m, verdict))
		return;
	ctx_count(&st->ctx, verdict);
	ctx_free(&st->ctx, m);
}

/** finish disposes of a frame by its verdict, unless it waits. */
static inline void finish(struct pc_stack *st, struct rte_mbuf *m, int verdict)
{
	if (likely(verdict == NEXT_LATER))
		return;
	if (likely(verdict == VERDICT_DONE))
		ctx_count(&st->ctx, PC_RX_TAKEN);
	else
		drop(st, m, verdict);
}

void stack_tell_error(struct pc_stack *st, const struct icmp_error *e, const struct rte_mbuf *m)
{
	if (e->proto == IPPROTO_TCP)
		tcp_error(st->tcp, e);
	else if (e->proto == IPPROTO_UDP)
		udp_error(st->udp, e, m);
	else
		udp_raw_error(st->udp, e, m);
}

/** input_icmp answers, or passes an error to the transport whose packet it is about. */
static int input_icmp(struct pc_stack *st, struct rte_mbuf *m, const struct ip_pkt *p, int next)
{
	struct icmp_error error;
	int verdict = next == NEXT_ICMP4 ? icmp4_input(&st->ip, m, p, &error)
	                                 : icmp6_input(&st->ip, m, p, &error);

	if (verdict != NEXT_ERROR)
		return verdict;
	stack_tell_error(st, &error, m);
	return PC_DROP_ICMP_DONE;
}

/* Neighbour discovery is accepted from any sender. */
static bool is_discovery(const struct rte_mbuf *m, const struct ip_pkt *p)
{
	const uint8_t *type;
	uint8_t copy;

	if (p->proto != IPPROTO_ICMPV6 || pc_addr_is_ip4(&p->dst) || p->l4_len == 0)
		return false;
	type = rte_pktmbuf_read(m, p->l4_off, 1, &copy);
	return type != NULL && *type >= ND_RS && *type <= ND_REDIRECT;
}

/* Says whether a packet is dropped for good: one with an unknown protocol may still go to raw
 * sockets or the kernel, and its sender may get an ICMP error. */
static bool is_dropped(int verdict)
{
	switch (verdict) {
	case PC_DROP_IP4_PROTOCOL:
	case PC_DROP_IP6_PROTOCOL:
	case PC_DROP_IP4_NOT_OURS:
	case PC_DROP_IP6_NOT_OURS:
		return false;
	default:
		return verdict_is_drop(verdict);
	}
}

static int refuse(const struct rte_mbuf *m, const struct ip_pkt *p, int verdict)
{
	/* a fragment has no header to look at, and discovery is never fragmented (RFC 6980) */
	if (is_dropped(verdict) || (verdict != NEXT_FRAGMENT && is_discovery(m, p)))
		return verdict;
	return PC_DROP_DENIED;
}

/** input_datagram gives a datagram to its socket, or answers that there is none. */
static inline int input_datagram(struct pc_stack *st, struct rte_mbuf *m, const struct ip_pkt *p)
{
	const int verdict = udp_input(st->udp, m, p);

	if (unlikely(verdict == PC_DROP_UDP_NO_SOCKET) && !st->ctx.handed_on)
		icmp_port_unreachable(&st->ip, m, p);
	return verdict;
}

static int input_upper(struct pc_stack *st, struct rte_mbuf *m, int verdict, struct batch *b);

static inline void count_merged(struct pc_stack *st)
{
	ctx_count(&st->ctx, PC_RX_TAKEN);
	ctx_count(&st->ctx, PC_TCP_RX_MERGED);
}

/** add_segment adds a TCP segment to the batch for the next pass, merged into the previous one if
 * it directly continues that. */
static inline void add_segment(struct pc_stack *st, struct batch *b, struct rte_mbuf *m, bool plain)
{
	struct tcp_pending *seg = b->next;

	seg->m = m;
	b->run = RUN_NONE;
	if (unlikely(seg->rx.seg.len >= TCP_MERGE_MIN) && b->merges) {
		b->run = plain ? RUN_DATA : RUN_NONE;
		if (seg > b->seg && tcp_merge(seg - 1, seg)) {
			count_merged(st);
			return;
		}
	} else if (plain && seg->rx.seg.len == 0 && seg->rx.seg.flags == TCP_ACK) {
		b->run = RUN_ACK;
	}
	b->next = seg + 1;
}

/** input_ack has an acknowledgement take the place of the one before it. Returns whether it has. */
static __rte_noinline bool input_ack(struct pc_stack *st, struct rte_mbuf *m, uint8_t netif,
                                     struct batch *b)
{
	struct rte_mbuf *before;

	if (!b->merges)
		return false;
	before = tcp_merge_ack(st->tcp, b->next - 1, m, ip_port(&st->ip, netif)->info.offloads);
	if (before == NULL)
		return false;
	ctx_count(&st->ctx, PC_TCP_RX);
	ctx_count(&st->ctx, PC_TCP_RX_MERGED);
	drop(st, before, PC_DROP_TCP_ACK_DONE);
	return true;
}

/** input_run merges a frame into the segment before it, if it is the next one of a run. Returns
 * whether it has. */
static inline bool input_run(struct pc_stack *st, struct rte_mbuf *m, uint8_t netif,
                             struct batch *b)
{
	if (likely(b->run == RUN_NONE))
		return false;
	if (b->run == RUN_ACK)
		return tcp_merge_may_ack(b->next - 1, m) && input_ack(st, m, netif, b);
	if (!tcp_merge_frame(b->next - 1, m, ip_port(&st->ip, netif)->info.offloads))
		return false;
	ctx_count(&st->ctx, PC_TCP_RX);
	count_merged(st);
	return true;
}

/** pass_on passes a reassembled datagram, whose fragments devices distribute by addresses alone, to
 * the lcore that its ports select. Returns whether it has. */
static bool pass_on(struct pc_stack *st, struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct pc_port *port = ip_port(&st->ip, p->netif);
	const struct pc_port_info *info = &port->info;
	struct pc_endpoint src = {.addr = p->src}, dst = {.addr = p->dst};
	const uint8_t *ports;
	uint16_t queue;

	if (info->rss.nb_queues <= 1 || port->ops->pass == NULL || p->l4_len < 4)
		return false;
	ports = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off);
	src.port = wire_get16(ports);
	dst.port = wire_get16(ports + 2);
	queue = toeplitz_queue(&info->rss, &src, &dst);
	if (queue == info->queue)
		return false;
	mbuf_clear_offload(m); /* the device described a fragment */
	if (!port->ops->pass(port, queue, m))
		return false;
	ctx_count(&st->ctx, PC_IP_FRAGMENTS_PASSED);
	return true;
}

/** input_fragment keeps a fragment, or fully processes the datagram that it completes. */
static __rte_noinline int input_fragment(struct pc_stack *st, struct rte_mbuf *m, struct batch *b)
{
	struct ip_pkt *p = &b->next->pkt;
	int verdict = ip_reassemble(&st->ip, &m, p);

	if (verdict == VERDICT_DONE)
		return NEXT_LATER;
	if ((verdict == NEXT_TCP || verdict == NEXT_UDP) && pass_on(st, m, p)) {
		ctx_count(&st->ctx, PC_RX_TAKEN);
		return NEXT_LATER;
	}
	/* with an unknown protocol, the verdict is a drop, but an answer is still due */
	finish(st, m, input_upper(st, m, verdict, b));
	return NEXT_LATER;
}

/** input_raw shows a packet to the raw sockets. Returns whether that was all: a protocol that only
 * they handle needs no error. */
static __rte_noinline bool input_raw(struct pc_stack *st, const struct rte_mbuf *m,
                                     const struct ip_pkt *p, int verdict)
{
	const bool unknown = verdict == PC_DROP_IP4_PROTOCOL || verdict == PC_DROP_IP6_PROTOCOL;

	if ((verdict < PC_COUNTER_MAX && !unknown) ||
	    (fw_is_on(&st->ip.fw) && !firewall_shows(st, m, p, verdict)))
		return false;
	return udp_raw_input(st->udp, m, p) && unknown;
}

/** input_upper processes a packet, of either family, above IP; TCP waits in the batch for the other
 * passes. verdict is what IP returned. */
static __rte_noinline int input_upper(struct pc_stack *st, struct rte_mbuf *m, int verdict,
                                      struct batch *b)
{
	struct tcp_pending *seg = b->next;
	struct ip_pkt *p = &seg->pkt;

	if (deny_has(&st->ip.deny, &p->src))
		verdict = refuse(m, p, verdict);
	if (fw_is_on(&st->ip.fw))
		verdict = firewall_input(st, m, p, verdict);
	if (unlikely(st->ip.nb_raw != 0) && verdict != NEXT_FRAGMENT &&
	    input_raw(st, m, p, verdict))
		return PC_DROP_RAW_DONE;
	switch (verdict) {
	case NEXT_TCP:
		verdict = tcp_rx_parse(st->tcp, m, p, &seg->rx, TCP_RX_ANY);
		if (unlikely(verdict != VERDICT_DONE))
			return verdict;
		add_segment(st, b, m, false);
		return NEXT_LATER;
	case NEXT_UDP:
		return input_datagram(st, m, p);
	case NEXT_ICMP4:
	case NEXT_ICMP6:
		return input_icmp(st, m, p, verdict);
	case NEXT_FRAGMENT:
		return input_fragment(st, m, b);
	case NEXT_IGMP:
		return igmp_input(&st->ip, m, p);
	case PC_DROP_IP4_PROTOCOL:
	case PC_DROP_IP6_PROTOCOL:
		if (!st->ctx.handed_on)
			icmp_protocol_unreachable(&st->ip, m, p);
		return verdict;
	default:
		return verdict;
	}
}

/** input_plain handles a plain TCP segment that only TCP wants to see. */
static __rte_always_inline void input_plain(struct pc_stack *st, struct rte_mbuf *m,
                                            struct batch *b, struct tcp_pending *seg,
                                            const enum tcp_rx_kind kind)
{
	const int verdict = tcp_rx_parse(st->tcp, m, &seg->pkt, &seg->rx, kind);

	if (unlikely(verdict != VERDICT_DONE)) {
		finish(st, m, verdict);
		return;
	}
	add_segment(st, b, m, true);
}

static int input_arp(struct pc_stack *st, struct rte_mbuf *m, uint8_t netif)
{
	if (st->exception != NULL)
		exception_put_arp(st->exception, &st->ctx, m);
	return arp_input(st->ip.neigh, m, netif);
}

/** input_any takes one frame through the layers below TCP. */
static __rte_noinline void input_any(struct pc_stack *st, struct rte_mbuf *m, uint8_t netif,
                                     struct batch *b)
{
	struct tcp_pending *seg = b->next;
	struct ip_pkt *p = &seg->pkt;
	int verdict;

	if (likely(b->undivided) && ip6_plain_input(&st->ip, m, netif, p) == NEXT_TCP) {
		input_plain(st, m, b, seg, TCP_RX_PLAIN6);
		return;
	}
	verdict = eth_input(&st->ip, m, netif);
	if (verdict == NEXT_IP4)
		verdict = input_upper(st, m, ip4_input(&st->ip, m, netif, p), b);
	else if (verdict == NEXT_IP6)
		verdict = input_upper(st, m, ip6_input(&st->ip, m, netif, p), b);
	else if (verdict == NEXT_ARP)
		verdict = input_arp(st, m, netif);
	finish(st, m, verdict);
}

/** input_other handles a plain packet that is not TCP, or that not only TCP wants to see. */
static __rte_noinline void input_other(struct pc_stack *st, struct rte_mbuf *m, int verdict,
                                       struct batch *b)
{
	const struct ip_pkt *p = &b->next->pkt;

	if (verdict == NEXT_UDP && likely(b->unjudged))
		finish(st, m, input_datagram(st, m, p));
	else
		finish(st, m, input_upper(st, m, verdict, b));
}

/** input_frame is input_any with a fast path for the most common frame, a TCP segment over IPv4 in
 * one piece; it saves 85 instructions. */
static inline void input_frame(struct pc_stack *st, struct rte_mbuf *m, uint8_t netif,
                               struct batch *b)
{
	struct tcp_pending *seg;
	int verdict;

	if (input_run(st, m, netif, b))
		return;
	seg = b->next;
	verdict = ip4_plain_input(&st->ip, m, netif, &seg->pkt);
	if (likely(verdict == NEXT_TCP && b->undivided))
		input_plain(st, m, b, seg, TCP_RX_PLAIN4);
	else if (verdict == IP4_NOT_PLAIN)
		input_any(st, m, netif, b);
	else
		input_other(st, m, verdict, b);
}

/* A shared frame must not be written to: continue with a private copy. */
static struct rte_mbuf *make_private(struct pc_stack *st, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, st->ctx.pool, 0, UINT32_MAX);

	if (copy == NULL) {
		drop(st, m, PC_DROP_NO_MBUF);
		return NULL;
	}
	ctx_count(&st->ctx, PC_RX_COPIED);
	rte_pktmbuf_free(m);
	return copy;
}

static bool is_shared(const struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) != 1 || !RTE_MBUF_DIRECT(m);
}

static void pass_parse(struct pc_stack *st, struct rte_mbuf **pkts, unsigned n, uint8_t netif,
                       struct batch *b)
{
	for (unsigned i = 0; i < n && i < LOOK_AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		if (i + LOOK_AHEAD < n) {
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + LOOK_AHEAD], void *));
			rte_prefetch0(pkt_of(pkts[i + LOOK_AHEAD]));
		}
		ctx_add(&st->ctx, PC_RX_BYTES, m->pkt_len);
		if (unlikely(is_shared(m)) && (m = make_private(st, m)) == NULL)
			continue;
		input_frame(st, m, netif, b);
	}
}

/* Returns how many bursts of stack.rx_burst frames are taken at once. Two from a ring that fills:
 * what a turn and the driver cost for each burst is then shared by twice as many frames. Otherwise
 * one: a peer with 64 frames in flight then works on half of them while we work on the others. */
static inline unsigned bursts_of(const struct strangers *s, uint64_t size)
{
	return unlikely(s != NULL && strangers_is_behind(s)) && size <= BURST / 2 ? 2 : 1;
}

/* Frames of this burst for which the stack has no use go to the kernel. */
static inline void begin_exception(struct pc_stack *st, uint8_t netif)
{
	if (likely(st->nb_exceptions == 0) || netif >= PC_MAX_PORTS ||
	    st->exceptions[netif].kernel == NULL)
		return;
	st->exception = &st->exceptions[netif];
	st->ctx.handed_on = true;
}

static inline void end_exception(struct pc_stack *st)
{
	if (likely(st->exception == NULL))
		return;
	exception_flush(st->exception, &st->ctx);
	st->exception = NULL;
	st->ctx.handed_on = false;
}

unsigned stack_rx(struct pc_stack *st, uint8_t netif)
{
	const struct pc_stack_config *cfg = &st->ctx.cfg;
	struct pc_port *port = ip_port(&st->ip, netif);
	/* senders on loopback are none */
	struct strangers *strangers = netif < PC_MAX_PORTS ? &st->strangers[netif] : NULL;
	const unsigned bursts = bursts_of(strangers, cfg->stack_rx_burst);
	const uint16_t most = (uint16_t)(cfg->stack_rx_burst * bursts);
	struct rte_mbuf *pkts[BURST];
	const unsigned n = port->ops->rx_burst(port, pkts, most, st->ctx.now_ns);
	struct batch b;

	if (n == 0) {
		if (strangers != NULL)
			strangers_none(strangers, st->ctx.now_ns);
		return 0;
	}
	if (strangers != NULL)
		strangers_burst(strangers, n, (uint32_t)cfg->stack_rx_burst, bursts,
		                (uint32_t)cfg->stack_busy_answers, st->ctx.now_ns);
	st->ctx.strangers = strangers;
	ctx_add(&st->ctx, PC_RX_FRAMES, n);
	begin_exception(st, netif);
	b.next = b.seg;
	b.run = RUN_NONE;
	b.merges = st->ctx.cfg.tcp_gro != 0 && !st->ctx.handed_on;
	b.undivided = st->ip.deny.nb_ranges == 0 && st->ip.nb_raw == 0;
	b.unjudged = b.undivided && !fw_is_on(&st->ip.fw);
	pass_parse(st, pkts, n, netif, &b);
	tcp_rx_prefetch(st->tcp, b.seg, (unsigned)(b.next - b.seg));
	for (struct tcp_pending *seg = b.seg; seg < b.next; seg++)
		finish(st, seg->m, tcp_input(st->tcp, seg->m, &seg->pkt, &seg->rx));
	end_exception(st);
	st->ctx.strangers = NULL;
	return n;
}
