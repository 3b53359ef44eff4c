/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_FLOOD_MANGLE_H
#define LOAD_FLOOD_MANGLE_H

/* Segments of a malicious peer that has completed a handshake. */

#include <stdbool.h>
#include <stdint.h>

/** The longest options and data that a mangled segment may have. */
#define FLOOD_MANGLE_ROOM 512u

/**
 * flood_mangle changes some fields of a valid TCP segment over IPv4, of len bytes with its Ethernet
 * header: numbers, flags, window, options of TCP and IP, fragmentation, data, lengths. Its
 * checksums are usually right afterwards. There must be FLOOD_MANGLE_ROOM bytes of room after the
 * frame. Returns the length of the frame.
 */
uint32_t flood_mangle(uint8_t *frame, uint32_t len, uint64_t *random);

#endif
