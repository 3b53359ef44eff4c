/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/reader.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "common.h"

#define ROUNDS 2000

static struct reader a, b;

static void nobody_within_is_not_waited_for(void)
{
	reader_add(&a, 1);
	reader_add(&b, 2);
	readers_wait();
	CU_ASSERT(reader_enter(&a));
	reader_leave(&a);
	readers_wait();
	reader_remove(&a);
	readers_wait();
	reader_remove(&b);
	reader_remove(&b);
	readers_wait();
}

static void a_group_is_shut_out_and_let_in(void)
{
	reader_add(&a, 1);
	reader_add(&b, 2);
	readers_shut(2);
	CU_ASSERT(reader_enter(&a));
	reader_leave(&a);
	CU_ASSERT_FALSE(reader_enter(&b));
	reader_leave(&b);
	readers_open(2);
	CU_ASSERT(reader_enter(&b));
	reader_leave(&b);
	reader_remove(&a);
	reader_remove(&b);
}

/* What a driver does: a flag, a wait, and then the memory is gone. */
static struct {
	_Atomic bool connected, stop;
	_Atomic int memory; /* 1: there */
	_Atomic uint32_t bursts;
	uint32_t faults;
} driver;

static void *lcore(void *arg)
{
	struct reader *r = arg;

	while (!atomic_load(&driver.stop)) {
		if (reader_enter(r) &&
		    atomic_load_explicit(&driver.connected, memory_order_relaxed)) {
			for (int i = 0; i < 20; i++)
				driver.faults +=
				    atomic_load_explicit(&driver.memory, memory_order_relaxed) != 1;
			atomic_fetch_add(&driver.bursts, 1);
		}
		reader_leave(r);
	}
	return NULL;
}

static void memory_outlives_those_who_look_at_it(void)
{
	pthread_t t;

	reader_add(&a, 1);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, lcore, &a), 0);
	for (int i = 0; i < ROUNDS; i++) {
		const uint32_t before = atomic_load(&driver.bursts);

		atomic_store(&driver.memory, 1);
		atomic_store(&driver.connected, true);
		while (i % 100 == 0 && atomic_load(&driver.bursts) == before)
			sched_yield();
		atomic_store_explicit(&driver.connected, false, memory_order_relaxed);
		readers_wait();
		atomic_store_explicit(&driver.memory, 0, memory_order_relaxed);
	}
	atomic_store(&driver.stop, true);
	pthread_join(t, NULL);
	reader_remove(&a);
	CU_ASSERT_EQUAL(driver.faults, 0);
	CU_ASSERT(atomic_load(&driver.bursts) >= ROUNDS / 100);
}

static const struct unit_case cases[] = {
    {"nobody within is not waited for", nobody_within_is_not_waited_for},
    {"a group is shut out and let in", a_group_is_shut_out_and_let_in},
    {"memory outlives those who look at it", memory_outlives_those_who_look_at_it},
};

UNIT_MAIN("port/reader", cases)
