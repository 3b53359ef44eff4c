/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * The other end of a benchmark: a port with any number of simulated TCP clients behind it.
 *
 * A client is a few words of state and has no timers: it sends exactly the segment that it is told
 * to send, and records what it receives. So the cost of a segment can be measured without a second
 * stack, and without a machine in between.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/port.h>

struct peer;

#define PEER_PORTS_BITS  15
#define PEER_PER_ADDRESS (1u << PEER_PORTS_BITS) /* clients per address */

/** What a client can be told to send. */
enum peer_segment {
	PEER_SYN,
	PEER_ACK,
	PEER_ACK_TWO,    /* acknowledges two full segments more than before */
	PEER_DATA,       /* the request, acknowledging everything received */
	PEER_DATA_AHEAD, /* the request, acknowledging all but as many bytes as it has */
	PEER_FIN,
	PEER_DATAGRAM, /* the request over UDP */
	PEER_ARP,      /* asks for the server's MAC address (ARP or ND); it learns the client's */
};

/** peer_create makes a port with n clients of server (network byte order) and port, or, with ip6,
 * of the address fd09::server. NULL: no memory. */
struct peer *peer_create(struct rte_mempool *pool, uint32_t n, uint32_t server_be, uint16_t port,
                         bool ip6);

/** peer_port returns the port; pc_port_close closes it and frees the peer. */
struct pc_port *peer_port(struct peer *p);

/** peer_request sets what PEER_DATA sends: len bytes, which the peer does not copy. */
void peer_request(struct peer *p, const void *data, uint16_t len);

/** peer_offer_sack has the clients offer SACK in their SYNs. */
void peer_offer_sack(struct peer *p);

/** peer_send has a client send a segment at the next rx_burst. */
void peer_send(struct peer *p, uint32_t client, enum peer_segment what);

/** peer_pending returns how many segments wait to be received. */
uint32_t peer_pending(const struct peer *p);

/** peer_got returns the payload bytes that a client has received since the last call; *fin and *syn
 * (if not NULL) say whether a FIN or a SYN was received. */
uint32_t peer_got(struct peer *p, uint32_t client, bool *syn, bool *fin);

/** peer_cycles returns the TSC cycles spent in the port so far, which are not the stack's. */
uint64_t peer_cycles(const struct peer *p);

/** peer_frames returns how many frames the stack has sent. */
uint64_t peer_frames(const struct peer *p);

/* The port's two functions, named so that a profiler can exclude them. */
uint16_t peer_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns);
uint16_t peer_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns);

#endif
