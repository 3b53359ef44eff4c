/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_FW_H
#define FW_FW_H

/*
 * The firewall of a stack: a slot of a set of rules (percore/firewall.h), or none.
 *
 * Callers: lib/stack for received packets, except TCP segments; TCP itself for segments that belong
 * to no connection and for connections that it opens; UDP for what it sends. Loopback, neighbour
 * discovery and ARP are not subject to rules.
 *
 * Ownership: rules and tries are shared and never change; nor do the members of tables, which are
 * replaced as a whole. Counters, limits and states of a slot are written by its stack's lcore only;
 * sources that rules add to tables are written by the stack that adds them and read by all
 * (fw/learnt.h); log entries go through a ring.
 */

#include <percore/firewall.h>

#include <rte_branch_prediction.h>

#include "base/ctx.h"
#include "fw/match.h"
#include "fw/rates.h"
#include "fw/states.h"

struct rte_ring;

/* laddr of a pair that any host may answer */
#define FW_ANY_LADDR UINT16_MAX

/* rport of pairs of echo requests and replies */
enum { FW_ASKED_BY_US, FW_ASKED_BY_THEM };

/* what a rule does beyond counting, as bits; FW_COUNTS_HANDSHAKES: its limit per source is on
 * handshakes */
enum { FW_IS_LIMITED = 1, FW_LOGS = 2, FW_FILLS = 4, FW_COUNTS_HANDSHAKES = 8 };

/** The counters and the limit of a rule in a slot. */
struct fw_count {
	uint64_t packets, bytes; /* read by other threads */
	uint64_t next_ns;        /* when the limit would have room if each packet took gap_ns */
	uint64_t gap_ns;         /* 0: no limit */
	uint64_t burst_ns;
	uint32_t line;
	uint8_t action;
	uint8_t more;           /* FW_IS_LIMITED and so on */
	uint32_t source_burst;  /* packets */
	uint32_t limit;         /* number of its limits, kept when the next set has the same rule */
	uint64_t source_gap_ns; /* of the limit per source; 0: none */
} __rte_cache_aligned;

struct fw_slot {
	struct fw_count *count;  /* by rule */
	struct fw_rates rates;   /* place NULL: no rule has a limit per source */
	struct fw_states states; /* place NULL: no rule has a condition on the state */
	struct rte_ring *log;    /* NULL: no rule logs */
	uint64_t log_ns;         /* like next_ns, for firewall.log_rate */
} __rte_cache_aligned;

/** A rule that is also in the set before, with its index in both. */
struct fw_kept {
	uint32_t before, rule;
};

struct pc_firewall {
	struct fw_match match; /* this, and the start of rules, is read for each packet */
	struct fw_rules rules;
	struct fw_members *members;  /* of rules.tables; NULL: no tables */
	struct fw_members *replaced; /* old members that a stack may still use */
	struct fw_learnt learnt;     /* place NULL: no rule adds sources to tables */
	struct fw_learnt flushed;    /* sources to disconnect; place NULL: no rule asks for that */
	uint64_t flushes;            /* how often a source was added to flushed; atomic */
	uint32_t nb_limits;          /* numbers given to limits in this set and those before it */
	uint32_t nb_kept;
	struct fw_kept *kept;              /* rules with limits that are also in kept_of */
	const struct pc_firewall *kept_of; /* that set, which may have been freed; NULL: none */
	int socket_id;
	char *(*read_file)(void *arg, const char *path, size_t *len, char *why, size_t why_len);
	void *read_arg; /* these are as in pc_firewall_args */
	unsigned nb_slots;
	struct fw_slot *slot;
};

/** The firewall of a stack. Zeroed: none. */
struct fw {
	struct pc_firewall *set;
	struct fw_where where; /* copied from the set when the stack took it */
	struct fw_slot *slot;
	uint64_t flushes; /* those of the set that the stack has seen */
};

/** What a handshake uses of its source's limit. */
struct fw_share {
	uint64_t *next_ns; /* NULL: nothing */
	uint64_t gap_ns;
};

/** fw_is_on says whether there are rules. */
static inline bool fw_is_on(const struct fw *fw)
{
	return unlikely(fw->set != NULL);
}

/** fw_use switches to a slot, or to none, from the previous one. Returns 0 or -EINVAL. */
int fw_use(struct fw *fw, struct pc_firewall *set, unsigned slot);

/** fw_judge decides about a packet by the rules alone, and counts it. Requires fw_is_on. */
enum fw_action fw_judge(struct fw *fw, struct ctx *ctx, enum fw_dir dir, const struct fw_packet *p);

/** fw_peek returns what the rules say about a packet, without counting it and regardless of limits.
 * Requires fw_is_on. */
enum fw_action fw_peek(const struct fw *fw, const struct ctx *ctx, enum fw_dir dir,
                       const struct fw_packet *p);

/*
 * fw_judge_pair is fw_judge for a packet without a connection. Its state becomes established if a
 * packet of its pair has passed in the other direction, or if known says so; otherwise it is left
 * alone. If the packet passes, that is noted. Requires fw_is_on.
 */
enum fw_action fw_judge_pair(struct fw *fw, struct ctx *ctx, enum fw_dir dir, struct fw_packet *p,
                             const struct fw_state *name, bool known);

/*
 * fw_admits_handshake says whether a handshake may be completed; syn stands for its SYN, which has
 * passed before. It may not if its source exceeds the limit of handshakes of the matching rule,
 * which is then applied to the source, or if the rules no longer admit the SYN, for example because
 * its source has been added to a table since. *share is what it uses of the limit, to be given to
 * fw_take_share once there is room for the connection; it is valid until the next call. Requires
 * fw_is_on.
 */
bool fw_admits_handshake(struct fw *fw, struct ctx *ctx, const struct fw_packet *syn,
                         struct fw_share *share);

static inline void fw_take_share(const struct fw_share *s)
{
	if (s->next_ns != NULL)
		*s->next_ns += s->gap_ns;
}

/** fw_counts_handshakes says whether any rule has a limit on handshakes. */
static inline bool fw_counts_handshakes(const struct fw *fw)
{
	return fw_is_on(fw) && fw->set->rules.uses_handshakes;
}

/** fw_wants_flush says whether there are new sources whose connections are to be ended since the
 * last fw_knows_flush. */
static inline bool fw_wants_flush(const struct fw *fw)
{
	return fw_is_on(fw) && fw->set->rules.uses_flushes &&
	       __atomic_load_n(&fw->set->flushes, __ATOMIC_ACQUIRE) != fw->flushes;
}

/** fw_knows_flush is called when the stack begins to look for those connections. */
static inline void fw_knows_flush(struct fw *fw)
{
	fw->flushes = __atomic_load_n(&fw->set->flushes, __ATOMIC_ACQUIRE);
}

/** fw_is_flushed says whether the connections with an address are to be ended. */
bool fw_is_flushed(const struct fw *fw, const struct ctx *ctx, const struct pc_addr *a);

/** fw_has_asked says whether a packet of a pair has been sent recently enough, fw_was_asked whether
 * one has been received. Both require fw_is_on. */
bool fw_has_asked(const struct fw *fw, const struct ctx *ctx, const struct fw_state *name);
bool fw_was_asked(const struct fw *fw, const struct ctx *ctx, const struct fw_state *name);

#endif
