/* SPDX-License-Identifier: BSD-2-Clause */
/* From a SYN or a cookie to an entry, and from an entry to a SYN-ACK and to a connection. */

#include <rte_common.h>

#include "tcp/accecn.h"
#include "tcp/account.h"
#include "tcp/auth.h"
#include "tcp/fastopen.h"
#include "tcp/syncache.h"
#include "tcp/syncookie.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_output.h"

static uint8_t negotiate(const struct pc_stack_config *cfg, const struct tcp_seg *seg)
{
	uint8_t opt = 0;

	if (cfg->tcp_timestamps && (seg->has & TCP_HAS_TS))
		opt |= TCB_OPT_TS;
	if (cfg->tcp_sack && (seg->has & TCP_HAS_SACKOK))
		opt |= TCB_OPT_SACK;
	if (cfg->tcp_window_scaling && (seg->has & TCP_HAS_WSCALE))
		opt |= TCB_OPT_WSCALE;
	return opt;
}

uint64_t syncache_read(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx,
                       struct syn_entry *e)
{
	const uint64_t secret = tcp_secret(tcp, &rx->flow);
	const struct tcp_seg *seg = &rx->seg;

	*e = (struct syn_entry){.flow = rx->flow,
	                        .irs = seg->seq,
	                        .iss = tcp_isn(tcp, secret),
	                        .ts_recent = seg->tsval,
	                        .sent_us = tcp->ctx->now_us,
	                        .wnd = seg->wnd,
	                        .binding = (uint16_t)binding,
	                        .opt = negotiate(&tcp->ctx->cfg, seg),
	                        .ecn = rx->tos & 3u};
	if (seg->has & TCP_HAS_MSS)
		e->peer_mss = seg->mss;
	else
		e->peer_mss = pc_addr_is_ip4(&rx->flow.raddr) ? MSS_DEFAULT : MSS_DEFAULT_IP6;
	if (e->opt & TCB_OPT_WSCALE) {
		e->snd_wscale = tcb_peer_scale(seg->wscale) & 0xfu;
		e->rcv_wscale = tcb_rcv_scale(tcp, tcp_listener(tcp, binding)) & 0xfu;
	}
	auth_note_ids(tcp, rx, e);
	return secret;
}

bool syncache_read_cookie(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx,
                          struct syn_entry *e)
{
	const struct tcp_seg *seg = &rx->seg;
	bool has_ts = tcp->ctx->cfg.tcp_timestamps && (seg->has & TCP_HAS_TS);
	struct syncookie c;

	*e = (struct syn_entry){.flow = rx->flow,
	                        .irs = seg->seq - 1,
	                        .iss = seg->ack - 1,
	                        .ts_recent = seg->tsval,
	                        .wnd = seg->wnd,
	                        .binding = (uint16_t)binding};
	if (!syncookie_read(&tcp->syn.cookie_key, tcp->ctx->now_ns, &e->flow, e->irs,
	                    (uint32_t)tcp_secret(tcp, &e->flow), e->iss, has_ts, seg->tsecr, &c))
		return false;
	e->peer_mss = c.peer_mss;
	e->snd_wscale = c.snd_wscale & 0xfu;
	e->rcv_wscale = tcb_rcv_scale(tcp, tcp_listener(tcp, binding)) & 0xfu;
	e->opt = c.opt;
	auth_note_ids(tcp, rx, e);
	return true;
}

static void inherit(struct tcp *tcp, struct tcb *t, const struct tcb *from)
{
	t->flags = from->flags & (TCB_NODELAY | TCB_CORK | TCB_QUICKACK | TCB_KEEPALIVE |
	                          TCB_LINGER | TCB_LINGER_0 | TCB_REUSEADDR | TCB_REUSEPORT |
	                          TCB_SNDBUF_SET | TCB_RCVBUF_SET | TCB_IP6 | TCB_V6ONLY);
	t->rcv_max = from->rcv_max;
	t->snd_max = from->snd_max;
	t->ttl = from->ttl;
	t->tos = from->tos;
	t->cc = from->cc;
	t->tuning = from->tuning;
	t->near = from->near;
	if (t->tuning != 0)
		tcp->tuning[t->tuning].refs++;
}

/* RFC 9768 sections 3.2.3.2.1 and 3.2.3.2.2: on the first SYN-ACK, as far as it fits beside the
 * other options */
static void add_accecn(struct tcp_seg *s, const struct auth_by *by)
{
	if (by != NULL)
		auth_put(by, s);
	accecn_bytes_initial(s, accecn_options_room(s, TCP_OPTIONS_MAX));
}

void syncache_answer(struct tcp *tcp, const struct syn_entry *e, const struct syn_asked *asked)
{
	const struct tcb *listener = tcp_listener(tcp, e->binding);
	struct tcp_seg s;
	struct auth_by auth;
	const struct auth_by *by = auth_by_half_open(tcp, e, &auth);
	uint8_t ecn;

	/* one by one: only what the options name is ever read of the rest, 70 bytes */
	s.seq = e->iss;
	s.ack = e->irs + 1;
	s.flags = TCP_SYN | TCP_ACK;
	s.has = TCP_HAS_MSS;
	s.mss = (uint16_t)tcp_tuning(tcp, listener)->maxseg;
	s.wnd = (uint16_t)RTE_MIN(tcp_rcv_limit(tcp, listener), (uint32_t)UINT16_MAX);
	s.urg = 0;
	s.nb_sack = 0;
	s.cookie_len = 0;
	s.accecn = TCP_ACCECN_NONE;
	if (e->opt & TCB_OPT_TS) {
		const uint64_t secret = asked != NULL ? asked->secret : tcp_secret(tcp, &e->flow);

		s.has |= TCP_HAS_TS;
		s.tsval = tcp_tsval(tcp, (uint32_t)(secret >> 32));
		s.tsecr = e->ts_recent;
		if (asked != NULL && asked->cookie != NULL)
			s.tsval = syncookie_tsval(s.tsval, asked->cookie);
	}
	if (e->opt & TCB_OPT_SACK)
		s.has |= TCP_HAS_SACKOK;
	if (e->opt & TCB_OPT_WSCALE) {
		s.has |= TCP_HAS_WSCALE;
		s.wscale = e->rcv_wscale;
	}
	if (e->opt & TCB_OPT_ACCECN) { /* RFC 9768 sections 3.1.1 and 3.1.4 */
		if (e->lost <= SYNS_THAT_ASK)
			accecn_put(&s, accecn_of_bits(e->ecn));
	} else if (e->opt & TCB_OPT_ECN) { /* RFC 3168 section 6.1.1 */
		s.flags |= TCP_ECE;
	}
	ecn = tcp_ecn_syn_ack_tos(tcp, listener, e->opt, e->lost > 0);
	if (asked != NULL && unlikely(asked->rx->seg.has & TCP_HAS_FASTOPEN))
		fastopen_offer(tcp, e->binding, asked->rx, &s);
	if (asked != NULL && (e->opt & TCB_OPT_ACCECN))
		add_accecn(&s, by);
	tcp_reply(tcp, &e->flow, ip_laddr(tcp->ip, e->flow.laddr), &s, listener->ttl,
	          (uint8_t)(listener->tos | ecn), by);
}

struct tcb *syncache_promote(struct tcp *tcp, const struct syn_entry *e)
{
	const struct tcb *listener = tcp_listener(tcp, e->binding);
	struct tcb *t = tcb_take(tcp);

	if (t == NULL)
		return NULL;
	inherit(tcp, t, listener);
	t->flow = e->flow;
	if (unlikely(listener->auth) && !auth_inherit(tcp, t, listener, e)) {
		t->state = TCP_S_CLOSED;
		tcb_free(tcp, t);
		return NULL;
	}
	t->opt = e->opt;
	t->binding = e->binding;
	t->peer_mss = e->peer_mss;
	t->snd_wscale = e->snd_wscale & 0xfu;
	t->rcv_wscale = (e->opt & TCB_OPT_WSCALE) ? e->rcv_wscale : 0u;
	t->snd_una = t->snd_nxt = e->iss + 1;
	t->snd_wl1 = e->irs;
	t->snd_wnd = t->snd_max_wnd = e->wnd;
	t->rcv_nxt = t->last_ack_sent = e->irs + 1;
	t->rcv_adv = t->rcv_nxt + RTE_MIN(tcp_rcv_limit(tcp, t), (uint32_t)UINT16_MAX);
	t->ts_recent = e->ts_recent;
	t->ts_recent_at = tcp->ctx->era;
	if (e->opt & TCB_OPT_TS)
		t->ts_offset = (uint32_t)(tcp_secret(tcp, &e->flow) >> 32);
	if (e->opt & TCB_OPT_ACCECN)
		accecn_begin(tcp, t, e->ecn);
	if ((e->opt & TCB_OPT_ACCECN) && (e->lost > 0 || e->again))
		accecn_mute(tcp, t);
	t->syn_lost = e->lost != 0;
	/* as on Linux: the SYN was received, and the SYN-ACK delivered */
	account_of(tcp, t)->segs_in = 1;
	account_of(tcp, t)->delivered = 1;
	account_of(tcp, t)->retrans = e->retries;
	if (tcb_set_path(tcp, t, &e->flow.raddr, e->flow.laddr, tcp_flow_ports(&e->flow)) < 0) {
		t->state = TCP_S_CLOSED;
		tcb_free(tcp, t);
		return NULL;
	}
	return t;
}
