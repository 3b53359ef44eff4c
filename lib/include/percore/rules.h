/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_RULES_H
#define PERCORE_RULES_H

/*
 * Rules that decide which sockets of an unmodified program are percore's and which the kernel's.
 *
 * A rule is a line of words; only the first is required:
 *
 *   kernel|percore [tcp|udp] [bind|connect] [ADDRESS[/LEN]|any] [port FIRST[-LAST]]
 *
 * Rules are checked when a socket gets a local address (bind) or a destination (connect, sendto);
 * the first match decides.  A wildcard address at bind matches only "any", 0.0.0.0/0 and ::/0.
 * After the last rule come implicit ones, which leave to the kernel 127.0.0.0/8, ::1 and, as
 * destinations, 0.0.0.0 and ::, because a stack's loopback is not connected to the kernel's.  A
 * socket that matches no rule is percore's.  Rules are separated by ";" or line ends; "#" starts a
 * comment.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PC_MAX_RULES 64

enum pc_rule_verdict { PC_RULE_PERCORE, PC_RULE_KERNEL };
enum pc_rule_moment { PC_RULE_ALWAYS, PC_RULE_BIND, PC_RULE_CONNECT };

struct pc_rule {
	uint8_t verdict;
	uint8_t moment;
	uint8_t protocol; /**< IPPROTO_TCP, IPPROTO_UDP; 0: both */
	bool any;         /**< any address: net is not used */
	struct pc_prefix net;
	uint16_t first, last; /**< range of ports, in host byte order */
};

/** An ordered list of rules. Zeroed: only the implicit ones. */
struct pc_rules {
	unsigned n;
	struct pc_rule rule[PC_MAX_RULES];
};

/**
 * pc_rules_add parses rules and appends them. Returns 0; or -1 with errno EINVAL (a syntax error)
 * or ENOSPC (more than PC_MAX_RULES) and an error message in why (why_len bytes), and adds none of
 * them.
 */
int pc_rules_add(struct pc_rules *rules, const char *text, char *why, size_t why_len);

/**
 * pc_rules_decide returns whose a socket is. protocol is IPPROTO_TCP or IPPROTO_UDP; moment is
 * PC_RULE_BIND with the local address in e, or PC_RULE_CONNECT with the destination.
 */
enum pc_rule_verdict pc_rules_decide(const struct pc_rules *rules, int protocol,
                                     enum pc_rule_moment moment, const struct pc_endpoint *e);

#ifdef __cplusplus
}
#endif
#endif
