/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_ENV_H
#define PRELOAD_ENV_H

/*
 * What percore-run has put into the environment, saved at the start: some programs empty the
 * environment, or overwrite it, before they make their first socket, and some execute others with
 * an environment of their own (exim4, dovecot).
 */

#include <stddef.h>

#define ENV_NAMES 4

/** env_get is getenv() for PERCORE_SOCKET, PERCORE_RULES, PERCORE_ONE_CORE and LD_PRELOAD, of the environment at the start. */
const char *env_get(const char *name);

/** env_complete adds to an environment of n strings, which has room for ENV_NAMES and the end, what it has none of. */
void env_complete(char **env, size_t n);

#endif
