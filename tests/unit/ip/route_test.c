/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes: the longest prefix, the right interface, the right source address. */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/dice.h"
#include "ip/route.h"
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
	CU_ASSERT_EQUAL(find("10.0.0.1", LADDR_NONE, &path), 0);  /* ours */
	CU_ASSERT_EQUAL(path.netif, NETIF_LO);
	CU_ASSERT_EQUAL(find("127.0.0.1", LADDR_NONE, &path), 0);
	CU_ASSERT_TRUE(path.netif == NETIF_LO && path.laddr == LADDR_LO4);
	CU_ASSERT_EQUAL(find("127.0.0.2", LADDR_NONE, &path), -ENETUNREACH);
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
	CU_ASSERT(path.netif == path.laddr); /* of two equal routes either, from its own address */
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
	net_forget_routes(&net);
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

	net_init(&net);
	net.ctx.cfg.ip_routes = 200;
	net_open(&net);
	while (rc == 0) {
		snprintf(text, sizeof(text), "20.%u.0.0/16", n);
		rc = add(text, "10.0.0.9");
		n += rc == 0;
	}
	CU_ASSERT_EQUAL(rc, -ENOSPC);
	CU_ASSERT_EQUAL(n, net.ctx.cfg.ip_routes - 3);
	CU_ASSERT(goes_by("20.100.1.1", "10.0.0.9", 0));
	net_close(&net);
}

/* The table against a walk over all networks: both families, every length, coming and going. */
static void test_random(void)
{
	static struct pc_route set[400];
	static bool there[400];
	struct dice dice;
	struct pc_prefix p;

	net_init(&net);
	net.ctx.cfg.ip_routes = 500;
	net.ctx.cfg.ip6_dad = 0;
	net_open(&net);
	pc_prefix_parse("fd00::1/64", &p);
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 0, &p), 0);
	dice_seed(&dice, 7);
	for (unsigned round = 0; round < 4000; round++) {
		const unsigned k = dice_below(&dice, 400), longest = UINT_MAX;
		struct pc_route *r = &set[k];
		const struct route *found;
		unsigned best = longest;
		struct pc_addr dst;

		if (there[k]) {
			CU_ASSERT_EQUAL(ip_route_del(&net.ip, r), 0);
			there[k] = false;
		} else {
			*r = (struct pc_route){.metric = k + 1, .port = -1};
			if (k % 2 == 0) { /* few bits, so that many hold each other */
				r->dest.addr =
				    pc_addr_ip4(htonl(0x40000000 | dice_below(&dice, 256) << 12));
				r->dest.len = (uint8_t)(98 + dice_below(&dice, 31));
				r->gateway = net_addr(NET_GATEWAY);
			} else {
				r->dest.addr.b[0] = 0x20;
				r->dest.addr.b[1] = (uint8_t)dice_below(&dice, 4);
				r->dest.addr.b[15] = (uint8_t)dice_below(&dice, 4);
				r->dest.len = (uint8_t)(2 + dice_below(&dice, 127));
				pc_addr_parse("fd00::fe", &r->gateway);
			}
			r->dest = route_network(&r->dest);
			there[k] = ip_route_add(&net.ip, r) == 0; /* or another is the same */
		}
		dst = set[dice_below(&dice, 400)].dest.addr;
		dst.b[15] ^= (uint8_t)dice_below(&dice, 3);
		for (unsigned i = 0; i < 400; i++)
			if (there[i] && pc_addr_is_ip4(&set[i].dest.addr) == pc_addr_is_ip4(&dst) &&
			    pc_prefix_contains(&set[i].dest, &dst) &&
			    (best == longest || set[i].dest.len > set[best].dest.len))
				best = i;
		found = route_find(&net.ip, &dst, ROUTE_ANY);
		if (best == longest)
			CU_ASSERT(found == NULL || found->metric == 0) /* none of these */
		else
			CU_ASSERT(found != NULL && found->metric == best + 1);
	}
	CU_ASSERT_EQUAL(ip_validate(&net.ip), 0);
	net_close(&net);
}

/* How many of 256 destinations go by each of the gateways 10.0.0.11 to 14. */
static void count_ways(unsigned n[4])
{
	memset(n, 0, 4 * sizeof(n[0]));
	for (unsigned i = 0; i < 256; i++) {
		const struct pc_addr dst = net_addr(IP4(8, 0, 0, i));
		const struct route *r = route_find(&net.ip, &dst, ROUTE_ANY);

		CU_ASSERT(r != NULL && r == route_find(&net.ip, &dst, 0)); /* the same each time */
		n[r->gateway.b[15] - 11]++;
	}
}

static void drain(void)
{
	struct frame f;

	while (net_next(&net, 0, &f))
		;
}

static void add_ways(void)
{
	for (unsigned i = 0; i < 4; i++) {
		const struct pc_route r = {.dest = {.addr = net_addr(IP4(8, 0, 0, 0)), .len = 104},
		                           .gateway = net_addr(IP4(10, 0, 0, 11 + i)),
		                           .metric = 3};

		CU_ASSERT_EQUAL(ip_route_add(&net.ip, &r), 0);
		CU_ASSERT_EQUAL(ip_route_add(&net.ip, &r), -EEXIST);
	}
}

/* Equal routes share the destinations; a gateway that does not answer gets none. */
static void test_equal(void)
{
	struct pc_route better = {.dest = {.addr = net_addr(IP4(8, 0, 0, 0)), .len = 104},
	                          .gateway = net_addr(IP4(10, 0, 0, 14)),
	                          .metric = 2};
	unsigned n[4], again[4];
	struct frame_ends e;
	struct frame f;

	start();
	add_ways();
	count_ways(n);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT(n[i] > 30 && n[i] < 100);
	neigh_ask(net.ip.neigh, 0, &(struct pc_addr){.w = {0, 0, 0xffff0000, IP4(10, 0, 0, 12)}});
	net_advance(&net, 3500);
	CU_ASSERT_EQUAL(net_count(&net, PC_GATEWAYS_DOWN), 1);
	count_ways(again);
	CU_ASSERT(again[1] == 0 && again[0] > 30 && again[2] > 30 && again[3] > 30);
	drain();
	net_advance(&net, 10000); /* it is asked again, and answers */
	CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 6 && f.b[41] == 12);
	e = net_ends(IP4(10, 0, 0, 12), NET_US);
	frame_arp(&f, &e, 2, e.dst_mac);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	net_advance(&net, 1500);
	count_ways(again);
	CU_ASSERT(memcmp(n, again, sizeof(n)) == 0);
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &better), 0);
	CU_ASSERT_EQUAL(ip_route_add(&net.ip, &better), 0);
	count_ways(again);
	CU_ASSERT_EQUAL(again[3], 256); /* a lower metric takes all */
	CU_ASSERT_EQUAL(ip_route_replace(&net.ip, &better), 0);
	better.gateway = (struct pc_addr){0};
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &better), 0);
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &better), -ESRCH);
	CU_ASSERT_EQUAL(ip_validate(&net.ip), 0);
	drain();
	net_close(&net);
}

/* Shares of 8000 flows to one destination, by weight; and who has had none of a gateway's keeps his. */
static void test_weights(void)
{
	static const uint16_t weight[4] = {1, 1, 2, 4};
	const struct pc_addr dst = net_addr(IP4(8, 0, 0, 9));
	const struct route *way[8000];
	unsigned n[4] = {0}, moved = 0;
	bool shared = false;

	start();
	for (unsigned i = 0; i < 4; i++) {
		const struct pc_route r = {.dest = {.addr = net_addr(IP4(8, 0, 0, 0)), .len = 104},
		                           .gateway = net_addr(IP4(10, 0, 0, 11 + i)),
		                           .weight = weight[i]};

		CU_ASSERT_EQUAL(ip_route_add(&net.ip, &r), 0);
	}
	for (uint32_t i = 0; i < 8000; i++) {
		const struct ip_flow f = {.src = net_addr(NET_US), .ports = 80u << 16 | i};

		way[i] = route_find_flow(&net.ip, &dst, ROUTE_ANY, &f, &shared);
		CU_ASSERT(shared);
		n[way[i]->gateway.b[15] - 11]++;
	}
	for (unsigned i = 0; i < 4; i++) /* four standard deviations */
		CU_ASSERT(n[i] > weight[i] * 1000u - 180 && n[i] < weight[i] * 1000u + 180);
	net.ip.gateways.place[way[0]->by].down = true;
	for (uint32_t i = 0; i < 8000; i++) {
		const struct ip_flow f = {.src = net_addr(NET_US), .ports = 80u << 16 | i};

		moved += route_find_flow(&net.ip, &dst, ROUTE_ANY, &f, &shared) != way[i];
	}
	CU_ASSERT_EQUAL(moved, n[way[0]->gateway.b[15] - 11]);
	net_close(&net);
}

static struct pc_route via(const char *dest, const char *gateway)
{
	struct pc_route r = {0};

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(dest, &r.dest), 0);
	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(gateway, &r.gateway), 0);
	return r;
}

/* A route by the interface alone is replaced like others; a connected network, with nothing lost, is not. */
static void test_replace_on_link(void)
{
	const struct pc_route link = via("7.0.0.0/8", "0.0.0.0"),
	                      first = via("7.0.0.0/8", "10.0.0.3"),
	                      second = via("7.0.0.0/8", "10.0.0.4"),
	                      own = via("10.0.0.0/24", "10.0.0.3");

	start();
	CU_ASSERT_EQUAL(ip_route_add(&net.ip, &link), 0);
	CU_ASSERT_EQUAL(ip_route_replace(&net.ip, &first), 0);
	CU_ASSERT(goes_by("7.1.1.1", "10.0.0.3", 0));
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &first), 0);
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &link), -ESRCH); /* it was the only one */
	CU_ASSERT_EQUAL(ip_route_add(&net.ip, &second), 0);
	CU_ASSERT_EQUAL(ip_route_replace(&net.ip, &link), 0);
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &second), -ESRCH);
	CU_ASSERT_EQUAL(ip_route_replace(&net.ip, &own), -EEXIST);
	CU_ASSERT_EQUAL(ip_validate(&net.ip), 0);
	drain();
	net_close(&net);
}

/* There are GATEWAYS places: a route that cannot be replaced stays. */
static void test_replace_full(void)
{
	const struct pc_route shared = via("7.0.0.0/8", "10.0.0.3"),
	                      alone = via("8.0.0.0/8", "10.0.0.3");
	const struct pc_route other = via("7.0.0.0/8", "10.0.0.250"),
	                      last = via("9.9.0.0/16", "10.0.0.250");
	unsigned n;
	char dest[32], gateway[32];

	start();
	CU_ASSERT_EQUAL(ip_route_add(&net.ip, &shared), 0);
	CU_ASSERT_EQUAL(ip_route_add(&net.ip, &alone), 0);
	for (n = net.ip.gateways.n; n < GATEWAYS; n++) {
		struct pc_route r;

		snprintf(dest, sizeof(dest), "9.%u.0.0/16", n);
		snprintf(gateway, sizeof(gateway), "10.0.0.%u", n + 10);
		r = via(dest, gateway);
		CU_ASSERT_EQUAL(ip_route_add(&net.ip, &r), 0);
	}
	CU_ASSERT_EQUAL(ip_route_replace(&net.ip, &other), -ENOSPC); /* 10.0.0.3 serves 8/8 too */
	CU_ASSERT(goes_by("7.1.1.1", "10.0.0.3", 0));
	CU_ASSERT_EQUAL(ip_route_del(&net.ip, &alone), 0);
	CU_ASSERT_EQUAL(ip_route_replace(&net.ip, &other), 0); /* now its place is there */
	CU_ASSERT(goes_by("7.1.1.1", "10.0.0.250", 0));
	CU_ASSERT_EQUAL(ip_route_add(&net.ip, &last), 0);
	CU_ASSERT_EQUAL(ip_validate(&net.ip), 0);
	drain();
	net_close(&net);
}

/* What flow labels tell of their key says nothing about tables. */
static void test_keys(void)
{
	start();
	CU_ASSERT(memcmp(&net.ip.label_key, &net.ip.routes.key, sizeof(struct hash_key)) != 0);
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
    {"any networks, against a walk", test_random},
    {"replaces a route by the interface alone", test_replace_on_link},
    {"no place for another gateway", test_replace_full},
    {"keys", test_keys},
    {"equal routes, and gateways that fail", test_equal},
    {"RFC 2991 4: equal routes with weights", test_weights},
};

int main(void)
{
	return net_program("ip/route", cases, sizeof(cases) / sizeof(cases[0]));
}
