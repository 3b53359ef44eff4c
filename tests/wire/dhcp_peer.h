/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_DHCP_PEER_H
#define WIRE_DHCP_PEER_H

/* A DHCP server written by hand, for tests of the client. */

#include <arpa/inet.h>

#include <percore/control.h>
#include <percore/dhcp.h>

#include "wt.h"

#define SERVER "192.0.2.67"
#define LEASED "192.0.2.100"
#define ALL    "255.255.255.255"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE };

/** What a message of the client says. */
struct query {
	uint8_t type;
	uint32_t xid, ciaddr, requested, server;
	uint32_t src, dst;
	bool broadcast, has_id;
	uint16_t secs;
	char host[64]; /* the client's name */
};

extern struct pc_dhcp *client;
extern uint32_t xid; /* of the last message; of those that are built */

/** start makes a stack that has no address any more, and a client. */
void start(struct wt *w);

/** finish ends the client, and checks that nothing of it is left. */
void finish(struct wt *w);

/** turn has the client do what is due. */
void turn(struct wt *w);

/** sent returns the next frame that is sent within ms, looked for every step ms; NULL: none is. Nothing is due that
 * pc_dhcp_next_deadline does not tell. */
const struct frame *sent(struct wt *w, double ms, double step);

bool is_arp(const struct frame *f);

/** get32 reads four bytes as they are. */
uint32_t get32(const uint8_t *p);

struct query read_query(struct wt *w, const struct frame *f);

/** expect returns the next message, which is to be of this type and to come within ms. */
struct query expect(struct wt *w, double ms, uint8_t type);

/** put writes an option; build a reply, with n bytes of options behind the usual ones. Returns its end, its length. */
uint8_t *put(uint8_t *p, uint8_t code, uint8_t len, const void *data);
uint16_t build(uint8_t *d, uint8_t type, uint32_t lease_s, const uint8_t *more, size_t n);

/** inject sends bytes of a server, and reply a reply to all. */
void inject(struct wt *w, const char *to, const uint8_t *d, uint16_t len);
void reply(struct wt *w, uint8_t type, uint32_t lease_s);

/** ignored sends to all what has no effect at once. */
void ignored(struct wt *w, const uint8_t *d, uint16_t len);

/** claim injects an ARP packet about addresses, of somebody else or of the client's own MAC address. */
void claim(struct wt *w, uint16_t op, const char *sender, const char *target, bool own);

/** expect_probes sees three probes by ARP, and then the announcement. */
void expect_probes(struct wt *w);

/** become_bound goes from the start to a lease. */
void become_bound(struct wt *w, uint32_t lease_s);

struct pc_dhcp_lease lease_of(struct wt *w);
bool has_lease(void);

bool answers_ping(struct wt *w);

/** has_route says whether there is a route with this gateway (NULL: none) and metric. */
bool has_route(struct wt *w, const char *dest, const char *gateway, uint32_t metric);

/** flap has the link go and come. */
void flap(struct wt *w);

#endif
