/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ECHO_SERVICES_H
#define ECHO_SERVICES_H

/* The services of percore-echo: what they do when a socket has events. */

#include <percore/percore.h>

struct rte_mbuf;

#define SOURCE_BURST 65536 /* bytes of the source's stream per call; a multiple of 256 */
/* Most unsent bytes of the source's stream: data that is sent soon after it was written is still in
 * the cache. This makes a stream over net_memif half as fast again (docs/performance.md). */
#define SOURCE_UNSENT 131072

enum kind { CLOSED, ECHO, DISCARD, SOURCE, LISTENER, DATAGRAMS };

/**
 * What the program knows about a socket. The usual event of a connection needs none of it, because
 * epoll_event.data has the kind: with many connections, it would have to come from memory.
 */
struct sock {
	uint8_t kind;
	uint8_t service; /* of LISTENER and DATAGRAMS: the service that peers get */
	uint16_t port;   /* of DATAGRAMS: our own */
	union {
		struct rte_mbuf *rest; /* ECHO: received, but there was no room to send it */
		uint64_t sent;         /* SOURCE: bytes so far */
	};
};

/** The program's state on one lcore. */
struct server {
	struct pc_stack *st;
	int epoll;
	uint32_t nb_socks; /* as many as the stack has descriptors, 0 included */
	uint32_t nb_rests; /* ECHO sockets with a rest */
	bool accepted;     /* in this service_serve_all */
	uint8_t pattern[SOURCE_BURST + 256];
	struct sock socks[];
};

/** service_open opens a socket of a type (SOCK_STREAM, SOCK_DGRAM). Returns 0, or -1 with errno. */
int service_open(struct server *sv, int type, uint64_t port, enum kind service);

/** service_kind and service_fd return what the data of an event says: the kind of its socket, and
 * the descriptor. */
static inline enum kind service_kind(const struct epoll_event *ev)
{
	return (enum kind)(ev->data.u64 >> 32);
}

static inline int service_fd(const struct epoll_event *ev)
{
	return (int)(uint32_t)ev->data.u64;
}

/** service_serve serves a socket for which pc_epoll_wait has reported an event. */
void service_serve(struct server *sv, const struct epoll_event *ev);

/** service_serve_all serves the n sockets that pc_epoll_wait has reported. Returns whether it has
 * accepted connections. */
bool service_serve_all(struct server *sv, const struct epoll_event *ev, int n);

/** service_turn serves all that is ready, including the first data of connections that it accepts:
 * when that has arrived with the connection, the answer in the same turn acknowledges it. */
void service_turn(struct server *sv);

/** service_close_all closes every socket; the stack still delivers what is queued. */
void service_close_all(struct server *sv);

#endif
