/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending a connection: shutdown and close in each state, and what ICMP may do. */

#include <errno.h>
#include <sys/socket.h>

#include "../unit.h"
#include "fixture.h"

/* FIN after everything that is queued, on the last segment */
static void test_fin_behind_data(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	write_bytes(t, MSS + 100);
	tcp_close(tcp, t);
	turn();
	CU_ASSERT(sent(TCP_ACK, ISS, IRS, MSS));
	CU_ASSERT(sent(TCP_FIN | TCP_PSH | TCP_ACK, ISS + MSS, IRS, 100));
	CU_ASSERT_EQUAL(t->state, TCP_S_FIN_WAIT_1);
	input_ack(t, ISS + MSS + 100);
	CU_ASSERT_EQUAL(t->state, TCP_S_FIN_WAIT_1);
	input_ack(t, ISS + MSS + 101);
	CU_ASSERT_EQUAL(t->state, TCP_S_FIN_WAIT_2);
	finish();
}

/* RFC 2525 section 2.17: not everything was read, and the peer shall know */
static void test_unread(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	input_data(t, IRS, 10);
	tcp_close(tcp, t);
	CU_ASSERT(sent(TCP_RST | TCP_ACK, ISS, IRS + 10, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	t = conn(0);
	t->flags |= TCB_LINGER | TCB_LINGER_0;
	write_bytes(t, 10);
	tcp_close(tcp, t);
	CU_ASSERT(sent(TCP_PSH | TCP_ACK, ISS, IRS, 10));
	CU_ASSERT(sent(TCP_RST | TCP_ACK, ISS + 10, IRS, 0));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	finish();
}

static void test_shutdown(void)
{
	struct tcb *t;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, t, SHUT_WR), -ENOTCONN);
	t = conn(0);
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, t, SHUT_RD), 0);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 10), 0);
	CU_ASSERT(told(t));
	turn();
	CU_ASSERT(silent()); /* nothing on the wire */
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, t, SHUT_WR), 0);
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, t, SHUT_WR), 0); /* twice does no harm */
	turn();
	CU_ASSERT(sent(TCP_FIN | TCP_ACK, ISS, IRS, 0));
	CU_ASSERT(silent());
	finish();
}

/* half-closed: the peer's data still comes */
static void test_half_close(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	tcp_shutdown(tcp, t, SHUT_WR);
	turn();
	forget();
	input_ack(t, ISS + 1);
	CU_ASSERT_EQUAL(input_data(t, IRS, 100), VERDICT_DONE);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 200), 100);
	pass(50);
	CU_ASSERT(sent(TCP_ACK, ISS + 1, IRS + 100, 0));
	finish();
}

/* shutdown of a listener ends it, and what waits is reset; its name stays */
static void test_listener(void)
{
	struct tcb *l, *t;

	start();
	l = listener(LPORT, 5);
	t = conn(0);
	t->flags &= ~(uint32_t)TCB_OPEN;
	t->poll = (struct pollable){0};
	t->binding = l->binding;
	listener_push(tcp, l->binding, t);
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, l, SHUT_WR), 0);
	CU_ASSERT_EQUAL(l->state, TCP_S_LISTEN);
	CU_ASSERT_EQUAL(tcp_shutdown(tcp, l, SHUT_RD), 0);
	CU_ASSERT_EQUAL(l->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp->bind.listeners, 0);
	CU_ASSERT(next_segment() && (got.seg.flags & TCP_RST));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	CU_ASSERT(l->flags & TCB_BOUND);
	CU_ASSERT_EQUAL(tcp_listen(tcp, l, 5), 0);
	finish();
}

static struct icmp_error error_about(const struct tcb *t, uint32_t seq, int error, bool hard)
{
	return (struct icmp_error){.remote = t->flow.raddr,
	                           .laddr = t->flow.laddr,
	                           .local_port = t->flow.lport,
	                           .remote_port = t->flow.rport,
	                           .seq = seq,
	                           .error = error,
	                           .hard = hard};
}

/* RFC 5927: believed only about what is under way, and never the end of a connection */
static void test_icmp(void)
{
	const struct pc_endpoint peer = {.addr = pc_addr_ip4(NET_PEER), .port = 80};
	struct icmp_error e;
	struct tcb *t;

	start();
	t = conn(0);
	write_bytes(t, 100);
	turn();
	forget();
	e = error_about(t, ISS, ECONNREFUSED, true);
	tcp_error(tcp, &e);
	CU_ASSERT_EQUAL(t->state, TCP_S_ESTABLISHED);
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_connect(tcp, t, &peer), 0);
	forget();
	e = error_about(t, t->snd_una + 5, ECONNREFUSED, true);
	tcp_error(tcp, &e);
	CU_ASSERT_EQUAL(t->state, TCP_S_SYN_SENT);
	e = error_about(t, t->snd_una, EHOSTUNREACH, false);
	tcp_error(tcp, &e);
	CU_ASSERT_EQUAL(t->state, TCP_S_SYN_SENT);
	e = error_about(t, t->snd_una, ECONNREFUSED, true);
	tcp_error(tcp, &e);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT_EQUAL(tcp_take_error(t), ECONNREFUSED);
	finish();
}

/* RFC 1191: a narrower path; what is under way is sent again in smaller pieces */
static void test_too_big(void)
{
	struct icmp_error e;
	struct tcb *t;
	uint32_t seq;

	start();
	t = conn(0);
	write_bytes(t, 2 * MSS);
	turn();
	forget();
	e = error_about(t, ISS, EMSGSIZE, false);
	e.mtu = 100; /* not below the floor */
	tcp_error(tcp, &e);
	CU_ASSERT_EQUAL(t->path_mtu, 552);
	e.mtu = 1400;
	tcp_error(tcp, &e); /* it does not become wider again */
	CU_ASSERT_EQUAL(t->mss, 512);
	t->cwnd = t->ssthresh = 100 * MSS;
	pass(5);
	for (seq = ISS; next_segment(); seq += got.payload_len) {
		CU_ASSERT(got.seg.seq == seq && got.payload_len <= 512);
		CU_ASSERT(is_payload(got.payload, seq, got.payload_len));
		input_ack(t, seq + got.payload_len);
		turn();
	}
	CU_ASSERT_EQUAL(seq, ISS + 2 * MSS);
	CU_ASSERT(clean());
	finish();
}

static const struct unit_case cases[] = {
    {"FIN goes behind the data", test_fin_behind_data},
    {"unread bytes, and lingering for no time", test_unread},
    {"shutdown", test_shutdown},
    {"half-closed", test_half_close},
    {"shutdown of a listener", test_listener},
    {"ICMP errors", test_icmp},
    {"a narrower path", test_too_big},
};

TCP_UNIT_MAIN("tcp_close")
