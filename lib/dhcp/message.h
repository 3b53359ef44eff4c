/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_MESSAGE_H
#define DHCP_MESSAGE_H

/* DHCP messages (RFC 2131 section 2, options of RFC 2132): from bytes to a struct, and back. */

#include <stddef.h>

#include <percore/dhcp.h>

#define DHCP_MESSAGE_MAX 1472
#define DHCP_HDR_LEN     236 /* in front of the cookie */

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

/** A message of a server, as far as a client wants to know. */
struct dhcp_reply {
	uint8_t type; /* enum dhcp_type */
	uint32_t xid;
	uint8_t mac[6];
	bool has_server, has_lease;
	struct pc_dhcp_lease lease; /* server, addr (yiaddr) and all that comes with it */
};

/** A message of a client; what is 0 is not said. */
struct dhcp_query {
	uint8_t type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;      /* the answer is to be one */
	uint32_t ciaddr_be;  /* our address, if we have it */
	uint32_t request_be; /* option 50: the address that is asked for */
	uint32_t server_be;  /* option 54 */
	uint8_t mac[6];
	const char *hostname;
};

/** dhcp_parse reads a reply. Returns false when it is none, or malformed. */
bool dhcp_parse(const uint8_t *p, size_t len, struct dhcp_reply *r);

/** dhcp_write writes a query into DHCP_MESSAGE_MAX bytes. Returns its length. */
size_t dhcp_write(uint8_t *p, const struct dhcp_query *q);

#endif
