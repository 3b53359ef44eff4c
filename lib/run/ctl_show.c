/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control socket shows.
 *
 * Overview: each list is written to the view's memory by a stack's thread, in a call posted to it,
 * and printed by the control socket's thread.  Routes, addresses, neighbours and denied networks
 * are taken from the first stack, as they are the same in all; counters and usage are summed over
 * all stacks; sockets are listed stack by stack, in short steps.
 *
 * Ownership: an lcore that has not answered in time may still write; until it has, no other call is
 * posted.
 */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "firewall.h"
#include "report.h"
#include "serve/host.h"
#include "worker.h"

#define LIST_MAX 4096 /* routes, neighbours and networks that are shown */
#define SOCKETS  256  /* per step */

struct ctl_view {
	struct run *run;
	const bool *ends;
	struct ctl_call call;
	unsigned n; /* entries in list */
	struct pc_socket_walk walk;
	struct pc_socket_match match;
	union {
		struct pc_stack_usage usage;
		struct pc_stack_addr addr[PC_MAX_ADDRS];
		struct pc_route_info route[LIST_MAX];
		struct pc_neigh_info neigh[LIST_MAX];
		struct pc_prefix denied[LIST_MAX];
		struct pc_socket_info socket[SOCKETS];
	};
};

typedef int (*view_call)(struct pc_stack *st, const void *data);

/* ---- on the lcores --------------------------------------------------------------------------- */

static struct ctl_view *view_of(const void *data)
{
	struct ctl_view *v;

	memcpy(&v, data, sizeof(v));
	return v;
}

static int list_routes(struct pc_stack *st, const void *data)
{
	struct ctl_view *v = view_of(data);

	v->n = pc_route_list(st, v->route, LIST_MAX);
	return 0;
}

static int list_addrs(struct pc_stack *st, const void *data)
{
	struct ctl_view *v = view_of(data);

	v->n = pc_stack_get_addrs(st, v->addr, PC_MAX_ADDRS);
	return 0;
}

static int list_neighs(struct pc_stack *st, const void *data)
{
	struct ctl_view *v = view_of(data);

	v->n = pc_stack_get_neighs(st, 0, v->neigh, LIST_MAX);
	return 0;
}

static int list_denied(struct pc_stack *st, const void *data)
{
	struct ctl_view *v = view_of(data);

	v->n = pc_stack_get_denied(st, 0, v->denied, LIST_MAX);
	return 0;
}

static int list_sockets(struct pc_stack *st, const void *data)
{
	struct ctl_view *v = view_of(data);

	v->n = pc_stack_walk_sockets(st, &v->walk, &v->match, v->socket, SOCKETS);
	return 0;
}

static int tell_usage(struct pc_stack *st, const void *data)
{
	pc_stack_get_usage(st, &view_of(data)->usage);
	return 0;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static int ask(struct ctl_view *v, const struct worker *w, view_call call)
{
	return ctl_call(&v->call, v->ends, w, call, v);
}

static void refuse(struct rows *o, int rc)
{
	fprintf(o->f, "error %s\n", strerror(-rc));
}

/* the number of entries to print */
static unsigned printed(const struct ctl_view *v)
{
	return RTE_MIN(v->n, (unsigned)LIST_MAX);
}

static void print_routes(const struct ctl_view *v, struct rows *o)
{
	ctl_print_routes(o, v->route, printed(v));
}

static void print_addrs(const struct ctl_view *v, struct rows *o)
{
	ctl_print_addrs(o, v->addr, printed(v));
}

static void print_neighs(const struct ctl_view *v, struct rows *o)
{
	ctl_print_neighs(o, v->neigh, printed(v));
}

static void print_denied(const struct ctl_view *v, struct rows *o)
{
	ctl_print_denied(o, v->denied, printed(v));
}

/* Shows a list that the first stack fills in. */
static void show_list(struct ctl_view *v, view_call call,
                      void (*print)(const struct ctl_view *v, struct rows *o), struct rows *o)
{
	const int rc = ask(v, v->run->workers[0], call);

	if (rc != 0) {
		refuse(o, rc);
		return;
	}
	rows_open(o);
	print(v, o);
	rows_close(o);
	if (v->n > printed(v))
		fprintf(o->f, "and %u more\n", v->n - printed(v));
}

static void add_usage(struct pc_stack_usage *sum, const struct pc_stack_usage *u)
{
	sum->connections += u->connections;
	sum->connections_max += u->connections_max;
	sum->half_open += u->half_open;
	sum->half_open_max += u->half_open_max;
	sum->time_wait += u->time_wait;
	sum->time_wait_max += u->time_wait_max;
	sum->neighbours += u->neighbours;
	sum->neighbours_max += u->neighbours_max;
	sum->udp_sockets += u->udp_sockets;
	sum->udp_sockets_max += u->udp_sockets_max;
	sum->listeners += u->listeners;
	sum->listeners_max += u->listeners_max;
}

static void show_usage(struct ctl_view *v, struct rows *o)
{
	struct pc_stack_usage sum = {0};

	for (unsigned i = 0; i < v->run->nb_workers; i++) {
		const int rc = ask(v, v->run->workers[i], tell_usage);

		if (rc != 0) {
			refuse(o, rc);
			return;
		}
		add_usage(&sum, &v->usage);
	}
	rows_open(o);
	ctl_print_usage(o, &sum);
	rows_close(o);
}

struct shown {
	struct rows *o;
	bool all; /* also those that are 0 */
};

static void show_counter(void *arg, const char *name, const char *sentence, uint64_t value)
{
	const struct shown *shown = arg;

	(void)sentence;
	if (shown->all || value != 0)
		ctl_print_counter(shown->o, name, value);
}

/* Counters are plain numbers that their lcore writes; they are read in place. */
static void show_counters(const struct ctl_view *v, bool all, struct rows *o)
{
	struct shown shown = {o, all};
	struct pc_counters sum = {0};

	for (unsigned i = 0; i < v->run->nb_workers; i++) {
		const struct pc_counters *c = pc_stack_counters(v->run->workers[i]->st);

		for (int k = 0; k < PC_COUNTER_MAX; k++)
			sum.value[k] += __atomic_load_n(&c->value[k], __ATOMIC_RELAXED);
	}
	rows_open(o);
	ctl_print_counters(o, &sum, all);
	report_tell_counters(v->run, show_counter, &shown);
	rows_close(o);
}

/* Asks each lcore for what it uses. Returns 0 or a negative errno. */
static int read_metrics(struct ctl_view *v, struct ctl_lcore_metrics *list)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < v->run->nb_workers; i++) {
		const struct worker *w = v->run->workers[i];

		rc = ask(v, w, tell_usage);
		if (rc == 0)
			list[i] = (struct ctl_lcore_metrics){
			    .lcore = w->lcore,
			    .counters = pc_stack_counters(w->st),
			    .busy_ns = __atomic_load_n(&w->use.busy_ns, __ATOMIC_RELAXED),
			    .usage = v->usage};
	}
	return rc;
}

static void show_metrics(struct ctl_view *v, struct rows *o)
{
	const unsigned n = v->run->nb_workers;
	struct ctl_lcore_metrics *list = calloc(n, sizeof(*list));
	const int rc = list != NULL ? read_metrics(v, list) : -ENOMEM;

	if (rc == 0) {
		rows_open(o);
		ctl_print_metrics(o->f, list, n);
		report_tell_counters(v->run, ctl_print_total, o->f);
		ctl_print_port_metrics(o->f, v->run);
	} else {
		refuse(o, rc);
	}
	free(list);
}

/* one stack's sockets; returns 0 or a negative errno */
static int show_sockets_of(struct ctl_view *v, const struct worker *w, struct rows *o)
{
	int rc = 0;

	v->walk = (struct pc_socket_walk){0};
	while (rc == 0 && !v->walk.done && !ferror(o->f)) {
		rc = ask(v, w, list_sockets);
		if (rc == 0)
			ctl_print_sockets(o, v->socket, v->n, w->lcore);
	}
	return rc;
}

static void show_sockets(struct ctl_view *v, const struct pc_socket_match *match, struct rows *o)
{
	int rc = 0;

	if (!ctl_call_is_made(&v->call)) {
		refuse(o, -EBUSY); /* an earlier call may still read v->match */
		return;
	}
	v->match = *match;
	rows_open(o);
	for (unsigned i = 0; i < v->run->nb_workers && rc == 0; i++)
		rc = show_sockets_of(v, v->run->workers[i], o);
	rows_close(o);
	if (rc != 0)
		fprintf(o->f, "and perhaps more: %s\n", strerror(-rc));
}

void ctl_view_show(struct ctl_view *v, const struct ctl_command *command, FILE *f)
{
	struct rows rows = {.f = f, .is_json = command->is_json}, *o = &rows;

	switch (command->verb) {
	case CTL_SHOW_ROUTES:
		show_list(v, list_routes, print_routes, o);
		break;
	case CTL_SHOW_ADDRS:
		show_list(v, list_addrs, print_addrs, o);
		break;
	case CTL_SHOW_NEIGHS:
		show_list(v, list_neighs, print_neighs, o);
		break;
	case CTL_SHOW_DENIED:
		show_list(v, list_denied, print_denied, o);
		break;
	case CTL_SHOW_USAGE:
		show_usage(v, o);
		break;
	case CTL_SHOW_COUNTERS:
		show_counters(v, command->all, o);
		break;
	case CTL_SHOW_METRICS:
		show_metrics(v, o);
		break;
	case CTL_SHOW_SOCKETS:
		show_sockets(v, &command->match, o);
		break;
	case CTL_SHOW_FIREWALL:
		firewall_show(v->run, o);
		break;
	case CTL_SHOW_TABLES:
		firewall_show_tables(v->run, o);
		break;
	case CTL_SHOW_TABLE:
		firewall_show_table(v->run, command->table, NULL, o);
		break;
	case CTL_TEST_TABLE:
		firewall_show_table(v->run, command->table, command->name, o);
		break;
	case CTL_SHOW_PORTS:
		ctl_show_ports(v->run, command->all, o);
		break;
	case CTL_SHOW_LCORES:
		ctl_show_lcores(v->run, o);
		break;
	case CTL_CHANGE:
	case CTL_CAPTURE:
	case CTL_LOAD_FIREWALL:
	case CTL_CHECK_FIREWALL:
	case CTL_FLUSH_FIREWALL:
	case CTL_CHANGE_TABLE:
		break; /* nothing to show */
	}
}

/* ---- life ------------------------------------------------------------------------------------ */

struct ctl_view *ctl_view_create(struct run *r, const bool *ends)
{
	struct ctl_view *v = calloc(1, sizeof(*v));

	if (v != NULL) {
		v->run = r;
		v->ends = ends;
	}
	return v;
}

void ctl_view_free(struct ctl_view *v)
{
	free(v);
}
