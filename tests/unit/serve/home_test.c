/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lcores, whose stacks have one address: what is not a connection yet lives on the first, and connections on both.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <percore/posix.h>

#include "../../support/eal.h"
#include "base/toeplitz.h"
#include "lcores.h"

static uint64_t now;

static unsigned turn(void *arg)
{
	(void)arg;
	now += 1000000;
	return lcores_turn(now);
}

static void no_sleep(void *arg, uint64_t deadline_ns)
{
	(void)arg, (void)deadline_ns;
}

static const struct pcx_driver driver = {.turn = turn, .sleep = no_sleep};

static void start(void)
{
	now = 1000000000;
	lcores_make();
	pcx_set_driver(&driver);
	CU_ASSERT_EQUAL_FATAL(pcx_attach_fd(pc_host_connect(host)), 0);
}

static void finish(void)
{
	pcx_detach();
	for (int i = 0; i < 10; i++)
		(void)turn(NULL);
	pcx_set_driver(NULL);
	lcores_free();
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

static void turns(void)
{
	for (int i = 0; i < 10; i++)
		(void)turn(NULL);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	CU_ASSERT_EQUAL(pcx_getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

/* What bind() has given to a socket stays with it, on its lcore, when an attempt has failed, or was given up. */
static void bound_attempts(void)
{
	const struct sockaddr_in closed = {
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = IP_PEER};
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct pollfd p = {.events = POLLIN};

	start();
	p.fd = stream(false);
	CU_ASSERT_EQUAL(bind_to(p.fd, IP_US, 5000), 0);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT(pcx_connect(p.fd, (const struct sockaddr *)&closed, sizeof(closed)) ==
		              -1 &&
		          errno == EINPROGRESS);
		if (i % 2 == 0) {
			turns();
			CU_ASSERT_EQUAL(pcx_poll(&p, 1, 0), 1);
			CU_ASSERT(pcx_connect(p.fd, (const struct sockaddr *)&closed,
			                      sizeof(closed)) == -1 &&
			          errno == ECONNREFUSED);
		} else {
			CU_ASSERT_EQUAL(pcx_connect(p.fd, &none, sizeof(none)), 0);
		}
		CU_ASSERT_EQUAL(port_of(p.fd), 5000);
	}
	CU_ASSERT_EQUAL(bind_to(stream(false), IP_US, 5000), EADDRINUSE);
	finish();
}

/* connect() with AF_UNSPEC, or shutdown(), of a listener: it is none any more on any lcore, and may be one again, on another
 * port if it was any. */
static void dissolved_listeners(void)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	uint8_t byte;

	for (int how = 0; how < 2; how++) {
		int listener, peer;

		start();
		listener = stream(false);
		CU_ASSERT_EQUAL(bind_to(listener, IP_US, 0), 0);
		CU_ASSERT_EQUAL(pcx_listen(listener, 3), 0);
		peer = far_connect(1, port_of(listener));
		CU_ASSERT_EQUAL(how == 0 ? pcx_connect(listener, &none, sizeof(none))
		                         : pcx_shutdown(listener, SHUT_RDWR),
		                0);
		turns();
		CU_ASSERT(pc_recv(far[1], peer, &byte, 1, 0) == -1 && errno == ECONNRESET);
		CU_ASSERT_EQUAL(pc_close(far[1], peer), 0);
		CU_ASSERT(pcx_accept4(listener, NULL, NULL, 0) == -1 && errno == EINVAL);
		CU_ASSERT_EQUAL(pcx_listen(listener, 3), 0);
		for (unsigned lcore = 0; lcore < LCORES; lcore++) {
			peer = far_connect(lcore, port_of(listener));
			CU_ASSERT(pcx_accept4(listener, NULL, NULL, 0) >= 0);
			CU_ASSERT_EQUAL(pc_close(far[lcore], peer), 0);
		}
		finish();
	}
}

enum { PLAIN, ANY_FAMILY, OF_SOURCE, LEFT, LEFT_SOURCE, GROUPS };

static struct sockaddr_in group_addr(uint32_t g, uint16_t to)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(0xef010101 + g)};
}

static void join(int fd, uint32_t g)
{
	const struct sockaddr_in group = group_addr(g, 0),
	                         source = {.sin_family = AF_INET, .sin_addr.s_addr = IP_PEER};
	const struct ip_mreqn m = {.imr_multiaddr = group.sin_addr, .imr_address.s_addr = IP_US};
	struct group_source_req r = {.gsr_interface = 1};
	struct group_req any = {.gr_interface = 1};

	memcpy(&any.gr_group, &group, sizeof(group));
	memcpy(&r.gsr_group, &group, sizeof(group));
	memcpy(&r.gsr_source, &source, sizeof(source));
	if (g == PLAIN || g == LEFT)
		CU_ASSERT_EQUAL(pcx_setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)),
		                0);
	if (g == LEFT)
		CU_ASSERT_EQUAL(pcx_setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)),
		                0);
	if (g == ANY_FAMILY)
		CU_ASSERT_EQUAL(pcx_setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &any, sizeof(any)),
		                0);
	if (g == OF_SOURCE || g == LEFT_SOURCE)
		CU_ASSERT_EQUAL(
		    pcx_setsockopt(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &r, sizeof(r)), 0);
	if (g == LEFT_SOURCE)
		CU_ASSERT_EQUAL(
		    pcx_setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &r, sizeof(r)), 0);
}

/* A datagram to a group comes by any queue: all groups that were joined before bind() are joined on both lcores. */
static void groups_before_bind(void)
{
	const struct in_addr far_if = {.s_addr = IP_PEER};
	uint8_t byte;
	int fd;

	start();
	fd = pcx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	for (uint32_t g = 0; g < GROUPS; g++)
		join(fd, g);
	CU_ASSERT_EQUAL(bind_to(fd, 0, 5000), 0);
	for (unsigned i = 0; i < GROUPS * LCORES; i++) {
		const struct sockaddr_in group = group_addr(i % GROUPS, 5000);
		struct pc_stack *st = far[i / GROUPS];
		const int out = pc_socket(st, AF_INET, SOCK_DGRAM, 0);

		CU_ASSERT_EQUAL(
		    pc_setsockopt(st, out, IPPROTO_IP, IP_MULTICAST_IF, &far_if, sizeof(far_if)),
		    0);
		CU_ASSERT_EQUAL(
		    pc_sendto(st, out, "x", 1, 0, (const struct sockaddr *)&group, sizeof(group)),
		    1);
		turns();
		CU_ASSERT_EQUAL(pcx_recv(fd, &byte, 1, 0), i % GROUPS < LEFT ? 1 : -1);
		CU_ASSERT_EQUAL(pc_close(st, out), 0);
	}
	pcx_close(fd);
	finish();
}

/* TCP_INFO of a listener counts the connections that wait on either lcore. */
static void waiting_on_both(void)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int listener, peer[2 * LCORES];

	start();
	listener = stream(false);
	CU_ASSERT_EQUAL(bind_to(listener, IP_US, 80), 0);
	CU_ASSERT_EQUAL(pcx_listen(listener, 9), 0);
	for (unsigned i = 0; i < 2 * LCORES; i++)
		peer[i] = far_connect(i % LCORES, 80);
	CU_ASSERT_EQUAL(pcx_getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(info.tcpi_unacked, 2 * LCORES);
	CU_ASSERT_EQUAL(info.tcpi_sacked, 9);
	CU_ASSERT(pcx_accept4(listener, NULL, NULL, 0) >= 0);
	CU_ASSERT_EQUAL(pcx_getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(info.tcpi_unacked, 2 * LCORES - 1);
	for (unsigned i = 0; i < 2 * LCORES; i++)
		CU_ASSERT_EQUAL(pc_close(far[i % LCORES], peer[i]), 0);
	finish();
}

/* The end of the handshake and the first data in one burst: whoever accepts finds both. */
static void data_with_its_connection(void)
{
	const struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = IP_US};
	int listener, fd, peer, n = 0;

	start();
	listener = stream(false);
	CU_ASSERT_EQUAL(bind_to(listener, 0, 80), 0);
	CU_ASSERT_EQUAL(pcx_listen(listener, 4), 0);
	CU_ASSERT_EQUAL(pc_close(far[0], far_connect(0, 80)), 0); /* the peers know each other */
	pcx_close(pcx_accept4(listener, NULL, NULL, 0));
	turns();
	peer = pc_socket(far[0], AF_INET, SOCK_STREAM, 0);
	(void)pc_connect(far[0], peer, (const struct sockaddr *)&a, sizeof(a));
	pc_stack_flush(far[0], now);
	pc_stack_poll(near[0], now);
	pc_stack_flush(near[0], now);
	pc_stack_poll(far[0], now);
	CU_ASSERT_EQUAL(pc_send(far[0], peer, "early", 5, 0), 5);
	pc_stack_flush(far[0], now);
	pc_stack_poll(near[0], now);
	(void)pc_service_turn(service[0], now);
	fd = pcx_accept4(listener, NULL, NULL, 0);
	CU_ASSERT(fd >= 0);
	CU_ASSERT_EQUAL(pcx_ioctl(fd, FIONREAD, &n), 0);
	CU_ASSERT_EQUAL(n, 5);
	pcx_close(fd);
	pcx_close(listener);
	CU_ASSERT_EQUAL(pc_close(far[0], peer), 0);
	finish();
}

static const struct unit_case cases[] = {
    {"TCP_INFO of a listener", waiting_on_both},
    {"groups that are joined before bind()", groups_before_bind},
    {"bind(): attempts that have failed", bound_attempts},
    {"AF_UNSPEC, shutdown(): listeners", dissolved_listeners},
    {"bind(): connections on other lcores", connections_elsewhere},
    {"data that comes with its connection", data_with_its_connection},
};

int main(void)
{
	eal_start();
	pool = eal_pool("home", 8191);
	return unit_run("serve/home", cases, sizeof(cases) / sizeof(cases[0]));
}
