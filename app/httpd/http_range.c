/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_range.h"

#include "http_char.h"

/* Reads digits at p[*i]; numbers too large become UINT64_MAX. Returns the number of digits. */
static size_t take_number(const char *p, size_t n, size_t *i, uint64_t *value)
{
	const size_t begin = *i;
	uint64_t v = 0;

	for (; *i < n && http_is_digit(p[*i]); (*i)++)
		v = v >= UINT64_MAX / 10 - 1 ? UINT64_MAX : v * 10 + (uint64_t)(p[*i] - '0');
	*value = v;
	return *i - begin;
}

static enum http_range suffix(uint64_t wanted, uint64_t size, uint64_t *first, uint64_t *len)
{
	if (wanted == 0)
		return HTTP_RANGE_UNSATISFIABLE;
	if (size == 0)
		return HTTP_RANGE_WHOLE;
	*len = wanted < size ? wanted : size;
	*first = size - *len;
	return HTTP_RANGE_PART;
}

enum http_range http_range_parse(const char *p, size_t n, uint64_t size, uint64_t *first,
                                 uint64_t *len)
{
	uint64_t from, to;
	size_t i = 6, from_digits, to_digits;

	if (n < 6 || !http_equal_nocase(p, "bytes", 5) || p[5] != '=')
		return HTTP_RANGE_WHOLE;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	from_digits = take_number(p, n, &i, &from);
	if (i == n || p[i] != '-')
		return HTTP_RANGE_WHOLE;
	i++;
	to_digits = take_number(p, n, &i, &to);
	if (i != n || from_digits + to_digits == 0)
		return HTTP_RANGE_WHOLE;
	if (from_digits == 0)
		return suffix(to, size, first, len);
	if (to_digits == 0)
		to = UINT64_MAX;
	if (from > to)
		return HTTP_RANGE_WHOLE;
	if (from >= size)
		return HTTP_RANGE_UNSATISFIABLE;
	*first = from;
	*len = (to < size ? to + 1 : size) - from;
	return HTTP_RANGE_PART;
}
