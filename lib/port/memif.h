/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_MEMIF_H
#define PORT_MEMIF_H

#include <stdbool.h>

/** memif_is_driver says whether a driver is net_memif, whose bursts must be readers (reader.h). */
bool memif_is_driver(const char *driver);

/**
 * memif_guard makes net_memif wait for all readers before it unmaps memory shared with a peer.
 *
 * Call it once the driver has been loaded, any number of times, from any thread. Returns 0 or a
 * negative errno; -ENOENT if the driver is not a shared library.
 */
int memif_guard(void);

#endif
