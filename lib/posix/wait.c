/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping.
 *
 * A thread that waits for one socket sleeps on a futex in the channel, so signals interrupt or
 * restart it exactly as they do a system call.  If a host is killed, only the kernel can tell,
 * through the connection to it.  Threads that sleep in poll or epoll have that connection among the
 * kernel's descriptors; those that sleep until a deadline check it now and then; for those that
 * sleep without one, a thread of the library waits on it.  It is created only when first needed,
 * because a process that has given up capabilities or system calls may be unable to create threads.
 */
#include "posix/wait.h"
#include "posix/client.h"
#include "posix/queue.h"
#include "posix/sock.h"

#include <limits.h>
#include <poll.h>

uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t span_ns(const struct timespec *ts)
{
	const uint64_t s = (uint64_t)ts->tv_sec;

	return s < UINT64_MAX / 1000000000 ? s * 1000000000 + (uint64_t)ts->tv_nsec : UINT64_MAX;
}

uint64_t deadline_in(uint64_t ns)
{
	uint64_t now = now_ns();

	return ns == 0 || now + ns < now ? UINT64_MAX : now + ns;
}

uint64_t time_left(uint64_t deadline_ns)
{
	uint64_t now;

	if (deadline_ns == UINT64_MAX || deadline_ns == 0)
		return deadline_ns;
	now = now_ns();
	return deadline_ns > now ? deadline_ns - now : 0;
}

uint64_t client_soon(uint64_t deadline_ns)
{
	uint64_t soon = now_ns() + CLIENT_PATIENCE_NS;

	return soon < deadline_ns ? soon : deadline_ns;
}

/* ---- when the host goes ----------------------------------------------------------------------- */

static void wake_all(void)
{
	struct chan *c = client.chan;
	struct chan_proc *p = chan_proc(c, client.proc);

	at_store_sc(&client.dead, true);
	for (uint32_t i = 0; i < CHAN_CALLS; i++)
		futex_wake(&p->call[i].state, INT_MAX);
	for (uint32_t i = 0; i < c->nb_socks; i++) {
		struct chan_sock *s = chan_sock(c, i);

		if (!(at_load(&s->holders[client.proc / 64]) & (UINT64_C(1) << (client.proc % 64))))
			continue;
		at_add(&s->seq, 1);
		futex_wake(&s->seq, INT_MAX);
	}
	queues_wake();
}

void client_check(void)
{
	struct pollfd p = {.fd = client.control, .events = POLLRDHUP};

	if (!at_load(&client.dead) && sys(poll, &p, 1, 0) > 0)
		wake_all();
}

static void *watch_signals(void *arg)
{
	const uint64_t whose = (uint64_t)(uintptr_t)arg;
	struct pollfd p = {.fd = (int)(whose & UINT32_MAX), .events = POLLRDHUP};

	do
		(void)sys(poll, &p, 1, -1);
	while (!(p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)));
	/* after a pcx_detach the number may belong to another connection */
	if (at_load(&client.chan) != NULL && at_load(&client.control) == p.fd &&
	    at_load(&client.generation) == whose >> 32)
		wake_all();
	return NULL;
}

static void start_watch(void)
{
	sigset_t all, old;
	uintptr_t whose = (uintptr_t)client.generation << 32 | (uint32_t)client.control;
	pthread_attr_t attr;
	pthread_t thread;

	if (at_load(&client.watching) || at_swap(&client.watching, true))
		return;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, 64 << 10);
	if (pthread_create(&thread, &attr, watch_signals, (void *)whose) != 0)
		at_store(&client.watching, false);
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void make_broken_pipe(void)
{
	int fd[2];

	if (client.broken_pipe != 0 || sys(pipe2, fd, O_CLOEXEC) != 0)
		return;
	(void)sys_close(fd[0]);
	client.broken_pipe = fd_hide(fd[1]);
}

void client_sandboxed(void)
{
	if (!pcx_is_attached())
		return;
	poll_queue_reserve();
	make_broken_pipe();
	at_store(&client.sandboxed, true);
}

void client_sigpipe(void)
{
	if (at_load(&client.sandboxed) && client.broken_pipe != 0)
		(void)!sys(write, client.broken_pipe, "", 1);
	else
		(void)raise(SIGPIPE);
}

/* ---- when the thread is cancelled -------------------------------------------------------------- */

/* Releases what the call of a cancelled thread holds: its file, unless the socket has a second one,
 * which makes it uncertain. */
static void leave_wait(void *arg)
{
	const uint32_t sock = (uint32_t)(uintptr_t)arg;
	struct file *held = NULL;

	for (uint32_t fd = 0; fd < at_load(&client.end_fds); fd++) {
		struct file *f = at_load(&client.fds[fd]);

		if (f == NULL || f == held || f->kind != PCX_SOCKET || f->sock != sock)
			continue;
		if (held != NULL)
			return;
		held = f;
	}
	if (held != NULL)
		file_put(held);
}

static int sleep_on(uint32_t sock, const uint32_t *word, uint32_t seen, uint64_t deadline_ns)
{
	int type, rc;

	if (sock == CHAN_NONE)
		return futex_wait(word, seen, deadline_ns);
	pthread_cleanup_push(leave_wait, (void *)(uintptr_t)sock);
	type = cancel_begin();
	rc = futex_wait(word, seen, deadline_ns);
	cancel_end(type);
	pthread_cleanup_pop(0);
	return rc;
}

static void end_if_cancelled(uint32_t sock)
{
	pthread_cleanup_push(leave_wait, (void *)(uintptr_t)sock);
	pthread_testcancel();
	pthread_cleanup_pop(0);
}

/* ---- on a word --------------------------------------------------------------------------------- */

int client_sleep(uint32_t sock, uint32_t *word, uint32_t seen, uint64_t deadline_ns)
{
	uint64_t soon;
	int rc;

	if (deadline_ns == UINT64_MAX && !at_load(&client.sandboxed)) {
		start_watch();
		return client_is_down() ? 0 : sleep_on(sock, word, seen, UINT64_MAX);
	}
	soon = now_ns() + NAP_NS;
	if (soon >= deadline_ns)
		return sleep_on(sock, word, seen, deadline_ns);
	rc = sleep_on(sock, word, seen, soon);
	if (rc != -ETIMEDOUT)
		return rc;
	client_check();
	return 0;
}

/* ---- the calling thread drives ---------------------------------------------------------------- */

/* Takes the stack if no other thread has it. The thread cannot be cancelled until it gives the
 * stack back, whatever its drivers call. */
static bool take_stack(int *state)
{
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, state);
	if (pthread_mutex_trylock(&client.drive) == 0)
		return true;
	(void)pthread_setcancelstate(*state, state);
	return false;
}

static void give_stack(int state)
{
	(void)pthread_mutex_unlock(&client.drive);
	(void)pthread_setcancelstate(state, &state);
}

bool client_drive(void)
{
	int state;

	if (client.driver == NULL)
		return false;
	if (take_stack(&state)) {
		(void)client.driver->turn(client.driver->arg);
		give_stack(state);
	}
	return true;
}

bool client_drive_and_sleep(uint64_t deadline_ns)
{
	const struct pcx_driver *d = client.driver;
	int state;

	if (!take_stack(&state))
		return false;
	if (d->turn(d->arg) == 0)
		d->sleep(d->arg, deadline_ns);
	give_stack(state);
	return true;
}

void client_drive_or_sleep(uint64_t deadline_ns)
{
	const struct timespec ts = {.tv_nsec = 50000};

	if (!client_drive_and_sleep(deadline_ns))
		(void)sys(nanosleep, &ts, NULL);
}

/* ---- waiting for a socket --------------------------------------------------------------------- */

typedef bool is_over(uint32_t sock, uint32_t what);

static bool ready(uint32_t sock, uint32_t events)
{
	return (sock_ready(sock, events & EPOLLOUT) & events) != 0;
}

static bool is_not_connecting(uint32_t sock, uint32_t events)
{
	(void)events;
	return at_load(&chan_sock(client.chan, sock)->state) != CHAN_CONNECTING;
}

static bool has_changed(uint32_t sock, uint32_t seen)
{
	return at_load_sc(&chan_sock(client.chan, sock)->seq) != seen;
}

/* Sleeps while another thread drives: it wakes us, unless it stops driving. */
static void sleep_beside(struct chan_sock *s, uint32_t sock, is_over *over, uint32_t events,
                         uint64_t deadline_ns)
{
	uint32_t seen;

	at_store_sc(&s->armed, 1);
	seen = at_load_sc(&s->seq);
	if (!over(sock, events))
		(void)sleep_on(sock, &s->seq, seen, client_soon(deadline_ns));
}

static int drive_wait(uint32_t sock, is_over *over, uint32_t events, uint64_t deadline_ns,
                      struct held *h)
{
	for (;;) {
		int rc;

		(void)client_drive();
		if (over(sock, events))
			return 0;
		if (client_is_down())
			return -ENETDOWN;
		if (deadline_ns != UINT64_MAX && now_ns() >= deadline_ns)
			return -EAGAIN;
		/* signal(7): with a time-out set on the socket, SA_RESTART does not restart the
		 * call */
		rc = held_look(h, deadline_ns != UINT64_MAX);
		if (rc != 0)
			return rc;
		held_begin(h, NULL);
		end_if_cancelled(sock);
		if (!client_drive_and_sleep(client_soon(deadline_ns)))
			sleep_beside(chan_sock(client.chan, sock), sock, over, events, deadline_ns);
	}
}

static int drive_until(uint32_t sock, is_over *over, uint32_t events, uint64_t deadline_ns)
{
	struct held h = {.on = false};
	const int rc = drive_wait(sock, over, events, deadline_ns, &h);

	held_end(&h);
	return rc;
}

static bool wait_spin(uint32_t sock, is_over *over, uint32_t events)
{
	uint64_t end = client.spin_ns > 0 ? now_ns() + client.spin_ns : 0;

	while (client.spin_ns > 0 && now_ns() < end) {
		if (over(sock, events))
			return true;
		at_relax();
	}
	return false;
}

static int wait_until(uint32_t sock, is_over *over, uint32_t events, uint64_t deadline_ns)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	if (client.driver != NULL)
		return drive_until(sock, over, events, deadline_ns);
	if (wait_spin(sock, over, events))
		return 0;
	for (;;) {
		uint32_t seen;
		int rc;

		at_store_sc(&s->armed, 1);
		seen = at_load_sc(&s->seq);
		if (client_is_down())
			return -ENETDOWN;
		if (over(sock, events))
			return 0;
		rc = client_sleep(sock, &s->seq, seen, deadline_ns);
		if (rc == -EINTR)
			return rc;
		if (rc == -ETIMEDOUT)
			return over(sock, events) ? 0 : -EAGAIN;
	}
}

int sock_wait(uint32_t sock, uint32_t events, uint64_t deadline_ns)
{
	return wait_until(sock, ready, events, deadline_ns);
}

int sock_wait_connected(uint32_t sock, uint64_t deadline_ns)
{
	return wait_until(sock, is_not_connecting, 0, deadline_ns);
}

int sock_wait_change(uint32_t sock, uint32_t seen, uint64_t deadline_ns)
{
	return wait_until(sock, has_changed, seen, deadline_ns);
}
