/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_STACK_ON_H
#define SUPPORT_STACK_ON_H

#include <percore/stack.h>

/** stack_on makes a stack with one port that has one address, e.g. "10.0.0.1/24". Exits on
 * failure. */
struct pc_stack *stack_on(const struct pc_stack_config *cfg, struct rte_mempool *pool,
                          struct pc_port *port, const char *cidr);

#endif
