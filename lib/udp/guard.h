/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_GUARD_H
#define UDP_GUARD_H

/* The firewall's rules for UDP and raw sockets: checks what is about to be sent. */

#include "udp/table.h"

/** udp_guard_datagram applies the rules to a datagram with len bytes of payload on s->path; call it
 * only if fw_is_on. Returns 0 or -EPERM. */
int udp_guard_datagram(struct udp *udp, const struct udp_sock *s, const struct pc_endpoint *dst,
                       uint32_t len);

/** udp_guard_raw does the same for a packet of a raw socket, which begins with its IP header if the
 * socket says so. */
int udp_guard_raw(struct udp *udp, const struct udp_sock *s, const struct rte_mbuf *m,
                  const struct pc_addr *dst);

#endif
