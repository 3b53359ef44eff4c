/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lcores, whose stacks have one address: what is not a connection yet lives on the first, and connections on both.
 */
#include <errno.h>
#include <sys/socket.h>

#include <percore/host.h>
#include <percore/percore.h>
#include <percore/posix.h>

#include "../../support/eal.h"
#include "../two.h"
#include "base/toeplitz.h"

#define LCORES 2

static struct rte_mempool *pool;
static struct pc_host *host;
static struct pc_service *service[LCORES];
static struct pc_stack *near[LCORES], *far[LCORES];
static struct pc_port *port[LCORES][2];
static uint64_t now;

static unsigned turn(void *arg)
{
	unsigned n = 0;

	(void)arg;
	now += 1000000;
	for (unsigned i = 0; i < LCORES; i++) {
		n += pc_stack_poll(near[i], now) + pc_service_turn(service[i], now);
		pc_stack_flush(near[i], now);
		n += pc_stack_poll(far[i], now);
		pc_stack_flush(far[i], now);
	}
	return n;
}

static void no_sleep(void *arg, uint64_t deadline_ns)
{
	(void)arg, (void)deadline_ns;
}

static const struct pcx_driver driver = {.turn = turn, .sleep = no_sleep};

static void start(void)
{
	const struct pc_host_config hc = {.nb_lcores = LCORES, .max_sockets = 64};
	const struct pc_wire_config wc = {.pool = pool};
	struct pc_stack_config cfg;

	two_config(&cfg, 32);
	now = 1000000000;
	host = pc_host_create(&hc);
	CU_ASSERT_FATAL(host != NULL);
	for (unsigned i = 0; i < LCORES; i++) {
		CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wc, port[i]), 0);
		near[i] = two_stack(&cfg, pool, port[i][0], IP_US);
		far[i] = two_stack(&cfg, pool, port[i][1], IP_PEER);
		service[i] = pc_host_add(host, i, near[i]);
		CU_ASSERT_FATAL(service[i] != NULL);
	}
	pcx_set_driver(&driver);
	CU_ASSERT_EQUAL_FATAL(pcx_attach_fd(pc_host_connect(host)), 0);
}

static void finish(void)
{
	pcx_detach();
	for (int i = 0; i < 10; i++)
		(void)turn(NULL);
	pcx_set_driver(NULL);
	pc_host_destroy(host);
	for (unsigned i = 0; i < LCORES; i++) {
		CU_ASSERT_EQUAL(pc_stack_validate(near[i], stderr), 0);
		pc_stack_destroy(near[i]);
		pc_stack_destroy(far[i]);
		pc_port_close(port[i][0]);
		pc_port_close(port[i][1]);
	}
}

static int stream(bool reuse)
{
	const int fd = pcx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	CU_ASSERT_FATAL(fd >= 0);
	if (reuse)
		CU_ASSERT_EQUAL(pcx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	return fd;
}

static int bind_to(int fd, uint32_t be, uint16_t p)
{
	const struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = be};

	return pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 ? 0 : errno;
}

static int far_connect(unsigned lcore, uint16_t p)
{
	const struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = IP_US};
	const int fd = pc_socket(far[lcore], AF_INET, SOCK_STREAM, 0);

	CU_ASSERT(pc_connect(far[lcore], fd, (const struct sockaddr *)&a, sizeof(a)) == -1 &&
	          errno == EINPROGRESS);
	for (int i = 0; i < 10; i++)
		(void)turn(NULL);
	return fd;
}

/* A port that a connection of the other lcore has. */
static void connections_elsewhere(void)
{
	for (unsigned lcore = 0; lcore < LCORES; lcore++)
		for (int reuse = 0; reuse < 2; reuse++) {
			int listener, fd, peer;

			start();
			listener = stream(reuse);
			CU_ASSERT_EQUAL(bind_to(listener, 0, 80), 0);
			CU_ASSERT_EQUAL(bind_to(listener, 0, 80), EINVAL);
			CU_ASSERT_EQUAL(pcx_listen(listener, 1), 0);
			peer = far_connect(lcore, 80);
			fd = pcx_accept4(listener, NULL, NULL, 0);
			CU_ASSERT(fd >= 0);
			pcx_close(listener);
			CU_ASSERT_EQUAL(bind_to(stream(false), 0, 80), EADDRINUSE);
			CU_ASSERT_EQUAL(bind_to(stream(false), IP_PEER, 80), EADDRNOTAVAIL);
			CU_ASSERT_EQUAL(bind_to(stream(false), 0, 81), 0);
			listener = stream(true);
			CU_ASSERT_EQUAL(bind_to(listener, 0, 80), reuse ? 0 : EADDRINUSE);
			CU_ASSERT_EQUAL(pcx_listen(listener, 1), 0);
			pcx_close(fd);
			CU_ASSERT_EQUAL(pc_close(far[lcore], peer), 0);
			finish();
		}
}

static const struct unit_case cases[] = {
    {"bind(): connections on other lcores", connections_elsewhere},
};

int main(void)
{
	eal_start();
	pool = eal_pool("home", 8191);
	return unit_run("serve/home", cases, sizeof(cases) / sizeof(cases[0]));
}
