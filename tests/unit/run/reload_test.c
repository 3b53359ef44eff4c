/* SPDX-License-Identifier: BSD-2-Clause */
/* What a second reading of the settings changes, and what it says about the rest. */
#include "run/reload.h"

#include "common.h"

/* Two readings with different assignments; returns what is told. */
static char *compare(const char *const *first, const char *const *second, struct settings **out,
                     unsigned *changed)
{
	struct settings *from = test_settings(), *to = malloc(sizeof(*to));
	struct test_config shadow = {.answer = 42};
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	settings_init(to, &test_app, &test_config);
	to->tables[2].base = &shadow;
	to->again = true;
	for (; *first != NULL; first++)
		CU_ASSERT_EQUAL(settings_assign(from, *first), 0);
	for (; *second != NULL; second++)
		CU_ASSERT_EQUAL(settings_assign(to, *second), 0);
	*changed = reload_compare(from, to, f);
	fclose(f);
	args_forget(to);
	free(to);
	*out = from;
	return text;
}

static void the_same_changes_nothing(void)
{
	const char *const lines[] = {"tcp.rto_min_ms=50", "net.addr=10.0.0.1/24", "test.word=same",
	                             NULL};
	struct settings *s;
	unsigned changed;
	char *text = compare(lines, lines, &s, &changed);

	assert_text(text, "");
	CU_ASSERT_EQUAL(changed, 0);
	args_forget(s);
	free(text);
	free(s);
}

static void each_difference_is_a_line(void)
{
	const char *const first[] = {"tcp.rto_min_ms=50",    "tcp.syn_cache=100", "run.stats_s=1",
	                             "net.addr=10.0.0.1/24", "test.word=first",   NULL};
	const char *const second[] = {"tcp.rto_min_ms=60",    "tcp.syn_cache=200",
	                              "run.stats_s=2",        "port.mtu=1400",
	                              "net.addr=10.0.0.2/24", "test.answer=7",
	                              "tcp.nagle=no",         "run.control=/run/c",
	                              "run.sockets=/run/s",   "run.eal=--no-pci",
	                              "exception.iface=k",    "net.mac=02:00:00:00:00:01",
	                              "test.word=second",     NULL};
	struct settings *s;
	unsigned changed;
	char *text = compare(first, second, &s, &changed);

	assert_text(text, "test: tcp.syn_cache = 200 requires a restart; keeping 100\n"
	                  "test: tcp.nagle = 0 (was 1)\n"
	                  "test: tcp.rto_min_ms = 60 (was 50)\n"
	                  "test: run.stats_s = 2 (was 1)\n"
	                  "test: port.mtu = 1400 requires a restart; keeping 0\n"
	                  "test: test.answer = 7 requires a restart; keeping 42\n"
	                  "test: changing net.addr requires a restart\n"
	                  "test: changing net.mac requires a restart\n"
	                  "test: changing run.eal requires a restart\n"
	                  "test: changing run.sockets requires a restart\n"
	                  "test: changing run.control requires a restart\n"
	                  "test: changing exception.iface requires a restart\n"
	                  "test: changing --word in the file requires a restart\n");
	CU_ASSERT_EQUAL(changed, 2);
	CU_ASSERT_EQUAL(s->stack.tcp_rto_min_ms, 60);
	CU_ASSERT_EQUAL(s->stack.tcp_syn_cache, 100);
	CU_ASSERT_EQUAL(s->run.run_stats_s, 2);
	CU_ASSERT_EQUAL(s->run.port_mtu, 0);
	CU_ASSERT_EQUAL(test_config.answer, 42);
	CU_ASSERT_STRING_EQUAL(test_config.word, "first");
	args_forget(s);
	free(text);
	free(s);
}

static void who_is_denied_changes(void)
{
	const char *const first[] = {"net.deny=192.0.2.0/24", NULL};
	const char *const second[] = {"net.deny=192.0.2.0/24, 2001:db8::/32",
	                              "net.deny=198.51.100.7/32", NULL};
	const char *const none[] = {NULL};
	struct settings *s;
	unsigned changed;
	char *text = compare(first, second, &s, &changed);

	assert_text(text, "test: net.deny has 3 networks (was 1)\n");
	CU_ASSERT_EQUAL(changed, 1);
	CU_ASSERT_EQUAL(s->nb_denied, 3);
	CU_ASSERT_EQUAL(s->denied[1].len, 32);
	free(text);
	free(s);
	text = compare(first, none, &s, &changed);
	assert_text(text, "test: net.deny has 0 networks (was 1)\n");
	free(text);
	free(s);
	text = compare(second, second, &s, &changed);
	assert_text(text, "");
	free(text);
	free(s);
}

static void own_options_stay_as_they_are(void)
{
	char *argv[] = {(char *)"test", (char *)"--word", (char *)"new", (char *)"--set",
	                (char *)"tcp.msl_ms=1000"};
	struct settings *s = test_settings();
	struct args args;

	strcpy(test_config.word, "old");
	s->again = true;
	CU_ASSERT_EQUAL(args_parse(s, 5, argv, &args), 0);
	CU_ASSERT_STRING_EQUAL(test_config.word, "old");
	CU_ASSERT_EQUAL(s->stack.tcp_msl_ms, 1000);
	free(s);
}

/* What an option has said of a key, in whatever unit, it says again. */
static void own_options_of_keys_are_read_again(void)
{
	char *argv[] = {(char *)"test", (char *)"--dozens", (char *)"3"};
	struct settings *from = test_settings(), *to = malloc(sizeof(*to));
	struct test_config shadow = {.answer = 42};
	char *text = NULL;
	struct args args;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	settings_init(to, &test_app, &test_config);
	to->tables[2].base = &shadow;
	to->again = true;
	CU_ASSERT_EQUAL(args_parse(from, 3, argv, &args), 0);
	CU_ASSERT_EQUAL(args_parse(to, 3, argv, &args), 0);
	CU_ASSERT(test_config.answer == 36 && shadow.answer == 36);
	CU_ASSERT_EQUAL(reload_compare(from, to, f), 0);
	fclose(f);
	assert_text(text, "");
	free(text);
	free(from);
	free(to);
}

static const struct unit_case cases[] = {
    {"the same changes nothing", the_same_changes_nothing},
    {"each difference is a line", each_difference_is_a_line},
    {"who is denied changes at once", who_is_denied_changes},
    {"a program's own options stay as they are", own_options_stay_as_they_are},
    {"a program's own options of keys are read again", own_options_of_keys_are_read_again},
};

UNIT_MAIN("run/reload", cases)
