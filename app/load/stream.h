/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_STREAM_H
#define LOAD_STREAM_H

/*
 * A periodic stream of bytes that a connection sends.
 *
 * The byte for sequence number n is bytes[n mod period], and the period is a power of two.  So a
 * sequence number alone determines what is sent, a retransmission needs no copy, and the stream is
 * seamless when sequence numbers wrap.  With the sums of all prefixes, the checksum of any piece is
 * one subtraction.
 */

#include <stdint.h>

#define STREAM_PERIOD 8192u  /* the longest period */
#define STREAM_PIECE  16384u /* the longest piece */

struct stream {
	uint32_t mask;                                   /* period - 1 */
	uint32_t sums[STREAM_PERIOD + STREAM_PIECE + 1]; /* of 16-bit words in memory order */
	uint8_t bytes[STREAM_PERIOD + STREAM_PIECE];
};

/** stream_fold folds a sum of 16-bit words into 16 bits. */
static inline uint32_t stream_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint32_t)((sum & UINT16_MAX) + (sum >> 16));
}

/** stream_at returns len bytes from a sequence number on; len is at most STREAM_PIECE. */
static inline const uint8_t *stream_at(const struct stream *s, uint32_t seq)
{
	return s->bytes + (seq & s->mask);
}

/**
 * stream_sum returns the sum, for the Internet checksum, of len bytes from a sequence number on.
 */
static inline uint32_t stream_sum(const struct stream *s, uint32_t seq, uint32_t len)
{
	uint32_t from = seq & s->mask;
	uint32_t sum = stream_fold(s->sums[from + len] - s->sums[from]);

	/* in a piece that begins with the second byte of a word, the bytes are swapped */
	return (from & 1) == 0 ? sum : (sum & 0xff) << 8 | sum >> 8;
}

/** stream_random fills a stream of the longest period with bytes that look random. */
void stream_random(struct stream *s, uint64_t seed);

/** stream_count makes the stream whose byte n is n mod 256. */
void stream_count(struct stream *s);

/** stream_repeat makes a stream that repeats len bytes; len is a power of two. */
void stream_repeat(struct stream *s, const uint8_t *bytes, uint32_t len);

#endif
