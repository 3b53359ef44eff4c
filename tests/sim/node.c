/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mempool.h>

#include "eal.h"

/*
 * Overview: machines and the networks between them. The server has a port in each network, the
 * clients have one each.
 *
 * Ownership: the ports outlive a machine's stack: frames in flight reach the machine after it has
 * rebooted.
 */

static const char *const addresses[SIM_LINKS][2] = {{"10.0.0.1/24", "10.0.0.2/24"},
                                                    {"10.0.1.1/24", "10.0.1.2/24"}};

static bool open_end(struct sim *s, struct net *net, int e, struct pc_port *wire, const char *pcap)
{
	struct pc_port *p = pc_port_fault(wire, &net->fault[e]);

	if (p == NULL)
		return sim_fail(s, "pc_port_fault: %s", strerror(errno));
	net->faulty[e] = net->port[e] = p;
	if (s->attacked) {
		p = attack_layer(s, p);
		if (p == NULL)
			return sim_fail(s, "no attacker");
		net->port[e] = p;
	}
	if (pcap == NULL)
		return true;
	p = pc_port_pcap(p, pcap);
	if (p == NULL)
		return sim_fail(s, "%s: %s", pcap, strerror(errno));
	net->port[e] = p;
	return true;
}

static bool open_net(struct sim *s, struct net *net, const char *pcap)
{
	struct pc_wire_config wc = {.pool = s->pool};
	const uint32_t tx = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM;
	struct pc_port *wire[2];

	if (sim_chance(s, 30)) /* never receive offloads: they would hide corruption */
		wc.offloads |= tx;
	if (sim_chance(s, 30))
		wc.offloads |= PC_PORT_TX_MULTI_SEGS;
	if (pc_port_wire(&wc, wire) != 0)
		return sim_fail(s, "no wire");
	if (!open_end(s, net, 0, wire[0], pcap)) {
		pc_port_close(wire[1]);
		return false;
	}
	return open_end(s, net, 1, wire[1], NULL);
}

static bool listen_at(struct sim *s, struct node *node)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = UINT32_MAX};

	s->lfd = pc_socket(node->st, AF_INET, SOCK_STREAM, 0);
	if (s->lfd > 0 && node->cfg.tcp_fastopen != 0)
		pc_setsockopt(node->st, s->lfd, IPPROTO_TCP, TCP_FASTOPEN, &(int){8}, sizeof(int));
	if (s->lfd < 0 || pc_bind(node->st, s->lfd, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	    pc_listen(node->st, s->lfd, s->backlog) != 0 ||
	    pc_epoll_ctl(node->st, node->ep, EPOLL_CTL_ADD, s->lfd, &ev) != 0)
		return sim_fail(s, "cannot listen: %s", strerror(errno));
	return true;
}

static bool attach(struct sim *s, int n, int net, int e)
{
	struct node *node = &s->node[n];
	struct pc_prefix addr;
	int port = pc_stack_add_port(node->st, s->net[net].port[e]);

	pc_prefix_parse(addresses[net][e], &addr);
	if (port < 0 || pc_stack_add_addr(node->st, port, &addr) != 0)
		return sim_fail(s, "port or address refused: %s", strerror(errno));
	return true;
}

bool node_boot(struct sim *s, int n)
{
	struct node *node = &s->node[n];

	node->cfg.stack_seed += 1000003 * node->boots++;
	node->st = pc_stack_create(&node->cfg, node->pool);
	if (node->st == NULL)
		return sim_fail(s, "pc_stack_create: %s", strerror(errno));
	for (int i = 0; i < SIM_LINKS; i++)
		if ((n == SERVER && s->net[i].port[1] != NULL && !attach(s, n, i, 1)) ||
		    (n == (i == 0 ? CLIENT : SECOND) && !attach(s, n, i, 0)))
			return false;
	node->ep = pc_epoll_create(node->st);
	if (node->ep <= 0)
		return sim_fail(s, "pc_epoll_create: %s", strerror(errno));
	return n != SERVER || s->closing || listen_at(s, node);
}

void node_die(struct sim *s, int n)
{
	struct node *node = &s->node[n];

	app_died(s, n);
	pc_stack_destroy(node->st);
	node->st = NULL;
	node->ep = 0;
}

bool node_open(struct sim *s, const char *pcap)
{
	if (!open_net(s, &s->net[0], pcap))
		return false;
	if (s->node[SECOND].exists && !open_net(s, &s->net[1], NULL))
		return false;
	for (int n = 0; n < SIM_NODES; n++)
		if (s->node[n].exists && !node_boot(s, n))
			return false;
	return true;
}

static void check_pool(struct sim *s, struct rte_mempool *pool)
{
	const uint32_t used = eal_in_use(pool);

	/* an mbuf that was freed twice changes the count, unless another one has leaked */
	if ((used != 0 || s->seed % 16 == 0) && eal_freed_twice(pool) != 0)
		sim_fail(s, "mbufs were freed twice");
	if (used != 0)
		sim_fail(s, "%u mbufs of pool %s leaked", used, pool->name);
}

void node_close(struct sim *s)
{
	for (int n = 0; n < SIM_NODES; n++)
		pc_stack_destroy(s->node[n].st);
	for (int i = 0; i < SIM_LINKS; i++)
		for (int e = 0; e < 2; e++)
			pc_port_close(s->net[i].port[e]);
	for (; s->nb_eaten > 0; s->nb_eaten--)
		rte_mempool_put(s->eaten_from, s->eaten[s->nb_eaten - 1]);
	check_pool(s, s->pool);
	for (int n = 0; n < SIM_NODES; n++)
		check_pool(s, s->tiny[n]);
}
