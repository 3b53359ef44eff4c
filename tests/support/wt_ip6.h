/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_WT_IP6_H
#define SUPPORT_WT_IP6_H

/*
 * A wire suite over IPv6 (--ip6): the same cases, unchanged.
 *
 * The probe turns the packets of the test into IPv6 packets and those of the stack back (frame_to6,
 * frame_to4); the calls below do the same with sockets and their addresses. The port's MTU is 20
 * bytes larger, so that segments are as long as over IPv4.
 */

#include <percore/socket.h>

/** wt_ip6 says that the suite runs over IPv6. */
extern bool wt_ip6;

int wt_socket(struct pc_stack *st, int domain, int type, int protocol);
int wt_bind(struct pc_stack *st, int fd, const struct sockaddr *sa, socklen_t len);
int wt_connect(struct pc_stack *st, int fd, const struct sockaddr *sa, socklen_t len);
ssize_t wt_sendto(struct pc_stack *st, int fd, const void *p, size_t n, int flags,
                  const struct sockaddr *sa, socklen_t len);
int wt_accept_from(struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len);
int wt_getsockname(struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len);
int wt_getpeername(struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len);
int wt_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

#ifndef WT_IP6_C
#define pc_socket      wt_socket
#define pc_bind        wt_bind
#define pc_connect     wt_connect
#define pc_sendto      wt_sendto
#define pc_accept      wt_accept_from
#define pc_getsockname wt_getsockname
#define pc_getpeername wt_getpeername
#define pc_recv_mbuf   wt_recv_mbuf
#endif

#endif
