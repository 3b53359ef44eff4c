/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_client: connects, sends what it reads from standard input, and prints what it receives, until
 * the peer closes.
 *
 *   echo hello | PERCORE_SOCKET=/tmp/stack tcp_client 192.0.2.2 7     (see thread_echo.c for the stack)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <percore/posix.h>

static int connect_to(const char *addr, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_port = htons((unsigned short)strtoul(port, NULL, 10))};
	const struct timeval patience = {.tv_sec = 10};
	int fd = pcx_socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		return -1;
	pcx_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (pcx_connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (errno == EINPROGRESS) /* SO_SNDTIMEO has expired */
		errno = ETIMEDOUT;
	return -1;
}

/* Copies in both directions at once. Returns 0 once the peer has closed, or -1 with errno. */
static int talk(int fd)
{
	struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	char buf[65536];
	ssize_t n;

	while (pcx_poll(p, 2, -1) > 0) {
		if (p[1].revents != 0) {
			n = pcx_read(fd, buf, sizeof(buf));
			if (n <= 0)
				return n == 0 ? 0 : -1;
			if (pcx_write(STDOUT_FILENO, buf, (size_t)n) != n)
				return -1;
		}
		if (p[0].revents != 0) {
			n = pcx_read(STDIN_FILENO, buf, sizeof(buf));
			if (n > 0 && pcx_write(fd, buf, (size_t)n) != n)
				return -1;
			if (n <= 0) {
				pcx_shutdown(fd, SHUT_WR);
				p[0].fd = -1;
			}
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: tcp_client ADDRESS PORT\n");
		return 2;
	}
	if (pcx_attach(NULL) != 0) {
		perror("cannot attach to the stack at PERCORE_SOCKET");
		return 2;
	}
	fd = connect_to(argv[1], argv[2]);
	if (fd < 0) {
		perror("tcp_client");
		return 2;
	}
	if (talk(fd) != 0) {
		perror("tcp_client");
		return 1;
	}
	pcx_close(fd);
	return 0;
}
