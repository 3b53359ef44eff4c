/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_CLIENT6_H
#define DHCP_CLIENT6_H

/*
 * The parts of the DHCPv6 client, internal to lib/dhcp: dhcp6.c is the client and requests
 * information, ia6.c leases addresses, exchange6.c retransmits messages, lease6.c configures a
 * stack with the result.
 */

#include "dhcp/message6.h"
#include "stack/stack.h"

#define DHCP6_SECOND_NS UINT64_C(1000000000)

/** A message that is retransmitted until it is answered (section 15). */
struct exchange6 {
	uint8_t type; /* DHCP6_NONE: no message */
	uint8_t tries;
	uint32_t xid;
	uint64_t begin_ns;
	uint64_t rt_ns; /* the current wait */
	uint64_t at_ns; /* when it ends */
};

/** An address of the lease. */
struct ia6_addr {
	struct pc_dhcp6_addr a;
	uint16_t laddr; /* its index in the stack */
	bool ready;     /* no duplicate was found: it is reported in info */
};

enum ia6_state { IA6_IDLE, IA6_WAITING, IA6_ASKING, IA6_BOUND };

/** Our one IA_NA: see ia6.c. */
struct ia6 {
	enum ia6_state state;
	bool news;    /* the ready addresses have changed since they were last reported */
	bool offered; /* there is an offer, in preference, server and asked */
	uint8_t preference;
	uint8_t nb_addrs; /* number of addresses leased */
	uint8_t nb_asked; /* number of addresses in the current message */
	uint64_t at_ns;   /* in WAITING: when that ends */
	uint64_t t1_ns, t2_ns;
	struct exchange6 x;
	struct dhcp6_duid server; /* that has leased the addresses, or made the offer */
	struct ia6_addr addr[PC_DHCP6_ADDRS];
	struct pc_addr asked[PC_DHCP6_ADDRS];
};

enum info6_state { INFO6_IDLE, INFO6_WAITING, INFO6_ASKING, INFO6_KNOWN };

struct pc_dhcp6 {
	struct pc_stack *st;
	int port, fd; /* fd: -1 unless an answer is awaited */
	enum pc_dhcp6_mode mode;
	enum info6_state state;
	uint8_t ups; /* the interface's ups when last looked at */
	uint32_t generation;
	uint32_t sol_max_rt_s, inf_max_rt_s; /* as servers have set them; 0: not set */
	/* now_ns: of this turn; at_ns: when information is to be requested; UINT64_MAX: never */
	uint64_t now_ns, at_ns;
	struct dhcp6_self self;
	struct exchange6 x; /* the request for information */
	struct ia6 ia;
	struct pc_dhcp6_info info;
};

static inline const struct netif *client6_netif(const struct pc_dhcp6 *d)
{
	return &d->st->ip.ifs.netif[d->port];
}

/** client6_is_up says whether messages can be sent. */
bool client6_is_up(const struct pc_dhcp6 *d);

/** client6_know takes over the name servers of a message from a server; information need no longer
 * be requested. */
void client6_know(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from);

/** client6_changed notes that pc_dhcp6_get_info has something new to report. */
void client6_changed(struct pc_dhcp6 *d);

/* ---- messages: exchange6.c ---- */

/** exchange6_begin prepares a message for exchange6_next to send. */
void exchange6_begin(struct pc_dhcp6 *d, struct exchange6 *x, enum dhcp6_type type);

/** exchange6_next sends the message, again or for the first time, and sets how long to wait.
 * Returns false once the limit of transmissions or of time is reached. */
bool exchange6_next(struct pc_dhcp6 *d, struct exchange6 *x, struct dhcp6_query *q);

/** exchange6_is_for says whether a received message answers the current one. */
static inline bool exchange6_is_for(const struct exchange6 *x, const struct dhcp6_reply *r)
{
	return x->type != DHCP6_NONE && x->xid == r->xid;
}

/** exchange6_jitter returns a random time of up to a second (SOL_MAX_DELAY, CNF_MAX_DELAY,
 * INF_MAX_DELAY). */
uint64_t exchange6_jitter(struct pc_dhcp6 *d);

/* ---- addresses: ia6.c ---- */

/** ia6_turn does what is due. */
void ia6_turn(struct pc_dhcp6 *d);

/** ia6_input processes the answer to the current message. Returns false if it is not one. */
bool ia6_input(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from);

/** ia6_follow_link is called when the link has been down. */
void ia6_follow_link(struct pc_dhcp6 *d);

/** ia6_informs says whether name servers are expected with addresses, which are leased or may yet
 * be. */
bool ia6_informs(const struct pc_dhcp6 *d);

/** ia6_next_deadline returns when something is due. */
uint64_t ia6_next_deadline(const struct pc_dhcp6 *d);

/** ia6_end releases the addresses. */
void ia6_end(struct pc_dhcp6 *d);

/* ---- what a stack is given: lease6.c ---- */

/** lease6_apply_names is pc_dhcp6_apply for all but the addresses. */
void lease6_apply_names(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                        const struct pc_dhcp6_info *info);

#endif
