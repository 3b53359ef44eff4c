/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet: which frames are for us, and for whom. */

#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "net.h"

static struct net net;

static int input(const struct frame *f)
{
	struct rte_mbuf *m = net_mbuf(&net, f->b, f->len, 0, 0);
	const int verdict = eth_input(&net.ip, m, 0);

	rte_pktmbuf_free(m);
	return verdict;
}

static void make(struct frame *f, uint8_t dst_first, uint8_t dst_last, uint16_t type)
{
	*f = (struct frame){.len = 60, .b = {dst_first, 0, 0, 0, 0, dst_last, 2, 0, 0, 0, 0, 0x99}};
	f->b[12] = (uint8_t)(type >> 8);
	f->b[13] = (uint8_t)type;
}

static void test_types(void)
{
	static const struct {
		uint16_t type;
		int verdict;
	} expected[] = {
	    {0x0800, NEXT_IP4},         {0x0806, NEXT_ARP},         {0x86dd, NEXT_IP6},
	    {0x8100, PC_DROP_ETH_TYPE}, {0x88a8, PC_DROP_ETH_TYPE}, {0x88cc, PC_DROP_ETH_TYPE},
	    {46, PC_DROP_ETH_TYPE},     {0x9100, PC_DROP_ETH_TYPE},
	};
	struct frame f;

	net_init(&net);
	net_open(&net);
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		make(&f, 2, 1, expected[i].type);
		CU_ASSERT_EQUAL(input(&f), expected[i].verdict);
	}
	net_close(&net);
}

static void test_addresses(void)
{
	struct frame f;

	net_init(&net);
	net_open(&net);
	make(&f, 2, 2, 0x0800); /* the other port's */
	CU_ASSERT_EQUAL(input(&f), PC_DROP_ETH_NOT_OURS);
	make(&f, 6, 1, 0x0800);
	CU_ASSERT_EQUAL(input(&f), PC_DROP_ETH_NOT_OURS);
	make(&f, 0x33, 1, 0x0800); /* a group */
	CU_ASSERT_EQUAL(input(&f), NEXT_IP4);
	memset(f.b, 0xff, 6);
	CU_ASSERT_EQUAL(input(&f), NEXT_IP4);
	f.b[6] |= 1;
	CU_ASSERT_EQUAL(input(&f), PC_DROP_ETH_SOURCE);
	net_close(&net);
}

static void test_short(void)
{
	struct frame f;

	net_init(&net);
	net_open(&net);
	make(&f, 2, 1, 0x0800);
	for (f.len = 0; f.len < 14; f.len++)
		CU_ASSERT_EQUAL(input(&f), PC_DROP_ETH_SHORT);
	CU_ASSERT_EQUAL(input(&f), NEXT_IP4);
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"types", test_types},
    {"addresses", test_addresses},
    {"short frames", test_short},
};

int main(void)
{
	return net_program("ip/eth", cases, sizeof(cases) / sizeof(cases[0]));
}
