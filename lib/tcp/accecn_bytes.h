/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ACCECN_BYTES_H
#define TCP_ACCECN_BYTES_H

/*
 * The option of Accurate ECN (RFC 9768 section 3.2.3): how many bytes of data have arrived with
 * ECT(0), CE and ECT(1).
 *
 * Overview: the ACE field (accecn.h) has three bits, so it wraps after eight marks, unnoticed if
 * acknowledgements are lost.  The counters of the option have 24 bits.  They are sent when they
 * have changed, with an acknowledgement that is due anyway (the simple scheme of section 3.2.3.3):
 * ECT(0) and CE in 8 bytes, or ECT(1) and CE in 8, or all three in 12.  The first two SACK blocks
 * take precedence.
 *
 * As a receiver of data, a connection counts and reports.  When our own data fills a segment, the
 * option does not fit: CE, a change of the codepoint, and every 2^22 bytes then get a separate
 * acknowledgement (urgent); other changes wait for the next segment with room.
 *
 * As a sender, it receives reports.  Packets are still counted by ACE, and the number of marked
 * bytes tells how often it has wrapped since the last option (appendix A.2.2).  Without the option,
 * ACE is assumed to have wrapped as often as possible if an acknowledgement covers many segments
 * while most cover few (section 3.2.2.5.2): some acknowledgements were then lost.
 *
 * Paths that drop the option: each end tries it in the handshake, and the client with its first
 * data (section 3.2.3.2.1).  An end that has to retransmit such a segment stops sending the option
 * (mute; section 3.2.3.2.2).  An option that the peer does not send, or that was zeroed in transit,
 * is not relied upon (enum accecn_heard; sections 3.2.3.2.3 and 3.2.3.2.4).
 *
 * This module does not know TCBs: accecn.c calls it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "wire/tcp.h"

/** What is known about the options that the peer sends. */
enum accecn_heard {
	ACCECN_UNHEARD, /* nothing yet */
	ACCECN_ABSENT,  /* none arrive */
	ACCECN_TRUSTED,
	ACCECN_IGNORED, /* zeroed, or counting backwards: not looked at any more */
};

struct accecn_bytes {
	uint32_t rcv[TCP_COUNTERS]; /* r.e0b, r.ceb, r.e1b */
	uint32_t snd_ceb;           /* s.ceb */
	/* since the peer's last option */
	uint32_t delivered; /* bytes of ours delivered */
	uint16_t segs;      /* ... in this many segments, at most 65535 */
	uint16_t marks;     /* marks reported by ACE, at most 65535 */
	uint8_t ever : 3;   /* which of rcv have changed, as 1 << enum tcp_counter */
	uint8_t news : 3;   /* ... since we last sent the option */
	uint8_t last : 2;   /* the counter that changed last; TCP_COUNTERS: none has */
	uint8_t heard : 2;  /* enum accecn_heard */
	uint8_t mute : 1;   /* we no longer send the option */
	uint8_t urgent : 1; /* a change that must not wait for a segment with room */
	uint8_t first : 1;  /* the next segment carries the option, changes or not */
	uint8_t opener : 1; /* ... and so does our first segment with data */
	uint8_t trial : 1;  /* ... which carried it, and is in flight */
	uint8_t odd : 1;    /* ACE and the option contradict each other (3.2.3.2.5) */
	uint8_t few : 1;    /* earlier acknowledgements covered few segments each */
	uint8_t per_ack;    /* moving average of segments per acknowledgement, times 16 */
};

/** accecn_bytes_begin starts the counters; client: we sent the SYN. */
void accecn_bytes_begin(struct accecn_bytes *b, bool client);

/* ---- receiving data -------------------------------------------------------------------------- */

/** accecn_bytes_count counts the data of an acceptable packet with these ECN bits, except a SYN
 * without ACK. */
void accecn_bytes_count(struct accecn_bytes *b, uint8_t bits, uint32_t len);

/** accecn_bytes_initial adds the option to a SYN-ACK with room bytes left for options. */
void accecn_bytes_initial(struct tcp_seg *seg, unsigned room);

/** accecn_bytes_fill adds the option to any other segment, of len bytes of data, if it is due and
 * fits; the changes that it reports are no longer due. */
void accecn_bytes_fill(struct accecn_bytes *b, struct tcp_seg *seg, uint32_t len, unsigned room);

/** accecn_bytes_fits says whether the changes that are due can be reported in room bytes. */
bool accecn_bytes_fits(const struct accecn_bytes *b, unsigned room);

/** accecn_bytes_resent notes that data was retransmitted: if it was our first, the option may be
 * why it was lost. */
static inline void accecn_bytes_resent(struct accecn_bytes *b)
{
	b->mute |= b->trial;
}

/* ---- sending data ---------------------------------------------------------------------------- */

/** accecn_bytes_meet looks at the first of the peer's segments that reports marks: does it have the
 * option, and has that not been zeroed? */
void accecn_bytes_meet(struct accecn_bytes *b, const struct tcp_seg *seg);

/** accecn_bytes_delivered notes that an acknowledgement covers segs segments of bytes bytes. */
void accecn_bytes_delivered(struct accecn_bytes *b, uint32_t segs, uint32_t bytes);

/** accecn_bytes_runs_back says whether the option reports fewer marks than an earlier one. */
bool accecn_bytes_runs_back(const struct accecn_bytes *b, const struct tcp_seg *seg);

/** accecn_bytes_marks returns how many packets arrived marked, according to an acknowledgement of
 * segs segments whose ACE says: least, or 8, 16 and so on more; guess: assume the most if in doubt.
 * Call accecn_bytes_delivered first. */
uint32_t accecn_bytes_marks(struct accecn_bytes *b, const struct tcp_seg *seg, uint32_t least,
                            uint32_t segs, bool guess);

#endif
