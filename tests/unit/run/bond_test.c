/* SPDX-License-Identifier: BSD-2-Clause */
/* Which devices are members of a bond, by the names that its arguments have for them. e2e/bond has the whole. */
#include "run/bond.h"

#include <stdio.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "../../support/eal.h"
#include "common.h"

static uint16_t make_device(const char *name, const char *args)
{
	uint16_t id = UINT16_MAX;

	CU_ASSERT_FATAL(rte_eal_hotplug_add("vdev", name, args) == 0);
	CU_ASSERT_FATAL(rte_eth_dev_get_port_by_name(name, &id) == 0);
	return id;
}

/* DPDK's guide writes the second form of an address */
static void an_address_has_several_forms(void)
{
	static const struct {
		const char *member, *device;
		bool same;
	} rows[] = {
	    {"0000:0a:00.1", "0000:0a:00.1", true},
	    {"0000:0a:00.01", "0000:0a:00.1", true},
	    {"0a:00.1", "0000:0a:00.1", true},
	    {"0000:0A:00.1", "0000:0a:00.1", true},
	    {"0001:0a:00.1", "0000:0a:00.1", false},
	    {"0a:00.1", "0000:0a:00.0", false},
	    {"0a:00.1", "net_tap0", false},
	    {"net_tap0", "0000:0a:00.0", false},
	    {"net_tap0", "net_tap0", true},
	    {"net_tap1", "net_tap10", false},
	    {"0", "0000:0a:00.0", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (bond_names(rows[i].member, rows[i].device) != rows[i].same)
			fprintf(stderr, "%s %s\n", rows[i].member, rows[i].device);
		CU_ASSERT_EQUAL(bond_names(rows[i].member, rows[i].device), rows[i].same);
	}
}

static void members_have_names_or_numbers(void)
{
	const uint16_t null[3] = {make_device("net_null0", ""), make_device("net_null1", ""),
	                          make_device("net_null2", "")};
	char args[100];
	struct bond b;
	uint16_t id;

	snprintf(args, sizeof(args),
	         "mode=1," EAL_BOND_MEMBER "%u," EAL_BOND_MEMBER "net_null2,primary=%u", null[0],
	         null[0]);
	id = make_device("net_bonding0", args);
	bond_find(&b, id);
	CU_ASSERT_EQUAL(b.n, 2);
	CU_ASSERT(bond_has(&b, null[0]) && !bond_has(&b, null[1]) && bond_has(&b, null[2]));
	CU_ASSERT_FALSE(bond_has(&b, id));
	bond_find(&b, null[0]); /* not a bond */
	CU_ASSERT_EQUAL(b.n, 0);
	rte_eal_hotplug_remove("vdev", "net_bonding0");
	id = make_device("net_bonding0", "mode=1," EAL_BOND_MEMBER "77," EAL_BOND_MEMBER
	                                 "," EAL_BOND_MEMBER "net_null," EAL_BOND_MEMBER "0x1");
	bond_find(&b, id);
	CU_ASSERT_EQUAL(b.n, 0);
	rte_eal_hotplug_remove("vdev", "net_bonding0");
}

static const struct unit_case cases[] = {
    {"an address has several forms", an_address_has_several_forms},
    {"members have names or numbers", members_have_names_or_numbers},
};

int main(void)
{
	eal_start_with_drivers();
	return unit_run("run/bond", cases, sizeof(cases) / sizeof(cases[0]));
}
