/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread_echo: an echo server with blocking calls, and a thread for each client.
 *
 * This process does not use DPDK.  The stack is in another process, which is given the path of a
 * UNIX socket:
 *
 *   percore-echo --vdev=net_tap0 -- --addr 192.0.2.1/24 --set run.sockets=/tmp/stack --listen 0
 *   PERCORE_SOCKET=/tmp/stack thread_echo 7
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include <percore/posix.h>

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[16384];
	ssize_t n;

	while ((n = pcx_recv(fd, buf, sizeof(buf), 0)) > 0)
		if (pcx_send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	pcx_close(fd);
	return NULL;
}

static int open_listener(unsigned short port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = pcx_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || pcx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    pcx_bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || pcx_listen(fd, 1024) != 0)
		return -1;
	return fd;
}

/* Says whether to call accept() again: if descriptors or memory run out, the next client stays in
 * the queue until others have left. */
static bool may_go_on(int error)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		(void)nanosleep(&pause, NULL);
	else if (error != ECONNABORTED && error != EINTR)
		return false;
	return true;
}

int main(int argc, char **argv)
{
	const struct timeval patience = {.tv_sec = 60};
	int listener, fd;
	pthread_attr_t attr;
	pthread_t thread;

	if (pcx_attach(NULL) != 0) {
		perror("cannot attach to the stack at PERCORE_SOCKET");
		return 2;
	}
	listener = open_listener((unsigned short)(argc > 1 ? strtoul(argv[1], NULL, 10) : 7));
	if (listener < 0) {
		perror("listen");
		return 2;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	puts("ready");
	fflush(stdout);
	while ((fd = pcx_accept(listener, NULL, NULL)) >= 0 || may_go_on(errno)) {
		if (fd < 0)
			continue;
		pcx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (pthread_create(&thread, &attr, echo, (void *)(intptr_t)fd) != 0)
			pcx_close(fd);
	}
	perror("accept"); /* ENETDOWN: the stack has ended */
	return 1;
}
