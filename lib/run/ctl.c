/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a thread of its own, on none of the lcores that carry data, serves one command after
 * another, and a capture between them, on a UNIX packet socket.  A packet is a command; the answer
 * is "ok", a newline and the result, or "error", a blank and the reason.  A change is posted to the
 * first stack, and when that has made it, to the others (what one refuses, all would refuse).
 *
 * Access: anyone who can open the socket, which is only its owner (mode 0600).
 *
 * Ownership: lcores write lists into memory of the thread, which outlives all stacks and is not
 * reused while an lcore may still write to it.
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

#include "ctl_capture.h"
#include "ctl_conn.h"
#include "ctrl_thread.h"
#include "firewall.h"
#include "serve/host.h"
#include "worker.h"

#define LOOK_FIRST_US 20
#define CAPTURE_MS    1   /* between turns of a capture */
#define LEFT_MS       100 /* between checks of one that has ended */
#define LOOK_AGAIN_US 500
#define PATIENCE_US   2000000
#define LACK_US       10000 /* sleep while descriptors run short */

struct ctl {
	struct run *run;
	int listen_fd, wake_fd;
	bool ends; /* atomic */
	pthread_t thread;
	char path[108];
	struct ctl_view *view;
	struct ctl_capture *capture; /* NULL: none */
	struct ctl_capture *left;    /* one that has ended, but that an lcore has not closed yet */
};

int ctl_wait(const bool *ends, const struct worker *w, uint64_t ticket)
{
	unsigned step = LOOK_FIRST_US;
	int rc;

	if (ticket == 0)
		return -errno;
	for (unsigned us = 0; us < PATIENCE_US; us += step) {
		if (pc_stack_posted(w->st, ticket, &rc))
			return rc;
		if (__atomic_load_n(ends, __ATOMIC_ACQUIRE))
			break;
		usleep(step);
		step = RTE_MIN(2 * step, (unsigned)LOOK_AGAIN_US);
	}
	return -ETIMEDOUT;
}

bool ctl_call_is_made(struct ctl_call *c)
{
	int rc;

	if (c->asked != NULL && pc_stack_posted(c->asked->st, c->ticket, &rc))
		c->asked = NULL;
	return c->asked == NULL;
}

int ctl_call(struct ctl_call *c, const bool *ends, const struct worker *w,
             int (*call)(struct pc_stack *st, const void *data), void *arg)
{
	int rc;

	if (!ctl_call_is_made(c))
		return -EBUSY;
	c->ticket = pc_stack_post(w->st, call, &arg, sizeof(arg));
	c->asked = c->ticket != 0 ? w : NULL;
	rc = ctl_wait(ends, w, c->ticket);
	if (rc != -ETIMEDOUT)
		c->asked = NULL;
	return rc;
}

/* What a stack has nothing against but the values of a change. */
static const char *wrong_value(const struct pc_change *what)
{
	switch ((enum pc_change_kind)what->kind) {
	case PC_CHANGE_ADD_ROUTE:
	case PC_CHANGE_REPLACE_ROUTE:
		return "not a route: the MTU is at least 552 for IPv4 and 1280 for IPv6, and the "
		       "weight at most 256";
	case PC_CHANGE_ADD_ADDR:
		return "not the address of a host in its network";
	case PC_CHANGE_SET_MTU:
		return "the MTU is at least 576 (0: the port's)";
	case PC_CHANGE_SET_NEIGH:
		return "not the address of another host, or not the MAC address of one";
	default:
		return strerror(EINVAL);
	}
}

/* What the error of a stack means for a change. */
static const char *reason(const struct pc_change *what, int error)
{
	switch (error) {
	case EINVAL:
		return wrong_value(what);
	case ESRCH:
		return "no such route";
	case EADDRNOTAVAIL:
		return "no such address on this port";
	case ENOENT:
		return "no such entry";
	case EEXIST:
		return "already exists";
	case EBUSY:
		return "a port's link-local address cannot be removed";
	case ENOSPC:
		return "there is no room for more";
	case ENETUNREACH:
		return "the gateway is not on the network of any address";
	default:
		return strerror(error);
	}
}

static void change(const struct ctl *c, const struct pc_change *what, FILE *f)
{
	const struct run *r = c->run;

	for (unsigned i = 0; i < r->nb_workers; i++) {
		const struct worker *w = r->workers[i];
		const int rc = ctl_wait(&c->ends, w, pc_stack_post_change(w->st, what));

		if (rc == 0)
			continue;
		fprintf(f, "error %s", reason(what, -rc));
		if (i > 0)
			fprintf(f, " (on lcore %u; the lcores before it have changed)", w->lcore);
		fputc('\n', f);
		return;
	}
	fputs("ok\n", f);
}

/* ---- captures -------------------------------------------------------------------------------- */

/* Frees it once all lcores have closed it. */
static void end_left(struct ctl *c)
{
	if (!ctl_capture_end(c->left))
		return;
	ctl_capture_free(c->left);
	c->left = NULL;
}

static void end_capture(struct ctl *c)
{
	c->left = c->capture;
	c->capture = NULL;
	end_left(c);
}

/* Starts a capture for the client of *conn, which the capture then owns. */
static void start_capture(struct ctl *c, const struct ctl_capture_args *args, int *conn, FILE *f)
{
	char why[256] = "out of memory";

	if (c->left != NULL)
		end_left(c);
	if (c->capture != NULL || c->left != NULL) {
		fputs("error another capture is running\n", f);
		return;
	}
	c->capture = ctl_capture_create(c->run, &c->ends, args);
	if (c->capture != NULL && ctl_capture_start(c->capture, *conn, why, sizeof(why)) == 0) {
		*conn = -1;
		return;
	}
	fprintf(f, "error %s\n", why);
	if (c->capture != NULL)
		end_capture(c);
}

/* ---- the firewall ---------------------------------------------------------------------------- */

/* file: passed with the command, or -1 */
static void change_firewall(const struct ctl *c, const struct ctl_command *command, int file,
                            FILE *f)
{
	char why[512] = "no file was passed with the command";
	int rc = -1;

	if (command->verb == CTL_FLUSH_FIREWALL)
		rc = firewall_flush(c->run, &c->ends, why, sizeof(why));
	else if (file >= 0 && command->verb == CTL_CHECK_FIREWALL)
		rc = firewall_check_fd(c->run, command->name, file, why, sizeof(why));
	else if (file >= 0)
		rc = firewall_load_fd(c->run, command->name, file, &c->ends, why, sizeof(why));
	if (rc == 0)
		fputs("ok\n", f);
	else
		fprintf(f, "error %s\n", why);
}

/* file: as in change_firewall */
static void change_table(const struct ctl *c, const struct ctl_command *command, int file, FILE *f)
{
	static const char *const said[] = {"added", "deleted", "in it"};
	struct pc_firewall_change what = {
	    .table = command->table, .verb = command->table_verb, .name = command->name};
	char why[512] = "no file was passed with the command";
	unsigned changed;

	if (file >= 0 && firewall_change_table_fd(c->run, &what, command->for_s, file, &c->ends,
	                                          &changed, why, sizeof(why)) == 0)
		fprintf(f, "ok\n%u %s\n", changed, said[command->table_verb]);
	else
		fprintf(f, "error %s\n", why);
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Says whether the port that a command names exists, if it names one. */
static bool has_port(const struct run *r, const struct ctl_command *command)
{
	const int32_t port = command->verb == CTL_CHANGE    ? command->change.port
	                     : command->verb == CTL_CAPTURE ? command->capture.port
	                                                    : -1;

	return port < (int32_t)(r->nb_ports + r->nb_vlans);
}

static void serve(struct ctl *c, const char *text, int file, int *conn, FILE *f)
{
	struct ctl_command command;
	char why[256];

	if (ctl_parse(text, &command, why, sizeof(why)) != 0) {
		fprintf(f, "error %s\n", why);
		return;
	}
	if (!has_port(c->run, &command)) {
		fprintf(f, "error there is no such port; the last one is port %u\n",
		        c->run->nb_ports + c->run->nb_vlans - 1);
		return;
	}
	if (command.verb == CTL_CHANGE)
		change(c, &command.change, f);
	else if (command.verb == CTL_CAPTURE)
		start_capture(c, &command.capture, conn, f);
	else if (command.verb == CTL_LOAD_FIREWALL || command.verb == CTL_CHECK_FIREWALL ||
	         command.verb == CTL_FLUSH_FIREWALL)
		change_firewall(c, &command, file, f);
	else if (command.verb == CTL_CHANGE_TABLE)
		change_table(c, &command, file, f);
	else
		ctl_view_show(c->view, &command, f);
}

static void serve_connection(struct ctl *c, int conn)
{
	const struct timeval patience = {.tv_sec = CTL_PATIENCE_MS / 1000};
	struct ctl_answer answer = {
	    .conn = conn, .wake_fd = c->wake_fd, .left_ms = CTL_PATIENCE_MS};
	char command[CTL_COMMAND_MAX];
	ssize_t got;
	int file;
	FILE *f;

	/* for what a capture sends at its end */
	(void)setsockopt(conn, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	got = ctl_receive(conn, command, sizeof(command) - 1, &file);
	f = got > 0 ? ctl_answer_open(&answer) : NULL;
	if (f != NULL) {
		command[got] = '\0';
		serve(c, command, file, &answer.conn, f);
		(void)fclose(f);
	}
	if (file >= 0)
		(void)close(file);
	if (answer.conn >= 0)
		(void)close(answer.conn);
}

static int min_ms(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Continues captures. Returns the milliseconds until the next turn; -1: none is needed. */
static int turn_captures(struct ctl *c)
{
	if (c->capture != NULL && !ctl_capture_turn(c->capture))
		end_capture(c);
	if (c->left != NULL)
		end_left(c);
	return c->capture != NULL ? CAPTURE_MS : c->left != NULL ? LEFT_MS : -1;
}

static void *control(void *arg)
{
	struct ctl *c = arg;
	struct pollfd fds[2 + CTL_GUESTS] = {{.fd = c->wake_fd, .events = POLLIN},
	                                     {.fd = c->listen_fd, .events = POLLIN}};
	struct ctl_guests guests = {0};

	while (!__atomic_load_n(&c->ends, __ATOMIC_ACQUIRE)) {
		const int silent_ms = ctl_guests_expire(&guests, ctl_now_ms());
		const unsigned n = ctl_guests_watch(&guests, fds + 2);
		int conn;

		if (poll(fds, 2 + n, min_ms(turn_captures(c), silent_ms)) <= 0)
			continue;
		while ((conn = ctl_guests_take(&guests, fds + 2, n)) >= 0)
			serve_connection(c, conn);
		conn = (fds[1].revents & POLLIN) != 0
		           ? accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC)
		           : -1;
		if (conn >= 0)
			ctl_guests_add(&guests, conn, ctl_now_ms());
		else if ((fds[1].revents & POLLIN) != 0)
			/* the connection stays pending, and poll() would return at once */
			usleep(LACK_US);
	}
	if (c->capture != NULL)
		end_capture(c);
	ctl_guests_close(&guests);
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
		c->path[0] = '\0'; /* not ours: do not remove it */
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
	c = calloc(1, sizeof(*c));
	if (c != NULL)
		c->view = ctl_view_create(r, &c->ends);
	if (c == NULL || c->view == NULL) {
		free(c);
		return settings_fail(r->s, "run.control: out of memory");
	}
	r->ctl = c;
	c->run = r;
	c->listen_fd = -1;
	snprintf(c->path, sizeof(c->path), "%s", r->s->control);
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = open_socket(c);
	if (rc == 0 && ctrl_thread_start(&c->thread, "pc-ctl", control, c) == 0)
		return 0;
	free_ctl(r);
	ctl_free(r);
	return settings_fail(r->s, "run.control: %s: %s", r->s->control,
	                     rc == -EADDRINUSE ? "another process is listening there"
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
	if (r->ctl != NULL) {
		ctl_view_free(r->ctl->view);
		ctl_capture_free(r->ctl->left);
	}
	free(r->ctl);
	r->ctl = NULL;
}
