/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_CAPTURE_H
#define RUN_CTL_CAPTURE_H

/*
 * A look at the frames of a running program.
 *
 * Each stack gets a packet socket (packet(7)) with the filter, and the thread of the control socket has them read, a few
 * frames at a time, and sends what they give to who has asked, as a pcap file with nanoseconds.  While nobody
 * captures, nothing is spent on it; while somebody does, what the sockets have no room for is counted and not
 * waited for.
 *
 * The answer is "ok", then packets whose first byte says what they are: 'd' bytes of the file, 's' a line about
 * it at the end.
 */

#include "ctl.h"

struct ctl_capture;

/** ctl_capture_start begins, for who is at the other end of conn, which it owns then. Returns NULL with a line in
 * why; conn is the caller's still. */
struct ctl_capture *ctl_capture_start(struct run *r, const bool *ends, int conn,
                                      const struct ctl_capture_args *args, char *why, size_t len);

/** ctl_capture_turn goes on. Returns false when it is over: who has asked is gone or has had enough. */
bool ctl_capture_turn(struct ctl_capture *c);

/** ctl_capture_end ends it. What lcores may still write to stays until ctl_capture_free; returns whether that may be
 * called now, else when the stacks are gone. */
bool ctl_capture_end(struct ctl_capture *c);
void ctl_capture_free(struct ctl_capture *c);

#endif
