/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DHCP client (RFC 2131 section 4.4, figure 5).
 *
 * Overview: a UDP socket for messages, and a packet socket for ARP while an address is probed.
 * There are three kinds of event: a message, an answer to a probe, and a time-out. Each leads to a
 * state and the time of the next step.
 *
 * Life cycle: INIT, SELECTING, REQUESTING, TRYING (is the address free?), BOUND, RENEWING,
 * REBINDING, and from any of these back to INIT. A client that remembers an address begins with
 * REBOOTING instead of the first three. When the link has been down, it may now lead to another
 * network: a client with a lease requests it again as in REBINDING, a few times, and keeps it if no
 * server answers; a client without one starts over (section 3.7).
 *
 * Invariant: the stack has the leased address exactly in BOUND, RENEWING and REBINDING.
 */
#include <percore/dhcp.h>

#include <errno.h>
#include <string.h>

#include <percore/control.h>
#include <percore/port.h>
#include <percore/socket.h>
#include <rte_common.h>
#include <rte_malloc.h>

#include "base/rng.h"
#include "dhcp/message.h"
#include "dhcp/sockets.h"
#include "dhcp/times.h"
#include "stack/stack.h"

#define SECOND_NS UINT64_C(1000000000)

/* RFC 2131 section 4.1: the first wait; it doubles up to the last one; each is randomized by up to
 * a second either way */
#define WAIT_FIRST_S 4
#define WAIT_LAST_S  64
/* requests for an offer before another offer is sought */
#define REQUESTS 4
/* requests for a remembered address, which take 12 s */
#define REBOOTS 2
/* requests for a lease after the link has come up, over two minutes: a switch may forward nothing
 * at first */
#define LINK_REQUESTS 5
/* section 4.4.5: the shortest interval between requests */
#define RENEW_LEAST_S 60
/* section 3.1.5: after a conflict */
#define DECLINE_WAIT_S 10
/* RFC 5227 section 2.1.1, but with shorter times: until there is an address, everything else
 * waits */
#define PROBES       3
#define PROBE_GAP_NS (SECOND_NS / 5)

enum state { INIT, REBOOTING, SELECTING, REQUESTING, TRYING, BOUND, RENEWING, REBINDING };

struct pc_dhcp {
	struct pc_stack *st;
	int port, fd, arp; /* arp: -1 except in TRYING */
	enum state state;
	uint8_t mac[6];
	uint8_t ups;      /* the interface's ups when last looked at */
	uint32_t wish_be; /* the address to ask servers for; 0: any */
	uint32_t xid, generation;
	unsigned tries;
	bool started;
	bool verifies;          /* the link has been down, and no server has answered since */
	bool remembers;         /* wish_be is leased, as far as we know */
	bool keeps;             /* the lease is not released at the end */
	uint64_t now_ns, at_ns; /* of this turn; when the next step is due */
	uint64_t begin_ns;      /* start of this exchange, for secs */
	uint16_t secs;          /* of the last message */
	uint64_t asked_ns;      /* time of the last request */
	uint64_t sent_ns;       /* time of the request that was granted: the start of the lease */
	uint64_t early_ns;      /* how much earlier than T1 and T2 it is renewed */
	struct pc_dhcp_lease offer, lease;
	char hostname[64];
};

static const struct pc_addr *ip_of(const struct pc_dhcp_lease *l)
{
	return &l->addr.addr;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void send_query(struct pc_dhcp *d, struct dhcp_query *q, uint32_t dst_be)
{
	uint8_t msg[DHCP_MESSAGE_MAX];

	q->xid = d->xid;
	q->hostname = d->hostname;
	/* section 3.1 step 3: a relay treats the request as it has treated the DHCPDISCOVER */
	if (d->state != REQUESTING)
		d->secs = (uint16_t)RTE_MIN((d->now_ns - d->begin_ns) / SECOND_NS, UINT64_C(65535));
	q->secs = d->secs;
	memcpy(q->mac, d->mac, sizeof(q->mac));
	messages_send(d->st, d->fd, q->ciaddr_be, dst_be, msg, dhcp_write(msg, q));
}

static uint64_t random_wait(struct pc_dhcp *d, unsigned tries)
{
	const uint64_t s =
	    RTE_MIN((uint64_t)WAIT_FIRST_S << RTE_MIN(tries, 8u), (uint64_t)WAIT_LAST_S);

	return (s - 1) * SECOND_NS + (uint64_t)rng_below(&d->st->ctx.rng, 2000) * 1000000;
}

/* Forgets the remembered address, which cannot be had. */
static void forget(struct pc_dhcp *d)
{
	d->wish_be = 0;
	d->remembers = false;
}

static void begin_state(struct pc_dhcp *d, enum state state)
{
	d->xid = (uint32_t)rng_next(&d->st->ctx.rng);
	d->begin_ns = d->now_ns;
	d->tries = 0;
	d->state = state;
}

static void discover(struct pc_dhcp *d)
{
	struct dhcp_query q = {.type = DHCP_DISCOVER, .broadcast = true, .request_be = d->wish_be};

	if (d->state != SELECTING)
		begin_state(d, SELECTING);
	send_query(d, &q, UINT32_MAX);
	d->at_ns = d->now_ns + random_wait(d, d->tries++);
}

/* Requests the address offered (section 4.3.2: SELECTING). */
static void request(struct pc_dhcp *d)
{
	struct dhcp_query q = {.type = DHCP_REQUEST,
	                       .broadcast = true,
	                       .request_be = pc_addr_get_ip4(ip_of(&d->offer)),
	                       .server_be = pc_addr_get_ip4(&d->offer.server)};

	if (d->state != REQUESTING) {
		d->tries = 0;
		/* the answer may be to the first of several requests: the lease counts from there
		 * (section 4.4.1) */
		d->asked_ns = d->now_ns;
	}
	d->state = REQUESTING;
	send_query(d, &q, UINT32_MAX);
	d->at_ns = d->now_ns + random_wait(d, d->tries++);
}

/* Asks whether a remembered address is still ours (section 4.3.2: INIT-REBOOT). */
static void reboot(struct pc_dhcp *d)
{
	struct dhcp_query q = {.type = DHCP_REQUEST, .broadcast = true, .request_be = d->wish_be};

	if (d->state != REBOOTING) {
		begin_state(d, REBOOTING);
		d->offer = (struct pc_dhcp_lease){.addr.addr = pc_addr_ip4(d->wish_be)};
		d->asked_ns = d->now_ns;
	}
	send_query(d, &q, UINT32_MAX);
	d->at_ns = d->now_ns + random_wait(d, d->tries++);
}

static uint64_t t2_of(const struct pc_dhcp *d)
{
	return times_after(d->sent_ns - d->early_ns, d->lease.t2_s);
}

static uint64_t lease_end(const struct pc_dhcp *d)
{
	return times_after(d->sent_ns, d->lease.lease_s);
}

/* When the lease is first to be renewed. */
static uint64_t first_renewal(const struct pc_dhcp *d)
{
	return RTE_MIN(times_after(d->sent_ns - d->early_ns, d->lease.t1_s), t2_of(d));
}

/* Names the leased address: as ciaddr or, while the stack is checking for a duplicate and cannot
 * send from it, as the requested address (section 4.3.2: INIT-REBOOT). */
static void name_lease(const struct pc_dhcp *d, struct dhcp_query *q)
{
	const uint16_t laddr = netifs_find(&d->st->ip.ifs, ip_of(&d->lease));

	if (laddr != LADDR_NONE && netifs_is_usable(&d->st->ip.ifs, laddr)) {
		q->ciaddr_be = pc_addr_get_ip4(ip_of(&d->lease));
		return;
	}
	q->request_be = pc_addr_get_ip4(ip_of(&d->lease));
	q->broadcast = true;
}

/* Asks for more time: the server of the lease or, from T2 on, any server. The next request follows
 * after half of the time left, but at least a minute (section 4.4.5); sooner if the link has been
 * down. */
static void renew(struct pc_dhcp *d)
{
	const bool anyone = d->state == REBINDING;
	const uint64_t end = anyone ? lease_end(d) : t2_of(d);
	const uint64_t left = end > d->now_ns ? (end - d->now_ns) / 2 : 0;
	uint64_t wait = RTE_MAX(left, RENEW_LEAST_S * SECOND_NS);
	struct dhcp_query q = {.type = DHCP_REQUEST};

	name_lease(d, &q);
	d->xid = (uint32_t)rng_next(&d->st->ctx.rng); /* matches answers to requests */
	d->asked_ns = d->now_ns;
	send_query(d, &q, anyone ? UINT32_MAX : pc_addr_get_ip4(&d->lease.server));
	if (d->verifies)
		wait = random_wait(d, d->tries++);
	d->at_ns = RTE_MIN(d->now_ns + wait, end);
}

/* ---- is the address free? -------------------------------------------------------------------- */

static struct trial trial_of(const struct pc_dhcp *d)
{
	struct trial t = {
	    .fd = d->arp, .port = d->port, .addr_be = pc_addr_get_ip4(ip_of(&d->offer))};

	memcpy(t.mac, d->mac, sizeof(t.mac));
	return t;
}

static void probe(struct pc_dhcp *d)
{
	const struct trial t = trial_of(d);

	trial_send(d->st, &t);
	d->tries++;
	d->at_ns = d->now_ns + PROBE_GAP_NS;
}

static void end_probes(struct pc_dhcp *d)
{
	if (d->arp >= 0)
		pc_close(d->st, d->arp);
	d->arp = -1;
}

static void bind_lease(struct pc_dhcp *d);

static void try_address(struct pc_dhcp *d)
{
	d->state = TRYING;
	d->tries = 0;
	d->arp = trial_open(d->st, d->port);
	if (d->arp < 0) { /* no ARP socket: rely on the server's own check (section 3.1.2) */
		bind_lease(d);
		return;
	}
	probe(d);
}

/* Declines an address that is in use: tells the server, and starts over after a while (section
 * 3.1.5). */
static void decline(struct pc_dhcp *d)
{
	struct dhcp_query q = {.type = DHCP_DECLINE,
	                       .request_be = pc_addr_get_ip4(ip_of(&d->offer)),
	                       .server_be = pc_addr_get_ip4(&d->offer.server)};

	end_probes(d);
	forget(d);
	ctx_count(&d->st->ctx, PC_DHCP_DECLINED);
	d->begin_ns = d->now_ns; /* secs is 0 (section 4.4.1, table 5) */
	send_query(d, &q, UINT32_MAX);
	d->state = INIT;
	d->at_ns = d->now_ns + DECLINE_WAIT_S * SECOND_NS;
}

/* ---- the lease ------------------------------------------------------------------------------- */

static bool has_lease(const struct pc_dhcp *d)
{
	return d->state >= BOUND;
}

static void lose_lease(struct pc_dhcp *d)
{
	pc_dhcp_apply(d->st, d->port, &d->lease, NULL);
	d->generation++;
	d->verifies = false;
	d->state = INIT;
	d->at_ns = d->now_ns;
}

/* Configures the stack with the lease that was granted, unless that is over already: it counts from
 * the request, and the answer may be late. */
static bool take_lease(struct pc_dhcp *d)
{
	const struct pc_dhcp_lease *old = has_lease(d) ? &d->lease : NULL;
	const bool over = d->now_ns >= times_after(d->sent_ns, d->offer.lease_s);

	return pc_dhcp_apply(d->st, d->port, old, over ? NULL : &d->offer) == 0 && !over;
}

static void bind_lease(struct pc_dhcp *d)
{
	end_probes(d);
	d->verifies = false;
	if (!take_lease(d)) {
		/* over, not a host address, or too many: another server may offer a better one */
		d->state = INIT;
		d->at_ns = d->now_ns + DECLINE_WAIT_S * SECOND_NS;
		return;
	}
	ctx_count(&d->st->ctx, PC_DHCP_LEASES);
	d->lease = d->offer;
	d->early_ns = times_early(&d->lease, &d->st->ctx.rng);
	d->remembers = false;
	d->state = BOUND;
	d->generation++;
	/* a server that sets T1 to nearly nothing is not asked without pause */
	d->at_ns = RTE_MIN(RTE_MAX(first_renewal(d), d->now_ns + SECOND_NS), lease_end(d));
}

/* ---- messages -------------------------------------------------------------------------------- */

static void on_offer(struct pc_dhcp *d, const struct dhcp_reply *r)
{
	if (d->state != SELECTING || !r->has_server || !r->has_lease ||
	    pc_addr_get_ip4(ip_of(&r->lease)) == 0)
		return;
	d->offer = r->lease;
	request(d);
}

static void on_ack(struct pc_dhcp *d, const struct dhcp_reply *r)
{
	const bool renews = d->state == RENEWING || d->state == REBINDING;
	const struct pc_dhcp_lease *asked = renews ? &d->lease : &d->offer;
	struct pc_addr server;

	if ((d->state != REQUESTING && d->state != REBOOTING && !renews) || !r->has_lease ||
	    r->lease.lease_s == 0 || !pc_addr_equal(ip_of(&r->lease), ip_of(asked)))
		return;
	if (d->state == REBOOTING && !r->has_server)
		return;
	if (d->state == REQUESTING && r->has_server &&
	    !pc_addr_equal(&r->lease.server, &d->offer.server))
		return; /* from a server that was not asked */
	server = r->has_server ? r->lease.server : asked->server;
	d->offer = r->lease;
	d->offer.server = server;
	d->sent_ns = d->asked_ns;
	if (renews)
		bind_lease(d);
	else
		try_address(d);
}

static void on_nak(struct pc_dhcp *d, const struct dhcp_reply *r)
{
	if (d->state == REQUESTING && r->has_server &&
	    !pc_addr_equal(&r->lease.server, &d->offer.server))
		return;
	if (has_lease(d) && d->state != BOUND)
		lose_lease(d);
	else if (d->state == REQUESTING || d->state == REBOOTING) {
		forget(d);
		d->state = INIT;
		d->at_ns = d->now_ns + SECOND_NS;
	}
}

static void read_messages(struct pc_dhcp *d)
{
	uint8_t msg[DHCP_MESSAGE_MAX];
	struct sockaddr_in from;
	struct dhcp_reply r;
	socklen_t len;
	ssize_t n;

	while (len = sizeof(from), (n = pc_recvfrom(d->st, d->fd, msg, sizeof(msg), 0,
	                                            (struct sockaddr *)&from, &len)) >= 0) {
		if (from.sin_port != __builtin_bswap16(DHCP_SERVER_PORT) ||
		    !dhcp_parse(msg, (size_t)n, &r) || r.xid != d->xid ||
		    memcmp(r.mac, d->mac, sizeof(r.mac)) != 0)
			continue;
		if (r.type == DHCP_OFFER)
			on_offer(d, &r);
		else if (r.type == DHCP_ACK)
			on_ack(d, &r);
		else if (r.type == DHCP_NAK)
			on_nak(d, &r);
	}
}

static void read_probes(struct pc_dhcp *d)
{
	const struct trial t = trial_of(d);

	if (d->arp >= 0 && trial_is_answered(d->st, &t))
		decline(d);
}

/* Loses the lease if the stack, which probes its address again when the link has been down, finds
 * that another host has it (RFC 5227 section 2.1, RFC 2131 section 4.4.1). */
static void look(struct pc_dhcp *d)
{
	const struct netifs *ifs = &d->st->ip.ifs;
	const uint16_t laddr = has_lease(d) ? netifs_find(ifs, ip_of(&d->lease)) : LADDR_NONE;

	if (laddr == LADDR_NONE || ifs->addr[laddr].state != LADDR_DUPLICATE)
		return;
	d->offer = d->lease;
	lose_lease(d);
	decline(d);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void look_for_address(struct pc_dhcp *d)
{
	if (d->remembers && (d->state != REBOOTING || d->tries < REBOOTS)) {
		reboot(d);
		return;
	}
	d->remembers = false;
	discover(d);
}

/* If no server has answered since the link came up, the lease continues. Returns whether that is so
 * and it is not due for renewal. */
static bool goes_on(struct pc_dhcp *d)
{
	if (!d->verifies || d->tries < LINK_REQUESTS)
		return false;
	d->verifies = false;
	if (d->now_ns >= first_renewal(d))
		return false;
	d->state = BOUND;
	d->at_ns = first_renewal(d);
	return true;
}

static void on_time(struct pc_dhcp *d)
{
	switch (d->state) {
	case INIT:
	case REBOOTING:
	case SELECTING:
		look_for_address(d);
		break;
	case REQUESTING:
		if (d->tries < REQUESTS) {
			request(d);
		} else {
			d->state = INIT;
			discover(d);
		}
		break;
	case TRYING:
		if (d->tries < PROBES)
			probe(d);
		else
			bind_lease(d);
		break;
	case BOUND:
		d->begin_ns = d->now_ns;
		d->state = RENEWING;
		__attribute__((fallthrough));
	default:
		if (goes_on(d))
			break;
		d->state = d->verifies || d->now_ns >= t2_of(d) ? REBINDING : RENEWING;
		renew(d);
		break;
	}
}

/* A lease that is over is lost before anything else is done (section 4.4.5). */
static void end_lease(struct pc_dhcp *d)
{
	if (has_lease(d) && d->now_ns >= lease_end(d))
		lose_lease(d);
}

/* Reacts if the link has been down. */
static void follow_link(struct pc_dhcp *d)
{
	const uint8_t ups = d->st->ip.ifs.netif[d->port].ups;

	if (d->ups == ups)
		return;
	d->ups = ups;
	if (has_lease(d)) {
		d->begin_ns = d->now_ns;
		d->verifies = true;
		d->tries = 0;
		d->state = REBINDING;
		renew(d);
	} else {
		end_probes(d);
		d->state = INIT;
		d->at_ns = d->now_ns;
	}
}

void pc_dhcp_turn(struct pc_dhcp *d, uint64_t now_ns)
{
	d->now_ns = now_ns;
	if (!d->started) {
		d->started = true;
		d->at_ns = now_ns;
	}
	end_lease(d);
	follow_link(d);
	read_messages(d);
	read_probes(d);
	look(d);
	if (d->at_ns <= now_ns)
		on_time(d);
	ip_set_leasing(&d->st->ip, (uint8_t)d->port, !has_lease(d));
}

uint64_t pc_dhcp_next_deadline(const struct pc_dhcp *d)
{
	return d->started ? d->at_ns : 0;
}

uint32_t pc_dhcp_get_lease(const struct pc_dhcp *d, struct pc_dhcp_lease *lease)
{
	if (!has_lease(d))
		return 0;
	*lease = d->lease;
	return d->generation;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct pc_dhcp *pc_dhcp_create(struct pc_stack *st, int port, const char *hostname)
{
	struct pc_dhcp *d;

	if (port < 0 || port >= st->ip.ifs.n) {
		errno = EINVAL;
		return NULL;
	}
	d = rte_zmalloc_socket("dhcp", sizeof(*d), 0, st->ctx.cfg.socket_id);
	if (d == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	d->st = st;
	d->port = port;
	d->arp = -1;
	d->ups = st->ip.ifs.netif[port].ups;
	d->fd = messages_open(st, port);
	if (d->fd < 0) {
		rte_free(d);
		return NULL;
	}
	memcpy(d->mac, ip_port(&st->ip, (uint8_t)port)->info.mac, sizeof(d->mac));
	if (hostname != NULL)
		memcpy(d->hostname, hostname, strnlen(hostname, sizeof(d->hostname) - 1));
	return d;
}

void pc_dhcp_remember(struct pc_dhcp *d, const struct pc_addr *addr, bool in_force)
{
	d->wish_be = pc_addr_is_ip4(addr) ? pc_addr_get_ip4(addr) : 0;
	d->remembers = in_force && d->wish_be != 0;
	d->keeps = true;
}

void pc_dhcp_destroy(struct pc_dhcp *d)
{
	struct dhcp_query q = {.type = DHCP_RELEASE};

	if (d == NULL)
		return;
	if (has_lease(d) && d->keeps) {
		lose_lease(d);
	} else if (has_lease(d)) {
		q.ciaddr_be = pc_addr_get_ip4(ip_of(&d->lease));
		q.server_be = pc_addr_get_ip4(&d->lease.server);
		d->xid = (uint32_t)rng_next(&d->st->ctx.rng);
		d->begin_ns = d->now_ns;
		send_query(d, &q, q.server_be);
		lose_lease(d);
	}
	ip_set_leasing(&d->st->ip, (uint8_t)d->port, false);
	end_probes(d);
	pc_close(d->st, d->fd);
	rte_free(d);
}
