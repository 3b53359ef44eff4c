/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The short ways against the thorough ones: the same connection, with the same things happening to it by chance,
 * sends the same and is in the same state afterwards, whether it may take the short ways or not.
 *
 * They are closed by a duplicate that another connection has to report: then every segment could be the one
 * that does.
 */
#include "tcp/tcp_plain.h"

#include <string.h>

#include <rte_mbuf.h>

/* before the fixture, whose tcp would be hidden */
#include "tcp/account.h"
#include "tcp/tcp_segment.h"

#include "../unit.h"
#include "base/rng.h"
#include "fixture.h"

#define STEPS 60
#define LINES 4096

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
static struct rng rng;
static uint32_t read_to;
/* something early came, and then what the other connection has to report goes at once */
static bool was_early;

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

		if (s->dport != t->flow.rport)
			continue;
		CU_ASSERT(is_payload(got.payload, s->seq, s->len));
		note(r, step,
		     (uint32_t[12]){s->seq, s->ack, s->len, s->wnd, s->flags, s->has, s->tsval,
		                    s->tsecr, s->nb_sack});
	}
}

static void note_state(struct run *r, uint32_t step)
{
	const struct tcp_account *a = account_of(tcp, t);
	const struct tcp_queues *q = tcp_queues(tcp, t);

	note(r, step + 1000,
	     (uint32_t[12]){t->snd_una, t->snd_nxt, t->snd_bytes, t->cwnd, t->snd_wnd, t->flags,
	                    t->timers, t->timers & TCB_T_LOSS ? t->t_loss : 0, t->srtt_us,
	                    t->rto_us, t->quick, t->retries});
	note(r, step + 2000,
	     (uint32_t[12]){a->segs_out, a->data_segs_out, (uint32_t)a->bytes_sent, a->segs_in,
	                    (uint32_t)a->bytes_acked, a->delivered, t->rcv_nxt, t->rcv_adv,
	                    t->rcv_bytes, q != NULL, q != NULL ? q->flight_out : 0,
	                    q != NULL ? q->loss_timer : 0});
	note(r, step + 3000,
	     (uint32_t[12]){(uint32_t)count(PC_TCP_TX_BYTES),
	                    was_early ? 0 : (uint32_t)count(PC_TCP_TX), t->ssthresh,
	                    q != NULL ? q->rack.min_rtt_us : 0, q != NULL ? q->recovery : 0,
	                    q != NULL ? q->lost_bytes : 0, t->snd_max});
}

/* an acknowledgement of some of what is under way: up to the end of a segment or not, with text or without */
static void some_ack(void)
{
	const uint32_t flight = t->snd_nxt - t->snd_una, segs = flight / t->mss;
	struct tcp_seg s =
	    SEG(.flags = TCP_ACK, .seq = t->rcv_nxt, .ack = t->snd_una, .wnd = 65535);

	switch (rng_below(&rng, 6)) {
	case 0:
		break;
	case 1:
	case 2:
		s.ack += flight;
		break;
	case 3:
		s.ack += flight > 0 ? rng_below(&rng, flight) : 0;
		break;
	default:
		s.ack += segs > 0 ? (1 + rng_below(&rng, segs)) * t->mss : flight;
		break;
	}
	if (rng_chance(&rng, 200000))
		s.wnd = (uint16_t)rng_below(&rng, 6 * MSS);
	if (rng_chance(&rng, 300000)) {
		s.len = 1 + rng_below(&rng, 500);
		if (rng_chance(&rng, 200000)) {
			s.seq += 300;
			was_early = true;
		}
	}
	if (rng_chance(&rng, 60000) && (t->opt & TCB_OPT_SACK) && segs > 2) {
		s.nb_sack = 1;
		s.has |= TCP_HAS_SACK;
		s.sack[0].start = t->snd_una + t->mss;
		s.sack[0].end = t->snd_una + 2 * t->mss;
		s.ack = t->snd_una;
	}
	if (t->opt & TCB_OPT_TS) {
		s.has |= TCP_HAS_TS;
		s.tsval = net.ctx.now_ms + 77;
		s.tsecr = tcp_tsval(tcp, t->ts_offset);
	}
	input(t, s);
}

static void some_text(void)
{
	static const uint32_t lengths[] = {1, 100, MSS, MSS + 1, 3 * MSS, 8 * MSS + 7};
	const uint32_t n = lengths[rng_below(&rng, RTE_DIM(lengths))];
	struct rte_mbuf *m;

	if (rng_chance(&rng, 750000)) {
		(void)write_bytes(t, n);
		return;
	}
	m = payload_mbuf(t->snd_una + t->snd_bytes, n, rng_chance(&rng, 500000) ? 200 : 0);
	if (tcp_send_mbuf(tcp, t, m) != 0)
		rte_pktmbuf_free(m);
}

static void some_step(void)
{
	switch (rng_below(&rng, 12)) {
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
		some_ack();
		break;
	case 8:
		read_to += (uint32_t)RTE_MAX(read_bytes(t, read_to, 100000), 0);
		break;
	case 9:
		ctx_set_time(&net.ctx, net.ctx.now_ns + 100000 + rng_below(&rng, 3000000));
		break;
	case 10:
		t->flags ^= rng_chance(&rng, 700000) ? TCB_NODELAY : TCB_CORK;
		break;
	default:
		if (rng_chance(&rng, 300000)) {
			t->snd_max = 4096u << rng_below(&rng, 6);
			t->flags |= TCB_SNDBUF_SET;
		} else if (rng_chance(&rng, 100000)) {
			pass(1 + rng_below(&rng, 300));
		}
		break;
	}
}

/* the neighbour was used in this tick already: else each first frame would have to note that */
static void note_use(void)
{
	tcp->dsack.tcb = 0;
	(void)tcp_send_ack(tcp, other);
}

static void choose_way(bool plain)
{
	note_use();
	if (!plain)
		tcp->dsack = (struct dsack){.tcb = tcp_index(tcp, other), .start = 1, .end = 2};
}

static void one_run(struct run *r, uint64_t seed, bool plain)
{
	rng_seed(&rng, seed);
	prepare();
	start_with();
	t = conn((uint8_t)rng_below(&rng, 8) & (TCB_OPT_TS | TCB_OPT_SACK));
	other = conn(0);
	t->flags |= rng_chance(&rng, 500000) ? TCB_NODELAY : 0;
	t->cwnd = (2 + rng_below(&rng, 20)) * MSS;
	t->quick = rng_below(&rng, 16) & 0x7f;
	t->ts_recent = net.ctx.now_ms;
	read_to = IRS;
	was_early = false;
	r->n = 0;
	choose_way(plain);
	for (uint32_t step = 0; step < STEPS; step++) {
		some_step();
		if (rng_chance(&rng, 400000))
			continue;
		choose_way(plain);
		turn();
		note_sent(r, step);
		note_state(r, step);
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

static void both_ways(void)
{
	for (uint64_t seed = 0; seed < 300; seed++) {
		one_run(&runs[0], seed, true);
		one_run(&runs[1], seed, false);
		if (!same(&runs[0], &runs[1])) {
			fprintf(stderr, "seed %u: the ways differ\n", (unsigned)seed);
			CU_FAIL("the ways differ");
			return;
		}
	}
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
    {"RFC 6298 section 3: sent twice", sent_twice},
    {"a part is acknowledged", a_part},
};

TCP_UNIT_MAIN("tcp_plain")
