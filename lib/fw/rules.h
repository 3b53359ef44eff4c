/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_RULES_H
#define FW_RULES_H

/*
 * Rules as they are written, read into a list of what a matcher needs.
 *
 *   default in|out pass|drop|reject [log]
 *   pass|drop|reject in|out [inet|inet6] [on N] [proto NAME|N,...] [from ADDR/LEN,... [port A-B,...]]
 *     [to ADDR/LEN,... [port A-B,...]] [icmp-type NAME|N,...] [state NAME,...] [limit N/s [burst B]] [log]
 *
 * The first rule that fits decides, else the default of the direction, else the packet passes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

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

struct fw_range {
	uint16_t first, last;
};

/** One combination of a rule's lists. */
struct fw_entry {
	struct pc_prefix src, dst; /* of a family that does not count here: of no length */
	struct fw_range sport, dport;
	uint32_t rule;
	uint8_t families;                /* FW_IP4, FW_IP6 */
	uint8_t states;                  /* FW_NEW and so on */
	int16_t proto, icmp_type, netif; /* -1: any */
};

struct fw_rule {
	const char *text;
	uint32_t line;        /* 0: nobody has written it */
	uint32_t rate, burst; /* packets/s, packets; rate 0: no limit */
	uint8_t action, dir;
	bool log;
};

struct fw_rules {
	uint32_t n; /* the last two are the defaults, of FW_IN and of FW_OUT */
	uint32_t nb_entries, max;
	struct fw_rule *rule;
	struct fw_entry *entry; /* in the order of the rules */
	char *text;             /* to which the texts of the rules point */
	bool uses_states;       /* some rule asks for a state */
	bool counts[2];         /* by direction: there is more than "everything passes" */
};

/** fw_rules_read reads a text of len bytes. Returns 0, -EINVAL, -ENOSPC (more than max entries) or -ENOMEM, then with a line
 * that begins with name in why; and *r is to be freed only when it is 0. */
int fw_rules_read(struct fw_rules *r, const char *name, const char *text, size_t len, uint32_t max,
                  char *why, size_t why_len);
void fw_rules_free(struct fw_rules *r);

#endif
