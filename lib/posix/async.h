/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_ASYNC_H
#define POSIX_ASYNC_H

/* Signals of O_ASYNC. */

#include "posix/client.h"

/** async_set sets or clears O_ASYNC. Returns 0 or a negative errno. */
int async_set(struct file *f, int fd, bool on);

/** async_set_owner and async_owner are F_SETOWN and F_GETOWN; async_fcntl is both of these,
 * F_SETSIG, F_GETSIG, F_SETOWN_EX and F_GETOWN_EX. They return a value or a negative errno. */
int async_set_owner(struct file *f, long owner);
int async_owner(const struct file *f);
int async_fcntl(struct file *f, int command, long arg);

/** async_forget is called when the last descriptor of a file is closed, async_moved when its socket
 * is replaced by another. */
void async_forget(struct file *f);
void async_moved(struct file *f, uint32_t from, uint32_t to);

/** async_forked forgets the thread and its queue, which belong to the parent, or to an attachment
 * that has ended. */
void async_forked(void);

#endif
