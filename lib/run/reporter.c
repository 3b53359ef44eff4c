/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a thread of its own, on none of the lcores that carry data: the reader of our output
 * may stop reading, as a pager does, and then a write blocks.  A report is made in memory and
 * written without holding the lock of stdout, which others take.  In a program without a stack, its
 * lcore makes the report, between turns, and hands it over.  Log entries are written in the same
 * way, by a thread of their own.
 *
 * Ownership: report_text and report_bytes are the lcore's while report_text is NULL, else the
 * thread's.
 */
#include "reporter.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctrl_thread.h"
#include "report.h"
#include "stop.h"

#define SAY_MAX   1024
#define LOOK_MS   1000 /* between checks of run.stats_s, which may change */
#define OUTPUT_MS 100  /* between checks for the end, while the reader is slow */
#define PATIENCE  10   /* times OUTPUT_MS that reporter_try waits for a reader */
#define SECOND_NS UINT64_C(1000000000)

static bool is_ending(const struct run *r)
{
	return __atomic_load_n(&r->reporter_ends, __ATOMIC_ACQUIRE);
}

/* Writes until its reader has read nothing for so many times OUTPUT_MS (0: for ever), or for one
 * when *ends. */
static void write_text(int fd, unsigned patience, const bool *ends, const char *p, size_t n)
{
	struct pollfd out = {.fd = fd, .events = POLLOUT};
	unsigned waited = 0;

	while (n > 0) {
		ssize_t done;

		if (poll(&out, 1, OUTPUT_MS) <= 0) {
			if (__atomic_load_n(ends, __ATOMIC_ACQUIRE) || ++waited == patience)
				return;
			continue;
		}
		waited = 0;
		/* a pipe that is writable accepts this much */
		done = write(fd, p, RTE_MIN(n, (size_t)PIPE_BUF));
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return;
		p += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
}

void reporter_write(const bool *ends, const char *p, size_t n)
{
	write_text(STDOUT_FILENO, 0, ends, p, n);
}

void reporter_try(int fd, const bool *ends, const char *p, size_t n)
{
	write_text(fd, PATIENCE, ends, p, n);
}

void reporter_say(int fd, const char *format, ...)
{
	struct pollfd out = {.fd = fd, .events = POLLOUT};
	char text[SAY_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n <= 0 || poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0)
		return;
	while (write(fd, text, RTE_MIN((size_t)n, sizeof(text) - 1)) < 0 && errno == EINTR)
		continue;
}

static void print_report(const struct run *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return;
	report_stats(r, f);
	if (fclose(f) == 0)
		reporter_write(&r->reporter_ends, text, n);
	free(text);
}

static void *print_reports(void *arg)
{
	struct run *r = arg;
	uint64_t next = 0;

	while (!is_ending(r)) {
		const uint64_t now = clock_now(&r->clock);
		const uint64_t every =
		    __atomic_load_n(&r->s->run.run_stats_s, __ATOMIC_RELAXED) * SECOND_NS;

		if (every != 0 && now >= next) {
			if (next != 0)
				print_report(r);
			next = now + every;
		}
		if (report_wait(LOOK_MS) && !is_ending(r))
			print_report(r);
	}
	return NULL;
}

/* ---- programs without a stack ---------------------------------------------------------------- */

static void *print_given(void *arg)
{
	struct run *r = arg;
	bool last = false;

	while (!last) {
		char *text;

		while (sem_wait(&r->report_given) != 0 && errno == EINTR)
			continue;
		last = is_ending(r); /* then no more follows */
		text = __atomic_load_n(&r->report_text, __ATOMIC_ACQUIRE);
		if (text == NULL)
			continue;
		reporter_write(&r->reporter_ends, text, r->report_bytes);
		free(text);
		__atomic_store_n(&r->report_text, NULL, __ATOMIC_RELEASE);
	}
	return NULL;
}

bool reporter_is_busy(const struct run *r)
{
	return __atomic_load_n(&r->report_text, __ATOMIC_ACQUIRE) != NULL;
}

void reporter_give(struct run *r, char *text, size_t n)
{
	r->report_bytes = n;
	__atomic_store_n(&r->report_text, text, __ATOMIC_RELEASE);
	(void)sem_post(&r->report_given);
}

/* ---- life ------------------------------------------------------------------------------------ */

int reporter_start(struct run *r)
{
	const struct pc_run_frames *frames = r->app->frames;

	if (frames != NULL && frames->report == NULL)
		return 0;
	(void)sem_init(&r->report_given, 0, 0);
	r->has_reporter = ctrl_thread_start(&r->reporter, "pc-report",
	                                    frames != NULL ? print_given : print_reports, r) == 0;
	return r->has_reporter ? 0 : settings_fail(r->s, "cannot create the report thread");
}

void reporter_stop(struct run *r)
{
	if (!r->has_reporter)
		return;
	__atomic_store_n(&r->reporter_ends, true, __ATOMIC_RELEASE);
	report_wake();
	(void)sem_post(&r->report_given);
	pthread_join(r->reporter, NULL);
	r->has_reporter = false;
}
