/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_HYSTART_H
#define TCP_HYSTART_H

/*
 * HyStart++ (RFC 9406): leaves slow start when the round-trip time grows, before packets are lost.
 *
 * A round is a window of data, delimited by sequence numbers.  If the minimum of at least 8 RTT
 * samples of a round is clearly above that of the previous round, conservative slow start (CSS)
 * follows: a quarter of the growth, for up to five rounds; if the RTT falls again meanwhile, slow
 * start continues.
 */

#include <stdbool.h>
#include <stdint.h>

/* the constants of RFC 9406 section 4.3; L is the one for senders without pacing */
#define HYSTART_MIN_THRESH_US 4000
#define HYSTART_MAX_THRESH_US 16000
#define HYSTART_RTT_DIVISOR   8
#define HYSTART_SAMPLES       8
#define HYSTART_CSS_DIVISOR   4
#define HYSTART_CSS_ROUNDS    5
#define HYSTART_L             8

/** The state; all zero: the first round has not begun. Round trips in us, 0: infinity. */
struct hystart {
	uint32_t round_end;   /* windowEnd */
	uint32_t last_us;     /* lastRoundMinRTT */
	uint32_t min_us;      /* currentRoundMinRTT */
	uint32_t baseline_us; /* cssBaselineMinRtt */
	uint32_t cwnd;        /* after the last acknowledgement: less now is another slow start */
	uint8_t samples;      /* rttSampleCount, at most HYSTART_SAMPLES */
	uint8_t css_round;    /* round of CSS, from 1; 0: slow start */
	bool begun;
};

enum hystart_phase {
	HYSTART_SLOW, /* slow start */
	HYSTART_CSS,
	HYSTART_DONE, /* CSS is over: congestion avoidance */
};

/** hystart_ack handles acknowledgements that arrived together and advanced SND.UNA, with the round
 * trip that the last of them measured (0: none), the least of them, and returns the phase that says
 * how cwnd grows. */
enum hystart_phase hystart_ack(struct hystart *h, uint32_t snd_una, uint32_t snd_nxt,
                               uint32_t rtt_us, uint32_t acks);

#endif
