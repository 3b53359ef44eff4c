/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_BOND_H
#define RUN_BOND_H

/* DPDK's bonds (net_bonding): which devices are members of a bond, and the state of their links. */

#include <stdbool.h>
#include <stdint.h>

#define BOND_MEMBERS 16

/** The members of a bond. */
struct bond {
	unsigned n; /* 0: not a bond */
	uint16_t id[BOND_MEMBERS];
	uint32_t up;   /* a bit per member: whether its link was up at the last check */
	uint8_t since; /* checks since a change, that one included; 0: long ago */
};

/** bond_find notes the members of a device, from the device's EAL arguments; a device that is not a
 * bond has none. */
void bond_find(struct bond *b, uint16_t id);

/** bond_names says whether what a bond's arguments call a member is the name of a device: it may be
 * a PCI address in another form ("3:0.1" for "0000:03:00.1"). */
bool bond_names(const char *member, const char *device);

/** bond_has says whether a device is a member. */
bool bond_has(const struct bond *b, uint16_t id);

/**
 * bond_prepare makes a bond poll the links of members whose drivers claim to report link changes
 * but do not. Call it before the bond is configured.
 */
void bond_prepare(uint16_t id);

/**
 * bond_moved says whether members' links had gone up or down at the previous call, so that the bond
 * has had the time since then to notice. It reports a change twice, since the bond may have taken
 * longer, or what was sent after the first report may have been lost.
 */
bool bond_moved(struct bond *b);

#endif
