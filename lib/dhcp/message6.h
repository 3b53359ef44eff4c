/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_MESSAGE6_H
#define DHCP_MESSAGE6_H

/* Messages of stateless DHCPv6 (RFC 8415 section 8, options of section 21 and RFC 3646): bytes to a struct, and
 * back. */

#include <stddef.h>

#include <percore/dhcp6.h>

#define DHCP6_MESSAGE_MAX 1280 /* of those that we read; what is behind is cut off */
#define DHCP6_QUERY_LEN   38   /* of those that we write */
#define DHCP6_DUID_LEN    10   /* DUID-LL (section 11.4) */

enum dhcp6_type {
	DHCP6_REPLY = 7,
	DHCP6_INFORMATION_REQUEST = 11,
};

/** A message of a server, as far as a client wants to know. */
struct dhcp6_reply {
	uint8_t type;
	uint32_t xid; /* 24 bits */
	bool has_server;
	bool has_client, is_ours; /* a client identifier; the one that was asked for */
	uint16_t status;          /* section 21.13; 0: success */
	struct pc_dhcp6_info info;
};

/**
 * dhcp6_parse reads a message of a server to the client with this MAC address. Returns false when it is cut, or an
 * option that counts has a length that it cannot have.
 */
bool dhcp6_parse(const uint8_t *p, size_t len, const uint8_t mac[6], struct dhcp6_reply *r);

/** dhcp6_write writes an Information-request (section 18.2.6) of DHCP6_QUERY_LEN bytes; elapsed is in
 * hundredths of a second. */
void dhcp6_write(uint8_t *p, uint32_t xid, const uint8_t mac[6], uint16_t elapsed);

#endif
