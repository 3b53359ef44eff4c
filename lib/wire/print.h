/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_PRINT_H
#define WIRE_PRINT_H

/* Frames as text, for test failures and traces; never on the data path. */

#include <stddef.h>

/**
 * wire_print writes a whole Ethernet frame in one line, much as tcpdump -n would, and points out
 * wrong checksums and lengths; any bytes are allowed. The output is truncated to size - 1
 * characters, ends with a NUL if size > 0, and contains no newline. Returns buf.
 */
char *wire_print(const void *frame, size_t len, char *buf, size_t size);

#endif
