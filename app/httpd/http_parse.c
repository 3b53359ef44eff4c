/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Parsing request headers
 *
 * Overview: http_parse() takes complete lines one by one: the request line, the fields, the empty
 * line.  It finds the end of a line first (http_find_control(), eight bytes at a time), so every
 * later step sees a line without control characters that ends in CR LF.
 *
 * Splits: whatever is decided on an incomplete line is decided from a prefix of fixed length (the
 * method from its first 33 bytes, the request line from the longest legal one, everything from
 * header_bytes), so that the result does not depend on how many bytes happen to have arrived.
 *
 * Refusals: RFC 9112 sections 2.2 (bare CR), 3 (request line), 3.2 (Host), 5.1 (space before the
 * colon), 5.2 (obs-fold), 6.1 to 6.3 (framing), 11.2 (smuggling).  A line that ends in LF alone may
 * be accepted by section 2.2; it is refused here, because other recipients read it differently.
 */

#include "http_parse.h"

#include <string.h>

#include "http_char.h"
#include "http_target.h"

#define VERSION_LEN 8 /* "HTTP/1.1" */
#define LINE_MORE   (-1)
#define LINE_BAD    (-2)

static const struct {
	const char *name;
	uint8_t len;
} fields[HTTP_FIELD_MAX] = {
#define HTTP_FIELD_NAME(id, text) {text, sizeof(text) - 1},
    HTTP_FIELDS(HTTP_FIELD_NAME)
#undef HTTP_FIELD_NAME
};

static const struct {
	const char *name;
	uint8_t len, method;
} methods[] = {
    {"GET", 3, HTTP_GET},         {"HEAD", 4, HTTP_HEAD},     {"POST", 4, HTTP_POST},
    {"PUT", 3, HTTP_PUT},         {"DELETE", 6, HTTP_DELETE}, {"CONNECT", 7, HTTP_CONNECT},
    {"OPTIONS", 7, HTTP_OPTIONS}, {"TRACE", 5, HTTP_TRACE},   {"PATCH", 5, HTTP_PATCH},
};

void http_request_init(struct http_request *r)
{
	memset(r, 0, offsetof(struct http_request, field));
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns the offset of the CR that ends the line, LINE_MORE, or LINE_BAD for any other control. */
static int find_line_end(struct http_request *r, const char *p, size_t len)
{
	size_t i = r->scan;

	for (;;) {
		i = http_find_control(p, i, len);
		if (i == len)
			break;
		if (p[i] == '\t') {
			i++;
			continue;
		}
		if (p[i] != '\r')
			return LINE_BAD;
		if (i + 1 == len)
			break;
		return p[i + 1] == '\n' ? (int)i : LINE_BAD;
	}
	r->scan = (uint16_t)i;
	return LINE_MORE;
}

static uint8_t find_method(const char *p, size_t len)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (len == methods[i].len && memcmp(p, methods[i].name, len) == 0)
			return methods[i].method;
	return HTTP_OTHER;
}

/*
 * Reads the method once the space after it has arrived. Returns 0, or a status once it is invalid.
 */
static int parse_method(struct http_request *r, const char *p, size_t len)
{
	size_t i = r->line, end = min_size(len, i + HTTP_METHOD_LEN_MAX + 1);

	while (i < end && http_char_is(p[i], HTTP_CHAR_TOKEN))
		i++;
	if (i == len && i <= (size_t)r->line + HTTP_METHOD_LEN_MAX)
		return 0;
	if (i > (size_t)r->line + HTTP_METHOD_LEN_MAX)
		return 501;
	if (i == r->line || p[i] != ' ')
		return 400;
	r->method = find_method(p + r->line, i - r->line);
	r->target.off = (uint16_t)(i + 1);
	return 0;
}

/*
 * RFC 9112 section 2.3; RFC 9110 section 2.5: a higher minor version is treated as the highest
 * known.
 */
static int parse_version(struct http_request *r, const char *p, size_t len)
{
	if (len != VERSION_LEN || memcmp(p, "HTTP/", 5) != 0 || !http_is_digit(p[5]) ||
	    p[6] != '.' || !http_is_digit(p[7]))
		return 400;
	if (p[5] != '1')
		return 505;
	r->minor = p[7] == '0' ? 0 : 1;
	return 0;
}

/* The line ends at end. If it is not complete, it is too long, and end is where it was cut. */
static int parse_request_line(struct http_request *r, const char *p, size_t end,
                              const struct http_limits *limits)
{
	size_t i = r->target.off, stop = min_size(end, i + limits->target_bytes + 1);
	int status;

	while (i < stop && http_char_is(p[i], HTTP_CHAR_TARGET))
		i++;
	if (i > (size_t)r->target.off + limits->target_bytes)
		return 414;
	if (i == end || p[i] != ' ' || i == r->target.off)
		return 400;
	r->target.len = (uint16_t)(i - r->target.off);
	status = parse_version(r, p + i + 1, end - i - 1);
	r->request_line = (struct http_span){r->line, (uint16_t)(end - r->line)};
	return status;
}

/* Skips the empty lines that a client may send after a body (RFC 9112 section 2.2). */
static void skip_empty_lines(struct http_request *r, const char *p, size_t len)
{
	while (r->line + 2u <= len && p[r->line] == '\r' && p[r->line + 1] == '\n')
		r->line = (uint16_t)(r->line + 2);
	if (r->scan < r->line)
		r->scan = r->line;
}

/* Returns 1 if the line is done, 0 if it is incomplete, else -status. */
static int request_line(struct http_request *r, const char *p, size_t len,
                        const struct http_limits *limits)
{
	size_t longest, window;
	int end, status;

	skip_empty_lines(r, p, len);
	if (r->line == len || (r->line + 1u == len && p[r->line] == '\r'))
		return 0;
	if (r->method == HTTP_NO_METHOD) {
		status = parse_method(r, p, len);
		if (status != 0)
			return -status;
	}
	longest = r->line + HTTP_METHOD_LEN_MAX + 1u + limits->target_bytes + 1 + VERSION_LEN + 2;
	window = min_size(len, longest);
	end = find_line_end(r, p, window);
	if (end == LINE_BAD)
		return -400;
	if (end == LINE_MORE && window < longest)
		return 0;
	status = parse_request_line(r, p, end == LINE_MORE ? window : (size_t)end, limits);
	if (status != 0 || end == LINE_MORE)
		return -(status != 0 ? status : 400);
	r->line = r->scan = (uint16_t)(end + 2);
	r->in_fields = true;
	return 1;
}

/* fields[] is sorted by length, so the search takes only a few comparisons of one byte. */
static enum http_field find_field(const char *name, size_t len)
{
	static const uint8_t first[20] = {
	    [4] = HTTP_HOST,
	    [5] = HTTP_RANGE,
	    [6] = HTTP_EXPECT,
	    [7] = HTTP_REFERER,
	    [8] = HTTP_IF_MATCH,
	    [10] = HTTP_CONNECTION,
	    [13] = HTTP_IF_NONE_MATCH,
	    [14] = HTTP_CONTENT_LENGTH,
	    [17] = HTTP_TRANSFER_ENCODING,
	    [19] = HTTP_IF_UNMODIFIED_SINCE,
	};

	if (len >= sizeof(first))
		return HTTP_FIELD_MAX;
	for (unsigned f = first[len]; f < HTTP_FIELD_MAX && fields[f].len == len; f++)
		if (http_equal_nocase(name, fields[f].name, len))
			return (enum http_field)f;
	return HTTP_FIELD_MAX;
}

static int set_content_length(struct http_request *r, const char *p, size_t len)
{
	uint64_t n = 0;

	if (len == 0)
		return 400;
	for (size_t i = 0; i < len; i++) {
		if (!http_is_digit(p[i]))
			return 400;
		if (n >= UINT64_MAX / 10 - 1)
			n = UINT64_MAX;
		else
			n = n * 10 + (uint64_t)(p[i] - '0');
	}
	r->content_length = n;
	return 0;
}

/*
 * Only exactly "chunked" is supported.  RFC 9112 section 6.3: if chunked is not the last coding,
 * the length cannot be determined: 400.  Section 6.1: an unknown coding before it: 501.
 */
static int set_transfer_encoding(const char *p, size_t len)
{
	static const char chunked[] = "chunked";
	const size_t n = sizeof(chunked) - 1;
	size_t i;

	if (len < n || !http_equal_nocase(p + len - n, chunked, n))
		return 400;
	if (len == n)
		return 0;
	for (i = len - n; i > 0 && (p[i - 1] == ' ' || p[i - 1] == '\t'); i--)
		;
	if (i < 2 || p[i - 1] != ',' || !http_char_is(p[i - 2], HTTP_CHAR_TOKEN))
		return 400;
	if (i - 1 >= n && http_equal_nocase(p + i - 1 - n, chunked, n))
		return 400;
	return 501;
}

static void set_connection(struct http_request *r, const char *p, size_t len)
{
	size_t i = 0, b;

	while (i < len) {
		b = i;
		while (i < len && http_char_is(p[i], HTTP_CHAR_TOKEN))
			i++;
		if (i - b == 5 && http_equal_nocase(p + b, "close", 5))
			r->want_close = true;
		else if (i - b == 10 && http_equal_nocase(p + b, "keep-alive", 10))
			r->want_keep = true;
		if (i == b)
			i++;
	}
}

static void set_expect(struct http_request *r, const char *p, size_t len)
{
	if (len == 12 && http_equal_nocase(p, "100-continue", 12))
		r->expect_100 = true;
	else
		r->expect_other = true;
}

/* Records a field that the server uses. Returns 0 or a status. */
static int take_field(struct http_request *r, enum http_field f, const char *p, struct http_span v)
{
	const uint16_t once =
	    1 << HTTP_HOST | 1 << HTTP_CONTENT_LENGTH | 1 << HTTP_TRANSFER_ENCODING;
	const uint16_t bit = (uint16_t)(1 << f);

	if (r->seen & bit) {
		if (once & bit)
			return 400;
		r->repeated |= bit;
	} else {
		r->seen |= bit;
		r->field[f] = v;
	}
	switch (f) {
	case HTTP_HOST:
		return http_host_valid(p + v.off, v.len) ? 0 : 400;
	case HTTP_CONTENT_LENGTH:
		return set_content_length(r, p + v.off, v.len);
	case HTTP_TRANSFER_ENCODING:
		return set_transfer_encoding(p + v.off, v.len);
	case HTTP_CONNECTION:
		set_connection(r, p + v.off, v.len);
		return 0;
	case HTTP_EXPECT:
		set_expect(r, p + v.off, v.len);
		return 0;
	default:
		return 0;
	}
}

static struct http_span trim(const char *p, size_t from, size_t to)
{
	while (from < to && (p[from] == ' ' || p[from] == '\t'))
		from++;
	while (from < to && (p[to - 1] == ' ' || p[to - 1] == '\t'))
		to--;
	return (struct http_span){(uint16_t)from, (uint16_t)(to - from)};
}

/*
 * Parses the line [from,to), without controls except tabs; p[to] is its CR. Returns 0 or a status.
 */
static int parse_field(struct http_request *r, const char *p, size_t from, size_t to)
{
	size_t i = from;
	enum http_field f;

	while (http_char_is(p[i], HTTP_CHAR_TOKEN))
		i++;
	if (i == from || p[i] != ':')
		return 400;
	f = find_field(p + from, i - from);
	return f == HTTP_FIELD_MAX ? 0 : take_field(r, f, p, trim(p, i + 1, to));
}

/* Checks what can only be decided once all fields are known (RFC 9112 sections 3.2 and 6.3). */
static int finish(struct http_request *r)
{
	const bool has_length = http_has(r, HTTP_CONTENT_LENGTH);

	if (r->minor > 0 && !http_has(r, HTTP_HOST))
		return 400;
	if (http_has(r, HTTP_TRANSFER_ENCODING)) {
		if (has_length || r->minor == 0)
			return 400;
		r->body = HTTP_BODY_CHUNKED;
	} else if (has_length && r->content_length > 0) {
		r->body = HTTP_BODY_LENGTH;
	}
	return 0;
}

int http_parse(struct http_request *r, const char *p, size_t len, const struct http_limits *limits)
{
	const size_t n = min_size(len, limits->header_bytes);
	const int more = n == limits->header_bytes ? -431 : 0;
	int end, status;

	if (!r->in_fields) {
		status = request_line(r, p, n, limits);
		if (status <= 0)
			return status < 0 ? status : more;
	}
	for (;;) {
		end = find_line_end(r, p, n);
		if (end < 0)
			return end == LINE_BAD ? -400 : more;
		if (end == r->line)
			break;
		if (++r->nb_fields > limits->fields)
			return -431;
		status = parse_field(r, p, r->line, (size_t)end);
		if (status != 0)
			return -status;
		r->line = r->scan = (uint16_t)(end + 2);
	}
	status = finish(r);
	return status != 0 ? -status : end + 2;
}

bool http_next_field(const struct http_request *r, const char *p, enum http_field f, uint16_t *at,
                     struct http_span *value)
{
	size_t i = *at, end, name;

	if (i == 0)
		i = r->request_line.off + r->request_line.len + 2u;
	for (; p[i] != '\r'; i = end + 2) {
		for (end = i; p[end] != '\r'; end++)
			;
		for (name = i; p[name] != ':'; name++)
			;
		if (find_field(p + i, name - i) != f)
			continue;
		*value = trim(p, name + 1, end);
		*at = (uint16_t)(end + 2);
		return true;
	}
	return false;
}
