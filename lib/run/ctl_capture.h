/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_CAPTURE_H
#define RUN_CTL_CAPTURE_H

/*
 * Captures: the frames of a running program.
 *
 * Each stack gets a packet socket (packet(7)) with the filter.  The thread of the control socket
 * has these read, a few frames at a time, and sends them to the client as a pcap file with
 * nanoseconds.  While nobody captures, this costs nothing; during a capture, what the sockets have
 * no room for is counted and not waited for.
 *
 * The answer is "ok", then packets whose first byte says what they contain: 'd' bytes of the file,
 * 's' a line about it at the end.
 */

#include "ctl.h"

struct ctl_capture;

/** ctl_capture_create makes one, or returns NULL: no memory. */
struct ctl_capture *ctl_capture_create(struct run *r, const bool *ends,
                                       const struct ctl_capture_args *args);

/** ctl_capture_start begins, for who is at the other end of conn, which it owns then. Returns 0, or -1 with a line in
 * why: conn is the caller's still, and some lcores may have begun, so it is to be ended. */
int ctl_capture_start(struct ctl_capture *c, int conn, char *why, size_t len);

/** ctl_capture_turn goes on. Returns false when it is over: who has asked is gone or has had enough. */
bool ctl_capture_turn(struct ctl_capture *c);

/** ctl_capture_end ends it. Returns whether that is done and ctl_capture_free may be called. Else an lcore has had no time for
 * it: it is to be called again, or, when the stacks are gone, ctl_capture_free. */
bool ctl_capture_end(struct ctl_capture *c);
void ctl_capture_free(struct ctl_capture *c);

#endif
