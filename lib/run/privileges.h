/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_PRIVILEGES_H
#define RUN_PRIVILEGES_H

/* Which capabilities a running program needs, and dropping the others. */

#include <stdint.h>

#include <percore/port.h>

/**
 * privileges_needed returns the capabilities, as bits 1 << CAP_*, that a program on these ports
 * needs after startup: none to open or create anything, but some to read the files it serves and to
 * take down what some drivers have set up in the kernel.
 */
uint64_t privileges_needed(struct pc_port *const *ports, unsigned n);

/**
 * privileges_drop drops all capabilities but those in keep, in every thread of the process, and
 * keeps them from being regained by running a program (no_new_privs). Threads created later inherit
 * this. Returns 0, or -1 with a line on stderr if a thread has not done so within a second or
 * cannot be reached.
 */
int privileges_drop(uint64_t keep);

#endif
