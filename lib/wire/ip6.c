/* SPDX-License-Identifier: BSD-2-Clause */

/* IPv6 headers, and the walk over the extension headers; see ip6.h. */

#include "wire/ip6.h"

#include "wire/icmp6.h"

/* option types (RFC 8200 section 4.2): the two high bits say how to handle an unknown one */
#define OPT_PAD1   0
#define OPT_PADN   1
#define OPT_ALERT  5 /* router alert (RFC 2711): relevant for MLD only, but known */
#define OPT_ACTION 0xc0

#define ALERT_LEN 4
#define ALERT_MLD 0

int ip6_parse_quoted(const uint8_t *p, uint32_t len, struct ip6_hdr *h)
{
	uint32_t first;

	if (len < IP6_HDR_LEN)
		return WIRE_SHORT;
	first = wire_get32(p);
	if (first >> 28 != 6)
		return WIRE_VERSION;
	h->tclass = (uint8_t)(first >> 20);
	h->label = first & 0xfffff;
	h->payload_len = wire_get16(p + 4);
	h->next = p[IP6_NEXT_OFF];
	h->hops = p[7];
	memcpy(h->src.b, p + 8, 16);
	memcpy(h->dst.b, p + 24, 16);
	return IP6_HDR_LEN;
}

int ip6_parse(const uint8_t *p, uint32_t len, struct ip6_hdr *h)
{
	const int n = ip6_parse_quoted(p, len, h);

	return n > 0 && h->payload_len > len - IP6_HDR_LEN ? WIRE_LENGTH : n;
}

uint16_t ip6_write(uint8_t *p, const struct ip6_hdr *h)
{
	wire_put32(p, 6u << 28 | (uint32_t)h->tclass << 20 | (h->label & 0xfffff));
	wire_put16(p + 4, h->payload_len);
	p[IP6_NEXT_OFF] = h->next;
	p[7] = h->hops;
	memcpy(p + 8, h->src.b, 16);
	memcpy(p + 24, h->dst.b, 16);
	return IP6_HDR_LEN;
}

/* ---- extension headers ----------------------------------------------------------------------- */

static enum ip6_end problem(struct ip6_ext *e, uint8_t code, uint16_t pointer)
{
	e->code = code;
	e->pointer = pointer;
	return IP6_PROBLEM;
}

/* Decides about a packet with an unknown option. */
static enum ip6_end judge_option(struct ip6_ext *e, uint8_t type, uint16_t at)
{
	if (type == OPT_ALERT || (type & OPT_ACTION) == 0)
		return IP6_UPPER;
	if ((type & OPT_ACTION) == 0x40)
		return IP6_DISCARD;
	problem(e, ICMP6_PARAM_OPTION, at);
	return (type & OPT_ACTION) == 0x80 ? IP6_PROBLEM : IP6_PROBLEM_SINGLE;
}

/* Walks the options from off to end. Returns IP6_UPPER if there is no objection to them. */
static enum ip6_end walk_options(const uint8_t *p, uint16_t off, uint16_t end, struct ip6_ext *e)
{
	unsigned options = 0, padding = 0;

	while (off < end) {
		const uint8_t type = p[off];
		const unsigned len = type == OPT_PAD1 ? 1u : off + 1 < end ? p[off + 1] + 2u : 2u;
		enum ip6_end verdict;

		if (len > (unsigned)(end - off))
			return IP6_SHORT;
		padding = type == OPT_PAD1 || type == OPT_PADN ? padding + len : 0;
		options += padding == 0;
		if (padding > IP6_PADDING_MAX || options > IP6_OPTIONS_MAX)
			return IP6_LIMIT;
		e->has_alert |= type == OPT_ALERT && len == ALERT_LEN && e->proto == IP6_EXT_HOP &&
		                wire_get16(p + off + 2) == ALERT_MLD;
		verdict = padding == 0 ? judge_option(e, type, off) : IP6_UPPER;
		if (verdict != IP6_UPPER)
			return verdict;
		off = (uint16_t)(off + len);
	}
	return IP6_UPPER;
}

/* RFC 8200 section 4.4: a routing header without segments left is skipped. */
static enum ip6_end judge_routing(const uint8_t *p, struct ip6_ext *e)
{
	return p[e->off + 3] == 0 ? IP6_UPPER
	                          : problem(e, ICMP6_PARAM_FIELD, (uint16_t)(e->off + 2));
}

/* Reads the fragment header at e->off. Returns IP6_UPPER for an atomic fragment, which is
 * complete. */
static enum ip6_end read_fragment(const uint8_t *p, struct ip6_ext *e)
{
	const uint16_t field = wire_get16(p + e->off + 2);

	e->has_fragment = true;
	e->frag_at = e->off;
	e->frag_by = e->proto_at;
	e->frag_off = field & 0xfff8;
	e->more = (field & 1) != 0;
	e->frag_id = wire_get32(p + e->off + 4);
	return e->frag_off == 0 && !e->more ? IP6_UPPER : IP6_FRAGMENT;
}

/* Says whether a Next Header value is that of an extension header allowed here (section 4.1). */
static bool is_walked(uint8_t next, bool first)
{
	return next == IP6_EXT_RH || next == IP6_EXT_FRAG || next == IP6_EXT_DST ||
	       (next == IP6_EXT_HOP && first);
}

/* Examines the extension header of type e->proto at e->off, of len bytes. */
static enum ip6_end walk_one(const uint8_t *p, uint16_t len, struct ip6_ext *e)
{
	switch (e->proto) {
	case IP6_EXT_RH:
		return judge_routing(p, e);
	case IP6_EXT_FRAG:
		return read_fragment(p, e);
	default:
		return walk_options(p, (uint16_t)(e->off + 2), (uint16_t)(e->off + len), e);
	}
}

/* Returns the length of the extension header at p + e->off; 0: it is incomplete. */
static uint16_t ext_len(const uint8_t *p, uint32_t len, const struct ip6_ext *e)
{
	uint32_t n = 8;

	if (e->off + n > len)
		return 0;
	if (e->proto != IP6_EXT_FRAG)
		n += p[e->off + 1] * 8u;
	return e->off + n > len ? 0 : (uint16_t)n;
}

/* headers: how many have been walked already */
static enum ip6_end walk(const uint8_t *p, uint32_t len, unsigned headers, struct ip6_ext *e)
{
	for (; is_walked(e->proto, headers == 0); headers++) {
		enum ip6_end verdict;
		uint16_t n;

		/* check the limit first: beyond it the bytes need not be at p */
		if (headers == IP6_EXT_HEADERS_MAX || e->off + 8 > IP6_HDR_LEN + IP6_EXT_BYTES_MAX)
			return IP6_LIMIT;
		n = ext_len(p, len, e);
		if (n == 0)
			return IP6_SHORT;
		if (e->off + n > IP6_HDR_LEN + IP6_EXT_BYTES_MAX)
			return IP6_LIMIT;
		verdict = walk_one(p, n, e);
		if (verdict != IP6_UPPER && verdict != IP6_FRAGMENT)
			return verdict;
		e->proto = p[e->off];
		e->proto_at = e->off;
		e->off = (uint16_t)(e->off + n);
		if (verdict == IP6_FRAGMENT)
			return IP6_FRAGMENT;
	}
	if (e->proto == IP6_EXT_NONE)
		return IP6_NOTHING;
	if (e->proto == IP6_EXT_HOP) /* allowed only directly after the fixed header */
		return problem(e, ICMP6_PARAM_NEXT, e->proto_at);
	return IP6_UPPER;
}

enum ip6_end ip6_walk(const uint8_t *p, uint32_t len, const struct ip6_hdr *h, struct ip6_ext *e)
{
	*e = (struct ip6_ext){.proto = h->next, .off = IP6_HDR_LEN, .proto_at = IP6_NEXT_OFF};
	return walk(p, len, 0, e);
}

enum ip6_end ip6_walk_on(const uint8_t *p, uint32_t len, struct ip6_ext *e)
{
	return walk(p, len, 1, e);
}
