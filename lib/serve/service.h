/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

/*
 * The service of an lcore: translates what comes over the channel into socket calls of the lcore's
 * stack, and back.
 *
 * Overview: service_turn takes posts (kicks and calls) from every attached process, and events from
 * the stack's epoll set, which holds every socket edge-triggered; each names a socket, and
 * service_look examines that socket: it moves bytes both ways as far as there is room, accepts, and
 * publishes what has changed.  The reason for looking does not matter, so a superfluous kick is
 * harmless.
 *
 * Ownership: the struct and every struct service_sock belong to the lcore; the channel is shared.
 * Every number, length or position from the channel is checked before it is used.
 *
 * Invariants: a chan_sock has type CHAN_FREE exactly if its service_sock is in the free list;
 * otherwise fd is a socket of the stack, in the epoll set.  A socket in the list of those that wait
 * has is_short set and an fd.
 */

#include <percore/epoll.h>
#include <percore/socket.h>

#include "chan/chan.h"
#include "serve/host.h"

/* what has changed, for service_notify */
enum { NEWS_IN = 1, NEWS_OUT = 2, NEWS_STATE = 4 };

struct service_sock {
	int fd;          /* of the stack; 0: free */
	uint32_t next;   /* of the free list, or of those that wait for one that is free */
	bool closing;    /* without holders: what is in the tx fifo goes out, then it is closed */
	bool shutting;   /* shutdown(SHUT_WR) waits for the tx fifo */
	bool bound;      /* by bind(): it has an address or a port for good */
	bool is_short;   /* a listener that waits for a free one */
	bool in_queue;   /* of a listener, at this sweep */
	bool suspect;    /* taken from an accept queue and held by nobody, at the last sweep */
	int dgram_error; /* of the last datagram */
	uint32_t from;   /* the listener in whose accept queue it was put; CHAN_NONE */
	uint32_t
	    primary; /* of which it is a part: hears what happens to it; itself, unless it is one */
	uint32_t copies;     /* of struct chan_sock, when it was looked at last */
	uint32_t accept_max; /* connections that may wait in our accept queue */
	uint32_t backlog;    /* of listen(), of which that is a part */
	/* closing: up to where the peer has acknowledged what is in the tx fifo, and when that was seen to have moved */
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
	uint32_t hand; /* goes round those that are closing, while all are in use */
	uint64_t now_ns;
	/* listeners that found all in use, and are to look again, in this order, when one is free; CHAN_NONE: none */
	uint32_t short_first, short_last;
	uint64_t made; /* sockets so far */
	int epoll;
	uint32_t woken; /* by pc_service_wake; atomic */
	/* deaths of each slot when it was last buried here: it may have been given out and died again since, without our
	 * having seen it alive */
	uint32_t buried[CHAN_PROCS];
	uint32_t post_tail[CHAN_PROCS];
	uint64_t
	    sweep_ns; /* when to look for connections that fell out of an accept queue; 0: never */
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

/** service_look_short looks at the listeners that wait for free sockets, the first first, while there are any. */
void service_look_short(struct pc_service *s);

/** service_leave_short takes a socket out of the list of those that wait. */
void service_leave_short(struct pc_service *s, uint32_t sock);

/** service_look moves bytes, accepts, and publishes what has changed of a socket. */
void service_look(struct pc_service *s, uint32_t sock);

/** service_notify tells whoever wants to know about a socket (or the one it is a part of). */
void service_notify(struct pc_service *s, uint32_t sock, unsigned news);

/** service_call executes a posted call; when nobody waits for its answer, it only frees it. */
void service_call(struct pc_service *s, uint32_t proc, uint32_t index);

/* what the stack says of a connection when a direction is over, or may be */
#define STREAM_ENDS ((uint32_t)(EPOLLRDHUP | EPOLLHUP | EPOLLERR))

/** stream_receive and stream_transmit move bytes, stream_urgent an urgent byte if it has come; each returns NEWS_*.
 * mask: what the stack says now, EPOLL* bits; EPOLLPRI: it has a mark ahead. */
unsigned stream_urgent(struct pc_service *s, uint32_t sock);
unsigned stream_receive(struct pc_service *s, uint32_t sock, uint32_t mask);
unsigned stream_transmit(struct pc_service *s, uint32_t sock);

/** dgram_receive and dgram_transmit move datagrams; each returns NEWS_*. */
unsigned dgram_receive(struct pc_service *s, uint32_t sock);
unsigned dgram_transmit(struct pc_service *s, uint32_t sock);

/** service_is_held says whether a process that is there, or an accept queue, holds a socket. */
bool service_is_held(struct pc_service *s, uint32_t sock);

/** service_close ends a socket that nobody holds, at once or when its last bytes are in the stack. */
void service_close(struct pc_service *s, uint32_t sock);

/** service_give_way resets connections that are closing and whose peers have taken nothing for tcp.stalled_ms, a few at a time,
 * while all sockets are in use. */
void service_give_way(struct pc_service *s);

/** service_renew makes a stream one as new, after the stack has: what is in the tx fifo is dropped, and its port is kept
 * if bind() has given it one. What is in the rx fifo is the client's to drop. */
void service_renew(struct pc_service *s, uint32_t sock);

/** service_drop ends a connection by RST. */
void service_drop(struct pc_service *s, uint32_t sock);

/** service_bury forgets a dying process: takes its holds away. Its posts are not executed. */
void service_bury(struct pc_service *s, uint32_t proc);

/** service_sweep closes connections that a process took from an accept queue and died. */
void service_sweep(struct pc_service *s, uint64_t now_ns);

#endif
