/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_chunked.h"

#include <stdlib.h>

#include "suite.h"

#define MAX_DATA 100000

struct result {
	int status;
	bool done;
	size_t used;
	uint64_t data;
};

/* Gives the first cut bytes, then the rest. */
static struct result read_cut(const char *p, size_t len, size_t cut)
{
	char *copy = malloc(len + 1);
	struct http_chunked c;
	struct result r = {0};
	size_t n = 0;

	memcpy(copy, p, len);
	http_chunked_init(&c);
	r.status = http_chunked_read(&c, copy, cut, MAX_DATA, &r.used);
	if (r.status == 0 && !http_chunked_done(&c)) {
		r.status = http_chunked_read(&c, copy + cut, len - cut, MAX_DATA, &n);
		r.used += n;
	}
	r.done = r.status == 0 && http_chunked_done(&c);
	r.data = c.data;
	free(copy);
	return r;
}

static struct result read_all(const char *p, size_t len)
{
	struct result whole = read_cut(p, len, len), r;

	for (size_t cut = 0; cut < len; cut++) {
		r = read_cut(p, len, cut);
		CHECK_ROW(r.status == whole.status && r.done == whole.done, p);
		if (whole.done)
			CHECK_ROW(r.used == whole.used && r.data == whole.data, p);
	}
	return whole;
}

static void good_bodies(void)
{
	static const struct {
		const char *text;
		size_t used; /* what follows belongs to the next request */
		uint64_t data;
	} rows[] = {
	    {"0\r\n\r\n", 5, 0},
	    {"0\r\n\r\nGET / HTTP/1.1\r\n", 5, 0},
	    {"3\r\nabc\r\n0\r\n\r\n", 13, 3},
	    {"00003\r\nabc\r\n000\r\n\r\n", 19, 3},
	    {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 35, 20},
	    {"3;a=b\r\nabc\r\n0;c\r\n\r\n", 19, 3},
	    {"3 ; a=\"b c\"\r\nabc\r\n0\r\n\r\n", 23, 3},
	    {"0\r\nA: b\r\nC:\r\n\r\n", 15, 0},
	    {"2\r\n\r\n\r\n0\r\n\r\n", 12, 2},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct result r = read_all(rows[i].text, strlen(rows[i].text));

		CHECK_ROW(r.done && r.used == rows[i].used && r.data == rows[i].data, rows[i].text);
	}
}

static void incomplete_bodies(void)
{
	static const char *const rows[] = {"",        "3",        "3\r",
	                                   "3\r\nab", "3\r\nabc", "3\r\nabc\r\n0",
	                                   "0\r\n",   "0\r\n\r",  "0\r\nA: b\r\n"};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct result r = read_all(rows[i], strlen(rows[i]));

		CHECK_ROW(r.status == 0 && !r.done && r.used == strlen(rows[i]), rows[i]);
	}
}

static void bad_bodies(void)
{
	static const struct {
		const char *text;
		size_t len;
		int status;
	} rows[] = {
#define BAD(s, status) {(s), sizeof(s) - 1, (status)}
	    BAD("\r\n", 400),
	    BAD("g\r\n", 400),
	    BAD("-1\r\n", 400),
	    BAD("+1\r\n", 400),
	    BAD("0x1\r\n", 400),
	    BAD(" 1\r\n", 400),
	    BAD(";a\r\n", 400),
	    BAD("1\n", 400),
	    BAD("1\r\r\n", 400),
	    BAD("1 1\r\n", 400),
	    BAD("1 \r\n", 400),
	    BAD("1;a\n", 400),
	    BAD("1;a\0b\r\n", 400),
	    BAD("1;a\rb\r\n", 400),
	    BAD("1;a\x7f\r\n", 400),
	    BAD("1\r\nab\r\n", 400),
	    BAD("1\r\na\n0\r\n\r\n", 400),
	    BAD("1\r\na\rX", 400),
	    BAD("0\r\n\n", 400),
	    BAD("0\r\n a: b\r\n\r\n", 400),
	    BAD("0\r\na : b\r\n\r\n", 400),
	    BAD("0\r\nab\r\n\r\n", 400),
	    BAD("0\r\na: b\n\r\n", 400),
	    BAD("0\r\na: \x01\r\n\r\n", 400),
	    BAD("0\r\n: b\r\n\r\n", 400),
	    BAD("10000000000000000\r\n", 400), /* 2^64, 17 digits */
	    BAD("FFFFFFFFFFFFFFFF\r\n", 400),  /* 16 digits */
	    BAD("0000000000000001\r\n", 400),
	    BAD("fffffffffffffff\r\n", 413),
	    BAD("186a1\r\n", 413), /* MAX_DATA + 1 */
	    BAD("1\r\na\r\n186a0\r\n", 413),
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(read_all(rows[i].text, rows[i].len).status == rows[i].status,
		          rows[i].text);
	CU_ASSERT(read_all("186a0\r\n", 7).status == 0);
}

static void overhead_is_limited(void)
{
	struct http_chunked c;
	size_t used;
	int status = 0;

	http_chunked_init(&c);
	for (int i = 0; i < 10000 && status == 0; i++)
		status = http_chunked_read(&c, "1;a=b\r\nx\r\n", 10, MAX_DATA, &used);
	CU_ASSERT(status == 431);
	http_chunked_init(&c);
	status = http_chunked_read(&c, "0\r\n", 3, MAX_DATA, &used);
	for (int i = 0; i < 10000 && status == 0; i++)
		status = http_chunked_read(&c, "a: b\r\n", 6, MAX_DATA, &used);
	CU_ASSERT(status == 431);
}

static const struct unit_case cases[] = {
    {"good bodies", good_bodies},
    {"incomplete bodies", incomplete_bodies},
    {"bad bodies", bad_bodies},
    {"overhead is limited", overhead_is_limited},
};

UNIT_MAIN("app/http_chunked", cases)
