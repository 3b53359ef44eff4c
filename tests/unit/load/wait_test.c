/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that wait in vain: how long, what is counted, and who takes their place. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "hand.h"
#include "report.h"
#include "unit/unit.h"

#define MS UINT64_C(1000000)

static struct bed b;

/* A load whose server's programs stand still from 100 ms after it began, for so many ms; its stack acknowledges. */
static void begin(const char *mode, uint64_t answer_ms, uint64_t run_ms, uint64_t mute_ms)
{
	bed_begin(&b, mode);
	b.config.answer_ms = answer_ms;
	b.config.run_ms = run_ms;
	b.mute_from = b.now + 100 * MS;
	b.mute_to = b.mute_from + mute_ms * MS;
}

static uint64_t slower_than(uint64_t ns)
{
	uint64_t n = 0;

	for (uint32_t i = hist_index(ns); i < HIST_SIZE; i++)
		n += b.load->latency.counts[i];
	return n;
}

/* Nothing else went wrong. */
static void check_only_timed_out(uint64_t low, uint64_t high)
{
	struct faults f = b.load->faults;

	CU_ASSERT(load_has_fault(b.load));
	CU_ASSERT(f.timed_out >= low && f.timed_out <= high);
	if (f.timed_out < low || f.timed_out > high)
		printf("%llu timed out\n", (unsigned long long)f.timed_out);
	b.load->faults.timed_out = 0;
	bed_check(&b);
	b.load->faults.timed_out = f.timed_out;
}

/* all of a connrate's connections wait: others take their places, and it goes on when the server does */
static void test_connrate(void)
{
	begin("connrate", 300, 2000, 1000);
	bed_start(&b, NULL);
	bed_until(&b, PHASE_RUN);
	bed_for(&b, 1200);
	check_only_timed_out(2 * 20, 3 * 20);
	CU_ASSERT_EQUAL(b.load->faults.stuck, 0);
	bed_run(&b, 20);
	CU_ASSERT(b.load->at_end.closed - b.load->at_run.closed > 1000);
	CU_ASSERT_EQUAL(b.load->active, 0);
	bed_end(&b);
}

/* the server is to close, and never does */
static void test_no_close(void)
{
	bed_begin(&b, "connrate");
	b.config.close = 1;
	b.config.answer_ms = 200;
	b.config.run_ms = 3000;
	bed_start(&b, NULL);
	bed_run(&b, 20);
	/* each 200 to 400 ms; they asked once, and the answer came */
	check_only_timed_out(7 * 20, 15 * 20);
	CU_ASSERT_EQUAL(b.load->faults.probes, 0);
	CU_ASSERT(b.load->n.answers <= b.load->n.opened);
	CU_ASSERT(b.load->latency.max < 10 * MS);
	bed_end(&b);
}

/* connections that stay are opened again, with a latency that says how long the request has waited at least */
static void test_closed_loop(void)
{
	static const char *const names[] = {"echo", "http", "hold"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		begin(names[i], 300, 1300, 1000);
		bed_start(&b, NULL);
		bed_run(&b, 20);
		check_only_timed_out(2 * 20, 3 * 20);
		CU_ASSERT_EQUAL(b.load->n.opened, 20 + b.load->faults.timed_out);
		CU_ASSERT_EQUAL(b.load->peak, 20);
		CU_ASSERT(slower_than(300 * MS) >= b.load->faults.timed_out);
		CU_ASSERT(b.load->latency.max >= 300 * MS && b.load->latency.max < 700 * MS);
		CU_ASSERT(bed_answers(&b) > 1000);
		bed_end(&b);
	}
}

/* turns, with many requests under way on each */
static void test_turns(void)
{
	begin("echo", 300, 1150, 1000);
	b.config.conns = 2000;
	b.config.depth = 10;
	bed_start(&b, NULL);
	bed_run(&b, 30);
	check_only_timed_out(2000, 3 * 2000);
	CU_ASSERT(bed_answers(&b) > 2000);
	bed_end(&b);
}

/* an open loop omits nothing: what timed out counts with what it waited, what was due meanwhile from when it was */
static void test_open_loop(void)
{
	begin("echo", 300, 2000, 1000);
	b.config.rate = 1000;
	bed_start(&b, NULL);
	bed_run(&b, 20);
	check_only_timed_out(2 * 20, 4 * 20);
	CU_ASSERT_EQUAL(b.load->n.overrun, 0);
	/* 2,000 were due in the run, and one for each connection may end on either side of it */
	CU_ASSERT_DOUBLE_EQUAL((double)b.load->latency.n, 2000, 40);
	/* of the thousand of the mute second, those due at its end waited for little */
	CU_ASSERT_DOUBLE_EQUAL((double)slower_than(100 * MS), 900, 60);
	bed_end(&b);
}

/* a server that stands still when the run ends: what was asked in it counts, although the answers come behind it, and in an open loop
 * what was due, although it is not sent any more */
static void test_end_of_run(void)
{
	for (uint64_t rate = 0; rate <= 1000; rate += 1000) {
		bed_begin(&b, "echo");
		b.config.rate = rate;
		b.config.run_ms = 1000;
		bed_start(&b, NULL);
		bed_until(&b, PHASE_RUN);
		b.mute_from = b.now + 500 * MS;
		b.mute_to = b.mute_from + 1000 * MS;
		bed_run(&b, 20);
		bed_check(&b);
		CU_ASSERT(b.load->latency.max >= 970 * MS && b.load->latency.max < 1030 * MS);
		CU_ASSERT_DOUBLE_EQUAL((double)slower_than(450 * MS), rate == 0 ? 20 : 500, 20);
		bed_end(&b);
	}
}

/* a stream from the server that dries up, in a mode that asks for nothing */
static void test_source(void)
{
	begin("bulk-out", 300, 1100, 1000);
	b.config.conns = 3;
	bed_start(&b, NULL);
	bed_run(&b, 20);
	check_only_timed_out(2 * 3, 3 * 3);
	CU_ASSERT_EQUAL(b.load->n.opened, 3 + b.load->faults.timed_out);
	CU_ASSERT_EQUAL(b.load->established, 0);
	bed_end(&b);
}

/* streams to the server, whose window closes, and slow readers: they wait for nothing */
static void test_not_waiting(void)
{
	begin("bulk-in", 300, 2000, 1500);
	bed_start(&b, NULL);
	bed_run(&b, 20);
	bed_check(&b);
	bed_end(&b);
	bed_begin(&b, "echo");
	b.config.answer_ms = 300;
	b.config.run_ms = 2000;
	b.config.busy = 5;
	b.config.slow = 5;
	b.config.slow_rate = 0;
	bed_start(&b, NULL);
	bed_run(&b, 20);
	bed_check(&b);
	CU_ASSERT_EQUAL(b.load->peak, 20);
	bed_end(&b);
}

/* less than the time, and no time at all */
static void test_patience(void)
{
	begin("echo", 1000, 1100, 900);
	bed_start(&b, NULL);
	bed_run(&b, 20);
	bed_check_over(&b);
	bed_end(&b);
	begin("echo", 0, 6200, 6000);
	bed_start(&b, NULL);
	bed_run(&b, 60);
	bed_check_over(&b);
	CU_ASSERT(b.load->latency.max > 5900 * MS);
	bed_end(&b);
}

/* while the generator itself stood still, answers lay in the ring */
static void test_own_stall(void)
{
	bed_begin(&b, "echo");
	b.config.answer_ms = 200;
	b.config.run_ms = 100000;
	bed_start(&b, NULL);
	bed_until(&b, PHASE_RUN);
	for (int k = 0; k < 20; k++) {
		bed_for(&b, 3);
		b.now += UINT64_C(1000000000);
	}
	bed_for(&b, 100);
	load_stop(b.load);
	bed_run(&b, 20);
	bed_check(&b);
	bed_end(&b);
}

/* the time out is not before the time, and not much later, for any length of it; a byte now and then puts it off */
static void test_accuracy(void)
{
	static const uint64_t times[] = {1, 64, 500, 1984, 2048, 2049, 5000, 60000, 240000};
	static struct hand h;
	struct heard syn;
	uint64_t silent, took, step;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		bed_begin(&b, "bulk-out");
		b.config.answer_ms = times[i];
		hand_open(&h, &b, &syn);
		b.config.run_ms = 10000000;
		silent = b.now;
		step = RTE_MIN(RTE_MAX(times[i] / 500, UINT64_C(1)), UINT64_C(50));
		for (uint32_t at = 0; at < 12; at++) {
			silent = b.now;
			hand_send(&h, at, 1, RTE_TCP_ACK_FLAG, false);
			for (uint64_t k = 0; k < times[i] * 3 / 4; k += step)
				load_turn(b.load, b.now += step * MS);
		}
		CU_ASSERT_EQUAL(b.load->faults.timed_out, 0);
		while (b.load->faults.timed_out == 0 &&
		       b.now - silent < 2 * times[i] * MS + 1000 * MS)
			load_turn(b.load, b.now += step * MS);
		took = (b.now - silent) / MS;
		CU_ASSERT(took >= times[i] && took <= times[i] + times[i] / 16 + 200);
		if (took < times[i] || took > times[i] + times[i] / 16 + 200)
			printf("%llu ms took %llu\n", (unsigned long long)times[i],
			       (unsigned long long)took);
		CU_ASSERT_EQUAL(b.load->clients[0].state, CLIENT_SYN_SENT);
		bed_end(&b);
	}
}

/* users see it: in the line of each second, in the summary, in the result */
static void test_report(void)
{
	static char text[3][4096];
	void (*const reports[])(const struct load *, FILE *) = {report_progress, report_summary,
	                                                        report_json};
	static const char *const words[] = {" 20 timed out, 20 faults\n",
	                                    "FAULT: 20 connections that waited for load.answer_ms",
	                                    "\"timed_out\":20,"};

	begin("connrate", 300, 600, 60000);
	bed_start(&b, NULL);
	bed_until(&b, PHASE_SETTLE);
	b.load->faults.timed_out = 20;
	b.load->faults.stuck = 0;
	for (size_t i = 0; i < 3; i++) {
		FILE *f = fmemopen(text[i], sizeof(text[i]), "w");

		reports[i](b.load, f);
		fclose(f);
		CU_ASSERT_PTR_NOT_NULL(strstr(text[i], words[i]));
		if (strstr(text[i], words[i]) == NULL)
			printf("%s", text[i]);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(text[1], "for time-outs, how long they waited"));
	bed_end(&b);
}

/* what a line says of a second is right also where the generator stood still in it */
static void test_progress(void)
{
	static char text[1024];
	FILE *f = fmemopen(text, sizeof(text), "w");

	begin("echo", 300, 600, 60000);
	bed_start(&b, NULL);
	bed_until(&b, PHASE_RUN);
	b.load->at_progress = b.load->n;
	b.load->progress_from = b.load->now - 4000 * MS;
	b.load->n.answers += 4000;
	b.load->n.opened += 8;
	b.load->n.payload_in += 2000000000;
	report_progress(b.load, f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " 1000 answers/s, 2 opened/s,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ", in 4.00 out "));
	bed_end(&b);
}

static const struct unit_case cases[] = {
    {"connections per second", test_connrate},
    {"a server that does not close", test_no_close},
    {"closed loops", test_closed_loop},
    {"turns", test_turns},
    {"an open loop", test_open_loop},
    {"the end of a run", test_end_of_run},
    {"a stream that dries up", test_source},
    {"who waits for nothing", test_not_waiting},
    {"patience", test_patience},
    {"the generator stands still", test_own_stall},
    {"accuracy", test_accuracy},
    {"what users see", test_report},
    {"what a second brought", test_progress},
};

UNIT_MAIN("load/wait", cases)
