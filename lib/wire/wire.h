/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

/*
 * Bytes on the wire, and their host-order structs.
 *
 * Everything here is pure: no state, no allocation, no counters.  A parser takes the bytes and how
 * many there are, trusts nothing, and returns the length of what it understood or a negative WIRE_
 * code.  A writer returns how many bytes it wrote.  This is the only place that casts packet bytes.
 */

enum {
	WIRE_SHORT = -1,    /* fewer bytes than the header needs */
	WIRE_VERSION = -2,  /* not the version it should be */
	WIRE_HEADER = -3,   /* header length too small or beyond the bytes */
	WIRE_LENGTH = -4,   /* length field contradicts the bytes */
	WIRE_CHECKSUM = -5, /* checksum wrong */
	WIRE_FORM = -6,     /* any other contradiction */
};

#endif
