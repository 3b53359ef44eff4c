/* SPDX-License-Identifier: BSD-2-Clause */

/* Addresses: text, prefixes, sockaddrs, and the questions asked of them. */

#include <percore/addr.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "../unit.h"

static struct pc_addr addr(const char *text)
{
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &a), 0);
	return a;
}

static struct pc_prefix prefix(const char *text)
{
	struct pc_prefix p;

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(text, &p), 0);
	return p;
}

static void test_parse_and_format(void)
{
	static const char *const texts[] = {
	    "0.0.0.0",
	    "192.0.2.1",
	    "255.255.255.255",
	    "::",
	    "::1",
	    "2001:db8::1",
	    "fe80::200:f8ff:fe21:67cf",
	    "ff02::1",
	    "1:2:3:4:5:6:7:8",
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe",
	};
	char buf[PC_ADDR_STRLEN];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct pc_addr a = addr(texts[i]);

		CU_ASSERT_STRING_EQUAL(pc_addr_format(&a, buf), texts[i]);
	}
}

static void test_mapped_form(void)
{
	const struct pc_addr a = addr("192.0.2.1"), b = addr("::ffff:192.0.2.1");
	const uint8_t bytes[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};

	CU_ASSERT(pc_addr_equal(&a, &b));
	CU_ASSERT_EQUAL(memcmp(a.b, bytes, 16), 0);
	CU_ASSERT(pc_addr_is_ip4(&a));
	CU_ASSERT_EQUAL(pc_addr_get_ip4(&a), htonl(0xc0000201));
}

static void test_parse_refuses(void)
{
	static const char *const texts[] = {
	    "",         "1.2.3",     "1.2.3.4.5",    "256.1.1.1",  "1.2.3.4 ",
	    " 1.2.3.4", "1.2.3.04x", "localhost",    ":",          ":::",
	    "1::2::3",  "12345::",   "fe80::1%eth0", "1.2.3.4/24", "::ffff:1.2.3",
	    "0x7f.1",
	};
	struct pc_addr a, before;

	memset(&a, 0xa5, sizeof(a));
	before = a;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(pc_addr_parse(texts[i], &a), -EINVAL);
	CU_ASSERT(pc_addr_equal(&a, &before));
}

static void test_questions(void)
{
	static const struct {
		const char *text;
		bool any, multicast, broadcast, loopback;
	} cases[] = {
	    {"0.0.0.0", true, false, false, false},
	    {"::", true, false, false, false},
	    {"0.0.0.1", false, false, false, false},
	    {"::2", false, false, false, false},
	    {"::1", false, false, false, true},
	    {"127.0.0.1", false, false, false, true},
	    {"127.255.255.254", false, false, false, true},
	    {"128.0.0.1", false, false, false, false},
	    {"223.255.255.255", false, false, false, false},
	    {"224.0.0.0", false, true, false, false},
	    {"239.255.255.255", false, true, false, false},
	    {"240.0.0.0", false, false, false, false},
	    {"255.255.255.255", false, false, true, false},
	    {"ff02::1", false, true, false, false},
	    {"fe80::1", false, false, false, false},
	    /* not mapped: nothing of IPv4 is meant */
	    {"::127.0.0.1", false, false, false, false},
	    {"::1:ffff:127.0.0.1", false, false, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pc_addr a = addr(cases[i].text);

		CU_ASSERT_EQUAL(pc_addr_is_any(&a), cases[i].any);
		CU_ASSERT_EQUAL(pc_addr_is_multicast(&a), cases[i].multicast);
		CU_ASSERT_EQUAL(pc_addr_is_broadcast(&a), cases[i].broadcast);
		CU_ASSERT_EQUAL(pc_addr_is_loopback(&a), cases[i].loopback);
	}
}

static void test_prefix_parse(void)
{
	static const struct {
		const char *text;
		int len; /* -1: refused */
		const char *formatted;
	} cases[] = {
	    {"192.0.2.1/24", 120, "192.0.2.1/24"},
	    {"192.0.2.1", 128, "192.0.2.1/32"},
	    {"0.0.0.0/0", 96, "0.0.0.0/0"},
	    {"10.0.0.1/32", 128, "10.0.0.1/32"},
	    {"2001:db8::1/64", 64, "2001:db8::1/64"},
	    {"2001:db8::1", 128, "2001:db8::1/128"},
	    {"::/0", 0, "::/0"},
	    {"::ffff:192.0.2.1/120", 120, "192.0.2.1/24"},
	    {"::ffff:0.0.0.0/90", 90, "::ffff:0.0.0.0/90"},
	    {"192.0.2.1/33", -1, NULL},
	    {"192.0.2.1/", -1, NULL},
	    {"192.0.2.1/-1", -1, NULL},
	    {"192.0.2.1/+1", -1, NULL},
	    {"192.0.2.1/ 8", -1, NULL},
	    {"192.0.2.1/8 ", -1, NULL},
	    {"192.0.2.1/0x8", -1, NULL},
	    {"192.0.2.1/8/8", -1, NULL},
	    {"192.0.2.1/4294967304", -1, NULL},
	    {"::1/129", -1, NULL},
	    {"::1/1000", -1, NULL},
	    {"/24", -1, NULL},
	    {"", -1, NULL},
	    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/64", -1, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pc_prefix p = {.len = 77};
		char buf[PC_PREFIX_STRLEN];

		if (cases[i].len < 0) {
			CU_ASSERT_EQUAL(pc_prefix_parse(cases[i].text, &p), -EINVAL);
			CU_ASSERT_EQUAL(p.len, 77);
			continue;
		}
		CU_ASSERT_EQUAL(pc_prefix_parse(cases[i].text, &p), 0);
		CU_ASSERT_EQUAL(p.len, cases[i].len);
		CU_ASSERT_STRING_EQUAL(pc_prefix_format(&p, buf), cases[i].formatted);
	}
}

static void test_prefix_contains(void)
{
	static const struct {
		const char *prefix, *addr;
		bool inside;
	} cases[] = {
	    {"192.0.2.1/24", "192.0.2.255", true},
	    {"192.0.2.1/24", "192.0.3.1", false},
	    {"192.0.2.1/32", "192.0.2.1", true},
	    {"192.0.2.1/32", "192.0.2.0", false},
	    {"10.1.2.3/9", "10.127.0.0", true},
	    {"10.1.2.3/9", "10.128.0.0", false},
	    {"10.0.0.0/31", "10.0.0.1", true},
	    {"10.0.0.0/31", "10.0.0.2", false},
	    {"0.0.0.0/0", "255.255.255.255", true},
	    {"0.0.0.0/0", "::1", false},
	    {"::/0", "192.0.2.1", true}, /* in mapped form everything is in ::/0 */
	    {"2001:db8::/33", "2001:db8:7fff::1", true},
	    {"2001:db8::/33", "2001:db8:8000::1", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pc_prefix p = prefix(cases[i].prefix);
		const struct pc_addr a = addr(cases[i].addr);

		CU_ASSERT_EQUAL(pc_prefix_contains(&p, &a), cases[i].inside);
	}
}

/* Every length against a comparison bit by bit. */
static void test_prefix_contains_bits(void)
{
	const struct pc_addr a = addr("a5a5:5a5a:1234:5678:9abc:def0:1357:2468");

	for (unsigned len = 0; len <= 128; len++) {
		for (unsigned bit = 0; bit < 128; bit++) {
			const struct pc_prefix p = {.addr = a, .len = (uint8_t)len};
			struct pc_addr b = a;

			b.b[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
			CU_ASSERT_EQUAL(pc_prefix_contains(&p, &b), bit >= len);
		}
	}
}

static void test_endpoint_format(void)
{
	char buf[PC_ENDPOINT_STRLEN];
	const struct pc_endpoint v4 = {addr("1.2.3.4"), 80}, v6 = {addr("2001:db8::1"), 65535};
	const struct pc_endpoint longest = {addr("1111:2222:3333:4444:5555:6666:7777:8888"), 65535};

	CU_ASSERT_STRING_EQUAL(pc_endpoint_format(&v4, buf), "1.2.3.4:80");
	CU_ASSERT_STRING_EQUAL(pc_endpoint_format(&v6, buf), "[2001:db8::1]:65535");
	CU_ASSERT_STRING_EQUAL(pc_endpoint_format(&longest, buf),
	                       "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static void test_from_sockaddr(void)
{
	const struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x01020304)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	const struct sockaddr un = {.sa_family = AF_UNIX};
	const struct pc_addr v6 = addr("2001:db8::1");
	struct pc_endpoint e;
	char buf[PC_ENDPOINT_STRLEN];

	memcpy(&in6.sin6_addr, v6.b, 16);
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, (const void *)&in, sizeof(in)), 0);
	CU_ASSERT_STRING_EQUAL(pc_endpoint_format(&e, buf), "1.2.3.4:80");
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, (const void *)&in6, sizeof(in6)), 0);
	CU_ASSERT_STRING_EQUAL(pc_endpoint_format(&e, buf), "[2001:db8::1]:443");
	/* a larger buffer than needed is what struct sockaddr_storage gives */
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, (const void *)&in, 128), 0);
	for (socklen_t len = 0; len < sizeof(in); len++)
		CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, (const void *)&in, len), -EINVAL);
	for (socklen_t len = 0; len < 24; len++)
		CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, (const void *)&in6, len), -EINVAL);
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, (const void *)&in6, 24), 0);
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, &un, sizeof(un)), -EAFNOSUPPORT);
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&e, NULL, 16), -EINVAL);
}

static void test_to_sockaddr(void)
{
	const struct pc_endpoint v4 = {addr("1.2.3.4"), 80}, v6 = {addr("2001:db8::1"), 443};
	struct sockaddr_storage ss;
	struct pc_endpoint back;
	socklen_t len = sizeof(ss);

	pc_endpoint_to_sockaddr(&v4, AF_INET, (void *)&ss, &len);
	CU_ASSERT_EQUAL(len, sizeof(struct sockaddr_in));
	CU_ASSERT_EQUAL(ss.ss_family, AF_INET);
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&back, (void *)&ss, len), 0);
	CU_ASSERT(pc_addr_equal(&back.addr, &v4.addr) && back.port == 80);

	len = sizeof(ss);
	pc_endpoint_to_sockaddr(&v4, AF_INET6, (void *)&ss, &len);
	CU_ASSERT_EQUAL(len, sizeof(struct sockaddr_in6));
	CU_ASSERT_EQUAL(ss.ss_family, AF_INET6);
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&back, (void *)&ss, len), 0);
	CU_ASSERT(pc_addr_equal(&back.addr, &v4.addr));

	len = sizeof(ss);
	pc_endpoint_to_sockaddr(&v6, AF_INET, (void *)&ss, &len);
	CU_ASSERT_EQUAL(len, sizeof(struct sockaddr_in6));
	CU_ASSERT_EQUAL(pc_endpoint_from_sockaddr(&back, (void *)&ss, len), 0);
	CU_ASSERT(pc_addr_equal(&back.addr, &v6.addr) && back.port == 443);
}

/* As getsockname(2): cut to the caller's room, and *len says how much there was. */
static void test_to_sockaddr_short(void)
{
	const struct pc_endpoint v4 = {addr("1.2.3.4"), 80};
	uint8_t buf[32];
	socklen_t len;

	for (socklen_t room = 0; room <= 20; room++) {
		memset(buf, 0xa5, sizeof(buf));
		len = room;
		pc_endpoint_to_sockaddr(&v4, AF_INET, (void *)buf, &len);
		CU_ASSERT_EQUAL(len, 16);
		for (socklen_t i = room < 16 ? room : 16; i < sizeof(buf); i++)
			CU_ASSERT_EQUAL(buf[i], 0xa5);
	}
	len = 5;
	pc_endpoint_to_sockaddr(&v4, AF_INET, NULL, &len);
	CU_ASSERT_EQUAL(len, 5);
	pc_endpoint_to_sockaddr(&v4, AF_INET, NULL, NULL);
}

static const struct unit_case cases[] = {
    {"parse and format", test_parse_and_format},
    {"IPv4 in mapped form", test_mapped_form},
    {"parse refuses", test_parse_refuses},
    {"questions", test_questions},
    {"prefix parse and format", test_prefix_parse},
    {"prefix contains", test_prefix_contains},
    {"prefix contains, every bit", test_prefix_contains_bits},
    {"endpoint format", test_endpoint_format},
    {"from sockaddr", test_from_sockaddr},
    {"to sockaddr", test_to_sockaddr},
    {"to sockaddr, too little room", test_to_sockaddr_short},
};

UNIT_MAIN("base/addr", cases)
