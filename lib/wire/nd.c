/* SPDX-License-Identifier: BSD-2-Clause */

/* Neighbour Discovery and Multicast Listener Discovery messages; see nd.h. */

#include "wire/nd.h"

#define OPT_SLLA   1
#define OPT_TLLA   2
#define OPT_PREFIX 3
#define OPT_MTU    5
#define OPT_DNS    25
#define OPT_NONCE  14
#define OPT_SEARCH 31

#define PREFIX_ON_LINK    0x80
#define PREFIX_AUTONOMOUS 0x40

/* bytes before the options */
static uint32_t fixed_len(uint8_t type)
{
	switch (type) {
	case ND_RS:
		return 8;
	case ND_RA:
		return 16;
	case ND_NS:
	case ND_NA:
		return 24;
	case ND_REDIRECT:
		return 40;
	default:
		return 0;
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

static void parse_prefix(const uint8_t *o, struct nd_msg *m)
{
	struct nd_prefix *x = &m->prefix[m->nb_prefixes];

	if (m->nb_prefixes == ND_PREFIXES_MAX || o[2] > 128)
		return;
	m->nb_prefixes++;
	x->prefix.len = o[2];
	x->on_link = (o[3] & PREFIX_ON_LINK) != 0;
	x->autonomous = (o[3] & PREFIX_AUTONOMOUS) != 0;
	x->valid_s = wire_get32(o + 4);
	x->preferred_s = wire_get32(o + 8);
	memcpy(x->prefix.addr.b, o + 16, 16);
}

static void parse_mac(const uint8_t *o, struct nd_msg *m, uint8_t has, uint8_t *mac)
{
	m->has |= has;
	memcpy(mac, o + 2, ETH_ADDR_LEN);
}

/* RFC 8106 section 5.1: a lifetime and addresses */
static void parse_dns(const uint8_t *o, uint32_t len, struct nd_msg *m)
{
	for (uint32_t at = 8; at + 16 <= len && m->nb_dns < ND_DNS_MAX; at += 16) {
		m->dns_s[m->nb_dns] = wire_get32(o + 4);
		memcpy(m->dns[m->nb_dns++].b, o + at, 16);
	}
}

/* RFC 8106 section 5.2: at least one name of at most eight bytes */
static void parse_search(const uint8_t *o, uint32_t len, struct nd_msg *m)
{
	if (len >= 16 && m->nb_searches < ND_SEARCHES_MAX)
		m->search[m->nb_searches++] = (struct nd_search){
		    .names = o + 8, .len = len - 8, .lifetime_s = wire_get32(o + 4)};
}

/* Parses an option of len bytes. Returns false if its length makes the message invalid; options
 * that are unknown or otherwise malformed are skipped. */
static bool parse_nd_option(const uint8_t *o, uint32_t len, struct nd_msg *m)
{
	switch (o[0]) {
	case OPT_SLLA:
		if (len == 8)
			parse_mac(o, m, ND_HAS_SLLA, m->slla);
		return len == 8;
	case OPT_TLLA:
		if (len == 8)
			parse_mac(o, m, ND_HAS_TLLA, m->tlla);
		return len == 8;
	case OPT_PREFIX:
		if (len == 32)
			parse_prefix(o, m);
		return true;
	case OPT_MTU:
		if (len == 8) {
			m->has |= ND_HAS_MTU;
			m->mtu = wire_get32(o + 4);
		}
		return true;
	case OPT_DNS:
		parse_dns(o, len, m);
		return true;
	case OPT_SEARCH:
		parse_search(o, len, m);
		return true;
	case OPT_NONCE:
		if (len == 8) {
			m->has |= ND_HAS_NONCE;
			memcpy(m->nonce, o + 2, ND_NONCE_LEN);
		}
		return true;
	default: /* section 4.6: unknown ones are ignored */
		return true;
	}
}

static bool parse_options(const uint8_t *p, uint32_t len, uint32_t off, struct nd_msg *m)
{
	while (off < len) {
		uint32_t n;

		if (len - off < 2)
			return false;
		n = p[off + 1] * 8u;
		if (n == 0 || n > len - off || !parse_nd_option(p + off, n, m))
			return false;
		off += n;
	}
	return true;
}

/* RFC 4191 section 2.2: the reserved value is treated as medium */
static int8_t preference_of(uint8_t flags)
{
	static const int8_t value[4] = {0, 1, 0, -1};

	return value[flags >> 3 & 3];
}

static void parse_fixed(const uint8_t *p, struct nd_msg *m)
{
	switch (m->type) {
	case ND_RA:
		m->hops = p[4];
		m->ra_flags = p[5] & (ND_RA_MANAGED | ND_RA_OTHER);
		m->preference = preference_of(p[5]);
		m->lifetime_s = wire_get16(p + 6);
		m->reachable_ms = wire_get32(p + 8);
		m->retrans_ms = wire_get32(p + 12);
		break;
	case ND_NA:
		m->flags = p[4] & (ND_NA_ROUTER | ND_NA_SOLICITED | ND_NA_OVERRIDE);
		memcpy(m->target.b, p + 8, 16);
		break;
	case ND_NS:
		memcpy(m->target.b, p + 8, 16);
		break;
	case ND_REDIRECT:
		memcpy(m->target.b, p + 8, 16);
		memcpy(m->dest.b, p + 24, 16);
		break;
	default:
		break;
	}
}

int nd_parse(const uint8_t *p, uint32_t len, struct nd_msg *m)
{
	uint32_t fixed;

	if (len < 8)
		return WIRE_SHORT;
	fixed = fixed_len(p[0]);
	if (fixed == 0)
		return WIRE_FORM;
	if (len < fixed)
		return WIRE_SHORT;
	*m = (struct nd_msg){.type = p[0], .code = p[1]};
	parse_fixed(p, m);
	return parse_options(p, len, fixed, m) ? (int)len : WIRE_FORM;
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint16_t write_option(uint8_t *p, uint8_t type, const uint8_t value[6])
{
	p[0] = type;
	p[1] = 1;
	memcpy(p + 2, value, 6);
	return 8;
}

uint16_t nd_write(uint8_t *p, const struct nd_msg *m)
{
	uint16_t n = (uint16_t)fixed_len(m->type);

	assert(m->type == ND_RS || m->type == ND_NS || m->type == ND_NA);
	memset(p, 0, n);
	p[0] = m->type;
	p[4] = m->flags;
	if (m->type != ND_RS)
		memcpy(p + 8, m->target.b, 16);
	if (m->has & ND_HAS_SLLA)
		n = (uint16_t)(n + write_option(p + n, OPT_SLLA, m->slla));
	if (m->has & ND_HAS_TLLA)
		n = (uint16_t)(n + write_option(p + n, OPT_TLLA, m->tlla));
	if (m->has & ND_HAS_NONCE)
		n = (uint16_t)(n + write_option(p + n, OPT_NONCE, m->nonce));
	return n;
}

/* ---- multicast listeners --------------------------------------------------------------------- */

/* RFC 3810 section 5.1.3: large values are in floating point */
static uint32_t mld_max_delay_ms(uint16_t code)
{
	if (code < 0x8000)
		return code;
	return (0x1000u | (code & 0xfff)) << ((code >> 12 & 7) + 3);
}

int mld_parse_query(const uint8_t *p, uint32_t len, struct mld_query *q)
{
	if (len < MLD_V1_LEN || (len > MLD_V1_LEN && len < MLD_V1_LEN + 4))
		return WIRE_SHORT;
	q->v1 = len == MLD_V1_LEN;
	q->delay_ms = q->v1 ? wire_get16(p + 4) : mld_max_delay_ms(wire_get16(p + 4));
	memcpy(q->group.b, p + 8, 16);
	return (int)len;
}

uint16_t mld_write_report(uint8_t *p, uint8_t kind, const struct pc_addr *group)
{
	memset(p, 0, 8 + MLD_RECORD_LEN);
	p[0] = MLD_REPORT;
	wire_put16(p + 6, 1);
	p[8] = kind;
	memcpy(p + 12, group->b, 16);
	return 8 + MLD_RECORD_LEN;
}

uint16_t mld_write_v1(uint8_t *p, uint8_t type, const struct pc_addr *group)
{
	memset(p, 0, 8);
	p[0] = type;
	memcpy(p + 8, group->b, 16);
	return MLD_V1_LEN;
}
