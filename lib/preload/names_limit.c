/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names by which a process restricts itself: its system calls, its address space, and swapping.
 *
 * The program does not mean the library's own resources: the library's memory is added to the
 * program's limit, and what it will need from the kernel is obtained before the filter is
 * installed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

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
NAME(int, prlimit, (pid_t pid, unsigned resource, const struct rlimit *limit, struct rlimit *old))
{
	const bool is_ours = pid == 0 || pid == getpid();
	struct rlimit more;

	if (is_ours && resource == RLIMIT_AS && limit != NULL && limit->rlim_cur != RLIM_INFINITY) {
		more = *limit;
		more.rlim_cur += own_memory();
		if (more.rlim_max != RLIM_INFINITY)
			more.rlim_max += own_memory();
		limit = &more;
	}
	return (int)syscall(SYS_prlimit64, pid, resource, limit, old);
}
ALIAS(int, prlimit64, prlimit,
      (pid_t pid, unsigned resource, const struct rlimit *limit, struct rlimit *old),
      (pid, resource, limit, old))
ALIAS(int, setrlimit, prlimit, (unsigned resource, const struct rlimit *limit),
      (0, resource, limit, NULL))
ALIAS(int, setrlimit64, prlimit, (unsigned resource, const struct rlimit *limit),
      (0, resource, limit, NULL))

/* Without the channel, of which little is ever used: the kernel would allocate all of it. Returns
 * -1 with errno if the program's limit does not allow it. */
static int lock_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	int rc = 0;

	while (rc == 0 && maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || (long)from < 0 ||
		    strstr(line, "/memfd:percore") != NULL)
			continue;
		/* the first call counts the pages, the second one also reads them, if that is
		 * possible */
		rc = mlock2((void *)from, to - from, MLOCK_ONFAULT);
		if (rc == 0)
			(void)mlock((void *)from, to - from);
	}
	if (maps != NULL)
		(void)fclose(maps);
	return rc;
}

NAME(int, mlockall, (int flags))
{
	if (pcx_is_attached() && (flags | MCL_FUTURE) == (MCL_CURRENT | MCL_FUTURE)) {
		if (lock_mappings() != 0)
			return -1;
		if (flags == MCL_CURRENT)
			return 0;
		flags = MCL_FUTURE;
	}
	return (int)syscall(SYS_mlockall, flags);
}
