/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_CHAN_H
#define CHAN_CHAN_H

/*
 * The channel: the memory that lcores share with the threads of client programs.
 *
 * It is one segment (a memfd, which each process maps at an address of its own choosing, so it
 * contains offsets and no pointers), which holds
 *
 *   struct chan_head       sizes, and whether the stack is down
 *   struct chan_proc []    a slot per attached process: its calls, and a post ring per lcore
 *   struct chan_queue []   an event queue per epoll set or sleeping poll: a word ring per lcore
 *   struct chan_sock []    the sockets, each with a receive and a send fifo
 *
 * A socket belongs to one lcore all its life; lcore l has the sockets from l * socks_per_lcore up
 * to, but not including, (l + 1) * socks_per_lcore.  A listener or a bound UDP socket has a part on
 * every lcore: a socket of that lcore that points to the first of them, the primary.  The primary
 * lists all parts, and readers look at every one.
 *
 * Data path: the lcore moves bytes from the stack to the rx fifo and from the tx fifo to the stack.
 * A client that reads bytes already there, or writes into free space, touches only this memory.
 * After it has written, or has made room that the lcore waits for, it posts a *kick*: the number of
 * the socket, posted at most once until the lcore has taken it.  Whatever needs an answer from the
 * stack is a *call*: a block of the process slot, posted by number; the caller sleeps on its state.
 *
 * Events: an lcore that changes a socket increments one of its counters (ev_in, ev_out, ev_state),
 * wakes the threads that sleep on seq, and puts the socket into the event queues that have
 * subscribed to it.
 *
 * Ownership: fields are marked L (written by the socket's lcore), C (by clients) or both.  The
 * service trusts nothing that a client writes.
 *
 * Holders: a process with a descriptor for a socket has its bit set in holders.  A socket without
 * holders is closed.  A connection in an accept queue has the bit CHAN_QUEUED set, which belongs to
 * the service.
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
#define CHAN_PROCS       128 /* slot 0 is the service's: it holds connections in accept queues */
#define CHAN_PROC_WORDS  (CHAN_PROCS / 64)
#define CHAN_QUEUES      256
#define CHAN_SUB_WORDS   (CHAN_QUEUES / 64)
#define CHAN_CALLS       64   /* concurrent calls of one process */
#define CHAN_CALL_DATA   1600 /* the largest entry of the error queue needs 1,556 */
#define CHAN_OPTIONS     16
#define CHAN_TELL_INQ    1u /* TCP_INQ */
#define CHAN_TELL_COPIES 2u /* SO_ZEROCOPY */
#define CHAN_TELL_INLINE 4u /* SO_OOBINLINE */

/* struct chan_sock.urgent: the upper half counts urgent bytes, the low byte is the last one */
#define CHAN_URGENT_HERE  (1u << 8)
#define CHAN_URGENT_TAKEN (1u << 9) /* read with MSG_OOB */
#define CHAN_URGENT_STATE (3u << 8)
#define CHAN_URGENT_ONE   (1u << 16)
#define CHAN_NONE         UINT32_MAX
#define CHAN_QUEUED       UINT64_C(1) /* bit 0 of holders[0] */

/* A posted value is the number of a socket, or that of a call with this bit set. */
#define CHAN_POST_CALL    (UINT32_C(1) << 31)
#define CHAN_POST_NOTHING (CHAN_POST_CALL - 1) /* no socket has this number */

enum chan_op {
	CHAN_OP_SOCKET =
	    1, /* a: domain, b: type, c: protocol, sock: the primary or CHAN_NONE -> socket */
	CHAN_OP_BIND,       /* data: address */
	CHAN_OP_LISTEN,     /* a: backlog */
	CHAN_OP_CONNECT,    /* data: address (AF_UNSPEC: forget the peer); a: use Fast Open */
	CHAN_OP_SHUTDOWN,   /* a: how */
	CHAN_OP_SETSOCKOPT, /* a: level, b: name, data */
	/* a: level, b: name, len: room -> data; a request for a filter names its group in data */
	CHAN_OP_GETSOCKOPT,
	CHAN_OP_GETSOCKNAME,
	CHAN_OP_GETPEERNAME,
	CHAN_OP_IOCTL,  /* a: request -> the int */
	CHAN_OP_FLUSH,  /* send what is in the tx fifo -> 0, or the error of its last datagram */
	CHAN_OP_FORGET, /* a failed connect() has been reported: reset the socket */
	/* a: index, among the ready ones, of the first -> how many, data: struct chan_local [] */
	CHAN_OP_ADDRESSES,
	/* a: how many bytes are wanted -> data: a struct chan_error and what follows it */
	CHAN_OP_ERRQUEUE,
	CHAN_OP_MD5SIG, /* a: index of the key -> data: a struct tcp_md5sig */
	/* data: a struct tcp_ao_getsockopt, a: index among the keys that match -> their number,
	 * data: the key */
	CHAN_OP_AO_KEY,
};

enum chan_call_state { CHAN_CALL_FREE, CHAN_CALL_POSTED, CHAN_CALL_DONE };

/** A call; the caller fills in all but result, the lcore writes result, len and data. */
struct chan_call {
	uint32_t state; /* a futex */
	uint32_t armed; /* the caller is asleep */
	uint32_t op, sock;
	int32_t a, b, c;
	uint32_t len; /* of data, in bytes */
	int64_t result;
	_Alignas(8) uint8_t data[CHAN_CALL_DATA];
};

enum chan_proc_state { CHAN_PROC_FREE, CHAN_PROC_LIVE, CHAN_PROC_DYING };

/** A process slot; the state of its process is kept by the host, outside the segment. */
struct chan_proc {
	struct chan_call call[CHAN_CALLS];
};

/** An event queue: filled by the lcores, emptied by one process. */
struct chan_queue {
	uint32_t armed; /* 0, or wake the reader: CHAN_ARMED once, CHAN_ALWAYS on every event */
	uint32_t pad[15];
};

enum { CHAN_ARMED = 1, CHAN_ALWAYS = 2 };

enum chan_type { CHAN_FREE, CHAN_STREAM, CHAN_DGRAM };

/** States of a stream, as far as clients need to know them. */
enum chan_state { CHAN_IDLE, CHAN_LISTEN, CHAN_CONNECTING, CHAN_CONNECTED, CHAN_OVER };

/* flags, L; a client that has sent a datagram sets CHAN_BOUND too, which only saves it calls */
enum {
	CHAN_RX_END = 1 << 0,  /* no bytes will follow those in the rx fifo: FIN, RST or an error */
	CHAN_RX_SHUT = 1 << 1, /* shutdown(SHUT_RD) */
	CHAN_TX_SHUT = 1 << 2, /* shutdown(SHUT_WR), or the connection is over */
	CHAN_HUP = 1 << 3,     /* EPOLLHUP */
	CHAN_PRI = 1 << 4,     /* the stack has an urgent mark beyond the bytes in the rx fifo */
	CHAN_PEER = 1 << 5,    /* a datagram socket that is connected */
	CHAN_BOUND = 1 << 6,   /* the socket has a port */
	CHAN_FIN = 1 << 7, /* with CHAN_RX_END: the peer's FIN, after which reads report no error */
	CHAN_REPORTS = 1 << 8, /* the error queue of a datagram socket, or part, is not empty */
};

/** An address as in struct sockaddr_in or sockaddr_in6; len 0: none. */
struct chan_addr {
	uint32_t len;
	uint8_t sa[28];
};

struct chan_option {
	int32_t level, name;
	uint32_t len;
	uint8_t value[36]; /* of groups and their sources without padding: sock_option_value */
};

struct chan_sock {
	/* L */
	uint32_t type, state, flags;
	uint32_t ip6;
	uint32_t seq;                     /* a futex: counts every change */
	uint32_t ev_in, ev_out, ev_state; /* count what became readable, writable, and the rest */
	uint32_t lcore;
	int32_t error;    /* SO_ERROR; taken by swapping it for 0 */
	uint32_t rx_want; /* both: the lcore is waiting for room in the rx fifo */
	uint64_t rx_mark; /* position of the urgent byte in the rx fifo, plus one; 0: not known */
	uint32_t protocol;
	uint32_t tells;  /* CHAN_TELL_* */
	uint64_t cookie; /* SO_COOKIE: never used for another socket of this stack */
	/* C */
	uint32_t kicked;   /* it is in a post ring */
	uint32_t armed;    /* a thread is asleep on seq */
	uint32_t tx_want;  /* a client is waiting for room in the tx fifo */
	uint32_t nonblock; /* O_NONBLOCK */
	uint32_t rx_lock;  /* locks (chan/lock.h) */
	uint32_t tx_lock;
	uint32_t next_part;      /* where accept() and recv() start looking */
	uint32_t connecting;     /* a connect() has returned EINPROGRESS */
	uint64_t rcv_timeout_ns; /* 0: for ever */
	uint64_t snd_timeout_ns;
	uint64_t tx_more;   /* MSG_MORE: bytes before this position may wait for more */
	uint64_t tx_urgent; /* MSG_OOB: the last byte before this is urgent; 0: none yet */
	uint32_t linger_s;
	uint32_t linger; /* SO_LINGER is on */
	uint32_t nb_options;
	uint32_t nb_parts;
	uint32_t part[CHAN_MAX_LCORES]; /* the parts, this socket included, if nb_parts > 0 */
	struct chan_option option[CHAN_OPTIONS];
	struct chan_addr known_to; /* a datagram to this address has been routed */
	uint32_t rcvlowat;         /* SO_RCVLOWAT less one */
	uint32_t peek_off;         /* SO_PEEK_OFF plus one, modulo 2^32; negative offsets: off */
	uint32_t copies;           /* calls with MSG_ZEROCOPY */
	uint32_t copies_told;      /* those already reported in the error queue */
	uint32_t urgent;           /* both: the last urgent byte; 0: none, or already read past */
	uint32_t cork; /* CHAN_CORK_*: UDP_CORK is on, and whether it or MSG_MORE holds back data */
	uint32_t buffers_set; /* CHAN_SNDBUF_SET, CHAN_RCVBUF_SET */
	uint32_t keys;        /* the socket may have keys (TCP_MD5SIG, TCP_AO_ADD_KEY) */
	uint32_t edges; /* a client waits for EPOLLOUT with EPOLLET: report each datagram sent */
	uint32_t dissolved; /* L: a stream's connect() calls with AF_UNSPEC */
	/* L: [rx_hole, rx_hole_end) are urgent bytes whose mark was replaced while the reader stood
	 * at them */
	uint64_t rx_hole, rx_hole_end;
	/* both */
	uint64_t holders[CHAN_PROC_WORDS];
	uint64_t subs[CHAN_SUB_WORDS];   /* C: event queues that subscribe to it */
	uint64_t lone[CHAN_SUB_WORDS];   /* C: those of them with EPOLLEXCLUSIVE */
	uint64_t queued[CHAN_SUB_WORDS]; /* those that it is queued in */
	/* L, of an accepted connection */
	struct chan_addr local, peer;
	/* the fifos; a listener's rx is its accept queue, a ring of words */
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

/** A datagram in a fifo: this header, the payload and the ancillary data, each padded to a multiple
 * of 8 bytes. */
struct chan_dgram {
	uint32_t len;
	uint16_t control_len;  /* of control messages, laid out as in msg_control */
	uint16_t more;         /* sending: MSG_MORE, the next one continues this datagram */
	struct chan_addr addr; /* of the sender, or the destination; len 0: the peer */
};

/** An entry of the error queue (MSG_ERRQUEUE), as returned in the data of a call: this header, the
 * quoted bytes, and the control messages. */
struct chan_error {
	uint32_t len, control_len;
	uint32_t flags; /* for msg_flags */
	struct chan_addr addr;
};

/** An address of the stack, as CHAN_OP_ADDRESSES returns it. */
struct chan_local {
	uint8_t ip6, prefix; /* prefix: the length of the network prefix in bits */
	uint8_t port, pad;
	uint8_t addr[16]; /* IPv4: the first 4 */
};

struct chan_lcore {
	uint32_t seq;   /* a futex */
	uint32_t armed; /* the lcore is asleep on seq */
	uint32_t pad[14];
};

/** The beginning of a segment. Its sizes are written once; only chan_open computes with them. */
struct chan_head {
	uint64_t magic;
	uint32_t nb_lcores, socks_per_lcore, fifo_bytes;
	uint32_t down;                  /* the stack has stopped: ENETDOWN */
	uint64_t live[CHAN_PROC_WORDS]; /* slots in use, as published by the host */
	uint32_t next_lcore;            /* C: in turn, for the next connection of any process */
	_Alignas(64) struct chan_lcore lcore[CHAN_MAX_LCORES];
};

/** A process's own view of a segment: where things are. It is kept outside the segment, where no
 * other process can write. */
struct chan {
	struct chan_head *head;
	uint64_t bytes;
	uint32_t nb_lcores, socks_per_lcore, nb_socks;
	uint32_t fifo_bytes; /* of each fifo */
	uint32_t post_cells; /* of each post ring */
	uint32_t queue_words;
	uint64_t proc_at, post_at, queue_at, words_at, sock_at, rx_at, tx_at;
};

/** The capacity of a channel. */
struct chan_limits {
	uint32_t nb_lcores;
	uint32_t socks_per_lcore;
	uint32_t fifo_bytes; /* a power of two, at least 128 KiB, so that any datagram fits */
};

/** chan_bytes returns the size of a segment, most of which is never touched; 0: limits out of
 * range. */
uint64_t chan_bytes(const struct chan_limits *l);

/** chan_make turns a zeroed segment of chan_bytes(l) bytes into a channel. */
void chan_make(struct chan_head *head, const struct chan_limits *l);

/** chan_open fills in the view of a mapped segment. Returns false if it is not a channel of this
 * version. */
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

/** chan_events returns the ring through which an lcore fills an event queue, with its words in
 * *words. */
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

/** chan_dgram_bytes returns the bytes that a datagram occupies in a fifo; neither length may exceed
 * its maximum. */
static inline uint32_t chan_dgram_bytes(uint32_t len, uint32_t control_len)
{
	return (uint32_t)sizeof(struct chan_dgram) + chan_round(len) + chan_round(control_len);
}

/** CHAN_DGRAM_MAX is the size of the largest datagram in a fifo. */
#define CHAN_DGRAM_MAX chan_dgram_bytes(CHAN_PAYLOAD_MAX, CHAN_CONTROL_MAX)

/** chan_wake_lcore wakes the lcore if it sleeps; call it after posting something. */
static inline void chan_wake_lcore(const struct chan *c, uint32_t lcore)
{
	struct chan_lcore *l = &c->head->lcore[lcore];

	if (at_load_sc(&l->armed) == 0 || at_swap(&l->armed, 0) == 0)
		return;
	at_add(&l->seq, 1);
	futex_wake(&l->seq, 1);
}

/** chan_kick asks a socket's lcore to look at the socket. */
static inline void chan_kick(const struct chan *c, uint32_t proc, uint32_t sock)
{
	struct chan_sock *s = chan_sock(c, sock);

	/* not tested first: a plain load could overtake the store that published the news */
	if (at_swap(&s->kicked, 1) != 0)
		return;
	/* a full ring is being drained, unless the stack is down */
	while (!post_push(chan_post(c, proc, s->lcore), c->post_cells, sock) &&
	       !at_load(&c->head->down))
		chan_wake_lcore(c, s->lcore);
	chan_wake_lcore(c, s->lcore);
}

#endif
