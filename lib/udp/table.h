/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_TABLE_H
#define UDP_TABLE_H

/* The internals of the UDP layer, shared by its source files. */

#include <netinet/in.h>

#include <rte_branch_prediction.h>

#include "base/hash.h"
#include "udp/cbpf.h"
#include "udp/raw.h"
#include "udp/udp.h"

struct udp_member;

/** A port in front of an interface's port, while packet sockets want to see its frames. */
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
	uint32_t *by_port; /* those without a peer, by port */
	uint32_t *by_peer; /* those with one, by peer and local port */
	struct hash_key key;
	struct udp_sock *sock;
	struct udp_member *member;
	uint32_t free_member; /* index + 1 */
	uint32_t raw, packet; /* the first of each kind, index + 1, linked by next */
	struct cbpf filter[UDP_FILTERS];
	struct udp_tap tap[PC_MAX_PORTS];
};

/** udp_peer_chain returns the chain of the sockets with this peer and local port. */
uint32_t *udp_peer_chain(const struct udp *udp, const struct pc_endpoint *remote, uint16_t port);

/** udp_find returns the socket that a datagram from src to dst belongs to, or NULL. */
struct udp_sock *udp_find(const struct udp *udp, const struct pc_endpoint *src,
                          const struct pc_endpoint *dst);

#define UDP_ANY_NETIF (-1)

/** udp_find_connected returns the socket with these two ends that receives from an interface
 * (UDP_ANY_NETIF: any), or NULL. */
struct udp_sock *udp_find_connected(const struct udp *udp, const struct pc_endpoint *local,
                                    const struct pc_endpoint *remote, int netif);

/** udp_report_local adds an error to the error queue: a datagram of ours is larger than the path
 * MTU to its destination. */
void udp_report_local(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *to);

/** udp_path_find is ip_path_find_flow, but takes the IPv4 path MTU into account, too. */
int udp_path_find(struct udp *udp, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                  struct ip_path *path);

/** udp_group_laddr returns the address of ours that a socket sends to dst from: laddr, the one it
 * is bound to. If that is LADDR_NONE and dst is a group, it is an address of the socket's multicast
 * interface. LADDR_NONE: any. */
uint16_t udp_group_laddr(const struct udp *udp, const struct udp_sock *s, uint16_t laddr,
                         const struct pc_addr *dst);

/** udp_search_path makes s->path the path to dst and its port (0: none) from an address of ours, or
 * any (LADDR_NONE), by the interface of SO_BINDTOIFINDEX; for a broadcast that interface need not
 * have an address. Returns 0 or -errno. */
int udp_search_path(struct udp *udp, struct udp_sock *s, const struct pc_addr *dst, uint16_t port,
                    uint16_t laddr);

/** udp_judge_size decides by IP_MTU_DISCOVER whether a packet of total bytes, more than the path's
 * MTU, may be sent, and how: it may set s->path.mtu. Returns 0 or -EMSGSIZE. */
int udp_judge_size(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *dst,
                   uint32_t total);

/** udp_wants_df says whether to forbid routers to fragment an IPv4 packet of this many bytes, which
 * we have not fragmented either. They must be allowed to where the path may be narrower than the
 * lowest MTU we believe. */
static inline bool udp_wants_df(const struct udp_sock *s, uint32_t total)
{
	if (s->discover == IP_PMTUDISC_WANT)
		return total <= s->path.mtu && s->path.mtu > IP_PMTU4_MIN;
	return s->discover == IP_PMTUDISC_DO || s->discover == IP_PMTUDISC_PROBE;
}

/** udp_source returns the source address of packets on s->path; 0.0.0.0: this host has none yet. */
static inline struct pc_addr udp_source(const struct udp *udp, const struct udp_sock *s)
{
	return likely(s->path.laddr != LADDR_NONE) ? *ip_laddr(udp->ip, s->path.laddr)
	                                           : pc_addr_ip4(0);
}

/** udp_find_name finds what a socket may be bound to: an address of ours, whose index is *laddr, or a group,
 * a broadcast address or any (LADDR_NONE). Returns 0 or -EADDRNOTAVAIL. */
int udp_find_name(const struct udp *udp, const struct pc_addr *addr, uint16_t *laddr);

/** udp_refuse says whether a socket has room for len bytes: VERDICT_DONE, or a drop. While mbufs
 * are low only an empty queue has, for as many as ctx_may_keep allows, which it counts. */
int udp_refuse(const struct udp *udp, struct udp_sock *s, uint32_t len);

/** udp_may_copy says so for a copy, and counts its mbufs: in one turn many sockets may get one of
 * each frame. */
bool udp_may_copy(const struct udp *udp, struct udp_sock *s, uint32_t len);

/** udp_queue queues a frame on a socket, which then owns it; the first skip bytes are not read;
 * l3_off is the offset of the header that udp_read_info reads. */
void udp_queue(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, uint16_t l3_off,
               uint16_t skip, uint8_t netif, uint8_t flags);

/** udp_filter returns how many of the bytes from off on a socket's filter keeps. */
uint32_t udp_filter(const struct udp *udp, const struct udp_sock *s, const struct rte_mbuf *m,
                    uint32_t off, const struct cbpf_facts *facts);

/** udp_untap removes the taps if there is no packet socket left. */
void udp_untap(struct udp *udp);

/** udp_bind_any gives a socket without a port a free one, if possible one for which answers from
 * remote arrive at our own queue of the path's port. Returns 0 or -EADDRNOTAVAIL. */
int udp_bind_any(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *remote,
                 const struct ip_path *path);

#endif
