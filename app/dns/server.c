/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's turn
 *
 * Overview: first connections with queries left from an earlier turn, then datagrams and events of
 * connections, then new connections (so that no event of this turn is taken for one of a new
 * connection with the same descriptor), then time-outs. Each has a share of a turn, so that no
 * client waits long for one that sends many queries.
 *
 * Ownership: a server and all it points to belong to one lcore; it shares only the store, which it
 * reads. All memory is allocated at start.
 */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/epoll.h>
#include <percore/run.h>
#include <percore/socket.h>

#include "../shared/listener.h"

#define EVENTS           64
#define ACCEPTS_PER_TURN 256
#define DRAIN_TURNS      1000
#define LOOK_NS          UINT64_C(500000000) /* to look for new zones, and free old ones */

/* So that a forged ICMP error cannot make us fragment responses, which makes them easier to forge
 * (RFC 9715). */
static int prepare_datagrams(struct pc_stack *st, int fd)
{
	const int one = 1, omit = IP_PMTUDISC_OMIT, omit6 = IPV6_PMTUDISC_OMIT;

	if (pc_setsockopt(st, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)) != 0 ||
	    pc_setsockopt(st, fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit)) != 0)
		return -1;
	return pc_setsockopt(st, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit6, sizeof(omit6));
}

/* Opens a socket on our UDP port, on every address of both families. Returns it, or -1 with
 * errno. */
static int open_datagrams(struct server *s)
{
	const uint16_t port = (uint16_t)s->config->dns->listen;
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int fd = pc_socket(s->st, AF_INET6, SOCK_DGRAM, 0);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0)
		return -1;
	if (pc_bind(s->st, fd, (const struct sockaddr *)&any, sizeof(any)) == 0 &&
	    prepare_datagrams(s->st, fd) == 0 &&
	    pc_epoll_ctl(s->st, s->epfd, EPOLL_CTL_ADD, fd, &event) == 0)
		return fd;
	pc_close(s->st, fd);
	return -1;
}

static int open_listener(struct server *s)
{
	const struct dns_config *c = s->config->dns;

	return listener_open(s->st, s->epfd, (uint16_t)c->listen, (int)c->backlog);
}

static int take_memory(struct server *s)
{
	s->max_conns = pc_fd_limit(s->st);
	s->conns = calloc(s->max_conns, sizeof(struct conn));
	s->reader = store_attach(s->config->store);
	if (s->config->rrl.rate != 0)
		s->rrl = rrl_create(&s->config->rrl);
	return s->conns != NULL && s->reader != NULL && (s->rrl != NULL || s->config->rrl.rate == 0)
	           ? 0
	           : -1;
}

struct server *server_start(struct pc_stack *st, const struct server_config *config,
                            struct counts *counts, char *why, size_t why_len)
{
	struct server *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->st = st;
		s->epfd = s->listener = s->udp = -1;
		s->config = config;
		s->counts = counts;
	}
	if (s == NULL || take_memory(s) != 0) {
		snprintf(why, why_len,
		         "not enough memory for the server: lower stack.max_connections or "
		         "dns.rrl_entries");
		server_finish(s);
		return NULL;
	}
	s->epfd = pc_epoll_create(st);
	s->udp = s->epfd < 0 ? -1 : open_datagrams(s);
	s->listener = s->udp < 0 ? -1 : open_listener(s);
	if (s->listener < 0) {
		snprintf(why, why_len, "cannot listen on port %u: %s",
		         (unsigned)config->dns->listen, strerror(errno));
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
	struct epoll_event events[EVENTS];
	const int n = pc_epoll_wait(s->st, s->epfd, events, EVENTS);
	bool accept = false;

	s->more |= n == EVENTS;
	for (int i = 0; i < n; i++) {
		const int fd = events[i].data.fd;

		if (fd == s->udp)
			s->more |= udp_serve(s);
		else if (fd == s->listener)
			accept = true;
		else
			conn_event(s, fd, events[i].events);
	}
	return accept;
}

void server_turn(struct server *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	s->zones = store_enter(s->config->store, s->reader);
	s->more = false;
	conn_again(s); /* first, as an event may add a connection to that list */
	if (serve_events(s) && s->listener >= 0) {
		accept_all(s);
		(void)serve_events(s); /* queries that have arrived with their connections */
	}
	conn_expire(s);
}

uint32_t server_now_s(const struct server *s)
{
	return (uint32_t)pc_run_wall_clock(s->st);
}

uint64_t server_next_deadline(const struct server *s)
{
	const uint64_t look = s->now_ns + LOOK_NS;
	uint64_t idle;

	if (s->more || s->again_first != 0)
		return 0;
	if (s->oldest == 0)
		return look;
	idle = s->conns[s->oldest].since_ns + s->config->dns->idle_ms * 1000000;
	return idle < look ? idle : look;
}

static void close_socket(struct server *s, int *fd)
{
	if (*fd >= 0)
		pc_close(s->st, *fd);
	*fd = -1;
}

static void close_all(struct server *s)
{
	close_socket(s, &s->listener);
	close_socket(s, &s->udp);
	while (s->oldest != 0)
		conn_close(s, (int)s->oldest);
}

void server_drain(struct server *s, uint64_t now_ns)
{
	server_turn(s, now_ns);
	server_turn(s, now_ns); /* queries received with the last connections */
	for (int i = 0; i < DRAIN_TURNS && s->again_first != 0; i++)
		conn_again(s);
	close_all(s);
}

void server_finish(struct server *s)
{
	if (s == NULL)
		return;
	close_all(s);
	if (s->epfd >= 0)
		pc_epoll_close(s->st, s->epfd);
	if (s->reader != NULL)
		store_leave(s->reader);
	rrl_free(s->rrl);
	free(s->conns);
	free(s);
}
