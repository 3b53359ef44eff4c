/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of our own beneath calls that block: what wire/faults does to a stack, here with a program on top that is
 * written as for the kernel (percore/posix.h, the service of the stack, and the channel between them).
 *
 * The program's thread drives the stacks (struct pcx_driver), so that all goes by the virtual clock and a run follows
 * from its fault.  A wake-up that is lost shows as a call that does not return within ten minutes of that clock.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/host.h>
#include <percore/posix.h>

#include "failpool.h"

#define PATIENCE (600 * SECOND)
#define FEW      3u

static struct {
	struct world w;
	struct pc_host *host;
	struct pcx_driver driver;
} all;

/* ---- who drives ------------------------------------------------------------------------------- */

static unsigned turn(void *world)
{
	return step(world);
}

static _Noreturn void hangs(const struct world *w)
{
	fprintf(stderr,
	        "\n%s, %s %" PRIu64
	        ": a call does not return: sent %u and %u, received %u and %u\n",
	        w->plan->name, kind_name(inside.fault.kind), inside.fault.first, w->end[0][0].sent,
	        w->end[1][0].sent, w->end[0][0].rcvd, w->end[1][0].rcvd);
	exit(EXIT_FAILURE);
}

static void sleep_until(void *world, uint64_t deadline_ns)
{
	struct world *w = world;

	(void)deadline_ns; /* of another clock */
	if (w->now > BEGIN + PATIENCE)
		hangs(w);
	pass(w, UINT64_MAX);
}

/* what a program that is refused does: it waits, and tries again */
static void wait_a_little(struct world *w)
{
	if (!step(w))
		sleep_until(w, 0);
}

/* ---- a program -------------------------------------------------------------------------------- */

static void check(struct world *w, struct end *e, const uint8_t *buf, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != pattern(e->rcvd + (uint32_t)i))
			wrong(w, "byte %u is wrong", e->rcvd + (uint32_t)i);
	e->rcvd += n > 0 ? (uint32_t)n : 0;
	e->ended = n == 0;
}

/* What is left, or as much of it as the socket takes. */
static ssize_t send_pattern(struct world *w, struct end *e)
{
	const uint32_t left = w->plan->bytes[w->plan->subject] - e->sent;
	uint8_t buf[3000];
	const size_t len = RTE_MIN(left, (uint32_t)sizeof(buf));
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		buf[i] = pattern(e->sent + (uint32_t)i);
	n = pcx_send(e->fd, buf, len, 0);
	if (n > 0)
		e->sent += (uint32_t)n;
	return n;
}

static void close_end(struct world *w, struct end *e)
{
	if (pcx_close(e->fd) != 0)
		wrong(w, "close: %s", strerror(errno));
	e->closed = true;
}

static void exchange(struct world *w, struct end *e)
{
	uint8_t buf[4000];
	ssize_t n;

	while (e->sent < w->plan->bytes[w->plan->subject])
		if (send_pattern(w, e) <= 0)
			return wrong(w, "send: %s", strerror(errno));
	if (pcx_shutdown(e->fd, SHUT_WR) != 0)
		wrong(w, "shutdown: %s", strerror(errno));
	while (!e->ended) {
		n = pcx_recv(e->fd, buf, sizeof(buf), 0);
		if (n < 0)
			return wrong(w, "recv: %s", strerror(errno));
		check(w, e, buf, n);
	}
	close_end(w, e);
}

/* A new socket; a few are refused when the stack has no room. */
static int new_socket(struct world *w, int family)
{
	int fd;

	while ((fd = pcx_socket(family, SOCK_STREAM, 0)) < 0 && is_failing() && errno == ENFILE)
		wait_a_little(w);
	if (fd < 0)
		wrong(w, "socket: %s", strerror(errno));
	return fd;
}

static bool connect_to_server(struct world *w, struct end *e)
{
	struct sockaddr_storage a;
	const socklen_t len = address(w, SERVER, 80, &a);

	for (;;) {
		e->fd = new_socket(w, a.ss_family);
		if (e->fd < 0)
			return false;
		if (pcx_connect(e->fd, (struct sockaddr *)&a, len) == 0)
			return true;
		if (errno !=
		    EADDRNOTAVAIL) /* its own address is still being looked for on the link */
			break;
		pcx_close(e->fd);
		wait_a_little(w);
	}
	wrong(w, "connect: %s", strerror(errno));
	return false;
}

static void client(struct world *w)
{
	for (uint32_t i = 0; i < w->plan->conns; i++)
		if (!connect_to_server(w, &w->end[CLIENT][i]))
			return;
	for (uint32_t i = 0; i < w->plan->conns; i++)
		exchange(w, &w->end[CLIENT][i]);
}

static int listen_on(struct world *w)
{
	struct sockaddr_storage a;
	const socklen_t len = address(w, SERVER, 80, &a);
	const int fd = new_socket(w, a.ss_family);

	if (pcx_bind(fd, (struct sockaddr *)&a, len) != 0 || pcx_listen(fd, 64) != 0)
		wrong(w, "listen: %s", strerror(errno));
	w->listens = true;
	return fd;
}

static void accept_some(struct world *w, int listener, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to && w->wrong[0] == '\0'; i++) {
		w->end[SERVER][i].fd = pcx_accept(listener, NULL, NULL);
		if (w->end[SERVER][i].fd < 0)
			return wrong(w, "accept: %s", strerror(errno));
	}
	for (uint32_t i = from; i < to; i++)
		exchange(w, &w->end[SERVER][i]);
}

static void server(struct world *w)
{
	const int listener = listen_on(w);

	accept_some(w, listener, 0, w->plan->conns);
	if (pcx_close(listener) != 0)
		wrong(w, "close: %s", strerror(errno));
}

/* Takes so many at once as there may be sockets, beside the listener. */
static void server_of_few_sockets(struct world *w)
{
	const int listener = listen_on(w);

	for (uint32_t i = 0; i < w->plan->conns; i += FEW)
		accept_some(w, listener, i, RTE_MIN(i + FEW, w->plan->conns));
	if (pcx_close(listener) != 0)
		wrong(w, "close: %s", strerror(errno));
}

/* ---- a program with epoll, edge-triggered ------------------------------------------------------- */

static void add_end(struct world *w, int set, uint32_t i)
{
	struct end *e = &w->end[w->plan->subject][i];
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	                         .data.u32 = i};

	if (pcx_fcntl(e->fd, F_SETFL, O_NONBLOCK) != 0 ||
	    pcx_epoll_ctl(set, EPOLL_CTL_ADD, e->fd, &ev) != 0)
		wrong(w, "epoll_ctl: %s", strerror(errno));
}

static void on_event(struct world *w, struct end *e)
{
	uint8_t buf[4000];
	ssize_t n = 1;

	while (n > 0 && e->sent < w->plan->bytes[w->plan->subject])
		n = send_pattern(w, e);
	if (n < 0 && errno != EAGAIN)
		wrong(w, "send: %s", strerror(errno));
	if (e->sent == w->plan->bytes[w->plan->subject] && !e->shut)
		e->shut = pcx_shutdown(e->fd, SHUT_WR) == 0;
	while (!e->ended) {
		n = pcx_recv(e->fd, buf, sizeof(buf), 0);
		if (n < 0 && errno != EAGAIN)
			wrong(w, "recv: %s", strerror(errno));
		if (n < 0)
			break;
		check(w, e, buf, n);
	}
	if (e->shut && e->ended)
		close_end(w, e);
}

static void serve_events(struct world *w, int set)
{
	struct epoll_event ev[4];
	uint32_t left = w->plan->conns;

	while (left > 0 && w->wrong[0] == '\0') {
		const int n = pcx_epoll_wait(set, ev, 4, -1);

		if (n < 0)
			return wrong(w, "epoll_wait: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			struct end *e = &w->end[w->plan->subject][ev[i].data.u32];

			if (e->closed)
				continue;
			on_event(w, e);
			left -= e->closed;
		}
	}
}

static void client_of_events(struct world *w)
{
	const int set = pcx_epoll_create1(0);

	for (uint32_t i = 0; i < w->plan->conns; i++) {
		if (!connect_to_server(w, &w->end[CLIENT][i]))
			return;
		add_end(w, set, i);
	}
	serve_events(w, set);
	pcx_close(set);
}

static void server_of_events(struct world *w)
{
	const int set = pcx_epoll_create1(0), listener = listen_on(w);

	for (uint32_t i = 0; i < w->plan->conns && w->wrong[0] == '\0'; i++) {
		w->end[SERVER][i].fd = pcx_accept(listener, NULL, NULL);
		add_end(w, set, i);
	}
	serve_events(w, set);
	pcx_close(listener);
	pcx_close(set);
}

/* ---- one run ---------------------------------------------------------------------------------- */

static void attach(struct world *w)
{
	const bool few = w->plan->program == server_of_few_sockets;
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = few ? FEW + 1 : 64};

	all.host = pc_host_create(&hc);
	w->service = all.host != NULL ? pc_host_add(all.host, 0, w->st[w->plan->subject]) : NULL;
	if (w->service == NULL)
		abort();
	all.driver = (struct pcx_driver){.arg = w, .turn = turn, .sleep = sleep_until};
	pcx_set_driver(&all.driver);
	if (pcx_attach_fd(pc_host_connect(all.host)) != 0)
		abort();
}

static bool is_done(const struct world *w)
{
	for (uint32_t i = 0; i < w->plan->conns; i++)
		if (!w->end[!w->plan->subject][i].closed)
			return false;
	return !pc_service_is_used(w->service);
}

/* The other side is to have all that was sent, and the service to have closed what the program has. */
static void detach(struct world *w)
{
	const uint64_t limit = w->now + PATIENCE;

	while (!is_done(w) && w->now < limit)
		if (!step(w))
			pass(w, limit);
	if (!is_done(w))
		wrong(w, "not done: the other side lacks bytes, or the service has sockets left");
	pcx_detach();
	pcx_set_driver(NULL);
}

static uint64_t run_plan(const struct plan *plan, enum kind kind, uint64_t first, uint64_t n)
{
	struct world *w = &all.w;
	uint64_t taken;

	memset(&inside, 0, sizeof(inside));
	inside.fault = (struct fault){kind, first, n};
	failpool_set(subject_pool, first, kind == MBUF ? n : 0);
	open_world(w, plan);
	attach(w);
	plan->program(w);
	taken = kind == MBUF ? failpool_taken(subject_pool) : inside.taken[kind];
	if (w->wrong[0] == '\0')
		detach(w);
	for (uint32_t i = 0; i < plan->conns && w->wrong[0] == '\0'; i++)
		if (w->end[plan->subject][i].rcvd != plan->bytes[!plan->subject])
			wrong(w, "%u bytes arrived, not %u", w->end[plan->subject][i].rcvd,
			      plan->bytes[!plan->subject]);
	settle(w);
	pc_host_destroy(all.host);
	close_world(w);
	if (w->wrong[0] != '\0') {
		fprintf(stderr, "\n%s, %s %" PRIu64 " and %" PRIu64 " more: %s\n", plan->name,
		        kind_name(kind), first, n - 1, w->wrong);
		CU_FAIL("a run with a fault");
	}
	return taken;
}

/* ---- the scenarios ---------------------------------------------------------------------------- */

static const struct plan plans[] = {
    {.name = "a client", .program = client, .subject = CLIENT, .conns = 1, .bytes = {9000, 300}},
    {.name = "a server", .program = server, .subject = SERVER, .conns = 1, .bytes = {300, 9000}},
    {.name = "a client over IPv6",
     .program = client,
     .subject = CLIENT,
     .conns = 2,
     .bytes = {5000, 300},
     .ip6 = true},
    {.name = "a server of several",
     .program = server,
     .subject = SERVER,
     .conns = 6,
     .bytes = {2000, 3000}},
    {.name = "sockets that run out",
     .program = server_of_few_sockets,
     .subject = SERVER,
     .conns = 8,
     .bytes = {300, 3000}},
    {.name = "losses and events",
     .program = server_of_events,
     .subject = SERVER,
     .conns = 3,
     .bytes = {20000, 40000},
     .loss_ppm = 50000},
    {.name = "a client of events",
     .program = client_of_events,
     .subject = CLIENT,
     .conns = 4,
     .bytes = {20000, 20000},
     .reorder_ppm = 100000},
    {.name = "more than fits between, and a closed window",
     .program = client_of_events,
     .subject = CLIENT,
     .conns = 1,
     .bytes = {400000, 100},
     .pause_ms = 30000,
     .rcvbuf = 8192},
    {.name = "a window that closes while it blocks",
     .program = server,
     .subject = SERVER,
     .conns = 1,
     .bytes = {100, 400000},
     .pause_ms = 10000,
     .rcvbuf = 8192},
};

int main(int argc, char **argv)
{
	const struct faults_suite suite = {
	    .name = "faults_posix", .plans = plans, .nb_plans = RTE_DIM(plans), .run = run_plan};

	return faults_main(&suite, argc, argv);
}
