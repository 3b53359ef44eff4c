/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_CPU_H
#define LOAD_CPU_H

/*
 * How much CPU time a process got: a run in which it had to wait for a core gives no useful
 * figures.
 */

#include "load.h"

/** cpu_read sums up all threads of a process; pid 0 is our own. Unreadable values count as 0. */
void cpu_read(int pid, struct cpu_share *share);

#endif
