/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_TABLE_H
#define UDP_TABLE_H

/* The inside of the UDP layer, shared by its source files. */

#include <netinet/in.h>

#include <rte_branch_prediction.h>

#include "base/hash.h"
#include "udp/cbpf.h"
#include "udp/raw.h"
#include "udp/udp.h"

struct udp_member;

/** A port before the port of an interface, while packet sockets want to see its frames. */
struct udp_tap {
	struct pc_port port; /* first */
	struct pc_port *inner;
	struct udp *udp;
	uint8_t netif;
};

struct udp {
	struct ctx *ctx;
	struct ip *ip;
	struct events *ev;
	uint32_t first_fd, nb_socks, count;
	uint32_t nb_connected;
	uint32_t free;     /* first free socket, index + 1, linked by next */
	uint32_t mask;     /* of the three tables; entries are index + 1, 0: empty */
	uint32_t *by_bind; /* every bound socket, by its port */
	uint32_t *by_port; /* those without a peer, by their port */
	uint32_t *by_peer; /* those with one, by all four of their numbers but the local address */
	struct hash_key key;
	struct udp_sock *sock;
	struct udp_member *member;
	uint32_t free_member; /* index + 1 */
	uint32_t raw, packet; /* first of these sockets, index + 1, linked by next */
	struct cbpf filter[UDP_FILTERS];
	struct udp_tap tap[PC_MAX_PORTS];
};

/** udp_peer_chain returns where the sockets with this peer and local port are. */
uint32_t *udp_peer_chain(const struct udp *udp, const struct pc_endpoint *remote, uint16_t port);

/** udp_find returns the socket that a datagram from src to dst belongs to, or NULL. */
struct udp_sock *udp_find(const struct udp *udp, const struct pc_endpoint *src,
                          const struct pc_endpoint *dst);

#define UDP_ANY_NETIF (-1)

/** udp_find_connected returns the socket that is connected so and hears an interface (UDP_ANY_NETIF: whichever), or NULL. */
struct udp_sock *udp_find_connected(const struct udp *udp, const struct pc_endpoint *local,
                                    const struct pc_endpoint *remote, int netif);

/** udp_report_local notes on the error queue that a datagram of ours is larger than the way to its
 * destination. */
void udp_report_local(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *to);

/** udp_path_find is ip_path_find_flow that knows of the path MTU of IPv4, too. */
int udp_path_find(struct udp *udp, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                  struct ip_path *path);

/** udp_group_laddr returns the address of ours that a socket sends to dst from: laddr, the one it is bound to, or if it has
 * none (LADDR_NONE) for a group one on the interface that it sends to groups by. LADDR_NONE: any. */
uint16_t udp_group_laddr(const struct udp *udp, const struct udp_sock *s, uint16_t laddr,
                         const struct pc_addr *dst);

/** udp_search_path makes s->path the way to dst and its port (0: it has none) from an address of ours, or any
 * (LADDR_NONE), by the interface of SO_BINDTOIFINDEX; it may have no address (LADDR_NONE) to a broadcast. Returns 0 or
 * -errno. */
int udp_search_path(struct udp *udp, struct udp_sock *s, const struct pc_addr *dst, uint16_t port,
                    uint16_t laddr);

/** udp_judge_size says whether a packet of total bytes, which is larger than the path's MTU, may go by
 * IP_MTU_DISCOVER, and how: it may set s->path.mtu. Returns 0 or -EMSGSIZE. */
int udp_judge_size(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *dst,
                   uint32_t total);

/** udp_wants_df says whether routers must not fragment an IPv4 packet of so many bytes, which we have not
 * fragmented either. Where the path may be narrower than it is believed to be, they must be free to. */
static inline bool udp_wants_df(const struct udp_sock *s, uint32_t total)
{
	if (s->discover == IP_PMTUDISC_WANT)
		return total <= s->path.mtu && s->path.mtu > IP_PMTU4_MIN;
	return s->discover == IP_PMTUDISC_DO || s->discover == IP_PMTUDISC_PROBE;
}

/** udp_source returns the address that packets on s->path come from; 0.0.0.0: this host has none yet. */
static inline struct pc_addr udp_source(const struct udp *udp, const struct udp_sock *s)
{
	return likely(s->path.laddr != LADDR_NONE) ? *ip_laddr(udp->ip, s->path.laddr)
	                                           : pc_addr_ip4(0);
}

/** udp_refuse says whether a socket has room for len bytes: VERDICT_DONE, or a drop. */
int udp_refuse(const struct udp *udp, struct udp_sock *s, uint32_t len);

/** udp_queue gives a socket a frame of its own, of which the first skip bytes are not read; l3_off says
 * where in it that header is which udp_read_info looks at. */
void udp_queue(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, uint16_t l3_off,
               uint16_t skip, uint8_t netif, uint8_t flags);

/** udp_filter says how many of the bytes behind off a socket's filter wants. */
uint32_t udp_filter(const struct udp *udp, const struct udp_sock *s, const struct rte_mbuf *m,
                    uint32_t off);

/** udp_untap takes the taps away when there is no packet socket. */
void udp_untap(struct udp *udp);

/** udp_bind_any gives a socket without a port a free one; if there is one, such that answers of remote come to our own
 * queue of the path's port. Returns 0 or -EADDRNOTAVAIL. */
int udp_bind_any(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *remote,
                 const struct ip_path *path);

#endif
