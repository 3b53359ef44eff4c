/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: packets of the denied are dropped at once, but what they hold would stay until a time-out.  A
 * hand goes over all TCBs once, some in each turn, as a million would take too long for one.  Nothing is
 * sent to the denied, not even RST; half-open connections and TIME-WAIT end by themselves.
 */
#include "tcp/denied.h"

#include <errno.h>

#include "ip/deny.h"
#include "tcp/tcp_conn.h"

#define LOOK_AT 256 /* TCBs in a turn */

void denied_begin(struct tcp *tcp)
{
	tcp->denied_left = tcp->free_tcbs.touched;
}

void denied_sweep(struct tcp *tcp)
{
	for (unsigned n = 0; n < LOOK_AT && tcp->denied_left > 0; n++) {
		struct tcb *t = tcp_tcb(tcp, tcp->denied_left--);

		if (!(t->flags & TCB_IN_TABLE) || !deny_has(&tcp->ip->deny, &t->flow.raddr))
			continue;
		ctx_count(tcp->ctx, PC_TCP_DENIED_ENDED);
		tcb_done(tcp, t, ECONNABORTED);
	}
}
