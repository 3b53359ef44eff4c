/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may attach to a host, and what the others are told. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <percore/host.h>
#include <percore/posix.h>

#include "../unit.h"
#include "chan/chan.h"
#include "chan/control.h"
#include "serve/host.h"
#include "serve/service.h"

#define NOBODY 65534

static struct pc_host *start(const char *path)
{
	const struct pc_host_config config = {.nb_lcores = 1, .max_sockets = 16};
	struct pc_host *h = pc_host_create(&config);

	CU_ASSERT_FATAL(h != NULL);
	if (path != NULL)
		CU_ASSERT_EQUAL_FATAL(pc_host_listen(h, path), 0);
	return h;
}

/* Says hello. Returns the slot, or a negative errno. */
static int hello(int fd)
{
	const struct control_request r = {.op = CONTROL_HELLO};
	struct control_answer a = {.error = ENOMSG};
	int memfd = -1, rc = control_send(fd, &r, sizeof(r), -1);

	if (rc != 0 && rc != -EPIPE)
		return rc;
	rc = control_recv(fd, &a, sizeof(a), &memfd);
	if (memfd >= 0)
		(void)close(memfd);
	return rc != 0 ? rc : a.error != 0 ? -a.error : (int)a.value;
}

static int hello_at(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), rc;
	struct sockaddr_un a;
	socklen_t len = control_address(path, &a);

	rc = connect(fd, (const struct sockaddr *)&a, len) == 0 ? hello(fd) : -errno;
	(void)close(fd);
	return rc;
}

static void bury(struct pc_host *h, uint32_t proc)
{
	at_store(&h->buried[proc], 1);
	(void)usleep(100);
}

/* Without a deadline: it is the wake-up that ends the sleep, before it began or while it lasts. */
static void *wake_soon(void *service)
{
	(void)usleep(1000);
	pc_service_wake(service);
	return NULL;
}

static void a_service_is_woken(void)
{
	struct pc_host *h = start(NULL);
	struct pc_service *s = calloc(1, sizeof(*s));
	pthread_t other;

	CU_ASSERT_FATAL(s != NULL);
	s->chan = h->chan;
	s->host = h;
	pc_service_wake(s);
	pc_service_sleep(s, UINT64_MAX);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&other, NULL, wake_soon, s), 0);
	pc_service_sleep(s, UINT64_MAX);
	pthread_join(other, NULL);
	free(s);
	pc_host_destroy(h);
}

static void addresses(void)
{
	struct sockaddr_un a;
	char name[sizeof(a.sun_path) + 1];

	CU_ASSERT_EQUAL(control_address("", &a), 0);
	CU_ASSERT_EQUAL(control_address("/run/x", &a), offsetof(struct sockaddr_un, sun_path) + 7);
	CU_ASSERT_STRING_EQUAL(a.sun_path, "/run/x");
	CU_ASSERT_EQUAL(control_address("@x", &a), offsetof(struct sockaddr_un, sun_path) + 2);
	CU_ASSERT_EQUAL(memcmp(a.sun_path, "\0x", 2), 0);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CU_ASSERT_EQUAL(control_address(name, &a), 0);
}

static void one_process_too_many(void)
{
	struct pc_host *h = start(NULL);
	int fd[CHAN_PROCS];

	for (int i = 0; i < CHAN_PROCS - 1; i++) {
		fd[i] = pc_host_connect(h);
		CU_ASSERT_EQUAL(hello(fd[i]), i + 1);
	}
	fd[CHAN_PROCS - 1] = pc_host_connect(h);
	CU_ASSERT_EQUAL(hello(fd[CHAN_PROCS - 1]), -ENOSPC);
	for (int i = 0; i < CHAN_PROCS; i++)
		(void)close(fd[i]);
	pc_host_destroy(h);
}

/* A child that is nobody's. Returns its errno. */
static int ask_as_nobody(const char *path)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int rc = setuid(NOBODY) == 0 ? hello_at(path) : 0;

		_exit(rc < 0 ? -rc : 0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void other_users(void)
{
	char name[64];
	struct pc_host *h;

	snprintf(name, sizeof(name), "@percore-control-%d", (int)getpid());
	h = start(name);
	CU_ASSERT(hello_at(name) > 0);
	if (geteuid() == 0)
		CU_ASSERT_EQUAL(ask_as_nobody(name), EACCES);
	pc_host_destroy(h);
}

/* The file of a host whose program hangs is gone when it stops. */
static void socket_file(void)
{
	char folder[] = "/tmp/percore-control-XXXXXX", path[64];
	struct pc_host *h;
	FILE *f;

	CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/socket", folder);
	/* what is no socket is somebody's file, and stays */
	f = fopen(path, "w");
	CU_ASSERT_FATAL(f != NULL);
	fclose(f);
	h = start(NULL);
	CU_ASSERT(pc_host_listen(h, path) == -1 && errno == EEXIST);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(pc_host_listen(h, path), 0);
	CU_ASSERT(hello_at(path) > 0);
	pc_host_stop(h);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
	pc_host_destroy(h);
}

/* a process that begins when another has ended comes when the other is buried, and so finds its slot free, and its ports */
static void one_after_the_other(void)
{
	const struct control_request r = {.op = CONTROL_HELLO};
	struct control_answer a;
	struct sockaddr_un where;
	struct pc_host *h;
	socklen_t len;
	char name[64];
	int one, two, memfd = -1;

	snprintf(name, sizeof(name), "@percore-control-%d", (int)getpid());
	h = start(name);
	len = control_address(name, &where);
	for (int i = 0; i < 50; i++) {
		one = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		two = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		CU_ASSERT_EQUAL(connect(one, (const struct sockaddr *)&where, len), 0);
		CU_ASSERT_EQUAL(hello(one), 1);
		(void)close(one);
		CU_ASSERT_EQUAL(connect(two, (const struct sockaddr *)&where, len), 0);
		CU_ASSERT_EQUAL(control_send(two, &r, sizeof(r), -1), 0);
		while (recv(two, &a, sizeof(a), MSG_DONTWAIT | MSG_PEEK) < 0)
			bury(h, 1); /* we are the lcore */
		CU_ASSERT_EQUAL(control_recv(two, &a, sizeof(a), &memfd), 0);
		CU_ASSERT_EQUAL(a.error, 0);
		CU_ASSERT_EQUAL(a.value, 1);
		(void)close(memfd);
		(void)close(two);
		while (at_load(&h->slot[1]) != CHAN_PROC_FREE)
			bury(h, 1);
	}
	pc_host_destroy(h);
}

static void attaching_to_nothing(void)
{
	errno = EPIPE;
	CU_ASSERT_EQUAL(pcx_attach_fd(-1), -1);
	CU_ASSERT_EQUAL(errno, EPIPE);
	for (const char *const *text =
	         (const char *const[]){"", "x", "-5", "3x", "99999999999", NULL};
	     *text != NULL; text++) {
		(void)setenv("PERCORE_HANDOVER", *text, 1);
		CU_ASSERT_EQUAL(pcx_attach(NULL), -1);
		CU_ASSERT_EQUAL(errno, EINVAL);
	}
	/* what was for a process that could not use it is not for its child */
	(void)setenv("PERCORE_HANDOVER", "0:1,1:2", 1);
	(void)unsetenv("PERCORE_SOCKET");
	CU_ASSERT_EQUAL(pcx_attach(NULL), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT(getenv("PERCORE_HANDOVER") == NULL);
	CU_ASSERT_FALSE(pcx_is_attached());
}

static const struct unit_case cases[] = {
    {"addresses", addresses},
    {"a service is woken", a_service_is_woken},
    {"one process too many", one_process_too_many},
    {"other users", other_users},
    {"the socket's file", socket_file},
    {"attaching to nothing", attaching_to_nothing},
    {"one process after the other", one_after_the_other},
};

int main(void)
{
	return unit_run("serve/control", cases, sizeof(cases) / sizeof(cases[0]));
}
