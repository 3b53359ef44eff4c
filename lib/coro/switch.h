/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORO_SWITCH_H
#define CORO_SWITCH_H

/*
 * Fibers: stacks that a thread can switch to and from.
 *
 * On x86-64 a switch is about two dozen instructions of our own, which preserve what the System V
 * ABI requires a function call to preserve: the registers rbx, rbp, r12 to r15, and the control
 * words of both floating-point units.  On other architectures, and in a thread with a shadow stack
 * (CET), it is the C library's swapcontext(), which supports shadow stacks but makes a system call.
 * AddressSanitizer and ThreadSanitizer are notified of each switch.
 */

#include <stdbool.h>
#include <stddef.h>

struct fiber {
	void *sp;         /* while it is suspended: its stack pointer or context */
	const void *base; /* its stack's lowest address, and length */
	size_t bytes;
	void *fake;     /* AddressSanitizer's fake stack */
	void *identity; /* ThreadSanitizer's */
	bool portable;  /* switched by swapcontext() */
};

/** fiber_must_be_portable says whether this thread cannot use our own switch. */
bool fiber_must_be_portable(void);

/**
 * fiber_make prepares a fiber that, when first switched to, calls entry(arg) on the stack whose
 * lowest address is base; entry must never return. portable is the result of
 * fiber_must_be_portable, or true.
 */
void fiber_make(struct fiber *f, void *base, size_t bytes, void (*entry)(void *), void *arg,
                bool portable);

/**
 * fiber_enter runs the fiber `to` until it leaves; host, which needs no fiber_make, represents the
 * thread's own stack meanwhile.
 */
void fiber_enter(struct fiber *host, struct fiber *to);

/** fiber_leave goes back to where self was entered from; it returns when self is entered again. */
void fiber_leave(struct fiber *self, struct fiber *host);

/** fiber_begin must be the first call in entry. */
void fiber_begin(struct fiber *self, struct fiber *host);

/** fiber_end goes back like fiber_leave, but for good. */
_Noreturn void fiber_end(struct fiber *self, struct fiber *host);

/** fiber_forget releases what the sanitizers keep about a suspended fiber. */
void fiber_forget(struct fiber *f);

#endif
