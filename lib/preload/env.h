/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRELOAD_ENV_H
#define PRELOAD_ENV_H

/*
 * What percore-run has put into the environment, as it was at the start: there are programs that empty it, or write over
 * it, before they make their first socket, and programs that execute others with one of their own (exim4, dovecot).
 */

#include <stddef.h>

#define ENV_NAMES 4

/** env_get is getenv() for PERCORE_SOCKET, PERCORE_RULES, PERCORE_ONE_CORE and LD_PRELOAD, of the environment at the start. */
const char *env_get(const char *name);

/** env_complete adds to an environment of n strings, which has room for ENV_NAMES and the end, what it has none of. */
void env_complete(char **env, size_t n);

#endif
