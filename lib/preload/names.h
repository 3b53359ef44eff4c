/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_NAMES_H
#define PRELOAD_NAMES_H

/*
 * How a name of the C library is taken over: the function is called ours_read in our sources and
 * read for everyone else, so it does not conflict with the system's headers, which declare some of
 * these names in ways of their own.
 */

#include <stdbool.h>

#include "posix/client.h"

#define NAME(type, name, params)                                                       \
	__attribute__((visibility("default"))) type ours_##name params __asm__(#name); \
	type ours_##name params

/* Gives the same function a second name. */
#define ALIAS(type, alias, name, params, args) \
	NAME(type, alias, params)              \
	{                                      \
		return ours_##name args;       \
	}

/* Whether a descriptor is the kernel's. In most programs most are, so this costs only two loads. */
static inline bool is_kernels(int fd)
{
	return fd < 0 || (uint32_t)fd >= at_load(&client.end_fds) ||
	       at_load(&client.fds[fd]) == NULL;
}

/* Whether a descriptor is the client core's own: a program that closes everything does not mean
 * these. */
static inline bool is_private(int fd)
{
	return fd_is_hidden(fd);
}

#endif
