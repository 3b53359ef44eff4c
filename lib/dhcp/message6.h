/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_MESSAGE6_H
#define DHCP_MESSAGE6_H

/*
 * DHCPv6 messages (RFC 8415 section 8, options of section 21 and RFC 3646): parsing and writing.
 */

#include <stddef.h>

#include <percore/dhcp6.h>

#define DHCP6_MESSAGE_MAX 1500 /* received; the rest of longer ones is cut off */
#define DHCP6_QUERY_MAX   512  /* sent */
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

/** Our identity: what our DUID is made of, and the identifier of our one IA_NA (section 12). */
struct dhcp6_self {
	uint8_t mac[6];
	uint32_t iaid;
};

/** A server's DUID. */
struct dhcp6_duid {
	uint8_t len;
	uint8_t b[DHCP6_DUID_MAX];
};

/** An address from a server (section 21.6); lifetime UINT32_MAX: infinite. */
struct dhcp6_ia_addr {
	struct pc_addr addr;
	uint32_t preferred_s, valid_s;
};

/** What a server says about our IA_NA (section 21.4). Left out are addresses that no host can have,
 * those with nonsensical lifetimes, and those that do not fit. */
struct dhcp6_ia {
	bool has;
	uint8_t nb_addrs;
	uint16_t status;
	uint32_t t1_s, t2_s;
	struct dhcp6_ia_addr addr[PC_DHCP6_ADDRS];
};

/** What a client needs of a server's message. */
struct dhcp6_reply {
	uint8_t type;
	uint32_t xid; /* 24 bits */
	bool has_server;
	bool is_ours;       /* it has a client identifier, and that is ours */
	bool rapid;         /* section 21.14 */
	uint8_t preference; /* section 21.8 */
	uint16_t status;    /* section 21.13; 0: success */
	uint16_t refused;   /* how many addresses were left out */
	struct dhcp6_duid server;
	struct dhcp6_ia ia;
	struct pc_dhcp6_info info; /* without the addresses */
};

/** A message from a client. */
struct dhcp6_query {
	uint8_t type;
	uint32_t xid;
	uint16_t elapsed;                /* in hundredths of a second */
	const struct dhcp6_duid *server; /* NULL: any */
	unsigned nb_addrs; /* the addresses that it is about; not in a request for information */
	const struct pc_addr *addr;
};

/*
 * dhcp6_parse parses a message from a server to this client. Returns false if it is truncated, or
 * if an option that matters has an invalid length.
 */
bool dhcp6_parse(const uint8_t *p, size_t len, const struct dhcp6_self *self,
                 struct dhcp6_reply *r);

/** dhcp6_write writes a message of at most DHCP6_QUERY_MAX bytes. Returns its length. */
size_t dhcp6_write(uint8_t *p, const struct dhcp6_self *self, const struct dhcp6_query *q);

#endif
