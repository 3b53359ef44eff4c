/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * firewall_bench: the cost of checking a packet against 10, 1,000 and 10,000 firewall rules, in TSC
 * cycles (the median and the 99th percentile of batches of 64 packets), and the cost of creating
 * the rules, in time and memory. Half the packets match a rule, each another one; the others get
 * the default. Then the same with 10 rules and a table of 100,000 addresses, from which half of the
 * packets come, and the cost of changing the table; and with 10 rules and a table to which a rule
 * has added half of the sources, on the only lcore or on one of eight. It needs no device, no
 * hugepages and no root.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "base/dice.h"
#include "fw/fw.h"

#define BATCHES 2001
#define BATCH   64
#define PACKETS 8192
#define TCP     6
#define UDP     17

static struct dice dice;
static struct ctx ctx;
static uint64_t results[BATCHES];

struct sample {
	struct pc_addr src, dst;
	struct fw_packet packet;
	struct fw_state name;
};

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* the address of a rule's network */
static struct pc_addr network(uint32_t rule, bool ip6)
{
	struct pc_addr a = {.b = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)(rule >> 16),
	                          (uint8_t)(rule >> 8), (uint8_t)rule}};

	return ip6 ? a : pc_addr_ip4(__builtin_bswap32((10u << 24) + (rule << 8)));
}

static uint16_t port_of(uint32_t rule)
{
	return (uint16_t)(1 + rule * 7919 % 60000);
}

#define TABLE  100000
#define LEARNT 16384

/** A set of rules to measure. */
struct rig {
	uint32_t rules;
	bool ip6;
	bool has_table;  /* of addresses */
	unsigned lcores; /* that check what a rule has added to a table; 0: none */
};

/* an address of the table, spread over all that are used */
static struct pc_addr address(uint32_t i, bool ip6)
{
	const uint32_t x = i * 2654435761u;
	struct pc_addr a = {.b = {(uint8_t)(0x20 + (x & 0xf)), 1, (uint8_t)(x >> 24),
	                          (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x}};

	return ip6 ? a : pc_addr_ip4(x);
}

static char *write_table(char *at, bool ip6)
{
	char addr[PC_ADDR_STRLEN];

	at += sprintf(at, "table bad {\n");
	for (uint32_t i = 0; i < TABLE; i++) {
		const struct pc_addr a = address(i, ip6);

		at += sprintf(at, "%s/%u\n", pc_addr_format(&a, addr), ip6 ? 64 : 32);
	}
	return at + sprintf(at, "}\ndrop in from <bad>\n");
}

static struct pc_firewall *make(const struct rig *g)
{
	const uint32_t n = g->rules;
	char *text = malloc(n * 128ul + 256 + (g->has_table ? TABLE * 50ul : 0)), *at = text,
	     why[256], addr[PC_ADDR_STRLEN];
	struct pc_firewall_args args = {.text = text,
	                                .name = "rules",
	                                .max_rules = n + 2,
	                                .max_addrs = TABLE + 1,
	                                .slots = g->lcores > 0 ? g->lcores : 1,
	                                .learnt = LEARNT,
	                                .states = 16384,
	                                .seed = {1, 2},
	                                .socket_id = -1};
	struct pc_firewall *fw;

	if (text == NULL)
		exit(2);
	if (g->has_table)
		at = write_table(at, g->ip6);
	if (g->lcores > 0)
		at += sprintf(at, "table bad\ndrop in from <bad>\n"
		                  "drop in proto tcp to port 65535 add <bad> timeout 1d\n");
	for (uint32_t i = 0; i < n; i++) {
		const struct pc_addr a = network(i, g->ip6);

		at += sprintf(at, "%s in proto %s from %s/%u to port %u-%u\n",
		              i % 3 == 0 ? "drop" : "pass", i % 2 == 0 ? "tcp" : "udp",
		              pc_addr_format(&a, addr), g->ip6 ? 64 : 24, port_of(i),
		              port_of(i) + i % 5);
	}
	at += sprintf(at, "default in drop\n");
	args.len = (size_t)(at - text);
	fw = pc_firewall_create(&args, why, sizeof(why));
	if (fw == NULL) {
		fprintf(stderr, "firewall_bench: %s\n", why);
		exit(2);
	}
	free(text);
	return fw;
}

static void make_samples(struct sample *s, const struct rig *g)
{
	for (uint32_t i = 0; i < PACKETS; i++, s++) {
		const uint32_t rule = dice_below(&dice, g->rules);

		s->src = network(rule, g->ip6);
		s->src.b[15] = (uint8_t)i;
		if (g->has_table || g->lcores > 0)
			s->src = address(dice_below(&dice, 2 * TABLE), g->ip6);
		s->dst = network(0, g->ip6);
		s->packet = (struct fw_packet){
		    .src = &s->src,
		    .dst = &s->dst,
		    .sport = (uint16_t)i,
		    .dport = (uint16_t)(port_of(rule) + (i % 2 == 0 ? 0 : 1000)),
		    .proto = rule % 2 == 0 ? TCP : UDP,
		    .state = FW_NEW,
		    .len = 100,
		};
	}
}

static uint64_t heap_used(void)
{
	struct rte_malloc_socket_stats stats;

	return rte_malloc_get_socket_stats(0, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

/* the cost of adding an address to the table */
static void bench_change(struct pc_firewall *set)
{
	const struct pc_firewall_change c = {.table = "bad",
	                                     .verb = PC_FIREWALL_ADD,
	                                     .text = "192.0.2.1",
	                                     .len = 9,
	                                     .name = "change"};
	const uint64_t begin = rte_rdtsc_precise();
	unsigned changed;
	char why[256];

	if (pc_firewall_change_table(set, &c, &changed, why, sizeof(why)) != 0) {
		fprintf(stderr, "firewall_bench: %s\n", why);
		exit(2);
	}
	printf("%-19s %42.1f ms\n", "  one address more",
	       (double)(rte_rdtsc_precise() - begin) * 1e3 / (double)rte_get_tsc_hz());
}

static void learn(struct pc_firewall *set, const struct sample *s)
{
	for (uint32_t i = 0; i < PACKETS; i += 2)
		(void)fw_learnt_put(&set->learnt, 0, 0, &s[i].src, UINT64_MAX >> 8, 0);
}

static void bench(const struct rig *g)
{
	static struct sample samples[PACKETS];
	const uint64_t before = heap_used(), begin = rte_rdtsc_precise();
	struct pc_firewall *set = make(g);
	char what[32];
	const uint64_t made = rte_rdtsc_precise() - begin;
	struct fw fw = {0};
	uint32_t at = 0;

	make_samples(samples, g);
	if (g->lcores > 0)
		learn(set, samples);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 2 * BATCHES; i++) {
		uint64_t start = rte_rdtsc_precise();

		for (unsigned k = 0; k < BATCH; k++, at = (at + 1) % PACKETS)
			(void)fw_judge(&fw, &ctx, FW_IN, &samples[at].packet);
		results[i % BATCHES] = rte_rdtsc_precise() - start;
	}
	qsort(results, BATCHES, sizeof(results[0]), compare);
	snprintf(what, sizeof(what), g->lcores > 0 ? "%6u lcores" : "%6u rules",
	         g->lcores > 0 ? g->lcores : g->rules);
	if (g->has_table)
		snprintf(what, sizeof(what), "%6u addrs", TABLE);
	printf("%s, IPv%d %10.1f %8.1f %12.1f %10.2f\n", what, g->ip6 ? 6 : 4,
	       (double)results[BATCHES / 2] / BATCH, (double)results[BATCHES * 99 / 100] / BATCH,
	       (double)made * 1e3 / (double)rte_get_tsc_hz(), (double)(heap_used() - before) / 1e6);
	if (g->has_table)
		bench_change(set);
	fflush(stdout);
	pc_firewall_free(set);
}

int main(int argc, char **argv)
{
	char *eal[] = {argv[0],
	               (char[]){"--no-huge"},
	               (char[]){"--no-pci"},
	               (char[]){"--no-shconf"},
	               (char[]){"--no-telemetry"},
	               (char[]){"-m"},
	               (char[]){"512"},
	               (char[]){"--log-level=1"}};

	(void)argc;
	if (rte_eal_init((int)(sizeof(eal) / sizeof(eal[0])), eal) < 0) {
		fprintf(stderr, "firewall_bench: EAL does not start\n");
		return 2;
	}
	dice_seed(&dice, 1);
	printf("%-19s %10s %8s %12s %10s   (cycles of a TSC of %.0f MHz, ms, MB)\n", "", "median",
	       "p99", "to make", "memory", (double)rte_get_tsc_hz() / 1e6);
	for (unsigned ip6 = 0; ip6 < 2; ip6++)
		for (uint32_t n = 10; n <= 10000; n *= n == 10 ? 100 : 10)
			bench(&(struct rig){.rules = n, .ip6 = ip6 != 0});
	for (unsigned ip6 = 0; ip6 < 2; ip6++)
		bench(&(struct rig){.rules = 10, .has_table = true, .ip6 = ip6 != 0});
	for (unsigned ip6 = 0; ip6 < 2; ip6++)
		for (unsigned lcores = 1; lcores <= 8; lcores *= 8)
			bench(&(struct rig){.rules = 10, .lcores = lcores, .ip6 = ip6 != 0});
	rte_eal_cleanup();
	return 0;
}
