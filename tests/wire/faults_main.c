/* SPDX-License-Identifier: BSD-2-Clause */
/* Which faults each scenario gets: one after the other where it may happen, or, with --runs, so many of them. */
#include "faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal.h"
#include "failpool.h"
#include "unit/unit.h"

#define MOST_CASES 64

static const struct faults_suite *suite;
/* so that a scenario with many allocations takes no longer than others: every k-th of them */
static uint64_t runs_per_plan = 60;
static unsigned runs;

static uint64_t run(const struct plan *plan, enum kind kind, uint64_t first, uint64_t n)
{
	runs++;
	return suite->run(plan, kind, first, n);
}

static void each_of(const struct plan *plan, enum kind kind)
{
	const uint64_t taken = run(plan, kind, 0, 0);
	const uint64_t some = RTE_MAX(taken / runs_per_plan, 1u);

	for (uint64_t n = 1; n <= taken; n += some) {
		if (kind <= QUEUES)
			run(plan, kind, n, 1);
		run(plan, kind, n, FOREVER);
	}
	printf("%" PRIu64 " ", taken);
}

static void every_fault(void)
{
	const struct plan *plan = suite->plans;

	while (strcmp(plan->name, CU_get_current_test()->pName) != 0)
		plan++;
	for (enum kind kind = MBUF; kind < KINDS; kind++)
		if (suite->fits == NULL || suite->fits(plan, kind))
			each_of(plan, kind);
}

int faults_main(const struct faults_suite *s, int argc, char **argv)
{
	struct unit_case cases[MOST_CASES];
	unsigned n = 0;

	suite = s;
	if (argc > 2 && strcmp(argv[1], "--runs") == 0)
		runs_per_plan = strtoull(argv[2], NULL, 10);
	for (unsigned i = 0; i < s->nb_plans; i++)
		if (argc < 4 || strstr(s->plans[i].name, argv[3]) != NULL)
			cases[n++] = (struct unit_case){s->plans[i].name, every_fault};
	if (s->last.run != NULL)
		cases[n++] = s->last;
	eal_start();
	subject_pool = failpool_make("subject", MBUFS);
	other_pool = eal_pool("other", 2047);
	wire_pool = eal_pool("wire", 4095);
	n = (unsigned)unit_run(s->name, cases, n);
	printf("%u runs\n", runs);
	return (int)n;
}
