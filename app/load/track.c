/* SPDX-License-Identifier: BSD-2-Clause */
#include "track.h"

#include <string.h>

static uint64_t *word(struct track *t, uint64_t seq)
{
	return &t->seen[seq % TRACK_SPAN / 64];
}

static uint64_t bit(uint64_t seq)
{
	return UINT64_C(1) << seq % 64;
}

void track_begin(struct track *t, uint64_t next)
{
	memset(t, 0, sizeof(*t));
	t->next = next;
	t->begun = true;
}

/* Marks the numbers up to next as missing, as far back as they are tracked. */
static void advance_track(struct track *t, uint64_t next)
{
	uint64_t from = next - t->next > TRACK_SPAN ? next - TRACK_SPAN : t->next;

	for (uint64_t n = from; n < next; n++)
		*word(t, n) &= ~bit(n);
	t->lost += next - t->next;
	t->next = next;
}

enum track_verdict track_add(struct track *t, uint64_t seq)
{
	if (!t->begun)
		track_begin(t, seq);
	if (seq >= t->next) {
		if (seq != t->next)
			advance_track(t, seq);
		*word(t, seq) |= bit(seq);
		t->next = seq + 1;
		return TRACK_NEW;
	}
	if (t->next - seq > TRACK_SPAN || (*word(t, seq) & bit(seq)) != 0)
		return TRACK_DUPLICATE;
	*word(t, seq) |= bit(seq);
	if (t->lost > 0)
		t->lost--;
	return TRACK_LATE;
}

void track_skip(struct track *t, uint64_t next)
{
	if (next > t->next)
		advance_track(t, next);
}
