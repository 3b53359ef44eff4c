/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TIMER_WHEEL_H
#define TIMER_WHEEL_H

/*
 * A hierarchical timer wheel: slots of 1, 2^12 and 2^24 ticks, 2^13 of each except the last; and
 * beside it a line, for timers that may fire early.
 *
 * The timers are members of the elements of an array; a timer is identified by its element's index,
 * and links are indexes.  Arming and disarming are O(1).  Pop moves some timers to nearer slots
 * each time it is called, so that the work of a crowded slot is spread over the time before it
 * instead of delaying one turn; each timer moves at most twice in its life, those of less than 2^12
 * ticks never.  The wheel makes no callbacks: wheel_pop returns the timers that are due, one at a
 * time.  A timer fires at its tick or, if the wheel is turned late, later; never earlier, unless it
 * is in the line.  Ticks are 32 bits and wrap; a deadline is at most 2^31 - 1 ticks ahead, and no
 * more time than that may pass without a pop while timers are armed.
 *
 * The line is an array of places in the order in which timers were armed.  Every timer in it fires
 * after the line's own fixed delay, so the first is always the next.  Timers armed for at least
 * that delay and less than twice as long go there unless it is full, and so fire early.  A place
 * costs 8 bytes, and no neighbouring timer is touched; the next ones to fire are known, and
 * prefetched, well before they do.  The wheel knows only the next one: with a million timers, each
 * cost a wait for memory.
 */

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_NONE   UINT32_MAX
#define WHEEL_WALK   16
#define WHEEL_LEVELS 3
#define WHEEL_BITS   12                 /* of a tick, by level; the last has the rest */
#define WHEEL_ROW    (2u << WHEEL_BITS) /* slots of a level */
#define WHEEL_LAST   (1u << (32 - 24))  /* slots of the last */
#define WHEEL_SLOTS  (2 * WHEEL_ROW + WHEEL_LAST)
#define WHEEL_WORDS  (WHEEL_SLOTS / 64)

/** A timer; zeroed, it is disarmed. */
struct timer {
	uint32_t next;   /* index + 1; 0: the last of its slot; in the line: its position */
	uint32_t prev;   /* index + 1; TIMER_FIRST | slot: the first; TIMER_IN_LINE; 0: disarmed */
	uint32_t expiry; /* tick; meaningful while armed */
};

/** A place in the line; vacant once its timer has left it. */
struct wheel_place {
	uint32_t tick, index;
};

struct wheel {
	char *base;      /* of the timer member of element 0 */
	uint32_t stride; /* bytes from one element to the next */
	uint32_t now; /* the tick up to which everything has been popped, itself perhaps not yet */
	uint32_t armed;    /* how many timers are */
	uint32_t draining; /* bit for each level whose next slot is being spread over lower ones */
	struct wheel_place *line;       /* NULL: there is none */
	uint32_t line_mask, line_ticks; /* number of places, less one; the delay of its timers */
	uint32_t line_first, line_end;  /* positions, modulo 2^32 */
	uint32_t line_now;              /* the tick of the last or current turn */
	uint64_t map[WHEEL_WORDS];      /* slots that are not empty */
	uint64_t words[(WHEEL_WORDS + 63) / 64]; /* words of the map that are not 0 */
	uint32_t slot[WHEEL_SLOTS];              /* first timer, index + 1; lowest level first */
};

/** wheel_init makes an empty wheel over an array whose timers are stride bytes apart. */
void wheel_init(struct wheel *w, void *first_timer, uint32_t stride, uint32_t now);

/** wheel_set_line gives a new wheel a line of n places, a power of two, which the caller provides;
 * its timers fire after this many ticks. */
void wheel_set_line(struct wheel *w, struct wheel_place *places, uint32_t n, uint32_t ticks);

/** wheel_arm sets a timer, armed or not, to a tick; one in the past fires at the next pop. */
void wheel_arm(struct wheel *w, uint32_t index, uint32_t tick);

/** wheel_disarm stops a timer; nothing happens when it is not armed. */
void wheel_disarm(struct wheel *w, uint32_t index);

/** timer_is_armed says whether a timer is in a wheel. */
static inline bool timer_is_armed(const struct timer *t)
{
	return t->prev != 0;
}

/**
 * wheel_pop turns the wheel towards now and returns the index of a timer that is due, disarmed, or
 * WHEEL_NONE when none is left up to now; call it until then. Timers of one tick come in no
 * particular order, those of the line before all others.
 */
uint32_t wheel_pop(struct wheel *w, uint32_t now);

/** wheel_is_still says whether wheel_pop would find nothing due and nothing to move, as in later
 * turns of the same tick. */
static inline bool wheel_is_still(const struct wheel *w, uint32_t now)
{
	return w->now == now && w->draining == 0 && w->slot[now % WHEEL_ROW] == 0;
}

/**
 * wheel_next finds the earliest tick at which wheel_pop has something to do. It is exact, unless
 * more than WHEEL_WALK timers share a slot that is longer than a tick: then it is that slot's first
 * tick, so never too late. For timers in the past it is the current tick. Returns false when none
 * is armed.
 */
bool wheel_next(const struct wheel *w, uint32_t *tick);

/** wheel_validate checks every link. Returns the number of violations; n is the array's length. */
unsigned wheel_validate(const struct wheel *w, uint32_t n);

#endif
