/* SPDX-License-Identifier: BSD-2-Clause */

/* Frames as text. A struct out is a string that is being written, truncated to its buffer. */

#include "wire/print.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/nd.h"
#include "wire/tcp.h"
#include "wire/udp.h"

struct out {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *format, ...)
{
	const size_t room = o->size - o->len;
	va_list args;
	int n;

	if (room <= 1)
		return;
	va_start(args, format);
	n = vsnprintf(o->buf + o->len, room, format, args);
	va_end(args);
	if (n > 0)
		o->len += (size_t)n < room ? (size_t)n : room - 1;
}

static void put_mac(struct out *o, const uint8_t mac[ETH_ADDR_LEN])
{
	put(o, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void put_ip4(struct out *o, uint32_t ip4_be)
{
	const uint32_t ip4 = wire_get32(&ip4_be);

	put(o, "%u.%u.%u.%u", ip4 >> 24, ip4 >> 16 & 0xff, ip4 >> 8 & 0xff, ip4 & 0xff);
}

static void put_error(struct out *o, const char *what, int error)
{
	static const char *const text[] = {
	    [-WIRE_SHORT] = "short",          [-WIRE_VERSION] = "version",
	    [-WIRE_HEADER] = "header length", [-WIRE_LENGTH] = "length",
	    [-WIRE_CHECKSUM] = "checksum",    [-WIRE_FORM] = "form",
	};

	put(o, " %s: bad %s", what, text[-error]);
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static void put_tcp_flags(struct out *o, uint8_t flags, bool ae)
{
	static const struct {
		uint8_t flag;
		char letter;
	} letters[] = {
	    {TCP_FIN, 'F'}, {TCP_SYN, 'S'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
	    {TCP_ACK, '.'}, {TCP_URG, 'U'}, {TCP_ECE, 'E'}, {TCP_CWR, 'W'},
	};

	put(o, "[");
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if ((flags & letters[i].flag) != 0)
			put(o, "%c", letters[i].letter);
	if (ae)
		put(o, "e");
	put(o, flags == 0 && !ae ? "none]" : "]");
}

static void put_tcp_options(struct out *o, const struct tcp_seg *s)
{
	if ((s->has & TCP_HAS_AUTH) != 0)
		put(o, s->auth.kind == TCP_AUTH_AO ? " ao" : " md5");
	if ((s->has & TCP_HAS_MSS) != 0)
		put(o, " mss %u", s->mss);
	if ((s->has & TCP_HAS_SACKOK) != 0)
		put(o, " sackOK");
	if ((s->has & TCP_HAS_TS) != 0)
		put(o, " TS %" PRIu32 "/%" PRIu32, s->tsval, s->tsecr);
	if ((s->has & TCP_HAS_WSCALE) != 0)
		put(o, " wscale %u", s->wscale);
	if ((s->has & TCP_HAS_SACK) != 0) {
		put(o, " sack");
		for (unsigned i = 0; i < s->nb_sack && i < TCP_SACK_BLOCKS; i++)
			put(o, " {%" PRIu32 ":%" PRIu32 "}", s->sack[i].start, s->sack[i].end);
	}
}

static void put_tcp_accecn(struct out *o, const struct tcp_seg *s)
{
	static const char *const name[TCP_COUNTERS] = {"e0b", "ceb", "e1b"};

	if (s->accecn == TCP_ACCECN_NONE)
		return;
	put(o, " accecn%s", s->accecn < TCP_ACCECN_E1B ? "0" : "1");
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		if (tcp_accecn_has(s->accecn, (enum tcp_counter)i))
			put(o, " %s %" PRIu32, name[i], s->counter[i]);
}

static void put_tcp_seg(struct out *o, const struct tcp_seg *s)
{
	put(o, " ");
	put_tcp_flags(o, s->flags, (s->has & TCP_HAS_AE) != 0);
	put(o, " seq %" PRIu32, s->seq);
	if (s->len > 0)
		put(o, ":%" PRIu32, s->seq + s->len);
	if ((s->flags & TCP_ACK) != 0 || s->ack != 0)
		put(o, " ack %" PRIu32, s->ack);
	put(o, " win %u", s->wnd);
	if ((s->flags & TCP_URG) != 0 || s->urg != 0)
		put(o, " urg %u", s->urg);
	put_tcp_options(o, s);
	put_tcp_accecn(o, s);
	put(o, " len %" PRIu32, s->len);
}

char *tcp_print(const struct tcp_seg *s, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};

	if (size > 0)
		buf[0] = '\0';
	put(&o, "%u > %u", s->sport, s->dport);
	put_tcp_seg(&o, s);
	return buf;
}

/* ---- IP payload ------------------------------------------------------------------------------ */

/* What packets of both families have in common. */
struct ends {
	struct pc_addr src, dst;
	uint8_t proto;
};

static void put_addr(struct out *o, const struct pc_addr *a)
{
	char text[PC_ADDR_STRLEN];

	put(o, "%s", pc_addr_format(a, text));
}

static void put_ports(struct out *o, const struct ends *ip, uint16_t sport, uint16_t dport)
{
	put_addr(o, &ip->src);
	put(o, ".%u > ", sport);
	put_addr(o, &ip->dst);
	put(o, ".%u", dport);
}

static void put_addrs(struct out *o, const struct ends *ip)
{
	put_addr(o, &ip->src);
	put(o, " > ");
	put_addr(o, &ip->dst);
}

static bool l4_cksum_ok(const struct ends *ip, const uint8_t *p, uint32_t len)
{
	return cksum_is_good(cksum_add(cksum_pseudo(&ip->src, &ip->dst, ip->proto, len), p, len));
}

static void put_tcp(struct out *o, const struct ends *ip, const uint8_t *p, uint32_t len)
{
	struct tcp_seg s;
	const int n = tcp_parse(p, len, &s);

	if (n < 0) {
		put_addrs(o, ip);
		put_error(o, "tcp", n);
		return;
	}
	put_ports(o, ip, s.sport, s.dport);
	put_tcp_seg(o, &s);
	if (!l4_cksum_ok(ip, p, len))
		put(o, " (bad tcp checksum)");
}

static void put_udp(struct out *o, const struct ends *ip, const uint8_t *p, uint32_t len)
{
	struct udp_hdr u;
	const int n = udp_parse(p, len, &u);

	if (n < 0) {
		put_addrs(o, ip);
		put_error(o, "udp", n);
		return;
	}
	put_ports(o, ip, u.sport, u.dport);
	put(o, " udp len %u", u.len - UDP_HDR_LEN);
	if (u.cksum_be == 0)
		put(o, " (no udp checksum)");
	else if (!l4_cksum_ok(ip, p, u.len))
		put(o, " (bad udp checksum)");
}

static void put_quote(struct out *o, const uint8_t *p, uint32_t len)
{
	struct icmp4_quote q;
	const int n = icmp4_parse_quote(p, len, &q);
	struct ends ip;

	if (n < 0) {
		put_error(o, "quote", n);
		return;
	}
	ip = (struct ends){pc_addr_ip4(q.ip.src_be), pc_addr_ip4(q.ip.dst_be), q.ip.proto};
	put(o, " {");
	put_ports(o, &ip, q.sport, q.dport);
	put(o, " proto %u", q.ip.proto);
	if (q.ip.proto == IPPROTO_TCP)
		put(o, " seq %" PRIu32, q.seq);
	put(o, "}");
}

static void put_icmp4(struct out *o, const struct ends *ip, const uint8_t *p, uint32_t len)
{
	struct icmp4_hdr h;
	const int n = icmp4_parse(p, len, &h);

	put_addrs(o, ip);
	if (n < 0) {
		put_error(o, "icmp", n);
		return;
	}
	if (h.type == ICMP4_ECHO || h.type == ICMP4_ECHO_REPLY)
		put(o, " icmp echo %s id %u seq %u", h.type == ICMP4_ECHO ? "request" : "reply",
		    h.id, h.seq);
	else if (h.type == ICMP4_UNREACHABLE && h.code == ICMP4_UNREACH_FRAG)
		put(o, " icmp fragmentation needed mtu %u", h.mtu);
	else
		put(o, " icmp type %u code %u", h.type, h.code);
	if (icmp4_is_error(h.type))
		put_quote(o, p + n, len - (uint32_t)n);
	else
		put(o, " len %" PRIu32, len - (uint32_t)n);
	if (!cksum_is_good(cksum_add(0, p, len)))
		put(o, " (bad icmp checksum)");
}

static void put_icmp6(struct out *o, const struct ends *ip, const uint8_t *p, uint32_t len)
{
	struct icmp6_hdr h;
	const int n = icmp6_parse(p, len, &h);
	struct nd_msg m;

	put_addrs(o, ip);
	if (n < 0) {
		put_error(o, "icmp6", n);
		return;
	}
	put(o, " icmp6 type %u code %u", h.type, h.code);
	if (h.type >= ND_RS && h.type <= ND_REDIRECT && nd_parse(p, len, &m) > 0) {
		put(o, " target ");
		put_addr(o, &m.target);
	}
	put(o, " len %" PRIu32, len - (uint32_t)n);
	if (!l4_cksum_ok(ip, p, len))
		put(o, " (bad icmp6 checksum)");
}

/* ---- Ethernet payload ------------------------------------------------------------------------ */

static void put_payload(struct out *o, const struct ends *ip, const uint8_t *p, uint32_t len)
{
	switch (ip->proto) {
	case IPPROTO_TCP:
		put_tcp(o, ip, p, len);
		break;
	case IPPROTO_UDP:
		put_udp(o, ip, p, len);
		break;
	case IPPROTO_ICMP:
		put_icmp4(o, ip, p, len);
		break;
	case IPPROTO_ICMPV6:
		put_icmp6(o, ip, p, len);
		break;
	default:
		put_addrs(o, ip);
		put(o, " proto %u len %" PRIu32, ip->proto, len);
	}
}

static void put_ip4_packet(struct out *o, const uint8_t *p, uint32_t len)
{
	struct ip4_hdr ip;
	const int n = ip4_parse(p, len, &ip);
	struct ends ends;

	if (n < 0) {
		put_error(o, "IP", n);
		return;
	}
	put(o, " IP ");
	ends = (struct ends){pc_addr_ip4(ip.src_be), pc_addr_ip4(ip.dst_be), ip.proto};
	if (ip4_is_fragment(&ip)) {
		put_addrs(o, &ends);
		put(o, " proto %u frag id %u offset %u%s len %d", ip.proto, ip.id, ip.frag_off,
		    ip.mf ? "+" : "", ip.total_len - n);
	} else {
		put_payload(o, &ends, p + n, ip.total_len - (uint32_t)n);
	}
	if (ip.ttl <= 1)
		put(o, " ttl %u", ip.ttl);
	if (ip4_options(p, ip.hdr_len) != 0)
		put(o, " ip options %d", ip.hdr_len - IP4_HDR_LEN);
	if (!ip4_cksum_ok(p, ip.hdr_len))
		put(o, " (bad ip checksum)");
}

static void put_ip6_packet(struct out *o, const uint8_t *p, uint32_t len)
{
	struct ip6_hdr ip;
	struct ip6_ext e;
	struct ends ends;
	const int n = ip6_parse(p, len, &ip);

	if (n < 0) {
		put_error(o, "IP6", n);
		return;
	}
	len = IP6_HDR_LEN + (uint32_t)ip.payload_len;
	put(o, " IP6 ");
	ends = (struct ends){ip.src, ip.dst, ip.next};
	switch (ip6_walk(p, len, &ip, &e)) {
	case IP6_UPPER:
		ends.proto = e.proto;
		put_payload(o, &ends, p + e.off, len - e.off);
		break;
	case IP6_FRAGMENT:
		put_addrs(o, &ends);
		put(o, " proto %u frag id %" PRIu32 " offset %u%s len %" PRIu32, e.proto, e.frag_id,
		    e.frag_off, e.more ? "+" : "", len - e.off);
		break;
	default:
		put_addrs(o, &ends);
		put(o, " (bad extension headers) len %" PRIu32, len - IP6_HDR_LEN);
		break;
	}
	if (ip.hops <= 1)
		put(o, " hlim %u", ip.hops);
}

static void put_arp(struct out *o, const uint8_t *p, uint32_t len)
{
	struct arp_pkt a;
	const int n = arp_parse(p, len, &a);

	if (n < 0) {
		put_error(o, "ARP", n);
		return;
	}
	if (a.op == ARP_REQUEST)
		put(o, " ARP who-has ");
	else if (a.op == ARP_REPLY)
		put(o, " ARP reply to ");
	else
		put(o, " ARP op %u ", a.op);
	put_ip4(o, a.tpa_be);
	put(o, " (");
	put_mac(o, a.tha);
	put(o, ") from ");
	put_ip4(o, a.spa_be);
	put(o, " (");
	put_mac(o, a.sha);
	put(o, ")");
}

static void put_frame(struct out *o, const uint8_t *p, uint32_t len)
{
	struct eth_hdr eth;

	if (eth_parse(p, len, &eth) < 0) {
		put(o, "ethernet: bad short, %" PRIu32 " bytes", len);
		return;
	}
	put_mac(o, eth.src);
	put(o, " > ");
	put_mac(o, eth.dst);
	p += ETH_HDR_LEN;
	len -= ETH_HDR_LEN;
	while ((eth.type == ETH_TYPE_VLAN || eth.type == ETH_TYPE_QINQ) && len >= 4) {
		put(o, " vlan %u", wire_get16(p) & 0xfffu);
		eth.type = wire_get16(p + 2);
		p += 4;
		len -= 4;
	}
	if (eth.type == ETH_TYPE_IP4)
		put_ip4_packet(o, p, len);
	else if (eth.type == ETH_TYPE_IP6)
		put_ip6_packet(o, p, len);
	else if (eth.type == ETH_TYPE_ARP)
		put_arp(o, p, len);
	else
		put(o, " type 0x%04x len %" PRIu32, eth.type, len);
}

char *wire_print(const void *frame, size_t len, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};

	if (size > 0)
		buf[0] = '\0';
	put_frame(&o, frame, len < UINT32_MAX ? (uint32_t)len : UINT32_MAX);
	return buf;
}
