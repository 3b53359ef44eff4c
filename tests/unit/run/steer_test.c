/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/steer.h"

#include <pthread.h>
#include <stdatomic.h>

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "base/toeplitz.h"
#include "common.h"
#include "run/settings.h"

#define QUEUES 3
#define POOL   4095

static struct rte_mempool *pool;
static struct steer *steer;
static struct pc_port *port[QUEUES], *peer[QUEUES];

static void begin(bool by_flow)
{
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port_rss rss = {
	    .nb_queues = QUEUES, .reta_size = 128, .key_len = 40, .ports = true};
	struct pc_port *e[2];

	for (unsigned i = 0; i < 40; i++)
		rss.key[i] = i % 2 == 0 ? 0x6d : 0x5a;
	for (uint16_t i = 0; i < 128; i++)
		rss.reta[i] = i % QUEUES;
	steer = steer_create(0, QUEUES, by_flow);
	CU_ASSERT_PTR_NOT_NULL_FATAL(steer);
	for (unsigned i = 0; i < QUEUES; i++) {
		CU_ASSERT_FATAL(pc_port_wire(&wire, e) == 0);
		e[0]->info.rss = rss;
		port[i] = steer_port(steer, i, e[0], pool);
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
	steer_free(steer);
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
	begin(false);
	arrive(1, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REPLY, 1, 2);
	CU_ASSERT_EQUAL(receive(0), 0); /* not before its own queue has it */
	CU_ASSERT_EQUAL(receive(1), 1);
	CU_ASSERT_EQUAL(receive(0), 1);
	CU_ASSERT_EQUAL(receive(2), 1);
	for (unsigned i = 0; i < QUEUES; i++)
		CU_ASSERT_EQUAL(receive(i), 0); /* what was told is not told on */
	end();
}

static void who_sleeps_is_woken(void)
{
	struct rx_wait bell;

	begin(false);
	CU_ASSERT_FATAL(rx_wait_open(&bell, NULL, 0, 2));
	steer_bell(steer, 2, &bell);
	steer_bell(NULL, 2, &bell);
	rx_wait_arm(&bell);
	CU_ASSERT_EQUAL(receive(2), 0);
	arrive(1, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REPLY, 1, 2);
	CU_ASSERT_EQUAL(receive(1), 1);
	rx_wait_sleep(&bell, UINT64_C(600000000000)); /* ten minutes, if nobody rang */
	CU_ASSERT_EQUAL(receive(2), 1);
	CU_ASSERT_EQUAL(receive(0), 1);
	end();
	rx_wait_close(&bell);
}

static void gratuitous_requests_do_and_others_do_not(void)
{
	begin(false);
	arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REQUEST, 7, 7);
	arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REQUEST, 7, 8);
	arrive(0, RTE_ETHER_TYPE_IPV4, RTE_ARP_OP_REPLY, 7, 8);
	CU_ASSERT_EQUAL(receive(0), 3);
	CU_ASSERT_EQUAL(receive(1), 1);
	CU_ASSERT_EQUAL(receive(2), 1);
	end();
}

/* RFC 5227 section 2.1.1: every lcore gives up the address that somebody else is about to use */
static void probes_do(void)
{
	begin(false);
	arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REQUEST, 0, 8);
	for (unsigned i = 0; i < QUEUES; i++)
		CU_ASSERT_EQUAL(receive(i), 1);
	end();
}

static void a_lcore_that_does_not_listen_loses_news(void)
{
	begin(false);
	for (unsigned i = 0; i < 1000; i++) {
		arrive(0, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REPLY, i, 1);
		CU_ASSERT_EQUAL(receive(0), 1);
		while (receive(1) > 0)
			;
	}
	end(); /* with queue 2's ring full */
}

/* A packet of a flow from a port of 10.0.0.2 to port 80 of 10.0.0.1. */
static struct rte_mbuf *packet(uint16_t sport, uint8_t proto, uint16_t fragment)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, 90);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	rte_be16_t *ports = (rte_be16_t *)(ip + 1);

	memset(eth, 0, 90);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = 0x45;
	ip->next_proto_id = proto;
	ip->fragment_offset = rte_cpu_to_be_16(fragment);
	ip->src_addr = rte_cpu_to_be_32(0x0a000002);
	ip->dst_addr = rte_cpu_to_be_32(0x0a000001);
	ports[0] = rte_cpu_to_be_16(sport);
	ports[1] = rte_cpu_to_be_16(80);
	return m;
}

/* Sends a frame to a queue. Returns the queue where it comes out, -1: nowhere. */
static int way_of(unsigned queue, struct rte_mbuf *m)
{
	int found = -1;

	CU_ASSERT_EQUAL(peer[queue]->ops->tx_burst(peer[queue], &m, 1, 0), 1);
	if (receive(queue) == 1)
		found = (int)queue;
	for (unsigned i = 0; i < QUEUES; i++)
		if (receive(i) == 1)
			found = found == -1 ? (int)i : -2;
	return found;
}

/* An IPv6 packet from fd00::2 to fd00::1 whose payload is n bytes, behind a Next Header. */
static struct rte_mbuf *packet6(uint8_t next, const uint8_t *payload, unsigned n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct rte_ether_hdr *eth =
	    (struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(54 + n));
	uint8_t *ip = (uint8_t *)(eth + 1);

	memset(eth, 0, 54);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
	ip[0] = 0x60;
	ip[5] = (uint8_t)n;
	ip[6] = next;
	ip[8] = ip[24] = 0xfd;
	ip[23] = 2;
	ip[39] = 1;
	memcpy(ip + 40, payload, n);
	return m;
}

static int predict6(uint16_t sport, bool ports)
{
	const struct pc_endpoint src = {{.b = {0xfd, [15] = 2}}, sport},
	                         dst = {{.b = {0xfd, [15] = 1}}, 80};
	const struct pc_port_rss *rss = &port[0]->info.rss;

	return rss->reta[toeplitz_hash(rss, &src, &dst, ports) % rss->reta_size];
}

/* Flows of IPv6 stay together, with extension headers in front or not; what quotes them follows. */
static void flows_of_ip6(void)
{
	begin(true);
	for (uint16_t sport = 1000; sport < 1100; sport++) {
		uint8_t tcp[28] = {6, 0, 1, 4, [8] = (uint8_t)(sport >> 8), (uint8_t)sport, 0, 80};
		uint8_t error[60] = {1, 4, [8] = 0x60, [14] = 6};

		CU_ASSERT_EQUAL(way_of(0, packet6(6, tcp + 8, 20)), predict6(sport, true));
		CU_ASSERT_EQUAL(way_of(1, packet6(60, tcp, 28)), predict6(sport, true));
		error[16] = error[32] = 0xfd; /* from fd00::1 to fd00::2 */
		error[31] = 1;
		error[47] = 2;
		error[49] = 80;
		error[50] = (uint8_t)(sport >> 8);
		error[51] = (uint8_t)sport;
		CU_ASSERT_EQUAL(way_of(2, packet6(58, error, 60)), predict6(sport, true));
		tcp[2] = 0;
		tcp[3] = 1; /* the first of several fragments: the others have no ports */
		CU_ASSERT_EQUAL(way_of(2, packet6(44, tcp, 28)), predict6(0, false));
		tcp[3] = 0; /* an atomic one */
		CU_ASSERT_EQUAL(way_of(2, packet6(44, tcp, 28)), predict6(sport, true));
	}
	end();
}

/* Neighbour discovery that tells of somebody reaches every queue, questions only one. */
static void news_of_neighbours(void)
{
	static const struct {
		uint8_t type;
		bool news;
	} cases[] = {{134, true}, {136, true},  {137, true},
	             {130, true}, {135, false}, {128, false}};

	begin(false);
	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		const uint8_t icmp[32] = {cases[i].type};
		struct rte_mbuf *m = packet6(58, icmp, 32);

		CU_ASSERT_EQUAL(peer[1]->ops->tx_burst(peer[1], &m, 1, 0), 1);
		CU_ASSERT_EQUAL(receive(1), 1);
		CU_ASSERT_EQUAL(receive(0), cases[i].news ? 1 : 0);
		CU_ASSERT_EQUAL(receive(2), cases[i].news ? 1 : 0);
	}
	end();
}

/* Queries of IGMP reach every queue, behind a router alert or not; reports of others only one. */
static void queries_for_groups(void)
{
	for (unsigned i = 0; i < 6; i++) {
		const bool query = i < 4, alert = i % 2 != 0;
		struct rte_mbuf *m = packet(0, 2, 0);
		uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);

		begin(i >= 2);
		ip[0] = alert ? 0x46 : 0x45;
		ip[alert ? 24 : 20] = query ? 0x11 : 0x16;
		CU_ASSERT_EQUAL(peer[1]->ops->tx_burst(peer[1], &m, 1, 0), 1);
		if (query) {
			for (unsigned q = 0; q < QUEUES; q++)
				CU_ASSERT_EQUAL(receive((q + 1) % QUEUES), 1);
		} else {
			CU_ASSERT_EQUAL(receive(1) + receive(0) + receive(2), 1);
		}
		end();
	}
}

static int predict(uint16_t sport)
{
	const struct pc_endpoint src = {pc_addr_ip4(rte_cpu_to_be_32(0x0a000002)), sport},
	                         dst = {pc_addr_ip4(rte_cpu_to_be_32(0x0a000001)), 80};

	return toeplitz_queue(&port[0]->info.rss, &src, &dst);
}

static void a_flow_comes_out_where_it_is_predicted(void)
{
	unsigned seen[QUEUES] = {0};

	begin(true);
	for (uint16_t sport = 1000; sport < 1300; sport++) {
		int want = predict(sport);

		for (unsigned q = 0; q < QUEUES; q++)
			CU_ASSERT_EQUAL(way_of(q, packet(sport, IPPROTO_TCP, 0)), want);
		seen[want]++;
	}
	for (unsigned q = 0; q < QUEUES; q++)
		CU_ASSERT(seen[q] > 70);
	end();
}

static void all_fragments_go_the_same_way(void)
{
	int first, next;

	begin(true);
	for (uint16_t sport = 1000; sport < 1010; sport++) {
		first = way_of(sport % QUEUES, packet(sport, IPPROTO_UDP, RTE_IPV4_HDR_MF_FLAG));
		next =
		    way_of((sport + 1u) % QUEUES, packet((uint16_t)(sport * 7), IPPROTO_UDP, 185));
		CU_ASSERT(first >= 0 && first == next);
	}
	end();
}

/* What stands where a header would be says nothing of a fragment: each goes where the other pieces go. */
static void no_fragment_is_judged_by_its_payload(void)
{
	const uint16_t more[] = {RTE_IPV4_HDR_MF_FLAG, 185};
	uint8_t advert[40] = {58, 0, 1, 1, [8] = 134}, error[68] = {58, 0, 1, 0, [8] = 1};
	int plain;

	begin(true);
	plain = way_of(0, packet(1, IPPROTO_ICMP, 185));
	for (unsigned i = 0; i < RTE_DIM(more); i++) {
		struct rte_mbuf *m = packet(0x0300, IPPROTO_ICMP, more[i]); /* like an error */
		uint8_t *quoted = rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 20 + 8);

		for (uint8_t k = 0; k < 16; k++) { /* about one flow or another */
			struct rte_mbuf *copy;

			quoted[0] = 0x45;
			quoted[9] = IPPROTO_UDP;
			quoted[15] = k;
			copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
			CU_ASSERT_EQUAL(way_of(k % QUEUES, copy), plain);
		}
		rte_pktmbuf_free(m);
		m = packet(67, IPPROTO_UDP, more[i]);
		rte_pktmbuf_mtod(m, uint8_t *)[14 + 20 + 3] = 68; /* like a DHCP server's */
		CU_ASSERT_EQUAL(way_of(1, m), plain);
	}
	plain = way_of(0, packet6(44, (const uint8_t[40]){58, 0, 1, 0}, 40));
	CU_ASSERT_EQUAL(way_of(0, packet6(44, advert, sizeof(advert))), plain);
	error[16] = 0x60;
	for (uint8_t k = 0; k < 16; k++) {
		error[16 + 23] = k;
		CU_ASSERT_EQUAL(way_of(k % QUEUES, packet6(44, error, sizeof(error))), plain);
	}
	end();
}

/* Destination unreachable, about a packet that we have sent. */
static struct rte_mbuf *error_about(uint16_t sport, uint16_t fragment)
{
	struct rte_mbuf *m = packet(0, IPPROTO_ICMP, 0);
	uint8_t *icmp = rte_pktmbuf_mtod_offset(m, uint8_t *, 34);
	struct rte_ipv4_hdr *inner = (struct rte_ipv4_hdr *)(icmp + 8);

	icmp[0] = 3;
	inner->version_ihl = 0x45;
	inner->next_proto_id = IPPROTO_UDP;
	inner->fragment_offset = rte_cpu_to_be_16(fragment);
	inner->src_addr = rte_cpu_to_be_32(0x0a000001);
	inner->dst_addr = rte_cpu_to_be_32(0x0a000002);
	((rte_be16_t *)(inner + 1))[0] = rte_cpu_to_be_16(80);
	((rte_be16_t *)(inner + 1))[1] = rte_cpu_to_be_16(sport);
	return m;
}

static void an_error_goes_where_its_packet_belongs(void)
{
	begin(true);
	for (uint16_t sport = 1000; sport < 1050; sport++)
		CU_ASSERT_EQUAL(way_of(sport % QUEUES, error_about(sport, 0)), predict(sport));
	end();
}

/* What was sent in fragments belongs to its ports, which the first has: whoever sent it is to hear of the path's MTU, say. The others
 * have none. */
static void an_error_about_a_first_fragment_goes_to_its_sender(void)
{
	for (unsigned by_flow = 0; by_flow < 2; by_flow++) {
		int others;

		begin(by_flow != 0);
		others = way_of(0, packet(0, IPPROTO_ICMP, 185));
		for (uint16_t sport = 1000; sport < 1050; sport++) {
			/* packet too big, about a fragment from fd00::1 to fd00::2 */
			uint8_t error[68] = {2,
			                     0,
			                     [8] = 0x60,
			                     [14] = 44,
			                     [16] = 0xfd,
			                     [31] = 1,
			                     [32] = 0xfd,
			                     [47] = 2,
			                     [48] = 17,
			                     [51] = 1,
			                     [57] = 80,
			                     [58] = (uint8_t)(sport >> 8),
			                     [59] = (uint8_t)sport};

			CU_ASSERT_EQUAL(
			    way_of(sport % QUEUES, error_about(sport, RTE_IPV4_HDR_MF_FLAG)),
			    predict(sport));
			CU_ASSERT_EQUAL(way_of(1, packet6(58, error, sizeof(error))),
			                predict6(sport, true));
			if (by_flow == 0)
				continue;
			CU_ASSERT_EQUAL(way_of(sport % QUEUES, error_about(sport, 185)), others);
			error[51] = 9; /* the second one */
			CU_ASSERT_EQUAL(way_of(1, packet6(58, error, sizeof(error))),
			                predict6(0, false));
		}
		end();
	}
}

/* A port of a flow that belongs to a queue. */
static uint16_t port_for(unsigned queue)
{
	uint16_t sport = 2000;

	while (predict(sport) != (int)queue)
		sport++;
	return sport;
}

/* RSS that is announced and not done: all frames come to queue 0. None of them stays there, and the device is not believed
 * any more, neither after the frames that are looked at. */
static void rss_that_is_not_true(void)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (unsigned k = 0; k < 2; k++) {
		const uint8_t other = protos[1 - k];

		begin(false);
		for (unsigned i = 0; i < 1500; i++) { /* as it should be */
			const uint16_t sport = (uint16_t)(2000 + i % 100);

			CU_ASSERT_EQUAL(
			    way_of((unsigned)predict(sport), packet(sport, protos[k], 0)),
			    predict(sport));
		}
		CU_ASSERT_EQUAL(port[0]->info.rx_untrue, 0);
		end();
		begin(false);
		for (unsigned i = 0; i < 1500; i++) {
			const uint16_t sport = (uint16_t)(2000 + i % 100);

			CU_ASSERT_EQUAL(way_of(0, packet(sport, protos[k], 0)), predict(sport));
		}
		CU_ASSERT(port[0]->info.rx_untrue >= 4 && port[0]->info.rx_untrue <= 1000);
		/* on each queue, for that protocol; the other one is judged by itself */
		CU_ASSERT_EQUAL(way_of(1, packet(port_for(2), protos[k], 0)), 2);
		CU_ASSERT_EQUAL(way_of(2, packet(port_for(2), other, 0)), 2);
		end();
	}
}

/* The kernel's devices, whose queues it chooses without RSS, unless the mode says otherwise. */
static void whose_flows_are_spread_in_software(void)
{
	CU_ASSERT(steer_by_flow(RUN_STEER_AUTO, "net_tap"));
	CU_ASSERT(steer_by_flow(RUN_STEER_AUTO, "net_af_packet"));
	CU_ASSERT_FALSE(steer_by_flow(RUN_STEER_AUTO, "net_ice"));
	CU_ASSERT_FALSE(steer_by_flow(RUN_STEER_QUEUE, "net_tap"));
	CU_ASSERT(steer_by_flow(RUN_STEER_FLOW, "net_ice"));
}

static void errors_go_where_they_belong_without_steering(void)
{
	uint8_t error[60] = {2, 0, [8] = 0x60, [14] = 6};
	struct rte_mbuf *m;

	begin(false);
	for (uint16_t sport = 1000; sport < 1050; sport++) {
		CU_ASSERT_EQUAL(way_of(sport % QUEUES, error_about(sport, 0)), predict(sport));
		error[16] = error[32] = 0xfd; /* from fd00::1 to fd00::2 */
		error[31] = 1;
		error[47] = 2;
		error[49] = 80;
		error[50] = (uint8_t)(sport >> 8);
		error[51] = (uint8_t)sport;
		CU_ASSERT_EQUAL(way_of(sport % QUEUES, packet6(58, error, 60)),
		                predict6(sport, true));
	}
	/* what asks for echoes has no flow but its addresses, by which it has come */
	m = packet(0, IPPROTO_ICMP, 0);
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 34) = 8;
	CU_ASSERT_EQUAL(way_of(2, m), 2);
	CU_ASSERT_EQUAL(port[2]->info.rx_untrue, 0);
	end();
}

static void malformed_frames_stay_where_they_are(void)
{
	struct rte_mbuf *m;

	begin(true);
	for (uint16_t len = 14; len < 38; len++) {
		m = packet(1000, IPPROTO_TCP, 0);
		rte_pktmbuf_trim(m, (uint16_t)(90 - len));
		CU_ASSERT(way_of(1, m) >= 0);
	}
	m = packet(1000, IPPROTO_TCP, 0);
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 14) = 0x4f; /* a header of 60 bytes */
	CU_ASSERT(way_of(1, m) >= 0);
	m = packet(1000, IPPROTO_TCP, 0);
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 14) = 0x60;
	CU_ASSERT_EQUAL(way_of(2, m), 2);
	end();
}

static void a_full_ring_loses_and_counts(void)
{
	uint16_t sport = 1000;
	struct rte_mbuf *m;

	begin(true);
	while (predict(sport) == 0)
		sport++;
	for (unsigned i = 0; i < 1200; i++) {
		m = packet(sport, IPPROTO_TCP, 0);
		CU_ASSERT_EQUAL(peer[0]->ops->tx_burst(peer[0], &m, 1, 0), 1);
		CU_ASSERT_EQUAL(receive(0), 0);
	}
	CU_ASSERT_EQUAL(port[0]->info.rx_lost, 1200 - 1023);
	end();
}

/* no mbufs for copies: the other queues do not hear of a neighbour, and that is counted */
static void copies_that_are_not_made(void)
{
	static struct rte_mbuf *all[POOL];
	unsigned n = 0;

	begin(false);
	arrive(1, RTE_ETHER_TYPE_ARP, RTE_ARP_OP_REPLY, 1, 2);
	while (n < POOL && (all[n] = rte_pktmbuf_alloc(pool)) != NULL)
		n++;
	CU_ASSERT_EQUAL(receive(1), 1);
	CU_ASSERT_EQUAL(port[1]->info.rx_lost, QUEUES - 1);
	rte_pktmbuf_free_bulk(all, n);
	CU_ASSERT_EQUAL(receive(0) + receive(2), 0);
	end();
}

/* ---- lcores at once: each polls its own queue, and frames of any flow arrive at each -------------- */

#define EACH 300 /* so that no ring is ever full */

static atomic_uint arrived, misled;
static struct rte_mbuf *kept[QUEUES][QUEUES * EACH + 8]; /* given back when all is over */
static unsigned nb_kept[QUEUES];

static void *lcore(void *arg)
{
	const unsigned self = (unsigned)(uintptr_t)arg;

	while (atomic_load(&arrived) < QUEUES * EACH) {
		struct rte_mbuf **m = &kept[self][nb_kept[self]];
		uint16_t n = port[self]->ops->rx_burst(port[self], m, 8, 0);

		for (uint16_t i = 0; i < n; i++) {
			const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);

			if (predict((uint16_t)(p[34] << 8 | p[35])) != (int)self)
				atomic_fetch_add(&misled, 1);
		}
		nb_kept[self] += n;
		atomic_fetch_add(&arrived, n);
	}
	return NULL;
}

static void lcores_at_once(void)
{
	pthread_t t[QUEUES];
	unsigned sum = 0;

	begin(true);
	for (unsigned q = 0; q < QUEUES; q++)
		for (unsigned i = 0; i < EACH; i++) {
			struct rte_mbuf *m = packet((uint16_t)(1000 + i * 7 + q), IPPROTO_TCP, 0);

			CU_ASSERT_EQUAL(peer[q]->ops->tx_burst(peer[q], &m, 1, 0), 1);
		}
	for (uintptr_t q = 0; q < QUEUES; q++)
		CU_ASSERT_FATAL(pthread_create(&t[q], NULL, lcore, (void *)q) == 0);
	for (unsigned q = 0; q < QUEUES; q++) {
		pthread_join(t[q], NULL);
		rte_pktmbuf_free_bulk(kept[q], nb_kept[q]);
		sum += nb_kept[q];
	}
	CU_ASSERT_EQUAL(sum, QUEUES * EACH);
	CU_ASSERT_EQUAL(misled, 0);
	end();
}

static const struct unit_case cases[] = {
    {"replies reach every queue, once", replies_reach_every_queue_once},
    {"who sleeps is woken", who_sleeps_is_woken},
    {"gratuitous requests do, others do not", gratuitous_requests_do_and_others_do_not},
    {"RFC 5227 2.1.1: so do probes", probes_do},
    {"an lcore that does not listen loses news", a_lcore_that_does_not_listen_loses_news},
    {"a flow comes out where it is predicted", a_flow_comes_out_where_it_is_predicted},
    {"all fragments go the same way", all_fragments_go_the_same_way},
    {"no fragment is judged by its payload", no_fragment_is_judged_by_its_payload},
    {"an error goes where its packet belongs", an_error_goes_where_its_packet_belongs},
    {"an error about a first fragment goes to its sender",
     an_error_about_a_first_fragment_goes_to_its_sender},
    {"RSS that is not true", rss_that_is_not_true},
    {"whose flows are spread in software", whose_flows_are_spread_in_software},
    {"errors go where they belong, without steering", errors_go_where_they_belong_without_steering},
    {"malformed frames do no harm", malformed_frames_stay_where_they_are},
    {"flows of IPv6 stay together", flows_of_ip6},
    {"news of neighbours reach every queue", news_of_neighbours},
    {"queries for groups reach every queue", queries_for_groups},
    {"a full ring loses and counts", a_full_ring_loses_and_counts},
    {"copies that are not made are counted", copies_that_are_not_made},
    {"lcores at once", lcores_at_once},
};

int main(void)
{
	eal_start();
	pool = eal_pool("steer", POOL);
	return unit_run("run/steer", cases, sizeof(cases) / sizeof(cases[0]));
}
