/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/hystart.h"

#include <rte_common.h>

#include "base/seq.h"

static void take_samples(struct hystart *h, uint32_t rtt_us, uint32_t n)
{
	if (rtt_us == 0)
		return;
	if (h->min_us == 0 || rtt_us < h->min_us)
		h->min_us = rtt_us;
	h->samples = (uint8_t)RTE_MIN(h->samples + n, HYSTART_SAMPLES + 0u);
}

/* RFC 9406 section 4.2: is the delay growing? In CSS: was that a mistake? */
static void judge(struct hystart *h)
{
	uint32_t thresh = h->last_us / HYSTART_RTT_DIVISOR;

	if (h->samples < HYSTART_SAMPLES)
		return;
	thresh = RTE_MIN(RTE_MAX(thresh, HYSTART_MIN_THRESH_US + 0u), HYSTART_MAX_THRESH_US + 0u);
	if (h->css_round == 0 && h->last_us != 0 && h->min_us >= h->last_us + thresh) {
		h->baseline_us = h->min_us;
		h->css_round = 1; /* the rest of this round counts as one */
	} else if (h->css_round > 0 && h->min_us < h->baseline_us) {
		h->css_round = 0;
	}
}

static void begin_round(struct hystart *h, uint32_t snd_nxt)
{
	h->begun = true;
	h->round_end = snd_nxt;
	h->last_us = h->min_us;
	h->min_us = 0;
	h->samples = 0;
}

enum hystart_phase hystart_ack(struct hystart *h, uint32_t snd_una, uint32_t snd_nxt,
                               uint32_t rtt_us, uint32_t acks)
{
	if (!h->begun)
		begin_round(h, snd_nxt);
	take_samples(h, rtt_us, acks);
	judge(h);
	if (seq_geq(snd_una, h->round_end)) {
		begin_round(h, snd_nxt);
		if (h->css_round == HYSTART_CSS_ROUNDS)
			return HYSTART_DONE;
		if (h->css_round > 0)
			h->css_round++;
	}
	return h->css_round > 0 ? HYSTART_CSS : HYSTART_SLOW;
}
