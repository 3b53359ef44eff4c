/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors: their ranges, that none is handed out twice, and what those that are not open say. */

#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "fixture.h"

/* sets, then UDP sockets, then TCBs; the TCBs of listeners are beside max_connections */
static void test_ranges(void)
{
	int fd;

	start();
	CU_ASSERT_EQUAL(us->sockets.first_udp, 1 + 2);
	CU_ASSERT_EQUAL(us->sockets.first_tcp, 3 + 3);
	CU_ASSERT_EQUAL(pc_fd_limit(us), 6 + 8 + 2 + 1);
	CU_ASSERT_EQUAL(pc_epoll_create(us), 1);
	CU_ASSERT_EQUAL(pc_epoll_create(us), 2);
	FAILS(pc_epoll_create(us), EMFILE);
	for (int i = 0; i < 3; i++) {
		fd = udp_fd();
		CU_ASSERT(fd >= 3 && fd < 6);
	}
	FAILS(udp_fd(), ENFILE);
	for (int i = 0; i < 8; i++) {
		fd = tcp_fd();
		CU_ASSERT(fd > 6 && fd < 17);
	}
	FAILS(tcp_fd(), ENFILE);
	finish();
}

/* defect 12 of the list: no descriptor in use is handed out */
static void test_unique(void)
{
	bool open[32] = {false};
	unsigned seed = 3, n = 0;

	start();
	for (int i = 0; i < 20000; i++) {
		int fd = (int)((unsigned)rand_r(&seed) % 17);

		if (fd >= 3 && open[fd]) {
			CU_ASSERT_EQUAL(pc_close(us, fd), 0);
			open[fd] = false;
			n--;
			continue;
		}
		fd = i % 2 ? tcp_fd() : udp_fd();
		if (fd < 0)
			continue;
		CU_ASSERT_FATAL(fd < 17 && !open[fd]);
		open[fd] = true;
		n++;
	}
	CU_ASSERT(n > 0);
	finish();
}

/* every call refuses every descriptor that is not open */
static void refuse_all(int fd)
{
	struct sockaddr_in a = addr_of(IP_PEER, 80);
	struct sockaddr *sa = (struct sockaddr *)&a;
	socklen_t len = sizeof(a);
	struct iovec iov = {&a, sizeof(a)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct epoll_event e = {.events = EPOLLIN};
	struct rte_mbuf *m = NULL;
	int value = 0;
	socklen_t value_len = sizeof(value);

	FAILS(pc_bind(us, fd, sa, len), EBADF);
	FAILS(pc_listen(us, fd, 1), EBADF);
	FAILS(pc_accept(us, fd, NULL, NULL), EBADF);
	FAILS(pc_connect(us, fd, sa, len), EBADF);
	FAILS(pc_recv(us, fd, &a, len, 0), EBADF);
	FAILS(pc_send(us, fd, &a, len, 0), EBADF);
	FAILS(pc_recvfrom(us, fd, &a, len, 0, NULL, NULL), EBADF);
	FAILS(pc_sendto(us, fd, &a, len, 0, sa, len), EBADF);
	FAILS(pc_recvmsg(us, fd, &msg, 0), EBADF);
	FAILS(pc_sendmsg(us, fd, &msg, 0), EBADF);
	FAILS(pc_readv(us, fd, &iov, 1), EBADF);
	FAILS(pc_writev(us, fd, &iov, 1), EBADF);
	FAILS(pc_readv(us, fd, &iov, -1), EBADF);
	FAILS(pc_recv_mbuf(us, fd, &m, NULL), EBADF);
	FAILS(pc_send_mbuf(us, fd, m, NULL), EBADF);
	FAILS(pc_shutdown(us, fd, 1), EBADF);
	FAILS(pc_getsockopt(us, fd, SOL_SOCKET, SO_ERROR, &value, &value_len), EBADF);
	FAILS(pc_setsockopt(us, fd, SOL_SOCKET, SO_REUSEADDR, &value, value_len), EBADF);
	FAILS(pc_getsockname(us, fd, sa, &len), EBADF);
	FAILS(pc_getpeername(us, fd, sa, &len), EBADF);
	FAILS(pc_ioctl(us, fd, SIOCINQ, &value), EBADF);
	FAILS(pc_epoll_ctl(us, 1, EPOLL_CTL_ADD, fd, &e), EBADF);
	FAILS(pc_close(us, fd), EBADF);
}

static void test_bad_descriptors(void)
{
	static const int bad[] = {-1, 0, 2, 3, 5, 6, 7, 16, 17, 18, 1000000, INT32_MAX, INT32_MIN};

	start();
	CU_ASSERT_EQUAL(pc_epoll_create(us), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse_all(bad[i]);
	finish();
}

/* a descriptor that was closed is stale, although its connection lives on */
static void test_stale(void)
{
	int far, fd, udp;

	start();
	CU_ASSERT_EQUAL(pc_epoll_create(us), 1);
	fd = pair(&far);
	CU_ASSERT_EQUAL(pc_close(us, fd), 0);
	refuse_all(fd);
	for (int i = 0; i < 6; i++)
		CU_ASSERT_NOT_EQUAL(tcp_fd(), fd); /* FIN-WAIT: the number is not free yet */
	udp = udp_fd();
	CU_ASSERT_EQUAL(pc_close(us, udp), 0);
	refuse_all(udp);
	finish();
}

static void test_socket(void)
{
	start();
	FAILS(pc_socket(us, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(pc_socket(us, AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	FAILS(pc_socket(us, AF_INET, 77, 0), EINVAL);
	FAILS(pc_socket(us, AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	FAILS(pc_socket(us, AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	CU_ASSERT(pc_socket(us, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) > 0);
	CU_ASSERT(pc_socket(us, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP) > 0);
	finish();
}

static void test_names(void)
{
	struct sockaddr_in a = addr_of(IP_PEER, 9);
	struct sockaddr *sa = (struct sockaddr *)&a;
	socklen_t len = sizeof(a);
	int far, fd, udp;

	start();
	fd = tcp_fd();
	CU_ASSERT_EQUAL(pc_getsockname(us, fd, sa, &len), 0);
	CU_ASSERT(a.sin_family == AF_INET && a.sin_addr.s_addr == 0 && a.sin_port == 0);
	FAILS(pc_getpeername(us, fd, sa, &len), ENOTCONN);
	a = addr_of(IP_US, 80);
	FAILS(pc_bind(us, fd, sa, 3), EINVAL);
	a.sin_family = AF_UNIX;
	FAILS(pc_bind(us, fd, sa, len), EAFNOSUPPORT);
	fd = pair(&far);
	CU_ASSERT_EQUAL(pc_getsockname(us, fd, sa, &len), 0);
	CU_ASSERT(a.sin_addr.s_addr == IP_US && a.sin_port == htons(80));
	CU_ASSERT_EQUAL(pc_getpeername(us, fd, sa, &len), 0);
	CU_ASSERT(a.sin_addr.s_addr == IP_PEER && a.sin_port != 0);
	udp = udp_fd();
	FAILS(pc_getpeername(us, udp, sa, &len), ENOTCONN);
	FAILS(pc_listen(us, udp, 1), EOPNOTSUPP);
	FAILS(pc_accept(us, udp, NULL, NULL), EOPNOTSUPP);
	FAILS(pc_accept(us, fd, NULL, NULL), EINVAL);
	a = addr_of(IP_PEER, 9);
	CU_ASSERT_EQUAL(pc_connect(us, udp, sa, len), 0);
	CU_ASSERT_EQUAL(pc_getpeername(us, udp, sa, &len), 0);
	a.sin_family = AF_UNSPEC;
	CU_ASSERT_EQUAL(pc_connect(us, udp, sa, len), 0);
	FAILS(pc_getpeername(us, udp, sa, &len), ENOTCONN);
	finish();
}

static void test_connect_again(void)
{
	const struct sockaddr_in a = addr_of(IP_PEER, 81);
	const struct sockaddr *sa = (const struct sockaddr *)&a;
	int far, fd, value = 0;
	socklen_t len = sizeof(value);

	start();
	fd = tcp_fd();
	FAILS(pc_connect(us, fd, sa, sizeof(a)), EINPROGRESS);
	FAILS(pc_connect(us, fd, sa, sizeof(a)), EALREADY);
	settle();
	CU_ASSERT_EQUAL(pc_getsockopt(us, fd, SOL_SOCKET, SO_ERROR, &value, &len), 0);
	CU_ASSERT_EQUAL(value, ECONNREFUSED);
	fd = pair(&far);
	FAILS(pc_connect(us, fd, sa, sizeof(a)), EISCONN);
	FAILS(pc_shutdown(us, fd, 7), EINVAL);
	CU_ASSERT_EQUAL(pc_shutdown(us, fd, 2), 0);
	FAILS(pc_shutdown(us, tcp_fd(), 2), ENOTCONN);
	finish();
}

static const struct unit_case cases[] = {
    {"the ranges of descriptors", test_ranges},
    {"none is handed out twice", test_unique},
    {"descriptors that are none", test_bad_descriptors},
    {"stale descriptors", test_stale},
    {"socket", test_socket},
    {"names", test_names},
    {"connect twice, shutdown", test_connect_again},
};

SOCK_UNIT_MAIN("sock")
