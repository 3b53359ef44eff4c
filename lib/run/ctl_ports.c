/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control socket shows of ports and lcores.
 *
 * The thread of the control socket reads all of it in place: what a device reports, and numbers
 * that lcores write meanwhile.
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "worker.h"

/* ---- ports ----------------------------------------------------------------------------------- */

#define ETH_COUNT(member) offsetof(struct rte_eth_stats, member)

const struct ctl_eth_count ctl_eth_counts[CTL_ETH_COUNTS] = {
    {"rx_frames", "\n  rx frames ", "frames received", ETH_COUNT(ipackets)},
    {"rx_bytes", " bytes ", "bytes received", ETH_COUNT(ibytes)},
    {"rx_missed", " missed ", "frames lost because a queue was full", ETH_COUNT(imissed)},
    {"rx_errors", " errors ", "frames received with errors", ETH_COUNT(ierrors)},
    {"rx_no_mbuf", " no-mbuf ", "times that no mbuf was left to receive", ETH_COUNT(rx_nombuf)},
    {"tx_frames", "\n  tx frames ", "frames sent", ETH_COUNT(opackets)},
    {"tx_bytes", " bytes ", "bytes sent", ETH_COUNT(obytes)},
    {"tx_errors", " errors ", "frames that could not be sent", ETH_COUNT(oerrors)},
};

/* s: NULL, the driver does not count */
static void show_counts(struct rows *o, const struct rte_eth_stats *s)
{
	for (unsigned i = 0; i < CTL_ETH_COUNTS; i++) {
		const struct ctl_eth_count *c = &ctl_eth_counts[i];

		row_optional(o, c->key, c->before, s != NULL,
		             s != NULL ? *(const uint64_t *)RTE_PTR_ADD(s, c->offset) : 0);
	}
}

struct queue_counts {
	bool are_known;
	uint64_t rx, tx;
};

#if RTE_VERSION < RTE_VERSION_NUM(25, 11, 0, 0)

/* DPDK counts only the first sixteen queues, and not with every driver. */
static struct queue_counts count_queue(uint16_t id, unsigned q)
{
	struct rte_eth_stats s;

	if (q >= RTE_ETHDEV_QUEUE_STAT_CNTRS || rte_eth_stats_get(id, &s) != 0)
		return (struct queue_counts){0};
	return (struct queue_counts){true, s.q_ipackets[q], s.q_opackets[q]};
}

#else

static bool read_by_name(uint16_t id, const char *direction, unsigned q, uint64_t *value)
{
	char name[RTE_ETH_XSTATS_NAME_SIZE];
	uint64_t number;

	snprintf(name, sizeof(name), "%s_q%u_packets", direction, q);
	return rte_eth_xstats_get_id_by_name(id, name, &number) == 0 &&
	       rte_eth_xstats_get_by_id(id, &number, value, 1) == 1;
}

/* Not every driver counts by queue. */
static struct queue_counts count_queue(uint16_t id, unsigned q)
{
	struct queue_counts c = {0};

	c.are_known = read_by_name(id, "rx", q, &c.rx) && read_by_name(id, "tx", q, &c.tx);
	return c;
}

#endif

/* Each worker has the queue of its own number. */
static void show_queues(const struct run *r, struct rows *o, uint16_t id)
{
	row_list_begin(o, "per_queue");
	for (unsigned q = 0; q < r->nb_workers; q++) {
		const struct queue_counts c = count_queue(id, q);

		row_begin(o);
		row_number(o, "queue", "\n  queue ", q);
		row_number(o, "lcore", " lcore ", r->workers[q]->lcore);
		row_optional(o, "rx_frames", " rx frames ", c.are_known, c.rx);
		row_optional(o, "tx_frames", " tx frames ", c.are_known, c.tx);
		row_end(o);
	}
	row_list_end(o);
}

/* All that a driver counts, each by a name of its own, except what is 0. */
static void show_device(uint16_t id, struct rows *o)
{
	const int n = rte_eth_xstats_get(id, NULL, 0);
	struct rte_eth_xstat_name *names = NULL;
	struct rte_eth_xstat *values = NULL;

	if (n > 0) {
		names = calloc((size_t)n, sizeof(*names));
		values = calloc((size_t)n, sizeof(*values));
	}
	row_list_begin(o, "driver_counters");
	if (names != NULL && values != NULL &&
	    rte_eth_xstats_get_names(id, names, (unsigned)n) == n &&
	    rte_eth_xstats_get(id, values, (unsigned)n) == n)
		for (int i = 0; i < n; i++)
			if (values[i].value != 0 && values[i].id < (uint64_t)n) {
				row_begin(o);
				row_text(o, "name", "\n  ", names[values[i].id].name);
				row_number(o, "value", " ", values[i].value);
				row_end(o);
			}
	row_list_end(o);
	free(names);
	free(values);
}

static void show_port(const struct run *r, unsigned p, bool all, struct rows *o)
{
	const struct pc_port_info *info = &r->workers[0]->ports[p]->info;
	const bool is_up = __atomic_load_n(&r->link_up[p], __ATOMIC_RELAXED);
	struct rte_eth_stats stats;
	const struct rte_eth_stats *s =
	    rte_eth_stats_get(r->port_ids[p], &stats) == 0 ? &stats : NULL;
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", info->mac[0], info->mac[1],
	         info->mac[2], info->mac[3], info->mac[4], info->mac[5]);
	row_begin(o);
	row_number(o, "port", "port ", p);
	row_text(o, "name", " ", info->name);
	row_text(o, "driver", " driver ", info->driver);
	row_text(o, "link", " link ", is_up ? "up" : "down");
	row_text(o, "mac", " mac ", mac);
	row_number(o, "mtu", " mtu ", info->mtu);
	row_number(o, "queues", " queues ", info->rss.nb_queues);
	row_optional(o, "node", " node ", info->socket_id >= 0, (unsigned)info->socket_id);
	show_counts(o, s);
	show_queues(r, o, r->port_ids[p]);
	if (all)
		show_device(r->port_ids[p], o);
	row_end(o);
}

void ctl_show_ports(const struct run *r, bool all, struct rows *o)
{
	rows_open(o);
	for (unsigned p = 0; p < r->nb_ports; p++)
		show_port(r, p, all, o);
	rows_close(o);
}

/* ---- lcores ---------------------------------------------------------------------------------- */

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_RELAXED);
}

/* Writes the CPUs that an lcore may run on, in the syntax of taskset -c. Returns text, or NULL if there
 * is none. */
static const char *format_cpus(unsigned lcore, char *text, size_t size)
{
	const rte_cpuset_t set = rte_lcore_cpuset(lcore);
	FILE *f = fmemopen(text, size, "w");
	const char *before = "";

	if (f == NULL)
		return NULL;
	for (unsigned from = 0; from < CPU_SETSIZE; from++) {
		unsigned to = from;

		if (!CPU_ISSET(from, &set))
			continue;
		while (to + 1 < CPU_SETSIZE && CPU_ISSET(to + 1, &set))
			to++;
		fprintf(f, "%s%u", before, from);
		if (to > from)
			fprintf(f, "-%u", to);
		before = ",";
		from = to;
	}
	(void)fclose(f);
	return before[0] != '\0' ? text : NULL;
}

static void show_lcore(const struct run *r, const struct worker *w, struct rows *o)
{
	const struct pc_counters *c = pc_stack_counters(w->st);
	const struct lcore_use *u = &w->use;
	char cpus[5 * CPU_SETSIZE];

	row_begin(o);
	row_number(o, "lcore", "lcore ", w->lcore);
	row_text(o, "cpu", " cpu ", format_cpus(w->lcore, cpus, sizeof(cpus)));
	row_number(o, "node", " node ", rte_lcore_to_socket_id(w->lcore));
	row_number(o, "thread", " thread ", (unsigned)w->thread);
	row_number(o, "time_ns", " time-ns ", clock_now(&r->clock));
	row_number(o, "turns", " turns ", load(&u->turns));
	row_number(o, "busy_turns", " busy-turns ", load(&u->busy_turns));
	row_number(o, "busy_ns", " busy-ns ", load(&u->busy_ns));
	row_number(o, "rx_frames", " rx-frames ", load(&c->value[PC_RX_FRAMES]));
	row_number(o, "tx_frames", " tx-frames ", load(&c->value[PC_TX_FRAMES]));
	row_number(o, "timed_frames", " timed-frames ", load(&u->timed_frames));
	row_number(o, "stack_ns", " stack-ns ", load(&u->stack_ns));
	row_number(o, "program_ns", " program-ns ", load(&u->program_ns));
	row_number(o, "tsc_khz", " tsc-khz ", rte_get_tsc_hz() / 1000);
	row_end(o);
}

void ctl_show_lcores(const struct run *r, struct rows *o)
{
	rows_open(o);
	for (unsigned i = 0; i < r->nb_workers; i++)
		show_lcore(r, r->workers[i], o);
	rows_close(o);
}
