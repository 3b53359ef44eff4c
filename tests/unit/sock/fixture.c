/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

struct rte_mempool *pool;
struct pc_stack *us, *peer;
struct pc_stack_config cfg;

static struct pc_port *ends[2];
static uint64_t now;
static int listening;

void start_with_udp(uint32_t n)
{
	const struct pc_wire_config wire = {.pool = pool};

	two_config(&cfg, 8);
	cfg.stack_max_udp_sockets = n;
	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, ends), 0);
	us = stack_on(&cfg, pool, ends[0], TWO_US);
	peer = stack_on(&cfg, pool, ends[1], TWO_PEER);
	listening = 0;
	settle();
}

void start(void)
{
	start_with_udp(3);
}

void finish(void)
{
	CU_ASSERT_EQUAL(pc_stack_validate(us, stderr), 0);
	CU_ASSERT_EQUAL(pc_stack_validate(peer, stderr), 0);
	pc_stack_destroy(us);
	pc_stack_destroy(peer);
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

void settle(void)
{
	for (int i = 0; i < 60; i++) {
		now += 1000000;
		pc_stack_poll(us, now);
		pc_stack_flush(us, now);
		pc_stack_poll(peer, now);
		pc_stack_flush(peer, now);
	}
}

struct sockaddr_in addr_of(uint32_t be, uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {be}};
}

int tcp_fd(void)
{
	return pc_socket(us, AF_INET, SOCK_STREAM, 0);
}

int udp_fd(void)
{
	return pc_socket(us, AF_INET, SOCK_DGRAM, 0);
}

int bind_fd(int fd, uint16_t port)
{
	const struct sockaddr_in a = addr_of(0, port);

	return pc_bind(us, fd, (const struct sockaddr *)&a, sizeof(a));
}

int pair(int *far)
{
	const struct sockaddr_in a = addr_of(IP_US, 80);
	int fd;

	if (listening == 0) {
		listening = tcp_fd();
		CU_ASSERT_EQUAL(bind_fd(listening, 80), 0);
		CU_ASSERT_EQUAL(pc_listen(us, listening, 8), 0);
	}
	*far = pc_socket(peer, AF_INET, SOCK_STREAM, 0);
	FAILS(pc_connect(peer, *far, (const struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	settle();
	fd = pc_accept(us, listening, NULL, NULL);
	CU_ASSERT_FATAL(fd > 0);
	return fd;
}

int sock_program(const char *name, const struct unit_case *cases, size_t n)
{
	eal_start();
	pool = eal_pool("sock", 4095);
	return unit_run(name, cases, n);
}
