/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mark of a range is snd.nxt, made odd, at the time when the gap before it was last
 * retransmitted; 0 if it was not.
 */
#include "mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#define ALARM_MIN_NS UINT64_C(1000000)
#define RTT_UNKNOWN  100000000u
#define TRIES_MAX    6u
#define ROOM_LEFT    512u /* frames of the queue reserved for others */

int mend_start(struct load *l, char *why, size_t why_len)
{
	if (l->talk != &talk_sink || l->config->sack == 0)
		return 0;
	l->senders = calloc(l->nb_clients, sizeof(*l->senders));
	l->pool = ranges_pool_create();
	if (l->senders != NULL && l->pool != NULL)
		return 0;
	snprintf(why, why_len, "not enough memory for the retransmissions of %u connections",
	         l->nb_clients);
	return -1;
}

void mend_forget(struct load *l, uint32_t i)
{
	struct sender *sd = &l->senders[i];

	ranges_give(l->pool, &sd->ranges);
	sd->timing = false;
	sd->tries = 0;
}

void mend_sent(struct load *l, uint32_t i, uint32_t seq)
{
	struct sender *sd = &l->senders[i];

	if (sd->timing)
		return;
	sd->timing = true;
	sd->timed = seq;
	sd->timed_at = l->now;
}

/* Records [from,to) as received by the server. Returns whether any of it is new. */
static bool add_block(struct load *l, const struct client *c, struct sender *sd, uint32_t from,
                      uint32_t to)
{
	struct ranges *r;
	struct range old;

	/* a block at or before una reports a duplicate (RFC 2883) */
	if ((int32_t)(from - c->una) <= 0 || (int32_t)(to - from) <= 0 ||
	    (int32_t)(c->nxt - to) < 0)
		return false;
	if (sd->ranges == 0)
		sd->ranges = ranges_take(l->pool);
	if (sd->ranges == 0)
		return false;
	r = ranges_of(l->pool, sd->ranges);
	if (ranges_common(r, from, to, &old) && old.from == from && old.to == to)
		return false;
	return ranges_add(r, from, to) != NULL;
}

/* Reads the SACK blocks. Returns whether they report anything new. */
static bool read_blocks(struct load *l, const struct client *c, struct sender *sd,
                        const struct segment *s)
{
	const uint8_t *p = wire_option(s, NULL);
	uint32_t edges[2];
	bool news = false;

	while (p != NULL && p[0] != 5)
		p = wire_option(s, p);
	if (p == NULL)
		return false;
	for (const uint8_t *block = p + 2; block + sizeof(edges) <= p + p[1];
	     block += sizeof(edges)) {
		memcpy(edges, block, sizeof(edges));
		news |= add_block(l, c, sd, rte_be_to_cpu_32(edges[0]), rte_be_to_cpu_32(edges[1]));
	}
	return news;
}

/* Retransmits a gap. Returns false if there is no room for it. */
static bool send_gap(struct load *l, const struct client *c, uint32_t i, uint32_t from, uint32_t to)
{
	for (uint32_t len; from != to; from += len) {
		if (out_backlog(&l->out) > OUT_QUEUE - ROOM_LEFT)
			return false;
		len = RTE_MIN(to - from, l->peer_mss);
		client_send_data(l, c, i, from, RTE_TCP_ACK_FLAG, len);
		l->faults.retransmitted++;
	}
	return true;
}

/* Returns how many gaps, from una on, have more than two segments after them. */
static uint32_t count_lost(const struct load *l, const struct ranges *r)
{
	uint32_t k = r->n;

	for (uint32_t behind = 0; k > 0; k--) {
		behind += r->all[k - 1].to - r->all[k - 1].from;
		if (behind > 2 * l->peer_mss)
			break;
	}
	return k;
}

/* Retransmits the first gaps, except those whose retransmission may still be in flight. */
static void send_lost(struct load *l, const struct client *c, uint32_t i, struct ranges *r,
                      uint32_t lost)
{
	uint32_t from = c->una, top = r->all[r->n - 1].to;

	for (struct range *gap = r->all; gap < r->all + lost; from = gap->to, gap++) {
		if (gap->mark != 0 && (int32_t)(top - gap->mark) <= (int32_t)(2 * l->peer_mss))
			continue;
		if (!send_gap(l, c, i, from, gap->from))
			return;
		gap->mark = c->nxt | 1;
	}
}

static void take_time(const struct load *l, struct sender *sd, uint32_t top)
{
	uint64_t rtt = l->now - sd->timed_at;

	if (!sd->timing || (int32_t)(top - sd->timed) <= 0)
		return;
	sd->timing = false;
	if (sd->rtt_ns == 0)
		sd->rtt_ns = (uint32_t)RTE_MIN(rtt, UINT64_C(1000000000)) | 1;
	else
		sd->rtt_ns +=
		    (uint32_t)((int64_t)(RTE_MIN(rtt, UINT64_C(1000000000)) - sd->rtt_ns) / 8);
}

void mend_heard(struct load *l, struct client *c, uint32_t i, const struct segment *s, bool news)
{
	struct sender *sd = &l->senders[i];
	struct ranges *r = NULL;

	if (s->options > l->wire.len - l->wire.tcp_at - sizeof(struct rte_tcp_hdr))
		news |= read_blocks(l, c, sd, s);
	if (sd->ranges != 0) {
		r = ranges_of(l->pool, sd->ranges);
		ranges_pass(r, c->una);
		if (r->n == 0)
			ranges_give(l->pool, &sd->ranges);
	}
	take_time(l, sd, sd->ranges != 0 ? r->all[r->n - 1].to : c->una);
	if (sd->ranges != 0)
		send_lost(l, c, i, r, count_lost(l, r));
	if (news) {
		sd->heard_at = l->now;
		sd->tries = 0;
	}
}

void mend_timer(struct load *l, struct client *c, uint32_t i)
{
	struct sender *sd = &l->senders[i];
	uint64_t patience =
	    2 * (uint64_t)(sd->rtt_ns != 0 ? sd->rtt_ns : RTT_UNKNOWN) + ALARM_MIN_NS;
	struct ranges *r;

	if (sd->ranges == 0 || c->state != CLIENT_OPEN ||
	    l->now - sd->heard_at < patience << sd->tries)
		return;
	r = ranges_of(l->pool, sd->ranges);
	for (uint32_t k = 0; k < r->n; k++)
		r->all[k].mark = 0;
	if (sd->tries < TRIES_MAX)
		sd->tries++;
	sd->heard_at = l->now;
	l->faults.alarms++;
	send_lost(l, c, i, r, RTE_MAX(count_lost(l, r), 1u));
}
