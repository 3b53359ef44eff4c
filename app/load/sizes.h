/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_SIZES_H
#define LOAD_SIZES_H

/*
 * Messages of random length.
 *
 * The length of a message depends only on the sequence number at which it begins: so a connection
 * does not store a length, a retransmission finds the same one, and both directions are verified.
 */

#include <stddef.h>
#include <stdint.h>

#define SIZES_LOG2  12
#define SIZES_STEPS (1u << SIZES_LOG2)
#define SIZES_MAX   (1u << 24) /* bytes of a message */

struct sizes {
	uint32_t seed; /* that it begins at another number; 0 */
	uint32_t min, max;
	double mean;
	uint32_t steps[SIZES_STEPS]; /* as many of a length as it has weight */
};

/**
 * sizes_parse reads a distribution: parts separated by commas, each a length or a range LO-HI in bytes,
 * within which all are equally likely, and a weight behind a colon (1 if there is none).
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
