/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names that turn a descriptor into a stdio stream, or print to one.
 *
 * Inside the C library a stream reads and writes without calling any function that is taken over.
 * So a stream on a percore socket is made of functions of ours (fopencookie), and its descriptor is
 * kept in a short list, for those who ask for it.  stdin, stdout and stderr are variables: while
 * their descriptors are percore sockets, as in a program started by an inetd, they point to streams
 * of ours.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "names.h"
#include "real.h"

struct stream {
	struct stream *next;
	FILE *file;
	int fd;
};

static struct {
	pthread_mutex_t lock;
	pthread_once_t once;
	struct stream *first;
} streams = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

/* ours: a stream that replaces stdin, stdout or stderr, which is the variable that name points to */
static struct standard {
	FILE **name, *of_libc, *ours;
} standard[3] = {{.name = &stdin}, {.name = &stdout}, {.name = &stderr}};

static ssize_t stream_read(void *cookie, char *buf, size_t n)
{
	return pcx_read(((struct stream *)cookie)->fd, buf, n);
}

static ssize_t stream_write(void *cookie, const char *buf, size_t n)
{
	ssize_t rc = pcx_write(((struct stream *)cookie)->fd, buf, n);

	return rc < 0 ? 0 : rc; /* as fopencookie(3) requires */
}

/* stdio accepts this error and carries on (fflush() between reading and writing). */
static int stream_seek(void *cookie, off64_t *at, int whence)
{
	(void)cookie, (void)at, (void)whence;
	errno = ESPIPE;
	return -1;
}

/* The program's variable does not keep a stream that has been closed. */
static void forget_stream(struct standard *s)
{
	if (*s->name == s->ours)
		*s->name = s->of_libc;
	s->ours = NULL;
}

static int stream_close(void *cookie)
{
	struct stream *s = cookie, **link;
	int fd = s->fd;

	pthread_mutex_lock(&streams.lock);
	for (link = &streams.first; *link != s; link = &(*link)->next)
		continue;
	*link = s->next;
	for (int i = 0; i < 3; i++)
		if (standard[i].ours == s->file)
			forget_stream(&standard[i]);
	pthread_mutex_unlock(&streams.lock);
	free(s);
	return fd < 0 ? 0 : pcx_close(fd);
}

/* For forks, so that in the child the list is consistent and its lock free. */
static void lock(void)
{
	pthread_mutex_lock(&streams.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&streams.lock);
}

static void watch_forks(void)
{
	(void)pthread_atfork(lock, unlock, unlock);
}

static FILE *make_stream(int fd, const char *mode)
{
	const cookie_io_functions_t io = {
	    .read = stream_read, .write = stream_write, .seek = stream_seek, .close = stream_close};
	struct stream *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	pthread_once(&streams.once, watch_forks);
	*s = (struct stream){.fd = fd, .file = fopencookie(s, mode, io)};
	if (s->file == NULL) {
		free(s);
		return NULL;
	}
	pthread_mutex_lock(&streams.lock);
	s->next = streams.first;
	streams.first = s;
	pthread_mutex_unlock(&streams.lock);
	return s->file;
}

NAME(FILE *, fdopen, (int fd, const char *mode))
{
	static FILE *(*next)(int, const char *);

	if (!is_kernels(fd))
		return make_stream(fd, mode);
	if (next == NULL)
		*(void **)&next = real_find("fdopen");
	return next(fd, mode);
}

static int find_fd(FILE *file)
{
	int fd = -1;

	pthread_mutex_lock(&streams.lock);
	for (const struct stream *s = streams.first; s != NULL; s = s->next)
		if (s->file == file)
			fd = s->fd;
	pthread_mutex_unlock(&streams.lock);
	return fd;
}

NAME(int, fileno, (FILE * file))
{
	static int (*next)(FILE *);
	int fd = __atomic_load_n(&streams.first, __ATOMIC_RELAXED) != NULL ? find_fd(file) : -1;

	if (fd >= 0)
		return fd;
	if (next == NULL)
		*(void **)&next = real_find("fileno");
	return next(file);
}
ALIAS(int, fileno_unlocked, fileno, (FILE * file), (file))

/* ---- text for a descriptor ------------------------------------------------------------------------ */

/* Returns n, or -1 with errno. */
static int write_all(int fd, const char *text, int n)
{
	for (int done = 0; done < n;) {
		const ssize_t rc = pcx_write(fd, text + done, (size_t)(n - done));

		if (rc < 0)
			return -1;
		done += (int)rc;
	}
	return n;
}

__attribute__((format(printf, 2, 0))) static int print_ours(int fd, const char *format, va_list ap)
{
	char *text;
	int n = vasprintf(&text, format, ap), error;

	if (n < 0)
		return n;
	n = write_all(fd, text, n);
	error = errno;
	free(text);
	errno = error;
	return n;
}

NAME(int, vdprintf, (int fd, const char *format, va_list ap))
{
	static int (*next)(int, const char *, va_list);

	if (!is_kernels(fd))
		return print_ours(fd, format, ap);
	if (next == NULL)
		*(void **)&next = real_find("vdprintf");
	return next(fd, format, ap);
}

NAME(int, dprintf, (int fd, const char *format, ...))
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = ours_vdprintf(fd, format, ap);
	va_end(ap);
	return n;
}

NAME(int, __vdprintf_chk, (int fd, int flag, const char *format, va_list ap))
{
	static int (*next)(int, int, const char *, va_list);

	if (!is_kernels(fd))
		return print_ours(fd, format, ap);
	if (next == NULL)
		*(void **)&next = real_find("__vdprintf_chk");
	return next(fd, flag, format, ap);
}

NAME(int, __dprintf_chk, (int fd, int flag, const char *format, ...))
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = ours___vdprintf_chk(fd, flag, format, ap);
	va_end(ap);
	return n;
}

/* ---- stdin, stdout, stderr ------------------------------------------------------------------------ */

/* Flushes and closes a stream of ours; its descriptor stays open. */
static void give_back(struct standard *s)
{
	(void)fflush(s->ours);
	pthread_mutex_lock(&streams.lock);
	for (struct stream *i = streams.first; i != NULL; i = i->next)
		if (i->file == s->ours)
			i->fd = -1;
	pthread_mutex_unlock(&streams.lock);
	(void)fclose(s->ours);
}

/* Buffers as the program has told the C library's stream to. */
static void buffer_alike(FILE *ours, FILE *of_libc)
{
	if (__fbufsize(of_libc) == 1)
		(void)setvbuf(ours, NULL, _IONBF, 0);
	else if (__flbf(of_libc))
		(void)setvbuf(ours, NULL, _IOLBF, 0);
}

static void follow(int fd, const char *mode)
{
	struct standard *s = &standard[fd];

	if (is_kernels(fd)) {
		if (s->ours != NULL)
			give_back(s);
		return;
	}
	if (s->ours != NULL)
		return;
	s->ours = make_stream(fd, mode);
	if (s->ours == NULL)
		return;
	if (fd == STDERR_FILENO)
		(void)setvbuf(s->ours, NULL, _IONBF, 0);
	else
		buffer_alike(s->ours, *s->name);
	s->of_libc = *s->name;
	*s->name = s->ours;
}

void stdio_follow(void)
{
	int error = errno;

	follow(STDIN_FILENO, "r");
	follow(STDOUT_FILENO, "w");
	follow(STDERR_FILENO, "w");
	errno = error;
}

/* Leaves out a stream that another thread uses, as exit() does. */
void stdio_flush(void)
{
	pthread_mutex_lock(&streams.lock);
	for (const struct stream *s = streams.first; s != NULL; s = s->next)
		if (ftrylockfile(s->file) == 0) {
			(void)fflush_unlocked(s->file);
			funlockfile(s->file);
		}
	pthread_mutex_unlock(&streams.lock);
}

/* The C library opens the file as the descriptor of its own stream, past dup2(). A stream of ours
 * it would leave as it is. */
NAME(FILE *, freopen, (const char *path, const char *mode, FILE *file))
{
	static FILE *(*next)(const char *, const char *, FILE *);
	struct file *replaced = NULL;

	if (next == NULL)
		*(void **)&next = real_find("freopen64");
	for (int fd = 0; path != NULL && fd < 3; fd++) {
		if (file != standard[fd].ours || file == NULL)
			continue;
		file = standard[fd].of_libc;
		give_back(&standard[fd]);
		replaced = fd_remove(fd);
		break;
	}
	file = next(path, mode, file);
	if (replaced != NULL)
		file_put(replaced);
	return file;
}
ALIAS(FILE *, freopen64, freopen, (const char *path, const char *mode, FILE *file),
      (path, mode, file))
