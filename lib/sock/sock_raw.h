/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_RAW_H
#define SOCK_SOCK_RAW_H

/* The calls for raw and packet sockets (raw(7), packet(7)); errors are negative errnos. */

#include "sock/sock.h"
#include "udp/raw.h"

/** sock_is_plain says whether a socket is a TCP or UDP socket. */
static inline bool sock_is_plain(const struct sock_ref *ref)
{
	return ref->tcp != NULL || ref->udp->kind == UDP_DATAGRAM;
}

/** sock_raw_open makes a raw or packet socket and returns its descriptor. */
int sock_raw_open(struct sockets *s, int domain, int type, int protocol);

int sock_raw_bind(struct sockets *s, const struct sock_ref *ref, const struct sockaddr *addr,
                  socklen_t len);
int sock_raw_connect(struct sockets *s, const struct sock_ref *ref, const struct sockaddr *addr,
                     socklen_t len);

/** sock_raw_getsockname writes what a packet socket is bound to. */
void sock_raw_getsockname(const struct sockets *s, const struct sock_ref *ref,
                          struct sockaddr *addr, socklen_t *len);

/** sock_raw_write_ll writes a frame's source to msg_name. */
void sock_raw_write_ll(const struct sock_ref *ref, const struct rte_mbuf *m, struct msghdr *msg);

/** sock_raw_send sends a payload to a destination (NULL: the peer); takes over m if it returns
 * 0. */
int sock_raw_send(struct sockets *s, const struct sock_ref *ref, struct rte_mbuf *m,
                  const struct sockaddr *to, socklen_t len, const struct udp_ctl *ctl);

/** sock_raw_get copies an option of the levels SOL_RAW and IPPROTO_ICMPV6 of a raw or packet socket: what
 * it blocks. -ENOPROTOOPT: there is no such option. */
int sock_raw_get(const struct sock_ref *ref, int level, int name, void *value, socklen_t *len);

/** sock_raw_set sets an option that only these sockets have. -ENOPROTOOPT: it is not one. */
int sock_raw_set(struct sockets *s, const struct sock_ref *ref, int level, int name,
                 const void *value, socklen_t len);

#endif
