/* SPDX-License-Identifier: BSD-2-Clause */

/* What is remembered about destinations. */

#include "tcp/dest.h"

#include <netinet/in.h>

#include <CUnit/Basic.h>

#include "../unit.h"
#include "fixture.h"

static struct dests d;

static void begin(uint32_t n)
{
	CU_ASSERT_EQUAL_FATAL(dests_init(&d, n, (struct pc_sip_key){{1, 2}}, -1), 0);
}

static struct pc_addr addr(uint32_t i)
{
	return pc_addr_ip4(htonl(0x0a000000 + i));
}

static void test_remember(void)
{
	struct pc_addr a = addr(1), b = addr(2);

	begin(64);
	CU_ASSERT_PTR_NULL(dest_find(&d, &a, 0));
	dest_make(&d, &a, 10)->mss = 1234;
	CU_ASSERT_PTR_NULL(dest_find(&d, &b, 10));
	CU_ASSERT_EQUAL(dest_find(&d, &a, 20)->mss, 1234);
	CU_ASSERT_PTR_EQUAL(dest_make(&d, &a, 30), dest_find(&d, &a, 30));
	CU_ASSERT_EQUAL(dest_find(&d, &a, 30)->used_s, 30);
	dests_fini(&d);
}

/* four destinations share a set of a table with one; the one asked for longest ago gives way */
static void test_evict(void)
{
	struct pc_addr first = addr(0);

	begin(4);
	for (uint32_t i = 0; i < 4; i++) {
		struct pc_addr a = addr(i);

		dest_make(&d, &a, i);
	}
	CU_ASSERT_PTR_NOT_NULL(dest_find(&d, &first, 10));
	for (uint32_t i = 4; i < 7; i++) {
		struct pc_addr a = addr(i);

		CU_ASSERT_EQUAL(dest_make(&d, &a, 10 + i)->mss, 0);
	}
	for (uint32_t i = 0; i < 7; i++) {
		struct pc_addr a = addr(i);

		CU_ASSERT_EQUAL(dest_find(&d, &a, 20) != NULL, i == 0 || i > 3);
	}
	dests_fini(&d);
}

/* RFC 1191 section 6.3: not longer than ten minutes */
static void test_path_mtu(void)
{
	struct pc_addr a = addr(1), b = addr(2);
	struct dest *e;

	begin(16);
	e = dest_make(&d, &a, 1000);
	e->path_mtu = 1400;
	e->mtu_s = 1000;
	CU_ASSERT_EQUAL(dest_path_mtu(&d, &a, 1000 + DEST_MTU_S - 1), 1400);
	CU_ASSERT_EQUAL(dest_path_mtu(&d, &b, 1000), 0);
	CU_ASSERT_EQUAL(dest_path_mtu(&d, &a, 1000 + DEST_MTU_S), 0);
	dests_fini(&d);
}

static void test_footprint(void)
{
	CU_ASSERT_EQUAL(dests_footprint(16), 16 * sizeof(struct dest));
	CU_ASSERT_EQUAL(dests_footprint(17), 32 * sizeof(struct dest));
}

static const struct unit_case cases[] = {
    {"remember", test_remember},
    {"the least recently used gives way", test_evict},
    {"a path MTU lasts ten minutes", test_path_mtu},
    {"footprint", test_footprint},
};

TCP_UNIT_MAIN("dest")
