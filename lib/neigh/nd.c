/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbour Discovery between hosts (RFC 4861 section 7.2).
 *
 * Who may write into the neighbour table is as in arp.c: an advertisement fills or updates an
 * existing entry; a new one is made only for a host of a connected network that solicits an address
 * of ours.  So other hosts cannot fill the table just by sending messages, only by talking to us
 * (RFC 6583).
 */

#include "neigh/nd.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/verdict.h"
#include "neigh/table.h"
#include "wire/icmp6.h"

/* a hop-by-hop header with nothing but a router alert for MLD */
#define ALERT_LEN 8

/* ---- sending --------------------------------------------------------------------------------- */

static uint8_t *write_eth(const struct neigh_table *nt, const struct nd_out *o, uint8_t *p)
{
	struct eth_hdr eth = {.type = ETH_TYPE_IP6};

	memcpy(eth.src, neigh_own_mac(nt, o->netif), ETH_ADDR_LEN);
	if (o->mac != NULL)
		memcpy(eth.dst, o->mac, ETH_ADDR_LEN);
	else
		eth_set_group6(eth.dst, o->dst.b);
	return p + eth_write(p, &eth);
}

static uint8_t *write_ip6(const struct nd_out *o, uint8_t *p, uint16_t len)
{
	static const uint8_t alert[ALERT_LEN] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	const struct ip6_hdr h = {.next = o->alert ? IP6_EXT_HOP : IPPROTO_ICMPV6,
	                          .hops = o->hops,
	                          .payload_len = (uint16_t)(len + (o->alert ? ALERT_LEN : 0)),
	                          .src = o->src,
	                          .dst = o->dst};

	p += ip6_write(p, &h);
	if (!o->alert)
		return p;
	memcpy(p, alert, ALERT_LEN);
	return p + ALERT_LEN;
}

bool nd_send_msg(struct neigh_table *nt, const struct nd_out *o, const uint8_t *msg, uint16_t len)
{
	const uint16_t headers = ETH_HDR_LEN + IP6_HDR_LEN + (o->alert ? ALERT_LEN : 0);
	struct rte_mbuf *m = ctx_mbuf(nt->ctx);
	uint8_t *p;

	if (m == NULL)
		return false;
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(headers + len));
	p = write_ip6(o, write_eth(nt, o, p), len);
	memcpy(p, msg, len);
	icmp6_set_cksum(p, len, &o->src, &o->dst);
	txq_put(&nt->ifs->netif[o->netif].txq, nt->ctx, m);
	return true;
}

/* The source of a solicitation for target: our address on its network, or else the link-local
 * one. */
static uint16_t source_for(const struct neigh_table *nt, uint8_t netif,
                           const struct pc_addr *target)
{
	const uint16_t laddr = netifs_find_source(nt->ifs, netif, target);

	return laddr != LADDR_NONE ? laddr : nt->ifs->netif[netif].link_local;
}

bool nd_solicit(struct neigh_table *nt, uint8_t netif, const struct pc_addr *target,
                const uint8_t *mac)
{
	const uint16_t laddr = source_for(nt, netif, target);
	struct nd_msg m = {.type = ND_NS, .has = ND_HAS_SLLA, .target = *target};
	struct nd_out o = {.netif = netif, .hops = ND_HOPS, .mac = mac};
	uint8_t msg[ND_MSG_MAX];

	if (laddr == LADDR_NONE || !netifs_is_usable(nt->ifs, laddr))
		return false;
	o.src = nt->ifs->addr[laddr].addr;
	o.dst = mac != NULL ? *target : ip6_solicited(target);
	memcpy(m.slla, neigh_own_mac(nt, netif), ETH_ADDR_LEN);
	if (nd_send_msg(nt, &o, msg, nd_write(msg, &m)))
		ctx_count(nt->ctx, PC_ND_SOLICITS_TX);
	return true;
}

/* Sends an advertisement of an address of ours to one host or, when mac is NULL, to all nodes. */
static void advertise(struct neigh_table *nt, uint16_t laddr, const struct pc_addr *to,
                      const uint8_t *mac)
{
	const struct laddr *la = &nt->ifs->addr[laddr];
	struct nd_msg m = {
	    .type = ND_NA, .flags = ND_NA_OVERRIDE, .has = ND_HAS_TLLA, .target = la->addr};
	const struct nd_out o = {
	    .src = la->addr, .dst = *to, .mac = mac, .netif = la->netif, .hops = ND_HOPS};
	uint8_t msg[ND_MSG_MAX];

	if (mac != NULL)
		m.flags |= ND_NA_SOLICITED;
	memcpy(m.tlla, neigh_own_mac(nt, la->netif), ETH_ADDR_LEN);
	if (nd_send_msg(nt, &o, msg, nd_write(msg, &m)))
		ctx_count(nt->ctx, PC_ND_ADVERTS_TX);
}

void nd_advertise(struct neigh_table *nt, uint16_t laddr)
{
	const struct pc_addr all = ip6_all_nodes();

	advertise(nt, laddr, &all, NULL);
}

/* ---- solicitations (section 7.2.3) ----------------------------------------------------------- */

static uint16_t nd_find_on(const struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	const uint16_t laddr = netifs_find(nt->ifs, addr);

	return laddr != LADDR_NONE && nt->ifs->addr[laddr].netif == netif ? laddr : LADDR_NONE;
}

static bool is_good_mac(const uint8_t mac[ETH_ADDR_LEN])
{
	return !eth_is_group(mac) && !eth_is_zero(mac);
}

/* Says whether a message can be about an address: that of one host, and not the mapped form of an
 * IPv4 address, which is ARP's business. */
static bool is_good_target(const struct pc_addr *a)
{
	return !pc_addr_is_multicast(a) && !pc_addr_is_ip4(a);
}

/* RFC 4861 section 7.1.1, and section 4.3 for what may be sent from the unspecified address */
static bool is_good_solicit(const struct nd_in *in)
{
	const struct nd_msg *m = in->msg;

	if (!is_good_target(&m->target) || ((m->has & ND_HAS_SLLA) && !is_good_mac(m->slla)))
		return false;
	if (!pc_addr_is_any(&in->src))
		return true;
	return (m->has & ND_HAS_SLLA) == 0 && pc_addr_is_multicast(&in->dst) &&
	       in->dst.b[11] == 1 && in->dst.b[12] == 0xff;
}

void nd_heard(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr,
              const uint8_t mac[ETH_ADDR_LEN])
{
	struct neigh *n = neigh_find(nt, netif, addr);

	if (!is_good_mac(mac))
		return;
	if (n == NULL && netifs_find_link(nt->ifs, netif, addr) != LADDR_NONE)
		n = neigh_hear(nt, netif, addr);
	if (n != NULL)
		neigh_learn(nt, n, mac, false);
}

/* A solicitation from the unspecified address: its sender probes for the target
 * (RFC 4862 section 5.4.3). */
static int input_probe(struct neigh_table *nt, const struct nd_in *in, uint16_t laddr)
{
	const struct laddr *la = &nt->ifs->addr[laddr];

	/* RFC 7527: our own probe, returned by a loop */
	if ((in->msg->has & ND_HAS_NONCE) && dad_knows(la, in->msg->nonce))
		return PC_DROP_ND_LOOP;
	if (la->state != LADDR_TENTATIVE) {
		nd_advertise(nt, laddr);
		return PC_DROP_ND_DONE;
	}
	dad_conflict(nt, laddr);
	return PC_DROP_ND_CONFLICT;
}

static int input_solicit(struct neigh_table *nt, const struct nd_in *in)
{
	const uint16_t laddr = nd_find_on(nt, in->netif, &in->msg->target);

	if (!is_good_solicit(in))
		return PC_DROP_ND_MALFORMED;
	if (laddr == LADDR_NONE || nt->ifs->addr[laddr].state >= LADDR_DUPLICATE)
		return PC_DROP_ND_NOT_OURS;
	if (pc_addr_is_any(&in->src))
		return input_probe(nt, in, laddr);
	if (nt->ifs->addr[laddr].state == LADDR_TENTATIVE)
		return PC_DROP_ND_NOT_OURS;
	if (in->msg->has & ND_HAS_SLLA)
		nd_heard(nt, in->netif, &in->src, in->msg->slla);
	advertise(nt, laddr, &in->src, (in->msg->has & ND_HAS_SLLA) ? in->msg->slla : in->src_mac);
	return PC_DROP_ND_DONE;
}

/* ---- advertisements (section 7.2.5) ---------------------------------------------------------- */

static bool is_good_advert(const struct nd_in *in)
{
	const struct nd_msg *m = in->msg;

	if (!is_good_target(&m->target) || ((m->has & ND_HAS_TLLA) && !is_good_mac(m->tlla)))
		return false;
	return !pc_addr_is_multicast(&in->dst) || (m->flags & ND_NA_SOLICITED) == 0;
}

/* Another host advertises an address of ours. */
static int input_theft(struct neigh_table *nt, uint16_t laddr)
{
	if (dad_asks(&nt->ifs->addr[laddr]))
		dad_conflict(nt, laddr);
	return PC_DROP_ND_CONFLICT;
}

static int input_advert(struct neigh_table *nt, const struct nd_in *in)
{
	const struct nd_msg *m = in->msg;
	const bool solicited = (m->flags & ND_NA_SOLICITED) != 0;
	const uint16_t laddr = nd_find_on(nt, in->netif, &m->target);
	struct neigh *n;
	bool known, same;

	if (!is_good_advert(in))
		return PC_DROP_ND_MALFORMED;
	if (laddr != LADDR_NONE && nt->ifs->addr[laddr].state < LADDR_DUPLICATE)
		return input_theft(nt, laddr);
	n = neigh_find(nt, in->netif, &m->target);
	known = n != NULL && n->state >= NEIGH_STALE;
	if (n == NULL || (!known && (m->has & ND_HAS_TLLA) == 0))
		return PC_DROP_ND_UNASKED;
	same = (m->has & ND_HAS_TLLA) == 0 || (known && eth_equal(n->eth, m->tlla));
	if (known && !same && (m->flags & ND_NA_OVERRIDE) == 0) {
		neigh_suspect(nt,
		              n); /* two answers: the first one holds until it is probed again */
		return PC_DROP_ND_DONE;
	}
	neigh_learn(nt, n, (m->has & ND_HAS_TLLA) ? m->tlla : n->eth, solicited);
	return PC_DROP_ND_DONE;
}

bool nd_agrees(struct neigh_table *nt, const struct nd_in *in)
{
	const struct neigh *n = neigh_find(nt, in->netif, &in->msg->target);

	return n != NULL && n->state >= NEIGH_STALE &&
	       ((in->msg->has & ND_HAS_TLLA) == 0 || eth_equal(n->eth, in->msg->tlla));
}

int nd_input(struct neigh_table *nt, const struct nd_in *in)
{
	return in->msg->type == ND_NS ? input_solicit(nt, in) : input_advert(nt, in);
}
