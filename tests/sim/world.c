/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>

#include <rte_common.h>

/*
 * Overview: the clock and the verdict.
 *
 * A step is one turn of all loops. While frames arrive or an application does something, the clock
 * stands still; then it jumps to the next time at which anything is due. Everything is validated on
 * the way.
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

static uint64_t frames_sent(const struct sim *s)
{
	uint64_t sent = 0;

	for (int n = 0; n < SIM_NODES; n++)
		if (s->node[n].st != NULL)
			sent += pc_stack_counters(s->node[n].st)->value[PC_TX_FRAMES];
	return sent;
}

static void validate(struct sim *s, int n)
{
	if (pc_stack_validate(s->node[n].st, stderr) != 0)
		sim_fail(s, "pc_stack_validate finds a broken invariant");
}

/* One turn of all loops. Returns whether anything happened. */
static bool step(struct sim *s)
{
	const uint64_t sent = frames_sent(s);
	unsigned frames = 0;

	s->progress = false;
	trouble_turn(s);
	for (int n = 0; n < SIM_NODES; n++) {
		struct node *node = &s->node[n];

		if (!node_is_up(s, n))
			continue;
		frames += pc_stack_poll(node->st, s->now + node->ahead);
		app_turn(s, n);
		pc_stack_flush(node->st, s->now + node->ahead);
		if (s->steps % s->validate_every == 0)
			validate(s, n);
	}
	s->frames += frames;
	s->steps++;
	/* frames that were sent are in the wire until the other side polls */
	return frames != 0 || s->progress || frames_sent(s) != sent;
}

/* Returns when a machine or one of its ports must be polled, by the common clock. */
static uint64_t node_next(const struct sim *s, int n)
{
	const struct node *node = &s->node[n];
	uint64_t next;

	if (!node_is_up(s, n))
		return UINT64_MAX;
	next = pc_stack_next_deadline(node->st);
	for (int i = 0; i < SIM_LINKS; i++)
		for (int e = 0; e < 2; e++) {
			const struct pc_port *p = s->net[i].port[e];

			if (p != NULL && p->ops->next_deadline != NULL &&
			    n == (e == 1   ? SERVER
			          : i == 0 ? CLIENT
			                   : SECOND))
				next = RTE_MIN(next, p->ops->next_deadline(p));
		}
	return next == UINT64_MAX || next < node->ahead ? next : next - node->ahead;
}

static uint64_t next_event(const struct sim *s)
{
	uint64_t next = RTE_MIN(app_next(s), trouble_next(s));

	for (int n = 0; n < SIM_NODES; n++)
		next = RTE_MIN(next, node_next(s, n));
	return next;
}

/* Runs until done returns true (or, if it is NULL, until nothing is due any more). */
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

	for (int n = 0; n < SIM_NODES; n++) {
		if (!node_is_up(s, n))
			continue;
		pc_stack_get_usage(s->node[n].st, &u);
		if (u.connections != 0 || u.half_open != 0 || u.time_wait != 0 || u.listeners != 0)
			sim_fail(
			    s,
			    "left over: %u connections, %u half-open, %u TIME-WAIT, %u listeners",
			    u.connections, u.half_open, u.time_wait, u.listeners);
		validate(s, n);
	}
}

static bool is_rated(const struct sim *s)
{
	for (int i = 0; i < SIM_LINKS; i++)
		if (s->net[i].fault[0].rate_bps != 0 || s->net[i].fault[1].rate_bps != 0)
			return true;
	return false;
}

/* Segments of a client that found the backlog full are lost. */
static bool is_refused(const struct sim *s)
{
	for (int n = 0; n < SIM_NODES; n++)
		if (s->node[n].st != NULL &&
		    pc_stack_counters(s->node[n].st)->value[PC_DROP_TCP_BACKLOG] != 0)
			return true;
	return false;
}

/* Without faults nothing is lost, so nothing may be considered lost. */
static void check_clean(struct sim *s)
{
	for (unsigned i = 0; i < s->nb_conns; i++)
		if (s->conn[i].aborted)
			return;
	if (is_refused(s))
		return;
	for (int n = 0; n < SIM_NODES; n++) {
		const uint64_t *c;

		if (s->node[n].st == NULL)
			continue;
		c = pc_stack_counters(s->node[n].st)->value;
		/* a queue may grow faster than the time-out adapts */
		if (c[PC_TCP_TIMEOUTS] != 0 && is_rated(s))
			continue;
		if (c[PC_TCP_TIMEOUTS] != 0 || c[PC_TCP_FAST_RETRANSMITS] != 0)
			sim_fail(s, "%llu time-outs and %llu fast retransmits without a loss",
			         (unsigned long long)c[PC_TCP_TIMEOUTS],
			         (unsigned long long)c[PC_TCP_FAST_RETRANSMITS]);
	}
}

static const char *const node_names[] = {"client", "server", "second client"};

static void describe_node(const struct sim *s, int n)
{
	const struct node *node = &s->node[n];
	const struct pc_stack_config *cfg = &node->cfg;
	const struct pc_counters *c = node->st != NULL ? pc_stack_counters(node->st) : NULL;

	fprintf(stderr,
	        "  %s: ts %llu ws %llu sack %llu rack %llu tlp %llu rcvbuf %llu sndbuf %llu burst "
	        "%llu ahead %llu ms boots %u%s;",
	        node_names[n], (unsigned long long)cfg->tcp_timestamps,
	        (unsigned long long)cfg->tcp_window_scaling, (unsigned long long)cfg->tcp_sack,
	        (unsigned long long)cfg->tcp_rack, (unsigned long long)cfg->tcp_tlp,
	        (unsigned long long)cfg->tcp_rcvbuf, (unsigned long long)cfg->tcp_sndbuf,
	        (unsigned long long)cfg->stack_rx_burst, (unsigned long long)node->ahead / 1000000,
	        node->boots, node->pool != s->pool ? " tiny pool" : "");
	for (unsigned i = 0; c != NULL && i < PC_COUNTER_MAX; i++)
		if (c->value[i] != 0)
			fprintf(stderr, " %s %llu", pc_counter_name(i),
			        (unsigned long long)c->value[i]);
	fprintf(stderr, "\n");
}

static void describe_net(const struct sim *s, int i)
{
	for (int e = 0; e < 2; e++) {
		const struct pc_fault_config *f = &s->net[i].fault[e];
		struct pc_fault_stats st;

		pc_port_fault_stats(s->net[i].faulty[e], &st);
		fprintf(
		    stderr,
		    "  net %d to %s: loss %u/%u ppm burst %u ack %u dup %u reorder %u by %llu us "
		    "corrupt %u mtu %u delay %llu us jitter %llu %llu bit/s backlog %llu us "
		    "queue %u; %llu frames %llu lost %llu too big %llu overflowed\n",
		    i, e == 1 ? "server" : "client", f->rx_loss_ppm, f->tx_loss_ppm, f->burst_ppm,
		    f->ack_loss_ppm, f->duplicate_ppm, f->reorder_ppm,
		    (unsigned long long)f->reorder_delay_ns / 1000, f->corrupt_ppm, f->mtu,
		    (unsigned long long)f->delay_ns / 1000, (unsigned long long)f->jitter_ns / 1000,
		    (unsigned long long)f->rate_bps, (unsigned long long)f->backlog_ns / 1000,
		    f->queue, (unsigned long long)st.rx, (unsigned long long)st.rx_lost,
		    (unsigned long long)st.too_big, (unsigned long long)st.overflowed);
	}
}

static void describe_conns(const struct sim *s)
{
	for (unsigned i = 0; i < s->nb_conns; i++) {
		const struct conn *c = &s->conn[i];

		for (int side = 0; side < 2; side++)
			fprintf(
			    stderr,
			    "  connection %u %s fd %d port %u%s%s%s: sent %u of %u%s, peer read "
			    "%u%s%s%s\n",
			    i, node_names[side == CLIENT ? c->client : SERVER], c->end[side].fd,
			    c->port, c->aborted ? " aborted" : "",
			    c->end[side].closed ? " closed" : "", c->end[side].edge ? " edge" : "",
			    c->out[side].sent, c->out[side].total, c->out[side].shut ? " shut" : "",
			    c->out[side].rcvd, c->out[side].ended ? " ended" : "",
			    c->end[side].readable ? " R" : "", c->end[side].writable ? " W" : "");
	}
}

static void describe(const struct sim *s)
{
	static const char *const kinds[] = {"stop",   "reboot",  "jump",
	                                    "hunger", "weather", "blackout"};

	if (s->wrong[0] != '\0')
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)s->seed, s->wrong);
	fprintf(stderr, "  %s%sat %llu ms, %llu steps, %llu forged\n", s->clean ? "clean, " : "",
	        s->attacked ? "attacked, " : "", (unsigned long long)s->now / 1000000,
	        (unsigned long long)s->steps, (unsigned long long)s->forged);
	for (unsigned i = 0; i < s->nb_troubles; i++)
		fprintf(stderr, "  %s of %s at %llu ms for %llu ms\n", kinds[s->trouble[i].kind],
		        node_names[s->trouble[i].node],
		        (unsigned long long)s->trouble[i].at / 1000000,
		        (unsigned long long)s->trouble[i].lasts / 1000000);
	for (int n = 0; n < SIM_NODES; n++)
		if (s->node[n].exists)
			describe_node(s, n);
	for (int i = 0; i < SIM_LINKS; i++)
		if (s->net[i].faulty[1] != NULL)
			describe_net(s, i);
	describe_conns(s);
}

/* Clocks begin anywhere: at 0, after days, or just before a 32-bit value wraps. */
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
	                          .eaten = s->eaten,
	                          .seed = seed,
	                          .rng = seed,
	                          .tiny = {s->tiny[0], s->tiny[1], s->tiny[2]}};

	*s = clean;
	s->now = some_start(s);
	plan_run(s);
	if (node_open(s, pcap)) {
		app_plan(s);
		plan_troubles(s);
		if (run(s, app_is_done, 24 * HOUR_NS)) {
			s->closing = true;
			if (s->node[SERVER].st != NULL)
				pc_close(s->node[SERVER].st, s->lfd);
			if (run(s, NULL, 48 * HOUR_NS))
				check_left_over(s);
			if (s->clean)
				check_clean(s);
		}
		if (s->wrong[0] != '\0' || s->verbose)
			describe(s);
	}
	node_close(s);
	return s->wrong[0] == '\0';
}
