/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mempool.h>

#include "eal.h"

/*
 * Overview: the world around the applications: two stacks, the wire, the faults, the clock.
 *
 * A step is one turn of both loops.  While frames arrive or an application does something the clock
 * stands still; then it jumps to the next moment at which anything is due.  Everything is validated
 * on the way.
 */

#define HOUR_NS 3600000000000ULL

bool sim_fail(struct sim *s, const char *format, ...)
{
	va_list args;

	if (s->wrong[0] != '\0')
		return false;
	va_start(args, format);
	vsnprintf(s->wrong, sizeof(s->wrong), format, args);
	va_end(args);
	return false;
}

static uint64_t next_random(struct sim *s)
{
	uint64_t z = s->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t sim_rnd(struct sim *s, uint64_t lo, uint64_t hi)
{
	return lo + next_random(s) % (hi - lo + 1);
}

bool sim_chance(struct sim *s, unsigned percent)
{
	return next_random(s) % 100 < percent;
}

static void plan_stack(struct sim *s, struct pc_stack_config *cfg)
{
	pc_stack_config_init(cfg);
	cfg->stack_seed = sim_rnd(s, 1, UINT32_MAX);
	cfg->stack_max_connections = 2 * SIM_CONNS + 8;
	cfg->stack_max_listeners = 2;
	cfg->stack_max_udp_sockets = 2;
	cfg->arp_entries = 16;
	cfg->tcp_syn_cache = 64;
	cfg->tcp_time_wait = 64;
	cfg->tcp_timestamps = sim_chance(s, 70);
	cfg->tcp_window_scaling = sim_chance(s, 70);
	cfg->tcp_sack = sim_chance(s, 70);
	cfg->tcp_nagle = sim_chance(s, 70);
	cfg->tcp_rcvbuf = sim_chance(s, 30) ? sim_rnd(s, 4096, 20000) : sim_rnd(s, 20000, 524288);
	cfg->tcp_sndbuf = sim_chance(s, 30) ? sim_rnd(s, 4096, 20000) : sim_rnd(s, 20000, 524288);
	cfg->tcp_delack_ms = s->clean || sim_chance(s, 70) ? 40 : sim_rnd(s, 0, 499);
	cfg->tcp_msl_ms = sim_rnd(s, 10, 2000);
	/* an end only by agreement: nothing may give up because of the network */
	cfg->tcp_syn_retries = cfg->tcp_synack_retries = 20;
	cfg->tcp_retries = cfg->tcp_orphan_retries = 40;
	cfg->tcp_rto_max_ms = sim_rnd(s, 1000, 20000);
	/* what an abort leaves behind when its RST is lost is found by these */
	cfg->tcp_keepalive = 1;
	cfg->tcp_keepalive_idle_ms = 20000;
	cfg->tcp_keepalive_interval_ms = 2000;
	cfg->tcp_keepalive_probes = 30;
	cfg->tcp_fin_wait2_ms = 3600000;
	cfg->stack_rx_burst = sim_rnd(s, 1, 64);
	cfg->tcp_congestion = sim_rnd(s, 0, 2);
	cfg->tcp_hystart = sim_chance(s, 70);
	cfg->tcp_ecn = sim_rnd(s, 0, 2);
}

static void plan_faults(struct sim *s, struct pc_fault_config *f)
{
	if (sim_chance(s, 70))
		f->rx_loss_ppm = (uint32_t)sim_rnd(s, 0, sim_chance(s, 30) ? 200000 : 30000);
	if (sim_chance(s, 10))
		f->tx_loss_ppm = (uint32_t)sim_rnd(s, 0, 30000);
	if (sim_chance(s, 50))
		f->duplicate_ppm = (uint32_t)sim_rnd(s, 0, 100000);
	if (sim_chance(s, 50))
		f->reorder_ppm = (uint32_t)sim_rnd(s, 0, 200000);
	if (sim_chance(s, 40))
		f->corrupt_ppm = (uint32_t)sim_rnd(s, 0, 50000);
	f->reorder_delay_ns = sim_rnd(s, 100000, 20000000);
	f->queue = (uint32_t)sim_rnd(s, 64, 1024);
}

static void plan_network(struct sim *s, struct pc_fault_config *f)
{
	f->seed = sim_rnd(s, 1, UINT32_MAX);
	f->pool = s->pool;
	f->queue = 16384;
	if (!s->clean)
		plan_faults(s, f);
	if (sim_chance(s, 80))
		f->delay_ns = sim_rnd(s, 1000, sim_chance(s, 20) ? 150000000 : 10000000);
	if (sim_chance(s, 30))
		f->jitter_ns = sim_rnd(s, 0, 5000000);
	if (sim_chance(s, 40))
		f->rate_bps = sim_rnd(s, 500000, 100000000);
	if (sim_chance(s, 40))
		f->mark_ppm = (uint32_t)sim_rnd(s, 0, 100000);
	if (sim_chance(s, 30))
		f->mark_ns = sim_rnd(s, 100000, 20000000);
}

static bool open_side(struct sim *s, int side, struct pc_port *wire, const char *pcap)
{
	struct pc_prefix addr;
	struct pc_port *p = pc_port_fault(wire, &s->fault[side]);

	if (p == NULL)
		return sim_fail(s, "pc_port_fault: %s", strerror(errno));
	s->port[side] = p;
	if (side == CLIENT && pcap != NULL) {
		s->port[side] = pc_port_pcap(p, pcap);
		if (s->port[side] == NULL) {
			s->port[side] = p;
			return sim_fail(s, "%s: %s", pcap, strerror(errno));
		}
	}
	s->stack_pool[side] = !s->clean && sim_chance(s, 10) ? s->tiny[side] : s->pool;
	s->st[side] = pc_stack_create(&s->cfg[side], s->stack_pool[side]);
	if (s->st[side] == NULL)
		return sim_fail(s, "pc_stack_create: %s", strerror(errno));
	pc_prefix_parse(side == CLIENT ? "10.0.0.1/24" : "10.0.0.2/24", &addr);
	if (pc_stack_add_port(s->st[side], s->port[side]) != 0 ||
	    pc_stack_add_addr(s->st[side], 0, &addr) != 0)
		return sim_fail(s, "port or address refused: %s", strerror(errno));
	s->ep[side] = pc_epoll_create(s->st[side]);
	return s->ep[side] > 0 || sim_fail(s, "pc_epoll_create: %s", strerror(errno));
}

static bool open_world(struct sim *s, const char *pcap)
{
	struct pc_wire_config wc = {.pool = s->pool};
	const uint32_t tx = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
	struct pc_port *wire[2];

	for (int side = 0; side < 2; side++) {
		plan_stack(s, &s->cfg[side]);
		plan_network(s, &s->fault[side]);
	}
	if (sim_chance(s, 30)) /* who corrupts must not believe in checksums of the port's */
		wc.offloads |= tx;
	if (sim_chance(s, 30))
		wc.offloads |= PC_PORT_TX_MULTI_SEGS;
	if (pc_port_wire(&wc, wire) != 0)
		return sim_fail(s, "no wire");
	if (!open_side(s, CLIENT, wire[0], pcap)) {
		pc_port_close(wire[1]);
		return false;
	}
	if (!open_side(s, SERVER, wire[1], NULL))
		return false;
	s->lfd = pc_socket(s->st[SERVER], AF_INET, SOCK_STREAM, 0);
	if (s->lfd < 0 ||
	    pc_bind(s->st[SERVER], s->lfd, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	    pc_listen(s->st[SERVER], s->lfd, (int)sim_rnd(s, 0, 30)) != 0 ||
	    pc_epoll_ctl(s->st[SERVER], s->ep[SERVER], EPOLL_CTL_ADD, s->lfd, &ev) != 0)
		return sim_fail(s, "cannot listen: %s", strerror(errno));
	return true;
}

static void check_pool(struct sim *s, struct rte_mempool *pool)
{
	if (eal_freed_twice(pool) != 0)
		sim_fail(s, "mbufs were freed twice");
	if (eal_in_use(pool) != 0)
		sim_fail(s, "%u mbufs of pool %s leaked", eal_in_use(pool), pool->name);
}

static void close_world(struct sim *s)
{
	for (int side = 0; side < 2; side++) {
		pc_stack_destroy(s->st[side]);
		pc_port_close(s->port[side]);
	}
	check_pool(s, s->pool);
	for (int side = 0; side < 2; side++)
		check_pool(s, s->tiny[side]);
}

static uint64_t frames_sent(const struct sim *s)
{
	return pc_stack_counters(s->st[CLIENT])->value[PC_TX_FRAMES] +
	       pc_stack_counters(s->st[SERVER])->value[PC_TX_FRAMES];
}

/* One turn of both loops. Returns whether anything happened. */
static bool step(struct sim *s)
{
	const uint64_t sent = frames_sent(s);
	unsigned frames = 0;

	s->progress = false;
	for (int side = 0; side < 2; side++) {
		frames += pc_stack_poll(s->st[side], s->now);
		app_turn(s, side);
		pc_stack_flush(s->st[side], s->now);
		if (s->steps % s->validate_every == 0 &&
		    pc_stack_validate(s->st[side], stderr) != 0)
			sim_fail(s, "pc_stack_validate finds a broken invariant");
	}
	s->frames += frames;
	s->steps++;
	/* what was sent lies in the wire until the other side looks */
	return frames != 0 || s->progress || frames_sent(s) != sent;
}

static uint64_t next_event(const struct sim *s)
{
	uint64_t next = app_next(s);

	for (int side = 0; side < 2; side++) {
		next = RTE_MIN(next, pc_stack_next_deadline(s->st[side]));
		if (s->port[side]->ops->next_deadline != NULL)
			next = RTE_MIN(next, s->port[side]->ops->next_deadline(s->port[side]));
	}
	return next;
}

/* Runs until done says so (or, if NULL, until nothing is due any more). */
static bool run(struct sim *s, bool (*done)(const struct sim *), uint64_t limit_ns)
{
	const uint64_t end = s->now + limit_ns;
	unsigned still = 0, late = 0;

	while (s->wrong[0] == '\0') {
		uint64_t next;

		if (step(s) && ++still < 100000)
			continue;
		if (still >= 100000)
			return sim_fail(s, "the stacks never come to rest");
		if (done != NULL && done(s))
			return true;
		next = next_event(s);
		if (next == UINT64_MAX) {
			if (done == NULL)
				return true;
			for (int side = 0; side < 2; side++) /* the events that never came */
				pc_stack_poll(s->st[side], s->now);
			return sim_fail(s, "nothing is due any more, but connections are not done");
		}
		if (next > end)
			return sim_fail(s, "not done after %llu s of virtual time",
			                (unsigned long long)(limit_ns / 1000000000));
		/* a deadline that has passed is due now; a turn of a real loop takes time, too */
		if (next <= s->now) {
			next = s->now + (late < 160 ? 1000ull << late / 16 : 1000000ull);
			late++;
		} else {
			still = late = 0;
		}
		s->now = next;
	}
	return false;
}

static void check_left_over(struct sim *s)
{
	struct pc_stack_usage u;

	for (int side = 0; side < 2; side++) {
		pc_stack_get_usage(s->st[side], &u);
		if (u.connections != 0 || u.half_open != 0 || u.time_wait != 0 || u.listeners != 0)
			sim_fail(
			    s,
			    "left over: %u connections, %u half-open, %u TIME-WAIT, %u listeners",
			    u.connections, u.half_open, u.time_wait, u.listeners);
		if (pc_stack_validate(s->st[side], stderr) != 0)
			sim_fail(s, "pc_stack_validate finds a broken invariant at the end");
	}
}

/* Without faults nothing is lost, so nothing may be taken for lost. */
static void check_clean(struct sim *s)
{
	for (unsigned i = 0; i < s->nb_conns; i++)
		if (s->conn[i].aborted)
			return;
	for (int side = 0; side < 2; side++) {
		const uint64_t *c = pc_stack_counters(s->st[side])->value;

		/* a queue may grow faster than a time-out learns of it */
		if (c[PC_TCP_TIMEOUTS] != 0 &&
		    (s->fault[CLIENT].rate_bps != 0 || s->fault[SERVER].rate_bps != 0))
			continue;
		if (c[PC_TCP_TIMEOUTS] != 0 || c[PC_TCP_FAST_RETRANSMITS] != 0)
			sim_fail(s, "%llu time-outs and %llu fast retransmits without a loss",
			         (unsigned long long)c[PC_TCP_TIMEOUTS],
			         (unsigned long long)c[PC_TCP_FAST_RETRANSMITS]);
	}
}

static void describe_side(const struct sim *s, int side)
{
	const struct pc_stack_config *cfg = &s->cfg[side];
	const struct pc_fault_config *f = &s->fault[side];
	const struct pc_counters *c = pc_stack_counters(s->st[side]);

	fprintf(stderr,
	        "  %s: loss %u/%u ppm, dup %u, reorder %u by %llu us, corrupt %u, delay %llu us, "
	        "%llu bit/s, queue %u\n   ",
	        side == CLIENT ? "client" : "server", f->rx_loss_ppm, f->tx_loss_ppm,
	        f->duplicate_ppm, f->reorder_ppm, (unsigned long long)f->reorder_delay_ns / 1000,
	        f->corrupt_ppm, (unsigned long long)f->delay_ns / 1000,
	        (unsigned long long)f->rate_bps, f->queue);
	fprintf(stderr, " ts %llu ws %llu sack %llu rcvbuf %llu sndbuf %llu burst %llu;",
	        (unsigned long long)cfg->tcp_timestamps,
	        (unsigned long long)cfg->tcp_window_scaling, (unsigned long long)cfg->tcp_sack,
	        (unsigned long long)cfg->tcp_rcvbuf, (unsigned long long)cfg->tcp_sndbuf,
	        (unsigned long long)cfg->stack_rx_burst);
	if (s->stack_pool[side] != s->pool)
		fprintf(stderr, " tiny pool;");
	for (unsigned i = 0; i < PC_COUNTER_MAX; i++)
		if (c->value[i] != 0)
			fprintf(stderr, " %s %llu", pc_counter_name(i),
			        (unsigned long long)c->value[i]);
	fprintf(stderr, "\n");
}

static void describe(const struct sim *s)
{
	describe_side(s, CLIENT);
	describe_side(s, SERVER);
	for (unsigned i = 0; i < s->nb_conns; i++) {
		const struct conn *c = &s->conn[i];

		for (int side = 0; side < 2; side++)
			fprintf(
			    stderr,
			    "  connection %u %s fd %d%s%s: sent %u of %u%s, peer read %u%s%s%s\n",
			    i, side == CLIENT ? "client" : "server", c->end[side].fd,
			    c->end[side].closed ? " closed" : "", c->end[side].edge ? " edge" : "",
			    c->out[side].sent, c->out[side].total, c->out[side].shut ? " shut" : "",
			    c->out[side].rcvd, c->out[side].ended ? " ended" : "",
			    c->end[side].readable ? " R" : "", c->end[side].writable ? " W" : "");
	}
}

/* Clocks begin anywhere: at 0, after days, before something in 32 bits wraps. */
static uint64_t some_start(struct sim *s)
{
	switch (sim_rnd(s, 0, 5)) {
	case 0:
		return 0;
	case 1: /* of ticks of 65.536 us, signed and unsigned */
		return (1ULL << (15 + 32)) - sim_rnd(s, 0, 10000000000);
	case 2:
		return (1ULL << (16 + 32)) - sim_rnd(s, 0, 10000000000);
	case 3: /* of ms */
		return (1ULL << 32) * 1000000 - sim_rnd(s, 0, 10000000000);
	case 4: /* of us */
		return (1ULL << 32) * 1000 * sim_rnd(s, 1, 100) - sim_rnd(s, 0, 10000000000);
	default:
		return sim_rnd(s, 0, 1000) * 1000000000;
	}
}

bool sim_run(struct sim *s, uint64_t seed, const char *pcap)
{
	const struct sim clean = {.verbose = s->verbose,
	                          .pool = s->pool,
	                          .seed = seed,
	                          .rng = seed,
	                          .tiny = {s->tiny[0], s->tiny[1]}};

	*s = clean;
	s->now = some_start(s);
	s->clean = sim_chance(s, 5);
	s->validate_every = sim_chance(s, 12) ? 1 : 16;
	if (open_world(s, pcap)) {
		app_plan(s);
		if (run(s, app_is_done, 24 * HOUR_NS)) {
			pc_close(s->st[SERVER], s->lfd);
			if (run(s, NULL, 48 * HOUR_NS))
				check_left_over(s);
			if (s->clean)
				check_clean(s);
		}
		if (s->wrong[0] != '\0' || s->verbose)
			describe(s);
	}
	close_world(s);
	return s->wrong[0] == '\0';
}
