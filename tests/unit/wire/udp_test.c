/* SPDX-License-Identifier: BSD-2-Clause */

/* UDP headers: every length that they can claim. */

#include "wire/udp.h"

#include <stdbool.h>

#include "../unit.h"
#include "exact.h"

static void test_parse_and_write(void)
{
	const struct udp_hdr h = {.sport = 53, .dport = 0xabcd, .len = 20, .cksum_be = 0x1234};
	uint8_t p[UDP_HDR_LEN + 1];
	struct udp_hdr back;

	p[UDP_HDR_LEN] = 0xa5;
	CU_ASSERT_EQUAL(udp_write(p, &h), UDP_HDR_LEN);
	CU_ASSERT_EQUAL(p[UDP_HDR_LEN], 0xa5);
	CU_ASSERT_EQUAL(udp_parse(p, 20, &back), UDP_HDR_LEN);
	CU_ASSERT(back.sport == 53 && back.dport == 0xabcd && back.len == 20);
	CU_ASSERT_EQUAL(back.cksum_be, 0); /* filled in by the caller or the port */
	p[6] = 0xbe;
	p[7] = 0xef;
	udp_parse(p, 20, &back);
	CU_ASSERT_EQUAL(wire_get16(&back.cksum_be), 0xbeef);
}

static void test_short(void)
{
	const uint8_t bytes[UDP_HDR_LEN] = {0, 1, 0, 2, 0, 8};
	struct udp_hdr h;

	for (uint32_t len = 0; len < UDP_HDR_LEN; len++) {
		uint8_t *p = exact_copy(bytes, len);

		CU_ASSERT_EQUAL(udp_parse(p, len, &h), WIRE_SHORT);
		free(p);
	}
}

/* Every length field against every packet length (RFC 768: at least 8; never beyond the packet). */
static void test_length_field(void)
{
	uint8_t p[UDP_HDR_LEN] = {0, 1, 0, 2};
	struct udp_hdr h;

	for (uint32_t len = UDP_HDR_LEN; len < 2048; len += 1 + len / 16) {
		for (uint32_t field = 0; field <= UINT16_MAX; field += field < 4096 ? 1 : 61) {
			const bool good = field >= UDP_HDR_LEN && field <= len;

			wire_put16(p + 4, (uint16_t)field);
			CU_ASSERT_EQUAL(udp_parse(p, len, &h), good ? UDP_HDR_LEN : WIRE_LENGTH);
		}
	}
}

static const struct unit_case cases[] = {
    {"parse and write", test_parse_and_write},
    {"every short length", test_short},
    {"every length field", test_length_field},
};

UNIT_MAIN("wire/udp", cases)
