/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PMTU_H
#define TCP_PMTU_H

/*
 * The path MTU of a connection: what ICMP says (RFC 1191, RFC 8201), and what is found out without
 * ICMP (RFC 4821, RFC 8899).
 *
 *   "packet too big":  segments shrink at once, data in flight is retransmitted in smaller ones,
 *                      and cwnd stays as it is; they do not shrink below a floor: over IPv4,
 *                      routers with a still smaller MTU then have to fragment them
 *   a black hole:      full segments time out again and again; after the third time-out they shrink
 *                      to tcp.base_mss, after the sixth further (tcp.mtu_probing)
 *   upwards again:     a probe, one segment larger than the others; if it is delivered, that is the
 *                      new size; if it alone is lost, it was too large, which is no sign of
 *                      congestion
 */

#include "tcp/tcp.h"

#define PMTU_MIN4     552  /* the least that is believed, as on Linux; then without DF */
#define PMTU_MIN6     1280 /* RFC 8200 section 5 */
#define PMTU_CLOSE    8    /* bytes between fitting and not fitting sizes at which a search ends */
#define PMTU_RETRY_MS 600000

/* values of tcp.mtu_probing, as Linux's sysctl net.ipv4.tcp_mtu_probing */
enum {
	PMTU_PROBING_OFF,
	PMTU_PROBING_BLACK_HOLE, /* starts when a black hole is suspected */
	PMTU_PROBING_ALWAYS,     /* each connection starts with tcp.base_mss */
};

/** pmtu_begin sets the initial MTU of an established connection, for PMTU_PROBING_ALWAYS. */
void pmtu_begin(struct tcp *tcp, struct tcb *t);

/** pmtu_too_big handles an ICMP message that a packet did not fit; mtu: of the next hop, 0: not
 * given. */
void pmtu_too_big(struct tcp *tcp, struct tcb *t, uint32_t mtu);

/** pmtu_timeout handles a retransmission time-out, the latest of t->retries in a row: a black
 * hole? */
void pmtu_timeout(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/**
 * pmtu_ack checks whether an acknowledgement decides about a probe, after tcp_loss has marked lost
 * segments. Returns whether the segments marked as lost are no sign of congestion.
 */
bool pmtu_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** pmtu_may_probe says whether it is worth calling pmtu_make_probe. */
static inline bool pmtu_may_probe(const struct tcp_queues *q)
{
	return q->pmtu.high != 0 && q->pmtu.probe == 0;
}

/** pmtu_make_probe merges the first unsent segments into a probe if it is time for one. Returns
 * whether q->snd_next is now a probe, to be sent whatever its size; if it is not sent, call
 * pmtu_no_probe. */
bool pmtu_make_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** pmtu_no_probe says that the probe's data is sent in smaller segments, so that its arrival says
 * nothing about the path. */
static inline void pmtu_no_probe(struct tcp_queues *q)
{
	q->pmtu.probe = 0;
}

#endif
