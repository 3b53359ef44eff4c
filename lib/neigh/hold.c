/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames that wait until their neighbour has answered; see neigh.c. */

#include <netinet/in.h>

#include <rte_common.h>
#include <rte_mbuf.h>

#include "neigh/table.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"

#define HOLD_SCARCE 3 /* frames of one neighbour while mbufs are scarce */

/* bytes of a packet that are read: a header of either family and the first 8 after it, and IPv6's
 * fragment header */
#define LOST_READ 68

struct rte_mbuf *hold_pop(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[n - nt->entry];
	struct rte_mbuf *m;

	if (h->n == 0)
		return NULL;
	m = *neigh_held_slot(nt, n, 0);
	h->first = (uint8_t)((h->first + 1) % nt->hold_max);
	if (--h->n == 0) {
		neigh_list_remove(nt, &nt->waiting, n);
		neigh_list_insert(nt, &nt->by_use, n);
		nt->nb_waiting--;
	}
	return m;
}

/* An unresolved neighbour must not hold mbufs that others need. */
static uint8_t hold_limit(const struct neigh_table *nt)
{
	return nt->ctx->mbufs_scarce && nt->hold_max > HOLD_SCARCE ? HOLD_SCARCE : nt->hold_max;
}

void hold_push(struct neigh_table *nt, struct neigh *n, struct rte_mbuf *m)
{
	struct neigh_hold *h = &nt->hold[n - nt->entry];

	if (h->n != 0 && h->n >= hold_limit(nt)) {
		rte_pktmbuf_free(hold_pop(nt, n));
		ctx_count(nt->ctx, PC_TX_HOLD_FULL);
	}
	if (h->n == 0) {
		neigh_unlist(nt, n);
		neigh_list_insert(nt, &nt->waiting, n);
		nt->nb_waiting++;
	}
	*neigh_held_slot(nt, n, h->n) = m;
	h->n++;
}

void hold_drop(struct neigh_table *nt, struct neigh *n)
{
	struct rte_mbuf *m;

	while ((m = hold_pop(nt, n)) != NULL) {
		rte_pktmbuf_free(m);
		ctx_count(nt->ctx, PC_TX_UNRESOLVED);
	}
}

/* Reads what a packet was. Returns false if it has no ports. */
static bool read_lost(const struct rte_mbuf *m, bool ip4, struct neigh_lost *l)
{
	const uint32_t len = RTE_MIN(m->pkt_len, (uint32_t)LOST_READ);
	uint8_t copy[LOST_READ];
	const uint8_t *p = rte_pktmbuf_read(m, 0, len, copy);
	struct icmp4_quote q4;
	struct icmp6_quote q6;

	if (ip4) {
		if (icmp4_parse_quote(p, len, &q4) < 0 || q4.ip.frag_off != 0)
			return false;
		*l = (struct neigh_lost){.src = pc_addr_ip4(q4.ip.src_be),
		                         .dst = pc_addr_ip4(q4.ip.dst_be),
		                         .sport = q4.sport,
		                         .dport = q4.dport,
		                         .seq = q4.seq,
		                         .proto = q4.ip.proto};
	} else {
		if (icmp6_parse_quote(p, len, &q6) < 0)
			return false;
		*l = (struct neigh_lost){.src = q6.ip.src,
		                         .dst = q6.ip.dst,
		                         .sport = q6.sport,
		                         .dport = q6.dport,
		                         .seq = q6.seq,
		                         .proto = q6.proto};
	}
	return l->proto == IPPROTO_TCP || l->proto == IPPROTO_UDP;
}

void hold_lose(struct neigh_table *nt, struct neigh *n)
{
	const bool ip4 = pc_addr_is_ip4(&n->addr);
	struct rte_mbuf *m;

	while ((m = hold_pop(nt, n)) != NULL) {
		if (nt->nb_lost < NEIGH_LOST && read_lost(m, ip4, &nt->lost[nt->nb_lost]))
			nt->nb_lost++;
		rte_pktmbuf_free(m);
		ctx_count(nt->ctx, PC_TX_UNRESOLVED);
	}
}

bool neigh_take_lost(struct neigh_table *nt, struct neigh_lost *lost)
{
	if (nt->nb_lost == 0)
		return false;
	*lost = nt->lost[--nt->nb_lost];
	return true;
}
