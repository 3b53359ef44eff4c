/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_OPT_H
#define SOCK_SOCK_OPT_H

/* The table of socket options whose value is an int. */

#include "sock/sock.h"

struct sock_option {
	int level, name;
	int (*get)(struct sockets *s, const struct sock_ref *ref);
	int (*set)(struct sockets *s, const struct sock_ref *ref, int value); /* NULL: read-only */
};

/** sock_option_find returns the row of an option that a socket has, or NULL. */
const struct sock_option *sock_option_find(const struct sock_ref *ref, int level, int name);

/** sock_set_flag sets or clears a TCB_* flag of a TCP socket; of another it does nothing. Returns 0. */
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
