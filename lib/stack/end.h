/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_END_H
#define STACK_END_H

struct pc_stack;

/** stack_end destroys a stack when the program is about to end: it frees every mbuf of the stack,
 * but leaves its large tables to EAL's cleanup, since EAL overwrites memory that is freed, which
 * would first allocate the pages that were never used. NULL is allowed. */
void stack_end(struct pc_stack *st);

#endif
