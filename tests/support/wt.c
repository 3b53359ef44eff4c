/* SPDX-License-Identifier: BSD-2-Clause */
#include "wt.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "eal.h"
#include "sign.h"

/*
 * Overview: the three words. A segment is turned into absolute numbers on its way in and into
 * relative ones on its way out; what was negotiated is learnt from the two SYNs.
 *
 * Invariant: virtual time only advances in run_to(), from deadline to deadline of the stack, so a
 * timer is seen at the time for which it was set and not at the end of a sleep.
 */

uint8_t wt_pattern(int dir, uint32_t n)
{
	return (uint8_t)(n * (dir == 0 ? 31u : 37u) + (n >> 8) * 7 + (n >> 16) + 11);
}

struct frame_ends wt_ends(const struct wt *w)
{
	struct frame_ends e = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};

	e.src_be = w->flow.peer_be;
	e.dst_be = inet_addr(WT_LOCAL);
	return e;
}

/* Sets the TTL with which a frame arrives, and corrects the checksum. */
static void set_ttl(const struct wt *w, struct frame *f)
{
	f->b[14 + 8] = w->peer.ttl != 0 ? w->peer.ttl : f->b[14 + 8];
	frame_fix_ip4(f);
}

void wt_icmp_about(struct wt *w, uint8_t code, uint16_t mtu, uint32_t seq)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const struct tcp_seg s = {
	    .sport = w->flow.lport, .dport = w->flow.pport, .seq = w->flow.iss + seq, .flags = A};
	struct frame quoted, f;

	frame_tcp(&quoted, &back, &s, NULL, NULL, 0);
	frame_icmp(&f, &e, 3, code, (uint8_t[4]){0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu},
	           quoted.b + 14, 28);
	set_ttl(w, &f);
	wt_inject_frame(w, &f);
}

void wt_too_big(struct wt *w, uint16_t mtu, uint32_t seq)
{
	wt_icmp_about(w, 4, mtu, seq);
}

void wt_settle(struct wt *w)
{
	unsigned turns = 0, frames;

	wt_start(w);
	do { /* timers wait for a turn without frames */
		frames = pc_stack_poll(w->st, w->now);
		pc_stack_flush(w->st, w->now);
		if (++turns > 10000)
			wt_fail(w, WT_HERE, "the stack never comes to rest");
	} while (frames != 0 || probe_pending(w->probe) != 0);
	/* a case with thousands of steps is validated only now and then */
	if ((w->settled++ < WT_ALL_VALIDATED || w->settled % 16 == 0) &&
	    pc_stack_validate(w->st, stderr) != 0)
		wt_fail(w, WT_HERE, "pc_stack_validate finds a broken invariant");
	if (probe_wrong(w->probe) != NULL)
		wt_fail(w, WT_HERE, "%s", probe_wrong(w->probe));
}

/*
 * Advances the clock to target, or, with stop, to the first frame sent before. Returns whether
 * there is one.
 */
static bool run_to(struct wt *w, uint64_t target, bool stop)
{
	unsigned idle = 0;
	uint64_t next;

	wt_start(w);
	wt_settle(w);
	while (!(stop && probe_sent(w->probe) != NULL)) {
		next = pc_stack_next_deadline(w->st);
		if (next > target)
			break;
		/* a stack that waits for mbufs is always due; a turn takes time, too */
		if (next <= w->now && ++idle > 3) {
			if (w->now >= target)
				break;
			next = w->now + 100000 < target ? w->now + 100000 : target;
		}
		if (next > w->now)
			w->now = next;
		wt_settle(w);
	}
	if (probe_sent(w->probe) == NULL && target > w->now) {
		w->now = target;
		wt_settle(w);
	}
	return probe_sent(w->probe) != NULL;
}

#define TICK_NS 65536

static uint64_t ns(double ms)
{
	return (uint64_t)(ms * 1e6);
}

void wt_pass(struct wt *w, double ms)
{
	uint64_t target = w->now + ns(ms);

	run_to(w, target, false);
	if (w->now < target) {
		w->now = target;
		wt_settle(w);
	}
	w->mark = w->now;
}

/* ---- in ---- */

static void trace(const struct wt *w, const char *dir, const struct tcp_seg *s, uint64_t at)
{
	char line[300];

	if (w->trace)
		fprintf(stderr, "%s %12.3f ms %s\n", dir, (double)at / 1e6 - 5e6,
		        tcp_print(s, line, sizeof(line)));
}

static void set_options(const struct wt *w, const struct seg *s, struct tcp_seg *t)
{
	t->mss = s->mss;
	t->wscale = (uint8_t)(s->ws - 1);
	t->nb_sack = s->nb_sack;
	t->cookie_len = (s->fo - 1) & 31u;
	t->accecn = s->accecn & 7u;
	t->counter[TCP_E0B] = s->e0b;
	t->counter[TCP_CEB] = s->ceb;
	t->counter[TCP_E1B] = s->e1b;
	if (s->fo > 1 && s->cookie != NULL)
		memcpy(t->cookie, s->cookie, t->cookie_len);
	t->tsval = s->ts == TS ? s->tsval : (uint32_t)(w->now / 1000000) + 12345;
	t->tsecr = s->ts == TS ? s->tsecr : w->flow.tsval;
	t->has = (uint8_t)((s->mss != 0 ? TCP_HAS_MSS : 0) | (s->ws != 0 ? TCP_HAS_WSCALE : 0) |
	                   (s->sackok ? TCP_HAS_SACKOK : 0) | (s->nb_sack != 0 ? TCP_HAS_SACK : 0) |
	                   (s->fo != 0 ? TCP_HAS_FASTOPEN : 0) |
	                   (s->md5 != NULL || s->ao != NULL ? TCP_HAS_AUTH : 0));
	t->auth = s->ao != NULL ? wt_ao_option(s->ao) : (struct tcp_auth){0};
	if (s->ts == TS || (s->ts == 0 && w->flow.ts_on))
		t->has |= TCP_HAS_TS;
	for (unsigned i = 0; i < s->nb_sack; i++) {
		t->sack[i].start = w->flow.iss + s->sack[i].start;
		t->sack[i].end = w->flow.iss + s->sack[i].end;
	}
}

void wt_queue_frame(struct wt *w, const struct frame *f)
{
	wt_start(w);
	probe_inject(w->probe, f);
}

void wt_inject_frame(struct wt *w, const struct frame *f)
{
	wt_queue_frame(w, f);
	wt_settle(w);
	w->mark = w->now;
}

/* RFC 5925 section 6.2: the extension of the sequence number that is seq after the ISN */
static uint32_t sne_of(uint32_t isn, uint32_t seq)
{
	return (uint32_t)(((uint64_t)isn + (uint64_t)(int64_t)(int32_t)seq) >> 32);
}

void wt_queue(struct wt *w, const struct seg *s)
{
	const struct frame_ends e = wt_ends(w);
	uint32_t off = s->at != 0 ? s->at - 1 : s->seq + (s->flags & TCP_SYN ? 1u : 0u) - 1;
	uint8_t payload[FRAME_MAX];
	struct frame f;
	struct tcp_seg t = {.sport = w->flow.pport,
	                    .dport = w->flow.lport,
	                    .seq = w->flow.irs + s->seq,
	                    .ack = s->flags & TCP_ACK ? w->flow.iss + s->ack : 0,
	                    .len = s->len,
	                    .wnd = w->peer.wnd,
	                    .urg = s->urg,
	                    .flags = s->flags};

	if (s->wnd != 0)
		t.wnd = (uint16_t)(s->wnd == ZERO_WND ? 0 : s->wnd);
	set_options(w, s, &t);
	t.has |= s->ae ? TCP_HAS_AE : 0;
	for (uint32_t i = 0; i < s->len; i++)
		payload[i] =
		    s->data != NULL ? ((const uint8_t *)s->data)[i] : wt_pattern(1, off + i);
	frame_tcp(&f, &e, &t, payload, s->raw, s->raw_len);
	if (s->md5 != NULL && s->raw == NULL)
		wt_sign(&f, s->md5);
	if (s->ao != NULL && s->raw == NULL)
		wt_sign_ao(&f, s->ao, w->flow.irs, w->flow.iss, sne_of(w->flow.irs, s->seq));
	if (s->bad_cksum)
		f.b[34 + 16] ^= 1;
	f.b[14 + 1] |= s->ecn;
	set_ttl(w, &f);
	trace(w, ">", &t, w->now);
	wt_queue_frame(w, &f);
}

void wt_inject(struct wt *w, const struct seg *s)
{
	wt_queue(w, s);
	wt_settle(w);
	w->mark = w->now;
}

/* ---- out ---- */

static void learn(struct wt *w, const struct tcp_seg *t)
{
	struct flow *f = &w->flow;

	if (f->lport == 0)
		f->lport = t->sport;
	if (t->has & TCP_HAS_TS) {
		if (f->tsval_known && (int32_t)(t->tsval - f->tsval) < 0)
			wt_fail(w, WT_HERE, "TSval runs backwards (RFC 7323 section 5.4)");
		f->tsval = t->tsval;
		f->tsval_known = true;
	}
	if (t->has & TCP_HAS_FASTOPEN) {
		f->cookie_len = t->cookie_len;
		memcpy(f->cookie, t->cookie, t->cookie_len);
	}
	if ((t->flags & TCP_SYN) == 0 || f->iss_known)
		return;
	f->iss = t->seq;
	f->iss_known = true;
	f->ts_sent = (t->has & TCP_HAS_TS) != 0;
	f->ws_sent = (t->has & TCP_HAS_WSCALE) != 0;
	f->ws = t->wscale;
	f->mss = t->has & TCP_HAS_MSS ? t->mss : 0;
	/* a SYN-ACK only echoes what the peer has offered */
	f->ts_on = f->ts_sent && (w->peer.ts || (t->flags & TCP_ACK));
	f->ws_on = f->ws_sent && (w->peer.ws != 0 || (t->flags & TCP_ACK));
}

/* RFC 9293 SHLD-14: the right edge of the window does not move left. */
static void check_edge(struct wt *w, const struct tcp_seg *t)
{
	struct flow *f = &w->flow;
	unsigned shift = f->ws_on && (t->flags & TCP_SYN) == 0 ? f->ws : 0;
	uint32_t edge = t->ack - f->irs + ((uint32_t)t->wnd << shift);

	if ((t->flags & TCP_ACK) == 0 || (t->flags & TCP_RST) != 0)
		return;
	if ((int32_t)(edge + (1u << shift) - 1 - f->edge) < 0)
		wt_fail(w, WT_HERE, "the window's right edge moved left, from %u to %u", f->edge,
		        edge);
	f->edge = edge;
}

static void check_ends(struct wt *w, const struct frame_info *i)
{
	const struct frame_ends e = wt_ends(w);

	if (memcmp(i->ends.src_mac, e.dst_mac, 6) != 0 ||
	    memcmp(i->ends.dst_mac, e.src_mac, 6) != 0)
		wt_fail(w, WT_HERE, "wrong MAC address on a frame");
	if (i->ends.src_be != e.dst_be ||
	    (i->seg.dport == w->flow.pport && i->ends.dst_be != e.src_be))
		wt_fail(w, WT_HERE, "wrong IP address on a segment");
	if (!i->df && !w->may_fragment)
		wt_fail(w, WT_HERE, "TCP segment without DF (RFC 1191)");
}

static struct frame frame; /* the last frame read by read_next */

static const struct frame_info *read_next(struct wt *w)
{
	static struct frame_info info;
	const char *wrong;

	frame = *probe_sent(w->probe);
	probe_take(w->probe);
	wrong = frame_read(&frame, &info);
	if (wrong != NULL)
		wt_fail(w, WT_HERE, "malformed frame: %s", wrong);
	w->mark = frame.at_ns;
	if (info.type == 0x0800 && info.fragment)
		wt_fail(w, WT_HERE, "a fragment was sent");
	if (info.type != 0x0800 || info.proto != 6)
		return &info;
	trace(w, "<", &info.seg, frame.at_ns);
	check_ends(w, &info);
	if (info.seg.dport == w->flow.pport) {
		learn(w, &info.seg);
		check_edge(w, &info.seg);
	}
	return &info;
}

const struct frame_info *wt_next(struct wt *w, double ms)
{
	const struct frame_info *i;

	if (!run_to(w, w->now + ns(ms), true))
		return NULL;
	i = read_next(w);
	if (i->type != 0x0800 || i->proto != 6)
		wt_fail(w, WT_HERE, "a frame that is not TCP was sent (type %04x, protocol %u)",
		        i->type, i->proto);
	return i;
}

const struct frame *wt_next_frame(struct wt *w, double ms)
{
	struct frame_info info;
	const char *wrong;

	if (!run_to(w, w->now + ns(ms), true))
		return NULL;
	frame = *probe_sent(w->probe);
	probe_take(w->probe);
	w->mark = frame.at_ns;
	wrong = frame_read(&frame, &info);
	if (wrong != NULL)
		wt_fail(w, WT_HERE, "malformed frame: %s", wrong);
	return &frame;
}

uint32_t wt_sent_len(struct wt *w)
{
	struct frame_info info;
	const char *wrong = frame_read(probe_sent(w->probe), &info);

	if (wrong != NULL)
		wt_fail(w, WT_HERE, "malformed frame: %s", wrong);
	return info.payload_len;
}

unsigned wt_drop(struct wt *w)
{
	unsigned n = 0;

	for (wt_settle(w); probe_sent(w->probe) != NULL; n++)
		read_next(w);
	w->mark = w->now;
	return n;
}

/* Converts a sent segment to the form of an expected one, with relative numbers. */
static struct tcp_seg relative(const struct wt *w, const struct tcp_seg *t)
{
	struct tcp_seg r = *t;

	r.seq -= w->flow.iss;
	r.ack = t->flags & TCP_ACK ? t->ack - w->flow.irs : 0;
	for (unsigned i = 0; i < r.nb_sack; i++) {
		r.sack[i].start -= w->flow.irs;
		r.sack[i].end -= w->flow.irs;
	}
	return r;
}

static struct tcp_seg expected(const struct wt *w, const struct seg *s, const struct tcp_seg *act)
{
	struct tcp_seg t = {.sport = w->flow.lport,
	                    .dport = w->flow.pport,
	                    .seq = s->seq,
	                    .ack = s->ack,
	                    .len = s->len,
	                    .wnd = (uint16_t)(s->wnd == ZERO_WND ? 0 : s->wnd),
	                    .urg = s->urg,
	                    .flags = s->flags};
	bool rst = (s->flags & TCP_RST) != 0;

	set_options(w, s, &t);
	t.has |= s->ae ? TCP_HAS_AE : 0;
	if (s->any_wnd || (s->wnd == 0 && (act->wnd != 0 || rst)))
		t.wnd = act->wnd;
	if (s->any_psh || (s->flags & TCP_FIN) != 0)
		t.flags = (uint8_t)((t.flags & ~TCP_PSH) | (act->flags & TCP_PSH));
	if (rst && s->ts == 0) /* RFC 7323 section 3.2: on RST it is only recommended */
		t.has = (uint8_t)((t.has & ~TCP_HAS_TS) | (act->has & TCP_HAS_TS));
	if (s->ts != TS || s->tsval == 0)
		t.tsval = act->tsval;
	if (s->ts != TS || s->tsecr == 0)
		t.tsecr = act->tsecr;
	for (unsigned i = 0; i < s->nb_sack; i++) {
		t.sack[i].start = s->sack[i].start;
		t.sack[i].end = s->sack[i].end;
	}
	if (s->cookie == NULL)
		memcpy(t.cookie, act->cookie, sizeof(t.cookie));
	if (s->any_sack) {
		t.has = (uint8_t)((t.has & ~TCP_HAS_SACK) | (act->has & TCP_HAS_SACK));
		t.nb_sack = act->nb_sack;
		memcpy(t.sack, act->sack, sizeof(t.sack));
	}
	if (s->accecn == 0) {
		t.accecn = act->accecn;
		memcpy(t.counter, act->counter, sizeof(t.counter));
	}
	t.hdr_len = act->hdr_len;
	return t;
}

static bool same_counters(const struct tcp_seg *x, const struct tcp_seg *a)
{
	for (unsigned i = 0; i < TCP_COUNTERS; i++)
		if (tcp_accecn_has(x->accecn, (enum tcp_counter)i) &&
		    x->counter[i] != a->counter[i])
			return false;
	return true;
}

/* Returns the name of the first field that differs, or NULL. */
static const char *difference(const struct tcp_seg *x, const struct tcp_seg *a)
{
	if (x->sport != a->sport || x->dport != a->dport)
		return "ports";
	if (x->flags != a->flags)
		return "flags";
	if (x->seq != a->seq)
		return "seq";
	if (x->ack != a->ack)
		return "ack";
	if (x->len != a->len)
		return "length";
	if (x->wnd != a->wnd)
		return "window";
	if (x->urg != a->urg)
		return "urgent pointer";
	if (x->has != a->has)
		return "set of options";
	if ((x->has & TCP_HAS_AUTH) && memcmp(&x->auth, &a->auth, sizeof(x->auth)) != 0)
		return "options of a signature";
	if ((x->has & TCP_HAS_MSS) && x->mss != a->mss)
		return "MSS";
	if ((x->has & TCP_HAS_WSCALE) && x->wscale != a->wscale)
		return "window scale";
	if ((x->has & TCP_HAS_TS) && (x->tsval != a->tsval || x->tsecr != a->tsecr))
		return "timestamps";
	if ((x->has & TCP_HAS_FASTOPEN) &&
	    (x->cookie_len != a->cookie_len || memcmp(x->cookie, a->cookie, a->cookie_len) != 0))
		return "Fast Open cookie";
	if (x->accecn != a->accecn || !same_counters(x, a))
		return "AccECN option";
	if (x->nb_sack != a->nb_sack ||
	    memcmp(x->sack, a->sack, x->nb_sack * sizeof(x->sack[0])) != 0)
		return "SACK blocks";
	return NULL;
}

static void check_payload(struct wt *w, const char *file, int line, const struct frame_info *i,
                          const struct tcp_seg *rel)
{
	uint32_t off = rel->seq + (rel->flags & TCP_SYN ? 1u : 0u) - 1;

	for (uint32_t n = 0; n < i->payload_len; n++)
		if (i->payload[n] != wt_pattern(0, off + n))
			wt_fail(w, file, line, "byte %u of the payload at %u is %02x, not %02x", n,
			        rel->seq, i->payload[n], wt_pattern(0, off + n));
}

void wt_expect(struct wt *w, const char *file, int line, double lo, double hi, const struct seg *s)
{
	uint64_t from = w->mark + ns(lo), to = w->mark + ns(hi), mark = w->mark;
	const struct frame_info *i;
	struct tcp_seg x, a;
	char xs[300], as[300];
	const char *what;

	if (!run_to(w, hi > 0 ? to + TICK_NS : w->now, true)) {
		x = expected(w, s, &(struct tcp_seg){.wnd = 1});
		wt_fail(w, file, line, "expected  %s\n  but nothing was sent%s",
		        tcp_print(&x, xs, sizeof(xs)), hi > 0 ? " in that time" : "");
	}
	i = read_next(w);
	if (i->type != 0x0800 || i->proto != 6)
		wt_fail(w, file, line, "a frame that is not TCP was sent (type %04x, protocol %u)",
		        i->type, i->proto);
	a = relative(w, &i->seg);
	x = expected(w, s, &a);
	what = difference(&x, &a);
	if (what != NULL)
		wt_fail(w, file, line, "%s differ\n  expected  %s\n  actual    %s", what,
		        tcp_print(&x, xs, sizeof(xs)), tcp_print(&a, as, sizeof(as)));
	if ((i->tos & 3) != s->ecn)
		wt_fail(w, file, line, "the ECN bits are %u, not %u: %s", i->tos & 3, s->ecn,
		        tcp_print(&a, as, sizeof(as)));
	check_payload(w, file, line, i, &a);
	if (s->md5 != NULL && !wt_is_signed(&frame, s->md5))
		wt_fail(w, file, line, "the signature is not that of \"%s\": %s", s->md5,
		        tcp_print(&a, as, sizeof(as)));
	if (s->ao != NULL &&
	    !wt_is_signed_ao(&frame, s->ao, w->flow.iss, w->flow.irs, sne_of(w->flow.iss, a.seq)))
		wt_fail(w, file, line, "the signature is not that of \"%s\": %s", s->ao->key,
		        tcp_print(&a, as, sizeof(as)));
	/* a tick of the stack's timers is 65.536 us */
	if (hi > 0 && (w->mark + TICK_NS < from || w->mark > to + TICK_NS))
		wt_fail(w, file, line, "sent after %.3f ms, not within [%.3f,%.3f]: %s",
		        (double)(w->mark - mark) / 1e6, lo, hi, tcp_print(&a, as, sizeof(as)));
}

void wt_nothing(struct wt *w, const char *file, int line, double ms)
{
	uint64_t mark = w->mark;
	const struct frame_info *i;
	struct tcp_seg a;
	char as[300];

	if (!run_to(w, w->now + ns(ms), true))
		return;
	i = read_next(w);
	if (i->type != 0x0800 || i->proto != 6)
		wt_fail(w, file, line,
		        "expected nothing, but a frame of type %04x, protocol %u was sent", i->type,
		        i->proto);
	a = relative(w, &i->seg);
	wt_fail(w, file, line, "expected nothing for %.3f ms\n  actual    %s after %.3f ms", ms,
	        tcp_print(&a, as, sizeof(as)), (double)(w->mark - mark) / 1e6);
}
