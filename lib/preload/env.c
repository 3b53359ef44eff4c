/* SPDX-License-Identifier: BSD-2-Clause */
#include "env.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[ENV_NAMES] = {"LD_PRELOAD", "PERCORE_SOCKET", "PERCORE_RULES",
                                             "PERCORE_ONE_CORE"};
static char *kept[ENV_NAMES]; /* "NAME=value"; NULL: not set */

extern char **environ;

static char *find_variable(char **env, const char *name)
{
	const size_t len = strlen(name);

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env;
	return NULL;
}

/* Runs before the other constructors, which may attach. */
__attribute__((constructor(101))) static void keep(void)
{
	for (unsigned i = 0; i < ENV_NAMES; i++) {
		const char *found = find_variable(environ, names[i]);

		kept[i] = found != NULL ? strdup(found) : NULL;
	}
}

const char *env_get(const char *name)
{
	for (unsigned i = 0; i < ENV_NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return kept[i] != NULL ? kept[i] + strlen(name) + 1 : NULL;
	return NULL;
}

void env_complete(char **env, size_t n)
{
	for (unsigned i = 0; i < ENV_NAMES; i++) {
		env[n] = NULL;
		if (kept[i] != NULL && find_variable(env, names[i]) == NULL)
			env[n++] = kept[i];
	}
	env[n] = NULL;
}
