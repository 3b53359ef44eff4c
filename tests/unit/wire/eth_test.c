/* SPDX-License-Identifier: BSD-2-Clause */

/* Ethernet headers and MAC addresses. */

#include "wire/eth.h"

#include "../unit.h"
#include "exact.h"

static const uint8_t bytes[] = {0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02, 0x08, 0x06};

static void test_parse(void)
{
	struct eth_hdr h;

	CU_ASSERT_EQUAL(eth_parse(bytes, 60, &h), ETH_HDR_LEN);
	CU_ASSERT_EQUAL(memcmp(h.dst, bytes, 6), 0);
	CU_ASSERT_EQUAL(memcmp(h.src, bytes + 6, 6), 0);
	CU_ASSERT_EQUAL(h.type, ETH_TYPE_ARP);
}

static void test_short(void)
{
	struct eth_hdr h;

	for (uint32_t len = 0; len < ETH_HDR_LEN; len++) {
		uint8_t *p = exact_copy(bytes, len);

		CU_ASSERT_EQUAL(eth_parse(p, len, &h), WIRE_SHORT);
		free(p);
	}
}

/* At any alignment. */
static void test_write(void)
{
	struct eth_hdr h;
	uint8_t out[32];

	eth_parse(bytes, sizeof(bytes), &h);
	for (size_t off = 0; off < 8; off++) {
		memset(out, 0xa5, sizeof(out));
		CU_ASSERT_EQUAL(eth_write(out + off, &h), ETH_HDR_LEN);
		CU_ASSERT_EQUAL(memcmp(out + off, bytes, ETH_HDR_LEN), 0);
		CU_ASSERT_EQUAL(out[off + ETH_HDR_LEN], 0xa5);
	}
}

static void test_addresses(void)
{
	uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x01};
	const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa};
	const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const uint32_t group_be = __builtin_bswap32(0xeffffffa); /* 239.255.255.250 */

	CU_ASSERT(!eth_is_group(mac) && !eth_is_zero(mac));
	for (unsigned i = 0; i < 6; i++) {
		uint8_t other[6];

		memcpy(other, mac, 6);
		CU_ASSERT(eth_equal(mac, other));
		other[i] ^= 0x10;
		CU_ASSERT(!eth_equal(mac, other));
		memset(other, 0, 6);
		CU_ASSERT(eth_is_zero(other));
		other[i] = 1;
		CU_ASSERT(!eth_is_zero(other));
	}
	eth_set_broadcast(mac);
	CU_ASSERT(eth_is_group(mac) && eth_equal(mac, broadcast));
	/* RFC 1112 section 6.4: the low 23 bits */
	eth_set_group(mac, group_be);
	CU_ASSERT(eth_equal(mac, group));
	CU_ASSERT(eth_is_group(mac));
}

static const struct unit_case cases[] = {
    {"parse", test_parse},
    {"every short length", test_short},
    {"write", test_write},
    {"addresses", test_addresses},
};

UNIT_MAIN("wire/eth", cases)
