/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_UDP_H
#define SOCK_SOCK_UDP_H

/* pc_recvmsg and pc_sendmsg for datagram sockets, and their options. */

#include "sock/sock.h"

/** sock_iov_bytes returns the total size of a message's buffers. */
static inline size_t sock_iov_bytes(const struct msghdr *msg)
{
	size_t total = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		total += msg->msg_iov[i].iov_len;
	return total;
}

/** sock_udp_recv is pc_recvmsg, but returns a negative errno on error. */
ssize_t sock_udp_recv(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg, int flags);

/** sock_udp_send is pc_sendmsg, but returns a negative errno on error; of flags, MSG_MORE
 * counts. */
ssize_t sock_udp_send(struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                      int flags);

/** sock_udp_push sends what is held from calls with MSG_MORE or UDP_CORK, if anything. Returns 0 or
 * -errno like udp_send_ctl. */
int sock_udp_push(struct sockets *s, const struct sock_ref *ref);

/** sock_udp_get reads an option whose value is an int. Returns 0, -ENOPROTOOPT, -ENOTCONN. */
int sock_udp_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                 int *value);

/** sock_udp_set sets an option whose value is an int. Returns 0, -ENOPROTOOPT, -EINVAL, -ENODEV. */
int sock_udp_set(struct sockets *s, const struct sock_ref *ref, int level, int name, int value);

/** sock_group_set sets a multicast option. Returns 0, -ENOPROTOOPT (it is another one), or as in
 * member.h. */
int sock_group_set(struct sockets *s, const struct sock_ref *ref, int level, int name,
                   const void *value, socklen_t len);

/** sock_group_get_filter reads IP_MSFILTER and MCAST_MSFILTER; on entry value names the group.
 * Returns 0, -ENOPROTOOPT (it is another option), or as Linux. */
int sock_group_get_filter(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                          void *value, socklen_t *len);

/** sock_group_get reads IP_MULTICAST_IF and IPV6_MULTICAST_IF. Returns 0 or -ENOPROTOOPT. */
int sock_group_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                   int *value);

#endif
