/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

/* Repeats the period in the bytes beyond it, then sums up every prefix. */
static void stream_finish(struct stream *s, uint32_t period)
{
	s->mask = period - 1;
	for (uint32_t i = period; i < sizeof(s->bytes); i++)
		s->bytes[i] = s->bytes[i - period];
	s->sums[0] = 0;
	for (uint32_t i = 0; i < sizeof(s->bytes); i++)
		s->sums[i + 1] = s->sums[i] + ((uint32_t)s->bytes[i] << (i % 2 * 8));
}

void stream_random(struct stream *s, uint64_t seed)
{
	for (uint32_t i = 0; i < STREAM_PERIOD; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		s->bytes[i] = (uint8_t)(seed >> 56);
	}
	stream_finish(s, STREAM_PERIOD);
}

void stream_count(struct stream *s)
{
	for (uint32_t i = 0; i < 256; i++)
		s->bytes[i] = (uint8_t)i;
	stream_finish(s, 256);
}

void stream_repeat(struct stream *s, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		s->bytes[i] = bytes[i];
	stream_finish(s, len);
}
