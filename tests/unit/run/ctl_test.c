/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of the control socket. */
#include "run/ctl.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"

static struct ctl_command c;
static char why[256];

static bool reads(const char *text)
{
	return ctl_parse(text, &c, why, sizeof(why)) == 0;
}

static bool is_addr(const struct pc_addr *a, const char *text)
{
	struct pc_addr b;

	return pc_addr_parse(text, &b) == 0 && pc_addr_equal(a, &b);
}

static void test_routes(void)
{
	CU_ASSERT(reads("route add 10.0.0.0/8 via 192.0.2.254 metric 7 mtu 1400 weight 5\n"));
	CU_ASSERT(c.verb == CTL_CHANGE && c.change.kind == PC_CHANGE_ADD_ROUTE);
	CU_ASSERT(is_addr(&c.change.prefix.addr, "10.0.0.0") && c.change.prefix.len == 104);
	CU_ASSERT(is_addr(&c.change.addr, "192.0.2.254"));
	CU_ASSERT(c.change.metric == 7 && c.change.mtu == 1400 && c.change.port == -1);
	CU_ASSERT_EQUAL(c.change.weight, 5);
	CU_ASSERT(reads("route replace default via fd00::1"));
	CU_ASSERT(c.change.kind == PC_CHANGE_REPLACE_ROUTE && c.change.prefix.len == 0);
	CU_ASSERT(reads("  route\tadd  2001:db8::/32 port 3 "));
	CU_ASSERT(c.change.port == 3 && pc_addr_is_any(&c.change.addr));
	CU_ASSERT(reads("route del 10.0.0.0/8"));
	CU_ASSERT(c.change.kind == PC_CHANGE_DEL_ROUTE && pc_addr_is_any(&c.change.addr));
}

static void test_others(void)
{
	CU_ASSERT(reads("addr add 192.0.2.9/24") && c.change.kind == PC_CHANGE_ADD_ADDR);
	CU_ASSERT(c.change.port == 0 && c.change.prefix.len == 120);
	CU_ASSERT(reads("addr del fd00::9/64 port 2") && c.change.kind == PC_CHANGE_DEL_ADDR);
	CU_ASSERT_EQUAL(c.change.port, 2);
	CU_ASSERT(reads("neigh set 192.0.2.9 mac 02:00:00:00:00:fE port 1"));
	CU_ASSERT(c.change.kind == PC_CHANGE_SET_NEIGH && c.change.port == 1);
	CU_ASSERT(memcmp(c.change.mac, "\2\0\0\0\0\xfe", 6) == 0);
	CU_ASSERT(reads("neigh del fe80::1") && c.change.kind == PC_CHANGE_DEL_NEIGH);
	CU_ASSERT(reads("deny add 198.51.100.0/24") && c.change.kind == PC_CHANGE_DENY);
	CU_ASSERT(reads("deny del 198.51.100.0/24") && c.change.kind == PC_CHANGE_ALLOW);
	CU_ASSERT(reads("mtu set 1400 port 1") && c.change.kind == PC_CHANGE_SET_MTU);
	CU_ASSERT(c.change.mtu == 1400 && c.change.port == 1);
	CU_ASSERT(reads("route show") && c.verb == CTL_SHOW_ROUTES);
	CU_ASSERT(reads("addr") && c.verb == CTL_SHOW_ADDRS);
	CU_ASSERT(reads("metrics") && c.verb == CTL_SHOW_METRICS);
	CU_ASSERT(reads("usage show") && c.verb == CTL_SHOW_USAGE);
	CU_ASSERT(reads("port show") && c.verb == CTL_SHOW_PORTS && !c.all);
	CU_ASSERT(reads("port show all") && c.verb == CTL_SHOW_PORTS && c.all);
	CU_ASSERT(reads("lcore show") && c.verb == CTL_SHOW_LCORES && !reads("lcore show 1"));
	CU_ASSERT(reads("neigh show") && c.verb == CTL_SHOW_NEIGHS);
	CU_ASSERT(reads("deny") && c.verb == CTL_SHOW_DENIED);
	CU_ASSERT(reads("counters show") && c.verb == CTL_SHOW_COUNTERS && !c.all);
	CU_ASSERT(reads("counters show all") && c.all);
	CU_ASSERT(reads("firewall show") && c.verb == CTL_SHOW_FIREWALL);
	CU_ASSERT(reads("firewall") && c.verb == CTL_SHOW_FIREWALL);
	CU_ASSERT(reads("firewall table") && c.verb == CTL_SHOW_TABLES);
	CU_ASSERT(reads("firewall table show") && c.verb == CTL_SHOW_TABLES);
	CU_ASSERT(reads("firewall table bad") && c.verb == CTL_SHOW_TABLE);
	CU_ASSERT(reads("firewall table show show") && c.verb == CTL_SHOW_TABLE);
	CU_ASSERT_STRING_EQUAL(c.table, "show");
	CU_ASSERT(reads("firewall table bad add command") && c.verb == CTL_CHANGE_TABLE &&
	          c.table_verb == PC_FIREWALL_ADD);
	CU_ASSERT(reads("firewall table bad delete f") && c.table_verb == PC_FIREWALL_DELETE);
	CU_ASSERT(reads("firewall table bad replace f") && c.table_verb == PC_FIREWALL_REPLACE);
	CU_ASSERT_STRING_EQUAL(c.table, "bad");
	CU_ASSERT_STRING_EQUAL(c.name, "f");
	CU_ASSERT(reads("firewall table bad add f for 10m") && c.for_s == 600);
	CU_ASSERT(reads("firewall table bad add f for 365d") && c.for_s == 365 * 86400);
	CU_ASSERT(reads("firewall table bad add f") && c.for_s == 0);
	CU_ASSERT(
	    !reads("firewall table bad add f for") && !reads("firewall table bad add f for 10") &&
	    !reads("firewall table bad add f for 0s") &&
	    !reads("firewall table bad add f for -1s") &&
	    !reads("firewall table bad add f for 366d") &&
	    !reads("firewall table bad add f for 18446744073709551617s") &&
	    !reads("firewall table bad add f for m") && !reads("firewall table bad add f for 1mm"));
	CU_ASSERT(!reads("firewall table bad delete f for 1h") &&
	          !reads("firewall table bad replace f for 1h"));
	CU_ASSERT(reads("firewall table bad test 10.0.0.1") && c.verb == CTL_TEST_TABLE);
	CU_ASSERT_STRING_EQUAL(c.table, "bad");
	CU_ASSERT_STRING_EQUAL(c.name, "10.0.0.1");
	CU_ASSERT(!reads("firewall table bad test") && !reads("firewall table bad test a b"));
	CU_ASSERT(!reads("firewall table bad empty") && !reads("firewall table bad add") &&
	          !reads("firewall table bad show all"));
	CU_ASSERT(!reads("firewall table a-name-that-is-too-long-for-a-table show"));
	CU_ASSERT(reads("firewall check a") && c.verb == CTL_CHECK_FIREWALL);
	CU_ASSERT(reads("firewall flush") && c.verb == CTL_FLUSH_FIREWALL);
	CU_ASSERT(reads("firewall load /tmp/rules") && c.verb == CTL_LOAD_FIREWALL);
	CU_ASSERT_STRING_EQUAL(c.name, "/tmp/rules");
	CU_ASSERT(!reads("firewall load") && !reads("firewall load a b") && !reads("firewall add"));
}

static void test_sockets(void)
{
	CU_ASSERT(reads("socket show") && c.verb == CTL_SHOW_SOCKETS);
	CU_ASSERT(c.match.proto == 0 && c.match.states == 0 && c.match.port == 0 &&
	          !c.match.has_peer);
	CU_ASSERT(
	    reads("socket show tcp state established state syn-recv port 80 peer 192.0.2.0/24"));
	CU_ASSERT(c.match.proto == IPPROTO_TCP && c.match.states == (1u << 1 | 1u << 3));
	CU_ASSERT(c.match.port == 80 && c.match.has_peer && c.match.peer.len == 120);
	CU_ASSERT(reads("socket show udp") && c.match.proto == IPPROTO_UDP);
	CU_ASSERT(reads("socket show raw") && c.match.kind == PC_SOCKET_RAW && c.match.proto == 0);
	CU_ASSERT(reads("socket show packet") && c.match.kind == PC_SOCKET_PACKET);
	CU_ASSERT(reads("json socket show state established state syn-sent state syn-recv "
	                "state fin-wait-1 state fin-wait-2 state time-wait state close-wait "
	                "state last-ack state listen state closing port 80 peer 192.0.2.0/24"));
}

static void test_capture(void)
{
	CU_ASSERT(reads("capture") && c.verb == CTL_CAPTURE);
	CU_ASSERT(c.capture.port == -1 && c.capture.count == 0 && c.capture.nb_insn == 0);
	CU_ASSERT_EQUAL(c.capture.snaplen, CTL_SNAPLEN_MAX);
	CU_ASSERT(reads("capture count 7 snaplen 96 port 2 program 28000000"
	                "0c0000001500000100080000"
	                "0600000000000100"));
	CU_ASSERT(c.capture.port == 2 && c.capture.count == 7 && c.capture.snaplen == 96);
	CU_ASSERT_EQUAL_FATAL(c.capture.nb_insn, 3);
	CU_ASSERT(c.capture.insn[0].code == 0x28 && c.capture.insn[0].k == 12);
	CU_ASSERT(c.capture.insn[1].jf == 1 && c.capture.insn[1].k == 0x800);
	CU_ASSERT(c.capture.insn[2].code == 6 && c.capture.insn[2].k == 0x10000);
	CU_ASSERT(reads("capture snaplen 0")); /* as tcpdump -s 0 */
	CU_ASSERT_EQUAL(c.capture.snaplen, CTL_SNAPLEN_MAX);
}

static void test_mistakes(void)
{
	static const char *const wrong[] = {
	    "",
	    "   ",
	    "route",
	    "rout add",
	    "route add",
	    "route add 10.0.0.0/8",
	    "route add 10.0.0.0/99 via 192.0.2.1",
	    "route add default",
	    "route add default port 0",
	    "route add 10.0.0.0/8 via",
	    "route add 10.0.0.0/8 via nobody",
	    "route add 10.0.0.0/8 via 192.0.2.1 metric",
	    "route add 10.0.0.0/8 via 192.0.2.1 metric -1",
	    "route add 10.0.0.0/8 via 192.0.2.1 metric 4294967296",
	    "route add 10.0.0.0/8 via 192.0.2.1 mtu 65536",
	    "route add 10.0.0.0/8 via 192.0.2.1 sideways",
	    "route del 10.0.0.0/8 metric 1",
	    "route show all",
	    "route add 10.0.0.0/8 via 192.0.2.1 metric 1 metric 2",
	    "route add 10.0.0.0/8 via 192.0.2.1 via 192.0.2.2",
	    "route add 10.0.0.0/8 via 192.0.2.1 weight 0",
	    "capture count 1 count 2",
	    "socket show tcp udp",
	    "socket show raw tcp",
	    "socket show port 1 port 2",
	    "addr add 192.0.2.9/24 port 1 port 1",
	    "counters show some",
	    "counters show all of them",
	    "socket show sctp",
	    "socket show state",
	    "socket show state dead",
	    "socket show port",
	    "socket show port 65536",
	    "socket show peer",
	    "socket show peer 192.0.2.0/33",
	    "neigh show all",
	    "capture 5",
	    "capture program",
	    "capture program 0600",
	    "capture program 060000000000000g",
	    "capture count many",
	    "capture count 18446744073709551616",
	    "capture snaplen 16385",
	    "capture port 16",
	    "addr add",
	    "metrics all",
	    "json metrics",
	    "addr add 192.0.2.9/24 port 16",
	    "addr add 192.0.2.9/0",
	    "addr add 2001:db8::9/0",
	    "addr add 192.0.2.9/24 metric 3",
	    "neigh set 192.0.2.9",
	    "neigh set 192.0.2.9 mac",
	    "neigh set 192.0.2.9 mac 02:00:00:00:00",
	    "neigh set 192.0.2.9 mac 02:00:00:00:00:01:02",
	    "neigh set 192.0.2.9 mac -2:00:00:00:00:01",
	    "neigh set 192.0.2.9 mac +2:00:00:00:00:01",
	    "deny add 10.0.0.0/8 port 1",
	    "mtu set many",
	    "a b c d e f g h i j k l m n o p q",
	};
	char *text = malloc(CTL_COMMAND_MAX + 2);

	for (unsigned i = 1; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why[0] = '\0';
		if (strcmp(wrong[i], "route") == 0) /* which lists them */
			CU_ASSERT(reads(wrong[i]))
		else
			CU_ASSERT(!reads(wrong[i]) && why[0] != '\0');
	}
	CU_ASSERT(!reads("route add 10.0.0.0/8 via 192.0.2.1 metric 1 metric 2"));
	CU_ASSERT_STRING_EQUAL(why, "duplicate \"metric\"");
	CU_ASSERT(!reads("socket show state listen tcp state"));
	CU_ASSERT_STRING_EQUAL(why, "missing TCP state after \"state\" (example: established)");
	for (unsigned i = 0; i < 300; i++)
		memcpy(text + 2 * i, "a ", 3);
	CU_ASSERT(!reads(text)); /* too many words */
	memset(text, 'a', CTL_COMMAND_MAX + 1);
	text[CTL_COMMAND_MAX + 1] = '\0';
	CU_ASSERT(!reads(text));
	free(text);
}

/* Writes one of each list. Returns it, to be freed by the caller. */
static char *lists(bool is_json)
{
	struct pc_route_info routes[3] = {
	    {.route = {.port = 1}, .connected = true},
	    {.route = {.metric = 5, .mtu = 1400, .weight = 3}, .down = true},
	    {.learnt = true}};
	struct pc_stack_addr addrs[2] = {{.ready = true},
	                                 {.port = 2, .autoconf = true, .tentative = true}};
	struct pc_neigh_info neighs[2] = {
	    {.mac = {2, 0, 0, 0, 0, 0xfe}, .state = PC_NEIGH_REACHABLE, .fixed = true},
	    {.port = 1, .state = PC_NEIGH_INCOMPLETE, .held = 3}};
	struct pc_socket_info sockets[6] = {
	    {.fd = 1029,
	     .proto = IPPROTO_TCP,
	     .state = 1,
	     .rcv_queue = 5,
	     .snd_queue = 7000,
	     .srtt_us = 1205,
	     .cwnd = 14600,
	     .mss = 1460,
	     .idle_ms = 2003,
	     .retries = 2},
	    {.fd = -1, .proto = IPPROTO_UDP, .state = 7},
	    {.fd = 3, .proto = IPPROTO_TCP, .state = 10, .signature = PC_SIGNED_AO},
	    {.fd = 4, .proto = IPPROTO_ICMPV6, .state = 7, .kind = PC_SOCKET_RAW},
	    {.fd = 5, .state = 7, .kind = PC_SOCKET_PACKET, .ethertype = 0x806, .ifindex = 1},
	    {.fd = 6, .state = 7, .kind = PC_SOCKET_PACKET, .ethertype = 3}};
	const struct pc_stack_usage usage = {.connections = 3, .connections_max = UINT32_MAX};
	struct pc_counters counters = {0};
	struct rows o = {.is_json = is_json};
	char *text = NULL;
	size_t n;

	o.f = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o.f);
	pc_prefix_parse("10.0.0.0/24", &routes[0].route.dest);
	pc_prefix_parse("0.0.0.0/0", &routes[1].route.dest);
	pc_addr_parse("10.0.0.254", &routes[1].route.gateway);
	pc_addr_parse("fe80::1", &routes[2].route.gateway);
	pc_prefix_parse("10.0.0.1/24", &addrs[0].addr);
	pc_prefix_parse("fd00::1/64", &addrs[1].addr);
	ctl_print_routes(&o, routes, 3);
	ctl_print_addrs(&o, addrs, 2);
	ctl_print_denied(&o, &addrs[1].addr, 1);
	pc_addr_parse("10.0.0.2", &neighs[0].addr);
	pc_addr_parse("fd00::2", &neighs[1].addr);
	ctl_print_neighs(&o, neighs, 2);
	pc_addr_parse("10.0.0.1", &sockets[0].local.addr);
	pc_addr_parse("10.0.0.2", &sockets[0].remote.addr);
	sockets[0].local.port = 80;
	sockets[0].remote.port = 40000;
	ctl_print_sockets(&o, sockets, 6, 3);
	ctl_print_usage(&o, &usage);
	counters.value[PC_DROP_TCP_CLOSED] = 4;
	ctl_print_counters(&o, &counters, false);
	fclose(o.f);
	return text;
}

static void test_lists(void)
{
	char *text = lists(false);

	CU_ASSERT_STRING_EQUAL(
	    text, "10.0.0.0/24 port 1 connected\n"
	          "0.0.0.0/0 via 10.0.0.254 port 0 metric 5 mtu 1400 weight 3 down\n"
	          "::/0 via fe80::1 port 0 learnt\n"
	          "10.0.0.1/24 port 0\n"
	          "fd00::1/64 port 2 autoconf tentative not-ready\n"
	          "fd00::1/64\n"
	          "10.0.0.2 mac 02:00:00:00:00:fe port 0 reachable fixed\n"
	          "fd00::2 port 1 incomplete held 3\n"
	          "tcp established      5   7000           10.0.0.1:80        10.0.0.2:40000 "
	          "lcore 3 fd 1029 rtt 1.205 ms cwnd 10 mss 1460 idle 2.003 s retries 2\n"
	          "udp unconn           0      0                [::]:0                [::]:0 "
	          "lcore 3\n"
	          "tcp listen           0      0                [::]:0                [::]:0 "
	          "lcore 3 fd 3 ao\n"
	          "raw unconn           0      0                    ::                    :: "
	          "lcore 3 fd 4 ip-protocol 58\n"
	          "packet unconn           0      0                     *                     * "
	          "lcore 3 fd 5 ethertype 0x0806 bound to port 0\n"
	          "packet unconn           0      0                     *                     * "
	          "lcore 3 fd 6\n"
	          "connections 3 of 4294967295\n"
	          "half-open 0 of 0\n"
	          "time-wait 0 of 0\n"
	          "neighbours 0 of 0\n"
	          "udp-sockets 0 of 0\n"
	          "listeners 0 of 0\n"
	          "drop_tcp_closed 4\n");
	free(text);
}

/* Each counter has one value for each lcore, behind what it is. */
static void test_metrics(void)
{
	struct pc_counters counters[2] = {0};
	const struct ctl_lcore_metrics lcores[2] = {
	    {.lcore = 3,
	     .counters = &counters[0],
	     .busy_ns = 1000000005,
	     .usage = {.udp_sockets = 4, .udp_sockets_max = 9}},
	    {.lcore = 7, .counters = &counters[1]}};
	unsigned types = 0;
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	counters[1].value[PC_RX_FRAMES] = UINT64_MAX;
	ctl_print_metrics(f, lcores, 2);
	ctl_print_total(f, "of-a.program", "back\\slash \"quoted\"\nline", 5);
	ctl_print_label(f, "name", "a\\b\"c\nd");
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# TYPE percore_rx_frames_total counter\n"
	                                    "percore_rx_frames_total{lcore=\"3\"} 0\n"
	                                    "percore_rx_frames_total{lcore=\"7\"} "
	                                    "18446744073709551615\n#"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(text, "percore_lcore_busy_seconds_total{lcore=\"3\"} 1.000000005\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# TYPE percore_used gauge\n"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(text, "\npercore_used{lcore=\"3\",what=\"udp-sockets\"} 4\n"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(text, "\npercore_limit{lcore=\"3\",what=\"udp-sockets\"} 9\n"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(text, "\n# HELP percore_of_a_program_total back\\\\slash \"quoted\"\\nline\n"
	                 "# TYPE percore_of_a_program_total counter\n"
	                 "percore_of_a_program_total 5\n"
	                 "name=\"a\\\\b\\\"c\\nd\""));
	CU_ASSERT_PTR_NULL(strstr(text, "drop_none"));
	for (const char *at = text; (at = strstr(at, "# TYPE ")) != NULL; at++)
		types++;
	CU_ASSERT_EQUAL(types, PC_COUNTER_MAX - 1 + 3 + 1);
	free(text);
}

static void test_json_lists(void)
{
	char *text = lists(true);

	CU_ASSERT_STRING_EQUAL(
	    text,
	    "\n{\"network\":\"10.0.0.0/24\",\"via\":null,\"port\":1,\"metric\":0,\"mtu\":null,"
	    "\"weight\":1,\"connected\":true,\"learnt\":false,\"down\":false},\n"
	    "{\"network\":\"0.0.0.0/0\",\"via\":\"10.0.0.254\",\"port\":0,\"metric\":5,"
	    "\"mtu\":1400,\"weight\":3,\"connected\":false,\"learnt\":false,\"down\":true},\n"
	    "{\"network\":\"::/0\",\"via\":\"fe80::1\",\"port\":0,\"metric\":0,\"mtu\":null,"
	    "\"weight\":1,\"connected\":false,\"learnt\":true,\"down\":false},\n"
	    "{\"address\":\"10.0.0.1/24\",\"port\":0,\"autoconf\":false,"
	    "\"deprecated\":false,\"tentative\":false,\"duplicate\":false,\"not_ready\":false},\n"
	    "{\"address\":\"fd00::1/64\",\"port\":2,\"autoconf\":true,"
	    "\"deprecated\":false,\"tentative\":true,\"duplicate\":false,\"not_ready\":true},\n"
	    "{\"network\":\"fd00::1/64\"},\n"
	    "{\"address\":\"10.0.0.2\",\"mac\":\"02:00:00:00:00:fe\",\"port\":0,"
	    "\"state\":\"reachable\",\"fixed\":true,\"held\":0},\n"
	    "{\"address\":\"fd00::2\",\"mac\":null,\"port\":1,"
	    "\"state\":\"incomplete\",\"fixed\":false,\"held\":3},\n"
	    "{\"protocol\":\"tcp\",\"state\":\"established\",\"rcv_queue\":5,\"snd_queue\":7000,"
	    "\"local\":\"10.0.0.1\",\"local_port\":80,\"remote\":\"10.0.0.2\","
	    "\"remote_port\":40000,\"lcore\":3,\"fd\":1029,\"rtt_us\":1205,\"cwnd\":10,"
	    "\"mss\":1460,\"idle_ms\":2003,\"retries\":2,\"signature\":null,"
	    "\"ip_protocol\":null,\"ethertype\":null,\"bound_port\":null},\n"
	    "{\"protocol\":\"udp\",\"state\":\"unconn\",\"rcv_queue\":0,\"snd_queue\":0,"
	    "\"local\":\"::\",\"local_port\":0,\"remote\":\"::\",\"remote_port\":0,\"lcore\":3,"
	    "\"fd\":null,\"rtt_us\":null,\"cwnd\":null,\"mss\":null,\"idle_ms\":null,"
	    "\"retries\":0,\"signature\":null,"
	    "\"ip_protocol\":null,\"ethertype\":null,\"bound_port\":null},\n"
	    "{\"protocol\":\"tcp\",\"state\":\"listen\",\"rcv_queue\":0,\"snd_queue\":0,"
	    "\"local\":\"::\",\"local_port\":0,\"remote\":\"::\",\"remote_port\":0,\"lcore\":3,"
	    "\"fd\":3,\"rtt_us\":null,\"cwnd\":null,\"mss\":null,\"idle_ms\":null,"
	    "\"retries\":0,\"signature\":\"ao\","
	    "\"ip_protocol\":null,\"ethertype\":null,\"bound_port\":null},\n"
	    "{\"protocol\":\"raw\",\"state\":\"unconn\",\"rcv_queue\":0,\"snd_queue\":0,"
	    "\"local\":\"::\",\"local_port\":null,\"remote\":\"::\",\"remote_port\":null,"
	    "\"lcore\":3,\"fd\":4,\"rtt_us\":null,\"cwnd\":null,\"mss\":null,\"idle_ms\":null,"
	    "\"retries\":0,\"signature\":null,\"ip_protocol\":58,\"ethertype\":null,"
	    "\"bound_port\":null},\n"
	    "{\"protocol\":\"packet\",\"state\":\"unconn\",\"rcv_queue\":0,\"snd_queue\":0,"
	    "\"local\":null,\"local_port\":null,\"remote\":null,\"remote_port\":null,"
	    "\"lcore\":3,\"fd\":5,\"rtt_us\":null,\"cwnd\":null,\"mss\":null,\"idle_ms\":null,"
	    "\"retries\":0,\"signature\":null,\"ip_protocol\":null,\"ethertype\":2054,"
	    "\"bound_port\":0},\n"
	    "{\"protocol\":\"packet\",\"state\":\"unconn\",\"rcv_queue\":0,\"snd_queue\":0,"
	    "\"local\":null,\"local_port\":null,\"remote\":null,\"remote_port\":null,"
	    "\"lcore\":3,\"fd\":6,\"rtt_us\":null,\"cwnd\":null,\"mss\":null,\"idle_ms\":null,"
	    "\"retries\":0,\"signature\":null,\"ip_protocol\":null,\"ethertype\":null,"
	    "\"bound_port\":null},\n"
	    "{\"name\":\"connections\",\"used\":3,\"limit\":4294967295},\n"
	    "{\"name\":\"half-open\",\"used\":0,\"limit\":0},\n"
	    "{\"name\":\"time-wait\",\"used\":0,\"limit\":0},\n"
	    "{\"name\":\"neighbours\",\"used\":0,\"limit\":0},\n"
	    "{\"name\":\"udp-sockets\",\"used\":0,\"limit\":0},\n"
	    "{\"name\":\"listeners\",\"used\":0,\"limit\":0},\n"
	    "{\"name\":\"drop_tcp_closed\",\"value\":4}");
	free(text);
}

/* A word before a command that shows a list; nothing else can be in JSON. */
static void test_json(void)
{
	static const char *const refused[] = {
	    "json",
	    "json json route show",
	    "json route add 10.0.0.0/8 via 192.0.2.1",
	    "json capture",
	    "json firewall load a",
	    "json firewall check a",
	    "json firewall flush",
	    "json firewall table bad add f",
	};

	CU_ASSERT(reads("route show") && !c.is_json);
	CU_ASSERT(reads("json route show") && c.is_json && c.verb == CTL_SHOW_ROUTES);
	CU_ASSERT(reads("json counters show all") && c.is_json && c.all);
	CU_ASSERT(reads("json lcore") && c.is_json && c.verb == CTL_SHOW_LCORES);
	CU_ASSERT(reads("json firewall") && c.is_json && c.verb == CTL_SHOW_FIREWALL);
	CU_ASSERT(reads("json firewall table bad test 80") && c.verb == CTL_TEST_TABLE);
	CU_ASSERT(reads("json firewall table json show") && c.verb == CTL_SHOW_TABLE);
	CU_ASSERT_STRING_EQUAL(c.table, "json");
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		why[0] = '\0';
		CU_ASSERT(!reads(refused[i]) && why[0] != '\0');
	}
}

static const struct unit_case cases[] = {
    {"routes", test_routes},
    {"addresses, neighbours and the rest", test_others},
    {"which sockets are shown", test_sockets},
    {"captures", test_capture},
    {"mistakes", test_mistakes},
    {"lists", test_lists},
    {"metrics for Prometheus", test_metrics},
    {"lists in JSON", test_json_lists},
    {"commands whose answer is in JSON", test_json},
};

UNIT_MAIN("run/ctl", cases)
