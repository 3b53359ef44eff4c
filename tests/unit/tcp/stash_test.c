/* SPDX-License-Identifier: BSD-2-Clause */

/* What becomes of a connection that is stashed, and what is needed to end that; see stash.h. */
#include "tcp/stash.h"

#include <errno.h>
#include <sys/socket.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"

#define LEN 100

static struct tcb *t;

/* a connection whose only segment is under way, and stashed */
static void begin(uint8_t opt)
{
	prepare();
	net.ctx.cfg.tcp_stash_from = 0;
	start_with();
	t = conn(opt);
	t->flags |= TCB_NODELAY;
	CU_ASSERT_EQUAL(input_data(t, IRS, LEN), VERDICT_DONE);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 1000), LEN);
	CU_ASSERT_EQUAL(write_bytes(t, LEN), LEN);
	turn();
	CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS, IRS + LEN, LEN));
	CU_ASSERT(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(tcp->queues_used, 0);
	CU_ASSERT_EQUAL(count(PC_TCP_STASHED), 1);
	CU_ASSERT(clean());
}

static void end(void)
{
	forget();
	CU_ASSERT(clean());
	finish();
}

/* takes all mbufs of the pool, or gives them back */
static void hold(bool all)
{
	static struct rte_mbuf *held[65536];
	static unsigned n;

	while (all && n < RTE_DIM(held) && (held[n] = rte_pktmbuf_alloc(net.ctx.pool)) != NULL)
		n++;
	while (!all && n > 0)
		rte_pktmbuf_free(held[--n]);
}

static void acknowledged(void)
{
	begin(TCB_OPT_SACK);
	ctx_set_time(&net.ctx, net.ctx.now_ns + 3000000);
	CU_ASSERT_EQUAL(input_ack(t, ISS + LEN), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(tcp->stash.nb_free, tcp->nb_queues);
	CU_ASSERT_EQUAL(t->snd_una, t->snd_nxt);
	CU_ASSERT_EQUAL(t->snd_bytes, 0);
	CU_ASSERT_EQUAL(t->srtt_us, 3000);
	CU_ASSERT_FALSE(t->timers & TCB_T_LOSS);
	end();
}

/* by a request, whose answer is stashed again */
static void asked_again(void)
{
	begin(0);
	CU_ASSERT_EQUAL(input_data(t, IRS + LEN, LEN), VERDICT_DONE);
	CU_ASSERT_EQUAL(read_bytes(t, IRS + LEN, 1000), LEN);
	CU_ASSERT_EQUAL(write_bytes(t, LEN), LEN);
	turn();
	CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS + LEN, IRS + 2 * LEN, LEN));
	CU_ASSERT(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(count(PC_TCP_STASHED), 2);
	end();
}

static void sent_again(void)
{
	begin(0);
	pass(1500);
	CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS, IRS + LEN, LEN)); /* which verifies its bytes */
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(count(PC_TCP_TIMEOUTS), 1);
	end();
}

/* with two stashed, each has its own bytes, which depend on the sequence number */
static void two_sent_again(void)
{
	struct tcb *u;

	begin(0);
	u = conn(0);
	u->snd_una = u->snd_nxt = ISS + 50003;
	CU_ASSERT_EQUAL(write_bytes(u, LEN), LEN);
	turn();
	CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS + 50003, IRS, LEN));
	CU_ASSERT(tcb_is_stashed(t) && tcb_is_stashed(u));
	CU_ASSERT(stash_open(tcp, t) && stash_open(tcp, u));
	CU_ASSERT_EQUAL(tcp->stash.nb_free, tcp->nb_queues);
	pass(1500);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_FATAL(next_segment());
		CU_ASSERT(got.seg.seq == ISS || got.seg.seq == ISS + 50003);
		CU_ASSERT_EQUAL(got.seg.len, LEN);
		CU_ASSERT(is_payload(got.payload, got.seg.seq, LEN));
	}
	end();
}

static void probed_for(void)
{
	begin(TCB_OPT_SACK);
	pass(1500);
	CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS, IRS + LEN, LEN));
	CU_ASSERT_EQUAL(count(PC_TCP_TLP_PROBES), 1);
	CU_ASSERT_EQUAL(count(PC_TCP_TIMEOUTS), 0);
	end();
}

/* without an mbuf a time-out is tried again, which is no work for thousands, what is not plain is dropped, and nothing is lost */
static void without_mbufs(void)
{
	begin(0);
	hold(true);
	pass(1500);
	CU_ASSERT(count(PC_TX_NO_MBUF) >= 1 && count(PC_TX_NO_MBUF) < 5);
	CU_ASSERT(silent());
	CU_ASSERT(tcb_is_stashed(t));
	CU_ASSERT(t->timers & TCB_T_LOSS);
	CU_ASSERT_FALSE(stash_open(tcp, t));
	CU_ASSERT_EQUAL(write_bytes(t, LEN), -EAGAIN);
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, t, SHUT_WR), 0);
	turn();
	CU_ASSERT(silent());
	CU_ASSERT(tcb_is_stashed(t));
	CU_ASSERT(clean());
	hold(false);
	pass(50);
	CU_ASSERT(sent(TCP_ACK | TCP_FIN, ISS + LEN, IRS + LEN, 0));
	pass(1500);
	CU_ASSERT(sent(TCP_ACK | TCP_PSH | TCP_FIN, ISS, IRS + LEN, LEN));
	end();
}

/* what is left for acknowledgements to be received into is not taken; they are as good without, and so is a reset */
static void mbufs_are_low(void)
{
	begin(0);
	net.ctx.mbufs_spare = net.ctx.mbufs_last = 0;
	CU_ASSERT_FALSE(stash_open(tcp, t));
	net.ctx.mbufs_last = 1;
	CU_ASSERT(stash_open(tcp, t));
	CU_ASSERT_EQUAL(net.ctx.mbufs_last, 0);
	CU_ASSERT_EQUAL(input_ack(t, ISS + LEN), PC_DROP_TCP_ACK_DONE);
	net.ctx.mbufs_low = false;
	net.ctx.mbufs_spare = 1000;
	CU_ASSERT_EQUAL(write_bytes(t, LEN), LEN);
	turn();
	CU_ASSERT(tcb_is_stashed(t));
	net.ctx.mbufs_spare = 0;
	CU_ASSERT_EQUAL(input_ack(t, ISS), PC_DROP_TCP_MEMORY);
	CU_ASSERT(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(input_ack(t, ISS + 2 * LEN), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(t->queues, 0);
	end();
}

/* ... as well as when there is text with it that has to wait, or somebody waits for room to write */
static void acknowledged_when_low(void)
{
	begin(0);
	net.ctx.mbufs_low = true;
	net.ctx.mbufs_spare = net.ctx.mbufs_last = 0;
	CU_ASSERT_EQUAL(write_bytes(t, LEN), -EAGAIN);
	CU_ASSERT(tcb_is_stashed(t) && (t->flags & TCB_NOSPACE));
	CU_ASSERT_EQUAL(input_data(t, IRS + LEN, LEN), PC_DROP_TCP_MEMORY);
	CU_ASSERT_EQUAL(t->queues, 0);
	CU_ASSERT_EQUAL(tcp->stash.nb_free, tcp->nb_queues);
	CU_ASSERT_EQUAL(t->snd_una, ISS + LEN);
	CU_ASSERT_EQUAL(t->snd_bytes, 0);
	CU_ASSERT_EQUAL(t->rcv_nxt, IRS + LEN);
	CU_ASSERT_FALSE(t->timers & TCB_T_LOSS);
	net.ctx.mbufs_low = false;
	net.ctx.mbufs_spare = 1000;
	turn();
	CU_ASSERT_FALSE(t->flags & (TCB_NOSPACE | TCB_STARVED));
	CU_ASSERT(told(t));
	CU_ASSERT_EQUAL(input_data(t, IRS + LEN, LEN), VERDICT_DONE);
	CU_ASSERT_EQUAL(read_bytes(t, IRS + LEN, 1000), LEN);
	end();
}

/* the acknowledgement tells at once who was refused, without an mbuf */
static void makes_room(void)
{
	begin(0);
	t->snd_max = LEN;
	t->flags |= TCB_SNDBUF_SET;
	CU_ASSERT_EQUAL(write_bytes(t, LEN), -EAGAIN);
	(void)told(t);
	net.ctx.mbufs_last = 0;
	CU_ASSERT_EQUAL(input_ack(t, ISS + LEN), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_FALSE(t->flags & TCB_NOSPACE);
	CU_ASSERT(told(t));
	CU_ASSERT_EQUAL(t->queues, 0);
	end();
}

static void reset_by_peer(void)
{
	begin(0);
	net.ctx.mbufs_spare = net.ctx.mbufs_last = 0;
	CU_ASSERT_EQUAL(input(t, (struct tcp_seg){.flags = TCP_RST, .seq = IRS + LEN + 1}),
	                PC_DROP_TCP_RST_WINDOW); /* RFC 5961 section 3: challenged */
	CU_ASSERT(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(input(t, (struct tcp_seg){.flags = TCP_RST, .seq = IRS + LEN}),
	                PC_DROP_TCP_RST);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(t->error, ECONNRESET);
	CU_ASSERT_EQUAL(tcp->stash.nb_free, tcp->nb_queues);
	end();
}

/* more is sent behind it */
static void followed(void)
{
	begin(0);
	CU_ASSERT_EQUAL(write_bytes(t, LEN), LEN);
	turn();
	CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS + LEN, IRS + LEN, LEN));
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(tcp->stash.nb_free, tcp->nb_queues);
	CU_ASSERT_EQUAL(input_ack(t, ISS + 2 * LEN), PC_DROP_TCP_ACK_DONE);
	end();
}

static void reset(void)
{
	begin(0);
	tcb_abort(tcp, t, ECONNRESET);
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(tcp->stash.nb_free, tcp->nb_queues);
	end();
}

/* what is stashed with nobody to end it, when all ends */
static void destroyed(void)
{
	begin(0);
	end();
}

/* what has more than a slot, or something unread, is not stashed; nor are few connections */
static void not_stashed(void)
{
	begin(0);
	CU_ASSERT_EQUAL(input_ack(t, ISS + LEN), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(write_bytes(t, STASH_BYTES + 1), STASH_BYTES + 1);
	turn();
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(input_data(t, IRS + LEN, LEN), VERDICT_DONE);
	CU_ASSERT_EQUAL(write_bytes(t, LEN), LEN);
	turn();
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(read_bytes(t, IRS + LEN, 1000), LEN);
	net.ctx.cfg.tcp_stash_from = 1;
	CU_ASSERT_EQUAL(input_ack(t, t->snd_nxt), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(write_bytes(t, LEN), LEN);
	turn();
	CU_ASSERT_FALSE(tcb_is_stashed(t));
	CU_ASSERT_EQUAL(count(PC_TCP_STASHED), 1);
	end();
}

static const struct unit_case cases[] = {
    {"acknowledged", acknowledged},
    {"acknowledged by a request", asked_again},
    {"RFC 6298 section 5: sent again", sent_again},
    {"two sent again", two_sent_again},
    {"RFC 8985 section 7: probed for", probed_for},
    {"without mbufs", without_mbufs},
    {"mbufs are low", mbufs_are_low},
    {"acknowledged when mbufs are low", acknowledged_when_low},
    {"makes room", makes_room},
    {"RFC 9293 3.10.7.4: reset by its peer", reset_by_peer},
    {"followed by more", followed},
    {"reset", reset},
    {"destroyed", destroyed},
    {"what is not stashed", not_stashed},
};

TCP_UNIT_MAIN("tcp/stash")
