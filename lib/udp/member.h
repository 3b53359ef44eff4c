/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_MEMBER_H
#define UDP_MEMBER_H

/*
 * The groups that a socket listens to, and from which sources (RFC 3376 section 2).
 *
 * An interface is a member of a group as long as any of its sockets is; this is reported to
 * routers.  The sources that a socket wants are checked when a datagram is delivered, and not
 * reported.
 */

#include "udp/udp.h"

#define UDP_MEMBERS_PER_SOCK 20 /* Linux's net.ipv4.igmp_max_memberships */
#define UDP_SOURCES          10 /* Linux's net.ipv4.igmp_max_msf */

struct udp_member {
	struct pc_addr group;
	uint32_t next; /* in the socket's chain or the free list: index + 1 */
	uint8_t netif;
	bool include; /* sources lists those to accept, not those to block */
	uint8_t nb_sources;
	struct pc_addr source[UDP_SOURCES];
};

/** udp_nb_members returns how many memberships a stack has room for. */
uint32_t udp_nb_members(uint32_t nb_socks);

/** udp_join makes a socket listen to a group. Returns 0, -EINVAL (not a group), -ENODEV,
 * -EADDRINUSE (it already does) or -ENOBUFS. */
int udp_join(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group);

/** udp_leave undoes udp_join. Returns 0, -EADDRNOTAVAIL (it was not a member) or -EINVAL (an IPv6
 * address that is not a group). */
int udp_leave(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group);

/** udp_leave_all leaves all groups. */
void udp_leave_all(struct udp *udp, struct udp_sock *s);

/**
 * udp_add_source makes a socket accept one more source, joining the group if necessary (include),
 * or blocks a source in a group that it has joined. Returns as udp_join, and -EADDRNOTAVAIL
 * (already there), -EINVAL (the membership is of the other kind, or there is none).
 */
int udp_add_source(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                   const struct pc_addr *source, bool include);

/** udp_drop_source undoes that; when the last accepted source is removed, the socket
 * leaves the group. */
int udp_drop_source(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                    const struct pc_addr *source, bool include);

/**
 * udp_set_sources replaces the kind and all sources of a membership (RFC 3678 sections 4.2.1 and
 * 5.2.1); to accept no source is to leave. Returns 0, -EINVAL (no such membership), -ENOBUFS (more
 * than UDP_SOURCES), or as udp_leave.
 */
int udp_set_sources(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                    bool include, const struct pc_addr *source, uint32_t n);

/** udp_member_of returns a membership of a socket, or NULL. */
const struct udp_member *udp_member_of(const struct udp *udp, const struct udp_sock *s, int netif,
                                       const struct pc_addr *group);

/** udp_hears says whether a socket wants packets from src to a group. */
bool udp_hears(const struct udp *udp, const struct udp_sock *s, uint8_t netif,
               const struct pc_addr *src, const struct pc_addr *group);

#endif
