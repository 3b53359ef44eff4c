/* SPDX-License-Identifier: BSD-2-Clause */

/* IPv6 addresses, routes and the choice of a source (RFC 6724). */

#include <errno.h>
#include <stdio.h>

#include "../../support/frame6.h"
#include "../unit.h"
#include "net.h"

static struct net net;

static int add(int port, const char *text)
{
	struct pc_prefix p;

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(text, &p), 0);
	return ip_add_addr(&net.ip, port, &p);
}

static void drain(void)
{
	struct frame f;

	net_advance(&net, 3000);
	for (uint8_t i = 0; i < 2; i++)
		while (net_next(&net, i, &f))
			;
}

static void start(void)
{
	net_init(&net);
	net.ctx.cfg.ip6_dad = 0;
	net_open(&net);
}

/* The text of the address that packets to dst come from. */
static const char *source(const char *dst)
{
	static char text[PC_ADDR_STRLEN];
	const struct pc_addr a = addr6(dst);
	const uint16_t laddr = ip6_source(&net.ip, 0, &a, NULL);

	return laddr == LADDR_NONE ? "none" : pc_addr_format(ip_laddr(&net.ip, laddr), text);
}

static void test_addresses(void)
{
	start();
	CU_ASSERT_EQUAL(add(0, "::1/128"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "::/64"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "ff02::1/64"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "fd00::/64"), -EINVAL);  /* RFC 4291: the routers' anycast address */
	CU_ASSERT_EQUAL(add(0, "fd00:0:0:1::/127"), 0); /* RFC 6164 */
	CU_ASSERT_EQUAL(add(0, "fd00::1/64"), 0);
	CU_ASSERT_EQUAL(add(1, "fd00::1/64"), -EEXIST);
	CU_ASSERT(net.ip.ifs.netif[0].link_local != LADDR_NONE);
	CU_ASSERT_EQUAL(net.ip.ifs.netif[1].link_local, LADDR_NONE);
	net.ip.ifs.netif[1].mtu_max = 1279;
	CU_ASSERT_EQUAL(add(1, "fd00::2/64"), -EINVAL); /* RFC 8200 section 5 */
	drain();
	net_close(&net);
}

static void test_rules(void)
{
	start();
	CU_ASSERT_STRING_EQUAL(source("2001:db8::1"), "none");
	CU_ASSERT_EQUAL(add(0, "fd00::1/64"), 0);
	CU_ASSERT_STRING_EQUAL(source("fe80::9"), "fe80::ff:fe00:1"); /* rule 2 */
	CU_ASSERT_STRING_EQUAL(source("ff02::1"), "fe80::ff:fe00:1");
	CU_ASSERT_STRING_EQUAL(source("ff0e::1"), "fd00::1");
	CU_ASSERT_STRING_EQUAL(source("2001:db8::1"), "fd00::1");
	CU_ASSERT_EQUAL(add(0, "2001:db8:0:1::1/64"), 0);
	CU_ASSERT_EQUAL(add(0, "2001:db8:0:2::1/64"), 0);
	CU_ASSERT_STRING_EQUAL(source("2001:db8:1::1"), "2001:db8:0:1::1"); /* rule 6: labels */
	CU_ASSERT_STRING_EQUAL(source("fd00:9::1"), "fd00::1");
	CU_ASSERT_STRING_EQUAL(source("2001:db8:0:2::9"), "2001:db8:0:2::1"); /* rule 8: bits */
	CU_ASSERT_STRING_EQUAL(source("2001:db8:0:3::9"), "2001:db8:0:2::1");
	net.ip.ifs.addr[5].state = LADDR_DEPRECATED; /* rule 3 */
	CU_ASSERT_STRING_EQUAL(source("2001:db8:0:2::9"), "2001:db8:0:1::1");
	net.ip.ifs.addr[4].state = LADDR_TENTATIVE;
	net.ip.ifs.addr[3].state = LADDR_DUPLICATE;
	CU_ASSERT_STRING_EQUAL(source("2001:db8:0:2::9"), "2001:db8:0:2::1");
	net.ip.ifs.addr[5].state = LADDR_EXPIRED; /* nothing but the link-local one is left */
	CU_ASSERT_STRING_EQUAL(source("2001:db8:0:2::9"), "fe80::ff:fe00:1");
	net.ip.ifs.addr[3].state = net.ip.ifs.addr[4].state = net.ip.ifs.addr[5].state = 0;
	drain();
	net_close(&net);
}

/* The one of two addresses that is tried first. */
static const char *sorted(const char *a, const char *b)
{
	struct pc_endpoint to[2] = {{.addr = addr6(a), .port = 1}, {.addr = addr6(b), .port = 2}};
	static char text[PC_ADDR_STRLEN];

	ip_sort(&net.ip, to, 2);
	CU_ASSERT_EQUAL(to[0].port + to[1].port, 3);
	return pc_addr_format(&to[0].addr, text);
}

/* Of two addresses, whatever their order is, the first one given is tried first. */
static void before(const char *better, const char *worse)
{
	CU_ASSERT_STRING_EQUAL(sorted(better, worse), better);
	CU_ASSERT_STRING_EQUAL(sorted(worse, better), better);
}

static void test_destinations(void)
{
	const struct pc_prefix all = {0};
	const struct pc_addr via = addr6("fd00::fe");

	start();
	before("198.51.100.7", "2001:db8::1"); /* rule 1: no way over IPv6 */
	before("198.51.100.7", "fe80::7");
	CU_ASSERT_STRING_EQUAL(sorted("2001:db8::1", "2001:db8::2"), "2001:db8::1");
	CU_ASSERT_EQUAL(add(0, "fd00::1/64"), 0);
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &all, &via), 0);
	before("198.51.100.7", "2001:db8::1"); /* rule 5: only from fd00::1 */
	before("198.51.100.7", "fd00::7");     /* rule 6 */
	before("fd00::7", "2001:db8::1");
	CU_ASSERT_EQUAL(add(0, "2001:db8:0:1::1/64"), 0);
	before("2001:db8::1", "198.51.100.7");
	before("2001:db8::1", "fd00::7");
	before("2001:db8::1", "2002::1"); /* rule 5: a label that no address of ours has */
	before("2001:db8:0:1::7", "2001:db8:0:2::7"); /* rule 9 */
	CU_ASSERT_STRING_EQUAL(sorted("198.51.100.7", "198.51.100.8"), "198.51.100.7");
	CU_ASSERT_STRING_EQUAL(sorted("198.51.100.8", "198.51.100.7"), "198.51.100.8");
	net.ip.ifs.addr[4].state = LADDR_DEPRECATED; /* rule 3 */
	before("198.51.100.7", "2001:db8::1");
	net.ip.ifs.addr[4].state = LADDR_READY;
	before("::1", "2001:db8::1"); /* rule 8, and 6: its precedence */
	drain();
	net_close(&net);
}

static int find(const char *dst, uint16_t laddr, struct ip_path *path)
{
	const struct pc_addr a = addr6(dst);

	return ip_path_find(&net.ip, &a, laddr, path);
}

static void test_routes(void)
{
	const struct pc_prefix all = {0}, doc = {.addr.b = {0x20, 1, 0xd, 0xb8}, .len = 32};
	const struct pc_addr via = addr6("fd00::fe"), via4 = net_addr(NET_GATEWAY);
	struct ip_path path;

	start();
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &all, &via), -ENETUNREACH); /* no such link yet */
	CU_ASSERT_EQUAL(add(0, "fd00::1/64"), 0);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("fd00::2", LADDR_NONE, &path), 0);
	CU_ASSERT(path.mtu == 1500 && path.netif == 0);
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &all, &via), 0); /* beside IPv4's */
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &all, &via), -EEXIST);
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &doc, &via4), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), 0);
	CU_ASSERT(
	    pc_addr_equal(ip_laddr(&net.ip, path.laddr), &(struct pc_addr){.b = {0xfd, [15] = 1}}));
	CU_ASSERT_EQUAL(find("198.51.100.7", LADDR_NONE, &path), 0); /* by IPv4's own route */
	CU_ASSERT_EQUAL(path.laddr, 0);
	CU_ASSERT_EQUAL(find("fd00::2", 0, &path), -ENETUNREACH); /* from an IPv4 address */
	CU_ASSERT_EQUAL(find("::", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("::1", LADDR_NONE, &path), 0);
	CU_ASSERT_TRUE(path.netif == NETIF_LO && path.laddr == LADDR_LO6);
	CU_ASSERT_EQUAL(find("fd00::1", LADDR_NONE, &path), 0); /* ours */
	CU_ASSERT_EQUAL(path.netif, NETIF_LO);
	CU_ASSERT_EQUAL(find("ff02::1", LADDR_NONE, &path), 0);
	CU_ASSERT(path.multicast);
	drain();
	net_close(&net);
}

static int change_by(int (*change)(struct ip *, const struct pc_route *), const char *gateway,
                     int port)
{
	const struct pc_route all = {.gateway = addr6(gateway), .port = port};

	return change(&net.ip, &all);
}

/* The port of a route says which link a link-local gateway is on; that of another gateway says nothing. */
static void test_zones(void)
{
	struct ip_path path;

	start();
	CU_ASSERT_EQUAL(add(0, "fd00::1/64"), 0);
	CU_ASSERT_EQUAL(change_by(ip_route_add, "fe80::fe", 1), -ENETUNREACH); /* no IPv6 there */
	CU_ASSERT_EQUAL(add(1, "fd00:0:0:1::1/64"), 0);
	CU_ASSERT_EQUAL(change_by(ip_route_add, "fe80::fe", 99), -ENETUNREACH);
	CU_ASSERT_EQUAL(change_by(ip_route_add, "fe80::fe", 1), 0);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), 0);
	CU_ASSERT_EQUAL(path.netif, 1);
	CU_ASSERT_EQUAL(change_by(ip_route_add, "fe80::fe", 1), -EEXIST);
	CU_ASSERT_EQUAL(change_by(ip_route_add, "fe80::fe", 0), 0); /* another host's, perhaps */
	CU_ASSERT_EQUAL(change_by(ip_route_del, "fe80::fe", 1), 0);
	CU_ASSERT_EQUAL(change_by(ip_route_del, "fe80::fe", 1), -ESRCH);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), 0);
	CU_ASSERT_EQUAL(path.netif, 0);
	CU_ASSERT_EQUAL(change_by(ip_route_replace, "fe80::fe", 1), 0);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), 0);
	CU_ASSERT_EQUAL(path.netif, 1);
	CU_ASSERT_EQUAL(change_by(ip_route_del, "fe80::fe", -1), 0);
	CU_ASSERT_EQUAL(change_by(ip_route_add, "fe80::fe", -1), 0);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), 0);
	CU_ASSERT_EQUAL(path.netif, 0);
	CU_ASSERT_EQUAL(change_by(ip_route_replace, "fd00:0:0:1::fe", 0), 0);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), 0);
	CU_ASSERT_EQUAL(path.netif, 1);
	drain();
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"addresses", test_addresses},
    {"RFC 6724 5: source addresses", test_rules},
    {"RFC 6724 6: destination addresses", test_destinations},
    {"routes of both families", test_routes},
    {"RFC 4007 6: link-local gateways", test_zones},
};

int main(void)
{
	return net_program("ip/source", cases, sizeof(cases) / sizeof(cases[0]));
}
