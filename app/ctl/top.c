/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-ctl top: how each lcore spends its time, from the difference between two answers to
 * "lcore show".
 */
#include "ctl.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LCORES 128

struct sample {
	char cpu[32];
	unsigned lcore, node;
	uint64_t time_ns, busy_ns, rx, tx, timed, stack_ns, program_ns, tsc_khz;
};

struct samples {
	unsigned n;
	struct sample lcore[LCORES];
};

static const struct {
	const char *name;
	size_t at;
} numbers[] = {
    {"time-ns", offsetof(struct sample, time_ns)},
    {"busy-ns", offsetof(struct sample, busy_ns)},
    {"rx-frames", offsetof(struct sample, rx)},
    {"tx-frames", offsetof(struct sample, tx)},
    {"timed-frames", offsetof(struct sample, timed)},
    {"stack-ns", offsetof(struct sample, stack_ns)},
    {"program-ns", offsetof(struct sample, program_ns)},
    {"tsc-khz", offsetof(struct sample, tsc_khz)},
};

/* A line has names and values alternately; unknown names are skipped. */
static void read_line(char *line, struct sample *s)
{
	char *rest = line, *name, *value;

	while ((name = strsep(&rest, " ")) != NULL && (value = strsep(&rest, " ")) != NULL) {
		if (strcmp(name, "cpu") == 0)
			snprintf(s->cpu, sizeof(s->cpu), "%s", value);
		else if (strcmp(name, "lcore") == 0)
			s->lcore = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(name, "node") == 0)
			s->node = (unsigned)strtoul(value, NULL, 10);
		for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (strcmp(name, numbers[i].name) == 0)
				*(uint64_t *)(void *)((char *)s + numbers[i].at) =
				    strtoull(value, NULL, 10);
	}
}

/* Returns 0, or a status after printing what is wrong. */
static int take(const char *path, struct samples *all)
{
	char *text, *rest, *line;
	const int status = ask(path, "lcore show ", &text);

	*all = (struct samples){0};
	if (status != 0)
		return status;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && all->n < LCORES)
		if (line[0] != '\0')
			read_line(line, &all->lcore[all->n++]);
	free(text);
	return 0;
}

static double per(uint64_t a, uint64_t b)
{
	return b > 0 ? (double)a / (double)b : 0;
}

/* Another program at the same socket, with counters that begin at 0. */
static bool is_another(const struct sample *a, const struct sample *b)
{
	return b->busy_ns < a->busy_ns || b->rx < a->rx || b->tx < a->tx || b->timed < a->timed;
}

static void print_lcore(const struct sample *before, const struct sample *b)
{
	static const struct sample nothing;
	const struct sample *a = is_another(before, b) ? &nothing : before;
	/* time of day, also of a program that was started anew */
	const uint64_t ns = b->time_ns > before->time_ns ? b->time_ns - before->time_ns : 0;
	const uint64_t rx = b->rx - a->rx, timed = b->timed - a->timed;
	const double cycles_per_ns = (double)b->tsc_khz / 1e6;
	const double stack = per(b->stack_ns - a->stack_ns, timed) * cycles_per_ns;
	const double program = per(b->program_ns - a->program_ns, timed) * cycles_per_ns;
	const double budget = per(ns, rx) * cycles_per_ns;

	printf("%5u %5s %4u %6.1f %10.0f %10.0f", b->lcore, b->cpu, b->node,
	       100 * per(b->busy_ns - a->busy_ns, ns), 1e9 * per(rx, ns),
	       1e9 * per(b->tx - a->tx, ns));
	if (rx == 0)
		printf(" %10s %9s %9s %10s\n", "-", "-", "-", "-");
	else if (timed == 0)
		printf(" %10.0f %9s %9s %10s\n", budget, "-", "-", "-");
	else
		printf(" %10.0f %9.0f %9.0f %10.0f\n", budget, stack, program, budget - stack);
}

/* Returns 0, or a status after printing what is wrong. */
static int print_all(const struct samples *a, const struct samples *b)
{
	puts("                                             cycles of a frame received");
	puts("lcore   cpu node  busy%       rx/s       tx/s     budget     stack   program   for "
	     "more");
	for (unsigned i = 0; i < b->n && i < a->n; i++)
		print_lcore(&a->lcore[i], &b->lcore[i]);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : fail("output", 2);
}

static bool read_count(const char *text, unsigned long max, unsigned long *v)
{
	char *end;

	*v = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *v > 0 && *v <= max;
}

int top(const char *path, int argc, char **argv)
{
	static struct samples samples[2];
	unsigned long seconds = 1, times = 0;
	int status;

	if (argc > 2 || (argc > 0 && !read_count(argv[0], 86400, &seconds)) ||
	    (argc > 1 && !read_count(argv[1], 1000000000, &times))) {
		fputs("percore-ctl: top: expected [SECONDS [TIMES]]\n", stderr);
		return 2;
	}
	status = take(path, &samples[0]);
	for (unsigned long i = 1; status == 0; i++) {
		const struct timespec pause = {.tv_sec = (time_t)seconds};

		(void)nanosleep(&pause, NULL);
		status = take(path, &samples[i & 1]);
		if (status == 0)
			status = print_all(&samples[~i & 1], &samples[i & 1]);
		if (i == times)
			break;
	}
	return status;
}
