/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames to all: references, the copy that a tag needs, storms, mirrors. */
#include "bed.h"

#include "../../support/failpool.h"
#include "out.h"

#define OUTS(text) CU_ASSERT_STRING_EQUAL(bed_outs(), text)

static void set(int (*take)(struct switch_config *, const char *, char *, size_t), const char *text)
{
	char why[200] = "";

	CHECK_ROW(take(&bed.config, text, why, sizeof(why)) == 0, why);
}

static void all_get_the_same_mbuf(void)
{
	struct rte_mbuf *m;
	const void *data;

	bed_begin();
	bed_make();
	m = bed_frame(0, 1, -1, 64);
	data = rte_pktmbuf_mtod(m, void *);
	bed_receive(2, m);
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), 1);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 3);
	for (unsigned i = 0; i < BED_PORTS; i++) {
		CU_ASSERT_EQUAL(bed.port[i].nb_out, i != 2);
		CU_ASSERT(i == 2 || bed.port[i].out[0] == m);
	}
	CU_ASSERT_PTR_EQUAL(rte_pktmbuf_mtod(m, void *), data);
	bed_end();
}

static void chains_go_by_reference_too(void)
{
	struct rte_mbuf *m = bed_frame(0, 1, -1, 64), *tail = bed_frame(0, 1, -1, 64);

	bed_begin();
	bed_make();
	CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, tail), 0);
	bed_receive(0, m);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 3);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(tail), 3);
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_bytes), 128);
	bed_end();
}

/* Ports 1 and 2 want no tag, port 3 does: one copy, for the smaller change. */
static void two_forms_cost_one_copy(void)
{
	static const struct {
		unsigned in;
		int tci, bare_is_m;
	} rows[] = {{0, 10, 0}, {1, -1, 1}};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct rte_mbuf *m = bed_frame(0, 1, rows[i].tci, 64);
		struct rte_mbuf *bare, *tagged;

		bed_begin();
		set(switch_config_trunk, "0=10");
		set(switch_config_access, "1=10");
		set(switch_config_access, "2=10");
		set(switch_config_trunk, "3=10-11");
		bed_make();
		bed_receive(rows[i].in, m);
		CU_ASSERT_EQUAL(eal_in_use(bed.pool), 2);
		bare = bed.port[2].out[0];
		tagged = bed.port[3].out[0];
		CU_ASSERT_PTR_EQUAL(rows[i].bare_is_m ? bare : tagged, m);
		CU_ASSERT_EQUAL(bed_tag(bare), -1);
		CU_ASSERT_EQUAL(bed_tag(tagged), 10);
		CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(tagged), rte_pktmbuf_pkt_len(bare) + 4);
		CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod_offset(bare, void *, 12),
		                       rte_pktmbuf_mtod_offset(tagged, void *, 16),
		                       bare->data_len - 12u),
		                0);
		CU_ASSERT_EQUAL(
		    memcmp(rte_pktmbuf_mtod(bare, void *), rte_pktmbuf_mtod(tagged, void *), 12),
		    0);
		CU_ASSERT_STRING_EQUAL(bed_outs(), rows[i].in == 0 ? "0111" : "1011");
		bed_end();
	}
}

/* Each allocation on the way fails once; nothing is lost but what is counted. */
static void without_mbufs_a_copy_is_missing_and_no_more(void)
{
	struct rte_mempool *pool = bed.pool, *fail = failpool_make("fail", 63);
	struct rte_mbuf *m;

	bed.pool = fail;
	bed_begin();
	set(switch_config_access, "1=10");
	set(switch_config_trunk, "2=10");
	set(switch_config_trunk, "3=10");
	set(switch_config_trunk, "0=10");
	bed_make();
	m = bed_frame(0, 1, 10, 64);
	failpool_set(fail, 1, UINT64_MAX / 2);
	bed_receive(0, m);
	OUTS("0011");
	CU_ASSERT_EQUAL(bed_count(1, COUNT_tx_no_mbuf), 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), 1);
	failpool_heal(fail);

	/* one that somebody else holds cannot be changed in place */
	bed_send(1, 0, 2);
	(void)bed_outs();
	m = bed_frame(2, 1, 10, 64);
	rte_mbuf_refcnt_update(m, 1);
	failpool_set(fail, 1, UINT64_MAX / 2);
	bed_receive(0, m);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_no_mbuf), 1);
	failpool_heal(fail);
	rte_mbuf_refcnt_update(m, 1);
	bed_receive(0, m);
	CU_ASSERT_EQUAL_FATAL(bed.port[1].nb_out, 1);
	CU_ASSERT_PTR_NOT_EQUAL(bed.port[1].out[0], m);
	CU_ASSERT_EQUAL(bed_tag(bed.port[1].out[0]), -1);
	CU_ASSERT_EQUAL(bed_tag(m), 10);
	rte_pktmbuf_free(m);
	bed_end();
	rte_mempool_free(fail);
	bed.pool = pool;
}

static void a_full_queue_does_not_hold_up_the_others(void)
{
	bed_begin();
	bed_make();
	bed.port[2].room = 0;
	for (unsigned i = 0; i < OUT_SIZE + 5; i++)
		bed_send(0, 0, 1);
	CU_ASSERT_EQUAL(bed.port[1].nb_out, OUT_SIZE + 5);
	CU_ASSERT_EQUAL(bed.port[3].nb_out, OUT_SIZE + 5);
	CU_ASSERT_EQUAL(bed_count(2, COUNT_tx_queue_full), 5);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), OUT_SIZE + 5);
	bed_end(); /* what waits goes with the switch */
}

static void full_queues_everywhere(void)
{
	bed_begin();
	bed_make();
	for (unsigned i = 0; i < BED_PORTS; i++)
		bed.port[i].room = 0;
	for (unsigned i = 0; i < OUT_SIZE + 5; i++)
		bed_send(0, 0, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), OUT_SIZE + 5);
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), OUT_SIZE);
	bed_end();
}

static void storms_are_held_back(void)
{
	bed_begin();
	bed.config.flood_rate = 100;
	bed_make();
	for (unsigned i = 0; i < 150; i++)
		bed_send(0, 0, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), 100);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_drop_storm), 50);
	bed_send(1, 0, 2); /* each port has its own */
	CU_ASSERT_EQUAL(bed_count(1, COUNT_flooded), 1);
	bed_send(0, 2, 1); /* and what is known goes on */
	CU_ASSERT_EQUAL(bed_count(0, COUNT_forwarded), 1);
	bed.now += BED_SECOND / 20;
	for (unsigned i = 0; i < 10; i++)
		bed_send(0, 0, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), 105);
	bed.now += 100 * BED_SECOND;
	for (unsigned i = 0; i < 150; i++)
		bed_send(0, 0, 1);
	CU_ASSERT_EQUAL(bed_count(0, COUNT_flooded), 205);
	bed_end();
}

static void a_mirror_sees_both_ways(void)
{
	struct rte_mbuf *m;

	bed_begin();
	set(switch_config_mirror, "0=3");
	bed_make();
	bed_send(0, 0, 1); /* received there */
	OUTS("0111");
	bed_send(1, 1, 2); /* sent there */
	OUTS("1001");
	bed_send(2, 2, 3); /* neither */
	OUTS("0100");
	m = bed_frame(0, 9, -1, 64);
	bed_receive(3, m);
	OUTS("0000");
	CU_ASSERT_EQUAL(bed_count(3, COUNT_drop_mirror), 1);
	bed_receive(0, bed_frame(0, 1, 0xfff, 64)); /* also what is dropped */
	OUTS("0001");
	bed_end();
}

static void a_mirror_sees_tags_as_they_were(void)
{
	bed_begin();
	set(switch_config_mirror, "0=3");
	set(switch_config_trunk, "0=10");
	set(switch_config_access, "1=10");
	bed_make();
	bed_send(1, 0, 2);
	CU_ASSERT_EQUAL(bed_tag(bed.port[3].out[0]), 10);
	(void)bed_outs();
	bed_receive(0, bed_frame(2, 1, 10, 64));
	CU_ASSERT_EQUAL(bed_tag(bed.port[1].out[0]), -1);
	CU_ASSERT_EQUAL(bed_tag(bed.port[3].out[0]), 10);
	(void)bed_outs();
	bed.port[3].room = 0; /* a mirror that is full costs nobody anything */
	for (unsigned i = 0; i < OUT_SIZE + 3; i++)
		bed_receive(0, bed_frame(2, 1, 10, 64));
	CU_ASSERT_EQUAL(bed.port[1].nb_out, OUT_SIZE + 3);
	CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_queue_full), 3);
	bed_end();
}

/* A mirror with a smaller MTU than the port that it watches. */
static void a_mirror_gets_what_fits_it(void)
{
	static const struct {
		int tci;
		unsigned len;
		const char *outs;
	} rows[] = {{-1, 1014, "0111"}, {-1, 1015, "0110"}, {10, 1018, "0111"}, {10, 1019, "0110"}};

	bed_begin();
	set(switch_config_mirror, "0=3");
	bed.port[3].port.info.mtu = 1000;
	bed_make();
	for (size_t i = 0; i < ROWS(rows); i++) {
		bed_receive(0, bed_frame(0, 1, rows[i].tci, rows[i].len)); /* received there */
		CHECK_ROW(strcmp(bed_outs(), rows[i].outs) == 0, rows[i].outs);
		CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_mtu), (i + 1) / 2);
	}
	bed_receive(1, bed_frame(1, 2, -1, 1015)); /* sent there */
	OUTS("1000");
	CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_mtu), 3);
	bed_receive(0, bed_frame(0, 1, -1, 13)); /* too short to say */
	OUTS("0001");
	bed_end();
}

/* What a port without a link is given is lost, but its driver may count it as sent. */
static void a_mirror_without_a_link_gets_nothing(void)
{
	bed_begin();
	set(switch_config_mirror, "0=3");
	bed.port[3].port.info.link_up = false;
	bed_make();
	bed_send(0, 0, 1); /* received there */
	OUTS("0110");
	bed_send(1, 1, 2); /* sent there */
	OUTS("1000");
	CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_link), 2);
	CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_frames), 0);
	bed.port[3].port.info.link_up = true;
	bed_send(0, 2, 1);
	OUTS("0101");
	bed.port[3].port.info.link_up = false;
	bed_send(0, 2, 1);
	OUTS("0100");
	CU_ASSERT_EQUAL(bed_count(3, COUNT_tx_link), 3);
	bed_end();
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"all get the same mbuf", all_get_the_same_mbuf},
	    {"chains go by reference, too", chains_go_by_reference_too},
	    {"two forms cost one copy", two_forms_cost_one_copy},
	    {"without mbufs a copy is missing and no more",
	     without_mbufs_a_copy_is_missing_and_no_more},
	    {"a full queue does not hold up the others", a_full_queue_does_not_hold_up_the_others},
	    {"full queues everywhere", full_queues_everywhere},
	    {"storms are held back", storms_are_held_back},
	    {"a mirror sees both ways", a_mirror_sees_both_ways},
	    {"a mirror sees tags as they were", a_mirror_sees_tags_as_they_were},
	    {"a mirror gets what fits it", a_mirror_gets_what_fits_it},
	    {"a mirror without a link gets nothing", a_mirror_without_a_link_gets_nothing},
	};

	return bed_run("switch/flood", cases, ROWS(cases));
}
