/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: a search for defects in what a stack makes of router advertisements. Routers advertise
 * themselves, prefixes, name servers and settings of the link, with random lifetimes; hosts claim
 * addresses that are being probed for; the link goes down. Beside the stack is a host as RFC 4861
 * section 6.3, RFC 4862 section 5.5, RFC 7559 and RFC 8106 describe it, written from the text.
 * `routers FIRST LAST` runs seeds, `routers SEED` one, and says what happens.
 */

#include <string.h>

#include <rte_common.h>

#include "config_bed.h"
#include "frame6.h"
#include "stack/stack.h"

#define SLACK       MS
#define ROUTERS     4
#define PREFIXES    6
#define SERVERS     3
#define TWO_HOURS_S 7200
#define EVENTS      300 /* of a run */
#define ADVERTS     1024

#define TAG_WISH   0u   /* and the prefix of the address: a host probes for it */
#define TAG_CLAIM  128u /* ... and one advertises it */
#define TAG_ADVERT 256u

/** A prefix in an advertisement, by its number. */
struct told_prefix {
	uint8_t number, len;
	bool on_link, autonomous, odd; /* odd: link-local, or a group */
	uint32_t valid_s, preferred_s;
};

/** An advertisement. */
struct advert {
	bool valid;
	uint8_t router, preference;
	uint16_t lifetime_s;
	uint32_t retrans_ms;
	uint8_t nb_prefixes, nb_servers;
	struct told_prefix prefix[3];
	uint8_t server[SERVERS];
	uint32_t server_s;
};

/** An address that is made from a prefix. */
struct own {
	bool is;    /* there is one */
	bool taken; /* another host has it, until the link comes up again */
	uint64_t valid_ns, preferred_ns, born_ns;
	unsigned probes;
};

struct model {
	struct advert advert[ADVERTS];
	unsigned nb_adverts, events;
	uint64_t router_ns[ROUTERS], on_link_ns[PREFIXES], server_ns[SERVERS]; /* until when */
	struct own own[PREFIXES];
	bool asks;         /* routers are solicited */
	uint64_t asked_ns; /* the last time; 0: not yet */
	uint64_t gap_ns;   /* between the last two */
	bool late;         /* the last was late: the machine stood still */
	uint64_t began_ns; /* when asking began */
	uint64_t event_ns, flap_ns, jump_ns;
	uint64_t retrans_max_ns;
};

static struct model m;

/* ---- addresses ------------------------------------------------------------------------------- */

static struct pc_addr router_addr(unsigned i)
{
	struct pc_addr a = addr6("fe80::f0");

	a.b[15] = (uint8_t)(a.b[15] + i);
	return a;
}

static struct pc_addr prefix_addr(unsigned i)
{
	struct pc_addr a = addr6("2001:db8::");

	a.b[7] = (uint8_t)(i + 1);
	return a;
}

/* RFC 4291 appendix A: from the MAC address 02:00:00:00:00:01 */
static struct pc_addr own_addr(unsigned i)
{
	const struct pc_addr id = addr6("fe80::ff:fe00:1");
	struct pc_addr a = prefix_addr(i);

	memcpy(a.b + 8, id.b + 8, 8);
	return a;
}

static struct pc_addr server_addr(unsigned i)
{
	struct pc_addr a = addr6("2001:db8:ffff::53");

	a.b[14] = (uint8_t)i;
	return a;
}

static uint64_t until(const struct bed *b, uint32_t s)
{
	return s == UINT32_MAX ? NEVER : b->now + s * SECOND;
}

/* ---- routers --------------------------------------------------------------------------------- */

static uint32_t draw_lifetime(struct bed *b)
{
	static const uint32_t odd[] = {0, 1, 7199, 7200, 7201, 0x7fffffff, 0xfffffffe, UINT32_MAX};

	if (bed_chance(b, 40))
		return odd[bed_draw(b, 0, RTE_DIM(odd) - 1)];
	return (uint32_t)bed_draw(b, 0, bed_chance(b, 50) ? 100 : 30000);
}

static void draw_prefix(struct bed *b, struct told_prefix *p)
{
	*p = (struct told_prefix){.number = (uint8_t)bed_draw(b, 0, PREFIXES - 1),
	                          .len = 64,
	                          .on_link = bed_chance(b, 70),
	                          .autonomous = bed_chance(b, 80),
	                          .odd = bed_chance(b, 5),
	                          .valid_s = draw_lifetime(b),
	                          .preferred_s = draw_lifetime(b)};
	if (bed_chance(b, 80)) /* in order */
		p->preferred_s = RTE_MIN(p->preferred_s, p->valid_s);
	if (bed_chance(b, 5)) {
		p->len = (uint8_t)bed_draw(b, 65, 128);
		p->on_link = false;
	}
}

static void draw_advert(struct bed *b, struct advert *a)
{
	static const uint16_t lifetimes[] = {0, 1, 30, 1800, 9000, 65535};

	*a = (struct advert){.valid = true,
	                     .router = (uint8_t)bed_draw(b, 0, ROUTERS - 1),
	                     .preference = (uint8_t)bed_draw(b, 0, 3),
	                     .lifetime_s = lifetimes[bed_draw(b, 0, RTE_DIM(lifetimes) - 1)],
	                     .nb_prefixes = (uint8_t)bed_draw(b, 0, 3),
	                     .server_s = draw_lifetime(b)};
	for (unsigned i = 0; i < a->nb_prefixes; i++)
		draw_prefix(b, &a->prefix[i]);
	if (bed_chance(b, 50))
		a->nb_servers = (uint8_t)bed_draw(b, 1, SERVERS);
	for (unsigned i = 0; i < a->nb_servers; i++)
		a->server[i] = (uint8_t)((i + a->router) % SERVERS);
	if (bed_chance(b, 20))
		a->retrans_ms = (uint32_t)bed_draw(b, 1, 3000);
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
	return p + 4;
}

static uint8_t *put_prefix(struct bed *b, uint8_t *p, const struct told_prefix *t)
{
	struct pc_addr a = prefix_addr(t->number);

	if (t->odd)
		a = addr6(bed_chance(b, 50) ? "fe80::" : "ff02::");
	else if (bed_chance(b, 20))
		a.b[15] = 1; /* bits beyond the length are ignored */
	memcpy(p, (uint8_t[]){3, 4, t->len, 0}, 4);
	p[3] = (uint8_t)(t->on_link << 7 | t->autonomous << 6);
	put32(put32(put32(p + 4, t->valid_s), t->preferred_s), 0);
	memcpy(p + 16, a.b, 16);
	return p + 32;
}

static uint8_t *put_servers(uint8_t *p, const struct advert *a)
{
	memcpy(p, (uint8_t[]){25, 0, 0, 0}, 4);
	p[1] = (uint8_t)(1 + 2 * a->nb_servers);
	p = put32(p + 4, a->server_s);
	for (unsigned i = 0; i < a->nb_servers; i++, p += 16)
		memcpy(p, server_addr(a->server[i]).b, 16);
	return p;
}

static void advertise(struct bed *b)
{
	struct advert *a = &m.advert[m.nb_adverts % ADVERTS];
	struct ends6 e = {.dst_mac = {0x33, 0x33, 0, 0, 0, 1}, .dst = addr6("ff02::1")};
	const unsigned spoilt = bed_chance(b, 10) ? (unsigned)bed_draw(b, 1, 3) : 0;
	uint8_t body[400] = {64}, *p = body + 12;
	struct frame f;

	draw_advert(b, a);
	a->valid = spoilt == 0;
	e.src = spoilt == 1 ? addr6("2001:db8::f0") : router_addr(a->router);
	memcpy(e.src_mac, (uint8_t[]){2, 0, 0, 0, 1, a->router}, 6);
	body[1] = (uint8_t)(a->preference << 3);
	body[2] = (uint8_t)(a->lifetime_s >> 8);
	body[3] = (uint8_t)a->lifetime_s;
	put32(body + 8, a->retrans_ms);
	for (unsigned i = 0; i < a->nb_prefixes; i++)
		p = put_prefix(b, p, &a->prefix[i]);
	if (a->nb_servers > 0)
		p = put_servers(p, a);
	if (spoilt == 2) { /* an option of no length */
		memset(p, 0, 8);
		p += 8;
	}
	frame6_icmp(&f, &e, spoilt == 3 ? 254 : 255, 134, 0, body, (uint16_t)(p - body));
	bed_say(b, &f, bed_draw(b, 1, 500 * MS), TAG_ADVERT + m.nb_adverts);
	m.nb_adverts++;
}

/* ---- the host: what is told (RFC 4861 section 6.3.4) ----------------------------------------- */

/* RFC 4862 section 5.5.3 e */
static void prolong(struct bed *b, struct own *o, const struct told_prefix *t)
{
	const uint64_t left = o->valid_ns == NEVER ? NEVER : o->valid_ns - b->now;
	const uint64_t told = t->valid_s == UINT32_MAX ? NEVER : t->valid_s * SECOND;

	if (told > TWO_HOURS_S * SECOND || told > left)
		o->valid_ns = until(b, t->valid_s);
	else if (left > TWO_HOURS_S * SECOND)
		o->valid_ns = b->now + TWO_HOURS_S * SECOND;
	o->preferred_ns = until(b, t->preferred_s);
}

/* section 5.5.3 a to d */
static void take_prefix(struct bed *b, const struct told_prefix *t)
{
	struct own *o = &m.own[t->number];

	if (t->odd)
		return;
	if (t->on_link)
		m.on_link_ns[t->number] = t->valid_s == 0 ? 0 : until(b, t->valid_s);
	if (!t->autonomous || t->preferred_s > t->valid_s || t->len != 64 || o->taken)
		return;
	if (o->is && o->valid_ns > b->now)
		prolong(b, o, t);
	else if (t->valid_s != 0)
		*o = (struct own){.is = true,
		                  .born_ns = b->now,
		                  .valid_ns = until(b, t->valid_s),
		                  .preferred_ns = until(b, t->preferred_s)};
}

static void take_advert(struct bed *b, const struct advert *a)
{
	if (!a->valid)
		return;
	m.router_ns[a->router] = a->lifetime_s == 0 ? 0 : until(b, a->lifetime_s);
	if (a->lifetime_s != 0)
		m.asks = false; /* RFC 7559 section 2 */
	for (unsigned i = 0; i < a->nb_prefixes; i++)
		take_prefix(b, &a->prefix[i]);
	for (unsigned i = 0; i < a->nb_servers; i++)
		m.server_ns[a->server[i]] = a->server_s == 0 ? 0 : until(b, a->server_s);
	m.retrans_max_ns = RTE_MAX(m.retrans_max_ns, a->retrans_ms * MS);
}

static enum laddr_state state_of(const struct bed *b, unsigned i)
{
	const struct pc_addr a = own_addr(i);
	const uint16_t at = netifs_find(&b->st->ip.ifs, &a);

	return at == LADDR_NONE ? LADDR_EXPIRED : b->st->ip.ifs.addr[at].state;
}

/* Says whether an address is probed again because the link came up. */
static bool is_doubted(const struct bed *b, unsigned i)
{
	const struct pc_addr a = own_addr(i);
	const uint16_t at = netifs_find(&b->st->ip.ifs, &a);

	return at != LADDR_NONE && b->st->ip.ifs.addr[at].doubted;
}

/* RFC 4862 sections 5.4.3 and 5.4.4. An address that is probed again because the link came up is in
 * use meanwhile, and defended. */
static void on_claim(struct bed *b, unsigned i, bool has)
{
	bed_log(b, "address %u is %s", i, has ? "another host's" : "probed for");
	if (state_of(b, i) == LADDR_TENTATIVE || (has && is_doubted(b, i)))
		m.own[i].taken = true;
}

static void arrived(struct bed *b, unsigned tag)
{
	const struct advert *a = &m.advert[(tag - TAG_ADVERT) % ADVERTS];

	if (tag < TAG_ADVERT) {
		on_claim(b, tag % TAG_CLAIM, tag >= TAG_CLAIM);
		return;
	}
	bed_log(b, "advertisement of %u: lifetime %u, %u servers for %u s%s", a->router,
	        a->lifetime_s, a->nb_servers, a->server_s, a->valid ? "" : ", spoilt");
	for (unsigned i = 0; i < a->nb_prefixes; i++)
		bed_log(b, "  prefix %u/%u: L %d A %d valid %u preferred %u%s", a->prefix[i].number,
		        a->prefix[i].len, a->prefix[i].on_link, a->prefix[i].autonomous,
		        a->prefix[i].valid_s, a->prefix[i].preferred_s,
		        a->prefix[i].odd ? " odd" : "");
	take_advert(b, a);
}

/* ---- the host: what it says ------------------------------------------------------------------ */

/* RFC 7559 section 2: IRT 4 s, MRT 3600 s, each varied by a tenth */
static void hear_solicit(struct bed *b, const struct info6 *i)
{
	const struct pc_addr all = addr6("ff02::2");
	const double gap = bed_seconds(b->now - m.asked_ns), last = bed_seconds(m.gap_ns);

	bed_log(b, "solicitation");
	if (i->hops != 255 || !pc_addr_equal(&i->ends.dst, &all) ||
	    !pc_addr_is_link_local(&i->ends.src))
		bed_fail(b, "a solicitation that is not one");
	if (!m.asks)
		bed_fail(b, "a solicitation although a router is there");
	if (m.asked_ns != 0 && m.jump_ns > m.asked_ns)
		m.gap_ns = 0; /* late */
	else if (m.asked_ns != 0 && m.gap_ns == 0 && !m.late && (gap < 3.599 || gap > 4.401))
		bed_fail(b, "the second solicitation after %.3f s", gap);
	if (m.gap_ns != 0 && (gap < RTE_MIN(1.9 * last, 3240.0) - 0.001 ||
	                      gap > (2.1 * last > 3600 ? 3960 : 2.1 * last) + 0.001))
		bed_fail(b, "a solicitation after %.3f s, the last wait was %.3f s", gap, last);
	m.late = m.asked_ns != 0 && m.jump_ns > m.asked_ns;
	if (m.asked_ns != 0 && !m.late)
		m.gap_ns = b->now - m.asked_ns;
	m.asked_ns = b->now;
}

/* A host that wants, or has, the same address. */
static void claim(struct bed *b, unsigned n)
{
	const struct pc_addr a = own_addr(n);
	const bool asks = bed_chance(b, 50);
	struct ends6 e = {.src_mac = {2, 0, 0, 0, 0, 0x66}, .dst_mac = {0x33, 0x33, 0, 0, 0, 1}};
	uint8_t body[28] = {0};
	struct frame f;

	memcpy(body + 4, a.b, 16);
	e.dst = addr6(asks ? "ff02::1:ff00:1" : "ff02::1");
	if (asks) {
		memcpy(e.dst_mac, "\x33\x33\xff\0\0\1", 6);
	} else {
		e.src = a;
		body[0] = 0x20;
		memcpy(body + 20, "\2\1\2\0\0\0\0\x66", 8);
	}
	frame6_icmp(&f, &e, 255, asks ? 135 : 136, 0, body, asks ? 20 : 28);
	bed_say(b, &f, bed_draw(b, 1, 2 * SECOND), (asks ? TAG_WISH : TAG_CLAIM) + n);
}

/* RFC 4862 section 5.4.2: a probe, from nobody */
static void hear_probe(struct bed *b, const struct info6 *i)
{
	struct pc_addr target;

	memcpy(target.b, i->l4 + 8, 16);
	for (unsigned n = 0; n < PREFIXES; n++) {
		const struct pc_addr a = own_addr(n);

		if (!pc_addr_equal(&a, &target))
			continue;
		m.own[n].probes++;
		if (!m.own[n].is || m.own[n].taken)
			bed_fail(b, "a probe for an address of prefix %u", n);
		if (bed_is_up(b) && bed_chance(b, 5))
			claim(b, n);
	}
}

static void hear(struct bed *b, const struct frame *f)
{
	struct info6 i;
	const char *wrong;

	if (f->b[12] != 0x86)
		return;
	wrong = frame6_read(f, &i);
	if (wrong != NULL)
		bed_fail(b, "%s", wrong);
	else if (i.proto == 58 && i.l4[0] == 133)
		hear_solicit(b, &i);
	else if (i.proto == 58 && i.l4[0] == 135 && pc_addr_is_any(&i.ends.src))
		hear_probe(b, &i);
}

/* ---- invariants ------------------------------------------------------------------------------ */

/* Within SLACK of an end both are right. */
static bool at_end(const struct bed *b, uint64_t ns)
{
	return ns != NEVER && b->now >= ns && b->now <= ns + SLACK;
}

static void check_route(struct bed *b, const struct pc_route_info *list, unsigned n, bool router,
                        unsigned i)
{
	const uint64_t end = router ? m.router_ns[i] : m.on_link_ns[i];
	const struct pc_addr gateway = router_addr(i), net = prefix_addr(i);
	bool has = false;

	for (unsigned k = 0; k < n; k++) {
		const struct pc_route *r = &list[k].route;

		if (!list[k].learnt)
			continue;
		has |= router ? r->dest.len == 0 && pc_addr_equal(&r->gateway, &gateway)
		              : r->dest.len == 64 && pc_addr_equal(&r->dest.addr, &net);
	}
	if (has != (end > b->now) && !at_end(b, end))
		bed_fail(b, "it %s %s %u, whose time is %.3f s", has ? "has" : "lacks",
		         router ? "router" : "prefix", i, bed_seconds(end));
}

static void check_routes(struct bed *b)
{
	struct pc_route_info list[32];
	const unsigned n = pc_route_list(b->st, list, 32);

	for (unsigned i = 0; i < ROUTERS; i++)
		check_route(b, list, n, true, i);
	for (unsigned i = 0; i < PREFIXES; i++)
		check_route(b, list, n, false, i);
}

static void check_servers(struct bed *b)
{
	struct pc_addr list[8];
	const unsigned n = pc_stack_get_dns(b->st, list, 8);

	for (unsigned i = 0; i < SERVERS; i++) {
		const struct pc_addr a = server_addr(i);
		bool has = false;

		for (unsigned k = 0; k < n; k++)
			has |= pc_addr_equal(&list[k], &a);
		if (has != (m.server_ns[i] > b->now) && !at_end(b, m.server_ns[i]))
			bed_fail(b, "it %s name server %u, whose time is %.3f s",
			         has ? "has" : "lacks", i, bed_seconds(m.server_ns[i]));
	}
}

/* The longest time for an address to be probed. */
static uint64_t probing(const struct bed *b)
{
	return SECOND + b->cfg.ip6_dad * RTE_MAX(m.retrans_max_ns, b->cfg.arp_retry_ms * MS) +
	       SLACK;
}

static void check_own(struct bed *b, unsigned i)
{
	const struct own *o = &m.own[i];
	const enum laddr_state state = state_of(b, i);
	const bool valid = o->is && o->valid_ns > b->now, preferred = o->preferred_ns > b->now;

	if (at_end(b, o->valid_ns) || at_end(b, o->preferred_ns))
		return;
	if (o->taken) {
		if (state != LADDR_DUPLICATE)
			bed_fail(b, "address %u, which another host has, is in state %u", i, state);
		return;
	}
	if (state == LADDR_TENTATIVE && valid && b->now <= o->born_ns + probing(b))
		return;
	if (valid != (state <= LADDR_DEPRECATED))
		bed_fail(b, "address %u is in state %u, it is valid until %.3f s", i, state,
		         bed_seconds(o->valid_ns));
	else if (valid && preferred != (state == LADDR_READY) && !is_doubted(b, i))
		bed_fail(b, "address %u is in state %u, it is preferred until %.3f s", i, state,
		         bed_seconds(o->preferred_ns));
	else if (valid && o->probes < b->cfg.ip6_dad)
		bed_fail(b, "address %u is used after %u probes", i, o->probes);
}

static void check(struct bed *b)
{
	check_routes(b);
	check_servers(b);
	for (unsigned i = 0; i < PREFIXES; i++)
		check_own(b, i);
	if (m.asks && b->now > RTE_MAX(m.asked_ns, m.began_ns) + 2 * SECOND +
	                           (m.late ? 4000 * SECOND : RTE_MAX(3 * m.gap_ns, 5 * SECOND)) +
	                           2 * probing(b))
		bed_fail(b, "no router is solicited");
}

/* ---- the world ------------------------------------------------------------------------------- */

static void begin_asking(struct bed *b)
{
	m.asks = true;
	m.began_ns = b->now;
	m.asked_ns = m.gap_ns = 0;
}

static void flap(struct bed *b)
{
	bed_link(b, !bed_is_up(b));
	m.flap_ns = b->now + bed_draw(b, 1, bed_is_up(b) ? 20000 : 100) * SECOND;
	if (!bed_is_up(b))
		return;
	begin_asking(b);
	for (unsigned i = 0; i < PREFIXES; i++) { /* it may be another link */
		struct own *o = &m.own[i];

		if (o->taken || state_of(b, i) == LADDR_TENTATIVE) /* it is probed for anew */
			o->born_ns = b->now;
		o->taken = false;
	}
}

static void due(struct bed *b)
{
	if (b->now >= m.flap_ns)
		flap(b);
	if (b->now < m.event_ns)
		return;
	if (bed_is_up(b))
		advertise(b);
	if (bed_chance(b, 3)) {
		b->now += bed_draw(b, 1, 10000) * SECOND;
		b->nb_posts = 0;
		m.jump_ns = b->now;
		m.began_ns = b->now; /* what was due meanwhile is done from now on */
		for (unsigned i = 0; i < PREFIXES; i++) /* it is probed for from now on */
			if (state_of(b, i) == LADDR_TENTATIVE)
				m.own[i].born_ns = b->now;
		bed_log(b, "continues");
	}
	m.event_ns = b->now + bed_draw(b, 1, bed_chance(b, 50) ? 10 * SECOND : 6000 * SECOND);
	m.events++;
}

static uint64_t next(struct bed *b)
{
	uint64_t ns = RTE_MIN(m.event_ns, m.flap_ns);
	const uint64_t *ends[] = {m.router_ns, m.on_link_ns, m.server_ns};
	const unsigned n[] = {ROUTERS, PREFIXES, SERVERS};

	for (unsigned k = 0; k < 3; k++)
		for (unsigned i = 0; i < n[k]; i++)
			if (ends[k][i] != NEVER && ends[k][i] + 2 * SLACK > b->now)
				ns = RTE_MIN(ns, ends[k][i] + 2 * SLACK);
	for (unsigned i = 0; i < PREFIXES; i++) {
		const uint64_t own[] = {m.own[i].valid_ns, m.own[i].preferred_ns};

		for (unsigned k = 0; k < 2; k++)
			if (own[k] != NEVER && own[k] + 2 * SLACK > b->now)
				ns = RTE_MIN(ns, own[k] + 2 * SLACK);
	}
	return ns;
}

static bool run(uint64_t seed, struct rte_mempool *pool)
{
	static const struct bed_model model = {.name = "routers",
	                                       .hear = hear,
	                                       .arrived = arrived,
	                                       .due = due,
	                                       .check = check,
	                                       .next = next};
	struct bed b;

	bed_begin(&b, &model, seed, pool);
	memset(&m, 0, sizeof(m));
	b.cfg.ip6_dad = bed_draw(&b, 0, 2);
	bed_open(&b);
	begin_asking(&b);
	m.event_ns = b.now + bed_draw(&b, 0, 60 * SECOND);
	m.flap_ns = bed_chance(&b, 50) ? b.now + bed_draw(&b, 1, 20000) * SECOND : NEVER;
	if (pc_stack_add_slaac(b.st, 0) != 0)
		bed_fail(&b, "no addresses can be made");
	while (m.events < EVENTS && !b.failed)
		bed_run(&b, m.event_ns + 1);
	return bed_close(&b);
}

int main(int argc, char **argv)
{
	return bed_main(argc, argv, 300, run);
}
