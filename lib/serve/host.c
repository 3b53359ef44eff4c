/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_SOCKETS 4096
#define DEFAULT_FIFO    (128u << 10)

/* ---- slots ----------------------------------------------------------------------------------- */

static void set_live(struct pc_host *h, uint32_t p, bool live)
{
	const uint64_t bit = UINT64_C(1) << (p % 64);

	if (live)
		at_or(&h->live[p / 64], bit);
	else
		at_and(&h->live[p / 64], ~bit);
	at_store(&h->chan->head->live[p / 64], h->live[p / 64]); /* for clients */
}

int host_attach(struct pc_host *h, int conn)
{
	struct chan *c = h->chan;

	for (uint32_t p = 1; p < CHAN_PROCS; p++) {
		struct chan_proc *proc = chan_proc(c, p);

		if (h->slot[p] != CHAN_PROC_FREE)
			continue;
		for (uint32_t i = 0; i < CHAN_CALLS; i++)
			at_store(&proc->call[i].state, CHAN_CALL_FREE);
		h->conn[p] = conn;
		at_store_sc(&h->slot[p], CHAN_PROC_LIVE);
		set_live(h, p, true);
		return (int)p;
	}
	return -ENOSPC;
}

void host_leave(struct pc_host *h, uint32_t proc)
{
	(void)close(h->conn[proc]);
	h->conn[proc] = -1;
	at_store(&h->buried[proc], 0);
	at_add(&h->deaths[proc], 1);
	at_store_sc(&h->slot[proc], CHAN_PROC_DYING);
	for (uint32_t i = 0; i < h->chan->nb_lcores; i++)
		chan_wake_lcore(h->chan, i);
}

static void free_slot(struct pc_host *h, uint32_t p)
{
	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		if (h->queue_owner[q] == p)
			host_queue_free(h, p, q);
	set_live(h, p, false);
	at_store_sc(&h->slot[p], CHAN_PROC_FREE);
}

unsigned host_reap(struct pc_host *h)
{
	unsigned dying = 0;

	for (uint32_t p = 1; p < CHAN_PROCS; p++) {
		if (h->slot[p] != CHAN_PROC_DYING)
			continue;
		if (at_load(&h->buried[p]) < h->chan->nb_lcores)
			dying++;
		else
			free_slot(h, p);
	}
	return dying;
}

/* ---- event queues ---------------------------------------------------------------------------- */

/* Reopens a pipe for reading and writing, so that writing never blocks nor fails with EPIPE.
 * Returns a descriptor or -errno. */
static int open_again(int fd)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	fd = open(link, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Gives a queue a fresh pipe, in place of the old one, since an lcore may be writing to that.
 * Returns the client's end or -errno. */
static int renew_pipe(struct pc_host *h, uint32_t q)
{
	int fd[2], ours, clients;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return -errno;
	ours = open_again(fd[0]);
	clients = ours < 0 ? ours : open_again(fd[0]);
	(void)close(fd[0]);
	(void)close(fd[1]);
	if (clients < 0) {
		if (ours >= 0)
			(void)close(ours);
	} else if (h->bell[q] < 0) {
		at_store(&h->bell[q], ours);
	} else {
		(void)dup3(ours, h->bell[q], O_CLOEXEC);
		(void)close(ours);
	}
	return clients;
}

int host_queue(struct pc_host *h, uint32_t proc, int *fd)
{
	for (uint32_t q = 0; q < CHAN_QUEUES; q++) {
		if (h->queue_owner[q] != 0)
			continue;
		*fd = renew_pipe(h, q);
		if (*fd < 0)
			return *fd;
		at_store(&h->queue_owner[q], proc);
		at_store(&chan_queue(h->chan, q)->armed, 0);
		return (int)q;
	}
	return -ENOSPC;
}

void host_queue_free(struct pc_host *h, uint32_t proc, uint32_t queue)
{
	if (queue >= CHAN_QUEUES || h->queue_owner[queue] != proc)
		return;
	at_store(&chan_queue(h->chan, queue)->armed, 0);
	at_store(&h->queue_owner[queue], 0);
}

void host_wake(struct pc_host *h, uint32_t queue)
{
	const int fd = at_load(&h->bell[queue]);

	if (fd >= 0 && write(fd, "", 1) < 0)
		return; /* it is full: the waiter is awake already */
}

/* ---- the segment ----------------------------------------------------------------------------- */

static int map_segment(struct pc_host *h, const struct chan_limits *l, uint64_t bytes)
{
	int fd = memfd_create("percore", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p = MAP_FAILED;

	if (fd < 0)
		return -1;
	/* no client may shrink it under an lcore */
	if (ftruncate(fd, (off_t)bytes) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED) {
		int error = errno;

		(void)close(fd);
		errno = error;
		return -1;
	}
	(void)madvise(p, bytes, MADV_DONTDUMP);
	h->memfd = fd;
	chan_make(p, l);
	(void)chan_open(&h->view, p, bytes);
	h->chan = &h->view;
	return 0;
}

static void init_rings(struct chan *c)
{
	for (uint32_t p = 1; p < CHAN_PROCS; p++)
		for (uint32_t l = 0; l < c->nb_lcores; l++)
			post_init(chan_post(c, p, l), c->post_cells);
}

struct pc_host *pc_host_create(const struct pc_host_config *config)
{
	const struct chan_limits l = {
	    .nb_lcores = config->nb_lcores ? config->nb_lcores : 1,
	    .socks_per_lcore = config->max_sockets ? config->max_sockets : DEFAULT_SOCKETS,
	    .fifo_bytes = config->fifo_bytes ? config->fifo_bytes : DEFAULT_FIFO,
	};
	uint64_t bytes = chan_bytes(&l);
	struct pc_host *h = bytes > 0 ? calloc(1, sizeof(*h)) : NULL;
	int rc;

	if (h == NULL) {
		errno = bytes > 0 ? ENOMEM : EINVAL;
		return NULL;
	}
	h->listen_fd = -1;
	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		h->bell[q] = -1;
	for (uint32_t p = 0; p < CHAN_PROCS; p++)
		h->conn[p] = -1;
	if (map_segment(h, &l, bytes) != 0) {
		free(h);
		return NULL;
	}
	init_rings(h->chan);
	rc = control_start(h);
	if (rc != 0) {
		munmap(h->view.head, bytes);
		(void)close(h->memfd);
		free(h);
		errno = -rc;
		return NULL;
	}
	return h;
}

void pc_host_stop(struct pc_host *h)
{
	struct chan *c = h->chan;

	/* now, since the host is not destroyed if the program's threads fail to end in time */
	if (h->path[0] != '\0')
		(void)unlink(h->path);
	h->path[0] = '\0';
	if (at_swap(&c->head->down, 1) != 0)
		return;
	for (uint32_t p = 1; p < CHAN_PROCS; p++)
		for (uint32_t i = 0; at_load(&h->slot[p]) != CHAN_PROC_FREE && i < CHAN_CALLS; i++)
			futex_wake(&chan_proc(c, p)->call[i].state, INT_MAX);
	for (uint32_t i = 0; i < c->nb_socks; i++) {
		struct chan_sock *s = chan_sock(c, i);

		if (at_load(&s->type) == CHAN_FREE)
			continue;
		at_add(&s->seq, 1);
		futex_wake(&s->seq, INT_MAX);
	}
	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		host_wake(h, q);
}

void pc_host_destroy(struct pc_host *h)
{
	if (h == NULL)
		return;
	pc_host_stop(h);
	control_stop(h);
	for (uint32_t i = 0; i < CHAN_MAX_LCORES; i++)
		free(h->service[i]);
	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		if (h->bell[q] >= 0)
			(void)close(h->bell[q]);
	(void)munmap(h->view.head, h->view.bytes);
	(void)close(h->memfd);
	free(h);
}
