/* SPDX-License-Identifier: BSD-2-Clause */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

static const char *name_of(const struct cases *c, unsigned i)
{
	return *(const char *const *)((const char *)c->first + i * c->size);
}

int cases_run(const char *suite, const struct cases *c)
{
	CU_pSuite s;
	unsigned failures;

	CU_initialize_registry();
	s = CU_add_suite(suite, NULL, NULL);
	for (unsigned i = 0; i < c->n; i++)
		if (strstr(name_of(c, i), c->only) != NULL &&
		    (c->is_left_out == NULL || !c->is_left_out(name_of(c, i))))
			CU_add_test(s, name_of(c, i), c->run);
	CU_basic_set_mode(c->verbose ? CU_BRM_VERBOSE : CU_BRM_NORMAL);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}

const void *cases_current(const struct cases *c)
{
	const char *name = CU_get_current_test()->pName;

	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(name_of(c, i), name) == 0)
			return (const char *)c->first + i * c->size;
	abort();
}
