/* SPDX-License-Identifier: BSD-2-Clause */

/* What counts as one source. */

#include "tcp/sources.h"

#include <CUnit/Basic.h>

#include "../unit.h"
#include "fixture.h"

static struct sources s;

static struct pc_addr addr_of(const char *text)
{
	struct pc_addr a = {0};

	CU_ASSERT_EQUAL(pc_addr_parse(text, &a), 0);
	return a;
}

static uint32_t count_of(const char *text)
{
	const struct pc_addr a = addr_of(text);

	return sources_count(&s, &a);
}

static void add_one(const char *text)
{
	const struct pc_addr a = addr_of(text);

	sources_add(&s, &a);
}

static void begin(void)
{
	const struct pc_sip_key key = {{1, 2}};

	CU_ASSERT_EQUAL_FATAL(sources_init(&s, 1024, true, 2, key, -1), 0);
}

static void test_sources(void)
{
	const struct pc_addr a = addr_of("192.0.2.1");

	begin();
	add_one("192.0.2.1");
	CU_ASSERT(!sources_is_full(&s, &a));
	add_one("192.0.2.1");
	CU_ASSERT(sources_is_full(&s, &a));
	add_one("2001:db8::1");
	CU_ASSERT_EQUAL(count_of("192.0.2.1"), 2);
	CU_ASSERT_EQUAL(count_of("192.0.2.2"), 0);
	CU_ASSERT_EQUAL(count_of("2001:db8::2"), 1);
	CU_ASSERT_EQUAL(count_of("2001:db8:0:1::1"), 0);
	sources_del(&s, &a);
	CU_ASSERT_EQUAL(count_of("192.0.2.1"), 1);
	sources_fini(&s);
}

/* all neighbours share one /64 (RFC 4291 2.5.6) */
static void test_link_local(void)
{
	begin();
	add_one("fe80::1");
	add_one("fe80::2001:db8:0:1");
	CU_ASSERT_EQUAL(count_of("fe80::1"), 1);
	CU_ASSERT_EQUAL(count_of("fe80::2"), 0);
	CU_ASSERT_EQUAL(count_of("2001:db8:0:1::1"), 0);
	sources_fini(&s);
}

static const struct unit_case cases[] = {
    {"what a source is", test_sources},
    {"neighbours by their link-local addresses", test_link_local},
};

TCP_UNIT_MAIN("sources")
