/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_AUTH_H
#define TCP_AUTH_H

/*
 * Signed segments (TCP-MD5, RFC 2385; TCP-AO, RFC 5925): keys, and the segments that must have a
 * signature.
 *
 * Overview: a socket may have keys, each for the peers in a prefix (TCP_MD5SIG, TCP_AO_ADD_KEY).
 * With a key for its peer, a connection signs everything that it sends, and accepts only what is
 * signed with it.  For the rest of TCP both kinds are the same: what is sent is signed by a struct
 * auth_by, which comes from a connection (auth_by_tcb), from a half-open one (auth_by_half_open),
 * or from the segment that is answered (auth_by_input), for a reset or in TIME-WAIT; auth_put makes
 * room for the option, and auth_sign signs.  Where they differ is in auth_sign.c (what is signed),
 * auth_in.c (by which key) and auth_ao.c (what only TCP-AO has); auth_key.h says what a key is.
 *
 * What has no TCB finds the key elsewhere: a half-open connection with its listener; an entry of
 * TIME-WAIT has copies of its own.
 *
 * Life cycle: keys are in a pool of tcp.auth_keys, and are found by their owner.  A socket's keys
 * live as long as it; a connection that a listener accepts gets copies of those for its peer.  With
 * TCP-AO, a connection's keys have their traffic keys once both ISNs are known (auth_inherit,
 * auth_synchronize).  Keys of TIME-WAIT are freed with the entry; they are at most half of the
 * pool, otherwise TIME-WAIT is omitted.
 *
 * Invariants: tcb.auth says whether a socket has keys.  If it has, its segments take the slow path,
 * both in and out (no header prediction, no stash, no bunches), so sockets without keys pay only
 * for a look at that byte.
 */

#include "tcp/tcp.h"

struct auth_key;

/** auth_is_there says whether percore was built with what signs. */
bool auth_is_there(void);

/** auth_footprint returns the bytes of a pool of n keys. */
uint64_t auth_footprint(uint32_t n);

int auth_init(struct auth *a, uint32_t n, int socket_id);
void auth_fini(struct auth *a);

/* ---- keys ------------------------------------------------------------------------------------- */

/** auth_set gives a socket a key of TCP-MD5 for these peers, instead of one for just the same; len 0 takes that away. 0, -ENOENT
 * (nothing to take away), -ENOMEM (the pool is empty), -EKEYREJECTED (there is one of TCP-AO for such a peer). */
int auth_set(struct tcp *tcp, struct tcb *t, const struct pc_prefix *peers, const void *key,
             unsigned len);

/** auth_nth returns one of a socket's keys of TCP-MD5, in any order, or NULL: it has no more than n. */
const struct auth_key *auth_nth(const struct tcp *tcp, const struct tcb *t, unsigned n);

/** auth_drop takes all keys of a socket away. */
void auth_drop(struct tcp *tcp, struct tcb *t);

/** auth_may_connect says whether a connection can be opened to t->flow.raddr: 0, or -EKEYREJECTED: TCP-AO is wanted, and there is
 * no key for this peer. */
int auth_may_connect(const struct tcp *tcp, const struct tcb *t);

/** auth_connect settles by which keys a connection is opened to t->flow.raddr, as auth_may_connect has let it: the socket loses all
 * others. */
void auth_connect(struct tcp *tcp, struct tcb *t);

/** auth_synchronize makes the traffic keys of a connection that was opened from here: SND.UNA is the ISS still, and
 * RCV.NXT the number behind the peer's SYN. */
void auth_synchronize(struct tcp *tcp, struct tcb *t);

/** auth_inherit gives a connection its listener's keys for its peer, t->flow.raddr, if there are any. Returns false
 * when the pool is empty. */
bool auth_inherit(struct tcp *tcp, struct tcb *t, const struct tcb *listener,
                  const struct syn_entry *e);

/** auth_may_wait says whether the keys of a connection may be kept in TIME-WAIT; auth_wait does so, and auth_forget
 * ends it. */
bool auth_may_wait(const struct tcp *tcp, const struct tcb *t);
void auth_wait(struct tcp *tcp, uint32_t tw, const struct tcb *t);
void auth_forget(struct tcp *tcp, uint32_t tw);

/** auth_signs says how segments are signed to and from who is in a place of the flow table, or by a listener to some: enum
 * pc_signed. */
uint8_t auth_signs(const struct tcp *tcp, flow_ref ref);

/* The parts of the next ones for sockets with keys. */
const struct auth_key *auth_find(const struct tcp *tcp, const struct tcb *t);
unsigned auth_find_space(const struct tcp *tcp, const struct tcb *t);
const struct auth_by *auth_find_half_open(const struct tcp *tcp, const struct syn_entry *e,
                                          struct auth_by *by);

/** auth_of returns the key that a connection signs by, or NULL: its segments are not signed. */
static inline const struct auth_key *auth_of(const struct tcp *tcp, const struct tcb *t)
{
	return likely(!t->auth) ? NULL : auth_find(tcp, t);
}

/** auth_space returns the bytes that signatures take of a connection's segments. */
static inline unsigned auth_space(const struct tcp *tcp, const struct tcb *t)
{
	return likely(!t->auth) ? 0 : auth_find_space(tcp, t);
}

/** auth_leaves_ts says whether timestamps and a SACK block find room beside a signature. */
static inline bool auth_leaves_ts(unsigned space)
{
	return space + TCP_NOP_NOP_TS_LEN + 4 + 8 <= TCP_OPTIONS_MAX;
}

/** auth_lets_ask_for_ts says whether a connection that is opened asks for timestamps: not beside a signature that leaves no
 * room for SACK then, as on Linux with TCP-MD5. */
static inline bool auth_lets_ask_for_ts(const struct tcp *tcp, const struct tcb *t)
{
	return tcp->ctx->cfg.tcp_timestamps && auth_leaves_ts(auth_space(tcp, t));
}

/* ---- segments --------------------------------------------------------------------------------- */

/* The part of auth_input for segments with the option, and for stacks with keys. */
int auth_check(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m, const struct ip_pkt *p,
               struct tcp_rx *rx);

/** auth_input says whether a segment to what ref says is signed as it must be, and notes how it would be answered. Verdict:
 * VERDICT_DONE, or a drop. */
static inline int auth_input(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m,
                             const struct ip_pkt *p, struct tcp_rx *rx)
{
	if (likely(tcp->auth.used == 0 && !(rx->seg.has & TCP_HAS_AUTH)))
		return VERDICT_DONE;
	return auth_check(tcp, ref, m, p, rx);
}

/** auth_by_input returns by what an answer is signed to the segment that auth_input has let pass last, or NULL. */
static inline const struct auth_by *auth_by_input(const struct tcp *tcp, const struct tcp_rx *rx)
{
	return likely(!(rx->seg.has & TCP_HAS_AUTH)) ? NULL : &tcp->auth.by;
}

/** auth_note_ids notes the KeyID and the RNextKeyID that answers to that segment have for its half-open connection. */
void auth_note_ids(const struct tcp *tcp, const struct tcp_rx *rx, struct syn_entry *e);

/** auth_by_half_open returns by what segments of a half-open connection are signed, in by, or NULL. */
static inline const struct auth_by *auth_by_half_open(const struct tcp *tcp,
                                                      const struct syn_entry *e, struct auth_by *by)
{
	const struct tcb *listener = tcp_listener(tcp, e->binding);

	return likely(!listener->auth) ? NULL : auth_find_half_open(tcp, e, by);
}

/** auth_by_tcb returns by what segments of a connection are signed that has keys, in by, or NULL. */
const struct auth_by *auth_by_tcb(struct tcp *tcp, const struct tcb *t, struct auth_by *by);

/** auth_room returns what a connection can have beside signatures of what its SYN has asked for: SACK rather than
 * timestamps, as on Linux with TCP-MD5. by: NULL: there are none. */
uint8_t auth_room(const struct auth_by *by, uint8_t opt);

/** auth_put asks tcp_write for the option of a signature. */
void auth_put(const struct auth_by *by, struct tcp_seg *s);

/** auth_sign puts the signature into a segment that tcp_write has begun m with. Its checksum is computed
 * afterwards. */
void auth_sign(const struct auth_by *by, const struct pc_addr *src, const struct pc_addr *dst,
               struct rte_mbuf *m);

/** auth_ignores says whether an ICMP error is none of a connection's concern (RFC 5925 section 7.8), and counts that. */
bool auth_ignores(struct tcp *tcp, const struct tcb *t, const struct icmp_error *e);

/** auth_validate checks the pool. Returns the violations. */
unsigned auth_validate(const struct tcp *tcp);

#endif
