/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARP (RFC 826), and the defence of our addresses (RFC 5227).
 *
 * Who may write into the neighbour table: a reply fills the entry that was requested; any packet
 * updates an existing entry (the merge of RFC 826, by which takeovers are announced); a new entry
 * is made only for a host of a connected network that requests an address of ours.  So other hosts
 * cannot fill the table just by sending ARP, only by talking to us.
 */

#include <assert.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "base/verdict.h"
#include "neigh/nd.h"
#include "neigh/neigh.h"
#include "neigh/table.h"
#include "wire/arp.h"

/* RFC 5227 section 1.1, DEFEND_INTERVAL */
#define ARP_DEFEND_NS UINT64_C(10000000000)

#define ARP_FRAME_LEN (ETH_HDR_LEN + ARP_LEN)

/* A received packet and what it means to us. */
struct arp_in {
	struct arp_pkt a;
	struct pc_addr sender, target;
	uint16_t sender_laddr, target_laddr; /* as addresses of the receiving interface */
	bool unicast;                        /* the frame was sent to us alone */
};

static uint16_t find_on(const struct neigh_table *nt, uint8_t netif, const struct pc_addr *addr)
{
	const uint16_t laddr = netifs_find(nt->ifs, addr);

	return laddr != LADDR_NONE && nt->ifs->addr[laddr].netif == netif &&
	               nt->ifs->addr[laddr].state < LADDR_DUPLICATE
	           ? laddr
	           : LADDR_NONE;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void write_frame(const struct neigh_table *nt, uint8_t netif, uint8_t *p, const uint8_t *dst,
                        const struct arp_pkt *a)
{
	struct eth_hdr h = {.type = ETH_TYPE_ARP};

	memcpy(h.dst, dst, ETH_ADDR_LEN);
	memcpy(h.src, neigh_own_mac(nt, netif), ETH_ADDR_LEN);
	p += eth_write(p, &h);
	arp_write(p, a);
}

/* Sends a request for target from an address of ours, or from none; mac NULL: broadcast. */
static void send_request(struct neigh_table *nt, uint8_t netif, uint16_t laddr,
                         const struct pc_addr *target, const uint8_t *mac)
{
	static const uint8_t everybody[ETH_ADDR_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct arp_pkt a = {.op = ARP_REQUEST, .tpa_be = pc_addr_get_ip4(target)};
	struct rte_mbuf *m = ctx_mbuf(nt->ctx);

	if (m == NULL)
		return;
	if (laddr != LADDR_NONE)
		a.spa_be = pc_addr_get_ip4(&nt->ifs->addr[laddr].addr);
	memcpy(a.sha, neigh_own_mac(nt, netif), ETH_ADDR_LEN);
	write_frame(nt, netif, (uint8_t *)rte_pktmbuf_append(m, ARP_FRAME_LEN),
	            mac != NULL ? mac : everybody, &a);
	txq_put(&nt->ifs->netif[netif].txq, nt->ctx, m);
	ctx_count(nt->ctx, PC_ARP_REQUESTS_TX);
}

bool arp_request(struct neigh_table *nt, uint8_t netif, const struct pc_addr *target,
                 const uint8_t *mac)
{
	uint16_t laddr = netifs_find_source(nt->ifs, netif, target);

	if (laddr == LADDR_NONE)
		laddr = netifs_find_first(nt->ifs, netif);
	if (laddr == LADDR_NONE)
		return false;
	send_request(nt, netif, laddr, target, mac);
	return true;
}

void arp_probe(struct neigh_table *nt, uint16_t laddr)
{
	const struct laddr *la = &nt->ifs->addr[laddr];

	send_request(nt, la->netif, LADDR_NONE, &la->addr, NULL);
}

void arp_announce(struct neigh_table *nt, uint16_t laddr)
{
	const struct laddr *la = &nt->ifs->addr[laddr];

	send_request(nt, la->netif, laddr, &la->addr, NULL);
}

/* Turns a request into its reply. */
static void send_reply(struct neigh_table *nt, struct rte_mbuf *m, uint8_t netif,
                       const struct arp_pkt *request)
{
	struct arp_pkt a = {.op = ARP_REPLY, .spa_be = request->tpa_be, .tpa_be = request->spa_be};

	memcpy(a.sha, neigh_own_mac(nt, netif), ETH_ADDR_LEN);
	memcpy(a.tha, request->sha, ETH_ADDR_LEN);
	mbuf_trim(m, ARP_FRAME_LEN);
	mbuf_clear_offload(m);
	write_frame(nt, netif, rte_pktmbuf_mtod(m, uint8_t *), request->sha, &a);
	txq_put(&nt->ifs->netif[netif].txq, nt->ctx, m);
	ctx_count(nt->ctx, PC_ARP_REPLIES_TX);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Says whether no host on this interface can have this address; 0.0.0.0 is a probe (RFC 5227). Our
 * own packet, returned by a loop, is not a conflict; but our MAC address alone is no fault: the
 * kernel's side of a TAP port has the same one. */
static bool is_bad_sender(const struct neigh_table *nt, uint8_t netif, const struct arp_in *in)
{
	if (eth_is_group(in->a.sha) || eth_is_zero(in->a.sha))
		return true;
	if (in->a.spa_be == 0)
		return in->a.op != ARP_REQUEST;
	return pc_addr_is_multicast(&in->sender) || pc_addr_is_loopback(&in->sender) ||
	       netifs_is_broadcast(nt->ifs, netif, &in->sender) ||
	       (netifs_owns_mac(nt->ifs, in->a.sha) &&
	        netifs_find(nt->ifs, &in->sender) != LADDR_NONE);
}

/* RFC 5227 section 2.1.1: another host is probing for the address that we are about to use. */
static bool wants_ours(const struct neigh_table *nt, const struct arp_in *in)
{
	return in->a.spa_be == 0 && in->target_laddr != LADDR_NONE &&
	       nt->ifs->addr[in->target_laddr].state == LADDR_TENTATIVE &&
	       !netifs_owns_mac(nt->ifs, in->a.sha);
}

/* Parses and checks a packet. Returns VERDICT_DONE or a drop. */
static int read_packet(const struct neigh_table *nt, const struct rte_mbuf *m, uint8_t netif,
                       struct arp_in *in)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	assert(m->data_len >= ETH_HDR_LEN);
	if (arp_parse(p + ETH_HDR_LEN, m->data_len - (uint32_t)ETH_HDR_LEN, &in->a) < 0)
		return PC_DROP_ARP_MALFORMED;
	if (in->a.op != ARP_REQUEST && in->a.op != ARP_REPLY)
		return PC_DROP_ARP_MALFORMED;
	in->sender = pc_addr_ip4(in->a.spa_be);
	in->target = pc_addr_ip4(in->a.tpa_be);
	in->unicast = !eth_is_group(p);
	if (is_bad_sender(nt, netif, in))
		return PC_DROP_ARP_SENDER;
	in->sender_laddr = find_on(nt, netif, &in->sender);
	in->target_laddr = find_on(nt, netif, &in->target);
	if (wants_ours(nt, in))
		in->sender_laddr = in->target_laddr;
	return in->sender_laddr == LADDR_NONE ? VERDICT_DONE : PC_DROP_ARP_CONFLICT;
}

/* Defends our address by announcing it, at most once in ten seconds (RFC 5227 section 2.4 c); an
 * address not yet in use is given up (section 2.1.1). */
static void defend(struct neigh_table *nt, uint16_t laddr)
{
	struct laddr *la = &nt->ifs->addr[laddr];
	const uint64_t now = nt->ctx->now_ns;

	if (la->state == LADDR_TENTATIVE) {
		dad_conflict(nt, laddr);
		return;
	}
	if (la->conflict_ns != 0 && now - la->conflict_ns < ARP_DEFEND_NS)
		return;
	la->conflict_ns = now != 0 ? now : 1;
	arp_announce(nt, laddr);
}

/* Updates the sender's entry, if there is one or make allows one to be added. Returns whether there
 * is one now. */
static bool learn_sender(struct neigh_table *nt, uint8_t netif, const struct arp_in *in, bool make)
{
	struct neigh *n;

	if (in->a.spa_be == 0)
		return false;
	n = neigh_find(nt, netif, &in->sender);
	if (n == NULL && make && netifs_find_link(nt->ifs, netif, &in->sender) != LADDR_NONE)
		n = neigh_hear(nt, netif, &in->sender);
	if (n == NULL)
		return false;
	neigh_learn(nt, n, in->a.sha,
	            in->a.op == ARP_REPLY && in->unicast && in->target_laddr != LADDR_NONE);
	return true;
}

int arp_input(struct neigh_table *nt, struct rte_mbuf *m, uint8_t netif)
{
	struct arp_in in;
	const int verdict = read_packet(nt, m, netif, &in);
	bool asked, ours, known;

	if (verdict == PC_DROP_ARP_CONFLICT)
		defend(nt, in.sender_laddr);
	if (verdict != VERDICT_DONE)
		return verdict;
	asked = in.a.op == ARP_REQUEST;
	ours = asked && in.target_laddr != LADDR_NONE && netifs_is_usable(nt->ifs, in.target_laddr);
	known = learn_sender(nt, netif, &in, ours);
	if (!ours && !known)
		return asked ? PC_DROP_ARP_NOT_OURS : PC_DROP_ARP_UNASKED;
	ctx_count(nt->ctx, PC_ARP_RX);
	if (ours)
		send_reply(nt, m, netif, &in.a);
	else
		rte_pktmbuf_free(m);
	return VERDICT_DONE;
}
