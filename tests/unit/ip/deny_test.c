/* SPDX-License-Identifier: BSD-2-Clause */
#include "ip/deny.h"

#include <errno.h>

#include "../unit.h"
#include "net.h"

static struct deny d;

static struct pc_prefix prefix(const char *text)
{
	struct pc_prefix p;

	if (pc_prefix_parse(text, &p) != 0)
		abort();
	return p;
}

static int add(const char *text)
{
	struct pc_prefix p = prefix(text);

	return deny_add(&d, &p);
}

static int del(const char *text)
{
	struct pc_prefix p = prefix(text);

	return deny_del(&d, &p);
}

static bool has(const char *text)
{
	struct pc_addr a;

	if (pc_addr_parse(text, &a) != 0)
		abort();
	return deny_has(&d, &a);
}

static void test_empty(void)
{
	CU_ASSERT_EQUAL(deny_init(&d, 8, -1), 0);
	CU_ASSERT(!has("10.0.0.1"));
	CU_ASSERT(!has("::"));
	CU_ASSERT_EQUAL(del("10.0.0.0/8"), -ENOENT);
	deny_fini(&d);
}

static void test_both_families(void)
{
	CU_ASSERT_EQUAL(deny_init(&d, 8, -1), 0);
	CU_ASSERT_EQUAL(add("10.1.0.0/16"), 0);
	CU_ASSERT_EQUAL(add("2001:db8:1::/48"), 0);
	CU_ASSERT_EQUAL(add("192.0.2.7/32"), 0);
	CU_ASSERT(has("10.1.0.0") && has("10.1.255.255"));
	CU_ASSERT(!has("10.0.255.255") && !has("10.2.0.0"));
	CU_ASSERT(has("192.0.2.7") && !has("192.0.2.6") && !has("192.0.2.8"));
	CU_ASSERT(has("2001:db8:1::") && has("2001:db8:1:ffff:ffff:ffff:ffff:ffff"));
	CU_ASSERT(!has("2001:db8:0:ffff:ffff:ffff:ffff:ffff") && !has("2001:db8:2::"));
	deny_fini(&d);
}

/* one inside another, in either order, and taken away again */
static void test_nested(void)
{
	CU_ASSERT_EQUAL(deny_init(&d, 8, -1), 0);
	CU_ASSERT_EQUAL(add("10.1.2.0/24"), 0);
	CU_ASSERT_EQUAL(add("10.0.0.0/8"), 0);
	CU_ASSERT_EQUAL(add("10.200.0.0/16"), 0);
	CU_ASSERT_EQUAL(d.nb_ranges, 1);
	CU_ASSERT(has("10.1.2.3") && has("10.200.1.1") && has("10.255.255.255"));
	CU_ASSERT_EQUAL(del("10.0.0.0/8"), 0);
	CU_ASSERT(has("10.1.2.3") && has("10.200.1.1") && !has("10.255.255.255"));
	CU_ASSERT_EQUAL(d.nb_ranges, 2);
	deny_fini(&d);
}

static void test_everybody(void)
{
	CU_ASSERT_EQUAL(deny_init(&d, 8, -1), 0);
	CU_ASSERT_EQUAL(add("0.0.0.0/0"), 0);
	CU_ASSERT(has("0.0.0.0") && has("255.255.255.255") && !has("::1"));
	CU_ASSERT_EQUAL(add("::/0"), 0);
	CU_ASSERT(has("::") && has("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	CU_ASSERT_EQUAL(d.nb_ranges, 1);
	deny_fini(&d);
}

static void test_limits(void)
{
	struct pc_prefix three[3] = {prefix("10.0.0.0/8"), prefix("11.0.0.0/8"),
	                             prefix("12.0.0.0/8")};

	CU_ASSERT_EQUAL(deny_init(&d, 2, -1), 0);
	CU_ASSERT_EQUAL(add("10.0.0.0/8"), 0);
	/* the same network, whatever stands in the open bits */
	CU_ASSERT_EQUAL(add("10.9.9.9/8"), -EEXIST);
	CU_ASSERT_EQUAL(add("11.0.0.0/8"), 0);
	CU_ASSERT_EQUAL(add("12.0.0.0/8"), -ENOSPC);
	CU_ASSERT_EQUAL(deny_set(&d, three, 3), -ENOSPC);
	CU_ASSERT(has("11.0.0.1") && !has("12.0.0.1"));
	CU_ASSERT_EQUAL(deny_set(&d, three + 1, 2), 0);
	CU_ASSERT(!has("10.0.0.1") && has("12.0.0.1"));
	three[0].len = 129;
	CU_ASSERT_EQUAL(deny_set(&d, three, 1), -EINVAL);
	CU_ASSERT_EQUAL(deny_add(&d, three), -EINVAL);
	CU_ASSERT_EQUAL(deny_del(&d, three), -ENOENT);
	CU_ASSERT_EQUAL(deny_set(&d, NULL, 0), 0);
	CU_ASSERT(!has("12.0.0.1"));
	deny_fini(&d);
	CU_ASSERT_EQUAL(deny_init(&d, 0, -1), 0);
	CU_ASSERT_EQUAL(add("10.0.0.0/8"), -ENOSPC);
	deny_fini(&d);
}

static const struct unit_case cases[] = {
    {"an empty list denies nobody", test_empty},
    {"prefixes of both families", test_both_families},
    {"one inside another", test_nested},
    {"everybody", test_everybody},
    {"limits, and the whole list at once", test_limits},
};

int main(void)
{
	return net_program("ip/deny", cases, sizeof(cases) / sizeof(cases[0]));
}
