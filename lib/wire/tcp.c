/* SPDX-License-Identifier: BSD-2-Clause */

/* TCP headers and options; see tcp.h. */

#include "wire/tcp.h"

#include <string.h>

#define OPT_EOL      0
#define OPT_NOP      1
#define OPT_MSS      2
#define OPT_WSCALE   3
#define OPT_SACKOK   4
#define OPT_SACK     5
#define OPT_TS       8
#define OPT_MD5      19
#define OPT_AO       29
#define OPT_FASTOPEN 34
#define OPT_ACCECN0  172
#define OPT_ACCECN1  174

#define LEN_MSS    4
#define LEN_WSCALE 3
#define LEN_SACKOK 2
#define LEN_TS     10
#define LEN_MD5    18
#define LEN_AO     4 /* plus the digest */
#define LEN_BLOCK  8 /* for each SACK block, after two bytes of kind and length */
#define LEN_COUNT  3 /* for each AccECN counter, likewise */

static void parse_sack(const uint8_t *p, unsigned blocks, struct tcp_seg *seg)
{
	seg->nb_sack = (uint8_t)blocks;
	for (unsigned i = 0; i < blocks; i++, p += LEN_BLOCK) {
		seg->sack[i].start = wire_get32(p);
		seg->sack[i].end = wire_get32(p + 4);
	}
	seg->has |= TCP_HAS_SACK;
}

/* RFC 7413 section 2: no cookie, or one of 4 to 16 bytes, an even number */
static void parse_fastopen(const uint8_t *p, unsigned len, struct tcp_seg *seg)
{
	if (len > TCP_COOKIE_MAX || len % 2 != 0 || (len > 0 && len < 4))
		return;
	seg->cookie_len = len & 31u;
	memcpy(seg->cookie, p, len);
	seg->has |= TCP_HAS_FASTOPEN;
}

/* RFC 9768 section 3.2.3: as many counters as are complete; the rest is ignored */
static void parse_accecn(const uint8_t *p, unsigned len, bool order1, struct tcp_seg *seg)
{
	unsigned n = len / LEN_COUNT;

	if (n > TCP_COUNTERS)
		n = TCP_COUNTERS;
	seg->accecn =
	    (n == 0 ? TCP_ACCECN_EMPTY : (order1 ? TCP_ACCECN_E1B : TCP_ACCECN_E0B) + n - 1) & 7u;
	for (unsigned i = 0; i < n; i++, p += LEN_COUNT)
		seg->counter[order1 ? TCP_E1B - i : i] =
		    (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Reads the option of len >= 2 bytes at p. An unknown kind, or a length that is invalid for its
 * kind, is ignored (RFC 9293 MUST-6, MUST-7). */
static void parse_tcp_option(const uint8_t *p, unsigned len, struct tcp_seg *seg)
{
	switch (p[0]) {
	case OPT_MSS:
		if (len == LEN_MSS) {
			seg->mss = wire_get16(p + 2);
			seg->has |= TCP_HAS_MSS;
		}
		break;
	case OPT_WSCALE:
		if (len == LEN_WSCALE) {
			seg->wscale = p[2];
			seg->has |= TCP_HAS_WSCALE;
		}
		break;
	case OPT_SACKOK:
		if (len == LEN_SACKOK)
			seg->has |= TCP_HAS_SACKOK;
		break;
	case OPT_SACK:
		if (len > 2 && (len - 2) % LEN_BLOCK == 0)
			parse_sack(p + 2, (len - 2) / LEN_BLOCK, seg);
		break;
	case OPT_TS:
		if (len == LEN_TS)
			tcp_parse_ts(p + 2, seg);
		break;
	case OPT_MD5:
	case OPT_AO: /* of any length: it is validated later */
		seg->has |= TCP_HAS_AUTH;
		break;
	case OPT_FASTOPEN:
		parse_fastopen(p + 2, len - 2, seg);
		break;
	case OPT_ACCECN0:
	case OPT_ACCECN1:
		parse_accecn(p + 2, len - 2, p[0] == OPT_ACCECN1, seg);
		break;
	}
}

/* Walks the options, which may begin at any offset (RFC 9293 MUST-64). */
void tcp_parse_options(const uint8_t *p, unsigned left, struct tcp_seg *seg)
{
	while (left > 0 && p[0] != OPT_EOL) {
		unsigned len = 1;

		if (p[0] != OPT_NOP) {
			if (left < 2 || p[1] < 2 || p[1] > left)
				return; /* the next one cannot be found */
			len = p[1];
			parse_tcp_option(p, len, seg);
		}
		p += len;
		left -= len;
	}
}

/* Returns the digest of the signature option at p, whose kind is in a; NULL: its length is
 * wrong. */
static const uint8_t *read_auth(const uint8_t *p, struct tcp_auth *a)
{
	if (p[0] == OPT_MD5)
		return p[1] == LEN_MD5 ? p + 2 : NULL;
	if (p[1] < LEN_AO)
		return NULL;
	a->len = (uint8_t)(p[1] - LEN_AO);
	a->keyid = p[2];
	a->rnext = p[3];
	return p + LEN_AO;
}

const uint8_t *tcp_find_auth(const uint8_t *p, unsigned hdr_len, struct tcp_auth *a)
{
	const uint8_t *found = NULL;

	for (unsigned at = TCP_HDR_LEN; at < hdr_len && p[at] != OPT_EOL;) {
		if (p[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (hdr_len - at < 2 || p[at + 1] < 2 || p[at + 1] > hdr_len - at)
			break; /* as tcp_parse_options */
		if (p[at] == OPT_MD5 || p[at] == OPT_AO) {
			if (found != NULL)
				return NULL;
			*a = (struct tcp_auth){.kind =
			                           p[at] == OPT_MD5 ? TCP_AUTH_MD5 : TCP_AUTH_AO};
			found = read_auth(p + at, a);
			if (found == NULL)
				return NULL;
		}
		at += p[at + 1];
	}
	return found;
}

/* The length of the options without SACK: always a multiple of 4. */
static unsigned fixed_options_len(const struct tcp_seg *s)
{
	const uint8_t has = s->has;
	unsigned len = 0;

	if ((has & TCP_HAS_AUTH) != 0)
		len += tcp_auth_space(&s->auth);
	if ((has & TCP_HAS_MSS) != 0)
		len += LEN_MSS;
	if ((has & TCP_HAS_TS) != 0)
		len += TCP_NOP_NOP_TS_LEN; /* SACK-permitted replaces the two NOPs */
	else if ((has & TCP_HAS_SACKOK) != 0)
		len += 4;
	if ((has & TCP_HAS_WSCALE) != 0)
		len += 4;
	if ((has & TCP_HAS_FASTOPEN) != 0)
		len += (2u + s->cookie_len + 3) & ~3u;
	return len + tcp_accecn_space(s->accecn);
}

/* How many SACK blocks fit after the other options; NOP NOP kind length take four bytes. */
static unsigned sack_blocks(const struct tcp_seg *s, unsigned options_len)
{
	const unsigned used = options_len + 4;
	const unsigned room = used < TCP_OPTIONS_MAX ? (TCP_OPTIONS_MAX - used) / LEN_BLOCK : 0;

	if ((s->has & TCP_HAS_SACK) == 0)
		return 0;
	return s->nb_sack < room ? s->nb_sack : room;
}

uint16_t tcp_hdr_len(const struct tcp_seg *s)
{
	const unsigned fixed = fixed_options_len(s);
	const unsigned blocks = sack_blocks(s, fixed);

	return (uint16_t)(TCP_HDR_LEN + fixed + (blocks > 0 ? 4 + blocks * LEN_BLOCK : 0));
}

static uint8_t *write_kind(uint8_t *p, uint8_t first, uint8_t second, uint8_t kind, uint8_t len)
{
	p[0] = first;
	p[1] = second;
	p[2] = kind;
	p[3] = len;
	return p + 4;
}

static uint8_t *write_auth(uint8_t *p, const struct tcp_auth *a)
{
	const unsigned len = a->kind == TCP_AUTH_MD5 ? TCP_MD5_LEN : a->len;
	uint8_t *end = p + tcp_auth_space(a);

	p = a->kind == TCP_AUTH_MD5
	        ? write_kind(p, OPT_NOP, OPT_NOP, OPT_MD5, LEN_MD5)
	        : write_kind(p, OPT_AO, (uint8_t)(LEN_AO + len), a->keyid, a->rnext);
	memset(p, 0, len);
	memset(p + len, OPT_NOP, (size_t)(end - p) - len);
	return end;
}

static uint8_t *write_fastopen(uint8_t *p, const struct tcp_seg *s)
{
	if (s->cookie_len % 4 == 0) {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
	}
	*p++ = OPT_FASTOPEN;
	*p++ = (uint8_t)(2 + s->cookie_len);
	memcpy(p, s->cookie, s->cookie_len);
	return p + s->cookie_len;
}

static uint8_t *write_accecn(uint8_t *p, const struct tcp_seg *s)
{
	const unsigned n = tcp_accecn_fields(s->accecn), len = 2 + LEN_COUNT * n;
	const bool order1 = s->accecn >= TCP_ACCECN_E1B;

	for (unsigned pad = tcp_accecn_space(s->accecn) - len; pad > 0; pad--)
		*p++ = OPT_NOP;
	*p++ = order1 ? OPT_ACCECN1 : OPT_ACCECN0;
	*p++ = (uint8_t)len;
	for (unsigned i = 0; i < n; i++, p += LEN_COUNT) {
		const uint32_t v = s->counter[order1 ? TCP_E1B - i : i];

		p[0] = (uint8_t)(v >> 16);
		wire_put16(p + 1, (uint16_t)v);
	}
	return p;
}

static uint8_t *write_fixed_options(uint8_t *p, const struct tcp_seg *s)
{
	uint64_t sum = 0;

	if ((s->has & TCP_HAS_AUTH) != 0)
		p = write_auth(p, &s->auth);
	p = tcp_write_usual_options(p, s, &sum);
	if ((s->has & TCP_HAS_FASTOPEN) != 0)
		p = write_fastopen(p, s);
	if (s->accecn != TCP_ACCECN_NONE)
		p = write_accecn(p, s);
	return p;
}

static uint8_t *write_sack(uint8_t *p, const struct tcp_seg *s, unsigned blocks)
{
	p = write_kind(p, OPT_NOP, OPT_NOP, OPT_SACK, (uint8_t)(2 + blocks * LEN_BLOCK));
	for (unsigned i = 0; i < blocks; i++, p += LEN_BLOCK) {
		wire_put32(p, s->sack[i].start);
		wire_put32(p + 4, s->sack[i].end);
	}
	return p;
}

uint16_t tcp_write(uint8_t *p, const struct tcp_seg *s)
{
	uint8_t *end = p + TCP_HDR_LEN;
	unsigned blocks;

	wire_put16(p, s->sport);
	wire_put16(p + 2, s->dport);
	wire_put32(p + 4, s->seq);
	wire_put32(p + 8, s->ack);
	p[13] = s->flags;
	wire_put16(p + 14, s->wnd);
	wire_put16_be(p + TCP_CKSUM_OFF, 0);
	wire_put16(p + 18, s->urg);
	if (s->has != 0 || s->accecn != TCP_ACCECN_NONE) {
		end = write_fixed_options(end, s);
		blocks = sack_blocks(s, (unsigned)(end - p) - TCP_HDR_LEN);
		if (blocks > 0)
			end = write_sack(end, s, blocks);
	}
	p[12] = (uint8_t)((end - p) / 4 << 4 | s->has >> 7);
	return (uint16_t)(end - p);
}
