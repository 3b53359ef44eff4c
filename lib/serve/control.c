/* SPDX-License-Identifier: BSD-2-Clause */
/* The control thread: attaches processes and detects when they end. */
#include "serve/host.h"

#include <percore/run.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chan/control.h"

#define REAP_MS  2
#define RETRY_MS 100
#define BURIALS  50 /* rounds of REAP_MS that new connections wait at most: 0.1 s */

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

/* ---- requests -------------------------------------------------------------------------------- */

/* makes a connection, with a slot of its own, for a child that the process is about to fork */
static void serve_fork(struct pc_host *h, uint32_t proc)
{
	int pair[2], slot;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		answer(h->conn[proc], errno, 0, -1);
		return;
	}
	slot = host_attach(h, pair[0]);
	answer(h->conn[proc], slot < 0 ? -slot : 0, (uint32_t)slot, slot < 0 ? -1 : pair[1]);
	(void)close(pair[1]);
	if (slot < 0)
		(void)close(pair[0]);
}

static void serve_queue(struct pc_host *h, uint32_t proc)
{
	int fd = -1, queue = host_queue(h, proc, &fd);

	if (queue < 0) {
		answer(h->conn[proc], -queue, 0, -1);
		return;
	}
	answer(h->conn[proc], 0, (uint32_t)queue, fd);
	(void)close(fd);
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

/* ---- connections ----------------------------------------------------------------------------- */

/* Closing with the hello unread would reset the connection, and the answer would be lost. */
static void refuse(int conn, int error)
{
	struct control_request r;

	answer(conn, error, 0, -1);
	(void)shutdown(conn, SHUT_RD);
	(void)!recv(conn, &r, sizeof(r), MSG_DONTWAIT);
	(void)close(conn);
}

static void take_connection(struct pc_host *h, int conn)
{
	const int slot = host_attach(h, conn);

	if (slot < 0)
		refuse(conn, -slot);
}

/* A socket file's mode says who may connect; an abstract name has none, so check the user. */
static bool is_welcome(const struct pc_host *h, int conn)
{
	struct ucred who = {0};
	socklen_t len = sizeof(who);

	return !h->abstract || (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	                        (who.uid == 0 || who.uid == geteuid()));
}

/* takes a connection handed over by pc_host_connect */
static void take_own(struct pc_host *h)
{
	uint32_t nothing;
	int conn;

	if (control_recv(h->pair[0], &nothing, sizeof(nothing), &conn) == 0 && conn >= 0)
		take_connection(h, conn);
}

struct waits {
	struct pollfd fd[CHAN_PROCS + 3];
	uint32_t proc[CHAN_PROCS + 3];
	nfds_t n;
	bool no_accept; /* the last accept failed with the connection still pending: retry later */
};

static void wait_for(struct waits *w, int fd, uint32_t proc)
{
	if (fd < 0)
		return;
	w->proc[w->n] = proc;
	w->fd[w->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void accept_process(struct pc_host *h, struct waits *w, int listen_fd)
{
	int conn = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	w->no_accept = conn < 0 && errno != EINTR && errno != ECONNABORTED;
	if (conn >= 0 && is_welcome(h, conn))
		take_connection(h, conn);
	else if (conn >= 0)
		refuse(conn, EACCES);
}

/* Returns whether it is the listening socket, which is left until all others are served. */
static bool serve_ready(struct pc_host *h, const struct pollfd *p, uint32_t proc)
{
	uint64_t n;

	if (p->revents == 0)
		return false;
	if (proc != 0)
		serve_request(h, proc);
	else if (p->fd == h->wake_fd)
		(void)!read(p->fd, &n, sizeof(n));
	else if (p->fd == h->pair[0])
		take_own(h);
	else
		return true;
	return false;
}

/*
 * A process that starts after another has ended must find the other's sockets closed, as with a
 * kernel: its connection arrives after the other's hang-up, and waits until the lcores have buried
 * the other process.  The wait is bounded (BURIALS), since an lcore may be stuck.
 */
static bool is_burying(const struct pc_host *h)
{
	for (uint32_t p = 1; p < CHAN_PROCS; p++)
		if (h->slot[p] == CHAN_PROC_DYING)
			return true;
	return false;
}

/* Waits for requests and serves them. Returns the listening socket if connections are pending
 * there, to be accepted when all others are served; else -1. */
static int serve_some(struct pc_host *h, struct waits *w, int patience, bool opened)
{
	int newcomers = -1;

	w->n = 0;
	wait_for(w, h->wake_fd, 0);
	wait_for(w, h->pair[0], 0);
	wait_for(w, opened && !w->no_accept ? at_load(&h->listen_fd) : -1, 0);
	w->no_accept = false;
	for (uint32_t p = 1; p < CHAN_PROCS; p++)
		wait_for(w, h->conn[p], p);
	if (poll(w->fd, w->n, patience) <= 0)
		return -1;
	for (nfds_t i = 0; i < w->n; i++)
		if (serve_ready(h, &w->fd[i], w->proc[i]))
			newcomers = w->fd[i].fd;
	return newcomers;
}

static void *control(void *arg)
{
	struct pc_host *h = arg;
	struct waits w = {.n = 0};
	unsigned looks = 0;

	while (!at_load(&h->ends)) {
		const bool buries = host_reap(h) > 0;
		const int patience = buries ? REAP_MS : w.no_accept ? RETRY_MS : -1;
		int newcomers;

		looks = buries ? looks + 1 : 0;
		newcomers = serve_some(h, &w, patience, !buries || looks >= BURIALS);
		if (newcomers >= 0 && (looks >= BURIALS || !is_burying(h)))
			accept_process(h, &w, newcomers);
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
	sigdelset(&all, PC_RUN_SIGNAL); /* makes it drop privileges */
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
}

/* ---- making connections ---------------------------------------------------------------------- */

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

/* whether a socket file was left by a process that is gone */
static bool is_stale(const struct sockaddr_un *a, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool stale =
	    fd >= 0 && connect(fd, (const struct sockaddr *)a, len) != 0 && errno == ECONNREFUSED;

	if (fd >= 0)
		(void)close(fd);
	return stale;
}

/* for any other file connect() fails as it does for a stale socket file */
static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int control_bind(int fd, const struct sockaddr_un *a, socklen_t len)
{
	if (bind(fd, (const struct sockaddr *)a, len) == 0)
		return 0;
	if (errno != EADDRINUSE || a->sun_path[0] == '\0')
		return -errno;
	if (!is_socket(a->sun_path))
		return -EEXIST;
	if (!is_stale(a, len))
		return -EADDRINUSE;
	(void)unlink(a->sun_path);
	return bind(fd, (const struct sockaddr *)a, len) == 0 ? 0 : -errno;
}

int pc_host_listen(struct pc_host *h, const char *path)
{
	struct sockaddr_un a;
	const socklen_t len = control_address(path, &a);
	int fd, rc;

	if (len == 0 || h->listen_fd >= 0) {
		errno = h->listen_fd >= 0 ? EISCONN : EINVAL;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	rc = control_bind(fd, &a, len);
	if (rc == 0 && path[0] != '@')
		(void)chmod(path, S_IRUSR | S_IWUSR);
	if (rc == 0 && listen(fd, CHAN_PROCS) != 0)
		rc = -errno;
	if (rc != 0) {
		(void)close(fd);
		errno = -rc;
		return -1;
	}
	h->abstract = path[0] == '@';
	if (!h->abstract)
		strcpy(h->path, path);
	at_store(&h->listen_fd, fd);
	wake(h);
	return 0;
}
