/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The timer wheel.
 *
 * Overview: a slot of level l is 2^12l ticks long; a page of level l is 2^12 of its slots, as long
 * as one slot of the level above.  Each level has room for two pages: the one that contains now,
 * and the next.  A timer goes into the lowest level whose two pages contain its expiry.
 *
 * When a level enters a slot, the timers of the next slot would fit into the level below: that next
 * slot is draining.  Every pop moves a few of its timers down, and more for each tick that has
 * passed; new timers do not go there.  Those still there when the slot is entered are moved at
 * once.  So a crowded slot is emptied while the slot before it passes, and no single pop has to
 * move a million timers.  Empty slots are skipped.
 *
 * Retransmission (200 ms) and delayed-acknowledgement time-outs stay in the lowest level, whose
 * page is 268 ms, so they are never moved; a keep-alive of minutes moves once.  With pages of 2^8
 * slots the former moved once and the latter twice: with a million timers of 4,000 ticks, one turn
 * in a hundred took 209,000 cycles, and now takes 27,000.
 *
 * Invariants: above the lowest level, the slot that contains now is empty; a timer is in the slot
 * that slot_of gives or in a draining one; a slot's bit in the map is set exactly when the slot is
 * not empty, and a word's bit exactly when the word is not 0; no slot of the lowest level for a
 * tick before now holds a timer.  A timer armed for the past is in the slot of now, and now does
 * not advance before that slot is empty.
 *
 * The ticks of the line's places never decrease, and are later than now.  A timer is in the line
 * while its prev is TIMER_IN_LINE and its next is the position of its place; to leave, it only
 * changes prev, and the vacant place is skipped when its turn comes.
 */

#include "timer/wheel.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/seq.h"

#define PAGE          (1u << WHEEL_BITS)
#define TIMER_FIRST   0x80000000u
#define TIMER_IN_LINE UINT32_MAX /* no slot has that number */
#define AHEAD         8          /* how many places ahead the line's timers are prefetched */

/* How many timers a pop moves down at most, and how many more for each tick that has passed: a slot
 * of 260,000 timers for the next quarter of a second is empty in time, however long the turns
 * are. */
#define DRAIN      16
#define DRAIN_TICK 64
#define DRAIN_MAX  4096

static struct timer *timer_at(const struct wheel *w, uint32_t link)
{
	return (struct timer *)(void *)(w->base + (size_t)(link - 1) * w->stride);
}

/* How many slots a level has. */
static uint32_t row_len(unsigned level)
{
	return level < WHEEL_LEVELS - 1 ? WHEEL_ROW : WHEEL_LAST;
}

/* How far to shift a tick to divide it by the length of a level's slots. */
static unsigned shift_of(unsigned level)
{
	return WHEEL_BITS * level;
}

/* The slot of a level for a tick divided by 2^12l. */
static uint32_t slot_index(unsigned level, uint32_t quotient)
{
	return level * WHEEL_ROW + quotient % row_len(level);
}

static uint32_t slot_of(const struct wheel *w, uint32_t expiry)
{
	if (seq_leq(expiry, w->now))
		return slot_index(0, w->now);
	for (unsigned level = 0; level < WHEEL_LEVELS - 1; level++) {
		const uint32_t page = PAGE << shift_of(level); /* in ticks */

		if (expiry - (w->now & ~(page - 1)) < 2 * page)
			return slot_index(level, expiry >> shift_of(level));
	}
	return slot_index(WHEEL_LEVELS - 1, expiry >> shift_of(WHEEL_LEVELS - 1));
}

/* The slot of a level after the one that contains now. */
static uint32_t next_slot(const struct wheel *w, unsigned level)
{
	return slot_index(level, (w->now >> shift_of(level)) + 1);
}

static void mark(struct wheel *w, uint32_t slot)
{
	w->map[slot / 64] |= UINT64_C(1) << (slot % 64);
	w->words[slot / 4096] |= UINT64_C(1) << (slot / 64 % 64);
}

static void unmark(struct wheel *w, uint32_t slot)
{
	w->map[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	if (w->map[slot / 64] == 0)
		w->words[slot / 4096] &= ~(UINT64_C(1) << (slot / 64 % 64));
}

static void slot_push(struct wheel *w, uint32_t slot, struct timer *t, uint32_t link)
{
	const uint32_t first = w->slot[slot];

	t->next = first;
	t->prev = TIMER_FIRST | slot;
	if (first != 0)
		timer_at(w, first)->prev = link;
	w->slot[slot] = link;
	mark(w, slot);
}

static void slot_unlink(struct wheel *w, struct timer *t)
{
	if (t->next != 0)
		timer_at(w, t->next)->prev = t->prev;
	if ((t->prev & TIMER_FIRST) == 0) {
		timer_at(w, t->prev)->next = t->next;
	} else {
		const uint32_t slot = t->prev & ~TIMER_FIRST;

		w->slot[slot] = t->next;
		if (t->next == 0)
			unmark(w, slot);
	}
	t->prev = 0;
}

static bool stands_in_line(const struct timer *t, uint32_t position)
{
	return t->prev == TIMER_IN_LINE && t->next == position;
}

static struct wheel_place *place_at(const struct wheel *w, uint32_t position)
{
	return &w->line[position & w->line_mask];
}

/* Removes an armed timer, to be disarmed or rearmed. */
static void leave(struct wheel *w, struct timer *t)
{
	if (t->prev == TIMER_IN_LINE)
		t->prev = 0;
	else
		slot_unlink(w, t);
}

/* Says whether a timer for a tick goes into the line: there is room, and it would not fire
 * much too early. */
static bool line_takes(const struct wheel *w, uint32_t tick)
{
	return w->line != NULL && tick - w->line_now - w->line_ticks < w->line_ticks &&
	       w->line_end - w->line_first <= w->line_mask;
}

static void line_add(struct wheel *w, struct timer *t, uint32_t index)
{
	t->expiry = w->line_now + w->line_ticks;
	t->prev = TIMER_IN_LINE;
	t->next = w->line_end;
	*place_at(w, w->line_end++) = (struct wheel_place){.tick = t->expiry, .index = index};
}

/* Removes the first timer of the line if it is due, skipping vacant places, and prefetches
 * a later one. */
static uint32_t line_pop(struct wheel *w, uint32_t now)
{
	while (w->line_first != w->line_end && seq_leq(place_at(w, w->line_first)->tick, now)) {
		const uint32_t index = place_at(w, w->line_first)->index,
		               position = w->line_first++;
		struct timer *t = timer_at(w, index + 1);

		if (w->line_end - position > AHEAD)
			__builtin_prefetch(timer_at(w, place_at(w, position + AHEAD)->index + 1),
			                   1);
		if (stands_in_line(t, position)) {
			t->prev = 0;
			w->armed--;
			return index;
		}
	}
	return WHEEL_NONE;
}

/* Finds the first word of the map in [from,to) that is not 0; to when there is none. */
static uint32_t word_find(const struct wheel *w, uint32_t from, uint32_t to)
{
	uint32_t i = from / 64;
	uint64_t bits;

	if (from >= to)
		return to;
	bits = w->words[i] & UINT64_MAX << (from % 64);
	while (bits == 0) {
		i++;
		if (i * 64 >= to)
			return to;
		bits = w->words[i];
	}
	from = i * 64 + (uint32_t)__builtin_ctzll(bits);
	return from < to ? from : to;
}

/* Finds the first slot in [from,to) that is not empty; to when there is none. */
static uint32_t slot_find(const struct wheel *w, uint32_t from, uint32_t to)
{
	uint32_t word = from / 64;
	uint64_t bits;

	if (from >= to)
		return to;
	bits = w->map[word] & UINT64_MAX << (from % 64);
	if (bits == 0) {
		const uint32_t end = (to + 63) / 64;

		word = word_find(w, word + 1, end);
		if (word == end)
			return to;
		bits = w->map[word];
	}
	from = word * 64 + (uint32_t)__builtin_ctzll(bits);
	return from < to ? from : to;
}

/* Finds the first tick of the current page at which a timer is due. */
static bool page_first(const struct wheel *w, uint32_t *tick)
{
	const uint32_t from = slot_index(0, w->now), to = (from & ~(PAGE - 1)) + PAGE;
	const uint32_t slot = slot_find(w, from, to);

	*tick = w->now + (slot - from);
	return slot < to;
}

/* Finds the first slot in use of a level after the one that contains now, and its first tick. */
static bool level_first(const struct wheel *w, unsigned level, uint32_t *slot, uint32_t *tick)
{
	const uint32_t begin = level * WHEEL_ROW, end = begin + row_len(level);
	const uint32_t quotient = w->now >> shift_of(level);
	const uint32_t here = slot_index(level, quotient);

	*slot = slot_find(w, here + 1, end);
	if (*slot == end) {
		*slot = slot_find(w, begin, here);
		if (*slot == here)
			return false;
	}
	*tick = (quotient + (*slot - here) % row_len(level)) << shift_of(level);
	return true;
}

/* Moves up to n timers of a slot to where they belong now; returns how many of n are left. */
static uint32_t spread(struct wheel *w, uint32_t slot, uint32_t n)
{
	for (; n > 0 && w->slot[slot] != 0; n--) {
		const uint32_t link = w->slot[slot];
		struct timer *t = timer_at(w, link);

		if (t->next != 0)
			__builtin_prefetch(timer_at(w, t->next), 1);
		slot_unlink(w, t);
		slot_push(w, slot_of(w, t->expiry), t, link);
	}
	return n;
}

/* Moves up to n timers out of draining slots, lowest level first. */
static void drain(struct wheel *w, uint32_t n)
{
	while (w->draining != 0 && n > 0) {
		const unsigned level = (unsigned)__builtin_ctz(w->draining);
		const uint32_t slot = next_slot(w, level);

		n = spread(w, slot, n);
		if (w->slot[slot] == 0)
			w->draining &= ~(1u << level);
	}
}

/* Enters the next page, up to that of the tick end, in which something can happen. */
static void enter_page(struct wheel *w, uint32_t end)
{
	uint32_t by = end - w->now, slot, tick;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		if (level_first(w, level, &slot, &tick) && tick - w->now < by)
			by = tick - w->now;
	w->now = (w->now + by) & ~(PAGE - 1);
	w->draining = 0;
	for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
		spread(w, slot_index(level, w->now >> shift_of(level)), UINT32_MAX);
		if (w->slot[next_slot(w, level)] != 0)
			w->draining |= 1u << level;
	}
}

void wheel_init(struct wheel *w, void *first_timer, uint32_t stride, uint32_t now)
{
	assert(stride >= sizeof(struct timer));
	memset(w, 0, sizeof(*w));
	w->base = first_timer;
	w->stride = stride;
	w->now = now;
}

void wheel_set_line(struct wheel *w, struct wheel_place *places, uint32_t n, uint32_t ticks)
{
	assert(w->armed == 0 && n != 0 && (n & (n - 1)) == 0 && ticks > 0);
	w->line = places;
	w->line_mask = n - 1;
	w->line_ticks = ticks;
	w->line_now = w->now;
}

void wheel_arm(struct wheel *w, uint32_t index, uint32_t tick)
{
	struct timer *t = timer_at(w, index + 1);

	assert(index < TIMER_FIRST - 1);
	if (timer_is_armed(t))
		leave(w, t);
	else
		w->armed++;
	if (line_takes(w, tick)) {
		line_add(w, t, index);
		return;
	}
	t->expiry = tick;
	slot_push(w, slot_of(w, tick), t, index + 1);
}

void wheel_disarm(struct wheel *w, uint32_t index)
{
	struct timer *t = timer_at(w, index + 1);

	if (!timer_is_armed(t))
		return;
	leave(w, t);
	w->armed--;
}

/* Removes the first timer of a tick, and prefetches what the next pop will look at. */
static uint32_t take_first(struct wheel *w, uint32_t tick)
{
	const uint32_t link = w->slot[slot_index(0, tick)];
	struct timer *t = timer_at(w, link);

	if (t->next != 0)
		__builtin_prefetch(timer_at(w, t->next), 1);
	w->now = tick;
	slot_unlink(w, t);
	w->armed--;
	return link - 1;
}

uint32_t wheel_pop(struct wheel *w, uint32_t now)
{
	uint32_t tick;

	w->line_now = now;
	if (w->line_first != w->line_end) {
		const uint32_t index = line_pop(w, now);

		if (index != WHEEL_NONE)
			return index;
	}
	if (w->draining != 0) {
		const uint32_t ticks =
		    now - w->now < DRAIN_MAX / DRAIN_TICK ? now - w->now : DRAIN_MAX / DRAIN_TICK;

		drain(w, DRAIN + DRAIN_TICK * ticks);
	}
	while (w->armed > 0) {
		if (page_first(w, &tick) && tick - w->now <= now - w->now)
			return take_first(w, tick);
		if (now - (w->now & ~(PAGE - 1)) < PAGE) {
			w->now = now;
			return WHEEL_NONE;
		}
		enter_page(w, now);
	}
	w->now = now;
	w->draining = 0;
	w->line_first = w->line_end; /* it holds only vacant places */
	return WHEEL_NONE;
}

/* The earliest expiry in a slot, or its first tick when that takes too long to find out. */
static uint32_t slot_first(const struct wheel *w, uint32_t slot, uint32_t start)
{
	uint32_t link = w->slot[slot], first = timer_at(w, link)->expiry;

	for (unsigned walked = 0; walked < WHEEL_WALK; walked++) {
		const struct timer *t = timer_at(w, link);

		first = seq_min(first, t->expiry);
		link = t->next;
		if (link == 0)
			return first;
	}
	return start;
}

bool wheel_next(const struct wheel *w, uint32_t *tick)
{
	uint32_t slot, start;
	bool any = page_first(w, tick);

	/* a draining slot may hold timers that are due before the first timer of a lower level */
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		if (!level_first(w, level, &slot, &start) || (any && seq_leq(*tick, start)))
			continue;
		if (level > 0)
			start = slot_first(w, slot, start);
		*tick = any ? seq_min(*tick, start) : start;
		any = true;
	}
	if (w->armed > 0 && w->line_first != w->line_end) {
		start = place_at(w, w->line_first)->tick;
		*tick = any ? seq_min(*tick, start) : start;
		any = true;
	}
	return any;
}

/* Says whether a slot may still hold a timer that would fit into a lower level. */
static bool slot_is_draining(const struct wheel *w, uint32_t slot, uint32_t expiry)
{
	const unsigned level = slot / WHEEL_ROW;

	return (w->draining >> level & 1) != 0 && slot == next_slot(w, level) &&
	       slot == slot_index(level, expiry >> shift_of(level)) && seq_gt(expiry, w->now);
}

/* Checks the timers of one slot; counts them in *found. */
static unsigned validate_slot(const struct wheel *w, uint32_t slot, uint32_t n, uint32_t *found)
{
	const bool marked = (w->map[slot / 64] >> (slot % 64) & 1) != 0;
	unsigned wrong = marked != (w->slot[slot] != 0);
	uint32_t prev = TIMER_FIRST | slot;

	for (uint32_t link = w->slot[slot]; link != 0;) {
		const struct timer *t;

		if (link > n || ++*found > n)
			return wrong + 1;
		t = timer_at(w, link);
		wrong += t->prev != prev;
		wrong += slot_of(w, t->expiry) != slot && !slot_is_draining(w, slot, t->expiry);
		prev = link;
		link = t->next;
	}
	return wrong;
}

/* Says whether all bytes are 0: the first is, and each equals the one before. */
static bool are_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	return b[0] == 0 && memcmp(b, b + 1, len - 1) == 0;
}

/* Says whether n words of the map are 0, and all their slots empty. */
static bool are_empty(const struct wheel *w, uint32_t word, uint32_t n)
{
	return are_zero(&w->map[word], n * sizeof(w->map[0])) &&
	       are_zero(&w->slot[word * 64], n * 64 * sizeof(w->slot[0]));
}

static unsigned validate_word(const struct wheel *w, uint32_t word, uint32_t n, uint32_t *found)
{
	unsigned wrong = (w->words[word / 64] >> (word % 64) & 1) != (w->map[word] != 0);

	if (are_empty(w, word, 1))
		return wrong;
	for (uint32_t i = 0; i < 64; i++)
		wrong += validate_slot(w, word * 64 + i, n, found);
	return wrong;
}

/* Checks the places of the line; counts the timers in it in *found. */
static unsigned validate_line(const struct wheel *w, uint32_t n, uint32_t *found)
{
	unsigned wrong = w->line_end - w->line_first > (uint64_t)w->line_mask + 1;

	if (wrong > 0 || w->line == NULL)
		return wrong;
	for (uint32_t at = w->line_first; at != w->line_end; at++) {
		const struct wheel_place *p = place_at(w, at);

		if (p->index >= n)
			return wrong + 1;
		if (at != w->line_first)
			wrong += seq_lt(p->tick, place_at(w, at - 1)->tick);
		if (stands_in_line(timer_at(w, p->index + 1), at)) {
			wrong += timer_at(w, p->index + 1)->expiry != p->tick;
			++*found;
		}
	}
	return wrong;
}

unsigned wheel_validate(const struct wheel *w, uint32_t n)
{
	uint32_t found = 0;
	unsigned wrong = validate_line(w, n, &found);

	for (uint32_t word = 0, words; word < WHEEL_WORDS; word += words) {
		words = WHEEL_WORDS - word < 64 ? WHEEL_WORDS - word : 64;
		if (w->words[word / 64] == 0 && are_empty(w, word, words))
			continue; /* almost all of them, almost always */
		for (uint32_t i = 0; i < words; i++)
			wrong += validate_word(w, word + i, n, &found);
	}
	wrong += found != w->armed;
	for (uint32_t link = 1; link <= n; link++)
		found -= timer_is_armed(timer_at(w, link));
	return wrong + (found != 0);
}
