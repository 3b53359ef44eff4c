/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the worker of a program that deals with frames itself.  Its lcore has the ports, the mbufs
 * and the clock of any other, but no stack: the program's turn is the whole loop, which never sleeps
 * and ends when the program says so.
 */
#include "worker.h"

#include "stop.h"

#define LOOK_NS UINT64_C(1000000000)

/* The address of port 0 that was given first. */
static const struct pc_prefix *first_addr(const struct settings *s)
{
	for (unsigned i = 0; i < s->nb_addrs; i++)
		if (s->addrs[i].port == 0)
			return &s->addrs[i].prefix;
	return NULL;
}

/* the gateway of an address's family */
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
	return r->app->frames->start(r->s->app_arg, &w->frames, clock_now(&r->clock), &w->app,
	                             w->why, sizeof(w->why));
}

/* Once a second: the server of a memif may have gone, and come again. */
static uint64_t look_at_links(struct worker *w, uint64_t now)
{
	if (w->index != 0 || now < w->wall_next_ns)
		return now;
	w->wall_next_ns = now + LOOK_NS;
	for (unsigned p = 0; p < w->run->nb_ports; p++)
		worker_look_at_link(w->run, p, now);
	return now;
}

void frames_work(struct worker *w)
{
	const struct pc_run_frames *app = w->run->app->frames;
	const struct clock *clock = &w->run->clock;
	uint64_t end;

	while (stop_wanted() == STOP_NO)
		if (!app->turn(w->app, look_at_links(w, clock_now(clock))))
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
