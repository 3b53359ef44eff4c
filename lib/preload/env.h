/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_ENV_H
#define PRELOAD_ENV_H

/*
 * What percore-run has put into the environment, saved at the start: some programs clear or
 * overwrite the environment before they create their first socket, and some execute others with an
 * environment of their own (exim4, dovecot).
 */

#include <stddef.h>

#define ENV_NAMES 4

/** env_get is getenv() for PERCORE_SOCKET, PERCORE_RULES, PERCORE_ONE_CORE and LD_PRELOAD in the
 * environment at the start. */
const char *env_get(const char *name);

/** env_complete adds those that are missing to an environment of n strings, which has room for
 * ENV_NAMES more and the final NULL. */
void env_complete(char **env, size_t n);

#endif
