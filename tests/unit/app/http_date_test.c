/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_date.h"

#include <stdlib.h>
#include <time.h>

#include "suite.h"

#define NOW INT64_C(1700000000) /* 14 Nov 2023 */

static void formats_like_the_example(void)
{
	char text[HTTP_DATE_LEN];

	http_date_format(784111777, text);
	CU_ASSERT(memcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_LEN) == 0);
	http_date_format(0, text);
	CU_ASSERT(memcmp(text, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_LEN) == 0);
}

/* The C library in the C locale is the reference. */
static void agrees_with_the_c_library(void)
{
	char ours[HTTP_DATE_LEN], theirs[64];
	int64_t t = -62135596800, back; /* year 1 */
	struct tm tm;

	srand(1);
	for (; t < INT64_C(253402300800); t += rand() % 5000000) {
		time_t time = (time_t)t;

		http_date_format(t, ours);
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&time, &tm));
		if (tm.tm_year + 1900 < 1000)
			continue; /* strftime does not pad these */
		CHECK_ROW(memcmp(ours, theirs, HTTP_DATE_LEN) == 0, theirs);
		CHECK_ROW(http_date_parse(ours, HTTP_DATE_LEN, NOW, &back) && back == t, theirs);
	}
}

static void three_forms(void)
{
	static const struct {
		const char *text;
		int64_t time;
	} rows[] = {
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
	    {"Sun Nov  6 08:49:37 1994", 784111777},
	    {"Sun Nov 16 08:49:37 1994", 784975777},
	    {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
	    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},  /* a leap second */
	    {"Friday, 14-Nov-73 00:00:00 GMT", 3277843200}, /* not more than 50 years ahead */
	    {"Friday, 14-Nov-74 00:00:00 GMT", 153619200},
	    {"Thursday, 01-Jan-70 00:00:01 GMT", 3155760001},
	};
	int64_t t;

	for (size_t i = 0; i < ROWS(rows); i++) {
		bool ok = http_date_parse(rows[i].text, strlen(rows[i].text), NOW, &t);

		if (ok && t != rows[i].time)
			fprintf(stderr, "%lld\n", (long long)t);
		CHECK_ROW(ok && t == rows[i].time, rows[i].text);
	}
}

static void bad_dates(void)
{
	static const char *const rows[] = {
	    "",
	    "Sun",
	    "Sun,",
	    "Sunday",
	    "Sun, 06 Nov 1994 08:49:37",
	    "Sun, 06 Nov 1994 08:49:37 UTC",
	    "Sun, 06 Nov 1994 08:49:37 GMT ",
	    "Sun, 06 Nov 1994 08:49:37 gmt",
	    "Sun, 6 Nov 1994 08:49:37 GMT",
	    "Sun, 06 nov 1994 08:49:37 GMT",
	    "Xun, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 00 Nov 1994 08:49:37 GMT",
	    "Sun, 31 Nov 1994 08:49:37 GMT",
	    "Wed, 29 Feb 2023 08:49:37 GMT",
	    "Sun, 06 Nov 1994 24:00:00 GMT",
	    "Sun, 06 Nov 1994 08:60:37 GMT",
	    "Sun, 06 Nov 1994 08:49:61 GMT",
	    "Sun, 06 Nov 94 08:49:37 GMT",
	    "Sun, 06-Nov-94 08:49:37 GMT",
	    "Sunday, 06-Nov-1994 08:49:37 GMT",
	    "Sun Nov 6 08:49:37 1994",
	    "Sun Nov  6 08:49:37 1994 GMT",
	    "1994-11-06T08:49:37Z",
	    "784111777",
	};
	int64_t t;

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(!http_date_parse(rows[i], strlen(rows[i]), NOW, &t), rows[i]);
}

static void every_prefix_is_bad(void)
{
	static const char *const rows[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
	                                   "Sunday, 06-Nov-94 08:49:37 GMT",
	                                   "Sun Nov  6 08:49:37 1994"};
	int64_t t;

	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t n = 0; n < strlen(rows[i]); n++) {
			char *copy = malloc(n + (n == 0));

			memcpy(copy, rows[i], n);
			CHECK_ROW(!http_date_parse(copy, n, NOW, &t), rows[i]);
			free(copy);
		}
	}
}

static const struct unit_case cases[] = {
    {"the example", formats_like_the_example},
    {"agrees with the C library", agrees_with_the_c_library},
    {"three forms", three_forms},
    {"bad dates", bad_dates},
    {"prefixes", every_prefix_is_bad},
};

UNIT_MAIN("app/http_date", cases)
