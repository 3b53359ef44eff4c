/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TIME-WAIT (RFC 9293 section 3.6.1, RFC 1337, RFC 6191).
 *
 * An entry that ends early leaves the flow table at once, and the queue when it reaches the head.
 */
#include "tcp/timewait.h"

#include <errno.h>

#include <rte_malloc.h>

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/auth.h"
#include "tcp/guard.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/window.h"

/* By then a timestamp is newer than any that either end has sent before, if a tick of its clock takes
 * 10 ms at most (RFC 7323 appendix B.2). Linux does not wait. */
#define REUSE_MS 11

#define ISN_AHEAD 64000 /* of what the connection before has used */

uint64_t timewait_footprint(uint64_t n)
{
	return (n + 1) * sizeof(struct tw_entry);
}

int timewait_init(struct timewait *tw, uint32_t n, int socket_id)
{
	*tw = (struct timewait){.n = n, .free.n = n};
	tw->entry =
	    rte_zmalloc_socket("pc_tw", timewait_footprint(n), RTE_CACHE_LINE_SIZE, socket_id);
	return tw->entry != NULL ? 0 : -ENOMEM;
}

void timewait_fini(struct timewait *tw)
{
	rte_free(tw->entry);
	tw->entry = NULL;
}

static void enqueue_wait(struct timewait *tw, uint32_t index, uint32_t expiry)
{
	struct tw_entry *e = &tw->entry[index];

	/* a shorter tcp.msl_ms takes effect when the entries before are gone */
	e->expiry = tw->tail != 0 ? seq_max(expiry, tw->entry[tw->tail].expiry) : expiry;
	e->next = 0;
	if (tw->tail != 0)
		tw->entry[tw->tail].next = index;
	else
		tw->head = index;
	tw->tail = index;
}

static void dequeue_head(struct timewait *tw)
{
	uint32_t index = tw->head;

	tw->head = tw->entry[index].next;
	if (tw->head == 0)
		tw->tail = 0;
}

static void release_head(struct tcp *tcp)
{
	struct timewait *tw = &tcp->tw;
	uint32_t index = tw->head;

	dequeue_head(tw);
	if (tw->entry[index].used)
		timewait_remove(tcp, index);
	tw->entry[index].next = freelist_give(&tw->free, index);
}

static uint32_t life(const struct tcp *tcp)
{
	return ticks_from_ms(2 * tcp->ctx->cfg.tcp_msl_ms);
}

void timewait_enter(struct tcp *tcp, struct tcb *t)
{
	const bool keyed = auth_of(tcp, t) != NULL;
	struct timewait *tw = &tcp->tw;
	struct tw_entry *e;
	uint32_t index;

	if (unlikely(keyed) && !auth_may_wait(tcp, t)) {
		ctx_count(tcp->ctx, PC_TCP_TIME_WAIT_EVICTED);
		ctx_count(tcp->ctx, PC_TCP_CLOSED);
		return;
	}
	if (freelist_is_empty(&tw->free)) {
		if (tw->entry[tw->head].used) /* it has not ended early */
			ctx_count(tcp->ctx, PC_TCP_TIME_WAIT_EVICTED);
		release_head(tcp);
	}
	index = freelist_next(&tw->free);
	e = &tw->entry[index];
	freelist_take(&tw->free, e->next);
	tw->used++;
	*e = (struct tw_entry){.flow = t->flow,
	                       .snd_nxt = t->snd_nxt,
	                       .rcv_nxt = t->rcv_nxt,
	                       .ts_recent = t->ts_recent,
	                       .wnd = tcp_window(tcp, t),
	                       .rcv_wscale = t->rcv_wscale,
	                       .ts = (t->opt & TCB_OPT_TS) != 0,
	                       .accecn = (t->opt & TCB_OPT_ACCECN) != 0,
	                       .reuseaddr = (t->flags & TCB_REUSEADDR) != 0,
	                       .reuseport = (t->flags & TCB_REUSEPORT) != 0,
	                       .auth = keyed,
	                       .used = 1};
	if (e->accecn)
		e->ace = accecn_counter(tcp, t) & 7u;
	tcp_table_move(&tcp->table, tcp_table_hash(&tcp->table, &t->flow),
	               flow_ref_make(FLOW_TCB, tcp_index(tcp, t)), flow_ref_make(FLOW_TW, index));
	t->flags &= ~(uint32_t)TCB_IN_TABLE;
	if (unlikely(keyed))
		auth_wait(tcp, index, t);
	enqueue_wait(tw, index, tcp->ctx->tick + life(tcp));
	ctx_count(tcp->ctx, PC_TCP_CLOSED);
}

void timewait_remove(struct tcp *tcp, uint32_t index)
{
	struct tw_entry *e = &tcp->tw.entry[index];

	if (unlikely(e->auth))
		auth_forget(tcp, index);
	e->auth = 0;
	tcp_table_del(&tcp->table, tcp_table_hash(&tcp->table, &e->flow),
	              flow_ref_make(FLOW_TW, index));
	lports_del(&tcp->lports, e->flow.lport, timewait_flags(e));
	e->flow = (struct tcp_flow){0};
	e->used = 0;
	tcp->tw.used--;
}

static void send_wait_ack(struct tcp *tcp, uint32_t index, const struct ip_pkt *p,
                          const struct tcp_rx *rx)
{
	const struct tw_entry *e = &tcp->tw.entry[index];
	struct tcp_seg s = {.seq = e->snd_nxt, .ack = e->rcv_nxt, .flags = TCP_ACK, .wnd = e->wnd};

	if (e->ts) {
		s.has = TCP_HAS_TS;
		s.tsval = tcp_tsval(tcp, (uint32_t)(tcp_secret(tcp, &e->flow) >> 32));
		s.tsecr = e->ts_recent;
	}
	if (e->accecn)
		accecn_put(&s, e->ace);
	if (tcp_challenge_allowed(tcp))
		tcp_reply(tcp, &e->flow, &p->dst, &s, tcp->ip->bare_ttl, 0, auth_by_input(tcp, rx));
}

/* RFC 6191 section 2: may this SYN begin a new incarnation? */
static bool may_reopen(const struct tcp *tcp, const struct tw_entry *e, const struct tcp_seg *seg)
{
	bool has_ts = tcp->ctx->cfg.tcp_timestamps && (seg->has & TCP_HAS_TS);

	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN)
		return false;
	/* no segment of the old connection has a timestamp, so PAWS drops them all */
	if (has_ts && !e->ts)
		return true;
	if (has_ts && seg->tsval != e->ts_recent)
		return seq_gt(seg->tsval, e->ts_recent);
	return seq_gt(seg->seq, e->rcv_nxt);
}

bool timewait_may_give_up(const struct tcp *tcp, uint32_t index)
{
	const struct tw_entry *e = &tcp->tw.entry[index];
	const uint32_t entered = e->expiry - life(tcp);

	return e->ts && tcp->ctx->cfg.tcp_timestamps &&
	       tcp->ctx->tick - entered >= ticks_from_ms(REUSE_MS);
}

/* RFC 9293 MAY-2: "initial sequence number [...] larger than the largest sequence number it used on
 * the previous connection incarnation" */
uint32_t timewait_replace(struct tcp *tcp, uint32_t index, uint32_t isn)
{
	const uint32_t used = tcp->tw.entry[index].snd_nxt;

	timewait_remove(tcp, index);
	return seq_gt(isn, used) ? isn : used + ISN_AHEAD;
}

/* Is there something to acknowledge, or a peer to correct? A segment at RCV.NXT that acknowledges
 * nothing new gets no answer, or two ends in TIME-WAIT would never stop. */
static bool wants_ack(const struct tw_entry *e, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_SYN) /* RFC 5961 section 4 */
		return true;
	if (!tcp_is_acceptable(seg, e->rcv_nxt, (uint32_t)e->wnd << e->rcv_wscale))
		return true;
	if (!(seg->flags & TCP_ACK))
		return false;
	return (seg->flags & TCP_FIN) || seg->len > 0 || seg->seq != e->rcv_nxt ||
	       seq_gt(seg->ack, e->snd_nxt);
}

/* RFC 7323 section 4.3 (2): who repeats its FIN, or acknowledges ours again, may have a newer
 * timestamp; a SYN is judged by the newest. */
static void take_stamp(struct tw_entry *e, const struct tcp_seg *seg)
{
	const uint32_t end = seg->seq + seg->len + ((seg->flags & TCP_FIN) != 0);

	if (e->ts && (seg->has & TCP_HAS_TS) && (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK &&
	    seg->ack == e->snd_nxt && end == e->rcv_nxt && seq_gt(seg->tsval, e->ts_recent))
		e->ts_recent = seg->tsval;
}

int timewait_input(struct tcp *tcp, const struct ip_pkt *p, struct tcp_rx *rx, uint32_t index)
{
	struct tw_entry *e = &tcp->tw.entry[index];
	const struct tcp_seg *seg = &rx->seg;

	if (seg->flags & TCP_RST) /* RFC 1337: TIME-WAIT is not assassinated */
		return PC_DROP_TCP_TIME_WAIT;
	if (may_reopen(tcp, e, seg)) {
		const uint32_t listener = tcp_listener_for(tcp, rx, rx->flow.lport);

		if (listener != 0) {
			const int verdict =
			    fw_is_on(&tcp->ip->fw) ? tcp_guard_input(tcp, p, rx) : VERDICT_DONE;

			if (verdict != VERDICT_DONE)
				return verdict;
			return syncache_open(tcp, listener, rx, index);
		}
	}
	if ((seg->flags & TCP_FIN) && seg->seq + seg->len + 1 == e->rcv_nxt)
		e->expiry = tcp->ctx->tick + life(tcp);
	take_stamp(e, seg);
	if (wants_ack(e, seg))
		send_wait_ack(tcp, index, p, rx);
	return PC_DROP_TCP_TIME_WAIT;
}

void timewait_poll(struct tcp *tcp)
{
	struct timewait *tw = &tcp->tw;

	while (tw->head != 0) {
		uint32_t index = tw->head;
		struct tw_entry *e = &tw->entry[index];

		if (!e->used) {
			release_head(tcp);
			continue;
		}
		if (seq_gt(e->expiry, tcp->ctx->tick)) {
			/* extended meanwhile: the next entry may be due earlier */
			if (e->next == 0 || seq_leq(e->expiry, tw->entry[e->next].expiry))
				break;
			dequeue_head(tw);
			enqueue_wait(tw, index, e->expiry);
			continue;
		}
		release_head(tcp);
	}
}

bool timewait_next(const struct timewait *tw, uint32_t *tick)
{
	if (tw->head == 0)
		return false;
	*tick = tw->entry[tw->head].expiry;
	return true;
}

unsigned timewait_validate(const struct tcp *tcp)
{
	const struct timewait *tw = &tcp->tw;
	uint32_t used = 0, last = 0;
	unsigned bad = 0;

	for (uint32_t i = tw->head; i != 0; last = i, i = tw->entry[i].next) {
		const struct tw_entry *e = &tw->entry[i];

		if (!e->used)
			continue;
		used++;
		bad += tcp_table_find(&tcp->table, tcp_table_hash(&tcp->table, &e->flow),
		                      &e->flow) != flow_ref_make(FLOW_TW, i);
	}
	return bad + (last != tw->tail) + (used != tw->used);
}
