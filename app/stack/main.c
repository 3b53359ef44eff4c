/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-stack: a stack for other processes.
 *
 * It makes a host, gives it the stack of every lcore, and lets processes attach at a UNIX socket; it has no sockets of
 * its own.  percore-run starts it with --until: then it ends when that process has ended and no other
 * has been attached for a while.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_lcore.h>

#include <percore/host.h>
#include <percore/percore.h>

#define LOOK_NS      100000000 /* between two looks for clients */
#define LONELY_LOOKS 20        /* so many without any: a daemon may be between two processes */

struct stack {
	const char *socket;
	pid_t until; /* 0: for ever */
	struct pc_host *host;
	unsigned nb_added;
	pthread_mutex_t lock;
	pthread_t watcher;
	bool watching;
	atomic_bool ending;
};

static int set_socket(void *app, const char *argument, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	((struct stack *)app)->socket = argument;
	return 0;
}

static int set_until(void *app, const char *argument, char *why, size_t why_len)
{
	struct stack *s = app;
	char *end;

	s->until = (pid_t)strtol(argument, &end, 10);
	if (*end == '\0' && s->until > 0)
		return 0;
	snprintf(why, why_len, "\"%s\" is no process id", argument);
	return -1;
}

static const struct pc_run_option options[] = {
    {.name = "socket",
     .argument = "PATH",
     .set = set_socket,
     .help = "let processes attach at this UNIX socket (default /run/percore.sock; a name that "
             "begins with @ "
             "is in the abstract namespace)"},
    {.name = "until",
     .argument = "PID",
     .set = set_until,
     .help = "end when process PID has ended and no process has been attached for two seconds"},
    {0},
};

static bool is_wanted(const struct stack *s)
{
	return kill(s->until, 0) == 0 || errno == EPERM || pc_host_count(s->host) > 0;
}

/* Asks the whole program to end, as a person would, when nobody wants it any more. */
static void *watch(void *arg)
{
	const struct timespec nap = {.tv_nsec = LOOK_NS};
	struct stack *s = arg;
	int lonely = 0;

	while (!atomic_load(&s->ending) && lonely < LONELY_LOOKS) {
		(void)nanosleep(&nap, NULL);
		lonely = is_wanted(s) ? 0 : lonely + 1;
	}
	if (!atomic_load(&s->ending))
		(void)kill(getpid(), SIGTERM);
	return NULL;
}

/* The first lcore makes the host, the last one opens it. The caller has the lock. */
static int add(struct stack *s, struct pc_stack *st, struct pc_service **service)
{
	const struct pc_host_config config = {.nb_lcores = rte_lcore_count()};

	if (s->host == NULL)
		s->host = pc_host_create(&config);
	if (s->host == NULL)
		return -1;
	*service = pc_host_add(s->host, s->nb_added, st);
	if (*service == NULL)
		return -1;
	if (++s->nb_added < config.nb_lcores)
		return 0;
	if (pc_host_listen(s->host, s->socket) != 0)
		return -1;
	s->watching = s->until != 0 && pthread_create(&s->watcher, NULL, watch, s) == 0;
	return 0;
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	struct stack *s = app;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = add(s, st, (struct pc_service **)worker);
	pthread_mutex_unlock(&s->lock);
	if (rc != 0)
		snprintf(why, why_len, "%s: %s", s->socket, strerror(errno));
	return rc;
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	(void)pc_service_turn(worker, now_ns);
}

int main(int argc, char **argv)
{
	struct stack s = {.socket = "/run/percore.sock", .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct pc_run_app app = {
	    .name = "percore-stack",
	    .summary = "a stack for other processes, which attach to it",
	    .options = options,
	    .start = start,
	    .turn = turn,
	};
	int status = pc_run(argc, argv, &app, &s);

	atomic_store(&s.ending, true);
	if (s.watching)
		pthread_join(s.watcher, NULL);
	pc_host_destroy(s.host);
	return status;
}
