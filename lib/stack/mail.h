/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_MAIL_H
#define STACK_MAIL_H

/* The mailbox of a stack; see pc_stack_post and pc_stack_posted. */

#include <percore/control.h>

struct mail;

/** mail_footprint returns the bytes that mail_create takes. */
uint64_t mail_footprint(void);

/** mail_create makes an empty mailbox; NULL: no memory. */
struct mail *mail_create(int socket_id);
void mail_free(struct mail *mail);

/** mail_is_there says whether a call is waiting. */
bool mail_is_there(const struct mail *mail);

/** mail_take makes the waiting calls; on the stack's thread. */
void mail_take(struct mail *mail, struct pc_stack *st);

/** mail_post and mail_posted are pc_stack_post and pc_stack_posted, for any thread. */
uint64_t mail_post(struct mail *mail, int (*call)(struct pc_stack *st, const void *data),
                   const void *data, size_t len);
bool mail_posted(const struct mail *mail, uint64_t ticket, int *result);

#endif
