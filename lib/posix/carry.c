/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets in messages (SCM_RIGHTS, unix(7)).
 *
 * The kernel does not know our sockets, so what it carries in place of one is a connection to the
 * host with a slot of its own, like that of a child before a fork: a process without threads that
 * holds the socket.  The receiver asks on that connection for the number of the slot, takes the
 * socket over, and closes the connection.  If a message is never read, the kernel discards it with
 * its descriptors; the host sees the connection end, as with any process, and the socket is closed
 * unless another process has it: just as with a kernel socket.
 */
#include "posix/carry.h"
#include "posix/client.h"
#include "posix/sock.h"
#include "posix/user.h"

#include <stdlib.h>
#include <string.h>

#include "chan/control.h"

#define MOST_FDS 253 /* SCM_MAX_FD of Linux */

/* ---- sending ---------------------------------------------------------------------------------- */

/* Returns a connection that stands for the socket, or a negative errno. */
static int make_carrier(uint32_t sock)
{
	int fd = -1;
	/* a stack that the program drives itself ends with it, and is no other process's */
	const bool none = client_is_down() || client.driver != NULL;
	int64_t slot = none ? -ENETDOWN : control_fork(&fd);

	if (slot < 0)
		return slot == -EAGAIN ? -ETOOMANYREFS : (int)slot;
	hold_socket(sock, (uint32_t)slot);
	return fd;
}

/* The descriptors in a control message. One that claims to be longer than its buffer, which the
 * kernel refuses, has none. */
static int *fds_of(const struct msghdr *m, struct cmsghdr *c, size_t *n)
{
	const char *end = (const char *)m->msg_control + m->msg_controllen;

	*n = 0;
	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len < CMSG_LEN(0) || c->cmsg_len > (size_t)(end - (const char *)c))
		return NULL;
	*n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	return (int *)CMSG_DATA(c);
}

/* Replaces our sockets by connections, recorded in carrier. Returns how many, or a negative
 * errno. */
static int replace_all(struct msghdr *m, int *carrier)
{
	int count = 0;
	size_t n;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		int *fd = fds_of(m, c, &n);

		for (size_t i = 0; i < n && count < MOST_FDS; i++) {
			struct file *f = file_socket(fd[i]);
			int rc;

			if (f == NULL)
				continue;
			rc = make_carrier(f->sock);
			file_put(f);
			if (rc < 0) {
				while (count > 0)
					(void)sys_close(carrier[--count]);
				return rc;
			}
			carrier[count++] = fd[i] = rc;
		}
	}
	return count;
}

bool carry_any(const struct msghdr *m)
{
	struct msghdr copy = *m;
	size_t n;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c != NULL; c = CMSG_NXTHDR(&copy, c)) {
		const int *fd = fds_of(&copy, c, &n);

		for (size_t i = 0; i < n; i++) {
			struct file *f = file_socket(fd[i]);

			if (f == NULL)
				continue;
			file_put(f);
			return true;
		}
	}
	return false;
}

ssize_t carry_send(int fd, const struct msghdr *m, int flags)
{
	struct msghdr copy = *m;
	int carrier[MOST_FDS], count, error;
	ssize_t rc;

	copy.msg_control = malloc(m->msg_controllen);
	if (copy.msg_control == NULL)
		return fail(-ENOMEM);
	memcpy(copy.msg_control, m->msg_control, m->msg_controllen);
	count = replace_all(&copy, carrier);
	if (count < 0) {
		rc = fail(count);
	} else {
		rc = sys(sendmsg, fd, &copy, flags);
	}
	error = errno;
	while (count > 0)
		(void)sys_close(carrier[--count]);
	fd_spare_keep();
	errno = error;
	free(copy.msg_control);
	return rc;
}

bool carry_any_of(const struct mmsghdr *m, unsigned n)
{
	if (n == 0 || !user_may_be(m, n * sizeof(*m)))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (m[i].msg_hdr.msg_controllen > 0 && carry_any(&m[i].msg_hdr))
			return true;
	return false;
}

int carry_send_some(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned done = 0;

	for (ssize_t rc; done < n; done++) {
		rc = pcx_sendmsg(fd, &m[done].msg_hdr, flags);
		if (rc < 0)
			break;
		m[done].msg_len = (unsigned)rc;
	}
	return done > 0 ? (int)done : -1;
}

/* ---- receiving -------------------------------------------------------------------------------- */

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return sys(getsockopt, fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

static pid_t other_end(int fd)
{
	struct ucred who = {.pid = -1};
	socklen_t len = sizeof(who);

	return sys(getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.pid : -1;
}

static bool may_be_carrier(int fd)
{
	return option(fd, SO_TYPE) == SOCK_SEQPACKET && option(fd, SO_DOMAIN) == AF_UNIX;
}

/* Returns the socket that a slot holds, or CHAN_NONE. */
static uint32_t socket_of(uint32_t slot)
{
	uint32_t found = CHAN_NONE;

	for (uint32_t i = 0; i < client.chan->nb_socks; i++) {
		const struct chan_sock *s = chan_sock(client.chan, i);

		if (!(at_load(&s->holders[slot / 64]) >> (slot % 64) & 1))
			continue;
		if (found == CHAN_NONE || sock_parts(s) > 0) /* a listener, not one of its parts */
			found = i;
	}
	return found;
}

/* Returns the file that this process already has for a socket, with a reference, or NULL. */
static struct file *file_of(uint32_t sock)
{
	struct file *found = NULL;

	section_begin(SECTION_FILES);
	for (uint32_t fd = 0; fd < client.end_fds && found == NULL; fd++) {
		struct file *f = client.fds[fd];

		if (f != NULL && f->kind == PCX_SOCKET && f->sock == sock)
			found = f;
	}
	if (found != NULL)
		at_add(&found->refs, 1);
	section_end(SECTION_FILES);
	return found;
}

static struct file *take_socket(int carrier)
{
	const struct control_request r = {.op = CONTROL_HELLO};
	struct control_answer a;
	struct file *f;
	uint32_t sock;
	int memfd = -1;

	if (control_send(carrier, &r, sizeof(r), -1) != 0 ||
	    control_recv(carrier, &a, sizeof(a), &memfd) != 0)
		return NULL;
	if (memfd >= 0)
		(void)sys_close(memfd);
	if (a.error != 0 || a.value == 0 || a.value >= CHAN_PROCS)
		return NULL;
	sock = socket_of(a.value);
	f = sock != CHAN_NONE ? file_of(sock) : NULL;
	if (f != NULL || sock == CHAN_NONE)
		return f;
	f = file_new(PCX_SOCKET);
	if (f != NULL) {
		f->sock = sock;
		hold_socket(sock, client.proc);
	}
	return f;
}

/* Turns a received connection into the socket that it stands for, under the same number. */
static void take_one(int fd)
{
	const int flags = sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC ? O_CLOEXEC : 0;
	struct file *f;
	int carrier;

	if (!may_be_carrier(fd) || other_end(fd) != other_end(client.control))
		return;
	f = (uint32_t)fd < client.max_fds ? take_socket(fd) : NULL;
	if (f == NULL)
		return;
	carrier = sys_fcntl(fd, F_DUPFD_CLOEXEC, FD_HIDDEN);
	(void)sys(dup3, client.placeholder, fd, flags);
	fd_install(fd, f);
	file_put(f);
	if (carrier >= 0)
		(void)sys_close(carrier);
}

bool carry_came(struct msghdr *m)
{
	size_t n;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		const int *fd = fds_of(m, c, &n);

		for (size_t i = 0; i < n; i++)
			if (may_be_carrier(fd[i]))
				return true;
	}
	return false;
}

void carry_take(struct msghdr *m)
{
	int error = errno;
	size_t n;

	if (client.driver != NULL || client_is_down())
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		const int *fd = fds_of(m, c, &n);

		for (size_t i = 0; i < n; i++)
			take_one(fd[i]);
	}
	errno = error;
}
