/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_bench: the cost of the stack's inner parts, in TSC cycles: the median and the 99th
 * percentile of many batches. It needs no device, no hugepages and no root, and prints one line for
 * each, or JSON with --json. With --flows N it prints only lookups among 1,000 and among N flows,
 * and their ratio; --huge uses hugepages for them, as a stack does.
 *
 * A batch is timed as a whole and the time divided, since reading the TSC costs as much as what is
 * measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <percore/percore.h>

#include "base/rng.h"
#include "coro/stacks.h"
#include "coro/switch.h"
#include "event/event.h"
#include "tcp/tcp_table.h"
#include "timer/wheel.h"
#include "wire/cksum.h"

#define MAX_FLOWS 16000000 /* as many as fit into the memory below */
#define BATCHES   2001
#define BATCH     64

static bool json, huge;
static uint64_t results[BATCHES];

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Times BATCHES calls of op, each of which makes n operations. Returns the median for one
 * operation. */
static double measure(const char *name, unsigned n, void (*op)(void *arg, unsigned batch),
                      void *arg)
{
	uint64_t begin;

	for (unsigned i = 0; i < BATCHES / 10; i++)
		op(arg, i);
	for (unsigned i = 0; i < BATCHES; i++) {
		begin = rte_rdtsc_precise();
		op(arg, i);
		results[i] = rte_rdtsc_precise() - begin;
	}
	qsort(results, BATCHES, sizeof(results[0]), compare);
	printf(json ? "{\"name\":\"%s\",\"median\":%.1f,\"p99\":%.1f}\n" : "%-44s %8.1f %8.1f\n",
	       name, (double)results[BATCHES / 2] / n, (double)results[BATCHES * 99 / 100] / n);
	fflush(stdout);
	return (double)results[BATCHES / 2] / n;
}

static void *take(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (p == NULL) {
		fprintf(stderr, "micro_bench: no memory\n");
		exit(2);
	}
	return p;
}

/* Memory as a stack would get it from DPDK. */
static void *take_pages(size_t bytes)
{
	void *p;

	if (!huge)
		return take(bytes);
	p = rte_zmalloc(NULL, bytes, RTE_CACHE_LINE_SIZE);
	if (p == NULL) {
		fprintf(stderr,
		        "micro_bench: no hugepages for %zu MB; scripts/hugepages reserves some\n",
		        bytes >> 20);
		exit(2);
	}
	return p;
}

static void give_pages(void *p)
{
	if (huge)
		rte_free(p);
	else
		free(p);
}

/* ---- flow table ------------------------------------------------------------------------------ */

struct flows {
	struct tcp_table table;
	struct {
		struct tcp_flow flow;
		uint8_t rest[168]; /* TCBs are this far apart */
	} * tcbs;
	uint32_t n, *order, next; /* next: the flow that was looked up longest ago */
	uint64_t found;
};

static struct tcp_flow flow_of(uint32_t i)
{
	return (struct tcp_flow){.raddr = pc_addr_ip4(0x0a000000 + i / 32768),
	                         .lport = 80,
	                         .rport = (uint16_t)(16384 + i % 32768)};
}

static void look_up(void *arg, unsigned batch)
{
	struct flows *f = arg;

	(void)batch;
	for (uint32_t k = 0; k < BATCH; k++) {
		struct tcp_flow flow = flow_of(f->order[f->next++ % f->n]);

		f->found += tcp_table_find(&f->table, tcp_table_hash(&f->table, &flow), &flow);
	}
}

/* As in rx.c: prefetch the buckets, then the flows, then compare. */
static void look_up_staged(void *arg, unsigned batch)
{
	struct flows *f = arg;
	struct tcp_flow flow[BATCH];
	uint64_t hash[BATCH];
	flow_ref ref;

	(void)batch;
	for (uint32_t k = 0; k < BATCH; k++) {
		flow[k] = flow_of(f->order[f->next++ % f->n]);
		hash[k] = tcp_table_hash(&f->table, &flow[k]);
		rte_prefetch0(tcp_table_home(&f->table, hash[k]));
	}
	for (uint32_t k = 0; k < BATCH; k++) {
		ref = tcp_table_candidate(&f->table, hash[k]);
		if (ref != 0)
			rte_prefetch0(tcp_table_flow(&f->table, ref));
	}
	for (uint32_t k = 0; k < BATCH; k++)
		f->found += tcp_table_find(&f->table, hash[k], &flow[k]);
}

/* Measures lookups among n flows: cycles[0] one by one, cycles[1] in stages. */
static void bench_flows(uint32_t n, double cycles[2])
{
	const struct hash_key key = {{UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)}};
	struct flows f = {.n = n};
	struct tcp_flow flow;
	char name[64];

	if (tcp_table_init(&f.table, n, key, -1) != 0) {
		fprintf(stderr, "micro_bench: no memory for a flow table of %u\n", n);
		exit(2);
	}
	f.tcbs = take_pages((size_t)(n + 1) * sizeof(*f.tcbs));
	f.order = take(n * sizeof(*f.order));
	tcp_table_kind(&f.table, FLOW_TCB, f.tcbs, sizeof(*f.tcbs));
	for (uint32_t i = 0; i < n; i++) {
		flow = f.tcbs[i + 1].flow = flow_of(i);
		tcp_table_add(&f.table, tcp_table_hash(&f.table, &flow),
		              flow_ref_make(FLOW_TCB, i + 1));
		f.order[i] = (uint32_t)((uint64_t)i * 2654435761u % n);
	}
	snprintf(name, sizeof(name), "flow lookup, %u flows", n);
	cycles[0] = measure(name, BATCH, look_up, &f);
	snprintf(name, sizeof(name), "flow lookup in stages, %u flows", n);
	cycles[1] = measure(name, BATCH, look_up_staged, &f);
	if (!json)
		printf("%-44s %8.2f %%\n", "  flows in a second bucket or beyond, at most",
		       100.0 * TCP_BUCKET * f.table.nb_more / n);
	tcp_table_fini(&f.table);
	give_pages(f.tcbs);
	free(f.order);
}

static void compare_flows(uint32_t n)
{
	double few[2], many[2];

	bench_flows(1000, few);
	bench_flows(n, many);
	printf("%-44s %8.1f\n%-44s %8.1f\n", "ratio", many[0] / few[0],
	       "ratio in stages, as a stack looks up", many[1] / few[1]);
}

/* ---- timer wheel ----------------------------------------------------------------------------- */

#define FAR_TICKS 457764 /* 30 s */

struct timers {
	struct wheel wheel;
	uint32_t n, now, popped;
	struct {
		struct timer timer;
		uint8_t rest[180];
	} * elements;
};

static void rearm(void *arg, unsigned batch)
{
	struct timers *t = arg;

	for (uint32_t k = 0; k < BATCH; k++)
		wheel_arm(&t->wheel, (batch * BATCH + k) * 7919 % t->n, t->now + 3000 + k);
}

/* One tick, as every 65 us in a busy loop. */
static void turn(void *arg, unsigned batch)
{
	struct timers *t = arg;
	uint32_t i;

	(void)batch;
	t->now++;
	while ((i = wheel_pop(&t->wheel, t->now)) != WHEEL_NONE) {
		wheel_arm(&t->wheel, i, t->now + 4000 + i % 100);
		t->popped++;
	}
}

/* The same with time-outs of half a minute, like those of keep-alive. */
static void turn_far(void *arg, unsigned batch)
{
	struct timers *t = arg;
	uint32_t i;

	(void)batch;
	t->now++;
	while ((i = wheel_pop(&t->wheel, t->now)) != WHEEL_NONE) {
		wheel_arm(&t->wheel, i, t->now + FAR_TICKS);
		t->popped++;
	}
}

static void bench_far_timers(uint32_t n)
{
	struct timers *t = take(sizeof(*t));
	char name[64];

	t->n = n;
	t->elements = take(n * sizeof(*t->elements));
	wheel_init(&t->wheel, &t->elements[0].timer, sizeof(t->elements[0]), 0);
	for (uint32_t i = 0; i < n; i++)
		wheel_arm(&t->wheel, (uint32_t)(i * UINT64_C(7919) % n),
		          1 + (uint32_t)((uint64_t)i * FAR_TICKS / n));
	snprintf(name, sizeof(name), "turn of the timer wheel, %u keep-alives", n);
	measure(name, 1, turn_far, t);
	free(t->elements);
	free(t);
}

#define LINE_TICKS 4000

/* As many time-outs per tick as above, of the kind that may fire early. */
static void bench_line(uint32_t n)
{
	struct timers *t = take(sizeof(*t));
	const uint32_t places = rte_align32pow2(n);
	struct wheel_place *line = take(places * sizeof(*line));
	char name[64];

	t->n = n;
	t->elements = take(n * sizeof(*t->elements));
	wheel_init(&t->wheel, &t->elements[0].timer, sizeof(t->elements[0]), 0);
	wheel_set_line(&t->wheel, line, places, LINE_TICKS);
	for (uint32_t i = 0; i < n; i++) {
		t->now = (uint32_t)((uint64_t)i * LINE_TICKS / n);
		wheel_pop(&t->wheel, t->now);
		wheel_arm(&t->wheel, (uint32_t)(i * UINT64_C(7919) % n), t->now + LINE_TICKS);
	}
	snprintf(name, sizeof(name), "turn of the timer wheel, %u timers in its line", n);
	measure(name, 1, turn, t);
	free(t->elements);
	free(line);
	free(t);
}

static void bench_timers(uint32_t n)
{
	struct timers *t = take(sizeof(*t));
	char name[64];

	t->n = n;
	t->elements = take(n * sizeof(*t->elements));
	wheel_init(&t->wheel, &t->elements[0].timer, sizeof(t->elements[0]), 0);
	for (uint32_t i = 0; i < n; i++)
		wheel_arm(&t->wheel, i, 1 + i % 4000);
	snprintf(name, sizeof(name), "timer re-armed, %u timers", n);
	measure(name, BATCH, rearm, t);
	snprintf(name, sizeof(name), "turn of the timer wheel, %u timers", n);
	measure(name, 1, turn, t);
	free(t->elements);
	free(t);
}

/* ---- checksum -------------------------------------------------------------------------------- */

struct bytes {
	uint32_t len;
	uint64_t sum;
	uint8_t data[65536];
};

static void add_up(void *arg, unsigned batch)
{
	struct bytes *b = arg;

	(void)batch;
	for (uint32_t k = 0; k < BATCH; k++)
		b->sum += cksum_fold_be(cksum_add(0, b->data + k * 2 % 64, b->len));
}

static void bench_checksum(uint32_t len)
{
	struct bytes *b = take(sizeof(*b));
	char name[64];

	b->len = len;
	snprintf(name, sizeof(name), "checksum of %u bytes", len);
	measure(name, BATCH, add_up, b);
	free(b);
}

/* ---- ready list ------------------------------------------------------------------------------ */

struct ready {
	struct events events;
	struct pollable sockets[BATCH];
	uint32_t sum;
};

static void tell_and_wait(void *arg, unsigned batch)
{
	struct ready *r = arg;
	uint32_t fd;

	(void)batch;
	for (uint32_t k = 0; k < BATCH; k++)
		event_notify(&r->events, &r->sockets[k], k, EPOLLIN);
	while (event_pop(&r->events, 0, &fd)) {
		r->sockets[fd].flags &= (uint16_t)~POLLABLE_QUEUED;
		r->sum += fd;
	}
}

static void bench_ready(void)
{
	struct ready *r = take(sizeof(*r));

	if (events_init(&r->events, 1, 1024, -1) != 0)
		exit(2);
	r->events.set[0].used = true;
	for (uint32_t k = 0; k < BATCH; k++)
		r->sockets[k] = (struct pollable){.interest = EPOLLIN, .set = 1};
	measure("event posted and waited for", BATCH, tell_and_wait, r);
	events_fini(&r->events);
	free(r);
}

/* ---- coroutines ------------------------------------------------------------------------------ */

#define FIBERS 10000

struct fibers {
	struct coro_stacks stacks;
	struct fiber host, fiber[FIBERS];
	uint32_t n;
};

static struct fibers *fibers; /* only one set exists at a time */

static void come_and_go(void *arg)
{
	struct fiber *self = arg;

	fiber_begin(self, &fibers->host);
	for (;;)
		fiber_leave(self, &fibers->host);
}

static void there_and_back(void *arg, unsigned batch)
{
	struct fibers *f = arg;

	for (unsigned i = 0; i < BATCH; i++)
		fiber_enter(&f->host, &f->fiber[(batch * BATCH + i) % f->n]);
}

static void bench_fibers(uint32_t n)
{
	struct fibers *f = take(sizeof(*f));
	char name[64];

	f->n = n;
	fibers = f;
	if (coro_stacks_init(&f->stacks, n, 16384) != 0) {
		fprintf(stderr, "micro_bench: no memory\n");
		exit(2);
	}
	for (uint32_t i = 0; i < n; i++) {
		size_t bytes;
		void *stack = coro_stacks_get(&f->stacks, i, &bytes);

		fiber_make(&f->fiber[i], stack, bytes, come_and_go, &f->fiber[i], false);
	}
	snprintf(name, sizeof(name), "switch to a coroutine and back, %u in turn", n);
	measure(name, BATCH, there_and_back, f);
	coro_stacks_fini(&f->stacks);
	free(f);
}

static void bench_all(void)
{
	double cycles[2];

	for (uint32_t n = 1000; n <= 1000000; n *= 10)
		bench_flows(n, cycles);
	bench_timers(1000);
	bench_timers(1000000);
	bench_line(1000000);
	bench_far_timers(1000000);
	bench_checksum(20);
	bench_checksum(64);
	bench_checksum(576);
	bench_checksum(1460);
	bench_ready();
	bench_fibers(1);
	bench_fibers(100);
	bench_fibers(FIBERS);
}

static void start_eal(char *name)
{
	char *plain[] = {name,
	                 (char[]){"--no-pci"},
	                 (char[]){"--no-telemetry"},
	                 (char[]){"--log-level=1"},
	                 (char[]){"--no-shconf"},
	                 (char[]){"--no-huge"},
	                 (char[]){"-m"},
	                 (char[]){"512"}};
	char pages[] = "--in-memory";

	if (huge)
		plain[4] = pages;
	if (rte_eal_init(huge ? 5 : (int)RTE_DIM(plain), plain) < 0) {
		fprintf(stderr, "micro_bench: EAL does not start%s\n",
		        huge ? "; scripts/hugepages shows what there is" : "");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	uint32_t flows = 0;
	bool bad = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--huge") == 0)
			huge = true;
		else if (strcmp(argv[i], "--flows") == 0 && i + 1 < argc)
			bad |= (flows = (uint32_t)strtoul(argv[++i], NULL, 10)) < 1000 ||
			       flows > MAX_FLOWS;
		else
			bad = true;
	}
	if (bad || (json && flows != 0) || (huge && flows == 0)) {
		fprintf(stderr,
		        "usage: micro_bench [--json | --flows N [--huge]], N from 1000 to %d\n",
		        MAX_FLOWS);
		return 2;
	}
	start_eal(argv[0]);
	if (!json)
		printf("%-44s %8s %8s   (cycles of a TSC of %.0f MHz)\n", "", "median", "p99",
		       (double)rte_get_tsc_hz() / 1e6);
	if (flows != 0)
		compare_flows(flows);
	else
		bench_all();
	rte_eal_cleanup();
	return 0;
}
