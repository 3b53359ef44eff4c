/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_NET_H
#define UNIT_NET_H

/*
 * A network layer between two ports of its own, for the unit tests of neigh, ip and udp.
 *
 * What the layer sends is caught as frames; a port with offloads fills in what a device would fill
 * in, so what is caught is what would be on the wire.  Time stands still until net_advance.
 *
 *   port 0: 02:00:00:00:00:01, 10.0.0.1/24, default gateway 10.0.0.254
 *   port 1: 02:00:00:00:00:02, 192.168.1.1/24
 */

#include <stdbool.h>
#include <stdint.h>

#include "../../support/frame.h"
#include "ip/ip.h"

#define NET_SENT_MAX 4096

struct net_port {
	struct pc_port port;
	bool refuses;              /* tx_burst takes nothing */
	uint32_t nb_sent, nb_seen; /* caught, and looked at by net_next */
	struct rte_mbuf *sent[NET_SENT_MAX];
};

struct net {
	struct ctx ctx;
	struct ip ip;
	struct net_port port[2];
	struct rte_mempool *pool;
};

/* Hosts that the tests speak as. */
#define NET_US      IP4(10, 0, 0, 1)
#define NET_US_TOO  IP4(192, 168, 1, 1)
#define NET_PEER    IP4(10, 0, 0, 2)
#define NET_GATEWAY IP4(10, 0, 0, 254)
#define NET_FAR     IP4(198, 51, 100, 7)

/* An IPv4 address in network byte order. */
#define IP4(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

extern const uint8_t net_peer_mac[6]; /* 02:00:00:00:00:99 */
extern const uint8_t net_broadcast_mac[6];

/** net_init prepares settings, which may be changed before net_open. */
void net_init(struct net *net);

/** net_open makes the layer with its ports, addresses and default route, and announces them. */
void net_open(struct net *net);

/** net_forget_routes takes every route away. */
void net_forget_routes(struct net *net);

/** net_close ends the layer and checks that no mbuf is missing. */
void net_close(struct net *net);

/** net_advance lets ms pass, in steps of 10 ms as a loop would. */
void net_advance(struct net *net, uint64_t ms);

/** net_mbuf makes a packet of a frame's bytes; first > 0: its first mbuf has so many bytes, and each
 * of the others rest. */
struct rte_mbuf *net_mbuf(struct net *net, const void *bytes, uint32_t len, uint16_t first,
                          uint16_t rest);

/** net_payload makes an mbuf with IP_HEADROOM and more, of len bytes i mod 251. */
struct rte_mbuf *net_payload(struct net *net, uint32_t len);

/**
 * net_input gives a frame to eth_input and then, as the verdicts say, to arp_input, ip4_input and
 * icmp4_input. Returns the last verdict. A frame that is dropped is freed; NEXT_TCP and NEXT_UDP too,
 * unless keep is not NULL, which then gets it.
 */
int net_input(struct net *net, uint8_t netif, const struct frame *f, struct ip_pkt *p,
              struct rte_mbuf **keep);

/** net_input_mbuf does that for an mbuf, which it takes. */
int net_input_mbuf(struct net *net, uint8_t netif, struct rte_mbuf *m, struct ip_pkt *p,
                   struct rte_mbuf **keep);

/** net_error is what icmp4_input said of the last ICMP error. */
extern struct icmp_error net_error;

/** net_next takes the next frame that was sent by an interface. Returns false when there is none. */
bool net_next(struct net *net, uint8_t netif, struct frame *f);

/** net_idle says that no frame waits to be looked at. */
bool net_idle(struct net *net);

/** net_ends are the two ends of a packet from a host on the link of port 0 (the peer's MAC) to us. */
struct frame_ends net_ends(uint32_t src_be, uint32_t dst_be);

/** net_neighbour looks a neighbour up. */
struct neigh_ref net_neighbour(struct net *net, uint8_t netif, uint32_t addr_be);

/** net_send sends a packet of len bytes to a neighbour. */
void net_send(struct net *net, uint8_t netif, uint32_t addr_be, uint32_t len);

/** net_resolve makes a neighbour known, by an answer to a question. */
void net_resolve(struct net *net, uint8_t netif, uint32_t addr_be, const uint8_t *mac);

/** net_count reads a counter. */
uint64_t net_count(const struct net *net, enum pc_counter c);

/** net_addr makes an address. */
struct pc_addr net_addr(uint32_t addr_be);

/** net_exhaust takes every mbuf of the pool, so that none can be had; net_relent gives them back. */
void net_exhaust(struct net *net);
void net_relent(void);

/** net_program starts EAL and runs the cases of a test program. */
struct unit_case;
int net_program(const char *name, const struct unit_case *cases, size_t n);

#endif
