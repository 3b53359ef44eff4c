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

/* the name at an offset of a list of exactly that length */
static size_t read_at(const void *bytes, size_t len, size_t at)
{
	uint8_t *p = exact_copy(bytes, len);
	size_t n;

	text[0] = '?';
	n = name_read_at(p, len, at, text);
	free(p);
	return n;
}

#define READ_AT(literal, at) read_at(literal, sizeof(literal) - 1, at)

/* RFC 1035 section 4.1.4, with the list of RFC 3397 section 3 */
static void test_compressed(void)
{
	static const char list[] = "\3eng\5apple\3com\0\11marketing\xc0\4\xc0\x11\1x\xc0\x1d";

	CU_ASSERT_EQUAL(READ_AT(list, 0), 15);
	CU_ASSERT_STRING_EQUAL(text, "eng.apple.com");
	CU_ASSERT_EQUAL(READ_AT(list, 15), 12);
	CU_ASSERT_STRING_EQUAL(text, "marketing.apple.com");
	CU_ASSERT_EQUAL(READ_AT("\1a\0\xc0\0\1b\xc0\3", 3), 2);
	CU_ASSERT_STRING_EQUAL(text, "a");
	CU_ASSERT_EQUAL(READ_AT("\1a\0\xc0\0\1b\xc0\3", 5), 4); /* a pointer to a pointer */
	CU_ASSERT_STRING_EQUAL(text, "b.a");
}

static void test_bad_pointers(void)
{
	uint8_t b[600] = {63};

	CU_ASSERT_EQUAL(READ_AT("\xc0\0", 0), 0);         /* to itself */
	CU_ASSERT_EQUAL(READ_AT("\1a\xc0\0", 0), 0);      /* to the name that it is of */
	CU_ASSERT_EQUAL(READ_AT("\1a\xc0\2", 0), 0);      /* to itself, behind a label */
	CU_ASSERT_EQUAL(READ_AT("\1a\xc0\4\1b\0", 0), 0); /* ahead */
	CU_ASSERT_EQUAL(READ_AT("\1a\0\1b\xc0", 3), 0);   /* half a pointer */
	CU_ASSERT_EQUAL(READ_AT("\1a\0\x80\0", 3), 0);    /* the other types of RFC 1035 are none */
	CU_ASSERT_EQUAL(READ_AT("\1a\0\x40\0", 3), 0);
	CU_ASSERT_EQUAL(READ_AT("\1a\0", 3), 0); /* at the end */
	/* 63 characters, to which each name adds 63 of its own: the third is too long */
	memset(b + 1, 'a', 63);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *p = b + 65 + 66 * i;

		p[0] = 63;
		memset(p + 1, 'b', 63);
		p[64] = (uint8_t)(0xc0 | (i == 0 ? 0 : (65 + 66 * (i - 1)) >> 8));
		p[65] = (uint8_t)(i == 0 ? 0 : 65 + 66 * (i - 1));
		CU_ASSERT_EQUAL(read_at(b, 65 + 66 * (i + 1), 65 + 66 * i), i < 2 ? 66 : 0);
	}
}

static bool is_text(const char *bytes, size_t len)
{
	uint8_t *p = exact_copy(bytes, len);
	const bool is = name_is_text(p, len);

	free(p);
	return is;
}

#define IS_TEXT(literal) is_text(literal, sizeof(literal) - 1)

static void test_text(void)
{
	char label[64];

	CU_ASSERT(IS_TEXT("lan") && IS_TEXT("a-1._b.Org") && IS_TEXT("a.org. b") &&
	          IS_TEXT(" a  b ") && IS_TEXT(""));
	CU_ASSERT_FALSE(IS_TEXT(".") || IS_TEXT(".a") || IS_TEXT("a..b") || IS_TEXT("a .b"));
	CU_ASSERT_FALSE(IS_TEXT("a\tb") || IS_TEXT("a\0b") || IS_TEXT("a\nb") || IS_TEXT("a/b") ||
	                IS_TEXT("\xc3\xa4"));
	memset(label, 'a', sizeof(label));
	CU_ASSERT(is_text(label, 63));
	CU_ASSERT_FALSE(is_text(label, 64));
}

static const struct unit_case cases[] = {
    {"RFC 1035 4.1.4, RFC 3397 2: names that end in earlier ones", test_compressed},
    {"RFC 1035 4.1.4: pointers that lead nowhere", test_bad_pointers},
    {"names", test_names},
    {"what is none", test_none},
    {"limits", test_limits},
    {"names as text", test_text},
};

UNIT_MAIN("base/name", cases)
