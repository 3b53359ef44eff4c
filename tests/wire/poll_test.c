/* SPDX-License-Identifier: BSD-2-Clause */

/* poll: each program runs on the kernel and on percore, and what it reports must be equal. */

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bed.h"

static void log_poll(struct bed *b, struct pollfd *p, nfds_t n)
{
	b->call->settle(b);
	bed_log(b, "poll: %d\n", b->call->poll(b, NEAR, p, n));
	for (nfds_t i = 0; i < n; i++)
		if (p[i].revents != 0) {
			bed_log(b, " %d", (int)i);
			bed_log_events(b, (uint32_t)(uint16_t)p[i].revents);
		}
	bed_log(b, "\n");
}

static void poll_fds(struct bed *b, unsigned n)
{
	int(*fd)[2] = calloc(n, sizeof(*fd));
	struct pollfd *p = calloc(n + 2, sizeof(*p));

	if (fd == NULL || p == NULL)
		abort();
	for (unsigned i = 0; i < n; i++) {
		bed_pair(b, fd[i]);
		p[i] =
		    (struct pollfd){.fd = fd[i][NEAR],
		                    .events = i % 3 == 0 ? POLLIN | POLLOUT : POLLIN | POLLRDHUP};
	}
	p[n] = (struct pollfd){.fd = -1, .events = POLLIN};
	p[n + 1] = (struct pollfd){.fd = 65000, .events = POLLIN};
	log_poll(b, p, n + 2);
	for (unsigned i = 0; i < n; i += 2)
		bed_send(b, FAR, fd[i][FAR], 1 + i);
	log_poll(b, p, n + 2);
	for (unsigned i = 0; i < n; i += 4)
		bed_recv(b, NEAR, fd[i][NEAR], 1000);
	for (unsigned i = 1; i < n; i += 4)
		b->call->shutdown(b, FAR, fd[i][FAR], SHUT_WR);
	log_poll(b, p, n + 2);
	for (unsigned i = 0; i < n; i++)
		b->call->close(b, FAR, fd[i][FAR]);
	log_poll(b, p, n + 2);
	for (unsigned i = 0; i < n; i++)
		b->call->close(b, NEAR, fd[i][NEAR]);
	b->call->settle(b);
	free(fd);
	free(p);
}

static void poll_10(struct bed *b)
{
	poll_fds(b, 10);
}

static void poll_1000(struct bed *b)
{
	poll_fds(b, 1000);
}

static const struct bed_case cases[] = {
    {"10 descriptors", poll_10},
    {"1,000 descriptors", poll_1000},
};

int main(int argc, char **argv)
{
	struct rlimit limit;

	/* two for each connection, and poll() refuses to look at more than may be open */
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return bed_main(argc, argv, "poll", cases, sizeof(cases) / sizeof(cases[0]));
}
