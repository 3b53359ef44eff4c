/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_SYS_H
#define POSIX_SYS_H

/*
 * Direct system calls: a preload library replaces the C library's functions, so calling those would
 * call ours.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define sys(name, ...) syscall(SYS_##name, __VA_ARGS__)

/* Of a set of signals, as the kernel has it. Not an int: the upper half of an argument on the stack, where the last of six is, is
 * whatever was there before. */
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
