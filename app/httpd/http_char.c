/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_char.h"

#include <string.h>

#define T HTTP_CHAR_TOKEN
#define U HTTP_CHAR_TARGET
#define H HTTP_CHAR_HOST
#define P HTTP_CHAR_PATH

/* clang-format off */
const uint8_t http_char_class[256] = {
	['0' ... '9'] = T | U | H | P, ['A' ... 'Z'] = T | U | H | P, ['a' ... 'z'] = T | U | H | P,
	/* unreserved (RFC 3986 section 2.3) */
	['-'] = T | U | H | P, ['.'] = T | U | H | P, ['_'] = T | U | H | P, ['~'] = T | U | H | P,
	/* sub-delims (RFC 3986 section 2.2) */
	['!'] = T | U | H | P, ['$'] = T | U | H | P, ['&'] = T | U | H | P, ['\''] = T | U | H | P,
	['('] = U | H | P, [')'] = U | H | P, ['*'] = T | U | H | P, ['+'] = T | U | H | P,
	[','] = U | H | P, [';'] = U | H | P, ['='] = U | H | P,
	/* gen-delims; '#' only in tokens: it begins a fragment, which is never sent in a target */
	[':'] = U | P, ['/'] = U | P, ['?'] = U, ['['] = U, [']'] = U, ['@'] = U | P,
	['%'] = T | U | H, ['#'] = T,
	/* not allowed by RFC 3986, but sent by browsers and harmless */
	['"'] = U, ['<'] = U, ['>'] = U, ['\\'] = U, ['^'] = T | U, ['`'] = T | U, ['{'] = U,
	['|'] = T | U, ['}'] = U, [0x80 ... 0xff] = U,
};
/* clang-format on */

#define EACH_BYTE(b) (UINT64_MAX / 255 * (b))

static uint64_t load_le64(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

/*
 * Eight bytes at a time: (x - 0x20) & ~x has the top bit set in each byte below 0x20, and the same
 * with 1 finds the zeros of x ^ 0x7f.  A borrow affects only bytes above a true hit, and the lowest
 * hit is the one that counts.
 */
size_t http_find_control(const char *p, size_t from, size_t len)
{
	size_t i = from;

	for (; i + 8 <= len; i += 8) {
		uint64_t x = load_le64(p + i), y = x ^ EACH_BYTE(0x7f);
		uint64_t low = (x - EACH_BYTE(0x20)) & ~x, del = (y - EACH_BYTE(1)) & ~y;
		uint64_t hit = (low | del) & EACH_BYTE(0x80);

		if (hit != 0)
			return i + (unsigned)__builtin_ctzll(hit) / 8;
	}
	for (; i < len; i++)
		if ((uint8_t)p[i] < 0x20 || p[i] == 0x7f)
			break;
	return i;
}
