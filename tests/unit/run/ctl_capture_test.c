/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures on stacks that a thread drives, one of which stands still for longer than anybody waits for it. */
#include "run/ctl.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <percore/socket.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "run/worker.h"

#define STACKS 2
#define FDS    64

static const struct pc_run_app app = {.name = "test", .summary = "is a test"};
static struct settings settings;
static struct worker workers[STACKS];
static struct run run = {.s = &settings, .app = &app, .nb_workers = STACKS};
static struct rte_mempool *pool;
static pthread_t driver;
static bool ends, still; /* atomic: no more turns; the second stack has none */
static const bool never;

static void *drive(void *arg)
{
	uint64_t now = 1000000000;

	(void)arg;
	while (!__atomic_load_n(&ends, __ATOMIC_ACQUIRE)) {
		now += 1000000;
		for (unsigned i = 0; i < STACKS; i++)
			if (i == 0 || !__atomic_load_n(&still, __ATOMIC_ACQUIRE))
				pc_stack_poll(workers[i].st, now);
		usleep(100);
	}
	return NULL;
}

static void stand_still(bool yes)
{
	__atomic_store_n(&still, yes, __ATOMIC_RELEASE);
}

static void begin(void)
{
	struct pc_stack_config c;

	settings_init(&settings, &app, NULL);
	snprintf(settings.control, sizeof(settings.control), "/tmp/percore-capture-%d",
	         (int)getpid());
	pc_stack_config_init(&c);
	c.stack_max_connections = 64;
	for (unsigned i = 0; i < STACKS; i++) {
		workers[i].st = pc_stack_create(&c, pool);
		workers[i].lcore = i;
		run.workers[i] = &workers[i];
		CU_ASSERT_PTR_NOT_NULL_FATAL(workers[i].st);
	}
	ends = still = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&driver, NULL, drive, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(ctl_start(&run), 0);
}

static void finish(void)
{
	ctl_stop(&run);
	__atomic_store_n(&ends, true, __ATOMIC_RELEASE);
	pthread_join(driver, NULL);
	for (unsigned i = 0; i < STACKS; i++)
		pc_stack_destroy(workers[i].st);
	ctl_free(&run);
}

/* Sends a command. Returns the connection, with the first of the answer in text. */
static int command(const char *words, char *text, size_t size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ssize_t n;

	memcpy(a.sun_path, settings.control, strlen(settings.control));
	CU_ASSERT_FATAL(connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	CU_ASSERT(send(fd, words, strlen(words), 0) == (ssize_t)strlen(words));
	n = recv(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return fd;
}

static int count(struct pc_stack *st, const void *data)
{
	int type, n = 0;

	(void)data;
	for (int fd = 0; fd < FDS; fd++) {
		socklen_t len = sizeof(type);

		n += pc_getsockopt(st, fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
	}
	return n;
}

/* What both stacks have open. */
static int sockets(void)
{
	int n = 0;

	for (unsigned i = 0; i < STACKS; i++)
		n += ctl_wait(&never, &workers[i], pc_stack_post(workers[i].st, count, NULL, 0));
	return n;
}

/* Whether they have nothing open within two seconds. */
static bool all_closed(void)
{
	for (unsigned i = 0; i < 200 && sockets() > 0; i++)
		usleep(10000);
	return sockets() == 0;
}

static void test_whole(void)
{
	char text[64];
	int fd;

	begin();
	fd = command("capture", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	CU_ASSERT_EQUAL(sockets(), STACKS);
	close(command("capture", text, sizeof(text)));
	CU_ASSERT_STRING_EQUAL(text, "error somebody else captures\n");
	close(fd);
	CU_ASSERT(all_closed());
	finish();
}

/* It is over while an lcore stands still: when that goes on its socket is closed, too, though nobody captures again. */
static void test_over(void)
{
	char text[64];
	int fd;

	begin();
	fd = command("capture", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	stand_still(true);
	usleep(50000);
	close(fd);
	usleep(2500000);
	stand_still(false);
	CU_ASSERT(all_closed());
	finish();
}

/* An lcore stands still at its begin: what it opens afterwards is closed. */
static void test_late(void)
{
	char text[64];

	begin();
	stand_still(true);
	close(command("capture", text, sizeof(text)));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "error lcore 1: "));
	stand_still(false);
	CU_ASSERT(all_closed());
	close(command("capture", text, sizeof(text)));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	finish();
}

static const struct unit_case cases[] = {
    {"from begin to end", test_whole},
    {"a stack that stands still at its end", test_over},
    {"a stack that stands still at its begin", test_late},
};

int main(void)
{
	eal_start();
	pool = eal_pool("capture", 1023);
	return unit_run("run/ctl_capture", cases, sizeof(cases) / sizeof(cases[0]));
}
