/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_VERDICT_H
#define BASE_VERDICT_H

/*
 * Verdicts: what an input function returns about a frame.
 *
 * A verdict is an int of one of three kinds.  VERDICT_DONE: the callee has taken the mbuf.  A
 * PC_DROP_ counter: the frame is dropped; stack/rx.c counts it and frees the mbuf.  NEXT_*: the
 * next step.  Unless the verdict is VERDICT_DONE or NEXT_LATER, the mbuf still belongs to the
 * caller.
 */

#include <percore/stats.h>

enum {
	VERDICT_DONE = 0,
	NEXT_ARP = PC_COUNTER_MAX,
	NEXT_IP4,
	NEXT_IP6,
	NEXT_ICMP4,
	NEXT_ICMP6,
	NEXT_IGMP,
	NEXT_FRAGMENT,
	NEXT_UDP,
	NEXT_TCP,
	NEXT_LATER, /* nothing yet: the frame waits in the burst's batch, or for other fragments */
	NEXT_ERROR, /* an ICMP error about a packet we sent: struct icmp_error says which */
};

/** verdict_is_drop says whether the frame is to be counted and freed. */
static inline int verdict_is_drop(int verdict)
{
	return verdict > VERDICT_DONE && verdict < PC_COUNTER_MAX;
}

#endif
