/* SPDX-License-Identifier: BSD-2-Clause */
/* The option of Accurate ECN; see accecn_bytes.h. */
#include "tcp/accecn_bytes.h"

#include <assert.h>

#include <rte_common.h>

#define BIT(c) (1u << (c))

#define ROUND 8 /* number of values of ACE */
#define OVERDUE_BITS \
	22 /* section 3.2.3.3: a counter should be reported after so many bytes, as a power of 2 */

/* Acknowledgements count as covering few segments if their average is at most half of ACE's
 * range. */
#define FEW          (ROUND / 2 * PER_ACK_ONE)
#define PER_ACK_ONE  16
#define PER_ACK_MOST (UINT8_MAX / PER_ACK_ONE + 0u)

static const uint8_t initial[TCP_COUNTERS] = {[TCP_E0B] = 1, [TCP_CEB] = 0, [TCP_E1B] = 1};

void accecn_bytes_begin(struct accecn_bytes *b, bool client)
{
	*b = (struct accecn_bytes){
	    .last = TCP_COUNTERS, .first = client, .opener = client, .per_ack = UINT8_MAX};
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		b->rcv[i] = initial[i];
}

/* ---- receiving data -------------------------------------------------------------------------- */

void accecn_bytes_count(struct accecn_bytes *b, uint8_t bits, uint32_t len)
{
	static const uint8_t counter[] = {TCP_COUNTERS, TCP_E1B, TCP_E0B, TCP_CEB};
	const unsigned c = counter[bits & 3u];
	uint32_t was;

	if (c == TCP_COUNTERS || len == 0)
		return;
	was = b->rcv[c];
	b->rcv[c] += len;
	b->ever = (b->ever | BIT(c)) & 7u;
	b->news = (b->news | BIT(c)) & 7u;
	if (c == TCP_CEB || c != b->last || (was ^ b->rcv[c]) >> OVERDUE_BITS != 0)
		b->urgent = 1;
	b->last = c & 3u;
}

/* the largest AccECN0 option that fits */
static unsigned largest(unsigned room)
{
	unsigned accecn = TCP_ACCECN_0;

	while (accecn > TCP_ACCECN_NONE && tcp_accecn_space(accecn) > room)
		accecn--;
	return accecn;
}

void accecn_bytes_initial(struct tcp_seg *seg, unsigned room)
{
	seg->accecn = largest(room) & 7u;
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		seg->counter[i] = initial[i];
}

static bool tells_all(const struct accecn_bytes *b, unsigned accecn)
{
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		if ((b->news & BIT(i)) && !tcp_accecn_has(accecn, (enum tcp_counter)i))
			return false;
	return true;
}

/* Which counters to report?  All that have ever changed or, if they do not fit, those that have
 * changed since the last option (section 3.2.3.3).  One alone would take as much room as two. */
static unsigned choose(const struct accecn_bytes *b, unsigned room)
{
	const unsigned ect = b->ever & (BIT(TCP_E0B) | BIT(TCP_E1B));
	unsigned accecn = ect == BIT(TCP_E1B)   ? TCP_ACCECN_E1B_CEB
	                  : ect == BIT(TCP_E0B) ? TCP_ACCECN_E0B_CEB
	                                        : TCP_ACCECN_0;

	if (ect == 0 && b->ever != 0)
		accecn = TCP_ACCECN_E0B_CEB;
	if (tcp_accecn_space(accecn) > room) {
		accecn = b->news & BIT(TCP_E1B) ? TCP_ACCECN_E1B_CEB : largest(room);
		if (tcp_accecn_space(accecn) > room)
			accecn = TCP_ACCECN_NONE;
	}
	return tells_all(b, accecn) ? accecn : TCP_ACCECN_NONE;
}

bool accecn_bytes_fits(const struct accecn_bytes *b, unsigned room)
{
	return choose(b, room) != TCP_ACCECN_NONE;
}

void accecn_bytes_fill(struct accecn_bytes *b, struct tcp_seg *seg, uint32_t len, unsigned room)
{
	const bool opens = b->opener && len > 0;

	if (b->mute || (b->news == 0 && !b->first && !opens))
		return;
	seg->accecn = choose(b, room) & 7u;
	b->first = 0;
	if (opens) {
		b->opener = 0;
		b->trial = seg->accecn != TCP_ACCECN_NONE;
	}
	if (seg->accecn == TCP_ACCECN_NONE)
		return;
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		seg->counter[i] = b->rcv[i] & TCP_COUNTER_MASK;
	b->news = 0;
	b->urgent = 0;
}

/* ---- sending data ---------------------------------------------------------------------------- */

/* sections 3.2.3.2.3 and 3.2.3.2.4 */
void accecn_bytes_meet(struct accecn_bytes *b, const struct tcp_seg *seg)
{
	const bool zeroed = (tcp_accecn_has(seg->accecn, TCP_E0B) && seg->counter[TCP_E0B] == 0) ||
	                    (tcp_accecn_has(seg->accecn, TCP_E1B) && seg->counter[TCP_E1B] == 0);

	b->heard = seg->accecn == TCP_ACCECN_NONE ? ACCECN_ABSENT
	           : zeroed                       ? ACCECN_IGNORED
	                                          : ACCECN_TRUSTED;
}

void accecn_bytes_delivered(struct accecn_bytes *b, uint32_t segs, uint32_t bytes)
{
	const uint32_t all = b->segs + segs;

	if (segs == 0)
		return;
	b->delivered += bytes;
	b->segs = (uint16_t)RTE_MIN(all, (uint32_t)UINT16_MAX);
	b->few = b->per_ack <= FEW;
	b->per_ack = (uint8_t)((b->per_ack * 7u + RTE_MIN(segs, PER_ACK_MOST) * PER_ACK_ONE) / 8);
	/* an option is overdue: section 3.2.3.3 */
	if (b->heard == ACCECN_TRUSTED && b->delivered >> OVERDUE_BITS != 0)
		b->heard = ACCECN_ABSENT;
}

/* how far ECEB is ahead of s.ceb, modulo 2^24; 0 if the option omits it, as it has not changed */
static uint32_t news_of(const struct accecn_bytes *b, const struct tcp_seg *seg)
{
	return tcp_accecn_has(seg->accecn, TCP_CEB)
	           ? (seg->counter[TCP_CEB] - b->snd_ceb) & TCP_COUNTER_MASK
	           : 0;
}

bool accecn_bytes_runs_back(const struct accecn_bytes *b, const struct tcp_seg *seg)
{
	return b->heard == ACCECN_TRUSTED && news_of(b, seg) > TCP_COUNTER_MASK / 2;
}

/* least, plus as many whole rounds as segs allows */
static uint32_t most(uint32_t least, uint32_t segs)
{
	return segs < least ? least : segs - (segs - least) % ROUND;
}

/* Appendix A.2.2, taking the mean size of the segments delivered for that of the marked ones: the
 * possible number of marks that is nearest to the number of marked bytes. */
static uint32_t nearest(const struct accecn_bytes *b, uint32_t least, uint32_t bytes)
{
	const uint64_t by_bytes = ((uint64_t)bytes * b->segs + b->delivered - 1) / b->delivered;
	const uint64_t rounds = by_bytes > least ? (by_bytes - least + ROUND / 2) / ROUND : 0;

	return (uint32_t)RTE_MIN(least + rounds * ROUND, (uint64_t)most(least, b->segs));
}

static void forget_since(struct accecn_bytes *b)
{
	b->delivered = 0;
	b->segs = b->marks = 0;
}

/* a trusted option that follows another */
static uint32_t marks_by_bytes(struct accecn_bytes *b, const struct tcp_seg *seg, uint32_t least)
{
	const uint32_t bytes = news_of(b, seg), known = b->marks;
	uint32_t n = known + least;

	b->snd_ceb += bytes;
	/* section 3.2.3.2.5: with so few segments ACE cannot have wrapped */
	b->odd = bytes > 0 && n == 0 && b->segs < ROUND / 2;
	if (bytes > 0 && b->delivered > 0)
		n = nearest(b, n, bytes);
	forget_since(b);
	assert(n >= known);
	return n - known;
}

uint32_t accecn_bytes_marks(struct accecn_bytes *b, const struct tcp_seg *seg, uint32_t least,
                            uint32_t segs, bool guess)
{
	const bool told = seg->accecn > TCP_ACCECN_EMPTY;

	if (told && b->heard == ACCECN_TRUSTED)
		return marks_by_bytes(b, seg, least);
	if (told && b->heard == ACCECN_ABSENT) { /* the options do get through */
		b->heard = ACCECN_TRUSTED;
		b->snd_ceb += news_of(b, seg);
		forget_since(b);
		return least;
	}
	b->marks = (uint16_t)RTE_MIN(b->marks + least, (uint32_t)UINT16_MAX);
	if (b->heard == ACCECN_TRUSTED || !guess || !b->few)
		return least;
	return most(least, segs);
}
