/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_SYS_H
#define POSIX_SYS_H

/*
 * Direct system calls: a preload library replaces the C library's functions, so calling those would
 * call the replacements.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define sys(name, ...) syscall(SYS_##name, __VA_ARGS__)

/* The size of the kernel's signal set. Not an int: of an int passed on the stack, as the last of
 * six arguments is, the upper half is undefined. */
#define SYS_SIGSET_BYTES ((size_t)_NSIG / 8)

static inline int sys_close(int fd)
{
	return (int)sys(close, fd);
}

static inline int sys_fcntl(int fd, int command, long arg)
{
	return (int)sys(fcntl, fd, command, arg);
}

#endif
