/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.
 *
 * Before a fork, the parent asks the host for a slot and a connection for the child, and makes that
 * slot a holder of all its sockets: whatever the parent closes from then on, the child still has
 * them.  After the fork, each closes the other's connection, so that the host notices the end of
 * either.  If the fork fails, the connection closes and the host reclaims the slot.
 *
 * A signal handler may fork too (PostgreSQL's postmaster does), whatever its thread was doing at
 * that moment.  A fork must not wait for locks of its own thread: a section that the thread is in
 * is left as it is, and signals are blocked while the thread talks to the host.
 *
 * If the parent's threads drive the stack, the child has no stack: its sockets fail with ENETDOWN.
 */
#include "posix/async.h"
#include "posix/epset.h"

#include <sys/mman.h>

#include "chan/control.h"

/* The child that this thread is making: others may fork at the same time. */
static __thread struct {
	int64_t slot; /* < 0: the child gets none */
	int fd;
	unsigned entered; /* sections that fork_prepare has begun */
} child = {.fd = -1};

static __thread unsigned sections; /* those that this thread is in, or waits for */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static pthread_mutex_t *lock_of(enum section s)
{
	return s == SECTION_SETS ? &client.sets : &client.files;
}

void section_begin(enum section s)
{
	sections |= s;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	pthread_mutex_lock(lock_of(s));
}

void section_end(enum section s)
{
	if (!(sections & s)) /* in a child: the lock is a new one */
		return;
	pthread_mutex_unlock(lock_of(s));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	sections &= ~(unsigned)s;
}

static void enter(enum section s)
{
	if (sections & s)
		return;
	section_begin(s);
	child.entered |= s;
}

static void leave_section(enum section s)
{
	if (child.entered & s)
		section_end(s);
}

int64_t control_fork(int *fd)
{
	int64_t slot = control_ask(CONTROL_FORK, 0, fd);

	if (slot > 0 && *fd < 0) { /* no descriptor is left: the host takes the slot back */
		fd_spare_give();
		slot = control_ask(CONTROL_FORK, 0, fd);
	}
	if (slot < 0 || (slot > 0 && slot < CHAN_PROCS && *fd >= 0))
		return slot;
	if (*fd >= 0)
		(void)sys_close(*fd);
	else
		slot = -EMFILE;
	*fd = -1;
	return slot < 0 ? slot : -EPROTO;
}

void fork_prepare(void)
{
	child.slot = -ENETDOWN;
	child.fd = -1;
	child.entered = 0;
	if (!pcx_is_attached())
		return;
	enter(SECTION_SETS);
	enter(SECTION_FILES);
	if (client.driver != NULL || client_is_down())
		return;
	child.slot = control_fork(&child.fd);
	if (child.slot < 0)
		return;
	child.fd = fd_hide(child.fd);
	for (uint32_t fd = 0; fd < client.end_fds; fd++) {
		const struct file *f = client.fds[fd];

		if (f != NULL && f->kind == PCX_SOCKET && f->sock != CHAN_NONE)
			hold_socket(f->sock, (uint32_t)child.slot);
	}
}

void fork_in_parent(void)
{
	if (!pcx_is_attached())
		return;
	leave_section(SECTION_FILES);
	leave_section(SECTION_SETS);
	if (child.fd >= 0)
		fd_close_hidden(child.fd);
	fd_spare_keep();
}

/* Drops the references of calls: only the thread that forked exists in the child. */
static void forget_calls(struct file *f)
{
	f->refs = f->fds;
}

/* A child without a slot: replaces the segment, so that nothing it does can affect the parent's
 * sockets. */
static void leave_segment(void)
{
	(void)mmap(client.view.head, client.view.bytes, PROT_READ | PROT_WRITE,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static void each_file(void (*what)(struct file *f, int fd))
{
	for (uint32_t fd = 0; fd < client.end_fds; fd++) {
		struct file *f = client.fds[fd];

		if (f != NULL && f->refs != 0)
			what(f, (int)fd);
	}
}

static void copy_set(struct file *f, int fd)
{
	forget_calls(f);
	if (f->kind != PCX_EPOLL)
		return;
	if (f->set->forked_for == client.proc) {
		epset_forked_twin(f->set, fd);
		return;
	}
	f->set->forked_for = client.proc;
	epset_forked(f->set, fd);
}

/* Run when all sets have been copied. */
static void nest_again(struct file *f, int fd)
{
	if (f->kind == PCX_EPOLL)
		epset_forked_nest(f->set, fd);
}

void fork_in_child(void)
{
	if (!pcx_is_attached())
		return;
	sections = 0;
	client_init_locks();
	client.watching = false;
	client.driver = NULL;
	fd_close_hidden(client.control);
	if (child.fd < 0) {
		client.control = -1;
		client.dead = true;
		leave_segment();
		return;
	}
	client.control = child.fd;
	client.proc = (uint32_t)child.slot;
	child.fd = -1;
	fd_spare_keep();
	poll_queues_forked();
	async_forked();
	each_file(copy_set);
	each_file(nest_again);
}

static void install(void)
{
	(void)pthread_atfork(fork_prepare, fork_in_parent, fork_in_child);
}

void fork_install(void)
{
	(void)pthread_once(&once, install);
}
