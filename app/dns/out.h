/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_OUT_H
#define DNS_OUT_H

/*
 * A message that is being written: records and their names, compressed (RFC 1035 section 4.1.4).
 *
 * Names in the message are known by their addresses (zone.h), so that finding the longest known
 * suffix of a name compares no bytes. A record or RRset that does not fit is not written at all.
 */

#include "zone.h"

#define OUT_KNOWN 96 /* names that can be pointed to; further ones are written in full */

struct out_known {
	const struct name *name;
	uint16_t off;
};

struct out {
	uint8_t *p; /**< the message */
	uint32_t len;
	uint32_t limit; /**< its maximum length in bytes */
	uint32_t nb_known;
	const struct name
	    *question; /**< a name in the question, from question_off on; NULL: none */
	uint16_t question_off;
	struct out_known known[OUT_KNOWN];
};

/** The owner of records: a name, or the offset of one already in the message. */
struct out_owner {
	const struct name *name;
	uint16_t off; /**< 0: use name */
};

/** out_begin begins a message of at most limit bytes at p. */
void out_begin(struct out *o, uint8_t *p, uint32_t limit);

/** out_question notes that a name of the zone is in the question. */
void out_question(struct out *o, const struct name *name, unsigned off);

/** out_name writes a name, with the given spelling. Returns its offset in the message, which may be
 * that of an earlier occurrence, or 0 if it does not fit. */
uint32_t out_name(struct out *o, const struct name *name, const uint8_t *spelled);

/** out_rrset writes an RRset. Returns whether it fits. */
bool out_rrset(struct out *o, const struct rrset *set, struct out_owner owner);

/** out_header writes owner, type, class and TTL of a record, and returns where its length belongs;
 * NULL if it does not fit, or leaves no room for another two bytes. */
uint8_t *out_header(struct out *o, uint16_t type, uint32_t ttl, struct out_owner owner);

/** out_alias writes the only record of a CNAME. Returns the offset of its target, or 0 if it does
 * not fit. */
uint32_t out_alias(struct out *o, const struct rrset *set, uint16_t owner_off);

#endif
