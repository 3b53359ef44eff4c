/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DENIED_H
#define TCP_DENIED_H

/*
 * Ends connections with denied sources (ip/deny.h), and with those whose connections a rule of the
 * firewall flushes.
 */

#include <stdint.h>

struct tcp;

/** denied_begin is called when the list of the denied has grown: all connections are to be looked at. */
void denied_begin(struct tcp *tcp);

/** denied_begin_flush is called in each turn while fw_wants_flush: all connections are to be looked at, but not too often. */
void denied_begin_flush(struct tcp *tcp);

/** denied_wait_ticks returns in how many ticks that begins anew. */
uint32_t denied_wait_ticks(const struct tcp *tcp);

/** denied_sweep looks at some of them, in each turn. */
void denied_sweep(struct tcp *tcp);

#endif
