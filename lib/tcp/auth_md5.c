/* SPDX-License-Identifier: BSD-2-Clause */

/* The signature of a segment (RFC 2385 section 2.0), by nettle: its contexts stand on the stack, and nothing allocates. */

#include "tcp/auth.h"

#include <netinet/in.h>
#include <string.h>

#include <nettle/md5.h>
#include <nettle/memops.h>

bool auth_is_there(void)
{
	return true;
}

/* "1. the TCP pseudo-header (in the order: source IP address, destination IP address, zero-padded protocol number, and
 * segment length)"; of IPv6 that of RFC 8200 section 8.1 */
static void add_addresses(struct md5_ctx *ctx, const struct pc_addr *src, const struct pc_addr *dst,
                          uint32_t len)
{
	uint8_t rest[8] = {0};

	if (pc_addr_is_ip4(dst)) {
		md5_update(ctx, 4, &src->b[12]);
		md5_update(ctx, 4, &dst->b[12]);
		rest[1] = IPPROTO_TCP;
		wire_put16(rest + 2, (uint16_t)len);
		md5_update(ctx, 4, rest);
		return;
	}
	md5_update(ctx, sizeof(*src), src->b);
	md5_update(ctx, sizeof(*dst), dst->b);
	wire_put32(rest, len);
	rest[7] = IPPROTO_TCP;
	md5_update(ctx, sizeof(rest), rest);
}

/* "2. the TCP header, excluding options, and assuming a checksum of zero" */
static void add_header(struct md5_ctx *ctx, const uint8_t *header)
{
	uint8_t h[TCP_HDR_LEN];

	memcpy(h, header, sizeof(h));
	wire_put16(h + TCP_CKSUM_OFF, 0);
	md5_update(ctx, sizeof(h), h);
}

/* "3. the TCP segment data (if any)" */
static void add_text(struct md5_ctx *ctx, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	for (; m != NULL && len > 0; m = m->next) {
		const uint32_t here = off < m->data_len ? RTE_MIN(m->data_len - off, len) : 0;

		md5_update(ctx, here, rte_pktmbuf_mtod_offset(m, const uint8_t *, off));
		off = off > m->data_len ? off - m->data_len : 0;
		len -= here;
	}
}

static void sum_up(const struct auth_key *key, const struct pc_addr *src, const struct pc_addr *dst,
                   const struct rte_mbuf *m, uint32_t off, uint32_t len, uint8_t *digest)
{
	const uint8_t *header = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
	const uint32_t hdr_len = (header[12] >> 4) * 4u;
	struct md5_ctx ctx;

	md5_init(&ctx);
	add_addresses(&ctx, src, dst, len);
	add_header(&ctx, header);
	add_text(&ctx, m, off + hdr_len, len - hdr_len);
	md5_update(&ctx, key->len,
	           key->bytes); /* "4. an independently-specified key or password" */
	md5_digest(&ctx, TCP_MD5_LEN, digest);
	explicit_bzero(&ctx, sizeof(ctx));
}

bool auth_verify(const struct auth_key *key, const struct pc_addr *src, const struct pc_addr *dst,
                 const struct rte_mbuf *m, uint32_t off, uint32_t len, const uint8_t *told)
{
	uint8_t digest[TCP_MD5_LEN];

	sum_up(key, src, dst, m, off, len, digest);
	return memeql_sec(digest, told, sizeof(digest)) != 0;
}

void auth_sign(const struct auth_key *key, const struct pc_addr *src, const struct pc_addr *dst,
               struct rte_mbuf *m)
{
	sum_up(key, src, dst, m, 0, m->pkt_len, rte_pktmbuf_mtod_offset(m, uint8_t *, TCP_MD5_OFF));
}
