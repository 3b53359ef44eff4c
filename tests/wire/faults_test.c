/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of our own: the n-th allocation of an mbuf fails, for every n of a set of scenarios.
 *
 * Two stacks on a wire in memory, under a virtual clock.  One of them, the subject, has a pool that fails
 * when told to.  A scenario runs once without a fault, which tells how many allocations it makes; then once
 * for each of them with that one failing, and again with all failing for some seconds from there on.  The applications
 * act on edge-triggered events alone, so a wake-up that is lost with an mbuf shows as a connection that
 * hangs.  Each run must end as the first did: every byte there, nothing left, all structures valid.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <percore/percore.h>

#include "eal.h"
#include "failpool.h"
#include "stack/stack.h"
#include "tcp/tcp_conn.h"
#include "unit/unit.h"

#define CONNS      12
#define SECOND     UINT64_C(1000000000)
#define MBUFS      1023
#define BEGIN      (10000 * SECOND)
#define TURN_NS    5000000
#define STALL_NS   (60 * SECOND)
#define DROUGHT_NS (3 * SECOND)

enum { CLIENT, SERVER };

struct plan {
	const char *name;
	int subject; /* whose pool fails */
	uint32_t conns, bytes[2];
	void (*configure)(struct pc_stack_config *cfg);
	uint32_t loss_ppm, reorder_ppm;
	uint16_t mtu;      /* of the path; who sends more is told by ICMP */
	uint32_t pause_ms; /* the other side of the subject reads nothing for so long */
	uint32_t rcvbuf;   /* of the other side */
	bool ip6, zero_copy, fast_open, reset;
	bool stray; /* the other side asks for what is not there */
};

struct end {
	int fd;
	uint32_t sent, rcvd;
	bool readable, writable, shut, ended, closed;
};

struct world {
	const struct plan *plan;
	uint64_t now;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	int ep[2], lfd;
	unsigned accepted;
	struct end end[2][CONNS];
	bool progress;
	unsigned steps;
	uint64_t heal_ns; /* when a drought ends; 0: it has not begun */
	char wrong[200];
};

/*
 * What fails: mbufs (failpool.h), what the TCP of the subject takes from its own pools, or from a turn on
 * for some time: the port takes nothing, the link is down, or goes down and up, the receive ring has room for two
 * frames, the lcore stands still, its clock is set back or forth, its application takes a third of a second in each turn.
 */
enum kind {
	MBUF,
	TCB,
	QUEUES,
	TX_FULL,
	LINK_DOWN,
	LINK_FLAPS,
	RX_FULL,
	STALL,
	BACK,
	FORTH,
	SLOW,
	KINDS
};

struct fault {
	enum kind kind;
	uint64_t first, n; /* number first and n - 1 after it, from 1; FOREVER: for some time */
};

#define FOREVER UINT64_MAX

static struct rte_mempool *subject_pool, *other_pool, *wire_pool;

/* the counts of the pools in the stack, at which the linker lets us in (--wrap) */
static struct {
	const struct ctx *subject;
	struct fault fault;
	uint64_t taken[KINDS];
} inside;

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

static bool is_failing(void)
{
	const struct fault *f = &inside.fault;

	if (f->kind > QUEUES)
		return f->n > 0 && inside.taken[f->kind] >= f->first;
	return f->kind == MBUF ? failpool_is_failing(subject_pool)
	                       : inside.taken[f->kind] + 1 >= f->first && f->n > 0;
}

__attribute__((format(printf, 2, 3))) static void wrong(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->wrong[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(w->wrong, sizeof(w->wrong), format, args);
	va_end(args);
}

static uint8_t pattern(uint32_t n)
{
	return (uint8_t)(n * 31 + (n >> 8) * 7 + 3);
}

/* ---- a port with a plug ----------------------------------------------------------------------- */

struct plug {
	struct pc_port port;
	struct pc_port *inner;
};

static bool suffers(enum kind kind)
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

static socklen_t address(const struct world *w, int side, uint16_t port,
                         struct sockaddr_storage *to)
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
	struct pc_prefix addr;

	pc_stack_config_init(&cfg);
	cfg.stack_seed = 1 + (uint64_t)side;
	cfg.stack_max_connections = 64;
	cfg.stack_max_listeners = 4;
	cfg.stack_max_udp_sockets = 4;
	cfg.tcp_syn_cache = 64;
	cfg.tcp_time_wait = 64;
	cfg.tcp_destinations = 16;
	cfg.tcp_bbr_flows = 16;
	cfg.arp_entries = 16;
	cfg.arp_hold = 16; /* SYNs of all connections */
	cfg.tcp_msl_ms = 1000;
	if (w->plan->configure != NULL)
		w->plan->configure(&cfg);
	w->st[side] = pc_stack_create(&cfg, side == w->plan->subject ? subject_pool : other_pool);
	if (w->st[side] == NULL || pc_stack_add_port(w->st[side], w->port[side]) != 0)
		abort();
	pc_prefix_parse(prefix[w->plan->ip6][side], &addr);
	if (pc_stack_add_addr(w->st[side], 0, &addr) != 0)
		abort();
	w->ep[side] = pc_epoll_create(w->st[side]);
}

static void watch(struct world *w, int side, int fd, uint32_t number)
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
}

static void open_world(struct world *w, const struct plan *plan)
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
	open_listener(w);
	inside.subject = &w->st[plan->subject]->ctx;
}

static void close_world(struct world *w)
{
	for (int side = 0; side < 2; side++)
		pc_stack_destroy(w->st[side]);
	for (int side = 0; side < 2; side++)
		pc_port_close(w->port[side]);
	if (eal_in_use(subject_pool) + eal_in_use(other_pool) + eal_in_use(wire_pool) != 0)
		wrong(w, "mbufs leaked: %u of the subject, %u of the other, %u of the wire",
		      eal_in_use(subject_pool), eal_in_use(other_pool), eal_in_use(wire_pool));
}

/* ---- the applications ------------------------------------------------------------------------- */

static bool reads(const struct world *w, int side)
{
	return side == w->plan->subject || w->now >= BEGIN + w->plan->pause_ms / BEGIN;
}

static void finish(struct world *w, int side, struct end *e)
{
	if (pc_close(w->st[side], e->fd) != 0)
		wrong(w, "close: %s", strerror(errno));
	e->fd = 0;
	e->closed = true;
	w->progress = true;
}

static void receive(struct world *w, int side, struct end *e)
{
	uint8_t buf[4000];
	ssize_t n;

	while (e->readable && !e->ended) {
		n = pc_recv(w->st[side], e->fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == EAGAIN) {
			e->readable = false;
		} else if (n < 0) {
			wrong(w, "recv: %s", strerror(errno));
			return;
		} else {
			w->progress = true;
			e->ended = n == 0;
		}
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != pattern(e->rcvd + (uint32_t)i)) {
				wrong(w, "byte %u is wrong", e->rcvd + (uint32_t)i);
				return;
			}
		e->rcvd += n > 0 ? (uint32_t)n : 0;
	}
}

/* a chain of up to two mbufs of the subject's own pool; NULL: that fails, too */
static struct rte_mbuf *chain_of(uint32_t from, uint32_t len)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(subject_pool), *tail;
	uint32_t first = len > 1000 ? 1000 : len;
	uint8_t *p;

	if (head == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(head, (uint16_t)first);
	for (uint32_t i = 0; i < first; i++)
		p[i] = pattern(from + i);
	if (first == len)
		return head;
	tail = rte_pktmbuf_alloc(subject_pool);
	if (tail == NULL) {
		rte_pktmbuf_free(head);
		return NULL;
	}
	p = (uint8_t *)rte_pktmbuf_append(tail, (uint16_t)(len - first));
	for (uint32_t i = first; i < len; i++)
		p[i - first] = pattern(from + i);
	rte_pktmbuf_chain(head, tail);
	return head;
}

static ssize_t send_some(struct world *w, int side, struct end *e, uint32_t len)
{
	uint8_t buf[3000];
	struct rte_mbuf *m;

	if (side == w->plan->subject && w->plan->zero_copy) {
		len = RTE_MIN(len, 2500u);
		m = chain_of(e->sent, len);
		if (m == NULL) {
			errno = 0; /* it tries again in the next turn */
			return -1;
		}
		if (pc_send_mbuf(w->st[side], e->fd, m, NULL) == 0)
			return len;
		rte_pktmbuf_free(m);
		return -1;
	}
	len = RTE_MIN(len, (uint32_t)sizeof(buf));
	for (uint32_t i = 0; i < len; i++)
		buf[i] = pattern(e->sent + i);
	return pc_send(w->st[side], e->fd, buf, len, 0);
}

static void transmit(struct world *w, int side, struct end *e)
{
	while (e->writable && e->sent < w->plan->bytes[side]) {
		ssize_t n = send_some(w, side, e, w->plan->bytes[side] - e->sent);

		if (n < 0 && errno == 0)
			return;
		if (n < 0 && errno == EAGAIN) {
			e->writable = false;
			return;
		}
		if (n < 0) {
			wrong(w, "send: %s", strerror(errno));
			return;
		}
		e->sent += (uint32_t)n;
		w->progress = true;
	}
	if (e->sent == w->plan->bytes[side] && e->writable && !e->shut) {
		pc_shutdown(w->st[side], e->fd, SHUT_WR);
		e->shut = true;
		w->progress = true;
	}
}

static void connect_one(struct world *w, uint32_t i)
{
	struct end *e = &w->end[CLIENT][i];
	struct sockaddr_storage a;
	socklen_t len = address(w, SERVER, 80, &a);
	ssize_t rc;

	e->fd = pc_socket(w->st[CLIENT], a.ss_family, SOCK_STREAM, 0);
	if (e->fd < 0) {
		if (!is_failing() && errno != ENFILE)
			wrong(w, "socket: %s", strerror(errno));
		e->fd = 0; /* in the next turn, then */
		return;
	}
	if (w->plan->rcvbuf != 0 && w->plan->subject == SERVER)
		pc_setsockopt(w->st[CLIENT], e->fd, SOL_SOCKET, SO_RCVBUF, &w->plan->rcvbuf,
		              sizeof(int));
	watch(w, CLIENT, e->fd, i);
	if (w->plan->fast_open) {
		uint8_t hello[1] = {pattern(0)};

		rc = pc_sendto(w->st[CLIENT], e->fd, hello, 1, MSG_FASTOPEN, (struct sockaddr *)&a,
		               len);
		if (rc > 0)
			e->sent = (uint32_t)rc;
	} else {
		rc = pc_connect(w->st[CLIENT], e->fd, (struct sockaddr *)&a, len);
	}
	if (rc < 0 &&
	    errno == EADDRNOTAVAIL) { /* it has stood still: its address is not checked yet */
		pc_close(w->st[CLIENT], e->fd);
		e->fd = 0;
		return;
	}
	if (rc < 0 && errno != EINPROGRESS) {
		wrong(w, "connect: %s", strerror(errno));
		return;
	}
	w->progress = true;
}

static void accept_all(struct world *w)
{
	int fd;

	while ((fd = pc_accept(w->st[SERVER], w->lfd, NULL, NULL)) >= 0) {
		if (w->accepted == w->plan->conns) {
			wrong(w, "a connection too many");
			return;
		}
		w->end[SERVER][w->accepted].fd = fd;
		watch(w, SERVER, fd, w->accepted++);
		w->progress = true;
	}
}

static void take_events(struct world *w, int side)
{
	struct epoll_event ev[8];
	int n;

	while ((n = pc_epoll_wait(w->st[side], w->ep[side], ev, 8)) > 0)
		for (int i = 0; i < n; i++) {
			struct end *e = &w->end[side][ev[i].data.u32 % CONNS];

			if (ev[i].data.u32 == CONNS) {
				accept_all(w);
				continue;
			}
			e->readable |= (ev[i].events & ~(uint32_t)EPOLLOUT) != 0;
			e->writable |= (ev[i].events & EPOLLOUT) != 0;
		}
}

static bool may_connect(const struct world *w, uint32_t i)
{
	if (w->plan->ip6 && w->now < BEGIN + 10 * SECOND) /* its own address may not be used yet */
		return false;
	/* with Fast Open the first one fetches the cookie */
	return i == 0 || !w->plan->fast_open || w->end[CLIENT][0].closed;
}

static void app_turn(struct world *w, int side)
{
	take_events(w, side);
	for (uint32_t i = 0; i < w->plan->conns; i++) {
		struct end *e = &w->end[side][i];

		if (side == CLIENT && e->fd == 0 && !e->closed && may_connect(w, i))
			connect_one(w, i);
		if (e->fd == 0 || e->closed)
			continue;
		if (reads(w, side))
			receive(w, side, e);
		transmit(w, side, e);
		if (e->shut && e->ended)
			finish(w, side, e);
	}
}

/* ---- time ------------------------------------------------------------------------------------- */

static uint64_t frames_sent(const struct world *w)
{
	return pc_stack_counters(w->st[0])->value[PC_TX_FRAMES] +
	       pc_stack_counters(w->st[1])->value[PC_TX_FRAMES];
}

static bool is_done(const struct world *w)
{
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < w->plan->conns; i++)
			if (!w->end[side][i].closed)
				return false;
	return true;
}

/* a drought is over after some seconds, whoever has asked how often */
static void heal(struct world *w)
{
	if (inside.fault.n != FOREVER || inside.fault.kind == BACK || !is_failing())
		return; /* a clock that is set back stays so */
	if (w->heal_ns == 0)
		w->heal_ns = w->now + (inside.fault.kind == STALL ? STALL_NS : DROUGHT_NS);
	if (w->now < w->heal_ns)
		return;
	failpool_heal(subject_pool);
	inside.fault.n = 0;
}

/* the clock that a side sees */
static uint64_t clock_of(const struct world *w, int side)
{
	if (side != w->plan->subject || !is_failing())
		return w->now;
	return inside.fault.kind == BACK    ? w->now - 3000 * SECOND
	       : inside.fault.kind == FORTH ? w->now + 30 * 3600 * SECOND
	                                    : w->now;
}

/* one turn of both; returns whether anything happened */
static bool step(struct world *w)
{
	uint64_t sent = frames_sent(w);
	unsigned frames = 0;

	w->progress = false;
	for (enum kind kind = TX_FULL; kind < KINDS; kind++)
		inside.taken[kind]++;
	heal(w);
	for (int side = 0; side < 2; side++) {
		bool subject = side == w->plan->subject;

		if (subject && suffers(STALL))
			continue;
		frames += pc_stack_poll(w->st[side], clock_of(w, side));
		app_turn(w, side);
		if (subject && suffers(SLOW))
			w->now += SECOND / 3;
		pc_stack_flush(w->st[side], clock_of(w, side));
		if (w->steps++ % 17 == 0 && pc_stack_validate(w->st[side], stderr) != 0)
			wrong(w, "pc_stack_validate finds a broken invariant");
	}
	return frames != 0 || w->progress || frames_sent(w) != sent;
}

/* when a side wants its turn, by the clock of all */
static uint64_t next_of(const struct world *w, int side)
{
	uint64_t next = pc_stack_next_deadline(w->st[side]);

	if (side == w->plan->subject && suffers(STALL))
		return UINT64_MAX;
	return next == UINT64_MAX ? next : next - clock_of(w, side) + w->now;
}

static void pass(struct world *w, uint64_t most)
{
	uint64_t next = RTE_MIN(next_of(w, 0), next_of(w, 1));
	uint64_t pause_end = BEGIN + w->plan->pause_ms / BEGIN;

	if (w->now < w->heal_ns)
		next = RTE_MIN(next, w->heal_ns);
	if (w->now < pause_end)
		next = RTE_MIN(next, pause_end);
	if (w->plan->ip6 && w->now < BEGIN + 10 * SECOND)
		next = RTE_MIN(next, BEGIN + 10 * SECOND);
	/* a stack that waits for an mbuf is always due */
	w->now = RTE_MIN(next > w->now ? next : w->now + TURN_NS, most);
}

static void run(struct world *w)
{
	const uint64_t limit = w->now + 600 * SECOND;

	while (w->wrong[0] == '\0' && !is_done(w) && w->now < limit)
		if (!step(w))
			pass(w, limit);
	if (!is_done(w))
		wrong(w, "not done after %" PRIu64 " s: sent %u and %u, received %u and %u",
		      (w->now - BEGIN) / SECOND, w->end[0][0].sent, w->end[1][0].sent,
		      w->end[0][0].rcvd, w->end[1][0].rcvd);
}

/* nothing may be left after TIME-WAIT, and an orphan's patience */
static void check_ends(struct world *w)
{
	const uint64_t limit = w->now + 200 * SECOND;
	struct pc_stack_usage u;

	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < w->plan->conns; i++)
			if (w->end[side][i].rcvd != w->plan->bytes[!side])
				wrong(w, "%u bytes arrived, not %u", w->end[side][i].rcvd,
				      w->plan->bytes[!side]);
	while (w->wrong[0] == '\0' && w->now < limit)
		if (!step(w))
			pass(w, limit);
	for (int side = 0; side < 2; side++) {
		pc_stack_get_usage(w->st[side], &u);
		if (u.connections + u.half_open + u.time_wait != 0)
			wrong(w, "left on side %d: %u connections, %u half-open, %u in TIME-WAIT",
			      side, u.connections, u.half_open, u.time_wait);
	}
}

static unsigned runs;

/* Runs a scenario with a fault; returns how many allocations of that kind its transfers made. */
static uint64_t run_plan(const struct plan *plan, enum kind kind, uint64_t first, uint64_t n)
{
	static const char *const names[] = {"mbuf",
	                                    "TCB",
	                                    "queues",
	                                    "full port",
	                                    "dead link",
	                                    "flapping link",
	                                    "full receive ring",
	                                    "stall",
	                                    "clock set back",
	                                    "clock set forth",
	                                    "slow turn"};
	struct world w;
	uint64_t taken;

	memset(&inside, 0, sizeof(inside));
	inside.fault = (struct fault){kind, first, n};
	failpool_set(subject_pool, first, kind == MBUF ? n : 0);
	runs++;
	open_world(&w, plan);
	run(&w);
	taken = kind == MBUF ? failpool_taken(subject_pool) : inside.taken[kind];
	check_ends(&w);
	close_world(&w);
	if (w.wrong[0] != '\0') {
		fprintf(stderr, "\n%s, %s %" PRIu64 " and %" PRIu64 " more: %s\n", plan->name,
		        names[kind], first, n - 1, w.wrong);
		CU_FAIL("a run with a fault");
	}
	return taken;
}

/* ---- the scenarios ---------------------------------------------------------------------------- */

static void bbr(struct pc_stack_config *cfg)
{
	cfg->tcp_congestion = 3;
	cfg->tcp_ecn = 1;
}

static void plain(struct pc_stack_config *cfg)
{
	cfg->tcp_sack = 0;
	cfg->tcp_timestamps = 0;
	cfg->tcp_rack = 0;
}

static void cookies(struct pc_stack_config *cfg)
{
	cfg->tcp_syn_cookies = 2;
}

static void fast(struct pc_stack_config *cfg)
{
	cfg->tcp_fastopen = 3;
}

static void probing(struct pc_stack_config *cfg)
{
	cfg->tcp_mtu_probing = 2;
	cfg->tcp_base_mss = 536;
}

static const struct plan plans[] = {
    {.name = "a server's answer", .subject = SERVER, .conns = 1, .bytes = {300, 9000}},
    {.name = "a client's question", .subject = CLIENT, .conns = 1, .bytes = {9000, 300}},
    {.name = "a server over IPv6",
     .subject = SERVER,
     .conns = 2,
     .bytes = {300, 5000},
     .ip6 = true},
    {.name = "a client over IPv6",
     .subject = CLIENT,
     .conns = 2,
     .bytes = {5000, 300},
     .ip6 = true},
    {.name = "several connections", .subject = SERVER, .conns = 8, .bytes = {2000, 2000}},
    {.name = "losses", .subject = SERVER, .conns = 3, .bytes = {20000, 40000}, .loss_ppm = 50000},
    {.name = "losses without SACK",
     .subject = CLIENT,
     .conns = 2,
     .bytes = {40000, 9000},
     .loss_ppm = 50000,
     .configure = plain},
    {.name = "reordering",
     .subject = SERVER,
     .conns = 2,
     .bytes = {40000, 40000},
     .reorder_ppm = 100000},
    {.name = "a closed window",
     .subject = SERVER,
     .conns = 2,
     .bytes = {100, 40000},
     .pause_ms = 30000,
     .rcvbuf = 8192},
    {.name = "a closed window of a server",
     .subject = CLIENT,
     .conns = 2,
     .bytes = {40000, 100},
     .pause_ms = 30000,
     .rcvbuf = 8192},
    {.name = "chains, not copied",
     .subject = SERVER,
     .conns = 2,
     .bytes = {100, 30000},
     .zero_copy = true,
     .loss_ppm = 20000},
    {.name = "chains and a closed window",
     .subject = CLIENT,
     .conns = 1,
     .bytes = {30000, 100},
     .zero_copy = true,
     .pause_ms = 10000,
     .rcvbuf = 8192},
    {.name = "Fast Open of a server",
     .subject = SERVER,
     .conns = 3,
     .bytes = {2000, 2000},
     .fast_open = true,
     .configure = fast},
    {.name = "Fast Open of a client",
     .subject = CLIENT,
     .conns = 3,
     .bytes = {2000, 2000},
     .fast_open = true,
     .configure = fast},
    {.name = "a narrow path", .subject = SERVER, .conns = 2, .bytes = {100, 20000}, .mtu = 700},
    {.name = "probing for the path's MTU",
     .subject = SERVER,
     .conns = 1,
     .bytes = {100, 90000},
     .configure = probing},
    {.name = "BBR with ECN",
     .subject = SERVER,
     .conns = 2,
     .bytes = {100, 40000},
     .configure = bbr,
     .loss_ppm = 20000},
    {.name = "SYN cookies",
     .subject = SERVER,
     .conns = 2,
     .bytes = {300, 3000},
     .configure = cookies},
};

#define PLANS (sizeof(plans) / sizeof(plans[0]))

/* so that a scenario with many allocations takes no longer than others: every k-th of them */
static uint64_t runs_per_plan = 60;

static void each_of(const struct plan *plan, enum kind kind)
{
	const uint64_t taken = run_plan(plan, kind, 0, 0);
	const uint64_t step = RTE_MAX(taken / runs_per_plan, 1u);

	for (uint64_t n = 1; n <= taken; n += step) {
		if (kind <= QUEUES)
			run_plan(plan, kind, n, 1);
		run_plan(plan, kind, n, FOREVER);
	}
	printf("%" PRIu64 " ", taken);
}

static void every_allocation(void)
{
	const struct plan *plan = plans;

	while (strcmp(plan->name, CU_get_current_test()->pName) != 0)
		plan++;
	for (enum kind kind = MBUF; kind < KINDS; kind++)
		if (kind != FORTH ||
		    plan->configure != cookies) /* which are good for two minutes */
			each_of(plan, kind);
}

/* Nothing but the application's own asking ends this drought, which it does after forty refusals: the
 * stack must say that the application has something to do, or nobody gives it a turn. */
static void asks_again(void)
{
	for (uint64_t n = 4; n <= 9; n++)
		run_plan(&plans[0], MBUF, n, 40);
}

int main(int argc, char **argv)
{
	struct unit_case cases[PLANS + 1];
	unsigned n = 0;

	if (argc > 2 && strcmp(argv[1], "--runs") == 0)
		runs_per_plan = strtoull(argv[2], NULL, 10);
	for (size_t i = 0; i < PLANS; i++)
		if (argc < 4 || strstr(plans[i].name, argv[3]) != NULL)
			cases[n++] = (struct unit_case){plans[i].name, every_allocation};
	cases[n++] = (struct unit_case){"who was refused gets another turn", asks_again};
	eal_start();
	subject_pool = failpool_make("subject", MBUFS);
	other_pool = eal_pool("other", 2047);
	wire_pool = eal_pool("wire", 4095);
	n = (unsigned)unit_run("faults", cases, n);
	printf("%u runs\n", runs);
	return (int)n;
}
