/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets in messages between processes (SCM_RIGHTS, unix(7)). */
#include "live.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[1000];

static void make_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		abort();
}

/* A message of one byte with n descriptors, which says that there are so many. */
static ssize_t pass_as(struct live *l, int to, const int *fd, size_t n, size_t said)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec v = {.iov_base = "x", .iov_len = 1};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c;

	memset(control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(said * sizeof(int));
	memcpy(CMSG_DATA(c), fd, n * sizeof(int));
	return l->c->sendmsg(to, &m, MSG_NOSIGNAL);
}

static ssize_t pass(struct live *l, int to, const int *fd, size_t n)
{
	return pass_as(l, to, fd, n, n);
}

/* Returns how many descriptors came. */
static size_t take(struct live *l, int from, int *fd, size_t room, int flags)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec v = {.iov_base = buf, .iov_len = 1};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = CMSG_SPACE(room * sizeof(int))};
	const struct cmsghdr *c;

	if (l->c->recvmsg(from, &m, flags) != 1)
		return 0;
	c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_type != SCM_RIGHTS)
		return 0;
	memcpy(fd, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

/* The sender's descriptor is closed before anybody has the message: what is in it lives on. */
static void to_itself(struct live *l)
{
	int fd[2], pair[2], got = -1;

	live_pair(l, fd);
	make_pair(pair);
	live_log(l, "pass", pass(l, pair[0], &fd[NEAR], 1));
	live_log(l, "close", l->c->close(fd[NEAR]));
	live_far_send(l, fd[FAR], 5);
	live_log(l, "take", (long)take(l, pair[1], &got, 1, MSG_CMSG_CLOEXEC));
	live_log(l, "FD_CLOEXEC", l->c->fcntl(got, F_GETFD, 0));
	live_sleep(5);
	live_log(l, "recv", l->c->recv(got, buf, 10, 0));
	live_log(l, "send", l->c->send(got, "abc", 3, 0));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 3));
	live_log(l, "close", l->c->close(got));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 1));
	l->c->close(pair[0]);
	l->c->close(pair[1]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* One who has it already has it twice, and it ends with the second. */
static void twice(struct live *l)
{
	int fd[2], pair[2], got[2] = {-1, -1}, both[2];

	live_pair(l, fd);
	make_pair(pair);
	both[0] = fd[NEAR];
	both[1] = pair[0];
	live_log(l, "pass", pass(l, pair[0], both, 2));
	live_log(l, "take", (long)take(l, pair[1], got, 2, 0));
	live_log(l, "send", l->c->send(got[0], "abc", 3, 0));
	live_log(l, "close", l->c->close(got[0]));
	live_log(l, "send", l->c->send(fd[NEAR], "abc", 3, 0));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 6));
	live_log(l, "the kernel's", write(got[1], "x", 1));
	live_log(l, "came", read(pair[1], buf, 10));
	close(got[1]);
	l->c->close(pair[0]);
	l->c->close(pair[1]);
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* Control data that says that it is longer than its room is refused, and what is behind it is not read. */
static void too_long(struct live *l)
{
	int fd[2], pair[2];

	live_pair(l, fd);
	make_pair(pair);
	live_log(l, "pass", pass_as(l, pair[0], &fd[NEAR], 1, 100));
	live_log(l, "pass", pass(l, pair[0], &fd[NEAR], 1));
	l->c->close(pair[0]);
	l->c->close(pair[1]);
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* A message that nobody reads takes its socket along. */
static void thrown_away(struct live *l)
{
	int fd[2], pair[2];

	live_pair(l, fd);
	make_pair(pair);
	live_log(l, "pass", pass(l, pair[0], &fd[NEAR], 1));
	live_log(l, "close", l->c->close(fd[NEAR]));
	l->c->close(pair[0]);
	l->c->close(pair[1]);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 1));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static void serve_passed(struct live *l, int from)
{
	int fd;

	for (int i = 0; i < 3; i++) {
		if (take(l, from, &fd, 1, 0) != 1 || l->c->send(fd, "child", 5, 0) != 5)
			_exit(1);
		l->c->close(fd);
	}
	_exit(0);
}

/* As a first process that accepts for its workers (node's cluster). */
static void to_a_child(struct live *l)
{
	struct sockaddr_in a;
	int listener = live_listener(l, 8, &a), pair[2], status = 0;
	pid_t child;

	make_pair(pair);
	child = fork();
	if (child == 0)
		serve_passed(l, pair[1]);
	for (int i = 0; i < 3; i++) {
		int far = live_far_connect(l, &a), fd = l->c->accept4(listener, NULL, NULL, 0);

		live_log(l, "pass", pass(l, pair[0], &fd, 1));
		live_log(l, "close", l->c->close(fd));
		bed_log(&l->bed, "far %zu\n", live_far_recv(l, far, 10));
		l->bed.call->close(&l->bed, FAR, far);
	}
	waitpid(child, &status, 0);
	live_log(l, "status", status);
	l->c->close(listener);
	l->c->close(pair[0]);
	l->c->close(pair[1]);
}

static void accept_passed(struct live *l, int from)
{
	int listener, fd;

	if (take(l, from, &listener, 1, 0) != 1)
		_exit(1);
	fd = l->c->accept4(listener, NULL, NULL, 0);
	_exit(fd >= 0 && l->c->send(fd, "child", 5, 0) == 5 ? 0 : 2);
}

/* As a process that hands its listeners to the next one (haproxy's reload). */
static void listener_to_a_child(struct live *l)
{
	struct sockaddr_in a;
	int pair[2], status = 0, listener, far;
	pid_t child;

	make_pair(pair);
	child = fork();
	if (child == 0)
		accept_passed(l, pair[1]);
	listener = live_listener(l, 8, &a);
	live_log(l, "pass", pass(l, pair[0], &listener, 1));
	live_log(l, "close", l->c->close(listener));
	live_sleep(20);
	far = live_far_connect(l, &a);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, far, 10));
	waitpid(child, &status, 0);
	live_log(l, "status", status);
	l->bed.call->close(&l->bed, FAR, far);
	l->c->close(pair[0]);
	l->c->close(pair[1]);
}

/* sendmmsg() and recvmmsg(): the first message has no descriptor, the others have one each. */
static void several(struct live *l)
{
	_Alignas(struct cmsghdr) char control[3][CMSG_SPACE(sizeof(int))];
	struct iovec v = {.iov_base = buf, .iov_len = 1};
	struct mmsghdr m[3];
	int fd[2][2], pair[2], got[2] = {-1, -1};

	make_pair(pair);
	memset(m, 0, sizeof(m));
	memset(control, 0, sizeof(control));
	for (int i = 0; i < 3; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
	for (int i = 0; i < 2; i++) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)control[i + 1];

		live_pair(l, fd[i]);
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		                      .cmsg_level = SOL_SOCKET,
		                      .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(c), &fd[i][NEAR], sizeof(int));
		m[i + 1].msg_hdr.msg_control = c;
		m[i + 1].msg_hdr.msg_controllen = sizeof(control[0]);
	}
	live_log(l, "send", l->c->sendmmsg(pair[0], m, 3, MSG_NOSIGNAL));
	bed_log(&l->bed, "%u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
	for (int i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_control = control[i];
		m[i].msg_hdr.msg_controllen = sizeof(control[0]);
	}
	for (int i = 0; i < 2; i++)
		l->c->close(fd[i][NEAR]);
	live_log(l, "receive", l->c->recvmmsg(pair[1], m, 3, 0, NULL));
	for (int i = 0; i < 2; i++) {
		memcpy(&got[i], CMSG_DATA((struct cmsghdr *)(void *)control[i + 1]), sizeof(int));
		live_log(l, "send", l->c->send(got[i], "abc", 3, 0));
		bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[i][FAR], 3));
		l->c->close(got[i]);
		l->bed.call->close(&l->bed, FAR, fd[i][FAR]);
	}
	live_log(l, "nowhere", l->c->sendmmsg(pair[0], (void *)-1, 1, MSG_NOSIGNAL));
	l->c->close(pair[0]);
	l->c->close(pair[1]);
}

static const struct live_case cases[] = {
    {"to oneself", to_itself},
    {"twice", twice},
    {"too long", too_long},
    {"thrown away", thrown_away},
    {"several", several},
    {"to a child", to_a_child},
    {"a listener to a child", listener_to_a_child},
};

LIVE_MAIN("posix/carry", cases)
