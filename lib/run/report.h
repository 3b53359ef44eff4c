/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

/* What a running program prints: its ports, its memory use, its counters. */

#include "worker.h"

/*
 * What the ports of all lcores count beside their stacks, in one list: a member of struct
 * pc_port_info, and a sentence. docs/counters.md is generated from it.
 */
/* clang-format off */
#define REPORT_PORT_COUNTERS(X) \
X(tx_refused, "frames to send dropped: the device would never have accepted them") \
X(rx_lost, "frames lost before they reached a stack: a queue between lcores or of a VLAN was full, or the VLAN is not configured") \
X(rx_untrue, "frames for which the device reported a wrong checksum or chose a wrong queue: done in software since then")
/* clang-format on */

/** report_start prints a line for each port, one for memory, one for what is refused under load,
 * and "ready". */
void report_start(const struct run *r);

/** report_stats prints the sums of all non-zero counters. */
void report_stats(const struct run *r, FILE *f);

/** report_tell_counters calls count with arg for each counter of the ports and of the program itself:
 * the sum over all lcores, also if that is 0. */
void report_tell_counters(const struct run *r, pc_run_count *count, void *arg);

/** report_port describes a port in one line, without its addresses; by_flow: software distributes
 * its frames over lcores. */
void report_port(const struct pc_port_info *info, bool by_flow, char *line, size_t size);

/** report_admission describes in one line what a stack refuses when mbufs or places run short. */
void report_admission(const struct pc_stack_config *c, char *line, size_t size);

#endif
