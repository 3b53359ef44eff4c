/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The only state of the program outside a structure: a signal handler gets no argument of ours,
 * only the address of the fault, so it needs a global to find what the thread is reading.  The
 * handler runs on the reading thread, so no other thread ever sees that thread's guard.
 */

#include "map_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
	uintptr_t begin, end;
	long page;
	volatile sig_atomic_t missing;
};

static _Thread_local struct guard guard;

/* Maps zeros past the end of the file. Here mmap is a bare system call, and safe in a handler. */
static bool patch(uintptr_t address)
{
	const uintptr_t page = address & ~(uintptr_t)(guard.page - 1);
	const int before = errno;
	void *p;

	if (address < guard.begin || address >= guard.end)
		return false;
	p = mmap((void *)page, (size_t)guard.page, PROT_READ,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	errno = before;
	return p != MAP_FAILED;
}

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == BUS_ADRERR && patch((uintptr_t)info->si_addr))
		guard.missing = 1;
	else
		signal(signal_number, SIG_DFL); /* the read is restarted, and ends the program */
}

int map_guard_install(void)
{
	struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : -errno;
}

void map_guard_begin(const void *mapping, size_t len)
{
	guard.begin = (uintptr_t)mapping;
	guard.end = guard.begin + len;
	guard.missing = 0;
	if (guard.page == 0)
		guard.page = sysconf(_SC_PAGESIZE);
}

bool map_guard_end(void)
{
	guard.begin = guard.end = 0;
	return guard.missing != 0;
}
