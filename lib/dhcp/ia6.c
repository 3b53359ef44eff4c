/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses by DHCPv6: the client's one IA_NA (RFC 8415 section 18.2).
 *
 * Life cycle: IDLE until the link is up and addresses are wanted; WAITING for a moment, so that not
 * all hosts of a link ask at once, or longer after a failure; ASKING with one message after another
 * (Solicit, Request; Confirm if the link has been down; Renew, Rebind; Decline); BOUND until T1.
 *
 * The stack probes a new address before it is used (duplicate address detection), and only then is
 * it reported. Each address expires by its own lifetimes, whatever the state is.
 *
 * What a server can cause is bounded: PC_DHCP6_ADDRS addresses at a time, and at most LEASED (ip.c)
 * counting those of the last hour; we wait for RETRY_NS after a failure, and do not renew a lease
 * sooner.
 *
 * Invariants: in BOUND there is an address; asked has the addresses that the current message is
 * about.
 */
#include <string.h>

#include <rte_common.h>

#include "dhcp/client6.h"

/* How long to wait after a failure, and at least before a renewal (section 14.1). */
#define RETRY_S  10
#define RETRY_NS (RETRY_S * DHCP6_SECOND_NS)
/* Solicits without an answer after which name servers are requested separately. */
#define PATIENCE 3

static bool wants(const struct pc_dhcp6 *d)
{
	const struct netif *nif = client6_netif(d);

	return d->mode == PC_DHCP6_LEASE || (nif->ra_managed && nif->slaac);
}

bool ia6_informs(const struct pc_dhcp6 *d)
{
	const struct ia6 *ia = &d->ia;

	return (wants(d) || ia->nb_addrs > 0) &&
	       (ia->x.type != DHCP6_SOLICIT || ia->x.tries <= PATIENCE);
}

/* ---- states ---------------------------------------------------------------------------------- */

static void wait_ns(struct pc_dhcp6 *d, uint64_t ns)
{
	d->ia.x.type = DHCP6_NONE;
	d->ia.state = IA6_WAITING;
	d->ia.at_ns = d->now_ns + ns;
}

static void resume(struct pc_dhcp6 *d)
{
	d->ia.x.type = DHCP6_NONE;
	d->ia.state = IA6_BOUND;
}

static void remove_addr(struct pc_dhcp6 *d, unsigned i)
{
	struct ia6 *ia = &d->ia;

	ip_end_lease(&d->st->ip, d->port, &ia->addr[i].a.addr);
	ia->news |= ia->addr[i].ready;
	ia->addr[i] = ia->addr[--ia->nb_addrs];
}

/* Starts over after a pause. */
static void give_up(struct pc_dhcp6 *d)
{
	while (d->ia.nb_addrs > 0)
		remove_addr(d, 0);
	wait_ns(d, RETRY_NS);
}

static void after_decline(struct pc_dhcp6 *d)
{
	if (d->ia.nb_addrs > 0)
		resume(d);
	else
		wait_ns(d, RETRY_NS);
}

/* The current message has been sent as often as allowed. */
static void on_silence(struct pc_dhcp6 *d)
{
	switch (d->ia.x.type) {
	case DHCP6_CONFIRM: /* section 18.2.3: keep what we have */
		resume(d);
		break;
	case DHCP6_DECLINE:
		after_decline(d);
		break;
	default:
		give_up(d);
		break;
	}
}

/* Sends the current message. */
static void step(struct pc_dhcp6 *d)
{
	struct ia6 *ia = &d->ia;
	const uint8_t type = ia->x.type;
	const bool to_one = type == DHCP6_REQUEST || type == DHCP6_RENEW || type == DHCP6_RELEASE ||
	                    type == DHCP6_DECLINE;
	struct dhcp6_query q = {
	    .server = to_one ? &ia->server : NULL, .nb_addrs = ia->nb_asked, .addr = ia->asked};

	if (!exchange6_next(d, &ia->x, &q))
		on_silence(d);
}

/* Begins a message about the addresses in asked. */
static void begin_exchange(struct pc_dhcp6 *d, enum dhcp6_type type)
{
	d->ia.state = IA6_ASKING;
	exchange6_begin(d, &d->ia.x, type);
	step(d);
}

/* Begins a message about all leased addresses. */
static void begin_with_all(struct pc_dhcp6 *d, enum dhcp6_type type)
{
	struct ia6 *ia = &d->ia;

	ia->nb_asked = ia->nb_addrs;
	for (unsigned i = 0; i < ia->nb_addrs; i++)
		ia->asked[i] = ia->addr[i].a.addr;
	begin_exchange(d, type);
}

static void solicit(struct pc_dhcp6 *d)
{
	d->ia.nb_asked = 0;
	d->ia.offered = false;
	begin_exchange(d, DHCP6_SOLICIT);
}

/* ---- the lease ------------------------------------------------------------------------------- */

static uint64_t lifetime_end(const struct pc_dhcp6 *d, uint32_t s)
{
	return s == UINT32_MAX ? UINT64_MAX : d->now_ns + s * DHCP6_SECOND_NS;
}

static uint32_t left_s(const struct pc_dhcp6 *d, uint64_t end_ns)
{
	return end_ns == UINT64_MAX  ? UINT32_MAX
	       : end_ns <= d->now_ns ? 0
	                             : (uint32_t)((end_ns - d->now_ns) / DHCP6_SECOND_NS);
}

static uint32_t tenths(uint32_t s, unsigned n)
{
	return s == UINT32_MAX ? s : (uint32_t)((uint64_t)s * n / 10);
}

/* Sets T1 and T2 (sections 14.2, 18.2.4 and 21.4): half and four fifths of the shortest lifetime,
 * if the server leaves them to us or they would be too late. */
static void set_times(struct pc_dhcp6 *d, const struct dhcp6_ia *told)
{
	struct ia6 *ia = &d->ia;
	uint32_t valid = UINT32_MAX, life = UINT32_MAX, t1, t2;

	for (unsigned i = 0; i < ia->nb_addrs; i++) {
		const uint32_t preferred = left_s(d, ia->addr[i].a.preferred_ns);

		valid = RTE_MIN(valid, left_s(d, ia->addr[i].a.valid_ns));
		if (preferred > 0)
			life = RTE_MIN(life, preferred);
	}
	life = RTE_MIN(life, valid);
	t2 = told->t2_s != 0 ? told->t2_s : RTE_MAX(tenths(life, 8), told->t1_s);
	t1 = told->t1_s != 0 ? told->t1_s : RTE_MIN(tenths(life, 5), t2);
	if (valid != UINT32_MAX && t1 >= valid)
		t1 = tenths(valid, 5);
	if (valid != UINT32_MAX && t2 >= valid)
		t2 = tenths(valid, 8);
	t1 = RTE_MAX(t1, (uint32_t)RETRY_S);
	ia->t1_ns = lifetime_end(d, t1);
	ia->t2_ns = lifetime_end(d, RTE_MAX(t1, t2));
}

/* The index of an address in the lease; nb_addrs: not found. */
static unsigned find_address(const struct ia6 *ia, const struct pc_addr *addr)
{
	unsigned i = 0;

	while (i < ia->nb_addrs && !pc_addr_equal(&ia->addr[i].a.addr, addr))
		i++;
	return i;
}

static bool tells(const struct dhcp6_ia *told, const struct pc_addr *addr)
{
	for (unsigned i = 0; i < told->nb_addrs; i++)
		if (pc_addr_equal(&told->addr[i].addr, addr))
			return true;
	return false;
}

/* Adds an address, or updates its lifetimes (section 18.2.10.1). */
static void take_addr(struct pc_dhcp6 *d, const struct dhcp6_ia_addr *told)
{
	struct ia6 *ia = &d->ia;
	const unsigned i = find_address(ia, &told->addr);
	const struct pc_dhcp6_addr a = {.addr = told->addr,
	                                .preferred_ns = lifetime_end(d, told->preferred_s),
	                                .valid_ns = lifetime_end(d, told->valid_s)};
	const struct ip_lease l = {
	    .addr = a.addr, .preferred_ns = a.preferred_ns, .valid_ns = a.valid_ns};
	int laddr = -1;

	if (told->valid_s != 0 && i < PC_DHCP6_ADDRS) {
		laddr = ip_lease_addr(&d->st->ip, d->port, &l);
		if (laddr < 0)
			ctx_count(&d->st->ctx, PC_DHCP6_ADDRS_REFUSED);
	}
	if (laddr >= 0) {
		ia->addr[i].a = a;
		ia->addr[i].laddr = (uint16_t)laddr;
		ia->news |= ia->addr[i].ready;
		if (i == ia->nb_addrs) {
			ia->addr[i].ready = false;
			ia->nb_addrs++;
		}
	} else if (i < ia->nb_addrs) {
		remove_addr(d, i);
	}
}

/* Takes over what a server has leased. The answer to a Solicit or Request lists all of it. */
static void take(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from)
{
	struct ia6 *ia = &d->ia;
	const bool fresh = ia->x.type == DHCP6_SOLICIT || ia->x.type == DHCP6_REQUEST;

	for (unsigned i = ia->nb_addrs; fresh && i > 0; i--)
		if (!tells(&r->ia, &ia->addr[i - 1].a.addr))
			remove_addr(d, i - 1);
	for (unsigned i = 0; i < r->ia.nb_addrs; i++)
		take_addr(d, &r->ia.addr[i]);
	if (ia->nb_addrs == 0) {
		give_up(d);
		return;
	}
	ctx_count(&d->st->ctx, PC_DHCP6_LEASES);
	ia->server = r->server;
	set_times(d, &r->ia);
	resume(d);
	client6_know(d, r, from);
}

/* ---- messages -------------------------------------------------------------------------------- */

static bool is_from_ours(const struct ia6 *ia, const struct dhcp6_reply *r)
{
	return r->server.len == ia->server.len &&
	       memcmp(r->server.b, ia->server.b, ia->server.len) == 0;
}

/* The best offer has the highest preference and, among those, the most addresses; of equals the
 * first (section 18.2.9). */
static bool on_advertise(struct pc_dhcp6 *d, const struct dhcp6_reply *r)
{
	struct ia6 *ia = &d->ia;

	if (r->status != DHCP6_SUCCESS || r->ia.status != DHCP6_SUCCESS || r->ia.nb_addrs == 0)
		return false;
	if (!ia->offered || r->preference > ia->preference ||
	    (r->preference == ia->preference && r->ia.nb_addrs > ia->nb_asked)) {
		ia->offered = true;
		ia->preference = r->preference;
		ia->server = r->server;
		ia->nb_asked = r->ia.nb_addrs;
		for (unsigned i = 0; i < r->ia.nb_addrs; i++)
			ia->asked[i] = r->ia.addr[i].addr;
	}
	if (ia->x.tries > 1 || r->preference == UINT8_MAX) /* section 18.2.1 */
		begin_exchange(d, DHCP6_REQUEST);
	return true;
}

/* Processes the answer to a message that asks for addresses or more time (section 18.2.10.1). An
 * answer that it cannot use is ignored. */
static bool on_lease(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from)
{
	struct ia6 *ia = &d->ia;
	const uint8_t type = ia->x.type;
	const uint16_t status = r->status != DHCP6_SUCCESS ? r->status : r->ia.status;

	if (type == DHCP6_REQUEST &&
	    (status == DHCP6_NO_ADDRS_AVAIL || status == DHCP6_NOT_ON_LINK)) {
		give_up(d);
		return true;
	}
	if ((type == DHCP6_RENEW || type == DHCP6_REBIND) && status == DHCP6_NO_BINDING) {
		ia->server = r->server;
		begin_exchange(d, DHCP6_REQUEST);
		return true;
	}
	if (status != DHCP6_SUCCESS || r->ia.nb_addrs == 0)
		return false;
	take(d, r, from);
	return true;
}

/* section 18.2.10.2 */
static bool on_confirm(struct pc_dhcp6 *d, const struct dhcp6_reply *r)
{
	if (r->status == DHCP6_SUCCESS) {
		resume(d);
		return true;
	}
	if (r->status != DHCP6_NOT_ON_LINK)
		return false;
	give_up(d);
	wait_ns(d, exchange6_jitter(d));
	return true;
}

static bool on_reply(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from)
{
	switch (d->ia.x.type) {
	case DHCP6_CONFIRM:
		return on_confirm(d, r);
	case DHCP6_DECLINE:
		if (!is_from_ours(&d->ia, r))
			return false;
		after_decline(d);
		return true;
	case DHCP6_REQUEST:
	case DHCP6_RENEW:
		return is_from_ours(&d->ia, r) && on_lease(d, r, from);
	case DHCP6_SOLICIT: /* section 18.2.10: only with rapid commit */
		return r->rapid && on_lease(d, r, from);
	default:
		return on_lease(d, r, from);
	}
}

bool ia6_input(struct pc_dhcp6 *d, const struct dhcp6_reply *r, const struct pc_addr *from)
{
	if (!exchange6_is_for(&d->ia.x, r))
		return false;
	if (r->type == DHCP6_ADVERTISE)
		return d->ia.x.type == DHCP6_SOLICIT && on_advertise(d, r);
	return on_reply(d, r, from);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Declines an address that another host has (section 18.2.8). */
static void ia6_decline(struct pc_dhcp6 *d, unsigned i)
{
	struct ia6 *ia = &d->ia;

	if (ia->x.type != DHCP6_DECLINE)
		ia->nb_asked = 0;
	ia->x.type = DHCP6_DECLINE;
	if (ia->nb_asked < PC_DHCP6_ADDRS)
		ia->asked[ia->nb_asked++] = ia->addr[i].a.addr;
	ctx_count(&d->st->ctx, PC_DHCP6_DECLINED);
	remove_addr(d, i);
}

/* Says whether the client is in a state that requires addresses. */
static bool needs_lease(const struct ia6 *ia)
{
	const uint8_t type = ia->x.type;

	return ia->state == IA6_BOUND || type == DHCP6_RENEW || type == DHCP6_REBIND ||
	       type == DHCP6_CONFIRM;
}

/* Checks the state of the addresses in the stack. */
static void ia6_look(struct pc_dhcp6 *d)
{
	struct ia6 *ia = &d->ia;
	bool declined = false;

	for (unsigned i = ia->nb_addrs; i > 0; i--) {
		struct ia6_addr *a = &ia->addr[i - 1];
		const struct laddr *la = &d->st->ip.ifs.addr[a->laddr];

		if (a->a.valid_ns <= d->now_ns || la->state == LADDR_EXPIRED) {
			remove_addr(d, i - 1);
		} else if (la->state == LADDR_DUPLICATE) {
			ia6_decline(d, i - 1);
			declined = true;
		} else if (!a->ready && la->state <= LADDR_DEPRECATED) {
			a->ready = true;
			ia->news = true;
		}
	}
	if (declined)
		begin_exchange(d, DHCP6_DECLINE);
	else if (ia->nb_addrs == 0 && needs_lease(ia))
		wait_ns(d, exchange6_jitter(d));
}

static void ia6_on_time(struct pc_dhcp6 *d)
{
	struct ia6 *ia = &d->ia;

	if (ia->state == IA6_WAITING && ia->nb_addrs > 0)
		begin_with_all(d, DHCP6_CONFIRM);
	else if (ia->state == IA6_WAITING)
		solicit(d);
	else if (ia->x.type == DHCP6_SOLICIT && ia->offered)
		begin_exchange(d, DHCP6_REQUEST);
	else if (d->now_ns >= ia->t2_ns && (ia->state == IA6_BOUND || ia->x.type == DHCP6_RENEW))
		begin_with_all(d, DHCP6_REBIND);
	else if (ia->state == IA6_BOUND)
		begin_with_all(d, DHCP6_RENEW);
	else
		step(d);
}

/* When the next step is due. */
static uint64_t due(const struct ia6 *ia)
{
	switch (ia->state) {
	case IA6_WAITING:
		return ia->at_ns;
	case IA6_ASKING:
		return ia->x.type == DHCP6_RENEW ? RTE_MIN(ia->x.at_ns, ia->t2_ns) : ia->x.at_ns;
	case IA6_BOUND:
		return ia->t1_ns;
	default:
		return UINT64_MAX;
	}
}

static bool may_begin(const struct pc_dhcp6 *d)
{
	return d->ia.state == IA6_IDLE && client6_is_up(d) && (wants(d) || d->ia.nb_addrs > 0);
}

/* Reports the addresses that are ready. */
static void publish(struct pc_dhcp6 *d)
{
	struct pc_dhcp6_info *info = &d->info;

	d->ia.news = false;
	info->nb_addrs = 0;
	for (unsigned i = 0; i < d->ia.nb_addrs; i++)
		if (d->ia.addr[i].ready)
			info->addr[info->nb_addrs++] = d->ia.addr[i].a;
	client6_changed(d);
}

void ia6_turn(struct pc_dhcp6 *d)
{
	ia6_look(d);
	if (may_begin(d))
		wait_ns(d, exchange6_jitter(d));
	if (due(&d->ia) <= d->now_ns)
		ia6_on_time(d);
	if (d->ia.news)
		publish(d);
}

uint64_t ia6_next_deadline(const struct pc_dhcp6 *d)
{
	uint64_t ns = may_begin(d) ? d->now_ns : due(&d->ia);

	for (unsigned i = 0; i < d->ia.nb_addrs; i++)
		ns = RTE_MIN(ns, d->ia.addr[i].a.valid_ns);
	return ns;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The link may now lead to another network: the addresses stay in use while they are being
 * confirmed (section 18.2.12). */
void ia6_follow_link(struct pc_dhcp6 *d)
{
	d->ia.x.type = DHCP6_NONE;
	d->ia.state = IA6_IDLE;
}

/* Sends Release once, without waiting for the answer. The addresses are no longer used from then on
 * (section 18.2.7). */
void ia6_end(struct pc_dhcp6 *d)
{
	struct ia6 *ia = &d->ia;

	if (ia->nb_addrs == 0)
		return;
	for (ia->nb_asked = 0; ia->nb_addrs > 0; remove_addr(d, 0))
		ia->asked[ia->nb_asked++] = ia->addr[0].a.addr;
	begin_exchange(d, DHCP6_RELEASE);
}
