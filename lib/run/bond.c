/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bonds.
 *
 * Overview: DPDK's bond takes over its members when it is configured, and does not list them
 * before; so they are read from the bond's arguments ("member=" of its --vdev, and "slave=" before
 * DPDK 23.11). They are not used as ports of our own.
 *
 * When a member's link goes down, the bond continues with another member, and its own link stays
 * up; but the switches still forward our address to the old port until they see frames from us on
 * the new one. So the members' links are checked, too.
 *
 * The bond learns of a link change by the driver's event, or, if the driver has none, polls every
 * 10 ms (lsc_poll_period_ms). With a driver that announces the event but does not send it, the bond
 * would keep using a dead member.
 */
#include "bond.h"

#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_pci.h>

#define BOND_AGAIN 11 /* checks after which a change is reported again: a second */

bool bond_names(const char *member, const char *device)
{
	struct rte_pci_addr a, b;

	if (rte_pci_addr_parse(member, &a) == 0)
		return rte_pci_addr_parse(device, &b) == 0 && rte_pci_addr_cmp(&a, &b) == 0;
	return strcmp(member, device) == 0;
}

/* Finds a member as the bond does: by a device's name, or else by a number. */
static uint16_t find_member(const char *member)
{
	struct rte_eth_dev_info dev;
	unsigned long id;
	char *end;

	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++)
		if (rte_eth_dev_is_valid_port(i) && rte_eth_dev_info_get(i, &dev) == 0 &&
		    bond_names(member, rte_dev_name(dev.device)))
			return i;
	id = strtoul(member, &end, 10);
	return end != member && *end == '\0' && id < RTE_MAX_ETHPORTS ? (uint16_t)id
	                                                              : RTE_MAX_ETHPORTS;
}

static void add_member(struct bond *b, const char *name)
{
	const uint16_t id = find_member(name);

	if (b->n < BOND_MEMBERS && rte_eth_dev_is_valid_port(id))
		b->id[b->n++] = id;
}

/* The name or number in an argument of the bond that names a member, or NULL. */
static const char *member_of(const char *item)
{
	static const char *const words[] = {"member=", "slave="};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(item, words[i], strlen(words[i])) == 0)
			return item + strlen(words[i]);
	return NULL;
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
	const char *member;
	char *text, *rest, *item;

	memset(b, 0, sizeof(*b));
	if (rte_eth_dev_info_get(id, &dev) != 0 || strcmp(dev.driver_name, "net_bonding") != 0)
		return;
	args = rte_dev_devargs(dev.device);
	text = rest = args != NULL && args->args != NULL ? strdup(args->args) : NULL;
	while (rest != NULL && (item = strsep(&rest, ",")) != NULL)
		if ((member = member_of(item)) != NULL)
			add_member(b, member);
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

/* net_tap of DPDK 22.11 updates its link when the kernel reports a change, but calls no
 * callback. */
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
		/* the device's own flags, which otherwise only its driver writes, when it creates
		 * the device */
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
