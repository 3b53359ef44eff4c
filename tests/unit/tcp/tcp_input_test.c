/* SPDX-License-Identifier: BSD-2-Clause */
/* The way in, step by step of RFC 9293 section 3.10.7, with the verdict of each segment. */

#include <errno.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"
#include "tcp/rcvbuf.h"
#include "tcp/tcp_rx.h"

#define W .wnd = 65535

/* 3.10.7.1: nobody is there */
static void test_closed(void)
{
	start();
	CU_ASSERT_EQUAL(receive(9, 9, SEG(.flags = TCP_SYN, .seq = 7)), PC_DROP_TCP_CLOSED);
	CU_ASSERT(sent(TCP_RST | TCP_ACK, 0, 8, 0));
	CU_ASSERT_EQUAL(receive(9, 9, SEG(.flags = TCP_ACK, .seq = 7, .ack = 99, .len = 3)),
	                PC_DROP_TCP_CLOSED);
	CU_ASSERT(sent(TCP_RST, 99, 0, 0));
	CU_ASSERT_EQUAL(receive(9, 9, SEG(.flags = TCP_FIN, .seq = 7, .len = 3)),
	                PC_DROP_TCP_CLOSED);
	CU_ASSERT(sent(TCP_RST | TCP_ACK, 0, 11, 0));
	CU_ASSERT_EQUAL(receive(9, 9, SEG(.flags = TCP_RST)), PC_DROP_TCP_RST_STRAY);
	CU_ASSERT(silent());
	finish();
}

static void test_parse(void)
{
	start();
	CU_ASSERT_EQUAL(receive(0, 80, SEG(.flags = TCP_SYN)), PC_DROP_TCP_PORT_ZERO);
	CU_ASSERT_EQUAL(receive(80, 0, SEG(.flags = TCP_SYN)), PC_DROP_TCP_PORT_ZERO);
	CU_ASSERT(silent());
	finish();
}

/* 3.10.7.2 */
static void test_listen(void)
{
	struct tcb *l;

	start();
	l = listener(LPORT, 5);
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_RST)), PC_DROP_TCP_RST_STRAY);
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_ACK, .ack = 5)), PC_DROP_TCP_CLOSED);
	CU_ASSERT(sent(TCP_RST, 5, 0, 0));
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = 0)), PC_DROP_TCP_LISTEN);
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_SYN | TCP_FIN)), PC_DROP_TCP_LISTEN);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(receive(9, LPORT, SEG(.flags = TCP_SYN, .seq = 50, W)),
	                PC_DROP_TCP_SYN_HANDLED);
	CU_ASSERT(next_segment() && got.seg.flags == (TCP_SYN | TCP_ACK) && got.seg.ack == 51);
	CU_ASSERT_EQUAL(
	    receive(9, LPORT, SEG(.flags = TCP_ACK, .seq = 51, .ack = got.seg.seq + 1, W)),
	    PC_DROP_TCP_ACK_DONE);
	CU_ASSERT(told(l));
	CU_ASSERT_PTR_NOT_NULL(tcp_accept(tcp, l));
	finish();
}

/* the four cases of the acceptability test, with a window of 65535 and of 0 */
static void test_sequence(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	CU_ASSERT_EQUAL(input_data(t, IRS - 10, 10), PC_DROP_TCP_SEQUENCE);
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 0)); /* MUST: an ACK that tells what is expected */
	CU_ASSERT_EQUAL(input_data(t, IRS + 65535, 10), PC_DROP_TCP_SEQUENCE);
	CU_ASSERT_EQUAL(input_data(t, IRS + 65535, 0), PC_DROP_TCP_SEQUENCE);
	CU_ASSERT_EQUAL(input_data(t, IRS + 65534, 0), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(input_data(t, IRS - 5, 10), VERDICT_DONE); /* half of it is new */
	CU_ASSERT_EQUAL(t->rcv_nxt, IRS + 5);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 5);
	CU_ASSERT_EQUAL(input_data(t, IRS + 65530, 10), VERDICT_DONE); /* cut at the window */
	CU_ASSERT_EQUAL(tcp_queues(tcp, t)->ooo->pkt_len, 5);
	CU_ASSERT(clean());
	t->rcv_adv = t->rcv_nxt;
	tcb_drop_early(tcp, t);
	CU_ASSERT_EQUAL(input_data(t, IRS + 6, 0), PC_DROP_TCP_SEQUENCE);
	CU_ASSERT_EQUAL(input_data(t, IRS + 5, 0), PC_DROP_TCP_ACK_DONE);
	finish();
}

/* MUST-66: a closed window lets an acknowledgement pass, but no data */
static void test_closed_window(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	write_bytes(t, 100);
	turn();
	forget();
	t->rcv_adv = t->rcv_nxt;
	CU_ASSERT_EQUAL(input_data(t, IRS, 10), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT_EQUAL(t->snd_una, ISS + 100);
	CU_ASSERT_EQUAL(t->rcv_nxt, IRS);
	CU_ASSERT_EQUAL(t->rcv_bytes, 0);
	finish();
}

static void test_order(void)
{
	struct tcb *t;

	start();
	t = conn(TCB_OPT_SACK);
	CU_ASSERT_EQUAL(input_data(t, IRS + 100, 50), VERDICT_DONE);
	CU_ASSERT_EQUAL(input_data(t, IRS + 200, 50), VERDICT_DONE);
	CU_ASSERT_FALSE(told(t));
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 0));
	CU_ASSERT_EQUAL(got.seg.nb_sack, 2);
	CU_ASSERT_EQUAL(got.seg.sack[0].start, IRS + 200);
	CU_ASSERT_EQUAL(input_data(t, IRS + 100, 50), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT_EQUAL(input_data(t, IRS, 100), VERDICT_DONE);
	CU_ASSERT(told(t));
	CU_ASSERT_EQUAL(t->rcv_nxt, IRS + 150);
	CU_ASSERT_EQUAL(input_data(t, IRS, 100), PC_DROP_TCP_SEQUENCE);
	CU_ASSERT_EQUAL(input_data(t, IRS + 120, 100), VERDICT_DONE);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 1000), 250);
	turn();
	CU_ASSERT_EQUAL(t->queues, 0);
	finish();
}

/* what is dropped after a look at the payload was cut nowhere: a chain is freed once and whole */
static void test_chains_dropped(void)
{
	const struct tcp_seg s = {.flags = TCP_ACK,
	                          .seq = IRS + 100,
	                          .ack = ISS,
	                          .len = 300,
	                          .wnd = 65535,
	                          .has = TCP_HAS_TS | TCP_HAS_SACK,
	                          .nb_sack = 3}; /* 60 bytes of header */
	struct tcb *t;

	start();
	t = conn(TCB_OPT_SACK);
	for (uint16_t first = 60; first < 140; first += 2) {
		int verdict = receive_mbuf(t->flow.rport, LPORT, s, first, 50);

		CU_ASSERT_EQUAL(verdict, first == 60 ? VERDICT_DONE : PC_DROP_TCP_DUPLICATE);
	}
	net.ctx.mbufs_low = true;
	for (uint16_t first = 60; first < 140; first += 2) {
		struct tcp_seg again = s;

		again.seq += 1000;
		CU_ASSERT_EQUAL(receive_mbuf(t->flow.rport, LPORT, again, first, 50),
		                PC_DROP_TCP_MEMORY);
	}
	net.ctx.mbufs_low = false;
	CU_ASSERT_EQUAL(tcp_queues(tcp, t)->ooo_segs, 1);
	finish();
}

/* 3.10.7.4 second step, RFC 5961 section 3 */
static void test_rst(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST, .seq = IRS - 1)), PC_DROP_TCP_SEQUENCE);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST, .seq = IRS + 1)), PC_DROP_TCP_RST_WINDOW);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST, .seq = IRS)), PC_DROP_TCP_RST);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp_take_error(t), ECONNRESET);
	CU_ASSERT(told(t));
	tcp_close(tcp, t);
	finish();
}

static void test_syn(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_SYN, .seq = IRS + 5)), PC_DROP_TCP_SYN_WINDOW);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 0));
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_SYN, .seq = IRS + 100000)),
	                PC_DROP_TCP_SYN_WINDOW);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_PSH, .seq = IRS, .len = 5)), PC_DROP_TCP_NO_ACK);
	finish();
}

/* RFC 7323 section 5 */
static void test_timestamps(void)
{
	struct tcb *t;

	start();
	t = conn(TCB_OPT_TS);
	t->ts_recent = 1000;
	t->ts_recent_at = net.ctx.era;
	CU_ASSERT_EQUAL(input_data(t, IRS, 5), PC_DROP_TCP_NO_TIMESTAMP);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS, .len = 5, W,
	                             .has = TCP_HAS_TS, .tsval = 999)),
	                PC_DROP_TCP_PAWS);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS, .len = 5, W,
	                             .has = TCP_HAS_TS, .tsval = 1001)),
	                VERDICT_DONE);
	CU_ASSERT_EQUAL(t->ts_recent, 1001);
	/* ahead of what was acknowledged: not remembered */
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_ACK, .seq = IRS + 50, .ack = ISS, .len = 5, W,
	                             .has = TCP_HAS_TS, .tsval = 1005)),
	                VERDICT_DONE);
	CU_ASSERT_EQUAL(t->ts_recent, 1001);
	/* RST needs none, and an old one does not save the connection */
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST, .seq = t->rcv_nxt)), PC_DROP_TCP_RST);
	tcp_close(tcp, t);
	finish();
}

/* eighth step: FIN, also early and with data */
static void test_fin(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	CU_ASSERT_EQUAL(
	    input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS + 10, .ack = ISS, .len = 10, W)),
	    VERDICT_DONE);
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	CU_ASSERT_EQUAL(input_data(t, IRS, 10), VERDICT_DONE);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSE_WAIT);
	CU_ASSERT_EQUAL(t->rcv_nxt, IRS + 21);
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS + 21, 0));
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLRDHUP);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 20);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 0);
	/* again, as its acknowledgement was lost */
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS + 20, .ack = ISS, W)),
	                PC_DROP_TCP_SEQUENCE);
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS + 21, 0));
	finish();
}

/* ... at the edge of the window, and one that text goes on behind: forged, or of a peer that contradicts itself */
static void test_early_fin(void)
{
	struct tcb *t;
	uint32_t wnd;

	start();
	t = conn(0);
	wnd = t->rcv_adv - t->rcv_nxt;
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS + wnd - 10, .ack = ISS,
	                             .len = 10, W)),
	                VERDICT_DONE);
	for (uint32_t at = 0; at < wnd - 10; at += 1000)
		CU_ASSERT_EQUAL(input_data(t, IRS + at, RTE_MIN(1000u, wnd - 10 - at)),
		                VERDICT_DONE);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSE_WAIT);
	CU_ASSERT_EQUAL(t->rcv_nxt, IRS + wnd + 1);
	finish();
	start();
	t = conn(0);
	(void)input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS + 15, .ack = ISS, W));
	CU_ASSERT(tcp_queues(tcp, t)->fin_early);
	CU_ASSERT(tcp_queues(tcp, t)->idle); /* others may have the queues */
	CU_ASSERT_EQUAL(input_data(t, IRS, 20), VERDICT_DONE);
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	CU_ASSERT(!tcp_queues(tcp, t)->fin_early);
	finish();
}

/* the closing states of figure 5, by who closes first */
static void test_closing(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	tcp_shutdown(tcp, t, 1);
	turn();
	CU_ASSERT(sent(TCP_FIN | TCP_ACK, ISS, IRS, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_FIN_WAIT_1);
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS, W)); /* both at once */
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSING);
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS + 1, IRS + 1, 0));
	input(t, SEG(.flags = TCP_ACK, .seq = IRS + 1, .ack = ISS + 1, W));
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp->tw.used, 1);
	tcp_close(tcp, t);

	t = conn(0); /* defect 7 of the list: FIN with the ACK of ours goes to TIME-WAIT at once */
	tcp_shutdown(tcp, t, 1);
	turn();
	forget();
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS + 1, W));
	CU_ASSERT(sent(TCP_ACK, ISS + 1, IRS + 1, 0));
	CU_ASSERT_EQUAL(tcp->tw.used, 2);
	tcp_close(tcp, t);

	t = conn(0); /* the peer first */
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS, W));
	tcp_close(tcp, t);
	turn();
	CU_ASSERT(sent(TCP_FIN | TCP_ACK, ISS, IRS + 1, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_LAST_ACK);
	input(t, SEG(.flags = TCP_ACK, .seq = IRS + 1, .ack = ISS + 1, W));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	CU_ASSERT_EQUAL(tcp->tw.used, 2);
	finish();
}

/* data for an application that is gone */
static void test_closed_data(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	tcp_close(tcp, t);
	turn();
	CU_ASSERT(sent(TCP_FIN | TCP_ACK, ISS, IRS, 0));
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_ACK, .seq = IRS, .ack = ISS, .len = 10, W)),
	                PC_DROP_TCP_CLOSED_DATA);
	CU_ASSERT(next_segment() && (got.seg.flags & TCP_RST) != 0);
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	finish();
}

/* 3.8.6.3: every second full segment is acknowledged at once, others within the delay */
static void test_acknowledgements(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	input_data(t, IRS, MSS);
	turn();
	CU_ASSERT(silent());
	input_data(t, IRS + MSS, MSS);
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS + 2 * MSS, 0));
	input_data(t, IRS + 2 * MSS, MSS);
	input_data(t, IRS + 3 * MSS, MSS);
	input_data(t, IRS + 4 * MSS, MSS); /* one acknowledgement for a turn */
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS + 5 * MSS, 0));
	input_data(t, IRS + 5 * MSS, 10);
	pass(38);
	CU_ASSERT(silent());
	pass(4);
	CU_ASSERT(sent(TCP_ACK, ISS, IRS + 5 * MSS + 10, 0));
	CU_ASSERT_EQUAL(count(PC_TCP_DELACKS), 1);
	tcp_close(tcp, t);
	finish();
}

/* simultaneous open (figure 8) */
static void test_simultaneous_open(void)
{
	const struct pc_endpoint peer = {.addr = pc_addr_ip4(NET_PEER), .port = 80};
	struct tcb *t;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_connect(tcp, t, &peer), 0);
	CU_ASSERT(next_segment() && got.seg.flags == TCP_SYN);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_SYN, .seq = IRS - 1, W)),
	                PC_DROP_TCP_SYN_HANDLED);
	CU_ASSERT_EQUAL(t->state, TCP_S_SYN_RECEIVED);
	CU_ASSERT(next_segment() && got.seg.flags == (TCP_SYN | TCP_ACK) && got.seg.ack == IRS);
	input(t, SEG(.flags = TCP_SYN | TCP_ACK, .seq = IRS - 1, .ack = t->snd_nxt, W));
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	finish();
}

/* 3.10.7.3 */
static void test_syn_sent(void)
{
	const struct pc_endpoint peer = {.addr = pc_addr_ip4(NET_PEER), .port = 80};
	struct tcb *t;
	uint32_t iss;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_connect(tcp, t, &peer), 0);
	forget();
	iss = t->snd_una;
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_ACK, .ack = iss)), PC_DROP_TCP_SYN_SENT);
	CU_ASSERT(sent(TCP_RST, iss, 0, 0));
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST, .seq = 5)), PC_DROP_TCP_SYN_SENT);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST | TCP_ACK, .ack = iss)),
	                PC_DROP_TCP_SYN_SENT);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_ACK, .ack = iss + 1)), PC_DROP_TCP_SYN_SENT);
	CU_ASSERT(silent());
	CU_ASSERT_EQUAL(t->state, TCP_S_SYN_SENT);
	CU_ASSERT_EQUAL(input(t, SEG(.flags = TCP_RST | TCP_ACK, .ack = iss + 1)), PC_DROP_TCP_RST);
	CU_ASSERT_EQUAL(tcp_take_error(t), ECONNREFUSED);
	tcp_close(tcp, t);
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_connect(tcp, t, &peer), 0);
	forget();
	CU_ASSERT_EQUAL(
	    input(t, SEG(.flags = TCP_SYN | TCP_ACK, .seq = IRS - 1, .ack = t->snd_nxt, W,
	                 .has = TCP_HAS_MSS | TCP_HAS_WSCALE, .mss = 1000, .wscale = 20)),
	    PC_DROP_TCP_SYN_HANDLED);
	turn();
	CU_ASSERT(sent(TCP_ACK, t->snd_nxt, IRS, 0));
	CU_ASSERT_EQUAL(t->mss, 1000);
	CU_ASSERT_EQUAL(t->snd_wscale, 14); /* RFC 7323 section 2.3 */
	CU_ASSERT_EQUAL(t->snd_wnd, 65535); /* never scaled in a SYN */
	finish();
}

/* requests of a connection that needs the thorough way are a guest's, too (strangers.h) */
static void test_guest(void)
{
	struct strangers s = {.is_long = true};
	struct tcb *t;

	start();
	t = conn(0);
	t->state = TCP_S_FIN_WAIT_2;
	net.ctx.strangers = &s;
	for (uint32_t i = 0; i < STRANGERS_GUEST + 3; i++)
		CU_ASSERT_EQUAL(input_data(t, IRS + i * 10, 10), VERDICT_DONE);
	CU_ASSERT_EQUAL(s.guests, 3);
	net.ctx.strangers = NULL;
	turn();
	forget();
	finish();
}

/* the sum of a short segment is that of all its bytes, whatever its length */
static void test_short_sum(void)
{
	uint8_t bytes[CKSUM_SHORT];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 73 + 41);
	for (uint32_t len = TCP_HDR_LEN; len < CKSUM_SHORT; len++)
		CU_ASSERT_EQUAL(cksum_fold_be(tcp_rx_sum(7, bytes, len)),
		                cksum_fold_be(cksum_add(7, bytes, len)));
}

static const struct unit_case cases[] = {
    {"CLOSED", test_closed},
    {"checksums of every short length", test_short_sum},
    {"headers that are refused", test_parse},
    {"LISTEN", test_listen},
    {"SYN-SENT", test_syn_sent},
    {"simultaneous open", test_simultaneous_open},
    {"the acceptability test", test_sequence},
    {"a closed window", test_closed_window},
    {"data in any order", test_order},
    {"chains that are dropped", test_chains_dropped},
    {"RST", test_rst},
    {"SYN, and no ACK", test_syn},
    {"timestamps", test_timestamps},
    {"FIN", test_fin},
    {"a FIN that comes early", test_early_fin},
    {"the closing states", test_closing},
    {"data for nobody", test_closed_data},
    {"a guest by the thorough way", test_guest},
    {"when to acknowledge", test_acknowledgements},
};

TCP_UNIT_MAIN("tcp_input")
