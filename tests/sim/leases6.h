/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_LEASES6_H
#define SIM_LEASES6_H

/*
 * A search for defects in the DHCPv6 client. leases6_servers.c has servers that lease, refuse and
 * change; leases6.c has the client as RFC 8415 describes it, and checks the real one against that.
 */

#include "config_bed.h"
#include "frame6.h"

#define SERVERS 3
#define ADDRS   5 /* of a server, of which it leases up to three */
#define ANSWERS 1024
#define FOREVER UINT32_MAX

enum type { SOLICIT = 1, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE };
enum { SUCCESS, UNSPEC_FAIL, NO_ADDRS, NO_BINDING, NOT_ON_LINK };

/** What a message of the client says. */
struct said {
	uint8_t type, server;      /* server: number + 1; 0: none */
	uint32_t xid, iaid, addrs; /* addrs: a bit for each */
	uint16_t elapsed;
	bool has_client, has_ia;
};

/** What a server says; addresses have the numbers of their bits. */
struct answer {
	bool valid; /* for this client, and well-formed */
	uint8_t type, server, preference;
	uint16_t status, ia_status;
	uint32_t xid, iaid, t1_s, t2_s, addrs;
	uint32_t preferred_s, valid_s;
};

struct server {
	bool alive;
	uint8_t preference;
	uint32_t leased; /* a bit for each address */
	uint32_t t1_s, t2_s, preferred_s, valid_s;
	unsigned refuses; /* percent of requests */
};

/** The servers and the link. */
struct servers6 {
	unsigned n, loss, spoilt; /* percent of answers */
	uint64_t late_ns;         /* the longest delay */
	uint32_t scale_s;         /* of lifetimes */
	struct server s[SERVERS];
	struct answer answer[ANSWERS]; /* by tag */
	unsigned nb_answers;
};

/** servers6_addr returns the address with a number. */
struct pc_addr servers6_addr(unsigned i);

/** servers6_draw gives a server other addresses and times, as after a restart. */
void servers6_draw(struct bed *b, const struct servers6 *ss, struct server *s);

/** servers6_hear has those that hear a message answer it. */
void servers6_hear(struct bed *b, struct servers6 *ss, const struct said *q);

#endif
