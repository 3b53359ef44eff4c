/* SPDX-License-Identifier: BSD-2-Clause */
/* Urgent bytes (MSG_OOB, SO_OOBINLINE, SIOCATMARK, EPOLLPRI) as on Linux, by threads. */
#include "live.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

static char buf[1 << 16];

static void close_both(struct live *l, int fd[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* far sends the next n bytes of an alphabet; with MSG_OOB the last is urgent */
static void far_send(struct live *l, int fd, size_t n, int flags)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

	(void)l->bed.call->sendto(&l->bed, FAR, fd, letters, n, flags, NULL, 0);
	live_sleep(3);
	bed_log(&l->bed, "send %zu %s\n", n, flags ? "oob" : "");
}

/* what poll, SIOCATMARK and FIONREAD say */
static void look(struct live *l, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI};
	int mark = -1, left = -1;

	(void)l->c->poll(&p, 1, 0);
	(void)l->c->ioctl(fd, SIOCATMARK, &mark);
	(void)l->c->ioctl(fd, FIONREAD, &left);
	bed_log(&l->bed, "  in %d pri %d mark %d left %d\n", (p.revents & POLLIN) != 0,
	        (p.revents & POLLPRI) != 0, mark, left);
}

static void take(struct live *l, int fd, size_t n, int flags)
{
	ssize_t rc = l->c->recv(fd, buf, n, flags | MSG_DONTWAIT);

	live_log(l, flags & MSG_OOB ? "oob" : flags & MSG_PEEK ? "peek" : "recv", rc);
	if (rc > 0 && !(flags & MSG_TRUNC))
		bed_log(&l->bed, "  %.*s\n", (int)rc, buf);
	look(l, fd);
}

static void set_inline(struct live *l, int fd, int on)
{
	int is = -1;
	socklen_t len = sizeof(is);

	live_log(l, "set", l->c->setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	live_log(l, "get", l->c->getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &is, &len));
	bed_log(&l->bed, "  %d\n", is);
}

static void out_of_band(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	take(l, fd[NEAR], 1, MSG_OOB);
	far_send(l, fd[FAR], 6, MSG_OOB);
	far_send(l, fd[FAR], 4, 0);
	look(l, fd[NEAR]);
	take(l, fd[NEAR], 1, MSG_OOB | MSG_PEEK);
	take(l, fd[NEAR], 1, MSG_OOB);
	take(l, fd[NEAR], 1, MSG_OOB);
	take(l, fd[NEAR], 3, 0);
	take(l, fd[NEAR], 100, 0);
	take(l, fd[NEAR], 100, MSG_PEEK);
	take(l, fd[NEAR], 2, 0);
	take(l, fd[NEAR], 100, 0);
	close_both(l, fd);
}

static void in_line(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	set_inline(l, fd[NEAR], 7);
	far_send(l, fd[FAR], 6, MSG_OOB);
	far_send(l, fd[FAR], 4, 0);
	look(l, fd[NEAR]);
	take(l, fd[NEAR], 1, MSG_OOB);
	take(l, fd[NEAR], 100, MSG_PEEK);
	take(l, fd[NEAR], 100, 0);
	take(l, fd[NEAR], 100, 0);
	far_send(l, fd[FAR], 1, MSG_OOB);
	look(l, fd[NEAR]);
	set_inline(l, fd[NEAR], 0);
	look(l, fd[NEAR]);
	take(l, fd[NEAR], 1, MSG_OOB);
	take(l, fd[NEAR], 1, 0);
	close_both(l, fd);
}

static void passed_over(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	far_send(l, fd[FAR], 1, MSG_OOB);
	look(l, fd[NEAR]);
	take(l, fd[NEAR], 100, MSG_PEEK);
	take(l, fd[NEAR], 100, 0);
	take(l, fd[NEAR], 1, MSG_OOB);
	far_send(l, fd[FAR], 3, MSG_OOB);
	take(l, fd[NEAR], 100, MSG_TRUNC);
	take(l, fd[NEAR], 100, MSG_TRUNC);
	close_both(l, fd);
}

static void replaced(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	far_send(l, fd[FAR], 3, MSG_OOB);
	far_send(l, fd[FAR], 3, MSG_OOB);
	take(l, fd[NEAR], 100, 0);
	take(l, fd[NEAR], 1, MSG_OOB);
	far_send(l, fd[FAR], 5, MSG_OOB); /* the reader stands in front of the one before */
	look(l, fd[NEAR]);
	take(l, fd[NEAR], 100, MSG_PEEK);
	take(l, fd[NEAR], 100, 0);
	take(l, fd[NEAR], 1, MSG_OOB);
	close_both(l, fd);
}

static void waits_for_it(struct live *l, int fd)
{
	(void)l->bed.call->sendto(&l->bed, FAR, fd, "xyz", 3, MSG_OOB, NULL, 0);
}

static void waiting(struct live *l)
{
	struct pollfd p = {.events = POLLPRI};
	int fd[2];

	live_pair(l, fd);
	p.fd = fd[NEAR];
	live_later(l, 10, waits_for_it, fd[FAR]);
	live_log(l, "poll", l->c->poll(&p, 1, 5000));
	bed_log(&l->bed, "%s\n", p.revents == POLLPRI ? "pri" : "other");
	live_join();
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, MSG_WAITALL)); /* ends at the mark */
	take(l, fd[NEAR], 1, MSG_OOB);
	live_later(l, 10, waits_for_it, fd[FAR]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, 0)); /* passes over it, and waits */
	bed_log(&l->bed, "  %.2s\n", buf);
	live_join();
	close_both(l, fd);
}

static void fd_sets(struct live *l)
{
	struct timeval none = {0};
	fd_set except;
	int fd[2];

	live_pair(l, fd);
	far_send(l, fd[FAR], 2, MSG_OOB);
	FD_ZERO(&except);
	FD_SET(fd[NEAR], &except);
	live_log(l, "select", l->c->select(fd[NEAR] + 1, NULL, NULL, &except, &none));
	take(l, fd[NEAR], 1, MSG_OOB);
	FD_SET(fd[NEAR], &except);
	live_log(l, "select", l->c->select(fd[NEAR] + 1, NULL, NULL, &except, &none));
	close_both(l, fd);
}

static void at_the_end(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	far_send(l, fd[FAR], 2, MSG_OOB);
	l->bed.call->shutdown(&l->bed, FAR, fd[FAR], SHUT_WR);
	live_sleep(3);
	take(l, fd[NEAR], 10, 0);
	take(l, fd[NEAR], 10, MSG_PEEK);
	take(l, fd[NEAR], 10, 0);
	take(l, fd[NEAR], 1, MSG_OOB);
	close_both(l, fd);
}

/* listeners hand it on */
static void accepted(struct live *l)
{
	struct sockaddr_in a;
	int listener = live_listener(l, 4, &a), on = 1, is = -1, far, near;
	socklen_t len = sizeof(is);

	(void)l->c->setsockopt(listener, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	far = live_far_connect(l, &a);
	near = l->c->accept4(listener, NULL, NULL, 0);
	(void)l->c->getsockopt(near, SOL_SOCKET, SO_OOBINLINE, &is, &len);
	bed_log(&l->bed, "inline %d\n", is);
	l->c->close(near);
	l->c->close(listener);
	l->bed.call->close(&l->bed, FAR, far);
}

/* calls at random, the same on both */
static void at_random(struct live *l)
{
	unsigned seed = 3;
	int fd[2];

	live_pair(l, fd);
	for (int i = 0; i < 240; i++) {
		unsigned r = (unsigned)rand_r(&seed), n = 1 + r / 16 % 6;

		bed_log(&l->bed, "%d: ", i);
		switch (r % 16) {
		case 0:
		case 1:
		case 2:
			far_send(l, fd[FAR], n, 0);
			break;
		case 3:
		case 4:
		case 5:
			far_send(l, fd[FAR], n, MSG_OOB);
			break;
		case 6:
		case 7:
			take(l, fd[NEAR], 1, MSG_OOB | (n == 1 ? MSG_PEEK : 0));
			break;
		case 8:
			take(l, fd[NEAR], n, MSG_PEEK);
			break;
		case 9:
			set_inline(l, fd[NEAR], n == 1);
			break;
		case 10:
			take(l, fd[NEAR], n, MSG_TRUNC);
			break;
		case 11:
			take(l, fd[NEAR], 1000, 0);
			break;
		default:
			take(l, fd[NEAR], n, 0);
		}
	}
	close_both(l, fd);
}

/* a connection whose far end has urgent bytes out of band */
static void pair_out_of_band(struct live *l, int fd[2])
{
	const int off = 0;

	live_pair(l, fd);
	(void)l->bed.call->setsockopt(&l->bed, FAR, fd[FAR], SOL_SOCKET, SO_OOBINLINE, &off,
	                              sizeof(off));
}

/* near writes until nothing more is taken */
static void fill(struct live *l, int fd)
{
	for (int refused = 0; refused < 3; live_sleep(5)) {
		const ssize_t n = l->c->send(fd, buf, sizeof(buf), MSG_DONTWAIT);

		refused = n > 0 ? 0 : refused + 1;
	}
}

/* far reads all that there is; returns the last urgent byte among it. A mark that is more than 64 KB ahead is told of as another. */
static char far_drain(struct live *l, int fd)
{
	char urgent = '-';

	for (int quiet = 0; quiet < 150; live_sleep(2)) {
		(void)l->bed.call->recvfrom(&l->bed, FAR, fd, &urgent, 1, MSG_OOB, NULL, NULL);
		quiet = l->bed.call->recvfrom(&l->bed, FAR, fd, buf, sizeof(buf), 0, NULL, NULL) > 0
		            ? 0
		            : quiet + 1;
	}
	return urgent;
}

/* It has the place that others have: behind what the peer has no room for yet. */
static void sent_behind_others(struct live *l)
{
	const struct timeval second = {.tv_sec = 1};
	struct pollfd p = {.events = POLLOUT};
	int fd[2];

	pair_out_of_band(l, fd);
	(void)l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	fill(l, fd[NEAR]);
	live_log(l, "full", l->c->send(fd[NEAR], "abx", 3, MSG_OOB | MSG_DONTWAIT));
	p.fd = fd[NEAR];
	for (int n = 0; n < 5000 && l->c->poll(&p, 1, 0) == 0; n++) {
		(void)l->bed.call->recvfrom(&l->bed, FAR, fd[FAR], buf, 16384, 0, NULL, NULL);
		live_sleep(1);
	}
	for (int n = 0; n < 5000 && l->c->poll(&p, 1, 0) == 1; n++, live_sleep(1))
		(void)l->c->send(fd[NEAR], buf, 4096, MSG_DONTWAIT);
	live_log(l, "send", l->c->send(fd[NEAR], "cdy", 3, MSG_OOB));
	live_log(l, "more", l->c->send(fd[NEAR], "efg", 3, 0));
	bed_log(&l->bed, "urgent %c\n", far_drain(l, fd[FAR]));
	close_both(l, fd);
}

static void far_take(struct live *l, int fd, int flags)
{
	const ssize_t n = l->bed.call->recvfrom(&l->bed, FAR, fd, buf, 100, flags, NULL, NULL);

	live_log(l, flags & MSG_OOB ? "far oob" : "far recv", n);
	if (n > 0)
		bed_log(&l->bed, "  %.*s\n", (int)n, buf);
}

/* bytes before and behind it, in one call and in several */
static void sent_among_others(struct live *l)
{
	char text[] = "abcde";
	struct iovec v[3] = {{text, 2}, {text, 0}, {text + 2, 3}};
	const struct msghdr m = {.msg_iov = v, .msg_iovlen = 3};
	const int one = 1;
	int fd[2];

	pair_out_of_band(l, fd);
	(void)l->c->setsockopt(fd[NEAR], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	live_log(l, "none", l->c->send(fd[NEAR], text, 0, MSG_OOB));
	for (int i = 0; i < 3; i++) {
		live_log(l, "before", l->c->send(fd[NEAR], "vw", 2, i == 1 ? MSG_MORE : 0));
		live_log(l, "send",
		         i < 2 ? l->c->sendmsg(fd[NEAR], &m, MSG_OOB)
		               : l->c->send(fd[NEAR], text, 1, MSG_OOB));
		live_log(l, "behind", l->c->send(fd[NEAR], "xyz", 3, 0));
		live_sleep(10);
		far_take(l, fd[FAR], 0);
		far_take(l, fd[FAR], MSG_OOB);
		far_take(l, fd[FAR], 0);
		far_take(l, fd[FAR], 0);
	}
	close_both(l, fd);
}

static const struct live_case cases[] = {
    {"out of band", out_of_band},
    {"in line", in_line},
    {"passed over", passed_over},
    {"a later mark", replaced},
    {"calls that wait", waiting},
    {"select", fd_sets},
    {"the end of the stream", at_the_end},
    {"of a listener", accepted},
    {"sent among others", sent_among_others},
    {"sent behind others", sent_behind_others},
    {"at random", at_random},
};

LIVE_MAIN("posix/urgent", cases)
