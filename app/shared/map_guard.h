/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_MAP_GUARD_H
#define SHARED_MAP_GUARD_H

/*
 * Reading from a mapped file that may be truncated in the meantime.
 *
 * A read beyond the new end raises SIGBUS.  Between map_guard_begin and map_guard_end the calling
 * thread survives it: what is missing reads as zeros, and map_guard_end reports it.  A SIGBUS from
 * anywhere else ends the program as usual.
 */

#include <stdbool.h>
#include <stddef.h>

/** map_guard_install installs the handler of SIGBUS. Returns 0 or -errno. */
int map_guard_install(void);

/** map_guard_begin protects the calling thread's reads from a mapping. */
void map_guard_begin(const void *mapping, size_t len);

/** map_guard_end ends the protection. Returns whether a part of the file was missing. */
bool map_guard_end(void);

#endif
