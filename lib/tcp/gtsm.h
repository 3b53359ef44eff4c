/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_GTSM_H
#define TCP_GTSM_H

/*
 * The Generalized TTL Security Mechanism (RFC 5082): sockets with IP_MINTTL or IPV6_MINHOPCOUNT
 * ignore packets from afar.
 *
 * A host that is further away cannot send packets that arrive with a TTL of 255, so they are
 * recognised before anything costly is done, such as verifying signatures.  It applies to
 * listeners, to half-open connections, and to ICMP errors about a connection (section 6.1), where
 * the TTL of the error itself counts, because anybody can forge that of the packet it quotes.
 *
 * Peers may do the same.  Sockets send with their own TTL (IP_TTL), SYN-ACKs with that of the
 * listener.  Once a socket has such a limit, packets that belong to no socket are sent with 255:
 * resets, acknowledgements in TIME-WAIT, ICMP errors (section 3).
 *
 * Invariants: tcb.near says whether a socket has such a limit.  If it has, its segments take the
 * slow path. tcp.near says whether there has ever been one; until then, no segment is checked.
 */

#include "tcp/tcp.h"

/** gtsm_tune notes whether a socket has a limit; call it after its settings have changed. With a
 * limit it sets ip.bare_ttl. */
void gtsm_tune(struct tcp *tcp, struct tcb *t);

/* The part of gtsm_input for stacks with limits. */
int gtsm_check(const struct tcp *tcp, flow_ref ref, const struct ip_pkt *p,
               const struct tcp_rx *rx);

/** gtsm_input says whether a segment for what ref refers to is from near enough. Verdict:
 * VERDICT_DONE, or PC_DROP_TCP_MIN_TTL. */
static inline int gtsm_input(const struct tcp *tcp, flow_ref ref, const struct ip_pkt *p,
                             const struct tcp_rx *rx)
{
	return likely(!tcp->near) ? VERDICT_DONE : gtsm_check(tcp, ref, p, rx);
}

/** gtsm_ignores says whether an ICMP error about a connection is from too far away, and if so
 * counts it. */
bool gtsm_ignores(struct tcp *tcp, const struct tcb *t, const struct icmp_error *e);

#endif
