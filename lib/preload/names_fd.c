/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of descriptors: closing, duplicating, and waiting for them. */
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "choose.h"
#include "names.h"
#include "one_core.h"
#include "posix/user.h"
#include "real.h"

/* ---- closing and duplicating --------------------------------------------------------------------- */

NAME(int, close, (int fd))
{
	int rc;

	if (is_private(fd)) {
		errno = EBADF;
		return -1;
	}
	if (is_kernels(fd))
		return real_close(fd);
	rc = pcx_close(fd);
	(void)stdio_followed(fd);
	return rc;
}
ALIAS(int, __close, close, (int fd), (fd))

/* To the kernel, the percore sockets of a process are all one placeholder socket. An inode number
 * made from the socket's cookie is unique to the socket, and the same in every process that has it
 * (dovecot compares them). */
static void put_inode(int fd, struct stat *st)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (pcx_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0)
		st->st_ino = cookie;
}

NAME(int, fstat, (int fd, struct stat *st))
{
	const int rc = (int)syscall(SYS_fstat, fd, st);

	if (rc == 0 && !is_kernels(fd))
		put_inode(fd, st);
	return rc;
}
ALIAS(int, fstat64, fstat, (int fd, struct stat *st), (fd, st))

/* Called by programs that were linked with an older C library. */
NAME(int, __fxstat, (int version, int fd, struct stat *st))
{
	(void)version;
	return ours_fstat(fd, st);
}
ALIAS(int, __fxstat64, __fxstat, (int version, int fd, struct stat *st), (version, fd, st))

/* One more than the highest number that may be a percore socket's or the library's own. */
static unsigned end_of_ours(void)
{
	const unsigned end = at_load(&client.end_fds);

	return end > FD_HIDDEN_END ? end : FD_HIDDEN_END;
}

/* Closes all descriptors of [first,last] but the library's own. */
NAME(int, close_range, (unsigned first, unsigned last, int flags))
{
	const unsigned known = CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE;
	unsigned begin = first;

	if (!pcx_is_attached() || first > last || ((unsigned)flags & ~known) != 0)
		return real_close_range(first, last, flags);
	for (unsigned fd = first; fd <= last && fd < end_of_ours(); fd++) {
		if (is_kernels((int)fd) && !is_private((int)fd))
			continue;
		if (fd > begin && real_close_range(begin, fd - 1, flags) != 0)
			return -1;
		begin = fd + 1;
		if (is_private((int)fd))
			continue;
		if ((unsigned)flags & CLOSE_RANGE_CLOEXEC)
			(void)pcx_fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		else
			(void)pcx_close((int)fd);
	}
	return begin <= last ? real_close_range(begin, last, flags) : 0;
}

NAME(void, closefrom, (int first))
{
	(void)ours_close_range(first < 0 ? 0 : (unsigned)first, ~0u, 0);
}

NAME(int, dup, (int fd))
{
	return is_kernels(fd) ? real_dup(fd) : stdio_followed(pcx_dup(fd));
}

NAME(int, dup2, (int fd, int to))
{
	int rc;

	if (is_kernels(fd) && is_kernels(to) && !is_private(to))
		return real_dup2(fd, to);
	rc = pcx_dup2(fd, to);
	stdio_follow();
	return rc;
}
ALIAS(int, __dup2, dup2, (int fd, int to), (fd, to))

NAME(int, dup3, (int fd, int to, int flags))
{
	int rc;

	if (is_kernels(fd) && is_kernels(to) && !is_private(to))
		return real_dup3(fd, to, flags);
	rc = pcx_dup3(fd, to, flags);
	stdio_follow();
	return rc;
}

NAME(int, fcntl, (int fd, int command, ...))
{
	va_list ap;
	long arg;
	int rc;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	if (is_kernels(fd))
		return real_fcntl(fd, command, arg);
	rc = pcx_fcntl(fd, command, arg);
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? stdio_followed(rc) : rc;
}

NAME(int, fcntl64, (int fd, int command, ...))
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	return ours_fcntl(fd, command, arg);
}

NAME(int, __fcntl, (int fd, int command, ...))
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	return ours_fcntl(fd, command, arg);
}

/* Whether a request is about the machine's interfaces, routes or neighbours. */
static bool is_about_machine(unsigned long request)
{
	const unsigned long kind = request >> 8, of_any = 0x89, of_wireless = 0x8b;

	return (kind == of_any && request >= SIOCADDRT && request != SIOCOUTQNSD) ||
	       kind == of_wireless;
}

/* Such requests are answered by the kernel, whatever the socket. */
static int ask_kernel(unsigned long request, void *arg)
{
	int fd = real_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -1;
	rc = real_ioctl(fd, request, arg);
	(void)real_close(fd);
	return rc;
}

NAME(int, ioctl, (int fd, unsigned long request, ...))
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (is_kernels(fd))
		return real_ioctl(fd, request, arg);
	if (is_about_machine(request))
		return ask_kernel(request, arg);
	return pcx_ioctl(fd, request, arg);
}

/* The C library's makes its own system call, which no name of ours intercepts. */
NAME(int, sockatmark, (int fd))
{
	int at_mark;

	return ours_ioctl(fd, SIOCATMARK, &at_mark) == 0 ? at_mark : -1;
}

/* ---- poll and select ----------------------------------------------------------------------------- */

static bool all_kernels(const struct pollfd *p, nfds_t n)
{
	if (n > 0 && (n > client.max_fds || !user_may_be(p, sizeof(*p))))
		return true; /* the kernel returns the error */
	for (nfds_t i = 0; i < n; i++)
		if (p[i].fd >= 0 && !is_kernels(p[i].fd))
			return false;
	return true;
}

NAME(int, poll, (struct pollfd * p, nfds_t n, int timeout_ms))
{
	return all_kernels(p, n) ? real_poll(p, n, timeout_ms) : pcx_poll(p, n, timeout_ms);
}
ALIAS(int, __poll, poll, (struct pollfd * p, nfds_t n, int timeout_ms), (p, n, timeout_ms))

NAME(int, ppoll,
     (struct pollfd * p, nfds_t n, const struct timespec *timeout, const sigset_t *mask))
{
	return all_kernels(p, n) ? real_ppoll(p, n, timeout, mask) : pcx_ppoll(p, n, timeout, mask);
}

_Noreturn void __chk_fail(void);

NAME(int, __poll_chk, (struct pollfd * p, nfds_t n, int timeout_ms, size_t room))
{
	if (room / sizeof(*p) < n)
		__chk_fail();
	return ours_poll(p, n, timeout_ms);
}

NAME(int, __ppoll_chk,
     (struct pollfd * p, nfds_t n, const struct timespec *timeout, const sigset_t *mask,
      size_t room))
{
	if (room / sizeof(*p) < n)
		__chk_fail();
	return ours_ppoll(p, n, timeout, mask);
}

/* n may exceed FD_SETSIZE, as may the set, which FD_ISSET() does not allow for. */
static bool none_ours(int n, const fd_set *set)
{
	const int ours = (int)at_load(&client.end_fds), end = n < ours ? n : ours;

	if (set == NULL || end <= 0 || !user_may_be(set, (size_t)end / 8 + 1))
		return true;
	for (int fd = 0; fd < end; fd++)
		if (((unsigned long)((const fd_mask *)set)[fd / NFDBITS] >> (fd % NFDBITS) & 1) &&
		    !is_kernels(fd))
			return false;
	return true;
}

NAME(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout))
{
	if (none_ours(n, r) && none_ours(n, w) && none_ours(n, e))
		return real_select(n, r, w, e, timeout);
	return pcx_select(n, r, w, e, timeout);
}
ALIAS(int, __select, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout),
      (n, r, w, e, timeout))

NAME(int, pselect,
     (int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout, const sigset_t *mask))
{
	if (none_ours(n, r) && none_ours(n, w) && none_ours(n, e))
		return real_pselect(n, r, w, e, timeout, mask);
	return pcx_pselect(n, r, w, e, timeout, mask);
}

/* ---- epoll --------------------------------------------------------------------------------------- */

/* Any set of the program may get a percore socket later. */
static bool may_get_ours(void)
{
	return !one_core_is_stacks() && choose_attach();
}

NAME(int, epoll_create1, (int flags))
{
	return may_get_ours() ? pcx_epoll_create1(flags) : real_epoll_create1(flags);
}

NAME(int, epoll_create, (int size))
{
	return may_get_ours() ? pcx_epoll_create(size) : real_epoll_create(size);
}

NAME(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *event))
{
	return is_kernels(ep) ? real_epoll_ctl(ep, op, fd, event)
	                      : pcx_epoll_ctl(ep, op, fd, event);
}

NAME(int, epoll_wait, (int ep, struct epoll_event *events, int max, int timeout_ms))
{
	return is_kernels(ep) ? real_epoll_wait(ep, events, max, timeout_ms)
	                      : pcx_epoll_wait(ep, events, max, timeout_ms);
}

NAME(int, epoll_pwait,
     (int ep, struct epoll_event *events, int max, int timeout_ms, const sigset_t *mask))
{
	return is_kernels(ep) ? real_epoll_pwait(ep, events, max, timeout_ms, mask)
	                      : pcx_epoll_pwait(ep, events, max, timeout_ms, mask);
}

NAME(int, epoll_pwait2,
     (int ep, struct epoll_event *events, int max, const struct timespec *timeout,
      const sigset_t *mask))
{
	return is_kernels(ep) ? real_epoll_pwait2(ep, events, max, timeout, mask)
	                      : pcx_epoll_pwait2(ep, events, max, timeout, mask);
}
