/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: a connection has a set of ranges exactly while something before them is missing, and
 * they lie after rcv.
 *
 * Acknowledgements are sent for every second full segment (RFC 9293 section 3.8.6.3), and once the
 * port has no more frames; at once for segments that are out of order or duplicates, or that fill a
 * gap (RFC 5681 section 4.2).  Those that a request carries have no SACK option.
 */
#include "early.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_PART ((const struct range *)NULL)

/* The most bytes that can be in flight to one connection. */
static uint64_t most_under_way(const struct load *l)
{
	if (l->talk == &talk_source)
		return UINT64_MAX;
	if (l->talk == &talk_sink)
		return 0;
	if (l->talk->learns)
		return l->config->depth * l->answer.total;
	return l->config->depth * (l->sizes != NULL ? l->sizes->max : l->config->size);
}

int early_start(struct load *l, char *why, size_t why_len)
{
	if (most_under_way(l) <= l->own_mss)
		return 0;
	l->receivers = calloc(l->nb_clients, sizeof(*l->receivers));
	l->pool = ranges_pool_create();
	if (l->receivers != NULL && l->pool != NULL)
		return 0;
	snprintf(why, why_len, "not enough memory for out-of-order data of %u connections",
	         l->nb_clients);
	return -1;
}

void early_forget(struct load *l, uint32_t i)
{
	struct receiver *r = &l->receivers[i];

	ranges_give(l->pool, &r->ranges);
	r->has_fin = false;
}

/* Sends an acknowledgement; repeated is the duplicate data to report (RFC 2883), or NULL. */
static void tell(struct load *l, const struct client *c, uint32_t i, const struct range *repeated)
{
	const struct receiver *r = &l->receivers[i];
	struct range blocks[CLIENT_SACKS_MAX];
	uint32_t n = 0, max = l->wire.timestamps ? CLIENT_SACKS_MAX - 1 : CLIENT_SACKS_MAX;

	if (l->sack && repeated != NULL)
		blocks[n++] = *repeated;
	if (l->sack && r->ranges != 0)
		n += ranges_newest(ranges_of(l->pool, r->ranges), blocks + n, max - n);
	client_send_sacks(l, c, i, blocks, n);
}

/* Records [from,to) as received. Returns false if there is no room for it. */
static bool keep(struct load *l, struct receiver *r, uint32_t from, uint32_t to)
{
	struct ranges *ranges;
	struct range *whole;

	if (r->ranges == 0)
		r->ranges = ranges_take(l->pool);
	if (r->ranges == 0)
		return false;
	ranges = ranges_of(l->pool, r->ranges);
	whole = ranges_add(ranges, from, to);
	if (whole != NULL)
		whole->mark = ++ranges->clock;
	return whole != NULL;
}

void early_keep(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	struct receiver *r = &l->receivers[i];
	uint32_t window = (uint32_t)l->config->receive_window << l->own_scale,
	         end = s->seq + s->len;
	struct range repeated;
	bool again;

	if (end - c->rcv > window) {
		l->faults.beyond++;
		tell(l, c, i, NO_PART);
		return;
	}
	if ((s->flags & RTE_TCP_FIN_FLAG) != 0) {
		r->has_fin = true;
		r->fin = end;
	} else if (s->len == 0) {
		return; /* an acknowledgement that overtook data, or data before it was lost */
	}
	again = r->ranges != 0 && s->len > 0 &&
	        ranges_common(ranges_of(l->pool, r->ranges), s->seq, end, &repeated);
	if (again)
		l->faults.duplicate++;
	else
		l->faults.out_of_order++;
	if (s->len > 0) {
		l->talk->peek(l, c, s->seq - c->rcv, s->data, s->len);
		l->faults.unkept += !keep(l, r, s->seq, end);
	}
	tell(l, c, i, again ? &repeated : NO_PART);
}

void early_repeated(struct load *l, struct client *c, uint32_t i, const struct segment *s)
{
	const struct range repeated = {.from = s->seq, .to = s->seq + s->len};

	tell(l, c, i, s->len > 0 ? &repeated : NO_PART);
}

uint32_t early_join(struct load *l, struct client *c, uint32_t i)
{
	struct receiver *r = &l->receivers[i];
	struct ranges *ranges = ranges_of(l->pool, r->ranges);
	uint32_t len = ranges_pass(ranges, c->rcv) - c->rcv, n;

	if (ranges->n == 0)
		ranges_give(l->pool, &r->ranges);
	if (len == 0)
		return 0;
	n = l->talk->skip(l, c, len);
	c->rcv += len;
	l->n.payload_in += len;
	return n;
}

void early_owe(struct load *l, struct client *c, uint32_t i, const struct segment *s,
               uint32_t before)
{
	const uint8_t *begin = (const uint8_t *)(s->tcp + 1) + s->options;
	struct receiver *r = &l->receivers[i];

	if (unlikely(s->data != begin)) { /* it began with data already received */
		const struct range repeated = {.from = s->seq - (uint32_t)(s->data - begin),
		                               .to = s->seq};

		tell(l, c, i, &repeated);
	} else if (unlikely(r->ranges != 0)) {
		tell(l, c, i, NO_PART);
	} else if (c->rcv - before != s->len ||
	           c->rcv - r->told >= l->config->ack_every * l->peer_mss) {
		client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
	} else if (!r->owes && l->nb_owed == LOAD_OWED) {
		client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
	} else if (!r->owes) {
		r->owes = true;
		l->owed[l->nb_owed++] = i;
	}
}
