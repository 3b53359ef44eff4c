/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_STAMP_H
#define TCP_STAMP_H

/* Received timestamps (RFC 7323): which segments are too old, and what is echoed. */

struct tcp;
struct tcb;
struct tcp_seg;

/** tcp_stamp_check returns VERDICT_DONE, or why a segment of a connection with timestamps is dropped
 * (PAWS, section 5.3), which has been answered then. */
int tcp_stamp_check(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** tcp_stamp_take notes the timestamp of an acceptable segment, if it is the one to echo (section
 * 4.3). */
void tcp_stamp_take(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** tcp_stamp_take_again does so for a segment that brings nothing new. t may be without
 * timestamps. */
void tcp_stamp_take_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

#endif
