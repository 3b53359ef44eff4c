/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_ND_H
#define NEIGH_ND_H

/*
 * Neighbour Discovery between hosts (RFC 4861 section 7), and our own IPv6 addresses (RFC 4862).
 * What routers say is handled by lib/ip.
 */

#include <stdbool.h>
#include <stdint.h>

#include "neigh/neigh.h"
#include "wire/nd.h"

/** A message that has passed the checks of RFC 4861 section 7.1 that concern IP and ICMP. */
struct nd_in {
	const struct nd_msg *msg;
	struct pc_addr src, dst;
	const uint8_t *src_mac; /* of the frame */
	uint8_t netif;
};

/** An ICMPv6 message that is sent to a link and no further. */
struct nd_out {
	struct pc_addr src, dst;
	const uint8_t *mac; /* NULL: the group's */
	uint8_t netif, hops;
	bool alert; /* with a router alert (RFC 2711), as MLD wants it */
};

/**
 * nd_input handles a neighbour solicitation or advertisement. Verdict: PC_DROP_ND_DONE when it was
 * used, else why not; in either case the frame is the caller's.
 */
int nd_input(struct neigh_table *nt, const struct nd_in *in);

/** nd_agrees says whether the neighbour table has of a neighbour what its advertisement tells, after nd_input: what may not
 * override, or is yet to be confirmed, says nothing of the neighbour at all (section 7.2.5). */
bool nd_agrees(struct neigh_table *nt, const struct nd_in *in);

/** nd_solicit asks for a neighbour's MAC address, at mac or, when NULL, its solicited-node group. */
void nd_solicit(struct neigh_table *nt, uint8_t netif, const struct pc_addr *target,
                const uint8_t *mac);

/** nd_heard takes in where a neighbour is, without proof that it can be reached. */
void nd_heard(struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr,
              const uint8_t mac[ETH_ADDR_LEN]);

/** nd_send_msg sends a message; len bytes of it, with checksum 0. Returns false without an mbuf. */
bool nd_send_msg(struct neigh_table *nt, const struct nd_out *o, const uint8_t *msg, uint16_t len);

/** nd_advertise tells everybody on the link of an address of ours (section 7.2.6). */
void nd_advertise(struct neigh_table *nt, uint16_t laddr);

/* ---- our addresses (dad.c) ---- */

/**
 * dad_start begins the life of an address: its solicited-node group is joined, and, unless ip6.dad (of IPv4:
 * arp.probes) is 0, the link is asked whether somebody has it; delay: not at once, because others have learnt of the
 * same prefix at this moment (RFC 4862 section 5.4.2).
 */
void dad_start(struct neigh_table *nt, uint16_t laddr, bool delay);

/** dad_asks says whether it is being asked whether somebody else has an address. */
static inline bool dad_asks(const struct laddr *la)
{
	return la->state == LADDR_TENTATIVE || la->doubted;
}

/** dad_knows says whether a nonce is of one of the questions under way about an address (RFC 7527 section 4.2): a loop may bring back an
 * earlier one as well. */
bool dad_knows(const struct laddr *la, const uint8_t nonce[ND_NONCE_LEN]);

/** dad_again asks for an address of ours once more, since its link has come up; one of IPv4 is not used meanwhile. Without
 * questions (ip6.dad, arp.probes) it is announced. */
void dad_again(struct neigh_table *nt, uint16_t laddr);

/** dad_judge takes in that the lifetimes of an address that is in use have changed; its state follows. */
void dad_judge(struct neigh_table *nt, uint16_t laddr);

/** dad_announce tells the link of an address that is ready. */
void dad_announce(struct neigh_table *nt, uint16_t laddr);

/** dad_conflict takes in that somebody else has an address that was asked for. */
void dad_conflict(struct neigh_table *nt, uint16_t laddr);

/** dad_end ends the life of an address whose time is over. */
void dad_end(struct neigh_table *nt, uint16_t laddr);

/** nd_poll does what is due at ctx->now_ns: questions, reports, ends of lifetimes. */
void nd_poll(struct neigh_table *nt);

#endif
