/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lcores share no cache line that is written while they work.
 *
 * Two of them are made as a program makes them, each with a pool, a wire and the stacks at both ends; then
 * connections echo on one, and every byte of memory that could have changed is compared with what it was:
 * all that DPDK's heap has given away, and the variables of percore itself.  A line that changed belongs to
 * what was made for the one that worked.  It is the addresses that are looked at, so one thread does.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "fixture.h"

#define LINE   64
#define BLOCKS 4096
#define CONNS  16
#define TURNS  400

/* A piece of memory that the heap has given away, its header included, and who asked for it. */
struct block {
	const char *at;
	size_t len;
	int owner; /* index of a worker; -1: nobody of them */
};

struct blocks {
	unsigned n;
	struct block block[BLOCKS];
};

struct end {
	struct pc_port *port;
	struct pc_stack *st;
	int epoll, listener;
};

struct worker {
	struct rte_mempool *pool;
	struct end server, client;
	uint64_t now_ns, echoes;
};

/* where the linker puts the variables of this program, percore among it */
extern char __data_start[], _end[];

/* ---- what memory there is -------------------------------------------------------------------- */

static bool knows(const struct blocks *b, const char *at)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->block[i].at == at)
			return true;
	return false;
}

/* Adds what the heap has given away and is not known yet. The only way to ask it is what it prints. */
static void read_heap(struct blocks *b, int owner)
{
	char *text = NULL, *line, *rest = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct block found = {.owner = owner};
	char state[16] = "";

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	rte_malloc_dump_heaps(f);
	fclose(f);
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		void *at;

		if (sscanf(line, "Malloc element at %p (%15[A-Z])", &at, state) == 2)
			found.at = at;
		else if (strcmp(state, "BUSY") == 0 && sscanf(line, " len: %zx", &found.len) == 1 &&
		         !knows(b, found.at)) {
			CU_ASSERT_FATAL(b->n < BLOCKS);
			b->block[b->n++] = found;
		}
	}
	free(text);
}

static void check_alignment(const struct blocks *b)
{
	for (unsigned i = 1; i < b->n; i++)
		CU_ASSERT((uintptr_t)b->block[i].at % LINE == 0 && b->block[i].len % LINE == 0);
}

/* ---- workers --------------------------------------------------------------------------------- */

static void watch(struct end *e, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	CU_ASSERT_EQUAL(pc_epoll_ctl(e->st, e->epoll, EPOLL_CTL_ADD, fd, &ev), 0);
}

static void make_end(struct worker *w, struct end *e, const char *cidr)
{
	struct pc_stack_config cfg;
	struct pc_prefix addr;

	pc_stack_config_init(&cfg);
	cfg.stack_max_connections = 64;
	cfg.stack_mbufs = 1024;
	e->st = pc_stack_create(&cfg, w->pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e->st);
	CU_ASSERT(pc_prefix_parse(cidr, &addr) == 0 && pc_stack_add_port(e->st, e->port) == 0 &&
	          pc_stack_add_addr(e->st, 0, &addr) == 0);
	e->epoll = pc_epoll_create(e->st);
}

static void make_worker(struct worker *w, const char *name)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = US};
	struct end *s = &w->server, *c = &w->client;
	struct pc_wire_config wire = {0};
	struct pc_port *ends[2];

	w->pool = eal_pool(name, 1023);
	wire.pool = w->pool;
	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, ends), 0);
	s->port = ends[0];
	c->port = ends[1];
	make_end(w, s, "192.0.2.1/24");
	make_end(w, c, "192.0.2.2/24");
	s->listener = pc_socket(s->st, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(pc_bind(s->st, s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	CU_ASSERT_EQUAL(pc_listen(s->st, s->listener, CONNS), 0);
	watch(s, s->listener);
	for (int i = 0; i < CONNS; i++) {
		int fd = pc_socket(c->st, AF_INET, SOCK_STREAM, 0);

		pc_connect(c->st, fd, (struct sockaddr *)&sin, sizeof(sin));
		watch(c, fd);
	}
}

static void serve(struct end *s, int fd)
{
	struct rte_mbuf *m;
	int conn;

	if (fd == s->listener) {
		while ((conn = pc_accept(s->st, fd, NULL, NULL)) > 0) {
			watch(s, conn);
			pc_send(s->st, conn, "hello", 5, 0);
		}
		return;
	}
	while (pc_recv_mbuf(s->st, fd, &m, NULL) == 1)
		if (pc_send_mbuf(s->st, fd, m, NULL) != 0)
			rte_pktmbuf_free(m);
}

static void answer(struct worker *w, int fd)
{
	char buf[64];
	ssize_t n = pc_recv(w->client.st, fd, buf, sizeof(buf), 0);

	if (n > 0 && pc_send(w->client.st, fd, buf, (size_t)n, 0) == n)
		w->echoes++;
}

static void turn(struct worker *w)
{
	struct epoll_event ev[CONNS];
	int n;

	w->now_ns += MS / 10;
	pc_stack_poll(w->server.st, w->now_ns);
	n = pc_epoll_wait(w->server.st, w->server.epoll, ev, CONNS);
	for (int i = 0; i < n; i++)
		serve(&w->server, ev[i].data.fd);
	pc_stack_flush(w->server.st, w->now_ns);
	pc_stack_poll(w->client.st, w->now_ns);
	n = pc_epoll_wait(w->client.st, w->client.epoll, ev, CONNS);
	for (int i = 0; i < n; i++)
		answer(w, ev[i].data.fd);
	pc_stack_flush(w->client.st, w->now_ns);
}

static void end_worker(struct worker *w)
{
	pc_stack_destroy(w->server.st);
	pc_stack_destroy(w->client.st);
	pc_port_close(w->server.port);
	pc_port_close(w->client.port);
	rte_mempool_free(w->pool);
}

/* ---- what has changed ------------------------------------------------------------------------ */

static char *copy_all(const struct blocks *b)
{
	size_t total = 0, done = 0;
	char *copy;

	for (unsigned i = 0; i < b->n; i++)
		total += b->block[i].len;
	copy = malloc(total);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (unsigned i = 0; i < b->n; done += b->block[i++].len)
		memcpy(copy + done, b->block[i].at, b->block[i].len);
	return copy;
}

/* Counts the lines that are not as they were: those of a worker, and those of anybody else. */
static void count_changes(const struct blocks *b, const char *before, int worker, unsigned *own,
                          unsigned *others)
{
	size_t done = 0;

	*own = *others = 0;
	for (unsigned i = 0; i < b->n; done += b->block[i++].len) {
		const struct block *p = &b->block[i];

		for (size_t at = 0; at < p->len; at += LINE)
			if (memcmp(before + done + at, p->at + at,
			           RTE_MIN(p->len - at, (size_t)LINE)) != 0)
				(*(p->owner == worker ? own : others))++;
	}
}

static void work_alone(struct worker *w, int index, const struct blocks *all)
{
	char *before = copy_all(all);
	unsigned own, others;
	uint64_t echoes = w->echoes;

	for (int i = 0; i < TURNS; i++)
		turn(w);
	count_changes(all, before, index, &own, &others);
	CU_ASSERT(w->echoes - echoes > TURNS);
	CU_ASSERT(own > 100);
	CU_ASSERT_EQUAL(others, 0);
	free(before);
}

static void test_lines(void)
{
	struct worker w[2] = {{.now_ns = MS}, {.now_ns = MS}};
	struct blocks *all = calloc(1, sizeof(*all));

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	all->block[all->n++] =
	    (struct block){.at = __data_start, .len = (size_t)(_end - __data_start), .owner = -1};
	read_heap(all, -1);
	make_worker(&w[0], "lines0");
	read_heap(all, 0);
	make_worker(&w[1], "lines1");
	read_heap(all, 1);
	check_alignment(all);
	for (int i = 0; i < 20; i++) {
		turn(&w[0]);
		turn(&w[1]);
	}
	work_alone(&w[0], 0, all);
	work_alone(&w[1], 1, all);
	end_worker(&w[0]);
	end_worker(&w[1]);
	free(all);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"lcores write to no line that another one uses", test_lines},
	};

	return box_program("stack/lines", cases, sizeof(cases) / sizeof(cases[0]));
}
