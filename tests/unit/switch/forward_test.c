/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of one frame: learning, the way out, and every reason to drop. */
#include "bed.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include "out.h"

#define OUTS(text) CU_ASSERT_STRING_EQUAL(bed_outs(), text)

static void stations_are_learnt(void)
{
	bed_begin();
	bed_make();
	bed_send(0, 2, 1); /* nobody knows 2 */
	OUTS("0111");
	bed_send(1, 1, 2);
	OUTS("1000");
	bed_send(0, 2, 1);
	OUTS("0100");
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_forwarded), 1);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_forwarded), 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_learnt), 1);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_frames), 2);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_bytes), 128);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_rx_bytes), 128);
	bed_end();
}

/* zero copy: what leaves is the mbuf that came, at the same place */
static void the_descriptor_itself_moves(void)
{
	static const int tci[] = {-1, 10 << 0, 3 << 13 | 10};

	for (size_t i = 0; i < ROWS(tci); i++) {
		struct rte_mbuf *m;
		const void *data;

		bed_begin();
		bed_make();
		bed_receive(1, bed_frame(1, 2, tci[i], 64));
		(void)bed_outs();
		m = bed_frame(2, 1, tci[i], 1514);
		data = rte_pktmbuf_mtod(m, void *);
		bed_receive(0, m);
		CU_ASSERT_EQUAL_FATAL(bed.port[1].nb_out, 1);
		CU_ASSERT_PTR_EQUAL(bed.port[1].out[0], m);
		CU_ASSERT_PTR_EQUAL(rte_pktmbuf_mtod(m, void *), data);
		CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(m), 1514);
		CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
		CU_ASSERT_EQUAL(bed_tag(m), tci[i]);
		bed_end();
	}
}

static void stations_move(void)
{
	bed_begin();
	bed_make();
	bed_send(0, 0, 1);
	bed_send(2, 0, 1);
	(void)bed_outs();
	CU_ASSERT_EQUAL(bed_count(2, COUNT_moved), 1);
	CU_ASSERT_EQUAL(bed_count(2, COUNT_learnt), 0);
	bed_send(1, 1, 2);
	OUTS("0010");
	bed_end();
}

static void stations_age(void)
{
	bed_begin();
	bed.config.age_s = 10;
	bed_make();
	bed_send(0, 0, 1);
	bed.now += 10 * BED_SECOND - 1;
	(void)bed_outs();
	bed_send(1, 1, 2);
	OUTS("1000");
	bed.now += 1;
	bed_send(1, 1, 2);
	OUTS("1011"); /* forgotten, and to be flooded */
	bed.now += 60 * BED_SECOND;
	bed_turn();
	CU_ASSERT_EQUAL(fdb_count(vswitch_fdb(bed.s)), 0);
	bed_end();
}

static void what_is_heard_stays(void)
{
	bed_begin();
	bed.config.age_s = 10;
	bed_make();
	for (int i = 0; i < 8; i++) {
		bed_send(0, 0, 1);
		bed.now += 9 * BED_SECOND;
	}
	(void)bed_outs();
	bed_send(1, 1, 2);
	OUTS("1000");
	CU_ASSERT_EQUAL(bed_count(0, COUNT_learnt), 1);
	bed_end();
}

static void without_ageing_nothing_is_forgotten(void)
{
	bed_begin();
	bed.config.age_s = 0;
	bed_make();
	bed_send(0, 0, 1);
	bed.now += 1000000 * BED_SECOND;
	(void)bed_outs();
	bed_send(1, 1, 2);
	OUTS("1000");
	bed_end();
}

static void a_flood_of_addresses_stays_behind_its_port(void)
{
	bed_begin();
	bed.config.entries = 400;
	bed_make();
	bed_send(1, 0, 1);
	for (unsigned i = 0; i < 1000; i++)
		bed_send(0, 1, 0x1000 + i);
	(void)bed_outs();
	CU_ASSERT_EQUAL(fdb_count_port(vswitch_fdb(bed.s), 0), 100);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_learnt), 100);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_learn_limit), 900);
	bed_send(2, 1, 2); /* what was known still is, */
	OUTS("0100");
	bed_send(0, 2, 0x1000); /* what is new is learnt, */
	OUTS("0010");
	bed_send(2, 0x1000 + 99, 2); /* and of those the first are there */
	OUTS("1000");
	bed_send(3, 0, 0x1000 + 5); /* a station may leave, */
	(void)bed_outs();
	CU_ASSERT_EQUAL(bed_count(3, COUNT_moved), 1);
	bed_send(0, 1, 0x5000); /* which makes room for one, */
	CU_ASSERT_EQUAL(bed_count(0, COUNT_learnt), 101);
	bed_send(0, 1, 2); /* but none is stolen: it is anywhere until it is heard again */
	CU_ASSERT_EQUAL(bed_count(0, COUNT_moved), 0);
	(void)bed_outs();
	bed_send(1, 2, 1);
	OUTS("1011");
	bed_send(2, 1, 2);
	(void)bed_outs();
	bed_send(1, 2, 1);
	OUTS("0010");
	bed_end();
}

static void a_full_table_forgets_nobody(void)
{
	bed_begin();
	bed.config.entries = 16;
	bed.config.port_entries = 16;
	bed_make();
	for (unsigned i = 0; i < 20; i++)
		bed_send(0, 0, 0x1000 + i);
	bed_send(1, 0, 1);
	(void)bed_outs();
	CU_ASSERT_EQUAL(bed_count(0, COUNT_learn_limit), 4);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_learn_full), 1);
	bed_send(1, 0x1000 + 15, 1);
	OUTS("1000");
	bed_end();
}

static void static_stations_stay(void)
{
	char why[100];

	bed_begin();
	CU_ASSERT_EQUAL(switch_config_static(&bed.config, "3=02:00:00:00:00:07", why, sizeof(why)),
	                0);
	bed.config.port_entries = 1;
	bed_make();
	bed_send(0, 7, 1);
	OUTS("0001");
	bed_send(1, 0, 7);
	(void)bed_outs();
	CU_ASSERT_EQUAL(bed_count(1, COUNT_learn_static), 1);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_moved), 0);
	bed_send(3, 0, 7);
	bed_send(3, 0, 8); /* it does not count as learnt */
	CU_ASSERT_EQUAL(bed_count(3, COUNT_learnt), 1);
	(void)bed_outs();
	bed.now += 1000 * BED_SECOND;
	bed_turn();
	bed.port[3].port.info.link_up = false;
	bed_turn();
	bed.port[3].port.info.link_up = true;
	bed_send(0, 7, 1);
	OUTS("0001");
	bed_end();
}

struct drop_row {
	const char *name;
	enum count c;
	int dst, src, tci, len;
};

static void each_drop_has_a_name(void)
{
	static const struct drop_row rows[] = {
	    {"short", COUNT_drop_runt, 0, 1, -1, 13},
	    {"tag cut off", COUNT_drop_runt, 0, 1, 10, 17},
	    {"long", COUNT_drop_oversize, 0, 1, -1, 1515},
	    {"long with a tag", COUNT_drop_oversize, 0, 1, 10, 1519},
	    {"from a group", COUNT_drop_source, 0, 0x101, -1, 64},
	    {"from all", COUNT_drop_source, 2, 0, -1, 64},
	    {"the VLAN that there is not", COUNT_drop_vlan, 0, 1, 0xfff, 64},
	    {"behind its own port", COUNT_drop_hairpin, 9, 1, -1, 64},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct drop_row *r = &rows[i];
		struct rte_mbuf *m = bed_frame((unsigned)r->dst, (unsigned)r->src, r->tci,
		                               (unsigned)RTE_MAX(r->len, 18));

		bed_begin();
		bed_make();
		bed_send(0, 0, 9);
		(void)bed_outs();
		if (r->len < 18)
			rte_pktmbuf_trim(m, (uint16_t)(18 - r->len));
		bed_receive(0, m);
		CHECK_ROW(bed_count(0, r->c) == 1, r->name);
		CHECK_ROW(strcmp(bed_outs(), "0000") == 0, r->name);
		bed_end();
	}
}

static void no_source_is_no_station(void)
{
	struct rte_mbuf *m = bed_frame(0, 1, -1, 64);

	bed_begin();
	bed_make();
	memset(rte_pktmbuf_mtod_offset(m, void *, 6), 0, 6);
	bed_receive(0, m);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_source), 1);
	CU_ASSERT_EQUAL(fdb_count(vswitch_fdb(bed.s)), 0);
	m = bed_frame(0, 1, 10, 64);
	memset(rte_pktmbuf_mtod_offset(m, void *, 6), 0, 6);
	bed_receive(0, m);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_source), 2);
	bed_end();
}

static void send_reserved(unsigned port, uint8_t last)
{
	struct rte_mbuf *m = bed_frame(0, 1, -1, 64);
	const uint8_t group[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, last};

	memcpy(rte_pktmbuf_mtod(m, void *), group, sizeof(group));
	bed_receive(port, m);
}

static void reserved_groups_stay_on_their_link(void)
{
	bed_begin();
	bed.config.group_forward = 1u << 14;
	bed_make();
	for (uint8_t i = 0; i < 16; i++) {
		send_reserved(0, i);
		OUTS(i == 14 ? "0111" : "0000");
	}
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_reserved), 15);
	send_reserved(0, 16);
	OUTS("0111");
	bed_end();
}

static void sizes_follow_the_ports(void)
{
	bed_begin();
	bed.port[1].port.info.mtu = 1000;
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed_receive(0, bed_frame(2, 1, -1, 1014));
	OUTS("0100");
	bed_receive(0, bed_frame(2, 1, -1, 1015));
	OUTS("0000");
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_mtu), 1);
	bed_receive(0, bed_frame(0, 1, -1, 1015));
	OUTS("0011");
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_mtu), 1);
	bed_receive(0, bed_frame(0, 1, 10, 1518)); /* a tag is no part of the packet */
	OUTS("0011");
	bed_end();
}

static void links_go_down_and_up(void)
{
	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed.port[1].port.info.link_up = false;
	bed_send(0, 2, 1);
	OUTS("0011"); /* 2 is forgotten, and nothing goes where there is no link */
	CU_ASSERT_EQUAL(bed_count(1, COUNT_flushed), 1);
	bed.port[1].port.info.link_up = true;
	bed_send(0, 2, 1);
	OUTS("0111");
	for (unsigned i = 1; i < BED_PORTS; i++)
		bed.port[i].port.info.link_up = false;
	bed_send(0, 2, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_nowhere), 1);
	bed_end();
}

static void a_static_station_may_have_no_link(void)
{
	char why[100];

	bed_begin();
	(void)switch_config_static(&bed.config, "3=02:00:00:00:00:07", why, sizeof(why));
	bed.port[3].port.info.link_up = false;
	bed_make();
	bed_send(0, 7, 1);
	OUTS("0000");
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_link), 1);
	bed_end();
}

static void a_full_queue_drops_and_heals(void)
{
	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed.port[1].room = 0;
	for (unsigned i = 0; i < OUT_SIZE + 10; i++)
		bed_send(0, 2, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_forwarded), OUT_SIZE);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_queue), 10);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_queue_full), 10);
	bed.port[1].room = BED_QUEUE; /* the next frame finds that there is room again */
	bed_send(0, 2, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_queue), 10);
	CU_ASSERT_EQUAL(bed.port[1].nb_out, OUT_SIZE + 1);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_frames), OUT_SIZE + 1);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_bytes), (OUT_SIZE + 1) * 64);
	bed_end();
}

static void the_order_stays(void)
{
	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed.port[1].room = 7;
	for (unsigned i = 0; i < 40; i++)
		bed_put(0, bed_frame(2, 1, -1, 100 + i));
	bed_turn();
	bed.port[1].room = 20;
	bed_turn();
	bed.port[1].room = BED_QUEUE;
	bed_turn();
	CU_ASSERT_EQUAL_FATAL(bed.port[1].nb_out, 40);
	for (unsigned i = 0; i < 40; i++)
		CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(bed.port[1].out[i]), 100 + i);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_bytes), 40 * 100 + 39 * 20);
	bed_end();
}

static void a_dead_port_keeps_no_mbufs(void)
{
	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed.port[1].room = 0;
	for (unsigned i = 0; i < 100; i++)
		bed_send(0, 2, 1);
	CU_ASSERT_NOT_EQUAL(vswitch_turn(bed.s, bed.now), 0); /* it goes on trying, */
	bed.now += OUT_STUCK_NS - 1;
	bed_turn();
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), 100);
	bed.now += 1;
	CU_ASSERT_EQUAL(vswitch_turn(bed.s, bed.now), 0); /* and gives up */
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_stuck), 100);
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), 0);
	bed_send(0, 2, 1); /* the next has its own time */
	bed_turn();
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), 1);
	bed_end();
}

static void a_slow_port_is_not_dead(void)
{
	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed.port[1].room = 0;
	for (unsigned i = 0; i < 20; i++)
		bed_send(0, 2, 1);
	for (unsigned i = 0; i < 20; i++) {
		bed.now += OUT_STUCK_NS - 1;
		bed.port[1].room = 1;
		bed_turn();
	}
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_stuck), 0);
	CU_ASSERT_EQUAL(bed.port[1].nb_out, 20);
	bed_end();
}

/* A UDP datagram over IPv4 whose checksums are left to the device: the pseudo-header's sum is there. */
static struct rte_mbuf *unfinished(uint64_t flags, bool good)
{
	struct rte_mbuf *m = bed_frame(2, 1, -1, 14 + 20 + 8 + 11 + 5);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	rte_pktmbuf_mtod(m, uint8_t *)[12] = 0x08;
	rte_pktmbuf_mtod(m, uint8_t *)[13] = 0x00;
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .next_proto_id = 17, .time_to_live = 9};
	ip->total_length = rte_cpu_to_be_16(20 + 8 + 11); /* what follows is padding */
	ip->src_addr = rte_cpu_to_be_32(0xc0000201);
	ip->dst_addr = rte_cpu_to_be_32(0xc0000202);
	udp->src_port = udp->dst_port = rte_cpu_to_be_16(9);
	udp->dgram_len = rte_cpu_to_be_16(8 + 11);
	udp->dgram_cksum = 0;
	udp->dgram_cksum = good ? rte_ipv4_udptcp_cksum(ip, udp) : rte_ipv4_phdr_cksum(ip, 0);
	ip->hdr_checksum = good ? rte_ipv4_cksum(ip) : 0;
	m->ol_flags |= flags;
	return m;
}

static void unfinished_checksums_are_finished(void)
{
	static const uint64_t flags[] = {
	    RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM,
	    RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4,
	};

	for (size_t i = 0; i < ROWS(flags); i++) {
		struct rte_mbuf *m, *good = unfinished(0, true);

		bed_begin();
		bed_make();
		bed_send(1, 0, 2);
		(void)bed_outs();
		m = unfinished(flags[i], false);
		bed_receive(0, m);
		CU_ASSERT_EQUAL_FATAL(bed.port[1].nb_out, 1);
		CU_ASSERT_PTR_EQUAL(bed.port[1].out[0], m);
		CU_ASSERT_EQUAL(m->ol_flags, 0);
		CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_mtod(good, void *),
		                       m->data_len),
		                0);
		rte_pktmbuf_free(good);
		bed_end();
	}
}

/* RFC 768: 0 in a datagram says that there is no checksum. */
static void a_sum_of_zero_is_sent_as_ones(void)
{
	struct rte_mbuf *m = unfinished(RTE_MBUF_F_TX_UDP_CKSUM, false),
	                *good = unfinished(0, true);
	uint16_t *payload = rte_pktmbuf_mtod_offset(m, uint16_t *, 14 + 20 + 8), sum;

	/* what the sum lacks to ones is put into a word of what is summed */
	sum = rte_pktmbuf_mtod_offset(good, struct rte_udp_hdr *, 34)->dgram_cksum;
	*payload = (uint16_t)rte_raw_cksum((uint16_t[]){*payload, sum}, 4);
	rte_pktmbuf_free(good);
	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	bed_receive(0, m);
	CU_ASSERT_EQUAL(rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, 34)->dgram_cksum, 0xffff);
	bed_end();
}

static void what_was_said_of_a_frame_is_forgotten(void)
{
	struct rte_mbuf *m;

	bed_begin();
	bed_make();
	bed_send(1, 0, 2);
	(void)bed_outs();
	m = unfinished(RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD |
	                   RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_TX_OUTER_IP_CKSUM,
	               true);
	bed_receive(0, m);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	OUTS("0100");
	bed_receive(0, unfinished(RTE_MBUF_F_TX_TCP_SEG, true)); /* nobody cuts it */
	OUTS("0000");
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_oversize), 1);
	bed_end();
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"stations are learnt", stations_are_learnt},
	    {"the descriptor itself moves", the_descriptor_itself_moves},
	    {"stations move", stations_move},
	    {"stations age", stations_age},
	    {"what is heard stays", what_is_heard_stays},
	    {"without ageing nothing is forgotten", without_ageing_nothing_is_forgotten},
	    {"a flood of addresses stays behind its port",
	     a_flood_of_addresses_stays_behind_its_port},
	    {"a full table forgets nobody", a_full_table_forgets_nobody},
	    {"static stations stay", static_stations_stay},
	    {"each drop has a name", each_drop_has_a_name},
	    {"no source is no station", no_source_is_no_station},
	    {"reserved groups stay on their link", reserved_groups_stay_on_their_link},
	    {"sizes follow the ports", sizes_follow_the_ports},
	    {"links go down and up", links_go_down_and_up},
	    {"a static station may have no link", a_static_station_may_have_no_link},
	    {"a full queue drops and heals", a_full_queue_drops_and_heals},
	    {"the order stays", the_order_stays},
	    {"a dead port keeps no mbufs", a_dead_port_keeps_no_mbufs},
	    {"a slow port is not dead", a_slow_port_is_not_dead},
	    {"a sum of zero is sent as ones", a_sum_of_zero_is_sent_as_ones},
	    {"unfinished checksums are finished", unfinished_checksums_are_finished},
	    {"what was said of a frame is forgotten", what_was_said_of_a_frame_is_forgotten},
	};

	return bed_run("switch/forward", cases, ROWS(cases));
}
