/* SPDX-License-Identifier: BSD-2-Clause */
#include "switch.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* ---- the sanitizers -------------------------------------------------------------------------- */

/* the running fiber is about to switch to `to`; keep NULL: for good */
static void tell_leaving(void **keep, const struct fiber *to)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(keep, to->base, to->bytes);
#endif
#ifdef FIBER_TSAN
	__tsan_switch_to_fiber(to->identity, 0);
#endif
	(void)keep;
	(void)to;
}

/* self has resumed, entered from host, whose stack is recorded; host NULL: self is the host */
static void tell_arrived(struct fiber *self, struct fiber *host)
{
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(self->fake, host ? &host->base : NULL,
	                                host ? &host->bytes : NULL);
#endif
	(void)self;
	(void)host;
}

static void tell_made(struct fiber *f)
{
#ifdef FIBER_TSAN
	f->identity = __tsan_create_fiber(0);
#endif
	(void)f;
}

static void tell_host(struct fiber *host)
{
#ifdef FIBER_TSAN
	host->identity = __tsan_get_current_fiber();
#endif
	(void)host;
}

void fiber_forget(struct fiber *f)
{
#ifdef FIBER_TSAN
	if (f->identity != NULL)
		__tsan_destroy_fiber(f->identity);
#endif
	f->identity = NULL;
}

/* ---- the switch of our own ------------------------------------------------------------------- */

#if defined(__x86_64__)

/*
 * The stack of a suspended fiber, from sp upwards: the control words (MXCSR in the lower half, the
 * x87's in the upper), r15, r14, r13, r12, rbx, rbp, and the address to resume at.  It resumes by a
 * jump, since a return would be mispredicted: the processor predicts it from the preceding calls.
 */
__attribute__((naked, noinline)) static void change_stack(void **keep __attribute__((unused)),
                                                          void *sp __attribute__((unused)))
{
	__asm__("pushq %rbp\n\t"
	        "pushq %rbx\n\t"
	        "pushq %r12\n\t"
	        "pushq %r13\n\t"
	        "pushq %r14\n\t"
	        "pushq %r15\n\t"
	        "subq $8, %rsp\n\t"
	        "stmxcsr (%rsp)\n\t"
	        "fnstcw 4(%rsp)\n\t"
	        "movq %rsp, (%rdi)\n\t"
	        "movq %rsi, %rsp\n\t"
	        "ldmxcsr (%rsp)\n\t"
	        "fldcw 4(%rsp)\n\t"
	        "addq $8, %rsp\n\t"
	        "popq %r15\n\t"
	        "popq %r14\n\t"
	        "popq %r13\n\t"
	        "popq %r12\n\t"
	        "popq %rbx\n\t"
	        "popq %rbp\n\t"
	        "popq %rcx\n\t"
	        "jmp *%rcx");
}

/* where a new fiber starts: its entry is in r13, the argument in r12 */
__attribute__((naked, noinline)) static void start_fiber(void)
{
	__asm__("movq %r12, %rdi\n\t"
	        "callq *%r13\n\t"
	        "ud2");
}

static void *prepare_stack(void *base, size_t bytes, void (*entry)(void *), void *arg)
{
	/* a zero word in place of start_fiber's return address ends every backtrace */
	uint64_t *top = (uint64_t *)(((uintptr_t)base + bytes - 16) & ~(uintptr_t)15);
	uint64_t *sp = top - 8;
	uint32_t mxcsr;
	uint16_t x87;

	__asm__("stmxcsr %0" : "=m"(mxcsr));
	__asm__("fnstcw %0" : "=m"(x87));
	memset(sp, 0, 10 * sizeof(*sp));
	sp[0] = mxcsr | (uint64_t)x87 << 32;
	sp[3] = (uintptr_t)entry;
	sp[4] = (uintptr_t)arg;
	sp[7] = (uintptr_t)start_fiber;
	return sp;
}

bool fiber_must_be_portable(void)
{
	uint64_t shadow = 0;

	/* rdsspq %rax: reads the shadow stack pointer; a no-op without a shadow stack */
	__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8" : "+a"(shadow));
	return shadow != 0;
}

#else

static void change_stack(void **keep, void *sp)
{
	(void)keep;
	(void)sp;
	assert(false);
}

static void *prepare_stack(void *base, size_t bytes, void (*entry)(void *), void *arg)
{
	(void)base, (void)bytes, (void)entry, (void)arg;
	assert(false);
	return NULL;
}

bool fiber_must_be_portable(void)
{
	return true;
}

#endif

/* ---- the C library's ------------------------------------------------------------------------- */

/* makecontext() passes arguments of type int only */
static void start_portable(unsigned entry_high, unsigned entry_low, unsigned arg_high,
                           unsigned arg_low)
{
	void (*entry)(void *) = (void (*)(void *))((uintptr_t)entry_high << 32 | entry_low);

	entry((void *)((uintptr_t)arg_high << 32 | arg_low));
}

/* The context lies at the top of its own stack. */
static void *prepare_portable(void *base, size_t bytes, void (*entry)(void *), void *arg)
{
	size_t room = (bytes - sizeof(ucontext_t)) & ~(size_t)63;
	ucontext_t *uc = (ucontext_t *)((char *)base + room);
	uint64_t e = (uintptr_t)entry, a = (uintptr_t)arg;

	(void)getcontext(uc);
	uc->uc_stack.ss_sp = base;
	uc->uc_stack.ss_size = room;
	uc->uc_link = NULL;
	makecontext(uc, (void (*)(void))start_portable, 4, (unsigned)(e >> 32), (unsigned)e,
	            (unsigned)(a >> 32), (unsigned)a);
	return uc;
}

/* ---- fibers ---------------------------------------------------------------------------------- */

void fiber_make(struct fiber *f, void *base, size_t bytes, void (*entry)(void *), void *arg,
                bool portable)
{
	f->base = base;
	f->bytes = bytes;
	f->fake = NULL;
	f->portable = portable;
	if (f->identity == NULL)
		tell_made(f);
	f->sp = portable ? prepare_portable(base, bytes, entry, arg)
	                 : prepare_stack(base, bytes, entry, arg);
}

void fiber_enter(struct fiber *host, struct fiber *to)
{
	ucontext_t uc;

	tell_host(host);
	tell_leaving(&host->fake, to);
	if (__builtin_expect(to->portable, 0)) {
		host->sp = &uc;
		(void)swapcontext(&uc, to->sp);
	} else {
		change_stack(&host->sp, to->sp);
	}
	tell_arrived(host, NULL);
}

static void go_back(struct fiber *self, const struct fiber *host)
{
	if (__builtin_expect(self->portable, 0))
		(void)swapcontext(self->sp, host->sp);
	else
		change_stack(&self->sp, host->sp);
}

void fiber_leave(struct fiber *self, struct fiber *host)
{
	tell_leaving(&self->fake, host);
	go_back(self, host);
	tell_arrived(self, host);
}

void fiber_begin(struct fiber *self, struct fiber *host)
{
	tell_arrived(self, host);
}

_Noreturn void fiber_end(struct fiber *self, struct fiber *host)
{
	tell_leaving(NULL, host);
	go_back(self, host);
	__builtin_unreachable();
}
