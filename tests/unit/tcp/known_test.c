/* SPDX-License-Identifier: BSD-2-Clause */

/* Sources that have completed a handshake. */

#include "tcp/known.h"

#include <netinet/in.h>

#include <CUnit/Basic.h>

#include "../unit.h"
#include "fixture.h"

#define UNIT   (UINT64_C(1) << KNOWN_SHIFT)
#define MANY   (20 * KNOWN_PLACES)
#define CALLED 1000000

static struct known k;

static struct pc_addr addr(uint32_t i)
{
	return pc_addr_ip4(htonl(0x0a000000 + i));
}

/* counts those of n that are known, from one on */
static uint32_t how_many(uint32_t first, uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = first; i < first + n; i++) {
		const struct pc_addr a = addr(i);

		found += known_has(&k, &a);
	}
	return found;
}

static void note(uint32_t first, uint32_t n, uint64_t now_ns, bool busy)
{
	for (uint32_t i = first; i < first + n; i++) {
		const struct pc_addr a = addr(i);

		known_note(&k, &a, now_ns, busy);
	}
}

static void begin(void)
{
	k = (struct known){.key = {{UINT64_C(0x1234567890abcdef), UINT64_C(0xfedcba0987654321)}}};
}

static void test_remember(void)
{
	begin();
	CU_ASSERT_EQUAL(how_many(0, 100), 0);
	note(0, 100, 0, false);
	CU_ASSERT(how_many(0, 100) >= 99); /* two may share a place */
	CU_ASSERT(how_many(100, CALLED) <= 1);
}

/* whoever comes last is remembered, but while frames come too fast who was there first is */
static void test_busy(void)
{
	begin();
	note(0, 100, 0, false);
	note(1000, MANY, 10 * UNIT, true);
	CU_ASSERT(how_many(0, 100) >= 99);
	CU_ASSERT(how_many(1000, MANY) > KNOWN_PLACES / 2); /* places that were free are taken */
	note(0, 100, 20 * UNIT, true);                      /* who is known stays so */
	note(1000, MANY, (20 + KNOWN_UNITS) * UNIT, true);
	CU_ASSERT(how_many(0, 100) >= 99);
	note(1000 + MANY, MANY, (21 + KNOWN_UNITS) * UNIT, true);
	CU_ASSERT_EQUAL(how_many(0, 100), 0);
	note(0, 100, (21 + KNOWN_UNITS) * UNIT, false);
	CU_ASSERT(how_many(0, 100) >= 99);
}

/* time is kept in eight bits */
static void test_wrap(void)
{
	begin();
	note(0, 100, 250 * UNIT, false);
	note(1000, MANY, 260 * UNIT, true);
	CU_ASSERT(how_many(0, 100) >= 99);
	note(1000, MANY, (251 + KNOWN_UNITS) * UNIT, true);
	CU_ASSERT_EQUAL(how_many(0, 100), 0);
}

/* of IPv6 a host is given a /64 */
static void test_ip6(void)
{
	struct pc_addr a, b;

	begin();
	CU_ASSERT_EQUAL(pc_addr_parse("2001:db8::1", &a), 0);
	CU_ASSERT_EQUAL(pc_addr_parse("2001:db8::2", &b), 0);
	known_note(&k, &a, 0, false);
	CU_ASSERT(known_has(&k, &b));
	CU_ASSERT_EQUAL(pc_addr_parse("2001:db8:0:1::1", &b), 0);
	CU_ASSERT_FALSE(known_has(&k, &b));
}

/* ... except that all neighbours share the one of link-local addresses (RFC 4291 2.5.6) */
static void test_link_local(void)
{
	struct pc_addr a, b;

	begin();
	CU_ASSERT_EQUAL(pc_addr_parse("fe80::1", &a), 0);
	CU_ASSERT_EQUAL(pc_addr_parse("fe80::2", &b), 0);
	known_note(&k, &a, 0, false);
	CU_ASSERT(known_has(&k, &a));
	CU_ASSERT_FALSE(known_has(&k, &b));
}

static const struct unit_case cases[] = {
    {"remember", test_remember},
    {"nobody is forgotten for who comes while frames come too fast", test_busy},
    {"time wraps", test_wrap},
    {"a /64 is one source", test_ip6},
    {"neighbours by their link-local addresses are not", test_link_local},
};

TCP_UNIT_MAIN("known")
