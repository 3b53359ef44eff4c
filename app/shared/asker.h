/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_ASKER_H
#define SHARED_ASKER_H

/* Which source ports of datagrams may be answered. */

#include <stdbool.h>
#include <stdint.h>

/**
 * asker_is_one says whether an answer may be sent to a port. No client uses port 0. The services on
 * some others (RFC 862, 864, 865, 867, 868) reply to anything: with a forged source, the two
 * servers would answer each other forever.
 */
static inline bool asker_is_one(uint16_t port)
{
	static const uint16_t none[] = {0, 7, 13, 17, 19, 37};

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (port == none[i])
			return false;
	return true;
}

#endif
