/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The wheel against a model: a plain array of expiries.  Every operation is done to both, and what
 * the wheel says is compared with what a look at the whole array says.
 */

#include "timer/wheel.h"

#include <string.h>

#include "../unit.h"
#include "base/dice.h"
#include "base/seq.h"

#define MAX 512

/* Elements with the timer in the middle, as a TCB has it. */
struct element {
	uint64_t before;
	struct timer timer;
	uint8_t after[20];
};

static struct element elements[MAX];
static struct wheel wheel;

static void start(uint32_t now)
{
	memset(elements, 0, sizeof(elements));
	wheel_init(&wheel, &elements[0].timer, sizeof(elements[0]), now);
}

#define PLACES 64
#define LINE   300 /* ticks */

static struct wheel_place places[PLACES];

static void start_with_line(uint32_t now)
{
	start(now);
	wheel_set_line(&wheel, places, PLACES, LINE);
}

static void test_empty(void)
{
	uint32_t tick = 77;

	start(5);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 5), WHEEL_NONE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 5000000), WHEEL_NONE);
	CU_ASSERT(!wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	wheel_disarm(&wheel, 3);
	CU_ASSERT_EQUAL(wheel.armed, 0);
}

/* Distances at and around every border of a level, from starts around every border. */
static void test_exact_tick(void)
{
	static const uint32_t starts[] = {
	    0,          1,          0xff,       0x100,      0xfeff,     0xff00,
	    0xffff,     0x10000,    0xfffeff,   0xffffff,   0x1000000,  0x7fffffff,
	    0x80000000, 0xfffffe00, 0xfffffeff, 0xffffff00, 0xffffffff,
	};
	static const uint32_t distances[] = {
	    1,         2,         254,       255,       256,        257,        511,      512,
	    513,       767,       768,       0xfeff,    0xff00,     0xffff,     0x10000,  0x10001,
	    0x100ff,   0x10100,   0x1ffff,   0x20000,   0xfeffff,   0xff0000,   0xffffff, 0x1000000,
	    0x1000001, 0x10000ff, 0x1ffffff, 0x2000000, 0x7effffff, 0x7fffffff,
	};

	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
			const uint32_t at = starts[s] + distances[d];
			uint32_t next;

			start(starts[s]);
			wheel_arm(&wheel, 9, at);
			CU_ASSERT(wheel_next(&wheel, &next));
			CU_ASSERT_EQUAL(next, at);
			CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
			CU_ASSERT_EQUAL(wheel_pop(&wheel, at - 1), WHEEL_NONE);
			CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
			CU_ASSERT(timer_is_armed(&elements[9].timer));
			CU_ASSERT_EQUAL(wheel_pop(&wheel, at), 9);
			CU_ASSERT(!timer_is_armed(&elements[9].timer));
			CU_ASSERT_EQUAL(wheel_pop(&wheel, at), WHEEL_NONE);
			CU_ASSERT_EQUAL(wheel.armed, 0);
		}
	}
}

static void test_past(void)
{
	uint32_t tick;

	start(1000);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 2000), WHEEL_NONE);
	wheel_arm(&wheel, 1, 2000);
	wheel_arm(&wheel, 2, 1500);
	wheel_arm(&wheel, 3, 2000u - 0x7fffffff);
	wheel_arm(&wheel, 4, 2001);
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	CU_ASSERT(wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(tick, 2000);
	/* without time passing at all */
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT(wheel_pop(&wheel, 2000) <= 3);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 2000), WHEEL_NONE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 2001), 4);
}

static void test_rearm_and_disarm(void)
{
	start(0);
	wheel_arm(&wheel, 0, 100);
	wheel_arm(&wheel, 0, 100000);
	CU_ASSERT_EQUAL(wheel.armed, 1);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 99999), WHEEL_NONE);
	wheel_arm(&wheel, 0, 100001);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 100000), WHEEL_NONE);
	wheel_disarm(&wheel, 0);
	wheel_disarm(&wheel, 0);
	CU_ASSERT_EQUAL(wheel.armed, 0);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 200000), WHEEL_NONE);
}

/* First, middle and last of a slot are taken out. */
static void test_disarm_neighbours(void)
{
	for (unsigned out = 0; out < 8; out++) {
		unsigned popped = 0;
		uint32_t i;

		start(0);
		for (i = 0; i < 3; i++)
			wheel_arm(&wheel, i, 70000);
		for (i = 0; i < 3; i++)
			if ((out >> i & 1) != 0)
				wheel_disarm(&wheel, i);
		CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
		while ((i = wheel_pop(&wheel, 70000)) != WHEEL_NONE)
			popped |= 1u << i;
		CU_ASSERT_EQUAL(popped, ~out & 7);
	}
}

/* A handler disarms others that are due in the same tick, and arms itself anew. */
static void test_change_between_pops(void)
{
	uint32_t i;
	unsigned fired = 0;

	start(0);
	for (i = 0; i < 10; i++)
		wheel_arm(&wheel, i, 50);
	i = wheel_pop(&wheel, 50);
	for (uint32_t other = 0; other < 10; other++)
		if (other != i)
			wheel_disarm(&wheel, other);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 50), WHEEL_NONE);

	/* a periodic timer during a jump: fires at each of its times up to now, once */
	start(0);
	wheel_arm(&wheel, 0, 10);
	while (wheel_pop(&wheel, 1000) == 0) {
		CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
		fired++;
		wheel_arm(&wheel, 0, elements[0].timer.expiry + 10);
	}
	CU_ASSERT_EQUAL(fired, 100);
}

/* Pops in the order of time, whatever the jump. */
static void test_order(void)
{
	struct dice dice;
	uint32_t last = 0, i;

	dice_seed(&dice, 1);
	start(0);
	for (i = 0; i < MAX; i++)
		wheel_arm(&wheel, i, dice_below(&dice, 1u << (8 + i % 23)));
	while ((i = wheel_pop(&wheel, 0x7fffffff)) != WHEEL_NONE) {
		CU_ASSERT(seq_geq(elements[i].timer.expiry, last));
		last = elements[i].timer.expiry;
	}
	CU_ASSERT_EQUAL(wheel.armed, 0);
}

/* Nothing armed, more than 2^31 ticks pass: what is armed then is right nevertheless. */
static void test_long_idle(void)
{
	start(0);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0xc0000000), WHEEL_NONE);
	wheel_arm(&wheel, 1, 0xc0000000 + 300);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0xc0000000 + 299), WHEEL_NONE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0xc0000000 + 300), 1);
	/* and with one armed, which is long due after such a pause */
	wheel_arm(&wheel, 1, 0xc0000000 + 1000);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0x80000000), 1);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0x80000000), WHEEL_NONE);
}

/* More timers in a far slot than are walked: next tells the slot's beginning. */
static void test_next_of_crowded_slot(void)
{
	uint32_t tick;

	start(0);
	for (uint32_t i = 0; i < WHEEL_WALK; i++)
		wheel_arm(&wheel, i, 0x30080 + i);
	CU_ASSERT(wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(tick, 0x30080);
	wheel_arm(&wheel, WHEEL_WALK, 0x30090);
	CU_ASSERT(wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(tick, 0x30000);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, tick), WHEEL_NONE);
	CU_ASSERT(wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(tick, 0x30080);
}

/* Thousands of timers in one far slot: all fire at their tick, however the wheel is turned. */
static void run_crowd(uint32_t step)
{
	static struct timer crowd[20000];
	const uint32_t n = sizeof(crowd) / sizeof(crowd[0]), base = 0x20000;
	struct dice dice;
	uint32_t popped = 0, now = 0, i;

	memset(crowd, 0, sizeof(crowd));
	wheel_init(&wheel, crowd, sizeof(crowd[0]), now);
	dice_seed(&dice, step);
	for (i = 0; i < n; i++)
		wheel_arm(&wheel, i, base + dice_below(&dice, 3000));
	while (popped < n) {
		now += step;
		while ((i = wheel_pop(&wheel, now)) != WHEEL_NONE) {
			CU_ASSERT(seq_leq(crowd[i].expiry, now) &&
			          seq_gt(crowd[i].expiry, now - step));
			popped++;
		}
		if (now % 64 == 0)
			CU_ASSERT_EQUAL(wheel_validate(&wheel, n), 0);
		CU_ASSERT_FATAL(now < base + 3000 + step);
	}
	CU_ASSERT_EQUAL(wheel.armed, 0);
}

static void test_crowd(void)
{
	run_crowd(1);
	run_crowd(7);
	run_crowd(64);
	run_crowd(1000);
	run_crowd(0x21000);
}

/* Who is armed for at least the line's time, and less than twice that, fires after the line's time; others at their tick. */
static void test_line(void)
{
	static const struct {
		uint32_t armed, fires;
	} cases[] = {
	    {LINE - 1, LINE - 1}, {LINE, LINE},
	    {LINE + 1, LINE},     {2 * LINE - 1, LINE},
	    {2 * LINE, 2 * LINE}, {100 * LINE, 100 * LINE},
	    {(uint32_t)-LINE, 0}, {0, 0},
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		uint32_t tick;

		start_with_line(0xffffff00);
		wheel_arm(&wheel, 9, 0xffffff00 + cases[c].armed);
		CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
		CU_ASSERT(wheel_next(&wheel, &tick));
		CU_ASSERT_EQUAL(tick, 0xffffff00 + cases[c].fires);
		if (cases[c].fires > 0)
			CU_ASSERT_EQUAL(wheel_pop(&wheel, tick - 1), WHEEL_NONE);
		CU_ASSERT_EQUAL(wheel_pop(&wheel, tick), 9);
		CU_ASSERT(!timer_is_armed(&elements[9].timer));
		CU_ASSERT_EQUAL(wheel.armed, 0);
		CU_ASSERT_EQUAL(wheel_pop(&wheel, tick), WHEEL_NONE);
	}
}

/* Who has left the line, or come back to it, does not fire at his old place. */
static void test_line_left(void)
{
	uint32_t tick;

	start_with_line(0);
	for (uint32_t i = 0; i < 4; i++)
		wheel_arm(&wheel, i, LINE);
	wheel_disarm(&wheel, 0);
	wheel_arm(&wheel, 1, 10);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 100), 1);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 100), WHEEL_NONE);
	wheel_arm(&wheel, 1, 100 + LINE);
	wheel_arm(&wheel, 2, 100 + LINE);
	CU_ASSERT_EQUAL(wheel.armed, 3);
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, LINE), 3);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, LINE), WHEEL_NONE);
	CU_ASSERT(wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(tick, 100 + LINE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, tick), 1);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, tick), 2);
	CU_ASSERT_EQUAL(wheel.armed, 0);
	CU_ASSERT(!wheel_next(&wheel, &tick));
}

/* A full line takes nobody, vacant places included: they go to the wheel and fire at their tick. */
static void test_line_full(void)
{
	uint32_t i, popped = 0;

	start_with_line(0);
	for (i = 0; i < PLACES; i++)
		wheel_arm(&wheel, 0, LINE);
	for (i = 1; i < 10; i++)
		wheel_arm(&wheel, i, LINE + 5);
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, LINE + 4), 0);
	while ((i = wheel_pop(&wheel, LINE + 4)) != WHEEL_NONE)
		popped++;
	CU_ASSERT_EQUAL(popped, 0);
	while ((i = wheel_pop(&wheel, LINE + 5)) != WHEEL_NONE)
		popped++;
	CU_ASSERT_EQUAL(popped, 9);
}

/* The wheel is turned by more than the line's time at once: who arms himself anew does not fire again in this turn. */
static void test_line_late(void)
{
	uint32_t tick;

	start_with_line(0);
	wheel_arm(&wheel, 1, LINE);
	wheel_arm(&wheel, 2, 5 * LINE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 10 * LINE), 1);
	wheel_arm(&wheel, 1, 11 * LINE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 10 * LINE), 2);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 10 * LINE), WHEEL_NONE);
	CU_ASSERT(wheel_next(&wheel, &tick));
	CU_ASSERT_EQUAL(tick, 11 * LINE);
	wheel_disarm(&wheel, 1);

	/* nobody is left when more than 2^31 ticks pass */
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0xc0000000), WHEEL_NONE);
	wheel_arm(&wheel, 1, 0xc0000000 + LINE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0xc0000000 + LINE - 1), WHEEL_NONE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 0xc0000000 + LINE), 1);
}

static void test_validate_line(void)
{
	start_with_line(0);
	wheel_arm(&wheel, 0, LINE);
	CU_ASSERT_EQUAL(wheel_pop(&wheel, 1), WHEEL_NONE);
	wheel_arm(&wheel, 1, LINE + 1);
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	places[0].tick += 2;
	elements[0].timer.expiry += 2;
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 1); /* later than the next */
	places[0].tick -= 2;
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 1); /* not as its timer says */
	elements[0].timer.expiry -= 2;
	places[1].index = MAX;
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
	places[1].index = 2; /* timer 1 stands nowhere */
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
	places[1].index = 1;
	wheel.line_end += PLACES;
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
}

/* wheel_validate sees what it is there to see. */
static void test_validate(void)
{
	start(0);
	wheel_arm(&wheel, 0, 100);
	wheel_arm(&wheel, 1, 100);
	elements[0].timer.expiry = 101;
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
	elements[0].timer.expiry = 100;
	wheel.map[100 / 64] = 0;
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
	wheel.map[100 / 64] = UINT64_C(1) << (100 % 64);
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	elements[0].timer.next = 2; /* a loop */
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
	elements[0].timer.next = 0;
	wheel.armed++;
	CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
}

/* ... also where nothing is armed: in the first and in the last slot of a word, and of the wheel */
static void test_validate_empty(void)
{
	static const uint32_t slots[] = {0, 63, 64 * 63, 64 * 64 - 1, 64 * 70 + 1, WHEEL_SLOTS - 1};

	start(0);
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
	for (unsigned i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		uint64_t *map = &wheel.map[slots[i] / 64];

		wheel.slot[slots[i]] = 1;
		CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
		wheel.slot[slots[i]] = 0;
		*map = UINT64_C(1) << (slots[i] % 64);
		CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
		*map = 0;
		wheel.words[slots[i] / 4096] = UINT64_C(1) << (slots[i] / 64 % 64);
		CU_ASSERT_NOT_EQUAL(wheel_validate(&wheel, MAX), 0);
		wheel.words[slots[i] / 4096] = 0;
	}
	CU_ASSERT_EQUAL(wheel_validate(&wheel, MAX), 0);
}

/* ---- the model ------------------------------------------------------------------------------- */

struct model {
	bool armed[MAX];
	uint32_t expiry[MAX]; /* when it fires: as armed, or after the line's time */
	uint32_t nb_armed, now;
	bool lined;
};

static bool model_first(const struct model *mod, uint32_t *tick)
{
	bool any = false;

	for (uint32_t i = 0; i < MAX; i++) {
		if (!mod->armed[i])
			continue;
		*tick = any ? seq_min(*tick, mod->expiry[i]) : mod->expiry[i];
		any = true;
	}
	return any;
}

static void model_check_next(const struct model *mod)
{
	uint32_t first = 0, tick;
	const bool any = model_first(mod, &first);

	CU_ASSERT_EQUAL(wheel_next(&wheel, &tick), any);
	if (!any)
		return;
	if (seq_lt(first, wheel.now))
		first = wheel.now;
	CU_ASSERT(seq_leq(tick, first));
	if (first - wheel.now < 256 && !mod->lined) /* a place may be vacant */
		CU_ASSERT_EQUAL(tick, first);
}

/* Arms one of the timers at a random distance, most of them short, some in the past. */
static void model_arm(struct model *mod, struct dice *dice)
{
	const uint32_t i = dice_below(dice, MAX);
	uint32_t tick = mod->now + dice_below(dice, 1u << dice_below(dice, 31));

	if (mod->lined && dice_chance(dice, 300000))
		tick = mod->now + dice_below(dice, 3 * LINE);
	if (dice_chance(dice, 50000))
		tick = mod->now - dice_below(dice, 1000);
	if (dice_chance(dice, 300000))
		tick &= ~0xffu << (8 * dice_below(dice, 3)); /* borders of slots */
	if (seq_lt(tick, mod->now - 1000))
		tick = mod->now;
	wheel_arm(&wheel, i, tick);
	mod->nb_armed += !mod->armed[i];
	mod->armed[i] = true;
	mod->expiry[i] = elements[i].timer.expiry;
	CU_ASSERT(mod->expiry[i] == tick || (mod->lined && mod->expiry[i] == mod->now + LINE &&
	                                     tick - mod->expiry[i] < LINE));
}

static void model_disarm(struct model *mod, struct dice *dice)
{
	const uint32_t i = dice_below(dice, MAX);

	wheel_disarm(&wheel, i);
	mod->nb_armed -= mod->armed[i];
	mod->armed[i] = false;
}

/* Time passes; all that is due, and nothing else, has to come out. */
static void model_turn(struct model *mod, struct dice *dice)
{
	const unsigned how = dice_below(dice, 100);
	uint32_t by = 0, i, first = 0;

	if (how < 50)
		by = dice_below(dice, 4);
	else if (how < 80)
		by = dice_below(dice, 600);
	else if (how < 95)
		by = dice_below(dice, 200000);
	else
		by = dice_below(dice, 1u << 28); /* 4.9 hours */
	if (dice_chance(dice, 100000) && model_first(mod, &first) && seq_gt(first, mod->now))
		by = first - mod->now - dice_below(dice, 2);
	mod->now += by;
	while ((i = wheel_pop(&wheel, mod->now)) != WHEEL_NONE) {
		CU_ASSERT_FATAL(i < MAX && mod->armed[i]);
		CU_ASSERT(seq_leq(mod->expiry[i], mod->now));
		mod->armed[i] = false;
		mod->nb_armed--;
		if (dice_chance(dice, 50000))
			model_disarm(mod, dice);
		if (dice_chance(dice, 200000))
			model_arm(mod, dice);
	}
	CU_ASSERT_EQUAL(wheel.now, mod->now);
	CU_ASSERT(!model_first(mod, &first) || seq_gt(first, mod->now));
}

static void run_model(uint64_t seed, uint32_t now, unsigned steps)
{
	struct model mod = {.now = now, .lined = seed % 2 != 0};
	struct dice dice;

	dice_seed(&dice, seed);
	if (mod.lined)
		start_with_line(now);
	else
		start(now);
	for (unsigned step = 0; step < steps; step++) {
		const unsigned what = dice_below(&dice, 10);

		if (what < 5)
			model_arm(&mod, &dice);
		else if (what < 7)
			model_disarm(&mod, &dice);
		else
			model_turn(&mod, &dice);
		CU_ASSERT_EQUAL(wheel.armed, mod.nb_armed);
		model_check_next(&mod);
		if (step % 16 == 0)
			CU_ASSERT_EQUAL_FATAL(wheel_validate(&wheel, MAX), 0);
	}
}

static void test_model(void)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		run_model(seed, (uint32_t)(seed * 0x0f0f0f0f), 5000);
}

/* Starts shortly before ticks wrap. */
static void test_model_wrap(void)
{
	for (uint64_t seed = 100; seed < 120; seed++)
		run_model(seed, (uint32_t)-1 - (uint32_t)seed * 37, 5000);
}

static const struct unit_case cases[] = {
    {"empty", test_empty},
    {"exact to the tick at every border", test_exact_tick},
    {"past and present", test_past},
    {"arm again and disarm", test_rearm_and_disarm},
    {"disarm neighbours", test_disarm_neighbours},
    {"changes between pops", test_change_between_pops},
    {"order of time", test_order},
    {"long idle", test_long_idle},
    {"next of a crowded slot", test_next_of_crowded_slot},
    {"a crowd in one slot", test_crowd},
    {"line", test_line},
    {"line that was left", test_line_left},
    {"line without room", test_line_full},
    {"line and a late turn", test_line_late},
    {"validate sees damage in the line", test_validate_line},
    {"validate sees damage", test_validate},
    {"validate, where nothing is armed", test_validate_empty},
    {"model", test_model},
    {"model around the wrap", test_model_wrap},
};

UNIT_MAIN("timer/wheel", cases)
