/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/report.h"

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

static const struct unit_case cases[] = {
    {"a port is one line", a_port_is_one_line},
    {"who is let in", who_is_let_in},
};

UNIT_MAIN("run/report", cases)
