/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Requests, good and bad, each given whole, cut in two at every place, and byte by byte: the result is
 * always the same.
 */

#include "http_parse.h"

#include <stdlib.h>

#include "suite.h"

static const struct http_limits limits = {.header_bytes = 1024, .target_bytes = 256, .fields = 12};

struct text {
	const char *p;
	size_t len;
};

#define TEXT(s)                    \
	{                          \
		(s), sizeof(s) - 1 \
	}
#define HOST "Host: a\r\n"

/* Gives the first n bytes in exactly sized memory, so that a read beyond them is found. */
static int parse_prefix(struct http_request *r, struct text t, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);
	int result;

	memcpy(copy, t.p, n);
	result = http_parse(r, copy, n, &limits);
	free(copy);
	return result;
}

static int parse_whole(struct http_request *r, struct text t)
{
	http_request_init(r);
	return parse_prefix(r, t, t.len);
}

static bool same(const struct http_request *a, const struct http_request *b)
{
	if (a->method != b->method || a->minor != b->minor || a->body != b->body ||
	    a->want_close != b->want_close || a->want_keep != b->want_keep ||
	    a->expect_100 != b->expect_100 || a->expect_other != b->expect_other ||
	    a->seen != b->seen || a->repeated != b->repeated ||
	    a->content_length != b->content_length || a->nb_fields != b->nb_fields)
		return false;
	for (unsigned f = 0; f < HTTP_FIELD_MAX; f++)
		if (http_has(a, f) &&
		    (a->field[f].off != b->field[f].off || a->field[f].len != b->field[f].len))
			return false;
	return a->target.off == b->target.off && a->target.len == b->target.len;
}

/* Parses t whole and with every cut; returns the result, which must be the same for all. */
static int parse(struct http_request *r, struct text t)
{
	const int whole = parse_whole(r, t);
	struct http_request cut, bytes;
	int result = 0;

	for (size_t n = 0; n < t.len; n++) {
		http_request_init(&cut);
		result = parse_prefix(&cut, t, n);
		if (result == 0)
			result = parse_prefix(&cut, t, t.len);
		CHECK_ROW(result == whole, t.p);
		if (whole > 0)
			CHECK_ROW(same(r, &cut), t.p);
	}
	http_request_init(&bytes);
	result = 0;
	for (size_t n = 0; n <= t.len && result == 0; n++)
		result = parse_prefix(&bytes, t, n);
	CHECK_ROW(result == whole, t.p);
	if (whole > 0)
		CHECK_ROW(same(r, &bytes), t.p);
	return whole;
}

static bool span_is(struct text t, struct http_span s, const char *wanted)
{
	return s.len == strlen(wanted) && memcmp(t.p + s.off, wanted, s.len) == 0;
}

static void good_requests(void)
{
	static const struct {
		struct text t;
		enum http_method method;
		int minor;
		const char *target;
		enum http_body body;
		bool keep;
	} rows[] = {
	    {TEXT("GET / HTTP/1.1\r\n" HOST "\r\n"), HTTP_GET, 1, "/", HTTP_BODY_NONE, true},
	    {TEXT("HEAD /x HTTP/1.1\r\n" HOST "\r\n"), HTTP_HEAD, 1, "/x", HTTP_BODY_NONE, true},
	    {TEXT("GET / HTTP/1.0\r\n\r\n"), HTTP_GET, 0, "/", HTTP_BODY_NONE, false},
	    {TEXT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), HTTP_GET, 0, "/",
	     HTTP_BODY_NONE, true},
	    {TEXT("GET / HTTP/1.0\r\nConnection: keep-alives\r\n\r\n"), HTTP_GET, 0, "/",
	     HTTP_BODY_NONE, false},
	    {TEXT("GET / HTTP/1.1\r\n" HOST "Connection: a, Close ,b\r\n\r\n"), HTTP_GET, 1, "/",
	     HTTP_BODY_NONE, false},
	    {TEXT("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n"), HTTP_GET, 1, "/",
	     HTTP_BODY_NONE, true},
	    {TEXT("GET / HTTP/1.1\r\n" HOST "Connection: x\r\nconnection:close\r\n\r\n"), HTTP_GET,
	     1, "/", HTTP_BODY_NONE, false},
	    /* RFC 9112 section 2.2: empty lines before the request line */
	    {TEXT("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), HTTP_GET, 1, "/", HTTP_BODY_NONE,
	     true},
	    /* RFC 9110 section 2.5: a higher minor version */
	    {TEXT("GET / HTTP/1.9\r\n" HOST "\r\n"), HTTP_GET, 1, "/", HTTP_BODY_NONE, true},
	    {TEXT("GET http://a/b?c HTTP/1.1\r\n" HOST "\r\n"), HTTP_GET, 1, "http://a/b?c",
	     HTTP_BODY_NONE, true},
	    {TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"), HTTP_POST, 1, "/",
	     HTTP_BODY_LENGTH, true},
	    {TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), HTTP_POST, 1, "/",
	     HTTP_BODY_NONE, true},
	    {TEXT("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: \tChunked \r\n\r\n"), HTTP_PUT, 1,
	     "/", HTTP_BODY_CHUNKED, true},
	    {TEXT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), HTTP_OPTIONS, 1, "*", HTTP_BODY_NONE,
	     true},
	    {TEXT("get / HTTP/1.1\r\n" HOST "\r\n"), HTTP_OTHER, 1, "/", HTTP_BODY_NONE, true},
	    {TEXT("M-SEARCH / HTTP/1.1\r\n" HOST "\r\n"), HTTP_OTHER, 1, "/", HTTP_BODY_NONE, true},
	    {TEXT("GET / HTTP/1.1\r\nhOsT:[::1]:80\r\nX:\r\nY: a\tb \xc3\xa9\r\n\r\n"), HTTP_GET, 1,
	     "/", HTTP_BODY_NONE, true},
	    /* RFC 9110 section 5.6.2: tchar */
	    {TEXT("GET / HTTP/1.1\r\n" HOST "!#$%&'*+-.^_`|~: \r\n\r\n"), HTTP_GET, 1, "/",
	     HTTP_BODY_NONE, true},
	    {TEXT("GET /|{}\"\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"), HTTP_GET, 1, "/|{}\"\xc3\xa9",
	     HTTP_BODY_NONE, true},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *end = strstr(rows[i].t.p + 4, "\r\n\r\n");
		struct http_request r;
		int n = parse(&r, rows[i].t);

		CHECK_ROW(n == end + 4 - rows[i].t.p, rows[i].t.p);
		CHECK_ROW(r.method == rows[i].method && r.minor == rows[i].minor, rows[i].t.p);
		CHECK_ROW(span_is(rows[i].t, r.target, rows[i].target), rows[i].t.p);
		CHECK_ROW(r.body == rows[i].body, rows[i].t.p);
		CHECK_ROW(http_keep_alive(&r) == rows[i].keep, rows[i].t.p);
	}
}

static void fields_are_found(void)
{
	static const struct text t = TEXT("GET / HTTP/1.1\r\nHost:a.b:8080\r\nRANGE: bytes=0-1 \r\n"
	                                  "If-None-Match: \"a\"\r\nIF-NONE-MATCH:\"b\"\r\n"
	                                  "if-range:\tx\r\nUser-Agent: u\r\nReferer: r\r\n"
	                                  "If-None-Matches: no\r\nExpect: 100-Continue\r\n\r\n");
	struct http_request r;
	struct http_span v;
	uint16_t at = 0;

	CU_ASSERT(parse(&r, t) == (int)t.len);
	CU_ASSERT(span_is(t, r.field[HTTP_HOST], "a.b:8080"));
	CU_ASSERT(span_is(t, r.field[HTTP_RANGE], "bytes=0-1"));
	CU_ASSERT(span_is(t, r.field[HTTP_IF_RANGE], "x"));
	CU_ASSERT(span_is(t, r.field[HTTP_USER_AGENT], "u"));
	CU_ASSERT(span_is(t, r.field[HTTP_REFERER], "r"));
	CU_ASSERT(span_is(t, r.request_line, "GET / HTTP/1.1"));
	CU_ASSERT(r.expect_100 && !r.expect_other);
	CU_ASSERT(r.repeated == 1 << HTTP_IF_NONE_MATCH);
	CU_ASSERT(http_next_field(&r, t.p, HTTP_IF_NONE_MATCH, &at, &v) && span_is(t, v, "\"a\""));
	CU_ASSERT(http_next_field(&r, t.p, HTTP_IF_NONE_MATCH, &at, &v) && span_is(t, v, "\"b\""));
	CU_ASSERT(!http_next_field(&r, t.p, HTTP_IF_NONE_MATCH, &at, &v));
	CU_ASSERT(!http_has(&r, HTTP_IF_MATCH));
}

/* RFC 9110 section 10.1.1: one expectation is known, whatever else begins like it */
static void expectations(void)
{
	static const struct text t =
	    TEXT("GET / HTTP/1.1\r\n" HOST "Expect: 100-continued\r\n\r\n");
	struct http_request r;

	CU_ASSERT(parse(&r, t) == (int)t.len);
	CU_ASSERT(!r.expect_100 && r.expect_other);
}

struct bad {
	struct text t;
	int status;
};

static void check_bad(const struct bad *rows, size_t n)
{
	struct http_request r;

	for (size_t i = 0; i < n; i++) {
		int result = parse(&r, rows[i].t);

		if (result != -rows[i].status)
			fprintf(stderr, "got %d, not %d\n", result, -rows[i].status);
		CHECK_ROW(result == -rows[i].status, rows[i].t.p);
	}
}

#define CHECK_BAD(rows) check_bad(rows, ROWS(rows))

static void bad_request_lines(void)
{
	static const struct bad rows[] = {
	    {TEXT("GET /\r\n\r\n"), 400}, /* HTTP/0.9 */
	    {TEXT("GET\r\n"), 400},
	    {TEXT(" GET / HTTP/1.1\r\n"), 400},
	    {TEXT(" / HTTP/1.1\r\n"), 400},
	    {TEXT("GET  HTTP/1.1\r\n"), 400},
	    {TEXT("GET  / HTTP/1.1\r\n"), 400},
	    {TEXT("GET /  HTTP/1.1\r\n"), 400},
	    {TEXT("GET / HTTP/1.1 \r\n"), 400},
	    {TEXT("GET\t/ HTTP/1.1\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\r\n"), 400},
	    {TEXT("\nGET / HTTP/1.1\r\n"), 400},
	    {TEXT("\rGET / HTTP/1.1\r\n"), 400},
	    {TEXT("GET / http/1.1\r\n"), 400},
	    {TEXT("GET / HTTP/1\r\n"), 400},
	    {TEXT("GET / HTTP/11\r\n"), 400},
	    {TEXT("GET / HTTP/1x1\r\n"), 400},
	    {TEXT("GET / HTTP/1.11\r\n"), 400},
	    {TEXT("GET / HTTP/+1.1\r\n"), 400},
	    {TEXT("GET / HTTP/2.0\r\n"), 505},
	    {TEXT("GET / HTTP/0.9\r\n"), 505},
	    {TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
	    {TEXT("GET /a b HTTP/1.1\r\n"), 400},
	    {TEXT("GET /a#b HTTP/1.1\r\n"), 400},
	    {TEXT("GET /a\0b HTTP/1.1\r\n"), 400},
	    {TEXT("GET /\x7f HTTP/1.1\r\n"), 400},
	    {TEXT("G(T / HTTP/1.1\r\n"), 400},
	    {TEXT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400}, /* TLS */
	    {TEXT("\x80"), 400},
	    {TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF0 / HTTP/1.1\r\n"), 501},
	};

	CHECK_BAD(rows);
}

/* RFC 9112 sections 2.2, 5, 6 and 11.2: what lets two recipients disagree about a request's end. */
static void smuggling(void)
{
	static const struct bad rows[] = {
#define POST "POST / HTTP/1.1\r\n" HOST
	    {TEXT(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3, 3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: +3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: -3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 0x3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3 3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3;\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length:\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length : 3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length\t: 3\r\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3\n\r\n"), 400},
	    {TEXT(POST "Content-Length: 3\r\r\n\r\n"), 400},
	    {TEXT(POST "X: a\rTransfer-Encoding: chunked\r\n\r\n"), 400},
	    {TEXT(POST "X: a\nTransfer-Encoding: chunked\r\n\r\n"), 400},
	    {TEXT(POST "X: a\0b\r\n\r\n"), 400},
	    {TEXT(POST "X: a\x01\r\n\r\n"), 400},
	    {TEXT(POST "X: 01234567890123456789\x1f:\r\n\r\n"), 400},
	    {TEXT(POST "X: a\x7f\r\n\r\n"), 400},
	    {TEXT(POST "X: a\r\n b\r\n\r\n"), 400}, /* obs-fold */
	    {TEXT(POST "X: a\r\n\tb\r\n\r\n"), 400},
	    {TEXT(POST "X: a\r\n \r\n\r\n"), 400},
	    {TEXT("POST / HTTP/1.1\r\n Host: a\r\n\r\n"), 400}, /* space before the first field */
	    {TEXT(POST ": a\r\n\r\n"), 400},
	    {TEXT(POST "X\r\n\r\n"), 400},
	    {TEXT(POST "X y: a\r\n\r\n"), 400},
	    {TEXT(POST "X\0: a\r\n\r\n"), 400},
	    {TEXT(POST "X(: a\r\n\r\n"), 400},
	    {TEXT(POST "X;: a\r\n\r\n"), 400},
	    {TEXT(POST "\xc3\xa9: a\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: \x0b"
	               "chunked\r\n\r\n"),
	     400},
	    {TEXT(POST "Transfer-Encoding : chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding:\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: identity\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: gzip\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: xchunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: x chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked;a=b\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: ,chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: ,,chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked,\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n"), 400},
	    {TEXT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
	    {TEXT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
	    {TEXT(POST "\n"), 400},
	    {TEXT(POST "\r\r\n"), 400},
	};

	CHECK_BAD(rows);
}

/* RFC 9112 section 3.2 */
static void host_rules(void)
{
	static const struct bad rows[] = {
	    {TEXT("GET / HTTP/1.1\r\n\r\n"), 400},
	    {TEXT("GET http://a/ HTTP/1.1\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n"), 400},
	    {TEXT("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), 400},
	};

	CHECK_BAD(rows);
}

/* prefix, then a's up to total bytes, then suffix */
static struct text long_text(const char *prefix, size_t total, const char *suffix)
{
	const size_t before = strlen(prefix), after = strlen(suffix);
	char *p = malloc(total + after + 1);

	memcpy(p, prefix, before);
	memset(p + before, 'a', total - before);
	memcpy(p + total, suffix, after + 1);
	return (struct text){p, total + after};
}

static void check_long(const char *prefix, size_t total, const char *suffix, int wanted)
{
	struct text t = long_text(prefix, total, suffix);
	struct http_request r;
	int result = parse(&r, t);

	if (result != wanted)
		fprintf(stderr, "%s + %zu: %d, not %d\n", prefix, total, result, wanted);
	CU_ASSERT(result == wanted);
	free((void *)(uintptr_t)t.p);
}

static void limits_are_kept(void)
{
	const char *rest = " HTTP/1.1\r\n" HOST "\r\n";
	const int rest_len = (int)strlen(rest);

	/* the target: from offset 4, 256 bytes */
	check_long("GET /", 4 + 256, rest, 4 + 256 + rest_len);
	check_long("GET /", 4 + 257, rest, -414);
	check_long("GET /", 3000, rest, -414);
	/* the method */
	check_long("", 32, " / HTTP/1.1\r\n" HOST "\r\n", 32 + 2 + rest_len);
	check_long("", 33, " / HTTP/1.1\r\n" HOST "\r\n", -501);
	check_long("", 3000, " / HTTP/1.1\r\n" HOST "\r\n", -501);
	/* all of it: 1024 bytes */
	check_long("GET / HTTP/1.1\r\n" HOST "X: ", 1020, "\r\n\r\n", 1024);
	check_long("GET / HTTP/1.1\r\n" HOST "X: ", 1021, "\r\n\r\n", -431);
	check_long("GET / HTTP/1.1\r\n" HOST "X: ", 3000, "\r\n\r\n", -431);
	check_long("GET / HTTP/1.1\r\n" HOST "X", 3000, ": \r\n\r\n", -431);
}

static void field_count_is_limited(void)
{
	struct http_request r;
	char text[512] = "GET / HTTP/1.1\r\n" HOST;

	for (unsigned n = 1; n < 15; n++) {
		char whole[600];
		int len = snprintf(whole, sizeof(whole), "%s\r\n", text);
		int result = parse(&r, (struct text){whole, (size_t)len});

		CU_ASSERT(result == (n <= limits.fields ? len : -431));
		strcat(text, "X: y\r\n");
	}
}

static void empty_lines_do_not_last_for_ever(void)
{
	struct http_request r;
	char text[2048];

	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\r\n", 2);
	CU_ASSERT(parse(&r, (struct text){text, sizeof(text)}) == -431);
}

static void numbers_that_do_not_fit(void)
{
	static const struct text t =
	    TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n");
	static const struct text zeros =
	    TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 000000000000000000000007\r\n\r\n");
	struct http_request r;

	CU_ASSERT(parse(&r, t) == (int)t.len);
	CU_ASSERT(r.content_length == UINT64_MAX);
	CU_ASSERT(parse(&r, zeros) == (int)zeros.len);
	CU_ASSERT(r.content_length == 7);
}

/* Whatever the bytes, nothing outside them is read, and cuts change nothing. */
static void random_damage(void)
{
	static const struct text base = TEXT("GET /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	                                     "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n");
	static const char bytes[] = "\r\n\t :\0aZ9,%/\x7f\x80";
	struct http_request r;
	char text[128];

	srand(1);
	for (int round = 0; round < 3000; round++) {
		memcpy(text, base.p, base.len);
		for (int i = rand() % 3; i >= 0; i--)
			text[(size_t)rand() % base.len] =
			    bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		parse(&r, (struct text){text, base.len});
	}
}

static const struct unit_case cases[] = {
    {"good requests", good_requests},
    {"fields are found", fields_are_found},
    {"expectations", expectations},
    {"bad request lines", bad_request_lines},
    {"smuggling", smuggling},
    {"Host", host_rules},
    {"limits are kept", limits_are_kept},
    {"the number of fields is limited", field_count_is_limited},
    {"empty lines", empty_lines_do_not_last_for_ever},
    {"numbers that do not fit", numbers_that_do_not_fit},
    {"random damage", random_damage},
};

UNIT_MAIN("app/http_parse", cases)
