/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"

#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

static void add_thread(const char *dir, const char *thread, struct cpu_share *share)
{
	char path[384];
	uint64_t run, wait;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/schedstat", dir, thread);
	f = fopen(path, "r");
	if (f == NULL)
		return;
	if (fscanf(f, "%" SCNu64 " %" SCNu64, &run, &wait) == 2) {
		share->run += run;
		share->wait += wait;
	}
	fclose(f);
}

void cpu_read(int pid, struct cpu_share *share)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	*share = (struct cpu_share){0, 0};
	snprintf(path, sizeof(path), "/proc/%d/task", pid == 0 ? (int)getpid() : pid);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			add_thread(path, entry->d_name, share);
	closedir(dir);
}
