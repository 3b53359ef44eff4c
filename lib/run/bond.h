/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_BOND_H
#define RUN_BOND_H

/* Bonds of DPDK (net_bonding): which devices are members of a bond, and their state. */

#include <stdbool.h>
#include <stdint.h>

#define BOND_MEMBERS 16

/** The members of a device that is a bond. */
struct bond {
	unsigned n; /* 0: it is none */
	uint16_t id[BOND_MEMBERS];
	uint32_t up;   /* bits: whose link was up, when that was last looked at */
	uint8_t since; /* looks since that has changed, and that one; 0: long ago */
};

/** bond_find notes the members of a device, by what EAL was told of it; a device that is no bond has none. */
void bond_find(struct bond *b, uint16_t id);

/** bond_has says whether a device is a member. */
bool bond_has(const struct bond *b, uint16_t id);

/**
 * bond_prepare has a bond look at the links of those of its members whose drivers announce that they tell when a link
 * goes, and do not. Before it is configured.
 */
void bond_prepare(uint16_t id);

/**
 * bond_moved says whether links of members had come or gone when it was asked before: so that the bond has had the time
 * between to notice it itself. It says so twice, since the bond may have taken longer, or what was sent then is lost.
 */
bool bond_moved(struct bond *b);

#endif
