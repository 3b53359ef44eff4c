/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a thread of its own, on none of the lcores that carry data, serves one connection after the other at a UNIX
 * socket of packets: one is a command, and what comes back is "ok", a line end and what was asked for, or
 * "error", a blank and why.  A change is posted to the first stack; when that has made it, to the others (what
 * one refuses the others would refuse, too).
 *
 * Who may: whoever can open the socket, which is its owner only (mode 0600).
 *
 * Ownership: lists are written by an lcore into memory of the thread, which is there until all stacks are gone and is
 * not used again while an lcore may still write.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "serve/host.h"
#include "worker.h"

#define CTL_LIST      4096 /* routes that are shown */
#define CTL_TEXT      1024
#define LOOK_AGAIN_US 500
#define PATIENCE_US   2000000
#define PATIENCE_S    5

struct ctl {
	struct run *run;
	int listen_fd, wake_fd;
	bool ends; /* atomic */
	pthread_t thread;
	char path[108];
	uint64_t asked; /* the ticket of a list that an lcore may still be writing; 0: none */
	unsigned n;     /* of the list */
	struct pc_stack_usage usage;
	struct pc_stack_addr addr[PC_MAX_ADDRS];
	struct pc_route_info route[CTL_LIST];
};

/* ---- on the lcores --------------------------------------------------------------------------- */

static int list_routes(struct pc_stack *st, const void *data)
{
	struct ctl *c = *(struct ctl *const *)data;

	c->n = pc_route_list(st, c->route, CTL_LIST);
	return 0;
}

static int list_addrs(struct pc_stack *st, const void *data)
{
	struct ctl *c = *(struct ctl *const *)data;

	c->n = pc_stack_get_addrs(st, c->addr, PC_MAX_ADDRS);
	return 0;
}

static int tell_usage(struct pc_stack *st, const void *data)
{
	struct ctl *c = *(struct ctl *const *)data;

	pc_stack_get_usage(st, &c->usage);
	return 0;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Waits until a stack has made a call. Returns what that returned, or -ETIMEDOUT. */
static int wait_for(const struct ctl *c, const struct worker *w, uint64_t ticket)
{
	int rc;

	if (ticket == 0)
		return -errno;
	for (unsigned us = 0; us < PATIENCE_US; us += LOOK_AGAIN_US) {
		if (pc_stack_posted(w->st, ticket, &rc))
			return rc;
		if (__atomic_load_n(&c->ends, __ATOMIC_ACQUIRE))
			break;
		usleep(LOOK_AGAIN_US);
	}
	return -ETIMEDOUT;
}

static void change(const struct ctl *c, const struct pc_change *what, FILE *f)
{
	const struct run *r = c->run;

	for (unsigned i = 0; i < r->nb_workers; i++) {
		const struct worker *w = r->workers[i];
		const int rc = wait_for(c, w, pc_stack_post_change(w->st, what));

		if (rc == 0)
			continue;
		fprintf(f, "error lcore %u: %s%s\n", w->lcore, strerror(-rc),
		        i > 0 ? " (those before it have changed)" : "");
		return;
	}
	fputs("ok\n", f);
}

static const struct worker *first(const struct ctl *c)
{
	return c->run->workers[0];
}

/* Has the first stack fill in a list. */
static bool ask(struct ctl *c, int (*call)(struct pc_stack *st, const void *data), FILE *f)
{
	int rc = 0;

	if (c->asked != 0 && !pc_stack_posted(first(c)->st, c->asked, &rc)) {
		fputs("error an earlier list is still being made\n", f);
		return false;
	}
	c->asked = pc_stack_post(first(c)->st, call, &c, sizeof(c));
	rc = wait_for(c, first(c), c->asked);
	if (rc != 0) {
		fprintf(f, "error %s\n", strerror(-rc));
		return false;
	}
	c->asked = 0;
	fputs("ok\n", f);
	return true;
}

static void print_usage(const struct pc_stack_usage *u, FILE *f)
{
	fprintf(f,
	        "connections %" PRIu32 " of %" PRIu32 "\nhalf-open %" PRIu32 " of %" PRIu32
	        "\ntime-wait %" PRIu32 " of %" PRIu32 "\nneighbours %" PRIu32 " of %" PRIu32
	        "\nudp-sockets %" PRIu32 " of %" PRIu32 "\n",
	        u->connections, u->connections_max, u->half_open, u->half_open_max, u->time_wait,
	        u->time_wait_max, u->neighbours, u->neighbours_max, u->udp_sockets,
	        u->udp_sockets_max);
}

static void serve(struct ctl *c, const char *text, FILE *f)
{
	struct ctl_command command;
	char why[256];

	if (ctl_parse(text, &command, why, sizeof(why)) != 0) {
		fprintf(f, "error %s\n", why);
		return;
	}
	switch (command.verb) {
	case CTL_CHANGE:
		change(c, &command.change, f);
		break;
	case CTL_SHOW_ROUTES:
		if (!ask(c, list_routes, f))
			break;
		ctl_print_routes(f, c->route, RTE_MIN(c->n, (unsigned)CTL_LIST));
		if (c->n > CTL_LIST)
			fprintf(f, "and %u more\n", c->n - CTL_LIST);
		break;
	case CTL_SHOW_ADDRS:
		if (ask(c, list_addrs, f))
			ctl_print_addrs(f, c->addr, c->n);
		break;
	case CTL_SHOW_USAGE:
		if (ask(c, tell_usage, f))
			print_usage(&c->usage, f);
		break;
	}
}

/* Sends an answer in packets that any reader has room for; who does not read them loses them. */
static void answer(int conn, const char *text, size_t n)
{
	for (size_t at = 0, k; at < n; at += k) {
		k = RTE_MIN(n - at, (size_t)CTL_TEXT);
		if (send(conn, text + at, k, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void serve_connection(struct ctl *c, int conn)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	char command[CTL_TEXT], *text = NULL;
	size_t n = 0;
	ssize_t got;
	FILE *f;

	(void)setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(conn, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	got = recv(conn, command, sizeof(command) - 1, 0);
	f = got > 0 ? open_memstream(&text, &n) : NULL;
	if (f != NULL) {
		command[got] = '\0';
		serve(c, command, f);
		if (fclose(f) == 0)
			answer(conn, text, n);
		free(text);
	}
	(void)close(conn);
}

static void *control(void *arg)
{
	struct ctl *c = arg;
	struct pollfd fds[2] = {{.fd = c->wake_fd, .events = POLLIN},
	                        {.fd = c->listen_fd, .events = POLLIN}};

	while (!__atomic_load_n(&c->ends, __ATOMIC_ACQUIRE)) {
		int conn;

		if (poll(fds, 2, -1) <= 0 || (fds[1].revents & POLLIN) == 0)
			continue;
		conn = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (conn >= 0)
			serve_connection(c, conn);
	}
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_socket(struct ctl *c)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const mode_t mask = umask(0177);
	int rc;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", c->path);
	c->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	rc = c->listen_fd < 0 ? -errno : control_bind(c->listen_fd, &a, sizeof(a));
	umask(mask);
	if (rc == 0 && listen(c->listen_fd, 8) != 0)
		rc = -errno;
	if (rc != 0)
		c->path[0] = '\0'; /* it is not ours */
	return rc;
}

static void free_ctl(struct run *r)
{
	struct ctl *c = r->ctl;

	if (c->listen_fd >= 0)
		(void)close(c->listen_fd);
	if (c->wake_fd >= 0)
		(void)close(c->wake_fd);
	if (c->path[0] != '\0')
		(void)unlink(c->path);
	c->listen_fd = c->wake_fd = -1;
	c->path[0] = '\0';
}

int ctl_start(struct run *r)
{
	struct ctl *c;
	int rc;

	if (r->s->control[0] == '\0')
		return 0;
	if (r->app->frames != NULL)
		return settings_fail(r->s, "run.control: this program has no stack");
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return settings_fail(r->s, "no memory for run.control");
	r->ctl = c;
	c->run = r;
	c->listen_fd = -1;
	snprintf(c->path, sizeof(c->path), "%s", r->s->control);
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = open_socket(c);
	if (rc == 0 && rte_ctrl_thread_create(&c->thread, "pc-ctl", NULL, control, c) == 0)
		return 0;
	free_ctl(r);
	free(c);
	r->ctl = NULL;
	return settings_fail(r->s, "run.control = %s: %s", r->s->control,
	                     rc == -EADDRINUSE ? "another process serves it"
	                                       : strerror(rc != 0 ? -rc : EAGAIN));
}

void ctl_stop(struct run *r)
{
	const uint64_t one = 1;

	if (r->ctl == NULL)
		return;
	__atomic_store_n(&r->ctl->ends, true, __ATOMIC_RELEASE);
	(void)!write(r->ctl->wake_fd, &one, sizeof(one));
	pthread_join(r->ctl->thread, NULL);
	free_ctl(r);
}

void ctl_free(struct run *r)
{
	free(r->ctl);
	r->ctl = NULL;
}
