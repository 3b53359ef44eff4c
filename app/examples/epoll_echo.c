/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll_echo: an echo server with one thread and an epoll set, level-triggered, or edge-triggered
 * if its second argument is "et".  The set also contains a descriptor of the kernel, standard
 * input; end of file there ends the program.
 *
 *   PERCORE_SOCKET=/tmp/stack epoll_echo 7 et       (see thread_echo.c for the stack)
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <percore/posix.h>

#define PAUSE 100 /* ms until the next attempt when descriptors run out */

static uint32_t trigger; /* 0 or EPOLLET */
static bool full;        /* a client waits in the accept queue because descriptors ran out */

static int watch(int set, int op, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	return pcx_epoll_ctl(set, op, fd, &e);
}

static bool is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/* When descriptors run out, clients stay in the accept queue: the listener then is always ready,
 * and no further edge reports it. */
static void accept_all(int set, int listener)
{
	const bool was_full = full;
	int fd;

	while ((fd = pcx_accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		if (watch(set, EPOLL_CTL_ADD, fd, EPOLLIN | (trigger ? trigger | EPOLLOUT : 0)) !=
		    0)
			pcx_close(fd);
	full = is_short(errno);
	if (full != was_full)
		watch(set, EPOLL_CTL_MOD, listener, full ? 0 : EPOLLIN | trigger);
}

/* Echoes until there is nothing more, or no room: bytes are read only once they have been sent. */
static void echo(int set, int fd)
{
	char buf[16384];
	ssize_t n, sent = 0;

	while ((n = pcx_recv(fd, buf, sizeof(buf), MSG_PEEK)) > 0) {
		sent = pcx_send(fd, buf, (size_t)n, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		(void)pcx_recv(fd, buf, (size_t)sent, 0);
	}
	if (n == 0 || errno != EAGAIN)
		pcx_close(fd); /* this also removes it from the set */
	else if (trigger == 0) /* wait only for what is needed next */
		(void)watch(set, EPOLL_CTL_MOD, fd, n > 0 ? EPOLLOUT : EPOLLIN);
}

static int open_listener(unsigned short port)
{
	const struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = pcx_socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || pcx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		return -1;
	return pcx_listen(fd, 1024) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
	struct epoll_event e[64];
	int set, listener, n;

	trigger = argc > 2 && strcmp(argv[2], "et") == 0 ? EPOLLET : 0;
	if (pcx_attach(NULL) != 0) {
		perror("cannot attach to the stack at PERCORE_SOCKET");
		return 2;
	}
	listener = open_listener((unsigned short)(argc > 1 ? strtoul(argv[1], NULL, 10) : 7));
	if (listener < 0) {
		perror("listen");
		return 2;
	}
	set = pcx_epoll_create1(EPOLL_CLOEXEC);
	watch(set, EPOLL_CTL_ADD, listener, EPOLLIN | trigger);
	watch(set, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN);
	puts("ready");
	fflush(stdout);
	while ((n = pcx_epoll_wait(set, e, 64, full ? PAUSE : -1)) >= 0 || errno == EINTR) {
		if (full)
			accept_all(set, listener);
		for (int i = 0; i < n; i++) {
			if (e[i].data.fd == STDIN_FILENO)
				return 0;
			if (e[i].data.fd == listener && (e[i].events & EPOLLERR)) {
				fputs("the stack has ended\n", stderr);
				return 1;
			}
			if (e[i].data.fd == listener)
				accept_all(set, listener);
			else
				echo(set, e[i].data.fd);
		}
	}
	perror("epoll_wait");
	return 1;
}
