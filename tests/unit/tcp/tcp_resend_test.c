/* SPDX-License-Identifier: BSD-2-Clause */

/* Sending again what is lost: what may go, in what order, and in what size. */

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp_loss.h"

#define NARROW 536u

static struct tcb *t;
static struct tcp_queues *q;

/* n full segments are under way and deemed lost, and small bytes wait behind them */
static void begin(uint32_t n, uint32_t small)
{
	prepare();
	net.ctx.cfg.tcp_rack = 0;
	net.ctx.cfg.tcp_frto = 0;
	start_with();
	t = conn(0);
	t->flags |= TCB_NODELAY;
	t->cwnd = n * MSS;
	t->t_loss = net.ctx.tick + 1000; /* not idle */
	write_bytes(t, n * MSS);
	turn();
	forget();
	q = tcp_queues(tcp, t);
	scoreboard_all_lost(q, 0);
	if (small > 0)
		write_bytes(t, small);
	CU_ASSERT_EQUAL(t->snd_nxt, ISS + n * MSS);
}

static bool resent(uint32_t seq, uint32_t len)
{
	return next_segment() && got.seg.seq == seq && got.seg.len == len;
}

/* RFC 6675 section 5: lost segments first; only what cwnd has room for */
static void order(void)
{
	begin(3, 100);
	t->cwnd = 2 * MSS;
	turn();
	CU_ASSERT(resent(ISS, MSS));
	CU_ASSERT(resent(ISS + MSS, MSS));
	CU_ASSERT(
	    silent()); /* the new ones would find room after an acknowledgement of the first */
	t->cwnd = 2 * MSS + 100;
	tcp_work(tcp, t);
	turn();
	CU_ASSERT(silent()); /* 100 new bytes fit, but something lost waits */
	t->cwnd = 4 * MSS;
	tcp_work(tcp, t);
	turn();
	CU_ASSERT(resent(ISS + 2 * MSS, MSS));
	CU_ASSERT(resent(ISS + 3 * MSS, 100));
	CU_ASSERT(clean());
	finish();
}

/* the path has become narrower: what has to find room is the part that goes, not all that was cut */
static void narrow(void)
{
	begin(2, 100);
	t->mss = NARROW;
	t->cwnd = NARROW + 100;
	turn();
	CU_ASSERT(resent(ISS, NARROW));
	CU_ASSERT(silent()); /* nor does the small new one go before what is lost */
	t->cwnd = 2 * NARROW;
	tcp_work(tcp, t);
	turn();
	CU_ASSERT(resent(ISS + NARROW, NARROW));
	CU_ASSERT(silent());
	t->cwnd = 100 * NARROW;
	tcp_work(tcp, t);
	turn();
	CU_ASSERT(resent(ISS + 2 * NARROW, MSS - 2 * NARROW));
	CU_ASSERT(resent(ISS + MSS, NARROW));
	CU_ASSERT(resent(ISS + MSS + NARROW, NARROW));
	CU_ASSERT(resent(ISS + MSS + 2 * NARROW, MSS - 2 * NARROW));
	CU_ASSERT(resent(ISS + 2 * MSS, 100));
	CU_ASSERT(silent());
	CU_ASSERT(clean());
	finish();
}

/* RFC 9293 SHLD-16: beyond a window that has shrunk only the oldest is sent */
static void shrunken(void)
{
	begin(3, 0);
	t->snd_wnd = 100;
	tcp_work(tcp, t);
	turn();
	CU_ASSERT(resent(ISS, MSS));
	CU_ASSERT(silent());
	t->snd_wnd = 2 * MSS;
	tcp_work(tcp, t);
	turn();
	CU_ASSERT(resent(ISS + MSS, MSS));
	CU_ASSERT(silent());
	finish();
}

/* what pacing holds back is neither sent nor overtaken */
static void paced(void)
{
	begin(3, 100);
	t->cwnd = 100 * MSS;
	q->pace.left = 1;
	CU_ASSERT(tcp_loss_resend(tcp, t, q));
	CU_ASSERT_EQUAL(q->resent_bytes, MSS);
	CU_ASSERT_EQUAL(q->pace.left, 0);
	CU_ASSERT(resent(ISS, MSS));
	finish();
}

static const struct unit_case cases[] = {
    {"lost ones first", order},
    {"the path has become narrower", narrow},
    {"a window that has shrunk", shrunken},
    {"pacing", paced},
};

TCP_UNIT_MAIN("tcp_resend")
