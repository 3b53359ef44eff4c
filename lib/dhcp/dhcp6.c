/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of stateless DHCPv6 (RFC 8415 sections 6.1 and 18.2.6).
 *
 * Life-cycle: IDLE until a router says that there is something to ask for, WAITING for a moment so that a whole
 * link does not ask at once, ASKING until a server replies, KNOWN until the refresh time is over, and ASKING
 * again.  What is known stays in force while it is asked for anew (section 18.2.12); a link that has been down
 * begins anew, since another network may be behind it.
 *
 * Invariants: the socket is open exactly in ASKING; the stack has the name servers of info exactly while
 * generation is not 0.
 */
#include <percore/dhcp6.h>

#include <errno.h>
#include <string.h>

#include <percore/port.h>
#include <percore/socket.h>
#include <rte_common.h>
#include <rte_malloc.h>

#include "base/rng.h"
#include "dhcp/message6.h"
#include "dhcp/search.h"
#include "stack/stack.h"

#define SECOND_NS   UINT64_C(1000000000)
#define SERVER_PORT 547
#define CLIENT_PORT 546

/* section 7.6: INF_MAX_DELAY, INF_TIMEOUT, INF_MAX_RT */
#define MAX_DELAY_NS SECOND_NS
#define TIMEOUT_NS   SECOND_NS
#define MAX_RT_S     3600

enum state { IDLE, WAITING, ASKING, KNOWN };

struct pc_dhcp6 {
	struct pc_stack *st;
	int port, fd; /* fd: -1 but in ASKING */
	bool always;
	enum state state;
	uint8_t ups; /* of the interface, when asking began */
	uint32_t xid, generation;
	uint64_t now_ns, at_ns; /* of this turn; when the next step is due, UINT64_MAX: never */
	uint64_t begin_ns;      /* of this exchange */
	uint64_t rt_ns;         /* the wait that is under way (section 15) */
	struct pc_dhcp6_info info;
};

static const struct netif *netif_of(const struct pc_dhcp6 *d)
{
	return &d->st->ip.ifs.netif[d->port];
}

/* ---- sending (section 15) --------------------------------------------------------------------- */

/* RAND: between -0.1 and 0.1 of a time */
static uint64_t spread(struct pc_dhcp6 *d, uint64_t ns)
{
	return ns - ns / 10 + ns / 1000 * rng_below(&d->st->ctx.rng, 201);
}

static void send_query(struct pc_dhcp6 *d)
{
	const uint64_t elapsed = (d->now_ns - d->begin_ns) / (SECOND_NS / 100);
	const struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	                                .sin6_port = __builtin_bswap16(SERVER_PORT),
	                                /* All_DHCP_Relay_Agents_and_Servers (section 7.1) */
	                                .sin6_addr.s6_addr = {0xff, 2, [13] = 1, [15] = 2},
	                                .sin6_scope_id = (uint32_t)d->port + 1};
	uint8_t msg[DHCP6_QUERY_LEN];

	dhcp6_write(msg, d->xid, netif_of(d)->port->info.mac,
	            (uint16_t)RTE_MIN(elapsed, UINT64_C(0xffff)));
	/* what is not sent is sent again */
	(void)pc_sendto(d->st, d->fd, msg, sizeof(msg), 0, (const struct sockaddr *)&to,
	                sizeof(to));
}

static void ask(struct pc_dhcp6 *d)
{
	const uint32_t told_s = d->info.inf_max_rt_s;
	const uint64_t max_ns = (told_s != 0 ? told_s : MAX_RT_S) * SECOND_NS;

	d->rt_ns = d->rt_ns == 0 ? spread(d, TIMEOUT_NS) : d->rt_ns + spread(d, d->rt_ns);
	if (d->rt_ns > max_ns)
		d->rt_ns = spread(d, max_ns);
	send_query(d);
	d->at_ns = d->now_ns + d->rt_ns;
}

static int open_socket(struct pc_dhcp6 *d)
{
	const struct sockaddr_in6 us = {.sin6_family = AF_INET6,
	                                .sin6_port = __builtin_bswap16(CLIENT_PORT)};
	const int fd = pc_socket(d->st, AF_INET6, SOCK_DGRAM, 0), ifindex = d->port + 1, on = 1;

	if (fd < 0)
		return -1;
	pc_setsockopt(d->st, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (pc_setsockopt(d->st, fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0 &&
	    pc_setsockopt(d->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) ==
	        0 &&
	    pc_bind(d->st, fd, (const struct sockaddr *)&us, sizeof(us)) == 0)
		return fd;
	pc_close(d->st, fd);
	return -1;
}

static void close_socket(struct pc_dhcp6 *d)
{
	if (d->fd >= 0)
		pc_close(d->st, d->fd);
	d->fd = -1;
}

static void begin(struct pc_dhcp6 *d)
{
	d->fd = open_socket(d);
	if (d->fd < 0) { /* no socket is left: later */
		d->at_ns = d->now_ns + SECOND_NS;
		return;
	}
	d->state = ASKING;
	d->xid = (uint32_t)rng_next(&d->st->ctx.rng) & 0xffffff;
	d->begin_ns = d->now_ns;
	d->rt_ns = 0;
	ask(d);
}

/* ---- what is known ---------------------------------------------------------------------------- */

static bool is_same(const struct pc_dhcp6_info *a, const struct pc_dhcp6_info *b)
{
	return a->nb_dns == b->nb_dns &&
	       memcmp(a->dns, b->dns, a->nb_dns * sizeof(a->dns[0])) == 0 &&
	       strcmp(a->search, b->search) == 0;
}

void pc_dhcp6_apply(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                    const struct pc_dhcp6_info *info)
{
	if (old != NULL && info != NULL && is_same(old, info))
		return;
	for (unsigned i = 0; old != NULL && i < old->nb_dns; i++)
		pc_stack_del_dns(st, &old->dns[i]);
	if (old != NULL)
		search_each(st, old->search, pc_stack_del_search);
	for (unsigned i = 0; info != NULL && i < info->nb_dns; i++)
		pc_stack_add_port_dns(st, port, &info->dns[i]);
	if (info != NULL)
		search_each(st, info->search, pc_stack_add_search);
}

static void know(struct pc_dhcp6 *d, const struct pc_dhcp6_info *info)
{
	pc_dhcp6_apply(d->st, d->port, d->generation != 0 ? &d->info : NULL, info);
	ctx_count(&d->st->ctx, PC_DHCP6_REPLIES);
	d->info = *info;
	if (++d->generation == 0)
		d->generation = 1;
	d->state = KNOWN;
	d->at_ns =
	    info->refresh_s == UINT32_MAX ? UINT64_MAX : d->now_ns + info->refresh_s * SECOND_NS;
	close_socket(d);
}

/* Says whether a message is the answer to what was asked (sections 16.10 and 18.2.10). */
static bool is_answer(const struct pc_dhcp6 *d, const struct dhcp6_reply *r)
{
	return r->type == DHCP6_REPLY && r->xid == d->xid && r->has_server && r->is_ours &&
	       r->status == 0;
}

static void read_messages(struct pc_dhcp6 *d)
{
	const uint8_t *mac = netif_of(d)->port->info.mac;
	uint8_t msg[DHCP6_MESSAGE_MAX];
	struct sockaddr_in6 from;
	struct dhcp6_reply r;
	socklen_t len;
	ssize_t n;

	while (d->fd >= 0 &&
	       (len = sizeof(from), (n = pc_recvfrom(d->st, d->fd, msg, sizeof(msg), 0,
	                                             (struct sockaddr *)&from, &len)) >= 0)) {
		if (from.sin6_port != __builtin_bswap16(SERVER_PORT) ||
		    !dhcp6_parse(msg, (size_t)n, mac, &r) || !is_answer(d, &r))
			continue;
		memcpy(r.info.server.b, &from.sin6_addr, 16);
		know(d, &r.info);
	}
}

/* ---- time ------------------------------------------------------------------------------------ */

static bool is_ready(const struct pc_dhcp6 *d)
{
	const struct netif *nif = netif_of(d);

	return nif->up && nif->link_local != LADDR_NONE &&
	       netifs_is_usable(&d->st->ip.ifs, nif->link_local) && (d->always || nif->ra_other);
}

/* The link has been away: what is known may be of another network, but is better than nothing until then. */
static void follow_link(struct pc_dhcp6 *d)
{
	if (d->ups == netif_of(d)->ups)
		return;
	d->ups = netif_of(d)->ups;
	close_socket(d);
	d->state = IDLE;
	d->at_ns = UINT64_MAX;
}

void pc_dhcp6_turn(struct pc_dhcp6 *d, uint64_t now_ns)
{
	d->now_ns = now_ns;
	follow_link(d);
	read_messages(d);
	if (d->state == IDLE && is_ready(d)) {
		d->state = WAITING;
		d->at_ns = now_ns + rng_below(&d->st->ctx.rng, 1000) * (MAX_DELAY_NS / 1000);
	}
	if (d->at_ns > now_ns)
		return;
	if (d->state == ASKING)
		ask(d);
	else
		begin(d);
}

uint64_t pc_dhcp6_next_deadline(const struct pc_dhcp6 *d)
{
	return d->state == IDLE && is_ready(d) ? d->now_ns : d->at_ns;
}

uint32_t pc_dhcp6_get_info(const struct pc_dhcp6 *d, struct pc_dhcp6_info *info)
{
	if (d->generation != 0)
		*info = d->info;
	return d->generation;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct pc_dhcp6 *pc_dhcp6_create(struct pc_stack *st, int port, bool always)
{
	struct pc_dhcp6 *d;

	if (port < 0 || port >= st->ip.ifs.n) {
		errno = EINVAL;
		return NULL;
	}
	d = rte_zmalloc_socket("dhcp6", sizeof(*d), 0, st->ctx.cfg.socket_id);
	if (d == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	d->st = st;
	d->port = port;
	d->fd = -1;
	d->always = always;
	d->at_ns = UINT64_MAX;
	d->ups = netif_of(d)->ups;
	return d;
}

void pc_dhcp6_destroy(struct pc_dhcp6 *d)
{
	if (d == NULL)
		return;
	if (d->generation != 0)
		pc_dhcp6_apply(d->st, d->port, &d->info, NULL);
	close_socket(d);
	rte_free(d);
}
