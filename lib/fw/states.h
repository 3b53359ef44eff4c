/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_STATES_H
#define FW_STATES_H

/*
 * Which pairs of hosts and ports have exchanged datagrams: a bounded table of pairs, each with the
 * directions in which packets have passed.
 *
 * A packet is established if one has passed in the other direction recently enough. TCP does not
 * need this, because its own table has its connections. If a datagram is sent to a group, any host
 * may answer to its source port.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/hash.h"

#define FW_WAYS 4

/* in seen: the first packet of the pair was sent by us */
#define FW_BEGUN 4

/** A pair. */
struct fw_state {
	struct pc_addr remote; /* any: a host that answers what was sent to a group */
	uint16_t lport, rport; /* of echoes: the identifier, and 0 */
	uint16_t laddr;        /* as an index; FW_ANY_LADDR for what was sent to a group */
	uint8_t proto;         /* 0: the place is free */
	uint8_t seen;          /* 1 << enum fw_dir for each direction, and FW_BEGUN */
	uint64_t until_ns;
};

struct fw_states {
	struct hash_key key;
	uint32_t mask; /* of buckets of FW_WAYS places */
	struct fw_state *place;
};

/** fw_states_init makes a table of at least n places. Returns 0 or -ENOMEM. */
int fw_states_init(struct fw_states *t, uint32_t n, struct hash_key key, int socket_id);
void fw_states_fini(struct fw_states *t);

/** fw_states_find looks up the pair with a name (its remote, ports, laddr and proto). Returns NULL
 * if there is none or it has expired. */
struct fw_state *fw_states_find(const struct fw_states *t, const struct fw_state *name,
                                uint64_t now_ns);

/** fw_states_note notes that a packet of a pair has passed in a direction; it is remembered until
 * until_ns. Pairs begun by others, answered or not, are evicted first, and never evict one that we
 * began. Returns whether a pair is forgotten before its time: one that was evicted, or this one. */
bool fw_states_note(struct fw_states *t, const struct fw_state *name, unsigned dir, uint64_t now_ns,
                    uint64_t until_ns);

#endif
