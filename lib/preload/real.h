/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_REAL_H
#define PRELOAD_REAL_H

/*
 * The C library's own functions, behind the names that are taken over: real_read and so on.
 *
 * Each looks up the next definition of its name (RTLD_NEXT) when it is first called.  That may be
 * very early, in the constructor of another library, or from an allocator that dlsym() itself has
 * called; then, or if the C library lacks the function, a plain system call is made.
 */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "posix/sys.h"

/* Type, name, parameters, arguments, and the system call made while there is no definition. */
#define REAL_LIST(REAL)                                                                            \
	REAL(int, socket, (int d, int t, int p), (d, t, p), syscall(SYS_socket, d, t, p))          \
	REAL(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n),               \
	     syscall(SYS_bind, fd, a, n))                                                          \
	REAL(int, listen, (int fd, int n), (fd, n), syscall(SYS_listen, fd, n))                    \
	REAL(int, accept, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n),                  \
	     syscall(SYS_accept, fd, a, n))                                                        \
	REAL(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int f), (fd, a, n, f),       \
	     syscall(SYS_accept4, fd, a, n, f))                                                    \
	REAL(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n),            \
	     syscall(SYS_connect, fd, a, n))                                                       \
	REAL(int, shutdown, (int fd, int how), (fd, how), syscall(SYS_shutdown, fd, how))          \
	REAL(int, getsockname, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n),             \
	     syscall(SYS_getsockname, fd, a, n))                                                   \
	REAL(int, getpeername, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n),             \
	     syscall(SYS_getpeername, fd, a, n))                                                   \
	REAL(int, getsockopt, (int fd, int l, int o, void *v, socklen_t *n), (fd, l, o, v, n),     \
	     syscall(SYS_getsockopt, fd, l, o, v, n))                                              \
	REAL(int, setsockopt, (int fd, int l, int o, const void *v, socklen_t n),                  \
	     (fd, l, o, v, n), syscall(SYS_setsockopt, fd, l, o, v, n))                            \
	REAL(int, setsourcefilter,                                                                 \
	     (int fd, uint32_t i, const struct sockaddr *g, socklen_t l, uint32_t m, uint32_t n,   \
	      const struct sockaddr_storage *s),                                                   \
	     (fd, i, g, l, m, n, s), (errno = ENOSYS, -1))                                         \
	REAL(int, getsourcefilter,                                                                 \
	     (int fd, uint32_t i, const struct sockaddr *g, socklen_t l, uint32_t *m, uint32_t *n, \
	      struct sockaddr_storage *s),                                                         \
	     (fd, i, g, l, m, n, s), (errno = ENOSYS, -1))                                         \
	REAL(int, setipv4sourcefilter,                                                             \
	     (int fd, struct in_addr i, struct in_addr g, uint32_t m, uint32_t n,                  \
	      const struct in_addr *s),                                                            \
	     (fd, i, g, m, n, s), (errno = ENOSYS, -1))                                            \
	REAL(int, getipv4sourcefilter,                                                             \
	     (int fd, struct in_addr i, struct in_addr g, uint32_t *m, uint32_t *n,                \
	      struct in_addr *s),                                                                  \
	     (fd, i, g, m, n, s), (errno = ENOSYS, -1))                                            \
	REAL(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n), syscall(SYS_read, fd, b, n))  \
	REAL(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n),                        \
	     syscall(SYS_write, fd, b, n))                                                         \
	REAL(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n),                   \
	     syscall(SYS_readv, fd, v, n))                                                         \
	REAL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n),                  \
	     syscall(SYS_writev, fd, v, n))                                                        \
	REAL(ssize_t, recv, (int fd, void *b, size_t n, int f), (fd, b, n, f),                     \
	     syscall(SYS_recvfrom, fd, b, n, f, NULL, NULL))                                       \
	REAL(ssize_t, send, (int fd, const void *b, size_t n, int f), (fd, b, n, f),               \
	     syscall(SYS_sendto, fd, b, n, f, NULL, 0))                                            \
	REAL(ssize_t, recvfrom,                                                                    \
	     (int fd, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l),                 \
	     (fd, b, n, f, a, l), syscall(SYS_recvfrom, fd, b, n, f, a, l))                        \
	REAL(ssize_t, sendto,                                                                      \
	     (int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l),      \
	     (fd, b, n, f, a, l), syscall(SYS_sendto, fd, b, n, f, a, l))                          \
	REAL(ssize_t, recvmsg, (int fd, struct msghdr *m, int f), (fd, m, f),                      \
	     syscall(SYS_recvmsg, fd, m, f))                                                       \
	REAL(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f),                \
	     syscall(SYS_sendmsg, fd, m, f))                                                       \
	REAL(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, int f, struct timespec *t),    \
	     (fd, m, n, f, t), syscall(SYS_recvmmsg, fd, m, n, f, t))                              \
	REAL(int, sendmmsg, (int fd, struct mmsghdr *m, unsigned n, int f), (fd, m, n, f),         \
	     syscall(SYS_sendmmsg, fd, m, n, f))                                                   \
	REAL(ssize_t, sendfile, (int o, int i, off_t *at, size_t n), (o, i, at, n),                \
	     syscall(SYS_sendfile, o, i, at, n))                                                   \
	REAL(ssize_t, splice, (int i, off_t *ia, int o, off_t *oa, size_t n, unsigned f),          \
	     (i, ia, o, oa, n, f), syscall(SYS_splice, i, ia, o, oa, n, f))                        \
	REAL(int, close, (int fd), (fd), syscall(SYS_close, fd))                                   \
	REAL(int, close_range, (unsigned a, unsigned b, int f), (a, b, f),                         \
	     syscall(SYS_close_range, a, b, f))                                                    \
	REAL(int, dup, (int fd), (fd), syscall(SYS_dup, fd))                                       \
	REAL(int, dup2, (int fd, int to), (fd, to), syscall(SYS_dup2, fd, to))                     \
	REAL(int, dup3, (int fd, int to, int f), (fd, to, f), syscall(SYS_dup3, fd, to, f))        \
	REAL(int, poll, (struct pollfd * p, nfds_t n, int t), (p, n, t),                           \
	     syscall(SYS_poll, p, n, t))                                                           \
	REAL(int, ppoll,                                                                           \
	     (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *s),           \
	     (p, n, t, s), syscall(SYS_ppoll, p, n, t, s, SYS_SIGSET_BYTES))                       \
	REAL(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t),             \
	     (n, r, w, e, t), syscall(SYS_select, n, r, w, e, t))                                  \
	REAL(                                                                                      \
	    int, pselect,                                                                          \
	    (int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *t, const sigset_t *s), \
	    (n, r, w, e, t, s), (errno = ENOSYS, -1))                                              \
	REAL(int, epoll_create, (int n), (n), syscall(SYS_epoll_create1, n > 0 ? 0 : -1))          \
	REAL(int, epoll_create1, (int f), (f), syscall(SYS_epoll_create1, f))                      \
	REAL(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *e), (ep, op, fd, e),     \
	     syscall(SYS_epoll_ctl, ep, op, fd, e))                                                \
	REAL(int, epoll_wait, (int ep, struct epoll_event *e, int n, int t), (ep, e, n, t),        \
	     syscall(SYS_epoll_pwait, ep, e, n, t, NULL, SYS_SIGSET_BYTES))                        \
	REAL(int, epoll_pwait, (int ep, struct epoll_event *e, int n, int t, const sigset_t *s),   \
	     (ep, e, n, t, s), syscall(SYS_epoll_pwait, ep, e, n, t, s, SYS_SIGSET_BYTES))         \
	REAL(int, epoll_pwait2,                                                                    \
	     (int ep, struct epoll_event *e, int n, const struct timespec *t, const sigset_t *s),  \
	     (ep, e, n, t, s), syscall(SYS_epoll_pwait2, ep, e, n, t, s, SYS_SIGSET_BYTES))        \
	REAL(int, pthread_create,                                                                  \
	     (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *arg),              \
	     (t, a, f, arg), EAGAIN)                                                               \
	REAL(pid_t, fork, (void), (), (errno = ENOSYS, -1))                                        \
	REAL(int, execve, (const char *p, char *const *a, char *const *e), (p, a, e),              \
	     syscall(SYS_execve, p, a, e))                                                         \
	REAL(int, execvpe, (const char *p, char *const *a, char *const *e), (p, a, e),             \
	     (errno = ENOSYS, -1))                                                                 \
	REAL(int, fexecve, (int fd, char *const *a, char *const *e), (fd, a, e),                   \
	     syscall(SYS_execveat, fd, "", a, e, 0x1000 /* AT_EMPTY_PATH */))

#define REAL_DECLARE(type, name, params, args, call) type real_##name params;
REAL_LIST(REAL_DECLARE)

/** real_fcntl and real_ioctl accept the third argument whatever its type. */
int real_fcntl(int fd, int command, long arg);
int real_ioctl(int fd, unsigned long request, void *arg);

/** real_find finds the next definition of a name; NULL: there is none, or it cannot be looked up
 * now. */
void *real_find(const char *name);

#endif
