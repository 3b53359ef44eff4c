/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP messages.
 *
 * An option may be split (RFC 3396), and may be in the fields for the boot file and the server's
 * name (option 52), so the pieces of each option are first collected from all of these.
 */
#include "dhcp/message.h"

#include <string.h>

#include "base/name.h"
#include "dhcp/search.h"

#define COOKIE 0x63825363u

#define OPT_MASK       1
#define OPT_ROUTER     3
#define OPT_DNS        6
#define OPT_HOSTNAME   12
#define OPT_DOMAIN     15
#define OPT_MTU        26
#define OPT_REQUESTED  50
#define OPT_LEASE      51
#define OPT_OVERLOAD   52
#define OPT_TYPE       53
#define OPT_SERVER     54
#define OPT_PARAMETERS 55
#define OPT_SIZE       57
#define OPT_T1         58
#define OPT_T2         59
#define OPT_CLIENT_ID  61
#define OPT_SEARCH     119
#define OPT_ROUTES     121
#define OPT_END        255

#define FILE_AT  108
#define FILE_LEN 128
#define NAME_AT  44
#define NAME_LEN 64

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t get32_be(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- reading --------------------------------------------------------------------------------- */

/** A part of a message that has options. */
struct area {
	const uint8_t *p;
	size_t len;
};

struct option {
	size_t len;
	uint8_t b[1024];
};

/* Appends the pieces of an option in one area. Returns false if the area is malformed. */
static bool collect(const struct area *a, uint8_t code, struct option *o)
{
	for (size_t i = 0; i < a->len && a->p[i] != OPT_END;) {
		size_t n;

		if (a->p[i] == 0) {
			i++;
			continue;
		}
		if (i + 1 >= a->len || (n = a->p[i + 1]) > a->len - i - 2)
			return false;
		if (a->p[i] == code && o->len + n <= sizeof(o->b)) {
			memcpy(o->b + o->len, a->p + i + 2, n);
			o->len += n;
		}
		i += 2 + n;
	}
	return true;
}

struct reader {
	unsigned n;
	struct area area[3];
};

/* Finds an option of at least so many bytes in all areas. */
static bool find_option(const struct reader *r, uint8_t code, size_t least, struct option *o)
{
	o->len = 0;
	for (unsigned i = 0; i < r->n; i++)
		collect(&r->area[i], code, o);
	return o->len >= least && o->len > 0;
}

static uint32_t find32(const struct reader *r, uint8_t code, uint32_t otherwise)
{
	struct option o;

	return find_option(r, code, 4, &o) ? get32(o.b) : otherwise;
}

static bool open_areas(const uint8_t *p, size_t len, struct reader *r)
{
	struct option o;

	r->area[0] = (struct area){p + DHCP_HDR_LEN + 4, len - DHCP_HDR_LEN - 4};
	r->n = 1;
	o.len = 0;
	if (!collect(&r->area[0], OPT_OVERLOAD, &o))
		return false;
	if (o.len == 1 && (o.b[0] & 1))
		r->area[r->n++] = (struct area){p + FILE_AT, FILE_LEN};
	if (o.len == 1 && (o.b[0] & 2))
		r->area[r->n++] = (struct area){p + NAME_AT, NAME_LEN};
	for (unsigned i = 1; i < r->n; i++)
		if (!collect(&r->area[i], OPT_END, &o))
			return false;
	return true;
}

static uint8_t bits_of(uint32_t mask)
{
	uint8_t n = 0;

	while (n < 32 && (mask & (0x80000000u >> n)))
		n++;
	return n;
}

static void add_route(struct pc_dhcp_lease *l, uint8_t len, uint32_t dest_be, uint32_t gateway_be)
{
	struct pc_dhcp_route *route = &l->route[l->nb_routes];

	if (l->nb_routes == PC_DHCP_ROUTES)
		return;
	route->dest = (struct pc_prefix){.addr = pc_addr_ip4(dest_be), .len = (uint8_t)(96 + len)};
	route->gateway = pc_addr_ip4(gateway_be);
	l->nb_routes++;
}

/* Adds a default route. The network of a lease may be the address alone (clouds do this): its router
 * is then on the link all the same. */
static void add_router(struct pc_dhcp_lease *l, uint32_t gateway_be)
{
	if (l->addr.len == 128)
		add_route(l, 32, gateway_be, 0);
	add_route(l, 0, 0, gateway_be);
}

/* RFC 3442: each prefix has only its significant bytes, and is followed by its gateway. */
static bool read_routes(const struct option *o, struct pc_dhcp_lease *l)
{
	for (size_t i = 0; i < o->len;) {
		const uint8_t len = o->b[i++];
		const size_t n = (len + 7u) / 8;
		uint8_t dest[4] = {0};

		if (len > 32 || o->len - i < n + 4)
			return false;
		memcpy(dest, o->b + i, n);
		add_route(l, len, get32_be(dest), get32_be(o->b + i + n));
		i += n + 4;
	}
	return true;
}

/* Makes sure that T1 <= T2 < the end (RFC 2131 section 4.4.5), whatever the server says. */
static void tidy(struct pc_dhcp_lease *l)
{
	if (l->lease_s == UINT32_MAX) {
		l->t1_s = l->t2_s = UINT32_MAX;
		return;
	}
	if (l->t2_s >= l->lease_s)
		l->t2_s = (uint32_t)((uint64_t)l->lease_s * 7 / 8);
	if (l->t1_s >= l->t2_s)
		l->t1_s = l->lease_s / 2 < l->t2_s ? l->lease_s / 2 : l->t2_s;
}

/* RFC 2132 section 3.17; section 2: a NUL may follow. Like a search list, it is ignored if it is not
 * a name: it ends up in queries, and in what people read. Some servers put several names here. */
static void read_domain(const struct option *o, struct pc_dhcp_lease *l)
{
	size_t len = o->len;

	while (len > 0 && o->b[len - 1] == '\0')
		len--;
	if (len < sizeof(l->domain) && name_is_text(o->b, len))
		memcpy(l->domain, o->b, len);
}

static void read_lease(const struct reader *r, struct dhcp_reply *reply)
{
	struct pc_dhcp_lease *l = &reply->lease;
	const uint32_t mask = find32(r, OPT_MASK, 0);
	struct option o;

	l->addr.len = (uint8_t)(96 + (mask != 0 ? bits_of(mask) : 24));
	reply->has_lease = find_option(r, OPT_LEASE, 4, &o);
	l->lease_s = reply->has_lease ? get32(o.b) : 0;
	l->t1_s = find32(r, OPT_T1, l->lease_s == UINT32_MAX ? UINT32_MAX : l->lease_s / 2);
	l->t2_s = find32(r, OPT_T2,
	                 l->lease_s == UINT32_MAX ? UINT32_MAX
	                                          : (uint32_t)((uint64_t)l->lease_s * 7 / 8));
	tidy(l);
	if (find_option(r, OPT_MTU, 2, &o))
		l->mtu = (uint16_t)(o.b[0] << 8 | o.b[1]);
	if (find_option(r, OPT_DNS, 4, &o))
		for (size_t i = 0; i + 4 <= o.len && l->nb_dns < PC_DHCP_SERVERS; i += 4)
			l->dns[l->nb_dns++] = pc_addr_ip4(get32_be(o.b + i));
	if (find_option(r, OPT_DOMAIN, 1, &o))
		read_domain(&o, l);
	if (find_option(r, OPT_SEARCH, 1, &o) && !search_read(o.b, o.len, true, l->search))
		l->search[0] = '\0';
	/* RFC 3442: classless routes override the router option */
	if (find_option(r, OPT_ROUTES, 5, &o) && read_routes(&o, l))
		return;
	l->nb_routes = 0;
	if (find_option(r, OPT_ROUTER, 4, &o))
		for (size_t i = 0; i + 4 <= o.len; i += 4)
			add_router(l, get32_be(o.b + i));
}

/* RFC 6842 section 3: a server may return the client's identifier, and then it must be ours. */
static bool is_for_other(const struct reader *r, const uint8_t mac[6])
{
	struct option o;

	return find_option(r, OPT_CLIENT_ID, 1, &o) &&
	       (o.len != 7 || o.b[0] != 1 || memcmp(o.b + 1, mac, 6) != 0);
}

bool dhcp_parse(const uint8_t *p, size_t len, struct dhcp_reply *reply)
{
	struct reader r;
	struct option o;

	if (len < DHCP_HDR_LEN + 4 || p[0] != 2 || p[1] != 1 || p[2] != 6 ||
	    get32(p + DHCP_HDR_LEN) != COOKIE || !open_areas(p, len, &r))
		return false;
	memset(reply, 0, sizeof(*reply));
	reply->xid = get32(p + 4);
	memcpy(reply->mac, p + 28, sizeof(reply->mac));
	if (!find_option(&r, OPT_TYPE, 1, &o) || is_for_other(&r, reply->mac))
		return false;
	reply->type = o.b[0];
	reply->lease.addr.addr = pc_addr_ip4(get32_be(p + 16));
	reply->has_server = find_option(&r, OPT_SERVER, 4, &o);
	if (reply->has_server)
		reply->lease.server = pc_addr_ip4(get32_be(o.b));
	read_lease(&r, reply);
	return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *p, uint8_t code, const void *data, uint8_t len)
{
	p[0] = code;
	p[1] = len;
	memcpy(p + 2, data, len);
	return p + 2 + len;
}

static uint8_t *put_options(uint8_t *p, const struct dhcp_query *q)
{
	static const uint8_t wanted[] = {OPT_MASK,   OPT_ROUTES, OPT_ROUTER, OPT_DNS,
	                                 OPT_DOMAIN, OPT_SEARCH, OPT_MTU,    OPT_LEASE,
	                                 OPT_T1,     OPT_T2,     OPT_SERVER};
	static const uint8_t size[2] = {DHCP_MESSAGE_MAX >> 8, DHCP_MESSAGE_MAX & 0xff};
	uint8_t id[7] = {1};
	const bool asks = q->type == DHCP_DISCOVER || q->type == DHCP_REQUEST;

	memcpy(id + 1, q->mac, sizeof(q->mac));
	p = put(p, OPT_TYPE, &q->type, 1);
	p = put(p, OPT_CLIENT_ID, id, sizeof(id));
	if (q->request_be != 0)
		p = put(p, OPT_REQUESTED, &q->request_be, 4);
	if (q->server_be != 0)
		p = put(p, OPT_SERVER, &q->server_be, 4);
	if (!asks)
		return p;
	p = put(p, OPT_SIZE, size, sizeof(size));
	p = put(p, OPT_PARAMETERS, wanted, sizeof(wanted));
	if (q->hostname != NULL && q->hostname[0] != '\0')
		p = put(p, OPT_HOSTNAME, q->hostname, (uint8_t)strnlen(q->hostname, 63));
	return p;
}

size_t dhcp_write(uint8_t *p, const struct dhcp_query *q)
{
	uint8_t *end;

	memset(p, 0, DHCP_MESSAGE_MAX);
	p[0] = p[1] = 1;
	p[2] = 6;
	for (unsigned i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(q->xid >> (24 - 8 * i));
	p[8] = (uint8_t)(q->secs >> 8);
	p[9] = (uint8_t)q->secs;
	p[10] = q->broadcast ? 0x80 : 0;
	memcpy(p + 12, &q->ciaddr_be, 4);
	memcpy(p + 28, q->mac, sizeof(q->mac));
	for (unsigned i = 0; i < 4; i++)
		p[DHCP_HDR_LEN + i] = (uint8_t)(COOKIE >> (24 - 8 * i));
	end = put_options(p + DHCP_HDR_LEN + 4, q);
	*end++ = OPT_END;
	/* RFC 1542 section 2.1: a BOOTP message has at least 300 bytes */
	return (size_t)(end - p) < 300 ? 300 : (size_t)(end - p);
}
