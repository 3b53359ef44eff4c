/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_ANSWER_H
#define LOAD_ANSWER_H

/*
 * What every HTTP response must look like.
 *
 * The first response is stored as a whole; every later one must be identical, byte by byte, except
 * for the value of its Date field.  So a connection only has to remember its position in a
 * response, and a response is verified by comparing memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_MAX (16u << 20)

struct answer {
	uint8_t *bytes;
	uint32_t have;           /* learnt so far */
	uint32_t total;          /* bytes of an answer; 0: not known yet */
	uint32_t date, date_end; /* the range in which bytes may differ */
	unsigned status;         /* of HTTP */
};

/** answer_init allocates room for the first answer. Returns 0 or -1. */
int answer_init(struct answer *a);

/** answer_fini frees it. */
void answer_fini(struct answer *a);

/**
 * answer_add adds bytes of the first answer, of unknown length. Returns 0, or -1 if it is too long.
 */
int answer_add(struct answer *a, const uint8_t *data, uint32_t len);

/**
 * answer_learn adds bytes of the first answer. Returns 0; 1 once the answer is complete; or -1 with
 * a line in why if it cannot serve as an example.
 */
int answer_learn(struct answer *a, const uint8_t *data, uint32_t len, char *why, size_t why_len);

/**
 * answer_matches says whether len bytes are right at position at; they must not exceed the answer.
 */
bool answer_matches(const struct answer *a, uint32_t at, const uint8_t *data, uint32_t len);

#endif
