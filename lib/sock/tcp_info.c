/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP_INFO in Linux's layout. Its names collide with ours, so they are confined to this file. */

#include "sock/tcp_info.h"

#include <linux/tcp.h>
#include <string.h>

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp_conn.h"

#define DUP_THRESH 3    /* RFC 5681 section 3.2; tcpi_reordering unless more was seen */
#define COUNT_MAX  1024 /* segments counted one by one */
#define TS_SPACE   12

static uint8_t ca_state(const struct tcb *t, const struct tcp_queues *q)
{
	if (q != NULL && q->recovery == TCP_R_OPEN && q->reduced &&
	    seq_leq(t->snd_una, q->reduced_end))
		return TCP_CA_CWR;
	if (q == NULL)
		return TCP_CA_Open;
	if (q->recovery == TCP_R_OPEN)
		return q->dupacks > 0 || q->sacked_segs > 0 ? TCP_CA_Disorder : TCP_CA_Open;
	return q->recovery == TCP_R_LOSS ? TCP_CA_Loss : TCP_CA_Recovery;
}

static uint8_t options_of(const struct tcb *t)
{
	uint8_t o = 0;

	if (t->opt & TCB_OPT_TS)
		o |= TCPI_OPT_TIMESTAMPS;
	if (t->opt & TCB_OPT_SACK)
		o |= TCPI_OPT_SACK;
	if (t->opt & TCB_OPT_WSCALE)
		o |= TCPI_OPT_WSCALE;
	if (t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN))
		o |= TCPI_OPT_ECN;
	if ((t->opt & TCB_OPT_SYN_DATA) && (t->opt & TCB_OPT_FASTOPEN) &&
	    t->state != TCP_S_SYN_SENT)
		o |= TCPI_OPT_SYN_DATA;
	return o;
}

/* the MSS we announced: TCP_MAXSEG, or the link's; as on Linux less the timestamps */
static uint32_t advmss(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t own = tcp_tuning(tcp, t)->maxseg, link;

	if (t->path_mtu == 0)
		return 0;
	link = tcp_link_mss(tcp, t->netif, &t->flow.raddr);
	return (own != 0 && own < link ? own : link) - (t->opt & TCB_OPT_TS ? TS_SPACE : 0);
}

struct in_flight {
	uint32_t bytes, segs;
	uint32_t lost_bytes, lost;
	uint32_t resent_bytes, resent;
};

static uint32_t full_segments(uint32_t bytes, uint32_t mss)
{
	return (bytes + mss - 1) / mss;
}

static void count_segment(struct in_flight *f, const struct pkt *note, uint32_t mss)
{
	const uint32_t len = note->tx.len, n = full_segments(len, mss);

	f->bytes += len;
	f->segs += n;
	if (note->tx.flags & SEG_LOST) {
		f->lost_bytes += len;
		f->lost += n;
	}
	if (note->tx.flags & SEG_RESENT) {
		f->resent_bytes += len;
		f->resent += n;
	}
}

/* As on Linux, small segments count like full ones. Of very many the rest is taken for full ones:
 * a walk over a large window would take long. */
static struct in_flight count_in_flight(const struct tcb *t, const struct tcp_queues *q,
                                        uint32_t mss)
{
	const struct rte_mbuf *m = q != NULL ? q->snd.head : NULL,
	                      *end = q != NULL ? q->snd_next : NULL;
	const uint32_t all = t->snd_nxt - t->snd_una;
	struct in_flight f = {0};

	for (unsigned i = 0; i < COUNT_MAX && m != end; i++, m = pkt_of_const(m)->next)
		count_segment(&f, pkt_of_const(m), mss);
	if (f.segs == 0 || m != end) /* a SYN, a FIN, stashed data, or the rest */
		f.segs += full_segments(all - f.bytes, mss);
	if (q != NULL) {
		f.lost += full_segments(q->lost_bytes - f.lost_bytes, mss);
		f.resent += full_segments(q->resent_bytes - f.resent_bytes, mss);
	}
	return f;
}

static void fill_segments(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q,
                          struct tcp_info *info)
{
	const uint32_t mss = t->mss != 0 ? t->mss : MSS_DEFAULT;
	const struct in_flight f = count_in_flight(t, q, mss);

	info->tcpi_snd_mss = mss;
	info->tcpi_rcv_mss = t->rcv_mss;
	info->tcpi_advmss = advmss(tcp, t);
	info->tcpi_unacked = f.segs;
	info->tcpi_sacked = q != NULL ? q->sacked_segs : 0;
	info->tcpi_lost = f.lost;
	info->tcpi_retrans = f.resent;
	info->tcpi_snd_cwnd = t->cwnd / mss;
	info->tcpi_snd_ssthresh = t->ssthresh == UINT32_MAX ? 0x7fffffff : t->ssthresh / mss;
}

static void fill_listener(const struct binding *l, struct tcp_info *info)
{
	info->tcpi_unacked = l->accept_n;
	info->tcpi_sacked = l->backlog;
}

/* includes the running interval, until now */
static uint64_t spent(const struct ctx *ctx, const struct tcp_account *a, enum account_chrono what)
{
	if (a->chrono == what)
		return a->spent_us[what] + (ctx->now_us - a->chrono_us);
	if (what == ACCOUNT_BUSY && a->chrono == ACCOUNT_IDLE)
		return a->spent_us[what] + a->busy_us;
	return a->spent_us[what];
}

/* busy time of data sent at once and not yet acknowledged, which is not counted yet (account.h) */
static uint64_t under_way(const struct ctx *ctx, const struct tcb *t, const struct tcp_account *a,
                          const struct tcp_queues *q)
{
	if (tcb_is_stashed(t))
		return a->chrono == ACCOUNT_IDLE ? ctx->now_us - t->sent_us : 0;
	if (a->chrono != ACCOUNT_IDLE || q == NULL || q->snd.head == NULL ||
	    q->snd.head == q->snd_next)
		return 0;
	return ctx->now_us - scoreboard_sent_us(q, ctx->now_us);
}

static void fill_account(const struct ctx *ctx, const struct tcp_account *a, struct tcp_info *info)
{
	info->tcpi_bytes_acked = a->bytes_acked;
	info->tcpi_bytes_received = a->bytes_received;
	info->tcpi_bytes_sent = a->bytes_sent;
	info->tcpi_bytes_retrans = a->bytes_retrans;
	info->tcpi_segs_in = a->segs_in;
	info->tcpi_segs_out = a->segs_out;
	info->tcpi_data_segs_in = a->data_segs_in;
	info->tcpi_data_segs_out = a->data_segs_out;
	info->tcpi_total_retrans = a->retrans;
	info->tcpi_delivered = a->delivered;
	info->tcpi_delivered_ce = a->delivered_ce;
	info->tcpi_reord_seen = a->reord_seen;
	info->tcpi_reordering = RTE_MAX(info->tcpi_reordering, (uint32_t)a->reordering);
	info->tcpi_dsack_dups = a->dsacks;
	info->tcpi_rcv_ooopack = a->ooo;
	info->tcpi_rwnd_limited = spent(ctx, a, ACCOUNT_RWND);
	info->tcpi_sndbuf_limited = spent(ctx, a, ACCOUNT_SNDBUF);
	info->tcpi_busy_time =
	    spent(ctx, a, ACCOUNT_BUSY) + info->tcpi_rwnd_limited + info->tcpi_sndbuf_limited;
	if (a->rate_us != 0)
		info->tcpi_delivery_rate = (uint64_t)a->rate_bytes * 1000000 / a->rate_us;
	info->tcpi_delivery_rate_app_limited = a->rate_limited;
}

/* rates in bytes per second; all ones: no limit */
static void fill_pacing(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q,
                        struct tcp_info *info)
{
	info->tcpi_max_pacing_rate = tcp_tuning(tcp, t)->max_pacing_rate - 1;
	info->tcpi_pacing_rate = q != NULL && q->pace.rate != 0 ? q->pace.rate : UINT64_MAX;
}

static uint32_t min_rtt(const struct tcp_queues *q, const struct tcp_account *a)
{
	uint32_t us = q != NULL && q->rack.min_rtt_us != 0 ? q->rack.min_rtt_us : a->min_rtt_us;

	return us != 0 ? us : UINT32_MAX;
}

static void fill(const struct tcp *tcp, const struct tcb *t, struct tcp_info *info)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);

	memset(info, 0, sizeof(*info));
	info->tcpi_state = t->state;
	info->tcpi_ca_state = ca_state(t, q);
	info->tcpi_retransmits = t->retries;
	info->tcpi_probes = t->probes;
	info->tcpi_backoff = (uint8_t)rtt_backoffs(t, q);
	info->tcpi_options = options_of(t);
	info->tcpi_snd_wscale = t->snd_wscale;
	info->tcpi_rcv_wscale = t->rcv_wscale;
	info->tcpi_rto = t->rto_us;
	info->tcpi_ato = tcp_delack_us(tcp, t);
	/* of any segment, which has an acknowledgement, with data or without */
	info->tcpi_last_ack_recv = info->tcpi_last_data_recv =
	    (uint32_t)(((uint64_t)(tcp->ctx->tick - t->rcv_tick) << TICK_SHIFT) / 1000000);
	info->tcpi_pmtu = t->path_mtu;
	info->tcpi_rtt = t->srtt_us;
	info->tcpi_rttvar = t->srtt_us != 0 ? t->rttvar_us : 0;
	info->tcpi_rcv_space = t->rcv_max;
	info->tcpi_rcv_rtt = q != NULL ? q->tune.rtt_us : 0;
	info->tcpi_reordering = DUP_THRESH;
	info->tcpi_notsent_bytes = t->state == TCP_S_LISTEN ? 0 : tcp_unsent(t);
	info->tcpi_snd_wnd = t->snd_wnd;
	info->tcpi_min_rtt = min_rtt(q, account_of(tcp, t));
	fill_pacing(tcp, t, q, info);
	if (t->account != 0) {
		fill_account(tcp->ctx, account_of(tcp, t), info);
		info->tcpi_busy_time += under_way(tcp->ctx, t, account_of(tcp, t), q);
	}
	if (t->state == TCP_S_LISTEN) /* as Linux: the accept queue and its limit */
		fill_listener(&tcp->bind.binding[t->binding], info);
	else
		fill_segments(tcp, t, q, info);
}

void tcp_info_copy(const struct tcp *tcp, const struct tcb *t, void *to, socklen_t *len)
{
	struct tcp_info info;

	fill(tcp, t, &info);
	if (*len > sizeof(info))
		*len = sizeof(info);
	memcpy(to, &info, *len);
}
