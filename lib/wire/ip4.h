/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_IP4_H
#define WIRE_IP4_H

/* IPv4 headers and options (RFC 791).  Protocol numbers are IPPROTO_* of netinet/in.h. */

#include <stdbool.h>
#include <stdint.h>

#include "wire/cksum.h"
#include "wire/wire.h"

#define IP4_HDR_LEN   20
#define IP4_HDR_MAX   60
#define IP4_TOTAL_MAX 65535

#define IP4_CKSUM_OFF 10
#define IP4_FRAG_DF   0x4000
#define IP4_FRAG_MF   0x2000
#define IP4_FRAG_MASK 0x1fff

/** A header in host byte order, except the addresses. */
struct ip4_hdr {
	uint8_t hdr_len;    /* bytes, including options */
	uint8_t tos;        /* DSCP and ECN */
	uint16_t total_len; /* bytes of header and payload */
	uint16_t id;
	uint16_t frag_off; /* bytes; a multiple of 8 */
	bool df, mf;
	uint8_t ttl, proto;
	uint16_t cksum_be; /* as on the wire; not checked by ip4_parse, not used by ip4_write */
	uint32_t src_be, dst_be;
};

/** ip4_is_fragment says whether a packet is a fragment of a larger one. */
static inline bool ip4_is_fragment(const struct ip4_hdr *h)
{
	return h->mf || h->frag_off != 0;
}

/** ip4_parse_quoted is ip4_parse for a packet of which an ICMP error quotes only the first len
 * bytes: its total length may exceed them. */
static inline int ip4_parse_quoted(const uint8_t *p, uint32_t len, struct ip4_hdr *h)
{
	uint16_t frag;

	if (len < IP4_HDR_LEN)
		return WIRE_SHORT;
	if (p[0] >> 4 != 4)
		return WIRE_VERSION;
	h->hdr_len = (uint8_t)((p[0] & 0xf) * 4);
	if (h->hdr_len < IP4_HDR_LEN || h->hdr_len > len)
		return WIRE_HEADER;
	h->total_len = wire_get16(p + 2);
	if (h->total_len < h->hdr_len)
		return WIRE_LENGTH;
	h->tos = p[1];
	h->id = wire_get16(p + 4);
	frag = wire_get16(p + 6);
	h->frag_off = (uint16_t)((frag & IP4_FRAG_MASK) * 8);
	h->df = (frag & IP4_FRAG_DF) != 0;
	h->mf = (frag & IP4_FRAG_MF) != 0;
	h->ttl = p[8];
	h->proto = p[9];
	h->cksum_be = wire_get16_be(p + IP4_CKSUM_OFF);
	h->src_be = wire_get32_be(p + 12);
	h->dst_be = wire_get32_be(p + 16);
	return h->hdr_len;
}

/**
 * ip4_parse reads the header at p; len is the length of everything after the Ethernet header, of
 * which at least min(len, 60) bytes are at p. Returns the header's length in bytes, or the first
 * that applies (RFC 1122 section 3.2.1) of WIRE_SHORT (less than 20 bytes), WIRE_VERSION,
 * WIRE_HEADER (header length below 20 or beyond len) and WIRE_LENGTH (total length below the
 * header's or beyond len). len may be larger than total_len: Ethernet pads short frames. The caller
 * validates addresses and checksum. On failure *h is undefined.
 */
static inline int ip4_parse(const uint8_t *p, uint32_t len, struct ip4_hdr *h)
{
	const int hdr_len = ip4_parse_quoted(p, len, h);

	return hdr_len > 0 && h->total_len > len ? WIRE_LENGTH : hdr_len;
}

/** ip4_cksum_ok says whether the checksum of a parsed header of hdr_len bytes is correct. */
static inline bool ip4_cksum_ok(const uint8_t *p, uint8_t hdr_len)
{
	uint64_t sum;

	if (hdr_len != IP4_HDR_LEN)
		return cksum_is_good(cksum_add(0, p, hdr_len));
	sum = cksum_add64(wire_get64_be(p), wire_get64_be(p + 8));
	return cksum_is_good(cksum_add64(sum, wire_get32_be(p + 16)));
}

/**
 * ip4_write writes a header without options and with checksum 0, which the port or ip4_set_cksum
 * fills in. h->hdr_len and h->cksum_be are not used. Returns IP4_HDR_LEN.
 */
uint16_t ip4_write(uint8_t *p, const struct ip4_hdr *h);

/** Length of a header with only a router alert option. */
#define IP4_ALERT_LEN 24

/**
 * ip4_write_alert writes a header with a router alert (RFC 2113), including its checksum;
 * h->total_len includes IP4_ALERT_LEN. Returns IP4_ALERT_LEN.
 */
uint16_t ip4_write_alert(uint8_t *p, const struct ip4_hdr *h);

/** ip4_set_cksum computes and stores the checksum of a header of IP4_HDR_LEN bytes. */
void ip4_set_cksum(uint8_t *p);

/* ---- options --------------------------------------------------------------------------------- */

#define IP4_OPT_EOL  0
#define IP4_OPT_NOP  1
#define IP4_OPT_RR   7
#define IP4_OPT_TS   68
#define IP4_OPT_LSRR 131
#define IP4_OPT_SSRR 137
#define IP4_OPT_RA   148 /* router alert, RFC 2113 */

/** Results of ip4_options. */
#define IP4_HAS_SOURCE_ROUTE 0x01 /* loose or strict */
#define IP4_HAS_ROUTER_ALERT 0x02
#define IP4_HAS_OTHER        0x04 /* any option except EOL and NOP */
#define IP4_HAS_UNWANTED     0x08 /* others that RFC 7126 advises to drop */

/**
 * ip4_opt_next iterates over the options of a parsed header. *off is the offset of the next option
 * from the start of the header, initially IP4_HDR_LEN, and is advanced past it; *opt is set to its
 * offset, where its type is. EOL and NOP are skipped. Returns the option's length in bytes
 * (including type and length byte, so at least 2); 0 at the end; or WIRE_FORM if an option has a
 * length below 2 or runs past the header.
 */
int ip4_opt_next(const uint8_t *p, uint8_t hdr_len, uint8_t *off, uint8_t *opt);

/** ip4_options checks all options of a parsed header. Returns IP4_HAS_* or WIRE_FORM. */
int ip4_options(const uint8_t *p, uint8_t hdr_len);

#endif
