/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_LEARNT_H
#define FW_LEARNT_H

/*
 * Sources that rules have added to tables, each for a limited time.
 *
 * Overview: buckets by source. Each stack that uses the rules has a part of each bucket, a cache
 * line of its own, and is the only one to add sources there; every stack reads all parts in turn,
 * so a source that is blocked on one lcore is blocked on all. A source is in a table until its time
 * is over, without a timer. If a stack's part of a bucket is full, the source that expires soonest
 * is evicted: the latest offenders stay longest, and no source is refused for lack of room.
 *
 * Ownership: a place is written by its stack, without a lock. Any thread may end its time
 * (fw_learnt_remove).
 *
 * Invariant: a reader of a place sees a source together with a time that it had; see read_place.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/firewall.h>

#include "base/hash.h"
#include "fw/source.h"
#include "fw/tables.h"

#define FW_LEARNT_WAYS 4

/* a stack's part of a bucket has four of these */
struct fw_learnt_place {
	uint64_t end; /* in ticks of 2^20 ns; the last byte says what the place is for; 0: free */
	uint64_t source;
};

struct fw_learnt {
	struct fw_learnt_place *place; /* NULL: no rule adds sources to tables */
	uint64_t tables;               /* to which rules add sources, as bits */
	struct hash_key key;
	uint32_t mask; /* of buckets */
	unsigned nb_slots;
};

/** What fw_learnt_put has done, as bits. */
enum {
	FW_LEARNT_NEW = 1,       /* this stack had not added the source to the table */
	FW_LEARNT_FORGOTTEN = 2, /* another source was evicted before its time */
};

/** fw_learnt_init makes places for n sources of each stack. Returns 0 or -ENOMEM. */
int fw_learnt_init(struct fw_learnt *l, unsigned slots, uint32_t n, struct hash_key key,
                   int socket_id);
void fw_learnt_fini(struct fw_learnt *l);

/** fw_learnt_of returns the tables that the source of an address is in, as bits. */
uint64_t fw_learnt_of(const struct fw_learnt *l, const struct pc_addr *a, uint64_t now_ns);

/** fw_learnt_put adds the source of an address to a table until end_ns, or extends its time if it
 * is there already. Only the stack of the slot may call it. Returns bits. */
unsigned fw_learnt_put(struct fw_learnt *l, unsigned slot, unsigned table, const struct pc_addr *a,
                       uint64_t end_ns, uint64_t now_ns);

/** fw_learnt_list returns the sources in a table, sorted and without duplicates, and their
 * number in *n; the caller frees the list. NULL without memory. Any thread may call it, and the
 * next two. */
struct pc_firewall_learnt *fw_learnt_list(const struct fw_learnt *l, unsigned table,
                                          uint64_t now_ns, uint32_t *n);

/** fw_learnt_remove removes from a table the sources that overlap a settled list of networks; NULL:
 * all. Returns how many. */
uint32_t fw_learnt_remove(struct fw_learnt *l, unsigned table, const struct fw_table *list,
                          uint64_t now_ns);

/** fw_learnt_take fills l, which no stack uses yet and which has as many places, with the sources
 * of another. table_of maps the numbers of tables to those in l; -1: left out. */
void fw_learnt_take(struct fw_learnt *l, const struct fw_learnt *from,
                    const int8_t table_of[FW_TABLES]);

#endif
