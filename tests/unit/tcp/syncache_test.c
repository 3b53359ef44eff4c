/* SPDX-License-Identifier: BSD-2-Clause */
/* The SYN cache: order and repetition, eviction, backlog, and what completes a handshake. */

#include "tcp/syncache.h"

#include <rte_common.h>

#include "../unit.h"
#include "fixture.h"

#define W .wnd = 65535

static void begin(void)
{
	prepare();
	net.ctx.cfg.tcp_syn_cookies = SYN_COOKIES_OFF;
	start_with();
}

static uint32_t syn(uint16_t pport)
{
	CU_ASSERT_EQUAL(receive(pport, LPORT, SEG(.flags = TCP_SYN, .seq = IRS - 1, W)),
	                PC_DROP_TCP_SYN_HANDLED);
	CU_ASSERT(next_segment() && got.seg.flags == (TCP_SYN | TCP_ACK) && got.seg.ack == IRS &&
	          got.seg.dport == pport);
	return got.seg.seq;
}

static int complete(uint16_t pport, uint32_t iss)
{
	return receive(pport, LPORT, SEG(.flags = TCP_ACK, .seq = IRS, .ack = iss + 1, W));
}

/* RFC 6298 (5.5): after 1, 2, 4, 8 and 16 s again, then forgotten */
static void test_retries(void)
{
	static const uint32_t waits_ms[] = {1000, 2000, 4000, 8000, 16000};
	uint32_t iss, tick;

	begin();
	listener(LPORT, 5);
	CU_ASSERT_FALSE(syncache_next(&tcp->syn, &tick));
	iss = syn(9);
	for (size_t i = 0; i < RTE_DIM(waits_ms); i++) {
		CU_ASSERT(syncache_next(&tcp->syn, &tick));
		CU_ASSERT(tick - net.ctx.tick <= ticks_from_ms(waits_ms[i]));
		pass(waits_ms[i] - 10);
		CU_ASSERT(silent());
		pass(11);
		CU_ASSERT(sent(TCP_SYN | TCP_ACK, iss, IRS, 0));
		CU_ASSERT(clean());
	}
	pass(31990);
	CU_ASSERT_EQUAL(tcp->syn.used, 1);
	pass(50);
	CU_ASSERT_EQUAL(tcp->syn.used, 0);
	CU_ASSERT_EQUAL(tcp->table.count, 0);
	CU_ASSERT(silent());
	finish();
}

/* a full cache gives up the oldest of those that were asked most often */
static void test_eviction(void)
{
	begin();
	listener(LPORT, 100);
	for (uint16_t i = 0; i < 4; i++)
		syn((uint16_t)(100 + i));
	pass(1010); /* these four have been asked again */
	forget();
	for (uint16_t i = 0; i < 12; i++)
		syn((uint16_t)(200 + i));
	CU_ASSERT_EQUAL(tcp->syn.used, 16);
	for (uint16_t i = 0; i < 5; i++)
		syn((uint16_t)(300 + i));
	CU_ASSERT_EQUAL(tcp->syn.used, 16);
	CU_ASSERT_EQUAL(count(PC_TCP_SYN_EVICTED), 5);
	CU_ASSERT_EQUAL(complete(100, 1), PC_DROP_TCP_CLOSED); /* gone: the four, and one of 200 */
	CU_ASSERT_EQUAL(complete(103, 1), PC_DROP_TCP_CLOSED);
	CU_ASSERT_EQUAL(complete(200, 1), PC_DROP_TCP_CLOSED);
	CU_ASSERT_EQUAL(complete(201, 1), PC_DROP_TCP_SYN_RCVD);
	CU_ASSERT(clean());
	forget();
	finish();
}

/* a full accept queue: SYNs are not answered, the completing ACK is dropped and the entry stays */
static void test_backlog(void)
{
	struct tcb *l;
	uint32_t a, b, c;

	begin();
	l = listener(LPORT, 1);
	a = syn(1);
	b = syn(2);
	c = syn(3);
	CU_ASSERT_EQUAL(complete(1, a), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(complete(2, b), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(complete(3, c), PC_DROP_TCP_BACKLOG);
	CU_ASSERT_EQUAL(receive(4, LPORT, SEG(.flags = TCP_SYN, W)), PC_DROP_TCP_BACKLOG);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(tcp->syn.used, 1);
	CU_ASSERT_EQUAL(tcp_accept(tcp, l)->flow.rport, 1); /* the oldest first */
	CU_ASSERT_EQUAL(complete(3, c), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(tcp_accept(tcp, l)->flow.rport, 2);
	CU_ASSERT_EQUAL(tcp_accept(tcp, l)->flow.rport, 3);
	CU_ASSERT_PTR_NULL(tcp_accept(tcp, l));
	finish();
}

/* defect 9 of the list: no stray segment harms a half-open connection */
static void test_strays(void)
{
	struct tcb *l;
	uint32_t iss;

	begin();
	l = listener(LPORT, 5);
	iss = syn(9);
	CU_ASSERT_EQUAL(complete(9, iss + 7), PC_DROP_TCP_SYN_RCVD);
	CU_ASSERT(sent(TCP_RST, iss + 8, 0, 0));
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_RST, .seq = IRS + 5)),
	                PC_DROP_TCP_SYN_RCVD);
	CU_ASSERT(sent(TCP_ACK, iss + 1, IRS, 0)); /* RFC 5961 3.2 */
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_RST, .seq = IRS - 1)),
	                PC_DROP_TCP_SYN_RCVD);
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_PSH, .seq = IRS, W)),
	                PC_DROP_TCP_NO_ACK);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(syn(9), iss); /* our answer was lost */
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_SYN, .seq = IRS + 99, W)),
	                PC_DROP_TCP_SYN_RCVD);
	CU_ASSERT(sent(TCP_ACK, iss + 1, IRS, 0)); /* RFC 5961 4.2 */
	CU_ASSERT_EQUAL(tcp->syn.used, 1);
	CU_ASSERT_EQUAL(complete(9, iss), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT(told(l));
	iss = syn(10);
	CU_ASSERT_EQUAL(receive(10, LPORT, SEG(.flags = TCP_RST, .seq = IRS)), PC_DROP_TCP_RST);
	CU_ASSERT_EQUAL(tcp->syn.used, 0);
	finish();
}

/* the completing ACK may carry data, and FIN */
static void test_data(void)
{
	struct tcb *l, *t;
	uint32_t iss;

	begin();
	l = listener(LPORT, 5);
	iss = syn(9);
	CU_ASSERT_EQUAL(
	    receive(9, LPORT,
	            SEG(.flags = TCP_ACK | TCP_FIN, .seq = IRS, .ack = iss + 1, .len = 10, W)),
	    VERDICT_DONE);
	t = tcp_accept(tcp, l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSE_WAIT);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 10);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 0);
	finish();
}

/* Karn (RFC 6298 section 3): a SYN that came again was answered again, and which of the answers has arrived nobody knows */
static void test_round_trip(void)
{
	struct tcb *l, *t;
	uint32_t iss;

	begin();
	l = listener(LPORT, 5);
	iss = syn(9);
	pass(30);
	complete(9, iss);
	t = tcp_accept(tcp, l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(t->srtt_us, 30000);
	iss = syn(10);
	pass(500);
	CU_ASSERT_EQUAL(syn(10), iss);
	pass(30);
	complete(10, iss);
	t = tcp_accept(tcp, l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(t->srtt_us, 0);
	CU_ASSERT_EQUAL(t->rto_us, 1000000);
	finish();
}

static void test_negotiation(void)
{
	struct tcb *l, *t;

	begin();
	l = listener(LPORT, 5);
	receive(9, LPORT,
	        SEG(.flags = TCP_SYN, .seq = IRS - 1, W, .mss = 1000, .wscale = 3, .tsval = 77,
	            .has = TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACKOK));
	CU_ASSERT(next_segment());
	CU_ASSERT_EQUAL(got.seg.has, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACKOK);
	CU_ASSERT_EQUAL(got.seg.tsecr, 77);
	receive(9, LPORT,
	        SEG(.flags = TCP_ACK, .seq = IRS, .ack = got.seg.seq + 1, W, .has = TCP_HAS_TS,
	            .tsval = 78, .tsecr = got.seg.tsval));
	t = tcp_accept(tcp, l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(t->opt, TCB_OPT_TS | TCB_OPT_SACK | TCB_OPT_WSCALE);
	CU_ASSERT_EQUAL(t->mss, 1000 - 12);
	CU_ASSERT_EQUAL(t->snd_wscale, 3);
	CU_ASSERT_EQUAL(t->snd_wnd, 65535u << 3); /* of the ACK: scaled */
	syn(10);
	CU_ASSERT_EQUAL(got.seg.has, TCP_HAS_MSS); /* only what was offered */
	finish();
}

/* a listener that is closed takes its half-open connections and those not accepted with it */
static void test_close(void)
{
	struct tcb *l, *other;
	uint32_t iss;

	begin();
	l = listener(LPORT, 5);
	other = listener(81, 5);
	receive(50, 81, SEG(.flags = TCP_SYN, .seq = IRS - 1, W));
	forget();
	for (uint16_t i = 1; i < 6; i++)
		syn(i);
	pass(1010);
	forget();
	iss = syn(7);
	complete(7, iss);
	CU_ASSERT_EQUAL(tcp->syn.used, 6);
	tcp_close(tcp, l);
	CU_ASSERT(next_segment() && (got.seg.flags & TCP_RST) && got.seg.dport == 7);
	CU_ASSERT_EQUAL(tcp->syn.used, 1);
	CU_ASSERT_EQUAL(tcp->bind.binding[other->binding].half_open, 1);
	CU_ASSERT(clean());
	finish();
}

static void test_no_tcb(void)
{
	uint32_t iss;

	begin();
	listener(LPORT, 5);
	while (tcp_socket(tcp) != NULL)
		;
	iss = syn(9);
	CU_ASSERT_EQUAL(complete(9, iss), PC_DROP_TCP_NO_TCB);
	CU_ASSERT_EQUAL(tcp->syn.used, 1); /* it may try again */
	tcp_close(tcp, tcp_tcb(tcp, 5));
	CU_ASSERT_EQUAL(complete(9, iss), PC_DROP_TCP_ACK_DONE);
	finish();
}

static const struct unit_case cases[] = {
    {"SYN-ACKs are repeated, then forgotten", test_retries},
    {"a full cache", test_eviction},
    {"a full accept queue", test_backlog},
    {"stray segments", test_strays},
    {"data with the completing ACK", test_data},
    {"RFC 6298 section 3: a SYN that came again", test_round_trip},
    {"what is negotiated", test_negotiation},
    {"the listener is closed", test_close},
    {"no TCB left", test_no_tcb},
};

TCP_UNIT_MAIN("syncache")
