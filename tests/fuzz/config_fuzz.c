/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files: any contents are either accepted, or rejected with a single line that fits
 * into its buffer. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "run/settings.h"

static const struct pc_run_app app = {.name = "fuzz", .summary = "is fuzzed"};
static int file;
static char path[64];

static void check_why(const struct settings *s, int rc)
{
	fuzz_check(memchr(s->why, '\0', sizeof(s->why)) != NULL);
	fuzz_check(rc == 0 || (s->why[0] != '\0' && strchr(s->why, '\n') == NULL));
}

/* Returns whether the file is accepted. */
static bool load(const void *data, size_t size)
{
	static struct settings s;
	int rc;

	fuzz_check(ftruncate(file, 0) == 0);
	fuzz_check(pwrite(file, data, size, 0) == (ssize_t)size);
	settings_init(&s, &app, NULL);
	rc = settings_load(&s, path);
	check_why(&s, rc);
	if (rc == 0)
		check_why(&s, settings_check(&s));
	return rc == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char good[] = "[stack]\nmax_connections = 100\n",
	                  bad[] = "[stack]\nmax = 100\n";

	(void)argc, (void)argv;
	file = memfd_create("config", 0);
	fuzz_check(file >= 0);
	fuzz_check(fchmod(file, 0600) == 0); /* a world-writable file is rejected unread */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	fuzz_check(load(good, sizeof(good) - 1) && !load(bad, sizeof(bad) - 1));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	load(data, size);
	return 0;
}
