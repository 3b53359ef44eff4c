/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

/*
 * From a message to its answer: RFC 1034 section 4.3.2, and what later RFCs made of it.
 *
 * A pure function of the message and the zones, so that a stack, a test and a fuzzer call the same.
 */

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

/**
 * answer_make writes the answer to a message of len bytes into out, which has room for ANSWER_MAX bytes and does not
 * overlap it, and counts. Returns its length, 0: there is no answer.
 */
size_t answer_make(const struct answer_config *config, const struct zones *zones,
                   const uint8_t *query, size_t len, bool tcp, uint8_t *out, struct counts *counts);

#endif
