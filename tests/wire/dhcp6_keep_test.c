/* SPDX-License-Identifier: BSD-2-Clause */

/* Addresses by DHCPv6 (RFC 8415): when they are renewed, links that have been away, conflicts, statuses, and the end. */

#include <percore/control.h>

#include "dhcp6_peer.h"

#define ALWAYS w, PC_DHCP6_LEASE, false

/* ---- T1 and T2 -------------------------------------------------------------------------------- */

/* The next message comes in about so many seconds. */
static void comes_after(struct wt *w, uint8_t type, double s)
{
	const uint64_t now = w->now;

	CHECK(hear(w, 1000 * s + 2000, 100));
	EQ(last.type, type);
	IN((last.at_ns - now) / 1000000, 1000 * s - 500, 1000 * s + 500);
}

static void left_to_us(struct wt *w)
{
	start(ALWAYS, false);
	LEASE(WITH({ONE, 1000, 4000}, {TWO, 2000, 3000}));
	comes_after(w, RENEW, 500);
	TELL(REPLY, .t1 = 600, WITH({ONE, 1000, 4000}, {TWO, 2000, 3000}));
	comes_after(w, RENEW, 600);
	TELL(REPLY, .t1 = 900, WITH({ONE, 1000, 4000})); /* 800 would be before that */
	comes_after(w, REBIND, 900);
	TELL(REPLY, .t2 = 100, WITH({ONE, 1000, 4000})); /* and 500 behind that */
	comes_after(w, REBIND, 100);
	TELL(REPLY, WITH({ONE, 0, 1000})); /* deprecated; TWO is preferred for 400 s more */
	CHECK(has(w, ONE));
	comes_after(w, RENEW, 200);
	finish(w);
}

/* Each wait is twice as long as the one before, give or take a tenth, up to ten minutes. */
static void check_waits(struct wt *w, uint8_t type)
{
	double least = 9000, most = 11000;
	uint64_t at = last.at_ns;
	uint8_t xid[3];

	memcpy(xid, last.xid, 3);
	for (unsigned n = 0; n < 9; n++) {
		double waited;

		CHECK(hear(w, 700000, 1000));
		EQ(last.type, type);
		CHECK(memcmp(last.xid, xid, 3) == 0);
		waited = (double)(last.at_ns - at) / 1e6;
		IN(waited, least - 1, most + 1);
		least = waited > 285000 ? 540000 : 1.9 * waited;
		most = waited > 285000 ? 660000 : 2.1 * waited;
		at = last.at_ns;
	}
}

static void renewal_waits(struct wt *w)
{
	start(ALWAYS, false);
	LEASE(.t1 = 100, .t2 = 10000, WITH({ONE, 30000, 30000}));
	HEAR(RENEW, 101000);
	check_waits(w, RENEW);
	while (hear(w, 700000, 1000) && last.type == RENEW)
		;
	EQ(last.type, REBIND);
	EQ(last.elapsed, 0);
	check_waits(w, REBIND);
	finish(w);
}

static void nonsense(struct wt *w)
{
	uint64_t told;

	start(ALWAYS, false);
	LEASE(WITH({ONE, 1000, 2000}));
	comes_after(w, RENEW, 500);
	TELL(REPLY, .t1 = 20, .t2 = 10, WITH({ONE, 100, 100})); /* T1 behind T2: no IA at all */
	told = w->now;
	CHECK(hear(w, 12000, 100)); /* repeated: after 10 s, give or take one */
	EQ(last.type, RENEW);
	IN((last.at_ns - told) / 1000000, 8900, 11100);
	TELL(REPLY, .t1 = 5000, .t2 = 9000, WITH({ONE, 1000, 2000})); /* behind the end */
	told = w->now;
	comes_after(w, RENEW, 1000);
	while (hear(w, 700000, 1000) && last.type == RENEW)
		;
	EQ(last.type, REBIND);
	IN((last.at_ns - told) / 1000000, 1599900, 1600100); /* T2 is put right, too */
	TELL(REPLY, .t1 = FOREVER, .t2 = FOREVER, WITH({ONE, 1000, 2000}));
	comes_after(w, RENEW, 1000);
	TELL(REPLY, .t1 = 1, .t2 = 2, WITH({ONE, 1000, 2000})); /* not as often as that */
	comes_after(w, REBIND, 10);
	TELL(REPLY, .t1 = 1, .t2 = 2, WITH({ONE, 3, 3}));
	SILENT(2500);
	CHECK(hear(w, 2000, 100)); /* it has ended before that */
	EQ(last.type, SOLICIT);
	CHECK(!has(w, ONE));
	finish(w);
}

static void for_ever(struct wt *w)
{
	struct pc_dhcp6_info i;

	start(ALWAYS, false);
	LEASE(WITH({ONE, FOREVER, FOREVER}));
	CHECK(!hear(w, 1e9, 1e6));
	EQ(pc_dhcp6_next_deadline(client), UINT64_MAX);
	CHECK(has(w, ONE));
	CHECK(pc_dhcp6_get_info(client, &i) != 0);
	CHECK(i.addr[0].preferred_ns == UINT64_MAX && i.addr[0].valid_ns == UINT64_MAX);
	finish(w);
}

/* ---- links ------------------------------------------------------------------------------------ */

static void link_goes_and_comes(struct wt *w)
{
	probe_port(w->probe)->info.link_up = false;
	SILENT(5000);
	probe_port(w->probe)->info.link_up = true;
}

static void confirmed(struct wt *w)
{
	uint64_t at = 0;

	start(ALWAYS, false);
	LEASE(.t1 = 500, .t2 = 800, WITH({ONE, 1000, 2000}));
	link_goes_and_comes(w);
	HEAR(CONFIRM, 1100);
	CHECK(!last.has_server && last.nb_addrs == 1 && last.addr[0].b[15] == 0x11 &&
	      last.wants == 0);
	CHECK(has(w, ONE));
	TELL(REPLY, .no_ia = true, .status = UNSPEC_FAIL);
	for (unsigned n = 0; n < 2; n++) {
		at = last.at_ns;
		HEAR(CONFIRM, 4500);
		IN((last.at_ns - at) / 1000000, n == 0 ? 900 : 1700, n == 0 ? 1150 : 2400);
	}
	TELL(REPLY, .no_ia = true);
	SILENT(470000);
	HEAR(RENEW, 30000);
	finish(w);
}

static void not_on_link(struct wt *w)
{
	start(ALWAYS, false);
	LEASE(.t1 = 500, .t2 = 800, WITH({ONE, 1000, 2000}));
	link_goes_and_comes(w);
	HEAR(CONFIRM, 1100);
	TELL(REPLY, .no_ia = true, .status = NOT_ON_LINK);
	CHECK(!has(w, ONE) && !knows(ONE));
	LEASE(WITH({TWO, 1000, 2000}));
	CHECK(has(w, TWO));
	finish(w);
}

/* CNF_MAX_RD: for ten seconds; then it goes on */
static void nobody_confirms(struct wt *w)
{
	uint64_t begin;

	start(ALWAYS, false);
	LEASE(.t1 = 20, .t2 = 800, WITH({ONE, 1000, 2000}));
	link_goes_and_comes(w);
	HEAR(CONFIRM, 1100);
	begin = last.at_ns;
	CHECK(has(w, ONE));
	while (hear(w, 12000, 50) && last.type == CONFIRM)
		CHECK(last.at_ns < begin + UINT64_C(10050000000));
	EQ(last.type, RENEW);
	IN((last.at_ns - begin) / 1000000, 10000, 15000);
	finish(w);
}

/* Who was asking asks anew. */
static void link_comes_while_asking(struct wt *w)
{
	uint8_t xid[3];

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	memcpy(xid, last.xid, 3);
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 1000);
	probe_port(w->probe)->info.link_up = true;
	HEAR(SOLICIT, 1100);
	EQ(last.elapsed, 0);
	CHECK(memcmp(last.xid, xid, 3) != 0);
	finish(w);
}

/* ---- conflicts -------------------------------------------------------------------------------- */

static void declined(struct wt *w)
{
	uint64_t at = 0;

	start(w, PC_DHCP6_LEASE, false, true);
	LEASE(WITH({ONE, 1000, 2000}));
	wt_pass(w, 100);
	claim(w, ONE);
	for (unsigned n = 0; n < 4; n++) { /* DEC_MAX_RC */
		HEAR(DECLINE, n == 0 ? 0 : 9000);
		EQ(last.server, 'a');
		EQ(last.wants, 0);
		CHECK(last.nb_addrs == 1 && last.addr[0].b[15] == 0x11);
		IN((last.at_ns - at) / 1000000, n == 0 ? 0 : 900 << (n - 1),
		   n == 0 ? INT64_MAX : 1500 << (n - 1));
		at = last.at_ns;
	}
	EQ(wt_count(w, PC_DHCP6_DECLINED), 1);
	CHECK(!has(w, ONE) && !knows(ONE));
	SILENT(15000);
	LEASE(WITH({TWO, 1000, 2000}));
	SILENT(2000);
	CHECK(has(w, TWO));
	finish(w);
}

static void one_of_two(struct wt *w)
{
	start(w, PC_DHCP6_LEASE, false, true);
	LEASE(.t1 = 100, .t2 = 200, WITH({ONE, 1000, 2000}, {TWO, 1000, 2000}));
	wt_pass(w, 100);
	claim(w, TWO);
	HEAR(DECLINE, 0);
	CHECK(last.nb_addrs == 1 && last.addr[0].b[15] == 0x22);
	TELL(REPLY, .server = 'b', .no_ia = true);
	HEAR(DECLINE, 1200);
	TELL(REPLY, .no_ia = true);
	SILENT(90000);
	CHECK(has(w, ONE) && knows(ONE) && !has(w, TWO) && !knows(TWO));
	HEAR(RENEW, 10000);
	CHECK(last.nb_addrs == 1 && last.addr[0].b[15] == 0x11);
	finish(w);
}

/* ... and the other one, while that is told */
static void both(struct wt *w)
{
	start(w, PC_DHCP6_LEASE, false, true);
	LEASE(.t1 = 100, .t2 = 200, WITH({ONE, 1000, 2000}, {TWO, 1000, 2000}));
	wt_pass(w, 100);
	claim(w, TWO);
	HEAR(DECLINE, 0);
	claim(w, ONE);
	HEAR(DECLINE, 0);
	CHECK(last.nb_addrs == 2 && last.addr[0].b[15] == 0x22 && last.addr[1].b[15] == 0x11);
	EQ(wt_count(w, PC_DHCP6_DECLINED), 2);
	TELL(REPLY, .no_ia = true);
	SILENT(9900);
	LEASE(.t1 = 100, .t2 = 200, WITH({ONE, 1000, 2000}));
	wt_pass(w, 100);
	claim(w, ONE); /* what was declined before is not declined again */
	HEAR(DECLINE, 0);
	CHECK(last.nb_addrs == 1 && last.addr[0].b[15] == 0x11);
	finish(w);
}

/* Somebody has taken the address while the link was away. */
static void taken_meanwhile(struct wt *w)
{
	start(w, PC_DHCP6_LEASE, false, true);
	LEASE(WITH({ONE, 1000, 2000}));
	SILENT(2000);
	CHECK(knows(ONE));
	link_goes_and_comes(w);
	wt_pass(w, 200);
	claim(w, ONE);
	while (hear(w, 2000, 20) && last.type != DECLINE)
		;
	EQ(last.type, DECLINE);
	CHECK(!has(w, ONE) && !knows(ONE));
	finish(w);
}

/* A new address is tried, also in the place of one that ends at the same time. */
static void replaced(struct wt *w)
{
	start(w, PC_DHCP6_LEASE, false, true);
	LEASE(.t1 = 100, .t2 = 200, WITH({ONE, 1000, 2000}));
	SILENT(2000);
	CHECK(knows(ONE));
	HEAR(RENEW, 100000);
	TELL(REPLY, .t1 = 100, .t2 = 200, WITH({ONE, 0, 0}, {TWO, 1000, 2000}));
	CHECK(!has(w, ONE) && !knows(ONE) && !has(w, TWO) && !knows(TWO));
	SILENT(2000);
	CHECK(has(w, TWO) && knows(TWO));
	finish(w);
}

/* ---- statuses --------------------------------------------------------------------------------- */

static void no_binding(struct wt *w)
{
	start(ALWAYS, false);
	LEASE(WITH({ONE, 1000, 2000}));
	SILENT(499000);
	HEAR(RENEW, 1500);
	TELL(REPLY, .ia_status = NO_BINDING);
	HEAR(REQUEST, 0);
	CHECK(last.server == 'a' && last.nb_addrs == 1 && last.addr[0].b[15] == 0x11);
	CHECK(has(w, ONE));
	TELL(REPLY, WITH({TWO, 1000, 2000})); /* now this is what we have */
	CHECK(!has(w, ONE) && has(w, TWO));
	SILENT(499000);
	HEAR(RENEW, 1500);
	TELL(REPLY, .ia_status = NO_BINDING);
	HEAR(REQUEST, 0);
	TELL(REPLY, .ia_status = NO_ADDRS);
	CHECK(!has(w, TWO) && !knows(TWO));
	SILENT(9000);
	HEAR(SOLICIT, 2000);
	finish(w);
}

/* Another server takes over when it is asked by all. */
static void another_server(struct wt *w)
{
	start(ALWAYS, false);
	LEASE(.t1 = 20, .t2 = 20, WITH({ONE, 1000, 2000}));
	HEAR(REBIND, 21000);
	TELL(REPLY, .server = 'b', .t1 = 20, .t2 = 40, WITH({ONE, 1000, 2000}));
	HEAR(RENEW, 21000);
	EQ(last.server, 'b');
	SILENT(8000);
	HEAR(RENEW, 4000);
	HEAR(REBIND, 21000);
	TELL(REPLY, .server = 'c', .ia_status = NO_BINDING);
	HEAR(REQUEST, 0);
	EQ(last.server, 'c');
	finish(w);
}

static void failures(struct wt *w)
{
	uint8_t xid[3];

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(ADVERTISE, .status = UNSPEC_FAIL, WITH({ONE, 1000, 2000}));
	TELL(ADVERTISE, .ia_status = NO_ADDRS);
	TELL(ADVERTISE, .ia_status = NO_ADDRS, WITH({ONE, 1000, 2000}));
	TELL(REPLY, .rapid = true, .status = NO_ADDRS);
	HEAR(SOLICIT, 1200);
	TELL(ADVERTISE, WITH({ONE, 1000, 2000}));
	HEAR(REQUEST, 0);
	memcpy(xid, last.xid, 3);
	TELL(REPLY, .status = UNSPEC_FAIL, WITH({ONE, 1000, 2000}));
	TELL(REPLY, .status = USE_MULTICAST);
	CHECK(!has(w, ONE));
	HEAR(REQUEST, 1200);
	CHECK(memcmp(last.xid, xid, 3) == 0);
	TELL(REPLY, .ia_status = NOT_ON_LINK);
	SILENT(9000); /* not at once: a server could have us ask for ever */
	HEAR(SOLICIT, 2000);
	TELL(ADVERTISE, .preference = 255, WITH({ONE, 1000, 2000}));
	HEAR(REQUEST, 0);
	TELL(REPLY, .status = NO_ADDRS);
	SILENT(9000);
	HEAR(SOLICIT, 2000);
	TELL(ADVERTISE, .preference = 255, WITH({ONE, 1000, 2000}));
	HEAR(REQUEST, 0);
	TELL(REPLY, WITH({ONE, 0, 0}));
	SILENT(9000);
	LEASE(WITH({ONE, 1000, 2000}));
	SILENT(499000);
	HEAR(RENEW, 1500);
	TELL(REPLY, .ia_status = NO_ADDRS); /* no more time, but what there is */
	TELL(REPLY, .no_ia = true);
	TELL(REPLY, .t1 = 1); /* without an address */
	HEAR(RENEW, 11500);
	CHECK(has(w, ONE));
	finish(w);
}

/* ---- the end, and other stacks ----------------------------------------------------------------- */

static void released(struct wt *w)
{
	bool heard = false;

	start(ALWAYS, false);
	LEASE(.dns = "2001:db8::53", WITH({ONE, 1000, 2000}, {TWO, 1000, 2000}));
	pc_dhcp6_destroy(client);
	CHECK(!has(w, ONE) && !has(w, TWO));
	client = pc_dhcp6_create(w->st, 0, PC_DHCP6_ROUTER); /* it says nothing by itself */
	if (hear(w, 100, 20)) {
		heard = last.type == RELEASE && last.server == 'a' && last.nb_addrs == 2 &&
		        last.elapsed == 0 && last.wants == 0;
		SILENT(1000);
	}
	CHECK(heard);
	finish(w);
}

/* What one lcore leases, all of them have. */
static void of_another_stack(struct wt *w)
{
	struct pc_dhcp6_info a, b;

	start(w, PC_DHCP6_ROUTER, false, true);
	a = (struct pc_dhcp6_info){
	    .nb_addrs = 2,
	    .addr = {{addr6(ONE), w->now + UINT64_C(5000000000), w->now + UINT64_C(9000000000)},
	             {addr6(TWO), UINT64_MAX, UINT64_MAX}}};
	OK(pc_dhcp6_apply(w->st, 0, NULL, &a));
	CHECK(has(w, ONE) && has(w, TWO)); /* the other one has tried it */
	wt_pass(w, 9500);
	CHECK(!has(w, ONE) && has(w, TWO));
	b = a;
	b.addr[0].preferred_ns = b.addr[0].valid_ns = UINT64_MAX;
	OK(pc_dhcp6_apply(w->st, 0, &a, &b));
	CHECK(has(w, ONE));
	a = b;
	b.nb_addrs = 1;
	OK(pc_dhcp6_apply(w->st, 0, &a, &b));
	CHECK(has(w, ONE) && !has(w, TWO));
	a = b;
	b.addr[0].addr = addr6(LOCAL); /* which was set here */
	ERR(pc_dhcp6_apply(w->st, 0, &a, &b), EEXIST);
	CHECK(!has(w, ONE) && has(w, LOCAL));
	OK(pc_dhcp6_apply(w->st, 0, &b, NULL));
	CHECK(has(w, LOCAL));
	ERR(pc_dhcp6_apply(w->st, 5, NULL, &a), EINVAL);
	finish(w);
}

/* Name servers and domains, each of which may have become another one. */
static void names_of_another_stack(struct wt *w)
{
	static const char *const next[][3] = {{"2001:db8::1", "2001:db8::2", "a.org b.org"},
	                                      {"2001:db8::1", NULL, "a.org b.org"},
	                                      {"2001:db8::1", "2001:db8::3", "a.org b.org"},
	                                      {"2001:db8::1", "fe80::2", "a.org b.org"},
	                                      {"2001:db8::1", "2001:db8::2", "a.org"},
	                                      {"2001:db8::1", "2001:db8::2", ""},
	                                      {NULL, NULL, "a.org c.org"}};
	struct pc_dhcp6_info was = {0};

	start(w, PC_DHCP6_ROUTER, false, true);
	for (unsigned n = 0; n < sizeof(next) / sizeof(next[0]); n++) {
		struct pc_dhcp6_info info = {0};
		char search[3][PC_DOMAIN_MAX + 1] = {{0}}, all[2 * PC_DOMAIN_MAX + 2];
		struct pc_addr dns[3];

		for (unsigned i = 0; i < 2 && next[n][i] != NULL; i++)
			info.dns[info.nb_dns++] = addr6(next[n][i]);
		strcpy(info.search, next[n][2]);
		for (unsigned turn = 0; turn < 2; turn++) { /* and once more the same */
			OK(pc_dhcp6_apply(w->st, 0, n + turn == 0 ? NULL : &was, &info));
			was = info;
			EQ(pc_stack_get_dns(w->st, dns, 3), info.nb_dns);
			for (unsigned i = 0; i < info.nb_dns; i++) {
				CHECK(pc_addr_equal(&dns[0], &info.dns[i]) ||
				      pc_addr_equal(&dns[1], &info.dns[i]));
				EQ(pc_stack_dns_scope(w->st, &info.dns[i]),
				   pc_addr_is_link_local(&info.dns[i]) ? 1 : 0);
			}
			pc_stack_get_search(w->st, search, 3);
			snprintf(all, sizeof(all), "%s%s%s", search[0],
			         search[1][0] != '\0' ? " " : "", search[1]);
			CHECK(strcmp(all, info.search) == 0);
		}
	}
	OK(pc_dhcp6_apply(w->st, 0, &was, NULL));
	EQ(pc_stack_get_search(w->st, NULL, 0), 0);
	finish(w);
}

static void mistakes(struct wt *w)
{
	start(ALWAYS, false);
	ERR(pc_dhcp6_create(w->st, -1, PC_DHCP6_LEASE) == NULL ? -1 : 0, EINVAL);
	ERR(pc_dhcp6_create(w->st, 1, PC_DHCP6_LEASE) == NULL ? -1 : 0, EINVAL);
	pc_dhcp6_destroy(NULL);
	EQ(pc_dhcp6_get_info(client, &(struct pc_dhcp6_info){0}), 0);
	finish(w);
}

/* Each port has its client and its IA, and what is told there, of its link, counts there. */
static void several_ports(struct wt *w)
{
	const struct probe_config second = {
	    .offloads = w->offloads, .rx_split = w->rx_split, .pool = w->probe_pool};
	const struct pc_prefix us = {.addr = addr6("fd01::1"), .len = 64};
	const struct pc_addr server = addr6("fe80::53"), one = addr6(ONE);
	struct probe *near, *far = probe_open(&second);
	struct pc_stack_addr list[8];
	struct pc_dhcp6 *first;
	uint8_t iaid[4];

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	memcpy(iaid, last.iaid, 4);
	first = client;
	near = w->probe;
	w->probe = far;
	strcpy(probe_port(far)->info.name, "another");
	EQ(pc_stack_add_port(w->st, probe_port(far)), 1);
	OK(pc_stack_add_addr(w->st, 1, &us));
	wt_pass(w, 5000);
	wt_drop(w);
	client = pc_dhcp6_create(w->st, 1, PC_DHCP6_LEASE);
	CHECK(client != NULL);
	LEASE(.dns = "fe80::53", WITH({ONE, 1000, 2000}));
	CHECK(memcmp(last.iaid, iaid, 4) != 0);
	CHECK(has(w, ONE) && knows(ONE));
	EQ(pc_stack_dns_scope(w->st, &server), 2);
	for (unsigned n = pc_stack_get_addrs(w->st, list, 8); n > 0; n--)
		CHECK(!pc_addr_equal(&list[n - 1].addr.addr, &one) || list[n - 1].port == 1);
	HEAR(RENEW, 500100);
	pc_dhcp6_destroy(client);
	CHECK(!has(w, ONE));
	wt_settle(w);
	wt_drop(w);
	client = first;
	pc_dhcp6_destroy(first);
	wt_drop(w);
	pc_stack_destroy(w->st);
	w->st = NULL;
	w->probe = near;
	pc_port_close(probe_port(far));
}

static const struct wt_case cases[] = {
    {"RFC 8415 14.2: T1 and T2 that are left to us", left_to_us},
    {"RFC 8415 15, 18.2.4, 18.2.5: Renew and Rebind are repeated", renewal_waits},
    {"RFC 8415 21.4, 14.1: T1 and T2 that make no sense", nonsense},
    {"RFC 8415 7.7: for ever", for_ever},
    {"RFC 8415 18.2.12, 18.2.3: Confirm when the link has been away", confirmed},
    {"RFC 8415 18.2.10.2: the address is of another link", not_on_link},
    {"RFC 8415 18.2.3: nobody confirms", nobody_confirms},
    {"RFC 8415 18.2.12: the link comes up while a server is looked for", link_comes_while_asking},
    {"RFC 8415 18.2.8: Decline, when somebody else has the address", declined},
    {"RFC 8415 18.2.8: one of two is declined", one_of_two},
    {"RFC 8415 18.2.10.1: an address in the place of another one is tried", replaced},
    {"RFC 8415 18.2.8: one after the other is declined", both},
    {"RFC 8415 18.2.8, RFC 4862 5.4: taken while the link was away", taken_meanwhile},
    {"RFC 8415 18.2.10.1: NoBinding", no_binding},
    {"RFC 8415 18.2.5: another server takes over", another_server},
    {"RFC 8415 18.2.10.1: failures", failures},
    {"RFC 8415 18.2.7: Release at the end", released},
    {"RFC 4862 5.5.4: addresses of another stack's client", of_another_stack},
    {"RFC 3646 3, 4: names of another stack's client", names_of_another_stack},
    {"percore/dhcp6.h: ports that there are not", mistakes},
    {"RFC 8415 12, 7.1: a client on each port", several_ports},
};

WT_MAIN("dhcp6_keep")
