/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP output: what goes out, and what is refused by which errno. */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"

/* Sends len bytes; what is refused is freed here. */
static int send_len(uint32_t index, uint32_t len, const struct pc_endpoint *to)
{
	struct rte_mbuf *m = net_payload(&net, len);
	const int rc = udp_send(udp, index, m, to);

	if (rc != 0) {
		CU_ASSERT_EQUAL(m->pkt_len, len);
		rte_pktmbuf_free(m);
	}
	return rc;
}

/* Takes a sent frame, which must be a good datagram. */
static bool sent(struct frame_info *info)
{
	static struct frame f;
	const char *wrong;

	if (!net_next(&net, 0, &f))
		return false;
	wrong = frame_read(&f, info);
	CU_ASSERT_PTR_NULL(wrong);
	return wrong == NULL && info->proto == 17;
}

static void test_send(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 53), far = endpoint(NET_FAR, 54);
	struct frame_info info;
	uint32_t a;

	start();
	a = (uint32_t)udp_open(udp);
	CU_ASSERT_EQUAL(send_len(a, 10, &peer), 0);
	CU_ASSERT(udp_sock(udp, a)->bound);
	CU_ASSERT(sent(&info) && info.payload_len == 10 && info.dport == 53);
	CU_ASSERT_EQUAL(info.sport, udp_sock(udp, a)->local.port);
	CU_ASSERT(info.ends.src_be == NET_US && info.ends.dst_be == NET_PEER && info.ttl == 64);
	CU_ASSERT(info.df); /* RFC 8085 section 3.2: so the path's MTU is learnt */
	/* to somebody else, by the gateway */
	CU_ASSERT_EQUAL(send_len(a, 0, &far), 0);
	CU_ASSERT(sent(&info) && info.payload_len == 0 && info.ends.dst_be == NET_FAR);
	CU_ASSERT_EQUAL(net_count(&net, PC_UDP_TX), 2);
	udp_sock(udp, a)->ttl = 7;
	udp_sock(udp, a)->tos = 0xb8;
	CU_ASSERT_EQUAL(send_len(a, 1, &far), 0);
	CU_ASSERT(sent(&info) && info.ttl == 7 && info.tos == 0xb8);
	CU_ASSERT_EQUAL(udp_validate(udp), 0);
	finish();
}

static void test_sizes(void)
{
	const uint32_t offloads = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_UDP_CKSUM;
	const struct pc_endpoint peer = endpoint(NET_PEER, 53);
	struct frame_info info;
	uint32_t a;

	start();
	a = bound(0, 1000);
	for (uint32_t len = 0; len <= 1472; len++) {
		net.port[0].port.info.offloads = len % 2 != 0 ? offloads : 0;
		CU_ASSERT_EQUAL(send_len(a, len, &peer), 0);
		CU_ASSERT(sent(&info) && info.payload_len == len);
		for (uint32_t i = 0; i < len; i++)
			CU_ASSERT_EQUAL_FATAL(info.payload[i], i % 251);
		net.port[0].nb_sent = net.port[0].nb_seen = 0;
	}
	udp_sock(udp, a)->discover = IP_PMTUDISC_DO;
	CU_ASSERT_EQUAL(send_len(a, 1473, &peer), -EMSGSIZE);
	CU_ASSERT(net_idle(&net));
	finish();
}

static void test_chain(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 53);
	struct frame_info info;
	struct rte_mbuf *m;
	uint32_t a;

	start();
	a = bound(0, 1000);
	for (uint32_t len = 1; len < 60; len++) {
		m = net_payload(&net, len);
		CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, net_payload(&net, 100)), 0);
		CU_ASSERT_EQUAL(udp_send(udp, a, m, &peer), 0);
		CU_ASSERT(sent(&info) && info.payload_len == len + 100);
	}
	finish();
}

/* The length field has 16 bits, whatever the MTU. */
static void test_largest(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 53);
	struct rte_mbuf *m;
	uint32_t a;

	net_init(&net);
	net.port[0].port.info.mtu = 65535;
	start_with();
	a = bound(0, 1000);
	m = net_payload(&net, 508);
	for (unsigned i = 0; i < 65; i++)
		CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, net_payload(&net, 1000)), 0);
	CU_ASSERT_EQUAL(udp_send(udp, a, m, &peer), -EMSGSIZE);
	rte_pktmbuf_trim(m, 1);
	CU_ASSERT_EQUAL(udp_send(udp, a, m, &peer), 0);
	finish();
}

static void test_connected(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 53), far = endpoint(NET_FAR, 54);
	struct frame_info info;
	uint32_t a;

	start();
	a = (uint32_t)udp_open(udp);
	CU_ASSERT_EQUAL(send_len(a, 1, NULL), -EDESTADDRREQ);
	CU_ASSERT_EQUAL(udp_connect(udp, a, &peer, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(send_len(a, 1, NULL), 0);
	CU_ASSERT(sent(&info) && info.dport == 53);
	CU_ASSERT_EQUAL(send_len(a, 1, &far), 0); /* as on Linux, not EISCONN */
	CU_ASSERT(sent(&info) && info.dport == 54);
	CU_ASSERT_EQUAL(send_len(a, 1, NULL), 0);
	CU_ASSERT(sent(&info) && info.dport == 53);
	udp_connect(udp, a, NULL, LADDR_NONE);
	CU_ASSERT_EQUAL(send_len(a, 1, NULL), -EDESTADDRREQ);
	finish();
}

/* Who is connected sends by the interface that he has said, too. */
static void test_connected_interface(void)
{
	const struct pc_endpoint group = endpoint(IP4(239, 1, 1, 1), 53),
	                         peer = endpoint(NET_PEER, 53);
	uint32_t bound_to, sends_by;
	struct frame f;

	start();
	sends_by = (uint32_t)udp_open(udp);
	udp_sock(udp, sends_by)->out_netif = 1 + 1; /* IP_MULTICAST_IF */
	bound_to = (uint32_t)udp_open(udp);
	udp_sock(udp, bound_to)->netif = 1 + 1; /* SO_BINDTOIFINDEX */
	CU_ASSERT_EQUAL(udp_connect(udp, sends_by, &group, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(udp_connect(udp, bound_to, &group, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(pc_addr_get_ip4(&udp_sock(udp, sends_by)->local.addr), NET_US_TOO);
	CU_ASSERT_EQUAL(send_len(sends_by, 1, NULL), 0);
	CU_ASSERT_EQUAL(send_len(bound_to, 1, NULL), 0);
	CU_ASSERT(net_next(&net, 1, &f) && net_next(&net, 1, &f) && !net_next(&net, 0, &f));
	CU_ASSERT(udp_connect(udp, bound_to, &peer, LADDR_NONE) < 0); /* of another interface */
	/* what an earlier connection chose does not hold for the next */
	CU_ASSERT_EQUAL(udp_connect(udp, sends_by, &peer, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(udp_connect(udp, sends_by, &group, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(pc_addr_get_ip4(&udp_sock(udp, sends_by)->local.addr), NET_US_TOO);
	finish();
}

/* IP_MULTICAST_IF counts even for who is bound to an address of another interface. */
static void test_bound_interface(void)
{
	const struct pc_endpoint group = endpoint(IP4(239, 1, 1, 1), 53);
	struct frame f;
	uint32_t a;

	start();
	a = bound(NET_US, 1000);
	CU_ASSERT_EQUAL(send_len(a, 1, &group), 0);
	CU_ASSERT(net_next(&net, 0, &f) && !net_next(&net, 1, &f));
	udp_sock(udp, a)->out_netif = 1 + 1;
	CU_ASSERT_EQUAL(send_len(a, 1, &group), 0);
	CU_ASSERT(!net_next(&net, 0, &f) && net_next(&net, 1, &f));
	CU_ASSERT_EQUAL(memcmp(f.b + 26, &(uint32_t){NET_US}, 4), 0);
	udp_sock(udp, a)->netif = 0 + 1; /* SO_BINDTOIFINDEX counts more */
	CU_ASSERT_EQUAL(send_len(a, 1, &group), 0);
	CU_ASSERT(net_next(&net, 0, &f) && !net_next(&net, 1, &f));
	finish();
}

static void test_errors(void)
{
	const struct pc_endpoint zero = endpoint(NET_PEER, 0), self = endpoint(NET_US, 53);
	const struct pc_endpoint none = endpoint(0, 53), loop = endpoint(IP4(127, 0, 0, 2), 53);
	const struct pc_endpoint peer = endpoint(NET_PEER, 53);
	uint32_t a;

	start();
	a = bound(NET_US, 1000);
	CU_ASSERT_EQUAL(send_len(a, 1, &zero), -EINVAL);
	CU_ASSERT_EQUAL(send_len(a, 1, &self), 0);
	CU_ASSERT_EQUAL(send_len(a, 1, &none), -ENETUNREACH);
	CU_ASSERT_EQUAL(send_len(a, 1, &loop), -ENETUNREACH);
	CU_ASSERT_EQUAL(send_len(bound(NET_US_TOO, 1000), 1, &peer), -EADDRNOTAVAIL);
	udp_sock(udp, a)->error = ECONNREFUSED;
	CU_ASSERT_EQUAL(send_len(a, 1, &peer), -ECONNREFUSED);
	CU_ASSERT_EQUAL(send_len(a, 1, &peer), 0); /* told once */
	udp_sock(udp, a)->wr_shut = true;
	CU_ASSERT_EQUAL(send_len(a, 1, &peer), -EPIPE);
	CU_ASSERT_EQUAL(send_len(a, 1, NULL), -EDESTADDRREQ);
	finish();
}

static void test_broadcast(void)
{
	const struct pc_endpoint link = endpoint(IP4(10, 0, 0, 255), 67);
	const struct pc_endpoint all = endpoint(IP4(255, 255, 255, 255), 67);
	const struct pc_endpoint group = endpoint(IP4(239, 1, 1, 1), 67);
	const struct pc_endpoint none = endpoint(0, 67);
	struct frame_info info;
	uint32_t a;

	start();
	a = bound(0, 68);
	CU_ASSERT_EQUAL(send_len(a, 1, &link), -EACCES);
	CU_ASSERT_EQUAL(send_len(a, 1, &all), -EACCES);
	CU_ASSERT_EQUAL(send_len(a, 1, &group), 0);
	CU_ASSERT(sent(&info) && info.ttl == 1);
	udp_sock(udp, a)->broadcast = true;
	CU_ASSERT_EQUAL(send_len(a, 1, &link), 0);
	CU_ASSERT(sent(&info) && memcmp(info.ends.dst_mac, net_broadcast_mac, 6) == 0);
	CU_ASSERT_EQUAL(send_len(a, 1, &none), -ENETUNREACH); /* not by what was found before */
	CU_ASSERT_EQUAL(send_len(a, 1, &none), -ENETUNREACH);
	CU_ASSERT_EQUAL(send_len(a, 1, &all), 0);
	CU_ASSERT(sent(&info) && info.ends.dst_be == UINT32_MAX);
	finish();
}

/* The way is kept, and found anew when routes or neighbours have changed. */
static void test_path(void)
{
	const struct pc_endpoint far = endpoint(NET_FAR, 53);
	const struct pc_addr by = net_addr(NET_PEER);
	const struct pc_prefix dest = {.addr = net_addr(NET_FAR), .len = 128};
	struct frame_info info;
	struct frame f;
	uint32_t a;

	start();
	a = bound(0, 1000);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(send_len(a, 1, &far), 0);
		CU_ASSERT(sent(&info));
	}
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &dest, &by), 0);
	net_advance(&net, 700000); /* everybody is forgotten */
	CU_ASSERT_EQUAL(send_len(a, 1, &far), 0);
	CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 6);
	CU_ASSERT(memcmp(f.b + 38, &(uint32_t){NET_PEER}, 4) == 0);
	finish();
}

/* What goes to all, but for lack of an mbuf not to ourselves, is counted. */
static void test_broadcast_without_mbuf(void)
{
	const struct pc_endpoint all = endpoint(IP4(255, 255, 255, 255), 7);
	struct frame_info info;
	struct rte_mbuf *m;
	uint32_t a;

	start();
	a = bound(0, 5000);
	udp_sock(udp, a)->broadcast = true;
	m = net_payload(&net, 10);
	net_exhaust(&net);
	CU_ASSERT_EQUAL(udp_send(udp, a, m, &all), 0);
	CU_ASSERT_EQUAL(net_count(&net, PC_RX_COPY_NO_MBUF), 1);
	net_relent();
	CU_ASSERT(sent(&info) && info.dport == 7);
	finish();
}

static const struct unit_case cases[] = {
    {"send", test_send},
    {"every size, by the port and by us", test_sizes},
    {"chains", test_chain},
    {"the largest", test_largest},
    {"connected", test_connected},
    {"connected by an interface", test_connected_interface},
    {"bound, by another interface", test_bound_interface},
    {"errors", test_errors},
    {"broadcast and multicast", test_broadcast},
    {"the way", test_path},
    {"broadcast without an mbuf", test_broadcast_without_mbuf},
};

int main(void)
{
	return net_program("udp/udp_out", cases, sizeof(cases) / sizeof(cases[0]));
}
