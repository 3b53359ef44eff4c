/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neighbour table.
 *
 * Overview: an array of entries, found by a keyed hash of address and interface; one timer each, on
 * a wheel of our own; three lists, from whose ends a full table evicts: entries by last use, those of
 * hosts that have been heard but not reached, likewise, and entries that hold frames (hold.c).
 *
 * Life-cycle: NEW -> INCOMPLETE -> REACHABLE -> STALE -> free, and from STALE, when a frame is
 * sent, DELAY -> PROBE -> REACHABLE again or FAILED -> free.  INCOMPLETE fails in the same way.
 * FAILED lasts arp.retry_ms, so that an address that does not answer costs one request per
 * retry_ms, however many frames are sent to it.
 *
 * Ownership: held frames are ours until an answer sends them or failure drops them.
 *
 * Doubt: when a neighbour that has been reached at one MAC address is said to have another, it is
 * first probed at the old one (arp.confirm).  If it is still there, nothing changes; otherwise the
 * request is broadcast, and the host that answers is believed.  Without this, a single forged frame
 * from any host on the link takes a neighbour away for 8 seconds, and can be repeated.
 *
 * Invariants: an entry in use has an armed timer and a generation that no other use of it has had;
 * only an INCOMPLETE entry holds frames; the lists by use and of those heard have exactly the entries
 * that hold no frames and are not set by hand, the third list those that hold some.  So evicting
 * means taking the last element of a list, and no flood makes it walk.
 */

#include "neigh/neigh.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_mbuf.h>

#include "neigh/nd.h"
#include "neigh/table.h"

#define DOUBT_ASKS 2 /* probes to the old MAC address before a broadcast */

static uint32_t index_of(const struct neigh_table *nt, const struct neigh *n)
{
	return (uint32_t)(n - nt->entry);
}

/* Invalidates references to an entry. */
static void renew(struct neigh *n)
{
	if (++n->generation == 0)
		n->generation = 1;
}

static struct neigh_ref ref_of(const struct neigh_table *nt, struct neigh *n)
{
	if (unlikely(neigh_generation(nt, n) == 0)) /* reserved for references to no entry */
		renew(n);
	return (struct neigh_ref){.index = index_of(nt, n), .generation = neigh_generation(nt, n)};
}

static bool is_fixed(const struct neigh_table *nt, const struct neigh *n)
{
	return nt->hold[index_of(nt, n)].fixed;
}

static void arm(struct neigh_table *nt, const struct neigh *n, uint64_t ms)
{
	wheel_arm(&nt->wheel, index_of(nt, n), nt->ctx->tick + 1 + ticks_from_ms(ms));
}

/* ---- the lists ------------------------------------------------------------------------------- */

void neigh_touch(struct neigh_table *nt, struct neigh *n)
{
	const struct neigh_hold *h = &nt->hold[index_of(nt, n)];
	struct neigh_list *l = h->heard ? &nt->heard : &nt->by_use;

	n->used = nt->ctx->tick;
	/* the newest stays where it is */
	if (n->newer != 0 && h->n == 0 && !h->fixed) {
		neigh_list_remove(nt, l, n);
		neigh_list_insert(nt, l, n);
	}
}

/* ---- entries --------------------------------------------------------------------------------- */

struct neigh *neigh_find(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	for (uint32_t i = *neigh_bucket(nt, netif, addr); i != 0; i = nt->entry[i - 1].next)
		if (nt->entry[i - 1].netif == netif && pc_addr_equal(&nt->entry[i - 1].addr, addr))
			return &nt->entry[i - 1];
	return NULL;
}

void neigh_outdate(struct neigh_table *nt)
{
	nt->epoch++;
}

static void entry_free(struct neigh_table *nt, struct neigh *n)
{
	uint32_t *link = neigh_bucket(nt, n->netif, &n->addr);

	hold_drop(nt, n);
	if (!is_fixed(nt, n))
		neigh_unlist(nt, n);
	wheel_disarm(&nt->wheel, index_of(nt, n));
	while (*link != index_of(nt, n) + 1)
		link = &nt->entry[*link - 1].next;
	*link = n->next;
	n->state = NEIGH_FREE;
	renew(n);
	n->next = nt->free;
	nt->free = index_of(nt, n) + 1;
	nt->count--;
}

/*
 * The entry to evict: the least recently used or, once half of them hold frames for neighbours that
 * have not answered, the one that has held them longest.  A neighbour that exists answers at once;
 * otherwise packets with forged sources on our network, each of which we answer, would evict all
 * other entries, routers included (RFC 6583).  Nor may a host that asks for us under ever new
 * addresses: once half of all have been heard but not reached, they make room for each other.
 */
static uint32_t least_useful(const struct neigh_table *nt)
{
	const uint32_t half = nt->nb_entries / 2;

	if (nt->nb_waiting > half)
		return nt->waiting.oldest;
	if (nt->nb_heard > half)
		return nt->heard.oldest;
	if (nt->by_use.oldest != 0)
		return nt->by_use.oldest;
	return nt->heard.oldest != 0 ? nt->heard.oldest : nt->waiting.oldest;
}

/* Makes an entry that is in no list yet. */
static struct neigh *make(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	uint32_t *bucket = neigh_bucket(nt, netif, addr);
	struct neigh *n;

	if (nt->free == 0) {
		const uint32_t victim = least_useful(nt);

		if (victim == 0)
			return NULL;
		entry_free(nt, &nt->entry[victim - 1]);
		ctx_count(nt->ctx, PC_ARP_EVICTED);
	}
	n = &nt->entry[nt->free - 1];
	nt->free = n->next;
	nt->count++;
	n->state = NEIGH_NEW;
	n->netif = netif;
	n->addr = *addr;
	n->used = nt->ctx->tick;
	nt->hold[index_of(nt, n)] = (struct neigh_hold){0};
	n->next = *bucket;
	*bucket = index_of(nt, n) + 1;
	arm(nt, n, nt->ctx->cfg.arp_stale_ms);
	return n;
}

struct neigh *neigh_add(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	struct neigh *n = make(nt, netif, addr);

	if (n != NULL)
		neigh_list_insert(nt, &nt->by_use, n);
	return n;
}

struct neigh *neigh_hear(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	struct neigh *n = make(nt, netif, addr);

	if (n == NULL)
		return NULL;
	nt->hold[index_of(nt, n)].heard = true;
	nt->nb_heard++;
	neigh_list_insert(nt, &nt->heard, n);
	return n;
}

struct neigh_ref neigh_lookup(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	struct neigh *n = neigh_find(nt, netif, addr);

	if (n == NULL)
		n = neigh_add(nt, netif, addr);
	return n != NULL ? ref_of(nt, n) : (struct neigh_ref){0};
}

bool neigh_is_valid(const struct neigh_table *nt, struct neigh_ref ref)
{
	return ref.generation != 0 && neigh_generation(nt, &nt->entry[ref.index]) == ref.generation;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void send_frame(struct neigh_table *nt, uint8_t netif, struct rte_mbuf *m,
                       const uint8_t eth[ETH_HDR_LEN])
{
	char *p = rte_pktmbuf_prepend(m, ETH_HDR_LEN);

	assert(p != NULL);
	memcpy(p, eth, ETH_HDR_LEN);
	txq_put(&nt->ifs->netif[netif].txq, nt->ctx, m);
}

static void set_state(struct neigh_table *nt, struct neigh *n, enum neigh_state state, uint64_t ms)
{
	n->state = (uint8_t)state;
	arm(nt, n, ms);
}

/* The interval between requests to a neighbour. */
static uint64_t retry_ms(const struct neigh_table *nt, const struct neigh *n)
{
	return pc_addr_is_ip4(&n->addr) ? nt->ctx->cfg.arp_retry_ms
	                                : netifs_retrans_ms(nt->ifs, n->netif);
}

/* How long an answer is valid. For IPv6 it is varied, so that hosts do not probe a router all at once
 * (RFC 4861 section 6.3.2: ReachableTime), and a router may advertise it. */
static uint64_t reachable_ms(struct neigh_table *nt, const struct neigh *n)
{
	const uint32_t told = nt->ifs->netif[n->netif].reachable_ms;
	const uint64_t base = told != 0 ? told : nt->ctx->cfg.arp_reachable_ms;

	if (pc_addr_is_ip4(&n->addr))
		return nt->ctx->cfg.arp_reachable_ms;
	return base / 2 + rng_below(&nt->ctx->rng, (uint32_t)base);
}

/* Sends another request: by unicast if a MAC address is known and has not already failed to
 * answer. Without an address of ours, a known neighbour cannot be asked, and so has not failed: it is
 * probed when there is something to send again. */
static void ask_neigh(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[index_of(nt, n)];
	const bool unicast = n->state == NEIGH_PROBE && h->asked < nt->ctx->cfg.arp_retries;
	const uint8_t *mac = unicast ? n->eth : NULL;
	const bool sent = pc_addr_is_ip4(&n->addr) ? arp_request(nt, n->netif, &n->addr, mac)
	                                           : nd_solicit(nt, n->netif, &n->addr, mac);

	if (!sent && n->state == NEIGH_PROBE) {
		h->asked = 0;
		set_state(nt, n, NEIGH_STALE, nt->ctx->cfg.arp_stale_ms);
		return;
	}
	h->asked++;
	arm(nt, n, retry_ms(nt, n));
}

/* A frame is sent to a stale neighbour: it is probed soon or, if two MAC addresses have been
 * claimed for it, by broadcast now. */
static void leave_stale(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[index_of(nt, n)];

	if (!h->disputed) {
		set_state(nt, n, NEIGH_DELAY, NEIGH_DELAY_MS);
		return;
	}
	h->asked = (uint8_t)nt->ctx->cfg.arp_retries;
	n->state = NEIGH_PROBE;
	ask_neigh(nt, n);
}

/* The part of neigh_output for frames that cannot simply be sent. */
static void output_slow(struct neigh_table *nt, struct neigh *n, struct rte_mbuf *m)
{
	switch ((enum neigh_state)n->state) {
	case NEIGH_STALE:
		leave_stale(nt, n);
		send_frame(nt, n->netif, m, n->eth);
		break;
	case NEIGH_NEW:
		n->state = NEIGH_INCOMPLETE;
		hold_push(nt, n, m);
		ask_neigh(nt, n);
		break;
	case NEIGH_INCOMPLETE:
		hold_push(nt, n, m);
		break;
	default:
		rte_pktmbuf_free(m);
		ctx_count(nt->ctx, PC_TX_UNRESOLVED);
		break;
	}
}

void neigh_output(struct neigh_table *nt, struct neigh_ref ref, struct rte_mbuf *m)
{
	struct neigh *n = &nt->entry[ref.index];

	if (unlikely(ref.generation == 0)) {
		rte_pktmbuf_free(m);
		ctx_count(nt->ctx, PC_TX_UNRESOLVED);
		return;
	}
	assert(neigh_generation(nt, n) == ref.generation && n->state != NEIGH_FREE);
	if (unlikely(n->used != nt->ctx->tick))
		neigh_touch(nt, n);
	if (likely(n->state >= NEIGH_REACHABLE))
		send_frame(nt, n->netif, m, n->eth);
	else
		output_slow(nt, n, m);
}

/* Fills in the source and type of a header, for an interface of ours and the family of an
 * address. */
static void make_header(const struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr,
                        struct eth_hdr *h)
{
	memcpy(h->src, nt->ifs->netif[netif].port->info.mac, ETH_ADDR_LEN);
	h->type = pc_addr_is_ip4(addr) ? ETH_TYPE_IP4 : ETH_TYPE_IP6;
}

static void output_group(struct neigh_table *nt, uint8_t netif, struct rte_mbuf *m,
                         const struct pc_addr *group, struct eth_hdr *h)
{
	uint8_t eth[ETH_HDR_LEN];

	make_header(nt, netif, group, h);
	eth_write(eth, h);
	send_frame(nt, netif, m, eth);
}

void neigh_output_broadcast(struct neigh_table *nt, uint8_t netif, struct rte_mbuf *m)
{
	const struct pc_addr all = pc_addr_ip4(UINT32_MAX);
	struct eth_hdr h;

	eth_set_broadcast(h.dst);
	output_group(nt, netif, m, &all, &h);
}

void neigh_output_multicast(struct neigh_table *nt, uint8_t netif, struct rte_mbuf *m,
                            const struct pc_addr *group)
{
	struct eth_hdr h;

	if (pc_addr_is_ip4(group))
		eth_set_group(h.dst, pc_addr_get_ip4(group));
	else
		eth_set_group6(h.dst, group->b);
	output_group(nt, netif, m, group, &h);
}

/* ---- learning and forgetting ----------------------------------------------------------------- */

static void set_mac(struct neigh_table *nt, struct neigh *n, const uint8_t mac[ETH_ADDR_LEN])
{
	struct eth_hdr h;

	memcpy(h.dst, mac, ETH_ADDR_LEN);
	make_header(nt, n->netif, &n->addr, &h);
	eth_write(n->eth, &h);
}

/* Sends the held frames; a neighbour that is not known to be reachable will be probed soon. */
static void held_send(struct neigh_table *nt, struct neigh *n)
{
	struct rte_mbuf *m;

	while ((m = hold_pop(nt, n)) != NULL)
		neigh_output(nt, ref_of(nt, n), m);
}

/* A neighbour has been reached, so it exists. */
static void reached(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[index_of(nt, n)];

	h->reached = true;
	if (unlikely(h->heard)) {
		neigh_unlist(nt, n);
		neigh_list_insert(nt, &nt->by_use, n);
	}
	set_state(nt, n, NEIGH_REACHABLE, reachable_ms(nt, n));
}

/* A neighbour is said to have another MAC address: it is probed at the known one, at most
 * once per retry_ms. */
static void doubt(struct neigh_table *nt, struct neigh *n)
{
	const uint64_t retries = nt->ctx->cfg.arp_retries;
	struct neigh_hold *h = &nt->hold[index_of(nt, n)];

	ctx_count(nt->ctx, PC_NEIGH_DOUBTED);
	if (h->asked != 0 ||
	    (h->doubted && nt->ctx->tick - h->doubted_tick <= ticks_from_ms(retry_ms(nt, n))))
		return;
	h->doubted = true;
	h->doubted_tick = nt->ctx->tick;
	h->asked = (uint8_t)(retries > DOUBT_ASKS ? retries - DOUBT_ASKS : 0);
	n->state = NEIGH_PROBE;
	ask_neigh(nt, n);
}

/* Says whether an entry keeps its MAC address until it is clear which claim is true: a neighbour
 * that has been reached there stays until it fails to answer, and while requests are broadcast
 * only answers count. */
static bool is_kept(const struct neigh_table *nt, const struct neigh *n, bool proof)
{
	const struct neigh_hold *h = &nt->hold[index_of(nt, n)];

	if (nt->ctx->cfg.arp_confirm == 0)
		return false;
	return h->asked > nt->ctx->cfg.arp_retries ? !proof : h->reached;
}

void neigh_learn(struct neigh_table *nt, struct neigh *n, const uint8_t mac[ETH_ADDR_LEN],
                 bool answer)
{
	struct neigh_hold *h = &nt->hold[index_of(nt, n)];
	const bool known = n->state >= NEIGH_STALE;
	const bool same = known && eth_equal(n->eth, mac);
	const bool proof = answer && h->asked != 0;

	if ((!proof && same) || h->fixed)
		return;
	if (known && !same && is_kept(nt, n, proof)) {
		doubt(nt, n);
		return;
	}
	h->disputed = known && !same && !proof && nt->ctx->cfg.arp_confirm != 0;
	h->reached = false;
	if (!same)
		set_mac(nt, n, mac);
	h->asked = 0;
	if (proof)
		reached(nt, n);
	else
		set_state(nt, n, NEIGH_STALE, nt->ctx->cfg.arp_stale_ms);
	held_send(nt, n);
}

void neigh_confirmed(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[index_of(nt, n)];

	if (h->disputed)
		return; /* that may have reached the other host */
	h->asked = 0;
	reached(nt, n);
}

void neigh_suspect(struct neigh_table *nt, struct neigh *n)
{
	if (n->state == NEIGH_REACHABLE && !is_fixed(nt, n))
		set_state(nt, n, NEIGH_STALE, nt->ctx->cfg.arp_stale_ms);
}

void neigh_distrust(struct neigh_table *nt, struct neigh_ref ref)
{
	if (neigh_is_valid(nt, ref))
		neigh_suspect(nt, &nt->entry[ref.index]);
}

void neigh_suspect_all(struct neigh_table *nt, uint8_t netif)
{
	for (uint32_t i = 0; i < nt->nb_entries; i++)
		if (nt->entry[i].state != NEIGH_FREE && nt->entry[i].netif == netif)
			neigh_suspect(nt, &nt->entry[i]);
}

bool neigh_has_failed(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	const struct neigh *n = neigh_find(nt, netif, addr);

	return n != NULL && n->state == NEIGH_FAILED;
}

bool neigh_is_known(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	const struct neigh *n = neigh_find(nt, netif, addr);

	return n != NULL && n->state >= NEIGH_STALE;
}

void neigh_ask(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	struct neigh *n = neigh_find(nt, netif, addr);

	if (n == NULL)
		n = neigh_add(nt, netif, addr);
	if (n == NULL || n->state != NEIGH_NEW)
		return; /* it is being probed, or was a moment ago */
	n->state = NEIGH_INCOMPLETE;
	ask_neigh(nt, n);
}

uint32_t neigh_failures(const struct neigh_table *nt)
{
	return nt->failures;
}

int neigh_set(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr,
              const uint8_t mac[ETH_ADDR_LEN])
{
	struct neigh *n = neigh_find(nt, netif, addr);
	struct neigh_hold *h;

	if (n == NULL)
		n = neigh_add(nt, netif, addr);
	if (n == NULL)
		return -ENOSPC;
	h = &nt->hold[index_of(nt, n)];
	set_mac(nt, n, mac);
	h->asked = 0;
	set_state(nt, n, NEIGH_REACHABLE, nt->ctx->cfg.arp_stale_ms);
	held_send(nt, n);
	if (!h->fixed)
		neigh_unlist(nt, n);
	h->fixed = true;
	return 0;
}

int neigh_del(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	struct neigh *n = neigh_find(nt, netif, addr);

	if (n == NULL)
		return -ENOENT;
	entry_free(nt, n);
	return 0;
}

/* The last request was not answered: sends another, or gives up. */
static void retry(struct neigh_table *nt, struct neigh *n)
{
	const uint64_t retries = nt->ctx->cfg.arp_retries;
	const uint64_t limit = n->state == NEIGH_PROBE ? 2 * retries : retries;

	if (nt->hold[index_of(nt, n)].asked < limit) {
		ask_neigh(nt, n);
		return;
	}
	hold_lose(nt, n);
	nt->failures++;
	set_state(nt, n, NEIGH_FAILED, retry_ms(nt, n));
	renew(n); /* paths through this router are looked up again (RFC 4861 section 7.3.3) */
}

static void on_timer(struct neigh_table *nt, struct neigh *n)
{
	if (is_fixed(nt, n)) {
		arm(nt, n, nt->ctx->cfg.arp_stale_ms);
		return;
	}
	switch ((enum neigh_state)n->state) {
	case NEIGH_REACHABLE:
		set_state(nt, n, NEIGH_STALE, nt->ctx->cfg.arp_stale_ms);
		break;
	case NEIGH_DELAY:
		n->state = NEIGH_PROBE;
		ask_neigh(nt, n);
		break;
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		retry(nt, n);
		break;
	default:
		entry_free(nt, n);
		break;
	}
}

void neigh_poll(struct neigh_table *nt)
{
	uint32_t i;

	while ((i = wheel_pop(&nt->wheel, nt->ctx->tick)) != WHEEL_NONE)
		on_timer(nt, &nt->entry[i]);
	nd_poll(nt);
}

bool neigh_next(const struct neigh_table *nt, uint32_t *tick)
{
	return ctx_earlier(nt->ctx, nt->ifs->due_ns, wheel_next(&nt->wheel, tick), tick);
}

uint32_t neigh_count(const struct neigh_table *nt)
{
	return nt->count;
}
