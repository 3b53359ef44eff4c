/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-echo without its main(), and a variant that copies. */

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "apps.h"
#include "services.h"

#define EVENTS 256

static void *start(struct pc_stack *st, uint32_t connections)
{
	const size_t n = connections + 4096u;
	struct server *sv = calloc(1, sizeof(*sv) + n * sizeof(sv->socks[0]));

	if (sv == NULL)
		exit(2);
	sv->st = st;
	sv->nb_socks = (uint32_t)n;
	sv->epoll = pc_epoll_create(st);
	if (service_open(sv, SOCK_STREAM, 7, ECHO) != 0 ||
	    service_open(sv, SOCK_DGRAM, 7, ECHO) != 0 ||
	    service_open(sv, SOCK_STREAM, 9, DISCARD) != 0 ||
	    service_open(sv, SOCK_STREAM, 19, SOURCE) != 0) {
		perror("echo service");
		exit(2);
	}
	return sv;
}

static uint64_t turn(void *self, struct pc_stack *st, uint64_t now_ns)
{
	struct server *sv = self;
	struct epoll_event ev[EVENTS];
	const uint64_t begin = rte_rdtsc();
	const int n = pc_epoll_wait(st, sv->epoll, ev, EVENTS);
	const uint64_t wait = rte_rdtsc() - begin;

	(void)now_ns;
	if (service_serve_all(sv, ev, n))
		(void)service_serve_all(sv, ev, pc_epoll_wait(st, sv->epoll, ev, EVENTS));
	return wait;
}

static void serve_copy(struct server *sv, const struct epoll_event *ev)
{
	const int fd = service_fd(ev);
	char buf[4096];
	ssize_t n;

	if (service_kind(ev) != ECHO) {
		service_serve(sv, ev);
		return;
	}
	while ((n = pc_recv(sv->st, fd, buf, sizeof(buf), 0)) > 0) {
		if (pc_send(sv->st, fd, buf, (size_t)n, 0) != n)
			abort();
		if (n < (ssize_t)sizeof(buf))
			return;
	}
}

static uint64_t turn_copy(void *self, struct pc_stack *st, uint64_t now_ns)
{
	struct server *sv = self;
	struct epoll_event ev[EVENTS];
	const uint64_t begin = rte_rdtsc();
	const int n = pc_epoll_wait(st, sv->epoll, ev, EVENTS);
	const uint64_t wait = rte_rdtsc() - begin;

	(void)now_ns;
	for (int i = 0; i < n; i++)
		serve_copy(sv, &ev[i]);
	return wait;
}

const struct app app_echo = {.port = 7, .start = start, .turn = turn, .finish = free};
const struct app app_discard = {.port = 9, .start = start, .turn = turn, .finish = free};
const struct app app_source = {.port = 19, .start = start, .turn = turn, .finish = free};
const struct app app_echo_copy = {.port = 7, .start = start, .turn = turn_copy, .finish = free};
