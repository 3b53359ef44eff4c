/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of a set that is in use, and what other rules take over from them. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "fw/fw.h"

#define MAX 100

static struct ctx ctx;
static char why[256];

static struct pc_firewall *make(const char *text)
{
	const struct pc_firewall_args args = {.text = text,
	                                      .len = strlen(text),
	                                      .name = "a.fw",
	                                      .max_rules = 100,
	                                      .max_addrs = MAX,
	                                      .sources = 64,
	                                      .learnt = 64,
	                                      .slots = 2,
	                                      .seed = {1, 2},
	                                      .socket_id = -1};
	struct pc_firewall *fw = pc_firewall_create(&args, why, sizeof(why));

	CU_ASSERT_PTR_NOT_NULL_FATAL(fw);
	return fw;
}

static int change(struct pc_firewall *fw, const char *table, enum pc_firewall_verb verb,
                  const char *text)
{
	const struct pc_firewall_change c = {
	    .table = table, .verb = verb, .text = text, .len = strlen(text), .name = "b"};
	unsigned changed = 0;

	return pc_firewall_change_table(fw, &c, &changed, why, sizeof(why)) == 0 ? (int)changed
	                                                                         : -errno;
}

/* the addresses of a table, with blanks between them */
static const char *list(const struct pc_firewall *fw, const char *name)
{
	static char text[2000];
	char addr[PC_PREFIX_STRLEN];
	struct pc_firewall_table t;

	text[0] = '\0';
	for (unsigned i = 0; pc_firewall_get_table(fw, i, &t); i++)
		for (unsigned k = 0; strcmp(t.name, name) == 0 && k < t.nb_addrs; k++) {
			strcat(text, k > 0 ? " " : "");
			strcat(text, pc_prefix_format(&t.addrs[k], addr));
		}
	return text;
}

static enum fw_action judge(struct fw *fw, const char *from)
{
	struct pc_addr src, dst;
	const struct fw_packet p = {.src = &src, .dst = &dst, .proto = 6, .state = FW_NEW};

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(from, &src), 0);
	dst = src;
	return fw_judge(fw, &ctx, FW_IN, &p);
}

static void test_changes(void)
{
	struct pc_firewall *set = make("table bad { 10.0.0.1 }\ndrop in from <bad>");
	struct fw a = {0}, b = {0};

	fw_use(&a, set, 0);
	fw_use(&b, set, 1);
	CU_ASSERT_EQUAL(judge(&a, "10.0.0.1"), FW_DROP);
	CU_ASSERT_EQUAL(judge(&a, "2001:db8::1"), FW_PASS);
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_ADD, "2001:db8::/32, 10.0.0.1 # two\n"), 1);
	/* nobody has taken it yet */
	CU_ASSERT_EQUAL(judge(&a, "2001:db8::1"), FW_PASS);
	fw_use(&a, set, 0);
	CU_ASSERT_EQUAL(judge(&a, "2001:db8::1"), FW_DROP);
	CU_ASSERT_EQUAL(judge(&b, "2001:db8::1"), FW_PASS);
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_ADD, "10.0.0.2"), -EBUSY);
	fw_use(&b, set, 1);
	CU_ASSERT_EQUAL(judge(&b, "2001:db8::1"), FW_DROP);
	pc_firewall_forget(set);
	CU_ASSERT_STRING_EQUAL(list(set, "bad"), "10.0.0.1/32 2001:db8::/32");
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_DELETE, "10.0.0.1 10.0.0.9"), 1);
	fw_use(&a, set, 0);
	fw_use(&b, set, 1);
	pc_firewall_forget(set);
	CU_ASSERT_EQUAL(judge(&a, "10.0.0.1"), FW_PASS);
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_REPLACE, "10.9.0.0/16 10.9.1.1/16"), 1);
	fw_use(&a, set, 0);
	CU_ASSERT_EQUAL(judge(&a, "10.9.200.1"), FW_DROP);
	CU_ASSERT_EQUAL(judge(&a, "2001:db8::1"), FW_PASS);
	fw_use(&b, set, 1);
	pc_firewall_forget(set);
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_REPLACE, ""), 0);
	fw_use(&a, set, 0);
	CU_ASSERT_EQUAL(judge(&a, "10.9.200.1"), FW_PASS);
	CU_ASSERT_EQUAL(set->slot[0].count[0].packets, 3); /* and what was counted stays */
	pc_firewall_free(set);
}

static void test_wrong(void)
{
	struct pc_firewall *set = make("table a { 10.0.0.1 }\ntable b\npass in from !<b>,10.0.0.2");
	char text[2000] = "";
	struct pc_firewall_table t;

	CU_ASSERT_EQUAL(change(set, "c", PC_FIREWALL_ADD, "10.0.0.1"), -ENOENT);
	CU_ASSERT_STRING_EQUAL(why, "no table \"c\" in the rules");
	CU_ASSERT_EQUAL(change(set, "", PC_FIREWALL_ADD, "10.0.0.1"), -ENOENT);
	CU_ASSERT_EQUAL(change(set, "a", PC_FIREWALL_ADD, "10.0.0.2\n10.0.0.3 ten"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why,
	                       "b:2: \"ten\" is not an address or network (example: 192.0.2.0/24)");
	CU_ASSERT_STRING_EQUAL(list(set, "a"), "10.0.0.1/32");
	for (unsigned i = 0; i < MAX - 1; i++)
		sprintf(text + strlen(text), "10.1.0.%u\n", i);
	/* with the one of the list behind "!" there are too many */
	CU_ASSERT_EQUAL(change(set, "a", PC_FIREWALL_ADD, text), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(why, "b: too many addresses in tables (firewall.max_addrs: 100)");
	CU_ASSERT_EQUAL(change(set, "a", PC_FIREWALL_REPLACE, text), MAX - 1);
	pc_firewall_forget(set);
	CU_ASSERT_EQUAL(change(set, "b", PC_FIREWALL_ADD, "10.0.0.1"), -ENOSPC);
	strcat(text, "10.1.1.1 10.1.1.2");
	CU_ASSERT_EQUAL(change(set, "b", PC_FIREWALL_ADD, text), -ENOSPC);
	CU_ASSERT(pc_firewall_get_table(set, 1, &t) && strcmp(t.name, "b") == 0 && t.nb_addrs == 0);
	CU_ASSERT(!pc_firewall_get_table(set, 2, &t)); /* it has no name */
	pc_firewall_free(set);
}

/* what the text does not say is taken over */
static void test_take_over(void)
{
	struct pc_firewall *old = make("table a\ntable b { 10.0.0.1 }\ntable c\ntable d"),
	                   *set =
	                       make("table c { 10.0.0.9 }\ntable b\ntable a {}\ntable e\ntable d\n"
	                            "drop in from <b>");
	struct fw fw = {0};

	CU_ASSERT_EQUAL(change(old, "a", PC_FIREWALL_ADD, "10.0.0.2"), 1);
	pc_firewall_forget(old);
	CU_ASSERT_EQUAL(change(old, "b", PC_FIREWALL_ADD, "10.0.0.3"), 1);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(set, NULL, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(set, old, why, sizeof(why)), 0);
	pc_firewall_free(old);
	CU_ASSERT_STRING_EQUAL(list(set, "a"), "");
	CU_ASSERT_STRING_EQUAL(list(set, "b"), "10.0.0.1/32 10.0.0.3/32");
	CU_ASSERT_STRING_EQUAL(list(set, "c"), "10.0.0.9/32");
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.3"), FW_DROP);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.2"), FW_PASS);
	pc_firewall_free(set);
}

static enum fw_action judge_port(struct fw *fw, uint16_t port)
{
	const struct pc_addr a = {.b = {0x20, 1}};
	const struct fw_packet p = {
	    .src = &a, .dst = &a, .dport = port, .proto = 6, .state = FW_NEW};

	return fw_judge(fw, &ctx, FW_IN, &p);
}

static unsigned ports_of(const struct pc_firewall *fw, unsigned i)
{
	struct pc_firewall_table t;

	return pc_firewall_get_table(fw, i, &t) && t.ports != NULL ? t.nb_ports : UINT_MAX;
}

static void take(struct fw *fw, struct pc_firewall *set)
{
	fw_use(fw, set, 0);
	pc_firewall_forget(set);
}

/* ports come and go; part of a range, too */
static void test_ports(void)
{
	struct pc_firewall *set = make("table web ports { 80 }\npass in proto tcp to port <web>\n"
	                               "default in drop"),
	                   *next =
	                       make("table x\ntable web ports\npass in proto tcp to port !<web>\n"
	                            "default in drop"),
	                   *other = make("table web\ndrop in from <web>");
	struct fw fw = {0};

	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge_port(&fw, 80), FW_PASS);
	CU_ASSERT_EQUAL(judge_port(&fw, 8080), FW_DROP);
	CU_ASSERT_EQUAL(change(set, "web", PC_FIREWALL_ADD, "8000-8099 80"), 100);
	take(&fw, set);
	CU_ASSERT_EQUAL(judge_port(&fw, 8080), FW_PASS);
	CU_ASSERT_EQUAL(change(set, "web", PC_FIREWALL_DELETE, "8080, 81"), 1);
	take(&fw, set);
	CU_ASSERT_EQUAL(judge_port(&fw, 8080), FW_DROP);
	CU_ASSERT(judge_port(&fw, 8079) == FW_PASS && judge_port(&fw, 8081) == FW_PASS);
	CU_ASSERT_EQUAL(change(set, "web", PC_FIREWALL_ADD, "80\n10.0.0.1"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(
	    why, "b:2: \"10.0.0.1\" is not a port or range (example: 80 or 8000-8080)");
	CU_ASSERT_EQUAL(change(set, "web", PC_FIREWALL_ADD, "http"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "b:1: files cannot be read here");
	CU_ASSERT_EQUAL(ports_of(set, 0), 100);
	/* other rules take them over, if their table is of ports */
	CU_ASSERT_EQUAL(pc_firewall_take_tables(next, set, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(ports_of(next, 1), 100);
	take(&fw, next);
	CU_ASSERT(judge_port(&fw, 8080) == FW_PASS && judge_port(&fw, 80) == FW_DROP);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(other, next, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(list(other, "web"), "");
	CU_ASSERT_EQUAL(change(next, "web", PC_FIREWALL_REPLACE, "443"), 1);
	take(&fw, next);
	CU_ASSERT(judge_port(&fw, 443) == FW_DROP && judge_port(&fw, 80) == FW_PASS);
	CU_ASSERT_EQUAL(change(next, "web", PC_FIREWALL_REPLACE, ""), 0);
	take(&fw, next);
	CU_ASSERT_EQUAL(judge_port(&fw, 443), FW_PASS);
	pc_firewall_free(set);
	pc_firewall_free(next);
	pc_firewall_free(other);
}

/* the sources that rules have put into a table, with blanks between them */
static const char *learnt(const struct pc_firewall *fw, unsigned table)
{
	static char text[200];
	char prefix[PC_PREFIX_STRLEN];
	unsigned n;
	struct pc_firewall_learnt *all = pc_firewall_list_learnt(fw, table, 0, &n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	text[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, pc_prefix_format(&all[i].source, prefix));
	}
	free(all);
	return text;
}

static void test_learnt(void)
{
	struct pc_firewall *set = make("table kept\ntable bad { 10.0.0.5 }\n"
	                               "drop in from <bad>,<kept>\n"
	                               "pass in inet add <bad> timeout 1h\n"
	                               "pass in add <kept> timeout 1h"),
	                   *next = make("table bad {}\ntable x\ntable kept\n"
	                                "drop in from <bad>,<kept>\n"
	                                "pass in proto udp add <kept> timeout 1m\n"
	                                "pass in proto udp add <bad> timeout 1m"),
	                   *none = make("table kept\ndrop in from <kept>");
	struct fw fw = {0};
	unsigned n;

	ctx.now_ns = 1000000000;
	fw_use(&fw, set, 0);
	CU_ASSERT(judge(&fw, "10.0.0.1") == FW_PASS && judge(&fw, "10.0.0.1") == FW_DROP);
	judge(&fw, "10.0.0.2");
	judge(&fw, "2001:db8::1");
	judge(&fw, "2001:db8:0:1::1");
	CU_ASSERT_STRING_EQUAL(learnt(set, 1), "10.0.0.1/32 10.0.0.2/32");
	CU_ASSERT_STRING_EQUAL(learnt(set, 0), "2001:db8::/64 2001:db8:0:1::/64");
	CU_ASSERT_PTR_NULL(pc_firewall_list_learnt(set, 2, 0, &n));
	CU_ASSERT_EQUAL(errno, ENOENT);
	/* what is deleted is gone at once, whoever has put it there */
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_DELETE, "10.0.0.1 10.0.0.5 10.0.0.6"), 2);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.1"), FW_PASS); /* and put there again */
	take(&fw, set);
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_ADD, "10.0.0.2"), 1);
	take(&fw, set);
	CU_ASSERT_STRING_EQUAL(learnt(set, 1), "10.0.0.1/32 10.0.0.2/32");
	CU_ASSERT_EQUAL(change(set, "bad", PC_FIREWALL_REPLACE, "10.0.0.7"), 1);
	take(&fw, set);
	CU_ASSERT_STRING_EQUAL(learnt(set, 1), "");
	/* other rules: what the text does not say is taken over, as long as they put sources there, too */
	judge(&fw, "10.0.0.1");
	CU_ASSERT_EQUAL(pc_firewall_take_tables(next, set, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(learnt(next, 0), "");
	CU_ASSERT_STRING_EQUAL(learnt(next, 1), "");
	CU_ASSERT_STRING_EQUAL(learnt(next, 2), "2001:db8::/64 2001:db8:0:1::/64");
	fw_use(&fw, next, 0);
	CU_ASSERT_EQUAL(judge(&fw, "2001:db8::7"), FW_DROP);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.1"), FW_PASS);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(none, next, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(learnt(none, 0), "");
	pc_firewall_free(set);
	pc_firewall_free(next);
	pc_firewall_free(none);
}

static int add_until(struct pc_firewall *fw, const char *table, const char *text, uint64_t end_ns)
{
	const struct pc_firewall_change c = {.table = table,
	                                     .verb = PC_FIREWALL_ADD,
	                                     .text = text,
	                                     .len = strlen(text),
	                                     .name = "b",
	                                     .end_ns = end_ns};
	unsigned changed = 0;
	const int rc = pc_firewall_change_table(fw, &c, &changed, why, sizeof(why));

	pc_firewall_forget(fw);
	return rc == 0 ? (int)changed : -errno;
}

/* Expires what is over. Returns whether there was anything; *next is when there will be more. */
static bool expire(struct pc_firewall *fw, uint64_t now_ns, uint64_t *next)
{
	const bool any = pc_firewall_expire(fw, now_ns, next);

	pc_firewall_forget(fw);
	return any;
}

/* addresses that are added for a time */
static void test_times(void)
{
	struct pc_firewall *set = make("table bad { 10.0.0.1 }\ntable more\ntable web ports\n"
	                               "drop in from <bad>,<more>"),
	                   *other = make("table more\ndrop in from <more>");
	struct fw fw = {0};
	uint64_t next = 0;

	CU_ASSERT(!expire(set, 50, &next));
	CU_ASSERT_EQUAL(next, UINT64_MAX);
	CU_ASSERT_EQUAL(add_until(set, "bad", "10.0.0.4 10.0.0.1 10.0.0.2 10.0.0.3", 100), 3);
	CU_ASSERT(!expire(set, 99, &next));
	CU_ASSERT_EQUAL(next, 100);
	/* a time is replaced, also by none; what stays for ever stays */
	CU_ASSERT_EQUAL(add_until(set, "bad", "10.0.0.3", 200), 0);
	CU_ASSERT_EQUAL(add_until(set, "bad", "10.0.0.2", 0), 0);
	CU_ASSERT_EQUAL(add_until(set, "bad", "10.0.0.2", 150), 0);
	CU_ASSERT_EQUAL(add_until(set, "bad", "10.1.0.0/16", 0), 1);
	CU_ASSERT(expire(set, 100, &next));
	CU_ASSERT_EQUAL(next, 200);
	fw_use(&fw, set, 0);
	CU_ASSERT_STRING_EQUAL(list(set, "bad"), "10.0.0.1/32 10.0.0.2/32 10.0.0.3/32 10.1.0.0/16");
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.4"), FW_PASS);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.3"), FW_DROP);
	/* one table after the other */
	CU_ASSERT_EQUAL(add_until(set, "more", "10.0.0.3 2001:db8::1", 150), 2);
	CU_ASSERT(pc_firewall_expire(set, 200, &next) && next == 200);
	CU_ASSERT(!pc_firewall_expire(set, 200, &next) && next == 200);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.3"), FW_DROP);
	pc_firewall_forget(set);
	CU_ASSERT(expire(set, 200, &next) && next == UINT64_MAX);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge(&fw, "10.0.0.3"), FW_PASS);
	CU_ASSERT_STRING_EQUAL(list(set, "more"), "");
	/* it is deleted like others, and taken over */
	CU_ASSERT_EQUAL(add_until(set, "more", "10.0.0.5 10.0.0.6", 300), 2);
	CU_ASSERT_EQUAL(change(set, "more", PC_FIREWALL_DELETE, "10.0.0.5"), 1);
	pc_firewall_forget(set);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(other, set, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(list(other, "more"), "10.0.0.6/32");
	CU_ASSERT(expire(other, 300, &next));
	CU_ASSERT_STRING_EQUAL(list(other, "more"), "");
	CU_ASSERT_EQUAL(change(set, "more", PC_FIREWALL_REPLACE, "10.0.0.6"), 1);
	pc_firewall_forget(set);
	CU_ASSERT(!expire(set, 300, &next) && next == UINT64_MAX);
	CU_ASSERT_EQUAL(add_until(set, "web", "80", 300), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "table \"web\" has ports, which cannot be added for a time");
	pc_firewall_free(set);
	pc_firewall_free(other);
}

static const struct unit_case cases[] = {
    {"addresses that are added for a time", test_times},
    {"sources that rules have put into tables", test_learnt},
    {"tables of ports", test_ports},
    {"a table that is in use", test_changes},
    {"changes that are wrong", test_wrong},
    {"tables that other rules take over", test_take_over},
};

int main(void)
{
	eal_start();
	return unit_run("fw/change", cases, sizeof(cases) / sizeof(cases[0]));
}
