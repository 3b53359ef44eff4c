/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker.h"
#include "lease.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include <string.h>

#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "notify.h"
#include "privileges.h"
#include "reload.h"
#include "report.h"
#include "reporter.h"
#include "seccomp.h"
#include "stop.h"
#include "threads.h"
#include "wall.h"

#define DRAIN_PATIENCE_NS 500000000
#define SECOND_NS         UINT64_C(1000000000)
#define LOOK_NS           UINT64_C(100000000) /* between checks of links that are down */

static int load_state(const struct worker *w)
{
	return __atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
}

/* One turn of the loop. Returns how much there was to do: frames, and requests of clients. */
static unsigned turn(struct worker *w, uint64_t now)
{
	const struct clock *clock = &w->run->clock;
	unsigned frames, work;
	uint64_t at_ns[4] = {now};
	bool timed;

	/* first, since frames may be for an address that another lcore has leased */
	lease_turn(w, now);
	work = frames = pc_stack_poll(w->st, now);
	timed = use_is_timed(&w->use, frames);
	if (timed)
		at_ns[1] = clock_now(clock);
	if (w->run->app->turn != NULL)
		w->run->app->turn(w->app, w->st, now);
	if (w->service != NULL)
		work += pc_service_turn(w->service, now);
	if (timed)
		at_ns[2] = clock_now(clock);
	pc_stack_flush(w->st, now);
	if (timed) {
		at_ns[3] = clock_now(clock);
		use_time(&w->use, frames, at_ns);
	}
	use_end(&w->use, work, now);
	return work;
}

/* Whether a TAP's interface has been moved to another network namespace, such as a container's:
 * then its driver, which looks for the name in this one, reports no link. */
static bool is_elsewhere(uint16_t id)
{
	struct rte_eth_dev_info dev;
	char name[IF_NAMESIZE];

	return rte_eth_dev_info_get(id, &dev) == 0 && strcmp(dev.driver_name, "net_tap") == 0 &&
	       dev.if_index != 0 && if_indextoname(dev.if_index, name) == NULL;
}

/* Says whether the link of a port is up. */
static bool link_is_up(struct run *r, unsigned p)
{
	struct rte_eth_link link;

	if (rte_eth_link_get_nowait(r->port_ids[p], &link) != 0)
		return r->link_up[p];
	return link.link_status != 0 || is_elsewhere(r->port_ids[p]);
}

void worker_look_at_link(struct run *r, unsigned p, uint64_t now)
{
	const bool up = link_is_up(r, p);

	rejoin_look(&r->rejoins[p], up, now);
	__atomic_store_n(&r->link_up[p], up, __ATOMIC_RELAXED);
	if (bond_moved(&r->bonds[p]))
		__atomic_store_n(&r->link_moves[p], (uint8_t)(r->link_moves[p] + 1),
		                 __ATOMIC_RELAXED);
}

/* Updates the state of the links; only the first worker asks the devices. Returns whether to check
 * again soon: a link is down, or a port is a bond, whose members come and go. */
static bool follow_links(struct worker *w, uint64_t now)
{
	struct run *r = w->run;
	bool soon = false;

	for (unsigned p = 0; p < r->nb_ports; p++) {
		struct pc_port_info *info = &w->devices[p]->info;

		if (w->index == 0)
			worker_look_at_link(r, p, now);
		info->link_up = __atomic_load_n(&r->link_up[p], __ATOMIC_RELAXED);
		info->link_moves = __atomic_load_n(&r->link_moves[p], __ATOMIC_RELAXED);
		soon |= !info->link_up || r->bonds[p].n > 0;
	}
	return soon;
}

/* Reports, once, that a device does not do what it announces. */
static void tell_untrue(struct run *r, const struct worker *w)
{
	for (unsigned p = 0; p < r->nb_ports; p++) {
		const struct pc_port_info *info = &w->ports[p]->info;

		if (info->rx_untrue == 0 || r->untrue_told[p])
			continue;
		r->untrue_told[p] = true;
		reporter_say(STDOUT_FILENO,
		             "note: port %u (%s) reports wrong checksums or chooses wrong queues "
		             "(RSS) for some frames; if this continues, it is done in software\n",
		             p, info->driver);
	}
}

void worker_look_at_files(struct worker *w)
{
	for (unsigned p = 0; p < w->run->nb_ports; p++) {
		const int rc = w->pcaps[p] != NULL ? pc_port_pcap_flush(w->pcaps[p]) : 0;

		if (rc == 0 || w->pcap_told)
			continue;
		w->pcap_told = true;
		reporter_say(STDERR_FILENO, "%s: run.pcap: frames are missing from %s: %s\n",
		             w->run->app->name, w->run->s->pcap, strerror(-rc));
	}
}

bool worker_look_around(struct worker *w, uint64_t now)
{
	uint64_t day;

	if (now < w->wall_next_ns)
		return false;
	day = clock_time_of_day();
	wall_set(w->st, day);
	w->wall_next_ns = now + SECOND_NS - day % SECOND_NS;
	worker_look_at_files(w);
	if (follow_links(w, now))
		w->wall_next_ns = RTE_MIN(w->wall_next_ns, now + LOOK_NS);
	return true;
}

static void look_around(struct worker *w, uint64_t now)
{
	if (worker_look_around(w, now) && w->index == 0)
		tell_untrue(w->run, w);
}

static void work(struct worker *w)
{
	unsigned frames;
	uint64_t now;

	if (w->run->app->frames != NULL) {
		frames_work(w);
		return;
	}
	while (stop_wanted() == STOP_NO) {
		now = clock_now(&w->run->clock);
		use_begin(&w->use, now);
		look_around(w, now);
		reload_take(w);
		frames = turn(w, now);
		idle_turn(&w->idle, frames, w->st, now);
	}
}

/* Tells the user at a terminal what the program is waiting for. */
static void say_waiting(const struct worker *w)
{
	reporter_say(STDOUT_FILENO,
	             "%s: waiting up to %g s for open connections to finish; press Ctrl-C again to "
	             "stop at once\n",
	             w->run->app->name, (double)w->run->s->run.run_drain_ms / 1000);
}

/* What threads and other processes have written before they ended is sent, as by a kernel. */
static bool is_drained(const struct worker *w)
{
	const struct pc_run_app *app = w->run->app;
	struct pc_stack_usage usage;

	if (app->drained != NULL)
		return app->drained(w->app, w->st);
	if (w->service == NULL)
		return true;
	pc_stack_get_usage(w->st, &usage);
	return usage.connections == 0;
}

/* Frames of one lcore's connections may arrive at another, which passes them on: so lcores go on until
 * all are drained. */
static bool all_are_drained(struct worker *w)
{
	struct run *r = w->run;

	if (!w->drained && is_drained(w)) {
		w->drained = true;
		(void)__atomic_add_fetch(&r->nb_drained, 1, __ATOMIC_RELAXED);
	}
	return __atomic_load_n(&r->nb_drained, __ATOMIC_RELAXED) == r->nb_workers;
}

/* Gives connections some time to finish. */
static void drain(struct worker *w)
{
	const struct pc_run_app *app = w->run->app;
	uint64_t now = clock_now(&w->run->clock), begin = now;
	uint64_t end = now + w->run->s->run.run_drain_ms * 1000000;
	bool said = w->lcore != rte_get_main_lcore();

	if (app->drain != NULL)
		app->drain(w->app, w->st, now);
	pc_stack_flush(w->st, now);
	while (stop_wanted() < STOP_NOW && now < end && !all_are_drained(w)) {
		now = clock_now(&w->run->clock);
		look_around(w, now);
		idle_turn(&w->idle, turn(w, now), w->st, now);
		if (!said && now - begin > DRAIN_PATIENCE_NS) {
			say_waiting(w);
			said = true;
		}
	}
}

static void finish(struct worker *w)
{
	if (w->run->app->frames != NULL) {
		frames_finish(w);
		return;
	}
	drain(w);
	lease_stop(w);
	if (w->run->app->finish != NULL)
		w->run->app->finish(w->app, w->st);
}

static int set_state(struct worker *w, int rc)
{
	__atomic_store_n(&w->state, rc == 0 ? WORKER_UP : WORKER_FAILED, __ATOMIC_RELEASE);
	return rc;
}

int worker_lease(struct worker *w)
{
	if (lease_start(w) == 0)
		return 0;
	if (w->why[0] == '\0')
		snprintf(w->why, sizeof(w->why), "DHCP needs two UDP sockets on each lcore: %s",
		         strerror(errno));
	return -1;
}

static uint64_t deadline_of_app(const void *arg)
{
	const struct worker *w = arg;

	return w->run->app->next_deadline(w->app, w->st);
}

/* Prepares idling. Other lcores can wake this one where they pass frames on. */
void worker_start_idling(struct worker *w)
{
	const struct run *r = w->run;
	const struct run_config *c = &r->s->run;
	uint16_t ids[2 * PC_MAX_PORTS];
	const uint64_t us = idle_choose_us(c->run_idle_us, w->ports, r->nb_ports, r->nb_workers);

	idle_init(&w->idle, idle_choose(c->run_idle, w->ports, r->nb_ports), c->run_idle_turns, us);
	if (r->app->next_deadline != NULL) {
		w->idle.deadline = deadline_of_app;
		w->idle.deadline_arg = w;
	}
	memcpy(ids, r->port_ids, r->nb_ports * sizeof(ids[0]));
	memcpy(ids + r->nb_ports, r->taps.id, r->taps.n * sizeof(ids[0]));
	idle_interrupts(&w->idle, ids, r->nb_ports + r->taps.n, (uint16_t)w->index,
	                r->app->turn == NULL || r->app->next_deadline != NULL);
	if (w->index == 0 && c->run_idle == RUN_IDLE_INTERRUPT &&
	    w->idle.mode != RUN_IDLE_INTERRUPT)
		printf("note: not every port supports interrupts: lcores sleep between polls\n");
	for (unsigned p = 0; p < r->nb_ports && w->idle.mode == RUN_IDLE_INTERRUPT; p++)
		steer_bell(r->steers[p], w->index, &w->idle.rx);
}

static int start(struct worker *w)
{
	const struct run *r = w->run;
	int rc;

	w->thread = rte_gettid();
	if (r->app->frames != NULL)
		return set_state(w, frames_start(w));
	look_around(w, clock_now(&r->clock));
	if (worker_lease(w) != 0)
		return set_state(w, -1);
	worker_start_idling(w);
	rc = threads_add(w);
	if (rc == 0 && r->app->start != NULL)
		rc = r->app->start(r->s->app_arg, w->st, &w->app, w->why, sizeof(w->why));
	return set_state(w, rc);
}

int worker_run(void *arg)
{
	struct worker *w = arg;
	int rc = start(w);

	if (rc == 0) {
		work(w);
		finish(w);
	}
	return rc;
}

/* Waits until every worker has started, or one has failed. */
static int wait_for_start(struct run *r)
{
	for (unsigned i = 0; i < r->nb_workers; i++) {
		while (load_state(r->workers[i]) == WORKER_NEW)
			rte_pause();
		if (load_state(r->workers[i]) == WORKER_FAILED)
			return settings_fail(r->s, "%s", r->workers[i]->why);
	}
	return 0;
}

static struct worker *main_worker(const struct run *r)
{
	for (unsigned i = 0; i < r->nb_workers; i++)
		if (r->workers[i]->lcore == rte_get_main_lcore())
			return r->workers[i];
	return NULL;
}

static int launch_others(struct run *r, const struct worker *self)
{
	for (unsigned i = 0; i < r->nb_workers; i++)
		if (r->workers[i] != self &&
		    rte_eal_remote_launch(worker_run, r->workers[i], r->workers[i]->lcore) != 0)
			return settings_fail(r->s, "cannot launch lcore %u", r->workers[i]->lcore);
	return 0;
}

static void give_up_privileges(const struct run *r)
{
	if (r->s->run.run_privileges == 0)
		return;
	if (privileges_drop(privileges_needed(r->workers[0]->ports, r->nb_ports)) != 0)
		printf("note: not every thread has dropped its privileges\n");
}

/* Last of all, as the startup makes many more calls. */
static int give_up_system_calls(struct run *r)
{
	bool xdp = false;
	int rc;

	if (r->s->run.run_seccomp == 0)
		return 0;
	for (unsigned p = 0; p < r->nb_ports; p++)
		xdp = xdp || strcmp(r->workers[0]->ports[p]->info.driver, "net_af_xdp") == 0;
	rc = seccomp_enter(r->app->name, xdp);
	if (rc == -ENOSYS)
		return settings_fail(r->s, "run.seccomp: percore was built without libseccomp");
	if (rc != 0)
		return settings_fail(r->s, "run.seccomp: %s", strerror(-rc));
	return 0;
}

int run_loop(struct run *r)
{
	struct worker *self = main_worker(r);
	int rc = launch_others(r, self);

	if (rc == 0) {
		(void)start(self);
		rc = wait_for_start(r);
	}
	if (rc == 0)
		rc = threads_begin(r);
	if (rc == 0) {
		give_up_privileges(r);
		rc = give_up_system_calls(r);
	}
	if (rc == 0) {
		report_start(r);
		if (!r->app->own_signals) /* else it is a part of a program, which knows better */
			notify_ready();
		work(self);
	} else {
		stop_ask(STOP_NOW);
	}
	threads_end(r);
	if (load_state(self) == WORKER_UP)
		finish(self);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < r->nb_workers; i++) {
		rx_wait_close(&r->workers[i]->idle.rx);
		/* later errors would be hidden (quiet.h) */
		worker_look_at_files(r->workers[i]);
	}
	return rc;
}
