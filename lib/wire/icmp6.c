/* SPDX-License-Identifier: BSD-2-Clause */

/* ICMPv6 headers and the packets quoted in errors; see icmp6.h. */

#include "wire/icmp6.h"

#include <netinet/in.h>

#include "wire/cksum.h"

/* the ports, and TCP's sequence number */
#define QUOTED_PAYLOAD 8

int icmp6_parse(const uint8_t *p, uint32_t len, struct icmp6_hdr *h)
{
	if (len < ICMP6_HDR_LEN)
		return WIRE_SHORT;
	h->type = p[0];
	h->code = p[1];
	h->cksum_be = wire_get16_be(p + ICMP6_CKSUM_OFF);
	h->rest = wire_get32(p + 4);
	return ICMP6_HDR_LEN;
}

int icmp6_parse_quote(const uint8_t *p, uint32_t len, struct icmp6_quote *q)
{
	const int n = ip6_parse_quoted(p, len, &q->ip);
	struct ip6_ext e;
	enum ip6_end end;

	if (n < 0)
		return n;
	end = ip6_walk(p, len, &q->ip, &e);
	if (end == IP6_SHORT)
		return WIRE_SHORT;
	if (end != IP6_UPPER && (end != IP6_FRAGMENT || e.frag_off != 0))
		return WIRE_FORM;
	if (len < (uint32_t)e.off + QUOTED_PAYLOAD)
		return WIRE_SHORT;
	q->proto = e.proto;
	q->sport = wire_get16(p + e.off);
	q->dport = wire_get16(p + e.off + 2);
	q->seq = wire_get32(p + e.off + 4);
	return e.off;
}

uint16_t icmp6_write(uint8_t *p, const struct icmp6_hdr *h)
{
	p[0] = h->type;
	p[1] = h->code;
	wire_put16_be(p + ICMP6_CKSUM_OFF, 0);
	wire_put32(p + 4, h->rest);
	return ICMP6_HDR_LEN;
}

void icmp6_set_cksum(uint8_t *p, uint32_t len, const struct pc_addr *src, const struct pc_addr *dst)
{
	const uint64_t sum = cksum_pseudo(src, dst, IPPROTO_ICMPV6, len);

	wire_put16_be(p + ICMP6_CKSUM_OFF, 0);
	wire_put16_be(p + ICMP6_CKSUM_OFF, cksum_finish_be(cksum_add(sum, p, len)));
}
