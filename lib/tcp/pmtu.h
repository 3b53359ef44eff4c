/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PMTU_H
#define TCP_PMTU_H

/*
 * The path MTU of a connection: what ICMP says of it (RFC 1191, RFC 8201), and what is found out where
 * ICMP is silent (RFC 4821, RFC 8899).
 *
 *   a router says "too big":  segments shrink at once, what is under way is sent again in smaller ones,
 *                             and the congestion window stays as it is; they do not shrink below a floor,
 *                             where over IPv4 routers that take still less have to cut them
 *   a black hole:             full segments time out again and again; after the third time they shrink
 *                             to tcp.base_mss, after the sixth further (tcp.mtu_probing)
 *   upwards again:            a probe, one segment larger than the others; delivered, it is the new
 *                             size; lost alone, it was too large, and not a sign of congestion
 */

#include "tcp/tcp.h"

#define PMTU_MIN4     552  /* the least that is believed, as on Linux; then DF is left out */
#define PMTU_MIN6     1280 /* RFC 8200 section 5 */
#define PMTU_CLOSE    8    /* bytes between what is known to fit and not to: near enough */
#define PMTU_RETRY_MS 600000

/* values of tcp.mtu_probing, as Linux's sysctl net.ipv4.tcp_mtu_probing */
enum {
	PMTU_PROBING_OFF,
	PMTU_PROBING_BLACK_HOLE, /* begins when a black hole is suspected */
	PMTU_PROBING_ALWAYS,     /* each connection begins with tcp.base_mss */
};

/** pmtu_begin sets the MTU that an established connection begins with. */
void pmtu_begin(struct tcp *tcp, struct tcb *t);

/** pmtu_too_big takes an ICMP message that a packet did not fit; mtu: of the next hop, 0: not told. */
void pmtu_too_big(struct tcp *tcp, struct tcb *t, uint32_t mtu);

/** pmtu_timeout is told of a retransmission time-out, t->retries of them in a row: a black hole? */
void pmtu_timeout(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/**
 * pmtu_ack looks whether a probe was answered by an acknowledgement that tcp_loss has marked lost
 * segments by. Returns whether what is marked as lost is no sign of congestion.
 */
bool pmtu_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** pmtu_may_probe says whether it is worth to call pmtu_make_probe. */
static inline bool pmtu_may_probe(const struct tcp_queues *q)
{
	return q->pmtu.high != 0 && q->pmtu.probe == 0;
}

/** pmtu_make_probe makes a probe of the first unsent segments if it is time for one. Returns whether
 * q->snd_next is one now, to be sent whatever its size; if it is not sent, pmtu_no_probe follows. */
bool pmtu_make_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** pmtu_no_probe says that the probe's data is sent again in smaller segments: that it arrives says nothing about the path. */
static inline void pmtu_no_probe(struct tcp_queues *q)
{
	q->pmtu.probe = 0;
}

#endif
