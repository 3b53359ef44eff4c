/* SPDX-License-Identifier: BSD-2-Clause */

/* Keys, and which of them signs what is sent; see auth.h and auth_key.h. */

#include "tcp/auth.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include <percore/inspect.h>

#include "tcp/auth_key.h"
#include "tcp/tcp_conn.h"

bool auth_is_there(void)
{
	return mac_is_there();
}

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

struct auth_key *auth_add(struct auth *a, flow_ref owner, enum auth_kind kind)
{
	uint16_t *chain = auth_chain(a, owner), index = a->free;
	struct auth_key *k = &a->key[index];

	if (index == 0)
		return NULL;
	a->free = k->next;
	a->used++;
	k->owner = owner;
	k->kind = (uint8_t)kind;
	k->next = *chain;
	*chain = index;
	return k;
}

struct auth_key *auth_add_like(struct auth *a, flow_ref owner, const struct auth_key *like)
{
	struct auth_key *k = auth_add(a, owner, (enum auth_kind)like->kind);
	const uint16_t next = k != NULL ? k->next : 0;

	if (k == NULL)
		return NULL;
	*k = *like;
	k->owner = owner;
	k->next = next;
	return k;
}

void auth_take(struct auth *a, struct auth_key *k)
{
	const uint16_t index = auth_index(a, k);
	uint16_t *link = auth_chain(a, k->owner);

	while (*link != index)
		link = &a->key[*link].next;
	*link = k->next;
	erase(k);
	k->next = a->free;
	a->free = index;
	a->used--;
}

static void take_all_keys(struct auth *a, flow_ref owner)
{
	struct auth_key *k;

	while ((k = auth_first(a, owner)) != NULL)
		auth_take(a, k);
}

/* An IPv6 prefix that contains the IPv4-mapped addresses does not apply to them. */
bool auth_is_for(const struct auth_key *k, const struct pc_addr *peer)
{
	return (k->peers.len >= 96 || !pc_addr_is_ip4(peer)) && pc_prefix_contains(&k->peers, peer);
}

const struct auth_key *auth_find_md5(const struct auth *a, flow_ref owner,
                                     const struct pc_addr *peer)
{
	const struct auth_key *best = NULL;

	for (const struct auth_key *k = auth_first(a, owner); k != NULL; k = auth_next(a, k))
		if (k->kind == AUTH_MD5 && (best == NULL || k->peers.len > best->peers.len) &&
		    auth_is_for(k, peer))
			best = k;
	return best;
}

struct auth_key *auth_find_ao(const struct auth *a, flow_ref owner, const struct pc_addr *peer,
                              int snd_id, int rcv_id)
{
	for (struct auth_key *k = auth_first(a, owner); k != NULL; k = auth_next(a, k))
		if (k->kind == AUTH_AO && (snd_id == AUTH_ANY_ID || k->snd_id == snd_id) &&
		    (rcv_id == AUTH_ANY_ID || k->rcv_id == rcv_id) &&
		    (peer == NULL || auth_is_for(k, peer)))
			return k;
	return NULL;
}

struct auth_socket *auth_socket_of(const struct auth *a, flow_ref owner)
{
	for (struct auth_key *k = auth_first(a, owner); k != NULL; k = auth_next(a, k))
		if (k->kind == AUTH_SOCKET)
			return &k->socket;
	return NULL;
}

/* ---- sockets ---------------------------------------------------------------------------------- */

/* a socket's TCP-MD5 key for exactly these peers, or NULL */
static struct auth_key *find_same(const struct auth *a, flow_ref owner,
                                  const struct pc_prefix *peers)
{
	for (struct auth_key *k = auth_first(a, owner); k != NULL; k = auth_next(a, k))
		if (k->kind == AUTH_MD5 && k->peers.len == peers->len &&
		    pc_addr_equal(&k->peers.addr, &peers->addr))
			return k;
	return NULL;
}

const struct auth_key *auth_nth(const struct tcp *tcp, const struct tcb *t, unsigned n)
{
	const struct auth *a = &tcp->auth;

	for (const struct auth_key *k = auth_first(a, auth_owner(tcp, t)); k != NULL;
	     k = auth_next(a, k))
		if (k->kind == AUTH_MD5 && n-- == 0)
			return k;
	return NULL;
}

static int add_md5(struct auth *a, flow_ref owner, const struct pc_prefix *peers, const void *bytes,
                   unsigned len)
{
	struct auth_key *k = auth_add(a, owner, AUTH_MD5);

	if (k == NULL)
		return -ENOMEM;
	k->peers = *peers;
	k->len = (uint8_t)len;
	memcpy(k->bytes, bytes, len);
	return 0;
}

int auth_set(struct tcp *tcp, struct tcb *t, const struct pc_prefix *peers, const void *key,
             unsigned len)
{
	const flow_ref owner = auth_owner(tcp, t);
	struct auth_key *same = find_same(&tcp->auth, owner, peers);

	assert(len <= AUTH_KEY_MAX);
	if (len == 0 && same == NULL)
		return -ENOENT;
	if (len != 0 && auth_find_ao(&tcp->auth, owner, &peers->addr, AUTH_ANY_ID, AUTH_ANY_ID))
		return -EKEYREJECTED;
	if (same != NULL)
		auth_take(&tcp->auth, same); /* which leaves an entry for the new key */
	if (len != 0 && add_md5(&tcp->auth, owner, peers, key, len) != 0)
		return -ENOMEM;
	t->auth = auth_first(&tcp->auth, owner) != NULL;
	if (t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN && t->state != TCP_S_SYN_SENT)
		tcb_update_mss(tcp, t); /* the option takes space from the data */
	return 0;
}

void auth_drop(struct tcp *tcp, struct tcb *t)
{
	take_all_keys(&tcp->auth, auth_owner(tcp, t));
	t->auth = false;
}

/* ---- copies ----------------------------------------------------------------------------------- */

unsigned auth_copy(struct auth *a, flow_ref from, flow_ref to, const struct pc_addr *peer)
{
	const struct auth_socket *was = auth_socket_of(a, from);
	struct auth_key *s = auth_add(a, to, AUTH_SOCKET), *c;
	unsigned n = 1;

	if (s == NULL)
		return 0;
	s->socket = *was;
	for (struct auth_key *k = auth_first(a, from); k != NULL; k = auth_next(a, k)) {
		if (k->kind != AUTH_AO || !auth_is_for(k, peer))
			continue;
		c = auth_add_like(a, to, k);
		if (c == NULL) {
			take_all_keys(a, to);
			return 0;
		}
		n++;
		if (auth_index(a, k) == was->current)
			s->socket.current = auth_index(a, c);
		if (auth_index(a, k) == was->rnext)
			s->socket.rnext = auth_index(a, c);
	}
	return n;
}

static int copy_md5(struct auth *a, flow_ref to, const struct auth_key *key,
                    const struct pc_addr *peer)
{
	const struct pc_prefix only = {.addr = *peer, .len = 128};

	return add_md5(a, to, &only, key->bytes, key->len);
}

/* The key that an accepted connection signs with, or asks for: that of the handshake by its KeyID,
 * or another one if it was removed since. */
static uint16_t still_there(const struct auth *a, flow_ref owner, int snd_id, int rcv_id)
{
	const struct auth_key *k = auth_find_ao(a, owner, NULL, snd_id, rcv_id);

	if (k == NULL)
		k = auth_find_ao(a, owner, NULL, AUTH_ANY_ID, AUTH_ANY_ID);
	return auth_index(a, k);
}

static bool inherit_ao(struct tcp *tcp, struct tcb *t, flow_ref from, const struct syn_entry *e)
{
	const flow_ref to = auth_owner(tcp, t);
	struct auth_key *k;
	struct auth_socket *s;

	if (auth_copy(&tcp->auth, from, to, &t->flow.raddr) == 0)
		return false;
	s = auth_socket_of(&tcp->auth, to);
	s->iss = e->iss;
	s->irs = e->irs;
	s->snd = s->iss;
	s->rcv = s->irs;
	s->good = s->bad = s->not_found = s->not_signed = s->icmps = 0;
	for (k = auth_first(&tcp->auth, to); k != NULL; k = auth_next(&tcp->auth, k)) {
		if (k->kind != AUTH_AO)
			continue;
		k->good = k->bad = 0;
		auth_derive(tcp, t, s, k);
	}
	s->current = still_there(&tcp->auth, to, e->keyid, AUTH_ANY_ID);
	s->rnext = still_there(&tcp->auth, to, AUTH_ANY_ID, e->rnext);
	t->auth = true;
	return true;
}

bool auth_inherit(struct tcp *tcp, struct tcb *t, const struct tcb *listener,
                  const struct syn_entry *e)
{
	const flow_ref from = auth_owner(tcp, listener);
	const struct auth_key *key;

	if (auth_find_ao(&tcp->auth, from, &t->flow.raddr, AUTH_ANY_ID, AUTH_ANY_ID) != NULL)
		return inherit_ao(tcp, t, from, e);
	key = auth_find_md5(&tcp->auth, from, &t->flow.raddr);
	if (key == NULL)
		return true;
	t->auth = copy_md5(&tcp->auth, auth_owner(tcp, t), key, &t->flow.raddr) == 0;
	return t->auth;
}

/* ---- TIME-WAIT -------------------------------------------------------------------------------- */

bool auth_may_wait(const struct tcp *tcp, const struct tcb *t)
{
	const struct auth *a = &tcp->auth;
	uint32_t n = 0;

	if (auth_of(tcp, t)->kind == AUTH_MD5)
		n = 1;
	else
		for (const struct auth_key *k = auth_first(a, auth_owner(tcp, t)); k != NULL;
		     k = auth_next(a, k))
			n++;
	return a->n - a->used >= n && a->waiting + n <= a->n / 2;
}

void auth_wait(struct tcp *tcp, uint32_t tw, const struct tcb *t)
{
	const flow_ref to = flow_ref_make(FLOW_TW, tw);
	const struct auth_key *key = auth_of(tcp, t);
	struct auth *a = &tcp->auth;

	if (key->kind == AUTH_AO)
		a->waiting += auth_copy(a, auth_owner(tcp, t), to, &t->flow.raddr);
	else if (copy_md5(a, to, key, &t->flow.raddr) == 0)
		a->waiting++;
}

void auth_forget(struct tcp *tcp, uint32_t tw)
{
	const uint32_t used = tcp->auth.used;

	take_all_keys(&tcp->auth, flow_ref_make(FLOW_TW, tw));
	tcp->auth.waiting -= used - tcp->auth.used;
}

/* ---- output --------------------------------------------------------------------------------- */

const struct auth_key *auth_find(const struct tcp *tcp, const struct tcb *t)
{
	const flow_ref owner = auth_owner(tcp, t);
	const struct auth_socket *s = auth_socket_of(&tcp->auth, owner);

	if (s != NULL && s->current != 0)
		return &tcp->auth.key[s->current];
	return auth_find_md5(&tcp->auth, owner, &t->flow.raddr);
}

static unsigned space_of(const struct auth_by *by)
{
	struct tcp_seg s = {0};

	auth_put(by, &s);
	return tcp_auth_space(&s.auth);
}

unsigned auth_find_space(const struct tcp *tcp, const struct tcb *t)
{
	const struct auth_by by = {.key = auth_find(tcp, t)};

	return by.key == NULL ? 0 : space_of(&by);
}

uint8_t auth_room(const struct auth_by *by, uint8_t opt)
{
	if (by == NULL || !(opt & TCB_OPT_SACK) || auth_leaves_ts(space_of(by)))
		return opt;
	return opt & (uint8_t)~TCB_OPT_TS;
}

const struct auth_by *auth_by_tcb(struct tcp *tcp, const struct tcb *t, struct auth_by *by)
{
	struct auth_socket *s;

	*by = (struct auth_by){.key = auth_find(tcp, t)};
	if (by->key == NULL)
		return NULL;
	if (by->key->kind == AUTH_MD5)
		return by;
	s = auth_socket_of(&tcp->auth, auth_owner(tcp, t));
	if (t->state != TCP_S_SYN_SENT) /* where only SYNs are sent */
		s->snd = auth_extend(s->snd, t->snd_una);
	by->traffic = by->key->traffic[AUTH_OUT];
	by->seq = s->snd;
	by->rnext = tcp->auth.key[s->rnext].rcv_id;
	return by;
}

const struct auth_by *auth_find_half_open(const struct tcp *tcp, const struct syn_entry *e,
                                          struct auth_by *by)
{
	const flow_ref owner = flow_ref_make(FLOW_TCB, tcp->bind.binding[e->binding].tcb);
	const struct auth *a = &tcp->auth;
	const struct auth_key *k = auth_find_ao(a, owner, &e->flow.raddr, e->keyid, AUTH_ANY_ID);

	if (k == NULL)
		k = auth_find_ao(a, owner, &e->flow.raddr, AUTH_ANY_ID, AUTH_ANY_ID);
	if (k == NULL)
		k = auth_find_md5(a, owner, &e->flow.raddr);
	*by = (struct auth_by){.key = k, .isn = e->iss, .peer_isn = e->irs, .seq = e->iss};
	if (k != NULL && k->kind == AUTH_AO)
		by->rnext = auth_find_ao(a, owner, &e->flow.raddr, AUTH_ANY_ID, e->rnext) != NULL
		                ? e->rnext
		                : k->rcv_id;
	return k != NULL ? by : NULL;
}

uint8_t auth_signs(const struct tcp *tcp, flow_ref ref)
{
	const struct auth *a = &tcp->auth;
	const struct syn_entry *e;
	struct auth_by by;

	if (flow_ref_kind(ref) == FLOW_SYN) {
		e = &tcp->syn.entry[flow_ref_index(ref)];
		if (auth_by_half_open(tcp, e, &by) == NULL)
			return PC_SIGNED_NOT;
		return by.key->kind == AUTH_MD5 ? PC_SIGNED_MD5 : PC_SIGNED_AO;
	}
	if (auth_socket_of(a, ref) != NULL)
		return PC_SIGNED_AO;
	return auth_first(a, ref) != NULL ? PC_SIGNED_MD5 : PC_SIGNED_NOT;
}

/* ---- checks ----------------------------------------------------------------------------------- */

static bool has_owner(const struct tcp *tcp, flow_ref owner)
{
	const uint32_t i = flow_ref_index(owner);

	if (flow_ref_kind(owner) == FLOW_TW)
		return i <= tcp->tw.n && tcp->tw.entry[i].used && tcp->tw.entry[i].auth;
	return flow_ref_kind(owner) == FLOW_TCB && i >= 1 && i <= tcp->nb_tcbs &&
	       tcp_tcb(tcp, i)->auth;
}

/* is this the index of a TCP-AO key of this owner, or 0? */
static bool is_key_of(const struct auth *a, flow_ref owner, uint16_t i)
{
	return i == 0 || (i <= a->n && a->key[i].owner == owner && a->key[i].kind == AUTH_AO);
}

static bool is_valid(const struct auth *a, const struct auth_key *k)
{
	if (k->kind == AUTH_SOCKET)
		return is_key_of(a, k->owner, k->socket.current) &&
		       is_key_of(a, k->owner, k->socket.rnext);
	if (k->kind == AUTH_MD5)
		return k->len > 0 && k->len <= AUTH_KEY_MAX;
	return k->len <= AUTH_KEY_MAX && k->mac_len <= AUTH_MAC_MAX &&
	       auth_socket_of(a, k->owner) != NULL;
}

unsigned auth_validate(const struct tcp *tcp)
{
	const struct auth *a = &tcp->auth;
	uint32_t used = 0, waiting = 0, keyless = 0;
	unsigned bad = 0;

	for (uint32_t c = 0; c <= a->mask; c++) {
		for (uint16_t i = a->chain[c]; i != 0 && used <= a->n; i = a->key[i].next, used++) {
			bad += auth_chain(a, a->key[i].owner) != &a->chain[c];
			bad += !has_owner(tcp, a->key[i].owner);
			bad += !is_valid(a, &a->key[i]);
			waiting += flow_ref_kind(a->key[i].owner) == FLOW_TW;
		}
	}
	for (uint32_t i = 1; i <= tcp->free_tcbs.touched; i++)
		keyless +=
		    tcp_tcb(tcp, i)->auth && auth_first(a, flow_ref_make(FLOW_TCB, i)) == NULL;
	return bad + keyless + (used != a->used) + (waiting != a->waiting);
}
