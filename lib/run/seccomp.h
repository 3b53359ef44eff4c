/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_SECCOMP_H
#define RUN_SECCOMP_H

/* Forbids the system calls that a running program does not need. */

#include <stdbool.h>

/**
 * seccomp_enter restricts all threads of the process to the system calls that percore, its drivers
 * and programs make after startup: none to run another program, to look into another process, to
 * make memory executable, or to change mounts, modules, namespaces or users. Any other call ends
 * the process with a line on stderr that begins with name, which must stay valid, and names the
 * call. with_bpf allows bpf(), with which net_af_xdp detaches its program. It cannot be undone.
 * Returns 0 or a negative errno; -ENOSYS if percore was built without libseccomp.
 */
int seccomp_enter(const char *name, bool with_bpf);

#endif
