/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The short ways against the thorough ones: the same connection, with the same things happening to it by chance,
 * sends the same and is in the same state afterwards, whether it may take the short ways or not.
 *
 * They are closed by a duplicate that another connection has to report: then every segment could be the one
 * that does.
 */
#include "tcp/tcp_plain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_mbuf.h>

/* before the fixture, whose tcp would be hidden */
#include "tcp/account.h"
#include "tcp/cc.h"
#include "tcp/tcp_segment.h"

#include "../unit.h"
#include "base/dice.h"
#include "base/seq.h"
#include "fixture.h"

#define RUNS  1000
#define STEPS 60
#define LINES 8192

/* a segment that was sent, or what the connection was like */
struct line {
	uint32_t at, v[12];
};

struct run {
	unsigned n;
	struct line line[LINES];
};

static struct run runs[2];
static struct tcb *t, *other;
static struct dice dice;
static uint32_t read_to;
static uint16_t peer_port;
static bool with_stash;
static uint64_t nb_stashed;

static void note(struct run *r, uint32_t at, const uint32_t v[12])
{
	CU_ASSERT_FATAL(r->n < LINES);
	r->line[r->n].at = at;
	memcpy(r->line[r->n++].v, v, sizeof(r->line[0].v));
}

static void note_sent(struct run *r, uint32_t step)
{
	while (next_segment()) {
		const struct tcp_seg *s = &got.seg;

		if (s->dport != peer_port)
			continue;
		CU_ASSERT(is_payload(got.payload, s->seq, s->len));
		note(r, step,
		     (uint32_t[12]){s->seq, s->ack, s->len, s->wnd, s->flags, s->has, s->tsval,
		                    s->tsecr, s->nb_sack, s->nb_sack > 0 ? s->sack[0].start : 0,
		                    s->nb_sack > 0 ? s->sack[0].end : 0, s->urg});
	}
}

static void note_queues(struct run *r, uint32_t step, const struct tcp_queues *q)
{
	const struct rack *k = &q->rack;

	note(r, step + 4000,
	     (uint32_t[12]){q->flight_out, q->loss_timer, k->min_rtt_us, q->recovery, q->lost_bytes,
	                    q->sacked_bytes, q->dup_bytes, q->dupacks, q->tlp_out, q->undo_segs,
	                    q->undo_cwnd, q->frto});
	note(r, step + 5000,
	     (uint32_t[12]){k->valid, k->valid ? k->sent_us : 0, k->valid ? k->end : 0,
	                    k->valid ? k->fack : 0, k->valid ? k->rtt_us : 0, k->reordering,
	                    k->mult, k->in_parts, q->ooo_segs, q->fin_early, q->rcv_urgent,
	                    q->resent_bytes});
	note(r, step + 6000,
	     (uint32_t[12]){q->cwnd_used, q->cc_bytes,
	                    q->reduced && seq_leq(t->snd_una, q->reduced_end), q->keep, q->tuned,
	                    q->snd_urgent ? 0 : q->small_end});
}

static void note_state(struct run *r, uint32_t step)
{
	const struct tcp_account *a = account_of(tcp, t);
	const struct tcp_queues *q = with_stash ? NULL : tcp_queues(tcp, t);

	note(r, step + 1000,
	     (uint32_t[12]){t->snd_una, t->snd_nxt, t->snd_bytes, t->cwnd, t->snd_wnd, t->flags,
	                    t->timers, t->timers & TCB_T_LOSS ? t->t_loss : 0, t->srtt_us,
	                    t->rto_us, t->quick, t->retries});
	note(r, step + 2000,
	     (uint32_t[12]){a->segs_out, a->data_segs_out, (uint32_t)a->bytes_sent, a->segs_in,
	                    a->data_segs_in, (uint32_t)a->bytes_received, (uint32_t)a->bytes_acked,
	                    a->delivered, a->retrans, a->dsacks, a->ooo,
	                    a->delivered_ce | (uint32_t)a->reordering << 16});
	note(r, step + 3000,
	     (uint32_t[12]){t->rcv_nxt, t->rcv_adv, t->rcv_bytes, t->ts_recent, t->last_ack_sent,
	                    t->snd_wl1, t->snd_max_wnd, t->rcv_mss, t->rcv_tick, t->ssthresh,
	                    t->snd_max, q != NULL});
	note(r, step + 7000,
	     (uint32_t[12]){(uint32_t)count(PC_TCP_TX_BYTES), (uint32_t)count(PC_TCP_RX_BYTES),
	                    t->state, t->error, t->probes, told(t), a->reord_seen});
	if (q != NULL)
		note_queues(r, step, q);
}

/* what an acknowledgement covers: some of what is under way, up to the end of a segment or not, all of it, or nothing; or what
 * has been acknowledged, or was never sent */
static uint32_t some_ack(void)
{
	const uint32_t flight = t->snd_nxt - t->snd_una, segs = flight / t->mss;

	switch (dice_below(&dice, 18)) {
	case 0:
		return dice_chance(&dice, 500000) ? t->snd_una - 200 : t->snd_nxt + 2;
	case 1:
	case 2:
		return t->snd_una;
	case 3:
	case 4:
	case 5:
	case 6:
		return t->snd_nxt;
	case 7:
	case 8:
	case 9:
		return t->snd_una + (flight > 0 ? dice_below(&dice, flight) : 0);
	default:
		return segs > 0 ? t->snd_una + (1 + dice_below(&dice, segs)) * t->mss : t->snd_nxt;
	}
}

/* what comes behind: the next text in order, some of which may have come before, or what is early; sometimes the end */
static void add_text(struct tcp_seg *s)
{
	s->len = 1 + dice_below(&dice, 500);
	if (dice_chance(&dice, 100000))
		s->seq += 300;
	else if (dice_chance(&dice, 100000))
		s->seq -= 1 + dice_below(&dice, 400);
	if (dice_chance(&dice, 40000)) {
		s->flags |= TCP_URG;
		s->urg = (uint16_t)dice_below(&dice, s->len + 2);
	}
}

static void add_sack(struct tcp_seg *s)
{
	const uint32_t segs = (t->snd_nxt - t->snd_una) / t->mss;

	s->nb_sack = 1;
	s->has |= TCP_HAS_SACK;
	s->sack[0].start = dice_chance(&dice, 200000) ? s->ack - t->mss : t->snd_una + t->mss;
	s->sack[0].end = s->sack[0].start + (1 + dice_below(&dice, segs)) * t->mss;
	if (seq_geq(s->sack[0].start, t->snd_una))
		s->ack = t->snd_una;
}

static void add_flags(struct tcp_seg *s)
{
	if (dice_chance(&dice, 300000))
		s->flags |= TCP_PSH;
	if (dice_chance(&dice, 5000))
		s->flags |= TCP_FIN;
	if ((t->opt & TCB_OPT_ECN) && dice_chance(&dice, 50000))
		s->flags |= TCP_ECE;
	if ((t->opt & TCB_OPT_ECN) && dice_chance(&dice, 50000))
		s->flags |= TCP_CWR;
}

static void some_segment(void)
{
	struct tcp_seg s =
	    SEG(.flags = TCP_ACK, .seq = t->rcv_nxt, .ack = some_ack(), .wnd = 65535);

	if (dice_chance(&dice, 200000))
		s.wnd = (uint16_t)(dice_below(&dice, 6 * MSS) >> t->snd_wscale);
	if (dice_chance(&dice, 20000))
		s.wnd = 0;
	if (dice_chance(&dice, 400000))
		add_text(&s);
	if (dice_chance(&dice, 60000) && (t->opt & TCB_OPT_SACK) &&
	    t->snd_nxt - t->snd_una > t->mss)
		add_sack(&s);
	add_flags(&s);
	if (t->opt & TCB_OPT_TS) {
		s.has |= TCP_HAS_TS;
		s.tsval = net.ctx.now_ms + (dice_chance(&dice, 30000) ? 27 : 77);
		s.tsecr = tcp_tsval(tcp, t->ts_offset) - dice_below(&dice, 3);
	}
	input(t, s);
}

static void some_text(void)
{
	static const uint32_t lengths[] = {1, 100, MSS, MSS + 1, 3 * MSS, 8 * MSS + 7};
	const uint32_t n = lengths[dice_below(&dice, RTE_DIM(lengths))];
	struct rte_mbuf *m;

	if (dice_chance(&dice, 750000)) {
		if (write_bytes(t, n) > 0 && dice_chance(&dice, 50000))
			t->flags |= TCB_MORE;
		return;
	}
	m = payload_mbuf(t->snd_una + t->snd_bytes, n, dice_chance(&dice, 500000) ? 200 : 0);
	if (tcp_send_mbuf(tcp, t, m) != 0)
		rte_pktmbuf_free(m);
}

static void some_setting(void)
{
	static const uint32_t flags[] = {TCB_NODELAY, TCB_NODELAY, TCB_CORK, TCB_QUICKACK};

	if (dice_chance(&dice, 800000)) {
		t->flags ^= flags[dice_below(&dice, RTE_DIM(flags))];
	} else if (dice_chance(&dice, 900000)) {
		t->snd_max = 4096u << dice_below(&dice, 6);
		t->flags |= TCB_SNDBUF_SET;
	} else {
		(void)tcp_shutdown(tcp, t, SHUT_WR);
	}
}

static void some_step(void)
{
	switch (dice_below(&dice, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		some_text();
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		some_segment();
		break;
	case 8:
		read_to += (uint32_t)RTE_MAX(read_bytes(t, read_to, 100000), 0);
		break;
	case 9:
	case 10:
		if (dice_chance(&dice, 900000))
			ctx_set_time(&net.ctx,
			             net.ctx.now_ns + 100000 + dice_below(&dice, 3000000));
		else
			pass(1 + dice_below(&dice, 300));
		break;
	default:
		some_setting();
		break;
	}
}

static void choose_way(bool plain)
{
	if (tcp->dsack.tcb == tcp_index(tcp, t)) /* it has one to report itself */
		return;
	tcp->dsack.tcb = 0;
	if (!plain)
		tcp->dsack = (struct dsack){.tcb = tcp_index(tcp, other), .start = 1, .end = 2};
}

/* near the places where numbers go round, or anywhere */
static uint32_t some_number(void)
{
	static const uint32_t near[] = {ISS, INT32_MAX - 9999, UINT32_MAX - 9999};

	return dice_chance(&dice, 500000) ? (uint32_t)dice_next(&dice)
	                                  : near[dice_below(&dice, RTE_DIM(near))];
}

static void begin(void)
{
	const uint8_t opts = TCB_OPT_TS | TCB_OPT_SACK | TCB_OPT_ECN | TCB_OPT_WSCALE;

	prepare();
	net.ctx.cfg.tcp_keepalive_idle_ms = 1000;
	net.ctx.cfg.tcp_stash_from = UINT32_MAX;
	net.ctx.cfg.tcp_rack =
	    !with_stash; /* which begins anew with the queues, as after each pause */
	start_with();
	t = conn((uint8_t)dice_below(&dice, 256) & opts);
	other = conn(0);
	peer_port = t->flow.rport;
	t->snd_una = t->snd_nxt = some_number();
	t->snd_wl1 = t->rcv_nxt = t->last_ack_sent = read_to = some_number();
	t->rcv_adv = t->rcv_nxt + 65535;
	t->snd_wscale = t->opt & TCB_OPT_WSCALE ? 3 : 0;
	t->rcv_wscale = t->opt & TCB_OPT_WSCALE ? 3 : 0;
	t->cc = (uint8_t)dice_below(&dice, CC_DCTCP + 1);
	t->flags |= dice_chance(&dice, 500000) ? TCB_NODELAY : 0;
	t->flags |= dice_chance(&dice, 200000) ? TCB_KEEPALIVE : 0;
	tcp_keepalive_start(tcp, t);
	t->cwnd = (2 + dice_below(&dice, 20)) * MSS;
	t->quick = dice_below(&dice, 16) & 0x7f;
	t->ts_recent = net.ctx.now_ms;
}

static void one_run(struct run *r, uint64_t seed, bool plain)
{
	dice_seed(&dice, seed);
	begin();
	if (with_stash && plain)
		net.ctx.cfg.tcp_stash_from = 0;
	r->n = 0;
	for (uint32_t step = 0; step < STEPS; step++) {
		choose_way(plain);
		some_step();
		if (dice_chance(&dice, 400000))
			continue;
		choose_way(plain);
		turn();
		note_sent(r, step);
		note_state(r, step);
	}
	tcp->dsack.tcb = 0;
	nb_stashed += count(PC_TCP_STASHED);
	forget();
	finish();
}

static struct tcp_seg with_timestamp(struct tcp_seg s)
{
	if (!(t->opt & TCB_OPT_TS))
		return s;
	s.has |= TCP_HAS_TS;
	s.tsval = net.ctx.now_ms + (dice_chance(&dice, 100000) ? 27 : 77);
	s.tsecr = tcp_tsval(tcp, t->ts_offset);
	return s;
}

/* an acknowledgement of our FIN, or nearly one */
static struct tcp_seg some_end(void)
{
	struct tcp_seg s =
	    SEG(.flags = TCP_ACK, .seq = t->rcv_nxt, .ack = t->snd_nxt, .wnd = 65535);

	switch (dice_below(&dice, 16)) {
	case 0:
		s.seq--;
		break;
	case 1:
		s.seq++;
		break;
	case 2:
		s.ack--;
		break;
	case 3:
		s.ack++;
		break;
	case 4: /* its FIN again */
		s.flags |= TCP_FIN;
		s.seq--;
		break;
	case 5:
		s.flags |= TCP_RST;
		break;
	case 6:
		s.flags |= TCP_SYN;
		break;
	case 7:
		s.flags = TCP_PSH;
		break;
	case 8:
		s.len = 10;
		break;
	default:
		break;
	}
	return with_timestamp(s);
}

static void note_end(struct run *r, uint32_t step, int verdict)
{
	const struct tcp_account *a = account_of(tcp, t); /* while the application may ask */
	const bool is_open = t->flags & TCB_OPEN;

	note(r, step + 8000,
	     (uint32_t[12]){(uint32_t)verdict, t->state, t->flags & ~(uint32_t)TCB_WORK,
	                    t->timers & TCB_T_LOSS ? t->t_loss : 0, tcp->tcbs_used,
	                    tcp->table.count, (uint32_t)count(PC_TCP_CLOSED),
	                    (uint32_t)count(PC_TCP_RESET_TX),
	                    (uint32_t)count(PC_TCP_CHALLENGE_ACKS), told(t),
	                    is_open ? (uint32_t)a->bytes_acked : 0, is_open ? a->delivered : 0});
}

/* The peer closes, the application does or only says that it will send no more, and segments arrive of which one may be
 * the last. */
static void one_end(struct run *r, uint64_t seed, bool plain)
{
	int verdict = 0;

	dice_seed(&dice, seed);
	begin();
	r->n = 0;
	if (dice_chance(&dice, 200000))
		(void)write_bytes(t, 100);
	choose_way(plain);
	input(t, with_timestamp(SEG(.flags = TCP_FIN | TCP_ACK, .seq = t->rcv_nxt,
	                            .ack = t->snd_nxt, .wnd = 65535)));
	if (dice_chance(&dice, 500000))
		turn();
	if (dice_chance(&dice, 700000))
		tcp_close(tcp, t);
	else
		(void)tcp_shutdown(tcp, t, SHUT_WR);
	for (uint32_t step = 0; step < 6; step++) {
		choose_way(plain);
		turn();
		note_sent(r, step);
		note_end(r, step, verdict);
		if (t->state == TCP_S_FREE || t->state == TCP_S_CLOSED)
			break;
		choose_way(plain);
		verdict = input(t, some_end());
	}
	tcp->dsack.tcb = 0;
	forget();
	finish();
}

static bool same(const struct run *a, const struct run *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++) {
		if (memcmp(&a->line[i], &b->line[i], sizeof(a->line[i])) == 0)
			continue;
		for (unsigned k = 0; k < 2; k++) {
			const struct line *l = k == 0 ? &a->line[i] : &b->line[i];

			fprintf(stderr, "%s step %u:", k == 0 ? "plain   " : "thorough", l->at);
			for (unsigned j = 0; j < RTE_DIM(l->v); j++)
				fprintf(stderr, " %u", l->v[j]);
			fprintf(stderr, "\n");
		}
		return false;
	}
	return a->n == b->n;
}

/* PERCORE_SEED: from this one on; PERCORE_RUNS: so many */
static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

static void compare(void (*one)(struct run *r, uint64_t seed, bool plain))
{
	const uint64_t first = setting("PERCORE_SEED", 0), n = setting("PERCORE_RUNS", RUNS);

	for (uint64_t seed = first; seed < first + n; seed++) {
		one(&runs[0], seed, true);
		one(&runs[1], seed, false);
		CU_ASSERT(same(&runs[0], &runs[1]));
		if (CU_get_number_of_failures() > 0) {
			fprintf(stderr, "PERCORE_SEED=%" PRIu64 " PERCORE_RUNS=1\n", seed);
			return;
		}
	}
}

static void both_ways(void)
{
	compare(one_run);
}

static void ends(void)
{
	compare(one_end);
}

/* what is stashed is acknowledged, sent again and followed by more as if it were not */
static void stashed(void)
{
	nb_stashed = 0;
	with_stash = true;
	compare(one_run);
	with_stash = false;
	CU_ASSERT(nb_stashed > 0);
}

/* RFC 8985 section 6.2 step 3: what is acknowledged in order was not overtaken, whatever its numbers are */
static void in_order(void)
{
	static const uint32_t first[] = {ISS, INT32_MAX, 0xc0000000, UINT32_MAX - MSS};

	for (unsigned i = 0; i < RTE_DIM(first); i++) {
		start();
		t = conn(TCB_OPT_SACK);
		t->snd_una = t->snd_nxt = first[i];
		CU_ASSERT_EQUAL(write_bytes(t, 4 * MSS), 4 * MSS);
		turn();
		CU_ASSERT_EQUAL(input_ack(t, first[i] + 2 * MSS), PC_DROP_TCP_ACK_DONE);
		CU_ASSERT_FALSE(tcp_queues(tcp, t)->rack.reordering);
		CU_ASSERT_EQUAL(tcp_queues(tcp, t)->rack.late, 0);
		forget();
		finish();
	}
}

/* RACK's clock goes round in 71 minutes: what was delivered before a long pause, and was the last then, is not later than
 * what is sent after it */
static void after_a_pause(void)
{
	const struct tcp_queues *q;

	start();
	t = conn(TCB_OPT_SACK);
	CU_ASSERT_EQUAL(write_bytes(t, 4 * MSS), 4 * MSS);
	turn();
	tcp_queues(tcp, t)->keep = true; /* after a recovery, for instance */
	ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	t->flags |= TCB_NOSPACE; /* the thorough way */
	input_ack(t, ISS + 4 * MSS);
	turn();
	ctx_set_time(&net.ctx, net.ctx.now_ns + 40 * 60 * UINT64_C(1000000000));
	CU_ASSERT_EQUAL(write_bytes(t, 4 * MSS), 4 * MSS);
	turn();
	q = tcp_queues(tcp, t);
	ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	input_ack(t, ISS + 6 * MSS);
	CU_ASSERT_EQUAL(q->rack.end, ISS + 6 * MSS);
	pass(4);
	CU_ASSERT_EQUAL(q->lost_bytes, 0);
	CU_ASSERT_EQUAL(count(PC_TCP_RETRANSMITS), 0);
	forget();
	finish();
}

/* Karn (RFC 6298 section 3): of what was sent twice, as may be left of a recovery that was none, nobody knows which
 * of the two was answered, also where an acknowledgement covers a part of what is under way */
static void sent_twice(void)
{
	start();
	t = conn(0);
	CU_ASSERT_EQUAL(write_bytes(t, 4 * MSS), 4 * MSS);
	turn();
	ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	input_ack(t, ISS + MSS);
	CU_ASSERT_EQUAL(t->srtt_us, 5000);
	pkt_of(pkt_of(tcp_queues(tcp, t)->snd.head)->next)->tx.sends = 2;
	ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	input_ack(t, ISS + 3 * MSS);
	CU_ASSERT_EQUAL(t->srtt_us, 5000);
	CU_ASSERT_EQUAL(t->snd_una, ISS + 3 * MSS);
	CU_ASSERT_EQUAL(t->snd_bytes, MSS);
	forget();
	finish();
}

/* an acknowledgement of a part of what is under way: RACK learns from its last segment, and what else the segment
 * says is not passed over */
static void a_part(void)
{
	const struct tcp_queues *q;

	start();
	t = conn(TCB_OPT_SACK);
	CU_ASSERT_EQUAL(write_bytes(t, 6 * MSS), 6 * MSS);
	turn();
	q = tcp_queues(tcp, t);
	ctx_set_time(&net.ctx, net.ctx.now_ns + 5000000);
	CU_ASSERT_EQUAL(input_ack(t, ISS + 2 * MSS), PC_DROP_TCP_ACK_DONE);
	CU_ASSERT(q->rack.valid && q->rack.rtt_us == 5000);
	CU_ASSERT_EQUAL(q->rack.end, ISS + 2 * MSS);
	CU_ASSERT_EQUAL(q->rack.fack, ISS + 2 * MSS);
	/* RFC 9293 3.10.7.4, first step: what is not in the window acknowledges nothing */
	CU_ASSERT_EQUAL(
	    input(t, SEG(.flags = TCP_ACK, .seq = IRS - 2, .ack = ISS + 3 * MSS, .wnd = 9)),
	    PC_DROP_TCP_SEQUENCE);
	CU_ASSERT(t->snd_una == ISS + 2 * MSS && t->snd_wnd == 65535);
	input(t, SEG(.flags = TCP_ACK | TCP_FIN, .seq = IRS, .ack = ISS + 4 * MSS, .wnd = 65535));
	CU_ASSERT(t->state == TCP_S_CLOSE_WAIT && t->snd_una == ISS + 4 * MSS);
	forget();
	finish();
}

static const struct unit_case cases[] = {
    {"the same by both ways", both_ways},
    {"the same with the stash", stashed},
    {"the same at the end", ends},
    {"RFC 8985 6.2 step 3: in order", in_order},
    {"RFC 8985 6.2 step 5: after a pause", after_a_pause},
    {"RFC 6298 section 3: sent twice", sent_twice},
    {"a part is acknowledged", a_part},
};

TCP_UNIT_MAIN("tcp_plain")
