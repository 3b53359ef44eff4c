/* SPDX-License-Identifier: BSD-2-Clause */

/* The DHCP client (RFC 2131), played against a server written by hand, under a virtual clock. */

#include "dhcp_peer.h"

static void life(struct wt *w)
{
	struct pc_dhcp_lease l;
	struct pc_addr dns[2];
	struct query q;

	start(w);
	q = expect(w, 1000, 1);
	CHECK(q.broadcast && q.src == 0 && q.dst == UINT32_MAX && q.ciaddr == 0);
	CHECK(!answers_ping(w));
	reply(w, 2, 3600);
	q = expect(w, 100, 3); /* 4.3.2: requested address and server, ciaddr is zero */
	EQ(q.requested, inet_addr(LEASED));
	EQ(q.server, inet_addr(SERVER));
	CHECK(q.src == 0 && q.dst == UINT32_MAX && q.ciaddr == 0);
	reply(w, 5, 3600);
	expect_probes(w);
	l = lease_of(w);
	CHECK(l.addr.len == 120 && pc_addr_get_ip4(&l.addr.addr) == inet_addr(LEASED));
	CHECK(l.lease_s == 3600 && l.t1_s == 1800 && l.t2_s == 3150);
	EQ(pc_stack_get_dns(w->st, dns, 2), 1);
	EQ(pc_addr_get_ip4(&dns[0]), inet_addr(SERVER));
	CHECK(answers_ping(w));
	finish(w);
}

/* A server sends its answers to the address that it offers, though it was asked for broadcasts. */
static void unicast_answers(struct wt *w)
{
	uint8_t d[600];

	start(w);
	expect(w, 1000, DISCOVER);
	inject(w, LEASED, d, build(d, OFFER, 3600, NULL, 0));
	expect(w, 100, REQUEST);
	inject(w, LEASED, d, build(d, ACK, 3600, NULL, 0));
	expect_probes(w);
	EQ(lease_of(w).lease_s, 3600);
	EQ(wt_count(w, PC_DROP_IP4_NOT_OURS), 0);
	/* from then on what is for others is not for us */
	inject(w, "192.0.2.77", d, build(d, ACK, 7200, NULL, 0));
	turn(w);
	EQ(wt_count(w, PC_DROP_IP4_NOT_OURS), 1);
	finish(w);
}

/* The client has asked for the address: arp.probes has nobody ask again. */
static void one_question(struct wt *w)
{
	w->cfg.arp_probes = 3;
	w->cold = true;
	start(w);
	become_bound(w, 3600);
	CHECK(answers_ping(w));
	finish(w);
}

/* The messages that are sent from T1 on: to the server, then to all; ARP is answered. */
static void renewal(struct wt *w)
{
	const uint64_t begin = w->now;
	uint8_t d[600];
	struct query q;

	start(w);
	become_bound(w, 3600);
	probe_answer_arp(w->probe, true);
	CHECK(sent(w, 1760000, 5000) == NULL);
	q = expect(w, 50000, 3);
	IN((w->now - begin) / 1000000, 1771000, 1806000);
	CHECK(q.src == inet_addr(LEASED) && q.dst == inet_addr(SERVER) && !q.broadcast);
	CHECK(q.ciaddr == inet_addr(LEASED) && q.requested == 0 && q.server == 0);
	inject(w, LEASED, d, build(d, 5, 7200, NULL, 0));
	turn(w);
	EQ(lease_of(w).lease_s, 7200);
	CHECK(sent(w, 3530000, 5000) == NULL); /* T1 counts from the request */
	q = expect(w, 80000, 3);
	EQ(q.dst, inet_addr(SERVER));
	q = expect(w, 1360000, 3); /* nobody answers: half of what is left until T2 */
	EQ(q.dst, inet_addr(SERVER));
	while (q.dst == inet_addr(SERVER)) {
		const uint64_t last = w->now;
		const uint32_t before = q.xid;

		q = expect(w, 1360000, 3);
		CHECK(q.xid != before); /* so an answer says to which one */
		CHECK(q.dst == UINT32_MAX || (w->now - last) / 1000000 >= 59000);
	}
	CHECK(q.dst == UINT32_MAX && q.ciaddr == inet_addr(LEASED)); /* REBINDING */
	inject(w, LEASED, d, build(d, 5, 3600, NULL, 0));
	turn(w);
	EQ(lease_of(w).lease_s, 3600);
	CHECK(sent(w, 1700000, 5000) == NULL);
	finish(w);
}

/* Has the lease renewed at T1 by an answer with more options. */
static void renew_with(struct wt *w, const uint8_t *more, size_t n)
{
	uint8_t d[600];

	expect(w, 1810000, REQUEST);
	inject(w, LEASED, d, build(d, ACK, 3600, more, n));
	turn(w);
}

/* What a server tells anew at a renewal takes nothing from others: the address has been ours all the time. */
static void renewal_with_news(struct wt *w)
{
	static const uint8_t servers[] = {6, 4, 192, 0, 2, 53, 3, 4, 192, 0, 2, 253};
	static const uint8_t on_link[] = {121, 9, 32, 203, 0, 113, 9, 0, 0, 0, 0};
	struct pc_route own = {0};

	start(w);
	become_bound(w, 3600);
	probe_answer_arp(w->probe, true);
	OK(pc_prefix_parse("198.51.100.0/24", &own.dest));
	OK(pc_addr_parse("192.0.2.33", &own.gateway));
	OK(pc_route_add(w->st, &own));
	renew_with(w, servers, sizeof(servers));
	EQ(pc_stack_get_dns(w->st, NULL, 0), 2);
	CHECK(has_route(w, "0.0.0.0/0", "192.0.2.254", 0));
	CHECK(has_route(w, "0.0.0.0/0", "192.0.2.253", 1));
	CHECK(has_route(w, "198.51.100.0/24", "192.0.2.33", 0));
	renew_with(w, on_link, sizeof(on_link));
	CHECK(has_route(w, "203.0.113.9/32", NULL, 0));
	CHECK(!has_route(w, "0.0.0.0/0", "192.0.2.254", 0));
	renew_with(w, NULL, 0);
	EQ(pc_stack_get_dns(w->st, NULL, 0), 1);
	CHECK(!has_route(w, "203.0.113.9/32", NULL, 0));
	CHECK(has_route(w, "0.0.0.0/0", "192.0.2.254", 0));
	CHECK(has_route(w, "198.51.100.0/24", "192.0.2.33", 0));
	finish(w);
}

/* The answer may be to the first of several requests, so the lease counts from that. */
static void late_answer(struct wt *w)
{
	uint64_t asked;
	uint8_t d[600];

	start(w);
	expect(w, 1000, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	asked = w->now;
	expect(w, 10000, 3); /* once more */
	IN((w->now - asked) / 1000000, 2900, 5100);
	inject(w, "255.255.255.255", d, build(d, 5, 3600, (uint8_t[]){58, 4, 0, 0, 7, 7}, 6));
	expect_probes(w);
	probe_answer_arp(w->probe, true);
	CHECK(sent(w, 1790000, 5000) == NULL);
	expect(w, 20000, 3);
	IN((w->now - asked) / 1000000, 1798000, 1801000);
	finish(w);
}

static void expiry(struct wt *w)
{
	const uint64_t begin = w->now;
	struct pc_dhcp_lease l;
	struct query q;

	start(w);
	become_bound(w, 600);
	probe_answer_arp(w->probe, true);
	do
		q = expect(w, 600000, 3);
	while (q.dst != UINT32_MAX);
	CHECK(answers_ping(w)); /* until the end it is ours */
	for (;;) {
		const struct frame *f = sent(w, 600000, 500);

		CHECK(f != NULL);
		if (f->b[23] == 1 || is_arp(f))
			continue;
		q = read_query(w, f);
		if (q.type == 1)
			break;
		EQ(q.type, 3);
	}
	IN((w->now - begin) / 1000000, 598000, 615000);
	EQ(pc_dhcp_get_lease(client, &l), 0);
	CHECK(!answers_ping(w));
	reply(w, 2, 600); /* and it may come back */
	expect(w, 100, 3);
	reply(w, 5, 600);
	for (unsigned i = 0; i < 100; i++) {
		turn(w);
		wt_pass(w, 20);
	}
	wt_drop(w);
	CHECK(answers_ping(w));
	finish(w);
}

static void conflict(struct wt *w)
{
	struct pc_dhcp_lease l;
	struct query q;

	start(w);
	expect(w, 1000, 1);
	CHECK(expect(w, 6000, 1).secs >= 3); /* not at once, so that seconds have passed */
	reply(w, 2, 3600);
	expect(w, 100, 3);
	reply(w, 5, 3600);
	CHECK(is_arp(sent(w, 100, 20)));
	claim(w, 2, LEASED, "0.0.0.0", true); /* what a link returns to us is no conflict */
	turn(w);
	EQ(wt_count(w, PC_DHCP_DECLINED), 0);
	claim(w, 2, LEASED, "0.0.0.0", false);
	q = expect(w, 100, 4);
	CHECK(q.requested == inet_addr(LEASED) && q.server == inet_addr(SERVER) && q.src == 0);
	EQ(q.secs, 0); /* table 5 */
	EQ(pc_dhcp_get_lease(client, &l), 0);
	CHECK(sent(w, 9900, 100) == NULL); /* 3.1.5: a minimum of ten seconds */
	expect(w, 300, 1);
	EQ(wt_count(w, PC_DHCP_DECLINED), 1);
	finish(w);
}

static void refusal(struct wt *w)
{
	uint8_t d[600];
	struct pc_dhcp_lease l;

	start(w);
	expect(w, 1000, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	reply(w, 6, 0);
	CHECK(sent(w, 900, 20) == NULL); /* a server that refuses all is not asked without pause */
	expect(w, 200, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	reply(w, 5, 3600);
	expect_probes(w);
	probe_answer_arp(w->probe, true);
	expect(w, 1810000, 3);
	inject(w, LEASED, d, build(d, 6, 0, NULL, 0)); /* RENEWING: the lease is over at once */
	expect(w, 100, 1);
	EQ(pc_dhcp_get_lease(client, &l), 0);
	CHECK(!answers_ping(w));
	finish(w);
}

/* 4.1: 4 s, 8 s, ... 64 s, each give or take one */
static void patience(struct wt *w)
{
	uint64_t last;

	start(w);
	expect(w, 1000, 1);
	last = w->now;
	for (unsigned s = 4; s <= 128; s *= 2) {
		const unsigned want = s < 64 ? s : 64;

		EQ(expect(w, (want + 2) * 1000, 1).broadcast, true);
		IN((w->now - last) / 1000000, want * 1000 - 1050, want * 1000 + 1600);
		last = w->now;
	}
	reply(w, 2, 3600);
	for (unsigned i = 0; i < 4; i++) /* the server that offered does not answer any more */
		expect(w, 40000, 3);
	expect(w, 70000, 1);
	finish(w);
}

/* A reply without one of its options, which becomes one that nobody knows. */
static void without(struct wt *w, uint8_t type, uint8_t code)
{
	uint8_t d[600];
	const uint16_t len = build(d, type, 3600, NULL, 0);

	for (uint8_t *o = d + 240; *o != 255; o += 2 + o[1])
		if (*o == code)
			*o = 224;
	ignored(w, d, len);
}

static void strangers(struct wt *w)
{
	const uint32_t other = inet_addr("192.0.2.68"), none = 0;
	uint8_t d[600];
	struct frame_ends e = {.src_mac = PEER_MAC,
	                       .dst_mac = "\xff\xff\xff\xff\xff\xff",
	                       .src_be = inet_addr(SERVER),
	                       .dst_be = UINT32_MAX};
	struct frame f;
	uint16_t len;

	start(w);
	expect(w, 1000, 1);
	len = build(d, 2, 3600, NULL, 0);
	for (uint16_t n = 0; n < len - 1; n++) /* cut, at each place */
		if (n < 246 || n > 262)        /* between options what is there may do */
			ignored(w, d, n < 240 ? n : 240);
	d[4] ^= 1; /* another transaction */
	ignored(w, d, len);
	d[4] ^= 1;
	d[28] ^= 1; /* another client */
	ignored(w, d, len);
	d[28] ^= 1;
	d[0] = 1; /* a query */
	ignored(w, d, len);
	d[0] = 2;
	d[236]++; /* BOOTP */
	ignored(w, d, len);
	d[236]--;
	ignored(
	    w, d,
	    build(d, 2, 3600, (const uint8_t *)"\x3d\7\1\2\0\0\0\0\2", 9)); /* RFC 6842 section 3 */
	ignored(w, d, build(d, 2, 3600, (const uint8_t *)"\x3d\6\1\2\0\0\0\0", 8));
	len = build(d, 2, 3600, NULL, 0);
	d[241] = 200; /* an option beyond the end */
	ignored(w, d, len);
	d[241] = 1;
	memcpy(d + 16, &none, 4); /* no address */
	ignored(w, d, len);
	without(w, 2, 53);
	without(w, 2, 54); /* RFC 2131 table 3: an offer has a server and a time */
	without(w, 2, 51);
	len = build(d, 2, 3600, NULL, 0);
	frame_udp(&f, &e, 66, 68, d, len); /* not of a server's port */
	wt_inject_frame(w, &f);
	turn(w);
	CHECK(probe_sent(w->probe) == NULL);
	inject(w, "255.255.255.255", d,
	       build(d, 2, 3600, (const uint8_t *)"\x3d\7\1" PROBE_MAC, 9));
	expect(w, 100, 3);
	build(d, 2, 3600, NULL, 0);
	/* another server's offer comes late, and its answer to what it was not asked */
	memcpy(d + 245, &other, 4);
	ignored(w, d, len);
	d[242] = 5;
	ignored(w, d, len);
	d[242] = 6;
	ignored(w, d, len);
	without(w, 5, 51);
	ignored(w, d, build(d, 5, 0, NULL, 0)); /* for no time */
	reply(w, 5, 3600);
	expect_probes(w);
	turn(w);
	/* nobody was asked: what ends a lease then is forged */
	ignored(w, d, build(d, 6, 0, NULL, 0));
	CHECK(lease_of(w).lease_s == 3600);
	finish(w);
}

/* RFC 3442 routes, RFC 2132 MTU, RFC 3396 pieces, option 52 */
static void options(struct wt *w)
{
	static const uint8_t more[] = {26,  2, 0x05, 0x78,                 /* 1400 */
	                               121, 6, 24,   10,   1, 2,   192, 0, /* in two pieces */
	                               121, 7, 2,    1,    0, 192, 0,   2,
	                               253,        /* and the default */
	                               52,  1, 1}; /* file has options */
	struct pc_dhcp_lease l;
	uint8_t d[600];
	uint16_t len;

	start(w);
	expect(w, 1000, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	len = build(d, 5, 3600, more, sizeof(more));
	memcpy(d + 108,
	       "\x0f\x0b"
	       "example.org\xff",
	       14);
	inject(w, "255.255.255.255", d, len);
	expect_probes(w);
	l = lease_of(w);
	EQ(l.mtu, 1400);
	EQ(l.nb_routes, 2);
	CHECK(l.route[0].dest.len == 96 + 24 &&
	      pc_addr_get_ip4(&l.route[0].dest.addr) == inet_addr("10.1.2.0"));
	EQ(pc_addr_get_ip4(&l.route[0].gateway), inet_addr("192.0.2.1"));
	CHECK(l.route[1].dest.len == 96 &&
	      pc_addr_get_ip4(&l.route[1].gateway) == inet_addr("192.0.2.253"));
	CHECK(strcmp(l.domain, "example.org") == 0);
	finish(w);
}

static void search_list(struct wt *w)
{
	/* in two pieces (RFC 3397 section 2), the cut within a name; the second name ends in the first */
	static const uint8_t more[] = {15,  3,  'l', 'a', 'n', 119, 5, 3,   'e', 'n',  'g', 3,
	                               119, 10, 'o', 'r', 'g', 0,   2, 'q', 'a', 0xc0, 4,   0},
	                     loops[] = {119, 4, 1, 'a', 0xc0, 0};
	char list[3][PC_DOMAIN_MAX + 1];
	uint8_t d[600];

	start(w);
	expect(w, 1000, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	inject(w, "255.255.255.255", d, build(d, 5, 3600, more, sizeof(more)));
	expect_probes(w);
	CHECK(strcmp(lease_of(w).search, "eng.org qa.org") == 0);
	EQ(pc_stack_get_search(w->st, list, 3), 2); /* in the place of the host's own domain */
	CHECK(strcmp(list[0], "eng.org") == 0 && strcmp(list[1], "qa.org") == 0);
	probe_answer_arp(w->probe, true);
	expect(w, 1810000, 3); /* renewed with a list that is none, and no domain */
	inject(w, LEASED, d, build(d, 5, 3600, loops, sizeof(loops)));
	turn(w);
	CHECK(lease_of(w).search[0] == '\0');
	EQ(pc_stack_get_search(w->st, list, 3), 0);
	finish(w);
}

static void lease_with(struct wt *w, const uint8_t *more, size_t n)
{
	uint8_t d[600];

	start(w);
	expect(w, 1000, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	inject(w, "255.255.255.255", d, build(d, 5, 3600, more, n));
	expect_probes(w);
}

/* 4.4.5: T1 before T2 before the end, whatever a server says */
static void odd_times(struct wt *w)
{
	static const struct {
		uint32_t lease, t1, t2, want1, want2;
	} rows[] = {
	    {3600, 600, 1200, 600, 1200},   {3600, 1200, 1200, 1200, 1200},
	    {3600, 3600, 3600, 1800, 3150}, {3600, 1200, 600, 600, 600},
	    {3600, 3000, 2000, 1800, 2000}, {UINT32_MAX, 600, 1200, UINT32_MAX, UINT32_MAX},
	};

	start(w);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t t1 = htonl(rows[i].t1), t2 = htonl(rows[i].t2);
		struct pc_dhcp_lease l;
		uint8_t d[600], more[12];

		put(put(more, 58, 4, &t1), 59, 4, &t2);
		expect(w, 1000, 1);
		reply(w, 2, 3600);
		expect(w, 100, 3);
		inject(w, "255.255.255.255", d, build(d, 5, rows[i].lease, more, 12));
		expect_probes(w);
		l = lease_of(w);
		EQ(l.t1_s, rows[i].want1);
		EQ(l.t2_s, rows[i].want2);
		if (rows[i].lease == UINT32_MAX)
			EQ(pc_dhcp_next_deadline(client), UINT64_MAX);
		probe_answer_arp(w->probe, true); /* so that nothing is left to be sent */
		finish(w);
		probe_answer_arp(w->probe, false);
		client = pc_dhcp_create(w->st, 0, "wire");
	}
	finish(w);
}

static void on_link(struct wt *w)
{
	static const uint8_t more[] = {121, 20,  32, 203, 0, 113, 9,  0,   0, 0, 0,
	                               0,   203, 0,  113, 9, 8,   10, 192, 0, 2, 77};

	lease_with(w, more, sizeof(more));
	CHECK(has_route(w, "203.0.113.9/32", NULL, 0));
	CHECK(has_route(w, "0.0.0.0/0", "203.0.113.9", 0));
	CHECK(has_route(w, "10.0.0.0/8", "192.0.2.77", 0));
	CHECK(!has_route(w, "0.0.0.0/0", "192.0.2.254", 0)); /* that of option 3 */
	finish(w);
	CHECK(!has_route(w, "203.0.113.9/32", NULL, 0) &&
	      !has_route(w, "0.0.0.0/0", "203.0.113.9", 0));
}

/* A network that is the address alone, as clouds lease it: the router is on the link nevertheless. */
static void one_address(struct wt *w)
{
	const struct sockaddr_in far = wt_addr("198.51.100.7", 9);
	const struct frame *f;
	uint8_t d[600];
	uint16_t len;
	int fd;

	start(w);
	expect(w, 1000, 1);
	reply(w, 2, 3600);
	expect(w, 100, 3);
	len = build(d, 5, 3600, NULL, 0);
	d[260] = 255; /* the last byte of the mask */
	inject(w, "255.255.255.255", d, len);
	expect_probes(w);
	EQ(lease_of(w).addr.len, 128);
	CHECK(has_route(w, "192.0.2.254/32", NULL, 0));
	CHECK(has_route(w, "0.0.0.0/0", "192.0.2.254", 0));
	EQ(wt_count(w, PC_DHCP_ROUTES_REFUSED), 0);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(fd);
	EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&far, sizeof(far)), 1);
	OK(pc_close(w->st, fd));
	f = sent(w, 100, 20);
	CHECK(f != NULL && is_arp(f));
	EQ(get32(f->b + 28), inet_addr(LEASED));
	EQ(get32(f->b + 38), inet_addr("192.0.2.254"));
	finish(w);
	CHECK(!has_route(w, "192.0.2.254/32", NULL, 0) &&
	      !has_route(w, "0.0.0.0/0", "192.0.2.254", 0));
}

static void several_routers(struct wt *w)
{
	static const uint8_t more[] = {3, 8, 192, 0, 2, 253, 203, 0, 113, 1};

	lease_with(w, more, sizeof(more));
	CHECK(has_route(w, "0.0.0.0/0", "192.0.2.254", 0));
	CHECK(has_route(w, "0.0.0.0/0", "192.0.2.253", 1));
	EQ(wt_count(w, PC_DHCP_ROUTES_REFUSED), 1); /* nobody is on that network */
	finish(w);
	CHECK(!has_route(w, "0.0.0.0/0", "192.0.2.253", 1));
}

static void release(struct wt *w)
{
	const struct frame *f;
	struct query q;

	start(w);
	become_bound(w, 3600);
	probe_answer_arp(w->probe, true);
	pc_dhcp_destroy(client);
	wt_settle(w);
	wt_settle(w);
	f = wt_next_frame(w, 10);
	CHECK(f != NULL);
	q = read_query(w, f);
	CHECK(q.type == 7 && q.ciaddr == inet_addr(LEASED) && q.server == inet_addr(SERVER));
	EQ(q.dst, inet_addr(SERVER));
}

static void start_again(struct wt *w, const char *addr, bool in_force)
{
	struct pc_addr a;

	start(w);
	OK(pc_addr_parse(addr, &a));
	pc_dhcp_remember(client, &a, in_force);
}

/* 4.3.2, INIT-REBOOT: the requested address, no server, ciaddr zero */
static void remembered(struct wt *w)
{
	struct pc_dhcp_lease l;
	struct query q;

	start_again(w, LEASED, true);
	q = expect(w, 1000, 3);
	CHECK(q.requested == inet_addr(LEASED) && q.server == 0 && q.ciaddr == 0);
	CHECK(q.src == 0 && q.dst == UINT32_MAX && q.broadcast);
	reply(w, 5, 3600);
	expect_probes(w);
	l = lease_of(w);
	EQ(pc_addr_get_ip4(&l.server), inet_addr(SERVER));
	CHECK(answers_ping(w));
	pc_dhcp_destroy(client); /* who remembers does not give it back (3.2) */
	for (const struct frame *f; (f = wt_next_frame(w, 0)) != NULL;)
		CHECK(is_arp(f));
	CHECK(!answers_ping(w));
}

/* RFC 2131 3.1.5: what somebody else has by now is not wished for again */
static void remembered_and_taken(struct wt *w)
{
	start_again(w, LEASED, true);
	expect(w, 1000, 3);
	without(w, 5, 54); /* of no server */
	reply(w, 5, 3600);
	CHECK(is_arp(sent(w, 100, 20)));
	claim(w, 2, LEASED, "0.0.0.0", false);
	expect(w, 100, 4);
	EQ(expect(w, 10100, 1).requested, 0);
	finish(w);
}

static void remembered_elsewhere(struct wt *w)
{
	struct query q;

	start_again(w, "192.0.2.99", true);
	q = expect(w, 1000, 3);
	EQ(q.requested, inet_addr("192.0.2.99"));
	reply(w, 5, 3600); /* of another address: it does not count */
	CHECK(sent(w, 100, 20) == NULL);
	reply(w, 6, 0);
	EQ(expect(w, 1100, 1).requested, 0);
	reply(w, 2, 3600);
	EQ(expect(w, 100, 3).requested, inet_addr(LEASED));
	finish(w);
}

/* Nobody knows of it: after 12 s it is only named as welcome. */
static void remembered_alone(struct wt *w)
{
	start_again(w, LEASED, true);
	expect(w, 1000, 3);
	expect(w, 5100, 3);
	EQ(expect(w, 9100, 1).requested, inet_addr(LEASED));
	finish(w);
}

static void remembered_too_long(struct wt *w)
{
	start_again(w, LEASED, false);
	EQ(expect(w, 1000, 1).requested, inet_addr(LEASED));
	finish(w);
}

/* 3.7: another network may be behind the link */
static void link_comes_up(struct wt *w)
{
	uint8_t d[600];
	struct query q;

	start(w);
	expect(w, 1000, 1);
	flap(w);
	expect(w, 30, 1); /* at once, and not when the time has come */
	reply(w, 2, 3600);
	expect(w, 100, 3);
	reply(w, 5, 3600);
	expect_probes(w);
	flap(w);
	probe_answer_arp(w->probe, true);
	q = expect(w, 30, 3);
	CHECK(q.ciaddr == inet_addr(LEASED) && q.dst == UINT32_MAX && q.server == 0);
	CHECK(answers_ping(w)); /* meanwhile it is ours */
	inject(w, LEASED, d, build(d, 5, 7200, NULL, 0));
	turn(w);
	EQ(lease_of(w).lease_s, 7200);
	flap(w);
	expect(w, 30, 3);
	inject(w, LEASED, d, build(d, 6, 0, NULL, 0));
	expect(w, 100, 1);
	CHECK(!answers_ping(w));
	finish(w);
}

/* what is between us and the servers may forward nothing for a while after a link comes up */
static void link_is_slow(struct wt *w)
{
	static const unsigned waits_s[] = {4, 8, 16, 32};
	uint64_t begin, last;
	struct query q;

	start(w);
	become_bound(w, 86400);
	begin = w->now;
	probe_answer_arp(w->probe, true);
	flap(w);
	expect(w, 30, 3);
	for (unsigned i = 0; i < 4; i++) {
		last = w->now;
		q = expect(w, 34000, 3);
		CHECK(q.ciaddr == inet_addr(LEASED) && q.dst == UINT32_MAX);
		IN((w->now - last) / 1000000, waits_s[i] * 1000 - 1100, waits_s[i] * 1000 + 1600);
	}
	/* nobody is there: it counts on until its time comes, and its server is asked then */
	CHECK(sent(w, 42400000, 5000) == NULL);
	q = expect(w, 900000, 3);
	IN((w->now - begin) / 1000000, 42520000, 43210000);
	EQ(q.dst, inet_addr(SERVER));
	/* the second time somebody answers */
	flap(w);
	expect(w, 30, 3);
	expect(w, 6000, 3);
	reply(w, 5, 3600);
	turn(w);
	EQ(lease_of(w).lease_s, 3600);
	CHECK(sent(w, 1790000, 5000) == NULL);
	finish(w);
}

static const struct wt_case cases[] = {
    {"RFC 2131 3.1: discover, offer, request, ack", life},
    {"RFC 2131 4.1: answers to the address that is offered", unicast_answers},
    {"RFC 5227 2.1.1: a leased address is asked for once", one_question},
    {"RFC 2131 4.4.5: renewing and rebinding", renewal},
    {"RFC 2131 4.4.5: a renewal that tells something new", renewal_with_news},
    {"RFC 2131 4.4.1: the lease counts from the first request", late_answer},
    {"RFC 2131 4.4.5: the lease expires", expiry},
    {"RFC 2131 3.1.5, RFC 5227: an address that somebody has is declined", conflict},
    {"RFC 2131 4.4.5: a NAK ends it", refusal},
    {"RFC 2131 4.1: messages are repeated, less and less often", patience},
    {"RFC 2131 4.4.1, RFC 6842 3: what is malformed or of others is ignored", strangers},
    {"RFC 2132, RFC 3396, RFC 3442: options", options},
    {"RFC 3397 2: a search list in pieces, with pointers", search_list},
    {"RFC 2131 4.4.5: times that are out of order", odd_times},
    {"RFC 3442: routes without a gateway", on_link},
    {"RFC 2132 3.5: several routers", several_routers},
    {"RFC 2132 3.3, 3.5: a network of one address, and a router", one_address},
    {"RFC 2131 4.4.6: the address is given back", release},
    {"RFC 2131 3.2: a remembered address is asked for first", remembered},
    {"RFC 2131 3.1.5: a remembered address that somebody has", remembered_and_taken},
    {"RFC 2131 3.2: a remembered address that is refused", remembered_elsewhere},
    {"RFC 2131 3.2, 4.4.1: a remembered address that nobody knows of", remembered_alone},
    {"RFC 2131 4.4.1: a remembered address whose lease is over", remembered_too_long},
    {"RFC 2131 3.7: a lease is asked for anew when the link comes up", link_comes_up},
    {"RFC 2131 3.7, 4.1: ... more than once", link_is_slow},
};

WT_MAIN("dhcp")
