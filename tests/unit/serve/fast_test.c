/* SPDX-License-Identifier: BSD-2-Clause */
/* What leaves a thread's socket without a wait: bytes in the SYN by MSG_FASTOPEN, or what is told when it may not carry them; the
 * end of a file. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <percore/host.h>
#include <percore/percore.h>
#include <percore/posix.h>

#include "../../support/eal.h"
#include "../two.h"

static struct rte_mempool *pool;
static struct pc_host *host;
static struct pc_service *service;
static struct pc_stack *near, *far;
static struct pc_port *port[2];
static uint64_t now;
static int listener;

static unsigned turn(void *arg)
{
	unsigned n;

	(void)arg;
	now += 1000000;
	n = pc_stack_poll(near, now) + pc_service_turn(service, now);
	pc_stack_flush(near, now);
	n += pc_stack_poll(far, now);
	pc_stack_flush(far, now);
	return n;
}

static void turns(void)
{
	for (int i = 0; i < 10; i++)
		(void)turn(NULL);
}

static void no_sleep(void *arg, uint64_t deadline_ns)
{
	(void)arg, (void)deadline_ns;
}

static const struct pcx_driver driver = {.turn = turn, .sleep = no_sleep};

static struct sockaddr_in at_peer(uint16_t p)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = IP_PEER};
}

static void start(uint64_t fastopen)
{
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = 64};
	const struct pc_wire_config wc = {.pool = pool};
	const struct sockaddr_in a = at_peer(80);
	const int pending = 5;
	struct pc_stack_config cfg;

	two_config(&cfg, 32);
	now = 1000000000;
	host = pc_host_create(&hc);
	CU_ASSERT_FATAL(host != NULL);
	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wc, port), 0);
	cfg.tcp_fastopen = fastopen;
	near = stack_on(&cfg, pool, port[0], TWO_US);
	cfg.tcp_fastopen = 2;
	far = stack_on(&cfg, pool, port[1], TWO_PEER);
	service = pc_host_add(host, 0, near);
	CU_ASSERT_FATAL(service != NULL);
	pcx_set_driver(&driver);
	CU_ASSERT_EQUAL_FATAL(pcx_attach_fd(pc_host_connect(host)), 0);
	listener = pc_socket(far, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(pc_bind(far, listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(
	    pc_setsockopt(far, listener, IPPROTO_TCP, TCP_FASTOPEN, &pending, sizeof(pending)), 0);
	CU_ASSERT_EQUAL(pc_listen(far, listener, 5), 0);
	turns();
}

static void finish(void)
{
	pcx_detach();
	turns();
	pcx_set_driver(NULL);
	pc_host_destroy(host);
	CU_ASSERT_EQUAL(pc_stack_validate(near, stderr), 0);
	CU_ASSERT_EQUAL(pc_stack_validate(far, stderr), 0);
	pc_stack_destroy(near);
	pc_stack_destroy(far);
	pc_port_close(port[0]);
	pc_port_close(port[1]);
}

static uint64_t taken(void)
{
	return pc_stack_counters(far)->value[PC_TCP_FASTOPEN_PASSIVE];
}

static ssize_t send_fast(int fd, uint16_t p, const void *bytes, size_t n)
{
	const struct sockaddr_in to = at_peer(p);

	return pcx_sendto(fd, bytes, n, MSG_FASTOPEN | MSG_NOSIGNAL, (const struct sockaddr *)&to,
	                  sizeof(to));
}

/* What the far side has got of a connection must be these bytes; then both ends are closed. */
static void arrives(int fd, const char *bytes, size_t n)
{
	static char got[8000];
	size_t have = 0;
	int conn;

	turns();
	conn = pc_accept(far, listener, NULL, NULL);
	CU_ASSERT_FATAL(conn >= 0);
	for (int i = 0; i < 20 && have < n; i++) {
		const ssize_t rc = pc_recv(far, conn, got + have, sizeof(got) - have, 0);

		have += rc > 0 ? (size_t)rc : 0;
		turns();
	}
	CU_ASSERT(have == n && memcmp(got, bytes, n) == 0);
	CU_ASSERT_EQUAL(pc_send(far, conn, "yes", 3, 0), 3);
	turns();
	CU_ASSERT(pcx_recv(fd, got, sizeof(got), 0) == 3 && memcmp(got, "yes", 3) == 0);
	CU_ASSERT_EQUAL(pcx_close(fd), 0);
	CU_ASSERT_EQUAL(pc_close(far, conn), 0);
	turns();
}

static int stream(void)
{
	const int fd = pcx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(fd >= 0);
	return fd;
}

/* The first connection asks for a cookie. */
static void get_cookie(void)
{
	const int fd = stream();

	CU_ASSERT(send_fast(fd, 80, "hello", 5) == -1 && errno == EINPROGRESS);
	turns();
	CU_ASSERT_EQUAL(pcx_send(fd, "hello", 5, 0), 5);
	arrives(fd, "hello", 5);
	CU_ASSERT_EQUAL(taken(), 0);
}

static void in_the_syn(void)
{
	static char many[4000];
	int fd;

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = (char)('a' + i % 26);
	start(1);
	get_cookie();
	fd = stream();
	CU_ASSERT_EQUAL(send_fast(fd, 80, "hello", 5), 5);
	arrives(fd, "hello", 5);
	CU_ASSERT_EQUAL(taken(), 1);
	fd = stream();
	CU_ASSERT_EQUAL(send_fast(fd, 80, many, sizeof(many)), (ssize_t)sizeof(many));
	arrives(fd, many, sizeof(many));
	CU_ASSERT_EQUAL(taken(), 2);
	fd = stream();
	CU_ASSERT(send_fast(fd, 80, "", 0) <= 0); /* there is nothing to wait for */
	turns();
	CU_ASSERT_EQUAL(pcx_send(fd, "hello", 5, 0), 5);
	arrives(fd, "hello", 5);
	CU_ASSERT_EQUAL(taken(), 2);
	finish();
}

static void refused(void)
{
	int fd;

	start(1);
	get_cookie();
	fd = stream();
	CU_ASSERT_EQUAL(send_fast(fd, 81, "hello", 5), 5);
	turns();
	CU_ASSERT(pcx_send(fd, "x", 1, MSG_NOSIGNAL) == -1 && errno == ECONNREFUSED);
	pcx_close(fd);
	fd = stream();
	CU_ASSERT(send_fast(fd, 0, "hello", 5) == -1 && errno == ECONNREFUSED);
	pcx_close(fd);
	finish();
}

static void not_allowed(void)
{
	int fd;

	start(2);
	fd = stream();
	CU_ASSERT(send_fast(fd, 80, "hello", 5) == -1 && errno == EOPNOTSUPP);
	pcx_close(fd);
	finish();
}

/* sendfile() that asks for more than there is, as copy functions of libraries do: nothing waits for what does not come. */
static void end_of_file(void)
{
	const struct sockaddr_in to = at_peer(80);
	FILE *file = tmpfile();
	char bytes[10] = "";
	off_t at = 0;
	int fd, peer;

	start(1);
	CU_ASSERT_FATAL(file != NULL && write(fileno(file), "0123456789", 10) == 10);
	fd = stream();
	CU_ASSERT(pcx_connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 &&
	          errno == EINPROGRESS);
	turns();
	peer = pc_accept(far, listener, NULL, NULL);
	CU_ASSERT_EQUAL(pcx_sendfile(fd, fileno(file), &at, 1 << 20), 10);
	turns(); /* 10 ms: less than MSG_MORE makes bytes wait */
	CU_ASSERT_EQUAL(pc_recv(far, peer, bytes, sizeof(bytes), 0), 10);
	CU_ASSERT_EQUAL(pc_close(far, peer), 0);
	pcx_close(fd);
	(void)fclose(file);
	finish();
}

static const struct unit_case cases[] = {
    {"bytes in the SYN", in_the_syn},
    {"a refusal", refused},
    {"tcp.fastopen without clients", not_allowed},
    {"sendfile(): the end of a file", end_of_file},
};

int main(void)
{
	eal_start();
	pool = eal_pool("fast", 8191);
	return unit_run("serve/fast", cases, sizeof(cases) / sizeof(cases[0]));
}
