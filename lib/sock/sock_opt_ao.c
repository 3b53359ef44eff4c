/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP-AO keys: TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_AO_INFO and TCP_AO_GET_KEYS, with values checked
 * as on Linux. */
#include <string.h>

#include "sock/sock_opt.h"
#include "tcp/auth_key.h"

#define IP4_BITS        (128 - 32) /* in front of an IPv4 prefix */
#define MAC_LEN_DEFAULT 12         /* RFC 5926 section 3.2 */

static_assert(sizeof(struct tcp_ao_add) == 288 && sizeof(struct tcp_ao_del) == 144 &&
                  sizeof(struct tcp_ao_info_opt) == 48 && sizeof(struct tcp_ao_getsockopt) == 304,
              "as Linux has them");

/* ---- values ---------------------------------------------------------------------------------- */

/* Reads a struct that may be longer than ours, if the rest is all zeros. */
static int read_struct(void *to, size_t size, const void *value, socklen_t len)
{
	if (len < size)
		return -EINVAL;
	for (size_t i = size; i < len; i++)
		if (((const uint8_t *)value)[i] != 0)
			return -E2BIG;
	memcpy(to, value, size);
	return 0;
}

static const struct {
	const char *name; /* in Linux's crypto API */
	enum mac_alg alg;
} algorithms[] = {
    {"hmac(sha1)", MAC_HMAC_SHA1},
    {"hmac(sha256)", MAC_HMAC_SHA256},
    {"cmac(aes)", MAC_CMAC_AES128},
    {"cmac(aes128)", MAC_CMAC_AES128}, /* with a KDF for keys not 16 bytes long */
};

static int read_algorithm(const char name[64], uint8_t keylen, uint8_t *alg)
{
	for (size_t i = 0; i < RTE_DIM(algorithms); i++) {
		if (strncmp(name, algorithms[i].name, 63) != 0)
			continue;
		if (strcmp(algorithms[i].name, "cmac(aes)") == 0 && keylen != MAC_CMAC_KEY)
			return -EINVAL;
		*alg = (uint8_t)algorithms[i].alg;
		return 0;
	}
	return -ENOENT;
}

static const char *algorithm_name(uint8_t alg)
{
	size_t i = 0;

	while (algorithms[i].alg != alg)
		i++;
	return algorithms[i].name;
}

/* Reads an address and prefix as peers. Returns 0, -EAFNOSUPPORT or -EINVAL (a port; a prefix that
 * is too long, or has host bits; a length of 0 with an address, or the unspecified address with
 * one). */
static int read_peers(const struct sockaddr_storage *addr, uint8_t prefix, struct pc_prefix *peers)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	uint16_t port;

	if (addr->ss_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		*peers = (struct pc_prefix){.addr = pc_addr_ip4(in.sin_addr.s_addr)};
		port = in.sin_port;
	} else if (addr->ss_family == AF_INET6) {
		memcpy(&in6, addr, sizeof(in6));
		memcpy(&peers->addr, &in6.sin6_addr, sizeof(peers->addr));
		port = in6.sin6_port;
	} else {
		return -EAFNOSUPPORT;
	}
	if (port != 0 || prefix > (pc_addr_is_ip4(&peers->addr) ? 32 : 128))
		return -EINVAL;
	peers->len = (uint8_t)(prefix + (pc_addr_is_ip4(&peers->addr) ? IP4_BITS : 0));
	if (pc_addr_is_any(&peers->addr) != (prefix == 0))
		return -EINVAL;
	/* no bits may be set beyond the prefix */
	for (unsigned bit = peers->len; bit < 128; bit++)
		if (peers->addr.b[bit / 8] & 0x80 >> bit % 8)
			return -EINVAL;
	return 0;
}

static void write_peers(const struct pc_prefix *peers, struct tcp_ao_getsockopt *o)
{
	const bool ip4 = peers->len >= IP4_BITS && pc_addr_is_ip4(&peers->addr);
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	o->prefix = (uint8_t)(ip4 ? peers->len - IP4_BITS : peers->len);
	if (ip4) {
		in.sin_addr.s_addr = peers->addr.w[3];
		memcpy(&o->addr, &in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, &peers->addr, sizeof(in6.sin6_addr));
		memcpy(&o->addr, &in6, sizeof(in6));
	}
}

static bool is_of_family(const struct tcb *t, const struct sockaddr_storage *addr)
{
	return addr->ss_family == (t->flags & TCB_IP6 ? AF_INET6 : AF_INET);
}

/* a listener has neither a current key nor an RNext key */
static int check_choice(const struct tcb *t, bool current, bool rnext)
{
	return t->state == TCP_S_LISTEN && (current || rnext) ? -EINVAL : 0;
}

/* ---- setting --------------------------------------------------------------------------------- */

static int read_mkt(const struct tcb *t, const struct tcp_ao_add *o, struct auth_key *mkt)
{
	int err;

	if (o->keylen > TCP_AO_MAXKEYLEN || o->reserved != 0 || o->reserved2 != 0 ||
	    !is_of_family(t, &o->addr) || read_peers(&o->addr, o->prefix, &mkt->peers) != 0 ||
	    (o->keyflags & ~(TCP_AO_KEYF_IFINDEX | TCP_AO_KEYF_EXCLUDE_OPT)) ||
	    o->ifindex != 0) /* no interface is an L3 master device (VRF) here */
		return -EINVAL;
	err = check_choice(t, o->set_current, o->set_rnext);
	if (err == 0)
		err = read_algorithm((const char *)o->alg_name, o->keylen, &mkt->alg);
	if (err != 0)
		return err;
	mkt->kind = AUTH_AO;
	mkt->mac_len = o->maclen != 0 ? o->maclen : MAC_LEN_DEFAULT;
	if (mkt->mac_len > AUTH_MAC_MAX)
		return -EMSGSIZE;
	if (mkt->mac_len > mac_size((enum mac_alg)mkt->alg))
		return -EINVAL;
	mkt->snd_id = o->sndid;
	mkt->rcv_id = o->rcvid;
	mkt->flags = o->keyflags;
	mkt->len = o->keylen;
	memcpy(mkt->bytes, o->key, o->keylen);
	auth_prepare(mkt);
	return 0;
}

static int add_key(struct sockets *s, struct tcb *t, const void *value, socklen_t len)
{
	struct auth_key mkt = {0};
	struct tcp_ao_add o;
	int err = read_struct(&o, sizeof(o), value, len);

	if (err == 0)
		err = read_mkt(t, &o, &mkt);
	if (err == 0)
		err = auth_ao_add(s->tcp, t, &mkt, o.set_current, o.set_rnext);
	explicit_bzero(&o, sizeof(o));
	explicit_bzero(&mkt, sizeof(mkt));
	return err;
}

static int del_key(struct sockets *s, struct tcb *t, const void *value, socklen_t len)
{
	struct auth_key mkt = {0};
	struct auth_choice c = {AUTH_ANY_ID, AUTH_ANY_ID};
	struct tcp_ao_del o;
	int err = read_struct(&o, sizeof(o), value, len);

	if (err == 0)
		err = check_choice(t, o.set_current, o.set_rnext);
	if (err != 0)
		return err;
	if (o.reserved != 0 || o.reserved2 != 0 || (o.keyflags & ~TCP_AO_KEYF_IFINDEX) ||
	    o.ifindex != 0 || (o.del_async && t->state != TCP_S_LISTEN))
		return -EINVAL;
	if (read_peers(&o.addr, o.prefix, &mkt.peers) != 0)
		return -EINVAL;
	mkt.snd_id = o.sndid;
	mkt.rcv_id = o.rcvid;
	if (o.set_current)
		c.current = o.current_key;
	if (o.set_rnext)
		c.rnext = o.rnext;
	return auth_ao_del(s->tcp, t, &mkt, &c);
}

static int set_info(struct sockets *s, struct tcb *t, const void *value, socklen_t len)
{
	struct auth_choice c = {AUTH_ANY_ID, AUTH_ANY_ID};
	struct auth_key *current, *rnext;
	struct tcp_ao_info_opt o;
	struct auth_socket *a;
	int err = read_struct(&o, sizeof(o), value, len);

	if (err == 0)
		err = check_choice(t, o.set_current, o.set_rnext);
	if (err == 0 && (o.reserved != 0 || o.reserved2 != 0))
		err = -EINVAL;
	if (err == 0 && o.ao_required && auth_nth(s->tcp, t, 0) != NULL)
		err = -EKEYREJECTED;
	if (err != 0)
		return err;
	if (o.set_current)
		c.current = o.current_key;
	if (o.set_rnext)
		c.rnext = o.rnext;
	err = auth_ao_choose(s->tcp, t, &c, &current, &rnext);
	if (err != 0)
		return err;
	a = auth_ao_socket(s->tcp, t, &err);
	if (a == NULL)
		return err;
	if (o.set_counters) {
		a->good = o.pkt_good;
		a->bad = o.pkt_bad;
		a->not_found = o.pkt_key_not_found;
		a->not_signed = o.pkt_ao_required;
		a->icmps = o.pkt_dropped_icmp;
	}
	a->required = o.ao_required;
	a->accepts_icmp = o.accept_icmps;
	auth_ao_use(s->tcp, t, current, rnext);
	return 0;
}

int sock_ao_set(struct sockets *s, struct tcb *t, int name, const void *value, socklen_t len)
{
	if (!auth_is_there() || name == TCP_AO_GET_KEYS)
		return -ENOPROTOOPT;
	if (auth_socket_of(&s->tcp->auth, auth_owner(s->tcp, t)) == NULL &&
	    t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN)
		return -EISCONN;
	switch (name) {
	case TCP_AO_ADD_KEY:
		return add_key(s, t, value, len);
	case TCP_AO_DEL_KEY:
		return del_key(s, t, value, len);
	default:
		return set_info(s, t, value, len);
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

static int get_info(const struct sockets *s, const struct tcb *t, void *value, socklen_t *len)
{
	const struct auth *a = &s->tcp->auth;
	const struct auth_socket *k = auth_socket_of(a, auth_owner(s->tcp, t));
	struct tcp_ao_info_opt o = {0};

	if (*len == 0)
		return -EINVAL;
	if (k == NULL)
		return -ENOENT;
	o.ao_required = k->required;
	o.accept_icmps = k->accepts_icmp;
	o.set_current = k->current != 0;
	o.current_key = k->current != 0 ? a->key[k->current].snd_id : 0;
	o.set_rnext = k->rnext != 0;
	o.rnext = k->rnext != 0 ? a->key[k->rnext].rcv_id : 0;
	o.pkt_good = k->good;
	o.pkt_bad = k->bad;
	o.pkt_key_not_found = k->not_found;
	o.pkt_ao_required = k->not_signed;
	o.pkt_dropped_icmp = k->icmps;
	*len = RTE_MIN(*len, (socklen_t)sizeof(o));
	memcpy(value, &o, *len);
	return 0;
}

/* Checks a query. Sets *peers to those whose keys are wanted, unless it asks for all keys or those
 * in use. */
static int read_question(const struct tcp_ao_getsockopt *q, struct pc_prefix *peers)
{
	static const struct sockaddr_storage none;

	if (q->pkt_good != 0 || q->pkt_bad != 0 || (q->keyflags & ~TCP_AO_KEYF_IFINDEX) ||
	    (q->ifindex != 0 && !(q->keyflags & TCP_AO_KEYF_IFINDEX)) || q->reserved != 0 ||
	    (q->get_all && (q->is_current || q->is_rnext)))
		return -EINVAL;
	if (!q->get_all && !q->is_current && !q->is_rnext)
		return read_peers(&q->addr, q->prefix, peers);
	if (memcmp(&q->addr, &none, sizeof(none)) != 0 || q->prefix != 0 || q->sndid != 0 ||
	    q->rcvid != 0)
		return -EINVAL;
	return 0;
}

/* Whether a key is for the peers asked for; an unspecified address, in the query or the key,
 * matches any peer. */
static bool is_about(const struct auth_key *k, const struct pc_prefix *peers)
{
	const bool ip4 = pc_addr_is_ip4(&peers->addr);
	const bool key4 = k->peers.len >= IP4_BITS && pc_addr_is_ip4(&k->peers.addr);

	return ip4 == key4 && (pc_addr_is_any(&peers->addr) || pc_addr_is_any(&k->peers.addr) ||
	                       pc_prefix_contains(peers, &k->peers.addr));
}

static bool is_wanted(const struct auth *a, const struct auth_socket *s, const struct auth_key *k,
                      const struct tcp_ao_getsockopt *q, const struct pc_prefix *peers)
{
	if (k->kind != AUTH_AO)
		return false;
	if (q->get_all)
		return true;
	if (q->is_current || q->is_rnext)
		return (q->is_current && auth_index(a, k) == s->current) ||
		       (q->is_rnext && auth_index(a, k) == s->rnext);
	return q->sndid == k->snd_id && q->rcvid == k->rcv_id && is_about(k, peers);
}

static void tell_key(const struct auth *a, const struct auth_socket *s, const struct auth_key *k,
                     struct tcp_ao_getsockopt *o)
{
	*o = (struct tcp_ao_getsockopt){
	    .is_current = auth_index(a, k) == s->current,
	    .is_rnext = auth_index(a, k) == s->rnext,
	    .sndid = k->snd_id,
	    .rcvid = k->rcv_id,
	    .maclen = k->mac_len,
	    .keyflags = k->flags,
	    .keylen = k->len,
	    .pkt_good = k->good,
	    .pkt_bad = k->bad,
	};
	write_peers(&k->peers, o);
	strcpy((char *)o->alg_name, algorithm_name(k->alg));
	memcpy(o->key, k->bytes, k->len);
}

/* Finds key number n of those asked for. Returns how many there are. */
static int find_key(const struct sockets *s, const struct tcb *t, const struct tcp_ao_getsockopt *q,
                    unsigned n, struct tcp_ao_getsockopt *key)
{
	const struct auth *a = &s->tcp->auth;
	const flow_ref owner = auth_owner(s->tcp, t);
	const struct auth_socket *k = auth_socket_of(a, owner);
	struct pc_prefix peers = {.len = 0};
	unsigned found = 0;
	int err;

	if (!auth_is_there())
		return -ENOPROTOOPT;
	if (k == NULL)
		return -ENOENT;
	err = read_question(q, &peers);
	if (err != 0)
		return err;
	for (const struct auth_key *e = auth_first(a, owner); e != NULL; e = auth_next(a, e))
		if (is_wanted(a, k, e, q, &peers) && found++ == n)
			tell_key(a, k, e, key);
	return (int)found;
}

int pc_get_ao_key(struct pc_stack *st, int fd, const struct tcp_ao_getsockopt *question, unsigned n,
                  struct tcp_ao_getsockopt *key)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;
	int found;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp == NULL)
		return (int)sock_fail(-ENOPROTOOPT);
	found = find_key(s, ref.tcp, question, n, key);
	return found < 0 ? (int)sock_fail(found) : found;
}

/* *len is the size of one element; the array is longer */
static int get_keys(const struct sockets *s, const struct tcb *t, void *value, socklen_t *len)
{
	struct tcp_ao_getsockopt q = {0}, key;
	const size_t size = RTE_MIN((size_t)*len, sizeof(q));
	uint32_t n = 0;
	int found;

	if (*len == 0)
		return -EINVAL;
	memcpy(&q, value, size);
	do {
		found = find_key(s, t, &q, n, &key);
		if (found < 0)
			return found;
		if (n < (uint32_t)found && n < q.nkeys)
			memcpy((char *)value + (size_t)n * *len, &key, size);
	} while (++n < (uint32_t)found && n < q.nkeys);
	explicit_bzero(&key, sizeof(key));
	n = (uint32_t)found;
	if (size >= offsetof(struct tcp_ao_getsockopt, nkeys) + sizeof(n))
		memcpy((char *)value + offsetof(struct tcp_ao_getsockopt, nkeys), &n, sizeof(n));
	*len = sizeof(q);
	return 0;
}

int sock_ao_get(const struct sockets *s, const struct tcb *t, int name, void *value, socklen_t *len)
{
	if (!auth_is_there() || (name != TCP_AO_INFO && name != TCP_AO_GET_KEYS))
		return -ENOPROTOOPT;
	return name == TCP_AO_INFO ? get_info(s, t, value, len) : get_keys(s, t, value, len);
}
