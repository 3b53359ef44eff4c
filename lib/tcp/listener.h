/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_LISTENER_H
#define TCP_LISTENER_H

/*
 * Bindings: which socket has which local port, and which of them listen.
 *
 * A binding exists from bind() (or listen(), or connect() of a bound socket) to close().  Accepted
 * connections have none of their own: they refer to their listener's, for its options and accept
 * queue.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/freelist.h"

#define BINDING_BUCKETS 16384 /* with all bindings in use, four per chain */

#define BINDING_IP4 0x1
#define BINDING_IP6 0x2

struct binding {
	uint32_t tcb;                      /* of the socket; 0: free */
	uint32_t next;                     /* in the chain, or in the free list; index, 0: none */
	uint32_t accept_head, accept_tail; /* TCBs, linked by their poll.data */
	uint32_t accept_n, backlog;
	uint32_t half_open;        /* entries of the SYN cache */
	uint32_t fastopen;         /* connections in SYN-RECEIVED (RFC 7413) */
	uint32_t fastopen_reset;   /* connections reset in that state, which count for a while */
	uint32_t fastopen_reset_s; /* when the last of them was reset */
	uint16_t laddr;            /* index of the address, LADDR_NONE: any of families */
	uint16_t port;             /* host byte order */
	uint8_t families;          /* BINDING_* that it accepts */
	bool listening;
	bool fixed;  /* bind() asked for this port */
	bool lapsed; /* its connection has ended, and the port (not fixed) is given back */
};

struct bindings {
	struct binding *binding; /* 1 .. n */
	uint32_t n, listeners;
	struct freelist free; /* by binding.next */
	uint16_t chain[BINDING_BUCKETS];
};

struct tcp;
struct tcb;

/** bindings_footprint returns the bytes of n bindings. */
uint64_t bindings_footprint(uint32_t n);

int bindings_init(struct bindings *b, uint32_t n, int socket_id);
void bindings_fini(struct bindings *b);

/**
 * bindings_families returns the families of a socket with flags TCB_IP6 and TCB_V6ONLY: an AF_INET6
 * socket has both unless IPV6_V6ONLY is set (RFC 3493 section 5.3).
 */
uint8_t bindings_families(uint32_t flags);

/**
 * bindings_add binds a socket of these families without checking for conflicts. Returns the index,
 * or 0: full.
 */
uint32_t bindings_add(struct bindings *b, uint32_t tcb, uint16_t laddr, uint16_t port,
                      uint8_t families);

/** bindings_del frees a binding. */
void bindings_del(struct bindings *b, uint32_t index);

/** bindings_lapse gives back the port of a binding whose connection has ended, unless bind() asked
 * for that port. The address stays. */
static inline void bindings_lapse(struct bindings *b, uint32_t index)
{
	b->binding[index].lapsed = !b->binding[index].fixed;
}

/** bindings_conflict says whether the name conflicts with a binding other than except, for a socket
 * with flags (TCB_REUSE*, TCB_IP6, TCB_V6ONLY). */
bool bindings_conflict(const struct tcp *tcp, uint16_t laddr, uint16_t port, uint32_t flags,
                       uint32_t except);

/** bindings_listener finds the listener for an address and port: preferably one bound to the
 * address, else one bound to any address of its family (BINDING_*) only, else one of both families;
 * among several (SO_REUSEPORT) the hash decides. Returns the index or 0. */
uint32_t bindings_listener(const struct bindings *b, uint8_t family, uint16_t laddr, uint16_t port,
                           uint32_t hash);

/** binding_family returns the family of an address. */
static inline uint8_t binding_family(const struct pc_addr *a)
{
	return pc_addr_is_ip4(a) ? BINDING_IP4 : BINDING_IP6;
}

/** listener_push appends a connection to the accept queue. */
void listener_push(struct tcp *tcp, uint32_t binding, struct tcb *t);

/** listener_pop removes and returns the first connection of the accept queue, or NULL. */
struct tcb *listener_pop(struct tcp *tcp, uint32_t binding);

/** listener_is_full says whether the accept queue is full (at backlog + 1, as on Linux). */
static inline bool listener_is_full(const struct binding *l)
{
	return l->accept_n > l->backlog;
}

#endif
