/* SPDX-License-Identifier: BSD-2-Clause */

/* Messages of DHCPv6; see message6.h. */

#include "dhcp/message6.h"

#include <string.h>

#include "base/name.h"
#include "dhcp/search.h"

#define OPT6_CLIENT_ID 1
#define OPT_SERVER_ID  2
#define OPT_IA_NA      3
#define OPT_IA_ADDR    5
#define OPT_ORO        6
#define OPT_PREFERENCE 7
#define OPT_ELAPSED    8
#define OPT_STATUS     13
#define OPT_RAPID      14
#define OPT6_DNS       23
#define OPT6_SEARCH    24
#define OPT_REFRESH    32
#define OPT_SOL_MAX_RT 82
#define OPT_INF_MAX_RT 83

#define HDR_LEN     4
#define IA_LEN      12 /* of an IA_NA without its options */
#define IA_ADDR_LEN 24 /* of an address without its options */

/* section 7.6: IRT_DEFAULT, IRT_MINIMUM */
#define REFRESH_DEFAULT_S 86400
#define REFRESH_LEAST_S   600
/* sections 21.24 and 21.25: values outside this range are ignored */
#define MAX_RT_LEAST_S 60
#define MAX_RT_MOST_S  86400

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32_of(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}

/* Writes the header of an option. */
static uint8_t *put_option(uint8_t *p, uint16_t code, size_t len)
{
	return put16(put16(p, code), (uint16_t)len);
}

/* Our identifier is derived from the MAC address, so that it is the same after a restart. */
static void write_duid(uint8_t *p, const uint8_t mac[6])
{
	p = put16(p, 3); /* DUID-LL */
	p = put16(p, 1); /* Ethernet */
	memcpy(p, mac, 6);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* RFC 3646 section 3 */
static bool read_dns(const uint8_t *p, size_t len, struct pc_dhcp6_info *info)
{
	if (len % 16 != 0)
		return false;
	for (size_t i = 0; i < len && info->nb_dns < PC_DHCP6_SERVERS; i += 16) {
		struct pc_addr a;

		memcpy(a.b, p + i, 16);
		if (name_server_is_good(&a))
			info->dns[info->nb_dns++] = a;
	}
	return true;
}

static bool read_max_rt(const uint8_t *p, size_t len, uint32_t *s)
{
	if (len != 4)
		return false;
	if (get32_of(p) >= MAX_RT_LEAST_S && get32_of(p) <= MAX_RT_MOST_S)
		*s = get32_of(p);
	return true;
}

static bool read_refresh(const uint8_t *p, size_t len, uint32_t *s)
{
	if (len != 4)
		return false;
	*s = get32_of(p) < REFRESH_LEAST_S ? REFRESH_LEAST_S : get32_of(p);
	return true;
}

static bool read_status(const uint8_t *p, size_t len, uint16_t *status)
{
	if (len < 2)
		return false;
	*status = get16(p);
	return true;
}

/* Iterates over options, in a message or within an option. */
struct options {
	const uint8_t *p;
	size_t left;
	uint16_t code, len; /* of the option at p */
};

/* Finds the option at p, the first or the next one. Returns false at the end, or if an option
 * extends beyond it; left is then not 0. */
static bool next_option(struct options *o)
{
	o->p += o->len;
	if (o->left < 4)
		return false;
	o->code = get16(o->p);
	o->len = get16(o->p + 2);
	o->p += 4;
	if (o->len > o->left - 4)
		return false;
	o->left -= 4u + o->len;
	return true;
}

/* ---- addresses (sections 21.4 and 21.6) ------------------------------------------------------ */

static bool can_be_ours(const struct dhcp6_ia_addr *a)
{
	return a->preferred_s <= a->valid_s && !pc_addr_is_any(&a->addr) &&
	       !pc_addr_is_ip4(&a->addr) && !pc_addr_is_loopback(&a->addr) &&
	       !pc_addr_is_multicast(&a->addr) && !pc_addr_is_link_local(&a->addr);
}

static bool read_address(const uint8_t *p, size_t len, struct dhcp6_reply *r)
{
	uint16_t status = DHCP6_SUCCESS;
	struct dhcp6_ia_addr a;
	struct options o;

	if (len < IA_ADDR_LEN)
		return false;
	o = (struct options){p + IA_ADDR_LEN, len - IA_ADDR_LEN, 0, 0};
	while (next_option(&o))
		if (o.code == OPT_STATUS && !read_status(o.p, o.len, &status))
			return false;
	if (o.left > 0)
		return false;
	memcpy(a.addr.b, p, 16);
	a.preferred_s = get32_of(p + 16);
	a.valid_s = get32_of(p + 20);
	if (status == DHCP6_SUCCESS && can_be_ours(&a) && r->ia.nb_addrs < PC_DHCP6_ADDRS)
		r->ia.addr[r->ia.nb_addrs++] = a;
	else
		r->refused++;
	return true;
}

/* The first option for our IA counts; those for other IAs are ignored, and so is one with T1 > T2 >
 * 0. */
static bool read_ia(const uint8_t *p, size_t len, uint32_t iaid, struct dhcp6_reply *r)
{
	struct dhcp6_ia *ia = &r->ia;
	struct options o;

	if (len < IA_LEN)
		return false;
	if (ia->has || get32_of(p) != iaid)
		return true;
	o = (struct options){p + IA_LEN, len - IA_LEN, 0, 0};
	ia->t1_s = get32_of(p + 4);
	ia->t2_s = get32_of(p + 8);
	while (next_option(&o)) {
		if (o.code == OPT_IA_ADDR && !read_address(o.p, o.len, r))
			return false;
		if (o.code == OPT_STATUS && !read_status(o.p, o.len, &ia->status))
			return false;
	}
	if (o.left > 0)
		return false;
	ia->has = ia->t1_s <= ia->t2_s || ia->t2_s == 0;
	if (!ia->has)
		*ia = (struct dhcp6_ia){0};
	return true;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* section 11.1: a type, and at least one byte */
static bool read_server(const uint8_t *p, size_t len, struct dhcp6_reply *r)
{
	if (len < 3 || len > DHCP6_DUID_MAX)
		return false;
	r->has_server = true;
	r->server.len = (uint8_t)len;
	memcpy(r->server.b, p, len);
	return true;
}

static bool read_option(const struct options *o, const struct dhcp6_self *self,
                        struct dhcp6_reply *r)
{
	const uint8_t *p = o->p;
	const size_t len = o->len;
	uint8_t duid[DHCP6_DUID_LEN];

	switch (o->code) {
	case OPT6_CLIENT_ID:
		write_duid(duid, self->mac);
		r->is_ours = len == sizeof(duid) && memcmp(p, duid, len) == 0;
		return true;
	case OPT_SERVER_ID:
		return read_server(p, len, r);
	case OPT_IA_NA:
		return read_ia(p, len, self->iaid, r);
	case OPT_PREFERENCE:
		r->preference = len == 1 ? *p : 0;
		return len == 1;
	case OPT_STATUS:
		return read_status(p, len, &r->status);
	case OPT_RAPID:
		r->rapid = true;
		return len == 0;
	case OPT6_DNS:
		return read_dns(p, len, &r->info);
	case OPT6_SEARCH: /* as in DHCP, a list with something that is no name is none */
		if (!search_read(p, len, false, r->info.search))
			r->info.search[0] = '\0';
		return true;
	case OPT_REFRESH:
		return read_refresh(p, len, &r->info.refresh_s);
	case OPT_SOL_MAX_RT:
		return read_max_rt(p, len, &r->info.sol_max_rt_s);
	case OPT_INF_MAX_RT:
		return read_max_rt(p, len, &r->info.inf_max_rt_s);
	default:
		return true;
	}
}

bool dhcp6_parse(const uint8_t *p, size_t len, const struct dhcp6_self *self, struct dhcp6_reply *r)
{
	struct options o;

	if (len < HDR_LEN)
		return false;
	memset(r, 0, sizeof(*r));
	r->type = p[0];
	r->xid = get32_of(p) & 0xffffff;
	r->info.refresh_s = REFRESH_DEFAULT_S;
	o = (struct options){p + HDR_LEN, len - HDR_LEN, 0, 0};
	while (next_option(&o))
		if (!read_option(&o, self, r))
			return false;
	return o.left == 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Writes which options are requested (sections 21.7, 21.23 to 21.25), in messages whose answers may
 * have them. */
static uint8_t *write_wishes(uint8_t *p, uint8_t type)
{
	static const uint16_t wanted[] = {OPT6_DNS, OPT6_SEARCH, OPT_SOL_MAX_RT, OPT_REFRESH,
	                                  OPT_INF_MAX_RT};
	const unsigned n = type == DHCP6_INFORMATION_REQUEST ? 5 : 3;

	if (type == DHCP6_CONFIRM || type == DHCP6_RELEASE || type == DHCP6_DECLINE)
		return p;
	p = put_option(p, OPT_ORO, sizeof(wanted[0]) * n);
	for (unsigned i = 0; i < n; i++)
		p = put16(p, wanted[i]);
	return p;
}

/* Writes our IA_NA with some addresses; the times are left to the server (sections 18.2.1 to
 * 18.2.8). */
static uint8_t *write_ia(uint8_t *p, const struct dhcp6_self *self, const struct dhcp6_query *q)
{
	p = put_option(p, OPT_IA_NA, IA_LEN + q->nb_addrs * (4 + IA_ADDR_LEN));
	p = put32(p, self->iaid);
	p = put32(put32(p, 0), 0);
	for (unsigned i = 0; i < q->nb_addrs; i++) {
		p = put_option(p, OPT_IA_ADDR, IA_ADDR_LEN);
		memcpy(p, q->addr[i].b, 16);
		p = put32(put32(p + 16, 0), 0);
	}
	return p;
}

size_t dhcp6_write(uint8_t *p, const struct dhcp6_self *self, const struct dhcp6_query *q)
{
	uint8_t *o = p + HDR_LEN;

	put32(p, (uint32_t)q->type << 24 | (q->xid & 0xffffff));
	o = put_option(o, OPT6_CLIENT_ID, DHCP6_DUID_LEN);
	write_duid(o, self->mac);
	o += DHCP6_DUID_LEN;
	if (q->server != NULL) {
		o = put_option(o, OPT_SERVER_ID, q->server->len);
		memcpy(o, q->server->b, q->server->len);
		o += q->server->len;
	}
	o = put16(put_option(o, OPT_ELAPSED, 2), q->elapsed);
	o = write_wishes(o, q->type);
	if (q->type == DHCP6_SOLICIT)
		o = put_option(o, OPT_RAPID, 0);
	if (q->type != DHCP6_INFORMATION_REQUEST)
		o = write_ia(o, self, q);
	return (size_t)(o - p);
}
