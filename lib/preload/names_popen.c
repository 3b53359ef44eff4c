/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of popen().
 *
 * The C library's popen() creates its child without calling any function that is taken over
 * (names_spawn.c). A child that inherits percore sockets is created here; its stream is kept in a
 * list for pclose().
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inherit.h"
#include "names.h"
#include "real.h"

struct popen_child {
	struct popen_child *next;
	FILE *file;
	pid_t pid;
};

static struct {
	pthread_mutex_t lock;
	struct popen_child *first;
} children = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pid_t take_child(FILE *file)
{
	struct popen_child **link, *c;
	pid_t pid = -1;

	pthread_mutex_lock(&children.lock);
	for (link = &children.first; *link != NULL && (*link)->file != file; link = &(*link)->next)
		continue;
	c = *link;
	if (c != NULL) {
		*link = c->next;
		pid = c->pid;
	}
	pthread_mutex_unlock(&children.lock);
	free(c);
	return pid;
}

static void keep(struct popen_child *c, FILE *file, pid_t pid)
{
	(void)take_child(file); /* left by a stream that was closed with fclose() */
	*c = (struct popen_child){.file = file, .pid = pid};
	pthread_mutex_lock(&children.lock);
	c->next = children.first;
	children.first = c;
	pthread_mutex_unlock(&children.lock);
}

/* "r" or "w", and "e", which makes no difference: no other child gets our end anyway (POSIX). */
static bool is_mode(const char *mode, bool *reads)
{
	const bool r = strchr(mode, 'r') != NULL, w = strchr(mode, 'w') != NULL;

	*reads = r;
	return r != w && mode[strspn(mode, "rwe")] == '\0';
}

static FILE *open_child(const char *command, bool reads)
{
	struct popen_child *c = malloc(sizeof(*c));
	int pipes[2], ours = reads ? 0 : 1, error;
	FILE *file;
	pid_t pid;

	if (c == NULL || pipe2(pipes, O_CLOEXEC) != 0) {
		free(c);
		return NULL;
	}
	file = fdopen(pipes[ours], reads ? "r" : "w");
	error = file == NULL ? errno
	                     : spawn_shell(&pid, command, pipes[1 - ours],
	                                   reads ? STDOUT_FILENO : STDIN_FILENO);
	(void)real_close(pipes[1 - ours]);
	if (error == 0) {
		keep(c, file, pid);
		return file;
	}
	if (file != NULL)
		(void)fclose(file);
	else
		(void)real_close(pipes[ours]);
	free(c);
	errno = error;
	return NULL;
}

NAME(FILE *, popen, (const char *command, const char *mode))
{
	static FILE *(*next)(const char *, const char *);
	bool reads;

	if (next == NULL)
		*(void **)&next = real_find("popen");
	if (next != NULL && !spawn_inherits())
		return next(command, mode);
	if (is_mode(mode, &reads))
		return open_child(command, reads);
	errno = EINVAL;
	return NULL;
}

NAME(int, pclose, (FILE * file))
{
	static int (*next)(FILE *);
	const pid_t pid = take_child(file);
	int status = -1;

	if (next == NULL)
		*(void **)&next = real_find("pclose");
	if (pid < 0)
		return next != NULL ? next(file) : -1;
	(void)fclose(file);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}
