/* SPDX-License-Identifier: BSD-2-Clause */

/* The note on an mbuf, and queues of packets. */

#include "base/pkt.h"

#include <errno.h>
#include <rte_mbuf_dyn.h>

#include "../../support/eal.h"
#include "../unit.h"

static struct rte_mempool *pool;

static void test_register(void)
{
	const struct rte_mbuf_dynfield other = {.name = "other", .size = 8, .align = 8};
	int offset;

	CU_ASSERT_EQUAL(pkt_register(), 0);
	CU_ASSERT_EQUAL(pkt_register(), 0);
	/* somebody else's field does not get our place */
	offset = rte_mbuf_dynfield_register(&other);
	CU_ASSERT(offset < 0 || offset + 8 <= PKT_OFFSET ||
	          offset >= PKT_OFFSET + (int)sizeof(struct pkt));
}

/* The note survives what DPDK does to an mbuf in a queue, and is apart from its other fields. */
static void test_note(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	pkt_of(m)->next = m;
	pkt_of(m)->tx.seq = 0xa5a5a5a5;
	pkt_of(m)->tx.cookie = 0x5a5a5a5a;
	CU_ASSERT_EQUAL(m->data_off, RTE_PKTMBUF_HEADROOM);
	CU_ASSERT_PTR_NULL(m->next);
	CU_ASSERT_EQUAL(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
	CU_ASSERT_PTR_NOT_NULL(rte_pktmbuf_append(m, 100));
	CU_ASSERT_PTR_NOT_NULL(rte_pktmbuf_prepend(m, 40));
	CU_ASSERT_EQUAL(pkt_of(m)->tx.seq, 0xa5a5a5a5);
	CU_ASSERT_EQUAL(pkt_of_const(m)->tx.cookie, 0x5a5a5a5a);
	rte_pktmbuf_free(m);
}

static void test_queue(void)
{
	struct pktq q = {0};
	struct rte_mbuf *m[3];

	CU_ASSERT_PTR_NULL(pktq_pop(&q));
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 3; i++) {
			m[i] = rte_pktmbuf_alloc(pool);
			pktq_push(&q, m[i]);
			CU_ASSERT_PTR_EQUAL(q.head, m[0]);
			CU_ASSERT_PTR_EQUAL(q.tail, m[i]);
		}
		for (unsigned i = 0; i < 3; i++) {
			CU_ASSERT_PTR_EQUAL(pktq_pop(&q), m[i]);
			rte_pktmbuf_free(m[i]);
		}
		CU_ASSERT(q.head == NULL && q.tail == NULL);
		CU_ASSERT_PTR_NULL(pktq_pop(&q));
	}
}

/* Packets of several mbufs are freed whole. */
static void test_queue_free(void)
{
	struct pktq q = {0};

	for (unsigned i = 0; i < 5; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, rte_pktmbuf_alloc(pool)), 0);
		pktq_push(&q, m);
	}
	CU_ASSERT_EQUAL(eal_in_use(pool), 10);
	pktq_free(&q);
	CU_ASSERT(q.head == NULL && q.tail == NULL);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
	pktq_free(&q);
}

static const struct unit_case cases[] = {
    {"register", test_register},
    {"note", test_note},
    {"queue", test_queue},
    {"free a queue", test_queue_free},
};

int main(void)
{
	eal_start();
	pool = eal_pool("pkt", 127);
	return unit_run("base/pkt", cases, sizeof(cases) / sizeof(cases[0]));
}
