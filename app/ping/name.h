/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PING_NAME_H
#define PING_NAME_H

/* The address of a name: by percore/resolve.h (name.c), or without a resolver, none (no_name.c). */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

struct name;

/** name_ask asks for a name. Returns NULL when that cannot be done. */
struct name *name_ask(struct pc_stack *st, const char *text);

/** name_turn goes on. Returns 1 with *addr when there is an answer, 0 while there is none, or -1 with one
 * line in why when there will be none. */
int name_turn(struct name *n, uint64_t now_ns, struct pc_addr *addr, const char **why);

/** name_free ends it. NULL is allowed. */
void name_free(struct name *n);

#endif
