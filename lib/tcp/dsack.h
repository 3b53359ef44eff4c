/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DSACK_H
#define TCP_DSACK_H

/*
 * DSACK (RFC 2883): the first SACK block of an acknowledgement reports duplicate data.
 *
 * A block is reported once, in the next segment of its connection.  That segment is due within the
 * turn, because a duplicate causes an acknowledgement, so one block per stack is enough and
 * connections need none of their own: if another connection needs it meanwhile, the pending block
 * is sent first.
 */

#include <stdint.h>

struct tcp;
struct tcb;
struct tcp_seg;

struct dsack {
	uint32_t tcb; /* index; 0: nothing to report */
	uint32_t start, end;
};

/** dsack_note records that [start,end) is a duplicate; an empty range is ignored. */
void dsack_note(struct tcp *tcp, struct tcb *t, uint32_t start, uint32_t end);

/** dsack_is_due says whether the connection has a block to report. */
#define dsack_is_due(tcp, t) ((tcp)->dsack.tcb != 0 && (tcp)->dsack.tcb == tcp_index(tcp, t))

/** dsack_fill puts the block before the others; the last is omitted if there is no room. */
void dsack_fill(const struct tcp *tcp, struct tcp_seg *s);

/** dsack_forget drops a block that has been reported, or whose connection has ended. */
void dsack_forget(struct tcp *tcp, const struct tcb *t);

#endif
