/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of a stack while it runs: percore/control.h. */
#include <percore/control.h>

#include <errno.h>
#include <string.h>

#include "stack/mail.h"
#include "stack/stack.h"

/* ---- routes, addresses, neighbours ----------------------------------------------------------- */

int pc_route_add(struct pc_stack *st, const struct pc_route *route)
{
	return stack_fail(ip_route_add(&st->ip, route));
}

int pc_route_del(struct pc_stack *st, const struct pc_route *route)
{
	return stack_fail(ip_route_del(&st->ip, route));
}

int pc_route_replace(struct pc_stack *st, const struct pc_route *route)
{
	return stack_fail(ip_route_replace(&st->ip, route));
}

unsigned pc_route_list(const struct pc_stack *st, struct pc_route_info *list, unsigned n)
{
	return ip_route_list(&st->ip, list, n);
}

unsigned pc_stack_get_addrs(const struct pc_stack *st, struct pc_stack_addr *list, unsigned n)
{
	const struct netifs *ifs = &st->ip.ifs;
	unsigned found = 0;

	for (uint16_t i = 0; i < ifs->nb_addrs; i++) {
		const struct laddr *la = &ifs->addr[i];

		if (la->state == LADDR_EXPIRED)
			continue;
		if (found < n)
			list[found] = (struct pc_stack_addr){
			    .addr = {.addr = la->addr, .len = la->prefix_len},
			    .port = la->netif,
			    .ready = netifs_is_usable(ifs, i),
			    .autoconf = la->autoconf,
			    .deprecated = la->state == LADDR_DEPRECATED,
			    .tentative = la->state == LADDR_TENTATIVE,
			    .duplicate = la->state == LADDR_DUPLICATE};
		found++;
	}
	return found;
}

static bool is_neighbour(const struct pc_stack *st, int port, const struct pc_addr *addr)
{
	return port >= 0 && port < st->ip.ifs.n && !pc_addr_is_any(addr) &&
	       !pc_addr_is_multicast(addr) && !pc_addr_is_broadcast(addr) &&
	       !pc_addr_is_loopback(addr) && !netifs_has(&st->ip.ifs, addr);
}

int pc_stack_set_neigh(struct pc_stack *st, int port, const struct pc_addr *addr,
                       const uint8_t mac[6])
{
	if (!is_neighbour(st, port, addr) || (mac[0] & 1) != 0)
		return stack_fail(-EINVAL);
	return stack_fail(neigh_set(st->ip.neigh, (uint8_t)port, addr, mac));
}

int pc_stack_del_neigh(struct pc_stack *st, int port, const struct pc_addr *addr)
{
	if (port < 0 || port >= st->ip.ifs.n)
		return stack_fail(-EINVAL);
	return stack_fail(neigh_del(st->ip.neigh, (uint8_t)port, addr));
}

/* ---- changes as values ----------------------------------------------------------------------- */

static struct pc_route route_of(const struct pc_change *c)
{
	return (struct pc_route){.dest = c->prefix,
	                         .gateway = c->addr,
	                         .port = c->port,
	                         .metric = c->metric,
	                         .mtu = c->mtu,
	                         .weight = c->weight};
}

int pc_stack_change(struct pc_stack *st, const struct pc_change *c)
{
	const struct pc_route route = route_of(c);

	switch ((enum pc_change_kind)c->kind) {
	case PC_CHANGE_ADD_ADDR:
		return pc_stack_add_addr(st, c->port, &c->prefix);
	case PC_CHANGE_DEL_ADDR:
		return pc_stack_del_addr(st, c->port, &c->prefix);
	case PC_CHANGE_ADD_ROUTE:
		return pc_route_add(st, &route);
	case PC_CHANGE_DEL_ROUTE:
		return pc_route_del(st, &route);
	case PC_CHANGE_REPLACE_ROUTE:
		return pc_route_replace(st, &route);
	case PC_CHANGE_DENY:
		return pc_stack_deny(st, &c->prefix);
	case PC_CHANGE_ALLOW:
		return pc_stack_allow(st, &c->prefix);
	case PC_CHANGE_SET_MTU:
		return pc_stack_set_mtu(st, c->port, c->mtu);
	case PC_CHANGE_SET_NEIGH:
		return pc_stack_set_neigh(st, c->port, &c->addr, c->mac);
	case PC_CHANGE_DEL_NEIGH:
		return pc_stack_del_neigh(st, c->port, &c->addr);
	}
	return stack_fail(-EINVAL);
}

/* ---- from other threads ---------------------------------------------------------------------- */

uint64_t pc_stack_post(struct pc_stack *st, int (*call)(struct pc_stack *st, const void *data),
                       const void *data, size_t len)
{
	return mail_post(st->mail, call, data, len);
}

bool pc_stack_posted(const struct pc_stack *st, uint64_t ticket, int *result)
{
	return mail_posted(st->mail, ticket, result);
}

static int make_change(struct pc_stack *st, const void *data)
{
	const int rc = pc_stack_change(st, data) == 0 ? 0 : -errno;

	ctx_count(&st->ctx, rc == 0 ? PC_CHANGES : PC_CHANGES_REFUSED);
	return rc;
}

static_assert(sizeof(struct pc_change) <= PC_POST_MAX, "a change can be posted");

uint64_t pc_stack_post_change(struct pc_stack *st, const struct pc_change *change)
{
	return pc_stack_post(st, make_change, change, sizeof(*change));
}
