/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

static void defaults_are_those_of_the_tables(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(s->stack.tcp_rcvbuf, 524288);
	CU_ASSERT_EQUAL(s->run.run_drain_ms, 5000);
	CU_ASSERT_EQUAL(s->run.port_rxd, 1024);
	CU_ASSERT_EQUAL(s->run.port_offloads, 1);
	CU_ASSERT_EQUAL(s->nb_addrs, 0);
	free(s);
}

static void every_table_can_be_set(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(settings_assign(s, "tcp.rcvbuf=8192"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "stack.seed=0xffffffffffffffff"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "run.drain_ms=0"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "test.answer=7"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "tcp.nagle=off"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "tcp.keepalive=Yes"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "net.addr=10.0.0.1/24, 1=10.0.1.1/16"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "net.gateway=10.0.0.254"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "run.pcap=a=b.pcap"), 0);
	CU_ASSERT_EQUAL(s->stack.tcp_rcvbuf, 8192);
	CU_ASSERT_EQUAL(s->stack.stack_seed, UINT64_MAX);
	CU_ASSERT_EQUAL(s->run.run_drain_ms, 0);
	CU_ASSERT_EQUAL(test_config.answer, 7);
	CU_ASSERT_EQUAL(s->stack.tcp_nagle, 0);
	CU_ASSERT_EQUAL(s->stack.tcp_keepalive, 1);
	CU_ASSERT_EQUAL_FATAL(s->nb_addrs, 2);
	CU_ASSERT_EQUAL(s->addrs[0].port, 0);
	CU_ASSERT_EQUAL(s->addrs[1].port, 1);
	CU_ASSERT_EQUAL(s->addrs[1].prefix.len, 112);
	CU_ASSERT_EQUAL(s->nb_gateways, 1);
	CU_ASSERT_EQUAL(settings_assign(s, "net.gateway=fd00::fe"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "net.gateway=10.0.0.9, fd00::fd"), 0);
	CU_ASSERT_EQUAL_FATAL(s->nb_gateways, 2); /* one of each family, the last one */
	CU_ASSERT(s->gateway[0].b[15] == 9 && s->gateway[1].b[15] == 0xfd);
	CU_ASSERT_STRING_EQUAL(s->pcap, "a=b.pcap");
	free(s);
}

static void ports_get_mac_addresses(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(s->macs_given, 0);
	CU_ASSERT_EQUAL(settings_assign(s, "net.mac=02:00:00:00:00:01, 3=02:00:00:00:00:0A"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "net.mac=0=02:00:00:00:00:02"), 0); /* the last one */
	CU_ASSERT_EQUAL(s->macs_given, 1 | 8);
	CU_ASSERT_EQUAL(memcmp(s->mac[0], "\2\0\0\0\0\2", 6), 0);
	CU_ASSERT_EQUAL(memcmp(s->mac[3], "\2\0\0\0\0\12", 6), 0);
	free(s);
}

static void mistakes_are_told_exactly(void)
{
	static const struct {
		const char *assignment, *why;
	} cases[] = {
	    {"", "--set: \"\" is not section.key=value"},
	    {"tcp.rcvbuf", "--set: \"tcp.rcvbuf\" is not section.key=value"},
	    {"rcvbuf=5.0", "--set: \"rcvbuf=5.0\" is not section.key=value"},
	    {"tcp.rcvbuff=1", "--set: unknown key tcp.rcvbuff; did you mean tcp.rcvbuf?"},
	    {"net.adr=1", "--set: unknown key net.adr; did you mean net.addr?"},
	    {"tcp.something_else=1",
	     "--set: unknown key tcp.something_else; --help lists all keys"},
	    {"tpc.rcvbuf=1", "--set: unknown section [tpc] (known: stack, arp, ip, ip6, firewall, "
	                     "icmp, exception, udp, tcp, run, port, test, net)"},
	    {"tcp.rcvbuf=",
	     "--set: tcp.rcvbuf: \"\" is not a number from 4096 to 1073741824 (bytes)"},
	    {"tcp.rcvbuf=12k",
	     "--set: tcp.rcvbuf: \"12k\" is not a number from 4096 to 1073741824 (bytes)"},
	    {"tcp.rcvbuf=-1",
	     "--set: tcp.rcvbuf: \"-1\" is not a number from 4096 to 1073741824 (bytes)"},
	    {"tcp.rcvbuf=99999999999999999999", "--set: tcp.rcvbuf: \"99999999999999999999\" is "
	                                        "not a number from 4096 to 1073741824 (bytes)"},
	    {"tcp.rcvbuf=1", "--set: tcp.rcvbuf: 1 is out of range (4096 to 1073741824 bytes)"},
	    {"tcp.rcvbuf=on",
	     "--set: tcp.rcvbuf: \"on\" is not a number from 4096 to 1073741824 (bytes)"},
	    {"test.answer=101", "--set: test.answer: 101 is out of range (1 to 100 number)"},
	    {"net.addr=", "--set: net.addr: missing address (example: 10.0.0.1/24)"},
	    {"net.addr=10.0.0.1",
	     "--set: net.addr: \"10.0.0.1\" has no prefix length (example: 10.0.0.1/24)"},
	    {"net.addr=fd00::1",
	     "--set: net.addr: \"fd00::1\" has no prefix length (example: fd00::1/64)"},
	    {"net.addr=10.0.0.1/33", "--set: net.addr: \"10.0.0.1/33\" is not an IPv4 or IPv6 "
	                             "address with a prefix length (example: 10.0.0.1/24)"},
	    {"net.addr=10.0.0.1/0",
	     "--set: net.addr: \"10.0.0.1/0\": with a prefix length of 0 every address would be on "
	     "the link (example: 10.0.0.1/24)"},
	    {"net.addr=1=fd00::1/0",
	     "--set: net.addr: \"fd00::1/0\": with a prefix length of 0 every address would be on "
	     "the link (example: 10.0.0.1/24)"},
	    {"net.addr=dhcp,slaac,1=dhcp,dhcp", "--set: net.addr: duplicate \"dhcp\""},
	    {"net.addr=10.0.0.1/24,x", "--set: net.addr: \"x\" is not an IPv4 or IPv6 address with "
	                               "a prefix length (example: 10.0.0.1/24)"},
	    {"net.mac=", "--set: net.mac: missing MAC address (example: 02:00:00:00:00:01)"},
	    {"net.mac=02:00:00:00:00",
	     "--set: net.mac: \"02:00:00:00:00\" is not a unicast MAC address (example: "
	     "02:00:00:00:00:01)"},
	    {"net.mac=1=01:00:5e:00:00:01",
	     "--set: net.mac: \"1=01:00:5e:00:00:01\" is not a unicast MAC address "
	     "(example: 02:00:00:00:00:01)"},
	    {"net.mac=00:00:00:00:00:00",
	     "--set: net.mac: \"00:00:00:00:00:00\" is not a unicast MAC address "
	     "(example: 02:00:00:00:00:01)"},
	    {"net.mac=16=02:00:00:00:00:01",
	     "--set: net.mac: \"16=02:00:00:00:00:01\" is not PORT=MAC (ports 0 to 15; example: "
	     "1=02:00:00:00:00:01)"},
	    {"net.mac=0.5=02:00:00:00:00:01",
	     "--set: net.mac: \"0.5=02:00:00:00:00:01\" is not PORT=MAC (ports 0 to 15; example: "
	     "1=02:00:00:00:00:01)"},
	    {"net.addr=16=10.0.0.1/24",
	     "--set: net.addr: \"16=10.0.0.1/24\" is not PORT[.VLAN[.VLAN]]=ADDRESS/LENGTH (ports "
	     "0 to 15, VLANs 1 to 4094; example: 0.10=10.0.0.1/24)"},
	    {"net.addr=0.4095=10.0.0.1/24",
	     "--set: net.addr: \"0.4095=10.0.0.1/24\" is not PORT[.VLAN[.VLAN]]=ADDRESS/LENGTH "
	     "(ports 0 to 15, VLANs 1 to 4094; example: 0.10=10.0.0.1/24)"},
	    {"net.deny=10.0.0.0/24, nobody",
	     "--set: net.deny: \"nobody\" is not a network (example: 192.0.2.0/24)"},
	    {"net.gateway=10.0.0.8,10.0.0.9",
	     "--set: net.gateway: \"10.0.0.9\" is a second gateway of "
	     "its family; percore-ctl adds more routes"},
	    {"net.gateway=10.0.0",
	     "--set: net.gateway: \"10.0.0\" is not an IPv4 or IPv6 address (example: 10.0.0.254)"},
	    {"run.pcap=",
	     "--set: run.pcap: \"\" is not a path of 1 to 4063 bytes (example: trace.pcap)"},
	    {"exception.iface=percore_test",
	     "--set: exception.iface: \"percore_test\" is not an interface name of 1 to 10 "
	     "characters (example: percore)"},
	    {"exception.iface=a/b", "--set: exception.iface: \"a/b\" is not an interface name of 1 "
	                            "to 10 characters (example: percore)"},
	};
	struct settings *s = test_settings();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(settings_assign(s, cases[i].assignment), -1);
		assert_text(s->why, cases[i].why);
	}
	free(s);
}

static void what_is_missing_is_told(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(settings_check(s), -1);
	assert_text(s->why, "missing address (example: --addr 10.0.0.1/24)");
	CU_ASSERT_EQUAL(settings_add_addrs(s, "--addr", "10.0.0.1/24"), 0);
	CU_ASSERT_EQUAL(settings_check(s), 0);
	free(s);
}

static void there_is_a_limit_to_addresses(void)
{
	struct settings *s = test_settings();

	for (int i = 0; i < PC_MAX_ADDRS; i++)
		CU_ASSERT_EQUAL(settings_add_addrs(s, "--addr", "10.0.0.1/24"), 0);
	CU_ASSERT_EQUAL(settings_add_addrs(s, "--addr", "10.0.0.1/24"), -1);
	assert_text(s->why, "--addr: too many addresses (at most 64)");
	free(s);
}

static void without_a_stack_its_keys_are_gone(void)
{
	static const struct pc_run_frames frames = {0};
	static const char *const of_stacks[] = {"net.deny=192.0.2.0/24", "run.sockets=/x",
	                                        "run.control=/x",        "run.leases=/x",
	                                        "firewall.rules=/x",     "exception.iface=x"};
	static const char *const addrs[] = {"dhcp", "slaac", "1=dhcp", "0.10=10.0.0.1/24"};
	const struct pc_run_app app = {.name = "test", .frames = &frames};
	struct settings *s = malloc(sizeof(*s));

	settings_init(s, &app, NULL);
	CU_ASSERT_EQUAL(settings_check(s), 0); /* it may do without an address */
	CU_ASSERT_EQUAL(settings_assign(s, "stack.mbufs=1"), 0);
	CU_ASSERT_EQUAL(settings_check(s), -1);
	assert_text(s->why, "stack.mbufs: too few for a burst of 32 frames");
	CU_ASSERT_EQUAL(settings_assign(s, "stack.mbufs=9000"), 0);
	CU_ASSERT_EQUAL(s->stack.stack_mbufs, 9000);
	CU_ASSERT_EQUAL(settings_assign(s, "port.rxd=64"), 0);
	CU_ASSERT_EQUAL(settings_assign(s, "tcp.nagle=0"), -1);
	CU_ASSERT_EQUAL(settings_assign(s, "stack.max_connections=5"), -1);
	/* nor those of a stack that are not numbers: they would have no effect */
	for (size_t i = 0; i < sizeof(of_stacks) / sizeof(of_stacks[0]); i++) {
		CU_ASSERT_EQUAL(settings_assign(s, of_stacks[i]), -1);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(s->why, "is for programs with a stack; test has none"));
	}
	CU_ASSERT_EQUAL(settings_assign(s, "net.gateway=10.0.0.254"), 0);
	CU_ASSERT_EQUAL(settings_check(s), -1);
	assert_text(s->why, "a gateway requires an address (--addr)");
	CU_ASSERT_EQUAL(settings_assign(s, "run.pcap=x"), 0);
	/* nor addresses that a stack would have to get, or on a VLAN */
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		CU_ASSERT_EQUAL(settings_add_addrs(s, "--addr", addrs[i]), -1);
		CU_ASSERT_PTR_NOT_NULL(
		    strstr(s->why, "requires a stack, which test does not have"));
	}
	CU_ASSERT_EQUAL(settings_add_addrs(s, "--addr", "0=10.0.0.1/24"), 0);
	CU_ASSERT_EQUAL(settings_check(s), 0);
	free(s);
}

static void own_defaults(struct pc_stack_config *config)
{
	config->tcp_give_way_ms = 77;
}

static void a_program_has_defaults_of_its_own(void)
{
	const struct pc_run_app app = {.name = "test", .defaults = own_defaults};
	struct settings *s = malloc(sizeof(*s));
	char *text = NULL;
	size_t len;
	FILE *f;

	settings_init(s, &app, NULL);
	CU_ASSERT_EQUAL(s->stack.tcp_give_way_ms, 77);
	CU_ASSERT_EQUAL(s->stack.tcp_backlog, 65535);
	CU_ASSERT_EQUAL(settings_assign(s, "tcp.give_way_ms=5"), 0);
	CU_ASSERT_EQUAL(s->stack.tcp_give_way_ms, 5);
	f = open_memstream(&text, &len);
	help_print_config(s, f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "#give_way_ms = 77\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "#backlog = 65535\n"));
	free(text);
	free(s);
}

static const struct unit_case cases[] = {
    {"defaults are those of the tables", defaults_are_those_of_the_tables},
    {"every table can be set", every_table_can_be_set},
    {"mistakes are told exactly", mistakes_are_told_exactly},
    {"what is missing is told", what_is_missing_is_told},
    {"ports get MAC addresses", ports_get_mac_addresses},
    {"there is a limit to addresses", there_is_a_limit_to_addresses},
    {"without a stack its keys are gone", without_a_stack_its_keys_are_gone},
    {"a program has defaults of its own", a_program_has_defaults_of_its_own},
};

UNIT_MAIN("run/settings", cases)
