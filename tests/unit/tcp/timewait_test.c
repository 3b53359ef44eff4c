/* SPDX-License-Identifier: BSD-2-Clause */
/* TIME-WAIT: who waits, for how long, and who may begin anew. */

#include "tcp/timewait.h"

#include "../unit.h"
#include "fixture.h"

#define W .wnd = 65535

static uint16_t pport;

/* a connection that we closed first, in TIME-WAIT; its segments are ISS + 1 and IRS + 1 from now on */
static void wait_one(uint8_t opt)
{
	struct tcb *t = conn(opt);

	pport = t->flow.rport;
	t->ts_recent = 1000;
	tcp_close(tcp, t);
	turn();
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS + 1, W,
	             .has = opt & TCB_OPT_TS ? TCP_HAS_TS : 0, .tsval = 1000));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	forget();
}

static void test_life(void)
{
	uint32_t tick;

	start();
	CU_ASSERT_FALSE(timewait_next(&tcp->tw, &tick));
	wait_one(0);
	CU_ASSERT_EQUAL(tcp->tw.used, 1);
	CU_ASSERT_EQUAL(tcp->tcbs_used, 0); /* no TCB is kept */
	CU_ASSERT(timewait_next(&tcp->tw, &tick));
	CU_ASSERT_EQUAL(tick - net.ctx.tick, ticks_from_ms(60000));
	pass(59990);
	CU_ASSERT_EQUAL(tcp->tw.used, 1);
	pass(20);
	CU_ASSERT_EQUAL(tcp->tw.used, 0);
	CU_ASSERT_FALSE(timewait_next(&tcp->tw, &tick));
	CU_ASSERT_EQUAL(tcp->table.count, 0);
	finish();
}

/* 3.6.1: a FIN that comes again is acknowledged and starts 2 MSL anew, also out of the order of ends */
static void test_prolonged(void)
{
	uint16_t first;

	start();
	wait_one(0);
	first = pport;
	pass(10000);
	wait_one(0);
	pass(30000);
	CU_ASSERT_EQUAL(
	    receive(first, LPORT, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS + 1, W)),
	    PC_DROP_TCP_TIME_WAIT);
	CU_ASSERT(sent(TCP_ACK, ISS + 1, IRS + 1, 0));
	pass(29990);
	CU_ASSERT_EQUAL(tcp->tw.used, 2);
	pass(30);
	CU_ASSERT_EQUAL(tcp->tw.used, 1); /* the second, which is older now, has gone */
	CU_ASSERT(clean());
	pass(29900);
	CU_ASSERT_EQUAL(tcp->tw.used, 1);
	pass(150);
	CU_ASSERT_EQUAL(tcp->tw.used, 0);
	finish();
}

/* RFC 1337: neither RST nor old data end it; a mere ACK that fits is no reason to answer */
static void test_segments(void)
{
	start();
	wait_one(0);
	CU_ASSERT_EQUAL(receive(pport, LPORT, SEG(.flags = TCP_RST, .seq = IRS + 1)),
	                PC_DROP_TCP_TIME_WAIT);
	CU_ASSERT_EQUAL(
	    receive(pport, LPORT, SEG(.flags = TCP_ACK, .seq = IRS + 1, .ack = ISS + 1, W)),
	    PC_DROP_TCP_TIME_WAIT);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(
	    receive(pport, LPORT, SEG(.flags = TCP_ACK, .seq = IRS - 9, .ack = ISS, .len = 9, W)),
	    PC_DROP_TCP_TIME_WAIT);
	CU_ASSERT(sent(TCP_ACK, ISS + 1, IRS + 1, 0));
	CU_ASSERT_EQUAL(tcp->tw.used, 1);
	finish();
}

/* RFC 6191 and RFC 9293 MAY-2: a new incarnation, if it is sure to be one */
static void test_reopen(void)
{
	uint32_t iss;

	start();
	listener(LPORT, 5);
	wait_one(0);
	receive(pport, LPORT, SEG(.flags = TCP_SYN, .seq = IRS, W)); /* not beyond the old one */
	CU_ASSERT(sent(TCP_ACK, ISS + 1, IRS + 1, 0));
	CU_ASSERT_EQUAL(tcp->syn.used, 0);
	receive(pport, LPORT, SEG(.flags = TCP_SYN, .seq = IRS + 1000, W));
	CU_ASSERT(next_segment() && got.seg.flags == (TCP_SYN | TCP_ACK));
	iss = got.seg.seq;
	CU_ASSERT((int32_t)(iss - (ISS + 1)) > 0); /* our numbers have moved on, too */
	CU_ASSERT_EQUAL(tcp->tw.used, 0);
	CU_ASSERT_EQUAL(tcp->syn.used, 1);
	CU_ASSERT(clean());
	receive(pport, LPORT, SEG(.flags = TCP_RST, .seq = IRS + 1001));
	finish();
}

static void test_reopen_timestamps(void)
{
	start();
	listener(LPORT, 5);
	wait_one(TCB_OPT_TS);
	receive(pport, LPORT,
	        SEG(.flags = TCP_SYN, .seq = IRS + 1000, W, .has = TCP_HAS_TS, .tsval = 999));
	CU_ASSERT(next_segment() && got.seg.flags == TCP_ACK);
	CU_ASSERT_EQUAL(tcp->tw.used, 1);
	receive(pport, LPORT, /* later, though the sequence number is older */
	        SEG(.flags = TCP_SYN, .seq = IRS - 1000, W, .has = TCP_HAS_TS, .tsval = 1001));
	CU_ASSERT(next_segment() && got.seg.flags == (TCP_SYN | TCP_ACK));
	CU_ASSERT_EQUAL(tcp->tw.used, 0);
	finish();
}

/* a full table gives up its oldest */
static void test_eviction(void)
{
	uint16_t oldest;

	start();
	wait_one(0);
	oldest = pport;
	for (int i = 0; i < 16; i++)
		wait_one(0);
	CU_ASSERT_EQUAL(tcp->tw.used, 16);
	CU_ASSERT_EQUAL(count(PC_TCP_TIME_WAIT_EVICTED), 1);
	CU_ASSERT_EQUAL(receive(oldest, LPORT, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS)),
	                PC_DROP_TCP_CLOSED);
	CU_ASSERT_EQUAL(receive(pport, LPORT, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS)),
	                PC_DROP_TCP_TIME_WAIT);
	CU_ASSERT(clean());
	finish();
}

/* one that ends early leaves the flow table at once, and the queue when its turn comes */
static void test_remove(void)
{
	start();
	for (int i = 0; i < 3; i++)
		wait_one(0);
	timewait_remove(tcp, tcp->tw.entry[tcp->tw.head].next);
	CU_ASSERT_EQUAL(tcp->tw.used, 2);
	CU_ASSERT_EQUAL(tcp->table.count, 2);
	CU_ASSERT(clean());
	for (int i = 0; i < 40; i++) /* the table goes round, through what has ended early */
		wait_one(0);
	CU_ASSERT_EQUAL(tcp->tw.used, 16);
	/* of 27: not the one that had ended */
	CU_ASSERT_EQUAL(count(PC_TCP_TIME_WAIT_EVICTED), 26);
	timewait_remove(tcp, tcp->tw.head);
	timewait_remove(tcp, tcp->tw.tail);
	pass(1);
	CU_ASSERT_EQUAL(tcp->tw.used, 14);
	CU_ASSERT(clean());
	pass(60100);
	CU_ASSERT_EQUAL(tcp->tw.used, 0);
	CU_ASSERT_EQUAL(tcp->tw.head, 0);
	finish();
}

static const struct unit_case cases[] = {
    {"2 MSL", test_life},
    {"a FIN starts it anew", test_prolonged},
    {"segments of the old connection", test_segments},
    {"a SYN that begins anew", test_reopen},
    {"a SYN that begins anew, by timestamps", test_reopen_timestamps},
    {"a full table", test_eviction},
    {"one that ends early", test_remove},
};

TCP_UNIT_MAIN("timewait")
