/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/name.h"

#include <string.h>

#include "../unit.h"
#include "../wire/exact.h"

static char text[NAME_MAX_LEN + 1];

/* from bytes of exactly that length, so that a sanitizer sees each one too many that is read */
static size_t read_exact(const void *bytes, size_t len)
{
	uint8_t *p = exact_copy(bytes, len);
	size_t n;

	text[0] = '?';
	n = name_read(p, len, text);
	free(p);
	return n;
}

#define READ(literal) read_exact(literal, sizeof(literal) - 1)

static void test_names(void)
{
	CU_ASSERT_EQUAL(READ("\7example\3org\0\1x"), 13);
	CU_ASSERT_STRING_EQUAL(text, "example.org");
	CU_ASSERT_EQUAL(READ("\0\1x\0"), 1);
	CU_ASSERT_STRING_EQUAL(text, "");
	CU_ASSERT_EQUAL(READ("\3_a-\1B\0"), 7);
	CU_ASSERT_STRING_EQUAL(text, "_a-.B");
}

static void test_none(void)
{
	CU_ASSERT_EQUAL(name_read((const uint8_t *)"", 0, text), 0);
	CU_ASSERT_EQUAL(READ("\1a"), 0);
	CU_ASSERT_EQUAL(READ("\3ab"), 0);
	CU_ASSERT_EQUAL(READ("\300\014"), 0);
	CU_ASSERT_EQUAL(READ("\3a.b\0"), 0);
	CU_ASSERT_EQUAL(READ("\2a\0\0"), 0);
}

/* RFC 1035 section 2.3.4: 63 bytes in a label, 255 in a name with all its lengths */
static void test_limits(void)
{
	uint8_t b[260] = {0};

	b[0] = 63;
	memset(b + 1, 'a', 63);
	CU_ASSERT_EQUAL(read_exact(b, 65), 65);
	b[0] = 64;
	memset(b + 1, 'a', 64);
	CU_ASSERT_EQUAL(read_exact(b, 66), 0);
	for (unsigned i = 0; i < 4; i++) {
		b[64 * i] = 63;
		memset(b + 64 * i + 1, 'a', 63);
	}
	b[192] = 61;
	b[254] = 0;
	CU_ASSERT_EQUAL(read_exact(b, 255), 255);
	CU_ASSERT_EQUAL(strlen(text), NAME_MAX_LEN);
	b[192] = 62;
	b[254] = 'a';
	b[255] = 0;
	CU_ASSERT_EQUAL(read_exact(b, 256), 0);
}

static const struct unit_case cases[] = {
    {"names", test_names},
    {"what is none", test_none},
    {"limits", test_limits},
};

UNIT_MAIN("base/name", cases)
