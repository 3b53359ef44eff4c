/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_PRINT_H
#define WIRE_PRINT_H

/* Frames as text, for test failures and traces; never on the data path. */

#include <stddef.h>

/**
 * wire_print writes a whole Ethernet frame in one line, much as tcpdump -n would, wrong checksums
 * and lengths said; any bytes are allowed. The text is cut to size - 1 characters, always ends in a
 * NUL if size > 0, and holds no newline. Returns buf.
 */
char *wire_print(const void *frame, size_t len, char *buf, size_t size);

#endif
