/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: what one connection brings over a bad path, as a table of virtual time.
 *
 * A client stack sends without end to a server stack for five seconds; the path has a bottleneck of
 * 50 Mbit/s with a queue of one bandwidth-delay product (at least 32 frames).  Everything is drawn
 * from fixed seeds and the clock is virtual, so the table is the same everywhere, and a change of it
 * is a change of the protocol.  Without an argument the table is printed; with a file it is compared.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mempool.h>

#include <percore/percore.h>

#include "eal.h"

#define RATE_BPS  50000000ull
#define SECOND_NS 1000000000ull
#define DURATION  (5 * SECOND_NS)
#define BUFFER    (4u << 20)

enum { CLIENT, SERVER };

struct path {
	const char *name; /* of the algorithm */
	uint32_t rtt_ms, loss_ppm;
	bool marks; /* the bottleneck marks instead of dropping, when it can */
};

struct run {
	uint64_t now, received;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	struct pc_fault_stats stats;
	int lfd, cfd, sfd;
};

static void die(const char *what)
{
	fprintf(stderr, "goodput: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_side(struct run *r, int side, const struct path *p, struct pc_port *wire,
                      struct rte_mempool *pool)
{
	uint32_t bdp = (uint32_t)(RATE_BPS / 8 * p->rtt_ms / 1000 / 1514);
	struct pc_fault_config f = {.seed = 7 + (uint64_t)side, .pool = pool};
	struct pc_stack_config cfg;
	struct pc_prefix addr;

	f.delay_ns = p->rtt_ms * 500000ull;
	f.queue = 4096;
	if (side == SERVER) {
		f.rate_bps = RATE_BPS;
		f.rx_loss_ppm = p->loss_ppm;
		/* the frames that are on their way are held, too */
		f.queue = bdp / 2 + RTE_MAX(bdp, 32u);
		f.mark_ns = p->marks ? RTE_MAX(p->rtt_ms * 200000ull, 1000000ull) : 0;
	}
	pc_stack_config_init(&cfg);
	cfg.stack_seed = 1 + (uint64_t)side;
	cfg.stack_max_connections = 8;
	cfg.stack_max_listeners = 2;
	cfg.stack_max_udp_sockets = 2;
	cfg.arp_entries = 16;
	cfg.tcp_syn_cache = cfg.tcp_time_wait = 16;
	cfg.tcp_sndbuf = cfg.tcp_rcvbuf = BUFFER;
	cfg.tcp_ecn = p->marks ? 1 : 2;
	r->port[side] = pc_port_fault(wire, &f);
	r->st[side] = pc_stack_create(&cfg, pool);
	if (r->port[side] == NULL || r->st[side] == NULL)
		die("stack");
	pc_prefix_parse(side == CLIENT ? "10.0.0.1/24" : "10.0.0.2/24", &addr);
	if (pc_stack_add_port(r->st[side], r->port[side]) != 0 ||
	    pc_stack_add_addr(r->st[side], 0, &addr) != 0)
		die("address");
}

static void begin(struct run *r, const struct path *p, struct rte_mempool *pool)
{
	struct pc_wire_config wc = {.pool = pool};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct pc_port *wire[2];

	*r = (struct run){.now = SECOND_NS};
	if (pc_port_wire(&wc, wire) != 0)
		die("wire");
	for (int side = 0; side < 2; side++)
		open_side(r, side, p, wire[side], pool);
	r->lfd = pc_socket(r->st[SERVER], AF_INET, SOCK_STREAM, 0);
	r->cfd = pc_socket(r->st[CLIENT], AF_INET, SOCK_STREAM, 0);
	if (pc_setsockopt(r->st[SERVER], r->lfd, IPPROTO_TCP, TCP_CONGESTION, p->name,
	                  (socklen_t)strlen(p->name)) != 0 ||
	    pc_setsockopt(r->st[CLIENT], r->cfd, IPPROTO_TCP, TCP_CONGESTION, p->name,
	                  (socklen_t)strlen(p->name)) != 0)
		die(p->name);
	if (pc_bind(r->st[SERVER], r->lfd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pc_listen(r->st[SERVER], r->lfd, 1) != 0)
		die("listen");
	a.sin_addr.s_addr = inet_addr("10.0.0.2");
	pc_connect(r->st[CLIENT], r->cfd, (struct sockaddr *)&a, sizeof(a));
}

static void end(struct run *r)
{
	pc_port_fault_stats(r->port[SERVER], &r->stats);
	for (int side = 0; side < 2; side++) {
		pc_stack_destroy(r->st[side]);
		pc_port_close(r->port[side]);
	}
}

/* the applications: write what fits, read what is there; returns whether anything was done */
static bool apps(struct run *r)
{
	static uint8_t buf[65536];
	bool any = false;
	ssize_t n;

	while (pc_send(r->st[CLIENT], r->cfd, buf, sizeof(buf), 0) > 0)
		any = true;
	if (r->sfd <= 0)
		r->sfd = pc_accept(r->st[SERVER], r->lfd, NULL, NULL);
	while (r->sfd > 0 && (n = pc_recv(r->st[SERVER], r->sfd, buf, sizeof(buf), 0)) > 0) {
		r->received += (uint64_t)n;
		any = true;
	}
	return any;
}

static uint64_t next_event(const struct run *r)
{
	uint64_t next = UINT64_MAX;

	for (int side = 0; side < 2; side++) {
		next = RTE_MIN(next, pc_stack_next_deadline(r->st[side]));
		next = RTE_MIN(next, r->port[side]->ops->next_deadline(r->port[side]));
	}
	return next;
}

/* Mbit/s of payload in five seconds, in hundredths */
static unsigned goodput(const struct path *p, struct rte_mempool *pool, struct run *r)
{
	const uint64_t stop = SECOND_NS + DURATION;

	begin(r, p, pool);
	while (r->now < stop) {
		unsigned frames = 0;
		bool did;

		for (int side = 0; side < 2; side++)
			frames += pc_stack_poll(r->st[side], r->now);
		did = apps(r);
		for (int side = 0; side < 2; side++)
			pc_stack_flush(r->st[side], r->now);
		if (frames == 0 && !did)
			r->now = RTE_MAX(next_event(r), r->now + 1000);
	}
	end(r);
	return (unsigned)(r->received * 8 / (DURATION / SECOND_NS) / 10000);
}

static const char *const algorithms[] = {"reno", "cubic", "dctcp"};
static const uint32_t rtts[] = {10, 50, 200};
static const uint32_t losses[] = {0, 1000, 10000, 30000};

static void print_table(FILE *out, struct rte_mempool *pool)
{
	struct run r;

	fprintf(
	    out,
	    "# Goodput of one connection in Mbit/s of virtual time, over five seconds: bottleneck\n"
	    "# 50 Mbit/s, queue of one bandwidth-delay product or 32 frames. `goodput` prints it\n"
	    "# anew. With marks the bottleneck marks packets (RFC 3168) that would wait longer\n"
	    "# than a fifth of the round trip, or 1 ms.\n"
	    "algorithm  RTT ms  marks  loss: 0     0.1%%      1%%      3%%\n");
	for (size_t m = 0; m < 2; m++) {
		/* without marks DCTCP is Reno */
		for (size_t a = 0; a < RTE_DIM(algorithms) - 1 + m; a++) {
			for (size_t t = 0; t < RTE_DIM(rtts); t++) {
				fprintf(out, "%-9s  %6u  %-5s", algorithms[a], rtts[t],
				        m ? "yes" : "no");
				for (size_t l = 0; l < (m ? 1 : RTE_DIM(losses)); l++) {
					struct path p = {algorithms[a], rtts[t], losses[l], m != 0};
					unsigned g = goodput(&p, pool, &r);

					fprintf(out, " %5u.%02u", g / 100, g % 100);
				}
				fprintf(out, "\n");
			}
		}
	}
}

static int compare(FILE *made, const char *path)
{
	FILE *want = fopen(path, "r");
	char a[200], b[200];
	int differ = 0;

	if (want == NULL)
		die(path);
	rewind(made);
	for (;;) {
		char *x = fgets(a, sizeof(a), made), *y = fgets(b, sizeof(b), want);

		if (x == NULL && y == NULL)
			break;
		if (x != NULL && y != NULL && strcmp(x, y) == 0)
			continue;
		differ = 1;
		fprintf(stderr, "is   %smust %s", x != NULL ? x : "the end\n",
		        y != NULL ? y : "the end\n");
		if (x == NULL || y == NULL)
			break;
	}
	fclose(want);
	if (differ)
		fprintf(stderr,
		        "if the change is for the better: goodput > tests/sim/goodput.txt\n");
	return differ;
}

int main(int argc, char **argv)
{
	struct rte_mempool *pool;
	FILE *made;

	eal_start();
	pool = eal_pool("goodput", 16383);
	if (argc < 2) {
		print_table(stdout, pool);
		return 0;
	}
	made = tmpfile();
	if (made == NULL)
		die("tmpfile");
	print_table(made, pool);
	return compare(made, argv[1]);
}
