/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DENIED_H
#define TCP_DENIED_H

/*
 * Ends connections with denied sources (ip/deny.h), and with sources that a firewall rule flushes.
 */

#include <stdint.h>

struct tcp;

/** denied_begin starts a scan of all connections. Call it when the list of denied sources has
 * grown. */
void denied_begin(struct tcp *tcp);

/** denied_begin_flush starts a scan of all connections, but not too often. Call it in each turn
 * while fw_wants_flush. */
void denied_begin_flush(struct tcp *tcp);

/** denied_wait_ticks returns the ticks until denied_begin_flush may start another scan. */
uint32_t denied_wait_ticks(const struct tcp *tcp);

/** denied_sweep continues the scan. Call it in each turn. */
void denied_sweep(struct tcp *tcp);

#endif
