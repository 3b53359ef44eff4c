/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-link: emulated links between DPDK ports, for test beds and benchmarks.
 *
 * It joins the first port with the second, the third with the fourth and so on, and applies the
 * impairments in its options to the frames in between: delay, rate, loss, reordering. Everything
 * happens on one lcore; while nothing is due it sleeps for a short time, so that it can share a
 * small machine.
 *
 * A report is written as fast as its reader takes it, between turns, so that frames never wait for
 * it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_version.h>

#include "link.h"

#define LINKS_MAX    16
#define IDLE_TURNS   64    /* without a frame, before it sleeps */
#define SLEEP_MAX_NS 50000 /* how late a frame may be */
#define REPORT_MS    100   /* between checks for a signal that cuts the last report short */
#define EXIT_SETUP   2
#define EAL_ARGS_MAX 60

static volatile sig_atomic_t stopped, report_asked;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		report_asked = 1;
	else
		stopped++;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "percore-link: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
	return -1;
}

/* Starts a device and makes a port of it. NULL with a message in why if that fails, or with an
 * empty one if there is no such device. */
static struct pc_port *open_port(uint16_t id, struct rte_mempool *pool, char *why, size_t len)
{
	const struct pc_ethdev_config cfg = {
	    .promiscuous = true, .no_offloads = true, .pools = &pool};
	struct pc_port *p;
	const int rc = pc_ethdev_start(id, &cfg, why, len);

	if (rc != 0) {
		if (rc == -ENODEV)
			why[0] = '\0';
		return NULL;
	}
	p = pc_port_ethdev(id, 0, pool);
	if (p == NULL)
		snprintf(why, len, "%s", strerror(errno));
	return p;
}

/* Says whether there is such a device; without pools it is not started. */
static bool has_port(uint16_t id)
{
	return pc_ethdev_start(id, &(struct pc_ethdev_config){0}, NULL, 0) != -ENODEV;
}

/* Makes link number n. Returns 1, 0 if there are no ports for it, or -1 after printing a
 * message. */
static int open_link(struct link *l, const struct options *o, unsigned n)
{
	struct pc_port *port[2] = {NULL, NULL};
	char name[32], why[200] = "";
	struct rte_mempool *pool;

	if (n > 0 && !has_port((uint16_t)(2 * n)))
		return 0;
	snprintf(name, sizeof(name), "link%u", n);
	pool = rte_pktmbuf_pool_create(name, o->mbufs, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	if (pool == NULL)
		return complain("cannot allocate packet buffers", rte_strerror(rte_errno));
	port[0] = open_port((uint16_t)(2 * n), pool, why, sizeof(why));
	if (port[0] != NULL)
		port[1] = open_port((uint16_t)(2 * n + 1), pool, why, sizeof(why));
	if (port[1] == NULL) {
		pc_port_close(port[0]);
		return why[0] != '\0' ? complain("cannot use a port", why)
		                      : complain("each link needs two ports: give an even number "
		                                 "of --vdev or -a options before \"--\"",
		                                 "");
	}
	return link_make(l, o, n, port, pool) == 0
	           ? 1
	           : complain("cannot create a link", strerror(errno));
}

static unsigned turn(struct link *links, unsigned n, uint64_t now)
{
	unsigned frames = 0;

	for (unsigned i = 0; i < n; i++)
		frames += link_turn(&links[i], now);
	return frames;
}

/* Sleeps until something is due, but only briefly: an arriving frame does not wake us. */
static void rest(const struct link *links, unsigned n, uint64_t now)
{
	uint64_t next = now + SLEEP_MAX_NS;
	struct timespec t = {0};

	for (unsigned i = 0; i < n; i++)
		if (link_next(&links[i]) < next)
			next = link_next(&links[i]);
	if (next <= now)
		return;
	t.tv_nsec = (long)(next - now);
	nanosleep(&t, NULL);
}

/* ---- reports --------------------------------------------------------------------------------- */

/** A report being written to stdout; text NULL: none. */
struct report {
	char *text;
	size_t len, done;
};

static void make_report(struct report *r, const struct link *links, unsigned n)
{
	FILE *f = open_memstream(&r->text, &r->len);

	r->done = 0;
	for (unsigned i = 0; f != NULL && i < n; i++)
		link_report(&links[i], i, f);
	if (f == NULL || fclose(f) != 0)
		r->text = NULL;
}

static void end_report(struct report *r)
{
	free(r->text);
	r->text = NULL;
}

/* Writes what stdout accepts, waiting for at most so many milliseconds each time. */
static void write_report(struct report *r, int ms)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	ssize_t n;

	while (r->text != NULL && poll(&out, 1, ms) > 0) {
		/* a pipe that is writable accepts this much */
		n = write(STDOUT_FILENO, r->text + r->done,
		          RTE_MIN(r->len - r->done, (size_t)PIPE_BUF));
		r->done += n > 0 ? (size_t)n : 0;
		if (r->done == r->len || (n < 0 && errno != EINTR && errno != EAGAIN))
			end_report(r);
	}
}

/* Continues a report, or begins one that was asked for. */
static void turn_report(struct report *r, const struct link *links, unsigned n)
{
	if (r->text == NULL && report_asked) {
		report_asked = 0;
		make_report(r, links, n);
	}
	if (r->text != NULL)
		write_report(r, 0);
}

/* Finishes the current report and writes a last one, waiting for the reader unless a second signal
 * asks for the end. */
static void report_end(struct report *r, const struct link *links, unsigned n)
{
	for (int i = 0; i < 2; i++) {
		while (r->text != NULL && stopped < 2)
			write_report(r, REPORT_MS);
		end_report(r);
		if (i == 0)
			make_report(r, links, n);
	}
}

static void run(struct link *links, unsigned n, struct report *r)
{
	unsigned idle = 0;

	while (!stopped) {
		uint64_t now = clock_ns();

		turn_report(r, links, n);
		if (turn(links, n, now) > 0)
			idle = 0;
		else if (++idle > IDLE_TURNS)
			rest(links, n, now);
	}
}

static int work(const struct options *o)
{
	struct link links[LINKS_MAX];
	struct report r = {0};
	unsigned n = 0;
	int rc = 1;

	while (n < LINKS_MAX && (rc = open_link(&links[n], o, n)) > 0)
		n++;
	if (rc >= 0) {
		printf("percore-link: %u link%s ready\n", n, n == 1 ? "" : "s,");
		fflush(stdout);
		run(links, n, &r);
	}
	report_end(&r, links, n);
	for (unsigned i = 0; i < n; i++) {
		link_close(&links[i]);
		pc_ethdev_stop((uint16_t)(2 * i));
		pc_ethdev_stop((uint16_t)(2 * i + 1));
	}
	return rc >= 0 ? 0 : EXIT_SETUP;
}

static bool has(int argc, char **argv, const char *option)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], option, strlen(option)) == 0)
			return true;
	return false;
}

/* Starts EAL with argv[0] to argv[argc - 1]; without files, and printing errors only, unless these
 * say otherwise. */
static int start_eal(int argc, char **argv)
{
	static char files[] = "--in-memory", none[] = "--no-shconf", quiet[] = "--log-level=error",
	            alone[] = "--no-telemetry";
	char *args[EAL_ARGS_MAX + 4];
	int n = 0;

	if (argc > EAL_ARGS_MAX)
		return complain("too many EAL options", "");
	for (; n < argc; n++)
		args[n] = argv[n];
	if (!has(argc, argv, files) && !has(argc, argv, none))
		args[n++] = has(argc, argv, "--no-huge") ? none : files;
	if (!has(argc, argv, "--log-level"))
		args[n++] = quiet;
	if (!has(argc, argv, "--telemetry") && !has(argc, argv, alone))
		args[n++] = alone;
	args[n] = NULL;
	return rte_eal_init(n, args) >= 0
	           ? 0
	           : complain("EAL failed to start", rte_strerror(rte_errno));
}

/* Checks the command line before EAL is started. Returns 0 to continue, or else the exit status
 * plus 1. */
static int look(int eal, char **argv, const struct options *o)
{
	if (o->help || has(eal, argv, "--help") || has(eal, argv, "-h")) {
		fputs(options_usage, stdout);
		return 1;
	}
	if (o->version || has(eal, argv, "--version") || has(eal, argv, "-V")) {
		printf("percore-link (percore %s, %s)\n", PC_VERSION, rte_version());
		return 1;
	}
	for (int i = 1; i < eal; i++)
		if (options_are_ours(argv[i])) {
			fprintf(stderr, "percore-link: %s must come after \"--\"; see --help\n",
			        argv[i]);
			return 1 + EXIT_SETUP;
		}
	if (has(eal, argv, "--vdev") || has(eal, argv, "-a") || has(eal, argv, "--allow"))
		return 0;
	complain("no ports: give two with --vdev or -a before \"--\"; see --help", "");
	return 1 + EXIT_SETUP;
}

static void catch_signals(void)
{
	const struct sigaction act = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	/* clean up even if the terminal, unless nohup is for that, or the reader has gone away */
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

int main(int argc, char **argv)
{
	struct options o;
	char why[200];
	int eal = 1, status;

	while (eal < argc && strcmp(argv[eal], "--") != 0)
		eal++;
	if (options_parse(&o, eal < argc ? argc - eal - 1 : 0, argv + eal + 1, why, sizeof(why)) !=
	    0) {
		complain(why, "");
		return EXIT_SETUP;
	}
	status = look(eal, argv, &o);
	if (status != 0)
		return status - 1;
	if (start_eal(eal, argv) != 0)
		return EXIT_SETUP;
	catch_signals();
	status = work(&o);
	rte_eal_cleanup();
	return status;
}
