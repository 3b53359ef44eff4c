/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 output: headers, checksums by the port and by us, limits. */

#include <arpa/inet.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "net.h"

static struct net net;

static void start(void)
{
	net_init(&net);
	net_open(&net);
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
}

static struct ip_send send_to(uint32_t dst_be, uint8_t proto)
{
	return (struct ip_send){.src = net_addr(NET_US), .dst = net_addr(dst_be), .proto = proto};
}

static struct ip_path path_to(uint32_t dst_be)
{
	const struct pc_addr dst = net_addr(dst_be);
	struct ip_path path;

	CU_ASSERT_EQUAL(ip_path_find(&net.ip, &dst, LADDR_NONE, &path), 0);
	return path;
}

/* A packet with a transport header in front of its payload, in one mbuf or in pieces. */
static struct rte_mbuf *segment(uint8_t proto, uint32_t payload, uint16_t piece)
{
	uint8_t bytes[2048] = {0};
	const uint32_t hdr = proto == 6 ? 20 : 8;
	const uint32_t len = hdr + payload;

	for (uint32_t i = 0; i < payload; i++)
		bytes[hdr + i] = (uint8_t)(i * 7);
	if (proto == 6) {
		memcpy(bytes,
		       (const uint8_t[20]){0, 80, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x10, 9}, 20);
	} else {
		memcpy(bytes, (const uint8_t[8]){0, 53, 1, 1}, 8);
		bytes[4] = (uint8_t)(len >> 8);
		bytes[5] = (uint8_t)len;
	}
	return net_mbuf(&net, bytes, len, piece, piece);
}

static void output(uint8_t proto, uint32_t payload, uint16_t piece, const struct ip_send *s)
{
	const struct ip_path path = path_to(pc_addr_get_ip4(&s->dst));
	struct rte_mbuf *m = segment(proto, payload, piece);

	ip_l4_checksum(&net.ip, &path, s, m, proto == 6 ? 20 : 8, proto == 6 ? 16 : 6);
	ip_output(&net.ip, &path, s, m);
}

/* The port's work and ours give the same bytes, for every length and however cut. */
static void test_checksums(void)
{
	const uint32_t offloads =
	    PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM;
	struct frame_info info;
	struct frame a, b;
	struct ip_send s;

	start();
	for (uint32_t len = 0; len < 1461; len += len < 64 ? 1 : 97)
		for (unsigned i = 0; i < 4; i++) {
			const uint8_t proto = i % 2 == 0 ? 6 : 17;
			const uint16_t piece = i < 2 ? 0 : 33;

			s = send_to(NET_PEER, proto);
			s.df = true;
			net.port[0].port.info.offloads = 0;
			output(proto, len, piece, &s);
			net.port[0].port.info.offloads = offloads;
			CU_ASSERT(net_next(&net, 0, &a));
			output(proto, len, piece, &s);
			CU_ASSERT(net_next(&net, 0, &b));
			CU_ASSERT_PTR_NULL(frame_read(&a, &info));
			CU_ASSERT(a.len == b.len && memcmp(a.b, b.b, a.len) == 0);
			net.port[0].nb_sent = net.port[0].nb_seen = 0;
		}
	net_close(&net);
}

/* RFC 768: a UDP checksum that comes out as 0 is sent as 0xffff. */
static void test_udp_zero(void)
{
	struct ip_send s = {.src = net_addr(NET_US), .dst = net_addr(NET_PEER), .proto = 17};
	struct ip_path path;
	unsigned seen = 0;
	struct frame f;

	start();
	path = path_to(NET_PEER);
	for (uint32_t v = 0; v < 65536; v++) {
		struct rte_mbuf *m = segment(17, 2, 0);
		uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

		p[8] = (uint8_t)(v >> 8);
		p[9] = (uint8_t)v;
		ip_l4_checksum(&net.ip, &path, &s, m, 8, 6);
		CU_ASSERT(p[6] != 0 || p[7] != 0);
		seen += p[6] == 0xff && p[7] == 0xff;
		ip_output(&net.ip, &path, &s, m);
		CU_ASSERT(net_next(&net, 0, &f));
		net.port[0].nb_sent = net.port[0].nb_seen = 0;
	}
	CU_ASSERT_EQUAL(seen, 1);
	net_close(&net);
}

/* Who counts the packets to one destination learns nothing of those to another. */
static void test_ids(void)
{
	unsigned near = 0, last = 0;
	struct frame f;

	start();
	net_resolve(&net, 0, NET_GATEWAY, net_peer_mac);
	for (uint32_t i = 0; i < 64; i++) {
		const struct ip_send s = send_to(htonl(ntohl(NET_FAR) + i), 17);
		unsigned id;

		output(17, 10, 0, &s);
		CU_ASSERT_FATAL(net_next(&net, 0, &f));
		id = (unsigned)(f.b[18] << 8 | f.b[19]);
		near += (uint16_t)(id - last + 16) <= 32;
		last = id;
	}
	CU_ASSERT(near <= 3);
	net_close(&net);
}

static void test_header(void)
{
	struct ip_send s = {.src = net_addr(NET_US), .dst = net_addr(NET_PEER), .proto = 17};
	unsigned ids = 0, last = 0;
	struct frame_info info;
	struct frame f;

	start();
	for (unsigned i = 0; i < 20; i++) {
		output(17, 10, 0, &s);
		CU_ASSERT(net_next(&net, 0, &f) && frame_read(&f, &info) == NULL);
		CU_ASSERT(info.ttl == 64 && info.tos == 0 && !info.df);
		ids += last != (unsigned)(f.b[18] << 8 | f.b[19]);
		last = (unsigned)(f.b[18] << 8 | f.b[19]);
	}
	CU_ASSERT(ids >= 18);
	s.ttl = 3;
	s.tos = 0x28;
	s.df = true;
	output(17, 10, 0, &s);
	CU_ASSERT(net_next(&net, 0, &f) && frame_read(&f, &info) == NULL);
	CU_ASSERT(info.ttl == 3 && info.tos == 0x28 && info.df);
	CU_ASSERT(f.b[18] == 0 && f.b[19] == 0); /* RFC 6864: no identification is needed */
	CU_ASSERT(info.ends.src_be == NET_US && info.ends.dst_be == NET_PEER);
	CU_ASSERT(memcmp(info.ends.dst_mac, net_peer_mac, 6) == 0);
	net_close(&net);
}

static void test_mtu(void)
{
	struct ip_send s = send_to(NET_PEER, 17);
	struct rte_mbuf *m;
	struct ip_path path;
	struct frame f;

	start();
	s.df = true;
	output(17, 1472, 0, &s);
	CU_ASSERT(net_next(&net, 0, &f) && f.len == 1514);
	output(17, 1473, 0, &s);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_TOO_BIG), 1);
	/* what the port cuts may be larger */
	path = path_to(NET_PEER);
	m = segment(6, 1900, 0);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = 1460;
	net.port[0].port.info.offloads = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM;
	ip_l4_checksum(&net.ip, &path, &s, m, 20, 16);
	ip_output(&net.ip, &path, &s, m);
	CU_ASSERT(net_next(&net, 0, &f) && f.len == 1954);
	net_close(&net);
}

/* A path that has become outdated is found anew. */
static void test_outdated(void)
{
	const struct ip_send s = send_to(NET_FAR, 17);
	const struct pc_addr far = net_addr(NET_FAR), by = net_addr(NET_PEER);
	const struct pc_prefix dest = {.addr = net_addr(NET_FAR), .len = 128};
	const struct ip_send nowhere = send_to(IP4(127, 0, 0, 1), 17);
	struct ip_path path;
	struct frame f;

	start();
	path = path_to(NET_FAR);
	CU_ASSERT(ip_path_is_good(&net.ip, &path));
	CU_ASSERT_EQUAL(ip_add_route(&net.ip, &dest, &by), 0);
	CU_ASSERT(!ip_path_is_good(&net.ip, &path));
	ip_output(&net.ip, &path, &s, segment(17, 10, 0));
	CU_ASSERT(net_next(&net, 0, &f) && memcmp(f.b, net_peer_mac, 6) == 0);
	CU_ASSERT_EQUAL(ip_path_find(&net.ip, &far, 0, &path), 0);
	CU_ASSERT(ip_path_is_good(&net.ip, &path));
	/* and so is one whose neighbour was forgotten: by resolving him again */
	net_advance(&net, 700000);
	CU_ASSERT(!ip_path_is_good(&net.ip, &path));
	ip_output(&net.ip, &path, &s, segment(17, 10, 0));
	CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 6);
	path.neigh.generation = 0;
	ip_output(&net.ip, &path, &nowhere, segment(17, 10, 0));
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_NO_ROUTE), 1);
	net_close(&net);
}

static void test_groups(void)
{
	struct ip_send s = send_to(IP4(255, 255, 255, 255), 17);
	struct frame_info info;
	struct frame f;

	start();
	output(17, 10, 0, &s);
	CU_ASSERT(net_next(&net, 0, &f) && frame_read(&f, &info) == NULL);
	CU_ASSERT(memcmp(f.b, net_broadcast_mac, 6) == 0 && info.ttl == 64);
	s.dst = net_addr(IP4(10, 0, 0, 255));
	output(17, 10, 0, &s);
	CU_ASSERT(net_next(&net, 0, &f) && memcmp(f.b, net_broadcast_mac, 6) == 0);
	/* RFC 1112 section 6.1: a multicast does not leave the link unless told to */
	s.dst = net_addr(IP4(224, 1, 2, 3));
	output(17, 10, 0, &s);
	CU_ASSERT(net_next(&net, 0, &f) && frame_read(&f, &info) == NULL);
	CU_ASSERT(memcmp(f.b, (const uint8_t[6]){1, 0, 0x5e, 1, 2, 3}, 6) == 0 && info.ttl == 1);
	s.ttl = 9;
	output(17, 10, 0, &s);
	CU_ASSERT(net_next(&net, 0, &f) && frame_read(&f, &info) == NULL && info.ttl == 9);
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"checksums by the port and by us", test_checksums},
    {"a UDP checksum of 0", test_udp_zero},
    {"the header", test_header},
    {"identifications of several destinations", test_ids},
    {"the MTU", test_mtu},
    {"outdated paths", test_outdated},
    {"broadcast and multicast", test_groups},
};

int main(void)
{
	return net_program("ip/ip4_out", cases, sizeof(cases) / sizeof(cases[0]));
}
