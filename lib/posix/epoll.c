/* SPDX-License-Identifier: BSD-2-Clause */
/* The epoll calls. */
#include "posix/epset.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <limits.h>

#define LOOK_NS \
	UINT64_C(100000) /* between two checks of the kernel's descriptors while ours are busy */

static struct file *set_get(int ep)
{
	struct file *f = file_get(ep);

	if (f == NULL || f->kind == PCX_EPOLL)
		return f;
	file_put(f);
	return NULL;
}

int pcx_epoll_create1(int flags)
{
	int fd = (int)sys(epoll_create1, flags);
	struct file *f;

	if (fd < 0 || !pcx_is_attached() || (uint32_t)fd >= client.max_fds)
		return fd;
	f = file_new(PCX_EPOLL);
	if (f != NULL)
		f->set = epset_new(fd);
	if (f == NULL || f->set == NULL) {
		(void)sys_close(fd);
		return (int)fail(-ENOMEM);
	}
	fd_install(fd, f);
	file_put(f);
	return fd;
}

int pcx_epoll_create(int size)
{
	return size <= 0 ? (int)fail(-EINVAL) : pcx_epoll_create1(0);
}

/* epoll_ctl() for a kernel descriptor or another set. */
static int kernel_ctl(int ep, struct epset *set, int op, int fd, struct file *target,
                      struct epoll_event *event)
{
	int rc = target != NULL ? (int)fail(epset_nest(set, ep, op, fd, target, event))
	                        : (int)sys(epoll_ctl, ep, op, fd, event);

	if (rc == 0 && op != EPOLL_CTL_MOD)
		at_add(&set->kernel_items, op == EPOLL_CTL_ADD ? 1 : (uint32_t)-1);
	return rc;
}

int pcx_epoll_ctl(int ep, int op, int fd, struct epoll_event *event)
{
	struct file *f = set_get(ep), *target;
	int rc;

	if (f != NULL && op != EPOLL_CTL_DEL && !user_may_be(event, sizeof(*event))) {
		file_put(f);
		return (int)fail(-EFAULT);
	}
	if (f == NULL)
		return (int)sys(epoll_ctl, ep, op, fd, event);
	target = file_get(fd);
	if (target == NULL || target->kind == PCX_EPOLL)
		rc = kernel_ctl(ep, f->set, op, fd, target, event);
	else
		rc = (int)fail(epset_ctl(f->set, op, fd, target, event));
	if (target != NULL)
		file_put(target);
	file_put(f);
	return rc;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* By the call that the program itself makes, or would on an older kernel. */
static int kernel_wait_ms(int ep, struct epoll_event *events, int max, uint64_t wait_ns,
                          const sigset_t *mask)
{
	const uint64_t ms = wait_ns / 1000000 + (wait_ns % 1000000 != 0);
	const int most = wait_ns == UINT64_MAX ? -1 : (int)(ms < INT_MAX ? ms : INT_MAX);

#ifdef SYS_epoll_wait
	if (mask == NULL)
		return (int)sys(epoll_wait, ep, events, max, most);
#endif
	return (int)sys(epoll_pwait, ep, events, max, most, mask, SYS_SIGSET_BYTES);
}

/* Waits in the kernel for at most wait_ns. Returns the number of events, or -1 with errno. Programs'
 * sandboxes do not allow epoll_pwait2(), and those of containers may be older than the kernel. */
static int kernel_wait(int ep, struct epoll_event *events, int max, uint64_t wait_ns,
                       const sigset_t *mask)
{
	const struct timespec ts = {.tv_sec = (time_t)(wait_ns / 1000000000),
	                            .tv_nsec = (long)(wait_ns % 1000000000)};
	int n;

	if (wait_ns == 0 || wait_ns == UINT64_MAX || at_load(&client.sandboxed))
		return kernel_wait_ms(ep, events, max, wait_ns, mask);
	n = (int)sys(epoll_pwait2, ep, events, max, &ts, mask, SYS_SIGSET_BYTES);
	if (n >= 0 || (errno != ENOSYS && errno != EPERM))
		return n;
	return kernel_wait_ms(ep, events, max, wait_ns, mask);
}

/* A waiting call: the set, the buffer for events, the deadline, and the signals blocked during it
 * (NULL: no change). */
struct wait {
	int ep;
	struct file *file;
	struct epset *set;
	struct epoll_event *events;
	int max;
	uint64_t deadline;
	const sigset_t *mask;
	struct held held; /* while this thread drives the stack */
};

/* Appends the events of kernel descriptors after n events. Events meant only for the library may
 * have filled all places and hidden others; the kernel puts an item that it has reported at the end
 * of its list, so another call gets to those. */
static int look_at_kernel(const struct wait *w, int n)
{
	uint32_t looks = at_load(&w->set->kernel_items) + 2; /* the queue and the connection */
	const int room = w->max - n;
	int left = 0, got = room;

	while (left == 0 && got == room && room > 0 && looks-- > 0) {
		got = kernel_wait(w->ep, w->events + n, room, 0, NULL);
		left = got > 0 ? epset_filter(w->set, w->events + n, got) : 0;
	}
	return left;
}

/* Whether to ask the kernel although ours have events: asking costs a system call. */
static bool is_kernels_turn(struct epset *set)
{
	const uint64_t now = now_ns();

	if (now < at_peek(&set->next_look_ns))
		return false;
	at_put(&set->next_look_ns, now + LOOK_NS);
	return true;
}

/* Collects our events and now and then the kernel's, without sleeping. If ours took all places, the
 * kernel's come first the next time: level-triggered ones of ours could take the places for
 * ever. */
static int collect_events(const struct wait *w, bool look)
{
	struct epset *set = w->set;
	int n;

	(void)client_drive();
	if (at_load(&set->kernel_items) == 0)
		return epset_collect(set, w->events, w->max);
	if (at_peek(&set->full) && is_kernels_turn(set)) {
		at_put(&set->full, false);
		n = look_at_kernel(w, 0);
		return n + epset_collect(set, w->events + n, w->max - n);
	}
	n = epset_collect(set, w->events, w->max);
	at_put(&set->full, n == w->max);
	if (n > 0)
		look = n < w->max && is_kernels_turn(set);
	return look ? n + look_at_kernel(w, n) : n;
}

static void end_sleep(struct epset *set)
{
	if (at_add(&set->sleepers, (uint32_t)-1) == 1)
		queue_disarm(&set->queue);
}

static void hand_over(const struct wait *w)
{
	if (at_load(&w->set->sleepers) > 0)
		epset_hand_over(w->set);
}

/* Clean-up handlers, for a thread cancelled while it sleeps in the kernel, or between two turns of
 * the stack. */
static void leave_sleep(void *arg)
{
	const struct wait *w = arg;

	end_sleep(w->set);
	hand_over(w);
	file_put(w->file);
}

static void leave_drive(void *arg)
{
	const struct wait *w = arg;

	hand_over(w);
	file_put(w->file);
}

static int sleep_in_kernel(struct wait *w, uint64_t wait_ns, const sigset_t *mask)
{
	int type, n;

	pthread_cleanup_push(leave_sleep, w);
	type = cancel_begin();
	n = kernel_wait(w->ep, w->events, w->max, wait_ns, mask);
	n = n < 0 ? -errno : n;
	cancel_end(type);
	pthread_cleanup_pop(0);
	return n;
}

/* Sleeps once. Returns the number of events, a negative errno, or 0: look again. */
static int sleep_once(struct wait *w, const sigset_t *mask)
{
	struct epset *set = w->set;
	uint64_t wait = time_left(w->deadline);
	int n, other;

	if ((client.driver != NULL || set->queue.index == CHAN_NONE) && wait > CLIENT_PATIENCE_NS)
		wait = CLIENT_PATIENCE_NS;
	at_add(&set->sleepers, 1);
	queue_arm(&set->queue, CHAN_ARMED);
	n = epset_collect(set, w->events, w->max);
	if (n > 0) {
		end_sleep(set);
		return n;
	}
	other = sleep_in_kernel(w, wait, mask);
	other = other < 0 ? other : epset_filter(set, w->events, other);
	end_sleep(set);
	/* Whatever woke this thread: an EPOLLEXCLUSIVE event that the queue got meanwhile was given
	 * to no other set. */
	n = other > 0 ? other : 0;
	n += epset_collect(set, w->events + n, w->max - n);
	return n > 0 ? n : other;
}

/* Polls for a moment before it sleeps: events that arrive under load then cost no system call. */
static int epoll_spin(const struct wait *w)
{
	uint64_t end = client.spin_ns > 0 && client.driver == NULL ? now_ns() + client.spin_ns : 0;
	int n = 0;

	for (uint64_t now = end > 0 ? now_ns() : 0; n == 0 && now < end && now < w->deadline;
	     now = now_ns()) {
		at_relax();
		n = epset_collect(w->set, w->events, w->max);
	}
	return n;
}

/* Like sleep_once, with signals held back meanwhile. */
static int drive_once(struct wait *w)
{
	const int rc = held_look(&w->held, true);

	if (rc != 0)
		return rc;
	held_begin(&w->held, w->mask);
	pthread_cleanup_push(leave_drive, w);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	if (client_drive_and_sleep(client_soon(w->deadline)))
		return 0;
	return sleep_once(w, NULL);
}

static int look_and_sleep(struct wait *w)
{
	for (;;) {
		int n = collect_events(w, w->deadline == 0 || client.driver != NULL);

		if (n > 0 || w->deadline == 0)
			return n;
		if (w->deadline != UINT64_MAX && now_ns() >= w->deadline)
			return collect_events(w, true);
		n = epoll_spin(w);
		if (client.driver != NULL)
			n = drive_once(w);
		else if (n == 0)
			n = sleep_once(w, w->mask);
		if (n != 0)
			return n;
	}
}

static int epoll_until(struct wait *w)
{
	const int n = look_and_sleep(w);

	held_end(&w->held);
	hand_over(w);
	return n;
}

/* Waits for events of one of our sets. Returns their number, or a negative errno. */
static int wait_on(struct wait *w)
{
	struct epoll_event none;

	if (w->max <= 0 || w->max > INT_MAX / (int)sizeof(*w->events))
		return -EINVAL;
	if (!user_is_range(w->events, (size_t)w->max * sizeof(*w->events)))
		return -EFAULT;
	if (user_may_be(w->events, 1))
		return epoll_until(w);
	/* EFAULT is reported only once there is an event to store */
	w->events = &none;
	w->max = 1;
	return epoll_until(w) > 0 ? -EFAULT : 0;
}

static int wait_for(int ep, struct epoll_event *events, int max, uint64_t deadline,
                    const sigset_t *mask)
{
	struct file *f = set_get(ep);
	struct wait w = {
	    .ep = ep, .events = events, .max = max, .deadline = deadline, .mask = mask};
	int rc;

	if (f == NULL)
		return kernel_wait(ep, events, max, time_left(deadline), mask);
	w.file = f;
	w.set = f->set;
	rc = wait_on(&w);
	file_put(f);
	return (int)fail(rc);
}

int pcx_epoll_pwait(int ep, struct epoll_event *events, int max, int timeout_ms,
                    const sigset_t *mask)
{
	uint64_t deadline = timeout_ms < 0    ? UINT64_MAX
	                    : timeout_ms == 0 ? 0
	                                      : now_ns() + (uint64_t)timeout_ms * 1000000;

	return wait_for(ep, events, max, deadline, mask);
}

int pcx_epoll_wait(int ep, struct epoll_event *events, int max, int timeout_ms)
{
	return pcx_epoll_pwait(ep, events, max, timeout_ms, NULL);
}

int pcx_epoll_pwait2(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                     const sigset_t *mask)
{
	uint64_t ns;

	if (timeout == NULL)
		return wait_for(ep, events, max, UINT64_MAX, mask);
	if (!user_may_be(timeout, sizeof(*timeout)))
		return (int)fail(-EFAULT);
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
		return (int)fail(-EINVAL);
	ns = span_ns(timeout);
	return wait_for(ep, events, max, ns == 0 ? 0 : deadline_in(ns), mask);
}
