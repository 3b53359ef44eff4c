/* SPDX-License-Identifier: BSD-2-Clause */
/* SYN-SENT (RFC 9293 section 3.10.7.3). */

#include "tcp/tcp_syn_sent.h"

#include <errno.h>

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/account.h"
#include "tcp/auth.h"
#include "tcp/fastopen.h"
#include "tcp/rtt.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"

/* from the answer to our SYN, or from a SYN that crosses it */
static void agree_on_ecn(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	const bool answer = (seg->flags & TCP_ACK) != 0;

	t->opt |= answer ? tcp_ecn_agreed(tcp, t, seg) : tcp_ecn_accepts(tcp, t, seg, tos);
	/* some send the SYN-ACK with ECT (ECN++): a mark on it counts as one on data */
	if (answer && (t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)) == TCB_OPT_ECN &&
	    (tos & ECN_MASK) == ECN_CE) {
		ctx_count(tcp->ctx, PC_TCP_ECN_MARKED);
		t->flags |= TCB_ECE;
	}
	if (!(t->opt & TCB_OPT_ACCECN))
		return;
	if (answer)
		accecn_begin_active(tcp, t, tos, seg);
	else
		accecn_begin(tcp, t, tos);
}

static void take_syn(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	t->rcv_nxt = t->last_ack_sent = seg->seq + 1;
	if (unlikely(t->auth))
		auth_synchronize(tcp, t);
	t->rcv_adv = t->rcv_nxt + RTE_MIN(tcp_rcv_limit(tcp, t), (uint32_t)UINT16_MAX);
	t->peer_mss = (seg->has & TCP_HAS_MSS)         ? seg->mss
	              : pc_addr_is_ip4(&t->flow.raddr) ? MSS_DEFAULT
	                                               : MSS_DEFAULT_IP6;
	if (auth_lets_ask_for_ts(tcp, t) && (seg->has & TCP_HAS_TS)) {
		t->opt |= TCB_OPT_TS;
		t->ts_recent = seg->tsval;
		t->ts_recent_at = tcp->ctx->era;
	}
	if (cfg->tcp_sack && (seg->has & TCP_HAS_SACKOK))
		t->opt |= TCB_OPT_SACK;
	agree_on_ecn(tcp, t, seg, tos);
	if (cfg->tcp_window_scaling && (seg->has & TCP_HAS_WSCALE)) {
		t->opt |= TCB_OPT_WSCALE;
		t->snd_wscale = tcb_peer_scale(seg->wscale) & 0xfu;
	} else {
		t->rcv_wscale = 0;
	}
	t->snd_wnd = t->snd_max_wnd = seg->wnd;
	t->snd_wl1 = seg->seq;
}

/* Does a SYN-ACK echo a timestamp that none of our SYNs had? Then it answers a SYN of an earlier
 * connection, whose numbers fit by chance. Until there is an answer, ts_recent is the timestamp of
 * our first SYN. */
static bool echoes_another(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *seg)
{
	return auth_lets_ask_for_ts(tcp, t) && (seg->has & TCP_HAS_TS) && seg->tsecr != 0 &&
	       seg->tsecr - t->ts_recent > tcp_tsval(tcp, t->ts_offset) - t->ts_recent;
}

int tcp_syn_sent_input(struct tcp *tcp, struct tcb *t, const struct ip_pkt *p,
                       const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	bool ack = seg->flags & TCP_ACK;
	uint32_t iss = t->snd_una - !!(t->opt & TCB_OPT_SYN_DATA);

	if (ack && (seq_leq(seg->ack, iss) || seq_gt(seg->ack, t->snd_nxt))) {
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_TCP_SYN_SENT;
	}
	if (seg->flags & TCP_RST) {
		if (!ack)
			return PC_DROP_TCP_SYN_SENT;
		tcb_done(tcp, t, ECONNREFUSED);
		return PC_DROP_TCP_RST;
	}
	if (!(seg->flags & TCP_SYN))
		return PC_DROP_TCP_SYN_SENT;
	/* as on Linux, treated like an unacceptable ACK */
	if (ack && echoes_another(tcp, t, seg)) {
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_TCP_PAWS;
	}
	take_syn(tcp, t, seg, p->tos);
	if (!ack) { /* simultaneous open */
		t->state = TCP_S_SYN_RECEIVED;
		tcp_send_syn(tcp, t, NULL);
		tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
		return PC_DROP_TCP_SYN_HANDLED;
	}
	fastopen_synack(tcp, t, seg);
	if (!(t->opt & TCB_OPT_SYN_DATA)) /* otherwise fastopen_settle does */
		t->snd_una = seg->ack;
	account_of(tcp, t)->bytes_acked++;
	account_of(tcp, t)->delivered++;
	t->timers &= (uint8_t)~TCB_T_LOSS;
	if (t->retries == 0)
		rtt_sample(tcp, t, tcp->ctx->now_us - t->rttvar_us);
	else
		tcp_ack_sample_syn(tcp, t, seg);
	return VERDICT_DONE;
}
