/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_AUTH_H
#define TCP_AUTH_H

/*
 * Signed segments (TCP-MD5, RFC 2385): keys, and the segments that must have a signature.
 *
 * Overview: a socket may have keys, each for the peers in a prefix (TCP_MD5SIG).  With a key for its peer a connection
 * signs all that it sends, and takes nothing that is not signed so.  What has no TCB looks the key up with whom it
 * belongs to: a half-open connection with its listener, one in TIME-WAIT has a copy of its own, and a reset goes out with
 * the key that the segment was verified with which it answers.
 *
 * Life cycle: keys stand in a pool of tcp.auth_keys, and are found by their owner.  A socket's live as long as it; what a
 * listener accepts gets a copy of the key for its peer.  A key of TIME-WAIT goes with the entry; no more than half of
 * the pool may be such, else TIME-WAIT is left out.
 *
 * Invariants: tcb.auth says whether a socket has keys.  If it has, its segments go the thorough way, both in and out (no
 * header prediction, no stash, no bunches), so who has none pays no more than a look at that byte.
 */

#include "tcp/tcp.h"

#define AUTH_KEY_MAX 80 /* bytes, as Linux's TCP_MD5SIG_MAXKEYLEN */

/** A key; which peers it is for. */
struct auth_key {
	uint32_t owner; /* auth_owner; 0: free */
	uint16_t next;  /* in the chain of its owner's hash, or in the free list; index, 0: none */
	uint8_t len;
	struct pc_prefix peers;
	uint8_t bytes[AUTH_KEY_MAX];
};

/** auth_is_there says whether percore was built with what signs. */
bool auth_is_there(void);

/** auth_footprint returns the bytes of a pool of n keys. */
uint64_t auth_footprint(uint32_t n);

int auth_init(struct auth *a, uint32_t n, int socket_id);
void auth_fini(struct auth *a);

/* ---- keys ------------------------------------------------------------------------------------- */

/** auth_set gives a socket a key for these peers, instead of one for just the same; len 0 takes that away. 0, -ENOENT
 * (nothing to take away), -ENOMEM (the pool is empty). */
int auth_set(struct tcp *tcp, struct tcb *t, const struct pc_prefix *peers, const void *key,
             unsigned len);

/** auth_nth returns one of a socket's keys, in any order, or NULL: it has no more than n. */
const struct auth_key *auth_nth(const struct tcp *tcp, const struct tcb *t, unsigned n);

/** auth_drop takes all keys of a socket away. */
void auth_drop(struct tcp *tcp, struct tcb *t);

/** auth_inherit gives a connection its listener's key for its peer, t->flow.raddr, if there is one. Returns false
 * when the pool is empty. */
bool auth_inherit(struct tcp *tcp, struct tcb *t, const struct tcb *listener);

/** auth_may_wait says whether a key may be kept in TIME-WAIT; auth_wait does so, and auth_forget ends it. */
bool auth_may_wait(const struct tcp *tcp);
void auth_wait(struct tcp *tcp, uint32_t tw, const struct auth_key *key,
               const struct pc_addr *peer);
void auth_forget(struct tcp *tcp, uint32_t tw);

/* The parts of the next two that look a key up: the one of the longest prefix. */
const struct auth_key *auth_find(const struct tcp *tcp, uint32_t owner, const struct pc_addr *peer);

#define AUTH_OF_TIME_WAIT \
	(UINT32_C(1) << 31) /* of auth_key.owner: the rest is such an entry, else a TCB */

/** auth_of returns the key of a connection, or NULL: its segments are not signed. */
static inline const struct auth_key *auth_of(const struct tcp *tcp, const struct tcb *t)
{
	return likely(!t->auth) ? NULL : auth_find(tcp, tcp_index(tcp, t), &t->flow.raddr);
}

/** auth_lets_ask_for_ts says whether a connection that is opened asks for timestamps: not beside a signature, as on Linux,
 * which leaves no room for SACK blocks then. */
static inline bool auth_lets_ask_for_ts(const struct tcp *tcp, const struct tcb *t)
{
	return tcp->ctx->cfg.tcp_timestamps && auth_of(tcp, t) == NULL;
}

/** auth_room returns what a connection can have beside signatures of what its SYN has asked for: SACK rather than
 * timestamps, as on Linux. */
static inline uint8_t auth_room(uint8_t opt)
{
	return opt & TCB_OPT_SACK ? opt & (uint8_t)~TCB_OPT_TS : opt;
}

/** auth_of_listener returns the key that a listener has for a peer, or NULL; auth_of_half_open that of its peer. */
static inline const struct auth_key *auth_of_listener(const struct tcp *tcp, uint32_t binding,
                                                      const struct pc_addr *peer)
{
	const uint32_t index = tcp->bind.binding[binding].tcb;

	return likely(!tcp_tcb(tcp, index)->auth) ? NULL : auth_find(tcp, index, peer);
}

static inline const struct auth_key *auth_of_half_open(const struct tcp *tcp,
                                                       const struct syn_entry *e)
{
	return auth_of_listener(tcp, e->binding, &e->flow.raddr);
}

/** auth_of_time_wait returns the key of an entry that has one. */
static inline const struct auth_key *auth_of_time_wait(const struct tcp *tcp, uint32_t tw)
{
	return auth_find(tcp, AUTH_OF_TIME_WAIT | tw, &tcp->tw.entry[tw].flow.raddr);
}

/* ---- segments --------------------------------------------------------------------------------- */

/* The part of auth_input for segments with the option, and for stacks with keys. */
int auth_check(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m, const struct ip_pkt *p,
               struct tcp_rx *rx);

/** auth_input says whether a segment to what ref says is signed as it must be, and notes by which key. Verdict:
 * VERDICT_DONE, or a drop. */
static inline int auth_input(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m,
                             const struct ip_pkt *p, struct tcp_rx *rx)
{
	if (likely(tcp->auth.used == 0 && !(rx->seg.has & TCP_HAS_AUTH)))
		return VERDICT_DONE;
	return auth_check(tcp, ref, m, p, rx);
}

/** auth_of_input returns the key that a segment is signed with which auth_input has let pass, or NULL. */
static inline const struct auth_key *auth_of_input(const struct tcp *tcp, const struct tcp_rx *rx)
{
	return likely(!(rx->seg.has & TCP_HAS_AUTH)) ? NULL : &tcp->auth.key[rx->key];
}

/** auth_verify says whether told, TCP_MD5_LEN bytes, is the signature of the segment of len bytes that begins off bytes into m,
 * its header in one piece. It takes as long whether it is or not. */
bool auth_verify(const struct auth_key *key, const struct pc_addr *src, const struct pc_addr *dst,
                 const struct rte_mbuf *m, uint32_t off, uint32_t len, const uint8_t *told);

/** auth_sign puts the signature into a segment that tcp_write has begun m with, TCP_HAS_AUTH. Its checksum is
 * computed afterwards. */
void auth_sign(const struct auth_key *key, const struct pc_addr *src, const struct pc_addr *dst,
               struct rte_mbuf *m);

/** auth_validate checks the pool. Returns the violations. */
unsigned auth_validate(const struct tcp *tcp);

#endif
