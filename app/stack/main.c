/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-stack: stacks for other processes, which attach at a UNIX socket (run.sockets).
 *
 * It has no sockets of its own.  percore-run starts it with --until: it then ends once that process
 * has ended and no client has been attached for a while.
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

#define LOOK_NS      100000000 /* between two checks for clients */
#define LONELY_LOOKS 20        /* checks without one before it ends: a daemon may be forking */

struct stack {
	pid_t until; /* 0: run forever */
	int pidfd;   /* of until; -1: it has ended, or the kernel has no pidfds */
};

static int set_until(void *app, const char *argument, char *why, size_t why_len)
{
	struct stack *s = app;
	char *end;

	s->until = (pid_t)strtol(argument, &end, 10);
	s->pidfd = (int)syscall(SYS_pidfd_open, s->until, 0);
	if (*end == '\0' && s->until > 0)
		return 0;
	snprintf(why, why_len, "\"%s\" is not a process ID", argument);
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

/*
 * A zombie does not count as alive: its parent may wait for us to close a pipe before it reaps it.
 */
static bool is_alive(const struct stack *s)
{
	struct pollfd p = {.fd = s->pidfd, .events = POLLIN};

	if (s->pidfd >= 0)
		return poll(&p, 1, 0) == 0;
	return kill(s->until, 0) == 0 || errno == EPERM;
}

/* Waits until the stack is not needed any more, or is told to stop. We count as a client, too. */
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
