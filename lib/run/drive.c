/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One core: the thread that would otherwise sleep in a call of percore/posix.h drives the stack
 * itself.
 *
 * What run.c does before and after its loop is done here by two calls; the loop is the client's
 * (struct pcx_driver).
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <percore/posix.h>

#include "args.h"
#include "ctl.h"
#include "firewall.h"
#include "lease.h"
#include "quiet.h"
#include "threads.h"

#define DRAIN_NS      UINT64_C(1000000000)
#define DRAIN_STEP_NS UINT64_C(1000000)
#define DRAIN_TURNS   10
#define POLL_NS       UINT64_C(1000000) /* longest polling between two checks for signals */

struct pc_drive {
	struct settings s;
	struct run run;
	struct pc_run_app app;
	struct pcx_driver driver;
	sigset_t own_signals;
};

/* ---- the driver ------------------------------------------------------------------------------ */

static unsigned turn(void *arg)
{
	struct pc_drive *d = arg;
	struct worker *w = d->run.workers[0];
	uint64_t now = clock_now(&d->run.clock);
	unsigned n;

	(void)worker_look_around(w, now);
	lease_turn(w, now);
	n = pc_stack_poll(w->st, now);
	n += pc_service_turn(w->service, now);
	pc_stack_flush(w->st, now);
	w->use.turns++;
	if (n > 0) /* make the next sleep a short one */
		idle_turn(&w->idle, n, w->st, now);
	return n;
}

/* Polls while more frames may arrive soon. Returns false when it is time to sleep, until the
 * stack's end_ns. */
static bool polls_on(struct pc_drive *d, uint64_t end_ns)
{
	struct idle *idle = &d->run.workers[0]->idle;

	while (idle_polls_on(idle)) {
		/* the caller must check signals and other descriptors now and then */
		if (turn(d) > 0 || clock_now(&d->run.clock) >= end_ns)
			return true;
	}
	return false;
}

static void sleep_until(void *arg, uint64_t deadline_ns)
{
	struct pc_drive *d = arg;
	struct worker *w = d->run.workers[0];
	struct timespec ts;
	uint64_t now, left, own;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	if (deadline_ns <= now)
		return;
	left = deadline_ns - now;
	own = clock_now(&d->run.clock);
	if (!polls_on(d, own + RTE_MIN(left, POLL_NS)))
		idle_until(&w->idle, w->st, clock_now(&d->run.clock), left);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int set_up(struct pc_drive *d)
{
	struct run *r = &d->run;
	struct worker *w;

	if (run_setup(r) != 0)
		return -1;
	if (r->nb_workers != 1)
		return settings_fail(
		    &d->s, "a thread can drive only one stack: use one lcore (EAL option -l)");
	clock_start(&r->clock, &r->eal.begun);
	w = r->workers[0];
	idle_init_driven(&w->idle, d->s.run.run_idle, w->ports, r->nb_ports,
	                 d->s.run.run_idle_turns,
	                 idle_choose_us(d->s.run.run_idle_us, w->ports, r->nb_ports, 1));
	if (threads_setup(r) != 0)
		return -1;
	if (worker_lease(w) != 0)
		return settings_fail(&d->s, "%s", w->why);
	if (threads_add(w) != 0)
		return settings_fail(&d->s, "%s", w->why);
	if (firewall_start(r) != 0)
		return -1;
	return ctl_start(r); /* calls posted to the stack are made in the next turn */
}

static void take_down(struct pc_drive *d)
{
	struct quiet quiet;
	char line[QUIET_LINE];

	quiet_begin(&quiet);
	ctl_stop(&d->run);
	firewall_stop(&d->run);
	threads_teardown(&d->run);
	if (d->run.nb_workers == 1)
		lease_stop(d->run.workers[0]);
	run_teardown(&d->run);
	ctl_free(&d->run);
	firewall_free(&d->run);
	quiet_end(&quiet, line);
	eal_end();
	free(d);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Whether everything has ended: no connections are left, and no clients. */
static bool is_drained(const struct worker *w)
{
	struct pc_stack_usage usage;

	pc_stack_get_usage(w->st, &usage);
	return usage.connections == 0 && !pc_service_is_used(w->service);
}

static void drain(struct pc_drive *d)
{
	const struct worker *w = d->run.workers[0];
	const uint64_t end = clock_now(&d->run.clock) + DRAIN_NS;

	/* datagrams are on no list: give them a few turns */
	for (unsigned i = 0; i < DRAIN_TURNS; i++)
		(void)turn(d);
	while (!is_drained(w) && clock_now(&d->run.clock) < end)
		if (turn(d) == 0)
			idle_until(&d->run.workers[0]->idle, w->st, clock_now(&d->run.clock),
			           DRAIN_STEP_NS);
}

void pc_drive_close(struct pc_drive *d)
{
	drain(d);
	worker_look_at_files(d->run.workers[0]);
	take_down(d);
}

static void end(void *arg)
{
	pc_drive_close(arg);
}

/* ---- startup --------------------------------------------------------------------------------- */

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
		return settings_fail(&d->s, "only percore and EAL options are accepted here");
	if (args_check(&d->s, args.nb_eal, argv) != 0)
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

/* ---- devices' signals ------------------------------------------------------------------------ */

typedef void handler(int);

static handler *handler_of(int sig)
{
	struct sigaction sa;

	/* sa_handler and sa_sigaction share their storage */
	return sigaction(sig, NULL, &sa) == 0 ? sa.sa_handler : SIG_DFL;
}

/* Like begin, but also notes which signals the ports have taken for themselves, as net_tap does. */
static int begin_noting(struct pc_drive *d, int argc, char **argv)
{
	handler *before[_NSIG];
	int rc;

	for (int sig = 1; sig < _NSIG; sig++)
		before[sig] = handler_of(sig);
	rc = begin(d, argc, argv);
	(void)sigemptyset(&d->own_signals);
	for (int sig = 1; sig < _NSIG; sig++)
		if (handler_of(sig) != before[sig])
			(void)sigaddset(&d->own_signals, sig);
	return rc;
}

/* getopt's variables belong to the program, which may be parsing its own options. */
struct getopt_state {
	char *arg;
	int ind, err, opt;
};

static struct getopt_state getopt_save(void)
{
	return (struct getopt_state){optarg, optind, opterr, optopt};
}

static void getopt_restore(const struct getopt_state *g)
{
	optarg = g->arg;
	optind = g->ind;
	opterr = g->err;
	optopt = g->opt;
}

/* Returns 0; -1: EAL does not run; -2: there is something to clean up. */
static int open_drive(struct pc_drive *d, int argc, char **argv, int *connection)
{
	int rc = begin_noting(d, argc, argv);

	if (rc != 0)
		return rc;
	d->driver = (struct pcx_driver){.arg = d,
	                                .turn = turn,
	                                .sleep = sleep_until,
	                                .end = end,
	                                .own_signals = &d->own_signals};
	*connection = pc_host_connect(d->run.host);
	if (*connection >= 0)
		return 0;
	(void)settings_fail(&d->s, "cannot connect to the stack: %s", strerror(errno));
	return -2;
}

struct pc_drive *pc_drive_open(int argc, char **argv, const struct pcx_driver **driver,
                               int *connection, char *why, size_t why_len)
{
	const struct getopt_state options = getopt_save();
	struct pc_drive *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	d->app = (struct pc_run_app){.name = "percore", .summary = "", .threads = no_threads};
	rc = open_drive(d, argc, argv, connection);
	getopt_restore(&options);
	if (rc == 0) {
		*driver = &d->driver;
		return d;
	}
	snprintf(why, why_len, "%s", d->s.why);
	if (rc == -2)
		take_down(d);
	else
		free(d);
	return NULL;
}

struct pc_drive *pc_drive_start(int argc, char **argv, char *why, size_t why_len)
{
	const struct pcx_driver *driver;
	int connection;
	struct pc_drive *d = pc_drive_open(argc, argv, &driver, &connection, why, why_len);

	if (d == NULL)
		return NULL;
	pcx_set_driver(driver);
	if (pcx_attach_fd(connection) == 0)
		return d;
	snprintf(why, why_len, "cannot attach to the stack: %s", strerror(errno));
	pcx_set_driver(NULL);
	take_down(d);
	return NULL;
}

void pc_drive_stop(struct pc_drive *d)
{
	pcx_detach();
	pcx_set_driver(NULL);
	pc_drive_close(d);
}
