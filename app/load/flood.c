/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: each kind of flood is a row of a table: its protocol and flags, its sources, its port.
 * A frame is a template with some random words; its checksums are computed from scratch, which
 * costs less than what the receiver has to do.
 *
 * Sources: "anybody" is any address of the Internet that is not in the server's network; "near",
 * one that is; "ours", a connection of the load, whose sequence numbers are guessed; and
 * "colliding", pairs of address and port that fall into one bucket of any table whose hash is a sum
 * or an exclusive or of words.
 */
#include "flood.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_icmp.h>

#include "arp.h"
#include "flood_mangle.h"
#include "tcp.h"

#define BURST            64u
#define BEHIND           1024u /* most overdue frames that are caught up on */
#define PAYLOAD_MAX      512u
#define FRAME_MIN        60u
#define NEAR_MASK        0xffffu /* of the addresses beside ours */
#define ICMP_QUOTE       (sizeof(struct rte_ipv4_hdr) + 8)
#define TYPE_ECHO        8
#define TYPE_UNREACHABLE 3
#define CODE_PORT        3
#define PROTO_ARP        255 /* no IP protocol */

enum from { ANYBODY, NEAR, OURS, COLLIDING };
enum manner { SPOOFED, HOLDS, CHURNS, MANGLES };

static const struct kind {
	const char *name;
	uint8_t from, proto, flags; /* flags 0xff: at random */
	bool closed;                /* to a port at random instead of the load's */
	uint16_t payload;
	uint8_t manner;
} flood_kinds[] = {
    {"syn", ANYBODY, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, SPOOFED},
    {"syn-closed", ANYBODY, IPPROTO_TCP, RTE_TCP_SYN_FLAG, true, 0, SPOOFED},
    {"syn-near", NEAR, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, SPOOFED},
    {"syn-colliding", COLLIDING, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, SPOOFED},
    {"ack", ANYBODY, IPPROTO_TCP, RTE_TCP_ACK_FLAG, false, 0, SPOOFED},
    {"ack-closed", ANYBODY, IPPROTO_TCP, RTE_TCP_ACK_FLAG, true, 0, SPOOFED},
    {"rst", ANYBODY, IPPROTO_TCP, RTE_TCP_RST_FLAG, false, 0, SPOOFED},
    {"fin", ANYBODY, IPPROTO_TCP, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, false, 0, SPOOFED},
    {"data", ANYBODY, IPPROTO_TCP, RTE_TCP_PSH_FLAG | RTE_TCP_ACK_FLAG, false, 64, SPOOFED},
    {"data-closed", ANYBODY, IPPROTO_TCP, RTE_TCP_PSH_FLAG | RTE_TCP_ACK_FLAG, true, 64, SPOOFED},
    {"flags", ANYBODY, IPPROTO_TCP, 0xff, false, 0, SPOOFED},
    {"blind-rst", OURS, IPPROTO_TCP, RTE_TCP_RST_FLAG, false, 0, SPOOFED},
    {"blind-syn", OURS, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, SPOOFED},
    {"blind-ack", OURS, IPPROTO_TCP, RTE_TCP_ACK_FLAG, false, 0, SPOOFED},
    {"blind-data", OURS, IPPROTO_TCP, RTE_TCP_PSH_FLAG | RTE_TCP_ACK_FLAG, false, 64, SPOOFED},
    {"zero-window", ANYBODY, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, HOLDS},
    {"churn", ANYBODY, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, CHURNS},
    {"mangled", ANYBODY, IPPROTO_TCP, RTE_TCP_SYN_FLAG, false, 0, MANGLES},
    {"udp", ANYBODY, IPPROTO_UDP, 0, false, 18, SPOOFED},
    {"udp-closed", ANYBODY, IPPROTO_UDP, 0, true, 18, SPOOFED},
    {"fragment", ANYBODY, IPPROTO_UDP, 0, true, 32, SPOOFED},
    {"ping", ANYBODY, IPPROTO_ICMP, TYPE_ECHO, false, 56, SPOOFED},
    {"icmp-error", ANYBODY, IPPROTO_ICMP, TYPE_UNREACHABLE, false, ICMP_QUOTE, SPOOFED},
    {"arp", NEAR, PROTO_ARP, 0, false, 0, SPOOFED},
};

#define NB_KINDS (sizeof(flood_kinds) / sizeof(flood_kinds[0]))

struct flood_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	union {
		struct {
			struct rte_tcp_hdr tcp;
			uint8_t options[4 + PAYLOAD_MAX]; /* and data */
		};
		struct {
			struct rte_udp_hdr udp;
			uint8_t datagram[PAYLOAD_MAX];
		};
		struct {
			struct rte_icmp_hdr icmp;
			uint8_t message[PAYLOAD_MAX];
		};
	};
} __attribute__((packed, aligned(2)));

#define HEAD (sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr))

struct flood {
	const struct kind *kind;
	uint64_t random, began, paced;
	struct flood_counts n;
};

static const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < NB_KINDS; i++)
		if (strcmp(flood_kinds[i].name, name) == 0)
			return &flood_kinds[i];
	return NULL;
}

bool flood_is_kind(const char *name)
{
	return kind_named(name) != NULL;
}

void flood_names(char *buf, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < NB_KINDS && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, " %s", flood_kinds[i].name);
}

struct flood *flood_create(const struct load *l)
{
	struct flood *f;

	if (l->config->flood == NULL)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->kind = kind_named(l->config->flood);
	f->random = l->config->seed ^ UINT64_C(0x9e3779b97f4a7c15);
	return f;
}

struct flood_counts flood_count(const struct flood *f)
{
	return f != NULL ? f->n : (struct flood_counts){0};
}

/* ---- frames ------------------------------------------------------------------------------------ */

static uint64_t draw(struct flood *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

/* An address of a host on the Internet, not in the server's network. */
static uint32_t anybody(uint64_t random, uint32_t server)
{
	uint32_t a = (uint32_t)random & 0x7fffffff; /* no group */

	if (a >> 24 == 0 || a >> 24 == 127 || ((a ^ server) & ~NEAR_MASK) == 0)
		a = 0x0b000000 | (a & 0xffffff);
	return a;
}

/* Who sends: an address and a port, host byte order. */
static void draw_source(struct flood *f, const struct load *l, uint32_t *address, uint16_t *port)
{
	const uint64_t r = draw(f);
	uint32_t i;

	*port = (uint16_t)(r >> 48 | 1);
	switch (f->kind->from) {
	case NEAR:
		/* not ours, nor the server */
		*address = (l->wire.server & ~NEAR_MASK) | 0x8000 | ((uint32_t)r & 0x3fff);
		break;
	case OURS:
		i = (uint32_t)(r >> 8) % (l->nb_clients > 0 ? l->nb_clients : 1);
		*address = client_address(l, i);
		*port = client_port(l, i);
		break;
	case COLLIDING:
		*address = 0x0c000000 | ((uint32_t)r & 0xffff);
		*port = (uint16_t) ~*address;
		break;
	default:
		*address = anybody(r, l->wire.server);
	}
}

static void fill_ip(struct flood_frame *h, const struct load *l, uint32_t source, uint8_t proto,
                    uint32_t len)
{
	h->eth = l->wire.head.eth;
	h->ip = (struct rte_ipv4_hdr){
	    .version_ihl = RTE_IPV4_VHL_DEF,
	    .total_length = rte_cpu_to_be_16((uint16_t)(sizeof(h->ip) + len)),
	    .time_to_live = 64,
	    .next_proto_id = proto,
	    .src_addr = rte_cpu_to_be_32(source),
	    .dst_addr = rte_cpu_to_be_32(l->wire.server),
	};
}

static uint32_t finish_frame(struct flood_frame *h, uint32_t len)
{
	h->ip.hdr_checksum = (uint16_t)~stream_fold(wire_sum(&h->ip, sizeof(h->ip)));
	return (uint32_t)HEAD + len;
}

static uint32_t make_tcp(struct flood *f, const struct load *l, struct flood_frame *h)
{
	const struct kind *k = f->kind;
	const uint64_t r = draw(f);
	const uint8_t flags = k->flags == 0xff ? (uint8_t)(r >> 56) : k->flags;
	const uint32_t options = flags == RTE_TCP_SYN_FLAG ? 4 : 0;
	const uint32_t len = (uint32_t)sizeof(h->tcp) + options + k->payload;
	uint32_t source;
	uint16_t port;

	draw_source(f, l, &source, &port);
	fill_ip(h, l, source, IPPROTO_TCP, len);
	h->tcp = (struct rte_tcp_hdr){
	    .src_port = rte_cpu_to_be_16(port),
	    .dst_port = k->closed ? rte_cpu_to_be_16((uint16_t)(r >> 40) | 0x8000)
	                          : l->wire.head.tcp.dst_port,
	    .sent_seq = (uint32_t)r,
	    .recv_ack = (flags & RTE_TCP_ACK_FLAG) != 0 ? (uint32_t)(r >> 16) : 0,
	    .data_off = (uint8_t)((sizeof(h->tcp) + options) / 4 << 4),
	    .tcp_flags = flags,
	    .rx_win = RTE_BE16(8192),
	};
	memcpy(h->options, (const uint8_t[]){2, 4, 5, 0xb4}, sizeof(uint32_t)); /* MSS 1460 */
	if (k->payload > 0)
		memset(h->options, 'x', k->payload);
	h->tcp.cksum = wire_l4_sum(&h->ip, &h->tcp, len);
	if (k->manner == MANGLES)
		return flood_mangle((uint8_t *)h, finish_frame(h, len), &f->random);
	return finish_frame(h, len);
}

static uint32_t make_udp(struct flood *f, const struct load *l, struct flood_frame *h)
{
	const struct kind *k = f->kind;
	const uint64_t r = draw(f);
	const uint32_t len = (uint32_t)sizeof(h->udp) + k->payload;
	uint32_t source;
	uint16_t port;

	draw_source(f, l, &source, &port);
	fill_ip(h, l, source, IPPROTO_UDP, len);
	if (strcmp(k->name, "fragment") == 0) {
		h->ip.packet_id = (uint16_t)r;
		h->ip.fragment_offset = RTE_BE16(RTE_IPV4_HDR_MF_FLAG);
	}
	h->udp = (struct rte_udp_hdr){
	    .src_port = rte_cpu_to_be_16(port),
	    .dst_port = k->closed ? rte_cpu_to_be_16((uint16_t)(r >> 40) | 0x8000)
	                          : rte_cpu_to_be_16(l->wire.port),
	    .dgram_len = rte_cpu_to_be_16((uint16_t)len),
	};
	memset(h->datagram, 'x', k->payload);
	h->udp.dgram_cksum = wire_l4_sum(&h->ip, &h->udp, len);
	return finish_frame(h, len);
}

/* An error about a segment that the server may have sent to one of the load's connections. */
static void quote(struct flood *f, const struct load *l, struct flood_frame *h)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)h->message;
	const uint64_t r = draw(f);
	const uint32_t i = (uint32_t)(r >> 8) % (l->nb_clients > 0 ? l->nb_clients : 1);
	const uint16_t ports[2] = {rte_cpu_to_be_16(l->wire.port),
	                           rte_cpu_to_be_16(client_port(l, i))};
	const uint32_t seq = (uint32_t)r;

	*ip = h->ip;
	ip->next_proto_id = IPPROTO_TCP;
	ip->src_addr = rte_cpu_to_be_32(l->wire.server);
	ip->dst_addr = rte_cpu_to_be_32(client_address(l, i));
	ip->total_length = RTE_BE16(104);
	ip->hdr_checksum = (uint16_t)~stream_fold(wire_sum(ip, sizeof(*ip)));
	memcpy(ip + 1, ports, sizeof(ports));
	memcpy((uint8_t *)(ip + 1) + sizeof(ports), &seq, sizeof(seq));
	h->icmp.icmp_code = CODE_PORT;
	h->icmp.icmp_ident = 0;
}

static uint32_t make_icmp(struct flood *f, const struct load *l, struct flood_frame *h)
{
	const struct kind *k = f->kind;
	const uint32_t len = (uint32_t)sizeof(h->icmp) + k->payload;
	uint32_t source;
	uint16_t ident;

	draw_source(f, l, &source, &ident);
	fill_ip(h, l, source, IPPROTO_ICMP, len);
	h->icmp = (struct rte_icmp_hdr){.icmp_type = k->flags, .icmp_ident = ident};
	if (k->flags == TYPE_ECHO)
		memset(h->message, 'x', k->payload);
	else
		quote(f, l, h);
	h->icmp.icmp_cksum = (uint16_t)~stream_fold(wire_sum(&h->icmp, len));
	return finish_frame(h, len);
}

static uint32_t make_arp(struct flood *f, const struct load *l, struct flood_frame *h)
{
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(&h->eth + 1);
	uint32_t source;
	uint16_t low;

	memset(h, 0, FRAME_MIN);
	draw_source(f, l, &source, &low);
	h->eth = l->wire.head.eth;
	h->eth.ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	load_arp_fill(arp, RTE_ARP_OP_REQUEST, &l->wire.mac, source, l->wire.server);
	return FRAME_MIN;
}

static uint32_t make(struct flood *f, const struct load *l, struct flood_frame *h)
{
	switch (f->kind->proto) {
	case IPPROTO_TCP:
		return make_tcp(f, l, h);
	case IPPROTO_UDP:
		return make_udp(f, l, h);
	case IPPROTO_ICMP:
		return make_icmp(f, l, h);
	default:
		return make_arp(f, l, h);
	}
}

/* ---- sources that complete handshakes -------------------------------------------------------- */

/* Turns a segment into its reply: from where its ACK number says, acknowledging all of it. */
static void reply(struct flood *f, struct load *l, struct rte_mbuf *m, const struct segment *s,
                  uint8_t flags, uint16_t window, uint32_t len)
{
	struct flood_frame *h = rte_pktmbuf_mtod(m, struct flood_frame *);
	const uint16_t port = h->tcp.dst_port;
	const uint32_t source = rte_be_to_cpu_32(h->ip.dst_addr);
	const uint32_t ends = (s->flags & (RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG)) != 0;

	fill_ip(h, l, source, IPPROTO_TCP, (uint32_t)sizeof(h->tcp) + len);
	h->tcp = (struct rte_tcp_hdr){
	    .src_port = port,
	    .dst_port = l->wire.head.tcp.dst_port,
	    .sent_seq = rte_cpu_to_be_32(s->ack),
	    .recv_ack = rte_cpu_to_be_32(s->seq + s->len + ends),
	    .data_off = sizeof(h->tcp) / 4 << 4,
	    .tcp_flags = flags,
	    .rx_win = rte_cpu_to_be_16(window),
	};
	memcpy(h->options, stream_at(&l->stream, 0), len);
	h->tcp.cksum = wire_l4_sum(&h->ip, &h->tcp, (uint32_t)sizeof(h->tcp) + len);
	len = finish_frame(h, (uint32_t)sizeof(h->tcp) + len);
	if (f->kind->manner == MANGLES)
		len = flood_mangle((uint8_t *)h, len, &f->random);
	out_push(&l->out, m, len);
}

/* Sends a request, then keeps its window closed or sends a FIN. Returns whether it sent m. */
static bool go_on(struct flood *f, struct load *l, struct rte_mbuf *m, const struct segment *s)
{
	const uint16_t window = f->kind->manner == HOLDS ? 0 : 65535;

	if ((s->flags & RTE_TCP_RST_FLAG) != 0)
		return false;
	if ((s->flags & RTE_TCP_SYN_FLAG) != 0)
		reply(f, l, m, s, RTE_TCP_PSH_FLAG | RTE_TCP_ACK_FLAG, window,
		      RTE_MIN(l->request, PAYLOAD_MAX));
	else if (f->kind->manner == HOLDS)
		return false;
	else if ((s->flags & RTE_TCP_FIN_FLAG) != 0)
		reply(f, l, m, s, RTE_TCP_ACK_FLAG, window, 0);
	else if (s->len > 0)
		reply(f, l, m, s, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, window, 0);
	else
		return false;
	return true;
}

/* Whether a frame's destination is not one of the load's addresses. */
static bool is_for_flood(const struct load *l, const struct rte_mbuf *m)
{
	const struct flood_frame *h = rte_pktmbuf_mtod(m, const struct flood_frame *);

	return m->data_len >= HEAD && h->eth.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	       rte_be_to_cpu_32(h->ip.dst_addr) - l->wire.first >= l->nb_sources;
}

static bool answer_cookie(struct flood *f, struct load *l, struct rte_mbuf *m)
{
	const struct flood_frame *h = rte_pktmbuf_mtod(m, const struct flood_frame *);
	struct segment s;

	return f->kind->manner != SPOOFED && h->ip.next_proto_id == IPPROTO_TCP &&
	       h->ip.version_ihl == RTE_IPV4_VHL_DEF && m->nb_segs == 1 &&
	       m->data_len >= WIRE_LEN &&
	       rte_be_to_cpu_16(h->ip.total_length) <= m->data_len - WIRE_IP &&
	       wire_parse(&s, &h->tcp,
	                  rte_be_to_cpu_16(h->ip.total_length) - (uint32_t)sizeof(h->ip)) &&
	       go_on(f, l, m, &s);
}

unsigned flood_input(struct flood *f, struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	unsigned left = 0;

	for (unsigned k = 0; k < n; k++) {
		if (!is_for_flood(l, pkts[k])) {
			pkts[left++] = pkts[k];
			continue;
		}
		f->n.back++;
		if (!answer_cookie(f, l, pkts[k]))
			out_recycle(&l->out, pkts[k]);
	}
	return left;
}

/* ---- turns ------------------------------------------------------------------------------------- */

/* Returns how many frames are due; a longer backlog is not caught up on. */
static unsigned frames_due(struct flood *f, const struct load *l)
{
	const uint64_t rate = l->config->flood_rate;
	uint64_t all;

	if (rate == 0)
		return BURST;
	all = (uint64_t)((unsigned __int128)(l->now - f->began) * rate / LOAD_SECOND_NS);
	if (all - f->paced > BEHIND)
		f->paced = all - BEHIND;
	return (unsigned)RTE_MIN(all - f->paced, (uint64_t)BURST);
}

void flood_turn(struct flood *f, struct load *l)
{
	struct pc_port *port = l->out.port;
	struct rte_mbuf *pkts[BURST];
	unsigned n, k, sent;

	if (f->began == 0)
		f->began = l->now;
	n = frames_due(f, l);
	f->paced += n;
	if (out_backlog(&l->out) > 0) {
		f->n.refused += n;
		return;
	}
	for (k = 0; k < n && (pkts[k] = out_mbuf(&l->out)) != NULL; k++) {
		uint32_t len = make(f, l, rte_pktmbuf_mtod(pkts[k], struct flood_frame *));

		pkts[k]->data_len = (uint16_t)len;
		pkts[k]->pkt_len = len;
	}
	sent = k > 0 ? port->ops->tx_burst(port, pkts, (uint16_t)k, l->now) : 0;
	f->n.sent += sent;
	f->n.refused += n - sent;
	for (unsigned j = sent; j < k; j++)
		out_recycle(&l->out, pkts[j]);
}
