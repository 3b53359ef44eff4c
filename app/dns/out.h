/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_OUT_H
#define DNS_OUT_H

/*
 * A message that is being written: records and their names, compressed (RFC 1035 section 4.1.4).
 *
 * What has been written is known by the addresses of its names (zone.h), so that finding the
 * longest known suffix of a name compares no bytes.  What does not fit is not written at all.
 */

#include "zone.h"

#define OUT_KNOWN 96 /* names that can be pointed to; more are written in full */

struct out_known {
	const struct name *name;
	uint16_t off;
};

struct out {
	uint8_t *p; /**< the message */
	uint32_t len;
	uint32_t limit; /**< bytes that it may have */
	uint32_t nb_known;
	const struct name
	    *question; /**< a name that stands in the question, from question_off on; NULL: none */
	uint16_t question_off;
	struct out_known known[OUT_KNOWN];
};

/** The owner of records: a name, or an offset at which it stands already. */
struct out_owner {
	const struct name *name;
	uint16_t off; /**< 0: the name is meant */
};

/** out_begin begins a message of at most limit bytes at p. */
void out_begin(struct out *o, uint8_t *p, uint32_t limit);

/** out_question says that a name of the zone stands in the question. */
void out_question(struct out *o, const struct name *name, unsigned off);

/** out_name writes a name, spelled as given. Returns its offset in the message, which may be that of an earlier one; or 0:
 * it does not fit. */
uint32_t out_name(struct out *o, const struct name *name, const uint8_t *spelled);

/** out_rrset writes an RRset. Returns whether it fits. */
bool out_rrset(struct out *o, const struct rrset *set, struct out_owner owner);

/** out_header writes owner, type, class and TTL of a record, and returns where its length belongs; NULL: it does not
 * fit, or has no room for two bytes more. */
uint8_t *out_header(struct out *o, uint16_t type, uint32_t ttl, struct out_owner owner);

/** out_alias writes the only record of a CNAME. Returns the offset of its target, 0: it does not fit. */
uint32_t out_alias(struct out *o, const struct rrset *set, uint16_t owner_off);

#endif
