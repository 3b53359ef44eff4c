/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: a search for defects in whole lives of connections (lives.h): the clock, and the
 * verdict. `lives FIRST LAST` runs some seeds, `lives SEED SEED FILE` one, with a capture and what
 * it drew. Time is virtual.
 */

#include "lives.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_mempool.h>

#include "eal.h"

#define MBUFS       32767
#define SMALL_MBUFS 1023
#define HOUR        (3600 * SECOND)

static bool verbose;

bool life_fail(struct life *l, const char *format, ...)
{
	va_list args;

	if (l->wrong[0] != '\0')
		return false;
	va_start(args, format);
	vsnprintf(l->wrong, sizeof(l->wrong), format, args);
	va_end(args);
	return false;
}

/* one turn of all loops; returns whether anything happened */
static bool step(struct life *l)
{
	const uint64_t sent = net_frames(l);
	unsigned frames = 0;
	bool did = false;

	l->steps++;
	net_turn(l);
	for (int h = 0; h < HOSTS; h++) {
		struct host *o = &l->host[h];

		if (!host_is_up(l, h))
			continue;
		frames += pc_stack_poll(o->st, l->now + o->ahead);
		did = app_turn(l, h) || did;
		pc_stack_flush(o->st, l->now + o->ahead);
		if (l->steps % 64 == 0 && pc_stack_validate(o->st, stderr) != 0)
			life_fail(l, "a structure is broken");
	}
	/* frames that were sent are in the wire until the other side polls */
	return frames != 0 || did || net_frames(l) != sent;
}

/* runs until everything is over, or nothing is due any more */
static void run(struct life *l, bool (*is_over)(const struct life *l), uint64_t limit)
{
	const uint64_t end = l->now + limit;
	unsigned still = 0;

	while (l->wrong[0] == '\0' && (is_over == NULL || !is_over(l))) {
		uint64_t next;

		if (step(l) && ++still < 100000)
			continue;
		if (still >= 100000)
			life_fail(l, "the machines never come to rest");
		next = RTE_MIN(net_next(l), app_next(l));
		if (next == NEVER && is_over == NULL)
			return;
		if (next > end) {
			life_fail(l, "it does not end");
			return;
		}
		next = RTE_MAX(next, l->now + US);
		if (next > l->now + 100 * US)
			still = 0;
		app_advance(l, next - l->now);
		l->now = next;
	}
}

static void judge_host(struct life *l, int h)
{
	const struct pc_stack *st = l->host[h].st;
	struct pc_stack_usage u;

	if (st == NULL)
		return;
	pc_stack_get_usage(st, &u);
	if (u.connections + u.half_open + u.time_wait + u.listeners + u.udp_sockets != 0)
		life_fail(l,
		          "host %d has %u connections, %u half-open, %u in TIME-WAIT, %u "
		          "listeners, %u sockets",
		          h, u.connections, u.half_open, u.time_wait, u.listeners, u.udp_sockets);
	if (u.neighbours != 0)
		life_fail(l, "host %d still has %u neighbours", h, u.neighbours);
	if (pc_stack_validate(st, stderr) != 0)
		life_fail(l, "a structure is broken");
	for (unsigned i = 0; i < PC_COUNTER_MAX; i++)
		if (pc_counter_severity(i) == PC_SEV_ERROR &&
		    pc_stack_counters(st)->value[i] != 0 && i != PC_STALLS && i != PC_TX_NO_MBUF &&
		    i != PC_DROP_NO_MBUF)
			life_fail(l, "host %d counts %s", h, pc_counter_name(i));
}

/* for each call a few segments, for each byte its share of one, and some for the time */
static void judge_frames(struct life *l)
{
	const uint64_t most = 500 + 200 * l->nb_ends + 6 * l->calls + l->bytes / 60 + 40 * l->told +
	                      4 * (l->now - l->began) / SECOND;

	if (net_frames(l) > most)
		life_fail(l, "%" PRIu64 " frames, at most %" PRIu64, net_frames(l), most);
}

static bool run_seed(struct life *l, uint64_t seed, const char *capture)
{
	*l = (struct life){.seed = seed,
	                   .random = seed * UINT64_C(0x9e3779b97f4a7c15),
	                   .now = SECOND,
	                   .began = SECOND,
	                   .pool = l->pool,
	                   .small = {l->small[0], l->small[1]},
	                   .eaten = l->eaten};
	plan_life(l);
	net_open(l, capture);
	run(l, app_is_over, 24 * HOUR);
	if (l->wrong[0] == '\0') {
		app_judge(l);
		judge_frames(l);
		net_stop(l);
		run(l, NULL, 24 * HOUR);
	}
	for (int h = 0; h < HOSTS && l->wrong[0] == '\0'; h++)
		judge_host(l, h);
	if (l->wrong[0] != '\0' || verbose)
		plan_print(l);
	{
		const bool failed = l->wrong[0] != '\0';

		net_close(l);
		if (!failed && l->wrong[0] != '\0')
			printf("seed %" PRIu64 ": %s\n", seed, l->wrong);
	}
	return l->wrong[0] == '\0';
}

/* FIRST LAST [FILE] */
int main(int argc, char **argv)
{
	const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	const uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : first;
	static struct life l;
	unsigned bad = 0;

	eal_start();
	verbose = argc > 3;
	l.pool = eal_pool("lives", MBUFS);
	l.small[0] = eal_pool("small 0", SMALL_MBUFS);
	l.small[1] = eal_pool("small 1", SMALL_MBUFS);
	l.eaten = calloc(MBUFS, sizeof(*l.eaten));
	for (uint64_t seed = first; seed <= last; seed++)
		bad += !run_seed(&l, seed, argc > 3 ? argv[3] : NULL);
	free(l.eaten);
	printf("%" PRIu64 " lives, %u bad\n", last - first + 1, bad);
	return bad != 0;
}
