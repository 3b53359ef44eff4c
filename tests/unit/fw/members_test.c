/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of tables, against a walk over the same networks one by one. */
#include "fw/members.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "base/dice.h"

#define ADDRS 4000

static struct fw_tables tables;
static struct fw_members *members;
static struct dice dice;

static unsigned below(unsigned n)
{
	return dice_below(&dice, n);
}

static void put(unsigned table, const struct pc_prefix *p)
{
	CU_ASSERT_EQUAL_FATAL(fw_table_append(&tables.table[table], p, UINT32_MAX), 0);
}

static void put_text(unsigned table, const char *text)
{
	struct pc_prefix p;

	CU_ASSERT_EQUAL_FATAL(pc_prefix_parse(text, &p), 0);
	put(table, &p);
}

static void begin(unsigned n)
{
	char name[8];

	fw_tables_free(&tables);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_PTR_NOT_NULL(fw_tables_add(
		    &tables, name, (size_t)snprintf(name, sizeof(name), "t%u", i), 1));
}

static void make(void)
{
	for (unsigned i = 0; i < tables.n; i++)
		fw_table_settle(&tables.table[i]);
	fw_members_free(members);
	members = fw_members_create(&tables, -1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(members);
}

static void end(void)
{
	fw_members_free(members);
	members = NULL;
	fw_tables_free(&tables);
}

static uint64_t of(const char *text)
{
	struct pc_addr a;

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &a), 0);
	return fw_members_of(members, &a);
}

static uint64_t walk(const struct pc_addr *a)
{
	uint64_t in = 0;

	for (unsigned i = 0; i < tables.n; i++)
		for (uint32_t k = 0; k < tables.table[i].n; k++) {
			const struct pc_prefix *p = &tables.table[i].prefix[k];

			if (pc_addr_is_ip4(&p->addr) == pc_addr_is_ip4(a) &&
			    pc_prefix_contains(p, a))
				in |= UINT64_C(1) << i;
		}
	return in;
}

/* a network among few, so that they are in each other */
static struct pc_prefix random_prefix(bool ip4)
{
	struct pc_prefix p = {.addr = {.b = {0x20, 1, 0xd, 0xb8}}};

	if (ip4) {
		p.addr = pc_addr_ip4(
		    htonl(below(4) == 0 ? UINT32_MAX - below(600) : 10u << 24 | below(1 << 12)));
		p.len = (uint8_t)(96 + (below(8) == 0 ? below(33) : 16 + below(17)));
		return p;
	}
	if (below(4) == 0)
		memset(&p.addr, 0xff, sizeof(p.addr));
	p.addr.b[5] = (uint8_t)below(4);
	p.addr.b[15] = (uint8_t)below(256);
	p.len = (uint8_t)(below(4) == 0 ? below(129) : 32 + below(97));
	return p;
}

/* an end of a network, or what is next to it */
static struct pc_addr random_addr(bool ip4)
{
	const struct fw_table *t = &tables.table[below(tables.n)];
	struct pc_prefix p =
	    t->n == 0 || below(4) == 0 ? random_prefix(ip4) : t->prefix[below(t->n)];
	const int step = (int)below(3) - 1;

	if (below(2) == 0)
		for (unsigned i = p.len; i < 128; i++)
			p.addr.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	p.addr.b[15] = (uint8_t)(p.addr.b[15] + step);
	return p.addr;
}

static void compare(unsigned nb_tables, unsigned nb_prefixes)
{
	unsigned wrong = 0, some = 0;

	begin(nb_tables);
	for (unsigned i = 0; i < nb_prefixes; i++) {
		const struct pc_prefix p = random_prefix(below(2) == 0);

		put(below(nb_tables), &p);
	}
	make();
	for (unsigned i = 0; i < ADDRS; i++) {
		const struct pc_addr a = random_addr(below(2) == 0);
		const uint64_t want = walk(&a);

		wrong += fw_members_of(members, &a) != want;
		some += want != 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(some > 0);
	end();
}

static void test_walk(void)
{
	dice_seed(&dice, 3);
	for (unsigned round = 0; round < 20; round++) {
		compare(1, 1);
		compare(1, 2 + below(5));
		compare(3, 40);
		compare(FW_TABLES, 300);
	}
}

static void test_nothing(void)
{
	begin(0);
	make();
	CU_ASSERT_EQUAL(of("10.0.0.1"), 0);
	CU_ASSERT_EQUAL(of("2001:db8::1"), 0);
	begin(FW_TABLES);
	CU_ASSERT_PTR_NULL(fw_tables_add(&tables, "more", 4, 1));
	make();
	CU_ASSERT_EQUAL(of("0.0.0.0"), 0);
	CU_ASSERT_EQUAL(of("255.255.255.255"), 0);
	CU_ASSERT_EQUAL(of("::"), 0);
	end();
}

/* all of a family is nothing of the other; and the first and the last address */
static void test_edges(void)
{
	begin(4);
	put_text(0, "0.0.0.0/0");
	put_text(1, "::/0");
	put_text(2, "255.255.255.255");
	put_text(2, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	put_text(3, "0.0.0.0");
	put_text(3, "::");
	make();
	CU_ASSERT_EQUAL(of("0.0.0.0"), 9);
	CU_ASSERT_EQUAL(of("0.0.0.1"), 1);
	CU_ASSERT_EQUAL(of("255.255.255.254"), 1);
	CU_ASSERT_EQUAL(of("255.255.255.255"), 5);
	CU_ASSERT_EQUAL(of("::"), 10);
	CU_ASSERT_EQUAL(of("::1"), 2);
	CU_ASSERT_EQUAL(of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), 2);
	CU_ASSERT_EQUAL(of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 6);
	end();
}

/* a hundred thousand addresses, of which the index helps to find each */
static void test_many(void)
{
	unsigned wrong = 0;

	begin(1);
	for (uint32_t i = 0; i < 100000; i++) {
		const struct pc_prefix p = {.addr = pc_addr_ip4(htonl(i * 40503u * 2)), .len = 128};

		put(0, &p);
	}
	make();
	for (uint32_t i = 0; i < 100000; i++) {
		struct pc_addr a = pc_addr_ip4(htonl(i * 40503u * 2));

		wrong += fw_members_of(members, &a) != 1;
		a = pc_addr_ip4(htonl(i * 40503u * 2 + 1)); /* odd: nobody's */
		wrong += fw_members_of(members, &a) != 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(members->n4 <= 200001);
	end();
}

/* each port against the tables that have it, at the ends of all ranges, too */
static void test_ports(void)
{
	static const struct {
		unsigned table, first, last;
	} ranges[] = {{0, 0, 0},     {0, 80, 80},     {1, 80, 443},      {1, 8000, 8080},
	              {2, 0, 65535}, {3, 1000, 1000}, {3, 65535, 65535}, {1, 444, 500}};
	uint32_t wrong = 0;

	begin(6);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(fw_table_of_ports(&tables.table[i]), 0);
	put_text(4, "10.0.0.0/8"); /* addresses are not affected */
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		fw_table_put_ports(&tables.table[ranges[i].table], (uint16_t)ranges[i].first,
		                   (uint16_t)ranges[i].last);
	make();
	CU_ASSERT_EQUAL(members->nb_ports, 10);
	for (uint32_t p = 0; p <= UINT16_MAX; p++) {
		uint64_t want = 0;

		for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
			if (p >= ranges[i].first && p <= ranges[i].last)
				want |= UINT64_C(1) << ranges[i].table;
		wrong += fw_members_of_port(members, (uint16_t)p) != want;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(of("10.1.1.1"), 16);
	end();
	begin(2);
	make();
	CU_ASSERT_PTR_NULL(members->start_port); /* no table is of ports */
	end();
}

static const struct unit_case cases[] = {
    {"ports", test_ports},
    {"members are those that a walk finds", test_walk},
    {"tables without addresses", test_nothing},
    {"whole families, first and last addresses", test_edges},
    {"many addresses", test_many},
};

int main(void)
{
	eal_start();
	return unit_run("fw/members", cases, sizeof(cases) / sizeof(cases[0]));
}
