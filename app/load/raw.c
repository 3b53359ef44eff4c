/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: bare Ethernet frames of any length, numbered: tx sends them, rx looks for missing ones,
 * ping sends them and measures when they return, pong returns them.  Their type is the one that
 * IEEE 802 reserves for experiments.
 *
 * ping in a closed loop keeps a window of frames in flight; with a rate it is an open loop, and a
 * frame is timed from when it was due.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "load.h"
#include "track.h"

#define RAW_TYPE    0x88b5
#define RAW_MAGIC   0x706c6f6164u
#define RAW_FCS     4u
#define RAW_MIN     64u
#define RAW_MAX     1518u
#define RAW_BURST   64u
#define RAW_LOST_NS UINT64_C(100000000)

struct raw_frame {
	struct rte_ether_hdr eth;
	uint64_t magic, run, seq, time;
} __attribute__((packed, aligned(2)));

struct raw {
	struct track track;
	struct raw_frame head;
	uint64_t run, sent, deadline;
	uint64_t lost; /* of senders before the current one */
};

static struct raw *raw_of(const struct load *l)
{
	return l->engine_state;
}

static int raw_init(struct load *l, char *why, size_t why_len)
{
	struct raw *r = calloc(1, sizeof(*r));

	l->engine_state = r;
	if (r == NULL || l->config->size < RAW_MIN || l->config->size > RAW_MAX) {
		snprintf(why, why_len, "mode %s requires a --size of %u to %u bytes", l->mode->name,
		         RAW_MIN, RAW_MAX);
		return -1;
	}
	r->run = l->now;
	r->head.eth.src_addr = l->wire.mac;
	r->head.eth.dst_addr = l->wire.peer_mac;
	if (!l->wire.resolved)
		memset(&r->head.eth.dst_addr, 0xff, sizeof(r->head.eth.dst_addr));
	r->head.eth.ether_type = RTE_BE16(RAW_TYPE);
	r->head.magic = RAW_MAGIC;
	r->head.run = r->run;
	return 0;
}

static const struct raw_frame *raw_read(const struct rte_mbuf *m)
{
	const struct raw_frame *f = rte_pktmbuf_mtod(m, const struct raw_frame *);

	if (m->data_len < sizeof(*f) || f->eth.ether_type != RTE_BE16(RAW_TYPE) ||
	    f->magic != RAW_MAGIC)
		return NULL;
	return f;
}

/* ---- sending ---------------------------------------------------------------------------------- */

static void send_raw(struct load *l, struct raw *r, uint64_t time)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	struct raw_frame *f;

	if (m == NULL)
		return;
	f = rte_pktmbuf_mtod(m, struct raw_frame *);
	*f = r->head;
	f->seq = r->sent++;
	f->time = time;
	out_push(&l->out, m, (uint32_t)l->config->size - RAW_FCS);
}

/* Sends up to room frames: those that are due, or all of room if there is no rate. */
static void send_frames(struct load *l, uint64_t room)
{
	struct raw *r = raw_of(l);
	uint64_t rate = l->config->rate, n = RTE_MIN(room, (uint64_t)RAW_BURST), due;

	if (out_backlog(&l->out) >= OUT_BURST_MAX)
		return;
	if (rate == 0) {
		while (n-- > 0)
			send_raw(l, r, l->now);
		return;
	}
	due = (uint64_t)((unsigned __int128)(l->now - l->pace_from) * rate / LOAD_SECOND_NS);
	for (; n > 0 && l->paced < due; n--, l->paced++)
		send_raw(l, r,
		         l->pace_from +
		             (uint64_t)((unsigned __int128)l->paced * LOAD_SECOND_NS / rate));
}

static void tx_step(struct load *l)
{
	send_frames(l, RAW_BURST);
}

static void ping_step(struct load *l)
{
	struct raw *r = raw_of(l);
	uint64_t under_way = r->sent - r->track.next;

	if (under_way > 0 && l->now > r->deadline) {
		track_skip(&r->track, r->sent);
		l->faults.lost = r->track.lost;
		under_way = 0;
	}
	if (under_way == 0)
		r->deadline = l->now + RAW_LOST_NS;
	if (under_way < l->config->window)
		send_frames(l, l->config->window - under_way);
}

/* ---- receiving -------------------------------------------------------------------------------- */

void load_ignore(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		out_recycle(&l->out, pkts[k]);
}

/* Returns whether the frame was not counted before. */
static bool count(struct load *l, struct raw *r, uint64_t seq)
{
	const enum track_verdict v = track_add(&r->track, seq);

	switch (v) {
	case TRACK_NEW:
		l->n.answers++;
		break;
	case TRACK_LATE:
		l->n.answers++;
		l->faults.out_of_order++;
		break;
	case TRACK_DUPLICATE:
		l->faults.duplicate++;
		break;
	}
	l->faults.lost = r->lost + r->track.lost;
	return v != TRACK_DUPLICATE;
}

/* Starts to track a new sender. */
static void follow(struct raw *r, uint64_t run)
{
	if (r->track.begun)
		r->lost += r->track.lost;
	r->track.begun = false;
	r->run = run;
}

static void rx_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	struct raw *r = raw_of(l);
	const struct raw_frame *f;

	for (unsigned k = 0; k < n; k++) {
		f = raw_read(pkts[k]);
		if (f == NULL) {
			l->faults.stray++;
		} else {
			if (f->run != r->run)
				follow(r, f->run);
			(void)count(l, r, f->seq);
		}
		out_recycle(&l->out, pkts[k]);
	}
}

static void ping_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	struct raw *r = raw_of(l);
	const struct raw_frame *f;

	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		f = raw_read(pkts[k]);
		if (f == NULL || f->run != r->run || f->seq >= r->sent) {
			l->faults.stray++;
		} else {
			if (count(l, r, f->seq) && l->timing)
				hist_add(&l->latency, l->now - f->time);
			r->deadline = l->now + RAW_LOST_NS;
		}
		out_recycle(&l->out, pkts[k]);
	}
}

static void pong_input(struct load *l, struct rte_mbuf **pkts, unsigned n)
{
	struct rte_ether_hdr *eth;

	for (unsigned k = 0; k < n; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	for (unsigned k = 0; k < n; k++) {
		if (raw_read(pkts[k]) == NULL) {
			out_recycle(&l->out, pkts[k]);
			continue;
		}
		eth = rte_pktmbuf_mtod(pkts[k], struct rte_ether_hdr *);
		eth->dst_addr = eth->src_addr;
		eth->src_addr = l->wire.mac;
		l->n.answers++;
		out_push(&l->out, pkts[k], pkts[k]->pkt_len);
	}
}

static int ping_init(struct load *l, char *why, size_t why_len)
{
	if (raw_init(l, why, why_len) != 0)
		return -1;
	track_begin(&raw_of(l)->track, 0);
	return 0;
}

bool load_no_answer(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	(void)l;
	(void)c;
	(void)i;
	(void)n;
	return false;
}

const struct plan plan_tx = {.step = tx_step, .answered = load_no_answer};
const struct plan plan_ping = {.step = ping_step, .answered = load_no_answer};

const struct engine engine_tx = {.init = raw_init, .input = load_ignore};
const struct engine engine_rx = {.init = raw_init, .input = rx_input};
const struct engine engine_ping = {.init = ping_init, .input = ping_input};
const struct engine engine_pong = {.init = raw_init, .input = pong_input};
