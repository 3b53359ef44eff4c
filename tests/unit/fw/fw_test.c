/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of rules: what matches, against a walk over the same rules one by one; limits, logs, states and counts. */
#include "fw/fw.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "base/dice.h"

#define RULES    300
#define PACKETS  3000
#define IN_TABLE 5
#define SECOND   UINT64_C(1000000000)

static struct ctx ctx;
static char why[256];

static struct pc_firewall *make(const char *text, unsigned slots)
{
	const struct pc_firewall_args args = {.text = text,
	                                      .len = strlen(text),
	                                      .name = "a.fw",
	                                      .max_rules = 100000,
	                                      .slots = slots,
	                                      .states = 64,
	                                      .sources = 64,
	                                      .learnt = 64,
	                                      .max_addrs = 250000,
	                                      .seed = {1, 2},
	                                      .socket_id = -1};

	ctx.cfg.firewall_log_rate = 10;
	ctx.cfg.firewall_state_ms = 1000;
	ctx.now_ns = SECOND;
	memset(&ctx.counters, 0, sizeof(ctx.counters));
	return pc_firewall_create(&args, why, sizeof(why));
}

static uint64_t packets_of(const struct pc_firewall *fw, unsigned i)
{
	struct pc_firewall_rule r;

	return pc_firewall_get_rule(fw, i, &r) ? r.packets : UINT64_MAX;
}

/* ---- against a walk -------------------------------------------------------------------------- */

/** A rule as the walk has it. */
struct plain {
	enum fw_action action;
	enum fw_dir dir;
	int family; /* 4, 6; 0: both */
	struct pc_prefix src, dst;
	bool has_src, has_dst, has_ports;
	int src_table, dst_table; /* -1: none */
	int sport_table,
	    dport_table; /* of ports, in the place of the range of the first, beside the second's; -1: none */
	bool src_not, dst_not, dport_not, proto_not, netif_not,
	    code_not; /* what has a "!" before it */
	uint8_t flags, flags_mask;
	int proto, icmp_type, icmp_code, netif; /* -1: any */
	unsigned states;
	uint16_t sport[2], dport[2];
};

#define TABLES      4
#define PORT_TABLES 3

static struct plain rules[RULES];
static struct pc_prefix table[TABLES][IN_TABLE];
static uint16_t port_table[PORT_TABLES][IN_TABLE][2];
static struct dice dice;

static unsigned below(unsigned n)
{
	return dice_below(&dice, n);
}

static struct pc_prefix make_prefix(bool ip4)
{
	struct pc_prefix p;
	unsigned bits;

	/* few networks, so that they overlap */
	if (ip4) {
		p.addr = pc_addr_ip4(htonl(10u << 24 | below(4) << 16 | below(3) << 8 | below(4)));
		bits = below(5) == 0 ? below(33) : 8 + 8 * below(4);
		p.len = (uint8_t)(96 + bits);
		return p;
	}
	p.addr = (struct pc_addr){.b = {0x20, 1, 0xd, 0xb8}};
	p.addr.b[5] = (uint8_t)below(3);
	p.addr.b[9] = (uint8_t)below(3);
	p.addr.b[15] = (uint8_t)below(4);
	p.len = (uint8_t)(below(5) == 0 ? below(129) : 32 + 16 * below(7));
	return p;
}

static void make_range(uint16_t r[2])
{
	r[0] = (uint16_t)(below(2) == 0 ? below(65536) : below(100));
	r[1] = (uint16_t)(below(2) == 0 ? r[0] : r[0] + below(65536u - r[0]));
	if (below(3) == 0) {
		r[0] = 0;
		r[1] = UINT16_MAX;
	}
}

static void make_rule(struct plain *p)
{
	static const int protos[] = {-1, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 47};
	const unsigned family = below(3);

	*p = (struct plain){.action = below(3),
	                    .dir = below(2),
	                    .family = family == 0   ? 0
	                              : family == 1 ? 4
	                                            : 6,
	                    .proto = protos[below(5)],
	                    .icmp_type = -1,
	                    .icmp_code = -1,
	                    .src_table = -1,
	                    .dst_table = -1,
	                    .sport_table = -1,
	                    .dport_table = -1,
	                    .netif = below(4) == 0 ? (int)below(3) : -1,
	                    .states = below(2) == 0 ? FW_STATES : 1 + below(FW_STATES)};
	if (p->family != 0) {
		p->has_src = below(3) != 0;
		p->has_dst = below(3) != 0;
		p->src = make_prefix(p->family == 4);
		p->dst = make_prefix(p->family == 4);
	}
	if (p->proto == IPPROTO_ICMP) {
		if (p->family == 6)
			p->proto = IPPROTO_ICMPV6;
		p->family = p->family == 6 ? 6 : 4;
		p->icmp_type = below(3) == 0 ? -1 : (int)below(12);
		p->icmp_code = p->icmp_type < 0 || below(2) == 0 ? -1 : (int)below(4);
		p->code_not = p->icmp_code >= 0 && below(3) == 0;
	}
	p->has_ports = p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP;
	make_range(p->sport);
	make_range(p->dport);
}

/* what librte_acl alone cannot say; lists of addresses behind "!" are few, as each is a table */
static void make_more(struct plain *p)
{
	if (below(3) == 0) {
		p->src_table = (int)below(TABLES);
		p->has_src = false;
		p->src_not = below(3) == 0;
	} else if (p->has_src && below(20) == 0) {
		p->src_not = true;
	}
	if (below(6) == 0) {
		p->dst_table = (int)below(TABLES);
		p->has_dst = false;
		p->dst_not = below(3) == 0;
	}
	p->dport_not =
	    p->has_ports && below(4) == 0 && (p->dport[0] != 0 || p->dport[1] != UINT16_MAX);
	if (p->has_ports && below(4) == 0)
		p->sport_table = (int)below(PORT_TABLES);
	if (p->has_ports && below(4) == 0)
		p->dport_table = (int)below(PORT_TABLES);
	p->proto_not = !p->has_ports && p->proto > 0 && p->icmp_type < 0 && below(3) == 0;
	p->netif_not = p->netif >= 0 && below(3) == 0;
	if (p->proto == IPPROTO_TCP && below(2) == 0) {
		p->flags_mask = (uint8_t)(1 + below(255));
		p->flags = p->flags_mask & (uint8_t)below(256);
	}
}

static char *write_flags(char *at, uint8_t flags)
{
	for (unsigned i = 0; i < 8; i++)
		if (flags & 1u << i)
			*at++ = "FSRPAUEW"[i];
	*at = '\0';
	return at;
}

static char *write_tables(char *at)
{
	char text[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < TABLES; i++) {
		at += sprintf(at, "table t%u {", i);
		for (unsigned k = 0; k < IN_TABLE; k++) {
			table[i][k] = make_prefix(below(2) == 0);
			at += sprintf(at, " %s", pc_prefix_format(&table[i][k], text));
		}
		at += sprintf(at, " }\n");
	}
	for (unsigned i = 0; i < PORT_TABLES; i++) {
		at += sprintf(at, "table p%u ports {", i);
		for (unsigned k = 0; k < IN_TABLE; k++) {
			uint16_t *range = port_table[i][k];

			range[0] = (uint16_t)below(k == 0 ? 65536 : 100);
			range[1] = (uint16_t)(range[0] + below(k == 0 ? 65536u - range[0] : 5));
			at += sprintf(at, " %u-%u", range[0], range[1]);
		}
		at += sprintf(at, " }\n");
	}
	return at;
}

static char *write_end(char *at, const char *what, const struct pc_prefix *p, int in, bool is_not)
{
	char text[PC_PREFIX_STRLEN];

	at += sprintf(at, " %s %s", what, is_not ? "!" : "");
	if (in >= 0)
		return at + sprintf(at, "<t%d>", in);
	return at + sprintf(at, "%s", p != NULL ? pc_prefix_format(p, text) : "any");
}

static char *write_rule(const struct plain *p, char *at)
{
	static const char *const actions[] = {"pass", "drop", "reject"};
	static const char *const states[] = {"new", "established", "related", "invalid"};
	at += sprintf(at, "%s %s", actions[p->action], p->dir == FW_IN ? "in" : "out");
	if (p->family != 0)
		at += sprintf(at, p->family == 4 ? " inet" : " inet6");
	if (p->netif >= 0)
		at += sprintf(at, " on %s%d", p->netif_not ? "!" : "", p->netif);
	if (p->proto >= 0)
		at += sprintf(at, " proto %s%d", p->proto_not ? "!" : "", p->proto);
	at = write_end(at, "from", p->has_src ? &p->src : NULL, p->src_table, p->src_not);
	if (p->sport_table >= 0)
		at += sprintf(at, " port <p%d>", p->sport_table);
	else if (p->has_ports)
		at += sprintf(at, " port %u-%u", p->sport[0], p->sport[1]);
	at = write_end(at, "to", p->has_dst ? &p->dst : NULL, p->dst_table, p->dst_not);
	if (p->has_ports)
		at +=
		    sprintf(at, " port %s%u-%u", p->dport_not ? "!" : "", p->dport[0], p->dport[1]);
	if (p->dport_table >= 0)
		at += sprintf(at, ",<p%d>", p->dport_table);
	if (p->flags_mask != 0) {
		at = write_flags(at + sprintf(at, " flags "), p->flags);
		at = write_flags(at + sprintf(at, "/"), p->flags_mask);
	}
	if (p->icmp_type >= 0)
		at += sprintf(at, " icmp-type %d", p->icmp_type);
	if (p->icmp_code >= 0)
		at += sprintf(at, " code %s%d", p->code_not ? "!" : "", p->icmp_code);
	if (p->states != FW_STATES) {
		const char *sign = " state ";

		for (unsigned i = 0; i < 4; i++, sign = p->states & ((1u << i) - 1) ? "," : sign)
			if (p->states & 1u << i)
				at += sprintf(at, "%s%s", sign, states[i]);
	}
	return at + sprintf(at, "\n");
}

static bool is_in(const struct pc_prefix *p, const struct pc_addr *a)
{
	return pc_addr_is_ip4(&p->addr) == pc_addr_is_ip4(a) && pc_prefix_contains(p, a);
}

static bool end_fits(bool has, const struct pc_prefix *p, int in, bool is_not,
                     const struct pc_addr *a)
{
	bool found = in < 0 && (!has || is_in(p, a));

	for (unsigned i = 0; in >= 0 && i < IN_TABLE; i++)
		found |= is_in(&table[in][i], a);
	return found != is_not;
}

static bool port_fits(const uint16_t range[2], int in, uint16_t port)
{
	bool found = range != NULL && port >= range[0] && port <= range[1];

	for (unsigned i = 0; in >= 0 && i < IN_TABLE; i++)
		found |= port >= port_table[in][i][0] && port <= port_table[in][i][1];
	return found;
}

static bool number_fits(int wanted, bool is_not, int n)
{
	return wanted < 0 || (wanted == n) != is_not;
}

static bool fits(const struct plain *r, enum fw_dir dir, const struct fw_packet *p)
{
	const int family = pc_addr_is_ip4(p->dst) ? 4 : 6;

	return r->dir == dir && (r->family == 0 || r->family == family) &&
	       number_fits(r->netif, r->netif_not, p->netif) &&
	       number_fits(r->proto, r->proto_not, p->proto) && (r->states & p->state) != 0 &&
	       (r->icmp_type < 0 || r->icmp_type == p->icmp_type) &&
	       number_fits(r->icmp_code, r->code_not, p->icmp_code) &&
	       (p->flags & r->flags_mask) == r->flags &&
	       end_fits(r->has_src, &r->src, r->src_table, r->src_not, p->src) &&
	       end_fits(r->has_dst, &r->dst, r->dst_table, r->dst_not, p->dst) &&
	       (!r->has_ports ||
	        (port_fits(r->sport_table < 0 ? r->sport : NULL, r->sport_table, p->sport) &&
	         port_fits(r->dport, r->dport_table, p->dport) != r->dport_not));
}

static uint32_t walk(enum fw_dir dir, const struct fw_packet *p)
{
	for (uint32_t i = 0; i < RULES; i++)
		if (fits(&rules[i], dir, p))
			return i + 1;
	return 0;
}

static uint16_t make_port(void)
{
	const struct plain *r = &rules[below(RULES)];
	const uint16_t edges[] = {r->sport[0], r->sport[1], r->dport[0], r->dport[1]};

	/* at the edges of ranges, and next to them */
	return (uint16_t)(edges[below(4)] + below(3) - 1);
}

static void compare(const struct pc_firewall *fw)
{
	static const uint8_t protos[] = {IPPROTO_TCP,    IPPROTO_UDP, IPPROTO_ICMP,
	                                 IPPROTO_ICMPV6, 47,          50};
	const struct fw_where where = {.members = fw->members};
	uint32_t wrong = 0, none = 0;

	for (unsigned i = 0; i < PACKETS; i++) {
		const bool ip4 = below(2) == 0;
		const struct pc_prefix src = make_prefix(ip4), dst = make_prefix(ip4);
		const uint8_t proto = protos[below(6)];
		const bool icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
		const struct fw_packet p = {.src = &src.addr,
		                            .dst = &dst.addr,
		                            .sport = icmp ? 0 : make_port(),
		                            .dport = icmp ? 0 : make_port(),
		                            .proto = proto,
		                            .state = (uint8_t)(1 << below(4)),
		                            .icmp_type = icmp ? (uint8_t)below(13) : 0,
		                            .icmp_code = icmp ? (uint8_t)below(5) : 0,
		                            .netif = (uint8_t)below(4),
		                            .flags = (uint8_t)below(256)};
		const enum fw_dir dir = below(2);
		const uint32_t want = walk(dir, &p);

		wrong += fw_match_find(&fw->match, &where, 0, dir, &p) != want;
		none += want == 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(none < PACKETS);
}

static void test_walk(void)
{
	static char text[RULES * 300];

	dice_seed(&dice, 7);
	for (unsigned round = 0; round < 8; round++) {
		char *at = text;
		struct pc_firewall *fw;

		/* half of the time without what needs tries of its own */
		at = round % 2 == 0 ? write_tables(at) : at;
		for (unsigned i = 0; i < RULES; i++) {
			make_rule(&rules[i]);
			if (round % 2 == 0)
				make_more(&rules[i]);
			at = write_rule(&rules[i], at);
		}
		fw = make(text, 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(fw);
		CU_ASSERT_EQUAL(fw->rules.n, RULES + 2);
		compare(fw);
		pc_firewall_free(fw);
	}
}

/* ---- judgement ------------------------------------------------------------------------------- */

static const struct pc_addr here = {.w = {0, 0, 0xffff0000, 0x010200c0}},
                            peer = {.w = {0, 0, 0xffff0000, 0x020200c0}};

static struct fw_packet packet(uint16_t port)
{
	return (struct fw_packet){.src = &peer,
	                          .dst = &here,
	                          .sport = 1000,
	                          .dport = port,
	                          .proto = IPPROTO_UDP,
	                          .state = FW_NEW,
	                          .len = 100};
}

static enum fw_action judge(struct fw *fw, uint16_t port)
{
	const struct fw_packet p = packet(port);

	return fw_judge(fw, &ctx, FW_IN, &p);
}

static void test_counts(void)
{
	struct pc_firewall *set = make("pass in proto udp to port 1\ndrop in proto udp to port 2\n"
	                               "default in reject",
	                               2);
	struct pc_firewall_rule r;
	struct fw a = {0}, b = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT(!fw_is_on(&a));
	CU_ASSERT_EQUAL(fw_use(&a, set, 0), 0);
	CU_ASSERT_EQUAL(fw_use(&b, set, 1), 0);
	CU_ASSERT_EQUAL(fw_use(&b, set, 2), -EINVAL);
	CU_ASSERT_EQUAL(judge(&a, 1), FW_PASS);
	CU_ASSERT_EQUAL(judge(&b, 1), FW_PASS);
	CU_ASSERT_EQUAL(judge(&a, 2), FW_DROP);
	CU_ASSERT_EQUAL(judge(&b, 3), FW_REJECT);
	CU_ASSERT_EQUAL(judge(&b, 4), FW_REJECT);
	CU_ASSERT(pc_firewall_get_rule(set, 0, &r) && r.packets == 2 && r.bytes == 200 &&
	          r.line == 1);
	CU_ASSERT_STRING_EQUAL(r.text, "pass in proto udp to port 1");
	CU_ASSERT_EQUAL(packets_of(set, 1), 1);
	CU_ASSERT_EQUAL(packets_of(set, 2), 2);
	CU_ASSERT_EQUAL(packets_of(set, 3), 0);
	CU_ASSERT(!pc_firewall_get_rule(set, 4, &r));
	CU_ASSERT_EQUAL(fw_use(&a, NULL, 0), 0);
	CU_ASSERT(!fw_is_on(&a) && fw_is_on(&b));
	pc_firewall_free(set);
	pc_firewall_free(NULL);
}

static void test_limit(void)
{
	struct pc_firewall *set = make("pass in limit 10/s burst 3", 1);
	struct fw_packet p = packet(1);
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS);
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_DROP);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LIMITED], 1);
	p.unlimited = true;
	CU_ASSERT_EQUAL(fw_judge(&fw, &ctx, FW_IN, &p), FW_PASS);
	ctx.now_ns += SECOND / 10;
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS);
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_DROP);
	ctx.now_ns += 10 * SECOND; /* no more than the burst is saved */
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS);
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_DROP);
	CU_ASSERT_EQUAL(packets_of(set, 0), 11);
	pc_firewall_free(set);
}

/* what one source sends too much of is taken neither from others nor from the limit of all */
static void test_source_limit(void)
{
	struct pc_firewall *set =
	    make("pass in limit 10/s per source burst 3 limit 10/s burst 8", 1);
	struct pc_addr other = peer;
	struct fw_packet p = packet(1);
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(judge(&fw, 1), i < 3 ? FW_PASS : FW_DROP);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_SOURCE_LIMITED], 7);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LIMITED], 0);
	p.unlimited = true;
	CU_ASSERT_EQUAL(fw_judge(&fw, &ctx, FW_IN, &p), FW_PASS);
	p.unlimited = false;
	p.src = &other;
	for (unsigned i = 0; i < 6; i++) {
		other.b[15] = (uint8_t)(100 + i);
		CU_ASSERT_EQUAL(fw_judge(&fw, &ctx, FW_IN, &p), i < 5 ? FW_PASS : FW_DROP);
	}
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LIMITED], 1);
	ctx.now_ns += SECOND / 10;
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS);
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_DROP);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_SOURCES_FORGOTTEN], 0);
	pc_firewall_free(set);
}

/* more sources than there are places for: none is refused, and who has used up his limit is not forgotten */
static void test_many_sources(void)
{
	struct pc_firewall *set = make("pass in limit 1/s per source burst 5", 1);
	struct pc_addr other = peer;
	struct fw_packet p = packet(1);
	struct fw fw = {0};
	unsigned refused = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS);
	p.src = &other;
	for (unsigned i = 0; i < 100000; i++) {
		other.w[3] = htonl(0x0a000000 + i);
		refused += fw_judge(&fw, &ctx, FW_IN, &p) != FW_PASS;
	}
	CU_ASSERT_EQUAL(refused, 0);
	CU_ASSERT(ctx.counters.value[PC_FIREWALL_SOURCES_FORGOTTEN] > 90000);
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_DROP);
	pc_firewall_free(set);
}

/* Rules that come again, in whatever place, have what has been used of their limits; others begin anew. */
static void test_limits_of_other_rules(void)
{
	struct pc_firewall *set = make("pass in proto udp to port 1 limit 1/s burst 3\n"
	                               "pass in proto udp to port 2 limit 1/s per source burst 3\n"
	                               "pass in proto udp to port 3 limit 1/s per source burst 3",
	                               1);
	struct pc_firewall *next =
	    make("pass in proto udp to port 4 limit 1/s per source burst 3\n"
	         "pass in proto udp to port 3  limit 2/s per source burst 3\n"
	         "pass in proto udp to port 2  limit 1/s per source burst 3\n"
	         "pass in proto udp to port 1 limit 1/s burst 3 # as before",
	         1);
	struct pc_firewall *last = make("pass in proto udp to port 4 limit 1/s per source burst 3\n"
	                                "pass in proto udp to port 1 limit 1/s burst 3",
	                                1);
	struct fw fw = {0};

	CU_ASSERT_FATAL(set != NULL && next != NULL && last != NULL);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 12; i++)
		CU_ASSERT_EQUAL(judge(&fw, (uint16_t)(1 + i % 3)), i < 9 ? FW_PASS : FW_DROP);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(next, set, why, sizeof(why)), 0);
	fw_use(&fw, next, 0);
	pc_firewall_free(set);
	CU_ASSERT(judge(&fw, 1) == FW_DROP && judge(&fw, 2) == FW_DROP);
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(judge(&fw, (uint16_t)(3 + i % 2)), i < 6 ? FW_PASS : FW_DROP);
	fw_use(&fw, next, 0); /* as for a change of a table */
	CU_ASSERT(judge(&fw, 1) == FW_DROP && judge(&fw, 2) == FW_DROP && judge(&fw, 4) == FW_DROP);
	CU_ASSERT_EQUAL(pc_firewall_take_tables(last, next, why, sizeof(why)), 0);
	fw_use(&fw, last, 0);
	CU_ASSERT(judge(&fw, 1) == FW_DROP && judge(&fw, 4) == FW_DROP);
	ctx.now_ns += SECOND;
	CU_ASSERT(judge(&fw, 1) == FW_PASS && judge(&fw, 1) == FW_DROP);
	CU_ASSERT(judge(&fw, 4) == FW_PASS && judge(&fw, 4) == FW_DROP);
	pc_firewall_free(next);
	pc_firewall_free(last);
}

static enum fw_action judge_from(struct fw *fw, unsigned host, uint16_t port)
{
	const struct pc_addr src = pc_addr_ip4(htonl(0x0a000000 + host));
	struct fw_packet p = packet(port);

	p.src = &src;
	return fw_judge(fw, &ctx, FW_IN, &p);
}

/* who is beyond his limit is blocked for a time, on every lcore */
static void test_overload(void)
{
	struct pc_firewall *set =
	    make("table bad { 10.0.0.99 }\n"
	         "drop in from <bad>\n"
	         "pass in limit 1/s per source burst 3 overload <bad> timeout 10s",
	         2);
	struct fw a = {0}, b = {0};
	struct fw_packet p = packet(1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&a, set, 0);
	fw_use(&b, set, 1);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(judge(&a, 1), FW_PASS);
	p.unlimited = true; /* what goes on is within every limit */
	CU_ASSERT_EQUAL(fw_judge(&a, &ctx, FW_IN, &p), FW_PASS);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LEARNT], 0);
	CU_ASSERT_EQUAL(judge(&a, 1), FW_DROP);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LEARNT], 1);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_SOURCE_LIMITED], 1);
	CU_ASSERT_EQUAL(judge(&a, 1), FW_DROP);
	CU_ASSERT_EQUAL(judge(&b, 1), FW_DROP);
	CU_ASSERT_EQUAL(packets_of(set, 0), 2);
	CU_ASSERT(judge_from(&a, 1, 1) == FW_PASS && judge_from(&a, 99, 1) == FW_DROP);
	ctx.now_ns += 10 * SECOND - SECOND / 100;
	CU_ASSERT_EQUAL(judge(&b, 1), FW_DROP);
	ctx.now_ns += SECOND / 100;
	CU_ASSERT(judge(&a, 1) == FW_PASS && judge(&b, 1) == FW_PASS);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LEARNT_FORGOTTEN], 0);
	pc_firewall_free(set);
}

static bool admits(struct fw *fw, struct fw_share *share)
{
	struct fw_packet p = packet(80);

	p.proto = IPPROTO_TCP;
	return fw_admits_handshake(fw, &ctx, &p, share);
}

/* who completes too many handshakes on one lcore loses his connections on all of them, once, and also if other rules come meanwhile */
static void test_flush(void)
{
	static const char text[] = "table bad\n"
	                           "pass in proto tcp limit 1/s per source handshakes burst 2 "
	                           "overload <bad> timeout 1m flush\n"
	                           "default in drop";
	struct pc_firewall *set = make(text, 2), *next = make(text, 2);
	struct fw_packet p = packet(80);
	struct fw a = {0}, b = {0};
	struct fw_share share;

	CU_ASSERT_FATAL(set != NULL && next != NULL);
	p.proto = IPPROTO_TCP;
	fw_use(&a, set, 0);
	fw_use(&b, set, 1);
	for (unsigned i = 0; i < 9; i++) /* a SYN takes nothing */
		CU_ASSERT_EQUAL(fw_judge(&a, &ctx, FW_IN, &p), FW_PASS);
	for (unsigned i = 0; i < 9; i++) /* nor does a handshake for which there was no room */
		CU_ASSERT(admits(&a, &share));
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT(admits(&a, &share));
		fw_take_share(&share);
	}
	CU_ASSERT(!fw_wants_flush(&a) && !fw_wants_flush(&b));
	CU_ASSERT(!admits(&a, &share));
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LEARNT], 1);
	CU_ASSERT(fw_wants_flush(&a) && fw_wants_flush(&b));
	CU_ASSERT(fw_is_flushed(&b, &ctx, p.src) && !fw_is_flushed(&b, &ctx, p.dst));
	fw_knows_flush(&a);
	CU_ASSERT(!fw_wants_flush(&a) && fw_wants_flush(&b));
	CU_ASSERT_EQUAL(pc_firewall_take_tables(next, set, why, sizeof(why)), 0);
	fw_use(&b, next, 1);
	CU_ASSERT(fw_wants_flush(&b) && fw_is_flushed(&b, &ctx, p.src));
	fw_knows_flush(&b);
	CU_ASSERT(!fw_wants_flush(&b));
	CU_ASSERT(!admits(&a, &share) && !fw_wants_flush(&a)); /* it has been said */
	ctx.now_ns += 31 * SECOND;
	CU_ASSERT(!fw_is_flushed(&a, &ctx, p.src) && !fw_is_flushed(&b, &ctx, p.src));
	CU_ASSERT(admits(&a, &share));
	fw_use(&a, next, 0);
	fw_use(&b, NULL, 0);
	CU_ASSERT(!fw_wants_flush(&b) && !fw_is_flushed(&b, &ctx, p.src));
	pc_firewall_free(set);
	pc_firewall_free(next);
}

/* who tries a port is in a table; each time that he tries it again the time begins anew */
static void test_add(void)
{
	struct pc_firewall *set = make("table scan\ntable other\n"
	                               "reject in proto udp to port 23 add <scan> timeout 1m log\n"
	                               "pass in from !<scan>,<other>",
	                               1);
	struct fw_packet p = packet(23);
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(fw_peek(&fw, &ctx, FW_IN, &p), FW_REJECT); /* nobody has tried it */
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS);
	CU_ASSERT_EQUAL(packets_of(set, 1), 1);
	CU_ASSERT_EQUAL(judge(&fw, 23), FW_REJECT);
	CU_ASSERT_EQUAL(judge(&fw, 1), FW_PASS); /* by the default */
	CU_ASSERT_EQUAL(packets_of(set, 1), 1);
	ctx.now_ns += 59 * SECOND;
	CU_ASSERT_EQUAL(judge(&fw, 23), FW_REJECT);
	ctx.now_ns += 59 * SECOND;
	judge(&fw, 1);
	CU_ASSERT_EQUAL(packets_of(set, 1), 1);
	ctx.now_ns += SECOND;
	judge(&fw, 1);
	CU_ASSERT_EQUAL(packets_of(set, 1), 2);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LEARNT], 1);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LOGGED], 2);
	pc_firewall_free(set);
}

/* of more sources than there are places for, those are forgotten whose time is over soonest; the last one is there */
static void test_many_learnt(void)
{
	struct pc_firewall *set =
	    make("table bad\ndrop in from <bad>\npass in add <bad> timeout 1h", 1);
	struct fw fw = {0};
	unsigned wrong = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 10000; i++, ctx.now_ns += SECOND / 100) {
		wrong += judge_from(&fw, i, 1) != FW_PASS;
		wrong += judge_from(&fw, i, 1) != FW_DROP;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LEARNT], 10000);
	CU_ASSERT(ctx.counters.value[PC_FIREWALL_LEARNT_FORGOTTEN] >= 10000 - 64);
	pc_firewall_free(set);
}

static void test_log(void)
{
	struct pc_firewall *set = make("\ndrop in proto udp to port 1 log", 1);
	struct pc_firewall_log l[20];
	struct fw fw = {0};
	char text[200];

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	judge(&fw, 2);
	CU_ASSERT_EQUAL(pc_firewall_take_log(set, 0, l, 20), 0);
	for (unsigned i = 0; i < 12; i++)
		CU_ASSERT_EQUAL(judge(&fw, 1), FW_DROP);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LOGGED], 10);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_UNLOGGED], 2);
	CU_ASSERT_EQUAL(pc_firewall_take_log(set, 0, l, 4), 4);
	CU_ASSERT_EQUAL(pc_firewall_take_log(set, 0, l, 20), 6);
	CU_ASSERT_EQUAL(pc_firewall_take_log(set, 1, l, 20), 0);
	CU_ASSERT_STRING_EQUAL(
	    pc_firewall_format_log(&l[0], text, sizeof(text)),
	    "drop in by line 2, port 0: udp 192.0.2.2:1000 > 192.0.2.1:1, 100 bytes");
	l[0].proto = IPPROTO_TCP;
	l[0].flags = 0x12;
	CU_ASSERT_STRING_EQUAL(
	    pc_firewall_format_log(&l[0], text, sizeof(text)),
	    "drop in by line 2, port 0: tcp 192.0.2.2:1000 > 192.0.2.1:1, 100 bytes, flags SA");
	l[0].flags = 0xff;
	CU_ASSERT_PTR_NOT_NULL(strstr(pc_firewall_format_log(&l[0], text, sizeof(text)),
	                              ", 100 bytes, flags FSRPAUEW"));
	l[0].flags = 0;
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(pc_firewall_format_log(&l[0], text, sizeof(text)), ", 100 bytes, no flags"));
	ctx.cfg.firewall_log_rate = 0;
	ctx.now_ns += SECOND;
	judge(&fw, 1);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_UNLOGGED], 3);
	ctx.cfg.firewall_log_rate = 1000000; /* nobody prints: the ring is full */
	for (unsigned i = 0; i < 1000; i++, ctx.now_ns += 1000)
		judge(&fw, 1);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_LOGGED], 10 + 511);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_UNLOGGED], 3 + 489);
	pc_firewall_free(set);
}

static enum fw_action judge_pair(struct fw *fw, enum fw_dir dir, uint16_t port, bool known)
{
	struct fw_packet p = packet(port);
	const struct fw_state name = {
	    .remote = peer, .lport = port, .rport = 1000, .proto = IPPROTO_UDP};

	return fw_judge_pair(fw, &ctx, dir, &p, &name, known);
}

static void test_states(void)
{
	static const char text[] = "pass in state established\ndefault in drop";
	struct pc_firewall *set = make(text, 1), *next = make(text, 1);
	const struct fw_state group = {
	    .lport = 68, .rport = 1000, .laddr = FW_ANY_LADDR, .proto = IPPROTO_UDP};
	struct fw_packet p = packet(68);
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_PTR_NOT_NULL_FATAL(next);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 1, false), FW_DROP);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 1, false), FW_DROP);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 1, true), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 2, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 3, false), FW_DROP);
	/* who answers what went to a group */
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 68, false), FW_DROP);
	CU_ASSERT_EQUAL(fw_judge_pair(&fw, &ctx, FW_OUT, &p, &group, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 68, false), FW_PASS);
	/* other rules, the same states */
	fw_use(&fw, next, 0);
	pc_firewall_free(set);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 3, false), FW_DROP);
	ctx.now_ns += SECOND - 1;
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_PASS);
	ctx.now_ns += SECOND;
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_DROP);
	pc_firewall_free(next);
}

/* who goes on without an answer has begun nothing that others are part of */
static void test_one_way(void)
{
	struct pc_firewall *set = make("drop in state established\ndrop out state established", 1);
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 1, false), FW_PASS);
		CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 2, false), FW_PASS);
	}
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 1, false), FW_DROP);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_DROP);
	pc_firewall_free(set);
}

/* of more pairs than there are places for, some are forgotten before their time, and counted */
static void test_many_pairs(void)
{
	struct pc_firewall *set = make("pass in state established\ndefault in drop", 1);
	unsigned answered = 0;
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 1, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 1, false), FW_PASS);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_FIREWALL_STATES_FORGOTTEN], 0);
	for (uint16_t i = 2; i <= 200; i++)
		judge_pair(&fw, FW_OUT, i, false);
	CU_ASSERT(ctx.counters.value[PC_FIREWALL_STATES_FORGOTTEN] >= 200 - 64);
	for (uint16_t i = 1; i <= 200; i++)
		answered += judge_pair(&fw, FW_IN, i, false) == FW_PASS;
	CU_ASSERT_EQUAL(answered, 200 - ctx.counters.value[PC_FIREWALL_STATES_FORGOTTEN]);
	pc_firewall_free(set);
}

/* rules that ask for states take over from, and give way to, some that do not */
static void test_without_states(void)
{
	static const char text[] = "pass in state established\ndefault in drop";
	struct pc_firewall *plain = make("pass in", 1), *set = make(text, 1), *last = make(text, 1);
	struct pc_firewall *end = make("default in drop", 1);
	struct fw fw = {0};

	fw_use(&fw, plain, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 1, false), FW_PASS);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 1, false), FW_DROP); /* nobody has kept it */
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 2, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_PASS);
	fw_use(&fw, end, 0);
	CU_ASSERT_PTR_NULL(fw.slot->states.place);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_DROP);
	fw_use(&fw, last, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 2, false), FW_DROP);
	pc_firewall_free(plain);
	pc_firewall_free(set);
	pc_firewall_free(end);
	pc_firewall_free(last);
}

/* a pair that somebody else has begun is established for what is sent */
static void test_answers(void)
{
	struct pc_firewall *set = make("pass out state established\ndefault out drop", 1);
	struct fw fw = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 5, false), FW_DROP);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 5, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 5, false), FW_PASS);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 6, false), FW_DROP);
	pc_firewall_free(set);
	/* who was not let out has asked nobody */
	set = make("drop out\npass in state established\ndefault in drop", 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	fw_use(&fw, NULL, 0);
	fw_use(&fw, set, 0);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_OUT, 7, false), FW_DROP);
	CU_ASSERT_EQUAL(judge_pair(&fw, FW_IN, 7, false), FW_DROP);
	pc_firewall_free(set);
}

static void test_errors(void)
{
	const struct pc_firewall_args args = {.text = "pass in\npass out",
	                                      .len = 16,
	                                      .name = "a.fw",
	                                      .max_rules = 1,
	                                      .slots = 1,
	                                      .socket_id = -1};

	CU_ASSERT_PTR_NULL(make("pass in proto", 1));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(pc_firewall_create(&args, why, sizeof(why)));
	CU_ASSERT_EQUAL(errno, ENOSPC);
}

static const struct unit_case cases[] = {
    {"the first rule that fits, against a walk", test_walk},
    {"counts of slots", test_counts},
    {"limits", test_limit},
    {"limits of each source", test_source_limit},
    {"more sources than are known", test_many_sources},
    {"limits of other rules", test_limits_of_other_rules},
    {"sources that are beyond their limit come into a table", test_overload},
    {"sources that are beyond their limit of handshakes lose their connections", test_flush},
    {"sources that a rule puts into a table", test_add},
    {"more of them than there is room for", test_many_learnt},
    {"logs", test_log},
    {"states, and other rules", test_states},
    {"one way only", test_one_way},
    {"more pairs than there are places for", test_many_pairs},
    {"rules without states", test_without_states},
    {"answers to others", test_answers},
    {"errors", test_errors},
};

int main(void)
{
	eal_start();
	return unit_run("fw/fw", cases, sizeof(cases) / sizeof(cases[0]));
}
