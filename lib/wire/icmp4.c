/* SPDX-License-Identifier: BSD-2-Clause */

/* ICMP headers and the packets quoted in errors; see icmp4.h. */

#include "wire/icmp4.h"

/* RFC 792: an error quotes the IP header and the first 64 bits of its payload. */
#define QUOTED_PAYLOAD 8

int icmp4_parse(const uint8_t *p, uint32_t len, struct icmp4_hdr *h)
{
	if (len < ICMP4_HDR_LEN)
		return WIRE_SHORT;
	h->type = p[0];
	h->code = p[1];
	h->cksum_be = wire_get16_be(p + ICMP4_CKSUM_OFF);
	h->rest = wire_get32(p + 4);
	return ICMP4_HDR_LEN;
}

int icmp4_parse_quote(const uint8_t *p, uint32_t len, struct icmp4_quote *q)
{
	const int hdr_len = ip4_parse_quoted(p, len, &q->ip);

	if (hdr_len < 0)
		return hdr_len;
	if (len < (uint32_t)hdr_len + QUOTED_PAYLOAD)
		return WIRE_SHORT;
	p += hdr_len;
	q->sport = wire_get16(p);
	q->dport = wire_get16(p + 2);
	q->seq = wire_get32(p + 4);
	return hdr_len;
}

uint16_t icmp4_write(uint8_t *p, const struct icmp4_hdr *h)
{
	p[0] = h->type;
	p[1] = h->code;
	wire_put16_be(p + ICMP4_CKSUM_OFF, 0);
	wire_put32(p + 4, h->rest);
	return ICMP4_HDR_LEN;
}
