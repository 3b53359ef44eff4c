/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_UDP_H
#define UDP_UDP_H

/*
 * UDP (RFC 768, RFC 1122 section 4.1): sockets, demultiplexing, a bounded queue of datagrams each.
 *
 * A socket is known by its index, counted from 0; its descriptor is first_fd + index.  A queued
 * datagram is its mbuf: data begins with the payload, the IP header is still in front of it, and the
 * note says where (rx.l3_off), so the sender's address costs nothing to keep.  Lookup: the socket
 * connected to exactly this peer first, then one bound to the address, then one bound to any; of
 * several with SO_REUSEPORT the choice is by a hash of the sender.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/pkt.h"
#include "event/event.h"
#include "ip/ip.h"

struct udp;

/** The state of a socket that the socket layer may read and set. */
struct udp_sock {
	struct pollable poll;
	struct pc_endpoint local;  /* addr any: every address of ours; port 0: not bound */
	struct pc_endpoint remote; /* port 0: not connected */
	uint16_t laddr;            /* of local, or LADDR_NONE */
	struct pktq rcv;
	uint32_t rcv_bytes; /* payload of rcv, and UDP_OVERHEAD for each datagram */
	uint32_t rcv_max, snd_max;
	int error;        /* pending SO_ERROR (an ICMP error; connected sockets only) */
	uint8_t ttl, tos; /* ttl 0: the default */
	bool open, bound, rd_shut, wr_shut, reuse, reuseport, broadcast;
	bool ip6, v6only;            /* made as AF_INET6; IPV6_V6ONLY */
	bool addr_fixed, port_fixed; /* by bind; what connect chose ends with the connection */
	/* the rest is of no interest outside udp/ */
	uint32_t next;      /* in the chain that input looks at, index + 1 */
	uint32_t bind_next; /* in the chain of sockets bound to ports of one hash, index + 1 */
	struct pc_addr path_dst;
	struct ip_path path; /* to path_dst, where the last datagram went; any: unknown */
};

/* What a queued datagram counts besides its payload: a flood of empty ones must be bounded too. */
#define UDP_OVERHEAD 768

uint64_t udp_footprint(const struct pc_stack_config *cfg);

/** udp_create makes the layer; descriptors of its sockets begin at first_fd. NULL: no memory. */
struct udp *udp_create(struct ctx *ctx, struct ip *ip, struct events *ev, uint32_t first_fd);

/** udp_destroy frees the layer with every datagram. */
void udp_destroy(struct udp *udp);

/** udp_open makes a socket, of AF_INET until ip6 is set. Returns its index or -ENFILE. */
int udp_open(struct udp *udp);

/** udp_speaks says whether a socket has to do with packets of an address's family. */
static inline bool udp_speaks(const struct udp_sock *s, const struct pc_addr *addr)
{
	return pc_addr_is_ip4(addr) ? !s->v6only : s->ip6;
}

/** udp_sock returns an open socket, or NULL. */
struct udp_sock *udp_sock(struct udp *udp, uint32_t index);

/** udp_sock_slot returns a socket whether it is open or not: its descriptor may be queued in an epoll
 * set beyond its life. NULL past the end. */
struct udp_sock *udp_sock_slot(struct udp *udp, uint32_t index);

/** udp_close frees a socket and its datagrams. */
void udp_close(struct udp *udp, uint32_t index);

/** udp_bind; port 0 takes a free ephemeral one. Returns 0, -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL. */
int udp_bind(struct udp *udp, uint32_t index, const struct pc_endpoint *local);

/**
 * udp_connect sets the peer, and the local address if it is any; NULL undoes it. laddr: which address
 * of ours to use if the socket is not bound to one, or LADDR_NONE. A peer with port 0
 * sets the local address only, as people do to learn which address they would use. On failure the
 * socket stays as it was. Returns 0, -ENETUNREACH, -EADDRNOTAVAIL (no free port, or the bound address
 * is on another interface) or -EACCES (broadcast without SO_BROADCAST).
 */
int udp_connect(struct udp *udp, uint32_t index, const struct pc_endpoint *remote, uint16_t laddr);

/**
 * udp_send takes a payload mbuf (or chain) with IP_HEADROOM + 8 bytes of headroom and sends it to
 * `to`, or to the connected peer when NULL. On failure m stays the caller's: -EDESTADDRREQ,
 * -EMSGSIZE, -ENETUNREACH, -EACCES, -EPIPE, -EINVAL (port 0), or the pending error.
 */
int udp_send(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to);

/** udp_send_by does that from laddr's interface, unless that is LADDR_NONE or the socket is bound. */
int udp_send_by(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to,
                uint16_t laddr);

/** udp_recv returns the next datagram and its sender, or NULL; with peek it stays queued. */
struct rte_mbuf *udp_recv(struct udp *udp, uint32_t index, struct pc_endpoint *from, bool peek);

/** udp_mask returns what is ready (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLRDHUP, EPOLLHUP). */
uint32_t udp_mask(const struct udp_sock *s);

/**
 * udp_input delivers a datagram, of a group to every socket that wants it. Verdict: done, or a drop;
 * m is unchanged when it is PC_DROP_UDP_NO_SOCKET, which wants an ICMP error.
 */
int udp_input(struct udp *udp, struct rte_mbuf *m, const struct ip_pkt *p);

/**
 * udp_error tells an ICMP error to the connected socket that it is about; as on Linux only hard ones
 * (without IP_RECVERR).
 */
void udp_error(struct udp *udp, const struct icmp_error *e);

uint32_t udp_count(const struct udp *udp);

/** udp_validate checks the invariants. Returns the number of violations. */
unsigned udp_validate(const struct udp *udp);

#endif
