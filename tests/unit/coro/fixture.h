/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_CORO_FIXTURE_H
#define UNIT_CORO_FIXTURE_H

/* Two stacks at the ends of a wire, each with a set of coroutines, under a clock of the test's own. */

#include <errno.h>
#include <string.h>

#include <percore/coro.h>
#include <percore/epoll.h>

#include "../unit.h"

#define IP_US   0x010200c0u /* 192.0.2.1, in network byte order */
#define IP_PEER 0x020200c0u /* 192.0.2.2 */
#define MS      UINT64_C(1000000)

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

/** FAILS checks that a call returns -1 with an errno. */
#define FAILS(call, error)                          \
	do {                                        \
		errno = 0;                          \
		CU_ASSERT_EQUAL((long)(call), -1L); \
		CU_ASSERT_EQUAL(errno, error);      \
	} while (0)

/** CORO_UNIT_MAIN makes main of an array named cases. */
#define CORO_UNIT_MAIN(name)                                                        \
	int main(void)                                                              \
	{                                                                           \
		return coro_program(name, cases, sizeof(cases) / sizeof(cases[0])); \
	}

int coro_program(const char *name, const struct unit_case *cases, size_t n);

#endif
