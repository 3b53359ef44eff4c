/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_CPU_H
#define LOAD_CPU_H

/* How much of a core a process has had: a run in which it had to wait gives no useful figures. */

#include "load.h"

/** cpu_read sums up all threads of a process; pid 0 is our own. What cannot be read counts as 0. */
void cpu_read(int pid, struct cpu_share *share);

#endif
