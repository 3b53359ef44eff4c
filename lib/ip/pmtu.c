/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path MTUs that are smaller than the link's (RFC 8201; RFC 1191 for datagrams: over IPv4, each TCP
 * connection keeps its own).
 *
 * Overview: a table of fixed size, with a few slots for each hash of the destination; the one that
 * expires first is replaced.  A value is believed for ten minutes, after which the link's applies
 * again (section 4), also to kept paths: when a value expires, all paths are looked up anew.
 *
 * Who may write: transports, for errors that quote a packet they have sent (RFC 5927 section 7),
 * and ICMPv6 for those that quote an echo reply; never below 1280 bytes, or 552 for IPv4 as on Linux,
 * so that forged errors gain little.  An IPv4 path said to be narrower gets 552, and packets sent on
 * it may be fragmented by routers.
 */

#include "ip/ip.h"

#include "wire/ip6.h"

#define AGE_NS UINT64_C(600000000000)

static struct pmtu *pmtu_bucket_of(struct ip *ip, const struct pc_addr *dst)
{
	const uint64_t v[3] = {dst->q[0], dst->q[1], 0};
	const uint64_t h = hash24(&ip->table_key, v);

	return &ip->pmtu[h % (PMTU_ENTRIES / PMTU_WAYS) * PMTU_WAYS];
}

void ip_pmtu_learn(struct ip *ip, const struct pc_addr *dst, uint32_t mtu)
{
	struct pmtu *b = pmtu_bucket_of(ip, dst), *place = b;

	if (pc_addr_is_ip4(dst) && mtu < IP_PMTU4_MIN)
		mtu = IP_PMTU4_MIN;
	if (mtu < IP6_MTU_MIN && !pc_addr_is_ip4(dst))
		return;
	if (mtu > UINT16_MAX)
		return;
	for (unsigned i = 0; i < PMTU_WAYS; i++) {
		if (pc_addr_equal(&b[i].dst, dst)) {
			place = &b[i];
			if (place->until_ns > ip->ctx->now_ns && mtu >= place->mtu)
				return;
			break;
		}
		if (b[i].until_ns < place->until_ns)
			place = &b[i];
	}
	*place =
	    (struct pmtu){.dst = *dst, .mtu = (uint16_t)mtu, .until_ns = ip->ctx->now_ns + AGE_NS};
	ip_due(ip, place->until_ns);
}

void ip_pmtu_poll(struct ip *ip)
{
	bool over = false;

	for (unsigned i = 0; i < PMTU_ENTRIES; i++) {
		struct pmtu *p = &ip->pmtu[i];

		if (p->mtu == 0)
			continue;
		if (p->until_ns > ip->ctx->now_ns) {
			ip_due(ip, p->until_ns);
			continue;
		}
		*p = (struct pmtu){0};
		over = true;
	}
	if (over)
		neigh_outdate(ip->neigh);
}

uint16_t ip_pmtu(struct ip *ip, const struct pc_addr *dst, uint16_t mtu)
{
	const struct pmtu *b = pmtu_bucket_of(ip, dst);

	for (unsigned i = 0; i < PMTU_WAYS; i++)
		if (pc_addr_equal(&b[i].dst, dst) && b[i].until_ns > ip->ctx->now_ns &&
		    b[i].mtu < mtu)
			return b[i].mtu;
	return mtu;
}
