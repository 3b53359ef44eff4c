/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: two stacks that send to each other, on more connections than they have mbufs for. Each
 * fills its pool with unacknowledged data, and so has no mbufs to receive data, whose
 * acknowledgements the other one needs. The applications read everything that arrives and write as
 * much as they can. Every byte must arrive, within a time limit, and no connection may be given up.
 *
 * Frames are received into the stack's own pool, as from devices. Everything follows from the seed;
 * `shortage FIRST [LAST]` runs some.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mbuf.h>

#include <percore/percore.h>

#include "device.h"
#include "eal.h"
#include "seeds.h"

#define MS       UINT64_C(1000000)
#define BEGIN_NS (1000 * MS)
#define LIMIT_NS (120000 * MS)
#define STEP_NS  (2 * MS)
#define PORT     5000
#define CONNS    120 /* maximum */
#define MBUFS    1023
#define SEEDS    24

enum { CLIENT, SERVER };

struct run {
	uint64_t seed, now;
	unsigned conns, accepted;
	uint32_t total; /* bytes in each direction of each connection */
	uint64_t left;  /* of all connections together */
	struct pc_stack *st[2];
	struct pc_port *port[2];
	int lfd, fd[2][CONNS];
	uint32_t sent[2][CONNS], rcvd[2][CONNS];
};

static struct rte_mempool *pools[2];

static bool wrong(const struct run *r, const char *what)
{
	fprintf(stderr, "shortage: seed %llu: %s\n", (unsigned long long)r->seed, what);
	return false;
}

/* ---- stacks ---------------------------------------------------------------------------------- */

static bool open_side(struct run *r, int side, struct pc_port *wire, struct rte_mempool *pool)
{
	const struct pc_fault_config f = {.seed = 2 * r->seed + (uint64_t)side + 1,
	                                  .pool = pool,
	                                  .queue = 4096,
	                                  .delay_ns = (r->seed % 3) * 5 * MS,
	                                  .rx_loss_ppm = r->seed / 3 % 2 * 2000};
	struct pc_stack_config cfg;
	struct pc_prefix addr;

	pc_stack_config_init(&cfg);
	cfg.stack_seed = f.seed;
	cfg.stack_max_connections = CONNS + 8;
	cfg.stack_max_listeners = cfg.stack_max_udp_sockets = 2;
	cfg.stack_mbufs = MBUFS;
	cfg.arp_entries = 16;
	cfg.arp_hold = 64;
	cfg.tcp_syn_cache = cfg.tcp_time_wait = CONNS;
	cfg.tcp_sndbuf_min = 16384; /* more than there are mbufs for */
	cfg.tcp_sack = r->seed / 6 % 2;
	cfg.tcp_stash_from = r->seed / 12 % 2 ? 0 : cfg.tcp_stash_from;
	r->port[side] = device_on(pc_port_fault(wire, &f), pools[side]);
	r->st[side] = pc_stack_create(&cfg, pools[side]);
	pc_prefix_parse(side == CLIENT ? "10.0.0.1/24" : "10.0.0.2/24", &addr);
	return r->st[side] != NULL && pc_stack_add_port(r->st[side], r->port[side]) == 0 &&
	       pc_stack_add_addr(r->st[side], 0, &addr) == 0;
}

static bool open_flows(struct run *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	r->lfd = pc_socket(r->st[SERVER], AF_INET, SOCK_STREAM, 0);
	if (pc_bind(r->st[SERVER], r->lfd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pc_listen(r->st[SERVER], r->lfd, CONNS) != 0)
		return false;
	a.sin_addr.s_addr = inet_addr("10.0.0.2");
	for (unsigned i = 0; i < r->conns; i++) {
		r->fd[CLIENT][i] = pc_socket(r->st[CLIENT], AF_INET, SOCK_STREAM, 0);
		if (pc_connect(r->st[CLIENT], r->fd[CLIENT][i], (struct sockaddr *)&a, sizeof(a)) !=
		        -1 ||
		    errno != EINPROGRESS)
			return false;
	}
	return true;
}

static void turn(struct run *r, bool (*app)(struct run *r))
{
	uint64_t next = UINT64_MAX;
	bool did;

	for (int i = 0; i < 2; i++)
		(void)pc_stack_poll(r->st[i], r->now);
	did = app(r);
	for (int i = 0; i < 2; i++)
		pc_stack_flush(r->st[i], r->now);
	for (int i = 0; i < 2; i++)
		next = RTE_MIN(next, pc_stack_next_deadline(r->st[i]));
	r->now = did ? r->now + MS / 10 : RTE_MAX(next, r->now + STEP_NS);
}

/* ---- applications ---------------------------------------------------------------------------- */

static bool accept_all(struct run *r)
{
	int fd;

	while ((fd = pc_accept(r->st[SERVER], r->lfd, NULL, NULL)) >= 0)
		r->fd[SERVER][r->accepted++] = fd;
	return false;
}

static bool read_and_write(struct run *r, int side, unsigned i)
{
	static uint8_t buf[65536];
	const uint32_t left = r->total - r->sent[side][i];
	ssize_t in, out = 0;

	in = pc_recv(r->st[side], r->fd[side][i], buf, sizeof(buf), 0);
	if (left > 0)
		out = pc_send(r->st[side], r->fd[side][i], buf, left, MSG_NOSIGNAL);
	r->rcvd[side][i] += in > 0 ? (uint32_t)in : 0;
	r->left -= in > 0 ? (uint64_t)in : 0;
	r->sent[side][i] += out > 0 ? (uint32_t)out : 0;
	return in > 0 || out > 0;
}

static bool talk(struct run *r)
{
	bool any = false;

	for (int side = 0; side < 2; side++)
		for (unsigned i = 0; i < r->conns; i++)
			any = read_and_write(r, side, i) || any;
	return any;
}

/* ---- a run ----------------------------------------------------------------------------------- */

static bool judge(const struct run *r)
{
	char what[160];

	for (int i = 0; i < 2; i++)
		if (pc_stack_validate(r->st[i], stderr) != 0)
			return wrong(r, "a structure is broken");
	if (r->left == 0)
		return true;
	snprintf(what, sizeof(what), "%llu bytes of %u connections have not come",
	         (unsigned long long)r->left, r->conns);
	return wrong(r, what);
}

static bool run_seed(uint64_t seed, struct rte_mempool *pool)
{
	struct run r = {.seed = seed, .now = BEGIN_NS};
	struct pc_wire_config wc = {.pool = pool};
	struct pc_port *wire[2];
	bool ok;

	for (int i = 0; i < 2 && pools[i] == NULL; i++)
		pools[i] = eal_pool(i == CLIENT ? "client" : "server", MBUFS);
	r.conns = CONNS - (unsigned)(seed % 4) * 10;
	r.total = 20000 + (uint32_t)(seed % 5) * 5000;
	r.left = (uint64_t)2 * r.conns * r.total;
	ok = pc_port_wire(&wc, wire) == 0 && open_side(&r, CLIENT, wire[CLIENT], pool) &&
	     open_side(&r, SERVER, wire[SERVER], pool) && open_flows(&r);
	while (ok && r.accepted < r.conns && r.now < BEGIN_NS + LIMIT_NS)
		turn(&r, accept_all);
	if (!ok || r.accepted < r.conns)
		return wrong(&r, ok ? "handshakes are not complete" : "no connections");
	while (r.left > 0 && r.now < BEGIN_NS + LIMIT_NS)
		turn(&r, talk);
	ok = judge(&r);
	for (int i = 0; i < 2; i++) {
		pc_stack_destroy(r.st[i]);
		pc_port_close(r.port[i]);
	}
	if (eal_in_use(pool) + eal_in_use(pools[CLIENT]) + eal_in_use(pools[SERVER]) != 0)
		return wrong(&r, "mbufs are left");
	return ok;
}

int main(int argc, char **argv)
{
	return seeds_main(argc, argv, SEEDS, 8191, run_seed);
}
