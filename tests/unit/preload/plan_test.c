/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-run's command line: which words are for whom. */

#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"

static struct plan plan;
static char why[512];
static char line[512];

/* Makes a plan of words that are separated by spaces. */
static int make(const char *words)
{
	static char *argv[64];
	int argc = 0;

	snprintf(line, sizeof(line), "percore-run %s", words);
	for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	why[0] = '\0';
	return plan_make(&plan, argv, why, sizeof(why));
}

static bool is(char *const *words, const char *expected)
{
	char all[512] = "";

	for (; *words != NULL; words++) {
		strcat(all, *words);
		strcat(all, words[1] != NULL ? " " : "");
	}
	if (strcmp(all, expected) != 0)
		fprintf(stderr, "got \"%s\"\n", all);
	return strcmp(all, expected) == 0;
}

static void test_sections(void)
{
	CU_ASSERT_EQUAL(
	    make("-l 0 --vdev=net_tap0,iface=a --addr 1.2.3.4/24 --set tcp.sack=no -- prog -x"), 0);
	CU_ASSERT(is(plan.eal, "-l 0 --vdev=net_tap0,iface=a"));
	CU_ASSERT(is(plan.stack, "--addr 1.2.3.4/24 --set tcp.sack=no"));
	CU_ASSERT(is(plan.program, "prog -x"));
	CU_ASSERT_EQUAL(make("--no-huge -- --addr=1.2.3.4/24 -c f --verbose -- prog -- --addr x"),
	                0);
	CU_ASSERT(is(plan.eal, "--no-huge"));
	CU_ASSERT(is(plan.stack, "--addr=1.2.3.4/24 -c f"));
	CU_ASSERT(is(plan.program, "prog -- --addr x"));
	CU_ASSERT(plan.verbose);
	CU_ASSERT_EQUAL(make("-- prog"), 0);
	CU_ASSERT_EQUAL(plan.nb_eal + plan.nb_stack, 0);
	CU_ASSERT_EQUAL(plan.action, PLAN_RUN);
}

static void test_ours(void)
{
	CU_ASSERT_EQUAL(make("--attach /x --print -- prog"), 0);
	CU_ASSERT_STRING_EQUAL(plan.attach, "/x");
	CU_ASSERT_EQUAL(plan.action, PLAN_PRINT);
	CU_ASSERT_EQUAL(make("--socket=@y -- prog"), 0);
	CU_ASSERT_STRING_EQUAL(plan.socket, "@y");
	CU_ASSERT_PTR_NULL(plan.attach);
	CU_ASSERT_FALSE(plan.one_core);
	CU_ASSERT_EQUAL(make("--no-huge --one-core --addr 1.2.3.4/24 -- prog"), 0);
	CU_ASSERT(plan.one_core);
	CU_ASSERT(is(plan.eal, "--no-huge"));
	CU_ASSERT_EQUAL(make("--help"), 0);
	CU_ASSERT_EQUAL(plan.action, PLAN_HELP);
	CU_ASSERT_EQUAL(make("-V"), 0);
	CU_ASSERT_EQUAL(plan.action, PLAN_VERSION);
}

static void test_types(void)
{
	CU_ASSERT_EQUAL(make("--conf f.ini --proc-type=auto --proc-id=1 -- prog"), 0);
	CU_ASSERT_EQUAL(plan.type, PLAN_AUTO);
	CU_ASSERT(is(plan.stack, "--config f.ini"));
	CU_ASSERT_EQUAL(plan.nb_eal, 0);
	CU_ASSERT_EQUAL(make("--conf=f.ini --proc-type secondary -- prog"), 0);
	CU_ASSERT_EQUAL(plan.type, PLAN_SECONDARY);
	CU_ASSERT(is(plan.stack, "--config f.ini"));
	CU_ASSERT_EQUAL(make("--proc-type=tertiary -- prog"), -1);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(why, "\"tertiary\" is not \"primary\", \"secondary\" or \"auto\""));
}

static void test_rules(void)
{
	char name[] = "/tmp/plan_test-XXXXXX", words[128];
	int fd = mkstemp(name);
	FILE *f = fdopen(fd, "w");

	fputs("# mine\nkernel udp\n\nkernel tcp port 22\n", f);
	fclose(f);
	snprintf(words, sizeof(words), "--rule kernel --rules %s -- prog", name);
	CU_ASSERT_EQUAL(make(words), 0);
	CU_ASSERT_EQUAL(plan.checked.n, 3);
	CU_ASSERT_STRING_EQUAL(plan.rules, "kernel\n# mine\nkernel udp\n\nkernel tcp port 22\n\n");
	remove(name);
	CU_ASSERT_EQUAL(make(words), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
	CU_ASSERT_EQUAL(make("--rule nonsense -- prog"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "nonsense"));
}

static void test_mistakes(void)
{
	CU_ASSERT_EQUAL(make(""), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "missing program"));
	CU_ASSERT_EQUAL(make("--no-huge --"), -1);
	CU_ASSERT_EQUAL(make("--no-huge -- --addr 1.2.3.4/24"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "missing program"));
	CU_ASSERT_EQUAL(make("--addr"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "--addr requires an argument"));
	CU_ASSERT_EQUAL(make("--no-huge --addr -- prog"), -1); /* of an empty variable, say */
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "--addr requires an argument"));
	CU_ASSERT_EQUAL(make("-- --adr x -- prog"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "unknown option --adr"));
	CU_ASSERT_EQUAL(make("--attach /x --addr 1.2.3.4/24 -- prog"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "--addr cannot be used with --attach"));
	CU_ASSERT_EQUAL(make("--attach /x --no-huge -- prog"), -1);
	CU_ASSERT_EQUAL(make("--one-core --socket /x -- prog"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot be combined with --socket"));
	CU_ASSERT_EQUAL(make("--one-core --proc-type auto -- prog"), -1);
}

static const struct unit_case cases[] = {
    {"sections", test_sections}, {"its own options", test_ours}, {"types of processes", test_types},
    {"rules", test_rules},       {"mistakes", test_mistakes},
};

UNIT_MAIN("plan", cases)
