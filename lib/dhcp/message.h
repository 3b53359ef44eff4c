/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_MESSAGE_H
#define DHCP_MESSAGE_H

/* DHCP messages (RFC 2131 section 2, options of RFC 2132): parsing and writing. */

#include <stddef.h>

#include <percore/dhcp.h>

#define DHCP_MESSAGE_MAX 1472
#define DHCP_HDR_LEN     236 /* before the cookie */

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

/** What a client needs of a server's message. */
struct dhcp_reply {
	uint8_t type; /* enum dhcp_type */
	uint32_t xid;
	uint8_t mac[6];
	bool has_server, has_lease;
	struct pc_dhcp_lease lease; /* server, addr (yiaddr) and what comes with it */
};

/** A message from a client; members that are 0 are left out. */
struct dhcp_query {
	uint8_t type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;      /* ask for the answer to be broadcast */
	uint32_t ciaddr_be;  /* our address, if we have it */
	uint32_t request_be; /* option 50: the address requested */
	uint32_t server_be;  /* option 54 */
	uint8_t mac[6];
	const char *hostname;
};

/** dhcp_parse parses a reply. Returns false if it is not one, or is malformed. */
bool dhcp_parse(const uint8_t *p, size_t len, struct dhcp_reply *r);

/** dhcp_write writes a query into DHCP_MESSAGE_MAX bytes. Returns its length. */
size_t dhcp_write(uint8_t *p, const struct dhcp_query *q);

#endif
