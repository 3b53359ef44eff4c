/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests in words of the user's own. */
#include "ask.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static struct ask a;
static char why[160];

static void test_text(void)
{
	static const struct {
		const char *text, *bytes;
		uint32_t len;
	} good[] = {
	    {"a", "a", 1},
	    {"PING\\r\\n  ", "PING\r\n  ", 8},
	    {"\\t\\0\\\\\\x7f", "\t\0\\\x7f", 4},
	    {"\\xfF\\x00", "\xff\0", 2},
	    {"\\x0dA", "\rA", 2},
	    {"\xc3\xa9", "\xc3\xa9", 2},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL(ask_parse(&a, good[i].text, why, sizeof(why)), 0);
		CU_ASSERT_EQUAL_FATAL(a.len, good[i].len);
		CU_ASSERT(memcmp(a.bytes, good[i].bytes, a.len) == 0);
	}
}

static void test_nonsense(void)
{
	static const char *const bad[] = {
	    "", "abc", "\\", "a\\", "\\q", "\\x", "\\x1", "\\x1g", "\\xg1", "PING\\r\\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		CU_ASSERT_EQUAL(ask_parse(&a, bad[i], why, sizeof(why)), -1);
		CU_ASSERT(why[0] != '\0');
	}
}

static void test_length(void)
{
	char text[2 * ASK_MAX + 1];

	memset(text, 'x', sizeof(text));
	text[ASK_MAX] = '\0';
	CU_ASSERT_EQUAL(ask_parse(&a, text, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(a.len, ASK_MAX);
	text[ASK_MAX] = 'x';
	text[2 * ASK_MAX] = '\0';
	CU_ASSERT_EQUAL(ask_parse(&a, text, why, sizeof(why)), -1);
	CU_ASSERT(strstr(why, "more than") != NULL);
}

static const struct unit_case cases[] = {
    {"text and escapes", test_text},
    {"nonsense", test_nonsense},
    {"the longest", test_length},
};

UNIT_MAIN("ask", cases)
