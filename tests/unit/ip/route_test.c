/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes: the longest prefix, the right interface, the right source address. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "net.h"

static struct net net;

static void start(void)
{
	net_init(&net);
	net_open(&net);
}

static int add(const char *dest, const char *gateway)
{
	struct pc_prefix p;
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(dest, &p), 0);
	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(gateway, &a), 0);
	return ip_add_route(&net.ip, &p, &a);
}

static int find(const char *dst, uint16_t laddr, struct ip_path *path)
{
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(dst, &a), 0);
	memset(path, 0xee, sizeof(*path));
	return ip_path_find(&net.ip, &a, laddr, path);
}

/* Says whether the way to dst is by a neighbour. */
static bool goes_by(const char *dst, const char *hop, uint8_t netif)
{
	struct ip_path path;
	struct neigh_ref ref;
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(hop, &a), 0);
	if (find(dst, LADDR_NONE, &path) != 0)
		return false;
	ref = neigh_lookup(net.ip.neigh, netif, &a);
	return path.netif == netif && path.neigh.index == ref.index &&
	       path.neigh.generation == ref.generation && path.mtu == 1500 && !path.broadcast &&
	       !path.multicast;
}

static void test_longest(void)
{
	start();
	CU_ASSERT(goes_by("10.0.0.2", "10.0.0.2", 0));
	CU_ASSERT(goes_by("192.168.1.9", "192.168.1.9", 1));
	CU_ASSERT(goes_by("8.8.8.8", "10.0.0.254", 0));
	CU_ASSERT_EQUAL(add("8.0.0.0/8", "10.0.0.3"), 0);
	CU_ASSERT_EQUAL(add("8.8.8.8/32", "10.0.0.5"), 0);
	CU_ASSERT_EQUAL(add("8.8.0.0/16", "192.168.1.4"), 0);
	CU_ASSERT_EQUAL(add("8.8.8.0/24", "10.0.0.4"), 0);
	CU_ASSERT(goes_by("8.8.8.8", "10.0.0.5", 0));
	CU_ASSERT(goes_by("8.8.8.9", "10.0.0.4", 0));
	CU_ASSERT(goes_by("8.8.9.9", "192.168.1.4", 1));
	CU_ASSERT(goes_by("8.9.9.9", "10.0.0.3", 0));
	CU_ASSERT(goes_by("9.9.9.9", "10.0.0.254", 0));
	/* host bits of a destination do not matter */
	CU_ASSERT_EQUAL(add("172.16.5.5/12", "10.0.0.7"), 0);
	CU_ASSERT(goes_by("172.31.0.1", "10.0.0.7", 0));
	net_close(&net);
}

static void test_errors(void)
{
	struct ip_path path;

	start();
	CU_ASSERT_EQUAL(add("5.0.0.0/8", "172.16.0.1"), -ENETUNREACH);
	CU_ASSERT_EQUAL(add("5.0.0.0/8", "10.0.0.1"), -ENETUNREACH); /* ours */
	CU_ASSERT_EQUAL(add("5.0.0.0/8", "10.0.0.255"), -ENETUNREACH);
	CU_ASSERT_EQUAL(add("2001:db8::/32", "10.0.0.9"), -ENETUNREACH);
	CU_ASSERT_EQUAL(add("0.0.0.0/0", "10.0.0.9"), -EEXIST);
	CU_ASSERT_EQUAL(add("::/0", "10.0.0.9"), -EEXIST);
	CU_ASSERT_EQUAL(add("10.0.0.0/24", "10.0.0.9"), -EEXIST); /* the connected one */
	CU_ASSERT_EQUAL(find("10.0.0.1", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("192.168.1.1", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("127.0.0.1", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("0.0.0.0", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("0.1.2.3", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("2001:db8::1", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(path.mtu, 0xeeee); /* untouched */
	net_close(&net);
}

/* RFC 1122 section 3.3.4.2, strong host: a source address leaves by its own interface. */
static void test_strong_host(void)
{
	struct ip_path path;

	start();
	CU_ASSERT_EQUAL(find("10.0.0.2", 0, &path), 0);
	CU_ASSERT_EQUAL(path.laddr, 0);
	CU_ASSERT_EQUAL(find("10.0.0.2", 1, &path), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(find("8.8.8.8", 1, &path), -EADDRNOTAVAIL);
	/* with an uplink of its own the other address answers by that */
	CU_ASSERT_EQUAL(add("0.0.0.0/0", "192.168.1.254"), 0);
	CU_ASSERT_EQUAL(find("8.8.8.8", 1, &path), 0);
	CU_ASSERT(path.netif == 1 && path.laddr == 1);
	CU_ASSERT_EQUAL(find("8.8.8.8", LADDR_NONE, &path), 0);
	CU_ASSERT(path.netif == 0 && path.laddr == 0);
	CU_ASSERT_EQUAL(find("10.0.0.2", 1, &path), 0);
	CU_ASSERT(path.netif == 1);
	net_close(&net);
}

/* Of several addresses of ours the one on the network of the next hop is used. */
static void test_source(void)
{
	struct pc_prefix p;
	struct ip_path path;

	start();
	pc_prefix_parse("10.5.0.1/16", &p);
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 0, &p), 0);
	pc_prefix_parse("10.0.0.50/24", &p);
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 0, &p), 0);
	pc_prefix_parse("10.9.9.9/32", &p);
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 0, &p), 0);
	CU_ASSERT(find("10.5.7.7", LADDR_NONE, &path) == 0 && path.laddr == 2);
	CU_ASSERT(find("10.0.0.7", LADDR_NONE, &path) == 0 && path.laddr == 0);
	CU_ASSERT_EQUAL(add("7.0.0.0/8", "10.5.0.9"), 0);
	CU_ASSERT(find("7.7.7.7", LADDR_NONE, &path) == 0 && path.laddr == 2);
	CU_ASSERT(find("10.0.0.7", 3, &path) == 0 && path.laddr == 3);
	CU_ASSERT(find("8.8.8.8", 4, &path) == 0 && path.laddr == 4);
	net_close(&net);
}

static void test_groups(void)
{
	struct ip_path path;

	start();
	CU_ASSERT(find("255.255.255.255", LADDR_NONE, &path) == 0);
	CU_ASSERT(path.broadcast && !path.multicast && path.netif == 0 && path.laddr == 0);
	CU_ASSERT(find("255.255.255.255", 1, &path) == 0);
	CU_ASSERT(path.broadcast && path.netif == 1 && path.laddr == 1);
	CU_ASSERT(find("192.168.1.255", LADDR_NONE, &path) == 0);
	CU_ASSERT(path.broadcast && path.netif == 1 && path.laddr == 1);
	CU_ASSERT(find("239.1.2.3", 1, &path) == 0);
	CU_ASSERT(path.multicast && !path.broadcast && path.netif == 1);
	CU_ASSERT(find("239.1.2.3", LADDR_NONE, &path) == 0);
	CU_ASSERT(path.multicast && path.netif == 0 && ip_path_is_good(&net.ip, &path));
	CU_ASSERT_EQUAL(add("239.0.0.0/8", "192.168.1.9"), 0);
	CU_ASSERT(find("239.1.2.3", LADDR_NONE, &path) == 0 && path.netif == 1);
	net_close(&net);
}

/* A gateway on the networks of two interfaces is reached by the smaller one. */
static void test_gateway_link(void)
{
	struct pc_prefix p;

	start();
	pc_prefix_parse("10.0.0.129/25", &p);
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 1, &p), 0);
	CU_ASSERT_EQUAL(add("7.0.0.0/8", "10.0.0.130"), 0);
	CU_ASSERT_EQUAL(add("8.0.0.0/8", "10.0.0.30"), 0);
	CU_ASSERT(goes_by("7.7.7.7", "10.0.0.130", 1));
	CU_ASSERT(goes_by("8.8.8.8", "10.0.0.30", 0));
	net_close(&net);
}

/* Without a default route groups are reached by the first address, without any not at all. */
static void test_groups_alone(void)
{
	struct ip_path path;

	start();
	net.ip.nb_routes = 0;
	CU_ASSERT(find("255.255.255.255", LADDR_NONE, &path) == 0 && path.laddr == 0);
	net.ip.ifs.nb_addrs = 0;
	CU_ASSERT_EQUAL(find("255.255.255.255", LADDR_NONE, &path), -ENETUNREACH);
	CU_ASSERT_EQUAL(find("224.0.0.1", LADDR_NONE, &path), -ENETUNREACH);
	net_close(&net);
}

static void test_full(void)
{
	char text[PC_PREFIX_STRLEN];
	int rc = 0;
	unsigned n = 0;

	start();
	while (rc == 0) {
		snprintf(text, sizeof(text), "20.%u.0.0/16", n);
		rc = add(text, "10.0.0.9");
		n += rc == 0;
	}
	CU_ASSERT_EQUAL(rc, -ENOSPC);
	CU_ASSERT_EQUAL(n, PC_MAX_ROUTES - 3);
	CU_ASSERT(goes_by("20.200.1.1", "10.0.0.9", 0));
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"longest prefix", test_longest},
    {"errors", test_errors},
    {"strong host", test_strong_host},
    {"source addresses", test_source},
    {"broadcast and multicast", test_groups},
    {"a full table", test_full},
    {"the gateway's interface", test_gateway_link},
    {"groups without routes", test_groups_alone},
};

int main(void)
{
	return net_program("ip/route", cases, sizeof(cases) / sizeof(cases[0]));
}
