/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_ADDR_H
#define PERCORE_ADDR_H

/*
 * Addresses of both families in one type.
 *
 * An address is 16 bytes in network byte order.  An IPv4 address is in its mapped form,
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so no layer above IP needs to know the family.  Two
 * addresses are equal if their 16 bytes are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Room for any formatted address and its final NUL (as INET6_ADDRSTRLEN). */
#define PC_ADDR_STRLEN 46
/** Room for a formatted prefix ("address/len") and its final NUL. */
#define PC_PREFIX_STRLEN 50
/** Room for a formatted endpoint ("1.2.3.4:80" or "[2001:db8::1]:80") and its final NUL. */
#define PC_ENDPOINT_STRLEN 54

/** An address, in network byte order; IPv4 in mapped form. */
struct pc_addr {
	union {
		uint8_t b[16];
		uint32_t w[4];
		uint64_t q[2];
	};
};

/** A network: an address and a prefix length in bits, in [0,128]; an IPv4 /n is 96 + n. */
struct pc_prefix {
	struct pc_addr addr;
	uint8_t len;
};

/** An address and a port; the port is in host byte order. */
struct pc_endpoint {
	struct pc_addr addr;
	uint16_t port;
};

/** pc_addr_ip4 returns the mapped form of an IPv4 address, which is in network byte order. */
static inline struct pc_addr pc_addr_ip4(uint32_t ip4_be)
{
	const struct pc_addr mapped = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}}};
	struct pc_addr a;

	a.q[0] = 0; /* in words: bytes would be stored on the stack first */
	a.w[2] = mapped.w[2];
	a.w[3] = ip4_be;
	return a;
}

/** pc_addr_equal says whether two addresses are equal. */
static inline bool pc_addr_equal(const struct pc_addr *a, const struct pc_addr *b)
{
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

/** pc_addr_is_ip4 says whether an address is an IPv4 address (in mapped form). */
static inline bool pc_addr_is_ip4(const struct pc_addr *a)
{
	const struct pc_addr mapped = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}}};

	return a->q[0] == 0 && a->w[2] == mapped.w[2];
}

/** pc_addr_get_ip4 returns the IPv4 address in network byte order; a must be an IPv4 address. */
static inline uint32_t pc_addr_get_ip4(const struct pc_addr *a)
{
	return a->w[3];
}

/** pc_addr_is_any says whether an address is 0.0.0.0 or ::. */
static inline bool pc_addr_is_any(const struct pc_addr *a)
{
	return a->w[3] == 0 && a->q[0] == 0 && (a->w[2] == 0 || pc_addr_is_ip4(a));
}

/** pc_addr_is_multicast says whether an address is in 224.0.0.0/4 or ff00::/8. */
static inline bool pc_addr_is_multicast(const struct pc_addr *a)
{
	return pc_addr_is_ip4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

/** pc_addr_is_broadcast says whether an address is 255.255.255.255 (IPv6 has no broadcast). */
static inline bool pc_addr_is_broadcast(const struct pc_addr *a)
{
	return pc_addr_is_ip4(a) && a->w[3] == UINT32_MAX;
}

/** pc_addr_is_link_local says whether an address is in fe80::/10 (RFC 4291 section 2.5.6). */
static inline bool pc_addr_is_link_local(const struct pc_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/** pc_addr_is_loopback says whether an address is in 127.0.0.0/8 or is ::1. */
bool pc_addr_is_loopback(const struct pc_addr *a);

/**
 * pc_addr_parse parses "192.0.2.1" or "2001:db8::1", as inet_pton(3). Returns 0, or -EINVAL and
 * leaves *a unchanged.
 */
int pc_addr_parse(const char *text, struct pc_addr *a);

/** pc_addr_format writes an address as text, as inet_ntop(3), NUL-terminated. Returns buf. */
char *pc_addr_format(const struct pc_addr *a, char buf[PC_ADDR_STRLEN]);

/**
 * pc_prefix_parse parses "192.0.2.1/24" or "2001:db8::1/64"; without "/len" the prefix is the whole
 * address. Host bits are kept, as for an interface address. Returns 0, or -EINVAL and leaves *p
 * unchanged.
 */
int pc_prefix_parse(const char *text, struct pc_prefix *p);

/**
 * pc_prefix_format writes "address/len", len as its family counts it (IPv4: 0 to 32). Returns buf.
 */
char *pc_prefix_format(const struct pc_prefix *p, char buf[PC_PREFIX_STRLEN]);

/**
 * pc_prefix_contains says whether a is in p: whether its first p->len bits are those of p->addr.
 */
bool pc_prefix_contains(const struct pc_prefix *p, const struct pc_addr *a);

/** pc_endpoint_format writes "1.2.3.4:80" or "[2001:db8::1]:80", NUL-terminated. Returns buf. */
char *pc_endpoint_format(const struct pc_endpoint *e, char buf[PC_ENDPOINT_STRLEN]);

/**
 * pc_endpoint_from_sockaddr reads a struct sockaddr_in or sockaddr_in6 of len bytes. The scope
 * (sin6_scope_id) is ignored and may be missing. Returns 0; -EINVAL if sa is NULL or len is too
 * short for the family; -EAFNOSUPPORT for another family.
 */
int pc_endpoint_from_sockaddr(struct pc_endpoint *e, const struct sockaddr *sa, socklen_t len);

/**
 * pc_endpoint_to_sockaddr writes e as BSD does: at most *len bytes are written to sa, and *len
 * becomes the full size. An IPv4 address becomes a struct sockaddr_in or, if family is AF_INET6, a
 * sockaddr_in6 in mapped form; sin6_scope_id is 0. If sa is NULL, nothing is written and *len is
 * not read.
 */
void pc_endpoint_to_sockaddr(const struct pc_endpoint *e, int family, struct sockaddr *sa,
                             socklen_t *len);

#ifdef __cplusplus
}
#endif
#endif
