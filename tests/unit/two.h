/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_TWO_H
#define UNIT_TWO_H

/* What tests with two small stacks at the ends of a wire share. */

#include <percore/stack.h>

#include "../support/stack_on.h"
#include "unit.h"

#define TWO_US   "192.0.2.1/24"
#define TWO_PEER "192.0.2.2/24"
#define IP_US    0x010200c0u /* their addresses, in network byte order */
#define IP_PEER  0x020200c0u

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

#endif
