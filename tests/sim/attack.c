/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "frame.h"

/*
 * Overview: an attacker who knows addresses and ports, and roughly where the sequence numbers are,
 * but does not see the traffic (RFC 5961 section 1.2, RFC 5927). Forged frames are derived from the
 * latest segment sent by the machine behind this port: at most the frames of one burst towards it
 * are newer, so it is known which numbers are invalid.
 *
 * None of it may end a connection or insert a byte into a stream.
 */

#define FAR     (1u << 22) /* beyond every window in these runs, scaled or not */
#define NEAR    100000u    /* more than a burst can carry, but within large windows */
#define PERCENT 3          /* of bursts with frames get a forged one */

struct attack {
	struct pc_port port;
	struct pc_port *inner;
	struct sim *s;
	struct frame last; /* the latest TCP segment sent from here */
	struct frame_info info;
	bool known;
};

static void remember(struct attack *a, const struct rte_mbuf *m)
{
	struct frame f = {.len = (uint16_t)rte_pktmbuf_pkt_len(m)};
	struct frame_info info;
	const void *p;

	if (rte_pktmbuf_pkt_len(m) > sizeof(f.b))
		return;
	p = rte_pktmbuf_read(m, 0, f.len, f.b);
	if (p == NULL)
		return;
	if (p != f.b)
		memcpy(f.b, p, f.len);
	if (frame_read(&f, &info) != NULL) /* its checksum may be left to the port */
		return;
	if (info.type != 0x0800 || info.proto != IPPROTO_TCP ||
	    (info.seg.flags & (TCP_SYN | TCP_RST)) != 0)
		return;
	a->last = f;
	a->info = info;
	a->known = true;
}

/* A segment to us, as if from the peer of the latest one. */
static void forge_segment(struct attack *a, struct frame *f, uint8_t flags, uint32_t seq,
                          uint32_t ack, uint16_t len)
{
	static const uint8_t garbage[200] = {0xba, 0xad};
	const struct frame_ends back = {.src_be = a->info.ends.dst_be,
	                                .dst_be = a->info.ends.src_be};
	struct frame_ends ends = back;
	struct tcp_seg seg = {.sport = a->info.seg.dport,
	                      .dport = a->info.seg.sport,
	                      .seq = seq,
	                      .ack = ack,
	                      .wnd = 1000,
	                      .flags = flags,
	                      .len = len};

	memcpy(ends.src_mac, a->info.ends.dst_mac, 6);
	memcpy(ends.dst_mac, a->info.ends.src_mac, 6);
	if ((a->info.seg.has & TCP_HAS_TS) != 0 && sim_chance(a->s, 50)) {
		seg.has = TCP_HAS_TS;
		seg.tsval = (uint32_t)sim_rnd(a->s, 0, UINT32_MAX);
	}
	frame_tcp(f, &ends, &seg, garbage, NULL, 0);
}

static uint32_t wrong_number(struct attack *a, uint32_t right)
{
	switch (sim_rnd(a->s, 0, 2)) {
	case 0:
		return right - FAR - (uint32_t)sim_rnd(a->s, 0, FAR);
	case 1:
		return right + FAR + (uint32_t)sim_rnd(a->s, 0, FAR);
	default:
		return right + NEAR + (uint32_t)sim_rnd(a->s, 0, NEAR);
	}
}

/* RFC 5961 section 3.2: a RST is valid only at exactly RCV.NXT; section 4.2: a SYN never is. */
static void forge_reset_or_syn(struct attack *a, struct frame *f)
{
	uint8_t flags = sim_chance(a->s, 70) ? TCP_RST : TCP_SYN;

	if (sim_chance(a->s, 50))
		flags |= TCP_ACK;
	/* a SYN may be anywhere; the connection sends a challenge ACK at most */
	forge_segment(a, f, flags, wrong_number(a, a->info.seg.ack), a->info.seg.seq, 0);
}

/* RFC 5961 section 5.2: data whose ACK is not in [SND.UNA - MAX.SND.WND, SND.NXT] must be dropped,
 * even in sequence. */
static void forge_data(struct attack *a, struct frame *f)
{
	uint32_t ack = a->info.seg.seq + (sim_chance(a->s, 50) ? FAR : 0u - 2 * FAR) +
	               (uint32_t)sim_rnd(a->s, 0, FAR / 2);

	forge_segment(a, f, TCP_ACK | (sim_chance(a->s, 20) ? TCP_FIN : 0), a->info.seg.ack, ack,
	              (uint16_t)sim_rnd(a->s, 0, 200));
}

/* ICMP errors about segments: they must not end an established connection, and must quote something
 * that was sent (RFC 5927 section 4.1, RFC 9293 section 3.9.2.2). */
static void forge_icmp(struct attack *a, struct frame *f)
{
	struct frame_ends ends = {.src_be = a->info.ends.dst_be, .dst_be = a->info.ends.src_be};
	uint8_t rest[4] = {0}, quote[28];
	uint8_t code = (uint8_t)sim_rnd(a->s, 0, 13), type = sim_chance(a->s, 80) ? 3 : 11;
	uint32_t seq;

	memcpy(ends.src_mac, a->info.ends.dst_mac, 6);
	memcpy(ends.dst_mac, a->info.ends.src_mac, 6);
	memcpy(quote, a->last.b + 14, sizeof(quote));
	if (type == 3 && code == 4) /* an MTU that is much too small */
		rest[3] = (uint8_t)sim_rnd(a->s, 0, 255);
	if ((type == 3 && code == 4) || sim_chance(a->s, 50)) {
		seq = wrong_number(a, a->info.seg.seq);
		quote[24] = (uint8_t)(seq >> 24);
		quote[25] = (uint8_t)(seq >> 16);
		quote[26] = (uint8_t)(seq >> 8);
		quote[27] = (uint8_t)seq;
	}
	frame_icmp(f, &ends, type, type == 11 ? code & 1 : code, rest, quote, sizeof(quote));
}

/* SYNs from unused addresses put load on the SYN cache and the neighbour table. */
static void forge_flood(struct attack *a, struct frame *f)
{
	const uint32_t net = a->info.ends.src_be & rte_cpu_to_be_32(0xffffff00);
	struct frame_ends ends = {.dst_be = a->info.ends.src_be};
	struct tcp_seg seg = {.sport = (uint16_t)sim_rnd(a->s, 1024, 65535),
	                      .dport = 80,
	                      .seq = (uint32_t)sim_rnd(a->s, 0, UINT32_MAX),
	                      .wnd = 1000,
	                      .flags = TCP_SYN};

	memcpy(ends.src_mac, a->info.ends.dst_mac, 6);
	memcpy(ends.dst_mac, a->info.ends.src_mac, 6);
	ends.src_be = net | rte_cpu_to_be_32((uint32_t)sim_rnd(a->s, 3, 254));
	frame_tcp(f, &ends, &seg, NULL, NULL, 0);
}

static struct rte_mbuf *forge(struct attack *a)
{
	struct rte_mbuf *m;
	struct frame f = {0};

	switch (sim_rnd(a->s, 0, 3)) {
	case 0:
		forge_reset_or_syn(a, &f);
		break;
	case 1:
		forge_data(a, &f);
		break;
	case 2:
		forge_icmp(a, &f);
		break;
	default:
		forge_flood(a, &f);
	}
	m = rte_pktmbuf_alloc(a->s->pool);
	if (m == NULL)
		return NULL;
	memcpy(rte_pktmbuf_append(m, f.len), f.b, f.len);
	a->s->forged++;
	return m;
}

static uint16_t attack_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                uint64_t now_ns)
{
	struct attack *a = (struct attack *)port;
	uint16_t got = a->inner->ops->rx_burst(a->inner, pkts, n, now_ns);
	struct rte_mbuf *m;

	if (got == 0 || got == n || !a->known || !sim_chance(a->s, PERCENT))
		return got;
	m = forge(a);
	if (m != NULL) {
		uint16_t at = (uint16_t)sim_rnd(a->s, 0, got);

		memmove(pkts + at + 1, pkts + at, (size_t)(got - at) * sizeof(*pkts));
		pkts[at] = m;
		got++;
	}
	return got;
}

static uint16_t attack_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                uint64_t now_ns)
{
	struct attack *a = (struct attack *)port;

	for (uint16_t i = 0; i < n; i++)
		remember(a, pkts[i]);
	return a->inner->ops->tx_burst(a->inner, pkts, n, now_ns);
}

static uint64_t attack_next_deadline(const struct pc_port *port)
{
	const struct attack *a = (const struct attack *)port;

	return a->inner->ops->next_deadline(a->inner);
}

static void attack_close(struct pc_port *port)
{
	struct attack *a = (struct attack *)port;

	pc_port_close(a->inner);
	free(a);
}

static const struct pc_port_ops attack_ops = {
    .rx_burst = attack_rx_burst,
    .tx_burst = attack_tx_burst,
    .next_deadline = attack_next_deadline,
    .close = attack_close,
};

struct pc_port *attack_layer(struct sim *s, struct pc_port *inner)
{
	struct attack *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->port = (struct pc_port){.ops = &attack_ops, .info = inner->info};
	a->inner = inner;
	a->s = s;
	return &a->port;
}
