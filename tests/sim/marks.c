/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: what a sender learns about congestion marks if most of the receiver's acknowledgements
 * are lost (RFC 9768). A client stack sends all the time to a server stack. Now and then,
 * everything is marked for a while, so that eight or more marks fall between two acknowledgements
 * that arrive, and the ACE field wraps unnoticed. The option with byte counters tells how often: at
 * the end, when everything has been acknowledged, the sender must know of as many marks as there
 * were.
 *
 * Everything follows from the seed; `marks FIRST [LAST]` runs some.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <rte_mempool.h>

#include <percore/percore.h>

#include "eal.h"
#include "seeds.h"
#include "totals.h"

#define MS        UINT64_C(1000000)
#define BEGIN_NS  (1000 * MS)
#define LOSSY_NS  (BEGIN_NS + 5000 * MS)
#define END_NS    (LOSSY_NS + 120000 * MS) /* at the latest, since time-outs have grown */
#define PERIOD_NS (250 * MS)
#define MARKED_NS (12 * MS) /* at the end of each period */
#define PORT      5000
#define SEEDS     100
#define WANTED    200 /* marks; a run with fewer shows little */

enum { CLIENT, SERVER };

struct run {
	uint64_t seed, now;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	struct pc_fault_config fault[2];
	int lfd, cfd, sfd;
};

static bool wrong(const struct run *r, const char *what)
{
	fprintf(stderr, "marks: seed %llu: %s\n", (unsigned long long)r->seed, what);
	return false;
}

static bool open_side(struct run *r, int side, struct pc_port *wire, struct rte_mempool *pool)
{
	struct pc_fault_config *f = &r->fault[side];
	struct pc_stack_config cfg;
	struct pc_prefix addr;

	*f = (struct pc_fault_config){.seed = 2 * r->seed + (uint64_t)side + 1,
	                              .pool = pool,
	                              .queue = 4096,
	                              .rate_bps = 100000000,
	                              .delay_ns = (1 + r->seed % 10) * MS};
	pc_stack_config_init(&cfg);
	cfg.stack_seed = 2 * r->seed + (uint64_t)side + 1;
	cfg.stack_max_connections = 8;
	cfg.stack_max_listeners = cfg.stack_max_udp_sockets = 2;
	cfg.arp_entries = cfg.tcp_syn_cache = cfg.tcp_time_wait = 16;
	cfg.tcp_timestamps = r->seed % 2;
	cfg.tcp_sack = r->seed / 2 % 2;
	cfg.tcp_congestion = r->seed / 4 % 2; /* Reno, CUBIC */
	cfg.tcp_ecn = 3;
	r->port[side] = pc_port_fault(wire, f);
	r->st[side] = pc_stack_create(&cfg, pool);
	pc_prefix_parse(side == CLIENT ? "10.0.0.1/24" : "10.0.0.2/24", &addr);
	return r->port[side] != NULL && r->st[side] != NULL &&
	       pc_stack_add_port(r->st[side], r->port[side]) == 0 &&
	       pc_stack_add_addr(r->st[side], 0, &addr) == 0;
}

static bool open_flow(struct run *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	r->lfd = pc_socket(r->st[SERVER], AF_INET, SOCK_STREAM, 0);
	r->cfd = pc_socket(r->st[CLIENT], AF_INET, SOCK_STREAM, 0);
	if (pc_bind(r->st[SERVER], r->lfd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pc_listen(r->st[SERVER], r->lfd, 1) != 0)
		return false;
	a.sin_addr.s_addr = inet_addr("10.0.0.2");
	return pc_connect(r->st[CLIENT], r->cfd, (struct sockaddr *)&a, sizeof(a)) == -1 &&
	       errno == EINPROGRESS;
}

static bool app(struct run *r)
{
	static uint8_t buf[65536];
	bool any = false;

	while (r->now < LOSSY_NS && pc_send(r->st[CLIENT], r->cfd, buf, sizeof(buf), 0) > 0)
		any = true;
	if (r->sfd <= 0)
		r->sfd = pc_accept(r->st[SERVER], r->lfd, NULL, NULL);
	while (r->sfd > 0 && pc_recv(r->st[SERVER], r->sfd, buf, sizeof(buf), 0) > 0)
		any = true;
	return any;
}

/* sets the faults for the present time; returns when they change */
static uint64_t weather(struct run *r)
{
	const uint64_t in_period = (r->now - BEGIN_NS) % PERIOD_NS;
	const bool marks = in_period >= PERIOD_NS - MARKED_NS, lossy = r->now < LOSSY_NS;

	r->fault[SERVER].mark_ppm = marks && lossy ? 900000 : 0;
	/* not in the handshake: retransmitted SYNs lack the option */
	r->fault[CLIENT].ack_loss_ppm = lossy && r->sfd > 0 && r->now > BEGIN_NS + PERIOD_NS / 2
	                                    ? (uint32_t)(r->seed % 5 * 200000)
	                                    : 0;
	for (int i = 0; i < 2; i++)
		pc_port_fault_set(r->port[i], &r->fault[i]);
	return r->now - in_period + (marks ? PERIOD_NS : PERIOD_NS - MARKED_NS);
}

static void turn(struct run *r)
{
	uint64_t next = weather(r);
	unsigned frames = 0;
	bool did;

	for (int i = 0; i < 2; i++)
		frames += pc_stack_poll(r->st[i], r->now);
	did = app(r);
	for (int i = 0; i < 2; i++)
		pc_stack_flush(r->st[i], r->now);
	if (frames > 0 || did)
		return;
	for (int i = 0; i < 2; i++) {
		next = RTE_MIN(next, pc_stack_next_deadline(r->st[i]));
		next = RTE_MIN(next, r->port[i]->ops->next_deadline(r->port[i]));
	}
	r->now = RTE_MAX(next, r->now + 1000);
}

static bool judge(const struct run *r)
{
	const uint64_t came = pc_stack_counters(r->st[SERVER])->value[PC_TCP_ECN_MARKED];
	uint8_t info[TOTALS_ROOM];
	socklen_t len = sizeof(info);
	uint32_t told;
	char what[80];

	for (int i = 0; i < 2; i++)
		if (pc_stack_validate(r->st[i], stderr) != 0)
			return wrong(r, "a structure is broken");
	if (pc_getsockopt(r->st[CLIENT], r->cfd, IPPROTO_TCP, TCP_INFO, info, &len) != 0)
		return wrong(r, "the connection has ended");
	told = totals_read(info, len).delivered_ce;
	snprintf(what, sizeof(what), "%llu packets came marked, and the sender knows of %u",
	         (unsigned long long)came, told);
	return (came == told && came >= WANTED) || wrong(r, what);
}

static bool is_done(const struct run *r)
{
	int queued = 0;

	return r->now >= LOSSY_NS && pc_ioctl(r->st[CLIENT], r->cfd, SIOCOUTQ, &queued) == 0 &&
	       queued == 0;
}

static bool run_seed(uint64_t seed, struct rte_mempool *pool)
{
	struct run r = {.seed = seed, .now = BEGIN_NS};
	struct pc_wire_config wc = {.pool = pool};
	struct pc_port *wire[2];
	bool ok = pc_port_wire(&wc, wire) == 0 && open_side(&r, CLIENT, wire[CLIENT], pool) &&
	          open_side(&r, SERVER, wire[SERVER], pool) && open_flow(&r);

	if (!ok)
		return wrong(&r, "no stack");
	while (r.now < END_NS && !is_done(&r))
		turn(&r);
	ok = judge(&r);
	for (int i = 0; i < 2; i++) {
		pc_stack_destroy(r.st[i]);
		pc_port_close(r.port[i]);
	}
	if (eal_in_use(pool) != 0)
		return wrong(&r, "mbufs are left");
	return ok;
}

int main(int argc, char **argv)
{
	return seeds_main(argc, argv, SEEDS, 16383, run_seed);
}
