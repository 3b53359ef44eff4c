/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_UDP_H
#define UDP_UDP_H

/*
 * UDP (RFC 768, RFC 1122 section 4.1): sockets, demultiplexing, and a bounded queue of datagrams
 * for each socket.
 *
 * A socket is identified by its index, from 0; its descriptor is first_fd + index.  A queued
 * datagram is its mbuf: its data begins with the payload, the IP header is still in front, at the
 * mbuf's rx.l3_off, so that keeping the sender's address costs nothing.  Lookup: first the socket
 * connected to exactly this peer, then one bound to the address, then one bound to any; among
 * several with SO_REUSEPORT, a hash of the sender decides.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/kept.h"
#include "base/pkt.h"
#include "event/event.h"
#include "ip/ip.h"

struct udp;

/** What pc_recvmsg returns about a datagram besides its data (struct udp_sock.tell). */
enum {
	UDP_TELL_PKTINFO = 1 << 0,  /* IP_PKTINFO */
	UDP_TELL_TTL = 1 << 1,      /* IP_RECVTTL */
	UDP_TELL_TOS = 1 << 2,      /* IP_RECVTOS */
	UDP_TELL_PKTINFO6 = 1 << 3, /* IPV6_RECVPKTINFO */
	UDP_TELL_HOPS = 1 << 4,     /* IPV6_RECVHOPLIMIT */
	UDP_TELL_TCLASS = 1 << 5,   /* IPV6_RECVTCLASS */
	UDP_TELL_TIME = 1 << 6,     /* SO_TIMESTAMP */
	UDP_TELL_TIME_NS = 1 << 7,  /* SO_TIMESTAMPNS */
	UDP_TELL_DROPS = 1 << 8,    /* SO_RXQ_OVFL */
	UDP_TELL_DST = 1 << 9,      /* IP_RECVORIGDSTADDR */
	UDP_TELL_DST6 = 1 << 10,    /* IPV6_RECVORIGDSTADDR */
	UDP_TELL_STAMPS = 1 << 11,  /* SO_TIMESTAMPING, software receive timestamps */
	UDP_TELL_NEW = 1 << 12,     /* times in the format of SO_TIMESTAMP_NEW and the like */
	UDP_TELL_ANY_TIME = UDP_TELL_TIME | UDP_TELL_TIME_NS | UDP_TELL_STAMPS,
};

/** The kinds of struct udp_sock; raw.h has the other two. */
enum udp_kind { UDP_DATAGRAM, UDP_RAW, UDP_PACKET };

/** The state of a socket that the socket layer may read and set. */
struct udp_sock {
	struct pollable poll;
	struct pc_endpoint local;  /* addr any: all addresses of ours; port 0: not bound */
	struct pc_endpoint remote; /* port 0: not connected */
	uint16_t laddr;            /* of local, or LADDR_NONE */
	struct pktq rcv;
	uint32_t rcv_bytes; /* payload of rcv, and UDP_OVERHEAD for each datagram */
	uint32_t rcv_max, snd_max;
	int error;                     /* pending SO_ERROR (an ICMP error) */
	uint32_t drops;                /* datagrams dropped because rcv was full (SO_RXQ_OVFL) */
	uint8_t ttl, tos;              /* of IPv4; ttl 0: the default */
	uint8_t hops, tclass;          /* of IPv6; hops 0: the default */
	int16_t group_ttl, group_hops; /* for groups; -1: 1, and 0 stays on the host */
	uint16_t tell;                 /* UDP_TELL_* */
	uint16_t segment;              /* UDP_SEGMENT; 0: one call makes one datagram */
	uint8_t discover, discover6;   /* IP_PMTUDISC_* */
	uint8_t out_netif,
	    out_netif6;        /* IP_MULTICAST_IF, IPV6_MULTICAST_IF: index + 1; 0: a route's */
	uint16_t out_laddr;    /* the address that names the first, index + 1; 0: none */
	bool report, report6;  /* IP_RECVERR, IPV6_RECVERR */
	bool gro, no_checksum; /* UDP_GRO, SO_NO_CHECK */
	bool cork;             /* UDP_CORK */
	bool open, bound, rd_shut, wr_shut, reuse, reuseport, broadcast;
	uint8_t kind;                 /* enum udp_kind */
	uint8_t netif;                /* bound to this interface only: index + 1; 0: any */
	bool group_all, group_all6;   /* IP_MULTICAST_ALL: also receives groups joined by others */
	bool group_loop, group_loop6; /* IP_MULTICAST_LOOP */
	bool ip6, v6only;             /* made as AF_INET6; IPV6_V6ONLY */
	bool addr_fixed, port_fixed;  /* by bind; what connect chose ends with the connection */
	/* the rest is private to udp/ */
	uint32_t next;      /* in the chain in which input looks, index + 1 */
	uint32_t bind_next; /* in the chain of sockets bound to ports of one hash, index + 1 */
	struct pc_addr path_dst;
	struct ip_path path; /* to path_dst, where the last datagram went; any: unknown */
	uint16_t path_port;  /* the destination's, if the path is shared */
	uint16_t mtu6;       /* IPV6_MTU: larger packets are fragmented to it; 0: the path's */
	uint64_t paced;      /* SO_MAX_PACING_RATE + 1, kept and told */
	struct pktq reports; /* the error queue */
	uint32_t nb_reports;
	struct rte_mbuf *held; /* an incomplete datagram (sock_udp.c); NULL: none */
	uint32_t members;      /* first of its groups, index + 1 */
	struct kept kept;
	/* of raw and packet sockets */
	uint8_t proto;           /* of IP */
	uint8_t filter;          /* SO_ATTACH_FILTER: index + 1; 0: none */
	bool header_included;    /* IP_HDRINCL */
	bool cooked;             /* without Ethernet headers */
	uint16_t ethertype;      /* ETH_P_ALL: every one */
	uint32_t icmp_filter[8]; /* types that are blocked */
};

/** What a caller sets for one datagram only; UDP_CTL_NONE: nothing. */
struct udp_ctl {
	uint16_t laddr;   /* it comes from this address; LADDR_NONE: the socket's */
	int16_t ttl, tos; /* -1: the socket's */
	int32_t segment;  /* of UDP_SEGMENT; -1: the socket's */
};

#define UDP_CTL_NONE ((struct udp_ctl){.laddr = LADDR_NONE, .ttl = -1, .tos = -1, .segment = -1})

/** What is known about a received datagram. */
struct udp_info {
	struct pc_endpoint src, dst;
	uint64_t at_ns; /* by ctx_time_of_day; 0: not recorded */
	uint8_t netif, ttl, tos;
};

/** An error on the error queue (IP_RECVERR); the mbuf holds what it quotes of our payload. */
struct udp_report {
	struct pc_endpoint to;   /* where our datagram was sent to */
	struct pc_addr offender; /* who reported it; any: this host itself */
	uint32_t info;           /* EMSGSIZE: the MTU in bytes */
	int error;               /* errno */
	uint8_t type, code;      /* of the ICMP message */
	/* about the ICMP message itself, as in struct udp_info; at_ns: of this host's own error, too */
	struct pc_addr dst;
	uint64_t at_ns;
	uint8_t netif, ttl, tos;
};

/** udp_is_icmp says whether an ICMP message reported an error. */
static inline bool udp_is_icmp(const struct udp_report *r)
{
	return !pc_addr_is_any(&r->offender);
}

/* What a queued datagram counts in addition to its payload: a flood of empty ones must
 * be bounded too. */
#define UDP_OVERHEAD 768

uint64_t udp_footprint(const struct pc_stack_config *cfg);

/** udp_create makes the layer; its sockets' descriptors begin at first_fd. NULL: out of memory. */
struct udp *udp_create(struct ctx *ctx, struct ip *ip, struct events *ev, uint32_t first_fd);

/** udp_destroy frees the layer and every datagram. */
void udp_destroy(struct udp *udp);

/** udp_open opens a socket, an AF_INET one until ip6 is set. Returns its index or -ENFILE. */
int udp_open(struct udp *udp);

/** udp_speaks says whether a socket can exchange packets of an address's family. */
static inline bool udp_speaks(const struct udp_sock *s, const struct pc_addr *addr)
{
	return pc_addr_is_ip4(addr) ? !s->v6only : s->ip6;
}

/** udp_forget_path makes the next datagram look up its path. */
static inline void udp_forget_path(struct udp_sock *s)
{
	s->path_dst = (struct pc_addr){0};
	s->path = (struct ip_path){0};
}

/** udp_peer_mtu returns the MTU of the path to a connected socket's peer, looking it up again if it
 * has changed, or -ENOTCONN. */
int udp_peer_mtu(struct udp *udp, struct udp_sock *s);

/** udp_sock returns an open socket, or NULL. */
struct udp_sock *udp_sock(struct udp *udp, uint32_t index);

/** udp_sock_slot returns a socket whether it is open or not: its descriptor may remain queued in an
 * epoll set after it is closed. NULL if the index is out of range. */
struct udp_sock *udp_sock_slot(struct udp *udp, uint32_t index);

/** udp_is_connected says whether a socket has a peer. */
static inline bool udp_is_connected(const struct udp_sock *s)
{
	return s->kind == UDP_DATAGRAM ? s->remote.port != 0 : !pc_addr_is_any(&s->remote.addr);
}

/** udp_close frees a socket and its datagrams. */
void udp_close(struct udp *udp, uint32_t index);

/** udp_bind binds a socket; port 0 picks a free ephemeral one. Returns 0, -EADDRINUSE,
 * -EADDRNOTAVAIL or -EINVAL. */
int udp_bind(struct udp *udp, uint32_t index, const struct pc_endpoint *local);

/**
 * udp_connect sets the peer, and the local address if it is any; NULL undoes it. laddr: which
 * address of ours to use if the socket is not bound to one, or LADDR_NONE. A peer with port 0 sets
 * the local address only, as programs do to learn which address they would use. On failure the
 * socket stays as it was. Returns 0, -ENETUNREACH, -EADDRNOTAVAIL (no free port, or the bound
 * address is on another interface) or -EACCES (broadcast without SO_BROADCAST).
 */
int udp_connect(struct udp *udp, uint32_t index, const struct pc_endpoint *remote, uint16_t laddr);

/**
 * udp_send takes a payload mbuf (or chain) with IP_HEADROOM + 8 bytes of headroom and sends it to
 * `to`, or to the connected peer when NULL. On failure m remains the caller's: -EDESTADDRREQ,
 * -EMSGSIZE, -ENETUNREACH, -EACCES, -EPIPE, -EINVAL (port 0), -EPERM (the firewall), or the pending
 * error.
 */
int udp_send(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to);

/**
 * udp_send_ctl does the same with the caller's settings for this datagram alone. An address in ctl
 * is used whatever the socket is bound to. It can also fail with -EINVAL: not an address of the
 * family of `to`.
 */
int udp_send_ctl(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to,
                 const struct udp_ctl *ctl);

/**
 * udp_try does everything udp_send_ctl does for a payload of len bytes except sending: the socket
 * has a port afterwards. Returns 0 or what udp_send_ctl would.
 */
int udp_try(struct udp *udp, uint32_t index, uint32_t len, const struct pc_endpoint *to,
            const struct udp_ctl *ctl);

/**
 * udp_payload_max returns how many bytes of payload a datagram to `to` can have without being
 * fragmented, with the settings in ctl, or a negative errno as udp_send_ctl.
 */
int udp_payload_max(struct udp *udp, uint32_t index, const struct pc_endpoint *to,
                    const struct udp_ctl *ctl);

/** udp_recv returns the next datagram and its sender, or NULL; with peek it stays queued. */
struct rte_mbuf *udp_recv(struct udp *udp, uint32_t index, struct pc_endpoint *from, bool peek);

/** udp_arrival_ns returns when such a datagram arrived, by ctx_time_of_day; 0: not recorded. */
uint64_t udp_arrival_ns(const struct rte_mbuf *m);

/** udp_read_info describes a datagram or packet that udp_recv has returned; raw packets
 * have no ports. */
void udp_read_info(const struct udp_sock *s, const struct rte_mbuf *m, struct udp_info *info);

/**
 * udp_take_report takes the oldest error off the error queue: the mbuf then belongs to the caller,
 * and holds what was quoted of our payload, possibly nothing. NULL: the queue is empty. As on Linux,
 * SO_ERROR becomes that of the next one, unless that is this host's own, which the failed call has
 * returned.
 */
struct rte_mbuf *udp_take_report(struct udp *udp, uint32_t index, struct udp_report *r);

/** udp_drop_reports empties the error queue; SO_ERROR stays. */
void udp_drop_reports(struct udp_sock *s);

/** udp_mask returns what is ready (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLRDHUP, EPOLLHUP). */
uint32_t udp_mask(const struct udp_sock *s);

/**
 * udp_input delivers a datagram; one to a group, to every socket that wants it. Verdict: done, or a
 * drop; m is unchanged for PC_DROP_UDP_NO_SOCKET, which calls for an ICMP error.
 */
int udp_input(struct udp *udp, struct rte_mbuf *m, const struct ip_pkt *p);

/** udp_is_intact says whether a datagram has a valid header and checksum. */
bool udp_is_intact(const struct rte_mbuf *m, const struct ip_pkt *p);

/**
 * udp_error reports an ICMP error to the socket that it is about, as Linux does: hard ones, and
 * those of path MTU discovery, to a connected socket; every one to a socket with IP_RECVERR, which
 * also finds it on its error queue. m is the message, from which the quoted payload is read.
 */
void udp_error(struct udp *udp, const struct icmp_error *e, const struct rte_mbuf *m);

/** udp_is_peer says whether there is a socket connected between these ends. */
bool udp_is_peer(const struct udp *udp, const struct pc_endpoint *local,
                 const struct pc_endpoint *remote);

/** udp_mark_laddrs marks those of our addresses that sockets refer to. */
void udp_mark_laddrs(const struct udp *udp, bool used[PC_MAX_ADDRS]);

uint32_t udp_count(const struct udp *udp);

/** udp_fd returns the descriptor of a socket. */
uint32_t udp_sock_fd(const struct udp *udp, uint32_t index);

/** udp_validate checks the invariants. Returns the number of violations. */
unsigned udp_validate(const struct udp *udp);

#endif
