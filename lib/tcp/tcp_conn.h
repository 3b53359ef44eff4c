/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_CONN_H
#define TCP_TCP_CONN_H

/*
 * The life of a TCB: from the pool and back, its queues, its place in the flow table, its end.
 *
 * A TCB is owned by the application (TCB_OPEN) or by an accept queue (TCB_PENDING); with neither,
 * by the protocol until the state is CLOSED.  The last owner to release it frees it.
 */

#include "base/seq.h"
#include "tcp/tcp.h"

/** tcb_alloc takes a TCB from the pool and sets defaults; tcb_take leaves those to its caller that a
 * socket can change, and the flow. NULL: none left. */
struct tcb *tcb_alloc(struct tcp *tcp);
struct tcb *tcb_take(struct tcp *tcp);

/** tcb_free returns a TCB, which must have no owner, and all it holds. */
void tcb_free(struct tcp *tcp, struct tcb *t);

/* The parts of the two functions below that take queues from the pool and return them. */
struct tcp_queues *tcb_take_queues(struct tcp *tcp, struct tcb *t);
void tcb_give_queues(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcb_attach_queues returns the connection's queues, taken from the pool if necessary. NULL: none
 * left. */
static inline struct tcp_queues *tcb_attach_queues(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);

	return likely(q != NULL && !q->idle) ? q : tcb_take_queues(tcp, t);
}

/** tcb_detach_queues returns the queues to the pool if they are empty. */
static inline void tcb_detach_queues(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues_if(tcp, t);

	if (q != NULL && q->snd.head == NULL && q->rcv.head == NULL && !q->idle)
		tcb_give_queues(tcp, t, q);
}

/** tcb_drop_unsent frees the send queue of a connection that has sent none of it. */
void tcb_drop_unsent(struct tcp *tcp, struct tcb *t);

/** tcb_drop_early frees the data received out of order. */
void tcb_drop_early(struct tcp *tcp, struct tcb *t);

/** tcb_enter puts the connection into the flow table under t->flow. */
void tcb_enter(struct tcp *tcp, struct tcb *t);

/** tcb_enter_passive is tcb_enter for a connection opened by its peer: it counts for its source. */
void tcb_enter_passive(struct tcp *tcp, struct tcb *t);

/** tcb_replace does the same where the flow, with this hash, is already in the table as something
 * else: from. */
void tcb_replace(struct tcp *tcp, struct tcb *t, uint64_t hash, flow_ref from);

/** tcb_leave takes the connection, whose flow has this hash, out of the table. */
void tcb_leave(struct tcp *tcp, struct tcb *t, uint64_t hash);

/** tcp_path_find finds the path to a connection's peer; errors are those of ip_path_find. */
static inline int tcp_path_find(struct tcp *tcp, const struct tcp_flow *f, struct ip_path *path)
{
	return ip_path_find_flow(tcp->ip, &f->raddr, f->laddr, tcp_flow_ports(f), path);
}

/** tcp_link_mss returns the MSS to announce on an interface: the MTU of its link for the peer's
 * family (for IPv6 as routers advertise it), less the headers without options (RFC 9293 SHLD-6,
 * RFC 6691 section 2). */
static inline uint16_t tcp_link_mss(const struct tcp *tcp, uint8_t netif,
                                    const struct pc_addr *peer)
{
	return (uint16_t)(ip_link_mtu(tcp->ip, netif, peer) - ip_hdr_len(peer) - TCP_HDR_LEN);
}

/** tcb_set_path fills in the path to the peer for a connection with these ports
 * (ip_path_find_flow). Returns 0, 1 when other ports may take another path, -ENETUNREACH or
 * -EADDRNOTAVAIL. */
int tcb_set_path(struct tcp *tcp, struct tcb *t, const struct pc_addr *remote, uint16_t laddr,
                 uint32_t ports);

/** tcb_update_mss computes the segment size from peer, path, options and TCP_MAXSEG. */
void tcb_update_mss(struct tcp *tcp, struct tcb *t);

/** tcb_rcv_scale returns the shift needed to advertise the largest window that the socket's may
 * grow to (RFC 7323 section 2.3). Once announced it holds for the connection's life, whatever is
 * set later. */
uint8_t tcb_rcv_scale(const struct tcp *tcp, const struct tcb *t);

/** tcb_peer_scale returns the shift that a peer announced, at most 14 (RFC 7323 section 2.3). */
static inline uint8_t tcb_peer_scale(uint8_t announced)
{
	return announced > 14 ? 14 : announced;
}

/** tcp_is_acceptable is the acceptability test (RFC 9293 section 3.10.7.4, table 6). */
static inline bool tcp_is_acceptable(const struct tcp_seg *seg, uint32_t rcv_nxt, uint32_t wnd)
{
	uint32_t len = seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);

	if (len == 0)
		return wnd == 0 ? seg->seq == rcv_nxt : seq_within(seg->seq, rcv_nxt, wnd);
	return wnd > 0 &&
	       (seq_within(seg->seq, rcv_nxt, wnd) || seq_within(seg->seq + len - 1, rcv_nxt, wnd));
}

/** tcb_establish makes a connection ESTABLISHED: MSS, congestion window, keep-alive. */
void tcb_establish(struct tcp *tcp, struct tcb *t);

/** tcb_restart_window returns the congestion window after an idle period (RFC 5681 section 4.1, RFC
 * 6928). A SYN lost long ago says nothing about it. */
static inline uint32_t tcb_restart_window(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t segments = (uint32_t)tcp->ctx->cfg.tcp_initial_window;
	uint32_t mss = t->mss;

	if (segments < 10)
		return segments * mss;
	return RTE_MIN(segments * mss, RTE_MAX(2 * mss, 1460 * segments));
}

/** tcb_initial_window returns the first congestion window: the same, or one segment if a SYN or
 * SYN-ACK was lost (RFC 6928 section 2). */
static inline uint32_t tcb_initial_window(const struct tcp *tcp, const struct tcb *t)
{
	return t->syn_lost ? t->mss : tcb_restart_window(tcp, t);
}

/**
 * tcb_done ends the protocol's part: flow removed from the table, timers off, send queue dropped,
 * state CLOSED. Received data stays readable. error (0: none) is reported to the application. The
 * TCB is freed if it has no other owner; then true is returned.
 */
bool tcb_done(struct tcp *tcp, struct tcb *t, int error);

/** tcb_abort sends an RST if the peer knows of the connection, then does what tcb_done does. */
bool tcb_abort(struct tcp *tcp, struct tcb *t, int error);

/** tcb_renew resets a socket that tcb_done has closed, except for its name, settings and error. */
void tcb_renew(struct tcp *tcp, struct tcb *t);

/** tcb_remember_cwnd preserves cwnd in ssthresh before it is reduced for not being used (RFC 2861
 * section 3.2). */
static inline void tcb_remember_cwnd(struct tcb *t)
{
	t->ssthresh = RTE_MAX(t->ssthresh, t->cwnd - t->cwnd / 4);
}

/** tcb_notify notifies the socket's epoll set. */
static inline void tcb_notify(struct tcp *tcp, struct tcb *t, uint32_t mask)
{
	if (t->flags & TCB_OPEN)
		event_notify(tcp->ev, &t->poll, tcp->first_fd + tcp_index(tcp, t), mask);
}

/** tcp_secret returns a keyed hash of a flow: the low half for the ISN, the high one for
 * timestamps. */
uint64_t tcp_secret(const struct tcp *tcp, const struct tcp_flow *flow);

/** tcp_isn returns an initial sequence number (RFC 6528) from tcp_secret's value. */
static inline uint32_t tcp_isn(const struct tcp *tcp, uint64_t secret)
{
	return (uint32_t)secret + (uint32_t)(tcp->ctx->now_ns >> 12);
}

/** tcp_tsval returns our current timestamp for a connection with this offset. */
static inline uint32_t tcp_tsval(const struct tcp *tcp, uint32_t offset)
{
	return tcp->ctx->now_ms + offset;
}

#endif
