/* SPDX-License-Identifier: BSD-2-Clause */

/* ARP packets for IPv4 over Ethernet. */

#include "wire/arp.h"

#include "../unit.h"
#include "exact.h"

/* who has 192.0.2.2 tell 192.0.2.1, with an Ethernet frame's padding */
static const uint8_t bytes[46] = {
    0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2,
};

static void test_parse(void)
{
	struct arp_pkt a;

	CU_ASSERT_EQUAL(arp_parse(bytes, ARP_LEN, &a), ARP_LEN);
	CU_ASSERT_EQUAL(arp_parse(bytes, sizeof(bytes), &a), ARP_LEN);
	CU_ASSERT_EQUAL(a.op, ARP_REQUEST);
	CU_ASSERT_EQUAL(memcmp(a.sha, bytes + 8, 6), 0);
	CU_ASSERT(eth_is_zero(a.tha));
	CU_ASSERT_EQUAL(wire_get32(&a.spa_be), 0xc0000201);
	CU_ASSERT_EQUAL(wire_get32(&a.tpa_be), 0xc0000202);
}

static void test_short(void)
{
	struct arp_pkt a;

	for (uint32_t len = 0; len < ARP_LEN; len++) {
		uint8_t *p = exact_copy(bytes, len);

		CU_ASSERT_EQUAL(arp_parse(p, len, &a), WIRE_SHORT);
		free(p);
	}
}

/* Any other hardware, protocol or address length is not ours to read. */
static void test_form(void)
{
	struct arp_pkt a;

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t *p = exact_copy(bytes, ARP_LEN);

			p[i] ^= (uint8_t)(1u << bit);
			CU_ASSERT_EQUAL(arp_parse(p, ARP_LEN, &a), WIRE_FORM);
			free(p);
		}
	}
}

static void test_unknown_operation(void)
{
	uint8_t *p = exact_copy(bytes, ARP_LEN);
	struct arp_pkt a;

	p[6] = 0x12;
	p[7] = 0x34;
	CU_ASSERT_EQUAL(arp_parse(p, ARP_LEN, &a), ARP_LEN);
	CU_ASSERT_EQUAL(a.op, 0x1234);
	free(p);
}

static void test_write(void)
{
	struct arp_pkt a;
	uint8_t out[ARP_LEN + 8];

	arp_parse(bytes, ARP_LEN, &a);
	for (size_t off = 0; off < 4; off++) {
		memset(out, 0xa5, sizeof(out));
		CU_ASSERT_EQUAL(arp_write(out + off, &a), ARP_LEN);
		CU_ASSERT_EQUAL(memcmp(out + off, bytes, ARP_LEN), 0);
		CU_ASSERT_EQUAL(out[off + ARP_LEN], 0xa5);
	}
}

static const struct unit_case cases[] = {
    {"parse", test_parse},
    {"every short length", test_short},
    {"not IPv4 over Ethernet", test_form},
    {"unknown operation", test_unknown_operation},
    {"write", test_write},
};

UNIT_MAIN("wire/arp", cases)
