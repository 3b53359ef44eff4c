/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-stack: stacks for other processes, which attach at a UNIX socket (run.sockets).
 *
 * It has no sockets of its own.  percore-run starts it with --until: then it ends when that process
 * has ended and no other has been attached for a while.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <percore/percore.h>
#include <percore/posix.h>

#define LOOK_NS      100000000 /* between two looks for clients */
#define LONELY_LOOKS 20        /* so many without any: a daemon may be between two processes */

struct stack {
	pid_t until; /* 0: for ever */
	int pidfd;   /* of it; -1: it is gone, or the kernel has none */
};

static int set_until(void *app, const char *argument, char *why, size_t why_len)
{
	struct stack *s = app;
	char *end;

	s->until = (pid_t)strtol(argument, &end, 10);
	s->pidfd = (int)syscall(SYS_pidfd_open, s->until, 0);
	if (*end == '\0' && s->until > 0)
		return 0;
	snprintf(why, why_len, "\"%s\" is no process id", argument);
	return -1;
}

static const struct pc_run_option options[] = {
    {.name = "socket",
     .argument = "PATH",
     .key = "run.sockets",
     .help =
         "let processes attach at this UNIX socket; a name that begins with @ is in the abstract "
         "namespace"},
    {.name = "until",
     .argument = "PID",
     .set = set_until,
     .help = "end when process PID has ended and no process has been attached for two seconds"},
    {0},
};

/* One that has ended and is not waited for yet is not alive: its parent may wait for our end of a pipe. */
static bool is_alive(const struct stack *s)
{
	struct pollfd p = {.fd = s->pidfd, .events = POLLIN};

	if (s->pidfd >= 0)
		return poll(&p, 1, 0) == 0;
	return kill(s->until, 0) == 0 || errno == EPERM;
}

/* Waits until nobody wants the stack any more, or it is told to end. We are attached ourselves. */
static int wait_until_unwanted(void *app)
{
	const struct timespec nap = {.tv_nsec = LOOK_NS};
	const struct stack *s = app;
	unsigned n;
	int lonely = 0;

	while (lonely < LONELY_LOOKS && (n = pcx_processes()) > 0) {
		(void)nanosleep(&nap, NULL);
		lonely = s->until == 0 || is_alive(s) || n > 1 ? 0 : lonely + 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct stack s = {0};
	const struct pc_run_app app = {
	    .name = "percore-stack",
	    .summary = "stacks for other processes, which attach to them",
	    .example = "--addr 10.0.0.1/24 --socket /run/percore.sock",
	    .options = options,
	    .threads = wait_until_unwanted,
	};

	return pc_run(argc, argv, &app, &s);
}
