/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers that answer too little, too much, or with nonsense: none is taken for a good one. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "hand.h"
#include "report.h"
#include "unit/unit.h"

static struct bed b;
static struct hand h;
static struct heard syn, heard[HAND_HEARD];

/* A connection of a connrate whose request has come, and is acknowledged by what is sent from now on. */
static void open_connrate(void)
{
	bed_begin(&b, "connrate");
	hand_open(&h, &b, &syn);
	h.acked = (uint32_t)b.config.size;
}

/* closed in the place of an answer: it counted as a connection like any other */
static void test_close_early(void)
{
	open_connrate();
	hand_send(&h, 0, 0, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, false);
	hand_hear(&h, 2, heard);
	CU_ASSERT_EQUAL(b.load->faults.unsolicited_fin, 1);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);
}

/* more than was asked for, when our FIN has been sent: the whole answer was looked at, and that not */
static void test_too_long(void)
{
	open_connrate();
	hand_send(&h, 0, (uint32_t)b.config.size, RTE_TCP_ACK_FLAG, false);
	hand_hear(&h, 2, heard);
	CU_ASSERT_EQUAL(b.load->faults.wrong, 1); /* it is not what was sent */
	CU_ASSERT_EQUAL(b.load->clients[0].state, CLIENT_FIN_WAIT);
	hand_send(&h, (uint32_t)b.config.size, 10, RTE_TCP_ACK_FLAG, false);
	hand_hear(&h, 2, heard);
	CU_ASSERT_EQUAL(b.load->faults.wrong, 2);
	bed_end(&b);
}

/* an MSS of next to nothing, timestamps taken off: segments are short, and neither empty nor endless */
static void test_small_mss(void)
{
	static const uint16_t offers[] = {0, 1, 11, 12, 13, 63, 64};
	unsigned n;
	uint32_t sent;

	for (size_t i = 0; i < 2 * sizeof(offers) / sizeof(offers[0]); i++) {
		bed_begin(&b, "echo");
		b.config.size = 1500;
		b.config.timestamps = i % 2;
		hand_open_mss(&h, &b, &syn, offers[i / 2]);
		n = hand_hear(&h, 3, heard);
		sent = 0;
		for (unsigned k = 0; k < n; k++) {
			CU_ASSERT(heard[k].len > 0 && heard[k].len <= 64);
			sent += heard[k].len;
		}
		CU_ASSERT_EQUAL(sent, 1500);
		bed_end(&b);
	}
}

/* segments are as long as the port and an mbuf take, whatever load.mss and the server say */
static void test_large_mss(void)
{
	bed_begin(&b, "echo");
	b.config.size = 9000;
	b.config.mss = 9660;
	bed_start_other(&b, "null", NULL);
	CU_ASSERT_EQUAL(b.load->own_mss, 1460);
	bed_run(&b, 10);
	bed_check_over(&b);
	CU_ASSERT_EQUAL(b.load->peer_mss, 1460);
	CU_ASSERT(bed_answers(&b) > 100);
	bed_end(&b);
}

/* a mempool that is empty when connections are to be opened: it is said, and mended when there are mbufs again */
static void test_no_mbufs(void)
{
	static struct rte_mbuf *all[40000];
	char text[2000] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	uint32_t n = 0;

	bed_begin(&b, "echo");
	memset(b.config.mac, 2, sizeof(b.config.mac)); /* nothing is asked for, and no mbuf kept */
	bed_start_other(&b, "null", NULL);
	while (n < 40000 && (all[n] = rte_pktmbuf_alloc(bed_pool())) != NULL)
		n++;
	bed_for(&b, 100);
	CU_ASSERT_EQUAL(b.load->out.frames, 0);
	rte_pktmbuf_free_bulk(all, n);
	bed_run(&b, 20);
	bed_check_over(&b);
	CU_ASSERT(b.load->out.no_mbuf >= 20);
	CU_ASSERT(bed_answers(&b) > 1000);
	report_summary(b.load, f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "not enough mbufs"));
	bed_end(&b);
}

/* datagrams that come twice do not make good for those that do not come; the last ones are waited for */
static void test_datagrams(void)
{
	const struct pc_fault_config faults = {.seed = 5,
	                                       .tx_loss_ppm = 20000,
	                                       .duplicate_ppm = 200000,
	                                       .reorder_ppm = 20000,
	                                       .reorder_delay_ns = 150000};
	const uint64_t rates[] = {0, 20000};
	struct pc_fault_stats stats;

	for (size_t i = 0; i < 2; i++) {
		bed_begin(&b, "udp");
		b.config.depth = 8;
		b.config.rate = rates[i];
		b.config.run_ms = 1000;
		bed_start(&b, &faults);
		bed_run(&b, 10);
		pc_port_fault_stats(b.ends[1], &stats);
		CU_ASSERT(stats.tx_lost > 20 && stats.duplicated > 200);
		CU_ASSERT_EQUAL(b.load->faults.lost, stats.tx_lost);
		CU_ASSERT(rates[i] > 0 || b.load->faults.out_of_order > 100);
		CU_ASSERT(b.load->faults.duplicate > 200 && b.load->faults.wrong == 0);
		bed_end(&b);
	}
}

/* a server that has died in the last moment, or was never there: no answer is a fault even in a short run */
static void test_no_datagrams(void)
{
	bed_begin(&b, "udp");
	b.config.port = 4444;
	bed_start(&b, NULL);
	bed_run(&b, 10);
	CU_ASSERT_EQUAL(b.load->faults.lost, 20);
	bed_end(&b);
}

static const struct unit_case cases[] = {
    {"a close in the place of an answer", test_close_early},
    {"more behind an answer", test_too_long},
    {"next to no MSS", test_small_mss},
    {"datagrams that come twice, late or never", test_datagrams},
    {"no datagrams", test_no_datagrams},
    {"no mbufs", test_no_mbufs},
    {"an MSS beyond the port's MTU", test_large_mss},
};

UNIT_MAIN("load/wrong", cases)
