/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragment output, and identifications.
 *
 * A packet that is too large for its path is copied into fragments: large datagrams are not a
 * server's fast path, and copying keeps every frame in a single mbuf, as devices prefer.
 *
 * Identifications (RFC 6864, RFC 7739 section 5.3): a keyed function of addresses and protocol,
 * plus one of 256 counters, chosen by another part of that function.  So no identification recurs
 * too soon at a host, and a receiver cannot tell from its own how many are sent to others.  Packets
 * that cannot be fragmented have none.
 */

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ip/frag.h"
#include "ip/output.h"
#include "wire/cksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

uint32_t ip_make_id(struct ip *ip, const struct ip_send *s)
{
	const uint64_t v[5] = {s->src.q[0], s->src.q[1], s->dst.q[0], s->dst.q[1], s->proto};
	const uint64_t h = pc_siphash24(&ip->id_key, v, sizeof(v));

	return (uint32_t)h + ip->id_count[h >> 56]++;
}

/* Where in a packet copying continues. */
struct cursor {
	const struct rte_mbuf *m;
	uint32_t off;
};

/* Appends len bytes at the cursor to a packet. Returns false if there is no mbuf. */
static bool copy_piece(struct ctx *ctx, struct cursor *c, struct rte_mbuf *to, uint32_t len)
{
	struct rte_mbuf *last = to;

	while (len > 0) {
		uint32_t n = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(last));

		if (n == 0) {
			last->next = ctx_mbuf(ctx);
			if (last->next == NULL)
				return false;
			last = last->next;
			to->nb_segs++;
			continue;
		}
		while (c->off == c->m->data_len)
			*c = (struct cursor){.m = c->m->next};
		n = RTE_MIN(n, c->m->data_len - c->off);
		memcpy(rte_pktmbuf_mtod_offset(last, char *, last->data_len),
		       rte_pktmbuf_mtod_offset(c->m, const char *, c->off), n);
		last->data_len = (uint16_t)(last->data_len + n);
		to->pkt_len += n;
		c->off += n;
		len -= n;
	}
	return true;
}

/* The port cannot compute a checksum across fragments. */
static void finish_checksum(struct rte_mbuf *m)
{
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, UDP_CKSUM_OFF);

	if ((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == 0)
		return;
	assert((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM);
	wire_put16_be(field, cksum_finish_udp_be(cksum_add_mbuf(0, m, 0, m->pkt_len)));
}

/* What the pieces of a packet have in common. */
struct cut {
	const struct ip_path *path;
	const struct ip_send *s;
	uint32_t id, label;
	uint32_t total; /* bytes of payload */
};

static void send_piece(struct ip *ip, const struct cut *cut, struct rte_mbuf *m, uint32_t off)
{
	const bool more = off + m->pkt_len < cut->total;
	uint8_t *p;

	ctx_count(ip->ctx, PC_IP_FRAGMENTS_TX);
	if (pc_addr_is_ip4(&cut->s->dst)) {
		ip4_push(ip, cut->path, cut->s, m,
		         cut->id << 16 | (more ? IP4_FRAG_MF : 0) | off / 8);
		return;
	}
	p = (uint8_t *)rte_pktmbuf_prepend(m, IP6_FRAG_LEN);
	assert(p != NULL);
	p[0] = cut->s->proto;
	p[1] = 0;
	wire_put16(p + 2, (uint16_t)(off | more));
	wire_put32(p + 4, cut->id);
	ip6_push(ip, cut->path, cut->s, m, IP6_EXT_FRAG, cut->label);
}

void ip_fragment(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                 struct rte_mbuf *m)
{
	const bool ip4 = pc_addr_is_ip4(&s->dst);
	const uint32_t headers = ip4 ? IP4_HDR_LEN : IP6_HDR_LEN + IP6_FRAG_LEN;
	const uint32_t room = path->mtu < headers + 8 ? 0 : (path->mtu - headers) / 8 * 8;
	const struct cut cut = {.path = path,
	                        .s = s,
	                        .id = ip_make_id(ip, s),
	                        .label = ip4 ? 0 : ip6_label_of(ip, s, m),
	                        .total = m->pkt_len};
	struct cursor c = {.m = m};

	if (room == 0 || s->df ||
	    m->pkt_len > (ip4 ? IP4_TOTAL_MAX - IP4_HDR_LEN : IP6_PAYLOAD_MAX)) {
		ip_drop(ip, m, PC_TX_TOO_BIG);
		return;
	}
	finish_checksum(m);
	ctx_count(ip->ctx, PC_IP_FRAGMENTED);
	for (uint32_t off = 0, n; off < cut.total; off += n) {
		struct rte_mbuf *piece = ctx_mbuf(ip->ctx);

		n = RTE_MIN(room, cut.total - off);
		if (piece == NULL || !copy_piece(ip->ctx, &c, piece, n)) {
			rte_pktmbuf_free(piece);
			break;
		}
		send_piece(ip, &cut, piece, off);
	}
	rte_pktmbuf_free(m);
}
