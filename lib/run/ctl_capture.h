/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_CAPTURE_H
#define RUN_CTL_CAPTURE_H

/*
 * Captures: the frames of a running program.
 *
 * Each stack gets a packet socket (packet(7)) with the filter.  The control socket's thread has the
 * lcores read these, a few frames at a time, and sends the frames to the client as a pcap file with
 * nanosecond timestamps.  Without a capture this costs nothing; during one, frames that do not fit
 * into the sockets are lost and counted.
 *
 * The answer is "ok", then packets whose first byte says what they contain: 'd' bytes of the file,
 * 's' a line about the capture, at the end.
 */

#include "ctl.h"

struct ctl_capture;

/** ctl_capture_create returns a new capture; NULL: no memory. */
struct ctl_capture *ctl_capture_create(struct run *r, const bool *ends,
                                       const struct ctl_capture_args *args);

/** ctl_capture_start starts capturing for the client of conn, and owns conn from then on. Returns
 * 0, or -1 with a line in why: then conn is still the caller's, and the capture must be ended,
 * since some lcores may have started. */
int ctl_capture_start(struct ctl_capture *c, int conn, char *why, size_t len);

/** ctl_capture_turn continues. Returns false when the capture is over: the client has left or has
 * got all it asked for. */
bool ctl_capture_turn(struct ctl_capture *c);

/** ctl_capture_end ends it. Returns whether it has ended and ctl_capture_free may be called. If
 * not, an lcore has not had time yet: call it again, or, when the stacks are gone,
 * ctl_capture_free. */
bool ctl_capture_end(struct ctl_capture *c);
void ctl_capture_free(struct ctl_capture *c);

#endif
