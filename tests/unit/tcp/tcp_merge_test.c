/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A frame that goes on with the segment before it is recognised by its headers: exactly those are that differ in
 * nothing but what a run may differ in, whatever byte is changed; and what comes of it is what comes of the thorough
 * way, by which each segment is read first.
 */
#include "tcp/tcp_merge.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

/* before the fixture, whose net would be hidden */
#include "ip/ip4_plain.h"
#include "tcp/cc.h"
#include "tcp/tcp_ecn.h"

#include "../../support/frame6.h"
#include "../unit.h"
#include "base/dice.h"
#include "base/seq.h"
#include "fixture.h"

#define RUNS 20000
#define LEN  700

static struct dice dice;
static bool ip6;

/* where a frame's parts begin, and which of its bytes may differ within a run */
static unsigned l4_off(void)
{
	return ip6 ? 54 : 34;
}

static uint8_t may_differ(unsigned i)
{
	const unsigned tcp_at = i - l4_off();

	if (i >= l4_off())
		return tcp_at == 13                                                   ? TCP_PSH
		       : (tcp_at >= 4 && tcp_at < 8) || (tcp_at >= 16 && tcp_at < 20) ? 0xff
		                                                                      : 0;
	if (ip6)
		return i == 18 || i == 19 ? 0xff : 0;
	return (i >= 16 && i < 20) || i == 24 || i == 25 ? 0xff : 0;
}

static unsigned l4_len(const struct frame *f)
{
	const unsigned at = ip6 ? 18 : 16, len = (unsigned)f->b[at] << 8 | f->b[at + 1];

	return ip6 ? len : len - 20;
}

static uint16_t l4_sum(const struct frame *f)
{
	struct pc_addr src, dst;
	uint32_t sum, src_be, dst_be;

	if (ip6) {
		memcpy(&src, f->b + 22, 16);
		memcpy(&dst, f->b + 38, 16);
		sum = frame6_sum(&src, &dst, IPPROTO_TCP, l4_len(f));
	} else {
		memcpy(&src_be, f->b + 26, 4);
		memcpy(&dst_be, f->b + 30, 4);
		sum = frame_l4_sum(src_be, dst_be, IPPROTO_TCP, (uint16_t)l4_len(f));
	}
	return frame_fold(frame_sum(f->b + l4_off(), l4_len(f), sum));
}

static bool length_fits(const struct frame *f, unsigned hdr_len)
{
	return l4_len(f) <= f->len - l4_off() && l4_len(f) >= hdr_len + TCP_MERGE_MIN;
}

static void fix(struct frame *f)
{
	uint16_t sum;

	if (!ip6)
		frame_fix_ip4(f);
	memset(f->b + l4_off() + 16, 0, 2);
	if (l4_len(f) > f->len - l4_off())
		return;
	sum = l4_sum(f);
	f->b[l4_off() + 16] = (uint8_t)(sum >> 8);
	f->b[l4_off() + 17] = (uint8_t)sum;
}

static bool is_intact(const struct frame *f)
{
	return l4_sum(f) == 0 && (ip6 || frame_fold(frame_sum(f->b + 14, 20, 0)) == 0);
}

static void make(struct frame *f, struct tcp_seg s)
{
	static const struct ends6 ends = {.src.b = {0xfd, 9, [15] = 2},
	                                  .dst.b = {0xfd, 9, [15] = 1}};
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	static uint8_t bytes[2048];
	struct frame four;

	payload(bytes, s.seq, s.len);
	frame_tcp(f, &e, &s, bytes, NULL, 0);
	if (!ip6)
		return;
	four = *f;
	frame6_raw(f, &ends, IPPROTO_TCP, 64, four.b + 34, (uint16_t)(four.len - 34));
	fix(f);
}

/* the bytes of the second frame that are not those of the first one, in places where they must be */
static bool differs(const struct frame *a, const struct frame *b, unsigned hdr_len)
{
	for (unsigned i = 0; i < l4_off() + hdr_len; i++)
		if (((a->b[i] ^ b->b[i]) & ~may_differ(i)) != 0)
			return true;
	return false;
}

static uint32_t seq_of(const struct frame *f)
{
	return wire_get32(f->b + l4_off() + 4);
}

static bool goes_on(const struct frame *a, const struct frame *b, unsigned hdr_len)
{
	return !differs(a, b, hdr_len) && seq_of(b) == seq_of(a) + l4_len(a) - hdr_len &&
	       length_fits(b, hdr_len) && is_intact(b);
}

/* reads a frame as the first pass does; false: it is dropped, or not plain */
static bool read_frame(struct tcp_pending *p, const struct frame *f)
{
	*p = (struct tcp_pending){.m = net_mbuf(&net, f->b, f->len, 0, 0)};
	if (!ip6)
		return ip4_plain_input(&net.ip, p->m, 0, &p->pkt) == NEXT_TCP &&
		       tcp_rx_parse(tcp, p->m, &p->pkt, &p->rx, TCP_RX_ANY) == VERDICT_DONE;
	p->pkt = (struct ip_pkt){
	    .l3_off = 14, .l4_off = 54, .l4_len = l4_len(f), .proto = IPPROTO_TCP, .ttl = f->b[21]};
	memcpy(&p->pkt.src, f->b + 22, 16);
	memcpy(&p->pkt.dst, f->b + 38, 16);
	return tcp_rx_parse(tcp, p->m, &p->pkt, &p->rx, TCP_RX_ANY) == VERDICT_DONE;
}

static bool same(const struct tcp_pending *x, const struct tcp_pending *y)
{
	return x->rx.seg.len == y->rx.seg.len && x->rx.segs == y->rx.segs &&
	       x->rx.text == y->rx.text && x->m->pkt_len == y->m->pkt_len &&
	       x->m->nb_segs == y->m->nb_segs && x->tail->data_len == y->tail->data_len &&
	       memcmp(rte_pktmbuf_mtod(x->tail, void *), rte_pktmbuf_mtod(y->tail, void *),
	              x->tail->data_len) == 0;
}

static struct tcp_seg some_seg(void)
{
	struct tcp_seg s = SEG(.flags = TCP_ACK, .sport = 1234, .dport = LPORT, .ack = 99, .wnd = 7,
	                       .seq = (uint32_t)dice_next(&dice), .len = LEN);

	if (dice_chance(&dice, 500000)) {
		s.has = TCP_HAS_TS;
		s.tsval = 100;
		s.tsecr = 200;
	}
	return s;
}

/* changes a byte of the headers, or nothing; what is changed is mostly made right again */
static void change(struct frame *f, unsigned hdr_len)
{
	unsigned at;

	if (dice_chance(&dice, 200000))
		return;
	at = dice_below(&dice, l4_off() + hdr_len);
	f->b[at] ^= (uint8_t)(1u << dice_below(&dice, 8));
	if (dice_chance(&dice, 900000))
		fix(f);
}

static void one(void)
{
	struct tcp_seg s = some_seg();
	const unsigned hdr_len = s.has & TCP_HAS_TS ? 32 : 20;
	struct tcp_pending first, again, next;
	struct frame a, b;
	struct rte_mbuf *m;
	bool merged;

	make(&a, s);
	s.seq += LEN;
	s.flags |= dice_chance(&dice, 500000) ? TCP_PSH : 0;
	make(&b, s);
	change(&b, hdr_len);
	CU_ASSERT_FATAL(read_frame(&first, &a) && read_frame(&again, &a));
	m = net_mbuf(&net, b.b, b.len, 0, 0);
	merged = tcp_merge_frame(&first, m, 0);
	CU_ASSERT_EQUAL(merged, goes_on(&a, &b, hdr_len));
	if (!merged) {
		CU_ASSERT(m->data_len == b.len && m->pkt_len == b.len && first.rx.segs == 1);
		rte_pktmbuf_free(m);
	} else {
		CU_ASSERT(read_frame(&next, &b) && tcp_merge(&again, &next) &&
		          same(&first, &again));
	}
	rte_pktmbuf_free(first.m);
	rte_pktmbuf_free(again.m);
}

static void any_byte(void)
{
	start();
	dice_seed(&dice, 1);
	for (unsigned i = 0; i < RUNS && CU_get_number_of_failures() == 0; i++)
		one();
	finish();
}

static void any_byte6(void)
{
	ip6 = true;
	any_byte();
	ip6 = false;
}

/* the port has verified the sums (PC_PORT_RX_L4_CKSUM), or says that they are wrong */
static void offloaded(void)
{
	const uint32_t all = PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM;
	struct tcp_seg s =
	    SEG(.flags = TCP_ACK, .sport = 1234, .dport = LPORT, .seq = 1, .len = LEN);
	struct tcp_pending first;
	struct frame a, b;
	struct rte_mbuf *m;

	start();
	make(&a, s);
	s.seq += LEN;
	make(&b, s);
	b.b[b.len - 1] ^= 1;
	CU_ASSERT_FATAL(read_frame(&first, &a));
	m = net_mbuf(&net, b.b, b.len, 0, 0);
	CU_ASSERT(!tcp_merge_frame(&first, m, all));
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	CU_ASSERT(!tcp_merge_frame(&first, m, all));
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
	CU_ASSERT(!tcp_merge_frame(&first, m, all));
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	CU_ASSERT(!tcp_merge_frame(&first, m, 0));
	CU_ASSERT(tcp_merge_frame(&first, m, all));
	rte_pktmbuf_free(first.m);
	finish();
}

/* a frame that ends two bytes before its packet does, and one that ends two bytes after */
static void lengths(void)
{
	struct tcp_seg s =
	    SEG(.flags = TCP_ACK, .sport = 1234, .dport = LPORT, .seq = 1, .len = LEN);
	struct tcp_pending first;
	struct frame a, b;
	struct rte_mbuf *m;

	start();
	make(&a, s);
	s.seq += LEN;
	make(&b, s);
	CU_ASSERT_FATAL(read_frame(&first, &a));
	m = net_mbuf(&net, b.b, b.len, 0, 0);
	m->data_len = (uint16_t)(m->data_len - 2);
	m->pkt_len -= 2;
	CU_ASSERT(!tcp_merge_frame(&first, m, 0));
	m->data_len = (uint16_t)(m->data_len + 4);
	m->pkt_len += 4;
	CU_ASSERT(tcp_merge_frame(&first, m, 0));
	CU_ASSERT(m->data_len == LEN && first.rx.seg.len == 2 * LEN &&
	          first.m->pkt_len == a.len + (uint32_t)LEN);
	rte_pktmbuf_free(first.m);
	finish();
}

static void lengths6(void)
{
	ip6 = true;
	lengths();
	ip6 = false;
}

/* ---- acknowledgements ------------------------------------------------------------------------ */

static struct tcb *t;

/* a connection with four segments in flight, and the acknowledgement of the first */
static struct tcp_seg first_ack(bool ts)
{
	struct tcp_seg s;

	t = conn(0);
	CU_ASSERT_EQUAL_FATAL(write_bytes(t, 4 * MSS), 4 * MSS);
	turn();
	forget();
	s = SEG(.flags = TCP_ACK, .sport = t->flow.rport, .dport = LPORT, .seq = t->rcv_nxt,
	        .ack = t->snd_una + MSS, .wnd = 60000);
	if (ts) {
		s.has = TCP_HAS_TS;
		s.tsval = 100;
		s.tsecr = 200;
	}
	return s;
}

/* takes b after a, if it may; then a says what b does */
static bool takes(struct tcp_pending *a, const struct frame *b)
{
	struct rte_mbuf *m = net_mbuf(&net, b->b, b->len, 0, 0), *before = NULL, *was = a->m;

	if (tcp_merge_may_ack(a, m))
		before = tcp_merge_ack(tcp, a, m, 0);
	if (before == NULL) {
		CU_ASSERT(a->m == was);
		rte_pktmbuf_free(m);
		return false;
	}
	CU_ASSERT(before == was && a->m == m);
	rte_pktmbuf_free(before);
	return true;
}

/* every byte but those that may differ between acknowledgements: their number, window, timestamps, sums, the
 * urgent pointer, and with IPv4 the ID */
static bool ack_differs(const struct frame *a, const struct frame *b)
{
	for (unsigned i = 0; i < a->len; i++) {
		const unsigned at = i - l4_off();
		const bool any = i >= l4_off() ? (at >= 8 && at < 12) || (at >= 14 && at < 20) ||
		                                     (at >= 24 && at < 32)
		                               : i == 18 || i == 19 || i == 24 || i == 25;

		if (!any && a->b[i] != b->b[i])
			return true;
	}
	return false;
}

static void one_ack(struct tcp_seg s, bool ts)
{
	const uint32_t una = t->snd_una;
	struct tcp_pending p, q;
	struct frame a, b;
	bool newer;

	make(&a, s);
	s.ack = una + dice_below(&dice, 6 * MSS);
	s.wnd = (uint16_t)dice_next(&dice);
	s.tsval = 95 + dice_below(&dice, 10);
	make(&b, s);
	change(&b, ts ? 32 : 20);
	CU_ASSERT_FATAL(read_frame(&p, &a));
	if (!read_frame(&q, &b)) { /* then the first pass would not have taken it either */
		CU_ASSERT_FALSE(takes(&p, &b));
	} else {
		newer = seq_gt(q.rx.seg.ack, p.rx.seg.ack) && seq_leq(q.rx.seg.ack, t->snd_nxt) &&
		        (!ts || seq_geq(q.rx.seg.tsval, p.rx.seg.tsval));
		CU_ASSERT_EQUAL(takes(&p, &b), newer && !ack_differs(&a, &b));
		if (p.rx.segs == 2)
			CU_ASSERT(p.rx.seg.ack == q.rx.seg.ack && p.rx.seg.wnd == q.rx.seg.wnd &&
			          p.rx.seg.tsval == q.rx.seg.tsval &&
			          p.rx.seg.tsecr == q.rx.seg.tsecr);
	}
	rte_pktmbuf_free(q.m);
	rte_pktmbuf_free(p.m);
}

static void any_byte_of_acks(void)
{
	for (unsigned ts = 0; ts < 2; ts++) {
		struct tcp_seg s;

		start();
		s = first_ack(ts);
		dice_seed(&dice, 2 + ts);
		for (unsigned i = 0; i < RUNS && CU_get_number_of_failures() == 0; i++)
			one_ack(s, ts);
		finish();
	}
}

/* it depends on the connection, too */
static void whose_acks(void)
{
	struct tcp_queues *q;
	struct tcp_pending p;
	struct tcp_seg s;
	struct frame a, b;

	start();
	s = first_ack(false);
	q = tcp_queues(tcp, t);
	make(&a, s);
	s.ack += MSS;
	make(&b, s);
	for (unsigned i = 0; i < 7; i++) {
		CU_ASSERT_FATAL(read_frame(&p, &a));
		q->sacked_bytes = i == 1 ? MSS : 0;
		t->cc = i == 2 ? CC_BBR : CC_CUBIC; /* each of them is a sample */
		t->checked = i == 3;
		t->snd_una += i == 4 ? MSS : 0; /* the first one is a duplicate */
		p.rx.flow.rport ^= i == 5;      /* of nobody */
		p.rx.tos = i == 6 ? ECN_CE : 0;
		CU_ASSERT_EQUAL(takes(&p, &b), i == 0);
		t->snd_una -= i == 4 ? MSS : 0;
		rte_pktmbuf_free(p.m);
	}
	finish();
}

static const struct unit_case cases[] = {
    {"frames that are too short, or padded", lengths},
    {"the same over IPv6", lengths6},
    {"any byte is changed", any_byte},
    {"any byte is changed, over IPv6", any_byte6},
    {"sums that the port has verified", offloaded},
    {"any byte of an acknowledgement is changed", any_byte_of_acks},
    {"connections whose acknowledgements are processed one by one", whose_acks},
};

TCP_UNIT_MAIN("tcp_merge")
