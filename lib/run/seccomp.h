/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_SECCOMP_H
#define RUN_SECCOMP_H

/* Forbidding the system calls that a running program does not need. */

#include <stdbool.h>

/**
 * seccomp_enter lets all threads of the process make only the system calls that percore, its drivers and programs
 * make once they have started: none to run another program, to look into another process, to make memory that can be
 * executed, or to change mounts, modules, namespaces or users. Any other ends the process with a line on
 * stderr that begins with name, which must last, and names the call. with_bpf leaves bpf(), by which
 * net_af_xdp takes its program down. It cannot be undone. Returns 0 or a negative errno; -ENOSYS when percore was built
 * without libseccomp.
 */
int seccomp_enter(const char *name, bool with_bpf);

#endif
