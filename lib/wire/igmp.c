/* SPDX-License-Identifier: BSD-2-Clause */

/* IGMP messages; see igmp.h. */

#include "wire/igmp.h"

#include "wire/cksum.h"

/* version 1 has no field for the delay (RFC 2236 section 4) */
#define DELAY_V1_MS 10000

#define QUERY_V3_LEN 12

/* RFC 3376 section 4.1.1, in tenths of a second; large values are in floating point */
static uint32_t igmp_max_delay_ms(uint8_t code)
{
	const uint32_t tenths =
	    code < 0x80 ? code : (0x10u | (code & 0xf)) << ((code >> 4 & 7) + 3);

	return tenths * 100;
}

int igmp_parse(const uint8_t *p, uint32_t len, struct igmp_msg *msg)
{
	if (len < IGMP_LEN)
		return WIRE_SHORT;
	*msg = (struct igmp_msg){.type = p[0], .group_be = wire_get32_be(p + 4)};
	if (msg->type != IGMP_QUERY)
		return IGMP_LEN;
	if (len >= QUERY_V3_LEN) {
		msg->version = 3;
		msg->delay_ms = igmp_max_delay_ms(p[1]);
	} else if (len != IGMP_LEN) {
		return WIRE_LENGTH;
	} else {
		msg->version = p[1] == 0 ? 1 : 2;
		msg->delay_ms = p[1] == 0 ? DELAY_V1_MS : p[1] * 100u;
	}
	return IGMP_LEN;
}

uint16_t igmp_write(uint8_t *p, uint8_t type, uint32_t group_be)
{
	memset(p, 0, IGMP_LEN);
	p[0] = type;
	wire_put32_be(p + 4, group_be);
	wire_put16_be(p + IGMP_CKSUM_OFF, cksum_finish_be(cksum_add(0, p, IGMP_LEN)));
	return IGMP_LEN;
}

uint16_t igmp_write_v3(uint8_t *p, uint8_t kind, uint32_t group_be)
{
	memset(p, 0, IGMP_V3_LEN);
	p[0] = IGMP_REPORT_V3;
	wire_put16(p + 6, 1);
	p[8] = kind;
	wire_put32_be(p + 12, group_be);
	wire_put16_be(p + IGMP_CKSUM_OFF, cksum_finish_be(cksum_add(0, p, IGMP_V3_LEN)));
	return IGMP_V3_LEN;
}
