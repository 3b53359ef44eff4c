/* SPDX-License-Identifier: BSD-2-Clause */
#include <percore/run.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_version.h>

#include "args.h"
#include "ctl.h"
#include "firewall.h"
#include "quiet.h"
#include "reload.h"
#include "report.h"
#include "reporter.h"
#include "stop.h"
#include "threads.h"
#include "worker.h"

#define EXIT_FAILED 1

static int say(const struct settings *s)
{
	fprintf(stderr, "%s: %s\n", s->app->name, s->why);
	return EXIT_SETUP;
}

/* Until all devices have started, what DPDK or a driver has printed is often the only hint. */
static void add_cause(const struct run *r, const char *line)
{
	struct settings *s = r->s;
	size_t n = strlen(s->why);

	if (line[0] == '\0' || r->nb_started == r->nb_ports)
		return;
	snprintf(s->why + n, sizeof(s->why) - n, " (DPDK says: %s)", line);
}

/* Everything between the start and the end of EAL. */
static int run_on_eal(struct run *r)
{
	struct quiet quiet;
	char line[QUIET_LINE];
	int rc, status = 0;

	quiet_begin(&quiet);
	rc = run_setup(r);
	if (rc == 0)
		rc = threads_setup(r);
	quiet_end(&quiet, line);
	if (rc == 0) {
		clock_start(&r->clock, &r->eal.begun);
		rc = firewall_start(r);
		if (rc == 0)
			rc = reload_start(r);
		if (rc == 0)
			rc = ctl_start(r);
		if (rc == 0)
			rc = reporter_start(r);
		if (rc == 0)
			rc = run_loop(r);
		reporter_stop(r);
		if (rc == 0 && r->app->frames == NULL && r->s->run.run_stats_s != 0)
			report_stats(r, stdout);
		ctl_stop(r);
		reload_stop(r);
		firewall_stop(r);
	} else {
		add_cause(r, line);
	}
	if (rc != 0)
		status = say(r->s);
	quiet_begin(&quiet);
	for (unsigned i = 0; i < r->nb_workers && status == 0; i++)
		status = r->workers[i]->status == 0 ? 0 : EXIT_FAILED;
	if (status == 0)
		status = r->threads_status;
	threads_teardown(r);
	run_teardown(r);
	ctl_free(r);
	firewall_free(r);
	quiet_end(&quiet, line);
	if (status == 0 && r->s->run.run_stats_s != 0)
		printf("%16" PRIu64 " %-24s %s\n", r->mbufs_missing, "mbufs_missing",
		       "mbufs that were never freed");
	return status;
}

/* Starts EAL, once the arguments have been checked, and runs. */
static int run_checked(struct run *r, int nb_eal, char **argv)
{
	struct settings *s = r->s;
	int status;

	if (s->app->own_signals)
		stop_forget();
	else
		stop_catch();
	if (eal_begin(s, nb_eal, argv, &r->eal) == 0) {
		status = run_on_eal(r);
		eal_end();
	} else {
		status = say(s);
	}
	return status;
}

static int run_program(struct settings *s, int nb_eal, int argc, char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	int status;

	if (r == NULL)
		return EXIT_SETUP;
	r->s = s;
	r->app = s->app;
	r->argc = argc;
	r->argv = argv;
	/* before the program reads its files, so that later changes are not missed */
	if (reload_is_wanted(r))
		hangup_catch();
	if (s->app->frames != NULL ? s->app->frames->report != NULL : !s->app->own_signals)
		report_catch();
	if (!eal_wants_help(nb_eal, argv) && args_check(s, nb_eal, argv) != 0)
		status = say(s);
	else
		status = run_checked(r, nb_eal, argv);
	stop_release();
	free(r);
	return status;
}

/* If the caller has closed stdin, stdout or stderr, the next descriptor that we open, of a device
 * or a log, would receive our output. */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

int pc_run(int argc, char **argv, const struct pc_run_app *app, void *app_arg)
{
	struct settings *s = malloc(sizeof(*s));
	struct args args;
	int status = 0;

	if (s == NULL)
		return EXIT_SETUP;
	fill_standard_files();
	umask(umask(0) | S_IWOTH); /* none of our files is world-writable */
	settings_init(s, app, app_arg);
	if (args_parse(s, argc, argv, &args) != 0)
		status = say(s);
	else if (args.action == ARGS_HELP)
		help_print(s, stdout);
	else if (args.action == ARGS_VERSION)
		printf("%s (percore %s, %s)\n", app->name, PC_VERSION, rte_version());
	else if (args.action == ARGS_PRINT_CONFIG)
		help_print_config(s, stdout);
	else
		status = run_program(s, args.nb_eal, argc, argv);
	args_forget(s);
	free(s);
	return status;
}
