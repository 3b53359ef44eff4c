/* SPDX-License-Identifier: BSD-2-Clause */

/* Timestamps (RFC 7323): PAWS, what is echoed, segments without the option. */

#include "wt.h"

#define T 5000000u /* the peer's clock */

static void established(struct wt *w)
{
	w->peer.ts = true;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .ts = TS, .tsval = T);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsecr = T);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = T + 1, .tsecr = w->flow.tsval);
	wt_accept(w);
}

static void on_every_segment(struct wt *w)
{
	established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .ts = TS, .tsecr = T + 1);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 100, .ts = TS, .tsecr = T + 1);
	INJECT(.flags = A, .seq = 1, .ack = 101, .ts = TS, .tsval = T + 2, .tsecr = w->flow.tsval);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 101, .ack = 1, .ts = TS, .tsecr = T + 2);
	INJECT(.flags = FA, .seq = 1, .ack = 102, .ts = TS, .tsval = T + 3, .tsecr = w->flow.tsval);
	EXPECT(.flags = A, .seq = 102, .ack = 2, .ts = TS, .tsecr = T + 3);
}

static void clock_rate(struct wt *w)
{
	uint32_t first;

	established(w);
	first = w->flow.tsval;
	wt_pass(w, 10000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS);
	IN(w->flow.tsval - first, 10, 10000); /* between 1 s and 1 ms per tick */
}

static void offset_is_random(struct wt *w)
{
	uint32_t first;

	w->peer.ts = true;
	wt_syn_received(w);
	first = w->flow.tsval;
	wt_flow(w);
	wt_syn_received(w);
	CHECK(w->flow.tsval - first > 100000);
}

static void paws(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T + 100);
	wt_read(w, 10);
	wt_pass(w, 500);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ts = TS, .tsval = T + 50);
	EXPECT(.flags = A, .seq = 1, .ack = 11, .ts = TS, .tsecr = T + 100);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ts = TS, .tsval = T + 100);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 21);
}

/* Two ends that each believe of the other that it is old do not answer for ever. */
static void paws_is_limited(struct wt *w)
{
	w->cfg.tcp_challenge_acks = 10;
	established(w);
	for (int i = 0; i < 100; i++) {
		INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = T - 50);
		wt_drop(w);
	}
	IN(wt_count(w, PC_TCP_CHALLENGE_ACKS), 1, 11);
	/* data is answered all the same: what was lost may be the acknowledgement */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T - 50);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static void paws_spares_rst(struct wt *w)
{
	established(w);
	INJECT(.flags = R, .seq = 1, .ts = TS, .tsval = T - 1000);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
}

static void paws_forgets(struct wt *w)
{
	established(w);
	wt_pass(w, 25.0 * 24 * 3600 * 1000); /* RFC 7323 5.5: 24 days */
	w->flow.tsval_known = false;         /* half of what TSval can count */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T - 1000);
	wt_read(w, 10);
	/* and the new one takes its place: it is echoed, and what is older than it is dropped */
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11, .ts = TS, .tsecr = T - 1000);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ts = TS, .tsval = T - 900);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 21, .ts = TS, .tsecr = T - 900);
	INJECT(.flags = PA, .seq = 21, .ack = 1, .len = 10, .ts = TS, .tsval = T - 950);
	EXPECT(.flags = A, .seq = 1, .ack = 21, .ts = TS, .tsecr = T - 900);
	EQ(wt_count(w, PC_DROP_TCP_PAWS), 1);
}

/* ... also by who counts ms in 32 bits, which come round in 50 days */
static void paws_forgets_for_good(struct wt *w)
{
	established(w);
	for (unsigned i = 1; i <= 3; i++) {
		wt_pass(w, 50.0 * 24 * 3600 * 1000);
		w->flow.tsval_known = false;
		INJECT(.flags = PA, .seq = 10 * i - 9, .ack = 1, .len = 10, .ts = TS,
		       .tsval = T - 1000 * i);
		wt_read(w, 10);
		EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 10 * i + 1, .ts = TS,
		          .tsecr = T - 1000 * i);
	}
}

static void paws_across_wrap(struct wt *w)
{
	w->peer.ts = true;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .ts = TS, .tsval = UINT32_MAX - 5);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsecr = UINT32_MAX - 5);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = UINT32_MAX,
	       .tsecr = w->flow.tsval);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = 10);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11, .ts = TS, .tsecr = 10);
}

static void echo_of_delayed_ack(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T + 10);
	QUEUE(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ts = TS, .tsval = T + 20);
	wt_settle(w);
	/* RFC 7323 4.3: of segments acked together the earliest is echoed, unless acked before */
	w->mark = w->now;
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 21, .ts = TS, .tsecr = T + 10);
	wt_read(w, 20);
}

static void echo_ignores_gap(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 10, .ts = TS, .tsval = T + 50);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsecr = T + 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .ts = TS, .tsval = T + 60);
	EXPECT(.flags = A, .seq = 1, .ack = 111, .ts = TS, .tsecr = T + 60);
	wt_read(w, 110);
}

/* the acknowledgement was lost: the next one is for the retransmission */
static void echo_of_repeated(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T + 50);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11, .ts = TS, .tsecr = T + 50);
	wt_pass(w, 200);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T + 250);
	EXPECT(.flags = A, .seq = 1, .ack = 11, .ts = TS, .tsecr = T + 250);
	INJECT(.flags = FA, .seq = 11, .ack = 1, .ts = TS, .tsval = T + 300);
	EXPECT(.flags = A, .seq = 1, .ack = 12, .ts = TS, .tsecr = T + 300);
	INJECT(.flags = FA, .seq = 11, .ack = 1, .ts = TS, .tsval = T + 500);
	EXPECT(.flags = A, .seq = 1, .ack = 12, .ts = TS, .tsecr = T + 500);
	/* not so what was acknowledged earlier, nor one whose acknowledgement is not acceptable */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T + 600);
	EXPECT(.flags = A, .seq = 1, .ack = 12, .ts = TS, .tsecr = T + 500);
	INJECT(.flags = FA, .seq = 11, .ack = 1000000, .ts = TS, .tsval = T + 1000000);
	EXPECT(.flags = A, .seq = 1, .ack = 12, .ts = TS, .tsecr = T + 500);
}

static void missing_option(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = NO_TS);
	EQ(wt_drop(w), 0);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_TCP_NO_TIMESTAMP), 1);
	INJECT(.flags = R, .seq = 1, .ts = NO_TS); /* RST needs none */
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
}

static void not_negotiated(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = 5);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ts = TS, .tsval = 2);
	wt_read(w, 20);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 21, .ts = NO_TS);
}

static void time_wait_newer_timestamp(struct wt *w)
{
	w->peer.ts = true;
	wt_time_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_pass(w, 2000);
	/* RFC 6191: the sequence number is older but the timestamp is newer */
	w->flow.edge = 0;
	w->flow.irs -= 1000;
	INJECT(.flags = S, .seq = 0, .mss = 1460, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345);
	EQ(wt_next(w, 0)->seg.flags, SA);
}

static void senseless_echo(struct wt *w)
{
	established(w);
	wt_pass(w, 50);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 11, .ts = TS, .tsval = T + 5, .tsecr = 0x7fffffff);
	IN(wt_info(w).tcpi_rtt, 0, 60000);
	IN(wt_info(w).tcpi_rto, 1, 3000000);
}

/* R1 to R3 of section 5.3 hold in SYN-RECEIVED, too */
static void half_open(struct wt *w)
{
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .ts = TS, .tsval = T);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsecr = T);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = T - 1, .tsecr = w->flow.tsval);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsecr = T);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = NO_TS);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_NO_TIMESTAMP), 1);
	/* the SYN again: section 4.3 (2), its timestamp is the one to echo */
	INJECT(.flags = S, .mss = 1460, .ts = TS, .tsval = T + 500);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsecr = T + 500);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = T + 501, .tsecr = w->flow.tsval);
	wt_accept(w);
}

/* a peer that has started anew, and does without timestamps now, must find out (RFC 5961 4.2) */
static void syn_without_option(struct wt *w)
{
	established(w);
	INJECT(.flags = S, .seq = 77777, .mss = 1460, .ts = NO_TS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = TS);
	INJECT(.flags = R, .seq = 1, .ts = NO_TS);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
}

/* where timestamps are off they decide nothing, as PAWS would not protect the new connection */
static void time_wait_without_timestamps(struct wt *w)
{
	w->cfg.tcp_timestamps = 0;
	wt_time_wait(w);
	INJECT(.flags = S, .seq = 0u - 1000, .mss = 1460, .ts = TS, .tsval = 0x80000001);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

/* "If the previous incarnation did not use Timestamps ... If TCP Timestamps would be enabled for the new
 * incarnation of the connection, honor the incoming connection request" */
static void time_wait_first_timestamp(struct wt *w)
{
	wt_time_wait(w);
	w->flow.edge = 0;
	w->flow.irs -= 1000;
	INJECT(.flags = S, .seq = 0, .mss = 1460, .ts = TS, .tsval = 0x80000001);
	EQ(wt_next(w, 0)->seg.flags, SA);
}

/* "... if the timestamp ... is greater"; an older one is of an old duplicate, whatever its number */
static void time_wait_older_timestamp(struct wt *w)
{
	w->peer.ts = true;
	wt_time_wait(w);
	INJECT(.flags = S, .seq = 1000, .mss = 1460, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12344);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .ts = TS);
}

/* "... is equal to the last timestamp seen ... and the Sequence Number of the incoming SYN is greater" */
static void time_wait_same_timestamp(struct wt *w)
{
	w->peer.ts = true;
	wt_time_wait(w);
	INJECT(.flags = S, .seq = 1, .mss = 1460, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .ts = TS);
	INJECT(.flags = S, .seq = 3, .mss = 1460, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345);
	EQ(wt_next(w, 0)->seg.flags, SA);
}

/* "If SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent, then TS.Recent is set to SEG.TSval" */
static void time_wait_takes_timestamp(struct wt *w)
{
	uint32_t now;

	w->peer.ts = true;
	wt_time_wait(w);
	now = (uint32_t)(w->now / 1000000) + 12345;
	INJECT(.flags = A, .seq = 2, .ack = 3, .ts = TS,
	       .tsval = now + 2000); /* of what was never sent */
	wt_drop(w);
	INJECT(.flags = FA, .seq = 1, .ack = 2, .ts = TS, .tsval = now + 100);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .ts = TS, .tsecr = now + 100);
	INJECT(.flags = A, .seq = 2, .ack = 2, .ts = TS, .tsval = now + 1000);
	INJECT(.flags = S, .seq = 1000, .mss = 1460, .ts = TS, .tsval = now + 999);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .ts = TS, .tsecr = now + 1000);
	INJECT(.flags = S, .seq = 1000, .mss = 1460, .ts = TS, .tsval = now + 1001);
	EQ(wt_next(w, 0)->seg.flags, SA);
}

/* RFC 5961 5.2: "incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded",
 * with their timestamps; else one forged segment shuts the peer out (RFC 7323 5.3 R1) */
static void discarded_leaves_no_trace(struct wt *w)
{
	established(w);
	wt_pass(w, 100);
	INJECT(.flags = PA, .seq = 1, .ack = 1000000, .len = 10, .ts = TS, .tsval = T + 1000000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsecr = T + 1);
	INJECT(.flags = TCP_PSH, .seq = 1, .len = 10, .ts = TS,
	       .tsval = T + 1000000); /* no ACK bit */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = T + 2);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11, .ts = TS, .tsecr = T + 2);
}

/* a SYN-ACK that answers a SYN of another connection shows it by the timestamp that it echoes; it is answered like one with an
 * ACK that is not acceptable, and the right one is taken */
static void echo_of_another(struct wt *w)
{
	uint32_t first;

	w->peer.ts = true;
	w->cfg.tcp_sack = w->cfg.tcp_window_scaling = 0;
	wt_connecting(w);
	EXPECT(.flags = S, .mss = 1460, .ts = TS);
	first = w->flow.tsval;
	EXPECT_IN(990, 1010, .flags = S, .mss = 1460, .ts = TS);
	for (unsigned i = 0; i < 2; i++) {
		INJECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsval = T,
		       .tsecr = i == 0 ? first - 10 : w->flow.tsval + 10);
		EXPECT(.flags = R, .seq = 1);
	}
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsval = T, .tsecr = first);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsecr = T);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* ... an echo of 0 says nothing, and a RST is believed by its numbers */
static void echo_of_nothing(struct wt *w)
{
	w->peer.ts = true;
	wt_syn_sent(w);
	INJECT(.flags = SA, .ack = 1, .mss = 1460, .ts = TS, .tsval = T, .tsecr = 0);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsecr = T);
	wt_flow(w);
	wt_syn_sent(w);
	INJECT(.flags = RA, .ack = 1, .ts = TS, .tsval = T, .tsecr = 12345);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
}

#define DAY_MS (24.0 * 3600 * 1000)

/* ... counted from when it was last confirmed, as any segment does that is next; again: so many bytes come once more */
static void remembers(struct wt *w, uint32_t again)
{
	uint32_t seq = 11, at = T + 1;

	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ts = TS, .tsval = at,
	       .tsecr = w->flow.tsval);
	wt_read(w, 10);
	for (unsigned i = 0; i < 2; i++) {
		wt_pass(w, 15 * DAY_MS);
		at += 15u * 24 * 3600 * 1000;
		INJECT(.flags = PA, .seq = seq - again, .ack = 1, .len = 10 + again, .ts = TS,
		       .tsval = at, .tsecr = w->flow.tsval);
		wt_read(w, 10);
		seq += 10;
		wt_pass(w, 1000);
		wt_drop(w);
	}
	for (unsigned i = 0; i < 2; i++) {
		wt_pass(w, i == 0 ? 15 * DAY_MS : 8.5 * DAY_MS);
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 10, .ts = TS, .tsval = at - 1,
		       .tsecr = w->flow.tsval);
		EXPECT(.flags = A, .seq = 1, .ack = seq, .ts = TS, .tsecr = at);
	}
	EQ(wt_count(w, PC_DROP_TCP_PAWS), 2);
	wt_pass(w, 0.7 * DAY_MS); /* 24.2 days */
	INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 10, .ts = TS, .tsval = at - 1,
	       .tsecr = w->flow.tsval);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = seq + 10, .ts = TS, .tsecr = at - 1);
}

static void paws_remembers(struct wt *w)
{
	remembers(w, 0);
}

static void paws_remembers_what_is_cut(struct wt *w)
{
	remembers(w, 5);
}

static const struct wt_case cases[] = {
    {"Linux: a SYN-ACK echoes a timestamp that was never sent", echo_of_another},
    {"Linux: ... or none", echo_of_nothing},
    {"RFC 7323 3.2: timestamps on every segment", on_every_segment},
    {"RFC 7323 5.4: the clock's rate", clock_rate},
    {"RFC 7323 5.4: a random offset for each connection", offset_is_random},
    {"RFC 7323 5.3: PAWS drops old segments and acks", paws},
    {"RFC 7323 5.3, 5961 7: ... but empty ones within limits", paws_is_limited},
    {"RFC 7323 5.3: PAWS does not judge RST", paws_spares_rst},
    {"RFC 7323 5.5: TS.Recent is forgotten after 24 days", paws_forgets},
    {"RFC 7323 5.5: ... and after 50 as well", paws_forgets_for_good},
    {"RFC 7323 5.5: ... and not before", paws_remembers},
    {"RFC 7323 5.5: ... nor if old bytes came, too", paws_remembers_what_is_cut},
    {"RFC 7323 5.2: timestamps wrap", paws_across_wrap},
    {"RFC 7323 4.3: a delayed ACK echoes the earliest", echo_of_delayed_ack},
    {"RFC 7323 4.3: a segment beyond a gap is not echoed", echo_ignores_gap},
    {"RFC 7323 4.3: a retransmission of what was acknowledged last is echoed", echo_of_repeated},
    {"RFC 7323 3.2: a segment without the option is dropped", missing_option},
    {"RFC 7323 2.5: the option without negotiation is ignored", not_negotiated},
    {"RFC 6191: a newer timestamp reopens TIME-WAIT", time_wait_newer_timestamp},
    {"RFC 7323 5.3, 4.3: timestamps of half-open connections", half_open},
    {"RFC 7323 3.2, 5961 4.2: a SYN without the option is challenged", syn_without_option},
    {"RFC 6191 2: the first timestamp reopens TIME-WAIT", time_wait_first_timestamp},
    {"RFC 6191 2: ... but not where timestamps are off", time_wait_without_timestamps},
    {"RFC 6191 2: an older timestamp does not", time_wait_older_timestamp},
    {"RFC 7323 4.3: the newest timestamp counts in TIME-WAIT, too", time_wait_takes_timestamp},
    {"RFC 6191 2: at the same timestamp the sequence number decides", time_wait_same_timestamp},
    {"RFC 5961 5.2, 7323 5.3: what is discarded leaves no timestamp", discarded_leaves_no_trace},
    {"RFC 7323 4.2: an echo of what was never sent does no harm", senseless_echo},
};

WT_MAIN("timestamp")
