/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the worker of a program that handles frames itself. Its lcore has ports, mbufs and the
 * clock, as any other, but no stack: the program's turn is the whole loop, which never sleeps and
 * ends when the program says so; or the program has a serve function, and the lcore idles while
 * there is nothing to do.
 */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_lcore.h>

#include "reporter.h"
#include "stop.h"

#define LOOK_NS UINT64_C(1000000000)
#define SOON_NS UINT64_C(100000000)

/* The first address that was given for port 0. */
static const struct pc_prefix *first_addr(const struct settings *s)
{
	for (unsigned i = 0; i < s->nb_addrs; i++)
		if (s->addrs[i].port == 0)
			return &s->addrs[i].prefix;
	return NULL;
}

/* The gateway of an address's family. */
static const struct pc_addr *gateway_for(const struct settings *s, const struct pc_prefix *addr)
{
	for (unsigned i = 0; addr != NULL && i < s->nb_gateways; i++)
		if (pc_addr_is_ip4(&s->gateway[i]) == pc_addr_is_ip4(&addr->addr))
			return &s->gateway[i];
	return NULL;
}

int frames_start(struct worker *w)
{
	const struct run *r = w->run;
	const struct pc_run_ports ports = {
	    .ports = w->ports,
	    .nb_ports = r->nb_ports,
	    .pool = w->pool,
	    .addr = first_addr(r->s),
	    .gateway = gateway_for(r->s, first_addr(r->s)),
	};

	w->frames = ports;
	if (r->app->frames->serve != NULL)
		worker_start_idling(w);
	return r->app->frames->start(r->s->app_arg, &w->frames, clock_now(&r->clock), &w->app,
	                             w->why, sizeof(w->why));
}

/* Once a second, and more often while a link is down: the server of a memif may have gone and come
 * back. */
static uint64_t look_around(struct worker *w, uint64_t now)
{
	if (now < w->wall_next_ns)
		return now;
	w->wall_next_ns = now + LOOK_NS;
	worker_look_at_files(w);
	for (unsigned p = 0; w->index == 0 && p < w->run->nb_ports; p++) {
		worker_look_at_link(w->run, p, now);
		/* a layer around the device has its own info */
		w->devices[p]->info.link_up = w->ports[p]->info.link_up = w->run->link_up[p];
		if (!w->run->link_up[p])
			w->wall_next_ns = now + SOON_NS;
	}
	return now;
}

/* Hands the program's report to the thread that prints it. */
static void tell(struct worker *w, uint64_t now, bool asked)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return;
	w->run->app->frames->report(w->app, now, asked, f);
	if (fclose(f) == 0)
		reporter_give(w->run, text, n);
	else
		free(text);
}

/* Makes a report on the main lcore, unless the previous one has not been written yet. */
static void report(struct worker *w, uint64_t now)
{
	struct run *r = w->run;
	const uint64_t every = r->s->run.run_stats_s * 1000000000;

	if (r->app->frames->report == NULL || w->lcore != rte_get_main_lcore() ||
	    reporter_is_busy(r))
		return;
	if (report_wanted()) {
		tell(w, now, true);
		return;
	}
	if (every == 0 || now < r->stats_next_ns)
		return;
	if (r->stats_next_ns != 0)
		tell(w, now, false);
	r->stats_next_ns = now + every;
}

/* One turn. Returns false when the worker is done. */
static bool turn(struct worker *w, uint64_t now)
{
	const struct pc_run_frames *app = w->run->app->frames;

	if (app->serve == NULL)
		return app->turn(w->app, now);
	idle_turn(&w->idle, app->serve(w->app, now), NULL, now);
	return true;
}

void frames_work(struct worker *w)
{
	const struct pc_run_frames *app = w->run->app->frames;
	const struct clock *clock = &w->run->clock;
	uint64_t end;

	while (stop_wanted() == STOP_NO) {
		const uint64_t now = look_around(w, clock_now(clock));

		report(w, now);
		if (!turn(w, now))
			return;
	}
	if (app->drain == NULL)
		return;
	app->drain(w->app, clock_now(clock));
	end = clock_now(clock) + w->run->s->run.run_drain_ms * 1000000;
	while (stop_wanted() < STOP_NOW && clock_now(clock) < end)
		if (!turn(w, clock_now(clock)))
			return;
}

void frames_finish(struct worker *w)
{
	/* what the program prints from here on must follow all reports */
	if (w->lcore == rte_get_main_lcore())
		reporter_stop(w->run);
	w->status = w->run->app->frames->finish(w->app, clock_now(&w->run->clock));
}
