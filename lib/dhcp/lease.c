/* SPDX-License-Identifier: BSD-2-Clause */

/* Configures a stack with a lease: address, routes, MTU, name servers, search list; see
 * percore/dhcp.h. */

#include <percore/dhcp.h>

#include <errno.h>
#include <string.h>

#include <percore/control.h>

#include "dhcp/search.h"
#include "stack/stack.h"

/* Without a search list, the host's own domain is searched. */
static const char *search_of(const struct pc_dhcp_lease *l)
{
	return l->search[0] != '\0' ? l->search : l->domain;
}

/* RFC 3442: gateway 0.0.0.0 means that the network is on the link. */
static struct pc_route route_of(const struct pc_dhcp_route *told, int port)
{
	struct pc_route r = {.dest = told->dest, .gateway = told->gateway, .port = port};

	if (pc_addr_get_ip4(&r.gateway) == 0)
		r.gateway = (struct pc_addr){0};
	return r;
}

/* Deletes the routes of a lease; some would not be deleted with the address. */
static void del_routes(struct pc_stack *st, int port, const struct pc_dhcp_lease *l)
{
	for (unsigned i = l->nb_routes; i > 0; i--) {
		const struct pc_route r = route_of(&l->route[i - 1], port);

		pc_route_del(st, &r);
	}
}

/* keeps: the address stays, as connections and other routes need it */
static void take_back(struct pc_stack *st, int port, const struct pc_dhcp_lease *l, bool keeps)
{
	del_routes(st, port, l);
	if (!keeps)
		pc_stack_del_addr(st, port, &l->addr); /* and the other routes through it */
	for (unsigned i = 0; i < l->nb_dns; i++)
		pc_stack_del_dns(st, &l->dns[i]);
	search_each(st, search_of(l), pc_stack_del_search);
	if (l->mtu != 0)
		pc_stack_set_mtu(st, port, 0);
}

static bool is_same_network(const struct pc_prefix *a, const struct pc_prefix *b)
{
	return a->len == b->len && pc_addr_equal(&a->addr, &b->addr);
}

/* Of several gateways to a network, the first is preferred (RFC 2132 section 3.5). */
static void add_routes(struct pc_stack *st, int port, const struct pc_dhcp_lease *l)
{
	for (unsigned i = 0; i < l->nb_routes; i++) {
		struct pc_route r = route_of(&l->route[i], port);

		for (unsigned j = 0; j < i; j++)
			r.metric += is_same_network(&l->route[j].dest, &l->route[i].dest);
		if (pc_route_add(st, &r) != 0 && errno != EEXIST)
			ctx_count(&st->ctx, PC_DHCP_ROUTES_REFUSED);
	}
}

static int hand_over(struct pc_stack *st, int port, const struct pc_dhcp_lease *l)
{
	const int rc = ip_add_tried(&st->ip, port, &l->addr); /* the client has probed it */

	if (rc != 0 && rc != -EEXIST)
		return stack_fail(rc);
	add_routes(st, port, l);
	for (unsigned i = 0; i < l->nb_dns; i++)
		pc_stack_add_dns(st, &l->dns[i]);
	search_each(st, search_of(l), pc_stack_add_search);
	if (l->mtu >= 576)
		pc_stack_set_mtu(st, port, l->mtu);
	return 0;
}

/* both have the same number */
static bool are_same_routes(const struct pc_dhcp_lease *a, const struct pc_dhcp_lease *b)
{
	for (unsigned i = 0; i < a->nb_routes; i++)
		if (!is_same_network(&a->route[i].dest, &b->route[i].dest) ||
		    !pc_addr_equal(&a->route[i].gateway, &b->route[i].gateway))
			return false;
	return true;
}

/* Says whether two leases configure the stack alike, apart from the address. */
static bool is_same(const struct pc_dhcp_lease *a, const struct pc_dhcp_lease *b)
{
	return a->mtu == b->mtu && a->nb_routes == b->nb_routes && a->nb_dns == b->nb_dns &&
	       strcmp(search_of(a), search_of(b)) == 0 && are_same_routes(a, b) &&
	       memcmp(a->dns, b->dns, a->nb_dns * sizeof(a->dns[0])) == 0;
}

int pc_dhcp_apply(struct pc_stack *st, int port, const struct pc_dhcp_lease *old,
                  const struct pc_dhcp_lease *lease)
{
	const bool keeps = old != NULL && lease != NULL && old->addr.len == lease->addr.len &&
	                   pc_addr_equal(&old->addr.addr, &lease->addr.addr);

	if (keeps && is_same(old, lease))
		return 0;
	if (old != NULL)
		take_back(st, port, old, keeps);
	return lease != NULL ? hand_over(st, port, lease) : 0;
}
