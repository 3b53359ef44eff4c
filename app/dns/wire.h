/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

/* Constants of the protocol (RFC 1035, RFC 6895), and its integers. */

#include <stddef.h>
#include <stdint.h>

#define DNS_HDR_LEN     12
#define DNS_NAME_MAX    255   /**< bytes of a name, including the root's */
#define DNS_LABEL_MAX   63    /**< bytes of a label */
#define DNS_LABELS_MAX  127   /**< labels of a name, not counting the root's */
#define DNS_MESSAGE_MAX 65535 /**< bytes of a message over TCP */
#define DNS_UDP_MIN     512   /**< bytes any client accepts over UDP (RFC 1035 section 2.3.4) */
#define DNS_RR_LEN      10    /**< type, class, TTL and length of a record, without its owner */
#define DNS_POINTER     0xc000
#define DNS_POINTER_MAX 0x3fff /**< the highest offset that a pointer can hold */

/** Bits of the second 16-bit word of the header. */
enum {
	DNS_QR = 0x8000,
	DNS_OPCODE = 0x7800,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
};

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_DNAME = 39,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_NSEC3 = 50,
	DNS_NSEC3PARAM = 51,
	DNS_TKEY = 249,
	DNS_AXFR = 252,
	DNS_MAILB = 253,
	DNS_MAILA = 254,
	DNS_ANY = 255,
};

enum { DNS_IN = 1, DNS_CH = 3 };

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_YXDOMAIN = 6,
	DNS_BADVERS = 16,
	DNS_BADCOOKIE = 23,
};

enum { DNS_OPT_NSID = 3, DNS_OPT_COOKIE = 10 };

static inline uint16_t dns_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t dns_get32(const uint8_t *p)
{
	return (uint32_t)dns_get16(p) << 16 | dns_get16(p + 2);
}

static inline uint8_t *dns_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static inline uint8_t *dns_put32(uint8_t *p, uint32_t v)
{
	return dns_put16(dns_put16(p, v >> 16), v & 0xffff);
}

#endif
