/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_RAW_H
#define UDP_RAW_H

/*
 * Raw and packet sockets: struct udp_sock of the kinds UDP_RAW and UDP_PACKET.
 *
 * A raw socket gets a copy of each IP packet of its family and protocol that is for us: for IPv4
 * with its header, for IPv6 without (RFC 3542 section 3).  A packet socket gets a copy of each
 * frame of its interfaces, in both directions; only while there is one, a tap is in front of each
 * port.
 */

#include "udp/cbpf.h"
#include "udp/udp.h"

#define UDP_FILTERS 16

/** udp_open_raw makes a raw socket for a protocol of IP. Returns its index or -ENFILE. */
int udp_open_raw(struct udp *udp, bool ip6, uint8_t proto);

/** udp_open_packet makes a packet socket for an EtherType; cooked: without Ethernet headers. Returns its
 * index or -ENFILE. */
int udp_open_packet(struct udp *udp, bool cooked, uint16_t ethertype);

/** udp_close_raw takes back what a socket of these kinds has; udp_close calls it. */
void udp_close_raw(struct udp *udp, struct udp_sock *s);

/** udp_bind_raw names a raw socket: what it gets was sent to this address of ours. Returns 0 or
 * -EADDRNOTAVAIL. */
int udp_bind_raw(struct udp *udp, struct udp_sock *s, const struct pc_addr *addr);

/** udp_bind_packet ties a packet socket to an interface (-1: all) and, unless 0, another EtherType. Returns
 * 0 or -ENODEV. */
int udp_bind_packet(struct udp *udp, struct udp_sock *s, int netif, uint16_t ethertype);

/**
 * udp_raw_input gives copies of a packet to those raw sockets that want it. Returns whether any did. m stays
 * the caller's; what is no packet of ours is not shown to it.
 */
bool udp_raw_input(struct udp *udp, const struct rte_mbuf *m, const struct ip_pkt *p);

/** udp_raw_error tells the raw sockets that can have sent a packet that an ICMP error is about: of a path that
 * is narrower, those that discover it; of what is final, the connected ones (raw(7)). */
void udp_raw_error(struct udp *udp, const struct icmp_error *e);

/**
 * udp_send_raw sends a payload mbuf as udp_send does; with hdrincl, of IPv4, it begins with the IP header,
 * whose length, checksum and, if 0, source and identification are filled in. An ICMPv6 checksum is filled
 * in too. On failure m stays the caller's: -EINVAL (a bad header), -EDESTADDRREQ, -EMSGSIZE, -ENETUNREACH,
 * -EACCES, -EPERM (the firewall).
 */
int udp_send_raw(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, const struct pc_addr *to,
                 const struct udp_ctl *ctl);

/**
 * udp_send_packet sends a frame by an interface; cooked sockets give the payload, and the other two
 * parameters. On failure m stays the caller's: -ENXIO (no such interface), -EMSGSIZE, -EINVAL.
 */
int udp_send_packet(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, int netif,
                    const uint8_t *mac, uint16_t ethertype);

/** udp_set_filter attaches a filter, of n instructions; 0 detaches it. Returns 0, -EINVAL (it is none) or
 * -ENOMEM (too many filters). */
int udp_set_filter(struct udp *udp, struct udp_sock *s, const struct sock_filter *insn, uint32_t n);

#endif
