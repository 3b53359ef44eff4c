/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_GUARD_H
#define UDP_GUARD_H

/* UDP and raw sockets, and the firewall's rules: checks what is about to be sent. */

#include "udp/table.h"

/** udp_guard_datagram judges a datagram of len bytes of payload on s->path. fw_is_on. Returns 0 or -EPERM. */
int udp_guard_datagram(struct udp *udp, const struct udp_sock *s, const struct pc_endpoint *dst,
                       uint32_t len);

/** udp_guard_raw does so for a packet of a raw socket, which begins with its IP header if the socket says so. */
int udp_guard_raw(struct udp *udp, const struct udp_sock *s, const struct rte_mbuf *m,
                  const struct pc_addr *dst);

#endif
