/* SPDX-License-Identifier: BSD-2-Clause */

/* Peers that keep to the protocol and mean no good: what they can make the stack hold and do is bounded. */

#include <errno.h>

#include "eal.h"
#include "wt.h"

static void open_one(struct wt *w)
{
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS, .sackok = w->peer.sackok);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .sackok = w->peer.sackok);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* ---- memory: segments of a size of which one does not fit beside another --------------------------- */

/* fills the window with segments of a size; returns how many mbufs that took */
static uint32_t fill(struct wt *w, uint32_t len)
{
	const uint32_t before = eal_in_use(w->probe_pool);
	uint32_t seq = 1;

	for (; seq + len <= w->flow.edge; seq += len) {
		QUEUE(.flags = A, .seq = seq, .ack = 1, .len = len);
		if (seq / len % 32 == 31)
			wt_drop(w);
	}
	wt_drop(w);
	w->flow.rcvd = 0;
	CHECK(seq > 60000);
	return eal_in_use(w->probe_pool) - before;
}

static void tiny_segments(struct wt *w)
{
	static const uint32_t sizes[] = {1, 100, 257, 600};

	w->cfg.tcp_rcvbuf = w->cfg.tcp_rcvbuf_max = 131072;
	wt_listen(w, 16);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t bytes, mbufs;

		open_one(w);
		mbufs = fill(w, sizes[i]);
		bytes = w->flow.edge;
		/* until 32 KB wait an mbuf each, from then on three quarters of each are used */
		CHECK(mbufs <= 32768 / (sizes[i] > 257 ? sizes[i] : 257) + 2 + bytes / 1500);
		wt_read(w, (bytes - 1) / sizes[i] * sizes[i]);
		wt_drop(w);
	}
}

/* ---- instructions: SACK blocks that are others each time -------------------------------------------- */

#define FLIGHT 600 /* segments */

/* The peer has grown our window to FLIGHT segments, all of which are under way. Returns what it has acknowledged. */
static uint32_t fill_window(struct wt *w)
{
	uint32_t una = 1;

	w->peer.sackok = true;
	w->peer.ws = 8;
	w->cfg.tcp_sndbuf = w->cfg.tcp_sndbuf_max = 2u << 20;
	wt_listen(w, 16);
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS, .sackok = true, .ws = 8);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .sackok = true, .ws = 8);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	while (wt_info(w).tcpi_snd_cwnd < FLIGHT) {
		while (wt_write(w, WT_MSS, 0) > 0)
			;
		wt_settle(w);
		for (const struct frame_info *f; (f = wt_next(w, 0)) != NULL;)
			una = f->seg.seq + f->payload_len - w->flow.iss;
		INJECT(.flags = A, .seq = 1, .ack = una);
	}
	while (wt_write(w, WT_MSS, 0) > 0)
		;
	wt_drop(w);
	return una;
}

/* It goes on to report what it has reported, in turns: of what finds nothing a share is looked for. */
static void sack_in_vain(struct wt *w, uint32_t una)
{
	const uint64_t before = wt_count(w, PC_TCP_SACK_LOOKS);

	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t at = i % 2 ? 540 : 300;

		INJECT(.flags = A, .seq = 1, .ack = una, .nb_sack = 1,
		       .sack = {{una + at * WT_MSS, una + (at + 1) * WT_MSS}});
		wt_drop(w);
	}
	EQ(wt_info(w).tcpi_sacked, 450);
	CHECK(wt_count(w, PC_TCP_SACK_LOOKS) - before <= 2000 * 16 + 4096 + FLIGHT);
}

/* One segment is missing, and each of the 500 behind it is reported, as by any peer: the walks to them, and to what is lost
 * beside them, are short. */
static void sack_one_more(struct wt *w)
{
	uint32_t una = fill_window(w);

	for (uint32_t i = 2; i <= 500; i++) {
		INJECT(.flags = A, .seq = 1, .ack = una, .nb_sack = 1,
		       .sack = {{una + WT_MSS, una + i * WT_MSS}});
		wt_drop(w);
		wt_pass(w, 0.1);
	}
	EQ(wt_info(w).tcpi_sacked, 499);
	CHECK(wt_count(w, PC_TCP_SACK_LOOKS) <= 5 * 499);
}

/* The peer reports three segments here and there of all that is under way, never the same, and never acknowledges
 * anything. */
static void sack_blocks(struct wt *w)
{
	const uint32_t una = fill_window(w);

	for (uint32_t i = 0; i < 150; i++) {
		uint32_t at[3] = {1 + i, 200 + i, 400 + i};

		INJECT(.flags = A, .seq = 1, .ack = una, .nb_sack = 3,
		       .sack = {{una + at[2] * WT_MSS, una + (at[2] + 1) * WT_MSS},
		                {una + at[1] * WT_MSS, una + (at[1] + 1) * WT_MSS},
		                {una + at[0] * WT_MSS, una + (at[0] + 1) * WT_MSS}});
		wt_drop(w);
		wt_pass(w, 0.1);
	}
	EQ(wt_info(w).tcpi_sacked, 450);
	/* each found something, and looked at each segment once at most, and once more for losses */
	CHECK(wt_count(w, PC_TCP_SACK_LOOKS) <= 150 * 2 * FLIGHT);
	sack_in_vain(w, una);
}

/* The path has become narrower, says somebody: each segment that is under way is cut, and then each that is not, and the walk to
 * where that is is short. */
static void cut_all(struct wt *w)
{
	const uint32_t una = fill_window(w);
	const uint64_t before = wt_count(w, PC_TCP_SACK_LOOKS);
	uint32_t end = una;

	wt_too_big(w, 600, una);
	for (const struct frame_info *f; (f = wt_next(w, 0)) != NULL;)
		end = f->seg.seq + f->payload_len - w->flow.iss;
	CHECK(end - una > (FLIGHT - 10) * WT_MSS);
	CHECK(wt_count(w, PC_TCP_SACK_LOOKS) - before <= 10 * FLIGHT);
	INJECT(.flags = A, .seq = 1, .ack = end);
	wt_drop(w);
	CHECK(wt_count(w, PC_TCP_SACK_LOOKS) - before <= 10 * FLIGHT);
}

/* ---- churn at the limit ------------------------------------------------------------------------------ */

static void end_one(struct wt *w)
{
	INJECT(.flags = R, .seq = w->flow.rcvd + 1);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
}

static void churn_at_the_limit(struct wt *w)
{
	struct pc_stack_usage u;
	struct flow open[8], last;

	w->cfg.stack_max_connections = 8;
	wt_listen(w, 16);
	for (unsigned i = 0; i < 8; i++) {
		open_one(w);
		open[i] = w->flow;
	}
	for (unsigned i = 0; i < 300; i++) {
		/* one too many: its handshake is not completed, and is when there is room */
		wt_flow(w);
		INJECT(.flags = S, .mss = WT_MSS);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		NOTHING(1);
		EQ(wt_count(w, PC_DROP_TCP_NO_TCB), i + 1);
		last = w->flow;
		w->flow = open[i % 8];
		end_one(w);
		w->flow = last;
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
		wt_accept(w);
		wt_read(w, 10);
		wt_drop(w);
		open[i % 8] = w->flow;
	}
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 8);
	EQ(u.half_open, 0);
	for (unsigned i = 0; i < 8; i++) {
		w->flow = open[i];
		INJECT(.flags = R, .seq = 11);
		OK(pc_close(w->st, w->flow.fd));
	}
	wt_settle(w);
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 0);
}

/* ---- peers that have gone without a word -------------------------------------------------------------- */

/* as an application does that is told of errors */
static void close_dead(struct wt *w, struct flow open[], unsigned n)
{
	char c;

	for (unsigned i = 0; i < n; i++) {
		if (open[i].fd < 0 || pc_recv(w->st, open[i].fd, &c, 1, 0) >= 0 || errno == EAGAIN)
			continue;
		EQ(errno, ETIMEDOUT);
		OK(pc_close(w->st, open[i].fd));
		open[i].fd = -1;
	}
}

/* One more than there may be completes its handshake, again and again for ms. Returns whether it is taken in. */
static bool knock(struct wt *w, unsigned ms, struct flow open[], unsigned n)
{
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	for (unsigned gone = 0; gone < ms; gone += 500) {
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
		wt_pass(w, 500);
		wt_drop(w);
		close_dead(w, open, n);
		w->flow.fd = pc_accept(w->st, w->lfd, NULL, NULL);
		if (w->flow.fd > 0)
			return true;
	}
	return false;
}

/* Four peers have something under way and say no more, one acknowledges now and then, three are idle: a new one waits for
 * tcp.stalled_ms, one that is silent goes for it, and nobody else. */
static void silent_at_the_limit(struct wt *w)
{
	struct pc_stack_usage u;
	struct flow open[8];

	w->cfg.stack_max_connections = 8;
	w->cfg.tcp_stalled_ms = 5000;
	wt_listen(w, 16);
	for (unsigned i = 0; i < 8; i++) {
		open_one(w);
		if (i < 5)
			wt_write(w, 100, 0);
		wt_drop(w);
		open[i] = w->flow;
	}
	w->flow = open[4];
	INJECT(.flags = A, .seq = 1, .ack = 51);
	wt_drop(w);
	CHECK(!knock(w, 3500, open, 8));
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0);
	w->flow = open[4];
	INJECT(.flags = A, .seq = 1, .ack = 101);
	wt_pass(w, 5000);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0); /* nobody was refused meanwhile */
	for (unsigned i = 0; i < 4; i++) {
		w->flow = open[4]; /* has been silent before, and has something under way again */
		wt_write(w, 10, 0);
		wt_drop(w);
		CHECK(knock(w, 4000, open, 8));
		EQ(wt_count(w, PC_TCP_STALLED_RESET), i + 1);
		w->flow = open[4];
		INJECT(.flags = A, .seq = 1, .ack = 111 + 10 * i);
		wt_drop(w);
	}
	w->flow = open[4];
	wt_write(w, 10, 0);
	wt_drop(w);
	CHECK(!knock(w, 500, open, 8));
	w->flow = open[4];
	INJECT(.flags = A, .seq = 1, .ack = 151);
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 8);
	CHECK(!knock(w, 20000, open, 8)); /* who is left is idle, or has acknowledged everything */
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 4);
	w->flow = open[4];
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

static const struct wt_case cases[] = {
    {"tiny segments that nobody reads share mbufs", tiny_segments},
    {"SACK blocks that are others each time", sack_blocks},
    {"SACK blocks that grow, segment by segment", sack_one_more},
    {"a path that becomes narrower beneath a full window", cut_all},
    {"churn at stack.max_connections", churn_at_the_limit},
    {"silent peers at stack.max_connections", silent_at_the_limit},
};

WT_MAIN("abuse", .mbufs = WT_MANY_MBUFS)
