/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "common.h"

static struct rte_mempool *pool;

static void open_wire(struct pc_port *ends[2], uint16_t capacity, uint32_t offloads)
{
	const struct pc_wire_config config = {
	    .capacity = capacity, .offloads = offloads, .pool = pool};

	CU_ASSERT_FATAL(pc_port_wire(&config, ends) == 0);
}

static void close_wire(struct pc_port *ends[2])
{
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void frames_come_out_in_order(void)
{
	struct rte_mbuf *m[8], *got[8];
	struct pc_port *e[2];

	open_wire(e, 0, 0);
	for (uint32_t i = 0; i < 8; i++)
		m[i] = make_frame(pool, i, 100);
	CU_ASSERT_EQUAL(port_tx(e[0], m, 8, 0), 8);
	CU_ASSERT_EQUAL(port_rx(e[0], got, 8, 0), 0);
	CU_ASSERT_EQUAL(port_rx(e[1], got, 3, 0), 3);
	CU_ASSERT_EQUAL(port_rx(e[1], got + 3, 8, 0), 5);
	for (uint32_t i = 0; i < 8; i++) {
		CU_ASSERT_PTR_EQUAL(got[i], m[i]); /* itself, not a copy */
		CU_ASSERT_EQUAL(frame_number(got[i]), i);
	}
	rte_pktmbuf_free_bulk(got, 8);
	close_wire(e);
}

static void a_frame_that_the_sender_keeps_is_copied(void)
{
	struct rte_mbuf *m, *got;
	struct pc_port *e[2];

	open_wire(e, 0, 0);
	m = make_frame(pool, 7, 100);
	rte_mbuf_refcnt_update(m, 1);
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, 0), 1);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	CU_ASSERT_EQUAL(port_rx(e[1], &got, 1, 0), 1);
	CU_ASSERT_PTR_NOT_EQUAL(got, m);
	memset(rte_pktmbuf_mtod(got, uint8_t *), 0, 100);
	CU_ASSERT(frame_is_intact(m) && frame_number(m) == 7);
	rte_pktmbuf_free(got);
	rte_pktmbuf_free(m);
	close_wire(e);
}

static void a_full_wire_refuses(void)
{
	struct rte_mbuf *m[6], *got[6];
	struct pc_port *e[2];

	open_wire(e, 4, 0);
	for (uint32_t i = 0; i < 6; i++)
		m[i] = make_frame(pool, i, 60);
	CU_ASSERT_EQUAL(port_tx(e[0], m, 6, 0), 4);
	CU_ASSERT_EQUAL(port_rx(e[1], got, 1, 0), 1);
	CU_ASSERT_EQUAL(port_tx(e[0], m + 4, 2, 0), 1);
	CU_ASSERT_EQUAL(port_rx(e[1], got + 1, 6, 0), 4);
	for (uint32_t i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(frame_number(got[i]), i);
	rte_pktmbuf_free_bulk(got, 5);
	rte_pktmbuf_free(m[5]);
	close_wire(e);
}

static void without_an_mbuf_for_the_copy_the_frame_stays(void)
{
	struct rte_mempool *tiny =
	    rte_pktmbuf_pool_create("tiny", 1, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	const struct pc_wire_config config = {.pool = tiny};
	struct rte_mbuf *m, *held = rte_pktmbuf_alloc(tiny);
	struct pc_port *e[2];

	CU_ASSERT_FATAL(pc_port_wire(&config, e) == 0);
	m = make_frame(pool, 1, 60);
	rte_mbuf_refcnt_update(m, 1);
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, 0), 0);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 2);
	rte_pktmbuf_free(held);
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, 0), 1);
	rte_pktmbuf_free(m);
	close_wire(e);
	rte_mempool_free(tiny);
}

static void a_closed_end_swallows(void)
{
	struct rte_mbuf *m[2];
	struct pc_port *e[2];

	open_wire(e, 0, 0);
	m[0] = make_frame(pool, 0, 60);
	m[1] = make_frame(pool, 1, 60);
	CU_ASSERT_EQUAL(port_tx(e[0], m, 1, 0), 1);
	pc_port_close(e[1]); /* with a frame on its way there */
	CU_ASSERT(!e[0]->info.link_up);
	CU_ASSERT_EQUAL(port_tx(e[0], m + 1, 1, 0), 1);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
	pc_port_close(e[0]);
}

static void a_chain_is_made_linear_unless_chains_are_sent(void)
{
	struct rte_mbuf *head, *tail, *got;
	struct pc_port *e[2];

	for (int chains = 0; chains < 2; chains++) {
		open_wire(e, 0, chains ? PC_PORT_TX_MULTI_SEGS : 0);
		head = make_frame(pool, 3, 100);
		tail = make_frame(pool, 4, 50);
		rte_pktmbuf_chain(head, tail);
		CU_ASSERT_EQUAL(port_tx(e[0], &head, 1, 0), 1);
		CU_ASSERT_EQUAL(port_rx(e[1], &got, 1, 0), 1);
		CU_ASSERT_EQUAL(got->nb_segs, chains ? 2 : 1);
		CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(got), 150);
		rte_pktmbuf_free(got);
		close_wire(e);
	}
}

/* An empty TCP segment whose checksums are left to the device. */
static struct rte_mbuf *make_offloaded(void)
{
	struct rte_mbuf *m = make_frame(pool, 0, 54);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	memset(ip, 0, 40);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(40);
	ip->time_to_live = 64;
	ip->next_proto_id = 6;
	ip->src_addr = rte_cpu_to_be_32(0x0a000001);
	ip->dst_addr = rte_cpu_to_be_32(0x0a000002);
	tcp->data_off = 0x50;
	tcp->cksum = rte_ipv4_phdr_cksum(ip, 0);
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 20;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM;
	return m;
}

static void offloads_are_done_in_software(void)
{
	const uint32_t all = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_RX_IP4_CKSUM |
	                     PC_PORT_RX_L4_CKSUM;
	struct rte_mbuf *m = make_offloaded();
	struct rte_ipv4_hdr *ip;
	struct pc_port *e[2];

	open_wire(e, 0, all);
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, 0), 1);
	CU_ASSERT_EQUAL(port_rx(e[1], &m, 1, 0), 1);
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	CU_ASSERT_EQUAL(rte_raw_cksum(ip, 20), 0xffff);
	CU_ASSERT(l4_sum_is_good(ip));
	CU_ASSERT_EQUAL(m->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	rte_pktmbuf_free(m);
	close_wire(e);
}

static void marks_of_an_earlier_port_are_taken_off(void)
{
	struct rte_mbuf *m = make_frame(pool, 0, 60);
	struct pc_port *e[2];

	open_wire(e, 0, PC_PORT_RX_L4_CKSUM);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_BAD;
	CU_ASSERT_EQUAL(port_tx(e[0], &m, 1, 0), 1);
	CU_ASSERT_EQUAL(port_rx(e[1], &m, 1, 0), 1);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	rte_pktmbuf_free(m);
	close_wire(e);
}

/* A TCP segment of 1000 bytes of payload, to be cut every 400. */
static struct rte_mbuf *make_large(void)
{
	struct rte_mbuf *m = make_frame(pool, 1, 1054);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	memset(ip, 0, 40);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(1040);
	ip->next_proto_id = 6;
	tcp->data_off = 5 << 4;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
	tcp->cksum = rte_ipv4_phdr_cksum(ip, m->ol_flags);
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 20;
	m->tso_segsz = 400;
	return m;
}

static void large_segments_are_cut(void)
{
	struct rte_mbuf *m[2], *got[8];
	struct pc_port *e[2];

	open_wire(e, 5, PC_PORT_TX_TSO | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_MULTI_SEGS);
	m[0] = make_large();
	m[1] = make_large();
	/* three pieces find room, three more do not */
	CU_ASSERT_EQUAL(port_tx(e[0], m, 2, 0), 1);
	CU_ASSERT_EQUAL_FATAL(port_rx(e[1], got, 8, 0), 3);
	CU_ASSERT_EQUAL(got[0]->pkt_len, 454);
	CU_ASSERT_EQUAL(got[2]->pkt_len, 254);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT(
		    l4_sum_is_good(rte_pktmbuf_mtod_offset(got[i], struct rte_ipv4_hdr *, 14)));
	rte_pktmbuf_free_bulk(got, 3);
	CU_ASSERT_EQUAL(port_tx(e[0], m + 1, 1, 0), 1);
	close_wire(e);
}

static void bad_configs_are_refused(void)
{
	const struct pc_wire_config no_pool = {0};
	const struct pc_wire_config tso = {.pool = pool, .offloads = PC_PORT_TX_TSO};
	struct pc_port *e[2];

	CU_ASSERT_EQUAL(pc_port_wire(&no_pool, e), -EINVAL);
	CU_ASSERT_EQUAL(pc_port_wire(&tso, e), -EINVAL);
	pc_port_close(NULL);
}

static const struct unit_case cases[] = {
    {"frames come out in order", frames_come_out_in_order},
    {"a frame that the sender keeps is copied", a_frame_that_the_sender_keeps_is_copied},
    {"a full wire refuses", a_full_wire_refuses},
    {"without an mbuf for the copy the frame stays", without_an_mbuf_for_the_copy_the_frame_stays},
    {"a closed end swallows", a_closed_end_swallows},
    {"a chain is made linear unless chains are sent",
     a_chain_is_made_linear_unless_chains_are_sent},
    {"offloads are done in software", offloads_are_done_in_software},
    {"large segments are cut", large_segments_are_cut},
    {"marks of an earlier port are taken off", marks_of_an_earlier_port_are_taken_off},
    {"bad configs are refused", bad_configs_are_refused},
};

int main(void)
{
	eal_start();
	pool = eal_pool("wire", 1023);
	return unit_run("port/wire", cases, sizeof(cases) / sizeof(cases[0]));
}
