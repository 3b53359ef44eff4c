/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/rates.h"

#include <netinet/in.h>

#include "../../support/eal.h"
#include "../unit.h"

#define NOW   UINT64_C(1000000)
#define LIMIT UINT64_C(100)

static const struct hash_key key = {{1, 2}};
static struct fw_rates t;
static bool is_forgotten;

static uint64_t *get(uint32_t rule, const char *text, uint64_t now_ns)
{
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &a), 0);
	return fw_rates_get(&t, rule, LIMIT, &a, now_ns, &is_forgotten);
}

/* a source is an IPv4 address, or an IPv6 network; each rule has its own */
static void test_sources(void)
{
	CU_ASSERT_EQUAL_FATAL(fw_rates_init(&t, 1024, key, -1), 0);
	*get(1, "192.0.2.1", NOW) = NOW + 5;
	*get(1, "2001:db8:1:2::1", NOW) = NOW + 6;
	CU_ASSERT_EQUAL(*get(1, "192.0.2.1", NOW), NOW + 5);
	CU_ASSERT_EQUAL(*get(1, "192.0.2.2", NOW), 0);
	CU_ASSERT_EQUAL(*get(2, "192.0.2.1", NOW), 0);
	CU_ASSERT_EQUAL(*get(1, "2001:db8:1:2:ffff::7", NOW), NOW + 6);
	CU_ASSERT_EQUAL(*get(1, "2001:db8:1:3::1", NOW), 0);
	/* bytes of one family are nobody of the other */
	*get(1, "32.1.13.184", NOW) = NOW + 7;
	CU_ASSERT_EQUAL(*get(1, "2001:db8:0:ffff::1", NOW), 0);
	CU_ASSERT_EQUAL(*get(1, "0:0:2001:db8::1", NOW), 0);
	CU_ASSERT_EQUAL(*get(1, "32.1.13.184", NOW), NOW + 7);
	CU_ASSERT(!is_forgotten);
	fw_rates_fini(&t);
}

/* a translator gives all IPv4 hosts addresses of one network, so each is a source of its own, and not the IPv4 host either (RFC 6052 2.1) */
static void test_translated(void)
{
	CU_ASSERT_EQUAL(fw_rates_init(&t, 1024, key, -1), 0);
	*get(1, "64:ff9b::192.0.2.1", NOW) = NOW + 5;
	CU_ASSERT_EQUAL(*get(1, "64:ff9b::192.0.2.2", NOW), 0);
	CU_ASSERT_EQUAL(*get(1, "192.0.2.1", NOW), 0);
	*get(1, "64:ff9b::1:192.0.2.1", NOW) = NOW + 6; /* no translator's */
	CU_ASSERT_EQUAL(*get(1, "64:ff9b::2:192.0.2.1", NOW), NOW + 6);
	CU_ASSERT_EQUAL(*get(1, "64:ff9b::192.0.2.1", NOW), NOW + 5);
	fw_rates_fini(&t);
}

/* all neighbours have one network of link-local addresses, so each is a source of its own; its bytes are no other source */
static void test_link_local(void)
{
	CU_ASSERT_EQUAL_FATAL(fw_rates_init(&t, 1024, key, -1), 0);
	*get(1, "fe80::1", NOW) = NOW + 5;
	*get(1, "fe80::2001:db8:1:2", NOW) = NOW + 6;
	CU_ASSERT_EQUAL(*get(1, "fe80::2", NOW), 0);
	CU_ASSERT_EQUAL(*get(2, "fe80::1", NOW), 0);
	CU_ASSERT_EQUAL(*get(1, "2001:db8:1:2::1", NOW), 0);
	CU_ASSERT_EQUAL(*get(1, "fe80::1", NOW), NOW + 5);
	CU_ASSERT_EQUAL(*get(1, "fe80::2001:db8:1:2", NOW), NOW + 6);
	CU_ASSERT(!is_forgotten);
	fw_rates_fini(&t);
}

/* a full bucket forgets who has used least, and nobody when time is over */
static void test_full(void)
{
	CU_ASSERT_EQUAL_FATAL(fw_rates_init(&t, 1, key, -1), 0);
	CU_ASSERT_EQUAL(t.mask, 0);
	*get(1, "10.0.0.1", NOW) = NOW + 100;
	for (unsigned i = 2; i <= FW_RATE_WAYS; i++)
		*get(i, "10.0.0.1", NOW) = NOW + i;
	CU_ASSERT(!is_forgotten);
	/* others come, who have used little: the first stays */
	for (unsigned i = 0; i < 1000; i++) {
		const struct pc_addr a = pc_addr_ip4(htonl(0x0b000000 + i));

		*fw_rates_get(&t, 1, LIMIT, &a, NOW, &is_forgotten) = NOW + 1;
		CU_ASSERT(is_forgotten);
	}
	CU_ASSERT_EQUAL(*get(1, "10.0.0.1", NOW), NOW + 100);
	(void)get(9, "10.0.0.9", NOW + 1);
	CU_ASSERT(!is_forgotten);
	fw_rates_fini(&t);
}

/* a flood of what uses a tenth of a limit a day long frees nobody who has used up one of a second */
static void test_times(void)
{
	const uint64_t second = 1000000000, day = 86400 * second;
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(fw_rates_init(&t, 1, key, -1), 0);
	CU_ASSERT_EQUAL_FATAL(pc_addr_parse("10.0.0.1", &a), 0);
	*fw_rates_get(&t, 1, second, &a, NOW, &is_forgotten) = NOW + second;
	for (unsigned i = 0; i < 1000; i++) {
		const struct pc_addr other = pc_addr_ip4(htonl(0x0b000000 + i));

		*fw_rates_get(&t, 2, 10 * day, &other, NOW, &is_forgotten) = NOW + day;
	}
	CU_ASSERT_EQUAL(*fw_rates_get(&t, 1, second, &a, NOW, &is_forgotten), NOW + second);
	fw_rates_fini(&t);
}

static const struct unit_case cases[] = {
    {"what a source is", test_sources},
    {"neighbours by their link-local addresses", test_link_local},
    {"IPv4 hosts behind a translator", test_translated},
    {"more sources than places", test_full},
    {"limits of other times", test_times},
};

int main(void)
{
	eal_start();
	return unit_run("fw/rates", cases, sizeof(cases) / sizeof(cases[0]));
}
