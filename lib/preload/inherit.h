/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_INHERIT_H
#define PRELOAD_INHERIT_H

#include <stdbool.h>
#include <sys/types.h>

/** spawn_inherits says whether a child would inherit percore sockets. */
bool spawn_inherits(void);

/** spawn_shell runs a command in a shell with the caller's fd as its descriptor `to`, and hands on
 * the percore sockets. Returns 0 or an errno. */
int spawn_shell(pid_t *pid, const char *command, int fd, int to);

/** ours_execveat is execveat(), which the C library has only since 2.34. */
int ours_execveat(int dir, const char *path, char *const *argv, char *const *env,
                  int flags) __asm__("execveat");

#endif
