/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_SERVE_LCORES_H
#define TESTS_UNIT_SERVE_LCORES_H

/*
 * Two lcores of one host, played by the test: on each a stack with its service, and a peer's stack at the other end of a wire. All
 * that is ours has one address, and so has all that is the peer's.
 */

#include <percore/host.h>
#include <percore/percore.h>

#include "../two.h"

#define LCORES 2

static struct rte_mempool *pool; /* the test's */
static struct pc_host *host;
static struct pc_service *service[LCORES];
static struct pc_stack *near[LCORES], *far[LCORES];
static struct pc_port *port[LCORES][2];

static inline void lcores_make(void)
{
	const struct pc_host_config hc = {.nb_lcores = LCORES, .max_sockets = 64};
	const struct pc_wire_config wc = {.pool = pool};
	struct pc_stack_config cfg;

	two_config(&cfg, 32);
	host = pc_host_create(&hc);
	CU_ASSERT_FATAL(host != NULL);
	for (unsigned i = 0; i < LCORES; i++) {
		CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wc, port[i]), 0);
		near[i] = stack_on(&cfg, pool, port[i][0], TWO_US);
		far[i] = stack_on(&cfg, pool, port[i][1], TWO_PEER);
		service[i] = pc_host_add(host, i, near[i]);
		CU_ASSERT_FATAL(service[i] != NULL);
	}
}

/** A turn of each of them. Returns how much there was to do. */
static inline unsigned lcores_turn(uint64_t now_ns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LCORES; i++) {
		n += pc_stack_poll(near[i], now_ns) + pc_service_turn(service[i], now_ns);
		pc_stack_flush(near[i], now_ns);
		n += pc_stack_poll(far[i], now_ns);
		pc_stack_flush(far[i], now_ns);
	}
	return n;
}

static inline void lcores_free(void)
{
	pc_host_destroy(host);
	for (unsigned i = 0; i < LCORES; i++) {
		CU_ASSERT_EQUAL(pc_stack_validate(near[i], stderr), 0);
		pc_stack_destroy(near[i]);
		pc_stack_destroy(far[i]);
		pc_port_close(port[i][0]);
		pc_port_close(port[i][1]);
	}
}

#endif
