/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_STATS_H
#define PERCORE_STATS_H

/*
 * The counters of a stack.  A received frame that is dropped increments exactly one PC_DROP_
 * counter.  The list is percore/counters.def, documented in docs/counters.md.
 *
 *   pc_stack_counters(st)->value[PC_RX_FRAMES]
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The severity of a counter. */
enum pc_severity {
	PC_SEV_INFO,  /**< traffic and progress */
	PC_SEV_WARN,  /**< something was refused or lost, by the network or a limit */
	PC_SEV_ERROR, /**< should not happen: a problem of the machine or a defect of percore */
};

/** The counters; names are those of percore/counters.def. */
enum pc_counter {
#define PC_COUNTER(id, severity, sentence) PC_##id,
#include <percore/counters.def>
#undef PC_COUNTER
	PC_COUNTER_MAX
};

/** All counters of a stack, written by its lcore only, without atomic operations. */
struct pc_counters {
	uint64_t value[PC_COUNTER_MAX];
};

/**
 * pc_counter_name returns the name in lower case, e.g. "drop_ip4_checksum"; NULL if there is none.
 */
const char *pc_counter_name(enum pc_counter c);

/** pc_counter_sentence returns the description of a counter; NULL if there is none. */
const char *pc_counter_sentence(enum pc_counter c);

/** pc_counter_severity returns the severity of a counter. */
enum pc_severity pc_counter_severity(enum pc_counter c);

#ifdef __cplusplus
}
#endif
#endif
