/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll, over descriptors of both kinds.
 *
 * A call that has to sleep obtains an event queue, subscribes it to each of our sockets, and sleeps
 * in the kernel's ppoll() on the other descriptors and the queue's pipe.  Queues are kept for later
 * calls.
 */
#include "posix/client.h"
#include "posix/queue.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <stdlib.h>
#include <string.h>

#define KEPT      16
#define FEW_FILES 64
#define OWN       2
#define ALWAYS    (POLLERR | POLLHUP | POLLNVAL)

/* ---- queues between calls --------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	struct queue kept[KEPT];
	unsigned n;
	struct queue used[CHAN_QUEUES]; /* by sleeping threads, to be woken when the host goes */
	unsigned nb_used;
} queues = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void take_queue(struct queue *q)
{
	pthread_mutex_lock(&queues.lock);
	*q = queues.n > 0 ? queues.kept[--queues.n] : (struct queue){CHAN_NONE, -1};
	pthread_mutex_unlock(&queues.lock);
	if (q->index == CHAN_NONE)
		queue_open(q);
	if (q->index == CHAN_NONE)
		return; /* without one the caller polls again by itself */
	pthread_mutex_lock(&queues.lock);
	if (queues.nb_used < CHAN_QUEUES)
		queues.used[queues.nb_used++] = *q;
	pthread_mutex_unlock(&queues.lock);
}

static void give_queue(struct queue *q)
{
	bool keep = false;

	if (q->index == CHAN_NONE)
		return;
	pthread_mutex_lock(&queues.lock);
	for (unsigned i = 0; i < queues.nb_used; i++)
		if (queues.used[i].index == q->index) {
			queues.used[i] = queues.used[--queues.nb_used];
			break;
		}
	if (queues.n < KEPT) {
		queues.kept[queues.n++] = *q;
		keep = true;
	}
	pthread_mutex_unlock(&queues.lock);
	if (!keep)
		queue_close(q);
}

void poll_queues_forked(void)
{
	pthread_mutex_init(&queues.lock, NULL);
	for (unsigned i = 0; i < queues.n; i++)
		fd_close_hidden(queues.kept[i].fd);
	for (unsigned i = 0; i < queues.nb_used; i++)
		fd_close_hidden(queues.used[i].fd);
	queues.n = queues.nb_used = 0;
}

void poll_queue_reserve(void)
{
	struct queue q;

	take_queue(&q);
	give_queue(&q);
}

void poll_queues_wake(void)
{
	pthread_mutex_lock(&queues.lock);
	for (unsigned i = 0; i < queues.nb_used; i++)
		queue_signal(&queues.used[i]);
	pthread_mutex_unlock(&queues.lock);
}

/* ---- poll ------------------------------------------------------------------------------------- */

/** A poll in progress: the caller's array, our files, and the kernel's part of the array. */
struct polling {
	struct pollfd *p;
	nfds_t n;
	struct file **file; /* n; NULL: the kernel's */
	/* room for n + OWN: the caller's entries that the kernel knows, in their order, the queue
	 * and the connection. No others: the kernel limits the entries to the number of
	 * descriptors that may be open, and the caller's array alone may have as many */
	struct pollfd *kernel;
	nfds_t nb_kernel;   /* without the queue and the connection */
	struct queue queue; /* while the call sleeps */
	bool any_ours;
	bool many;   /* the arrays are not on the stack */
	bool sleeps; /* with a queue, and may be cancelled */
};

static uint32_t ask_file(const struct file *f, const struct pollfd *p)
{
	const uint32_t want = (uint16_t)p->events | (uint32_t)ALWAYS;

	if (f->kind == PCX_EPOLL)
		return epset_ready(f->set) ? want & (POLLIN | POLLRDNORM) : 0;
	return sock_ready(f->sock, p->events & POLLOUT) & want;
}

/* Checks our files. Returns how many are ready. */
static int scan(struct polling *g)
{
	int ready = 0;

	for (nfds_t i = 0; i < g->n; i++) {
		g->p[i].revents = 0;
		if (g->file[i] == NULL)
			continue;
		g->p[i].revents = (short)ask_file(g->file[i], &g->p[i]);
		ready += g->p[i].revents != 0;
	}
	return ready;
}

/* Whether the kernel is asked about the caller's i'th entry. */
static bool is_known_to_kernel(const struct polling *g, nfds_t i)
{
	return g->p[i].fd >= 0 && (g->file[i] == NULL || g->file[i]->kind != PCX_SOCKET);
}

/* What the kernel reports for the i'th entry, its k'th. A set may have become readable by an event
 * that nobody waits for, and that scan() has since removed: then the kernel is asked again. */
static short kernels_word(const struct polling *g, nfds_t i, nfds_t k)
{
	struct pollfd p = g->kernel[k];

	if (p.revents == 0)
		return 0;
	if (g->file[i] != NULL && g->p[i].revents == 0 && sys(poll, &p, 1, 0) <= 0)
		return 0;
	return p.revents;
}

/* A sandbox allows the call that the program itself makes. */
static int kernel_poll(struct pollfd *p, nfds_t n, const struct timespec *ts, const sigset_t *mask)
{
#ifdef SYS_poll
	if (at_load(&client.sandboxed) && mask == NULL)
		return (int)sys(poll, p, n,
		                ts == NULL ? -1 : (int)((span_ns(ts) + 999999) / 1000000));
#endif
	return (int)sys(ppoll, p, n, ts, mask, SYS_SIGSET_BYTES);
}

/* Polls the kernel's part, and then ours again. Returns the total number ready, or a negative
 * errno. */
static int ask_kernel(struct polling *g, const struct timespec *ts, const sigset_t *mask)
{
	/* a sandbox may have set RLIMIT_NOFILE to 1; more entries are EINVAL then (sshd) */
	const nfds_t own = at_load(&client.sandboxed) ? 1 : OWN;
	const int type = g->sleeps ? cancel_begin() : 0;
	int rc = kernel_poll(g->kernel, g->nb_kernel + own, ts, mask), ours;
	nfds_t k = 0;

	rc = rc < 0 ? -errno : rc;
	if (g->sleeps)
		cancel_end(type);
	if (rc < 0)
		return rc;
	if (g->kernel[g->nb_kernel + 1].revents != 0)
		client_check();
	ours = scan(g);
	for (nfds_t i = 0; i < g->n && k < g->nb_kernel; i++) {
		const short more = is_known_to_kernel(g, i) ? kernels_word(g, i, k++) : 0;

		if (more == 0)
			continue;
		ours += g->p[i].revents == 0;
		g->p[i].revents |= more;
	}
	return ours;
}

static void watch_queue(struct polling *g, const struct queue *q, bool on)
{
	for (nfds_t i = 0; i < g->n; i++) {
		if (g->file[i] == NULL || g->file[i]->kind != PCX_SOCKET)
			continue;
		if (on)
			queue_watch(q, g->file[i]->sock, false);
		else
			queue_unwatch(q, g->file[i]->sock);
	}
}

static int sleep_with(struct polling *g, const struct queue *q, uint64_t deadline,
                      const sigset_t *mask)
{
	uint64_t wait = time_left(deadline);
	struct timespec ts;
	uint32_t sock;
	int rc;

	if (q->index == CHAN_NONE && wait > CLIENT_PATIENCE_NS)
		wait = CLIENT_PATIENCE_NS;
	if (at_load(&client.sandboxed) && wait > NAP_NS) {
		wait = NAP_NS;
		client_check();
	}
	ts = (struct timespec){(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
	while (queue_pop(q, &sock))
		continue;
	queue_arm(q, CHAN_ARMED);
	rc = scan(g);
	if (rc == 0)
		rc = ask_kernel(g, wait == UINT64_MAX ? NULL : &ts, mask);
	queue_disarm(q);
	queue_clear(q);
	return rc;
}

static void end_queue(struct polling *g)
{
	watch_queue(g, &g->queue, false);
	g->kernel[g->nb_kernel].fd = g->kernel[g->nb_kernel + 1].fd = -1;
	give_queue(&g->queue);
}

/* Releases the files and the arrays. Preserves errno. */
static void end(struct polling *g)
{
	const int error = errno;

	for (nfds_t i = 0; i < g->n; i++)
		if (g->file[i] != NULL)
			file_put(g->file[i]);
	if (g->many) {
		free(g->file);
		free(g->kernel);
	}
	errno = error;
}

/* Clean-up handler for a cancelled thread. */
static void leave_poll(void *arg)
{
	struct polling *g = arg;

	if (g->sleeps) {
		queue_disarm(&g->queue);
		end_queue(g);
	}
	end(g);
}

/* Sleeps with an event queue. Returns how many are ready, or a negative errno. */
static int wait_with_queue(struct polling *g, uint64_t deadline, const sigset_t *mask)
{
	int rc;

	take_queue(&g->queue);
	g->kernel[g->nb_kernel] = (struct pollfd){.fd = g->queue.fd, .events = POLLIN};
	g->kernel[g->nb_kernel + 1] = (struct pollfd){.fd = client.control, .events = POLLRDHUP};
	watch_queue(g, &g->queue, true);
	g->sleeps = true;
	pthread_cleanup_push(leave_poll, g);
	do
		rc = sleep_with(g, &g->queue, deadline, mask);
	while (rc == 0 && (deadline == UINT64_MAX || now_ns() < deadline));
	pthread_cleanup_pop(0);
	g->sleeps = false;
	end_queue(g);
	return rc;
}

static int drive_poll(struct polling *g, uint64_t deadline, struct held *h)
{
	const struct timespec none = {0};
	int rc;

	for (;;) {
		uint64_t now = now_ns();

		rc = scan(g);
		if (g->nb_kernel > 0)
			rc = ask_kernel(g, &none, NULL);
		if (rc != 0 || now >= deadline)
			return rc;
		rc = held_look(h, true);
		if (rc != 0)
			return rc;
		pthread_testcancel();
		client_drive_or_sleep(client_soon(deadline));
	}
}

static int wait_driving(struct polling *g, uint64_t deadline, const sigset_t *mask)
{
	struct held h = {.on = false};
	int rc;

	held_begin(&h, mask);
	pthread_cleanup_push(leave_poll, g);
	rc = drive_poll(g, deadline, &h);
	pthread_cleanup_pop(0);
	held_end(&h);
	return rc;
}

/* Checks everything once. Pending signals that the mask lets through end the call if nothing is
 * ready. */
static int look_at_files(struct polling *g, int ready, const sigset_t *mask)
{
	const struct timespec none = {0};
	int all;

	if (ready == 0)
		return g->nb_kernel > 0 || mask != NULL ? ask_kernel(g, &none, mask) : 0;
	all = g->nb_kernel > 0 ? ask_kernel(g, &none, NULL) : ready;
	return all < 0 ? ready : all;
}

static int run_poll(struct polling *g, uint64_t deadline, const sigset_t *mask)
{
	int ready;

	(void)client_drive();
	ready = scan(g);
	if (ready > 0 || deadline == 0)
		return look_at_files(g, ready, mask);
	return client.driver != NULL ? wait_driving(g, deadline, mask)
	                             : wait_with_queue(g, deadline, mask);
}

/* Finds out whose each descriptor is, and takes a reference to each file of ours. */
static void sort_out(struct polling *g)
{
	for (nfds_t i = 0; i < g->n; i++) {
		g->file[i] = file_get(g->p[i].fd);
		g->any_ours |= g->file[i] != NULL;
		if (is_known_to_kernel(g, i))
			g->kernel[g->nb_kernel++] = g->p[i];
	}
	g->kernel[g->nb_kernel] = g->kernel[g->nb_kernel + 1] = (struct pollfd){.fd = -1};
}

static int poll_until(struct pollfd *p, nfds_t n, uint64_t deadline, const struct timespec *ts,
                      const sigset_t *mask)
{
	struct file *few_files[FEW_FILES];
	struct pollfd few[FEW_FILES + OWN];
	struct polling g = {.p = p, .n = n, .file = few_files, .kernel = few};
	int rc;

	if (n > FEW_FILES && n <= client.max_fds) {
		g.many = true;
		g.file = malloc(n * sizeof(struct file *));
		g.kernel = malloc((n + OWN) * sizeof(struct pollfd));
	}
	if (client.chan == NULL || n > client.max_fds ||
	    (n > 0 && !user_may_be(p, n * sizeof(*p)))) {
		rc = (int)sys(ppoll, p, n, ts, mask, SYS_SIGSET_BYTES);
		g.n = 0;
	} else if (g.file == NULL || g.kernel == NULL) {
		rc = (int)fail(-ENOMEM);
		g.n = 0;
	} else {
		sort_out(&g);
		rc = g.any_ours ? (int)fail(run_poll(&g, deadline, mask))
		                : (int)sys(ppoll, p, n, ts, mask, SYS_SIGSET_BYTES);
	}
	end(&g);
	return rc;
}

int pcx_ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec copy;
	uint64_t deadline;
	int rc;

	if (timeout == NULL)
		return poll_until(p, n, UINT64_MAX, NULL, mask);
	if (!user_may_be(timeout, sizeof(*timeout)))
		return (int)fail(-EFAULT);
	copy = *timeout;
	rc = user_deadline(&copy, &deadline);
	if (rc != 0)
		return (int)fail(rc);
	if (copy.tv_sec == 0 && copy.tv_nsec == 0)
		deadline = 0;
	return poll_until(p, n, deadline, &copy, mask);
}

int pcx_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
	const struct timespec ts = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};

	return pcx_ppoll(p, n, timeout_ms < 0 ? NULL : &ts, NULL);
}
