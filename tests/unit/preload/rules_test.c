/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules: what is understood, what is refused with which words, and who gets a socket. */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <percore/rules.h>

#include "../unit.h"

static struct pc_rules rules;
static char why[256];

static void make(const char *text)
{
	memset(&rules, 0, sizeof(rules));
	CU_ASSERT_EQUAL(pc_rules_add(&rules, text, why, sizeof(why)), 0);
}

static struct pc_endpoint endpoint(const char *addr, uint16_t port)
{
	struct pc_endpoint e = {.port = port};

	CU_ASSERT_EQUAL(pc_addr_parse(addr, &e.addr), 0);
	return e;
}

static bool kernel(int protocol, enum pc_rule_moment moment, const char *addr, uint16_t port)
{
	const struct pc_endpoint e = endpoint(addr, port);

	return pc_rules_decide(&rules, protocol, moment, &e) == PC_RULE_KERNEL;
}

static void test_none(void)
{
	make("");
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_BIND, "0.0.0.0", 80));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "192.0.2.9", 80));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "127.0.0.1", 80));
	CU_ASSERT(kernel(IPPROTO_UDP, PC_RULE_BIND, "127.9.9.9", 53));
	CU_ASSERT(kernel(IPPROTO_UDP, PC_RULE_BIND, "::1", 53));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "0.0.0.0", 80)); /* this machine */
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "::", 80));
}

static void test_first_fits(void)
{
	make("percore 127.0.0.1\n"
	     "# what follows is for the kernel\n"
	     "kernel tcp bind port 22 # ssh; and not what this says: percore\n"
	     "kernel udp; kernel connect 10.0.0.0/8 port 5000-5010;\n"
	     "percore 2001:db8::/32;kernel connect ::/0\n");
	CU_ASSERT_EQUAL(rules.n, 6);
	CU_ASSERT_FALSE(kernel(IPPROTO_UDP, PC_RULE_BIND, "127.0.0.1", 53));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_BIND, "0.0.0.0", 22));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_BIND, "::", 22));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_BIND, "0.0.0.0", 23));
	CU_ASSERT(kernel(IPPROTO_UDP, PC_RULE_BIND, "0.0.0.0", 9));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "10.1.2.3", 4999));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "10.1.2.3", 5000));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "10.255.255.255", 5010));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "11.0.0.0", 5005));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_BIND, "10.1.2.3", 5005));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "2001:db8::1", 80));
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_CONNECT, "2001:db9::1", 80));
}

/* a rule for one address does not take the wildcard: that would take all addresses with it */
static void test_wildcard(void)
{
	make("kernel 192.0.2.1");
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_BIND, "192.0.2.1", 80));
	CU_ASSERT_FALSE(kernel(IPPROTO_TCP, PC_RULE_BIND, "0.0.0.0", 80));
	make("kernel any");
	CU_ASSERT(kernel(IPPROTO_TCP, PC_RULE_BIND, "0.0.0.0", 80));
}

static void refuse(const char *text, const char *names)
{
	memset(&rules, 0, sizeof(rules));
	CU_ASSERT_EQUAL(pc_rules_add(&rules, "kernel udp", why, sizeof(why)), 0);
	errno = 0;
	CU_ASSERT_EQUAL(pc_rules_add(&rules, text, why, sizeof(why)), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, names));
	CU_ASSERT_EQUAL(rules.n, 1);
}

static void test_mistakes(void)
{
	refuse("drop tcp", "expected \"kernel\" or \"percore\" first");
	refuse("kernel tcp\nkernel 1.2.3", "1.2.3");
	refuse("kernel 10.0.0.0/33", "10.0.0.0/33");
	refuse("kernel port", "port");
	refuse("kernel port x", "x");
	refuse("kernel port 1-", "1-");
	refuse("kernel port -1", "-1");
	refuse("kernel port 70000", "70000");
	refuse("kernel port 9-8", "9-8");
	refuse("kernel port 80 81", "81");
	refuse("kernel bind tcp", "tcp"); /* the order of the words counts */
}

static void test_many(void)
{
	memset(&rules, 0, sizeof(rules));
	for (int i = 0; i < PC_MAX_RULES; i++)
		CU_ASSERT_EQUAL(pc_rules_add(&rules, "kernel udp", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(pc_rules_add(&rules, "kernel tcp", why, sizeof(why)), -1);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	CU_ASSERT_EQUAL(rules.n, PC_MAX_RULES);
}

static const struct unit_case cases[] = {
    {"none", test_none},         {"the first that fits", test_first_fits},
    {"wildcard", test_wildcard}, {"mistakes", test_mistakes},
    {"too many", test_many},
};

UNIT_MAIN("rules", cases)
