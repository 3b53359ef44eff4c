/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files: whatever is in one, it is taken or refused by one line that ends within its room. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "run/settings.h"

static const struct pc_run_app app = {.name = "fuzz", .summary = "is fuzzed"};
static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	file = memfd_create("config", 0);
	fuzz_check(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return 0;
}

static void check_why(const struct settings *s, int rc)
{
	fuzz_check(memchr(s->why, '\0', sizeof(s->why)) != NULL);
	fuzz_check(rc == 0 || (s->why[0] != '\0' && strchr(s->why, '\n') == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
	return 0;
}
