/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PING_NAME_H
#define PING_NAME_H

/* Resolves a name: with percore/resolve.h (name.c), or, without a resolver, not at all
 * (no_name.c). */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

struct name;

/** name_ask begins to resolve a name. Returns NULL if that is not possible. */
struct name *name_ask(struct pc_stack *st, const char *text);

/** name_turn continues. Returns 1 with *addr when there is an answer, 0 while there is none yet, or
 * -1 with one line in why if there will be none. */
int name_turn(struct name *n, uint64_t now_ns, struct pc_addr *addr, const char **why);

/** name_free ends the query. NULL is allowed. */
void name_free(struct name *n);

#endif
