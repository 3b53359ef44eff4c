/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "common.h"

#define FRAMES 10000
#define MS     UINT64_C(1000000)

static struct rte_mempool *pool;
static struct pc_port *near_end, *far_end; /* the fault port, and the wire's other end */

static void begin(struct pc_fault_config config)
{
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port *e[2];

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	config.pool = pool;
	near_end = pc_port_fault(e[0], &config);
	CU_ASSERT_FATAL(near_end != NULL);
	far_end = e[1];
}

static void end(void)
{
	pc_port_close(near_end);
	pc_port_close(far_end);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static struct pc_fault_stats stats(void)
{
	struct pc_fault_stats s;

	pc_port_fault_stats(near_end, &s);
	return s;
}

static void arrive(uint32_t n)
{
	struct rte_mbuf *m = make_frame(pool, n, 100);

	CU_ASSERT_EQUAL_FATAL(port_tx(far_end, &m, 1, 0), 1);
}

/* Receives one frame at a time; returns its number, or -1. */
static int64_t receive(uint64_t now)
{
	struct rte_mbuf *m;
	int64_t n;

	if (port_rx(near_end, &m, 1, now) == 0)
		return -1;
	n = frame_number(m);
	rte_pktmbuf_free(m);
	return n;
}

static void without_faults_nothing_changes(void)
{
	begin((struct pc_fault_config){.seed = 1});
	for (uint32_t i = 0; i < 100; i++)
		arrive(i);
	for (uint32_t i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(receive(0), i);
	CU_ASSERT_EQUAL(receive(0), -1);
	CU_ASSERT_EQUAL(near_end->ops->next_deadline(near_end), UINT64_MAX);
	end();
}

/* Notes which of FRAMES frames arrive, in order, and how they look. */
static uint32_t record(struct pc_fault_config config, uint32_t *numbers)
{
	struct rte_mbuf *m;
	uint32_t n = 0;

	begin(config);
	for (uint32_t i = 0; i < FRAMES; i++) {
		arrive(i);
		while (port_rx(near_end, &m, 1, i * MS) == 1) {
			numbers[n++] = frame_number(m) + (frame_is_intact(m) ? 0 : 1u << 31);
			rte_pktmbuf_free(m);
		}
	}
	end();
	return n;
}

static void the_same_seed_gives_the_same_faults(void)
{
	struct pc_fault_config config = {.seed = 42,
	                                 .rx_loss_ppm = 50000,
	                                 .duplicate_ppm = 50000,
	                                 .reorder_ppm = 50000,
	                                 .corrupt_ppm = 50000,
	                                 .jitter_ns = 3 * MS};
	static uint32_t a[2 * FRAMES], b[2 * FRAMES];
	uint32_t na = record(config, a), nb = record(config, b);

	CU_ASSERT_EQUAL_FATAL(na, nb);
	CU_ASSERT_EQUAL(memcmp(a, b, na * sizeof(a[0])), 0);
	config.seed = 43;
	nb = record(config, b);
	CU_ASSERT(na != nb || memcmp(a, b, na * sizeof(a[0])) != 0);
}

static void rates_are_as_configured(void)
{
	struct pc_fault_stats s;

	begin((struct pc_fault_config){
	    .seed = 7, .rx_loss_ppm = 100000, .duplicate_ppm = 50000, .corrupt_ppm = 20000});
	for (uint32_t i = 0; i < FRAMES; i++) {
		arrive(i);
		while (receive(0) >= 0)
			;
	}
	s = stats();
	CU_ASSERT_EQUAL(s.rx, FRAMES);
	CU_ASSERT(s.rx_lost > 900 && s.rx_lost < 1100);
	CU_ASSERT(s.duplicated > 380 && s.duplicated < 520);
	CU_ASSERT(s.corrupted > 130 && s.corrupted < 230);
	end();
}

static void certainties_are_certain(void)
{
	struct rte_mbuf *m;

	begin((struct pc_fault_config){.duplicate_ppm = 1000000, .corrupt_ppm = 1000000});
	arrive(5);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(
	    memcmp(rte_pktmbuf_mtod(m, uint8_t *), "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0", 14), 0);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(stats().corrupted, 1);
	CU_ASSERT_EQUAL(stats().duplicated, 1);
	end();
}

static void corruption_flips_one_bit_and_takes_marks_off(void)
{
	struct rte_mbuf *m, *good = make_frame(pool, 9, 100);
	unsigned bits = 0;

	begin((struct pc_fault_config){.corrupt_ppm = 1000000});
	arrive(9);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
	for (unsigned i = 0; i < 100; i++)
		bits +=
		    (unsigned)__builtin_popcount((unsigned)(rte_pktmbuf_mtod(m, uint8_t *)[i] ^
		                                            rte_pktmbuf_mtod(good, uint8_t *)[i]));
	CU_ASSERT_EQUAL(bits, 1);
	CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, 0);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(good);
	end();
}

/* sends an IPv4 packet with this type of service; returns the one it arrives with, -1: damaged */
static int tos_after(uint8_t tos, uint64_t now_ns)
{
	struct rte_mbuf *m = make_frame(pool, 1, 1000), *kept = m;
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	int got;

	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = tos;
	ip->total_length = rte_cpu_to_be_16(1000 - 14);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	rte_mbuf_refcnt_set(m, 2); /* the sender may send it again */
	CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, now_ns), 1);
	/* it arrives at once, or when it has passed the wire */
	if (port_rx(near_end, &m, 1, now_ns) == 0)
		CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, now_ns + MS), 1);
	CU_ASSERT_EQUAL(ip->type_of_service, tos);
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	got = rte_raw_cksum(ip, sizeof(*ip)) == 0xffff ? ip->type_of_service : -1;
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(kept);
	return got;
}

static void what_is_capable_is_marked(void)
{
	begin((struct pc_fault_config){.mark_ppm = 1000000});
	CU_ASSERT_EQUAL(tos_after(2, 0), 3);
	CU_ASSERT_EQUAL(tos_after(0xb9, 0), 0xbb);
	CU_ASSERT_EQUAL(tos_after(3, 0), 3);
	CU_ASSERT_EQUAL(tos_after(0xb8, 0), 0xb8);
	CU_ASSERT_EQUAL(stats().marked, 2);
	end();
}

/* RFC 3168 section 5: of IPv6 it is the traffic class, whose other bits, and the flow label, stay as they are */
static void what_is_capable_is_marked_of_ip6_too(void)
{
	begin((struct pc_fault_config){.mark_ppm = 1000000});
	for (unsigned ecn = 0; ecn < 4; ecn++) {
		struct rte_mbuf *m = make_frame(pool, 1, 1000);
		uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);

		ip[-2] = 0x86;
		ip[-1] = 0xdd;
		ip[0] = 0x6b;
		ip[1] = (uint8_t)(0x8f | ecn << 4);
		CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
		CU_ASSERT_EQUAL_FATAL(port_rx(near_end, &m, 1, 0), 1);
		ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
		CU_ASSERT_EQUAL(ip[0], 0x6b);
		CU_ASSERT_EQUAL(ip[1], ecn == 0 ? 0x8f : 0xbf);
		rte_pktmbuf_free(m);
	}
	CU_ASSERT_EQUAL(stats().marked, 2);
	end();
}

/* puts n tags, of 802.1ad and then 802.1Q, in front of what follows the addresses; returns their bytes */
static uint16_t put_tags(struct rte_mbuf *m, unsigned n)
{
	static const uint8_t tags[8] = {0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x60, 0x0a};
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)(4 * n));

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memmove(p, p + (size_t)4 * n, 12);
	memcpy(p + 12, tags + 8 - (size_t)4 * n, (size_t)4 * n);
	return (uint16_t)(4 * n);
}

/* and behind the tags of a VLAN, or of two */
static void what_is_capable_is_marked_behind_tags(void)
{
	for (unsigned n = 1; n <= 2; n++) {
		const uint16_t at = (uint16_t)(14 + 4 * n);
		struct rte_mbuf *m = make_frame(pool, 1, 100);
		struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);

		begin((struct pc_fault_config){.mark_ppm = 1000000});
		memset(ip, 0, sizeof(*ip));
		ip->version_ihl = RTE_IPV4_VHL_DEF;
		ip->type_of_service = 2;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		put_tags(m, n);
		CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
		CU_ASSERT_EQUAL_FATAL(port_rx(near_end, &m, 1, 0), 1);
		ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, at);
		CU_ASSERT_EQUAL(ip->type_of_service, 3);
		CU_ASSERT_EQUAL(rte_raw_cksum(ip, sizeof(*ip)), 0xffff);
		rte_pktmbuf_free(m);
		end();
	}
}

static void a_queue_that_is_long_marks(void)
{
	struct rte_mbuf *m = NULL;

	/* 1000 bytes take 0.1 ms */
	begin((struct pc_fault_config){.rate_bps = 80000000, .mark_ns = MS / 2});
	CU_ASSERT_EQUAL(tos_after(2, 0), 2);
	for (uint32_t i = 0; i < 6; i++) {
		m = make_frame(pool, i, 1000);
		CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 10 * MS), 1);
	}
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 10 * MS), 0);
	m = make_frame(pool, 7, 1000);
	rte_pktmbuf_mtod(m, uint8_t *)[15] = 2;
	CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 10 * MS), 1);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 10 * MS), 0);
	CU_ASSERT_EQUAL(stats().marked, 1);
	end();
}

static void arp_is_not_corrupted(void)
{
	struct rte_mbuf *m = make_frame(pool, 1, 60);

	begin((struct pc_fault_config){.corrupt_ppm = 1000000});
	rte_pktmbuf_mtod(m, uint8_t *)[13] = 0x06;
	CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
	CU_ASSERT(frame_is_intact(m));
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(stats().corrupted, 0);
	end();
}

/* damage to a tag, or to the ARP behind it, would be found on a wire as that to the Ethernet header is */
static void tags_are_not_corrupted(void)
{
	struct rte_mbuf *m, *good;

	for (unsigned n = 1; n <= 2; n++) {
		begin((struct pc_fault_config){.corrupt_ppm = 1000000});
		for (uint32_t i = 0; i < 300; i++) {
			m = make_frame(pool, i, 24);
			put_tags(m, n);
			good = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
			CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
			CU_ASSERT_EQUAL_FATAL(port_rx(near_end, &m, 1, 0), 1);
			CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *),
			                       rte_pktmbuf_mtod(good, void *), 14 + (size_t)4 * n),
			                0);
			rte_pktmbuf_free(m);
			rte_pktmbuf_free(good);
		}
		CU_ASSERT_EQUAL(stats().corrupted, 300);
		m = make_frame(pool, 1, 60);
		rte_pktmbuf_mtod(m, uint8_t *)[13] = 0x06;
		put_tags(m, n);
		CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
		CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
		rte_pktmbuf_free(m);
		CU_ASSERT_EQUAL(stats().corrupted, 300);
		end();
	}
}

static void delay_is_exact_and_told(void)
{
	begin((struct pc_fault_config){.delay_ns = 10 * MS});
	arrive(1);
	CU_ASSERT_EQUAL(receive(5 * MS), -1);
	CU_ASSERT_EQUAL(near_end->ops->next_deadline(near_end), 15 * MS);
	CU_ASSERT_EQUAL(receive(15 * MS - 1), -1);
	CU_ASSERT_EQUAL(receive(15 * MS), 1);
	end();
}

static void jitter_keeps_the_order(void)
{
	int64_t n, last = -1;

	begin((struct pc_fault_config){.seed = 3, .delay_ns = MS, .jitter_ns = 20 * MS});
	for (uint32_t i = 0; i < 500; i++) {
		arrive(i);
		while ((n = receive(i * MS)) >= 0) {
			CU_ASSERT_EQUAL(n, last + 1);
			last = n;
		}
	}
	end();
}

static void a_reordered_frame_is_late_alone(void)
{
	struct pc_fault_config config = {.reorder_ppm = 1000000, .reorder_delay_ns = 2 * MS};

	begin(config);
	arrive(1);
	CU_ASSERT_EQUAL(receive(0), -1);
	config.reorder_ppm = 0;
	pc_port_fault_set(near_end, &config);
	arrive(2);
	arrive(3);
	CU_ASSERT_EQUAL(receive(0), 2);
	CU_ASSERT_EQUAL(receive(0), 3);
	CU_ASSERT_EQUAL(receive(2 * MS), 1);
	CU_ASSERT_EQUAL(stats().reordered, 1);
	end();
}

static void rate_spaces_frames(void)
{
	/* 100 bytes at 800 kbit/s: one in a millisecond */
	begin((struct pc_fault_config){.rate_bps = 800000});
	arrive(1);
	arrive(2);
	arrive(3);
	CU_ASSERT_EQUAL(receive(0), -1);
	CU_ASSERT_EQUAL(receive(MS), 1);
	CU_ASSERT_EQUAL(receive(MS), -1);
	CU_ASSERT_EQUAL(receive(2 * MS), 2);
	CU_ASSERT_EQUAL(receive(3 * MS), 3);
	end();
}

static void a_full_queue_overflows(void)
{
	begin((struct pc_fault_config){.delay_ns = MS, .queue = 4});
	for (uint32_t i = 0; i < 10; i++)
		arrive(i);
	CU_ASSERT_EQUAL(receive(0), -1);
	CU_ASSERT_EQUAL(stats().overflowed, 6);
	for (uint32_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(receive(MS), i);
	arrive(99); /* one that is still held when the port is closed */
	CU_ASSERT_EQUAL(receive(MS), -1);
	end();
}

static void sent_frames_are_lost_in_order(void)
{
	struct rte_mbuf *m[64];
	uint32_t got = 0, last = 0, n;

	begin((struct pc_fault_config){.seed = 5, .tx_loss_ppm = 250000});
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 64; i++)
			m[i] = make_frame(pool, round * 64 + i + 1, 60);
		CU_ASSERT_EQUAL(port_tx(near_end, m, 64, 0), 64);
		while (port_rx(far_end, m, 1, 0) == 1) {
			n = frame_number(m[0]);
			CU_ASSERT(n > last);
			last = n;
			got++;
			rte_pktmbuf_free(m[0]);
		}
	}
	CU_ASSERT_EQUAL(stats().tx, 1280);
	CU_ASSERT_EQUAL(got + stats().tx_lost, 1280);
	CU_ASSERT(stats().tx_lost > 250 && stats().tx_lost < 390);
	end();
}

static void what_the_inner_port_refuses_is_the_callers(void)
{
	const struct pc_wire_config wire = {.pool = pool, .capacity = 2};
	const struct pc_fault_config config = {.tx_loss_ppm = 1, .pool = pool};
	struct rte_mbuf *m[4];
	struct pc_port *e[2];

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	near_end = pc_port_fault(e[0], &config);
	far_end = e[1];
	for (uint32_t i = 0; i < 4; i++)
		m[i] = make_frame(pool, i, 60);
	CU_ASSERT_EQUAL(port_tx(near_end, m, 4, 0), 2);
	rte_pktmbuf_free_bulk(m + 2, 2);
	end();
}

/* a device whose checksums turn out wrong is believed no more than without faults */
static void the_port_below_is_followed(void)
{
	const struct pc_wire_config wire = {.pool = pool,
	                                    .offloads = PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM};
	const struct pc_fault_config config = {.pool = pool};
	struct pc_port *e[2];

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	near_end = pc_port_fault(e[0], &config);
	far_end = e[1];
	CU_ASSERT(layer_follows(near_end, e[0]));
	end();
}

/* Gilbert and Elliott: bursts begin with burst_ppm and end with burst_end_ppm, so that they are
 * 1 / burst_end long and burst / (burst + end) of all frames fall into one. */
static void losses_come_in_bursts(void)
{
	uint64_t bursts = 0;
	bool lost, before = false;

	begin((struct pc_fault_config){.seed = 9, .burst_ppm = 10000, .burst_end_ppm = 250000});
	for (uint32_t i = 0; i < 10 * FRAMES; i++) {
		arrive(i);
		lost = receive(0) < 0;
		bursts += lost && !before;
		before = lost;
	}
	CU_ASSERT_EQUAL(stats().burst_lost, stats().rx_lost);
	CU_ASSERT(stats().rx_lost > 3500 && stats().rx_lost < 4200);
	CU_ASSERT(10 * stats().rx_lost > 36 * bursts && 10 * stats().rx_lost < 44 * bursts);
	end();
}

static void a_burst_need_not_lose_all(void)
{
	begin((struct pc_fault_config){
	    .seed = 9, .burst_ppm = 1000000, .burst_end_ppm = 1, .burst_loss_ppm = 300000});
	for (uint32_t i = 0; i < FRAMES; i++) {
		arrive(i);
		receive(0);
	}
	CU_ASSERT(stats().rx_lost > 2800 && stats().rx_lost < 3200);
	end();
}

static void acknowledgements_are_lost_alone(void)
{
	struct rte_mbuf *m;

	begin((struct pc_fault_config){.ack_loss_ppm = 1000000});
	arrive(1);
	m = make_frame(pool, 2, 14 + 92);
	CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
	m = make_frame(pool, 3, 14 + 93);
	CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
	m = make_frame(pool, 4, 60); /* ARP is not an acknowledgement */
	rte_pktmbuf_mtod(m, uint8_t *)[13] = 0x06;
	CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(receive(0), 3);
	CU_ASSERT_EQUAL(receive(0), 4);
	CU_ASSERT_EQUAL(receive(0), -1);
	CU_ASSERT_EQUAL(stats().ack_lost, 2);
	end();
}

static void acknowledgements_have_tags_too(void)
{
	struct rte_mbuf *m;

	begin((struct pc_fault_config){.ack_loss_ppm = 1000000});
	for (uint32_t i = 0; i < 2; i++) {
		m = make_frame(pool, i, (uint16_t)(14 + 92 + i));
		put_tags(m, 1);
		CU_ASSERT_EQUAL(port_tx(far_end, &m, 1, 0), 1);
	}
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(m), 18 + 93);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(stats().ack_lost, 1);
	end();
}

static void send_with_df(uint16_t len)
{
	struct rte_mbuf *m = make_frame(pool, 1, (uint16_t)(14 + len));
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);

	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
	                            .total_length = rte_cpu_to_be_16(len),
	                            .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)};
	CU_ASSERT_EQUAL_FATAL(port_tx(far_end, &m, 1, 0), 1);
}

static void a_small_mtu_lets_small_packets_pass(void)
{
	struct pc_fault_config config = {.mtu = 600};
	struct rte_mbuf *m;

	begin(config);
	send_with_df(600);
	send_with_df(601);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 1);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 0);
	CU_ASSERT_EQUAL(port_rx(far_end, &m, 1, 0), 0); /* a black hole */
	config.mtu_icmp = true;
	pc_port_fault_set(near_end, &config);
	send_with_df(601);
	CU_ASSERT_EQUAL(port_rx(near_end, &m, 1, 0), 0);
	CU_ASSERT_EQUAL(port_rx(far_end, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(rte_pktmbuf_mtod(m, uint8_t *)[14 + 20], 3);
	CU_ASSERT_EQUAL(rte_pktmbuf_mtod(m, uint8_t *)[14 + 21], 4);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(stats().too_big, 2);
	end();
}

static void a_short_queue_drops_what_would_wait(void)
{
	/* 100 bytes at 800 kbit/s: one in a millisecond; the fourth would wait for 3 ms */
	begin((struct pc_fault_config){
	    .rate_bps = 800000, .backlog_ns = 2 * MS, .delay_ns = 50 * MS});
	for (uint32_t i = 0; i < 6; i++)
		arrive(i);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(receive((i == 0 ? 0 : 50 + i) * MS), i == 0 ? -1 : (int64_t)i - 1);
	CU_ASSERT_EQUAL(stats().overflowed, 3);
	arrive(9); /* the wire is free again */
	CU_ASSERT_EQUAL(receive(53 * MS), 2);
	CU_ASSERT_EQUAL(receive(104 * MS), 9);
	end();
}

static void bad_configs_are_refused(void)
{
	const struct pc_fault_config no_pool = {0};
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port *e[2];

	CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
	CU_ASSERT_PTR_NULL(pc_port_fault(e[0], &no_pool));
	CU_ASSERT_EQUAL(errno, EINVAL);
	pc_port_close(e[0]);
	pc_port_close(e[1]);
}

static const struct unit_case cases[] = {
    {"without faults nothing changes", without_faults_nothing_changes},
    {"the same seed gives the same faults", the_same_seed_gives_the_same_faults},
    {"rates are as configured", rates_are_as_configured},
    {"certainties are certain", certainties_are_certain},
    {"corruption flips one bit", corruption_flips_one_bit_and_takes_marks_off},
    {"ARP is not corrupted", arp_is_not_corrupted},
    {"tags are not corrupted", tags_are_not_corrupted},
    {"ECN-capable packets are marked", what_is_capable_is_marked},
    {"ECN-capable packets of IPv6 are marked", what_is_capable_is_marked_of_ip6_too},
    {"ECN-capable packets with tags are marked", what_is_capable_is_marked_behind_tags},
    {"a long queue marks", a_queue_that_is_long_marks},
    {"delay is exact and told", delay_is_exact_and_told},
    {"jitter keeps the order", jitter_keeps_the_order},
    {"a reordered frame is late alone", a_reordered_frame_is_late_alone},
    {"rate spaces frames", rate_spaces_frames},
    {"a full queue overflows", a_full_queue_overflows},
    {"sent frames are lost, in order", sent_frames_are_lost_in_order},
    {"what the inner port refuses is the caller's", what_the_inner_port_refuses_is_the_callers},
    {"the port below is followed", the_port_below_is_followed},
    {"losses come in bursts", losses_come_in_bursts},
    {"a burst need not lose all", a_burst_need_not_lose_all},
    {"acknowledgements are lost alone", acknowledgements_are_lost_alone},
    {"acknowledgements with tags are lost", acknowledgements_have_tags_too},
    {"a small MTU lets small packets pass", a_small_mtu_lets_small_packets_pass},
    {"a short queue drops what would wait", a_short_queue_drops_what_would_wait},
    {"bad configs are refused", bad_configs_are_refused},
};

int main(void)
{
	eal_start();
	pool = eal_pool("fault", 4095);
	return unit_run("port/fault", cases, sizeof(cases) / sizeof(cases[0]));
}
