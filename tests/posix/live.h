/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_LIVE_H
#define POSIX_LIVE_H

/*
 * The same program of calls that may block on the kernel and on percore, with logs to be compared.
 *
 * The near side is the calling thread (and those it makes), by the C library or by percore/posix.h.  The far side is
 * non-blocking and played by the same program: sockets of the kernel's, or of a second stack.  On percore a
 * thread plays the lcore and turns both stacks by the real clock, so times here are real and short.
 */

#include <percore/posix.h>

#include "bed.h"

/** The calls, those of the system or pcx_ ones. */
struct posix_calls {
	const char *name;
	int (*socket)(int, int, int);
	int (*bind)(int, const struct sockaddr *, socklen_t);
	int (*listen)(int, int);
	int (*accept4)(int, struct sockaddr *, socklen_t *, int);
	int (*connect)(int, const struct sockaddr *, socklen_t);
	int (*shutdown)(int, int);
	int (*getsockname)(int, struct sockaddr *, socklen_t *);
	int (*getpeername)(int, struct sockaddr *, socklen_t *);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	int (*setsockopt)(int, int, int, const void *, socklen_t);
	ssize_t (*read)(int, void *, size_t);
	ssize_t (*write)(int, const void *, size_t);
	ssize_t (*readv)(int, const struct iovec *, int);
	ssize_t (*writev)(int, const struct iovec *, int);
	ssize_t (*recv)(int, void *, size_t, int);
	ssize_t (*send)(int, const void *, size_t, int);
	ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
	ssize_t (*sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int (*recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
	int (*sendmmsg)(int, struct mmsghdr *, unsigned, int);
	ssize_t (*sendfile)(int, int, off_t *, size_t);
	ssize_t (*splice)(int, off_t *, int, off_t *, size_t, unsigned);
	int (*close)(int);
	int (*dup)(int);
	int (*dup2)(int, int);
	int (*dup3)(int, int, int);
	int (*fcntl)(int, int, long);
	int (*ioctl)(int, unsigned long, void *);
	int (*poll)(struct pollfd *, nfds_t, int);
	int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	int (*select)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
	int (*pselect)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
	               const sigset_t *);
	int (*epoll_create1)(int);
	int (*epoll_ctl)(int, int, int, struct epoll_event *);
	int (*epoll_wait)(int, struct epoll_event *, int, int);
	int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
	int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *,
	                    const sigset_t *);
};

/** A program under way: its calls, its far side (bed.call, with FAR only), and its log (bed_log). */
struct live {
	const struct posix_calls *c;
	struct bed bed;
};

/** live_kernel and live_percore begin; live_end ends. */
void live_kernel(struct live *l);
void live_percore(struct live *l, struct rte_mempool *pool);
void live_end(struct live *l);

/** live_ip6 has percore's near side speak IPv6 by its interface, as the kernel's loopback does. */
void live_ip6(struct live *l);

/** live_sleep sleeps for some milliseconds; what is under way goes on. */
void live_sleep(unsigned ms);

/** live_pair makes a connection: fd[FAR], and fd[NEAR], which blocks. Aborts when it cannot. */
void live_pair(struct live *l, int fd[2]);

/** live_listener makes a listener on the near side; *a gets its address. */
int live_listener(struct live *l, int backlog, struct sockaddr_in *a);

/** live_far_connect begins a connection of the far side to a. Returns its descriptor. */
int live_far_connect(struct live *l, const struct sockaddr_in *a);

/** live_far_send sends n bytes 'a', 'b', ... of the far side, all of them. */
void live_far_send(struct live *l, int fd, size_t n);

/** live_far_recv receives n bytes on the far side, waiting for them. Returns how many came. */
size_t live_far_recv(struct live *l, int fd, size_t n);

/** live_log logs what a call has returned, with errno if it is -1. */
void live_log(struct live *l, const char *what, long rc);

/** live_later runs what(l, fd) on another thread after some milliseconds; live_join waits for it. */
void live_later(struct live *l, unsigned ms, void (*what)(struct live *l, int fd), int fd);
void live_join(void);

/** A program to be compared. */
struct live_case {
	const char *name;
	void (*program)(struct live *l);
};

/** live_main compares all programs as a CUnit suite and returns the exit status; --case TEXT picks; --drive: the calling threads
 * drive percore's near side (struct pcx_driver). */
int live_main(int argc, char **argv, const char *suite, const struct live_case *cases, unsigned n);

#define LIVE_MAIN(suite, cases)                                                                 \
	int main(int argc, char **argv)                                                         \
	{                                                                                       \
		return live_main(argc, argv, suite, cases, sizeof(cases) / sizeof((cases)[0])); \
	}

#endif
