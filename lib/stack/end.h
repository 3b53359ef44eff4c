/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_END_H
#define STACK_END_H

struct pc_stack;

/** stack_end ends a stack of a program that ends: every mbuf that it holds is freed, and its large tables go when EAL does.
 * EAL writes over memory that it is given back, and would have it made where nothing was ever used. NULL is fine. */
void stack_end(struct pc_stack *st);

#endif
