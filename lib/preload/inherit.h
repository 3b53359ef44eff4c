/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_INHERIT_H
#define PRELOAD_INHERIT_H

#include <stdbool.h>
#include <sys/types.h>

/** spawn_inherits says whether a child is to have percore sockets. */
bool spawn_inherits(void);

/** spawn_shell runs a command by a shell whose descriptor `to` is fd of the caller's; the percore sockets are
 * handed on. Returns 0 or an errno. */
int spawn_shell(pid_t *pid, const char *command, int fd, int to);

#endif
