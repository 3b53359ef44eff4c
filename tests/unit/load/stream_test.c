/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"
#include "wire.h"

/* The sum of a piece is that of its bytes, wherever it begins and ends. */
static void check_sums(const struct stream *s)
{
	for (uint32_t seq = UINT32_MAX - 300; seq != 300; seq++)
		for (uint32_t len = 0; len < 1460; len += 91) {
			uint32_t direct = stream_fold(wire_sum(stream_at(s, seq), len));

			/* 0 and 0xffff are the same in one's complement */
			CU_ASSERT(stream_sum(s, seq, len) % 0xffff == direct % 0xffff);
		}
}

static void test_random(void)
{
	struct stream *s = malloc(sizeof(*s));

	stream_random(s, 7);
	check_sums(s);
	CU_ASSERT(memcmp(stream_at(s, 5), stream_at(s, 5 + STREAM_PERIOD), STREAM_PIECE) == 0);
	CU_ASSERT(memcmp(stream_at(s, 0), stream_at(s, 1), 64) != 0);
	free(s);
}

static void test_count(void)
{
	struct stream *s = malloc(sizeof(*s));

	stream_count(s);
	check_sums(s);
	CU_ASSERT_EQUAL(stream_at(s, 1000)[0], 1000 % 256);
	CU_ASSERT_EQUAL(stream_at(s, 1000)[STREAM_PIECE - 1], (1000 + STREAM_PIECE - 1) % 256);
	free(s);
}

static void test_repeat(void)
{
	struct stream *s = malloc(sizeof(*s));

	stream_repeat(s, (const uint8_t *)"GET / HTTP/1.1\r\nX:aaaaaaaaaa\r\n\r\n", 32);
	check_sums(s);
	CU_ASSERT(memcmp(stream_at(s, 64), "GET / ", 6) == 0);
	/* a wrap of sequence numbers is no seam */
	CU_ASSERT(memcmp(stream_at(s, UINT32_MAX - 1), "\r\nGET", 5) == 0);
	free(s);
}

static const struct unit_case cases[] = {
    {"random bytes", test_random},
    {"counting bytes", test_count},
    {"a request over and over", test_repeat},
};

UNIT_MAIN("load/stream", cases)
