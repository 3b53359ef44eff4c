/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_REPORTER_H
#define RUN_REPORTER_H

/*
 * Prints the counters of a running program, every run.stats_s seconds and on SIGUSR1; and other
 * messages while lcores carry data, since lcores must not wait for whoever reads the output.
 */

#include "worker.h"

/** reporter_write writes to stdout as fast as its reader reads, or, once another thread sets *ends,
 * only as much as can be written at once. Not on an lcore. */
void reporter_write(const bool *ends, const char *p, size_t n);

/** reporter_try writes likewise to stdout or stderr, until its reader has read nothing for a second:
 * then the rest is lost. */
void reporter_try(int fd, const bool *ends, const char *p, size_t n);

/** reporter_say writes a line of less than 1 KB to stdout or stderr if that does not block;
 * otherwise the line is lost. */
__attribute__((format(printf, 2, 3))) void reporter_say(int fd, const char *format, ...);

/** reporter_start begins, if there is anything to print. Returns 0, or -1 with a line in
 * r->s->why. */
int reporter_start(struct run *r);

/** reporter_is_busy says whether the text given last has not been written yet. */
bool reporter_is_busy(const struct run *r);

/** reporter_give has n bytes of text written and then freed. For a program without a stack, when
 * not busy. */
void reporter_give(struct run *r, char *text, size_t n);

/** reporter_stop ends it, if it was started. Output in progress is completed if it is being
 * read. */
void reporter_stop(struct run *r);

#endif
