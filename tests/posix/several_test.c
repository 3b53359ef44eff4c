/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls about several descriptors or messages at a time, with something wrong in them: a pointer to nothing, a set that
 * is larger than usual, an error in the middle or at the end.
 */
#include "subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static char buf[100];

#define NOWHERE 2
static void *nowhere[NOWHERE] = {NULL, (void *)-1};
static const struct timespec times[] = {{-1, 0}, {0, -1}, {0, 1000000000}, {0, 0}};

/* ---- sets of descriptors ---------------------------------------------------------------------- */

static void log_events(struct live *l, const char *what, int ep, struct epoll_event *e, int max)
{
	live_log(l, what, l->c->epoll_wait(ep, e, max, 0));
}

static void epoll_calls(struct live *l)
{
	int ep = l->c->epoll_create1(0), fd[2];
	struct epoll_event e = {.events = EPOLLIN},
	                   wrong = {.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI};

	live_pair(l, fd);
	for (unsigned i = 0; i < NOWHERE; i++) {
		bed_log(&l->bed, "%u\n", i);
		for (int op = 0; op < 5; op++)
			live_log(l, "ctl", l->c->epoll_ctl(ep, op, fd[NEAR], nowhere[i]));
		live_log(l, "no descriptor", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, 9999, nowhere[i]));
		log_events(l, "wait", ep, nowhere[i], 1);
		log_events(l, "wait for none", ep, nowhere[i], 0);
		live_log(l, "pwait2", l->c->epoll_pwait2(ep, nowhere[i], 1, &times[3], NULL));
	}
	live_log(l, "not there", l->c->epoll_ctl(ep, EPOLL_CTL_MOD, fd[NEAR], &wrong));
	live_log(l, "add wrong", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &wrong));
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &e));
	live_log(l, "add wrong again", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &wrong));
	live_log(l, "modify wrong", l->c->epoll_ctl(ep, EPOLL_CTL_MOD, fd[NEAR], &wrong));
	live_far_send(l, fd[FAR], 1);
	live_sleep(2);
	log_events(l, "one", ep, NULL, 1);
	log_events(l, "one", ep, (void *)-1, 1);
	log_events(l, "still", ep, &e, 1);
	for (unsigned i = 0; i < 4; i++)
		live_log(l, "times", l->c->epoll_pwait2(ep, &e, 1, &times[i], NULL));
	live_log(l, "no time", l->c->epoll_pwait2(ep, &e, 1, (void *)-1, NULL));
	l->c->close(fd[NEAR]);
	l->c->close(ep);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* A set goes by number and description: the number of one that lives on elsewhere may come into the set again. */
static void number_again(struct live *l)
{
	int ep = l->c->epoll_create1(0), fd[2], other[2], copy;
	struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = 1}, got[4];

	live_pair(l, fd);
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &e));
	copy = l->c->dup(fd[NEAR]);
	live_log(l, "close", l->c->close(fd[NEAR]));
	live_log(l, "delete", l->c->epoll_ctl(ep, EPOLL_CTL_DEL, fd[NEAR], &e));
	live_log(l, "delete the copy", l->c->epoll_ctl(ep, EPOLL_CTL_DEL, copy, &e));
	live_pair(l, other);
	live_log(l, "the number", l->c->dup2(other[NEAR], fd[NEAR]) == fd[NEAR]);
	e.data.u32 = 2;
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &e));
	live_far_send(l, fd[FAR], 1);
	live_far_send(l, other[FAR], 1);
	live_sleep(2);
	live_log(l, "wait", l->c->epoll_wait(ep, got, 4, 0));
	bed_log(&l->bed, "%u\n", got[0].data.u32 + got[1].data.u32);
	live_log(l, "once", l->c->epoll_wait(ep, got, 4, 0));
	l->c->close(copy);
	live_far_send(l, other[FAR], 1);
	live_sleep(2);
	live_log(l, "one", l->c->epoll_wait(ep, got, 4, 0));
	bed_log(&l->bed, "%u\n", got[0].data.u32);
	l->c->close(fd[NEAR]);
	l->c->close(other[NEAR]);
	l->c->close(ep);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	l->bed.call->close(&l->bed, FAR, other[FAR]);
}

static void select_calls(struct live *l)
{
	struct timeval wrong[] = {{-1, 0}, {0, -1}, {0, 2000000}, {0, 0}}, tv = {0};
	fd_set set;
	int fd[2];

	live_pair(l, fd);
	for (unsigned i = 0; i < NOWHERE; i++) {
		live_log(l, "select", l->c->select(fd[NEAR] + 1, nowhere[i], NULL, NULL, &tv));
		live_log(l, "select", l->c->select(fd[NEAR] + 1, NULL, nowhere[i], NULL, &tv));
		live_log(l, "no bits", l->c->select(0, nowhere[i], nowhere[i], nowhere[i], &tv));
		live_log(l, "ppoll", l->c->ppoll(nowhere[i], 1, &times[3], NULL));
		live_log(l, "no ppoll", l->c->ppoll(nowhere[i], 0, &times[3], NULL));
	}
	FD_ZERO(&set);
	FD_SET(fd[NEAR], &set);
	for (unsigned i = 0; i < 4; i++) {
		live_log(l, "select", l->c->select(fd[NEAR] + 1, &set, NULL, NULL, &wrong[i]));
		live_log(l, "pselect",
		         l->c->pselect(fd[NEAR] + 1, &set, NULL, NULL, &times[i], NULL));
		live_log(l, "is set", FD_ISSET(fd[NEAR], &set) != 0);
		FD_SET(fd[NEAR], &set);
	}
	live_log(l, "negative", l->c->select(-1, &set, NULL, NULL, &tv));
	FD_SET(1000, &set);
	live_log(l, "closed", l->c->select(1001, &set, NULL, NULL, &tv));
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static void send_one(struct live *l, int fd)
{
	live_far_send(l, fd, 1);
}

/* A time-out of centuries, which some programs take for none, ends with what comes. */
static void centuries(struct live *l)
{
	const struct timespec ts = {INT64_MAX, 999999999};
	struct timeval tv = {INT64_MAX, 1000000};
	int fd[2], ep = l->c->epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN};
	struct pollfd p;
	fd_set set;

	live_pair(l, fd);
	p = (struct pollfd){.fd = fd[NEAR], .events = POLLIN};
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &e));
	FD_ZERO(&set);
	for (int i = 0; i < 4; i++) {
		live_later(l, 2, send_one, fd[FAR]);
		FD_SET(fd[NEAR], &set);
		if (i == 0)
			live_log(l, "ppoll", l->c->ppoll(&p, 1, &ts, NULL));
		else if (i == 1)
			live_log(l, "pselect",
			         l->c->pselect(fd[NEAR] + 1, &set, NULL, NULL, &ts, NULL));
		else if (i == 2)
			live_log(l, "select", l->c->select(fd[NEAR] + 1, &set, NULL, NULL, &tv));
		else
			live_log(l, "epoll_pwait2", l->c->epoll_pwait2(ep, &e, 1, &ts, NULL));
		live_join();
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, sizeof(buf), 0));
	}
	live_log(l, "centuries are left", tv.tv_sec > INT32_MAX);
	l->c->close(ep);
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

#define HIGH  1500
#define WORDS (2 * FD_SETSIZE / NFDBITS)

/* More descriptors than an fd_set has, in sets that are larger. */
static void select_high(struct live *l)
{
	fd_mask read[WORDS] = {0}, write[WORDS] = {0}, *in = &read[HIGH / NFDBITS],
	        *out = &write[HIGH / NFDBITS];
	const fd_mask bit = (fd_mask)(1ul << (HIGH % NFDBITS));
	fd_set *r = (fd_set *)read, *w = (fd_set *)write;
	struct timeval tv = {.tv_sec = 1};
	int fd[2], low;

	live_pair(l, fd);
	low = fd[NEAR];
	live_log(l, "dup2", l->c->dup2(low, HIGH));
	*in = *out = bit;
	FD_SET(low, r);
	live_log(l, "select", l->c->select(HIGH + 1, r, w, NULL, &tv));
	bed_log(&l->bed, "%d %d %d\n", *in != 0, *out != 0, FD_ISSET(low, r) != 0);
	live_far_send(l, fd[FAR], 1);
	*in = bit;
	live_log(l, "select", l->c->select(HIGH + 1, r, NULL, NULL, &tv));
	bed_log(&l->bed, "%d\n", *in != 0);
	l->c->close(HIGH);
	l->c->close(low);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* The kernel reads no more of a set than there can be descriptors: some programs pass getdtablesize() as its size. */
static void select_all(struct live *l)
{
	const size_t page = 4096, room = 512;
	char *two =
	    mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd_set *set = (fd_set *)(void *)(two + page - room);
	struct timeval tv = {.tv_sec = 1};
	int fd[2];

	if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE) != 0)
		abort();
	live_pair(l, fd);
	live_far_send(l, fd[FAR], 1);
	FD_SET(fd[NEAR], set);
	live_log(l, "select", l->c->select(1 << 20, set, NULL, NULL, &tv));
	bed_log(&l->bed, "%d\n", FD_ISSET(fd[NEAR], set) != 0);
	munmap(two, 2 * page);
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* An error between datagrams is told by the next call. */
static void datagrams_and_error(struct live *l)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 9);
	struct timespec ts = {.tv_sec = 5};
	struct iovec v = {buf, 7};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}}, {.msg_len = 77}};
	int fd = l->c->socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	m[1].msg_hdr = m[0].msg_hdr;
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "send", l->c->send(fd, buf, 5, 0));
	live_sleep(5);
	live_log(l, "recvmmsg", l->c->recvmmsg(fd, m, 2, 0, &ts));
	live_log(l, "again", l->c->recvmmsg(fd, m, 2, 0, &ts));
	live_log(l, "time left", ts.tv_sec);
	live_log(l, "send one", l->c->sendmmsg(fd, m, 1, 0));
	live_sleep(5);
	live_log(l, "none", l->c->recvmmsg(fd, m, 0, 0, NULL));
	live_log(l, "writev", l->c->writev(fd, &v, 0));
	l->c->close(fd);
}

static void time_left_of_many(struct live *l)
{
	struct subject s;
	struct timespec ts = {.tv_sec = 5};
	struct iovec v = {buf, 7};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}}, {.msg_len = 77}};

	subject_make(l, SUBJECT_STATES - 2, &s);
	live_log(l, "two, and the second is nowhere", l->c->recvmmsg(s.fd, m, 2, 0, &ts));
	bed_log(&l->bed, "%ld %u\n", (long)ts.tv_sec, m[1].msg_len);
	m[1].msg_hdr = (struct msghdr){.msg_iov = (void *)-1, .msg_iovlen = 1};
	ts.tv_sec = 5;
	live_log(l, "one", l->c->recvmmsg(s.fd, m, 2, 0, &ts));
	live_log(l, "time left", ts.tv_sec);
	subject_poll(l, &s);
	live_log(l, "recv", l->c->recv(s.fd, buf, 7, 0));
	subject_close(l, &s);
}

/* Linux: after a FIN a read tells of the end, also when a reset has come since; a write and SO_ERROR tell of that. */
static void recv_end_and_reset(struct live *l)
{
	const struct linger linger = {.l_onoff = 1};
	int fd[2], error = 0;
	socklen_t len = sizeof(error);

	live_pair(l, fd);
	l->bed.call->shutdown(&l->bed, FAR, fd[FAR], SHUT_WR);
	live_log(l, "the end", l->c->recv(fd[NEAR], buf, 10, 0));
	l->bed.call->setsockopt(&l->bed, FAR, fd[FAR], SOL_SOCKET, SO_LINGER, &linger,
	                        sizeof(linger));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	live_sleep(5);
	live_log(l, "still", l->c->recv(fd[NEAR], buf, 10, 0));
	live_log(l, "peek", l->c->recv(fd[NEAR], buf, 10, MSG_PEEK));
	live_log(l, "SO_ERROR", l->c->getsockopt(fd[NEAR], SOL_SOCKET, SO_ERROR, &error, &len));
	bed_log(&l->bed, "%s\n", bed_errno(error));
	live_log(l, "send", l->c->send(fd[NEAR], buf, 1, MSG_NOSIGNAL));
	live_log(l, "the end", l->c->recv(fd[NEAR], buf, 10, 0));
	l->c->close(fd[NEAR]);
}

/* RFC 9293 section 3.6.1: nobody can read any more what comes now, and the peer hears of it */
static void data_after_shutdown(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_RDWR));
	live_sleep(2);
	live_far_send(l, fd[FAR], 1);
	live_sleep(5);
	bed_log(&l->bed, "far %zd\n",
	        l->bed.call->sendto(&l->bed, FAR, fd[FAR], buf, 1, MSG_NOSIGNAL, NULL, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, 0));
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static const struct live_case cases[] = {
    {"epoll", epoll_calls},
    {"epoll: a number again", number_again},
    {"select", select_calls},
    {"select: high descriptors", select_high},
    {"select: all descriptors", select_all},
    {"centuries", centuries},
    {"recvmmsg: an error", datagrams_and_error},
    {"recvmmsg: time left", time_left_of_many},
    {"the end, then a reset", recv_end_and_reset},
    {"data after SHUT_RDWR", data_after_shutdown},
};

LIVE_MAIN("posix/several", cases)
