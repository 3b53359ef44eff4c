/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of dlopen().
 *
 * A library loaded with RTLD_DEEPBIND finds the functions of the C library before ours, and so do
 * the libraries that it brings along: PHP loads its extensions so, and with them libcurl and libpq.
 * The flag is removed.
 *
 * The C library learns from the return address who calls it, because the search path is the
 * caller's.  So ours jumps to it, with the stack as it was.
 */
#include <dlfcn.h>

#include "names.h"
#include "real.h"

#if defined(__x86_64__)
void *dl_next(void);

/* Called by dlopen() below. */
__attribute__((used)) void *dl_next(void)
{
	static void *next;

	if (next == NULL)
		next = real_find("dlopen");
	return next;
}

__attribute__((visibility("default"), naked)) void ours_dlopen(void) __asm__("dlopen");

/* The file is in rdi, the flags are in esi. */
void ours_dlopen(void)
{
	__asm__("push %rdi\n\t"
	        "push %rsi\n\t"
	        "sub $8, %rsp\n\t" /* to a multiple of 16 */
	        "call dl_next\n\t"
	        "add $8, %rsp\n\t"
	        "pop %rsi\n\t"
	        "pop %rdi\n\t"
	        "and $~8, %esi\n\t" /* RTLD_DEEPBIND */
	        "jmp *%rax");
}

_Static_assert(RTLD_DEEPBIND == 8, "the mask above");
#endif
