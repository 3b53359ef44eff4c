/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path MTU of a connection.
 *
 * tcb.path_mtu is the largest packet known to fit.  While it is less than what the interface and
 * the peer take, a search for a larger one is on: pmtu.high is the largest that may fit (0: no
 * search), pmtu.probe the size of a probe in flight, pmtu.end where it ends.  When high and
 * path_mtu are close, the search pauses for ten minutes and then resumes. pmtu.forgiven counts
 * bytes that were lost because of the size of their segments, until pmtu.end is acknowledged.
 *
 * A probe is an ordinary segment of the stream (RFC 4821 section 6.3), merged from the first unsent
 * ones; when it is lost, tcp_resend splits it.  If it alone is lost, it was too large; among other
 * losses it says nothing (section 7.6.4), and the same size is tried again later.  Invariant: no
 * search without queues; pmtu keeps them (q->keep).
 */
#include "tcp/pmtu.h"

#include "base/seq.h"
#include "tcp/auth.h"
#include "tcp/scoreboard.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"

#define PMTU_R1    3  /* RFC 9293 SHLD-10: time-outs after which the path is suspect */
#define MIN_CWND   11 /* segments: with fewer, a loss says too little (as on Linux) */
#define BEHIND     3  /* segments after a probe, whose duplicate ACKs soon show its loss */
#define TS_LEN     12
#define FIXED_LEN4 40
#define FIXED_LEN6 60

static uint32_t fixed_len(const struct tcb *t)
{
	return pc_addr_is_ip4(&t->flow.raddr) ? FIXED_LEN4 : FIXED_LEN6;
}

static uint32_t floor_of(const struct tcb *t)
{
	return pc_addr_is_ip4(&t->flow.raddr) ? PMTU_MIN4 : PMTU_MIN6;
}

/* the most that may ever fit: the limits of the link, the route and the peer */
static uint32_t ceiling_of(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_flow *f = &t->flow;
	uint32_t way = ip_way_mtu(tcp->ip, &f->raddr, f->laddr, tcp_flow_ports(f));
	uint32_t peer = t->peer_mss + fixed_len(t);
	uint32_t maxseg = tcp_tuning(tcp, t)->maxseg;

	if (way == 0) /* no route for now */
		way = ip_link_mtu(tcp->ip, t->netif, &f->raddr);
	if (maxseg != 0)
		peer = RTE_MIN(peer, maxseg + fixed_len(t));
	return RTE_MIN(way, peer);
}

static void remember_mtu(struct tcp *tcp, const struct tcb *t)
{
	struct dest *d = dest_make(&tcp->dests, &t->flow.raddr, ctx_seconds(tcp->ctx));

	d->path_mtu = t->path_mtu;
	d->mtu_s = ctx_seconds(tcp->ctx);
}

static void set_mtu(struct tcp *tcp, struct tcb *t, uint32_t mtu)
{
	t->path_mtu = (uint16_t)mtu;
	tcb_update_mss(tcp, t);
}

/* continues the search for an MTU up to high: now, or later if the path's is nearly that already */
static void search(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t high)
{
	uint32_t wait = 0;

	if (tcp->ctx->cfg.tcp_mtu_probing == PMTU_PROBING_OFF)
		return;
	if (high <= (uint32_t)t->path_mtu + PMTU_CLOSE) { /* found: try for more later */
		high = ceiling_of(tcp, t);
		wait = ticks_from_ms(PMTU_RETRY_MS);
	}
	q->pmtu.high = high > (uint32_t)t->path_mtu + PMTU_CLOSE ? (uint16_t)high : 0;
	q->pmtu.tick = tcp->ctx->tick + wait;
	q->keep = true;
}

void pmtu_begin(struct tcp *tcp, struct tcb *t)
{
	uint32_t base = (uint32_t)tcp->ctx->cfg.tcp_base_mss + fixed_len(t);
	struct tcp_queues *q;

	if (t->path_mtu <= base || (q = tcb_attach_queues(tcp, t)) == NULL)
		return;
	set_mtu(tcp, t, RTE_MAX(base, floor_of(t)));
	search(tcp, t, q, ceiling_of(tcp, t));
	tcb_detach_queues(tcp, t);
}

/* Segments in flight that are too large are lost, but not because of congestion; so are those
 * retransmitted after an earlier router's message that are still too large for this one. */
static void forgive(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	q->pmtu.forgiven =
	    seq_lt(t->snd_una, q->pmtu.end) ? RTE_MIN(q->pmtu.forgiven, q->lost_bytes) : 0;
	for (struct rte_mbuf *m = scoreboard_open(q, q->snd.head); m != NULL;
	     m = scoreboard_next(q, m)) {
		const struct pkt *note = pkt_of(m);

		if (note->tx.len <= t->mss || scoreboard_waits(m))
			continue;
		if (!(note->tx.flags & SEG_LOST))
			q->pmtu.forgiven += note->tx.len;
		scoreboard_lost(q, m);
	}
	q->pmtu.end = t->snd_nxt;
	tcp_loss_arm(tcp, t, q);
	tcp_work(tcp, t);
}

void pmtu_too_big(struct tcp *tcp, struct tcb *t, uint32_t mtu)
{
	struct tcp_queues *q = tcp_queues_if(tcp, t); /* stashed data is smaller than any MTU */

	mtu = RTE_MAX(mtu, floor_of(t));
	if (mtu >= t->path_mtu && (q == NULL || q->pmtu.probe == 0 || mtu >= q->pmtu.probe))
		return;
	if (mtu < t->path_mtu) {
		set_mtu(tcp, t, mtu);
		remember_mtu(tcp, t);
	}
	if (q == NULL || q->snd.head == NULL || t->snd_nxt == t->snd_una ||
	    t->state == TCP_S_SYN_SENT)
		return;
	q->pmtu.probe = 0;
	search(tcp, t, q, mtu);
	forgive(tcp, t, q);
}

void pmtu_timeout(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t base = (uint32_t)tcp->ctx->cfg.tcp_base_mss + fixed_len(t), mtu, old;

	if (q->pmtu.probe != 0) { /* it may have been the probe; go on without one */
		q->pmtu.probe = 0;
		q->pmtu.tick = tcp->ctx->tick + ticks_from_ms(PMTU_RETRY_MS);
	}
	q->pmtu.forgiven = 0;
	if (tcp->ctx->cfg.tcp_mtu_probing == PMTU_PROBING_OFF || t->retries < PMTU_R1 ||
	    q->snd.head == NULL)
		return;
	/* what counts is the size of what is lost: small segments say nothing about the MTU, and
	 * losses of those below the base more often have another reason */
	old = RTE_MIN((uint32_t)t->path_mtu, pkt_of(q->snd.head)->tx.len + fixed_len(t));
	mtu = RTE_MAX(old > base ? base : old / 2, floor_of(t));
	if (mtu >= old || (old <= base && t->retries < 2 * PMTU_R1))
		return;
	old = t->path_mtu;
	ctx_count(tcp->ctx, PC_TCP_BLACK_HOLES);
	set_mtu(tcp, t, mtu);
	search(tcp, t, q, RTE_MAX(old, (uint32_t)q->pmtu.high));
}

/* the probe was delivered */
static void on_delivered(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	set_mtu(tcp, t, q->pmtu.probe);
	remember_mtu(tcp, t);
	q->pmtu.probe = 0;
	ctx_count(tcp->ctx, PC_TCP_MTU_RAISED);
	search(tcp, t, q, q->pmtu.high);
}

/* is only the probe lost? */
static bool is_lost_alone(const struct tcp_queues *q)
{
	const struct rte_mbuf *m = q->snd.head;

	while (m != NULL && m != q->snd_next &&
	       pkt_of_const(m)->tx.seq + pkt_of_const(m)->tx.len != q->pmtu.end)
		m = pkt_of_const(m)->next;
	return m != NULL && m != q->snd_next && (pkt_of_const(m)->tx.flags & SEG_LOST) &&
	       q->lost_bytes == pkt_of_const(m)->tx.len;
}

bool pmtu_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	if (q->pmtu.probe != 0) {
		if (seq_geq(t->snd_una, q->pmtu.end)) {
			on_delivered(tcp, t, q);
		} else if (q->recovery == TCP_R_OPEN && q->lost_bytes > 0 && is_lost_alone(q)) {
			uint32_t high = q->pmtu.probe - 1u;

			q->pmtu.probe = 0;
			q->pmtu.forgiven = q->lost_bytes;
			ctx_count(tcp->ctx, PC_TCP_MTU_PROBES_LOST);
			search(tcp, t, q, high);
		}
	}
	if (q->pmtu.forgiven == 0)
		return false;
	if (seq_geq(t->snd_una, q->pmtu.end)) {
		q->pmtu.forgiven = 0;
		return false;
	}
	return q->lost_bytes <= q->pmtu.forgiven;
}

/* RFC 4821 section 7.4: only when nothing is lost, and enough follows to show its loss soon */
static bool is_time(const struct tcb *t, const struct tcp_queues *q, uint32_t len)
{
	uint32_t need = len + BEHIND * t->mss;

	return q->recovery == TCP_R_OPEN && t->retries == 0 && q->sacked_segs == 0 &&
	       q->dupacks == 0 && q->lost_bytes == 0 && t->cwnd >= MIN_CWND * (uint32_t)t->mss &&
	       tcp_pipe(t, q) + len <= t->cwnd && tcp_unsent(t) >= need &&
	       t->snd_nxt - t->snd_una + need <= t->snd_wnd;
}

bool pmtu_make_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t fixed = fixed_len(t) + (t->opt & TCB_OPT_TS ? TS_LEN : 0), most, mtu;
	struct rte_mbuf *m = q->snd_next;

	if (m == NULL || seq_lt(tcp->ctx->tick, q->pmtu.tick))
		return false;
	fixed += auth_space(tcp, t);
	most = ceiling_of(tcp, t);
	if (q->pmtu.high > most) { /* the route has changed */
		search(tcp, t, q, most);
		return false;
	}
	mtu = (t->path_mtu + q->pmtu.high + 1u) / 2;
	/* the usual sizes are tried first (RFC 4821 section 7.3) */
	if (q->pmtu.high == most)
		mtu = q->pmtu.high;
	if (!is_time(t, q, mtu - fixed))
		return false;
	sndbuf_merge(&q->snd, m, (uint16_t)(mtu - fixed));
	if (pkt_of(m)->tx.len != mtu - fixed || pkt_of(m)->tx.sends != 0)
		return false;
	q->pmtu.probe = (uint16_t)mtu;
	q->pmtu.end = pkt_of(m)->tx.seq + pkt_of(m)->tx.len;
	q->pmtu.forgiven = 0;
	return true;
}
