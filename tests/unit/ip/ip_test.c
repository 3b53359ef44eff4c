/* SPDX-License-Identifier: BSD-2-Clause */
/* The layer's settings: ports, addresses, announcements. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "net.h"

static struct net net;

static int add(int port, const char *text)
{
	struct pc_prefix p;

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(text, &p), 0);
	return ip_add_addr(&net.ip, port, &p);
}

static void test_addresses(void)
{
	const struct pc_prefix odd = {.addr = pc_addr_ip4(IP4(10, 2, 2, 2)), .len = 60};

	net_init(&net);
	net_open(&net);
	CU_ASSERT_EQUAL(add(2, "10.1.0.1/24"), -EINVAL);
	CU_ASSERT_EQUAL(add(-1, "10.1.0.1/24"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "0.0.0.0/24"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "0.0.0.9/24"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "127.0.0.1/8"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "224.0.0.5/24"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "255.255.255.255/32"), -EINVAL);
	CU_ASSERT_EQUAL(add(0, "10.1.0.0/24"), -EINVAL);   /* the network itself */
	CU_ASSERT_EQUAL(add(0, "10.1.0.255/24"), -EINVAL); /* its broadcast address */
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 0, &odd), -EINVAL);
	CU_ASSERT_EQUAL(add(1, "10.0.0.1/24"), -EEXIST);
	CU_ASSERT_EQUAL(add(0, "10.1.0.0/31"), 0); /* RFC 3021 */
	CU_ASSERT_EQUAL(add(0, "10.1.0.255/32"), 0);
	CU_ASSERT_EQUAL(add(1, "240.0.0.1/24"), 0);
	net_close(&net);
}

static void test_limits(void)
{
	char text[PC_PREFIX_STRLEN];

	net_init(&net);
	net_open(&net);
	for (unsigned i = 2; i < PC_MAX_ADDRS; i++) {
		snprintf(text, sizeof(text), "10.1.%u.1/24", i);
		CU_ASSERT_EQUAL(add(0, text), 0);
	}
	CU_ASSERT_EQUAL(add(0, "10.2.0.1/24"), -ENOSPC);
	for (int i = 2; i < PC_MAX_PORTS; i++)
		CU_ASSERT_EQUAL(ip_add_port(&net.ip, &net.port[0].port), i);
	CU_ASSERT_EQUAL(ip_add_port(&net.ip, &net.port[0].port), -ENOSPC);
	net_close(&net);
}

/* Each address needs room for the route to its network. */
static void test_routes_full(void)
{
	const struct pc_addr gateway = net_addr(NET_PEER);
	char text[PC_PREFIX_STRLEN];
	struct pc_prefix p;

	net_init(&net);
	net.ctx.cfg.ip_routes = 200;
	net_open(&net);
	for (unsigned i = 3; i < net.ctx.cfg.ip_routes; i++) {
		snprintf(text, sizeof(text), "20.%u.0.0/16", i);
		CU_ASSERT_EQUAL(pc_prefix_parse(text, &p), 0);
		CU_ASSERT_EQUAL(ip_add_route(&net.ip, &p, &gateway), 0);
	}
	CU_ASSERT_EQUAL(add(0, "10.7.0.1/24"), -ENOSPC);
	CU_ASSERT_EQUAL(net.ip.ifs.nb_addrs, 2);
	net_close(&net);
}

/* RFC 5227 section 2.3: an address is announced when it begins to be used, once. */
static void test_announce(void)
{
	uint32_t tick = 0;
	struct frame f;

	net_init(&net);
	net_open(&net);
	CU_ASSERT(!ip_next(&net.ip, &tick));
	CU_ASSERT_EQUAL(add(1, "192.168.1.7/24"), 0);
	CU_ASSERT(ip_next(&net.ip, &tick) && tick == net.ctx.tick);
	net_advance(&net, 10);
	CU_ASSERT(!net_next(&net, 0, &f));
	CU_ASSERT_FATAL(net_next(&net, 1, &f));
	CU_ASSERT(memcmp(f.b, net_broadcast_mac, 6) == 0 && f.b[21] == 1);
	CU_ASSERT(memcmp(f.b + 28, &(uint32_t){IP4(192, 168, 1, 7)}, 4) == 0);
	CU_ASSERT(memcmp(f.b + 38, &(uint32_t){IP4(192, 168, 1, 7)}, 4) == 0);
	net_advance(&net, 60000);
	CU_ASSERT(net_idle(&net) && !ip_next(&net.ip, &tick));
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"addresses", test_addresses},
    {"limits", test_limits},
    {"no room for routes", test_routes_full},
    {"announcements", test_announce},
};

int main(void)
{
	return net_program("ip/ip", cases, sizeof(cases) / sizeof(cases[0]));
}
