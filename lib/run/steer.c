/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a device distributes flows over its queues, and each lcore has a stack of its own. In
 * four cases the device's choice is not sufficient. A layer over each queue handles three of them,
 * with one rte_ring for each lcore:
 *
 * - ARP and neighbour discovery have no flow: the reply to a request of one lcore may arrive on any
 *   queue. So ARP replies, gratuitous requests (RFC 5227), which announce a changed MAC address,
 *   and probes, whose sender may want an address that we are about to use, are copied to the other
 *   lcores, as are queries for groups. Other requests are answered once, by the lcore that receives
 *   them.
 * - Some devices do not keep flows together: a packet socket's fanout rolls over to another queue
 *   when one is full, where the connection is unknown and a RST would end it; a TAP's queues follow
 *   the replies. On these, each frame is passed to the lcore that its hash selects, which is the
 *   same on every queue. Other devices announce RSS and do not do it, or do it in another way: the
 *   first thousand TCP segments and UDP datagrams of each queue are checked, and passed to where
 *   they belong; after the fourth that arrived on a wrong queue, all frames of that protocol are
 *   passed by their hash.
 * - ICMP errors go to the lcore of the packet that they quote; if that was sent in fragments, the
 *   first fragment decides.
 *
 * The fourth: fragments have no ports, so they arrive on the queue that their addresses select. The
 * stack there reassembles them, and has the whole packet passed to the lcore that its ports select.
 *
 * Ownership: a ring has many producers and its lcore as its only consumer; frames in a ring belong
 * to the struct steer. A full ring loses frames (rx_lost), as a full device queue does; so does
 * an empty pool those to be copied.
 */
#include "steer.h"

#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/toeplitz.h"
#include "settings.h"

#define STEER_RING        1024
#define STEER_RX_CKSUM    (PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM)
#define STEER_HEADERS_MAX 8
#define STEER_CHECKED     1000 /* frames of each protocol and queue that are checked */
#define STEER_UNTRUE      4    /* of these on a wrong queue: RSS is not as announced */

/* ICMPv6 types */
#define STEER_MLD_QUERY   130
#define STEER_ND_RA       134
#define STEER_ND_NS       135
#define STEER_ND_NA       136
#define STEER_ND_REDIRECT 137

#define STEER_IGMP_QUERY 0x11

/* What software distributes (struct steer.by_flow): bits */
enum {
	BY_FLOW_TCP = 1,
	BY_FLOW_UDP = 2, /* some devices hash TCP with ports, and UDP without */
	BY_FLOW_ALL = 4,
};

struct steer {
	unsigned n;
	uint32_t by_flow;   /* atomic: any lcore may set bits */
	uint32_t untrue[2]; /* TCP, UDP: frames that arrived on a wrong queue; atomic */
	struct steer_end {
		struct rte_ring *ring;
		struct rx_wait *bell; /* NULL: its lcore polls; atomic */
	} end[];
};

void steer_bell(struct steer *steer, unsigned index, struct rx_wait *bell)
{
	if (steer != NULL)
		__atomic_store_n(&steer->end[index].bell, bell, __ATOMIC_RELEASE);
}

struct steered_port {
	struct pc_port port;
	struct pc_port *inner;
	struct steer *steer;
	unsigned index;
	unsigned unchecked[2]; /* TCP, UDP: frames that are still to be checked */
	uint64_t untrue;
	struct rte_mempool *pool;
};

/* Source and destination of a packet. */
struct flow {
	struct pc_endpoint src, dst;
	uint8_t proto;
	bool ports;
	bool whole; /* not a fragment, whose payload may begin anywhere */
	bool first; /* whole, or the fragment that begins with the upper-layer header */
};

static bool is_fickle(const char *driver)
{
	/* the kernel chooses a TAP's queue by a hash of its own, and by the queue that sent the
	 * last reply */
	return strcmp(driver, "net_af_packet") == 0 || strcmp(driver, "net_tap") == 0;
}

bool steer_by_flow(uint64_t mode, const char *driver)
{
	return mode == RUN_STEER_FLOW || (mode == RUN_STEER_AUTO && is_fickle(driver));
}

/* Reads an IPv6 fragment header. An atomic fragment (RFC 6946) is whole. */
static void read_fragment6(const uint8_t *p, struct flow *f)
{
	f->first = (p[2] | (p[3] & 0xf8)) == 0;
	f->whole = f->first && (p[3] & 1) == 0;
}

/* Returns the offset of an IPv6 packet's upper layer, and sets f->proto, whole and first; 0: not
 * found. */
static uint32_t walk6(const uint8_t *p, uint32_t len, struct flow *f)
{
	uint32_t off = sizeof(struct rte_ipv6_hdr);

	f->proto = p[6];
	f->whole = f->first = true;
	for (unsigned n = 0; n < STEER_HEADERS_MAX; n++) {
		const bool fragment = f->proto == IPPROTO_FRAGMENT;

		if (f->proto != IPPROTO_HOPOPTS && f->proto != IPPROTO_ROUTING &&
		    f->proto != IPPROTO_DSTOPTS && !fragment)
			return off;
		if (off + 8 > len)
			return 0;
		if (fragment)
			read_fragment6(p + off, f);
		f->proto = p[off];
		off += fragment ? 8u : (p[off + 1] + 1u) * 8;
		if (!f->whole)
			return off;
	}
	return 0;
}

/* Neighbour discovery has no flow either: what announces a neighbour, a router or an address
 * conflict is for all lcores, and so are queries for groups. */
static bool is_nd_news(const uint8_t *p, uint32_t len)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p;
	const uint8_t *src;
	struct flow f;
	uint32_t off;

	if (len < sizeof(*ip))
		return false;
	off = walk6(p, len, &f);
	if (off == 0 || off >= len || !f.whole || f.proto != IPPROTO_ICMPV6)
		return false;
	switch (p[off]) {
	case STEER_ND_NS: /* from ::, duplicate address detection of another host (RFC 4862) */
		src = (const uint8_t *)&ip->src_addr;
		return (src[0] | src[1] | src[15]) == 0;
	case STEER_MLD_QUERY:
	case STEER_ND_RA:
	case STEER_ND_NA:
	case STEER_ND_REDIRECT:
		return true;
	default:
		return false;
	}
}

static bool is_fragment4(const struct rte_ipv4_hdr *ip)
{
	const rte_be16_t mask = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);

	return (ip->fragment_offset & mask) != 0;
}

/* IGMP queries are for all lcores, too: each reports its own groups, in the version of the
 * query. */
static bool is_igmp_query(const uint8_t *p, uint32_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p;
	uint32_t hdr_len;

	if (len < sizeof(*ip) || ip->next_proto_id != IPPROTO_IGMP)
		return false;
	hdr_len = rte_ipv4_hdr_len(ip);
	return hdr_len >= sizeof(*ip) && hdr_len < len && p[hdr_len] == STEER_IGMP_QUERY;
}

/* Replies of a DHCP server are for the lcore that has the client (lease.c), and may arrive on any
 * queue. */
static bool is_dhcp(const uint8_t *p, uint32_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p;
	const uint8_t *udp = (const uint8_t *)(ip + 1);

	return len >= sizeof(*ip) + 8 && ip->version_ihl == 0x45 && !is_fragment4(ip) &&
	       ip->next_proto_id == IPPROTO_UDP && udp[0] == 0 && udp[1] == 67 && udp[2] == 0 &&
	       udp[3] == 68;
}

/* The same for DHCPv6, where no extension headers precede UDP. */
static bool is_dhcp6(const uint8_t *p, uint32_t len)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p;
	const uint8_t *udp = (const uint8_t *)(ip + 1);

	return len >= sizeof(*ip) + 8 && ip->proto == IPPROTO_UDP && udp[0] == 547 >> 8 &&
	       udp[1] == (547 & 0xff) && udp[2] == 546 >> 8 && udp[3] == (546 & 0xff);
}

static bool is_arp_news(const uint8_t *p, uint32_t len)
{
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)p;

	return len >= sizeof(*arp) &&
	       (arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) ||
	        arp->arp_data.arp_sip == arp->arp_data.arp_tip || arp->arp_data.arp_sip == 0);
}

/* Reads the ports at the beginning of an upper layer of which len bytes are present. Fragments of
 * one packet must all go to the same queue, so they count as having no ports; but of a quoted
 * packet, the first fragment has them. */
static void read_ports(const uint8_t *l4, uint32_t len, bool quoted, struct flow *f)
{
	f->ports = (f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP) &&
	           (quoted ? f->first : f->whole) && len >= 4;
	if (!f->ports)
		return;
	f->src.port = (uint16_t)(l4[0] << 8 | l4[1]);
	f->dst.port = (uint16_t)(l4[2] << 8 | l4[3]);
}

/* Reads an IPv6 packet of which len bytes are present. Returns the offset of its upper layer; 0:
 * invalid. */
static uint32_t read_flow6(const uint8_t *p, uint32_t len, bool quoted, struct flow *f)
{
	uint32_t off;

	if (len < sizeof(struct rte_ipv6_hdr))
		return 0;
	off = walk6(p, len, f);
	if (off == 0 || off > len)
		return 0;
	memcpy(f->src.addr.b, p + 8, 16);
	memcpy(f->dst.addr.b, p + 24, 16);
	read_ports(p + off, len - off, quoted, f);
	return off;
}

/* Reads an IPv4 packet of which len bytes are present. Returns its header's length; 0: invalid. */
static uint32_t read_flow4(const uint8_t *p, uint32_t len, bool quoted, struct flow *f)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p;
	uint32_t hdr_len;

	if (len < sizeof(*ip) || (ip->version_ihl >> 4) != 4)
		return 0;
	hdr_len = rte_ipv4_hdr_len(ip);
	if (hdr_len < sizeof(*ip) || hdr_len > len)
		return 0;
	f->src.addr = pc_addr_ip4(ip->src_addr);
	f->dst.addr = pc_addr_ip4(ip->dst_addr);
	f->whole = !is_fragment4(ip);
	f->first = (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)) == 0;
	f->proto = ip->next_proto_id;
	read_ports(p + hdr_len, len - hdr_len, quoted, f);
	return hdr_len;
}

/* Reads a packet of which len bytes are present; quoted: by an ICMP error. Returns the offset of
 * its upper layer; 0: invalid. */
static uint32_t read_flow(const uint8_t *p, uint32_t len, bool quoted, struct flow *f)
{
	if (len == 0)
		return 0;
	return p[0] >> 4 == 6 ? read_flow6(p, len, quoted, f) : read_flow4(p, len, quoted, f);
}

/* Says whether an ICMP message of either family is an error, which quotes a packet that we sent. */
static bool is_error(uint8_t proto, uint8_t type)
{
	if (proto == IPPROTO_ICMPV6)
		return type < 128;
	return proto == IPPROTO_ICMP && type != ICMP_ECHOREPLY && type != ICMP_ECHO;
}

/* If a packet is an ICMP error, sets *f to the flow that the quoted packet belongs to. */
static void read_error(const uint8_t *p, uint32_t len, uint32_t hdr_len, struct flow *f)
{
	struct flow about = {0};

	if (f->whole && len >= hdr_len + 8 && is_error(f->proto, p[hdr_len]) &&
	    read_flow(p + hdr_len + 8, len - hdr_len - 8, true, &about) != 0)
		*f = (struct flow){.src = about.dst, .dst = about.src, .ports = about.ports};
}

/* Returns the queue that a frame belongs to: by its addresses, and by its ports or those in a
 * quoted packet. */
static unsigned choose(const struct steered_port *p, const uint8_t *ip, uint32_t len, unsigned own)
{
	const struct pc_port_rss *rss = &p->port.info.rss;
	struct flow f = {0};
	uint32_t hdr_len;

	hdr_len = read_flow(ip, len, false, &f);
	if (hdr_len == 0)
		return own;
	read_error(ip, len, hdr_len, &f);
	return rss
	    ->reta[toeplitz_hash(rss, &f.src, &f.dst, f.ports && rss->ports) % rss->reta_size];
}

static void give(struct steered_port *p, unsigned to, struct rte_mbuf *m)
{
	struct steer_end *end = &p->steer->end[to];
	struct rx_wait *bell = __atomic_load_n(&end->bell, __ATOMIC_ACQUIRE);

	if (rte_ring_enqueue(end->ring, m) == 0) {
		if (bell != NULL)
			rx_wait_ring(bell);
		return;
	}
	p->port.info.rx_lost++;
	rte_pktmbuf_free(m);
}

static void tell_others(struct steered_port *p, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	for (unsigned i = 0; i < p->steer->n; i++) {
		if (i == p->index)
			continue;
		copy = rte_pktmbuf_copy(m, p->pool, 0, UINT32_MAX);
		if (copy != NULL)
			give(p, i, copy);
		else
			p->port.info.rx_lost++;
	}
}

/* Finds the payload after the Ethernet header and up to two VLAN tags: its type, in host byte
 * order, and its length. NULL: none. */
static const uint8_t *find_payload(const struct rte_mbuf *m, uint16_t *type, uint32_t *len)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = RTE_ETHER_HDR_LEN;

	for (unsigned tags = 0; at <= rte_pktmbuf_data_len(m); tags++) {
		*type = (uint16_t)(p[at - 2] << 8 | p[at - 1]);
		*len = rte_pktmbuf_data_len(m) - at;
		if (tags == 2 || (*type != RTE_ETHER_TYPE_VLAN && *type != RTE_ETHER_TYPE_QINQ))
			return p + at;
		at += sizeof(struct rte_vlan_hdr);
	}
	return NULL;
}

/* The protocol of a packet that is whole and whose header has no options or extensions; otherwise
 * 0. */
static uint8_t plain_proto(const uint8_t *p, uint32_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p;

	if (len < sizeof(struct rte_ipv6_hdr) + 4)
		return 0;
	if (p[0] >> 4 == 6)
		return p[6];
	return ip->version_ihl == 0x45 && !is_fragment4(ip) ? ip->next_proto_id : 0;
}

/* Counts a frame that arrived on another queue than the device's RSS should have chosen. */
static void note_untrue(struct steered_port *p, unsigned which)
{
	p->untrue++;
	if (__atomic_add_fetch(&p->steer->untrue[which], 1, __ATOMIC_RELAXED) == STEER_UNTRUE)
		__atomic_fetch_or(&p->steer->by_flow, which == 0 ? BY_FLOW_TCP : BY_FLOW_UDP,
		                  __ATOMIC_RELAXED);
}

/* The queue for an ordinary IP packet, on a device whose RSS is trusted after the first frames. */
static unsigned check_queue(struct steered_port *p, const uint8_t *l3, uint32_t len,
                            uint32_t by_flow)
{
	const uint8_t proto = plain_proto(l3, len);
	const unsigned own = p->index, which = proto == IPPROTO_UDP;
	unsigned to;

	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return is_error(proto, l3[l3[0] >> 4 == 6 ? 40 : 20]) ? choose(p, l3, len, own)
		                                                      : own;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return own;
	if ((by_flow & (which ? BY_FLOW_UDP : BY_FLOW_TCP)) == 0 && p->unchecked[which] == 0)
		return own;
	to = choose(p, l3, len, own);
	if (p->unchecked[which] > 0) {
		p->unchecked[which]--;
		if (to != own)
			note_untrue(p, which);
	}
	return to;
}

/* Examines a frame from the device. Returns whether it is for this lcore; otherwise it has been
 * passed on. */
static bool keep(struct steered_port *p, struct rte_mbuf *m)
{
	const uint32_t by_flow = __atomic_load_n(&p->steer->by_flow, __ATOMIC_RELAXED);
	unsigned to = p->index;
	const uint8_t *l3;
	uint16_t type = 0;
	uint32_t len = 0;

	l3 = find_payload(m, &type, &len);
	if (l3 == NULL)
		return true;
	if ((unlikely(type == RTE_ETHER_TYPE_ARP) && is_arp_news(l3, len)) ||
	    (type == RTE_ETHER_TYPE_IPV4 && unlikely(is_igmp_query(l3, len))) ||
	    (type == RTE_ETHER_TYPE_IPV6 && is_nd_news(l3, len)))
		tell_others(p, m);
	else if ((type == RTE_ETHER_TYPE_IPV4 && unlikely(is_dhcp(l3, len))) ||
	         (type == RTE_ETHER_TYPE_IPV6 && unlikely(is_dhcp6(l3, len))))
		to = 0;
	else if (type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6)
		to = (by_flow & BY_FLOW_ALL) != 0 ? choose(p, l3, len, to)
		                                  : check_queue(p, l3, len, by_flow);
	if (to == p->index)
		return true;
	give(p, to, m);
	return false;
}

static uint16_t steer_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                               uint64_t now_ns)
{
	struct steered_port *p = (struct steered_port *)port;
	struct rte_ring *own = p->steer->end[p->index].ring;
	uint16_t out = 0, got;

	/* at most half from other lcores, so that both sources are served */
	if (!rte_ring_empty(own))
		out = (uint16_t)rte_ring_sc_dequeue_burst(own, (void **)pkts, (n + 1u) / 2, NULL);
	if (out == n)
		return out;
	port->info.link_up = p->inner->info.link_up;
	port->info.link_moves = p->inner->info.link_moves;
	got = p->inner->ops->rx_burst(p->inner, pkts + out, (uint16_t)(n - out), now_ns);
	for (uint16_t i = 0, first = out; i < got; i++)
		if (keep(p, pkts[first + i]))
			pkts[out++] = pkts[first + i];
	/* the device's offloads may turn out to be broken */
	port->info.offloads &= p->inner->info.offloads | ~(uint32_t)STEER_RX_CKSUM;
	port->info.rx_untrue = p->untrue + p->inner->info.rx_untrue;
	return out;
}

static uint16_t steer_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                               uint64_t now_ns)
{
	struct pc_port *inner = ((struct steered_port *)port)->inner;
	uint16_t sent = inner->ops->tx_burst(inner, pkts, n, now_ns);

	port->info.tx_refused = inner->info.tx_refused;
	port->info.offloads &= inner->info.offloads | ~(uint32_t)PC_PORT_TX_TSO;
	return sent;
}

static uint64_t steer_next_deadline(const struct pc_port *port)
{
	const struct pc_port *inner = ((const struct steered_port *)port)->inner;

	return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : UINT64_MAX;
}

static bool steer_pass(struct pc_port *port, uint16_t queue, struct rte_mbuf *m)
{
	struct steered_port *p = (struct steered_port *)port;

	if (queue >= p->steer->n)
		return false;
	give(p, queue, m);
	return true;
}

static void steer_close(struct pc_port *port)
{
	struct steered_port *p = (struct steered_port *)port;

	pc_port_close(p->inner);
	rte_free(p);
}

static const struct pc_port_ops steer_ops = {
    .rx_burst = steer_rx_burst,
    .tx_burst = steer_tx_burst,
    .next_deadline = steer_next_deadline,
    .pass = steer_pass,
    .close = steer_close,
};

struct steer *steer_create(unsigned device, unsigned n, bool by_flow)
{
	struct steer *s = rte_zmalloc("steer", sizeof(*s) + n * sizeof(s->end[0]), 0);
	char name[RTE_RING_NAMESIZE];

	if (s == NULL)
		return NULL;
	s->n = n;
	s->by_flow = by_flow ? BY_FLOW_ALL : 0;
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "steer_%u_%u", device, i);
		s->end[i].ring = rte_ring_create(name, STEER_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (s->end[i].ring == NULL) {
			steer_free(s);
			return NULL;
		}
	}
	return s;
}

void steer_free(struct steer *s)
{
	void *m;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n && s->end[i].ring != NULL; i++) {
		while (rte_ring_dequeue(s->end[i].ring, &m) == 0)
			rte_pktmbuf_free(m);
		rte_ring_free(s->end[i].ring);
	}
	rte_free(s);
}

struct pc_port *steer_port(struct steer *steer, unsigned index, struct pc_port *inner,
                           struct rte_mempool *pool)
{
	struct steered_port *p = rte_zmalloc("steered_port", sizeof(*p), RTE_CACHE_LINE_SIZE);

	if (p == NULL)
		return NULL;
	p->port.ops = &steer_ops;
	p->port.info = inner->info;
	p->inner = inner;
	p->steer = steer;
	p->index = index;
	p->unchecked[0] = p->unchecked[1] = STEER_CHECKED;
	p->pool = pool;
	return &p->port;
}
