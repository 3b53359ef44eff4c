/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_H
#define RUN_CTL_H

/*
 * The control socket (run.control): a UNIX socket that takes commands which change routes,
 * addresses, neighbours and so on of every stack while the program runs; percore-ctl sends them.
 */

#include <linux/filter.h>
#include <percore/control.h>
#include <percore/firewall.h>
#include <percore/inspect.h>
#include <percore/stats.h>
#include <stddef.h>
#include <stdio.h>

#include "rows.h"

struct run;
struct worker;

enum ctl_verb {
	CTL_CHANGE,
	CTL_CAPTURE,
	CTL_LOAD_FIREWALL,
	CTL_CHECK_FIREWALL,
	CTL_FLUSH_FIREWALL,
	CTL_CHANGE_TABLE,
	CTL_SHOW_METRICS,
	/* from here on: lists */
	CTL_SHOW_ROUTES,
	CTL_SHOW_ADDRS,
	CTL_SHOW_USAGE,
	CTL_SHOW_COUNTERS,
	CTL_SHOW_SOCKETS,
	CTL_SHOW_NEIGHS,
	CTL_SHOW_DENIED,
	CTL_SHOW_FIREWALL,
	CTL_SHOW_TABLES,
	CTL_SHOW_TABLE,
	CTL_TEST_TABLE,
	CTL_SHOW_PORTS,
	CTL_SHOW_LCORES,
};

/* Limits: captured bytes of a frame, instructions of a filter, and bytes of a command. */
#define CTL_SNAPLEN_MAX 16384
#define CTL_PROGRAM_MAX 256
#define CTL_COMMAND_MAX 8192

/** Which frames are captured, and how much of them. */
struct ctl_capture_args {
	uint64_t count;   /* stop after this many frames; 0: never */
	uint32_t snaplen; /* most bytes of each frame */
	int32_t port;     /* -1: all ports */
	uint16_t nb_insn; /* of the filter; 0: none, all frames */
	struct sock_filter insn[CTL_PROGRAM_MAX];
};

/** A parsed command. */
struct ctl_command {
	enum ctl_verb verb;
	bool is_json;                 /* of those that show a list */
	struct pc_change change;      /* of CTL_CHANGE */
	struct pc_socket_match match; /* of CTL_SHOW_SOCKETS */
	bool all; /* of CTL_SHOW_COUNTERS: include zeros; of CTL_SHOW_PORTS: what drivers count */
	struct ctl_capture_args capture;
	/* for the firewall: the name of the file passed with the command; of CTL_TEST_TABLE, the address */
	char name[256];
	char table[32]; /* of CTL_CHANGE_TABLE, CTL_SHOW_TABLE */
	enum pc_firewall_verb table_verb;
	uint32_t for_s; /* of CTL_CHANGE_TABLE: how long addresses stay; 0: for ever */
};

/** The states of sockets, indexed as in TCP_INFO, with the names that ss uses. */
#define CTL_STATES 12
extern const char *const ctl_states[CTL_STATES];

/** ctl_parse parses a command of blank-separated words. Returns 0, or -1 with a line in why. */
int ctl_parse(const char *text, struct ctl_command *c, char *why, size_t len);

/** These write lists, in text an entry per line in the syntax of commands. */
void ctl_print_routes(struct rows *o, const struct pc_route_info *list, unsigned n);
void ctl_print_addrs(struct rows *o, const struct pc_stack_addr *list, unsigned n);
void ctl_print_denied(struct rows *o, const struct pc_prefix *list, unsigned n);
void ctl_print_neighs(struct rows *o, const struct pc_neigh_info *list, unsigned n);
void ctl_print_sockets(struct rows *o, const struct pc_socket_info *list, unsigned n,
                       unsigned lcore);
void ctl_print_usage(struct rows *o, const struct pc_stack_usage *u);

/** ctl_tell_usage calls tell with arg for each table of a stack. */
typedef void ctl_use(void *arg, const char *name, uint32_t used, uint32_t limit);
void ctl_tell_usage(const struct pc_stack_usage *u, ctl_use *tell, void *arg);

/** ctl_print_counters writes the non-zero counters, or all; ctl_print_counter writes one. */
void ctl_print_counters(struct rows *o, const struct pc_counters *c, bool all);
void ctl_print_counter(struct rows *o, const char *name, uint64_t value);

/** ctl_wait waits until a stack's thread has made a call that was posted to it, or *ends (atomic)
 * becomes true. Returns the call's result, -ETIMEDOUT, or -errno for the ticket 0. */
int ctl_wait(const bool *ends, const struct worker *w, uint64_t ticket);

/** A call to a stack that writes to the caller's memory. Zeroed: none. */
struct ctl_call {
	const struct worker *asked; /* the worker that may still be writing; NULL: none */
	uint64_t ticket;
};

/** ctl_call has a stack's thread make a call, which gets the pointer arg as its data. Returns the
 * call's result, -ETIMEDOUT, or -EBUSY if an earlier call has not finished. */
int ctl_call(struct ctl_call *c, const bool *ends, const struct worker *w,
             int (*call)(struct pc_stack *st, const void *data), void *arg);

/** ctl_call_is_made says whether no worker is writing any more. */
bool ctl_call_is_made(struct ctl_call *c);

/** A view of all stacks: the memory that lcores write lists to. It must outlive the stacks. */
struct ctl_view;

/** ctl_view_create returns a new view, or NULL; ends: see ctl_wait. */
struct ctl_view *ctl_view_create(struct run *r, const bool *ends);
void ctl_view_free(struct ctl_view *v);

/** ctl_view_show answers a command whose verb is one of a list. */
void ctl_view_show(struct ctl_view *v, const struct ctl_command *command, FILE *f);

/** ctl_show_ports writes each port and its queues' traffic, with all also the driver's own counters
 * that are not 0; ctl_show_lcores, what each lcore has done since its start. */
void ctl_show_ports(const struct run *r, bool all, struct rows *o);
void ctl_show_lcores(const struct run *r, struct rows *o);

/** A number that a device counts, in struct rte_eth_stats. */
struct ctl_eth_count {
	const char *key, *before; /* for rows */
	const char *sentence;
	size_t offset;
};

#define CTL_ETH_COUNTS 8
extern const struct ctl_eth_count ctl_eth_counts[CTL_ETH_COUNTS];

/** What one lcore counts and uses. */
struct ctl_lcore_metrics {
	unsigned lcore;
	const struct pc_counters *counters; /* read in place */
	uint64_t busy_ns;
	struct pc_stack_usage usage;
};

/** ctl_print_metrics writes n lcores as metrics in Prometheus' text format; ctl_print_metric_head
 * writes the lines that precede a metric of a type, ctl_print_total a counter without labels, with
 * FILE *f as its arg. */
void ctl_print_metrics(FILE *f, const struct ctl_lcore_metrics *list, unsigned n);
void ctl_print_metric_head(FILE *f, const char *name, const char *suffix, const char *type,
                           const char *sentence);
void ctl_print_total(void *f, const char *name, const char *sentence, uint64_t value);

/** ctl_print_label writes a label with its value in quotation marks. */
void ctl_print_label(FILE *f, const char *name, const char *value);

/** ctl_print_port_metrics writes what devices count, and their links. */
void ctl_print_port_metrics(FILE *f, const struct run *r);

/** ctl_start creates the socket and the thread that serves it, if run.control is set. Returns 0, or
 * -1 with a line in r->s->why. */
int ctl_start(struct run *r);

/** ctl_stop ends both, before the stacks are destroyed; ctl_free then frees the memory that stacks
 * may have written to, after they are destroyed. */
void ctl_stop(struct run *r);
void ctl_free(struct run *r);

#endif
