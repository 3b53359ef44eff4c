/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP: what is answered, learnt and refused, and the defence of our addresses. */

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

/* The ARP part of a frame, field by field. */
static uint16_t arp_op(const struct frame *f)
{
	return (uint16_t)(f->b[20] << 8 | f->b[21]);
}

static uint32_t arp_spa(const struct frame *f)
{
	uint32_t a;

	memcpy(&a, f->b + 28, 4);
	return a;
}

static uint32_t arp_tpa(const struct frame *f)
{
	uint32_t a;

	memcpy(&a, f->b + 38, 4);
	return a;
}

static int send_arp(uint32_t src_be, uint32_t dst_be, uint16_t op, const uint8_t *dst_mac)
{
	struct frame_ends e = net_ends(src_be, dst_be);
	struct frame f;

	if (dst_mac != NULL)
		memcpy(e.dst_mac, dst_mac, 6);
	frame_arp(&f, &e, op, NULL);
	return net_input(&net, 0, &f, NULL, NULL);
}

/* RFC 826: a request to our address is answered to the one who asked, and he is remembered. */
static void test_request(void)
{
	struct frame f;

	start();
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_US, 1, net_broadcast_mac), VERDICT_DONE);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT_EQUAL(f.len, 42);
	CU_ASSERT(memcmp(f.b, net_peer_mac, 6) == 0);
	CU_ASSERT(memcmp(f.b + 6, net.port[0].port.info.mac, 6) == 0);
	CU_ASSERT(f.b[12] == 8 && f.b[13] == 6);
	CU_ASSERT_EQUAL(arp_op(&f), 2);
	CU_ASSERT(memcmp(f.b + 22, net.port[0].port.info.mac, 6) == 0);
	CU_ASSERT_EQUAL(arp_spa(&f), NET_US);
	CU_ASSERT(memcmp(f.b + 32, net_peer_mac, 6) == 0);
	CU_ASSERT_EQUAL(arp_tpa(&f), NET_PEER);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 1);
	CU_ASSERT_EQUAL(net_count(&net, PC_ARP_RX), 1);
	CU_ASSERT_EQUAL(net_count(&net, PC_ARP_REPLIES_TX), 1);
	net_close(&net);
}

/* RFC 5227 section 2.1.1: a probe is answered, its sender has no address yet. */
static void test_probe(void)
{
	struct frame f;

	start();
	CU_ASSERT_EQUAL(send_arp(0, NET_US, 1, net_broadcast_mac), VERDICT_DONE);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT_EQUAL(arp_op(&f), 2);
	CU_ASSERT_EQUAL(arp_tpa(&f), 0);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	CU_ASSERT_EQUAL(send_arp(0, NET_PEER, 1, net_broadcast_mac), PC_DROP_ARP_NOT_OURS);
	CU_ASSERT_EQUAL(send_arp(0, NET_US, 2, NULL), PC_DROP_ARP_SENDER);
	net_close(&net);
}

/* Gives a packet in while the peer is asked for. Returns the state that he is in then. */
static int state_after(uint32_t dst_be, uint16_t op, const uint8_t *dst_mac)
{
	const struct pc_addr peer = pc_addr_ip4(NET_PEER);
	int state;

	start();
	neigh_ask(net.ip.neigh, 0, &peer);
	send_arp(NET_PEER, dst_be, op, dst_mac);
	state = neigh_find(net.ip.neigh, 0, &peer)->state;
	net_close(&net);
	return state;
}

/* Only an answer to us alone proves that he hears us. */
static void test_proof(void)
{
	CU_ASSERT_EQUAL(state_after(NET_US, 2, NULL), NEIGH_REACHABLE);
	CU_ASSERT_EQUAL(state_after(NET_US, 2, net_broadcast_mac), NEIGH_STALE);
	CU_ASSERT_EQUAL(state_after(NET_PEER, 2, NULL), NEIGH_STALE);
	CU_ASSERT_EQUAL(state_after(NET_US, 1, NULL), NEIGH_STALE);
}

/* RFC 5227 section 2.1.1: an address that is asked for is not ours yet; who asks for it, too, wants it, and who has one
 * of his own may want to talk to whoever has it. */
static void test_tentative(void)
{
	start();
	net.ip.ifs.addr[0].state = LADDR_TENTATIVE;
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_US, 1, net_broadcast_mac), PC_DROP_ARP_NOT_OURS);
	CU_ASSERT_EQUAL(net.ip.ifs.addr[0].state, LADDR_TENTATIVE);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(send_arp(0, NET_US, 1, net_broadcast_mac), PC_DROP_ARP_CONFLICT);
	CU_ASSERT_EQUAL(net.ip.ifs.addr[0].state, LADDR_DUPLICATE);
	net_close(&net);
}

/* A host off the link is answered, but it can be no next hop, so it takes no room. */
static void test_off_link(void)
{
	struct frame f;

	start();
	CU_ASSERT_EQUAL(send_arp(NET_FAR, NET_US, 1, net_broadcast_mac), VERDICT_DONE);
	CU_ASSERT(net_next(&net, 0, &f));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	net_close(&net);
}

static void test_not_ours(void)
{
	start();
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_GATEWAY, 1, net_broadcast_mac),
	                PC_DROP_ARP_NOT_OURS);
	/* the address of the other interface is not asked for here (strong host) */
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_US_TOO, 1, net_broadcast_mac), PC_DROP_ARP_NOT_OURS);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

static void test_unasked(void)
{
	start();
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_US, 2, NULL), PC_DROP_ARP_UNASKED);
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_PEER, 1, net_broadcast_mac), PC_DROP_ARP_NOT_OURS);
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_PEER, 2, net_broadcast_mac), PC_DROP_ARP_UNASKED);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	net_close(&net);
}

static void test_malformed(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	static const struct {
		uint8_t off, value;
	} wrong[] = {{14, 1},  {15, 6}, {16, 0x86}, {17, 1}, {18, 8},
	             {19, 16}, {20, 1}, {21, 3},    {21, 0}};
	struct frame f;

	start();
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		frame_arp(&f, &e, 1, NULL);
		f.b[wrong[i].off] = wrong[i].value;
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ARP_MALFORMED);
	}
	for (f.len = 14; f.len < 42; f.len++) {
		const uint16_t len = f.len;

		frame_arp(&f, &e, 1, NULL);
		f.len = len;
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ARP_MALFORMED);
	}
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

static void test_sender(void)
{
	static const uint32_t bad[] = {IP4(224, 0, 0, 1), IP4(255, 255, 255, 255),
	                               IP4(127, 0, 0, 1), IP4(10, 0, 0, 255)};
	struct frame_ends e = net_ends(NET_PEER, NET_US);
	struct frame f;

	start();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(send_arp(bad[i], NET_US, 1, net_broadcast_mac), PC_DROP_ARP_SENDER);
	frame_arp(&f, &e, 1, NULL);
	memset(f.b + 22, 0, 6); /* the MAC address of nobody */
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ARP_SENDER);
	f.b[22] = 1; /* of a group */
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ARP_SENDER);
	/* our own announcement, sent by the other port, is no conflict */
	e.src_be = e.dst_be = NET_US;
	memcpy(e.src_mac, net.port[1].port.info.mac, 6);
	memcpy(e.dst_mac, net_broadcast_mac, 6);
	frame_arp(&f, &e, 1, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ARP_SENDER);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	/* but a host with our MAC address and one of its own is one: the kernel's side of a TAP */
	e = net_ends(NET_PEER, NET_US);
	memcpy(e.src_mac, net.port[0].port.info.mac, 6);
	frame_arp(&f, &e, 1, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 1);
	net_close(&net);
}

/* RFC 5227 section 2.4 c: one announcement, and no second within ten seconds. */
static void test_conflict(void)
{
	struct frame f;

	start();
	CU_ASSERT_EQUAL(send_arp(NET_US, NET_US, 1, net_broadcast_mac), PC_DROP_ARP_CONFLICT);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT_EQUAL(arp_op(&f), 1);
	CU_ASSERT(memcmp(f.b, net_broadcast_mac, 6) == 0);
	CU_ASSERT(arp_spa(&f) == NET_US && arp_tpa(&f) == NET_US);
	CU_ASSERT_EQUAL(send_arp(NET_US, NET_PEER, 1, net_broadcast_mac), PC_DROP_ARP_CONFLICT);
	net_advance(&net, 9990);
	CU_ASSERT_EQUAL(send_arp(NET_US, NET_US, 2, NULL), PC_DROP_ARP_CONFLICT);
	CU_ASSERT(net_idle(&net));
	net_advance(&net, 10);
	CU_ASSERT_EQUAL(send_arp(NET_US, NET_US, 2, NULL), PC_DROP_ARP_CONFLICT);
	CU_ASSERT(net_next(&net, 0, &f) && net_idle(&net));
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 0);
	net_close(&net);
}

/* RFC 826: whoever takes an address over says so, and is believed where it is known already. */
static void test_takeover(void)
{
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x77};
	struct frame_ends e = net_ends(NET_PEER, NET_PEER);
	struct frame f;

	start();
	net.ctx.cfg.arp_confirm = 0;
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	memcpy(e.src_mac, other, 6);
	memcpy(e.dst_mac, net_broadcast_mac, 6);
	frame_arp(&f, &e, 1, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 1);
	net_send(&net, 0, NET_PEER, 40);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT(memcmp(f.b, other, 6) == 0);
	/* it has proved nothing: in use, it is asked after five seconds, by unicast */
	net_advance(&net, 4990);
	CU_ASSERT(net_idle(&net));
	net_advance(&net, 20);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT(arp_op(&f) == 1 && memcmp(f.b, other, 6) == 0);
	net_close(&net);
}

/* The next frame is a request for the peer to this MAC address. */
static void expect_request(const uint8_t mac[6])
{
	struct frame f;

	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT(arp_op(&f) == 1 && memcmp(f.b, mac, 6) == 0);
	CU_ASSERT(net_idle(&net));
}

/* With arp.confirm only when the one of before does not answer any more. */
static void test_takeover_confirmed(void)
{
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 0x77};
	struct frame_ends e = net_ends(NET_PEER, NET_PEER), answer = net_ends(NET_PEER, NET_US);
	struct frame f;

	start();
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	memcpy(e.src_mac, other, 6);
	memcpy(e.dst_mac, net_broadcast_mac, 6);
	memcpy(answer.src_mac, other, 6);
	for (unsigned i = 0; i < 50; i++) {
		frame_arp(&f, i % 2 ? &answer : &e, i % 2 ? 2 : 1, NULL);
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	}
	expect_request(net_peer_mac);
	net_send(&net, 0, NET_PEER, 40);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT(memcmp(f.b, net_peer_mac, 6) == 0);
	net_advance(&net, 1020);
	expect_request(net_peer_mac);
	net_advance(&net, 1020);
	expect_request(net_broadcast_mac);
	frame_arp(&f, &answer, 2, NULL);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	net_send(&net, 0, NET_PEER, 40);
	CU_ASSERT_FATAL(net_next(&net, 0, &f));
	CU_ASSERT(memcmp(f.b, other, 6) == 0);
	CU_ASSERT_EQUAL(net_count(&net, PC_NEIGH_DOUBTED), 50);
	net_close(&net);
}

/* A request without room in the table is answered all the same. */
static void test_table_full(void)
{
	struct frame f;

	net_init(&net);
	net.ctx.cfg.arp_entries = 16;
	net_open(&net);
	for (unsigned i = 0; i < 16; i++) {
		net_send(&net, 0, IP4(10, 0, 0, 100 + i), 40);
		CU_ASSERT(net_next(&net, 0, &f));
	}
	CU_ASSERT_EQUAL(send_arp(NET_PEER, NET_US, 1, net_broadcast_mac), VERDICT_DONE);
	CU_ASSERT(net_next(&net, 0, &f) && arp_op(&f) == 2);
	CU_ASSERT_EQUAL(neigh_count(net.ip.neigh), 16);
	net_close(&net);
}

/* Any frame of a device is at most a wrong one: every length, and padding in a second mbuf. */
static void test_chains(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	struct frame f;
	int verdict;

	start();
	for (uint16_t first = 1; first < 60; first++) {
		frame_arp(&f, &e, 1, NULL);
		verdict = net_input_mbuf(&net, 0, net_mbuf(&net, f.b, f.len, first, 7), NULL, NULL);
		CU_ASSERT_EQUAL(verdict, first < 14   ? PC_DROP_ETH_SHORT
		                         : first < 42 ? PC_DROP_ARP_MALFORMED
		                                      : VERDICT_DONE);
		CU_ASSERT_EQUAL(net_next(&net, 0, &f), first >= 42);
		CU_ASSERT(first < 42 || f.len == 42);
	}
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"a request is answered", test_request},
    {"a probe is answered, not learnt", test_probe},
    {"what proves that a neighbour is there", test_proof},
    {"an address that is not ours yet", test_tentative},
    {"hosts off the link are not learnt", test_off_link},
    {"requests for others", test_not_ours},
    {"replies unasked", test_unasked},
    {"malformed packets", test_malformed},
    {"impossible senders", test_sender},
    {"an address conflict", test_conflict},
    {"a takeover", test_takeover},
    {"a neighbour that takes over is asked for", test_takeover_confirmed},
    {"a full table", test_table_full},
    {"chains", test_chains},
};

int main(void)
{
	return net_program("neigh/arp", cases, sizeof(cases) / sizeof(cases[0]));
}
