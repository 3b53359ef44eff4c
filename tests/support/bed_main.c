/* SPDX-License-Identifier: BSD-2-Clause */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "eal.h"

static struct {
	const struct bed_case *cases;
	unsigned n;
	struct rte_mempool *pool;
	bool threads;
} suite;

static void run_case(void)
{
	const char *name = CU_get_current_test()->pName;
	uint32_t in_use = eal_in_use(suite.pool);

	for (unsigned i = 0; i < suite.n; i++)
		if (strcmp(suite.cases[i].name, name) == 0)
			CU_ASSERT(
			    bed_compare(suite.pool, name, suite.cases[i].program, suite.threads));
	CU_ASSERT_EQUAL(eal_in_use(suite.pool), in_use);
}

int bed_main(int argc, char **argv, const char *name, const struct bed_case *cases, unsigned n)
{
	const char *only = "";
	CU_pSuite s;

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
	eal_start();
	suite.cases = cases;
	suite.n = n;
	suite.pool = eal_pool("bed", 16383);
	CU_initialize_registry();
	s = CU_add_suite(name, NULL, NULL);
	for (unsigned i = 0; i < n; i++)
		if (strstr(cases[i].name, only) != NULL)
			CU_add_test(s, cases[i].name, run_case);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	n = CU_get_number_of_failures();
	CU_cleanup_registry();
	return n != 0;
}
