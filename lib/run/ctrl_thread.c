/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DPDK 22.11 has only rte_ctrl_thread_create, later versions only rte_thread_create_control, whose
 * threads return a number.
 */
#include "ctrl_thread.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_thread.h>
#include <rte_version.h>

#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)

int ctrl_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	return rte_ctrl_thread_create(thread, name, NULL, run, arg);
}

#else

struct start {
	void *(*run)(void *);
	void *arg;
};

static uint32_t begin(void *p)
{
	const struct start s = *(const struct start *)p;

	free(p);
	(void)s.run(s.arg);
	return 0;
}

int ctrl_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	struct start *s = malloc(sizeof(*s));
	rte_thread_t made;
	int rc;

	if (s == NULL)
		return -ENOMEM;
	*s = (struct start){run, arg};
	rc = rte_thread_create_control(&made, name, begin, s);
	if (rc != 0)
		free(s);
	else
		*thread = (pthread_t)made.opaque_id;
	return rc > 0 ? -rc : rc;
}

#endif
