/* SPDX-License-Identifier: BSD-2-Clause */
/* Stubs for builds without libseccomp; see seccomp.c. */
#include "seccomp.h"

#include <errno.h>

int seccomp_enter(const char *name, bool with_bpf)
{
	(void)name;
	(void)with_bpf;
	return -ENOSYS;
}
