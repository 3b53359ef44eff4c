/* SPDX-License-Identifier: BSD-2-Clause */

/* The acknowledgement field: its range, what it takes out of the queue, the window, the timer, the round trip. */

#include "tcp/tcp_ack.h"

#include "../unit.h"
#include "fixture.h"

static struct tcb *t;

/* n full segments under way */
static void begin(uint32_t n)
{
	start();
	t = conn(0);
	CU_ASSERT_EQUAL(write_bytes(t, n * MSS), n * MSS);
	turn();
	forget();
	CU_ASSERT_EQUAL(t->snd_nxt, ISS + n * MSS);
}

static struct tcp_seg acks(uint32_t ack)
{
	return SEG(.flags = TCP_ACK, .seq = IRS, .ack = ack, .wnd = 65535);
}

/* "SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT" (RFC 5961 section 5.2) */
static void range(void)
{
	struct tcp_seg s;

	begin(2);
	for (unsigned i = 0; i < 2; i++) {
		s = acks(i == 0 ? t->snd_nxt + 1 : t->snd_una - 65536);
		CU_ASSERT_EQUAL(tcp_ack(tcp, t, &s, 0), PC_DROP_TCP_ACK_RANGE);
		CU_ASSERT_EQUAL(count(PC_TCP_CHALLENGE_ACKS), i + 1);
		CU_ASSERT_EQUAL(t->snd_una, ISS);
	}
	s = acks(t->snd_una - 65535); /* old, but no attack: nothing is taken from it */
	s.wnd = 1;
	CU_ASSERT_EQUAL(tcp_ack(tcp, t, &s, 0), VERDICT_DONE);
	CU_ASSERT_EQUAL(t->snd_wnd, 65535);
	CU_ASSERT_EQUAL(count(PC_TCP_CHALLENGE_ACKS), 2);
	t->snd_max_wnd = 1000; /* of a peer that never had more */
	s = acks(t->snd_una - 1001);
	CU_ASSERT_EQUAL(tcp_ack(tcp, t, &s, 0), PC_DROP_TCP_ACK_RANGE);
	t->snd_max_wnd = 1000000;
	s = acks(t->snd_una - 1000000);
	CU_ASSERT_EQUAL(tcp_ack(tcp, t, &s, 0), VERDICT_DONE);
	CU_ASSERT_EQUAL(count(PC_TCP_CHALLENGE_ACKS), 3);
	forget();
	finish();
}

static void in_the_middle(void)
{
	struct tcp_seg s;
	struct pkt *head;

	begin(3);
	s = acks(ISS + MSS + 100);
	CU_ASSERT_EQUAL(tcp_ack(tcp, t, &s, 0), VERDICT_DONE);
	head = pkt_of(tcp_queues(tcp, t)->snd.head);
	CU_ASSERT_EQUAL(head->tx.seq, ISS + MSS + 100);
	CU_ASSERT_EQUAL(head->tx.len, MSS - 100);
	CU_ASSERT_EQUAL(t->snd_bytes, 2 * MSS - 100);
	CU_ASSERT(t->timers & TCB_T_LOSS);
	s = acks(ISS + 3 * MSS);
	CU_ASSERT_EQUAL(tcp_ack(tcp, t, &s, 0), VERDICT_DONE);
	CU_ASSERT_EQUAL(t->snd_bytes, 0);
	CU_ASSERT_FALSE(t->timers & TCB_T_LOSS); /* RFC 6298 (5.2) */
	turn();
	finish();
}

/* RFC 6298 section 3 (Karn), and section 5: without a sample the back-off stays */
static void round_trip(void)
{
	struct tcp_seg s;
	uint32_t rto;

	begin(3);
	pass(30);
	s = acks(ISS + MSS);
	tcp_ack(tcp, t, &s, 0);
	CU_ASSERT(t->srtt_us >= 29000 && t->srtt_us <= 32000);
	rto = t->rto_us;
	pkt_of(tcp_queues(tcp, t)->snd.head)->tx.sends = 2;
	t->retries = 1;
	pass(30);
	s = acks(ISS + 2 * MSS);
	tcp_ack(tcp, t, &s, 0);
	CU_ASSERT(t->srtt_us >= 29000 && t->srtt_us <= 32000);
	CU_ASSERT_EQUAL(t->rto_us, 2 * rto);
	CU_ASSERT_EQUAL(t->retries, 0);
	turn();
	forget();
	finish();
}

/* "SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)" (RFC 9293 3.10.7.4) */
static void window(void)
{
	const struct {
		int32_t seq; /* from SND.WL1 */
		uint16_t wnd;
		bool more, taken;
	} table[] = {{0, 1000, false, true},
	             {1, 2000, false, true},
	             {-1, 3000, false, false},
	             {100, 65000, false, true},
	             {-1, 4000, true, true}};

	begin(1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct tcp_seg s = acks(ISS);
		const uint32_t was = t->snd_wnd, wl1 = t->snd_wl1;

		s.seq = t->snd_wl1 + (uint32_t)table[i].seq;
		s.wnd = table[i].wnd;
		CU_ASSERT_EQUAL(tcp_take_window(t, &s, table[i].more), table[i].taken);
		CU_ASSERT_EQUAL(t->snd_wnd, table[i].taken ? table[i].wnd : was);
		CU_ASSERT_EQUAL(t->snd_wl1, table[i].seq > 0 ? s.seq : wl1); /* never back */
	}
	CU_ASSERT_EQUAL(t->snd_max_wnd, 65535);
	t->snd_wscale = 3;
	CU_ASSERT(tcp_take_window(t, &SEG(.seq = t->snd_wl1, .wnd = 10000), false));
	CU_ASSERT_EQUAL(t->snd_wnd, 80000);
	CU_ASSERT_EQUAL(t->snd_max_wnd, 80000);
	finish();
}

static const struct unit_case cases[] = {
    {"RFC 5961 5.2: the range", range},
    {"RFC 9293 3.10.7.4: in the middle of a segment", in_the_middle},
    {"RFC 6298 3, 5: round trips", round_trip},
    {"RFC 9293 3.10.7.4: the window", window},
};

TCP_UNIT_MAIN("tcp_ack")
