/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks, ports and pools of wire/faults, and what fails of them. */

#include "faults.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal.h"
#include "failpool.h"
#include "stack/stack.h"
#include "stack_on.h"
#include "tcp/tcp_conn.h"

struct rte_mempool *subject_pool, *other_pool, *wire_pool;
struct inside inside;

struct tcb *__real_tcb_alloc(struct tcp *tcp);
struct tcb *__wrap_tcb_alloc(struct tcp *tcp);
struct tcp_queues *__real_tcb_take_queues(struct tcp *tcp, struct tcb *t);
struct tcp_queues *__wrap_tcb_take_queues(struct tcp *tcp, struct tcb *t);

static bool fails(const struct tcp *tcp, enum kind kind)
{
	const struct fault *f = &inside.fault;
	uint64_t k;

	if (tcp->ctx != inside.subject)
		return false;
	k = ++inside.taken[kind];
	return kind == f->kind && k >= f->first && k - f->first < f->n;
}

struct tcb *__wrap_tcb_alloc(struct tcp *tcp)
{
	return fails(tcp, TCB) ? NULL : __real_tcb_alloc(tcp);
}

struct tcp_queues *__wrap_tcb_take_queues(struct tcp *tcp, struct tcb *t)
{
	return fails(tcp, QUEUES) ? NULL : __real_tcb_take_queues(tcp, t);
}

bool is_failing(void)
{
	const struct fault *f = &inside.fault;

	if (f->kind > QUEUES)
		return f->n > 0 && inside.taken[f->kind] >= f->first;
	return f->kind == MBUF ? failpool_is_failing(subject_pool)
	                       : inside.taken[f->kind] + 1 >= f->first && f->n > 0;
}

void wrong(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->wrong[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(w->wrong, sizeof(w->wrong), format, args);
	va_end(args);
}

/* ---- a port with a plug ----------------------------------------------------------------------- */

struct plug {
	struct pc_port port;
	struct pc_port *inner;
};

bool suffers(enum kind kind)
{
	return inside.fault.kind == kind && is_failing();
}

#define FLAP_NS   150000000
#define RX_PLACES 2

static bool is_down(uint64_t now_ns)
{
	return suffers(LINK_DOWN) || (suffers(LINK_FLAPS) && now_ns / FLAP_NS % 2 == 0);
}

static uint16_t plug_rx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pc_port *inner = ((struct plug *)port)->inner;
	uint16_t got = inner->ops->rx_burst(inner, pkts, n, now_ns), room = UINT16_MAX;

	if (is_down(now_ns))
		room = 0;
	else if (suffers(RX_FULL))
		room = RX_PLACES;
	if (got <= room)
		return got;
	rte_pktmbuf_free_bulk(pkts + room, got - room);
	return room;
}

static uint16_t plug_tx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pc_port *inner = ((struct plug *)port)->inner;

	if (suffers(TX_FULL))
		return 0;
	if (!is_down(now_ns))
		return inner->ops->tx_burst(inner, pkts, n, now_ns);
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

static uint64_t plug_next(const struct pc_port *port)
{
	const struct pc_port *inner = ((const struct plug *)port)->inner;

	return inner->ops->next_deadline(inner);
}

static void plug_close(struct pc_port *port)
{
	pc_port_close(((struct plug *)port)->inner);
	free(port);
}

static struct pc_port *plug_port(struct pc_port *inner)
{
	static const struct pc_port_ops ops = {plug_rx, plug_tx, plug_next, plug_close};
	struct plug *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->port.ops = &ops;
	p->port.info = inner->info;
	p->inner = inner;
	return &p->port;
}

/* ---- making and ending ------------------------------------------------------------------------ */

socklen_t address(const struct world *w, int side, uint16_t port, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (w->plan->ip6) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)to;

		a->sin6_family = AF_INET6;
		a->sin6_port = htons(port);
		inet_pton(AF_INET6, side == CLIENT ? "fd00::1" : "fd00::2", &a->sin6_addr);
		return sizeof(*a);
	}
	struct sockaddr_in *a = (struct sockaddr_in *)to;

	a->sin_family = AF_INET;
	a->sin_port = htons(port);
	inet_pton(AF_INET, side == CLIENT ? "10.0.0.1" : "10.0.0.2", &a->sin_addr);
	return sizeof(*a);
}

static void open_stack(struct world *w, int side)
{
	static const char *const prefix[2][2] = {{"10.0.0.1/24", "10.0.0.2/24"},
	                                         {"fd00::1/64", "fd00::2/64"}};
	struct pc_stack_config cfg;

	pc_stack_config_init(&cfg);
	cfg.stack_seed = 1 + (uint64_t)side;
	cfg.stack_max_connections = 64;
	cfg.stack_max_listeners = 4;
	cfg.stack_max_udp_sockets = 4;
	cfg.tcp_syn_cache = 64;
	cfg.tcp_time_wait = 64;
	cfg.tcp_destinations = 16;
	cfg.tcp_bbr_flows = 16;
	cfg.tcp_stash_from = 0;
	cfg.arp_entries = 16;
	cfg.arp_hold = 16; /* SYNs of all connections */
	cfg.tcp_msl_ms = 1000;
	if (w->plan->configure != NULL)
		w->plan->configure(&cfg);
	w->st[side] = stack_on(&cfg, side == w->plan->subject ? subject_pool : other_pool,
	                       w->port[side], prefix[w->plan->ip6][side]);
	w->ep[side] = pc_epoll_create(w->st[side]);
}

void watch(struct world *w, int side, int fd, uint32_t number)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	                         .data.u32 = number};

	if (pc_epoll_ctl(w->st[side], w->ep[side], EPOLL_CTL_ADD, fd, &ev) != 0)
		wrong(w, "epoll_ctl: %s", strerror(errno));
}

static void open_listener(struct world *w)
{
	struct sockaddr_storage a;
	socklen_t len = address(w, SERVER, 80, &a);
	int fast = 16;

	if (w->plan->ip6)
		((struct sockaddr_in6 *)&a)->sin6_addr = in6addr_any;

	w->lfd = pc_socket(w->st[SERVER], a.ss_family, SOCK_STREAM, 0);
	if (w->lfd < 0 || pc_bind(w->st[SERVER], w->lfd, (struct sockaddr *)&a, len) != 0 ||
	    pc_setsockopt(w->st[SERVER], w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &fast, sizeof(fast)) !=
	        0 ||
	    pc_listen(w->st[SERVER], w->lfd, 64) != 0)
		abort();
	if (w->plan->rcvbuf != 0 && w->plan->subject == CLIENT)
		pc_setsockopt(w->st[SERVER], w->lfd, SOL_SOCKET, SO_RCVBUF, &w->plan->rcvbuf,
		              sizeof(int));
	watch(w, SERVER, w->lfd, CONNS);
	w->listens = true;
}

void open_world(struct world *w, const struct plan *plan)
{
	struct pc_wire_config wc = {.pool = wire_pool};
	struct pc_fault_config fc = {.seed = 7,
	                             .rx_loss_ppm = plan->loss_ppm,
	                             .reorder_ppm = plan->reorder_ppm,
	                             .delay_ns = 1000000,
	                             .mtu = plan->mtu,
	                             .mtu_icmp = plan->mtu != 0,
	                             .pool = wire_pool};

	memset(w, 0, sizeof(*w));
	w->plan = plan;
	w->now = BEGIN;
	if (pc_port_wire(&wc, w->port) != 0)
		abort();
	for (int side = 0; side < 2; side++) {
		w->port[side] = pc_port_fault(w->port[side], &fc);
		if (w->port[side] == NULL)
			abort();
		fc.seed++;
	}
	w->port[plan->subject] = plug_port(w->port[plan->subject]);
	for (int side = 0; side < 2; side++)
		open_stack(w, side);
	if (plan->program == NULL || plan->subject == CLIENT)
		open_listener(w);
	inside.subject = &w->st[plan->subject]->ctx;
}

void close_world(struct world *w)
{
	for (int side = 0; side < 2; side++)
		pc_stack_destroy(w->st[side]);
	for (int side = 0; side < 2; side++)
		pc_port_close(w->port[side]);
	if (eal_in_use(subject_pool) + eal_in_use(other_pool) + eal_in_use(wire_pool) != 0)
		wrong(w, "mbufs leaked: %u of the subject, %u of the other, %u of the wire",
		      eal_in_use(subject_pool), eal_in_use(other_pool), eal_in_use(wire_pool));
}
