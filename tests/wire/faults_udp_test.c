/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of our own beneath datagrams: the n-th allocation of an mbuf fails, or each from there on for a while, while two stacks
 * ask for each other's MAC addresses (ARP, neighbour discovery), check their addresses (RFC 4862, 5227), join a group (IGMP, MLD),
 * and exchange datagrams of all sizes, in fragments, and pings.
 *
 * A datagram may be lost, or refused with EAGAIN or ENOBUFS; what arrives is whole and right, afterwards all goes well, and
 * no mbuf is left anywhere.  faults_test.c does the like for TCP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/percore.h>

#include "eal.h"
#include "failpool.h"
#include "stack_on.h"
#include "unit/unit.h"

#define SECOND   UINT64_C(1000000000)
#define BEGIN    (10000 * SECOND)
#define TURN_NS  5000000
#define LARGEST  20000
#define READY_NS (10 * SECOND) /* addresses are checked, groups joined */
#define FOREVER  UINT64_MAX
#define MBUFS    1023
#define ROUNDS   2

static const uint32_t sizes[] = {0, 100, 1472, 1473, 9000, LARGEST};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct world {
	bool ip6;
	int subject;
	uint64_t now;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	int fd[2];
	unsigned arrived[2]; /* bit for each size */
	unsigned wrong;
};

static struct rte_mempool *subject_pool, *other_pool, *wire_pool;
static unsigned runs;

static socklen_t address(const struct world *w, int side, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (w->ip6) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)to;

		a->sin6_family = AF_INET6;
		a->sin6_port = htons(7);
		inet_pton(AF_INET6, side == 0 ? "fd00::1" : "fd00::2", &a->sin6_addr);
		return sizeof(*a);
	}
	struct sockaddr_in *a = (struct sockaddr_in *)to;

	a->sin_family = AF_INET;
	a->sin_port = htons(7);
	inet_pton(AF_INET, side == 0 ? "10.0.0.1" : "10.0.0.2", &a->sin_addr);
	return sizeof(*a);
}

/* ---- making and ending ------------------------------------------------------------------------ */

static void join(struct world *w, int side)
{
	struct ip_mreqn four = {.imr_multiaddr.s_addr = htonl(0xe9010203)};
	struct ipv6_mreq six = {.ipv6mr_interface = 0};

	inet_pton(AF_INET6, "ff05::1:2", &six.ipv6mr_multiaddr);
	if (w->ip6)
		(void)pc_setsockopt(w->st[side], w->fd[side], IPPROTO_IPV6, IPV6_JOIN_GROUP, &six,
		                    sizeof(six));
	else
		(void)pc_setsockopt(w->st[side], w->fd[side], IPPROTO_IP, IP_ADD_MEMBERSHIP, &four,
		                    sizeof(four));
}

static void open_side(struct world *w, int side)
{
	static const char *const prefix[2][2] = {{"10.0.0.1/24", "10.0.0.2/24"},
	                                         {"fd00::1/64", "fd00::2/64"}};
	struct pc_stack_config cfg;

	pc_stack_config_init(&cfg);
	cfg.stack_seed = 1 + (uint64_t)side;
	cfg.stack_max_connections = 8;
	cfg.stack_max_udp_sockets = 4;
	cfg.arp_probes = 2;
	w->st[side] = stack_on(&cfg, side == w->subject ? subject_pool : other_pool, w->port[side],
	                       prefix[w->ip6][side]);
}

static void open_world(struct world *w)
{
	struct pc_wire_config wc = {.pool = wire_pool};

	if (pc_port_wire(&wc, w->port) != 0)
		abort();
	for (int side = 0; side < 2; side++)
		open_side(w, side);
}

static void bind_both(struct world *w)
{
	for (int side = 0; side < 2; side++) {
		struct sockaddr_storage a;
		const socklen_t len = address(w, side, &a);

		w->fd[side] = pc_socket(w->st[side], a.ss_family, SOCK_DGRAM, 0);
		if (w->fd[side] < 0 ||
		    pc_bind(w->st[side], w->fd[side], (struct sockaddr *)&a, len) != 0)
			w->wrong++;
		join(w, side);
	}
}

static void close_world(struct world *w)
{
	for (int side = 0; side < 2; side++)
		pc_stack_destroy(w->st[side]);
	for (int side = 0; side < 2; side++)
		pc_port_close(w->port[side]);
	w->wrong += eal_in_use(subject_pool) + eal_in_use(other_pool) + eal_in_use(wire_pool) != 0;
}

/* ---- datagrams -------------------------------------------------------------------------------- */

static uint8_t pattern(uint32_t size, uint32_t at)
{
	return (uint8_t)(at * 31 + size);
}

static void take_datagrams(struct world *w, int side)
{
	static uint8_t buf[LARGEST + 1];
	ssize_t n;

	while ((n = pc_recv(w->st[side], w->fd[side], buf, sizeof(buf), 0)) >= 0) {
		unsigned i = 0;

		while (i < SIZES && sizes[i] != (uint32_t)n)
			i++;
		w->wrong += i == SIZES;
		for (uint32_t at = 0; at < (uint32_t)n; at++)
			w->wrong += buf[at] != pattern((uint32_t)n, at);
		w->arrived[side] |= 1u << i;
	}
}

static void pass(struct world *w, uint64_t span_ns)
{
	for (const uint64_t end = w->now + span_ns; w->now < end; w->now += TURN_NS)
		for (int side = 0; side < 2; side++) {
			pc_stack_poll(w->st[side], w->now);
			if (w->fd[side] > 0)
				take_datagrams(w, side);
			pc_stack_flush(w->st[side], w->now);
		}
	for (int side = 0; side < 2; side++)
		w->wrong += pc_stack_validate(w->st[side], stderr) != 0;
}

static void send_one(struct world *w, int side, uint32_t size)
{
	static uint8_t buf[LARGEST];
	struct sockaddr_storage a;
	const socklen_t len = address(w, !side, &a);

	for (uint32_t at = 0; at < size; at++)
		buf[at] = pattern(size, at);
	if (pc_sendto(w->st[side], w->fd[side], buf, size, 0, (struct sockaddr *)&a, len) !=
	    (ssize_t)size)
		w->wrong += errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM &&
		            errno != EHOSTUNREACH && errno != ENETUNREACH;
}

/* every size in both directions, one after the other */
static void exchange(struct world *w)
{
	w->arrived[0] = w->arrived[1] = 0;
	for (unsigned i = 0; i < SIZES; i++)
		for (int side = 0; side < 2; side++) {
			send_one(w, side, sizes[i]);
			pass(w, 2 * TURN_NS);
		}
	pass(w, SECOND);
}

/* ---- runs ------------------------------------------------------------------------------------- */

/* Runs with allocation number first and n - 1 more failing; returns how many there were. */
static uint64_t run(bool ip6, int subject, uint64_t first, uint64_t n)
{
	struct world w = {.ip6 = ip6, .subject = subject, .now = BEGIN};
	uint64_t taken;

	runs++;
	failpool_set(subject_pool, first, n);
	open_world(&w);
	pass(&w, READY_NS);
	bind_both(&w);
	for (unsigned i = 0; i < ROUNDS; i++)
		exchange(&w);
	taken = failpool_taken(subject_pool);
	failpool_heal(subject_pool);
	/* what is left in the reassembly of lost fragments goes, and neighbours are asked again */
	pass(&w, 70 * SECOND);
	exchange(&w);
	exchange(&w);
	if (w.wrong != 0 || w.arrived[0] != (1u << SIZES) - 1 || w.arrived[1] != w.arrived[0]) {
		fprintf(stderr,
		        "\nIPv%d, side %d, mbuf %" PRIu64 " and %" PRIu64
		        " more: %u wrong, %x and %x\n",
		        ip6 ? 6 : 4, subject, first, n - 1, w.wrong, w.arrived[0], w.arrived[1]);
		CU_FAIL("a run with a fault");
	}
	close_world(&w);
	CU_ASSERT_EQUAL(w.wrong, 0);
	return taken;
}

static uint64_t runs_each = 60;

static void each_of(bool ip6)
{
	for (int subject = 0; subject < 2; subject++) {
		const uint64_t taken = run(ip6, subject, 0, 0);
		const uint64_t step = taken / runs_each > 0 ? taken / runs_each : 1;

		for (uint64_t n = 1; n <= taken; n += step) {
			run(ip6, subject, n, 1);
			run(ip6, subject, n, FOREVER);
		}
		printf("%" PRIu64 " ", taken);
	}
}

static void ip4(void)
{
	each_of(false);
}

static void ip6(void)
{
	each_of(true);
}

int main(int argc, char **argv)
{
	static const struct unit_case cases[] = {
	    {"datagrams, fragments, ARP and IGMP", ip4},
	    {"datagrams, fragments, ND and MLD", ip6},
	};
	int status;

	if (argc > 2 && strcmp(argv[1], "--runs") == 0)
		runs_each = strtoull(argv[2], NULL, 10);
	eal_start();
	subject_pool = failpool_make("subject", MBUFS);
	other_pool = eal_pool("other", 2047);
	wire_pool = eal_pool("wire", 4095);
	status = unit_run("faults_udp", cases, sizeof(cases) / sizeof(cases[0]));
	printf("%u runs\n", runs);
	return status;
}
