/* SPDX-License-Identifier: BSD-2-Clause */
#include "dhcp/message6.h"

#include <string.h>

#include "../unit.h"
#include "../wire/exact.h"

#define ME     "\0\3\0\1\2\0\0\0\xab\1" /* a DUID-LL */
#define IAID   "\x0a\x0b\x0c\x0d"
#define NET    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
#define LIVES  "\0\0\1\2\0\0\3\4" /* preferred, valid */
#define ONE    "\0\5\0\x18" NET "\1" LIVES
#define STATUS "\0\x0d\0\2\0\2" /* NoAddrsAvail */

static const struct dhcp6_self self = {.mac = {2, 0, 0, 0, 0xab, 1}, .iaid = 0x0a0b0c0d};
static struct dhcp6_reply reply;

/* from bytes of exactly that length, so that a sanitizer sees each one too many that is read */
static bool parse(const void *msg, size_t len)
{
	uint8_t *p = exact_copy(msg, len);
	const bool good = dhcp6_parse(p, len, &self, &reply);

	free(p);
	return good;
}

#define PARSE(literal) parse("\7\x12\x34\x56" literal, 4 + sizeof(literal) - 1)

static bool is(const struct pc_addr *a, uint8_t last)
{
	return memcmp(a->b, NET, 15) == 0 && a->b[15] == last;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void test_header(void)
{
	for (size_t len = 0; len < 4; len++)
		CU_ASSERT_FALSE(parse("\7\x12\x34\x56", len));
	CU_ASSERT(PARSE(""));
	CU_ASSERT_EQUAL(reply.type, DHCP6_REPLY);
	CU_ASSERT_EQUAL(reply.xid, 0x123456);
	CU_ASSERT(!reply.has_server && !reply.is_ours && !reply.rapid && !reply.ia.has);
	CU_ASSERT_EQUAL(reply.status, DHCP6_SUCCESS);
	CU_ASSERT_EQUAL(reply.info.refresh_s, 86400); /* IRT_DEFAULT */
	CU_ASSERT_FALSE(PARSE("\0"));
	CU_ASSERT_FALSE(PARSE("\0\x63\0"));
	CU_ASSERT(PARSE("\0\x63\0\0"));
	CU_ASSERT_FALSE(PARSE("\0\x63\0\1"));
	CU_ASSERT(PARSE("\0\x63\0\1x"));
	CU_ASSERT_FALSE(PARSE("\0\x63\0\1xy"));
	CU_ASSERT_FALSE(PARSE("\0\x63\1\0x"));
	CU_ASSERT(PARSE("\1\7\0\2xy")); /* 263 is not 7 */
}

static void test_identifiers(void)
{
	static const uint8_t lens[] = {2, 3, 130, 131};
	uint8_t msg[4 + 4 + 131] = {7, 0, 0, 0, 0, 2};

	CU_ASSERT(PARSE("\0\1\0\x0a" ME));
	CU_ASSERT(reply.is_ours);
	CU_ASSERT(PARSE("\0\1\0\x0a\0\3\0\1\2\0\0\0\xab\2"));
	CU_ASSERT(!reply.is_ours);
	CU_ASSERT(PARSE("\0\1\0\x09\0\3\0\1\2\0\0\0\xab")); /* only the beginning of ours */
	CU_ASSERT(!reply.is_ours);
	CU_ASSERT(PARSE("\0\1\0\x0b" ME "x"));
	CU_ASSERT(!reply.is_ours);
	memset(msg + 8, 's', 131);
	for (unsigned i = 0; i < sizeof(lens); i++) {
		const bool good = i == 1 || i == 2;

		msg[7] = lens[i];
		CU_ASSERT_EQUAL(parse(msg, 8u + lens[i]), good);
		CU_ASSERT_EQUAL(reply.has_server, good);
		CU_ASSERT_EQUAL(reply.server.len, good ? lens[i] : 0);
		if (good)
			CU_ASSERT_EQUAL(memcmp(reply.server.b, msg + 8, lens[i]), 0);
	}
}

/* What of the members of a reply an option says. */
struct said {
	uint8_t preference, rapid, nb_dns;
	uint16_t status;
	uint32_t refresh_s, sol_max_rt_s, inf_max_rt_s;
};

/* Of each option the lengths that it can have, and the values that count. */
static void test_options(void)
{
#define ROW(literal, ok, ...)                     \
	{                                         \
		sizeof(literal) - 1, literal, ok, \
		{                                 \
			__VA_ARGS__               \
		}                                 \
	}
	static const struct {
		size_t len;
		const char *options;
		bool good;
		struct said said;
	} rows[] = {
	    ROW("\0\7\0\0", false),
	    ROW("\0\7\0\1\xff", true, .preference = 255),
	    ROW("\0\7\0\2\1\0", false),
	    ROW("\0\x0d\0\1\0", false),
	    ROW("\0\x0d\0\2\1\2", true, .status = 0x102),
	    ROW("\0\x0d\0\5\0\4far", true, .status = DHCP6_NOT_ON_LINK),
	    ROW("\0\x0e\0\0", true, .rapid = 1),
	    ROW("\0\x0e\0\1x", false),
	    ROW("\0\x17\0\0", true),
	    ROW("\0\x17\0\x0f" NET, false),
	    ROW("\0\x17\0\x10" NET "\1", true, .nb_dns = 1),
	    ROW("\0\x17\0\x11" NET "\1x", false),
	    ROW("\0\x17\0\x20" NET "\1" NET "\2\0\x17\0\x30" NET "\3" NET "\4" NET "\5", true,
	        .nb_dns = 4),
	    ROW("\0\x20\0\3\0\0\1", false),
	    ROW("\0\x20\0\4\0\0\2\x57", true, .refresh_s = 600),
	    ROW("\0\x20\0\4\0\0\2\x59", true, .refresh_s = 601),
	    ROW("\0\x20\0\4\xff\xff\xff\xff", true, .refresh_s = UINT32_MAX),
	    ROW("\0\x20\0\5\0\0\2\x58x", false),
	    ROW("\0\x52\0\3\0\0\1", false),
	    ROW("\0\x52\0\5\0\0\1\0x", false),
	    ROW("\0\x52\0\4\0\0\0\x3b", true),
	    ROW("\0\x52\0\4\0\0\0\x3c", true, .sol_max_rt_s = 60),
	    ROW("\0\x52\0\4\0\1\x51\x80", true, .sol_max_rt_s = 86400),
	    ROW("\0\x52\0\4\0\1\x51\x81", true),
	    ROW("\0\x53\0\4\0\0\0\x3c", true, .inf_max_rt_s = 60),
	    ROW("\0\x53\0\4\0\1\x51\x81", true),
	    ROW("\0\x53\0\3\0\0\1", false),
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct said *s = &rows[i].said;
		uint8_t msg[200] = {7};

		memcpy(msg + 4, rows[i].options, rows[i].len);
		CU_ASSERT_EQUAL(parse(msg, 4 + rows[i].len), rows[i].good);
		if (!rows[i].good)
			continue;
		CU_ASSERT_EQUAL(reply.preference, s->preference);
		CU_ASSERT_EQUAL(reply.rapid, s->rapid);
		CU_ASSERT_EQUAL(reply.status, s->status);
		CU_ASSERT_EQUAL(reply.info.refresh_s, s->refresh_s != 0 ? s->refresh_s : 86400);
		CU_ASSERT_EQUAL(reply.info.sol_max_rt_s, s->sol_max_rt_s);
		CU_ASSERT_EQUAL(reply.info.inf_max_rt_s, s->inf_max_rt_s);
		CU_ASSERT_EQUAL(reply.info.nb_dns, s->nb_dns);
		for (unsigned n = 0; n < s->nb_dns; n++)
			CU_ASSERT(is(&reply.info.dns[n], (uint8_t)(n + 1)));
	}
#undef ROW
}

/* IA_NA: an identifier, T1, T2, and options that end within it. */
#define IA(len, t1, t2, literal) "\0\3\0" len IAID "\0\0\0" t1 "\0\0\0" t2 literal

static void test_ia(void)
{
	CU_ASSERT_FALSE(PARSE("\0\3\0\x0b" IAID "\0\0\0\1\0\0\0"));
	CU_ASSERT(PARSE(IA("\x0c", "\1", "\2", "")));
	CU_ASSERT(reply.ia.has && reply.ia.nb_addrs == 0 && reply.ia.status == DHCP6_SUCCESS);
	CU_ASSERT(reply.ia.t1_s == 1 && reply.ia.t2_s == 2);
	CU_ASSERT(PARSE(IA("\x28", "\1", "\1", ONE)));
	CU_ASSERT(reply.ia.has && reply.ia.t1_s == 1 && reply.ia.t2_s == 1);
	CU_ASSERT_EQUAL_FATAL(reply.ia.nb_addrs, 1);
	CU_ASSERT(is(&reply.ia.addr[0].addr, 1));
	CU_ASSERT_EQUAL(reply.ia.addr[0].preferred_s, 0x102);
	CU_ASSERT_EQUAL(reply.ia.addr[0].valid_s, 0x304);
	CU_ASSERT_EQUAL(reply.refused, 0);
	CU_ASSERT(PARSE(IA("\x28", "\1", "\0", ONE))); /* T2 is left to us */
	CU_ASSERT(reply.ia.has && reply.ia.t1_s == 1 && reply.ia.t2_s == 0);
	CU_ASSERT(PARSE(IA("\x2e", "\0", "\0", ONE STATUS)));
	CU_ASSERT(reply.ia.has && reply.ia.nb_addrs == 1);
	CU_ASSERT_EQUAL(reply.ia.status, DHCP6_NO_ADDRS_AVAIL);
	CU_ASSERT_EQUAL(reply.status, DHCP6_SUCCESS);
	CU_ASSERT(
	    PARSE(IA("\x2d", "\0", "\0", "\0\x63\0\1x" ONE))); /* an option that nobody knows */
	CU_ASSERT_EQUAL(reply.ia.nb_addrs, 1);
	CU_ASSERT_FALSE(PARSE(IA("\x2b", "\0", "\0", ONE "\0\x63\0")));
	CU_ASSERT_FALSE(PARSE(IA("\x2c", "\0", "\0", ONE "\0\x63\0\1") "x"));
	CU_ASSERT_FALSE(PARSE(IA("\x11", "\0", "\0", "\0\x0d\0\1\0")));
	CU_ASSERT_FALSE(PARSE(IA("\x27", "\0", "\0", "\0\5\0\x17" NET "\1\0\0\1\2\0\0\3")));
}

/* Of several IAs the first that counts. */
static void test_several(void)
{
	CU_ASSERT(PARSE(IA("\x0c", "\1", "\2", "") IA("\x28", "\3", "\4", ONE)));
	CU_ASSERT(reply.ia.t1_s == 1 && reply.ia.nb_addrs == 0);
	CU_ASSERT(PARSE("\0\3\0\x0c\x0a\x0b\x0c\x0e\0\0\0\1\0\0\0\2" IA("\x28", "\3", "\4", ONE)));
	CU_ASSERT(reply.ia.has && reply.ia.t1_s == 3 && reply.ia.nb_addrs == 1);
	/* one with a T1 behind its T2 is as if it was not there (section 21.4) */
	CU_ASSERT(PARSE(IA("\x2e", "\2", "\1", ONE STATUS)));
	CU_ASSERT(!reply.ia.has && reply.ia.nb_addrs == 0 && reply.ia.status == DHCP6_SUCCESS);
	CU_ASSERT(PARSE(IA("\x2e", "\2", "\1", ONE STATUS) IA("\x28", "\3", "\4", ONE)));
	CU_ASSERT(reply.ia.has && reply.ia.nb_addrs == 1 && reply.ia.status == DHCP6_SUCCESS);
}

/* Addresses within an IA: those that do not count are counted. */
static void test_addresses(void)
{
	static const char bad[][17] = {
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
	    "\xff\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\1",   "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"};
	uint8_t msg[400] = {7};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(msg + 4, IA("\x28", "\0", "\0", ONE), 16 + 28);
		memcpy(msg + 4 + 16 + 4, bad[i], 16);
		CU_ASSERT(parse(msg, 4 + 16 + 28));
		CU_ASSERT(reply.ia.nb_addrs == 0 && reply.refused == 1);
	}
	/* preferred for longer than valid, and as long */
	CU_ASSERT(PARSE(IA("\x28", "\0", "\0", "\0\5\0\x18" NET "\1\0\0\0\2\0\0\0\1")));
	CU_ASSERT(reply.ia.nb_addrs == 0 && reply.refused == 1);
	CU_ASSERT(PARSE(IA("\x28", "\0", "\0", "\0\5\0\x18" NET "\1\0\0\0\2\0\0\0\2")));
	CU_ASSERT(reply.ia.nb_addrs == 1 && reply.refused == 0);
	/* a status: of a failure, of success, cut; and options that go beyond */
	CU_ASSERT(PARSE(IA("\x2e", "\0", "\0", "\0\5\0\x1e" NET "\1" LIVES STATUS)));
	CU_ASSERT(reply.ia.nb_addrs == 0 && reply.refused == 1 && reply.ia.status == 0);
	CU_ASSERT(PARSE(IA("\x2e", "\0", "\0", "\0\5\0\x1e" NET "\1" LIVES "\0\x0d\0\2\0\0")));
	CU_ASSERT(reply.ia.nb_addrs == 1 && reply.refused == 0);
	CU_ASSERT_FALSE(PARSE(IA("\x2d", "\0", "\0", "\0\5\0\x1d" NET "\1" LIVES "\0\x0d\0\1\0")));
	CU_ASSERT_FALSE(PARSE(IA("\x2b", "\0", "\0", "\0\5\0\x1b" NET "\1" LIVES "\0\x0d\0")));
	CU_ASSERT_FALSE(PARSE(IA("\x2d", "\0", "\0", "\0\5\0\x1d" NET "\1" LIVES "\0\x63\0\2x")));
	for (uint8_t n = 1; n <= 10; n++) { /* as many as there is room for */
		memcpy(msg + 4, IA("\x0c", "\0", "\0", ""), 16);
		msg[6] = (uint8_t)((12 + 28 * n) >> 8);
		msg[7] = (uint8_t)(12 + 28 * n);
		for (uint8_t i = 0; i < n; i++) {
			memcpy(msg + 20 + 28 * i, ONE, 28);
			msg[20 + 28 * i + 4 + 15] = (uint8_t)(i + 1);
		}
		CU_ASSERT(parse(msg, 20u + 28u * n));
		CU_ASSERT_EQUAL(reply.ia.nb_addrs, n < 8 ? n : 8);
		CU_ASSERT_EQUAL(reply.refused, n < 8 ? 0 : n - 8);
		CU_ASSERT(is(&reply.ia.addr[reply.ia.nb_addrs - 1].addr, reply.ia.nb_addrs));
	}
}

/* Other hosts' addresses alone are name servers (RFC 3646 section 3). */
static void test_servers(void)
{
	CU_ASSERT(PARSE("\0\x17\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" NET "\7"));
	CU_ASSERT_EQUAL_FATAL(reply.info.nb_dns, 1);
	CU_ASSERT(is(&reply.info.dns[0], 7));
	CU_ASSERT(PARSE("\0\x18\0\5\3org\0\0\x18\0\4\2qa\0"));
	CU_ASSERT_STRING_EQUAL(reply.info.search, "org qa");
	CU_ASSERT(PARSE("\0\x18\0\x09\3org\0\2qa\0"));
	CU_ASSERT_STRING_EQUAL(reply.info.search, "org qa");
	CU_ASSERT(PARSE("\0\x18\0\7\3org\0\2q")); /* no list, but a message */
	CU_ASSERT_STRING_EQUAL(reply.info.search, "");
	CU_ASSERT(PARSE("\0\x18\0\7\3org\0\xc0\0")); /* section 10: not compressed */
	CU_ASSERT_STRING_EQUAL(reply.info.search, "");
}

/* ---- writing --------------------------------------------------------------------------------- */

static const struct dhcp6_duid server = {.len = 3, .b = {0xaa, 0xbb, 0xcc}};

#define SERVER   "\0\2\0\3\xaa\xbb\xcc"
#define ELAPSED  "\0\x08\0\2\x0f\xa0"
#define WISHES   "\0\6\0\6\0\x17\0\x18\0\x52"
#define NO_ADDRS "\0\3\0\x0c" IAID "\0\0\0\0\0\0\0\0"
#define ASKED(n) "\0\5\0\x18" NET n "\0\0\0\0\0\0\0\0"
#define TWO      "\0\3\0\x44" IAID "\0\0\0\0\0\0\0\0" ASKED("\1") ASKED("\2")

/* Each kind of message, byte by byte (sections 8, 18.2.1 to 18.2.8, 21). */
static void test_write(void)
{
	struct pc_addr addr[2];
#define ROW(kind, literal, ...)                                                             \
	{                                                                                   \
		{.type = kind, .xid = 0xff123456, .elapsed = 0x0fa0, __VA_ARGS__}, literal, \
		    sizeof(literal) - 1                                                     \
	}
#define ABOUT_TWO .nb_addrs = 2, .addr = addr
	const struct {
		struct dhcp6_query q;
		const char *want;
		size_t len;
	} rows[] = {
	    ROW(DHCP6_SOLICIT, ELAPSED WISHES "\0\x0e\0\0" NO_ADDRS, .server = NULL),
	    ROW(DHCP6_REQUEST, SERVER ELAPSED WISHES TWO, .server = &server, ABOUT_TWO),
	    ROW(DHCP6_CONFIRM, ELAPSED TWO, ABOUT_TWO),
	    ROW(DHCP6_RENEW, SERVER ELAPSED WISHES TWO, .server = &server, ABOUT_TWO),
	    ROW(DHCP6_REBIND, ELAPSED WISHES TWO, ABOUT_TWO),
	    ROW(DHCP6_RELEASE, SERVER ELAPSED TWO, .server = &server, ABOUT_TWO),
	    ROW(DHCP6_DECLINE, SERVER ELAPSED TWO, .server = &server, ABOUT_TWO),
	    ROW(DHCP6_INFORMATION_REQUEST, ELAPSED "\0\6\0\x0a\0\x17\0\x18\0\x52\0\x20\0\x53",
	        .server = NULL),
	};
#undef ROW

	for (unsigned i = 0; i < 2; i++) {
		memcpy(addr[i].b, NET, 15);
		addr[i].b[15] = (uint8_t)(i + 1);
	}
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t got[DHCP6_QUERY_MAX], want[18] = {0, 0x12, 0x34, 0x56, 0, 1, 0, 10};
		const size_t len = dhcp6_write(got, &self, &rows[i].q);

		want[0] = rows[i].q.type;
		memcpy(want + 8, ME, 10);
		CU_ASSERT_EQUAL_FATAL(len, 18 + rows[i].len);
		CU_ASSERT_EQUAL(memcmp(got, want, 18), 0);
		CU_ASSERT_EQUAL(memcmp(got + 18, rows[i].want, rows[i].len), 0);
	}
}

/* The longest message, with the longest identifier, fits. */
static void test_longest(void)
{
	struct pc_addr addr[PC_DHCP6_ADDRS] = {0};
	const struct dhcp6_duid longest = {.len = DHCP6_DUID_MAX};
	const struct dhcp6_query q = {
	    .type = DHCP6_REQUEST, .server = &longest, .nb_addrs = PC_DHCP6_ADDRS, .addr = addr};
	uint8_t *got = exact_copy((uint8_t[DHCP6_QUERY_MAX]){0}, DHCP6_QUERY_MAX);

	CU_ASSERT_EQUAL(dhcp6_write(got, &self, &q),
	                18 + 4 + DHCP6_DUID_MAX + 6 + 10 + 16 + 28 * PC_DHCP6_ADDRS);
	free(got);
}

static const struct unit_case cases[] = {
    {"RFC 8415 8, 21.1: header and options, and those that are cut", test_header},
    {"RFC 8415 11.1, 21.2, 21.3: identifiers", test_identifiers},
    {"RFC 8415 21.8 to 21.25: lengths and values of options", test_options},
    {"RFC 8415 21.4: IA_NA", test_ia},
    {"RFC 8415 21.4: several IAs", test_several},
    {"RFC 8415 21.6: addresses", test_addresses},
    {"RFC 3646: name servers and domains", test_servers},
    {"RFC 8415 18.2: each message, byte by byte", test_write},
    {"RFC 8415 18.2: the longest message", test_longest},
};

UNIT_MAIN("dhcp/message6", cases)
