/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What TCP-AO has and TCP-MD5 lacks: several keys per peer, chosen by their KeyIDs, traffic keys,
 * and the handling of ICMP errors (RFC 5925 sections 3, 6.1 and 7.8).
 */

#include <errno.h>
#include <netinet/in.h>

#include "tcp/auth_key.h"
#include "tcp/tcp_conn.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"

/* Are both ISNs known? */
static bool is_synchronized(const struct tcb *t)
{
	return t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN && t->state != TCP_S_SYN_SENT;
}

static struct auth_key *entry_of(struct auth_socket *s)
{
	return (struct auth_key *)(void *)((char *)s - offsetof(struct auth_key, socket));
}

/* ---- connections ------------------------------------------------------------------------------ */

/* removes what a connection to its peer does not use: if ao, keys for other peers and TCP-MD5 keys,
 * else all of TCP-AO */
static void weed(struct tcp *tcp, struct tcb *t, bool ao)
{
	struct auth *a = &tcp->auth;
	struct auth_key *k, *next;

	for (k = auth_first(a, auth_owner(tcp, t)); k != NULL; k = next) {
		next = auth_next(a, k);
		if (ao ? k->kind == AUTH_MD5 ||
		             (k->kind == AUTH_AO && !auth_is_for(k, &t->flow.raddr))
		       : k->kind != AUTH_MD5)
			auth_take(a, k);
	}
}

int auth_may_connect(const struct tcp *tcp, const struct tcb *t)
{
	const flow_ref owner = auth_owner(tcp, t);
	const struct auth *a = &tcp->auth;

	if (likely(!t->auth) || auth_socket_of(a, owner) == NULL ||
	    auth_find_ao(a, owner, &t->flow.raddr, AUTH_ANY_ID, AUTH_ANY_ID) != NULL ||
	    auth_find_md5(a, owner, &t->flow.raddr) != NULL)
		return 0;
	return -EKEYREJECTED;
}

void auth_connect(struct tcp *tcp, struct tcb *t)
{
	const flow_ref owner = auth_owner(tcp, t);
	struct auth *a = &tcp->auth;
	struct auth_socket *s;
	struct auth_key *k;

	if (likely(!t->auth) || (s = auth_socket_of(a, owner)) == NULL)
		return;
	k = auth_find_ao(a, owner, &t->flow.raddr, AUTH_ANY_ID, AUTH_ANY_ID);
	if (k != NULL && (s->current == 0 || !auth_is_for(&a->key[s->current], &t->flow.raddr)))
		s->current = auth_index(a, k);
	if (k != NULL && (s->rnext == 0 || !auth_is_for(&a->key[s->rnext], &t->flow.raddr)))
		s->rnext = auth_index(a, k);
	weed(tcp, t, k != NULL);
}

void auth_synchronize(struct tcp *tcp, struct tcb *t)
{
	struct auth *a = &tcp->auth;
	struct auth_socket *s = auth_socket_of(a, auth_owner(tcp, t));

	if (s == NULL)
		return;
	s->iss = t->snd_una;
	s->irs = t->rcv_nxt - 1;
	s->snd = s->iss;
	s->rcv = s->irs;
	for (struct auth_key *k = auth_first(a, auth_owner(tcp, t)); k != NULL; k = auth_next(a, k))
		if (k->kind == AUTH_AO)
			auth_derive(tcp, t, s, k);
}

/* ---- a socket's keys -------------------------------------------------------------------------- */

struct auth_socket *auth_ao_socket(struct tcp *tcp, struct tcb *t, int *err)
{
	struct auth_socket *s = auth_socket_of(&tcp->auth, auth_owner(tcp, t));
	struct auth_key *k;

	if (s != NULL)
		return s;
	/* whether a connection uses TCP-AO is settled by its SYN */
	*err = -EISCONN;
	if (t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN)
		return NULL;
	*err = -ENOMEM;
	k = auth_add(&tcp->auth, auth_owner(tcp, t), AUTH_SOCKET);
	if (k == NULL)
		return NULL;
	t->auth = true;
	return &k->socket;
}

/* Do both apply to some peer? */
static bool overlap(const struct pc_prefix *a, const struct pc_prefix *b)
{
	const struct pc_prefix *wide = a->len < b->len ? a : b, *narrow = wide == a ? b : a;
	const bool wide4 = wide->len >= 96 && pc_addr_is_ip4(&wide->addr);
	const bool narrow4 = narrow->len >= 96 && pc_addr_is_ip4(&narrow->addr);

	return wide4 == narrow4 && pc_prefix_contains(wide, &narrow->addr);
}

/* RFC 5925 section 3.1: "The IDs of MKTs MUST NOT overlap where their TCP connection identifiers overlap." */
static int check_mkt(const struct auth *a, flow_ref owner, const struct auth_key *mkt)
{
	for (const struct auth_key *k = auth_first(a, owner); k != NULL; k = auth_next(a, k)) {
		if (k->kind == AUTH_SOCKET || !overlap(&k->peers, &mkt->peers))
			continue;
		if (k->kind == AUTH_MD5)
			return -EKEYREJECTED;
		if (k->snd_id == mkt->snd_id || k->rcv_id == mkt->rcv_id)
			return -EEXIST;
	}
	return 0;
}

int auth_ao_add(struct tcp *tcp, struct tcb *t, const struct auth_key *mkt, bool current,
                bool rnext)
{
	const flow_ref owner = auth_owner(tcp, t);
	const bool was = auth_socket_of(&tcp->auth, owner) != NULL;
	struct auth_socket *s;
	struct auth_key *k;
	int err;

	if (t->flow.rport != 0 && is_synchronized(t) && !auth_is_for(mkt, &t->flow.raddr))
		return -EINVAL;
	err = check_mkt(&tcp->auth, owner, mkt);
	if (err != 0)
		return err;
	s = auth_ao_socket(tcp, t, &err);
	if (s == NULL)
		return err;
	k = auth_add_like(&tcp->auth, owner, mkt);
	if (k == NULL) {
		if (!was)
			auth_take(&tcp->auth, entry_of(s));
		t->auth = auth_first(&tcp->auth, owner) != NULL;
		return -ENOMEM;
	}
	if (is_synchronized(t))
		auth_derive(tcp, t, s, k);
	auth_ao_use(tcp, t, current ? k : NULL, rnext ? k : NULL);
	return 0;
}

int auth_ao_choose(struct tcp *tcp, const struct tcb *t, const struct auth_choice *c,
                   struct auth_key **current, struct auth_key **rnext)
{
	const flow_ref owner = auth_owner(tcp, t);

	*current = *rnext = NULL;
	if (c->current != AUTH_ANY_ID) {
		*current = auth_find_ao(&tcp->auth, owner, NULL, c->current, AUTH_ANY_ID);
		if (*current == NULL)
			return -ENOENT;
	}
	if (c->rnext != AUTH_ANY_ID) {
		*rnext = auth_find_ao(&tcp->auth, owner, NULL, AUTH_ANY_ID, c->rnext);
		if (*rnext == NULL)
			return -ENOENT;
	}
	return 0;
}

void auth_ao_use(struct tcp *tcp, struct tcb *t, const struct auth_key *current,
                 const struct auth_key *rnext)
{
	struct auth_socket *s = auth_socket_of(&tcp->auth, auth_owner(tcp, t));

	if (current != NULL)
		s->current = auth_index(&tcp->auth, current);
	if (rnext != NULL)
		s->rnext = auth_index(&tcp->auth, rnext);
	if (current != NULL && is_synchronized(t))
		tcb_update_mss(tcp, t); /* its signatures may be longer */
}

int auth_ao_del(struct tcp *tcp, struct tcb *t, const struct auth_key *mkt,
                const struct auth_choice *c)
{
	const flow_ref owner = auth_owner(tcp, t);
	struct auth *a = &tcp->auth;
	struct auth_socket *s = auth_socket_of(a, owner);
	struct auth_key *current, *rnext, *k;
	int err;

	if (s == NULL)
		return -ENOENT;
	err = auth_ao_choose(tcp, t, c, &current, &rnext);
	if (err != 0)
		return err;
	for (k = auth_first(a, owner); k != NULL; k = auth_next(a, k))
		if (k->kind == AUTH_AO && k->snd_id == mkt->snd_id && k->rcv_id == mkt->rcv_id &&
		    k->peers.len == mkt->peers.len &&
		    pc_addr_equal(&k->peers.addr, &mkt->peers.addr) && k != current && k != rnext)
			break;
	if (k == NULL)
		return -ENOENT;
	auth_ao_use(tcp, t, current, rnext);
	if (s->current == auth_index(a, k) || s->rnext == auth_index(a, k))
		return -EBUSY;
	auth_take(a, k);
	return 0;
}

void auth_ao_rotate(struct tcp *tcp, flow_ref owner, struct tcb *t, uint8_t rnext)
{
	struct auth *a = &tcp->auth;
	struct auth_socket *s = auth_socket_of(a, owner);
	const struct auth_key *k, *was = &a->key[s->current];

	if (likely(was->snd_id == rnext))
		return;
	k = auth_find_ao(a, owner, NULL, rnext, AUTH_ANY_ID);
	if (k == NULL)
		return;
	s->current = auth_index(a, k);
	if (t != NULL && k->mac_len != was->mac_len)
		tcb_update_mss(tcp, t);
}

/* ---- ICMP ------------------------------------------------------------------------------------- */

/* RFC 5925 section 7.8: "ICMPv4 messages of Type 3 (destination unreachable), Codes 2-4 [...] and ICMPv6 Type 1 (destination
 * unreachable), Code 1 [...] and Code 4" */
static bool is_unreachable(const struct icmp_error *e)
{
	if (pc_addr_is_ip4(&e->remote))
		return e->type == ICMP4_UNREACHABLE && e->code >= ICMP4_UNREACH_PROTO &&
		       e->code <= ICMP4_UNREACH_FRAG;
	return e->type == ICMP6_UNREACHABLE &&
	       (e->code == ICMP6_UNREACH_PROHIB || e->code == ICMP6_UNREACH_PORT);
}

bool auth_ignores(struct tcp *tcp, const struct tcb *t, const struct icmp_error *e)
{
	struct auth_socket *s;

	if (likely(!t->auth) || !is_unreachable(e) || !is_synchronized(t) ||
	    t->state == TCP_S_SYN_RECEIVED)
		return false;
	s = auth_socket_of(&tcp->auth, auth_owner(tcp, t));
	if (s == NULL || s->accepts_icmp)
		return false;
	s->icmps++;
	ctx_count(tcp->ctx, PC_TCP_AO_ICMPS_IGNORED);
	return true;
}
