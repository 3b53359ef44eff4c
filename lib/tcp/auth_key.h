/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_AUTH_KEY_H
#define TCP_AUTH_KEY_H

/*
 * The pool of keys (auth.h), for the code that knows what a key is: the files auth_*.c and the
 * calls that set keys.
 *
 * Overview: an entry is a key of TCP-MD5 or TCP-AO, or the state of a socket with TCP-AO: its ISNs,
 * the sequence number extensions, which key it signs with (Current_key) and which it asks for
 * (RNext_key).  A socket with any TCP-AO key has such a state, and so does one on which TCP_AO_INFO
 * was set.
 *
 * Ownership: an entry is found by its owner, a flow_ref: a TCB, or an entry of TIME-WAIT.
 */

#include "tcp/auth.h"
#include "tcp/mac.h"

#define AUTH_KEY_MAX 80 /* bytes, as Linux's TCP_MD5SIG_MAXKEYLEN and TCP_AO_MAXKEYLEN */
#define AUTH_MAC_MAX 16 /* most bytes of a TCP-AO digest beside MSS, timestamps, window scale */

enum auth_kind {
	AUTH_MD5,
	AUTH_AO,     /* an MKT (RFC 5925 section 3.1) */
	AUTH_SOCKET, /* not a key: the state of a socket */
};

enum { AUTH_OUT, AUTH_IN };

/** The TCP-AO state of a socket. */
struct auth_socket {
	uint16_t current, rnext; /* indices of its keys, 0: none yet */
	bool required;           /* unsigned segments are not accepted */
	bool accepts_icmp;
	uint32_t iss, irs;
	/* recent values of SND.UNA and RCV.NXT, extended by the upper half that is not on the wire
	 * (SNE) */
	uint64_t snd, rcv;
	uint64_t good, bad, not_found, not_signed, icmps;
};

/** An entry. */
struct auth_key {
	flow_ref owner; /* 0: free */
	uint16_t next;  /* in the chain of its owner's hash, or in the free list; index, 0: none */
	uint8_t kind;   /* enum auth_kind */
	uint8_t len;    /* of bytes */
	union {
		struct auth_socket socket;
		struct {
			struct pc_prefix peers;
			uint8_t bytes[AUTH_KEY_MAX];
			/* TCP-AO only */
			uint8_t alg;                      /* enum mac_alg */
			uint8_t mac_len;                  /* bytes of a digest */
			uint8_t snd_id, rcv_id;           /* KeyIDs */
			uint8_t flags;                    /* TCP_AO_KEYF_* */
			uint8_t traffic[2][MAC_SIZE_MAX]; /* of a connection: AUTH_OUT, AUTH_IN */
			uint64_t good, bad;
		};
	};
};

static inline uint16_t auth_index(const struct auth *a, const struct auth_key *k)
{
	return (uint16_t)(k - a->key);
}

static inline uint16_t *auth_chain(const struct auth *a, flow_ref owner)
{
	return &a->chain[owner & a->mask];
}

/** auth_from returns an owner's first entry at or after index i of its chain, or NULL. */
static inline struct auth_key *auth_from(const struct auth *a, flow_ref owner, uint16_t i)
{
	while (i != 0 && a->key[i].owner != owner)
		i = a->key[i].next;
	return i != 0 ? &a->key[i] : NULL;
}

static inline struct auth_key *auth_first(const struct auth *a, flow_ref owner)
{
	return auth_from(a, owner, *auth_chain(a, owner));
}

static inline struct auth_key *auth_next(const struct auth *a, const struct auth_key *k)
{
	return auth_from(a, k->owner, k->next);
}

/** auth_owner returns the owner for a socket or connection. */
static inline flow_ref auth_owner(const struct tcp *tcp, const struct tcb *t)
{
	return flow_ref_make(FLOW_TCB, tcp_index(tcp, t));
}

/** auth_add adds an entry, all zero except owner and kind, or returns NULL: the pool is empty;
 * auth_add_like adds a copy of another. auth_take removes and erases one. */
struct auth_key *auth_add(struct auth *a, flow_ref owner, enum auth_kind kind);
struct auth_key *auth_add_like(struct auth *a, flow_ref owner, const struct auth_key *like);
void auth_take(struct auth *a, struct auth_key *k);

/** auth_copy copies one owner's TCP-AO state and keys for a peer to another owner, including
 * traffic keys. Returns the number of entries, 0: the pool is empty. */
unsigned auth_copy(struct auth *a, flow_ref from, flow_ref to, const struct pc_addr *peer);

/** auth_socket_of returns an owner's TCP-AO state, or NULL. */
struct auth_socket *auth_socket_of(const struct auth *a, flow_ref owner);

/** auth_is_for says whether a key is for a peer. */
bool auth_is_for(const struct auth_key *k, const struct pc_addr *peer);

/** auth_find_md5 returns an owner's TCP-MD5 key for a peer, the one with the longest prefix;
 * auth_find_ao a TCP-AO key with these KeyIDs (AUTH_ANY_ID: any) for a peer (NULL: any). NULL: it
 * has none. */
const struct auth_key *auth_find_md5(const struct auth *a, flow_ref owner,
                                     const struct pc_addr *peer);
struct auth_key *auth_find_ao(const struct auth *a, flow_ref owner, const struct pc_addr *peer,
                              int snd_id, int rcv_id);

#define AUTH_ANY_ID (-1)

/** auth_extend returns the number nearest to near whose lower half is seq (RFC 5925 section
 * 6.2). */
static inline uint64_t auth_extend(uint64_t near, uint32_t seq)
{
	return near + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)near);
}

/** auth_derive derives both traffic keys of a connection's key (RFC 5925 section 5.2). */
void auth_derive(struct tcp *tcp, const struct tcb *t, const struct auth_socket *s,
                 struct auth_key *k);

/** auth_verify says whether told is the digest of the segment of len bytes that begins off bytes
 * into m. told points into the segment's header, which must be contiguous; the digest has the
 * length of by->key. */
bool auth_verify(const struct auth_by *by, const struct pc_addr *src, const struct pc_addr *dst,
                 const struct rte_mbuf *m, uint32_t off, uint32_t len, const uint8_t *told);

/** auth_prepare makes an MKT's key usable: AES needs 16 bytes (RFC 5926 section 3.1.1.2). */
void auth_prepare(struct auth_key *k);

/* ---- MKTs of a socket; errors are negative errnos, as Linux's ------------------------------------- */

/** auth_ao_add gives a socket a copy of mkt (owner and next are ignored), and if asked to makes it
 * the key that the socket signs with (current) or asks for (rnext). Errors: -EISCONN, -EINVAL (for
 * another peer), -EKEYREJECTED (there is a TCP-MD5 key), -EEXIST (a KeyID is taken), -ENOMEM. */
int auth_ao_add(struct tcp *tcp, struct tcb *t, const struct auth_key *mkt, bool current,
                bool rnext);

/** Which keys a socket is to sign with and ask for, by KeyID; AUTH_ANY_ID: no change. */
struct auth_choice {
	int current, rnext;
};

/** auth_ao_choose finds the keys that c names; NULL: no change. Returns 0 or -ENOENT. */
int auth_ao_choose(struct tcp *tcp, const struct tcb *t, const struct auth_choice *c,
                   struct auth_key **current, struct auth_key **rnext);

/** auth_ao_use makes a socket use these keys; NULL: no change. */
void auth_ao_use(struct tcp *tcp, struct tcb *t, const struct auth_key *current,
                 const struct auth_key *rnext);

/** auth_ao_del switches to the keys that c names and removes the key with the peers and KeyIDs of
 * mkt. Errors: -ENOENT, -EBUSY (still in use). */
int auth_ao_del(struct tcp *tcp, struct tcb *t, const struct auth_key *mkt,
                const struct auth_choice *c);

/** auth_ao_socket returns a socket's TCP-AO state, creating it if need be. NULL, with *err:
 * -EISCONN, -ENOMEM. */
struct auth_socket *auth_ao_socket(struct tcp *tcp, struct tcb *t, int *err);

/** auth_ao_rotate follows the RNextKeyID of a correctly signed segment (RFC 5925 section 6.1); t:
 * the connection, whose MSS that may change, or NULL. */
void auth_ao_rotate(struct tcp *tcp, flow_ref owner, struct tcb *t, uint8_t rnext);

#endif
