/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_range.h"

#include "suite.h"

static void ranges(void)
{
	static const struct {
		const char *text;
		uint64_t size;
		enum http_range result;
		uint64_t first, len;
	} rows[] = {
	    {"bytes=0-0", 10, HTTP_RANGE_PART, 0, 1},
	    {"bytes=0-9", 10, HTTP_RANGE_PART, 0, 10},
	    {"bytes=0-10", 10, HTTP_RANGE_PART, 0, 10},
	    {"bytes=5-", 10, HTTP_RANGE_PART, 5, 5},
	    {"bytes=9-", 10, HTTP_RANGE_PART, 9, 1},
	    {"bytes=-1", 10, HTTP_RANGE_PART, 9, 1},
	    {"bytes=-10", 10, HTTP_RANGE_PART, 0, 10},
	    {"bytes=-11", 10, HTTP_RANGE_PART, 0, 10},
	    {"BYTES=0-1", 10, HTTP_RANGE_PART, 0, 2},
	    {"bytes= 0-1", 10, HTTP_RANGE_PART, 0, 2},
	    {"bytes=3-99999999999999999999999", 10, HTTP_RANGE_PART, 3, 7},
	    {"bytes=-99999999999999999999999", 10, HTTP_RANGE_PART, 0, 10},
	    {"bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=10-20", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=99999999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=18446744073709551616-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0}, /* 2^64 */
	    {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=0-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
	    {"bytes=-5", 0, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=2-1", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=0-1,3-4", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=0-1,", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes 0-1", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"items=0-1", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=1", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=0-1x", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=--1", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"bytes=0x1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
	    {"", 10, HTTP_RANGE_WHOLE, 0, 0},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t first = 0, len = 0;
		enum http_range r = http_range_parse(rows[i].text, strlen(rows[i].text),
		                                     rows[i].size, &first, &len);

		CHECK_ROW(r == rows[i].result, rows[i].text);
		if (r == HTTP_RANGE_PART)
			CHECK_ROW(first == rows[i].first && len == rows[i].len, rows[i].text);
	}
}

static const struct unit_case cases[] = {{"ranges", ranges}};

UNIT_MAIN("app/http_range", cases)
