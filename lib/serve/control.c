/* SPDX-License-Identifier: BSD-2-Clause */
/* The control thread: attaches processes and hears of their end. */
#include "serve/host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "chan/control.h"

#define REAP_MS 2

static void wake(struct pc_host *h)
{
	const uint64_t one = 1;

	(void)!write(h->wake_fd, &one, sizeof(one));
}

static void answer(int conn, int error, uint32_t value, int fd)
{
	const struct control_answer a = {.error = error, .value = value};

	(void)control_send(conn, &a, sizeof(a), fd);
}

/* ---- requests --------------------------------------------------------------------------------- */

/* a connection for a child that the process is about to fork, with a slot of its own */
static void serve_fork(struct pc_host *h, uint32_t proc)
{
	int pair[2], slot;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		answer(h->conn[proc], errno, 0, -1);
		return;
	}
	slot = host_attach(h, pair[0], 0);
	answer(h->conn[proc], slot < 0 ? -slot : 0, (uint32_t)slot, slot < 0 ? -1 : pair[1]);
	(void)close(pair[1]);
	if (slot < 0)
		(void)close(pair[0]);
}

static void serve_queue(struct pc_host *h, uint32_t proc)
{
	int queue = host_queue(h, proc);

	if (queue < 0)
		answer(h->conn[proc], -queue, 0, -1);
	else
		answer(h->conn[proc], 0, (uint32_t)queue, h->event_fd[queue]);
}

static void serve_request(struct pc_host *h, uint32_t proc)
{
	struct control_request r;
	int rc = control_recv(h->conn[proc], &r, sizeof(r), NULL);

	if (rc != 0) {
		host_leave(h, proc);
		return;
	}
	switch (r.op) {
	case CONTROL_HELLO:
		answer(h->conn[proc], 0, proc, h->memfd);
		break;
	case CONTROL_FORK:
		serve_fork(h, proc);
		break;
	case CONTROL_QUEUE:
		serve_queue(h, proc);
		break;
	case CONTROL_QUEUE_FREE:
		host_queue_free(h, proc, r.arg);
		break;
	default:
		answer(h->conn[proc], EINVAL, 0, -1);
	}
}

/* ---- connections ------------------------------------------------------------------------------ */

static void take_connection(struct pc_host *h, int conn)
{
	struct ucred who = {0};
	socklen_t len = sizeof(who);
	int slot;

	if (conn < 0)
		return;
	(void)getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &who, &len);
	slot = host_attach(h, conn, who.pid);
	if (slot < 0) {
		answer(conn, -slot, 0, -1);
		(void)close(conn);
	}
}

/* one handed over by pc_host_connect */
static void take_own(struct pc_host *h)
{
	uint32_t nothing;
	int conn;

	if (control_recv(h->pair[0], &nothing, sizeof(nothing), &conn) == 0)
		take_connection(h, conn);
}

struct waits {
	struct pollfd fd[CHAN_PROCS + 3];
	uint32_t proc[CHAN_PROCS + 3];
	nfds_t n;
};

static void wait_for(struct waits *w, int fd, uint32_t proc)
{
	if (fd < 0)
		return;
	w->proc[w->n] = proc;
	w->fd[w->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void serve_ready(struct pc_host *h, const struct pollfd *p, uint32_t proc)
{
	uint64_t n;

	if (p->revents == 0)
		return;
	if (proc != 0)
		serve_request(h, proc);
	else if (p->fd == h->wake_fd)
		(void)!read(p->fd, &n, sizeof(n));
	else if (p->fd == h->pair[0])
		take_own(h);
	else
		take_connection(h, accept4(p->fd, NULL, NULL, SOCK_CLOEXEC));
}

static void *control(void *arg)
{
	struct pc_host *h = arg;
	struct waits w;

	while (!at_load(&h->ends)) {
		unsigned dying = host_reap(h);

		w.n = 0;
		wait_for(&w, h->wake_fd, 0);
		wait_for(&w, h->pair[0], 0);
		wait_for(&w, at_load(&h->listen_fd), 0);
		for (uint32_t p = 1; p < CHAN_PROCS; p++)
			wait_for(&w, h->conn[p], p);
		if (poll(w.fd, w.n, dying > 0 ? REAP_MS : -1) <= 0)
			continue;
		for (nfds_t i = 0; i < w.n; i++)
			serve_ready(h, &w.fd[i], w.proc[i]);
	}
	return NULL;
}

int control_start(struct pc_host *h)
{
	sigset_t all, old;
	int rc;

	h->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->wake_fd < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->pair) != 0) {
		rc = -errno;
		(void)close(h->wake_fd);
		return rc;
	}
	/* signals are for the program's threads */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = -pthread_create(&h->thread, NULL, control, h);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		(void)close(h->wake_fd);
		(void)close(h->pair[0]);
		(void)close(h->pair[1]);
	}
	return rc;
}

void control_stop(struct pc_host *h)
{
	at_store(&h->ends, true);
	wake(h);
	(void)pthread_join(h->thread, NULL);
	for (uint32_t p = 1; p < CHAN_PROCS; p++)
		if (h->conn[p] >= 0)
			(void)close(h->conn[p]);
	(void)close(h->wake_fd);
	(void)close(h->pair[0]);
	(void)close(h->pair[1]);
	if (h->listen_fd >= 0)
		(void)close(h->listen_fd);
	if (h->path[0] != '\0')
		(void)unlink(h->path);
}

/* ---- how one gets a connection ---------------------------------------------------------------- */

int pc_host_connect(struct pc_host *h)
{
	const uint32_t nothing = 0;
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	rc = control_send(h->pair[1], &nothing, sizeof(nothing), pair[0]);
	(void)close(pair[0]);
	if (rc == 0)
		return pair[1];
	(void)close(pair[1]);
	errno = -rc;
	return -1;
}

/* whether a socket file is left from somebody who is gone */
static bool is_stale(const struct sockaddr_un *a, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool stale =
	    fd >= 0 && connect(fd, (const struct sockaddr *)a, len) != 0 && errno == ECONNREFUSED;

	if (fd >= 0)
		(void)close(fd);
	return stale;
}

static int bind_path(int fd, const struct sockaddr_un *a, socklen_t len)
{
	if (bind(fd, (const struct sockaddr *)a, len) == 0)
		return 0;
	if (errno != EADDRINUSE || a->sun_path[0] == '\0')
		return -errno;
	if (!is_stale(a, len))
		return -EADDRINUSE;
	(void)unlink(a->sun_path);
	return bind(fd, (const struct sockaddr *)a, len) == 0 ? 0 : -errno;
}

int pc_host_listen(struct pc_host *h, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd, rc;

	if (strlen(path) == 0 || strlen(path) >= sizeof(a.sun_path) || h->listen_fd >= 0) {
		errno = h->listen_fd >= 0 ? EISCONN : EINVAL;
		return -1;
	}
	strcpy(a.sun_path, path);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	else
		len++;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	rc = bind_path(fd, &a, len);
	if (rc == 0 && path[0] != '@')
		(void)chmod(path, S_IRUSR | S_IWUSR);
	if (rc == 0 && listen(fd, CHAN_PROCS) != 0)
		rc = -errno;
	if (rc != 0) {
		(void)close(fd);
		errno = -rc;
		return -1;
	}
	if (path[0] != '@')
		strcpy(h->path, path);
	at_store(&h->listen_fd, fd);
	wake(h);
	return 0;
}
