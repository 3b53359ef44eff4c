/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_REJOIN_H
#define RUN_REJOIN_H

/*
 * Reconnects memifs whose other end has gone: a client, whose driver looks for its server only
 * once, at startup; and a server, whose driver does not start where a killed one has left its
 * socket.
 */

#include <stdbool.h>
#include <stdint.h>

/** A port that may be a client of a memif. */
struct rejoin {
	bool client;
	bool trying; /* the thread for interrupts is at it; atomic */
	uint16_t id;
	uint64_t next_ns;
};

/** rejoin_find notes whether a device is a client, by what EAL was told of it. */
void rejoin_find(struct rejoin *j, uint16_t id);

/** rejoin_look is told whether the link is up; while it is not, the server is looked for once a second, in EAL's thread
 * for interrupts. */
void rejoin_look(struct rejoin *j, bool up, uint64_t now_ns);

/** rejoin_end gives it up, and waits for a try that is under way. */
void rejoin_end(struct rejoin *j);

/**
 * rejoin_clear removes the socket that the server of a memif is going to make, where one is left that nobody listens
 * on. device is what EAL is told by --vdev; other devices are left alone.
 */
void rejoin_clear(const char *device);

#endif
