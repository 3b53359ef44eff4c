/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ACCECN_BYTES_H
#define TCP_ACCECN_BYTES_H

/*
 * The option of Accurate ECN (RFC 9768 section 3.2.3): how many bytes of text have arrived with
 * ECT(0), CE and ECT(1).
 *
 * Overview: the field ACE (accecn.h) has three bits, so eight marks look like none if
 * acknowledgements are lost.  The counters of the option have 24 bits.  They are sent when they
 * have changed, with an acknowledgement that is due anyway (the simple scheme of section 3.2.3.3):
 * ECT(0) and CE in 8 bytes, or ECT(1) and CE in 8, or all three in 12.  The first two SACK blocks
 * have precedence.
 *
 * As a receiver of text, a connection counts and reports.  Text of ours that fills its segment
 * leaves no room: CE, a change of the codepoint, and every 2^22 bytes then get an acknowledgement
 * of their own (urgent); the rest waits for the next.
 *
 * As a sender, it gets reports.  ACE remains what counts packets, and the number of marked bytes
 * decides how often it has wrapped since the last option (appendix A.2.2).  Without the option it
 * is assumed to have wrapped as often as it can if an acknowledgement is for many segments and most
 * are for few (section 3.2.2.5.2): then some were lost.
 *
 * Paths that drop the option: each end tries it in the handshake, and the client with its first
 * text (section 3.2.3.2.1).  Whoever has to retransmit that no longer sends any (mute; section
 * 3.2.3.2.2).  What the other end does not send, or has been zeroed, is not relied upon (enum
 * accecn_heard; sections 3.2.3.2.3 and 3.2.3.2.4).
 *
 * It does not know TCBs: accecn.c calls it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "wire/tcp.h"

/** What is known of the options that the peer sends. */
enum accecn_heard {
	ACCECN_UNHEARD, /* nothing yet */
	ACCECN_ABSENT,  /* there were none */
	ACCECN_TRUSTED,
	ACCECN_IGNORED, /* zeroed, or counting backwards: whatever comes is not looked at */
};

struct accecn_bytes {
	uint32_t rcv[TCP_COUNTERS]; /* r.e0b, r.ceb, r.e1b */
	uint32_t snd_ceb;           /* s.ceb */
	/* since the peer's option came last */
	uint32_t delivered; /* bytes of ours */
	uint16_t segs;      /* ... in so many segments, at most 65535 */
	uint16_t marks;     /* that ACE has told, at most 65535 */
	uint8_t ever : 3;   /* which of rcv have changed, as 1 << enum tcp_counter */
	uint8_t news : 3;   /* ... and since our option left last */
	uint8_t last : 2;   /* the one that text has changed last; TCP_COUNTERS: none has */
	uint8_t heard : 2;  /* enum accecn_heard */
	uint8_t mute : 1;   /* we send none */
	uint8_t urgent : 1; /* news that should not wait for room beside text */
	uint8_t first : 1;  /* the next segment has one, with news or without */
	uint8_t opener : 1; /* ... and so has the first text */
	uint8_t trial : 1;  /* which is under way with it */
	uint8_t odd : 1;    /* ACE and the option contradict each other (3.2.3.2.5) */
	uint8_t few : 1;    /* before this acknowledgement most were for few segments */
	uint8_t per_ack;    /* segments that one was for of late, times 16 */
};

/** accecn_bytes_begin starts the counters; client: our SYN asked. */
void accecn_bytes_begin(struct accecn_bytes *b, bool client);

/* ---- of text that comes ---------------------------------------------------------------------- */

/** accecn_bytes_count counts the text of an acceptable packet with these ECN bits, but for a SYN without ACK. */
void accecn_bytes_count(struct accecn_bytes *b, uint8_t bits, uint32_t len);

/** accecn_bytes_initial puts the option on a SYN-ACK that has room for so many bytes of options. */
void accecn_bytes_initial(struct tcp_seg *seg, unsigned room);

/** accecn_bytes_fill puts it on any other segment, of len bytes of text, if it is due and there is room; what it tells is no
 * news any more. */
void accecn_bytes_fill(struct accecn_bytes *b, struct tcp_seg *seg, uint32_t len, unsigned room);

/** accecn_bytes_fits says whether what is news finds room in so many bytes. */
bool accecn_bytes_fits(const struct accecn_bytes *b, unsigned room);

/** accecn_bytes_resent takes note that text was sent again: if it is the first, that may have been for the option. */
static inline void accecn_bytes_resent(struct accecn_bytes *b)
{
	b->mute |= b->trial;
}

/* ---- of text that we send -------------------------------------------------------------------- */

/** accecn_bytes_meet looks whether the first segment of the peer that tells of ours has the option, and whether that is
 * whole. */
void accecn_bytes_meet(struct accecn_bytes *b, const struct tcp_seg *seg);

/** accecn_bytes_delivered takes note that an acknowledgement is for so many segments, of so many bytes. */
void accecn_bytes_delivered(struct accecn_bytes *b, uint32_t segs, uint32_t bytes);

/** accecn_bytes_runs_back says whether the option tells of fewer marks than one that came before. */
bool accecn_bytes_runs_back(const struct accecn_bytes *b, const struct tcp_seg *seg);

/** accecn_bytes_marks returns how many packets came marked, by an acknowledgement for segs segments whose ACE says
 * that it was least, or 8, 16 and so on more; guess: so many as there can be have to be feared. accecn_bytes_delivered
 * goes before. */
uint32_t accecn_bytes_marks(struct accecn_bytes *b, const struct tcp_seg *seg, uint32_t least,
                            uint32_t segs, bool guess);

#endif
