/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/plt.h"

#include <errno.h>
#include <unistd.h>

#include "common.h"

/* of plt_library.c */
int plt_library_pid(void);

static int calls;

static pid_t instead(void)
{
	calls++;
	return -7;
}

static void what_is_not_there_is_said(void)
{
	CU_ASSERT_EQUAL(plt_redirect("libplt_library.so", "getuid", (plt_function)instead),
	                -ENOENT);
	CU_ASSERT_EQUAL(plt_redirect("libnobody.so", "getpid", (plt_function)instead), -ENOENT);
	CU_ASSERT_EQUAL(plt_library_pid(), getpid());
}

static void the_calls_of_one_library_go_elsewhere(void)
{
	for (int i = 1; i <= 2; i++) {
		CU_ASSERT_EQUAL(plt_redirect("libplt_library.so", "getpid", (plt_function)instead),
		                0);
		CU_ASSERT_EQUAL(plt_library_pid(), -7);
		CU_ASSERT_EQUAL(calls, i);
	}
	CU_ASSERT_NOT_EQUAL(getpid(), -7);
	CU_ASSERT_EQUAL(calls, 2);
}

static const struct unit_case cases[] = {
    {"what is not there is said", what_is_not_there_is_said},
    {"the calls of one library go elsewhere", the_calls_of_one_library_go_elsewhere},
};

UNIT_MAIN("port/plt", cases)
