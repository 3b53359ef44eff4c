/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: when connections are opened, used and closed.
 *
 * Closed loop: each answer causes the next request on its connection.  With more requests in flight
 * than the rings between client and server hold, connections take turns instead, as the port has
 * room.
 *
 * Open loop: request k of all is due at the k-th multiple of a fixed interval and belongs to
 * connection k mod conns, whatever has been answered so far.  Its latency counts from when it was
 * due, so that delays of the server also show where they kept a request from being sent
 * (coordinated omission).  A connection that is still waiting when it is due again owes a request
 * and sends it as soon as it can.
 */
#include <math.h>

#include <rte_prefetch.h>

#include "slow.h"
#include "tcp.h"

#define PLAN_BURST  64u
#define TURN_BURST  256u
#define TURN_AHEAD  8u
#define NO_STAMP_NS 64

/* Returns how many events are due at a rate after elapsed_ns. */
static uint64_t requests_due(uint64_t rate, uint64_t elapsed_ns)
{
	return (uint64_t)((unsigned __int128)elapsed_ns * rate / LOAD_SECOND_NS);
}

uint64_t plan_due(const struct load *l)
{
	uint64_t burst = l->config->burst, n = requests_due(l->config->rate, l->now - l->pace_from);

	return burst == 1 ? n : (n / burst + 1) * burst;
}

uint64_t plan_due_ns(const struct load *l, uint64_t k)
{
	uint64_t burst = l->config->burst;

	k = burst == 1 ? k : k / burst * burst;
	return l->pace_from + (uint64_t)((unsigned __int128)k * LOAD_SECOND_NS / l->config->rate);
}

/* ---- steady: connections stay ----------------------------------------------------------------- */

/* Sends the first requests; answers cause the rest. */
static void kick(struct load *l)
{
	for (; l->next_ask < l->nb_busy && out_backlog(&l->out) < LOAD_DIRECT; l->next_ask++) {
		uint32_t i = busy_nth(l, l->next_ask);

		if (l->clients[i].state == CLIENT_OPEN)
			l->talk->send(l, &l->clients[i], i, false);
	}
}

static void take_turns(struct load *l)
{
	for (uint32_t k = 0; k < TURN_BURST && out_backlog(&l->out) < TURN_BURST; k++) {
		uint32_t i = busy_nth(l, l->next_ask);
		struct client *c = &l->clients[i];

		rte_prefetch0(&l->clients[busy_nth(l, l->next_ask + TURN_AHEAD)]);
		if (c->state == CLIENT_OPEN)
			l->talk->send(l, c, i, false);
		if (++l->next_ask == l->nb_busy)
			l->next_ask = 0;
	}
}

/* The time, as a stamp, at which request k is due. */
static uint32_t due_stamp(const struct load *l, uint64_t k)
{
	return (uint32_t)(plan_due_ns(l, k) / NO_STAMP_NS);
}

static void pace_plan(struct load *l)
{
	uint64_t want = plan_due(l);

	for (uint32_t k = 0; k < PLAN_BURST && l->paced < want; k++, l->paced++) {
		uint32_t i = busy_nth(l, (uint32_t)(l->paced % l->nb_busy));
		struct client *c = &l->clients[i];

		if (c->state == CLIENT_OPEN && !client_waits(c) && c->wait == 0) {
			c->stamp = due_stamp(l, l->paced);
			l->talk->send(l, c, i, false);
		} else if (c->wait < CLIENT_WAIT_MAX) {
			c->wait = (c->wait + 1u) & CLIENT_WAIT_MAX;
		} else {
			l->n.overrun++;
		}
	}
}

static void steady_step(struct load *l)
{
	if (l->nb_slow > 0)
		slow_ask(l);
	if (l->config->rate > 0)
		pace_plan(l);
	else if (l->turns)
		take_turns(l);
	else
		kick(l);
}

/*
 * The next request of an open loop that is overdue, if there is one. Returns whether it was sent.
 */
static bool send_overdue(struct load *l, struct client *c, uint32_t i)
{
	if (c->wait == 0 || !l->asking)
		return false;
	c->wait = (c->wait - 1u) & CLIENT_WAIT_MAX;
	c->stamp += (uint32_t)(l->period_ns / NO_STAMP_NS);
	return l->talk->send(l, c, i, false);
}

/* Records the latency of the timed request: it has waited until now, at least. */
static void note_wait(struct load *l, const struct client *c)
{
	hist_add(&l->latency, (uint64_t)(l->stamp - c->stamp) << 6);
}

void plan_note_unsent(struct load *l, struct client *c)
{
	for (; c->wait > 0; c->wait = (c->wait - 1u) & CLIENT_WAIT_MAX) {
		c->stamp += (uint32_t)(l->period_ns / NO_STAMP_NS);
		note_wait(l, c);
	}
}

/* Handles an answer in an open loop: records its latency and sends overdue requests. */
static bool paced_answer(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	if (n == 0)
		return false;
	if (l->timing)
		note_wait(l, c);
	if (l->timing && !l->asking)
		plan_note_unsent(l, c);
	return send_overdue(l, c, i);
}

static bool steady_answered(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	if (l->period_ns > 0)
		return paced_answer(l, c, i, n);
	return l->asking && !l->turns && l->talk->send(l, c, i, false);
}

void plan_resume(struct load *l, struct client *c, uint32_t i)
{
	if (l->plan == &plan_steady && l->period_ns != 0)
		send_overdue(l, c, i);
	else if (l->plan == &plan_steady && !l->turns)
		l->talk->send(l, c, i, false);
}

const struct plan plan_steady = {
    .opens_first = true,
    .step = steady_step,
    .answered = steady_answered,
};

/* ---- hold: many connections, few of them busy -------------------------------------------------- */

/*
 * Chooses a connection. Popularity by rank follows Zipf's law, by inverting the continuous
 * distribution; ranks are scattered over the table.
 */
static uint32_t choose(struct load *l)
{
	uint32_t n = (uint32_t)l->config->conns;
	double s = 1 - (double)l->config->skew / 100, u, rank;

	if (l->config->skew == 0)
		return load_random(l, n);
	u = (double)load_random(l, UINT32_MAX) / UINT32_MAX;
	rank = fabs(s) < 1e-6 ? pow((double)n + 1, u)
	                      : pow(1 + u * (pow((double)n + 1, s) - 1), 1 / s);
	return (uint32_t)((uint64_t)RTE_MIN((uint32_t)rank - 1, n - 1) * 2654435761u % n);
}

static void hold_step(struct load *l)
{
	uint64_t want = requests_due(l->config->sample, l->now - l->pace_from);

	for (uint32_t k = 0; k < PLAN_BURST && l->paced < want; k++, l->paced++)
		if (client_ask(l, choose(l)))
			l->asked++;
		else
			l->n.overrun++;
}

static bool hold_answered(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	(void)l;
	(void)c;
	(void)i;
	(void)n;
	return false;
}

const struct plan plan_hold = {
    .opens_first = true,
    .step = hold_step,
    .answered = hold_answered,
};

/* ---- connrate: connections that live for one request ------------------------------------------- */

static bool may_open(const struct load *l)
{
	return l->active < l->config->conns && out_backlog(&l->out) < OUT_HIGH &&
	       (l->config->rate == 0 || l->opened_paced < plan_due(l));
}

static void connrate_step(struct load *l)
{
	for (uint32_t k = 0; k < PLAN_BURST && may_open(l); k++) {
		uint32_t i = l->next_open;
		struct client *c = &l->clients[i];

		if (++l->next_open == l->nb_clients)
			l->next_open = 0;
		if (!client_is_gone(c))
			continue;
		client_open(l, i);
		if (l->config->rate > 0)
			c->stamp = due_stamp(l, l->opened_paced);
		l->opened_paced++;
	}
}

static bool connrate_answered(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	if (n == 0 || l->config->close != 0)
		return false;
	client_close(l, c, i);
	return true;
}

const struct plan plan_connrate = {
    .step = connrate_step,
    .answered = connrate_answered,
};

/* ---- bulk: one direction, as fast as it goes ---------------------------------------------------- */

static bool bulk_answered(struct load *l, struct client *c, uint32_t i, uint32_t n)
{
	(void)l;
	(void)c;
	(void)i;
	(void)n;
	return false;
}

static void bulk_step(struct load *l)
{
	struct client *c = &l->clients[l->next_ask];

	/* acknowledgements trigger the rest; this is for the first bytes, and after a full queue */
	if (c->state == CLIENT_OPEN)
		l->talk->send(l, c, l->next_ask, false);
	if (++l->next_ask >= l->config->conns)
		l->next_ask = 0;
}

const struct plan plan_bulk = {
    .opens_first = true,
    .step = bulk_step,
    .answered = bulk_answered,
};
