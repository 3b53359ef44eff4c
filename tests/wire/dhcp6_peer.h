/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_DHCP6_PEER_H
#define WIRE_DHCP6_PEER_H

/* A router and servers written by hand, for tests of DHCPv6. */

#include <percore/dhcp6.h>

#include "frame6.h"
#include "wt.h"

#define LOCAL  "fd00::1"
#define SERVER "fe80::67"
#define ONE    "2001:db8::11"
#define TWO    "2001:db8::22"

#define M_FLAG 0x80
#define O_FLAG 0x40

#define FOREVER UINT32_MAX

enum {
	SOLICIT = 1,
	ADVERTISE,
	REQUEST,
	CONFIRM,
	RENEW,
	REBIND,
	REPLY,
	RELEASE,
	DECLINE,
	INFORM = 11
};
enum { UNSPEC_FAIL = 1, NO_ADDRS, NO_BINDING, NOT_ON_LINK, USE_MULTICAST };

/** What a message of the client says. */
struct heard {
	uint8_t type, xid[3], duid[10];
	uint16_t elapsed;
	bool has_server, rapid, has_ia;
	char server;    /* which one, as in told */
	unsigned wants; /* bits: DNS, search, refresh, SOL_MAX_RT, INF_MAX_RT */
	uint8_t iaid[4], nb_addrs;
	struct pc_addr addr[8], src;
	uint64_t at_ns;
};

/** An address that a server tells. */
struct told_addr {
	const char *addr;
	uint32_t preferred, valid;
	uint16_t status;
};

/** What a server says to the last message; members left out are not said, and the IA is ours. */
struct told {
	uint8_t type;
	char server; /* one letter; 0: 'a' */
	uint8_t preference, rapid;
	uint16_t status, ia_status;
	bool no_ia, other_ia;
	uint32_t t1, t2, sol_max_rt;
	const char *dns;
	unsigned n; /* how many of addr */
	struct told_addr addr[12];
};

extern struct pc_dhcp6 *client;
extern struct heard last;

/** start makes a stack that makes addresses of its own if slaac, and a client; with dad, new addresses are tried. */
void start(struct wt *w, enum pc_dhcp6_mode mode, bool slaac, bool dad);

/** again ends the client, and begins with another one. */
void again(struct wt *w, enum pc_dhcp6_mode mode);

/** finish ends the client, and checks that nothing of it is left. */
void finish(struct wt *w);

/** advertise is a router that is there for half an hour. */
void advertise(struct wt *w, uint8_t flags);

/** hear reads the next message of the client within ms, looked for every step ms, into last. Returns false when there is
 * none. Nothing is due that pc_dhcp6_next_deadline does not tell. */
bool hear(struct wt *w, double ms, double step);

/** build writes what a server says. Returns its length. */
uint16_t build(uint8_t *d, const struct told *t);

/** say sends bytes of a server to whom it has heard last; tell what a server says. */
void say(struct wt *w, const uint8_t *d, uint16_t len);
void tell(struct wt *w, const struct told *t);

/** claim says that somebody else has an address. */
void claim(struct wt *w, const char *addr);

/** has says whether the address is usable, knows that the client tells of it. */
bool has(struct wt *w, const char *addr);
bool knows(const char *addr);

/** source returns the last byte of the address from which the stack speaks to another network. */
uint8_t source(struct wt *w);

/** lease brings the client to a lease of these addresses: Solicit, Advertise, Request, Reply. */
void lease(struct wt *w, const struct told *t);

/** SILENT says that the client sends nothing for so long. */
#define SILENT(ms) CHECK(!hear(w, ms, (ms) > 100000 ? 1000 : 100))

#define HEAR(kind, ms)                  \
	do {                            \
		CHECK(hear(w, ms, 20)); \
		EQ(last.type, kind);    \
	} while (0)
#define TELL(...)  tell(w, &(struct told){__VA_ARGS__})
#define LEASE(...) lease(w, &(struct told){__VA_ARGS__})
#define WITH(...)                                                                  \
	.n = sizeof((struct told_addr[]){__VA_ARGS__}) / sizeof(struct told_addr), \
	.addr = {__VA_ARGS__}

#endif
