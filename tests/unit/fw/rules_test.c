/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/rules.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"

#define MAX   100
#define ADDRS 80

static struct fw_rules r;
static char why[256];

/* what is in the files of tables, and in /etc/services; NULL: there is none */
static const char *file, *services;

static char *read_file(void *arg, const char *path, size_t *len, char *reason, size_t reason_len)
{
	const char *text = strcmp(path, "/etc/services") == 0 ? services : file;
	char *copy;

	(void)arg;
	if (text == NULL) {
		snprintf(reason, reason_len, "%s: there is none", path);
		return NULL;
	}
	*len = strlen(text);
	copy = malloc(*len + 1);
	if (copy != NULL)
		memcpy(copy, text, *len); /* a file has no NUL */
	return copy;
}

static int read_bytes(const char *text, size_t len)
{
	static const char *const names[] = {"net_tap0", "net_tap0.10", "0000:03:00.1"};
	const struct pc_firewall_args args = {.text = text,
	                                      .len = len,
	                                      .name = "a.fw",
	                                      .max_rules = MAX,
	                                      .max_addrs = ADDRS,
	                                      .nb_ports = 3,
	                                      .port_names = names,
	                                      .read_file = read_file};

	return fw_rules_read(&r, &args, why, sizeof(why));
}

static int read_text(const char *text)
{
	why[0] = '\0';
	return read_bytes(text, strlen(text));
}

/* What is wrong, and what the line about it says. */
static const struct {
	const char *text, *why;
} bad[] = {
    {"accept in", "a.fw:1: \"accept\" is not \"pass\", \"drop\" or \"reject\""},
    {"\n# nothing\npass", "a.fw:3: missing \"in\" or \"out\""},
    {"pass both", "a.fw:1: \"both\" is not \"in\" or \"out\""},
    {"pass in\ndrop in quick", "a.fw:2: unexpected \"quick\""},
    {"pass in from",
     "a.fw:1: missing argument after \"from\" (example: 192.0.2.0/24, <table>, any, or port 80)"},
    {"pass in from 10.0.0.0/33",
     "a.fw:1: \"10.0.0.0/33\" is not an address or network (example: 192.0.2.0/24)"},
    {"pass in from 10.0.0",
     "a.fw:1: \"10.0.0\" is not an address or network (example: 192.0.2.0/24)"},
    {"pass in from 10.0.0.1,,10.0.0.2", "a.fw:1: empty item in the list after \"from\""},
    {"pass in from 10.0.0.1 from 10.0.0.2", "a.fw:1: duplicate \"from\""},
    {"pass in to any to port 5", "a.fw:1: \"port\" requires \"proto tcp\" or \"proto udp\""},
    {"pass in proto tcp to port 1 to port 2", "a.fw:1: duplicate \"to\""},
    {"pass in to 2001:db8::/129",
     "a.fw:1: \"2001:db8::/129\" is not an address or network (example: 192.0.2.0/24)"},
    {"pass in proto tpc", "a.fw:1: \"tpc\" is not a protocol (example: tcp, udp, icmp or icmp6)"},
    {"pass in proto 256", "a.fw:1: \"256\" is not a protocol (example: tcp, udp, icmp or icmp6)"},
    {"pass in proto tcp proto udp", "a.fw:1: duplicate \"proto\""},
    {"pass in proto tcp to port 80-",
     "a.fw:1: \"80-\" is not a port or range (example: 80 or 8000-8080)"},
    {"pass in proto tcp to port -80",
     "a.fw:1: \"-80\" is not a port or range (example: 80 or 8000-8080)"},
    {"pass in proto tcp to port 90-80",
     "a.fw:1: \"90-80\" is not a port or range (example: 80 or 8000-8080)"},
    {"pass in proto tcp to port 65536",
     "a.fw:1: \"65536\" is not a port or range (example: 80 or 8000-8080)"},
    {"pass in proto tcp to port http", "a.fw:1: /etc/services: there is none"},
    {"pass in proto tcp to port",
     "a.fw:1: missing argument after \"port\" (example: 80, 8000-8080, https or <table>)"},
    {"pass in proto tcp,icmp to port 80",
     "a.fw:1: \"port\" requires \"proto tcp\" or \"proto udp\""},
    {"pass in icmp-type 8",
     "a.fw:1: \"icmp-type\" requires a preceding \"proto icmp\" or \"proto icmp6\""},
    {"pass in proto icmp icmp-type packet-too-big",
     "a.fw:1: \"packet-too-big\" is not an ICMP type (example: echo-request)"},
    {"pass in proto icmp icmp-type 256",
     "a.fw:1: \"256\" is not an ICMP type (example: echo-request)"},
    {"pass in proto icmp icmp-type 3,8 icmp-type 0", "a.fw:1: duplicate \"icmp-type\""},
    {"pass in proto icmp code 3", "a.fw:1: unexpected \"code\""},
    {"pass in proto icmp icmp-type 3 code",
     "a.fw:1: missing argument after \"code\" (example: port-unreachable)"},
    {"pass in proto icmp icmp-type 3 code 256",
     "a.fw:1: \"256\" is not a code of this ICMP type (example: 3)"},
    {"pass in proto icmp icmp-type 3 code no-route",
     "a.fw:1: \"no-route\" is not a code of this ICMP type (example: 3)"},
    {"pass in proto icmp icmp-type 3,11 code port-unreachable",
     "a.fw:1: \"port-unreachable\" is not a code of this ICMP type (example: 3)"},
    {"pass in proto icmp icmp-type !3 code port-unreachable",
     "a.fw:1: \"port-unreachable\" is not a code of this ICMP type (example: 3)"},
    {"pass in proto icmp icmp-type 3 code 3 from port 80",
     "a.fw:1: \"port\" requires \"proto tcp\" or \"proto udp\""},
    {"pass in state new state established", "a.fw:1: duplicate \"state\""},
    {"pass in on 0 on 1", "a.fw:1: duplicate \"on\""},
    {"pass in limit 10/s limit 1000000/s", "a.fw:1: duplicate \"limit\""},
    {"pass in state open",
     "a.fw:1: \"open\" is not a state (new, established, related or invalid)"},
    {"pass in state 0", "a.fw:1: \"0\" is not a state (new, established, related or invalid)"},
    {"pass in limit 10", "a.fw:1: \"10\" is not a rate (example: 100/s, 3/m, 20/h or 50/d)"},
    {"pass in limit 10/w", "a.fw:1: \"10/w\" is not a rate (example: 100/s, 3/m, 20/h or 50/d)"},
    {"pass in limit 10/min",
     "a.fw:1: \"10/min\" is not a rate (example: 100/s, 3/m, 20/h or 50/d)"},
    {"pass in limit 10/", "a.fw:1: \"10/\" is not a rate (example: 100/s, 3/m, 20/h or 50/d)"},
    {"pass in limit 0/d", "a.fw:1: \"0/d\" is not a rate from 1/d to 1000000000/d"},
    {"pass in limit 1/d burst 40000",
     "a.fw:1: \"burst\" 40000 exceeds what the limit admits in 100 years"},
    {"pass in limit 0/s", "a.fw:1: \"0/s\" is not a rate from 1/s to 1000000000/s"},
    {"pass in limit 10/s burst 0", "a.fw:1: \"0\" is not a number of packets from 1 to 1000000000"},
    {"drop in limit 10/s", "a.fw:1: \"limit\" is valid only with \"pass\" or \"reject\""},
    {"pass in burst 5", "a.fw:1: unexpected \"burst\""},
    {"pass in on eth0", "a.fw:1: \"eth0\" is not a port number or name"},
    {"pass in inet to 2001:db8::1", "a.fw:1: rule can never match: it mixes IPv4 and IPv6"},
    {"pass in from 10.0.0.1 to 2001:db8::1",
     "a.fw:1: rule can never match: it mixes IPv4 and IPv6"},
    {"pass in proto icmp6 from 10.0.0.1", "a.fw:1: rule can never match: it mixes IPv4 and IPv6"},
    {"pass in\npass in inet to 2001:db8::1",
     "a.fw:2: rule can never match: it mixes IPv4 and IPv6"},
    {"pass in from <bad>", "a.fw:1: table \"<bad>\" is not defined on a preceding line"},
    {"table bad\npass in from <bad", "a.fw:2: table \"<bad\" is not defined on a preceding line"},
    {"pass in from <>", "a.fw:1: table \"<>\" is not defined on a preceding line"},
    {"table web ports\npass in from <web>",
     "a.fw:2: table \"<web>\" contains ports, not addresses"},
    {"table bad\npass in proto tcp to port <bad>",
     "a.fw:2: table \"<bad>\" contains addresses, not ports"},
    {"pass in proto tcp to port <web>",
     "a.fw:1: table \"<web>\" is not defined on a preceding line"},
    {"table web ports\npass in to port <web>",
     "a.fw:2: \"port\" requires \"proto tcp\" or \"proto udp\""},
    {"table web ports\npass in proto tcp to port <web> to port 80", "a.fw:2: duplicate \"to\""},
    {"table web ports { 80,\n10.0.0.1 }",
     "a.fw:2: \"10.0.0.1\" is not a port or range (example: 80 or 8000-8080)"},
    {"table web { 80 }", "a.fw:1: \"80\" is not an address or network (example: 192.0.2.0/24)"},
    {"table web port { 80 }", "a.fw:1: \"port\" is neither \"{\" nor \"file\""},
    {"pass in from 10.0.0.1,any", "a.fw:1: \"any\" cannot be negated or part of a list"},
    {"table", "a.fw:1: missing table name"},
    {"table a/b",
     "a.fw:1: \"a/b\" is not a table name (up to 31 letters, digits, \"-\", \"_\" and \".\")"},
    {"table abcdefghijklmnopqrstuvwxyz012345",
     "a.fw:1: \"abcdefghijklmnopqrstuvwxyz012345\" is not a table name (up to 31 letters, digits, "
     "\"-\", \"_\" and \".\")"},
    {"table a\n\ntable a", "a.fw:3: duplicate table \"a\" (first on line 1)"},
    {"table a 10.0.0.1", "a.fw:1: \"10.0.0.1\" is neither \"{\" nor \"file\""},
    {"table a {\n 10.0.0.1\n", "a.fw:3: missing \"}\" of the table on line 1"},
    {"table a {\n 10.0.0.1, 10.0.0.256 }",
     "a.fw:2: \"10.0.0.256\" is not an address or network (example: 192.0.2.0/24)"},
    {"table a { {", "a.fw:1: unexpected \"{\""},
    {"table a {\n} pass in", "a.fw:2: unexpected \"pass\""},
    {"table a file", "a.fw:1: missing path after \"file\" (example: /etc/percore.table)"},
    {"table a file addrs",
     "a.fw:1: \"addrs\" is not an absolute path (example: /etc/percore.table)"},
    {"table a file /addrs", "a.fw:1: /addrs: there is none"},
    {"pass in from !any", "a.fw:1: \"any\" cannot be negated or part of a list"},
    {"pass in from !",
     "a.fw:1: missing argument after \"!\" (example: 192.0.2.0/24, <table>, any, or port 80)"},
    {"pass in from 10.0.0.1,!10.0.0.2",
     "a.fw:1: \"!\" must precede the whole list, not \"10.0.0.2\""},
    {"pass in proto tcp to port !0-100,101-65535",
     "a.fw:1: \"!\" after \"port\" excludes everything"},
    {"pass in state !new,established,related,invalid",
     "a.fw:1: \"!\" after \"state\" excludes everything"},
    {"pass in proto !tcp to port 80", "a.fw:1: \"port\" requires \"proto tcp\" or \"proto udp\""},
    {"pass in proto !icmp icmp-type 8",
     "a.fw:1: \"icmp-type\" requires a preceding \"proto icmp\" or \"proto icmp6\""},
    {"pass in on 0,net_tap1", "a.fw:1: \"net_tap1\" is not a port number or name"},
    {"pass in proto tcp flags S",
     "a.fw:1: \"S\" is not FLAGS/MASK of F, S, R, P, A, U, E and W (example: S/SA)"},
    {"pass in proto tcp flags S/",
     "a.fw:1: \"S/\" is not FLAGS/MASK of F, S, R, P, A, U, E and W (example: S/SA)"},
    {"pass in proto tcp flags S/SX",
     "a.fw:1: \"S/SX\" is not FLAGS/MASK of F, S, R, P, A, U, E and W (example: S/SA)"},
    {"pass in proto tcp flags SF/SA",
     "a.fw:1: \"SF/SA\": flags before the \"/\" must also be in the mask after it"},
    {"pass in flags S/SA", "a.fw:1: \"flags\" requires a preceding \"proto tcp\""},
    {"pass in proto tcp,udp flags S/SA", "a.fw:1: \"flags\" requires a preceding \"proto tcp\""},
    {"pass in proto tcp flags S/SA flags A/A", "a.fw:1: duplicate \"flags\""},
    {"pass in limit 10/s per", "a.fw:1: missing argument after \"per\" (example: source)"},
    {"pass in limit 10/s per sauce", "a.fw:1: expected \"source\" after \"per\", not \"sauce\""},
    {"pass out limit 10/s per source", "a.fw:1: \"per source\" is valid only in \"in\" rules"},
    {"pass in limit 10/s per source limit 5/s per source",
     "a.fw:1: duplicate \"limit\" \"per source\""},
    {"pass in add", "a.fw:1: missing argument after \"add\" (example: <abusers> timeout 10m)"},
    {"pass in add <a> timeout 1m", "a.fw:1: table \"<a>\" is not defined on a preceding line"},
    {"table a\npass in add a timeout 1m", "a.fw:2: table \"a\" is not defined on a preceding line"},
    {"table a ports\npass in add <a> timeout 1m",
     "a.fw:2: table \"<a>\" contains ports, not addresses"},
    {"table a\npass in add <a>", "a.fw:2: missing \"timeout\" after \"<a>\""},
    {"table a\npass in add <a> timeout",
     "a.fw:2: missing argument after \"timeout\" (example: 10m)"},
    {"table a\npass in add <a> timeout 10",
     "a.fw:2: \"10\" is not a time (example: 30s, 10m, 2h or 1d)"},
    {"table a\npass in add <a> timeout 0s", "a.fw:2: \"0s\" is not a time from 1s to 31536000s"},
    {"table a\npass in add <a> timeout 366d", "a.fw:2: \"366d\" is not a time from 1d to 365d"},
    {"table a\npass in add <a> timeout xm", "a.fw:2: \"xm\" is not a time from 1m to 525600m"},
    {"table a\npass out add <a> timeout 1m", "a.fw:2: \"add\" is valid only in \"in\" rules"},
    {"table a\npass in add <a> timeout 1m add <a> timeout 1m",
     "a.fw:2: more than one \"add\" or \"overload\""},
    {"table a\npass in limit 10/s overload <a> timeout 1m",
     "a.fw:2: \"overload\" requires a preceding \"limit\" with \"per source\""},
    {"pass in limit 10/s per source handshakes",
     "a.fw:1: \"handshakes\" requires \"pass\" and a preceding \"proto tcp\""},
    {"pass in limit 10/s per source handshakes proto tcp",
     "a.fw:1: \"handshakes\" requires \"pass\" and a preceding \"proto tcp\""},
    {"pass in proto tcp,udp limit 10/s per source handshakes",
     "a.fw:1: \"handshakes\" requires \"pass\" and a preceding \"proto tcp\""},
    {"pass in proto !tcp limit 10/s per source handshakes",
     "a.fw:1: \"handshakes\" requires \"pass\" and a preceding \"proto tcp\""},
    {"reject in proto tcp limit 10/s per source handshakes",
     "a.fw:1: \"handshakes\" requires \"pass\" and a preceding \"proto tcp\""},
    {"pass in proto tcp limit 10/s handshakes", "a.fw:1: unexpected \"handshakes\""},
    {"table a\npass in proto tcp limit 10/s per source overload <a> timeout 1m flush",
     "a.fw:2: \"flush\" requires a \"limit\" with \"per source handshakes\""},
    {"table a\npass in add <a> timeout 1m flush", "a.fw:2: unexpected \"flush\""},
    {"default", "a.fw:1: missing \"in\" or \"out\""},
    {"default in", "a.fw:1: missing \"pass\", \"drop\" or \"reject\""},
    {"default in drop now", "a.fw:1: unexpected \"now\""},
    {"default in drop\ndefault in pass", "a.fw:2: duplicate \"default\" (first on line 1)"},
};

static void test_bad(void)
{
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_EQUAL(read_text(bad[i].text), -EINVAL);
		CU_ASSERT_STRING_EQUAL(why, bad[i].why);
		if (strcmp(why, bad[i].why) != 0)
			printf("%s\n", why);
		CU_ASSERT_PTR_NULL(r.rule);
	}
	CU_ASSERT_EQUAL(read_bytes("pass\0in", 7), -EINVAL);
}

static void test_nothing(void)
{
	CU_ASSERT_EQUAL(read_text(""), 0);
	CU_ASSERT_EQUAL(r.n, 2);
	CU_ASSERT_EQUAL(r.nb_entries, 0);
	CU_ASSERT(!r.counts[0] && !r.counts[1] && !r.uses_states);
	CU_ASSERT(r.rule[0].action == FW_PASS && r.rule[1].action == FW_PASS);
	fw_rules_free(&r);
	CU_ASSERT_EQUAL(read_text("\xef\xbb\xbf"),
	                0); /* a byte order mark, as some editors write it */
	fw_rules_free(&r);
	CU_ASSERT_EQUAL(read_text("\xef\xbb\xbfpass in"), 0);
	CU_ASSERT_EQUAL(r.n, 3);
	fw_rules_free(&r);
}

static bool is_span(struct fw_span s, unsigned first, unsigned last)
{
	return s.first == first && s.last == last;
}

static void test_rule(void)
{
	const struct fw_entry *e;

	CU_ASSERT_EQUAL(
	    read_text("  # who may\n\tpass   in proto tcp from 10.1.2.3/8 port 1024-65535 to "
	              "192.0.2.1 port 22 state new limit 50/s burst 7 on 3 log # ssh\r\n"
	              "default out drop log"),
	    0);
	CU_ASSERT_EQUAL(r.n, 3);
	CU_ASSERT_EQUAL(r.nb_entries, 1);
	CU_ASSERT(r.counts[FW_IN] && r.counts[FW_OUT] && r.uses_states);
	CU_ASSERT_STRING_EQUAL(
	    r.rule[0].text, "pass in proto tcp from 10.1.2.3/8 port 1024-65535 to 192.0.2.1 port "
	                    "22 state new limit 50/s burst 7 on 3 log");
	CU_ASSERT(r.rule[0].line == 2 && r.rule[0].action == FW_PASS && r.rule[0].dir == FW_IN);
	CU_ASSERT(r.rule[0].limit.packets == 50 && r.rule[0].limit.burst == 7 && r.rule[0].log);
	e = &r.entry[0];
	CU_ASSERT(e->rule == 0 && e->families == FW_IP4 && e->states == FW_NEW);
	CU_ASSERT(is_span(e->proto, IPPROTO_TCP, IPPROTO_TCP) && is_span(e->icmp_type, 0, 255) &&
	          is_span(e->netif, 3, 3) && e->cond == 0 && e->flags_mask == 0);
	CU_ASSERT(e->src.len == 104 && e->dst.len == 128);
	CU_ASSERT(e->sport.first == 1024 && e->sport.last == 65535);
	CU_ASSERT(e->dport.first == 22 && e->dport.last == 22);
	/* the defaults are last */
	CU_ASSERT(r.rule[1].line == 0 && r.rule[1].action == FW_PASS && r.rule[1].dir == FW_IN);
	CU_ASSERT(r.rule[2].line == 3 && r.rule[2].action == FW_DROP && r.rule[2].dir == FW_OUT);
	CU_ASSERT(r.rule[2].log);
	CU_ASSERT_STRING_EQUAL(r.rule[2].text, "default out drop log");
	fw_rules_free(&r);
}

static void test_defaults_of_limits(void)
{
	CU_ASSERT_EQUAL(read_text("pass in limit 3/s\nreject out limit 1000/s"), 0);
	CU_ASSERT(r.rule[0].limit.packets == 3 && r.rule[0].limit.burst == 5);
	CU_ASSERT(r.rule[1].limit.packets == 1000 && r.rule[1].limit.burst == 100);
	CU_ASSERT(!r.uses_states && r.entry[0].states == FW_STATES);
	fw_rules_free(&r);
}

static unsigned entries_of(const char *text)
{
	unsigned n = 0;

	if (read_text(text) == 0)
		n = r.nb_entries;
	fw_rules_free(&r);
	return n;
}

static void test_lists(void)
{
	CU_ASSERT_EQUAL(entries_of("pass in"), 1);
	CU_ASSERT_EQUAL(entries_of("pass in proto tcp,udp to port 53"), 2);
	CU_ASSERT_EQUAL(
	    entries_of("pass in proto tcp from 10.0.0.0/8,11.0.0.0/8 port 1,2,3 to port 4,5-6"),
	    12);
	CU_ASSERT_EQUAL(entries_of("pass in proto icmp icmp-type 0,8,11"), 3);
	/* two of four ends are of one family */
	CU_ASSERT_EQUAL(entries_of("pass in from 10.0.0.1,2001:db8::1 to 10.0.0.2,2001:db8::2"), 2);
	CU_ASSERT_EQUAL(entries_of("pass in proto icmp,icmp6"), 2);
	CU_ASSERT_EQUAL(read_text("pass in state new,established\npass in state invalid"), 0);
	CU_ASSERT_EQUAL(r.entry[0].states, FW_NEW | FW_ESTABLISHED);
	CU_ASSERT_EQUAL(r.entry[1].states, FW_INVALID);
	CU_ASSERT_EQUAL(r.entry[1].rule, 1);
	fw_rules_free(&r);
}

/* each of one list with each of the others, once */
static void test_products(void)
{
	unsigned types = 0;
	uint64_t seen = 0;

	CU_ASSERT_EQUAL(read_text("pass in proto tcp,udp from 10.0.0.0,10.0.0.1 port 0,1,2 "
	                          "to 10.0.0.0,10.0.0.1 port 0,1"),
	                0);
	CU_ASSERT_EQUAL_FATAL(r.nb_entries, 48);
	for (unsigned i = 0; i < 48; i++) {
		const struct fw_entry *e = &r.entry[i];
		const unsigned ends = e->src.addr.b[15] * 2u + e->dst.addr.b[15];
		const unsigned udp = e->proto.first == IPPROTO_UDP, n = ends * 2 + udp;

		CU_ASSERT(e->sport.first < 3 && e->dport.first < 2);
		seen |= UINT64_C(1) << (n * 6 + e->sport.first * 2u + e->dport.first);
	}
	CU_ASSERT_EQUAL(seen, (UINT64_C(1) << 48) - 1);
	fw_rules_free(&r);
	CU_ASSERT_EQUAL(read_text("pass in proto icmp icmp-type 1,2,4"), 0);
	for (unsigned i = 0; i < r.nb_entries; i++)
		types += r.entry[i].icmp_type.first;
	CU_ASSERT_EQUAL(types, 7);
	fw_rules_free(&r);
}

static bool is_range(struct fw_range p, unsigned first, unsigned last)
{
	return p.first == first && p.last == last;
}

/* codes take the place of the source port */
static void test_codes(void)
{
	CU_ASSERT_EQUAL_FATAL(
	    read_text("pass in proto icmp icmp-type unreachable code frag-needed\n"
	              "pass in proto icmp6 icmp-type unreachable code no-route,port-unreachable\n"
	              "pass in proto icmp icmp-type 3,11 code !1,255\n"
	              "pass in proto icmp6 icmp-type 1 from 2001:db8::1\n"),
	    0);
	CU_ASSERT_EQUAL_FATAL(r.nb_entries, 1 + 2 + 4 + 1);
	CU_ASSERT(is_span(r.entry[0].icmp_type, 3, 3) && is_range(r.entry[0].sport, 4, 4));
	CU_ASSERT(is_span(r.entry[1].icmp_type, 1, 1) && is_range(r.entry[1].sport, 0, 0));
	CU_ASSERT(is_span(r.entry[2].icmp_type, 1, 1) && is_range(r.entry[2].sport, 4, 4));
	CU_ASSERT(is_span(r.entry[3].icmp_type, 3, 3) && is_range(r.entry[3].sport, 0, 0));
	CU_ASSERT(is_span(r.entry[4].icmp_type, 3, 3) && is_range(r.entry[4].sport, 2, 254));
	CU_ASSERT(is_span(r.entry[6].icmp_type, 11, 11) && is_range(r.entry[6].sport, 2, 254));
	CU_ASSERT(is_range(r.entry[7].sport, 0, UINT16_MAX));
	CU_ASSERT(is_range(r.entry[0].dport, 0, UINT16_MAX));
	fw_rules_free(&r);
}

static void test_families(void)
{
	CU_ASSERT_EQUAL(read_text("pass in\npass in inet\npass in inet6\npass in proto icmp\n"
	                          "pass in proto icmp6\npass in from ::/0\npass in to 0.0.0.0/0\n"
	                          "pass in proto igmp"),
	                0);
	CU_ASSERT_EQUAL(r.entry[0].families, FW_IP4 | FW_IP6);
	CU_ASSERT_EQUAL(r.entry[1].families, FW_IP4);
	CU_ASSERT_EQUAL(r.entry[2].families, FW_IP6);
	CU_ASSERT_EQUAL(r.entry[3].families, FW_IP4);
	CU_ASSERT_EQUAL(r.entry[4].families, FW_IP6);
	CU_ASSERT_EQUAL(r.entry[5].families, FW_IP6);
	CU_ASSERT_EQUAL(r.entry[6].families, FW_IP4);
	CU_ASSERT_EQUAL(r.entry[7].families, FW_IP4);
	fw_rules_free(&r);
}

/* rates of minutes, hours and days, whose shares of time are longer than a second */
static void test_units(void)
{
	CU_ASSERT_EQUAL(
	    read_text("pass in limit 3/m\npass in limit 90/h per source\n"
	              "pass in limit 1/d burst 36525\npass in limit 1/s burst 1000000000"),
	    0);
	CU_ASSERT_EQUAL(fw_limit_gap_ns(&r.rule[0].limit), UINT64_C(20000000000));
	CU_ASSERT_EQUAL(r.rule[0].limit.burst, 5);
	CU_ASSERT_EQUAL(fw_limit_gap_ns(&r.rule[1].source_limit), UINT64_C(40000000000));
	CU_ASSERT_EQUAL(r.rule[1].source_limit.burst, 9);
	CU_ASSERT_EQUAL(fw_limit_gap_ns(&r.rule[2].limit), UINT64_C(86400000000000));
	fw_rules_free(&r);
}

static void test_limits(void)
{
	char text[4096] = "", word[300];

	for (unsigned i = 0; i < MAX; i++)
		strcat(text, "pass in\n");
	CU_ASSERT_EQUAL(entries_of(text), MAX);
	strcat(text, "pass out\n");
	CU_ASSERT_EQUAL(read_text(text), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(
	    why, "a.fw:101: too many rules after expanding lists (firewall.max_rules: 100)");
	/* as many ports as a list has, and one more */
	strcpy(text, "pass in proto tcp to port 1");
	for (unsigned i = 1; i < 64; i++)
		strcat(text, ",1");
	CU_ASSERT_EQUAL(entries_of(text), 64);
	strcat(text, ",1");
	CU_ASSERT_EQUAL(read_text(text), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "a.fw:1: more than 64 items after \"port\"");
	strcpy(text, "pass in");
	for (unsigned i = 0; i < 48; i++)
		strcat(text, " log");
	CU_ASSERT_EQUAL(read_text(text), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "a.fw:1: line has more than 48 words");
	/* a word longer than the room for what is wrong */
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	CU_ASSERT_EQUAL(read_text(word), -EINVAL);
	CU_ASSERT_EQUAL(strlen(why), sizeof(why) - 1);
}

/* ---- tables and "!" -------------------------------------------------------------------------- */

static const struct fw_table *table(unsigned i)
{
	return &r.tables.table[i];
}

static bool has(const struct fw_table *t, unsigned i, const char *text)
{
	char buf[PC_PREFIX_STRLEN];

	return i < t->n && strcmp(pc_prefix_format(&t->prefix[i], buf), text) == 0;
}

static void test_tables(void)
{
	file =
	    "\xef\xbb\xbf# who\n192.0.2.7 10.9.8.7/16,\n\n2001:db8:1::5/48 # where\r\n10.9.0.0/16";
	CU_ASSERT_EQUAL_FATAL(read_text("table none\n"
	                                "table one{ 10.0.0.1 }\n"
	                                "\ttable some { # of them\n"
	                                "   2001:db8::1, 10.1.2.3/8\t\n"
	                                "   192.0.2.1\n"
	                                "   }  # that is it\n"
	                                "table both file /etc/some file /etc/others { 10.0.0.1 }\n"
	                                "table empty { }\n"
	                                "tables\n"),
	                      -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "a.fw:9: \"tables\" is not \"pass\", \"drop\" or \"reject\"");
	CU_ASSERT_EQUAL_FATAL(read_text("table none\n"
	                                "table one{ 10.0.0.1 }\n"
	                                "\ttable some { # of them\n"
	                                "   2001:db8::1, 10.1.2.3/8\t\n"
	                                "   192.0.2.1\n"
	                                "   }  # that is it\n"
	                                "table both file /etc/some file /etc/others { 10.0.0.1 }\n"
	                                "table empty { }\n"
	                                "drop in from <some>\n"),
	                      0);
	CU_ASSERT(r.tables.n == 5 && r.tables.total == 8 && r.n == 3);
	CU_ASSERT(table(0)->n == 0 && !table(0)->is_filled && table(0)->line == 1);
	CU_ASSERT(table(1)->n == 1 && table(1)->is_filled && has(table(1), 0, "10.0.0.1/32"));
	CU_ASSERT(table(2)->n == 3 && has(table(2), 0, "10.0.0.0/8") &&
	          has(table(2), 1, "192.0.2.1/32") && has(table(2), 2, "2001:db8::1/128"));
	/* each once, although both files have them */
	CU_ASSERT(table(3)->n == 4 && has(table(3), 1, "10.9.0.0/16") &&
	          has(table(3), 3, "2001:db8:1::/48"));
	CU_ASSERT(table(4)->n == 0 && table(4)->is_filled);
	fw_rules_free(&r);
	file = "10.0.0.1\n\n10.0.0\n";
	CU_ASSERT_EQUAL(read_text("pass in\ntable a file /f"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(
	    why, "/f:3: an entry is not an address or network (example: 192.0.2.0/24)");
	file = NULL;
}

static const char some_services[] = "# services(5)\n"
                                    "\n"
                                    "echo\t\t7/tcp\n"
                                    "chargen 19/tcp ttytst source  # source of characters\r\n"
                                    "  ftp-data\t20/tcp\n"
                                    "half\n"
                                    "quarter 1\n"
                                    "many 100000/tcp\n"
                                    "sctp-only 99/sctp\n"
                                    "domain 53/udp#dns\n"
                                    "twice 1000/udp\n"
                                    "twice 1001/tcp\n"
                                    "syslog 514/udp";

static unsigned ports_in(const struct fw_table *t, unsigned first, unsigned last)
{
	unsigned n = 0;

	for (unsigned p = first; t->ports != NULL && p <= last; p++)
		n += (t->ports[p / 64] >> p % 64 & 1) != 0;
	return n;
}

static void test_port_tables(void)
{
	services = some_services;
	file = "443 # https\n10000-20000, 10000,echo\n";
	CU_ASSERT_EQUAL_FATAL(read_text("table none ports\n"
	                                "table web ports { 80, 8000-8080 } # and\n"
	                                "table more ports file /f {\n"
	                                "  0 65535\n"
	                                "}\n"
	                                "table ports { 10.0.0.1 }\n"
	                                "pass in proto tcp from <ports> to port <web>\n"),
	                      0);
	CU_ASSERT(r.tables.n == 4 && r.tables.total == 1);
	CU_ASSERT(fw_table_size(table(0)) == 0 && table(0)->ports != NULL && !table(0)->is_filled);
	CU_ASSERT(fw_table_size(table(1)) == 82 && ports_in(table(1), 8000, 8080) == 81 &&
	          ports_in(table(1), 80, 80) == 1);
	CU_ASSERT(fw_table_size(table(2)) == 10005 && ports_in(table(2), 443, 443) == 1 &&
	          ports_in(table(2), 7, 7) == 1 && ports_in(table(2), 65535, 65535) == 1);
	CU_ASSERT(table(3)->ports == NULL && table(3)->n == 1);
	fw_rules_free(&r);
	file = "443\nhttps2\n";
	CU_ASSERT_EQUAL(read_text("table web ports file /f"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why,
	                       "/f:2: an entry is not a port or range (example: 80 or 8000-8080)");
	file = services = NULL;
}

static bool asks(unsigned entry, unsigned of, uint64_t mask, uint64_t value)
{
	const struct fw_ask *a = &r.cond[r.entry[entry].cond].ask[of];

	return a->mask == mask && a->value == value;
}

/* tables of ports are conditions, as those of addresses are: they are not multiplied out */
static void test_port_conditions(void)
{
	CU_ASSERT_EQUAL_FATAL(read_text("table a ports { 1-1000 }\ntable b ports\ntable c\n"
	                                "pass in proto tcp from port 7 to port <a>,80,<b>\n"
	                                "pass in proto tcp to port 80\n"
	                                "pass in proto udp from <c> port !<a> to port !<b>,22\n"
	                                "pass in proto udp to port !<b>\n"),
	                      0);
	CU_ASSERT_EQUAL_FATAL(r.nb_entries, 3 + 1 + 2 + 1);
	CU_ASSERT(r.entry[0].cond == 0 && r.entry[0].dport.first == 80);
	CU_ASSERT(asks(1, FW_DPORT, 1, 1) && asks(1, FW_SPORT, 0, 0) &&
	          r.entry[1].sport.last == 7 && r.entry[1].dport.last == 65535);
	CU_ASSERT(asks(2, FW_DPORT, 2, 2));
	CU_ASSERT_EQUAL(r.entry[3].cond, 0);
	for (unsigned i = 4; i < 6; i++)
		CU_ASSERT(asks(i, FW_SRC, 4, 4) && asks(i, FW_SPORT, 1, 0) &&
		          asks(i, FW_DPORT, 2, 0));
	CU_ASSERT(r.entry[4].dport.last == 21 && r.entry[5].dport.first == 23);
	CU_ASSERT(asks(6, FW_DPORT, 2, 0) && r.entry[6].dport.first == 0 &&
	          r.entry[6].dport.last == 65535);
	fw_rules_free(&r);
}

static void test_conditions(void)
{
	CU_ASSERT_EQUAL_FATAL(
	    read_text("table a\ntable b\ntable c\n"
	              "pass in from <a>,10.0.0.1,<c> to <b>\n"
	              "pass in to !<b>,<c>\n"
	              "pass in from <a> to <b>\n"
	              "pass in from !10.0.0.1,10.0.0.2\n"
	              "pass in from ! 10.0.0.2,10.0.0.1 to !10.0.0.1,10.0.0.2,<a>\n"
	              "pass in to !10.0.0.1"),
	    0);
	CU_ASSERT_EQUAL_FATAL(r.nb_entries, 8);
	CU_ASSERT(r.entry[0].src.len == 128 && r.cond[r.entry[0].cond].ask[FW_SRC].mask == 0);
	CU_ASSERT_EQUAL(r.cond[r.entry[0].cond].ask[FW_DST].value, 2);
	CU_ASSERT_EQUAL(r.cond[r.entry[1].cond].ask[FW_SRC].value, 1);
	CU_ASSERT_EQUAL(r.cond[r.entry[2].cond].ask[FW_SRC].value, 4);
	CU_ASSERT_EQUAL(r.cond[r.entry[3].cond].ask[FW_DST].mask, 6);
	CU_ASSERT_EQUAL(r.cond[r.entry[3].cond].ask[FW_DST].value, 0);
	CU_ASSERT_EQUAL(r.entry[4].cond, r.entry[1].cond);
	/* a list without a name is there once */
	CU_ASSERT_EQUAL(r.tables.n, 5);
	CU_ASSERT_EQUAL(r.cond[r.entry[5].cond].ask[FW_SRC].mask, 8);
	CU_ASSERT_EQUAL(r.cond[r.entry[6].cond].ask[FW_SRC].mask, 8);
	CU_ASSERT_EQUAL(r.cond[r.entry[6].cond].ask[FW_DST].mask, 9);
	CU_ASSERT_EQUAL(r.cond[r.entry[7].cond].ask[FW_DST].mask, 16);
	/* what is in no network of a family may be of the other */
	CU_ASSERT_EQUAL(r.entry[5].families, FW_IP4 | FW_IP6);
	fw_rules_free(&r);
}

static void test_not(void)
{
	CU_ASSERT_EQUAL_FATAL(read_text("pass in proto tcp to port !22\n"
	                                "pass in proto tcp from port !100-200,0,150-300,65535\n"
	                                "pass in proto !tcp\n"
	                                "pass in proto icmp icmp-type !echo-request\n"
	                                "pass in on !0 state !new,invalid\n"
	                                "pass in on net_tap0.10,0\n"
	                                "pass in on !0000:03:00.1,net_tap0\n"),
	                      0);
	CU_ASSERT_EQUAL_FATAL(r.nb_entries, 2 + 2 + 2 + 2 + 1 + 2 + 2);
	CU_ASSERT(r.entry[0].dport.first == 0 && r.entry[0].dport.last == 21);
	CU_ASSERT(r.entry[1].dport.first == 23 && r.entry[1].dport.last == 65535);
	CU_ASSERT(r.entry[2].sport.first == 1 && r.entry[2].sport.last == 99);
	CU_ASSERT(r.entry[3].sport.first == 301 && r.entry[3].sport.last == 65534);
	CU_ASSERT(is_span(r.entry[4].proto, 0, 5) && is_span(r.entry[5].proto, 7, 255));
	CU_ASSERT_EQUAL(r.entry[5].families, FW_IP4 | FW_IP6);
	CU_ASSERT(is_span(r.entry[6].icmp_type, 0, 7) && is_span(r.entry[7].icmp_type, 9, 255));
	CU_ASSERT(is_span(r.entry[8].netif, 1, 255));
	CU_ASSERT_EQUAL(r.entry[8].states, FW_ESTABLISHED | FW_RELATED);
	CU_ASSERT(is_span(r.entry[9].netif, 1, 1) && is_span(r.entry[10].netif, 0, 0));
	CU_ASSERT(is_span(r.entry[11].netif, 1, 1) && is_span(r.entry[12].netif, 3, 255));
	CU_ASSERT(r.uses_states);
	fw_rules_free(&r);
}

/* a port by its name or one of its other names in services(5), for TCP or UDP, as in the first line that has it */
static void test_services(void)
{
	static const char *const none[] = {"half",  "quarter", "many",      "sctp-only",
	                                   "of",    "dns",     "Echo",      "echo-half",
	                                   "7/tcp", "syslo",   "characters"};
	char text[64], expected[128];

	services = some_services;
	CU_ASSERT_EQUAL_FATAL(read_text("pass in proto tcp to port echo,source,ftp-data,80-90\n"
	                                "pass in proto tcp,udp from port !domain to port twice\n"
	                                "pass in proto udp to port syslog\n"),
	                      0);
	CU_ASSERT_EQUAL_FATAL(r.nb_entries, 4 + 4 + 1);
	CU_ASSERT(is_range(r.entry[0].dport, 7, 7) && is_range(r.entry[1].dport, 19, 19));
	CU_ASSERT(is_range(r.entry[2].dport, 20, 20) && is_range(r.entry[3].dport, 80, 90));
	CU_ASSERT(is_range(r.entry[4].sport, 0, 52) && is_range(r.entry[4].dport, 1000, 1000));
	CU_ASSERT(is_range(r.entry[8].dport, 514, 514));
	CU_ASSERT_STRING_EQUAL(r.rule[2].text, "pass in proto udp to port syslog");
	fw_rules_free(&r);
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(text, sizeof(text), "pass in proto tcp to port 80,%s", none[i]);
		snprintf(expected, sizeof(expected),
		         "a.fw:1: \"%s\" is not a port (example: 80) or a service in /etc/services",
		         none[i]);
		CU_ASSERT_EQUAL(read_text(text), -EINVAL);
		CU_ASSERT_STRING_EQUAL(why, expected);
	}
	services = "";
	CU_ASSERT_EQUAL(read_text("pass in proto tcp to port echo"), -EINVAL);
	services = NULL;
}

static void test_flags(void)
{
	CU_ASSERT_EQUAL_FATAL(
	    read_text("pass in proto tcp flags S/SA\ndrop in proto tcp flags /FSRPAUEW"), 0);
	CU_ASSERT(r.entry[0].flags == 2 && r.entry[0].flags_mask == 0x12);
	CU_ASSERT(r.entry[1].flags == 0 && r.entry[1].flags_mask == 0xff);
	fw_rules_free(&r);
}

static void test_source_limits(void)
{
	CU_ASSERT_EQUAL_FATAL(
	    read_text("pass in limit 10/s per source\n"
	              "pass in limit 200/s per source burst 7 limit 1000/s burst 9\n"),
	    0);
	CU_ASSERT(r.uses_sources && r.rule[0].limit.packets == 0 && r.rule[0].limit.burst == 0);
	CU_ASSERT(r.rule[0].source_limit.packets == 10 && r.rule[0].source_limit.burst == 5);
	CU_ASSERT(r.rule[1].source_limit.packets == 200 && r.rule[1].source_limit.burst == 7);
	CU_ASSERT(r.rule[1].limit.packets == 1000 && r.rule[1].limit.burst == 9);
	fw_rules_free(&r);
}

static void test_fills(void)
{
	CU_ASSERT_EQUAL_FATAL(
	    read_text("table a\ntable b\ntable c { 10.0.0.1 }\n"
	              "pass in from <a>\n"
	              "drop in add <b> timeout 30s\n"
	              "pass in limit 5/s per source burst 9 overload <c> timeout 2h limit 7/s\n"
	              "reject in add <b> timeout 365d log\n"),
	    0);
	CU_ASSERT_EQUAL(r.fills, 6);
	CU_ASSERT_EQUAL(r.rule[0].fills, FW_FILLS_NOTHING);
	CU_ASSERT(r.rule[1].fills == FW_ADDS && r.rule[1].table == 1 && r.rule[1].timeout_s == 30);
	CU_ASSERT(r.rule[2].fills == FW_OVERLOADS && r.rule[2].table == 2 &&
	          r.rule[2].timeout_s == 7200 && r.rule[2].limit.packets == 7);
	CU_ASSERT(r.rule[3].timeout_s == 31536000 && r.rule[3].log);
	CU_ASSERT_STRING_EQUAL(r.rule[3].text, "reject in add <b> timeout 365d log");
	fw_rules_free(&r);
}

static void test_handshakes(void)
{
	CU_ASSERT_EQUAL_FATAL(
	    read_text("table a\n"
	              "pass in proto tcp limit 5/m per source overload <a> timeout 2h\n"
	              "pass in proto tcp to port 80 limit 15/m per source handshakes limit 100/s\n"
	              "pass in proto tcp to port 22 limit 3/m per source handshakes burst 4 "
	              "overload <a> timeout 1d flush log\n"),
	    0);
	CU_ASSERT(r.uses_sources && r.uses_handshakes && r.uses_flushes);
	CU_ASSERT(!r.rule[0].handshakes && !r.rule[0].flushes);
	CU_ASSERT(r.rule[1].handshakes && !r.rule[1].flushes && r.rule[1].limit.packets == 100);
	CU_ASSERT(r.rule[1].source_limit.packets == 15 && r.rule[1].source_limit.burst == 5);
	CU_ASSERT(r.rule[2].handshakes && r.rule[2].flushes && r.rule[2].log);
	CU_ASSERT(r.rule[2].source_limit.burst == 4 && r.rule[2].timeout_s == 86400);
	fw_rules_free(&r);
	CU_ASSERT_EQUAL(read_text("pass in proto tcp limit 1/s per source"), 0);
	CU_ASSERT(!r.uses_handshakes && !r.uses_flushes);
	fw_rules_free(&r);
}

/* as many tables, addresses and conditions as there may be */
static void test_table_limits(void)
{
	char text[8192] = "", line[64];

	for (unsigned i = 0; i < FW_TABLES; i++) {
		snprintf(line, sizeof(line), "table t%u { 10.0.0.%u }\n", i, i);
		strcat(text, line);
	}
	CU_ASSERT_EQUAL(entries_of(text), 0);
	strcat(text, "pass in from !10.0.0.1");
	CU_ASSERT_EQUAL(read_text(text), -EINVAL);
	CU_ASSERT_STRING_EQUAL(
	    why,
	    "a.fw:65: too many tables and negated lists (at most 64) or addresses (at most 80)");
	text[strlen(text) - strlen("pass in from !10.0.0.1")] = '\0';
	strcat(text, "table more");
	CU_ASSERT_EQUAL(read_text(text), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "a.fw:65: too many tables and negated lists (at most 64)");
	text[strlen(text) - strlen("table more")] = '\0';
	strcat(text,
	       "pass in from <t0>,<t1>,<t2>,<t3>,<t4>,<t5>,<t6>,<t7>,<t8>,<t9>,<t10>,<t11>,<t12>,"
	       "<t13>,<t14>,<t15> to <t0>,<t1>,<t2>,<t3>,<t4>,<t5>,<t6>,<t7>,<t8>,<t9>,<t10>,"
	       "<t11>,<t12>,<t13>,<t14>,<t15>");
	CU_ASSERT_EQUAL(read_text(text), -ENOSPC); /* of 100 rules */
	strcpy(text, "table a {");
	for (unsigned i = 0; i < ADDRS; i++) {
		snprintf(line, sizeof(line), " 10.0.0.%u", i);
		strcat(text, line);
	}
	strcat(text, "}");
	CU_ASSERT_EQUAL(entries_of(text), 0);
	strcat(text, "\ntable b { ::1 }");
	CU_ASSERT_EQUAL(read_text(text), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(why,
	                       "a.fw:2: too many addresses in tables (firewall.max_addrs: 80)");
}

static const struct unit_case cases[] = {
    {"what is wrong is told with its line and word", test_bad},
    {"a text without a rule", test_nothing},
    {"a rule with everything, and a default", test_rule},
    {"what limits are without a burst", test_defaults_of_limits},
    {"limits of minutes, hours and days", test_units},
    {"lists are multiplied out", test_lists},
    {"each with each", test_products},
    {"codes of ICMP", test_codes},
    {"families", test_families},
    {"limits", test_limits},
    {"tables", test_tables},
    {"tables of ports", test_port_tables},
    {"tables of ports in rules", test_port_conditions},
    {"tables of rules, and addresses behind \"!\"", test_conditions},
    {"\"!\"", test_not},
    {"ports by the names of services", test_services},
    {"flags", test_flags},
    {"limits per source", test_source_limits},
    {"rules that put sources into tables", test_fills},
    {"limits of handshakes", test_handshakes},
    {"as many tables as there may be", test_table_limits},
};

UNIT_MAIN("fw/rules", cases)
