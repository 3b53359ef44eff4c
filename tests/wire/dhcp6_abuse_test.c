/* SPDX-License-Identifier: BSD-2-Clause */

/* Addresses by DHCPv6 (RFC 8415): what a server on the link could do to us. */

#include <percore/control.h>

#include "dhcp6_peer.h"

#define ALWAYS w, PC_DHCP6_LEASE, false

/* Addresses that no host of ours can have are left out; what is good beside them counts. */
static void no_hosts_address(struct wt *w)
{
	static const char *const bad[] = {
	    "::", "::1", "::ffff:192.0.2.9", "ff02::1", "ff0e::7", "fe80::1:2:3", LOCAL};
	uint64_t refused = 0;

	start(ALWAYS, false);
	for (unsigned n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		again(w, PC_DHCP6_LEASE);
		HEAR(SOLICIT, 1100);
		TELL(REPLY, .rapid = true, WITH({bad[n], 1000, 2000}, {ONE, 1000, 2000}));
		CHECK(knows(ONE) && has(w, ONE) && !knows(bad[n]));
		EQ(wt_count(w, PC_DHCP6_ADDRS_REFUSED), ++refused);
	}
	CHECK(has(w, LOCAL));
	CHECK(!has(w, "fe80::1:2:3"));
	again(w, PC_DHCP6_LEASE);
	HEAR(SOLICIT, 1100);
	TELL(REPLY, .rapid = true, WITH({LOCAL, 1000, 2000})); /* nothing that can be used */
	SILENT(9000);
	HEAR(SOLICIT, 2000);
	finish(w);
}

static void lifetimes(struct wt *w)
{
	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(REPLY, .rapid = true,
	     WITH({ONE, 1001, 1000}, {"2001:db8::1", FOREVER, 10}, {TWO, 0, FOREVER},
	          {"2001:db8::2", 10, 20, .status = UNSPEC_FAIL}, {"2001:db8::3", 0, 0}));
	CHECK(!has(w, ONE) && has(w, TWO) && knows(TWO) && !has(w, "2001:db8::1"));
	CHECK(!has(w, "2001:db8::2") && !has(w, "2001:db8::3"));
	EQ(wt_count(w, PC_DHCP6_ADDRS_REFUSED), 3);
	finish(w);
}

/* As many as there is room for in a message: eight count. */
static void many(struct wt *w)
{
	static struct pc_stack_addr list[64];
	uint8_t d[1500], *p;
	unsigned n;

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	n = build(d, &(struct told){.type = REPLY, .rapid = 1});
	p = d + n - 12 - 4; /* the IA, which is the last option */
	for (unsigned i = 0; i < 48; i++, n += 28) {
		memcpy(d + n, "\0\5\0\x18\x20\1\x0d\xb8", 8);
		memset(d + n + 8, 0, 12);
		d[n + 19] = (uint8_t)(i + 1);
		memcpy(d + n + 20, "\0\0\1\0\0\0\2\0", 8);
	}
	p[2] = (uint8_t)((12 + 48 * 28) >> 8);
	p[3] = (uint8_t)(12 + 48 * 28);
	say(w, d, (uint16_t)n);
	EQ(pc_stack_get_addrs(w->st, list, 64), 3 + 8);
	EQ(wt_count(w, PC_DHCP6_ADDRS_REFUSED), 40);
	CHECK(knows("2001:db8::1") && knows("2001:db8::8") && !knows("2001:db8::9"));
	finish(w);
}

/* One more than there is room for, in a later message; there is room when another one ends. */
static void one_more(struct wt *w)
{
	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	TELL(REPLY, .rapid = 1, .t1 = 20, .t2 = 900,
	     WITH({"2001:db8::1", 1000, 2000}, {"2001:db8::2", 1000, 2000},
	          {"2001:db8::3", 1000, 2000}, {"2001:db8::4", 1000, 2000},
	          {"2001:db8::5", 1000, 2000}, {"2001:db8::6", 1000, 2000},
	          {"2001:db8::7", 1000, 2000}, {"2001:db8::8", 1000, 2000}));
	HEAR(RENEW, 21000);
	EQ(last.nb_addrs, 8);
	TELL(REPLY, .t1 = 20, .t2 = 900, WITH({ONE, 1000, 2000}));
	CHECK(!has(w, ONE) && knows("2001:db8::8"));
	HEAR(RENEW, 21000);
	EQ(last.nb_addrs, 8);
	TELL(REPLY, .t1 = 20, .t2 = 900, WITH({"2001:db8::1", 0, 0}, {ONE, 1000, 2000}));
	CHECK(has(w, ONE) && knows(ONE) && !has(w, "2001:db8::1") && knows("2001:db8::8"));
	finish(w);
}

/* Another address each time: those that there have been have their places for good, and there are places for others. */
static void ever_others(struct wt *w)
{
	struct pc_prefix one = {.addr = addr6("2001:db8::fff"), .len = 64};
	char addr[32];

	start(ALWAYS, false);
	for (unsigned n = 1; n <= 20; n++) {
		again(w, PC_DHCP6_LEASE);
		snprintf(addr, sizeof(addr), "2001:db8::%x", n);
		HEAR(SOLICIT, 1100);
		TELL(REPLY, .rapid = true, WITH({addr, 1000, 2000}));
		EQ(has(w, addr), n <= 16);
	}
	EQ(wt_count(w, PC_DHCP6_ADDRS_REFUSED), 4);
	again(w, PC_DHCP6_LEASE);
	HEAR(SOLICIT, 1100);
	TELL(REPLY, .rapid = true, WITH({"2001:db8::7", 1000, 2000})); /* it has been here before */
	CHECK(has(w, "2001:db8::7"));
	OK(pc_stack_add_addr(w->st, 0, &one));
	OK(pc_stack_del_addr(w->st, 0, &one));
	again(w, PC_DHCP6_LEASE);
	wt_pass(w, 3700000); /* as has none of these for an hour */
	wt_drop(w);
	HEAR(SOLICIT, 1100);
	TELL(REPLY, .rapid = true, WITH({"2001:db8::99", 1000, 2000}));
	CHECK(has(w, "2001:db8::99"));
	finish(w);
}

/* Whatever is cut off, and each length that goes beyond what is around it. */
static void malformed(struct wt *w)
{
	const struct told good = {.type = REPLY,
	                          .rapid = 1,
	                          .ia_status = 0,
	                          .n = 1,
	                          .addr = {{ONE, 1000, 2000, .status = 0}}};
	uint64_t ignored;
	uint8_t d[300];
	uint16_t len, ia;

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	len = build(d, &good);
	ia = (uint16_t)(len - 16 - 28);
	for (uint16_t cut = 0; cut < len; cut++)
		say(w, d, cut);
	ignored = wt_count(w, PC_DHCP6_IGNORED);
	EQ(ignored, len);
	for (unsigned n = 0; n < 5; n++) { /* the lengths of the IA, and of the address */
		static const uint8_t at[] = {3, 3, 19, 19, 19}, value[] = {11, 45, 23, 25, 26};
		const uint8_t was = d[ia + at[n]];

		d[ia + at[n]] = value[n];
		say(w, d, len);
		d[ia + at[n]] = was;
	}
	EQ(wt_count(w, PC_DHCP6_IGNORED), ignored + 5);
	CHECK(!has(w, ONE));
	say(w, d, len);
	CHECK(has(w, ONE));
	finish(w);
}

/* A status within an address, and one within the IA, that are too short; a preference of two bytes. */
static void malformed_within(struct wt *w)
{
	uint8_t d[300];
	uint16_t len;

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	len = build(d,
	            &(struct told){
	                .type = REPLY, .rapid = 1, .n = 1, .addr = {{ONE, 100, 200, .status = 1}}});
	d[len - 1 - 2] = 1; /* of the status */
	d[len - 1 - 2 - 4 - 24] = 0;
	d[len - 3] = 1;
	say(w, d, len);
	len = build(
	    d, &(struct told){
	           .type = REPLY, .rapid = 1, .ia_status = 1, .n = 1, .addr = {{ONE, 100, 200}}});
	d[len - 3] = 1;
	say(w, d, len);
	len = build(
	    d, &(struct told){
	           .type = REPLY, .rapid = 1, .preference = 9, .n = 1, .addr = {{ONE, 100, 200}}});
	d[4 + 14 + 14 + 3] = 0;
	say(w, d, len);
	EQ(wt_count(w, PC_DHCP6_IGNORED), 3);
	CHECK(!has(w, ONE));
	finish(w);
}

/* Who was not asked, or speaks of others. */
static void strangers(struct wt *w)
{
	struct pc_addr link;
	uint8_t d[300];
	uint16_t len;

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	link = last.src;
	TELL(ADVERTISE, .other_ia = true, .preference = 255, WITH({ONE, 1000, 2000}));
	len =
	    build(d, &(struct told){
	                 .type = ADVERTISE, .preference = 255, .n = 1, .addr = {{ONE, 100, 200}}});
	d[3] ^= 1; /* another transaction */
	say(w, d, len);
	d[3] ^= 1;
	d[17] ^= 1; /* another client */
	say(w, d, len);
	d[17] ^= 1;
	d[5] = 99; /* none */
	say(w, d, len);
	d[5] = 1;
	d[19] = 99; /* no server */
	say(w, d, len);
	d[19] = 2;
	last.src = addr6(LOCAL); /* by an address that reaches beyond the link */
	say(w, d, len);
	last.src = link;
	d[0] = 10; /* Reconfigure */
	say(w, d, len);
	d[0] = SOLICIT;
	say(w, d, len);
	EQ(wt_count(w, PC_DHCP6_IGNORED), 7);
	d[0] = ADVERTISE;
	say(w, d, len);
	HEAR(REQUEST, 0);
	TELL(ADVERTISE, .preference = 255, WITH({ONE, 1000, 2000})); /* that was before */
	TELL(REPLY, .server = 'b', WITH({ONE, 1000, 2000}));
	TELL(REPLY, .other_ia = true, WITH({ONE, 1000, 2000}));
	EQ(wt_count(w, PC_DHCP6_IGNORED), 10);
	CHECK(!has(w, ONE));
	TELL(REPLY, WITH({ONE, 1000, 2000}));
	CHECK(has(w, ONE));
	TELL(REPLY, WITH({TWO, 1000, 2000})); /* it has been answered */
	CHECK(!has(w, TWO));
	EQ(pc_dhcp6_get_info(client, &(struct pc_dhcp6_info){0}), 2);
	finish(w);
}

/* A server's DUID may have 130 bytes, and is sent back as it is; longer ones are none. */
static void long_identifiers(struct wt *w)
{
	uint8_t d[500], *p;
	uint16_t len;

	start(ALWAYS, false);
	HEAR(SOLICIT, 1100);
	for (unsigned id = 131; id >= 130; id--) {
		len = build(
		    d, &(struct told){
		           .type = ADVERTISE, .preference = 255, .n = 1, .addr = {{ONE, 9, 9}}});
		p = d + 4 + 14;
		memmove(p + 4 + id, p + 14, (size_t)(d + len - p - 14));
		memset(p + 4, 'x', id);
		p[2] = 0;
		p[3] = (uint8_t)id;
		len = (uint16_t)(len + id - 10);
		say(w, d, len);
		EQ(hear(w, 0, 20), id == 130);
	}
	EQ(last.type, REQUEST);
	EQ(last.server, 'x');
	finish(w);
}

static const struct wt_case cases[] = {
    {"RFC 8415 18.2.10.1: addresses that no host can have", no_hosts_address},
    {"RFC 8415 21.6: lifetimes that make no sense", lifetimes},
    {"RFC 8415 21.4: more addresses than there is room for", many},
    {"RFC 8415 21.4: more of them in a later message", one_more},
    {"RFC 8415 18.2.10.1: other addresses each time", ever_others},
    {"RFC 8415 21: cut off, and lengths that go beyond", malformed},
    {"RFC 8415 21.13, 21.8: statuses and preferences of other lengths", malformed_within},
    {"RFC 8415 16.3, 16.10: of others, and unasked", strangers},
    {"RFC 8415 11.1: identifiers of servers", long_identifiers},
};

WT_MAIN("dhcp6_abuse")
