/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An echo server with one thread and one core: the thread drives its stack within its calls. It
 * ends at the end of its standard input.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include <percore/posix.h>
#include <percore/run.h>

#define PORT 7

static int open_listener(void)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = pcx_socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pcx_listen(fd, 100) != 0)
		return -1;
	return fd;
}

static void watch(int set, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (pcx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) != 0)
		perror("epoll_ctl");
}

/* Blocks in send while there is no room. */
static void echo(int fd)
{
	char buf[16384];
	ssize_t n = pcx_recv(fd, buf, sizeof(buf), 0);

	if (n <= 0 || pcx_send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		pcx_close(fd);
}

/* Returns at the end of standard input. */
static void serve(int listener)
{
	int set = pcx_epoll_create1(0), n;
	struct epoll_event e[16];

	watch(set, listener);
	watch(set, STDIN_FILENO);
	while ((n = pcx_epoll_wait(set, e, 16, -1)) >= 0) {
		for (int i = 0; i < n; i++) {
			if (e[i].data.fd == STDIN_FILENO)
				return;
			if (e[i].data.fd == listener)
				watch(set, pcx_accept(listener, NULL, NULL));
			else
				echo(e[i].data.fd);
		}
	}
	perror("epoll_wait");
}

int main(int argc, char **argv)
{
	char why[512];
	struct pc_drive *drive = pc_drive_start(argc, argv, why, sizeof(why));
	int listener;

	if (drive == NULL) {
		fprintf(stderr, "%s\n", why);
		return 2;
	}
	listener = open_listener();
	if (listener < 0) {
		perror("listen");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	serve(listener);
	pc_drive_stop(drive);
	puts("stopped");
	return 0;
}
