/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/frame.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "common.h"

static struct rte_mempool *pool;

static void sharing_is_seen_anywhere_in_a_chain(void)
{
	struct rte_mbuf *a = make_frame(pool, 1, 60), *b = make_frame(pool, 2, 60), *c;

	CU_ASSERT(!frame_is_shared(a));
	rte_pktmbuf_chain(a, b);
	CU_ASSERT(!frame_is_shared(a));
	rte_mbuf_refcnt_update(b, 1);
	CU_ASSERT(frame_is_shared(a));
	rte_mbuf_refcnt_update(b, -1);
	c = rte_pktmbuf_clone(a, pool);
	CU_ASSERT(frame_is_shared(c));
	CU_ASSERT(frame_is_shared(a));
	rte_pktmbuf_free(c);
	CU_ASSERT(!frame_is_shared(a));
	rte_pktmbuf_free(a);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void a_copy_that_does_not_fit_is_refused(void)
{
	struct rte_mbuf *a = make_frame(pool, 1, 2000), *b = make_frame(pool, 2, 2000);

	rte_pktmbuf_chain(a, b);
	CU_ASSERT_PTR_NULL(frame_copy(a, pool));
	rte_pktmbuf_free(a);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

/* A UDP datagram in a chain; the payload's last two bytes decide the checksum. */
static struct rte_mbuf *make_udp(uint16_t last)
{
	struct rte_mbuf *m = make_frame(pool, 0, 42), *tail = make_frame(pool, 0, 30);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	memset(ip, 0, 28);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(58);
	ip->next_proto_id = 17;
	udp->dgram_len = rte_cpu_to_be_16(38);
	udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, 0);
	memset(rte_pktmbuf_mtod(tail, uint8_t *), 0, 30);
	memcpy(rte_pktmbuf_mtod_offset(tail, uint8_t *, 28), &last, 2);
	rte_pktmbuf_chain(m, tail);
	m->l2_len = 14;
	m->l3_len = 20;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
	return m;
}

static uint16_t finish_udp(uint16_t last)
{
	struct rte_mbuf *m = make_udp(last);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	uint16_t cksum;

	frame_finish_cksum(m);
	CU_ASSERT(!frame_wants_cksum(m));
	CU_ASSERT_EQUAL(rte_raw_cksum(ip, 20), 0xffff);
	rte_pktmbuf_linearize(m);
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	CU_ASSERT(l4_sum_is_good(ip));
	cksum = ((struct rte_udp_hdr *)(ip + 1))->dgram_cksum;
	rte_pktmbuf_free(m);
	return cksum;
}

static void checksums_are_finished_over_chains(void)
{
	uint16_t cksum = finish_udp(0);

	CU_ASSERT_NOT_EQUAL(cksum, 0);
	/* with these last bytes the sum is all ones, and the checksum would be 0 */
	CU_ASSERT_EQUAL(finish_udp(cksum), 0xffff);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

int main(void)
{
	const CU_TestInfo tests[] = {
	    {"sharing is seen anywhere in a chain", sharing_is_seen_anywhere_in_a_chain},
	    {"a copy that does not fit is refused", a_copy_that_does_not_fit_is_refused},
	    {"checksums are finished over chains", checksums_are_finished_over_chains},
	    CU_TEST_INFO_NULL,
	};

	eal_start();
	pool = eal_pool("frame", 1023);
	return run_suite("port/frame", tests);
}
