/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_CORO_FIXTURE_H
#define UNIT_CORO_FIXTURE_H

/* Two stacks at the ends of a wire, each with a set of coroutines, under a clock of the test's own. */

#include <errno.h>
#include <string.h>

#include <percore/coro.h>
#include <percore/epoll.h>

#include "../two.h"

#define MS UINT64_C(1000000)

extern struct pc_stack *us, *peer;
extern struct pc_coros *ours, *theirs;
extern uint64_t now;

/** start makes the stacks and sets of at most max coroutines. */
void start(uint32_t max);

/** finish ends them and checks that no mbuf is missing. */
void finish(void);

/** turns makes n turns, step_ns apart. */
void turns(unsigned n, uint64_t step_ns);

/** until_quiet makes turns of a millisecond until no coroutine is left; at most 60 s. */
void until_quiet(void);

/** at returns an address of our stack. */
struct sockaddr_in at(uint16_t port);

/** listener makes a listening socket of our stack. */
int listener(uint16_t port);

/** CORO_UNIT_MAIN makes main of an array named cases. */
#define CORO_UNIT_MAIN(name) UNIT_MAIN_OF(coro_program, name)

int coro_program(const char *name, const struct unit_case *cases, size_t n);

#endif
