/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_APPS_H
#define BENCH_APPS_H

/* The programs of app/ as benchmarks run them: the same code without main(). */

#include <stdint.h>

struct pc_stack;

/** A program as a benchmark sees it. */
struct app {
	uint16_t port;
	/** Creates it on a stack with that many connections; ends the process on failure. */
	void *(*start)(struct pc_stack *st, uint32_t connections);
	/** The program's part of a turn. Returns the TSC cycles spent on waiting for events. */
	uint64_t (*turn)(void *self, struct pc_stack *st, uint64_t now_ns);
	void (*finish)(void *self);
};

/** percore-echo with each of its services; percore-httpd with a file of 512 bytes as /512. */
extern const struct app app_echo, app_discard, app_source, app_httpd;

/** Echo by pc_recv and pc_send, which copy. */
extern const struct app app_echo_copy;

#endif
