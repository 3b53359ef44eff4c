/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending a connection from our side: shutdown, close, disconnect; and ICMP errors. */

#include <errno.h>
#include <sys/socket.h>

#include "base/seq.h"
#include "tcp/auth.h"
#include "tcp/fastopen.h"
#include "tcp/gtsm.h"
#include "tcp/pmtu.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_timer.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"

/* RFC 9293 3.10.4: FIN after everything that is queued */
static void queue_fin(struct tcp *tcp, struct tcb *t)
{
	if (t->flags & TCB_WR_SHUT)
		return;
	t->flags |= TCB_WR_SHUT;
	if (t->state == TCP_S_ESTABLISHED)
		t->state = TCP_S_FIN_WAIT_1;
	else if (t->state == TCP_S_CLOSE_WAIT)
		t->state = TCP_S_LAST_ACK;
	tcp_work(tcp, t);
}

/* resets connections that wait to be accepted; the name stays bound */
static void stop_listening(struct tcp *tcp, struct tcb *t)
{
	struct tcb *c;

	syncache_drop_listener(tcp, t->binding);
	while ((c = listener_pop(tcp, t->binding)) != NULL) {
		if (c->state == TCP_S_CLOSED)
			tcb_free(tcp, c);
		else
			tcb_abort(tcp, c, 0);
	}
	fastopen_forget_listener(tcp, t->binding);
	tcp->bind.binding[t->binding].listening = false;
	tcp->bind.listeners--;
	t->state = TCP_S_CLOSED;
}

static uint32_t shut_flags(int how)
{
	return (how != SHUT_WR ? (uint32_t)TCB_RD_SHUT : 0) |
	       (how != SHUT_RD ? (uint32_t)TCB_WR_SHUT : 0);
}

int tcp_shutdown(struct tcp *tcp, struct tcb *t, int how)
{
	if (t->state == TCP_S_CLOSED) { /* as on Linux: an error, yet it takes effect */
		t->flags |= shut_flags(how);
		return -ENOTCONN;
	}
	if (t->state == TCP_S_LISTEN || t->state == TCP_S_SYN_SENT) { /* as on Linux: it ends */
		if (t->state == TCP_S_SYN_SENT || how != SHUT_WR)
			tcp_disconnect(tcp, t);
		return 0;
	}
	if (how == SHUT_RD || how == SHUT_RDWR) {
		t->flags |= TCB_RD_SHUT;
		tcb_notify(tcp, t, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP);
	}
	if (how == SHUT_WR || how == SHUT_RDWR) {
		queue_fin(tcp, t);
		tcb_notify(tcp, t, EPOLLOUT | EPOLLWRNORM);
	}
	if ((t->flags & (TCB_RD_SHUT | TCB_WR_SHUT)) == (TCB_RD_SHUT | TCB_WR_SHUT))
		tcb_notify(tcp, t, EPOLLHUP);
	return 0;
}

/* RFC 9293 3.10.5: ABORT in CLOSING and LAST-ACK sends no RST; both ends have sent FIN */
static bool has_ended(const struct tcb *t)
{
	return (t->state == TCP_S_CLOSING || t->state == TCP_S_LAST_ACK) &&
	       (t->flags & TCB_FIN_SENT);
}

void tcp_close(struct tcp *tcp, struct tcb *t)
{
	bool unread = t->rcv_bytes > 0;

	t->flags &= ~(uint32_t)(TCB_OPEN | TCB_NOSPACE | TCB_CORK | TCB_MORE);
	t->poll.set = 0;
	t->poll.flags &= POLLABLE_QUEUED;
	switch (t->state) {
	case TCP_S_LISTEN:
		stop_listening(tcp, t);
		tcb_free(tcp, t);
		return;
	case TCP_S_CLOSED:
		tcb_free(tcp, t);
		return;
	case TCP_S_SYN_SENT:
		tcb_done(tcp, t, 0);
		return;
	default:
		break;
	}
	if (!unread && (t->flags & TCB_LINGER_0) && has_ended(t)) {
		tcb_done(tcp, t, 0);
		return;
	}
	/* RFC 2525 2.17: the peer must learn that not everything was read. What was written before
	 * is sent first, as far as it may be now: on Linux it would have left with the call that
	 * wrote it. */
	if (unread || (t->flags & TCB_LINGER_0)) {
		(void)tcp_output(tcp, t);
		tcb_abort(tcp, t, 0);
		return;
	}
	t->flags |= TCB_RD_SHUT;
	if (t->state == TCP_S_FIN_WAIT_2)
		tcp_timer_set(tcp, t, TCB_T_LIFE, ticks_from_ms(tcp->ctx->cfg.tcp_fin_wait2_ms));
	queue_fin(tcp, t);
}

/* ends a socket's connection, attempt or listener */
static void end_at_once(struct tcp *tcp, struct tcb *t)
{
	switch (t->state) {
	case TCP_S_CLOSED:
		return;
	case TCP_S_LISTEN:
		stop_listening(tcp, t);
		bindings_lapse(&tcp->bind, t->binding);
		return;
	case TCP_S_SYN_SENT:
		tcb_done(tcp, t, fastopen_is_deferred(t) ? 0 : ECONNRESET);
		return;
	default:
		if (has_ended(t)) {
			tcb_done(tcp, t, 0);
			return;
		}
		(void)tcp_output(tcp, t); /* as in tcp_close */
		tcb_abort(tcp, t, ECONNRESET);
	}
}

void tcp_disconnect(struct tcp *tcp, struct tcb *t)
{
	end_at_once(tcp, t);
	tcb_renew(tcp, t);
	tcp_dissolve(tcp, t);
	tcb_notify(tcp, t, EPOLLOUT | EPOLLWRNORM | EPOLLHUP | (t->error ? (uint32_t)EPOLLERR : 0));
}

/* RFC 5927 section 4: an error is believed only if it quotes something in flight */
static bool is_under_way(const struct tcb *t, uint32_t seq)
{
	/* with data, the SYN itself is at the number before SND.UNA */
	const bool syn_data = t->state == TCP_S_SYN_SENT && (t->opt & TCB_OPT_SYN_DATA);

	return seq_leq(t->snd_una - syn_data, seq) && seq_lt(seq, t->snd_nxt);
}

/* RFC 9293 section 3.9.2.2: for TCP a Parameter Problem is a soft error, whatever it is for other
 * protocols */
static bool is_hard(const struct icmp_error *e)
{
	const uint8_t problem = pc_addr_is_ip4(&e->remote) ? ICMP4_PARAMETER : ICMP6_PARAMETER;

	return e->hard && e->type != problem;
}

/* a SYN with data was too large for the path: retry without data (RFC 7413 section 4.1.3.1) */
static void on_syn_too_big(struct tcp *tcp, struct tcb *t)
{
	if ((t->opt & TCB_OPT_SYN_DATA) && t->retries == 0)
		tcp_resend_syn(tcp, t);
}

/* SHLD-26: the client cannot be reached, so it will not answer. No application has to know. */
static void half_open_error(struct tcp *tcp, uint32_t index, const struct icmp_error *e)
{
	const struct syn_entry *s = &tcp->syn.entry[index];

	if (is_hard(e) && e->seq == s->iss && !s->acked &&
	    !gtsm_ignores(tcp, tcp_listener(tcp, s->binding), e))
		syncache_remove(tcp, index);
}

void tcp_error(struct tcp *tcp, const struct icmp_error *e)
{
	struct tcp_flow flow = {
	    .raddr = e->remote, .laddr = e->laddr, .lport = e->local_port, .rport = e->remote_port};
	flow_ref ref = tcp_table_find(&tcp->table, tcp_table_hash(&tcp->table, &flow), &flow);
	struct tcb *t;

	if (flow_ref_kind(ref) == FLOW_SYN)
		half_open_error(tcp, flow_ref_index(ref), e);
	if (flow_ref_kind(ref) != FLOW_TCB)
		return;
	t = tcp_tcb(tcp, flow_ref_index(ref));
	if (gtsm_ignores(tcp, t, e) || !is_under_way(t, e->seq) || auth_ignores(tcp, t, e))
		return;
	if (e->error == EMSGSIZE) {
		ip_pmtu_learn(tcp->ip, &t->flow.raddr, e->mtu);
		pmtu_too_big(tcp, t, e->mtu);
		if (t->state == TCP_S_SYN_SENT)
			on_syn_too_big(tcp, t);
	} else if (t->state == TCP_S_SYN_SENT) {
		fastopen_error(tcp, t);
		if (is_hard(e))
			tcb_done(tcp, t, e->error);
		else
			t->snd_wl1 = (uint32_t)e->error;
	} else if (tcp_queues_if(tcp, t) != NULL) {
		/* RFC 5927 section 5.2: a connection survives it */
		tcp_queues(tcp, t)->soft_error = (uint8_t)e->error;
		if (e->no_route && e->seq == t->snd_una)
			tcp_timer_revert(tcp, t);
	}
}
