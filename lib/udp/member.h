/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_MEMBER_H
#define UDP_MEMBER_H

/*
 * Which groups a socket listens to, and from which sources (RFC 3376 section 2).
 *
 * An interface is a member of a group as long as any of its sockets is; this is reported to
 * routers.  Which sources a socket wants to hear is checked when a datagram is delivered, and not
 * reported.
 */

#include "udp/udp.h"

#define UDP_MEMBERS_PER_SOCK 20 /* Linux's net.ipv4.igmp_max_memberships */
#define UDP_SOURCES          10 /* Linux's net.ipv4.igmp_max_msf */

struct udp_member {
	struct pc_addr group;
	uint32_t next; /* of the socket, or free: index + 1 */
	uint8_t netif;
	bool include; /* the sources are those heard, and not those shut out */
	uint8_t nb_sources;
	struct pc_addr source[UDP_SOURCES];
};

/** udp_nb_members returns how many memberships a stack has room for. */
uint32_t udp_nb_members(uint32_t nb_socks);

/** udp_join lets a socket listen to a group. Returns 0, -EINVAL (no group), -ENODEV, -EADDRINUSE (it does)
 * or -ENOBUFS. */
int udp_join(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group);

/** udp_leave undoes it. Returns 0, -EADDRNOTAVAIL (it did not) or -EINVAL (an IPv6 address that is no group's). */
int udp_leave(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group);

/** udp_leave_all undoes all. */
void udp_leave_all(struct udp *udp, struct udp_sock *s);

/**
 * udp_add_source lets a socket hear one more source, joining the group if need be (include), or shuts one
 * out of a group that it has joined. Returns as udp_join, and -EADDRNOTAVAIL (there already), -EINVAL (the
 * membership is of the other kind, or none).
 */
int udp_add_source(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                   const struct pc_addr *source, bool include);

/** udp_drop_source undoes that; with the last source that was heard the socket leaves. */
int udp_drop_source(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                    const struct pc_addr *source, bool include);

/**
 * udp_set_sources replaces the kind and all sources of a membership (RFC 3678 sections 4.2.1 and 5.2.1); to hear from nobody is
 * to leave. Returns 0, -EINVAL (no such membership), -ENOBUFS (more than UDP_SOURCES), or as udp_leave.
 */
int udp_set_sources(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                    bool include, const struct pc_addr *source, uint32_t n);

/** udp_member_of returns a membership of a socket, or NULL. */
const struct udp_member *udp_member_of(const struct udp *udp, const struct udp_sock *s, int netif,
                                       const struct pc_addr *group);

/** udp_hears says whether a socket wants what src has sent to a group. */
bool udp_hears(const struct udp *udp, const struct udp_sock *s, uint8_t netif,
               const struct pc_addr *src, const struct pc_addr *group);

#endif
