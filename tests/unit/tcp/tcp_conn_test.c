/* SPDX-License-Identifier: BSD-2-Clause */

/* The life of a TCB: the pool, queues that come and go, sizes and windows it begins with, its end. */

#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"

#include <errno.h>

#include "../unit.h"
#include "fixture.h"

static void pool(void)
{
	struct tcb *all[80];
	unsigned n = 0;

	start();
	while (n < 80 && (all[n] = tcp_socket(tcp)) != NULL)
		n++;
	CU_ASSERT_EQUAL(n, 64); /* stack.max_connections; listeners have their own */
	CU_ASSERT_EQUAL(tcp->tcbs_used, 64);
	CU_ASSERT_EQUAL(all[63]->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(all[63]->flow.laddr, LADDR_NONE);
	tcp_close(tcp, all[63]);
	CU_ASSERT_EQUAL(all[63]->state, TCP_S_FREE);
	CU_ASSERT_PTR_EQUAL(tcp_socket(tcp), all[63]); /* the last freed is still in the cache */
	finish();
}

/* one that is freed while the flush has yet to look at it is not given out before that */
static void freed_on_the_list(void)
{
	struct tcb *t, *u;

	start();
	t = tcp_socket(tcp);
	tcp_work(tcp, t);
	tcp_close(tcp, t);
	u = tcp_socket(tcp);
	CU_ASSERT_PTR_NOT_EQUAL(u, t);
	tcp_flush(tcp);
	CU_ASSERT_PTR_EQUAL(tcp_socket(tcp), t);
	finish();
}

/* nothing is held while nothing is queued, but for what is worth keeping */
static void queues(void)
{
	struct tcp_queues *q;
	struct tcb *t;

	start();
	t = conn(0);
	CU_ASSERT_PTR_NULL(tcp_queues(tcp, t));
	q = tcb_attach_queues(tcp, t);
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	CU_ASSERT_PTR_EQUAL(tcb_attach_queues(tcp, t), q);
	tcb_detach_queues(tcp, t);
	CU_ASSERT_EQUAL(t->queues, 0);
	CU_ASSERT_EQUAL(tcp->queues_used, 0);
	q = tcb_attach_queues(tcp, t);
	q->keep = true;
	tcb_detach_queues(tcp, t);
	CU_ASSERT_PTR_EQUAL(tcp_queues(tcp, t), q);
	CU_ASSERT(q->idle);
	CU_ASSERT_PTR_EQUAL(tcb_attach_queues(tcp, t), q);
	CU_ASSERT_FALSE(q->idle);
	tcb_detach_queues(tcp, t);
	finish();
}

/* the longest idle loses what it has kept when somebody needs it */
static void taken_away(void)
{
	struct tcb *t[3];

	start();
	for (unsigned i = 0; i < 3; i++) {
		t[i] = conn(0);
		tcb_attach_queues(tcp, t[i])->keep = true;
		tcb_detach_queues(tcp, t[i]);
	}
	tcp->free_queues = (struct freelist){0}; /* none left */
	CU_ASSERT_PTR_NOT_NULL(tcb_attach_queues(tcp, conn(0)));
	CU_ASSERT_EQUAL(t[0]->queues, 0);
	CU_ASSERT_NOT_EQUAL(t[1]->queues, 0);
	CU_ASSERT_NOT_EQUAL(t[2]->queues, 0);
	tcb_take_queues(tcp, t[1]); /* no longer idle: the next is the third */
	CU_ASSERT_PTR_NOT_NULL(tcb_attach_queues(tcp, conn(0)));
	CU_ASSERT_EQUAL(t[2]->queues, 0);
	CU_ASSERT_PTR_NULL(tcb_attach_queues(tcp, conn(0)));
	tcp_destroy(tcp);
	tcp = NULL;
	events_fini(&ev);
	net_close(&net);
}

/* RFC 9293 3.7.1 and RFC 6691: by peer, path and option, timestamps deducted, never less than 64 */
static void segment_size(void)
{
	struct tcp_tuning own;
	struct tcb *t;

	start();
	t = conn(0);
	t->path_mtu = 1500;
	t->peer_mss = 1400;
	tcb_update_mss(tcp, t);
	CU_ASSERT_EQUAL(t->mss, 1400);
	t->path_mtu = 1280;
	tcb_update_mss(tcp, t);
	CU_ASSERT_EQUAL(t->mss, 1240);
	t->opt |= TCB_OPT_TS;
	tcb_update_mss(tcp, t);
	CU_ASSERT_EQUAL(t->mss, 1228);
	own = *tcp_tuning(tcp, t);
	own.maxseg = 500;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t, &own), 0);
	tcb_update_mss(tcp, t);
	CU_ASSERT_EQUAL(t->mss, 488);
	t->peer_mss = 1;
	tcb_update_mss(tcp, t);
	CU_ASSERT_EQUAL(t->mss, MSS_MIN - 12);
	t->opt = 0;
	finish();
}

/* RFC 6928 section 2, and one segment after a SYN that was lost */
static void initial_window(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	t->mss = 1460;
	CU_ASSERT_EQUAL(tcb_initial_window(tcp, t), 14600);
	t->mss = 9000; /* "max (2*MSS, 14600)" */
	CU_ASSERT_EQUAL(tcb_initial_window(tcp, t), 18000);
	t->mss = 536;
	CU_ASSERT_EQUAL(tcb_initial_window(tcp, t), 5360);
	net.ctx.cfg.tcp_initial_window = 2;
	CU_ASSERT_EQUAL(tcb_initial_window(tcp, t), 1072);
	t->syn_lost = 1;
	CU_ASSERT_EQUAL(tcb_initial_window(tcp, t), 536);
	finish();
}

/* RFC 7323 section 2.3: the smallest shift with which the largest window can be told */
static void scale(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	t->flags |= TCB_RCVBUF_SET;
	t->rcv_max = 65535;
	CU_ASSERT_EQUAL(tcb_rcv_scale(tcp, t), 0);
	t->rcv_max = 65536;
	CU_ASSERT_EQUAL(tcb_rcv_scale(tcp, t), 1);
	t->rcv_max = 1u << 30;
	CU_ASSERT_EQUAL(tcb_rcv_scale(tcp, t), 14);
	CU_ASSERT_EQUAL(tcb_peer_scale(7), 7);
	CU_ASSERT_EQUAL(tcb_peer_scale(255), 14);
	t->rcv_max = 65535;
	finish();
}

/* what was received stays, what was to be sent goes, and the owner is told why */
static void done(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	input_data(t, IRS, 10);
	told(t);
	write_bytes(t, 100);
	CU_ASSERT_FALSE(tcb_done(tcp, t, ECONNRESET));
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_FALSE(t->flags & TCB_IN_TABLE);
	CU_ASSERT_FALSE(timer_is_armed(&t->timer));
	CU_ASSERT_EQUAL(t->snd_bytes, 0);
	CU_ASSERT(told(t));
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 10), 10);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 10), -ECONNRESET);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 10), 0);
	tcp_close(tcp, t);
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	turn();
	forget();
	finish();
}

/* who has given its descriptor up leaves with the protocol; the peer hears of an abort */
static void abandoned(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	t->flags &= ~(uint32_t)TCB_OPEN;
	CU_ASSERT(tcb_abort(tcp, t, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	CU_ASSERT(sent(TCP_RST | TCP_ACK, ISS, IRS, 0));
	t = tcp_socket(tcp);
	CU_ASSERT_FALSE(tcb_abort(tcp, t, 0));
	CU_ASSERT(silent());
	finish();
}

/* RFC 5681 4.1: "an interval exceeding the retransmission timeout", and not the time until the tail would be probed */
static void short_pause(void)
{
	static const uint32_t pause_ms[] = {150, 350};

	for (unsigned i = 0; i < RTE_DIM(pause_ms); i++) {
		struct tcb *t;

		start();
		t = conn(TCB_OPT_SACK);
		t->cwnd = 20 * MSS;
		t->t_loss = net.ctx.tick + 1000; /* not idle */
		CU_ASSERT_EQUAL(write_bytes(t, 10 * MSS), 10 * MSS);
		turn();
		ctx_set_time(&net.ctx, net.ctx.now_ns + 20000000);
		input_ack(t, ISS + 6 * MSS);
		input_ack(t, ISS + 10 * MSS);
		CU_ASSERT(t->rto_us >= 200000 && t->rto_us <= 300000);
		pass(pause_ms[i]);
		CU_ASSERT(t->cwnd >= 20 * MSS);
		CU_ASSERT_EQUAL(write_bytes(t, MSS), MSS);
		turn();
		CU_ASSERT_EQUAL(t->cwnd > 10 * MSS, i == 0);
		forget();
		finish();
	}
}

/* RFC 3168 6.1.2: "once in every window of data": that in which cwnd was reduced is over, also when small answers have
 * gone round half of the numbers since */
static void long_after_reduction(void)
{
	struct tcp_queues *q;
	struct tcb *t;

	start();
	t = conn(TCB_OPT_ECN);
	t->cwnd = 7 * MSS;
	CU_ASSERT_EQUAL(write_bytes(t, MSS), MSS);
	turn();
	q = tcp_queues(tcp, t);
	q->keep = true;
	tcp_ecn_reduced(t, q);
	CU_ASSERT(tcp_ecn_has_reduced(t, q));
	input_ack(t, t->snd_nxt);
	for (unsigned i = 0; i < 3; i++) {
		t->snd_una = t->snd_nxt += UINT32_C(1) << 30;
		CU_ASSERT_EQUAL(write_bytes(t, MSS), MSS);
		turn();
		input_ack(t, t->snd_nxt);
	}
	CU_ASSERT_FALSE(tcp_ecn_has_reduced(t, q));
	forget();
	finish();
}

/* RFC 5681 4.1: a pause for which ticks go round more than halfway is one, too */
static void long_pause(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct tcb *t;

		start();
		t = conn(i == 1 ? TCB_OPT_TS : 0);
		t->flags |= i == 2 ? TCB_KEEPALIVE : 0;
		tcp_keepalive_start(tcp, t);
		t->cwnd = 20 * MSS;
		t->t_loss = net.ctx.tick + 1000; /* not idle */
		CU_ASSERT_EQUAL(write_bytes(t, MSS), MSS);
		turn();
		input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS + MSS, .wnd = 65535,
		             .has = i == 1 ? TCP_HAS_TS : 0));
		turn();
		CU_ASSERT_EQUAL(t->snd_una, ISS + MSS);
		for (unsigned h = 0; h < 50; h++) {
			ctx_set_time(&net.ctx, net.ctx.now_ns + 3600 * UINT64_C(1000000000));
			tcp_poll(tcp);
			turn();
			input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS + MSS, .wnd = 65535));
		}
		CU_ASSERT_EQUAL(t->cwnd, 20 * MSS);
		forget();
		CU_ASSERT_EQUAL(write_bytes(t, MSS), MSS);
		turn();
		CU_ASSERT_EQUAL(t->cwnd, tcb_initial_window(tcp, t));
		forget();
		finish();
	}
}

/* each address and port makes another secret, over either family */
static void secrets(void)
{
	const struct tcp_flow flows[] = {
	    {.raddr = pc_addr_ip4(1), .laddr = 1, .lport = 1, .rport = 1},
	    {.raddr = pc_addr_ip4(2), .laddr = 1, .lport = 1, .rport = 1},
	    {.raddr = pc_addr_ip4(1), .laddr = 2, .lport = 1, .rport = 1},
	    {.raddr = pc_addr_ip4(1), .laddr = 1, .lport = 2, .rport = 1},
	    {.raddr = pc_addr_ip4(1), .laddr = 1, .lport = 1, .rport = 2},
	    {.raddr.q = {1, 1}, .laddr = 1, .lport = 1, .rport = 1},
	    {.raddr.q = {2, 1}, .laddr = 1, .lport = 1, .rport = 1},
	    {.raddr.q = {1, 2}, .laddr = 1, .lport = 1, .rport = 1},
	    {.raddr.q = {1, 1}, .laddr = 1, .lport = 1, .rport = 2},
	};

	start();
	for (size_t i = 0; i < RTE_DIM(flows); i++)
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(tcp_secret(tcp, &flows[i]), tcp_secret(tcp, &flows[j]));
	finish();
}

/* RFC 6528: another secret, another number; and it grows with time, once in 4 us */
static void isn(void)
{
	struct tcp_flow flow = {.lport = 1, .rport = 2}, other = {.lport = 1, .rport = 3};
	uint32_t first;

	start();
	CU_ASSERT_NOT_EQUAL(tcp_secret(tcp, &flow), tcp_secret(tcp, &other));
	first = tcp_isn(tcp, tcp_secret(tcp, &flow));
	net.ctx.now_ns += 4096000;
	CU_ASSERT_EQUAL(tcp_isn(tcp, tcp_secret(tcp, &flow)) - first, 1000);
	finish();
}

static const struct unit_case cases[] = {
    {"the pool", pool},
    {"freed while on the work list", freed_on_the_list},
    {"queues come and go", queues},
    {"queues are taken away", taken_away},
    {"RFC 6691: the segment size", segment_size},
    {"RFC 6928: the initial window", initial_window},
    {"RFC 7323: the window scale", scale},
    {"the end", done},
    {"nobody owns it", abandoned},
    {"secrets differ", secrets},
    {"RFC 6528: initial sequence numbers", isn},
    {"RFC 5681 4.1: a short pause", short_pause},
    {"RFC 3168 6.1.2: long after a reduction", long_after_reduction},
    {"RFC 5681 4.1: a long pause", long_pause},
};

TCP_UNIT_MAIN("tcp_conn")
