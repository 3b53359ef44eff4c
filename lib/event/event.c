/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ready list.
 *
 * Ownership: a ring's elements are descriptors, 4 bytes each; the sockets belong to their
 * transports.
 *
 * Invariant: a descriptor is in at most one ring, and there only once (POLLABLE_QUEUED).  The flag
 * outlives the socket: a descriptor closed while it is queued stays in the ring until it is popped,
 * and a new socket with the same number counts as queued until then.  So a ring with room
 * for every descriptor never overflows.
 */
#include "event/event.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_malloc.h>

static uint64_t ring_bytes(uint32_t n)
{
	return (uint64_t)rte_align32pow2(n) * sizeof(uint32_t);
}

uint64_t events_footprint(uint32_t nb_sets, uint32_t n)
{
	return nb_sets * (ring_bytes(n) + sizeof(struct event_set));
}

int events_init(struct events *ev, uint32_t nb_sets, uint32_t n, int socket_id)
{
	*ev = (struct events){.nb_sets = nb_sets, .mask = rte_align32pow2(n) - 1};
	ev->set = rte_zmalloc_socket("pc_sets", nb_sets * sizeof(*ev->set), 0, socket_id);
	if (ev->set == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nb_sets; i++) {
		ev->set[i].ring =
		    rte_zmalloc_socket("pc_ready", ring_bytes(n), RTE_CACHE_LINE_SIZE, socket_id);
		if (ev->set[i].ring == NULL) {
			events_fini(ev);
			return -ENOMEM;
		}
	}
	return 0;
}

void events_fini(struct events *ev)
{
	for (uint32_t i = 0; ev->set != NULL && i < ev->nb_sets; i++)
		rte_free(ev->set[i].ring);
	rte_free(ev->set);
	ev->set = NULL;
}

void event_withdraw(struct events *ev, struct pollable *p, uint32_t fd)
{
	const uint32_t set = p->ring - 1u;
	struct event_set *s = &ev->set[set];
	uint32_t other;

	p->flags &= (uint16_t)~POLLABLE_QUEUED;
	for (uint32_t n = event_count(ev, set); n > 0; n--) {
		if (!event_pop(ev, set, &other) || other == fd)
			return;
		s->ring[s->tail++ & ev->mask] = other;
	}
}
