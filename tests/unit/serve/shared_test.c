/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that two processes have, on two lcores: a child makes of what it has of its parent a listener, a connection or a
 * sender of datagrams, or ends it.  The parent has the same on both lcores.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <percore/posix.h>

#include "../../support/eal.h"
#include "lcores.h"

#define PATIENCE 2000 /* ms */

/* a thread plays both lcores; lock: between its turns and the calls of the far side */
static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	bool ends;
} lcores = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void nap(void)
{
	const struct timespec ts = {.tv_nsec = 100000};

	(void)nanosleep(&ts, NULL);
}

static void *turn(void *arg)
{
	struct timespec ts;

	while (!__atomic_load_n(&lcores.ends, __ATOMIC_RELAXED)) {
		unsigned n;

		pthread_mutex_lock(&lcores.lock);
		(void)clock_gettime(CLOCK_MONOTONIC, &ts);
		n = lcores_turn((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec);
		pthread_mutex_unlock(&lcores.lock);
		if (n == 0)
			nap();
	}
	return arg;
}

static void start(void)
{
	lcores_make();
	lcores.ends = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&lcores.thread, NULL, turn, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(pcx_attach_fd(pc_host_connect(host)), 0);
}

/* All sockets are closed: nobody may have a part of one. */
static void finish(void)
{
	for (int i = 0; i < 10 * PATIENCE; i++, nap()) {
		bool used = false;

		pthread_mutex_lock(&lcores.lock);
		for (unsigned l = 0; l < LCORES; l++)
			used |= pc_service_is_used(service[l]);
		pthread_mutex_unlock(&lcores.lock);
		if (!used)
			break;
		CU_ASSERT(i + 1 < 10 * PATIENCE);
	}
	pcx_detach();
	__atomic_store_n(&lcores.ends, true, __ATOMIC_RELAXED);
	(void)pthread_join(lcores.thread, NULL);
	lcores_free();
}

static struct sockaddr_in address(uint32_t be, uint16_t p)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = be};
}

/* Runs what a child does with the parent's socket, and waits for its end. */
static void in_child(int (*what)(int fd), int fd)
{
	const pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(what(fd));
	CU_ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid);
	CU_ASSERT_EQUAL(status, 0);
	/* what it had is seen to be closed before its slot is free again */
	for (int i = 0; i < PATIENCE && pcx_processes() > 1; i++)
		nap();
}

static int near_socket(int type)
{
	const struct timeval patience = {.tv_sec = PATIENCE / 1000};
	const int fd = pcx_socket(AF_INET, type, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(pcx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
	                0);
	return fd;
}

/* Connections come on both lcores, and are accepted. */
static void expect_connections(int listener, uint16_t p)
{
	const struct sockaddr_in a = address(IP_US, p);

	for (unsigned l = 0; l < LCORES; l++) {
		int fd, peer;

		pthread_mutex_lock(&lcores.lock);
		peer = pc_socket(far[l], AF_INET, SOCK_STREAM, 0);
		CU_ASSERT(pc_connect(far[l], peer, (const struct sockaddr *)&a, sizeof(a)) == -1 &&
		          errno == EINPROGRESS);
		pthread_mutex_unlock(&lcores.lock);
		fd = pcx_accept4(listener, NULL, NULL, 0);
		CU_ASSERT(fd >= 0);
		(void)pcx_close(fd);
		pthread_mutex_lock(&lcores.lock);
		CU_ASSERT_EQUAL(pc_close(far[l], peer), 0);
		pthread_mutex_unlock(&lcores.lock);
	}
}

static int do_listen(int fd)
{
	return pcx_listen(fd, 4);
}

static int do_shutdown(int fd)
{
	return pcx_shutdown(fd, SHUT_RDWR);
}

static void child_listens(void)
{
	const struct sockaddr_in a = address(0, 80);
	int listener;

	start();
	listener = near_socket(SOCK_STREAM);
	CU_ASSERT_EQUAL(pcx_bind(listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	in_child(do_listen, listener);
	expect_connections(listener, 80);
	CU_ASSERT_EQUAL(pcx_close(listener), 0);
	finish();
}

static void child_shuts(void)
{
	const struct sockaddr_in a = address(0, 80);
	int listener;

	start();
	listener = near_socket(SOCK_STREAM);
	CU_ASSERT_EQUAL(pcx_bind(listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(pcx_listen(listener, 4), 0);
	in_child(do_shutdown, listener);
	CU_ASSERT_EQUAL(pcx_listen(listener, 4), 0);
	expect_connections(listener, 80);
	CU_ASSERT_EQUAL(pcx_close(listener), 0);
	finish();
}

static int do_send(int fd)
{
	const struct sockaddr_in a = address(IP_PEER, 9);

	return pcx_sendto(fd, "x", 1, 0, (const struct sockaddr *)&a, sizeof(a)) == 1 ? 0 : 1;
}

static void send_from_far(unsigned l, in_port_t to)
{
	const struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = to, .sin_addr.s_addr = IP_US};
	int fd;

	pthread_mutex_lock(&lcores.lock);
	fd = pc_socket(far[l], AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(pc_sendto(far[l], fd, "x", 1, 0, (const struct sockaddr *)&a, sizeof(a)),
	                1);
	CU_ASSERT_EQUAL(pc_close(far[l], fd), 0);
	pthread_mutex_unlock(&lcores.lock);
}

static void child_sends(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint8_t byte;
	int fd;

	start();
	fd = near_socket(SOCK_DGRAM);
	in_child(do_send, fd);
	CU_ASSERT_EQUAL(pcx_getsockname(fd, (struct sockaddr *)&a, &len), 0);
	for (unsigned l = 0; l < LCORES; l++) {
		send_from_far(l, a.sin_port);
		CU_ASSERT_EQUAL(pcx_recv(fd, &byte, 1, 0), 1);
	}
	CU_ASSERT_EQUAL(pcx_close(fd), 0);
	finish();
}

static void far_listen(int listener[LCORES], const struct sockaddr_in *a)
{
	pthread_mutex_lock(&lcores.lock);
	for (unsigned l = 0; l < LCORES; l++) {
		listener[l] = pc_socket(far[l], AF_INET, SOCK_STREAM, 0);
		CU_ASSERT_EQUAL(
		    pc_bind(far[l], listener[l], (const struct sockaddr *)a, sizeof(*a)), 0);
		CU_ASSERT_EQUAL(pc_listen(far[l], listener[l], 4), 0);
	}
	pthread_mutex_unlock(&lcores.lock);
}

static int do_connect(int fd)
{
	const struct sockaddr_in a = address(IP_PEER, 7);

	/* the number after it, too: connections take lcores in turn */
	return pcx_connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	               pcx_connect(fd + 1, (const struct sockaddr *)&a, sizeof(a)) == 0
	           ? 0
	           : 1;
}

static void child_connects(void)
{
	const struct sockaddr_in a = address(0, 7);
	int fd[2], listener[LCORES];

	start();
	far_listen(listener, &a);
	for (int i = 0; i < 2; i++)
		fd[i] = near_socket(SOCK_STREAM);
	CU_ASSERT_EQUAL(fd[1], fd[0] + 1);
	in_child(do_connect, fd[0]);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(pcx_send(fd[i], "abc", 3, MSG_NOSIGNAL), 3);
		CU_ASSERT_EQUAL(pcx_close(fd[i]), 0);
	}
	finish();
}

#define FORKS 60

static void far_hang_up(const int listener[LCORES])
{
	pthread_mutex_lock(&lcores.lock);
	for (unsigned l = 0; l < LCORES; l++)
		for (int fd; (fd = pc_accept(far[l], listener[l], NULL, NULL)) >= 0;)
			CU_ASSERT_EQUAL(pc_close(far[l], fd), 0);
	pthread_mutex_unlock(&lcores.lock);
}

/* Returns 0 once the socket is connected. */
static int see_peer(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	for (int i = 0; i < PATIENCE; i++, nap())
		if (pcx_getpeername(fd, (struct sockaddr *)&a, &len) == 0)
			return 0;
	return 1;
}

static void *connect_one(void *arg)
{
	const struct sockaddr_in a = address(IP_PEER, 7);
	int *fd = arg;

	*fd = pcx_connect(*fd, (const struct sockaddr *)&a, sizeof(a));
	return NULL;
}

/* A fork while a thread connects: the child has the connection too, whichever lcore it is on. */
static void fork_beside_connect(void)
{
	const struct sockaddr_in a = address(0, 7);
	int listener[LCORES];

	start();
	far_listen(listener, &a);
	for (int i = 0; i < FORKS; i++) {
		const struct timespec delay = {.tv_nsec = 5000 * i};
		const int fd = near_socket(SOCK_STREAM);
		int rc = fd;
		pthread_t thread;

		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, connect_one, &rc), 0);
		(void)nanosleep(&delay, NULL);
		in_child(see_peer, fd);
		(void)pthread_join(thread, NULL);
		CU_ASSERT_EQUAL(rc, 0);
		CU_ASSERT_EQUAL(pcx_close(fd), 0);
		far_hang_up(listener);
	}
	finish();
}

#define THREADS 4

/* Forks again and again; each child uses the socket. Returns how many could not. */
static void *fork_some(void *arg)
{
	intptr_t bad = 0;

	for (int i = 0; i < FORKS; i++) {
		const pid_t pid = fork();
		int status = -1;

		if (pid == 0)
			_exit(do_send(*(const int *)arg));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
			bad++;
	}
	return (void *)bad;
}

/* Threads that fork at the same time: each child has a stack, and each thread goes on. */
static void fork_beside_fork(void)
{
	pthread_t thread[THREADS];
	void *bad;
	int fd;

	start();
	fd = near_socket(SOCK_DGRAM);
	(void)alarm(60);
	for (int i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, fork_some, &fd), 0);
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(thread[i], &bad);
		CU_ASSERT_EQUAL((intptr_t)bad, 0);
	}
	(void)alarm(0);
	CU_ASSERT_EQUAL(pcx_close(fd), 0);
	finish();
}

/* Sends two datagrams to the socket, each a while later. */
static void *send_later(void *arg)
{
	const struct timespec delay = {.tv_nsec = 200000000};
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	CU_ASSERT_EQUAL(pcx_getsockname(*(int *)arg, (struct sockaddr *)&a, &len), 0);
	a.sin_addr.s_addr = IP_US;
	for (int i = 0; i < 2; i++) {
		int out;

		(void)nanosleep(&delay, NULL);
		pthread_mutex_lock(&lcores.lock);
		out = pc_socket(far[0], AF_INET, SOCK_DGRAM, 0);
		CU_ASSERT_EQUAL(pc_sendto(far[0], out, "x", 1, 0, (struct sockaddr *)&a, len), 1);
		CU_ASSERT_EQUAL(pc_close(far[0], out), 0);
		pthread_mutex_unlock(&lcores.lock);
	}
	return NULL;
}

/* Takes all descriptors below a limit. Returns the last one, or -1. */
static int take_all(rlim_t limit)
{
	struct rlimit few = {0};
	int last = -1;

	(void)getrlimit(RLIMIT_NOFILE, &few);
	few.rlim_cur = limit;
	if (setrlimit(RLIMIT_NOFILE, &few) != 0)
		return -1;
	for (int next; (next = dup(STDOUT_FILENO)) >= 0;)
		last = next;
	return last;
}

/* A process that has no descriptor left for a pipe: it waits by poll(), and then in a set that has
 * got its last descriptor. Returns 0 if it has seen both datagrams. */
static int wait_without(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct epoll_event e = {.events = EPOLLIN};
	const int last = take_all(256);
	uint8_t byte;
	int set;

	(void)alarm(10); /* both look again when their time is over */
	if (last < 0)
		return 1;
	if (pcx_poll(&p, 1, -1) != 1 || pcx_recv(fd, &byte, 1, 0) != 1)
		return 2;
	(void)close(last);
	set = pcx_epoll_create1(0);
	if (set < 0 || pcx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) != 0)
		return 3;
	return pcx_epoll_wait(set, &e, 1, -1) == 1 ? 0 : 4;
}

static void no_descriptors(void)
{
	const struct sockaddr_in a = address(0, 0);
	pthread_t thread;
	int fd;

	start();
	fd = near_socket(SOCK_DGRAM);
	CU_ASSERT_EQUAL(pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, send_later, &fd), 0);
	in_child(wait_without, fd);
	(void)pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(pcx_close(fd), 0);
	finish();
}

/* A process without descriptors forks twice: either child can use what it inherits, and fork again. */
static int fork_without(int fd)
{
	if (take_all(600) < 0)
		return 1;
	for (int i = 0; i < 2; i++) {
		const pid_t pid = fork();
		int status = -1;

		if (pid == 0) {
			const pid_t next = fork();

			if (next == 0)
				_exit(do_send(fd));
			_exit(waitpid(next, &status, 0) == next && status == 0 ? do_send(fd) : 2);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			return 3;
	}
	return do_send(fd);
}

static int pass(int over, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {.iov_base = control, .iov_len = 1};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){
	    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	*(int *)(void *)CMSG_DATA(c) = fd;
	return pcx_sendmsg(over, &m, 0) == 1 ? 0 : 1;
}

static int take(int over)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	char byte;
	struct iovec v = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};

	if (pcx_recvmsg(over, &m, 0) != 1 || CMSG_FIRSTHDR(&m) == NULL)
		return -1;
	return *(int *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
}

/* A process without descriptors sends a socket in a message, more than once. */
static int pass_without(int fd)
{
	int pair[2], got;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || take_all(600) < 0)
		return 1;
	for (int i = 0; i < 3; i++)
		if (pass(pair[0], fd) != 0)
			return 2;
	(void)pcx_close(fd);
	got = take(pair[1]);
	return got >= 0 ? do_send(got) : 3;
}

static void no_descriptors_for_others(void)
{
	int fd;

	start();
	fd = near_socket(SOCK_DGRAM);
	in_child(fork_without, fd);
	in_child(pass_without, fd);
	CU_ASSERT_EQUAL(pcx_close(fd), 0);
	finish();
}

/* A port that bind() chose is free again on both lcores, and the next one is received on both. */
static void dissolve(void)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sockaddr_in a = address(0, 0), next = address(0, 0);
	socklen_t len = sizeof(a);
	int fd, other;
	uint8_t byte;

	start();
	fd = near_socket(SOCK_DGRAM);
	CU_ASSERT_EQUAL(pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(pcx_getsockname(fd, (struct sockaddr *)&a, &len), 0);
	CU_ASSERT_EQUAL(pcx_connect(fd, &none, sizeof(none)), 0);
	other = near_socket(SOCK_DGRAM);
	CU_ASSERT_EQUAL(pcx_bind(other, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(do_send(fd), 0);
	CU_ASSERT_EQUAL(pcx_getsockname(fd, (struct sockaddr *)&next, &len), 0);
	CU_ASSERT(next.sin_port != 0 && next.sin_port != a.sin_port);
	for (unsigned l = 0; l < LCORES; l++) {
		send_from_far(l, next.sin_port);
		CU_ASSERT_EQUAL(pcx_recv(fd, &byte, 1, 0), 1);
	}
	CU_ASSERT_EQUAL(pcx_close(fd), 0);
	CU_ASSERT_EQUAL(pcx_close(other), 0);
	finish();
}

struct first {
	pthread_barrier_t both;
	int fd;
	bool is_bad;
};

static void *send_first(void *arg)
{
	struct first *f = arg;

	(void)pthread_barrier_wait(&f->both);
	if (do_send(f->fd) != 0)
		__atomic_store_n(&f->is_bad, true, __ATOMIC_RELAXED);
	return NULL;
}

/* Two threads send the first datagrams of a socket, which gives it a port, at the same time. */
static void first_datagrams(void)
{
	struct first f = {0};
	pthread_t other;

	start();
	CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&f.both, NULL, 2), 0);
	for (int i = 0; i < 100 && !f.is_bad; i++) {
		f.fd = near_socket(SOCK_DGRAM);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&other, NULL, send_first, &f), 0);
		(void)send_first(&f);
		(void)pthread_join(other, NULL);
		CU_ASSERT_EQUAL(pcx_close(f.fd), 0);
	}
	CU_ASSERT(!f.is_bad);
	(void)pthread_barrier_destroy(&f.both);
	finish();
}

static const struct unit_case cases[] = {
    {"listen() of a child", child_listens},
    {"shutdown() of a child", child_shuts},
    {"sendto() of a child", child_sends},
    {"connect() of a child", child_connects},
    {"fork() beside a connect()", fork_beside_connect},
    {"fork() beside a fork()", fork_beside_fork},
    {"first datagrams of two threads", first_datagrams},
    {"connect() to nobody", dissolve},
    {"poll() and epoll without descriptors", no_descriptors},
    {"fork() and SCM_RIGHTS without descriptors", no_descriptors_for_others},
};

int main(void)
{
	eal_start();
	pool = eal_pool("shared", 8191);
	return unit_run("serve/shared", cases, sizeof(cases) / sizeof(cases[0]));
}
