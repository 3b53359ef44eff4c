/* SPDX-License-Identifier: BSD-2-Clause */

/* Addresses by DHCPv6 (RFC 8415): how they come, are kept and go, under a virtual clock. What servers do wrong is in
 * dhcp6_abuse_test.c. */

#include <rte_common.h>

#include "dhcp6_peer.h"

#define MANAGED w, PC_DHCP6_ROUTER, true
#define ALWAYS  w, PC_DHCP6_LEASE, false

/* ---- the way to a lease ----------------------------------------------------------------------- */

static void four_messages(struct wt *w)
{
	struct pc_dhcp6_info i;
	uint8_t xid[3], iaid[4];

	start(MANAGED, true);
	SILENT(5000);
	advertise(w, M_FLAG);
	HEAR(SOLICIT, 1100); /* SOL_MAX_DELAY: one second */
	EQ(last.elapsed, 0);
	EQ(last.wants, 0x0b); /* name servers, domains, SOL_MAX_RT */
	CHECK(last.rapid && last.has_ia && !last.has_server && last.nb_addrs == 0);
	CHECK(memcmp(last.duid, "\0\3\0\1" PROBE_MAC, 10) == 0);
	memcpy(xid, last.xid, 3);
	memcpy(iaid, last.iaid, 4);
	TELL(ADVERTISE, WITH({ONE, 100, 200}));
	HEAR(REQUEST, 1200); /* when the first wait is over */
	CHECK(memcmp(last.xid, xid, 3) != 0 && memcmp(last.iaid, iaid, 4) == 0);
	EQ(last.server, 'a');
	EQ(last.wants, 0x0b);
	CHECK(!last.rapid && last.nb_addrs == 1 && last.addr[0].b[15] == 0x11);
	TELL(REPLY, .t1 = 50, .t2 = 80, .dns = "2001:db8::53", WITH({ONE, 100, 200}));
	EQ(wt_count(w, PC_DHCP6_LEASES), 1);
	EQ(pc_stack_get_dns(w->st, NULL, 0), 1);
	CHECK(!has(w, ONE) && !knows(ONE)); /* it is tried first */
	SILENT(2000);
	CHECK(has(w, ONE) && knows(ONE));
	EQ(source(w), 0x11);
	CHECK(pc_dhcp6_get_info(client, &i) != 0);
	IN((i.addr[0].valid_ns - w->now) / 1000000000, 196, 198);
	IN((i.addr[0].preferred_ns - w->now) / 1000000000, 96, 98);
	finish(w);
}

/* A port that has only what was set gets no address of a stranger's. */
static void set_addresses(struct wt *w)
{
	start(w, PC_DHCP6_ROUTER, false, false);
	advertise(w, M_FLAG);
	HEAR(INFORM, 1100);
	CHECK(!last.has_ia);
	finish(w);
}

static void other_flag(struct wt *w)
{
	start(MANAGED, false);
	advertise(w, O_FLAG);
	HEAR(INFORM, 1100);
	TELL(REPLY, .no_ia = true, .dns = "2001:db8::53");
	SILENT(10000);
	advertise(w, M_FLAG); /* and now addresses, too */
	LEASE(WITH({ONE, 1000, 2000}));
	CHECK(has(w, ONE));
	EQ(pc_stack_get_dns(w->st, NULL, 0), 0); /* as the last has said */
	finish(w);
}

static void without_a_router(struct wt *w)
{
	start(ALWAYS, false);
	LEASE(WITH({ONE, 1000, 2000}));
	CHECK(has(w, ONE));
	finish(w);
}

static void rapid_commit(struct wt *w)
{
	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(REPLY, WITH({ONE, 1000, 2000})); /* without the option it is no answer */
	CHECK(!has(w, ONE));
	TELL(REPLY, .rapid = true, WITH({ONE, 1000, 2000}, {TWO, 1000, 2000}));
	CHECK(has(w, ONE) && has(w, TWO) && knows(ONE) && knows(TWO));
	SILENT(499000);
	HEAR(RENEW, 1500);
	EQ(last.nb_addrs, 2);
	finish(w);
}

static void choice(struct wt *w)
{
	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(ADVERTISE, .server = 'a', WITH({ONE, 100, 200}));
	TELL(ADVERTISE, .server = 'b', .preference = 7, WITH({ONE, 100, 200}));
	TELL(ADVERTISE, .server = 'c', .preference = 7, WITH({ONE, 100, 200}, {TWO, 100, 200}));
	TELL(ADVERTISE, .server = 'd', .preference = 7, WITH({ONE, 100, 200}, {TWO, 100, 200}));
	TELL(ADVERTISE, .server = 'e', .preference = 6,
	     WITH({ONE, 1, 2}, {TWO, 1, 2}, {"2001:db8::33", 1, 2}));
	SILENT(800);
	HEAR(REQUEST, 400);
	EQ(last.server, 'c');
	EQ(last.nb_addrs, 2);
	finish(w);
}

/* 255 is taken at once, and so is whoever comes after the first wait */
static void no_choice(struct wt *w)
{
	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(ADVERTISE, .server = 'a', WITH({ONE, 100, 200}));
	TELL(ADVERTISE, .server = 'b', .preference = 255, WITH({ONE, 100, 200}));
	HEAR(REQUEST, 0);
	EQ(last.server, 'b');
	again(w, PC_DHCP6_LEASE);
	HEAR(SOLICIT, 1100);
	HEAR(SOLICIT, 1200);
	TELL(ADVERTISE, .server = 'a', WITH({ONE, 100, 200}));
	HEAR(REQUEST, 0);
	finish(w);
}

/* 1 s, never less, then twice as long each time, up to an hour or what a server has told */
static void patience(struct wt *w)
{
	double want = 1000;
	uint64_t at, begin;
	uint8_t xid[3];

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	begin = at = last.at_ns;
	memcpy(xid, last.xid, 3);
	for (unsigned n = 0; n < 9; n++) {
		double waited;

		CHECK(hear(w, 2.3 * want + 1000, want / 100));
		while (last.type == INFORM) /* RFC 8415 leaves that to us */
			CHECK(hear(w, 2.3 * want + 1000, want / 100));
		EQ(last.type, SOLICIT);
		CHECK(memcmp(last.xid, xid, 3) == 0);
		waited = (double)(last.at_ns - at) / 1e6;
		if (waited < 200000)
			IN(waited, want * (n == 0 ? 1 : 1.9), want * (n == 0 ? 1.13 : 2.13));
		EQ(last.elapsed, RTE_MIN((last.at_ns - begin) / 10000000, UINT64_C(65535)));
		want = waited;
		at = last.at_ns;
	}
	TELL(ADVERTISE, .status = NO_ADDRS, .sol_max_rt = 60); /* it counts, even so */
	for (unsigned n = 0; n < 4;) {
		CHECK(hear(w, 600000, 500));
		if (last.type != SOLICIT)
			continue;
		if (n++ > 0)
			IN((last.at_ns - at) / 1000000, 53000, 67000);
		at = last.at_ns;
	}
	for (unsigned n = 0; n < 300;) { /* however often */
		CHECK(hear(w, 600000, 5000));
		if (last.type != SOLICIT)
			continue;
		IN((last.at_ns - at) / 1000000, 53000, 67000);
		at = last.at_ns;
		n++;
	}
	finish(w);
}

/* REQ_MAX_RC: ten times, at most half a minute apart; then servers are looked for again */
static void no_answer_to_requests(struct wt *w)
{
	uint64_t at = 0;

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(ADVERTISE, .preference = 255, WITH({ONE, 100, 200}));
	for (unsigned n = 0; n < 10; n++) {
		HEAR(REQUEST, 34000);
		IN((last.at_ns - at) / 1000000, n == 0 ? 0 : 900, n == 0 ? INT64_MAX : 33100);
		at = last.at_ns;
	}
	SILENT(35000);
	HEAR(SOLICIT, 10000);
	finish(w);
}

/* Who has only name servers to tell does not answer: those are asked for, too. */
static void unanswered(struct wt *w)
{
	start(MANAGED, false);
	advertise(w, M_FLAG);
	for (unsigned n = 0; n < 4; n++) {
		HEAR(SOLICIT, 10000);
		TELL(ADVERTISE, .ia_status = NO_ADDRS);
	}
	HEAR(INFORM, 1100);
	TELL(REPLY, .no_ia = true, .dns = "2001:db8::53");
	EQ(pc_stack_get_dns(w->st, NULL, 0), 1);
	HEAR(SOLICIT, 20000);
	TELL(ADVERTISE, WITH({ONE, 100, 200}));
	HEAR(REQUEST, 0);
	TELL(REPLY, .dns = "2001:db8::54", WITH({ONE, 100, 200}));
	EQ(pc_stack_get_dns(w->st, NULL, 0), 1);
	CHECK(has(w, ONE));
	finish(w);
}

/* ---- keeping it ------------------------------------------------------------------------------- */

static void renewed(struct wt *w)
{
	uint64_t at = 0;

	start(ALWAYS, false);
	LEASE(.t1 = 100, .t2 = 500, WITH({ONE, 600, 1000}));
	SILENT(99000);
	HEAR(RENEW, 1500);
	EQ(last.server, 'a');
	EQ(last.wants, 0x0b);
	CHECK(last.nb_addrs == 1 && last.addr[0].b[15] == 0x11);
	at = last.at_ns;
	HEAR(RENEW, 11500); /* REN_TIMEOUT: ten seconds */
	IN((last.at_ns - at) / 1000000, 9000, 11020);
	TELL(REPLY, .server = 'b', .t1 = 900, .t2 = 910, WITH({ONE, 6000, 10000})); /* who? */
	TELL(REPLY, .t1 = 200, .t2 = 500, WITH({ONE, 600, 1000}));
	EQ(wt_count(w, PC_DHCP6_LEASES), 2);
	SILENT(198000);
	HEAR(RENEW, 3000);
	TELL(REPLY, .t1 = 200, .t2 = 500, WITH({TWO, 600, 1000})); /* what is left out stays */
	CHECK(has(w, ONE) && has(w, TWO));
	SILENT(198000);
	HEAR(RENEW, 3000);
	CHECK(last.nb_addrs == 2 && last.addr[0].b[15] == 0x11 && last.addr[1].b[15] == 0x22);
	TELL(REPLY, .t1 = 200, .t2 = 500, WITH({ONE, 0, 0}, {TWO, 600, 1000})); /* 0: it ends */
	CHECK(!has(w, ONE) && has(w, TWO) && !knows(ONE));
	finish(w);
}

static void expires(struct wt *w)
{
	uint64_t granted, at;

	start(ALWAYS, false);
	advertise(w, 0);
	LEASE(.t1 = 100, .t2 = 200, WITH({ONE, 300, 400}));
	granted = w->now;
	EQ(source(w), 0x11);
	SILENT(99000);
	HEAR(RENEW, 1500);
	while (hear(w, 90000, 100) && last.type == RENEW)
		EQ(last.server, 'a');
	EQ(last.type, REBIND); /* T2: any server */
	IN((last.at_ns - granted) / 1000000, 199900, 200200);
	CHECK(!last.has_server && last.nb_addrs == 1);
	at = last.at_ns;
	HEAR(REBIND, 12000);
	IN((last.at_ns - at) / 1000000, 9000, 11020);
	do {
		CHECK(has(w, ONE) && knows(ONE));
		CHECK(hear(w, 160000, 100));
	} while (last.type == REBIND);
	EQ(last.type, SOLICIT); /* nobody has answered: that was it */
	IN((last.at_ns - granted) / 1000000, 400000, 401200);
	CHECK(!has(w, ONE) && !knows(ONE));
	finish(w);
}

static void lifetimes(struct wt *w)
{
	start(ALWAYS, false);
	advertise(w, 0);
	LEASE(.t1 = 100, .t2 = 200, WITH({ONE, 50, 80}, {TWO, 20, 80}));
	EQ(wt_count(w, PC_DHCP6_LEASES), 1);
	SILENT(39000);
	HEAR(RENEW, 1500); /* T1 and T2 are too late, and put right: to a half */
	CHECK(has(w, TWO) && knows(TWO));
	EQ(source(w), 0x11);
	TELL(REPLY, .t1 = 1000, .t2 = 2000, WITH({ONE, 0, 30}, {TWO, 30, 30}));
	EQ(source(w), 0x22);
	CHECK(has(w, ONE) && knows(ONE)); /* deprecated, but there */
	do
		CHECK(hear(w, 31000, 500));
	while (last.type == RENEW || last.type == REBIND);
	EQ(last.type, SOLICIT);
	CHECK(!has(w, ONE) && !has(w, TWO) && !knows(ONE) && !knows(TWO));
	finish(w);
}

static const struct wt_case cases[] = {
    {"RFC 8415 18.2.1, 18.2.2: Solicit, Advertise, Request, Reply", four_messages},
    {"RFC 4861 4.2: the M flag is for ports that make addresses of their own", set_addresses},
    {"RFC 4861 4.2: the O flag, and then the M flag", other_flag},
    {"RFC 8415 18.2.1: without a router, if told to", without_a_router},
    {"RFC 8415 18.2.1: Rapid Commit", rapid_commit},
    {"RFC 8415 18.2.9: the server of the highest preference, with the most addresses", choice},
    {"RFC 8415 18.2.1: a preference of 255, and offers after the first wait", no_choice},
    {"RFC 8415 15, 18.2.1: Solicit is repeated, less and less often", patience},
    {"RFC 8415 18.2.2: Request is repeated ten times", no_answer_to_requests},
    {"RFC 8415 18.2.9: no addresses are to be had, but name servers", unanswered},
    {"RFC 8415 18.2.4, 18.2.10.1: renewed by its server at T1", renewed},
    {"RFC 8415 18.2.5: at T2 any server is asked", expires},
    {"RFC 8415 18.2.10.1: preferred, deprecated, gone", lifetimes},
};

WT_MAIN("dhcp6_address")
