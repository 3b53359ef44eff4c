/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

/*
 * From a message to its response: RFC 1034 section 4.3.2, and what later RFCs have changed.
 *
 * It is a pure function of the message and the zones, so that a stack, a test and a fuzzer can all
 * call it.
 */

#include "cookie.h"
#include "counts.h"
#include "zones.h"

#define ANSWER_MAX      DNS_MESSAGE_MAX
#define ANSWER_TEXT_MAX 64 /**< characters of an identity or a version */

/** How the server answers. */
struct answer_config {
	/** size limit of a response over UDP, whatever the client accepts; at least 512 */
	uint16_t udp_max;
	const char *identity; /**< for NSID, id.server and hostname.bind; NULL: not answered */
	const char *version;  /**< for version.bind and version.server; NULL: not answered */
};

/** How a message was received. */
struct answer_from {
	bool tcp;
	struct cookie_client client;
};

/** The kinds of response that rate limiting (rrl.h) tells apart. */
enum answer_kind {
	ANSWER_DATA,
	ANSWER_REFERRAL,
	ANSWER_NODATA,
	ANSWER_NXDOMAIN,
	ANSWER_ERROR, /**< any other code; no larger than the message */
};

struct answer {
	uint8_t *out; /**< with room for ANSWER_MAX bytes */
	size_t len;   /**< 0: no response */
	enum answer_kind kind;
	enum cookie_state cookie;
	/** hash of the name that answered, which may be a wildcard, or of the zone without data for
	 * the question; 0: neither */
	uint64_t subject;
	uint16_t question_len, opt_len; /**< bytes of the question and of OPT in it */
};

/** answer_make writes the response to a message of len bytes to a->out, which must not overlap it,
 * and counts. Returns its length, or 0 if there is none. */
size_t answer_make(const struct answer_config *config, const struct zones *zones,
                   const struct answer_from *from, const uint8_t *query, size_t len,
                   struct answer *a, struct counts *counts);

/** answer_cut reduces a response to what makes the client retry: with our cookie if it supports
 * cookies (BADCOOKIE), otherwise over TCP (TC). */
void answer_cut(struct answer *a);

#endif
