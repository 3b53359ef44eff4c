/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life-cycle of an address of ours (RFC 4862; IPv4: RFC 5227).
 *
 * Life-cycle: TENTATIVE while ip6.dad (arp.probes) probes are sent -> READY, and announced to the
 * link (IPv4: twice); or DUPLICATE, when another host answers.  A host that has our link-local
 * address, which is made from the MAC address, is likely to have the MAC address too: the interface
 * then stops speaking IPv6, and its other addresses are SILENT (section 5.4.5).  When the link
 * comes up again, the addresses are probed again: an IPv4 address becomes TENTATIVE once more, as
 * RFC 5227 section 2.1 requires; an IPv6 address in use continues to serve its connections
 * meanwhile (in the spirit of RFC 4429).  So are those that were DUPLICATE or SILENT, as the other
 * host may have been on another link.  An address made from a router's prefix becomes
 * DEPRECATED and EXPIRED by its advertised lifetimes, and READY again when they are extended.
 *
 * All addresses and groups are searched at once for what is due: they are few, and netifs.due_ns
 * says whether the search is worth while.
 */

#include <string.h>

#include <rte_common.h>

#include "neigh/group.h"
#include "neigh/nd.h"
#include "neigh/table.h"
#include "wire/ip6.h"

/* RFC 4861 section 10, MAX_RTR_SOLICITATION_DELAY */
#define DELAY_MAX_MS 1000

/* RFC 5227 section 1.1: PROBE_WAIT, PROBE_MIN and PROBE_MAX, ANNOUNCE_WAIT and ANNOUNCE_INTERVAL */
#define PROBE_WAIT_MS    1000
#define PROBE_MIN_MS     1000
#define PROBE_MAX_MS     2000
#define ANNOUNCE_WAIT_MS 2000
#define ANNOUNCES        2

#define MS_NS UINT64_C(1000000)

static uint64_t after_ms(const struct neigh_table *nt, uint64_t ms)
{
	return nt->ctx->now_ns + ms * MS_NS;
}

static bool is_ip4(const struct laddr *la)
{
	return pc_addr_is_ip4(&la->addr);
}

/* Sends one probe for the address (RFC 4862 section 5.4.2, RFC 7527). */
static void probe6(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	struct nd_msg m = {.type = ND_NS, .has = ND_HAS_NONCE, .target = la->addr};
	const struct nd_out o = {
	    .dst = ip6_solicited(&la->addr), .netif = la->netif, .hops = ND_HOPS};
	const uint64_t nonce = rng_next(&nt->ctx->rng);
	uint8_t msg[ND_MSG_MAX];

	memcpy(la->nonce[la->probes % LADDR_PROBES], &nonce, ND_NONCE_LEN);
	memcpy(m.nonce, &nonce, ND_NONCE_LEN);
	if (nd_send_msg(nt, &o, msg, nd_write(msg, &m)))
		ctx_count(nt->ctx, PC_ND_SOLICITS_TX);
}

bool dad_knows(const struct laddr *la, const uint8_t nonce[ND_NONCE_LEN])
{
	for (unsigned i = la->probes; dad_asks(la) && i < LADDR_PROBES; i++)
		if (memcmp(nonce, la->nonce[i], ND_NONCE_LEN) == 0)
			return true;
	return false;
}

static void probe(struct neigh_table *nt, uint16_t laddr)
{
	if (is_ip4(&nt->ifs->addr[laddr]))
		arp_probe(nt, laddr);
	else
		probe6(nt, laddr);
}

/* How long to wait for an answer to a probe before the next one, or before using the address. */
static uint64_t wait_ms(struct neigh_table *nt, const struct laddr *la)
{
	if (!is_ip4(la)) /* RFC 4862 section 5.4 */
		return netifs_retrans_ms(nt->ifs, la->netif);
	return la->probes == 0
	           ? ANNOUNCE_WAIT_MS
	           : PROBE_MIN_MS + rng_below(&nt->ctx->rng, PROBE_MAX_MS - PROBE_MIN_MS);
}

/* Joins the solicited-node group of an address; only IPv6 has one. */
static void join(struct neigh_table *nt, uint16_t laddr)
{
	const struct laddr *la = &nt->ifs->addr[laddr];
	const struct pc_addr group = ip6_solicited(&la->addr);

	if (!is_ip4(la))
		group_join(nt, la->netif, &group);
}

static void leave(struct neigh_table *nt, uint16_t laddr)
{
	const struct laddr *la = &nt->ifs->addr[laddr];
	const struct pc_addr group = ip6_solicited(&la->addr);

	if (!is_ip4(la))
		group_leave(nt, la->netif, &group);
}

/* When the lifetimes next change a ready address. */
static uint64_t end_of(const struct laddr *la)
{
	return la->state == LADDR_READY && la->preferred_ns < la->valid_ns ? la->preferred_ns
	                                                                   : la->valid_ns;
}

static void set_dad_due(struct neigh_table *nt, struct laddr *la, uint64_t ns)
{
	la->due_ns = ns;
	netifs_due(nt->ifs, ns);
}

static void make_ready(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	const bool was_probed = la->state == LADDR_TENTATIVE;

	la->state = LADDR_READY;
	set_dad_due(nt, la, end_of(la));
	dad_announce(nt, laddr);
	/* RFC 3590 section 4: without it, reports had no source, and routers ignore those */
	if (was_probed && laddr == nt->ifs->netif[la->netif].link_local)
		group_again6(nt, la->netif);
	neigh_outdate(nt); /* source addresses may change */
}

void dad_announce(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	if (!is_ip4(la)) {
		nd_advertise(nt, laddr);
		return;
	}
	arp_announce(nt, laddr);
	if (nt->ctx->cfg.arp_probes == 0)
		return;
	la->probes = ANNOUNCES - 1;
	set_dad_due(nt, la, after_ms(nt, ANNOUNCE_WAIT_MS));
}

/* The number of probes for an address. */
static uint8_t questions(const struct neigh_table *nt, const struct laddr *la)
{
	return (uint8_t)(is_ip4(la) ? nt->ctx->cfg.arp_probes : nt->ctx->cfg.ip6_dad);
}

/* Starts probing for an address, which is not used meanwhile. */
static void ask_for_addr(struct neigh_table *nt, struct laddr *la, bool delay)
{
	la->probes = questions(nt, la);
	la->state = LADDR_TENTATIVE;
	if (is_ip4(la))
		set_dad_due(nt, la, after_ms(nt, rng_below(&nt->ctx->rng, PROBE_WAIT_MS)));
	else
		set_dad_due(nt, la,
		            after_ms(nt, delay ? rng_below(&nt->ctx->rng, DELAY_MAX_MS) : 0));
}

/* Takes an address out of use. */
static void stop(struct neigh_table *nt, uint16_t laddr, enum laddr_state state)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	la->state = (uint8_t)state;
	la->doubted = false;
	la->due_ns = UINT64_MAX;
	leave(nt, laddr);
	neigh_outdate(nt);
}

void dad_start(struct neigh_table *nt, uint16_t laddr, bool delay)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	if (!is_ip4(la) && laddr != nt->ifs->netif[la->netif].link_local &&
	    !netifs_speaks_ip6(nt->ifs, la->netif)) {
		la->state = LADDR_SILENT;
		return;
	}
	if (la->state >= LADDR_DUPLICATE)
		la->state = LADDR_TENTATIVE;
	join(nt, laddr);
	if (la->tried || questions(nt, la) == 0)
		make_ready(nt, laddr);
	else
		ask_for_addr(nt, la, delay);
}

/* Starts an address that was not used, because of another host, if its lifetime is not over. */
static void restart(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	if (la->valid_ns > nt->ctx->now_ns)
		dad_start(nt, laddr, false);
	else
		la->state = LADDR_EXPIRED;
}

void dad_again(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	la->tried = false; /* that was on another link, perhaps */
	if (la->state >= LADDR_DUPLICATE) {
		restart(nt, laddr);
		return;
	}
	if (questions(nt, la) == 0) {
		dad_announce(nt, laddr);
		return;
	}
	if (!is_ip4(la) && la->state <= LADDR_DEPRECATED) {
		la->doubted = true;
		la->probes = questions(nt, la);
		set_dad_due(nt, la, nt->ctx->now_ns);
		return;
	}
	ask_for_addr(nt, la, false);
	neigh_outdate(nt);
}

void dad_judge(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	if (la->state <= LADDR_DEPRECATED && !la->doubted)
		set_dad_due(nt, la, nt->ctx->now_ns);
}

/* Stops IPv6 on an interface; for addresses not started yet, dad_start does so. */
static void silence(struct neigh_table *nt, uint8_t netif)
{
	for (uint16_t i = 0; i < nt->ifs->nb_announced; i++) {
		const struct laddr *la = &nt->ifs->addr[i];

		if (la->netif == netif && !is_ip4(la) && la->state < LADDR_DUPLICATE)
			stop(nt, i, LADDR_SILENT);
	}
}

void dad_conflict(struct neigh_table *nt, uint16_t laddr)
{
	const struct laddr *la = &nt->ifs->addr[laddr];

	stop(nt, laddr, LADDR_DUPLICATE);
	ctx_count(nt->ctx, is_ip4(la) ? PC_ARP_DUPLICATES : PC_ND_DUPLICATES);
	if (laddr == nt->ifs->netif[la->netif].link_local)
		silence(nt, la->netif);
}

void dad_end(struct neigh_table *nt, uint16_t laddr)
{
	stop(nt, laddr, LADDR_EXPIRED);
}

/* No host has answered. Whether the address has expired is checked next. */
static void end_doubt(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	la->doubted = false;
	dad_announce(nt, laddr);
	set_dad_due(nt, la, nt->ctx->now_ns);
}

static void on_due(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];

	/* RFC 4862 section 5.5.4: also while it is being probed for */
	if (la->state < LADDR_DUPLICATE && la->valid_ns <= nt->ctx->now_ns) {
		dad_end(nt, laddr);
	} else if (dad_asks(la) && la->probes > 0) {
		la->probes--;
		probe(nt, laddr);
		set_dad_due(nt, la, RTE_MIN(after_ms(nt, wait_ms(nt, la)), la->valid_ns));
	} else if (la->state == LADDR_TENTATIVE) {
		make_ready(nt, laddr);
	} else if (la->doubted) {
		end_doubt(nt, laddr);
	} else if (is_ip4(la)) { /* READY: the second announcement */
		la->probes = 0;
		set_dad_due(nt, la, UINT64_MAX);
		arp_announce(nt, laddr);
	} else {
		la->state = la->preferred_ns <= nt->ctx->now_ns ? LADDR_DEPRECATED : LADDR_READY;
		set_dad_due(nt, la, end_of(la));
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
