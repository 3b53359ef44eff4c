/* SPDX-License-Identifier: BSD-2-Clause */
/* The ethdev port over net_ring, which hands on mbufs by reference, net_null, and a bond. */
#include <errno.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "common.h"
#include "port/ethdev.h"

static struct rte_mempool *pool;

static uint16_t make_device(const char *name, const char *args)
{
	uint16_t id = UINT16_MAX;

	CU_ASSERT_FATAL(rte_eal_hotplug_add("vdev", name, args) == 0);
	CU_ASSERT_FATAL(rte_eth_dev_get_port_by_name(name, &id) == 0);
	return id;
}

static uint16_t start_device(const char *name, const char *args, uint16_t queues)
{
	struct rte_mempool *pools[] = {pool, pool, pool, pool};
	const struct pc_ethdev_config config = {
	    .nb_queues = queues, .nb_rxd = 64, .nb_txd = 64, .pools = pools};
	char why[256] = "";
	uint16_t id = make_device(name, args);

	CU_ASSERT_EQUAL_FATAL(pc_ethdev_start(id, &config, why, sizeof(why)), 0);
	return id;
}

static void end(const char *name, uint16_t id)
{
	pc_ethdev_stop(id);
	rte_eal_hotplug_remove("vdev", name);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void a_ring_passes_frames_on(void)
{
	uint16_t id = start_device("net_ring0", "", 1);
	struct pc_port *p = pc_port_ethdev(id, 0, pool);
	struct rte_mbuf *m[4], *got[4];

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_STRING_EQUAL(p->info.driver, "net_ring");
	CU_ASSERT_STRING_EQUAL(p->info.name, "net_ring0");
	CU_ASSERT_EQUAL(p->info.mac[0], 0x02); /* net_ring itself has none */
	CU_ASSERT_EQUAL(p->info.rss.nb_queues, 1);
	CU_ASSERT_EQUAL(p->info.mtu, 1500);
	CU_ASSERT(p->info.link_up);
	for (uint32_t i = 0; i < 4; i++)
		m[i] = make_frame(pool, i, 60);
	CU_ASSERT_EQUAL(port_tx(p, m, 4, 0), 4);
	CU_ASSERT_EQUAL(port_rx(p, got, 4, 0), 4);
	for (uint32_t i = 0; i < 4; i++)
		CU_ASSERT_PTR_EQUAL(got[i], m[i]);
	rte_pktmbuf_free_bulk(got, 4);
	pc_port_close(p);
	end("net_ring0", id);
}

static void a_ring_gets_copies_of_what_the_sender_keeps(void)
{
	uint16_t id = start_device("net_ring1", "", 1);
	struct pc_port *p = pc_port_ethdev(id, 0, pool);
	struct rte_mbuf *m, *clone, *got[2];

	m = make_frame(pool, 5, 60);
	rte_mbuf_refcnt_update(m, 1);
	CU_ASSERT_EQUAL(port_tx(p, &m, 1, 0), 1);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	clone = rte_pktmbuf_clone(m, pool);
	CU_ASSERT_EQUAL(port_tx(p, &clone, 1, 0), 1);
	CU_ASSERT_EQUAL(port_rx(p, got, 2, 0), 2);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_PTR_NOT_EQUAL(got[i], m);
		CU_ASSERT_EQUAL(frame_number(got[i]), 5);
		memset(rte_pktmbuf_mtod(got[i], uint8_t *), 0, 60);
	}
	CU_ASSERT(frame_is_intact(m) && frame_number(m) == 5);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free_bulk(got, 2);
	rte_pktmbuf_free(m);
	pc_port_close(p);
	end("net_ring1", id);
}

/* A device that says that checksums are good which are not: it is not believed any more. */
static void checksums_that_are_not_true(void)
{
	uint16_t id = start_device("net_ring5", "", 1);
	struct pc_port *p = pc_port_ethdev(id, 0, pool);

	p->info.offloads |= PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM;
	for (unsigned i = 0; i < 3; i++) {
		struct rte_mbuf *m = make_frame(pool, 0, 60);
		struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);

		*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
		                            .total_length = rte_cpu_to_be_16(46),
		                            .next_proto_id = IPPROTO_TCP};
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		if (i == 1)
			ip->hdr_checksum ^= 1;
		m->ol_flags |= i == 2 ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_IP_CKSUM_GOOD;
		CU_ASSERT_EQUAL(port_tx(p, &m, 1, 0), 1);
		CU_ASSERT_EQUAL(port_rx(p, &m, 1, 0), 1);
		rte_pktmbuf_free(m);
		CU_ASSERT_EQUAL(p->info.rx_untrue, i);
		CU_ASSERT_EQUAL((p->info.offloads & PC_PORT_RX_IP4_CKSUM) != 0, i == 0);
		CU_ASSERT_EQUAL((p->info.offloads & PC_PORT_RX_L4_CKSUM) != 0, i < 2);
	}
	pc_port_close(p);
	end("net_ring5", id);
}

static void a_full_ring_leaves_the_rest_to_the_caller(void)
{
	uint16_t id = start_device("net_ring2", "", 1);
	struct pc_port *p = pc_port_ethdev(id, 0, pool);
	struct rte_mbuf *m;
	uint32_t sent = 0, got = 0;

	for (; sent < 4000; sent++) {
		m = make_frame(pool, sent, 60);
		rte_mbuf_refcnt_update(m, 1);
		if (port_tx(p, &m, 1, 0) == 0)
			break;
		rte_pktmbuf_free(m);
	}
	CU_ASSERT(sent > 0 && sent < 4000);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 2);
	rte_mbuf_refcnt_update(m, -1);
	rte_pktmbuf_free(m);
	while (port_rx(p, &m, 1, 0) == 1) {
		CU_ASSERT_EQUAL(frame_number(m), got);
		rte_pktmbuf_free(m);
		got++;
	}
	CU_ASSERT_EQUAL(got, sent);
	pc_port_close(p);
	end("net_ring2", id);
}

static void what_is_announced_and_not_done(void)
{
	const uint32_t all = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM;

	CU_ASSERT_EQUAL(ethdev_trusted("net_tap", all), 0);
	CU_ASSERT_EQUAL(ethdev_trusted("net_virtio", all | PC_PORT_TX_VLAN), all);
	CU_ASSERT_EQUAL(ethdev_trusted("net_e1000_em", all | PC_PORT_TX_VLAN),
	                all | PC_PORT_TX_VLAN);
	CU_ASSERT_EQUAL(ethdev_trusted("net_vmxnet3", all | PC_PORT_TX_TSO), all);
	CU_ASSERT_EQUAL(ethdev_trusted("net_ixgbe", all | PC_PORT_TX_TSO), all | PC_PORT_TX_TSO);
}

static void a_device_started_by_others_has_no_offloads_unless_told(void)
{
	uint16_t id = make_device("net_ring3", "");
	struct rte_eth_conf conf = {0};
	struct rte_mbuf *head, *got, *out[2];
	struct pc_port *p;
	uint16_t sent;

	CU_ASSERT_FATAL(rte_eth_dev_configure(id, 1, 1, &conf) == 0);
	CU_ASSERT_FATAL(rte_eth_rx_queue_setup(id, 0, 64, 0, NULL, pool) == 0);
	CU_ASSERT_FATAL(rte_eth_tx_queue_setup(id, 0, 64, 0, NULL) == 0);
	CU_ASSERT_FATAL(rte_eth_dev_start(id) == 0);
	p = pc_port_ethdev(id, 0, pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->info.offloads, 0);
	head = make_frame(pool, 1, 60);
	rte_pktmbuf_chain(head, make_frame(pool, 2, 40));
	CU_ASSERT_EQUAL(port_tx(p, &head, 1, 0), 1);
	CU_ASSERT_EQUAL(port_rx(p, &got, 1, 0), 1);
	CU_ASSERT_EQUAL(got->nb_segs, 1); /* chains were not announced */
	CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(got), 100);
	rte_pktmbuf_free(got);
	/* one that is too long for any mbuf does not keep those behind it */
	out[0] = make_frame(pool, 3, 1500);
	rte_pktmbuf_chain(out[0], make_frame(pool, 4, 1500));
	out[1] = make_frame(pool, 5, 60);
	sent = port_tx(p, out, 2, 0);
	sent = (uint16_t)(sent + port_tx(p, out + sent, (uint16_t)(2 - sent), 0));
	CU_ASSERT_EQUAL(sent, 2);
	CU_ASSERT_EQUAL(p->info.tx_refused, 1);
	CU_ASSERT_EQUAL_FATAL(port_rx(p, &got, 1, 0), 1);
	CU_ASSERT_EQUAL(frame_number(got), 5);
	rte_pktmbuf_free(got);
	pc_port_close(p);
	end("net_ring3", id);
}

static void several_queues_have_a_table(void)
{
	uint16_t id = start_device("net_null0", "", 4);
	struct pc_port *p = pc_port_ethdev(id, 3, pool);
	const struct pc_port_rss *rss;
	struct rte_eth_dev_info dev;
	uint8_t key[40];
	/* since DPDK 23.11 net_null has a key of its own */
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = sizeof(key)};
	unsigned seen = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	rss = &p->info.rss;
	CU_ASSERT_EQUAL(p->info.queue, 3);
	CU_ASSERT_EQUAL(rss->nb_queues, 4);
	CU_ASSERT(rss->reta_size > 0 && (rss->reta_size & (rss->reta_size - 1)) == 0);
	for (unsigned i = 0; i < rss->reta_size; i++) {
		CU_ASSERT(rss->reta[i] < 4);
		seen |= 1u << rss->reta[i];
	}
	CU_ASSERT_EQUAL(seen, 0xf);
	CU_ASSERT_EQUAL_FATAL(rss->key_len, sizeof(key));
	CU_ASSERT_EQUAL(rte_eth_dev_info_get(id, &dev), 0);
	if (dev.hash_key_size == 0 || rte_eth_dev_rss_hash_conf_get(id, &conf) != 0)
		for (unsigned i = 0; i < sizeof(key); i++)
			key[i] = i % 2 == 0 ? 0x6d : 0x5a;
	CU_ASSERT(memcmp(rss->key, key, sizeof(key)) == 0);
	pc_port_close(p);
	CU_ASSERT_PTR_NULL(pc_port_ethdev(id, 4, pool));
	CU_ASSERT_EQUAL(errno, EINVAL);
	end("net_null0", id);
}

static void null_swallows_and_gives(void)
{
	uint16_t id = start_device("net_null1", "", 1);
	struct pc_port *p = pc_port_ethdev(id, 0, pool);
	struct rte_mbuf *m[32];
	uint16_t n;

	for (uint32_t i = 0; i < 32; i++)
		m[i] = make_frame(pool, i, 60);
	CU_ASSERT_EQUAL(port_tx(p, m, 32, 0), 32);
	n = port_rx(p, m, 32, 0);
	CU_ASSERT(n > 0);
	rte_pktmbuf_free_bulk(m, n);
	pc_port_close(p);
	end("net_null1", id);
}

static uint64_t frames_sent_by(uint16_t id)
{
	struct rte_eth_stats stats;

	CU_ASSERT_EQUAL_FATAL(rte_eth_stats_get(id, &stats), 0);
	return stats.opackets;
}

/* net_bonding has its LACPDUs sent by whoever uses its transmit queue, and its guide wants that done every 100 ms. What is
 * to be said comes from EAL's thread for interrupts, by the real clock. */
/* A driver that can change its MAC address does; one that cannot says so. */
static void a_mac_address_is_given(void)
{
	struct rte_mempool *pools[] = {pool};
	const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
	const struct pc_ethdev_config config = {.nb_queues = 1, .pools = pools, .mac = mac};
	uint16_t null = make_device("net_null3", ""), ring = make_device("net_ring7", "");
	char why[256] = "";
	struct pc_port *p;

	CU_ASSERT_EQUAL(pc_ethdev_start(null, &config, why, sizeof(why)), 0);
	p = pc_port_ethdev(null, 0, pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(memcmp(p->info.mac, mac, 6), 0);
	pc_port_close(p);
	CU_ASSERT_EQUAL(pc_ethdev_start(ring, &config, why, sizeof(why)), -ENOTSUP);
	CU_ASSERT_STRING_EQUAL(why, "its driver cannot change its MAC address");
	end("net_null3", null);
	end("net_ring7", ring);
}

static void an_idle_bond_speaks_lacp(void)
{
	const uint64_t period_ns = 100000000;
	uint16_t member = make_device("net_ring6", "");
	uint16_t id = start_device("net_bonding0", "mode=4," EAL_BOND_MEMBER "net_ring6", 1);
	struct pc_port *p = pc_port_ethdev(id, 0, pool);
	struct rte_mbuf *m;
	uint64_t now_ns = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_STRING_EQUAL(p->info.driver, "net_bonding");
	/* an idle lcore, which comes when it is asked to; the first LACPDU is due within a second or two */
	for (unsigned turn = 0; turn < 2000 && frames_sent_by(member) == 0; turn++) {
		CU_ASSERT_EQUAL(port_rx(p, &m, 1, now_ns), 0);
		CU_ASSERT(p->ops->next_deadline(p) <= now_ns + period_ns);
		now_ns = p->ops->next_deadline(p);
		usleep(10000);
	}
	CU_ASSERT(frames_sent_by(member) > 0);
	pc_port_close(p);
	pc_ethdev_stop(id);
	CU_ASSERT_EQUAL(rte_eth_dev_close(id), 0); /* which is left to the end of the program */
	end("net_bonding0", id);
	end("net_ring6", member);
}

static void mistakes_are_one_line(void)
{
	struct rte_mempool *pools[] = {pool}, *none[] = {NULL};
	struct pc_ethdev_config config = {.nb_queues = 1, .pools = pools};
	uint16_t id = make_device("net_null2", "");
	char why[256] = "";

	CU_ASSERT_EQUAL(pc_ethdev_start(RTE_MAX_ETHPORTS - 1, &config, why, sizeof(why)), -ENODEV);
	CU_ASSERT_STRING_EQUAL(why, "no such device");
	config.nb_queues = 2000;
	CU_ASSERT_EQUAL(pc_ethdev_start(id, &config, why, sizeof(why)), -EINVAL);
	CU_ASSERT(strstr(why, "but 2000 are needed") != NULL);
	config.nb_queues = 1;
	config.mtu = 9000;
	CU_ASSERT(pc_ethdev_start(id, &config, why, sizeof(why)) != 0);
	CU_ASSERT(strstr(why, "do not fit") != NULL);
	config.mtu = 0;
	config.pools = none;
	CU_ASSERT_EQUAL(pc_ethdev_start(id, &config, NULL, 0), -EINVAL);
	CU_ASSERT_PTR_NULL(pc_port_ethdev(RTE_MAX_ETHPORTS - 1, 0, pool));
	CU_ASSERT_EQUAL(errno, ENODEV);
	CU_ASSERT_PTR_NULL(pc_port_ethdev(id, 0, NULL));
	CU_ASSERT_EQUAL(errno, EINVAL);
	end("net_null2", id);
}

static const struct unit_case cases[] = {
    {"a ring passes frames on", a_ring_passes_frames_on},
    {"a ring gets copies of what the sender keeps", a_ring_gets_copies_of_what_the_sender_keeps},
    {"checksums that are not true", checksums_that_are_not_true},
    {"a full ring leaves the rest to the caller", a_full_ring_leaves_the_rest_to_the_caller},
    {"what drivers announce and do not do", what_is_announced_and_not_done},
    {"a device started by others has no offloads unless told",
     a_device_started_by_others_has_no_offloads_unless_told},
    {"several queues have a table", several_queues_have_a_table},
    {"null swallows and gives", null_swallows_and_gives},
    {"a MAC address is given", a_mac_address_is_given},
    {"an idle bond speaks LACP", an_idle_bond_speaks_lacp},
    {"mistakes are one line", mistakes_are_one_line},
};

int main(void)
{
	eal_start_with_drivers();
	pool = eal_pool("ethdev", 8191);
	return unit_run("port/ethdev", cases, sizeof(cases) / sizeof(cases[0]));
}
