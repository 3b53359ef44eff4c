/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_INSPECT_H
#define PERCORE_INSPECT_H

/*
 * What a stack has at the moment: sockets and connections, neighbours, denied networks.
 *
 * Nothing changes by these calls.  They are a stack's thread's, as all are; from another one they are posted
 * (percore/control.h), and percore-ctl shows what they tell.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A socket, or a connection that has none: half-open, in TIME-WAIT, or closed by its application. */
struct pc_socket_info {
	struct pc_endpoint local, remote; /**< any address, port 0: as yet none */
	int32_t fd;                       /**< -1: no application has it */
	uint8_t proto;                    /**< IPPROTO_TCP or IPPROTO_UDP */
	uint8_t
	    state; /**< as TCP_INFO has it (TCP_ESTABLISHED ..); of UDP TCP_ESTABLISHED: connected, TCP_CLOSE: not */
	uint8_t family;     /**< AF_INET or AF_INET6: what the socket was made as */
	uint8_t retries;    /**< time-outs of the oldest segment, or of the SYN-ACK */
	uint32_t rcv_queue; /**< bytes to be read; of a listener: connections to be accepted */
	uint32_t snd_queue; /**< bytes to be sent or acknowledged; of a listener: its backlog */
	/* of a connection; 0: not known */
	uint32_t srtt_us; /**< smoothed round trip (RFC 6298) */
	uint32_t cwnd;    /**< bytes */
	uint32_t mss;     /**< bytes of text in a full segment to the peer */
	uint32_t idle_ms; /**< since the peer was last heard of */
};

/** Which of them are wanted. Zeroed: all. */
struct pc_socket_match {
	struct pc_prefix peer; /**< of these peers, where has_peer */
	uint32_t states;       /**< a bit 1 << state for each; 0: in any */
	uint16_t port;         /**< local or the peer's; 0: any */
	uint8_t proto;         /**< 0: any */
	bool has_peer;
};

/** How far a walk over the sockets of a stack has come. Zeroed: not begun. */
struct pc_socket_walk {
	uint32_t part, index, seen;
	bool done;
};

/** Places that pc_stack_walk_sockets looks at in one call. */
#define PC_WALK_STEP 1024

/**
 * pc_stack_walk_sockets writes at most n sockets that match, and goes on where the call before has stopped. A call looks at
 * PC_WALK_STEP places at most, some microseconds' work, so that a stack of millions of connections may be walked while it
 * serves them: fewer than n, or none, is not the end, walk->done is. What comes or goes meanwhile may be
 * missed. Returns how many were written.
 */
unsigned pc_stack_walk_sockets(const struct pc_stack *st, struct pc_socket_walk *walk,
                               const struct pc_socket_match *match, struct pc_socket_info *list,
                               unsigned n);

/** What is known of a neighbour (RFC 4861 section 7.3.2, for both families). */
enum pc_neigh_state {
	PC_NEIGH_NONE, /**< nobody has asked yet */
	PC_NEIGH_INCOMPLETE,
	PC_NEIGH_FAILED,
	PC_NEIGH_STALE,
	PC_NEIGH_REACHABLE,
	PC_NEIGH_DELAY,
	PC_NEIGH_PROBE,
};

struct pc_neigh_info {
	struct pc_addr addr;
	int port;
	uint8_t mac[6]; /**< zero: not known */
	uint8_t state;  /**< enum pc_neigh_state */
	bool fixed;     /**< set by pc_stack_set_neigh */
	uint8_t held;   /**< frames that wait for the answer */
};

/** pc_stack_get_neighs writes at most n neighbours, from the from-th on. Returns how many there are. */
unsigned pc_stack_get_neighs(const struct pc_stack *st, unsigned from, struct pc_neigh_info *list,
                             unsigned n);

/** pc_stack_get_denied writes at most n networks that pc_stack_deny has denied, from the from-th on. Returns how
 * many there are. */
unsigned pc_stack_get_denied(const struct pc_stack *st, unsigned from, struct pc_prefix *list,
                             unsigned n);

#ifdef __cplusplus
}
#endif
#endif
