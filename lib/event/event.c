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

#include <assert.h>
#include <errno.h>

#include <rte_malloc.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

/* one slot of an rte_ring always stays empty */
static uint32_t ring_count(uint32_t n)
{
	return rte_align32pow2(n + 1);
}

uint64_t events_footprint(uint32_t nb_sets, uint32_t n)
{
	ssize_t ring = rte_ring_get_memsize_elem(sizeof(uint32_t), ring_count(n));

	return nb_sets * ((uint64_t)ring + sizeof(struct event_set));
}

int events_init(struct events *ev, uint32_t nb_sets, uint32_t n, int socket_id)
{
	size_t size = (size_t)rte_ring_get_memsize_elem(sizeof(uint32_t), ring_count(n));

	*ev = (struct events){.nb_sets = nb_sets, .capacity = n};
	ev->set = rte_zmalloc_socket("pc_sets", nb_sets * sizeof(*ev->set), 0, socket_id);
	if (ev->set == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nb_sets; i++) {
		ev->set[i].ring =
		    rte_zmalloc_socket("pc_ready", size, RTE_CACHE_LINE_SIZE, socket_id);
		if (ev->set[i].ring == NULL) {
			events_fini(ev);
			return -ENOMEM;
		}
		rte_ring_init(ev->set[i].ring, "pc_ready", ring_count(n),
		              RING_F_SP_ENQ | RING_F_SC_DEQ);
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
	uint32_t other = 0;

	p->flags &= (uint16_t)~POLLABLE_QUEUED;
	for (uint32_t n = event_count(ev, set); n > 0; n--) {
		event_pop(ev, set, &other, 1);
		if (other == fd)
			return;
		(void)rte_ring_sp_enqueue_elem(ev->set[set].ring, &other, sizeof(other));
	}
}

uint32_t event_count(const struct events *ev, uint32_t set)
{
	return rte_ring_count(ev->set[set].ring);
}
