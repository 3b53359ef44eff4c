/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP parsers of percore-httpd. The first byte says how the rest is split: a header or a
 * chunked body must get the same verdict whole and in pieces.
 */
#include <string.h>

#include "fuzz.h"
#include "http_chunked.h"
#include "http_cond.h"
#include "http_date.h"
#include "http_parse.h"
#include "http_range.h"
#include "http_target.h"

static const struct http_limits limits = {.header_bytes = 2048, .target_bytes = 1024, .fields = 32};

static void check_span(struct http_span s, int header)
{
	fuzz_check(s.off + s.len <= header);
}

static void judge_target(const char *p, size_t len)
{
	struct http_target t;
	char buf[2048];
	const char *out;
	size_t n;

	if (http_target_split(p, len, &t) != 0)
		return;
	fuzz_check(t.path_len > 0 && t.path[0] == '/' && t.path + t.path_len <= p + len);
	if (t.query != NULL)
		fuzz_check(t.query + t.query_len <= p + len);
	if (http_path_normalise(t.path, t.path_len, buf, &out, &n) != 0)
		return;
	fuzz_check(n > 0 && n <= t.path_len && out[0] == '/');
	/* never above the root, however it was encoded */
	for (size_t i = 0; i + 1 < n; i++)
		fuzz_check(!(out[i] == '/' && out[i + 1] == '.' &&
		             (i + 2 == n || out[i + 2] == '/' ||
		              (out[i + 2] == '.' && (i + 3 == n || out[i + 3] == '/')))));
	fuzz_check(memchr(out, '\0', n) == NULL);
}

static void judge_header(const struct http_request *r, const char *p, int header)
{
	const struct http_validators v = {
	    .etag = "\"5f-6\"", .etag_len = 6, .mtime = 784111777, .now = 1700000000};
	struct http_span s;
	uint64_t first = 0, part = 0;
	uint16_t at = 0;
	int status;

	check_span(r->request_line, header);
	check_span(r->target, header);
	for (enum http_field f = 0; f < HTTP_FIELD_MAX; f++)
		if (http_has(r, f))
			check_span(r->field[f], header);
	while (http_next_field(r, p, HTTP_IF_NONE_MATCH, &at, &s))
		check_span(s, header);
	status = http_cond_evaluate(r, p, &v);
	fuzz_check(status == 200 || status == 304 || status == 412);
	(void)http_cond_range_applies(r, p, &v);
	s = r->field[HTTP_RANGE];
	if (http_has(r, HTTP_RANGE) &&
	    http_range_parse(p + s.off, s.len, 1000, &first, &part) == HTTP_RANGE_PART)
		fuzz_check(part > 0 && first < 1000 && first + part <= 1000);
	judge_target(p + r->target.off, r->target.len);
}

static int parse_in_pieces(struct http_request *r, const char *p, size_t len, size_t step)
{
	int n = 0;

	http_request_init(r);
	for (size_t have = 0; n == 0 && have < len;) {
		char *copy;

		have = have + step < len ? have + step : len;
		copy = malloc(have); /* at a new address in each call, and exactly as long */
		fuzz_check(copy != NULL);
		memcpy(copy, p, have);
		n = http_parse(r, copy, have, &limits);
		free(copy);
	}
	return n;
}

static void try_header(const char *p, size_t len, size_t step)
{
	struct http_request whole, cut;
	int n, m;

	http_request_init(&whole);
	n = len == 0 ? 0 : http_parse(&whole, p, len, &limits);
	m = parse_in_pieces(&cut, p, len, step);
	fuzz_check(n == m);
	fuzz_check(n <= limits.header_bytes && n <= (int)len);
	if (n > 0) {
		fuzz_check(whole.body == cut.body && whole.content_length == cut.content_length);
		judge_header(&whole, p, n);
	} else if (n < 0) {
		fuzz_check(n == -400 || n == -414 || n == -431 || n == -501 || n == -505);
	}
}

static void try_chunked(const char *p, size_t len, size_t step)
{
	struct http_chunked whole, cut;
	size_t used = 0, used_cut = 0, n = 0;
	int rc, rc_cut = 0;

	http_chunked_init(&whole);
	http_chunked_init(&cut);
	rc = http_chunked_read(&whole, p, len, 100000, &used);
	while (rc_cut == 0 && used_cut < len && !http_chunked_done(&cut)) {
		size_t piece = len - used_cut < step ? len - used_cut : step;

		rc_cut = http_chunked_read(&cut, p + used_cut, piece, 100000, &n);
		fuzz_check(n <= piece);
		used_cut += n;
	}
	fuzz_check(rc == rc_cut && used <= len);
	if (rc == 0)
		fuzz_check(used == used_cut &&
		           http_chunked_done(&whole) == http_chunked_done(&cut) &&
		           whole.data == cut.data);
}

static void try_date(const char *p, size_t len, size_t step)
{
	char again[HTTP_DATE_LEN];
	int64_t t = 0, u = 0;

	(void)step;
	if (!http_date_parse(p, len, 1700000000, &t))
		return;
	http_date_format(t, again);
	fuzz_check(http_date_parse(again, sizeof(again), 1700000000, &u) && u == t);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const char *p, size_t len,
	                               size_t step) = {try_header, try_chunked, try_date};

	if (size > 1)
		targets[data[0] % 3]((const char *)data + 1, size - 1, 1 + data[0] / 3u);
	return 0;
}
