/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RTT_H
#define TCP_RTT_H

/* Round-trip time and retransmission time-out (RFC 6298). */

#include <stdint.h>

#include <percore/config.h>

#include "tcp/tcb.h"

/** rtt_sample takes one measurement; the time-out follows without back-off. */
void rtt_sample(const struct pc_stack_config *cfg, struct tcb *t, uint32_t rtt_us);

/** rtt_backed_off returns the time-out in us after t->retries repetitions (RFC 6298 (5.5)). */
uint64_t rtt_backed_off(const struct pc_stack_config *cfg, const struct tcb *t);

#endif
