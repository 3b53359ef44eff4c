/* SPDX-License-Identifier: BSD-2-Clause */

/* VLANs: one port as several. */

#include <errno.h>
#include <string.h>

#include "common.h"

static struct rte_mempool *pool;
static struct pc_port *far, *trunk_inner, *member[4];
static struct pc_trunk *trunk;

/* A wire, one end of which is a trunk: untagged, VLAN 10, VLAN 20, VLAN 10 in 100. */
static void start(uint16_t capacity)
{
	const struct pc_wire_config c = {.pool = pool,
	                                 .capacity = capacity,
	                                 .offloads = PC_PORT_TX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM};
	struct pc_port *ends[2];

	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&c, ends), 0);
	far = ends[1];
	trunk_inner = ends[0];
	trunk = pc_trunk_create(ends[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(trunk);
	member[0] = pc_trunk_port(trunk, 0, 0);
	member[1] = pc_trunk_port(trunk, 10, 0);
	member[2] = pc_trunk_port(trunk, 20, 0);
	member[3] = pc_trunk_port(trunk, 100, 10);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_PTR_NOT_NULL_FATAL(member[i]);
}

/* Ends with the members from this one on, if those before have been closed. */
static void finish_from(unsigned first)
{
	for (unsigned i = first; i < 4; i++)
		pc_port_close(member[i]);
	pc_port_close(far);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void finish(void)
{
	finish_from(0);
}

/* A frame from 0202.. to 0101.. with these bytes behind the addresses. */
static struct rte_mbuf *frame(const char *bytes, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	char *p = rte_pktmbuf_append(m, (uint16_t)(12 + len));

	memset(p, 1, 6);
	memset(p + 6, 2, 6);
	memcpy(p + 12, bytes, len);
	return m;
}

static void receive(const char *bytes, uint16_t len)
{
	struct rte_mbuf *m = frame(bytes, len);

	CU_ASSERT_EQUAL(far->ops->tx_burst(far, &m, 1, 0), 1);
}

/* Takes one frame from a port; true if there is one of exactly these bytes. */
static bool comes(struct pc_port *p, const char *bytes, uint16_t len)
{
	struct rte_mbuf *m;
	bool good;

	if (p->ops->rx_burst(p, &m, 1, 0) == 0)
		return false;
	good = m->pkt_len == 12u + len && m->data_len == m->pkt_len &&
	       memcmp(rte_pktmbuf_mtod(m, char *), "\1\1\1\1\1\1\2\2\2\2\2\2", 12) == 0 &&
	       memcmp(rte_pktmbuf_mtod_offset(m, char *, 12), bytes, len) == 0;
	rte_pktmbuf_free(m);
	return good;
}

static void test_receive(void)
{
	start(0);
	receive("\x08\0abc", 5);
	receive("\x81\0\0\x0a\x08\0def", 9);
	receive("\x81\0\xa0\x14\x08\0ghi", 9);              /* VLAN 20, priority 5 */
	receive("\x88\xa8\0\x64\x81\0\0\x0a\x08\0jkl", 13); /* VLAN 10 in 100 */
	receive("\x81\0\xe0\0\x08\0mno", 9);                /* a priority */
	receive("\x81\0\xa0\x1e\x08\0pqr", 9);              /* VLAN 30: nobody's */
	receive("\x81\0\0\x64\x81\0\0\x14\x08\0st", 12);    /* VLAN 20 in 100: nobody's */
	receive("\x81\0\0\x64\x81\0\0\x0a\x08\0uvw", 13);   /* two tags of 802.1Q, as some do */
	for (unsigned i = 0; i < 8; i++) /* each asks, one frame at a time comes from below */
		CU_ASSERT(!comes(member[2], "", 0) || i == 2);
	CU_ASSERT(comes(member[0], "\x08\0abc", 5));
	CU_ASSERT(comes(member[0], "\x08\0mno", 5));
	CU_ASSERT(comes(member[0], "\x81\0\xa0\x1e\x08\0pqr", 9));
	CU_ASSERT(comes(member[0], "\x81\0\0\x64\x81\0\0\x14\x08\0st", 12));
	CU_ASSERT(comes(member[1], "\x08\0def", 5));
	CU_ASSERT(comes(member[3], "\x08\0jkl", 5));
	CU_ASSERT(comes(member[3], "\x08\0uvw", 5));
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT(!comes(member[i], "", 0));
	CU_ASSERT_EQUAL(member[0]->info.rx_lost, 0);
	finish();
}

/* The device below receives a frame whose tags it has taken off, VLAN and, if outer is not 0, QinQ. */
static void receive_stripped(const char *bytes, uint16_t len, uint16_t tci, uint16_t outer)
{
	struct rte_mbuf *m = frame(bytes, len);

	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = tci;
	if (outer != 0)
		m->ol_flags |= RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
	m->vlan_tci_outer = outer;
	CU_ASSERT_EQUAL(far->ops->tx_burst(far, &m, 1, 0), 1);
}

static void test_stripped(void)
{
	start(0);
	receive_stripped("\x08\0abc", 5, 0x600a, 0);
	CU_ASSERT(comes(member[1], "\x08\0abc", 5));
	receive_stripped("\x81\0\0\x0a\x08\0abc", 9, 100, 0);
	CU_ASSERT(comes(member[3], "\x08\0abc", 5));
	/* of VLANs that nobody here has: tags that the device has taken off are put back */
	receive_stripped("\x08\0abc", 5, 0xa01e, 0);
	CU_ASSERT(comes(member[0], "\x81\0\xa0\x1e\x08\0abc", 9));
	receive_stripped("\x08\0abc", 5, 30, 100);
	CU_ASSERT(comes(member[0], "\x88\xa8\0\x64\x81\0\0\x1e\x08\0abc", 13));
	/* and where nobody has what is without a tag, they are lost */
	pc_port_close(member[0]);
	receive("\x81\0\0\x1e\x08\0pqr", 9);
	CU_ASSERT(!comes(member[1], "", 0));
	finish_from(1);
}

static void test_send(void)
{
	static const struct {
		const char *bytes;
		uint16_t len;
	} sent[4] = {{"\x08\0abc", 5},
	             {"\x81\0\0\x0a\x08\0abc", 9},
	             {"\x81\0\0\x14\x08\0abc", 9},
	             {"\x88\xa8\0\x64\x81\0\0\x0a\x08\0abc", 13}};

	start(0);
	for (unsigned i = 0; i < 4; i++) {
		struct rte_mbuf *m = frame("\x08\0abc", 5);

		m->l2_len = 14;
		CU_ASSERT_EQUAL(member[i]->ops->tx_burst(member[i], &m, 1, 0), 1);
		CU_ASSERT(comes(far, sent[i].bytes, sent[i].len));
	}
	CU_ASSERT_STRING_EQUAL(member[1]->info.name + strlen(member[0]->info.name), ".10");
	CU_ASSERT_STRING_EQUAL(member[3]->info.name + strlen(member[0]->info.name), ".100.10");
	finish();
}

/* A device that puts tags on is asked to, and gets the frame as it is; and once more if it was full. */
static void test_offload(void)
{
	static const struct {
		uint64_t flags;
		uint16_t tci, outer;
	} asked[4] = {{0, 0, 0},
	              {RTE_MBUF_F_TX_VLAN, 10, 10},
	              {RTE_MBUF_F_TX_VLAN, 20, 20},
	              {RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_QINQ, 10, 100}};

	start(1);
	trunk_inner->info.offloads |= PC_PORT_TX_VLAN | PC_PORT_TX_QINQ;
	for (unsigned i = 0; i < 4; i++) {
		struct rte_mbuf *m = frame("\x08\0abc", 5), *again = frame("\x08\0abc", 5);

		CU_ASSERT_EQUAL(member[i]->ops->tx_burst(member[i], &m, 1, 0), 1);
		CU_ASSERT_EQUAL(member[i]->ops->tx_burst(member[i], &again, 1, 0), 0);
		CU_ASSERT_EQUAL(again->ol_flags, 0);
		CU_ASSERT_EQUAL(again->pkt_len, 17);
		CU_ASSERT_EQUAL_FATAL(far->ops->rx_burst(far, &m, 1, 0), 1);
		CU_ASSERT_EQUAL(m->ol_flags & (RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_QINQ),
		                asked[i].flags);
		CU_ASSERT(asked[i].flags == 0 || m->vlan_tci == asked[i].tci);
		CU_ASSERT(asked[i].flags == 0 || m->vlan_tci_outer == asked[i].outer);
		CU_ASSERT_EQUAL(m->pkt_len, 17);
		rte_pktmbuf_free(m);
		rte_pktmbuf_free(again);
	}
	trunk_inner->info.offloads &= ~(uint32_t)PC_PORT_TX_QINQ; /* two tags in software then */
	struct rte_mbuf *m = frame("\x08\0abc", 5);
	CU_ASSERT_EQUAL(member[3]->ops->tx_burst(member[3], &m, 1, 0), 1);
	CU_ASSERT(comes(far, "\x88\xa8\0\x64\x81\0\0\x0a\x08\0abc", 13));
	finish();
}

/* A frame that the port below does not take is as it was, and one without headroom does not stop all. */
static void test_refused(void)
{
	struct rte_mbuf *m[3];

	start(1);
	for (unsigned i = 0; i < 3; i++)
		m[i] = frame("\x08\0abc", 5);
	rte_pktmbuf_prepend(m[1], rte_pktmbuf_headroom(m[1]));
	CU_ASSERT_EQUAL(member[1]->ops->tx_burst(member[1], &m[2], 1, 0), 1);
	CU_ASSERT_EQUAL(member[1]->ops->tx_burst(member[1], &m[0], 1, 0), 0);
	CU_ASSERT(m[0]->pkt_len == 17 &&
	          memcmp(rte_pktmbuf_mtod_offset(m[0], char *, 12), "\x08\0abc", 5) == 0);
	CU_ASSERT(comes(far, "\x81\0\0\x0a\x08\0abc", 9));
	CU_ASSERT_EQUAL(member[1]->ops->tx_burst(member[1], m, 2, 0), 2);
	CU_ASSERT(comes(far, "\x81\0\0\x0a\x08\0abc", 9));
	CU_ASSERT_EQUAL(member[1]->info.tx_refused, 1);
	finish();
}

/* What others hold too is not written in. */
static void test_shared(void)
{
	struct rte_mbuf *m, *got;

	start(0);
	m = frame("\x81\0\0\x0a\x08\0def", 9);
	rte_mbuf_refcnt_update(m, 1);
	CU_ASSERT_EQUAL(far->ops->tx_burst(far, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(member[1]->ops->rx_burst(member[1], &got, 1, 0), 1);
	CU_ASSERT(got->pkt_len == 17 &&
	          memcmp(rte_pktmbuf_mtod_offset(got, char *, 12), "\x08\0def", 5) == 0);
	if (got != m) /* the wire has not copied it */
		CU_ASSERT(m->pkt_len == 21 && memcmp(rte_pktmbuf_mtod_offset(m, char *, 12),
		                                     "\x81\0\0\x0a\x08\0def", 9) == 0);
	rte_pktmbuf_free(got);
	rte_pktmbuf_free(m);
	finish();
}

/* What becomes of the port below shows in its members, and what it counts in the first of them. */
static void test_follow(void)
{
	struct pc_port *below;
	struct rte_mbuf *m;

	start(0);
	below = trunk_inner;
	below->info.offloads = PC_PORT_TX_IP4_CKSUM;
	below->info.rx_lost = 3;
	below->info.tx_refused = 4;
	below->info.link_up = false;
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(member[i]->ops->rx_burst(member[i], &m, 1, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(member[i]->info.offloads, PC_PORT_TX_IP4_CKSUM);
		CU_ASSERT_FALSE(member[i]->info.link_up);
		CU_ASSERT_EQUAL(member[i]->info.rx_lost, i == 0 ? 3 : 0);
		CU_ASSERT_EQUAL(member[i]->info.tx_refused, i == 0 ? 4 : 0);
	}
	finish();
}

static void test_mistakes(void)
{
	start(0);
	CU_ASSERT(pc_trunk_port(trunk, 10, 0) == NULL && errno == EEXIST);
	CU_ASSERT(pc_trunk_port(trunk, 4095, 0) == NULL && errno == EINVAL);
	CU_ASSERT(pc_trunk_port(trunk, 0, 1) == NULL && errno == EINVAL);
	finish();
}

/* What waits for a member when it is closed is freed, and so is what nobody takes. */
static void test_overflow(void)
{
	start(0);
	for (unsigned i = 0; i < 600; i++) {
		receive("\x81\0\0\x0a\x08\0abc", 9);
		CU_ASSERT(!comes(member[2], "", 0));
	}
	CU_ASSERT_EQUAL(member[1]->info.rx_lost, 88);
	CU_ASSERT_EQUAL(member[1]->ops->next_deadline(member[1]), 0);
	CU_ASSERT_EQUAL(member[2]->ops->next_deadline(member[2]), UINT64_MAX);
	finish();
}

static const struct unit_case cases[] = {
    {"frames go to the member with their tags", test_receive},
    {"tags that the device has taken off", test_stripped},
    {"frames are sent with tags", test_send},
    {"tags that the device puts on", test_offload},
    {"frames that are refused", test_refused},
    {"frames that others hold too", test_shared},
    {"the port below changes", test_follow},
    {"mistakes", test_mistakes},
    {"more frames than may wait", test_overflow},
};

int main(void)
{
	eal_start();
	pool = eal_pool("vlan", 4095);
	return unit_run("port/vlan", cases, sizeof(cases) / sizeof(cases[0]));
}
