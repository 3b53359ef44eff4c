/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The server's turn
 *
 * Overview: events of connections first, then connections left over from the last turn, then new
 * connections (after the events, so that no event of this turn can be mistaken for one of a new
 * connection with the same descriptor), then time-outs.  Everything is bounded, so a turn is short.
 *
 * Ownership: a server and all it points to belong to one lcore; it shares only the site (read) and
 * the access log (its own ring).  All memory is taken at start.
 */

#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_prefetch.h>

#include <percore/epoll.h>
#include <percore/run.h>
#include <percore/socket.h>

#include "../shared/listener.h"

#define EVENTS_PER_WAIT  64
#define WAITS_PER_TURN   8
#define ACCEPTS_PER_TURN 256
#define EXPIRED_PER_TURN 256

static uint32_t count_buffers(const struct http_config *config, uint64_t max_connections)
{
	uint64_t n = config->buffers != 0 ? config->buffers : max_connections / 8;

	if (config->buffers == 0)
		n = n < 64 ? 64 : n > 16384 ? 16384 : n;
	return (uint32_t)n;
}

static struct http_limits make_limits(const struct http_config *config)
{
	uint64_t target = config->target_bytes;

	if (target > config->header_bytes - 64)
		target = config->header_bytes - 64;
	return (struct http_limits){
	    .header_bytes = (uint16_t)config->header_bytes,
	    .target_bytes = (uint16_t)target,
	    .fields = (uint16_t)config->header_fields,
	};
}

static int take_memory(struct server *s)
{
	const struct pc_stack_config *stack = pc_stack_get_config(s->st);
	const uint32_t n = pc_fd_limit(s->st);
	const size_t bytes = n * sizeof(struct conn);

	s->memory = calloc(1, bytes + RTE_CACHE_LINE_SIZE);
	s->input = malloc(s->limits.header_bytes);
	s->path = malloc(s->limits.target_bytes);
	if (s->memory == NULL || s->input == NULL || s->path == NULL ||
	    buffers_init(&s->buffers, count_buffers(&s->config, stack->stack_max_connections),
	                 s->limits.header_bytes) != 0)
		return -1;
	s->conns = RTE_PTR_ALIGN(s->memory, RTE_CACHE_LINE_SIZE);
	/* with hugepages, touch every page now: no page faults later */
	if (rte_eal_has_hugepages())
		memset(s->conns, 0, bytes);
	s->max_conns = n;
	return 0;
}

static int listen_on(struct server *s, char *why, size_t why_len)
{
	const uint16_t port = (uint16_t)s->config.listen;

	s->epfd = pc_epoll_create(s->st);
	if (s->epfd >= 0)
		s->listener = listener_open(s->st, s->epfd, port, (int)s->config.backlog);
	if (s->listener >= 0)
		return 0;
	snprintf(why, why_len, "cannot listen on port %u: %s", port, strerror(errno));
	return -1;
}

struct server *server_start(struct pc_stack *st, const struct server_config *config, char *why,
                            size_t why_len)
{
	struct server *s = aligned_alloc(64, (sizeof(*s) + 63) / 64 * 64);

	if (s != NULL) {
		memset(s, 0, sizeof(*s));
		s->st = st;
		s->epfd = s->listener = -1;
		s->config = *config->http;
		s->limits = make_limits(config->http);
		s->site = config->site;
		s->reader = site_attach(config->site);
	}
	if (s == NULL || take_memory(s) != 0 || s->reader == NULL ||
	    (config->log != NULL &&
	     (s->log = access_log_attach(config->log, (uint32_t)s->config.log_records)) == NULL)) {
		snprintf(why, why_len,
		         "not enough memory for the server: lower stack.max_connections, "
		         "http.buffers or http.log_records");
		server_finish(s);
		return NULL;
	}
	if (listen_on(s, why, why_len) != 0) {
		server_finish(s);
		return NULL;
	}
	return s;
}

static void accept_all(struct server *s)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		const int fd = listener_accept(s->st, s->epfd, s->listener, s->max_conns);

		if (fd < 0)
			return;
		if (fd > 0)
			conn_open(s, fd);
	}
}

/* Returns whether the listener has new connections. */
static bool serve_events(struct server *s)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	bool accept = false;
	int n = EVENTS_PER_WAIT;

	for (int wait = 0; wait < WAITS_PER_TURN && n == EVENTS_PER_WAIT; wait++) {
		n = pc_epoll_wait(s->st, s->epfd, events, EVENTS_PER_WAIT);
		for (int i = 0; i < n; i++) /* with many connections, none is in a near cache */
			rte_prefetch0(&s->conns[events[i].data.fd]);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == s->listener)
				accept = true;
			else
				conn_event(s, events[i].data.fd, events[i].events);
		}
	}
	return accept;
}

/* Serves the list as it is now; connections added meanwhile are left for the next turn. */
static void serve_again(struct server *s)
{
	const uint32_t last = s->again_last;
	uint32_t fd = s->again_first, next;

	if (fd == 0)
		return;
	for (;; fd = next) {
		next = s->conns[fd].again;
		s->again_first = next;
		if (next == 0)
			s->again_last = 0;
		conn_again(s, (int)fd);
		if (fd == last)
			return;
		next = s->again_first;
	}
}

static void expire(struct server *s)
{
	uint32_t fd;

	for (int i = 0; i < EXPIRED_PER_TURN; i++) {
		fd = timeouts_next(&s->timeouts, s->now_ns);
		if (fd == TIMEOUTS_NONE)
			return;
		conn_expired(s, (int)fd);
	}
}

void server_turn(struct server *s, uint64_t now_ns)
{
	const struct files *files;

	if (s->timeouts.base == NULL)
		timeouts_init(&s->timeouts, s->conns, sizeof(struct conn), now_ns);
	s->now_ns = now_ns;
	files = site_enter(s->site, s->reader);
	if (files != s->files)
		memo_forget_answer(&s->memo);
	s->files = files;
	reply_stamp_set(&s->stamp, pc_run_wall_clock(s->st));
	if (serve_events(s) && s->listener >= 0) {
		accept_all(s);
		/* requests that have arrived with their connections: responses in this turn acknowledge them */
		(void)serve_events(s);
	}
	serve_again(s);
	expire(s);
}

uint64_t server_next_deadline(const struct server *s)
{
	return s->again_first != 0 ? 0 : s->now_ns + (UINT64_C(1) << TIMEOUTS_TICK_SHIFT);
}

void server_drain(struct server *s, uint64_t now_ns)
{
	s->draining = true;
	server_turn(s, now_ns);
	accept_all(s);
	pc_close(s->st, s->listener);
	s->listener = -1;
	server_turn(s, now_ns); /* requests that arrived with the last connections */
	for (uint32_t fd = 1; fd < s->end_conns; fd++)
		if (conn_is_idle(&s->conns[fd]))
			conn_close(s, (int)fd);
}

bool server_drained(const struct server *s)
{
	return s->nb_conns == 0;
}

void server_finish(struct server *s)
{
	if (s == NULL)
		return;
	for (uint32_t fd = 1; fd < s->end_conns; fd++)
		if (s->conns[fd].state != CONN_FREE)
			conn_close(s, (int)fd);
	if (s->listener >= 0)
		pc_close(s->st, s->listener);
	if (s->epfd >= 0)
		pc_epoll_close(s->st, s->epfd);
	if (s->reader != NULL)
		site_leave(s->reader);
	buffers_fini(&s->buffers);
	free(s->memory);
	free(s->input);
	free(s->path);
	free(s);
}
