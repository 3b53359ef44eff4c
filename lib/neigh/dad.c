/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of an IPv6 address of ours (RFC 4862).
 *
 * Life-cycle: TENTATIVE while ip6.dad questions are asked, arp.retry_ms apart -> READY, announced to
 * the link; or DUPLICATE, for good, when somebody answers.  An address of a router's prefix becomes
 * DEPRECATED and EXPIRED by the lifetimes that the router tells, and READY again when it tells more.
 *
 * Whatever is due is looked for in all addresses and groups at once: they are few, and netifs.due_ns
 * says whether it is worth while.
 */

#include <string.h>

#include "neigh/group.h"
#include "neigh/nd.h"
#include "neigh/table.h"
#include "wire/ip6.h"

/* RFC 4861 section 10, MAX_RTR_SOLICITATION_DELAY */
#define DELAY_MAX_MS 1000

#define MS_NS UINT64_C(1000000)

static uint64_t after_ms(const struct neigh_table *nt, uint64_t ms)
{
	return nt->ctx->now_ns + ms * MS_NS;
}

/* Sends one question whether somebody has the address (RFC 4862 section 5.4.2, RFC 7527). */
static void probe(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	struct nd_msg m = {.type = ND_NS, .has = ND_HAS_NONCE, .target = la->addr};
	const struct nd_out o = {
	    .dst = ip6_solicited(&la->addr), .netif = la->netif, .hops = ND_HOPS};
	const uint64_t nonce = rng_next(&nt->ctx->rng);
	uint8_t msg[ND_MSG_MAX];

	memcpy(la->nonce, &nonce, ND_NONCE_LEN);
	memcpy(m.nonce, &nonce, ND_NONCE_LEN);
	if (nd_send_msg(nt, &o, msg, nd_write(msg, &m)))
		ctx_count(nt->ctx, PC_ND_SOLICITS_TX);
}

/* When a ready address changes by the passing of time. */
static uint64_t end_of(const struct laddr *la)
{
	return la->state == LADDR_READY && la->preferred_ns < la->valid_ns ? la->preferred_ns
	                                                                   : la->valid_ns;
}

static void set_due(struct neigh_table *nt, struct laddr *la, uint64_t ns)
{
	la->due_ns = ns;
	netifs_due(nt->ifs, ns);
}

static void make_ready(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	la->state = LADDR_READY;
	set_due(nt, la, end_of(la));
	nd_advertise(nt, laddr);
	neigh_outdate(nt); /* sources may be chosen anew */
}

void dad_start(struct neigh_table *nt, uint16_t laddr, bool delay)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	const struct pc_addr group = ip6_solicited(&la->addr);

	group_join(nt, la->netif, &group);
	la->probes = (uint8_t)nt->ctx->cfg.ip6_dad;
	if (la->probes == 0) {
		make_ready(nt, laddr);
		return;
	}
	la->state = LADDR_TENTATIVE;
	set_due(nt, la, after_ms(nt, delay ? rng_below(&nt->ctx->rng, DELAY_MAX_MS) : 0));
}

void dad_conflict(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	const struct pc_addr group = ip6_solicited(&la->addr);

	la->state = LADDR_DUPLICATE;
	la->due_ns = UINT64_MAX;
	group_leave(nt, la->netif, &group);
	ctx_count(nt->ctx, PC_ND_DUPLICATES);
	neigh_outdate(nt);
}

void dad_end(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	const struct pc_addr group = ip6_solicited(&la->addr);

	la->state = LADDR_EXPIRED;
	la->due_ns = UINT64_MAX;
	group_leave(nt, la->netif, &group);
	neigh_outdate(nt);
}

static void on_due(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	if (la->state == LADDR_TENTATIVE && la->probes > 0) {
		la->probes--;
		probe(nt, laddr);
		set_due(nt, la, after_ms(nt, nt->ctx->cfg.arp_retry_ms));
	} else if (la->state == LADDR_TENTATIVE) {
		make_ready(nt, laddr);
	} else if (la->valid_ns <= nt->ctx->now_ns) {
		dad_end(nt, laddr);
	} else {
		la->state = la->preferred_ns <= nt->ctx->now_ns ? LADDR_DEPRECATED : LADDR_READY;
		set_due(nt, la, end_of(la));
		neigh_outdate(nt);
	}
}

void nd_poll(struct neigh_table *nt)
{
	struct netifs *ifs = nt->ifs;

	if (ifs->due_ns > nt->ctx->now_ns)
		return;
	ifs->due_ns = UINT64_MAX;
	for (uint16_t i = 0; i < ifs->nb_addrs; i++) {
		if (ifs->addr[i].due_ns <= nt->ctx->now_ns)
			on_due(nt, i);
		netifs_due(ifs, ifs->addr[i].due_ns);
	}
	netifs_due(ifs, groups_poll(nt));
}
