/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_MEMIF_H
#define PORT_MEMIF_H

#include <stdbool.h>

/** memif_is_driver says whether a driver is net_memif, whose bursts are to be readers (reader.h). */
bool memif_is_driver(const char *driver);

/**
 * memif_guard lets net_memif wait for all readers before it takes away the memory that it shares with a peer.
 *
 * To be called when the driver has been loaded, as often as one likes, by any thread. Returns 0, or a negative errno
 * when it cannot be done: -ENOENT when the driver is no shared library.
 */
int memif_guard(void);

#endif
