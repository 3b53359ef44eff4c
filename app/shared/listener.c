/* SPDX-License-Identifier: BSD-2-Clause */
#include "listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <percore/epoll.h>
#include <percore/socket.h>

#define CONN_EVENTS (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET)

static int watch(struct pc_stack *st, int epfd, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return pc_epoll_ctl(st, epfd, EPOLL_CTL_ADD, fd, &event);
}

int listener_open(struct pc_stack *st, int epfd, uint16_t port, int backlog)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int fd = pc_socket(st, AF_INET6, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		return -1;
	if (pc_setsockopt(st, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	    pc_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)) == 0 &&
	    pc_listen(st, fd, backlog) == 0 && watch(st, epfd, fd, EPOLLIN) == 0)
		return fd;
	pc_close(st, fd);
	return -1;
}

int listener_accept(struct pc_stack *st, int epfd, int listener, uint32_t max)
{
	const int fd = pc_accept(st, listener, NULL, NULL);

	if (fd < 0)
		return -1;
	if ((uint32_t)fd < max && watch(st, epfd, fd, CONN_EVENTS) == 0)
		return fd;
	pc_close(st, fd);
	return 0;
}
