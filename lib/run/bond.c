/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bonds.
 *
 * Overview: DPDK's bond takes its members over when it is configured, and does not say so before; so they are read
 * from the arguments of the bond ("slave=" of its --vdev).  They are no ports of ours.
 *
 * When a member's link goes, the bond goes on with another one, and its own link stays up; but the switches believe
 * our address to be where it was until they hear of us by the other one.  So links of members are looked at, too.
 *
 * The bond hears of a link by the driver's event, or looks itself, every 10 ms (lsc_poll_period_ms), if the driver has none.
 * A driver that announces the event and does not send it would have it go on with a dead member.
 */
#include "bond.h"

#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#define BOND_AGAIN 11 /* looks after which a change is told once more: a second */

static void add_member(struct bond *b, const char *name)
{
	uint16_t id;

	if (b->n < BOND_MEMBERS && rte_eth_dev_get_port_by_name(name, &id) == 0)
		b->id[b->n++] = id;
}

static uint32_t links_of(const struct bond *b)
{
	uint32_t up = 0;

	for (unsigned i = 0; i < b->n; i++) {
		struct rte_eth_link link;

		if (rte_eth_link_get_nowait(b->id[i], &link) == 0 && link.link_status != 0)
			up |= UINT32_C(1) << i;
	}
	return up;
}

void bond_find(struct bond *b, uint16_t id)
{
	const struct rte_devargs *args;
	struct rte_eth_dev_info dev;
	char *text, *rest, *item;

	memset(b, 0, sizeof(*b));
	if (rte_eth_dev_info_get(id, &dev) != 0 || strcmp(dev.driver_name, "net_bonding") != 0)
		return;
	args = rte_dev_devargs(dev.device);
	text = rest = args != NULL && args->args != NULL ? strdup(args->args) : NULL;
	while (rest != NULL && (item = strsep(&rest, ",")) != NULL)
		if (strncmp(item, "slave=", 6) == 0)
			add_member(b, item + 6);
	free(text);
	b->up = links_of(b);
}

bool bond_has(const struct bond *b, uint16_t id)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->id[i] == id)
			return true;
	return false;
}

/* net_tap of DPDK 22.11 reads its link when the kernel tells of a change, but calls nobody back for it. */
static bool is_silent(const struct rte_eth_dev_info *dev)
{
	return strcmp(dev->driver_name, "net_tap") == 0;
}

void bond_prepare(uint16_t id)
{
	struct rte_eth_dev_info dev;
	struct bond b;

	bond_find(&b, id);
	for (unsigned i = 0; i < b.n; i++) {
		if (rte_eth_dev_info_get(b.id[i], &dev) != 0 || !is_silent(&dev))
			continue;
		/* the device's own flags, which only its driver writes otherwise, when it makes the device */
		*(uint32_t *)(uintptr_t)dev.dev_flags &= ~(uint32_t)RTE_ETH_DEV_INTR_LSC;
	}
}

bool bond_moved(struct bond *b)
{
	const uint32_t up = b->n > 0 ? links_of(b) : 0;

	if (up != b->up) {
		b->up = up;
		b->since = 1;
		return false;
	}
	if (b->since == 0)
		return false;
	b->since = b->since < BOND_AGAIN ? (uint8_t)(b->since + 1) : 0;
	return b->since == 2 || b->since == 0;
}
