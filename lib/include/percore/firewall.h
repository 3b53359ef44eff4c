/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_FIREWALL_H
#define PERCORE_FIREWALL_H

/*
 * A firewall: rules for packets to and from a stack.
 *
 * A set of rules is compiled from text (docs/firewall.md has the language) by a thread that carries no traffic; a stack
 * starts to use it between two bursts.  Several stacks can share a set, each with its own counters, limits and
 * states (a slot); the shared part is immutable.
 *
 * Segments of TCP connections that the stack knows are not checked: they continue under any set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A set of rules. */
struct pc_firewall;

/** Arguments of pc_firewall_create. */
struct pc_firewall_args {
	const char *text; /**< of len bytes; copied */
	size_t len;
	const char *name;   /**< for error messages, usually the file */
	unsigned max_rules; /**< a rule counts once for each combination of its lists */
	unsigned slots;     /**< number of stacks that will use it */
	unsigned states;    /**< datagram states of each slot */
	uint64_t seed[2];   /**< random */
	int socket_id;      /**< NUMA node of its memory; -1: any */
};

/** pc_firewall_create compiles a set; from any DPDK thread. Returns NULL with errno EINVAL (the text), ENOSPC (more than
 * max_rules) or ENOMEM, and an error message in why that names the place. */
struct pc_firewall *pc_firewall_create(const struct pc_firewall_args *args, char *why, size_t len);

/** pc_firewall_free frees a set that no stack uses; NULL is allowed. */
void pc_firewall_free(struct pc_firewall *fw);

/**
 * pc_stack_set_firewall makes a stack use a slot of a set, or none (NULL). The new set takes over the states of the old
 * one, if both have states; afterwards the stack no longer uses the old one. Call it on the stack's thread; other
 * threads post it (percore/control.h). Returns 0, or -1 with errno EINVAL (no such slot).
 */
int pc_stack_set_firewall(struct pc_stack *st, struct pc_firewall *fw, unsigned slot);

/** A rule and its counters. */
struct pc_firewall_rule {
	const char *text; /**< as written; valid as long as the set */
	unsigned line;    /**< 0: a default that is not in the text */
	uint64_t packets, bytes;
};

/** pc_firewall_get_rule returns the i-th rule with the sums of all slots, from any thread; the last two are the defaults.
 * Returns false when there are no more. */
bool pc_firewall_get_rule(const struct pc_firewall *fw, unsigned i, struct pc_firewall_rule *r);

/** pc_firewall_logs returns whether any rule of a set logs. */
bool pc_firewall_logs(const struct pc_firewall *fw);

/** A logged packet. */
struct pc_firewall_log {
	uint64_t at_ns;              /**< by the stack's clock */
	struct pc_endpoint src, dst; /**< ports are 0 where there are none */
	uint32_t len;                /**< bytes behind the IP header */
	uint32_t line;               /**< of the rule */
	uint8_t proto, icmp_type;
	uint8_t port;   /**< interface */
	uint8_t action; /**< 0: passed, 1: dropped, 2: rejected */
	bool out;
};

/** pc_firewall_take_log removes at most n logged packets of a slot; from any thread, one at a time. Returns how
 * many. */
unsigned pc_firewall_take_log(struct pc_firewall *fw, unsigned slot, struct pc_firewall_log *list,
                              unsigned n);

/** pc_firewall_format_log formats a packet as a line without line end; returns buf. */
char *pc_firewall_format_log(const struct pc_firewall_log *l, char *buf, size_t len);

#ifdef __cplusplus
}
#endif
#endif
