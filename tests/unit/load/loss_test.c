/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams and long answers under loss: what is lost is sent again, and little else, and hardly ever by a time-out. */
#include <CUnit/Basic.h>
#include <stdio.h>

#include "bed.h"
#include "ranges.h"
#include "unit/unit.h"

#define STREAMS_MS 200
#define ANSWERS_MS 500

static struct bed b;
static struct pc_fault_stats lost;

static uint64_t server_count(enum pc_counter c)
{
	return pc_stack_counters(b.sv->st)->value[c];
}

/* A run in which one frame in a hundred is lost, each way. */
static void run(uint64_t run_ms)
{
	const struct pc_fault_config faults = BED_LOSSY(5);

	b.config.run_ms = run_ms;
	bed_start(&b, &faults);
	bed_run(&b, 60);
	pc_port_fault_stats(b.ends[1], &lost);
	bed_check(&b);
	CU_ASSERT_EQUAL(b.load->faults.unkept, 0);
	CU_ASSERT(lost.rx_lost > 30 && lost.tx_lost > 30);
}

static void test_out(void)
{
	for (uint64_t conns = 1; conns <= 4; conns += 3) {
		for (uint64_t timestamps = 0; timestamps <= 1; timestamps++) {
			bed_begin(&b, "bulk-out");
			b.config.conns = conns;
			b.config.timestamps = timestamps;
			run(STREAMS_MS);
			/* of a hundred losses one is that of a repetition; RACK and tail loss probes find most of these */
			CU_ASSERT(server_count(PC_TCP_TIMEOUTS) <= lost.rx_lost / 100 + conns);
			CU_ASSERT(server_count(PC_TCP_RETRANSMITS) <= lost.rx_lost * 12 / 10 + 10);
			CU_ASSERT(b.load->faults.duplicate <= lost.rx_lost / 5 + 10);
			bed_end(&b);
		}
	}
}

static void test_in(void)
{
	for (uint64_t conns = 1; conns <= 4; conns += 3) {
		for (uint64_t timestamps = 0; timestamps <= 1; timestamps++) {
			bed_begin(&b, "bulk-in");
			b.config.conns = conns;
			b.config.timestamps = timestamps;
			run(STREAMS_MS);
			CU_ASSERT(b.load->faults.retransmitted <= lost.tx_lost * 12 / 10 + 10);
			CU_ASSERT(b.load->faults.alarms <= lost.tx_lost / 50);
			/* headers are 4 to 5 %; the rest of a window may be under way at the end */
			CU_ASSERT(b.load->out.bytes <=
			          b.load->n.payload_acked / 100 * 107 + (conns << 22));
			bed_end(&b);
		}
	}
}

static void test_answers(void)
{
	static const char *const names[] = {"echo", "http", "connrate", "hold"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		bed_begin(&b, names[k]);
		b.config.size = 20000;
		b.config.depth = k == 1 ? 12 : 1;
		b.config.slots = 1000;
		run(ANSWERS_MS);
		bed_linger(&b, 5);
		CU_ASSERT(b.load->receivers != NULL && b.load->n.answers > 200);
		CU_ASSERT(server_count(PC_TCP_RETRANSMITS) <= lost.rx_lost * 13 / 10 + 10);
		CU_ASSERT_EQUAL(b.load->pool->nb_free, RANGES_SETS);
		bed_end(&b);
	}
}

static const struct unit_case cases[] = {
    {"streams out", test_out},
    {"streams in", test_in},
    {"long answers", test_answers},
};

UNIT_MAIN("load/loss", cases)
