/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: struct lease is a worker's part, struct lease_board what they share: for each port a lease with
 * a number before and behind it, which the writer makes odd while it writes (a sequence lock). One writes,
 * and nobody waits for the others.
 *
 * Ownership: each worker frees its part; the board is of the run.
 */
#include "lease.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <percore/dhcp.h>
#include <percore/socket.h>

#include "worker.h"

#define PARTING_NS  200000000            /* turns that are made after the leases are given back */
#define PATIENCE_NS UINT64_C(2000000000) /* how long others wait for the worker that makes them */

struct lease_slot {
	uint32_t number; /* odd while it is written; atomic */
	bool leased;
	struct pc_dhcp_lease lease;
};

struct lease_board {
	struct lease_slot slot[PC_MAX_PORTS];
	bool parted; /* the leases have been given back; atomic */
};

struct lease_port {
	struct pc_dhcp *client; /* of the first worker */
	uint32_t number;        /* of what is in force */
	bool leased;
	struct pc_dhcp_lease lease;
};

struct lease {
	struct lease_port port[PC_MAX_PORTS];
};

static bool wants_dhcp(const struct run *r, unsigned port)
{
	for (unsigned i = 0; i < r->s->nb_addrs; i++)
		if (r->s->addrs[i].dhcp && r->s->addrs[i].port == port)
			return true;
	return false;
}

static void say(const struct worker *w, unsigned port, const struct pc_dhcp_lease *l)
{
	char addr[PC_PREFIX_STRLEN], server[PC_ADDR_STRLEN];

	if (l == NULL)
		printf("%s: port %u has lost its address: the lease is over\n", w->run->app->name,
		       port);
	else
		printf("%s: port %u has leased %s from %s for %" PRIu32 " s\n", w->run->app->name,
		       port, pc_prefix_format(&l->addr, addr), pc_addr_format(&l->server, server),
		       l->lease_s);
	fflush(stdout);
}

/* ---- the first worker ------------------------------------------------------------------------ */

static void publish(struct lease_slot *slot, const struct pc_dhcp_lease *l)
{
	__atomic_fetch_add(&slot->number, 1, __ATOMIC_ACQ_REL);
	slot->leased = l != NULL;
	if (l != NULL)
		slot->lease = *l;
	__atomic_fetch_add(&slot->number, 1, __ATOMIC_RELEASE);
}

static void ask(struct worker *w, unsigned i, uint64_t now_ns)
{
	struct lease_port *p = &w->lease->port[i];
	struct pc_dhcp_lease lease = {0};
	uint32_t number;

	pc_dhcp_turn(p->client, now_ns);
	number = pc_dhcp_get_lease(p->client, &lease);
	if (number == p->number)
		return;
	if (number == 0 || !p->leased || !pc_addr_equal(&lease.addr.addr, &p->lease.addr.addr))
		say(w, i, number != 0 ? &lease : NULL);
	p->number = number;
	p->leased = number != 0;
	p->lease = lease;
	publish(&w->run->board->slot[i], number != 0 ? &lease : NULL);
}

/* ---- the others ------------------------------------------------------------------------------ */

static void follow(struct worker *w, unsigned i)
{
	const struct lease_slot *slot = &w->run->board->slot[i];
	struct lease_port *p = &w->lease->port[i];
	const uint32_t number = __atomic_load_n(&slot->number, __ATOMIC_ACQUIRE);
	struct pc_dhcp_lease lease = {0};
	bool leased;

	if (number == p->number || number % 2 != 0)
		return;
	leased = slot->leased;
	if (leased)
		memcpy(&lease, &slot->lease, sizeof(lease));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->number, __ATOMIC_RELAXED) != number)
		return; /* it has changed meanwhile: next turn */
	if (pc_dhcp_apply(w->st, (int)i, p->leased ? &p->lease : NULL, leased ? &lease : NULL) != 0)
		fprintf(stderr, "%s: lcore %u cannot use what port %u has leased: %s\n",
		        w->run->app->name, w->lcore, i, strerror(errno));
	p->number = number;
	p->leased = leased;
	p->lease = lease;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int start_port(struct worker *w, unsigned i)
{
	char host[64] = "";

	if (w->index != 0)
		return 0;
	gethostname(host, sizeof(host) - 1);
	w->lease->port[i].client = pc_dhcp_create(w->st, (int)i, host);
	return w->lease->port[i].client != NULL ? 0 : -1;
}

int lease_start(struct worker *w)
{
	for (unsigned i = 0; i < w->run->nb_ports; i++) {
		if (!wants_dhcp(w->run, i))
			continue;
		if (w->lease == NULL)
			w->lease = calloc(1, sizeof(*w->lease));
		if (w->lease == NULL || start_port(w, i) != 0)
			return -1;
	}
	return 0;
}

void lease_turn(struct worker *w, uint64_t now_ns)
{
	if (likely(w->lease == NULL))
		return;
	for (unsigned i = 0; i < w->run->nb_ports; i++) {
		if (w->index != 0)
			follow(w, i);
		else if (w->lease->port[i].client != NULL)
			ask(w, i, now_ns);
	}
}

/* Lets what is given back go out: the server's MAC address may have to be asked for first, and the answer may come to
 * another worker's queue. */
static void part(struct worker *w)
{
	const uint64_t end = clock_now(&w->run->clock) + (w->index == 0 ? PARTING_NS : PATIENCE_NS);
	bool *parted = &w->run->board->parted;
	uint64_t now;

	do {
		now = clock_now(&w->run->clock);
		pc_stack_flush(w->st, now);
		pc_stack_poll(w->st, now);
	} while (now < end && !__atomic_load_n(parted, __ATOMIC_ACQUIRE));
	if (w->index == 0)
		__atomic_store_n(parted, true, __ATOMIC_RELEASE);
}

void lease_stop(struct worker *w)
{
	if (w->lease == NULL)
		return;
	for (unsigned i = 0; i < w->run->nb_ports; i++)
		pc_dhcp_destroy(w->lease->port[i].client);
	part(w);
	free(w->lease);
	w->lease = NULL;
}

int lease_prepare(struct run *r)
{
	r->board = calloc(1, sizeof(*r->board));
	return r->board != NULL ? 0 : -1;
}

void lease_free(struct run *r)
{
	free(r->board);
}
