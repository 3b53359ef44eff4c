/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call_bench: what calls of percore/posix.h cost a thread next to an lcore that polls, in ns: the
 * median and the 99th percentile. It needs no device, no hugepages and no root.
 *
 * usage: call_bench [CPU of the lcore [CPU of the thread]]
 *
 * The lcore is a thread of this program; it also drives the far stack, on which an echo server
 * answers.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include <percore/host.h>
#include <percore/percore.h>
#include <percore/posix.h>

#define ROUNDS 20001

static struct {
	struct pc_stack *near, *far;
	struct pc_host *host;
	struct pc_service *service;
	int echo; /* connection on the far side; -1: none yet */
	int listener;
	bool ends;
	int cpu;
} lcore = {.echo = -1, .cpu = 0};

static int set; /* a listener of the near side and its connection */
static int near_fd;
static char buf[65536];

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

/* ---- the lcore ------------------------------------------------------------------------------- */

static void serve_far(void)
{
	static char bytes[65536];
	ssize_t n;

	if (lcore.echo < 0) {
		lcore.echo = pc_accept(lcore.far, lcore.listener, NULL, NULL);
		return;
	}
	n = pc_recv(lcore.far, lcore.echo, bytes, sizeof(bytes), 0);
	if (n > 0)
		(void)pc_send(lcore.far, lcore.echo, bytes, (size_t)n, 0);
}

static void *turn(void *arg)
{
	(void)arg;
	pin(lcore.cpu);
	while (!__atomic_load_n(&lcore.ends, __ATOMIC_RELAXED)) {
		uint64_t now = clock_ns();

		pc_stack_poll(lcore.near, now);
		pc_service_turn(lcore.service, now);
		pc_stack_flush(lcore.near, now);
		pc_stack_poll(lcore.far, now);
		serve_far();
		pc_stack_flush(lcore.far, now);
	}
	return NULL;
}

static struct pc_stack *make_stack(struct pc_port *port, struct rte_mempool *pool, const char *addr)
{
	struct pc_stack_config config;
	struct pc_prefix prefix;
	struct pc_stack *st;

	pc_stack_config_init(&config);
	config.stack_max_connections = 64;
	config.tcp_nagle = 0;
	st = pc_stack_create(&config, pool);
	if (st == NULL || pc_prefix_parse(addr, &prefix) != 0 || pc_stack_add_port(st, port) != 0 ||
	    pc_stack_add_addr(st, 0, &prefix) != 0)
		abort();
	return st;
}

static void start(struct rte_mempool *pool, pthread_t *thread)
{
	const struct pc_host_config config = {.nb_lcores = 1};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7)};
	struct pc_wire_config wire = {.pool = pool};
	struct pc_port *port[2];

	if (pc_port_wire(&wire, port) != 0)
		abort();
	lcore.near = make_stack(port[0], pool, "10.0.0.1/24");
	lcore.far = make_stack(port[1], pool, "10.0.0.2/24");
	lcore.listener = pc_socket(lcore.far, AF_INET, SOCK_STREAM, 0);
	lcore.host = pc_host_create(&config);
	if (lcore.host == NULL ||
	    pc_bind(lcore.far, lcore.listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pc_listen(lcore.far, lcore.listener, 5) != 0)
		abort();
	lcore.service = pc_host_add(lcore.host, 0, lcore.near);
	if (pthread_create(thread, NULL, turn, NULL) != 0 ||
	    pcx_attach_fd(pc_host_connect(lcore.host)) != 0)
		abort();
}

static void connect_near(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = htonl(0x0a000002)};
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	int one = 1;

	near_fd = pcx_socket(AF_INET, SOCK_STREAM, 0);
	set = pcx_epoll_create1(0);
	if (near_fd < 0 || pcx_connect(near_fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pcx_setsockopt(near_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    pcx_epoll_ctl(set, EPOLL_CTL_ADD, near_fd, &e) != 0)
		abort();
}

/* ---- measured calls -------------------------------------------------------------------------- */

static void call(void)
{
	int value;
	socklen_t len = sizeof(value);

	if (pcx_getsockopt(near_fd, IPPROTO_TCP, TCP_NODELAY, &value, &len) != 0)
		abort();
}

static void recv_nothing(void)
{
	if (pcx_recv(near_fd, buf, sizeof(buf), MSG_DONTWAIT) != -1)
		abort();
}

static void wait_nothing(void)
{
	struct epoll_event e;

	(void)pcx_epoll_wait(set, &e, 1, 0);
}

static void kernel_getppid(void)
{
	(void)getppid();
}

static void send_one(void)
{
	if (pcx_send(near_fd, buf, 64, 0) != 64)
		abort();
}

static void take_back(void)
{
	while (pcx_recv(near_fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		continue;
}

static void echo(void)
{
	send_one();
	if (pcx_recv(near_fd, buf, 64, MSG_WAITALL) != 64)
		abort();
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, void (*what)(void), void (*after)(void))
{
	static uint64_t ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begin = clock_ns();

		what();
		ns[i] = clock_ns() - begin;
		if (after != NULL)
			after();
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	printf("%-52s %8lu %8lu\n", name, (unsigned long)ns[ROUNDS / 2],
	       (unsigned long)ns[ROUNDS / 100 * 99]);
}

int main(int argc, char **argv)
{
	char *eal[] = {argv[0],
	               (char *)"--no-huge",
	               (char *)"-m",
	               (char *)"256",
	               (char *)"--no-pci",
	               (char *)"--no-shconf",
	               (char *)"--no-telemetry",
	               (char *)"--log-level=4"};
	struct rte_mempool *pool;
	pthread_t thread;

	lcore.cpu = argc > 1 ? atoi(argv[1]) : 0;
	if (rte_eal_init(8, eal) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("bench", 8191, 0, 0, 2048 + 128, SOCKET_ID_ANY);
	if (pool == NULL)
		return 1;
	start(pool, &thread);
	pin(argc > 2 ? atoi(argv[2]) : 1);
	connect_near();
	printf("%-52s %8s %8s\n", "ns, with reading the clock", "median", "p99");
	measure("a system call (getppid)", kernel_getppid, NULL);
	measure("a call to the lcore and back (getsockopt)", call, NULL);
	measure("recv when there is nothing", recv_nothing, NULL);
	measure("epoll_wait when there is nothing", wait_nothing, NULL);
	measure("send of 64 bytes", send_one, take_back);
	do
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	while (pcx_recv(near_fd, buf, sizeof(buf), MSG_DONTWAIT) > 0);
	measure("64 bytes to another stack on the lcore and back", echo, NULL);
	__atomic_store_n(&lcore.ends, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return 0;
}
