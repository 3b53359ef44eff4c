/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_CC_SLOTS_H
#define TCP_CC_SLOTS_H

/*
 * Memory for algorithms whose state does not fit in q->cc_state: a slot for each of a limited
 * number of connections, allocated when the stack is created.
 */

#include <stdint.h>

struct bbr;

struct cc_slots {
	struct cc_slot *slot, *free;
	uint32_t n, used;
};

/** cc_slots_footprint returns the bytes that n slots take. */
uint64_t cc_slots_footprint(uint32_t n);

/** cc_slots_init allocates n slots. Returns 0, or -1: no memory. */
int cc_slots_init(struct cc_slots *s, uint32_t n, int socket_id);

void cc_slots_fini(struct cc_slots *s);

/** cc_slots_take returns a slot, whose content is undefined, or NULL. */
struct bbr *cc_slots_take(struct cc_slots *s);

/** cc_slots_give returns a slot to the pool; NULL: none was taken. */
void cc_slots_give(struct bbr *b);

#endif
