/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <percore/epoll.h>
#include <percore/run.h>
#include <percore/socket.h>

#define EPFD  1
#define FIRST 8

/* Keeps the memory: fresh pages for each of thousands of stacks would take sanitizers most of the time. */
static void forget(struct fake_conn *c)
{
	*c = (struct fake_conn){
	    .in = c->in, .in_room = c->in_room, .out = c->out, .out_room = c->out_room};
}

void fake_init(struct pc_stack *st)
{
	memset(&st->config, 0, sizeof(st->config));
	for (int fd = 0; fd < FAKE_FDS; fd++)
		forget(&st->conns[fd]);
	st->config.stack_max_connections = FAKE_FDS;
	st->config.stack_max_epolls = 1;
	st->listener = -1;
	st->wall = 1700000000;
}

void fake_fini(struct pc_stack *st)
{
	for (int fd = 0; fd < FAKE_FDS; fd++) {
		free(st->conns[fd].in);
		free(st->conns[fd].out);
		st->conns[fd] = (struct fake_conn){0};
	}
}

uint32_t pc_fd_limit(const struct pc_stack *st)
{
	(void)st;
	return FAKE_FDS;
}

int fake_connect(struct pc_stack *st)
{
	int fd = FIRST;

	while (st->conns[fd].used)
		fd++;
	if (fd >= FAKE_FDS)
		abort();
	st->conns[fd].used = true;
	st->conns[fd].window = SIZE_MAX;
	return fd;
}

static void append(char **p, size_t *len, size_t *room, const void *bytes, size_t n)
{
	if (*len + n > *room) {
		*room = (*len + n) * 2;
		*p = realloc(*p, *room);
	}
	if (n > 0)
		memcpy(*p + *len, bytes, n);
	*len += n;
}

void fake_send(struct pc_stack *st, int fd, const void *p, size_t len)
{
	struct fake_conn *c = &st->conns[fd];

	append(&c->in, &c->in_len, &c->in_room, p, len);
	c->edges |= EPOLLIN;
}

void fake_send_urgent(struct pc_stack *st, int fd, const void *p, size_t len)
{
	fake_send(st, fd, p, len);
	st->conns[fd].mark = st->conns[fd].in_len - 1;
	st->conns[fd].edges |= EPOLLPRI;
}

void fake_fin(struct pc_stack *st, int fd)
{
	st->conns[fd].fin = true;
	st->conns[fd].edges |= EPOLLIN | EPOLLRDHUP;
}

void fake_reset(struct pc_stack *st, int fd)
{
	st->conns[fd].reset = true;
	st->conns[fd].edges |= EPOLLIN | EPOLLERR | EPOLLHUP;
}

void fake_acknowledge(struct pc_stack *st, int fd, size_t n)
{
	struct fake_conn *c = &st->conns[fd];

	c->acked += n < c->out_len - c->acked ? n : c->out_len - c->acked;
}

void fake_open_window(struct pc_stack *st, int fd, size_t n)
{
	struct fake_conn *c = &st->conns[fd];

	c->window += n;
	if (c->blocked)
		c->edges |= EPOLLOUT;
	c->blocked = false;
}

/* ---- the calls ------------------------------------------------------------------------------- */

const struct pc_stack_config *pc_stack_get_config(const struct pc_stack *st)
{
	return &st->config;
}

int64_t pc_run_wall_clock(const struct pc_stack *st)
{
	return st->wall;
}

int pc_socket(struct pc_stack *st, int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	st->listener = FIRST - 1;
	return st->listener;
}

int pc_bind(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)st;
	(void)fd;
	(void)addr;
	(void)len;
	return 0;
}

int pc_listen(struct pc_stack *st, int fd, int backlog)
{
	(void)st;
	(void)fd;
	(void)backlog;
	return 0;
}

int pc_accept(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	(void)fd;
	(void)addr;
	(void)len;
	for (int i = FIRST; i < FAKE_FDS; i++) {
		if (st->conns[i].used && !st->conns[i].accepted) {
			st->conns[i].accepted = true;
			return i;
		}
	}
	errno = EAGAIN;
	return -1;
}

static struct fake_conn *open_conn(struct pc_stack *st, int fd)
{
	if (fd < FIRST || fd >= FAKE_FDS || !st->conns[fd].accepted || st->conns[fd].closed)
		abort(); /* the server uses a descriptor that it does not have */
	return &st->conns[fd];
}

ssize_t pc_recv(struct pc_stack *st, int fd, void *buf, size_t len, int flags)
{
	struct fake_conn *c = open_conn(st, fd);
	size_t n = c->in_len - c->in_done;

	(void)flags;
	if (c->reset) {
		errno = ECONNRESET;
		return -1;
	}
	if (n == 0 && !c->fin) {
		errno = EAGAIN;
		return -1;
	}
	n = n < len ? n : len;
	if (c->in_done < c->mark && n > c->mark - c->in_done)
		n = c->mark - c->in_done;
	if (n > 0)
		memcpy(buf, c->in + c->in_done, n);
	c->in_done += n;
	return (ssize_t)n;
}

ssize_t pc_writev(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt)
{
	struct fake_conn *c = open_conn(st, fd);
	size_t total = 0, n;

	if (c->shut_wr || c->reset || c->send_errno != 0) {
		errno = c->send_errno != 0 ? c->send_errno : EPIPE;
		return -1;
	}
	c->sends++;
	for (int i = 0; i < iovcnt; i++) {
		n = iov[i].iov_len < c->window ? iov[i].iov_len : c->window;
		append(&c->out, &c->out_len, &c->out_room, iov[i].iov_base, n);
		if (c->window != SIZE_MAX)
			c->window -= n;
		total += n;
		c->blocked = c->blocked || n < iov[i].iov_len;
	}
	if (total == 0 && c->blocked) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)total;
}

ssize_t pc_send(struct pc_stack *st, int fd, const void *buf, size_t len, int flags)
{
	const struct iovec iov = {(void *)(uintptr_t)buf, len};

	(void)flags;
	return pc_writev(st, fd, &iov, 1);
}

int pc_ioctl(struct pc_stack *st, int fd, unsigned long request, void *arg)
{
	const struct fake_conn *c = open_conn(st, fd);

	if (request != SIOCOUTQ)
		abort();
	*(int *)arg = (int)(c->out_len - c->acked);
	return 0;
}

int pc_shutdown(struct pc_stack *st, int fd, int how)
{
	if (how != SHUT_WR)
		abort();
	open_conn(st, fd)->shut_wr = true;
	return 0;
}

int pc_close(struct pc_stack *st, int fd)
{
	struct fake_conn *c;

	if (fd == st->listener) {
		st->listener = -1;
		return 0;
	}
	c = open_conn(st, fd);
	c->closed = true;
	c->aborted = c->linger_0 || c->in_done < c->in_len;
	return 0;
}

int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len)
{
	(void)value;
	(void)len;
	if (level == SOL_SOCKET && name == SO_LINGER)
		open_conn(st, fd)->linger_0 = true;
	return 0;
}

int pc_getpeername(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	const struct sockaddr_in peer = {.sin_family = AF_INET,
	                                 .sin_addr.s_addr = htonl(0xc0000207)};

	open_conn(st, fd);
	memcpy(addr, &peer, sizeof(peer));
	*len = sizeof(peer);
	return 0;
}

int pc_epoll_create(struct pc_stack *st)
{
	(void)st;
	return EPFD;
}

int pc_epoll_close(struct pc_stack *st, int epfd)
{
	(void)st;
	(void)epfd;
	return 0;
}

int pc_epoll_ctl(struct pc_stack *st, int epfd, int op, int fd, struct epoll_event *event)
{
	(void)epfd;
	(void)op;
	if (fd != st->listener) {
		open_conn(st, fd)->in_epoll = true;
		st->conns[fd].interest = event->events | EPOLLERR | EPOLLHUP;
		st->conns[fd].edges |= EPOLLOUT;
	}
	return 0;
}

int pc_epoll_wait(struct pc_stack *st, int epfd, struct epoll_event *events, int maxevents)
{
	int n = 0;

	(void)epfd;
	if (st->listener >= 0)
		events[n++] = (struct epoll_event){.events = EPOLLIN, .data.fd = st->listener};
	for (int fd = FIRST; fd < FAKE_FDS && n < maxevents; fd++) {
		struct fake_conn *c = &st->conns[fd];

		if (!c->in_epoll || c->closed || (c->edges & c->interest) == 0)
			continue;
		events[n++] = (struct epoll_event){.events = c->edges & c->interest, .data.fd = fd};
		c->edges = 0;
	}
	return n;
}
