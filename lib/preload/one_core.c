/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: libpercore.so is loaded with RTLD_LOCAL, so that nothing else sees its symbols, and
 * asked for a driver and a connection; the rest is done by the client core, as in a program that
 * calls pc_drive_start itself.
 *
 * The stack's own calls to the C library pass through our names as well.  Those on a descriptor go
 * to the kernel, because none of the stack's descriptors is a percore socket.  Those that create
 * one are distinguished from the program's by their thread: EAL's threads are created, directly or
 * indirectly, by the thread that starts it while it does so.
 *
 * When the program ends, its sockets are closed and the stack runs until they are done.  The lock
 * of the stack is not released after that: threads still running find it taken.
 */
#include "one_core.h"

#include <dlfcn.h>
#include <percore/run.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "choose.h"
#include "env.h"
#include "names.h"
#include "posix/wait.h"
#include "real.h"

#define VARIABLE   "PERCORE_ONE_CORE"
#define MOST_WORDS 512

typedef struct pc_drive *open_drive(int, char **, const struct pcx_driver **, int *, char *,
                                    size_t);

static struct {
	struct pc_drive *drive;
	open_drive *open;
	pid_t pid; /* of the process that started it */
	const struct pcx_driver *theirs;
	struct pcx_driver driver; /* theirs, but its end marks the thread as the stack's */
} one;

static __thread bool starts; /* this thread is starting EAL */
static __thread bool stacks; /* this is a thread of EAL or the host */

bool one_core_is_wanted(void)
{
	return env_get(VARIABLE) != NULL;
}

bool one_core_is_stacks(void)
{
	return starts || stacks;
}

/* ---- threads of the stack ------------------------------------------------------------------------ */

struct stack_beginning {
	void *(*function)(void *);
	void *arg;
};

static void *begin_stack(void *arg)
{
	const struct stack_beginning b = *(struct stack_beginning *)arg;

	free(arg);
	stacks = true;
	return b.function(b.arg);
}

NAME(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg))
{
	struct stack_beginning *b;
	int rc;

	if (!one_core_is_stacks())
		return real_pthread_create(thread, attr, function, arg);
	b = malloc(sizeof(*b));
	if (b == NULL)
		return EAGAIN;
	*b = (struct stack_beginning){function, arg};
	rc = real_pthread_create(thread, attr, begin_stack, b);
	if (rc != 0)
		free(b);
	return rc;
}

/* ---- the end ------------------------------------------------------------------------------------- */

static void end_stack(void *arg)
{
	starts = true;
	one.theirs->end(arg);
}

/* Does nothing in a child that shares this memory. A sandbox may forbid even getpid(). */
static void end(void)
{
	if (one.pid == 0 || one.pid != (pid_t)syscall(SYS_getpid))
		return;
	client_end();
}

/* The C library would flush its streams after this. */
static void flush_and_end(void)
{
	if (one.pid == getpid())
		stdio_flush();
	end();
}

NAME(_Noreturn void, _exit, (int status))
{
	end();
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

NAME(_Noreturn void, _Exit, (int status))
{
	ours__exit(status);
}

/* ---- the beginning ------------------------------------------------------------------------------- */

/* Splits the text into words, one per line. Returns how many; 0: too many. */
static int cut(char *text, char **argv)
{
	char *next = text, *word;
	int n = 0;

	while ((word = strsep(&next, "\n")) != NULL && n < MOST_WORDS)
		argv[n++] = word;
	argv[n] = NULL;
	return word == NULL ? n : 0;
}

static int load(const char *library, char *why, size_t why_len)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (handle != NULL)
		*(void **)&one.open = dlsym(handle, "pc_drive_open");
	if (one.open != NULL)
		return 0;
	snprintf(why, why_len, "%s",
	         handle == NULL ? dlerror() : "libpercore.so has a different version");
	return -1;
}

/* Starts EAL; its threads must get no signal that is meant for the program. */
static int open_stack(int argc, char **argv, int *connection, char *why, size_t why_len)
{
	sigset_t all, old;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	if (load(argv[0], why, why_len) == 0)
		one.drive = one.open(argc, argv, &one.theirs, connection, why, why_len);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (one.drive == NULL)
		return -1;
	one.driver = *one.theirs;
	one.driver.end = end_stack;
	pcx_set_driver(&one.driver);
	one.pid = getpid();
	return 0;
}

int one_core_start(char *why, size_t why_len)
{
	char *text = strdup(env_get(VARIABLE)), *argv[MOST_WORDS + 1];
	int argc = text != NULL ? cut(text, argv) : 0, connection, rc = -1;

	starts = true;
	snprintf(why, why_len, "%s", "too many words in " VARIABLE);
	if (argc > 0)
		rc = open_stack(argc, argv, &connection, why, why_len);
	starts = false;
	/* not freed: EAL and the settings may point into the text */
	if (rc != 0)
		return rc;
	if (pcx_attach_fd(connection) != 0) {
		snprintf(why, why_len, "%s", strerror(errno));
		pcx_set_driver(NULL);
		return -1;
	}
	(void)atexit(flush_and_end);
	return 0;
}
