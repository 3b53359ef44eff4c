/* SPDX-License-Identifier: BSD-2-Clause */
#include "stack_on.h"

#include <stdio.h>
#include <stdlib.h>

struct pc_stack *stack_on(const struct pc_stack_config *cfg, struct rte_mempool *pool,
                          struct pc_port *port, const char *cidr)
{
	struct pc_stack *st = pc_stack_create(cfg, pool);
	struct pc_prefix addr;

	if (st == NULL || pc_prefix_parse(cidr, &addr) != 0 || pc_stack_add_port(st, port) != 0 ||
	    pc_stack_add_addr(st, 0, &addr) != 0) {
		perror("no stack");
		exit(1);
	}
	return st;
}
