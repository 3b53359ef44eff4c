/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_OPT_KEPT_H
#define SOCK_SOCK_OPT_KEPT_H

/*
 * Socket options that are stored and read back as on Linux; base/kept.h says which have an effect.
 */

#include "sock/sock.h"

/** sock_kept_get reads an option. Returns 0, or -ENOPROTOOPT if it is not one of these. */
int sock_kept_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                  int *value);

/** sock_kept_has says whether an option is one of these that can be set. */
bool sock_kept_has(const struct sock_ref *ref, int level, int name);

/** sock_kept_set sets an option. Returns 0, -ENOPROTOOPT, -EINVAL, -EPERM, -ENOBUFS,
 * -EOPNOTSUPP. */
int sock_kept_set(struct sockets *s, const struct sock_ref *ref, int level, int name, int value);

#endif
