/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of our own: the n-th allocation of an mbuf fails, for every n of a set of scenarios.
 *
 * Two stacks on a wire in memory, under a virtual clock.  One of them, the subject, has a pool that fails
 * when told to.  A scenario runs once without a fault, which tells how many allocations it makes; then once
 * for each of them with that one failing, and again with all failing for some seconds from there on.  The
 * applications act on edge-triggered events alone, so a wake-up that is lost with an mbuf shows as a connection
 * that hangs.  Each run must end as the first did: every byte there, nothing left, all structures valid.
 */
#include "faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failpool.h"

/* ---- one run --------------------------------------------------------------------------------- */

static bool is_done(const struct world *w)
{
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < w->plan->conns; i++)
			if (!w->end[side][i].closed)
				return false;
	return true;
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

static void check_ends(struct world *w)
{
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < w->plan->conns; i++)
			if (w->end[side][i].rcvd != w->plan->bytes[!side])
				wrong(w, "%u bytes arrived, not %u", w->end[side][i].rcvd,
				      w->plan->bytes[!side]);
	settle(w);
}

/* Runs a scenario with a fault; returns how many allocations of that kind its transfers made. */
static uint64_t run_plan(const struct plan *plan, enum kind kind, uint64_t first, uint64_t n)
{
	struct world w;
	uint64_t taken;

	memset(&inside, 0, sizeof(inside));
	inside.fault = (struct fault){kind, first, n};
	failpool_set(subject_pool, first, kind == MBUF ? n : 0);
	open_world(&w, plan);
	run(&w);
	taken = kind == MBUF ? failpool_taken(subject_pool) : inside.taken[kind];
	check_ends(&w);
	close_world(&w);
	if (w.wrong[0] != '\0') {
		fprintf(stderr, "\n%s, %s %" PRIu64 " and %" PRIu64 " more: %s\n", plan->name,
		        kind_name(kind), first, n - 1, w.wrong);
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

/* SYN cookies are good for two minutes */
static bool fits(const struct plan *plan, enum kind kind)
{
	return kind != FORTH || plan->configure != cookies;
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
	const struct faults_suite suite = {
	    .name = "faults",
	    .plans = plans,
	    .nb_plans = RTE_DIM(plans),
	    .run = run_plan,
	    .fits = fits,
	    .last = {"who was refused gets another turn", asks_again},
	};

	return faults_main(&suite, argc, argv);
}
