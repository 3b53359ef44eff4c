/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP_INFO in the layout that people know.  Linux's names collide with ours, so they stay in here. */

#include "sock/tcp_info.h"

#include <string.h>

#include "base/seq.h"
#include "tcp/tcp.h"

static uint8_t ca_state(const struct tcp_queues *q)
{
	if (q != NULL && q->recovery == TCP_R_OPEN && q->reduced)
		return TCP_CA_CWR;
	if (q == NULL || q->recovery == TCP_R_OPEN)
		return q != NULL && q->dupacks > 0 ? TCP_CA_Disorder : TCP_CA_Open;
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
	if (t->opt & TCB_OPT_ECN)
		o |= TCPI_OPT_ECN;
	return o;
}

static void fill_segments(const struct tcb *t, const struct tcp_queues *q, struct tcp_info *info)
{
	uint32_t mss = t->mss != 0 ? t->mss : MSS_DEFAULT;

	info->tcpi_snd_mss = mss;
	info->tcpi_rcv_mss = t->rcv_mss;
	info->tcpi_advmss = t->path_mtu != 0 ? t->path_mtu - ip_hdr_len(&t->flow.raddr) - 20u : 0;
	info->tcpi_unacked = (t->snd_nxt - t->snd_una + mss - 1) / mss;
	info->tcpi_snd_cwnd = t->cwnd / mss;
	info->tcpi_snd_ssthresh = t->ssthresh == UINT32_MAX ? 0x7fffffff : t->ssthresh / mss;
	if (q == NULL)
		return;
	info->tcpi_sacked = q->sacked_segs;
	info->tcpi_lost = q->lost_bytes / mss;
	info->tcpi_retrans = q->resent_bytes / mss;
}

static void fill_listener(const struct binding *l, struct tcp_info *info)
{
	info->tcpi_unacked = l->accept_n;
	info->tcpi_sacked = l->backlog;
}

void tcp_info_fill(const struct tcp *tcp, const struct tcb *t, struct tcp_info *info)
{
	const struct tcp_queues *q = tcp_queues(tcp, t);

	memset(info, 0, sizeof(*info));
	info->tcpi_state = t->state;
	info->tcpi_ca_state = ca_state(q);
	info->tcpi_retransmits = t->retries;
	info->tcpi_probes = t->probes;
	info->tcpi_backoff = t->retries;
	info->tcpi_options = options_of(t);
	info->tcpi_snd_wscale = t->snd_wscale;
	info->tcpi_rcv_wscale = t->rcv_wscale;
	info->tcpi_rto = t->rto_us;
	info->tcpi_ato = (uint32_t)tcp->ctx->cfg.tcp_delack_ms * 1000;
	info->tcpi_last_data_recv =
	    (uint32_t)(((uint64_t)(tcp->ctx->tick - t->rcv_tick) << TICK_SHIFT) / 1000000);
	info->tcpi_pmtu = t->path_mtu;
	info->tcpi_rtt = t->srtt_us;
	info->tcpi_rttvar = t->srtt_us != 0 ? t->rttvar_us : 0;
	info->tcpi_rcv_space = t->rcv_max;
	if (t->state == TCP_S_LISTEN) /* as Linux: the accept queue and its limit */
		fill_listener(&tcp->bind.binding[t->binding], info);
	else
		fill_segments(t, q, info);
}
