/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#define HEAD(date) "HTTP/1.1 200 OK\r\nServer: x\r\nDate: " date "\r\nContent-Length: 10\r\n\r\n"
#define DATE       "Sat, 25 Feb 2017 09:26:33 GMT"
#define LATER      "Sat, 25 Feb 2017 09:26:34 GMT"
#define WHOLE      HEAD(DATE) "0123456789"

static char why[128];

static int learn(struct answer *a, const char *text, uint32_t piece)
{
	uint32_t len = (uint32_t)strlen(text);
	int rc = 0;

	CU_ASSERT_EQUAL_FATAL(answer_init(a), 0);
	why[0] = '\0';
	for (uint32_t at = 0; at < len && rc == 0; at += piece) {
		uint32_t n = len - at < piece ? len - at : piece;

		rc = answer_learn(a, (const uint8_t *)text + at, n, why, sizeof(why));
	}
	return rc;
}

static void test_learn(void)
{
	struct answer a;

	for (uint32_t piece = 1; piece < sizeof(WHOLE); piece++) {
		CU_ASSERT_EQUAL(learn(&a, WHOLE, piece), 1);
		CU_ASSERT_EQUAL(a.total, sizeof(WHOLE) - 1);
		CU_ASSERT_EQUAL(a.status, 200);
		answer_fini(&a);
	}
}

/* Whether text, cut at every place, is taken for a right answer. */
static bool matches(const struct answer *a, const char *text)
{
	bool good = true;

	for (uint32_t cut = 0; cut <= a->total; cut++) {
		bool both = answer_matches(a, 0, (const uint8_t *)text, cut) &&
		            answer_matches(a, cut, (const uint8_t *)text + cut, a->total - cut);

		CU_ASSERT(cut == 0 || both == good);
		good = both;
	}
	return good;
}

static void test_match(void)
{
	struct answer a;

	CU_ASSERT_EQUAL(learn(&a, WHOLE, 1000), 1);
	CU_ASSERT(matches(&a, WHOLE));
	CU_ASSERT(matches(&a, HEAD(LATER) "0123456789"));
	CU_ASSERT(!matches(&a, HEAD(DATE) "0123456788"));
	CU_ASSERT(!matches(&a, HEAD(DATE) "1123456789"));
	CU_ASSERT(!matches(&a, "HTTP/1.1 404 OK\r\nServer: x\r\nDate: " DATE
	                       "\r\nContent-Length: 10\r\n\r\n0123456789"));
	answer_fini(&a);
}

/* a length that is none is not believed, whatever number it would be */
static void test_length(void)
{
	static const char *const lengths[] = {"-1",
	                                      "-42",
	                                      "",
	                                      " ",
	                                      "5x",
	                                      "0x5",
	                                      "5 5",
	                                      "99999999",
	                                      "4294967296",
	                                      "18446744073709551574",
	                                      "99999999999999999999"};
	struct answer a;
	char text[100];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
		         lengths[i]);
		CU_ASSERT_EQUAL(learn(&a, text, 1000), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, "Content-Length"));
		answer_fini(&a);
	}
}

static void test_no_date(void)
{
	struct answer a;

	CU_ASSERT_EQUAL(learn(&a, "HTTP/1.1 200 OK\r\ncontent-length:\t 2 \r\n\r\nab", 7), 1);
	CU_ASSERT(matches(&a, "HTTP/1.1 200 OK\r\ncontent-length:\t 2 \r\n\r\nab"));
	CU_ASSERT(!matches(&a, "HTTP/1.1 200 OK\r\ncontent-length:\t 2 \r\n\r\nac"));
	answer_fini(&a);
}

static void test_refused(void)
{
	static const char *const texts[] = {
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
	};
	struct answer a;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CU_ASSERT_EQUAL(learn(&a, texts[i], 9), -1);
		CU_ASSERT(why[0] != '\0');
		answer_fini(&a);
	}
}

static void test_not_http(void)
{
	static uint8_t junk[65536];
	struct answer a;

	CU_ASSERT_EQUAL_FATAL(answer_init(&a), 0);
	CU_ASSERT_EQUAL(answer_learn(&a, junk, sizeof(junk), why, sizeof(why)), -1);
	answer_fini(&a);
}

static const struct unit_case cases[] = {
    {"an answer is learnt in any pieces", test_learn},
    {"only the date may differ", test_match},
    {"a length that is none", test_length},
    {"without a date", test_no_date},
    {"what is no example", test_refused},
    {"what is not HTTP", test_not_http},
};

UNIT_MAIN("load/answer", cases)
