/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names by which a process restricts itself: its system calls, its address space.
 *
 * The program does not mean the library's own resources: the library's memory is added to the
 * program's limit, and what it will need from the kernel is obtained before the filter is
 * installed.
 */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "choose.h"
#include "names.h"
#include "real.h"

NAME(int, prctl, (int what, ...))
{
	unsigned long arg[4];
	va_list ap;

	va_start(ap, what);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (what == PR_SET_SECCOMP)
		client_sandboxed();
	return (int)syscall(SYS_prctl, what, arg[0], arg[1], arg[2], arg[3]);
}

/* The size of the channel and the table of descriptors. */
static rlim_t own_memory(void)
{
	return choose_attach() ? client.view.bytes + client.max_fds * sizeof(struct file *) : 0;
}

/* The C library's type for a resource is an enumeration in C and an int in C++. */
NAME(int, setrlimit, (unsigned resource, const struct rlimit *limit))
{
	struct rlimit more;

	if (resource == RLIMIT_AS && limit != NULL && limit->rlim_cur != RLIM_INFINITY) {
		more = *limit;
		more.rlim_cur += own_memory();
		if (more.rlim_max != RLIM_INFINITY)
			more.rlim_max += own_memory();
		limit = &more;
	}
	return (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}
ALIAS(int, setrlimit64, setrlimit, (unsigned resource, const struct rlimit *limit),
      (resource, limit))
