/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Defects of an earlier stack of this kind, each by its name, so that none of them comes back.
 * Most are looked at more closely in the other suites.
 */

#include "wt.h"

static struct pc_stack_usage usage(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u;
}

static void watch(struct wt *w, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	if (w->ep == 0)
		w->ep = pc_epoll_create(w->st);
	OK(w->ep);
	OK(pc_epoll_ctl(w->st, w->ep, EPOLL_CTL_ADD, fd, &e));
}

/* Returns the events of the one socket that is ready, 0 when none is. */
static uint32_t ready(struct wt *w)
{
	struct epoll_event e[4];
	int n = pc_epoll_wait(w->st, w->ep, e, 4);

	IN(n, 0, 1);
	return n == 1 ? e[0].events : 0;
}

static void recv_repeats(struct wt *w)
{
	uint8_t buf[100];

	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EQ(pc_recv(w->st, w->flow.fd, buf, 40, 0), 40);
	EQ(buf[0], wt_pattern(1, 0));
	EQ(pc_recv(w->st, w->flow.fd, buf, 100, 0), 60);
	EQ(buf[0], wt_pattern(1, 40));
	EQ(buf[59], wt_pattern(1, 99));
	ERR(pc_recv(w->st, w->flow.fd, buf, 100, 0), EAGAIN);
	wt_pass(w, 500);
	wt_drop(w);
}

static void last_of_burst(struct wt *w)
{
	uint16_t first = w->flow.pport;
	bool seen[30] = {false};

	wt_listen(w, 100);
	for (unsigned i = 0; i < 30; i++, w->flow.pport++)
		QUEUE(.flags = S, .mss = 1460);
	wt_settle(w);
	w->flow.pport = 1;
	for (unsigned i = 0; i < 30; i++) {
		const struct frame_info *f = wt_next(w, 0);

		CHECK(f != NULL);
		EQ(f->seg.flags, SA);
		IN(f->seg.dport, first, first + 29);
		seen[f->seg.dport - first] = true;
	}
	for (unsigned i = 0; i < 30; i++)
		CHECK(seen[i]);
}

static void no_rto(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(399, 2001, .flags = PA, .seq = 1, .ack = 1, .len = 100);
}

static void no_fast_retransmit(struct wt *w)
{
	wt_established(w);
	wt_send(w, 5 * 1460);
	EQ(wt_drop(w), 5);
	for (unsigned i = 0; i < 3; i++) {
		EQ(wt_drop(w), 0);
		wt_pass(w, 0.02);
		INJECT(.flags = A, .seq = 1, .ack = 1);
	}
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
}

static void cwnd_never_grows(struct wt *w)
{
	uint32_t before, sent = 0;

	wt_established(w);
	before = wt_info(w).tcpi_snd_cwnd;
	for (unsigned round = 0; round < 4; round++) {
		OK(wt_write(w, 300000, 0));
		wt_settle(w);
		while (probe_sent(w->probe) != NULL)
			sent += wt_next(w, 0)->seg.len;
		for (uint32_t a = wt_info(w).tcpi_unacked; a > 0; a--)
			INJECT(.flags = A, .seq = 1, .ack = 1 + sent - (a - 1) * 1460);
	}
	while (probe_sent(w->probe) != NULL)
		wt_next(w, 0);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 3 * before);
}

static void rto_of_15_ms(struct wt *w)
{
	wt_established(w);
	for (uint32_t i = 0; i < 50; i++) {
		wt_send(w, 10);
		EXPECT(.flags = PA, .seq = 1 + 10 * i, .ack = 1, .len = 10);
		wt_pass(w, 0.05);
		INJECT(.flags = A, .seq = 1, .ack = 11 + 10 * i);
	}
	CHECK(wt_info(w).tcpi_rto >= 200000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 501, .ack = 1, .len = 10);
	NOTHING(199);
	EXPECT_IN(199, 210, .flags = PA, .seq = 501, .ack = 1, .len = 10);
}

static void fin_ack_in_fin_wait_1(struct wt *w)
{
	wt_fin_wait_1(w);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	EQ(usage(w).time_wait, 1);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

static void listen_on_fresh_socket(struct wt *w)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd;

	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_listen(w->st, fd, 5));
	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&a, &len));
	CHECK(ntohs(a.sin_port) != 0);
	ERR(pc_accept(w->st, fd, NULL, NULL), EAGAIN);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	ERR(pc_listen(w->st, fd, 5), EOPNOTSUPP);
}

static void stray_ack_in_syn_received(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 12345);
	EXPECT(.flags = R, .seq = 12345);
	INJECT(.flags = A, .seq = 50000, .ack = 54321);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void data_before_epoll_add(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	watch(w, w->flow.fd, EPOLLIN);
	EQ(ready(w), EPOLLIN);
	wt_read(w, 100);
	EQ(ready(w), 0);
	wt_pass(w, 500);
	wt_drop(w);
}

static void data_before_epoll_add_edge(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1, .len = 100);
	watch(w, w->flow.fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
	EQ(ready(w), EPOLLIN | EPOLLRDHUP);
	EQ(ready(w), 0);
	wt_read(w, 100);
	wt_drop(w);
}

static void epollout_and_level(struct wt *w)
{
	int size = 8192;
	ssize_t n;

	wt_established(w);
	watch(w, w->flow.fd, EPOLLIN | EPOLLOUT);
	EQ(ready(w), EPOLLOUT);
	EQ(ready(w), EPOLLOUT); /* level: again and again */
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	n = wt_write(w, 100000, 0);
	OK(n);
	ERR(wt_write(w, 1, 0), EAGAIN);
	EQ(ready(w), 0);
	wt_settle(w);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1 + (uint32_t)n, .len = 10);
	EQ(ready(w), EPOLLIN | EPOLLOUT);
	EQ(ready(w), EPOLLIN | EPOLLOUT);
	wt_read(w, 10);
	EQ(ready(w), EPOLLOUT);
	wt_pass(w, 500);
	wt_drop(w);
}

static void descriptor_in_use(struct wt *w)
{
	bool used[4096] = {false};
	int fd[64], n = 0;
	uint32_t seed = 1;

	wt_start(w);
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		if (n < 40 && (seed >> 16) % 2 == 0) {
			fd[n] = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
			IN(fd[n], 1, 4095);
			CHECK(!used[fd[n]]);
			used[fd[n++]] = true;
		} else if (n > 0) {
			unsigned k = (seed >> 18) % (unsigned)n;

			OK(pc_close(w->st, fd[k]));
			used[fd[k]] = false;
			fd[k] = fd[--n];
		}
	}
}

static void idle_for_30_s(struct wt *w)
{
	wt_established(w);
	NOTHING(31.0 * 1000);
	NOTHING(3600.0 * 1000);
	EQ(usage(w).connections, 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = PA, .seq = 1, .ack = 11, .len = 10);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 11, .ack = 11);
}

static void option_of_length_0(struct wt *w)
{
	wt_listen(w, 8);
	INJECT(.flags = S, .raw = (uint8_t[]){254, 0, 1, 1}, .raw_len = 4);
	EQ(wt_next(w, 0)->seg.flags, SA);
	INJECT(.flags = A, .seq = 1, .ack = 1, .raw = (uint8_t[]){254, 0, 8, 10}, .raw_len = 4);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 5, .raw = (uint8_t[]){1, 1, 1, 30},
	       .raw_len = 4);
	wt_read(w, 5);
	wt_pass(w, 500);
	wt_drop(w);
}

static void timestamp_after_mss(struct wt *w)
{
	static const uint8_t raw[] = {2, 4, 5, 180, 8, 10, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0};

	wt_listen(w, 8);
	INJECT(.flags = S, .raw = raw, .raw_len = sizeof(raw));
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsecr = 258);
}

static void window_of_65535(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 65535);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = 32768);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 1460);
}

static void lengths_trusted(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct tcp_seg t = {.flags = PA, .wnd = 1000, .len = 8};
	struct frame f;

	if (wt_ip6) /* wire/ip6 has IPv6's */
		return;
	wt_established(w);
	t.sport = w->flow.pport;
	t.dport = w->flow.lport;
	t.seq = w->flow.irs + 1;
	t.ack = w->flow.iss + 1;
	frame_tcp(&f, &e, &t, (const uint8_t *)"01234567", NULL, 0);
	f.b[16] = 0x05; /* an IP total length of 1500 in a frame of 62 */
	f.b[17] = 0xdc;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP4_TOTAL_LEN), 1);
	f.b[16] = 0;
	f.b[17] = 19; /* below the header's */
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP4_TOTAL_LEN), 2);
	NOTHING(1000);
}

static const struct wt_case cases[] = {
    {"defect 1: a second recv repeats bytes already read", recv_repeats},
    {"defect 2: only the last frame of a burst is answered", last_of_burst},
    {"defect 3: no RTO retransmission ever happens", no_rto},
    {"defect 4: no fast retransmit after three duplicate ACKs", no_fast_retransmit},
    {"defect 5: the congestion window never grows", cwnd_never_grows},
    {"defect 6: the RTO falls to 15 ms", rto_of_15_ms},
    {"defect 7: FIN+ACK in FIN-WAIT-1 goes to CLOSED", fin_ack_in_fin_wait_1},
    {"defect 8: listen on a fresh socket crashes", listen_on_fresh_socket},
    {"defect 9: one stray ACK in SYN-RECEIVED ends the process", stray_ack_in_syn_received},
    {"defect 10: data between accept and EPOLL_CTL_ADD is lost", data_before_epoll_add},
    {"defect 10: the same with EPOLLET and FIN", data_before_epoll_add_edge},
    {"defect 11: EPOLLOUT never comes, no level trigger", epollout_and_level},
    {"defect 12: a descriptor in use is handed out", descriptor_in_use},
    {"defect 13: a stream idle for 30 s is freed", idle_for_30_s},
    {"also seen: an option of length 0 loops the parser", option_of_length_0},
    {"also seen: a timestamp directly after MSS is missed", timestamp_after_mss},
    {"also seen: a window of 65535 read as signed", window_of_65535},
    {"also seen: received lengths are trusted", lengths_trusted},
};

WT_MAIN("regressions", .mbufs = WT_MANY_MBUFS)
