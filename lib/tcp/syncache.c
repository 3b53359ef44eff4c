/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SYN cache.
 *
 * An entry is created by a SYN to a listener and ends with the ACK that completes the handshake,
 * with a RST, after the last unanswered SYN-ACK, or by eviction.  While the accept queue is full
 * the completing ACK is dropped and the entry stays: the peer will retransmit its data, as on
 * Linux.
 *
 * A SYN cookie stands for an entry that is not kept: it is made for the SYN-ACK, discarded, and
 * recreated from the completing ACK (syncookie.h).  The rest is the same for both.
 */
#include "tcp/syncache.h"

#include <errno.h>

#include <rte_malloc.h>

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/auth.h"
#include "tcp/guard.h"
#include "tcp/room.h"
#include "tcp/rtt.h"
#include "tcp/syncookie.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_output.h"

int syncache_init(struct syncache *sc, uint32_t n, struct pc_sip_key key, int socket_id)
{
	*sc = (struct syncache){.n = n, .free.n = n, .cookie_key = key};
	sc->entry = rte_zmalloc_socket("pc_syn", (size_t)(n + 1) * sizeof(*sc->entry),
	                               RTE_CACHE_LINE_SIZE, socket_id);
	return sc->entry != NULL ? 0 : -ENOMEM;
}

void syncache_fini(struct syncache *sc)
{
	rte_free(sc->entry);
	sc->entry = NULL;
}

static uint32_t queue_of(const struct syn_entry *e)
{
	return RTE_MIN(e->retries, SYN_QUEUES - 1u);
}

static uint64_t wait_ms(const struct pc_stack_config *cfg, uint32_t retries, uint64_t max_ms)
{
	return RTE_MIN(cfg->tcp_rto_initial_ms << RTE_MIN(retries, SYN_QUEUES - 1u), max_ms);
}

uint32_t syncache_timeouts(const struct pc_stack_config *cfg, uint32_t seconds)
{
	uint64_t ms = 0;
	uint32_t n = 0;

	while (ms < seconds * UINT64_C(1000) && n < UINT8_MAX)
		ms += wait_ms(cfg, n++, cfg->tcp_rto_max_ms);
	return n;
}

uint32_t syncache_seconds(const struct pc_stack_config *cfg, uint32_t n)
{
	uint64_t ms = 0;

	for (uint32_t i = 0; i < n; i++)
		ms += wait_ms(cfg, i, cfg->tcp_rto_max_ms);
	return (uint32_t)(ms / 1000);
}

static const struct tcp_tuning *tuning_of(const struct tcp *tcp, const struct syn_entry *e)
{
	return tcp_tuning(tcp, tcp_listener(tcp, e->binding));
}

static void enqueue_entry(struct tcp *tcp, uint32_t index)
{
	struct syncache *sc = &tcp->syn;
	struct syn_entry *e = &sc->entry[index];
	const uint32_t k = queue_of(e),
	               max_ms = rtt_max_us(tcp, tcp_listener(tcp, e->binding)) / 1000;

	e->expiry = tcp->ctx->tick + ticks_from_ms(wait_ms(&tcp->ctx->cfg, k, max_ms));
	e->next = 0;
	e->prev = sc->queue[k].tail;
	if (e->prev != 0) /* a shorter time-out waits for longer ones before it */
		e->expiry = seq_max(e->expiry, sc->entry[e->prev].expiry);
	if (e->prev != 0)
		sc->entry[e->prev].next = index;
	else
		sc->queue[k].head = index;
	sc->queue[k].tail = index;
}

static void dequeue(struct syncache *sc, uint32_t index)
{
	struct syn_entry *e = &sc->entry[index];
	uint32_t k = queue_of(e);

	if (e->prev != 0)
		sc->entry[e->prev].next = e->next;
	else
		sc->queue[k].head = e->next;
	if (e->next != 0)
		sc->entry[e->next].prev = e->prev;
	else
		sc->queue[k].tail = e->prev;
}

/* frees an entry that is no longer in the flow table */
static void release_entry(struct tcp *tcp, uint32_t index)
{
	struct syncache *sc = &tcp->syn;
	struct syn_entry *e = &sc->entry[index];

	dequeue(sc, index);
	tcp->bind.binding[e->binding].half_open--;
	sources_del(&tcp->half_open, &e->flow.raddr);
	e->flow = (struct tcp_flow){0};
	e->next = freelist_give(&sc->free, index);
	sc->used--;
}

void syncache_remove(struct tcp *tcp, uint32_t index)
{
	tcp_table_del(&tcp->table, tcp_table_hash(&tcp->table, &tcp->syn.entry[index].flow),
	              flow_ref_make(FLOW_SYN, index));
	release_entry(tcp, index);
}

static uint32_t take_entry(struct tcp *tcp)
{
	struct syncache *sc = &tcp->syn;
	uint32_t index = freelist_next(&sc->free);

	for (uint32_t k = 0; index == 0 && k < SYN_QUEUES; k++) {
		/* those that did not answer the most SYN-ACKs go first */
		uint32_t oldest = sc->queue[SYN_QUEUES - 1 - k].head;

		if (oldest != 0) {
			ctx_count(tcp->ctx, PC_TCP_SYN_EVICTED);
			syncache_remove(tcp, oldest);
			index = freelist_next(&sc->free);
		}
	}
	freelist_take(&sc->free, sc->entry[index].next);
	sc->used++;
	return index;
}

static void send_cookie(struct tcp *tcp, struct syn_entry *e, struct syn_asked *asked)
{
	struct syncookie c = {.peer_mss = e->peer_mss, .snd_wscale = e->snd_wscale, .opt = e->opt};
	uint64_t now_ns = tcp->ctx->now_ns;

	e->iss = syncookie_make(&tcp->syn.cookie_key, now_ns, &e->flow, e->irs,
	                        (uint32_t)asked->secret, &c);
	e->opt = c.opt;
	tcp->syn.cookie_unit = syncookie_unit(now_ns);
	tcp->syn.has_cookies = true;
	ctx_count(tcp->ctx, PC_TCP_COOKIES_SENT);
	asked->cookie = &c;
	syncache_answer(tcp, e, asked);
}

/* RFC 4987 section 3.6: only under pressure, as a cookie holds less than an entry */
static bool wants_cookie(const struct tcp *tcp)
{
	uint64_t mode = tcp->ctx->cfg.tcp_syn_cookies;

	return mode == SYN_COOKIES_ALWAYS ||
	       (mode == SYN_COOKIES_PRESSURE && freelist_is_empty(&tcp->syn.free));
}

/* While frames arrive faster than they are processed: may this SYN still be answered? */
static bool admits_syn(struct tcp *tcp, const struct pc_addr *raddr, bool has_room)
{
	struct strangers *s = tcp->ctx->strangers;
	uint32_t cost;

	if (s == NULL)
		return true;
	cost = strangers_cost(s, has_room);
	return likely(cost == 0) || strangers_take(&s->left, cost) ||
	       (s->known >= cost && known_has(&tcp->known, raddr) &&
	        strangers_take(&s->known, cost));
}

int syncache_open(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx, uint32_t tw)
{
	struct binding *l = &tcp->bind.binding[binding];
	struct syn_asked asked = {.rx = rx};
	struct syn_entry e;
	uint32_t index;
	bool full;

	if (tcp->ctx->mbufs_scarce) {
		tcp->refused = true;
		return PC_DROP_TCP_SCARCE;
	}
	if (listener_is_full(l))
		return PC_DROP_TCP_BACKLOG;
	if (sources_is_full(&tcp->connections, &rx->flow.raddr))
		return PC_DROP_TCP_SOURCE;
	full = sources_is_full(&tcp->half_open, &rx->flow.raddr);
	if (!admits_syn(tcp, &rx->flow.raddr, !full && !freelist_is_empty(&tcp->syn.free)))
		return PC_DROP_BUSY;
	if (full && (tw != 0 || tcp->ctx->cfg.tcp_syn_cookies == SYN_COOKIES_OFF))
		return PC_DROP_TCP_SOURCE;
	asked.secret = syncache_read(tcp, binding, rx, &e);
	if (full || (tw == 0 && wants_cookie(tcp))) {
		send_cookie(tcp, &e, &asked);
		return PC_DROP_TCP_SYN_HANDLED;
	}
	if (tw != 0)
		e.iss = timewait_replace(tcp, tw, e.iss);
	e.opt = auth_room(auth_by_input(tcp, rx), e.opt);
	if (accecn_ace(&rx->seg) != 0) { /* a cookie has no room for ECN */
		e.opt |= tcp_ecn_accepts(tcp, tcp_tcb(tcp, l->tcb), &rx->seg, rx->tos);
		e.asked = tcp_ecn_asked(tcp, tcp_tcb(tcp, l->tcb), &rx->seg) & ASKED_BOTH;
	}
	index = take_entry(tcp);
	tcp->syn.entry[index] = e;
	l->half_open++;
	sources_add(&tcp->half_open, &e.flow.raddr);
	tcp_table_add(&tcp->table, rx->hash, flow_ref_make(FLOW_SYN, index));
	enqueue_entry(tcp, index);
	syncache_answer(tcp, &e, &asked);
	return PC_DROP_TCP_SYN_HANDLED;
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, within the limit of RFC 5961 section 7 */
static void send_entry_ack(struct tcp *tcp, const struct syn_entry *e, uint32_t wnd)
{
	const struct tcb *listener = tcp_listener(tcp, e->binding);
	uint8_t scale = e->opt & TCB_OPT_WSCALE ? e->rcv_wscale : 0;
	struct tcp_seg s = {.seq = e->iss + 1,
	                    .ack = e->irs + 1,
	                    .flags = TCP_ACK,
	                    .wnd = (uint16_t)(wnd >> scale)};
	struct auth_by by;

	if (!tcp_challenge_allowed(tcp))
		return;
	if (e->opt & TCB_OPT_TS) {
		s.has = TCP_HAS_TS;
		s.tsval = tcp_tsval(tcp, (uint32_t)(tcp_secret(tcp, &e->flow) >> 32));
		s.tsecr = e->ts_recent;
	}
	if (e->opt & TCB_OPT_ACCECN)
		accecn_put(&s, ACCECN_AT_FIRST);
	tcp_reply(tcp, &e->flow, ip_laddr(tcp->ip, e->flow.laddr), &s, listener->ttl, listener->tos,
	          auth_by_half_open(tcp, e, &by));
}

/* second step, RFC 5961 section 3: back to LISTEN */
static int entry_rst(struct tcp *tcp, const struct tcp_rx *rx, uint32_t index, uint32_t wnd)
{
	const struct syn_entry *e = &tcp->syn.entry[index];

	if (rx->seg.seq == e->irs + 1) {
		syncache_remove(tcp, index);
		return PC_DROP_TCP_RST;
	}
	if (seq_within(rx->seg.seq, e->irs + 1, wnd))
		send_entry_ack(tcp, e, wnd);
	return PC_DROP_TCP_SYN_RCVD;
}

/* RFC 9768 section 3.1.5: a client has asked for both kinds of ECN, and might use a different one
 * than we do */
static int reset_mixed(struct tcp *tcp, uint32_t index)
{
	const struct syn_entry *e = &tcp->syn.entry[index];

	tcp_reply_abort(tcp, &e->flow, e->iss + 1, e->irs + 1,
	                auth_by_half_open(tcp, e, &(struct auth_by){0}));
	syncache_remove(tcp, index);
	return PC_DROP_TCP_SYN_HANDLED;
}

/* fourth step: the SYN again, or another. RFC 9293 would go back to LISTEN for one in the window;
 * the challenge ACK of RFC 5961 section 4 has that effect too if the peer has really started anew,
 * as it answers with RST, but keeps a forged SYN from ending a client's handshake. */
static int entry_syn(struct tcp *tcp, const struct tcp_rx *rx, uint32_t index, uint32_t wnd)
{
	struct syn_entry *e = &tcp->syn.entry[index];
	const struct tcb *listener = tcp_listener(tcp, e->binding);
	const struct tcp_seg *seg = &rx->seg;

	if ((seg->flags & TCP_ACK) || seg->seq != e->irs) {
		send_entry_ack(tcp, e, wnd);
		return PC_DROP_TCP_SYN_RCVD;
	}
	e->asked = (e->asked | tcp_ecn_asked(tcp, listener, seg)) & ASKED_BOTH;
	if (e->asked == ASKED_BOTH)
		return reset_mixed(tcp, index);
	if ((e->opt & TCB_OPT_TS) && (seg->has & TCP_HAS_TS))
		e->ts_recent = seg->tsval; /* RFC 7323 4.3 (2) */
	e->ecn = rx->tos & 3u;
	/* RFC 9768 section 3.1.5: unless every SYN asked for ECN, we send nothing ECN-capable */
	if ((e->opt & TCB_OPT_ACCECN) && accecn_ace(seg) == 0)
		e->opt &= (uint8_t)~TCB_OPT_ECN;
	if (!e->acked)
		e->again = 1;
	syncache_answer(tcp, e, NULL); /* our answer was lost */
	return PC_DROP_TCP_SYN_HANDLED;
}

/* RFC 9293 3.10.7.4 for SYN-RECEIVED, with RFC 5961; VERDICT_DONE: the ACK is acceptable */
static int check_ack(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx,
                     uint32_t index)
{
	const struct tcp_seg *seg = &rx->seg;
	struct syn_entry *e = &tcp->syn.entry[index];
	const struct tcb *listener = tcp_listener(tcp, e->binding);
	uint32_t wnd = RTE_MIN(tcp_rcv_limit(tcp, listener), (uint32_t)UINT16_MAX);

	if (seg->flags & TCP_RST)
		return entry_rst(tcp, rx, index, wnd);
	if ((e->opt & TCB_OPT_TS) && (seg->has & TCP_HAS_TS) && seq_lt(seg->tsval, e->ts_recent)) {
		send_entry_ack(tcp, e, wnd);
		return PC_DROP_TCP_PAWS;
	}
	if (seg->flags & TCP_SYN)
		return entry_syn(tcp, rx, index, wnd);
	if ((e->opt & TCB_OPT_TS) && !(seg->has & TCP_HAS_TS))
		return PC_DROP_TCP_NO_TIMESTAMP;
	if (!tcp_is_acceptable(seg, e->irs + 1, wnd)) {
		send_entry_ack(tcp, e, wnd);
		return PC_DROP_TCP_SYN_RCVD;
	}
	if (!(seg->flags & TCP_ACK))
		return PC_DROP_TCP_NO_ACK;
	if (seg->ack != e->iss + 1) {
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_TCP_SYN_RCVD;
	}
	return VERDICT_DONE;
}

/* the new connection, which is in the flow table, now waits to be accepted */
static void announce(struct tcp *tcp, struct tcb *t)
{
	const struct strangers *s = tcp->ctx->strangers;

	known_note(&tcp->known, &t->flow.raddr, tcp->ctx->now_ns, s != NULL && s->until_ns != 0);
	tcb_establish(tcp, t);
	listener_push(tcp, t->binding, t);
	ctx_count(tcp->ctx, PC_TCP_OPENED_PASSIVE);
	tcb_notify(tcp, tcp_listener(tcp, t->binding), EPOLLIN | EPOLLRDNORM);
}

/* TCP_DEFER_ACCEPT: a connection without data is not accepted yet; as on Linux, this lasts for at
 * most that many time-outs */
static bool defers(struct tcp *tcp, struct syn_entry *e, const struct tcp_seg *seg)
{
	if (e->retries >= tuning_of(tcp, e)->defer || seg->len > 0 || (seg->flags & TCP_FIN))
		return false;
	if (!e->acked && e->lost == 0)
		e->sent_us = tcp->ctx->now_us - e->sent_us;
	e->acked = 1;
	if ((seg->has & TCP_HAS_TS) && seg->seq == e->irs + 1)
		e->ts_recent = seg->tsval;
	return true;
}

/* the handshake is complete, but the queue is full: the peer will try again, or gets a RST */
static int overflow(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx, int verdict)
{
	if (tcp->ctx->cfg.tcp_abort_on_overflow)
		tcp_reply_rst(tcp, p, rx);
	return verdict;
}

/* may this listener have one more connection from this source? VERDICT_DONE: yes */
static int check_limits(const struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx)
{
	if (listener_is_full(&tcp->bind.binding[binding]))
		return PC_DROP_TCP_BACKLOG;
	if (sources_is_full(&tcp->connections, &rx->flow.raddr))
		return PC_DROP_TCP_SOURCE;
	return VERDICT_DONE;
}

int syncache_input(struct tcp *tcp, const struct ip_pkt *p, struct tcp_rx *rx, uint32_t index,
                   struct tcb **out)
{
	struct syn_entry *e = &tcp->syn.entry[index];
	int verdict = check_ack(tcp, p, rx, index);
	struct fw_share share;
	struct tcb *t;

	if (verdict != VERDICT_DONE)
		return verdict;
	if (defers(tcp, e, &rx->seg))
		return PC_DROP_TCP_ACK_DONE;
	verdict = check_limits(tcp, e->binding, rx);
	if (verdict != VERDICT_DONE) {
		if (tcp->ctx->cfg.tcp_abort_on_overflow)
			syncache_remove(tcp, index);
		return overflow(tcp, p, rx, verdict);
	}
	if (!tcp_guard_admits(tcp, p, rx, &share)) {
		syncache_remove(tcp, index);
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_FIREWALL;
	}
	t = room_promote(tcp, e);
	if (t == NULL)
		return PC_DROP_TCP_NO_TCB;
	fw_take_share(&share);
	if (e->lost == 0 && !e->again) /* Karn (RFC 6298 section 3) */
		rtt_sample(tcp, t, e->acked ? e->sent_us : tcp->ctx->now_us - e->sent_us);
	else if (!e->acked)
		tcp_ack_sample_syn(tcp, t, &rx->seg);
	tcb_replace(tcp, t, rx->hash, flow_ref_make(FLOW_SYN, index));
	release_entry(tcp, index);
	announce(tcp, t);
	tcp_ecn_syn_ack_marked(tcp, t, &rx->seg);
	*out = t;
	return VERDICT_DONE;
}

bool syncache_may_be_cookie(const struct tcp *tcp)
{
	return tcp->syn.has_cookies && syncookie_unit(tcp->ctx->now_ns) - tcp->syn.cookie_unit <= 1;
}

/*
 * No connection for this segment: RST, but no answer to what may follow the first data of a peer
 * with a cookie of ours.  That data was lost, or had to wait (max_connections); the peer will
 * retransmit it, and its first segment shows the cookie.
 */
static int no_cookie(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;

	ctx_count(tcp->ctx, PC_TCP_COOKIES_INVALID);
	if ((seg->len > 0 || (seg->flags & TCP_FIN)) &&
	    syncookie_is_in_time(tcp->ctx->now_ns, (uint32_t)tcp_secret(tcp, &rx->flow),
	                         seg->ack - 1))
		return PC_DROP_TCP_LISTEN;
	tcp_reply_rst(tcp, p, rx);
	return PC_DROP_TCP_CLOSED;
}

int syncache_input_cookie(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx,
                          uint32_t binding, struct tcb **out)
{
	struct fw_share share;
	struct syn_entry e;
	struct tcb *t;
	int verdict;

	if ((rx->seg.flags & TCP_SYN) || !syncache_may_be_cookie(tcp)) {
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_TCP_CLOSED;
	}
	if (!syncache_read_cookie(tcp, binding, rx, &e))
		return no_cookie(tcp, p, rx);
	verdict = check_limits(tcp, binding, rx);
	if (verdict != VERDICT_DONE)
		return overflow(tcp, p, rx, verdict);
	if (!tcp_guard_admits(tcp, p, rx, &share)) {
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_FIREWALL;
	}
	t = room_promote(tcp, &e);
	if (t == NULL)
		return PC_DROP_TCP_NO_TCB;
	fw_take_share(&share);
	ctx_count(tcp->ctx, PC_TCP_COOKIES_ACCEPTED);
	tcb_enter_passive(tcp, t);
	announce(tcp, t);
	*out = t;
	return VERDICT_DONE;
}

void syncache_drop_listener(struct tcp *tcp, uint32_t binding)
{
	struct syncache *sc = &tcp->syn;

	for (uint32_t k = 0; tcp->bind.binding[binding].half_open > 0 && k < SYN_QUEUES; k++) {
		for (uint32_t i = sc->queue[k].head, next; i != 0; i = next) {
			next = sc->entry[i].next;
			if (sc->entry[i].binding == binding)
				syncache_remove(tcp, i);
		}
	}
}

/* A SYN-ACK was not answered, or not with data, for another time-out. Returns whether to wait on. */
static bool on_entry_timeout(struct tcp *tcp, struct syn_entry *e)
{
	const struct tcp_tuning *tune = tuning_of(tcp, e);
	uint32_t limit =
	    tune->syncnt != 0 ? tune->syncnt : (uint32_t)tcp->ctx->cfg.tcp_synack_retries;

	if (e->retries >= limit && (!e->acked || e->retries >= tune->defer))
		return false;
	/* a peer that waits for the server to speak first gets another SYN-ACK when the deferral
	 * ends */
	if (!e->acked || e->retries + 1u >= tune->defer) {
		if (!e->acked && e->lost < LOST_MOST)
			e->lost++;
		if ((e->opt & TCB_OPT_ACCECN) && e->lost > SYNS_THAT_ASK)
			e->opt &= (uint8_t)~TCB_OPT_ECN;
		ctx_count(tcp->ctx, PC_TCP_RETRANSMITS);
		syncache_answer(tcp, e, NULL);
	}
	return true;
}

void syncache_poll(struct tcp *tcp)
{
	struct syncache *sc = &tcp->syn;

	sc->has_polled = true;
	sc->polled = tcp->ctx->tick;
	for (uint32_t k = 0; k < SYN_QUEUES; k++) {
		for (uint32_t i = sc->queue[k].head; i != 0; i = sc->queue[k].head) {
			struct syn_entry *e = &sc->entry[i];

			if (seq_gt(e->expiry, tcp->ctx->tick))
				break;
			if (!on_entry_timeout(tcp, e)) {
				syncache_remove(tcp, i);
				continue;
			}
			dequeue(sc, i);
			e->retries++;
			enqueue_entry(tcp, i);
		}
	}
}

bool syncache_next(const struct syncache *sc, uint32_t *tick)
{
	bool any = false;

	for (uint32_t k = 0; k < SYN_QUEUES; k++) {
		uint32_t i = sc->queue[k].head;

		if (i == 0)
			continue;
		*tick = any ? seq_min(*tick, sc->entry[i].expiry) : sc->entry[i].expiry;
		any = true;
	}
	return any;
}

unsigned syncache_validate(const struct tcp *tcp)
{
	const struct syncache *sc = &tcp->syn;
	uint32_t count = 0;
	unsigned bad = 0;

	for (uint32_t k = 0; k < SYN_QUEUES; k++) {
		uint32_t prev = 0;

		for (uint32_t i = sc->queue[k].head; i != 0; i = sc->entry[i].next, count++) {
			const struct syn_entry *e = &sc->entry[i];
			flow_ref ref = tcp_table_find(
			    &tcp->table, tcp_table_hash(&tcp->table, &e->flow), &e->flow);

			bad += e->prev != prev;
			bad += queue_of(e) != k;
			bad += ref != flow_ref_make(FLOW_SYN, i);
			bad += prev != 0 && seq_lt(e->expiry, sc->entry[prev].expiry);
			prev = i;
		}
		bad += sc->queue[k].tail != prev;
	}
	return bad + (count != sc->used);
}
