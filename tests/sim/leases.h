/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_LEASES_H
#define SIM_LEASES_H

/*
 * A search for defects in the DHCP client. leases_servers.c has servers that offer, refuse, disappear
 * and come back with other addresses and terms, and a link that loses and delays; leases.c has the
 * client as RFC 2131 describes it, and checks the real one against that.
 */

#include <arpa/inet.h>

#include <percore/dhcp.h>

#include "config_bed.h"

enum message { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE };

#define SERVERS 3
#define ANSWERS 4096 /* remembered, by tag */

#define TAG_NONE  0u
#define TAG_CLAIM 1u /* an ARP packet of a host that has the address that is probed for */
#define TAG_FIRST 2u /* answers follow */

/** What a server grants. Times in seconds, as told; members that are not told are left out. */
struct terms {
	uint32_t lease_s, t1_s, t2_s;
	bool has_t1, has_t2;
	uint8_t len; /* of the prefix */
	uint8_t nb_dns;
	uint32_t router_be; /* 0: none */
	uint32_t dns_be[3];
};

/** What a message of the client says. */
struct said {
	uint8_t type;
	uint32_t xid, ciaddr_be, requested_be, server_be, src_be, dst_be;
	uint16_t secs;
	bool broadcast;
	uint8_t mac[6]; /* to which it was sent */
};

/** What a server has said. */
struct answer {
	uint8_t type;
	uint32_t xid, yiaddr_be, server_be;
	bool valid; /* well-formed, and for this client */
	bool has_server, has_lease;
	struct terms t;
};

struct server {
	bool alive;
	uint32_t id_be;
	uint8_t first, n;   /* the last bytes of the addresses that it leases */
	uint32_t client_be; /* what it has leased to the client; 0: nothing */
	struct terms t;
	unsigned refuses; /* percent of requests */
};

/** The servers and the link. */
struct servers {
	unsigned n;
	struct server s[SERVERS];
	unsigned loss, spoilt, doubled; /* percent of answers */
	uint64_t late_ns;               /* the longest delay */
	uint64_t event_ns;              /* when something next happens to them */
	uint32_t scale_s;               /* of leases */
	unsigned nb_answers;
	struct answer answer[ANSWERS];
};

/** servers_plan draws servers, and servers_event is what happens to them at event_ns. */
void servers_plan(struct bed *b, struct servers *ss);
void servers_event(struct bed *b, struct servers *ss);

/** servers_hear has them answer. */
void servers_hear(struct bed *b, struct servers *ss, const struct said *q);

/** servers_read reads a message of the client. Returns false if the frame is none. */
bool servers_read(struct bed *b, const struct frame *f, struct said *q);

/** servers_name names a type of message. */
const char *servers_name(uint8_t type);

/** servers_claim has another host claim an address, or probe for it. */
void servers_claim(struct bed *b, uint32_t addr_be);

/** servers_answer returns what was said with a tag. */
static inline const struct answer *servers_answer(const struct servers *ss, unsigned tag)
{
	return &ss->answer[(tag - TAG_FIRST) % ANSWERS];
}

#endif
