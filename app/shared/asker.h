/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_ASKER_H
#define SHARED_ASKER_H

/* Who may have sent a datagram that is answered. */

#include <stdbool.h>
#include <stdint.h>

/** asker_is_one says whether an answer may go to a port. Nobody asks from port 0. Behind some others are services that answer to anything
 * (RFC 862, 864, 865, 867, 868): of what a forged source has begun there would be no end. */
static inline bool asker_is_one(uint16_t port)
{
	static const uint16_t none[] = {0, 7, 13, 17, 19, 37};

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (port == none[i])
			return false;
	return true;
}

#endif
