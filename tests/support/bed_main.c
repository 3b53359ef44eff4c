/* SPDX-License-Identifier: BSD-2-Clause */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "cases.h"
#include "eal.h"

#define TRIES 3

static struct {
	struct cases cases;
	struct rte_mempool *pool;
	bool threads;
} suite;

static void run_case(void)
{
	const struct bed_case *c = cases_current(&suite.cases);
	uint32_t in_use = eal_in_use(suite.pool);
	bool same = false;

	/* on a busy machine the kernel may defer work to a thread of its own, so a difference is
	 * checked again: a real one persists */
	for (int i = 0; i < TRIES && !same; i++)
		same = bed_compare(suite.pool, c->name, c->program, suite.threads);
	CU_ASSERT(same);
	CU_ASSERT_EQUAL(eal_in_use(suite.pool), in_use);
}

int bed_main(int argc, char **argv, const char *name, const struct bed_case *cases, unsigned n)
{
	const char *only = "";

	if (argc > 1 && strcmp(argv[1], "--threads") == 0) {
		suite.threads = true;
		argv++, argc--;
	}
	if (argc == 3 && strcmp(argv[1], "--case") == 0) {
		only = argv[2];
	} else if (argc != 1) {
		fprintf(stderr, "usage: bed [--threads] [--case TEXT]\n");
		return 2;
	}
	bed_own_network();
	eal_start();
	suite.cases = (struct cases){
	    .first = cases, .size = sizeof(*cases), .n = n, .only = only, .run = run_case};
	suite.pool = eal_pool("bed", 16383);
	return cases_run(name, &suite.cases);
}
