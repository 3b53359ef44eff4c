/* SPDX-License-Identifier: BSD-2-Clause */

/* What TCP_INFO tells of a connection's past: who has an account, and what is counted there. */

#include "tcp/account.h"

/* before the fixture, whose tcp would be hidden */
#include "tcp/tcp_segment.h"

#include "../unit.h"
#include "fixture.h"

/* each socket has one of its own, and a new one begins at zero */
static void ownership(void)
{
	struct tcb *a, *b;
	uint16_t was;

	start();
	a = conn(0);
	b = conn(0);
	CU_ASSERT_NOT_EQUAL(a->account, 0);
	CU_ASSERT_NOT_EQUAL(a->account, b->account);
	input_data(a, IRS, 10);
	CU_ASSERT_EQUAL(account_of(tcp, a)->bytes_received, 10);
	CU_ASSERT_EQUAL(account_of(tcp, a)->segs_in, 1);
	CU_ASSERT_EQUAL(account_of(tcp, b)->segs_in, 0);
	was = a->account;
	tcp_close(tcp, a);
	turn();
	forget();
	a = conn(0);
	CU_ASSERT_EQUAL(a->account, was);
	CU_ASSERT_EQUAL(account_of(tcp, a)->bytes_received, 0);
	finish();
}

/* who finds none left shares one that nobody reads */
static void none_left(void)
{
	struct tcb *a, *b;

	start();
	tcp->accounts.free = (struct freelist){0};
	a = conn(0);
	b = conn(0);
	CU_ASSERT_EQUAL(a->account, 0);
	CU_ASSERT_EQUAL(b->account, 0);
	input_data(a, IRS, 10);
	CU_ASSERT_EQUAL(read_bytes(a, IRS, 10), 10);
	tcp_close(tcp, a);
	tcp_close(tcp, b);
	CU_ASSERT(freelist_is_empty(&tcp->accounts.free));
	turn();
	forget();
	finish();
}

/* a time belongs to one thing */
static void times(void)
{
	const struct tcp_account *a;
	struct tcb *t;

	start();
	t = conn(0);
	a = account_of(tcp, t);
	account_turn(tcp, t, ACCOUNT_BUSY);
	net.ctx.now_us += 1000;
	account_turn(tcp, t, ACCOUNT_BUSY);
	net.ctx.now_us += 1000;
	account_turn(tcp, t, ACCOUNT_RWND);
	net.ctx.now_us += 500;
	account_turn(tcp, t, ACCOUNT_SNDBUF);
	net.ctx.now_us += 50;
	account_turn(tcp, t, ACCOUNT_IDLE);
	net.ctx.now_us += 7000;
	account_turn(tcp, t, ACCOUNT_BUSY);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], 2000);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_RWND], 500);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_SNDBUF], 50);
	finish();
}

/* what has gone out at once and was acknowledged is busy, too: kept beside what is touched anyway, and carried over
 * when it grows, or when something is counted */
static void busy(void)
{
	struct tcp_account *a;
	struct tcb *t;

	start();
	t = conn(0);
	a = account_of(tcp, t);
	account_all_acked(tcp, t, a, 10, 700);
	account_all_acked(tcp, t, a, 10, 300);
	CU_ASSERT_EQUAL(a->busy_us, 1000);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], 0);
	account_turn(tcp, t, ACCOUNT_BUSY);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], 1000);
	net.ctx.now_us += 50;
	account_turn(tcp, t, ACCOUNT_IDLE);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], 1050);
	CU_ASSERT_EQUAL(a->busy_us, 0);
	account_all_acked(tcp, t, a, 10, ACCOUNT_BUSY_US - 1);
	CU_ASSERT_EQUAL(a->busy_us, ACCOUNT_BUSY_US - 1);
	account_all_acked(tcp, t, a, 10, 1);
	CU_ASSERT_EQUAL(a->busy_us, 0);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], ACCOUNT_BUSY_US + 1050);
	finish();
}

/* the clock of microseconds goes round in 71 minutes, and a sender may be busy for hours */
static void busy_for_hours(void)
{
	const struct tcp_account *a;
	struct tcb *t;

	start();
	t = conn(0);
	a = account_of(tcp, t);
	account_turn(tcp, t, ACCOUNT_BUSY);
	for (unsigned i = 0; i < 18; i++) {
		net.ctx.now_us += 600000000;
		account_turn(tcp, t, ACCOUNT_BUSY);
	}
	account_turn(tcp, t, ACCOUNT_IDLE);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], UINT64_C(10800000000));
	finish();
}

/* what is acknowledged in parts was sent one by one, each alone: the time before nothing was under way counts for nothing */
static void one_by_one(void)
{
	const struct tcp_account *a;
	struct tcb *t, *other;

	start();
	t = conn(0);
	other = conn(0);
	t->flags |= TCB_NODELAY;
	a = account_of(tcp, t);
	write_bytes(t, 100);
	turn();
	ctx_set_time(&net.ctx, net.ctx.now_ns + 10000000);
	input_ack(t, ISS + 100);
	CU_ASSERT_EQUAL(t->srtt_us, 10000);
	ctx_set_time(&net.ctx, net.ctx.now_ns + UINT64_C(3600000000000));
	for (unsigned i = 0; i < 2; i++) {
		write_bytes(t, 100);
		(void)tcp_send_ack(tcp, other); /* the next hop is in use: the short way */
		turn();
		ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	}
	input_ack(t, ISS + 200);
	CU_ASSERT_EQUAL(a->rate_bytes, 100);
	CU_ASSERT_EQUAL(a->rate_us, 10000);
	ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	input_ack(t, ISS + 300);
	CU_ASSERT_EQUAL(a->spent_us[ACCOUNT_BUSY], 10000 + 15000);
	forget();
	finish();
}

/* as on Linux: less counts only when the application is not the limit */
static void rates(void)
{
	struct tcp_account a = {.chrono = ACCOUNT_IDLE};

	account_rate(&a, 1000, 0, false);
	CU_ASSERT_EQUAL(a.rate_us, 0);
	account_rate(&a, 1000, 10, true);
	CU_ASSERT_EQUAL(a.rate_bytes, 1000);
	account_rate(&a, 1000, 20, true);
	CU_ASSERT_EQUAL(a.rate_us, 10);
	account_rate(&a, 1000, 20, false);
	CU_ASSERT_EQUAL(a.rate_us, 20);
	CU_ASSERT_FALSE(a.rate_limited);
	account_rate(&a, UINT32_MAX, 40, true); /* 64 bits */
	CU_ASSERT_EQUAL(a.rate_bytes, UINT32_MAX);
	CU_ASSERT(a.rate_limited);
}

/* the most that one segment was late by, and how often that was */
static void late(void)
{
	const struct tcp_account *a;
	struct tcb *t, *b;

	start();
	t = conn(0);
	a = account_of(tcp, t);
	account_late(tcp, t, 3);
	CU_ASSERT_EQUAL(a->reordering, 3);
	CU_ASSERT_EQUAL(a->reord_seen, 1);
	account_late(tcp, t, 2);
	CU_ASSERT_EQUAL(a->reordering, 3);
	CU_ASSERT_EQUAL(a->reord_seen, 2);
	account_late(tcp, t, 200);
	CU_ASSERT_EQUAL(a->reordering, 200);
	account_of(tcp, t)->reord_seen = UINT16_MAX;
	account_late(tcp, t, 1);
	CU_ASSERT_EQUAL(a->reord_seen, UINT16_MAX);
	tcp->accounts.free =
	    (struct freelist){0}; /* who has none leaves nothing behind for others */
	b = conn(0);
	account_late(tcp, b, 7);
	CU_ASSERT_EQUAL(account_of(tcp, b)->reordering, 0);
	CU_ASSERT_EQUAL(account_of(tcp, b)->reord_seen, 0);
	finish();
}

static void footprint(void)
{
	CU_ASSERT_EQUAL(accounts_footprint(10), 11 * sizeof(struct tcp_account));
	CU_ASSERT_EQUAL(accounts_footprint(10000000), 65536 * sizeof(struct tcp_account));
}

static const struct unit_case cases[] = {
    {"each has its own", ownership},
    {"none left", none_left},
    {"times", times},
    {"the rate of delivery", rates},
    {"late segments", late},
    {"footprint", footprint},
    {"what is busy at once", busy},
    {"busy for hours", busy_for_hours},
    {"sent one by one", one_by_one},
};

TCP_UNIT_MAIN("account")
