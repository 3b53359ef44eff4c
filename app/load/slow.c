/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: read is never ahead of rcv, nor rcv of edge; edge never moves back (RFC 9293 section
 * 3.8.6.2.1).  An edge moves by a full segment or half of the buffer at least (section 3.8.6.2.2).
 */
#include "slow.h"

#include <stdio.h>
#include <stdlib.h>

#include "tcp.h"

#define PASS_NS   UINT64_C(10000000) /* in which every reader is checked once */
#define PROBE_MAX 1u                 /* bytes allowed beyond a window (RFC 9293 3.8.6.1) */

int slow_init(struct load *l, char *why, size_t why_len)
{
	if (l->config->slow == 0)
		return 0;
	l->readers = calloc(l->config->slow, sizeof(*l->readers));
	if (l->readers != NULL)
		return 0;
	snprintf(why, why_len, "not enough memory for %llu slow readers",
	         (unsigned long long)l->config->slow);
	return -1;
}

void slow_opened(struct load *l, const struct client *c, uint32_t i)
{
	l->readers[i] =
	    (struct reader){.read = c->rcv, .edge = c->rcv + slow_syn_window(l), .at = l->now};
}

uint32_t slow_syn_window(const struct load *l)
{
	return (uint32_t)l->config->slow_window;
}

/* Reads from the buffer what the elapsed time allows. */
static void take(const struct load *l, struct reader *r, const struct client *c)
{
	uint64_t rate = l->config->slow_rate, most = c->rcv - r->read, n;

	n = rate * ((l->now - r->at) / 1000) / 1000000;
	if (n > most || rate == 0) {
		r->at = l->now; /* time with an empty buffer is not made up for */
		n = rate == 0 ? 0 : most;
	} else {
		r->at += n * LOAD_SECOND_NS / rate;
	}
	r->read += (uint32_t)n;
}

/* Moves the edge if that is worth it. Returns whether it did. */
static bool advance_reader(const struct load *l, struct reader *r, const struct client *c)
{
	uint32_t room = (uint32_t)l->config->slow_window, step = room / 2;
	uint32_t edge;

	take(l, r, c);
	edge = r->read + room;
	if (edge - r->edge < RTE_MAX(RTE_MIN(step, l->peer_mss), 1u))
		return false;
	r->edge = edge;
	return true;
}

uint16_t slow_window(struct load *l, const struct client *c, uint32_t i)
{
	struct reader *r = &l->readers[i];

	advance_reader(l, r, c);
	return (uint16_t)((r->edge - c->rcv) >> l->own_scale);
}

uint32_t slow_room(struct load *l, const struct client *c, uint32_t i, uint32_t len)
{
	uint32_t room = l->readers[i].edge - c->rcv;

	if (len <= room)
		return len;
	if (len - room > PROBE_MAX)
		l->faults.beyond++;
	return room;
}

void slow_timers(struct load *l, uint64_t elapsed_ns)
{
	uint64_t n = l->nb_slow * RTE_MIN(elapsed_ns, PASS_NS) / PASS_NS + 1;
	struct client *c;
	uint32_t i;

	while (n-- > 0 && out_backlog(&l->out) < OUT_HIGH) {
		i = l->slow_scan;
		c = &l->clients[i];
		if (c->state == CLIENT_OPEN && advance_reader(l, &l->readers[i], c))
			client_send_bare(l, c, i, c->nxt, RTE_TCP_ACK_FLAG);
		if (++l->slow_scan == l->nb_slow)
			l->slow_scan = 0;
	}
}

void slow_ask(struct load *l)
{
	for (; l->slow_next < l->nb_slow && out_backlog(&l->out) < OUT_HIGH; l->slow_next++)
		if (l->clients[l->slow_next].state == CLIENT_OPEN)
			l->talk->send(l, &l->clients[l->slow_next], l->slow_next, false);
}
