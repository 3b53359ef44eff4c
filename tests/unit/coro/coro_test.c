/* SPDX-License-Identifier: BSD-2-Clause */
/* Coroutines: order, time, joining, cancelling, and that none is lost. */

#include "fixture.h"

static char trace[256];
static unsigned traced;

static void note(char c)
{
	if (traced < sizeof(trace) - 1)
		trace[traced++] = c;
}

static bool noted(const char *what)
{
	bool same = strcmp(trace, what) == 0;

	if (!same)
		fprintf(stderr, "trace: %s\n", trace);
	memset(trace, 0, sizeof(trace));
	traced = 0;
	return same;
}

static int yield_twice(struct pc_coro *co, void *arg)
{
	const char *name = arg;

	for (int i = 0; i < 3; i++) {
		note(name[i]);
		if (i < 2)
			CU_ASSERT_EQUAL(pc_coro_yield(co), 0);
	}
	return 0;
}

static int say(struct pc_coro *co, void *arg)
{
	(void)co;
	note(*(const char *)arg);
	return 0;
}

static int spawn_one(struct pc_coro *co, void *arg)
{
	note('(');
	CU_ASSERT(pc_coro_spawn(pc_coro_set(co), say, arg, 0) != 0);
	note(')');
	return 0;
}

/* first in, first out; a yield is until the next turn, a spawn is for this one */
static void test_order(void)
{
	start(4);
	CU_ASSERT(pc_coro_spawn(ours, yield_twice, "abc", 0) != 0);
	CU_ASSERT(pc_coro_spawn(ours, yield_twice, "ABC", 0) != 0);
	CU_ASSERT_EQUAL(pc_coros_count(ours), 2);
	CU_ASSERT_EQUAL(pc_coros_next_deadline(ours), 0);
	CU_ASSERT(noted(""));
	turns(1, 1);
	CU_ASSERT(noted("aA"));
	CU_ASSERT_EQUAL(pc_coros_next_deadline(ours), 0);
	turns(1, 1);
	CU_ASSERT(noted("bB"));
	CU_ASSERT(pc_coro_spawn(ours, spawn_one, "x", 0) != 0);
	turns(1, 1);
	CU_ASSERT(noted("()cCx"));
	CU_ASSERT_EQUAL(pc_coros_count(ours), 0);
	CU_ASSERT_EQUAL(pc_coros_next_deadline(ours), UINT64_MAX);
	finish();
}

static int sleep_ms(struct pc_coro *co, void *arg)
{
	uint64_t ms = *(uint64_t *)arg, begin = pc_coro_now_ns(co);

	CU_ASSERT_EQUAL(pc_coro_sleep(co, ms * MS), 0);
	*(uint64_t *)arg = pc_coro_now_ns(co) - begin;
	return 0;
}

/* never early, and late by less than 2 ms */
static void test_sleep(void)
{
	uint64_t ms[] = {0, 1, 2, 3, 10, 99, 1000, 54321}, asked[8];
	uint64_t deadline;

	memcpy(asked, ms, sizeof(ms));
	start(8);
	for (int i = 0; i < 8; i++)
		CU_ASSERT(pc_coro_spawn(ours, sleep_ms, &ms[i], 0) != 0);
	turns(2, MS);
	deadline = pc_coros_next_deadline(ours);
	CU_ASSERT(deadline > now - 2 * MS && deadline <= now + 2 * MS);
	until_quiet();
	for (int i = 0; i < 8; i++)
		CU_ASSERT(ms[i] >= asked[i] * MS && ms[i] < (asked[i] + 2) * MS);
	finish();
}

/* longer than the timer wheel can see */
static void test_sleep_long(void)
{
	uint64_t hours = 100, ms = hours * 3600000;

	start(1);
	CU_ASSERT(pc_coro_spawn(ours, sleep_ms, &ms, 0) != 0);
	for (int i = 0; i < 200 && pc_coros_count(ours) > 0; i++)
		turns(1, 3600000 * MS);
	CU_ASSERT_EQUAL(ms, (hours)*3600000 * MS);
	finish();
}

static int answer(struct pc_coro *co, void *arg)
{
	if (arg != NULL)
		pc_coro_sleep(co, *(uint64_t *)arg);
	note('e');
	return 42;
}

static uint64_t target;
static int expected_error;

static int join(struct pc_coro *co, void *arg)
{
	int result = 0;

	(void)arg;
	if (expected_error != 0) {
		FAILS(pc_coro_join(co, target, &result), expected_error);
	} else {
		CU_ASSERT_EQUAL(pc_coro_join(co, target, &result), 0);
		CU_ASSERT_EQUAL(result, 42);
	}
	note('j');
	return 0;
}

static void join_it(int error)
{
	expected_error = error;
	CU_ASSERT(pc_coro_spawn(ours, join, NULL, 0) != 0);
	turns(1, MS);
}

static void test_join(void)
{
	uint64_t ns = 10 * MS;

	start(4);
	expected_error = 0;
	target = pc_coro_spawn(ours, answer, &ns, PC_CORO_JOINABLE);
	join_it(0); /* before its end */
	join_it(EINVAL);
	CU_ASSERT(noted("j"));
	expected_error = 0;
	turns(20, MS);
	CU_ASSERT(noted("ej"));
	join_it(ESRCH); /* only once */
	target = pc_coro_spawn(ours, answer, NULL, PC_CORO_JOINABLE);
	turns(1, MS);
	CU_ASSERT_EQUAL(pc_coros_count(ours), 0);
	join_it(0); /* after its end */
	CU_ASSERT(noted("jej"));
	target = pc_coro_spawn(ours, answer, &ns, 0);
	join_it(EINVAL); /* not joinable */
	turns(20, MS);
	target = pc_coro_spawn(ours, answer, NULL, PC_CORO_JOINABLE);
	CU_ASSERT_EQUAL(pc_coro_detach(ours, target), 0);
	turns(1, MS);
	join_it(ESRCH);
	FAILS(pc_coro_detach(ours, target), ESRCH);
	CU_ASSERT(noted("jeej"));
	finish();
}

static int join_self(struct pc_coro *co, void *arg)
{
	(void)arg;
	FAILS(pc_coro_join(co, pc_coro_number(co), NULL), EDEADLK);
	return 0;
}

static int join_impatiently(struct pc_coro *co, void *arg)
{
	(void)arg;
	pc_coro_set_timeout(co, 5 * MS);
	FAILS(pc_coro_join(co, target, NULL), ETIMEDOUT);
	note('t');
	pc_coro_set_timeout(co, PC_CORO_FOREVER);
	CU_ASSERT_EQUAL(pc_coro_join(co, target, NULL), 0);
	return 0;
}

static void test_join_time(void)
{
	uint64_t ns = 20 * MS;

	start(4);
	CU_ASSERT(pc_coro_spawn(ours, join_self, NULL, PC_CORO_JOINABLE) != 0);
	target = pc_coro_spawn(ours, answer, &ns, PC_CORO_JOINABLE);
	CU_ASSERT(pc_coro_spawn(ours, join_impatiently, NULL, 0) != 0);
	until_quiet();
	CU_ASSERT(noted("te"));
	finish();
}

static int be_cancelled(struct pc_coro *co, void *arg)
{
	(void)arg;
	CU_ASSERT_FALSE(pc_coro_is_cancelled(co));
	FAILS(pc_coro_sleep(co, 1000 * MS), ECANCELED);
	note('c');
	CU_ASSERT(pc_coro_is_cancelled(co));
	FAILS(pc_coro_yield(co), ECANCELED);
	FAILS(pc_coro_sleep(co, 0), ECANCELED);
	FAILS(pc_coro_join(co, target, NULL), ECANCELED);
	return 0;
}

static int yield_for_ever(struct pc_coro *co, void *arg)
{
	(void)arg;
	while (pc_coro_yield(co) == 0)
		;
	CU_ASSERT_EQUAL(errno, ECANCELED);
	note('y');
	return 0;
}

static void test_cancel(void)
{
	uint64_t number;

	start(4);
	target = pc_coro_spawn(ours, yield_for_ever, NULL, PC_CORO_JOINABLE);
	number = pc_coro_spawn(ours, be_cancelled, NULL, 0);
	FAILS(pc_coro_cancel(ours, 0), ESRCH);
	FAILS(pc_coro_cancel(ours, number + (UINT64_C(1) << 32)), ESRCH);
	turns(3, MS);
	CU_ASSERT_EQUAL(pc_coro_cancel(ours, number), 0);
	CU_ASSERT(noted(""));
	turns(1, MS);
	CU_ASSERT(noted("c"));
	FAILS(pc_coro_cancel(ours, number), ESRCH);
	CU_ASSERT_EQUAL(pc_coro_cancel(ours, target), 0);
	turns(1, MS);
	CU_ASSERT(noted("y"));
	FAILS(pc_coro_cancel(ours, target), ESRCH); /* has ended, though it may be joined */
	number = pc_coro_spawn(ours, yield_for_ever, NULL, 0);
	turns(1, MS);
	pc_coros_cancel(ours);
	turns(1, MS);
	CU_ASSERT_EQUAL(pc_coros_count(ours), 0);
	CU_ASSERT(noted("y"));
	finish();
}

static int spawn_at_the_end(struct pc_coro *co, void *arg)
{
	(void)arg;
	FAILS(pc_coro_sleep(co, PC_CORO_FOREVER), ECANCELED);
	errno = 0;
	CU_ASSERT_EQUAL(pc_coro_spawn(pc_coro_set(co), say, "x", 0), 0);
	CU_ASSERT_EQUAL(errno, ECANCELED);
	note('d');
	return 0;
}

static void test_destroy(void)
{
	start(3);
	CU_ASSERT(pc_coro_spawn(ours, spawn_at_the_end, NULL, 0) != 0);
	turns(1, MS);
	CU_ASSERT(pc_coro_spawn(ours, yield_for_ever, NULL, 0) != 0); /* never ran */
	finish();
	CU_ASSERT(noted("yd"));
}

static void test_full(void)
{
	struct pc_coro_config bad = {.max = 0, .stack_bytes = 16384};

	start(2);
	CU_ASSERT(pc_coro_spawn(ours, yield_for_ever, NULL, 0) != 0);
	CU_ASSERT(pc_coro_spawn(ours, yield_for_ever, NULL, 0) != 0);
	errno = 0;
	CU_ASSERT_EQUAL(pc_coro_spawn(ours, say, "x", 0), 0);
	CU_ASSERT_EQUAL(errno, EAGAIN);
	CU_ASSERT_PTR_NULL(pc_coros_create(us, &bad));
	CU_ASSERT_EQUAL(errno, EINVAL);
	bad = (struct pc_coro_config){.max = 1, .stack_bytes = 8191};
	CU_ASSERT_PTR_NULL(pc_coros_create(us, &bad));
	finish();
	CU_ASSERT(noted("yy"));
}

static int nothing(struct pc_coro *co, void *arg)
{
	uint64_t *n = arg;

	++*n;
	(void)co;
	return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 50000
#else
#define MANY 1000000
#endif

/* a million come and go, and the same few stacks serve them all */
static void test_million(void)
{
	uint64_t ran = 0;

	start(100);
	for (int i = 0; i < MANY; i++) {
		CU_ASSERT_FATAL(pc_coro_spawn(ours, nothing, &ran, 0) != 0);
		if (i % 100 == 99)
			pc_coros_turn(ours, now);
	}
	CU_ASSERT_EQUAL(ran, MANY);
	CU_ASSERT_EQUAL(pc_coros_count(ours), 0);
	for (int i = 0; i < 100; i++)
		CU_ASSERT(pc_coro_spawn(ours, nothing, &ran, 0) != 0);
	finish();
}

static int sleep_and_count(struct pc_coro *co, void *arg)
{
	uint64_t *n = arg;

	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(pc_coro_sleep(co, (uint64_t)(1 + i) * MS), 0);
		++*n;
	}
	return 0;
}

static void test_ten_thousand(void)
{
	const struct pc_coro_config config = {.max = 10000, .stack_bytes = 8192};
	uint64_t n = 0;
	struct pc_coros *cs;

	start(1);
	cs = pc_coros_create(peer, &config);
	CU_ASSERT_PTR_NOT_NULL_FATAL(cs);
	for (int i = 0; i < 10000; i++)
		CU_ASSERT(pc_coro_spawn(cs, sleep_and_count, &n, 0) != 0);
	pc_coros_turn(cs, now);
	CU_ASSERT_EQUAL(pc_coros_count(cs), 10000);
	for (int i = 0; i < 12; i++)
		pc_coros_turn(cs, now += MS);
	CU_ASSERT_EQUAL(n, 30000);
	CU_ASSERT_EQUAL(pc_coros_count(cs), 0);
	pc_coros_destroy(cs);
	finish();
}

static int naps(struct pc_coro *co, void *arg)
{
	const uint64_t begin = pc_coro_now_ns(co);

	CU_ASSERT_EQUAL(pc_coro_sleep(co, 50 * MS), 0);
	*(uint64_t *)arg = pc_coro_now_ns(co) - begin;
	return 0;
}

/* a clock that is set back delays nobody, and wakes nobody early */
static void test_clock_set_back(void)
{
	uint64_t slept = 0;

	start(2);
	CU_ASSERT(pc_coro_spawn(ours, naps, &slept, 0) != 0);
	turns(20, MS);
	now -= 3600000 * MS;
	turns(25, MS);
	CU_ASSERT_EQUAL(slept, 0);
	CU_ASSERT(pc_coros_next_deadline(ours) > now &&
	          pc_coros_next_deadline(ours) < now + 10 * MS);
	turns(10, MS);
	CU_ASSERT(slept >= 50 * MS && slept < 52 * MS);
	finish();
}

static const struct unit_case cases[] = {
    {"order", test_order},
    {"sleep", test_sleep},
    {"a sleep of days", test_sleep_long},
    {"join", test_join},
    {"join, with a time-out", test_join_time},
    {"cancel", test_cancel},
    {"destroy", test_destroy},
    {"too many", test_full},
    {"a million", test_million},
    {"ten thousand at once", test_ten_thousand},
    {"a clock that is set back", test_clock_set_back},
};

CORO_UNIT_MAIN("coro")
