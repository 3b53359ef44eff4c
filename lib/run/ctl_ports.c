/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control socket shows of ports and lcores.
 *
 * The thread of the control socket reads all of it in place: what a device reports, and numbers
 * that lcores write meanwhile.
 */
#include "ctl.h"

#include <inttypes.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "worker.h"

/* ---- ports ----------------------------------------------------------------------------------- */

static void show_counts(FILE *f, const struct rte_eth_stats *s)
{
	fprintf(f,
	        "  rx frames %" PRIu64 " bytes %" PRIu64 " missed %" PRIu64 " errors %" PRIu64
	        " no-mbuf %" PRIu64 "\n  tx frames %" PRIu64 " bytes %" PRIu64 " errors %" PRIu64
	        "\n",
	        s->ipackets, s->ibytes, s->imissed, s->ierrors, s->rx_nombuf, s->opackets,
	        s->obytes, s->oerrors);
}

/* Each worker has the queue of its own number. DPDK counts only the first sixteen queues, and not
 * with every driver. */
static void show_queues(const struct run *r, FILE *f, const struct rte_eth_stats *s)
{
	for (unsigned q = 0; q < r->nb_workers; q++) {
		fprintf(f, "  queue %u lcore %u", q, r->workers[q]->lcore);
		if (q < RTE_ETHDEV_QUEUE_STAT_CNTRS)
			fprintf(f, " rx frames %" PRIu64 " tx frames %" PRIu64, s->q_ipackets[q],
			        s->q_opackets[q]);
		fputc('\n', f);
	}
}

/* All that a driver counts, each by a name of its own, except what is 0. */
static void show_device(uint16_t id, FILE *f)
{
	const int n = rte_eth_xstats_get(id, NULL, 0);
	struct rte_eth_xstat_name *names = NULL;
	struct rte_eth_xstat *values = NULL;

	if (n > 0) {
		names = calloc((size_t)n, sizeof(*names));
		values = calloc((size_t)n, sizeof(*values));
	}
	if (names != NULL && values != NULL &&
	    rte_eth_xstats_get_names(id, names, (unsigned)n) == n &&
	    rte_eth_xstats_get(id, values, (unsigned)n) == n)
		for (int i = 0; i < n; i++)
			if (values[i].value != 0 && values[i].id < (uint64_t)n)
				fprintf(f, "  %s %" PRIu64 "\n", names[values[i].id].name,
				        values[i].value);
	free(names);
	free(values);
}

static void show_port(const struct run *r, unsigned p, bool all, FILE *f)
{
	const struct pc_port_info *info = &r->workers[0]->ports[p]->info;
	const uint8_t *mac = info->mac;
	struct rte_eth_stats stats;

	fprintf(f,
	        "port %u %s driver %s link %s mac %02x:%02x:%02x:%02x:%02x:%02x mtu %u queues %u",
	        p, info->name, info->driver,
	        __atomic_load_n(&r->link_up[p], __ATOMIC_RELAXED) ? "up" : "down", mac[0], mac[1],
	        mac[2], mac[3], mac[4], mac[5], info->mtu, info->rss.nb_queues);
	if (info->socket_id >= 0)
		fprintf(f, " node %d", info->socket_id);
	fputc('\n', f);
	if (rte_eth_stats_get(r->port_ids[p], &stats) != 0)
		return;
	show_counts(f, &stats);
	show_queues(r, f, &stats);
	if (all)
		show_device(r->port_ids[p], f);
}

void ctl_show_ports(const struct run *r, bool all, FILE *f)
{
	fputs("ok\n", f);
	for (unsigned p = 0; p < r->nb_ports; p++)
		show_port(r, p, all, f);
}

/* ---- lcores ---------------------------------------------------------------------------------- */

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_RELAXED);
}

/* The CPUs that an lcore may run on, in the syntax of taskset -c. */
static void show_cpus(unsigned lcore, FILE *f)
{
	const rte_cpuset_t set = rte_lcore_cpuset(lcore);
	const char *before = " cpu ";

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
}

static void show_lcore(const struct run *r, const struct worker *w, FILE *f)
{
	const struct pc_counters *c = pc_stack_counters(w->st);
	const struct lcore_use *u = &w->use;

	fprintf(f, "lcore %u", w->lcore);
	show_cpus(w->lcore, f);
	fprintf(f, " node %u thread %d time-ns %" PRIu64 " turns %" PRIu64,
	        rte_lcore_to_socket_id(w->lcore), w->thread, clock_now(&r->clock), load(&u->turns));
	fprintf(f, " busy-turns %" PRIu64 " busy-ns %" PRIu64, load(&u->busy_turns),
	        load(&u->busy_ns));
	fprintf(f, " rx-frames %" PRIu64 " tx-frames %" PRIu64, load(&c->value[PC_RX_FRAMES]),
	        load(&c->value[PC_TX_FRAMES]));
	fprintf(f, " timed-frames %" PRIu64 " stack-ns %" PRIu64 " program-ns %" PRIu64,
	        load(&u->timed_frames), load(&u->stack_ns), load(&u->program_ns));
	fprintf(f, " tsc-khz %" PRIu64 "\n", rte_get_tsc_hz() / 1000);
}

void ctl_show_lcores(const struct run *r, FILE *f)
{
	fputs("ok\n", f);
	for (unsigned i = 0; i < r->nb_workers; i++)
		show_lcore(r, r->workers[i], f);
}
