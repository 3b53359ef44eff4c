/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORO_SWITCH_H
#define CORO_SWITCH_H

/*
 * Fibers: stacks that a thread can switch to and from.
 *
 * On x86-64 a switch is a dozen instructions of our own, which preserve what the System V ABI asks
 * of a function call: the registers rbx, rbp, r12 to r15, and the control words of both
 * floating-point units.  On other architectures, and in a thread with a shadow stack (CET), it is
 * the C library's swapcontext(), which supports shadow stacks but makes a system call.
 * AddressSanitizer and ThreadSanitizer are told of each switch.
 */

#include <stdbool.h>
#include <stddef.h>

struct fiber {
	void *sp;         /* while it does not run: where it stopped */
	const void *base; /* its stack's lowest byte, and how long it is */
	size_t bytes;
	void *fake;     /* AddressSanitizer's stack of what outlives its frame */
	void *identity; /* ThreadSanitizer's */
	bool portable;  /* switched by swapcontext() */
};

/** fiber_must_be_portable says whether this thread cannot use the switch of our own. */
bool fiber_must_be_portable(void);

/**
 * fiber_make prepares a fiber that, when it is first switched to, calls entry(arg) on the stack whose
 * lowest byte is at base; entry must never return. portable is as fiber_must_be_portable says, or true.
 */
void fiber_make(struct fiber *f, void *base, size_t bytes, void (*entry)(void *), void *arg,
                bool portable);

/**
 * fiber_enter runs fiber to until it leaves; host, which need not be made, stands for the thread's own
 * stack meanwhile.
 */
void fiber_enter(struct fiber *host, struct fiber *to);

/** fiber_leave goes back to where self was entered from; it returns when self is entered again. */
void fiber_leave(struct fiber *self, struct fiber *host);

/** fiber_begin is to be called first by entry. */
void fiber_begin(struct fiber *self, struct fiber *host);

/** fiber_end goes back as fiber_leave does, for good. */
_Noreturn void fiber_end(struct fiber *self, struct fiber *host);

/** fiber_forget gives back what the sanitizers keep of a fiber that does not run. */
void fiber_forget(struct fiber *f);

#endif
