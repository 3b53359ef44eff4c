/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_NEIGH_H
#define NEIGH_NEIGH_H

/*
 * The neighbour table: the MAC addresses of next hops.
 *
 * States are those of RFC 4861 section 7.3.2 for both families: INCOMPLETE (requested, frames
 * held), REACHABLE, STALE (old, still used), DELAY and PROBE (being requested again, by unicast and
 * then by broadcast).  An entry is known by its index and generation; a cached index whose
 * generation no longer matches is looked up again.  A full table evicts the least recently used
 * entry that holds no frames; if half of the entries hold some, the one that has held them longest;
 * if half of them are of hosts that asked for us and were never reached, one of those.  Requests to
 * one neighbour are at least arp.retry_ms apart (RFC 1122 section 2.3.2.1).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/pkt.h"
#include "neigh/netif.h"
#include "timer/wheel.h"

struct neigh_table;

/** A reference to an entry that survives the entry's reuse. */
struct neigh_ref {
	uint32_t index;
	uint32_t generation;
};

/** neigh_footprint returns the bytes that neigh_create takes. */
uint64_t neigh_footprint(const struct pc_stack_config *cfg);

/** What a packet was that was dropped because its neighbour did not answer. */
struct neigh_lost {
	struct pc_addr src, dst;
	uint16_t sport, dport; /* host byte order */
	uint32_t seq;          /* TCP: its sequence number */
	uint8_t proto;
};

/** neigh_create makes a stack's table. Returns NULL if out of memory. */
struct neigh_table *neigh_create(struct ctx *ctx, struct netifs *ifs);

/** neigh_destroy frees the table and every frame it holds. */
void neigh_destroy(struct neigh_table *nt);

/**
 * neigh_lookup returns the entry of an on-link address, adding it if necessary (without sending a
 * request yet). When every entry is set by hand, generation is 0 and neigh_output drops the frame.
 */
struct neigh_ref neigh_lookup(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** neigh_has_failed says whether a neighbour recently failed to answer. */
bool neigh_has_failed(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** neigh_is_known says whether a neighbour's MAC address is known, old or new. */
bool neigh_is_known(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** neigh_ask requests an unknown neighbour's MAC address although nothing is to be sent to it. */
void neigh_ask(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** neigh_failures returns how many neighbours have been given up. */
uint32_t neigh_failures(const struct neigh_table *nt);

/** neigh_take_lost tells what the next such packet was, if it was of TCP or UDP. Returns false when
 * there is none. neigh_has_lost (table.h) says whether there is one. */
bool neigh_take_lost(struct neigh_table *nt, struct neigh_lost *lost);

/** neigh_set fixes a neighbour's MAC address until neigh_del. Returns 0 or -ENOSPC. */
int neigh_set(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr,
              const uint8_t mac[6]);

/** neigh_del forgets a neighbour. Returns 0 or -ENOENT. */
int neigh_del(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr);

/** neigh_is_valid says whether a reference still means the entry it was made for. */
bool neigh_is_valid(const struct neigh_table *nt, struct neigh_ref ref);

/**
 * neigh_output takes a packet that begins with its IP header, prepends the Ethernet header and
 * queues it on the entry's interface; while the entry is unresolved it sends requests and holds the
 * packet. The mbuf must have headroom for the header and be writable there. ref must be valid or of
 * generation 0.
 */
void neigh_output(struct neigh_table *nt, struct neigh_ref ref, struct rte_mbuf *m);

/** neigh_output_broadcast sends a packet to the broadcast MAC of an interface. */
void neigh_output_broadcast(struct neigh_table *nt, uint8_t netif, struct rte_mbuf *m);

/**
 * neigh_output_multicast sends a packet to the group MAC of a multicast address (RFC 1112 section
 * 6.4, RFC 2464 section 7).
 */
void neigh_output_multicast(struct neigh_table *nt, uint8_t netif, struct rte_mbuf *m,
                            const struct pc_addr *group);

/**
 * arp_input handles a received ARP packet; m begins with the Ethernet header. A reply reuses the
 * mbuf. Verdict: done, or a drop.
 */
int arp_input(struct neigh_table *nt, struct rte_mbuf *m, uint8_t netif);

/** arp_probe probes for an address that we want (RFC 5227 section 2.1.1). */
void arp_probe(struct neigh_table *nt, uint16_t laddr);

/** arp_announce sends a gratuitous ARP request for an address of ours (RFC 5227 section 3). */
void arp_announce(struct neigh_table *nt, uint16_t laddr);

/**
 * neigh_outdate invalidates every reference, though the entries stay: holders of references look up
 * their next hop anew. Called when routes or addresses have changed.
 */
void neigh_outdate(struct neigh_table *nt);

/** neigh_distrust notes that packets sent through a neighbour seem not to arrive: it is probed
 * soon, unless some turn out meanwhile to have arrived (RFC 1122 section 3.3.1.4: negative
 * advice). */
void neigh_distrust(struct neigh_table *nt, struct neigh_ref ref);

/** neigh_suspect_all notes that any neighbour on a link may have been replaced by another host:
 * those in use are probed again. */
void neigh_suspect_all(struct neigh_table *nt, uint8_t netif);

/** neigh_poll does what is due at ctx->tick: requests, ageing, giving up. */
void neigh_poll(struct neigh_table *nt);

/** neigh_next tells the tick of the next timer. Returns false when there is none. */
bool neigh_next(const struct neigh_table *nt, uint32_t *tick);

/** neigh_count returns how many entries are in use. */
uint32_t neigh_count(const struct neigh_table *nt);

/** neigh_validate checks the invariants. Returns the number of violations. */
unsigned neigh_validate(const struct neigh_table *nt);

#endif
