/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: simultaneous open between two stacks (RFC 9293 section 3.5, figure 8; MUST-10). Both
 * bind a port and connect to the other's at the same time; there is no listener. Each sends a
 * stream, reads the other's to its end, and closes. Over a path without loss both must have been in
 * SYN-RECEIVED; over others, whichever SYN or SYN-ACK is lost, duplicated or late, there must be
 * one connection, with every byte once and in order, and nothing left.
 *
 * Everything follows from the seed; `cross FIRST [LAST]` runs some.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mempool.h>

#include <percore/percore.h>

#include "eal.h"
#include "seeds.h"
#include "stack_on.h"

#define SECOND_NS 1000000000ull
#define PORT      5000
#define BYTES     20000u
#define SEEDS     300

struct side {
	struct pc_stack *st;
	struct pc_port *port;
	int fd;
	uint32_t sent, rcvd;
	bool shut, ended, closed, crossed;
};

struct run {
	uint64_t seed, now;
	struct side side[2];
	bool clean;
};

static const char *const addresses[2] = {"10.0.0.1", "10.0.0.2"};

static bool wrong(const struct run *r, const char *what)
{
	fprintf(stderr, "cross: seed %llu, after %llu ms: %s\n", (unsigned long long)r->seed,
	        (unsigned long long)(r->now - SECOND_NS) / 1000000, what);
	return false;
}

static uint8_t byte_of(int side, uint32_t n)
{
	return (uint8_t)(n * 2654435761u >> 16 ^ n ^ (uint32_t)side * 85u);
}

/* three kinds of paths: without loss; with loss; with loss, duplicates and reordering */
static struct pc_fault_config faults(const struct run *r, int side, struct rte_mempool *pool)
{
	struct pc_fault_config f = {.seed = 2 * r->seed + (uint64_t)side + 1, .pool = pool};

	f.queue = 256;
	f.delay_ns = (1 + r->seed * 7919 % 80) * 1000000;
	if (r->clean)
		return f;
	f.rx_loss_ppm = 250000;
	if (r->seed % 3 == 2) {
		f.duplicate_ppm = 200000;
		f.reorder_ppm = 300000;
		f.reorder_delay_ns = 30000000;
	}
	return f;
}

static bool open_side(struct run *r, int side, struct pc_port *wire, struct rte_mempool *pool)
{
	struct side *s = &r->side[side];
	struct pc_fault_config f = faults(r, side, pool);
	struct pc_stack_config cfg;
	char text[32];

	pc_stack_config_init(&cfg);
	cfg.stack_seed = 2 * r->seed + (uint64_t)side + 1;
	cfg.stack_max_connections = 8;
	cfg.stack_max_listeners = cfg.stack_max_udp_sockets = 2;
	cfg.arp_entries = cfg.tcp_syn_cache = cfg.tcp_time_wait = 16;
	cfg.tcp_timestamps = r->seed % 2;
	cfg.tcp_syn_retries = cfg.tcp_synack_retries = 20;
	s->port = pc_port_fault(wire, &f);
	if (s->port == NULL)
		return false;
	snprintf(text, sizeof(text), "%s/24", addresses[side]);
	s->st = stack_on(&cfg, pool, s->port, text);
	return true;
}

static struct sockaddr_in address(int side)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	a.sin_addr.s_addr = inet_addr(addresses[side]);
	return a;
}

static bool connect_side(struct run *r, int side)
{
	const struct sockaddr_in own = address(side), other = address(!side);
	struct side *s = &r->side[side];

	s->fd = pc_socket(s->st, AF_INET, SOCK_STREAM, 0);
	return pc_bind(s->st, s->fd, (const struct sockaddr *)&own, sizeof(own)) == 0 &&
	       pc_connect(s->st, s->fd, (const struct sockaddr *)&other, sizeof(other)) == -1 &&
	       errno == EINPROGRESS;
}

/* ---- the applications ------------------------------------------------------------------------ */

static bool writes(struct side *s, int side)
{
	uint8_t buf[3000];
	ssize_t n;

	if (s->shut)
		return false;
	if (s->sent == BYTES) {
		s->shut = pc_shutdown(s->st, s->fd, SHUT_WR) == 0;
		return s->shut;
	}
	for (uint32_t i = 0; i < sizeof(buf); i++)
		buf[i] = byte_of(side, s->sent + i);
	n = pc_send(s->st, s->fd, buf, RTE_MIN((size_t)(BYTES - s->sent), sizeof(buf)), 0);
	s->sent += n > 0 ? (uint32_t)n : 0;
	return n > 0;
}

/* 1: some data was read; 0: none; -1: it was not what had been sent */
static int reads(struct side *s, int side)
{
	uint8_t buf[4000];
	ssize_t n;

	if (s->ended)
		return 0;
	n = pc_recv(s->st, s->fd, buf, sizeof(buf), 0);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != byte_of(!side, s->rcvd++))
			return -1;
	s->ended = n == 0;
	return n > 0 || s->rcvd == BYTES ? 1 : -1;
}

static uint8_t state_of(const struct side *s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return pc_getsockopt(s->st, s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0
	           ? info.tcpi_state
	           : 0;
}

/* 1: there was something to do; 0: there was not; -1: an error */
static int app(struct side *s, int side)
{
	bool any = false;
	int n;

	if (s->closed)
		return 0;
	s->crossed |= state_of(s) == TCP_SYN_RECV;
	while (writes(s, side))
		any = true;
	while ((n = reads(s, side)) > 0)
		any = true;
	if (n == 0 && s->shut && s->ended) {
		s->closed = pc_close(s->st, s->fd) == 0;
		return 1;
	}
	return n < 0 ? -1 : any;
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t next_event(const struct run *r)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < 2; i++) {
		const struct side *s = &r->side[i];

		next = RTE_MIN(next, pc_stack_next_deadline(s->st));
		next = RTE_MIN(next, s->port->ops->next_deadline(s->port));
	}
	return next;
}

static bool turn(struct run *r)
{
	unsigned frames = 0;
	bool did = false;

	for (int i = 0; i < 2; i++)
		frames += pc_stack_poll(r->side[i].st, r->now);
	for (int i = 0; i < 2; i++) {
		const int n = app(&r->side[i], i);

		if (n < 0)
			return wrong(r, "the stream was broken");
		did |= n > 0;
	}
	for (int i = 0; i < 2; i++)
		pc_stack_flush(r->side[i].st, r->now);
	if (frames == 0 && !did)
		r->now = RTE_MAX(next_event(r), r->now + 1000);
	return true;
}

static bool is_over(const struct run *r)
{
	for (int i = 0; i < 2; i++) {
		struct pc_stack_usage u;

		pc_stack_get_usage(r->side[i].st, &u);
		if (!r->side[i].closed || u.connections > 0)
			return false;
	}
	return true;
}

static bool judge(const struct run *r)
{
	for (int i = 0; i < 2; i++) {
		const struct side *s = &r->side[i];

		if (s->rcvd != BYTES)
			return wrong(r, "bytes are missing");
		if (r->clean && !s->crossed)
			return wrong(r, "the SYNs have not crossed");
		if (pc_stack_counters(s->st)->value[PC_TCP_OPENED_ACTIVE] != 1)
			return wrong(r, "not one active open");
		if (pc_stack_validate(s->st, stderr) != 0)
			return wrong(r, "a structure is broken");
	}
	return true;
}

static bool run_seed(uint64_t seed, struct rte_mempool *pool)
{
	struct run r = {.seed = seed, .now = SECOND_NS, .clean = seed % 3 == 0};
	struct pc_wire_config wc = {.pool = pool};
	struct pc_port *wire[2];
	bool ok = pc_port_wire(&wc, wire) == 0 && open_side(&r, 0, wire[0], pool) &&
	          open_side(&r, 1, wire[1], pool);

	if (!ok)
		return wrong(&r, "no stack");
	for (int i = 0; i < 2; i++) {
		pc_stack_poll(r.side[i].st, r.now);
		ok = ok && connect_side(&r, i);
		pc_stack_flush(r.side[i].st, r.now);
	}
	while (ok && !is_over(&r)) {
		ok = turn(&r);
		if (ok && r.now > 3600 * SECOND_NS)
			ok = wrong(&r, "it does not end");
	}
	ok = ok && judge(&r);
	for (int i = 0; i < 2; i++) {
		pc_stack_destroy(r.side[i].st);
		pc_port_close(r.side[i].port);
	}
	if (eal_in_use(pool) != 0)
		return wrong(&r, "mbufs are left");
	return ok;
}

int main(int argc, char **argv)
{
	return seeds_main(argc, argv, SEEDS, 4095, run_seed);
}
