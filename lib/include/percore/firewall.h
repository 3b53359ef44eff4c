/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_FIREWALL_H
#define PERCORE_FIREWALL_H

/*
 * A firewall: rules that packets to and from a stack are compared with.
 *
 * A set of rules is made of a text (docs/firewall.md has the language) by any thread that is not in a hurry; a stack
 * begins to use it, in place of the one before, between two of its bursts.  Several stacks use one set, each with counters,
 * limits and states of its own (a slot); nobody changes what they share.
 *
 * What belongs to a TCP connection that the stack knows is not compared with rules: it goes on whatever set comes.
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

/** What a set is made of. */
struct pc_firewall_args {
	const char *text; /**< of len bytes; copied */
	size_t len;
	const char *name;   /**< what errors call it, a file as a rule */
	unsigned max_rules; /**< a rule counts once for each combination of its lists */
	unsigned slots;     /**< stacks that are to use it */
	unsigned states;  /**< who has been asked, or has asked, by datagrams: entries of a slot */
	uint64_t seed[2]; /**< random */
	int socket_id;    /**< NUMA node of its memory; -1: any */
};

/** pc_firewall_create makes a set, from any thread of DPDK's. Returns NULL with errno EINVAL (the text), ENOSPC (more than
 * max_rules) or ENOMEM, and with a line in why that names the place. */
struct pc_firewall *pc_firewall_create(const struct pc_firewall_args *args, char *why, size_t len);

/** pc_firewall_free frees a set that no stack uses; NULL is allowed. */
void pc_firewall_free(struct pc_firewall *fw);

/**
 * pc_stack_set_firewall lets a stack use a slot of a set from now on, or none (NULL). The states of the set before are those
 * of the new one then, if both have states. Call it on the stack's thread; others post it. Afterwards the stack has forgotten
 * the set before. Returns 0, or -1 with errno EINVAL: there is no such slot.
 */
int pc_stack_set_firewall(struct pc_stack *st, struct pc_firewall *fw, unsigned slot);

/** A rule, and what it has decided. */
struct pc_firewall_rule {
	const char *text; /**< as it was written, while the set is there */
	unsigned line;    /**< 0: a default that was not written */
	uint64_t packets, bytes;
};

/** pc_firewall_get_rule tells the i-th rule with the sums of all slots, from any thread; the last two are the defaults.
 * Returns false when there are no more. */
bool pc_firewall_get_rule(const struct pc_firewall *fw, unsigned i, struct pc_firewall_rule *r);

/** pc_firewall_logs says whether some rule of a set logs. */
bool pc_firewall_logs(const struct pc_firewall *fw);

/** A packet of a rule with the word log. */
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

/** pc_firewall_take_log takes at most n packets that were logged in a slot, from one thread at a time, any. Returns how
 * many. */
unsigned pc_firewall_take_log(struct pc_firewall *fw, unsigned slot, struct pc_firewall_log *list,
                              unsigned n);

/** pc_firewall_format_log writes a packet as a line without its end; returns buf. */
char *pc_firewall_format_log(const struct pc_firewall_log *l, char *buf, size_t len);

#ifdef __cplusplus
}
#endif
#endif
