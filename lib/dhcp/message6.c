/* SPDX-License-Identifier: BSD-2-Clause */

/* Messages of stateless DHCPv6; see message6.h. */

#include "dhcp/message6.h"

#include <string.h>

#include "base/name.h"
#include "dhcp/search.h"

#define OPT_CLIENT_ID  1
#define OPT_SERVER_ID  2
#define OPT_ORO        6
#define OPT_ELAPSED    8
#define OPT_STATUS     13
#define OPT_DNS        23
#define OPT_SEARCH     24
#define OPT_REFRESH    32
#define OPT_SOL_MAX_RT 82
#define OPT_INF_MAX_RT 83

#define HDR_LEN 4

/* section 7.6: IRT_DEFAULT, IRT_MINIMUM */
#define REFRESH_DEFAULT_S 86400
#define REFRESH_LEAST_S   600
/* sections 21.24 and 21.25: others do not count */
#define MAX_RT_LEAST_S 60
#define MAX_RT_MOST_S  86400

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

/* Our identifier follows from the MAC address, so that it is the same whenever we come back. */
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
	if (get32(p) >= MAX_RT_LEAST_S && get32(p) <= MAX_RT_MOST_S)
		*s = get32(p);
	return true;
}

static bool read_refresh(const uint8_t *p, size_t len, uint32_t *s)
{
	if (len != 4)
		return false;
	*s = get32(p) < REFRESH_LEAST_S ? REFRESH_LEAST_S : get32(p);
	return true;
}

static bool read_option(uint16_t code, const uint8_t *p, size_t len, const uint8_t mac[6],
                        struct dhcp6_reply *r)
{
	uint8_t duid[DHCP6_DUID_LEN];

	switch (code) {
	case OPT_CLIENT_ID:
		write_duid(duid, mac);
		r->has_client = true;
		r->is_ours = len == sizeof(duid) && memcmp(p, duid, len) == 0;
		return true;
	case OPT_SERVER_ID:
		r->has_server = len >= 3; /* section 11.1: a type, and at least a byte */
		return r->has_server;
	case OPT_STATUS:
		r->status = len >= 2 ? get16(p) : 0;
		return len >= 2;
	case OPT_DNS:
		return read_dns(p, len, &r->info);
	case OPT_SEARCH:
		return search_read(p, len, false, r->info.search);
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

bool dhcp6_parse(const uint8_t *p, size_t len, const uint8_t mac[6], struct dhcp6_reply *r)
{
	if (len < HDR_LEN)
		return false;
	*r = (struct dhcp6_reply){
	    .type = p[0], .xid = get32(p) & 0xffffff, .info.refresh_s = REFRESH_DEFAULT_S};
	for (size_t at = HDR_LEN; at < len;) {
		size_t n;

		if (len - at < 4)
			return false;
		n = get16(p + at + 2);
		if (n > len - at - 4 || !read_option(get16(p + at), p + at + 4, n, mac, r))
			return false;
		at += 4 + n;
	}
	return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

void dhcp6_write(uint8_t *p, uint32_t xid, const uint8_t mac[6], uint16_t elapsed)
{
	static const uint16_t wanted[] = {OPT_DNS, OPT_SEARCH, OPT_REFRESH, OPT_SOL_MAX_RT,
	                                  OPT_INF_MAX_RT};
	uint8_t *o = p + HDR_LEN;

	*p = DHCP6_INFORMATION_REQUEST;
	p[1] = (uint8_t)(xid >> 16);
	put16(p + 2, (uint16_t)xid);
	o = put16(put16(o, OPT_CLIENT_ID), DHCP6_DUID_LEN);
	write_duid(o, mac);
	o = put16(put16(o + DHCP6_DUID_LEN, OPT_ELAPSED), 2);
	o = put16(o, elapsed);
	o = put16(put16(o, OPT_ORO), sizeof(wanted));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		o = put16(o, wanted[i]);
}
