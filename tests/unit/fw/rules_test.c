/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/rules.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"

#define MAX 100

static struct fw_rules r;
static char why[256];

static int read_text(const char *text)
{
	why[0] = '\0';
	return fw_rules_read(&r, "a.fw", text, strlen(text), MAX, why, sizeof(why));
}

/* What is wrong, and what the line about it says. */
static const struct {
	const char *text, *why;
} bad[] = {
    {"accept in", "a.fw:1: \"accept\" is none of pass, drop, reject"},
    {"\n# nothing\npass", "a.fw:3: \"in\" or \"out\" is missing"},
    {"pass both", "a.fw:1: \"both\" is neither in nor out"},
    {"pass in\ndrop in quick", "a.fw:2: \"quick\" is not understood here"},
    {"pass in from",
     "a.fw:1: something is missing behind \"from\", as 192.0.2.0/24, any, or port 80"},
    {"pass in from 10.0.0.0/33", "a.fw:1: \"10.0.0.0/33\" is no address, as 192.0.2.0/24 is"},
    {"pass in from 10.0.0", "a.fw:1: \"10.0.0\" is no address, as 192.0.2.0/24 is"},
    {"pass in from 10.0.0.1,,10.0.0.2", "a.fw:1: an item is missing in the list behind \"from\""},
    {"pass in from 10.0.0.1 from 10.0.0.2", "a.fw:1: there is a second \"from\""},
    {"pass in to any to port 5", "a.fw:1: \"port\" needs \"proto tcp\" or \"proto udp\""},
    {"pass in proto tcp to port 1 to port 2", "a.fw:1: there is a second \"to\""},
    {"pass in to 2001:db8::/129", "a.fw:1: \"2001:db8::/129\" is no address, as 192.0.2.0/24 is"},
    {"pass in proto tpc", "a.fw:1: \"tpc\" is no protocol, as tcp, udp, icmp and icmp6 are"},
    {"pass in proto 256", "a.fw:1: \"256\" is no protocol, as tcp, udp, icmp and icmp6 are"},
    {"pass in proto tcp proto udp", "a.fw:1: there is a second \"proto\""},
    {"pass in proto tcp to port 80-", "a.fw:1: \"80-\" is no port, as 80 is, or 8000-8080"},
    {"pass in proto tcp to port -80", "a.fw:1: \"-80\" is no port, as 80 is, or 8000-8080"},
    {"pass in proto tcp to port 90-80", "a.fw:1: \"90-80\" is no port, as 80 is, or 8000-8080"},
    {"pass in proto tcp to port 65536", "a.fw:1: \"65536\" is no port, as 80 is, or 8000-8080"},
    {"pass in proto tcp to port http", "a.fw:1: \"http\" is no port, as 80 is, or 8000-8080"},
    {"pass in proto tcp,icmp to port 80", "a.fw:1: \"port\" needs \"proto tcp\" or \"proto udp\""},
    {"pass in icmp-type 8",
     "a.fw:1: \"icmp-type\" needs \"proto icmp\" or \"proto icmp6\" before it"},
    {"pass in proto icmp icmp-type packet-too-big",
     "a.fw:1: \"packet-too-big\" is no type of ICMP, as echo-request is"},
    {"pass in proto icmp icmp-type 256", "a.fw:1: \"256\" is no type of ICMP, as echo-request is"},
    {"pass in proto icmp icmp-type 3,8 icmp-type 0", "a.fw:1: there is a second \"icmp-type\""},
    {"pass in state new state established", "a.fw:1: there is a second \"state\""},
    {"pass in on 0 on 1", "a.fw:1: there is a second \"on\""},
    {"pass in limit 10/s limit 1000000/s", "a.fw:1: there is a second \"limit\""},
    {"pass in state open",
     "a.fw:1: \"open\" is no state; there are new, established, related, invalid"},
    {"pass in state 0", "a.fw:1: \"0\" is no state; there are new, established, related, invalid"},
    {"pass in limit 10", "a.fw:1: \"10\" is no rate, as 100/s is"},
    {"pass in limit 10/m", "a.fw:1: \"10/m\" is no rate, as 100/s is"},
    {"pass in limit 0/s", "a.fw:1: \"0\" is no rate from 1/s to 1000000000/s"},
    {"pass in limit 10/s burst 0", "a.fw:1: \"0\" is no number of packets from 1 to 1000000000"},
    {"drop in limit 10/s",
     "a.fw:1: \"limit\" says how many are passed or rejected; drop has no use for it"},
    {"pass in burst 5", "a.fw:1: \"burst\" is not understood here"},
    {"pass in on eth0", "a.fw:1: \"eth0\" is no number of a port, as 0 is"},
    {"pass in inet to 2001:db8::1",
     "a.fw:1: no packet fits: the addresses and the protocol are of two families"},
    {"pass in from 10.0.0.1 to 2001:db8::1",
     "a.fw:1: no packet fits: the addresses and the protocol are of two families"},
    {"pass in proto icmp6 from 10.0.0.1",
     "a.fw:1: no packet fits: the addresses and the protocol are of two families"},
    {"pass in\npass in inet to 2001:db8::1",
     "a.fw:2: no packet fits: the addresses and the protocol are of two families"},
    {"default", "a.fw:1: \"in\" or \"out\" is missing"},
    {"default in", "a.fw:1: pass, drop or reject is missing"},
    {"default in drop now", "a.fw:1: \"now\" is not understood here"},
    {"default in drop\ndefault in pass",
     "a.fw:2: there is a second default, the first is in line 1"},
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
	CU_ASSERT_EQUAL(fw_rules_read(&r, "a.fw", "pass\0in", 7, MAX, why, sizeof(why)), -EINVAL);
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
	CU_ASSERT(r.rule[0].rate == 50 && r.rule[0].burst == 7 && r.rule[0].log);
	e = &r.entry[0];
	CU_ASSERT(e->rule == 0 && e->families == FW_IP4 && e->states == FW_NEW);
	CU_ASSERT(e->proto == IPPROTO_TCP && e->icmp_type == -1 && e->netif == 3);
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
	CU_ASSERT(r.rule[0].rate == 3 && r.rule[0].burst == 5);
	CU_ASSERT(r.rule[1].rate == 1000 && r.rule[1].burst == 100);
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
		const unsigned udp = e->proto == IPPROTO_UDP, n = ends * 2 + udp;

		CU_ASSERT(e->sport.first < 3 && e->dport.first < 2);
		seen |= UINT64_C(1) << (n * 6 + e->sport.first * 2u + e->dport.first);
	}
	CU_ASSERT_EQUAL(seen, (UINT64_C(1) << 48) - 1);
	fw_rules_free(&r);
	CU_ASSERT_EQUAL(read_text("pass in proto icmp icmp-type 1,2,4"), 0);
	for (unsigned i = 0; i < r.nb_entries; i++)
		types += (unsigned)r.entry[i].icmp_type;
	CU_ASSERT_EQUAL(types, 7);
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

static void test_limits(void)
{
	char text[4096] = "", word[300];

	for (unsigned i = 0; i < MAX; i++)
		strcat(text, "pass in\n");
	CU_ASSERT_EQUAL(entries_of(text), MAX);
	strcat(text, "pass out\n");
	CU_ASSERT_EQUAL(read_text(text), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(
	    why, "a.fw:101: more than 100 rules (firewall.max_rules), lists multiplied out");
	/* as many ports as a list has, and one more */
	strcpy(text, "pass in proto tcp to port 1");
	for (unsigned i = 1; i < 64; i++)
		strcat(text, ",1");
	CU_ASSERT_EQUAL(entries_of(text), 64);
	strcat(text, ",1");
	CU_ASSERT_EQUAL(read_text(text), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "a.fw:1: more than 64 items behind \"port\"");
	strcpy(text, "pass in");
	for (unsigned i = 0; i < 48; i++)
		strcat(text, " log");
	CU_ASSERT_EQUAL(read_text(text), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "a.fw:1: the line has more than 48 words");
	/* a word longer than the room for what is wrong */
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	CU_ASSERT_EQUAL(read_text(word), -EINVAL);
	CU_ASSERT_EQUAL(strlen(why), sizeof(why) - 1);
}

static const struct unit_case cases[] = {
    {"what is wrong is told with its line and word", test_bad},
    {"a text without a rule", test_nothing},
    {"a rule with everything, and a default", test_rule},
    {"what limits are without a burst", test_defaults_of_limits},
    {"lists are multiplied out", test_lists},
    {"each with each", test_products},
    {"families", test_families},
    {"limits", test_limits},
};

UNIT_MAIN("fw/rules", cases)
