/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragmenting a frame; see exception_cut.h. */
#include "stack/exception_cut.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define PIECE_MAX 1500u /* bytes; fits in any mbuf */

/* The headers that all pieces begin with, Ethernet's first; IPv6's fragment header follows them. */
struct head {
	uint8_t b[ETH_HDR_LEN + IP4_HDR_MAX + IP6_FRAG_LEN];
	uint32_t len, ip_len; /* bytes in all, and of the IP header alone */
	uint32_t id;          /* IPv6 */
	bool ip6;
};

/* Reads the headers of a frame. Returns false if it is not a packet that can be fragmented. */
static bool read_head(struct ctx *ctx, const struct rte_mbuf *m, struct head *h)
{
	uint8_t *ip = h->b + ETH_HDR_LEN;

	if (m->data_len < ETH_HDR_LEN + IP4_HDR_LEN)
		return false;
	memcpy(h->b, rte_pktmbuf_mtod(m, const uint8_t *),
	       RTE_MIN((size_t)m->data_len, sizeof(h->b)));
	h->ip6 = wire_get16(h->b + 2 * ETH_ADDR_LEN) == ETH_TYPE_IP6;
	if (!h->ip6 && wire_get16(h->b + 2 * ETH_ADDR_LEN) != ETH_TYPE_IP4)
		return false;
	h->ip_len = h->ip6 ? IP6_HDR_LEN : (ip[0] & 0x0fu) * 4;
	h->len = ETH_HDR_LEN + h->ip_len;
	if (h->ip_len < IP4_HDR_LEN || m->data_len < h->len)
		return false;
	if (!h->ip6)
		return true;
	/* headers that every router must process precede the fragment header */
	if (ip[IP6_NEXT_OFF] == IP6_EXT_HOP || ip[IP6_NEXT_OFF] == IP6_EXT_RH)
		return false;
	h->id = (uint32_t)rng_next(&ctx->rng);
	h->len += IP6_FRAG_LEN;
	return true;
}

static void write_head4(uint8_t *ip, const struct head *h, uint32_t off, uint32_t n, bool more)
{
	wire_put16(ip + 2, (uint16_t)(h->ip_len + n));
	wire_put16(ip + 6, (uint16_t)((more ? IP4_FRAG_MF : 0) | off / 8));
	wire_put16_be(ip + IP4_CKSUM_OFF, 0);
	wire_put16_be(ip + IP4_CKSUM_OFF, cksum_finish_be(cksum_add(0, ip, h->ip_len)));
}

static void write_head6(uint8_t *ip, const struct head *h, uint32_t off, uint32_t n, bool more)
{
	uint8_t *frag = ip + IP6_HDR_LEN;

	frag[0] = ip[IP6_NEXT_OFF];
	frag[1] = 0;
	wire_put16(frag + 2, (uint16_t)(off | more));
	wire_put32(frag + 4, h->id);
	ip[IP6_NEXT_OFF] = IP6_EXT_FRAG;
	wire_put16(ip + 4, (uint16_t)(IP6_FRAG_LEN + n));
}

/* Makes the piece with n bytes of payload from offset off on; the payload begins at the frame's
 * byte at. */
static struct rte_mbuf *make_piece(struct ctx *ctx, const struct rte_mbuf *m, const struct head *h,
                                   uint32_t at, uint32_t off, uint32_t n)
{
	const bool more = at + off + n < m->pkt_len;
	struct rte_mbuf *piece = ctx_mbuf(ctx);
	const void *from;
	uint8_t *p;

	if (piece == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(piece, (uint16_t)(h->len + n));
	if (p == NULL) {
		rte_pktmbuf_free(piece);
		return NULL;
	}
	memcpy(p, h->b, h->len);
	if (h->ip6)
		write_head6(p + ETH_HDR_LEN, h, off, n, more);
	else
		write_head4(p + ETH_HDR_LEN, h, off, n, more);
	from = rte_pktmbuf_read(m, at + off, n, p + h->len);
	if (from != p + h->len)
		memcpy(p + h->len, from, n);
	return piece;
}

unsigned exception_cut(struct ctx *ctx, const struct rte_mbuf *m, uint16_t mtu,
                       struct rte_mbuf *pieces[EXCEPTION_PIECES])
{
	const uint32_t frame = RTE_MIN((uint32_t)mtu, PIECE_MAX) + ETH_HDR_LEN;
	struct head h;
	uint32_t at, room;
	unsigned nb = 0;

	if (!read_head(ctx, m, &h) || frame < h.len + 8)
		return 0;
	at = ETH_HDR_LEN + h.ip_len;
	room = (frame - h.len) / 8 * 8;
	for (uint32_t off = 0; at + off < m->pkt_len; off += room) {
		if (nb < EXCEPTION_PIECES)
			pieces[nb] =
			    make_piece(ctx, m, &h, at, off, RTE_MIN(room, m->pkt_len - at - off));
		if (nb == EXCEPTION_PIECES || pieces[nb] == NULL) {
			while (nb > 0)
				rte_pktmbuf_free(pieces[--nb]);
			return 0;
		}
		nb++;
	}
	return nb;
}
