/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_STATES_H
#define FW_STATES_H

/*
 * Who has exchanged datagrams with whom: a bounded table of pairs, each with the directions in
 * which packets have passed.
 *
 * A packet is established if one has passed in the other direction recently enough.  TCP does not
 * need this, because its own table has its connections.  If a datagram goes to a group, anybody may
 * answer to its source port.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/hash.h"

#define FW_WAYS 4

/* of what is seen of a pair: its first packet has gone out */
#define FW_BEGUN 4

/** A pair. */
struct fw_state {
	struct pc_addr remote; /* any: whoever answers what went to a group */
	uint16_t lport, rport; /* of echoes: the identifier, and 0 */
	uint16_t laddr;        /* as an index; LADDR_NONE of what went to a group */
	uint8_t proto;         /* 0: the place is free */
	uint8_t seen;          /* 1 << enum fw_dir, for each direction, and FW_BEGUN */
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

/** fw_states_find returns the pair of a name (its remote, ports, laddr and proto), or NULL: there is none, or its time
 * is over. */
struct fw_state *fw_states_find(const struct fw_states *t, const struct fw_state *name,
                                uint64_t now_ns);

/** fw_states_note says that a packet of a pair has passed in a direction: it is known until until_ns. A pair that others
 * have begun, answered or not, gives way first, and does not take the place of one that we have begun when it begins. */
void fw_states_note(struct fw_states *t, const struct fw_state *name, unsigned dir, uint64_t now_ns,
                    uint64_t until_ns);

#endif
