/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_RULES_H
#define FW_RULES_H

/*
 * Parses rules into a list of what a matcher needs.
 *
 *   table NAME [file PATH]... [{ ADDR/LEN... }]
 *   table NAME ports [file PATH]... [{ A-B... }]
 *   default in|out pass|drop|reject [log]
 *   pass|drop|reject in|out [inet|inet6] [on N|NAME,...] [proto NAME|N,...]
 *     [from ADDR/LEN|<TABLE>,... [port A-B|<TABLE>,...]]
 *     [to ADDR/LEN|<TABLE>,... [port A-B|<TABLE>,...]]
 *     [icmp-type NAME|N,... [code NAME|N,...]] [flags SET/CHECKED] [state NAME,...]
 *     [limit N/UNIT [per source [handshakes]] [burst B]]
 *     [add|overload <TABLE> timeout T [flush]] [log]
 *
 * The first rule that matches decides, otherwise the default of the direction; without one, the
 * packet passes.  "!" before a list negates it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/firewall.h>

#include "fw/tables.h"

enum fw_action { FW_PASS, FW_DROP, FW_REJECT };
enum fw_dir { FW_IN, FW_OUT };

/* how a packet relates to earlier ones, as bits */
enum {
	FW_NEW = 1,
	FW_ESTABLISHED = 2,
	FW_RELATED = 4,
	FW_INVALID = 8,
	FW_STATES = 15,
};

enum { FW_IP4 = 1, FW_IP6 = 2 };

/* which sources a rule adds to a table: none, those of all packets that it decides about, or those
 * that exceed its limit per source */
enum { FW_FILLS_NOTHING, FW_ADDS, FW_OVERLOADS };

struct fw_range {
	uint16_t first, last;
};

/** A range of byte values, both ends included. */
struct fw_span {
	uint8_t first, last;
};

#define FW_ANY_SPAN ((struct fw_span){0, UINT8_MAX})

/** Tables as bits: membership in those of the mask must be as in value. */
struct fw_ask {
	uint64_t mask, value;
};

/* what conditions on tables apply to */
enum { FW_SRC, FW_DST, FW_SPORT, FW_DPORT, FW_ASKS };

/** The conditions of an entry on the tables that a packet's addresses and ports are in. */
struct fw_cond {
	struct fw_ask ask[FW_ASKS];
};

#define FW_CONDS 256

/** One combination of a rule's lists. */
struct fw_entry {
	struct pc_prefix src, dst;    /* of length 0 for a family that does not matter */
	struct fw_range sport, dport; /* sport: or the code of ICMP */
	uint32_t rule;
	uint16_t cond;                          /* index in fw_rules; 0: none */
	uint8_t families;                       /* FW_IP4 and FW_IP6, as bits */
	uint8_t states;                         /* FW_NEW etc., as bits */
	struct fw_span proto, icmp_type, netif; /* 0 to 255: any */
	uint8_t flags, flags_mask;              /* of TCP: those of the mask must be as in flags */
};

/** So many packets per period, and so many at once. */
struct fw_limit {
	uint32_t packets, seconds; /* packets 0: no limit */
	uint32_t burst;
};

/** fw_limit_gap_ns returns one packet's share of a limit's period. */
static inline uint64_t fw_limit_gap_ns(const struct fw_limit *l)
{
	return l->seconds * UINT64_C(1000000000) / l->packets;
}

struct fw_rule {
	const char *text;
	uint32_t line;                       /* 0: a built-in default */
	struct fw_limit limit, source_limit; /* for all packets, and for each source */
	uint32_t timeout_s;                  /* how long a source stays in the table */
	uint8_t action, dir;
	uint8_t fills, table; /* FW_ADDS etc.; the number of the table */
	bool handshakes;      /* source_limit counts completed handshakes */
	bool flushes;         /* exceeding it ends the connections of the source */
	bool log;
};

/** fw_rule_is_limited says whether a rule has a limit. */
static inline bool fw_rule_is_limited(const struct fw_rule *r)
{
	return r->limit.packets != 0 || r->source_limit.packets != 0;
}

struct fw_rules {
	uint32_t n;        /* the last two rules are the defaults for FW_IN and FW_OUT */
	bool counts[2];    /* by direction: there is more than "everything passes" */
	bool uses_states;  /* some rule has a condition on the state */
	bool uses_sources; /* some rule has a limit per source */
	bool uses_handshakes, uses_flushes; /* ... on handshakes; ... that ends connections */
	uint64_t fills;                     /* tables to which rules add sources, as bits */
	uint32_t nb_entries, max;
	struct fw_rule *rule;
	struct fw_entry *entry; /* in the order of the rules */
	char *text;             /* which the rules' text members point into */
	unsigned nb_conds;      /* including the first, which is empty */
	struct fw_cond *cond;   /* of FW_CONDS; NULL: no entry has a condition on tables */
	struct fw_tables tables;
};

/** fw_rules_read parses rules. Returns 0, -EINVAL, -ENOSPC (more than args->max_rules entries, or
 * than args->max_addrs addresses in tables) or -ENOMEM; on failure why has a line that begins with
 * args->name. The caller frees *r only after success. */
int fw_rules_read(struct fw_rules *r, const struct pc_firewall_args *args, char *why,
                  size_t why_len);
void fw_rules_free(struct fw_rules *r);

#endif
