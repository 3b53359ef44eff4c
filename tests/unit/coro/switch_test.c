/* SPDX-License-Identifier: BSD-2-Clause */
/* Fibers: that what a call must keep is kept, that backtraces end, and both ways of switching. */

#include "coro/switch.h"

#include <execinfo.h>
#include <fenv.h>
#include <stdlib.h>

#include "coro/stacks.h"
#include "fixture.h"

static struct fiber host, fiber;
static int steps;

static void count(void *arg)
{
	const int *n = arg;

	fiber_begin(&fiber, &host);
	for (int i = 0; i < *n; i++) {
		steps++;
		fiber_leave(&fiber, &host);
	}
	fiber_end(&fiber, &host);
}

static void make(struct coro_stacks *s, void (*entry)(void *), void *arg, bool portable)
{
	size_t bytes;
	void *stack;

	CU_ASSERT_EQUAL_FATAL(coro_stacks_init(s, 1, 65536), 0);
	stack = coro_stacks_get(s, 0, &bytes);
	CU_ASSERT(bytes >= 65536);
	steps = 0;
	fiber_make(&fiber, stack, bytes, entry, arg, portable);
}

static void there_and_back(bool portable)
{
	struct coro_stacks s;
	int n = 1000;

	make(&s, count, &n, portable);
	for (int i = 1; i <= n; i++) {
		fiber_enter(&host, &fiber);
		CU_ASSERT_EQUAL(steps, i);
	}
	fiber_enter(&host, &fiber); /* ends */
	CU_ASSERT_EQUAL(steps, n);
	fiber_forget(&fiber);
	coro_stacks_fini(&s);
}

static void test_own(void)
{
	if (!fiber_must_be_portable())
		there_and_back(false);
}

static void test_portable(void)
{
	there_and_back(true);
}

static void with_rounding(void *arg)
{
	fiber_begin(&fiber, &host);
	CU_ASSERT_EQUAL(fegetround(), FE_UPWARD); /* as where it was made */
	fesetround(FE_TOWARDZERO);
	fiber_leave(&fiber, &host);
	CU_ASSERT_EQUAL(fegetround(), FE_TOWARDZERO);
	*(volatile double *)arg = 1.0 / *(volatile double *)arg; /* SSE and x87 alike still work */
	fiber_end(&fiber, &host);
}

/* System V ABI, x86-64, 3.2.3: the control bits of MXCSR and the x87 control word belong to the callee's
 * caller */
static void test_rounding(void)
{
	volatile double x = 4;
	struct coro_stacks s;

	fesetround(FE_UPWARD);
	make(&s, with_rounding, (void *)(uintptr_t)&x, fiber_must_be_portable());
	fiber_enter(&host, &fiber);
	CU_ASSERT_EQUAL(fegetround(), FE_UPWARD);
	fesetround(FE_TONEAREST);
	fiber_enter(&host, &fiber);
	CU_ASSERT_EQUAL(fegetround(), FE_TONEAREST);
	CU_ASSERT_EQUAL(x, 0.25);
	fiber_forget(&fiber);
	coro_stacks_fini(&s);
}

static void look_back(void *arg)
{
	void *frames[64];

	fiber_begin(&fiber, &host);
	*(int *)arg = backtrace(frames, 64);
	fiber_end(&fiber, &host);
}

static void test_backtrace(void)
{
	struct coro_stacks s;
	int depth = 0;

	make(&s, look_back, &depth, fiber_must_be_portable());
	fiber_enter(&host, &fiber);
	CU_ASSERT(depth >= 1 && depth < 10);
	fiber_forget(&fiber);
	coro_stacks_fini(&s);
}

static void test_stacks(void)
{
	struct coro_stacks s;
	size_t bytes[40];
	char *low[40];

	CU_ASSERT_EQUAL_FATAL(coro_stacks_init(&s, 40, 10000), 0);
	for (uint32_t i = 0; i < 40; i++) {
		low[i] = coro_stacks_get(&s, i, &bytes[i]);
		CU_ASSERT(bytes[i] >= 10000);
		CU_ASSERT_EQUAL((uintptr_t)low[i] % 4096, 0);
		memset(low[i], 0xa5, bytes[i]);
		if (i > 0) /* at least the guard page lies between */
			CU_ASSERT(low[i] - (low[i - 1] + bytes[i - 1]) >= 4096);
		/* neighbours do not meet in the caches */
		if (i > 0)
			CU_ASSERT_NOT_EQUAL((uintptr_t)(low[i] + bytes[i]) % 4096,
			                    (uintptr_t)(low[i - 1] + bytes[i - 1]) % 4096);
	}
	coro_stacks_fini(&s);
	coro_stacks_fini(&s); /* a second time does nothing */
	CU_ASSERT_EQUAL(coro_stacks_init(&s, 1000000, SIZE_MAX / 2000000), -ENOMEM);
}

static const struct unit_case cases[] = {
    {"a thousand times there and back", test_own},
    {"the same by swapcontext()", test_portable},
    {"rounding modes", test_rounding},
    {"a backtrace ends", test_backtrace},
    {"stacks", test_stacks},
};

CORO_UNIT_MAIN("switch")
