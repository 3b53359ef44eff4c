/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_ND_H
#define NEIGH_ND_H

/*
 * Neighbour Discovery between hosts (RFC 4861 section 7), and our own IPv6 addresses (RFC 4862).
 * Messages from routers are handled by lib/ip.
 */

#include <stdbool.h>
#include <stdint.h>

#include "neigh/neigh.h"
#include "wire/nd.h"

/** A message that has passed the IP and ICMP checks of RFC 4861 section 7.1. */
struct nd_in {
	const struct nd_msg *msg;
	struct pc_addr src, dst;
	const uint8_t *src_mac; /* of the frame */
	uint8_t netif;
};

/** An ICMPv6 message that stays on the link. */
struct nd_out {
	struct pc_addr src, dst;
	const uint8_t *mac; /* NULL: the group's */
	uint8_t netif, hops;
	bool alert; /* with a router alert (RFC 2711), as MLD requires */
};

/**
 * nd_input handles a neighbour solicitation or advertisement. Verdict: PC_DROP_ND_DONE if it was
 * used, otherwise the reason; in either case the caller keeps the frame.
 */
int nd_input(struct neigh_table *nt, const struct nd_in *in);

/** nd_agrees says whether, after nd_input, the neighbour table agrees with a neighbour's
 * advertisement. One that may not override the entry, or is yet to be confirmed, must not be used
 * for anything else about the neighbour either (section 7.2.5). */
bool nd_agrees(struct neigh_table *nt, const struct nd_in *in);

/** nd_solicit requests a neighbour's MAC address, from mac or, when NULL, by its
 * solicited-node group. Returns false if there is no address to do so from. */
bool nd_solicit(struct neigh_table *nt, uint8_t netif, const struct pc_addr *target,
                const uint8_t *mac);

/** nd_heard records a neighbour's MAC address, without proof that it is reachable. */
void nd_heard(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr,
              const uint8_t mac[ETH_ADDR_LEN]);

/** nd_send_msg sends a message of len bytes, whose checksum is 0. Returns false if there
 * is no mbuf. */
bool nd_send_msg(struct neigh_table *nt, const struct nd_out *o, const uint8_t *msg, uint16_t len);

/** nd_advertise advertises an address of ours to all nodes on the link (section 7.2.6). */
void nd_advertise(struct neigh_table *nt, uint16_t laddr);

/* ---- our addresses (dad.c) ---- */

/**
 * dad_start starts an address: its solicited-node group is joined and, unless ip6.dad (IPv4:
 * arp.probes) is 0, the link is probed for other hosts that have it. delay: not at once, because
 * other hosts have learnt of the same prefix at the same moment (RFC 4862 section 5.4.2).
 */
void dad_start(struct neigh_table *nt, uint16_t laddr, bool delay);

/** dad_asks says whether an address is being probed for. */
static inline bool dad_asks(const struct laddr *la)
{
	return la->state == LADDR_TENTATIVE || la->doubted;
}

/** dad_knows says whether a nonce belongs to one of the probes sent for an address (RFC 7527
 * section 4.2): a loop may also return an earlier one. */
bool dad_knows(const struct laddr *la, const uint8_t nonce[ND_NONCE_LEN]);

/** dad_again probes for an address of ours once more because its link has come up, also if another
 * host had it; an IPv4 address is not used meanwhile. Where probes are disabled (ip6.dad,
 * arp.probes) it is only announced. */
void dad_again(struct neigh_table *nt, uint16_t laddr);

/** dad_judge updates the state of an address in use after its lifetimes have changed. */
void dad_judge(struct neigh_table *nt, uint16_t laddr);

/** dad_announce announces an address that is ready to the link. */
void dad_announce(struct neigh_table *nt, uint16_t laddr);

/** dad_conflict handles another host having an address that we have probed for. */
void dad_conflict(struct neigh_table *nt, uint16_t laddr);

/** dad_end expires an address. */
void dad_end(struct neigh_table *nt, uint16_t laddr);

/** nd_poll does what is due at ctx->now_ns: probes, reports, expiring lifetimes. */
void nd_poll(struct neigh_table *nt);

#endif
