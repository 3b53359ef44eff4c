/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

/* TCP headers and options (RFC 9293 section 3.1, RFC 7323, RFC 2018, RFC 9768). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define TCP_HDR_LEN     20
#define TCP_HDR_MAX     60
#define TCP_SACK_BLOCKS 4

/* options that were present */
#define TCP_HAS_MSS      0x01
#define TCP_HAS_WSCALE   0x02
#define TCP_HAS_TS       0x04
#define TCP_HAS_SACKOK   0x08
#define TCP_HAS_SACK     0x10
#define TCP_HAS_FASTOPEN 0x20
#define TCP_HAS_AUTH     0x40 /* a signature (RFC 2385, RFC 5925): see tcp_find_auth */
#define TCP_HAS_AE       0x80 /* not an option: the ninth flag (RFC 9768) */

#define TCP_COOKIE_MAX  16 /* bytes of a Fast Open cookie (RFC 7413 section 2) */
#define TCP_OPTIONS_MAX (TCP_HDR_MAX - TCP_HDR_LEN)

/** The byte counters of Accurate ECN (RFC 9768 section 3.2.3); the order is that of AccECN0. */
enum tcp_counter { TCP_E0B, TCP_CEB, TCP_E1B, TCP_COUNTERS };

#define TCP_COUNTER_MASK 0xffffffu /* they have 24 bits */

/** Which counters an option has, from the first on; AccECN1 has them in reverse order. */
enum tcp_accecn {
	TCP_ACCECN_NONE, /* no such option */
	TCP_ACCECN_EMPTY,
	TCP_ACCECN_E0B,
	TCP_ACCECN_E0B_CEB,
	TCP_ACCECN_0, /* all, AccECN0 */
	TCP_ACCECN_E1B,
	TCP_ACCECN_E1B_CEB,
	TCP_ACCECN_1, /* all, AccECN1 */
};

/** tcp_accecn_fields returns the number of counters. */
static inline unsigned tcp_accecn_fields(unsigned accecn)
{
	return accecn < TCP_ACCECN_E0B ? 0 : (accecn - TCP_ACCECN_E0B) % TCP_COUNTERS + 1;
}

/** tcp_accecn_has says whether an option has a counter. */
static inline bool tcp_accecn_has(unsigned accecn, enum tcp_counter c)
{
	const unsigned place = accecn < TCP_ACCECN_E1B ? c : TCP_E1B - c;

	return place < tcp_accecn_fields(accecn);
}

/** tcp_accecn_space returns the length of the option with its padding. */
static inline unsigned tcp_accecn_space(unsigned accecn)
{
	return accecn == TCP_ACCECN_NONE ? 0 : (2 + 3 * tcp_accecn_fields(accecn) + 3) & ~3u;
}

/** A signature option without its digest. */
struct tcp_auth {
	uint8_t kind;         /* TCP_AUTH_* */
	uint8_t len;          /* of TCP-AO: length of the digest */
	uint8_t keyid, rnext; /* of TCP-AO: KeyID and RNextKeyID (RFC 5925 section 2.2) */
};

enum { TCP_AUTH_MD5, TCP_AUTH_AO };

#define TCP_MD5_LEN  16 /* length of an RFC 2385 digest */
#define TCP_AUTH_OFF 24 /* where tcp_write leaves room for a digest of either kind */

/** tcp_auth_space returns the length of the option with its padding. */
static inline unsigned tcp_auth_space(const struct tcp_auth *a)
{
	return a->kind == TCP_AUTH_MD5 ? 20 : (4u + a->len + 3) & ~3u;
}

/** A segment's header in host byte order. */
struct tcp_seg {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint32_t len; /* payload bytes */
	uint16_t wnd; /* as on the wire, not scaled */
	uint16_t urg;
	uint8_t flags;   /* TCP_FIN .. TCP_CWR */
	uint8_t hdr_len; /* bytes, including options */
	/* fields that are nearly always 0 are adjacent, so that one store clears them */
	uint16_t mss;
	uint8_t has;    /* TCP_HAS_* */
	uint8_t wscale; /* as on the wire */
	uint8_t nb_sack;
	uint8_t cookie_len : 5; /* with TCP_HAS_FASTOPEN; 0: asks for one */
	uint8_t accecn : 3;     /* enum tcp_accecn */
	uint32_t tsval, tsecr;
	struct {
		uint32_t start, end;
	} sack[TCP_SACK_BLOCKS];
	uint32_t counter[TCP_COUNTERS]; /* with accecn, those that the option has */
	uint8_t cookie[TCP_COOKIE_MAX];
	struct tcp_auth auth; /* with TCP_HAS_AUTH, for tcp_write; not set by tcp_parse */
};

/* The beginning of the options of nearly all segments with timestamps (RFC 7323 appendix A). */
#define TCP_NOP_NOP_TS     0x0101080a
#define TCP_NOP_NOP_TS_LEN 12

/* The parts of tcp_parse for options. */
void tcp_parse_options(const uint8_t *p, unsigned left, struct tcp_seg *seg);

static inline void tcp_parse_ts(const uint8_t *p, struct tcp_seg *seg)
{
	seg->tsval = wire_get32(p);
	seg->tsecr = wire_get32(p + 4);
	seg->has |= TCP_HAS_TS;
}

/**
 * tcp_parse reads the header at p; len is the length of the whole segment, of which at least
 * min(len, 60) bytes are at p. An option whose length is below 2 or runs past the header ends the
 * list; one whose length is wrong for its kind is skipped (RFC 9293 MUST-7). Options are read in
 * any segment (MUST-5): TCP decides whether they are meaningful there. If an option occurs twice,
 * the last one counts; fields not in seg->has are 0, except the SACK blocks, the counters and the
 * Fast Open cookie. Returns the header's length in bytes, WIRE_SHORT or WIRE_HEADER.
 */
static inline int tcp_parse(const uint8_t *p, uint32_t len, struct tcp_seg *seg)
{
	unsigned hdr_len;
	uint32_t ports;

	if (len < TCP_HDR_LEN)
		return WIRE_SHORT;
	hdr_len = (p[12] >> 4) * 4u;
	if (hdr_len < TCP_HDR_LEN || hdr_len > len)
		return WIRE_HEADER;
	ports = wire_get32(p);
	seg->sport = (uint16_t)(ports >> 16);
	seg->dport = (uint16_t)ports;
	seg->seq = wire_get32(p + 4);
	seg->ack = wire_get32(p + 8);
	seg->len = len - hdr_len;
	seg->wnd = wire_get16(p + 14);
	seg->urg = wire_get16(p + 18);
	seg->flags = p[13];
	seg->hdr_len = (uint8_t)hdr_len;
	seg->mss = 0;
	seg->has = (uint8_t)(p[12] << 7); /* TCP_HAS_AE */
	seg->wscale = 0;
	seg->nb_sack = 0;
	seg->cookie_len = 0;
	seg->accecn = 0;
	seg->tsval = 0;
	seg->tsecr = 0;
	if (hdr_len == TCP_HDR_LEN + TCP_NOP_NOP_TS_LEN &&
	    wire_get32(p + TCP_HDR_LEN) == TCP_NOP_NOP_TS)
		tcp_parse_ts(p + TCP_HDR_LEN + 4, seg);
	else if (hdr_len > TCP_HDR_LEN)
		tcp_parse_options(p + TCP_HDR_LEN, hdr_len - TCP_HDR_LEN, seg);
	return (int)hdr_len;
}

/** tcp_find_auth finds the digest in a header of hdr_len bytes that has TCP_HAS_AUTH, and fills in
 * a. Returns NULL if there are several, or the option's length is wrong; then a->kind is that of
 * the first one. */
const uint8_t *tcp_find_auth(const uint8_t *p, unsigned hdr_len, struct tcp_auth *a);

/**
 * tcp_write writes the header that s describes (sport to urg, the options in s->has, and as many
 * SACK blocks as fit) with checksum 0. p must have room for TCP_HDR_MAX bytes. Returns its length,
 * a multiple of 4. The order is: a signature, with zeros as the digest, at TCP_AUTH_OFF; MSS,
 * SACK-permitted, timestamps, window scale, Fast Open, AccECN, SACK. Odd lengths are padded by NOPs
 * before the option, as in all stacks, so that NOP NOP TS is at a fixed place in segments without
 * SYN.
 */
uint16_t tcp_write(uint8_t *p, const struct tcp_seg *s);

/* The options of nearly all segments with SYN, and of most others. */
#define TCP_USUAL_OPTIONS (TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACKOK)

/* The beginnings of those of a SYN. */
#define TCP_MSS_4          0x02040000
#define TCP_SACKOK_TS      0x0402080a
#define TCP_NOP_NOP_SACKOK 0x01010402
#define TCP_NOP_WSCALE     0x01030300

/* Writes a word, and adds it to the sum of words in memory order; returns the end. */
static inline uint8_t *tcp_put_word(uint8_t *p, uint32_t word, uint64_t *sum)
{
	const uint32_t word_be = __builtin_bswap32(word);

	wire_put32_be(p, word_be);
	*sum += word_be;
	return p + 4;
}

/* The part of tcp_write for these options. */
static inline uint8_t *tcp_write_usual_options(uint8_t *p, const struct tcp_seg *s, uint64_t *sum)
{
	const bool sackok = (s->has & TCP_HAS_SACKOK) != 0;

	if ((s->has & TCP_HAS_MSS) != 0)
		p = tcp_put_word(p, TCP_MSS_4 | s->mss, sum);
	if ((s->has & TCP_HAS_TS) != 0) {
		p = tcp_put_word(p, sackok ? TCP_SACKOK_TS : TCP_NOP_NOP_TS, sum);
		p = tcp_put_word(p, s->tsval, sum);
		p = tcp_put_word(p, s->tsecr, sum);
	} else if (sackok) {
		p = tcp_put_word(p, TCP_NOP_NOP_SACKOK, sum);
	}
	if ((s->has & TCP_HAS_WSCALE) != 0)
		p = tcp_put_word(p, TCP_NOP_WSCALE | s->wscale, sum);
	return p;
}

/** tcp_is_usual says whether tcp_write_usual can write this segment. */
static inline bool tcp_is_usual(const struct tcp_seg *s)
{
	return (s->has & ~TCP_USUAL_OPTIONS) == 0 && s->accecn == TCP_ACCECN_NONE;
}

/** tcp_write_usual is tcp_write for a segment with no options but these; it returns the sum of the
 * header's words in memory order, and its length in *len. */
static inline uint64_t tcp_write_usual(uint8_t *p, const struct tcp_seg *s, uint16_t *len)
{
	uint64_t sum = 0;
	uint8_t *end = tcp_write_usual_options(p + TCP_HDR_LEN, s, &sum);

	*len = (uint16_t)(end - p);
	p = tcp_put_word(p, (uint32_t)s->sport << 16 | s->dport, &sum);
	p = tcp_put_word(p, s->seq, &sum);
	p = tcp_put_word(p, s->ack, &sum);
	p = tcp_put_word(p, (uint32_t)*len << 26 | (uint32_t)s->flags << 16 | s->wnd, &sum);
	(void)tcp_put_word(p, s->urg, &sum);
	return sum;
}

/** tcp_hdr_len returns the length that tcp_write would write. */
uint16_t tcp_hdr_len(const struct tcp_seg *s);

/** Offset of the checksum field in the header. */
#define TCP_CKSUM_OFF 16

/** A segment with no options except timestamps, for tcp_write_plain. */
struct tcp_plain {
	uint16_t sport, dport, wnd;
	uint8_t flags;
	bool has_ts;
	uint32_t seq, ack, tsval, tsecr;
};

/** tcp_plain_len returns the header's length. */
static inline uint16_t tcp_plain_len(bool has_ts)
{
	return has_ts ? TCP_HDR_LEN + TCP_NOP_NOP_TS_LEN : TCP_HDR_LEN;
}

/** tcp_write_plain writes such a header with checksum 0, and returns the sum of its words in memory
 * order. */
static inline uint64_t tcp_write_plain(uint8_t *p, struct tcp_plain s)
{
	const uint32_t w0 = __builtin_bswap32((uint32_t)s.sport << 16 | s.dport);
	const uint32_t seq = __builtin_bswap32(s.seq), ack = __builtin_bswap32(s.ack);
	const uint32_t w3 = __builtin_bswap32((uint32_t)tcp_plain_len(s.has_ts) << 26 |
	                                      (uint32_t)s.flags << 16 | s.wnd);
	uint64_t sum = (uint64_t)w0 + seq + ack + w3;

	wire_put32_be(p, w0);
	wire_put32_be(p + 4, seq);
	wire_put32_be(p + 8, ack);
	wire_put32_be(p + 12, w3);
	wire_put32_be(p + 16, 0);
	if (s.has_ts) {
		const uint32_t val = __builtin_bswap32(s.tsval), ecr = __builtin_bswap32(s.tsecr);

		wire_put32(p + 20, TCP_NOP_NOP_TS);
		wire_put32_be(p + 24, val);
		wire_put32_be(p + 28, ecr);
		sum += (uint64_t)__builtin_bswap32(TCP_NOP_NOP_TS) + val + ecr;
	}
	return sum;
}

/** tcp_print writes a segment in one line, as tcpdump would, and returns buf. */
char *tcp_print(const struct tcp_seg *s, char *buf, size_t size);

#endif
