/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl_conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#define PACKET 1024

uint64_t ctl_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- clients without a command --------------------------------------------------------------- */

static void take_out(struct ctl_guests *g, unsigned i)
{
	g->n--;
	memmove(&g->guest[i], &g->guest[i + 1], (g->n - i) * sizeof(g->guest[0]));
}

void ctl_guests_add(struct ctl_guests *g, int fd, uint64_t now_ms)
{
	if (g->n == CTL_GUESTS) {
		(void)close(g->guest[0].fd);
		take_out(g, 0);
	}
	g->guest[g->n].fd = fd;
	g->guest[g->n++].since_ms = now_ms;
}

unsigned ctl_guests_watch(const struct ctl_guests *g, struct pollfd *fds)
{
	for (unsigned i = 0; i < g->n; i++)
		fds[i] = (struct pollfd){.fd = g->guest[i].fd, .events = POLLIN};
	return g->n;
}

int ctl_guests_take(struct ctl_guests *g, struct pollfd *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const int fd = fds[i].fd;

		if (fds[i].revents == 0)
			continue;
		fds[i].revents = 0;
		for (unsigned k = 0; k < g->n; k++)
			if (g->guest[k].fd == fd) {
				take_out(g, k);
				return fd;
			}
	}
	return -1;
}

int ctl_guests_expire(struct ctl_guests *g, uint64_t now_ms)
{
	while (g->n > 0 && now_ms - g->guest[0].since_ms >= CTL_PATIENCE_MS) {
		(void)close(g->guest[0].fd);
		take_out(g, 0);
	}
	return g->n > 0 ? (int)(g->guest[0].since_ms + CTL_PATIENCE_MS - now_ms) : -1;
}

void ctl_guests_close(struct ctl_guests *g)
{
	while (g->n > 0)
		(void)close(g->guest[--g->n].fd);
}

/* ---- commands and answers -------------------------------------------------------------------- */

ssize_t ctl_receive(int conn, char *text, size_t size, int *file)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = text, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = &control,
	                     .msg_controllen =
	                         CMSG_LEN(sizeof(int))}; /* no room for a second one */
	const ssize_t got = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* even a packet without data may carry a descriptor */
	const struct cmsghdr *c = got >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	*file = -1;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(file, CMSG_DATA(c), sizeof(*file));
	return got;
}

/* Waits until there is room. Returns whether there may be. */
static bool wait_for_room(struct ctl_answer *a)
{
	struct pollfd fds[2] = {{.fd = a->conn, .events = POLLOUT},
	                        {.fd = a->wake_fd, .events = POLLIN}};
	const uint64_t begin = ctl_now_ms();
	const int n = poll(fds, 2, a->left_ms);

	a->left_ms -= (int)RTE_MIN(ctl_now_ms() - begin, (uint64_t)a->left_ms);
	return n > 0 && fds[1].revents == 0;
}

/* Returns how many bytes were sent: n, or fewer if the rest is lost. */
static ssize_t send_packets(void *cookie, const char *text, size_t n)
{
	struct ctl_answer *a = cookie;
	size_t done = 0;

	while (done < n && !a->is_lost && a->conn >= 0) {
		const ssize_t sent = send(a->conn, text + done, RTE_MIN(n - done, (size_t)PACKET),
		                          MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent >= 0)
			done += (size_t)sent;
		else
			a->is_lost = errno != EAGAIN || a->left_ms <= 0 || !wait_for_room(a);
	}
	return (ssize_t)done; /* a short count is an error to fopencookie(3) */
}

FILE *ctl_answer_open(struct ctl_answer *a)
{
	return fopencookie(a, "w", (cookie_io_functions_t){.write = send_packets});
}
