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
 *     [icmp-type NAME|N,...] [flags SET/CHECKED] [state NAME,...]
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

/* what a packet is to what was there before it, a bit each */
enum {
	FW_NEW = 1,
	FW_ESTABLISHED = 2,
	FW_RELATED = 4,
	FW_INVALID = 8,
	FW_STATES = 15,
};

enum { FW_IP4 = 1, FW_IP6 = 2 };

/* whose sources a rule puts into a table: nobody's, those of what it decides about, or of what is beyond its limit per source */
enum { FW_FILLS_NOTHING, FW_ADDS, FW_OVERLOADS };

struct fw_range {
	uint16_t first, last;
};

/** Numbers of a byte, both ends included. */
struct fw_span {
	uint8_t first, last;
};

#define FW_ANY_SPAN ((struct fw_span){0, UINT8_MAX})

/** Tables, a bit for each: those of the mask are to be as in the value. */
struct fw_ask {
	uint64_t mask, value;
};

/* of what tables ask */
enum { FW_SRC, FW_DST, FW_SPORT, FW_DPORT, FW_ASKS };

/** What an entry asks of the tables that the ends and ports of a packet are in. */
struct fw_cond {
	struct fw_ask ask[FW_ASKS];
};

#define FW_CONDS 256

/** One combination of a rule's lists. */
struct fw_entry {
	struct pc_prefix src, dst; /* of a family that does not count here: of no length */
	struct fw_range sport, dport;
	uint32_t rule;
	uint16_t cond;                          /* index in fw_rules; 0: none */
	uint8_t families;                       /* FW_IP4, FW_IP6 */
	uint8_t states;                         /* FW_NEW and so on */
	struct fw_span proto, icmp_type, netif; /* 0 to 255: any */
	uint8_t flags, flags_mask; /* of TCP: those of the mask are to be as in flags */
};

/** So many packets in so much time, and so many at once. */
struct fw_limit {
	uint32_t packets, seconds; /* packets 0: there is no limit */
	uint32_t burst;
};

/** fw_limit_gap_ns returns the share of time of one packet within a limit. */
static inline uint64_t fw_limit_gap_ns(const struct fw_limit *l)
{
	return l->seconds * UINT64_C(1000000000) / l->packets;
}

struct fw_rule {
	const char *text;
	uint32_t line;                       /* 0: nobody has written it */
	struct fw_limit limit, source_limit; /* of all, and of each source */
	uint32_t timeout_s;                  /* of what it puts into a table */
	uint8_t action, dir;
	uint8_t fills, table; /* FW_ADDS and so on; the table */
	bool handshakes;      /* source_limit is of those that are complete */
	bool flushes;         /* what is beyond it ends the connections of its source */
	bool log;
};

/** fw_rule_is_limited says whether a rule has a limit. */
static inline bool fw_rule_is_limited(const struct fw_rule *r)
{
	return r->limit.packets != 0 || r->source_limit.packets != 0;
}

struct fw_rules {
	uint32_t n;        /* the last two are the defaults, of FW_IN and of FW_OUT */
	bool counts[2];    /* by direction: there is more than "everything passes" */
	bool uses_states;  /* some rule asks for a state */
	bool uses_sources; /* some rule has a limit for each source */
	bool uses_handshakes, uses_flushes; /* ... of handshakes; ... that ends connections */
	uint64_t fills;                     /* tables into which rules put sources, a bit each */
	uint32_t nb_entries, max;
	struct fw_rule *rule;
	struct fw_entry *entry; /* in the order of the rules */
	char *text;             /* to which the texts of the rules point */
	unsigned nb_conds;      /* with the first, which asks for nothing */
	struct fw_cond *cond;   /* of FW_CONDS; NULL: no entry asks for tables */
	struct fw_tables tables;
};

/** fw_rules_read reads a text. Returns 0, -EINVAL, -ENOSPC (more than args->max_rules entries, or args->max_addrs of tables) or
 * -ENOMEM, then with a line that begins with args->name in why; and *r is to be freed only when it is 0. */
int fw_rules_read(struct fw_rules *r, const struct pc_firewall_args *args, char *why,
                  size_t why_len);
void fw_rules_free(struct fw_rules *r);

#endif
