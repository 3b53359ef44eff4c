/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ethdev.h>

#include "base/ctx.h"
#include "memory.h"
#include "steer.h"

#define MIB (1024.0 * 1024.0)

/* Appends to a line as much as there is room for. */
__attribute__((format(printf, 3, 4))) static void append(char *line, size_t size,
                                                         const char *format, ...)
{
	size_t n = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + n, size - n, format, args);
	va_end(args);
}

static void append_offloads(uint32_t offloads, char *line, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
	    {PC_PORT_TX_IP4_CKSUM, "tx-ip4"},     {PC_PORT_TX_TCP_CKSUM, "tx-tcp"},
	    {PC_PORT_TX_UDP_CKSUM, "tx-udp"},     {PC_PORT_TX_TSO, "tso"},
	    {PC_PORT_TX_MULTI_SEGS, "tx-chains"}, {PC_PORT_RX_IP4_CKSUM, "rx-ip4"},
	    {PC_PORT_RX_L4_CKSUM, "rx-tcp/udp"},  {PC_PORT_RX_RSS_HASH, "rss-hash"},
	    {PC_PORT_TX_VLAN, "tx-vlan"},         {PC_PORT_TX_QINQ, "tx-qinq"},
	    {PC_PORT_RX_VLAN, "rx-vlan"},
	};

	append(line, size, ", offloads:");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((offloads & names[i].bit) != 0)
			append(line, size, " %s", names[i].name);
	if (offloads == 0)
		append(line, size, " none (all in software)");
}

void report_port(const struct pc_port_info *info, bool by_flow, char *line, size_t size)
{
	const uint8_t *mac = info->mac;

	line[0] = '\0';
	append(line, size, "%s (%s), %u queue pair%s, ", info->name, info->driver,
	       info->rss.nb_queues, info->rss.nb_queues == 1 ? "" : "s");
	if (info->rss.nb_queues == 1)
		append(line, size, "no RSS");
	else if (by_flow)
		append(line, size, "flows spread in software");
	else
		append(line, size, "RSS over addresses%s", info->rss.ports ? " and ports" : "");
	append_offloads(info->offloads, line, size);
	append(line, size, ", MTU %u, MAC %02x:%02x:%02x:%02x:%02x:%02x, link %s", info->mtu,
	       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], info->link_up ? "up" : "down");
}

/* The kernel interface of a port, if it has one. */
static void report_interface(uint16_t id, char *line, size_t size)
{
	struct rte_eth_dev_info dev;
	char name[IF_NAMESIZE];

	if (rte_eth_dev_info_get(id, &dev) == 0 && dev.if_index != 0 &&
	    if_indextoname(dev.if_index, name) != NULL)
		append(line, size, ", interface %s", name);
}

static void report_addrs(const struct run *r, unsigned port, char *line, size_t size)
{
	char text[PC_PREFIX_STRLEN];
	unsigned n = 0;

	for (unsigned i = 0; i < r->s->nb_addrs; i++)
		if (r->s->addrs[i].port == port)
			append(line, size, "%s %s", n++ == 0 ? ", addresses:" : "",
			       r->s->addrs[i].prefix.len == 0
			           ? (r->s->addrs[i].dhcp ? "dhcp" : "slaac")
			           : pc_prefix_format(&r->s->addrs[i].prefix, text));
	if (n == 0)
		append(line, size, ", no address");
}

static void report_memory(const struct run *r)
{
	const struct pc_stack_config *c = pc_stack_get_config(r->workers[0]->st);
	struct pc_stack_footprint fp;
	double stack, mbufs;

	pc_stack_get_footprint(c, &fp);
	stack = (double)fp.total / MIB;
	mbufs = (double)memory_pool_bytes(r->s, c->stack_mbufs) / MIB;
	printf("memory: %u lcore%s with up to %" PRIu64 " connections of %" PRIu64
	       " bytes (idle) and %" PRIu64
	       " mbufs each: %.1f MB stack + %.1f MB mbufs, %.1f MB in all, in %s\n",
	       r->nb_workers, r->nb_workers == 1 ? "" : "s", c->stack_max_connections,
	       fp.per_idle_connection, c->stack_mbufs, stack, mbufs,
	       (stack + mbufs) * r->nb_workers, r->eal.no_huge ? "ordinary memory" : "hugepages");
}

static void append_limit(char *line, size_t size, const char *what, uint64_t n)
{
	if (n != 0)
		append(line, size, ", %s %" PRIu64, what, n);
	else
		append(line, size, ", %s unlimited", what);
}

void report_admission(const struct pc_stack_config *c, char *line, size_t size)
{
	const uint64_t kept = mbufs_kept((uint32_t)c->stack_mbufs);

	line[0] = '\0';
	append(line, size,
	       "each lcore refuses new connections at %" PRIu64
	       " mbufs left, and new data at %" PRIu64 "; one buffer holds at most %" PRIu64
	       "; half-open connections %" PRIu64 "%s, TIME-WAIT %" PRIu64,
	       2 * kept, kept, (c->stack_mbufs - 3 * kept) / MBUFS_SHARE, c->tcp_syn_cache,
	       c->tcp_syn_cookies != 0 ? ", then SYN cookies" : "", c->tcp_time_wait);
	append_limit(line, size, "connections per source", c->tcp_source_connections);
	append_limit(line, size, "half-open per source", c->tcp_source_half_open);
}

void report_start(const struct run *r)
{
	char line[1024];

	if (r->eal.notice[0] != '\0')
		printf("note: %s\n", r->eal.notice);
	for (unsigned p = 0; p < r->nb_ports; p++) {
		const struct pc_port_info *info = &r->workers[0]->ports[p]->info;

		report_port(info, steer_by_flow(r->s->run.port_steer, info->driver), line,
		            sizeof(line));
		report_interface(r->port_ids[p], line, sizeof(line));
		report_addrs(r, p, line, sizeof(line));
		printf("port %u: %s\n", p, line);
	}
	if (r->app->frames == NULL) {
		report_memory(r);
		report_admission(pc_stack_get_config(r->workers[0]->st), line, sizeof(line));
		printf("admission: %s\n", line);
		exception_report(r);
	}
	printf("%s: ready\n", r->app->name);
	fflush(stdout);
}

/* Reads counters of other lcores while those write them; each read gives a whole value. */
static uint64_t sum_counter(const struct run *r, enum pc_counter c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < r->nb_workers; i++)
		sum += pc_stack_counters(r->workers[i]->st)->value[c];
	return sum;
}

static void tell_port_counters(const struct run *r, pc_run_count *count, void *arg)
{
	static const struct {
		size_t offset; /* in struct pc_port_info */
		const char *name, *sentence;
	} lines[] = {
#define REPORT_LINE(name, sentence) {offsetof(struct pc_port_info, name), #name, sentence},
	    REPORT_PORT_COUNTERS(REPORT_LINE)
#undef REPORT_LINE
	};

	for (size_t l = 0; l < RTE_DIM(lines); l++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < r->nb_workers; i++)
			for (unsigned p = 0; p < r->nb_ports + r->nb_vlans; p++)
				sum += *(const uint64_t *)RTE_PTR_ADD(
				    &r->workers[i]->ports[p]->info, lines[l].offset);
		count(arg, lines[l].name, lines[l].sentence, sum);
	}
}

void report_tell_counters(const struct run *r, pc_run_count *count, void *arg)
{
	tell_port_counters(r, count, arg);
	if (r->app->counters != NULL)
		r->app->counters(r->s->app_arg, count, arg);
}

/* Prints a counter, unless it is 0. */
static void print_counter(void *f, const char *name, const char *sentence, uint64_t value)
{
	if (value != 0)
		fprintf(f, "%16" PRIu64 " %-24s %s\n", value, name, sentence);
}

void report_stats(const struct run *r, FILE *f)
{
	fprintf(f, "counters of %s:\n", r->app->name);
	for (int c = 0; c < PC_COUNTER_MAX; c++)
		print_counter(f, pc_counter_name((enum pc_counter)c),
		              pc_counter_sentence((enum pc_counter)c),
		              sum_counter(r, (enum pc_counter)c));
	report_tell_counters(r, print_counter, f);
	fflush(f);
}
