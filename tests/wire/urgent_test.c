/* SPDX-License-Identifier: BSD-2-Clause */
/* Urgent data (RFC 9293 section 3.8.5, RFC 6093): a mark in the stream. */

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "wt.h"

#define U TCP_URG

static int at_mark(struct wt *w)
{
	int at = -1;

	OK(pc_ioctl(w->st, w->flow.fd, SIOCATMARK, &at));
	return at;
}

static bool pri(struct wt *w)
{
	return wt_events(w, w->flow.fd) & POLLPRI;
}

/* how many bytes one read gives */
static ssize_t read_some(struct wt *w, size_t len)
{
	char buf[4096];
	ssize_t n = pc_recv(w->st, w->flow.fd, buf, len, 0);

	for (ssize_t i = 0; i < n; i++)
		EQ((uint8_t)buf[i], wt_pattern(1, w->flow.rcvd + (uint32_t)i));
	if (n > 0)
		w->flow.rcvd += (uint32_t)n;
	return n;
}

static void stops_at_mark(struct wt *w)
{
	wt_established(w);
	CHECK(!pri(w));
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 7);
	CHECK(pri(w) && (wt_events(w, w->flow.fd) & POLLIN));
	EQ(at_mark(w), 0);
	EQ(read_some(w, 100), 6); /* the pointer names the byte after the urgent one */
	EQ(at_mark(w), 1);
	CHECK(pri(w));
	EQ(read_some(w, 100), 4); /* in line, and what follows */
	EQ(at_mark(w), 0);
	CHECK(!pri(w));
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 11);
}

static void announced_before(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 15);
	CHECK(pri(w));
	EQ(read_some(w, 100), 10);
	EQ(at_mark(w), 0);
	CHECK(pri(w));
	INJECT(.flags = PA | U, .seq = 11, .ack = 1, .len = 10, .urg = 5);
	EQ(read_some(w, 100), 4);
	EQ(at_mark(w), 1);
	EQ(read_some(w, 1), 1);
	EQ(at_mark(w), 0);
	EQ(read_some(w, 100), 5);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 21);
}

static void later_mark_replaces(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 3);
	INJECT(.flags = PA | U, .seq = 11, .ack = 1, .len = 10, .urg = 10);
	wt_drop(w);
	EQ(read_some(w, 100), 19);
	EQ(at_mark(w), 1);
	EQ(read_some(w, 100), 1);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 3); /* long read */
	CHECK(!pri(w));
	wt_drop(w);
	wt_pass(w, 100);
	wt_drop(w);
}

/* 3.1: the pointer counts "from the sequence number in this segment", which is the SYN's; and one may announce what comes later */
static void on_syn_ack(struct wt *w)
{
	const struct {
		uint32_t len;
		uint16_t urg;
		bool told;
		int before; /* bytes in front of the mark */
	} rows[] = {{10, 8, true, 6},   {10, 2, true, 0},  {10, 1, false, 10},
	            {10, 0, false, 10}, {10, 11, true, 9}, {0, 5, true, 0}};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wt_syn_sent(w);
		INJECT(.flags = SA | U, .ack = 1, .mss = WT_MSS, .len = rows[i].len,
		       .urg = rows[i].urg);
		wt_drop(w);
		EQ(pri(w), rows[i].told);
		if (rows[i].before > 0)
			EQ(read_some(w, 100), rows[i].before);
		EQ(at_mark(w), rows[i].told && rows[i].len > 0);
		while (rows[i].told && rows[i].len > 0 && read_some(w, 100) > 0)
			continue;
		wt_drop(w);
		wt_pass(w, 100);
		wt_drop(w);
		wt_flow(w);
	}
}

static void closed_window(struct wt *w)
{
	w->cfg.tcp_rcvbuf = w->cfg.tcp_rcvbuf_max = 4096;
	wt_established(w);
	for (uint32_t seq = 1; seq < 4097; seq += 1024)
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 1024);
	wt_pass(w, 100);
	wt_drop(w);
	CHECK(!pri(w));
	INJECT(.flags = PA | U, .seq = 4097, .ack = 1, .len = 1, .urg = 1);
	CHECK(pri(w));
	wt_drop(w);
	wt_read(w, 4096);
	EQ(at_mark(w), 1);
	wt_drop(w);
}

static void any_length(struct wt *w)
{
	uint32_t seq = 1;

	wt_established(w);
	for (uint32_t urg = 0; urg < 65536; urg += 9973, seq += 100) {
		INJECT(.flags = PA | U, .seq = seq, .ack = 1, .len = 100, .urg = (uint16_t)urg);
		while (read_some(w, 4096) > 0)
			continue;
	}
	EQ(w->flow.rcvd, seq - 1);
	wt_pass(w, 100);
	wt_drop(w);
}

static void peek_and_skip(struct wt *w)
{
	char buf[100];

	wt_established(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 20, .urg = 10);
	EQ(pc_recv(w->st, w->flow.fd, buf, sizeof(buf), MSG_PEEK), 9);
	ERR(pc_recv(w->st, w->flow.fd, buf, 1, MSG_OOB), EINVAL); /* as with SO_OOBINLINE */
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC), 9);
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC), 11);
	CHECK(!pri(w));
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 21);
}

/* ---- out of band ---------------------------------------------------------------------------- */

static void inline_is(struct wt *w, int v)
{
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_OOBINLINE, &v, sizeof(v)));
}

static void out_of_band(struct wt *w)
{
	wt_established(w);
	inline_is(w, 0);
}

/* what MSG_OOB gives: the byte, or -errno */
static int oob(struct wt *w, int flags)
{
	uint8_t c = 0;
	ssize_t n = pc_recv(w->st, w->flow.fd, &c, 1, MSG_OOB | flags);

	return n == 1 ? c : n == 0 ? -ESHUTDOWN : -errno;
}

/* one read of at most len bytes is to give those of [from,to) of the stream, or EAGAIN if there are none */
static void reads_at(struct wt *w, int line, size_t len, uint32_t from, uint32_t to, int flags)
{
	char buf[4096];
	ssize_t n = pc_recv(w->st, w->flow.fd, buf, len, flags);

	if (n != (to > from ? (ssize_t)(to - from) : -1))
		printf("line %d: %zd bytes\n", line, n);
	EQ(n, to > from ? (ssize_t)(to - from) : -1);
	for (ssize_t i = 0; i < n; i++)
		EQ((uint8_t)buf[i], wt_pattern(1, from + (uint32_t)i));
}

#define READS(len, from, to) reads_at(w, __LINE__, len, from, to, 0)
#define PEEKS(len, from, to) reads_at(w, __LINE__, len, from, to, MSG_PEEK)
#define BYTE(n)              wt_pattern(1, n)

static int queued(struct wt *w)
{
	int n = -1;

	OK(pc_ioctl(w->st, w->flow.fd, FIONREAD, &n));
	return n;
}

static bool in(struct wt *w)
{
	return wt_events(w, w->flow.fd) & POLLIN;
}

static void chosen(struct wt *w)
{
	int v = 7;
	socklen_t len = sizeof(v);

	wt_established(w);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_OOBINLINE, &v, &len));
	EQ(v, 1);
	inline_is(w, 0);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_OOBINLINE, &v, &len));
	EQ(v, 0);
	inline_is(w, 3);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_OOBINLINE, &v, &len));
	EQ(v, 1);
}

static void taken_first(struct wt *w)
{
	out_of_band(w);
	EQ(oob(w, 0), -EINVAL);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 7);
	CHECK(pri(w) && in(w));
	EQ(queued(w), 6);
	EQ(oob(w, MSG_PEEK), BYTE(6));
	CHECK(pri(w));
	EQ(oob(w, 0), BYTE(6));
	EQ(oob(w, 0), -EINVAL);
	CHECK(!pri(w));
	READS(100, 0, 6);
	EQ(at_mark(w), 1);
	EQ(queued(w), 0);
	PEEKS(100, 7, 10);
	EQ(at_mark(w), 1);
	READS(2, 7, 9);
	EQ(at_mark(w), 0);
	EQ(queued(w), 1);
	READS(100, 9, 10);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 11);
}

static void passed_over(struct wt *w)
{
	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 10);
	READS(100, 0, 9);
	EQ(at_mark(w), 1);
	CHECK(pri(w) && !in(w)); /* nothing is left that a read would give */
	PEEKS(100, 0, 0);
	EQ(at_mark(w), 1);
	READS(100, 0, 0);
	EQ(at_mark(w), 0);
	EQ(oob(w, 0), -EINVAL);
	CHECK(!pri(w));
	wt_pass(w, 100);
	wt_drop(w);
}

static void not_yet(struct wt *w)
{
	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 15);
	CHECK(!pri(w));
	EQ(oob(w, 0), -EAGAIN);
	EQ(queued(w), 10);
	READS(100, 0, 10);
	/* in a segment without URG, as no TCP but a strange one sends it */
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	CHECK(pri(w));
	EQ(queued(w), 4);
	EQ(oob(w, 0), BYTE(14));
	READS(100, 10, 14);
	READS(100, 15, 20);
	wt_pass(w, 100);
	wt_drop(w);
}

static void early(struct wt *w)
{
	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 11, .ack = 1, .len = 10, .urg = 5);
	CHECK(pri(w));
	EQ(oob(w, 0), BYTE(14));
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	READS(100, 0, 14);
	READS(100, 15, 20);
	wt_pass(w, 100);
	wt_drop(w);
}

/* no room in the stream: that is what urgent data is for */
static void beyond_window(struct wt *w)
{
	w->cfg.tcp_rcvbuf = w->cfg.tcp_rcvbuf_max = 4096;
	out_of_band(w);
	for (uint32_t seq = 1; seq < 4097; seq += 1024)
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 1024);
	wt_pass(w, 100);
	wt_drop(w);
	INJECT(.flags = PA | U, .seq = 4097, .ack = 1, .len = 1, .urg = 1);
	wt_drop(w);
	CHECK(pri(w));
	EQ(oob(w, 0), BYTE(4096));
	READS(4096, 0, 4096);
	wt_drop(w);
	/* it comes again for the stream, which passes over it */
	INJECT(.flags = PA | U, .seq = 4097, .ack = 1, .len = 3, .urg = 1);
	READS(100, 4097, 4099);
	EQ(oob(w, 0), -EINVAL);
	wt_pass(w, 100);
	wt_drop(w);
}

/* as on Linux: what a later mark replaces is a byte like others, but for one that is next to be read */
static void replaced(struct wt *w)
{
	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	INJECT(.flags = PA | U, .seq = 11, .ack = 1, .len = 10, .urg = 5);
	EQ(oob(w, 0), BYTE(14));
	READS(14, 0, 14);
	EQ(at_mark(w), 1);
	INJECT(.flags = PA | U, .seq = 21, .ack = 1, .len = 10, .urg = 5);
	READS(100, 15, 24);
	EQ(oob(w, 0), BYTE(24));
	READS(100, 25, 30);
	wt_pass(w, 100);
	wt_drop(w);
}

static void dropped_not_copied(struct wt *w)
{
	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 5);
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC | MSG_PEEK), 4);
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC), 4);
	EQ(at_mark(w), 1);
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC | MSG_PEEK), 5);
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC), 5);
	EQ(pc_recv(w->st, w->flow.fd, NULL, 100, MSG_TRUNC), -1);
	wt_pass(w, 100);
	wt_drop(w);
}

/* the byte is the last of its packet, or the first, and reads are short */
static void at_edges(struct wt *w)
{
	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 10);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 1400);
	READS(100, 0, 9);
	PEEKS(100, 10, 110);
	READS(100, 10, 110);
	INJECT(.flags = PA | U, .seq = 1411, .ack = 1, .len = 1400, .urg = 1);
	READS(4000, 110, 1410);
	READS(4000, 1411, 2810);
	wt_pass(w, 100);
	wt_drop(w);
}

static void after_the_end(struct wt *w)
{
	char c;

	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 20);
	INJECT(.flags = FA, .seq = 11, .ack = 1);
	EQ(oob(w, 0), -ESHUTDOWN); /* that is, 0 bytes */
	READS(100, 0, 10);
	EQ(pc_recv(w->st, w->flow.fd, &c, 1, 0), 0);
	wt_pass(w, 100);
	wt_drop(w);
}

static void no_room_for_it(struct wt *w)
{
	struct msghdr msg = {0};

	out_of_band(w);
	INJECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 10, .urg = 1);
	EQ(pc_recvmsg(w->st, w->flow.fd, &msg, MSG_OOB), 0);
	EQ(msg.msg_flags, MSG_OOB | MSG_TRUNC);
	EQ(oob(w, 0), -EINVAL);
	inline_is(w, 1); /* a reader that wants it all the same */
	READS(100, 0, 10);
	wt_pass(w, 100);
	wt_drop(w);
}

static void pointer_sent(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 3, MSG_OOB), 3);
	wt_settle(w);
	EXPECT(.flags = PA | U, .seq = 1, .ack = 1, .len = 3, .urg = 3);
	/* Nagle does not hold what is urgent back */
	EQ(wt_write(w, 2, MSG_OOB), 2);
	wt_settle(w);
	EXPECT(.flags = PA | U, .seq = 4, .ack = 1, .len = 2, .urg = 2);
	INJECT(.flags = A, .seq = 1, .ack = 6);
	wt_send(w, 5);
	EXPECT(.flags = PA, .seq = 6, .ack = 1, .len = 5);
	INJECT(.flags = A, .seq = 1, .ack = 11);
}

static void pointer_across_segments(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 2000, MSG_OOB), 2000);
	EQ(wt_write(w, 1000, 0), 1000);
	wt_settle(w);
	EXPECT(.flags = A | U, .seq = 1, .ack = 1, .len = WT_MSS, .urg = 2000, .any_psh = true);
	EXPECT(.flags = A | U, .seq = 1 + WT_MSS, .ack = 1, .len = WT_MSS, .urg = 540,
	       .any_psh = true);
	EXPECT(.flags = PA, .seq = 1 + 2 * WT_MSS, .ack = 1, .len = 80);
	/* sent again, it is as urgent as before */
	EXPECT_IN(100, 1001, .flags = A | U, .seq = 1, .ack = 1, .len = WT_MSS, .urg = 2000,
	          .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 3001);
	wt_drop(w);
}

static void pointer_far_ahead(struct wt *w)
{
	w->cfg.tcp_sndbuf = 200000;
	w->peer.ws = 8;
	wt_established(w);
	for (int i = 0; i < 3; i++)
		(void)wt_write(w, 60000, 0);
	(void)wt_write(w, 100, MSG_OOB);
	wt_settle(w);
	EXPECT(.flags = A | U, .seq = 1, .ack = 1, .len = WT_MSS, .urg = 65535, .any_psh = true);
	wt_drop(w);
	INJECT(.flags = R, .seq = 1);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.8.5: a pointer on a SYN-ACK", on_syn_ack},
    {"RFC 9293 MUST-30, MUST-31, MUST-62: a read ends in front of the urgent byte", stops_at_mark},
    {"RFC 9293 MUST-31, MUST-32: announced before it comes", announced_before},
    {"RFC 9293 MUST-32: a later mark replaces one that was not reached", later_mark_replaces},
    {"RFC 9293 MUST-66: announced while the window is closed", closed_window},
    {"RFC 9293 MUST-31: pointers of any length, no byte lost", any_length},
    {"RFC 6093 5: MSG_PEEK, MSG_OOB and MSG_TRUNC at the mark", peek_and_skip},
    {"RFC 6093 5: urgent data is in line unless the application chooses otherwise", chosen},
    {"Linux, SO_OOBINLINE 0: MSG_OOB takes the byte, reads pass over it", taken_first},
    {"Linux, SO_OOBINLINE 0: a byte that is passed over is gone", passed_over},
    {"Linux, SO_OOBINLINE 0: announced before it comes", not_yet},
    {"Linux, SO_OOBINLINE 0: out of order", early},
    {"Linux, SO_OOBINLINE 0: while the window is closed", beyond_window},
    {"Linux, SO_OOBINLINE 0: a later mark", replaced},
    {"Linux, SO_OOBINLINE 0: MSG_TRUNC", dropped_not_copied},
    {"Linux, SO_OOBINLINE 0: at the edges of packets", at_edges},
    {"Linux, SO_OOBINLINE 0: at the end of the stream", after_the_end},
    {"Linux, SO_OOBINLINE 0: no room for it", no_room_for_it},
    {"RFC 9293 MUST-62: the pointer sent names the byte after", pointer_sent},
    {"RFC 9293 MUST-62: the pointer across segments and repetitions", pointer_across_segments},
    {"RFC 9293 3.8.5: a pointer beyond 16 bits", pointer_far_ahead},
};

WT_MAIN("urgent")
