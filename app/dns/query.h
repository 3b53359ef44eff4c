/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_QUERY_H
#define DNS_QUERY_H

/* Parses a received message: header, question, and the OPT record (RFC 6891). */

#include <stdbool.h>

#include "dname.h"

enum query_verdict {
	QUERY_OK,
	QUERY_DROP,    /**< too short for a header, or a response: not answered */
	QUERY_NOTIMP,  /**< an opcode other than QUERY */
	QUERY_FORMERR, /**< malformed */
	QUERY_BADVERS, /**< a version of EDNS other than 0 */
	QUERY_COOKIE,  /**< no question, but a cookie (RFC 7873 section 5.4) */
};

struct query {
	const uint8_t *wire;
	uint16_t flags;
	uint16_t type, class;
	uint16_t question_len; /**< bytes after the header; 0: no readable question */
	uint16_t udp_size;     /**< the largest response that the client accepts over UDP */
	bool edns;
	bool dnssec_ok;     /**< the bit DO (RFC 3225) */
	bool nsid;          /**< it asks for our identity (RFC 5001) */
	uint8_t cookie_len; /**< bytes of a cookie; 0: none, or a malformed one */
	bool cookie_wrong;  /**< there is a malformed cookie (RFC 7873 section 5.2.2) */
	const uint8_t *cookie;
	struct dname name;
};

/** query_read reads a message of len bytes, looking at none of them twice and at none beyond. wire
 * must live as long as the query. With QUERY_DROP nothing of the query is set; with other results
 * except QUERY_OK, all but type, class and name. */
enum query_verdict query_read(struct query *q, const uint8_t *wire, size_t len);

#endif
