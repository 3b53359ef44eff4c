/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a list of what is allowed, in groups by purpose; the kernel checks each system call.
 * Any other call raises SIGSYS in the thread that made it, and the handler prints its name: if the
 * list is too short for some driver, that must be easy to see.
 *
 * clone3() fails with ENOSYS, since its flags cannot be checked; the C library then uses clone(),
 * which may only create threads.
 */
#include "seccomp.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const allowed[] = {
    /* bytes */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek",
    "close", "close_range", "dup", "dup2", "dup3", "fcntl", "flock", "pipe2",
    /* files: served content, the log, the configuration, what EAL removes; no changes of modes or
     * owners */
    "open", "openat", "access", "faccessat", "faccessat2", "stat", "lstat", "fstat", "newfstatat",
    "statx", "statfs", "fstatfs", "readlink", "readlinkat", "getdents64", "getcwd", "rename",
    "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "fsync", "fdatasync", "ftruncate",
    "fallocate",
    /* memory; mmap and mprotect are below */
    "munmap", "mremap", "madvise", "brk", "msync", "mlock", "mlock2", "munlock", "mincore",
    "memfd_create", "mbind", "get_mempolicy", "set_mempolicy", "move_pages",
    /* time and threads */
    "futex", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday",
    "time", "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_setscheduler",
    "sched_getparam", "sched_getscheduler", "getcpu", "gettid", "getpid", "getppid",
    "set_robust_list", "rseq", "membarrier", "restart_syscall", "exit", "exit_group", "pause",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "eventfd2", "prctl",
    /* signals; see below: only to this process */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending",
    "sigaltstack",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2",
    /* the drivers' sockets, netlink, and sockets of other processes */
    "socket", "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "sendto",
    "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "getsockopt", "setsockopt",
    "getsockname", "getpeername", "ioctl",
    /* queries about itself; capset, as a thread that was late drops its privileges now
     * (privileges.c), and cannot gain any by it */
    "getuid", "geteuid", "getgid", "getegid", "capget", "capset", "uname", "sysinfo", "getrlimit",
    "prlimit64", "getrusage", "getrandom"};

/* what the message begins with, as a handler has no argument */
static const char *program;

static void on_violation(int signo, siginfo_t *info, void *context)
{
	/* safe: no allocation is interrupted, since the system calls that the C library's allocator
	 * needs are allowed */
	char *call = seccomp_syscall_resolve_num_arch(info->si_arch, info->si_syscall);

	(void)signo;
	(void)context;
	dprintf(STDERR_FILENO, "%s: system call %s (%d) is not allowed by run.seccomp\n", program,
	        call != NULL ? call : "unknown", info->si_syscall);
	abort();
}

static int allow(scmp_filter_ctx f, const char *name)
{
	const int nr = seccomp_syscall_resolve_name(name);

	/* unknown to this machine's kernel or library */
	return nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);
}

static int allow_some(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp thread =
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
	const struct scmp_arg_cmp own = SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid());
	int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code);

	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, thread);
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, own);
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, own);
	return rc;
}

static int build(scmp_filter_ctx f, bool with_bpf)
{
	int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);

	if (rc == 0) /* a binary search instead of one comparison after another */
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = allow(f, allowed[i]);
	if (rc == 0)
		rc = allow_some(f);
	if (rc == 0 && with_bpf)
		rc = allow(f, "bpf");
	if (rc == 0 && with_bpf) /* for the directory of libxdp's lock, where there is no bpffs */
		rc = allow(f, "mkdir");
	return rc;
}

int seccomp_enter(const char *name, bool with_bpf)
{
	struct sigaction action = {.sa_sigaction = on_violation,
	                           .sa_flags = SA_SIGINFO | SA_ONSTACK};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
	int rc;

	if (f == NULL)
		return -ENOMEM;
	program = name;
	/* the C library would load it when a thread is cancelled, too late by then */
	(void)dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_GLOBAL);
	rc = sigaction(SIGSYS, &action, NULL) == 0 ? build(f, with_bpf) : -errno;
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	return rc;
}
