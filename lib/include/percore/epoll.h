/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_EPOLL_H
#define PERCORE_EPOLL_H

/*
 * epoll on the lcore.
 *
 * A set is served from an rte_ring of the sockets with something to tell, each in it at most once.
 * Level-triggered sockets go back into the ring when they are reported, and are passed over when
 * they have nothing more to tell; edge-triggered ones (EPOLLET) come again with the next event;
 * EPOLLONESHOT ones after EPOLL_CTL_MOD.  EPOLLERR and EPOLLHUP are always of interest.  A socket
 * can be in one set at a time; sets cannot be nested.  The structs and constants are those of
 * sys/epoll.h.
 */

#include <sys/epoll.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** pc_epoll_create makes a set. Returns a descriptor > 0, or -1 with errno EMFILE. */
int pc_epoll_create(struct pc_stack *st);

/**
 * pc_epoll_ctl adds, changes or removes fd. A socket that is ready already is reported by the next
 * wait. errno: EBADF, EEXIST (in this set), EBUSY (in another set), ENOENT, EINVAL (epfd is no set,
 * or is fd), EPERM. Closing a socket removes it.
 */
int pc_epoll_ctl(struct pc_stack *st, int epfd, int op, int fd, struct epoll_event *event);

/**
 * pc_epoll_wait takes up to maxevents events; it never blocks. Returns how many, or -1 with errno
 * EBADF or EINVAL (epfd is no set, or maxevents <= 0).
 */
int pc_epoll_wait(struct pc_stack *st, int epfd, struct epoll_event *events, int maxevents);

/** pc_epoll_close gives a set back; its sockets stay open and belong to none. errno EBADF. */
int pc_epoll_close(struct pc_stack *st, int epfd);

#ifdef __cplusplus
}
#endif
#endif
