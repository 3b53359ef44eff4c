/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_LISTENER_H
#define SHARED_LISTENER_H

/*
 * The listening socket of a server, and its connections. All are in an epoll set, with their
 * descriptors as data.
 */

#include <stdint.h>

#include <percore/stack.h>

/**
 * listener_open listens on a TCP port on all addresses of both families. Connections have
 * TCP_NODELAY set. Returns the socket, or -1 with errno.
 */
int listener_open(struct pc_stack *st, int epfd, uint16_t port, int backlog);

/**
 * listener_accept accepts a connection. It closes it at once if its descriptor is max or more, or
 * if the epoll set has no room. Returns the descriptor; 0 if it was closed; -1 if there was none.
 */
int listener_accept(struct pc_stack *st, int epfd, int listener, uint32_t max);

#endif
