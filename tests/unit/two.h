/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_TWO_H
#define UNIT_TWO_H

/* What tests with two small stacks at the ends of a wire share. */

#include <percore/stack.h>

#include "unit.h"

#define IP_US   0x010200c0u /* 192.0.2.1, in network byte order */
#define IP_PEER 0x020200c0u /* 192.0.2.2 */

/** two_config makes small settings; connections is how many each stack takes. */
static inline void two_config(struct pc_stack_config *cfg, uint32_t connections)
{
	pc_stack_config_init(cfg);
	cfg->stack_max_connections = connections;
	cfg->stack_max_listeners = 2;
	cfg->stack_max_udp_sockets = 3;
	cfg->stack_mbufs = 4095;
	cfg->tcp_syn_cache = 16;
	cfg->tcp_time_wait = 16;
	cfg->stack_seed = 1;
}

/** two_stack makes a stack on one end of the wire, with an address of a /24. */
static inline struct pc_stack *two_stack(const struct pc_stack_config *cfg,
                                         struct rte_mempool *pool, struct pc_port *port,
                                         uint32_t be)
{
	const struct pc_prefix a = {.addr = pc_addr_ip4(be), .len = 96 + 24};
	struct pc_stack *st = pc_stack_create(cfg, pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	CU_ASSERT_EQUAL(pc_stack_add_port(st, port), 0);
	CU_ASSERT_EQUAL(pc_stack_add_addr(st, 0, &a), 0);
	return st;
}

#endif
