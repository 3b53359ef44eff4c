/* SPDX-License-Identifier: BSD-2-Clause */
#include "memo.h"

#include "suite.h"

#define HOST "Host: a\r\n"

static const struct http_limits limits = {2048, 512, 20};

/* Parses a request and keeps it. Returns its length. */
static size_t keep(struct memo *m, const char *text)
{
	struct http_request r;
	int n;

	http_request_init(&r);
	n = http_parse(&r, text, strlen(text), &limits);
	CU_ASSERT_FATAL(n > 0);
	memo_keep(m, &r, text, (size_t)n);
	return (size_t)n;
}

static void finds_the_same_bytes(void)
{
	static const char get[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
	struct memo m = {0};
	size_t n;

	CU_ASSERT_EQUAL(memo_find(&m, get, sizeof(get) - 1), 0);
	n = keep(&m, get);
	CU_ASSERT_EQUAL(n, sizeof(get) - 1);
	CU_ASSERT_EQUAL(memo_find(&m, get, n), n);
	CU_ASSERT_EQUAL(memo_find(&m, get, n - 1), 0); /* not complete yet */
	CU_ASSERT_EQUAL(memo_find(&m, "GET /b HTTP/1.1\r\n" HOST "\r\n", n), 0);
	CU_ASSERT_EQUAL(memo_find(&m, "GET /a HTTP/1.1\r\n" HOST "X: y\r\n\r\n", n + 6), 0);
	/* what follows is another request */
	CU_ASSERT_EQUAL(memo_find(&m, "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n", n + 17),
	                n);
	CU_ASSERT_EQUAL(m.request.target.len, 2);
	CU_ASSERT_EQUAL(m.request.method, HTTP_GET);
}

static void keeps_only_what_is_short_and_whole(void)
{
	char text[512] = "GET /a HTTP/1.1\r\n" HOST "X: ";
	struct memo m = {0};

	keep(&m, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	memset(text + strlen(text), 'x', MEMO_BYTES);
	strcat(text, "\r\n\r\n");
	keep(&m, text);
	CU_ASSERT_EQUAL(m.len, 0);
	keep(&m, "GET /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n");
	CU_ASSERT_EQUAL(m.len, 0);
}

static void keeps_answers_that_are_files(void)
{
	struct file f = {0};
	struct answer a = {.status = 200, .file = &f, .len = 7};
	struct memo m = {0};

	memo_keep_answer(&m, &a);
	CU_ASSERT_FALSE(memo_has_answer(&m)); /* to which request? */
	keep(&m, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	a.status = 404;
	memo_keep_answer(&m, &a);
	CU_ASSERT_FALSE(memo_has_answer(&m));
	a.status = 200;
	memo_keep_answer(&m, &a);
	CU_ASSERT(memo_has_answer(&m));
	CU_ASSERT(m.answer.file == &f && m.answer.len == 7);
	file_break(&f);
	CU_ASSERT_FALSE(memo_has_answer(&m));
	f.broken = false;
	memo_forget_answer(&m);
	CU_ASSERT_FALSE(memo_has_answer(&m));
	memo_keep_answer(&m, &a);
	keep(&m, "GET /b HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT_FALSE(memo_has_answer(&m)); /* that was another request's */
}

/* a response is ready for one second, one request and one table of files */
static void is_ready_while_nothing_has_changed(void)
{
	struct file f = {0};
	const struct answer a = {.status = 200, .file = &f, .len = 7};
	static struct memo m;

	keep(&m, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	memo_keep_answer(&m, &a);
	CU_ASSERT_FALSE(memo_is_ready(&m, 1));
	m.ready.len = 10;
	m.ready.now = 1;
	CU_ASSERT(memo_is_ready(&m, 1));
	CU_ASSERT_FALSE(memo_is_ready(&m, 2));
	file_break(&f);
	CU_ASSERT_FALSE(memo_is_ready(&m, 1));
	f.broken = false;
	memo_forget_answer(&m);
	CU_ASSERT_FALSE(memo_is_ready(&m, 1));
	memo_keep_answer(&m, &a); /* the file by that name may be another one now */
	CU_ASSERT_FALSE(memo_is_ready(&m, 1));
	m.ready.len = 10;
	keep(&m, "GET /b HTTP/1.1\r\n" HOST "\r\n");
	memo_keep_answer(&m, &a);
	CU_ASSERT_FALSE(memo_is_ready(&m, 1));
}

/* the answer to a condition or a range depends on more than the file */
static void keeps_no_conditional_answers(void)
{
	static const char *const fields[] = {
	    "Range: bytes=0-1",
	    "If-None-Match: \"x\"",
	    "If-Match: \"x\"",
	    "If-Modified-Since: Sat, 25 Feb 2017 09:26:33 GMT",
	    "If-Unmodified-Since: Sat, 25 Feb 2017 09:26:33 GMT",
	};
	struct file f = {0};
	const struct answer a = {.status = 200, .file = &f, .len = 7};

	for (size_t i = 0; i < ROWS(fields); i++) {
		struct memo m = {0};
		char text[256];

		snprintf(text, sizeof(text), "GET /a HTTP/1.1\r\n" HOST "%s\r\n\r\n", fields[i]);
		keep(&m, text);
		memo_keep_answer(&m, &a);
		CHECK_ROW(!memo_has_answer(&m), fields[i]);
	}
}

static const struct unit_case cases[] = {
    {"finds the same bytes", finds_the_same_bytes},
    {"keeps only what is short and whole", keeps_only_what_is_short_and_whole},
    {"keeps answers that are files", keeps_answers_that_are_files},
    {"is ready while nothing has changed", is_ready_while_nothing_has_changed},
    {"keeps no conditional answers", keeps_no_conditional_answers},
};

UNIT_MAIN("app/memo", cases)
