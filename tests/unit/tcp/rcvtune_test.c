/* SPDX-License-Identifier: BSD-2-Clause */

/* The receive window that grows with what is read in a round trip. */

#include "tcp/rcvtune.h"

#include "../unit.h"
#include "fixture.h"

#define RTT_MS 40u

static struct tcb *t;
static struct tcp_queues *q;
static uint32_t now_us, now_ms;

/* a connection with these options, from which bulk data comes; its buffer is of 20,000 bytes */
static void begin(uint8_t opt)
{
	start();
	t = conn(opt);
	t->rcv_mss = 1000;
	t->rcv_max = 20000;
	t->srtt_us = RTT_MS * 1000;
	q = tcb_attach_queues(tcp, t);
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	now_us = net.ctx.now_us;
	now_ms = net.ctx.now_ms;
}

static void at(uint32_t us)
{
	net.ctx.now_us = now_us + us;
	net.ctx.now_ms = now_ms + us / 1000;
}

/* a segment that echoes what was sent so long ago */
static void bulk(uint32_t ago_ms)
{
	const struct tcp_seg seg = {.has = TCP_HAS_TS,
	                            .tsecr = tcp_tsval(tcp, t->ts_offset) - ago_ms};

	rcvtune_bulk(tcp, t, q, &seg);
}

/* so much has come, and was read at once */
static void take(uint32_t bytes)
{
	t->rcv_nxt += bytes;
	rcvtune_read(tcp, t, q);
}

static void done(void)
{
	t->rcv_nxt = IRS;
	t->rcv_bytes = 0;
	q->keep = false;
	tcb_detach_queues(tcp, t);
	finish();
}

/* nothing is measured before data comes in bulk, nor what was read by then */
static void not_before_bulk(void)
{
	begin(0);
	at(50000);
	take(60000);
	CU_ASSERT_EQUAL(t->rcv_max, 20000);
	CU_ASSERT_FALSE(q->tuned);
	bulk(0);
	CU_ASSERT(q->tuned);
	CU_ASSERT(q->keep);
	CU_ASSERT_EQUAL(q->tune.seq, IRS + 60000);
	CU_ASSERT_EQUAL(q->tune.space, 10000);
	done();
	begin(0);
	t->flags |= TCB_RCVBUF_SET;
	bulk(0);
	CU_ASSERT_FALSE(q->tuned);
	done();
}

/* what waits to be read has not been read */
static void unread(void)
{
	begin(0);
	t->rcv_nxt += 5000;
	t->rcv_bytes = 5000;
	bulk(0);
	CU_ASSERT_EQUAL(q->tune.seq, IRS);
	t->rcv_nxt += 25000;
	t->rcv_bytes = 18000; /* 12,000 were read */
	at(RTT_MS * 1000);
	rcvtune_read(tcp, t, q);
	CU_ASSERT_EQUAL(q->tune.space, 12000);
	CU_ASSERT_EQUAL(q->tune.seq, IRS + 12000);
	done();
}

/* twice what was read, a few segments, and twice what that is more than before; once in a round trip */
static void grows(void)
{
	begin(0);
	bulk(0);
	at(RTT_MS * 1000 - 1);
	take(15000);
	CU_ASSERT_EQUAL(t->rcv_max, 20000);
	at(RTT_MS * 1000);
	take(0);
	CU_ASSERT_EQUAL(t->rcv_max, 2 * 15000 + 16 * 1000 + 2 * 5000);
	CU_ASSERT_EQUAL(q->tune.space, 15000);
	CU_ASSERT_EQUAL(q->tune.start_us, now_us + RTT_MS * 1000);
	at(2 * RTT_MS * 1000);
	take(14000); /* less than before changes nothing */
	CU_ASSERT_EQUAL(t->rcv_max, 56000);
	CU_ASSERT_EQUAL(q->tune.space, 15000);
	at(3 * RTT_MS * 1000);
	take(16000); /* it never falls: 50,000 would do */
	CU_ASSERT_EQUAL(t->rcv_max, 56000);
	done();
}

static void ceiling(void)
{
	begin(0);
	bulk(0);
	at(RTT_MS * 1000);
	take(2000000000);
	CU_ASSERT_EQUAL(t->rcv_max, net.ctx.cfg.tcp_rcvbuf_max);
	done();
	begin(0);
	bulk(0);
	net.ctx.mbufs_low =
	    true; /* what is measured then is remembered, nothing is promised for it */
	at(RTT_MS * 1000);
	take(30000);
	CU_ASSERT_EQUAL(t->rcv_max, 20000);
	CU_ASSERT_EQUAL(q->tune.space, 30000);
	net.ctx.mbufs_low = false;
	done();
}

/* SO_RCVBUF set meanwhile: it stays what it is */
static void set_meanwhile(void)
{
	begin(0);
	bulk(0);
	t->flags |= TCB_RCVBUF_SET;
	at(RTT_MS * 1000);
	take(30000);
	CU_ASSERT_EQUAL(t->rcv_max, 20000);
	done();
}

/* with timestamps: it falls at once and rises by eighths, an echo counts once, an absurd one not at all */
static void by_timestamps(void)
{
	begin(TCB_OPT_TS);
	bulk(0);
	at(1000000);
	bulk(30);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 30000);
	at(1010000);
	bulk(40); /* the same echo */
	CU_ASSERT_EQUAL(q->tune.rtt_us, 30000);
	bulk(20);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 20000);
	bulk(60);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 25000);
	bulk(120001);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 25000);
	bulk(120000);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 25000 + (120000000 - 25000) / 8);
	done();
	begin(TCB_OPT_TS);
	bulk(0);
	at(5000);
	bulk(30);
	take(40000); /* a window in no time says nothing here */
	CU_ASSERT_EQUAL(q->tune.rtt_us, 30000);
	done();
}

/* without: more than a window came, so a round trip is no longer than that took */
static void by_windows(void)
{
	begin(0);
	bulk(30);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 0);
	at(9000);
	take(20000);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 0);
	at(10000);
	take(1);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 10000);
	CU_ASSERT_EQUAL(q->tune.seq, IRS + 20001); /* and the round is over */
	t->rcv_max = 20000;
	at(10000 + 12000);
	take(20001); /* longer: the shorter one stays */
	CU_ASSERT_EQUAL(q->tune.rtt_us, 10000);
	t->rcv_max = 20000;
	at(10000 + 12000 + 8000);
	take(20001);
	CU_ASSERT_EQUAL(q->tune.rtt_us, 8000);
	done();
}

/* who knows no round trip is measured over a tenth of a second */
static void unknown_round(void)
{
	begin(0);
	t->srtt_us = 0;
	bulk(0);
	at(99999);
	take(15000);
	CU_ASSERT_EQUAL(q->tune.space, 10000);
	at(100000);
	take(0);
	CU_ASSERT_EQUAL(q->tune.space, 15000);
	done();
}

static const struct unit_case cases[] = {
    {"not before data comes in bulk", not_before_bulk},
    {"what waits to be read", unread},
    {"twice of what is read", grows},
    {"up to tcp.rcvbuf_max, and not while mbufs are low", ceiling},
    {"SO_RCVBUF", set_meanwhile},
    {"RFC 7323 4.1: round trips by timestamps", by_timestamps},
    {"round trips by windows", by_windows},
    {"no round trip is known", unknown_round},
};

TCP_UNIT_MAIN("rcvtune")
