/* SPDX-License-Identifier: BSD-2-Clause */
/* VLANs by a table: port 0 is an access port of VLAN 10, port 1 a trunk of 10 and 20 with 30 as its native one, port 2 open,
 * port 3 a trunk of 10 to 19 without one. */
#include "bed.h"

#define NONE (-2) /* nothing comes out */
#define BARE (-1)
#define PRIO (5 << 13)

static void begin(void)
{
	char why[200] = "";

	bed_begin();
	CU_ASSERT_EQUAL(switch_config_access(&bed.config, "0=10", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(switch_config_trunk(&bed.config, "1=10,20", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(switch_config_native(&bed.config, "1=30", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(switch_config_trunk(&bed.config, "3=10-19", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(switch_config_check(&bed.config, why, sizeof(why)), 0);
	bed_make();
}

struct vlan_row {
	const char *name;
	unsigned in;
	int tci;            /* of what comes in */
	int out[BED_PORTS]; /* of what comes out */
	int c;              /* drop, or -1 */
};

static const struct vlan_row rows[] = {
    {"access, no tag", 0, BARE, {NONE, 10, 10, 10}, -1},
    {"access, priority", 0, PRIO, {NONE, PRIO | 10, PRIO | 10, PRIO | 10}, -1},
    {"access, its VLAN with a tag", 0, 10, {NONE, 10, 10, 10}, -1},
    {"access, another", 0, 20, {NONE, NONE, NONE, NONE}, COUNT_drop_vlan},
    {"trunk, a VLAN of its", 1, PRIO | 10, {BARE, NONE, PRIO | 10, PRIO | 10}, -1},
    {"trunk, one that few have", 1, 20, {NONE, NONE, 20, NONE}, -1},
    {"trunk, native", 1, BARE, {NONE, NONE, 30, NONE}, -1},
    {"trunk, native with a tag", 1, 30, {NONE, NONE, 30, NONE}, -1},
    {"trunk, native with a priority", 1, PRIO, {NONE, NONE, PRIO | 30, NONE}, -1},
    {"trunk, one that it has not", 1, 11, {NONE, NONE, NONE, NONE}, COUNT_drop_vlan},
    {"open, no tag: nobody else", 2, BARE, {NONE, NONE, NONE, NONE}, COUNT_drop_nowhere},
    {"open, 10", 2, 10, {BARE, 10, NONE, 10}, -1},
    {"open, native of another", 2, 30, {NONE, BARE, NONE, NONE}, -1},
    {"open, the last", 2, 4094, {NONE, NONE, NONE, NONE}, COUNT_drop_nowhere},
    {"open, the reserved one", 2, 4095, {NONE, NONE, NONE, NONE}, COUNT_drop_vlan},
    {"trunk without native, no tag", 3, BARE, {NONE, NONE, NONE, NONE}, COUNT_drop_untagged},
    {"trunk without native, priority", 3, PRIO, {NONE, NONE, NONE, NONE}, COUNT_drop_untagged},
    {"trunk, first of a range", 3, 10, {BARE, 10, 10, NONE}, -1},
    {"trunk, last of a range", 3, 19, {NONE, NONE, 19, NONE}, -1},
    {"trunk, behind the range", 3, 20, {NONE, NONE, NONE, NONE}, COUNT_drop_vlan},
};

static bool came_out(unsigned port, int tci)
{
	const struct bed_port *p = &bed.port[port];

	if (tci == NONE)
		return p->nb_out == 0;
	return p->nb_out == 1 && bed_tag(p->out[0]) == tci && p->out[0]->ol_flags == 0 &&
	       rte_pktmbuf_pkt_len(p->out[0]) == (tci == BARE ? 100u : 104u);
}

/* Sends the frame of a row, flooded or (with to) to a station. */
static void send_row(const struct vlan_row *r, unsigned to)
{
	bed_receive(r->in, bed_frame(to, 1, r->tci, r->tci == BARE ? 100 : 104));
}

static void floods_keep_to_their_vlan(void)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		begin();
		send_row(&rows[i], 0);
		for (unsigned p = 0; p < BED_PORTS; p++)
			CHECK_ROW(came_out(p, rows[i].out[p]), rows[i].name);
		if (rows[i].c >= 0)
			CHECK_ROW(bed_count(rows[i].in, (enum count)rows[i].c) == 1, rows[i].name);
		bed_end();
	}
}

/* The same for a station that is known: it answers from each port that the flood has reached. */
static void stations_keep_to_their_vlan(void)
{
	for (size_t i = 0; i < ROWS(rows); i++)
		for (unsigned to = 0; to < BED_PORTS; to++) {
			if (rows[i].out[to] == NONE)
				continue;
			begin();
			bed_receive(to, bed_frame(0, 2, rows[i].out[to], 64));
			(void)bed_outs();
			send_row(&rows[i], 2);
			for (unsigned p = 0; p < BED_PORTS; p++)
				CHECK_ROW(came_out(p, p == to ? rows[i].out[p] : NONE),
				          rows[i].name);
			CHECK_ROW(bed_count(rows[i].in, COUNT_forwarded) == 1, rows[i].name);
			bed_end();
		}
}

static void a_station_may_be_in_two_vlans(void)
{
	begin();
	bed_receive(1, bed_frame(0, 2, 10, 64));
	bed_receive(3, bed_frame(0, 2, 11, 64));
	(void)bed_outs();
	CU_ASSERT_EQUAL(fdb_count(vswitch_fdb(bed.s)), 2);
	bed_receive(2, bed_frame(2, 1, 10, 64));
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0100");
	bed_receive(2, bed_frame(2, 1, 11, 64));
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0001");
	bed_end();
}

/* Two tags: the outer one is ours, the rest passes. */
static void double_tags_pass(void)
{
	struct rte_mbuf *m = bed_frame(0, 1, 10, 1522);
	const uint8_t inner[4] = {0x81, 0x00, 0x00, 0x4d};

	begin();
	memcpy(rte_pktmbuf_mtod_offset(m, void *, 16), inner, sizeof(inner));
	bed_receive(1, m);
	CU_ASSERT_EQUAL(bed_tag(bed.port[0].out[0]),
	                0x4d); /* an access port has but the outer off */
	CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(bed.port[0].out[0]), 1518);
	CU_ASSERT_EQUAL(bed_tag(bed.port[3].out[0]), 10);
	CU_ASSERT_EQUAL(
	    memcmp(rte_pktmbuf_mtod_offset(bed.port[3].out[0], void *, 16), inner, sizeof(inner)),
	    0);
	(void)bed_outs();

	m = bed_frame(0, 1, 10, 1523);
	memcpy(rte_pktmbuf_mtod_offset(m, void *, 16), inner, sizeof(inner));
	bed_receive(1, m);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_drop_oversize), 1);
	m = bed_frame(0, 1, 10, 1526); /* a third is payload */
	memcpy(rte_pktmbuf_mtod_offset(m, void *, 16), inner, sizeof(inner));
	memcpy(rte_pktmbuf_mtod_offset(m, void *, 20), inner, sizeof(inner));
	bed_receive(1, m);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_drop_oversize), 2);
	bed_end();
}

/* A frame with two tags, the outer one of 802.1ad, between these stations. */
static struct rte_mbuf *service_frame(unsigned dst, unsigned src, unsigned len)
{
	static const uint8_t tags[8] = {0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x4d};
	struct rte_mbuf *m = bed_frame(dst, src, 10, len);

	memcpy(rte_pktmbuf_mtod_offset(m, void *, 12), tags, sizeof(tags));
	return m;
}

/* One of 802.1ad in front is no tag of a VLAN here, so that a third one is put there: then two of them are all that a device
 * has room for beside its MTU. */
static void a_third_tag_is_payload(void)
{
	begin();
	bed_receive(0, service_frame(0, 1, 1522));
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_oversize), 0);
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0000");
	for (unsigned p = 1; p < BED_PORTS; p++)
		CU_ASSERT_EQUAL(bed_count(p, COUNT_tx_mtu), 1);
	bed_receive(0, service_frame(0, 1, 1518));
	CU_ASSERT_EQUAL(bed_tag(bed.port[1].out[0]), 10);
	CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(bed.port[1].out[0]), 1522);
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0111");
	bed_receive(1, bed_frame(0, 2, 10, 64));
	bed_receive(1, bed_frame(0, 3, -1, 64)); /* in its native VLAN */
	(void)bed_outs();
	bed_receive(0, service_frame(2, 1, 1522));
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_mtu), 1);
	bed_receive(0, service_frame(2, 1, 1518));
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0100");
	bed_receive(2, bed_frame(0, 4, 30, 64));
	(void)bed_outs();
	bed_receive(1, service_frame(4, 3, 1522));
	CU_ASSERT_EQUAL(bed_count(1, COUNT_drop_mtu), 1);
	bed_end();
}

/* and none is put where it leaves without */
static void two_tags_need_no_third(void)
{
	char why[200] = "";

	bed_begin();
	CU_ASSERT_EQUAL(switch_config_access(&bed.config, "0=10", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(switch_config_access(&bed.config, "1=10", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(switch_config_trunk(&bed.config, "2=10", why, sizeof(why)), 0);
	bed_make();
	bed_receive(0, service_frame(0, 1, 1522));
	CU_ASSERT_EQUAL(bed_count(2, COUNT_tx_mtu), 1);
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0100");
	bed_receive(1, service_frame(1, 2, 1522));
	CU_ASSERT_STRING_EQUAL(bed_outs(), "1000");
	bed_end();
}

/* and the one that is taken off leaves room for the third */
static void of_three_tags_two_remain(void)
{
	struct rte_mbuf *m = bed_frame(0, 1, 10, 1522);
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	begin();
	memcpy(p + 16, (uint8_t[8]){0x88, 0xa8, 0, 5, 0x81, 0, 0, 6}, 8);
	bed.port[0].port.info.mtu = 1496;
	bed.port[3].port.info.mtu = 1496;
	bed_receive(1, m);
	CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_mtu), 1);
	CU_ASSERT_EQUAL_FATAL(bed.port[0].nb_out, 1);
	CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(bed.port[0].out[0]), 1518);
	CU_ASSERT_STRING_EQUAL(bed_outs(), "1010");
	bed_end();
}

static void what_a_device_has_taken_off_is_put_back(void)
{
	struct rte_mbuf *m = bed_frame(0, 1, -1, 60);

	begin();
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = PRIO | 20;
	bed_receive(1, m);
	CU_ASSERT_EQUAL(bed_tag(bed.port[2].out[0]), PRIO | 20);
	CU_ASSERT_EQUAL(bed.port[2].out[0]->ol_flags, 0);
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0010");
	bed_end();
}

static void a_tag_needs_room(void)
{
	struct rte_mbuf *m;

	begin();
	bed_receive(1, bed_frame(0, 2, 10, 64));
	(void)bed_outs();
	m = bed_frame(2, 1, -1, 64);
	rte_pktmbuf_prepend(m, rte_pktmbuf_headroom(m));
	memmove(rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_mtod_offset(m, uint8_t *, 128), 64);
	rte_pktmbuf_trim(m, 128);
	bed_receive(0, m);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_headroom), 1);
	CU_ASSERT_STRING_EQUAL(bed_outs(), "0000");
	bed_end();
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"floods keep to their VLAN", floods_keep_to_their_vlan},
	    {"stations keep to their VLAN", stations_keep_to_their_vlan},
	    {"a station may be in two VLANs", a_station_may_be_in_two_vlans},
	    {"double tags pass", double_tags_pass},
	    {"a third tag is payload", a_third_tag_is_payload},
	    {"two tags need no third", two_tags_need_no_third},
	    {"of three tags two remain", of_three_tags_two_remain},
	    {"what a device has taken off is put back", what_a_device_has_taken_off_is_put_back},
	    {"a tag needs room", a_tag_needs_room},
	};

	return bed_run("switch/vlan", cases, ROWS(cases));
}
