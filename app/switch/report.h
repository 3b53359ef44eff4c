/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_REPORT_H
#define SWITCH_REPORT_H

/* What percore-switch prints. */

#include <stdio.h>

#include "forward.h"

/** report_counts prints the counters that are not 0, one line per port, and the number of
 * stations. */
void report_counts(const struct vswitch *s, FILE *f);

/** report_stations prints the table, at most max stations. */
void report_stations(const struct vswitch *s, unsigned max, uint64_t now_ns, FILE *f);

#endif
