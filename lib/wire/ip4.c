/* SPDX-License-Identifier: BSD-2-Clause */

/* IPv4 headers and their options; see ip4.h. */

#include "wire/ip4.h"

#include "wire/cksum.h"

uint16_t ip4_write(uint8_t *p, const struct ip4_hdr *h)
{
	const unsigned flags = (h->df ? IP4_FRAG_DF : 0) | (h->mf ? IP4_FRAG_MF : 0);

	p[0] = 4 << 4 | IP4_HDR_LEN / 4;
	p[1] = h->tos;
	wire_put16(p + 2, h->total_len);
	wire_put16(p + 4, h->id);
	wire_put16(p + 6, (uint16_t)(flags | h->frag_off / 8));
	p[8] = h->ttl;
	p[9] = h->proto;
	wire_put16_be(p + IP4_CKSUM_OFF, 0);
	wire_put32_be(p + 12, h->src_be);
	wire_put32_be(p + 16, h->dst_be);
	return IP4_HDR_LEN;
}

void ip4_set_cksum(uint8_t *p)
{
	wire_put16_be(p + IP4_CKSUM_OFF, 0);
	wire_put16_be(p + IP4_CKSUM_OFF, cksum_finish_be(cksum_add(0, p, IP4_HDR_LEN)));
}

uint16_t ip4_write_alert(uint8_t *p, const struct ip4_hdr *h)
{
	ip4_write(p, h);
	p[0] = 4 << 4 | IP4_ALERT_LEN / 4;
	p[20] = IP4_OPT_RA;
	p[21] = 4;
	wire_put16_be(p + 22, 0);
	wire_put16_be(p + IP4_CKSUM_OFF, cksum_finish_be(cksum_add(0, p, IP4_ALERT_LEN)));
	return IP4_ALERT_LEN;
}

int ip4_opt_next(const uint8_t *p, uint8_t hdr_len, uint8_t *off, uint8_t *opt)
{
	while (*off < hdr_len && p[*off] == IP4_OPT_NOP)
		++*off;
	if (*off >= hdr_len || p[*off] == IP4_OPT_EOL) {
		*off = hdr_len;
		return 0;
	}
	if (hdr_len - *off < 2 || p[*off + 1] < 2 || p[*off + 1] > hdr_len - *off)
		return WIRE_FORM;
	*opt = *off;
	*off = (uint8_t)(*off + p[*opt + 1]);
	return p[*opt + 1];
}

/*
 * The options that RFC 7126 advises to drop unless needed, with the section of each: route records
 * and timestamps reveal the network and cost time on every router, the others are obsolete
 * (RFC 6814) or were experiments.  All others pass, as it also advises: the router alert (4.8),
 * security labels (4.12 to 4.14), Quick-Start (4.21), experimental numbers (4.22), and unknown ones
 * (4.23, RFC 1122 section 3.2.1.8).  Source routes (4.3, 4.4) have a bit of their own.
 */
static bool is_unwanted(uint8_t type)
{
	switch (type) {
	case IP4_OPT_RR: /* 4.5 */
	case IP4_OPT_TS: /* 4.7 */
	case 11:         /* 4.9: probe MTU */
	case 12:         /* 4.10: reply MTU */
	case 15:         /* ENCODE: RFC 6814 */
	case 82:         /* 4.11: traceroute */
	case 136:        /* 4.6: stream identifier */
	case 142:        /* 4.15: VISA */
	case 145:        /* 4.16: extended Internet protocol */
	case 147:        /* 4.17: address extension */
	case 149:        /* 4.18: sender directed multi-destination delivery */
	case 151:        /* 4.19: dynamic packet state */
	case 152:        /* 4.20: upstream multicast packet */
		return true;
	default:
		return false;
	}
}

int ip4_options(const uint8_t *p, uint8_t hdr_len)
{
	uint8_t off = IP4_HDR_LEN, opt;
	int has = 0, len;

	while ((len = ip4_opt_next(p, hdr_len, &off, &opt)) > 0) {
		if (p[opt] == IP4_OPT_LSRR || p[opt] == IP4_OPT_SSRR)
			has |= IP4_HAS_SOURCE_ROUTE;
		else if (p[opt] == IP4_OPT_RA)
			has |= IP4_HAS_ROUTER_ALERT;
		else
			has |= is_unwanted(p[opt]) ? IP4_HAS_UNWANTED : IP4_HAS_OTHER;
	}
	return len < 0 ? len : has;
}
