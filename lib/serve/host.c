/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_SOCKETS 4096
#define DEFAULT_FIFO    (128u << 10)

/* ---- slots ------------------------------------------------------------------------------------ */

static void set_state(struct pc_host *h, uint32_t p, enum chan_proc_state state)
{
	at_store(&h->slot[p], (uint32_t)state);
	at_store_sc(&chan_proc(h->chan, p)->state, (uint32_t)state);
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
		set_state(h, p, CHAN_PROC_LIVE);
		at_or(&c->head->live[p / 64], UINT64_C(1) << (p % 64));
		return (int)p;
	}
	return -ENOSPC;
}

void host_leave(struct pc_host *h, uint32_t proc)
{
	(void)close(h->conn[proc]);
	h->conn[proc] = -1;
	at_store(&chan_proc(h->chan, proc)->buried, 0);
	at_add(&chan_proc(h->chan, proc)->deaths, 1);
	set_state(h, proc, CHAN_PROC_DYING);
	for (uint32_t i = 0; i < h->chan->nb_lcores; i++)
		chan_wake_lcore(h->chan, i);
}

static void free_slot(struct pc_host *h, uint32_t p)
{
	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		if (h->queue_owner[q] == p)
			host_queue_free(h, p, q);
	at_and(&h->chan->head->live[p / 64], ~(UINT64_C(1) << (p % 64)));
	set_state(h, p, CHAN_PROC_FREE);
}

unsigned host_reap(struct pc_host *h)
{
	unsigned dying = 0;

	for (uint32_t p = 1; p < CHAN_PROCS; p++) {
		const struct chan_proc *proc = chan_proc(h->chan, p);

		if (h->slot[p] != CHAN_PROC_DYING)
			continue;
		if (at_load(&proc->buried) < h->chan->nb_lcores)
			dying++;
		else
			free_slot(h, p);
	}
	return dying;
}

/* ---- event queues ----------------------------------------------------------------------------- */

int host_queue(struct pc_host *h, uint32_t proc)
{
	for (uint32_t q = 0; q < CHAN_QUEUES; q++) {
		int fd;

		if (h->queue_owner[q] != 0)
			continue;
		fd = h->event_fd[q];
		if (fd < 0)
			fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (fd < 0)
			return -errno;
		at_store(&h->event_fd[q], fd);
		h->queue_owner[q] = proc;
		at_store(&chan_queue(h->chan, q)->armed, 0);
		at_store(&chan_queue(h->chan, q)->owner, proc);
		return (int)q;
	}
	return -ENOSPC;
}

void host_queue_free(struct pc_host *h, uint32_t proc, uint32_t queue)
{
	if (queue >= CHAN_QUEUES || h->queue_owner[queue] != proc)
		return;
	at_store(&chan_queue(h->chan, queue)->armed, 0);
	at_store(&chan_queue(h->chan, queue)->owner, 0);
	h->queue_owner[queue] = 0;
}

void host_wake(struct pc_host *h, uint32_t queue)
{
	const uint64_t one = 1;
	int fd = at_load(&h->event_fd[queue]);

	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return; /* it is full: whoever waits is awake */
}

/* ---- the segment ------------------------------------------------------------------------------ */

static int map_segment(struct pc_host *h, const struct chan_limits *l, uint64_t bytes)
{
	int fd = memfd_create("percore", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p = MAP_FAILED;

	if (fd < 0)
		return -1;
	/* nobody may shrink it under an lcore's feet */
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
		h->event_fd[q] = -1;
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

	/* now: when the program's threads do not end in time, nobody destroys the host */
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
		if (h->event_fd[q] >= 0)
			(void)close(h->event_fd[q]);
	(void)munmap(h->view.head, h->view.bytes);
	(void)close(h->memfd);
	free(h);
}
