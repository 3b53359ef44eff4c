/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

static void a_port_is_one_line(void)
{
	struct pc_port_info info = {
	    .name = "net_tap0",
	    .driver = "net_tap",
	    .mac = {2, 0, 0, 0, 0xab, 1},
	    .mtu = 1500,
	    .link_up = true,
	    .rss.nb_queues = 1,
	};
	char line[512];

	report_port(&info, false, line, sizeof(line));
	assert_text(line, "net_tap0 (net_tap), 1 queue pair, no RSS, offloads: none (all in "
	                  "software), MTU 1500, MAC 02:00:00:00:ab:01, link up");
	info.rss.nb_queues = 4;
	info.rss.ports = true;
	info.link_up = false;
	info.offloads = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM |
	                PC_PORT_TX_MULTI_SEGS | PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM |
	                PC_PORT_RX_RSS_HASH;
	report_port(&info, false, line, sizeof(line));
	assert_text(line,
	            "net_tap0 (net_tap), 4 queue pairs, RSS over addresses and ports, "
	            "offloads: tx-ip4 tx-tcp tx-udp tx-chains rx-ip4 rx-tcp/udp rss-hash, MTU "
	            "1500, MAC 02:00:00:00:ab:01, link down");
	report_port(&info, true, line, sizeof(line));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(line, ", 4 queue pairs, flows spread in software, offloads: "));
	report_port(&info, false, line, 20);
	CU_ASSERT_EQUAL(strlen(line), 19);
}

static void who_is_let_in(void)
{
	struct pc_stack_config c;
	char line[512];

	pc_stack_config_init(&c);
	c.stack_mbufs = 16384;
	c.tcp_syn_cache = 1024;
	c.tcp_time_wait = 4096;
	report_admission(&c, line, sizeof(line));
	assert_text(
	    line,
	    "each lcore refuses new connections at 2048 mbufs left, and new data at 1024; "
	    "one "
	    "buffer holds at most 1664; half-open connections 1024, then SYN cookies, "
	    "TIME-WAIT 4096, connections per source unlimited, half-open per source unlimited");
	c.tcp_syn_cookies = 0;
	c.tcp_source_connections = 50;
	c.tcp_source_half_open = 5;
	report_admission(&c, line, sizeof(line));
	CU_ASSERT(strstr(line, "half-open connections 1024, TIME-WAIT 4096, connections per "
	                       "source 50, half-open per source 5") != NULL);
}

/* Writes "name=value" and a blank for each counter. */
static void note(void *f, const char *name, const char *sentence, uint64_t value)
{
	CU_ASSERT(sentence[0] != '\0');
	fprintf(f, "%s=%" PRIu64 " ", name, value);
}

static void own_counters(void *app, pc_run_count *count, void *arg)
{
	count(arg, "own", "what the program counts", *(const uint64_t *)app);
}

static char *told(const struct run *run)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	report_tell_counters(run, note, f);
	fclose(f);
	return text;
}

/* Frames that never reached a stack are in no drop_ counter; the program's own counters follow. */
static void what_ports_count(void)
{
	static const struct pc_run_app silent, counting = {.counters = own_counters};
	static struct pc_port port[3];
	static struct worker worker[2] = {{.ports = {&port[0], &port[1]}}, {.ports = {&port[2]}}};
	static uint64_t own = 3;
	static struct settings settings = {.app_arg = &own};
	static struct run run = {
	    .nb_workers = 1, .nb_ports = 1, .nb_vlans = 1, .app = &silent, .s = &settings};
	char *text;

	run.workers[0] = &worker[0];
	run.workers[1] = &worker[1];
	port[0].info.rx_lost = 2;
	port[1].info.rx_lost = 3;
	port[2].info.rx_lost = 10;
	port[2].info.tx_refused = 7;
	text = told(&run);
	assert_text(text, "tx_refused=0 rx_lost=5 rx_untrue=0 ");
	free(text);
	run.nb_workers = 2;
	run.nb_vlans = 0;
	run.app = &counting;
	text = told(&run);
	assert_text(text, "tx_refused=7 rx_lost=12 rx_untrue=0 own=3 ");
	free(text);
}

static const struct unit_case cases[] = {
    {"a port is one line", a_port_is_one_line},
    {"who is let in", who_is_let_in},
    {"what ports count", what_ports_count},
};

UNIT_MAIN("run/report", cases)
