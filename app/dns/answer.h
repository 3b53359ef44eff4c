/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

/*
 * From a message to its response: RFC 1034 section 4.3.2, and what later RFCs have changed.
 *
 * It is a pure function of the message and the zones, so that a stack, a test and a fuzzer can call
 * the same.
 */

#include "cookie.h"
#include "counts.h"
#include "zones.h"

#define ANSWER_MAX      DNS_MESSAGE_MAX
#define ANSWER_TEXT_MAX 64 /**< characters of an identity or a version */

/** How the server answers. */
struct answer_config {
	uint16_t
	    udp_max; /**< bytes of an answer over UDP, whatever the client takes; at least 512 */
	const char *identity; /**< for NSID and id.server; NULL: it tells none */
	const char *version;  /**< for version.bind; NULL: it tells none */
};

/** How a message comes. */
struct answer_from {
	bool tcp;
	struct cookie_client client;
};

/** What of an answer a limit of answers looks at (rrl.h). */
enum answer_kind {
	ANSWER_DATA,
	ANSWER_REFERRAL,
	ANSWER_NODATA,
	ANSWER_NXDOMAIN,
	ANSWER_ERROR, /**< any other code: no larger than the message */
};

struct answer {
	uint8_t *out; /**< has room for ANSWER_MAX bytes */
	size_t len;   /**< 0: there is no answer */
	enum answer_kind kind;
	enum cookie_state cookie;
	uint64_t
	    subject; /**< the hash of the name that has answered, be it a wildcard, or of the zone that has
	                       nothing under the one asked for; 0: neither */
	uint16_t question_len, opt_len; /**< bytes of the first and of the last of it */
};

/** answer_make writes the answer to a message of len bytes to a->out, which does not overlap it, and counts. Returns its length,
 * 0: there is none. */
size_t answer_make(const struct answer_config *config, const struct zones *zones,
                   const struct answer_from *from, const uint8_t *query, size_t len,
                   struct answer *a, struct counts *counts);

/** answer_cut leaves nothing of an answer but what says that the client is to ask again: with our cookie, if it knows of cookies
 * (BADCOOKIE), or over TCP (TC). */
void answer_cut(struct answer *a);

#endif
