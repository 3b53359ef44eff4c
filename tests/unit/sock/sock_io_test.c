/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that move bytes, over TCP and UDP: vectors, flags, messages, mbufs, SIOCINQ. */

#include <sys/ioctl.h>

#include <linux/sockios.h>
#include <rte_mbuf.h>

#include "fixture.h"

static int ask(int fd, unsigned long request)
{
	int value = -1;

	CU_ASSERT_EQUAL(pc_ioctl(us, fd, request, &value), 0);
	return value;
}

static void test_stream(void)
{
	char a[3] = {0}, c[10] = {0};
	struct iovec iov[2] = {{a, 3}, {c, 10}};
	int fd, far;

	start();
	fd = pair(&far);
	FAILS(pc_recv(us, fd, a, 3, 0), EAGAIN);
	CU_ASSERT_EQUAL(pc_send(peer, far, "hello world", 11, 0), 11);
	settle();
	CU_ASSERT_EQUAL(ask(fd, SIOCINQ), 11);
	CU_ASSERT_EQUAL(pc_recv(us, fd, c, 10, MSG_PEEK), 10);
	CU_ASSERT_EQUAL(pc_readv(us, fd, iov, 2), 11);
	CU_ASSERT_EQUAL(memcmp(a, "hel", 3), 0);
	CU_ASSERT_EQUAL(memcmp(c, "lo world", 8), 0);
	CU_ASSERT_EQUAL(pc_send(peer, far, "0123456789", 10, 0), 10);
	settle();
	CU_ASSERT_EQUAL(pc_recv(us, fd, NULL, 4, MSG_TRUNC), 4); /* dropped */
	CU_ASSERT_EQUAL(pc_recv(us, fd, c, 10, 0), 6);
	CU_ASSERT_EQUAL(memcmp(c, "456789", 6), 0);
	FAILS(pc_recv(us, fd, c, 10, MSG_OOB), EINVAL);
	CU_ASSERT_EQUAL(pc_writev(us, fd, iov, 2), 13);
	CU_ASSERT_EQUAL(ask(fd, SIOCOUTQ), 13);
	settle();
	CU_ASSERT_EQUAL(ask(fd, SIOCOUTQ), 0);
	CU_ASSERT_EQUAL(pc_recv(peer, far, c, 10, 0), 10);
	finish();
}

static void test_vectors(void)
{
	static struct iovec iov[1025];
	char c = 0;
	int fd, far;

	start();
	fd = pair(&far);
	for (int i = 0; i < 1025; i++)
		iov[i] = (struct iovec){&c, 1};
	FAILS(pc_readv(us, fd, iov, -1), EINVAL);
	FAILS(pc_writev(us, fd, iov, 1025), EINVAL);
	CU_ASSERT_EQUAL(pc_readv(us, fd, iov, 0), 0);
	CU_ASSERT_EQUAL(pc_writev(us, fd, iov, 0), 0);
	CU_ASSERT_EQUAL(pc_writev(us, fd, iov, 1024), 1024);
	finish();
}

static void test_datagrams(void)
{
	struct sockaddr_in to = addr_of(IP_US, 7), from;
	socklen_t len = sizeof(from);
	char buf[10] = {0};
	struct iovec iov[2] = {{buf, 2}, {buf + 2, 2}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	int fd, far;

	start();
	fd = udp_fd();
	CU_ASSERT_EQUAL(bind_fd(fd, 7), 0);
	far = pc_socket(peer, AF_INET, SOCK_DGRAM, 0);
	FAILS(pc_recv(us, fd, buf, 10, 0), EAGAIN);
	for (int i = 0; i < 4; i++, settle())
		CU_ASSERT_EQUAL(
		    pc_sendto(peer, far, "abcdef", 6, 0, (struct sockaddr *)&to, sizeof(to)), 6);
	CU_ASSERT_EQUAL(ask(fd, SIOCINQ), 6); /* of the next one, not of all */
	CU_ASSERT_EQUAL(pc_recvfrom(us, fd, buf, 10, MSG_PEEK, (struct sockaddr *)&from, &len), 6);
	CU_ASSERT_EQUAL(from.sin_addr.s_addr, IP_PEER);
	CU_ASSERT_EQUAL(pc_recv(us, fd, buf, 3, 0), 3); /* the rest is gone */
	CU_ASSERT_EQUAL(pc_recv(us, fd, buf, 3, MSG_TRUNC), 6);
	CU_ASSERT_EQUAL(pc_recvmsg(us, fd, &msg, 0), 4);
	CU_ASSERT_EQUAL(msg.msg_flags, MSG_TRUNC);
	CU_ASSERT_EQUAL(memcmp(buf, "abcd", 4), 0);
	CU_ASSERT_EQUAL(pc_recv(us, fd, buf, 10, 0), 6);
	FAILS(pc_recv(us, fd, buf, 10, 0), EAGAIN);
	FAILS(pc_send(us, fd, buf, 10, 0), EDESTADDRREQ);
	CU_ASSERT_EQUAL(pc_sendto(us, fd, NULL, 0, 0, (struct sockaddr *)&from, len), 0);
	settle();
	CU_ASSERT_EQUAL(pc_recv(peer, far, buf, 10, 0), 0); /* an empty datagram is one */
	FAILS(pc_recv(peer, far, buf, 10, 0), EAGAIN);
	finish();
}

static void test_too_long(void)
{
	static char big[70000];
	struct sockaddr_in to = addr_of(IP_PEER, 7);
	int fd;

	start();
	fd = udp_fd();
	FAILS(pc_sendto(us, fd, big, 65508, 0, (struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
	FAILS(pc_sendto(us, fd, big, 10, 0, (struct sockaddr *)&to, 3), EINVAL);
	to.sin_family = AF_UNIX;
	FAILS(pc_sendto(us, fd, big, 10, 0, (struct sockaddr *)&to, sizeof(to)), EAFNOSUPPORT);
	finish();
}

static void test_mbufs(void)
{
	struct pc_endpoint from;
	struct rte_mbuf *m;
	int fd, far;

	start();
	fd = pair(&far);
	FAILS(pc_recv_mbuf(us, fd, &m, &from), EAGAIN);
	CU_ASSERT_PTR_NULL(m);
	CU_ASSERT_EQUAL(pc_send(peer, far, "hello", 5, 0), 5);
	settle();
	CU_ASSERT_EQUAL(pc_recv_mbuf(us, fd, &m, &from), 1);
	CU_ASSERT_EQUAL(m->pkt_len, 5);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, char *), "hello", 5), 0);
	CU_ASSERT_EQUAL(pc_addr_get_ip4(&from.addr), IP_PEER);
	CU_ASSERT_EQUAL(pc_send_mbuf(us, fd, m, NULL), 0); /* back, without a copy */
	settle();
	CU_ASSERT_EQUAL(pc_close(peer, far), 0);
	settle();
	FAILS(pc_recv_mbuf(us, fd, &m, NULL), ECONNRESET); /* it closed with bytes unread */
	finish();
}

static void test_ioctl(void)
{
	int fd, value = 0;

	start();
	fd = tcp_fd();
	CU_ASSERT_EQUAL(pc_ioctl(us, fd, FIONBIO, &value), 0);
	FAILS(pc_ioctl(us, fd, 0x1234, &value), ENOTTY);
	CU_ASSERT_EQUAL(bind_fd(fd, 80), 0);
	CU_ASSERT_EQUAL(pc_listen(us, fd, 1), 0);
	FAILS(pc_ioctl(us, fd, SIOCINQ, &value), EINVAL);
	FAILS(pc_ioctl(us, fd, SIOCOUTQ, &value), EINVAL);
	finish();
}

static const struct unit_case cases[] = {
    {"a stream", test_stream},     {"vectors", test_vectors},
    {"datagrams", test_datagrams}, {"datagrams that cannot be", test_too_long},
    {"mbufs", test_mbufs},         {"ioctl", test_ioctl},
};

SOCK_UNIT_MAIN("sock_io")
