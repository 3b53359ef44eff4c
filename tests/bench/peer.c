/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a FIFO of segments that clients were told to send, turned into frames by rx_burst; and
 * in tx_burst a parser that finds the client by arithmetic from address and port. The IPv6
 * addresses are those of IPv4 after fd09::.
 *
 * Ownership: frames come from the pool and belong to the stack once received; what the stack sends
 * is freed at once, as by a device that has transmitted it.
 */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#define FIFO           8192u
#define FIRST_PORT     16384
#define FIRST_ADDR     0x0a090100 /* 10.9.1.0, and so on */
#define WINDOW         65535
#define MSS            1460       /* maximum of what the stack sends */
#define MSS_OPTION     0x020405b4 /* 1460 */
#define SACK_PERMITTED 0x01010402 /* after two NOPs */

struct client {
	uint32_t nxt, rcv; /* SND.NXT and RCV.NXT */
	uint32_t acked;    /* the acknowledged part of rcv */
	uint32_t got;
	bool syn, fin;
};

/* a segment or datagram for the stack */
struct frame {
	struct rte_ether_hdr *eth;
	void *l3;
	union {
		void *l4;
		struct rte_tcp_hdr *tcp;
		struct rte_udp_hdr *udp;
	};
};

/* a neighbour solicitation or advertisement (RFC 4861 sections 4.3 and 4.4) */
struct nd {
	struct rte_ether_hdr eth;
	struct rte_ipv6_hdr ip;
	uint8_t type, code;
	rte_be16_t cksum;
	rte_be32_t flags;
	uint8_t target[16];
	uint8_t option, option_len;
	struct rte_ether_addr mac;
} __attribute__((packed, aligned(2)));

#define ND_QUESTION  135
#define ND_ANSWER    136
#define ND_SOLICITED 0x60000000 /* and override */
#define ND_LEN       (sizeof(struct nd) - offsetof(struct nd, type))

struct order {
	uint32_t client;
	enum peer_segment what;
};

struct peer {
	struct pc_port port;
	struct rte_mempool *pool;
	struct client *client;
	uint32_t n, server_be;
	uint16_t server_port, l3_len;
	bool ip6, sack;
	struct order fifo[FIFO];
	uint32_t head, tail;
	struct rte_mbuf *answer; /* to a request for a MAC address */
	const void *data;
	uint16_t len;
	uint64_t cycles, frames;
};

static const uint8_t server_mac[6] = {2, 0, 0, 0, 0, 1}, client_mac[6] = {2, 0, 0, 0, 0, 2};

/* ---- from the clients ------------------------------------------------------------------------ */

static uint8_t flags_of(enum peer_segment what)
{
	static const uint8_t flags[] = {
	    [PEER_SYN] = RTE_TCP_SYN_FLAG,
	    [PEER_ACK] = RTE_TCP_ACK_FLAG,
	    [PEER_ACK_TWO] = RTE_TCP_ACK_FLAG,
	    [PEER_DATA] = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG,
	    [PEER_DATA_AHEAD] = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG,
	    [PEER_FIN] = RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG,
	    [PEER_DATAGRAM] = 0,
	};

	return flags[what];
}

static rte_be32_t addr_of(uint32_t client)
{
	return rte_cpu_to_be_32(FIRST_ADDR + (client >> PEER_PORTS_BITS));
}

static void write_addr6(void *to, rte_be32_t addr)
{
	static const uint8_t prefix[12] = {0xfd, 0x09};

	memcpy(to, prefix, sizeof(prefix));
	memcpy((uint8_t *)to + sizeof(prefix), &addr, sizeof(addr));
}

static void write_ip6(const struct peer *p, struct rte_ipv6_hdr *h, uint32_t client,
                      uint16_t l4_len, uint8_t proto, uint8_t hops)
{
	*h = (struct rte_ipv6_hdr){
	    .vtc_flow = rte_cpu_to_be_32(6u << 28),
	    .payload_len = rte_cpu_to_be_16(l4_len),
	    .proto = proto,
	    .hop_limits = hops,
	};
	write_addr6(&h->src_addr, addr_of(client));
	write_addr6(&h->dst_addr, p->server_be);
}

static void write_ip4(const struct peer *p, struct rte_ipv4_hdr *h, uint32_t client,
                      uint16_t l4_len, uint8_t proto)
{
	*h = (struct rte_ipv4_hdr){
	    .version_ihl = 0x45,
	    .total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*h) + l4_len)),
	    .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
	    .time_to_live = 64,
	    .next_proto_id = proto,
	    .src_addr = addr_of(client),
	    .dst_addr = p->server_be,
	};
	h->hdr_checksum = rte_ipv4_cksum(h);
}

static void write_eth(const struct peer *p, struct rte_ether_hdr *eth)
{
	memcpy(&eth->dst_addr, server_mac, 6);
	memcpy(&eth->src_addr, client_mac, 6);
	eth->ether_type = rte_cpu_to_be_16(p->ip6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
}

static void write_network(const struct peer *p, const struct frame *f, uint32_t client,
                          uint16_t l4_len, uint8_t proto)
{
	write_eth(p, f->eth);
	if (p->ip6)
		write_ip6(p, f->l3, client, l4_len, proto, 64);
	else
		write_ip4(p, f->l3, client, l4_len, proto);
}

static rte_be16_t l4_cksum(const struct peer *p, const struct frame *f)
{
	return p->ip6 ? rte_ipv6_udptcp_cksum(f->l3, f->l4) : rte_ipv4_udptcp_cksum(f->l3, f->l4);
}

static uint16_t port_of(uint32_t client)
{
	return rte_cpu_to_be_16((uint16_t)(FIRST_PORT + (client & (PEER_PER_ADDRESS - 1))));
}

static uint32_t ack_of(const struct peer *p, struct client *c, enum peer_segment what)
{
	const uint32_t since = c->rcv - c->acked;

	if (what == PEER_SYN)
		return 0;
	if (what == PEER_ACK_TWO)
		c->acked += RTE_MIN(since, 2u * MSS);
	else if (what == PEER_DATA_AHEAD)
		c->acked += since - RTE_MIN(since, p->len);
	else
		c->acked = c->rcv;
	return c->acked;
}

static uint16_t syn_options_len(const struct peer *p)
{
	return p->sack ? 2 * sizeof(rte_be32_t) : sizeof(rte_be32_t);
}

static void write_tcp(struct peer *p, const struct frame *f, const struct order *o, uint16_t len)
{
	struct client *c = &p->client[o->client];

	if (o->what == PEER_SYN)
		*c = (struct client){.nxt = 0x10000000 + o->client * 64};
	*f->tcp = (struct rte_tcp_hdr){
	    .src_port = port_of(o->client),
	    .dst_port = rte_cpu_to_be_16(p->server_port),
	    .sent_seq = rte_cpu_to_be_32(c->nxt),
	    .recv_ack = rte_cpu_to_be_32(ack_of(p, c, o->what)),
	    .data_off = sizeof(*f->tcp) / 4 << 4,
	    .tcp_flags = flags_of(o->what),
	    .rx_win = rte_cpu_to_be_16(WINDOW),
	};
	if (o->what == PEER_SYN) {
		const rte_be32_t option[] = {rte_cpu_to_be_32(MSS_OPTION),
		                             rte_cpu_to_be_32(SACK_PERMITTED)};

		memcpy(f->tcp + 1, option, syn_options_len(p));
		f->tcp->data_off = (uint8_t)((sizeof(*f->tcp) + syn_options_len(p)) / 4 << 4);
	} else if (len > 0) {
		memcpy(f->tcp + 1, p->data, len);
	}
	f->tcp->cksum = l4_cksum(p, f);
	c->nxt += (uint32_t)len + (o->what == PEER_SYN || o->what == PEER_FIN);
}

static void write_udp(const struct peer *p, const struct frame *f, const struct order *o,
                      uint16_t len)
{
	*f->udp = (struct rte_udp_hdr){
	    .src_port = port_of(o->client),
	    .dst_port = rte_cpu_to_be_16(p->server_port),
	    .dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*f->udp) + len)),
	};
	memcpy(f->udp + 1, p->data, len);
	f->udp->dgram_cksum = l4_cksum(p, f);
}

static struct rte_mbuf *make_packet(struct peer *p, const struct order *o)
{
	const bool udp = o->what == PEER_DATAGRAM;
	const bool asks = udp || o->what == PEER_DATA || o->what == PEER_DATA_AHEAD;
	const uint16_t len = asks ? p->len : 0;
	const size_t hdr = udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr);
	const uint16_t l4 = (uint16_t)(hdr + len + (o->what == PEER_SYN ? syn_options_len(p) : 0));
	struct rte_mbuf *m = rte_pktmbuf_alloc(p->pool);
	struct frame f;

	if (m == NULL)
		abort();
	f.eth = (void *)rte_pktmbuf_append(m, (uint16_t)(sizeof(*f.eth) + p->l3_len + l4));
	f.l3 = f.eth + 1;
	f.l4 = (char *)f.l3 + p->l3_len;
	write_network(p, &f, o->client, l4, udp ? IPPROTO_UDP : IPPROTO_TCP);
	if (udp)
		write_udp(p, &f, o, len);
	else
		write_tcp(p, &f, o, len);
	return m;
}

static struct rte_mbuf *make_nd(const struct peer *p, uint32_t client)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(p->pool);
	struct nd *nd;

	if (m == NULL)
		abort();
	nd = (void *)rte_pktmbuf_append(m, sizeof(*nd));
	write_eth(p, &nd->eth);
	write_ip6(p, &nd->ip, client, ND_LEN, IPPROTO_ICMPV6, 255);
	nd->type = ND_QUESTION;
	nd->code = 0;
	nd->cksum = 0;
	nd->flags = 0;
	write_addr6(nd->target, p->server_be);
	nd->option = 1;
	nd->option_len = 1;
	memcpy(&nd->mac, client_mac, 6);
	nd->cksum = rte_ipv6_udptcp_cksum(&nd->ip, &nd->type);
	return m;
}

static struct rte_mbuf *make_arp(const struct peer *p, uint32_t client)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(p->pool);
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	if (m == NULL)
		abort();
	eth = (void *)rte_pktmbuf_append(m, sizeof(*eth) + sizeof(*arp));
	arp = (void *)(eth + 1);
	memset(&eth->dst_addr, 0xff, 6);
	memcpy(&eth->src_addr, client_mac, 6);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	*arp = (struct rte_arp_hdr){
	    .arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
	    .arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
	    .arp_hlen = 6,
	    .arp_plen = 4,
	    .arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
	    .arp_data.arp_sip = addr_of(client),
	    .arp_data.arp_tip = p->server_be,
	};
	memcpy(&arp->arp_data.arp_sha, client_mac, 6);
	return m;
}

static struct rte_mbuf *make_frame(struct peer *p, const struct order *o)
{
	if (o->what == PEER_ARP)
		return p->ip6 ? make_nd(p, o->client) : make_arp(p, o->client);
	return make_packet(p, o);
}

uint16_t peer_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct peer *p = (struct peer *)port;
	const uint64_t begin = rte_rdtsc();
	uint16_t i = 0;

	(void)now_ns;
	if (p->answer != NULL && n > 0) {
		pkts[i++] = p->answer;
		p->answer = NULL;
	}
	for (; i < n && p->head != p->tail; p->head++)
		pkts[i++] = make_frame(p, &p->fifo[p->head % FIFO]);
	p->cycles += rte_rdtsc() - begin;
	return i;
}

/* ---- to the clients -------------------------------------------------------------------------- */

static bool answer_arp(struct peer *p, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = (void *)(eth + 1);
	const rte_be32_t asked = arp->arp_data.arp_tip;

	if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return false;
	/* one request at a time; an announcement asks for its sender's own address */
	if (arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) || p->answer != NULL ||
	    asked == arp->arp_data.arp_sip) {
		rte_pktmbuf_free(m);
		return true;
	}
	memcpy(&eth->dst_addr, server_mac, 6);
	memcpy(&eth->src_addr, client_mac, 6);
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	memcpy(&arp->arp_data.arp_tha, server_mac, 6);
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	memcpy(&arp->arp_data.arp_sha, client_mac, 6);
	arp->arp_data.arp_sip = asked;
	p->answer = m;
	return true;
}

static bool answer_nd(struct peer *p, struct rte_mbuf *m)
{
	struct nd *nd = rte_pktmbuf_mtod(m, struct nd *);
	uint8_t asked[16];

	if (nd->ip.proto == IPPROTO_TCP || nd->ip.proto == IPPROTO_UDP)
		return false;
	/* ignore duplicate address detection */
	if (nd->ip.proto != IPPROTO_ICMPV6 || nd->type != ND_QUESTION || p->answer != NULL ||
	    *(const uint8_t *)&nd->ip.src_addr != 0xfd) {
		rte_pktmbuf_free(m);
		return true;
	}
	memcpy(asked, nd->target, sizeof(asked));
	write_eth(p, &nd->eth);
	write_ip6(p, &nd->ip, 0, ND_LEN, IPPROTO_ICMPV6, 255);
	memcpy(&nd->ip.src_addr, asked, sizeof(asked));
	nd->type = ND_ANSWER;
	nd->flags = rte_cpu_to_be_32(ND_SOLICITED);
	nd->option = 2;
	memcpy(&nd->mac, client_mac, 6);
	nd->cksum = 0;
	nd->cksum = rte_ipv6_udptcp_cksum(&nd->ip, &nd->type);
	p->answer = m;
	return true;
}

static void take_segment(struct client *c, const struct rte_tcp_hdr *tcp, uint32_t l4_len)
{
	const uint32_t len = l4_len - (tcp->data_off >> 4) * 4u;

	if (tcp->tcp_flags & RTE_TCP_RST_FLAG)
		abort();
	if (tcp->tcp_flags & RTE_TCP_SYN_FLAG) {
		c->acked = c->rcv = rte_be_to_cpu_32(tcp->sent_seq) + 1;
		c->syn = true;
	}
	c->got += len;
	c->rcv += len;
	if (tcp->tcp_flags & RTE_TCP_FIN_FLAG) {
		c->fin = true;
		c->rcv++;
	}
}

static void take_frame(struct peer *p, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip4 = (const void *)(eth + 1);
	const struct rte_ipv6_hdr *ip6 = (const void *)(eth + 1);
	const struct rte_tcp_hdr *tcp = (const void *)((const char *)ip4 + p->l3_len);
	const uint8_t proto = p->ip6 ? ip6->proto : ip4->next_proto_id;
	rte_be32_t to = ip4->dst_addr;
	uint32_t i;

	if (p->ip6)
		memcpy(&to, (const uint8_t *)&ip6->dst_addr + 12, sizeof(to));
	i = (rte_be_to_cpu_32(to) - FIRST_ADDR) << PEER_PORTS_BITS;
	i += (uint32_t)rte_be_to_cpu_16(tcp->dst_port) - FIRST_PORT;
	if (i >= p->n)
		abort();
	if (proto == IPPROTO_UDP)
		p->client[i].got += m->pkt_len - (uint32_t)sizeof(*eth) - p->l3_len -
		                    (uint32_t)sizeof(struct rte_udp_hdr);
	else
		take_segment(&p->client[i], tcp, m->pkt_len - (uint32_t)sizeof(*eth) - p->l3_len);
}

uint16_t peer_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct peer *p = (struct peer *)port;
	const uint64_t begin = rte_rdtsc();

	(void)now_ns;
	for (uint16_t i = 0; i < n; i++) {
		if (p->ip6 ? answer_nd(p, pkts[i]) : answer_arp(p, pkts[i]))
			continue;
		take_frame(p, pkts[i]);
		rte_pktmbuf_free(pkts[i]);
	}
	p->frames += n;
	p->cycles += rte_rdtsc() - begin;
	return n;
}

/* ---- for the benchmark ----------------------------------------------------------------------- */

static void peer_close(struct pc_port *port)
{
	struct peer *p = (struct peer *)port;

	rte_pktmbuf_free(p->answer);
	free(p->client);
	free(p);
}

static const struct pc_port_ops peer_ops = {
    .rx_burst = peer_rx_burst,
    .tx_burst = peer_tx_burst,
    .close = peer_close,
};

struct peer *peer_create(struct rte_mempool *pool, uint32_t n, uint32_t server_be, uint16_t port,
                         bool ip6)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->client = calloc(n, sizeof(*p->client));
	if (p->client == NULL) {
		free(p);
		return NULL;
	}
	p->port.ops = &peer_ops;
	p->port.info = (struct pc_port_info){.name = "peer",
	                                     .driver = "peer",
	                                     .mtu = 1500,
	                                     .offloads = PC_PORT_TX_MULTI_SEGS,
	                                     .socket_id = -1,
	                                     .link_up = true,
	                                     .rss.nb_queues = 1};
	memcpy(p->port.info.mac, server_mac, 6);
	p->pool = pool;
	p->n = n;
	p->server_be = server_be;
	p->server_port = port;
	p->ip6 = ip6;
	p->l3_len = ip6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
	return p;
}

struct pc_port *peer_port(struct peer *p)
{
	return &p->port;
}

void peer_request(struct peer *p, const void *data, uint16_t len)
{
	p->data = data;
	p->len = len;
}

void peer_offer_sack(struct peer *p)
{
	p->sack = true;
}

void peer_send(struct peer *p, uint32_t client, enum peer_segment what)
{
	if (peer_pending(p) == FIFO)
		abort();
	p->fifo[p->tail++ % FIFO] = (struct order){client, what};
}

uint32_t peer_pending(const struct peer *p)
{
	return p->tail - p->head + (p->answer != NULL);
}

uint32_t peer_got(struct peer *p, uint32_t client, bool *syn, bool *fin)
{
	struct client *c = &p->client[client];
	const uint32_t got = c->got;

	if (syn != NULL)
		*syn = c->syn;
	if (fin != NULL)
		*fin = c->fin;
	c->got = 0;
	c->syn = c->fin = false;
	return got;
}

uint64_t peer_cycles(const struct peer *p)
{
	return p->cycles;
}

uint64_t peer_frames(const struct peer *p)
{
	return p->frames;
}
