/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors and open file descriptions. */
#include "posix/async.h"
#include "posix/client.h"
#include "posix/queue.h"
#include "posix/sock.h"

#include <stdlib.h>
#include <sys/resource.h>

#define FD_FEW 16 /* how many of the last descriptors may be the library's */

struct file *file_get(int fd)
{
	struct file *f;

	if (fd < 0 || (uint32_t)fd >= client.max_fds)
		return NULL;
	while ((f = at_load(&client.fds[fd])) != NULL) {
		uint32_t refs = at_load(&f->refs);

		while (refs > 0 && !at_cas(&f->refs, &refs, refs + 1))
			continue;
		if (refs > 0 && at_load(&client.fds[fd]) == f)
			return f;
		if (refs > 0) /* closed or replaced meanwhile */
			file_put(f);
	}
	return NULL;
}

struct file *file_socket(int fd)
{
	struct file *f = file_get(fd);

	if (f == NULL || f->kind == PCX_SOCKET)
		return f;
	file_put(f);
	return NULL;
}

void hold_socket(uint32_t sock, uint32_t proc)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const uint64_t bit = UINT64_C(1) << (proc % 64);

	at_or(&s->holders[proc / 64], bit);
	for (uint32_t i = 0; i < sock_parts(s); i++)
		at_or(&chan_sock(client.chan, s->part[i])->holders[proc / 64], bit);
}

static void release_part(uint32_t part)
{
	struct chan_sock *s = chan_sock(client.chan, part);
	const uint32_t p = client.proc;
	uint64_t left = 0;

	(void)at_and(&s->holders[p / 64], ~(UINT64_C(1) << (p % 64)));
	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++)
		left |= at_load_sc(&s->holders[w]);
	if (left == 0)
		chan_kick(client.chan, p, part);
}

void release_socket(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s), part[CHAN_MAX_LCORES];

	if (client_is_down())
		return;
	for (uint32_t i = 0; i < n; i++)
		part[i] = s->part[i];
	for (uint32_t i = 0; i < n; i++)
		if (part[i] != sock)
			release_part(part[i]);
	release_part(sock);
}

void file_put(struct file *f)
{
	if (at_add(&f->refs, (uint32_t)-1) != 1)
		return;
	if (f->kind == PCX_EPOLL)
		epset_free(f->set);
	else if (f->sock != CHAN_NONE)
		release_socket(f->sock);
	section_begin(SECTION_FILES);
	f->next = client.free;
	client.free = f;
	section_end(SECTION_FILES);
}

struct file *file_new(enum pcx_kind kind)
{
	struct file *f;

	section_begin(SECTION_FILES);
	f = client.free;
	if (f != NULL)
		client.free = f->next;
	section_end(SECTION_FILES);
	if (f == NULL)
		f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->fds = 0;
	f->kind = (uint32_t)kind;
	f->sock = CHAN_NONE;
	f->set = NULL;
	f->items = NULL;
	at_put(&f->kept, 0);
	f->async = ASYNC_OFF;
	at_store_sc(&f->refs, 1);
	return f;
}

/* Duplicates a descriptor under a number that the program is not likely to use. Returns it, or -1. */
static int move_away(int fd)
{
	struct rlimit l = {.rlim_cur = 0};
	const int moved = sys_fcntl(fd, F_DUPFD_CLOEXEC, FD_HIDDEN);

	if (moved >= 0)
		return moved;
	(void)getrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur > FD_FEW && l.rlim_cur <= FD_HIDDEN
	           ? sys_fcntl(fd, F_DUPFD_CLOEXEC, (long)l.rlim_cur - FD_FEW)
	           : -1;
}

static int record(int fd)
{
	if ((unsigned)fd < FD_HIDDEN_END)
		at_or(&client.hidden[fd / 64], UINT64_C(1) << (fd % 64));
	return fd;
}

int fd_hide(int fd)
{
	int hidden = move_away(fd);

	if (hidden >= 0) {
		(void)sys_close(fd);
	} else {
		hidden = fd;
		(void)sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	return record(hidden);
}

bool fd_is_hidden(int fd)
{
	return (unsigned)fd < FD_HIDDEN_END && (at_load(&client.hidden[fd / 64]) >> (fd % 64) & 1);
}

void fd_close_hidden(int fd)
{
	if (fd_is_hidden(fd))
		at_and(&client.hidden[fd / 64], ~(UINT64_C(1) << (fd % 64)));
	(void)sys_close(fd);
}

void fd_spare_keep(void)
{
	int none = -1, fd = at_load(&client.spare) >= 0 ? -1 : move_away(client.placeholder);

	if (fd >= 0 && !at_cas(&client.spare, &none, record(fd)))
		fd_close_hidden(fd); /* another thread was faster */
}

void fd_spare_give(void)
{
	const int fd = at_swap(&client.spare, -1);

	if (fd >= 0)
		fd_close_hidden(fd);
}

int fd_reserve(bool cloexec)
{
	int fd = sys_fcntl(client.placeholder, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);

	if (fd < 0)
		return errno == EINVAL ? -EMFILE : -errno;
	if ((uint32_t)fd < client.max_fds)
		return fd;
	(void)sys_close(fd);
	return -EMFILE;
}

void fd_install(int fd, struct file *f)
{
	at_add(&f->refs, 1);
	section_begin(SECTION_FILES);
	f->fds++;
	if ((uint32_t)fd >= client.end_fds)
		client.end_fds = (uint32_t)fd + 1;
	at_store(&client.fds[fd], f);
	section_end(SECTION_FILES);
}

struct file *fd_remove(int fd)
{
	struct file *f;
	bool last;

	if (fd < 0 || (uint32_t)fd >= client.max_fds || at_load(&client.fds[fd]) == NULL)
		return NULL;
	section_begin(SECTION_FILES);
	f = at_swap(&client.fds[fd], NULL);
	last = f != NULL && --f->fds == 0;
	section_end(SECTION_FILES);
	if (last) {
		epoll_forget(f);
		async_forget(f);
	}
	return f;
}
