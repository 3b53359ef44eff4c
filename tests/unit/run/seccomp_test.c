/* SPDX-License-Identifier: BSD-2-Clause */

/* Each case is a process of its own, as nothing of it can be undone. */

#include "run/privileges.h"
#include "run/seccomp.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"

static char said[300]; /* on stderr by the last child */

/* Runs what in a process behind the filter. Returns its status as of waitpid. */
static int run_behind(void (*what)(void))
{
	int status = -1, ends[2];
	ssize_t n;
	pid_t pid;

	CU_ASSERT_FATAL(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		if (seccomp_enter("a-program", false) != 0)
			_exit(99);
		what();
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	CU_ASSERT(waitpid(pid, &status, 0) == pid);
	return status;
}

static void *one_second(void *arg)
{
	(void)arg;
	sleep(1);
	return NULL;
}

/* what drivers and programs do while they run and when they end */
static void everyday(void)
{
	char path[] = "/tmp/percore-test-XXXXXX";
	pthread_t thread;
	void *p;
	int fd;

	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || munmap(p, 1 << 20) != 0)
		_exit(1);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0 || unlink(path) != 0)
		_exit(2);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || close(fd) != 0)
		_exit(3);
	/* EAL's thread for interrupts: with each descriptor that comes, as when a memif is connected */
	fd = epoll_create(1);
	if (fd < 0 || close(fd) != 0)
		_exit(6);
	if (pthread_create(&thread, NULL, one_second, NULL) != 0)
		_exit(4);
	if (pthread_cancel(thread) != 0 || pthread_join(thread, NULL) != 0)
		_exit(5);
	free(malloc(10 << 20));
}

/* as a thread does that has got privileges_drop's signal only now */
static void give_up_late(void)
{
	if (privileges_drop(0) != 0)
		_exit(1);
}

static void run_a_program(void)
{
	execl("/bin/true", "true", NULL);
}

/* as fork() does; that of glibc 2.41 blocks all signals meanwhile, so the kernel ends the program without a word */
static void fork_a_process(void)
{
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == 0)
		_exit(0);
}

static void look_into_another(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void make_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void signal_another(void)
{
	kill(getppid(), 0);
}

static void give_files_away(void)
{
	if (chmod("/tmp", 0777) != 0)
		_exit(0);
}

static void test_allowed(void)
{
	CU_ASSERT_EQUAL(run_behind(everyday), 0);
	CU_ASSERT_STRING_EQUAL(said, "");
	CU_ASSERT_EQUAL(run_behind(give_up_late), 0);
	CU_ASSERT_STRING_EQUAL(said, "");
}

static void test_forbidden(void)
{
	static const struct {
		void (*what)(void);
		const char *call;
	} table[] = {{run_a_program, "execve"},     {fork_a_process, "clone"},
	             {look_into_another, "ptrace"}, {make_code, "mmap"},
	             {signal_another, "kill"},      {give_files_away, "chmod"}};
	char line[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int status = run_behind(table[i].what);

		CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		snprintf(line, sizeof(line), "a-program: system call %s (", table[i].call);
		CU_ASSERT(strncmp(said, line, strlen(line)) == 0);
		CU_ASSERT(strstr(said, ") is not allowed by run.seccomp\n") != NULL);
	}
}

static const struct unit_case cases[] = {
    {"what is needed is allowed", test_allowed},
    {"what is not ends the program and is named", test_forbidden},
};

UNIT_MAIN("run/seccomp", cases)
