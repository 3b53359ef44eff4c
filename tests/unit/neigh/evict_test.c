/* SPDX-License-Identifier: BSD-2-Clause */
/* A full table of neighbours: who makes room, and for whom. */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../ip/net.h"
#include "../unit.h"
#include "neigh/table.h"

#define ENTRIES  16
#define NEWCOMER IP4(10, 0, 0, 9)

static struct net net;

static void start(void)
{
	net_init(&net);
	net.ctx.cfg.arp_entries = ENTRIES;
	net_open(&net);
}

static struct neigh_ref look_up(uint32_t addr_be)
{
	return net_neighbour(&net, 0, addr_be);
}

/* Sends a packet of len bytes to a neighbour. */
static void output(uint32_t addr_be, uint32_t len)
{
	net_send(&net, 0, addr_be, len);
	CU_ASSERT_EQUAL(neigh_validate(net.ip.neigh), 0);
}

/* A neighbour answers to us. */
static void answer(uint32_t src_be)
{
	const struct frame_ends e = net_ends(src_be, NET_US);
	struct frame f;

	frame_arp(&f, &e, 2, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT_EQUAL(neigh_validate(net.ip.neigh), 0);
}

/* The least recently used entry makes room; of those that hold frames the first, once they are half of all. */
static void test_evict(void)
{
	struct neigh_ref first, second, waits;
	struct frame f;

	start();
	for (unsigned i = 0; i < ENTRIES; i++) {
		net_resolve(&net, 0, IP4(10, 0, 0, 100 + i), net_peer_mac);
		net_advance(&net, 10);
	}
	first = look_up(IP4(10, 0, 0, 100));
	second = look_up(IP4(10, 0, 0, 101));
	output(IP4(10, 0, 0, 100), 50);
	CU_ASSERT(net_next(&net, 0, &f));
	output(NET_PEER, 50);
	CU_ASSERT_EQUAL(net_count(&net, PC_ARP_EVICTED), 1);
	CU_ASSERT(neigh_is_valid(net.ip.neigh, first));
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, second));
	waits = look_up(NET_PEER);
	for (unsigned i = 0; i < 8; i++)
		output(IP4(10, 0, 0, 10 + i), 50);
	CU_ASSERT_EQUAL(net_count(&net, PC_ARP_EVICTED), 9);
	CU_ASSERT(neigh_is_valid(net.ip.neigh, waits));
	output(IP4(10, 0, 0, 20), 50);
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, waits));
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 1);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), ENTRIES);
	net_close(&net);
}

/* RFC 6583: whoever makes us answer to addresses that nobody has displaces neither who is there nor who comes. */
static void test_evict_waiting(void)
{
	struct neigh_ref router;
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	router = look_up(NET_PEER);
	for (unsigned i = 0; i < 200; i++) {
		output(IP4(10, 0, 1, i), 50);
		net_advance(&net, 1);
		while (net_next(&net, 0, &f))
			;
	}
	CU_ASSERT(neigh_is_valid(net.ip.neigh, router));
	output(NEWCOMER, 100);
	CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 6 && f.b[21] == 1);
	answer(NEWCOMER);
	CU_ASSERT(net_next(&net, 0, &f) && f.len == 114 && memcmp(f.b, net_peer_mac, 6) == 0);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), ENTRIES);
	net_close(&net);
}

/* A host asks for us, and gets its answer. */
static void ask(uint32_t src_be)
{
	const struct frame_ends e = net_ends(src_be, NET_US);
	struct frame f;

	frame_arp(&f, &e, 1, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	while (net_next(&net, 0, &f))
		;
	CU_ASSERT_EQUAL(neigh_validate(net.ip.neigh), 0);
}

/* RFC 6583 section 7.2: nor does who asks for us, again and again in another name, displace those who have been reached. */
static void test_evict_heard(void)
{
	struct neigh_ref router, newcomer;
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	router = look_up(NET_PEER);
	for (unsigned i = 0; i < 200; i++) {
		ask(IP4(10, 0, 0, 20 + i));
		output(IP4(10, 0, 0, 20 + i), 50); /* and we answer to what it says then */
		CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 0);
		net_advance(&net, 1);
	}
	CU_ASSERT(neigh_is_valid(net.ip.neigh, router));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), ENTRIES);
	/* one that is there indeed */
	net_advance(&net, 5010);
	CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 6 && f.b[21] == 1);
	answer(IP4(10, 0, 0, 219));
	while (net_next(&net, 0, &f))
		;
	newcomer = look_up(IP4(10, 0, 0, 219));
	for (unsigned i = 0; i < 199; i++)
		ask(IP4(10, 0, 0, 20 + i));
	CU_ASSERT(neigh_is_valid(net.ip.neigh, newcomer));
	CU_ASSERT(neigh_is_valid(net.ip.neigh, router));
	net_close(&net);
}

/* While they are few, they displace who has not been used for longest. */
static void test_evict_for_heard(void)
{
	struct neigh_ref first, last;

	start();
	for (unsigned i = 0; i < ENTRIES; i++) {
		net_resolve(&net, 0, IP4(10, 0, 0, 100 + i), net_peer_mac);
		net_advance(&net, 10);
	}
	first = look_up(IP4(10, 0, 0, 100));
	last = look_up(IP4(10, 0, 0, 100 + ENTRIES - 1));
	for (unsigned i = 0; i < 100; i++)
		ask(IP4(10, 0, 0, 120 + i));
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, first));
	CU_ASSERT(neigh_is_valid(net.ip.neigh, last));
	net_close(&net);
}

/* What is set by hand stays, even if nothing else has room. */
static void test_evict_nothing(void)
{
	const struct pc_addr other = net_addr(NET_PEER);

	start();
	for (unsigned i = 0; i < ENTRIES; i++) {
		const struct pc_addr a = net_addr(IP4(10, 0, 0, 100 + i));

		CU_ASSERT_EQUAL(neigh_set(net.ip.neigh, 0, &a, net_peer_mac), 0);
	}
	CU_ASSERT_EQUAL(neigh_set(net.ip.neigh, 0, &other, net_peer_mac), -ENOSPC);
	CU_ASSERT_EQUAL(look_up(NET_PEER).generation, 0);
	output(NET_PEER, 50);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 1);
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"the least recently used", test_evict},
    {"who does not answer", test_evict_waiting},
    {"who only asks", test_evict_heard},
    {"who only asks, while they are few", test_evict_for_heard},
    {"nobody", test_evict_nothing},
};

int main(void)
{
	return net_program("neigh/evict", cases, sizeof(cases) / sizeof(cases[0]));
}
