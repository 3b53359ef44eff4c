/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens when time passes: one place in the wheel, three deadlines, and when to give up. */

#include "tcp/tcp_timer.h"

#include <errno.h>

#include "../unit.h"
#include "fixture.h"

/* a later deadline does not touch the wheel, an earlier one does */
static void test_lazy(void)
{
	struct tcb *t;
	uint32_t at;

	start();
	t = conn(0);
	tcp_timer_set(tcp, t, TCB_T_LIFE, 1000);
	at = t->timer.expiry;
	tcp_timer_set(tcp, t, TCB_T_LIFE, 2000);
	CU_ASSERT_EQUAL(t->timer.expiry, at);
	tcp_timer_set(tcp, t, TCB_T_ACK, 500);
	CU_ASSERT_EQUAL(t->timer.expiry, at - 500);
	CU_ASSERT_EQUAL(tcp->wheel.armed, 1);
	t->timers = 0;
	pass(100);
	CU_ASSERT_EQUAL(tcp->wheel.armed, 0); /* it fires once, finds nothing due, and rests */
	CU_ASSERT(silent());
	finish();
}

/* defect 3 of the list; (5.5) and (5.6): 1, 2, 4 s ... and after `retries` the connection ends */
static void test_retransmit(void)
{
	uint64_t wait = 1000;
	struct tcb *t;

	prepare();
	net.ctx.cfg.tcp_retries = 4;
	start_with();
	t = conn(0);
	write_bytes(t, 100);
	turn();
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS, IRS, 100));
	for (int i = 0; i < 4; i++, wait *= 2) {
		pass(wait - 5);
		CU_ASSERT(silent());
		pass(6);
		CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS, IRS, 100));
	}
	CU_ASSERT_EQUAL(count(PC_TCP_TIMEOUTS), 4);
	pass(wait + 10);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp_take_error(t), ETIMEDOUT);
	CU_ASSERT(told(t));
	CU_ASSERT_EQUAL(count(PC_TCP_ABORTED), 1);
	finish();
}

/* RFC 9293 3.8.4: probes after the idle time, and the end when none is answered */
static void test_keepalive(void)
{
	struct tcp_tuning want = {.keepidle_ms = 10000, .keepintvl_ms = 1000, .keepcnt = 3};
	struct tcb *t;

	start();
	t = conn(0);
	t->flags |= TCB_KEEPALIVE;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t, &want), 0);
	tcp_keepalive_start(tcp, t);
	pass(9000);
	input_data(t, IRS, 5); /* it speaks: the idle time begins anew */
	pass(9900);
	forget();
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 0);
	pass(200);
	CU_ASSERT(sent(TCP_ACK, ISS - 1, IRS + 5, 0));
	input_ack(t, ISS);
	CU_ASSERT_EQUAL(t->probes, 0);
	pass(10100);
	CU_ASSERT(sent(TCP_ACK, ISS - 1, IRS + 5, 0));
	for (int i = 0; i < 2; i++) {
		pass(1010);
		CU_ASSERT(sent(TCP_ACK, ISS - 1, IRS + 5, 0));
	}
	pass(1010);
	CU_ASSERT(next_segment() && (got.seg.flags & TCP_RST));
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp_take_error(t), ETIMEDOUT);
	finish();
}

/* many that are due at once: each has its turn within the next two milliseconds, and a second probe needs no other */
static void test_keepalives_at_once(void)
{
	start();
	for (unsigned i = 0; i < 60; i++) {
		struct tcb *t = conn(0);

		t->flags |= TCB_KEEPALIVE;
		tcp_keepalive_start(tcp, t);
	}
	ctx_set_time(&net.ctx, net.ctx.now_ns + 7200100 * UINT64_C(1000000));
	tcp_poll(tcp);
	turn();
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 2);
	pass(1);
	CU_ASSERT(count(PC_TCP_KEEPALIVES) >= 30 && count(PC_TCP_KEEPALIVES) <= 36);
	pass(1);
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 60);
	pass(10);
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 60);
	pass(75010);
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 120);
	forget();
	finish();
}

/* what comes while one waits for its turn makes it begin anew */
static void test_keepalive_not_needed(void)
{
	struct tcb *t[4];

	start();
	for (unsigned i = 0; i < 4; i++) {
		t[i] = conn(0);
		t[i]->flags |= TCB_KEEPALIVE;
		tcp_keepalive_start(tcp, t[i]);
	}
	ctx_set_time(&net.ctx, net.ctx.now_ns + 7200100 * UINT64_C(1000000));
	tcp_poll(tcp);
	turn();
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 2);
	for (unsigned i = 0; i < 4; i++)
		t[i]->rcv_tick = net.ctx.tick;
	pass(10);
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 2);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(t[i]->timers & TCB_T_TURN, 0);
	forget();
	finish();
}

/* ticks go round in 78 hours: the last keep-alive of two days ago has no place ahead */
static void test_keepalive_after_days(void)
{
	struct tcb *t;

	start();
	for (unsigned i = 0; i < 5; i++) {
		ctx_set_time(&net.ctx, net.ctx.now_ns + 10 * 3600 * UINT64_C(1000000000));
		tcp_poll(tcp);
	}
	t = conn(0);
	t->flags |= TCB_KEEPALIVE;
	tcp_keepalive_start(tcp, t);
	ctx_set_time(&net.ctx, net.ctx.now_ns + 7200100 * UINT64_C(1000000));
	tcp_poll(tcp);
	turn();
	CU_ASSERT_EQUAL(count(PC_TCP_KEEPALIVES), 1);
	forget();
	finish();
}

/* 3.8.6.1: a closed window is probed with one byte, at growing distances, and for ever if answered */
static void test_probe(void)
{
	struct tcb *t;

	prepare();
	net.ctx.cfg.tcp_retries = 3;
	start_with();
	t = conn(0);
	t->snd_wnd = 0;
	write_bytes(t, 100);
	turn();
	CU_ASSERT(silent());
	for (int i = 0; i < 6; i++) {
		pass(1 + (1000u << i));
		CU_ASSERT(next_segment() && got.seg.seq == ISS && got.payload_len == 1);
		input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS, .wnd = 0));
		CU_ASSERT(clean());
		forget();
	}
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS, .wnd = 5000));
	turn();
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS, IRS, 100));
	CU_ASSERT(clean());
	finish();
}

/* an orphan in FIN-WAIT-2 does not wait for ever */
static void test_fin_wait_2(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	tcp_close(tcp, t);
	turn();
	input_ack(t, ISS + 1);
	CU_ASSERT_EQUAL(t->state, TCP_S_FIN_WAIT_2);
	pass(59900);
	CU_ASSERT_EQUAL(t->state, TCP_S_FIN_WAIT_2);
	pass(200);
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	CU_ASSERT_EQUAL(tcp->tcbs_used, 0);
	forget();
	finish();
}

static struct tcb *conn_with_user_timeout(uint32_t ms)
{
	struct tcb *t = conn(0);
	struct tcp_tuning want = *tcp_tuning(tcp, t);

	want.user_timeout_ms = ms;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t, &want), 0);
	write_bytes(t, 100);
	turn();
	return t;
}

/* RFC 5482: the user's own limit */
static void test_user_timeout(void)
{
	struct tcb *t;

	start();
	t = conn_with_user_timeout(2500);
	pass(2400);
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	pass(5000);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp_take_error(t), ETIMEDOUT);
	forget();
	finish();
}

/* one of more ticks than there are is no short one */
static void test_user_timeout_of_days(void)
{
	struct tcb *t;

	start();
	t = conn_with_user_timeout(281475000); /* 2^32 ticks, and 23 ms */
	pass(5000);
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	CU_ASSERT_EQUAL(t->retries, 2);
	forget();
	finish();
}

static const struct unit_case cases[] = {
    {"one place in the wheel", test_lazy},
    {"retransmission, back-off, the end", test_retransmit},
    {"keep-alive", test_keepalive},
    {"keep-alives at once", test_keepalives_at_once},
    {"a keep-alive that is not needed", test_keepalive_not_needed},
    {"a keep-alive after days", test_keepalive_after_days},
    {"a closed window", test_probe},
    {"FIN-WAIT-2 of an orphan", test_fin_wait_2},
    {"the user time-out", test_user_timeout},
    {"a user time-out of days", test_user_timeout_of_days},
};

TCP_UNIT_MAIN("tcp_timer")
