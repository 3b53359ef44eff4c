/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_TAPS_H
#define RUN_TAPS_H

#include <net/if.h>

#include "settings.h"

/** The interfaces of the TAPs that a program is going to use. */
struct taps {
	char names[PC_MAX_PORTS][IFNAMSIZ];
	unsigned n;
};

/** taps_add checks a virtual device, given as for --vdev, before it is created; devices other than
 * TAPs pass. Returns -1 with a line if its interface is that of an earlier TAP, exists but is not a
 * TAP, or is in use by another program. */
int taps_add(struct taps *t, struct settings *s, const char *device);

#endif
