/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_STATS_H
#define PERCORE_STATS_H

/*
 * Counters: everything that a stack counts, drops first of all.  A received frame that goes nowhere
 * ends in exactly one PC_DROP_ counter.  The list is percore/counters.def.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a counter says about the world. */
enum pc_severity {
	PC_SEV_INFO,  /**< traffic and progress */
	PC_SEV_WARN,  /**< something was refused or lost; the network's or a limit's doing */
	PC_SEV_ERROR, /**< should not happen: a fault of this machine or of percore */
};

/** The counters; names are those of percore/counters.def. */
enum pc_counter {
#define PC_COUNTER(id, severity, sentence) PC_##id,
#include <percore/counters.def>
#undef PC_COUNTER
	PC_COUNTER_MAX
};

/** All counters of one stack; plain numbers written by its lcore only. */
struct pc_counters {
	uint64_t value[PC_COUNTER_MAX];
};

/** pc_counter_name returns the name in lower case, e.g. "drop_ip4_checksum"; NULL past the end. */
const char *pc_counter_name(enum pc_counter c);

/** pc_counter_sentence returns what the counter counts, in a sentence. */
const char *pc_counter_sentence(enum pc_counter c);

/** pc_counter_severity returns what the counter says about the world. */
enum pc_severity pc_counter_severity(enum pc_counter c);

#ifdef __cplusplus
}
#endif
#endif
