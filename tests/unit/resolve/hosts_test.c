/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of /etc/hosts (hosts(5)). */

#include "resolve/hosts.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

static struct hosts h;

static void parse(const char *text)
{
	CU_ASSERT_EQUAL_FATAL(hosts_parse(&h, strdup(text)), 0);
}

/* all addresses of a name, as text */
static const char *find(const char *name, int family)
{
	static char all[400];
	char text[PC_ADDR_STRLEN];
	struct pc_addr a[4];
	unsigned n = hosts_find(&h, name, family, a, 4);

	all[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(all, i > 0 ? " " : "");
		strcat(all, pc_addr_format(&a[i], text));
	}
	return all;
}

#define FINDS(name, family, what) CU_ASSERT_STRING_EQUAL(find(name, family), what)

static void test_lines(void)
{
	parse("127.0.0.1\tlocalhost\n"
	      "::1 localhost ip6-localhost\n"
	      "\n"
	      "   # 192.0.2.1 commented\n"
	      "  192.0.2.2 \t a.example  a # b\n"
	      "192.0.2.3 crlf\r\n"
	      "192.0.2.300 wrong\n"
	      "wrong 192.0.2.4\n"
	      "192.0.2.5\n"
	      "192.0.2.6#glued\n"
	      "192.0.2.7 last");
	CU_ASSERT_EQUAL(h.n, 7);
	FINDS("localhost", AF_UNSPEC, "127.0.0.1 ::1");
	FINDS("localhost", AF_INET, "127.0.0.1");
	FINDS("localhost", AF_INET6, "::1");
	FINDS("ip6-localhost", AF_UNSPEC, "::1");
	FINDS("ip6-localhost", AF_INET, "");
	FINDS("commented", AF_UNSPEC, "");
	FINDS("a.example", AF_UNSPEC, "192.0.2.2");
	FINDS("a", AF_UNSPEC, "192.0.2.2");
	FINDS("b", AF_UNSPEC, "");
	FINDS("A.Example", AF_UNSPEC, "192.0.2.2");
	FINDS("crlf", AF_UNSPEC, "192.0.2.3");
	FINDS("wrong", AF_UNSPEC, "");
	FINDS("192.0.2.4", AF_UNSPEC, "");
	FINDS("glued", AF_UNSPEC, "");
	FINDS("last", AF_UNSPEC, "192.0.2.7");
	FINDS("las", AF_UNSPEC, "");
	hosts_free(&h);
	parse("");
	FINDS("", AF_UNSPEC, "");
	hosts_free(&h);
}

static void test_room(void)
{
	struct pc_addr a[2];

	parse("192.0.2.1 many\n192.0.2.2 many\n192.0.2.3 many\n");
	FINDS("many", AF_UNSPEC, "192.0.2.1 192.0.2.2 192.0.2.3");
	CU_ASSERT_EQUAL(hosts_find(&h, "many", AF_INET, a, 2), 2);
	CU_ASSERT_EQUAL(hosts_find(&h, "many", AF_INET, a, 0), 0);
	hosts_free(&h);
}

static void test_file(void)
{
	char path[] = "/tmp/hosts.XXXXXX";
	const int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("192.0.2.1 first\n", f);
	for (unsigned i = 0; i < 40000; i++) /* a file that goes beyond what is read of it */
		fputs("# 34567890123456789012345678901234567890\n", f);
	fputs("192.0.2.2 beyond\n", f);
	fclose(f);
	CU_ASSERT_EQUAL(hosts_read(&h, path), 0);
	FINDS("first", AF_UNSPEC, "192.0.2.1");
	FINDS("beyond", AF_UNSPEC, "");
	hosts_free(&h);
	unlink(path);
	CU_ASSERT_EQUAL(hosts_read(&h, path), 0); /* one that is not there is an empty one */
	CU_ASSERT_EQUAL(h.n, 0);
	FINDS("first", AF_UNSPEC, "");
	hosts_free(&h);
}

static const struct unit_case cases[] = {
    {"hosts(5): lines", test_lines},
    {"no more than there is room for", test_room},
    {"files", test_file},
};

UNIT_MAIN("unit/resolve/hosts", cases)
