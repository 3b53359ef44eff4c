/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_RAW_H
#define UDP_RAW_H

/*
 * Raw and packet sockets: struct udp_sock of the kinds UDP_RAW and UDP_PACKET.
 *
 * A raw socket gets a copy of each IP packet of its family and protocol that is for us: for IPv4
 * with its header, for IPv6 without (RFC 3542 section 3).  A packet socket gets a copy of each
 * frame of its interfaces, in both directions; there is a tap in front of each port only while
 * there are packet sockets.
 */

#include <linux/if_ether.h>

#include "udp/cbpf.h"
#include "udp/udp.h"
#include "wire/eth.h"

#define UDP_FILTERS 16

/** udp_open_raw opens a raw socket for an IP protocol. Returns its index or -ENFILE. */
int udp_open_raw(struct udp *udp, bool ip6, uint8_t proto);

/** udp_open_packet opens a packet socket for an EtherType; cooked: without Ethernet headers.
 * Returns its index or -ENFILE. */
int udp_open_packet(struct udp *udp, bool cooked, uint16_t ethertype);

/** udp_protocol_of returns the protocol of a frame as packet sockets have it: its EtherType, or one number
 * for all frames with a length instead (IEEE 802.3). */
static inline uint16_t udp_protocol_of(const uint8_t *eth)
{
	const uint16_t type = wire_get16(eth + 12);

	return type < ETH_TYPE_MIN ? ETH_P_802_2 : type;
}

/** udp_close_raw releases what a socket of these kinds has; called by udp_close. */
void udp_close_raw(struct udp *udp, struct udp_sock *s);

/** udp_bind_raw binds a raw socket to an address of ours, or a group: it gets only what was sent to it.
 * Returns 0, -EADDRNOTAVAIL or -EINVAL (it is connected). */
int udp_bind_raw(struct udp *udp, struct udp_sock *s, const struct pc_addr *addr);

/**
 * udp_connect_raw sets the peer of a raw socket, and its address if it is not bound; NULL undoes it. It
 * then gets only what the peer has sent to that address. laddr: as in udp_connect. Returns 0,
 * -ENETUNREACH or -EACCES (broadcast without SO_BROADCAST).
 */
int udp_connect_raw(struct udp *udp, struct udp_sock *s, const struct pc_addr *to, uint16_t laddr);

/** udp_bind_packet binds a packet socket to an interface (-1: all) and, unless 0, to another
 * EtherType. Returns 0 or -ENODEV. */
int udp_bind_packet(struct udp *udp, struct udp_sock *s, int netif, uint16_t ethertype);

/**
 * udp_raw_input gives copies of a packet to the raw sockets that want it. Returns whether any did.
 * m remains the caller's; packets that are not for us must not be passed to it.
 */
bool udp_raw_input(struct udp *udp, const struct rte_mbuf *m, const struct ip_pkt *p);

/** udp_raw_error reports an ICMP error to the raw sockets that can have sent the packet it is about: a
 * reduced path MTU to those that discover it, a hard error to connected ones, and every one to those
 * with IP_RECVERR (raw(7)). m: as in udp_error. */
void udp_raw_error(struct udp *udp, const struct icmp_error *e, const struct rte_mbuf *m);

/**
 * udp_send_raw sends a payload mbuf as udp_send does; with hdrincl, over IPv4, it begins with the
 * IP header, whose length, checksum and, if 0, source and identification are filled in. An ICMPv6
 * checksum is filled in too. On failure m remains the caller's: -EINVAL (a bad header),
 * -EDESTADDRREQ, -EMSGSIZE, -ENETUNREACH, -EACCES, -EPERM (the firewall).
 */
int udp_send_raw(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, const struct pc_addr *to,
                 const struct udp_ctl *ctl);

/**
 * udp_send_packet sends a frame by an interface; for cooked sockets m is the payload, and mac and
 * ethertype make the header. On failure m remains the caller's: -ENXIO (no such interface),
 * -EMSGSIZE, -EINVAL.
 */
int udp_send_packet(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, int netif,
                    const uint8_t *mac, uint16_t ethertype);

/** udp_set_filter attaches a filter of n instructions; 0 detaches it. Returns 0, -EINVAL (not a
 * valid filter) or -ENOMEM (too many filters). */
int udp_set_filter(struct udp *udp, struct udp_sock *s, const struct sock_filter *insn, uint32_t n);

#endif
