/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_FW_H
#define FW_FW_H

/*
 * The firewall of a stack: a slot of a set of rules (percore/firewall.h), or none.
 *
 * Who asks: lib/stack for what is received, but for TCP, which asks itself about segments that belong to nothing; TCP and UDP
 * about what is to be sent to somebody.  What a stack sends itself by loopback, neighbour discovery and ARP are not
 * asked about.
 *
 * Ownership: rules and tries are shared and never change; so are members of tables, in whose place others come. Of a slot, counts, limits and
 * states are written by its stack's lcore alone; what rules put into tables is written by the stack that does so and read by all
 * (fw/learnt.h); and what is logged goes through a ring.
 */

#include <percore/firewall.h>

#include <rte_branch_prediction.h>

#include "base/ctx.h"
#include "fw/match.h"
#include "fw/rates.h"
#include "fw/states.h"

struct rte_ring;

/* laddr of a pair that anybody may answer */
#define FW_ANY_LADDR UINT16_MAX

/* rport of the pairs of echoes */
enum { FW_ASKED_BY_US, FW_ASKED_BY_THEM };

/* what a rule does beyond counting, a bit each */
enum { FW_IS_LIMITED = 1, FW_LOGS = 2, FW_FILLS = 4 };

/** Of a rule in a slot: what it has decided, and its limit. */
struct fw_count {
	uint64_t packets, bytes; /* read by other threads */
	uint64_t next_ns; /* of the limit: when there would be room if each packet took gap_ns */
	uint64_t gap_ns;  /* 0: no limit */
	uint64_t burst_ns;
	uint32_t line;
	uint8_t action;
	uint8_t more;           /* FW_IS_LIMITED and so on */
	uint32_t source_burst;  /* packets */
	uint64_t source_gap_ns; /* of the limit of each source; 0: there is none */
} __rte_cache_aligned;

struct fw_slot {
	struct fw_count *count;  /* by rule */
	struct fw_rates rates;   /* place NULL: no rule has a limit for each source */
	struct fw_states states; /* place NULL: no rule asks for a state */
	struct rte_ring *log;    /* NULL: no rule logs */
	uint64_t log_ns;         /* as next_ns, of firewall.log_rate */
} __rte_cache_aligned;

struct pc_firewall {
	struct fw_match match; /* it and what rules begin with are read for each packet */
	struct fw_rules rules;
	struct fw_members *members;  /* of rules.tables; NULL: there are none */
	struct fw_members *replaced; /* which some stack may still use */
	struct fw_learnt learnt;     /* place NULL: no rule puts sources into tables */
	int socket_id;
	char *(*read_file)(void *arg, const char *path, size_t *len, char *why, size_t why_len);
	void *read_arg; /* these as in pc_firewall_args */
	unsigned nb_slots;
	struct fw_slot *slot;
};

/** What a stack has. Zeroed: no firewall. */
struct fw {
	struct pc_firewall *set;
	struct fw_where where; /* the set's, when it was taken */
	struct fw_slot *slot;
};

/** fw_is_on says whether there are rules. */
static inline bool fw_is_on(const struct fw *fw)
{
	return unlikely(fw->set != NULL);
}

/** fw_use takes a slot, or none, in place of the one before. Returns 0 or -EINVAL. */
int fw_use(struct fw *fw, struct pc_firewall *set, unsigned slot);

/** fw_judge says what becomes of a packet, by the rules alone, and counts it there. fw_is_on. */
enum fw_action fw_judge(struct fw *fw, struct ctx *ctx, enum fw_dir dir, const struct fw_packet *p);

/** fw_peek says what the rules say of a packet, without counting it, and whatever the limits are. fw_is_on. */
enum fw_action fw_peek(const struct fw *fw, const struct ctx *ctx, enum fw_dir dir,
                       const struct fw_packet *p);

/**
 * fw_judge_pair does so for a packet without a connection: its state becomes established if one of its pair has passed the other
 * way, or known says so, and else stays what it is; and if it passes, that is noted. fw_is_on.
 */
enum fw_action fw_judge_pair(struct fw *fw, struct ctx *ctx, enum fw_dir dir, struct fw_packet *p,
                             const struct fw_state *name, bool known);

/** fw_has_asked says whether a packet of a pair has gone out within the time. fw_is_on. */
bool fw_has_asked(const struct fw *fw, const struct ctx *ctx, const struct fw_state *name);

#endif
