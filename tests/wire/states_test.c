/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Every state times every segment, and what RFC 9293 section 3.10.7 says about it.
 *
 * Overview: a case is one state.  It is reached anew for each combination of control bits, payload,
 * place of the sequence number in the window, and place of the acknowledgement number; the answer on the
 * wire, the state afterwards and the bytes delivered are compared with what answer_of() derives from the
 * text.  answer_of() is written from the RFC alone and shares nothing with lib/tcp.
 *
 * Where the RFC leaves a choice it is told at the place: RFC 5961 is implemented (MAY-12), RST in TIME-WAIT
 * is ignored (RFC 1337 section 3, fix (a)), text that cannot be is answered by an acknowledgement.
 */

#include <netinet/tcp.h>
#include <stdio.h>

#include "wt.h"

/* ---- what is tried --------------------------------------------------------------------------- */

struct kind {
	const char *name;
	uint8_t flags;
	uint32_t len;
};

static const struct kind kinds[] = {
    {"RST", R, 0},
    {"RST+data", R, 10},
    {"RST,ACK", RA, 0},
    {"RST,ACK+data", RA, 5},
    {"SYN", S, 0},
    {"SYN+data", S, 10},
    {"SYN,ACK", SA, 0},
    {"SYN,ACK+data", SA, 10},
    {"SYN,RST", S | R, 0},
    {"ACK", A, 0},
    {"ACK+data", PA, 10},
    {"FIN,ACK", FA, 0},
    {"FIN,ACK+data", FA, 7},
    {"data without ACK", 0, 10},
    {"FIN without ACK", TCP_FIN, 0},
    {"no flags", 0, 0},
    {"SYN,FIN", S | TCP_FIN, 0},
};

enum place { FAR_LEFT, TOUCHES, OVERLAPS, LEFT_EDGE, INSIDE, LAST, RIGHT_EDGE, RIGHT, NB_PLACES };

static const char *const place_names[NB_PLACES] = {
    "left of the window", "up to the left edge", "over the left edge", "at the left edge",
    "inside the window",  "at its last byte",    "at the right edge",  "right of the window"};

enum acks { TOO_OLD, OLD, UNA, NXT, FUTURE, NB_ACKS };

static const char *const ack_names[NB_ACKS] = {"too old", "old", "SND.UNA", "SND.NXT",
                                               "not yet sent"};

/* ---- where it is tried ----------------------------------------------------------------------- */

/* values are those of tcpi_state */
enum {
	ESTAB = TCP_ESTABLISHED,
	NONE = 100, /* nothing is left of the connection */
};

struct spot {
	uint8_t state;
	bool passive; /* in SYN-RECEIVED: from LISTEN */
	uint32_t una, nxt, rcv, wnd;
};

/* ---- what the RFC says ----------------------------------------------------------------------- */

enum reply { QUIET, ACKED, ACKED_LATER, RESET, SYNACKED };

struct answer {
	enum reply reply;
	uint32_t seq, ack;
	uint8_t state;
	uint32_t bytes; /* delivered */
	bool any_seq;   /* a new ISN */
};

#define MAX_WND 65535u /* MAX.SND.WND: what the peer offers here */

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t seg_len(const struct seg *s)
{
	return s->len + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
}

/* RCV.NXT =< n < RCV.NXT + RCV.WND */
static bool in_window(const struct spot *p, uint32_t n)
{
	return n - p->rcv < p->wnd;
}

/* table 6 of RFC 9293: "there are four cases for the acceptability test for an incoming segment" */
static bool is_acceptable(const struct spot *p, const struct seg *s)
{
	uint32_t len = seg_len(s);

	if (len == 0)
		return p->wnd == 0 ? s->seq == p->rcv : in_window(p, s->seq);
	return p->wnd > 0 && (in_window(p, s->seq) || in_window(p, s->seq + len - 1));
}

/* "One could tailor actual segments to fit this assumption by trimming off any portions that lie outside the
 * window (including SYN and FIN)": a FIN that is next needs no room, and is taken with a closed window too */
static bool is_next_fin(const struct spot *p, const struct seg *s)
{
	return (s->flags & FA) == FA && !(s->flags & TCP_SYN) && s->seq + s->len == p->rcv;
}

static struct answer quiet(const struct spot *p)
{
	return (struct answer){.state = p->state};
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
static struct answer acked(const struct spot *p)
{
	return (struct answer){.reply = ACKED, .seq = p->nxt, .ack = p->rcv, .state = p->state};
}

/* <SEQ=SEG.ACK><CTL=RST> */
static struct answer reset(const struct spot *p, const struct seg *s)
{
	return (struct answer){.reply = RESET, .seq = s->ack, .state = p->state};
}

/* 3.10.7.3 */
static struct answer in_syn_sent(const struct spot *p, const struct seg *s)
{
	struct answer a = {.reply = ACKED, .seq = 1, .ack = s->seq + 1, .state = ESTAB};
	bool ack = s->flags & TCP_ACK;

	/* "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set, if so drop
	 * the segment and return)" */
	if (ack && (!before(p->una, s->ack) || before(p->nxt, s->ack)))
		return s->flags & TCP_RST ? quiet(p) : reset(p, s);
	/* "If the ACK was acceptable, then signal to the user "error: connection reset" ... Otherwise (no
	 * ACK), drop the segment and return." */
	if (s->flags & TCP_RST)
		return ack ? (struct answer){.state = NONE} : quiet(p);
	if (!(s->flags & TCP_SYN)) /* "if neither of the SYN or RST bits is set, then drop" */
		return quiet(p);
	if (!ack) { /* "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment" */
		a.reply = SYNACKED;
		a.seq = 0;
		a.state = TCP_SYN_RECV;
		return a;
	}
	/* "If there are other controls or text in the segment, then continue processing at the sixth step" */
	a.bytes = s->len;
	a.ack += s->len;
	return a;
}

/* fifth step: "If the ACK acknowledges our FIN"; returns false when the segment ends here */
static bool take_ack(struct spot *p, const struct seg *s, struct answer *a)
{
	bool all = s->ack == p->nxt;

	if (p->state == TCP_SYN_RECV) {
		/* "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED ... If the segment acknowledgment
		 * is not acceptable, form a reset segment <SEQ=SEG.ACK><CTL=RST> and send it." */
		if (!before(p->una, s->ack) || before(p->nxt, s->ack)) {
			*a = reset(p, s);
			return false;
		}
		p->state = ESTAB;
		return true;
	}
	/* "acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT). All
	 * incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK
	 * sent back." */
	if (before(p->nxt, s->ack) ||
	    (p->state != TCP_TIME_WAIT && before(s->ack, p->una - MAX_WND))) {
		*a = acked(p);
		return false;
	}
	if (p->state == TCP_FIN_WAIT1 && all)
		p->state = TCP_FIN_WAIT2;
	if ((p->state == TCP_CLOSING || p->state == TCP_LAST_ACK) && all) {
		a->state = p->state == TCP_CLOSING ? TCP_TIME_WAIT : NONE;
		return false;
	}
	return true;
}

/* seventh and eighth step */
static struct answer take_text(struct spot *p, const struct seg *s)
{
	bool takes = p->state == ESTAB || p->state == TCP_FIN_WAIT1 || p->state == TCP_FIN_WAIT2;
	bool fin = s->flags & TCP_FIN;
	struct answer a = quiet(p);
	uint32_t old = p->rcv - s->seq, len = s->len;

	/* TIME-WAIT: "The only thing that can arrive in this state is a retransmission of the remote FIN": the peer has
	 * sent more than we have, and is told so */
	if (len == 0 && !fin)
		return p->state == TCP_TIME_WAIT && s->seq != p->rcv ? acked(p) : a;
	a = acked(p);
	if (!takes) /* "This should not occur ... Ignore the segment text." */
		return a;
	if (before(s->seq,
	           p->rcv)) /* "Segments with higher beginning sequence numbers SHOULD be held" */
		len = len > old ? len - old : 0;
	else if (s->seq != p->rcv)
		return a;
	if (p->wnd == 0 && !is_next_fin(p, s)) /* not acceptable, but for its acknowledgement */
		return a;
	a.bytes = len;
	a.ack += len;
	if (!fin) {
		a.reply =
		    ACKED_LATER; /* "This acknowledgment should be piggybacked ... if possible" */
		return a;
	}
	a.ack++; /* "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN" */
	if (p->state == ESTAB)
		a.state = TCP_CLOSE_WAIT;
	else
		a.state = p->state == TCP_FIN_WAIT1 ? TCP_CLOSING : TCP_TIME_WAIT;
	return a;
}

/* first step for what the window does not admit */
static struct answer not_acceptable(const struct spot *p, const struct seg *s)
{
	/* the SYN of this very connection: our answer was lost (3.10.7.2) */
	if (p->state == TCP_SYN_RECV && p->passive && (s->flags & (S | A)) == S &&
	    s->seq + 1 == p->rcv)
		return (struct answer){.reply = SYNACKED, .ack = p->rcv, .state = p->state};
	/* "an acknowledgment should be sent in reply (unless the RST bit is set ...)"; a SYN draws the
	 * challenge ACK of RFC 5961 section 4.2, which is the same segment */
	return acked(p);
}

/* second step, with RFC 5961 section 3.2 */
static struct answer on_reset(const struct spot *p, const struct seg *s)
{
	struct answer a = quiet(p);

	if (p->state ==
	    TCP_TIME_WAIT) /* RFC 1337 section 3: "ignore RST segments in TIME-WAIT state" */
		return a;
	/* "1) If the RST bit is set and the sequence number is outside the current receive window,
	 * silently drop the segment." -- the number itself, not the text behind it */
	if (s->seq != p->rcv && !in_window(p, s->seq))
		return a;
	/* "3) ... does not exactly match the next expected sequence value, yet is within the current
	 * receive window, TCP endpoints MUST send an acknowledgment (challenge ACK)" */
	if (s->seq != p->rcv)
		return acked(p);
	a.state = NONE; /* "2) ... exactly matches ... TCP endpoints MUST reset the connection" */
	return a;
}

/* MAY-2: "MAY accept a new SYN segment from the remote TCP endpoint to reopen the connection directly from
 * the TIME-WAIT state, if it assigns its initial sequence number ... to be larger than the largest" */
static struct answer reopened(const struct seg *s)
{
	return (struct answer){
	    .reply = SYNACKED, .any_seq = true, .ack = s->seq + 1, .state = TCP_SYN_RECV};
}

/* 3.10.7.4 */
static struct answer in_synchronised(struct spot *p, const struct seg *s)
{
	struct answer a = quiet(p);
	bool only_ack = p->wnd == 0 && (s->seq == p->rcv || is_next_fin(p, s));

	if (s->flags & TCP_RST)
		return on_reset(p, s);
	if (p->state == TCP_TIME_WAIT && (s->flags & (S | A | TCP_FIN)) == S &&
	    before(p->rcv, s->seq))
		return reopened(s);
	if (p->state == TCP_SYN_RECV && !p->passive && (s->flags & (S | A)) == SA &&
	    s->seq + 1 == p->rcv && s->ack == p->nxt) {
		/* 3.5, figure 8: both ends send SYN,ACK; what it acknowledges and carries counts */
		struct seg rest = {.flags = A, .seq = p->rcv, .ack = s->ack, .len = s->len};

		p->state = ESTAB;
		return take_text(p, &rest);
	}
	/* "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to
	 * accept valid ACKs, URGs, and RSTs." */
	if (!is_acceptable(p, s) && (s->flags & TCP_SYN || !only_ack))
		return not_acceptable(p, s);
	/* "trimming off any portions that lie outside the window (including SYN and FIN)" */
	if ((s->flags & TCP_SYN) && !in_window(p, s->seq))
		return not_acceptable(p, s);
	if (s->flags & TCP_SYN) {
		/* "TCP endpoints MUST send a "challenge ACK"".  "SYN-RECEIVED STATE: If the connection was
		 * initiated with a passive OPEN, then return this connection to the LISTEN state": a peer
		 * that means it resets us after the challenge; a forged SYN does no harm. */
		return acked(p);
	}
	if (!(s->flags & TCP_ACK)) /* "if the ACK bit is off, drop the segment and return" */
		return is_acceptable(p, s) ? a : acked(p);
	if (!take_ack(p, s, &a))
		return a;
	return take_text(p, s);
}

/* ---- one combination ------------------------------------------------------------------------- */

struct state {
	const char *name;
	void (*reach)(struct wt *w);
	struct spot spot; /* wnd: filled in from the segments seen */
};

static char combination[200];

static struct pc_stack_usage usage(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u;
}

/* the state as seen from outside; time_wait: entries before */
static uint8_t state_of(struct wt *w, uint32_t time_wait)
{
	struct pc_stack_usage u = usage(w);
	int fd;

	if (u.time_wait > time_wait)
		return TCP_TIME_WAIT;
	if (u.half_open > 0)
		return TCP_SYN_RECV;
	if (w->flow.fd < 0 && (fd = pc_accept(w->st, w->lfd, NULL, NULL)) > 0)
		w->flow.fd = fd;
	if (w->flow.fd < 0 || u.connections == 0)
		return NONE;
	return wt_info(w).tcpi_state == TCP_CLOSE ? NONE : wt_info(w).tcpi_state;
}

static const char *reply_name(enum reply r)
{
	static const char *const names[] = {"nothing", "ACK", "ACK within 0.5 s", "RST", "SYN,ACK"};

	return names[r];
}

/* the answer on the wire */
static void check_reply(struct wt *w, const struct answer *want)
{
	static const uint8_t flags[] = {0, A, A, R, SA};
	const struct frame_info *i = wt_next(w, want->reply == ACKED_LATER ? 499 : 0);
	uint32_t seq, ack;

	if (want->reply == QUIET) {
		if (i != NULL)
			wt_fail(w, WT_HERE, "%s: answered with flags %02x", combination,
			        i->seg.flags);
		return;
	}
	if (i == NULL)
		wt_fail(w, WT_HERE, "%s: no answer, where %s is due", combination,
		        reply_name(want->reply));
	seq = i->seg.seq - w->flow.iss;
	ack = i->seg.flags & A ? i->seg.ack - w->flow.irs : 0;
	if (want->any_seq)
		seq = want->seq;
	if (i->seg.flags != flags[want->reply] || seq != want->seq || ack != want->ack ||
	    i->seg.len != 0)
		wt_fail(w, WT_HERE,
		        "%s: flags %02x seq %u ack %u len %u, where %s seq %u ack %u is due",
		        combination, i->seg.flags, seq, ack, i->seg.len, reply_name(want->reply),
		        want->seq, want->ack);
}

static void check_state(struct wt *w, const struct spot *p, const struct answer *want,
                        uint32_t time_wait)
{
	uint8_t state = state_of(w, time_wait);

	if (state != want->state)
		wt_fail(w, WT_HERE, "%s: state %u, not %u", combination, state, want->state);
	if (want->bytes > 0) {
		wt_read(w, want->bytes);
		w->flow.rcvd = 0;
	} else if (w->flow.fd > 0 && state != NONE && p->wnd > 0 &&
	           pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0) > 0) {
		wt_fail(w, WT_HERE, "%s: bytes were delivered", combination);
	}
	if (wt_drop(w) != 0)
		wt_fail(w, WT_HERE, "%s: more than one answer", combination);
}

/* leaves nothing behind but TIME-WAIT */
static void clean_up(struct wt *w, const struct spot *p, const struct answer *a)
{
	const struct linger l = {.l_onoff = 1};

	if (w->flow.fd > 0) {
		OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
		OK(pc_close(w->st, w->flow.fd));
	}
	if (usage(w).half_open > 0)
		INJECT(.flags = R, .seq = a->any_seq ? a->ack : p->rcv);
	w->flow.fd = -1;
	wt_pass(w, 5);
	wt_drop(w);
	EQ(usage(w).connections, 0);
	EQ(usage(w).half_open, 0);
}

static uint32_t seq_at(const struct spot *p, enum place place, uint32_t len)
{
	switch (place) {
	case FAR_LEFT:
		return p->rcv - 100000;
	case TOUCHES:
		return p->rcv - (len > 0 ? len : 1);
	case OVERLAPS:
		return p->rcv - (len > 1 ? len / 2 : 1);
	case LEFT_EDGE:
		return p->rcv;
	case INSIDE:
		return p->rcv + 100;
	case LAST:
		return p->rcv + p->wnd - 1;
	case RIGHT_EDGE:
		return p->rcv + p->wnd;
	default:
		return p->rcv + p->wnd + 1000;
	}
}

static uint32_t ack_at(const struct spot *p, enum acks acks)
{
	switch (acks) {
	case TOO_OLD:
		return p->una - MAX_WND - 1;
	case OLD:
		return p->una - 1;
	case UNA:
		return p->una;
	case NXT:
		return p->nxt;
	default:
		return p->nxt + 1;
	}
}

static void try_one(struct wt *w, const struct state *st, const struct kind *k, enum place place,
                    enum acks acks)
{
	struct seg s = {.flags = k->flags, .len = k->len, .mss = k->flags & S ? 1460 : 0};
	uint32_t time_wait = usage(w).time_wait;
	struct spot p = st->spot;
	struct answer want;

	wt_flow(w);
	st->reach(w);
	time_wait = p.state == TCP_TIME_WAIT ? usage(w).time_wait - 1 : usage(w).time_wait;
	p.wnd = p.state == TCP_SYN_SENT ? 65535 : w->flow.edge - p.rcv;
	s.seq = seq_at(&p, place, seg_len(&s));
	s.ack = k->flags & A ? ack_at(&p, acks) : 0;
	snprintf(combination, sizeof(combination), "%s, %s %s, ACK %s", st->name, k->name,
	         place_names[place], k->flags & A ? ack_names[acks] : "off");
	want = p.state == TCP_SYN_SENT ? in_syn_sent(&p, &s) : in_synchronised(&p, &s);
	if (p.state == TCP_SYN_SENT) {
		/* the stream begins at the number after the SYN, wherever the test has put that */
		s.at = 1;
		w->flow.edge = s.seq;
	}
	wt_inject(w, &s);
	check_reply(w, &want);
	check_state(w, &p, &want, time_wait);
	clean_up(w, &st->spot, &want);
}

static void try_all(struct wt *w, const struct state *st)
{
	w->cfg.tcp_challenge_acks = 1000000;
	w->cfg.tcp_time_wait = 8192;
	if (w->lfd == 0)
		wt_listen(w, 8);
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (unsigned place = 0; place < NB_PLACES; place++)
			for (unsigned acks = 0; acks < (kinds[k].flags & A ? NB_ACKS : 1u); acks++)
				try_one(w, st, &kinds[k], place, acks);
}

/* ---- the states ------------------------------------------------------------------------------ */

static void established_with_flight(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
}

static void simultaneous(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
}

static void last_ack(struct wt *w)
{
	wt_close_wait(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 2);
}

static void closed_window(struct wt *w)
{
	int bytes = 4096;

	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)));
	wt_established(w);
	for (uint32_t s = 1; s < 4097; s += 1024)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1024);
	wt_pass(w, 100);
	wt_drop(w);
}

static const struct state syn_sent_state = {
    "SYN-SENT", wt_syn_sent, {TCP_SYN_SENT, false, 0, 1, 0, 0}};
static const struct state syn_received_state = {
    "SYN-RECEIVED, passive", wt_syn_received, {TCP_SYN_RECV, true, 0, 1, 1, 0}};
static const struct state simultaneous_state = {
    "SYN-RECEIVED, active", simultaneous, {TCP_SYN_RECV, false, 0, 1, 1, 0}};
static const struct state established_state = {
    "ESTABLISHED", wt_established, {ESTAB, false, 1, 1, 1, 0}};
static const struct state flight_state = {
    "ESTABLISHED, data in flight", established_with_flight, {ESTAB, false, 1, 101, 1, 0}};
static const struct state fin_wait_1_state = {
    "FIN-WAIT-1", wt_fin_wait_1, {TCP_FIN_WAIT1, false, 1, 2, 1, 0}};
static const struct state fin_wait_2_state = {
    "FIN-WAIT-2", wt_fin_wait_2, {TCP_FIN_WAIT2, false, 2, 2, 1, 0}};
static const struct state closing_state = {"CLOSING", wt_closing, {TCP_CLOSING, false, 1, 2, 2, 0}};
static const struct state time_wait_state = {
    "TIME-WAIT", wt_time_wait, {TCP_TIME_WAIT, false, 2, 2, 2, 0}};
static const struct state close_wait_state = {
    "CLOSE-WAIT", wt_close_wait, {TCP_CLOSE_WAIT, false, 1, 1, 2, 0}};
static const struct state closed_window_state = {
    "ESTABLISHED, window closed", closed_window, {ESTAB, false, 1, 1, 4097, 0}};
static const struct state last_ack_state = {
    "LAST-ACK", last_ack, {TCP_LAST_ACK, false, 1, 2, 2, 0}};

#define STATE_CASE(name)                   \
	static void name(struct wt *w)     \
	{                                  \
		try_all(w, &name##_state); \
	}
STATE_CASE(syn_sent)
STATE_CASE(syn_received)
STATE_CASE(established)
STATE_CASE(flight)
STATE_CASE(fin_wait_1)
STATE_CASE(fin_wait_2)
STATE_CASE(closing)
STATE_CASE(time_wait)
STATE_CASE(close_wait)

static void in_simultaneous(struct wt *w)
{
	try_all(w, &simultaneous_state);
}

static void in_closed_window(struct wt *w)
{
	try_all(w, &closed_window_state);
}

static void in_last_ack(struct wt *w)
{
	try_all(w, &last_ack_state);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.10.7.3: SYN-SENT times every segment", syn_sent},
    {"RFC 9293 3.10.7.4: SYN-RECEIVED of a passive open times every segment", syn_received},
    {"RFC 9293 3.10.7.4: SYN-RECEIVED of an active open times every segment", in_simultaneous},
    {"RFC 9293 3.10.7.4: ESTABLISHED times every segment", established},
    {"RFC 9293 3.10.7.4: ESTABLISHED with data in flight times every segment", flight},
    {"RFC 9293 3.10.7.4: ESTABLISHED with a closed window times every segment", in_closed_window},
    {"RFC 9293 3.10.7.4: FIN-WAIT-1 times every segment", fin_wait_1},
    {"RFC 9293 3.10.7.4: FIN-WAIT-2 times every segment", fin_wait_2},
    {"RFC 9293 3.10.7.4: CLOSE-WAIT times every segment", close_wait},
    {"RFC 9293 3.10.7.4: CLOSING times every segment", closing},
    {"RFC 9293 3.10.7.4: LAST-ACK times every segment", in_last_ack},
    {"RFC 9293 3.10.7.4: TIME-WAIT times every segment", time_wait},
};

WT_MAIN("states")
