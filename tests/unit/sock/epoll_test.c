/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll and poll: who is told what, how often, and in which order. */

#include "fixture.h"

#define MANY 40

static int ep;

static void add(int fd, uint32_t events)
{
	struct epoll_event e = {.events = events,
	                        .data.u64 = UINT64_C(0xabcd00000000) + (uint32_t)fd};

	CU_ASSERT_EQUAL(pc_epoll_ctl(us, ep, EPOLL_CTL_ADD, fd, &e), 0);
}

static void mod(int fd, uint32_t events)
{
	struct epoll_event e = {.events = events,
	                        .data.u64 = UINT64_C(0xabcd00000000) + (uint32_t)fd};

	CU_ASSERT_EQUAL(pc_epoll_ctl(us, ep, EPOLL_CTL_MOD, fd, &e), 0);
}

/* waits for one event of this socket; 0: there was none */
static uint32_t wait_for(int fd)
{
	struct epoll_event e[8];
	int n = pc_epoll_wait(us, ep, e, 8);

	CU_ASSERT(n >= 0 && n <= 1);
	if (n != 1)
		return 0;
	CU_ASSERT_EQUAL(e[0].data.u64, UINT64_C(0xabcd00000000) + (uint32_t)fd);
	return e[0].events;
}

static void say(int far, const char *what)
{
	CU_ASSERT_EQUAL(pc_send(peer, far, what, strlen(what), 0), (ssize_t)strlen(what));
	settle();
}

static void test_level(void)
{
	char buf[10];
	int far, fd;

	start();
	ep = pc_epoll_create(us);
	fd = pair(&far);
	add(fd, EPOLLIN);
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	say(far, "hello");
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	CU_ASSERT_EQUAL(pc_recv(us, fd, buf, 3, 0), 3);
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	CU_ASSERT_EQUAL(pc_recv(us, fd, buf, 9, 0), 2);
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	mod(fd, EPOLLIN | EPOLLOUT);
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLOUT);
	finish();
}

static void test_edge(void)
{
	char buf[10];
	int far, fd;

	start();
	ep = pc_epoll_create(us);
	fd = pair(&far);
	say(far, "early"); /* defect 10: before it is added */
	add(fd, EPOLLIN | EPOLLET);
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	CU_ASSERT_EQUAL(pc_recv(us, fd, buf, 2, 0), 2);
	CU_ASSERT_EQUAL(wait_for(fd), 0); /* unread bytes are no new event */
	say(far, "a");
	say(far, "b");
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	mod(fd, EPOLLIN | EPOLLET); /* asks anew */
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	finish();
}

static void test_oneshot(void)
{
	int far, fd;

	start();
	ep = pc_epoll_create(us);
	fd = pair(&far);
	add(fd, EPOLLIN | EPOLLONESHOT);
	say(far, "a");
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	say(far, "b");
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	mod(fd, EPOLLIN | EPOLLONESHOT);
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN);
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	finish();
}

/* the next wait begins where the last one stopped: nobody starves */
static void test_fair(void)
{
	struct epoll_event e[2];
	int far[6], fd[6], seen[32] = {0};

	start();
	ep = pc_epoll_create(us);
	for (int i = 0; i < 6; i++) {
		fd[i] = pair(&far[i]);
		add(fd[i], EPOLLIN);
		say(far[i], "x");
	}
	for (int i = 0; i < 9; i++) {
		CU_ASSERT_EQUAL(pc_epoll_wait(us, ep, e, 2), 2);
		seen[(uint32_t)e[0].data.u64]++;
		seen[(uint32_t)e[1].data.u64]++;
	}
	for (int i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(seen[fd[i]], 3);
	CU_ASSERT_EQUAL(pc_epoll_wait(us, ep, e, 1), 1);
	finish();
}

/* more ready ones than are taken out of the ring at a time: each is told once, as many as are asked for */
static void test_many(void)
{
	struct epoll_event e[64];
	int seen[64] = {0}, n;

	start_with_udp(MANY);
	ep = pc_epoll_create(us);
	for (int i = 0; i < MANY; i++) {
		struct epoll_event one = {.events = EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)i};

		CU_ASSERT_EQUAL(pc_epoll_ctl(us, ep, EPOLL_CTL_ADD, udp_fd(), &one), 0);
	}
	for (int left = MANY; left > 0; left -= n) {
		n = pc_epoll_wait(us, ep, e, left == MANY ? 35 : 64);
		CU_ASSERT_EQUAL_FATAL(n, left == MANY ? 35 : MANY - 35);
		for (int i = 0; i < n; i++)
			seen[e[i].data.u32]++;
	}
	for (int i = 0; i < MANY; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	CU_ASSERT_EQUAL(pc_epoll_wait(us, ep, e, 64), 0);
	finish();
}

static void test_close(void)
{
	struct epoll_event e[4];
	int far, fd;

	start();
	ep = pc_epoll_create(us);
	fd = pair(&far);
	add(fd, EPOLLIN | EPOLLRDHUP);
	CU_ASSERT_EQUAL(pc_close(peer, far), 0);
	settle();
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLIN | EPOLLRDHUP);
	CU_ASSERT_EQUAL(pc_close(us, fd), 0);
	CU_ASSERT_EQUAL(pc_epoll_wait(us, ep, e, 4), 0);
	fd = udp_fd(); /* queued, closed, opened again: the new one is in no set */
	add(fd, EPOLLOUT);
	CU_ASSERT_EQUAL(pc_close(us, fd), 0);
	CU_ASSERT_EQUAL(udp_fd(), fd);
	CU_ASSERT_EQUAL(pc_epoll_wait(us, ep, e, 4), 0);
	add(fd, EPOLLOUT);
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLOUT);
	finish();
}

/* Who joins a set is told of it, whatever other set it, or the socket before it, was queued in: nobody waits for that. */
static void test_two_sets(void)
{
	struct epoll_event e = {.events = EPOLLOUT, .data.u64 = 7};
	int other, fd;

	start();
	ep = pc_epoll_create(us);
	other = pc_epoll_create(us);
	fd = udp_fd();
	add(fd, EPOLLOUT);
	FAILS(pc_epoll_ctl(us, other, EPOLL_CTL_ADD, fd, &e), EBUSY);
	CU_ASSERT_EQUAL(pc_epoll_ctl(us, ep, EPOLL_CTL_DEL, fd, NULL), 0);
	CU_ASSERT_EQUAL(pc_epoll_ctl(us, other, EPOLL_CTL_ADD, fd, &e), 0);
	CU_ASSERT_EQUAL(pc_epoll_wait(us, other, &e, 1), 1);
	CU_ASSERT_EQUAL(e.data.u64, 7);
	CU_ASSERT_EQUAL(wait_for(fd), 0);
	CU_ASSERT_EQUAL(pc_epoll_close(us, other), 0);
	add(fd, EPOLLOUT); /* in no set any more */
	CU_ASSERT_EQUAL(wait_for(fd), EPOLLOUT);
	FAILS(pc_epoll_wait(us, other, &e, 1), EBADF);
	/* closed while it is queued, and its descriptor joins another set */
	CU_ASSERT_EQUAL(pc_close(us, fd), 0);
	CU_ASSERT_EQUAL(udp_fd(), fd);
	other = pc_epoll_create(us);
	e = (struct epoll_event){.events = EPOLLOUT, .data.u64 = 8};
	CU_ASSERT_EQUAL(pc_epoll_ctl(us, other, EPOLL_CTL_ADD, fd, &e), 0);
	e.data.u64 = 0;
	CU_ASSERT_EQUAL(pc_epoll_wait(us, other, &e, 1), 1);
	CU_ASSERT_EQUAL(e.data.u64, 8);
	finish();
}

/* the end of a set is that for the newest TCP socket, too, and for the first */
static void test_end_of_set(void)
{
	int first, last;

	start();
	ep = pc_epoll_create(us);
	first = tcp_fd();
	last = tcp_fd();
	add(first, EPOLLOUT);
	add(last, EPOLLOUT);
	CU_ASSERT_EQUAL(pc_epoll_close(us, ep), 0);
	ep = pc_epoll_create(us);
	add(first, EPOLLOUT);
	add(last, EPOLLOUT);
	finish();
}

static void test_errors(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd;

	start();
	ep = pc_epoll_create(us);
	fd = tcp_fd();
	FAILS(pc_epoll_ctl(us, ep, EPOLL_CTL_MOD, fd, &e), ENOENT);
	FAILS(pc_epoll_ctl(us, ep, EPOLL_CTL_DEL, fd, &e), ENOENT);
	add(fd, EPOLLIN);
	FAILS(pc_epoll_ctl(us, ep, EPOLL_CTL_ADD, fd, &e), EEXIST);
	FAILS(pc_epoll_ctl(us, ep, 77, fd, &e), EINVAL);
	FAILS(pc_epoll_ctl(us, fd, EPOLL_CTL_ADD, fd, &e), EINVAL);
	FAILS(pc_epoll_ctl(us, ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	FAILS(pc_epoll_ctl(us, 2, EPOLL_CTL_ADD, fd, &e), EBADF);
	FAILS(pc_epoll_wait(us, ep, &e, 0), EINVAL);
	FAILS(pc_epoll_wait(us, ep, &e, -1), EINVAL);
	FAILS(pc_epoll_wait(us, fd, &e, 1), EINVAL);
	FAILS(pc_epoll_wait(us, 2, &e, 1), EBADF);
	FAILS(pc_epoll_close(us, 2), EBADF);
	CU_ASSERT_EQUAL(pc_close(us, ep), 0);
	FAILS(pc_epoll_wait(us, ep, &e, 1), EBADF);
	finish();
}

static void test_poll(void)
{
	struct pollfd p[5];
	int far, fd;

	start();
	fd = pair(&far);
	p[0] = (struct pollfd){.fd = fd, .events = POLLIN | POLLOUT};
	p[1] = (struct pollfd){.fd = -1, .events = POLLIN, .revents = 77};
	p[2] = (struct pollfd){.fd = 9999, .events = POLLIN};
	p[3] = (struct pollfd){.fd = udp_fd(), .events = POLLIN};
	p[4] = (struct pollfd){.fd = tcp_fd()};
	CU_ASSERT_EQUAL(pc_poll(us, p, 5), 3);
	CU_ASSERT_EQUAL(p[0].revents, POLLOUT);
	CU_ASSERT_EQUAL(p[1].revents, 0);
	CU_ASSERT_EQUAL(p[2].revents, POLLNVAL);
	CU_ASSERT_EQUAL(p[3].revents, 0);
	CU_ASSERT_EQUAL(p[4].revents, POLLHUP); /* whether asked for or not */
	say(far, "x");
	CU_ASSERT_EQUAL(pc_poll(us, p, 1), 1);
	CU_ASSERT_EQUAL(p[0].revents, POLLIN | POLLOUT);
	CU_ASSERT_EQUAL(pc_poll(us, p, 0), 0);
	finish();
}

static const struct unit_case cases[] = {
    {"level-triggered", test_level},
    {"edge-triggered", test_edge},
    {"one-shot", test_oneshot},
    {"all get their turn", test_fair},
    {"many at once", test_many},
    {"closed while queued", test_close},
    {"from one set to another", test_two_sets},
    {"the end of a set", test_end_of_set},
    {"errors", test_errors},
    {"poll", test_poll},
};

SOCK_UNIT_MAIN("epoll")
