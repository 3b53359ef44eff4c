/* SPDX-License-Identifier: BSD-2-Clause */

/* The choice of congestion control, and CUBIC and HyStart++ as they are seen from outside. */

#include <netinet/tcp.h>

#include "wt.h"

#define MSS 1460

static void expect_name(struct wt *w, int fd, const char *want)
{
	char name[16] = "................";
	socklen_t len = sizeof(name);

	memset(name, '.', sizeof(name));
	OK(pc_getsockopt(w->st, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	EQ(len, 16);
	if (strcmp(name, want) != 0)
		wt_fail(w, WT_HERE, "congestion control is %s, not %s", name, want);
}

static int set_name(struct wt *w, int fd, const char *name, socklen_t len)
{
	return pc_setsockopt(w->st, fd, IPPROTO_TCP, TCP_CONGESTION, name, len);
}

static void by_name(struct wt *w)
{
	char name[16] = "zzzz";
	socklen_t len = 3;

	wt_established(w);
	expect_name(w, w->flow.fd, "cubic");
	OK(set_name(w, w->flow.fd, "reno", 4));
	expect_name(w, w->flow.fd, "reno");
	OK(set_name(w, w->flow.fd, "dctcp\0garbage", 13));
	expect_name(w, w->flow.fd, "dctcp");
	ERR(set_name(w, w->flow.fd, "vegas", 5), ENOENT);
	ERR(set_name(w, w->flow.fd, "cub", 3), ENOENT);
	ERR(set_name(w, w->flow.fd, "", 1), ENOENT);
	ERR(set_name(w, w->flow.fd, "reno", 0), EINVAL);
	ERR(set_name(w, w->flow.fd, "a name of more than 15 bytes", 28), ENOENT);
	expect_name(w, w->flow.fd, "dctcp");
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	EQ(len, 3); /* as much as there is room for */
	EQ(memcmp(name, "dctz", 4), 0);
}

static void of_listener(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	wt_listen(w, 8);
	expect_name(w, w->lfd, "reno");
	OK(set_name(w, w->lfd, "cubic", 5));
	wt_established(w);
	expect_name(w, w->flow.fd, "cubic");
}

static void of_config(struct wt *w)
{
	w->cfg.tcp_congestion = 2;
	wt_established(w);
	expect_name(w, w->flow.fd, "dctcp");
}

static void not_of_udp(struct wt *w)
{
	char name[16];
	socklen_t len = sizeof(name);
	int fd;

	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(fd);
	/* Linux's families differ */
	ERR(pc_getsockopt(w->st, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len),
	    wt_ip6 ? ENOPROTOOPT : EOPNOTSUPP);
	ERR(set_name(w, fd, "reno", 4), ENOPROTOOPT);
	OK(pc_close(w->st, fd));
}

static void flight(struct wt *w, unsigned n)
{
	wt_established(w);
	wt_send(w, n * MSS);
	for (unsigned i = 0; i < n; i++)
		EXPECT(.flags = A, .seq = 1 + MSS * i, .ack = 1, .len = MSS, .any_psh = true);
}

static void fast_retransmit(struct wt *w)
{
	flight(w, 10);
	for (unsigned i = 0; i < 3; i++) {
		wt_pass(w, 0.02);
		INJECT(.flags = A, .seq = 1, .ack = 1);
	}
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_info(w).tcpi_snd_ssthresh, 7);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	IN(wt_info(w).tcpi_snd_cwnd, 2, 7);
}

static void timeout(struct wt *w)
{
	flight(w, 10);
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, 7);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	wt_drop(w);
}

static void floor_of_two(struct wt *w)
{
	flight(w, 1);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = MSS);
	EQ(wt_info(w).tcpi_snd_ssthresh, 2);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
}

/* What is acknowledged, and the end of what was sent. */
struct progress {
	uint32_t una, high;
};

static void take_sent(struct wt *w, struct progress *p)
{
	while (probe_sent(w->probe) != NULL) {
		const struct frame_info *i = wt_next(w, 0);
		uint32_t end = i->seg.seq - w->flow.iss + i->seg.len;

		p->high = (int32_t)(end - p->high) > 0 ? end : p->high;
	}
}

/* writes as much as there is room for */
static void fill(struct wt *w)
{
	while (wt_write(w, 10 * MSS, 0) > 0)
		continue;
	wt_settle(w);
}

/* round trips of so many ms, each acknowledged segment by segment at their end */
static void round_trips(struct wt *w, struct progress *p, unsigned n, double ms, bool more)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t end;

		if (more)
			fill(w);
		take_sent(w, p);
		end = p->high;
		wt_pass(w, ms);
		for (; p->una < end; p->una += MSS)
			INJECT(.flags = A, .seq = 1, .ack = p->una + MSS);
		take_sent(w, p);
	}
}

static void hystart(struct wt *w, bool on)
{
	struct progress p = {1, 1};

	w->peer.ws = 7 + 1;
	w->cfg.tcp_hystart = on;
	w->cfg.tcp_sndbuf = 1 << 22;
	wt_established(w);
	round_trips(w, &p, 2, 20, true);
	EQ(wt_info(w).tcpi_snd_ssthresh, 0x7fffffff);
	round_trips(w, &p, 6, 30, true); /* 10 ms more: the queue grows */
	EQ(wt_info(w).tcpi_snd_ssthresh == 0x7fffffff, !on);
	if (on)
		IN(wt_info(w).tcpi_snd_cwnd, 50, 260);
	else
		IN(wt_info(w).tcpi_snd_cwnd, 261, 2560); /* twice as much with each round trip */
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
	wt_drop(w);
}

static void hystart_on(struct wt *w)
{
	hystart(w, true);
}

static void hystart_off(struct wt *w)
{
	hystart(w, false);
}

static void idle_restart(struct wt *w)
{
	struct progress p = {1, 1};

	w->peer.ws = 7 + 1;
	wt_established(w);
	wt_send(w, 30 * MSS);
	round_trips(w, &p, 3, 20, false);
	EQ(p.una, 1 + 30 * MSS);
	CHECK(wt_info(w).tcpi_snd_cwnd > 10);
	wt_pass(w, 60000);
	wt_send(w, 30 * MSS);
	take_sent(w, &p);
	EQ(p.high, 1 + 40 * MSS); /* RFC 5681 4.1 */
}

/* "an interval exceeding the retransmission timeout": two round trips, after which the tail would be probed, are less */
static void short_pause(struct wt *w)
{
	struct progress p = {1, 1};
	uint32_t before;

	w->peer.ws = 7 + 1;
	w->peer.sackok = true;
	wt_established(w);
	wt_send(w, 30 * MSS);
	for (take_sent(w, &p); p.una < p.high; take_sent(w, &p)) {
		wt_pass(w, 20);
		INJECT(.flags = A, .seq = 1, .ack = p.high - 2 * MSS);
		INJECT(.flags = A, .seq = 1, .ack = p.high);
		p.una = p.high;
	}
	EQ(p.una, 1 + 30 * MSS);
	before = wt_info(w).tcpi_snd_cwnd;
	CHECK(before > 10);
	IN(wt_info(w).tcpi_rto, 200000, 300000);
	wt_pass(w, 150);
	wt_send(w, 30 * MSS);
	take_sent(w, &p);
	EQ(wt_info(w).tcpi_snd_cwnd, before);
}

/* a window that has grown in four round trips */
static struct progress grown(struct wt *w)
{
	struct progress p = {1, 1};

	w->peer.ws = 7 + 1;
	wt_established(w);
	wt_send(w, 60 * MSS);
	round_trips(w, &p, 4, 20, false);
	return p;
}

/* a window that is hardly used shrinks by half of what is not used, each time-out */
static void unused_window(struct wt *w)
{
	struct progress p = grown(w);
	uint32_t before;

	EQ(p.una, 1 + 60 * MSS);
	before = wt_info(w).tcpi_snd_cwnd;
	IN(before, 40, 80);
	for (unsigned i = 0; i < 6; i++) { /* 120 ms: the time-out is 200 ms at least */
		wt_send(w, MSS);
		round_trips(w, &p, 1, 20, false);
	}
	EQ(wt_info(w).tcpi_snd_cwnd, before);
	for (unsigned i = 0; i < 10; i++) {
		wt_send(w, MSS);
		round_trips(w, &p, 1, 20, false);
	}
	IN(wt_info(w).tcpi_snd_cwnd, before / 2, before - 5);
	for (unsigned i = 0; i < 100; i++) { /* and never below the initial window */
		wt_send(w, MSS);
		round_trips(w, &p, 1, 20, false);
	}
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	EQ(wt_info(w).tcpi_snd_ssthresh, 0x7fffffff); /* not known, and not by this either */
}

/* a window that is used meanwhile is to be left unused for a time-out from then on */
static void used_again(struct wt *w)
{
	struct progress p = grown(w);
	uint32_t before;

	for (unsigned i = 0; i < 8; i++) { /* 160 ms */
		wt_send(w, MSS);
		round_trips(w, &p, 1, 20, false);
	}
	wt_send(w, wt_info(w).tcpi_snd_cwnd * MSS);
	round_trips(w, &p, 2, 20, false);
	before = wt_info(w).tcpi_snd_cwnd;
	for (unsigned i = 0; i < 6; i++) {
		wt_send(w, MSS);
		round_trips(w, &p, 1, 20, false);
	}
	EQ(wt_info(w).tcpi_snd_cwnd, before);
}

/* n segments are queued, and a loss among the first ten has halved the window: ssthresh is 5 segments */
static struct progress halved(struct wt *w, unsigned n)
{
	struct progress p = {1, 1};

	w->cfg.tcp_congestion = 0;
	w->peer.ws = 7 + 1;
	wt_established(w);
	wt_send(w, n * MSS);
	take_sent(w, &p);
	for (unsigned i = 0; i < 3; i++) {
		wt_pass(w, 0.02);
		INJECT(.flags = A, .seq = 1, .ack = 1);
	}
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	p.una = p.high = 1 + 10 * MSS;
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	return p;
}

/* ssthresh remembers three quarters of what idleness takes away */
static void idle_memory(struct wt *w)
{
	struct progress p = halved(w, 20);
	uint32_t before;

	round_trips(w, &p, 12, 20, true);
	before = wt_info(w).tcpi_snd_cwnd;
	CHECK(before > 12);
	INJECT(.flags = A, .seq = 1, .ack = p.high);
	take_sent(w, &p);
	while (p.una < p.high) {
		INJECT(.flags = A, .seq = 1, .ack = p.high);
		p.una = p.high;
		take_sent(w, &p);
	}
	before = wt_info(w).tcpi_snd_cwnd;
	wt_pass(w, 60000);
	wt_send(w, 10 * MSS);
	take_sent(w, &p);
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	IN(wt_info(w).tcpi_snd_ssthresh, before * 3 / 4 - 1, before * 3 / 4 + 1);
	INJECT(.flags = A, .seq = 1, .ack = p.high);
}

/* ... and of what is taken away while little is sent */
static void unused_memory(struct wt *w)
{
	struct progress p = halved(w, 60);
	uint32_t before;

	round_trips(w, &p, 20, 20, true);
	for (p.una = 0; p.una != p.high; take_sent(w, &p)) {
		p.una = p.high;
		INJECT(.flags = A, .seq = 1, .ack = p.una);
	}
	before = wt_info(w).tcpi_snd_cwnd;
	CHECK(before > 15);
	for (unsigned i = 0; i < 16; i++) { /* more than a time-out */
		wt_send(w, MSS);
		round_trips(w, &p, 1, 20, false);
	}
	CHECK(wt_info(w).tcpi_snd_cwnd < before);
	IN(wt_info(w).tcpi_snd_ssthresh, before * 3 / 4 - 1, before * 3 / 4 + 1);
}

/* BBR has no ssthresh: what it began must not end with a window without limit */
static void bbr_no_more(struct wt *w)
{
	w->cfg.tcp_congestion = 3;
	w->peer.sackok = true;
	wt_established_after(w, 20);
	wt_send(w, 10 * MSS);
	wt_pass(w, 20);
	EQ(wt_drop(w), 10);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + MSS, 1 + 10 * MSS}});
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	OK(set_name(w, w->flow.fd, "cubic", 5));
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	IN(wt_info(w).tcpi_snd_cwnd, 4, 40);
}

/* RFC 5681 3.1: cwnd grows by each acknowledgement of a burst, though nothing is sent between them */
static void burst_of_acks(struct wt *w)
{
	wt_established(w);
	wt_send(w, 40 * 1460);
	EQ(wt_drop(w), 10);
	wt_pass(w, 20);
	for (unsigned i = 2; i < 10; i += 2)
		QUEUE(.flags = A, .seq = 1, .ack = 1 + i * 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * 1460);
	EQ(wt_info(w).tcpi_snd_cwnd, 20);
	EQ(wt_drop(w), 20);
}

static const struct wt_case cases[] = {
    {"RFC 5681 3.1: a burst of acknowledgements", burst_of_acks},
    {"TCP_CONGESTION by name, ENOENT for what nobody has", by_name},
    {"TCP_CONGESTION is inherited from the listener", of_listener},
    {"TCP_CONGESTION during a recovery that BBR began", bbr_no_more},
    {"tcp.congestion", of_config},
    {"TCP_CONGESTION is not for UDP", not_of_udp},
    {"RFC 9438 4.6: ssthresh is 0.7 of what is under way", fast_retransmit},
    {"RFC 9438 4.8: time-out", timeout},
    {"RFC 9438 4.6: ssthresh is at least two segments", floor_of_two},
    {"RFC 9406 4.2: slow start ends when the round trip grows", hystart_on},
    {"tcp.hystart 0: slow start goes on", hystart_off},
    {"RFC 5681 4.1: restart after idleness", idle_restart},
    {"RFC 5681 4.1: no restart after less than a time-out", short_pause},
    {"RFC 2861 3.2: a window that is not used shrinks", unused_window},
    {"RFC 2861 3.2: ... from when it was used last", used_again},
    {"RFC 2861 3.2: ssthresh remembers", idle_memory},
    {"RFC 2861 3.2: ... also what was not used", unused_memory},
};

WT_MAIN("congestion")
