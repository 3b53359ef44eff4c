/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads that are not all alike: lengths, busy and idle connections, bursts, slow readers, IPv6. */
#include <CUnit/Basic.h>
#include <stdio.h>

#include "bed.h"
#include "parties.h"
#include "unit/unit.h"

static struct bed b;

/* Where up to 1,000 connections stood when all were open. */
static uint32_t marks[1000];

static void note_marks(void)
{
	bed_until(&b, PHASE_WARM);
	for (uint32_t i = 0; i < b.load->nb_clients; i++)
		marks[i] = b.load->clients[i].mark;
}

static uint32_t answers_of(uint32_t i)
{
	return (b.load->clients[i].mark - marks[i]) / b.load->request;
}

/* messages of random length, there and back: every one is verified, and lengths are as asked for */
static void test_sizes(void)
{
	static const char *const names[] = {"echo", "connrate", "hold", "udp"};
	static struct sizes sizes;
	char why[100];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool udp = strcmp(names[i], "udp") == 0;

		CU_ASSERT_EQUAL_FATAL(
		    sizes_parse(&sizes, udp ? "24-1472" : "1-200:9,5000-20000:1", why, sizeof(why)),
		    0);
		bed_begin(&b, names[i]);
		b.config.sizes = &sizes;
		b.config.depth = i == 0 ? 4 : 1;
		b.config.slots = 1000;
		b.config.run_ms = 100;
		b.config.sample = 20000;
		bed_whole(&b, 20);
		CU_ASSERT(bed_answers(&b) > 1000);
		if (i == 0)
			CU_ASSERT_DOUBLE_EQUAL(
			    (double)(b.load->at_end.payload_in - b.load->at_run.payload_in) /
			        (double)bed_answers(&b),
			    sizes.mean, sizes.mean / 10);
		bed_end(&b);
	}
}

/* lengths that are drawn again for what is sent again are the same ones */
static void test_sizes_loss(void)
{
	const struct pc_fault_config faults = BED_LOSSY(4);
	static struct sizes sizes;
	char why[100];

	CU_ASSERT_EQUAL_FATAL(sizes_parse(&sizes, "1-5000", why, sizeof(why)), 0);
	bed_begin(&b, "echo");
	b.config.sizes = &sizes;
	b.config.depth = 3;
	b.config.run_ms = 600;
	bed_start(&b, &faults);
	bed_run(&b, 60);
	bed_linger(&b, 2);
	bed_check_over(&b);
	CU_ASSERT(b.load->faults.retransmitted > 0);
	bed_end(&b);
}

/* of 1,000 connections 30 ask, and nobody asks the others whether they live */
static void test_busy(void)
{
	uint32_t busy, right;

	for (uint64_t rate = 0; rate <= 3000; rate += 3000) {
		bed_begin(&b, "echo");
		b.config.conns = 1000;
		b.config.busy = 30;
		b.config.rate = rate;
		b.config.run_ms = rate > 0 ? 2500 : 100;
		b.config.end = 2;
		bed_start(&b, NULL);
		note_marks();
		bed_run(&b, 20);
		bed_check(&b);
		CU_ASSERT_EQUAL(b.load->peak, 1000);
		CU_ASSERT_EQUAL(b.load->faults.probes, 0);
		if (rate > 0)
			CU_ASSERT_DOUBLE_EQUAL((double)bed_answers(&b), 7500, 75);
		busy = right = 0;
		for (uint32_t i = 0; i < 1000; i++) {
			busy += answers_of(i) > 0;
			right += (answers_of(i) > 0) == is_busy(b.load, i);
		}
		CU_ASSERT(busy == 30 && right == 1000);
		bed_end(&b);
	}
}

/* 20 requests are due every 10 ms, and a server that takes 1 ms to look is seen by all of them */
static void test_burst(void)
{
	bed_begin(&b, "echo");
	b.config.rate = 2000;
	b.config.burst = 20;
	b.config.run_ms = 1000;
	bed_whole(&b, 10);
	CU_ASSERT_DOUBLE_EQUAL((double)bed_answers(&b), 2000, 20);
	CU_ASSERT(b.load->latency.n >= 1980 && b.load->latency.max <= 4 * BED_STEP_NS);
	CU_ASSERT(plan_due(b.load) % 20 == 0);
	CU_ASSERT_EQUAL(plan_due_ns(b.load, 39), plan_due_ns(b.load, 20));
	CU_ASSERT_EQUAL(plan_due_ns(b.load, 40) - plan_due_ns(b.load, 20), 10000000);
	bed_end(&b);
}

/* the most popular of 1,000 connections has a tenth of all requests after Zipf */
static void test_skew(void)
{
	uint32_t all = 0, most = 0, none = 0;

	bed_begin(&b, "hold");
	b.config.conns = 1000;
	b.config.sample = 20000;
	b.config.skew = 100;
	b.config.run_ms = 300;
	b.config.end = 2;
	bed_start(&b, NULL);
	note_marks();
	bed_run(&b, 20);
	bed_check(&b);
	for (uint32_t i = 0; i < 1000; i++) {
		all += answers_of(i);
		most = answers_of(i) > most ? answers_of(i) : most;
		none += answers_of(i) == 0;
	}
	/* ln 2 / ln 1001, where all alike would have a thousandth */
	CU_ASSERT_DOUBLE_EQUAL((double)most / all, 0.10, 0.02);
	CU_ASSERT(none < 400);
	bed_end(&b);
}

/* five that read 100,000 bytes a second get that much and no more, and the others do not feel it */
static void test_slow(void)
{
	static const char *const names[] = {"echo", "http", "bulk-out"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bed_begin(&b, names[i]);
		b.config.conns = i < 2 ? 20 : 7; /* of streams two take all there is */
		b.config.slow = 5;
		b.config.slow_rate = 100000;
		b.config.run_ms = 300;
		b.config.slow_ask = i == 0 ? 100000 : 1000; /* the bed's HTTP keeps no answers */
		b.config.rate = i < 2 ? 15000 : 0;
		bed_whole(&b, 30);
		CU_ASSERT_DOUBLE_EQUAL((double)(b.load->at_end.slow_in - b.load->at_run.slow_in) /
		                           0.3 / 5,
		                       100000, 10000);
		if (i < 2)
			CU_ASSERT(bed_answers(&b) > 4450 &&
			          b.load->latency.max <= 20 * BED_STEP_NS);
		bed_end(&b);
	}
}

/* readers that do not read at all hold their window shut and are no fault */
static void test_stalled(void)
{
	bed_begin(&b, "echo");
	b.config.slow = 5;
	b.config.slow_rate = 0;
	b.config.slow_window = 1000;
	b.config.rate = 1500;
	b.config.run_ms = 4000; /* several probes */
	bed_whole(&b, 30);
	CU_ASSERT_EQUAL(b.load->n.slow_in, 5 * 1000);
	CU_ASSERT(bed_answers(&b) > 5900);
	bed_end(&b);
}

/* every mode over IPv6, with loss where it is TCP, and the server without state */
static void test_ip6(void)
{
	const struct pc_fault_config faults = {.seed = 3, .rx_loss_ppm = 1000, .tx_loss_ppm = 1000};
	static const char *const names[] = {"echo",    "connrate", "hold", "http",
	                                    "bulk-in", "bulk-out", "udp"};

	for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
		const char *name = names[i / 2];
		bool null = i % 2 != 0;

		if (null && (i / 2 == 3 || i / 2 == 5))
			continue;
		bed_begin(&b, name);
		bed_ip6(&b);
		b.config.run_ms = 60;
		b.config.slots = 1000;
		b.config.sample = 20000;
		b.config.sources = 4;
		if (null)
			bed_start_other(&b, "null", NULL);
		else
			bed_start(&b, strcmp(name, "udp") == 0 ? NULL : &faults);
		bed_run(&b, 60);
		bed_check(&b);
		CU_ASSERT(b.load->n.answers > 500 || b.load->n.payload_in > 1000000 ||
		          b.load->n.payload_acked > 1000000);
		CU_ASSERT(b.load->own_mss == 1440 && b.load->peer_mss <= 1440);
		bed_end(&b);
	}
}

static const struct unit_case cases[] = {
    {"messages of random length", test_sizes},
    {"messages of random length under loss", test_sizes_loss},
    {"busy and idle connections", test_busy},
    {"bursts", test_burst},
    {"popular connections", test_skew},
    {"slow readers", test_slow},
    {"readers that do not read", test_stalled},
    {"IPv6", test_ip6},
};

UNIT_MAIN("load/mix", cases)
