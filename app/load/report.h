/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

/* The results of a run, for people and for programs. */

#include <stdio.h>

#include "load.h"

/** report_progress writes a line about the last second. */
void report_progress(const struct load *l, FILE *f);

/** report_state writes a few lines about the generator's state; call load_count before. */
void report_state(const struct load *l, FILE *f);

/** report_summary writes a few lines about the run, so far or at its end. */
void report_summary(const struct load *l, FILE *f);

/** report_json writes one line of JSON. Latencies are in us, rates per second. */
void report_json(const struct load *l, FILE *f);

#endif
