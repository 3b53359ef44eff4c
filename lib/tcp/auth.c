/* SPDX-License-Identifier: BSD-2-Clause */

/* Keys, and whose segments must be signed; see auth.h. */

#include "tcp/auth.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include "tcp/tcp_conn.h"

/* ---- the pool --------------------------------------------------------------------------------- */

/* as many chains as keys, rounded up */
static uint32_t nb_chains(uint32_t n)
{
	return rte_align32pow2(RTE_MAX(n, 2u));
}

uint64_t auth_footprint(uint32_t n)
{
	return (uint64_t)(n + 1) * sizeof(struct auth_key) + nb_chains(n) * sizeof(uint16_t);
}

int auth_init(struct auth *a, uint32_t n, int socket_id)
{
	*a = (struct auth){.n = n, .mask = nb_chains(n) - 1};
	a->key = rte_zmalloc_socket("pc_auth", (size_t)(n + 1) * sizeof(*a->key),
	                            RTE_CACHE_LINE_SIZE, socket_id);
	a->chain = rte_zmalloc_socket("pc_auth_chain", (a->mask + 1) * sizeof(*a->chain),
	                              RTE_CACHE_LINE_SIZE, socket_id);
	if (a->key == NULL || a->chain == NULL)
		return -ENOMEM;
	for (uint32_t i = n; i >= 1; i--) {
		a->key[i].next = a->free;
		a->free = (uint16_t)i;
	}
	return 0;
}

static void erase(struct auth_key *k)
{
	explicit_bzero(k, sizeof(*k));
}

void auth_fini(struct auth *a)
{
	for (uint32_t i = 1; a->key != NULL && i <= a->n; i++)
		erase(&a->key[i]);
	rte_free(a->key);
	rte_free(a->chain);
}

static uint16_t *chain_of(const struct auth *a, uint32_t owner)
{
	return &a->chain[owner & a->mask];
}

static int add(struct auth *a, uint32_t owner, const struct pc_prefix *peers, const void *bytes,
               unsigned len)
{
	uint16_t *chain = chain_of(a, owner), index = a->free;
	struct auth_key *k = &a->key[index];

	if (index == 0)
		return -ENOMEM;
	a->free = k->next;
	a->used++;
	k->owner = owner;
	k->peers = *peers;
	k->len = (uint8_t)len;
	memcpy(k->bytes, bytes, len);
	k->next = *chain;
	*chain = index;
	return 0;
}

/* takes away what *link, in some chain, refers to */
static void take(struct auth *a, uint16_t *link)
{
	const uint16_t index = *link;
	struct auth_key *k = &a->key[index];

	*link = k->next;
	erase(k);
	k->next = a->free;
	a->free = index;
	a->used--;
}

static void take_all(struct auth *a, uint32_t owner)
{
	for (uint16_t *link = chain_of(a, owner); *link != 0;) {
		if (a->key[*link].owner == owner)
			take(a, link);
		else
			link = &a->key[*link].next;
	}
}

/* the place in its chain of a socket's key for just these peers, or NULL */
static uint16_t *find_same(struct auth *a, uint32_t owner, const struct pc_prefix *peers)
{
	for (uint16_t *link = chain_of(a, owner); *link != 0; link = &a->key[*link].next) {
		const struct auth_key *k = &a->key[*link];

		if (k->owner == owner && k->peers.len == peers->len &&
		    pc_addr_equal(&k->peers.addr, &peers->addr))
			return link;
	}
	return NULL;
}

/* A prefix of IPv6 that contains the mapped addresses does not mean them. */
static bool is_for(const struct auth_key *k, const struct pc_addr *peer)
{
	return (k->peers.len >= 96 || !pc_addr_is_ip4(peer)) && pc_prefix_contains(&k->peers, peer);
}

const struct auth_key *auth_find(const struct tcp *tcp, uint32_t owner, const struct pc_addr *peer)
{
	const struct auth *a = &tcp->auth;
	const struct auth_key *best = NULL;

	for (uint16_t i = *chain_of(a, owner); i != 0; i = a->key[i].next) {
		const struct auth_key *k = &a->key[i];

		if (k->owner == owner && (best == NULL || k->peers.len > best->peers.len) &&
		    is_for(k, peer))
			best = k;
	}
	return best;
}

/* ---- sockets ---------------------------------------------------------------------------------- */

const struct auth_key *auth_nth(const struct tcp *tcp, const struct tcb *t, unsigned n)
{
	const uint32_t owner = tcp_index(tcp, t);
	const struct auth *a = &tcp->auth;

	for (uint16_t i = *chain_of(a, owner); i != 0; i = a->key[i].next)
		if (a->key[i].owner == owner && n-- == 0)
			return &a->key[i];
	return NULL;
}

int auth_set(struct tcp *tcp, struct tcb *t, const struct pc_prefix *peers, const void *key,
             unsigned len)
{
	const uint32_t owner = tcp_index(tcp, t);
	uint16_t *same = find_same(&tcp->auth, owner, peers);

	assert(len <= AUTH_KEY_MAX);
	if (len == 0 && same == NULL)
		return -ENOENT;
	if (same != NULL)
		take(&tcp->auth, same); /* and what comes instead has its place */
	if (len != 0 && add(&tcp->auth, owner, peers, key, len) != 0)
		return -ENOMEM;
	t->auth = auth_nth(tcp, t, 0) != NULL;
	if (t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN && t->state != TCP_S_SYN_SENT)
		tcb_update_mss(tcp, t); /* the option takes its space from the text */
	return 0;
}

void auth_drop(struct tcp *tcp, struct tcb *t)
{
	take_all(&tcp->auth, tcp_index(tcp, t));
	t->auth = false;
}

static int copy(struct tcp *tcp, uint32_t owner, const struct auth_key *key,
                const struct pc_addr *peer)
{
	const struct pc_prefix only = {.addr = *peer, .len = 128};

	return add(&tcp->auth, owner, &only, key->bytes, key->len);
}

bool auth_inherit(struct tcp *tcp, struct tcb *t, const struct tcb *listener)
{
	const struct auth_key *key =
	    listener->auth ? auth_find(tcp, tcp_index(tcp, listener), &t->flow.raddr) : NULL;

	if (likely(key == NULL))
		return true;
	t->auth = copy(tcp, tcp_index(tcp, t), key, &t->flow.raddr) == 0;
	return t->auth;
}

bool auth_may_wait(const struct tcp *tcp)
{
	return tcp->auth.free != 0 && tcp->auth.waiting < tcp->auth.n / 2;
}

void auth_wait(struct tcp *tcp, uint32_t tw, const struct auth_key *key, const struct pc_addr *peer)
{
	if (copy(tcp, AUTH_OF_TIME_WAIT | tw, key, peer) == 0)
		tcp->auth.waiting++;
}

void auth_forget(struct tcp *tcp, uint32_t tw)
{
	take_all(&tcp->auth, AUTH_OF_TIME_WAIT | tw);
	tcp->auth.waiting--;
}

/* ---- the way in ------------------------------------------------------------------------------- */

static uint32_t listener_on(const struct tcp *tcp, const struct tcp_rx *rx, uint16_t port)
{
	return bindings_listener(&tcp->bind, binding_family(&rx->flow.raddr), rx->flow.laddr, port,
	                         (uint32_t)rx->hash);
}

/* What belongs to nothing is its listener's. A peer may still believe in a connection that we have opened: who has such
 * peers listens on the port that they were reached on, as routers do, and has their keys there (as Linux). */
static const struct auth_key *key_of_none(const struct tcp *tcp, const struct tcp_rx *rx)
{
	uint32_t listener = listener_on(tcp, rx, rx->flow.lport);

	if (listener == 0 && (rx->seg.has & TCP_HAS_AUTH))
		listener = listener_on(tcp, rx, rx->seg.sport);
	return listener != 0 ? auth_of_listener(tcp, listener, &rx->flow.raddr) : NULL;
}

/* A SYN may begin anew what is in TIME-WAIT, with the key that holds now. */
static const struct auth_key *key_of_waiting(const struct tcp *tcp, const struct tcp_rx *rx,
                                             uint32_t tw)
{
	const bool is_syn = (rx->seg.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	const uint32_t listener = is_syn ? listener_on(tcp, rx, rx->flow.lport) : 0;

	if (listener != 0)
		return auth_of_listener(tcp, listener, &rx->flow.raddr);
	return tcp->tw.entry[tw].auth ? auth_of_time_wait(tcp, tw) : NULL;
}

static const struct auth_key *key_for(const struct tcp *tcp, flow_ref ref, const struct tcp_rx *rx)
{
	const uint32_t index = flow_ref_index(ref);

	switch (flow_ref_kind(ref)) {
	case FLOW_TCB:
		return auth_of(tcp, tcp_tcb(tcp, index));
	case FLOW_SYN:
		return auth_of_listener(tcp, tcp->syn.entry[index].binding, &rx->flow.raddr);
	case FLOW_TW:
		return key_of_waiting(tcp, rx, index);
	default:
		return key_of_none(tcp, rx);
	}
}

int auth_check(struct tcp *tcp, flow_ref ref, const struct rte_mbuf *m, const struct ip_pkt *p,
               struct tcp_rx *rx)
{
	const struct auth_key *key = key_for(tcp, ref, rx);
	const uint8_t *told;

	if (!(rx->seg.has & TCP_HAS_AUTH))
		return key == NULL ? VERDICT_DONE : PC_DROP_TCP_MD5_NOT_FOUND;
	if (key == NULL)
		return PC_DROP_TCP_MD5_UNEXPECTED;
	told =
	    tcp_find_md5(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), rx->seg.hdr_len);
	if (told == NULL || !auth_verify(key, &p->src, &p->dst, m, p->l4_off, p->l4_len, told))
		return PC_DROP_TCP_MD5_FAILURE;
	rx->key = (uint16_t)(key - tcp->auth.key);
	return VERDICT_DONE;
}

/* ---- checks ----------------------------------------------------------------------------------- */

static bool has_owner(const struct tcp *tcp, uint32_t owner)
{
	const uint32_t tw = owner & ~AUTH_OF_TIME_WAIT;

	if (owner & AUTH_OF_TIME_WAIT)
		return tw <= tcp->tw.n && tcp->tw.entry[tw].used && tcp->tw.entry[tw].auth;
	return owner >= 1 && owner <= tcp->nb_tcbs && tcp_tcb(tcp, owner)->auth;
}

unsigned auth_validate(const struct tcp *tcp)
{
	const struct auth *a = &tcp->auth;
	uint32_t used = 0, waiting = 0, keyless = 0;
	unsigned bad = 0;

	for (uint32_t c = 0; c <= a->mask; c++) {
		for (uint16_t i = a->chain[c]; i != 0 && used <= a->n; i = a->key[i].next, used++) {
			bad += chain_of(a, a->key[i].owner) != &a->chain[c];
			bad += !has_owner(tcp, a->key[i].owner);
			bad += a->key[i].len == 0 || a->key[i].len > AUTH_KEY_MAX;
			waiting += (a->key[i].owner & AUTH_OF_TIME_WAIT) != 0;
		}
	}
	for (uint32_t i = 1; i <= tcp->nb_tcbs; i++)
		keyless += tcp_tcb(tcp, i)->auth && auth_nth(tcp, tcp_tcb(tcp, i), 0) == NULL;
	return bad + keyless + (used != a->used) + (waiting != a->waiting);
}
