/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_REPLAY_H
#define LOAD_REPLAY_H

/*
 * Replay: the frames of a pcap file are sent again, with the same time between them.
 *
 * The file is read before anything is sent, so that no disk delays a frame.  The time at which a
 * frame is due is computed from its own and the first one's, not from when the previous one was
 * sent: delays of the machine are made up for, and do not add up.  How late each frame was is the
 * latency in the report.
 */

#include "load.h"

/** A frame of the file. */
struct replay_frame {
	uint64_t at_ns; /* after the first one */
	uint64_t off;   /* of its bytes in struct replay.bytes */
	uint32_t len;   /* as it was on the wire */
	uint32_t kept;  /* bytes of it in the file; the rest is sent as zeros */
};

struct replay {
	struct replay_frame *frames;
	uint8_t *bytes;
	uint64_t nb_frames, nb_bytes, room_frames, room_bytes;
	uint64_t period_ns; /* from the beginning of one pass to that of the next */
	uint64_t nb_cut;    /* frames that are truncated in the file */
	uint64_t next;      /* the next to be sent, counted over all passes */
	uint64_t from;      /* when the first was due; 0: not begun */
};

/**
 * replay_read reads a file of Ethernet frames, pcap or pcapng; no frame may be longer than most
 * bytes. Returns 0, or -1 with a line in why.
 */
int replay_read(struct replay *r, const char *path, uint32_t most, char *why, size_t why_len);

/** replay_due returns when frame n, counted over all passes, is due, in ns after the first. */
uint64_t replay_due(const struct replay *r, const struct load_config *c, uint64_t n);

/** replay_fini frees what has been read. */
void replay_fini(struct replay *r);

#endif
