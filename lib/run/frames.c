/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the worker of a program that deals with frames itself.  Its lcore has the ports, the mbufs
 * and the clock of any other, but no stack: the program's turn is the whole loop, which never sleeps
 * and ends when the program says so.
 */
#include "worker.h"

#include "stop.h"

/* The address of port 0 that was given first. */
static const struct pc_prefix *first_addr(const struct settings *s)
{
	for (unsigned i = 0; i < s->nb_addrs; i++)
		if (s->addrs[i].port == 0 && pc_addr_is_ip4(&s->addrs[i].prefix.addr))
			return &s->addrs[i].prefix;
	return NULL;
}

static const struct pc_addr *gateway(const struct settings *s)
{
	for (unsigned i = 0; i < s->nb_gateways; i++)
		if (pc_addr_is_ip4(&s->gateway[i]))
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
	    .gateway = gateway(r->s),
	};

	w->frames = ports;
	return r->app->frames->start(r->s->app_arg, &w->frames, clock_now(&r->clock), &w->app,
	                             w->why, sizeof(w->why));
}

void frames_work(struct worker *w)
{
	const struct pc_run_frames *app = w->run->app->frames;
	const struct clock *clock = &w->run->clock;
	uint64_t end;

	while (stop_wanted() == STOP_NO)
		if (!app->turn(w->app, clock_now(clock)))
			return;
	if (app->drain == NULL)
		return;
	app->drain(w->app, clock_now(clock));
	end = clock_now(clock) + w->run->s->run.run_drain_ms * 1000000;
	while (stop_wanted() < STOP_NOW && clock_now(clock) < end)
		if (!app->turn(w->app, clock_now(clock)))
			return;
}

void frames_finish(struct worker *w)
{
	w->status = w->run->app->frames->finish(w->app, clock_now(&w->run->clock));
}
