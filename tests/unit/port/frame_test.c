/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/frame.h"

#include <rte_ip.h>
#include <rte_tcp.h>
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

/* ... whose parts begin at any offset, odd ones too: 38 bytes of UDP in three mbufs and an empty one */
static void checksums_are_finished_over_odd_parts(void)
{
	for (unsigned first = 8; first < 37; first++)
		for (unsigned second = first + 1; second < 38; second++) {
			struct rte_mbuf *m = make_frame(pool, 0, (uint16_t)(34 + first)), *whole;
			const unsigned ends[] = {second, second, 38};
			struct rte_ipv4_hdr *ip =
			    rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
			struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
			unsigned at = first;

			whole = make_udp(0x1234);
			memcpy(ip, rte_pktmbuf_mtod_offset(whole, void *, 14), 28);
			for (unsigned i = 8; i < first; i++)
				((uint8_t *)udp)[i] = (uint8_t)(i * 37);
			for (unsigned k = 0; k < 3; k++) {
				struct rte_mbuf *part =
				    make_frame(pool, 0, (uint16_t)(ends[k] - at));

				for (unsigned i = 0; at < ends[k]; i++, at++)
					rte_pktmbuf_mtod(part, uint8_t *)[i] = (uint8_t)(at * 37);
				rte_pktmbuf_chain(m, part);
			}
			m->l2_len = 14;
			m->l3_len = 20;
			m->ol_flags = whole->ol_flags;
			frame_finish_cksum(m);
			rte_pktmbuf_linearize(m);
			CU_ASSERT(
			    l4_sum_is_good(rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14)));
			rte_pktmbuf_free(m);
			rte_pktmbuf_free(whole);
		}
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

/* What is asked for does not lie in the frame. */
static void sums_of_what_is_not_there(void)
{
	struct rte_mbuf *m = make_udp(0);
	uint16_t sum = 7;

	CU_ASSERT(!frame_sum_of(m, 0, 73, &sum));
	CU_ASSERT(!frame_sum_of(m, 73, 1, &sum));
	CU_ASSERT_EQUAL(sum, 7);
	CU_ASSERT(frame_sum_of(m, 72, 0, &sum));
	CU_ASSERT_EQUAL(sum, 0);
	rte_pktmbuf_free(m);
}

/* A TCP segment of len bytes of payload in a chain, to be cut. */
static struct rte_mbuf *make_large(uint32_t len, uint16_t segsz, uint8_t flags)
{
	struct rte_mbuf *m = make_frame(pool, 0, 14 + 20 + 32);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	memset(ip, 0, 52);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(52 + len));
	ip->next_proto_id = 6;
	ip->src_addr = 0x01020304;
	ip->dst_addr = 0x05060708;
	tcp->sent_seq = rte_cpu_to_be_32(0xfffffc00);
	tcp->data_off = 8 << 4;
	tcp->tcp_flags = flags;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
	tcp->cksum = rte_ipv4_phdr_cksum(ip, m->ol_flags);
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 32;
	m->tso_segsz = segsz;
	for (uint32_t at = 0; at < len; at += 700) {
		uint16_t n = (uint16_t)RTE_MIN(len - at, 700u);
		struct rte_mbuf *part = make_frame(pool, 0, n);

		for (uint16_t i = 0; i < n; i++)
			rte_pktmbuf_mtod(part, uint8_t *)[i] = (uint8_t)((at + i) % 251);
		rte_pktmbuf_chain(m, part);
	}
	return m;
}

static void check_piece(struct rte_mbuf *m, uint32_t off, uint32_t len, uint8_t flags)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);
	const uint8_t *payload = (const uint8_t *)tcp + 32;
	bool same = true;

	CU_ASSERT_EQUAL(m->nb_segs, 1);
	CU_ASSERT_EQUAL(m->pkt_len, 66 + len);
	CU_ASSERT(!frame_wants_cut(m) && !frame_wants_cksum(m));
	CU_ASSERT_EQUAL(rte_be_to_cpu_16(ip->total_length), 52 + len);
	CU_ASSERT_EQUAL(rte_raw_cksum(ip, 20), 0xffff);
	CU_ASSERT_EQUAL(rte_be_to_cpu_32(tcp->sent_seq), 0xfffffc00u + off);
	CU_ASSERT_EQUAL(tcp->tcp_flags, flags);
	CU_ASSERT(l4_sum_is_good(ip));
	for (uint32_t i = 0; i < len; i++)
		same = same && payload[i] == (off + i) % 251;
	CU_ASSERT(same);
}

static void large_segments_are_cut(void)
{
	const uint8_t all =
	    RTE_TCP_CWR_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG;
	struct rte_mbuf *m = make_large(2500, 1000, all), *out[4];

	CU_ASSERT_EQUAL(frame_cut(m, pool, out, 2), 0); /* more than there is room for */
	CU_ASSERT_EQUAL_FATAL(frame_cut(m, pool, out, 3), 3);
	check_piece(out[0], 0, 1000, RTE_TCP_CWR_FLAG | RTE_TCP_ACK_FLAG);
	check_piece(out[1], 1000, 1000, RTE_TCP_ACK_FLAG);
	check_piece(out[2], 2000, 500, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG);
	rte_pktmbuf_free_bulk(out, 3);
	rte_pktmbuf_free(m);
	m = make_large(2000, 1000, all); /* no empty piece at the end */
	CU_ASSERT_EQUAL(frame_cut(m, pool, out, 4), 2);
	rte_pktmbuf_free_bulk(out, 2);
	m->tso_segsz = 2500; /* larger than an mbuf */
	CU_ASSERT_EQUAL(frame_cut(m, pool, out, 4), 0);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static const struct unit_case cases[] = {
    {"sharing is seen anywhere in a chain", sharing_is_seen_anywhere_in_a_chain},
    {"a copy that does not fit is refused", a_copy_that_does_not_fit_is_refused},
    {"checksums are finished over chains", checksums_are_finished_over_chains},
    {"checksums are finished over odd parts", checksums_are_finished_over_odd_parts},
    {"sums of what is not there", sums_of_what_is_not_there},
    {"large segments are cut", large_segments_are_cut},
};

int main(void)
{
	eal_start();
	pool = eal_pool("frame", 1023);
	return unit_run("port/frame", cases, sizeof(cases) / sizeof(cases[0]));
}
