/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_FLOOD_MANGLE_H
#define LOAD_FLOOD_MANGLE_H

/* Segments of a malicious peer that has completed a handshake. */

#include <stdbool.h>
#include <stdint.h>

/** The longest options and data that a mangled segment may have. */
#define FLOOD_MANGLE_ROOM 512u

/**
 * flood_mangle changes some fields of a TCP segment over IPv4 that is good, of len bytes with its Ethernet header: numbers,
 * flags, window, options of TCP and IP, fragments, data, lengths. Mostly its checksums are right afterwards. Behind the
 * frame are FLOOD_MANGLE_ROOM bytes of room. Returns the length of the frame.
 */
uint32_t flood_mangle(uint8_t *frame, uint32_t len, uint64_t *random);

#endif
