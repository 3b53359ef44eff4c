/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_SIZES_H
#define LOAD_SIZES_H

/*
 * Messages of random length.
 *
 * The length of a message depends only on the sequence number at which it begins.  So a connection
 * does not store lengths, a retransmission computes the same one, and both directions are verified.
 */

#include <stddef.h>
#include <stdint.h>

#define SIZES_LOG2  12
#define SIZES_STEPS (1u << SIZES_LOG2)
#define SIZES_MAX   (1u << 24) /* bytes of a message */

struct sizes {
	uint32_t seed; /* as if it began at another sequence number; 0 */
	uint32_t min, max;
	double mean;
	uint32_t steps[SIZES_STEPS]; /* each length as often as its weight says */
};

/**
 * sizes_parse reads a distribution: parts separated by commas, each a length, or a range LO-HI of
 * equally likely lengths, in bytes; then, optionally, a colon and a weight (default 1).
 * Returns 0, or -1 with a line in why.
 */
int sizes_parse(struct sizes *s, const char *text, char *why, size_t why_len);

/** sizes_at returns the length of the message that begins at a sequence number. */
static inline uint32_t sizes_at(const struct sizes *s, uint32_t seq)
{
	uint32_t h = seq ^ s->seed;

	h = (h ^ h >> 16) * 0x7feb352du;
	h = (h ^ h >> 15) * 0x846ca68bu;
	return s->steps[h >> (32 - SIZES_LOG2)];
}

#endif
