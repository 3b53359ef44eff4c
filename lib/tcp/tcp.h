/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_H
#define TCP_TCP_H

/*
 * TCP of one stack: what the socket layer and the stack call.
 *
 * The way of a segment: tcp_rx_parse (tcp_rx.h: header, checksum, flow), tcp_rx_prefetch,
 * tcp_input.  What a connection wants to send is not sent at once: the connection is put on the
 * work list, and at the end of the turn tcp_flush sends data with the acknowledgement on it, or the
 * acknowledgement alone.
 *
 * Half-open connections are in the SYN cache, and TIME-WAIT is in a table of its own; neither has a
 * TCB.  One flow table finds all three kinds.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_prefetch.h>

#include "base/ctx.h"
#include "base/freelist.h"
#include "base/kept.h"
#include "base/verdict.h"
#include "event/event.h"
#include "ip/ip.h"
#include "tcp/cc_slots.h"
#include "tcp/dest.h"
#include "tcp/dsack.h"
#include "tcp/known.h"
#include "tcp/listener.h"
#include "tcp/lports.h"
#include "tcp/sources.h"
#include "tcp/syncache.h"
#include "tcp/tcb.h"
#include "tcp/tcp_table.h"
#include "tcp/timewait.h"
#include "timer/wheel.h"
#include "wire/tcp.h"

#define MSS_DEFAULT     536  /* RFC 9293 MUST-15, over IPv4 */
#define MSS_DEFAULT_IP6 1220 /* ... and over IPv6 */
#define MSS_MIN         64   /* a peer that announces less is taken for this (CVE-2019-11479) */

/** Settings of a socket that most never change; shared by all sockets with the same values. */
struct tcp_tuning {
	uint32_t refs;
	uint32_t keepidle_ms, keepintvl_ms, keepcnt;
	uint32_t user_timeout_ms;  /* 0: R2 is tcp.retries */
	uint32_t maxseg;           /* TCP_MAXSEG; 0: by the MTU */
	uint32_t syncnt;           /* TCP_SYNCNT; 0: as configured */
	uint32_t defer;            /* TCP_DEFER_ACCEPT, in time-outs of the SYN-ACK; 0: off */
	uint32_t window_clamp;     /* TCP_WINDOW_CLAMP; 0: SO_RCVBUF alone counts */
	uint32_t fastopen;         /* TCP_FASTOPEN: connections in SYN-RECEIVED at a time; 0: off */
	uint32_t fastopen_connect; /* TCP_FASTOPEN_CONNECT */
	uint32_t notsent_lowat;    /* TCP_NOTSENT_LOWAT; 0: as configured */
	uint32_t broadcast;        /* SO_BROADCAST */
	uint32_t rto_min_us;       /* TCP_RTO_MIN_US; 0, as the next: as configured */
	uint32_t rto_max_us;       /* TCP_RTO_MAX_MS */
	uint32_t delack_max_us;    /* TCP_DELACK_MAX_US; 0: as long as configured */
	uint64_t max_pacing_rate;  /* SO_MAX_PACING_RATE, bytes/s; 0: unlimited */
	struct kept kept;          /* of SOL_SOCKET and IPPROTO_IP */
	/* the index of our address, and one more, that bind() has given without a port (IP_BIND_ADDRESS_NO_PORT); 0: none */
	uint16_t bound;
};

#define TCP_TUNINGS 256 /* tcb.tuning has 8 bits */

struct tcp_account;
struct accecn;

/** What TCP_INFO tells of the sockets' past (account.h). */
struct accounts {
	struct tcp_account *account; /* 0: of those that have none */
	struct freelist free;        /* by tcp_account.next */
};

#define STASH_BYTES 128

/** Copies of lone small segments under way (stash.h). */
struct stash {
	uint8_t (*slot)[STASH_BYTES];
	uint32_t *free;   /* a stack of those that are */
	uint32_t nb_free; /* how many */
};

struct auth_key;

/** By what a segment is signed (auth.h). */
struct auth_by {
	const struct auth_key *key;
	/* of TCP-AO */
	const uint8_t *traffic; /* its traffic key; NULL: to be made of these */
	uint32_t isn, peer_isn; /* of who sends the segment, and of who receives it */
	uint64_t seq;           /* a recent number of the sender, with its upper half */
	uint8_t rnext;          /* RNextKeyID of what is sent */
};

/** Keys of signed segments (auth.h). */
struct auth {
	struct auth_key *key; /* 1 .. n */
	uint16_t *chain;      /* by owner: the first, 0: none */
	uint32_t mask;        /* of the hash of an owner */
	uint32_t n, used;
	uint32_t waiting; /* of them in TIME-WAIT */
	uint16_t free;
	struct auth_by by; /* an answer to the signed segment that was looked at last */
};

#define TCP_FAVOURED 8

struct tcp {
	struct ctx *ctx;
	struct ip *ip;
	struct events *ev;
	uint32_t first_fd; /* descriptor of TCB 0, which is never used */
	uint32_t nb_tcbs;  /* TCBs are 1 .. nb_tcbs */
	uint32_t nb_queues;
	uint32_t tcbs_used, queues_used;
	struct freelist free_tcbs, free_queues; /* by tcb.link, by tcp_queues.recover */
	uint32_t idle_oldest,
	    idle_newest;               /* queues that are only kept, to be taken away if need be */
	uint32_t work_head, work_tail; /* the work list */
	bool told;    /* the last flush has told an application something: it wants its turn */
	bool refused; /* somebody new was, since mbufs are scarce (pressure.c) */
	struct {
		uint32_t tick,
		    taken; /* the last tick in which any may be sent, and how many are to be */
	} keepalive;
	struct dsack dsack;
	struct accounts accounts;
	uint32_t challenge_tokens; /* RFC 5961 section 7 */
	uint32_t challenge_tick;
	struct tcb *tcb;
	struct accecn *accecn; /* of each; NULL: tcp.ecn has had no Accurate ECN yet */
	struct tcp_queues *queues;
	struct stash stash;
	struct auth auth;
	struct tcp_table table;
	struct wheel wheel;
	struct wheel_place *line; /* of the wheel */
	struct syncache syn;
	struct timewait tw;
	struct bindings bind;
	struct lports lports;
	struct dests dests;
	struct {
		struct pc_sip_key key[2]; /* of new cookies; of older ones, if has_backup */
		bool has_backup;
	} fastopen;
	struct cc_slots slots;
	struct sources connections, half_open; /* of each source; tcp.source_* */
	uint32_t denied_left;                  /* denied.c: TCBs still to be looked at */
	uint64_t flush_ns;                     /* ... not again for a firewall before this */
	struct {
		uint32_t hand;  /* pressure.c: the queues looked at last */
		uint32_t round; /* how often all were */
		uint32_t tick;  /* when */
	} pressure;
	/* pressure.c: connections that took of the reserve of mbufs; 0: none */
	uint32_t favoured[TCP_FAVOURED];
	struct {
		uint32_t hand;   /* room.c: the TCB looked at last */
		uint32_t left;   /* still to be looked at for who was refused a connection */
		uint32_t wanted; /* connections, since that has begun */
		uint32_t least;  /* what the source has that has fewest of those refused */
		uint32_t tick;   /* when any were looked at */
		uint32_t
		    contest_tick; /* when a source that has less than giver last got a place of it */
		struct pc_addr giver;
		bool contested;
	} room;
	struct pc_sip_key isn_key;
	struct tcp_tuning tuning[TCP_TUNINGS];
	struct known known; /* sources that have completed a handshake */
	bool near;          /* a socket has had IP_MINTTL (gtsm.h) */
};

/** A received segment on its way through the stages of a burst. */
struct tcp_rx {
	struct tcp_seg seg;
	struct tcp_flow flow;
	uint8_t tos;   /* of the IP header */
	uint8_t segs;  /* how many came, as several may go on as one (tcp_merge.h) */
	uint32_t text; /* of them the longest one's, in bytes; set where they are several */
	uint64_t hash;
	flow_ref ref; /* a candidate, verified by tcp_input */
};

/** The same with its packet and its IP header: what waits for the next stage. */
struct tcp_pending {
	struct tcp_rx rx;
	struct ip_pkt pkt;
	struct rte_mbuf *m, *tail; /* tail: its last mbuf, where several segments are one */
};

/** tcp_footprint fills in what tcp_create takes: connections, flow_table, half_open, time_wait;
 * what else it takes is returned. */
uint64_t tcp_footprint(const struct pc_stack_config *cfg, struct pc_stack_footprint *fp);

/** tcp_create makes the layer; the descriptor of TCB i is first_fd + i. NULL: no memory. */
struct tcp *tcp_create(struct ctx *ctx, struct ip *ip, struct events *ev, uint32_t first_fd);

/** tcp_configure takes over those settings that TCP keeps elsewhere than in ctx->cfg. Returns 0, or -ENOMEM: for what they need
 * that was not needed before. */
int tcp_configure(struct tcp *tcp);

/** tcp_destroy frees everything, every queued mbuf included. */
void tcp_destroy(struct tcp *tcp);

/** tcp_free_mbufs frees every queued mbuf, and leaves the rest as it is: nothing but an end follows. */
void tcp_free_mbufs(struct tcp *tcp);

/* ---- the way in ------------------------------------------------------------------------------ */

/** tcp_rx_prefetch looks the flows of a burst up and prefetches what it finds. */
void tcp_rx_prefetch(struct tcp *tcp, struct tcp_pending *seg, unsigned n);

/** tcp_input runs a parsed segment (RFC 9293 section 3.10.7). Verdict: done, or a drop. */
int tcp_input(struct tcp *tcp, struct rte_mbuf *m, const struct ip_pkt *p, struct tcp_rx *rx);

/** tcp_error takes an ICMP error about a segment of ours (RFC 9293 section 3.9.2.2, RFC 5927). */
void tcp_error(struct tcp *tcp, const struct icmp_error *e);

/* ---- turns ----------------------------------------------------------------------------------- */

/** tcp_poll fires the timers that are due at ctx->tick, and gives back mbufs while they are scarce. */
void tcp_poll(struct tcp *tcp);

/** tcp_flush sends what the connections on the work list have to send. */
void tcp_flush(struct tcp *tcp);

/** tcp_next tells the tick of the next timer; the present one while the work list is not empty, or an
 * application has been told something in the flush.
 * Returns false when there is none. */
bool tcp_next(const struct tcp *tcp, uint32_t *tick);

/* ---- sockets; errors are negative errnos ------------------------------------------------------ */

/** tcp_tcb returns the TCB of an index in [1,nb_tcbs]. */
static inline struct tcb *tcp_tcb(const struct tcp *tcp, uint32_t index)
{
	return &tcp->tcb[index];
}

/** tcp_listener returns the socket that has a binding: with connections, the listener that they came from. */
static inline struct tcb *tcp_listener(const struct tcp *tcp, uint32_t binding)
{
	return tcp_tcb(tcp, tcp->bind.binding[binding].tcb);
}

/** tcp_listener_for returns the binding of who listens on a port for what a segment would begin, or 0. */
static inline uint32_t tcp_listener_for(const struct tcp *tcp, const struct tcp_rx *rx,
                                        uint16_t port)
{
	return bindings_listener(&tcp->bind, binding_family(&rx->flow.raddr), rx->flow.laddr, port,
	                         (uint32_t)rx->hash);
}

static inline uint32_t tcp_index(const struct tcp *tcp, const struct tcb *t)
{
	return (uint32_t)(t - tcp->tcb);
}

/** tcb_is_stashed says that a connection is stashed (stash.h). */
static inline bool tcb_is_stashed(const struct tcb *t)
{
	return t->queues & TCB_STASHED;
}

/** tcp_queues returns a connection's queues, or NULL when it has none; it must not be stashed. */
static inline struct tcp_queues *tcp_queues(const struct tcp *tcp, const struct tcb *t)
{
	assert(!tcb_is_stashed(t));
	return t->queues ? &tcp->queues[t->queues] : NULL;
}

/** tcp_queues_if does the same; NULL when it is stashed, too. */
static inline struct tcp_queues *tcp_queues_if(const struct tcp *tcp, const struct tcb *t)
{
	return tcb_is_stashed(t) ? NULL : tcp_queues(tcp, t);
}

static inline const struct tcp_tuning *tcp_tuning(const struct tcp *tcp, const struct tcb *t)
{
	return &tcp->tuning[t->tuning];
}

/** tcp_own returns a setting of the socket's own, or if that is 0 the one of all. */
static inline uint32_t tcp_own(uint32_t own, uint32_t all)
{
	return own != 0 ? own : all;
}

/** tcp_delack_us returns the longest delay of an acknowledgement: as configured, or TCP_DELACK_MAX_US if that is less. */
static inline uint32_t tcp_delack_us(const struct tcp *tcp, const struct tcb *t)
{
	const uint32_t all = (uint32_t)tcp->ctx->cfg.tcp_delack_ms * 1000;

	return RTE_MIN(tcp_own(tcp_tuning(tcp, t)->delack_max_us, all), all);
}

/** tcp_port_has says whether the connection's port offers all of these (enum pc_port_offload). */
static inline bool tcp_port_has(const struct tcp *tcp, const struct tcb *t, uint32_t offloads)
{
	return (ip_port(tcp->ip, t->netif)->info.offloads & offloads) == offloads;
}

/** tcp_port_is_busy says that the connection's port takes nothing at the moment: its data waits in its own queue, where
 * nothing is lost, and not in the port's. */
static inline bool tcp_port_is_busy(const struct tcp *tcp, const struct tcb *t)
{
	return txq_is_busy(&tcp->ip->ifs.netif[t->netif].txq);
}

/** tcp_rcv_limit returns the largest receive window: SO_RCVBUF, or TCP_WINDOW_CLAMP if that is less (but
 * never so small that scaling makes it 0). */
static inline uint32_t tcp_rcv_limit(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t clamp = tcp_tuning(tcp, t)->window_clamp;

	return clamp == 0 ? t->rcv_max : RTE_MIN(t->rcv_max, RTE_MAX(clamp, 1u << t->rcv_wscale));
}

/** tcp_socket makes a closed socket, of AF_INET until TCB_IP6 is set. Returns its TCB, or NULL when
 * max_connections is reached. */
struct tcb *tcp_socket(struct tcp *tcp);

/** tcp_bind: -EINVAL (bound), -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. */
int tcp_bind(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *local);

/** tcp_set_reuse sets SO_REUSEADDR or takes it back. */
void tcp_set_reuse(struct tcp *tcp, struct tcb *t, bool on);

/** tcp_listen: -EINVAL (connected), -EADDRINUSE, -ENOBUFS. */
int tcp_listen(struct tcp *tcp, struct tcb *t, int backlog);

/** tcp_accept returns the oldest established connection, now open, or NULL. */
struct tcb *tcp_accept(struct tcp *tcp, struct tcb *listener);

/** tcp_forget_attempt lets go what an attempt to connect that has failed has chosen for a socket that was not bound: another
 * peer may be reached from another address, and on another queue. */
void tcp_forget_attempt(const struct tcp *tcp, struct tcb *t);

/** tcp_dissolve lets go its address alone: that is what a socket is told to have as long as it tries nothing else. */
void tcp_dissolve(const struct tcp *tcp, struct tcb *t);

/** tcp_disconnect makes a socket as new but for its settings, as Linux's connect() with AF_UNSPEC does: a peer is told by
 * RST, what waits is dropped, and ECONNRESET is the socket's error if there was a connection or an attempt. */
void tcp_disconnect(struct tcp *tcp, struct tcb *t);

/** tcp_connect sends a SYN: 0, or as pc_connect; 1 when it waits for the first bytes to send with it
 * (TCP_FASTOPEN_CONNECT). */
int tcp_connect(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote);

/** tcp_send copies bytes into the send queue; flags: MSG_MORE; MSG_EOR, which counts when all bytes are taken.
 * Returns how many, or -EAGAIN, -EPIPE, -ENOTCONN or the socket's error. */
ssize_t tcp_send(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt, int flags);

/**
 * tcp_send_fastopen is tcp_connect and tcp_send in one (MSG_FASTOPEN). Returns how many bytes the SYN took,
 * or -EINPROGRESS when it had to ask for a cookie first, -EOPNOTSUPP when tcp.fastopen does not allow it,
 * or what tcp_connect does.
 */
ssize_t tcp_send_fastopen(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote,
                          const struct iovec *iov, int iovcnt);

/** tcp_send_mbuf queues a payload chain and owns it on success. */
int tcp_send_mbuf(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m);

/** tcp_recv copies bytes out; peek leaves them where they are. Returns how many, 0
 * at the end of the stream, or -EAGAIN, -ENOTCONN or the socket's error. */
ssize_t tcp_recv(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt, bool peek);

/** tcp_discard drops n received bytes, of which there are that many; returns n. */
ssize_t tcp_discard(struct tcp *tcp, struct tcb *t, uint32_t n);

/** tcp_recv_mbufs takes the n oldest received mbufs, or as many as there are. Returns how many, 0 at the end of
 * the stream, or as tcp_recv. */
int tcp_recv_mbufs(struct tcp *tcp, struct tcb *t, struct rte_mbuf **m, unsigned n);

/** tcp_shutdown: -ENOTCONN. how is SHUT_*. */
int tcp_shutdown(struct tcp *tcp, struct tcb *t, int how);

/** tcp_close takes the descriptor away and lets the protocol end the connection. */
void tcp_close(struct tcp *tcp, struct tcb *t);

/** tcp_mask returns what is ready, as EPOLL*; when there is room for what has none now, it is told. */
uint32_t tcp_mask(struct tcp *tcp, struct tcb *t);

/** tcp_local and tcp_remote tell a socket's endpoints. */
struct pc_endpoint tcp_local(const struct tcp *tcp, const struct tcb *t);
struct pc_endpoint tcp_remote(const struct tcb *t);

/** tcp_take_error returns and clears the pending error. */
int tcp_take_error(struct tcb *t);

/** tcp_tune changes a socket's rarely used settings: *want is what they shall be (refs is ignored).
 * -ENOBUFS when too many different ones are in use. */
int tcp_tune(struct tcp *tcp, struct tcb *t, const struct tcp_tuning *want);

/** tcp_work puts a connection on the list that the flush looks at. */
static inline void tcp_work(struct tcp *tcp, struct tcb *t)
{
	uint32_t index = tcp_index(tcp, t);

	if (t->flags & TCB_WORK)
		return;
	t->flags |= TCB_WORK;
	t->link = 0;
	if (tcp->work_head == 0)
		tcp->work_head = index;
	else
		tcp_tcb(tcp, tcp->work_tail)->link = index;
	tcp->work_tail = index;
}

/** tcp_keepalive_start arms or stops the keep-alive timer after a change of settings. */
void tcp_keepalive_start(struct tcp *tcp, struct tcb *t);

/** tcb_is_opening says whether the handshake keeps the application waiting; one that Fast Open has begun
 * does not. */
static inline bool tcb_is_opening(const struct tcb *t)
{
	return t->state == TCP_S_SYN_SENT ||
	       (t->state == TCP_S_SYN_RECEIVED && !(t->flags & TCB_CONNECTED));
}

/** tcp_unsent returns how many queued bytes were never sent. */
static inline uint32_t tcp_unsent(const struct tcb *t)
{
	uint32_t sent = t->snd_nxt - t->snd_una - ((t->flags & TCB_FIN_SENT) ? 1 : 0);

	return t->snd_bytes > sent ? t->snd_bytes - sent : 0;
}

/**
 * tcp_share returns the bytes that one buffer may grow to now: an eighth of the mbufs that are to
 * spare beyond mbufs_small. Alone a connection so gets all that its limit allows, among many each gets about the same,
 * and however many hold as much as they can, who is new is taken in and finds room (tcp.sndbuf_min).
 */
static inline uint32_t tcp_share(const struct tcp *tcp, uint32_t mss)
{
	const uint32_t spare = tcp->ctx->mbufs_spare, small = tcp->ctx->mbufs_small;
	uint64_t share = spare > small ? (uint64_t)((spare - small) / MBUFS_SHARE) * mss : 0;

	return share < UINT32_MAX ? (uint32_t)share : UINT32_MAX;
}

/** tcp_snd_grow lets the send queue of a socket whose SO_SNDBUF nobody has set hold twice the congestion
 * window, within tcp.sndbuf_max. It never takes that back when the window shrinks: who was told of room
 * must find it. */
static inline void tcp_snd_grow(const struct tcp *tcp, struct tcb *t)
{
	uint64_t twice = 2 * (uint64_t)t->cwnd, most;

	if (twice <= t->snd_max || (t->flags & TCB_SNDBUF_SET))
		return;
	most = tcp->ctx->cfg.tcp_sndbuf_max;
	twice = twice < most ? twice : most;
	if (twice > t->snd_max)
		t->snd_max = (uint32_t)twice;
}

/** tcp_keeps_up says that a connection gives back soon what it gets: nothing waits for its peer, whose buffer
 * is not half full. */
static inline bool tcp_keeps_up(const struct tcb *t)
{
	return t->snd_bytes == 0 && 2 * (uint64_t)t->snd_wnd >= t->snd_max_wnd;
}

/** tcp_may_send_one says that even where mbufs are low a segment may be queued: the connection keeps up, and what is
 * kept for acknowledgements is not begun. */
static inline bool tcp_may_send_one(const struct tcp *tcp, const struct tcb *t)
{
	return tcp_keeps_up(t) && tcp->ctx->mbufs_last > 0;
}

/** tcp_snd_limit returns the bytes that the send queue may hold now. */
static inline uint32_t tcp_snd_limit(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t share = tcp_share(tcp, t->mss != 0 ? t->mss : MSS_DEFAULT);
	uint32_t max = t->snd_max;

	if (unlikely(tcp->ctx->mbufs_spare == 0) && tcp_may_send_one(tcp, t))
		share = RTE_MAX(share, (uint32_t)t->mss);
	else if (share < max && tcp->ctx->mbufs_spare > 0)
		share = (uint32_t)RTE_MAX((uint64_t)share, tcp->ctx->cfg.tcp_sndbuf_min);
	return share < max ? share : max;
}

/** tcp_notsent_lowat returns how many bytes may be queued and unsent; 0: without limit. */
static inline uint32_t tcp_notsent_lowat(const struct tcp *tcp, const struct tcb *t)
{
	return tcp_own(tcp_tuning(tcp, t)->notsent_lowat,
	               (uint32_t)tcp->ctx->cfg.tcp_notsent_lowat);
}

/** tcp_is_writable says whether a third of the send queue is free, and what is unsent below half of
 * TCP_NOTSENT_LOWAT, as Linux asks for EPOLLOUT. */
static inline bool tcp_is_writable(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t limit = tcp_snd_limit(tcp, t), lowat = tcp_notsent_lowat(tcp, t);

	if (likely(t->snd_bytes == 0))
		return limit > 0 || t->snd_max == 0;
	if (unlikely(lowat != 0) && 2 * (uint64_t)tcp_unsent(t) >= lowat)
		return false;
	return t->snd_bytes <= limit - limit / 3 && (limit > 0 || t->snd_max == 0);
}

/** tcp_is_readable_tuned is tcp_is_readable of a socket with rare settings and something queued. */
bool tcp_is_readable_tuned(const struct tcp *tcp, const struct tcb *t);

/** tcp_is_readable says whether so much is queued as SO_RCVLOWAT asks for, or as the window, or mbufs, let come. */
static inline bool tcp_is_readable(const struct tcp *tcp, const struct tcb *t)
{
	if (likely(t->tuning == 0 || t->rcv_bytes == 0))
		return t->rcv_bytes > 0;
	return tcp_is_readable_tuned(tcp, t);
}

/** tcp_has_report says whether something waits in the error queue: calls with MSG_ZEROCOPY whose bytes were copied. */
bool tcp_has_report(const struct tcp *tcp, const struct tcb *t);

/** tcp_notify_readable tells the socket's set if it is readable: SO_RCVLOWAT has changed. */
static inline void tcp_notify_readable(struct tcp *tcp, struct tcb *t)
{
	if ((t->flags & TCB_OPEN) && tcp_is_readable(tcp, t))
		event_notify(tcp->ev, &t->poll, tcp->first_fd + tcp_index(tcp, t),
		             EPOLLIN | EPOLLRDNORM);
}

/** tcp_tell_space tells a socket that was refused to send once it is writable again. */
static inline bool tcp_tell_space(struct tcp *tcp, struct tcb *t)
{
	if (!tcp_is_writable(tcp, t))
		return false;
	t->flags &= ~(uint32_t)TCB_NOSPACE;
	if (t->flags & TCB_OPEN)
		event_notify(tcp->ev, &t->poll, tcp->first_fd + tcp_index(tcp, t),
		             EPOLLOUT | EPOLLWRNORM);
	return true;
}

/** tcp_validate checks the invariants of every structure; violations are told on f. */
unsigned tcp_validate(const struct tcp *tcp, FILE *f);

#endif
