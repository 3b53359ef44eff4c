/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/idle.h"

#include "../../support/eal.h"
#include "common.h"
#include "run/clock.h"

static struct pc_port tap = {.info.driver = "net_tap"}, memif = {.info.driver = "net_memif"};
static struct pc_stack *st;

static void the_kernels_devices_sleep(void)
{
	struct pc_port *taps[] = {&tap, &tap}, *mixed[] = {&tap, &memif};

	CU_ASSERT_EQUAL(idle_choose(RUN_IDLE_AUTO, taps, 2), RUN_IDLE_SLEEP);
	CU_ASSERT_EQUAL(idle_choose(RUN_IDLE_AUTO, mixed, 2), RUN_IDLE_PAUSE);
	CU_ASSERT_EQUAL(idle_choose(RUN_IDLE_SPIN, taps, 2), RUN_IDLE_SPIN);
}

static uint64_t time_of(struct idle *idle, unsigned frames)
{
	uint64_t begin = clock_time_of_day();

	idle_turn(idle, frames, st, 0);
	return clock_time_of_day() - begin;
}

static void it_sleeps_only_after_empty_turns(void)
{
	const struct run_config config = {.run_idle_turns = 3, .run_idle_us = 2000};
	uint64_t awake = 0;
	struct idle idle;

	idle_init(&idle, RUN_IDLE_SLEEP, &config);
	for (int i = 0; i < 3; i++)
		awake += time_of(&idle, 0);
	CU_ASSERT_EQUAL(idle.empty, 3);
	CU_ASSERT(time_of(&idle, 0) >= 10000);
	CU_ASSERT(time_of(&idle, 0) >= 20000);
	for (int i = 0; i < 20; i++)
		idle_turn(&idle, 0, st, 0);
	CU_ASSERT(time_of(&idle, 0) >= 2000000); /* it has grown, but not beyond the limit */
	CU_ASSERT_EQUAL(idle.sleep_ns, 2000000);
	idle_turn(&idle, 1, st, 0);
	CU_ASSERT_EQUAL(idle.empty, 0);
	CU_ASSERT_EQUAL(idle.sleep_ns, 10000);
	(void)awake;
}

static void it_does_not_sleep_past_a_deadline(void)
{
	const struct run_config config = {.run_idle_turns = 1, .run_idle_us = 100000};
	struct idle idle;

	idle_init(&idle, RUN_IDLE_SLEEP, &config);
	idle.empty = 1;
	idle.sleep_ns = 100000000;
	/* with nothing to do, a stack still knows when it last looked: a time to come is past for it
	 * only if it has a timer */
	if (pc_stack_next_deadline(st) == UINT64_MAX)
		CU_ASSERT(time_of(&idle, 0) >= 100000000);
}

int main(void)
{
	const CU_TestInfo tests[] = {
	    {"the kernel's devices sleep", the_kernels_devices_sleep},
	    {"it sleeps only after empty turns", it_sleeps_only_after_empty_turns},
	    {"it does not sleep past a deadline", it_does_not_sleep_past_a_deadline},
	    CU_TEST_INFO_NULL,
	};
	struct pc_stack_config config;
	int rc;

	eal_start();
	pc_stack_config_init(&config);
	config.stack_max_connections = 16;
	st = pc_stack_create(&config, eal_pool("idle", 1023));
	if (st == NULL)
		return 1;
	rc = run_suite("run/idle", tests);
	pc_stack_destroy(st);
	return rc;
}
