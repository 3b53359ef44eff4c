/* SPDX-License-Identifier: BSD-2-Clause */

/* The way out: what may be sent, how it is cut, and what every segment carries. */

#include "tcp/tcp_output.h"
#include "tcp/tcp_segment.h"

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"

static struct tcb *t;

/* the way that every segment can take, not the short one of tcp_plain.c */
static void begin(uint8_t opt)
{
	start();
	t = conn(opt);
	t->cwnd = 100 * MSS;
}

static void send_now(uint32_t len)
{
	if (len > 0)
		CU_ASSERT_EQUAL(write_bytes(t, len), len);
	tcp_output(tcp, t);
	net_advance(&net, 0);
}

/* RFC 9293 3.7.4: a small segment waits while something is under way, unless it need not */
static void nagle(void)
{
	begin(0);
	send_now(10);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS, IRS, 10));
	send_now(10);
	CU_ASSERT(silent());
	send_now(MSS - 10);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS + 10, IRS, MSS));
	send_now(10);
	CU_ASSERT(silent());
	t->flags |= TCB_NODELAY;
	send_now(0);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS + 10 + MSS, IRS, 10));
	finish();
}

/* A.3: the last small segment was 2 GB ago, and its number seems to lie ahead */
static void nagle_long_ago(void)
{
	begin(0);
	send_now(2 * MSS);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, MSS));
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS + MSS, IRS, MSS));
	tcp_queues(tcp, t)->small_end = ISS + (1u << 31) - 1000;
	send_now(10);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS + 2 * MSS, IRS, 10));
	finish();
}

/* tcp(7) TCP_CORK: only full segments, for 200 ms */
static void cork(void)
{
	begin(0);
	t->flags |= TCB_CORK;
	send_now(MSS + 10);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, MSS));
	CU_ASSERT(silent());
	input_ack(t, ISS + MSS);
	pass(199);
	CU_ASSERT(silent());
	pass(3);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS + MSS, IRS, 10));
	finish();
}

/* RFC 9293 3.8.6.2.1: rather nothing than a sliver, unless it is half of the largest window */
static void silly_window(void)
{
	begin(0);
	t->snd_wnd = 100;
	t->snd_max_wnd = 65535;
	send_now(MSS);
	CU_ASSERT(silent());
	t->snd_max_wnd = 200;
	send_now(0);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 100));
	CU_ASSERT_EQUAL(tcp_unsent(t), MSS - 100);
	CU_ASSERT(clean());
	finish();
}

/* cwnd bounds what is under way, but never forbids the only segment */
static void congestion_window(void)
{
	begin(0);
	t->cwnd = 2 * MSS;
	send_now(4 * MSS);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, MSS));
	CU_ASSERT(sent(TCP_ACK, ISS + MSS, IRS, MSS));
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(tcp_pipe(t, tcp_queues(tcp, t)), 2 * MSS);
	input_ack(t, ISS + 2 * MSS);
	forget();
	t->cwnd = 1;
	input_ack(t, t->snd_nxt);
	finish();
}

/* FIN rides on the last segment; without one it goes alone, once */
static void fin(void)
{
	begin(0);
	t->flags |= TCB_WR_SHUT;
	t->state = TCP_S_FIN_WAIT_1;
	send_now(0);
	CU_ASSERT(sent(TCP_FIN | TCP_ACK, ISS, IRS, 0));
	send_now(0);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(t->snd_nxt, ISS + 1);
	CU_ASSERT(tcp_send_fin(tcp, t));
	CU_ASSERT(sent(TCP_FIN | TCP_ACK, ISS, IRS, 0));
	finish();
}

/* RFC 9293 3.8.4: an old number, no data */
static void empty_segments(void)
{
	begin(0);
	CU_ASSERT(tcp_send_ack(tcp, t));
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 0));
	CU_ASSERT(tcp_send_keepalive(tcp, t));
	CU_ASSERT(sent(TCP_ACK, ISS - 1, IRS, 0));
	tcp_send_rst(tcp, t);
	CU_ASSERT(sent(TCP_RST | TCP_ACK, ISS, IRS, 0));
	finish();
}

/* a segment that the port still has is sent again as a copy, one that became too long in parts */
static void again(void)
{
	struct tcp_queues *q;
	struct rte_mbuf *m;

	begin(0);
	send_now(MSS);
	forget();
	q = tcp_queues(tcp, t);
	m = q->snd.head;
	rte_mbuf_refcnt_update(m, 1);
	CU_ASSERT_PTR_EQUAL(tcp_resend(tcp, t, q, NULL, m), m);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS, IRS, MSS));
	rte_mbuf_refcnt_update(m, -1);
	CU_ASSERT_EQUAL(pkt_of(m)->tx.sends, 2);
	t->mss = 500;
	m = tcp_resend(tcp, t, q, NULL, m);
	CU_ASSERT_PTR_EQUAL(m, q->snd.head);
	CU_ASSERT_EQUAL(pkt_of(m)->tx.len, 500);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 500));
	CU_ASSERT_EQUAL(count(PC_TCP_RETRANSMITS), 2);
	CU_ASSERT(clean());
	finish();
}

/* TLP: the next new segment, whatever cwnd says, but not beyond the window */
static void probe(void)
{
	begin(0);
	t->cwnd = MSS;
	send_now(3 * MSS);
	forget();
	CU_ASSERT(tcp_send_probe(tcp, t, tcp_queues(tcp, t)));
	CU_ASSERT(sent(TCP_ACK, ISS + MSS, IRS, MSS));
	t->snd_wnd = 2 * MSS + 100;
	CU_ASSERT_FALSE(tcp_send_probe(tcp, t, tcp_queues(tcp, t)));
	CU_ASSERT(silent());
	finish();
}

/* mbufs run out: nothing is counted as sent, and it is tried again */
static void no_mbufs(void)
{
	begin(0);
	net_exhaust(&net);
	CU_ASSERT_FALSE(tcp_send_ack(tcp, t));
	t->flags |= TCB_WR_SHUT;
	t->state = TCP_S_FIN_WAIT_1;
	CU_ASSERT_FALSE(tcp_output(tcp, t));
	CU_ASSERT(silent());
	net_relent();
	CU_ASSERT(tcp_send_ack(tcp, t));
	CU_ASSERT(next_segment());
	forget();
	finish();
}

/* RFC 5961 section 7: so many in a second, and how many exactly nobody can tell */
static void challenges(void)
{
	unsigned n = 0;

	begin(0);
	net.ctx.cfg.tcp_challenge_acks = 10;
	while (n < 100 && tcp_challenge_allowed(tcp))
		n++;
	CU_ASSERT(n >= 6 && n <= 11);
	CU_ASSERT_EQUAL(count(PC_TCP_CHALLENGE_LIMITED), 1);
	pass(1000);
	CU_ASSERT(tcp_challenge_allowed(tcp));
	finish();
}

static const struct unit_case cases[] = {
    {"RFC 9293 3.7.4: Nagle", nagle},
    {"RFC 9293 A.3: a small segment of long ago", nagle_long_ago},
    {"TCP_CORK", cork},
    {"RFC 9293 3.8.6.2.1: silly windows", silly_window},
    {"the congestion window", congestion_window},
    {"FIN", fin},
    {"segments without text", empty_segments},
    {"sending again", again},
    {"a tail loss probe", probe},
    {"mbufs run out", no_mbufs},
    {"RFC 5961 section 7: challenges", challenges},
};

TCP_UNIT_MAIN("tcp_output")
