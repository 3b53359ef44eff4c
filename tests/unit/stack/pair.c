/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair.h"

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

static void watch(const struct pair_end *e, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	CU_ASSERT_EQUAL(pc_epoll_ctl(e->st, e->epoll, EPOLL_CTL_ADD, fd, &ev), 0);
}

static void make_end(struct pair *w, struct pair_end *e, const char *cidr)
{
	struct pc_stack_config cfg;

	pc_stack_config_init(&cfg);
	cfg.stack_max_connections = 64;
	cfg.stack_mbufs = 1024;
	e->st = stack_on(&cfg, w->pool, e->port, cidr);
	e->epoll = pc_epoll_create(e->st);
}

void pair_make(struct pair *w, const char *name)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = US};
	struct pair_end *s = &w->server, *c = &w->client;
	struct pc_wire_config wire = {0};
	struct pc_port *ends[2];

	if (w->size == 0)
		w->size = 5;
	w->pool = eal_pool(name, 1023);
	wire.pool = w->pool;
	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, ends), 0);
	s->port = w->wrap != NULL ? w->wrap(ends[0]) : ends[0];
	c->port = ends[1];
	make_end(w, s, "192.0.2.1/24");
	make_end(w, c, "192.0.2.2/24");
	s->listener = pc_socket(s->st, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(pc_bind(s->st, s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	CU_ASSERT_EQUAL(pc_listen(s->st, s->listener, PAIR_CONNS), 0);
	watch(s, s->listener);
	for (int i = 0; i < PAIR_CONNS; i++) {
		int fd = pc_socket(c->st, AF_INET, SOCK_STREAM, 0);

		pc_connect(c->st, fd, (struct sockaddr *)&sin, sizeof(sin));
		watch(c, fd);
	}
}

static void serve(const struct pair *w, const struct pair_end *s, int fd)
{
	static const char greeting[PAIR_SIZE] = "hello";
	struct rte_mbuf *m;
	int conn, rc;

	if (fd == s->listener) {
		while ((conn = pc_accept(s->st, fd, NULL, NULL)) > 0) {
			watch(s, conn);
			pc_send(s->st, conn, greeting, w->size, 0);
		}
		return;
	}
	while ((rc = pc_recv_mbuf(s->st, fd, &m, NULL)) == 1) {
		if (w->received != NULL)
			w->received(m);
		if (pc_send_mbuf(s->st, fd, m, NULL) != 0)
			rte_pktmbuf_free(m);
	}
	if (rc == 0 || errno != EAGAIN)
		pc_close(s->st, fd);
}

static void answer(struct pair *w, int fd)
{
	char buf[PAIR_SIZE];
	ssize_t n = pc_recv(w->client.st, fd, buf, sizeof(buf), 0);

	if (n >= (ssize_t)sizeof(w->echoes))
		memcpy(buf, &w->echoes, sizeof(w->echoes));
	if (n > 0 && pc_send(w->client.st, fd, buf, (size_t)n, 0) == n)
		w->echoes++;
}

void pair_turn(struct pair *w)
{
	struct epoll_event ev[PAIR_CONNS];
	int n;

	w->now_ns += MS / 10;
	pc_stack_poll(w->server.st, w->now_ns);
	n = pc_epoll_wait(w->server.st, w->server.epoll, ev, PAIR_CONNS);
	for (int i = 0; i < n; i++)
		serve(w, &w->server, ev[i].data.fd);
	pc_stack_flush(w->server.st, w->now_ns);
	pc_stack_poll(w->client.st, w->now_ns);
	n = pc_epoll_wait(w->client.st, w->client.epoll, ev, PAIR_CONNS);
	for (int i = 0; i < n; i++)
		answer(w, ev[i].data.fd);
	pc_stack_flush(w->client.st, w->now_ns);
}

void pair_close(struct pair *w)
{
	pc_stack_destroy(w->server.st);
	pc_stack_destroy(w->client.st);
	pc_port_close(w->server.port);
	pc_port_close(w->client.port);
	rte_mempool_free(w->pool);
}
