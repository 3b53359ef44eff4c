/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_FIREWALL_H
#define PERCORE_FIREWALL_H

/*
 * A firewall: rules for packets to and from a stack.
 *
 * A set of rules is compiled from text (docs/firewall.md describes the language) by a thread that
 * carries no traffic; a stack starts to use it between two bursts.  Several stacks can share a set,
 * each with its own counters, limits and states (a slot); the shared part is immutable, except for
 * its tables of addresses and ports, which can be replaced.
 *
 * Segments of TCP connections that the stack has are not checked: they continue under any set.
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
	const char *name;              /**< for error messages, usually the file's */
	unsigned max_rules;            /**< a rule counts once for each combination of its lists */
	unsigned slots;                /**< number of stacks that will use the set */
	unsigned states;               /**< datagram states of each slot */
	uint64_t seed[2];              /**< random; of the hash tables */
	int socket_id;                 /**< NUMA node of its memory; -1: any */
	unsigned max_addrs;            /**< addresses and networks in all its tables */
	unsigned sources;              /**< sources of each slot whose rates are limited */
	unsigned learnt;               /**< sources of each slot that its rules add to tables */
	unsigned nb_ports;             /**< length of port_names */
	const char *const *port_names; /**< names of interfaces, by index */
	/** Reads a file of addresses that a table names, or /etc/services for names of ports.
	 * Returns its contents, of *len bytes, allocated by malloc(), or NULL with an error message
	 * in why. It may be called as long as the set exists. NULL: such files are refused. */
	char *(*read_file)(void *arg, const char *path, size_t *len, char *why, size_t why_len);
	void *read_arg;
};

/**
 * pc_firewall_create compiles a set; from any DPDK thread. Returns NULL with errno EINVAL (the
 * text), ENOSPC (max_rules or max_addrs) or ENOMEM, and in why (len bytes) an error message that
 * names the place.
 */
struct pc_firewall *pc_firewall_create(const struct pc_firewall_args *args, char *why, size_t len);

/** pc_firewall_free frees a set that no stack uses; NULL is allowed. */
void pc_firewall_free(struct pc_firewall *fw);

/**
 * pc_stack_set_firewall makes a stack use a slot of a set, or none (NULL). The new slot takes over
 * the states of the old one, if both have states, and how much of their limits the rules that are
 * written alike in both have used, if the new set has taken the old one's tables
 * (pc_firewall_take_tables). Afterwards the stack no longer uses the old set, which stays the
 * caller's to free. Call it on the stack's thread; other threads post it
 * (percore/control.h). Returns 0, or -1 with errno EINVAL (no such slot).
 */
int pc_stack_set_firewall(struct pc_stack *st, struct pc_firewall *fw, unsigned slot);

/** What a change does with its addresses or ports. */
enum pc_firewall_verb { PC_FIREWALL_ADD, PC_FIREWALL_DELETE, PC_FIREWALL_REPLACE };

/** A change of a table. */
struct pc_firewall_change {
	const char *table; /**< its name */
	enum pc_firewall_verb verb;
	const char *text; /**< of len bytes: addresses and networks, or ports, as in a file */
	size_t len;
	const char *name; /**< of the text, for error messages */
	/** time of the stacks' clock; sources that have left the table before are not counted */
	uint64_t now_ns;
	/** of PC_FIREWALL_ADD: when the addresses leave the table (pc_firewall_expire); 0: never */
	uint64_t end_ns;
};

/**
 * pc_firewall_change_table changes a table of a set. Stacks continue to use the table as it was
 * until each uses the set again (pc_stack_set_firewall with the same set and slot); when all do,
 * call pc_firewall_forget. Adding what is in the table, or deleting what is not, is not an error;
 * the former sets when it leaves the table, unless it never does.
 *
 * Sources that rules have added to the table are deleted at once: by PC_FIREWALL_DELETE those that
 * have an address in common with the text, by PC_FIREWALL_REPLACE all of them.
 *
 * *changed is the number of addresses or ports that were added or deleted, or that a replaced table
 * has. From any thread, but by one at a time for each set. Returns 0, or -1 with an error message
 * in why (len bytes) and errno ENOENT (no such table), EINVAL (the text), ENOSPC (max_addrs),
 * ENOMEM, or EBUSY (pc_firewall_forget has not been called since the previous change).
 */
int pc_firewall_change_table(struct pc_firewall *fw, const struct pc_firewall_change *c,
                             unsigned *changed, char *why, size_t len);

/**
 * pc_firewall_expire deletes the addresses of one table whose time is over at now_ns. If it returns
 * true, that is a change, as by pc_firewall_change_table: stacks continue to use the table as it was.
 * *next_ns is when to call it again (now_ns: after pc_firewall_forget, or when there is memory);
 * UINT64_MAX: not before the next change. On the thread that changes tables.
 */
bool pc_firewall_expire(struct pc_firewall *fw, uint64_t now_ns, uint64_t *next_ns);

/** pc_firewall_forget frees what no stack uses any more after a change; NULL is allowed. */
void pc_firewall_forget(struct pc_firewall *fw);

/**
 * pc_firewall_take_tables copies tables from another set (NULL: nothing) to those of the same names
 * of a set that no stack uses yet, unless its text declares their contents; sources that rules have
 * added to them are included only if rules of the new set add sources, too. Returns 0, or -1 with
 * an error message in why (len bytes) and errno ENOSPC or ENOMEM.
 */
int pc_firewall_take_tables(struct pc_firewall *fw, const struct pc_firewall *from, char *why,
                            size_t len);

/** A table, of addresses or of ports. */
struct pc_firewall_table {
	const char *name; /**< valid as long as the set */
	unsigned nb_addrs;
	const struct pc_prefix *addrs; /**< sorted; valid until the next change */
	/** when each address leaves the table; 0: never; NULL: none does; valid like addrs */
	const uint64_t *ends_ns;
	unsigned nb_ports;
	/** port p is bit p % 64 of ports[p / 64]; valid like addrs; NULL: a table of addresses */
	const uint64_t *ports;
};

/**
 * pc_firewall_get_table writes the i-th table, counted from 0; on the thread that changes them.
 * Returns false if there is none.
 */
bool pc_firewall_get_table(const struct pc_firewall *fw, unsigned i, struct pc_firewall_table *t);

/** A source that a rule has added to a table. */
struct pc_firewall_learnt {
	struct pc_prefix source;
	uint64_t end_ns; /**< when it leaves the table, within about a millisecond */
};

/**
 * pc_firewall_list_learnt returns the sources that rules have added to the i-th table and that are
 * still in it at now_ns, the time of the stacks' clock: a sorted array of *n, which the caller
 * frees by free(). On the thread of pc_firewall_get_table. Returns NULL with errno ENOENT (no such
 * table) or ENOMEM.
 */
struct pc_firewall_learnt *pc_firewall_list_learnt(const struct pc_firewall *fw, unsigned i,
                                                   uint64_t now_ns, unsigned *n);

/** A rule and its counters. */
struct pc_firewall_rule {
	const char *text;        /**< as written; valid as long as the set */
	unsigned line;           /**< 0: a default that is not in the text */
	uint64_t packets, bytes; /**< bytes do not include IP headers */
};

/**
 * pc_firewall_get_rule writes the i-th rule, counted from 0, with the sums of all slots; from any
 * thread. The last two rules are the defaults. Returns false if there is none.
 */
bool pc_firewall_get_rule(const struct pc_firewall *fw, unsigned i, struct pc_firewall_rule *r);

/** pc_firewall_logs says whether any rule of a set logs. */
bool pc_firewall_logs(const struct pc_firewall *fw);

/** A logged packet. */
struct pc_firewall_log {
	uint64_t at_ns;              /**< time of the stack's clock */
	struct pc_endpoint src, dst; /**< ports are 0 if the protocol has none */
	uint32_t len;                /**< bytes after the IP header */
	uint32_t line;               /**< of the rule */
	uint8_t proto, icmp_type;    /**< IPPROTO_*; the type is of ICMP and ICMPv6 only */
	uint8_t port;                /**< index of the interface */
	uint8_t action;              /**< 0: passed, 1: dropped, 2: rejected */
	bool out;                    /**< sent, not received */
	uint8_t icmp_code;
	uint8_t flags; /**< of TCP, the last eight */
};

/**
 * pc_firewall_take_log moves at most n logged packets of a slot to list; from any thread, but by
 * one at a time. Returns how many.
 */
unsigned pc_firewall_take_log(struct pc_firewall *fw, unsigned slot, struct pc_firewall_log *list,
                              unsigned n);

/**
 * pc_firewall_format_log writes a packet as text, without a line end, into buf (len bytes). Returns
 * buf.
 */
char *pc_firewall_format_log(const struct pc_firewall_log *l, char *buf, size_t len);

#ifdef __cplusplus
}
#endif
#endif
