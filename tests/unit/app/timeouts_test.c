/* SPDX-License-Identifier: BSD-2-Clause */
#include "timeouts.h"

#include <stdlib.h>

#include "suite.h"

#define N    64
#define TICK (UINT64_C(1) << TIMEOUTS_TICK_SHIFT)

struct element {
	struct timeout timeout;
	uint64_t payload[3];
};

static struct element elements[N];
static struct timeouts timeouts;

static void init(uint64_t now)
{
	memset(elements, 0, sizeof(elements));
	timeouts_init(&timeouts, elements, sizeof(elements[0]), now);
}

static void fires_in_time(void)
{
	static const uint64_t delays[] = {1,           TICK,        10 * TICK,
	                                  1023 * TICK, 1024 * TICK, 5000 * TICK};

	for (size_t i = 0; i < ROWS(delays); i++) {
		uint64_t now = 12345678901;
		const uint64_t due = now + delays[i];

		init(now);
		timeouts_set(&timeouts, 1, due);
		while (timeouts_next(&timeouts, now) == TIMEOUTS_NONE && now < due + 10 * TICK)
			now += TICK / 4;
		CU_ASSERT(now >= due && now <= due + 2 * TICK);
		CU_ASSERT(timeouts_next(&timeouts, now + 100000 * TICK) == TIMEOUTS_NONE);
	}
}

static void putting_off_and_bringing_forward(void)
{
	init(0);
	timeouts_set(&timeouts, 1, 10 * TICK);
	timeouts_set(&timeouts, 1, 50 * TICK);
	CU_ASSERT(timeouts_next(&timeouts, 40 * TICK) == TIMEOUTS_NONE);
	timeouts_set(&timeouts, 1, 45 * TICK);
	CU_ASSERT(timeouts_next(&timeouts, 47 * TICK) == 1);
	timeouts_set(&timeouts, 2, 60 * TICK);
	timeouts_clear(&timeouts, 2);
	timeouts_clear(&timeouts, 2);
	CU_ASSERT(timeouts_next(&timeouts, 100 * TICK) == TIMEOUTS_NONE);
}

/* Against a plain array, with jumps of time, also around the wrap of ticks. */
static void model(uint64_t now, unsigned seed)
{
	uint64_t due[N] = {0};
	uint32_t i;

	srand(seed);
	init(now);
	for (int step = 0; step < 20000; step++) {
		i = 1 + (uint32_t)rand() % (N - 1);
		switch (rand() % 4) {
		case 0:
		case 1:
			due[i] = now + (uint64_t)(rand() % 3000) * TICK / 2;
			timeouts_set(&timeouts, i, due[i]);
			break;
		case 2:
			timeouts_clear(&timeouts, i);
			due[i] = 0;
			break;
		default:
			now += (uint64_t)(rand() % 200) * TICK / 8;
			if (rand() % 100 == 0)
				now += 4000 * TICK;
			while ((i = timeouts_next(&timeouts, now)) != TIMEOUTS_NONE) {
				CU_ASSERT_FATAL(i < N && due[i] != 0 && due[i] <= now);
				due[i] = 0;
			}
			for (i = 1; i < N; i++)
				CU_ASSERT_FATAL(due[i] == 0 || due[i] + 2 * TICK > now);
		}
	}
}

static void models(void)
{
	for (unsigned seed = 0; seed < 10; seed++)
		model(1 + seed * 1000000007, seed);
	for (unsigned seed = 0; seed < 5; seed++)
		model((UINT64_C(1) << 57) - 1000 * TICK, seed);
}

static const struct unit_case cases[] = {
    {"fires in time", fires_in_time},
    {"putting off and bringing forward", putting_off_and_bringing_forward},
    {"models", models},
};

UNIT_MAIN("app/timeouts", cases)
