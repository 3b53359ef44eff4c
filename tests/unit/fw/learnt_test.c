/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources that rules put into tables: by several stacks, for a time, and taken out again. */
#include "fw/learnt.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/eal.h"
#include "../unit.h"

#define SECOND UINT64_C(1000000000)
#define NOW    (5 * SECOND)

static const struct hash_key key = {{1, 2}};
static struct fw_learnt l;

static struct pc_addr addr(const char *text)
{
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &a), 0);
	return a;
}

static uint64_t of(const char *text, uint64_t now_ns)
{
	const struct pc_addr a = addr(text);

	return fw_learnt_of(&l, &a, now_ns);
}

static unsigned put(unsigned slot, unsigned table, const char *text, uint64_t end_ns)
{
	const struct pc_addr a = addr(text);

	return fw_learnt_put(&l, slot, table, &a, end_ns, NOW);
}

/* a source is an IPv4 address, or the /64 of an IPv6 address; all stacks know it, until its time is over */
static void test_sources(void)
{
	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 3, 1024, key, -1), 0);
	CU_ASSERT_EQUAL(put(0, 3, "192.0.2.1", NOW + SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(2, 63, "2001:db8:1:2::1", NOW + 2 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW), 1 << 3);
	CU_ASSERT_EQUAL(of("192.0.2.2", NOW), 0);
	CU_ASSERT_EQUAL(of("2001:db8:1:2:ffff::7", NOW), UINT64_C(1) << 63);
	CU_ASSERT_EQUAL(of("2001:db8:1:3::1", NOW), 0);
	/* one more table, and the same by another stack */
	CU_ASSERT_EQUAL(put(0, 0, "192.0.2.1", NOW + 3 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(1, 3, "192.0.2.1", NOW + 4 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW), 1 << 3 | 1);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW + 3 * SECOND), 1 << 3);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW + 4 * SECOND), 0);
	/* the time may become longer, and no shorter */
	CU_ASSERT_EQUAL(put(1, 3, "192.0.2.1", NOW + 6 * SECOND), 0);
	CU_ASSERT_EQUAL(put(1, 3, "192.0.2.1", NOW + SECOND), 0);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW + 5 * SECOND), 1 << 3);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW + 6 * SECOND), 0);
	fw_learnt_fini(&l);
}

/* where a stack has no room, whose time is over soonest is forgotten, and nobody when time is over; other stacks have room of their own */
static void test_full(void)
{
	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 1, key, -1), 0);
	CU_ASSERT_EQUAL(l.mask, 0);
	CU_ASSERT_EQUAL(put(0, 1, "10.0.0.1", NOW + 9 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(0, 1, "10.0.0.2", NOW + 2 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(0, 1, "10.0.0.3", NOW + 3 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(0, 1, "10.0.0.4", NOW + 4 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(0, 1, "10.0.0.5", NOW + 5 * SECOND),
	                FW_LEARNT_NEW | FW_LEARNT_FORGOTTEN);
	CU_ASSERT_EQUAL(of("10.0.0.2", NOW), 0);
	CU_ASSERT(of("10.0.0.1", NOW) == 2 && of("10.0.0.3", NOW) == 2 && of("10.0.0.5", NOW) == 2);
	for (unsigned i = 0; i < FW_LEARNT_WAYS; i++) {
		const struct pc_addr a = pc_addr_ip4(htonl(0x0b000000 + i));

		CU_ASSERT_EQUAL(fw_learnt_put(&l, 1, 2, &a, NOW + SECOND, NOW), FW_LEARNT_NEW);
	}
	CU_ASSERT_EQUAL(of("10.0.0.1", NOW), 2);
	for (unsigned i = 4; i < 4 + FW_LEARNT_WAYS; i++) {
		const struct pc_addr a = pc_addr_ip4(htonl(0x0b000000 + i));

		CU_ASSERT_EQUAL(fw_learnt_put(&l, 1, 2, &a, NOW + 3 * SECOND, NOW + SECOND),
		                FW_LEARNT_NEW);
	}
	fw_learnt_fini(&l);
}

/* the sources of a table, with blanks between them */
static const char *list(unsigned table, uint64_t now_ns)
{
	static char text[400];
	char prefix[PC_PREFIX_STRLEN];
	uint32_t n;
	struct pc_firewall_learnt *all = fw_learnt_list(&l, table, now_ns, &n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	text[0] = '\0';
	for (uint32_t i = 0; i < n; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, pc_prefix_format(&all[i].source, prefix));
	}
	free(all);
	return text;
}

static uint32_t take_out(unsigned table, const char *const *texts, unsigned n)
{
	struct fw_table t = {0};
	struct pc_prefix p;
	uint32_t removed;

	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(texts[i], &p), 0);
		CU_ASSERT_EQUAL_FATAL(fw_table_append(&t, &p, UINT32_MAX), 0);
	}
	fw_table_settle(&t);
	removed = fw_learnt_remove(&l, table, &t, NOW);
	fw_table_fini(&t);
	return removed;
}

/* who has a source in a table sees it once, and takes it out by an address of it, or a network around it */
static void test_list(void)
{
	static const char *const few[] = {"10.0.0.1", "10.0.0.9", "2001:db8:0:2::77"};
	static const char *const wide[] = {"10.0.0.0/24", "::/0"};
	struct pc_firewall_learnt *all;
	uint32_t n;

	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 64, key, -1), 0);
	CU_ASSERT_STRING_EQUAL(list(1, NOW), "");
	put(0, 1, "10.0.0.2", NOW + SECOND);
	put(0, 1, "10.0.0.1", NOW + 9 * SECOND);
	put(1, 1, "10.0.0.1", NOW + 8 * SECOND);
	put(1, 1, "2001:db8:0:2::1", NOW + 8 * SECOND);
	put(0, 1, "10.0.1.1", NOW + 8 * SECOND);
	put(0, 2, "10.0.0.1", NOW + 8 * SECOND);
	CU_ASSERT_STRING_EQUAL(list(1, NOW),
	                       "10.0.0.1/32 10.0.0.2/32 10.0.1.1/32 2001:db8:0:2::/64");
	CU_ASSERT_STRING_EQUAL(list(1, NOW + SECOND), "10.0.0.1/32 10.0.1.1/32 2001:db8:0:2::/64");
	CU_ASSERT_STRING_EQUAL(list(2, NOW), "10.0.0.1/32");
	all = fw_learnt_list(&l, 1, NOW, &n);
	CU_ASSERT(n == 4 && all[0].end_ns <= NOW + 9 * SECOND &&
	          all[0].end_ns > NOW + 9 * SECOND - SECOND / 500);
	free(all);
	CU_ASSERT_EQUAL(take_out(1, few, 3), 2);
	CU_ASSERT_STRING_EQUAL(list(1, NOW), "10.0.0.2/32 10.0.1.1/32");
	CU_ASSERT_EQUAL(of("10.0.0.1", NOW), 4); /* in the other table it stays */
	put(1, 1, "2001:db8:0:2::1", NOW + 8 * SECOND);
	CU_ASSERT_EQUAL(take_out(1, wide, 2), 2);
	CU_ASSERT_STRING_EQUAL(list(1, NOW), "10.0.1.1/32"); /* which is of no network of IPv6 */
	CU_ASSERT_EQUAL(fw_learnt_remove(&l, 1, NULL, NOW), 1);
	CU_ASSERT_EQUAL(fw_learnt_remove(&l, 1, NULL, NOW), 0);
	CU_ASSERT_STRING_EQUAL(list(1, NOW), "");
	CU_ASSERT_EQUAL(put(0, 1, "10.0.0.1", NOW + SECOND), FW_LEARNT_NEW);
	fw_learnt_fini(&l);
}

/* so is each address that a translator gives to an IPv4 host (RFC 6052 2.1) */
static void test_translated(void)
{
	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 64, key, -1), 0);
	CU_ASSERT_EQUAL(put(0, 1, "64:ff9b::192.0.2.1", NOW + SECOND), FW_LEARNT_NEW);
	CU_ASSERT(of("64:ff9b::192.0.2.1", NOW) == 2 && of("64:ff9b::192.0.2.2", NOW) == 0);
	CU_ASSERT_EQUAL(of("192.0.2.1", NOW), 0);
	CU_ASSERT_STRING_EQUAL(list(1, NOW), "64:ff9b::c000:201/128");
	fw_learnt_fini(&l);
}

/* each link-local address is a source, whose bytes are no other one: for packets, for who lists them, takes them out, and takes them over */
static void test_link_local(void)
{
	static const char *const one[] = {"fe80::1"}, *const link[] = {"fe80::/10"};
	struct fw_learnt old;
	int8_t table_of[FW_TABLES];

	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 64, key, -1), 0);
	CU_ASSERT_EQUAL(put(0, 1, "fe80::1", NOW + SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(1, 1, "fe80::1", NOW + 2 * SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(0, 1, "fe80::2001:db8:1:2", NOW + SECOND), FW_LEARNT_NEW);
	CU_ASSERT(of("fe80::1", NOW) == 2 && of("fe80::2", NOW) == 0);
	CU_ASSERT(of("fe80::2001:db8:1:2", NOW) == 2 && of("2001:db8:1:2::1", NOW) == 0);
	CU_ASSERT_EQUAL(put(1, 1, "2001:db8:1:2::1", NOW + SECOND), FW_LEARNT_NEW);
	CU_ASSERT_EQUAL(put(0, 1, "2001:db8:1:2::1", NOW + SECOND), FW_LEARNT_NEW);
	CU_ASSERT_STRING_EQUAL(list(1, NOW),
	                       "2001:db8:1:2::/64 fe80::1/128 fe80::2001:db8:1:2/128");
	old = l;
	memset(table_of, -1, sizeof(table_of));
	table_of[1] = 63;
	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 64, key, -1), 0);
	fw_learnt_take(&l, &old, table_of);
	fw_learnt_fini(&old);
	CU_ASSERT_EQUAL(of("fe80::1", NOW), UINT64_C(1) << 63);
	CU_ASSERT_EQUAL(take_out(63, one, 1), 1);
	CU_ASSERT_STRING_EQUAL(list(63, NOW), "2001:db8:1:2::/64 fe80::2001:db8:1:2/128");
	CU_ASSERT_EQUAL(take_out(63, link, 1), 1);
	CU_ASSERT_STRING_EQUAL(list(63, NOW), "2001:db8:1:2::/64");
	fw_learnt_fini(&l);
}

/* other rules number their tables anew, and do not have all of them */
static void test_take(void)
{
	struct fw_learnt old;
	int8_t table_of[FW_TABLES];
	uint32_t n = 0;

	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 4096, key, -1), 0);
	for (unsigned i = 0; i < 4000; i++) {
		const struct pc_addr a = pc_addr_ip4(htonl(0x0a000000 + i));

		(void)fw_learnt_put(&l, i % 2, i % 3, &a, NOW + SECOND, NOW);
	}
	for (unsigned table = 0; table < 2; table++) {
		uint32_t in;

		free(fw_learnt_list(&l, table, NOW, &in));
		n += in;
	}
	old = l;
	memset(table_of, -1, sizeof(table_of));
	table_of[0] = 5;
	table_of[1] = 5;
	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 4096, (struct hash_key){{7, 8}}, -1), 0);
	fw_learnt_take(&l, &old, table_of);
	CU_ASSERT_EQUAL(of("10.0.0.0", NOW), 1 << 5);
	CU_ASSERT_EQUAL(of("10.0.0.1", NOW), 1 << 5);
	CU_ASSERT_EQUAL(of("10.0.0.2", NOW), 0);
	CU_ASSERT_EQUAL(of("10.0.0.1", NOW + SECOND), 0);
	/* nobody is lost on the way */
	CU_ASSERT_EQUAL(fw_learnt_remove(&l, 5, NULL, NOW), n);
	fw_learnt_fini(&old);
	/* from rules that put nothing into tables */
	fw_learnt_take(&l, &old, table_of);
	CU_ASSERT_STRING_EQUAL(list(5, NOW), "");
	CU_ASSERT_EQUAL(l.key.k[0], 1);
	fw_learnt_fini(&l);
}

/* ---- threads --------------------------------------------------------------------------------- */

#define ROUNDS 100000
#define HOSTS  64

static bool ends; /* atomic */

/* of even addresses into table 0, of odd ones into table 1 */
static void *write_places(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		const unsigned host = i * 7919 % HOSTS;
		const struct pc_addr a = pc_addr_ip4(htonl(0x0a000000 + host));

		(void)fw_learnt_put(&l, 0, host % 2, &a, NOW + i * SECOND / 100, NOW);
	}
	__atomic_store_n(&ends, true, __ATOMIC_RELEASE);
	return NULL;
}

/* While a stack puts sources into few places, and forgets others for them, nobody sees one in a table that it has never been in. */
static void test_threads(void)
{
	unsigned wrong = 0;
	pthread_t writer;

	CU_ASSERT_EQUAL_FATAL(fw_learnt_init(&l, 2, 1, key, -1), 0);
	ends = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&writer, NULL, write_places, NULL), 0);
	for (unsigned i = 0; !__atomic_load_n(&ends, __ATOMIC_ACQUIRE); i++) {
		const unsigned host = i % HOSTS;
		const struct pc_addr a = pc_addr_ip4(htonl(0x0a000000 + host));
		const uint64_t in = fw_learnt_of(&l, &a, NOW);

		wrong += (in & ~(UINT64_C(1) << host % 2)) != 0;
		if (i % 1000 == 0)
			(void)fw_learnt_remove(&l, i / 1000 % 2, NULL, NOW);
	}
	pthread_join(writer, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	fw_learnt_fini(&l);
}

static const struct unit_case cases[] = {
    {"sources, until their time is over", test_sources},
    {"more sources than there are places", test_full},
    {"sources that are listed and taken out", test_list},
    {"neighbours by their link-local addresses", test_link_local},
    {"IPv4 hosts behind a translator", test_translated},
    {"sources that other rules take over", test_take},
    {"a stack that writes while others look", test_threads},
};

int main(void)
{
	eal_start();
	return unit_run("fw/learnt", cases, sizeof(cases) / sizeof(cases[0]));
}
