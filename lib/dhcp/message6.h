/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_MESSAGE6_H
#define DHCP_MESSAGE6_H

/*
 * DHCPv6 messages (RFC 8415 section 8, options of section 21 and RFC 3646): from bytes to a struct,
 * and back.
 */

#include <stddef.h>

#include <percore/dhcp6.h>

#define DHCP6_MESSAGE_MAX 1500 /* of those that we read; what is behind is cut off */
#define DHCP6_QUERY_MAX   512  /* of those that we write */
#define DHCP6_DUID_LEN    10   /* DUID-LL (section 11.4) */
#define DHCP6_DUID_MAX    130  /* a type, and at most 128 bytes (section 11.1) */

enum dhcp6_type {
	DHCP6_NONE,
	DHCP6_SOLICIT,
	DHCP6_ADVERTISE,
	DHCP6_REQUEST,
	DHCP6_CONFIRM,
	DHCP6_RENEW,
	DHCP6_REBIND,
	DHCP6_REPLY,
	DHCP6_RELEASE,
	DHCP6_DECLINE,
	DHCP6_INFORMATION_REQUEST = 11,
};

/** Status codes (section 21.13). */
enum dhcp6_status {
	DHCP6_SUCCESS,
	DHCP6_UNSPEC_FAIL,
	DHCP6_NO_ADDRS_AVAIL,
	DHCP6_NO_BINDING,
	DHCP6_NOT_ON_LINK,
};

/** Who we are: what our DUID is made of, and the identifier of our one IA_NA (section 12). */
struct dhcp6_self {
	uint8_t mac[6];
	uint32_t iaid;
};

/** A server's DUID. */
struct dhcp6_duid {
	uint8_t len;
	uint8_t b[DHCP6_DUID_MAX];
};

/** An address that a server tells (section 21.6); UINT32_MAX: for ever. */
struct dhcp6_ia_addr {
	struct pc_addr addr;
	uint32_t preferred_s, valid_s;
};

/** What a server says about our IA_NA (section 21.4). Addresses that no host can have, or with nonsensical lifetimes, and
 * those for which there is no room are left out. */
struct dhcp6_ia {
	bool has;
	uint8_t nb_addrs;
	uint16_t status;
	uint32_t t1_s, t2_s;
	struct dhcp6_ia_addr addr[PC_DHCP6_ADDRS];
};

/** A message of a server, as far as a client wants to know. */
struct dhcp6_reply {
	uint8_t type;
	uint32_t xid; /* 24 bits */
	bool has_server;
	bool has_client, is_ours; /* a client identifier; the one that was asked for */
	bool rapid;               /* section 21.14 */
	uint8_t preference;       /* section 21.8 */
	uint16_t status;          /* section 21.13; 0: success */
	uint16_t refused;         /* how many addresses were left out */
	struct dhcp6_duid server;
	struct dhcp6_ia ia;
	struct pc_dhcp6_info info; /* but its addresses */
};

/** A message of a client. */
struct dhcp6_query {
	uint8_t type;
	uint32_t xid;
	uint16_t elapsed;                /* in hundredths of a second */
	const struct dhcp6_duid *server; /* NULL: any */
	unsigned nb_addrs; /* those that it is about, unless it asks for information */
	const struct pc_addr *addr;
};

/**
 * dhcp6_parse reads a message of a server to this client. Returns false when it is cut, or an option that counts has a
 * length that it cannot have.
 */
bool dhcp6_parse(const uint8_t *p, size_t len, const struct dhcp6_self *self,
                 struct dhcp6_reply *r);

/** dhcp6_write writes a message of at most DHCP6_QUERY_MAX bytes. Returns its length. */
size_t dhcp6_write(uint8_t *p, const struct dhcp6_self *self, const struct dhcp6_query *q);

#endif
