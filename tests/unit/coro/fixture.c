/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "../../support/eal.h"

struct pc_stack *us, *peer;
struct pc_coros *ours, *theirs;
uint64_t now = UINT64_C(1) << 50; /* a machine that has been up for a fortnight */

static struct rte_mempool *pool;
static struct pc_port *ends[2];

void start(uint32_t max)
{
	const struct pc_wire_config wire = {.pool = pool};
	const struct pc_coro_config config = {.max = max, .stack_bytes = 16384};
	struct pc_stack_config cfg;

	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, ends), 0);
	two_config(&cfg, 16);
	cfg.tcp_fastopen = 3;
	us = stack_on(&cfg, pool, ends[0], TWO_US);
	peer = stack_on(&cfg, pool, ends[1], TWO_PEER);
	ours = pc_coros_create(us, &config);
	theirs = pc_coros_create(peer, &config);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
	CU_ASSERT_PTR_NOT_NULL_FATAL(theirs);
}

void finish(void)
{
	pc_coros_destroy(ours);
	pc_coros_destroy(theirs);
	CU_ASSERT_EQUAL(pc_stack_validate(us, stderr), 0);
	CU_ASSERT_EQUAL(pc_stack_validate(peer, stderr), 0);
	pc_stack_destroy(us);
	pc_stack_destroy(peer);
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void turn(struct pc_stack *st, struct pc_coros *cs)
{
	pc_stack_poll(st, now);
	pc_coros_turn(cs, now);
	pc_stack_flush(st, now);
}

void turns(unsigned n, uint64_t step_ns)
{
	while (n-- > 0) {
		now += step_ns;
		turn(us, ours);
		turn(peer, theirs);
	}
}

void until_quiet(void)
{
	for (int i = 0; i < 60000 && pc_coros_count(ours) + pc_coros_count(theirs) > 0; i++)
		turns(1, MS);
	CU_ASSERT_EQUAL(pc_coros_count(ours), 0);
	CU_ASSERT_EQUAL(pc_coros_count(theirs), 0);
}

struct sockaddr_in at(uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {IP_US}};
}

int listener(uint16_t port)
{
	struct sockaddr_in a = at(port);
	int fd = pc_socket(us, AF_INET, SOCK_STREAM, 0), fast = 8;

	CU_ASSERT_EQUAL(pc_bind(us, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(pc_setsockopt(us, fd, IPPROTO_TCP, TCP_FASTOPEN, &fast, sizeof(fast)), 0);
	CU_ASSERT_EQUAL(pc_listen(us, fd, 8), 0);
	return fd;
}

int coro_program(const char *name, const struct unit_case *cases, size_t n)
{
	eal_start();
	pool = eal_pool("coro", 4095);
	return unit_run(name, cases, n);
}
