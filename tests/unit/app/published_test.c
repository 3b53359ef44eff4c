/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared/published.h"

#include <sched.h>

#include "../unit.h"

static struct published p;
static const int table[4];

static void a_table_is_left_when_all_have_seen_the_next(void)
{
	struct published_reader *a, *b;
	uint64_t generation;

	published_begin(&p, &table[0]);
	a = published_attach(&p);
	b = published_attach(&p);
	CU_ASSERT(a != b && published_enter(&p, a) == &table[0]);
	CU_ASSERT(published_replace(&p, &table[1], &generation) == &table[0]);
	CU_ASSERT_FALSE(published_is_left(&p, generation));
	CU_ASSERT(published_enter(&p, a) == &table[1]);
	CU_ASSERT_FALSE(published_is_left(&p, generation)); /* b has not turned */
	published_leave(b);
	CU_ASSERT(published_is_left(&p, generation));
	published_leave(a);
	published_end(&p);
}

/* Who still shows the first may have any of those that came after it, and have been replaced as well: it may stand still
 * between taking the pointer and showing that. */
static void what_came_between_is_not_left_before(void)
{
	struct published_reader *slow;
	uint64_t first, second;

	published_begin(&p, &table[0]);
	slow = published_attach(&p);
	(void)published_enter(&p, slow);
	CU_ASSERT(published_replace(&p, &table[1], &first) == &table[0]);
	CU_ASSERT(published_replace(&p, &table[2], &second) == &table[1]);
	CU_ASSERT_FALSE(published_is_left(&p, second));
	CU_ASSERT_FALSE(published_is_left(&p, first));
	CU_ASSERT(published_enter(&p, slow) == &table[2]);
	CU_ASSERT(published_is_left(&p, first) && published_is_left(&p, second));
	published_leave(slow);
	published_end(&p);
}

static void places_are_given_again(void)
{
	struct published_reader *r = NULL, *other;

	published_begin(&p, NULL);
	for (unsigned i = 0; i < PUBLISHED_READERS; i++)
		r = published_attach(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_PTR_NULL(published_attach(&p));
	published_leave(r);
	other = published_attach(&p);
	CU_ASSERT_PTR_EQUAL(other, r);
	CU_ASSERT_PTR_NULL(published_get(&p));
	published_end(&p);
}

/* ---- a thread that reads while another one replaces -------------------------------------------- */

#define ROUNDS 2000

static int value[ROUNDS + 1];
static atomic_bool is_over;
static unsigned wrong;

static void *read_all_the_time(void *arg)
{
	struct published_reader *r = arg;

	while (!atomic_load(&is_over)) {
		const int *v = published_enter(&p, r);

		for (int i = 0; i < 10; i++)
			wrong += *(const volatile int *)v != 1; /* 2: it was freed */
	}
	published_leave(r);
	return NULL;
}

static void nothing_is_freed_that_is_read(void)
{
	uint64_t generation;
	pthread_t t;

	for (int i = 0; i <= ROUNDS; i++)
		value[i] = 1;
	published_begin(&p, &value[0]);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, read_all_the_time, published_attach(&p)), 0);
	for (int i = 1; i <= ROUNDS; i++) {
		(void)published_replace(&p, &value[i], &generation);
		while (!published_is_left(&p, generation))
			sched_yield();
		value[i - 1] = 2;
	}
	atomic_store(&is_over, true);
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	published_end(&p);
}

static const struct unit_case cases[] = {
    {"a table is left when all have seen the next", a_table_is_left_when_all_have_seen_the_next},
    {"what came between is not left before", what_came_between_is_not_left_before},
    {"places are given again", places_are_given_again},
    {"nothing is freed that is read", nothing_is_freed_that_is_read},
};

UNIT_MAIN("app/published", cases)
