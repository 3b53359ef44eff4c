/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One core: the thread that would sleep in a call of percore/posix.h drives the stack itself.
 *
 * What run.c does around its loop is done here by two calls, and the loop is the client's (struct pcx_driver).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <percore/posix.h>

#include "args.h"
#include "lease.h"
#include "quiet.h"
#include "threads.h"

struct pc_drive {
	struct settings s;
	struct run run;
	struct pc_run_app app;
	struct pcx_driver driver;
};

/* ---- the driver ------------------------------------------------------------------------------- */

static unsigned turn(void *arg)
{
	struct pc_drive *d = arg;
	struct worker *w = d->run.workers[0];
	uint64_t now = clock_now(&d->run.clock);
	unsigned n = pc_stack_poll(w->st, now);

	lease_turn(w, now);
	n += pc_service_turn(w->service, now);
	pc_stack_flush(w->st, now);
	return n;
}

static void sleep_until(void *arg, uint64_t deadline_ns)
{
	struct pc_drive *d = arg;
	struct worker *w = d->run.workers[0];
	struct timespec ts;
	uint64_t now;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	if (deadline_ns > now)
		idle_until(&w->idle, w->st, clock_now(&d->run.clock), deadline_ns - now);
}

/* ---- life ------------------------------------------------------------------------------------- */

static int fail(struct settings *s, char *why, size_t len)
{
	snprintf(why, len, "%s", s->why);
	return -1;
}

static int set_up(struct pc_drive *d)
{
	struct run *r = &d->run;
	struct worker *w;

	if (run_setup(r) != 0)
		return -1;
	if (r->nb_workers != 1)
		return settings_fail(&d->s,
		                     "a thread drives one stack: give one lcore (EAL option -l)");
	clock_init(&r->clock, rte_get_tsc_hz());
	w = r->workers[0];
	idle_init(&w->idle, RUN_IDLE_SLEEP, d->s.run.run_idle_turns,
	          idle_choose_us(d->s.run.run_idle_us, w->ports, r->nb_ports, 1));
	if (threads_setup(r) != 0)
		return -1;
	if (worker_lease(w) != 0)
		return settings_fail(&d->s, "%s", w->why);
	return threads_add(w) == 0 ? 0 : settings_fail(&d->s, "%s", w->why);
}

static void take_down(struct pc_drive *d)
{
	struct quiet quiet;
	char line[QUIET_LINE];

	quiet_begin(&quiet);
	threads_teardown(&d->run);
	if (d->run.nb_workers == 1)
		lease_stop(d->run.workers[0]);
	run_teardown(&d->run);
	quiet_end(&quiet, line);
	eal_end();
	free(d);
}

static int no_threads(void *app)
{
	(void)app;
	return 0;
}

static int begin(struct pc_drive *d, int argc, char **argv)
{
	struct quiet quiet;
	char line[QUIET_LINE];
	struct args args;
	int rc;

	settings_init(&d->s, &d->app, NULL);
	if (args_parse(&d->s, argc, argv, &args) != 0)
		return -1;
	if (args.action != ARGS_RUN)
		return settings_fail(&d->s, "only options of percore and EAL are taken here");
	if (settings_check(&d->s) != 0)
		return -1;
	d->run.s = &d->s;
	d->run.app = &d->app;
	d->run.argc = argc;
	d->run.argv = argv;
	if (eal_begin(&d->s, args.nb_eal, argv, &d->run.eal) != 0)
		return -1;
	quiet_begin(&quiet);
	rc = set_up(d);
	quiet_end(&quiet, line);
	return rc == 0 ? 0 : -2;
}

struct pc_drive *pc_drive_start(int argc, char **argv, char *why, size_t why_len)
{
	struct pc_drive *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL) {
		snprintf(why, why_len, "no memory");
		return NULL;
	}
	d->app = (struct pc_run_app){.name = "percore", .summary = "", .threads = no_threads};
	rc = begin(d, argc, argv);
	if (rc == 0) {
		d->driver = (struct pcx_driver){.arg = d, .turn = turn, .sleep = sleep_until};
		pcx_set_driver(&d->driver);
		if (pcx_attach_fd(pc_host_connect(d->run.host)) == 0)
			return d;
		pcx_set_driver(NULL);
		(void)settings_fail(&d->s, "cannot attach: %s", strerror(errno));
		rc = -2;
	}
	(void)fail(&d->s, why, why_len);
	if (rc == -2)
		take_down(d);
	else
		free(d);
	return NULL;
}

void pc_drive_stop(struct pc_drive *d)
{
	pcx_detach();
	pcx_set_driver(NULL);
	/* what the sockets still had to send goes out */
	for (unsigned i = 0; i < 10; i++)
		(void)turn(d);
	take_down(d);
}
