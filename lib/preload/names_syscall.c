/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of syscall(): some programs and libraries (libuv, for one) make their socket calls by
 * number.
 *
 * Inside this library syscall() is raw_syscall() (see meson.build), which goes straight to the
 * kernel.
 */
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>

#include "inherit.h"
#include "names.h"
#include "posix/user.h"
#include "real.h"

enum { ARGS = 6 };

static void take_args(long arg[ARGS], va_list ap)
{
	for (int i = 0; i < ARGS; i++)
		arg[i] = va_arg(ap, long);
}

static long make_raw(long number, const long arg[ARGS])
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = arg[3];
	register long r8 __asm__("r8") = arg[4];
	register long r9 __asm__("r9") = arg[5];
	long rc;

	__asm__ volatile("syscall"
	                 : "=a"(rc)
	                 : "a"(number), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10), "r"(r8),
	                   "r"(r9)
	                 : "rcx", "r11", "memory");
	if (rc >= 0 || rc < -4095)
		return rc;
	errno = (int)-rc;
	return -1;
#else
	static long (*next)(long, ...);

	if (next == NULL)
		*(void **)&next = real_find("syscall");
	return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
#endif
}

long raw_syscall(long number, ...)
{
	long arg[ARGS];
	va_list ap;

	va_start(ap, number);
	take_args(arg, ap);
	va_end(ap);
	return make_raw(number, arg);
}

#define POINTER(i) ((void *)arg[i])
#define INT(i)     ((int)arg[i])

/* Calls on sets: not every C library has epoll_pwait2(). */
static bool set_call(long number, const long arg[ARGS], long *rc)
{
	switch (number) {
	case SYS_epoll_ctl:
		*rc = pcx_epoll_ctl(INT(0), INT(1), INT(2), POINTER(3));
		return true;
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
		*rc = pcx_epoll_wait(INT(0), POINTER(1), INT(2), INT(3));
		return true;
#endif
	case SYS_epoll_pwait:
		*rc = pcx_epoll_pwait(INT(0), POINTER(1), INT(2), INT(3), POINTER(4));
		return true;
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
		*rc = pcx_epoll_pwait2(INT(0), POINTER(1), INT(2), POINTER(3), POINTER(4));
		return true;
#endif
	default:
		return false;
	}
}

/* The socket calls that programs are known to make by number. Returns whether this was one. */
static bool socket_call(long number, const long arg[ARGS], long *rc)
{
	switch (number) {
	case SYS_accept4:
		*rc = pcx_accept4(INT(0), POINTER(1), POINTER(2), INT(3));
		return true;
	case SYS_sendmmsg:
		*rc = pcx_sendmmsg(INT(0), POINTER(1), (unsigned)arg[2], INT(3));
		return true;
	case SYS_recvmmsg:
		*rc = pcx_recvmmsg(INT(0), POINTER(1), (unsigned)arg[2], INT(3), POINTER(4));
		return true;
	case SYS_sendto:
		*rc = pcx_sendto(INT(0), POINTER(1), (size_t)arg[2], INT(3), POINTER(4),
		                 (socklen_t)arg[5]);
		return true;
	case SYS_recvfrom:
		*rc = pcx_recvfrom(INT(0), POINTER(1), (size_t)arg[2], INT(3), POINTER(4),
		                   POINTER(5));
		return true;
	case SYS_sendmsg:
		*rc = pcx_sendmsg(INT(0), POINTER(1), INT(2));
		return true;
	case SYS_recvmsg:
		*rc = pcx_recvmsg(INT(0), POINTER(1), INT(2));
		return true;
	case SYS_read:
		*rc = pcx_read(INT(0), POINTER(1), (size_t)arg[2]);
		return true;
	case SYS_write:
		*rc = pcx_write(INT(0), POINTER(1), (size_t)arg[2]);
		return true;
	case SYS_readv:
		*rc = pcx_readv(INT(0), POINTER(1), INT(2));
		return true;
	case SYS_writev:
		*rc = pcx_writev(INT(0), POINTER(1), INT(2));
		return true;
	case SYS_sendfile:
		*rc = pcx_sendfile(INT(0), INT(1), POINTER(2), (size_t)arg[3]);
		return true;
	default:
		return set_call(number, arg, rc);
	}
}

/* Whether a call does what fork() does: the child has its own memory, but its parent's stack
 * pointer. Programs create namespaces this way (vsftpd). */
static bool is_fork(long number, const long arg[ARGS])
{
#ifdef SYS_fork
	if (number == SYS_fork)
		return true;
#endif
	if (number == SYS_clone3) {
		const struct clone_args *a = POINTER(0);

		return user_may_be(a, CLONE_ARGS_SIZE_VER0) && a->stack == 0 &&
		       !(a->flags & CLONE_VM);
	}
	return number == SYS_clone && arg[1] == 0 && !(arg[0] & CLONE_VM);
}

static long fork_by_number(long number, const long arg[ARGS])
{
	long rc;

	fork_prepare();
	rc = make_raw(number, arg);
	fork_done(rc);
	return rc;
}

NAME(long, syscall, (long number, ...))
{
	long arg[ARGS], rc;
	va_list ap;

	va_start(ap, number);
	take_args(arg, ap);
	va_end(ap);
	if (number == SYS_close) /* also protects the library's own descriptors */
		return close((int)arg[0]);
	if (number == SYS_close_range)
		return close_range((unsigned)arg[0], (unsigned)arg[1], (int)arg[2]);
#ifdef SYS_io_uring_setup
	/* Through a ring libuv would add our sockets to a set of ours, which is not what the kernel
	 * takes them for (Node.js 22). Without one it makes the calls itself. */
	if (number == SYS_io_uring_setup) {
		errno = ENOSYS;
		return -1;
	}
#endif
	if (number == SYS_splice) /* the socket may be the second descriptor */
		return splice((int)arg[0], (off_t *)arg[1], (int)arg[2], (off_t *)arg[3],
		              (size_t)arg[4], (unsigned)arg[5]);
	if (is_fork(number, arg))
		return fork_by_number(number, arg);
	if (number == SYS_execve)
		return execve(POINTER(0), POINTER(1), POINTER(2));
	if (number == SYS_execveat)
		return ours_execveat(INT(0), POINTER(1), POINTER(2), POINTER(3), INT(4));
	if (number == SYS_seccomp && arg[0] <= SECCOMP_SET_MODE_FILTER)
		client_sandboxed(); /* libseccomp installs filters this way */
	if (is_kernels((int)arg[0]) || !socket_call(number, arg, &rc))
		rc = make_raw(number, arg);
	return rc;
}
