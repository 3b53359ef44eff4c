/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_CARRY_H
#define POSIX_CARRY_H

/* Sockets in messages over kernel sockets (SCM_RIGHTS). */

#include "posix/client.h"

/** carry_any says whether the descriptors in a message (SCM_RIGHTS) include sockets of ours;
 * carry_send sends such a message over a kernel socket, as sendmsg() does. */
bool carry_any(const struct msghdr *m);
ssize_t carry_send(int fd, const struct msghdr *m, int flags);

/** carry_any_of and carry_send_some do the same for sendmmsg(). */
bool carry_any_of(const struct mmsghdr *m, unsigned n);
int carry_send_some(int fd, struct mmsghdr *m, unsigned n, int flags);

/** carry_came says whether received descriptors may stand for sockets of ours; carry_take turns
 * those that do into these sockets, under the same numbers. */
bool carry_came(struct msghdr *m);
void carry_take(struct msghdr *m);

#endif
