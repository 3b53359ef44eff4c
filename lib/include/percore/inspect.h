/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_INSPECT_H
#define PERCORE_INSPECT_H

/*
 * The current state of a stack: sockets and connections, neighbours and denied networks, as
 * percore-ctl shows them.
 *
 * These calls change nothing.  Like all calls, they are for the stack's thread; other threads post
 * them (percore/control.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How segments are signed. */
enum pc_signed {
	PC_SIGNED_NOT,
	PC_SIGNED_MD5, /**< TCP-MD5 (RFC 2385) */
	PC_SIGNED_AO,  /**< TCP-AO (RFC 5925) */
};

/** What a socket is for. */
enum pc_socket_kind {
	PC_SOCKET_TRANSPORT, /**< TCP or UDP */
	PC_SOCKET_RAW,       /**< a raw socket of AF_INET or AF_INET6 */
	PC_SOCKET_PACKET,    /**< a packet socket */
};

/**
 * A socket, or a connection that has none: half-open, in TIME-WAIT, or closed by its application.
 */
struct pc_socket_info {
	struct pc_endpoint local, remote; /**< unspecified address, port 0: none yet */
	int32_t fd;                       /**< -1: not open in any application */
	/** IPPROTO_TCP or IPPROTO_UDP; of a raw socket the protocol of IP that it is for */
	uint8_t proto;
	/** as in TCP_INFO (TCP_ESTABLISHED, ...); of other sockets TCP_ESTABLISHED or TCP_CLOSE */
	uint8_t state;
	uint8_t family;     /**< AF_INET, AF_INET6 or AF_PACKET, as in pc_socket */
	uint8_t retries;    /**< time-outs of the oldest segment, or of the SYN-ACK */
	uint32_t rcv_queue; /**< bytes to read; of a listener: connections to accept */
	uint32_t snd_queue; /**< bytes unsent or unacknowledged; of a listener: its backlog */
	/* of a connection; 0: unknown */
	uint32_t srtt_us;  /**< smoothed round-trip time (RFC 6298) */
	uint32_t cwnd;     /**< congestion window, in bytes */
	uint32_t mss;      /**< payload bytes of a full segment to the peer */
	uint32_t idle_ms;  /**< since the peer's last segment */
	uint8_t signature; /**< enum pc_signed; of a listener: with some peers */
	uint8_t kind;      /**< enum pc_socket_kind */
	/** the interface that it is bound to, as in sll_ifindex (1: port 0); 0: any */
	uint8_t ifindex;
	uint16_t ethertype; /**< of a packet socket, as in sll_protocol but in host byte order */
};

/** A filter for sockets. Zeroed: all. */
struct pc_socket_match {
	struct pc_prefix peer; /**< only peers in this network, if has_peer */
	uint32_t states;       /**< bit 1 << state for each state; 0: any */
	uint16_t port;         /**< local or remote, in host byte order; 0: any */
	uint8_t proto;         /**< IPPROTO_TCP or IPPROTO_UDP; 0: any */
	bool has_peer;
	uint8_t kind; /**< PC_SOCKET_RAW or PC_SOCKET_PACKET; 0: any */
};

/** Position of a walk over the sockets of a stack. Zeroed: the beginning. */
struct pc_socket_walk {
	uint32_t part, index, seen;
	bool done;
};

/** Maximum number of table entries that pc_stack_walk_sockets examines in one call. */
#define PC_WALK_STEP 1024

/**
 * pc_stack_walk_sockets writes at most n matching sockets, continuing where the previous call with
 * this walk stopped. It examines at most PC_WALK_STEP table entries, which takes some microseconds,
 * so a stack can be walked while it serves millions of connections. Fewer than n, or none, does not
 * mean the end; walk->done does. Sockets that come or go meanwhile may be missed. Returns how many
 * were written.
 */
unsigned pc_stack_walk_sockets(const struct pc_stack *st, struct pc_socket_walk *walk,
                               const struct pc_socket_match *match, struct pc_socket_info *list,
                               unsigned n);

/** States of a neighbour (RFC 4861 section 7.3.2, for both families). */
enum pc_neigh_state {
	PC_NEIGH_NONE, /**< not requested yet */
	PC_NEIGH_INCOMPLETE,
	PC_NEIGH_FAILED,
	PC_NEIGH_STALE,
	PC_NEIGH_REACHABLE,
	PC_NEIGH_DELAY,
	PC_NEIGH_PROBE,
};

/** An entry of the neighbour table. */
struct pc_neigh_info {
	struct pc_addr addr;
	int port;
	uint8_t mac[6]; /**< all zero: unknown */
	uint8_t state;  /**< enum pc_neigh_state */
	bool fixed;     /**< static (pc_stack_set_neigh) */
	uint8_t held;   /**< frames that wait for address resolution */
};

/**
 * pc_stack_get_neighs writes at most n neighbours, beginning with index from. Returns how many
 * there are in all.
 */
unsigned pc_stack_get_neighs(const struct pc_stack *st, unsigned from, struct pc_neigh_info *list,
                             unsigned n);

/**
 * pc_stack_get_denied writes at most n denied networks (pc_stack_deny), beginning with index from.
 * Returns how many there are in all.
 */
unsigned pc_stack_get_denied(const struct pc_stack *st, unsigned from, struct pc_prefix *list,
                             unsigned n);

#ifdef __cplusplus
}
#endif
#endif
