/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_DRAFT_H
#define FW_DRAFT_H

/* Inside lib/fw: a rule between its words and its entries. */

#include "fw/rules.h"

#define WORDS 48
#define LIST  64 /* items of a list */

/** What is being read, and where. */
struct reader {
	struct fw_rules *r;
	const char *name;
	unsigned line, n, at;
	uint32_t room; /* of r->rule */
	char *word[WORDS];
	char *why;
	size_t why_len;
};

/** A rule whose lists are still lists. */
struct draft {
	struct pc_prefix src[LIST], dst[LIST];
	struct fw_range sport[LIST], dport[LIST];
	uint16_t proto[LIST], icmp_type[LIST];
	unsigned nb_src, nb_dst, nb_sport, nb_dport, nb_protos, nb_types;
	unsigned families, states;
	int netif;
	struct fw_rule rule;
};

/** fw_fail notes what is wrong in the line that is read, and returns -EINVAL. */
int fw_fail(const struct reader *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** fw_add_rule adds a rule. Returns 0 or -ENOMEM. */
int fw_add_rule(struct reader *d, const struct fw_rule *rule);

/** fw_expand adds the entries of the rule that is to be added next. Returns 0, -EINVAL, -ENOSPC or -ENOMEM. */
int fw_expand(struct reader *d, const struct draft *f);

#endif
