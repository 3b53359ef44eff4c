/* SPDX-License-Identifier: BSD-2-Clause */
/* splice() between sockets and pipes. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buf[1 << 20];

static void close_all(struct live *l, int fd[2], int pipes[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
}

static void open_all(struct live *l, int fd[2], int pipes[2])
{
	live_pair(l, fd);
	if (pipe(pipes) != 0)
		abort();
}

static void log_splice(struct live *l, const char *what, int in, int out, size_t n, unsigned flags)
{
	live_log(l, what, l->c->splice(in, NULL, out, NULL, n, flags));
}

static void far_send_10(struct live *l, int fd)
{
	live_far_send(l, fd, 10);
}

static void far_close(struct live *l, int fd)
{
	l->bed.call->close(&l->bed, FAR, fd);
}

static void write_pipe(struct live *l, int fd)
{
	(void)l;
	(void)!write(fd, "pipe", 4);
}

static void log_pipe(struct live *l, int fd)
{
	ssize_t rc = read(fd, buf, sizeof(buf));

	live_log(l, "read", rc);
	bed_log(&l->bed, "'%.*s'\n", rc > 0 && rc < 30 ? (int)rc : 0, buf);
}

static void into_pipe(struct live *l)
{
	int fd[2], pipes[2];

	open_all(l, fd, pipes);
	live_far_send(l, fd[FAR], 10);
	live_sleep(5);
	log_splice(l, "a part", fd[NEAR], pipes[1], 4, SPLICE_F_MOVE);
	log_pipe(l, pipes[0]);
	log_splice(l, "the rest", fd[NEAR], pipes[1], 100000, 0);
	log_pipe(l, pipes[0]);
	live_later(l, 5, far_send_10, fd[FAR]);
	log_splice(l, "waits", fd[NEAR], pipes[1], 100, SPLICE_F_NONBLOCK);
	live_join();
	log_pipe(l, pipes[0]);
	live_log(l, "O_NONBLOCK", l->c->fcntl(fd[NEAR], F_SETFL, O_NONBLOCK));
	log_splice(l, "nothing", fd[NEAR], pipes[1], 100, 0);
	live_log(l, "blocking", l->c->fcntl(fd[NEAR], F_SETFL, 0));
	live_later(l, 5, far_close, fd[FAR]);
	log_splice(l, "the end", fd[NEAR], pipes[1], 100, 0);
	live_join();
	log_splice(l, "the end", fd[NEAR], pipes[1], 100, SPLICE_F_NONBLOCK);
	l->c->close(fd[NEAR]);
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
}

/* Everything goes through one pipe, whose other end is emptied meanwhile. */
static void much_into_pipe(struct live *l)
{
	const size_t all = 300000;
	int fd[2], pipes[2];
	size_t done = 0, wrong = 0;

	open_all(l, fd, pipes);
	live_log(l, "O_NONBLOCK", l->c->fcntl(fd[NEAR], F_SETFL, O_NONBLOCK));
	live_far_send(l, fd[FAR], 100000);
	live_far_send(l, fd[FAR], 0);
	live_sleep(5);
	(void)fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	for (unsigned i = 0; done < 100000 && i < 10000; i++) {
		ssize_t rc = l->c->splice(fd[NEAR], NULL, pipes[1], NULL, all,
		                          SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		/* also when there is no more to come: what short reads have left is in the pipe */
		ssize_t n = rc >= 0 ? read(pipes[0], buf, i % 3 == 0 ? 1000 : sizeof(buf)) : 0;

		if (rc < 0 && errno == EAGAIN && (n = read(pipes[0], buf, 1000)) <= 0)
			live_sleep(1);
		for (ssize_t k = 0; k < n; k++)
			wrong += buf[k] != (char)('a' + (done + (size_t)k) % 26);
		done += n > 0 ? (size_t)n : 0;
	}
	bed_log(&l->bed, "%zu bytes, %zu wrong\n", done, wrong);
	close_all(l, fd, pipes);
}

static void out_of_pipe(struct live *l)
{
	int fd[2], pipes[2];

	open_all(l, fd, pipes);
	write_pipe(l, pipes[1]);
	write_pipe(l, pipes[1]);
	log_splice(l, "a part", pipes[0], fd[NEAR], 6, 0);
	log_splice(l, "the rest", pipes[0], fd[NEAR], 100, SPLICE_F_MORE);
	log_splice(l, "nothing", pipes[0], fd[NEAR], 100, SPLICE_F_NONBLOCK);
	live_later(l, 5, write_pipe, pipes[1]);
	log_splice(l, "waits", pipes[0], fd[NEAR], 100, 0);
	live_join();
	live_log(l, "close", l->c->close(pipes[1]));
	log_splice(l, "the end", pipes[0], fd[NEAR], 100, 0);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 12));
	close_all(l, fd, pipes);
}

/* A socket that is full leaves the rest in the pipe. */
static void out_until_full(struct live *l)
{
	int fd[2], pipes[2];
	size_t in = 0, out = 0;
	ssize_t rc;

	open_all(l, fd, pipes);
	live_log(l, "O_NONBLOCK", l->c->fcntl(fd[NEAR], F_SETFL, O_NONBLOCK));
	(void)fcntl(pipes[1], F_SETFL, O_NONBLOCK);
	for (int quiet = 0; quiet < 10;) {
		rc = write(pipes[1], buf, 30000);
		in += rc > 0 ? (size_t)rc : 0;
		rc = l->c->splice(pipes[0], NULL, fd[NEAR], NULL, sizeof(buf), SPLICE_F_NONBLOCK);
		out += rc > 0 ? (size_t)rc : 0;
		quiet = rc > 0 ? 0 : quiet + 1;
		if (quiet > 0)
			live_sleep(2);
	}
	live_log(l, "full", rc);
	bed_log(&l->bed, "all arrived: %d\n", live_far_recv(l, fd[FAR], out) == out);
	for (int i = 0; i < 1000 && out < in; i++) {
		rc = l->c->splice(pipes[0], NULL, fd[NEAR], NULL, sizeof(buf), SPLICE_F_NONBLOCK);
		if (rc <= 0)
			live_sleep(1);
		else
			(void)live_far_recv(l, fd[FAR], (size_t)rc);
		out += rc > 0 ? (size_t)rc : 0;
	}
	bed_log(&l->bed, "all of it: %d\n", out == in);
	close_all(l, fd, pipes);
}

static void full_pipe(struct live *l)
{
	int fd[2], pipes[2];

	open_all(l, fd, pipes);
	(void)fcntl(pipes[1], F_SETFL, O_NONBLOCK);
	while (write(pipes[1], buf, 4096) > 0)
		continue;
	live_far_send(l, fd[FAR], 10);
	live_sleep(5);
	log_splice(l, "a full pipe", fd[NEAR], pipes[1], 10, SPLICE_F_NONBLOCK);
	log_splice(l, "by its own flag", fd[NEAR], pipes[1], 10, 0);
	live_log(l, "the bytes are there", l->c->recv(fd[NEAR], buf, 100, MSG_DONTWAIT));
	close_all(l, fd, pipes);
}

static void splice_errors(struct live *l)
{
	int fd[2], pipes[2], two[2], fresh = l->c->socket(AF_INET, SOCK_STREAM, 0);
	off_t at = 0;

	open_all(l, fd, pipes);
	live_pair(l, two);
	live_log(l, "offset of the socket", l->c->splice(fd[NEAR], &at, pipes[1], NULL, 1, 0));
	live_log(l, "offset of the pipe", l->c->splice(fd[NEAR], NULL, pipes[1], &at, 1, 0));
	live_log(l, "offset of the pipe", l->c->splice(pipes[0], &at, fd[NEAR], NULL, 1, 0));
	live_log(l, "offset of the socket", l->c->splice(pipes[0], NULL, fd[NEAR], &at, 1, 0));
	log_splice(l, "two sockets", fd[NEAR], two[NEAR], 1, 0);
	log_splice(l, "none", fd[NEAR], two[NEAR], 0, 0);
	log_splice(l, "flags", fd[NEAR], pipes[1], 1, 0x100);
	log_splice(l, "no descriptor", fd[NEAR], 9999, 1, 0);
	log_splice(l, "not connected", fresh, pipes[1], 1, 0);
	write_pipe(l, pipes[1]);
	signal(SIGPIPE, SIG_IGN);
	log_splice(l, "not connected", pipes[0], fresh, 1, 0);
	log_splice(l, "the wrong end", pipes[1], fd[NEAR], 1, SPLICE_F_NONBLOCK);
	log_splice(l, "the wrong end", fd[NEAR], pipes[0], 1, SPLICE_F_NONBLOCK);
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_WR));
	log_splice(l, "shut", pipes[0], fd[NEAR], 1, 0);
	live_log(l, "close", l->c->close(pipes[0]));
	live_far_send(l, fd[FAR], 10);
	live_sleep(5);
	log_splice(l, "no reader", fd[NEAR], pipes[1], 5, 0);
	signal(SIGPIPE, SIG_DFL);
	l->bed.call->close(&l->bed, FAR, two[FAR]);
	l->c->close(two[NEAR]);
	l->c->close(fresh);
	close_all(l, fd, pipes);
}

static const struct live_case cases[] = {
    {"into a pipe", into_pipe},     {"much into a pipe", much_into_pipe},
    {"out of a pipe", out_of_pipe}, {"out of a pipe until it is full", out_until_full},
    {"a full pipe", full_pipe},     {"errors", splice_errors},
};

LIVE_MAIN("posix/splice", cases)
