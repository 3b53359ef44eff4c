/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics in Prometheus' text format (version 0.0.4), which the control socket shows.
 *
 * Overview: they are made of the lists that the other commands show. All values of a metric follow
 * its head. What only grows has a name that ends in "_total", and is a counter; the rest are
 * gauges.
 */
#include "ctl.h"

#include <ctype.h>
#include <inttypes.h>

#include <rte_ethdev.h>

#include "worker.h"

/* ---- text ------------------------------------------------------------------------------------ */

/* Writes text with what the format escapes; quotation marks only in labels. */
static void put_escaped(FILE *f, const char *text, bool is_label)
{
	for (; *text != '\0'; text++)
		if (*text == '\n')
			fputs("\\n", f);
		else
			fprintf(f, "%s%c", *text == '\\' || (is_label && *text == '"') ? "\\" : "",
			        *text);
}

/* Writes "percore_" and a name, in the letters that a metric's name may have. */
static void put_name(FILE *f, const char *name, const char *suffix)
{
	fputs("percore_", f);
	for (; *name != '\0'; name++)
		fputc(isalnum((unsigned char)*name) ? *name : '_', f);
	fputs(suffix, f);
}

void ctl_print_metric_head(FILE *f, const char *name, const char *suffix, const char *type,
                           const char *sentence)
{
	fputs("# HELP ", f);
	put_name(f, name, suffix);
	fputc(' ', f);
	put_escaped(f, sentence, false);
	fputs("\n# TYPE ", f);
	put_name(f, name, suffix);
	fprintf(f, " %s\n", type);
}

void ctl_print_label(FILE *f, const char *name, const char *value)
{
	fprintf(f, "%s=\"", name);
	put_escaped(f, value, true);
	fputc('"', f);
}

void ctl_print_total(void *f, const char *name, const char *sentence, uint64_t value)
{
	ctl_print_metric_head(f, name, "_total", "counter", sentence);
	put_name(f, name, "_total");
	fprintf(f, " %" PRIu64 "\n", value);
}

/* ---- lcores ---------------------------------------------------------------------------------- */

static void print_counter_of(FILE *f, enum pc_counter c, const struct ctl_lcore_metrics *list,
                             unsigned n)
{
	const char *name = pc_counter_name(c);

	ctl_print_metric_head(f, name, "_total", "counter", pc_counter_sentence(c));
	for (unsigned i = 0; i < n; i++) {
		put_name(f, name, "_total");
		fprintf(f, "{lcore=\"%u\"} %" PRIu64 "\n", list[i].lcore,
		        __atomic_load_n(&list[i].counters->value[c], __ATOMIC_RELAXED));
	}
}

struct use_of {
	FILE *f;
	unsigned lcore;
	bool is_limit;
};

static void print_metric_use(void *arg, const char *name, uint32_t used, uint32_t limit)
{
	const struct use_of *u = arg;

	fprintf(u->f, "percore_%s{lcore=\"%u\",", u->is_limit ? "limit" : "used", u->lcore);
	ctl_print_label(u->f, "what", name);
	fprintf(u->f, "} %" PRIu32 "\n", u->is_limit ? limit : used);
}

void ctl_print_metrics(FILE *f, const struct ctl_lcore_metrics *list, unsigned n)
{
	for (int c = PC_DROP_NONE + 1; c < PC_COUNTER_MAX; c++)
		print_counter_of(f, (enum pc_counter)c, list, n);
	ctl_print_metric_head(f, "lcore_busy_seconds", "_total", "counter",
	                      "time spent in turns of the loop that had work");
	for (unsigned i = 0; i < n; i++)
		fprintf(
		    f, "percore_lcore_busy_seconds_total{lcore=\"%u\"} %" PRIu64 ".%09" PRIu64 "\n",
		    list[i].lcore, list[i].busy_ns / 1000000000, list[i].busy_ns % 1000000000);
	for (int limits = 0; limits < 2; limits++) {
		ctl_print_metric_head(f, limits ? "limit" : "used", "", "gauge",
		                      limits ? "places of a table" : "places of a table in use");
		for (unsigned i = 0; i < n; i++)
			ctl_tell_usage(&list[i].usage, print_metric_use,
			               &(struct use_of){f, list[i].lcore, limits != 0});
	}
}

/* ---- ports ----------------------------------------------------------------------------------- */

static void print_port_labels(FILE *f, const struct run *r, unsigned p)
{
	fprintf(f, "{port=\"%u\",", p);
	ctl_print_label(f, "name", r->workers[0]->ports[p]->info.name);
	fputs("} ", f);
}

/* A driver that does not count has no values. */
static void print_eth_count(FILE *f, const struct run *r, const struct ctl_eth_count *c)
{
	struct rte_eth_stats stats;
	bool is_first = true;

	for (unsigned p = 0; p < r->nb_ports; p++) {
		if (rte_eth_stats_get(r->port_ids[p], &stats) != 0)
			continue;
		if (is_first) {
			fprintf(f, "# HELP percore_port_%s_total %s\n", c->key, c->sentence);
			fprintf(f, "# TYPE percore_port_%s_total counter\n", c->key);
		}
		is_first = false;
		fprintf(f, "percore_port_%s_total", c->key);
		print_port_labels(f, r, p);
		fprintf(f, "%" PRIu64 "\n", *(const uint64_t *)RTE_PTR_ADD(&stats, c->offset));
	}
}

void ctl_print_port_metrics(FILE *f, const struct run *r)
{
	for (unsigned i = 0; i < CTL_ETH_COUNTS; i++)
		print_eth_count(f, r, &ctl_eth_counts[i]);
	ctl_print_metric_head(f, "port_up", "", "gauge", "1: the link is up");
	for (unsigned p = 0; p < r->nb_ports; p++) {
		fputs("percore_port_up", f);
		print_port_labels(f, r, p);
		fprintf(f, "%d\n", __atomic_load_n(&r->link_up[p], __ATOMIC_RELAXED));
	}
}
