/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces and addresses. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../ip/net.h"
#include "../unit.h"

static struct netifs ifs;
static struct pc_port port[PC_MAX_PORTS + 1];

static void start(void)
{
	memset(&ifs, 0, sizeof(ifs));
	for (unsigned i = 0; i < PC_MAX_PORTS; i++) {
		port[i].info.mac[5] = (uint8_t)i;
		CU_ASSERT_EQUAL(netifs_add_port(&ifs, &port[i]), (int)i);
	}
	CU_ASSERT_EQUAL(netifs_add_port(&ifs, &port[PC_MAX_PORTS]), -ENOSPC);
}

static int add(uint8_t netif, const char *text)
{
	struct pc_prefix p;

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(text, &p), 0);
	return netifs_add_addr(&ifs, netif, &p);
}

static struct pc_addr addr(const char *text)
{
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &a), 0);
	return a;
}

static uint16_t find(const char *text)
{
	const struct pc_addr a = addr(text);

	return netifs_find(&ifs, &a);
}

static bool is_broadcast(uint8_t netif, const char *text)
{
	const struct pc_addr a = addr(text);

	return netifs_is_broadcast(&ifs, netif, &a);
}

static uint16_t find_link(uint8_t netif, const char *text)
{
	const struct pc_addr a = addr(text);

	return netifs_find_link(&ifs, netif, &a);
}

static void test_find(void)
{
	start();
	CU_ASSERT_EQUAL(find("10.0.0.1"), LADDR_NONE);
	CU_ASSERT_EQUAL(add(0, "10.0.0.1/24"), 0);
	CU_ASSERT_EQUAL(add(1, "10.0.0.1/8"), -EEXIST);
	CU_ASSERT_EQUAL(add(1, "10.0.1.1/24"), 1);
	CU_ASSERT_EQUAL(find("10.0.0.1"), 0);
	CU_ASSERT_EQUAL(find("10.0.1.1"), 1);
	/* the same last four bytes are not the same address */
	CU_ASSERT_EQUAL(find("2001:db8::a00:1"), LADDR_NONE);
	CU_ASSERT_EQUAL(netifs_find_first(&ifs, 1), 1);
	CU_ASSERT_EQUAL(netifs_find_first(&ifs, 2), LADDR_NONE);
	for (unsigned i = 2; i < PC_MAX_ADDRS; i++) {
		char text[PC_PREFIX_STRLEN];

		snprintf(text, sizeof(text), "10.1.%u.1/24", i);
		CU_ASSERT_EQUAL(add(2, text), (int)i);
	}
	CU_ASSERT_EQUAL(add(2, "10.2.0.1/24"), -ENOSPC);
	CU_ASSERT_EQUAL(find("10.1.63.1"), 63);
}

static void test_broadcast(void)
{
	start();
	add(0, "10.0.0.1/24");
	add(0, "10.8.0.1/13");
	add(1, "10.0.1.1/31");
	add(1, "10.0.1.9/32");
	CU_ASSERT(is_broadcast(0, "255.255.255.255"));
	CU_ASSERT(is_broadcast(3, "255.255.255.255"));
	CU_ASSERT(is_broadcast(0, "10.0.0.255"));
	CU_ASSERT(is_broadcast(0, "10.15.255.255"));
	CU_ASSERT(!is_broadcast(1, "10.0.0.255"));
	CU_ASSERT(!is_broadcast(0, "10.0.0.254"));
	/* RFC 3021: point-to-point networks have none */
	CU_ASSERT(!is_broadcast(1, "10.0.1.1"));
	CU_ASSERT(!is_broadcast(1, "10.0.1.9"));
	CU_ASSERT(!is_broadcast(1, "0.0.0.0"));
	CU_ASSERT(!is_broadcast(0, "2001:db8::ff"));
}

static void test_link(void)
{
	start();
	add(0, "10.0.0.1/8");
	add(0, "10.0.5.1/24");
	CU_ASSERT_EQUAL(find_link(0, "10.200.0.1"), 0);
	CU_ASSERT_EQUAL(find_link(0, "10.0.5.9"), 1);
	CU_ASSERT_EQUAL(find_link(1, "10.0.5.9"), LADDR_NONE);
	CU_ASSERT_EQUAL(find_link(0, "11.0.0.1"), LADDR_NONE);
}

static void test_mac(void)
{
	start();
	CU_ASSERT(netifs_owns_mac(&ifs, (const uint8_t[6]){0, 0, 0, 0, 0, PC_MAX_PORTS - 1}));
	CU_ASSERT(!netifs_owns_mac(&ifs, (const uint8_t[6]){0, 0, 0, 0, 0, PC_MAX_PORTS}));
	CU_ASSERT(!netifs_owns_mac(&ifs, (const uint8_t[6]){1, 0, 0, 0, 0, PC_MAX_PORTS - 1}));
}

static const struct unit_case cases[] = {
    {"addresses", test_find},
    {"broadcast", test_broadcast},
    {"networks", test_link},
    {"MAC addresses", test_mac},
};

UNIT_MAIN("neigh/netif", cases)
