/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

/*
 * Bytes on the wire, and their structs in host byte order.
 *
 * Everything here is pure: no state, no allocation, no counters. A parser takes a buffer and its
 * length, trusts nothing, and returns the length of what it has parsed or a negative WIRE_ code. A
 * writer returns how many bytes it has written. Above the ports, no other code casts packet bytes.
 */

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum {
	WIRE_SHORT = -1,    /* fewer bytes than the header needs */
	WIRE_VERSION = -2,  /* wrong version */
	WIRE_HEADER = -3,   /* header length too small or beyond the buffer */
	WIRE_LENGTH = -4,   /* length field contradicts the buffer */
	WIRE_CHECKSUM = -5, /* checksum wrong */
	WIRE_FORM = -6,     /* any other inconsistency */
};

/* Loads and stores of big-endian fields, at any alignment. */

static inline uint16_t wire_get16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t wire_get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline void wire_put16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void wire_put32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

/* The same for fields that are kept in network byte order (names that end in _be). */

static inline uint16_t wire_get16_be(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t wire_get32_be(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t wire_get64_be(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void wire_put16_be(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void wire_put32_be(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the loads above swap bytes");

#endif
