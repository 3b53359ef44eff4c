/* SPDX-License-Identifier: BSD-2-Clause */

/* What is signed (RFC 2385 section 2.0, RFC 5925 section 5.1), and the derivation of keys (RFC
 * 5926). */

#include <netinet/in.h>
#include <string.h>

#include <percore/tcp_ao.h>

#include "tcp/auth_key.h"

/* ---- pieces ----------------------------------------------------------------------------------- */

/* The pseudo-header; for IPv6 that of RFC 8200 section 8.1. */
static void add_addresses(struct mac *c, const struct pc_addr *src, const struct pc_addr *dst,
                          uint32_t len)
{
	uint8_t rest[8] = {0};

	if (pc_addr_is_ip4(dst)) {
		mac_update(c, &src->b[12], 4);
		mac_update(c, &dst->b[12], 4);
		rest[1] = IPPROTO_TCP;
		wire_put16(rest + 2, (uint16_t)len);
		mac_update(c, rest, 4);
		return;
	}
	mac_update(c, src->b, sizeof(*src));
	mac_update(c, dst->b, sizeof(*dst));
	wire_put32(rest, len);
	rest[7] = IPPROTO_TCP;
	mac_update(c, rest, sizeof(rest));
}

static void add_text(struct mac *c, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	for (; m != NULL && len > 0; m = m->next) {
		const uint32_t here = off < m->data_len ? RTE_MIN(m->data_len - off, len) : 0;

		mac_update(c, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), here);
		off = off > m->data_len ? off - m->data_len : 0;
		len -= here;
	}
}

/* The header with a checksum of 0 and, if there is a TCP-AO digest at offset digest (0: none)
 * within len, with zeros in its place. */
static void add_header(struct mac *c, const uint8_t *header, unsigned len, unsigned digest,
                       unsigned digest_len)
{
	uint8_t h[TCP_HDR_MAX];

	memcpy(h, header, len);
	wire_put16(h + TCP_CKSUM_OFF, 0);
	if (digest != 0 && digest + digest_len <= len)
		memset(h + digest, 0, digest_len);
	mac_update(c, h, len);
}

/* ---- TCP-MD5 ---------------------------------------------------------------------------------- */

/* "1. the TCP pseudo-header [...] 2. the TCP header, excluding options, and assuming a checksum of zero 3. the TCP segment
 * data (if any) 4. an independently-specified key or password" */
static void digest_md5(const struct auth_key *key, const struct pc_addr *src,
                       const struct pc_addr *dst, const struct rte_mbuf *m, uint32_t off,
                       uint32_t len, uint8_t *digest)
{
	const uint8_t *header = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
	const uint32_t hdr_len = (header[12] >> 4) * 4u;
	struct mac c;

	mac_begin(&c, MAC_MD5, NULL, 0);
	add_addresses(&c, src, dst, len);
	add_header(&c, header, TCP_HDR_LEN, 0, 0);
	add_text(&c, m, off + hdr_len, len - hdr_len);
	mac_update(&c, key->bytes, key->len);
	mac_end(&c, digest, TCP_MD5_LEN);
}

/* ---- TCP-AO ----------------------------------------------------------------------------------- */

/* RFC 5926 section 3.1: both KDFs have one round, and their input differs only in the output
 * length */
static void derive(const struct auth_key *key, const struct pc_addr *from, const struct pc_addr *to,
                   const uint8_t ports[4], uint32_t isn, uint32_t peer_isn, uint8_t *traffic)
{
	const unsigned len = mac_size((enum mac_alg)key->alg);
	const size_t addr_len = pc_addr_is_ip4(to) ? 4 : 16;
	uint8_t rest[4 + 8 + 2];
	struct mac c;

	mac_begin(&c, (enum mac_alg)key->alg, key->bytes, key->len);
	mac_update(&c, "\1TCP-AO", 7);
	mac_update(&c, from->b + 16 - addr_len, addr_len);
	mac_update(&c, to->b + 16 - addr_len, addr_len);
	memcpy(rest, ports, 4);
	wire_put32(rest + 4, isn);
	wire_put32(rest + 8, peer_isn);
	wire_put16(rest + 12, (uint16_t)(8 * len));
	mac_update(&c, rest, sizeof(rest));
	mac_end(&c, traffic, len);
}

void auth_derive(struct tcp *tcp, const struct tcb *t, const struct auth_socket *s,
                 struct auth_key *k)
{
	const struct pc_addr *laddr = ip_laddr(tcp->ip, t->flow.laddr);
	uint8_t out[4], in[4];

	wire_put16(out, t->flow.lport);
	wire_put16(out + 2, t->flow.rport);
	wire_put16(in, t->flow.rport);
	wire_put16(in + 2, t->flow.lport);
	derive(k, laddr, &t->flow.raddr, out, s->iss, s->irs, k->traffic[AUTH_OUT]);
	derive(k, &t->flow.raddr, laddr, in, s->irs, s->iss, k->traffic[AUTH_IN]);
}

void auth_prepare(struct auth_key *k)
{
	static const uint8_t zero[MAC_CMAC_KEY];
	struct mac c;

	if (k->alg != MAC_CMAC_AES128 || k->len == MAC_CMAC_KEY)
		return;
	mac_begin(&c, MAC_CMAC_AES128, zero, sizeof(zero));
	mac_update(&c, k->bytes, k->len);
	explicit_bzero(k->bytes, sizeof(k->bytes));
	mac_end(&c, k->bytes, MAC_CMAC_KEY);
	k->len = MAC_CMAC_KEY;
}

/* RFC 5925 section 5.1: the sequence number extension, the pseudo-header, the header with all
 * options or only that of TCP-AO, and the data. at: the offset of the digest in the header. */
static void digest_ao(const struct auth_by *by, const struct pc_addr *src,
                      const struct pc_addr *dst, const struct rte_mbuf *m, uint32_t off,
                      uint32_t len, unsigned at, uint8_t *digest)
{
	const struct auth_key *key = by->key;
	const uint8_t *header = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
	const uint32_t hdr_len = (header[12] >> 4) * 4u, seq = wire_get32(header + 4);
	const bool is_syn = (header[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	const uint8_t *traffic = by->traffic;
	uint8_t own[MAC_SIZE_MAX], sne[4], option[4 + AUTH_MAC_MAX] = {0};
	struct mac c;

	if (is_syn || traffic == NULL) {
		derive(key, src, dst, header, is_syn ? seq : by->isn, is_syn ? 0 : by->peer_isn,
		       own);
		traffic = own;
	}
	wire_put32(sne, is_syn ? 0 : (uint32_t)(auth_extend(by->seq, seq) >> 32));
	mac_begin(&c, (enum mac_alg)key->alg, traffic, mac_size((enum mac_alg)key->alg));
	mac_update(&c, sne, sizeof(sne));
	add_addresses(&c, src, dst, len);
	if (key->flags & TCP_AO_KEYF_EXCLUDE_OPT) {
		add_header(&c, header, TCP_HDR_LEN, 0, 0);
		memcpy(option, header + at - 4, 4);
		mac_update(&c, option, 4u + key->mac_len);
	} else {
		add_header(&c, header, hdr_len, at, key->mac_len);
	}
	add_text(&c, m, off + hdr_len, len - hdr_len);
	mac_end(&c, digest, key->mac_len);
	explicit_bzero(own, sizeof(own));
}

/* ---- both ------------------------------------------------------------------------------------- */

static unsigned digest_of(const struct auth_by *by, const struct pc_addr *src,
                          const struct pc_addr *dst, const struct rte_mbuf *m, uint32_t off,
                          uint32_t len, unsigned at, uint8_t *digest)
{
	if (by->key->kind == AUTH_MD5) {
		digest_md5(by->key, src, dst, m, off, len, digest);
		return TCP_MD5_LEN;
	}
	digest_ao(by, src, dst, m, off, len, at, digest);
	return by->key->mac_len;
}

bool auth_verify(const struct auth_by *by, const struct pc_addr *src, const struct pc_addr *dst,
                 const struct rte_mbuf *m, uint32_t off, uint32_t len, const uint8_t *told)
{
	const unsigned at = (unsigned)(told - rte_pktmbuf_mtod_offset(m, const uint8_t *, off));
	uint8_t digest[MAC_SIZE_MAX];

	return mac_equal(digest, told, digest_of(by, src, dst, m, off, len, at, digest));
}

void auth_put(const struct auth_by *by, struct tcp_seg *s)
{
	s->has |= TCP_HAS_AUTH;
	s->auth = (struct tcp_auth){.kind = TCP_AUTH_MD5};
	if (by->key->kind == AUTH_AO)
		s->auth = (struct tcp_auth){.kind = TCP_AUTH_AO,
		                            .len = by->key->mac_len,
		                            .keyid = by->key->snd_id,
		                            .rnext = by->rnext};
}

void auth_sign(const struct auth_by *by, const struct pc_addr *src, const struct pc_addr *dst,
               struct rte_mbuf *m)
{
	uint8_t digest[MAC_SIZE_MAX];
	const unsigned len = digest_of(by, src, dst, m, 0, m->pkt_len, TCP_AUTH_OFF, digest);

	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, TCP_AUTH_OFF), digest, len);
}
