/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ACCECN_H
#define WIRE_ACCECN_H

/* What the suites about Accurate ECN (RFC 9768) share. */

#include <netinet/tcp.h>

#include "wt.h"

#define MSS 1460

/* .flags and .ae of a segment whose ACE has this value */
#define ACE(f, n) .flags = (uint8_t)((f) | ((n)&3) << 6), .ae = (n) > 3
#define NOT_ECT   2
#define CAME_ECT1 3
#define CAME_ECT0 4
#define CAME_CE   6
#define ASKS      7
#define AT_FIRST  5 /* both counters */
#define MARKED(n) ((AT_FIRST + (n)) & 7)
#define SEG_AT(n) (1 + (n)*MSS)

#endif
