/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_QUIET_H
#define RUN_QUIET_H

/*
 * Quiet: when something fails, DPDK and its drivers print a lot on stdout and stderr, some of it
 * more than once.  While quiet is on, all of it goes to a file in memory; afterwards the most
 * informative line is selected.
 */

#define QUIET_LINE 256

struct quiet {
	int saved_out, saved_err, file; /* -1: not quiet */
};

/** quiet_begin redirects stdout and stderr. If that fails, they stay as they are. */
void quiet_begin(struct quiet *q);

/** quiet_end restores them and picks the first line that reports a failure; "" if none does. */
void quiet_end(struct quiet *q, char line[QUIET_LINE]);

#endif
