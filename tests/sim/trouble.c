/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>

/*
 * Overview: what happens to machines and networks, each thing once, at its time:
 *
 *   STOP      a machine does nothing for a while (a debugger, a hypervisor); frames wait for it
 *   REBOOT    a machine dies with all its state; frames to it are lost; then it boots
 *   JUMP      a machine's clock jumps ahead, as after a suspend
 *   HUNGER    a machine's mbuf pool is empty for a while
 *   WEATHER   a network changes: losses, delays, rates, MTU
 *   BLACKOUT  a network carries nothing for a while
 */

static void begin_hunger(struct sim *s, struct node *node)
{
	uint32_t rest = (uint32_t)sim_rnd(s, 0, 40);

	if (s->nb_eaten > 0)
		return;
	s->eaten_from = node->pool;
	while (rte_mempool_avail_count(node->pool) > rest &&
	       rte_mempool_get(node->pool, &s->eaten[s->nb_eaten]) == 0)
		s->nb_eaten++;
}

static void end_hunger(struct sim *s)
{
	if (s->nb_eaten > 0)
		rte_mempool_put_bulk(s->eaten_from, s->eaten, s->nb_eaten);
	s->nb_eaten = 0;
}

static void set_net(struct net *net, bool blackout)
{
	for (int e = 0; e < 2; e++) {
		struct pc_fault_config f = net->fault[e];

		if (blackout)
			f.rx_loss_ppm = 1000000;
		pc_port_fault_set(net->faulty[e], &f);
	}
}

static void change_weather(struct net *net)
{
	for (int e = 0; e < 2; e++) {
		struct pc_fault_config old = net->fault[e];

		net->fault[e] = net->later[e];
		net->later[e] = old;
	}
	set_net(net, false);
}

static void begin(struct sim *s, struct trouble *t)
{
	struct node *node = &s->node[t->node];

	t->begun = true;
	switch (t->kind) {
	case STOP:
		node->still_till = RTE_MAX(node->still_till, s->now + t->lasts);
		break;
	case REBOOT:
		if (node->st != NULL)
			node_die(s, t->node);
		node->still_till = RTE_MAX(node->still_till, s->now + t->lasts);
		break;
	case JUMP:
		node->ahead += t->lasts;
		break;
	case HUNGER:
		begin_hunger(s, node);
		break;
	case WEATHER:
		change_weather(&s->net[t->net]);
		break;
	default:
		set_net(&s->net[t->net], true);
	}
}

static void end(struct sim *s, struct trouble *t)
{
	t->over = true;
	if (t->kind == HUNGER)
		end_hunger(s);
	else if (t->kind == BLACKOUT)
		set_net(&s->net[t->net], false);
	else if (t->kind == REBOOT && s->node[t->node].st == NULL &&
	         s->now >= s->node[t->node].still_till)
		node_boot(s, t->node);
}

/* Drops the frames sent to a machine without a stack. */
static void drop_frames(struct sim *s, int n)
{
	struct rte_mbuf *m[32];
	uint16_t got;

	for (int i = 0; i < SIM_LINKS; i++) {
		struct pc_port *p = n == SERVER          ? s->net[i].port[1]
		                    : i == (n == SECOND) ? s->net[i].port[0]
		                                         : NULL;

		while (p != NULL &&
		       (got = p->ops->rx_burst(p, m, 32, s->now + s->node[n].ahead)) > 0)
			rte_pktmbuf_free_bulk(m, got);
	}
}

void trouble_turn(struct sim *s)
{
	for (unsigned i = 0; i < s->nb_troubles; i++) {
		struct trouble *t = &s->trouble[i];

		if (!t->begun && s->now >= t->at)
			begin(s, t);
		else if (t->begun && !t->over && s->now >= t->at + t->lasts)
			end(s, t);
	}
	for (int n = 0; n < SIM_NODES; n++) {
		if (!s->node[n].exists || s->node[n].st != NULL)
			continue;
		if (s->now >= s->node[n].still_till)
			node_boot(s, n);
		else
			drop_frames(s, n);
	}
}

uint64_t trouble_next(const struct sim *s)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < s->nb_troubles; i++) {
		const struct trouble *t = &s->trouble[i];

		if (!t->over)
			next = RTE_MIN(next, t->begun ? t->at + t->lasts : t->at);
	}
	for (int n = 0; n < SIM_NODES; n++)
		if (s->node[n].still_till > s->now)
			next = RTE_MIN(next, s->node[n].still_till);
	return next;
}
