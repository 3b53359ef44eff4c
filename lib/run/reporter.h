/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_REPORTER_H
#define RUN_REPORTER_H

/*
 * Printing the counters of a program that runs: every run.stats_s seconds, and at SIGUSR1; and what else is said while lcores carry
 * data, which wait for no reader.
 */

#include "worker.h"

/** reporter_write writes to stdout as its reader takes it, or, when *ends is set by another thread, as far as it does at once. Not on an
 * lcore. */
void reporter_write(const bool *ends, const char *p, size_t n);

/** reporter_say writes a line of less than 1 KB to a file, stdout or stderr, if its reader takes it at once; else it is lost. */
__attribute__((format(printf, 2, 3))) void reporter_say(int fd, const char *format, ...);

/** reporter_start begins, if there is something to be printed. Returns 0, or -1 with a line in r->s->why. */
int reporter_start(struct run *r);

/** reporter_is_busy says whether what was given last has not been written yet. */
bool reporter_is_busy(const struct run *r);

/** reporter_give has n bytes of text, which are to be freed, written. For a program without a stack, when nothing is busy. */
void reporter_give(struct run *r, char *text, size_t n);

/** reporter_stop ends it, if it was started. What is being printed is printed to its end if somebody reads it. */
void reporter_stop(struct run *r);

#endif
