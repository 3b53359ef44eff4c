/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a stack spends on a message, a connection, an acknowledgement.
 *
 * Overview: one stack with a program of app/ on it, driven by hand, and clients that cost nothing
 * (peer.h). A case makes some turns to warm up, then measured ones. On a quiet machine the TSC
 * gives the cycles of each stage: medians over the turns, without the port's own share. Under
 * callgrind, which is told to count only in measured_turn() and not in the port
 * (scripts/check-instructions), the same run counts instructions: a figure without noise.
 *
 * usage: path_bench [--case NAME]... [--conns N] [--room N] [--rounds N] [--burst N] [--huge]
 *
 * --case NAME: may be repeated; each case has a stack of its own.
 * --room N: the stack is created for N connections, not just for those that exist.
 * --burst N: segments per burst (default 32); at most one per connection.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include <percore/percore.h>

#include "apps.h"
#include "peer.h"

#define SERVER     "10.9.0.1"
#define SERVER6    "fd09::a09:1" /* peer.h derives it */
#define DAD_NS     3000000000    /* until duplicate address detection is over */
#define DAD_STEPS  10            /* in one step it would seem that the lcore had stalled */
#define TURN_NS    20000         /* virtual time of a turn */
#define LONE_NS    100000        /* virtual time before a lone request */
#define MAX_ROUNDS 100000
#define FULL       1460 /* bytes of a full segment */
#define STRIDE     7919 /* a prime: clients take turns in an order that no prefetcher predicts */

enum stage { RECEIVE, EVENT, SOCKET, SEND, STAGES };

static const char *const stage_name[STAGES] = {"receive", "event", "socket", "send"};

struct bench {
	struct pc_stack *st;
	struct peer *peer;
	const struct app *app;
	void *self;
	uint64_t now_ns;
	uint32_t conns, room, burst, next; /* next: the client whose turn it is */
	bool measured;
	unsigned rounds;
	uint64_t ops;
	uint64_t *cycles[STAGES]; /* of each measured round */
};

struct bench_case {
	const char *name, *op;
	const struct app *app;
	const char *request;
	uint16_t len;
	uint32_t conns;
	/** Makes one round of operations, measured if b->measured; returns how many. */
	uint32_t (*round)(struct bench *b);
	bool datagrams, ip6, sack;
};

/* ---- turns ----------------------------------------------------------------------------------- */

static void one_turn(struct bench *b, uint64_t at[STAGES + 1], uint64_t port[2])
{
	const uint64_t before = peer_cycles(b->peer);
	uint64_t wait;

	b->now_ns += TURN_NS;
	at[0] = rte_rdtsc();
	pc_stack_poll(b->st, b->now_ns);
	port[0] = peer_cycles(b->peer) - before;
	at[1] = rte_rdtsc();
	wait = b->app->turn(b->self, b->st, b->now_ns);
	at[2] = at[1] + wait;
	at[3] = rte_rdtsc();
	pc_stack_flush(b->st, b->now_ns);
	at[4] = rte_rdtsc();
	port[1] = peer_cycles(b->peer) - before - port[0];
}

static void plain_turn(struct bench *b)
{
	uint64_t at[STAGES + 1], port[2];

	one_turn(b, at, port);
}

/* scripts/check-instructions uses this name */
__attribute__((noinline)) void measured_turn(struct bench *b);

void measured_turn(struct bench *b)
{
	uint64_t at[STAGES + 1], port[2];

	one_turn(b, at, port);
	for (int s = 0; s < STAGES; s++)
		b->cycles[s][b->rounds] += at[s + 1] - at[s];
	b->cycles[RECEIVE][b->rounds] -= port[0];
	b->cycles[SEND][b->rounds] -= port[1];
}

static void turn(struct bench *b)
{
	if (b->measured)
		measured_turn(b);
	else
		plain_turn(b);
}

static uint32_t client(struct bench *b)
{
	const uint32_t i = b->next;

	b->next = (b->next + STRIDE) % b->conns;
	return i;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* every request acknowledges the previous answer */
static uint32_t round_requests(struct bench *b)
{
	for (uint32_t i = 0; i < b->burst; i++)
		peer_send(b->peer, client(b), PEER_DATA);
	turn(b);
	return b->burst;
}

/* one request at a time, after a turn in which nothing arrived */
static uint32_t round_lone(struct bench *b)
{
	b->now_ns += LONE_NS;
	plain_turn(b);
	peer_send(b->peer, client(b), PEER_DATA);
	turn(b);
	return 1;
}

/* every request acknowledges the last answer but one */
static uint32_t round_ahead(struct bench *b)
{
	for (uint32_t i = 0; i < b->burst; i++)
		peer_send(b->peer, client(b), PEER_DATA_AHEAD);
	turn(b);
	return b->burst;
}

/* a turn in which nothing arrives: the minimum that a request waits for */
static uint32_t round_nothing(struct bench *b)
{
	turn(b);
	return 1;
}

static void all_send(struct bench *b, uint32_t first, enum peer_segment what)
{
	b->next = first;
	for (uint32_t i = 0; i < b->burst; i++)
		peer_send(b->peer, client(b), what);
}

/* a separate acknowledgement for each answer; only its turn is measured */
static uint32_t round_acks(struct bench *b)
{
	const uint32_t first = b->next;

	all_send(b, first, PEER_DATA);
	plain_turn(b);
	all_send(b, first, PEER_ACK);
	turn(b);
	return b->burst;
}

/* the same, with both turns measured: many connections with occasional requests */
static uint32_t round_acked(struct bench *b)
{
	const uint32_t first = b->next;

	all_send(b, first, PEER_DATA);
	turn(b);
	all_send(b, first, PEER_ACK);
	turn(b);
	return b->burst;
}

/* SYN; ACK and request; FIN; ACK: the client closes first, as load generators do that avoid
 * TIME-WAIT on the server */
static uint32_t round_connections(struct bench *b)
{
	const uint32_t first = b->next;

	all_send(b, first, PEER_SYN);
	turn(b);
	b->next = first;
	for (uint32_t i = 0; i < b->burst; i++) { /* each client at once */
		const uint32_t who = client(b);

		peer_send(b->peer, who, PEER_ACK);
		peer_send(b->peer, who, PEER_DATA);
	}
	turn(b);
	turn(b); /* more than one burst is waiting */
	all_send(b, first, PEER_FIN);
	turn(b);
	all_send(b, first, PEER_ACK);
	turn(b);
	return b->burst;
}

static uint32_t round_datagrams(struct bench *b)
{
	for (uint32_t i = 0; i < b->burst; i++)
		peer_send(b->peer, client(b), PEER_DATAGRAM);
	turn(b);
	return b->burst;
}

/* acknowledges the source's data two segments at a time; returns how many segments it then sent */
static uint32_t round_source(struct bench *b)
{
	const uint64_t before = peer_frames(b->peer);

	for (uint32_t i = 0; i < b->burst; i++)
		peer_send(b->peer, 0, PEER_ACK_TWO);
	turn(b);
	return (uint32_t)(peer_frames(b->peer) - before);
}

/* a burst of full segments on one stream */
static uint32_t round_sink(struct bench *b)
{
	for (uint32_t i = 0; i < b->burst; i++)
		peer_send(b->peer, 0, PEER_DATA);
	turn(b);
	return b->burst;
}

#define GET  "GET /512 HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET4 GET GET GET GET

static const char zeros[FULL];

static const struct bench_case cases[] = {
    {"echo", "echo of 64 bytes", &app_echo, zeros, 64, 1000, round_requests},
    {"echo-ip6", "echo of 64 bytes over IPv6", &app_echo, zeros, 64, 1000, round_requests,
     .ip6 = true},
    {"echo-copy", "echo of 64 bytes by recv and send", &app_echo_copy, zeros, 64, 1000,
     round_requests},
    {"echo-ahead", "echo of 64 bytes, the answer before still under way", &app_echo, zeros, 64,
     1000, round_ahead},
    {"echo-acked", "echo of 64 bytes, its answer acknowledged at once", &app_echo, zeros, 64, 1000,
     round_acked},
    {"lone", "echo of 64 bytes, one at a time", &app_echo, zeros, 64, 1, round_lone},
    {"turn", "turn without anything to do", &app_echo, zeros, 64, 1000, round_nothing},
    {"ack", "pure acknowledgement", &app_echo, zeros, 64, 1000, round_acks},
    {"conn", "connect, echo, close", &app_echo, zeros, 64, 1000, round_connections},
    {"conn-ip6", "connect, echo, close over IPv6", &app_echo, zeros, 64, 1000, round_connections,
     .ip6 = true},
    {"udp", "UDP echo of 64 bytes", &app_echo, zeros, 64, 64, round_datagrams, .datagrams = true},
    {"bulk-in", "full segment received", &app_discard, zeros, FULL, 1, round_sink},
    {"bulk-out", "full segment sent", &app_source, zeros, 64, 1, round_source},
    {"bulk-out-sack", "full segment sent to a peer with SACK", &app_source, zeros, 64, 1,
     round_source, .sack = true},
    {"http", "HTTP request", &app_httpd, GET, sizeof(GET) - 1, 1000, round_requests},
    {"http-16", "16 pipelined HTTP requests", &app_httpd, GET4 GET4 GET4 GET4,
     16 * (sizeof(GET) - 1), 64, round_requests},
    {"http-conn", "connect, HTTP request, close", &app_httpd, GET, sizeof(GET) - 1, 1000,
     round_connections},
};

/* ---- one case -------------------------------------------------------------------------------- */

static void connect_all(struct bench *b)
{
	bool syn;

	for (uint32_t done = 0; done < b->conns;) {
		const uint32_t n = RTE_MIN(b->conns - done, b->burst);

		for (uint32_t i = 0; i < n; i++)
			peer_send(b->peer, done + i, PEER_SYN);
		plain_turn(b);
		for (uint32_t i = 0; i < n; i++) {
			peer_got(b->peer, done + i, &syn, NULL);
			if (!syn)
				abort();
			peer_send(b->peer, done + i, PEER_ACK);
		}
		plain_turn(b);
		done += n;
	}
}

static struct pc_stack *make_stack(struct rte_mempool *pool, uint32_t room, uint32_t mbufs)
{
	struct pc_stack_config config;
	struct pc_stack *st;

	pc_stack_config_init(&config);
	config.stack_max_connections = room;
	config.stack_mbufs = mbufs;
	config.stack_seed = 1;
	st = pc_stack_create(&config, pool);
	if (st == NULL) {
		perror("pc_stack_create");
		exit(2);
	}
	return st;
}

static void start(struct bench *b, const struct bench_case *c, struct rte_mempool *pool,
                  uint32_t mbufs)
{
	struct pc_prefix addr;

	b->st = make_stack(pool, b->room, mbufs);
	b->peer = peer_create(pool, b->conns, inet_addr(SERVER), c->app->port, c->ip6);
	if (b->peer == NULL || pc_prefix_parse(c->ip6 ? SERVER6 "/64" : SERVER "/16", &addr) != 0 ||
	    pc_stack_add_port(b->st, peer_port(b->peer)) < 0 ||
	    pc_stack_add_addr(b->st, 0, &addr) != 0)
		exit(2);
	b->app = c->app;
	b->now_ns = 1000000000;
	b->self = c->app->start(b->st, b->conns);
	peer_request(b->peer, c->request, c->len);
	if (c->sack)
		peer_offer_sack(b->peer);
	for (unsigned i = 0; i < DAD_STEPS; i++) {
		plain_turn(b);
		b->now_ns += DAD_NS / DAD_STEPS;
	}
	plain_turn(b);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The 99th percentile of whole rounds. */
static uint64_t slow_round(const struct bench *b)
{
	uint64_t *round = calloc(b->rounds, sizeof(*round)), slow;

	if (round == NULL)
		abort();
	for (unsigned i = 0; i < b->rounds; i++)
		for (int s = 0; s < STAGES; s++)
			round[i] += b->cycles[s][i];
	qsort(round, b->rounds, sizeof(uint64_t), by_value);
	slow = round[b->rounds * UINT64_C(99) / 100];
	free(round);
	return slow;
}

static void report(struct bench *b, const struct bench_case *c)
{
	const double per_round = (double)b->ops / b->rounds;
	const double slow = (double)slow_round(b) / per_round;
	double total = 0;

	printf("%-10s conns %u ops %lu cycles/op:", c->name, b->conns, (unsigned long)b->ops);
	for (int s = 0; s < STAGES; s++) {
		double cycles;

		qsort(b->cycles[s], b->rounds, sizeof(uint64_t), by_value);
		cycles = (double)b->cycles[s][b->rounds / 2] / per_round;
		total += cycles;
		printf(" %s %.0f", stage_name[s], cycles);
	}
	printf(" total %.0f p99 %.0f\n", total, slow);
}

static void run(struct bench *b, const struct bench_case *c, unsigned rounds)
{
	for (uint32_t i = 0; i < b->conns; i += PEER_PER_ADDRESS) {
		peer_send(b->peer, i, PEER_ARP);
		plain_turn(b);
	}
	if (c->round != round_connections && !c->datagrams)
		connect_all(b);
	for (uint32_t i = 0; i < 2 * b->conns / b->burst + 16; i++)
		c->round(b);
	b->measured = true;
	for (; b->rounds < rounds; b->rounds++)
		b->ops += c->round(b);
	report(b, c);
	for (uint32_t i = 0; i < b->burst; i++)
		if (c->round == round_requests && peer_got(b->peer, i, NULL, NULL) == 0)
			abort();
}

static void start_eal(bool huge, const char *memory)
{
	const char *plain[] = {"path_bench", "--no-huge",    "--no-pci",       "--no-shconf",
	                       "-m",         memory,         "--no-telemetry", "-l",
	                       "0",          "--log-level=4"};
	const char *pages[] = {"path_bench",     "--in-memory", "--no-pci", "--no-shconf",
	                       "--no-telemetry", "-l",          "0",        "--log-level=4"};
	const int n = (int)(huge ? RTE_DIM(pages) : RTE_DIM(plain));

	if (rte_eal_init(n, (char **)(uintptr_t)(huge ? pages : plain)) < 0)
		exit(2);
}

/* As in lib/run: the mbuf that was freed last is used first. */
static struct rte_mempool *make_pool(uint32_t mbufs)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create_by_ops(
	    "bench", mbufs, 512, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1, "stack");

	if (pool == NULL)
		pool =
		    rte_pktmbuf_pool_create("bench", mbufs, 512, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	if (pool == NULL) {
		fprintf(stderr, "path_bench: no memory for %u mbufs\n", mbufs);
		exit(2);
	}
	return pool;
}

static const struct bench_case *find_case(const char *name)
{
	for (unsigned i = 0; i < RTE_DIM(cases); i++)
		if (strcmp(cases[i].name, name) == 0)
			return &cases[i];
	fprintf(stderr, "no such case: %s; there are:", name);
	for (unsigned i = 0; i < RTE_DIM(cases); i++)
		fprintf(stderr, " %s", cases[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

/* Completes what a case needs. Returns the number of its mbufs. */
static uint32_t fit(struct bench *b, const struct bench_case *c)
{
	if (b->conns == 0)
		b->conns = c->conns;
	if (c->conns > 1) /* otherwise the whole burst belongs to one stream */
		b->burst = RTE_MIN(b->burst, b->conns);
	b->room = RTE_MAX(b->room, b->conns + 1024);
	return 2 * b->conns + 16384;
}

/* scripts/check-instructions uses this name */
__attribute__((noinline)) void run_case(struct bench b, const struct bench_case *c, unsigned rounds,
                                        struct rte_mempool *pool);

void run_case(struct bench b, const struct bench_case *c, unsigned rounds, struct rte_mempool *pool)
{
	const uint32_t mbufs = fit(&b, c);

	for (int s = 0; s < STAGES; s++)
		b.cycles[s] = calloc(MAX_ROUNDS, sizeof(uint64_t));
	start(&b, c, pool, mbufs);
	run(&b, c, rounds);
	b.app->finish(b.self);
	pc_stack_destroy(b.st);
	pc_port_close(peer_port(b.peer));
	for (int s = 0; s < STAGES; s++)
		free(b.cycles[s]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"case", 1, NULL, 'c'},  {"conns", 1, NULL, 'n'},
	                                        {"room", 1, NULL, 'm'},  {"rounds", 1, NULL, 'r'},
	                                        {"burst", 1, NULL, 'b'}, {"huge", 0, NULL, 'h'},
	                                        {NULL, 0, NULL, 0}};
	struct bench b = {.burst = 32};
	const struct bench_case *c[RTE_DIM(cases)] = {find_case("echo")};
	unsigned rounds = 2000, n = 0;
	struct rte_mempool *pool;
	uint32_t mbufs = 0, room = 0;
	bool huge = false;
	char memory[16];
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			if (n == RTE_DIM(cases))
				return 2;
			c[n++] = find_case(optarg);
			break;
		case 'n':
			b.conns = (uint32_t)atoi(optarg);
			break;
		case 'm':
			b.room = (uint32_t)atoi(optarg);
			break;
		case 'r':
			rounds = RTE_MIN((unsigned)atoi(optarg), (unsigned)MAX_ROUNDS);
			break;
		case 'b':
			b.burst = (uint32_t)atoi(optarg);
			break;
		case 'h':
			huge = true;
			break;
		default:
			return 2;
		}
	}
	n = RTE_MAX(n, 1u);
	for (unsigned i = 0; i < n; i++) {
		struct bench whole = b;

		mbufs = RTE_MAX(mbufs, fit(&whole, c[i]));
		room = RTE_MAX(room, whole.room);
	}
	snprintf(memory, sizeof(memory), "%u", 192 + room / 512 + mbufs / 150);
	start_eal(huge, memory);
	pool = make_pool(mbufs);
	for (unsigned i = 0; i < n; i++)
		run_case(b, c[i], rounds, pool);
	return 0;
}
