/* SPDX-License-Identifier: BSD-2-Clause */

/* Limits per source, and whom the stack does not listen to at all. */

#include <arpa/inet.h>
#include <stdio.h>

#include <rte_common.h>

#include "wt.h"

static struct pc_prefix prefix(const char *text)
{
	struct pc_prefix p = {0};

	pc_prefix_parse(text, &p);
	return p;
}

static void open_one(struct wt *w)
{
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void at_most(struct wt *w)
{
	struct flow one;

	w->cfg.tcp_source_connections = 2;
	wt_listen(w, 8);
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
	one = w->flow;
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
	wt_flow_from(w, "192.0.2.77");
	INJECT(.flags = S, .mss = WT_MSS);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_SOURCE), 1);
	/* others do not notice */
	wt_flow_from(w, "192.0.2.78");
	open_one(w);
	/* when one of them ends, another may come */
	w->flow = one;
	INJECT(.flags = R, .seq = 1);
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
	EQ(wt_count(w, PC_DROP_TCP_SOURCE), 1);
}

/* what was under way when the limit was reached is refused at the end of its handshake */
static void at_once(struct wt *w)
{
	struct flow f[3];

	w->cfg.tcp_source_connections = 2;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 3; i++) {
		wt_flow_from(w, "192.0.2.77");
		INJECT(.flags = S, .mss = WT_MSS);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
		f[i] = w->flow;
	}
	for (unsigned i = 0; i < 3; i++) {
		w->flow = f[i];
		INJECT(.flags = A, .seq = 1, .ack = 1);
	}
	EQ(wt_count(w, PC_TCP_OPENED_PASSIVE), 2);
	EQ(wt_count(w, PC_DROP_TCP_SOURCE), 1);
	w->flow = f[2];
	INJECT(.flags = R, .seq = 1);
}

/* the table stays exact over many connections */
static void churn(struct wt *w)
{
	w->cfg.tcp_source_connections = 1;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 300; i++) {
		wt_flow_from(w, i % 2 == 0 ? "192.0.2.77" : "192.0.2.78");
		open_one(w);
		OK(pc_close(w->st, w->flow.fd));
		wt_settle(w);
		EXPECT(.flags = FA, .seq = 1, .ack = 1);
		INJECT(.flags = FA, .seq = 1, .ack = 2);
		EXPECT(.flags = A, .seq = 2, .ack = 2);
	}
	EQ(wt_count(w, PC_DROP_TCP_SOURCE), 0);
}

static void half_open(struct wt *w)
{
	w->cfg.tcp_source_half_open = 3;
	w->cfg.tcp_syn_cookies = 0;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 5; i++) {
		wt_flow_from(w, "192.0.2.77");
		INJECT(.flags = S, .mss = WT_MSS);
		if (i < 3)
			EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
		else
			NOTHING(10);
	}
	EQ(wt_count(w, PC_DROP_TCP_SOURCE), 2);
	wt_flow_from(w, "192.0.2.78");
	open_one(w);
	/* and they are forgotten with their entries */
	wt_pass(w, 200000);
	wt_drop(w);
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
}

static void half_open_cookies(struct wt *w)
{
	w->cfg.tcp_source_half_open = 1;
	wt_listen(w, 8);
	wt_flow_from(w, "192.0.2.77");
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	/* nothing is kept for these, and yet who means it gets through */
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	wt_pass(w, 200000);
	wt_drop(w);
}

/* ---- denied ----------------------------------------------------------------------------------- */

static void denied(struct wt *w)
{
	struct pc_prefix p = prefix("192.0.2.77/32");
	struct flow old;

	wt_listen(w, 8);
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
	old = w->flow;
	OK(pc_stack_deny(w->st, &p));
	ERR(pc_stack_deny(w->st, &p), EEXIST);
	wt_pass(w, 1);
	/* what it had is over, and nothing was said */
	ERR(pc_recv(w->st, old.fd, &(char){0}, 1, 0), ECONNABORTED);
	EQ(wt_count(w, PC_TCP_DENIED_ENDED), 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_flow_from(w, "192.0.2.77");
	INJECT(.flags = S, .mss = WT_MSS);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_DENIED), 2);
	wt_flow_from(w, "192.0.2.78");
	open_one(w);
	OK(pc_stack_allow(w->st, &p));
	ERR(pc_stack_allow(w->st, &p), ENOENT);
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
}

/* the sweep, over all that were ever open, takes more than a turn, and does not wait for something to come */
static void sweep_has_no_pause(struct wt *w)
{
	struct pc_prefix p = prefix("192.0.2.77/32");
	int fds[800];

	w->cfg.stack_max_connections = 1000;
	wt_listen(w, 8);
	wt_flow_from(w, "192.0.2.77");
	open_one(w);
	for (unsigned i = 0; i < RTE_DIM(fds); i++)
		fds[i] = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	for (unsigned i = 0; i < RTE_DIM(fds); i++)
		OK(pc_close(w->st, fds[i]));
	wt_pass(w, 1000);
	CHECK(pc_stack_next_deadline(w->st) > w->now);
	OK(pc_stack_deny(w->st, &p));
	for (unsigned i = 0; i < 4; i++) {
		CHECK(pc_stack_next_deadline(w->st) <= w->now);
		pc_stack_poll(w->st, w->now);
		pc_stack_flush(w->st, w->now);
	}
	EQ(wt_count(w, PC_TCP_DENIED_ENDED), 1);
	CHECK(pc_stack_next_deadline(w->st) > w->now);
}

/* neither UDP nor ping nor a closed port answers, nor what no protocol here wants */
static void denied_altogether(struct wt *w)
{
	struct pc_prefix p = prefix("192.0.2.77/32");
	struct frame_ends e;
	struct frame f;

	wt_listen(w, 8);
	wt_flow_from(w, "192.0.2.77");
	OK(pc_stack_deny_all(w->st, &p, 1));
	e = wt_ends(w);
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0, 1, 0, 1}, "ping", 4);
	wt_inject_frame(w, &f);
	frame_udp(&f, &e, 1000, 1000, "x", 1);
	wt_inject_frame(w, &f);
	f.b[14 + 9] = 253;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	w->flow.lport = 81;
	w->flow.iss = 0;
	INJECT(.flags = S, .mss = WT_MSS);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_DENIED), 4);
	OK(pc_stack_deny_all(w->st, NULL, 0));
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = RA, .ack = 1);
}

static void no_room(struct wt *w)
{
	struct pc_prefix p[2] = {prefix("192.0.2.77/32"), prefix("192.0.2.78/32")};

	w->cfg.ip_deny_entries = 1;
	wt_start(w);
	ERR(pc_stack_deny_all(w->st, p, 2), ENOSPC);
	OK(pc_stack_deny(w->st, &p[0]));
	ERR(pc_stack_deny(w->st, &p[1]), ENOSPC);
	p[0].len = 200;
	ERR(pc_stack_deny(w->st, &p[0]), EINVAL);
}

static const struct wt_case cases[] = {
    {"tcp.source_connections bounds what a source has", at_most},
    {"tcp.source_connections holds for handshakes under way", at_once},
    {"tcp.source_connections stays exact over many connections", churn},
    {"tcp.source_half_open without SYN cookies", half_open},
    {"tcp.source_half_open: cookies beyond it", half_open_cookies},
    {"net.deny: what a source has ends, and nothing of it is heard", denied},
    {"net.deny: a sweep over many connections has no pause", sweep_has_no_pause},
    {"net.deny: no transport answers (IPv4)", denied_altogether},
    {"ip.deny_entries is a limit", no_room},
};

WT_MAIN("limits")
