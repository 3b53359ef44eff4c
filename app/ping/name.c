/* SPDX-License-Identifier: BSD-2-Clause */
/* Overview: one query to the resolver; its first address counts. */
#include "name.h"

#include <stdlib.h>

#include <percore/resolve.h>

struct name {
	struct pc_resolver *resolver;
	bool done;
	int status;
	struct pc_addr addr;
};

static void on_resolved(void *arg, int status, const struct pc_endpoint *addrs, unsigned n)
{
	struct name *name = arg;

	name->done = true;
	name->status = status;
	if (status == 0 && n > 0)
		name->addr = addrs[0].addr;
}

struct name *name_ask(struct pc_stack *st, const char *text)
{
	struct name *n = calloc(1, sizeof(*n));
	int rc;

	if (n == NULL)
		return NULL;
	n->resolver = pc_resolver_create(st);
	if (n->resolver != NULL) {
		/* it may have called on_resolved already, also with an error */
		rc = pc_getaddrinfo(n->resolver, text, NULL, NULL, on_resolved, n);
		if (rc != 0)
			on_resolved(n, rc, NULL, 0);
		return n;
	}
	free(n);
	return NULL;
}

int name_turn(struct name *n, uint64_t now_ns, struct pc_addr *addr, const char **why)
{
	if (!n->done)
		pc_resolver_turn(n->resolver, now_ns);
	if (!n->done)
		return 0;
	if (n->status != 0) {
		*why = gai_strerror(n->status);
		return -1;
	}
	*addr = n->addr;
	return 1;
}

void name_free(struct name *n)
{
	if (n == NULL)
		return;
	pc_resolver_destroy(n->resolver);
	free(n);
}
