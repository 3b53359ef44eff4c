/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that wait: for bytes, room, connections, time-outs and signals. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static char buf[1 << 20];

static void far_send_10(struct live *l, int fd)
{
	live_far_send(l, fd, 10);
}

static void far_send_300(struct live *l, int fd)
{
	live_far_send(l, fd, 100);
	live_sleep(5);
	live_far_send(l, fd, 100);
	live_sleep(5);
	live_far_send(l, fd, 100);
}

static void far_shutdown(struct live *l, int fd)
{
	l->bed.call->shutdown(&l->bed, FAR, fd, SHUT_WR);
}

static void far_send_and_shutdown(struct live *l, int fd)
{
	live_far_send(l, fd, 10);
	far_shutdown(l, fd);
}

static void far_reset(struct live *l, int fd)
{
	const struct linger linger = {.l_onoff = 1};

	l->bed.call->setsockopt(&l->bed, FAR, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	l->bed.call->close(&l->bed, FAR, fd);
}

static void far_send_and_reset(struct live *l, int fd)
{
	live_far_send(l, fd, 10);
	live_sleep(5);
	far_reset(l, fd);
}

static void far_recv_all(struct live *l, int fd)
{
	bed_log(&l->bed, "far received %zu\n", live_far_recv(l, fd, 1 << 20));
}

static void far_recv_400000(struct live *l, int fd)
{
	(void)live_far_recv(l, fd, 400000);
}

static void set_timeout(struct live *l, int fd, int name, long us)
{
	const struct timeval tv = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};

	live_log(l, "set time-out", l->c->setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv)));
}

static void close_both(struct live *l, int fd[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* ---- receiving -------------------------------------------------------------------------------- */

static void recv_waits(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_send_10, fd[FAR]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	bed_log(&l->bed, "%.10s\n", buf);
	live_join();
	close_both(l, fd);
}

static void read_and_readv_wait(struct live *l)
{
	struct iovec v[3] = {{buf, 4}, {buf + 10, 0}, {buf + 20, 100}};
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_send_10, fd[FAR]);
	live_log(l, "read", l->c->read(fd[NEAR], buf, 3));
	live_log(l, "readv", l->c->readv(fd[NEAR], v, 3));
	bed_log(&l->bed, "%.4s %.3s\n", buf, buf + 20);
	live_join();
	close_both(l, fd);
}

static void recv_waitall(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_send_300, fd[FAR]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL));
	live_join();
	live_sleep(5);
	live_log(l, "the rest", l->c->recv(fd[NEAR], buf, 250, 0));
	live_later(l, 5, far_send_and_shutdown, fd[FAR]);
	live_log(l, "cut short", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL));
	live_log(l, "end", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL));
	live_join();
	close_both(l, fd);
}

/* The reset that cuts a read short is the next one's. */
static void recv_waitall_reset(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_send_and_reset, fd[FAR]);
	live_log(l, "cut short", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL));
	live_join();
	live_log(l, "error", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL));
	live_log(l, "end", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL));
	l->c->close(fd[NEAR]);
	live_pair(l, fd);
	far_send_and_reset(l, fd[FAR]);
	live_sleep(5);
	live_log(l, "at once", l->c->recv(fd[NEAR], buf, 250, MSG_WAITALL | MSG_DONTWAIT));
	live_log(l, "error", l->c->recv(fd[NEAR], buf, 250, MSG_DONTWAIT));
	l->c->close(fd[NEAR]);
}

static void recv_reset_after_fin(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_RD));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	live_sleep(5);
	live_log(l, "send", l->c->send(fd[NEAR], "abc", 3, 0));
	live_sleep(5);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, 0));
	live_log(l, "send", l->c->send(fd[NEAR], "abc", 3, MSG_NOSIGNAL));
	l->c->close(fd[NEAR]);
}

static void recv_waitall_peek(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_send_300, fd[FAR]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 300, MSG_WAITALL | MSG_PEEK));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 300, MSG_WAITALL));
	live_join();
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 150000);
	live_later(l, 5, far_send_10, fd[FAR]);
	live_log(l, "a time-out", l->c->recv(fd[NEAR], buf, 300, MSG_WAITALL | MSG_PEEK));
	live_join();
	live_later(l, 5, far_shutdown, fd[FAR]);
	live_log(l, "the end", l->c->recv(fd[NEAR], buf, 300, MSG_WAITALL | MSG_PEEK));
	live_join();
	close_both(l, fd);
}

static void recv_trunc(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_far_send(l, fd[FAR], 26);
	live_sleep(5);
	live_log(l, "drop", l->c->recv(fd[NEAR], NULL, 4, MSG_TRUNC));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 4, 0));
	bed_log(&l->bed, "%.4s\n", buf);
	close_both(l, fd);
}

static void recv_dontwait(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_log(l, "nothing", l->c->recv(fd[NEAR], buf, 10, MSG_DONTWAIT));
	live_log(l, "all of nothing", l->c->recv(fd[NEAR], buf, 10, MSG_DONTWAIT | MSG_WAITALL));
	live_log(l, "0 bytes", l->c->recv(fd[NEAR], buf, 0, MSG_DONTWAIT));
	live_far_send(l, fd[FAR], 5);
	live_sleep(5);
	live_log(l, "0 bytes", l->c->recv(fd[NEAR], buf, 0, 0));
	live_log(l, "all", l->c->recv(fd[NEAR], buf, 10, MSG_DONTWAIT | MSG_WAITALL));
	live_log(l, "read 0", l->c->read(fd[NEAR], buf, 0));
	close_both(l, fd);
}

static void recv_end(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_shutdown, fd[FAR]);
	for (int i = 0; i < 2; i++)
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_log(l, "peek", l->c->recv(fd[NEAR], buf, 100, MSG_PEEK));
	live_join();
	live_log(l, "send", l->c->send(fd[NEAR], buf, 100, 0));
	close_both(l, fd);
}

static void recv_reset(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_reset, fd[FAR]);
	for (int i = 0; i < 3; i++)
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_join();
	live_log(l, "send", l->c->send(fd[NEAR], buf, 100, MSG_NOSIGNAL));
	l->c->close(fd[NEAR]);
}

static void recv_shut(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_far_send(l, fd[FAR], 5);
	live_sleep(5);
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_RD));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	close_both(l, fd);
}

/* What comes later can be read all the same. */
static void recv_behind_shutdown(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_RD));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	for (int i = 0; i < 2; i++) {
		live_far_send(l, fd[FAR], 5);
		live_sleep(5);
		live_log(l, "peek", l->c->recv(fd[NEAR], buf, 9, MSG_PEEK));
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, MSG_WAITALL));
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, MSG_WAITALL));
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	}
	close_both(l, fd);
}

static void near_shutdown(struct live *l, int fd)
{
	l->c->shutdown(fd, SHUT_RD);
}

static void recv_shut_meanwhile(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, near_shutdown, fd[NEAR]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	live_join();
	close_both(l, fd);
}

static void recv_timeout(struct live *l)
{
	struct timeval tv = {.tv_usec = 1000000};
	socklen_t len = sizeof(tv);
	int fd[2];

	live_pair(l, fd);
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 20000);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 150000);
	live_later(l, 5, far_send_10, fd[FAR]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, MSG_WAITALL));
	live_join();
	live_log(l, "bad", l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	live_log(l, "short", l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_RCVTIMEO, &tv, 4));
	live_log(l, "get", l->c->getsockopt(fd[NEAR], SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	bed_log(&l->bed, "%u bytes, %ld s\n", len, (long)tv.tv_sec);
	close_both(l, fd);
}

/* ---- signals ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t signals;
static pthread_t program;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void catch_signal(int flags)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};

	sigaction(SIGUSR1, &sa, NULL);
	program = pthread_self();
	signals = 0;
}

static void send_signal(struct live *l, int fd)
{
	(void)l, (void)fd;
	pthread_kill(program, SIGUSR1);
}

static void signal_and_send(struct live *l, int fd)
{
	send_signal(l, fd);
	live_sleep(10);
	live_far_send(l, fd, 10);
}

static void recv_interrupted(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	catch_signal(0);
	live_later(l, 10, send_signal, 0);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	live_join();
	catch_signal(SA_RESTART);
	live_later(l, 10, signal_and_send, fd[FAR]);
	live_log(l, "restarted", l->c->recv(fd[NEAR], buf, 3, 0));
	live_join();
	bed_log(&l->bed, "signals %d\n", (int)signals);
	live_log(l, "drain", l->c->recv(fd[NEAR], buf, 100, 0));
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 2000000); /* with one it is not restarted */
	live_later(l, 10, send_signal, 0);
	live_log(l, "with a time-out", l->c->recv(fd[NEAR], buf, 3, 0));
	live_join();
	catch_signal(0);
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 0);
	live_far_send(l, fd[FAR], 4);
	live_later(l, 10, send_signal, 0);
	live_log(l, "some of all", l->c->recv(fd[NEAR], buf, 10, MSG_WAITALL));
	live_join();
	close_both(l, fd);
}

/* A read of 0 bytes waits once, for whatever comes. */
static void recv_nothing(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 20000);
	live_log(l, "a time-out", l->c->recv(fd[NEAR], buf, 0, 0));
	set_timeout(l, fd[NEAR], SO_RCVTIMEO, 0);
	catch_signal(0);
	live_later(l, 10, send_signal, 0);
	live_log(l, "a signal", l->c->recv(fd[NEAR], buf, 0, 0));
	live_join();
	live_later(l, 5, far_send_10, fd[FAR]);
	live_log(l, "data", l->c->recv(fd[NEAR], buf, 0, 0));
	live_join();
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_later(l, 5, far_reset, fd[FAR]);
	live_log(l, "a reset", l->c->recv(fd[NEAR], buf, 0, 0));
	live_join();
	live_log(l, "error", l->c->recv(fd[NEAR], buf, 0, 0));
	live_log(l, "end", l->c->recv(fd[NEAR], buf, 0, 0));
	l->c->close(fd[NEAR]);
}

static void accept_interrupted(struct live *l)
{
	struct sockaddr_in a;
	int listener = live_listener(l, 5, &a);

	catch_signal(0);
	live_later(l, 10, send_signal, 0);
	live_log(l, "accept", l->c->accept4(listener, NULL, NULL, 0));
	live_join();
	set_timeout(l, listener, SO_RCVTIMEO, 20000);
	live_log(l, "accept", l->c->accept4(listener, NULL, NULL, 0));
	l->c->close(listener);
}

static void sigpipe(struct live *l)
{
	struct sigaction sa = {.sa_handler = on_signal};
	int fd[2];

	live_pair(l, fd);
	sigaction(SIGPIPE, &sa, NULL);
	signals = 0;
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_WR));
	live_log(l, "send", l->c->send(fd[NEAR], buf, 1, MSG_NOSIGNAL));
	bed_log(&l->bed, "signals %d\n", (int)signals);
	live_log(l, "send", l->c->send(fd[NEAR], buf, 1, 0));
	live_log(l, "write", l->c->write(fd[NEAR], buf, 1));
	bed_log(&l->bed, "signals %d\n", (int)signals);
	close_both(l, fd);
	fd[NEAR] = l->c->socket(AF_INET, SOCK_STREAM, 0);
	live_log(l, "unconnected", l->c->send(fd[NEAR], buf, 1, 0));
	bed_log(&l->bed, "signals %d\n", (int)signals);
	l->c->close(fd[NEAR]);
	signal(SIGPIPE, SIG_DFL);
}

/* ---- sending ---------------------------------------------------------------------------------- */

static void send_waits(struct live *l)
{
	ssize_t rc;
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_recv_all, fd[FAR]);
	rc = l->c->send(fd[NEAR], buf, sizeof(buf), 0);
	live_join(); /* either side may be the first to see that all is there */
	live_log(l, "send", rc);
	close_both(l, fd);
}

static void writev_waits(struct live *l)
{
	struct iovec v[4] = {{buf, 300000}, {buf, 0}, {buf, 1}, {buf, (1 << 20) - 300001}};
	ssize_t rc;
	int fd[2];

	live_pair(l, fd);
	live_later(l, 5, far_recv_all, fd[FAR]);
	rc = l->c->writev(fd[NEAR], v, 4);
	live_join();
	live_log(l, "writev", rc);
	close_both(l, fd);
}

static void send_more(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	for (int i = 0; i < 3; i++)
		live_log(l, "more", l->c->send(fd[NEAR], buf, 10, MSG_MORE));
	live_log(l, "last", l->c->send(fd[NEAR], buf, 10, 0));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 40));
	close_both(l, fd);
}

static void send_timeout(struct live *l)
{
	ssize_t rc, total = 0;
	int fd[2];

	live_pair(l, fd);
	set_timeout(l, fd[NEAR], SO_SNDTIMEO, 30000);
	do { /* the buffers' sizes differ; how it ends does not */
		rc = l->c->send(fd[NEAR], buf, sizeof(buf), 0);
		total += rc > 0 ? rc : 0;
	} while (rc > 0 && total < 200000000);
	live_log(l, "send", rc);
	close_both(l, fd);
}

static void send_and_close(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_log(l, "send", l->c->send(fd[NEAR], buf, 100000, 0));
	l->c->close(fd[NEAR]);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 1 << 20));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static void send_to_reset(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	live_later(l, 10, far_reset, fd[FAR]);
	for (int i = 0; i < 10000; i++)
		if (l->c->send(fd[NEAR], buf, sizeof(buf), MSG_NOSIGNAL) < 0)
			break;
	live_log(l, "send", errno == EPIPE || errno == ECONNRESET ? 0 : -1);
	live_join();
	l->c->close(fd[NEAR]);
}

static void linger(struct live *l)
{
	const struct linger on = {.l_onoff = 1, .l_linger = 2};
	struct linger got;
	socklen_t len = sizeof(got);
	int fd[2];

	live_pair(l, fd);
	live_log(l, "set", l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_LINGER, &on, sizeof(on)));
	live_log(l, "get", l->c->getsockopt(fd[NEAR], SOL_SOCKET, SO_LINGER, &got, &len));
	bed_log(&l->bed, "%d %d\n", got.l_onoff, got.l_linger);
	live_log(l, "send", l->c->send(fd[NEAR], buf, 400000, 0));
	live_later(l, 5, far_recv_400000, fd[FAR]);
	live_log(l, "close", l->c->close(fd[NEAR]));
	live_join();
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* Fills the buffers of both ends. */
static void fill(struct live *l, int fd)
{
	for (int quiet = 0; quiet < 3;) {
		if (l->c->send(fd, buf, 65536, MSG_DONTWAIT) > 0) {
			quiet = 0;
			continue;
		}
		quiet++;
		live_sleep(5);
	}
}

static void log_whether_waits(struct live *l, const char *what, int fd, int by)
{
	struct timespec begun, ended;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	live_log(l, what, by < 0 ? l->c->close(fd) : l->c->dup2(by, fd) == fd ? 0 : -1);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	bed_log(&l->bed, "waits: %d\n",
	        (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000 >
	            500);
}

/* The peer does not read. O_NONBLOCK, unread bytes, and what else closes a descriptor. */
static void linger_in_vain(struct live *l)
{
	const struct linger on = {.l_onoff = 1, .l_linger = 1};
	const int other = l->c->socket(AF_INET, SOCK_STREAM, 0);

	for (int i = 0; i < 4; i++) {
		int fd[2];

		live_pair(l, fd);
		live_log(l, "set",
		         l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_LINGER, &on, sizeof(on)));
		if (i == 1)
			live_log(l, "flags", l->c->fcntl(fd[NEAR], F_SETFL, O_NONBLOCK));
		if (i == 2)
			live_far_send(l, fd[FAR], 10);
		fill(l, fd[NEAR]);
		log_whether_waits(l, i == 3 ? "dup2" : "close", fd[NEAR], i == 3 ? other : -1);
		if (i == 3)
			live_log(l, "close", l->c->close(fd[NEAR]));
		l->bed.call->close(&l->bed, FAR, fd[FAR]);
	}
	l->c->close(other);
}

static void linger_kept(struct live *l)
{
	static const struct linger set[] = {{0, 9}, {1, 7}, {0, 3}, {7, 0}, {0, 0}, {1, 5}, {0, 1}};
	const int fd = l->c->socket(AF_INET, SOCK_STREAM, 0);
	struct linger got;

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		socklen_t len = sizeof(got);

		live_log(l, "set", l->c->setsockopt(fd, SOL_SOCKET, SO_LINGER, &set[i], len));
		live_log(l, "get", l->c->getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
		bed_log(&l->bed, "%d %d\n", got.l_onoff, got.l_linger);
	}
	l->c->close(fd);
}

/* ---- connections ------------------------------------------------------------------------------ */

static void far_connect_and_send(struct live *l, int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	live_far_send(l, live_far_connect(l, &a), 10);
}

static void accept_waits(struct live *l)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int listener = live_listener(l, 5, &a), fd;

	live_later(l, 5, far_connect_and_send, listener);
	fd = l->c->accept4(listener, (struct sockaddr *)&a, &len, 0);
	bed_log(&l->bed, "accept %d, %u bytes, family %d\n", fd >= 0, len, a.sin_family);
	bed_log(&l->bed, "peer is far: %d\n",
	        a.sin_addr.s_addr == bed_addr(&l->bed, FAR, 0).sin_addr.s_addr ||
	            a.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	live_log(l, "recv", l->c->recv(fd, buf, 100, 0));
	live_join();
	live_log(l, "flags", l->c->accept4(listener, NULL, NULL, 0x10));
	live_log(l, "not a listener", l->c->accept4(fd, NULL, NULL, 0));
	l->c->close(fd);
	l->c->close(listener);
}

static int far_listener(struct live *l, struct sockaddr_in *a)
{
	struct bed *b = &l->bed;
	socklen_t len = sizeof(*a);
	int fd = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0);

	*a = bed_addr(b, FAR, 0);
	if (b->call->bind(b, FAR, fd, (struct sockaddr *)a, len) != 0 ||
	    b->call->listen(b, FAR, fd, 5) != 0 ||
	    b->call->getsockname(b, FAR, fd, (struct sockaddr *)a, &len) != 0)
		abort();
	return fd;
}

static void connect_waits(struct live *l)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int listener = far_listener(l, &a), fd = l->c->socket(AF_INET, SOCK_STREAM, 0), far;

	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "peer", l->c->getpeername(fd, (struct sockaddr *)&a, &len));
	live_sleep(5);
	far = l->bed.call->accept(&l->bed, FAR, listener, NULL, NULL);
	live_later(l, 2, far_send_10, far);
	live_log(l, "recv", l->c->recv(fd, buf, 100, 0));
	live_join();
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, far);
	l->bed.call->close(&l->bed, FAR, listener);
}

static void connect_refused(struct live *l)
{
	struct sockaddr_in a;
	int listener = far_listener(l, &a), fd = l->c->socket(AF_INET, SOCK_STREAM, 0), error = -1;
	socklen_t len = sizeof(error);

	l->bed.call->close(&l->bed, FAR, listener);
	live_sleep(2);
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "SO_ERROR", l->c->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	bed_log(&l->bed, "%d\n", error);
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "recv", l->c->recv(fd, buf, 10, 0));
	live_log(l, "send", l->c->send(fd, buf, 10, MSG_NOSIGNAL));
	l->c->close(fd);
}

static void connect_later(struct live *l)
{
	struct sockaddr_in a;
	int listener = far_listener(l, &a),
	    fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_sleep(10);
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, listener);
	live_sleep(5);
	fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_sleep(10);
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "recv", l->c->recv(fd, buf, 10, 0));
	l->c->close(fd);
}

/* the answer is there, but with --drive no call has taken it: the second connect() does, and tells the success */
static void connect_in_call(struct live *l)
{
	struct sockaddr_in a;
	int listener = far_listener(l, &a), fd = l->c->socket(AF_INET, SOCK_STREAM, 0);

	live_log(l, "resolve", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	l->c->close(fd);
	live_sleep(5);
	fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	(void)usleep(20000);
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_log(l, "again", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, listener);
}

static void peek(struct live *l, int fd, const char *what, size_t n, int flags)
{
	int off = 0;
	socklen_t len = sizeof(off);
	ssize_t rc;

	memset(buf, 0, 16);
	rc = l->c->recv(fd, buf, n, flags);
	live_log(l, what, rc);
	(void)l->c->getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, &len);
	bed_log(&l->bed, "'%.8s', offset %d\n", rc > 0 ? buf : "", off);
}

/* SO_PEEK_OFF: MSG_PEEK goes on where it was, and what is taken moves it back */
static void recv_peek_off(struct live *l)
{
	static const int edges[] = {-2, INT32_MIN, INT32_MAX, 0, -1};
	int fd[2], off = -1;
	socklen_t len = sizeof(off);

	live_pair(l, fd);
	live_log(l, "get", l->c->getsockopt(fd[NEAR], SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	bed_log(&l->bed, "%d\n", off);
	live_far_send(l, fd[FAR], 10);
	live_sleep(5);
	peek(l, fd[NEAR], "off", 3, MSG_PEEK);
	off = 0;
	live_log(l, "set", l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_PEEK_OFF, &off, len));
	live_log(l, "set", l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_PEEK_OFF, &off, 2));
	peek(l, fd[NEAR], "first", 3, MSG_PEEK);
	peek(l, fd[NEAR], "second", 3, MSG_PEEK);
	peek(l, fd[NEAR], "taken", 4, 0);
	peek(l, fd[NEAR], "third", 10, MSG_PEEK);
	peek(l, fd[NEAR], "none", 10, MSG_PEEK | MSG_DONTWAIT);
	live_later(l, 5, far_send_10, fd[FAR]);
	peek(l, fd[NEAR], "waits", 10, MSG_PEEK);
	live_join();
	peek(l, fd[NEAR], "all", 100, 0);
	off = 4;
	live_log(l, "set", l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_PEEK_OFF, &off, len));
	live_far_send(l, fd[FAR], 6);
	live_sleep(5);
	peek(l, fd[NEAR], "the fifth", 1, MSG_PEEK);
	l->bed.call->shutdown(&l->bed, FAR, fd[FAR], SHUT_WR);
	live_sleep(5);
	peek(l, fd[NEAR], "the last", 10, MSG_PEEK);
	peek(l, fd[NEAR], "the end", 10, MSG_PEEK);
	peek(l, fd[NEAR], "all", 10, 0);
	peek(l, fd[NEAR], "the end", 10, 0);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		live_log(l, "set",
		         l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_PEEK_OFF, &edges[i], len));
		peek(l, fd[NEAR], "the end", 10, 0);
	}
	close_both(l, fd);
}

static const struct live_case cases[] = {
    {"recv waits", recv_waits},
    {"read and readv wait", read_and_readv_wait},
    {"recv: MSG_WAITALL", recv_waitall},
    {"recv: MSG_WAITALL and MSG_PEEK", recv_waitall_peek},
    {"recv: MSG_WAITALL and a reset", recv_waitall_reset},
    {"recv: a reset after SHUT_RD and a FIN", recv_reset_after_fin},
    {"recv: MSG_TRUNC", recv_trunc},
    {"recv: 0 bytes", recv_nothing},
    {"recv: MSG_DONTWAIT", recv_dontwait},
    {"recv: SO_PEEK_OFF", recv_peek_off},
    {"recv: the end", recv_end},
    {"recv: reset", recv_reset},
    {"recv: shutdown", recv_shut},
    {"recv: behind a shutdown", recv_behind_shutdown},
    {"recv: shutdown meanwhile", recv_shut_meanwhile},
    {"recv: SO_RCVTIMEO", recv_timeout},
    {"recv: signals", recv_interrupted},
    {"accept: signals and time-outs", accept_interrupted},
    {"SIGPIPE", sigpipe},
    {"send waits", send_waits},
    {"writev waits", writev_waits},
    {"send: MSG_MORE", send_more},
    {"send: SO_SNDTIMEO", send_timeout},
    {"send and close", send_and_close},
    {"send until reset", send_to_reset},
    {"SO_LINGER", linger},
    {"SO_LINGER: the peer does not read", linger_in_vain},
    {"SO_LINGER: the time when it is off", linger_kept},
    {"accept waits", accept_waits},
    {"connect waits", connect_waits},
    {"connect: refused", connect_refused},
    {"connect: later", connect_later},
    {"connect: in the call", connect_in_call},
};

LIVE_MAIN("posix/block", cases)
