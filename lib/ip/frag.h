/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_FRAG_H
#define IP_FRAG_H

/* Inside lib/ip: reassembly of datagrams of both families. */

#include "ip/ip.h"

/** What a fragment's header says. */
struct frag {
	uint32_t id;
	uint32_t off, len; /* where in the datagram its payload belongs, and its bytes */
	uint16_t data_off; /* of the payload, from the start of the frame */
	bool more;
};

struct frags;

/** frags_footprint returns the bytes that frags_create takes. */
uint64_t frags_footprint(const struct pc_stack_config *cfg);

/** frags_create makes a stack's table. Returns NULL if out of memory. */
struct frags *frags_create(struct ctx *ctx);

/** frags_destroy frees the table and every fragment it holds. */
void frags_destroy(struct frags *fr);

/**
 * frags_add adds a fragment, whose payload ends with its frame; p is what the input function found
 * in it. Verdict: VERDICT_DONE: the fragment is kept. If it was the last one missing, *whole is the
 * datagram (the frame of its first fragment, with all payloads after its headers) and *first what
 * was found in that frame; otherwise *whole is NULL. Or a drop, in which case m still belongs to
 * the caller.
 */
int frags_add(struct frags *fr, struct rte_mbuf *m, const struct ip_pkt *p, const struct frag *f,
              struct rte_mbuf **whole, struct ip_pkt *first);

/**
 * frags_expire gives up one datagram whose time has run out; it returns false when there is none.
 * *first is the frame of its first fragment and *p what was found in it: the caller reports it to
 * the sender, then counts and frees it. *first is NULL if that fragment never arrived.
 */
bool frags_expire(struct frags *fr, struct rte_mbuf **first, struct ip_pkt *p);

/** frags_relieve gives up datagrams, oldest first, until at most this many mbufs are held. */
void frags_relieve(struct frags *fr, uint32_t most);

/** frags_due returns when the next datagram expires; UINT64_MAX: never. */
uint64_t frags_due(const struct frags *fr);

/** frags_mbufs returns how many mbufs are held. */
uint32_t frags_mbufs(const struct frags *fr);

/** frags_held returns how many fragments are held. */
uint32_t frags_held(const struct frags *fr);

/** frags_validate checks the invariants. Returns the number of violations. */
unsigned frags_validate(const struct frags *fr);

/* ---- input and output of fragments (frag_in.c, frag_out.c) ---- */

/** ip_frag_poll gives up the datagrams whose time has run out, and notifies their senders. */
void ip_frag_poll(struct ip *ip);

/** ip_fragment sends a packet larger than the path's MTU in fragments; it owns m. */
void ip_fragment(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                 struct rte_mbuf *m);

#endif
