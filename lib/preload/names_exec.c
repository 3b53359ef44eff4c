/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of fork and exec.
 *
 * fork() itself is not taken over: the client core has registered handlers with pthread_atfork().
 * vfork() is, and becomes fork(), because a child that shares its parent's memory must not be told
 * that it is another process.  _Fork() and clone() call no handlers, so they are taken over; a
 * child of theirs with memory and descriptors of its own is treated as forked, too.
 *
 * A new image finds what it inherits in its environment: pcx_exec_prepare writes a string, which is
 * added to a copy of the environment passed to exec, along with the variables that the new image
 * needs to use it, if the program has left them out.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "env.h"
#include "inherit.h"
#include "names.h"
#include "real.h"

#define HANDOVER     "PERCORE_HANDOVER="
#define HANDOVER_MAX 65536
#define MOST_ARGS    4096

extern char **environ;

NAME(pid_t, vfork, (void))
{
	return real_fork();
}
ALIAS(pid_t, __vfork, vfork, (void), ())

NAME(pid_t, _Fork, (void))
{
	static pid_t (*next)(void);
	pid_t pid;

	if (next == NULL)
		*(void **)&next = real_find("_Fork");
	if (next == NULL) {
		errno = ENOSYS;
		return -1;
	}
	fork_prepare();
	pid = next();
	fork_done(pid);
	return pid;
}

typedef int run_child(void *arg);

struct program_beginning {
	run_child *run;
	void *arg;
};

static int begin_program(void *arg)
{
	const struct program_beginning b = *(struct program_beginning *)arg;

	fork_in_child();
	return b.run(b.arg);
}

NAME(int, clone, (run_child * run, void *stack, int flags, void *arg, ...))
{
	static int (*next)(run_child *, void *, int, void *, void *, void *, void *);
	struct program_beginning b = {run, arg};
	void *more[3]; /* parent_tid, tls, child_tid, if passed */
	va_list ap;
	int pid;

	va_start(ap, arg);
	for (int i = 0; i < 3; i++)
		more[i] = va_arg(ap, void *);
	va_end(ap);
	if (next == NULL)
		*(void **)&next = real_find("clone");
	if (run == NULL || (flags & (CLONE_VM | CLONE_FILES)))
		return next(run, stack, flags, arg, more[0], more[1], more[2]);
	fork_prepare();
	pid = next(begin_program, stack, flags, &b, more[0], more[1], more[2]);
	fork_done(pid);
	return pid;
}

/* Returns a copy of env with the handover in it, or NULL if there is nothing to hand on, or no
 * memory. */
static char **make_environment(char *const *env)
{
	size_t n = 0, k = 0;
	char **copy, *text;

	if (!pcx_is_attached())
		return NULL;
	while (env != NULL && env[n] != NULL)
		n++;
	copy = malloc((n + 2 + ENV_NAMES) * sizeof(*copy) + HANDOVER_MAX);
	if (copy == NULL)
		return NULL;
	text = (char *)(copy + n + 2 + ENV_NAMES);
	if (pcx_exec_prepare(text, HANDOVER_MAX) <= 0) {
		free(copy);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (strncmp(env[i], HANDOVER, strlen(HANDOVER)) != 0)
			copy[k++] = env[i];
	copy[k++] = text;
	env_complete(copy, k);
	return copy;
}

static void give_up(char **env)
{
	int error = errno;

	if (env == NULL)
		return;
	pcx_exec_failed();
	free(env);
	errno = error;
}

NAME(int, execve, (const char *path, char *const *argv, char *const *env))
{
	char **copy = make_environment(env);
	int rc = real_execve(path, argv, copy != NULL ? copy : env);

	give_up(copy);
	return rc;
}

NAME(int, execvpe, (const char *file, char *const *argv, char *const *env))
{
	char **copy = make_environment(env);
	int rc = real_execvpe(file, argv, copy != NULL ? copy : env);

	give_up(copy);
	return rc;
}

NAME(int, fexecve, (int fd, char *const *argv, char *const *env))
{
	char **copy = make_environment(env);
	int rc = real_fexecve(fd, argv, copy != NULL ? copy : env);

	give_up(copy);
	return rc;
}

NAME(int, execveat, (int dir, const char *path, char *const *argv, char *const *env, int flags))
{
	char **copy = make_environment(env);
	int rc = (int)syscall(SYS_execveat, dir, path, argv, copy != NULL ? copy : env, flags);

	give_up(copy);
	return rc;
}

NAME(int, execv, (const char *path, char *const *argv))
{
	return ours_execve(path, argv, environ);
}

NAME(int, execvp, (const char *file, char *const *argv))
{
	return ours_execvpe(file, argv, environ);
}

/* Collects the arguments in argv, which has room for MOST_ARGS. Returns false if there are too
 * many. */
static bool collect(char **argv, const char *first, va_list ap)
{
	union {
		const char *in;
		char *out;
	} arg = {.in = first};
	size_t n = 0;

	for (; arg.out != NULL && n < MOST_ARGS - 1; arg.out = va_arg(ap, char *))
		argv[n++] = arg.out;
	argv[n] = NULL;
	errno = arg.out == NULL ? errno : E2BIG;
	return arg.out == NULL;
}

NAME(int, execl, (const char *path, const char *first, ...))
{
	char *argv[MOST_ARGS];
	va_list ap;
	bool fits;

	va_start(ap, first);
	fits = collect(argv, first, ap);
	va_end(ap);
	return fits ? ours_execve(path, argv, environ) : -1;
}

NAME(int, execlp, (const char *file, const char *first, ...))
{
	char *argv[MOST_ARGS];
	va_list ap;
	bool fits;

	va_start(ap, first);
	fits = collect(argv, first, ap);
	va_end(ap);
	return fits ? ours_execvpe(file, argv, environ) : -1;
}

NAME(int, execle, (const char *path, const char *first, ...))
{
	char *argv[MOST_ARGS], **env;
	va_list ap;
	bool fits;

	va_start(ap, first);
	fits = collect(argv, first, ap);
	env = fits ? va_arg(ap, char **) : NULL;
	va_end(ap);
	return fits ? ours_execve(path, argv, env) : -1;
}
