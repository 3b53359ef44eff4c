/* SPDX-License-Identifier: BSD-2-Clause */
/* The exception path; see exception.h. */
#include "stack/exception.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "port/verify.h"
#include "stack/exception_cut.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ip6.h"
#include "wire/nd.h"

#define SECOND_NS UINT64_C(1000000000)

/* Offsets of addresses in an IP header. */
#define IP4_DST_OFF 16
#define IP6_SRC_OFF 8
#define IP6_DST_OFF 24

/* ---- owners of frames ------------------------------------------------------------------------ */

enum owner { OURS, KERNEL, BOTH };

static bool read_arp(const struct rte_mbuf *m, struct arp_pkt *a)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	return arp_parse(p + ETH_HDR_LEN, m->data_len - (uint32_t)ETH_HDR_LEN, a) >= 0;
}

/* Says whether an ARP packet is news of a neighbour: a reply or an announcement. */
static bool is_arp_news(const struct rte_mbuf *m)
{
	struct arp_pkt a;

	return read_arp(m, &a) && (a.op != ARP_REQUEST || a.spa_be == a.tpa_be);
}

/* An ARP request that is not our affair: a probe (RFC 5227) comes to all lcores. */
static enum owner owner_of_arp(const struct rte_mbuf *m)
{
	struct arp_pkt a;

	if (is_arp_news(m))
		return OURS; /* exception_put_arp has passed it on */
	return read_arp(m, &a) && a.spa_be == 0 ? BOTH : KERNEL;
}

/* Says whether an ND message is a neighbour solicitation; those have no extension headers. */
static bool is_solicit(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH_HDR_LEN);

	return ip[IP6_NEXT_OFF] == IPPROTO_ICMPV6 && ip[IP6_HDR_LEN] == ND_NS;
}

/* Says whether a packet probes for an address (RFC 4862 section 5.4.2): it comes to all lcores. */
static bool is_probe6(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH_HDR_LEN);
	struct pc_addr src;

	memcpy(&src, ip + IP6_SRC_OFF, sizeof(src));
	return pc_addr_is_any(&src) && m->data_len > ETH_HDR_LEN + IP6_HDR_LEN && is_solicit(m);
}

/* BOTH: several lcores may get a copy each, but the kernel must get only one. */
static enum owner owner_of(const struct rte_mbuf *m, int verdict)
{
	switch (verdict) {
	case PC_DROP_ARP_NOT_OURS:
		return owner_of_arp(m);
	case PC_DROP_IP6_NOT_OURS:
	case PC_DROP_ND_NOT_OURS:
		return is_probe6(m) ? BOTH : KERNEL;
	case PC_DROP_ETH_TYPE:
	case PC_DROP_ETH_VLAN:
	case PC_DROP_IP4_NOT_OURS:
	case PC_DROP_IP4_PROTOCOL:
	case PC_DROP_IP6_PROTOCOL:
	case PC_DROP_ICMP_ECHO_REPLY:
	case PC_DROP_ICMP_TYPE:
	case PC_DROP_ICMP_NO_MATCH:
	case PC_DROP_ICMP_DONE:
	case PC_DROP_UDP_NO_SOCKET:
	case PC_DROP_TCP_CLOSED:
	case PC_DROP_TCP_RST_STRAY:
		return KERNEL;
	case PC_DROP_ND_DONE: /* a solicitation for one of our addresses has been answered here */
		return is_solicit(m) ? OURS : BOTH;
	case PC_DROP_ND_UNASKED:
	case PC_DROP_ND_ROUTER:
	case PC_DROP_IGMP_IGNORED:
	case PC_DROP_IGMP_DONE:
		return BOTH;
	default:
		return OURS;
	}
}

/* For a packet to an address not in use here: says whether it is one of ours that is still subject
 * to duplicate address detection. The kernel, which has the address too, would answer that our
 * ports are closed. */
static bool is_for_us(const struct exception *e, const struct rte_mbuf *m, int verdict)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH_HDR_LEN);
	struct pc_addr dst;

	if (verdict == PC_DROP_IP4_NOT_OURS)
		dst = pc_addr_ip4(wire_get32_be(ip + IP4_DST_OFF));
	else if (verdict == PC_DROP_IP6_NOT_OURS)
		memcpy(&dst, ip + IP6_DST_OFF, sizeof(dst));
	else
		return false;
	return netifs_find(e->ifs, &dst) != LADDR_NONE;
}

/* A token bucket that holds a tenth of a second's frames. */
static bool may_pass(struct exception *e, const struct ctx *ctx)
{
	const uint64_t rate = ctx->cfg.exception_rate, most = rate / 10 + 1;
	const uint64_t due = RTE_MIN(ctx->now_ns - e->filled_ns, SECOND_NS) * rate;

	if (rate == 0)
		return true;
	if (due >= SECOND_NS) {
		e->left = (uint32_t)RTE_MIN(e->left + due / SECOND_NS, most);
		e->filled_ns = ctx->now_ns - due % SECOND_NS / rate;
	}
	if (e->left == 0)
		return false;
	e->left--;
	return true;
}

/* ---- to the kernel --------------------------------------------------------------------------- */

/* A frame may have two tags beside a packet of the MTU (QinQ), of VLANs that only the kernel has. */
static bool is_too_long(const struct exception *e, const struct rte_mbuf *m)
{
	return m->pkt_len > (uint32_t)e->kernel->info.mtu + ETH_HDR_LEN + 2 * VLAN_TAG_LEN;
}

static void drop_diverted(struct ctx *ctx, struct rte_mbuf *m, enum pc_counter why)
{
	ctx_count(ctx, (int)why);
	rte_pktmbuf_free(m);
}

/* Fragments a reassembled packet again. */
static void hand_pieces(struct exception *e, struct ctx *ctx, struct rte_mbuf *m)
{
	struct rte_mbuf *pieces[EXCEPTION_PIECES];
	const unsigned n = exception_cut(ctx, m, e->kernel->info.mtu, pieces);
	unsigned sent = 0;

	exception_flush(e, ctx); /* earlier frames first */
	if (n > 0)
		sent = e->kernel->ops->tx_burst(e->kernel, pieces, (uint16_t)n, ctx->now_ns);
	for (unsigned i = sent; i < n; i++)
		rte_pktmbuf_free(pieces[i]);
	ctx_add(ctx, PC_EXCEPTION_RX, sent);
	if (n == 0 || sent < n) {
		drop_diverted(ctx, m, PC_DROP_EXCEPTION_FULL);
		return;
	}
	ctx_count(ctx, PC_RX_TAKEN);
	rte_pktmbuf_free(m);
}

static void hand(struct exception *e, struct ctx *ctx, struct rte_mbuf *m)
{
	verify_complete(m);
	if (unlikely(is_too_long(e, m))) {
		hand_pieces(e, ctx, m);
		return;
	}
	mbuf_clear_offload(m);
	e->pkts[e->n++] = m;
	if (e->n == EXCEPTION_BURST)
		exception_flush(e, ctx);
}

bool exception_put(struct exception *e, struct ctx *ctx, struct rte_mbuf *m, int verdict)
{
	const enum owner owner = owner_of(m, verdict);

	if (owner == OURS || (owner == BOTH && !e->link) || is_for_us(e, m, verdict))
		return false;
	if (may_pass(e, ctx))
		hand(e, ctx, m);
	else
		drop_diverted(ctx, m, PC_DROP_EXCEPTION_RATE);
	return true;
}

void exception_put_arp(struct exception *e, struct ctx *ctx, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (!e->link || !is_arp_news(m))
		return;
	copy = may_pass(e, ctx) ? rte_pktmbuf_copy(m, ctx->pool, 0, UINT32_MAX) : NULL;
	if (copy != NULL && e->kernel->ops->tx_burst(e->kernel, &copy, 1, ctx->now_ns) == 1) {
		ctx_count(ctx, PC_EXCEPTION_RX);
		return;
	}
	rte_pktmbuf_free(copy);
	ctx_count(ctx, PC_EXCEPTION_LOST);
}

void exception_flush(struct exception *e, struct ctx *ctx)
{
	uint16_t sent;

	if (e->n == 0)
		return;
	sent = e->kernel->ops->tx_burst(e->kernel, e->pkts, e->n, ctx->now_ns);
	ctx_add(ctx, PC_RX_TAKEN, sent);
	ctx_add(ctx, PC_EXCEPTION_RX, sent);
	for (uint16_t i = sent; i < e->n; i++)
		drop_diverted(ctx, e->pkts[i], PC_DROP_EXCEPTION_FULL);
	e->n = 0;
}

/* ---- from the kernel ------------------------------------------------------------------------- */

unsigned exception_poll(struct exception *e, struct ctx *ctx)
{
	struct rte_mbuf *pkts[EXCEPTION_BURST];
	uint16_t n;

	/* frames that cannot be sent now wait in the kernel's queue */
	if (txq_is_busy(&e->netif->txq))
		return 0;
	n = e->kernel->ops->rx_burst(e->kernel, pkts, EXCEPTION_BURST / 2, ctx->now_ns);
	for (uint16_t i = 0; i < n; i++) {
		pkts[i]->ol_flags = 0;
		txq_put(&e->netif->txq, ctx, pkts[i]);
	}
	ctx_add(ctx, PC_EXCEPTION_TX, n);
	return n;
}
