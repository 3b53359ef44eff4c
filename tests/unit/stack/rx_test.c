/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The burst pipeline: every frame that is received ends in exactly one place.
 *
 * Each frame is counted under one drop, or was taken: answered in place (an echo request, an ARP
 * request), queued for a socket, or learnt from.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "fixture.h"

static struct box b;
static unsigned seed;

static uint32_t dice(uint32_t n)
{
	return (uint32_t)rand_r(&seed) % n;
}

/* frames that were neither dropped nor given back: those that wait in sockets */
static uint64_t taken(void)
{
	return box_count(&b, PC_RX_FRAMES) - box_drops(&b);
}

static void begin(void)
{
	const struct pc_prefix all = {.addr = pc_addr_ip4(0), .len = 96};
	const struct pc_addr gateway = pc_addr_ip4(PEER);

	box_init(&b);
	box_open(&b);
	CU_ASSERT_EQUAL(pc_stack_add_route(b.st, &all, &gateway), 0); /* all can be answered */
	box_turn(&b, 1);
	box_turn(&b, 1);
}

static void forget(void)
{
	while (probe_sent(b.probe) != NULL)
		probe_take(b.probe);
}

struct expectation {
	const char *what;
	enum pc_counter counter;
	void (*make)(struct frame *f);
};

static void make_udp(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_udp(f, &e, 4000, 7, "hello", 5);
}

static void make_tcp(struct frame *f)
{
	const struct frame_ends e = box_ends();
	const struct tcp_seg s = {
	    .sport = 4000, .dport = 80, .seq = 1, .flags = TCP_SYN, .wnd = 1000};

	frame_tcp(f, &e, &s, NULL, NULL, 0);
}

static void make_short(struct frame *f)
{
	make_udp(f);
	f->len = 13;
}

static void make_type(struct frame *f)
{
	make_udp(f);
	f->b[12] = 0x12;
}

static void make_version(struct frame *f)
{
	make_udp(f);
	f->b[14] = 0x55;
	frame_fix_ip4(f);
}

static void make_bad_sum(struct frame *f)
{
	make_udp(f);
	f->b[24] ^= 1;
}

static void make_no_socket(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_udp(f, &e, 4000, 8, "hello", 5);
}

static void make_bad_tcp_sum(struct frame *f)
{
	make_tcp(f);
	f->b[14 + 20 + 16] ^= 1;
}

static void make_echo_reply(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_icmp(f, &e, 0, 0, (const uint8_t[]){1, 2, 3, 4}, "ping", 4);
}

static void make_rst(struct frame *f)
{
	const struct frame_ends e = box_ends();
	const struct tcp_seg s = {.sport = 4001, .dport = 80, .flags = TCP_RST};

	frame_tcp(f, &e, &s, NULL, NULL, 0);
}

static const struct expectation drops[] = {
    {"short", PC_DROP_ETH_SHORT, make_short},
    {"type", PC_DROP_ETH_TYPE, make_type},
    {"version", PC_DROP_IP4_VERSION, make_version},
    {"header checksum", PC_DROP_IP4_CHECKSUM, make_bad_sum},
    {"no socket", PC_DROP_UDP_NO_SOCKET, make_no_socket},
    {"TCP checksum", PC_DROP_TCP_CHECKSUM, make_bad_tcp_sum},
    {"echo reply", PC_DROP_ICMP_ECHO_REPLY, make_echo_reply},
    {"stray RST", PC_DROP_TCP_RST_STRAY, make_rst},
    {"SYN to a closed port", PC_DROP_TCP_CLOSED, make_tcp},
};

static void test_by_name(void)
{
	begin();
	for (size_t i = 0; i < RTE_DIM(drops); i++) {
		const uint64_t before = box_count(&b, drops[i].counter), all = box_drops(&b);
		struct frame f;

		drops[i].make(&f);
		probe_inject(b.probe, &f);
		box_turn(&b, 1);
		CU_ASSERT_EQUAL(box_count(&b, drops[i].counter), before + 1);
		CU_ASSERT_EQUAL(box_drops(&b), all + 1);
	}
	forget();
	box_close(&b);
}

/* what is done with it: answered in place, or queued */
static void test_taken(void)
{
	const struct frame_ends e = box_ends();
	struct frame f;
	char buf[10];
	int udp;

	begin();
	udp = box_serve(&b, SOCK_DGRAM, 7);
	forget();
	CU_ASSERT_EQUAL(taken(), 0);
	make_udp(&f);
	probe_inject(b.probe, &f);
	box_turn(&b, 1);
	CU_ASSERT_EQUAL(taken(), 1);
	CU_ASSERT_EQUAL(eal_in_use(pool) + eal_in_use(probe_pool), b.in_use + 1);
	CU_ASSERT_EQUAL(pc_recv(b.st, udp, buf, sizeof(buf), 0), 5);
	CU_ASSERT_EQUAL(eal_in_use(pool) + eal_in_use(probe_pool), b.in_use);
	frame_icmp(&f, &e, 8, 0, (const uint8_t[]){1, 2, 3, 4}, "ping", 4);
	probe_inject(b.probe, &f);
	box_turn(&b, 1);
	CU_ASSERT_EQUAL(taken(), 2);
	CU_ASSERT_EQUAL(box_count(&b, PC_ICMP_ECHO), 1);
	forget();
	box_close(&b);
}

/* ---- a frame that somebody else holds too ---------------------------------------------------- */

struct lender {
	struct pc_port port;
	struct rte_mbuf *m[1024];
	uint16_t n;
};

static uint16_t lend(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct lender *l = (struct lender *)port;

	(void)now_ns;
	n = n < l->n ? n : l->n;
	memcpy(pkts, l->m, n * sizeof(*pkts));
	memmove(l->m, l->m + n, (size_t)(l->n - n) * sizeof(*pkts));
	l->n = (uint16_t)(l->n - n);
	return n;
}

static uint16_t swallow(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	(void)port;
	(void)now_ns;
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

static const struct pc_port_ops lender_ops = {.rx_burst = lend, .tx_burst = swallow};

static struct rte_mbuf *mbuf_of(const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(probe_pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memcpy(rte_pktmbuf_append(m, f->len), f->b, f->len);
	return m;
}

static void lender_open(struct lender *l)
{
	const struct pc_prefix us = {.addr = pc_addr_ip4(US), .len = 96 + 24};

	box_init(&b);
	b.st = pc_stack_create(&b.cfg, pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.st);
	*l = (struct lender){
	    .port = {.ops = &lender_ops, .info = {.mac = PROBE_MAC, .mtu = 1500, .rss = {1}}}};
	CU_ASSERT_EQUAL(pc_stack_add_port(b.st, &l->port), 0);
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &us), 0);
	box_turn(&b, 1);
}

static void lender_close(void)
{
	CU_ASSERT_EQUAL(pc_stack_validate(b.st, stderr), 0);
	pc_stack_destroy(b.st);
	CU_ASSERT_EQUAL(eal_in_use(pool), b.in_use);
	CU_ASSERT_EQUAL(eal_in_use(probe_pool), 0);
}

static void test_shared(void)
{
	const struct frame_ends e = box_ends();
	struct rte_mbuf *m, *clone;
	struct lender l;
	struct frame f;

	lender_open(&l);
	frame_icmp(&f, &e, 8, 0, (const uint8_t[]){1, 2, 3, 4}, "ping", 4);
	m = mbuf_of(&f);
	rte_mbuf_refcnt_update(m, 1);
	clone = rte_pktmbuf_clone(m, probe_pool);
	l.m[0] = m;
	l.m[1] = clone;
	l.n = 2;
	box_turn(&b, 1);
	CU_ASSERT_EQUAL(box_count(&b, PC_RX_COPIED), 2);
	CU_ASSERT_EQUAL(box_count(&b, PC_ICMP_ECHO), 2);
	/* the answer was written in place, but not in ours */
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), f.b, f.len), 0);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(m);
	lender_close();
}

/* no mbuf for the copy: a drop of its own, and both holders are rid of it */
static void test_shared_no_mbuf(void)
{
	static struct rte_mbuf *all[NB_POOL];
	struct rte_mbuf *m;
	struct lender l;
	struct frame f;
	unsigned n = 0;

	lender_open(&l);
	while (n < NB_POOL && (all[n] = rte_pktmbuf_alloc(pool)) != NULL)
		n++;
	make_udp(&f);
	m = mbuf_of(&f);
	rte_mbuf_refcnt_update(m, 1);
	l.m[0] = m;
	l.n = 1;
	box_turn(&b, 1);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_NO_MBUF), 1);
	CU_ASSERT_EQUAL(box_drops(&b), 1);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free_bulk(all, n);
	lender_close();
}

/* ---- bursts ---------------------------------------------------------------------------------- */

/* polls until the port has nothing more; counts the polls that found as many frames as expected */
static unsigned poll_all(const struct lender *l, unsigned expected)
{
	unsigned n = 0;

	while (l->n > 0)
		n += pc_stack_poll(b.st, b.now) == expected;
	return n;
}

static void hold_frames(struct lender *l, unsigned n)
{
	struct frame f;

	make_udp(&f);
	while (n-- > 0)
		l->m[l->n++] = mbuf_of(&f);
}

/* of a ring that fills, twice as many frames are taken at once, until a burst is not full */
static void test_bursts(void)
{
	struct lender l;

	lender_open(&l);
	hold_frames(&l, 512);
	CU_ASSERT_EQUAL(poll_all(&l, 32), 16);
	hold_frames(&l, 3 * 64 + 63);
	CU_ASSERT_EQUAL(poll_all(&l, 64), 3);
	hold_frames(&l, 64);
	CU_ASSERT_EQUAL(poll_all(&l, 32), 2);
	lender_close();
}

/* but never more than 64 */
static void test_large_bursts(void)
{
	struct lender l;

	lender_open(&l);
	b.st->ctx.cfg.stack_rx_burst = 40;
	hold_frames(&l, 640);
	CU_ASSERT_EQUAL(poll_all(&l, 40), 16);
	lender_close();
}

/* ---- random and mutated frames --------------------------------------------------------------- */

static uint32_t their_seq, our_seq;

static void make_segment(struct frame *f)
{
	static const uint8_t flags[] = {
	    TCP_SYN, TCP_ACK,           TCP_ACK, TCP_PSH | TCP_ACK, TCP_FIN | TCP_ACK,
	    TCP_RST, TCP_RST | TCP_ACK, 0,       TCP_SYN | TCP_ACK};
	const struct frame_ends e = box_ends();
	static uint8_t payload[1460];
	struct tcp_seg s = {.sport = (uint16_t)(4000 + dice(6)), .dport = dice(8) ? 80 : 81};

	s.flags = flags[dice(sizeof(flags))];
	s.seq = their_seq + (dice(3) ? dice(3000) : 0) - (dice(4) ? 0 : dice(2000));
	s.ack = our_seq + (dice(2) ? dice(100) : 0);
	s.wnd = (uint16_t)(dice(4) ? 60000 : dice(2000));
	s.len = dice(2) ? 0 : 1 + dice(1300);
	if (s.flags == TCP_SYN) {
		s.seq = their_seq - 1;
		s.len = 0;
		s.has = TCP_HAS_MSS;
		s.mss = 1460;
	}
	frame_tcp(f, &e, &s, payload, NULL, 0);
}

static void make_any(struct frame *f)
{
	const struct frame_ends e = box_ends();
	static const uint8_t zero[600];

	switch (dice(8)) {
	case 0:
		frame_udp(f, &e, (uint16_t)dice(3), (uint16_t)(dice(2) ? 7 : dice(9)), zero,
		          (uint16_t)dice(600));
		break;
	case 1:
		frame_icmp(f, &e, (uint8_t)(dice(2) ? 8 : dice(14)), (uint8_t)dice(6),
		           (const uint8_t[]){0, 0, 2, 0}, zero, (uint16_t)dice(100));
		break;
	case 2:
		frame_arp(f, &e, (uint16_t)(1 + dice(3)), (const uint8_t *)PROBE_MAC);
		break;
	case 3:
		f->len = (uint16_t)(1 + dice(200));
		for (unsigned i = 0; i < f->len; i++)
			f->b[i] = (uint8_t)dice(256);
		break;
	default:
		make_segment(f);
	}
}

static void mutate(struct frame *f)
{
	for (uint32_t n = dice(4); n > 0; n--)
		f->b[dice(dice(2) ? RTE_MIN(f->len, 60u) : f->len)] ^= (uint8_t)(1u << dice(8));
	if (dice(10) == 0)
		f->len = (uint16_t)(1 + dice(f->len));
	if (dice(3) != 0 && f->len >= 34 && f->b[12] == 8 && f->b[13] == 0)
		frame_fix_ip4(f);
}

/* remembers the stack's sequence number from what it says */
static void listen_to(void)
{
	const struct frame *f;
	struct frame_info info;

	while ((f = probe_sent(b.probe)) != NULL) {
		const char *wrong = frame_read(f, &info);

		CU_ASSERT_PTR_NULL(wrong);
		if (wrong == NULL && info.proto == IPPROTO_TCP && (info.seg.flags & TCP_ACK))
			our_seq = info.seg.seq + !!(info.seg.flags & TCP_SYN);
		probe_take(b.probe);
	}
}

static void use_sockets(int tcp, int udp, int *open)
{
	static char buf[3000];
	int fd = pc_accept(b.st, tcp, NULL, NULL);

	if (fd > 0 && *open > 0)
		pc_close(b.st, *open);
	if (fd > 0)
		*open = fd;
	while (pc_recv(b.st, udp, buf, sizeof(buf), 0) >= 0)
		;
	if (*open > 0 && dice(3) == 0)
		pc_recv(b.st, *open, buf, 1 + dice(sizeof(buf) - 1), 0);
	if (*open > 0 && dice(3) == 0)
		pc_send(b.st, *open, buf, 1 + dice(sizeof(buf) - 1), 0);
}

/* taken by name: what the counters say was of use, and is in no socket */
static uint64_t used(void)
{
	return box_count(&b, PC_ARP_RX) + box_count(&b, PC_ICMP_ECHO) + box_count(&b, PC_UDP_RX);
}

static void run_random(unsigned s)
{
	int tcp, udp, open = 0;
	uint64_t injected;

	seed = s;
	their_seq = 100000;
	begin();
	tcp = box_serve(&b, SOCK_STREAM, 80);
	udp = box_serve(&b, SOCK_DGRAM, 7);
	injected = box_count(&b, PC_RX_FRAMES);
	for (int i = 0; i < 1500; i++) {
		for (uint32_t n = dice(40); n > 0; n--) {
			struct frame f;

			make_any(&f);
			if (dice(3) == 0)
				mutate(&f);
			probe_inject(b.probe, &f);
			injected++;
		}
		use_sockets(tcp, udp, &open);
		box_turn(&b, dice(50) == 0 ? 1000 : dice(3));
		listen_to();
		if (i % 50 == 0)
			CU_ASSERT_EQUAL_FATAL(pc_stack_validate(b.st, stderr), 0);
	}
	while (probe_pending(b.probe) > 0)
		box_turn(&b, 1);
	/* the rest are TCP segments, each of which was payload for somebody */
	CU_ASSERT(box_count(&b, PC_RX_FRAMES) >= injected);
	CU_ASSERT(taken() >= used());
	CU_ASSERT(taken() - used() <= box_count(&b, PC_TCP_RX_OOO) + box_count(&b, PC_TCP_RX));
	CU_ASSERT(box_count(&b, PC_TCP_OPENED_PASSIVE) > 0);
	box_close(&b);
}

static void test_random(void)
{
	for (unsigned s = 1; s <= 8; s++)
		run_random(s);
}

/* without TCP payload every frame is a drop or has a counter of its own */
static void test_sum(void)
{
	seed = 99;
	begin();
	box_serve(&b, SOCK_DGRAM, 7);
	for (int i = 0; i < 8000; i++) {
		struct frame f;

		make_any(&f);
		if (dice(2))
			mutate(&f);
		probe_inject(b.probe, &f);
		if (i % 16 == 0)
			box_turn(&b, 1);
		forget();
	}
	while (probe_pending(b.probe) > 0)
		box_turn(&b, 1);
	for (int i = 0; i < 4; i++) /* fragments have waited for others */
		box_turn(&b, 31000);
	CU_ASSERT_EQUAL(taken(), used());
	forget();
	box_close(&b);
}

static const struct unit_case cases[] = {
    {"a drop has the name of its cause", test_by_name},
    {"what is taken is no drop", test_taken},
    {"a frame that others hold is copied", test_shared},
    {"no mbuf for the copy", test_shared_no_mbuf},
    {"a ring that fills is emptied in larger bursts", test_bursts},
    {"... of at most 64 frames", test_large_bursts},
    {"received = dropped + used, without TCP payload", test_sum},
    {"random and mutated frames in every state", test_random},
};

int main(void)
{
	return box_program("rx", cases, RTE_DIM(cases));
}
