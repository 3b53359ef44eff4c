/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_PRIVILEGES_H
#define RUN_PRIVILEGES_H

/* What a program may do that an ordinary user may not, and dropping these privileges. */

#include <stdint.h>

#include <percore/port.h>

/**
 * privileges_needed returns the capabilities, as bits of 1 << CAP_*, that a program on these ports needs
 * after its start: none to open or make anything, some to read what it serves and to take down what
 * some drivers have set up in the kernel.
 */
uint64_t privileges_needed(struct pc_port *const *ports, unsigned n);

/**
 * privileges_drop gives up all capabilities but those of keep in every thread of the process, and lets none
 * of them come back by running a program (no_new_privs). Threads made afterwards inherit that. Returns 0,
 * or -1 when a thread has not done so within a second, or cannot be asked, which stderr is told.
 */
int privileges_drop(uint64_t keep);

#endif
