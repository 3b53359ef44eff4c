/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP Fast Open.
 *
 * Life cycle of such a connection on a server: TCB_CONNECTED is set from the beginning, as the
 * application may read, write and close; SYN-RECEIVED lasts until the handshake's ACK.  Until then
 * the connection counts against the listener's limit (binding.fastopen), and therefore remembers
 * its listener even after it was accepted.
 *
 * A client's SYN carries the first segment of the send queue.  That counts as sent; if the SYN-ACK
 * does not acknowledge it, it becomes unsent again.  A retransmitted SYN has neither data nor the
 * option (RFC 7413 section 4.1.3): they may be why the first was dropped.
 */
#include "tcp/fastopen.h"

#include <errno.h>
#include <string.h>

#include "base/seq.h"
#include "fw/fw.h"
#include "tcp/auth.h"
#include "tcp/rtt.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"

#define COOKIE_LEN      8
#define OPTION_SPACE    40 /* the most that a header may have */
#define MAX_FAILURES    7
#define RESET_LASTS_S   60
#define FAILURE_PAUSE_S 60 /* doubled with each further failure */

static uint64_t bits(const struct tcp *tcp)
{
	return tcp->ctx->cfg.tcp_fastopen;
}

/* ---- server ---------------------------------------------------------------------------------- */

void fastopen_init(struct tcp *tcp)
{
	uint64_t secret = tcp->ctx->cfg.tcp_fastopen_key;
	struct pc_sip_key from = {{secret, ~secret}};

	tcp->fastopen.has_backup = false;
	tcp->fastopen.key[0] = rng_key(&tcp->ctx->rng);
	if (secret == 0)
		return;
	tcp->fastopen.key[0].k[0] = pc_siphash24(&from, "cookie 0", 8);
	tcp->fastopen.key[0].k[1] = pc_siphash24(&from, "cookie 1", 8);
}

void fastopen_set_keys(struct tcp *tcp, const void *key, const void *backup)
{
	memcpy(&tcp->fastopen.key[0], key, sizeof(struct pc_sip_key));
	tcp->fastopen.has_backup = backup != NULL;
	if (backup != NULL)
		memcpy(&tcp->fastopen.key[1], backup, sizeof(struct pc_sip_key));
}

/* RFC 7413 section 4.1.2: a MAC of the client's address, which only we can make */
static uint64_t make_cookie(const struct tcp *tcp, unsigned key, const struct tcp_flow *flow)
{
	const struct pc_addr ends[2] = {flow->raddr, *ip_laddr(tcp->ip, flow->laddr)};

	return pc_siphash24(&tcp->fastopen.key[key], ends, sizeof(ends));
}

/* in constant time */
static bool is_cookie(const struct tcp *tcp, unsigned key, const struct tcp_rx *rx)
{
	uint64_t want = make_cookie(tcp, key, &rx->flow), got;

	if (rx->seg.cookie_len != COOKIE_LEN)
		return false;
	memcpy(&got, rx->seg.cookie, sizeof(got));
	return (got ^ want) == 0;
}

static uint32_t limit_of(const struct tcp *tcp, uint32_t binding)
{
	const struct tcb *listener = tcp_listener(tcp, binding);

	return bits(tcp) & FASTOPEN_SERVER ? tcp_tuning(tcp, listener)->fastopen : 0;
}

void fastopen_offer(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx, struct tcp_seg *s)
{
	uint64_t cookie;

	if (!(rx->seg.has & TCP_HAS_FASTOPEN) || limit_of(tcp, binding) == 0 ||
	    is_cookie(tcp, 0, rx) || (rx->seg.has & TCP_HAS_AUTH))
		return;
	cookie = make_cookie(tcp, 0, &rx->flow);
	memcpy(s->cookie, &cookie, COOKIE_LEN);
	s->cookie_len = COOKIE_LEN;
	s->has |= TCP_HAS_FASTOPEN;
	ctx_count(tcp->ctx, PC_TCP_FASTOPEN_COOKIES);
}

/* RFC 7413 section 5.1: a host whose address was spoofed answers with RST, which would make room
 * for the next such SYN; so connections that were reset count for a while */
static uint32_t pending(const struct tcp *tcp, struct binding *l)
{
	if (ctx_seconds(tcp->ctx) - l->fastopen_reset_s >= RESET_LASTS_S)
		l->fastopen_reset = 0;
	return l->fastopen + l->fastopen_reset;
}

void fastopen_was_reset(struct tcp *tcp, const struct tcb *t)
{
	struct binding *l = &tcp->bind.binding[t->binding];

	if (!(t->opt & TCB_OPT_SYN_DATA) || !(t->flags & TCB_CONNECTED) || t->binding == 0)
		return;
	(void)pending(tcp, l);
	l->fastopen_reset++;
	l->fastopen_reset_s = ctx_seconds(tcp->ctx);
}

static bool is_welcome(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx)
{
	struct binding *l = &tcp->bind.binding[binding];
	bool no_cookie = (bits(tcp) & FASTOPEN_SERVER_NO_COOKIE) && rx->seg.len > 0;

	if (limit_of(tcp, binding) == 0 || (!(rx->seg.has & TCP_HAS_FASTOPEN) && !no_cookie) ||
	    (rx->seg.has & TCP_HAS_AUTH))
		return false;
	if (!no_cookie && rx->seg.cookie_len == 0)
		return false;
	if (!no_cookie && !is_cookie(tcp, 0, rx) &&
	    !(tcp->fastopen.has_backup && is_cookie(tcp, 1, rx))) {
		ctx_count(tcp->ctx, PC_TCP_FASTOPEN_INVALID);
		return false;
	}
	/* RFC 7413 section 5.1: no more at a time than the application allows */
	if (pending(tcp, l) >= limit_of(tcp, binding) || listener_is_full(l)) {
		ctx_count(tcp->ctx, PC_TCP_FASTOPEN_OVERFLOW);
		return false;
	}
	return true;
}

struct tcb *fastopen_examine(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx)
{
	struct syn_entry e;
	struct tcb *t;

	/* firewall rules that count handshakes need complete ones; the SYN's data will be
	 * retransmitted (RFC 7413 section 4.2.2) */
	if (tcp->ctx->mbufs_scarce || fw_counts_handshakes(&tcp->ip->fw) ||
	    sources_is_full(&tcp->connections, &rx->flow.raddr) || !is_welcome(tcp, binding, rx))
		return NULL;
	(void)syncache_read(tcp, binding, rx, &e);
	e.opt |= tcp_ecn_accepts(tcp, tcp_listener(tcp, binding), &rx->seg, rx->tos);
	t = syncache_promote(tcp, &e);
	if (t == NULL)
		return NULL;
	t->opt |= TCB_OPT_SYN_DATA;
	if (rx->seg.len > 0) /* for TCP_INFO */
		t->opt |= TCB_OPT_FASTOPEN;
	t->rttvar_us = tcp->ctx->now_us;
	tcb_enter_passive(tcp, t);
	tcb_establish(tcp, t);
	t->state = TCP_S_SYN_RECEIVED;
	tcp->bind.binding[binding].fastopen++;
	listener_push(tcp, binding, t);
	ctx_count(tcp->ctx, PC_TCP_FASTOPEN_PASSIVE);
	tcb_notify(tcp, tcp_listener(tcp, binding), EPOLLIN | EPOLLRDNORM);
	return t;
}

void fastopen_answer(struct tcp *tcp, struct tcb *t, const struct tcp_rx *rx)
{
	struct tcp_seg s = {.has = 0};
	struct fastopen_cookie cookie = {.len = 0};

	fastopen_offer(tcp, t->binding, rx, &s); /* of the current key, if the SYN's was not */
	cookie.len = s.cookie_len;
	memcpy(cookie.bytes, s.cookie, COOKIE_LEN);
	/* the SYN-ACK acknowledges the SYN's data */
	t->flags &= ~(uint32_t)(TCB_ACK_NOW | TCB_ACK_LATER);
	tcp_send_syn(tcp, t, cookie.len > 0 ? &cookie : NULL);
	tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
}

void fastopen_leave(struct tcp *tcp, struct tcb *t)
{
	if (t->binding != 0 && tcp->bind.binding[t->binding].fastopen > 0)
		tcp->bind.binding[t->binding].fastopen--;
	if (!(t->flags & TCB_PENDING))
		t->binding = 0;
}

void fastopen_opened(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);

	fastopen_leave(tcp, t);
	if (t->retries == 0 && t->rttvar_us != 0) /* Karn (RFC 6298 section 3) */
		rtt_sample(tcp, t, tcp->ctx->now_us - t->rttvar_us);
	if (t->retries > 0) /* RFC 6928 section 2 */
		t->cwnd = RTE_MIN(t->cwnd, tcb_initial_window(tcp, t));
	t->retries = 0;
	t->timers &= (uint8_t)~TCB_T_LOSS;
	if (t->snd_nxt != t->snd_una) /* what was sent meanwhile now needs its own time-out */
		tcp_loss_arm(tcp, t, q);
	ctx_count(tcp->ctx, PC_TCP_OPENED_PASSIVE);
	tcp_work(tcp, t);
}

void fastopen_forget_listener(struct tcp *tcp, uint32_t binding)
{
	struct binding *l = &tcp->bind.binding[binding];

	for (uint32_t i = 1; i <= tcp->free_tcbs.touched && l->fastopen > 0; i++) {
		struct tcb *t = tcp_tcb(tcp, i);

		if (t->state == TCP_S_SYN_RECEIVED && (t->opt & TCB_OPT_SYN_DATA) &&
		    t->binding == binding)
			fastopen_leave(tcp, t);
	}
}

/* ---- client ---------------------------------------------------------------------------------- */

/* RFC 7413 section 4.1.3.1: if SYNs with data are lost, a plain handshake is quicker */
static bool is_paused(const struct tcp *tcp, const struct dest *d)
{
	return d->failures > 0 && ctx_seconds(tcp->ctx) - d->failed_s < (uint32_t)FAILURE_PAUSE_S
	                                                                    << (d->failures - 1);
}

/* finds the cookie for the SYN, and the MSS; returns whether the SYN may carry data */
static bool find_cookie(struct tcp *tcp, struct tcb *t, struct fastopen_cookie *c, uint16_t *mss)
{
	struct dest *d = dest_find(&tcp->dests, &t->flow.raddr, ctx_seconds(tcp->ctx));

	*mss = MSS_DEFAULT;
	c->len = 0;
	if (!(bits(tcp) & FASTOPEN_CLIENT) || (d != NULL && is_paused(tcp, d)) ||
	    auth_of(tcp, t) != NULL)
		return false;
	if (d != NULL && d->mss != 0)
		*mss = d->mss;
	if (d != NULL && d->cookie_len != 0) {
		c->len = d->cookie_len;
		memcpy(c->bytes, d->cookie, d->cookie_len);
		return true;
	}
	return bits(tcp) & FASTOPEN_CLIENT_NO_COOKIE;
}

bool fastopen_defer(struct tcp *tcp, struct tcb *t)
{
	struct fastopen_cookie c;
	uint16_t mss;

	return tcp_tuning(tcp, t)->fastopen_connect && find_cookie(tcp, t, &c, &mss);
}

static void send_syn(struct tcp *tcp, struct tcb *t, const struct fastopen_cookie *c)
{
	/* a SYN that was not sent says nothing about the path, and its retransmission lacks the
	 * option */
	if (!tcp_send_syn(tcp, t, c))
		t->opt &= (uint8_t)~TCB_OPT_FASTOPEN;
	tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
}

void fastopen_request(struct tcp *tcp, struct tcb *t)
{
	const struct dest *d = dest_find(&tcp->dests, &t->flow.raddr, ctx_seconds(tcp->ctx));
	struct fastopen_cookie c = {.len = 0};
	bool ask = (bits(tcp) & FASTOPEN_CLIENT) && (d == NULL || !is_paused(tcp, d)) &&
	           auth_of(tcp, t) == NULL;

	if (ask)
		t->opt |= TCB_OPT_FASTOPEN;
	send_syn(tcp, t, ask ? &c : NULL);
}

/* sequence numbers start after the SYN, which carries the first segment */
static void begin_behind_syn(struct tcb *t, struct tcp_queues *q)
{
	uint32_t len = pkt_of(q->snd.head)->tx.len;

	t->snd_una++;
	t->snd_nxt = t->snd_una + len;
	t->snd_bytes = len;
	pkt_of(q->snd.head)->tx.sends = 1;
	q->snd_next = NULL;
	t->opt |= TCB_OPT_FASTOPEN | TCB_OPT_SYN_DATA;
}

static bool is_empty(const struct iovec *iov, int iovcnt)
{
	for (int i = 0; i < iovcnt; i++)
		if (iov[i].iov_len > 0)
			return false;
	return true;
}

ssize_t fastopen_send(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt)
{
	struct fastopen_cookie c;
	struct tcp_queues *q;
	uint16_t mss;
	uint32_t n;

	if (is_empty(iov, iovcnt) && find_cookie(tcp, t, &c, &mss)) {
		t->opt |= TCB_OPT_FASTOPEN;
		send_syn(tcp, t, &c);
		return -EINPROGRESS;
	}
	if (!find_cookie(tcp, t, &c, &mss) ||
	    (q = tcp->ctx->mbufs_low ? NULL : tcb_attach_queues(tcp, t)) == NULL) {
		fastopen_request(tcp, t);
		return -EINPROGRESS;
	}
	t->peer_mss = mss;
	tcb_update_mss(tcp, t);
	t->mss = (uint16_t)(t->mss - OPTION_SPACE);
	n = sndbuf_append(tcp->ctx, q, t->snd_una + 1, iov, iovcnt, t->mss, t->mss,
	                  !tcp_port_has(tcp, t, PC_PORT_TX_TCP_CKSUM));
	/* the mbuf may be too small for the segment; what follows it would not be in the SYN */
	if (n == 0 || pkt_of(q->snd.head)->next != NULL) {
		tcb_drop_unsent(tcp, t);
		fastopen_request(tcp, t);
		return -EINPROGRESS;
	}
	begin_behind_syn(t, q);
	ctx_add(tcp->ctx, PC_TCP_TX_BYTES, n);
	pkt_of(q->snd.head)->tx.sent_us = tcp->ctx->now_us;
	send_syn(tcp, t, &c);
	return (ssize_t)n;
}

/* a negative response (RFC 7413 section 4.1.3.1) */
static void note_failure(struct tcp *tcp, struct dest *d)
{
	d->failures = (uint8_t)RTE_MIN(d->failures + 1, MAX_FAILURES);
	d->failed_s = ctx_seconds(tcp->ctx);
}

/* nothing of the first SYN's data is acknowledged: "Negative responses include the server not
 * acknowledging the data in the SYN"; but with a cookie the server invites data in the next SYN */
static bool is_refusal(const struct tcb *t, const struct tcp_seg *seg)
{
	return t->retries == 0 && seg->ack == t->snd_una &&
	       !((seg->has & TCP_HAS_FASTOPEN) && seg->cookie_len > 0);
}

void fastopen_synack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	struct dest *d;

	if (!(t->opt & TCB_OPT_FASTOPEN))
		return;
	d = dest_make(&tcp->dests, &t->flow.raddr, ctx_seconds(tcp->ctx));
	d->mss = t->peer_mss;
	if ((seg->has & TCP_HAS_FASTOPEN) && seg->cookie_len > 0) {
		d->cookie_len = seg->cookie_len;
		memcpy(d->cookie, seg->cookie, seg->cookie_len);
	}
	if (!(t->opt & TCB_OPT_SYN_DATA))
		return;
	if (seg->ack != t->snd_nxt) {
		ctx_count(tcp->ctx, PC_TCP_FASTOPEN_REFUSED);
		if (is_refusal(t, seg))
			note_failure(tcp, d);
		return;
	}
	ctx_count(tcp->ctx, PC_TCP_FASTOPEN_ACTIVE);
	d->failures = 0;
}

void fastopen_settle(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	struct tcp_queues *q;

	if (!(t->opt & TCB_OPT_SYN_DATA))
		return;
	tcp_ack(tcp, t, seg, 0);
	q = tcp_queues(tcp, t);
	if (q == NULL || q->snd.head == NULL)
		return;
	/* RFC 7413 section 4.2.2: "the client should retransmit the data" */
	t->opt &= (uint8_t)~TCB_OPT_SYN_DATA;
	t->snd_nxt = t->snd_una;
	t->timers &= (uint8_t)~TCB_T_LOSS;
	q->snd_next = q->snd.head;
	tcp_work(tcp, t);
}

static void note_lost(struct tcp *tcp, const struct tcb *t)
{
	if (!(t->opt & TCB_OPT_FASTOPEN) || t->state != TCP_S_SYN_SENT)
		return;
	note_failure(tcp, dest_make(&tcp->dests, &t->flow.raddr, ctx_seconds(tcp->ctx)));
	ctx_count(tcp->ctx, PC_TCP_FASTOPEN_LOST);
}

void fastopen_lost(struct tcp *tcp, const struct tcb *t)
{
	if (t->retries == 1)
		note_lost(tcp, t);
}

void fastopen_error(struct tcp *tcp, const struct tcb *t)
{
	if (t->retries == 0)
		note_lost(tcp, t);
}
