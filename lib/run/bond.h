/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_BOND_H
#define RUN_BOND_H

/* Bonds of DPDK (net_bonding): which devices are members of one, and how these are. */

#include <stdbool.h>
#include <stdint.h>

#define BOND_MEMBERS 16

/** The members of a device that is a bond. */
struct bond {
	unsigned n; /* 0: it is none */
	uint16_t id[BOND_MEMBERS];
	uint32_t up; /* bits: whose link was up, when that was last looked at */
};

/** bond_find notes the members of a device, by what EAL was told of it; a device that is no bond has none. */
void bond_find(struct bond *b, uint16_t id);

/** bond_has says whether a device is a member. */
bool bond_has(const struct bond *b, uint16_t id);

/** bond_moved says whether links of members have come or gone since it was last asked. */
bool bond_moved(struct bond *b);

#endif
