/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_CHAN_H
#define CHAN_CHAN_H

/*
 * The channel: what lcores and the threads of programs share.
 *
 * One segment of memory (a memfd, mapped by everybody at any address, so it contains offsets and no
 * pointers) holds
 *
 *   struct chan_head       sizes, and whether the stack is down
 *   struct chan_proc []    a slot per attached process: its pending calls, a post ring per lcore
 *   struct chan_queue []   an event queue per epoll set or poll that sleeps: a word ring per lcore
 *   struct chan_sock []    the sockets, and for each a receive and a send fifo
 *
 * A socket belongs to one lcore for all its life; lcore l has the sockets from l * socks_per_lcore
 * up to, but not including, (l + 1) * socks_per_lcore.  A listener and a bound UDP socket have a
 * part on every lcore: a socket of that lcore that points to the first of them, the primary.
 * Readers look at all parts.
 *
 * Overview of a socket's bytes: the lcore moves them from the stack to the rx fifo and from the tx
 * fifo to the stack.  A client that reads what is there, or writes where there is room, touches
 * only this memory.  It posts a *kick* (the number of the socket, at most once until it is taken)
 * when it has written, or has made room that the lcore waits for.  What needs an answer from the
 * stack is a *call*: a block of a process slot, posted by number; the caller sleeps on its state.
 *
 * Events: an lcore that changes a socket increments a counter of it (ev_in, ev_out, ev_state),
 * wakes those who sleep on seq, and puts the socket into the event queues that have subscribed to
 * it.
 *
 * Ownership: fields are marked L (written by the lcore of the socket), C (by clients) or both.  The
 * service trusts nothing that a client writes.
 *
 * Holders: a process that has a descriptor of a socket has its bit in holders.  A socket without
 * holders is closed.  A connection in an accept queue has the bit CHAN_QUEUED, which is the
 * service's.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chan/atomic.h"
#include "chan/fifo.h"
#include "chan/lock.h"
#include "chan/ring.h"

#define CHAN_MAGIC       UINT64_C(0x3165726f63726570) /* "percore1" */
#define CHAN_MAX_LCORES  16
#define CHAN_PROCS       128 /* slot 0 is the service's own: a connection in an accept queue */
#define CHAN_PROC_WORDS  (CHAN_PROCS / 64)
#define CHAN_QUEUES      256
#define CHAN_SUB_WORDS   (CHAN_QUEUES / 64)
#define CHAN_CALLS       64   /* calls of a process that are under way at the same time */
#define CHAN_CALL_DATA   1536 /* a filter of ten sources (MCAST_MSFILTER) takes 1,424 */
#define CHAN_OPTIONS     16
#define CHAN_TELL_INQ    1u /* TCP_INQ */
#define CHAN_TELL_COPIES 2u /* SO_ZEROCOPY */
#define CHAN_TELL_INLINE 4u /* SO_OOBINLINE */

/* struct chan_sock.urgent: how many have come in the upper half, and the byte */
#define CHAN_URGENT_HERE  (1u << 8)
#define CHAN_URGENT_TAKEN (1u << 9) /* by MSG_OOB */
#define CHAN_URGENT_STATE (3u << 8)
#define CHAN_URGENT_ONE   (1u << 16)
#define CHAN_NONE         UINT32_MAX
#define CHAN_QUEUED       UINT64_C(1) /* bit 0 of holders[0] */

/* What is posted: the number of a socket, or this and the number of a call. */
#define CHAN_POST_CALL    (UINT32_C(1) << 31)
#define CHAN_POST_NOTHING (CHAN_POST_CALL - 1) /* no socket has this number */

enum chan_op {
	CHAN_OP_SOCKET =
	    1, /* a: domain, b: type, c: protocol, sock: the primary or CHAN_NONE -> socket */
	CHAN_OP_BIND,    /* data: address */
	CHAN_OP_LISTEN,  /* a: backlog */
	CHAN_OP_CONNECT, /* data: address; of AF_UNSPEC: the peer is forgotten; a: with Fast Open */
	CHAN_OP_SHUTDOWN,   /* a: how */
	CHAN_OP_SETSOCKOPT, /* a: level, b: name, data */
	CHAN_OP_GETSOCKOPT, /* a: level, b: name, len: room (filters: data, which says of which group) -> data */
	CHAN_OP_GETSOCKNAME,
	CHAN_OP_GETPEERNAME,
	CHAN_OP_IOCTL,  /* a: request -> the int */
	CHAN_OP_FLUSH,  /* move what is in the tx fifo -> 0, or the error of its last datagram */
	CHAN_OP_FORGET, /* a failed connect() was told: the socket is as new */
	CHAN_OP_ADDRESSES, /* a: of them that are ready, the first that is told -> how many, data: struct chan_local [] */
	CHAN_OP_ERRQUEUE, /* a: how many bytes are wanted -> data: a struct chan_error and what follows */
	CHAN_OP_MD5SIG, /* a: which of its keys -> data: a struct tcp_md5sig */
	CHAN_OP_AO_KEY, /* data: a struct tcp_ao_getsockopt, a: which of those keys -> how many there are, data: the key */
};

enum chan_call_state { CHAN_CALL_FREE, CHAN_CALL_POSTED, CHAN_CALL_DONE };

/** A call; the caller fills in everything but result, the lcore result, len and data. */
struct chan_call {
	uint32_t state; /* a futex */
	uint32_t armed; /* the caller sleeps */
	uint32_t op, sock;
	int32_t a, b, c;
	uint32_t len; /* of data */
	int64_t result;
	_Alignas(8) uint8_t data[CHAN_CALL_DATA];
};

enum chan_proc_state { CHAN_PROC_FREE, CHAN_PROC_LIVE, CHAN_PROC_DYING };

/** A slot; what has become of its process is the host's to know, and not here. */
struct chan_proc {
	struct chan_call call[CHAN_CALLS];
};

/** An event queue: filled by the lcores, emptied by one process. */
struct chan_queue {
	uint32_t armed; /* 0, or who waits: CHAN_ARMED once, CHAN_ALWAYS for every event */
	uint32_t pad[15];
};

enum { CHAN_ARMED = 1, CHAN_ALWAYS = 2 };

enum chan_type { CHAN_FREE, CHAN_STREAM, CHAN_DGRAM };

/** States of a stream, as far as the calls of a client have to know them. */
enum chan_state { CHAN_IDLE, CHAN_LISTEN, CHAN_CONNECTING, CHAN_CONNECTED, CHAN_OVER };

/* flags, L; a client that has sent a datagram adds CHAN_BOUND, which only saves it calls */
enum {
	CHAN_RX_END = 1 << 0,  /* no byte follows those in the rx fifo: FIN, RST or an error */
	CHAN_RX_SHUT = 1 << 1, /* shutdown(SHUT_RD) */
	CHAN_TX_SHUT = 1 << 2, /* shutdown(SHUT_WR), or the connection is over */
	CHAN_HUP = 1 << 3,     /* EPOLLHUP */
	CHAN_PRI = 1 << 4,     /* the stack has a mark ahead of what is in the rx fifo */
	CHAN_PEER = 1 << 5,    /* a datagram socket has a peer */
	CHAN_BOUND = 1 << 6,   /* it has a port */
	CHAN_FIN = 1 << 7, /* of CHAN_RX_END: the peer's FIN, after which reads tell of no error */
};

/** An address as in struct sockaddr_in or sockaddr_in6; len 0: none. */
struct chan_addr {
	uint32_t len;
	uint8_t sa[28];
};

struct chan_option {
	int32_t level, name;
	uint32_t len;
	uint8_t value[20];
};

struct chan_sock {
	/* L */
	uint32_t type, state, flags;
	uint32_t ip6;
	uint32_t seq;                     /* a futex: counts every change */
	uint32_t ev_in, ev_out, ev_state; /* count what became readable, writable, and the rest */
	uint32_t lcore;
	int32_t error;    /* SO_ERROR; taken by swapping it for 0 */
	uint32_t rx_want; /* both: the lcore waits for room in the rx fifo */
	uint64_t
	    rx_mark; /* position of the urgent byte in the rx fifo, and one more; 0: not known */
	uint32_t protocol;
	uint32_t tells;  /* CHAN_TELL_* */
	uint64_t cookie; /* SO_COOKIE: no other socket of this stack had or gets it */
	/* C */
	uint32_t kicked;         /* it is in a post ring */
	uint32_t armed;          /* somebody sleeps on seq */
	uint32_t tx_want;        /* somebody waits for room in the tx fifo */
	uint32_t nonblock;       /* O_NONBLOCK */
	uint32_t rx_lock;        /* struct lock's word */
	uint32_t tx_lock;        /* */
	uint32_t next_part;      /* where accept and recv begin to look */
	uint32_t connecting;     /* a connect() has failed with EINPROGRESS */
	uint64_t rcv_timeout_ns; /* 0: for ever */
	uint64_t snd_timeout_ns;
	uint64_t tx_more;   /* MSG_MORE: bytes up to here may wait for more */
	uint64_t tx_urgent; /* MSG_OOB: the last byte before this is urgent; 0: none was */
	uint32_t linger_s;
	uint32_t linger; /* SO_LINGER is on */
	uint32_t nb_options;
	uint32_t nb_parts;
	uint32_t
	    part[CHAN_MAX_LCORES]; /* the sockets of all lcores, with itself, if nb_parts > 0 */
	struct chan_option option[CHAN_OPTIONS];
	struct chan_addr known_to; /* a datagram to here was routed */
	uint32_t rcvlowat;         /* SO_RCVLOWAT less one */
	uint32_t peek_off;         /* SO_PEEK_OFF and one more; 0: off */
	uint32_t copies;           /* calls with MSG_ZEROCOPY */
	uint32_t copies_told;      /* of them told in the error queue */
	uint32_t urgent;           /* both: the last urgent byte; 0: none, or read past */
	uint32_t
	    cork; /* UDP_CORK is 1, and something is held back by it or by MSG_MORE: CHAN_CORK_* */
	uint32_t buffers_set; /* CHAN_SNDBUF_SET, CHAN_RCVBUF_SET */
	uint32_t keys;        /* it may have keys (TCP_MD5SIG, TCP_AO_ADD_KEY) */
	uint32_t
	    edges; /* somebody waits for EPOLLOUT with EPOLLET, and is told of each datagram that has left */
	uint32_t dissolved; /* L: counts connect() with AF_UNSPEC, of a stream */
	/* L: positions of bytes whose marks were replaced while the reader stood at them: [rx_hole,rx_hole_end) */
	uint64_t rx_hole, rx_hole_end;
	/* both */
	uint64_t holders[CHAN_PROC_WORDS];
	uint64_t subs[CHAN_SUB_WORDS];   /* C: event queues that want to know */
	uint64_t lone[CHAN_SUB_WORDS];   /* C: of them those with EPOLLEXCLUSIVE */
	uint64_t queued[CHAN_SUB_WORDS]; /* in which of them it is */
	/* L, of an accepted connection */
	struct chan_addr local, peer;
	/* the fifos; of a listener, rx counts words: its accept queue */
	_Alignas(64) union {
		struct chan_fifo rx;
		struct word_ring accepted;
	};
	struct chan_fifo tx;
};

#define CHAN_PAYLOAD_MAX 65535u
#define CHAN_CONTROL_MAX 256u

/** Bits of chan_sock.buffers_set. */
#define CHAN_SNDBUF_SET 1u
#define CHAN_RCVBUF_SET 2u

/** Bits of chan_sock.cork. */
#define CHAN_CORK_ON   1u
#define CHAN_CORK_HELD 2u

/** A datagram in a fifo: this, the payload, and its ancillary data, each filled up to a multiple of 8 bytes. */
struct chan_dgram {
	uint32_t len;
	uint16_t control_len;  /* of messages as in msg_control */
	uint16_t more;         /* to be sent: MSG_MORE, others follow that belong to it */
	struct chan_addr addr; /* of the sender, or for whom; len 0: for the peer */
};

/** An error of the queue that MSG_ERRQUEUE reads, in the data of its call: this, what is quoted, and the messages. */
struct chan_error {
	uint32_t len, control_len;
	uint32_t flags; /* of msg_flags */
	struct chan_addr addr;
};

/** An address of the stack's, as CHAN_OP_ADDRESSES tells it. */
struct chan_local {
	uint8_t ip6, prefix; /* prefix: how many bits name the network */
	uint8_t port, pad;
	uint8_t addr[16]; /* of IPv4 the first 4 */
};

struct chan_lcore {
	uint32_t seq;   /* a futex */
	uint32_t armed; /* the lcore sleeps on seq */
	uint32_t pad[14];
};

/** The beginning of a segment. Its sizes are written once; nobody computes with them but chan_open. */
struct chan_head {
	uint64_t magic;
	uint32_t nb_lcores, socks_per_lcore, fifo_bytes;
	uint32_t down; /* the stack has ended: ENETDOWN */
	uint64_t
	    live[CHAN_PROC_WORDS]; /* slots that are not free: what the host tells of its own */
	_Alignas(64) struct chan_lcore lcore[CHAN_MAX_LCORES];
};

/** A process's own view of a segment: where things are. It lies outside of it, where no other process writes. */
struct chan {
	struct chan_head *head;
	uint64_t bytes;
	uint32_t nb_lcores, socks_per_lcore, nb_socks;
	uint32_t fifo_bytes; /* of each fifo */
	uint32_t post_cells; /* of each post ring */
	uint32_t queue_words;
	uint64_t proc_at, post_at, queue_at, words_at, sock_at, rx_at, tx_at;
};

/** What a channel is to have room for. */
struct chan_limits {
	uint32_t nb_lcores;
	uint32_t socks_per_lcore;
	uint32_t fifo_bytes; /* a power of two, at least 128 KiB: a datagram has to fit */
};

/** chan_bytes returns the size of a segment; most of it is never touched. 0: limits out of range. */
uint64_t chan_bytes(const struct chan_limits *l);

/** chan_make makes a segment of chan_bytes(l) bytes of zeroes a channel. */
void chan_make(struct chan_head *head, const struct chan_limits *l);

/** chan_open gets the view of a mapped segment. Returns false when it is no channel that we understand. */
bool chan_open(struct chan *c, void *segment, uint64_t bytes);

static inline void *chan_at(const struct chan *c, uint64_t offset)
{
	return (uint8_t *)c->head + offset;
}

static inline struct chan_proc *chan_proc(const struct chan *c, uint32_t proc)
{
	return (struct chan_proc *)chan_at(c, c->proc_at) + proc;
}

static inline struct post_ring *chan_post(const struct chan *c, uint32_t proc, uint32_t lcore)
{
	uint64_t size = sizeof(struct post_ring) + c->post_cells * sizeof(struct post_cell);

	return chan_at(c, c->post_at + (proc * (uint64_t)c->nb_lcores + lcore) * size);
}

static inline struct chan_queue *chan_queue(const struct chan *c, uint32_t queue)
{
	return (struct chan_queue *)chan_at(c, c->queue_at) + queue;
}

/** chan_events returns the ring by which an lcore fills an event queue; *words get its words. */
static inline struct word_ring *chan_events(const struct chan *c, uint32_t queue, uint32_t lcore,
                                            uint32_t **words)
{
	uint64_t size = sizeof(struct word_ring) + c->queue_words * sizeof(uint32_t);
	struct word_ring *r =
	    chan_at(c, c->words_at + (queue * (uint64_t)c->nb_lcores + lcore) * size);

	*words = (uint32_t *)(r + 1);
	return r;
}

static inline struct chan_sock *chan_sock(const struct chan *c, uint32_t sock)
{
	return (struct chan_sock *)chan_at(c, c->sock_at) + sock;
}

static inline struct fifo chan_rx(const struct chan *c, uint32_t sock)
{
	return (struct fifo){&chan_sock(c, sock)->rx,
	                     chan_at(c, c->rx_at + (uint64_t)sock * c->fifo_bytes), c->fifo_bytes};
}

static inline struct fifo chan_tx(const struct chan *c, uint32_t sock)
{
	return (struct fifo){&chan_sock(c, sock)->tx,
	                     chan_at(c, c->tx_at + (uint64_t)sock * c->fifo_bytes), c->fifo_bytes};
}

/** chan_accept_words returns the words of a listener's accept queue, and how many there are. */
static inline uint32_t *chan_accept_words(const struct chan *c, uint32_t sock, uint32_t *n)
{
	*n = c->fifo_bytes / (uint32_t)sizeof(uint32_t);
	return chan_at(c, c->rx_at + (uint64_t)sock * c->fifo_bytes);
}

static inline uint32_t chan_round(uint32_t len)
{
	return (len + 7) & ~UINT32_C(7);
}

/** chan_dgram_bytes returns what a datagram takes of a fifo; neither length may exceed its maximum. */
static inline uint32_t chan_dgram_bytes(uint32_t len, uint32_t control_len)
{
	return (uint32_t)sizeof(struct chan_dgram) + chan_round(len) + chan_round(control_len);
}

/** CHAN_DGRAM_MAX is what the largest takes. */
#define CHAN_DGRAM_MAX chan_dgram_bytes(CHAN_PAYLOAD_MAX, CHAN_CONTROL_MAX)

/** chan_wake_lcore wakes an lcore that sleeps, after something was posted to it. */
static inline void chan_wake_lcore(const struct chan *c, uint32_t lcore)
{
	struct chan_lcore *l = &c->head->lcore[lcore];

	if (at_load_sc(&l->armed) == 0 || at_swap(&l->armed, 0) == 0)
		return;
	at_add(&l->seq, 1);
	futex_wake(&l->seq, 1);
}

/** chan_kick tells the lcore of a socket that it has something to look at. */
static inline void chan_kick(const struct chan *c, uint32_t proc, uint32_t sock)
{
	struct chan_sock *s = chan_sock(c, sock);

	/* no look first: a load might overtake the store that published what the kick is about */
	if (at_swap(&s->kicked, 1) != 0)
		return;
	/* a full ring is being emptied, unless the stack is down */
	while (!post_push(chan_post(c, proc, s->lcore), c->post_cells, sock) &&
	       !at_load(&c->head->down))
		chan_wake_lcore(c, s->lcore);
	chan_wake_lcore(c, s->lcore);
}

#endif
