/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_FRAG_H
#define IP_FRAG_H

/* Inside lib/ip: reassembly of datagrams of both families. */

#include "ip/ip.h"

/** What a fragment says of itself. */
struct frag {
	uint32_t id;
	uint32_t off, len; /* bytes of its payload, and where in the datagram they belong */
	uint16_t data_off; /* of the payload, from the start of the frame */
	bool more;
};

struct frags;

/** frags_footprint returns the bytes that frags_create takes. */
uint64_t frags_footprint(const struct pc_stack_config *cfg);

/** frags_create makes the table of a stack. Returns NULL when memory is lacking. */
struct frags *frags_create(struct ctx *ctx);

/** frags_destroy frees the table and every fragment it holds. */
void frags_destroy(struct frags *fr);

/**
 * frags_add takes in a fragment, whose payload ends with its frame; p is what the input function has
 * found in it. Verdict: VERDICT_DONE: it is kept, and if it was the last that was missing *whole is the
 * datagram, the frame of its first fragment with all payloads behind its headers, and *first what was
 * found in that (else *whole is NULL); or a drop, with which m is still the caller's.
 */
int frags_add(struct frags *fr, struct rte_mbuf *m, const struct ip_pkt *p, const struct frag *f,
              struct rte_mbuf **whole, struct ip_pkt *first);

/**
 * frags_expire gives up one datagram whose time is over; false when there is none. *first is the frame of
 * its first fragment and *p what was found in it, to be told to its sender and then freed by the caller,
 * who counts it; NULL if that has not come.
 */
bool frags_expire(struct frags *fr, struct rte_mbuf **first, struct ip_pkt *p);

/** frags_relieve gives up datagrams, the oldest first, until at most so many mbufs are held. */
void frags_relieve(struct frags *fr, uint32_t most);

/** frags_due returns when the next datagram is given up; UINT64_MAX: never. */
uint64_t frags_due(const struct frags *fr);

/** frags_mbufs returns how many mbufs are held. */
uint32_t frags_mbufs(const struct frags *fr);

/** frags_held returns how many fragments are held. */
uint32_t frags_held(const struct frags *fr);

/** frags_validate checks the invariants. Returns the number of violations. */
unsigned frags_validate(const struct frags *fr);

/* ---- the way in and out of fragments (frag_in.c, frag_out.c) ---- */

/** ip_frag_poll gives up the datagrams whose time is over, and tells their senders. */
void ip_frag_poll(struct ip *ip);

/** ip_fragment sends a packet that is larger than the path's MTU in pieces; it owns m. */
void ip_fragment(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                 struct rte_mbuf *m);

#endif
