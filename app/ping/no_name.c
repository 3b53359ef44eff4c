/* SPDX-License-Identifier: BSD-2-Clause */
/* percore without c-ares: there is no resolver. */
#include "name.h"

#include <stddef.h>

struct name *name_ask(struct pc_stack *st, const char *text)
{
	(void)st;
	(void)text;
	return NULL;
}

int name_turn(struct name *n, uint64_t now_ns, struct pc_addr *addr, const char **why)
{
	(void)n;
	(void)now_ns;
	(void)addr;
	*why = "percore was built without support for names";
	return -1;
}

void name_free(struct name *n)
{
	(void)n;
}
