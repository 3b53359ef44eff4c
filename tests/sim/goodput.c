/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: the goodput of one connection over a bad path, and of two that share it, as tables in
 * virtual time.
 *
 * A client stack sends endlessly to a server stack; the path has a bottleneck with a queue of one
 * bandwidth-delay product (at least 32 frames). Everything is drawn from fixed seeds and the clock
 * is virtual, so the tables are the same everywhere, and a change in them is a change in the
 * protocol. Without an argument they are printed; with a file they are compared. To examine a cell,
 * `goodput reno 50 50 10000 30 20` prints it for 20 seeds of 30 s: Mbit/s, ms, losses per million.
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
#include "stack_on.h"

#define SECOND_NS 1000000000ull
#define BUFFER    (4u << 20)
#define FLOWS     2

enum { CLIENT, SERVER };

struct path {
	const char *name[FLOWS]; /* of the algorithm of each connection; NULL: no connection */
	uint32_t mbit, rtt_ms, loss_ppm;
	bool no_sack;
	bool marks;           /* the bottleneck marks instead of dropping, if it can */
	uint32_t seed;        /* of the losses */
	uint32_t doze_us;     /* the stacks wake up to this much late */
	uint64_t late_ns;     /* when the second connection begins */
	uint64_t from_ns;     /* when the counting of bytes begins */
	uint64_t duration_ns; /* ... and how long it lasts */
};

struct flow {
	int cfd, sfd;
	uint64_t received;
};

struct run {
	uint64_t now, begun;
	uint32_t random; /* for the wake-up delays; never 0 */
	struct pc_stack *st[2];
	struct pc_port *port[2];
	struct flow flow[FLOWS];
	int lfd[FLOWS];
};

static void die(const char *what)
{
	fprintf(stderr, "goodput: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* a fifth of the round trip, but at least three full frames, which are not yet a queue */
static uint64_t mark_after(const struct path *p)
{
	return RTE_MAX(p->rtt_ms * UINT64_C(200000), 3 * 1514 * 8 * UINT64_C(1000) / p->mbit);
}

static void open_side(struct run *r, int side, const struct path *p, struct pc_port *wire,
                      struct rte_mempool *pool)
{
	uint64_t rate_bps = p->mbit * UINT64_C(1000000);
	uint32_t bdp = (uint32_t)(rate_bps / 8 * p->rtt_ms / 1000 / 1514);
	struct pc_fault_config f = {.seed = 7 + UINT64_C(16) * p->seed + (uint64_t)side,
	                            .pool = pool};
	struct pc_stack_config cfg;

	f.delay_ns = p->rtt_ms * 500000ull;
	f.queue = 4096;
	if (side == SERVER) {
		f.rate_bps = rate_bps;
		f.rx_loss_ppm = p->loss_ppm;
		/* frames in flight are held, too */
		f.queue = bdp / 2 + RTE_MAX(bdp, 32u);
		if (p->marks)
			f.mark_ns = mark_after(p);
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
	cfg.tcp_sack = !p->no_sack;
	r->port[side] = pc_port_fault(wire, &f);
	if (r->port[side] == NULL)
		die("port");
	r->st[side] =
	    stack_on(&cfg, pool, r->port[side], side == CLIENT ? "10.0.0.1/24" : "10.0.0.2/24");
}

static void begin(struct run *r, const struct path *p, struct rte_mempool *pool)
{
	struct pc_wire_config wc = {.pool = pool};
	struct pc_port *wire[2];

	*r = (struct run){.now = SECOND_NS, .random = 1};
	if (pc_port_wire(&wc, wire) != 0)
		die("wire");
	for (int side = 0; side < 2; side++)
		open_side(r, side, p, wire[side], pool);
	r->begun = r->now;
}

/* each connection has its own listener, with its algorithm */
static void open_flow(struct run *r, unsigned i, const char *name)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(80 + i))};
	int lfd = r->lfd[i] = pc_socket(r->st[SERVER], AF_INET, SOCK_STREAM, 0);
	int cfd = r->flow[i].cfd = pc_socket(r->st[CLIENT], AF_INET, SOCK_STREAM, 0);
	socklen_t len = (socklen_t)strlen(name);

	if (pc_setsockopt(r->st[SERVER], lfd, IPPROTO_TCP, TCP_CONGESTION, name, len) != 0 ||
	    pc_setsockopt(r->st[CLIENT], cfd, IPPROTO_TCP, TCP_CONGESTION, name, len) != 0)
		die(name);
	if (pc_bind(r->st[SERVER], lfd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pc_listen(r->st[SERVER], lfd, 1) != 0)
		die("listen");
	a.sin_addr.s_addr = inet_addr("10.0.0.2");
	pc_connect(r->st[CLIENT], cfd, (struct sockaddr *)&a, sizeof(a));
}

static void end(struct run *r)
{
	for (int side = 0; side < 2; side++) {
		pc_stack_destroy(r->st[side]);
		pc_port_close(r->port[side]);
	}
}

/* an application: writes as much as possible, reads all data; returns whether there was anything */
static bool app(struct run *r, unsigned i, bool counts)
{
	static uint8_t buf[65536];
	struct flow *f = &r->flow[i];
	bool any = false;
	ssize_t n;

	while (pc_send(r->st[CLIENT], f->cfd, buf, sizeof(buf), 0) > 0)
		any = true;
	if (f->sfd <= 0)
		f->sfd = pc_accept(r->st[SERVER], r->lfd[i], NULL, NULL);
	while (f->sfd > 0 && (n = pc_recv(r->st[SERVER], f->sfd, buf, sizeof(buf), 0)) > 0) {
		f->received += counts ? (uint64_t)n : 0;
		any = true;
	}
	return any;
}

static bool apps(struct run *r, const struct path *p)
{
	bool counts = r->now >= r->begun + p->from_ns, any = false;

	for (unsigned i = 0; i < FLOWS && p->name[i] != NULL; i++) {
		if (r->flow[i].cfd == 0 && r->now >= r->begun + i * p->late_ns)
			open_flow(r, i, p->name[i]), any = true;
		if (r->flow[i].cfd != 0)
			any |= app(r, i, counts);
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

/* xorshift */
static uint64_t lateness_ns(struct run *r, const struct path *p)
{
	if (p->doze_us == 0)
		return 0;
	r->random ^= r->random << 13;
	r->random ^= r->random >> 17;
	r->random ^= r->random << 5;
	return r->random % (p->doze_us + 1) * UINT64_C(1000);
}

/* Mbit/s of payload of each connection, times 100 */
static void goodput(const struct path *p, struct rte_mempool *pool, unsigned out[FLOWS])
{
	struct run r;
	uint64_t stop;

	begin(&r, p, pool);
	stop = r.begun + p->from_ns + p->duration_ns;
	while (r.now < stop) {
		unsigned frames = 0;
		bool did;

		for (int side = 0; side < 2; side++)
			frames += pc_stack_poll(r.st[side], r.now);
		did = apps(&r, p);
		for (int side = 0; side < 2; side++)
			pc_stack_flush(r.st[side], r.now);
		if (frames == 0 && !did)
			r.now = RTE_MAX(next_event(&r), r.now + 1000) + lateness_ns(&r, p);
	}
	end(&r);
	for (unsigned i = 0; i < FLOWS; i++)
		out[i] = (unsigned)(r.flow[i].received * 8 / (p->duration_ns / SECOND_NS) / 10000);
}

static const char *const algorithms[] = {"reno", "cubic", "bbr", "dctcp"};
static const uint32_t rates[] = {5, 50, 200};
static const uint32_t rtts[] = {10, 50, 200};
static const uint32_t losses[] = {0, 1000, 10000, 30000};

static const struct {
	const char *name[FLOWS];
	uint32_t rtt_ms;
	bool marks;
} pairs[] = {
    {{"reno", "reno"}, 20, false},  {{"cubic", "cubic"}, 20, false}, {{"bbr", "bbr"}, 20, false},
    {{"cubic", "reno"}, 20, false}, {{"cubic", "bbr"}, 20, false},   {{"cubic", "bbr"}, 50, false},
    {{"cubic", "cubic"}, 20, true}, {{"dctcp", "dctcp"}, 20, true},
};

/* Jain's fairness index in thousandths; 1000: equal shares */
static unsigned jain(const unsigned x[FLOWS])
{
	uint64_t sum = (uint64_t)x[0] + x[1];
	uint64_t squares = (uint64_t)x[0] * x[0] + (uint64_t)x[1] * x[1];

	return squares == 0 ? 0 : (unsigned)(sum * sum * 1000 / (FLOWS * squares));
}

static void print_pairs(FILE *out, struct rte_mempool *pool)
{
	fprintf(
	    out,
	    "\n"
	    "# Two connections over the same bottleneck of 50 Mbit/s, without loss but that of its "
	    "queue; the\n"
	    "# second begins a second after the first. Mbit/s from the tenth to the thirtieth\n"
	    "# second, and Jain's index of fairness: 1 when both get the same, 0.5 when one gets\n"
	    "# all.\n"
	    "first  second  RTT ms  marks   first  second   Jain\n");
	for (size_t i = 0; i < RTE_DIM(pairs); i++) {
		struct path p = {.name = {pairs[i].name[0], pairs[i].name[1]},
		                 .mbit = 50,
		                 .rtt_ms = pairs[i].rtt_ms,
		                 .marks = pairs[i].marks,
		                 .late_ns = SECOND_NS,
		                 .from_ns = 10 * SECOND_NS,
		                 .duration_ns = 20 * SECOND_NS};
		unsigned x[FLOWS];

		goodput(&p, pool, x);
		fprintf(out, "%-5s  %-6s  %6u  %-5s  %3u.%02u  %4u.%02u  %u.%03u\n", p.name[0],
		        p.name[1], p.rtt_ms, p.marks ? "yes" : "no", x[0] / 100, x[0] % 100,
		        x[1] / 100, x[1] % 100, jain(x) / 1000, jain(x) % 1000);
	}
}

static void print_dozes(FILE *out, struct rte_mempool *pool)
{
	static const uint32_t dozes_ms[] = {0, 1, 2, 4, 8};

	fprintf(out, "\n"
	             "# One connection by BBR over 20 Mbit/s for five seconds; both stacks are "
	             "woken late, each\n"
	             "# time by up to so many ms.\n"
	             "RTT ms  loss   late: 0        1        2        4        8\n");
	for (uint32_t rtt_ms = 10; rtt_ms <= 50; rtt_ms += 40) {
		for (uint32_t loss_ppm = 0; loss_ppm <= 10000; loss_ppm += 10000) {
			fprintf(out, "%6u  %3u%%", rtt_ms, loss_ppm / 10000);
			for (size_t i = 0; i < RTE_DIM(dozes_ms); i++) {
				struct path p = {.name = {"bbr"},
				                 .mbit = 20,
				                 .rtt_ms = rtt_ms,
				                 .loss_ppm = loss_ppm,
				                 .doze_us = 1000 * dozes_ms[i],
				                 .duration_ns = 5 * SECOND_NS};
				unsigned g[FLOWS];

				goodput(&p, pool, g);
				fprintf(out, "  %4u.%02u", g[0] / 100, g[0] % 100);
			}
			fprintf(out, "\n");
		}
	}
}

static void print_no_sack(FILE *out, struct rte_mempool *pool)
{
	static const uint32_t paths[][2] = {{20, 10}, {20, 50}, {20, 200}, {100, 20}, {100, 50}};

	fprintf(out, "\n"
	             "# One connection without SACK for ten seconds, without loss but that of the "
	             "queue, where\n"
	             "# slow start ends.\n"
	             "algorithm  Mbit/s  RTT ms  goodput\n");
	for (size_t a = 0; a < 3; a++) {
		for (size_t i = 0; i < RTE_DIM(paths); i++) {
			struct path p = {.name = {algorithms[a]},
			                 .mbit = paths[i][0],
			                 .rtt_ms = paths[i][1],
			                 .no_sack = true,
			                 .duration_ns = 10 * SECOND_NS};
			unsigned g[FLOWS];

			goodput(&p, pool, g);
			fprintf(out, "%-9s  %6u  %6u  %4u.%02u\n", p.name[0], p.mbit, p.rtt_ms,
			        g[0] / 100, g[0] % 100);
		}
	}
}

static void print_row(FILE *out, struct rte_mempool *pool, struct path p)
{
	unsigned g[FLOWS];

	/* beyond that, more is in flight than the buffers hold; and fast paths are slow to
	 * simulate */
	if (p.mbit * p.rtt_ms > 50 * 200 || (p.mbit == 200 && (p.rtt_ms < 50 || p.marks)))
		return;
	p.duration_ns = 5 * SECOND_NS;
	fprintf(out, "%-9s  %6u  %6u  %-5s", p.name[0], p.mbit, p.rtt_ms, p.marks ? "yes" : "no");
	for (size_t l = 0; l < (p.marks ? 1 : RTE_DIM(losses)); l++) {
		p.loss_ppm = losses[l];
		goodput(&p, pool, g);
		fprintf(out, " %5u.%02u", g[0] / 100, g[0] % 100);
	}
	fprintf(out, "\n");
}

static void print_table(FILE *out, struct rte_mempool *pool)
{
	fprintf(
	    out,
	    "# Goodput of one connection in Mbit/s of virtual time, over five seconds: a\n"
	    "# bottleneck with a queue of one bandwidth-delay product or 32 frames. `goodput`\n"
	    "# prints it anew. With marks the bottleneck marks packets (RFC 3168) that would wait\n"
	    "# longer than a fifth of the round trip, or for three others.\n"
	    "algorithm  Mbit/s  RTT ms  marks  loss: 0     0.1%%      1%%      3%%\n");
	for (size_t m = 0; m < 2; m++) {
		/* without marks, DCTCP is Reno */
		for (size_t a = 0; a < RTE_DIM(algorithms) - 1 + m; a++)
			for (size_t r = 0; r < RTE_DIM(rates); r++)
				for (size_t t = 0; t < RTE_DIM(rtts); t++)
					print_row(out, pool,
					          (struct path){.name = {algorithms[a]},
					                        .mbit = rates[r],
					                        .rtt_ms = rtts[t],
					                        .marks = m != 0});
	}
}

/* ALGORITHM MBIT RTT_MS LOSS_PPM SECONDS SEEDS */
static int print_cell(char **arg, struct rte_mempool *pool)
{
	struct path p = {.name = {arg[0]},
	                 .mbit = (uint32_t)atoi(arg[1]),
	                 .rtt_ms = (uint32_t)atoi(arg[2]),
	                 .loss_ppm = (uint32_t)atoi(arg[3]),
	                 .duration_ns = (unsigned)atoi(arg[4]) * SECOND_NS};
	uint32_t seeds = (uint32_t)atoi(arg[5]);
	uint64_t sum = 0;
	unsigned g[FLOWS];

	for (p.seed = 0; p.seed < seeds; p.seed++) {
		goodput(&p, pool, g);
		sum += g[0];
	}
	printf("%.3f\n", (double)sum / seeds / 100);
	return 0;
}

static void print_all(FILE *out, struct rte_mempool *pool)
{
	print_table(out, pool);
	print_no_sack(out, pool);
	print_pairs(out, pool);
	print_dozes(out, pool);
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
	pool = eal_pool("goodput", 65535);
	if (argc == 7)
		return print_cell(argv + 1, pool);
	if (argc < 2) {
		print_all(stdout, pool);
		return 0;
	}
	made = tmpfile();
	if (made == NULL)
		die("tmpfile");
	print_all(made, pool);
	return compare(made, argv[1]);
}
