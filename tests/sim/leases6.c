/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: a search for defects in the DHCPv6 client: servers that lease, refuse, disappear and come
 * back with other addresses and times, answers that are lost, late, doubled or for others, links that
 * go down; and beside the real client one as RFC 8415 sections 15 and 18.2 describe it, written from
 * the text. `leases6 FIRST LAST` runs seeds, `leases6 SEED` one, and says what happens.
 */

#include <string.h>

#include <percore/dhcp6.h>
#include <rte_common.h>

#include "leases6.h"
#include "stack/stack.h"

#define SLACK (2 * MS)
#define PAUSE (10 * SECOND) /* after a failure, and at least before a renewal (section 14.1) */

/** Times of a message in seconds (section 7.6). */
struct timing {
	double irt, mrt;
	unsigned mrc;
};

struct own {
	bool has;
	uint64_t preferred_ns, valid_ns;
};

struct model {
	struct servers6 ss;
	uint64_t event_ns, flap_ns;
	struct pc_dhcp6 *client;
	/* the client: the current message, if any, and the lease */
	uint8_t type;
	struct said said;
	unsigned tries;
	uint64_t first_ns, last_ns, gap_ns;
	uint64_t must_ns; /* something must be sent by then */
	uint32_t offers;  /* a bit for each server */
	struct own own[32];
	uint8_t server; /* of the lease: number + 1 */
	uint64_t t1_ns, t2_ns, pause_ns;
	bool ordered, ending, confirms;
};

static struct model m;

static const struct timing timing[] = {
    [SOLICIT] = {1, 3600, 0}, [REQUEST] = {1, 30, 10}, [CONFIRM] = {1, 4, 0},
    [RENEW] = {10, 600, 0},   [REBIND] = {10, 600, 0}, [RELEASE] = {1, 1, 4},
    [DECLINE] = {1, 1, 4}};
static const char *const names[] = {"none",  "Solicit", "Advertise", "Request", "Confirm",
                                    "Renew", "Rebind",  "Reply",     "Release", "Decline"};

static uint32_t owned(void)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < RTE_DIM(m.own); i++)
		bits |= (uint32_t)m.own[i].has << i;
	return bits;
}

static uint64_t after(const struct bed *b, uint32_t s)
{
	return s == FOREVER ? NEVER : b->now + s * SECOND;
}

/* ---- what the client says -------------------------------------------------------------------- */

/* Section 15: RT is IRT, then twice the last one, up to MRT; each is varied by a tenth. */
static void check_gap(struct bed *b)
{
	const struct timing *t = &timing[m.type];
	const double gap = bed_seconds(b->now - m.last_ns), last = bed_seconds(m.gap_ns);
	double low = m.tries == 1 ? 0.9 * t->irt : 1.9 * last;
	double high = m.tries == 1 ? 1.1 * t->irt : 2.1 * last;

	if (m.tries == 1 && m.type == SOLICIT)
		low = t->irt; /* section 18.2.1 */
	low = RTE_MIN(low, 0.9 * t->mrt);
	high = high > t->mrt ? 1.1 * t->mrt : high;
	if (gap < low - 0.002 || gap > high + 0.002)
		bed_fail(b, "%s is repeated after %.3f s, the last wait was %.3f s", names[m.type],
		         gap, last);
}

static void check_elapsed(struct bed *b, const struct said *q)
{
	const uint64_t hundredths = (b->now - m.first_ns) / (10 * MS);

	if (q->elapsed + UINT64_C(1) < RTE_MIN(hundredths, UINT64_C(65535)) ||
	    q->elapsed > hundredths + 1)
		bed_fail(b, "%s has an elapsed time of %u, not %u", names[q->type], q->elapsed,
		         (unsigned)hundredths);
}

/* Whether a message may begin now. */
static void check_begin(struct bed *b, const struct said *q)
{
	const bool to_one =
	    q->type == REQUEST || q->type == RENEW || q->type == RELEASE || q->type == DECLINE;

	if ((q->server != 0) != to_one)
		bed_fail(b, "%s %s a server", names[q->type], q->server != 0 ? "has" : "lacks");
	if (q->type == SOLICIT && owned() != 0)
		bed_fail(b, "Solicit while there are addresses");
	if (q->type == SOLICIT && b->now < m.pause_ns)
		bed_fail(b, "Solicit %.3f s too early", bed_seconds(m.pause_ns - b->now));
	if (q->type == REQUEST && (m.offers >> q->server & 1) == 0)
		bed_fail(b, "Request to server %u, which has offered nothing", q->server);
	if ((q->type == RENEW || q->type == REBIND || q->type == CONFIRM) && q->addrs != owned())
		bed_fail(b, "%s of %x, not %x", names[q->type], q->addrs, owned());
	if (q->type == RENEW && (q->server != m.server || b->now + SLACK < m.t1_ns ||
	                         (m.ordered && b->now > m.t2_ns + SLACK)))
		bed_fail(b, "Renew to server %u, %.3f s after T1", q->server,
		         bed_seconds(b->now) - bed_seconds(m.t1_ns));
	if (q->type == REBIND && b->now + SLACK < m.t2_ns)
		bed_fail(b, "Rebind %.3f s before T2", bed_seconds(m.t2_ns - b->now));
	if (q->type == CONFIRM && !m.confirms)
		bed_fail(b, "Confirm although the link was not down");
	if (q->type == DECLINE || (q->type == RELEASE && !m.ending))
		bed_fail(b, "%s", names[q->type]);
}

static void on_message(struct bed *b, const struct said *q)
{
	const bool again = q->type == m.type && q->xid == m.said.xid;
	const struct timing *t = &timing[q->type];

	bed_log(b, "%s xid %06x server %u addrs %x elapsed %u", names[q->type], q->xid, q->server,
	        q->addrs, q->elapsed);
	if (!q->has_client || !q->has_ia)
		bed_fail(b, "%s without an identifier or IA", names[q->type]);
	if (again) {
		check_gap(b);
		m.gap_ns = b->now - m.last_ns;
		if (q->server != m.said.server || q->addrs != m.said.addrs)
			bed_fail(b, "a repeated %s is another one", names[q->type]);
	} else {
		check_begin(b, q);
		m.tries = 0;
		m.first_ns = b->now;
		m.gap_ns = 0;
	}
	check_elapsed(b, q);
	m.type = q->type;
	m.said = *q;
	m.last_ns = b->now;
	m.tries++;
	if (t->mrc != 0 && m.tries > t->mrc)
		bed_fail(b, "%s is sent %u times", names[q->type], m.tries);
	m.must_ns =
	    b->now +
	    (uint64_t)((m.tries == 1 ? t->irt : RTE_MIN(2.1 * bed_seconds(m.gap_ns), t->mrt)) *
	               1.1e9) +
	    (t->mrc != 0 || q->type == CONFIRM ? 2 * PAUSE : SECOND);
	servers6_hear(b, &m.ss, q);
}

static void read_ia(struct said *q, const uint8_t *p, unsigned len)
{
	q->has_ia = true;
	q->iaid = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	for (unsigned n = 12; n + 28 <= len; n += 28)
		q->addrs |= UINT32_C(1) << ((p[n + 19] - 1u) & 31);
}

static void hear(struct bed *b, const struct frame *f)
{
	struct said q = {0};
	struct info6 i;

	if (f->b[12] != 0x86 || frame6_read(f, &i) != NULL || i.proto != 17)
		return;
	q.type = i.l4[8];
	q.xid = (uint32_t)i.l4[9] << 16 | (uint32_t)i.l4[10] << 8 | i.l4[11];
	for (const uint8_t *p = i.l4 + 12; p < i.l4 + i.l4_len; p += 4 + (p[2] << 8 | p[3])) {
		const unsigned len = (unsigned)(p[2] << 8 | p[3]);

		if (p[1] == 1)
			q.has_client = len == 10 && memcmp(p + 4, "\0\3\0\1" PROBE_MAC, 10) == 0;
		else if (p[1] == 2)
			q.server = p[7];
		else if (p[1] == 3)
			read_ia(&q, p + 4, len);
		else if (p[1] == 8)
			q.elapsed = (uint16_t)(p[4] << 8 | p[5]);
	}
	if (q.type == 11) /* Information-request, while no server leases anything */
		return;
	if (q.type == 0 || q.type >= RTE_DIM(timing) || timing[q.type].irt == 0)
		bed_fail(b, "a message of type %u", q.type);
	else
		on_message(b, &q);
}

/* ---- what arrives ---------------------------------------------------------------------------- */

/* No message is under way, and the lease goes on, or there is none. */
static void rest(struct bed *b)
{
	m.type = 0;
	m.must_ns = owned() == 0 ? b->now + SECOND + SLACK : NEVER;
	if (owned() != 0 && m.ordered)
		m.must_ns = RTE_MAX(m.t1_ns, b->now) + SLACK;
}

static void lose(struct bed *b, uint64_t pause)
{
	memset(m.own, 0, sizeof(m.own));
	m.pause_ns = b->now + pause - (pause != 0 ? SLACK : 0);
	rest(b);
	m.must_ns = b->now + RTE_MAX(pause, SECOND) + SECOND;
}

/* Sections 14.2, 18.2.10.1 and 21.4 */
static void set_times(struct bed *b, const struct answer *a)
{
	uint64_t valid = NEVER, preferred = NEVER, t1 = a->t1_s * SECOND, t2 = a->t2_s * SECOND;

	for (unsigned i = 0; i < RTE_DIM(m.own); i++) {
		if (!m.own[i].has)
			continue;
		valid = RTE_MIN(valid, m.own[i].valid_ns);
		if (m.own[i].preferred_ns > b->now)
			preferred = RTE_MIN(preferred, m.own[i].preferred_ns);
	}
	m.ordered = a->t1_s != 0 && a->t2_s != 0 && a->t1_s != FOREVER && a->t2_s != FOREVER &&
	            valid != NEVER && b->now + t2 < valid && t1 >= PAUSE;
	/* others are at the client's discretion, but not at once, and not if the lease is for ever */
	m.t1_ns = m.ordered ? b->now + t1 : b->now + PAUSE;
	m.t2_ns = m.ordered ? b->now + t2 : b->now + PAUSE;
	m.must_ns = m.ordered                                      ? m.t1_ns + SLACK
	            : valid != NEVER && valid > b->now + 2 * PAUSE ? valid
	                                                           : NEVER;
	bed_log(b, "lease until %.3f s, T1 %u T2 %u%s", bed_seconds(valid), a->t1_s, a->t2_s,
	        m.ordered ? "" : ", loose");
}

static void take(struct bed *b, const struct answer *a)
{
	const bool fresh = m.type == REQUEST;

	for (unsigned i = 0; i < RTE_DIM(m.own); i++) {
		if ((a->addrs >> i & 1) != 0)
			m.own[i] = (struct own){.has = a->valid_s != 0,
			                        .preferred_ns = after(b, a->preferred_s),
			                        .valid_ns = after(b, a->valid_s)};
		else if (fresh)
			m.own[i].has = false;
	}
	m.server = a->server;
	if (owned() == 0) {
		lose(b, PAUSE);
		return;
	}
	m.type = 0;
	set_times(b, a);
}

static void on_advertise(struct bed *b, const struct answer *a)
{
	if (m.type != SOLICIT || a->status != SUCCESS || a->ia_status != SUCCESS || a->addrs == 0 ||
	    a->valid_s < a->preferred_s)
		return;
	m.offers |= UINT32_C(1) << a->server;
	if (m.tries > 1 || a->preference == 255) /* section 18.2.1 */
		m.must_ns = b->now;
}

static void on_reply(struct bed *b, const struct answer *a)
{
	const uint16_t status = a->status != SUCCESS ? a->status : a->ia_status;

	if (m.type == CONFIRM && status == SUCCESS) {
		rest(b);
	} else if (m.type == CONFIRM && status == NOT_ON_LINK) {
		lose(b, 0);
	} else if ((m.type == REQUEST || m.type == RENEW) && a->server != m.said.server) {
		return;
	} else if (m.type == REQUEST && (status == NO_ADDRS || status == NOT_ON_LINK)) {
		lose(b, PAUSE);
	} else if ((m.type == RENEW || m.type == REBIND) && status == NO_BINDING) {
		m.offers |= UINT32_C(1) << a->server; /* it is asked at once */
		m.must_ns = b->now;
	} else if ((m.type == REQUEST || m.type == RENEW || m.type == REBIND) &&
	           status == SUCCESS && a->addrs != 0) {
		take(b, a);
	}
}

static void arrived(struct bed *b, unsigned tag)
{
	const struct answer *a = &m.ss.answer[tag % ANSWERS];
	/* section 21.4: an IA with T1 > T2 > 0 is ignored */
	const bool disordered = a->t1_s > a->t2_s && a->t2_s != 0;
	struct answer read = *a;

	bed_log(b, "%s of server %u: xid %06x status %u %u addrs %x preferred %u valid %u%s",
	        names[a->type], a->server, a->xid, a->status, a->ia_status, a->addrs,
	        a->preferred_s, a->valid_s, a->valid ? "" : ", spoilt");
	if (!a->valid || m.type == 0 || a->xid != m.said.xid || m.ending)
		return;
	if (disordered) {
		read.addrs = 0;
		read.ia_status = SUCCESS;
	}
	if (a->type == ADVERTISE)
		on_advertise(b, &read);
	else if (m.type != SOLICIT)
		on_reply(b, &read);
}

/* ---- invariants ------------------------------------------------------------------------------ */

static void check_addr(struct bed *b, unsigned i)
{
	const struct pc_addr a = servers6_addr(i);
	const uint16_t at = netifs_find(&b->st->ip.ifs, &a);
	const struct laddr *la = at != LADDR_NONE ? &b->st->ip.ifs.addr[at] : NULL;
	const struct own *o = &m.own[i];
	const bool has = la != NULL && la->state <= LADDR_TENTATIVE;
	const bool again = has && la->doubted; /* probed again because the link came up */

	if (o->has && (b->now + SLACK > o->valid_ns ||
	               (b->now >= o->preferred_ns && b->now < o->preferred_ns + SLACK)))
		return;
	if (has != o->has)
		bed_fail(b, "it %s address %u", has ? "has" : "lacks", i);
	else if (has && !again && la->state == LADDR_READY && b->now >= o->preferred_ns)
		bed_fail(b, "address %u is not deprecated", i);
	else if (has && !again && la->state == LADDR_DEPRECATED && b->now < o->preferred_ns)
		bed_fail(b, "address %u is deprecated", i);
}

static void check(struct bed *b)
{
	if (m.ending)
		return;
	/* when a Request is given up, what was leased before is, too */
	for (unsigned i = 0; i < SERVERS * ADDRS; i++)
		if (m.type != REQUEST || m.tries < timing[REQUEST].mrc ||
		    b->now < m.last_ns + 26 * SECOND)
			check_addr(b, i);
	if (m.must_ns != NEVER && b->now > m.must_ns)
		bed_fail(b, "nothing is sent, the last was %s at %.3f s", names[m.type],
		         bed_seconds(m.last_ns));
}

/* ---- the world ------------------------------------------------------------------------------- */

/* The last wait of a Request is over, and then a pause. */
static void give_up(struct bed *b)
{
	lose(b, 0);
	m.must_ns = m.last_ns + 34 * SECOND + PAUSE + SECOND;
}

static void expire(struct bed *b)
{
	const uint32_t before = owned();

	for (unsigned i = 0; i < RTE_DIM(m.own); i++)
		if (m.own[i].has && b->now >= m.own[i].valid_ns)
			m.own[i].has = false;
	if (before != 0 && owned() == 0 && m.type != REQUEST) {
		m.type = 0;
		m.must_ns = b->now + 2 * SECOND;
	}
	if (m.type == CONFIRM && b->now >= m.first_ns + 10 * SECOND) /* CNF_MAX_RD */
		rest(b);
	if (m.type == REQUEST && m.tries == timing[REQUEST].mrc && b->now > m.last_ns + 34 * SECOND)
		give_up(b);
}

static void flap(struct bed *b)
{
	bed_link(b, !bed_is_up(b));
	m.flap_ns =
	    b->now + bed_draw(b, SECOND, bed_is_up(b) ? m.ss.scale_s * 4 * SECOND : 100 * SECOND);
	if (!bed_is_up(b))
		return;
	m.type = 0;
	m.confirms = true;
	m.pause_ns = 0;
	m.must_ns = b->now + 2 * SECOND;
}

static void due(struct bed *b)
{
	struct server *s = &m.ss.s[bed_draw(b, 0, m.ss.n - 1)];

	if (m.ending)
		return;
	expire(b);
	if (b->now >= m.flap_ns)
		flap(b);
	if (b->now < m.event_ns)
		return;
	m.event_ns = b->now + bed_draw(b, SECOND, 2 * m.ss.scale_s * SECOND);
	s->alive = !s->alive || bed_chance(b, 60);
	if (bed_chance(b, 50))
		servers6_draw(b, &m.ss, s);
}

static void turn(struct bed *b)
{
	if (m.client != NULL)
		pc_dhcp6_turn(m.client, b->now);
}

static uint64_t client_next(struct bed *b)
{
	(void)b;
	return m.client != NULL ? pc_dhcp6_next_deadline(m.client) : NEVER;
}

static uint64_t next(struct bed *b)
{
	uint64_t ns = m.ending ? NEVER : RTE_MIN(m.event_ns, m.flap_ns);

	for (unsigned i = 0; i < RTE_DIM(m.own); i++)
		if (m.own[i].has && m.own[i].valid_ns > b->now)
			ns = RTE_MIN(ns, m.own[i].valid_ns);
	return m.must_ns != NEVER && m.must_ns >= b->now ? RTE_MIN(ns, m.must_ns + US) : ns;
}

static void finish(struct bed *b)
{
	struct pc_stack_usage u;

	m.ending = true;
	m.must_ns = NEVER;
	pc_dhcp6_destroy(m.client);
	m.client = NULL;
	if (!b->failed)
		bed_run(b, b->now + 10 * SECOND);
	pc_stack_get_usage(b->st, &u);
	if (u.udp_sockets != 0 || pc_stack_get_addrs(b->st, NULL, 0) != 2)
		bed_fail(b, "something is left at the end");
}

static bool run(uint64_t seed, struct rte_mempool *pool)
{
	static const struct bed_model model = {.name = "leases6",
	                                       .hear = hear,
	                                       .arrived = arrived,
	                                       .client = turn,
	                                       .client_next = client_next,
	                                       .due = due,
	                                       .check = check,
	                                       .next = next};
	struct pc_prefix us = {.addr = addr6("fd00::1"), .len = 64};
	struct bed b;

	bed_begin(&b, &model, seed, pool);
	memset(&m, 0, sizeof(m));
	b.cfg.ip6_dad = bed_draw(&b, 0, 1);
	b.cfg.ip6_accept_ra = 0;
	b.most_frames = 2000;
	m.ss.n = (unsigned)bed_draw(&b, 1, SERVERS);
	m.ss.loss = bed_chance(&b, 50) ? (unsigned)bed_draw(&b, 0, 40) : 0;
	m.ss.spoilt = bed_chance(&b, 50) ? (unsigned)bed_draw(&b, 0, 40) : 0;
	m.ss.late_ns = bed_chance(&b, 30) ? 3 * SECOND : 20 * MS;
	m.ss.scale_s = (uint32_t)bed_draw(&b, 30, bed_chance(&b, 50) ? 1000 : 100000);
	for (unsigned i = 0; i < m.ss.n; i++) {
		servers6_draw(&b, &m.ss, &m.ss.s[i]);
		m.ss.s[i].alive = true;
	}
	bed_open(&b);
	if (pc_stack_add_addr(b.st, 0, &us) != 0)
		bed_fail(&b, "no address");
	m.client = pc_dhcp6_create(b.st, 0, PC_DHCP6_LEASE);
	m.must_ns = b.now + 5 * SECOND;
	m.event_ns = b.now + bed_draw(&b, SECOND, m.ss.scale_s * SECOND);
	m.flap_ns = bed_chance(&b, 40) ? b.now + bed_draw(&b, 10, m.ss.scale_s) * SECOND : NEVER;
	bed_run(&b, b.now + 30 * m.ss.scale_s * SECOND);
	finish(&b);
	return bed_close(&b);
}

int main(int argc, char **argv)
{
	return bed_main(argc, argv, 300, run);
}
