/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The timer wheel.
 *
 * Overview: 256 ticks are a page.  The near slots hold every timer of the current page and of the
 * next, so that whatever is due within 256 ticks is found by a look at a bitmap.  The horizon is the
 * first tick of the next page.  A timer beyond it lies in the level that its expiry and the horizon
 * tell: that of the highest byte in which they differ.  So the slots of a level that are in use all
 * lie after the horizon's own slot there, in the order of time, and before those of the next level.
 *
 * When the wheel enters a page the horizon moves to the page after it, and the far slot that begins
 * at the horizon (one in each level whose lower bytes are 0) is spread over nearer slots.  Pages in
 * which nothing can happen are jumped over; no slot is jumped over that is not empty.
 *
 * Invariants: a timer is in exactly the slot that slot_of says; a slot's bit in the map is set
 * exactly when the slot is not empty; no near slot of a tick before now holds anything.  A timer
 * armed for the past lies in the slot of now, and now does not move on before that is empty.
 */

#include "timer/wheel.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/seq.h"

#define PAGE        256u
#define TIMER_FIRST 0x80000000u

static struct timer *timer_at(const struct wheel *w, uint32_t link)
{
	return (struct timer *)(void *)(w->base + (size_t)(link - 1) * w->stride);
}

static uint32_t page_start(const struct wheel *w)
{
	return w->now & ~(PAGE - 1);
}

static uint32_t horizon(const struct wheel *w)
{
	return page_start(w) + PAGE;
}

/* The slot of a level that a tick lies in. */
static uint32_t far_slot(unsigned level, uint32_t tick)
{
	return WHEEL_NEAR + level * WHEEL_FAR + (tick >> (8 * (level + 1)) & 0xff);
}

static uint32_t slot_of(const struct wheel *w, uint32_t expiry)
{
	uint32_t differ;

	if (seq_leq(expiry, w->now))
		return w->now % WHEEL_NEAR;
	if (expiry - page_start(w) < 2 * PAGE)
		return expiry % WHEEL_NEAR;
	differ = expiry ^ horizon(w);
	return far_slot(differ >> 24 != 0 ? 2 : differ >> 16 != 0 ? 1 : 0, expiry);
}

static void slot_push(struct wheel *w, uint32_t slot, struct timer *t, uint32_t link)
{
	const uint32_t first = w->slot[slot];

	t->next = first;
	t->prev = TIMER_FIRST | slot;
	if (first != 0)
		timer_at(w, first)->prev = link;
	w->slot[slot] = link;
	w->map[slot / 64] |= UINT64_C(1) << (slot % 64);
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
			w->map[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	}
	t->prev = 0;
}

/* Finds the first slot in [from,to) that is not empty; to when there is none. */
static uint32_t slot_find(const struct wheel *w, uint32_t from, uint32_t to)
{
	uint32_t word = from / 64;
	uint64_t bits;

	if (from >= to)
		return to;
	bits = w->map[word] & UINT64_MAX << (from % 64);
	while (bits == 0) {
		word++;
		if (word * 64 >= to)
			return to;
		bits = w->map[word];
	}
	from = word * 64 + (uint32_t)__builtin_ctzll(bits);
	return from < to ? from : to;
}

/* Tells the first tick of the current page at which a timer is due. */
static bool page_first(const struct wheel *w, uint32_t *tick)
{
	const uint32_t from = w->now % WHEEL_NEAR, to = (from & ~(PAGE - 1)) + PAGE;
	const uint32_t slot = slot_find(w, from, to);

	*tick = w->now + (slot - from);
	return slot < to;
}

/* The same for the next page. */
static bool next_page_first(const struct wheel *w, uint32_t *tick)
{
	const uint32_t from = horizon(w) % WHEEL_NEAR;
	const uint32_t slot = slot_find(w, from, from + PAGE);

	*tick = horizon(w) + (slot - from);
	return slot < from + PAGE;
}

/* Tells the first tick of the earliest far slot in use. */
static bool far_first(const struct wheel *w, uint32_t *tick, uint32_t *slot)
{
	const uint32_t h = horizon(w);
	uint32_t first, end;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		const unsigned shift = 8 * (level + 1);

		first = WHEEL_NEAR + level * WHEEL_FAR;
		end = first + WHEEL_FAR;
		*slot = slot_find(w, far_slot(level, h) + 1, end);
		if (*slot == end && level == WHEEL_LEVELS - 1)
			*slot = slot_find(w, first, end); /* the highest byte wraps */
		if (*slot < end) {
			const uint32_t above = level == WHEEL_LEVELS - 1 ? 0 : ~0u << (shift + 8);

			*tick = (h & above) | (*slot - first) << shift;
			return true;
		}
	}
	return false;
}

/* Moves the timers of a far slot to where they belong now. */
static void spread(struct wheel *w, uint32_t slot)
{
	uint32_t link = w->slot[slot];

	w->slot[slot] = 0;
	w->map[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	while (link != 0) {
		struct timer *t = timer_at(w, link);
		const uint32_t next = t->next;

		slot_push(w, slot_of(w, t->expiry), t, link);
		link = next;
	}
}

/* Enters the next page, up to that of the tick end, in which something can happen. */
static void enter_page(struct wheel *w, uint32_t end)
{
	uint32_t start = horizon(w), tick, slot, h;

	if (!next_page_first(w, &tick)) {
		start = end & ~(PAGE - 1);
		if (far_first(w, &tick, &slot) && tick - PAGE - w->now < start - w->now)
			start = tick - PAGE;
	}
	w->now = start;
	h = horizon(w);
	if (h << 8 == 0)
		spread(w, far_slot(2, h));
	if (h << 16 == 0)
		spread(w, far_slot(1, h));
	spread(w, far_slot(0, h));
}

void wheel_init(struct wheel *w, void *first_timer, uint32_t stride, uint32_t now)
{
	assert(stride >= sizeof(struct timer));
	memset(w, 0, sizeof(*w));
	w->base = first_timer;
	w->stride = stride;
	w->now = now;
}

void wheel_arm(struct wheel *w, uint32_t index, uint32_t tick)
{
	struct timer *t = timer_at(w, index + 1);

	assert(index < TIMER_FIRST - 1);
	if (timer_is_armed(t))
		slot_unlink(w, t);
	else
		w->armed++;
	t->expiry = tick;
	slot_push(w, slot_of(w, tick), t, index + 1);
}

void wheel_disarm(struct wheel *w, uint32_t index)
{
	struct timer *t = timer_at(w, index + 1);

	if (!timer_is_armed(t))
		return;
	slot_unlink(w, t);
	w->armed--;
}

uint32_t wheel_pop(struct wheel *w, uint32_t now)
{
	uint32_t tick;

	while (w->armed > 0) {
		if (page_first(w, &tick) && tick - w->now <= now - w->now) {
			const uint32_t link = w->slot[tick % WHEEL_NEAR];

			w->now = tick;
			slot_unlink(w, timer_at(w, link));
			w->armed--;
			return link - 1;
		}
		if (now - page_start(w) < PAGE)
			break;
		enter_page(w, now);
	}
	w->now = now;
	return WHEEL_NONE;
}

bool wheel_next(const struct wheel *w, uint32_t *tick)
{
	uint32_t slot, link, first;
	unsigned walked = 0;

	if (page_first(w, tick) || next_page_first(w, tick))
		return true;
	if (!far_first(w, tick, &slot))
		return false;
	link = w->slot[slot];
	first = timer_at(w, link)->expiry;
	for (; link != 0 && walked < WHEEL_WALK; walked++) {
		const struct timer *t = timer_at(w, link);

		first = seq_min(first, t->expiry);
		link = t->next;
	}
	if (link == 0)
		*tick = first;
	return true;
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
		wrong += slot_of(w, t->expiry) != slot;
		prev = link;
		link = t->next;
	}
	return wrong;
}

unsigned wheel_validate(const struct wheel *w, uint32_t n)
{
	unsigned wrong = 0;
	uint32_t found = 0;

	for (uint32_t slot = 0; slot < WHEEL_SLOTS; slot++)
		wrong += validate_slot(w, slot, n, &found);
	wrong += found != w->armed;
	for (uint32_t link = 1; link <= n; link++)
		found -= timer_is_armed(timer_at(w, link));
	return wrong + (found != 0);
}
