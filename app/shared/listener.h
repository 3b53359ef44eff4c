/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_LISTENER_H
#define SHARED_LISTENER_H

/*
 * The listening socket of a server, and its connections, which are in an epoll set with their
 * descriptors as data.
 */

#include <stdint.h>

#include <percore/stack.h>

/**
 * listener_open listens on a TCP port of every address of both families. Connections have
 * TCP_NODELAY. Returns the socket, or -1 with errno.
 */
int listener_open(struct pc_stack *st, int epfd, uint16_t port, int backlog);

/**
 * listener_accept accepts a connection. If its descriptor is max or more, or the set has no room
 * for it, it is closed. Returns its descriptor; 0: it was closed; -1: there is none.
 */
int listener_accept(struct pc_stack *st, int epfd, int listener, uint32_t max);

#endif
