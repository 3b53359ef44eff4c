/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_ONE_CORE_H
#define PRELOAD_ONE_CORE_H

/*
 * One core: the stack in the program's own process, driven by the threads that make calls.
 *
 * PERCORE_ONE_CORE names libpercore.so and the arguments of pc_drive_open, one per line.  That
 * library is loaded when the program creates its first socket; it brings EAL and the ports, while
 * this one provides the client.
 */

#include <stdbool.h>
#include <stddef.h>

/** one_core_is_wanted says whether this process is to have a stack of its own. */
bool one_core_is_wanted(void);

/** one_core_start starts it and attaches. Returns 0, or -1 with a one-line error message in why. */
int one_core_start(char *why, size_t why_len);

/** one_core_is_stacks says whether the calling thread works for the stack: it is starting EAL, or
 * is a thread of EAL or the host. What such a thread opens is the kernel's. */
bool one_core_is_stacks(void);

#endif
