/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/*
 * Shared by the fuzz targets.
 *
 * A target is one file with the two functions that libFuzzer and AFL++ call. It turns bytes into
 * frames, text or a program of operations, and aborts on errors that no sanitizer detects. replay.c
 * is the main function of a build without a fuzzer: it runs a corpus, and mutations of it that
 * follow from a seed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** LLVMFuzzerInitialize is called once before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/** LLVMFuzzerTestOneInput runs one input; it must return 0 and leave nothing behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** fuzz_check ends the process, and prints its place in the source, if a condition does not
 * hold. */
#define fuzz_check(what)                                                           \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

/** The remaining bytes of an input; beyond the end, 0 is read. */
struct bytes {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t take8(struct bytes *b)
{
	if (b->left == 0)
		return 0;
	b->left--;
	return *b->p++;
}

static inline uint16_t take16(struct bytes *b)
{
	uint16_t high = take8(b);

	return (uint16_t)(high << 8 | take8(b));
}

static inline uint32_t take32(struct bytes *b)
{
	uint32_t high = take16(b);

	return high << 16 | take16(b);
}

#endif
