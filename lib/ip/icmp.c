/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP of both families: the rate limit on errors, and the errors that transports request. */

#include "ip/icmp.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_common.h>

#include "base/mbuf.h"
#include "wire/cksum.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"

#define SECOND_NS UINT64_C(1000000000)

/* bytes after the IP header up to TCP's flags, which rules may match, and up to the ports */
#define TCP_FLAGS_OFF 13
#define UPPER_READ    (TCP_FLAGS_OFF + 1)
#define UPPER_LEAST   4

/*
 * A token bucket that holds one second's worth, refilled eight times a second. Each refill takes
 * away up to two tokens at random: otherwise its level, which an outsider can probe, would reveal
 * how many errors were sent to others, and so which ports are in use (CVE-2020-25705).
 */
static bool take(struct ip *ip)
{
	const uint64_t rate = ip->ctx->cfg.icmp_error_rate, now = ip->ctx->now_ns;
	const uint64_t elapsed = RTE_MIN(now - ip->error_ns, SECOND_NS);
	const uint64_t fresh = elapsed * rate / SECOND_NS;

	if (fresh > rate / 8) {
		ip->error_tokens = (uint32_t)RTE_MIN(ip->error_tokens + fresh, rate);
		ip->error_ns = fresh < rate ? ip->error_ns + fresh * SECOND_NS / rate : now;
		if (rate >= 64)
			ip->error_tokens -= RTE_MIN(ip->error_tokens, rng_below(&ip->ctx->rng, 3));
	}
	if (ip->error_tokens == 0)
		return false;
	ip->error_tokens--;
	return true;
}

bool icmp_take_token(struct ip *ip)
{
	if (ip->ctx->cfg.icmp_error_rate == 0)
		return false;
	if (take(ip))
		return true;
	ctx_count(ip->ctx, PC_ICMP_ERRORS_LIMITED);
	return false;
}

/* Reads the fields after the IP header that rules match, as far as they are there. */
static void read_upper(const struct rte_mbuf *m, const struct ip_pkt *p, struct fw_packet *k)
{
	const uint32_t there = m->pkt_len > p->l4_off ? m->pkt_len - p->l4_off : 0;
	const uint32_t n = RTE_MIN(there, (uint32_t)UPPER_READ);
	uint8_t copy[UPPER_READ];
	const uint8_t *l4 = rte_pktmbuf_read(m, p->l4_off, n, copy);

	if (l4 == NULL || n < UPPER_LEAST)
		return;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		k->icmp_type = l4[0];
		k->icmp_code = l4[1];
	}
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return;
	k->sport = wire_get16(l4);
	k->dport = wire_get16(l4 + 2);
	if (p->proto == IPPROTO_TCP && n == UPPER_READ)
		k->flags = l4[TCP_FLAGS_OFF];
}

bool icmp_may_tell(const struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct fw_packet k = {.src = &p->src,
	                      .dst = &p->dst,
	                      .proto = p->proto,
	                      .state = FW_NEW,
	                      .netif = p->netif,
	                      .len = p->l4_len};

	if (deny_has(&ip->deny, &p->src))
		return false;
	if (!fw_is_on(&ip->fw) || p->netif == NETIF_LO)
		return true;
	read_upper(m, p, &k);
	return fw_peek(&ip->fw, ip->ctx, FW_IN, &k) != FW_DROP;
}

bool icmp_is_intact(const struct rte_mbuf *m, const struct ip_pkt *p)
{
	const uint64_t sum =
	    p->proto == IPPROTO_ICMP ? 0 : cksum_pseudo(&p->src, &p->dst, p->proto, p->l4_len);

	return cksum_is_good(cksum_add_mbuf(sum, m, p->l4_off, p->l4_len));
}

void icmp_port_unreachable(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (pc_addr_is_ip4(&p->dst))
		icmp4_error(ip, m, p, ICMP4_UNREACHABLE, ICMP4_UNREACH_PORT, 0);
	else
		icmp6_error(ip, m, p, ICMP6_UNREACHABLE, ICMP6_UNREACH_PORT, 0);
}

void icmp_prohibited(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (pc_addr_is_ip4(&p->dst))
		icmp4_error(ip, m, p, ICMP4_UNREACHABLE, ICMP4_UNREACH_PROHIB, 0);
	else
		icmp6_error(ip, m, p, ICMP6_UNREACHABLE, ICMP6_UNREACH_PROHIB, 0);
}

void icmp_protocol_unreachable(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (pc_addr_is_ip4(&p->dst))
		icmp4_error(ip, m, p, ICMP4_UNREACHABLE, ICMP4_UNREACH_PROTO, 0);
	else
		icmp6_error(ip, m, p, ICMP6_PARAMETER, ICMP6_PARAM_NEXT, p->proto_at);
}

bool ip_take_unreached(struct ip *ip, struct icmp_error *error)
{
	struct neigh_lost l;
	bool ip4;

	if (!neigh_take_lost(ip->neigh, &l))
		return false;
	ip4 = pc_addr_is_ip4(&l.dst);
	*error = (struct icmp_error){.local = l.src,
	                             .remote = l.dst,
	                             .local_port = l.sport,
	                             .remote_port = l.dport,
	                             .laddr = netifs_find(&ip->ifs, &l.src),
	                             .proto = l.proto,
	                             .type = ip4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
	                             .code = ip4 ? ICMP4_UNREACH_HOST : ICMP6_UNREACH_ADDR,
	                             .ttl = UINT8_MAX, /* it comes from nowhere else (RFC 5082) */
	                             .seq = l.seq,
	                             .error = EHOSTUNREACH,
	                             .offender = l.src};
	return true;
}
