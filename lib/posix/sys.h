/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_SYS_H
#define POSIX_SYS_H

/*
 * The kernel's calls, made directly: a preload library has its own functions in front of the C library's,
 * and those call ours.
 */

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define sys(name, ...) syscall(SYS_##name, __VA_ARGS__)

static inline int sys_close(int fd)
{
	return (int)sys(close, fd);
}

static inline int sys_fcntl(int fd, int command, long arg)
{
	return (int)sys(fcntl, fd, command, arg);
}

#endif
