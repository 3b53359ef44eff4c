/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/* The main program of a unit test: one suite of CUnit cases, exit status 1 when one failed. */

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdlib.h>

struct unit_case {
	const char *name;
	void (*run)(void);
};

static inline int unit_run(const char *suite_name, const struct unit_case *cases, size_t n)
{
	CU_pSuite suite;
	unsigned failures;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	suite = CU_add_suite(suite_name, NULL, NULL);
	for (size_t i = 0; suite != NULL && i < n; i++)
		if (CU_add_test(suite, cases[i].name, cases[i].run) == NULL)
			suite = NULL;
	if (suite == NULL)
		return EXIT_FAILURE;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/** UNIT_MAIN makes main of an array of cases. */
#define UNIT_MAIN(suite_name, cases)                                                    \
	int main(void)                                                                  \
	{                                                                               \
		return unit_run(suite_name, cases, sizeof(cases) / sizeof((cases)[0])); \
	}

/** UNIT_MAIN_OF makes main of an array named cases, which program(name, cases, n) runs. */
#define UNIT_MAIN_OF(program, name)                                            \
	int main(void)                                                         \
	{                                                                      \
		return program(name, cases, sizeof(cases) / sizeof(cases[0])); \
	}

/** FAILS checks that a call returns -1 with an errno. */
#define FAILS(call, error)                          \
	do {                                        \
		errno = 0;                          \
		CU_ASSERT_EQUAL((long)(call), -1L); \
		CU_ASSERT_EQUAL(errno, error);      \
	} while (0)

#endif
