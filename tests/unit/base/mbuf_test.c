/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains cut and joined at every place. */

#include "base/mbuf.h"

#include <string.h>

#include "../../support/eal.h"
#include "../unit.h"

#define LEN 40

static struct rte_mempool *pool;

/* A packet of LEN bytes 0, 1, 2 ... in segments of size bytes; 0: in one. */
static struct rte_mbuf *make(uint16_t size)
{
	struct rte_mbuf *head = NULL;
	uint16_t n;

	for (uint16_t off = 0; off < LEN; off = (uint16_t)(off + n)) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		uint8_t *p;

		n = (uint16_t)RTE_MIN(size != 0 ? size : LEN, LEN - off);
		p = (uint8_t *)rte_pktmbuf_append(m, n);
		for (uint16_t i = 0; i < n; i++)
			p[i] = (uint8_t)(off + i);
		if (head == NULL)
			head = m;
		else
			rte_pktmbuf_chain(head, m);
	}
	return head;
}

/* Checks that a packet is the first len bytes, and frees it. */
static void check(struct rte_mbuf *m, uint32_t len)
{
	uint8_t copy[LEN];

	rte_mbuf_sanity_check(m, 1);
	CU_ASSERT_EQUAL(m->pkt_len, len);
	for (uint32_t i = 0; i < len; i++)
		CU_ASSERT_EQUAL(*(const uint8_t *)rte_pktmbuf_read(m, i, 1, copy), i);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void test_trim(void)
{
	for (uint16_t size = 0; size <= LEN; size++)
		for (uint32_t len = 0; len <= LEN; len++) {
			struct rte_mbuf *m = make(size);

			mbuf_trim(m, len);
			check(m, len);
		}
}

static void test_pullup(void)
{
	for (uint16_t size = 0; size <= LEN; size++)
		for (uint16_t len = 0; len <= LEN; len++) {
			struct rte_mbuf *m = make(size);

			CU_ASSERT(mbuf_pullup(m, len));
			CU_ASSERT(m->data_len >= len);
			check(m, LEN);
		}
}

/* Without room behind the data it moves to the front; without room at all nothing happens. */
static void test_pullup_room(void)
{
	struct rte_mbuf *m = make(10);
	const uint16_t buf_len = m->buf_len, off = (uint16_t)(buf_len - 10);

	memmove((char *)m->buf_addr + off, rte_pktmbuf_mtod(m, char *), 10);
	m->data_off = off;
	CU_ASSERT(mbuf_pullup(m, 35));
	CU_ASSERT(m->data_len == 35 && m->data_off == buf_len - 35);
	check(m, LEN);
	m = make(10);
	memmove(m->buf_addr, rte_pktmbuf_mtod(m, char *), 10);
	m->data_off = 0;
	m->buf_len = 30;
	CU_ASSERT(!mbuf_pullup(m, 31));
	CU_ASSERT(m->nb_segs == 4 && m->data_len == 10 && m->data_off == 0);
	CU_ASSERT(mbuf_pullup(m, 30));
	m->buf_len = buf_len;
	check(m, LEN);
}

static void test_clear_offload(void)
{
	struct rte_mbuf *m = make(0);

	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_EXTERNAL;
	m->l2_len = 14;
	m->tso_segsz = 1460;
	mbuf_clear_offload(m);
	CU_ASSERT(m->ol_flags == RTE_MBUF_F_EXTERNAL && m->tx_offload == 0);
	m->ol_flags = 0;
	check(m, LEN);
}

static const struct unit_case cases[] = {
    {"trim", test_trim},
    {"pull up", test_pullup},
    {"pull up without room", test_pullup_room},
    {"clear offloads", test_clear_offload},
};

int main(void)
{
	eal_start();
	pool = eal_pool("mbuf", 255);
	return unit_run("base/mbuf", cases, sizeof(cases) / sizeof(cases[0]));
}
