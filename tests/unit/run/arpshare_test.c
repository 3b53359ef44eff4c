/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/arpshare.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "common.h"

#define QUEUES 3

static struct rte_mempool *pool;
static struct arpshare *share;
static struct pc_port *port[QUEUES], *peer[QUEUES];

static void begin(void)
{
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port *e[2];

	share = arpshare_create(0, QUEUES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(share);
	for (unsigned i = 0; i < QUEUES; i++) {
		CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
		port[i] = arpshare_port(share, i, e[0], pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(port[i]);
		peer[i] = e[1];
	}
}

static void end(void)
{
	for (unsigned i = 0; i < QUEUES; i++) {
		pc_port_close(port[i]);
		pc_port_close(peer[i]);
	}
	arpshare_free(share);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void arrive(unsigned queue, uint16_t type, uint16_t op, uint32_t sip, uint32_t tip)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, 60);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);

	memset(eth, 0, 60);
	eth->ether_type = rte_cpu_to_be_16(type);
	arp->arp_opcode = rte_cpu_to_be_16(op);
	arp->arp_data.arp_sip = sip;
	arp->arp_data.arp_tip = tip;
	CU_ASSERT_EQUAL(peer[queue]->ops->tx_burst(peer[queue], &m, 1, 0), 1);
}

static unsigned receive(unsigned queue)
{
	struct rte_mbuf *m[8];
	uint16_t n = port[queue]->ops->rx_burst(port[queue], m, 8, 0);

	rte_pktmbuf_free_bulk(m, n);
	return n;
}

static void replies_reach_every_queue_once(void)
{
	begin();
	arrive(1, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REPLY, 1, 2);
	CU_ASSERT_EQUAL(receive(0), 0); /* not before its own queue has it */
	CU_ASSERT_EQUAL(receive(1), 1);
	CU_ASSERT_EQUAL(receive(0), 1);
	CU_ASSERT_EQUAL(receive(2), 1);
	for (unsigned i = 0; i < QUEUES; i++)
		CU_ASSERT_EQUAL(receive(i), 0); /* what was told is not told on */
	end();
}

static void gratuitous_requests_do_and_others_do_not(void)
{
	begin();
	arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REQUEST, 7, 7);
	arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REQUEST, 7, 8);
	arrive(0, RTE_ETHER_TYPE_IPV4, RTE_ARP_OP_REPLY, 7, 8);
	CU_ASSERT_EQUAL(receive(0), 3);
	CU_ASSERT_EQUAL(receive(1), 1);
	CU_ASSERT_EQUAL(receive(2), 1);
	end();
}

static void a_lcore_that_does_not_listen_loses_news(void)
{
	begin();
	for (unsigned i = 0; i < 1000; i++) {
		arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REPLY, i, 1);
		CU_ASSERT_EQUAL(receive(0), 1);
		while (receive(1) > 0)
			;
	}
	end(); /* with queue 2's ring full */
}

int main(void)
{
	const CU_TestInfo tests[] = {
	    {"replies reach every queue, once", replies_reach_every_queue_once},
	    {"gratuitous requests do, others do not", gratuitous_requests_do_and_others_do_not},
	    {"an lcore that does not listen loses news", a_lcore_that_does_not_listen_loses_news},
	    CU_TEST_INFO_NULL,
	};

	eal_start();
	pool = eal_pool("arpshare", 4095);
	return run_suite("run/arpshare", tests);
}
