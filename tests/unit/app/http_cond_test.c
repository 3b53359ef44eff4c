/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_cond.h"

#include "suite.h"

#define MTIME  "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct http_limits limits = {2048, 256, 20};
static const struct http_validators validators = {"\"v1\"", 4, 784111777, 784111777 + 1000};

static void parse(struct http_request *r, char text[1024], const char *fields)
{
	int n = snprintf(text, 1024, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);

	http_request_init(r);
	CU_ASSERT_FATAL(http_parse(r, text, (size_t)n, &limits) == n);
}

/* RFC 9110 section 13.2.2, step by step */
static void conditions(void)
{
	static const struct {
		const char *fields;
		int status;
	} rows[] = {
	    {"", 200},
	    {"If-Match: \"v1\"\r\n", 200},
	    {"If-Match: *\r\n", 200},
	    {"If-Match: \"v0\", \"v1\"\r\n", 200},
	    {"If-Match: \"v0\"\r\nIf-Match: \"v1\"\r\n", 200},
	    {"If-Match: \"v0\"\r\n", 412},
	    {"If-Match: W/\"v1\"\r\n", 412}, /* strong comparison */
	    {"If-Match: v1\r\n", 412},
	    {"If-Match: *x\r\n", 412},
	    {"If-Match:\r\n", 412},
	    {"If-Match: \"v1\r\n", 412},
	    {"If-Unmodified-Since: " MTIME "\r\n", 200},
	    {"If-Unmodified-Since: " AFTER "\r\n", 200},
	    {"If-Unmodified-Since: " BEFORE "\r\n", 412},
	    {"If-Unmodified-Since: yesterday\r\n", 200},
	    /* If-Match goes before If-Unmodified-Since */
	    {"If-Match: \"v1\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", 200},
	    {"If-Match: \"v0\"\r\nIf-Unmodified-Since: " AFTER "\r\n", 412},
	    {"If-None-Match: \"v1\"\r\n", 304},
	    {"If-None-Match: W/\"v1\"\r\n", 304}, /* weak comparison */
	    {"If-None-Match: *\r\n", 304},
	    {"If-None-Match: \"v0\" , ,W/\"v1\"\r\n", 304},
	    {"If-None-Match: \"v0\"\r\nIf-None-Match: \"v1\"\r\n", 304},
	    {"If-None-Match: \"v0\"\r\n", 200},
	    {"If-None-Match: \"v1,\"\r\n", 200},
	    {"If-None-Match: \"x, \\\"v1\"\r\n", 200},
	    {"If-Modified-Since: " MTIME "\r\n", 304},
	    {"If-Modified-Since: " AFTER "\r\n", 304},
	    {"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 304},
	    {"If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", 304},
	    {"If-Modified-Since: " BEFORE "\r\n", 200},
	    {"If-Modified-Since: 0\r\n", 200},
	    {"If-Modified-Since: " MTIME "\r\nIf-Modified-Since: " MTIME "\r\n", 200},
	    /* If-None-Match goes before If-Modified-Since */
	    {"If-None-Match: \"v0\"\r\nIf-Modified-Since: " AFTER "\r\n", 200},
	    {"If-None-Match: \"v1\"\r\nIf-Modified-Since: " BEFORE "\r\n", 304},
	    /* both kinds */
	    {"If-Match: \"v1\"\r\nIf-None-Match: \"v1\"\r\n", 304},
	    {"If-Match: \"v0\"\r\nIf-None-Match: \"v1\"\r\n", 412},
	    {"If-Unmodified-Since: " BEFORE "\r\nIf-None-Match: \"v1\"\r\n", 412},
	};
	struct http_request r;
	char text[1024];

	for (size_t i = 0; i < ROWS(rows); i++) {
		parse(&r, text, rows[i].fields);
		CHECK_ROW(http_cond_evaluate(&r, text, &validators) == rows[i].status,
		          rows[i].fields);
	}
}

static void if_range(void)
{
	static const struct {
		const char *fields;
		bool applies;
	} rows[] = {
	    {"", true},
	    {"If-Range: \"v1\"\r\n", true},
	    {"If-Range: \"v0\"\r\n", false},
	    {"If-Range: W/\"v1\"\r\n", false},
	    {"If-Range: *\r\n", false},
	    {"If-Range: " MTIME "\r\n", true},
	    {"If-Range: " AFTER "\r\n", false}, /* exactly, not at least */
	    {"If-Range: " BEFORE "\r\n", false},
	    {"If-Range: nonsense\r\n", false},
	    {"If-Range: \"v1\"\r\nIf-Range: \"v1\"\r\n", false},
	};
	struct http_validators young = validators;
	struct http_request r;
	char text[1024];

	for (size_t i = 0; i < ROWS(rows); i++) {
		parse(&r, text, rows[i].fields);
		CHECK_ROW(http_cond_range_applies(&r, text, &validators) == rows[i].applies,
		          rows[i].fields);
	}
	/* RFC 9110 section 8.8.2.2: a date is weak while the second it names is not over */
	young.now = young.mtime;
	parse(&r, text, "If-Range: " MTIME "\r\n");
	CU_ASSERT(!http_cond_range_applies(&r, text, &young));
}

static const struct unit_case cases[] = {{"conditions", conditions}, {"If-Range", if_range}};

UNIT_MAIN("app/http_cond", cases)
