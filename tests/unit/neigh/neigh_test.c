/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a neighbour, by a clock that the test turns. */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../ip/net.h"
#include "../unit.h"
#include "neigh/table.h"

static struct net net;

static void start(void)
{
	net_init(&net);
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

static bool is_request(const struct frame *f, uint32_t target_be, const uint8_t *mac)
{
	return f->len == 42 && f->b[12] == 8 && f->b[13] == 6 && f->b[21] == 1 &&
	       memcmp(f->b + 38, &target_be, 4) == 0 && memcmp(f->b, mac, 6) == 0;
}

static bool is_packet(const struct frame *f, uint32_t len, const uint8_t *mac)
{
	return f->len == len + 14 && f->b[12] == 8 && f->b[13] == 0 && memcmp(f->b, mac, 6) == 0 &&
	       memcmp(f->b + 6, net.port[0].port.info.mac, 6) == 0;
}

/* A packet from the peer; op 2 to us is an answer, op 1 to everybody is not. */
static void hear(uint32_t src_be, uint16_t op, const uint8_t *mac)
{
	struct frame_ends e = net_ends(src_be, op == 2 ? NET_US : src_be);
	struct frame f;

	memcpy(e.src_mac, mac, 6);
	if (op == 1)
		memcpy(e.dst_mac, net_broadcast_mac, 6);
	frame_arp(&f, &e, op, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT_EQUAL(neigh_validate(net.ip.neigh), 0);
}

/* Lets time pass up to the next frame, which must come after ms and not before. */
static void expect_request_after(uint64_t ms, uint32_t target_be, const uint8_t *mac)
{
	struct frame f;

	net_advance(&net, ms - 10);
	CU_ASSERT(net_idle(&net));
	net_advance(&net, 20);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT(is_request(&f, target_be, mac));
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(neigh_validate(net.ip.neigh), 0);
}

/* The first frame asks, and goes out with the answer (RFC 1122 section 2.3.2.2). */
static void test_resolve(void)
{
	struct frame f;

	start();
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f) && is_request(&f, NET_PEER, net_broadcast_mac));
	output(NET_PEER, 101);
	CU_ASSERT(net_idle(&net));
	hear(NET_PEER, 2, net_peer_mac);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, net_peer_mac));
	output(NET_PEER, 102);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 102, net_peer_mac));
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(net_count(&net, PC_ARP_REQUESTS_TX), 1);
	net_close(&net);
}

/* While mbufs are scarce each neighbour holds three frames at most. */
static void test_hold_scarce(void)
{
	struct frame f;

	start();
	for (uint32_t i = 0; i < 10; i++)
		output(NET_PEER, 100 + i);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_HOLD_FULL), 0);
	net.ctx.mbufs_scarce = true;
	output(NET_PEER, 110);
	output(IP4(10, 0, 0, 77), 1);
	for (uint32_t i = 0; i < 10; i++)
		output(IP4(10, 0, 0, 77), 200 + i);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_HOLD_FULL), 1 + 8);
	hear(NET_PEER, 2, net_peer_mac);
	while (net_next(&net, 0, &f))
		;
	net_close(&net);
}

/* Of more than arp.hold frames the latest are kept, in order. */
static void test_hold(void)
{
	struct frame f;

	for (uint64_t hold = 1; hold <= 4; hold++) {
		net_init(&net);
		net.ctx.cfg.arp_hold = hold;
		net_open(&net);
		for (uint32_t i = 0; i < 10; i++)
			output(NET_PEER, 100 + i);
		CU_ASSERT(net_next(&net, 0, &f) && net_idle(&net));
		CU_ASSERT_EQUAL(net_count(&net, PC_TX_HOLD_FULL), 10 - hold);
		hear(NET_PEER, 2, net_peer_mac);
		for (uint32_t i = 10 - (uint32_t)hold; i < 10; i++)
			CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100 + i, net_peer_mac));
		CU_ASSERT(net_idle(&net));
		net_close(&net);
	}
}

/* RFC 1122 section 2.3.2.1: one request per second, however much is sent; then it is given up. */
static void test_give_up(void)
{
	struct neigh_ref ref;
	struct frame f;

	start();
	output(NET_PEER, 100);
	ref = look_up(NET_PEER);
	CU_ASSERT(net_next(&net, 0, &f));
	for (unsigned i = 0; i < 2; i++) {
		output(NET_PEER, 100);
		expect_request_after(1000, NET_PEER, net_broadcast_mac);
	}
	net_advance(&net, 980);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 0);
	net_advance(&net, 40);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 3);
	CU_ASSERT(net_idle(&net));
	/* for a while nothing more is held or asked */
	CU_ASSERT_FALSE(neigh_is_valid(net.ip.neigh, ref)); /* is there another router? */
	ref = look_up(NET_PEER);
	CU_ASSERT(neigh_is_valid(net.ip.neigh, ref));
	output(NET_PEER, 100);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 4);
	net_advance(&net, 900);
	output(NET_PEER, 100);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 5);
	CU_ASSERT(net_idle(&net));
	net_advance(&net, 120);
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, ref));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	/* then it begins anew */
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f) && is_request(&f, NET_PEER, net_broadcast_mac));
	net_close(&net);
}

/* A late answer ends the hold-down. */
static void test_late_answer(void)
{
	struct frame f;

	start();
	output(NET_PEER, 100);
	net_advance(&net, 3100);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 1);
	while (net_next(&net, 0, &f))
		;
	hear(NET_PEER, 2, net_peer_mac);
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, net_peer_mac));
	net_advance(&net, 29000);
	output(NET_PEER, 102); /* still reachable: nobody is asked */
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 102, net_peer_mac));
	net_close(&net);
}

/* Unused: reachable, stale, forgotten. */
static void test_age(void)
{
	struct neigh_ref ref;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	ref = look_up(NET_PEER);
	net_advance(&net, 30000 + 599900);
	CU_ASSERT(neigh_is_valid(net.ip.neigh, ref));
	net_advance(&net, 200);
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, ref));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* In use: stale, delay, asked by unicast, confirmed; frames go out all the time. */
static void test_revalidate(void)
{
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_advance(&net, 30100);
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	expect_request_after(5000, NET_PEER, net_peer_mac);
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, net_peer_mac));
	expect_request_after(1000, NET_PEER, net_peer_mac);
	hear(NET_PEER, 2, net_peer_mac);
	net_advance(&net, 29900);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* While we have no address, nobody can be asked: who did not answer has not failed. */
static void test_no_source(void)
{
	const struct pc_prefix us = {.addr = pc_addr_ip4(NET_US), .len = 120};
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_advance(&net, 30100);
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	CU_ASSERT_EQUAL(ip_del_addr(&net.ip, 0, &us), 0);
	net_advance(&net, 20000);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(ip_add_addr(&net.ip, 0, &us), 0);
	net_advance(&net, 10);
	while (net_next(&net, 0, &f))
		; /* the announcement */
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, net_peer_mac));
	expect_request_after(5000, NET_PEER, net_peer_mac);
	net_close(&net);
}

/* What is sent at once is recorded as use, be it the first in its tick or not. */
static void test_ready(void)
{
	const struct neigh *n;
	struct neigh_ref ref;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	ref = look_up(NET_PEER);
	for (int i = 0; i < 2; i++) {
		net_advance(&net, 10);
		n = neigh_ready(net.ip.neigh, ref);
		CU_ASSERT_PTR_NOT_NULL_FATAL(n);
		CU_ASSERT_EQUAL(n->used, net.ctx.tick);
		CU_ASSERT_PTR_EQUAL(neigh_ready(net.ip.neigh, ref), n);
		CU_ASSERT_EQUAL(neigh_validate(net.ip.neigh), 0);
	}
	net_advance(&net, 30100); /* stale: it may have to be asked */
	CU_ASSERT_PTR_NULL(neigh_ready(net.ip.neigh, ref));
	net_close(&net);
}

/* References are outdated, entries are not. */
static void test_outdate(void)
{
	struct neigh_ref ref;
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	ref = look_up(NET_PEER);
	neigh_outdate(net.ip.neigh);
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, ref));
	CU_ASSERT(neigh_is_valid(net.ip.neigh, look_up(NET_PEER)));
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	net_close(&net);
}

/* No answer to unicast: asked by broadcast, and at last given up. */
static void test_probe_fails(void)
{
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_advance(&net, 30100);
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f));
	expect_request_after(5000, NET_PEER, net_peer_mac);
	for (unsigned i = 0; i < 2; i++)
		expect_request_after(1000, NET_PEER, net_peer_mac);
	for (unsigned i = 0; i < 3; i++)
		expect_request_after(1000, NET_PEER, net_broadcast_mac);
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, net_peer_mac));
	net_advance(&net, 1030);
	output(NET_PEER, 102);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_UNRESOLVED), 1);
	net_advance(&net, 1020);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* A request of the peer resolves him for now (RFC 826), and makes him be asked soon. */
static void test_resolved_by_request(void)
{
	struct frame f;

	start();
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f));
	hear(NET_PEER, 1, net_peer_mac);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	expect_request_after(5000, NET_PEER, net_peer_mac);
	net_close(&net);
}

/* An answer that nobody asked for changes nothing that is confirmed but for a new MAC address. */
static void test_unasked_answer(void)
{
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x66};
	struct frame f;

	start();
	net.ctx.cfg.arp_confirm = 0;
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_advance(&net, 20000);
	hear(NET_PEER, 2, net_peer_mac);
	net_advance(&net, 10050); /* not prolonged: stale by now */
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f));
	hear(NET_PEER, 2, other);
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, other));
	expect_request_after(5000, NET_PEER, other);
	net_close(&net);
}

/* What was sent has arrived: somebody else's word does not take the neighbour away.  It does before anything has arrived, and
 * then everybody is asked with the next frame, and what arrives meanwhile proves nothing. */
static void test_confirmed_and_not(void)
{
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x66};
	struct neigh_ref ref;
	struct frame f;

	start();
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f));
	hear(NET_PEER, 1, net_peer_mac);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	ref = look_up(NET_PEER);
	hear(NET_PEER, 1, other); /* nobody has been reached */
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_request(&f, NET_PEER, net_broadcast_mac));
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, other));
	neigh_confirm(net.ip.neigh, ref);
	expect_request_after(1000, NET_PEER, net_broadcast_mac);
	hear(NET_PEER, 2, net_peer_mac);
	output(NET_PEER, 102);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 102, net_peer_mac));
	hear(NET_PEER, 1, other); /* he has, now */
	CU_ASSERT(net_next(&net, 0, &f) && is_request(&f, NET_PEER, net_peer_mac));
	neigh_confirm(net.ip.neigh, ref);
	net_advance(&net, 5000);
	output(NET_PEER, 103);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 103, net_peer_mac));
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* It is enough that what was sent has arrived (RFC 4861 section 7.3.1). */
static void test_reached_by_hint(void)
{
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x66};
	struct frame f;

	start();
	output(NET_PEER, 100);
	CU_ASSERT(net_next(&net, 0, &f));
	hear(NET_PEER, 1, net_peer_mac);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 100, net_peer_mac));
	neigh_confirm(net.ip.neigh, look_up(NET_PEER));
	hear(NET_PEER, 1, other);
	CU_ASSERT(net_next(&net, 0, &f) && is_request(&f, NET_PEER, net_peer_mac));
	output(NET_PEER, 101);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 101, net_peer_mac));
	CU_ASSERT_EQUAL(net_count(&net, PC_NEIGH_DOUBTED), 1);
	net_close(&net);
}

/* Neighbours of different interfaces have nothing to do with each other. */
static void test_interfaces(void)
{
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_send(&net, 1, NET_PEER, 40);
	CU_ASSERT(!net_next(&net, 0, &f));
	CU_ASSERT(net_next(&net, 1, &f) && is_request(&f, NET_PEER, net_broadcast_mac));
	CU_ASSERT(memcmp(f.b + 28, &(uint32_t){NET_US_TOO}, 4) == 0);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 2);
	net_close(&net);
}

static void test_groups(void)
{
	const uint8_t mac[6] = {1, 0, 0x5e, 0x7f, 2, 3};
	const struct pc_addr group = net_addr(IP4(239, 255, 2, 3));
	struct frame f;

	start();
	neigh_output_broadcast(net.ip.neigh, 0, net_payload(&net, 40));
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 40, net_broadcast_mac));
	neigh_output_multicast(net.ip.neigh, 0, net_payload(&net, 41), &group);
	CU_ASSERT(net_next(&net, 0, &f) && is_packet(&f, 41, mac));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	net_close(&net);
}

/* A lookup alone asks nobody, and what is never used is forgotten. */
static void test_lookup(void)
{
	struct neigh_ref a, b;

	start();
	a = look_up(NET_PEER);
	b = look_up(NET_PEER);
	CU_ASSERT(a.index == b.index && a.generation == b.generation && a.generation != 0);
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, (struct neigh_ref){0}));
	net_advance(&net, 599900);
	CU_ASSERT(net_idle(&net) && neigh_is_valid(net.ip.neigh, a));
	net_advance(&net, 200);
	CU_ASSERT(!neigh_is_valid(net.ip.neigh, a));
	net_close(&net);
}

/* The next timer is told: the loop may sleep until then. */
static void test_next(void)
{
	uint32_t tick = 0;

	start();
	CU_ASSERT(!neigh_next(net.ip.neigh, &tick));
	output(NET_PEER, 100);
	CU_ASSERT(neigh_next(net.ip.neigh, &tick));
	CU_ASSERT(tick > net.ctx.tick && tick <= net.ctx.tick + ticks_from_ms(1000) + 1);
	net_close(&net);
}

/* Without mbufs nothing is asked, and the next try comes in time. */
static void test_no_mbuf(void)
{
	struct rte_mbuf *m;
	struct frame f;

	start();
	m = net_payload(&net, 40);
	net_exhaust(&net);
	neigh_output(net.ip.neigh, look_up(NET_PEER), m);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_NO_MBUF), 1);
	net_relent();
	net_advance(&net, 1010);
	CU_ASSERT(net_next(&net, 0, &f) && is_request(&f, NET_PEER, net_broadcast_mac));
	net_close(&net);
}

/* A million random events; the structure holds at every step, and no mbuf is lost. */
static void test_random(void)
{
	struct frame f;

	net_init(&net);
	net.ctx.cfg.arp_entries = 16;
	net.ctx.cfg.arp_hold = 2;
	net_open(&net);
	for (unsigned i = 0; i < 200000; i++) {
		const uint32_t host = IP4(10, 0, 0, 10 + rng_below(&net.ctx.rng, 40));
		const uint32_t what = rng_below(&net.ctx.rng, 10);
		struct frame_ends e = net_ends(host, NET_US);

		if (what < 4) {
			neigh_output(net.ip.neigh, look_up(host), net_payload(&net, 40));
		} else if (what < 8) {
			e.src_mac[5] = (uint8_t)rng_below(&net.ctx.rng, 3);
			frame_arp(&f, &e, (uint16_t)(1 + what % 2), NULL);
			net_input(&net, 0, &f, NULL, NULL);
		} else {
			net_advance(&net, 1 + rng_below(&net.ctx.rng, what == 8 ? 50 : 5000));
		}
		if (i % 16 == 0)
			CU_ASSERT_EQUAL_FATAL(neigh_validate(net.ip.neigh), 0);
		while (net_next(&net, 0, &f))
			;
		net.port[0].nb_sent = net.port[0].nb_seen = 0;
	}
	net_close(&net);
}

static void test_no_memory(void)
{
	net_init(&net);
	net.ctx.cfg.arp_entries = 1000000;
	net.ctx.cfg.arp_hold = 64;
	CU_ASSERT(neigh_footprint(&net.ctx.cfg) > 512000000);
	CU_ASSERT_EQUAL(ip_init(&net.ip, &net.ctx), -ENOMEM);
	ip_fini(&net.ip);
}

static void test_footprint(void)
{
	struct pc_stack_config a, b;

	pc_stack_config_init(&a);
	b = a;
	b.arp_entries = 2 * a.arp_entries;
	CU_ASSERT(neigh_footprint(&a) > a.arp_entries * 64);
	CU_ASSERT(neigh_footprint(&b) > neigh_footprint(&a) + a.arp_entries * 64);
}

static const struct unit_case cases[] = {
    {"resolve", test_resolve},
    {"hold the latest frames", test_hold},
    {"held frames while mbufs are scarce", test_hold_scarce},
    {"give up", test_give_up},
    {"a late answer", test_late_answer},
    {"age", test_age},
    {"revalidate what is in use", test_revalidate},
    {"nobody to ask from", test_no_source},
    {"ready at once", test_ready},
    {"outdate references", test_outdate},
    {"a probe without answer", test_probe_fails},
    {"resolved by a request", test_resolved_by_request},
    {"an answer unasked", test_unasked_answer},
    {"who has been reached is believed", test_confirmed_and_not},
    {"what arrives proves it", test_reached_by_hint},
    {"one table, several interfaces", test_interfaces},
    {"broadcast and multicast", test_groups},
    {"lookup alone", test_lookup},
    {"the next timer", test_next},
    {"no mbuf", test_no_mbuf},
    {"random events", test_random},
    {"no memory", test_no_memory},
    {"footprint", test_footprint},
};

int main(void)
{
	return net_program("neigh/neigh", cases, sizeof(cases) / sizeof(cases[0]));
}
