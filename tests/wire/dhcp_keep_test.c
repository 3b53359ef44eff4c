/* SPDX-License-Identifier: BSD-2-Clause */

/* The DHCP client (RFC 2131): what a lease needs to come and to stay, what has no effect on it, and what it leaves. */

#include <percore/dhcp6.h>

#include "dhcp_peer.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- messages -------------------------------------------------------------------------------- */

/* The next message comes in about so many seconds, to that address. */
static struct query comes_after(struct wt *w, double s, const char *to)
{
	const uint64_t now = w->now;
	const struct query q = expect(w, 1000 * s + 2000, REQUEST);
	const double early = s == 1800 ? 28800 : 700; /* T1 that no server has told */

	IN((w->now - now) / 1000000, 1000 * s - early, 1000 * s + 100);
	EQ(q.dst, inet_addr(to));
	CHECK(q.src == inet_addr(LEASED) && q.ciaddr == inet_addr(LEASED) && !q.broadcast);
	CHECK(q.requested == 0 && q.server == 0);
	return q;
}

/* Table 5: one number for all messages up to the lease, with the seconds since the first, and another one for the next. Section 3.1,
 * step 3: the request "MUST use the same value in the DHCP message header's 'secs' field" as the DISCOVER. */
static void numbers(struct wt *w)
{
	uint64_t begin;
	uint32_t first, secs = 0;
	uint8_t d[600];

	start(w);
	EQ(expect(w, 1000, DISCOVER).secs, 0);
	begin = w->now;
	first = xid;
	for (unsigned i = 0; i < 2; i++) {
		secs = expect(w, 10000, DISCOVER).secs;
		IN(secs, (w->now - begin) / 1000000000 - 1, (w->now - begin) / 1000000000);
		EQ(xid, first);
	}
	wt_pass(w, 2000);
	reply(w, OFFER, 3600);
	for (unsigned i = 0; i < 2; i++) {
		EQ(expect(w, 6000, REQUEST).secs, secs);
		EQ(xid, first);
	}
	reply(w, NAK, 0);
	EQ(expect(w, 1100, DISCOVER).secs, 0);
	CHECK(xid != first);
	first = xid;
	reply(w, OFFER, 3600);
	for (unsigned i = 0; i < 4; i++)
		expect(w, 40000, REQUEST);
	EQ(expect(w, 40000, DISCOVER).secs, 0); /* nobody answers: from the beginning */
	CHECK(xid != first);
	expect(w, 5000, DISCOVER); /* with the first wait, too */
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	reply(w, ACK, 3600);
	expect_probes(w);
	probe_answer_arp(w->probe, true);
	EQ(comes_after(w, 1800, SERVER).secs, 0);
	IN(comes_after(w, 675, SERVER).secs, 674, 676);
	inject(w, LEASED, d,
	       build(d, ACK, 70000, (uint8_t[]){58, 4, 0, 0, 0, 10, 59, 4, 0, 1, 1, 208}, 12));
	EQ(comes_after(w, 10, SERVER).secs, 0);
	while (expect(w, 40000000, REQUEST).dst != UINT32_MAX) /* until T2, after 66,000 s */
		;
	EQ(expect(w, 40000000, REQUEST).secs, UINT16_MAX); /* there are no more */
	finish(w);
}

/* T1 and T2 as the server tells, half of what is left each time, and not within a minute. */
static void told_times(struct wt *w)
{
	static const struct {
		double s;
		const char *to;
	} rows[] = {{600, SERVER}, {300, SERVER}, {150, SERVER}, {75, SERVER},
	            {60, SERVER},  {15, ALL},     {600, ALL},    {300, ALL},
	            {150, ALL},    {75, ALL},     {60, ALL}};
	uint8_t d[600];

	start(w);
	expect(w, 1000, DISCOVER);
	reply(w, OFFER, 2400);
	expect(w, 100, REQUEST);
	inject(w, ALL, d,
	       build(d, ACK, 2400, (uint8_t[]){58, 4, 0, 0, 2, 88, 59, 4, 0, 0, 4, 176}, 12));
	expect_probes(w);
	probe_answer_arp(w->probe, true);
	for (unsigned i = 0; i < COUNT(rows); i++)
		comes_after(w, rows[i].s, rows[i].to);
	CHECK(has_lease());
	CHECK(sent(w, 14000, 500) == NULL);
	expect(w, 2000, DISCOVER);
	CHECK(!has_lease());
	finish(w);
}

/* Clients that got their leases at the same time do not renew them at the same time. */
static void spread_times(struct wt *w)
{
	uint64_t least = UINT64_MAX, most = 0;
	uint8_t d[600];

	start(w);
	become_bound(w, 3600);
	probe_answer_arp(w->probe, true);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t ms = w->now;

		expect(w, 1810000, REQUEST);
		ms = (w->now - ms) / 1000000;
		if (i > 0) /* the first one counts from the request, too, which was some time ago */
			IN(ms, 1771000, 1801000);
		least = i > 0 && ms < least ? ms : least;
		most = i > 0 && ms > most ? ms : most;
		inject(w, LEASED, d, build(d, ACK, 3600, NULL, 0));
		turn(w);
	}
	CHECK(most - least > 3000);
	finish(w);
}

/* A server that wants to be asked at once is asked once a second. */
static void no_time(struct wt *w)
{
	static const uint8_t at_once[] = {58, 4, 0, 0, 0, 0, 59, 4, 0, 0, 0, 0};
	uint8_t d[600];

	start(w);
	expect(w, 1000, DISCOVER);
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	inject(w, ALL, d, build(d, ACK, 3600, at_once, sizeof(at_once)));
	expect_probes(w);
	probe_answer_arp(w->probe, true);
	for (unsigned i = 0; i < 3; i++) {
		EQ(expect(w, 1100, REQUEST).dst, UINT32_MAX); /* behind T2, too */
		inject(w, LEASED, d, build(d, ACK, 3600, at_once, sizeof(at_once)));
		CHECK(sent(w, 900, 20) == NULL);
	}
	finish(w);
}

/* A lease counts from the request, and at its end the client "MUST immediately stop any other network processing". */
static void short_leases(struct wt *w)
{
	uint64_t asked;
	uint8_t d[600];

	start(w);
	probe_answer_arp(w->probe, true);
	expect(w, 1000, DISCOVER);
	reply(w, OFFER, 1);
	expect(w, 100, REQUEST);
	asked = w->now;
	reply(w, ACK, 1);
	while (!has_lease()) {
		wt_pass(w, 10);
		turn(w);
	}
	while (has_lease()) {
		wt_pass(w, 1);
		turn(w);
	}
	IN((w->now - asked) / 1000000, 1000, 1002);
	expect(w, 0, DISCOVER);
	reply(w, OFFER, 2); /* this one is over when it is granted */
	expect(w, 100, REQUEST);
	expect(w, 6000, REQUEST);
	reply(w, ACK, 2);
	CHECK(sent(w, 9000, 100) == NULL);
	CHECK(!has_lease());
	EQ(pc_stack_get_addrs(w->st, NULL, 0), 0);
	expect(w, 2000, DISCOVER);
	reply(w, OFFER, 100);
	expect(w, 100, REQUEST);
	reply(w, ACK, 100);
	EQ(expect(w, 60000, REQUEST).dst, inet_addr(SERVER));
	wt_pass(w, 2000);
	inject(w, LEASED, d, build(d, ACK, 1, NULL, 0));
	turn(w);
	CHECK(!has_lease());
	finish(w);
}

/* The machine was stopped: a lease that is over meanwhile is not asked for when the link comes up. */
static void over_meanwhile(struct wt *w)
{
	start(w);
	become_bound(w, 600);
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	turn(w);
	w->now += UINT64_C(700000000000);
	probe_port(w->probe)->info.link_up = true;
	wt_settle(w);
	wt_drop(w);
	expect(w, 0, DISCOVER);
	CHECK(!has_lease());
	finish(w);
}

static uint32_t server_of(struct wt *w)
{
	const struct pc_dhcp_lease l = lease_of(w);

	return pc_addr_get_ip4(&l.server);
}

/* Of answers that were not asked for, are of another address, or tell no time. */
static void other_answers(struct wt *w)
{
	const uint32_t other = inet_addr("192.0.2.101");
	uint8_t d[600];
	uint16_t len;

	start(w);
	expect(w, 1000, DISCOVER);
	ignored(w, d, build(d, ACK, 3600, NULL, 0)); /* SELECTING */
	ignored(w, d, build(d, NAK, 0, NULL, 0));
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	len = build(d, ACK, 3600, NULL, 0); /* REQUESTING */
	memcpy(d + 16, &other, 4);
	ignored(w, d, len);
	ignored(w, d, build(d, OFFER, 3600, NULL, 0));
	reply(w, ACK, 3600);
	CHECK(is_arp(sent(w, 0, 20)));
	ignored(w, d, build(d, ACK, 7200, NULL, 0)); /* while the address is tried */
	ignored(w, d, build(d, NAK, 0, NULL, 0));
	ignored(w, d, build(d, OFFER, 3600, NULL, 0));
	for (unsigned i = 0; i < 3; i++)
		CHECK(is_arp(sent(w, 200, 20)));
	ignored(w, d, build(d, ACK, 7200, NULL, 0)); /* BOUND */
	ignored(w, d, build(d, OFFER, 7200, NULL, 0));
	EQ(lease_of(w).lease_s, 3600);
	probe_answer_arp(w->probe, true);
	expect(w, 1801000, REQUEST);
	len = build(d, ACK, 7200, NULL, 0); /* RENEWING */
	memcpy(d + 16, &other, 4);
	ignored(w, d, len);
	ignored(w, d, build(d, OFFER, 7200, NULL, 0));
	ignored(w, d, build(d, ACK, 0, NULL, 0));
	len = build(d, ACK, 7200, NULL, 0);
	d[249] = 224; /* no time */
	ignored(w, d, len);
	EQ(lease_of(w).lease_s, 3600);
	len = build(d, ACK, 7200, NULL, 0);
	d[243] = 224; /* no server: it is still the one that was asked */
	inject(w, LEASED, d, len);
	turn(w);
	EQ(lease_of(w).lease_s, 7200);
	EQ(server_of(w), inet_addr(SERVER));
	EQ(expect(w, 3601000, REQUEST).dst, inet_addr(SERVER));
	finish(w);
}

/* ... and one without its server to the first request counts, too: it was asked for. */
static void unnamed_server(struct wt *w)
{
	uint8_t d[600];
	uint16_t len;

	start(w);
	expect(w, 1000, DISCOVER);
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	len = build(d, ACK, 3600, NULL, 0);
	d[243] = 224;
	inject(w, ALL, d, len);
	expect_probes(w);
	EQ(server_of(w), inet_addr(SERVER));
	finish(w);
}

/* ---- is the address free? -------------------------------------------------------------------- */

static void try_it(struct wt *w)
{
	expect(w, 1000, DISCOVER);
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	reply(w, ACK, 3600);
}

/* Byte by byte, a fifth of a second apart, and not used until a fifth after the last. */
static void probes(struct wt *w)
{
	uint8_t want[60] =
	    "\xff\xff\xff\xff\xff\xff" PROBE_MAC "\x08\x06\0\1\x08\0\6\4\0\1" PROBE_MAC;
	const uint32_t leased = inet_addr(LEASED);
	uint64_t begin;

	memcpy(want + 38, &leased, 4);
	start(w);
	try_it(w);
	begin = w->now;
	for (unsigned i = 0; i < 3; i++) {
		const struct frame *f = sent(w, 300, 5);

		CHECK(f != NULL && f->len >= 42 && memcmp(f->b, want, f->len) == 0);
		IN((w->now - begin) / 1000000, 200 * i, 200 * i + 5);
		CHECK(!has_lease() && pc_stack_get_addrs(w->st, NULL, 0) == 0);
	}
	CHECK(sent(w, 190, 5) == NULL && !has_lease());
	CHECK(is_arp(sent(w, 10, 5)) && has_lease()); /* told to all */
	finish(w);
}

/* RFC 5227 2.1.1: who claims the address, and who does not. */
static void claims(struct wt *w)
{
	static const struct {
		uint16_t op;
		const char *sender, *target;
		bool own, claims;
	} rows[] = {
	    {1, LEASED, WT_PEER, false, true},     {2, LEASED, WT_PEER, false, true},
	    {1, "0.0.0.0", LEASED, false, true}, /* somebody else tries it, too */
	    {2, "0.0.0.0", LEASED, false, false},  {1, WT_PEER, LEASED, false, false},
	    {1, "0.0.0.0", WT_PEER, false, false}, {2, WT_PEER, LEASED, false, false},
	    {1, "0.0.0.0", LEASED, true, false},   {2, LEASED, LEASED, true, false},
	};

	start(w);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		try_it(w);
		CHECK(is_arp(sent(w, 0, 20)));
		claim(w, rows[i].op, rows[i].sender, rows[i].target, rows[i].own);
		turn(w);
		if (rows[i].claims) {
			expect(w, 0, DECLINE);
			CHECK(sent(w, 9900, 20) == NULL); /* no more probes, either */
		} else {
			for (unsigned n = 0; n < 3; n++)
				CHECK(is_arp(sent(w, 220, 20)));
			CHECK(has_lease());
		}
		probe_answer_arp(w->probe, true); /* so that nothing is left to be sent */
		finish(w);
		probe_answer_arp(w->probe, false);
		client = pc_dhcp_create(w->st, 0, "wire");
	}
	EQ(wt_count(w, PC_DHCP_DECLINED), 3);
	finish(w);
}

/* One that is cut claims nothing. */
static void short_claim(struct wt *w)
{
	struct frame_ends e = {
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src_be = inet_addr(LEASED)};
	struct frame f;

	start(w);
	try_it(w);
	CHECK(is_arp(sent(w, 0, 20)));
	frame_arp(&f, &e, 2, (const uint8_t *)PROBE_MAC);
	f.len = 41;
	wt_inject_frame(w, &f);
	turn(w);
	CHECK(probe_sent(w->probe) == NULL);
	f.len = 42;
	wt_inject_frame(w, &f);
	expect(w, 0, DECLINE);
	finish(w);
}

/* Section 3.1.2: the server has looked, too. */
static void no_socket(struct wt *w)
{
	w->cfg.stack_max_udp_sockets = 1;
	start(w);
	ERR(pc_dhcp_create(w->st, 0, NULL) == NULL ? -1 : 0, ENFILE);
	try_it(w);
	turn(w);
	CHECK(has_lease());
	wt_drop(w);
	CHECK(answers_ping(w));
	finish(w);
}

/* What no host can have is not asked for again at once. */
static void no_hosts_address(struct wt *w)
{
	static const char *const bad[] = {"224.0.0.9", "127.0.0.1", "192.0.2.255"};

	start(w);
	for (unsigned i = 0; i < COUNT(bad); i++) {
		const uint32_t addr = inet_addr(bad[i]);
		uint8_t d[600];
		uint16_t len;

		expect(w, 11000, DISCOVER);
		len = build(d, OFFER, 3600, NULL, 0);
		memcpy(d + 16, &addr, 4);
		inject(w, ALL, d, len);
		EQ(expect(w, 100, REQUEST).requested, addr);
		d[242] = ACK;
		inject(w, ALL, d, len);
		for (unsigned n = 0; n < 3; n++)
			CHECK(is_arp(sent(w, 300, 20)));
		CHECK(sent(w, 10000, 20) == NULL && !has_lease());
		EQ(pc_stack_get_dns(w->st, NULL, 0), 0);
	}
	finish(w);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* An address that is tried is forgotten when the link has been away. */
static void link_while_trying(struct wt *w)
{
	start(w);
	try_it(w);
	CHECK(is_arp(sent(w, 0, 20)));
	flap(w);
	expect(w, 30, DISCOVER);
	CHECK(sent(w, 2900, 20) == NULL); /* and no probes */
	finish(w);
}

/* A lease that ends, or has to be renewed, while nobody answers. */
static void link_and_time(struct wt *w)
{
	uint64_t begin;

	start(w);
	become_bound(w, 60);
	begin = w->now;
	probe_answer_arp(w->probe, true);
	CHECK(sent(w, 20000, 500) == NULL);
	flap(w);
	for (unsigned i = 0; i < 4; i++) /* after 4, 8 and 16 s */
		EQ(expect(w, 18000, REQUEST).dst, UINT32_MAX);
	CHECK(has_lease());
	expect(w, 18000, DISCOVER); /* before 32 s are over */
	IN((w->now - begin) / 1000000, 59000, 60500);
	CHECK(!has_lease());
	reply(w, OFFER, 200);
	expect(w, 100, REQUEST);
	reply(w, ACK, 200);
	CHECK(sent(w, 1000, 20) == NULL && has_lease());
	begin = w->now;
	CHECK(sent(w, 60000, 500) == NULL);
	flap(w);
	for (unsigned i = 0; i < 5; i++) /* after 4, 8, 16 and 32 s */
		EQ(expect(w, 34000, REQUEST).dst, UINT32_MAX);
	EQ(expect(w, 66000, REQUEST).dst, UINT32_MAX); /* 64 s: T2 is over */
	IN((w->now - begin) / 1000000, 177000, 190500);
	finish(w);
}

/* ... that is to be renewed by its server, when T1 has passed meanwhile. */
static void link_and_t1(struct wt *w)
{
	start(w);
	become_bound(w, 600);
	probe_answer_arp(w->probe, true);
	CHECK(sent(w, 230000, 500) == NULL);
	flap(w);
	for (unsigned i = 0; i < 5; i++)
		EQ(expect(w, 34000, REQUEST).dst, UINT32_MAX);
	EQ(expect(w, 66000, REQUEST).dst, inet_addr(SERVER));
	finish(w);
}

/* A lease without an end is asked for when the link has been away, and never else. */
/* A lease whose address is asked for once before it is used on a link that has come up. */
static void bound_asking(struct wt *w)
{
	const struct frame *f;

	w->cfg.arp_probes = 1;
	start(w);
	become_bound(w, 3600);
	while ((f = sent(w, 3000, 20)) != NULL)
		CHECK(is_arp(f));
	flap(w);
}

/* 3.7: the server is asked at once, and not only when there is an address to be asked from again */
static void link_asked_first(struct wt *w)
{
	struct query q;

	bound_asking(w);
	q = expect(w, 30, REQUEST);
	CHECK(q.src == 0 && q.dst == UINT32_MAX && q.broadcast);
	CHECK(q.ciaddr == 0 && q.server == 0 && q.requested == inet_addr(LEASED));
	reply(w, ACK, 7200);
	turn(w);
	EQ(lease_of(w).lease_s, 7200);
	wt_pass(w, 10000);
	CHECK(answers_ping(w));
	finish(w);
}

/* 4.4.1: somebody else has the address on a link that has come up; the server has another one, or the same, when he has gone */
static void link_has_it(struct wt *w)
{
	struct query q;

	bound_asking(w);
	expect(w, 30, REQUEST);
	CHECK(is_arp(sent(w, 1100, 20)));
	claim(w, 2, LEASED, LEASED, false);
	q = expect(w, 30, DECLINE);
	CHECK(q.requested == inet_addr(LEASED) && q.server == inet_addr(SERVER) && q.ciaddr == 0);
	CHECK(!has_lease() && !answers_ping(w));
	EQ(wt_count(w, PC_ARP_DUPLICATES), 1);
	EQ(wt_count(w, PC_DHCP_DECLINED), 1);
	CHECK(sent(w, 9000, 50) == NULL);
	EQ(expect(w, 1100, DISCOVER).requested, 0);
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	reply(w, ACK, 3600);
	expect_probes(w);
	CHECK(answers_ping(w));
	finish(w);
}

static void for_ever(struct wt *w)
{
	start(w);
	become_bound(w, UINT32_MAX);
	probe_answer_arp(w->probe, true);
	EQ(pc_dhcp_next_deadline(client), UINT64_MAX);
	CHECK(sent(w, 100000, 1000) == NULL);
	flap(w);
	EQ(expect(w, 30, REQUEST).secs, 0);
	for (unsigned i = 0; i < 4; i++)
		EQ(expect(w, 34000, REQUEST).dst, UINT32_MAX);
	CHECK(sent(w, 1e9, 1e6) == NULL);
	EQ(pc_dhcp_next_deadline(client), UINT64_MAX);
	CHECK(has_lease());
	finish(w);
}

/* A remembered address: its lease counts from the first request; when it is over it is not remembered any more. */
static void remembered_once(struct wt *w)
{
	const struct pc_addr addr = pc_addr_ip4(inet_addr(LEASED));
	uint64_t asked;
	uint8_t d[600];

	start(w);
	pc_dhcp_remember(client, &addr, true);
	expect(w, 1000, REQUEST);
	asked = w->now;
	expect(w, 6000, REQUEST);
	inject(w, ALL, d, build(d, ACK, 3600, (uint8_t[]){58, 4, 0, 0, 7, 7}, 6));
	expect_probes(w);
	probe_answer_arp(w->probe, true);
	EQ(expect(w, 1801000, REQUEST).dst, inet_addr(SERVER));
	IN((w->now - asked) / 1000000, 1799000, 1799100);
	inject(w, LEASED, d, build(d, NAK, 0, NULL, 0));
	expect(w, 100, DISCOVER);
	finish(w);
}

/* ---- the program's side ---------------------------------------------------------------------- */

/* A number that is another one with each lease, and 0 without. */
static void generations(struct wt *w)
{
	struct pc_dhcp_lease l;
	uint32_t first, second;
	uint8_t d[600];

	start(w);
	EQ(pc_dhcp_next_deadline(client), 0);
	EQ(pc_dhcp_get_lease(client, &l), 0);
	become_bound(w, 3600);
	EQ(wt_count(w, PC_DHCP_LEASES), 1);
	first = pc_dhcp_get_lease(client, &l);
	CHECK(first != 0 && first == pc_dhcp_get_lease(client, &l));
	probe_answer_arp(w->probe, true);
	expect(w, 1801000, REQUEST);
	EQ(pc_dhcp_get_lease(client, &l), first);
	inject(w, LEASED, d, build(d, ACK, 7200, NULL, 0));
	turn(w);
	EQ(wt_count(w, PC_DHCP_LEASES), 2);
	second = pc_dhcp_get_lease(client, &l);
	CHECK(second != 0 && second != first);
	expect(w, 3601000, REQUEST);
	inject(w, LEASED, d, build(d, NAK, 0, NULL, 0));
	expect(w, 100, DISCOVER);
	EQ(pc_dhcp_get_lease(client, &l), 0);
	reply(w, OFFER, 3600);
	expect(w, 100, REQUEST);
	reply(w, ACK, 3600);
	CHECK(sent(w, 1000, 20) == NULL);
	CHECK(pc_dhcp_get_lease(client, &l) != 0 && pc_dhcp_get_lease(client, &l) != second);
	finish(w);
}

static void mistakes(struct wt *w)
{
	char name[80];
	struct query q;

	start(w);
	ERR(pc_dhcp_create(w->st, -1, NULL) == NULL ? -1 : 0, EINVAL);
	ERR(pc_dhcp_create(w->st, 1, NULL) == NULL ? -1 : 0, EINVAL);
	pc_dhcp_destroy(client);
	pc_dhcp_destroy(NULL);
	client = pc_dhcp_create(w->st, 0, NULL); /* without a name */
	q = read_query(w, sent(w, 0, 20));
	EQ(q.host[0], '\0');
	pc_dhcp_destroy(client);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	client = pc_dhcp_create(w->st, 0, name); /* one that is too long is cut */
	q = read_query(w, sent(w, 0, 20));
	EQ(strlen(q.host), 63);
	finish(w);
}

/* The socket for probes is closed once: its place may be somebody else's. */
static void other_sockets(struct wt *w)
{
	int fd[2];

	start(w);
	become_bound(w, 3600);
	for (unsigned i = 0; i < 2; i++)
		OK(fd[i] = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
	probe_answer_arp(w->probe, true);
	flap(w);
	turn(w);
	pc_dhcp_destroy(client);
	for (unsigned i = 0; i < 2; i++)
		OK(pc_close(w->st, fd[i]));
	client = NULL;
	finish(w);
}

/* Once, from the address, and not by who says to remember it or has none. */
static void given_back(struct wt *w)
{
	const struct pc_addr none = pc_addr_ip4(0), six = {.b = {0x20, 1, [15] = 1}};
	struct query q;

	start(w);
	expect(w, 1000, DISCOVER);
	pc_dhcp_destroy(client);
	wt_settle(w);
	CHECK(probe_sent(w->probe) == NULL);
	for (unsigned how = 0; how < 3; how++) {
		client = pc_dhcp_create(w->st, 0, "wire");
		if (how > 0) /* nothing is known yet */
			pc_dhcp_remember(client, how == 1 ? &none : &six, true);
		probe_answer_arp(w->probe, false);
		EQ(expect(w, 1000, DISCOVER).requested, 0);
		reply(w, OFFER, 3600);
		expect(w, 100, REQUEST);
		reply(w, ACK, 3600);
		expect_probes(w);
		wt_pass(w, 5000);
		wt_drop(w);
		probe_answer_arp(w->probe, true);
		turn(w);
		CHECK(probe_sent(w->probe) == NULL && has_lease());
		pc_dhcp_destroy(client);
		EQ(pc_stack_get_addrs(w->st, NULL, 0), 0);
		wt_settle(w);
		wt_settle(w);
		if (how > 0) {
			CHECK(probe_sent(w->probe) == NULL);
			continue;
		}
		q = read_query(w, wt_next_frame(w, 10));
		CHECK(q.type == RELEASE && q.secs == 0 && !q.broadcast && q.has_id);
		CHECK(q.src == inet_addr(LEASED) && q.dst == inet_addr(SERVER));
		CHECK(q.ciaddr == inet_addr(LEASED) && q.server == inet_addr(SERVER));
		CHECK(q.requested == 0 && q.host[0] == '\0');
	}
}

/* Each port has its client, which speaks and hears there. */
static void several_ports(struct wt *w)
{
	const struct probe_config second = {
	    .offloads = w->offloads, .rx_split = w->rx_split, .pool = w->probe_pool};
	struct probe *near, *far = probe_open(&second);
	struct pc_dhcp *first;

	start(w);
	near = w->probe;
	first = client;
	EQ(pc_stack_add_port(w->st, probe_port(far)), 1);
	expect(w, 1000, DISCOVER);
	w->probe = far;
	probe_answer_arp(far, false);
	client = pc_dhcp_create(w->st, 1, "wire");
	CHECK(client != NULL);
	try_it(w);
	CHECK(is_arp(sent(w, 0, 20)));
	w->probe = near; /* somebody there has an address that is like it */
	claim(w, 2, LEASED, "0.0.0.0", false);
	w->probe = far;
	for (unsigned i = 0; i < 3; i++)
		CHECK(is_arp(sent(w, 200, 20)));
	CHECK(has_lease());
	pc_dhcp_turn(first, w->now);
	EQ(pc_dhcp_get_lease(first, &(struct pc_dhcp_lease){0}), 0);
	CHECK(answers_ping(w));
	probe_answer_arp(far, true);
	comes_after(w, 1800, SERVER);
	pc_dhcp_destroy(client);
	wt_settle(w);
	wt_settle(w);
	CHECK(read_query(w, wt_next_frame(w, 10)).type == RELEASE);
	pc_dhcp_destroy(first);
	CHECK(probe_sent(near) == NULL);
	pc_stack_destroy(w->st);
	w->st = NULL;
	w->probe = near;
	pc_port_close(probe_port(far));
}

/* ---- other stacks ---------------------------------------------------------------------------- */

static struct pc_dhcp_lease base(void)
{
	struct pc_dhcp_lease l = {.addr = {.addr = pc_addr_ip4(inet_addr(LEASED)), .len = 96 + 24},
	                          .lease_s = 3600,
	                          .mtu = 1400,
	                          .nb_routes = 2,
	                          .nb_dns = 2,
	                          .domain = "example.org"};

	for (unsigned i = 0; i < 2; i++) {
		const uint32_t host = htonl(0xc0000201 + i),
		               net = i == 0 ? 0 : inet_addr("10.0.0.0");

		l.route[i] = (struct pc_dhcp_route){
		    .dest = {.addr = pc_addr_ip4(net), .len = i == 0 ? 96 : 104},
		    .gateway = pc_addr_ip4(host)};
		l.dns[i] = pc_addr_ip4(host);
	}
	return l;
}

/* The n-th way in which a lease may have become another one. Returns false when there is none. */
static bool change(struct pc_dhcp_lease *l, unsigned n)
{
	const struct pc_addr other = pc_addr_ip4(inet_addr("192.0.2.9"));

	switch (n) {
	case 0:
		l->addr.addr = other;
		return true;
	case 1:
		l->addr.len++;
		return true;
	case 2:
		l->mtu = 0;
		return true;
	case 3:
		l->mtu = 576;
		return true;
	case 4:
		l->mtu = 575; /* RFC 791: no host's */
		return true;
	case 5:
		l->mtu = 9000;
		return true;
	case 6:
		l->nb_routes = 1;
		return true;
	case 7:
		l->nb_routes = 0;
		return true;
	case 8:
		l->route[0].gateway = other;
		return true;
	case 9:
		l->route[1].dest.len++;
		return true;
	case 10:
		l->route[1].dest.addr = pc_addr_ip4(inet_addr("11.0.0.0"));
		return true;
	case 11:
		l->nb_dns = 1;
		return true;
	case 12:
		l->dns[1] = other;
		return true;
	case 13:
		strcpy(l->domain, "example.com");
		return true;
	case 14:
		strcpy(l->search, "a.org b.org"); /* in the place of the domain */
		return true;
	case 15:
		l->domain[0] = '\0';
		return true;
	default:
		return false;
	}
}

/* The stack has all of a lease, and nothing else. */
static void check_applied(struct wt *w, const struct pc_dhcp_lease *l)
{
	const uint16_t mtu = l->mtu < 576 || l->mtu > 1500 ? 1500 : l->mtu;
	const bool lists = l->search[0] != '\0';
	char search[3][PC_DOMAIN_MAX + 1];
	struct pc_stack_addr addr[2];
	struct pc_addr dns[4];

	EQ(pc_stack_get_addrs(w->st, addr, 2), 1);
	CHECK(pc_addr_equal(&addr[0].addr.addr, &l->addr.addr));
	EQ(addr[0].addr.len, l->addr.len);
	CHECK(addr[0].port == 0 && addr[0].ready);
	EQ(probe_port(w->probe)->info.mtu, mtu);
	EQ(pc_route_list(w->st, NULL, 0), l->nb_routes + 1);
	for (unsigned i = 0; i < l->nb_routes; i++) {
		char dest[PC_PREFIX_STRLEN], gateway[PC_ADDR_STRLEN];

		CHECK(has_route(w, pc_prefix_format(&l->route[i].dest, dest),
		                pc_addr_format(&l->route[i].gateway, gateway), 0));
	}
	EQ(pc_stack_get_dns(w->st, dns, 4), l->nb_dns);
	for (unsigned i = 0; i < l->nb_dns; i++)
		CHECK(pc_addr_equal(&dns[0], &l->dns[i]) || pc_addr_equal(&dns[1], &l->dns[i]));
	EQ(pc_stack_get_search(w->st, search, 3), lists ? 2 : l->domain[0] != '\0' ? 1 : 0);
	if (lists)
		CHECK(strcmp(search[0], "a.org") == 0 && strcmp(search[1], "b.org") == 0);
	else if (l->domain[0] != '\0')
		CHECK(strcmp(search[0], l->domain) == 0);
}

/* What one lcore leases, all of them have, and what it has no longer, neither. */
static void of_another_stack(struct wt *w)
{
	const struct pc_dhcp_lease was = base();
	struct pc_dhcp_lease next = was;
	struct pc_prefix own;

	start(w);
	probe_answer_arp(w->probe, true);
	for (unsigned n = 0; change(&next, n); n++, next = was) {
		OK(pc_dhcp_apply(w->st, 0, NULL, &was));
		check_applied(w, &was);
		OK(pc_dhcp_apply(w->st, 0, &was, &next));
		check_applied(w, &next);
		OK(pc_dhcp_apply(w->st, 0, &next, &was));
		check_applied(w, &was);
		OK(pc_dhcp_apply(w->st, 0, &was, NULL));
		EQ(pc_stack_get_addrs(w->st, NULL, 0), 0);
		EQ(pc_route_list(w->st, NULL, 0), 0);
		EQ(pc_stack_get_dns(w->st, NULL, 0) + pc_stack_get_search(w->st, NULL, 0), 0);
		EQ(probe_port(w->probe)->info.mtu, 1500);
	}
	EQ(wt_count(w, PC_DHCP_ROUTES_REFUSED), 0);
	OK(pc_prefix_parse("192.0.2.7/24", &own)); /* by which the routes would go on */
	OK(pc_stack_add_addr(w->st, 0, &own));
	OK(pc_dhcp_apply(w->st, 0, NULL, &was));
	EQ(pc_route_list(w->st, NULL, 0), 3);
	OK(pc_dhcp_apply(w->st, 0, &was, NULL));
	EQ(pc_route_list(w->st, NULL, 0), 1);
	OK(pc_stack_del_addr(w->st, 0, &own));
	next.addr.addr = pc_addr_ip4(inet_addr("224.0.0.1"));
	ERR(pc_dhcp_apply(w->st, 0, NULL, &next), EINVAL);
	ERR(pc_dhcp_apply(w->st, 1, NULL, &was), EINVAL);
	OK(pc_dhcp_apply(w->st, 0, NULL, NULL));
	finish(w);
}

/* A lease that is only longer leaves everything alone, also what somebody has changed by hand. */
static void the_same(struct wt *w)
{
	const struct pc_dhcp_lease was = base();
	const struct pc_route r = {.dest = was.route[1].dest, .gateway = was.route[1].gateway};
	struct pc_dhcp_lease next = was;

	start(w);
	probe_answer_arp(w->probe, true);
	OK(pc_dhcp_apply(w->st, 0, NULL, &was));
	OK(pc_route_del(w->st, &r));
	next.lease_s = next.t1_s = next.t2_s = 9000;
	next.server = pc_addr_ip4(inet_addr("192.0.2.8"));
	next.route[2] = was.route[0];
	next.dns[2] = was.dns[0];
	OK(pc_dhcp_apply(w->st, 0, &was, &next));
	CHECK(!has_route(w, "10.0.0.0/8", "192.0.2.2", 0));
	OK(pc_dhcp_apply(w->st, 0, &next, NULL));
	finish(w);
}

/* The servers of two leases, here of DHCP and DHCPv6, tell of the same domain; and somebody else knows a name server, too. What
 * goes with one lease stays as long as it is the other's. */
static void told_twice(struct wt *w)
{
	const struct pc_dhcp_lease four = base();
	const struct pc_dhcp6_info six = {.search = "example.org"};
	char domain[8][PC_DOMAIN_MAX + 1];

	start(w);
	probe_answer_arp(w->probe, true);
	OK(pc_stack_add_dns(w->st, &four.dns[1]));
	OK(pc_dhcp_apply(w->st, 0, NULL, &four));
	OK(pc_dhcp6_apply(w->st, 0, NULL, &six));
	EQ(pc_stack_get_dns(w->st, NULL, 0), 2);
	EQ(pc_stack_get_search(w->st, domain, 8), 1);
	OK(pc_dhcp_apply(w->st, 0, &four, NULL));
	EQ(pc_stack_get_dns(w->st, NULL, 0), 1);
	EQ(pc_stack_get_search(w->st, domain, 8), 1);
	CHECK(strcmp(domain[0], "example.org") == 0);
	OK(pc_dhcp6_apply(w->st, 0, &six, NULL));
	EQ(pc_stack_get_search(w->st, domain, 8), 0);
	OK(pc_stack_del_dns(w->st, &four.dns[1]));
	EQ(pc_stack_get_dns(w->st, NULL, 0), 0);
	finish(w);
}

static const struct wt_case cases[] = {
    {"RFC 2131 3.1, 4.4.1, table 5: xid and secs", numbers},
    {"RFC 2131 4.4.5: T1 and T2 as the server tells", told_times},
    {"RFC 2131 4.4.5: a random part of T1", spread_times},
    {"RFC 2131 4.4.5: a T1 and T2 of no time", no_time},
    {"RFC 2131 4.4.1, 4.4.5: leases that are over at once", short_leases},
    {"RFC 2131 4.4.5: a lease that is over when the link comes up", over_meanwhile},
    {"RFC 2131 4.4, figure 5: answers that have no effect", other_answers},
    {"RFC 2131 4.3.1: an answer that does not name its server", unnamed_server},
    {"RFC 5227 1.1, 2.1.1: probes", probes},
    {"RFC 5227 2.1.1: who claims an address", claims},
    {"RFC 826: a claim that is cut", short_claim},
    {"RFC 2131 3.1.2: no socket to try the address with", no_socket},
    {"RFC 1122 3.2.1.3: an address that no host can have", no_hosts_address},
    {"RFC 2131 3.7: the link comes up while an address is tried", link_while_trying},
    {"RFC 2131 3.7, 4.4.5: the link comes up before the lease ends", link_and_time},
    {"RFC 2131 3.7, 4.4.5: ... and before T1", link_and_t1},
    {"RFC 2131 3.7, RFC 5227 2.1: the link comes up, and is asked for the address",
     link_asked_first},
    {"RFC 2131 4.4.1, RFC 5227 2.1: ... and somebody there has it", link_has_it},
    {"RFC 2131 3.3: a lease for ever", for_ever},
    {"RFC 2131 3.2, 4.4.1: an address that was remembered", remembered_once},
    {"percore/dhcp.h: the number of a lease", generations},
    {"percore/dhcp.h: mistakes, and names of hosts", mistakes},
    {"percore/dhcp.h: sockets of others", other_sockets},
    {"RFC 2131 4.4.6, 3.2: given back, or kept", given_back},
    {"RFC 2131 4.4: a client on each port", several_ports},
    {"percore/dhcp.h: another stack follows each change", of_another_stack},
    {"percore/dhcp.h: what has not changed is left alone", the_same},
    {"percore/stack.h: what two have told stays while it is one's", told_twice},
};

WT_MAIN("dhcp_keep")
