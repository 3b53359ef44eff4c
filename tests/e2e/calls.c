/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls: a program that knows nothing of percore and makes the less usual calls on its sockets. It
 * talks to an echo server and prints the result of every step; clients_test.py compares its output
 * over the kernel's sockets with that over percore's.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct sockaddr_in server;

static void say(const char *step, long value)
{
	printf("%s: %ld%s%s\n", step, value, value < 0 ? " " : "",
	       value < 0 ? strerrorname_np(errno) : "");
	fflush(stdout);
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) != 0)
		say("connect", -1);
	return fd;
}

static void by_number(void)
{
	const struct timespec patience = {.tv_sec = 5};
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 7};
	int fd = dial(), ep = epoll_create1(0);
	char buf[8] = "";

	say("syscall epoll_ctl", syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fd, &e));
	say("syscall sendto", syscall(SYS_sendto, fd, "number", 6, 0, NULL, 0));
	say("syscall epoll_pwait2", syscall(SYS_epoll_pwait2, ep, &e, 1, &patience, NULL, 0));
	say("events", e.data.u64 == 7 && e.events == EPOLLIN);
	say("syscall epoll_pwait", syscall(SYS_epoll_pwait, ep, &e, 1, 5000, NULL, 0));
	say("events", e.data.u64 == 7 && e.events == EPOLLIN);
	close(ep);
	say("syscall read", syscall(SYS_read, fd, buf, 6));
	say("equal", memcmp(buf, "number", 6) == 0);
	say("syscall close", syscall(SYS_close, fd));
	say("and again", syscall(SYS_close, fd));
}

/* Adds to a set as libuv does: through a ring, where the kernel has them. */
static int add_by_ring(int ep, int fd, struct epoll_event *e)
{
	struct io_uring_params p = {0};
	const int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	const struct io_uring_cqe *result;
	struct io_uring_sqe *request;
	char *rings;

	if (ring < 0)
		return epoll_ctl(ep, EPOLL_CTL_ADD, fd, e);
	rings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	request =
	    mmap(NULL, sizeof(*request), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (rings == MAP_FAILED || (void *)request == MAP_FAILED)
		return -1;
	*request = (struct io_uring_sqe){.opcode = IORING_OP_EPOLL_CTL,
	                                 .fd = ep,
	                                 .off = (unsigned)fd,
	                                 .len = EPOLL_CTL_ADD,
	                                 .addr = (uintptr_t)e};
	*(unsigned *)(void *)(rings + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(void *)(rings + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -1;
	result = (const struct io_uring_cqe *)(void *)(rings + p.cq_off.cqes);
	close(ring);
	return result->res;
}

static void by_ring(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = dial(), ep = epoll_create1(0);

	say("add", add_by_ring(ep, fd, &e));
	say("nothing yet", epoll_wait(ep, &e, 1, 10));
	say("write", write(fd, "r", 1));
	say("epoll_wait", epoll_wait(ep, &e, 1, 5000));
	say("events", e.events);
	close(ep);
	close(fd);
}

static void by_stdio(void)
{
	int fd = dial();
	FILE *in = fdopen(dup(fd), "r"), *out = fdopen(fd, "w");
	char line[64] = "";

	say("fileno", fileno(out) == fd);
	say("fprintf", fprintf(out, "a line of %s\n", "stdio"));
	say("fflush", fflush(out));
	say("fgets",
	    fgets(line, sizeof(line), in) != NULL && strcmp(line, "a line of stdio\n") == 0);
	say("fclose", fclose(in) + fclose(out));
	say("is closed", fcntl(fd, F_GETFD));
}

/* One stream for both directions, as in old clients. */
static void by_one_stream(void)
{
	FILE *f = fdopen(dial(), "r+");
	char line[64] = "";

	say("fprintf", fprintf(f, "one\ntwo\n"));
	say("fflush", fflush(f));
	say("fgets", fgets(line, sizeof(line), f) != NULL && strcmp(line, "one\n") == 0);
	say("fflush, unread", fflush(f));
	say("fseek", fseek(f, 0, SEEK_CUR));
	say("fgets", fgets(line, sizeof(line), f) != NULL && strcmp(line, "two\n") == 0);
	say("fprintf", fprintf(f, "three\n"));
	say("fgets", fgets(line, sizeof(line), f) != NULL && strcmp(line, "three\n") == 0);
	say("fclose", fclose(f));
}

/* The C library writes these by internal calls, which cannot be interposed. */
static void by_dprintf(void)
{
	char buf[16] = "";
	int fd = dial();

	say("dprintf", dprintf(fd, "%s %d", "printed", 42));
	say("recv", recv(fd, buf, 10, MSG_WAITALL));
	say("equal", strcmp(buf, "printed 42") == 0);
	say("sockatmark", sockatmark(fd));
	close(fd);
	say("to nowhere", dprintf(fd, "%d", 1));
}

/* As inetd does without dup2(): the closed descriptor's number is reused. */
static void as_stdout(void)
{
	char buf[16] = "";
	int fd = dial(), saved = dup(STDOUT_FILENO);

	fflush(stdout);
	close(STDOUT_FILENO);
	if (dup(fd) != STDOUT_FILENO)
		return;
	printf("to stdout\n");
	fflush(stdout);
	close(STDOUT_FILENO);
	if (dup(saved) != STDOUT_FILENO)
		return;
	say("dup as stdout", recv(fd, buf, 10, MSG_WAITALL));
	say("equal", strcmp(buf, "to stdout\n") == 0);
	close(fd);
	close(saved);
}

/* What a program has said about its stdout before it was a socket still holds. */
static void unbuffered(void)
{
	int fd = dial(), status = -1;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[8] = "";
	pid_t pid = fork();

	if (pid == 0) {
		setvbuf(stdout, NULL, _IONBF, 0);
		dup2(fd, STDOUT_FILENO);
		printf("prompt");
		_exit(poll(&p, 1, 2000) == 1 && recv(fd, buf, 6, MSG_WAITALL) == 6 ? 0 : 1);
	}
	say("wait", waitpid(pid, &status, 0) == pid);
	say("status", status);
	close(fd);
}

/* A program that an inetd has started gives up the streams that it was started with. */
static void reopened(void)
{
	int fd = dial(), saved = dup(STDOUT_FILENO), saved_in = dup(STDIN_FILENO);
	const FILE *in = stdin;
	char buf[4] = "";
	FILE *f;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	printf("a");
	f = freopen("/dev/null", "w", stdout);
	printf("b");
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	say("freopen", f == stdout);
	say("write", write(fd, "z", 1));
	say("recv", recv(fd, buf, 2, MSG_WAITALL));
	say("equal", strcmp(buf, "az") == 0);
	dup2(fd, STDIN_FILENO);
	say("fclose", fclose(stdin));
	say("is closed", fcntl(STDIN_FILENO, F_GETFD));
	say("the same", stdin == in);
	dup2(saved_in, STDIN_FILENO);
	close(saved_in);
	close(saved);
	close(fd);
}

/* Says whether the server echoes what is written now, and nothing that was written before. */
static void say_echo(int fd)
{
	char c = 0;

	say("write", write(fd, "z", 1));
	say("read", read(fd, &c, 1));
	say("equal", c == 'z');
}

/* What daemon() writes to is not the socket that was its stdout. */
static void daemonized(void)
{
	int fd = dial(), p[2], status = -1;
	pid_t pid;
	char c;

	if (pipe(p) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDOUT_FILENO);
		if (daemon(1, 0) == 0)
			_exit(write(STDOUT_FILENO, "d", 1) + write(p[1], "x", 1) != 2);
		_exit(1);
	}
	close(p[1]);
	say("wait", waitpid(pid, &status, 0) == pid);
	say("status", status);
	say("from the daemon", read(p[0], &c, 1));
	say_echo(fd);
	close(p[0]);
	close(fd);
}

/* Nor is what the child of forkpty() writes to. */
static void on_terminal(void)
{
	int fd = dial(), saved = dup(STDOUT_FILENO), terminal = -1, status = -1;
	char buf[4] = "";
	pid_t pid;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	pid = forkpty(&terminal, NULL, NULL, NULL);
	if (pid == 0)
		_exit(write(STDOUT_FILENO, "tty", 3) != 3);
	dup2(saved, STDOUT_FILENO);
	say("from the terminal", read(terminal, buf, 3));
	say("equal", strcmp(buf, "tty") == 0);
	say("wait", waitpid(pid, &status, 0) == pid);
	say_echo(fd);
	close(terminal);
	close(saved);
	close(fd);
}

static void reserved(void)
{
	struct sockaddr_in name = {0};
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	say("bindresvport", bindresvport(fd, NULL));
	say("connect", connect(fd, (struct sockaddr *)&server, sizeof(server)));
	say("getsockname", getsockname(fd, (struct sockaddr *)&name, &len));
	say("is reserved", ntohs(name.sin_port) >= 512 && ntohs(name.sin_port) < 1024);
	close(fd);
}

static void vectors(void)
{
	char a[4] = "", b[8] = "";
	struct iovec out[2] = {{"vec", 3}, {"tors", 4}}, in[2] = {{a, 3}, {b, 4}};
	struct msghdr m = {.msg_iov = in, .msg_iovlen = 2};
	int fd = dial();

	say("writev", writev(fd, out, 2));
	say("recvmsg", recvmsg(fd, &m, MSG_WAITALL));
	printf("%s%s\n", a, b);
	close(fd);
}

static void waiting(void)
{
	int fd = dial(), p[2];
	struct timeval tv = {.tv_usec = 1000};
	struct timespec ts = {.tv_sec = 5};
	struct pollfd polled[2];
	fd_set set;

	if (pipe(p) != 0)
		return;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	FD_SET(p[0], &set);
	say("select, nothing", select(FD_SETSIZE, &set, NULL, NULL, &tv));
	say("write", write(fd, "x", 1) + write(p[1], "y", 1));
	polled[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = fd, .events = POLLOUT};
	say("ppoll", ppoll(polled, 1, &ts, NULL));
	say("poll, one in two places", poll(polled, 2, 5000));
	FD_ZERO(&set);
	FD_SET(fd, &set);
	FD_SET(p[0], &set);
	say("pselect, both", pselect(FD_SETSIZE, &set, NULL, NULL, &ts, NULL));
	say("fcntl F_DUPFD", fcntl(fd, F_DUPFD, 300));
	close(300);
	close(p[0]);
	close(p[1]);
	close(fd);
}

static void files(void)
{
	char buf[6] = "";
	int fd = dial(), file = fileno(tmpfile());
	off_t at = 2;

	say("write to a file", write(file, "12sendf", 7));
	say("sendfile", sendfile(fd, file, &at, 5));
	say("offset", at);
	say("recv", recv(fd, buf, 5, MSG_WAITALL));
	printf("%s\n", buf);
	close(fd);
	close(file);
}

static void interfaces(void)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	say("SIOCGIFINDEX", ioctl(fd, SIOCGIFINDEX, &r));
	say("index", r.ifr_ifindex);
	say("SIOCGIFTXQLEN", ioctl(fd, SIOCGIFTXQLEN, &r));
	say("packets", r.ifr_qlen);
	r.ifr_data = (char *)&link;
	say("SIOCETHTOOL", ioctl(fd, SIOCETHTOOL, &r));
	say("nothing to send", ioctl(fd, SIOCOUTQ, &link.data));
	close(fd);
}

/* The child of vfork() reads a line from the socket, its stdin. */
static void child(void)
{
	int fd = dial(), status = -1;
	pid_t pid;

	say("send", send(fd, "to a child\n", 11, 0));
	pid = vfork();
	if (pid == 0) {
		dup2(fd, STDIN_FILENO);
		execlp("head", "head", "-n", "1", (char *)NULL);
		_exit(127);
	}
	say("wait", waitpid(pid, &status, 0) == pid);
	say("status", status);
	close(fd);
}

/* The child of posix_spawn() has the socket as its stdin, although all other descriptors are
 * closed. */
static void spawned(void)
{
	char *argv[] = {(char[]){"head"}, (char[]){"-n"}, (char[]){"1"}, NULL};
	posix_spawn_file_actions_t actions;
	int fd = dial(), status = -1, rc;
	pid_t pid = -1;

	say("send", send(fd, "to a spawned child\n", 19, 0));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, fd);
	rc = posix_spawnp(&pid, "head", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	say("wait", waitpid(pid, &status, 0) == pid); /* the child prints a line, too */
	say("posix_spawnp", rc);
	say("status", status);
	say("no such program", posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	rc = posix_spawn(&pid, "/no/such/program", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	say("no such program", rc);
	close(fd);
}

static void by_shell(void)
{
	int fd = dial(), status;
	char command[64];

	say("send", send(fd, "to a shell\n", 11, 0));
	snprintf(command, sizeof(command), "head -n 1 <&%d; exit 3", fd);
	status = system(command);
	say("system", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	say("is still ours", send(fd, "x", 1, 0));
	close(fd);
}

static void *run_shell(void *command)
{
	return (void *)(intptr_t)system(command);
}

/* Two threads in system(): when both have left it, the terminal's signals do what they did before. */
static void by_two_shells(void)
{
	static char commands[2][16] = {"sleep 0.2", "sleep 0.4"};
	struct sigaction sa;
	pthread_t thread[2];
	int fd = dial();

	for (int i = 0; i < 2; i++) {
		pthread_create(&thread[i], NULL, run_shell, commands[i]);
		usleep(50000);
	}
	sigaction(SIGINT, NULL, &sa);
	say("ignored", sa.sa_handler == SIG_IGN);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	sigaction(SIGINT, NULL, &sa);
	say("as before", sa.sa_handler == SIG_DFL);
	close(fd);
}

static void by_popen(void)
{
	char command[64], line[64] = "";
	int fd = dial();
	FILE *f;

	say("send", send(fd, "to popen\n", 9, 0));
	snprintf(command, sizeof(command), "head -n 1 <&%d; exit 4", fd);
	f = popen(command, "r");
	say("popen", f != NULL);
	say("line", fgets(line, sizeof(line), f) != NULL && strcmp(line, "to popen\n") == 0);
	say("pclose", WEXITSTATUS(pclose(f)));
	snprintf(command, sizeof(command), "cat >&%d", fd);
	f = popen(command, "w");
	say("popen", f != NULL);
	fputs("from popen\n", f);
	say("pclose", WEXITSTATUS(pclose(f)));
	say("recv", recv(fd, line, 11, MSG_WAITALL));
	say("neither", popen("true", "rw") == NULL);
	close(fd);
}

static void wait_for(const char *how, pid_t pid)
{
	int status = -1;

	say(how, waitpid(pid, &status, 0) == pid);
	say("status", status);
}

/* What is executed by the newer call, and by a number, has the socket too. */
static void executed(void)
{
	char *argv[] = {(char[]){"head"}, (char[]){"-n"}, (char[]){"1"}, NULL};
	const char *path = "/usr/bin/head";

	for (int i = 0; i < 3; i++) {
		int fd = dial();
		pid_t pid;

		say("send", send(fd, "to an executed program\n", 23, 0));
		pid = fork();
		if (pid == 0) {
			dup2(fd, STDIN_FILENO);
			if (i == 0)
				execveat(AT_FDCWD, path, argv, environ, 0);
			else if (i == 1)
				syscall(SYS_execve, path, argv, environ);
			else
				syscall(SYS_execveat, AT_FDCWD, path, argv, environ, 0);
			_exit(127);
		}
		wait_for("executed", pid);
		close(fd);
	}
}

static int close_it(void *fd)
{
	return close(*(int *)fd);
}

/* Children of calls that run no handlers of pthread_atfork(): the parent still has what they
 * close. */
static void other_forks(void)
{
	static char stack[1 << 16];
	struct clone_args args = {.exit_signal = SIGCHLD};
	char c = 0;
	int fd = dial();
	pid_t pid = _Fork();

	if (pid == 0)
		_exit(close(fd));
	wait_for("_Fork", pid);
	pid = clone(close_it, stack + sizeof(stack), SIGCHLD, &fd);
	wait_for("clone", pid);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(close(fd));
	wait_for("clone3", pid);
	say("write", write(fd, "z", 1));
	say("read", read(fd, &c, 1));
	close(fd);
}

/* Passes null pointers, and an absurd count. */
static void nowhere(void)
{
	struct msghdr *volatile none = NULL;
	struct mmsghdr *volatile no_more = NULL;
	struct pollfd one = {.fd = -1}, *volatile p = &one;
	volatile nfds_t absurd = (nfds_t)-1;
	const int fd[] = {dial(), socket(AF_INET, SOCK_DGRAM, 0), socket(AF_UNIX, SOCK_DGRAM, 0)};

	for (int i = 0; i < 3; i++) {
		say("sendmsg", sendmsg(fd[i], none, 0));
		say("recvmsg", recvmsg(fd[i], none, MSG_DONTWAIT));
		say("sendmmsg", sendmmsg(fd[i], no_more, 1, 0));
		say("poll", poll(p, absurd, 0));
		close(fd[i]);
	}
}

static void say_filter(long rc, uint32_t mode, uint32_t n)
{
	say("get", rc);
	printf("mode %u, %u sources\n", mode, n);
}

/* The C library implements these calls by socket options. */
static void filters_by_address(void)
{
	struct in_addr from[12], group = {.s_addr = inet_addr("239.1.2.3")};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0), tcp = dial();
	struct sockaddr_in self;
	socklen_t len = sizeof(self);
	uint32_t mode = 9, n = 1;
	struct ip_mreq m;

	getsockname(tcp, (struct sockaddr *)&self, &len);
	m = (struct ip_mreq){.imr_multiaddr = group, .imr_interface = self.sin_addr};
	for (uint32_t i = 0; i < 12; i++)
		from[i].s_addr = htonl(0xc0000201 + i);
	say("set", setipv4sourcefilter(fd, self.sin_addr, group, MCAST_EXCLUDE, 2, from));
	say("join", setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	say("set", setipv4sourcefilter(fd, self.sin_addr, group, MCAST_EXCLUDE, 3, from));
	say("too many", setipv4sourcefilter(fd, self.sin_addr, group, MCAST_EXCLUDE, 12, from));
	memset(from, 0, sizeof(from));
	say_filter(getipv4sourcefilter(fd, self.sin_addr, group, &mode, &n, from), mode, n);
	printf("%s", inet_ntoa(from[0]));
	printf(" %s\n", inet_ntoa(from[1]));
	n = 12;
	say_filter(getipv4sourcefilter(fd, self.sin_addr, group, &mode, &n, from), mode, n);
	printf("%s", inet_ntoa(from[2]));
	printf(" %s\n", inet_ntoa(from[3]));
	close(fd);
	close(tcp);
}

static void filters(void)
{
	struct sockaddr_storage from[12] = {0};
	struct group_req req = {.gr_interface = 1};
	struct sockaddr *group = (struct sockaddr *)&req.gr_group;
	struct sockaddr_in *in = (struct sockaddr_in *)&req.gr_group,
	                   *first = (struct sockaddr_in *)from;
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint32_t mode = 9, n = 1;

	in->sin_addr.s_addr = inet_addr("239.1.2.3");
	first->sin_addr.s_addr = inet_addr("192.0.2.1");
	in->sin_family = first->sin_family = from[1].ss_family = AF_INET;
	say("join", setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &req, sizeof(req)));
	say("set", setsourcefilter(fd, 1, group, sizeof(*in), MCAST_INCLUDE, 2, from));
	memset(from, 0, sizeof(from));
	say_filter(getsourcefilter(fd, 1, group, sizeof(*in), &mode, &n, from), mode, n);
	printf("%d %s\n", first->sin_family, inet_ntoa(first->sin_addr));
	say("no interface", setsourcefilter(fd, 99, group, sizeof(*in), MCAST_INCLUDE, 2, from));
	close(fd);
	filters_by_address();
}

/* Programs compare files by their inodes. */
static void inodes(void)
{
	struct stat a, b, c;
	int fd = dial(), other = dial(), copy = dup(fd);

	say("fstat", fstat(fd, &a) + fstat(other, &b) + fstat(copy, &c));
	say("the same file", a.st_ino == c.st_ino);
	say("another", a.st_ino != b.st_ino);
	close(fd);
	close(other);
	close(copy);
}

#ifdef SYS_epoll_wait
#define ALLOWED(call)                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* From here on the process may make only the calls that it makes on the kernel's sockets. */
static void enter_sandbox(void)
{
	struct sock_filter f[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOWED(read),
	    ALLOWED(write),
	    ALLOWED(poll),
	    ALLOWED(epoll_wait),
	    ALLOWED(futex),
	    ALLOWED(close),
	    ALLOWED(clock_gettime),
	    ALLOWED(exit_group),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = {.len = sizeof(f) / sizeof(f[0]), .filter = f};

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void sandboxed(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	const pid_t pid = fork();
	char c = 0;

	if (pid == 0) {
		int fd = dial(), over = dial(), ep = epoll_create1(0), n;
		struct pollfd p = {.fd = fd, .events = POLLIN};

		signal(SIGPIPE, SIG_IGN);
		shutdown(over, SHUT_WR);
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
		enter_sandbox();
		n = epoll_wait(ep, &e, 1, 20) + poll(&p, 1, 20);
		n += (int)write(fd, "s", 1);
		n += epoll_wait(ep, &e, 1, -1) + poll(&p, 1, -1);
		n += (int)read(fd, &c, 1);
		n += (int)write(over, "x", 1);
		close(fd);
		_exit(n == 3 && c == 's' && errno == EPIPE ? 0 : 1);
	}
	wait_for("sandbox", pid);
}
#endif

static void limited(void)
{
	const struct rlimit limit = {512 << 20, 512 << 20};
	const int fd = dial();
	const pid_t pid = fork();

	if (pid == 0) {
		if (prlimit(0, RLIMIT_AS, &limit, NULL) != 0)
			_exit(2);
		_exit(mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		              MAP_FAILED
		          ? 1
		          : 0);
	}
	wait_for("prlimit", pid);
	close(fd);
}

/* Whether the process uses less than this of shared memory. */
static bool shares_less_than(unsigned long megabytes)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kilobytes = 0;
	char line[256];

	while (fgets(line, sizeof(line), f) != NULL &&
	       sscanf(line, "RssShmem: %lu", &kilobytes) != 1)
		continue;
	fclose(f);
	return kilobytes < megabytes << 10;
}

static void locked(void)
{
	const int fd = dial();
	const pid_t pid = fork();

	if (pid == 0) {
		say("mlockall", mlockall(MCL_CURRENT));
		say("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
		_exit(shares_less_than(256) ? 0 : 1);
	}
	wait_for("locked", pid);
	close(fd);
}

/* The first things that the process does. */
static void at_first(void)
{
	say("mlockall", mlockall(MCL_FUTURE));
	close(dial());
	say("little shared memory", shares_less_than(256));
	say("munlockall", munlockall());
}

/* A library that finds the C library's functions before all others. */
static void deep(void)
{
	ssize_t (*deep_send)(int, const void *, size_t);
	char path[4096] = "", c = 0;
	int fd = dial();
	void *library;

	(void)readlink("/proc/self/exe", path, sizeof(path) - 1);
	strcpy(strrchr(path, '/'), "/deep.so");
	library = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
	say("dlopen", library != NULL);
	*(void **)&deep_send = dlsym(library, "deep_send");
	say("send", deep_send(fd, "d", 1));
	say("read", read(fd, &c, 1));
	say("no such library", dlopen("/no/such/library", RTLD_NOW) != NULL);
	dlclose(library);
	close(fd);
}

/* As daemons do at startup: descriptors that the program does not know must survive. */
static void close_everything(void)
{
	char c = 0;
	int fd = dial();

	for (int i = 3; i < 2000; i++)
		close(i);
	say("is closed", fcntl(fd, F_GETFD));
	fd = dial();
	say("dup2", dup2(fd, 40));
	say("close_range with a flag that there is not", close_range(40, 60, 1 << 20));
	say("close_range", close_range(3, 30, 0));
	say("write to 40", write(40, "z", 1));
	say("read from 40", read(40, &c, 1));
	/* numbers that the program does not use may be overwritten */
	for (int i = 500; i < 700; i++)
		(void)dup2(STDERR_FILENO, i);
	closefrom(3);
	say("is closed", fcntl(40, F_GETFD));
	fd = dial();
	say("still there", write(fd, "z", 1));
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	server =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
	inet_pton(AF_INET, argv[1], &server.sin_addr);
	at_first();
	by_number();
	by_ring();
	by_stdio();
	by_one_stream();
	by_dprintf();
	as_stdout();
	unbuffered();
	reopened();
	daemonized();
	on_terminal();
	reserved();
	vectors();
	waiting();
	files();
	interfaces();
	child();
	spawned();
	by_shell();
	by_two_shells();
	by_popen();
	executed();
	other_forks();
	nowhere();
	filters();
	inodes();
#ifdef SYS_epoll_wait
	sandboxed();
#endif
	limited();
	locked();
	deep();
	close_everything();
	return 0;
}
