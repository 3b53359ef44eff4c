/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DHCPv6 client (RFC 8415): what its parts (client6.h) have in common, and requests for
 * information (sections 6.1 and 18.2.6).
 *
 * Life cycle of these requests: IDLE until there is something to request that does not come with
 * addresses; WAITING for a moment, so that not all hosts of a link ask at once; ASKING until a
 * server replies; KNOWN until the refresh time is over; then ASKING again. What is known stays in
 * force meanwhile (section 18.2.12). If the link has been down, everything starts over, since it
 * may now lead to another network.
 *
 * Invariants: the socket is open only while an answer is awaited; the stack has the name servers of
 * info.
 */
#include <percore/dhcp6.h>

#include <errno.h>
#include <string.h>

#include <percore/port.h>
#include <percore/siphash.h>
#include <percore/socket.h>
#include <rte_common.h>
#include <rte_malloc.h>

#include "dhcp/client6.h"

#define SERVER_PORT 547

bool client6_is_up(const struct pc_dhcp6 *d)
{
	const struct netif *nif = client6_netif(d);

	return nif->up && nif->link_local != LADDR_NONE &&
	       netifs_is_usable(&d->st->ip.ifs, nif->link_local);
}

void client6_changed(struct pc_dhcp6 *d)
{
	if (++d->generation == 0)
		d->generation = 1;
}

/* ---- information ----------------------------------------------------------------------------- */

static void rest(struct pc_dhcp6 *d, enum info6_state state, uint64_t at_ns)
{
	d->x.type = DHCP6_NONE;
	d->state = state;
	d->at_ns = at_ns;
}

void client6_know(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from)
{
	struct pc_dhcp6_info next = r->info;

	next.server = *from;
	next.nb_addrs = d->info.nb_addrs;
	memcpy(next.addr, d->info.addr, sizeof(next.addr));
	lease6_apply_names(d->st, d->port, &d->info, &next);
	d->info = next;
	ctx_count(&d->st->ctx, PC_DHCP6_REPLIES);
	client6_changed(d);
	rest(d, INFO6_IDLE, UINT64_MAX);
}

/* Processes the reply to a request for information (section 18.2.10.4). */
static bool on_information(struct pc_dhcp6 *d, const struct dhcp6_reply *r,
                           const struct pc_addr *from)
{
	const uint32_t s = r->info.refresh_s;

	if (!exchange6_is_for(&d->x, r) || r->type != DHCP6_REPLY || r->status != DHCP6_SUCCESS)
		return false;
	client6_know(d, r, from);
	rest(d, INFO6_KNOWN, s == UINT32_MAX ? UINT64_MAX : d->now_ns + s * DHCP6_SECOND_NS);
	return true;
}

static bool may_ask(const struct pc_dhcp6 *d)
{
	return d->state == INFO6_IDLE && client6_is_up(d) && !ia6_informs(d) &&
	       (d->mode != PC_DHCP6_ROUTER || client6_netif(d)->ra_other);
}

static void inform_turn(struct pc_dhcp6 *d)
{
	struct dhcp6_query q = {0};

	if (may_ask(d))
		rest(d, INFO6_WAITING, d->now_ns + exchange6_jitter(d));
	if (d->at_ns > d->now_ns)
		return;
	if (d->state != INFO6_ASKING)
		exchange6_begin(d, &d->x, DHCP6_INFORMATION_REQUEST);
	d->state = INFO6_ASKING;
	(void)exchange6_next(d, &d->x, &q);
	d->at_ns = d->x.at_ns;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Says whether a message is for us (sections 16.3 and 16.10), and answers a current one. */
static bool is_answer(const struct pc_dhcp6 *d, const struct dhcp6_reply *r)
{
	return (r->type == DHCP6_REPLY || r->type == DHCP6_ADVERTISE) && r->has_server &&
	       r->is_ours && (exchange6_is_for(&d->x, r) || exchange6_is_for(&d->ia.x, r));
}

static bool on_message(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from)
{
	if (!is_answer(d, r))
		return false;
	/* section 18.2.9: even from servers that offer us nothing else */
	if (r->info.sol_max_rt_s != 0)
		d->sol_max_rt_s = r->info.sol_max_rt_s;
	if (r->info.inf_max_rt_s != 0)
		d->inf_max_rt_s = r->info.inf_max_rt_s;
	for (unsigned i = 0; i < r->refused; i++)
		ctx_count(&d->st->ctx, PC_DHCP6_ADDRS_REFUSED);
	return ia6_input(d, r, from) || on_information(d, r, from);
}

static void read_messages6(struct pc_dhcp6 *d)
{
	uint8_t msg[DHCP6_MESSAGE_MAX];
	struct sockaddr_in6 from;
	struct dhcp6_reply r;
	struct pc_addr server;
	socklen_t len;
	ssize_t n;

	while (d->fd >= 0 &&
	       (len = sizeof(from), (n = pc_recvfrom(d->st, d->fd, msg, sizeof(msg), 0,
	                                             (struct sockaddr *)&from, &len)) >= 0)) {
		memcpy(server.b, &from.sin6_addr, 16);
		if (from.sin6_port != __builtin_bswap16(SERVER_PORT) ||
		    !dhcp6_parse(msg, (size_t)n, &d->self, &r) || !on_message(d, &r, &server))
			ctx_count(&d->st->ctx, PC_DHCP6_IGNORED);
	}
}

/* ---- time ------------------------------------------------------------------------------------ */

static void close_socket(struct pc_dhcp6 *d)
{
	if (d->fd >= 0)
		pc_close(d->st, d->fd);
	d->fd = -1;
}

/* Starts over if the link has been down. What is known may be of another network, but is kept until
 * there is an answer. */
static void follow_link6(struct pc_dhcp6 *d)
{
	if (d->ups == client6_netif(d)->ups)
		return;
	d->ups = client6_netif(d)->ups;
	close_socket(d);
	rest(d, INFO6_IDLE, UINT64_MAX);
	ia6_follow_link(d);
}

void pc_dhcp6_turn(struct pc_dhcp6 *d, uint64_t now_ns)
{
	d->now_ns = now_ns;
	follow_link6(d);
	read_messages6(d);
	ia6_turn(d);
	inform_turn(d);
	if (d->x.type == DHCP6_NONE && d->ia.x.type == DHCP6_NONE)
		close_socket(d);
}

uint64_t pc_dhcp6_next_deadline(const struct pc_dhcp6 *d)
{
	return RTE_MIN(may_ask(d) ? d->now_ns : d->at_ns, ia6_next_deadline(d));
}

uint32_t pc_dhcp6_get_info(const struct pc_dhcp6 *d, struct pc_dhcp6_info *info)
{
	if (d->generation != 0)
		*info = d->info;
	return d->generation;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The identifier of our IA. It is stable, since names of ports are, and differs between the VLANs
 * of a device (section 12). */
static uint32_t make_iaid(const char *name)
{
	const struct pc_sip_key key = {{0, 0}};

	return (uint32_t)pc_siphash24(&key, name, strlen(name));
}

struct pc_dhcp6 *pc_dhcp6_create(struct pc_stack *st, int port, enum pc_dhcp6_mode mode)
{
	const struct pc_port_info *info;
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
	d->mode = mode;
	d->at_ns = UINT64_MAX;
	d->ups = client6_netif(d)->ups;
	info = &client6_netif(d)->port->info;
	memcpy(d->self.mac, info->mac, sizeof(d->self.mac));
	d->self.iaid = make_iaid(info->name);
	return d;
}

void pc_dhcp6_destroy(struct pc_dhcp6 *d)
{
	if (d == NULL)
		return;
	ia6_end(d);
	lease6_apply_names(d->st, d->port, &d->info, NULL);
	close_socket(d);
	rte_free(d);
}
