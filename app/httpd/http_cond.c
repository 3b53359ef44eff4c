/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_cond.h"

#include <string.h>

#include "http_date.h"

/* RFC 9110 section 8.8.2.2: Last-Modified is strong once another change would have altered it. */
#define STRONG_DATE_AGE 1

/* Skips etagc (RFC 9110 section 8.8.3). The parser has already rejected control characters. */
static size_t tag_end(const char *p, size_t i, size_t len)
{
	for (i++; i < len && p[i] != '"'; i++)
		;
	return i;
}

/* Whether one value, "*" or a list of entity tags, names the validators' tag. */
static bool list_matches(const char *p, size_t len, const struct http_validators *v, bool strong)
{
	size_t i = 0, end;
	bool weak;

	if (len == 1 && p[0] == '*')
		return true;
	while (i < len) {
		if (p[i] == ',' || p[i] == ' ' || p[i] == '\t') {
			i++;
			continue;
		}
		weak = i + 1 < len && p[i] == 'W' && p[i + 1] == '/';
		if (weak)
			i += 2;
		if (i == len || p[i] != '"')
			return false;
		end = tag_end(p, i, len);
		if (end == len)
			return false;
		if (end + 1 - i == v->etag_len && memcmp(p + i, v->etag, v->etag_len) == 0 &&
		    !(weak && strong))
			return true;
		i = end + 1;
	}
	return false;
}

static bool field_matches(const struct http_request *r, const char *p, enum http_field f,
                          const struct http_validators *v, bool strong)
{
	struct http_span s = r->field[f];
	uint16_t at = 0;

	if (!(r->repeated >> f & 1))
		return list_matches(p + s.off, s.len, v, strong);
	while (http_next_field(r, p, f, &at, &s))
		if (list_matches(p + s.off, s.len, v, strong))
			return true;
	return false;
}

static bool get_date(const struct http_request *r, const char *p, enum http_field f, int64_t now,
                     int64_t *date)
{
	const struct http_span s = r->field[f];

	return http_has(r, f) && !(r->repeated >> f & 1) &&
	       http_date_parse(p + s.off, s.len, now, date);
}

int http_cond_evaluate(const struct http_request *r, const char *p, const struct http_validators *v)
{
	int64_t date;

	if (http_has(r, HTTP_IF_MATCH)) {
		if (!field_matches(r, p, HTTP_IF_MATCH, v, true))
			return 412;
	} else if (get_date(r, p, HTTP_IF_UNMODIFIED_SINCE, v->now, &date) && v->mtime > date) {
		return 412;
	}
	if (http_has(r, HTTP_IF_NONE_MATCH))
		return field_matches(r, p, HTTP_IF_NONE_MATCH, v, false) ? 304 : 200;
	if (get_date(r, p, HTTP_IF_MODIFIED_SINCE, v->now, &date) && v->mtime <= date)
		return 304;
	return 200;
}

bool http_cond_range_applies(const struct http_request *r, const char *p,
                             const struct http_validators *v)
{
	const struct http_span s = r->field[HTTP_IF_RANGE];
	int64_t date;

	if (!http_has(r, HTTP_IF_RANGE))
		return true;
	if (r->repeated >> HTTP_IF_RANGE & 1)
		return false;
	if (s.len == v->etag_len && memcmp(p + s.off, v->etag, v->etag_len) == 0)
		return true;
	return http_date_parse(p + s.off, s.len, v->now, &date) && date == v->mtime &&
	       v->now - v->mtime >= STRONG_DATE_AGE;
}
