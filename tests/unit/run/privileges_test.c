/* SPDX-License-Identifier: BSD-2-Clause */
/* Each case in a process of its own: what is given up does not come back. */
#include "run/privileges.h"

#include <dirent.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static void *wait_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* the value of a line of a thread's status, as a hexadecimal number */
static uint64_t status_of(const char *dir, const char *name)
{
	char path[100], line[200];
	unsigned long long v = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", dir);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			(void)sscanf(line + strlen(name), " %llx", &v);
	if (f != NULL)
		fclose(f);
	return v;
}

/* whether every thread has at most these */
static bool all_have_at_most(uint64_t keep)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	unsigned n = 0;
	bool good = d != NULL;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		good = good && (status_of(e->d_name, "CapEff:") & ~keep) == 0 &&
		       (status_of(e->d_name, "CapPrm:") & ~keep) == 0 &&
		       status_of(e->d_name, "NoNewPrivs:") == 1;
	}
	if (d != NULL)
		closedir(d);
	return good && n == 4;
}

static int child(uint64_t keep)
{
	pthread_t t[3];

	for (unsigned i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, wait_for_ever, NULL) != 0)
			return 2;
	if (privileges_drop(keep) != 0)
		return 3;
	return all_have_at_most(keep) ? 0 : 4;
}

static int in_child(uint64_t keep)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child(keep));
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void every_thread_gives_up_all(void)
{
	CU_ASSERT_EQUAL(in_child(0), 0);
}

static void what_is_needed_stays(void)
{
	CU_ASSERT_EQUAL(in_child(UINT64_C(1) << CAP_DAC_READ_SEARCH), 0);
}

/* without a descriptor nobody can be found, and that is no success */
static void who_cannot_be_asked_is_told(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit none = {0};

		_exit(setrlimit(RLIMIT_NOFILE, &none) == 0 && privileges_drop(0) == -1 ? 0 : 1);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void drivers_need_different_ones(void)
{
	struct pc_port tap = {.info.driver = "net_tap"}, xdp = {.info.driver = "net_af_xdp"};
	struct pc_port *ports[] = {&tap, &xdp};
	const uint64_t admin = UINT64_C(1) << CAP_NET_ADMIN;

	CU_ASSERT_EQUAL(privileges_needed(ports, 1) & admin, 0);
	CU_ASSERT_EQUAL(privileges_needed(ports, 2) & admin, admin);
}

static const struct unit_case cases[] = {
    {"every thread gives up all", every_thread_gives_up_all},
    {"what is needed stays", what_is_needed_stays},
    {"who cannot be asked is told", who_cannot_be_asked_is_told},
    {"drivers need different ones", drivers_need_different_ones},
};

UNIT_MAIN("run/privileges", cases)
