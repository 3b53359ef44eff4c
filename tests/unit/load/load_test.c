/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator against a percore stack, and against itself. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "bed.h"
#include "flood.h"
#include "report.h"
#include "unit/unit.h"

static struct bed b;

static void test_echo(void)
{
	bed_begin(&b, "echo");
	b.config.depth = 3;
	bed_whole(&b, 10);
	CU_ASSERT(bed_answers(&b) > 1000);
	CU_ASSERT_EQUAL(b.load->peak, 20);
	CU_ASSERT(b.load->latency.n > 0 && b.load->latency.max <= 10 * BED_STEP_NS);
	CU_ASSERT_EQUAL(b.load->faults.retransmitted, 0);
	bed_end(&b);
}

static void test_echo_large(void)
{
	bed_begin(&b, "echo");
	b.config.size = 20000;
	b.config.depth = 2;
	b.config.timestamps = 1;
	bed_whole(&b, 20);
	CU_ASSERT(bed_answers(&b) > 100);
	CU_ASSERT(b.load->wire.timestamps);
	bed_end(&b);
}

static void test_turns(void)
{
	bed_begin(&b, "echo");
	b.config.conns = 2000;
	b.config.depth = 10; /* more than may be under way at once */
	bed_start(&b, NULL);
	CU_ASSERT(b.load->turns);
	bed_run(&b, 30);
	bed_check_over(&b);
	CU_ASSERT(bed_answers(&b) > 2000);
	bed_end(&b);
}

static void test_loss(void)
{
	const struct pc_fault_config faults = BED_LOSSY(3);
	static const char *const names[] = {"echo", "connrate", "hold", "bulk-in", "bulk-out"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bed_begin(&b, names[i]);
		b.config.run_ms = i < 3 ? 200 : 60; /* streams take all there is; see loss_test.c */
		b.config.slots = 1000;
		bed_start(&b, &faults);
		bed_run(&b, 60);
		bed_check(&b);
		CU_ASSERT(b.load->faults.retransmitted > 0 || b.load->faults.out_of_order > 0);
		bed_end(&b);
	}
}

static void test_corruption(void)
{
	const struct pc_fault_config faults = {.seed = 1, .corrupt_ppm = 10000};

	bed_begin(&b, "echo");
	b.config.run_ms = 1000;
	bed_start(&b, &faults);
	bed_run(&b, 30);
	/* each is found, and mended by TCP */
	CU_ASSERT(b.load->faults.checksum > 0);
	CU_ASSERT_EQUAL(b.load->faults.wrong, 0);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);
}

static void test_connrate(void)
{
	bed_begin(&b, "connrate");
	b.config.slots = 100; /* the same ports again and again */
	bed_whole(&b, 10);
	CU_ASSERT(b.load->at_end.closed - b.load->at_run.closed > 1000);
	CU_ASSERT_EQUAL(b.load->active, 0);
	bed_end(&b);
}

static void test_connrate_http(void)
{
	bed_begin(&b, "connrate");
	b.config.http = 1;
	b.config.port = 80;
	b.config.slots = 500;
	bed_whole(&b, 10);
	CU_ASSERT(b.load->at_end.closed - b.load->at_run.closed > 500);
	bed_end(&b);
}

/* those that have nothing to ask are left alone, however long they are idle */
static void test_hold(void)
{
	bed_begin(&b, "hold");
	b.config.conns = 1000;
	b.config.sample = 200;
	b.config.run_ms = 3000;
	b.config.check_all = 1;
	bed_whole(&b, 60);
	CU_ASSERT_EQUAL(b.load->peak, 1000);
	CU_ASSERT(bed_answers(&b) > 550 && bed_answers(&b) <= 600);
	CU_ASSERT_EQUAL(b.load->faults.probes, 0);
	CU_ASSERT_EQUAL(b.load->asked_once, 1000);
	bed_end(&b);
}

static void test_http(void)
{
	bed_begin(&b, "http");
	b.config.depth = 16;
	bed_whole(&b, 10);
	CU_ASSERT(bed_answers(&b) > 1000);
	CU_ASSERT(b.load->answer.total > BED_BODY);
	bed_end(&b);
}

static void test_ask(void)
{
	static struct ask ask;
	char why[160];

	/* an echo is an answer like any other */
	CU_ASSERT_EQUAL(ask_parse(&ask, "get a\\r\\n ", why, sizeof(why)), 0);
	bed_begin(&b, "ask");
	b.config.ask = &ask;
	b.config.port = 7;
	b.config.depth = 8;
	bed_whole(&b, 10);
	CU_ASSERT(bed_answers(&b) > 1000);
	CU_ASSERT_EQUAL(b.load->answer.total, 8);
	bed_end(&b);

	/* and this one's date changes */
	CU_ASSERT_EQUAL(
	    ask_parse(&ask, "GET / HTTP/1.1\\r\\nX: aaaaaaaaa\\r\\n\\r\\n", why, sizeof(why)), 0);
	bed_begin(&b, "ask");
	b.config.ask = &ask;
	b.config.port = 80;
	bed_start(&b, NULL);
	bed_run(&b, 10);
	CU_ASSERT(b.load->answer.total > BED_BODY);
	CU_ASSERT(b.load->faults.wrong > 0);
	bed_end(&b);
}

static void test_wrong_answers(void)
{
	bed_begin(&b, "http");
	b.spoil = 100;
	bed_start(&b, NULL);
	bed_run(&b, 10);
	CU_ASSERT(b.load->faults.wrong > 0);
	CU_ASSERT(b.load->faults.wrong <= b.answered / 100 + 1);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);
}

static void test_bulk(void)
{
	bed_begin(&b, "bulk-in");
	bed_whole(&b, 10);
	CU_ASSERT(b.load->at_end.payload_acked - b.load->at_run.payload_acked > 10 << 20);
	bed_end(&b);
	bed_begin(&b, "bulk-out");
	bed_start(&b, NULL);
	bed_run(&b, 10);
	bed_check(&b);
	CU_ASSERT(b.load->at_end.payload_in - b.load->at_run.payload_in > 10 << 20);
	bed_end(&b);
}

/* A server that stands still for 50 ms: a closed loop sees it once per connection, an open one in every
 * request that was due meanwhile. */
static void stall(uint64_t rate, uint64_t run_ms)
{
	bed_begin(&b, "echo");
	b.config.run_ms = run_ms;
	b.config.rate = rate;
	b.stall_from = b.now + run_ms * 500000;
	b.stall_to = b.stall_from + 50000000;
	bed_whole(&b, 10);
}

static uint64_t slower_than(uint64_t ns)
{
	uint64_t n = 0;

	for (uint32_t i = hist_index(ns); i < HIST_SIZE; i++)
		n += b.load->latency.counts[i];
	return n;
}

static void test_coordinated_omission(void)
{
	stall(0, 200);
	CU_ASSERT(slower_than(5000000) <= 20);
	bed_end(&b);
	stall(10000, 1000);
	/* 500 were due in 50 ms, the first of which waited 50 ms and the last not at all */
	CU_ASSERT(slower_than(5000000) > 420 && slower_than(5000000) < 480);
	CU_ASSERT(bed_answers(&b) > 9950 && bed_answers(&b) <= 10050);
	CU_ASSERT_EQUAL(b.load->n.overrun, 0);
	bed_end(&b);
}

static void test_overrun(void)
{
	bed_begin(&b, "echo");
	b.config.conns = 1;
	b.config.rate = 1000000; /* one turn of the test takes 20 us */
	bed_start(&b, NULL);
	bed_run(&b, 10);
	CU_ASSERT(b.load->n.overrun > 0);
	bed_end(&b);
}

static void test_open_connrate(void)
{
	bed_begin(&b, "connrate");
	b.config.rate = 2000;
	b.config.run_ms = 1000;
	bed_whole(&b, 20);
	CU_ASSERT_DOUBLE_EQUAL((double)(b.load->at_end.closed - b.load->at_run.closed), 2000, 20);
	bed_end(&b);
}

static void test_udp(void)
{
	const struct pc_fault_config faults = BED_LOSSY(3);

	bed_begin(&b, "udp");
	b.config.depth = 4;
	bed_whole(&b, 10);
	CU_ASSERT(bed_answers(&b) > 1000);
	bed_end(&b);
	bed_begin(&b, "udp");
	b.config.run_ms = 2000;
	bed_start(&b, &faults);
	bed_run(&b, 10);
	CU_ASSERT(b.load->faults.lost > 0 && b.load->faults.wrong == 0);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);
	bed_begin(&b, "udp");
	b.config.rate = 5000;
	b.config.run_ms = 1000;
	bed_whole(&b, 10);
	CU_ASSERT_DOUBLE_EQUAL((double)bed_answers(&b), 5000, 50);
	bed_end(&b);
}

static void test_refused(void)
{
	bed_begin(&b, "echo");
	b.config.port = 4444;
	bed_start(&b, NULL);
	bed_run(&b, 100);
	CU_ASSERT_EQUAL(b.load->faults.refused, 20);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);
}

static void test_no_server(void)
{
	bed_begin(&b, "echo");
	b.config.server = pc_addr_ip4(htonl(BED_SERVER + 5));
	bed_start(&b, NULL);
	bed_run(&b, 5);
	CU_ASSERT(b.load->failed && b.load->why[0] != '\0');
	bed_end(&b);
}

static void test_dead_server(void)
{
	bed_begin(&b, "echo");
	b.config.run_ms = 2200;
	b.stall_from = b.now + 200000000;
	b.stall_to = UINT64_MAX;
	bed_start(&b, NULL);
	bed_run(&b, 60);
	CU_ASSERT(b.load->faults.stuck >= 20);
	CU_ASSERT(load_has_fault(b.load));
	bed_end(&b);
}

static void test_stop(void)
{
	bed_begin(&b, "echo");
	b.config.run_ms = 100000;
	bed_start(&b, NULL);
	for (int i = 0; i < 10000; i++) {
		b.now += BED_STEP_NS;
		load_turn(b.load, b.now);
	}
	load_stop(b.load);
	bed_run(&b, 20);
	CU_ASSERT(b.load->run_to >= b.load->run_from);
	bed_end(&b);
}

static void test_null(void)
{
	static const char *const names[] = {"echo", "connrate", "udp"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bed_begin(&b, names[i]);
		b.config.slots = 1000;
		b.config.size = i == 0 ? 5000 : 64; /* several segments, several requests */
		b.config.depth = i == 0 ? 3 : 1;
		bed_start_other(&b, "null", NULL);
		bed_run(&b, 10);
		bed_check_over(&b);
		CU_ASSERT(bed_answers(&b) > 1000);
		bed_end(&b);
	}
}

/* streams for port 9 are acknowledged, far less than once for each segment */
static void test_null_discard(void)
{
	for (int ip6 = 0; ip6 < 2; ip6++) {
		bed_begin(&b, "bulk-in");
		b.config.slots = 3;
		b.config.run_ms = 50;
		if (ip6)
			bed_ip6(&b);
		bed_start_other(&b, "null", NULL);
		bed_run(&b, 10);
		bed_check_over(&b);
		CU_ASSERT(b.load->n.payload_acked > 1000000);
		CU_ASSERT(b.other->out.frames > 10);
		CU_ASSERT(b.other->out.frames < b.load->out.frames / 2);
		bed_end(&b);
	}
}

/* streams from port 19 use the whole window, over both protocols, with losses too */
static void test_null_source(void)
{
	const struct pc_fault_config faults = BED_LOSSY(3);

	for (int i = 0; i < 4; i++) {
		bed_begin(&b, "bulk-out");
		b.config.slots = 3;
		b.config.run_ms = i < 2 ? 50 : 500;
		b.config.timestamps = i % 2 == 0;
		if (i % 2 != 0)
			bed_ip6(&b);
		bed_start_other(&b, "null", i < 2 ? NULL : &faults);
		bed_run(&b, 10);
		bed_check_over(&b);
		CU_ASSERT(b.load->n.payload_in > 1000000);
		bed_end(&b);
	}
}

/* a client that could receive larger segments than our port sends */
static void test_null_large_mss(void)
{
	static const char *const names[] = {"bulk-out", "http"};

	for (int i = 0; i < 2; i++) {
		bed_begin(&b, names[i]);
		b.config.slots = 1;
		b.config.run_ms = 50;
		b.config.port = i == 0 ? 19 : 80;
		bed_start_other(&b, "null", NULL);
		b.other->own_mss = 600;
		bed_run(&b, 10);
		bed_check_over(&b);
		CU_ASSERT(b.load->n.payload_in > 100000);
		CU_ASSERT(b.other->out.bytes / b.other->out.frames <= 600 + WIRE_LEN);
		bed_end(&b);
	}
}

/* requests get the same response each time, alone and several at once */
static void test_null_http(void)
{
	static const char *const names[] = {"http", "http", "connrate"};

	for (int i = 0; i < 6; i++) {
		bed_begin(&b, names[i % 3]);
		b.config.slots = 1000;
		b.config.http = i % 3 == 2;
		b.config.port = 80;
		b.config.depth = i % 3 == 1 ? 16 : 1;
		b.config.coalesce = i % 3 == 1;
		b.config.timestamps = i < 3;
		if (i % 2 == 0)
			bed_ip6(&b);
		bed_start_other(&b, "null", NULL);
		bed_run(&b, 10);
		bed_check_over(&b);
		CU_ASSERT(bed_answers(&b) > 1000);
		bed_end(&b);
	}
}

static void test_ping(void)
{
	const struct pc_fault_config faults = BED_LOSSY(3);

	bed_begin(&b, "ping");
	b.config.window = 64;
	bed_start_other(&b, "pong", NULL);
	bed_run(&b, 10);
	bed_check_over(&b);
	CU_ASSERT(bed_answers(&b) > 1000);
	CU_ASSERT(b.load->latency.n > 1000);
	bed_end(&b);
	bed_begin(&b, "ping");
	b.config.size = 1518;
	b.config.rate = 10000;
	b.config.run_ms = 1000;
	bed_start_other(&b, "pong", &faults);
	bed_run(&b, 10);
	/* one in a hundred each way */
	CU_ASSERT(b.load->faults.lost > 150 && b.load->faults.lost < 250);
	bed_end(&b);
}

/* a frame that comes back twice is timed once */
static void test_ping_twice(void)
{
	const struct pc_fault_config faults = {
	    .seed = 3, .duplicate_ppm = 200000, .pool = bed_pool()};

	bed_begin(&b, "ping");
	b.config.window = 64;
	bed_start_other(&b, "pong", &faults);
	bed_run(&b, 10);
	CU_ASSERT(b.load->faults.duplicate > 100);
	CU_ASSERT(b.load->latency.n <= bed_answers(&b) + 64);
	bed_end(&b);
}

static void test_tx_rx(void)
{
	const struct pc_fault_config faults = {.seed = 9, .tx_loss_ppm = 5000};
	const struct pc_run_ports ports = {.ports = &b.ends[1], .nb_ports = 1, .pool = bed_pool()};
	struct pc_fault_stats stats;
	char why[100];

	bed_begin(&b, "tx");
	b.config.rate = 100000;
	b.config.run_ms = 1000;
	bed_start_other(&b, "rx", &faults);
	bed_run(&b, 10);
	CU_ASSERT_DOUBLE_EQUAL((double)(b.load->at_end.tx_frames - b.load->at_run.tx_frames),
	                       100000, 1000);
	pc_port_fault_stats(b.ends[1], &stats);
	CU_ASSERT(stats.tx_lost > 0);
	/* what is lost before the first and after the last one that comes cannot be seen */
	CU_ASSERT(b.other->faults.lost <= stats.tx_lost &&
	          b.other->faults.lost + 3 >= stats.tx_lost);
	CU_ASSERT_EQUAL(b.other->n.answers + stats.tx_lost, b.load->out.frames);
	/* and what a sender before this one has lost stays lost */
	load_destroy(b.load);
	b.load = load_create(&b.config, &ports, b.now, why, sizeof(why));
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.load);
	bed_run(&b, 10);
	pc_port_fault_stats(b.ends[1], &stats);
	CU_ASSERT(b.other->faults.lost <= stats.tx_lost &&
	          b.other->faults.lost + 6 >= stats.tx_lost);
	bed_end(&b);
}

static void test_report(void)
{
	char text[4096] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	bed_begin(&b, "echo");
	b.config.label = "a \"b\"\n\\";
	bed_start(&b, NULL);
	bed_run(&b, 10);
	report_json(b.load, f);
	fclose(f);
	CU_ASSERT(text[0] == '{' && strcmp(text + strlen(text) - 2, "}\n") == 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"label\":\"a \\\"b\\\"\\\\\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"ok\":true"));
	bed_end(&b);
}

/* every kind of flood beside a load: no answer is wrong or missing, and the server keeps nothing of it */
static void test_flood(void)
{
	char names[400], *name, *save = NULL;
	struct flood_counts n;

	flood_names(names, sizeof(names));
	CU_ASSERT(flood_is_kind("syn") && !flood_is_kind("sin"));
	for (name = strtok_r(names, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save)) {
		bed_begin(&b, "echo");
		b.config.flood = name;
		b.config.flood_rate = 100000; /* two in a step */
		b.config.run_ms = 50;
		bed_start(&b, NULL);
		bed_run(&b, 10);
		if (load_has_fault(b.load))
			printf("%s\n", name);
		bed_check(&b);
		CU_ASSERT(bed_answers(&b) > 100);
		n = flood_count(b.load->flood);
		CU_ASSERT(n.sent > 4000 && n.refused == 0);
		bed_end(&b);
	}
}

static const struct unit_case cases[] = {
    {"echo", test_echo},
    {"echo of long messages, with timestamps", test_echo_large},
    {"more requests than rings hold: turns", test_turns},
    {"loss is mended in every mode", test_loss},
    {"corruption is found", test_corruption},
    {"connections per second", test_connrate},
    {"connections per second with HTTP", test_connrate_http},
    {"connections that stay", test_hold},
    {"HTTP, pipelined", test_http},
    {"requests of one's own", test_ask},
    {"wrong answers are found", test_wrong_answers},
    {"bulk in and out", test_bulk},
    {"an open loop omits nothing", test_coordinated_omission},
    {"a rate that cannot be kept", test_overrun},
    {"connections at a rate", test_open_connrate},
    {"datagrams", test_udp},
    {"a port without a service", test_refused},
    {"an address without a server", test_no_server},
    {"a server that dies", test_dead_server},
    {"Ctrl-C", test_stop},
    {"a server without state", test_null},
    {"streams to a server without state", test_null_discard},
    {"streams from a server without state", test_null_source},
    {"... to a client with a larger MSS", test_null_large_mss},
    {"HTTP of a server without state", test_null_http},
    {"ping and pong", test_ping},
    {"ping and pong twice", test_ping_twice},
    {"tx at a rate, rx finds what is lost", test_tx_rx},
    {"a flood beside it", test_flood},
    {"the result", test_report},
};

UNIT_MAIN("load", cases)
