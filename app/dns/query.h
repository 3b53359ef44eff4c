/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_QUERY_H
#define DNS_QUERY_H

/* Parses a received message: header, question, and the OPT record (RFC 6891). */

#include <stdbool.h>

#include "dname.h"

enum query_verdict {
	QUERY_OK,
	QUERY_DROP,    /**< too short for a header, or a response: nothing is answered */
	QUERY_NOTIMP,  /**< another opcode than QUERY */
	QUERY_FORMERR, /**< malformed */
	QUERY_BADVERS, /**< another version of EDNS than 0 */
	QUERY_COOKIE,  /**< no question, and a cookie (RFC 7873 section 5.4) */
};

struct query {
	const uint8_t *wire;
	uint16_t flags;
	uint16_t type, class;
	uint16_t question_len; /**< bytes behind the header; 0: there is none that can be read */
	uint16_t udp_size;     /**< what the client takes over UDP */
	bool edns;
	bool dnssec_ok;     /**< the bit DO (RFC 3225) */
	bool nsid;          /**< it asks who we are (RFC 5001) */
	uint8_t cookie_len; /**< bytes of a cookie; 0: there is none, or none that can be one */
	bool cookie_wrong;  /**< there is one that cannot be one (RFC 7873 section 5.2.2) */
	const uint8_t *cookie;
	struct dname name;
};

/** query_read reads a message of len bytes, none of which is looked at twice, and none behind. wire must live as long
 * as the query. With QUERY_DROP nothing of the query is set, with others but QUERY_OK all but type, class and name is. */
enum query_verdict query_read(struct query *q, const uint8_t *wire, size_t len);

#endif
