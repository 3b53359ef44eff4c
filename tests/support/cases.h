/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CASES_H
#define CASES_H

/* Runs a table of cases as a CUnit suite. Each case is a struct that begins with its name. */

#include <stdbool.h>
#include <stddef.h>

struct cases {
	const void *first; /* a struct whose first member is const char *name */
	size_t size;       /* of one case */
	unsigned n;
	const char *only;                      /* only cases whose names contain it */
	bool (*is_left_out)(const char *name); /* or NULL */
	void (*run)(void);                     /* runs cases_current() */
	bool verbose;
};

/** cases_run runs them and returns the exit status of the program: 0, or 1 if any failed. */
int cases_run(const char *suite, const struct cases *c);

/** cases_current returns the case that is being run. */
const void *cases_current(const struct cases *c);

#endif
