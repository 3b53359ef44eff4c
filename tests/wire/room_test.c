/* SPDX-License-Identifier: BSD-2-Clause */

/* Who gives way when stack.max_connections is reached. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "wt.h"

#define MANY 8

/* a peer with an address of its own, 192.0.2.x; its next hop is known */
static void from(struct wt *w, unsigned x)
{
	char text[16];

	snprintf(text, sizeof(text), "192.0.2.%u", x);
	wt_flow_from(w, text);
	wt_drop(w);
}

static void shake(struct wt *w, unsigned x)
{
	from(w, x);
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
}

static struct flow open_one(struct wt *w, unsigned x)
{
	shake(w, x);
	wt_accept(w);
	return w->flow;
}

static void start(struct wt *w, unsigned give_way_ms)
{
	w->cfg.stack_max_connections = MANY;
	w->cfg.tcp_give_way_ms = give_way_ms;
	wt_listen(w, 16);
}

/* MANY connections of the sources that x names, a second apart */
static void fill(struct wt *w, const unsigned x[MANY], struct flow open[MANY])
{
	for (unsigned i = 0; i < MANY; i++) {
		open[i] = open_one(w, x[i]);
		wt_pass(w, 1000);
		wt_drop(w);
	}
}

static int error_of(struct wt *w, const struct flow *f)
{
	char c;

	return pc_recv(w->st, f->fd, &c, 1, 0) < 0 ? errno : 0;
}

/* The application closes those that are dead. Returns which one was, when it was one; MANY: none. */
static unsigned close_dead(struct wt *w, struct flow open[MANY])
{
	unsigned found = MANY;

	for (unsigned i = 0; i < MANY; i++) {
		if (open[i].fd < 0 || error_of(w, &open[i]) != ECONNABORTED)
			continue;
		EQ(found, MANY);
		OK(pc_close(w->st, open[i].fd));
		open[i].fd = -1;
		found = i;
	}
	return found;
}

/* says what he has said once more; returns whether he is taken in */
static bool knock(struct wt *w)
{
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_drop(w);
	w->flow.fd = pc_accept(w->st, w->lfd, NULL, NULL);
	return w->flow.fd > 0;
}

/* one of another source tries for 20 seconds, and is not taken in */
static void nobody_gives_way(struct wt *w, struct flow open[MANY])
{
	shake(w, 74);
	for (unsigned i = 0; i < 20; i++) {
		CHECK(!knock(w));
		wt_pass(w, 1000);
	}
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 0);
	EQ(close_dead(w, open), MANY);
}

/* all but the first two say something */
static void talk(struct wt *w, struct flow open[MANY])
{
	for (unsigned i = 2; i < MANY; i++) {
		w->flow = open[i];
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
		wt_read(w, 10);
	}
	wt_drop(w);
}

/* The source that has most gives up what has been idle longest, when that is long enough; neither those who have less,
 * though they are idle longer, nor who has unread bytes, nor what this side has opened. */
static void idle_longest(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 72, 72, 72, 72, 72, 73};
	struct flow open[MANY], new;

	start(w, 5000);
	fill(w, x, open);
	w->flow = open[2]; /* is not idle longest any more */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_read(w, 10);
	w->flow = open[3]; /* has not been read */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 1900); /* open[4] has been idle for 5.9 s, open[5] for 4.9 s */
	wt_drop(w);
	shake(w, 74);
	new = w->flow;
	wt_pass(w, 20);
	EQ(close_dead(w, open), 4);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 1);
	wt_drop(w);
	w->flow = new;
	CHECK(knock(w));
	/* the next one is open[5], as soon as it has been idle for as long */
	wt_pass(w, 20);
	shake(w, 75);
	new = w->flow;
	wt_pass(w, 20);
	EQ(close_dead(w, open),
	   0); /* of sources with two or three, whose other ones are not idle */
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 2);
	w->flow = new;
	wt_drop(w);
	CHECK(knock(w));
}

/* The lcore stands still for a minute (a virtual machine that is saved): nobody has been idle for longer than since then. */
static void not_heard(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY];

	start(w, 30000);
	fill(w, x, open);
	w->now += 60000000000;
	wt_pass(w, 20);
	shake(w, 74);
	wt_pass(w, 29000);
	CHECK(!knock(w));
	wt_pass(w, 20);
	EQ(close_dead(w, open), MANY);
	wt_pass(w, 2000);
	CHECK(!knock(w));
	wt_pass(w, 20);
	EQ(close_dead(w, open), 0);
}

/* The peer of the reset connection hears of it, the application too. */
static void told(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY];

	start(w, 5000);
	fill(w, x, open);
	wt_pass(w, 5000);
	shake(w, 74);
	w->flow = open[0];
	EXPECT_IN(0, 5, .flags = RA, .seq = 1, .ack = 1, .any_wnd = true);
	EQ(wt_events(w, open[0].fd) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
	EQ(error_of(w, &open[0]), ECONNABORTED);
	NOTHING(900); /* then comes the SYN-ACK of the one that waits */
}

/* Nobody gives way where that is not wanted, nor what has an answer of the peer to wait for. */
static void nobody(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY];

	start(w, 0);
	fill(w, x, open);
	wt_pass(w, 100000);
	nobody_gives_way(w, open);
}

static void active_or_busy(struct wt *w)
{
	struct flow open[MANY];

	w->cfg.stack_max_connections = MANY;
	w->cfg.tcp_give_way_ms = 5000;
	w->cfg.tcp_stalled_ms = 0;
	wt_listen(w, 16);
	for (unsigned i = 0; i < MANY; i++) {
		if (i % 2) {
			wt_flow(w);
			wt_established_active(w);
			open[i] = w->flow;
		} else {
			open[i] = open_one(w, 71);
			wt_write(w, 100, 0);
		}
		wt_drop(w);
	}
	wt_pass(w, 10000);
	wt_drop(w);
	nobody_gives_way(w, open);
}

/* A large source has filled the table and tries hardest. What it gives up for a small one is kept for that. */
static void kept_place(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY], large, small;

	start(w, 5000);
	fill(w, x, open);
	wt_pass(w, 500); /* of those that came last four have not been idle for long enough */
	shake(w, 74);
	small = w->flow;
	wt_pass(w, 20);
	EQ(close_dead(w, open), 0);
	shake(w, 71);
	large = w->flow;
	wt_pass(w, 20);
	wt_drop(w);
	EQ(close_dead(w, open), 1); /* the large one has room of its own ... */
	w->flow = large;
	CHECK(knock(w)); /* ... and this is it */
	talk(w, open);
	shake(w, 71);
	large = w->flow;
	for (unsigned i = 0; i < 3; i++) { /* who has none that is idle waits */
		w->flow = large;
		CHECK(!knock(w));
		wt_pass(w, 900);
		EQ(close_dead(w, open), MANY);
	}
	wt_drop(w);
	w->flow = small;
	CHECK(knock(w));
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 2);
	w->flow = large;
	CHECK(!knock(w)); /* the table is full again */
}

/* It is not kept for ever. */
static void not_for_ever(struct wt *w)
{
	struct flow open[MANY], large;

	start(w, 100000);
	for (unsigned i = 0; i < MANY; i++) {
		open[i] = open_one(w, 71);
		wt_pass(w, i == 0 ? 100000 : 10);
		wt_drop(w);
	}
	shake(w, 74);
	wt_pass(w, 20);
	EQ(close_dead(w, open), 0);
	shake(w, 71);
	wt_drop(w);
	CHECK(!knock(w));
	large = w->flow;
	wt_pass(w, 29000);
	CHECK(!knock(w));
	w->flow = open_one(w, 75); /* takes it, and gives it back: it is kept for another 30 s */
	INJECT(.flags = R, .seq = 1);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	w->flow = large;
	wt_pass(w, 29000);
	CHECK(!knock(w));
	wt_pass(w, 1100);
	CHECK(knock(w));
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 1);
}

/* What has unread bytes stays, however long; of the others the one that was heard of least lately goes. */
static void not_unread(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY];

	start(w, 1000);
	fill(w, x, open);
	for (unsigned i = 0; i < 2; i++) {
		w->flow = open[i];
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
		if (i == 1)
			wt_read(w, 10);
	}
	wt_pass(w, 20000);
	for (unsigned i = 3; i < MANY; i++) {
		w->flow = open[i];
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_pass(w, 10);
	}
	w->flow = open[1];
	INJECT(.flags = A, .seq = 11, .ack = 1);
	wt_pass(w, 2000);
	wt_drop(w);
	shake(w, 74);
	wt_pass(w, 20);
	wt_drop(w);
	EQ(close_dead(w, open), 2);
	CHECK(knock(w));
	wt_pass(w, 20);
	EQ(close_dead(w, open), 3); /* the next place is kept */
}

/* As many places as are kept are made when the first is, and one for each that is taken. */
static void sixteenth(struct wt *w)
{
	struct flow open[64];
	unsigned dead = 0;

	w->cfg.stack_max_connections = 64;
	w->cfg.tcp_give_way_ms = 1000;
	wt_listen(w, 16);
	for (unsigned i = 0; i < 64; i++)
		open[i] = open_one(w, 71);
	wt_pass(w, 1100);
	shake(w, 74);
	wt_pass(w, 50);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 4);
	for (unsigned i = 0; i < 64; i++) {
		if (error_of(w, &open[i]) == EAGAIN)
			continue;
		OK(pc_close(w->st, open[i].fd));
		dead++;
	}
	EQ(dead, 4);
	CHECK(knock(w));
	wt_pass(w, 50);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 5);
}

/* Of one source alone: its own oldest one goes. */
static void own_oldest(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY], new;

	start(w, 5000);
	fill(w, x, open);
	shake(w, 71);
	new = w->flow;
	wt_pass(w, 20);
	EQ(close_dead(w, open), 0);
	wt_drop(w);
	w->flow = new;
	CHECK(knock(w));
}

/* As many as were refused give way, one after the other. */
static void several(struct wt *w)
{
	static const unsigned x[MANY] = {71, 71, 71, 71, 71, 71, 71, 71};
	struct flow open[MANY], new[3];

	start(w, 5000);
	fill(w, x, open);
	for (unsigned i = 0; i < 3; i++) {
		from(w, 74 + i);
		INJECT(.flags = S, .mss = WT_MSS);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
		new[i] = w->flow;
	}
	for (unsigned i = 0; i < 3; i++) { /* in one turn */
		w->flow = new[i];
		QUEUE(.flags = A, .seq = 1, .ack = 1);
	}
	wt_settle(w);
	wt_pass(w, 20);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 3);
	for (unsigned i = 0; i < MANY; i++) {
		EQ(error_of(w, &open[i]), i < 3 ? ECONNABORTED : EAGAIN);
		if (i < 3)
			OK(pc_close(w->st, open[i].fd));
	}
	for (unsigned i = 0; i < 3; i++) {
		w->flow = new[i];
		CHECK(knock(w));
	}
}

/* ---- closed by the application --------------------------------------------------------------------- */

/* Half have acknowledged our FIN and say no more, half have not: when the table is full they give way at once, and when
 * nobody wants their places they keep them. */
static void spent(struct wt *w)
{
	struct pc_stack_usage u;

	start(w, 0);
	for (unsigned i = 0; i < MANY; i++) {
		open_one(w, 71);
		OK(pc_close(w->st, w->flow.fd));
		wt_settle(w);
		EXPECT(.flags = FA, .seq = 1, .ack = 1);
		if (i % 2)
			INJECT(.flags = A, .seq = 1, .ack = 2);
		wt_drop(w);
	}
	wt_pass(w, 900);
	shake(w, 74);
	wt_pass(w, 50);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 0); /* a peer has a second for its FIN */
	wt_pass(w, 3000);
	wt_drop(w);
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, MANY); /* nobody has asked since */
	CHECK(!knock(w));
	for (unsigned i = 0; i < MANY; i++) {
		if (i > 0)
			shake(w, 74 + i);
		wt_pass(w, 20);
		EQ(wt_count(w, PC_TCP_GAVE_WAY), i + 1);
		CHECK(knock(w));
	}
}

/* Our FIN has only just been sent, to a peer that has been silent for long. */
static void fresh_fin(struct wt *w)
{
	struct flow open[MANY];

	start(w, 0);
	for (unsigned i = 0; i < MANY; i++)
		open[i] = open_one(w, 71);
	wt_pass(w, 10000);
	for (unsigned i = 0; i < MANY; i++)
		OK(pc_close(w->st, open[i].fd));
	wt_settle(w);
	wt_drop(w);
	shake(w, 74);
	wt_pass(w, 20);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 0);
}

/* The peer has closed first, and does not acknowledge our FIN; or has not taken what was sent: that is not over. */
static void last_ack(struct wt *w)
{
	start(w, 0);
	w->cfg.tcp_stalled_ms = 0;
	for (unsigned i = 0; i < MANY; i++) {
		open_one(w, 71);
		if (i < MANY - 1)
			wt_write(w, 100, 0);
		else
			INJECT(.flags = FA, .seq = 1, .ack = 1);
		OK(pc_close(w->st, w->flow.fd));
		wt_settle(w);
		wt_drop(w);
	}
	wt_pass(w, 1500);
	wt_drop(w);
	for (unsigned i = 0; i < 2; i++) {
		shake(w, 74 + i);
		wt_pass(w, 20);
		EQ(knock(w), i == 0);
	}
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 1);
}

/* ---- time -------------------------------------------------------------------------------------------- */

/* More connections than are looked at in a tick: a loop that sleeps until something is due is woken for the rest. */
static void goes_on(struct wt *w)
{
	uint64_t next;

	w->cfg.stack_max_connections = 150;
	w->cfg.tcp_give_way_ms = 600000;
	wt_listen(w, 16);
	for (unsigned i = 0; i < 150; i++)
		open_one(w, 71);
	shake(w, 74);
	next = pc_stack_next_deadline(w->st);
	CHECK(next <= w->now + 2000000);
	wt_pass(w, 50);
	wt_drop(w);
	next = pc_stack_next_deadline(w->st); /* of the SYN-ACK */
	CHECK(next > w->now + 100000000);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 0);
}

static const struct wt_case cases[] = {
    {"the one idle longest of the source that has most gives way", idle_longest},
    {"... nobody has been idle while this side stood still", not_heard},
    {"both ends hear of it", told},
    {"without tcp.give_way_ms nobody does", nobody},
    {"nor those that have sent something, nor active ones", active_or_busy},
    {"a place is kept for who has less", kept_place},
    {"but not for ever", not_for_ever},
    {"not what has unread bytes", not_unread},
    {"a sixteenth is kept free", sixteenth},
    {"a single source gives up its own", own_oldest},
    {"several are refused in a turn", several},
    {"what the application has closed gives way first", spent},
    {"not while its FIN is on its way", fresh_fin},
    {"in LAST-ACK, too", last_ack},
    {"all connections are looked at, also while nothing comes", goes_on},
};

WT_MAIN("room")
