/* SPDX-License-Identifier: BSD-2-Clause */
/* Loss recovery: the scoreboard, what is deemed lost, and what is sent again. */

#include "tcp/tcp_loss.h"

#include <rte_mbuf.h>

#include "../unit.h"
#include "base/seq.h"
#include "fixture.h"
#include "tcp/tcp_output.h"

static struct tcb *t;
static struct tcp_queues *q;

/* a connection with n full segments under way */
static void begin(uint8_t opt, uint32_t n)
{
	prepare();
	net.ctx.cfg.tcp_congestion = 0; /* Reno's numbers are round */
	net.ctx.cfg.tcp_rack = 0;       /* losses by count here; by time in the tests of rack.c */
	net.ctx.cfg.tcp_frto = 0;       /* after a time-out all goes again, as cwnd allows */
	start_with();
	t = conn(opt);
	t->cwnd = 100 * MSS;
	t->t_loss = net.ctx.tick + 1000; /* not idle */
	CU_ASSERT_EQUAL(write_bytes(t, n * MSS), n * MSS);
	turn();
	forget();
	t->flags &= ~(uint32_t)TCB_PUSH;
	q = tcp_queues(tcp, t);
	CU_ASSERT_EQUAL(t->snd_nxt, ISS + n * MSS);
}

static uint32_t seq(uint32_t i)
{
	return ISS + i * MSS;
}

/* a duplicate ACK that SACKs segments [from,to) */
static int sack(uint32_t ack, uint32_t from, uint32_t to)
{
	struct tcp_seg s = {.flags = TCP_ACK,
	                    .seq = IRS,
	                    .ack = seq(ack),
	                    .wnd = 65535,
	                    .has = TCP_HAS_SACK,
	                    .nb_sack = 1};

	s.sack[0].start = seq(from);
	s.sack[0].end = seq(to);
	return input(t, s);
}

/* ... and others */
static int sack_two(uint32_t ack, uint32_t from, uint32_t to, uint32_t from2, uint32_t to2)
{
	struct tcp_seg s = {.flags = TCP_ACK,
	                    .seq = IRS,
	                    .ack = seq(ack),
	                    .wnd = 65535,
	                    .has = TCP_HAS_SACK,
	                    .nb_sack = 2};

	s.sack[0].start = seq(from);
	s.sack[0].end = seq(to);
	s.sack[1].start = seq(from2);
	s.sack[1].end = seq(to2);
	return input(t, s);
}

static uint32_t pipe_segs(void)
{
	return tcp_pipe(t, q) / MSS;
}

static void test_scoreboard(void)
{
	begin(TCB_OPT_SACK, 10);
	CU_ASSERT_EQUAL(pipe_segs(), 10);
	sack(0, 1, 2);
	CU_ASSERT_EQUAL(q->sacked_segs, 1);
	CU_ASSERT_EQUAL(q->sacked_bytes, MSS);
	CU_ASSERT_EQUAL(pipe_segs(), 9);
	sack(0, 1, 2); /* nothing new */
	CU_ASSERT_EQUAL(q->sacked_segs, 1);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_OPEN);
	sack(0, 1, 3);
	CU_ASSERT_EQUAL(q->lost_bytes, 0); /* two are not enough (DupThresh) */
	CU_ASSERT_EQUAL(q->recovery, TCP_R_OPEN);
	sack(0, 1, 4);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	CU_ASSERT_EQUAL(q->lost_bytes, MSS);
	CU_ASSERT_EQUAL(q->recover, seq(10));
	CU_ASSERT_EQUAL(pipe_segs(), 6);
	CU_ASSERT_EQUAL(count(PC_TCP_FAST_RETRANSMITS), 1);
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(0), IRS, MSS));
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(pipe_segs(), 7);
	CU_ASSERT(clean());
	finish();
}

/* RFC 9937 section 6: what was SACKed before recovery began is not delivered in it, so RecoverFS is without */
static void test_recover_fs(void)
{
	begin(TCB_OPT_SACK, 10);
	sack(0, 1, 2);
	sack(0, 1, 3);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_OPEN);
	sack(0, 1, 4);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	CU_ASSERT_EQUAL(q->prr.recover_fs, 8 * MSS);
	CU_ASSERT_EQUAL(q->prr.delivered, MSS);
	finish();
}

/* RFC 6675 IsLost: three segments beyond it have been SACKed, wherever they are */
static void test_is_lost(void)
{
	begin(TCB_OPT_SACK, 20);
	sack(0, 2, 3);
	sack(0, 6, 7);
	sack(0, 10, 11);
	CU_ASSERT_EQUAL(q->lost_bytes, 2 * MSS); /* 0 and 1, not 3 to 5 */
	sack(0, 12, 13);
	CU_ASSERT_EQUAL(q->lost_bytes, 5 * MSS); /* 3, 4, 5 too */
	sack(0, 13, 14);
	CU_ASSERT_EQUAL(q->lost_bytes, 8 * MSS); /* 7, 8, 9 */
	CU_ASSERT(clean());
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(0), IRS, MSS));
	CU_ASSERT(clean());
	forget();
	/* an acknowledgement of all ends it */
	input_ack(t, seq(20));
	CU_ASSERT_EQUAL(t->snd_bytes, 0);
	finish();
}

static void test_bad_blocks(void)
{
	begin(TCB_OPT_SACK, 10);
	input_ack(t, seq(2));
	turn();
	sack(2, 0, 1);  /* below SND.UNA: a D-SACK */
	sack(2, 9, 11); /* beyond SND.NXT */
	sack(2, 5, 5);  /* empty */
	sack(2, 6, 4);  /* backwards */
	CU_ASSERT_EQUAL(q->sacked_bytes, 0);
	CU_ASSERT_EQUAL(q->sacked_segs, 0);
	CU_ASSERT(clean());
	finish();
}

/* RFC 5681 section 3.2: three duplicate ACKs; limited transmit (RFC 3042) before */
static void test_fast_retransmit(void)
{
	begin(0, 10);
	for (int i = 0; i < 2; i++) {
		input_ack(t, seq(0));
		turn();
		CU_ASSERT(silent());
	}
	CU_ASSERT_EQUAL(q->dup_bytes, 2 * MSS);
	input_ack(t, seq(0));
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	CU_ASSERT_EQUAL(t->ssthresh, 5 * MSS);
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(0), IRS, MSS));
	CU_ASSERT(silent());
	for (int i = 0; i < 5; i++) /* no second retransmission by further ones */
		input_ack(t, seq(0));
	turn();
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(count(PC_TCP_FAST_RETRANSMITS), 1);
	CU_ASSERT(clean());
	finish();
}

/* RFC 6582 section 3.2: a partial acknowledgement shows the next hole; the last one ends it */
static void test_partial(void)
{
	begin(0, 10);
	for (int i = 0; i < 3; i++)
		input_ack(t, seq(0));
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(0), IRS, MSS));
	input_ack(t, seq(4));
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(4), IRS, MSS));
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	input_ack(t, seq(7));
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(7), IRS, MSS));
	CU_ASSERT(clean());
	write_bytes(t, 10); /* so that the queues live on */
	input_ack(t, seq(10));
	CU_ASSERT_EQUAL(q->recovery, TCP_R_OPEN);
	CU_ASSERT_EQUAL(q->dup_bytes, 0);
	CU_ASSERT(t->cwnd <= t->ssthresh);
	CU_ASSERT_EQUAL(count(PC_TCP_FAST_RETRANSMITS), 1);
	finish();
}

/* RFC 6298 section 5: everything under way counts as lost, and goes again as cwnd allows */
static void test_timeout(void)
{
	begin(TCB_OPT_SACK, 10);
	sack(0, 3, 5);
	tcp_loss_timeout(tcp, t, q);
	CU_ASSERT_EQUAL(t->cwnd, MSS);
	CU_ASSERT_EQUAL(t->ssthresh, 5 * MSS);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_LOSS);
	CU_ASSERT_EQUAL(q->lost_bytes, 8 * MSS); /* what was SACKed is not sent again */
	CU_ASSERT_EQUAL(q->sacked_bytes, 2 * MSS);
	CU_ASSERT_EQUAL(tcp_pipe(t, q), 0);
	t->retries = 1;
	tcp_loss_timeout(tcp, t, q); /* ssthresh is halved once only */
	CU_ASSERT_EQUAL(t->ssthresh, 5 * MSS);
	tcp_output(tcp, t);
	CU_ASSERT(sent(TCP_ACK, seq(0), IRS, MSS));
	CU_ASSERT(silent());
	CU_ASSERT(clean());
	input_ack(t, seq(1));
	CU_ASSERT(t->cwnd >= 2 * MSS);
	turn();
	CU_ASSERT(sent(TCP_ACK, seq(1), IRS, MSS));
	CU_ASSERT(clean());
	finish();
}

/* RFC 9937 section 6.2: SafeACK is "no further loss indicated", and a repetition that is lost again is one */
static void test_safe_ack(void)
{
	begin(TCB_OPT_SACK, 40);
	net.ctx.cfg.tcp_rack = 1;
	pass(40);
	sack_two(0, 1, 2, 3, 40); /* the first and the third are lost */
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	t->cwnd = 100 * MSS;
	turn();
	write_bytes(t, MSS);
	turn();
	CU_ASSERT_EQUAL(q->resent_bytes, 2 * MSS);
	forget();
	pass(40);
	t->ssthresh = 60 * MSS;
	q->prr.out = 100 * MSS;
	sack_two(2, 3, 10, 40,
	         41); /* the third's repetition, too, as what was sent after it has come */
	CU_ASSERT_EQUAL(q->lost_bytes, MSS);
	CU_ASSERT_EQUAL(q->resent_bytes, 0);
	CU_ASSERT_EQUAL(t->cwnd, tcp_pipe(t, q) + 2 * MSS);
	finish();
}

/* RFC 8985 section 6.2 step 4: "else if exiting Fast or RTO recovery: RACK.reo_wnd_persist -= 1" */
static void test_reordering_window_after_timeout(void)
{
	begin(TCB_OPT_SACK, 10);
	q->rack.mult = 3;
	q->rack.persist = 2;
	tcp_loss_timeout(tcp, t, q);
	input_ack(t, seq(10));
	CU_ASSERT_EQUAL(q->recovery, TCP_R_OPEN);
	CU_ASSERT_EQUAL(q->rack.persist, 1);
	CU_ASSERT_EQUAL(q->rack.mult, 3);
	finish();
}

/* RFC 2018 section 8: the receiver may take back what it has SACKed */
static void test_reneging(void)
{
	begin(TCB_OPT_SACK, 10);
	sack(0, 1, 6);
	turn();
	forget();
	input_ack(t, seq(1)); /* and yet asks for a SACKed one */
	CU_ASSERT_EQUAL(q->sacked_segs, 5);
	tcp_loss_timeout(tcp, t, q);
	CU_ASSERT_EQUAL(q->sacked_segs, 0);
	CU_ASSERT_EQUAL(q->sacked_bytes, 0);
	CU_ASSERT_EQUAL(q->lost_bytes, 9 * MSS);
	tcp_output(tcp, t);
	CU_ASSERT(sent(TCP_ACK, seq(1), IRS, MSS));
	CU_ASSERT(clean());
	finish();
}

/* ... and closes its window, as memory was short: the probe of that is cut from what was SACKed */
static void test_reneging_and_closed(void)
{
	begin(TCB_OPT_SACK, 2);
	sack(0, 1, 2);
	input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = seq(1), .wnd = 0));
	CU_ASSERT_EQUAL(q->sacked_segs, 1);
	CU_ASSERT_EQUAL(t->snd_una, seq(1));
	pass(1100);
	CU_ASSERT(next_segment() && got.seg.seq == seq(1) && got.payload_len == 1);
	CU_ASSERT_EQUAL(q->sacked_segs, 0);
	CU_ASSERT(clean());
	sack(1, 1, 2); /* and it has it again */
	CU_ASSERT(clean());
	input_ack(t, seq(2));
	CU_ASSERT_EQUAL(q->sacked_segs, 0);
	CU_ASSERT(clean());
	forget();
	finish();
}

/* RFC 6582 section 4.1: duplicates of what an earlier recovery has covered start no new one */
static void test_no_second(void)
{
	begin(0, 10);
	tcp_loss_timeout(tcp, t, q);
	t->cwnd = 20 * MSS;
	tcp_output(tcp, t);
	forget();
	for (int i = 0; i < 6; i++)
		input_ack(t, seq(0));
	CU_ASSERT_EQUAL(count(PC_TCP_FAST_RETRANSMITS), 0);
	turn();
	CU_ASSERT(silent());
	finish();
}

static void test_forget(void)
{
	begin(TCB_OPT_SACK, 10);
	sack(0, 1, 6);
	turn();
	forget();
	input_ack(t, seq(3)); /* a lost one that was resent, and two SACKed ones */
	CU_ASSERT_EQUAL(q->sacked_segs, 3);
	CU_ASSERT_EQUAL(q->sacked_bytes, 3 * MSS);
	CU_ASSERT_EQUAL(q->lost_bytes, 0);
	CU_ASSERT_EQUAL(q->resent_bytes, 0);
	input_ack(t, seq(3) + 100); /* within a segment */
	CU_ASSERT_EQUAL(q->sacked_segs, 3);
	CU_ASSERT_EQUAL(q->sacked_bytes, 3 * MSS - 100);
	CU_ASSERT(clean());
	finish();
}

/* SHLD-16: beyond a window that has shrunk only what probes it is sent again */
static void test_shrunken_window(void)
{
	begin(0, 10);
	tcp_loss_timeout(tcp, t, q);
	t->cwnd = 20 * MSS;
	t->snd_wnd = 3 * MSS;
	tcp_output(tcp, t);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT(sent(TCP_ACK, seq(i), IRS, MSS));
	CU_ASSERT(silent());
	finish();
}

static void test_no_mbufs(void)
{
	begin(TCB_OPT_SACK, 5);
	tcp_loss_timeout(tcp, t, q);
	t->cwnd = 20 * MSS;
	q->pace.left = UINT32_MAX; /* as a turn begins */
	for (struct rte_mbuf *m = q->snd.head; m != NULL; m = pkt_of(m)->next)
		rte_mbuf_refcnt_update(m, 1); /* the port still holds them: copies are needed */
	net_exhaust(&net);
	CU_ASSERT_FALSE(tcp_loss_resend(tcp, t, q));
	CU_ASSERT_EQUAL(q->resent_bytes, 0);
	CU_ASSERT(clean());
	net_relent();
	CU_ASSERT(tcp_loss_resend(tcp, t, q));
	CU_ASSERT_EQUAL(q->resent_bytes, 5 * MSS);
	for (struct rte_mbuf *m = q->snd.head; m != NULL; m = pkt_of(m)->next)
		rte_mbuf_refcnt_update(m, -1);
	for (uint32_t i = 0; i < 5; i++)
		CU_ASSERT(next_segment() && got.seg.seq == seq(i));
	finish();
}

/* what has been learnt of the path is not given back with the last byte */
static void test_kept(void)
{
	begin(TCB_OPT_SACK, 10);
	CU_ASSERT_FALSE(q->keep);
	sack(0, 1, 4);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	turn();
	forget();
	input_ack(t, seq(10));
	turn();
	CU_ASSERT(tcp_queues(tcp, t) == q && q->idle);
	finish();
}

/* Numbers go round: what an earlier recovery or round trip has covered lies behind for ever, not for 2 GB. */
static void test_long_ago(void)
{
	begin(0, 40);
	q->recover = ISS - 0x7fff7360u;
	q->rack.in_round = true;
	q->rack.round_end = ISS - 0x7fff7360u;
	input_ack(t, seq(20)); /* in large steps, as of a peer that takes many segments as one */
	CU_ASSERT_FALSE(q->rack.in_round);
	input_ack(t, seq(30));
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(count(PC_TCP_FAST_RETRANSMITS), 0);
		ctx_set_time(&net.ctx, net.ctx.now_ns + 1000000);
		input_ack(t, seq(30));
	}
	CU_ASSERT_EQUAL(count(PC_TCP_FAST_RETRANSMITS), 1);
	forget();
	finish();
}

/* RFC 8985 section 7.2: no probe while something is SACKed, RACK has a better timer then */
static void test_probe_or_timeout(void)
{
	uint32_t far;

	begin(TCB_OPT_SACK, 10);
	net.ctx.cfg.tcp_rack = 1;
	tcp_loss_arm(tcp, t, q);
	CU_ASSERT_EQUAL(q->loss_timer, TCP_LT_PROBE);
	q->sacked_segs = 1;
	tcp_loss_arm(tcp, t, q);
	CU_ASSERT_EQUAL(q->loss_timer, TCP_LT_RTO);
	q->sacked_segs = 0;
	/* more is sent: the probe replaces a time-out that would come later, and no other */
	t->t_loss = net.ctx.tick + 1;
	tcp_loss_sent(tcp, t, q);
	CU_ASSERT_EQUAL(q->loss_timer, TCP_LT_RTO);
	CU_ASSERT_EQUAL(t->t_loss, net.ctx.tick + 1);
	far = t->t_loss = net.ctx.tick + (1u << 20);
	tcp_loss_sent(tcp, t, q);
	CU_ASSERT_EQUAL(q->loss_timer, TCP_LT_PROBE);
	CU_ASSERT(seq_lt(t->t_loss, far));
	/* a probe is put off, two round trips after the latest */
	t->t_loss = net.ctx.tick + 1;
	tcp_loss_sent(tcp, t, q);
	CU_ASSERT_EQUAL(q->loss_timer, TCP_LT_PROBE);
	CU_ASSERT(seq_gt(t->t_loss, net.ctx.tick + 1));
	finish();
}

/* RFC 2861 section 3.2: cwnd that has been reduced meanwhile does not grow for what was used before */
static void test_validate_smaller(void)
{
	begin(0, 4);
	input_ack(t, seq(1));
	CU_ASSERT_EQUAL(q->cwnd_used, 4 * MSS);
	t->cwnd = 12 * MSS;
	q->cwnd_used = 40 * MSS;
	net.ctx.tick += 1u << 20;
	input_ack(t, seq(2));
	CU_ASSERT_EQUAL(t->cwnd, 12 * MSS);
	CU_ASSERT_EQUAL(q->cwnd_used, 0);
	finish();
}

/* RFC 3708: what undoes a recovery is kept until its DSACKs have had time to arrive, if nothing else
 * reduces cwnd meanwhile: marks (RFC 3168) are of later data */
static void test_undo_kept(void)
{
	begin(TCB_OPT_SACK | TCB_OPT_ECN, 10);
	sack(0, 1, 4);
	CU_ASSERT_EQUAL(q->recovery, TCP_R_RECOVERY);
	write_bytes(t, 5 * MSS);
	t->cwnd = 100 * MSS;
	turn();
	CU_ASSERT_EQUAL(t->snd_nxt, seq(15));
	input_ack(t, seq(10));
	CU_ASSERT_EQUAL(q->recovery, TCP_R_OPEN);
	CU_ASSERT_EQUAL(q->undo_cwnd, 100 * MSS);
	CU_ASSERT_EQUAL(q->undo_segs, 1);
	input(t, SEG(.flags = TCP_ACK | TCP_ECE, .seq = IRS, .ack = seq(12), .wnd = 65535));
	CU_ASSERT_EQUAL(count(PC_TCP_ECN_REDUCTIONS), 1);
	CU_ASSERT_EQUAL(q->undo_cwnd, 0);
	finish();
}

static const struct unit_case cases[] = {
    {"what a recovery has taught is kept", test_kept},
    {"a recovery of long ago", test_long_ago},
    {"RFC 8985 7.2: probe or time-out", test_probe_or_timeout},
    {"RFC 2861 3.2: cwnd was reduced meanwhile", test_validate_smaller},
    {"the scoreboard counts", test_scoreboard},
    {"RFC 9937: RecoverFS", test_recover_fs},
    {"RFC 6675 IsLost", test_is_lost},
    {"blocks that mean nothing", test_bad_blocks},
    {"three duplicate ACKs", test_fast_retransmit},
    {"RFC 6582: partial acknowledgements", test_partial},
    {"a time-out", test_timeout},
    {"RFC 9937 6.2: a repetition that is lost is a further loss", test_safe_ack},
    {"RFC 8985 6.2 step 4: a recovery after a time-out counts",
     test_reordering_window_after_timeout},
    {"RFC 2018 section 8: reneging", test_reneging},
    {"RFC 2018 section 8: reneging, and a closed window", test_reneging_and_closed},
    {"no second fast retransmit", test_no_second},
    {"what is acknowledged leaves the scoreboard", test_forget},
    {"a window that has shrunk", test_shrunken_window},
    {"mbufs run out", test_no_mbufs},
    {"RFC 3708: undone while DSACKs may arrive", test_undo_kept},
};

TCP_UNIT_MAIN("tcp_loss")
