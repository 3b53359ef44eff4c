/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_LEARNT_H
#define FW_LEARNT_H

/*
 * Sources that rules have added to tables, each for a limited time.
 *
 * Overview: buckets by source.  Each stack that uses the rules has a part of each bucket, a cache
 * line of its own, to which only it adds sources; all stacks read all parts, one after the other,
 * so a source that is blocked on one lcore is blocked on all.  A source is in a table until its
 * time is over, without a timer.  If a stack's part of a bucket is full, the source whose time is
 * over soonest is forgotten: the latest offenders stay longest, and no source is refused for lack
 * of room.
 *
 * Ownership: a place is written by its stack, without a lock.  Any thread may end its time
 * (fw_learnt_remove).
 *
 * Invariant: whoever reads a place sees a source with a time that it had; see read_place.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/firewall.h>

#include "base/hash.h"
#include "fw/source.h"
#include "fw/tables.h"

#define FW_LEARNT_WAYS 4

/* a stack's part of a bucket has four */
struct fw_learnt_place {
	uint64_t end; /* in ticks of 2^20 ns, and what it is of in the last byte; 0: nobody's */
	uint64_t source;
};

struct fw_learnt {
	struct fw_learnt_place *place; /* NULL: no rule puts sources into tables */
	uint64_t tables;               /* into which rules put sources, a bit each */
	struct hash_key key;
	uint32_t mask; /* of buckets */
	unsigned nb_slots;
};

/** What fw_learnt_put has done, bits. */
enum {
	FW_LEARNT_NEW = 1,       /* this stack had not put the source into the table */
	FW_LEARNT_FORGOTTEN = 2, /* another one was forgotten before its time */
};

/** fw_learnt_init makes places for n sources of each stack. Returns 0 or -ENOMEM. */
int fw_learnt_init(struct fw_learnt *l, unsigned slots, uint32_t n, struct hash_key key,
                   int socket_id);
void fw_learnt_fini(struct fw_learnt *l);

/** fw_learnt_of returns a bit for each table that the source of an address is in. */
uint64_t fw_learnt_of(const struct fw_learnt *l, const struct pc_addr *a, uint64_t now_ns);

/** fw_learnt_put puts the source of an address into a table until end_ns, or until later if it is there already. Only the stack of the slot
 * calls it. Returns bits. */
unsigned fw_learnt_put(struct fw_learnt *l, unsigned slot, unsigned table, const struct pc_addr *a,
                       uint64_t end_ns, uint64_t now_ns);

/** fw_learnt_list returns the sources in a table, sorted, each once, to be freed, and how many in *n; NULL: there is no memory. From any
 * thread, as the next two. */
struct pc_firewall_learnt *fw_learnt_list(const struct fw_learnt *l, unsigned table,
                                          uint64_t now_ns, uint32_t *n);

/** fw_learnt_remove takes the sources out of a table that have something in common with a list of networks, which is settled, or all (NULL).
 * Returns how many. */
uint32_t fw_learnt_remove(struct fw_learnt *l, unsigned table, const struct fw_table *list,
                          uint64_t now_ns);

/** fw_learnt_take fills l, which no stack uses yet and which has as many places, with what is in tables of another: of those that have a number in
 * l, and not -1, in table_of. */
void fw_learnt_take(struct fw_learnt *l, const struct fw_learnt *from,
                    const int8_t table_of[FW_TABLES]);

#endif
