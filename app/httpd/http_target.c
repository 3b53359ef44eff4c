/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_target.h"

#include <string.h>

#include "http_char.h"

/*
 * Skips an IP-literal in brackets: hexadecimal digits, colons, dots; for IPvFuture, all it allows.
 */
static size_t skip_ip_literal(const char *p, size_t len)
{
	size_t i = 1;

	while (i < len && (http_char_is(p[i], HTTP_CHAR_HOST) || p[i] == ':') && p[i] != '%')
		i++;
	return i > 1 && i < len && p[i] == ']' ? i + 1 : 0;
}

static size_t skip_reg_name(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && http_char_is(p[i], HTTP_CHAR_HOST)) {
		if (p[i] == '%' &&
		    (i + 2 >= len || http_hex_value(p[i + 1]) < 0 || http_hex_value(p[i + 2]) < 0))
			return 0;
		i++;
	}
	return i;
}

bool http_host_valid(const char *p, size_t len)
{
	size_t i = len > 0 && p[0] == '[' ? skip_ip_literal(p, len) : skip_reg_name(p, len);

	if (i == 0)
		return false;
	if (i == len)
		return true;
	if (p[i++] != ':' || len - i > 5)
		return false;
	for (; i < len; i++)
		if (!http_is_digit(p[i]))
			return false;
	return true;
}

static size_t scheme_len(const char *p, size_t len)
{
	if (len >= 7 && http_equal_nocase(p, "http", 4) && memcmp(p + 4, "://", 3) == 0)
		return 7;
	if (len >= 8 && http_equal_nocase(p, "https", 5) && memcmp(p + 5, "://", 3) == 0)
		return 8;
	return 0;
}

/* Moves *p past scheme and authority of an absolute-form target. Returns 0 or 400. */
static int skip_authority(const char **p, size_t *len)
{
	size_t n = scheme_len(*p, *len), end = n;

	if (n == 0)
		return 400;
	while (end < *len && (*p)[end] != '/' && (*p)[end] != '?')
		end++;
	if (!http_host_valid(*p + n, end - n))
		return 400;
	*p += end;
	*len -= end;
	return 0;
}

int http_target_split(const char *p, size_t len, struct http_target *t)
{
	const char *mark;

	if (len == 0 || (p[0] != '/' && skip_authority(&p, &len) != 0))
		return 400;
	mark = memchr(p, '?', len);
	t->path = p;
	t->path_len = mark != NULL ? (size_t)(mark - p) : len;
	t->query = mark != NULL ? mark + 1 : NULL;
	t->query_len = mark != NULL ? len - t->path_len - 1 : 0;
	if (t->path_len == 0) {
		t->path = "/";
		t->path_len = 1;
	}
	return 0;
}

/* Whether nothing is encoded, and no segment is empty or begins with a dot. */
static bool is_normal(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '%')
			return false;
		if (p[i] == '/' && i + 1 < len && (p[i + 1] == '/' || p[i + 1] == '.'))
			return false;
	}
	return true;
}

static int decode(const char *p, size_t len, char *buf, size_t *out_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (p[i] != '%') {
			buf[n++] = p[i];
			continue;
		}
		if (i + 2 >= len)
			return 400;
		high = http_hex_value(p[i + 1]);
		low = http_hex_value(p[i + 2]);
		if (high < 0 || low < 0 || high * 16 + low < 0x20 || high * 16 + low == 0x7f)
			return 400;
		if (high * 16 + low == '/')
			return 404;
		buf[n++] = (char)(high * 16 + low);
		i += 2;
	}
	*out_len = n;
	return 0;
}

/* Works in place: the output never overtakes the input. Keeps a final '/'. */
static size_t remove_dot_segments(char *p, size_t len)
{
	size_t out = 0, i = 0, next, n;

	/* [0,out) ends before a '/', and p[i] is the '/' that begins the next segment */
	for (; i < len; i = next) {
		next = i + 1;
		while (next < len && p[next] != '/')
			next++;
		n = next - i - 1;
		if ((n == 1 && p[i + 1] == '.') || (n == 2 && p[i + 1] == '.' && p[i + 2] == '.')) {
			while (n == 2 && out > 0 && p[--out] != '/')
				;
			if (next == len)
				p[out++] = '/';
			continue;
		}
		memmove(p + out, p + i, n + 1);
		out += n + 1;
	}
	if (out == 0)
		p[out++] = '/';
	return out;
}

static size_t merge_slashes(char *p, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++)
		if (p[i] != '/' || out == 0 || p[out - 1] != '/')
			p[out++] = p[i];
	return out;
}

int http_path_normalise(const char *path, size_t len, char *buf, const char **out, size_t *out_len)
{
	size_t n;
	int status;

	*out = path;
	*out_len = len;
	if (is_normal(path, len))
		return 0;
	status = decode(path, len, buf, &n);
	if (status != 0)
		return status;
	*out = buf;
	*out_len = merge_slashes(buf, remove_dot_segments(buf, n));
	return 0;
}
