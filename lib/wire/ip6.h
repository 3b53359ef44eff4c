/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_IP6_H
#define WIRE_IP6_H

/* IPv6 headers, extension headers and their options (RFC 8200). */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "wire/wire.h"

#define IP6_HDR_LEN     40
#define IP6_MTU_MIN     1280 /* RFC 8200 section 5: the minimum on every link */
#define IP6_PAYLOAD_MAX 65535
#define IP6_NEXT_OFF    6 /* of the Next Header field in the fixed header */

/* Next Header values; those of upper layers are also IPPROTO_* of netinet/in.h. */
#define IP6_EXT_HOP  0
#define IP6_EXT_RH   43
#define IP6_EXT_FRAG 44
#define IP6_EXT_NONE 59
#define IP6_EXT_DST  60

#define IP6_FRAG_LEN 8

/* Limits of a walk, as RFC 8504 section 5.3 advises. */
#define IP6_EXT_HEADERS_MAX 8   /* extension headers */
#define IP6_EXT_BYTES_MAX   512 /* total bytes of these */
#define IP6_OPTIONS_MAX     8   /* options in one header, not counting padding */
#define IP6_PADDING_MAX     7   /* bytes between two options */

/** A fixed header in host byte order, except the addresses. */
struct ip6_hdr {
	uint8_t tclass; /* DSCP and ECN */
	uint8_t next, hops;
	uint16_t payload_len; /* bytes after the fixed header */
	uint32_t label;       /* flow label, 20 bits */
	struct pc_addr src, dst;
};

/**
 * ip6_parse reads the fixed header at p; len is the length of everything after the Ethernet header,
 * of which at least min(len, 40) bytes are at p. Returns IP6_HDR_LEN, or the first that applies of
 * WIRE_SHORT, WIRE_VERSION and WIRE_LENGTH (payload length beyond len; it may be less, since
 * Ethernet pads). The caller validates the addresses; it must reject the mapped form, which means
 * IPv4 in all layers above.
 */
int ip6_parse(const uint8_t *p, uint32_t len, struct ip6_hdr *h);

/** ip6_parse_quoted is ip6_parse for a packet of which an ICMP error quotes only the first
 * bytes. */
int ip6_parse_quoted(const uint8_t *p, uint32_t len, struct ip6_hdr *h);

/** ip6_write writes a fixed header. Returns IP6_HDR_LEN. */
uint16_t ip6_write(uint8_t *p, const struct ip6_hdr *h);

/* ---- extension headers ----------------------------------------------------------------------- */

/** How a walk over the extension headers ends. */
enum ip6_end {
	IP6_UPPER,         /* at the header of an upper layer: proto and off */
	IP6_FRAGMENT,      /* at a fragment: off is after the fragment header */
	IP6_NOTHING,       /* at "no next header": nothing to deliver */
	IP6_SHORT,         /* a header runs past the packet */
	IP6_LIMIT,         /* too many headers, options or padding */
	IP6_DISCARD,       /* an option says: drop the packet silently */
	IP6_PROBLEM,       /* ... and send an error to the sender: code and pointer */
	IP6_PROBLEM_SINGLE /* ... unless the packet was sent to a group */
};

/** The result of a walk. Offsets are from the first byte of the fixed header. */
struct ip6_ext {
	uint8_t proto;     /* IP6_UPPER: the upper layer; IP6_FRAGMENT: the fragmented header */
	uint8_t code;      /* for a problem: the code of ICMP6_PARAMETER */
	uint16_t off;      /* where the walk ended */
	uint16_t proto_at; /* of the field with the value of proto */
	uint16_t pointer;  /* for a problem: its offset */
	bool has_fragment; /* there was a fragment header, atomic (RFC 6946) or not */
	bool more;         /* its M flag */
	bool has_alert; /* a hop-by-hop header with a router alert for MLD (RFC 2711 section 2.1) */
	uint16_t frag_off; /* bytes */
	uint16_t frag_at;  /* of the fragment header */
	uint16_t frag_by;  /* of the Next Header field that announces it */
	uint32_t frag_id;
};

/**
 * ip6_walk walks from the fixed header h, at p, to the upper layer, which is whatever is not an
 * extension header; len is the length of the packet, including the fixed header, of which at least
 * min(len, IP6_HDR_LEN + IP6_EXT_BYTES_MAX) bytes are at p. Routing headers are skipped if no
 * segments are left (RFC 5095: type 0 is not special); unknown options are handled according to
 * their two high bits (RFC 8200 section 4.2).
 */
enum ip6_end ip6_walk(const uint8_t *p, uint32_t len, const struct ip6_hdr *h, struct ip6_ext *e);

/** ip6_walk_on does the same from the header of type e->proto at e->off, which follows a fragment
 * header; e->proto_at is not used. */
enum ip6_end ip6_walk_on(const uint8_t *p, uint32_t len, struct ip6_ext *e);

/** ip6_is_extension says whether a Next Header value is that of a header that ip6_walk knows. */
static inline bool ip6_is_extension(uint8_t next)
{
	return next == IP6_EXT_HOP || next == IP6_EXT_RH || next == IP6_EXT_FRAG ||
	       next == IP6_EXT_DST || next == IP6_EXT_NONE;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/** The scope of groups within the host; 0 is reserved. */
#define IP6_SCOPE_HOST 1

/** ip6_group_scope returns the scope of a multicast address (RFC 4291 section 2.7): 1
 * interface, 2 link. */
static inline uint8_t ip6_group_scope(const struct pc_addr *group)
{
	return group->b[1] & 0xf;
}

/** ip6_all_nodes returns ff02::1, ip6_all_routers ff02::2, ip6_mld_routers ff02::16. */
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

/** ip6_solicited returns the solicited-node group of an address: ff02::1:ffXX:XXXX (RFC 4291
 * section 2.7.1). */
static inline struct pc_addr ip6_solicited(const struct pc_addr *a)
{
	return (struct pc_addr){
	    {{0xff, 2, [11] = 1, [12] = 0xff, [13] = a->b[13], [14] = a->b[14], [15] = a->b[15]}}};
}

#endif
