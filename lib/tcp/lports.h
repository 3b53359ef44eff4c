/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_LPORTS_H
#define TCP_LPORTS_H

/*
 * Which local ports connections have, including those in TIME-WAIT.
 *
 * A bound socket also has a struct binding.  A connection whose port comes from connect() or from a
 * listener has none, nor has TIME-WAIT, but bind() must not give their port to another socket
 * unless both allow that.  Half-open connections do not count.
 */

#include <stdbool.h>
#include <stdint.h>

#include "tcp/tcb.h"

/** How many connections have a port, and how many of them are without SO_REUSEADDR. */
struct lport {
	uint32_t all, firm;
};

struct lports {
	struct lport *of; /* by port */
};

struct tcp;

/** lports_footprint returns the bytes of the counters. */
uint64_t lports_footprint(void);

/** lports_init: 0 or -ENOMEM. */
int lports_init(struct lports *p, int socket_id);
void lports_fini(struct lports *p);

/** lports_add counts a connection on a port, with or without TCB_REUSEADDR in flags; lports_del
 * removes it. */
static inline void lports_add(struct lports *p, uint16_t port, uint32_t flags)
{
	p->of[port].all++;
	p->of[port].firm += !(flags & TCB_REUSEADDR);
}

static inline void lports_del(struct lports *p, uint16_t port, uint32_t flags)
{
	p->of[port].all--;
	p->of[port].firm -= !(flags & TCB_REUSEADDR);
}

/** lports_is_free says whether no connection has a port. */
static inline bool lports_is_free(const struct lports *p, uint16_t port)
{
	return p->of[port].all == 0;
}

/** lports_conflict says whether a connection on this port prevents a socket with flags (TCB_REUSE*,
 * TCB_IP6, TCB_V6ONLY) from having it: their addresses overlap, and they do not both have
 * SO_REUSEADDR or both SO_REUSEPORT. */
bool lports_conflict(const struct tcp *tcp, uint16_t laddr, uint16_t port, uint32_t flags);

#define LPORTS_WORDS ((UINT16_MAX + 1) / 64)

/** lports_taken sets the bit of each port that a connection has on an address that a socket with these flags
 * (TCB_IP6, TCB_V6ONLY) would share with it. */
void lports_taken(const struct tcp *tcp, uint16_t laddr, uint32_t flags,
                  uint64_t taken[LPORTS_WORDS]);

/** lports_validate returns the number of violations: connections that are not counted. */
unsigned lports_validate(const struct tcp *tcp);

#endif
