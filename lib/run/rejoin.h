/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_REJOIN_H
#define RUN_REJOIN_H

/*
 * Reconnects memifs whose other end has gone: a client, whose driver looks for its server only
 * once, at startup; and a server, whose driver does not start if a killed server has left its
 * socket behind.
 */

#include <stdbool.h>
#include <stdint.h>

/** A port that may be a client of a memif. */
struct rejoin {
	bool client;
	bool trying; /* EAL's interrupt thread is trying now; atomic */
	uint16_t id;
	uint64_t next_ns;
};

/** rejoin_find notes whether a device is a client, from the device's EAL arguments. */
void rejoin_find(struct rejoin *j, uint16_t id);

/** rejoin_look notes whether the link is up; while it is down, it has EAL's interrupt thread look
 * for the server once a second. */
void rejoin_look(struct rejoin *j, bool up, uint64_t now_ns);

/** rejoin_end stops trying, and waits for a try in progress. */
void rejoin_end(struct rejoin *j);

/**
 * rejoin_clear removes a socket at the path where a memif server is going to create its own, if no
 * process listens on it. device is the value of EAL's --vdev; other devices are left alone.
 */
void rejoin_clear(const char *device);

#endif
