/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ZONEFILE_H
#define DNS_ZONEFILE_H

/* Zone files (RFC 1035 section 5): libzscanner reads them, zone.c takes their records. */

#include "zone.h"

#define ZONEFILE_WHY 512 /**< size of a line that says what is wrong */

/** zonefile_load reads a zone file; origin is the zone's name as text. Returns NULL with a line in
 * why that has file name and line number. */
struct zone *zonefile_load(const char *origin, const char *path, char why[ZONEFILE_WHY]);

/** zonefile_parse does so from memory. */
struct zone *zonefile_parse(const char *origin, const char *text, size_t len,
                            char why[ZONEFILE_WHY]);

/** zonefile_name writes a name in wire format; the final dot may be missing in text. Returns 0, or
 * -1 if it is not a valid name. */
int zonefile_name(const char *text, uint8_t wire[DNS_NAME_MAX]);

#endif
