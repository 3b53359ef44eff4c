/* SPDX-License-Identifier: BSD-2-Clause */
#include "dhcp/message.h"

#include <arpa/inet.h>
#include <string.h>

#include "../unit.h"
#include "../wire/exact.h"

#define HDR     240 /* with the cookie */
#define FILE_AT 108
#define NAME_AT 44

static uint8_t msg[2000];
static struct dhcp_reply reply;

/* A DHCPACK's header with a type, and these options behind it. Returns the length. */
static size_t build(const void *options, size_t len)
{
	memset(msg, 0, sizeof(msg));
	memcpy(msg, "\2\1\6\0\x12\x34\x56\x78", 8);
	memcpy(msg + 16, "\xc0\0\2\x64", 4);
	memcpy(msg + 28, "\2\0\0\0\xab\1", 6);
	memcpy(msg + 236, "\x63\x82\x53\x63\x35\1\5", 7);
	memcpy(msg + HDR + 3, options, len);
	return HDR + 3 + len;
}

/* from bytes of exactly that length, so that a sanitizer sees each one too many that is read */
static bool parse(size_t len)
{
	uint8_t *p = exact_copy(msg, len);
	const bool good = dhcp_parse(p, len, &reply);

	free(p);
	return good;
}

static bool parse_with(const void *options, size_t len)
{
	return parse(build(options, len));
}

#define WITH(literal) parse_with(literal, sizeof(literal) - 1)

static uint32_t ip(const struct pc_addr *a)
{
	return ntohl(pc_addr_get_ip4(a));
}

/* ---- reading --------------------------------------------------------------------------------- */

static void test_header(void)
{
	static const uint8_t fixed[] = {0, 1, 2, 236, 237, 238, 239};

	CU_ASSERT_FATAL(WITH("\x36\4\xc0\0\2\x43\xff"));
	CU_ASSERT_EQUAL(reply.xid, 0x12345678);
	CU_ASSERT_EQUAL(reply.type, DHCP_ACK);
	CU_ASSERT_EQUAL(memcmp(reply.mac, "\2\0\0\0\xab\1", 6), 0);
	CU_ASSERT_EQUAL(ip(&reply.lease.addr.addr), 0xc0000264);
	CU_ASSERT(reply.has_server && !reply.has_lease);
	CU_ASSERT_EQUAL(ip(&reply.lease.server), 0xc0000243);
	for (unsigned i = 0; i < sizeof(fixed); i++)
		for (int by = -1; by <= 1; by++) {
			const size_t len = build("\xff", 1);

			msg[fixed[i]] = (uint8_t)(msg[fixed[i]] + by);
			CU_ASSERT_EQUAL(parse(len), by == 0);
		}
	build("", 0);
	for (size_t len = 0; len <= HDR; len++)
		CU_ASSERT_FALSE(parse(len)); /* cut, or of no type: BOOTP */
}

/* The options behind the type (53): what is none does not count, whatever else is told. */
static void test_bounds(void)
{
	static const struct {
		size_t len;
		const char *options;
		bool good;
	} rows[] = {
	    {0, "", true}, /* the end of the message is one */
	    {1, "\xff", true},
	    {3, "\0\0\xff", true},
	    {1, "\6", false},
	    {2, "\6\4", false},
	    {5, "\6\4\1\2\3", false},
	    {6, "\6\4\1\2\3\4", true},
	    {7, "\6\4\1\2\3\4\6", false},
	    {2, "\xe0\0", true},
	    {3, "\xe0\2\xff", false},
	    {4, "\xff\6\xc8\1", true}, /* nothing is behind the end */
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(parse_with(rows[i].options, rows[i].len), rows[i].good);
	for (unsigned type = 0; type < 2; type++) { /* none, and one without a byte */
		const size_t len = build("\xff", 1);

		msg[HDR + 2 * type] = (uint8_t)(type == 0 ? 224 : 0);
		msg[HDR + 1] = (uint8_t)(type == 0);
		CU_ASSERT_FALSE(parse(len));
	}
}

/* Options that are shorter than they can be are as good as none. */
static void test_numbers(void)
{
	static const struct {
		size_t len;
		const char *options;
		uint8_t prefix;
		bool has_lease;
		uint32_t lease_s, t1_s, t2_s;
		uint16_t mtu;
	} rows[] = {
	    {0, "", 24, false, 0, 0, 0, 0},
	    {6, "\1\4\xff\xff\xff\x80", 25, false, 0, 0, 0, 0},
	    {6, "\1\4\xff\xff\xff\xff", 32, false, 0, 0, 0, 0},
	    {6, "\1\4\x80\0\0\0", 1, false, 0, 0, 0, 0},
	    {5, "\1\3\xff\xff\xff", 24, false, 0, 0, 0, 0},
	    {6, "\1\4\0\0\0\0", 24, false, 0, 0, 0, 0},
	    {6, "\x33\4\0\1\x51\x80", 24, true, 86400, 43200, 75600, 0},
	    {5, "\x33\3\0\1\x51", 24, false, 0, 0, 0, 0},
	    {6, "\x33\4\xff\xff\xff\xff", 24, true, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0},
	    {6, "\x33\4\xff\xff\xff\xfe", 24, true, 0xfffffffe, 0x7fffffff, 0xdffffffe, 0},
	    {18, "\x33\4\0\1\0\0\x3a\4\0\0\1\2\x3b\4\0\0\3\4", 24, true, 0x10000, 0x102, 0x304, 0},
	    {17, "\x33\4\0\1\0\0\x3a\4\0\0\1\2\x3b\3\0\0\3", 24, true, 0x10000, 0x102, 0xe000, 0},
	    {17, "\x33\4\0\1\0\0\x3b\4\0\0\3\4\x3a\3\0\0\3", 24, true, 0x10000, 0x304, 0x304, 0},
	    {4, "\x1a\2\5\xdc", 24, false, 0, 0, 0, 1500},
	    {3, "\x1a\1\5", 24, false, 0, 0, 0, 0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pc_dhcp_lease *l = &reply.lease;

		CU_ASSERT_FATAL(parse_with(rows[i].options, rows[i].len));
		CU_ASSERT_EQUAL(l->addr.len, 96 + rows[i].prefix);
		CU_ASSERT_EQUAL(reply.has_lease, rows[i].has_lease);
		CU_ASSERT_EQUAL(l->lease_s, rows[i].lease_s);
		CU_ASSERT_EQUAL(l->t1_s, rows[i].t1_s);
		CU_ASSERT_EQUAL(l->t2_s, rows[i].t2_s);
		CU_ASSERT_EQUAL(l->mtu, rows[i].mtu);
		CU_ASSERT_FALSE(reply.has_server);
	}
	CU_ASSERT(WITH("\x36\3\xc0\0\2"));
	CU_ASSERT_FALSE(reply.has_server);
}

/* Four name servers, sixteen routes, and no bytes of an address that is cut. */
static void test_lists(void)
{
	uint8_t more[2 + 4 * 20] = {6};

	for (unsigned n = 1; n <= 20; n++) {
		for (unsigned opt = 3; opt <= 6; opt += 3) { /* routers, name servers */
			more[0] = (uint8_t)opt;
			more[1] = (uint8_t)(4 * n);
			for (unsigned i = 0; i < n; i++)
				memcpy(more + 2 + 4 * i, (uint8_t[]){10, 0, 0, (uint8_t)(i + 1)},
				       4);
			CU_ASSERT(parse_with(more, 2 + 4 * n));
			CU_ASSERT_EQUAL(reply.lease.nb_dns, opt == 3 ? 0 : n < 4 ? n : 4);
			CU_ASSERT_EQUAL(reply.lease.nb_routes, opt == 6 ? 0 : n < 16 ? n : 16);
			more[1]--;
			CU_ASSERT(parse_with(more, 2 + 4 * n - 1));
			CU_ASSERT_EQUAL(reply.lease.nb_dns, opt == 3 ? 0 : n <= 4 ? n - 1 : 4);
			CU_ASSERT_EQUAL(reply.lease.nb_routes, opt == 6 ? 0 : n <= 16 ? n - 1 : 16);
		}
	}
	CU_ASSERT(WITH("\6\x14\1\0\0\1\1\0\0\2\1\0\0\3\1\0\0\4\1\0\0\5\3\x8\2\0\0\1\2\0\0\2"));
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(ip(&reply.lease.dns[i]), 0x01000001 + i);
	CU_ASSERT_EQUAL(reply.lease.nb_routes, 2);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(ip(&reply.lease.route[i].gateway), 0x02000001 + i);
		CU_ASSERT_EQUAL(reply.lease.route[i].dest.len, 96);
		CU_ASSERT_EQUAL(ip(&reply.lease.route[i].dest.addr), 0);
	}
}

/* An option in more pieces than there is room for: the first ones count. */
static void test_long_option(void)
{
	uint8_t more[4 * 257 + 202];

	for (unsigned i = 0; i < 5; i++) {
		memset(more + 257 * i, (int)i + 1, i < 4 ? 257 : 202);
		more[257 * i] = 3;
		more[257 * i + 1] = i < 4 ? 255 : 200;
	}
	CU_ASSERT(parse_with(more, sizeof(more)));
	CU_ASSERT_EQUAL_FATAL(reply.lease.nb_routes, 16);
	CU_ASSERT_EQUAL(ip(&reply.lease.route[15].gateway), 0x01010101);
}

/* RFC 3442: prefixes of each length; where the option is none, the router's counts. */
static void test_classless(void)
{
	for (unsigned len = 0; len <= 33; len++) {
		const unsigned n = (len + 7) / 8;
		uint8_t more[40] = {3, 4, 9, 9, 9, 9, 121, (uint8_t)(1 + n + 4), (uint8_t)len,
		                    1, 2, 3, 4};
		const struct pc_dhcp_route *r = &reply.lease.route[0];

		memcpy(more + 9 + n, "\xc0\0\2\1", 4);
		CU_ASSERT(parse_with(more, 9 + n + 4));
		CU_ASSERT_EQUAL_FATAL(reply.lease.nb_routes, 1);
		CU_ASSERT_EQUAL(r->dest.len, len <= 32 ? 96 + len : 96);
		CU_ASSERT_EQUAL(ip(&r->dest.addr),
		                len <= 32 && n > 0 ? 0x01020304 & ~(UINT32_MAX >> (8 * n - 1) >> 1)
		                                   : 0);
		CU_ASSERT_EQUAL(ip(&r->gateway), len <= 32 ? 0xc0000201 : 0x09090909);
		more[7]--; /* and one that is cut, behind a good one */
		more[9 + n + 3] = 255;
		CU_ASSERT(parse_with(more, 9 + n + 4));
		CU_ASSERT_EQUAL(reply.lease.nb_routes, 1);
		CU_ASSERT_EQUAL(ip(&r->gateway), 0x09090909);
	}
	CU_ASSERT(
	    WITH("\x3\4\x9\x9\x9\x9\x79\xb\x8\x0a\1\1\1\1\x8\x0b\1\1\1")); /* the second is cut */
	CU_ASSERT_EQUAL(reply.lease.nb_routes, 1);
	CU_ASSERT_EQUAL(ip(&reply.lease.route[0].gateway), 0x09090909);
	CU_ASSERT(WITH("\x79\x0c\x8\x0a\1\1\1\1\x8\x0b\1\1\1\2"));
	CU_ASSERT_EQUAL(reply.lease.nb_routes, 2);
	CU_ASSERT_EQUAL(ip(&reply.lease.route[1].dest.addr), 0x0b000000);
	CU_ASSERT_EQUAL(ip(&reply.lease.route[1].gateway), 0x01010102);
}

/* A domain that fits, one that does not; a list with a name that is none is none. */
static void test_names(void)
{
	uint8_t more[600];

	memset(more, 'x', sizeof(more));
	memcpy(more, "\xf\xff", 2);
	for (unsigned at = 2 + 63; at < 257; at += 64)
		more[at] = '.';
	CU_ASSERT(parse_with(more, 257));
	CU_ASSERT_EQUAL(strlen(reply.lease.domain), 255);
	memcpy(more + 257, "\xf\1y", 3);
	CU_ASSERT(parse_with(more, 260));
	CU_ASSERT_EQUAL(reply.lease.domain[0], '\0');
	CU_ASSERT(WITH("\xf\6lan.a\0"));
	CU_ASSERT_STRING_EQUAL(reply.lease.domain, "lan.a");
	CU_ASSERT(WITH("\xf\x9lan a.org"));
	CU_ASSERT_STRING_EQUAL(reply.lease.domain, "lan a.org");
	CU_ASSERT(WITH("\xf\6a\033[2Jb"));
	CU_ASSERT_STRING_EQUAL(reply.lease.domain, "");
	CU_ASSERT(WITH("\xf\5a\0b.c"));
	CU_ASSERT_STRING_EQUAL(reply.lease.domain, "");
	CU_ASSERT(WITH("\xf\2\0\0"));
	CU_ASSERT_STRING_EQUAL(reply.lease.domain, "");
	CU_ASSERT(WITH("\x77\5\3org\0\x77\6\2qa\xc0\0\1"));
	CU_ASSERT_STRING_EQUAL(reply.lease.search, "");
	CU_ASSERT(WITH("\x77\5\3org\0\x77\5\2qa\xc0\0"));
	CU_ASSERT_STRING_EQUAL(reply.lease.search, "org qa.org");
	CU_ASSERT(WITH("\x77\x0a\1x\0\0\3org\0\0")); /* the root is no domain */
	CU_ASSERT_STRING_EQUAL(reply.lease.search, "x org");
	memset(more, 'x', sizeof(more));
	memcpy(more, "\x77\xff", 2);
	for (unsigned at = 2; at < 194; at += 64)
		more[at] = 63;
	more[194] = 61; /* the longest */
	more[256] = 0;
	CU_ASSERT(parse_with(more, 257));
	CU_ASSERT_EQUAL(strlen(reply.lease.search), 253);
}

/* Domains that would not fit are left out, and shorter ones behind them are not. */
static void test_long_search(void)
{
	uint8_t more[400];
	size_t used = 0;

	for (unsigned i = 0; i < 7; i++) {
		uint8_t name[50];
		const uint8_t label = i == 5 ? 35 : 40; /* 5 * 40 + 4, then 1 + 35: 240 */

		memset(name, 'a', sizeof(name));
		name[0] = label;
		name[label + 1] = 0;
		more[used] = 119;
		more[used + 1] = (uint8_t)(label + 2);
		memcpy(more + used + 2, name, label + 2u);
		used += 4u + label;
	}
	more[used++] = 119;
	more[used++] = 16;
	memcpy(more + used,
	       "\xe"
	       "bbbbbbbbbbbbbb",
	       15); /* 255 with the space before it */
	more[used + 15] = 0;
	used += 16;
	CU_ASSERT(parse_with(more, used));
	CU_ASSERT_EQUAL(strlen(reply.lease.search), 255);
	CU_ASSERT_STRING_EQUAL(reply.lease.search + 240, " bbbbbbbbbbbbbb");
	more[used - 17] = 17; /* one character more */
	more[used - 16] = 15;
	more[used - 1] = 'b';
	more[used++] = 0;
	CU_ASSERT(parse_with(more, used));
	CU_ASSERT_EQUAL(strlen(reply.lease.search), 240);
}

/* RFC 2132 section 9.3, RFC 3396 section 5: the options' field, then that of the file, then that of the name. */
static void test_overload(void)
{
	static const char *const want[] = {"", "file", "name", "filename"};

	for (uint8_t how = 0; how <= 4; how++) {
		const size_t len = build((uint8_t[]){52, 1, how, 255}, 4);

		memcpy(msg + FILE_AT, "\0\xf\4file\xff\xf\3bad", 13);
		memcpy(msg + NAME_AT, "\xf\4name\xff", 7);
		CU_ASSERT(parse(len));
		CU_ASSERT_STRING_EQUAL(reply.lease.domain, want[how % 4]);
	}
	for (uint8_t at = 0; at < 2; at++) { /* to their last bytes, and not beyond */
		const size_t len = build((uint8_t[]){52, 1, 3, 255}, 4);
		uint8_t *area = msg + (at == 0 ? FILE_AT : NAME_AT);
		const unsigned size = at == 0 ? 128 : 64;

		memcpy(area + size - 3, "\xf\1x", 3);
		CU_ASSERT(parse(len));
		CU_ASSERT_STRING_EQUAL(reply.lease.domain, "x");
		area[size - 2] = 2;
		CU_ASSERT_FALSE(parse(len));
		area[size - 3] = 0;
		area[size - 2] = 0;
		area[size - 1] = 15;
		CU_ASSERT_FALSE(parse(len));
	}
	CU_ASSERT(WITH("\x34\2\1\1\xff")); /* two bytes: none of what is known */
	memcpy(msg + FILE_AT, "\xf\4file\xff", 7);
	CU_ASSERT(parse(HDR + 3 + 5));
	CU_ASSERT_STRING_EQUAL(reply.lease.domain, "");
}

/* ---- writing --------------------------------------------------------------------------------- */

static const struct dhcp_query full = {.type = DHCP_REQUEST,
                                       .xid = 0x12345678,
                                       .secs = 0x0102,
                                       .broadcast = true,
                                       .mac = {2, 0, 0, 0, 0xab, 1},
                                       .hostname = "host"};

static void test_write(void)
{
	static const char options[] = "\x63\x82\x53\x63"
	                              "\x35\1\3"
	                              "\x3d\7\1\2\0\0\0\xab\1"
	                              "\x32\4\xc0\0\2\x64"
	                              "\x36\4\xc0\0\2\x43"
	                              "\x39\2\5\xc0"
	                              "\x37\xb\1\x79\3\6\xf\x77\x1a\x33\x3a\x3b\x36"
	                              "\xc\4host\xff";
	struct dhcp_query q = full;
	uint8_t want[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 1, 2, 0x80};

	memcpy(want + 28, q.mac, 6);
	memcpy(want + 236, options, sizeof(options) - 1);
	q.request_be = htonl(0xc0000264);
	q.server_be = htonl(0xc0000243);
	memset(msg, 0xee, sizeof(msg));
	CU_ASSERT_EQUAL(dhcp_write(msg, &q), 300); /* RFC 1542 section 2.1 */
	CU_ASSERT_EQUAL(memcmp(msg, want, sizeof(want)), 0);
}

/* RFC 2131 table 5: what gives an address back asks for nothing, and names nobody. */
static void test_write_short(void)
{
	static const uint8_t types[] = {DHCP_DECLINE, DHCP_RELEASE};

	for (unsigned i = 0; i < sizeof(types); i++) {
		struct dhcp_query q = full;
		uint8_t want[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 1, 2, 0, 0, 10, 0, 0, 9};

		q.type = types[i];
		q.broadcast = false;
		q.ciaddr_be = htonl(0x0a000009);
		q.server_be = htonl(0xc0000243);
		memcpy(want + 28, q.mac, 6);
		memcpy(want + 236,
		       "\x63\x82\x53\x63\x35\1\0\x3d\7\1\2\0\0\0\xab\1\x36\4\xc0\0\2\x43\xff", 23);
		want[242] = types[i];
		CU_ASSERT_EQUAL(dhcp_write(msg, &q), 300);
		CU_ASSERT_EQUAL(memcmp(msg, want, sizeof(want)), 0);
	}
}

/* The longest name of a host is sent, a longer one is cut, and none takes no option. */
static void test_hostname(void)
{
	static const struct {
		size_t len, sent;
	} rows[] = {{0, 0}, {0, 0}, {1, 1}, {63, 63}, {64, 63}};
	char name[65];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dhcp_query q = full;
		size_t len;

		memset(name, 'n', sizeof(name));
		name[rows[i].len] = '\0';
		q.type = DHCP_DISCOVER;
		q.hostname = rows[i].len > 0 ? name : i == 0 ? NULL : "";
		len = dhcp_write(msg, &q);
		CU_ASSERT_EQUAL(len, rows[i].sent == 63 ? 269 + 2 + 63 + 1 : 300);
		CU_ASSERT_EQUAL(msg[269], rows[i].sent > 0 ? 12 : 255);
		if (rows[i].sent > 0) {
			CU_ASSERT_EQUAL(msg[270], rows[i].sent);
			CU_ASSERT_EQUAL(msg[271 + rows[i].sent], 255);
		}
	}
}

static const struct unit_case cases[] = {
    {"RFC 2131 2: the header of a reply", test_header},
    {"RFC 2132 2: options end within the message", test_bounds},
    {"RFC 2132 3.3, 5.1, 9.2, 9.11: numbers, and those that are cut", test_numbers},
    {"RFC 2132 3.5, 3.8: lists that are long or cut", test_lists},
    {"RFC 3396: an option that is longer than there is room for", test_long_option},
    {"RFC 3442: classless routes of each length", test_classless},
    {"RFC 2132 3.17, RFC 3397: domains", test_names},
    {"RFC 3397: more domains than there is room for", test_long_search},
    {"RFC 2132 9.3, RFC 3396 5: options in three fields", test_overload},
    {"RFC 2131 2, 4.3.6: a request, byte by byte", test_write},
    {"RFC 2131 4.4.1, table 5: decline and release", test_write_short},
    {"RFC 2132 3.14: the name of the host", test_hostname},
};

UNIT_MAIN("dhcp/message", cases)
