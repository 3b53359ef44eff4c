/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, files and processes. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[100000];

static void close_both(struct live *l, int fd[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* ---- dup -------------------------------------------------------------------------------------- */

static void dup_shares(struct live *l)
{
	int fd[2], two;

	live_pair(l, fd);
	two = l->c->dup(fd[NEAR]);
	bed_log(&l->bed, "%d\n", two > fd[NEAR]);
	live_log(l, "O_NONBLOCK", l->c->fcntl(two, F_SETFL, O_NONBLOCK));
	live_log(l, "is seen", l->c->fcntl(fd[NEAR], F_GETFL, 0) & O_NONBLOCK);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, 0));
	live_log(l, "close", l->c->close(fd[NEAR]));
	live_log(l, "closed", l->c->recv(fd[NEAR], buf, 10, 0));
	live_far_send(l, fd[FAR], 5);
	live_sleep(5);
	live_log(l, "recv", l->c->recv(two, buf, 10, 0));
	live_log(l, "close", l->c->close(two));
	live_log(l, "close again", l->c->close(two));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 1));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static void dup2_replaces(struct live *l)
{
	int a[2], b[2], pipes[2], rc;

	signal(SIGPIPE, SIG_IGN);
	live_pair(l, a);
	live_pair(l, b);
	if (pipe(pipes) != 0)
		abort();
	live_log(l, "same", l->c->dup2(a[NEAR], a[NEAR]) == a[NEAR]);
	live_log(l, "same by dup3", l->c->dup3(a[NEAR], a[NEAR], 0));
	live_log(l, "bad flags", l->c->dup3(a[NEAR], b[NEAR], O_NONBLOCK));
	live_log(l, "bad descriptor", l->c->dup2(9999, b[NEAR]));
	live_log(l, "bad target", l->c->dup2(a[NEAR], -1));
	rc = l->c->dup2(a[NEAR], b[NEAR]);
	live_log(l, "over ours", rc == b[NEAR]);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, b[FAR], 1));
	live_far_send(l, a[FAR], 5);
	live_sleep(3);
	live_log(l, "recv", l->c->recv(b[NEAR], buf, 10, 0));
	rc = l->c->dup2(a[NEAR], pipes[0]);
	live_log(l, "over a pipe", rc == pipes[0]);
	live_log(l, "the pipe is closed", l->c->write(pipes[1], "x", 1));
	live_far_send(l, a[FAR], 5);
	live_sleep(3);
	live_log(l, "recv", l->c->recv(pipes[0], buf, 10, 0));
	rc = l->c->dup2(pipes[1], a[NEAR]);
	live_log(l, "a pipe over ours", rc == a[NEAR]);
	live_log(l, "no socket", l->c->recv(a[NEAR], buf, 10, 0));
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
	l->c->close(a[NEAR]);
	l->c->close(b[NEAR]);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, a[FAR], 1));
}

/* F_DUPFD_QUERY, of Linux 6.10. */
static void same_files(struct live *l, int fd)
{
	const int query = 1027, two = l->c->dup(fd), other = l->c->socket(AF_INET, SOCK_DGRAM, 0);

	live_log(l, "itself", l->c->fcntl(fd, query, fd));
	live_log(l, "a duplicate", l->c->fcntl(fd, query, two));
	live_log(l, "another", l->c->fcntl(fd, query, other));
	live_log(l, "a file", l->c->fcntl(fd, query, STDERR_FILENO));
	live_log(l, "by a file", l->c->fcntl(STDERR_FILENO, query, fd));
	live_log(l, "none", l->c->fcntl(fd, query, 999));
	l->c->close(two);
	l->c->close(other);
}

static void fcntl_calls(struct live *l)
{
	int fd[2], two;

	live_pair(l, fd);
	live_log(l, "F_GETFL", l->c->fcntl(fd[NEAR], F_GETFL, 0));
	live_log(l, "F_GETFD", l->c->fcntl(fd[NEAR], F_GETFD, 0));
	live_log(l, "F_SETFD", l->c->fcntl(fd[NEAR], F_SETFD, FD_CLOEXEC));
	live_log(l, "F_GETFD", l->c->fcntl(fd[NEAR], F_GETFD, 0));
	two = l->c->fcntl(fd[NEAR], F_DUPFD, 100);
	live_log(l, "F_DUPFD", two);
	live_log(l, "F_GETFD", l->c->fcntl(two, F_GETFD, 0));
	live_log(l, "close", l->c->close(two));
	two = l->c->fcntl(fd[NEAR], F_DUPFD_CLOEXEC, 100);
	live_log(l, "F_DUPFD_CLOEXEC", two);
	live_log(l, "F_GETFD", l->c->fcntl(two, F_GETFD, 0));
	live_log(l, "close", l->c->close(two));
	live_log(l, "F_DUPFD -1", l->c->fcntl(fd[NEAR], F_DUPFD, -1));
	live_log(l, "unknown", l->c->fcntl(fd[NEAR], 12345, 0));
	live_log(l, "closed", l->c->fcntl(two, F_GETFL, 0));
	close_both(l, fd);
	two = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	live_log(l, "F_GETFL", l->c->fcntl(two, F_GETFL, 0));
	live_log(l, "F_GETFD", l->c->fcntl(two, F_GETFD, 0));
	same_files(l, two);
	l->c->close(two);
}

static void ioctl_calls(struct live *l)
{
	int fd[2], n = 1;

	live_pair(l, fd);
	live_log(l, "FIONBIO", l->c->ioctl(fd[NEAR], FIONBIO, &n));
	live_log(l, "flags", l->c->fcntl(fd[NEAR], F_GETFL, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 10, 0));
	live_far_send(l, fd[FAR], 42);
	live_sleep(5);
	live_log(l, "FIONREAD", l->c->ioctl(fd[NEAR], FIONREAD, &n));
	bed_log(&l->bed, "%d\n", n);
	live_log(l, "send", l->c->send(fd[NEAR], buf, 100, 0));
	live_sleep(50);
	live_log(l, "SIOCOUTQ", l->c->ioctl(fd[NEAR], SIOCOUTQ, &n));
	bed_log(&l->bed, "%d\n", n);
	live_log(l, "SIOCATMARK", l->c->ioctl(fd[NEAR], SIOCATMARK, &n));
	bed_log(&l->bed, "%d\n", n);
	live_log(l, "FIOCLEX", l->c->ioctl(fd[NEAR], FIOCLEX, NULL));
	live_log(l, "F_GETFD", l->c->fcntl(fd[NEAR], F_GETFD, 0));
	live_log(l, "unknown", l->c->ioctl(fd[NEAR], 0x1234, &n));
	close_both(l, fd);
}

static void wrong_descriptors(struct live *l)
{
	struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);
	socklen_t len = sizeof(a);
	int pipes[2];

	if (pipe(pipes) != 0)
		abort();
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 ? -1 : i == 1 ? 9999 : pipes[0];

		live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&a, len));
		live_log(l, "listen", l->c->listen(fd, 1));
		live_log(l, "accept", l->c->accept4(fd, NULL, NULL, 0));
		live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, len));
		live_log(l, "shutdown", l->c->shutdown(fd, 0));
		live_log(l, "getsockname", l->c->getsockname(fd, (struct sockaddr *)&a, &len));
		live_log(l, "getpeername", l->c->getpeername(fd, (struct sockaddr *)&a, &len));
		live_log(l, "recv", l->c->recv(fd, buf, 1, 0));
		live_log(l, "send", l->c->send(fd, buf, 1, 0));
		live_log(l, "write", l->c->write(fd, buf, 1));
	}
	live_log(l, "dup", l->c->dup(9999));
	live_log(l, "fcntl", l->c->fcntl(9999, F_GETFL, 0));
	live_log(l, "write to a pipe", l->c->write(pipes[1], "abc", 3));
	live_log(l, "read of a pipe", l->c->read(pipes[0], buf, 10));
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
}

static void socket_errors(struct live *l)
{
	live_log(l, "family", l->c->socket(12345, SOCK_STREAM, 0));
	live_log(l, "type", l->c->socket(AF_INET, 12345, 0));
	live_log(l, "protocol", l->c->socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	live_log(l, "protocol", l->c->socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
}

/* Flags of F_SETFL, alone and together, one that is refused among them. */
static void flags(struct live *l)
{
	static const int set[] = {O_APPEND, O_NOATIME, O_NONBLOCK | O_APPEND, O_SYNC, O_DIRECT,
	                          O_CREAT,  O_WRONLY,  O_DIRECT | O_NONBLOCK, 0};
	int fd[2], same;

	live_pair(l, fd);
	same = l->c->dup(fd[NEAR]);
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		live_log(l, "set", l->c->fcntl(fd[NEAR], F_SETFL, set[i]));
		live_log(l, "get", l->c->fcntl(fd[NEAR], F_GETFL, 0));
		live_log(l, "of the same", l->c->fcntl(same, F_GETFL, 0));
	}
	l->c->close(same);
	close_both(l, fd);
}

/* ---- files ------------------------------------------------------------------------------------ */

static void sendfile_calls(struct live *l)
{
	int fd[2], file = memfd_create("file", 0), pipes[2];
	off_t offset = 10;

	if (write(file, buf, 100000) != 100000 || lseek(file, 0, SEEK_SET) != 0 || pipe(pipes) != 0)
		abort();
	live_pair(l, fd);
	live_log(l, "100", l->c->sendfile(fd[NEAR], file, NULL, 100));
	live_log(l, "at", (long)lseek(file, 0, SEEK_CUR));
	live_log(l, "from 10", l->c->sendfile(fd[NEAR], file, &offset, 100));
	bed_log(&l->bed, "offset %ld, at %ld\n", (long)offset, (long)lseek(file, 0, SEEK_CUR));
	live_log(l, "nothing", l->c->sendfile(fd[NEAR], file, NULL, 0));
	offset = 99990;
	live_log(l, "the end", l->c->sendfile(fd[NEAR], file, &offset, 100));
	live_log(l, "after it", l->c->sendfile(fd[NEAR], file, &offset, 100));
	offset = -1;
	live_log(l, "before it", l->c->sendfile(fd[NEAR], file, &offset, 100));
	live_log(l, "all", l->c->sendfile(fd[NEAR], file, NULL, 1000000));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 100 + 100 + 10 + 99900));
	live_log(l, "a negative length", l->c->sendfile(fd[NEAR], file, NULL, SIZE_MAX));
	live_log(l, "no file", l->c->sendfile(fd[NEAR], 9999, NULL, 10));
	live_log(l, "an empty pipe", l->c->sendfile(fd[NEAR], pipes[0], NULL, 10));
	live_log(l, "write", write(pipes[1], buf, 20));
	live_log(l, "a pipe", l->c->sendfile(fd[NEAR], pipes[0], NULL, 10));
	offset = 0;
	live_log(l, "a pipe's beginning", l->c->sendfile(fd[NEAR], pipes[0], &offset, 10));
	live_log(l, "read", read(pipes[0], buf, 30));
	live_log(l, "its other end", l->c->sendfile(fd[NEAR], pipes[1], NULL, 10));
	live_log(l, "a socket", l->c->sendfile(fd[NEAR], fd[NEAR], NULL, 10));
	live_log(l, "a socket's beginning", l->c->sendfile(fd[NEAR], fd[NEAR], &offset, 10));
	l->c->close(file);
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
	close_both(l, fd);
}

/* ---- processes -------------------------------------------------------------------------------- */

static void wait_child(struct live *l, pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		continue;
	bed_log(&l->bed, "child %d\n", status);
}

static void fork_shares(struct live *l)
{
	int fd[2];
	pid_t pid;

	live_pair(l, fd);
	pid = fork();
	if (pid == 0) {
		ssize_t n = l->c->recv(fd[NEAR], buf, 10, 0);

		n = n == 10 ? l->c->send(fd[NEAR], buf, 7, 0) : 0;
		_exit(n == 7 && l->c->fcntl(fd[NEAR], F_GETFL, 0) == (O_RDWR | O_NONBLOCK) ? 0 : 1);
	}
	live_sleep(20);
	live_log(l, "O_NONBLOCK", l->c->fcntl(fd[NEAR], F_SETFL, O_NONBLOCK));
	live_far_send(l, fd[FAR], 10);
	wait_child(l, pid);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 7));
	live_log(l, "nothing left", l->c->recv(fd[NEAR], buf, 10, 0));
	close_both(l, fd);
}

static void fork_keeps(struct live *l)
{
	int fd[2];
	pid_t pid;

	live_pair(l, fd);
	pid = fork();
	if (pid == 0) {
		live_sleep(20);
		_exit(l->c->send(fd[NEAR], buf, 7, 0) == 7 ? 0 : 1);
	}
	live_log(l, "close", l->c->close(fd[NEAR]));
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 10)); /* 7, then the end */
	wait_child(l, pid);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static void fork_kill(struct live *l)
{
	int fd[2], pipes[2];
	pid_t pid;

	if (pipe(pipes) != 0)
		abort();
	live_pair(l, fd);
	pid = fork();
	if (pid == 0) {
		l->c->write(pipes[1], "x", 1);
		live_sleep(10000);
		_exit(0);
	}
	l->c->close(fd[NEAR]);
	live_log(l, "child is there", l->c->read(pipes[0], buf, 1));
	kill(pid, SIGKILL);
	wait_child(l, pid);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 10));
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

#define ITEMS 8
#define FORKS 200

struct watch {
	const struct live *l;
	int ep;
	bool ends;
};

static void *keep_watching(void *arg)
{
	struct watch *w = arg;
	struct epoll_event e[ITEMS];

	while (!__atomic_load_n(&w->ends, __ATOMIC_RELAXED))
		w->l->c->epoll_wait(w->ep, e, ITEMS, 0);
	return NULL;
}

/* Whether a set reports everything at least once. */
static bool reports_all(const struct live *l, int ep)
{
	struct epoll_event e[ITEMS];

	for (int i = 0; i < 20; i++)
		if (l->c->epoll_wait(ep, e, ITEMS, 0) == ITEMS)
			return true;
	return false;
}

/* A child's copy of a set is whole, whatever a thread of its parent was doing with it. The kernel's is shared, and forks take
 * sanitizers tens of milliseconds each. */
static void fork_while_watched(struct live *l)
{
	const int forks = l->bed.host != NULL ? FORKS : 1;
	struct watch w = {.l = l, .ep = l->c->epoll_create1(0)};
	struct epoll_event e = {.events = EPOLLIN};
	int fd[2], more[ITEMS - 1], lost = 0;
	pthread_t thread;

	live_pair(l, fd);
	live_far_send(l, fd[FAR], 1);
	l->c->epoll_ctl(w.ep, EPOLL_CTL_ADD, fd[NEAR], &e);
	for (int i = 0; i < ITEMS - 1; i++) {
		more[i] = l->c->dup(fd[NEAR]);
		l->c->epoll_ctl(w.ep, EPOLL_CTL_ADD, more[i], &e);
	}
	pthread_create(&thread, NULL, keep_watching, &w);
	for (int i = 0; i < forks; i++) {
		int status = -1;
		const pid_t pid = fork();

		if (pid == 0) {
			alarm(10);
			_exit(reports_all(l, w.ep) ? 0 : 1);
		}
		while (waitpid(pid, &status, 0) < 0)
			continue;
		lost += status != 0;
	}
	__atomic_store_n(&w.ends, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	bed_log(&l->bed, "lost %d\n", lost);
	for (int i = 0; i < ITEMS - 1; i++)
		l->c->close(more[i]);
	l->c->close(w.ep);
	close_both(l, fd);
}

/* two processes accept from one listener, as master and workers do */
static void fork_accepts(struct live *l)
{
	struct sockaddr_in a;
	int listener = live_listener(l, 8, &a), far[4];
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] != 0)
			continue;
		for (int k = 0; k < 2; k++) {
			int fd = l->c->accept4(listener, NULL, NULL, 0);

			if (fd < 0 || l->c->send(fd, buf, 3, 0) != 3)
				_exit(1);
			l->c->close(fd);
		}
		_exit(0);
	}
	l->c->close(listener);
	live_sleep(20);
	for (int i = 0; i < 4; i++)
		far[i] = live_far_connect(l, &a);
	for (int i = 0; i < 4; i++) {
		bed_log(&l->bed, "far %zu\n", live_far_recv(l, far[i], 10));
		l->bed.call->close(&l->bed, FAR, far[i]);
	}
	for (int i = 0; i < 2; i++)
		wait_child(l, pid[i]);
}

#ifdef __SANITIZE_ADDRESS__
#define FORKERS 0 /* it has locks of its own, around a fork */
#else
#define FORKERS 12
#endif

#define PATIENCE 1000

static void on_alarm(int sig)
{
	const int error = errno;
	const pid_t pid = fork();

	(void)sig;
	if (pid == 0)
		_exit(0);
	errno = error;
}

/* What a process does that forks in the handler of a timer's signal, after some microseconds. */
static void fork_and_go_on(struct live *l, int fd, int us)
{
	const struct itimerval soon = {.it_value.tv_usec = us};
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct pollfd p = {.fd = fd, .events = POLLIN};

	signal(SIGCHLD, SIG_IGN);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	(void)l->c->poll(&p, 1, 1);
	for (int k = 0; k < 10; k++)
		l->c->close(l->c->dup(fd));
	_exit(0);
}

/* Some of these processes hung, when the signal came in a call that speaks with the host. */
static void fork_in_handler(struct live *l)
{
	int fd[2], hung = 0;

	live_pair(l, fd);
	for (int i = 0; i < FORKERS; i++) {
		const pid_t pid = fork();
		int patience = 0;

		if (pid == 0)
			fork_and_go_on(l, fd[NEAR], 20 + 8 * i);
		while (waitpid(pid, NULL, WNOHANG) == 0 && patience++ < PATIENCE)
			live_sleep(1);
		if (patience < PATIENCE)
			continue;
		hung++;
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	bed_log(&l->bed, "%d hung\n", hung);
	close_both(l, fd);
}

/* A close() that lingers is the last one only: who was forked goes on. */
static void fork_and_linger(struct live *l)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 1};
	int fd[2], status;
	pid_t pid;

	live_pair(l, fd);
	live_log(l, "linger",
	         l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	pid = fork();
	if (pid == 0) {
		const struct timespec nap = {.tv_nsec = 20000000};

		(void)nanosleep(&nap, NULL);
		_exit(l->c->send(fd[NEAR], "child", 5, MSG_NOSIGNAL) == 5 ? 7 : 8);
	}
	live_log(l, "close", l->c->close(fd[NEAR]));
	(void)waitpid(pid, &status, 0);
	bed_log(&l->bed, "child %d, far %d\n", WEXITSTATUS(status),
	        (int)live_far_recv(l, fd[FAR], 5));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* ---- O_ASYNC ---------------------------------------------------------------------------------- */

static const int io_signal = 40; /* of those for applications */

/* The signals that come within a moment: the numbers of descriptors are told apart, and one stands for several alike. */
static void log_signals(struct live *l, const char *what, int fd)
{
	const struct timespec moment = {.tv_nsec = 30000000}, none = {0};
	siginfo_t info, last = {.si_signo = 0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, io_signal);
	sigaddset(&set, SIGIO);
	bed_log(&l->bed, "%s:", what);
	live_sleep(5);
	for (int n = 0; sigtimedwait(&set, &info, n == 0 ? &moment : &none) > 0; n++) {
		if (info.si_signo != last.si_signo || info.si_code != last.si_code)
			bed_log(&l->bed, " %s code %d band %lx%s",
			        info.si_signo == SIGIO ? "SIGIO" : "ours", info.si_code,
			        info.si_signo == SIGIO ? 0 : (unsigned long)info.si_band,
			        info.si_signo != SIGIO && info.si_fd == fd ? " its fd" : "");
		last = info;
	}
	bed_log(&l->bed, "\n");
}

static void async(struct live *l)
{
	const struct posix_calls *c = l->c;
	/* not any thread of the process: EAL's have nothing blocked */
	struct f_owner_ex ex = {.type = F_OWNER_TID, .pid = gettid()};
	struct sockaddr_in a;
	sigset_t set, old;
	int fd[2], listener, far, on = 1;

	sigemptyset(&set);
	sigaddset(&set, io_signal);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, &old);
	live_pair(l, fd);
	live_log(l, "owner", c->fcntl(fd[NEAR], F_GETOWN, 0));
	live_log(l, "signal", c->fcntl(fd[NEAR], F_GETSIG, 0));
	live_log(l, "bad owner", c->fcntl(fd[NEAR], F_SETOWN, 0x3fffffff));
	live_log(l, "bad signal", c->fcntl(fd[NEAR], F_SETSIG, 65));
	live_log(l, "own", c->fcntl(fd[NEAR], F_SETOWN, getpid()));
	live_log(l, "owner", c->fcntl(fd[NEAR], F_GETOWN, 0) == getpid());
	live_log(l, "own", c->fcntl(fd[NEAR], F_SETOWN_EX, (long)&ex));
	live_log(l, "own nowhere", c->fcntl(fd[NEAR], F_SETOWN_EX, 0));
	live_log(l, "owner nowhere", c->fcntl(fd[NEAR], F_GETOWN_EX, 0));
	live_log(l, "flags", c->fcntl(fd[NEAR], F_GETFL, 0));
	live_log(l, "async", c->fcntl(fd[NEAR], F_SETFL, O_ASYNC));
	live_log(l, "flags", c->fcntl(fd[NEAR], F_GETFL, 0));
	live_far_send(l, fd[FAR], 10);
	log_signals(l, "bytes", fd[NEAR]);
	live_log(l, "F_SETSIG", c->fcntl(fd[NEAR], F_SETSIG, io_signal));
	live_log(l, "signal", c->fcntl(fd[NEAR], F_GETSIG, 0));
	live_far_send(l, fd[FAR], 10);
	log_signals(l, "bytes", fd[NEAR]);
	live_log(l, "off", c->fcntl(fd[NEAR], F_SETFL, 0));
	live_far_send(l, fd[FAR], 10);
	log_signals(l, "bytes", fd[NEAR]);
	live_log(l, "FIOASYNC", c->ioctl(fd[NEAR], FIOASYNC, &on));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	log_signals(l, "the end", fd[NEAR]);
	c->close(fd[NEAR]);
	listener = live_listener(l, 5, &a);
	c->fcntl(listener, F_SETOWN_EX, (long)&ex);
	c->fcntl(listener, F_SETSIG, io_signal);
	live_log(l, "async", c->fcntl(listener, F_SETFL, O_ASYNC));
	far = live_far_connect(l, &a);
	log_signals(l, "a connection", listener);
	l->bed.call->close(&l->bed, FAR, far);
	c->close(listener);
	log_signals(l, "closed", listener);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* A child that closes what it has of its parent does not end the parent's signals. */
static void async_and_fork(struct live *l)
{
	const struct posix_calls *c = l->c;
	struct f_owner_ex ex = {.type = F_OWNER_TID, .pid = gettid()};
	sigset_t set, old;
	int fd[2];
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, io_signal);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, &old);
	live_pair(l, fd);
	c->fcntl(fd[NEAR], F_SETOWN_EX, (long)&ex);
	live_log(l, "async", c->fcntl(fd[NEAR], F_SETFL, O_ASYNC));
	pid = fork();
	if (pid == 0)
		_exit(c->close(fd[NEAR]));
	(void)waitpid(pid, NULL, 0);
	live_log(l, "flags", c->fcntl(fd[NEAR], F_GETFL, 0));
	live_far_send(l, fd[FAR], 10);
	log_signals(l, "bytes", fd[NEAR]);
	close_both(l, fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* A reset by close() comes behind what was written before, and what came before a reset can be read. */
static void last_words(struct live *l)
{
	const struct linger off = {.l_onoff = 1};
	int fd[2];

	for (int unread = 0; unread < 2; unread++) {
		live_pair(l, fd);
		live_far_send(l, fd[FAR], 10);
		live_log(l, "recv", l->c->recv(fd[NEAR], buf, unread ? 5 : 10, 0));
		if (!unread)
			l->c->setsockopt(fd[NEAR], SOL_SOCKET, SO_LINGER, &off, sizeof(off));
		live_log(l, "send", l->c->send(fd[NEAR], buf, 3, 0));
		live_log(l, "close", l->c->close(fd[NEAR]));
		bed_log(&l->bed, "far has %zu\n", live_far_recv(l, fd[FAR], 3));
		l->bed.call->close(&l->bed, FAR, fd[FAR]);
	}
	live_pair(l, fd);
	live_log(l, "send", l->c->send(fd[NEAR], buf, 10, 0));
	live_sleep(2);
	live_far_send(l, fd[FAR], 3);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	live_sleep(5);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	l->c->close(fd[NEAR]);
}

static const struct live_case cases[] = {
    {"dup", dup_shares},
    {"dup2 and dup3", dup2_replaces},
    {"fcntl", fcntl_calls},
    {"ioctl", ioctl_calls},
    {"wrong descriptors", wrong_descriptors},
    {"socket: errors", socket_errors},
    {"flags of F_SETFL", flags},
    {"sendfile", sendfile_calls},
    {"fork: both use it", fork_shares},
    {"fork: the child keeps it", fork_keeps},
    {"fork: the child is killed", fork_kill},
    {"fork: both accept", fork_accepts},
    {"fork: a thread watches", fork_while_watched},
    {"fork: in a handler of signals", fork_in_handler},
    {"fork: a close that lingers", fork_and_linger},
    {"O_ASYNC", async},
    {"O_ASYNC: a child closes", async_and_fork},
    {"the last words before a reset", last_words},
};

LIVE_MAIN("posix/descriptor", cases)
