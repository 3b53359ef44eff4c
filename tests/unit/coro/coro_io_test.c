/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that wait: servers and clients in coroutines on two stacks. */

#include <rte_mbuf.h>

#include "fixture.h"

#define PORT 7
#define BIG  300000

static int listening, done;
static char big[BIG], back[BIG];

static int echo(struct pc_coro *co, void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[4096];
	ssize_t n;

	while ((n = pc_coro_recv(co, fd, buf, sizeof(buf), 0)) > 0)
		CU_ASSERT_EQUAL(pc_coro_send(co, fd, buf, (size_t)n, 0), n);
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	return 0;
}

static int serve(struct pc_coro *co, void *arg)
{
	int fd;

	(void)arg;
	while ((fd = pc_coro_accept(co, listening, NULL, NULL)) > 0)
		CU_ASSERT(pc_coro_spawn(pc_coro_set(co), echo, (void *)(intptr_t)fd, 0) != 0);
	CU_ASSERT_EQUAL(errno, ECANCELED);
	return 0;
}

static int dial(struct pc_coro *co)
{
	struct sockaddr_in a = at(PORT);
	int fd = pc_socket(pc_coro_stack(co), AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(pc_coro_connect(co, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static int client(struct pc_coro *co, void *arg)
{
	char buf[8];
	int fd = dial(co);

	for (int i = 0; i < 10; i++) {
		CU_ASSERT_EQUAL(pc_coro_send(co, fd, "hello", 5, 0), 5);
		CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 5, MSG_WAITALL), 5);
		CU_ASSERT_EQUAL(memcmp(buf, "hello", 5), 0);
	}
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	(void)arg;
	return 0;
}

static void run_clients(pc_coro_fn fn, int n)
{
	uint64_t server;

	start(20);
	done = 0;
	listening = listener(PORT);
	server = pc_coro_spawn(ours, serve, NULL, 0);
	for (int i = 0; i < n; i++)
		CU_ASSERT(pc_coro_spawn(theirs, fn, NULL, 0) != 0);
	for (int i = 0; i < 10000 && pc_coros_count(theirs) > 0; i++)
		turns(1, MS);
	CU_ASSERT_EQUAL(pc_coro_cancel(ours, server), 0);
	until_quiet();
	CU_ASSERT_EQUAL(done, n);
	CU_ASSERT_EQUAL(pc_close(us, listening), 0);
	finish();
}

static void test_echo(void)
{
	run_clients(client, 8);
}

/* one coroutine writes while another reads the same socket */
static int write_big(struct pc_coro *co, void *arg)
{
	int fd = (int)(intptr_t)arg;

	CU_ASSERT_EQUAL(pc_coro_send(co, fd, big, BIG, 0), BIG);
	CU_ASSERT_EQUAL(pc_shutdown(pc_coro_stack(co), fd, SHUT_WR), 0);
	return 0;
}

static int client_big(struct pc_coro *co, void *arg)
{
	int fd = dial(co), size = 9000;
	uint64_t writer;

	(void)arg;
	for (int i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 / 5);
	CU_ASSERT_EQUAL(pc_setsockopt(peer, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	writer = pc_coro_spawn(theirs, write_big, (void *)(intptr_t)fd, PC_CORO_JOINABLE);
	memset(back, 0, BIG);
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, back, BIG, MSG_WAITALL), BIG);
	CU_ASSERT_EQUAL(memcmp(big, back, BIG), 0);
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, back, 10, MSG_WAITALL), 0);
	CU_ASSERT_EQUAL(pc_coro_join(co, writer, NULL), 0);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_both_ways(void)
{
	run_clients(client_big, 1);
}

/* gathered writes that find no room are finished, in order */
static int client_vectors(struct pc_coro *co, void *arg)
{
	int fd = dial(co), size = 5000;
	struct iovec out[4] = {{big, 100000}, {NULL, 0}, {big + 100000, 1}, {big + 100001, 19999}};
	struct iovec in[2] = {{back, 10}, {back + 10, BIG - 10}};
	ssize_t n, got = 0;

	(void)arg;
	CU_ASSERT_EQUAL(pc_setsockopt(peer, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	CU_ASSERT_EQUAL(pc_coro_writev(co, fd, out, 4), 120000);
	CU_ASSERT_EQUAL(pc_shutdown(peer, fd, SHUT_WR), 0);
	memset(back, 0, BIG);
	while ((n = pc_coro_readv(co, fd, in, 2)) > 0) {
		got += n;
		in[0] = (struct iovec){back + got, 0};
		in[1] = (struct iovec){back + got, (size_t)(BIG - got)};
	}
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_EQUAL(got, 120000);
	CU_ASSERT_EQUAL(memcmp(big, back, 120000), 0);
	FAILS(pc_coro_writev(co, fd, out, -1), EINVAL);
	FAILS(pc_coro_writev(co, fd, out, 1025), EINVAL);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_vectors(void)
{
	run_clients(client_vectors, 1);
}

static int client_mbufs(struct pc_coro *co, void *arg)
{
	struct rte_mbuf *m = NULL;
	char buf[100];
	int fd = dial(co);

	(void)arg;
	CU_ASSERT_EQUAL(pc_coro_send(co, fd, "mbuf", 4, 0), 4);
	CU_ASSERT_EQUAL(pc_coro_recv_mbuf(co, fd, &m, NULL), 1);
	CU_ASSERT_EQUAL(m->pkt_len, 4);
	CU_ASSERT_EQUAL(pc_coro_send_mbuf(co, fd, m, NULL), 0);
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 100, 0), 4);
	CU_ASSERT_EQUAL(pc_coro_wait(co, fd, EPOLLIN | EPOLLOUT), EPOLLOUT);
	FAILS(pc_coro_recv(co, fd, buf, 100, MSG_DONTWAIT), EAGAIN);
	CU_ASSERT_EQUAL(pc_coro_send(co, fd, "norm", 4, 0), 4);
	CU_ASSERT_EQUAL(pc_coro_wait(co, fd, EPOLLRDNORM), EPOLLRDNORM); /* EPOLLIN's other name */
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 100, 0), 4);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	FAILS(pc_coro_recv(co, fd, buf, 100, 0), EBADF);
	FAILS(pc_coro_wait(co, fd, EPOLLIN), EBADF);
	FAILS(pc_coro_close(co, fd), EBADF);
	done++;
	return 0;
}

static void test_mbufs(void)
{
	run_clients(client_mbufs, 1);
}

/* For each byte that comes, "abcdef" of which c is urgent: at once, or as others wait for it. */
static int serve_urgent(struct pc_coro *co, void *arg)
{
	char c;
	int fd = pc_coro_accept(co, listening, NULL, NULL);

	(void)arg;
	for (bool slow = false; pc_coro_recv(co, fd, &c, 1, 0) > 0; slow = !slow) {
		CU_ASSERT_EQUAL(pc_coro_send(co, fd, "ab", 2, 0), 2);
		if (slow)
			CU_ASSERT_EQUAL(pc_coro_sleep(co, 5 * MS), 0);
		CU_ASSERT_EQUAL(pc_coro_send(co, fd, "c", 1, MSG_OOB), 1);
		CU_ASSERT_EQUAL(pc_coro_send(co, fd, "def", 3, 0), 3);
	}
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	return 0;
}

static int reads_up_to_mark(struct pc_coro *co, void *arg)
{
	char buf[8] = "";
	int fd = dial(co);

	(void)arg;
	for (int round = 0; round < 4; round++) {
		const int in_line = round < 2;

		CU_ASSERT_EQUAL(
		    pc_setsockopt(peer, fd, SOL_SOCKET, SO_OOBINLINE, &in_line, sizeof(in_line)),
		    0);
		CU_ASSERT_EQUAL(pc_coro_send(co, fd, "x", 1, 0), 1);
		if (round % 2 == 0)
			CU_ASSERT_EQUAL(pc_coro_sleep(co, 20 * MS), 0);
		CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 6, MSG_WAITALL), 2);
		CU_ASSERT_EQUAL(memcmp(buf, "ab", 2), 0);
		CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 3 + (size_t)in_line, MSG_WAITALL),
		                3 + in_line);
		CU_ASSERT_EQUAL(memcmp(buf, in_line ? "cdef" : "def", 3), 0);
	}
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_urgent(void)
{
	start(20);
	done = 0;
	listening = listener(PORT);
	CU_ASSERT(pc_coro_spawn(ours, serve_urgent, NULL, 0) != 0);
	CU_ASSERT(pc_coro_spawn(theirs, reads_up_to_mark, NULL, 0) != 0);
	for (int i = 0; i < 1000 && pc_coros_count(theirs) > 0; i++)
		turns(1, MS);
	until_quiet();
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_EQUAL(pc_close(us, listening), 0);
	finish();
}

static int impatient(struct pc_coro *co, void *arg)
{
	struct sockaddr_in nobody = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr = {0x090200c0}};
	uint64_t begin = pc_coro_now_ns(co);
	char buf[4];
	int fd = dial(co);

	(void)arg;
	pc_coro_set_timeout(co, 50 * MS);
	FAILS(pc_coro_recv(co, fd, buf, 4, 0), EAGAIN);
	CU_ASSERT(pc_coro_now_ns(co) - begin >= 50 * MS && pc_coro_now_ns(co) - begin < 60 * MS);
	CU_ASSERT_EQUAL(pc_coro_send(co, fd, "ab", 2, 0), 2);
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 4, MSG_WAITALL), 2); /* and then nothing */
	CU_ASSERT_EQUAL(pc_coro_wait(co, fd, EPOLLIN), 0);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	fd = pc_socket(peer, AF_INET, SOCK_STREAM, 0);
	FAILS(pc_coro_connect(co, fd, (struct sockaddr *)&nobody, sizeof(nobody)), EINPROGRESS);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_timeouts(void)
{
	run_clients(impatient, 1);
}

static int refused(struct pc_coro *co, void *arg)
{
	struct sockaddr_in a = at(99);
	int fd = pc_socket(peer, AF_INET, SOCK_STREAM, 0);

	(void)arg;
	FAILS(pc_coro_connect(co, fd, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_refused(void)
{
	run_clients(refused, 1);
}

static int datagrams(struct pc_coro *co, void *arg)
{
	struct sockaddr_in a = at(9), from;
	socklen_t len = sizeof(from);
	struct pc_stack *st = pc_coro_stack(co);
	char buf[32], two[2][2];
	struct iovec iov[2] = {{two[0], 2}, {two[1], 2}};
	struct msghdr msg = {
	    .msg_iov = iov, .msg_iovlen = 2, .msg_name = &a, .msg_namelen = sizeof(a)};
	int fd = pc_socket(st, AF_INET, SOCK_DGRAM, 0);

	if (arg != NULL) {
		CU_ASSERT_EQUAL(pc_bind(st, fd, (struct sockaddr *)&a, sizeof(a)), 0);
		for (int i = 0; i < 3; i++) {
			ssize_t n = pc_coro_recvfrom(co, fd, buf, 32, MSG_WAITALL,
			                             (struct sockaddr *)&from, &len);

			CU_ASSERT_EQUAL(pc_coro_sendto(co, fd, buf, (size_t)n, 0,
			                               (struct sockaddr *)&from, len),
			                n);
		}
	} else {
		pc_coro_sleep(co, 3 * MS);
		CU_ASSERT_EQUAL(pc_coro_sendto(co, fd, "", 0, 0, (struct sockaddr *)&a, sizeof(a)),
		                0);
		CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 32, 0), 0);
		CU_ASSERT_EQUAL(
		    pc_coro_sendto(co, fd, "abcd", 4, 0, (struct sockaddr *)&a, sizeof(a)), 4);
		CU_ASSERT_EQUAL(pc_coro_recvmsg(co, fd, &msg, 0), 4);
		CU_ASSERT_EQUAL(memcmp(two, "abcd", 4), 0);
		msg.msg_namelen = sizeof(a);
		CU_ASSERT_EQUAL(pc_coro_sendmsg(co, fd, &msg, 0), 4);
		CU_ASSERT_EQUAL(pc_coro_recv(co, fd, buf, 32, 0), 4);
		done++;
	}
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	return 0;
}

static void test_datagrams(void)
{
	start(4);
	done = 0;
	CU_ASSERT(pc_coro_spawn(ours, datagrams, (void *)1, 0) != 0);
	CU_ASSERT(pc_coro_spawn(theirs, datagrams, NULL, 0) != 0);
	until_quiet();
	CU_ASSERT_EQUAL(done, 1);
	finish();
}

static int stuck(struct pc_coro *co, void *arg)
{
	char buf[4];

	(void)arg;
	FAILS(pc_coro_accept(co, listening, NULL, NULL), EBADF);
	FAILS(pc_coro_recv(co, listening, buf, 4, 0), EBADF);
	done++;
	return 0;
}

static int closer(struct pc_coro *co, void *arg)
{
	(void)arg;
	pc_coro_sleep(co, 5 * MS);
	CU_ASSERT_EQUAL(pc_coro_close(co, listening), 0);
	return 0;
}

/* who waits for a socket that another closes is told, however many they are */
static void test_closed(void)
{
	start(5);
	done = 0;
	listening = listener(PORT);
	for (int i = 0; i < 3; i++)
		CU_ASSERT(pc_coro_spawn(ours, stuck, NULL, 0) != 0);
	CU_ASSERT(pc_coro_spawn(ours, closer, NULL, 0) != 0);
	until_quiet();
	CU_ASSERT_EQUAL(done, 3);
	finish();
}

static int cancelled(struct pc_coro *co, void *arg)
{
	FAILS(pc_coro_accept(co, listening, NULL, NULL), ECANCELED);
	FAILS(pc_coro_accept(co, listening, NULL, NULL), ECANCELED);
	done++;
	(void)arg;
	return 0;
}

/* the one in the middle of those who wait leaves their list */
static void test_cancelled(void)
{
	uint64_t number[3];

	start(5);
	done = 0;
	listening = listener(PORT);
	for (int i = 0; i < 3; i++)
		number[i] = pc_coro_spawn(ours, cancelled, NULL, 0);
	turns(2, MS);
	CU_ASSERT_EQUAL(pc_coro_cancel(ours, number[1]), 0);
	turns(1, MS);
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_EQUAL(pc_coro_cancel(ours, number[0]), 0);
	CU_ASSERT_EQUAL(pc_coro_cancel(ours, number[2]), 0);
	turns(1, MS);
	CU_ASSERT_EQUAL(done, 3);
	CU_ASSERT_EQUAL(pc_close(us, listening), 0);
	finish();
}

static int busy(struct pc_coro *co, void *arg)
{
	(void)arg;
	FAILS(pc_coro_accept(co, listening, NULL, NULL), EBUSY);
	done++;
	return 0;
}

static void test_other_set(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int epoll;

	start(2);
	done = 0;
	listening = listener(PORT);
	epoll = pc_epoll_create(us);
	CU_ASSERT_EQUAL(pc_epoll_ctl(us, epoll, EPOLL_CTL_ADD, listening, &ev), 0);
	CU_ASSERT(pc_coro_spawn(ours, busy, NULL, 0) != 0);
	turns(1, MS);
	CU_ASSERT_EQUAL(done, 1);
	finish();
}

/* two wait for one datagram; the first closes the socket, and its number is another one's before the second runs */
static int successor;

static int gives_away(struct pc_coro *co, void *arg)
{
	int fd = (int)(intptr_t)arg;

	CU_ASSERT_EQUAL(pc_coro_wait(co, fd, EPOLLIN), EPOLLIN);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	successor = pc_socket(pc_coro_stack(co), AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(successor, fd);
	return 0;
}

static int left_behind(struct pc_coro *co, void *arg)
{
	char buf[8];

	pc_coro_set_timeout(co, 100 * MS);
	FAILS(pc_coro_recv(co, (int)(intptr_t)arg, buf, sizeof(buf), 0), EBADF);
	done++;
	return 0;
}

static void test_given_away(void)
{
	struct sockaddr_in a = at(9);
	int fd, far;

	start(4);
	done = 0;
	fd = pc_socket(us, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(pc_bind(us, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT(pc_coro_spawn(ours, gives_away, (void *)(intptr_t)fd, 0) != 0);
	CU_ASSERT(pc_coro_spawn(ours, left_behind, (void *)(intptr_t)fd, 0) != 0);
	far = pc_socket(peer, AF_INET, SOCK_DGRAM, 0);
	turns(2, MS);
	CU_ASSERT_EQUAL(pc_sendto(peer, far, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	until_quiet();
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_EQUAL(pc_close(us, successor), 0);
	CU_ASSERT_EQUAL(pc_close(peer, far), 0);
	finish();
}

/* sends 50 bytes, does not read, and resets the connection */
static int resetter(struct pc_coro *co, void *arg)
{
	const struct linger at_once = {.l_onoff = 1};
	int fd = pc_coro_accept(co, listening, NULL, NULL);

	(void)arg;
	CU_ASSERT_EQUAL(pc_coro_send(co, fd, big, 50, 0), 50);
	pc_coro_sleep(co, 50 * MS);
	CU_ASSERT_EQUAL(pc_setsockopt(us, fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	return 0;
}

/* what a call has done before the reset it tells; the next one tells the reset */
static int reads_part(struct pc_coro *co, void *arg)
{
	int fd = dial(co);

	(void)arg;
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, back, 100, MSG_WAITALL), 50);
	FAILS(pc_coro_recv(co, fd, back, 100, MSG_WAITALL), ECONNRESET);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static int sends_part(struct pc_coro *co, void *arg)
{
	struct iovec out[2] = {{big, 1000}, {big + 1000, BIG - 1000}};
	int fd = dial(co), size = 9000;
	ssize_t n;

	CU_ASSERT_EQUAL(pc_setsockopt(peer, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	n = arg == NULL ? pc_coro_send(co, fd, big, BIG, 0) : pc_coro_writev(co, fd, out, 2);
	CU_ASSERT(n > 1000 && n < BIG);
	FAILS(pc_coro_send(co, fd, big, 1, 0), ECONNRESET);
	FAILS(pc_coro_send(co, fd, big, 1, 0), EPIPE);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_reset_midway(void)
{
	const int size = 8192;

	start(4);
	done = 0;
	listening = listener(PORT);
	CU_ASSERT_EQUAL(pc_setsockopt(us, listening, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
	                0);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(pc_coro_spawn(ours, resetter, NULL, 0) != 0);
		CU_ASSERT(pc_coro_spawn(theirs, i == 0 ? reads_part : sends_part,
		                        i == 2 ? &done : NULL, 0) != 0);
		until_quiet();
	}
	CU_ASSERT_EQUAL(done, 3);
	CU_ASSERT_EQUAL(pc_close(us, listening), 0);
	finish();
}

/* connect(2): a blocking call waits for an attempt that is under way */
static int comes_back(struct pc_coro *co, void *arg)
{
	struct sockaddr_in a = at(PORT);
	int fd = pc_socket(peer, AF_INET, SOCK_STREAM, 0);

	(void)arg;
	FAILS(pc_connect(peer, fd, (struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	CU_ASSERT_EQUAL(pc_coro_connect(co, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(pc_coro_send(co, fd, "x", 1, 0), 1);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_connect_twice(void)
{
	run_clients(comes_back, 1);
}

static int gives_up(struct pc_coro *co, void *arg)
{
	const int fd = (int)(intptr_t)arg;
	int error = 0;
	socklen_t len = sizeof(error);

	pc_coro_sleep(co, 5 * MS);
	CU_ASSERT_EQUAL(pc_shutdown(peer, fd, SHUT_RDWR), 0);
	CU_ASSERT_EQUAL(pc_getsockopt(peer, fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return 0;
}

/* an attempt that somebody else has ended is no connection */
static int given_up(struct pc_coro *co, void *arg)
{
	struct sockaddr_in nobody = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr = {0x090200c0}};
	int fd = pc_socket(peer, AF_INET, SOCK_STREAM, 0);

	(void)arg;
	CU_ASSERT(pc_coro_spawn(theirs, gives_up, (void *)(intptr_t)fd, 0) != 0);
	FAILS(pc_coro_connect(co, fd, (struct sockaddr *)&nobody, sizeof(nobody)), ECONNABORTED);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_given_up(void)
{
	run_clients(given_up, 1);
}

/* recv(2): neither the queue of errors nor an urgent byte is waited for */
static int asks(struct pc_coro *co, void *arg)
{
	_Alignas(struct cmsghdr) char control[64];
	char c;
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	const int on = 1;
	int fd = dial(co);

	(void)arg;
	FAILS(pc_coro_recvmsg(co, fd, &m, MSG_ERRQUEUE), EAGAIN);
	FAILS(pc_coro_recv(co, fd, &c, 1, MSG_OOB), EINVAL);
	CU_ASSERT_EQUAL(pc_setsockopt(peer, fd, IPPROTO_TCP, TCP_INQ, &on, sizeof(on)), 0);
	CU_ASSERT_EQUAL(pc_coro_send(co, fd, "ab", 2, 0), 2);
	CU_ASSERT_EQUAL(pc_coro_recvmsg(co, fd, &m, 0), 1); /* which has waited */
	CU_ASSERT_EQUAL(m.msg_controllen, CMSG_SPACE(sizeof(int)));
	CU_ASSERT_EQUAL(pc_coro_recv(co, fd, &c, 1, 0), 1);
	CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	done++;
	return 0;
}

static void test_asked(void)
{
	run_clients(asks, 1);
}

/* RFC 7413: the first connection asks for a cookie, and waits; the second one's SYN has bytes, and the rest follows */
static int opens_fast(struct pc_coro *co, void *arg)
{
	struct sockaddr_in a = at(PORT);

	(void)arg;
	for (int i = 0; i < 2; i++) {
		int fd = pc_socket(peer, AF_INET, SOCK_STREAM, 0);

		CU_ASSERT_EQUAL(pc_coro_sendto(co, fd, big, 20000, MSG_FASTOPEN,
		                               (struct sockaddr *)&a, sizeof(a)),
		                20000);
		CU_ASSERT_EQUAL(pc_coro_recv(co, fd, back, 20000, MSG_WAITALL), 20000);
		CU_ASSERT_EQUAL(pc_coro_close(co, fd), 0);
	}
	done++;
	return 0;
}

static void test_fast_open(void)
{
	run_clients(opens_fast, 1);
}

/* the last descriptor that there is can be waited for as any other; listeners have theirs beside max_connections */
static int waits_for_all(struct pc_coro *co, void *arg)
{
	const struct sockaddr_in nobody = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr = {0x090200c0}};
	int fd, last = 0;

	(void)arg;
	pc_coro_set_timeout(co, MS);
	for (int i = 0; (fd = pc_socket(us, AF_INET, SOCK_STREAM, 0)) > 0; i++) {
		last = fd;
		if (i < 2) {
			CU_ASSERT_EQUAL(pc_listen(us, fd, 1), 0);
			continue;
		}
		FAILS(pc_coro_connect(co, fd, (const struct sockaddr *)&nobody, sizeof(nobody)),
		      EINPROGRESS);
	}
	CU_ASSERT_EQUAL(last + 1, (int)pc_fd_limit(us));
	done++;
	return 0;
}

static void test_last_descriptor(void)
{
	start(2);
	done = 0;
	CU_ASSERT(pc_coro_spawn(ours, waits_for_all, NULL, 0) != 0);
	until_quiet();
	CU_ASSERT_EQUAL(done, 1);
	finish();
}

static const struct unit_case cases[] = {
    {"an echo server and its clients", test_echo},
    {"one reads while another writes", test_both_ways},
    {"vectors", test_vectors},
    {"mbufs, events, descriptors that are closed", test_mbufs},
    {"MSG_WAITALL ends in front of an urgent byte", test_urgent},
    {"time-outs", test_timeouts},
    {"a connection refused", test_refused},
    {"datagrams", test_datagrams},
    {"closed by another", test_closed},
    {"cancelled", test_cancelled},
    {"a socket in another epoll set", test_other_set},
    {"a descriptor given away", test_given_away},
    {"a reset midway", test_reset_midway},
    {"connecting twice", test_connect_twice},
    {"an attempt that another ends", test_given_up},
    {"what is not waited for", test_asked},
    {"Fast Open", test_fast_open},
    {"the last descriptor", test_last_descriptor},
};

CORO_UNIT_MAIN("coro_io")
