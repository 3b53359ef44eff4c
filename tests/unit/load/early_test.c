/* SPDX-License-Identifier: BSD-2-Clause */
/* The receiver of streams: what it keeps, and each acknowledgement that it sends. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "early.h"
#include "hand.h"
#include "unit/unit.h"

#define MSS HAND_MSS

static struct bed b;
static struct hand h;
static struct heard heard[HAND_HEARD];

static struct heard open_stream(void)
{
	struct heard syn;

	hand_open(&h, &b, &syn);
	return syn;
}

static void data(uint32_t at, uint32_t len)
{
	hand_send(&h, at, len, RTE_TCP_ACK_FLAG, false);
}

/* One acknowledgement has come, with these blocks. */
static void expect(unsigned turns, uint32_t ack, const struct range *blocks, uint32_t n)
{
	CU_ASSERT_EQUAL_FATAL(hand_hear(&h, turns, heard), 1);
	CU_ASSERT_EQUAL(heard[0].ack, ack);
	CU_ASSERT(heard[0].len == 0 && heard[0].flags == RTE_TCP_ACK_FLAG);
	CU_ASSERT_EQUAL_FATAL(heard[0].nb_blocks, n);
	for (uint32_t k = 0; k < n; k++)
		CU_ASSERT(heard[0].blocks[k].from == blocks[k].from &&
		          heard[0].blocks[k].to == blocks[k].to);
}

#define EXPECT(turns, ack, ...)                                 \
	expect(turns, ack, (const struct range[]){__VA_ARGS__}, \
	       sizeof((const struct range[]){__VA_ARGS__}) / sizeof(struct range))

/* SACK is offered where more than a segment can be under way, and may be switched off */
static void test_offer(void)
{
	static const struct {
		const char *mode;
		uint64_t size, depth, timestamps, off;
		bool offered;
	} rows[] = {
	    {"bulk-out", 64, 1, 0, 0, true},  {"bulk-out", 64, 1, 1, 0, true},
	    {"bulk-out", 64, 1, 0, 1, false}, {"bulk-in", 64, 1, 0, 0, true},
	    {"echo", 64, 1, 0, 0, false},     {"echo", 1460, 1, 1, 0, false},
	    {"echo", 1461, 1, 0, 0, true},    {"echo", 731, 2, 1, 0, true},
	    {"hold", 64, 1, 0, 0, false},     {"connrate", 5000, 1, 0, 0, true},
	};

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		bed_begin(&b, rows[k].mode);
		b.config.size = rows[k].size;
		b.config.depth = rows[k].depth;
		b.config.timestamps = rows[k].timestamps;
		b.config.sack = !rows[k].off;
		CU_ASSERT_EQUAL(open_stream().permits_sack, rows[k].offered);
		CU_ASSERT_EQUAL(b.load->sack, rows[k].offered);
		bed_end(&b);
	}
}

/* RFC 9293 3.8.6.3: two full segments, one acknowledgement; no second one at the end of the burst */
static void test_burst(void)
{
	bed_begin(&b, "bulk-out");
	open_stream();
	data(0, MSS);
	data(MSS, MSS);
	EXPECT(5, 2 * MSS);
	for (uint32_t k = 2; k < 7; k++)
		data(k * MSS, MSS);
	CU_ASSERT_EQUAL(hand_hear(&h, 5, heard), 3);
	CU_ASSERT(heard[0].ack == 4 * MSS && heard[1].ack == 6 * MSS && heard[2].ack == 7 * MSS);
	/* a pair may come in two bursts, as long as the port is never quiet in between */
	data(7 * MSS, MSS);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 0);
	data(8 * MSS, MSS);
	EXPECT(5, 9 * MSS);
	/* a short one waits for the end */
	data(9 * MSS, 10);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 0);
	EXPECT(5, 9 * MSS + 10);
	CU_ASSERT_EQUAL(b.load->faults.out_of_order, 0);
	bed_end(&b);
}

/* RFC 2018 4: the newest block first; RFC 5681 4.2: at once, for each, and when a gap closes */
static void test_gaps(void)
{
	bed_begin(&b, "bulk-out");
	open_stream();
	data(1 * MSS, MSS);
	EXPECT(1, 0, {MSS, 2 * MSS});
	data(3 * MSS, MSS);
	EXPECT(1, 0, {3 * MSS, 4 * MSS}, {MSS, 2 * MSS});
	data(5 * MSS, MSS);
	EXPECT(1, 0, {5 * MSS, 6 * MSS}, {3 * MSS, 4 * MSS}, {MSS, 2 * MSS});
	data(7 * MSS, MSS);
	data(9 * MSS, MSS);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 2);
	CU_ASSERT_EQUAL(heard[1].nb_blocks, 4);
	CU_ASSERT(heard[1].blocks[0].from == 9 * MSS && heard[1].blocks[3].from == 3 * MSS);
	/* one that joins two makes them the newest */
	data(2 * MSS, MSS);
	EXPECT(1, 0, {MSS, 4 * MSS}, {9 * MSS, 10 * MSS}, {7 * MSS, 8 * MSS}, {5 * MSS, 6 * MSS});
	data(0, MSS); /* a part of the gaps closes */
	EXPECT(1, 4 * MSS, {9 * MSS, 10 * MSS}, {7 * MSS, 8 * MSS}, {5 * MSS, 6 * MSS});
	data(4 * MSS, MSS);
	EXPECT(1, 6 * MSS, {9 * MSS, 10 * MSS}, {7 * MSS, 8 * MSS});
	data(8 * MSS, MSS);
	EXPECT(1, 6 * MSS, {7 * MSS, 10 * MSS});
	data(6 * MSS, MSS);
	expect(1, 10 * MSS, NULL, 0);
	CU_ASSERT_EQUAL(b.load->n.payload_in, 10 * MSS);
	CU_ASSERT_EQUAL(b.load->pool->nb_free, RANGES_SETS);
	CU_ASSERT_EQUAL(hand_hear(&h, 5, heard), 0);
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

/* RFC 2883 4: what comes again is the first block, once, and the block that it is a part of is the next */
static void test_repeated(void)
{
	bed_begin(&b, "bulk-out");
	open_stream();
	data(0, MSS);
	data(MSS, MSS);
	EXPECT(2, 2 * MSS);
	data(0, MSS);
	EXPECT(1, 2 * MSS, {0, MSS});
	data(4 * MSS, MSS);
	EXPECT(1, 2 * MSS, {4 * MSS, 5 * MSS});
	data(5 * MSS, MSS);
	EXPECT(1, 2 * MSS, {4 * MSS, 6 * MSS});
	data(5 * MSS, MSS);
	EXPECT(1, 2 * MSS, {5 * MSS, 6 * MSS}, {4 * MSS, 6 * MSS});
	data(MSS, MSS);
	EXPECT(1, 2 * MSS, {MSS, 2 * MSS}, {4 * MSS, 6 * MSS});
	/* one that begins with what is there and goes on */
	data(MSS + 500, MSS);
	EXPECT(1, 2 * MSS + 500, {MSS + 500, 2 * MSS}, {4 * MSS, 6 * MSS});
	data(2 * MSS + 500, 2 * MSS - 500);
	expect(1, 6 * MSS, NULL, 0);
	data(5 * MSS + 500, MSS);
	EXPECT(1, 6 * MSS + 500, {5 * MSS + 500, 6 * MSS});
	CU_ASSERT_EQUAL(b.load->faults.duplicate, 3);
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

/* what is wrong is found though it is early, and no acknowledgement is sent for none */
static void test_verified(void)
{
	bed_begin(&b, "bulk-out");
	open_stream();
	hand_send(&h, 2 * MSS, MSS, RTE_TCP_ACK_FLAG, false);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 1);
	CU_ASSERT_EQUAL(b.load->faults.wrong, 0);
	hand_send(&h, 3 * MSS, MSS, RTE_TCP_ACK_FLAG, true);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 1);
	CU_ASSERT_EQUAL(b.load->faults.wrong, 1);
	data(4 * MSS, 0);
	CU_ASSERT_EQUAL(hand_hear(&h, 5, heard), 0);
	bed_end(&b);
}

/* a FIN that comes early ends the stream when the gap is closed */
static void test_fin(void)
{
	for (uint32_t last = 0; last <= MSS; last += MSS) {
		bed_begin(&b, "bulk-out");
		open_stream();
		hand_send(&h, MSS, last, RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG, false);
		CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 1);
		CU_ASSERT(heard[0].ack == 0 && heard[0].nb_blocks == (last > 0));
		data(0, MSS);
		CU_ASSERT_EQUAL(hand_hear(&h, 2, heard), 1);
		CU_ASSERT_EQUAL(heard[0].ack, MSS + last + 1);
		CU_ASSERT_EQUAL(heard[0].flags, RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG);
		CU_ASSERT_EQUAL(b.load->clients[0].state, CLIENT_LAST_ACK);
		CU_ASSERT_EQUAL(b.load->pool->nb_free, RANGES_SETS);
		bed_end(&b);
	}
}

/* nothing is kept beyond the window, which makes a fault, nor where the table is full, which is counted */
static void test_limits(void)
{
	uint16_t all[RANGES_SETS];

	bed_begin(&b, "bulk-out");
	open_stream();
	data(65535 - MSS, MSS);
	EXPECT(1, 0, {65535 - MSS, 65535});
	CU_ASSERT(!load_has_fault(b.load));
	data(65536 - MSS, MSS);
	EXPECT(1, 0, {65535 - MSS, 65535});
	CU_ASSERT_EQUAL(b.load->faults.beyond, 1);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);

	bed_begin(&b, "bulk-out");
	open_stream();
	for (uint32_t k = 0; k < RANGES_SETS; k++)
		all[k] = ranges_take(b.load->pool);
	data(MSS, MSS);
	expect(1, 0, NULL, 0);
	CU_ASSERT_EQUAL(b.load->faults.unkept, 1);
	ranges_give(b.load->pool, &all[0]);
	data(MSS, MSS);
	EXPECT(1, 0, {MSS, 2 * MSS});
	for (uint32_t k = 1; k < RANGES_MAX; k++)
		data(2 * MSS + 20 * k, 10);
	for (uint32_t k = 0; k < 10; k++) /* HAND_HEARD at a time */
		hand_hear(&h, 1, heard);
	CU_ASSERT_EQUAL(b.load->faults.unkept, 1);
	data(2 * MSS + 20 * RANGES_MAX, 10);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 1);
	CU_ASSERT(heard[0].nb_blocks == 4 &&
	          heard[0].blocks[0].from == 2 * MSS + 20 * (RANGES_MAX - 1));
	CU_ASSERT_EQUAL(b.load->faults.unkept, 2);
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

/* without SACK it keeps what comes early all the same */
static void test_plain(void)
{
	bed_begin(&b, "bulk-out");
	b.config.sack = 0;
	open_stream();
	data(MSS, MSS);
	expect(1, 0, NULL, 0);
	data(MSS, MSS);
	expect(1, 0, NULL, 0);
	data(0, MSS);
	expect(1, 2 * MSS, NULL, 0);
	bed_end(&b);
}

/* with timestamps there is room for three blocks, and what is early is not echoed (RFC 7323 4.3) */
static void test_timestamps(void)
{
	bed_begin(&b, "bulk-out");
	b.config.timestamps = 1;
	h.time = 0;
	open_stream();
	h.time = 100;
	data(0, MSS - 12);
	EXPECT(3, MSS - 12);
	CU_ASSERT_EQUAL(heard[0].echoed, 100);
	for (uint32_t k = 2; k < 10; k += 2) {
		h.time = 100 + k;
		data(k * MSS, 10);
		CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 1);
		CU_ASSERT_EQUAL(heard[0].echoed, 100);
		CU_ASSERT_EQUAL(heard[0].nb_blocks, RTE_MIN(k / 2, 3u));
	}
	h.time = 200;
	data(MSS - 12, MSS - 12);
	CU_ASSERT_EQUAL(hand_hear(&h, 1, heard), 1);
	CU_ASSERT_EQUAL(heard[0].echoed, 200);
	bed_end(&b);
}

/* a port may deliver a frame in several mbufs */
static void test_pieces(void)
{
	unsigned n;

	bed_begin(&b, "bulk-out");
	open_stream();
	h.in_two = true;
	for (uint32_t k = 0; k < 4; k++)
		data(k * MSS, MSS);
	n = hand_hear(&h, 5, heard);
	CU_ASSERT_FATAL(n > 0);
	CU_ASSERT_EQUAL(heard[n - 1].ack, 4 * MSS);
	h.in_two = false;
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

static const struct unit_case cases[] = {
    {"where SACK is offered", test_offer},
    {"acknowledgements of a burst", test_burst},
    {"gaps", test_gaps},
    {"what comes again", test_repeated},
    {"what comes early is verified", test_verified},
    {"a FIN that comes early", test_fin},
    {"limits", test_limits},
    {"without SACK", test_plain},
    {"with timestamps", test_timestamps},
    {"frames in pieces", test_pieces},
};

UNIT_MAIN("load/early", cases)
