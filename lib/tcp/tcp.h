/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_H
#define TCP_TCP_H

/*
 * TCP of one stack: what the socket layer and the stack call.
 *
 * A received segment goes through tcp_rx_parse (tcp_rx.h: header, checksum, flow), tcp_rx_prefetch
 * and tcp_input.  Nothing is sent at once: a connection with something to send is put on the work
 * list, and at the end of the turn tcp_flush sends its data, which carries the acknowledgement, or
 * the acknowledgement alone.
 *
 * Half-open connections are in the SYN cache, those in TIME-WAIT in a table of their own; neither
 * has a TCB.  One flow table finds all three kinds.
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
#define MSS_MIN         64   /* the least that a peer's MSS counts as (CVE-2019-11479) */

/** Rarely changed settings of a socket; shared by all sockets with the same values. */
struct tcp_tuning {
	uint32_t refs;
	uint32_t keepidle_ms, keepintvl_ms, keepcnt;
	uint32_t user_timeout_ms;  /* 0: R2 is tcp.retries */
	uint32_t maxseg;           /* TCP_MAXSEG; 0: from the MTU */
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
	uint64_t max_pacing_rate;  /* SO_MAX_PACING_RATE, bytes/s, plus 1; 0: unlimited */
	struct kept kept;          /* of SOL_SOCKET and IPPROTO_IP */
	/* one more than the index of the local address that bind() set without a port
	 * (IP_BIND_ADDRESS_NO_PORT); 0: none */
	uint16_t bound;
};

#define TCP_TUNINGS 256 /* tcb.tuning has 8 bits */

struct tcp_account;
struct accecn;

/** The history of sockets for TCP_INFO (account.h). */
struct accounts {
	struct tcp_account *account; /* 0: shared by those without one */
	struct freelist free;        /* by tcp_account.next */
};

#define STASH_BYTES 128

/** Copies of lone small segments in flight (stash.h). */
struct stash {
	uint8_t (*slot)[STASH_BYTES];
	uint32_t *free;   /* stack of free slots */
	uint32_t nb_free; /* how many */
};

struct auth_key;

/** What a segment is signed with (auth.h). */
struct auth_by {
	const struct auth_key *key;
	/* TCP-AO only */
	const uint8_t *traffic; /* its traffic key; NULL: derive it from these */
	uint32_t isn, peer_isn; /* of the segment's sender and of its receiver */
	uint64_t seq;           /* a recent sequence number of the sender, extended to 64 bits */
	uint8_t rnext;          /* RNextKeyID to send */
};

/** Keys of signed segments (auth.h). */
struct auth {
	struct auth_key *key; /* 1 .. n */
	uint16_t *chain;      /* by hash of the owner: the first key; 0: none */
	uint32_t mask;        /* of that hash */
	uint32_t n, used;
	uint32_t waiting; /* keys in use in TIME-WAIT */
	uint16_t free;
	struct auth_by by; /* for the answer to the last signed segment */
};

#define TCP_FAVOURED 8

/** Data that took mbufs from the reserve (pressure.c), and ends at this sequence number. */
struct tcp_favour {
	uint32_t tcb; /* of whom; 0: none */
	uint32_t end;
	uint32_t tick; /* when */
};

struct tcp {
	struct ctx *ctx;
	struct ip *ip;
	struct events *ev;
	uint32_t first_fd; /* descriptor of TCB 0, which is never used */
	uint32_t nb_tcbs;  /* TCBs are 1 .. nb_tcbs */
	uint32_t nb_queues;
	uint32_t tcbs_used, queues_used;
	struct freelist free_tcbs, free_queues; /* by tcb.link, by tcp_queues.recover */
	/* idle queues; the oldest are reclaimed first */
	uint32_t idle_oldest, idle_newest;
	uint32_t work_head, work_tail; /* the work list */
	bool told;    /* the last flush notified an application, which must get its turn */
	bool refused; /* a new connection was, since mbufs became scarce (pressure.c) */
	struct {
		/* the last tick assigned to keep-alives, and how many it has */
		uint32_t tick, taken;
	} keepalive;
	struct dsack dsack;
	struct accounts accounts;
	uint32_t challenge_tokens; /* RFC 5961 section 7 */
	uint32_t challenge_tick;
	struct tcb *tcb;
	struct accecn *accecn; /* one per TCB; NULL: tcp.ecn has not allowed Accurate ECN yet */
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
		struct pc_sip_key key[2]; /* for new cookies; for older ones, if has_backup */
		bool has_backup;
	} fastopen;
	struct cc_slots slots;
	struct sources connections, half_open; /* per source; tcp.source_* */
	uint32_t denied_left;                  /* denied.c: TCBs still to be checked */
	uint64_t flush_ns;                     /* ... no sweep for the firewall before this */
	struct {
		uint32_t hand;  /* pressure.c: the queues examined last */
		uint32_t round; /* number of complete rounds */
		uint32_t tick;  /* when that was */
	} pressure;
	struct tcp_favour favoured[TCP_FAVOURED];
	struct {
		uint32_t hand;   /* room.c: the TCB examined last */
		uint32_t left;   /* TCBs still to be examined in this search */
		uint32_t wanted; /* connections that should still give way in it */
		uint32_t least;  /* fewest connections of any source refused since it began */
		uint32_t tick;   /* when TCBs were last examined */
		/* when a source with fewer connections than giver last got a place */
		uint32_t contest_tick;
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
	uint8_t tos;  /* of the IP header */
	uint8_t segs; /* segments merged into this one, itself included (tcp_merge.h) */
	union {
		uint32_t text; /* if several have data: bytes of the longest */
		uint32_t most; /* if several are acknowledgements: SND.NXT */
	};
	uint64_t hash;
	flow_ref ref; /* a candidate, verified by tcp_input */
};

/** tcp_merged_acks returns how many acknowledgements before this one it stands for. */
static inline uint32_t tcp_merged_acks(const struct tcp_rx *rx)
{
	return rx->seg.len == 0 ? rx->segs - 1u : 0;
}

/** The same with its packet and IP header, waiting for the next stage. */
struct tcp_pending {
	struct tcp_rx rx;
	struct ip_pkt pkt;
	struct rte_mbuf *m, *tail; /* tail: its last mbuf, if segments were merged */
};

/** tcp_footprint fills in the bytes that tcp_create allocates for connections, flow_table,
 * half_open and time_wait; it returns those of everything else. */
uint64_t tcp_footprint(const struct pc_stack_config *cfg, struct pc_stack_footprint *fp);

/** tcp_create creates the layer; the descriptor of TCB i is first_fd + i. NULL: no memory. */
struct tcp *tcp_create(struct ctx *ctx, struct ip *ip, struct events *ev, uint32_t first_fd);

/** tcp_configure applies the settings that TCP keeps outside ctx->cfg. Returns 0, or -ENOMEM when
 * they newly need memory. */
int tcp_configure(struct tcp *tcp);

/** tcp_destroy frees everything, including queued mbufs. */
void tcp_destroy(struct tcp *tcp);

/** tcp_free_mbufs frees every queued mbuf and nothing else; only tcp_destroy may follow. */
void tcp_free_mbufs(struct tcp *tcp);

/* ---- input ----------------------------------------------------------------------------------- */

/** tcp_rx_prefetch looks up the flows of a burst and prefetches what it finds. */
void tcp_rx_prefetch(struct tcp *tcp, struct tcp_pending *seg, unsigned n);

/** tcp_input processes a parsed segment (RFC 9293 section 3.10.7). Verdict: done, or a drop. */
int tcp_input(struct tcp *tcp, struct rte_mbuf *m, const struct ip_pkt *p, struct tcp_rx *rx);

/** tcp_error handles an ICMP error about a segment of ours (RFC 9293 section 3.9.2.2, RFC 5927). */
void tcp_error(struct tcp *tcp, const struct icmp_error *e);

/* ---- turns ----------------------------------------------------------------------------------- */

/** tcp_poll fires the timers due at ctx->tick, and reclaims mbufs while they are scarce. */
void tcp_poll(struct tcp *tcp);

/** tcp_flush sends what is due on the connections of the work list. */
void tcp_flush(struct tcp *tcp);

/** tcp_next stores the tick of the next timer, or the present tick while the work list is not empty
 * or the flush has notified an application. Returns false when there is nothing to wait for. */
bool tcp_next(const struct tcp *tcp, uint32_t *tick);

/* ---- sockets; errors are negative errnos ----------------------------------------------------- */

/** tcp_tcb returns the TCB of an index in [1,nb_tcbs]. */
static inline struct tcb *tcp_tcb(const struct tcp *tcp, uint32_t index)
{
	return &tcp->tcb[index];
}

/** tcp_listener returns the socket that owns a binding; for a connection, the listener that it came
 * from. */
static inline struct tcb *tcp_listener(const struct tcp *tcp, uint32_t binding)
{
	return tcp_tcb(tcp, tcp->bind.binding[binding].tcb);
}

/** tcp_listener_for returns the binding that listens on a port for the connection that a segment
 * would open, or 0. */
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

/** tcb_is_stashed says whether a connection is stashed (stash.h). */
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

/** tcp_queues_if does the same, but returns NULL when the connection is stashed. */
static inline struct tcp_queues *tcp_queues_if(const struct tcp *tcp, const struct tcb *t)
{
	return tcb_is_stashed(t) ? NULL : tcp_queues(tcp, t);
}

static inline const struct tcp_tuning *tcp_tuning(const struct tcp *tcp, const struct tcb *t)
{
	return &tcp->tuning[t->tuning];
}

/** tcp_own returns the socket's own setting or, if that is 0, the general one. */
static inline uint32_t tcp_own(uint32_t own, uint32_t all)
{
	return own != 0 ? own : all;
}

/** tcp_delack_us returns the longest delay of an acknowledgement: the configured one, or
 * TCP_DELACK_MAX_US if that is less. */
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

/** tcp_port_is_busy says whether the connection's port takes nothing at the moment. Data then waits
 * in the connection's own queue, where nothing is lost, not in the port's. */
static inline bool tcp_port_is_busy(const struct tcp *tcp, const struct tcb *t)
{
	return txq_is_busy(&tcp->ip->ifs.netif[t->netif].txq);
}

/** tcp_rcv_limit returns the largest receive window: SO_RCVBUF, or TCP_WINDOW_CLAMP if that is less
 * (but never so little that scaling makes it 0). */
static inline uint32_t tcp_rcv_limit(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t clamp = tcp_tuning(tcp, t)->window_clamp;

	return clamp == 0 ? t->rcv_max : RTE_MIN(t->rcv_max, RTE_MAX(clamp, 1u << t->rcv_wscale));
}

/** tcp_socket creates a closed socket, of AF_INET until TCB_IP6 is set. Returns its TCB, or NULL
 * when max_connections is reached. */
struct tcb *tcp_socket(struct tcp *tcp);

/** tcp_bind: -EINVAL (bound), -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. */
int tcp_bind(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *local);

/** tcp_set_reuse sets or clears SO_REUSEADDR. */
void tcp_set_reuse(struct tcp *tcp, struct tcb *t, bool on);

/** tcp_listen: -EINVAL (connected), -EADDRINUSE, -ENOBUFS. */
int tcp_listen(struct tcp *tcp, struct tcb *t, int backlog);

/** tcp_accept returns the oldest established connection, now open, or NULL. */
struct tcb *tcp_accept(struct tcp *tcp, struct tcb *listener);

/** tcp_forget_attempt releases the address and port that a failed attempt to connect chose for an
 * unbound socket: another peer may be reached from another address, and on another queue. */
void tcp_forget_attempt(const struct tcp *tcp, struct tcb *t);

/** tcp_dissolve resets a socket's address to the one that it is bound to, if any. The port stays:
 * getsockname reports it until the next attempt. */
void tcp_dissolve(const struct tcp *tcp, struct tcb *t);

/** tcp_disconnect resets a socket to its initial state except for its settings, as Linux's
 * connect() with AF_UNSPEC does: the peer gets an RST, queued data is dropped, and the socket's
 * error is ECONNRESET if there was a connection or an attempt. */
void tcp_disconnect(struct tcp *tcp, struct tcb *t);

/** tcp_connect sends a SYN. Returns 0, an error as pc_connect does, or 1 when the SYN waits for the
 * first bytes to carry (TCP_FASTOPEN_CONNECT). */
int tcp_connect(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote);

/** tcp_send copies bytes into the send queue; flags: MSG_MORE; MSG_EOR, which takes effect when all
 * bytes are taken. Returns how many, or -EAGAIN, -EPIPE, -ENOTCONN or the socket's error. */
ssize_t tcp_send(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt, int flags);

/**
 * tcp_send_fastopen is tcp_connect and tcp_send in one (MSG_FASTOPEN). Returns how many bytes
 * the SYN took, -EINPROGRESS when it has to request a cookie first, -EOPNOTSUPP when tcp.fastopen
 * does not allow it, or what tcp_connect returns.
 */
ssize_t tcp_send_fastopen(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote,
                          const struct iovec *iov, int iovcnt);

/** tcp_send_mbuf queues a payload chain, and takes ownership of it on success. */
int tcp_send_mbuf(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m);

/** tcp_recv copies bytes out; peek leaves them in the queue. Returns how many, 0 at the end of the
 * stream, or -EAGAIN, -ENOTCONN or the socket's error. */
ssize_t tcp_recv(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt, bool peek);

/** tcp_discard drops n received bytes, no more than are queued; returns n. */
ssize_t tcp_discard(struct tcp *tcp, struct tcb *t, uint32_t n);

/** tcp_recv_mbufs takes up to n of the oldest received mbufs. Returns how many, 0 at the end of the
 * stream, or an error as tcp_recv does. */
int tcp_recv_mbufs(struct tcp *tcp, struct tcb *t, struct rte_mbuf **m, unsigned n);

/** tcp_shutdown: -ENOTCONN. how is SHUT_*. */
int tcp_shutdown(struct tcp *tcp, struct tcb *t, int how);

/** tcp_close releases the descriptor and leaves it to the protocol to end the connection. */
void tcp_close(struct tcp *tcp, struct tcb *t);

/** tcp_mask returns what is ready, as EPOLL*. A socket that is not writable will be notified when
 * it is. */
uint32_t tcp_mask(struct tcp *tcp, struct tcb *t);

/** tcp_local and tcp_remote return a socket's endpoints. */
struct pc_endpoint tcp_local(const struct tcp *tcp, const struct tcb *t);
struct pc_endpoint tcp_remote(const struct tcb *t);

/** tcp_take_error returns and clears the pending error. */
int tcp_take_error(struct tcb *t);

/** tcp_tune replaces a socket's rarely used settings with *want (refs is ignored). -ENOBUFS when
 * too many different sets are in use. */
int tcp_tune(struct tcp *tcp, struct tcb *t, const struct tcp_tuning *want);

/** tcp_work puts a connection on the work list. */
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

/** tcp_keepalive_start arms or stops the keep-alive timer after a change of SO_KEEPALIVE. */
void tcp_keepalive_start(struct tcp *tcp, struct tcb *t);

/** tcp_keepalive_adjust does so after a change of TCP_KEEPIDLE, which counts from when the peer was
 * last heard from. */
void tcp_keepalive_adjust(struct tcp *tcp, struct tcb *t);

/** tcb_is_opening says whether the application has to wait for the handshake, which it need not on
 * a server's Fast Open connection. */
static inline bool tcb_is_opening(const struct tcb *t)
{
	return t->state == TCP_S_SYN_SENT ||
	       (t->state == TCP_S_SYN_RECEIVED && !(t->flags & TCB_CONNECTED));
}

/** tcp_unsent returns how many queued bytes have never been sent. */
static inline uint32_t tcp_unsent(const struct tcb *t)
{
	uint32_t sent = t->snd_nxt - t->snd_una - ((t->flags & TCB_FIN_SENT) ? 1 : 0);

	return t->snd_bytes > sent ? t->snd_bytes - sent : 0;
}

/**
 * tcp_share returns the bytes that one buffer may grow to now: an eighth of the mbufs available
 * beyond mbufs_small. So a lone connection gets all that its limit allows, many get about the same
 * each, and however much they hold, a new one is accepted and finds room (tcp.sndbuf_min).
 */
static inline uint32_t tcp_share(const struct tcp *tcp, uint32_t mss)
{
	const uint32_t spare = tcp->ctx->mbufs_spare, small = tcp->ctx->mbufs_small;
	uint64_t share = spare > small ? (uint64_t)((spare - small) / MBUFS_SHARE) * mss : 0;

	return share < UINT32_MAX ? (uint32_t)share : UINT32_MAX;
}

/** tcp_snd_grow lets the send queue hold twice the congestion window, within tcp.sndbuf_max, unless
 * SO_SNDBUF was set. It never shrinks the queue again with the window: room that an application has
 * been notified of must be there. */
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

/** tcp_keeps_up says whether a connection soon frees the mbufs that it takes: its send queue is
 * empty, and its peer's receive buffer is at most half full. */
static inline bool tcp_keeps_up(const struct tcb *t)
{
	return t->snd_bytes == 0 && 2 * (uint64_t)t->snd_wnd >= t->snd_max_wnd;
}

/** tcp_may_send_one says whether a segment may be queued even where mbufs are low: the connection
 * keeps up, and the mbufs kept for acknowledgements are untouched. */
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

/** tcp_notsent_lowat returns how many bytes may be queued and unsent; 0: no limit. */
static inline uint32_t tcp_notsent_lowat(const struct tcp *tcp, const struct tcb *t)
{
	return tcp_own(tcp_tuning(tcp, t)->notsent_lowat,
	               (uint32_t)tcp->ctx->cfg.tcp_notsent_lowat);
}

/** tcp_is_writable says whether a third of the send queue is free and less than half of
 * TCP_NOTSENT_LOWAT is unsent, as Linux requires for EPOLLOUT. */
static inline bool tcp_is_writable(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t limit = tcp_snd_limit(tcp, t), lowat = tcp_notsent_lowat(tcp, t);

	if (likely(t->snd_bytes == 0))
		return limit > 0 || t->snd_max == 0;
	if (unlikely(lowat != 0) && 2 * (uint64_t)tcp_unsent(t) >= lowat)
		return false;
	return t->snd_bytes <= limit - limit / 3 && (limit > 0 || t->snd_max == 0);
}

/** tcp_is_readable_tuned is tcp_is_readable for a socket with rare settings and data queued. */
bool tcp_is_readable_tuned(const struct tcp *tcp, const struct tcb *t);

/** tcp_is_readable says whether SO_RCVLOWAT bytes are queued, or as many as the window or the mbufs
 * allow to arrive. */
static inline bool tcp_is_readable(const struct tcp *tcp, const struct tcb *t)
{
	if (likely(t->tuning == 0 || t->rcv_bytes == 0))
		return t->rcv_bytes > 0;
	return tcp_is_readable_tuned(tcp, t);
}

/** tcp_has_report says whether the error queue holds anything: completed calls with MSG_ZEROCOPY,
 * whose bytes were copied. */
bool tcp_has_report(const struct tcp *tcp, const struct tcb *t);

/** tcp_notify_readable notifies the socket's epoll set if it is readable, say because SO_RCVLOWAT
 * has changed. */
static inline void tcp_notify_readable(struct tcp *tcp, struct tcb *t)
{
	if ((t->flags & TCB_OPEN) && tcp_is_readable(tcp, t))
		event_notify(tcp->ev, &t->poll, tcp->first_fd + tcp_index(tcp, t),
		             EPOLLIN | EPOLLRDNORM);
}

/** tcp_tell_space notifies a socket whose send was refused, if it is writable again; returns
 * whether it is. */
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

/** tcp_validate checks the invariants of every structure, and reports violations on f (NULL:
 * nowhere). Returns their number. */
unsigned tcp_validate(const struct tcp *tcp, FILE *f);

#endif
