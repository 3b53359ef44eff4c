/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_APP_SUITE_H
#define TESTS_UNIT_APP_SUITE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

/* Fails with a line that says which row of a table it was. */
#define CHECK_ROW(ok, row)                                                                  \
	do {                                                                                \
		const bool ok_ = (ok);                                                      \
		if (!ok_)                                                                   \
			fprintf(stderr, "%s:%d: %s: %s\n", __func__, __LINE__, #ok, (row)); \
		CU_ASSERT(ok_);                                                             \
	} while (0)

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#endif
