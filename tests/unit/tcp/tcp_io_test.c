/* SPDX-License-Identifier: BSD-2-Clause */
/* What a socket does with a connection: send, receive, peek, discard, and what is ready. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"

static void test_recv(void)
{
	uint8_t a[40], c[100];
	const struct iovec iov[2] = {{a, sizeof(a)}, {c, sizeof(c)}};
	struct tcb *t;

	start();
	t = conn(0);
	CU_ASSERT_EQUAL(tcp_recv(tcp, t, iov, 2, false), -EAGAIN);
	input_data(t, IRS, 100);
	CU_ASSERT_EQUAL(tcp_recv(tcp, t, iov, 2, true), 100); /* a look takes nothing */
	CU_ASSERT(is_payload(a, IRS, 40) && is_payload(c, IRS + 40, 60));
	CU_ASSERT_EQUAL(tcp_recv(tcp, t, iov, 1, false), 40);
	CU_ASSERT_EQUAL(tcp_recv(tcp, t, iov, 1, false),
	                40); /* defect 1: not the same bytes again */
	CU_ASSERT(is_payload(a, IRS + 40, 40));
	CU_ASSERT_EQUAL(t->rcv_bytes, 20);
	CU_ASSERT_EQUAL(tcp_discard(tcp, t, 15), 15);
	CU_ASSERT_EQUAL(tcp_recv(tcp, t, iov, 2, false), 5);
	CU_ASSERT(is_payload(a, IRS + 95, 5));
	turn(); /* an answer may need them until then */
	CU_ASSERT_EQUAL(t->queues, 0);
	finish();
}

/* reads of random sizes, by copy and by mbuf, give the stream */
static void test_recv_random(void)
{
	unsigned seed = 5;
	uint32_t in = IRS, out = IRS;
	struct tcb *t;

	start();
	t = conn(0);
	for (int i = 0; i < 3000; i++) {
		uint32_t len = 1 + (uint32_t)rand_r(&seed) % (rand_r(&seed) % 2 ? 20 : MSS);

		if (in - out < 30000 && input_data(t, in, len) == VERDICT_DONE)
			in += len;
		if (rand_r(&seed) % 3 == 0) {
			struct rte_mbuf *m;
			uint8_t bytes[2048];
			const void *p;

			if (tcp_recv_mbufs(tcp, t, &m, 1) != 1)
				continue;
			p = rte_pktmbuf_read(m, 0, m->pkt_len, bytes);
			CU_ASSERT_FATAL(p != NULL && is_payload(p, out, m->pkt_len));
			out += m->pkt_len;
			rte_pktmbuf_free(m);
		} else {
			ssize_t n = read_bytes(t, out, 1 + (uint32_t)rand_r(&seed) % 3000);

			out += n > 0 ? (uint32_t)n : 0;
		}
		turn();
		forget();
	}
	while (read_bytes(t, out, 100) > 0)
		out += RTE_MIN(100u, in - out);
	CU_ASSERT_EQUAL(out, in);
	CU_ASSERT(in - IRS > 1000000);
	finish();
}

static void test_send_states(void)
{
	const struct pc_endpoint peer = {.addr = pc_addr_ip4(NET_PEER), .port = 80};
	struct tcb *t;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(write_bytes(t, 10), -EPIPE);
	CU_ASSERT_EQUAL(tcp_connect(tcp, t, &peer), 0);
	CU_ASSERT_EQUAL(write_bytes(t, 10), -EAGAIN);
	t = conn(0);
	CU_ASSERT_EQUAL(write_bytes(t, 10), 10);
	t->error = EHOSTUNREACH;
	CU_ASSERT_EQUAL(write_bytes(t, 10), -EHOSTUNREACH);
	CU_ASSERT_EQUAL(write_bytes(t, 10), 10); /* told once */
	tcp_shutdown(tcp, t, 1);
	CU_ASSERT_EQUAL(write_bytes(t, 10), -EPIPE);
	finish();
}

/* defect 11 of the list: a full buffer is told of when it has room again */
static void test_full(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	t->snd_max = 10000;
	t->flags |= TCB_SNDBUF_SET;
	CU_ASSERT_EQUAL(write_bytes(t, 30000), 10000);
	CU_ASSERT_EQUAL(write_bytes(t, 1), -EAGAIN);
	CU_ASSERT_FALSE(tcp_mask(tcp, t) & EPOLLOUT);
	turn();
	told(t);
	input_ack(t, ISS + MSS);
	CU_ASSERT_FALSE(told(t)); /* a third must be free */
	turn();
	input_ack(t, ISS + 3 * MSS);
	CU_ASSERT(told(t));
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLOUT);
	turn();
	forget();
	finish();
}

/* mbufs are short: the caller is refused, and told when there are some again */
static void test_starved(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	net.ctx.mbufs_low = true;
	net.ctx.mbufs_spare = 0;
	CU_ASSERT_EQUAL(write_bytes(t, 10), -EAGAIN);
	CU_ASSERT_EQUAL(t->queues, 0);
	CU_ASSERT_FALSE(tcp_mask(tcp, t) & EPOLLOUT);
	told(t);
	turn();
	CU_ASSERT_FALSE(told(t));
	net.ctx.mbufs_low = false;
	turn();
	CU_ASSERT(told(t));
	CU_ASSERT_EQUAL(write_bytes(t, 10), 10);
	finish();
}

/* who has asked whether he may write and may not is told when he may, as by Linux's poll */
static void test_asked(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	net.ctx.mbufs_low = true;
	net.ctx.mbufs_spare = 0;
	CU_ASSERT_FALSE(tcp_mask(tcp, t) & EPOLLOUT);
	told(t);
	turn();
	CU_ASSERT_FALSE(told(t));
	net.ctx.mbufs_low = false;
	net.ctx.mbufs_spare = 1u << 16;
	turn();
	CU_ASSERT(told(t));
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLOUT);
	t->snd_max = 10000;
	t->flags |= TCB_SNDBUF_SET;
	CU_ASSERT_EQUAL(write_bytes(t, 10000), 10000);
	CU_ASSERT_FALSE(tcp_mask(tcp, t) & EPOLLOUT);
	turn();
	told(t);
	input_ack(t, ISS + 4 * MSS);
	CU_ASSERT(told(t));
	turn();
	forget();
	finish();
}

static void test_send_mbuf(void)
{
	struct rte_mbuf *m;
	struct tcb *t;

	start();
	t = conn(0);
	t->snd_max = 4096;
	t->flags |= TCB_NODELAY | TCB_SNDBUF_SET;
	CU_ASSERT_EQUAL(tcp_send_mbuf(tcp, t, payload_mbuf(ISS, 5000, 700)),
	                0); /* alone: any size */
	m = payload_mbuf(ISS + 5000, 10, 0);
	CU_ASSERT_EQUAL(tcp_send_mbuf(tcp, t, m), -EAGAIN);
	rte_pktmbuf_free(m); /* it stays the caller's */
	CU_ASSERT_EQUAL(tcp_send_mbuf(tcp, t, rte_pktmbuf_alloc(net.pool)), 0); /* nothing */
	turn();
	for (uint32_t seq = ISS; seq < ISS + 5000; seq += got.payload_len) {
		CU_ASSERT_FATAL(next_segment() && got.seg.seq == seq && got.payload_len > 0);
		CU_ASSERT(is_payload(got.payload, seq, got.payload_len));
	}
	CU_ASSERT(clean());
	input_ack(t, t->snd_nxt);
	finish();
}

static void test_end(void)
{
	struct tcb *t;

	start();
	t = conn(0);
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS, .len = 5, .wnd = 65535));
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 5);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 0);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 0);
	t = conn(0);
	input_data(t, IRS, 5);
	input(t, SEG(.flags = TCP_RST, .seq = IRS + 5));
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 5); /* what came before stays readable */
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), -ECONNRESET);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), 0);
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 100), -ENOTCONN);
	finish();
}

static void test_mask(void)
{
	struct tcb *t, *l;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLHUP);
	t = conn(0);
	CU_ASSERT_EQUAL(tcp_mask(tcp, t), EPOLLOUT | EPOLLWRNORM);
	input_data(t, IRS, 5);
	CU_ASSERT_EQUAL(tcp_mask(tcp, t), EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
	tcp_shutdown(tcp, t, 0);
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLRDHUP);
	tcp_shutdown(tcp, t, 1);
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLHUP);
	l = listener(81, 5);
	CU_ASSERT_EQUAL(tcp_mask(tcp, l), 0);
	t = conn(0);
	t->error = ECONNRESET;
	CU_ASSERT(tcp_mask(tcp, t) & EPOLLERR);
	finish();
}

/* What tcp_send has returned and queued. */
struct queued {
	ssize_t n;
	uint32_t snd_bytes, spare, flags, seq, seg_flags;
	uint16_t len, cookie;
};

static struct queued answer(uint32_t len, int pieces, int flags, uint32_t snd_max)
{
	static uint8_t bytes[4 * MSS];
	const uint32_t first = pieces == 1 ? len : 1;
	const struct iovec iov[] = {{bytes, first}, {bytes + first, len - first}};
	struct queued r = {0};
	const struct pkt *note;
	struct tcb *t;

	start();
	t = conn(0);
	t->snd_max = snd_max;
	t->flags |= TCB_SNDBUF_SET;
	input_data(t, IRS, 10);
	CU_ASSERT_EQUAL(read_bytes(t, IRS, 10), 10);
	payload(bytes, ISS, len);
	r.n = tcp_send(tcp, t, iov, pieces, flags);
	note = pkt_of(tcp_queues(tcp, t)->snd.head);
	r.snd_bytes = t->snd_bytes;
	r.spare = net.ctx.mbufs_spare;
	r.flags = t->flags;
	r.seq = note->tx.seq;
	r.len = note->tx.len;
	r.cookie = (uint16_t)note->tx.cookie;
	r.seg_flags = note->tx.flags;
	turn();
	if (r.len < MSS && flags == 0)
		CU_ASSERT(sent(TCP_ACK | TCP_PSH, ISS, IRS + 10, r.len));
	forget();
	input_ack(t, t->snd_nxt);
	finish();
	return r;
}

/* An answer in one piece takes a short way, and one in two does not: the same is queued. */
static void test_answer(void)
{
	static const uint32_t lens[] = {2, 85, 300, MSS - 1, MSS, MSS + 1, 3 * MSS};
	static const uint32_t most[] = {1u << 20, 200, 85};
	static const int flags[] = {0, MSG_MORE, MSG_EOR, MSG_NOSIGNAL};

	for (unsigned i = 0; i < RTE_DIM(lens); i++)
		for (unsigned k = 0; k < RTE_DIM(most); k++)
			for (unsigned f = 0; f < RTE_DIM(flags); f++) {
				const struct queued a = answer(lens[i], 1, flags[f], most[k]);
				const struct queued b = answer(lens[i], 2, flags[f], most[k]);

				CU_ASSERT_EQUAL(a.n, RTE_MIN(lens[i], most[k]));
				CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
			}
}

static const struct unit_case cases[] = {
    {"receive, peek, discard", test_recv},
    {"random reads give the stream", test_recv_random},
    {"the end of the stream, and its errors", test_end},
    {"who may send", test_send_states},
    {"a full send buffer", test_full},
    {"mbufs are short", test_starved},
    {"who has asked is told", test_asked},
    {"sending mbufs", test_send_mbuf},
    {"an answer in one piece or two", test_answer},
    {"what is ready", test_mask},
};

TCP_UNIT_MAIN("tcp_io")
