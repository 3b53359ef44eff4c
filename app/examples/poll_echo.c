/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll_echo: an echo server with poll(), for up to 1,023 clients.
 *
 *   PERCORE_SOCKET=/tmp/stack poll_echo 7           (see thread_echo.c for the stack)
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include <percore/posix.h>

#define MAX   1024
#define PAUSE 100 /* ms until the next attempt when descriptors run out */

static struct pollfd p[MAX]; /* p[0] is the listener */
static nfds_t n = 1;

/* Returns false if the client is gone. */
static bool echo(struct pollfd *client)
{
	char buf[16384];
	ssize_t got = pcx_recv(client->fd, buf, sizeof(buf), MSG_PEEK), sent;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	sent = pcx_send(client->fd, buf, (size_t)got, MSG_NOSIGNAL);
	if (sent > 0)
		(void)pcx_recv(client->fd, buf, (size_t)sent, 0);
	/* while the send buffer is full, wait for room only */
	client->events = sent < got ? POLLOUT : POLLIN;
	return sent > 0 || errno == EAGAIN;
}

static bool is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static void accept_one(void)
{
	int fd = pcx_accept4(p[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 && n < MAX)
		p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	else if (fd >= 0)
		pcx_close(fd);
	else if (is_short(errno))
		p[0].events = 0; /* clients stay in the queue: it would always be ready */
}

static int open_listener(unsigned short port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = pcx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || pcx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || pcx_listen(fd, 1024) != 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	if (pcx_attach(NULL) != 0) {
		perror("cannot attach to the stack at PERCORE_SOCKET");
		return 2;
	}
	p[0].fd = open_listener((unsigned short)(argc > 1 ? strtoul(argv[1], NULL, 10) : 7));
	if (p[0].fd < 0) {
		perror("listen");
		return 2;
	}
	p[0].events = POLLIN;
	puts("ready");
	fflush(stdout);
	while (pcx_poll(p, n, p[0].events ? -1 : PAUSE) >= 0 || errno == EINTR) {
		for (nfds_t i = n; i-- > 1;) {
			if (p[i].revents == 0 || echo(&p[i]))
				continue;
			pcx_close(p[i].fd);
			p[i] = p[--n];
		}
		if (p[0].revents & (POLLERR | POLLHUP | POLLNVAL)) {
			fputs("the stack has ended\n", stderr);
			return 1;
		}
		if (p[0].revents || p[0].events == 0) {
			p[0].events = POLLIN;
			accept_one();
		}
	}
	perror("poll");
	return 1;
}
