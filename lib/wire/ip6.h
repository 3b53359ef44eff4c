/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_IP6_H
#define WIRE_IP6_H

/* IPv6 headers, extension headers and their options (RFC 8200). */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "wire/wire.h"

#define IP6_HDR_LEN     40
#define IP6_MTU_MIN     1280 /* RFC 8200 section 5: every link carries this much */
#define IP6_PAYLOAD_MAX 65535
#define IP6_NEXT_OFF    6 /* of the Next Header field in the fixed header */

/* Next Header values; those of upper layers are IPPROTO_* of netinet/in.h as well. */
#define IP6_EXT_HOP  0
#define IP6_EXT_RH   43
#define IP6_EXT_FRAG 44
#define IP6_EXT_NONE 59
#define IP6_EXT_DST  60

#define IP6_FRAG_LEN 8

/* What is walked over before a packet is given up; RFC 8504 section 5.3 advises such limits. */
#define IP6_EXT_HEADERS_MAX 8   /* extension headers */
#define IP6_EXT_BYTES_MAX   512 /* of all of them together */
#define IP6_OPTIONS_MAX     8   /* options in one header, padding not counted */
#define IP6_PADDING_MAX     7   /* bytes between two options */

/** A fixed header in host byte order, but for the addresses. */
struct ip6_hdr {
	uint8_t tclass; /* DSCP and ECN */
	uint8_t next, hops;
	uint16_t payload_len; /* bytes that follow the fixed header */
	uint32_t label;       /* flow label, 20 bits */
	struct pc_addr src, dst;
};

/**
 * ip6_parse reads the fixed header at p; len is the length of all that follows the Ethernet header,
 * of which at least min(len, 40) bytes are at p. Returns IP6_HDR_LEN, or the first that applies of
 * WIRE_SHORT, WIRE_VERSION and WIRE_LENGTH (payload length beyond len; it may be less: Ethernet
 * pads). Addresses are the caller's to judge, the mapped form too, which means IPv4 everywhere
 * above.
 */
int ip6_parse(const uint8_t *p, uint32_t len, struct ip6_hdr *h);

/** ip6_parse_quoted does the same for a packet of which an ICMP error quotes only the first
 * bytes. */
int ip6_parse_quoted(const uint8_t *p, uint32_t len, struct ip6_hdr *h);

/** ip6_write writes a fixed header. Returns IP6_HDR_LEN. */
uint16_t ip6_write(uint8_t *p, const struct ip6_hdr *h);

/* ---- extension headers ----------------------------------------------------------------------- */

/** How a walk over the extension headers ends. */
enum ip6_end {
	IP6_UPPER,    /* at the header of an upper layer: proto and off */
	IP6_FRAGMENT, /* at a fragment of something larger: off is behind the fragment header */
	IP6_NOTHING,  /* at "no next header": nothing to deliver */
	IP6_SHORT,    /* a header runs past the packet */
	IP6_LIMIT,    /* too many headers, options or padding */
	IP6_DISCARD,  /* an option says: drop the packet silently */
	IP6_PROBLEM,  /* ... and tell the sender: code and pointer */
	IP6_PROBLEM_SINGLE /* ... unless the packet was sent to a group */
};

/** What a walk has found. Offsets count from the first byte of the fixed header. */
struct ip6_ext {
	uint8_t proto;     /* IP6_UPPER: of the upper layer; IP6_FRAGMENT: of what is fragmented */
	uint8_t code;      /* ICMP6_PARAMETER's, of a problem */
	uint16_t off;      /* where the walk ended */
	uint16_t proto_at; /* of the field that says proto */
	uint16_t pointer;  /* of a problem */
	bool has_fragment; /* a fragment header was there, atomic (RFC 6946) or not */
	bool more;         /* its M flag */
	bool has_alert; /* a hop-by-hop header with a router alert for MLD (RFC 2711 section 2.1) */
	uint16_t frag_off; /* bytes */
	uint16_t frag_at;  /* of the fragment header */
	uint16_t frag_by;  /* of the field that says that it follows */
	uint32_t frag_id;
};

/**
 * ip6_walk walks from the fixed header h, at p, to the upper layer, which is whatever is no
 * extension header; len is the length of the packet, fixed header included, of which at least
 * min(len, IP6_HDR_LEN + IP6_EXT_BYTES_MAX) bytes are at p. Routing headers are passed over if no
 * segments are left (RFC 5095: type 0 is one like any other), options judged by their two high bits
 * (RFC 8200 section 4.2).
 */
enum ip6_end ip6_walk(const uint8_t *p, uint32_t len, const struct ip6_hdr *h, struct ip6_ext *e);

/** ip6_walk_on does the same from the header of kind e->proto at e->off, which is behind a fragment
 * header; e->proto_at is not looked at. */
enum ip6_end ip6_walk_on(const uint8_t *p, uint32_t len, struct ip6_ext *e);

/** ip6_is_extension says whether a Next Header value is that of a header that ip6_walk knows. */
static inline bool ip6_is_extension(uint8_t next)
{
	return next == IP6_EXT_HOP || next == IP6_EXT_RH || next == IP6_EXT_FRAG ||
	       next == IP6_EXT_DST || next == IP6_EXT_NONE;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/** The scope of groups that are the host's own affair; 0 is reserved. */
#define IP6_SCOPE_HOST 1

/** ip6_group_scope returns the scope of a multicast address (RFC 4291 section 2.7): 1
 * interface, 2 link. */
static inline uint8_t ip6_group_scope(const struct pc_addr *group)
{
	return group->b[1] & 0xf;
}

/** ip6_all_nodes makes ff02::1, ip6_all_routers ff02::2, ip6_mld_routers ff02::16. */
static inline struct pc_addr ip6_all_nodes(void)
{
	return (struct pc_addr){{{0xff, 2, [15] = 1}}};
}

static inline struct pc_addr ip6_all_routers(void)
{
	return (struct pc_addr){{{0xff, 2, [15] = 2}}};
}

static inline struct pc_addr ip6_mld_routers(void)
{
	return (struct pc_addr){{{0xff, 2, [15] = 0x16}}};
}

/** ip6_solicited makes the solicited-node group of an address: ff02::1:ffXX:XXXX (RFC 4291
 * 2.7.1). */
static inline struct pc_addr ip6_solicited(const struct pc_addr *a)
{
	return (struct pc_addr){
	    {{0xff, 2, [11] = 1, [12] = 0xff, [13] = a->b[13], [14] = a->b[14], [15] = a->b[15]}}};
}

#endif
