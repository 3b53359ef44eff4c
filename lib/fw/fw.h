/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_FW_H
#define FW_FW_H

/*
 * The firewall of a stack: a slot of a set of rules (percore/firewall.h), or none.
 *
 * Who consults it: lib/stack for received packets, except for TCP, which itself asks about segments
 * that belong to no connection; TCP for connections that it opens, UDP for what it sends.
 * Loopback, neighbour discovery and ARP are not subject to rules.
 *
 * Ownership: rules and tries are shared and never change; so are the members of tables, which are
 * replaced as a whole.  Counters, limits and states of a slot are written by its stack's lcore
 * only; what rules add to tables is written by the stack that adds it and read by all
 * (fw/learnt.h); log entries go through a ring.
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

/* what a rule does beyond counting, a bit each; FW_COUNTS_HANDSHAKES: the limit of each source is of those */
enum { FW_IS_LIMITED = 1, FW_LOGS = 2, FW_FILLS = 4, FW_COUNTS_HANDSHAKES = 8 };

/** Of a rule in a slot: what it has decided, and its limit. */
struct fw_count {
	uint64_t packets, bytes; /* read by other threads */
	uint64_t next_ns; /* of the limit: when there would be room if each packet took gap_ns */
	uint64_t gap_ns;  /* 0: no limit */
	uint64_t burst_ns;
	uint32_t line;
	uint8_t action;
	uint8_t more;          /* FW_IS_LIMITED and so on */
	uint32_t source_burst; /* packets */
	uint32_t limit;        /* number of its limits: the same rule of the next set has it, too */
	uint64_t source_gap_ns; /* of the limit of each source; 0: there is none */
} __rte_cache_aligned;

struct fw_slot {
	struct fw_count *count;  /* by rule */
	struct fw_rates rates;   /* place NULL: no rule has a limit for each source */
	struct fw_states states; /* place NULL: no rule asks for a state */
	struct rte_ring *log;    /* NULL: no rule logs */
	uint64_t log_ns;         /* as next_ns, of firewall.log_rate */
} __rte_cache_aligned;

/** A rule of a set that the set before has, too, by their numbers. */
struct fw_kept {
	uint32_t before, rule;
};

struct pc_firewall {
	struct fw_match match; /* it and what rules begin with are read for each packet */
	struct fw_rules rules;
	struct fw_members *members;  /* of rules.tables; NULL: there are none */
	struct fw_members *replaced; /* which some stack may still use */
	struct fw_learnt learnt;     /* place NULL: no rule puts sources into tables */
	struct fw_learnt flushed;    /* whose connections are to end; place NULL: no rule says so */
	uint64_t flushes;            /* how often a source came to those; atomic */
	uint32_t nb_limits;          /* numbers of limits that it and the sets before have had */
	uint32_t nb_kept;
	struct fw_kept *kept;              /* rules with limits that another set has, too */
	const struct pc_firewall *kept_of; /* that set, which may be gone; NULL: none */
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
	uint64_t flushes; /* of the set, of which the stack knows */
};

/** What a handshake takes of the limit of its source. */
struct fw_share {
	uint64_t *next_ns; /* NULL: nothing */
	uint64_t gap_ns;
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

/**
 * fw_admits_handshake says whether a handshake whose SYN has passed, and stands for it, may be completed. It may not if its source is beyond the
 * limit of handshakes of its rule, which then does with the source what it says, nor if the rules do not let the SYN in any more, as
 * those of a source that has come into a table since. *share is what it takes of the limit: for fw_take_share, when there is
 * room for the connection; until the next call. fw_is_on.
 */
bool fw_admits_handshake(struct fw *fw, struct ctx *ctx, const struct fw_packet *syn,
                         struct fw_share *share);

static inline void fw_take_share(const struct fw_share *s)
{
	if (s->next_ns != NULL)
		*s->next_ns += s->gap_ns;
}

/** fw_counts_handshakes says whether some rule has a limit of handshakes. */
static inline bool fw_counts_handshakes(const struct fw *fw)
{
	return fw_is_on(fw) && fw->set->rules.uses_handshakes;
}

/** fw_wants_flush says whether connections of some source have to end since fw_knows_flush was called. */
static inline bool fw_wants_flush(const struct fw *fw)
{
	return fw_is_on(fw) && fw->set->rules.uses_flushes &&
	       __atomic_load_n(&fw->set->flushes, __ATOMIC_ACQUIRE) != fw->flushes;
}

/** fw_knows_flush is called when the stack begins to look for those. */
static inline void fw_knows_flush(struct fw *fw)
{
	fw->flushes = __atomic_load_n(&fw->set->flushes, __ATOMIC_ACQUIRE);
}

/** fw_is_flushed says whether the connections with an address are to end. */
bool fw_is_flushed(const struct fw *fw, const struct ctx *ctx, const struct pc_addr *a);

/** fw_has_asked says whether a packet of a pair has gone out within the time. fw_is_on. */
bool fw_has_asked(const struct fw *fw, const struct ctx *ctx, const struct fw_state *name);

#endif
