/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program on percore's side of kernel_tcp_test.py; class Puppet in puppet.py does the same on the
 * kernel's. What a connection does depends on the port at which it was accepted:
 *
 *   ECHO   echoes, and closes at the end
 *   KEEP   echoes, and never closes
 *   ONCE   echoes what comes first, and closes
 *   SHUT   the same, but only shuts down, and reads on to the end
 *
 * A datagram with one of these as its byte makes it connect to the sender's address and port.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <percore/percore.h>
#include <percore/run.h>

enum kind { CLOSED, LISTENER, COMMANDS, ECHO, KEEP, ONCE, SHUT, READ };

#define PORT(kind) (4 + (kind)) /* ECHO: 7 */
#define EVENTS     256

struct puppet {
	struct pc_stack *st;
	int epoll;
	uint32_t nb_fds;
	struct {
		uint8_t kind, accepted;
	} fds[];
};

static int watch(struct puppet *p, int fd, enum kind kind, enum kind accepted)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	                         .data.fd = fd};
	int on = 1;

	if (kind != COMMANDS)
		pc_setsockopt(p->st, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	p->fds[fd].kind = (uint8_t)kind;
	p->fds[fd].accepted = (uint8_t)accepted;
	return pc_epoll_ctl(p->st, p->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void hang_up(struct puppet *p, int fd)
{
	p->fds[fd].kind = CLOSED;
	pc_close(p->st, fd);
}

static void obey(struct puppet *p, int commands)
{
	struct sockaddr_in6 from;
	socklen_t len;
	uint8_t kind;

	while (len = sizeof(from),
	       pc_recvfrom(p->st, commands, &kind, 1, 0, (struct sockaddr *)&from, &len) == 1) {
		int fd = pc_socket(p->st, AF_INET6, SOCK_STREAM, 0);

		if (fd < 0 || kind < ECHO || kind > SHUT)
			continue;
		watch(p, fd, kind, CLOSED);
		if (pc_connect(p->st, fd, (struct sockaddr *)&from, len) != 0 &&
		    errno != EINPROGRESS)
			hang_up(p, fd);
	}
}

/* The peer sends less than a send buffer has room for. */
static void serve_stream(struct puppet *p, int fd)
{
	uint8_t *kind = &p->fds[fd].kind;
	char buf[4096];
	ssize_t n;

	while ((n = pc_recv(p->st, fd, buf, sizeof(buf), 0)) > 0) {
		if (*kind != READ)
			pc_send(p->st, fd, buf, (size_t)n, 0);
		if (*kind == SHUT) {
			pc_shutdown(p->st, fd, SHUT_WR);
			*kind = READ;
		} else if (*kind == ONCE) {
			hang_up(p, fd);
			return;
		}
	}
	if ((n == 0 && *kind != KEEP) || (n < 0 && errno != EAGAIN && errno != ENOTCONN))
		hang_up(p, fd);
}

static void serve(struct puppet *p, int fd)
{
	int new;

	switch (p->fds[fd].kind) {
	case CLOSED:
		break;
	case LISTENER:
		while ((new = pc_accept(p->st, fd, NULL, NULL)) > 0)
			watch(p, new, p->fds[fd].accepted, CLOSED);
		break;
	case COMMANDS:
		obey(p, fd);
		break;
	default:
		serve_stream(p, fd);
	}
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	struct puppet *p = worker;
	struct epoll_event ev[EVENTS];
	int n;

	(void)now_ns;
	while ((n = pc_epoll_wait(st, p->epoll, ev, EVENTS)) > 0)
		for (int i = 0; i < n; i++)
			serve(p, ev[i].data.fd);
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	const uint32_t n = pc_fd_limit(st);
	struct puppet *p = calloc(1, sizeof(*p) + n * sizeof(p->fds[0]));

	(void)app;
	if (p == NULL)
		return -1;
	p->st = st;
	p->nb_fds = n;
	p->epoll = pc_epoll_create(st);
	for (int kind = COMMANDS; kind <= SHUT; kind++) {
		struct sockaddr_in6 any = {.sin6_family = AF_INET6};
		int type = kind == COMMANDS ? SOCK_DGRAM : SOCK_STREAM;
		int fd = pc_socket(st, AF_INET6, type, 0);

		any.sin6_port = htons((uint16_t)PORT(kind == COMMANDS ? ECHO : kind));
		if (pc_bind(st, fd, (struct sockaddr *)&any, sizeof(any)) != 0 ||
		    (kind != COMMANDS && pc_listen(st, fd, 65535) != 0) ||
		    watch(p, fd, kind == COMMANDS ? COMMANDS : LISTENER, (enum kind)kind) != 0) {
			snprintf(why, why_len, "port %d: %s", PORT(kind), strerror(errno));
			return -1;
		}
	}
	*worker = p;
	return 0;
}

static uint64_t next_deadline(void *worker, struct pc_stack *st)
{
	(void)worker;
	(void)st;
	return UINT64_MAX;
}

/* No connection outlives the test: waiting for peers that are gone would take long. */
static void drain(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)worker;
	(void)st;
	(void)now_ns;
}

static bool drained(void *worker, struct pc_stack *st)
{
	(void)worker;
	(void)st;
	return true;
}

static void finish(void *worker, struct pc_stack *st)
{
	struct puppet *p = worker;
	const struct linger now = {.l_onoff = 1};

	for (uint32_t fd = 1; fd < p->nb_fds; fd++) {
		if (p->fds[fd].kind == CLOSED)
			continue;
		pc_setsockopt(st, (int)fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		hang_up(p, (int)fd);
	}
	pc_epoll_close(st, p->epoll);
	free(p);
}

int main(int argc, char **argv)
{
	const struct pc_run_app app = {.name = "puppet",
	                               .summary = "does what its peer says",
	                               .start = start,
	                               .turn = turn,
	                               .next_deadline = next_deadline,
	                               .drain = drain,
	                               .drained = drained,
	                               .finish = finish};

	return pc_run(argc, argv, &app, NULL);
}
