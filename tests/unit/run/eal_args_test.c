/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/eal.h"

#include "common.h"

#define GIB (UINT64_C(1) << 30)

static const struct eal_machine huge = {2 * GIB, 8 * GIB, 3}, plain = {0, 8 * GIB, 0},
                                small = {0, GIB / 2, 0}, few = {8 << 20, 8 * GIB, 0};

/* Makes EAL's command line and writes it as one string. */
static int make(const struct eal_machine *machine, const char *given, const char *set, char *line,
                struct eal *eal)
{
	struct settings *s = test_settings();
	struct eal_args args;
	char buf[256], *argv[32] = {(char *)(uintptr_t) "test"}, *next = buf;
	int n = 0, rc;

	snprintf(buf, sizeof(buf), "%s", given);
	while (*given != '\0' && next != NULL)
		argv[++n] = strsep(&next, " ");
	if (set != NULL)
		CU_ASSERT_EQUAL(settings_assign(s, set), 0);
	rc = eal_make_args(s, n, argv, machine, &args, eal);
	line[0] = '\0';
	for (int i = 1; rc == 0 && i < args.argc; i++) {
		strcat(line, i > 1 ? " " : "");
		strcat(line, args.argv[i]);
	}
	if (rc != 0)
		strcpy(line, s->why);
	free(s);
	return rc;
}

static void newcomers_get_what_they_would_have_given(void)
{
	static const struct {
		const struct eal_machine *machine;
		const char *given, *made;
	} cases[] = {
	    {&huge, "", "--in-memory -l 3 --no-telemetry"},
	    {&plain, "", "--no-huge -m 512 --no-shconf -l 0 --no-telemetry"},
	    {&huge, "--vdev=net_tap0", "--vdev=net_tap0 --in-memory -l 3 --no-telemetry --no-pci"},
	    {&huge, "--vdev net_tap0 -a 01:00.0",
	     "--vdev net_tap0 -a 01:00.0 --in-memory -l 3 --no-telemetry"},
	    {&huge, "-l 1,2", "-l 1,2 --in-memory --no-telemetry"},
	    {&huge, "--lcores=(0-9)@0", "--lcores=(0-9)@0 --in-memory --no-telemetry"},
	    {&plain, "--socket-mem 64", "--socket-mem 64 --in-memory -l 0 --no-telemetry"},
	    {&plain, "-m 64", "-m 64 --in-memory -l 0 --no-telemetry"},
	    {&plain, "--no-huge -m 64", "--no-huge -m 64 --no-shconf -l 0 --no-telemetry"},
	    {&huge, "--no-huge", "--no-huge -m 512 --no-shconf -l 3 --no-telemetry"},
	    {&huge, "--no-huge --in-memory", "--no-huge --no-shconf -m 512 -l 3 --no-telemetry"},
	    {&huge, "--file-prefix=a --telemetry", "--file-prefix=a --telemetry --in-memory -l 3"},
	    {&huge, "--proc-type=primary", "--proc-type=primary -l 3 --no-telemetry"},
	    {&huge, "-c 3", "-c 3 --in-memory --no-telemetry"},
	};
	struct eal eal;
	char line[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(make(cases[i].machine, cases[i].given, NULL, line, &eal), 0);
		assert_text(line, cases[i].made);
	}
}

/* As in make, but what comes first stands in the config file. */
static int join(const char *value, const char *line, char *out, size_t len)
{
	char text[4096], name[] = "prog";
	char *argv[EAL_ARGS_MAX + 1] = {name}, *joined[EAL_ARGS_MAX + 1], *rest = NULL;
	struct settings *s = calloc(1, sizeof(*s));
	int n = 0, all;

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, " ", &rest); w != NULL && n < EAL_ARGS_MAX;
	     w = strtok_r(NULL, " ", &rest))
		argv[++n] = w;
	CU_ASSERT_EQUAL_FATAL(settings_set_eal(s, "test", value), 0);
	all = eal_join(s, n, argv, joined);
	out[0] = '\0';
	for (int i = 0; i <= all; i++)
		snprintf(out + strlen(out), len - strlen(out), "%s%s", i > 0 ? " " : "", joined[i]);
	if (all < 0)
		snprintf(out, len, "%s", s->why);
	else
		CU_ASSERT_PTR_NULL(joined[all + 1]);
	CU_ASSERT_STRING_EQUAL(s->eal, value); /* to be compared when it is read again */
	free(s);
	return all;
}

static void the_files_options_come_first(void)
{
	char out[4096], many[2 * EAL_ARGS_MAX + 1];

	CU_ASSERT_EQUAL(join("", "", out, sizeof(out)), 0);
	CU_ASSERT_STRING_EQUAL(out, "prog");
	CU_ASSERT_EQUAL(join("  --no-huge\t-m 64 ", "-l 1", out, sizeof(out)), 5);
	CU_ASSERT_STRING_EQUAL(out, "prog --no-huge -m 64 -l 1");
	for (int i = 0; i < EAL_ARGS_MAX; i++)
		memcpy(many + 2 * i, "x ", 2);
	many[2 * EAL_ARGS_MAX - 2] = '\0'; /* one less */
	CU_ASSERT_EQUAL(join(many, "", out, sizeof(out)), EAL_ARGS_MAX - 1);
	CU_ASSERT_EQUAL(join(many, "y", out, sizeof(out)), -1);
	CU_ASSERT(strstr(out, "too many") != NULL);
	CU_ASSERT_EQUAL(join("y", many, out, sizeof(out)), -1);
}

static void missing_hugepages_are_noted(void)
{
	struct eal eal;
	char line[512];

	CU_ASSERT_EQUAL(make(&plain, "", NULL, line, &eal), 0);
	CU_ASSERT(eal.no_huge);
	CU_ASSERT(strstr(eal.notice, "no free hugepages") != NULL);
	CU_ASSERT_EQUAL(make(&huge, "", NULL, line, &eal), 0);
	CU_ASSERT(!eal.no_huge);
	CU_ASSERT_STRING_EQUAL(eal.notice, "");
	/* too few are as good as none */
	CU_ASSERT_EQUAL(make(&few, "", NULL, line, &eal), 0);
	CU_ASSERT(eal.no_huge);
	CU_ASSERT(strstr(eal.notice, "only 8 MB of free hugepages") != NULL);
	/* whoever asks for it need not be told */
	CU_ASSERT_EQUAL(make(&huge, "--no-huge", NULL, line, &eal), 0);
	CU_ASSERT(eal.no_huge);
	CU_ASSERT_STRING_EQUAL(eal.notice, "");
}

static unsigned memory_of(const char *line)
{
	const char *m = strstr(line, "-m ");

	return m != NULL ? (unsigned)strtoul(m + 3, NULL, 10) : 0;
}

static void memory_grows_with_the_limits_and_lcores(void)
{
	struct eal eal;
	char line[512];
	unsigned one, two;

	CU_ASSERT_EQUAL(make(&plain, "", "stack.max_connections=2000000", line, &eal), 0);
	one = memory_of(line);
	CU_ASSERT(one > 512);
	CU_ASSERT_EQUAL(make(&plain, "-l 0,1", "stack.max_connections=2000000", line, &eal), 0);
	two = memory_of(line);
	CU_ASSERT(two > one + one / 2);
	CU_ASSERT_EQUAL(
	    make(&plain, "--lcores (0-1)@0", "stack.max_connections=2000000", line, &eal), 0);
	CU_ASSERT_EQUAL(memory_of(line), two);
	CU_ASSERT_EQUAL(make(&small, "", NULL, line, &eal), 0);
	CU_ASSERT_EQUAL(memory_of(line), 459); /* nine tenths of what there is */
}

static void limits_beyond_the_memory_are_refused(void)
{
	struct eal eal;
	char line[512];

	CU_ASSERT_EQUAL(make(&plain, "", "stack.max_connections=100000000", line, &eal), -1);
	CU_ASSERT(strstr(line, "but only 8192 MB are available: lower stack.max_connections") !=
	          NULL);
}

static const struct unit_case cases[] = {
    {"newcomers get what they would have given", newcomers_get_what_they_would_have_given},
    {"the file's options come first", the_files_options_come_first},
    {"missing hugepages are noted", missing_hugepages_are_noted},
    {"memory grows with the limits and lcores", memory_grows_with_the_limits_and_lcores},
    {"limits beyond the memory are refused", limits_beyond_the_memory_are_refused},
};

UNIT_MAIN("run/eal_args", cases)
