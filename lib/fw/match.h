/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_MATCH_H
#define FW_MATCH_H

/*
 * Finds the first rule that matches: a librte_acl trie for each direction and family, built once
 * and read by any number of lcores. The cost of a lookup depends on the depth of the trie and
 * hardly on the number of rules.
 *
 * Entries that refer to tables have tries of their own, one for each combination of conditions.
 * These are searched for packets that meet the conditions, and may yield an earlier rule than the
 * one found so far. So tries do not depend on the contents of tables.
 */

#include <stddef.h>

#include "fw/learnt.h"
#include "fw/members.h"
#include "fw/rules.h"

struct rte_acl_ctx;

/** Tries by direction, for IPv4 and IPv6; NULL: no rules. */
struct fw_tries {
	struct rte_acl_ctx *acl[2][2];
};

/** The entries with one condition. */
struct fw_group {
	struct fw_cond cond;
	uint32_t first[2]; /* index of their first rule, by direction; UINT32_MAX: none */
	struct fw_tries tries;
};

struct fw_match {
	struct fw_tries tries; /* of entries without conditions on tables */
	unsigned nb_groups;
	struct fw_group *group;     /* of entries with such conditions */
	uint64_t asked[2][FW_ASKS]; /* by direction: tables that some group asks for */
};

/** Tells which tables addresses and ports are in. */
struct fw_where {
	const struct fw_members *members; /* NULL: no tables */
	const struct fw_learnt *learnt;   /* NULL: no rule adds to tables */
};

/** The properties of a packet that rules look at. */
struct fw_packet {
	const struct pc_addr *src, *dst;
	uint16_t sport, dport; /* host byte order; 0 if it has none */
	uint8_t proto;
	uint8_t state; /* FW_NEW etc., exactly one */
	uint8_t icmp_type;
	uint8_t icmp_code; /* 0 if it has ports */
	uint8_t netif;
	uint8_t flags;  /* of TCP */
	uint32_t len;   /* bytes after the IP header */
	bool unlimited; /* it continues what was admitted before: limits do not apply */
};

/** fw_match_init builds the tries. Returns 0, -ENOMEM, or -ENOSPC: they are too large for DPDK. */
int fw_match_init(struct fw_match *m, const struct fw_rules *r, int socket_id);
void fw_match_fini(struct fw_match *m);

/** fw_match_find returns the index of the first rule that matches, plus 1; 0: none. */
uint32_t fw_match_find(const struct fw_match *m, const struct fw_where *where, uint64_t now_ns,
                       enum fw_dir dir, const struct fw_packet *p);

#endif
