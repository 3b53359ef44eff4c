/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

/*
 * The service of an lcore: translates between the channel and socket calls on the lcore's stack.
 *
 * Overview: pc_service_turn takes posts (kicks and calls) from every attached process, and events from
 * the stack's epoll set, which holds every socket edge-triggered; each names a socket, and
 * service_look examines that socket: it moves bytes both ways as far as there is room, accepts, and
 * publishes what has changed.  It does not matter why it looks, so a superfluous kick is harmless.
 *
 * Ownership: the struct and every struct service_sock belong to the lcore; the channel is shared.
 * Every number, length or position from the channel is checked before it is used.
 *
 * Invariants: a chan_sock has type CHAN_FREE exactly if its service_sock is in the free list;
 * otherwise fd is a socket of the stack, in the epoll set.  A listener waiting for a free socket
 * (short_first) has is_short set and an fd.
 */

#include <percore/epoll.h>
#include <percore/socket.h>

#include "chan/chan.h"
#include "serve/host.h"

/* what has changed, for service_notify */
enum { NEWS_IN = 1, NEWS_OUT = 2, NEWS_STATE = 4 };

struct service_sock {
	int fd;          /* of the stack; 0: free */
	uint32_t next;   /* in the free list, or among the listeners waiting for a free socket */
	bool closing;    /* no holders: sends what is in the tx fifo, then is closed */
	bool shutting;   /* shutdown(SHUT_WR) waits for the tx fifo to drain */
	bool bound;      /* by bind(): it keeps its address or port */
	bool is_short;   /* a listener waiting for a free socket */
	bool in_queue;   /* this sweep has found it in an accept queue */
	bool suspect;    /* last sweep: in no accept queue, but with no other holder */
	int dgram_error; /* of the last datagram */
	/* bytes in the rx fifo of datagrams from which on no more enter it; 0: no limit */
	uint32_t rx_most;
	uint32_t from; /* the listener whose accept queue it was put in; CHAN_NONE */
	/* the socket that this is a part of (chan/chan.h), which gets its events; else itself */
	uint32_t primary;
	uint32_t copies;     /* chan_sock's copies when last looked at */
	uint32_t accept_max; /* most connections in our accept queue */
	uint32_t backlog;    /* of listen(); includes accept_max */
	/* closing: how far the peer has acknowledged the tx fifo, and when that last advanced */
	uint64_t moved_to, moved_ns;
};

struct pc_service {
	struct chan *chan;
	struct pc_host *host;
	struct pc_stack *st;
	uint32_t lcore;
	uint32_t first; /* the first of our sockets */
	uint32_t free;  /* CHAN_NONE: all in use */
	uint32_t nb_used, nb_closing;
	uint32_t hand; /* clock hand of service_give_way */
	uint64_t now_ns;
	/* listeners that found no free socket, to be looked at in this order when there is one;
	 * CHAN_NONE: none */
	uint32_t short_first, short_last;
	uint64_t made; /* sockets made so far */
	int epoll;
	uint32_t woken; /* set by pc_service_wake; atomic */
	/* each slot's deaths when it was last buried here: since then it may have been reused and
	 * died again without this lcore having seen it live */
	uint32_t buried[CHAN_PROCS];
	uint32_t post_tail[CHAN_PROCS];
	uint64_t sweep_ns; /* when to look for connections lost from an accept queue; 0: never */
	struct service_sock sock[];
};

static inline bool service_owns(const struct pc_service *s, uint32_t sock)
{
	return sock >= s->first && sock - s->first < s->chan->socks_per_lcore &&
	       s->sock[sock - s->first].fd != 0;
}

static inline struct service_sock *service_sock(struct pc_service *s, uint32_t sock)
{
	return &s->sock[sock - s->first];
}

/** service_adopt gives a socket of the stack a chan_sock. Returns its number, or CHAN_NONE. */
uint32_t service_adopt(struct pc_service *s, int fd, uint32_t type, bool ip6);

/** service_release frees a chan_sock whose socket of the stack is closed. */
void service_release(struct pc_service *s, uint32_t sock);

/** service_look_short looks at the listeners waiting for free sockets, in order, while free
 * ones last. */
void service_look_short(struct pc_service *s);

/** service_leave_short takes a listener off the list of those waiting for free sockets. */
void service_leave_short(struct pc_service *s, uint32_t sock);

/** service_look moves bytes, accepts, and publishes what has changed of a socket. */
void service_look(struct pc_service *s, uint32_t sock);

/** service_notify notifies the waiters and event queues of a socket's primary of news (NEWS_*). */
void service_notify(struct pc_service *s, uint32_t sock, unsigned news);

/** service_call executes a posted call; a call in another state is ignored. */
void service_call(struct pc_service *s, uint32_t proc, uint32_t index);

/* what the stack reports when a direction of a connection has ended, or may have */
#define STREAM_ENDS ((uint32_t)(EPOLLRDHUP | EPOLLHUP | EPOLLERR))

/** stream_receive and stream_transmit move bytes, stream_urgent takes an urgent byte if there is
 * one; each returns NEWS_*. mask: what the stack reports now (EPOLL*); EPOLLPRI: an urgent mark is
 * ahead. */
unsigned stream_urgent(struct pc_service *s, uint32_t sock);
unsigned stream_receive(struct pc_service *s, uint32_t sock, uint32_t mask);
unsigned stream_transmit(struct pc_service *s, uint32_t sock);

/** dgram_receive and dgram_transmit move datagrams; each returns NEWS_*. */
unsigned dgram_receive(struct pc_service *s, uint32_t sock);
unsigned dgram_transmit(struct pc_service *s, uint32_t sock);

/** dgram_note_rcvbuf has SO_RCVBUF, which was set, limit what waits outside the stack, too. */
void dgram_note_rcvbuf(struct pc_service *s, uint32_t sock);

/** service_is_held says whether a live process, or an accept queue, holds a socket. */
bool service_is_held(struct pc_service *s, uint32_t sock);

/** service_close closes a socket without holders, at once or when the stack has its last bytes. */
void service_close(struct pc_service *s, uint32_t sock);

/** service_give_way resets closing connections whose peers have acknowledged nothing for
 * tcp.stalled_ms, a few per turn, while all sockets are in use. */
void service_give_way(struct pc_service *s);

/** service_renew makes a stream socket as new, after the stack has done so: it drops the tx fifo's
 * contents and keeps a port set by bind(). The client drops the rx fifo's contents. */
void service_renew(struct pc_service *s, uint32_t sock);

/** service_drop closes a socket, a connection with an RST. */
void service_drop(struct pc_service *s, uint32_t sock);

/** service_bury removes the holds of a dying process and discards its posts. */
void service_bury(struct pc_service *s, uint32_t proc);

/** service_sweep resets connections whose process died while taking them from an accept queue. */
void service_sweep(struct pc_service *s, uint64_t now_ns);

#endif
