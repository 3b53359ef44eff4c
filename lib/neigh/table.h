/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_TABLE_H
#define NEIGH_TABLE_H

/*
 * The internals of the neighbour table, shared by neigh.c, which maintains it, arp.c, which fills
 * it, and the fast output path (ip/ip_fast.h), which only reads it.
 */

#include <rte_branch_prediction.h>

#include "base/hash.h"
#include "neigh/neigh.h"
#include "wire/eth.h"

/* States, ordered so that from REACHABLE on a frame can simply be sent. */
enum neigh_state {
	NEIGH_FREE,
	NEIGH_NEW,        /* made by a lookup; nothing sent or requested yet */
	NEIGH_INCOMPLETE, /* requested, frames held */
	NEIGH_FAILED,     /* did not answer; frames are dropped for a while */
	NEIGH_STALE,      /* known, but not confirmed recently; nothing sent since */
	NEIGH_REACHABLE,
	NEIGH_DELAY, /* stale and in use; may be confirmed before it is probed */
	NEIGH_PROBE, /* stale, in use and being probed */
};

/* RFC 4861 section 10, DELAY_FIRST_PROBE_TIME */
#define NEIGH_DELAY_MS 5000

/** An entry: one cache line. */
struct neigh {
	uint8_t eth[ETH_HDR_LEN]; /* the header of frames to it, as sent */
	uint8_t state;            /* enum neigh_state */
	uint8_t netif;
	uint32_t generation; /* never 0 */
	uint32_t used;       /* tick of the last frame sent, or of its creation */
	struct pc_addr addr;
	struct timer timer;
	uint32_t next;         /* in its hash chain or the free list, index + 1; 0: the last */
	uint32_t newer, older; /* in one of the lists of the table, index + 1 */
};

static_assert(sizeof(struct neigh) == 64, "an entry is one cache line");

/** What an entry needs while it is being requested: the frames it holds form a ring. */
struct neigh_hold {
	uint8_t asked; /* requests since the last answer */
	uint8_t first, n;
	bool fixed;   /* set by hand: neither its timer nor packets from others change it */
	bool reached; /* packets to this MAC address have been answered */
	/* this MAC address has replaced another one, and no answer has confirmed it since */
	bool disputed;
	/* another one has been claimed, and it was probed because of that, the last
	 * time at doubted_tick */
	bool doubted;
	bool heard; /* made because it asked for us, and not reached since */
	uint32_t doubted_tick;
};

/* how many lost packets are remembered until the end of the turn: as many as an entry can hold */
#define NEIGH_LOST 64

/** Both ends, index + 1; 0: it is empty. */
struct neigh_list {
	uint32_t newest, oldest;
};

struct neigh_table {
	struct ctx *ctx;
	struct netifs *ifs;
	struct neigh *entry;
	uint32_t nb_entries, count;
	uint32_t free;                   /* first free entry, index + 1 */
	uint32_t epoch;                  /* of all references: incremented by neigh_outdate */
	uint32_t failures;               /* neighbours given up */
	struct neigh_list by_use, heard; /* those that hold no frame, by last use */
	struct neigh_list waiting;       /* those that hold frames, by when they began */
	uint32_t nb_heard, nb_waiting;
	uint32_t mask; /* of bucket[] */
	uint32_t *bucket;
	struct neigh_hold *hold;
	struct rte_mbuf **held; /* arp.hold of them for each entry */
	uint8_t hold_max;
	struct hash_key key;
	struct wheel wheel;
	uint32_t nb_lost;
	struct neigh_lost lost[NEIGH_LOST];
};

/** neigh_own_mac returns the MAC address of an interface: that of its port. */
static inline const uint8_t *neigh_own_mac(const struct neigh_table *nt, uint8_t netif)
{
	return nt->ifs->netif[netif].port->info.mac;
}

/** neigh_generation returns the generation of a valid reference to an entry. */
static inline uint32_t neigh_generation(const struct neigh_table *nt, const struct neigh *n)
{
	return n->generation + nt->epoch;
}

/** neigh_touch records that a frame is sent; once per tick and entry is precise enough. */
void neigh_touch(struct neigh_table *nt, struct neigh *n);

/**
 * neigh_ready returns the entry of a reference, valid or not, if a frame to it can simply be sent,
 * which it records; NULL: neigh_output is needed.
 */
static inline const struct neigh *neigh_ready(struct neigh_table *nt, struct neigh_ref ref)
{
	struct neigh *n = &nt->entry[ref.index];

	if (unlikely(neigh_generation(nt, n) != ref.generation || n->state < NEIGH_REACHABLE))
		return NULL;
	if (unlikely(n->used != nt->ctx->tick))
		neigh_touch(nt, n);
	return n;
}

/** neigh_list_insert makes an entry the newest of a list; neigh_list_remove takes it out. */
static inline void neigh_list_insert(struct neigh_table *nt, struct neigh_list *l, struct neigh *n)
{
	const uint32_t id = (uint32_t)(n - nt->entry) + 1;

	n->newer = 0;
	n->older = l->newest;
	if (l->newest != 0)
		nt->entry[l->newest - 1].newer = id;
	else
		l->oldest = id;
	l->newest = id;
}

static inline void neigh_list_remove(struct neigh_table *nt, struct neigh_list *l, struct neigh *n)
{
	if (n->newer != 0)
		nt->entry[n->newer - 1].older = n->older;
	else
		l->newest = n->older;
	if (n->older != 0)
		nt->entry[n->older - 1].newer = n->newer;
	else
		l->oldest = n->newer;
	n->newer = n->older = 0;
}

/** neigh_unlist takes an entry that holds no frame and is not set by hand out of its list. */
static inline void neigh_unlist(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[n - nt->entry];

	if (likely(!h->heard)) {
		neigh_list_remove(nt, &nt->by_use, n);
		return;
	}
	neigh_list_remove(nt, &nt->heard, n);
	h->heard = false;
	nt->nb_heard--;
}

/** neigh_held_slot returns the slot of the i-th frame that an entry holds, oldest first. */
static inline struct rte_mbuf **neigh_held_slot(const struct neigh_table *nt, const struct neigh *n,
                                                uint32_t i)
{
	const uint32_t index = (uint32_t)(n - nt->entry);

	return &nt->held[(uint64_t)index * nt->hold_max +
	                 (nt->hold[index].first + i) % nt->hold_max];
}

/** neigh_bucket returns where the chain of an address begins. */
static inline uint32_t *neigh_bucket(const struct neigh_table *nt, uint8_t netif,
                                     const struct pc_addr *addr)
{
	const uint64_t v[3] = {addr->q[0], addr->q[1], netif};

	return &nt->bucket[hash24(&nt->key, v) & nt->mask];
}

/** neigh_confirmed is the part of neigh_confirm for a neighbour that is about to be probed. */
void neigh_confirmed(struct neigh_table *nt, struct neigh *n);

/** neigh_confirm notes that packets sent through a neighbour have arrived (RFC 4861 section 7.3.1),
 * so it need not be probed. */
static inline void neigh_confirm(struct neigh_table *nt, struct neigh_ref ref)
{
	struct neigh *n = &nt->entry[ref.index];

	if (unlikely(n->state >= NEIGH_DELAY) && neigh_generation(nt, n) == ref.generation)
		neigh_confirmed(nt, n);
}

/** neigh_find returns the entry of an address, or NULL. */
struct neigh *neigh_find(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** neigh_add makes an entry in state NEIGH_NEW; NULL when every entry is set by hand. neigh_hear does
 * so for a host that has asked for us, and which may never be sent anything. */
struct neigh *neigh_add(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);
struct neigh *neigh_hear(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** hold_push holds a frame until the answer arrives; of too many the latest are kept (RFC 1122
 * section 2.3.2.2). hold_pop returns the oldest, or NULL; hold_drop frees all of them, and hold_lose
 * also notes what they were (neigh_take_lost). */
void hold_push(struct neigh_table *nt, struct neigh *n, struct rte_mbuf *m);
struct rte_mbuf *hold_pop(struct neigh_table *nt, struct neigh *n);
void hold_drop(struct neigh_table *nt, struct neigh *n);
void hold_lose(struct neigh_table *nt, struct neigh *n);

static inline bool neigh_has_lost(const struct neigh_table *nt)
{
	return nt->nb_lost != 0;
}

/**
 * neigh_learn records that a neighbour has this MAC address.  answer: it said so in answer to a
 * request, which proves that it is reachable (RFC 4861 section 7.2.5); otherwise the entry is only
 * updated.  With arp.confirm, a neighbour that has been reached at another address is first probed
 * there.
 */
void neigh_learn(struct neigh_table *nt, struct neigh *n, const uint8_t mac[ETH_ADDR_LEN],
                 bool answer);

/** neigh_suspect notes that a reachable neighbour may have been replaced by another host: it is to
 * be probed again. */
void neigh_suspect(struct neigh_table *nt, struct neigh *n);

/** arp_request requests a neighbour's MAC address, from mac or, when NULL, by broadcast. Returns
 * false if there is no address to do so from. */
bool arp_request(struct neigh_table *nt, uint8_t netif, const struct pc_addr *target,
                 const uint8_t *mac);

#endif
