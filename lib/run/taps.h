/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_TAPS_H
#define RUN_TAPS_H

#include <net/if.h>

#include "settings.h"

/** The interfaces of the TAPs that a program is to have. */
struct taps {
	char names[PC_MAX_PORTS][IFNAMSIZ];
	unsigned n;
};

/** taps_add takes a virtual device, as --vdev has it, before it is made; what is no TAP passes. Returns -1 with a line if
 * its interface is one of the TAPs before, is no TAP, or is another program's. */
int taps_add(struct taps *t, struct settings *s, const char *device);

#endif
