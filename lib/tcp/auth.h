/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_AUTH_H
#define TCP_AUTH_H

/*
 * Signed segments (TCP-MD5, RFC 2385; TCP-AO, RFC 5925): keys, and the segments that must be
 * signed.
 *
 * Overview: a socket may have keys, each for the peers in a prefix (TCP_MD5SIG, TCP_AO_ADD_KEY).
 * With a key for its peer, a connection signs every segment that it sends, and accepts only
 * segments that are signed with it.  The rest of TCP treats both kinds alike: segments are signed
 * according to a struct auth_by, which comes from a connection (auth_by_tcb), from a half-open one
 * (auth_by_half_open), or from the segment being answered (auth_by_input), for a reset or in
 * TIME-WAIT; auth_put reserves space for the option, and auth_sign signs.  They differ in
 * auth_sign.c (what is signed), auth_in.c (with which key) and auth_ao.c (what only TCP-AO has);
 * auth_key.h says what a key is.
 *
 * Without a TCB, the key is found elsewhere: a half-open connection uses its listener's keys; an
 * entry in TIME-WAIT has its own copies.
 *
 * Life cycle: keys are in a pool of tcp.auth_keys, and are found by their owner.  A socket's keys
 * live as long as the socket; a connection accepted by a listener gets copies of the keys for its
 * peer.  With TCP-AO, a connection's keys have their traffic keys once both ISNs are known
 * (auth_inherit, auth_synchronize).  Keys in TIME-WAIT are freed with the entry; they take at most
 * half of the pool, beyond which TIME-WAIT is skipped.
 *
 * Invariants: tcb.auth says whether a socket has keys.  If it has, its segments take the slow path,
 * both in and out (no header prediction, no stash, no bunches), so sockets without keys only pay
 * for a test of that byte.
 */

#include "tcp/tcp.h"

struct auth_key;

/** auth_is_there says whether percore was built with support for signatures. */
bool auth_is_there(void);

/** auth_footprint returns the bytes of a pool of n keys. */
uint64_t auth_footprint(uint32_t n);

int auth_init(struct auth *a, uint32_t n, int socket_id);
void auth_fini(struct auth *a);

/* ---- keys ------------------------------------------------------------------------------------- */

/** auth_set gives a socket a TCP-MD5 key for these peers, replacing the one for exactly the same
 * peers; len 0 removes that. Returns 0, -ENOENT (nothing to remove), -ENOMEM (the pool is empty) or
 * -EKEYREJECTED (there is a TCP-AO key for such a peer). */
int auth_set(struct tcp *tcp, struct tcb *t, const struct pc_prefix *peers, const void *key,
             unsigned len);

/** auth_nth returns the nth of a socket's TCP-MD5 keys, counted from 0, in no particular order, or
 * NULL if it has no more than n. */
const struct auth_key *auth_nth(const struct tcp *tcp, const struct tcb *t, unsigned n);

/** auth_drop removes all keys of a socket. */
void auth_drop(struct tcp *tcp, struct tcb *t);

/** auth_may_connect says whether a connection can be opened to t->flow.raddr: 0, or -EKEYREJECTED:
 * the socket uses TCP-AO, but has no key for this peer. */
int auth_may_connect(const struct tcp *tcp, const struct tcb *t);

/** auth_connect keeps the keys with which a connection is opened to t->flow.raddr, once
 * auth_may_connect has allowed it; the socket loses all others. */
void auth_connect(struct tcp *tcp, struct tcb *t);

/** auth_synchronize derives the traffic keys of an active open: SND.UNA is still the ISS, and
 * RCV.NXT is the number after the peer's SYN. */
void auth_synchronize(struct tcp *tcp, struct tcb *t);

/** auth_inherit gives a connection its listener's keys for its peer, t->flow.raddr, if there are
 * any. Returns false if the pool is empty. */
bool auth_inherit(struct tcp *tcp, struct tcb *t, const struct tcb *listener,
                  const struct syn_entry *e);

/** auth_may_wait says whether the keys of a connection may be kept in TIME-WAIT; auth_wait keeps
 * them, and auth_forget frees them. */
bool auth_may_wait(const struct tcp *tcp, const struct tcb *t);
void auth_wait(struct tcp *tcp, uint32_t tw, const struct tcb *t);
void auth_forget(struct tcp *tcp, uint32_t tw);

/** auth_signs says how the segments of a connection, half-open connection or entry in TIME-WAIT are
 * signed, or those to some of the peers of a listener: enum pc_signed. */
uint8_t auth_signs(const struct tcp *tcp, flow_ref ref);

/* The parts of the following functions for sockets with keys. */
const struct auth_key *auth_find(const struct tcp *tcp, const struct tcb *t);
unsigned auth_find_space(const struct tcp *tcp, const struct tcb *t);
const struct auth_by *auth_find_half_open(const struct tcp *tcp, const struct syn_entry *e,
                                          struct auth_by *by);

/** auth_of returns the key that a connection signs with, or NULL: its segments are not signed. */
static inline const struct auth_key *auth_of(const struct tcp *tcp, const struct tcb *t)
{
	return likely(!t->auth) ? NULL : auth_find(tcp, t);
}

/** auth_space returns the bytes that a signature takes in each of a connection's segments. */
static inline unsigned auth_space(const struct tcp *tcp, const struct tcb *t)
{
	return likely(!t->auth) ? 0 : auth_find_space(tcp, t);
}

/** auth_leaves_ts says whether timestamps and a SACK block fit beside a signature of space
 * bytes. */
static inline bool auth_leaves_ts(unsigned space)
{
	return space + TCP_NOP_NOP_TS_LEN + 4 + 8 <= TCP_OPTIONS_MAX;
}

/** auth_lets_ask_for_ts says whether an active open asks for timestamps: not if a signature would
 * then leave no room for SACK, as on Linux with TCP-MD5. */
static inline bool auth_lets_ask_for_ts(const struct tcp *tcp, const struct tcb *t)
{
	return tcp->ctx->cfg.tcp_timestamps && auth_leaves_ts(auth_space(tcp, t));
}

/* ---- segments --------------------------------------------------------------------------------- */

/* The part of auth_input for segments with the option, and for stacks with keys. */
int auth_check(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m, const struct ip_pkt *p,
               struct tcp_rx *rx);

/** auth_input says whether a segment for what ref refers to is signed as required, and notes how an
 * answer would be signed. Verdict: VERDICT_DONE, or a drop. */
static inline int auth_input(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m,
                             const struct ip_pkt *p, struct tcp_rx *rx)
{
	if (likely(tcp->auth.used == 0 && !(rx->seg.has & TCP_HAS_AUTH)))
		return VERDICT_DONE;
	return auth_check(tcp, ref, m, p, rx);
}

/** auth_by_input returns how to sign an answer to the segment that auth_input accepted last, or
 * NULL. */
static inline const struct auth_by *auth_by_input(const struct tcp *tcp, const struct tcp_rx *rx)
{
	return likely(!(rx->seg.has & TCP_HAS_AUTH)) ? NULL : &tcp->auth.by;
}

/** auth_note_ids stores the KeyID and RNextKeyID of answers to that segment in its half-open
 * connection. */
void auth_note_ids(const struct tcp *tcp, const struct tcp_rx *rx, struct syn_entry *e);

/** auth_by_half_open returns, in by, how to sign segments of a half-open connection, or NULL. */
static inline const struct auth_by *auth_by_half_open(const struct tcp *tcp,
                                                      const struct syn_entry *e, struct auth_by *by)
{
	const struct tcb *listener = tcp_listener(tcp, e->binding);

	return likely(!listener->auth) ? NULL : auth_find_half_open(tcp, e, by);
}

/** auth_by_tcb returns, in by, how to sign segments of a connection that has keys, or NULL. */
const struct auth_by *auth_by_tcb(struct tcp *tcp, const struct tcb *t, struct auth_by *by);

/** auth_room returns which of the options in opt a connection can use beside signatures: SACK
 * rather than timestamps, as on Linux with TCP-MD5. by NULL: no signatures. */
uint8_t auth_room(const struct auth_by *by, uint8_t opt);

/** auth_put makes tcp_write add the option for a signature. */
void auth_put(const struct auth_by *by, struct tcp_seg *s);

/** auth_sign writes the signature into the segment that tcp_write has put at the start of m. The
 * checksum is computed afterwards. */
void auth_sign(const struct auth_by *by, const struct pc_addr *src, const struct pc_addr *dst,
               struct rte_mbuf *m);

/** auth_ignores says whether a connection ignores an ICMP error (RFC 5925 section 7.8), and counts
 * those ignored. */
bool auth_ignores(struct tcp *tcp, const struct tcb *t, const struct icmp_error *e);

/** auth_validate checks the pool. Returns the number of violations. */
unsigned auth_validate(const struct tcp *tcp);

#endif
