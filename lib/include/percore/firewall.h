/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_FIREWALL_H
#define PERCORE_FIREWALL_H

/*
 * A firewall: rules for packets to and from a stack.
 *
 * A set of rules is compiled from text (docs/firewall.md has the language) by a thread that carries no traffic; a stack
 * starts to use it between two bursts.  Several stacks can share a set, each with its own counters, limits and
 * states (a slot); the shared part is immutable, but for its tables of addresses and ports, which can be replaced.
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
	const char *name;              /**< for error messages, usually the file */
	unsigned max_rules;            /**< a rule counts once for each combination of its lists */
	unsigned slots;                /**< number of stacks that will use it */
	unsigned states;               /**< datagram states of each slot */
	uint64_t seed[2];              /**< random */
	int socket_id;                 /**< NUMA node of its memory; -1: any */
	unsigned max_addrs;            /**< addresses and networks in all its tables */
	unsigned sources;              /**< sources of each slot whose rates are limited */
	unsigned learnt;               /**< sources of each slot that its rules put into tables */
	unsigned nb_ports;             /**< that have names */
	const char *const *port_names; /**< names of interfaces, by number */
	/** reads a file of addresses that a table names, or /etc/services for names of ports; returns its bytes, allocated
	 * by malloc(), or NULL with an error message in why. NULL: such files are refused. It may be called as
	 * long as the set is there. */
	char *(*read_file)(void *arg, const char *path, size_t *len, char *why, size_t why_len);
	void *read_arg;
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

/** What to do with the addresses of a change. */
enum pc_firewall_verb { PC_FIREWALL_ADD, PC_FIREWALL_DELETE, PC_FIREWALL_REPLACE };

/** A change of a table. */
struct pc_firewall_change {
	const char *table; /**< its name */
	enum pc_firewall_verb verb;
	const char *text; /**< of len bytes: addresses and networks, or ports, as in a file */
	size_t len;
	const char *name; /**< of the text, for error messages */
	uint64_t
	    now_ns; /**< by the clock of the stacks; what rules have put into the table until earlier is not counted */
};

/**
 * pc_firewall_change_table changes a table of a set. Stacks continue to use the table as it was until they are made to use the
 * set again (pc_stack_set_firewall with the same set and slot); when all have done so, call pc_firewall_forget. Adding
 * what is there, or deleting what is not, is no error. What rules have put into the table is deleted, too, at once: the sources that have an
 * address in common with the text, or, by a replacement, all. *changed is the number of addresses or ports added, deleted or, after a
 * replacement, there. From any thread, but one at a time for a set. Returns 0, or -1 with an error message in why and errno
 * ENOENT (no such table), EINVAL (the text), ENOSPC (more than max_addrs), ENOMEM, or EBUSY (pc_firewall_forget was not called
 * after the change before).
 */
int pc_firewall_change_table(struct pc_firewall *fw, const struct pc_firewall_change *c,
                             unsigned *changed, char *why, size_t len);

/** pc_firewall_forget frees what no stack uses since a change. */
void pc_firewall_forget(struct pc_firewall *fw);

/** pc_firewall_take_tables fills tables of a set that no stack uses yet, and whose contents its text does not declare, with the
 * tables of the same names of another set; what rules have put into these only if rules of the new set do so, too. Returns 0 or -1, as pc_firewall_change_table. */
int pc_firewall_take_tables(struct pc_firewall *fw, const struct pc_firewall *from, char *why,
                            size_t len);

/** A table. */
struct pc_firewall_table {
	const char *name; /**< valid as long as the set */
	unsigned nb_addrs;
	const struct pc_prefix *addrs; /**< sorted; valid until the next change */
	unsigned nb_ports;
	const uint64_t *
	    ports; /**< of a table of ports: port p is bit p % 64 of ports[p / 64]; as long as addrs. Else NULL */
};

/** pc_firewall_get_table returns the i-th table, on the thread that changes them. Returns false when there are no more. */
bool pc_firewall_get_table(const struct pc_firewall *fw, unsigned i, struct pc_firewall_table *t);

/** A source that a rule has put into a table. */
struct pc_firewall_learnt {
	struct pc_prefix source;
	uint64_t end_ns; /**< when it leaves the table, to about a millisecond */
};

/** pc_firewall_list_learnt returns the sources that rules have put into the i-th table and that are still there: a sorted list to be freed, of *n.
 * now_ns is by the clock of the stacks. As pc_firewall_get_table. Returns NULL with errno ENOENT (no such table) or ENOMEM. */
struct pc_firewall_learnt *pc_firewall_list_learnt(const struct pc_firewall *fw, unsigned i,
                                                   uint64_t now_ns, unsigned *n);

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
