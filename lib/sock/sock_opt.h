/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_OPT_H
#define SOCK_SOCK_OPT_H

/* The table of socket options whose value is an int. */

#include <percore/tcp_ao.h>

#include "sock/sock.h"

struct sock_option {
	int level, name;
	int (*get)(struct sockets *s, const struct sock_ref *ref);
	int (*set)(struct sockets *s, const struct sock_ref *ref, int value); /* NULL: read-only */
};

/** sock_option_find returns an option's row, or NULL if the socket does not have it. */
const struct sock_option *sock_option_find(const struct sock_ref *ref, int level, int name);

/** sock_told_get and sock_told_set are pc_getsockopt and pc_setsockopt for options that report what
 * cannot be changed. Return 0 or a negative errno; -ENOPROTOOPT: it is another option. */
int sock_told_get(struct pc_stack *st, int fd, const struct sock_ref *ref, int level, int name,
                  void *value, socklen_t *len);
int sock_told_set(const struct sock_ref *ref, int level, int name, const void *value,
                  socklen_t len);

/** sock_plain_get and sock_plain_set are pc_getsockopt and pc_setsockopt for options that have no
 * effect here. Return 0 or a negative errno; -ENOPROTOOPT: it is another option, or Linux answers
 * this, too. */
int sock_plain_get(const struct sock_ref *ref, int level, int name, void *value, socklen_t *len);
int sock_plain_set(const struct sock_ref *ref, int level, int name, const void *value,
                   socklen_t len);

/** sock_auth_set is pc_setsockopt for TCP_MD5SIG and TCP_MD5SIG_EXT. Returns 0, or as Linux
 * -EINVAL, -ENOENT (no such key to delete), -ENOMEM (all tcp.auth_keys are in use), -ENOPROTOOPT
 * (percore was built without nettle). */
int sock_auth_set(struct sockets *s, struct tcb *t, int name, const void *value, socklen_t len);

/** sock_is_ao says whether an IPPROTO_TCP option is one of TCP-AO's. */
static inline bool sock_is_ao(int name)
{
	return name >= TCP_AO_ADD_KEY && name <= TCP_AO_GET_KEYS;
}

/** sock_ao_set and sock_ao_get are pc_setsockopt and pc_getsockopt for TCP-AO's options. Return 0
 * or a negative errno as Linux does; -ENOMEM when all tcp.auth_keys are in use, -ENOPROTOOPT when
 * percore was built without nettle. */
int sock_ao_set(struct sockets *s, struct tcb *t, int name, const void *value, socklen_t len);
int sock_ao_get(const struct sockets *s, const struct tcb *t, int name, void *value,
                socklen_t *len);

/* Which sockets have an option; used in several tables. */
enum { OF_TCP = 1, OF_OTHERS = 2, OF_ALL = 3 };

/** sock_option_is_of says whether a socket has an option of a level that belongs to certain kinds
 * of sockets (OF_*). */
static inline bool sock_option_is_of(const struct sock_ref *ref, int level, unsigned of)
{
	return (of & (ref->tcp != NULL ? OF_TCP : OF_OTHERS)) != 0 &&
	       (level != IPPROTO_IPV6 || sock_is_ip6(ref));
}

/** sock_is_mtu6 says whether a value of IPV6_MTU is valid: 0 (none), or at least IPv6's minimum
 * MTU. */
static inline bool sock_is_mtu6(int value)
{
	return value == 0 || value >= 1280;
}

/** sock_set_flag sets or clears a TCB_* flag of a TCP socket; others are left alone. Returns 0. */
static inline int sock_set_flag(const struct sock_ref *ref, uint32_t flag, int on)
{
	if (ref->tcp == NULL)
		return 0;
	if (on)
		ref->tcp->flags |= flag;
	else
		ref->tcp->flags &= ~flag;
	return 0;
}

/** sock_has_flag says whether a TCP socket has a TCB_* flag. */
static inline bool sock_has_flag(const struct sock_ref *ref, uint32_t flag)
{
	return ref->tcp != NULL && (ref->tcp->flags & flag) != 0;
}

#endif
