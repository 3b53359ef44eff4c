/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_RECALL_H
#define RUN_RECALL_H

/*
 * Leases remembered across a restart (RFC 2131 section 3.2), in a file with one line for each port
 * (run.leases).
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/port.h>
#include <percore/stack.h>

/** The last lease of a port. */
struct recall_lease {
	unsigned port;
	uint8_t mac[6]; /* another device may have the port's number now */
	struct pc_addr addr;
	int64_t until_s; /* by the time of day; INT64_MAX: for ever */
};

struct recall {
	unsigned n;
	struct recall_lease lease[PC_MAX_PORTS];
};

/** recall_find returns the last lease of a port with that MAC address, or NULL. */
const struct recall_lease *recall_find(const struct recall *r, unsigned port, const uint8_t mac[6]);

/** recall_set records a port's lease in place of its previous one. */
void recall_set(struct recall *r, const struct recall_lease *lease);

/** recall_read reads the file at path; malformed lines are skipped, and a missing file counts as
 * empty. Returns 0, or -1 with errno if the file exists but cannot be read. */
int recall_read(const char *path, struct recall *r);

/** recall_write replaces the file at path atomically, so that a reader finds either the old lines
 * or the new ones; only its owner may read it. Returns 0, or -1 with errno. */
int recall_write(const char *path, const struct recall *r);

#endif
