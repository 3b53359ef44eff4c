/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include "common.h"

static char path[] = "/tmp/percore-file-test-XXXXXX";

static int load(struct settings *s, const char *text)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
	return settings_load(s, path);
}

static void a_file_sets_what_it_says(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(load(s, "# a comment = with [everything]\n"
	                        "; another\n"
	                        "\n"
	                        "[tcp]\n"
	                        "  rcvbuf=8192   # bytes\n"
	                        "\tnagle = off\t; for latency\r\n"
	                        "[ net ]\n"
	                        "addr = 10.0.0.1/24,1=10.0.1.1/24\n"
	                        "[test]\n"
	                        "[tcp]\n"
	                        "sndbuf = 0x4000"),
	                0);
	CU_ASSERT_EQUAL(s->stack.tcp_rcvbuf, 8192);
	CU_ASSERT_EQUAL(s->stack.tcp_nagle, 0);
	CU_ASSERT_EQUAL(s->stack.tcp_sndbuf, 16384);
	CU_ASSERT_EQUAL(s->nb_addrs, 2);
	free(s);
}

static void a_byte_order_mark_is_no_text(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(load(s, "\xef\xbb\xbf[tcp]\r\nrcvbuf = 8192\r\n"), 0);
	CU_ASSERT_EQUAL(s->stack.tcp_rcvbuf, 8192);
	CU_ASSERT_EQUAL(load(s, "[tcp]\n\xef\xbb\xbfrcvbuf = 8192\n"), -1);
	free(s);
}

static void a_hash_within_a_word_is_part_of_it(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(load(s, "[run]\npcap = a#b;c\n"), 0);
	CU_ASSERT_STRING_EQUAL(s->pcap, "a#b;c");
	free(s);
}

static void mistakes_have_a_line_number(void)
{
	static const struct {
		const char *text, *why; /* after the file's name */
	} cases[] = {
	    {"[tcp]\n\nrcvbuf = 1\n",
	     ":3: tcp.rcvbuf: 1 is out of range (4096 to 1073741824 bytes)"},
	    {"[tcp]\nrcvbuf = 12x\n",
	     ":2: tcp.rcvbuf: \"12x\" is not a number from 4096 to 1073741824 (bytes)"},
	    {"[tcp]\nrcvbuf =\n",
	     ":2: tcp.rcvbuf: \"\" is not a number from 4096 to 1073741824 (bytes)"},
	    {"[tcp]\nrcvbuf 12\n",
	     ":2: \"rcvbuf 12\" is neither \"[section]\" nor \"key = value\""},
	    {"[tcp]\n# rcvbuf = 1\nrcvbfu = 12\n",
	     ":3: unknown key tcp.rcvbfu; did you mean tcp.rcvbuf?"},
	    {"rcvbuf = 12\n", ":1: \"rcvbuf = 12\" precedes the first [section]"},
	    {"[tcp\n", ":1: missing \"]\" at the end of a section (example: [tcp])"},
	    {"\n[]\n", ":2: unknown section [] (known: stack, arp, ip, ip6, firewall, icmp, "
	               "exception, udp, tcp, run, port, test, net)"},
	    {"[http]\n", ":1: unknown section [http] (known: stack, arp, ip, ip6, firewall, icmp, "
	                 "exception, udp, tcp, run, port, test, net)"},
	    {"[net]\naddr = 10.0.0.1/24\naddr = here\n",
	     ":3: net.addr: \"here\" is not an IPv4 or IPv6 address with a prefix length (example: "
	     "10.0.0.1/24)"},
	};
	struct settings *s = test_settings();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(load(s, cases[i].text), -1);
		CU_ASSERT_EQUAL(strncmp(s->why, path, strlen(path)), 0);
		assert_text(s->why + strlen(path), cases[i].why);
	}
	free(s);
}

static void a_long_line_is_refused(void)
{
	struct settings *s = test_settings();
	char text[3000] = "[run]\npcap = ";

	memset(text + strlen(text), 'x', 2000);
	strcat(text, "\n");
	CU_ASSERT_EQUAL(load(s, text), -1);
	CU_ASSERT(strstr(s->why, ":2: line is longer than 1022 characters") != NULL);
	free(s);
}

static void a_file_that_cannot_be_read_is_named(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(settings_load(s, "/nonexistent/x.ini"), -1);
	assert_text(s->why,
	            "cannot read config file /nonexistent/x.ini: No such file or directory");
	CU_ASSERT_EQUAL(settings_load(s, "/tmp"), -1);
	assert_text(s->why, "cannot read config file /tmp: Is a directory");
	free(s);
}

static void assert_same(const struct settings *a, const struct settings *b)
{
	CU_ASSERT_EQUAL(memcmp(&a->stack, &b->stack, offsetof(struct pc_stack_config, name)), 0);
	CU_ASSERT_EQUAL(memcmp(&a->run, &b->run, sizeof(a->run)), 0);
	CU_ASSERT_EQUAL(test_config.answer, 42);
}

/* What --print-config writes is a config file that changes nothing; so is it uncommented. */
static void the_printed_config_can_be_read(void)
{
	struct settings *s = test_settings(), *fresh = test_settings();
	char line[256];
	FILE *f = fopen(path, "w"), *g;
	char uncommented[] = "/tmp/percore-file-test2-XXXXXX";
	int fd = mkstemp(uncommented);

	CU_ASSERT_FATAL(f != NULL && fd >= 0);
	help_print_config(s, f);
	fclose(f);
	CU_ASSERT_EQUAL(settings_load(s, path), 0);
	assert_same(s, fresh);
	CU_ASSERT_EQUAL(s->nb_addrs, 0);
	CU_ASSERT_STRING_EQUAL(s->pcap, "");

	f = fopen(path, "r");
	g = fdopen(fd, "w");
	while (fgets(line, sizeof(line), f) != NULL)
		/* "#key = value", but not "# sentence" nor "#key =" */
		fputs(line[0] == '#' && line[1] != ' ' && strstr(line, "=\n") == NULL ? line + 1
		                                                                      : line,
		      g);
	fclose(f);
	fclose(g);
	CU_ASSERT_EQUAL(settings_load(s, uncommented), 0);
	assert_same(s, fresh);
	CU_ASSERT_STRING_EQUAL(test_config.word, "WORD");
	unlink(uncommented);
	args_forget(s);
	free(s);
	free(fresh);
}

static void what_everybody_may_write_is_refused(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(load(s, "[tcp]\nnagle = no\n"), 0);
	CU_ASSERT_EQUAL_FATAL(chmod(path, 0666), 0);
	CU_ASSERT_EQUAL(settings_load(s, path), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(s->why, "is writable by everyone; run: chmod o-w"));
	CU_ASSERT_EQUAL_FATAL(chmod(path, 0664), 0);
	CU_ASSERT_EQUAL(settings_load(s, path), 0);
	free(s);
}

static void what_others_own_is_not_for_root(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(load(s, "[tcp]\nnagle = no\n"), 0);
	if (geteuid() == 0) {
		CU_ASSERT_EQUAL_FATAL(chown(path, 1, (gid_t)-1), 0);
		CU_ASSERT_EQUAL(settings_load(s, path), -1);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(s->why, " belongs to user 1, not root; run: chown root /"));
		CU_ASSERT_EQUAL_FATAL(chown(path, 0, (gid_t)-1), 0);
		CU_ASSERT_EQUAL(settings_load(s, path), 0);
	}
	free(s);
}

static void a_nul_is_called_one(void)
{
	static const char text[2][16] = {"[tcp]\nnag\0le\n", "[tcp]\nnagle\0"};
	struct settings *s = test_settings();

	for (unsigned i = 0; i < 2; i++) {
		FILE *f = fopen(path, "w");

		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		fwrite(text[i], 1, 12, f);
		fclose(f);
		CU_ASSERT_EQUAL(settings_load(s, path), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(s->why, ":2: NUL byte in a text file"));
	}
	free(s);
}

static const struct unit_case cases[] = {
    {"a file sets what it says", a_file_sets_what_it_says},
    {"a byte order mark is no text", a_byte_order_mark_is_no_text},
    {"a hash within a word is part of it", a_hash_within_a_word_is_part_of_it},
    {"mistakes have a line number", mistakes_have_a_line_number},
    {"a long line is refused", a_long_line_is_refused},
    {"a file that cannot be read is named", a_file_that_cannot_be_read_is_named},
    {"the printed config can be read", the_printed_config_can_be_read},
    {"what everybody may write is refused", what_everybody_may_write_is_refused},
    {"what others own is not for root", what_others_own_is_not_for_root},
    {"a NUL byte is called one", a_nul_is_called_one},
};

int main(void)
{
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = unit_run("run/file", cases, sizeof(cases) / sizeof(cases[0]));
	unlink(path);
	return rc;
}
