/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The present state of a stack: percore/inspect.h.
 *
 * Overview: sockets are in four tables, three of TCP and one of the other sockets; a walk goes
 * through one after the other, a bounded number of places in each call.  Places are allocated from
 * the front, so the walk leaves a table once it has seen as many sockets as there are in it.
 */
#include <percore/inspect.h>

#include <netinet/in.h>
#include <string.h>

#include "neigh/table.h"
#include "stack/stack.h"
#include "tcp/tcp_inspect.h"

/* ---- sockets --------------------------------------------------------------------------------- */

/* the parts of a walk, in its order */
static const enum flow_kind kinds[] = {FLOW_TCB, FLOW_SYN, FLOW_TW};

#define DATAGRAMS RTE_DIM(kinds) /* the last part */

static const uint8_t socket_kinds[] = {[UDP_DATAGRAM] = PC_SOCKET_TRANSPORT,
                                       [UDP_RAW] = PC_SOCKET_RAW,
                                       [UDP_PACKET] = PC_SOCKET_PACKET};

static bool tell_datagram(const struct pc_stack *st, uint32_t index, struct pc_socket_info *info)
{
	const struct udp_sock *s = udp_sock(st->udp, index);
	const struct pc_addr none = s != NULL && s->ip6 ? (struct pc_addr){0} : pc_addr_ip4(0);

	if (s == NULL)
		return false;
	*info = (struct pc_socket_info){
	    .local = s->local,
	    .remote = s->remote,
	    .fd = (int32_t)udp_sock_fd(st->udp, index),
	    .proto = s->kind == UDP_DATAGRAM ? IPPROTO_UDP : s->proto,
	    .state = udp_is_connected(s) ? TCP_S_ESTABLISHED : TCP_S_CLOSED,
	    .family = s->kind == UDP_PACKET ? AF_PACKET
	              : s->ip6              ? AF_INET6
	                                    : AF_INET,
	    .rcv_queue = s->rcv_bytes,
	    .kind = socket_kinds[s->kind],
	    .ifindex = s->netif,
	    .ethertype = s->ethertype,
	};
	if (pc_addr_is_any(&info->local.addr))
		info->local.addr = none;
	if (!udp_is_connected(s))
		info->remote.addr = none;
	return true;
}

static uint32_t places_of(const struct pc_stack *st, uint32_t part, uint32_t *used)
{
	if (part < DATAGRAMS)
		return tcp_inspect_places(st->tcp, kinds[part], used);
	*used = udp_count(st->udp);
	return (uint32_t)st->ctx.cfg.stack_max_udp_sockets;
}

static bool tell(const struct pc_stack *st, uint32_t part, uint32_t index,
                 struct pc_socket_info *info)
{
	return part < DATAGRAMS ? tcp_inspect(st->tcp, kinds[part], index + 1, info)
	                        : tell_datagram(st, index, info);
}

/* a raw socket's peer has no port */
static bool has_peer(const struct pc_socket_info *s)
{
	return s->remote.port != 0 || (s->kind == PC_SOCKET_RAW && s->state == TCP_S_ESTABLISHED);
}

static bool matches(const struct pc_socket_match *m, const struct pc_socket_info *s)
{
	return (m->proto == 0 || (m->proto == s->proto && s->kind == PC_SOCKET_TRANSPORT)) &&
	       (m->kind == 0 || m->kind == s->kind) &&
	       (m->states == 0 || (m->states & 1u << s->state)) &&
	       (m->port == 0 || m->port == s->local.port || m->port == s->remote.port) &&
	       (!m->has_peer || (has_peer(s) && pc_prefix_contains(&m->peer, &s->remote.addr)));
}

unsigned pc_stack_walk_sockets(const struct pc_stack *st, struct pc_socket_walk *walk,
                               const struct pc_socket_match *match, struct pc_socket_info *list,
                               unsigned n)
{
	unsigned found = 0;

	for (unsigned looked = 0; looked < PC_WALK_STEP && found < n && !walk->done; looked++) {
		uint32_t used, places = places_of(st, walk->part, &used);

		if (walk->index >= places || walk->seen >= used) {
			walk->index = walk->seen = 0;
			walk->done = ++walk->part > DATAGRAMS;
			continue;
		}
		if (!tell(st, walk->part, walk->index++, &list[found]))
			continue;
		walk->seen++;
		found += matches(match, &list[found]);
	}
	return found;
}

/* ---- neighbours and networks ----------------------------------------------------------------- */

static enum pc_neigh_state state_of(const struct neigh *n)
{
	switch ((enum neigh_state)n->state) {
	case NEIGH_INCOMPLETE:
		return PC_NEIGH_INCOMPLETE;
	case NEIGH_FAILED:
		return PC_NEIGH_FAILED;
	case NEIGH_STALE:
		return PC_NEIGH_STALE;
	case NEIGH_REACHABLE:
		return PC_NEIGH_REACHABLE;
	case NEIGH_DELAY:
		return PC_NEIGH_DELAY;
	case NEIGH_PROBE:
		return PC_NEIGH_PROBE;
	default:
		return PC_NEIGH_NONE;
	}
}

unsigned pc_stack_get_neighs(const struct pc_stack *st, unsigned from, struct pc_neigh_info *list,
                             unsigned n)
{
	const struct neigh_table *nt = st->ip.neigh;
	unsigned found = 0;

	for (uint32_t i = 0, seen = 0; i < nt->nb_entries && seen < nt->count; i++) {
		const struct neigh *e = &nt->entry[i];
		struct pc_neigh_info *info;

		if (e->state == NEIGH_FREE)
			continue;
		seen++;
		if (e->netif >= PC_MAX_PORTS || found++ < from || found - from > n)
			continue;
		info = &list[found - 1 - from];
		*info = (struct pc_neigh_info){.addr = e->addr,
		                               .port = e->netif,
		                               .state = (uint8_t)state_of(e),
		                               .fixed = nt->hold[i].fixed,
		                               .held = nt->hold[i].n};
		if (e->state >= NEIGH_STALE)
			memcpy(info->mac, e->eth, ETH_ADDR_LEN);
	}
	return found;
}

unsigned pc_stack_get_denied(const struct pc_stack *st, unsigned from, struct pc_prefix *list,
                             unsigned n)
{
	const struct deny *d = &st->ip.deny;

	for (unsigned i = from; i < d->n && i - from < n; i++)
		list[i - from] = d->prefix[i];
	return d->n;
}
