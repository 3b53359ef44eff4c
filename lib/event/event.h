/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

/*
 * The ready list: sockets with pending events, in a ring of descriptors per epoll set.
 *
 * A socket contains a struct pollable.  It is in a ring exactly when POLLABLE_QUEUED is set, so at
 * most once, and a ring as large as the number of sockets never overflows.  The ring is that of its
 * set or, until it joins another set, that of the set that it has left.  The transports call
 * event_notify when something happens; which events are pending is determined anew when the
 * application waits on the set.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/ctx.h"

enum {
	POLLABLE_QUEUED = 1 << 0,
	POLLABLE_SPENT = 1 << 1, /* one-shot, reported: disabled until EPOLL_CTL_MOD */
};

/** A socket's membership in an epoll set; zeroed: in none. */
struct pollable {
	uint64_t data;     /* epoll_data */
	uint32_t interest; /* EPOLL* */
	uint8_t set;       /* index + 1; 0: none */
	uint8_t ring;      /* the set whose ring it is in, index + 1; valid if POLLABLE_QUEUED */
	uint16_t flags;
};

/* One thread uses it, so that it needs no atomic operation, unlike an rte_ring. */
struct event_set {
	uint32_t *ring;
	uint32_t head, tail; /* both only grow, modulo 2^32 */
	bool used;
};

struct events {
	uint32_t nb_sets;
	uint32_t mask; /* places of each ring - 1 */
	struct event_set *set;
};

/** events_footprint returns the size in bytes of nb_sets sets for n sockets. */
uint64_t events_footprint(uint32_t nb_sets, uint32_t n);

/** events_init makes nb_sets sets, each with room for n sockets. Returns 0 or -ENOMEM. */
int events_init(struct events *ev, uint32_t nb_sets, uint32_t n, int socket_id);

/** events_fini frees the sets. */
void events_fini(struct events *ev);

/** pollable_renewed returns the initial value for the next socket with the same descriptor: it is
 * in no set, but may still be in a ring. */
static inline struct pollable pollable_renewed(const struct pollable *p)
{
	return (struct pollable){.ring = p->ring, .flags = p->flags & POLLABLE_QUEUED};
}

/** event_push adds a socket to its set's ring, unless it is in a ring already. */
static inline void event_push(struct events *ev, struct pollable *p, uint32_t fd)
{
	struct event_set *set = &ev->set[p->set - 1];

	if (p->flags & POLLABLE_QUEUED)
		return;
	p->flags |= POLLABLE_QUEUED;
	p->ring = p->set;
	assert(set->tail - set->head <= ev->mask); /* there is room for every descriptor */
	set->ring[set->tail++ & ev->mask] = fd;
}

/** event_count returns the number of descriptors in a set's ring. */
static inline uint32_t event_count(const struct events *ev, uint32_t set)
{
	return ev->set[set].tail - ev->set[set].head;
}

/** event_pop takes the first descriptor from a set's ring. Returns false if there is none. */
static inline bool event_pop(struct events *ev, uint32_t set, uint32_t *fd)
{
	struct event_set *s = &ev->set[set];

	if (s->head == s->tail)
		return false;
	*fd = s->ring[s->head++ & ev->mask];
	return true;
}

/** event_withdraw removes a socket from the ring of a set that it has left; the order of the others
 * may change. */
void event_withdraw(struct events *ev, struct pollable *p, uint32_t fd);

/** event_notify tells a socket's set that some of the events in mask (EPOLL*) have occurred. */
static inline void event_notify(struct events *ev, struct pollable *p, uint32_t fd, uint32_t mask)
{
	if (p->set != 0 && (p->flags & (POLLABLE_QUEUED | POLLABLE_SPENT)) == 0 &&
	    (mask & (p->interest | EPOLLERR | EPOLLHUP)) != 0)
		event_push(ev, p, fd);
}

#endif
