/* SPDX-License-Identifier: BSD-2-Clause */

/* The client of stateless DHCPv6 (RFC 8415), played against a router and a server written by hand, under a virtual
 * clock. */

#include <rte_common.h>

#include "dhcp6_peer.h"

#define DNS1 "2001:db8::53"
#define DNS2 "2001:db8::54"

static bool is_addr(const struct pc_addr *a, const char *text)
{
	const struct pc_addr b = addr6(text);

	return pc_addr_equal(a, &b);
}

static uint8_t *put(uint8_t *p, uint8_t code, uint8_t len, const void *data)
{
	p[0] = 0;
	p[1] = code;
	p[2] = 0;
	p[3] = len;
	memcpy(p + 4, data, len);
	return p + 4 + len;
}

/* A reply to the last message; more is put behind the identifiers. */
static uint16_t build_with(uint8_t *d, const uint8_t *more, size_t n)
{
	const uint16_t len = build(d, &(struct told){.type = REPLY, .no_ia = true});

	memcpy(d + len, more, n);
	return (uint16_t)(len + n);
}

static size_t dns_option(uint8_t *p, const char *one, const char *two)
{
	const struct pc_addr a[2] = {addr6(one), addr6(two)};

	return (size_t)(put(p, 23, 32, a) - p);
}

static void reply(struct wt *w, uint32_t refresh_s)
{
	uint8_t d[300], more[100],
	    be[4] = {(uint8_t)(refresh_s >> 24), (uint8_t)(refresh_s >> 16),
	             (uint8_t)(refresh_s >> 8), (uint8_t)refresh_s};
	size_t n = dns_option(more, DNS1, DNS2);

	n += (size_t)(put(more + n, 32, 4, be) - (more + n));
	say(w, d, build_with(d, more, n));
}

static struct pc_dhcp6_info info_of(struct wt *w)
{
	struct pc_dhcp6_info i;

	CHECK(pc_dhcp6_get_info(client, &i) != 0);
	return i;
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void other_flag(struct wt *w)
{
	struct pc_addr dns[3];

	start(w, PC_DHCP6_ROUTER, false, false);
	CHECK(!hear(w, 5000, 100));
	advertise(w, 0);
	CHECK(!hear(w, 5000, 100));
	advertise(w, O_FLAG);
	CHECK(hear(w, 1100, 20)); /* INF_MAX_DELAY: one second */
	EQ(last.type, INFORM);
	CHECK(!last.has_ia);
	EQ(last.elapsed, 0);
	EQ(last.wants, 0x1f);
	CHECK(memcmp(last.duid, "\0\3\0\1" PROBE_MAC, 10) == 0);
	reply(w, 3600);
	EQ(pc_stack_get_dns(w->st, dns, 3), 2);
	CHECK(is_addr(&dns[0], DNS1));
	CHECK(is_addr(&dns[1], DNS2));
	EQ(info_of(w).refresh_s, 3600);
	EQ(wt_count(w, PC_DHCP6_REPLIES), 1);
	finish(w);
}

static void managed_flag(struct wt *w)
{
	start(w, PC_DHCP6_ROUTER, false, false);
	advertise(w, M_FLAG);
	CHECK(hear(w, 1100, 20));
	finish(w);
}

static void without_a_router(struct wt *w)
{
	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	finish(w);
}

/* 1 s, then twice as long each time, up to an hour, each give or take a tenth (RAND) */
static void patience(struct wt *w)
{
	uint64_t at, begin;
	double want = 1000;

	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	begin = at = w->now;
	for (unsigned n = 0; n < 14; n++) {
		double waited;

		CHECK(hear(w, 2.3 * want + 1000, want / 100));
		waited = (double)(w->now - at) / 1e6;
		if (waited < 3000000)
			IN(waited, want * (n == 0 ? 0.9 : 1.9), want * (n == 0 ? 1.13 : 2.13));
		else
			IN(waited, 3240000, 4000000);
		EQ(last.elapsed, RTE_MIN((w->now - begin) / 10000000, UINT64_C(65535)));
		want = n == 0 ? waited : RTE_MIN(waited, 3600000.0);
		at = w->now;
	}
	reply(w, 3600);
	CHECK(!hear(w, 3500000, 10000));
	finish(w);
}

/* ... or what a server has told in an answer, be it to another request */
static void told_patience(struct wt *w)
{
	uint8_t d[300];
	uint64_t at = 0;

	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	say(w, d, build_with(d, (const uint8_t *)"\0\x53\0\4\0\0\0\x64\0\x52\0\4\0\0\0\x3c", 16));
	EQ(info_of(w).inf_max_rt_s, 100);
	CHECK(hear(w, 86500000, 1000));
	for (unsigned n = 0; n < 12; n++) {
		at = last.at_ns;
		CHECK(hear(w, 120000, 100));
		if (n > 7)
			IN((last.at_ns - at) / 1000000, 90000, 110100);
	}
	reply(w, 600); /* without it, it is as it was */
	CHECK(hear(w, 601000, 100));
	for (unsigned n = 0; n < 9; n++)
		CHECK(hear(w, 120000, 100));
	finish(w);
}

static void refreshes(struct wt *w)
{
	struct pc_addr dns[4];
	uint8_t d[300], more[100];

	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	reply(w, 1); /* not sooner than after IRT_MINIMUM: ten minutes */
	EQ(info_of(w).refresh_s, 600);
	CHECK(!hear(w, 599000, 1000));
	CHECK(hear(w, 2500, 100));
	EQ(pc_stack_get_dns(w->st, dns, 4), 2); /* what was known stays until then */
	say(w, d, build_with(d, more, dns_option(more, DNS2, "2001:db8::55")));
	EQ(pc_stack_get_dns(w->st, dns, 4), 2);
	CHECK(dns[0].b[15] == 0x54 || dns[1].b[15] == 0x54);
	CHECK(dns[0].b[15] == 0x55 || dns[1].b[15] == 0x55);
	EQ(info_of(w).refresh_s, 86400); /* IRT_DEFAULT */
	CHECK(!hear(w, 86390000, 100000));
	CHECK(hear(w, 200000, 1000));
	reply(w, UINT32_MAX);
	CHECK(!hear(w, 200000000, 1000000));
	EQ(pc_dhcp6_next_deadline(client), UINT64_MAX);
	finish(w);
}

/* Another network may be behind a link that comes up. */
static void link_comes_up(struct wt *w)
{
	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	reply(w, UINT32_MAX);
	probe_port(w->probe)->info.link_up = false;
	CHECK(!hear(w, 5000, 100));
	probe_port(w->probe)->info.link_up = true;
	CHECK(hear(w, 1100, 20));
	finish(w);
}

static void strangers(struct wt *w)
{
	struct pc_dhcp6_info i;
	uint8_t d[300], more[100];
	size_t n = dns_option(more, DNS1, DNS2);
	uint16_t len;

	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	len = build_with(d, more, n);
	for (uint16_t cut = 0; cut < len; cut++) /* at each place, but between options */
		if (cut != 4 && cut != 18 && cut != 32)
			say(w, d, cut);
	say(w, d, 4);  /* no identifiers */
	say(w, d, 18); /* no server's */
	d[3] ^= 1;     /* another transaction */
	say(w, d, len);
	d[3] ^= 1;
	d[17] ^= 1; /* another client */
	say(w, d, len);
	d[17] ^= 1;
	d[0] = 2; /* an advertisement of a server */
	say(w, d, len);
	d[0] = 7;
	d[21] = 200; /* an option beyond the end */
	say(w, d, len);
	d[21] = 10;
	n += (size_t)(put(more + n, 13, 2, "\0\1") - (more + n)); /* UnspecFail */
	say(w, d, build_with(d, more, n));
	EQ(pc_dhcp6_get_info(client, &i), 0);
	len = build_with(d, more, dns_option(more, DNS1, DNS2));
	say(w, d, len);
	EQ(info_of(w).nb_dns, 2);
	finish(w);
}

static void options(struct wt *w)
{
	static const char domains[] = "\7example\3org\0\1a\2b2\0";
	char list[2][PC_DOMAIN_MAX + 1];
	struct pc_dhcp6_info i;
	uint8_t d[300], more[200];
	size_t n = dns_option(more, "fe80::53", "ff02::fb"); /* a group is no server */
	struct pc_addr dns[2];

	start(w, PC_DHCP6_INFORM, false, false);
	CHECK(hear(w, 1100, 20));
	n += (size_t)(put(more + n, 24, sizeof(domains) - 1, domains) - (more + n));
	n += (size_t)(put(more + n, 82, 4, "\0\0\0\x64") - (more + n));
	n += (size_t)(put(more + n, 83, 4, "\0\0\0\x3b") - (more + n)); /* 59: does not count */
	n += (size_t)(put(more + n, 99, 3, "abc") - (more + n));
	say(w, d, build_with(d, more, n));
	i = info_of(w);
	EQ(i.nb_dns, 1);
	EQ(pc_stack_get_dns(w->st, dns, 2), 1);
	CHECK(is_addr(&dns[0], "fe80::53"));
	EQ(pc_stack_dns_scope(w->st, &dns[0]), 1); /* of the port where it was told */
	CHECK(strcmp(i.search, "example.org a.b2") == 0);
	EQ(pc_stack_get_search(w->st, list, 2), 2);
	CHECK(strcmp(list[1], "a.b2") == 0);
	EQ(i.sol_max_rt_s, 100);
	EQ(i.inf_max_rt_s, 0);
	CHECK(is_addr(&i.server, SERVER));
	finish(w);
}

/* A name that is cut, too long, or has a byte that no name has. */
static void bad_names(struct wt *w)
{
	static const struct {
		uint8_t len;
		const char *name;
	} bad[] = {
	    {4, "\3org"}, {5, "\5org\0"}, {5, "\xc0\0\0\0\0"}, {5, "\3o g\0"}, {6, "\3org\0\1"}};
	struct pc_dhcp6_info i;
	uint8_t d[300], more[100];

	start(w, PC_DHCP6_INFORM, false, false);
	for (unsigned n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		CHECK(hear(w, 1100, 20));
		say(w, d,
		    build_with(d, more, (size_t)(put(more, 24, bad[n].len, bad[n].name) - more)));
		EQ(pc_dhcp6_get_info(client, &i), 1);
		EQ(strlen(i.search), 0);
		EQ(pc_stack_get_search(w->st, NULL, 0), 0);
		again(w, PC_DHCP6_INFORM);
	}
	finish(w);
}

static const struct wt_case cases[] = {
    {"RFC 4861 4.2, RFC 8415 18.2.6: a router's O flag has the client ask", other_flag},
    {"RFC 4861 4.2: the M flag does so too", managed_flag},
    {"RFC 8415 18.2.6: it asks without a router if told to", without_a_router},
    {"RFC 8415 15, 7.6: messages are repeated, less and less often", patience},
    {"RFC 8415 21.25, 15: INF_MAX_RT of a server", told_patience},
    {"RFC 8415 21.23, 18.2.12: refreshed when the time is over", refreshes},
    {"RFC 8415 18.2.12: asked anew when the link comes up", link_comes_up},
    {"RFC 8415 16.10, 18.2.10: what is malformed or of others is ignored", strangers},
    {"RFC 3646, RFC 8415 21.24, 21.25: options", options},
    {"RFC 8415 10: names that are none", bad_names},
};

WT_MAIN("dhcp6")
