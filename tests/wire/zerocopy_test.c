/* SPDX-License-Identifier: BSD-2-Clause */

/* pc_recv_mbuf and pc_send_mbuf on TCP: who owns what, and what goes over the wire. */

#include <rte_mbuf.h>

#include "wt.h"

/* A chain of segs mbufs with n pattern bytes in all; room is the headroom of the first. */
static struct rte_mbuf *chain(struct wt *w, uint32_t n, unsigned segs, uint16_t room)
{
	struct rte_mbuf *head = NULL;
	uint32_t done = 0;

	for (unsigned i = 0; i < segs; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
		uint32_t len = i + 1 < segs ? n / segs : n - done;

		CHECK(m != NULL);
		if (i == 0)
			m->data_off = room;
		for (uint32_t k = 0; k < len; k++)
			*rte_pktmbuf_mtod_offset(m, uint8_t *, k) =
			    wt_pattern(0, w->flow.sent + done + k);
		m->data_len = (uint16_t)len;
		m->pkt_len = len;
		done += len;
		if (head == NULL)
			head = m;
		else
			CHECK(rte_pktmbuf_chain(head, m) == 0);
	}
	return head;
}

static void send_chain(struct wt *w, uint32_t n, unsigned segs, uint16_t room)
{
	EQ(pc_send_mbuf(w->st, w->flow.fd, chain(w, n, segs, room), NULL), 0);
	w->flow.sent += n;
	wt_settle(w);
	w->mark = w->now;
}

static void send_one(struct wt *w)
{
	wt_established(w);
	send_chain(w, 1000, 1, 128);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1,
	          .len = 1000); /* the same bytes again */
	INJECT(.flags = A, .seq = 1, .ack = 1001);
}

static void send_without_headroom(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	send_chain(w, 1000, 1, 0);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	send_chain(w, 700, 1, 61);
	EXPECT(.flags = PA, .seq = 1001, .ack = 1, .len = 700);
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = 1000, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1701);
}

static void send_chains(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (unsigned segs = 1; segs <= 6; segs++) {
		uint32_t seq = 1 + w->flow.sent, got = 0;

		send_chain(w, 600 * segs, segs, 128);
		while (got < 600 * segs) {
			uint32_t len = probe_sent(w->probe) != NULL ? wt_sent_len(w) : 0;

			CHECK(len > 0 && len <= 1460);
			EXPECT(.flags = A, .seq = seq + got, .ack = 1, .len = len, .any_psh = true);
			got += len;
		}
		EQ(got, 600 * segs);
		INJECT(.flags = A, .seq = 1, .ack = seq + got);
	}
}

static void send_shared(struct wt *w)
{
	struct rte_mbuf *m, *clone;

	wt_established(w);
	m = chain(w, 500, 1, 128);
	clone = rte_pktmbuf_clone(m, w->pool);
	CHECK(clone != NULL);
	EQ(pc_send_mbuf(w->st, w->flow.fd, clone, NULL), 0);
	w->flow.sent += 500;
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 500);
	/* nothing may have been written into the data that somebody else holds */
	for (uint32_t k = 0; k < 500; k++)
		EQ(*rte_pktmbuf_mtod_offset(m, uint8_t *, k), wt_pattern(0, k));
	EQ(m->data_off, 128);
	rte_pktmbuf_free(m);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 500);
	INJECT(.flags = A, .seq = 1, .ack = 501);
}

static void mixed_with_copies(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 100, MSG_MORE), 100);
	EQ(pc_send_mbuf(w->st, w->flow.fd, chain(w, 100, 1, 128), NULL), 0);
	w->flow.sent += 100;
	EQ(wt_write(w, 100, 0), 100);
	wt_settle(w);
	for (uint32_t seq = 1; seq < 301;) {
		if (probe_sent(w->probe) != NULL) {
			uint32_t len = wt_sent_len(w);

			EXPECT(.flags = A, .seq = seq, .ack = 1, .len = len, .any_psh = true);
			seq += len;
		} else {
			INJECT(.flags = A, .seq = 1, .ack = seq);
			CHECK(probe_sent(w->probe) != NULL);
		}
	}
}

static void refused_stays(struct wt *w)
{
	struct rte_mbuf *m;
	int size = 8192;

	wt_established(w);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	OK(wt_write(w, 100000, 0));
	m = chain(w, 1000, 1, 128);
	ERR(pc_send_mbuf(w->st, w->flow.fd, m, NULL), EAGAIN);
	EQ(rte_mbuf_refcnt_read(m), 1);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	ERR(pc_send_mbuf(w->st, w->flow.fd, m, NULL), EPIPE);
	ERR(pc_send_mbuf(w->st, 9999, m, NULL), EBADF);
	rte_pktmbuf_free(m);
	wt_settle(w);
	wt_drop(w);
}

static void larger_than_the_buffer(struct wt *w)
{
	int size = 4096;

	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	EQ(pc_send_mbuf(w->st, w->flow.fd, chain(w, 10000, 6, 128), NULL),
	   0); /* empty: taken whole */
	w->flow.sent += 10000;
	wt_settle(w);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 10001);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static uint32_t check_received(struct wt *w, const struct rte_mbuf *m)
{
	uint32_t n = 0;

	CHECK(m != NULL);
	for (const struct rte_mbuf *s = m; s != NULL; s = s->next)
		for (uint32_t k = 0; k < s->data_len; k++, n++)
			EQ(*rte_pktmbuf_mtod_offset(s, const uint8_t *, k),
			   wt_pattern(1, w->flow.rcvd + n));
	EQ(m->pkt_len, n);
	w->flow.rcvd += n;
	return n;
}

static void receive_segments(struct wt *w)
{
	struct rte_mbuf *m;
	struct pc_endpoint from;

	wt_established(w);
	ERR(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), EAGAIN);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 1460);
	EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, &from), 1);
	EQ(from.port, w->flow.pport);
	IN(check_received(w, m), 1, 1560);
	rte_pktmbuf_free(m);
	wt_read(w, 1560 - w->flow.rcvd);
	ERR(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), EAGAIN);
	INJECT(.flags = FA, .seq = 1561, .ack = 1, .len = 10);
	EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), 1);
	EQ(check_received(w, m), 10);
	rte_pktmbuf_free(m);
	EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), 0);
	CHECK(m == NULL);
	wt_pass(w, 500);
	wt_drop(w);
}

/* several at a time: fewer than asked for means that no more are there, but perhaps an end */
static void receive_several(struct wt *w)
{
	struct rte_mbuf *m[4];
	int n;

	wt_established(w);
	ERR(pc_recv_mbufs(w->st, w->flow.fd, m, 4), EAGAIN);
	for (uint32_t i = 0; i < 6; i++)
		INJECT(.flags = PA, .seq = 1 + i * 1000, .ack = 1, .len = 1000);
	EQ(pc_recv_mbufs(w->st, w->flow.fd, m, 4), 4);
	for (int i = 0; i < 4; i++) {
		EQ(check_received(w, m[i]), 1000);
		rte_pktmbuf_free(m[i]);
	}
	INJECT(.flags = FA, .seq = 6001, .ack = 1, .len = 10);
	CHECK(wt_events(w, w->flow.fd) & POLLRDHUP);
	n = pc_recv_mbufs(w->st, w->flow.fd, m, 4);
	IN(n, 2, 3); /* the last ten bytes may have been put behind those before */
	for (int i = 0; i < n; i++) {
		IN(check_received(w, m[i]), 10, 1010);
		rte_pktmbuf_free(m[i]);
	}
	EQ(w->flow.rcvd, 6010);
	EQ(pc_recv_mbufs(w->st, w->flow.fd, m, 4), 0);
	wt_pass(w, 500);
	wt_drop(w);
}

static void receive_the_rest(struct wt *w)
{
	struct rte_mbuf *m;

	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 30);
	EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), 1);
	EQ(check_received(w, m), 70);
	rte_pktmbuf_free(m);
	wt_pass(w, 500);
	wt_drop(w);
}

static void receive_trimmed(struct wt *w)
{
	struct rte_mbuf *m;

	wt_established(w);
	INJECT(.flags = PA, .seq = 51, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 80); /* overlaps by 30 */
	while (w->flow.rcvd < 150) {
		EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), 1);
		check_received(w, m);
		rte_pktmbuf_free(m);
	}
	EQ(w->flow.rcvd, 150);
	wt_pass(w, 500);
	wt_drop(w);
}

static void echo(struct wt *w)
{
	struct rte_mbuf *m;

	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t n = 0;
		const struct frame_info *f;

		INJECT(.flags = PA, .seq = 1 + 1000 * i, .ack = 1 + 1000 * i, .len = 1000);
		EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), 1);
		EQ(check_received(w, m), 1000);
		EQ(pc_send_mbuf(w->st, w->flow.fd, m, NULL), 0);
		wt_settle(w);
		while ((f = wt_next(w, 0)) != NULL) {
			for (uint32_t k = 0; k < f->payload_len; k++)
				EQ(f->payload[k], wt_pattern(1, 1000 * i + n + k));
			n += f->payload_len;
		}
		EQ(n, 1000);
	}
}

static void kept_after_close(struct wt *w)
{
	struct rte_mbuf *m;

	wt_established(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1, .len = 100);
	EQ(pc_recv_mbuf(w->st, w->flow.fd, &m, NULL), 1);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	wt_drop(w);
	EQ(check_received(w, m), 100); /* it is ours, whatever becomes of the socket */
	rte_pktmbuf_free(m);
	INJECT(.flags = A, .seq = 102, .ack = 2);
}

static const struct wt_case cases[] = {
    {"an mbuf is sent, and sent again", send_one},
    {"an mbuf without headroom", send_without_headroom},
    {"chains of one to six", send_chains},
    {"an mbuf that somebody else holds too", send_shared},
    {"mbufs between copies", mixed_with_copies},
    {"a refused mbuf stays the caller's", refused_stays},
    {"a chain larger than the send buffer", larger_than_the_buffer},
    {"received segments, and the end", receive_segments},
    {"several at a time, and the end", receive_several},
    {"what a copying read has left", receive_the_rest},
    {"segments that overlap", receive_trimmed},
    {"received mbufs are sent back", echo},
    {"a received mbuf outlives its socket", kept_after_close},
};

WT_MAIN("zerocopy")
