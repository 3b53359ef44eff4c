/* SPDX-License-Identifier: BSD-2-Clause */
/* A shared library that calls a function of another one, for plt_test.c. */
#include <unistd.h>

int plt_library_pid(void);

int plt_library_pid(void)
{
	return (int)getpid();
}
