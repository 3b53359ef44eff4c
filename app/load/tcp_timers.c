/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: what happens when nothing arrives.  The table is scanned continuously, so that no
 * connection needs a timer.  Unacknowledged data is retransmitted, and a connection whose peer
 * acknowledges nothing is dead.  A connection that has everything acknowledged but gets no answer
 * is given up after load.answer_ms: it is reset, and another is opened in its place.
 *
 * A client's tick wraps in four seconds.  Once it has waited for half of that, its tick becomes the
 * time since when it waits, in units of which 32 are load.answer_ms, and its tries say so; anything
 * that arrives resets both (client_hears).  No client is given up early; it may be late by a
 * sixteenth of the time, plus a pass over the table.
 */
#include "tcp.h"

#include "mend.h"
#include "slow.h"

#define SCAN_NS      UINT64_C(64000000)
#define SETTLE_BURST 4096u
#define QUIET_TICKS  (CLIENT_TICKS / 2)

/* Something in flight was not acknowledged in time. */
static void time_out(struct load *l, struct client *c, uint32_t i)
{
	if (c->tries == CLIENT_TRIES) {
		l->faults.dead++;
		client_leave(l, c, CLIENT_DEAD);
		return;
	}
	c->tries = (c->tries + 1u) & CLIENT_TRIES;
	c->tick = l->tick % CLIENT_TICKS;
	if (c->state == CLIENT_SYN_SENT) {
		l->faults.syn_retransmitted++;
		client_send_syn(l, c, i);
	} else {
		client_rewind(l, c, i);
	}
}

/*
 * Sends a request that may have been held back because the peer's window was too small or a window
 * update was lost. Connections of a hold mostly have nothing to send; those of a connrate send only
 * one request. Returns whether it sent anything.
 */
static bool probe(struct load *l, struct client *c, uint32_t i)
{
	if (c->state != CLIENT_OPEN || l->plan == &plan_hold || !(is_busy(l, i) || is_slow(l, i)) ||
	    (l->plan == &plan_connrate && c->wait == 0))
		return false;
	c->tick = l->tick % CLIENT_TICKS;
	if (!l->asking || l->period_ns != 0 || out_backlog(&l->out) >= OUT_HIGH ||
	    !l->talk->send(l, c, i, true))
		return false;
	l->faults.probes++;
	return true;
}

/* Whether the server owes something: an answer, the end of the connection, or more of a stream. */
static bool awaits(const struct load *l, const struct client *c, uint32_t i)
{
	if (c->state != CLIENT_OPEN)
		return c->state == CLIENT_FIN_WAIT;
	if (is_slow(l, i) || l->phase < PHASE_OPEN || l->talk == &talk_sink)
		return false;
	if (l->talk == &talk_source)
		return l->asking;
	return l->plan == &plan_connrate || client_waits(c);
}

static void open_again(struct load *l, struct client *c, uint32_t i)
{
	uint32_t overdue = c->wait, stamp = c->stamp;

	if (!l->asking || l->pending >= l->config->open_window)
		return;
	client_open(l, i);
	if (l->period_ns != 0) { /* overdue requests remain so */
		c->wait = overdue & CLIENT_WAIT_MAX;
		c->stamp = stamp;
	}
}

/* Records the wait so far as a latency: otherwise the longest latencies would be missing. */
static void give_up(struct load *l, struct client *c, uint32_t i)
{
	l->faults.timed_out++;
	if (l->timing && (c->wait > 0 || l->period_ns != 0))
		hist_add(&l->latency, (uint64_t)(l->stamp - c->stamp) << 6);
	if (l->timing && !l->asking && l->period_ns != 0)
		plan_note_unsent(l, c);
	client_reset(l, c, i);
	if (!l->plan->opens_first)
		return; /* it opens others by itself */
	c->state = CLIENT_AGAIN;
	open_again(l, c, i);
}

static uint32_t answer_tick(const struct load *l, uint64_t ns)
{
	return (uint32_t)(ns / l->answer_unit_ns) % CLIENT_TICKS;
}

/* All is acknowledged, and nothing has arrived for idle ticks. */
static void await(struct load *l, struct client *c, uint32_t i, uint32_t idle)
{
	if (c->tries == 0 && idle >= QUIET_TICKS) {
		if (probe(l, c, i))
			return;
		c->tick = answer_tick(l, l->ran_ns - (idle - 1) * CLIENT_TICK_NS) % CLIENT_TICKS;
		c->tries = 1;
	}
	if (c->tries != 0)
		idle = client_idle(c, answer_tick(l, l->ran_ns));
	if (idle > l->answer_units)
		give_up(l, c, i);
}

static void look_at(struct load *l, struct client *c, uint32_t i)
{
	/* 256 ms, 512 ms, 1 s, then 1.5 s, in ticks */
	static const uint8_t patience[CLIENT_TRIES + 1] = {4, 8, 16, 24, 24, 24, 24, 24};
	uint32_t idle = client_idle(c, l->tick);

	if (c->una != c->nxt) {
		if (idle >= patience[c->tries])
			time_out(l, c, i);
	} else if (l->answer_units != 0 && awaits(l, c, i)) {
		await(l, c, i, idle);
	} else if (idle >= QUIET_TICKS) {
		probe(l, c, i);
	}
}

void client_timers(struct load *l, uint64_t elapsed_ns)
{
	/* a large table is scanned once per second */
	uint64_t pass = l->nb_clients > 1000000 ? LOAD_SECOND_NS : SCAN_NS;
	uint64_t n = l->nb_clients * RTE_MIN(elapsed_ns, pass) / pass + 1;
	struct client *c;

	if (l->nb_slow > 0)
		slow_timers(l, elapsed_ns);
	while (n-- > 0 && out_backlog(&l->out) < OUT_HIGH) {
		c = &l->clients[l->scan];
		if (c->state == CLIENT_AGAIN)
			open_again(l, c, l->scan);
		else if (!client_is_gone(c))
			look_at(l, c, l->scan);
		if (l->senders != NULL)
			mend_timer(l, c, l->scan);
		if (++l->scan == l->nb_clients)
			l->scan = 0;
	}
}

/* Whether something is still expected, and soon. */
static bool is_waiting(const struct load *l, const struct client *c)
{
	switch (c->state) {
	case CLIENT_OPEN:
		return client_waits(c) && l->plan != &plan_bulk &&
		       !is_slow(l, (uint32_t)(c - l->clients));
	case CLIENT_SYN_SENT:
	case CLIENT_FIN_WAIT:
	case CLIENT_LAST_ACK:
		return true;
	default:
		return false;
	}
}

bool client_settled(struct load *l)
{
	for (uint32_t k = 0; k < SETTLE_BURST && l->next_ask < l->nb_clients; k++, l->next_ask++)
		if (is_waiting(l, &l->clients[l->next_ask]))
			return false;
	return l->next_ask == l->nb_clients;
}

void client_judge(struct load *l)
{
	for (uint32_t i = 0; i < l->nb_clients; i++)
		l->faults.stuck += is_waiting(l, &l->clients[i]);
}
