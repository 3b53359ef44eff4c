/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#define MAX_ARGS 16

static char *words[MAX_ARGS + 1]; /* of the line that was parsed last */

/* Parses a command line given as words separated by blanks. */
static int parse(struct settings *s, const char *line, struct args *args)
{
	static char buf[512];
	char **const argv = words, *next = buf;
	int argc = 0;

	snprintf(buf, sizeof(buf), "test %s", line);
	while (next != NULL && argc < MAX_ARGS) {
		argv[argc] = strsep(&next, " ");
		if (argv[argc][0] != '\0')
			argc++;
	}
	argv[argc] = NULL;
	return args_parse(s, argc, argv, args);
}

static void without_dashes_all_options_are_ours(void)
{
	struct settings *s = test_settings();
	struct args args;

	CU_ASSERT_EQUAL(
	    parse(s, "--addr 10.0.0.1/24 --answer 5 --word hi --gateway 10.0.0.9", &args), 0);
	CU_ASSERT_EQUAL(args.nb_eal, 0);
	CU_ASSERT_EQUAL(args.action, ARGS_RUN);
	CU_ASSERT_EQUAL(s->nb_addrs, 1);
	CU_ASSERT_EQUAL(test_config.answer, 5);
	CU_ASSERT_STRING_EQUAL(test_config.word, "hi");
	CU_ASSERT_EQUAL(s->nb_gateways, 1);
	CU_ASSERT_EQUAL(parse(s, "-b 7 -c /dev/null --addr 10.0.0.1/24", &args), 0);
	CU_ASSERT_EQUAL(test_config.answer, 7);
	CU_ASSERT_EQUAL(s->nb_files, 1);
	CU_ASSERT_EQUAL(parse(s, "--dozens 3", &args), 0);
	CU_ASSERT_EQUAL(test_config.answer, 36);
	CU_ASSERT_EQUAL(parse(s, "--one", &args), 0);
	CU_ASSERT_EQUAL(test_config.answer, 1);
	free(s);
}

static void what_is_before_the_dashes_is_eals(void)
{
	struct settings *s = test_settings();
	struct args args;

	CU_ASSERT_EQUAL(parse(s, "-l 0 --vdev=net_null0 -- --addr 10.0.0.1/24 --stats 3", &args),
	                0);
	CU_ASSERT_EQUAL(args.nb_eal, 3);
	CU_ASSERT_EQUAL(s->run.run_stats_s, 3);
	CU_ASSERT_EQUAL(parse(s, "-l 0 --", &args), 0);
	CU_ASSERT_EQUAL(args.nb_eal, 2);
	CU_ASSERT_EQUAL(parse(s, "--", &args), 0);
	CU_ASSERT_EQUAL(args.nb_eal, 0);
	free(s);
}

static void the_command_line_goes_over_the_file(void)
{
	char path[] = "/tmp/percore-args-test-XXXXXX", line[256];
	struct settings *s = test_settings();
	struct args args;
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	dprintf(fd, "[net]\naddr = 10.0.0.1/24\n[test]\nanswer = 9\n[tcp]\nrcvbuf = 9999\n");
	close(fd);
	snprintf(line, sizeof(line), "--answer 5 --addr 10.9.0.1/24 --addr 10.8.0.1/24 -c %s",
	         path);
	CU_ASSERT_EQUAL(parse(s, line, &args), 0);
	CU_ASSERT_EQUAL(test_config.answer, 5);
	CU_ASSERT_EQUAL(s->stack.tcp_rcvbuf, 9999);
	CU_ASSERT_EQUAL_FATAL(s->nb_addrs, 2);
	CU_ASSERT_EQUAL(s->addrs[0].prefix.addr.b[13], 9);
	snprintf(line, sizeof(line), "--config=%s --set tcp.rcvbuf=5000 --set tcp.rcvbuf=6000",
	         path);
	CU_ASSERT_EQUAL(parse(s, line, &args), 0);
	CU_ASSERT_EQUAL(s->stack.tcp_rcvbuf, 6000);
	unlink(path);
	free(s);
}

/* What a program takes as an option, a file may say, too. */
static void a_file_has_the_programs_own_options(void)
{
	static const struct pc_run_option options[] = {
	    {.name = "two-words", .argument = "WORDS", .help = "words", .set = test_set_word}, {0}};
	char path[] = "/tmp/percore-args-test-XXXXXX", line[256], why[128];
	struct settings *s = test_settings();
	struct pc_run_app app = test_app;
	struct args args;
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	dprintf(fd, "[test]\nword = of a file # and not this\n");
	snprintf(line, sizeof(line), "-c %s", path);
	CU_ASSERT_EQUAL(parse(s, line, &args), 0);
	CU_ASSERT_STRING_EQUAL(test_config.word, "of a file");
	snprintf(line, sizeof(line), "--word hi -c %s", path);
	CU_ASSERT_EQUAL(parse(s, line, &args), 0);
	CU_ASSERT_STRING_EQUAL(test_config.word, "hi");
	s->again = true; /* while the program runs they stay as they are */
	snprintf(line, sizeof(line), "-c %s", path);
	CU_ASSERT_EQUAL(parse(s, line, &args), 0);
	CU_ASSERT_STRING_EQUAL(test_config.word, "hi");
	s->again = false;
	dprintf(fd, "\nword = 12345678901234567890123456789012\n");
	close(fd);
	CU_ASSERT_EQUAL(parse(s, line, &args), -1);
	snprintf(why, sizeof(why), "%s:4: \"12345678901234567890123456789012\" is too long", path);
	assert_text(s->why, why);
	CU_ASSERT_EQUAL(settings_assign(s, "test.one=1"), -1); /* takes no argument */
	args_forget(s);
	app.options = options;
	settings_init(s, &app, &test_config);
	CU_ASSERT_EQUAL(settings_assign(s, "test.two_words=a b"), 0);
	CU_ASSERT_STRING_EQUAL(test_config.word, "a b");
	CU_ASSERT_EQUAL(settings_assign(s, "test.two-words=c"), -1);
	CU_ASSERT_EQUAL(settings_assign(s, "test.two_word=c"), -1);
	CU_ASSERT_EQUAL(settings_assign(s, "tcp.two_words=c"), -1);
	unlink(path);
	args_forget(s);
	free(s);
}

static void actions_are_found(void)
{
	struct settings *s = test_settings();
	struct args args;

	CU_ASSERT_EQUAL(parse(s, "--help", &args), 0);
	CU_ASSERT_EQUAL(args.action, ARGS_HELP);
	CU_ASSERT_EQUAL(parse(s, "-h -c /nonexistent", &args), 0);
	CU_ASSERT_EQUAL(args.action, ARGS_HELP);
	CU_ASSERT_EQUAL(parse(s, "-V", &args), 0);
	CU_ASSERT_EQUAL(args.action, ARGS_VERSION);
	CU_ASSERT_EQUAL(parse(s, "--print-config", &args), 0);
	CU_ASSERT_EQUAL(args.action, ARGS_PRINT_CONFIG);
	free(s);
}

static void mistakes_are_told_exactly(void)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
	    {"--foo", "unknown option --foo; see --help"},
	    {"-x", "unknown option -x; see --help"},
	    {"foo", "unexpected argument \"foo\"; see --help"},
	    {"--addr", "option --addr requires an argument; see --help"},
	    {"-c", "option -c requires an argument; see --help"},
	    {"--help=1", "unknown option --help=1; see --help"},
	    {"--word 12345678901234567890123456789012",
	     "--word: \"12345678901234567890123456789012\" is too long"},
	    {"--answer 0", "--answer: test.answer: 0 is out of range (1 to 100 number)"},
	    {"--dozens 9", "--dozens: test.answer: 108 is out of range (1 to 100 number)"},
	    {"--dozens x", "--dozens: \"x\" is not a number of dozens"},
	    {"--stats -1", "--stats: run.stats_s: \"-1\" is not a number from 0 to 86400 (s)"},
	    {"--vdev=net_tap0 --addr 10.0.0.1/24",
	     "--vdev=net_tap0 is an EAL option and must come before \"--\" (example: test "
	     "--vdev=net_tap0,iface=percore0 -- --addr 10.0.0.1/24)"},
	    {"-l 0", "-l is an EAL option and must come before \"--\" (example: test "
	             "--vdev=net_tap0,iface=percore0 -- --addr 10.0.0.1/24)"},
	    {"-l 0 -- -- x", "unexpected argument \"x\"; see --help"},
	};
	struct settings *s = test_settings();
	struct args args;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(parse(s, cases[i].line, &args), -1);
		assert_text(s->why, cases[i].why);
	}
	free(s);
}

/* An address that is missing as its option is misspelt, or on the wrong side of the dashes: EAL, which would say so, has not begun. */
static void what_eal_does_not_know_is_told(void)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
	    {"--vdev=net_null0 --adr 10.0.0.1/24 --", "unknown option --adr; see --help"},
	    {"-l 0 --no-huge --adr=10.0.0.1/24 -- --answer 5",
	     "unknown option --adr=10.0.0.1/24; see --help"},
	    {"--vdev net_null0 --addr 10.0.0.1/24 --",
	     "--addr is an option of test and must come after \"--\""},
	    {"--answer=5 --", "--answer=5 is an option of test and must come after \"--\""},
	    {"--vdev=net_null0 --no-hug --file-prefix=a -m 64 --",
	     "missing address (example: --addr 10.0.0.1/24)"},
	};
	struct settings *s = test_settings();
	struct args args;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(parse(s, cases[i].line, &args), 0);
		CU_ASSERT_EQUAL(args_check(s, args.nb_eal, words), -1);
		assert_text(s->why, cases[i].why);
	}
	CU_ASSERT_EQUAL(parse(s, "--newer-than-we-know -- --addr 10.0.0.1/24", &args), 0);
	CU_ASSERT_EQUAL(args_check(s, args.nb_eal, words), 0); /* EAL is asked */
	free(s);
}

static const struct unit_case cases[] = {
    {"without dashes all options are ours", without_dashes_all_options_are_ours},
    {"what is before the dashes is EAL's", what_is_before_the_dashes_is_eals},
    {"the command line goes over the file", the_command_line_goes_over_the_file},
    {"a file has the program's own options", a_file_has_the_programs_own_options},
    {"actions are found", actions_are_found},
    {"mistakes are told exactly", mistakes_are_told_exactly},
    {"what EAL does not know is told", what_eal_does_not_know_is_told},
};

UNIT_MAIN("run/args", cases)
