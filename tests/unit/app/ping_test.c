/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-ping on a stack that asks itself. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "ping.h"

#include <percore/socket.h>

static struct pc_stack *st;
static struct ping *ping;
static uint64_t now = 1000000000;

/* Until it is over. */
static void run(const struct ping_plan *plan, const char *to)
{
	struct pc_addr addr;

	ping = calloc(1, sizeof(*ping));
	CU_ASSERT_FATAL(ping != NULL && pc_addr_parse(to, &addr) == 0);
	CU_ASSERT_EQUAL_FATAL(ping_start(ping, st, plan, &addr), 0);
	do {
		now += 1000000;
		pc_stack_poll(st, now);
		pc_stack_flush(st, now);
	} while (ping_turn(ping, now));
	pc_close(st, ping->fd);
}

static void answers_are_counted(void)
{
	const struct ping_plan plan = {.count = 3,
	                               .interval_ms = 2,
	                               .timeout_ms = 100,
	                               .size = 56,
	                               .quiet = 1,
	                               .pmtudisc = -1};

	run(&plan, "127.0.0.1");
	CU_ASSERT(ping->stats.sent == 3 && ping->stats.received == 3);
	CU_ASSERT(ping->stats.duplicates == 0 && ping->stats.errors == 0);
	CU_ASSERT_EQUAL(ping_report(ping, "127.0.0.1"), 0);
	free(ping);
	run(&plan, "::1");
	CU_ASSERT(ping->stats.sent == 3 && ping->stats.received == 3);
	free(ping);
}

/* RFC 792: the number has 16 bits, and 0 is one as any other. */
static void numbers_begin_again(void)
{
	const struct ping_plan plan = {.count = 65540,
	                               .interval_ms = 1,
	                               .timeout_ms = 100,
	                               .size = 0,
	                               .quiet = 1,
	                               .pmtudisc = -1};

	run(&plan, "127.0.0.1");
	CU_ASSERT(ping->stats.sent == 65540 && ping->stats.received == 65540);
	CU_ASSERT(ping->stats.duplicates == 0);
	free(ping);
}

/* Nothing is to be waited for: there is an address, and no way. */
static void who_cannot_be_reached_is_told_at_once(void)
{
	const struct ping_plan plan = {.count = 2,
	                               .interval_ms = 1000,
	                               .timeout_ms = 100,
	                               .size = 56,
	                               .quiet = 1,
	                               .pmtudisc = -1};
	const uint64_t begin = now;

	run(&plan, "192.0.2.1");
	CU_ASSERT(ping->stats.sent == 2 && ping->stats.errors == 2 && now - begin < 2000000000);
	free(ping);
}

static const struct unit_case cases[] = {
    {"answers are counted", answers_are_counted},
    {"numbers begin again", numbers_begin_again},
    {"who cannot be reached is told at once", who_cannot_be_reached_is_told_at_once},
};

int main(void)
{
	const struct pc_prefix prefix = {.addr = pc_addr_ip4(htonl(0x0a000001)), .len = 96 + 24};
	struct pc_stack_config config;
	struct rte_mempool *pool;
	struct pc_port *ends[2];
	int rc;

	eal_start();
	pool = eal_pool("ping", 511);
	pc_stack_config_init(&config);
	config.stack_max_connections = 16;
	st = pc_stack_create(&config, pool);
	if (st == NULL || pc_port_wire(&(struct pc_wire_config){.pool = pool}, ends) != 0 ||
	    pc_stack_add_port(st, ends[0]) != 0 || pc_stack_add_addr(st, 0, &prefix) != 0)
		return 1;
	rc = unit_run("ping", cases, sizeof(cases) / sizeof(cases[0]));
	pc_stack_destroy(st);
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	return rc;
}
