/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: struct lease is a worker's part, struct lease_board what they share: for each port,
 * VLANs included, its DHCP and DHCPv6 state, under a sequence lock: a number that is odd while the
 * writer writes, and that readers check before and after.  There is one writer, and no one waits.
 *
 * With run.leases, the first worker notes what is leased in a file (recall.h), and asks for that at
 * the next start.
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
#include <percore/dhcp6.h>
#include <percore/socket.h>

#include "recall.h"
#include "reporter.h"
#include "worker.h"

#define NAMES_STRLEN (PC_DHCP6_SERVERS * (PC_ADDR_STRLEN + 2))

/* how long the first worker goes on after releasing the leases */
#define PARTING_NS  200000000
#define PATIENCE_NS UINT64_C(2000000000) /* how long the others wait for it */

struct lease_slot {
	uint32_t number; /* odd while it is written; atomic */
	bool leased, informed;
	struct pc_dhcp_lease lease;
	struct pc_dhcp6_info info;
};

struct lease_board {
	struct lease_slot slot[PC_MAX_PORTS];
	bool parted; /* the leases have been given back; atomic */
};

/** What a port of a stack uses at present. */
struct lease_port {
	struct pc_dhcp *client; /* only on the first worker, as client6 */
	struct pc_dhcp6 *client6;
	uint32_t number, number6; /* of the clients; the other workers store the slot's in number */
	bool leased, informed;
	struct pc_dhcp_lease lease;
	struct pc_dhcp6_info info;
};

struct lease {
	struct recall recall; /* only on the first worker, with run.leases */
	bool forgets;         /* the file could not be written, and that was reported */
	struct lease_port port[PC_MAX_PORTS];
};

static unsigned nb_ports(const struct worker *w)
{
	return w->run->nb_ports + w->run->nb_vlans;
}

static bool wants_dhcp(const struct run *r, unsigned port)
{
	for (unsigned i = 0; i < r->s->nb_addrs; i++)
		if (r->s->addrs[i].dhcp && setup_port_of(r, &r->s->addrs[i]) == port)
			return true;
	return false;
}

/* Says whether a port uses IPv6: has an IPv6 address, or gets them from routers' prefixes. */
static bool wants_dhcp6(const struct run *r, unsigned port)
{
	for (unsigned i = 0; r->s->run.ip6_dhcp != 0 && i < r->s->nb_addrs; i++) {
		const struct run_addr *a = &r->s->addrs[i];

		if (!a->dhcp && setup_port_of(r, a) == port &&
		    (a->prefix.len == 0 || !pc_addr_is_ip4(&a->prefix.addr)))
			return true;
	}
	return false;
}

static void say(const struct worker *w, unsigned port, const struct pc_dhcp_lease *l)
{
	char addr[PC_PREFIX_STRLEN], server[PC_ADDR_STRLEN];

	if (l == NULL)
		reporter_say(STDOUT_FILENO, "%s: port %u: lease expired, address removed\n",
		             w->run->app->name, port);
	else
		reporter_say(STDOUT_FILENO, "%s: port %u: leased %s from %s for %" PRIu32 " s\n",
		             w->run->app->name, port, pc_prefix_format(&l->addr, addr),
		             pc_addr_format(&l->server, server), l->lease_s);
}

/* Reports which addresses are leased now, and which are lost. */
static void say_addrs6(const struct worker *w, unsigned port, const struct pc_dhcp6_info *old,
                       const struct pc_dhcp6_info *info, uint64_t now_ns)
{
	char addr[PC_ADDR_STRLEN], server[PC_ADDR_STRLEN], time[40];

	for (unsigned i = 0; i < old->nb_addrs; i++)
		if (!pc_dhcp6_has(info, &old->addr[i].addr))
			reporter_say(STDOUT_FILENO, "%s: port %u: lease of %s expired\n",
			             w->run->app->name, port,
			             pc_addr_format(&old->addr[i].addr, addr));
	for (unsigned i = 0; i < info->nb_addrs; i++) {
		const struct pc_dhcp6_addr *a = &info->addr[i];

		if (pc_dhcp6_has(old, &a->addr))
			continue;
		snprintf(time, sizeof(time), " for %" PRIu64 " s",
		         (a->valid_ns - now_ns) / 1000000000);
		reporter_say(STDOUT_FILENO, "%s: port %u: leased %s from %s%s\n", w->run->app->name,
		             port, pc_addr_format(&a->addr, addr),
		             pc_addr_format(&info->server, server),
		             a->valid_ns != UINT64_MAX ? time : "");
	}
}

static void say_servers6(const struct worker *w, unsigned port, const struct pc_dhcp6_info *info)
{
	char addr[PC_ADDR_STRLEN], list[NAMES_STRLEN] = "";
	int n = 0;

	for (unsigned i = 0; i < info->nb_dns && n < NAMES_STRLEN; i++)
		n += snprintf(list + n, sizeof(list) - (size_t)n, "%s%s", i == 0 ? ": " : ", ",
		              pc_addr_format(&info->dns[i], addr));
	reporter_say(STDOUT_FILENO, "%s: port %u: %s announced %u name servers%s\n",
	             w->run->app->name, port, pc_addr_format(&info->server, addr), info->nb_dns,
	             list);
}

/* Reports what a server has told, unless it is the same as before. */
static void say6(const struct worker *w, unsigned port, const struct lease_port *p,
                 const struct pc_dhcp6_info *info, uint64_t now_ns)
{
	const struct pc_dhcp6_info *old = &p->info;

	if (!p->informed || old->nb_dns != info->nb_dns ||
	    memcmp(old->dns, info->dns, info->nb_dns * sizeof(info->dns[0])) != 0)
		say_servers6(w, port, info);
	say_addrs6(w, port, old, info, now_ns);
}

/* ---- the first worker ------------------------------------------------------------------------ */

/* Called before the lease is announced: then hosts may send to the address, and so to any lcore. */
static void publish(struct lease_slot *slot, const struct lease_port *p)
{
	__atomic_fetch_add(&slot->number, 1, __ATOMIC_ACQ_REL);
	slot->leased = p->leased;
	slot->informed = p->informed;
	slot->lease = p->lease;
	slot->info = p->info;
	__atomic_fetch_add(&slot->number, 1, __ATOMIC_RELEASE);
}

static int write_recall(struct worker *w)
{
	return recall_write(w->run->s->leases, &w->lease->recall);
}

/* Records a port's lease in the file, or its end. */
static void remember(struct worker *w, unsigned i)
{
	const struct lease_port *p = &w->lease->port[i];
	const int64_t now_s = (int64_t)(clock_time_of_day() / 1000000000);
	struct recall_lease l = {.port = i, .addr = p->lease.addr.addr, .until_s = now_s};

	if (w->run->s->leases[0] == '\0')
		return;
	if (p->leased)
		l.until_s = p->lease.lease_s == UINT32_MAX ? INT64_MAX : now_s + p->lease.lease_s;
	memcpy(l.mac, w->ports[i]->info.mac, sizeof(l.mac));
	recall_set(&w->lease->recall, &l);
	if (write_recall(w) == 0) {
		w->lease->forgets = false;
		return;
	}
	if (!w->lease->forgets)
		reporter_say(STDERR_FILENO, "%s: run.leases: cannot write %s: %s\n",
		             w->run->app->name, w->run->s->leases, strerror(errno));
	w->lease->forgets = true;
}

static void ask(struct worker *w, unsigned i, uint64_t now_ns)
{
	struct lease_port *p = &w->lease->port[i];
	struct pc_dhcp_lease lease = {0};
	uint32_t number;
	bool is_news;

	if (p->client == NULL)
		return;
	pc_dhcp_turn(p->client, now_ns);
	number = pc_dhcp_get_lease(p->client, &lease);
	if (number == p->number)
		return;
	is_news =
	    number == 0 || !p->leased || !pc_addr_equal(&lease.addr.addr, &p->lease.addr.addr);
	p->number = number;
	p->leased = number != 0;
	if (p->leased)
		p->lease = lease;
	publish(&w->run->board->slot[i], p);
	if (is_news)
		say(w, i, p->leased ? &lease : NULL);
	remember(w, i);
}

static void ask6(struct worker *w, unsigned i, uint64_t now_ns)
{
	struct lease_port *p = &w->lease->port[i], old;
	struct pc_dhcp6_info info;
	uint32_t number;

	if (p->client6 == NULL)
		return;
	pc_dhcp6_turn(p->client6, now_ns);
	number = pc_dhcp6_get_info(p->client6, &info);
	if (number == p->number6)
		return;
	old = *p;
	p->number6 = number;
	p->informed = true;
	p->info = info;
	publish(&w->run->board->slot[i], p);
	say6(w, i, &old, &info, now_ns);
}

/* ---- the others ------------------------------------------------------------------------------ */

static void follow(struct worker *w, unsigned i)
{
	const struct lease_slot *slot = &w->run->board->slot[i];
	struct lease_port *p = &w->lease->port[i], next;
	const uint32_t number = __atomic_load_n(&slot->number, __ATOMIC_ACQUIRE);

	if (number == p->number || number % 2 != 0)
		return;
	next = (struct lease_port){.number = number,
	                           .leased = slot->leased,
	                           .informed = slot->informed,
	                           .lease = slot->lease,
	                           .info = slot->info};
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->number, __ATOMIC_RELAXED) != number)
		return; /* changed while it was being read: next turn */
	if (pc_dhcp_apply(w->st, (int)i, p->leased ? &p->lease : NULL,
	                  next.leased ? &next.lease : NULL) != 0)
		reporter_say(STDERR_FILENO,
		             "%s: lcore %u cannot use the leased addresses of port %u: %s\n",
		             w->run->app->name, w->lcore, i, strerror(errno));
	if (pc_dhcp6_apply(w->st, (int)i, &p->info, &next.info) != 0)
		reporter_say(STDERR_FILENO,
		             "%s: lcore %u cannot use the leased addresses of port %u: %s\n",
		             w->run->app->name, w->lcore, i, strerror(errno));
	*p = next;
}

/* ---- all ------------------------------------------------------------------------------------- */

static void recall(struct worker *w, unsigned i)
{
	const struct recall_lease *known = recall_find(&w->lease->recall, i, w->ports[i]->info.mac);
	const int64_t now_s = (int64_t)(clock_time_of_day() / 1000000000);
	const struct pc_addr none = pc_addr_ip4(0);

	pc_dhcp_remember(w->lease->port[i].client, known != NULL ? &known->addr : &none,
	                 known != NULL && known->until_s > now_s);
}

static int start_dhcp(struct worker *w, unsigned i)
{
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	w->lease->port[i].client = pc_dhcp_create(w->st, (int)i, host);
	if (w->lease->port[i].client == NULL)
		return -1;
	if (w->run->s->leases[0] != '\0')
		recall(w, i);
	return 0;
}

/* The file is written at once, so that an error is reported at startup. */
static int open_recall(struct worker *w)
{
	const char *path = w->run->s->leases;

	if (w->index != 0 || path[0] == '\0')
		return 0;
	if (recall_read(path, &w->lease->recall) == 0 && write_recall(w) == 0)
		return 0;
	snprintf(w->why, sizeof(w->why), "run.leases: cannot use %.160s: %s", path,
	         strerror(errno));
	return -1;
}

static int start_dhcp6(struct worker *w, unsigned i)
{
	const enum pc_dhcp6_mode mode = (enum pc_dhcp6_mode)w->run->s->run.ip6_dhcp;

	w->lease->port[i].client6 = pc_dhcp6_create(w->st, (int)i, mode);
	return w->lease->port[i].client6 != NULL ? 0 : -1;
}

int lease_start(struct worker *w)
{
	for (unsigned i = 0; i < nb_ports(w); i++) {
		const bool dhcp = wants_dhcp(w->run, i), dhcp6 = wants_dhcp6(w->run, i);

		if (!dhcp && !dhcp6)
			continue;
		if (w->lease == NULL &&
		    ((w->lease = calloc(1, sizeof(*w->lease))) == NULL || open_recall(w) != 0))
			return -1;
		if (w->index == 0 &&
		    ((dhcp && start_dhcp(w, i) != 0) || (dhcp6 && start_dhcp6(w, i) != 0)))
			return -1;
	}
	return 0;
}

void lease_turn(struct worker *w, uint64_t now_ns)
{
	if (likely(w->lease == NULL))
		return;
	for (unsigned i = 0; i < nb_ports(w); i++) {
		if (w->index != 0) {
			follow(w, i);
			continue;
		}
		ask(w, i, now_ns);
		ask6(w, i, now_ns);
	}
}

/* Keeps going until the releases have been sent: the server's MAC address may have to be resolved
 * first, and the reply may arrive on another worker's queue. */
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
	bool leases = false;

	if (w->lease == NULL)
		return;
	for (unsigned i = 0; i < nb_ports(w); i++) {
		pc_dhcp_destroy(w->lease->port[i].client);
		pc_dhcp6_destroy(w->lease->port[i].client6);
		leases |= wants_dhcp(w->run, i) || w->lease->port[i].info.nb_addrs > 0;
	}
	if (leases)
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
