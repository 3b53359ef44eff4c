/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of O_ASYNC (fcntl(2), "Managing signals").
 *
 * Overview: only the kernel can send the information that comes with such a signal.  So a
 * descriptor that gets O_ASYNC becomes one end of a pair of kernel sockets, with the program's
 * owner and signal set on it; a write to the other end makes the kernel send the signal, with the
 * descriptor's number.  That write is not made by an lcore but by a thread of this library, created
 * for the first such descriptor: it sleeps on an event queue that subscribes to all these sockets.
 * Events of a socket in quick succession are merged into one signal, as standard signals are, and
 * each is reported as POLL_IN.
 *
 * Ownership: all of it is under lock; a forked child has the settings, but the parent keeps sending
 * the signals.
 */
#include "posix/async.h"
#include "posix/client.h"
#include "posix/queue.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <limits.h>
#include <poll.h>
#include <string.h>

static struct {
	pthread_mutex_t lock;
	struct file *first; /* files with O_ASYNC */
	struct queue queue;
	bool runs; /* the thread exists */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .queue = {CHAN_NONE, -1}};

/* ---- signals ---------------------------------------------------------------------------------- */

/* The byte has served its purpose once it arrives, and is read back. */
static void send_signal(const struct async *a)
{
	char byte = 0;

	if (sys(sendto, a->other, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) == 1)
		(void)sys(recvfrom, a->end, &byte, 1, MSG_DONTWAIT, NULL, NULL);
}

/* Whether something worth a signal has happened to a socket since the last call. */
static bool has_news(struct file *f)
{
	const struct chan_sock *s = chan_sock(client.chan, f->sock);
	struct async *a = &f->async;
	const uint32_t in = at_load_sc(&s->ev_in), out = at_load(&s->ev_out),
	               state = at_load(&s->ev_state), ready = sock_ready(f->sock, true);
	const bool is_in = in != a->seen_in, is_out = out != a->seen_out || state != a->seen_state;

	a->seen_in = in;
	a->seen_out = out;
	a->seen_state = state;
	return (is_in && (ready & EPOLLIN)) || (is_out && ready != 0);
}

static void tell_owner(uint32_t sock)
{
	pthread_mutex_lock(&all.lock);
	for (struct file *f = all.first; f != NULL; f = f->async.next) {
		if (f->sock == sock && has_news(f))
			send_signal(&f->async);
	}
	pthread_mutex_unlock(&all.lock);
}

static void *run_async(void *arg)
{
	const struct queue q = all.queue;
	const uint32_t generation = at_load(&client.generation);
	struct pollfd p[2] = {{.fd = q.fd, .events = POLLIN},
	                      {.fd = client.control, .events = POLLRDHUP}};
	uint32_t sock;

	(void)arg;
	while (!(p[1].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL))) {
		queue_arm(&q, CHAN_ARMED);
		if (queue_pop(&q, &sock)) {
			tell_owner(sock);
			continue;
		}
		(void)sys(poll, p, 2, -1);
		queue_clear(&q);
		if (at_load(&client.generation) != generation)
			break;
	}
	return NULL;
}

/* Creates the thread, which must not receive the program's signals. The caller holds the lock. */
static bool start(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t every, old;

	if (all.runs)
		return true;
	queue_open(&all.queue);
	if (all.queue.index == CHAN_NONE)
		return false;
	sigfillset(&every);
	(void)pthread_sigmask(SIG_BLOCK, &every, &old);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, 64 << 10);
	all.runs = pthread_create(&thread, &attr, run_async, NULL) == 0;
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return all.runs;
}

/* ---- settings --------------------------------------------------------------------------------- */

/* Applies the owner and the signal to the pair; the kernel's errors are returned as ours. */
static int apply(const struct async *a)
{
	const struct f_owner_ex o = {.type = a->type, .pid = a->owner};

	if (a->end < 0)
		return 0;
	if (sys_fcntl(a->end, F_SETSIG, a->sig) != 0 ||
	    sys_fcntl(a->end, F_SETOWN_EX, (long)&o) != 0)
		return -errno;
	return 0;
}

static void take_out(struct file *f)
{
	struct file **link = &all.first;

	while (*link != NULL && *link != f)
		link = &(*link)->async.next;
	if (*link == f)
		*link = f->async.next;
	queue_unwatch(&all.queue, f->sock);
	at_store(&f->async.on, false);
}

/* Duplicates one end of the file's pair, made if need be, to the descriptor. The file keeps the
 * pair from then on. */
static int make_pair(struct async *a, int fd)
{
	const int flags = sys_fcntl(fd, F_GETFD, 0);
	int pair[2];

	if (a->end < 0) {
		if (sys(socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
			return -errno;
		a->end = fd_hide(pair[0]);
		a->other = fd_hide(pair[1]);
	}
	return sys(dup3, a->end, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0) == fd ? 0 : -errno;
}

static int turn_on(struct file *f, int fd)
{
	struct async *a = &f->async;
	int rc;

	if (!start())
		return -EAGAIN;
	rc = make_pair(a, fd);
	if (rc == 0)
		rc = apply(a);
	if (rc == 0 && sys_fcntl(fd, F_SETFL, O_ASYNC) != 0)
		rc = -errno;
	if (rc != 0)
		return rc;
	a->next = all.first;
	all.first = f;
	queue_watch(&all.queue, f->sock, false);
	(void)has_news(f); /* signal only events from now on */
	at_store(&a->on, true);
	return 0;
}

int async_set(struct file *f, int fd, bool on)
{
	int rc = 0;

	pthread_mutex_lock(&all.lock);
	if (on && !f->async.on) {
		rc = turn_on(f, fd);
	} else if (!on && f->async.on) {
		take_out(f);
		(void)sys_fcntl(f->async.end, F_SETFL, 0);
	}
	pthread_mutex_unlock(&all.lock);
	return rc;
}

/* O_ASYNC stays set on the pair: a parent or child may share it and keep sending. */
void async_forget(struct file *f)
{
	if (at_load(&f->async.on)) {
		pthread_mutex_lock(&all.lock);
		take_out(f);
		pthread_mutex_unlock(&all.lock);
	}
	if (f->async.end >= 0) {
		fd_close_hidden(f->async.end);
		fd_close_hidden(f->async.other);
	}
	f->async = ASYNC_OFF;
}

void async_moved(struct file *f, uint32_t from, uint32_t to)
{
	if (!at_load(&f->async.on))
		return;
	queue_unwatch(&all.queue, from);
	queue_watch(&all.queue, to, false);
}

void async_forked(void)
{
	pthread_mutex_init(&all.lock, NULL);
	if (all.queue.fd >= 0)
		fd_close_hidden(all.queue.fd);
	all.queue = (struct queue){CHAN_NONE, -1};
	all.first = NULL;
	all.runs = false;
}

static int set_owner(struct async *a, enum __pid_type type, long owner)
{
	if (owner != 0 && sys(kill, type == F_OWNER_PGRP ? -owner : owner, 0) != 0 &&
	    errno == ESRCH)
		return -ESRCH;
	a->owner = (int32_t)owner;
	a->type = type;
	return apply(a);
}

int async_set_owner(struct file *f, long owner)
{
	if (owner == INT_MIN)
		return -EINVAL;
	return set_owner(&f->async, owner < 0 ? F_OWNER_PGRP : F_OWNER_PID,
	                 owner < 0 ? -owner : owner);
}

int async_owner(const struct file *f)
{
	return f->async.type == F_OWNER_PGRP ? -f->async.owner : f->async.owner;
}

int async_fcntl(struct file *f, int command, long arg)
{
	struct async *a = &f->async;
	struct f_owner_ex *ex = (struct f_owner_ex *)arg;

	switch (command) {
	case F_SETOWN:
		return async_set_owner(f, (int)arg);
	case F_GETOWN:
		return async_owner(f);
	case F_SETSIG:
		if (arg < 0 || arg >= _NSIG)
			return -EINVAL;
		a->sig = (int)arg;
		return apply(a);
	case F_GETSIG:
		return a->sig;
	case F_SETOWN_EX:
		if (user_in(ex, sizeof(*ex)) != 0)
			return -EFAULT;
		if (ex->type != F_OWNER_TID && ex->type != F_OWNER_PID && ex->type != F_OWNER_PGRP)
			return -EINVAL;
		return set_owner(a, ex->type, ex->pid);
	default: /* F_GETOWN_EX */
		if (user_out(ex, sizeof(*ex)) != 0)
			return -EFAULT;
		*ex = (struct f_owner_ex){.type = a->type, .pid = a->owner};
		return 0;
	}
}
