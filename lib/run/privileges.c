/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: capabilities belong to a thread, and EAL has created threads long before all devices
 * are open. So each thread in /proc/self/task gets a signal whose handler drops the thread's own
 * capabilities, by two system calls that a handler may make. The handler is installed only for that
 * time.
 */
#include "privileges.h"

#include <percore/run.h>

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TASKS   "/proc/self/task"
#define WAIT_US 1000
#define WAITS   1000

/* CAP_BPF is newer than some kernels' headers */
#define CAP_OF_BPF 39

/* what the handler must do, and how many threads have done it; used only while privileges_drop
 * runs */
static struct {
	uint64_t keep;
	unsigned done; /* atomic */
} order;

uint64_t privileges_needed(struct pc_port *const *ports, unsigned n)
{
	/* files that are served may belong to any user, and are opened while the program runs */
	uint64_t keep = UINT64_C(1) << CAP_DAC_READ_SEARCH;

	for (unsigned i = 0; i < n; i++)
		/* its program must be detached */
		if (strcmp(ports[i]->info.driver, "net_af_xdp") == 0)
			keep |= UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_NET_RAW |
			        UINT64_C(1) << CAP_OF_BPF;
	return keep;
}

static int drop_own(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, caps) != 0)
		return -1;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		caps[i].permitted &= (uint32_t)(keep >> 32 * i);
		caps[i].effective &= (uint32_t)(keep >> 32 * i);
		caps[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, caps) != 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void on_signal(int signo)
{
	(void)signo;
	if (drop_own(order.keep) == 0)
		__atomic_fetch_add(&order.done, 1, __ATOMIC_RELEASE);
}

/* signals a thread; returns 1, 0 if it has ended meanwhile, or -1 */
static int ask(long tid, int signo)
{
	if (syscall(SYS_tgkill, getpid(), tid, signo) == 0)
		return 1;
	if (errno == ESRCH)
		return 0;
	fprintf(stderr, "privileges: cannot signal thread %ld: %s\n", tid, strerror(errno));
	return -1;
}

/* signals all other threads; returns whether that succeeded, and in *n how many */
static bool ask_others(int signo, unsigned *n)
{
	const long self = syscall(SYS_gettid);
	DIR *d = opendir(TASKS);
	struct dirent *e;
	bool good = d != NULL;

	*n = 0;
	while (d != NULL && (errno = 0, e = readdir(d)) != NULL) {
		const long tid = strtol(e->d_name, NULL, 10);
		const int asked = tid > 0 && tid != self ? ask(tid, signo) : 0;

		if (asked < 0)
			good = false;
		else
			*n += (unsigned)asked;
	}
	if (d == NULL || errno != 0) {
		fprintf(stderr, "privileges: cannot read " TASKS ": %s\n", strerror(errno));
		good = false;
	}
	if (d != NULL)
		closedir(d);
	return good;
}

int privileges_drop(uint64_t keep)
{
	const int signo = PC_RUN_SIGNAL;
	/* a thread of another language's runtime may have a small stack, and an alternate one for
	 * handlers */
	const struct sigaction action = {.sa_handler = on_signal,
	                                 .sa_flags = SA_RESTART | SA_ONSTACK};
	struct sigaction before;
	unsigned others;
	bool good;

	order.keep = keep;
	__atomic_store_n(&order.done, 0, __ATOMIC_RELEASE);
	if (sigaction(signo, &action, &before) != 0 || drop_own(keep) != 0)
		return -1;
	good = ask_others(signo, &others);
	for (unsigned i = 0; i < WAITS; i++) {
		if (__atomic_load_n(&order.done, __ATOMIC_ACQUIRE) >= others)
			break;
		usleep(WAIT_US);
	}
	if (!good || __atomic_load_n(&order.done, __ATOMIC_ACQUIRE) < others)
		return -1; /* the handler stays: a thread may still receive the signal */
	return sigaction(signo, &before, NULL);
}
