/* SPDX-License-Identifier: BSD-2-Clause */
/* The sender of streams: what it sends again, and when. */
#include <CUnit/Basic.h>
#include <string.h>

#include "hand.h"
#include "mend.h"
#include "unit/unit.h"

#define MSS HAND_MSS

static struct bed b;
static struct hand h;
static struct heard heard[HAND_HEARD];

/* A stream of which the first 39 segments are under way, and the window is full. */
static void open_stream(void)
{
	struct heard syn;

	bed_begin(&b, "bulk-in");
	hand_open(&h, &b, &syn);
	hand_hear(&h, 5, heard);
	CU_ASSERT_EQUAL_FATAL(b.load->clients[0].nxt - b.load->clients[0].una, 39 * MSS);
}

/* Sends an acknowledgement with blocks, in segments, and expects these segments again and nothing else of what was sent. */
static void expect(const struct range *blocks, uint32_t n, const uint32_t *again, unsigned nb_again)
{
	struct range bytes[4] = {0};
	uint32_t nxt = b.load->clients[0].nxt - h.irs - 1;
	unsigned k = 0, all;

	for (uint32_t j = 0; j < n; j++)
		bytes[j] = (struct range){.from = blocks[j].from * MSS, .to = blocks[j].to * MSS};
	hand_ack(&h, bytes, n);
	all = hand_hear(&h, 1, heard);
	for (unsigned j = 0; j < all; j++) {
		if (heard[j].seq >= nxt || heard[j].len == 0)
			continue;
		CU_ASSERT_FATAL(k < nb_again);
		CU_ASSERT(heard[j].seq == again[k] * MSS && heard[j].len == MSS);
		k++;
	}
	CU_ASSERT_EQUAL(k, nb_again);
}

#define AGAIN(...) \
	(const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)
#define BLOCKS(...)                          \
	(const struct range[]){__VA_ARGS__}, \
	    sizeof((const struct range[]){__VA_ARGS__}) / sizeof(struct range)
#define NOTHING NULL, 0

/* RFC 6675: more than two segments behind a gap say that it is lost; it is sent again, once, and nothing else is */
static void test_gap(void)
{
	open_stream();
	expect(BLOCKS({1, 2}), NOTHING);
	expect(BLOCKS({1, 3}), NOTHING);
	expect(BLOCKS({1, 4}), AGAIN(0));
	expect(BLOCKS({1, 5}), NOTHING);
	expect(BLOCKS({8, 12}, {1, 5}), AGAIN(5, 6, 7));
	expect(BLOCKS({8, 13}, {1, 5}), NOTHING);
	h.acked = 5 * MSS;
	expect(BLOCKS({8, 13}), NOTHING);
	/* a report of what came twice says nothing of gaps */
	expect(BLOCKS({2, 3}, {8, 13}), NOTHING);
	h.acked = 13 * MSS;
	expect(NOTHING, NOTHING);
	CU_ASSERT_EQUAL(b.load->faults.retransmitted, 4);
	CU_ASSERT_EQUAL(b.load->pool->nb_free, RANGES_SETS);
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

/* a repetition that is lost is known by what was sent after it */
static void test_lost_again(void)
{
	uint32_t nxt;

	open_stream();
	h.acked = 10 * MSS;
	expect(NOTHING, NOTHING);
	nxt = (b.load->clients[0].nxt - h.irs - 1) / MSS;
	expect(BLOCKS({11, nxt}), AGAIN(10));
	h.window = 50000; /* room for ten more */
	expect(BLOCKS({11, nxt}), NOTHING);
	expect(BLOCKS({11, nxt + 2}), NOTHING);
	expect(BLOCKS({11, nxt + 4}), AGAIN(10));
	expect(BLOCKS({11, nxt + 5}), NOTHING);
	bed_end(&b);
}

/* where nothing more can be sent, it is two round trips without news, and each time twice as long */
static void test_alarm(void)
{
	unsigned n;

	open_stream();
	expect(BLOCKS({1, 30}), AGAIN(0));
	CU_ASSERT(b.load->senders[0].rtt_ns > 0 && b.load->senders[0].rtt_ns <= 10 * BED_STEP_NS);
	n = hand_hear(&h, 40, heard); /* 0.8 ms */
	CU_ASSERT_EQUAL(n, 0);
	n = hand_hear(&h, 50, heard);
	CU_ASSERT(n == 1 && heard[0].seq == 0 && heard[0].len == MSS);
	n = hand_hear(&h, 250, heard);
	CU_ASSERT(n == 1 && heard[0].seq == 0);
	n = hand_hear(&h, 250, heard);
	CU_ASSERT(n == 1 && heard[0].seq == 0);
	CU_ASSERT_EQUAL(b.load->faults.alarms, 3);
	h.acked = 30 * MSS;
	expect(NOTHING, NOTHING);
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

/* after a time-out it goes back to the oldest byte, as if nothing were known (RFC 2018 8) */
static void test_time_out(void)
{
	open_stream();
	expect(BLOCKS({1, 2}), NOTHING); /* no loss yet */
	for (unsigned k = 0; k < 20000 && b.load->pool->nb_free < RANGES_SETS; k++)
		hand_hear(&h, 1, heard);
	CU_ASSERT_EQUAL(b.load->pool->nb_free, RANGES_SETS);
	CU_ASSERT_EQUAL(hand_hear(&h, 2, heard), 39);
	CU_ASSERT(heard[0].seq == 0 && heard[38].seq == 38 * MSS);
	CU_ASSERT(b.load->faults.alarms > 1);
	CU_ASSERT_EQUAL(b.load->faults.retransmitted, b.load->faults.alarms + 1);
	h.acked = 39 * MSS;
	expect(NOTHING, NOTHING);
	bed_end(&b);
}

/* blocks that cannot be: beyond what was sent, empty, the wrong way round */
static void test_nonsense(void)
{
	open_stream();
	expect(BLOCKS({1, 100}, {5, 5}, {9, 3}), NOTHING);
	expect(BLOCKS({0, 10}), NOTHING);
	CU_ASSERT_EQUAL(b.load->pool->nb_free, RANGES_SETS);
	bed_end(&b);
}

static const struct unit_case cases[] = {
    {"gaps", test_gap},
    {"lost once more", test_lost_again},
    {"alarms", test_alarm},
    {"a time-out", test_time_out},
    {"blocks that cannot be", test_nonsense},
};

UNIT_MAIN("load/mend", cases)
