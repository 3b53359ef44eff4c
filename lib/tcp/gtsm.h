/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_GTSM_H
#define TCP_GTSM_H

/*
 * The Generalized TTL Security Mechanism (RFC 5082): sockets with IP_MINTTL or IPV6_MINHOPCOUNT
 * ignore packets from afar.
 *
 * A host that is further away cannot send packets that arrive with a TTL of 255, so they are
 * recognised before anything costly is done, such as verifying signatures.  It applies to
 * listeners, to half-open connections, and to ICMP errors about a connection (section 6.1), of
 * which the error's own TTL counts, because anybody can choose that of the packet it quotes.
 *
 * Peers may do the same.  What sockets send has their TTL (IP_TTL), SYN-ACKs that of the listener.
 * Once a socket has such a limit, what belongs to no socket is sent with 255: resets,
 * acknowledgements in TIME-WAIT, ICMP errors (section 3).
 *
 * Invariants: tcb.near says whether a socket has such a limit.  If it has, its segments take the
 * slow path.  tcp.near says whether there has ever been one; until then, nothing is looked up.
 */

#include "tcp/tcp.h"

/** gtsm_tune notes whether a socket has a limit, after its settings have changed; ip.bare_ttl follows. */
void gtsm_tune(struct tcp *tcp, struct tcb *t);

/* The part of gtsm_input for stacks with limits. */
int gtsm_check(const struct tcp *tcp, flow_ref ref, const struct ip_pkt *p,
               const struct tcp_rx *rx);

/** gtsm_input says whether a segment to what ref says has come from near enough. Verdict: VERDICT_DONE, or
 * PC_DROP_TCP_MIN_TTL. */
static inline int gtsm_input(const struct tcp *tcp, flow_ref ref, const struct ip_pkt *p,
                             const struct tcp_rx *rx)
{
	return likely(!tcp->near) ? VERDICT_DONE : gtsm_check(tcp, ref, p, rx);
}

/** gtsm_ignores says whether an ICMP error about a connection comes from too far away, and counts it. */
bool gtsm_ignores(struct tcp *tcp, const struct tcb *t, const struct icmp_error *e);

#endif
