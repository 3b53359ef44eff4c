/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: the DHCP client as RFC 2131 section 4.4 and figure 5 describe it, written from the text,
 * beside the real one. The model follows from what the real client sends and from what arrives; it
 * says which message may be sent, when one must have been sent, and until when there is an address.
 * `leases FIRST LAST` runs seeds, `leases SEED` one, and says what happens.
 */

#include "leases.h"

#include <string.h>

#include <rte_common.h>

#define SLACK     (2 * MS)
#define PROBING   (1 * SECOND) /* at most, for the address to be probed */
#define LINK_ASKS 5            /* requests after the link has come up; docs/rfc.md, 2131-3.7 */

enum phase { INIT, SELECTING, REQUESTING, TRYING, BOUND, RENEWING, REBINDING };

static const char *const phases[] = {"INIT",  "SELECTING", "REQUESTING", "TRYING",
                                     "BOUND", "RENEWING",  "REBINDING"};

struct model {
	struct servers ss;
	struct pc_dhcp *client;
	enum phase phase;
	uint32_t xid;
	uint16_t secs;               /* of the last DISCOVER */
	unsigned tries;              /* messages of this phase */
	uint64_t sent_ns;            /* the last of them */
	uint64_t must_ns;            /* something must be sent by then */
	uint64_t not_before_ns;      /* the next DISCOVER */
	uint64_t asked_ns;           /* the request of this transaction: where a lease starts */
	uint32_t addr_be, server_be; /* requested, or leased */
	struct answer offer[16];     /* of this transaction */
	unsigned nb_offers;
	unsigned probes; /* for the address */
	bool claimed;    /* the address that is probed for; DECLINE must follow */
	bool verifies;   /* the link came up, and no server has answered since */
	uint64_t start_ns, t1_ns, t2_ns, end_ns; /* of the lease; t1, t2: latest times */
	uint64_t early_ns;                       /* how much earlier they may be */
	bool ordered;                            /* T1 <= T2 < end, as the RFC requires */
	struct terms t;
	bool ending;
	uint64_t flap_ns; /* when the link changes */
	uint64_t jump_ns; /* when the machine continued: the stack acts before its client does */
};

static struct model m;

static bool has_lease(void)
{
	return m.phase >= BOUND;
}

static void enter(struct bed *b, enum phase phase)
{
	if (m.phase != phase)
		bed_log(b, "-> %s", phases[phase]);
	m.phase = phase;
	m.tries = 0;
}

/* There is no lease any more. */
static void lose(struct bed *b)
{
	enter(b, INIT);
	m.verifies = false;
	m.not_before_ns = 0;
	m.must_ns = b->now + 11 * SECOND; /* section 4.4.1: a wait of one to ten seconds */
}

/* ---- what the client says -------------------------------------------------------------------- */

/* RFC 2131 section 4.1: 4 s, doubled up to 64, give or take one */
static uint64_t wait_of(unsigned tries)
{
	return RTE_MIN(UINT64_C(4) << RTE_MIN(tries, 8u), UINT64_C(64)) * SECOND;
}

static void check_gap(struct bed *b, const char *what)
{
	const uint64_t wait = wait_of(m.tries - 1), gap = b->now - m.sent_ns;

	if (gap + SLACK < wait - SECOND)
		bed_fail(b, "%s is repeated after %.3f s, the wait is %.0f s", what,
		         bed_seconds(gap), bed_seconds(wait));
}

static void note_sent(struct bed *b)
{
	m.tries++;
	m.sent_ns = b->now;
	m.must_ns = b->now + wait_of(m.tries - 1) + SECOND + SLACK;
}

static void on_discover(struct bed *b, const struct said *q)
{
	if (q->ciaddr_be != 0 || q->server_be != 0 || q->dst_be != UINT32_MAX || q->src_be != 0)
		bed_fail(b, "a DISCOVER with ciaddr or server, or not broadcast from 0.0.0.0");
	if ((has_lease() || (m.phase == TRYING && b->now > m.sent_ns + PROBING / 2)) &&
	    b->now + SLACK >= m.end_ns)
		lose(b); /* it counts from the request, which is heard once ARP has been answered */
	if (has_lease() || m.phase == TRYING)
		bed_fail(b, "a DISCOVER in %s", phases[m.phase]);
	if (b->now < m.not_before_ns)
		bed_fail(b, "a DISCOVER %.3f s too early", bed_seconds(m.not_before_ns - b->now));
	if (m.phase == SELECTING) {
		check_gap(b, "DISCOVER");
	} else {
		if (m.phase == REQUESTING)
			check_gap(b, "DISCOVER after REQUEST");
		enter(b, SELECTING);
		m.nb_offers = 0;
	}
	if (q->xid != m.xid)
		m.nb_offers = 0;
	m.xid = q->xid;
	m.secs = q->secs;
	note_sent(b);
}

static bool is_offered(uint32_t server_be, uint32_t addr_be)
{
	for (unsigned i = 0; i < m.nb_offers; i++)
		if (m.offer[i].server_be == server_be && m.offer[i].yiaddr_be == addr_be)
			return true;
	return false;
}

/* section 4.3.2: SELECTING */
static void on_choice(struct bed *b, const struct said *q)
{
	if (q->ciaddr_be != 0 || q->dst_be != UINT32_MAX || q->src_be != 0)
		bed_fail(b, "a REQUEST of an offer with ciaddr, or not broadcast from 0.0.0.0");
	if (q->xid != m.xid || !is_offered(q->server_be, q->requested_be))
		bed_fail(b, "a REQUEST of what nobody has offered");
	/* section 3.1.3: "MUST use the same value in the DHCP message header's 'secs' field" */
	if (q->secs != m.secs)
		bed_fail(b, "secs of a REQUEST is %u, of the DISCOVER it was %u", q->secs, m.secs);
	if (m.phase == REQUESTING) {
		if (q->requested_be != m.addr_be || q->server_be != m.server_be)
			bed_fail(b, "a repeated REQUEST is another one");
		check_gap(b, "REQUEST");
	} else if (m.phase == SELECTING) {
		enter(b, REQUESTING);
		m.asked_ns = b->now;
		m.addr_be = q->requested_be;
		m.server_be = q->server_be;
	} else {
		bed_fail(b, "a REQUEST of an offer in %s", phases[m.phase]);
	}
	note_sent(b);
}

/* When the next request for more time is due after one at m.sent_ns, before a boundary (4.4.5). */
static uint64_t half_way(uint64_t boundary_ns)
{
	const uint64_t left = boundary_ns > m.sent_ns ? (boundary_ns - m.sent_ns) / 2 : 0;

	if (boundary_ns == NEVER)
		return NEVER;
	return RTE_MIN(m.sent_ns + RTE_MAX(left, 60 * SECOND), boundary_ns);
}

static void check_renewal_time(struct bed *b, enum phase phase)
{
	const uint64_t early = m.early_ns + SLACK;

	if (!m.ordered)
		return;
	if (phase == RENEWING && m.phase == BOUND && b->now + early < m.t1_ns)
		bed_fail(b, "renewed %.3f s before T1", bed_seconds(m.t1_ns - b->now));
	if (phase == RENEWING && m.phase == RENEWING && b->now + early < half_way(m.t2_ns))
		bed_fail(b, "renewed again %.3f s too early",
		         bed_seconds(half_way(m.t2_ns) - b->now));
	if (phase == RENEWING && b->now > m.t2_ns + SLACK && b->now < m.end_ns)
		bed_fail(b, "the server is asked after T2");
	if (phase == REBINDING && m.phase < REBINDING && b->now + early < m.t2_ns)
		bed_fail(b, "rebinding %.3f s before T2", bed_seconds(m.t2_ns - b->now));
	if (phase == REBINDING && m.phase == REBINDING && b->now + SLACK < half_way(m.end_ns))
		bed_fail(b, "rebinding again %.3f s too early",
		         bed_seconds(half_way(m.end_ns) - b->now));
}

/* sections 4.3.2 and 4.4.5: RENEWING, REBINDING */
static void on_renewal(struct bed *b, const struct said *q)
{
	const bool all = q->dst_be == UINT32_MAX;
	const enum phase phase = all ? REBINDING : RENEWING;

	if (!has_lease() || q->ciaddr_be != m.addr_be || q->src_be != m.addr_be)
		bed_fail(b, "a REQUEST for more time of what is not leased");
	if (q->requested_be != 0 || q->server_be != 0)
		bed_fail(b, "a REQUEST for more time with an address or a server");
	if (!all && q->dst_be != m.server_be)
		bed_fail(b, "a REQUEST for more time to another server");
	if (m.verifies && all && m.tries < LINK_ASKS) {
		if (m.tries > 0)
			check_gap(b, "REQUEST after the link came up");
		m.phase = REBINDING;
		note_sent(b);
		if (m.tries == LINK_ASKS) /* then it goes on as before */
			m.must_ns = RTE_MAX(m.must_ns, m.ordered ? m.t1_ns : m.end_ns);
	} else {
		if (!m.verifies)
			check_renewal_time(b, phase);
		m.verifies = false;
		if (phase != m.phase)
			enter(b, phase);
		m.tries++;
		m.sent_ns = b->now;
		m.must_ns = half_way(phase == RENEWING ? m.t2_ns : m.end_ns);
	}
	m.must_ns = RTE_MIN(m.must_ns, m.end_ns);
	m.xid = q->xid;
	m.asked_ns = b->now;
}

static void on_request(struct bed *b, const struct said *q)
{
	if (q->server_be != 0)
		on_choice(b, q);
	else if (q->ciaddr_be != 0)
		on_renewal(b, q);
	else
		bed_fail(b, "a REQUEST of neither an offer nor more time");
}

static void on_decline(struct bed *b, const struct said *q)
{
	if (m.phase != TRYING || !m.claimed || q->requested_be != m.addr_be ||
	    q->server_be != m.server_be || q->ciaddr_be != 0 || q->secs != 0)
		bed_fail(b, "a DECLINE in %s", phases[m.phase]);
	m.claimed = false;
	enter(b, INIT);
	m.sent_ns = b->now;
	m.not_before_ns = b->now + 10 * SECOND - SLACK; /* section 3.1.5 */
	m.must_ns = b->now + 12 * SECOND;
}

static void on_release(struct bed *b, const struct said *q)
{
	if (!m.ending || q->ciaddr_be != m.addr_be || q->dst_be != m.server_be ||
	    q->server_be != m.server_be || q->requested_be != 0 || q->secs != 0)
		bed_fail(b, "a RELEASE of something else");
}

/* ---- ARP ------------------------------------------------------------------------------------- */

static void hear_arp(struct bed *b, const struct frame *f)
{
	struct frame_ends e = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};
	struct frame r;

	memcpy(&e.dst_be, f->b + 28, 4);
	memcpy(&e.src_be, f->b + 38, 4);
	bed_log(b, "ARP from %08x for %08x", ntohl(e.dst_be), ntohl(e.src_be));
	if (e.dst_be == 0) { /* a probe */
		if (m.phase != TRYING || e.src_be != m.addr_be)
			bed_fail(b, "a probe in %s", phases[m.phase]);
		m.probes++;
		if (bed_is_up(b) && bed_chance(b, 2))
			servers_claim(b, m.addr_be);
		return;
	}
	if (e.dst_be != m.addr_be ||
	    (!has_lease() && b->now != m.jump_ns && m.phase != TRYING && !m.ending))
		bed_fail(b, "ARP from an address that is not leased");
	if (f->b[21] != 1 || e.src_be == e.dst_be)
		return;
	/* always answered, so that messages to a server alone are heard when they are sent */
	frame_arp(&r, &e, 2, e.dst_mac);
	bed_say(b, &r, bed_draw(b, 1, MS), TAG_NONE);
}

static void hear(struct bed *b, const struct frame *f)
{
	struct said q;

	if (f->b[12] == 8 && f->b[13] == 6) {
		hear_arp(b, f);
		return;
	}
	if (!servers_read(b, f, &q) || b->failed)
		return;
	bed_log(b, "%s xid %08x secs %u ciaddr %08x requested %08x server %08x to %08x",
	        servers_name(q.type), q.xid, q.secs, ntohl(q.ciaddr_be), ntohl(q.requested_be),
	        ntohl(q.server_be), ntohl(q.dst_be));
	if (q.type == DISCOVER)
		on_discover(b, &q);
	else if (q.type == REQUEST)
		on_request(b, &q);
	else if (q.type == DECLINE)
		on_decline(b, &q);
	else if (q.type == RELEASE)
		on_release(b, &q);
	else
		bed_fail(b, "a message of type %u", q.type);
	servers_hear(b, &m.ss, &q);
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static uint64_t after(uint64_t from_ns, uint32_t s)
{
	return s == UINT32_MAX ? NEVER : from_ns + s * SECOND;
}

/* Sets the times of a lease (section 4.4.5): T1 is half of it and T2 seven eighths, if not told. */
static void set_lease(struct bed *b, const struct answer *a)
{
	const struct terms *t = &a->t;
	const uint32_t t1 = t->has_t1 ? t->t1_s : t->lease_s / 2;
	const uint32_t t2 = t->has_t2 ? t->t2_s : (uint32_t)((uint64_t)t->lease_s * 7 / 8);
	const bool forever = t->lease_s == UINT32_MAX;

	m.t = *t;
	m.server_be = a->server_be;
	m.start_ns = m.asked_ns;
	m.end_ns = after(m.start_ns, t->lease_s);
	m.ordered = forever || (t1 < t2 && t2 < t->lease_s);
	m.t1_ns = forever ? NEVER : after(m.start_ns, t1);
	m.t2_ns = forever ? NEVER : after(m.start_ns, t2);
	/* a random part of T1, where the server leaves it to the client, and as much of T2 */
	m.early_ns = forever || t1 != t->lease_s / 2 ? 0 : t->lease_s * (SECOND / 128);
	m.verifies = false;
	bed_log(b, "lease until %.3f s, T1 %.3f s, T2 %.3f s%s", bed_seconds(m.end_ns),
	        bed_seconds(m.t1_ns), bed_seconds(m.t2_ns), m.ordered ? "" : ", out of order");
}

/* By when the client asks for more time: it must do so before the end, if there is time to. */
static void set_bound(struct bed *b)
{
	const uint64_t soon = b->now + SECOND;

	enter(b, BOUND);
	m.must_ns = m.ordered ? RTE_MAX(m.t1_ns, soon) : RTE_MAX(m.end_ns, soon);
	m.must_ns = RTE_MIN(m.must_ns, m.end_ns);
}

static void on_offer(struct bed *b, const struct answer *a)
{
	if (m.phase != SELECTING || !a->has_server || !a->has_lease ||
	    m.nb_offers == RTE_DIM(m.offer))
		return;
	m.offer[m.nb_offers++] = *a;
	m.must_ns = RTE_MIN(m.must_ns, b->now + SECOND);
}

static void on_ack(struct bed *b, const struct answer *a)
{
	const bool renews = m.phase == RENEWING || m.phase == REBINDING;
	struct answer known = *a;

	if (!a->has_lease || a->t.lease_s == 0 || a->yiaddr_be != m.addr_be ||
	    (m.phase != REQUESTING && !renews))
		return;
	if (m.phase == REQUESTING && a->has_server && a->server_be != m.server_be)
		return;
	if (!a->has_server)
		known.server_be = m.server_be;
	set_lease(b, &known);
	if (renews && b->now >= m.end_ns) {
		lose(b); /* the lease counts from the request */
		return;
	}
	if (renews) {
		set_bound(b);
		return;
	}
	enter(b, TRYING);
	m.probes = 0;
	m.claimed = false;
	m.must_ns = NEVER;
	m.not_before_ns = 0;
	m.sent_ns = b->now;
}

static void on_nak(struct bed *b, const struct answer *a)
{
	if (m.phase == RENEWING || m.phase == REBINDING ||
	    (m.phase == REQUESTING && (!a->has_server || a->server_be == m.server_be)))
		lose(b);
}

static void on_claim(struct bed *b)
{
	if (m.phase != TRYING)
		return;
	m.claimed = true;
	m.must_ns = b->now;
}

static void arrived(struct bed *b, unsigned tag)
{
	const struct answer *a = servers_answer(&m.ss, tag);

	if (tag == TAG_CLAIM)
		on_claim(b);
	if (tag < TAG_FIRST)
		return;
	bed_log(b, "%s from %08x: xid %08x yiaddr %08x lease %u%s", servers_name(a->type),
	        ntohl(a->server_be), a->xid, ntohl(a->yiaddr_be), a->t.lease_s,
	        a->valid ? "" : " (spoilt)");
	if (!a->valid || a->xid != m.xid || m.phase == INIT || m.phase == TRYING ||
	    m.phase == BOUND)
		return;
	if (a->type == OFFER)
		on_offer(b, a);
	else if (a->type == ACK)
		on_ack(b, a);
	else
		on_nak(b, a);
}

/* ---- invariants ------------------------------------------------------------------------------ */

static void check_addr(struct bed *b)
{
	struct pc_stack_addr list[4];
	const unsigned n = pc_stack_get_addrs(b->st, list, 4);
	const bool has = n == 1 && list[0].ready &&
	                 pc_addr_get_ip4(&list[0].addr.addr) == m.addr_be &&
	                 list[0].addr.len == 96 + m.t.len;

	if (n > 1 || (n == 1 && !has))
		bed_fail(b, "it has %u addresses, or another than was leased", n);
	if (m.phase == TRYING && has) {
		if (m.probes < 3 || m.claimed)
			bed_fail(b, "the address is used after %u probes", m.probes);
		set_bound(b);
	}
	if (has && !has_lease())
		bed_fail(b, "it has the address in %s", phases[m.phase]);
	if (!has && has_lease() && b->now + SLACK < m.end_ns)
		bed_fail(b, "it does not have the address in %s", phases[m.phase]);
	if (has && b->now >= m.end_ns)
		bed_fail(b, "it has the address after the lease is over");
	if (m.phase == TRYING && b->now > m.sent_ns + PROBING && b->now < m.end_ns)
		bed_fail(b, "the address is not used after the probes");
}

static void check_names(struct bed *b)
{
	struct pc_addr dns[8];
	const unsigned n = pc_stack_get_dns(b->st, dns, 8), want = has_lease() ? m.t.nb_dns : 0;
	const unsigned routes = pc_route_list(b->st, NULL, 0);
	const unsigned routes_want = has_lease() ? 1 + (m.t.router_be != 0) : 0;

	if (n != want)
		bed_fail(b, "it has %u name servers, not %u", n, want);
	for (unsigned i = 0, found; i < want && n == want; i++) {
		found = 0;
		for (unsigned k = 0; k < n; k++)
			found += pc_addr_get_ip4(&dns[k]) == m.t.dns_be[i];
		if (found != 1)
			bed_fail(b, "it lacks a name server");
	}
	if (routes != routes_want)
		bed_fail(b, "it has %u routes, not %u", routes, routes_want);
}

static void check(struct bed *b)
{
	if (m.ending)
		return;
	check_addr(b);
	if (b->now + SLACK < m.end_ns || !has_lease())
		check_names(b);
	if (m.must_ns != NEVER && b->now > m.must_ns + SLACK && (!has_lease() || bed_is_up(b)))
		bed_fail(b, "nothing was sent in %s since %.3f s", phases[m.phase],
		         bed_seconds(m.sent_ns));
}

/* ---- the world ------------------------------------------------------------------------------- */

/* The link comes up: who has a lease asks about it at once, and others start over (section 3.7). */
static void link_up(struct bed *b)
{
	m.must_ns = b->now;
	m.tries = 0;
	m.claimed = false;
	if (has_lease()) {
		m.verifies = true;
		return;
	}
	enter(b, INIT);
	m.not_before_ns = 0;
}

static void due(struct bed *b)
{
	const uint64_t scale = (uint64_t)m.ss.scale_s * SECOND;

	if (m.ending)
		return;
	if (b->now >= m.ss.event_ns) {
		servers_event(b, &m.ss);
		m.ss.event_ns = b->now + bed_draw(b, scale / 4, 2 * scale);
		if (b->nb_posts == 0 &&
		    bed_chance(b, 10)) { /* the machine is stopped for a while */
			b->now += bed_draw(b, 1, scale);
			m.jump_ns = b->now;
			if (m.phase == TRYING)
				m.sent_ns = b->now;
			if (m.must_ns != NEVER) /* ARP may come first */
				m.must_ns = RTE_MAX(m.must_ns, b->now + 2 * MS);
			bed_log(b, "continues");
		}
	}
	/* the lease is over, or was before its address had been probed for */
	if (b->now >= m.end_ns &&
	    (has_lease() || (m.phase == TRYING && b->now > m.sent_ns + PROBING)))
		lose(b);
	if (b->now < m.flap_ns)
		return;
	bed_link(b, !bed_is_up(b));
	m.flap_ns = b->now + (bed_is_up(b) ? bed_draw(b, scale / 2, 4 * scale)
	                                   : bed_draw(b, MS, bed_chance(b, 50) ? SECOND : scale));
	if (bed_is_up(b))
		link_up(b);
}

static void turn(struct bed *b)
{
	if (m.client != NULL)
		pc_dhcp_turn(m.client, b->now);
}

static uint64_t client_next(struct bed *b)
{
	(void)b;
	return m.client != NULL ? pc_dhcp_next_deadline(m.client) : NEVER;
}

static uint64_t next(struct bed *b)
{
	uint64_t ns = m.ending ? NEVER : RTE_MIN(m.ss.event_ns, m.flap_ns);

	if (m.must_ns > b->now)
		ns = RTE_MIN(ns, m.must_ns);
	if (m.phase == TRYING)
		ns = RTE_MIN(ns, m.sent_ns + PROBING + US);
	return has_lease() && m.end_ns > b->now ? RTE_MIN(ns, m.end_ns) : ns;
}

static void finish(struct bed *b)
{
	struct pc_stack_usage u;

	if (b->failed)
		return;
	m.ending = true;
	m.must_ns = NEVER;
	pc_dhcp_destroy(m.client);
	m.client = NULL;
	bed_run(b, b->now + 10 * SECOND);
	pc_stack_get_usage(b->st, &u);
	if (u.udp_sockets != 0 || pc_stack_get_addrs(b->st, NULL, 0) != 0 ||
	    pc_route_list(b->st, NULL, 0) != 0 || pc_stack_get_dns(b->st, NULL, 0) != 0)
		bed_fail(b, "something is left at the end");
}

static bool run(uint64_t seed, struct rte_mempool *pool)
{
	static const struct bed_model model = {.name = "leases",
	                                       .hear = hear,
	                                       .arrived = arrived,
	                                       .client = turn,
	                                       .client_next = client_next,
	                                       .due = due,
	                                       .check = check,
	                                       .next = next};
	struct bed b;
	uint64_t scale;

	bed_begin(&b, &model, seed, pool);
	memset(&m, 0, sizeof(m));
	servers_plan(&b, &m.ss);
	b.most_frames = 2000;
	bed_open(&b);
	scale = (uint64_t)m.ss.scale_s * SECOND;
	m.client = pc_dhcp_create(b.st, 0, bed_chance(&b, 50) ? "host" : NULL);
	m.must_ns = b.now + 11 * SECOND;
	m.ss.event_ns = bed_chance(&b, 70) ? b.now + bed_draw(&b, 0, 2 * scale) : NEVER;
	m.flap_ns = bed_chance(&b, 40) ? b.now + bed_draw(&b, 0, 4 * scale) : NEVER;
	bed_run(&b, b.now + 20 * scale + 600 * SECOND);
	finish(&b);
	if (m.client != NULL)
		pc_dhcp_destroy(m.client);
	return bed_close(&b);
}

int main(int argc, char **argv)
{
	return bed_main(argc, argv, 300, run);
}
