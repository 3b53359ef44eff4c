/* SPDX-License-Identifier: BSD-2-Clause */
/* The flow table against a model, and buckets that overflow. */

#include "tcp/tcp_table.h"

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "../../support/eal.h"
#include "../unit.h"

#define NB 600

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

static void test_buckets(void)
{
	for (uint64_t n = 1; n < 200000; n = n * 3 / 2 + 1) {
		const uint32_t buckets = tcp_table_buckets(n);

		CU_ASSERT_EQUAL(buckets & (buckets - 1), 0);
		CU_ASSERT((uint64_t)buckets * 6 >= n);
	}
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

static void step(flow_ref *model, unsigned *seed)
{
	const uint32_t i = 1 + (uint32_t)rand_r(seed) % NB;
	const enum flow_kind kind = (enum flow_kind)(FLOW_TCB + rand_r(seed) % 3);

	if (model[i] == 0) {
		model[i] = place(kind, i);
		tcp_table_add(&tbl, hash_of(i), model[i]);
	} else if (rand_r(seed) % 3 == 0) {
		const flow_ref to = place(kind, i);

		tcp_table_move(&tbl, hash_of(i), model[i], to);
		model[i] = to;
	} else {
		tcp_table_del(&tbl, hash_of(i), model[i]);
		model[i] = 0;
	}
}

static bool no_overflow(void)
{
	for (uint32_t i = 0; i <= tbl.mask; i++)
		if (tbl.bucket[i].overflow != 0)
			return false;
	return true;
}

/* n: what the table is told to expect; fewer than there will be makes it crowded */
static void run_model(uint64_t n, unsigned seed)
{
	static flow_ref model[NB + 1];

	memset(model, 0, sizeof(model));
	make(n);
	for (int i = 0; i < 100000; i++) {
		step(model, &seed);
		if (i % 5000 == 0)
			check(model);
	}
	check(model);
	for (uint32_t i = 1; i <= NB; i++)
		if (model[i] != 0)
			tcp_table_del(&tbl, hash_of(i), model[i]);
	CU_ASSERT_EQUAL(tbl.count, 0);
	CU_ASSERT(no_overflow());
	tcp_table_fini(&tbl);
}

static void test_model(void)
{
	run_model(NB, 1);
}

/* 64 buckets: on the average four of five places are taken, so most buckets overflow */
static void test_crowded(void)
{
	run_model(300, 2);
}

/* every place of the table, all with the same hash: one home, one tag */
static void test_collisions(void)
{
	static const uint32_t sizes[] = {5, 11, 23, 47};
	unsigned seed = 3;

	for (size_t s = 0; s < RTE_DIM(sizes); s++) {
		const uint64_t hash = UINT64_C(0xbeef000000000000) | (sizes[s] % 4);
		uint32_t n, order[64];

		make(sizes[s]);
		n = (tbl.mask + 1) * TCP_BUCKET;
		for (uint32_t i = 1; i <= n; i++) {
			tcp_table_add(&tbl, hash, place(FLOW_TCB, i));
			order[i - 1] = i;
		}
		for (uint32_t i = 1; i <= n + 1; i++) {
			const struct tcp_flow flow = flow_of(i);

			CU_ASSERT_EQUAL(tcp_table_find(&tbl, hash, &flow),
			                i <= n ? flow_ref_make(FLOW_TCB, i) : 0);
		}
		for (uint32_t i = n; i > 0; i--) { /* out again in a random order */
			const uint32_t k = (uint32_t)rand_r(&seed) % i;
			const struct tcp_flow flow = flow_of(order[k]);

			tcp_table_del(&tbl, hash, flow_ref_make(FLOW_TCB, order[k]));
			CU_ASSERT_EQUAL(tcp_table_find(&tbl, hash, &flow), 0);
			order[k] = order[i - 1];
			for (uint32_t j = 0; j < i - 1; j++) {
				const struct tcp_flow left = flow_of(order[j]);

				CU_ASSERT_EQUAL(tcp_table_find(&tbl, hash, &left),
				                flow_ref_make(FLOW_TCB, order[j]));
			}
		}
		CU_ASSERT_EQUAL(tbl.count, 0);
		CU_ASSERT(no_overflow());
		tcp_table_fini(&tbl);
	}
}

/* a walk that runs over the end of the array goes on at its beginning */
static void test_wrap(void)
{
	make(20);
	for (uint32_t i = 1; i <= 12; i++)
		tcp_table_add(&tbl, UINT64_C(0x7777000000000000) | tbl.mask, place(FLOW_SYN, i));
	CU_ASSERT_EQUAL(tbl.bucket[tbl.mask].overflow, 4);
	CU_ASSERT_NOT_EQUAL(tbl.bucket[0].ref[3], 0);
	CU_ASSERT_EQUAL(tbl.bucket[0].overflow, 0);
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
	tcp_table_fini(&tbl);
}

static const struct unit_case cases[] = {
    {"a reference has a kind and an index", test_refs},
    {"each byte of a flow counts", test_equal},
    {"buckets are a power of two with room", test_buckets},
    {"100000 random steps against a model", test_model},
    {"the same in a crowded table", test_crowded},
    {"a full table of one hash", test_collisions},
    {"a walk wraps at the end", test_wrap},
    {"the candidate is unverified", test_candidate},
    {"tag 0", test_zero_tag},
    {"validate notices", test_validate},
};

int main(void)
{
	eal_start();
	return unit_run("tcp_table", cases, RTE_DIM(cases));
}
