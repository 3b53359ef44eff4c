/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_EPOLL_H
#define PERCORE_EPOLL_H

/*
 * epoll on the lcore.
 *
 *   ep = pc_epoll_create(st);
 *   pc_epoll_ctl(st, ep, EPOLL_CTL_ADD, fd, &event);
 *   n = pc_epoll_wait(st, ep, events, 64);            in each turn; never blocks
 *
 * Structs, constants and semantics are those of sys/epoll.h: level-triggered, edge-triggered
 * (EPOLLET) and EPOLLONESHOT; EPOLLERR and EPOLLHUP are always reported.  There are two limits: a
 * socket can be in one set at a time, and sets cannot be nested.  A set is an rte_ring of sockets
 * with pending events, each in it at most once, so the cost of a wait depends on the number of
 * ready sockets, not of all.
 */

#include <sys/epoll.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pc_epoll_create makes a set. Returns a descriptor > 0, or -1 with errno EMFILE
 * (stack.max_epolls).
 */
int pc_epoll_create(struct pc_stack *st);

/**
 * pc_epoll_ctl adds, changes or removes a socket (op is EPOLL_CTL_ADD, _MOD or _DEL). One that is
 * already ready is reported by the next wait. Closing a socket removes it from its set. Returns 0,
 * or -1 with errno EBADF, EEXIST (it is in this set), EBUSY (it is in another set), ENOENT (it is
 * not in this set), EINVAL (epfd is a socket, fd is a set, or op is unknown).
 */
int pc_epoll_ctl(struct pc_stack *st, int epfd, int op, int fd, struct epoll_event *event);

/**
 * pc_epoll_wait writes up to maxevents events; it never blocks. Returns how many, or -1 with errno
 * EBADF or EINVAL (epfd is a socket, or maxevents <= 0).
 */
int pc_epoll_wait(struct pc_stack *st, int epfd, struct epoll_event *events, int maxevents);

/** pc_epoll_close closes a set; its sockets stay open. Returns 0, or -1 with errno EBADF. */
int pc_epoll_close(struct pc_stack *st, int epfd);

#ifdef __cplusplus
}
#endif
#endif
