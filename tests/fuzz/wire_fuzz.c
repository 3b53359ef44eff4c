/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every parser of lib/wire, and those of DHCP and DHCPv6: they must not read past the end, what
 * they return must lie within the input, and what was parsed and written must parse as the same
 * again. The first byte selects the parser.
 */
#include <string.h>

#include "dhcp/message.h"
#include "dhcp/message6.h"
#include "fuzz.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/igmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/nd.h"
#include "wire/print.h"
#include "wire/tcp.h"
#include "wire/udp.h"

static void try_arp(const uint8_t *p, uint32_t len)
{
	struct arp_pkt a, b;
	uint8_t again[ARP_LEN];

	if (arp_parse(p, len, &a) < 0)
		return;
	fuzz_check(len >= ARP_LEN);
	fuzz_check(arp_write(again, &a) == ARP_LEN);
	fuzz_check(arp_parse(again, sizeof(again), &b) > 0);
	fuzz_check(a.op == b.op && a.spa_be == b.spa_be && a.tpa_be == b.tpa_be);
	fuzz_check(eth_equal(a.sha, b.sha) && eth_equal(a.tha, b.tha));
}

static void walk_options(const uint8_t *p, uint8_t hdr_len)
{
	uint8_t off = IP4_HDR_LEN, opt = 0;
	int n;

	while ((n = ip4_opt_next(p, hdr_len, &off, &opt)) > 0) {
		fuzz_check(n >= 2 && opt >= IP4_HDR_LEN && opt + n <= hdr_len);
		fuzz_check(off == opt + n);
	}
	fuzz_check((ip4_options(p, hdr_len) == WIRE_FORM) == (n == WIRE_FORM));
}

static void try_ip4(const uint8_t *p, uint32_t len)
{
	struct ip4_hdr h, again;
	uint8_t out[IP4_HDR_LEN];
	int n = ip4_parse(p, len, &h);

	if (n < 0)
		return;
	fuzz_check(n == h.hdr_len && n >= IP4_HDR_LEN && n <= IP4_HDR_MAX);
	fuzz_check(h.total_len >= n && h.total_len <= len && h.frag_off % 8 == 0);
	(void)ip4_cksum_ok(p, h.hdr_len);
	walk_options(p, h.hdr_len);
	if (n != IP4_HDR_LEN)
		return;
	ip4_write(out, &h);
	ip4_set_cksum(out);
	fuzz_check(ip4_cksum_ok(out, IP4_HDR_LEN));
	fuzz_check(ip4_parse(out, len, &again) == IP4_HDR_LEN);
	fuzz_check(h.tos == again.tos && h.total_len == again.total_len && h.id == again.id);
	fuzz_check(h.frag_off == again.frag_off && h.df == again.df && h.mf == again.mf);
	fuzz_check(h.ttl == again.ttl && h.proto == again.proto);
	fuzz_check(h.src_be == again.src_be && h.dst_be == again.dst_be);
}

static void try_icmp4(const uint8_t *p, uint32_t len)
{
	struct icmp4_hdr h;
	struct icmp4_quote q;

	if (icmp4_parse(p, len, &h) < 0)
		return;
	fuzz_check(len >= ICMP4_HDR_LEN);
	if (icmp4_parse_quote(p + ICMP4_HDR_LEN, len - ICMP4_HDR_LEN, &q) >= 0)
		fuzz_check(len >= ICMP4_HDR_LEN + IP4_HDR_LEN + 8);
}

static void try_auth(const uint8_t *p, unsigned hdr_len, const struct tcp_seg *s)
{
	struct tcp_auth a = {0};
	const uint8_t *at = tcp_find_auth(p, hdr_len, &a);
	const unsigned len = a.kind == TCP_AUTH_MD5 ? TCP_MD5_LEN : a.len;

	fuzz_check(at == NULL || (s->has & TCP_HAS_AUTH));
	fuzz_check(at == NULL || (at >= p + TCP_HDR_LEN + 2 && at + len <= p + hdr_len));
}

static void try_tcp(const uint8_t *p, uint32_t len)
{
	struct tcp_seg a = {0}, b = {0};
	uint8_t out[TCP_HDR_MAX];
	uint16_t n;
	int hdr = tcp_parse(p, len, &a);

	if (hdr < 0)
		return;
	fuzz_check(hdr == a.hdr_len && hdr >= TCP_HDR_LEN && (uint32_t)hdr <= len);
	fuzz_check(a.len == len - (uint32_t)hdr && a.nb_sack <= TCP_SACK_BLOCKS);
	try_auth(p, (unsigned)hdr, &a);
	if (tcp_hdr_len(&a) > TCP_HDR_MAX)
		return;
	n = tcp_write(out, &a);
	fuzz_check(n == tcp_hdr_len(&a) && n % 4 == 0);
	fuzz_check(tcp_parse(out, n + a.len, &b) == n);
	fuzz_check(a.seq == b.seq && a.ack == b.ack && a.wnd == b.wnd && a.flags == b.flags);
	fuzz_check(a.mss == b.mss && a.wscale == b.wscale && a.tsval == b.tsval &&
	           a.tsecr == b.tsecr);
	fuzz_check(a.accecn == b.accecn);
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		fuzz_check(!tcp_accecn_has(a.accecn, (enum tcp_counter)i) ||
		           a.counter[i] == b.counter[i]);
	/* not all blocks need fit in with the other options */
	fuzz_check(b.nb_sack <= a.nb_sack);
	for (uint8_t i = 0; i < b.nb_sack; i++)
		fuzz_check(a.sack[i].start == b.sack[i].start && a.sack[i].end == b.sack[i].end);
}

static void try_udp(const uint8_t *p, uint32_t len)
{
	struct udp_hdr h;

	if (udp_parse(p, len, &h) < 0)
		return;
	fuzz_check(h.len >= UDP_HDR_LEN && h.len <= len);
}

static void try_print(const uint8_t *p, uint32_t len)
{
	char line[200];

	memset(line, 'x', sizeof(line));
	fuzz_check(wire_print(p, len, line, 100) == line);
	fuzz_check(memchr(line, '\0', 100) != NULL && line[100] == 'x');
}

static void try_ip6(const uint8_t *p, uint32_t len)
{
	struct ip6_hdr h, again;
	struct ip6_ext e = {0};
	uint8_t out[IP6_HDR_LEN];
	enum ip6_end end;

	if (ip6_parse(p, len, &h) < 0)
		return;
	fuzz_check(len >= IP6_HDR_LEN && h.payload_len <= len - IP6_HDR_LEN);
	fuzz_check(ip6_write(out, &h) == IP6_HDR_LEN);
	fuzz_check(ip6_parse(out, len, &again) == IP6_HDR_LEN);
	fuzz_check(h.tclass == again.tclass && h.label == again.label && h.next == again.next &&
	           h.hops == again.hops && h.payload_len == again.payload_len);
	fuzz_check(pc_addr_equal(&h.src, &again.src) && pc_addr_equal(&h.dst, &again.dst));
	len = IP6_HDR_LEN + h.payload_len;
	end = ip6_walk(p, len, &h, &e);
	fuzz_check(e.off <= len || end == IP6_SHORT);
	if (end == IP6_UPPER) {
		fuzz_check(e.off >= IP6_HDR_LEN && e.proto_at < e.off && p[e.proto_at] == e.proto);
		fuzz_check(e.off <= IP6_HDR_LEN + IP6_EXT_BYTES_MAX && !ip6_is_extension(e.proto));
	}
	if (end == IP6_FRAGMENT)
		fuzz_check(e.has_fragment && (uint32_t)e.frag_at + IP6_FRAG_LEN <= len);
	if (end == IP6_PROBLEM || end == IP6_PROBLEM_SINGLE)
		fuzz_check(e.pointer < len);
}

static void try_icmp6(const uint8_t *p, uint32_t len)
{
	struct icmp6_hdr h;
	struct icmp6_quote q;
	int n;

	if (icmp6_parse(p, len, &h) < 0)
		return;
	fuzz_check(len >= ICMP6_HDR_LEN);
	n = icmp6_parse_quote(p + ICMP6_HDR_LEN, len - ICMP6_HDR_LEN, &q);
	if (n >= 0)
		fuzz_check(n >= IP6_HDR_LEN && (uint32_t)n + 8 <= len - ICMP6_HDR_LEN);
}

static void write_nd_again(const struct nd_msg *a)
{
	struct nd_msg b;
	uint8_t out[ND_MSG_MAX];
	uint16_t n = nd_write(out, a);

	fuzz_check(n <= ND_MSG_MAX && nd_parse(out, n, &b) == n);
	fuzz_check(b.type == a->type && pc_addr_equal(&b.target, &a->target));
}

static void try_nd(const uint8_t *p, uint32_t len)
{
	struct nd_msg m;
	int n = nd_parse(p, len, &m);

	if (n < 0)
		return;
	fuzz_check((uint32_t)n == len && m.type >= ND_RS && m.type <= ND_REDIRECT);
	fuzz_check(m.nb_prefixes <= ND_PREFIXES_MAX);
	for (unsigned i = 0; i < m.nb_prefixes; i++)
		fuzz_check(m.prefix[i].prefix.len <= 128);
	if (m.type == ND_NS || m.type == ND_NA)
		write_nd_again(&m);
}

static void try_listeners(const uint8_t *p, uint32_t len)
{
	struct mld_query q;
	struct igmp_msg m;
	int n = mld_parse_query(p, len, &q);

	fuzz_check(n < 0 || ((uint32_t)n <= len && n >= MLD_V1_LEN));
	n = igmp_parse(p, len, &m);
	fuzz_check(n < 0 || (n == IGMP_LEN && len >= IGMP_LEN));
	if (n > 0 && m.type == IGMP_QUERY)
		fuzz_check(m.version >= 1 && m.version <= 3);
}

static void try_dhcp(const uint8_t *p, uint32_t len)
{
	struct dhcp_reply r;
	const struct pc_dhcp_lease *l = &r.lease;

	if (!dhcp_parse(p, len, &r))
		return;
	fuzz_check(len > DHCP_HDR_LEN + 4);
	fuzz_check(l->nb_routes <= PC_DHCP_ROUTES && l->nb_dns <= PC_DHCP_SERVERS);
	fuzz_check(l->addr.len >= 96 && l->addr.len <= 128);
	for (unsigned i = 0; i < l->nb_routes; i++)
		fuzz_check(l->route[i].dest.len >= 96 && l->route[i].dest.len <= 128);
	fuzz_check(l->t1_s <= l->t2_s && l->t2_s <= l->lease_s);
	fuzz_check(memchr(l->domain, '\0', sizeof(l->domain)) != NULL);
	fuzz_check(memchr(l->search, '\0', sizeof(l->search)) != NULL);
}

static void try_dhcp6(const uint8_t *p, uint32_t len)
{
	static const struct dhcp6_self self = {.mac = {2, 0, 0, 0, 0, 1}, .iaid = 0x01020304};
	struct dhcp6_reply r;

	if (!dhcp6_parse(p, len, &self, &r))
		return;
	fuzz_check(len >= 4 && r.xid <= 0xffffff && r.info.refresh_s >= 600);
	fuzz_check(r.has_server ? r.server.len >= 3 && r.server.len <= DHCP6_DUID_MAX
	                        : r.server.len == 0);
	fuzz_check(r.info.nb_dns <= PC_DHCP6_SERVERS && r.ia.nb_addrs <= PC_DHCP6_ADDRS);
	fuzz_check(r.ia.has || (r.ia.nb_addrs == 0 && r.ia.status == DHCP6_SUCCESS));
	for (unsigned i = 0; i < r.ia.nb_addrs; i++)
		fuzz_check(r.ia.addr[i].preferred_s <= r.ia.addr[i].valid_s);
	fuzz_check(memchr(r.info.search, '\0', sizeof(r.info.search)) != NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(const uint8_t *p, uint32_t len) = {
	    try_arp, try_ip4,   try_icmp4, try_tcp,       try_udp,  try_print,
	    try_ip6, try_icmp6, try_nd,    try_listeners, try_dhcp, try_dhcp6};
	const unsigned n = sizeof(parsers) / sizeof(parsers[0]);

	if (size > 0)
		parsers[data[0] % n](data + 1, (uint32_t)size - 1);
	return 0;
}
