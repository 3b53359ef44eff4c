/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_LOAD_HAND_H
#define UNIT_LOAD_HAND_H

/*
 * A server made by hand: the test says which segments it sends to the generator's first connection, and looks at each that
 * comes back.  Positions count from the first byte of either stream.
 */
#include "bed.h"
#include "ranges.h"

#define HAND_MSS   1000u
#define HAND_HEARD 64u

struct hand {
	struct bed *b;
	uint32_t iss, irs;
	uint32_t acked; /* position in the generator's stream that segments acknowledge */
	uint32_t time;  /* timestamp, if the generator has offered it */
	uint16_t port;
	uint16_t window;
	uint16_t mss; /* that the SYN-ACK offers */
	bool in_two;  /* the second half of each frame has an mbuf of its own */
};

/** What has come from the generator. */
struct heard {
	uint32_t seq, ack, len; /* positions */
	uint8_t flags;
	bool permits_sack;
	uint32_t echoed; /* timestamp */
	uint32_t nb_blocks;
	struct range blocks[4]; /* positions */
};

/** hand_open makes a generator, after bed_begin, and opens its only connection; hand_open_mss offers that MSS. */
void hand_open_mss(struct hand *h, struct bed *b, struct heard *syn, uint16_t mss);
void hand_open(struct hand *h, struct bed *b, struct heard *syn);

/** hand_send sends len bytes of "byte n is n mod 256" from a position on; spoilt: the last one is wrong. */
void hand_send(struct hand *h, uint32_t at, uint32_t len, uint8_t flags, bool spoilt);

/** hand_ack sends an acknowledgement with n blocks of SACK. */
void hand_ack(struct hand *h, const struct range *blocks, uint32_t n);

/** hand_hear lets the generator turn, so many times, and returns how many segments have come of it. */
unsigned hand_hear(struct hand *h, unsigned turns, struct heard heard[HAND_HEARD]);

#endif
