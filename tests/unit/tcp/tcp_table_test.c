/* SPDX-License-Identifier: BSD-2-Clause */
/* The flow table against a model, growing and shrinking, and buckets that overflow. */

#include "tcp/tcp_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "../../support/eal.h"
#include "../unit.h"

#define NB 6000

/* the elements of each kind, whose flows the table reads */
struct element {
	struct tcp_flow flow;
	uint32_t more[3];
};

static struct element elements[4][NB + 1];
static struct tcp_table tbl;
static const struct hash_key key = {{UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)}};

static void make(uint64_t n)
{
	CU_ASSERT_EQUAL_FATAL(tcp_table_init(&tbl, n, key, -1), 0);
	for (unsigned kind = FLOW_TCB; kind <= FLOW_TW; kind++)
		tcp_table_kind(&tbl, (enum flow_kind)kind, elements[kind], sizeof(struct element));
	memset(elements, 0, sizeof(elements));
}

static struct tcp_flow flow_of(uint32_t i)
{
	return (struct tcp_flow){.raddr = pc_addr_ip4(0x0a000000 + i / 7),
	                         .laddr = (uint16_t)(i % 3),
	                         .lport = 80,
	                         .rport = (uint16_t)(1024 + i)};
}

static uint64_t hash_of(uint32_t i)
{
	const struct tcp_flow flow = flow_of(i);

	return tcp_table_hash(&tbl, &flow);
}

static flow_ref find(uint32_t i)
{
	const struct tcp_flow flow = flow_of(i);

	return tcp_table_find(&tbl, tcp_table_hash(&tbl, &flow), &flow);
}

/* makes flow i the element of a kind with its own index */
static flow_ref place(enum flow_kind kind, uint32_t i)
{
	elements[kind][i].flow = flow_of(i);
	return flow_ref_make(kind, i);
}

static void test_refs(void)
{
	const flow_ref ref = flow_ref_make(FLOW_TW, 0x3fffffff);

	CU_ASSERT_EQUAL(flow_ref_kind(ref), FLOW_TW);
	CU_ASSERT_EQUAL(flow_ref_index(ref), 0x3fffffff);
	CU_ASSERT_EQUAL(flow_ref_kind(0), FLOW_NONE);
}

static void test_equal(void)
{
	const struct tcp_flow a = flow_of(1);

	make(NB);
	CU_ASSERT(tcp_flow_equal(&a, &a));
	for (size_t i = 0; i < sizeof(a); i++) {
		struct tcp_flow b = a;

		((uint8_t *)&b)[i] ^= 0x10;
		CU_ASSERT_FALSE(tcp_flow_equal(&a, &b));
		CU_ASSERT_NOT_EQUAL(tcp_table_hash(&tbl, &a), tcp_table_hash(&tbl, &b));
	}
	tcp_table_fini(&tbl);
}

static void test_footprint(void)
{
	for (uint64_t n = 1; n < 200000; n = n * 3 / 2 + 1) {
		const uint64_t lines = tcp_table_footprint(n) / sizeof(struct tcp_bucket);

		CU_ASSERT(lines * 6 >= n); /* no more than six to a bucket */
		CU_ASSERT(lines <= n / 3 + n / 8 + 3);
	}
	CU_ASSERT_EQUAL(tcp_table_init(&tbl, UINT64_C(1) << 32, key, -1), -ENOMEM);
}

static void check(const flow_ref *model)
{
	unsigned bad = 0, count = 0;

	for (uint32_t i = 1; i <= NB; i++) {
		bad += find(i) != model[i];
		count += model[i] != 0;
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_EQUAL(tbl.count, count);
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
}

/* dels: of a hundred steps at a flow that is there, so many take it out; the others move it */
static void step(flow_ref *model, uint32_t n, unsigned *seed, int adds, int dels)
{
	const uint32_t i = 1 + (uint32_t)rand_r(seed) % n;
	const enum flow_kind kind = (enum flow_kind)(FLOW_TCB + rand_r(seed) % 3);

	if (model[i] == 0) {
		if (rand_r(seed) % 100 >= adds)
			return;
		model[i] = place(kind, i);
		tcp_table_add(&tbl, hash_of(i), model[i]);
	} else if (rand_r(seed) % 100 >= dels) {
		const flow_ref to = place(kind, i);

		tcp_table_move(&tbl, hash_of(i), model[i], to);
		model[i] = to;
	} else {
		tcp_table_del(&tbl, hash_of(i), model[i]);
		model[i] = 0;
	}
}

/* high and low tides of up to n flows in a table for n */
static void run_model(uint32_t n, unsigned seed)
{
	static flow_ref model[NB + 1];
	uint32_t largest = 0;

	memset(model, 0, sizeof(model));
	make(n);
	for (int i = 0; i < 200000; i++) {
		const bool ebb = i / 40000 % 2 == 1;

		step(model, n, &seed, ebb ? 10 : 100, ebb ? 90 : 20);
		largest = RTE_MAX(largest, tbl.nb);
		if (i % 10000 == 0)
			check(model);
	}
	check(model);
	CU_ASSERT_EQUAL(largest, tbl.nb_max);
	for (uint32_t i = 1; i <= NB; i++)
		if (model[i] != 0)
			tcp_table_del(&tbl, hash_of(i), model[i]);
	CU_ASSERT_EQUAL(tbl.count, 0);
	CU_ASSERT_EQUAL(tbl.nb_more, 0);
	CU_ASSERT_EQUAL(tbl.nb, RTE_MIN(64u, tbl.nb_max));
	tcp_table_fini(&tbl);
}

static void test_model(void)
{
	run_model(NB, 1);
}

/* with six to a bucket many have chains */
static void test_crowded(void)
{
	run_model(1530, 2);
	run_model(90, 3);
}

/* no more buckets than the flows that are there ask for, one more or less at a time */
static void test_size(void)
{
	uint32_t nb = 64, i;

	make(NB);
	CU_ASSERT_EQUAL(tbl.nb, 64);
	for (i = 1; i <= NB; i++, nb = tbl.nb) {
		tcp_table_add(&tbl, hash_of(i), place(FLOW_TCB, i));
		CU_ASSERT_EQUAL(
		    tbl.nb,
		    RTE_MIN(RTE_MAX(64u, (i + TCP_BUCKET_GROW - 1) / TCP_BUCKET_GROW), tbl.nb_max));
		CU_ASSERT(tbl.nb - nb <= 1);
	}
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
	for (; i > 1; nb = tbl.nb) {
		i--;
		tcp_table_del(&tbl, hash_of(i), flow_ref_make(FLOW_TCB, i));
		CU_ASSERT(nb - tbl.nb <= 1);
		CU_ASSERT(tbl.nb == 64 || tbl.nb <= tbl.count || nb - tbl.nb == 1);
		if (i % 500 == 0)
			CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
	}
	CU_ASSERT_EQUAL(tbl.nb, 64);
	CU_ASSERT_EQUAL(tbl.mask, 63);
	tcp_table_fini(&tbl);
}

/* takes n flows of one hash out again in a random order; all others must stay */
static void take_out(uint32_t n, uint64_t hash, unsigned *seed)
{
	uint32_t order[64];

	for (uint32_t i = 0; i < n; i++)
		order[i] = i + 1;
	for (uint32_t i = n; i > 0; i--) {
		const uint32_t k = (uint32_t)rand_r(seed) % i;
		const struct tcp_flow flow = flow_of(order[k]);

		tcp_table_del(&tbl, hash, flow_ref_make(FLOW_TCB, order[k]));
		CU_ASSERT_EQUAL(tcp_table_find(&tbl, hash, &flow), 0);
		CU_ASSERT_EQUAL(tbl.nb_more, i < 2 ? 0 : (i - 2) / 8);
		order[k] = order[i - 1];
		for (uint32_t j = 0; j < i - 1; j++) {
			const struct tcp_flow left = flow_of(order[j]);

			CU_ASSERT_EQUAL(tcp_table_find(&tbl, hash, &left),
			                flow_ref_make(FLOW_TCB, order[j]));
		}
	}
}

/* as many flows as the table is for, all with the same hash: one home, one tag; there is room for them */
static void test_collisions(void)
{
	static const uint32_t sizes[] = {5, 8, 9, 16, 17, 18, 23, 47, 64};
	unsigned seed = 3;

	for (size_t s = 0; s < RTE_DIM(sizes); s++) {
		const uint64_t hash = UINT64_C(0xbeef000000000000) | (sizes[s] % 4);
		const uint32_t n = sizes[s];

		make(n);
		for (uint32_t i = 1; i <= n; i++)
			tcp_table_add(&tbl, hash, place(FLOW_TCB, i));
		for (uint32_t i = 1; i <= n + 1; i++) {
			const struct tcp_flow flow = flow_of(i);

			CU_ASSERT_EQUAL(tcp_table_find(&tbl, hash, &flow),
			                i <= n ? flow_ref_make(FLOW_TCB, i) : 0);
		}
		take_out(n, hash, &seed);
		CU_ASSERT_EQUAL(tbl.count, 0);
		tcp_table_fini(&tbl);
	}
}

/* flows that are in one chain while the table is small: splits take it apart, joins put it together again */
static void test_chains_split(void)
{
	const uint32_t others = 1100;
	uint32_t aimed[40], n = 0;

	make(NB);
	for (uint32_t i = 1; n < RTE_DIM(aimed) && i < others; i++)
		if ((hash_of(i) & 63) == 5)
			aimed[n++] = i;
	for (uint32_t k = 0; k < n; k++)
		tcp_table_add(&tbl, hash_of(aimed[k]), place(FLOW_SYN, aimed[k]));
	CU_ASSERT(tbl.nb_more >= 1);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = others; i <= NB; i++)
			tcp_table_add(&tbl, hash_of(i), place(FLOW_TW, i));
		CU_ASSERT(tbl.nb > 1000);
		CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
		for (uint32_t i = others; i <= NB; i++)
			tcp_table_del(&tbl, hash_of(i), flow_ref_make(FLOW_TW, i));
		CU_ASSERT_EQUAL(tbl.nb, 64);
		CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
		CU_ASSERT(tbl.nb_more >= 1);
	}
	tcp_table_fini(&tbl);
}

static void test_candidate(void)
{
	flow_ref ref;

	make(NB);
	CU_ASSERT_EQUAL(tcp_table_candidate(&tbl, hash_of(1)), 0);
	ref = place(FLOW_TCB, 1);
	tcp_table_add(&tbl, hash_of(1), ref);
	CU_ASSERT_EQUAL(tcp_table_candidate(&tbl, hash_of(1)), ref);
	CU_ASSERT_EQUAL((const void *)tcp_table_flow(&tbl, ref), (const void *)&elements[1][1]);
	tcp_table_del(&tbl, hash_of(1), ref);
	CU_ASSERT_EQUAL(tcp_table_candidate(&tbl, hash_of(1)), 0); /* the tag is still there */
	tcp_table_fini(&tbl);
}

/* flow 0 in full: tag 0 and reference 0 are not confused with a free place */
static void test_zero_tag(void)
{
	const struct tcp_flow flow = flow_of(1);

	make(6);
	CU_ASSERT_EQUAL(tcp_table_find(&tbl, 0, &flow), 0);
	tcp_table_add(&tbl, 0, place(FLOW_TCB, 1));
	CU_ASSERT_EQUAL(tcp_table_find(&tbl, 0, &flow), flow_ref_make(FLOW_TCB, 1));
	tcp_table_del(&tbl, 0, flow_ref_make(FLOW_TCB, 1));
	CU_ASSERT_EQUAL(tcp_table_find(&tbl, 0, &flow), 0);
	tcp_table_fini(&tbl);
}

static void test_validate(void)
{
	make(NB);
	for (uint32_t i = 1; i <= 50; i++)
		tcp_table_add(&tbl, hash_of(i), place(FLOW_TCB, i));
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
	elements[FLOW_TCB][7].flow.rport++; /* changed behind the table's back */
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 1);
	elements[FLOW_TCB][7].flow.rport--;
	tbl.count++;
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 1);
	tbl.count--;
	tbl.nb_more++;
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 1);
	tbl.nb_more--;
	tbl.mask = 2 * tbl.mask + 1; /* finds the same as long as nothing is added */
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 1);
	tbl.mask >>= 1;
	CU_ASSERT_EQUAL(tcp_table_validate(&tbl), 0);
	tcp_table_fini(&tbl);
}

static const struct unit_case cases[] = {
    {"a reference has a kind and an index", test_refs},
    {"each byte of a flow counts", test_equal},
    {"the footprint is in proportion", test_footprint},
    {"200000 random steps against a model", test_model},
    {"the same in a crowded table", test_crowded},
    {"as large as its flows ask for", test_size},
    {"a full table of one hash", test_collisions},
    {"chains are split and joined", test_chains_split},
    {"the candidate is unverified", test_candidate},
    {"tag 0", test_zero_tag},
    {"validate notices", test_validate},
};

int main(void)
{
	eal_start();
	return unit_run("tcp_table", cases, RTE_DIM(cases));
}
