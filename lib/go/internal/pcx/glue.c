/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "glue.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <percore/posix.h>
#include <percore/run.h>

#define EVENTS 128

enum state { NEW, UP, STOPPING, ENDED };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum state state;
	cpu_set_t all; /* where the process may run */
	int cpus_left, thread;
} glue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void set_state(enum state to)
{
	pthread_mutex_lock(&glue.lock);
	if (glue.state < to)
		glue.state = to;
	pthread_cond_broadcast(&glue.changed);
	pthread_mutex_unlock(&glue.lock);
}

/* ---- what Go asks of C code in its process ------------------------------------------------------------ */

/* Goroutines' stacks are too small for handlers, so each must run on the thread's stack for signals: those that drivers
 * have installed (net_tap), too. */
static void use_signal_stacks(void)
{
	struct sigaction sa;

	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &sa) != 0 || (sa.sa_flags & SA_ONSTACK) ||
		    sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)
			continue;
		sa.sa_flags |= SA_ONSTACK;
		(void)sigaction(sig, &sa, NULL);
	}
}

/* ---- which threads run where ------------------------------------------------------------------------- */

static struct pc_run_places places(void)
{
	struct pc_run_places p;

	pc_run_get_places(&p);
	return p;
}

/* Moves a thread away from the lcores, unless somebody has given it a place of its own. */
static void move(long tid, const cpu_set_t *left)
{
	cpu_set_t now;

	if (sched_getaffinity((pid_t)tid, sizeof(now), &now) == 0 && CPU_EQUAL(&now, &glue.all))
		(void)sched_setaffinity((pid_t)tid, sizeof(*left), left);
}

/* Go's threads leave the CPUs of the lcores, if there are others; threads to come inherit that. */
static void move_others(void)
{
	DIR *d = opendir("/proc/self/task");
	const struct dirent *e;
	cpu_set_t left = places().cpus;

	CPU_XOR(&left, &left, &glue.all);
	CPU_AND(&left, &left, &glue.all);
	glue.cpus_left = CPU_COUNT(&left);
	while (glue.cpus_left > 0 && d != NULL && (e = readdir(d)) != NULL)
		if (atol(e->d_name) > 0)
			move(atol(e->d_name), &left);
	if (d != NULL)
		closedir(d);
}

int glue_lcore_thread(void)
{
	return glue.thread;
}

int glue_lcore_cpu(void)
{
	return places().main_cpu;
}

int glue_lcore_numa(void)
{
	return places().main_node;
}

int glue_lcores(void)
{
	return (int)places().nb_lcores;
}

int glue_cpus_left(void)
{
	return glue.cpus_left;
}

/* ---- the stack's life -------------------------------------------------------------------------------- */

/* On each lcore, before its first turn. */
static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	(void)app, (void)worker, (void)why, (void)why_len, (void)st;
	use_signal_stacks();
	return 0;
}

static bool drained(void *worker, struct pc_stack *st)
{
	struct pc_stack_usage usage;

	(void)worker;
	pc_stack_get_usage(st, &usage);
	return usage.connections == 0;
}

static int hold(void *app)
{
	(void)app;
	move_others();
	set_state(UP);
	pthread_mutex_lock(&glue.lock);
	while (glue.state == UP)
		pthread_cond_wait(&glue.changed, &glue.lock);
	pthread_mutex_unlock(&glue.lock);
	return 0;
}

int glue_run(int argc, char **argv)
{
	const struct pc_run_app app = {.name = argv[0],
	                               .summary = "a Go program on percore",
	                               .own_signals = true,
	                               .threads = hold,
	                               .start = start,
	                               .drained = drained};
	int status;

	glue.thread = (int)syscall(SYS_gettid);
	(void)sched_getaffinity(0, sizeof(glue.all), &glue.all);
	status = pc_run(argc, argv, &app, NULL);
	set_state(ENDED);
	return status;
}

bool glue_wait_up(void)
{
	bool up;

	pthread_mutex_lock(&glue.lock);
	while (glue.state == NEW)
		pthread_cond_wait(&glue.changed, &glue.lock);
	up = glue.state == UP;
	pthread_mutex_unlock(&glue.lock);
	return up;
}

void glue_stop(void)
{
	set_state(STOPPING);
}

/* ---- calls ------------------------------------------------------------------------------------------- */

static inline int result(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

long glue_recv(int fd, void *buf, size_t n, int flags)
{
	const ssize_t got = pcx_recv(fd, buf, n, flags | MSG_DONTWAIT);

	return got < 0 ? -errno : got;
}

long glue_send(int fd, const void *buf, size_t n, int flags)
{
	const ssize_t sent = pcx_send(fd, buf, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 ? -errno : sent;
}

long glue_recvmsg(int fd, void *buf, size_t n, void *oob, size_t oob_len, int flags, void *name,
                  int32_t out[3])
{
	struct iovec iov = {buf, n};
	struct msghdr m = {.msg_name = name,
	                   .msg_namelen = sizeof(struct sockaddr_storage),
	                   .msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = oob,
	                   .msg_controllen = oob_len};
	const ssize_t got = pcx_recvmsg(fd, &m, flags | MSG_DONTWAIT);

	if (got < 0)
		return -errno;
	out[0] = (int32_t)m.msg_namelen;
	out[1] = (int32_t)m.msg_controllen;
	out[2] = m.msg_flags;
	return got;
}

long glue_sendmsg(int fd, const void *buf, size_t n, const void *oob, size_t oob_len,
                  const void *name, int name_len)
{
	struct iovec iov = {(void *)(uintptr_t)buf, n};
	struct msghdr m = {.msg_name = name_len > 0 ? (void *)(uintptr_t)name : NULL,
	                   .msg_namelen = (socklen_t)name_len,
	                   .msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = oob_len > 0 ? (void *)(uintptr_t)oob : NULL,
	                   .msg_controllen = oob_len};
	const ssize_t sent = pcx_sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 ? -errno : sent;
}

int glue_socket(int domain, int type, int protocol)
{
	return result(pcx_socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int glue_bind(int fd, const void *name, int len)
{
	return result(pcx_bind(fd, name, (socklen_t)len));
}

int glue_listen(int fd, int backlog)
{
	return result(pcx_listen(fd, backlog));
}

int glue_accept(int fd, void *name)
{
	socklen_t len = sizeof(struct sockaddr_storage);

	return result(pcx_accept4(fd, name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int glue_connect(int fd, const void *name, int len)
{
	return result(pcx_connect(fd, name, (socklen_t)len));
}

int glue_shutdown(int fd, int how)
{
	return result(pcx_shutdown(fd, how));
}

int glue_name(int fd, void *name, bool peer)
{
	socklen_t len = sizeof(struct sockaddr_storage);

	return result(peer ? pcx_getpeername(fd, name, &len) : pcx_getsockname(fd, name, &len));
}

int glue_getsockopt(int fd, int level, int name, void *value, int len)
{
	socklen_t n = (socklen_t)len;

	return result(pcx_getsockopt(fd, level, name, value, &n));
}

int glue_setsockopt(int fd, int level, int name, const void *value, int len)
{
	return result(pcx_setsockopt(fd, level, name, value, (socklen_t)len));
}

int glue_close(int fd)
{
	return result(pcx_close(fd));
}

int glue_attach(const char *path)
{
	return result(pcx_attach(path));
}

int glue_locals(struct glue_local *list, int n)
{
	struct pcx_local some[64];
	const int found = pcx_locals(some, n < 64 ? (unsigned)n : 64);

	for (int i = 0; i < found; i++) {
		list[i] = (struct glue_local){.is6 = some[i].family == AF_INET6,
		                              .prefix = some[i].prefix,
		                              .port = some[i].port};
		memcpy(list[i].addr, some[i].addr, sizeof(some[i].addr));
	}
	return result(found);
}

int glue_epoll_create(void)
{
	return result(pcx_epoll_create1(EPOLL_CLOEXEC));
}

int glue_epoll_add(int ep, int fd, uint64_t id, bool kernels)
{
	struct epoll_event e = {.events =
	                            kernels ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	                        .data.u64 = id};

	return result(pcx_epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

int glue_epoll_wait(int ep, struct glue_event *events, int n)
{
	struct epoll_event e[EVENTS];
	int got;

	/* the end of the stack is an event of every socket, and the next call's error */
	if (pcx_processes() == 0)
		return -ENETDOWN;
	got = pcx_epoll_wait(ep, e, n < EVENTS ? n : EVENTS, -1);
	for (int i = 0; i < got; i++)
		events[i] = (struct glue_event){.id = e[i].data.u64, .events = e[i].events};
	return result(got);
}
