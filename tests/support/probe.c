/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "port/frame.h"

#include "frame6.h"

/*
 * Ownership: frames are copied out of mbufs on transmit and into mbufs on receive, so the stack's
 * mbufs return to its pool as soon as it frees them, and a leak is detected by counting.
 * Invariants: both lists are arrays that only grow at the end; head is the first element not taken
 * yet.
 */

struct list {
	struct frame *f;
	unsigned head, n, size;
};

struct probe {
	struct pc_port port;
	struct probe_config cfg;
	struct list rx, tx;
	bool answer_arp, tx_stopped;
	const char *wrong;
};

static struct frame *list_add(struct list *l)
{
	if (l->head == l->n)
		l->head = l->n = 0;
	if (l->n == l->size) {
		l->size = l->size * 2 + 16;
		l->f = realloc(l->f, l->size * sizeof(*l->f));
		if (l->f == NULL)
			abort();
	}
	return &l->f[l->n++];
}

/* Returns a frame in an mbuf, or, with rx_split, in a chain of rx_split, 100, 1, 300, 1, ... bytes,
 * as a careless NIC might; NULL: no mbuf. */
static struct rte_mbuf *mbuf_of(const struct probe *p, const struct frame *f)
{
	uint32_t done = 0, n = p->cfg.rx_split != 0 ? p->cfg.rx_split : f->len;
	struct rte_mbuf *head = NULL, *m;

	do {
		m = rte_pktmbuf_alloc(p->cfg.pool);
		if (m == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		if (head != NULL && rte_pktmbuf_chain(head, m) != 0)
			abort();
		head = head != NULL ? head : m;
		n = RTE_MIN(n, f->len - done);
		memcpy(rte_pktmbuf_mtod(m, void *), f->b + done, n);
		m->data_len = (uint16_t)n;
		head->pkt_len = done += n;
		n = head->nb_segs % 2 == 0 ? 1 : 100u * head->nb_segs;
	} while (done < f->len);
	return head;
}

static uint16_t probe_rx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct probe *p = (struct probe *)port;
	uint16_t i;

	(void)now_ns;
	for (i = 0; i < n && p->rx.head < p->rx.n; i++, p->rx.head++) {
		struct rte_mbuf *m = mbuf_of(p, &p->rx.f[p->rx.head]);

		if (m == NULL)
			break; /* as with a device: the frame waits */
		m->packet_type = 0;
		if (port->info.offloads & PC_PORT_RX_IP4_CKSUM)
			m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN;
		if (p->cfg.partial)
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		pkts[i] = m;
	}
	return i;
}

/* Does what a NIC does for RTE_MBUF_F_TX_L4_MASK, after an IP header of either family. */
static const char *complete_l4(uint64_t asked, uint32_t offloads, struct frame *f, uint32_t l4_off,
                               uint32_t pseudo)
{
	const size_t len = f->len - (size_t)l4_off;
	uint8_t *field = f->b + l4_off + (asked == RTE_MBUF_F_TX_TCP_CKSUM ? 16 : 6);
	uint16_t sum = (uint16_t)~frame_fold(pseudo);

	if ((offloads &
	     (asked == RTE_MBUF_F_TX_TCP_CKSUM ? PC_PORT_TX_TCP_CKSUM : PC_PORT_TX_UDP_CKSUM)) == 0)
		return "transport checksum offload that is not offered";
	if (field[0] != sum >> 8 || field[1] != (sum & 0xff))
		return "the checksum field is not the pseudo header's sum";
	sum = frame_fold(frame_sum(f->b + l4_off, len, 0));
	if (asked == RTE_MBUF_F_TX_UDP_CKSUM && sum == 0)
		sum = UINT16_MAX;
	field[0] = (uint8_t)(sum >> 8);
	field[1] = (uint8_t)sum;
	return NULL;
}

static const char *complete6(const struct rte_mbuf *m, uint32_t offloads, struct frame *f)
{
	const uint8_t *ip = f->b + 14;
	struct pc_addr src, dst;

	if ((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 || m->l2_len != 14 || m->l3_len != 40)
		return "offload over IPv6 with a header checksum, or without l2_len and l3_len";
	memcpy(src.b, ip + 8, 16);
	memcpy(dst.b, ip + 24, 16);
	return complete_l4(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, offloads, f, 54,
	                   frame6_sum(&src, &dst, ip[6], f->len - 54u));
}

/* Does what a NIC does for RTE_MBUF_F_TX_*, after checking the request. */
static const char *complete(const struct rte_mbuf *m, uint32_t offloads, struct frame *f)
{
	const uint64_t asked = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	uint8_t *ip = f->b + 14;
	uint32_t src, dst;

	if ((m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)) == 0)
		return NULL;
	if ((m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0 && f->b[12] == 0x86)
		return complete6(m, offloads, f);
	if ((m->ol_flags & RTE_MBUF_F_TX_IPV4) == 0 || m->l2_len != 14 || m->l3_len != 20)
		return "offload without RTE_MBUF_F_TX_IPV4, l2_len and l3_len";
	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) {
		if ((offloads & PC_PORT_TX_IP4_CKSUM) == 0 || ip[10] != 0 || ip[11] != 0)
			return "IPv4 checksum offload not offered, or the field is not 0";
		frame_fix_ip4(f);
	}
	if (asked == 0)
		return NULL;
	memcpy(&src, ip + 12, 4);
	memcpy(&dst, ip + 16, 4);
	return complete_l4(asked, offloads, f, 34,
	                   frame_l4_sum(src, dst, ip[9], (uint16_t)(f->len - 34u)));
}

/* Answers an ARP request; ARP is hidden from the test. */
static bool hide_arp(struct probe *p, const struct frame *f)
{
	struct frame_ends e = {.src_mac = PEER_MAC};

	if (!p->answer_arp || f->b[12] != 0x08 || f->b[13] != 0x06)
		return false;
	memcpy(e.dst_mac, f->b + 6, 6);
	memcpy(&e.src_be, f->b + 38, 4);
	memcpy(&e.dst_be, f->b + 28, 4);
	if (f->b[21] == 1 && e.src_be != e.dst_be && e.dst_be != 0)
		frame_arp(list_add(&p->rx), &e, 2, e.dst_mac);
	return true;
}

/* Answers a neighbour solicitation; link-local control messages are hidden from the test. */
static bool hide_nd(struct probe *p, const struct frame *f)
{
	struct ends6 e = {.src_mac = PEER_MAC};
	uint8_t body[28] = {0x60};
	struct info6 i;

	if (f->b[12] != 0x86 || frame6_read(f, &i) != NULL || i.proto != 58 || i.l4[0] < 130)
		return false;
	if (i.l4[0] != 135 || pc_addr_is_any(&i.ends.src))
		return true;
	memcpy(e.dst_mac, f->b + 6, 6);
	memcpy(e.src.b, i.l4 + 8, 16);
	e.dst = i.ends.src;
	memcpy(body + 4, i.l4 + 8, 16);
	memcpy(body + 20, (uint8_t[2]){2, 1}, 2);
	memcpy(body + 22, PEER_MAC, 6);
	frame6_icmp(list_add(&p->rx), &e, 255, 136, 0, body, sizeof(body));
	return true;
}

static void capture(struct probe *p, const struct rte_mbuf *m, uint64_t now_ns)
{
	struct frame *f = list_add(&p->tx);
	const struct rte_mbuf *s = m;
	const char *wrong = NULL;

	if (m->pkt_len > FRAME_MAX || m->pkt_len > p->port.info.mtu + 14u)
		wrong = "frame larger than the MTU allows";
	f->at_ns = now_ns;
	f->len = (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)FRAME_MAX);
	for (uint32_t done = 0; s != NULL && done < f->len; s = s->next) {
		uint32_t n = RTE_MIN((uint32_t)s->data_len, f->len - done);

		memcpy(f->b + done, rte_pktmbuf_mtod(s, void *), n);
		done += n;
	}
	if (wrong == NULL)
		wrong = complete(m, p->port.info.offloads, f);
	if (hide_arp(p, f) || (p->cfg.ip6 && hide_nd(p, f)))
		p->tx.n--;
	else if (p->cfg.ip6 && f->b[12] == 0x86 && wrong == NULL)
		wrong = frame_to4(f);
	if (wrong != NULL)
		p->wrong = wrong;
}

/* Checks whether a large segment is valid for a device. */
static const char *check_cut(const struct rte_mbuf *m, uint32_t offloads)
{
	const struct rte_ipv4_hdr *ip4 = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	const struct rte_ipv6_hdr *ip6 = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, 14);
	const bool is_ip4 = ip4->version_ihl >> 4 == 4;
	const struct rte_tcp_hdr *tcp =
	    is_ip4 ? (const struct rte_tcp_hdr *)(ip4 + 1) : (const struct rte_tcp_hdr *)(ip6 + 1);
	const uint32_t len = m->pkt_len - 14u - (is_ip4 ? 0 : 40);

	if ((offloads & PC_PORT_TX_TSO) == 0)
		return "segmentation that is not offered";
	if (m->l2_len != 14 || m->l3_len != (is_ip4 ? 20 : 40) ||
	    m->l4_len != tcp->data_off / 16 * 4 || m->tso_segsz == 0)
		return "segmentation without lengths";
	if (m->pkt_len <= 14u + m->l3_len + m->l4_len + m->tso_segsz || len > 65535 ||
	    rte_be_to_cpu_16(is_ip4 ? ip4->total_length : ip6->payload_len) != len)
		return "segmentation of what is too small or too large";
	if (tcp->cksum != (is_ip4 ? rte_ipv4_phdr_cksum(ip4, RTE_MBUF_F_TX_TCP_SEG)
	                          : rte_ipv6_phdr_cksum(ip6, RTE_MBUF_F_TX_TCP_SEG)))
		return "the checksum field is not the pseudo header's sum without a length";
	return NULL;
}

/* Does what a NIC does for RTE_MBUF_F_TX_TCP_SEG. */
static void capture_cut(struct probe *p, const struct rte_mbuf *m, uint64_t now_ns)
{
	const char *wrong = check_cut(m, p->port.info.offloads);
	struct rte_mbuf *pieces[FRAME_PIECES_MAX];
	unsigned n = wrong == NULL ? frame_cut(m, p->cfg.pool, pieces, FRAME_PIECES_MAX) : 0;

	for (unsigned i = 0; i < n; i++)
		capture(p, pieces[i], now_ns);
	rte_pktmbuf_free_bulk(pieces, n);
	if (n == 0)
		p->wrong = wrong != NULL ? wrong : "a large segment cannot be cut";
}

static uint16_t probe_tx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct probe *p = (struct probe *)port;

	if (p->tx_stopped)
		return 0;
	if (p->cfg.tx_limit != 0 && n > p->cfg.tx_limit)
		n = p->cfg.tx_limit;
	for (uint16_t i = 0; i < n; i++) {
		if (frame_wants_cut(pkts[i]))
			capture_cut(p, pkts[i], now_ns);
		else
			capture(p, pkts[i], now_ns);
		rte_pktmbuf_free(pkts[i]);
	}
	return n;
}

static uint64_t probe_next(const struct pc_port *port)
{
	const struct probe *p = (const struct probe *)port;

	return p->rx.head < p->rx.n ? 0 : UINT64_MAX;
}

static void probe_close(struct pc_port *port)
{
	struct probe *p = (struct probe *)port;

	free(p->rx.f);
	free(p->tx.f);
	free(p);
}

struct probe *probe_open(const struct probe_config *config)
{
	static const struct pc_port_ops ops = {.rx_burst = probe_rx,
	                                       .tx_burst = probe_tx,
	                                       .next_deadline = probe_next,
	                                       .close = probe_close};
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->cfg = *config;
	p->answer_arp = true;
	p->port.ops = &ops;
	p->port.info = (struct pc_port_info){
	    .name = "probe",
	    .driver = "test",
	    .mac = PROBE_MAC,
	    .mtu = config->mtu != 0 ? config->mtu : 1500,
	    .offloads = config->offloads,
	    .socket_id = -1,
	    .link_up = true,
	    .rss = {.nb_queues = 1},
	};
	return p;
}

struct pc_port *probe_port(struct probe *p)
{
	return &p->port;
}

void probe_inject(struct probe *p, const struct frame *f)
{
	struct frame *to = list_add(&p->rx);

	*to = *f;
	if (p->cfg.ip6)
		frame_to6(to);
}

unsigned probe_pending(const struct probe *p)
{
	return p->rx.n - p->rx.head;
}

const struct frame *probe_sent(const struct probe *p)
{
	return p->tx.head < p->tx.n ? &p->tx.f[p->tx.head] : NULL;
}

void probe_take(struct probe *p)
{
	if (p->tx.head < p->tx.n)
		p->tx.head++;
}

void probe_answer_arp(struct probe *p, bool on)
{
	p->answer_arp = on;
}

void probe_limit_tx(struct probe *p, uint16_t n)
{
	p->tx_stopped = n == 0;
	p->cfg.tx_limit = n;
}

const char *probe_wrong(const struct probe *p)
{
	return p->wrong;
}
