/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DSACK_H
#define TCP_DSACK_H

/*
 * DSACK (RFC 2883): the first SACK block of an acknowledgement reports what was received twice.
 *
 * A block is reported once, in the next segment of its connection.  That segment is due within the
 * turn, because a duplicate causes an acknowledgement, so one place per stack is enough and
 * connections need none: whoever needs it while it is taken first sends what is in it.
 */

#include <stdint.h>

struct tcp;
struct tcb;
struct tcp_seg;

struct dsack {
	uint32_t tcb; /* index; 0: nothing to tell */
	uint32_t start, end;
};

/** dsack_note takes down that [start,end) came twice; an empty range is passed over. */
void dsack_note(struct tcp *tcp, struct tcb *t, uint32_t start, uint32_t end);

/** dsack_is_due says whether the connection has a block to tell. */
#define dsack_is_due(tcp, t) ((tcp)->dsack.tcb != 0 && (tcp)->dsack.tcb == tcp_index(tcp, t))

/** dsack_fill puts the block in front of the others; the last gives way when there is no room. */
void dsack_fill(const struct tcp *tcp, struct tcp_seg *s);

/** dsack_forget drops a block that has been told, or that nobody is left to be told. */
void dsack_forget(struct tcp *tcp, const struct tcb *t);

#endif
