/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scale: the throughput that a second lcore adds.
 *
 * Each lcore runs both ends of its own in-memory wire: two stacks, a client that keeps connections
 * busy and a server that echoes, so that no data crosses from one core to another. It runs first on
 * one lcore, then on all, alternating, and prints echoes per second and their ratio. With --correct
 * it only checks that every byte comes back; then any number of lcores may share the CPUs.
 *
 * usage: scale [EAL options] -- [--seconds S] [--rounds N] [--conns N] [--correct]
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <percore/percore.h>

#define SIZE      64
#define SERVER    0x0a000001u
#define CLIENT    0x0a000002u
#define EVENTS    64
#define MAX_CONNS 1024
#define MBUFS     16383

struct end {
	struct pc_stack *st;
	struct pc_port *port;
	int epoll, listener;
};

struct lcore {
	struct rte_mempool *pool;
	struct end server, client;
	uint64_t echoes, wrong, want;
	uint32_t conns;
	double seconds;
	uint8_t message[SIZE];
	uint16_t got[4 * MAX_CONNS]; /* bytes of the answer so far, by descriptor */
} __rte_cache_aligned;

static struct {
	double seconds;
	unsigned rounds, conns;
	bool correct;
} options = {.seconds = 1, .rounds = 5, .conns = 64};

static int fail(const char *what)
{
	fprintf(stderr, "scale: %s\n", what);
	return -1;
}

static int make_end(struct lcore *l, struct end *e, uint32_t address, unsigned seed)
{
	const struct pc_prefix prefix = {.addr = pc_addr_ip4(htonl(address)), .len = 96 + 24};
	struct pc_stack_config config;

	pc_stack_config_init(&config);
	config.stack_max_connections = 2 * MAX_CONNS;
	config.stack_seed = seed;
	e->st = pc_stack_create(&config, l->pool);
	if (e->st == NULL || pc_stack_add_port(e->st, e->port) < 0 ||
	    pc_stack_add_addr(e->st, 0, &prefix) != 0)
		return fail("a stack cannot be made");
	e->epoll = pc_epoll_create(e->st);
	return 0;
}

static int watch(struct end *e, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
	int on = 1;

	(void)pc_setsockopt(e->st, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return pc_epoll_ctl(e->st, e->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int make_sockets(struct lcore *l)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = htonl(SERVER)};
	struct end *s = &l->server, *c = &l->client;

	s->listener = pc_socket(s->st, AF_INET, SOCK_STREAM, 0);
	if (pc_bind(s->st, s->listener, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    pc_listen(s->st, s->listener, MAX_CONNS) != 0 || watch(s, s->listener) != 0)
		return fail("the server cannot listen");
	for (uint32_t i = 0; i < l->conns; i++) {
		int fd = pc_socket(c->st, AF_INET, SOCK_STREAM, 0);

		if (fd < 0 ||
		    (pc_connect(c->st, fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 &&
		     errno != EINPROGRESS) ||
		    watch(c, fd) != 0)
			return fail("the client cannot connect");
	}
	return 0;
}

static int lcore_make(struct lcore *l, unsigned lcore)
{
	struct pc_wire_config wire = {0};
	struct pc_port *ends[2];
	char name[32];

	snprintf(name, sizeof(name), "scale_%u", lcore);
	l->pool = rte_pktmbuf_pool_create(name, MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
	                                  (int)rte_lcore_to_socket_id(lcore));
	wire.pool = l->pool;
	if (l->pool == NULL || pc_port_wire(&wire, ends) != 0)
		return fail("no memory");
	l->server.port = ends[0];
	l->client.port = ends[1];
	l->conns = options.conns;
	for (unsigned i = 0; i < SIZE; i++)
		l->message[i] = (uint8_t)(i * 7 + lcore);
	if (make_end(l, &l->server, SERVER, 2 * lcore + 1) != 0 ||
	    make_end(l, &l->client, CLIENT, 2 * lcore + 2) != 0)
		return -1;
	return make_sockets(l);
}

static void serve(struct end *s, int fd)
{
	struct rte_mbuf *m;
	int conn;

	if (fd == s->listener) {
		while ((conn = pc_accept(s->st, fd, NULL, NULL)) > 0)
			(void)watch(s, conn);
		return;
	}
	while (pc_recv_mbuf(s->st, fd, &m, NULL) == 1)
		if (pc_send_mbuf(s->st, fd, m, NULL) != 0)
			rte_pktmbuf_free(m);
}

static void answered(struct lcore *l, int fd)
{
	uint8_t buf[SIZE];
	ssize_t n;

	n = pc_recv(l->client.st, fd, buf, sizeof(buf) - l->got[fd], 0);
	if (n <= 0)
		return;
	if (memcmp(buf, l->message + l->got[fd], (size_t)n) != 0)
		l->wrong++;
	l->got[fd] = (uint16_t)(l->got[fd] + n);
	if (l->got[fd] < SIZE)
		return;
	l->got[fd] = 0;
	l->echoes++;
	(void)pc_send(l->client.st, fd, l->message, SIZE, 0);
}

/* One turn of both ends. */
static void turn(struct lcore *l, uint64_t now)
{
	struct epoll_event ev[EVENTS];
	int n;

	pc_stack_poll(l->server.st, now);
	n = pc_epoll_wait(l->server.st, l->server.epoll, ev, EVENTS);
	for (int i = 0; i < n; i++)
		serve(&l->server, ev[i].data.fd);
	pc_stack_flush(l->server.st, now);
	pc_stack_poll(l->client.st, now);
	n = pc_epoll_wait(l->client.st, l->client.epoll, ev, EVENTS);
	for (int i = 0; i < n; i++)
		answered(l, ev[i].data.fd);
	pc_stack_flush(l->client.st, now);
}

static uint64_t now_ns(void)
{
	return (uint64_t)((unsigned __int128)rte_rdtsc() * 1000000000 / rte_get_tsc_hz());
}

static int run(void *arg)
{
	struct lcore *l = arg;
	uint64_t begin = now_ns(), now = begin, end = begin + (uint64_t)(options.seconds * 1e9);

	l->echoes = 0;
	for (; now < end && (l->want == 0 || l->echoes < l->want); now = now_ns())
		turn(l, now);
	l->seconds = (double)(now - begin) / 1e9;
	return 0;
}

/* Sends the first message on every connection; the answers trigger the others. */
static void begin_talk(struct lcore *l)
{
	struct pc_stack_usage usage = {0};

	for (int i = 0; i < 100000 && usage.connections < l->conns; i++) {
		turn(l, now_ns());
		pc_stack_get_usage(l->server.st, &usage);
	}
	for (int fd = 1; fd < 4 * MAX_CONNS; fd++)
		(void)pc_send(l->client.st, fd, l->message, SIZE, 0);
}

static bool is_worker(unsigned lcore)
{
	return rte_lcore_is_enabled(lcore) && lcore != rte_get_main_lcore();
}

static double rate_of(struct lcore *ls, unsigned n)
{
	unsigned lcore, i = 1;
	double sum = 0;

	for (lcore = 0; lcore < RTE_MAX_LCORE; lcore++)
		if (is_worker(lcore) && i < n)
			(void)rte_eal_remote_launch(run, &ls[i++], lcore);
	(void)run(&ls[0]);
	rte_eal_mp_wait_lcore();
	for (i = 0; i < n; i++)
		sum += (double)ls[i].echoes / ls[i].seconds;
	return sum;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void compare_rates(struct lcore *ls, unsigned n)
{
	double one[64], all[64], ratio[64];
	unsigned rounds = options.rounds;

	for (unsigned r = 0; r < rounds; r++) {
		one[r] = rate_of(ls, 1);
		all[r] = rate_of(ls, n);
		ratio[r] = all[r] / one[r];
	}
	qsort(one, rounds, sizeof(one[0]), compare);
	qsort(all, rounds, sizeof(all[0]), compare);
	qsort(ratio, rounds, sizeof(ratio[0]), compare);
	printf("{\"lcores\":%u,\"rounds\":%u,\"one\":%.0f,\"all\":%.0f,\"ratio\":%.3f,\"least\":%."
	       "3f,\"most\":%.3f}\n",
	       n, rounds, one[rounds / 2], all[rounds / 2], ratio[rounds / 2], ratio[0],
	       ratio[rounds - 1]);
}

static int check(struct lcore *ls, unsigned n)
{
	uint64_t wrong = 0, least = UINT64_MAX, echoes = 0;

	for (unsigned i = 0; i < n; i++)
		ls[i].want = 20000;
	options.seconds = 60;
	(void)rate_of(ls, n);
	for (unsigned i = 0; i < n; i++) {
		wrong += ls[i].wrong;
		echoes += ls[i].echoes;
		least = ls[i].echoes < least ? ls[i].echoes : least;
	}
	printf("{\"lcores\":%u,\"echoes\":%llu,\"least\":%llu,\"wrong\":%llu}\n", n,
	       (unsigned long long)echoes, (unsigned long long)least, (unsigned long long)wrong);
	return wrong == 0 && least >= 20000 ? 0 : 1;
}

static int parse(int argc, char **argv)
{
	static const struct option known[] = {{"seconds", 1, NULL, 's'},
	                                      {"rounds", 1, NULL, 'r'},
	                                      {"conns", 1, NULL, 'c'},
	                                      {"correct", 0, NULL, 'x'},
	                                      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 's')
			options.seconds = atof(optarg);
		else if (c == 'r')
			options.rounds = (unsigned)atoi(optarg);
		else if (c == 'c')
			options.conns = (unsigned)atoi(optarg);
		else if (c == 'x')
			options.correct = true;
		else
			return -1;
	}
	return options.rounds > 0 && options.rounds <= 64 && options.conns > 0 &&
	               options.conns <= MAX_CONNS && options.seconds > 0
	           ? 0
	           : fail("a number is out of range");
}

int main(int argc, char **argv)
{
	int n = rte_eal_init(argc, argv), rc = 0;
	unsigned lcore, nb = rte_lcore_count(), i = 1;
	struct lcore *ls;

	if (n < 0 || parse(argc - n, argv + n) != 0)
		return 2;
	ls = rte_zmalloc("lcores", nb * sizeof(*ls), RTE_CACHE_LINE_SIZE);
	if (ls == NULL || lcore_make(&ls[0], rte_get_main_lcore()) != 0)
		return 2;
	for (lcore = 0; lcore < RTE_MAX_LCORE; lcore++)
		if (is_worker(lcore) && lcore_make(&ls[i++], lcore) != 0)
			return 2;
	for (i = 0; i < nb; i++)
		begin_talk(&ls[i]);
	if (options.correct)
		rc = check(ls, nb);
	else
		compare_rates(ls, nb);
	for (i = 0; i < nb; i++)
		if (ls[i].wrong > 0)
			rc = 1;
	rte_eal_cleanup();
	return rc;
}
