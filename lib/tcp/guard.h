/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_GUARD_H
#define TCP_GUARD_H

/*
 * TCP and the firewall's rules: checks segments that belong to no known connection, and connections
 * that are about to be opened.  Existing connections cost nothing.
 */

#include "fw/fw.h"
#include "tcp/tcp.h"

/** tcp_guard_input checks a segment that belongs to no connection, or may reopen one in TIME-WAIT,
 * and answers it if it is rejected. Precondition: fw_is_on. Verdict: VERDICT_DONE, or
 * PC_DROP_FIREWALL. */
int tcp_guard_input(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx);

/** tcp_guard does so if there are rules, and drops a SYN that would not be answered anyway. */
static inline int tcp_guard(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx)
{
	if (ctx_answers_are_spent(tcp->ctx) && freelist_is_empty(&tcp->syn.free) &&
	    (rx->seg.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	    !(tcp->ctx->strangers->known != 0 && known_has(&tcp->known, &rx->flow.raddr)))
		return PC_DROP_BUSY;
	return fw_is_on(&tcp->ip->fw) ? tcp_guard_input(tcp, p, rx) : VERDICT_DONE;
}

/**
 * tcp_guard_admits says whether the segment that completes a handshake may do so. Its share of a
 * limit is in *share, for fw_take_share once the connection exists.
 */
bool tcp_guard_admits(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx,
                      struct fw_share *share);

/** tcp_guard_connect says whether a connection whose flow is known may be opened. Returns 0 or -EPERM. */
int tcp_guard_connect(struct tcp *tcp, const struct tcb *t);

/** tcp_guard_shows says whether raw sockets may see a segment before TCP handles it: the same as
 * tcp_guard_input will say. Precondition: fw_is_on. */
bool tcp_guard_shows(const struct tcp *tcp, const struct rte_mbuf *m, const struct ip_pkt *p);

/** tcp_guard_knows says whether there is a connection: open, half-open or in TIME-WAIT. */
bool tcp_guard_knows(const struct tcp *tcp, uint16_t laddr, uint16_t lport,
                     const struct pc_endpoint *remote);

#endif
