/* SPDX-License-Identifier: BSD-2-Clause */

/* Rules of the firewall that count the handshakes of a source that are complete, and what becomes of who makes too many. */

#include <rte_common.h>

#include "fw.h"

#define BAD "192.0.2.77"

/* Begins a connection from an address whose next hop is known. */
static void from(struct wt *w, const char *peer)
{
	wt_flow_from(w, peer);
	INJECT(.flags = S, .mss = WT_MSS);
}

static void begin(struct wt *w, const char *peer)
{
	from(w, peer);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
}

static void open_one(struct wt *w, const char *peer)
{
	begin(w, peer);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* the handshake of a flow, which is refused at its end */
static void refused(struct wt *w)
{
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = R, .seq = 1, .any_wnd = true);
}

static bool is_over(struct wt *w, int fd)
{
	return pc_recv(w->st, fd, &(char){0}, 1, 0) == -1 && errno == ECONNABORTED;
}

/* SYNs, which anybody can forge, are no matter; who completes more handshakes than he may is refused by a reset, and later let in again */
static void handshakes(struct wt *w)
{
	wt_listen(w, 16);
	load(w, "pass in proto tcp to port 80 limit 1/s per source handshakes burst 2");
	for (unsigned i = 0; i < 9; i++)
		begin(w, BAD);
	EQ(hits(0), 9);
	open_one(w, BAD);
	open_one(w, BAD);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 0);
	begin(w, BAD);
	refused(w);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 1);
	EQ(dropped(w), 1);
	open_one(w, "192.0.2.78"); /* others do not notice */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	wt_pass(w, 1500);
	wt_drop(w);
	open_one(w, BAD);
	EQ(dropped(w), 1);
	wt_pass(w, 200000); /* what was never completed is forgotten */
	wt_drop(w);
	load(w, NULL);
}

/* handshakes that are all under way when the first ones are complete */
static void at_once(struct wt *w)
{
	struct flow f[5];

	wt_listen(w, 16);
	load(w,
	     "table bad\ndrop in from <bad>\n"
	     "pass in proto tcp limit 1/s per source handshakes burst 2 overload <bad> timeout 1m");
	for (unsigned i = 0; i < RTE_DIM(f); i++) {
		begin(w, BAD);
		f[i] = w->flow;
	}
	for (unsigned i = 0; i < RTE_DIM(f); i++) {
		w->flow = f[i];
		if (i < 2)
			INJECT(.flags = A, .seq = 1, .ack = 1);
		else
			refused(w);
	}
	EQ(wt_count(w, PC_TCP_OPENED_PASSIVE), 2);
	EQ(wt_count(w, PC_FIREWALL_LEARNT), 1);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 1);
	from(w, BAD);
	NOTHING(100);
	EQ(hits(0), 1);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 0); /* and those that there are go on */
	load(w, NULL);
}

/* "flush": all connections of the source end without a word, those of others go on, and nobody is asked for it by a SYN */
static void flushes(struct wt *w)
{
	int fd[3];

	wt_listen(w, 16);
	load(w, "table bad\ndrop in from <bad>\n"
	        "pass in proto tcp limit 1/m per source handshakes burst 2 overload <bad> timeout "
	        "1m flush");
	for (unsigned i = 0; i < 2; i++) {
		open_one(w, BAD);
		fd[i] = w->flow.fd;
	}
	open_one(w, "192.0.2.78");
	fd[2] = w->flow.fd;
	for (unsigned i = 0; i < 5; i++)
		begin(w, BAD);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 0);
	refused(w);
	NOTHING(10);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 2);
	EQ(wt_count(w, PC_TCP_DENIED_ENDED), 0);
	CHECK(is_over(w, fd[0]) && is_over(w, fd[1]));
	ERR(pc_recv(w->st, fd[2], &(char){0}, 1, 0), EAGAIN);
	from(w, BAD);
	EQ(hits(0), 1);
	wt_pass(w, 200000);
	wt_drop(w);
	load(w, NULL);
}

/* sources that come one after the other have all connections looked at once a second, and the stack is not asleep then */
static void flushes_are_rare(struct wt *w)
{
	wt_listen(w, 16);
	load(w, "table bad\npass in proto tcp limit 1/m per source handshakes burst 1 overload "
	        "<bad> timeout 1m flush");
	open_one(w, "192.0.2.77");
	open_one(w, "192.0.2.78");
	begin(w, "192.0.2.77");
	refused(w);
	wt_pass(w, 5);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 1);
	begin(w, "192.0.2.78");
	refused(w);
	wt_pass(w, 5);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 1);
	CHECK(pc_stack_next_deadline(w->st) <= w->now + 1000 * UINT64_C(1000000));
	wt_pass(w, 1000);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 2);
	wt_pass(w, 30000);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 2);
	wt_drop(w);
	load(w, NULL);
}

/* SYN cookies: nobody remembers the SYN */
static void cookies(struct wt *w)
{
	w->cfg.tcp_syn_cookies = 2;
	wt_listen(w, 16);
	load(w, "table bad\ndrop in from <bad>\npass in proto tcp flags S/SA limit 1/s per source "
	        "handshakes burst 2 "
	        "overload <bad> timeout 1m flush\ndefault in drop");
	open_one(w, BAD);
	open_one(w, BAD);
	begin(w, BAD);
	refused(w);
	EQ(wt_count(w, PC_FIREWALL_LEARNT), 1);
	wt_pass(w, 5);
	EQ(wt_count(w, PC_FIREWALL_FLUSHED), 2);
	load(w, NULL);
}

/* a handshake that cannot be completed for want of a place is tried again, and counts once */
static void no_place(struct wt *w)
{
	w->cfg.stack_max_connections = 1;
	wt_listen(w, 16);
	load(w, "pass in proto tcp limit 1/m per source handshakes burst 2");
	open_one(w, "192.0.2.78");
	begin(w, BAD);
	for (unsigned i = 0; i < 5; i++)
		INJECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_count(w, PC_DROP_TCP_NO_TCB), 5);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 0);
	wt_pass(w, 200000);
	wt_drop(w);
	load(w, NULL);
}

/* data of a SYN waits for the end of the handshake: RFC 7413 section 4.2.2 allows it */
static void fast_open(struct wt *w)
{
	const int limit = 4;
	struct flow old;

	w->cfg.tcp_fastopen = 3;
	wt_listen(w, 16);
	load(w, "pass in proto tcp limit 1/m per source handshakes burst 1");
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(.flags = S, .mss = WT_MSS, .fo = 1);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .fo = 9);
	INJECT(.flags = R, .seq = 1);
	old = wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS, .fo = 9, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 0);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_accept(w);
	wt_read(w, 10);
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS, .fo = 9, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	refused(w);
	EQ(dropped(w), 1);
	load(w, NULL);
}

static const struct wt_case cases[] = {
    {"handshakes count, and SYNs do not", handshakes},
    {"handshakes under way at the limit", at_once},
    {"who makes too many handshakes loses his connections", flushes},
    {"how often all connections are looked at", flushes_are_rare},
    {"handshakes by SYN cookies", cookies},
    {"handshakes for which there is no place", no_place},
    {"RFC 7413: Fast Open while handshakes are counted", fast_open},
};

WT_MAIN("firewall_handshakes")
